//! Takes the values of secrets out of what is shown and kept.

use crate::host::process::LONGEST;

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

    /// As [`Mask::apply`], in place.
    pub(super) fn cover(&self, text: &mut String) {
        if self.0.iter().any(|secret| text.contains(secret.as_str())) {
            *text = self.apply(text);
        }
    }

    /// Masks an output that comes in pieces.
    pub(super) fn stream(&self) -> Stream<'_> {
        Stream { mask: self, held: Vec::new() }
    }
}

/// Masks an output that comes in pieces: a line without end is handed on in several, and a secret may lie across the cut.
pub(super) struct Stream<'m> {
    mask: &'m Mask,
    held: Vec<u8>,
}

impl Stream<'_> {
    /// Takes the next piece; returns what can be shown of it and of what was held back before.
    pub(super) fn take(&mut self, piece: &[u8]) -> String {
        self.held.extend_from_slice(piece);
        if piece.len() < LONGEST || piece.ends_with(b"\n") {
            return self.rest();
        }
        let mut text = String::from_utf8_lossy(&self.held).into_owned();
        let secrets = &self.mask.0;
        // What may be the beginning of a secret is shorter than the longest, and is held back as it is.
        let mut cut = text.len().saturating_sub(secrets.first().map_or(0, |longest| longest.len() - 1));
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        // A whole one that lies across the cut is held back with it.
        let across = |cut: usize| {
            let found = |secret: &'_ String| {
                text.match_indices(secret.as_str()).map(|(at, it)| (at, at + it.len())).collect::<Vec<_>>()
            };
            secrets.iter().flat_map(found).filter(|&(from, to)| from < cut && cut < to).map(|(from, _)| from).min()
        };
        while let Some(from) = across(cut) {
            cut = from;
        }
        self.held = text.split_off(cut).into_bytes();
        self.mask.apply(&text)
    }

    /// Returns what is held back.
    pub(super) fn rest(&mut self) -> String {
        self.mask.apply(&String::from_utf8_lossy(&std::mem::take(&mut self.held)))
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

    #[test]
    fn a_secret_across_a_cut_does_not_show() {
        let mask = Mask::new(["s3cr3tvalue"].into_iter());
        for shift in 0..12 {
            let text = format!("{}{}", "é".repeat(shift), "s3cr3tvalue ".repeat(3 * LONGEST / 12));
            let mut stream = mask.stream();
            let mut shown: String = text.as_bytes().chunks(LONGEST).map(|piece| stream.take(piece)).collect();
            shown += &stream.rest();
            assert!(!shown.contains("s3cr") && !shown.contains("value"), "shift {shift}");
            assert_eq!(shown.matches("***").count(), 3 * LONGEST / 12, "shift {shift}");
        }
        assert_eq!(Mask::default().stream().take(&vec![b'a'; LONGEST]).len(), LONGEST);
        // One that another begins with, right before the cut.
        let mask = Mask::new(["token", "token-long"].into_iter());
        let mut stream = mask.stream();
        let piece = "a".repeat(LONGEST - 5) + "token";
        let shown = stream.take(piece.as_bytes()) + &stream.take(b"-long\n");
        assert!(shown.ends_with("a***\n"), "{}", &shown[LONGEST - 10..]);
    }
}
