//! What a `foreach` or a `matrix` makes many of: its legs, with what each sees.

use serde_yaml::Value;

use super::yaml::{self, key, mapping};

/// More legs than this a pipeline may not have, and three lines can make millions.
const MOST: usize = 10_000;

fn item(fields: &[(&str, Value)]) -> Value {
    Value::Mapping(fields.iter().map(|(name, value)| (Value::from(*name), value.clone())).collect())
}

/// Returns an axis with its value, if that is a scalar.
pub(super) fn axis(name: &str, value: Option<&Value>) -> Option<(String, String)> {
    let value = value.filter(|value| !value.is_null()).and_then(yaml::scalar)?;
    Some((name.to_owned(), value))
}

/// Returns the legs of a `foreach`, with what each sees; `Err` is how many there may be, where there are more.
pub(super) fn legs(each: &Value) -> Result<Vec<(String, Value)>, usize> {
    if each.as_sequence().map(Vec::len).or(mapping(each).map(|fields| fields.len())).is_some_and(|legs| legs > MOST) {
        return Err(MOST);
    }
    Ok(match each {
        Value::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| {
                (yaml::scalar(value).unwrap_or_else(|| index.to_string()), item(&[("item", value.clone())]))
            })
            .collect(),
        Value::Mapping(fields) => fields
            .iter()
            .map(|(name, value)| (key(name), item(&[("item", value.clone()), ("key", name.clone())])))
            .collect(),
        _ => Vec::new(),
    })
}

/// Returns every combination of a `matrix`, with what each sees; `Err` is how many there may be, where there are more.
pub(super) fn combinations(axes: &Value) -> Result<Vec<(String, Value)>, usize> {
    let lengths = mapping(axes).into_iter().flatten().filter_map(|(_, values)| values.as_sequence().map(Vec::len));
    if lengths.fold(1, usize::saturating_mul) > MOST {
        return Err(MOST);
    }
    let mut made: Vec<(Vec<String>, serde_yaml::Mapping)> = vec![Default::default()];
    for (axis, values) in mapping(axes).into_iter().flatten() {
        let axis = key(axis);
        let values = values.as_sequence().map(Vec::as_slice).unwrap_or_default();
        made = made
            .iter()
            .flat_map(|(names, fields)| {
                values.iter().enumerate().map({
                    let axis = &axis;
                    move |(index, value)| {
                        let (mut names, mut fields) = (names.clone(), fields.clone());
                        names.push(yaml::scalar(value).unwrap_or_else(|| format!("{axis}{index}")));
                        fields.insert(Value::from(axis.as_str()), value.clone());
                        (names, fields)
                    }
                })
            })
            .collect();
    }
    let legs = made.into_iter().filter(|(names, _)| !names.is_empty()).map(|(names, fields)| {
        let leg = names.join("-");
        let seen = item(&[("item", Value::Mapping(fields)), ("key", Value::from(leg.as_str()))]);
        (leg, seen)
    });
    Ok(legs.collect())
}
