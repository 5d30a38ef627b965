//! One number out of a file of metrics, or one plain sentence why there is none; and numbers as text that reads back.

use serde::{Deserialize, Serialize};

use super::json::Json;
use super::kinds::metric_range;
use crate::diagnostic::nearest;
use crate::types::{Metric, Range, Type, size_text};

/// Reads a metric in the base unit of its type.
pub(super) fn read(document: &Json, metric: &Metric, path: &str) -> Result<f64, String> {
    let (name, pointer) = (&metric.name, metric.pointer());
    let place = format!("`{path}` at `{pointer}`");
    let text = match document.at(&pointer) {
        Some(Json::Number(text)) => text,
        Some(other) => return Err(format!("`{name}` is {}, not a number, in {place}", other.kind())),
        None => return Err(missing(document, name, &pointer, path)),
    };
    let value = scaled(text, metric.scale.unwrap_or(1.0));
    if !value.is_finite() {
        return Err(format!("`{name}` is `{text}` in {place}, more than a number can hold"));
    }
    if matches!(metric.ty, Type::Int(_) | Type::Bytes) && value.fract() != 0.0 {
        return Err(format!("`{name}` is `{text}` in {place}, but its type is `{}`: a whole number", metric.ty));
    }
    let range = metric_range(&metric.ty);
    if !range.holds(value) {
        let hint = match metric.ty {
            Type::Ratio(_) if range.high.is_some_and(|high| high.at == 1.0) && value > 1.0 => {
                "; a ratio is a share, where 1 is 100 %"
            }
            _ => "",
        };
        let range = range_text(&metric.ty, &range);
        return Err(format!("`{name}` is `{text}` in {place}, outside its range `{range}`{hint}"));
    }
    Ok(value)
}

fn missing(document: &Json, name: &str, pointer: &str, path: &str) -> String {
    let names = match document {
        Json::Object(fields) => fields.iter().map(|(name, _)| name.as_str()).collect(),
        other => {
            return format!("`{name}` is missing: `{path}` holds {}, with nothing at `{pointer}`", other.kind());
        }
    };
    let names: Vec<&str> = names;
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("`{name}` is missing: `{path}` has nothing at `{pointer}`, but it has `{near}`"),
        None => format!("`{name}` is missing: `{path}` has nothing at `{pointer}`"),
    }
}

/// Multiplies a decimal text. A power of ten moves the decimal point of the text, so that `50.1` ms are the f64
/// nearest to 50100000 ns and equality means what it says.
fn scaled(text: &str, scale: f64) -> f64 {
    let power = scale.log10().round() as i32;
    if (-18..=18).contains(&power) && format!("1e{power}").parse() == Ok(scale) {
        return shifted(text, power).parse().unwrap_or(f64::NAN);
    }
    text.parse::<f64>().unwrap_or(f64::NAN) * scale
}

fn shifted(text: &str, power: i32) -> String {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) => format!("{mantissa}e{}", exponent.saturating_add(power)),
        // So large an exponent is beyond every f64, whichever way.
        Err(_) => text.to_owned(),
    }
}

/// What a number in a report is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nothing.
    Number,
    /// Whole things.
    Count,
    /// Parts of a whole; 1 is 100 %.
    Share,
    /// Nanoseconds.
    Ns,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// Returns the base unit of a type.
    #[must_use]
    pub fn of(ty: &Type) -> Self {
        match ty {
            Type::Int(_) => Self::Count,
            Type::Ratio(_) => Self::Share,
            Type::Duration => Self::Ns,
            Type::Bytes => Self::Bytes,
            _ => Self::Number,
        }
    }
}

/// Writes a number so that it reads back exactly: durations and sizes in a unit that suits them.
#[must_use]
pub fn number_text(unit: Unit, value: f64) -> String {
    match unit {
        // Beyond any time there is, digits say nothing.
        Unit::Ns if value.abs() >= 1e24 => format!("{:e}s", value / 1e9),
        Unit::Ns => {
            const UNITS: [(f64, usize, &str); 4] = [(1e9, 9, "s"), (1e6, 6, "ms"), (1e3, 3, "us"), (1.0, 0, "ns")];
            let (_, places, unit) = UNITS.iter().find(|(size, ..)| value.abs() >= *size).unwrap_or(&UNITS[3]);
            format!("{}{unit}", point_left(value, *places))
        }
        Unit::Bytes if value.fract() == 0.0 && value.abs() < 9e15 => {
            format!("{}{}", if value < 0.0 { "-" } else { "" }, size_text(value.abs() as u64))
        }
        Unit::Bytes => format!("{value}B"),
        _ if value != 0.0 && (value.abs() < 1e-6 || value.abs() >= 1e15) => format!("{value:e}"),
        _ => format!("{value}"),
    }
}

/// Writes by how much a number moved, with its sign and without the digits that a subtraction of floats leaves behind.
#[must_use]
pub fn change_text(unit: Unit, by: f64) -> String {
    let round = format!("{by:.8e}").parse().unwrap_or(by);
    format!("{}{}", if by > 0.0 { "+" } else { "" }, number_text(unit, round))
}

