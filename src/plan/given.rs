//! Values that a person types, or finds in a form: the text of `--set epochs=5` as a value of the parameter's type, and back.

use super::strict;
use crate::syntax::number::{NumberValue, value as number};
use crate::types::{Misfit, Type, Value};

/// Reads a text as a value of a type, or says in words why it is none.
pub(super) fn read(ty: &Type, text: &str) -> Result<Value, String> {
    let value = match ty {
        Type::String | Type::Enum(_) | Type::Timestamp => Some(Value::String(text.to_owned())),
        Type::Bool => text.parse().ok().map(Value::Bool),
        Type::Optional(inner) => {
            return if text.is_empty() { Ok(Value::Null) } else { read(inner, text) };
        }
        Type::List(_) | Type::Record(_) => {
            let json = strict::json(text)
                .map_err(|error| format!("`{text}` is no JSON, as which a value of `{ty}` is given: {error}"))?;
            return typed(ty, &json);
        }
        Type::Artifact(_) => None,
        Type::Int(_) | Type::Float(_) | Type::Ratio(_) | Type::Duration | Type::Bytes => read_number(text),
    };
    value.ok_or(Misfit::Kind).and_then(|value| ty.fit(&value)).map_err(|misfit| refusal(ty, text, misfit))
}

/// Writes a value as the text that [`read`] reads as the same one: lists and records in JSON, the rest as a person types it.
#[must_use]
pub fn written(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Record(_) => json(value).to_string(),
        // With an exponent where it is long: all its digits would be a whole number that is too large.
        Value::Float(number) | Value::Ratio(number) => format!("{number:?}"),
        other => other.to_string(),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) | Value::Ratio(number) => (*number).into(),
        Value::Duration(_) | Value::Bytes(_) => value.to_string().into(),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Record(fields) => fields.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
    }
}

/// Reads what stands in a JSON or YAML file as a value of a type, or says in words why it is none. A duration or size
/// is a text with its unit there, since a bare number has none; a share may be one too.
pub fn typed(ty: &Type, json: &serde_json::Value) -> Result<Value, String> {
    use serde_json::Value as Json;
    let refused = |misfit| refusal(ty, &json.to_string(), misfit);
    match (ty, json) {
        (Type::Optional(_), Json::Null) => Ok(Value::Null),
        (Type::Optional(inner), json) => typed(inner, json),
        (Type::Duration | Type::Bytes | Type::Ratio(_), Json::String(text)) => read(ty, text),
        (Type::List(element), Json::Array(items)) => {
            items.iter().map(|item| typed(element, item)).collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Record(types), Json::Object(fields)) => {
            if let Some(extra) = fields.keys().find(|key| types.iter().all(|(name, _)| name != *key)) {
                return Err(format!("`{extra}` is no field of `{ty}`"));
            }
            let absent = Json::Null;
            let field = |(name, ty): &(String, Type)| {
                let json = fields.get(name).unwrap_or(&absent);
                typed(ty, json).map(|value| (name.clone(), value)).map_err(|why| format!("`{name}`: {why}"))
            };
            types.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
        }
        _ => from_json(json).ok_or(Misfit::Kind).and_then(|value| ty.fit(&value)).map_err(refused),
    }
}

/// Checks a value that is one already.
pub(super) fn check(ty: &Type, value: &Value) -> Result<Value, String> {
    ty.fit(value).map_err(|misfit| refusal(ty, &value.to_string(), misfit))
}

fn refusal(ty: &Type, text: &str, misfit: Misfit) -> String {
    match (misfit, ty) {
        (misfit, Type::Optional(inner)) => refusal(inner, text, misfit),
        (Misfit::Range, Type::Ratio(range)) => {
            let bare = text.parse::<f64>().ok().filter(|number| *number > 1.0);
            let range = range.of_ratio();
            match bare.filter(|number| range.holds(number / 100.0)) {
                Some(_) => format!("`{text}` is not in the range of `{ty}`, where 1 is 100 %; write `{text}%`"),
                None => format!("`{text}` is not in the range of `ratio in {range}`"),
            }
        }
        (Misfit::Range, Type::Enum(_)) => format!("`{text}` is none of {ty}"),
        (Misfit::Range, _) => format!("`{text}` is not in the range of `{ty}`"),
        (Misfit::Kind, _) => format!("`{text}` is no value of `{ty}`"),
    }
}

fn read_number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = match number(digits).ok()? {
        NumberValue::Int(number) => Value::Int(number),
        NumberValue::Float(number) => Value::Float(number),
        NumberValue::Duration(number) => Value::Duration(number),
        NumberValue::Size(number) => Value::Bytes(number),
        NumberValue::Ratio(number) => Value::Ratio(number),
        NumberValue::Times(_) => return None,
    };
    Some(match (negative, value) {
        (false, value) => value,
        (true, Value::Int(number)) => Value::Int(-number),
        (true, Value::Float(number)) => Value::Float(-number),
        (true, Value::Ratio(number)) => Value::Ratio(-number),
        (true, Value::Duration(number)) => Value::Duration(-number),
        (true, _) => return None,
    })
}

