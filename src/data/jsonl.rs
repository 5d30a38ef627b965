//! JSON Lines: an object a line, all with the columns of the first; one that lacks a column has null there.

use std::io::{BufRead, BufReader, Read};

use serde::de::{Deserializer as _, MapAccess, Visitor};

use super::{Cell, Fold, Problem};

/// No line is longer than this.
const LONGEST: u64 = 64 << 20;

/// One line: names and values in the order written.
struct Object(Vec<(String, Scalar)>);

enum Scalar {
    Null,
    Text(String),
    Int(i64),
    Float(f64),
    /// More than an `i64` holds.
    Large(String),
    Bool(bool),
}

/// Reads a table.
pub(super) fn read<F: Fold>(
    input: &mut dyn Read,
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut bytes = Vec::new();
    let mut open: Option<(Vec<String>, F)> = None;
    let mut line = 0;
    loop {
        bytes.clear();
        let read = (&mut input).take(LONGEST).read_until(b'\n', &mut bytes);
        let read = read.map_err(|error| Problem::whole(format!("it can't be read: {error}")))?;
        if read == 0 {
            break;
        }
        line += 1;
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).filter(|_| line == 1).unwrap_or(&bytes).trim_ascii();
        if text.is_empty() {
            // At the end of the file an empty line is no row.
            let rest = input.fill_buf().map_err(|error| Problem::whole(format!("it can't be read: {error}")))?;
            if rest.is_empty() {
                break;
            }
            return Err(Problem::at(line, "an empty line"));
        }
        let text = std::str::from_utf8(text).map_err(|_| Problem::at(line, "not UTF-8"))?;
        let Object(fields) = object(text).map_err(|why| Problem::at(line, why))?;
        if open.is_none() {
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            super::check_names(&names)?;
            let fold = start(&names)?;
            open = Some((names, fold));
        }
        let Some((names, fold)) = &mut open else { continue };
        let mut cells = vec![Cell::Null; names.len()];
        for (index, (name, value)) in fields.iter().enumerate() {
            // As a rule a line has the first line's order.
            let place = if names.get(index) == Some(name) { Some(index) } else { names.iter().position(|n| n == name) };
            let Some(place) = place else {
                return Err(Problem::at(line, format!("`{name}` is no column of the first line")));
            };
            cells[place] = match value {
                Scalar::Null => Cell::Null,
                Scalar::Text(text) => Cell::Text(text),
                Scalar::Int(number) => Cell::Int(*number),
                Scalar::Float(number) => Cell::Float(*number),
                Scalar::Large(digits) => Cell::Decimal(digits),
                Scalar::Bool(value) => Cell::Bool(*value),
            };
        }
        fold.row(line, &cells)?;
    }
    match open {
        Some((_, fold)) => Ok(fold),
        None => Err(Problem::whole("the file is empty")),
    }
}

fn object(text: &str) -> Result<Object, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let object = reader.deserialize_map(Fields).map_err(|error| words(&error))?;
    reader.end().map_err(|error| words(&error))?;
    Ok(object)
}

/// Says what is wrong without the parser's own line, which is always the first.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
    format!("no JSON object of plain values, at column {}: {text}", error.column())
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut fields: Vec<(String, Scalar)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(serde::de::Error::custom(format!("`{name}` stands twice")));
            }
            let value = match value {
                serde_json::Value::Null => Scalar::Null,
                serde_json::Value::Bool(value) => Scalar::Bool(value),
                serde_json::Value::String(text) => Scalar::Text(text),
                serde_json::Value::Number(number) => match number.as_i64() {
                    Some(whole) => Scalar::Int(whole),
                    None if number.is_u64() => Scalar::Large(number.to_string()),
                    None => Scalar::Float(number.as_f64().unwrap_or(f64::NAN)),
                },
                _ => return Err(serde::de::Error::custom(format!("`{name}` holds no plain value"))),
            };
            fields.push((name, value));
        }
        Ok(Object(fields))
    }
}