/// Moves the decimal point to the left in the text of a number: exact, which a division is not.
fn point_left(value: f64, places: usize) -> String {
    let text = format!("{}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let padded = format!("{whole:0>width$}", width = places + 1);
    let (left, right) = padded.split_at(padded.len() - places);
    let right = format!("{right}{fraction}");
    let right = right.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    if right.is_empty() { format!("{sign}{left}") } else { format!("{sign}{left}.{right}") }
}

fn range_text(ty: &Type, range: &Range) -> String {
    match ty {
        Type::Duration => "0s..".to_owned(),
        Type::Bytes => "0B..".to_owned(),
        _ => range.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::json::parse;
    use crate::types::{Bound, Direction};

    fn metric(ty: Type) -> Metric {
        Metric { name: "m".into(), ty, direction: Some(Direction::Higher), from: None, scale: None, n: None }
    }

    fn read_text(text: &str, metric: &Metric) -> Result<f64, String> {
        read(&parse(text.as_bytes()).expect("JSON"), metric, "out/m.json")
    }

    fn refused(text: &str, ty: Type) -> String {
        read_text(text, &metric(ty)).expect_err(text)
    }

    #[test]
    fn everything_but_a_finite_number_has_its_own_sentence() {
        let float = || Type::Float(Range::ANY);
        assert_eq!(refused("{\"m\": \"0.9\"}", float()), "`m` is a string, not a number, in `out/m.json` at `/m`");
        assert_eq!(refused("{\"m\": NaN}", float()), "`m` is NaN, not a number, in `out/m.json` at `/m`");
        assert_eq!(refused("{\"m\": -Infinity}", float()), "`m` is -Infinity, not a number, in `out/m.json` at `/m`");
        assert_eq!(refused("{\"m\": true}", float()), "`m` is a boolean, not a number, in `out/m.json` at `/m`");
        assert_eq!(refused("{\"m\": null}", float()), "`m` is null, not a number, in `out/m.json` at `/m`");
        assert_eq!(refused("{\"m\": [0.9]}", float()), "`m` is a list, not a number, in `out/m.json` at `/m`");
        assert_eq!(
            refused("{\"m\": 1e400}", float()),
            "`m` is `1e400` in `out/m.json` at `/m`, more than a number can hold"
        );
        assert_eq!(refused("{}", float()), "`m` is missing: `out/m.json` has nothing at `/m`");
        assert_eq!(refused("0.9", float()), "`m` is missing: `out/m.json` holds a number, with nothing at `/m`");
    }

    #[test]
    fn a_renamed_metric_is_missing_and_its_near_name_is_told() {
        let auc = Metric { name: "auc_roc".into(), ..metric(Type::Ratio(Range::ANY)) };
        let said = read_text("{\"roc_auc\": 1, \"auc_rok\": 0.9}", &auc).expect_err("renamed");
        assert_eq!(said, "`auc_roc` is missing: `out/m.json` has nothing at `/auc_roc`, but it has `auc_rok`");
    }

    #[test]
    fn a_ratio_is_a_share_unless_its_range_says_otherwise() {
        assert_eq!(read_text("{\"m\": 1}", &metric(Type::Ratio(Range::ANY))), Ok(1.0));
        let said = refused("{\"m\": 97.3}", Type::Ratio(Range::ANY));
        assert!(said.contains("outside its range `0..1`; a ratio is a share"), "{said}");
        assert!(refused("{\"m\": -0.1}", Type::Ratio(Range::ANY)).ends_with("outside its range `0..1`"));
        let wide = Range { low: None, high: Some(Bound { at: 3.0, open: false }) };
        assert_eq!(read_text("{\"m\": 2.5}", &metric(Type::Ratio(wide))), Ok(2.5));
    }

    #[test]
    fn durations_and_sizes_are_not_negative_and_whole_numbers_are_whole() {
        let said = refused("{\"m\": -1}", Type::Duration);
        assert!(said.ends_with("outside its range `0s..`"), "{said}");
        assert!(refused("{\"m\": 1.5}", Type::Bytes).contains("a whole number"));
        assert!(refused("{\"m\": 1.5}", Type::Int(Range::ANY)).contains("a whole number"));
        assert_eq!(read_text("{\"m\": 2.0}", &metric(Type::Int(Range::ANY))), Ok(2.0));
    }

    #[test]
    fn units_move_the_decimal_point_of_the_text() {
        let ms = |scale| Metric { scale: Some(scale), ..metric(Type::Duration) };
        assert_eq!(read_text("{\"m\": 50}", &ms(1e6)), Ok(50_000_000.0));
        // 1.1 × 1e6 as floating point is 1100000.0000000002 ns.
        assert_eq!(read_text("{\"m\": 1.1}", &ms(1e6)), Ok(1_100_000.0));
        assert_eq!(read_text("{\"m\": 1.1e1}", &ms(1e6)), Ok(11_000_000.0));
        assert_eq!(read_text("{\"m\": 2}", &ms(60e9)), Ok(120e9));
        let share = Metric { scale: Some(0.01), ..metric(Type::Ratio(Range::ANY)) };
        assert_eq!(read_text("{\"m\": 2.9}", &share), Ok(0.029));
    }

    #[test]
    fn texts_read_back_exactly() {
        for value in [45_200_000.0, 45_200_000.125, 1_500_000_000.0, 999.0, 0.0, -2_000_000.0, 61e9] {
            let text = number_text(Unit::Ns, value);
            let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
            let power = match &text[digits.len()..] {
                "s" => 9,
                "ms" => 6,
                "us" => 3,
                _ => 0,
            };
            assert_eq!(shifted(digits, power).parse(), Ok(value), "{text}");
        }
        assert_eq!(number_text(Unit::Ns, 45_200_000.0), "45.2ms");
        assert_eq!(number_text(Unit::Bytes, 500e6), "500MB");
        assert_eq!(number_text(Unit::Share, 0.1 + 0.2), "0.30000000000000004");
        assert_eq!(number_text(Unit::Number, 1e-9), "1e-9");
    }
}
