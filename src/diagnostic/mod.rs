//! Diagnostics as values: code, severity, message, labelled places, help and, where it is certain, a fix.
//!
//! Passes collect them; the edge sorts and renders them. Nothing here prints.

pub mod catalogue;
pub mod edits;

use serde::Serialize;

pub use catalogue::{Code, codes};

use crate::source::Span;

/// How bad it is. Errors stop what follows; warnings and notes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pipeline is wrong.
    Error,
    /// The pipeline works, but probably not as meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// A place in the source with what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What stands under the place; may be empty.
    pub text: String,
}

/// A replacement that is certain to be what the author wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// One thing to say to the author of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of thing it is; has a page in the book.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, no final period, user text in backticks.
    pub message: String,
    /// Where it is wrong; the first is the primary place.
    pub labels: Vec<Label>,
    /// The way out: imperative and concrete.
    pub help: Option<String>,
    /// The way out as an edit, where it is certain.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// Makes a diagnostic with the severity of its code's row and one place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            help: None,
            fix: None,
        }
    }

    /// Sets the text that stands under the primary place.
    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        self.labels[0].text = text.into();
        self
    }

    /// Adds a second place, such as "first declared here".
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets the way out.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Sets the edit that mends it.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// Sets the edit that writes `near` for `word`, unless another of `names` is as near, or the two may as well be two things: then
    /// nothing is certain.
    #[must_use]
    pub fn fix_near<'n>(self, span: Span, word: &str, near: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        let distance = strsim::damerau_levenshtein(word, near);
        let rival = |name: &str| name != near && strsim::damerau_levenshtein(word, name) <= distance;
        if !is_slip(word, near) || names.into_iter().any(rival) { self } else { self.fix(span, near) }
    }

    /// Returns the primary place.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels[0].span
    }

    /// Tells whether this stops what follows.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts by position, then severity, then code, and drops exact duplicates.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.span().file, d.span().start, d.severity, d.code.name(), d.span().end);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
}

/// Tells whether a word is surely another one miswritten. `us` and `eu`, `prod1` and `prod2` are near each other, and two things.
fn is_slip(word: &str, near: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    word.chars().count().min(near.chars().count()) >= 4 && letters(word) != letters(near)
}

/// Returns the nearest of `names` to `word`, if it is near enough to be a slip of the hand.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (word.chars().count() / 3).max(1);
    let length = word.chars().count();
    names
        .into_iter()
        // The distance is at least the difference in length, and costs more to compute.
        .filter(|name| name.chars().count().abs_diff(length) <= limit)
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|&(distance, name)| distance <= limit && name != word)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_takes_slips_and_leaves_strangers() {
        assert_eq!(nearest("evalute", ["train", "evaluate"]), Some("evaluate"));
        assert_eq!(nearest("foo", ["train", "evaluate"]), None);
    }

    #[test]
    fn two_things_are_no_slip_of_each_other() {
        for (word, near) in [("uk", "us"), ("prod2", "prod1"), ("m2", "m1"), ("b", "a"), ("v1_2", "v1_3")] {
            assert!(!is_slip(word, near), "{word}");
        }
        for (word, near) in [("evalute", "evaluate"), ("tarin", "train"), ("train_1", "trian_1")] {
            assert!(is_slip(word, near), "{word}");
        }
    }
}
