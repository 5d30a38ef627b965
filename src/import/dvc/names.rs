//! Names of the language out of names of other kinds.

use std::collections::BTreeSet;

const RESERVED: [&str; 5] = ["true", "false", "and", "or", "not"];

/// Makes a word of the language: lower case, digits and `_`, a letter first.
pub(super) fn word(text: &str) -> String {
    let mut made = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            made.push(c.to_ascii_lowercase());
        } else if !made.ends_with('_') {
            made.push('_');
        }
    }
    let made = made.trim_matches('_');
    match made.bytes().next() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{made}"),
        _ if RESERVED.contains(&made) => format!("{made}_"),
        _ => made.to_owned(),
    }
}

/// Names that are taken.
#[derive(Debug, Default, Clone)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    /// Takes the first of the candidates that is free, else numbers the last one.
    pub(super) fn take<'c>(&mut self, candidates: impl IntoIterator<Item = &'c str>) -> String {
        let mut last = String::new();
        for candidate in candidates {
            last = word(candidate);
            if self.0.insert(last.clone()) {
                return last;
            }
        }
        let mut number = 2;
        loop {
            let numbered = format!("{last}_{number}");
            if self.0.insert(numbered.clone()) {
                return numbered;
            }
            number += 1;
        }
    }
}

/// Makes names for a path, the shortest first: `train`, `train_csv`, `raw_train_csv`.
pub(super) fn of_path(path: &str) -> Vec<String> {
    let name = super::path::name(path);
    let mut names = vec![super::path::stem(path).to_owned(), name.to_owned()];
    let mut folder = super::path::parent(path);
    let mut long = name.to_owned();
    while !folder.is_empty() {
        long = format!("{}_{long}", super::path::name(folder));
        names.push(long.clone());
        folder = super::path::parent(folder);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_names_of_the_language() {
        let made = ["train", "Train-Model@us", "2019", "not", "é", "a.b__c"].map(word);
        assert_eq!(made, ["train", "train_model_us", "n2019", "not_", "unnamed", "a_b_c"]);
    }

    #[test]
    fn the_first_free_name_is_taken_and_then_numbered() {
        let mut taken = Taken::default();
        let names = of_path("raw/train.csv");
        let made: Vec<_> = (0..5).map(|_| taken.take(names.iter().map(String::as_str))).collect();
        assert_eq!(made, ["train", "train_csv", "raw_train_csv", "raw_train_csv_2", "raw_train_csv_3"]);
    }
}
