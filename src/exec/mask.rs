//! Takes the values of secrets out of what is shown and kept.

/// Replaces secrets by `***`.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask(Vec<String>);

impl Mask {
    /// Makes a mask of these values; each line of a value of several lines counts by itself.
    pub(super) fn new<'v>(values: impl Iterator<Item = &'v str>) -> Self {
        let mut lines: Vec<String> =
            values.flat_map(str::lines).map(str::trim).filter(|line| line.len() >= 3).map(str::to_owned).collect();
        // The longest first: a secret may be part of another.
        lines.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        lines.dedup();
        Self(lines)
    }

    pub(super) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_even_line_by_line() {
        let mask = Mask::new(["token", "token-long", "two\nlines of it"].into_iter());
        assert_eq!(mask.apply("token-long and token"), "*** and ***");
        assert_eq!(mask.apply("lines of it: two"), "***: ***");
        assert_eq!(Mask::default().apply("as it is"), "as it is");
    }
}