fn from_json(json: &serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().filter(|number| number.is_finite())?),
        },
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(from_json).collect::<Option<_>>()?),
        serde_json::Value::Object(fields) => Value::Record(
            fields.iter().map(|(name, json)| Some((name.clone(), from_json(json)?))).collect::<Option<_>>()?,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Bound, Range};

    #[test]
    fn texts_are_read_by_the_type_that_is_wanted() {
        let unit = Range { low: Some(Bound { at: 1.0, open: false }), high: Some(Bound { at: 5.0, open: false }) };
        assert_eq!(read(&Type::Int(unit), "3"), Ok(Value::Int(3)));
        assert_eq!(read(&Type::Int(unit), "9"), Err("`9` is not in the range of `int in 1..5`".into()));
        assert_eq!(read(&Type::Int(unit), "3.5"), Err("`3.5` is no value of `int in 1..5`".into()));
        assert_eq!(read(&Type::String, "3"), Ok(Value::String("3".into())));
        assert_eq!(read(&Type::Ratio(Range::ANY), "5%"), Ok(Value::Ratio(0.05)));
        assert_eq!(read(&Type::Float(Range::ANY), "-1e-4"), Ok(Value::Float(-1e-4)));
        assert_eq!(read(&Type::Duration, "90m"), Ok(Value::Duration(5_400_000_000_000)));
        assert_eq!(read(&Type::Bool, "yes"), Err("`yes` is no value of `bool`".into()));
        assert_eq!(
            read(&Type::List(Box::new(Type::Int(Range::ANY))), "[1, 2]"),
            Ok(Value::List(vec![Value::Int(1), Value::Int(2)]))
        );
        let window = Type::Record(vec![("lo".into(), Type::Int(Range::ANY)), ("hi".into(), Type::Int(Range::ANY))]);
        assert!(read(&window, r#"{"lo":1,"hi":3}"#).is_ok());
        assert!(read(&window, r#"{"lo":1,"lo":2,"hi":3}"#).is_err(), "which of the two is not said");
        let enumeration = Type::Enum(vec!["adam".into(), "sgd".into()]);
        let hour = serde_json::json!({ "limit": "1h", "rates": [1, 0.5] });
        let rates = Type::List(Box::new(Type::Float(Range::ANY)));
        let record = Type::Record(vec![("limit".into(), Type::Duration), ("rates".into(), rates)]);
        let rates = Value::List(vec![Value::Float(1.0), Value::Float(0.5)]);
        let fields = vec![("limit".into(), Value::Duration(3_600_000_000_000)), ("rates".into(), rates)];
        assert_eq!(typed(&record, &hour), Ok(Value::Record(fields)));
        assert!(typed(&Type::Duration, &serde_json::json!(30)).is_err(), "a number has no unit");
        assert!(typed(&record, &serde_json::json!({ "limit": "1h", "rates": [], "x": 1 })).is_err());
        assert_eq!(
            typed(&Type::Int(unit), &serde_json::json!(9)),
            Err("`9` is not in the range of `int in 1..5`".into())
        );
        assert_eq!(read(&enumeration, "adm"), Err("`adm` is none of \"adam\" | \"sgd\"".into()));
        assert!(read(&record, r#"{"limit": "1h", "rates": [1, 0.5]}"#).is_ok(), "a unit inside");
        let lines = read(&Type::List(Box::new(Type::String)), "a\nb").expect_err("lines are what a script sees");
        assert!(lines.contains("is no JSON, as which a value of `[string]` is given"), "{lines}");
    }

    #[test]
    fn what_is_written_of_a_value_is_read_as_the_same_one() {
        let text = |text: &str| Value::String(text.into());
        let texts = ["", " a ", "3", "true", "null", "a\nb", "\"", "\\n", "{}", "é\u{1}", "${{ x }}", "'", "# b: c"];
        let optional = |ty: Type| Type::Optional(Box::new(ty));
        let list = |ty: Type| Type::List(Box::new(ty));
        let inner = Type::Record(vec![("at".into(), optional(Type::Duration)), ("tags".into(), list(Type::String))]);
        let record =
            |at: Value, tags: Vec<Value>| Value::Record(vec![("at".into(), at), ("tags".into(), Value::List(tags))]);
        let mut all = vec![
            (Type::Bool, vec![Value::Bool(true), Value::Bool(false)]),
            (Type::Int(Range::ANY), [0, -7, i64::MAX, -i64::MAX].map(Value::Int).to_vec()),
            (Type::Float(Range::ANY), [0.0, -0.1, 0.1 + 0.2, 1e21, 1e300, 5e-324, f64::MAX].map(Value::Float).to_vec()),
            (Type::Ratio(Range::FINITE), [0.0, 0.029, 1.0, -2.5, 1e-9, 1e20].map(Value::Ratio).to_vec()),
            (Type::Duration, [0, 1, 1_001, 5_400_000_000_000, -60_000_000_000, i64::MAX].map(Value::Duration).to_vec()),
            (Type::Bytes, [0, 17, 2 << 30, 500_000_000, 1 << 50].map(Value::Bytes).to_vec()),
            (Type::String, texts.map(text).to_vec()),
            (Type::Enum(vec!["a b".into(), "1".into()]), vec![text("a b"), text("1")]),
            (Type::Timestamp, vec![text("2026-01-31T12:00:00Z")]),
            (
                inner,
                vec![record(Value::Null, vec![]), record(Value::Duration(1_000_000_000), texts.map(text).to_vec())],
            ),
        ];
        // The same inside of others: of a list, an optional, a record.
        for (ty, values) in all.clone() {
            let within = |value: &Value| Value::Record(vec![("x".into(), value.clone())]);
            all.push((list(ty.clone()), vec![Value::List(values.clone()), Value::List(vec![])]));
            all.push((Type::Record(vec![("x".into(), ty.clone())]), values.iter().map(within).collect()));
            let mut values = values;
            // Nothing typed is nothing given: an optional text can't be empty.
            values.retain(|value| *value != text(""));
            values.push(Value::Null);
            all.push((optional(ty), values));
        }
        for (ty, values) in all {
            for value in values {
                assert_eq!(read(&ty, &written(&value)), Ok(value.clone()), "{ty}: {}", written(&value));
            }
        }
    }
}
