//! One value of a table, and what counts as a null, a number, a time.
//!
//! A CSV field has no type of its own. Empty is null in every column; in a column of numbers, truth values or times the
//! words that pandas, R and databases write for a missing value are null too, and in a column of texts they are texts.

use std::borrow::Cow;

use super::numeral;

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A field of a CSV file: any type, as written.
    Field(&'a str),
    /// A text that is one.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// A number; NaN is a null.
    Float(f64),
    /// A decimal number, as written: it may have more digits than a float.
    Decimal(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// A point in time.
    Time(&'a str),
}

/// The words for a missing value in columns that are not of texts.
const MISSING: [&str; 8] = ["NA", "N/A", "NaN", "nan", "NULL", "null", "None", "#N/A"];

impl<'a> Cell<'a> {
    /// Tells whether it is null in any column.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Field(text) => text.is_empty(),
            Self::Float(number) => number.is_nan(),
            _ => false,
        }
    }

    /// Tells whether it is null in a column that is not of texts.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.is_null()
            || matches!(self, Self::Field(text) if text.starts_with(['N', 'n', '#']) && MISSING.contains(text))
    }

    /// Returns it as a finite number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number).filter(|number| number.is_finite()),
            Self::Field(text) | Self::Decimal(text) => number(text),
            _ => None,
        }
    }

    /// Returns the one spelling of the number that it is.
    #[must_use]
    pub fn numeral(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Float(number) if number.is_finite() => Some(Cow::Owned(numeral::float(*number))),
            Self::Field(text) | Self::Decimal(text) => numeral::numeral(text),
            _ => None,
        }
    }

    /// Tells whether it is a whole number; `3.0` is one, since that is how a column with nulls writes it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Int(_)) || self.number().is_some_and(|number| number.fract() == 0.0)
    }

    /// Returns it as a truth value.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Field("true" | "True" | "TRUE") => Some(true),
            Self::Field("false" | "False" | "FALSE") => Some(false),
            _ => None,
        }
    }

    /// Tells whether it is a date, or a date and a time (RFC 3339, or with a space and without a zone).
    #[must_use]
    pub fn is_time(&self) -> bool {
        match self {
            Self::Time(_) => true,
            Self::Field(text) | Self::Text(text) => {
                text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
            }
            _ => false,
        }
    }

    /// Returns what tells it from other values of a column that is not of texts: the same for `3` and `3.0`, for `true` and
    /// `True`.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        match self.truth() {
            Some(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
            None => self.numeral().unwrap_or_else(|| self.text()),
        }
    }

    /// Tells whether it may stand in a column of texts.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Field(_) | Self::Text(_) | Self::Time(_))
    }

    /// Returns it as text: what a category is called.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Field(text) | Self::Text(text) | Self::Time(text) | Self::Decimal(text) => Cow::Borrowed(text),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(number.to_string()),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        }
    }
}

/// Reads a decimal number; words that Rust takes for numbers (`inf`, `nan`) are none, and neither is what no f64 holds.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    if !plain {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_missing_value_is_a_text_among_texts() {
        assert!(Cell::Field("").is_null() && !Cell::Field("NA").is_null() && Cell::Field("NA").is_missing());
        assert!(!Cell::Text("").is_null() && !Cell::Text("NA").is_missing(), "JSON says null where it means null");
        assert!(Cell::Float(f64::NAN).is_null());
    }

    #[test]
    fn numbers_are_decimal_and_finite() {
        assert_eq!(Cell::Field("-1.5e3").number(), Some(-1500.0));
        for text in ["inf", "nan", "1e999", "1,5", " 1", "0x10", "1_000", "", "-", "."] {
            assert_eq!(Cell::Field(text).number(), None, "{text}");
        }
        assert!(Cell::Field("3.0").is_whole() && !Cell::Field("3.5").is_whole());
        assert!(Cell::Field("2026-02-03").is_time() && Cell::Field("2026-02-03 04:05:06").is_time());
        assert!(Cell::Field("2026-02-03T04:05:06Z").is_time() && !Cell::Field("03.02.2026").is_time());
    }
}
