//! Values as they are before and in a run, and how they are written as text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value of the language. Durations are nanoseconds, sizes bytes, ratios shares (`2%` is 0.02).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing: an optional that is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite f64.
    Float(f64),
    /// A share; 1 is 100 %.
    Ratio(f64),
    /// A time span in nanoseconds.
    Duration(i64),
    /// A size in bytes.
    Bytes(u64),
    /// A text.
    String(String),
    /// Values of one type.
    List(Vec<Value>),
    /// Named values in the order written.
    Record(Vec<(String, Value)>),
}

impl Value {
    /// Returns the number that a comparison uses: plain numbers and shares as they are, durations in nanoseconds,
    /// sizes in bytes; `None` for what is no number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Int(number) => Some(number as f64),
            Self::Float(number) | Self::Ratio(number) => Some(number),
            Self::Duration(nanoseconds) => Some(nanoseconds as f64),
            Self::Bytes(bytes) => Some(bytes as f64),
            _ => None,
        }
    }
}

/// Writes the text that a script or an argument gets: no quotes, numbers so that they read back exactly, a list
/// with one element a line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) | Self::Ratio(value) => write!(f, "{value}"),
            Self::Duration(nanoseconds) => f.write_str(&duration_text(*nanoseconds)),
            Self::Bytes(bytes) => f.write_str(&size_text(*bytes)),
            Self::String(text) => f.write_str(text),
            Self::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Self::Record(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name}={value}", if index == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
        }
    }
}

/// Writes a duration in the largest unit of the language that gives a whole number: `90m`, `4h`, `50ms`.
#[must_use]
pub fn duration_text(nanoseconds: i64) -> String {
    const UNITS: [(i64, &str); 7] = [
        (604_800_000_000_000, "w"),
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    match UNITS.iter().find(|(size, _)| nanoseconds != 0 && nanoseconds % size == 0) {
        Some((size, unit)) => format!("{}{unit}", nanoseconds / size),
        None if nanoseconds == 0 => "0s".to_owned(),
        None => format!("{nanoseconds}ns"),
    }
}

/// Writes a size in the largest unit of the language that gives a whole number: `16GiB`, `500MB`, `17B`.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 8] = [
        (1 << 40, "TiB"),
        (1_000_000_000_000, "TB"),
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1_000, "kB"),
    ];
    match UNITS.iter().find(|(size, _)| bytes != 0 && bytes.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_written_in_their_largest_whole_unit() {
        assert_eq!(duration_text(5_400_000_000_000), "90m");
        assert_eq!(duration_text(50_000_000), "50ms");
        assert_eq!(duration_text(0), "0s");
        assert_eq!(size_text(16 << 30), "16GiB");
        assert_eq!(size_text(500_000_000), "500MB");
        assert_eq!(size_text(17), "17B");
    }

    #[test]
    fn floats_read_back_exactly() {
        assert_eq!(Value::Float(0.1 + 0.2).to_string().parse(), Ok(0.1 + 0.2));
    }
}
