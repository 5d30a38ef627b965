//! What a written number is worth. A unit shifts the decimal text before it is parsed, so that `2.9%` is the
//! f64 nearest to 0.029. Pure text to value; knows nothing of the tree.

use std::fmt::Write as _;

use serde::Serialize;

/// The value of a written number, by the family of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum NumberValue {
    /// No unit, no fraction, no exponent.
    Int(i64),
    /// No unit, with fraction or exponent.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(u64),
    /// `%`, as the ratio: `5%` is 0.05.
    Ratio(f64),
    /// `x`: `0.5x` is 0.5.
    Times(f64),
}

/// Why a written number has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// The digits are not `12`, `1_000`, `0.5` or `1e-4`.
    Malformed,
    /// The word glued to the digits is no unit.
    UnknownUnit,
    /// Too large for its family.
    TooLarge,
    /// It is not zero, and nearer to zero than any number that there is.
    TooSmall,
    /// Not a whole number of nanoseconds or bytes.
    NotWhole,
}

/// Units with what one of them is worth in nanoseconds.
const DURATIONS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Units with what one of them is worth in bytes.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Returns every unit that can be glued to a number.
pub fn units() -> impl Iterator<Item = &'static str> {
    DURATIONS.iter().chain(&SIZES).map(|&(unit, _)| unit).chain(["%", "x"])
}

/// Splits a written number into digits and unit. An `e` belongs to the digits where an exponent follows it.
#[must_use]
pub fn split(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while at < bytes.len() {
        let goes_on = match bytes[at] {
            b'0'..=b'9' | b'_' | b'.' => true,
            b'e' | b'E' => digit(at + 1) || (matches!(bytes.get(at + 1), Some(b'+' | b'-')) && digit(at + 2)),
            b'+' | b'-' => matches!(bytes[at - usize::from(at > 0)], b'e' | b'E'),
            _ => false,
        };
        if !goes_on {
            break;
        }
        at += 1;
    }
    text.split_at(at)
}

/// Returns the value of a number as written, such as `1_000`, `1e-4`, `2.9%`, `16GiB`.
pub fn value(text: &str) -> Result<NumberValue, NumberError> {
    let (digits, unit) = split(text);
    let decimal = Decimal::read(digits).ok_or(NumberError::Malformed)?;
    if let Some((_, factor)) = DURATIONS.iter().find(|(name, _)| *name == unit) {
        let ns = decimal.times(*factor)?;
        return i64::try_from(ns).map(NumberValue::Duration).map_err(|_| NumberError::TooLarge);
    }
    if let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) {
        return decimal.times(*factor).map(NumberValue::Size);
    }
    match unit {
        "" if decimal.whole => decimal.mantissa.parse().map(NumberValue::Int).map_err(|_| NumberError::TooLarge),
        "" => decimal.float(0).map(NumberValue::Float),
        "%" => decimal.float(-2).map(NumberValue::Ratio),
        "x" => decimal.float(0).map(NumberValue::Times),
        _ => Err(NumberError::UnknownUnit),
    }
}

/// Digits and a power of ten, not yet rounded to anything.
struct Decimal {
    mantissa: String,
    exponent: i32,
    whole: bool,
}

impl Decimal {
    fn read(digits: &str) -> Option<Self> {
        let (body, exponent) = match digits.find(['e', 'E']) {
            Some(at) => (&digits[..at], Some(&digits[at + 1..])),
            None => (digits, None),
        };
        let (before, behind) = match body.split_once('.') {
            Some((before, behind)) => (before, Some(behind)),
            None => (body, None),
        };
        let grouped = |part: &str| {
            !part.starts_with('_')
                && !part.ends_with('_')
                && !part.contains("__")
                && part.bytes().any(|byte| byte.is_ascii_digit())
                && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        };
        if !grouped(before) || behind.is_some_and(|part| !grouped(part)) {
            return None;
        }
        let behind = behind.unwrap_or_default();
        let mantissa: String = before.chars().chain(behind.chars()).filter(|&c| c != '_').collect();
        let fraction = behind.bytes().filter(u8::is_ascii_digit).count();
        let written: i32 = exponent.map_or(Some(0), |text| text.parse().ok())?;
        Some(Self {
            mantissa,
            exponent: written.checked_sub(i32::try_from(fraction).ok()?)?,
            whole: exponent.is_none() && fraction == 0,
        })
    }

