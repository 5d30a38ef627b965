//! One spelling for each number: `3` for `3.0`, `+3`, `03` and `3e0`, so that values are one where the numbers are one.
//!
//! Whole numbers are taken digit by digit, since a key may have more of them than a float holds; what has a fraction is the
//! float that is next to it, as in JSON and Parquet.

use std::borrow::Cow;

use super::Cell;
use super::cell::number;

/// So many digits with a point among them are those that a float of theirs is written with.
const EXACT: usize = 15;
/// A longer row of digits may be more than a float holds, which is no number here.
const LONGEST: usize = 300;

/// Returns how the number is written here; none where a text is no number.
pub(super) fn numeral(text: &str) -> Option<Cow<'_, str>> {
    if is_settled(text) {
        return Some(Cow::Borrowed(text));
    }
    let number = number(text)?;
    Some(Cow::Owned(whole(text).unwrap_or_else(|| float(number))))
}

/// Returns how a float is written here; there is one zero.
pub(super) fn float(number: f64) -> String {
    (number + 0.0).to_string()
}

/// Returns the values of a column in their one spelling where it is a column of numbers: each is one, or a word for a missing
/// value.
pub(crate) fn respelt(values: &[String]) -> Option<Vec<String>> {
    let mut numbers = false;
    for value in values {
        let is_number = numeral(value).is_some();
        if !is_number && !Cell::Field(value).is_missing() {
            return None;
        }
        numbers |= is_number;
    }
    let settled = |value: &String| numeral(value).map_or_else(|| value.clone(), Cow::into_owned);
    numbers.then(|| values.iter().map(settled).collect())
}

/// Tells from a look that a text is the one spelling of its number; most are.
fn is_settled(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let point = memchr::memchr(b'.', digits);
    let (before, behind) = digits.split_at(point.unwrap_or(digits.len()));
    let all = |of: &[u8]| of.iter().all(u8::is_ascii_digit);
    let leads = match before {
        [] => false,
        [b'0'] => point.is_some() || digits.len() == text.len(),
        [first, ..] => *first != b'0',
    };
    match behind {
        [] => leads && before.len() <= LONGEST && all(before),
        [_, rest @ ..] => {
            let ends = rest.last().is_some_and(|last| *last != b'0');
            leads && ends && before.len() + rest.len() <= EXACT && all(before) && all(rest)
        }
    }
}

/// Writes the digits of a finite number that is whole as it stands.
fn whole(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (if text.starts_with('-') { "-" } else { "" }, rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{behind}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_matches('0');
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    // How many digits stand before the point; a finite number has no more than 309.
    let point = (before.len() as i64).checked_sub(leading as i64)?.checked_add(exponent)?;
    let point = usize::try_from(point).ok().filter(|point| (digits.len()..400).contains(point))?;
    Some(format!("{sign}{digits:0<point$}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for (one, spellings) in [
            ("0", &["0", "-0", "+0", "00", "0.0", "-0.0", "0.", ".0", "0e5", "0e99999999999999999999", "1e-400"][..]),
            ("1", &["1", "01", "+1", "1.0", "1.", "1e0", "10e-1", "0.1e1", "1.00000000000000000000001"]),
            ("-3", &["-3", "-03", "-3.0", "-30E-1"]),
            ("0.5", &["0.5", ".5", "0.50", "5e-1", "00.5", "+0.5"]),
            ("0.1", &["0.1", "0.1000000000000000055511151231257827"]),
            ("1200", &["1200", "1.2e3", "1200.000"]),
            ("9007199254740993", &["9007199254740993", "9007199254740993.0", "09007199254740993"]),
            ("9007199254740992", &["9007199254740992"]),
            ("100000000000000000000000", &["1e23", "100000000000000000000000"]),
        ] {
            for text in spellings {
                assert_eq!(numeral(text).as_deref(), Some(one), "{text}");
            }
        }
        for text in ["", "-", "+", ".", "-.", "e", "x", "1x", "1,5", "NA", "1e999", "--1", "1.2.3", "٣"] {
            assert_eq!(numeral(text), None, "{text}");
        }
        assert!(matches!(numeral("-17.25"), Some(Cow::Borrowed(_))), "most cells cost no memory");
        assert_eq!((float(-0.0), float(1e23)), ("0".to_owned(), "1".to_owned() + &"0".repeat(23)));
    }

    #[test]
    fn a_column_is_one_of_numbers_where_each_is_one() {
        let joined = |values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            respelt(&values).map(|values| values.join(" "))
        };
        assert_eq!(joined(&["1.0", "+2", "NA"]).as_deref(), Some("1 2 NA"));
        assert_eq!((joined(&["1.0", "+2", "x"]), joined(&["NA"])), (None, None));
    }

    proptest! {
        /// What a look takes for settled is what the long way comes to.
        #[test]
        fn a_look_agrees_with_the_long_way(text in "-?[0-9]{0,9}(\\.[0-9]{0,9})?") {
            prop_assume!(number(&text).is_some());
            let value = number(&text).expect("a number");
            let long = whole(&text).unwrap_or_else(|| float(value));
            prop_assert_eq!(numeral(&text).unwrap_or_default(), long.as_str());
            prop_assert_eq!(number(&long).map(|again| again == value), Some(true));
        }
    }
}
