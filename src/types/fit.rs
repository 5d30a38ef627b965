//! Whether a value is of a type: whole numbers stand for floats and shares, a range holds or does not.

use super::{Range, Type, Value};

/// Why a value is not of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It is of another kind.
    Kind,
    /// It is of the kind, and not in the range or among the texts listed.
    Range,
}

impl Type {
    /// Returns the value as one of this type, or why it is none.
    pub fn fit(&self, value: &Value) -> Result<Value, Misfit> {
        let within = |range: &Range, number: f64, value: Value| {
            if range.holds(number) { Ok(value) } else { Err(Misfit::Range) }
        };
        match (self, value) {
            (Self::Int(range), Value::Int(number)) => within(range, *number as f64, value.clone()),
            (Self::Float(range), Value::Int(_) | Value::Float(_) | Value::Ratio(_)) => {
                let number = value.number().unwrap_or(f64::NAN);
                within(range, number, Value::Float(number))
            }
            (Self::Ratio(range), Value::Int(_) | Value::Float(_) | Value::Ratio(_)) => {
                let number = value.number().unwrap_or(f64::NAN);
                within(&range.of_ratio(), number, Value::Ratio(number))
            }
            (Self::Bool, Value::Bool(_))
            | (Self::String, Value::String(_))
            | (Self::Duration, Value::Duration(_))
            | (Self::Bytes, Value::Bytes(_))
            | (Self::Optional(_), Value::Null) => Ok(value.clone()),
            (Self::Timestamp, Value::String(text)) if is_time(text) => Ok(value.clone()),
            (Self::Enum(texts), Value::String(text)) => {
                if texts.contains(text) {
                    Ok(value.clone())
                } else {
                    Err(Misfit::Range)
                }
            }
            (Self::List(element), Value::List(items)) => {
                items.iter().map(|item| element.fit(item)).collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Record(types), Value::Record(fields)) => {
                if types.len() != fields.len() {
                    return Err(Misfit::Kind);
                }
                let field = |(name, ty): &(String, Self)| {
                    let (_, value) = fields.iter().find(|(key, _)| key == name).ok_or(Misfit::Kind)?;
                    Ok((name.clone(), ty.fit(value)?))
                };
                types.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
            }
            (Self::Optional(inner), value) => inner.fit(value),
            _ => Err(Misfit::Kind),
        }
    }
}

/// Tells whether a text is a point in time: RFC 3339, a date, or a date and a time without a zone.
fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
        || text.parse::<jiff::civil::DateTime>().is_ok()
        || text.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Bound;

    #[test]
    fn whole_numbers_stand_for_floats_and_ranges_hold() {
        let range = Range { low: Some(Bound { at: 0.0, open: true }), high: None };
        assert_eq!(Type::Float(range).fit(&Value::Int(2)), Ok(Value::Float(2.0)));
        assert_eq!(Type::Float(range).fit(&Value::Int(0)), Err(Misfit::Range));
        assert_eq!(Type::Int(range).fit(&Value::Float(2.0)), Err(Misfit::Kind));
        assert_eq!(Type::Duration.fit(&Value::Int(2)), Err(Misfit::Kind));
        assert_eq!(Type::Optional(Box::new(Type::Bool)).fit(&Value::Null), Ok(Value::Null));
        let time = |text: &str| Type::Timestamp.fit(&Value::String(text.into())).is_ok();
        assert!(time("2026-01-31T12:00:00Z") && time("2026-01-31") && time("2026-01-31 12:00:00"));
        assert!(!time("banana") && !time("2026-02-31") && !time(""));
    }

    #[test]
    fn a_ratio_is_a_share_where_no_range_says_otherwise() {
        let share = Type::Ratio(Range::ANY);
        for beyond in [Value::Int(2), Value::Int(-1), Value::Float(85.0), Value::Ratio(1.5), Value::Ratio(-0.01)] {
            assert_eq!(share.fit(&beyond), Err(Misfit::Range), "{beyond}");
        }
        assert_eq!(share.fit(&Value::Int(1)), Ok(Value::Ratio(1.0)));
        let bound = |at| Some(Bound { at, open: false });
        let gain = Type::Ratio(Range { low: bound(-1.0), high: bound(3.0) });
        assert_eq!(gain.fit(&Value::Ratio(1.5)), Ok(Value::Ratio(1.5)));
        assert_eq!(Type::Ratio(Range::FINITE).fit(&Value::Ratio(-4.0)), Ok(Value::Ratio(-4.0)));
    }
}