    fn float(&self, shift: i32) -> Result<f64, NumberError> {
        let mut text = self.mantissa.clone();
        let exponent = self.exponent.checked_add(shift).ok_or(NumberError::TooLarge)?;
        write!(text, "e{exponent}").map_err(|_| NumberError::Malformed)?;
        let value: f64 = text.parse().map_err(|_| NumberError::Malformed)?;
        let is_nothing = self.mantissa.bytes().all(|digit| digit == b'0');
        match value {
            _ if !value.is_finite() => Err(NumberError::TooLarge),
            0.0 if !is_nothing => Err(NumberError::TooSmall),
            _ => Ok(value),
        }
    }

    /// Multiplies without rounding; what is left must be whole.
    fn times(&self, factor: u64) -> Result<u64, NumberError> {
        let digits = self.mantissa.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(0);
        }
        let trimmed = digits.trim_end_matches('0');
        let exponent = i64::from(self.exponent) + (digits.len() - trimmed.len()) as i64;
        if trimmed.len() > 19 {
            return Err(if exponent < 0 { NumberError::NotWhole } else { NumberError::TooLarge });
        }
        let mut value = trimmed.parse::<u128>().map_err(|_| NumberError::TooLarge)? * u128::from(factor);
        for _ in 0..exponent.clamp(0, 40) {
            value = value.checked_mul(10).ok_or(NumberError::TooLarge)?;
        }
        for _ in 0..(-exponent).clamp(0, 60) {
            if value % 10 != 0 {
                return Err(NumberError::NotWhole);
            }
            value /= 10;
        }
        u64::try_from(value).map_err(|_| NumberError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_shifts_the_decimal_text() {
        assert_eq!(value("2.9%"), Ok(NumberValue::Ratio(0.029)));
        assert_eq!(value("80%"), Ok(NumberValue::Ratio(0.8)));
        assert_eq!(value("1e-4%"), Ok(NumberValue::Ratio(1e-6)));
        assert_eq!(value("0.5x"), Ok(NumberValue::Times(0.5)));
        assert_eq!(value("0.1s"), Ok(NumberValue::Duration(100_000_000)));
        assert_eq!(value("1_000.5us"), Ok(NumberValue::Duration(1_000_500)));
        assert_eq!(value("4h"), Ok(NumberValue::Duration(14_400_000_000_000)));
        assert_eq!(value("16GiB"), Ok(NumberValue::Size(16 << 30)));
        assert_eq!(value("1.5KiB"), Ok(NumberValue::Size(1536)));
        assert_eq!(value("1e3MB"), Ok(NumberValue::Size(1_000_000_000)));
    }

    #[test]
    fn plain_numbers_are_ints_or_floats_by_how_they_are_written() {
        assert_eq!(value("1_000"), Ok(NumberValue::Int(1000)));
        assert_eq!(value("9223372036854775807"), Ok(NumberValue::Int(i64::MAX)));
        assert_eq!(value("1.0"), Ok(NumberValue::Float(1.0)));
        assert_eq!(value("1e6"), Ok(NumberValue::Float(1e6)));
        assert_eq!(value("1e-4"), Ok(NumberValue::Float(1e-4)));
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_never_rounded() {
        assert_eq!(value("9223372036854775808"), Err(NumberError::TooLarge));
        assert_eq!(value("1e400"), Err(NumberError::TooLarge));
        assert_eq!(value("1e-999"), Err(NumberError::TooSmall));
        assert_eq!(value("0.0e-999"), Ok(NumberValue::Float(0.0)));
        assert_eq!(value("1e999999999999"), Err(NumberError::Malformed));
        assert_eq!(value("1e2147483647%"), Err(NumberError::TooLarge));
        assert_eq!(value("300000w"), Err(NumberError::TooLarge));
        assert_eq!(value("0.5ns"), Err(NumberError::NotWhole));
        assert_eq!(value("0.3KiB"), Err(NumberError::NotWhole));
        assert_eq!(value("1e-300B"), Err(NumberError::NotWhole));
        assert_eq!(value("1__0"), Err(NumberError::Malformed));
        assert_eq!(value("1_.5"), Err(NumberError::Malformed));
        assert_eq!(value("1."), Err(NumberError::Malformed));
        assert_eq!(value("3y"), Err(NumberError::UnknownUnit));
        assert_eq!(value("3e"), Err(NumberError::UnknownUnit));
        assert_eq!(value(""), Err(NumberError::Malformed));
    }
}
