//! Evaluates checked expressions. Total: what can't be computed is an error in words, never a panic.

use super::{BinaryOp, Context, Expr, Value};

/// What an expression may ask for while it is evaluated; `None` where it is not known.
pub trait Names {
    /// Returns the value of a parameter.
    fn param(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Returns the text of an input, output, secret or loop variable.
    fn local(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Returns something about the run.
    fn context(&self, _context: Context) -> Option<Value> {
        None
    }

    /// Returns a value output of a stage.
    fn output(&self, _stage: &str, _output: &str) -> Option<Value> {
        None
    }
}

/// Knows nothing: what can be evaluated with it is constant.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Names for Nothing {}

/// Evaluates an expression.
pub fn evaluate(expr: &Expr, names: &dyn Names) -> Result<Value, String> {
    let unknown = |what: &str| format!("`{what}` has no value here");
    match expr {
        Expr::Value(value) => Ok(value.clone()),
        Expr::Param(name) => names.param(name).ok_or_else(|| unknown(name)),
        Expr::Local(name) => names.local(name).ok_or_else(|| unknown(name)),
        Expr::Context(context) => names.context(*context).ok_or_else(|| unknown(context.word())),
        Expr::Output { stage, output } => {
            names.output(stage, output).ok_or_else(|| unknown(&format!("{stage}.{output}")))
        }
        Expr::Text(parts) => {
            let mut text = String::new();
            for part in parts {
                text.push_str(&evaluate(part, names)?.to_string());
            }
            Ok(Value::String(text))
        }
        Expr::List(items) => items.iter().map(|item| evaluate(item, names)).collect::<Result<_, _>>().map(Value::List),
        Expr::Not(inner) => match evaluate(inner, names)? {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            other => Err(format!("`not` needs true or false, not `{other}`")),
        },
        Expr::Negative(inner) => negative(evaluate(inner, names)?),
        Expr::Binary { op: BinaryOp::And, left, right } => Ok(Value::Bool(truth(left, names)? && truth(right, names)?)),
        Expr::Binary { op: BinaryOp::Or, left, right } => Ok(Value::Bool(truth(left, names)? || truth(right, names)?)),
        Expr::Binary { op, left, right } => binary(*op, &evaluate(left, names)?, &evaluate(right, names)?),
    }
}

/// Returns what a condition comes to, where what is known settles it.
#[must_use]
pub fn foreseen(expr: &Expr, names: &dyn Names) -> Option<bool> {
    match expr {
        Expr::Not(inner) => foreseen(inner, names).map(|value| !value),
        Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
            // One side that settles it is enough.
            let settles = *op == BinaryOp::Or;
            match (foreseen(left, names), foreseen(right, names)) {
                (Some(left), _) if left == settles => Some(settles),
                (_, Some(right)) if right == settles => Some(settles),
                (Some(_), Some(_)) => Some(!settles),
                _ => None,
            }
        }
        _ => truth(expr, names).ok(),
    }
}

impl Context {
    /// Returns the word by which it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Branch => "branch",
            Self::Profile => "profile",
        }
    }
}

impl BinaryOp {
    /// Returns the operator as it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

fn truth(expr: &Expr, names: &dyn Names) -> Result<bool, String> {
    match evaluate(expr, names)? {
        Value::Bool(value) => Ok(value),
        other => Err(format!("true or false is needed, not `{other}`")),
    }
}

fn negative(value: Value) -> Result<Value, String> {
    let large = || format!("`-{value}` is out of range");
    Ok(match value {
        Value::Int(number) => Value::Int(number.checked_neg().ok_or_else(large)?),
        Value::Float(number) => Value::Float(-number),
        Value::Ratio(number) => Value::Ratio(-number),
        Value::Duration(number) => Value::Duration(number.checked_neg().ok_or_else(large)?),
        other => return Err(format!("`-` needs a number, not `{other}`")),
    })
}

fn binary(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, String> {
    use BinaryOp as Op;
    match op {
        Op::Equal => Ok(Value::Bool(same(left, right))),
        Op::Unequal => Ok(Value::Bool(!same(left, right))),
        Op::Less | Op::AtMost | Op::Greater | Op::AtLeast => {
            let (Some(a), Some(b)) = (left.number(), right.number()) else {
                return Err(format!("`{left}` and `{right}` can't be compared"));
            };
            Ok(Value::Bool(match op {
                Op::Less => a < b,
                Op::AtMost => a <= b,
                Op::Greater => a > b,
                _ => a >= b,
            }))
        }
        _ => arithmetic(op, left, right)
            .ok_or_else(|| format!("`{left} {} {right}` has no value", op.sign()))
            .and_then(|value| match value {
                Value::Float(number) | Value::Ratio(number) if !number.is_finite() => {
                    Err(format!("`{left} {} {right}` is not a finite number", op.sign()))
                }
                value => Ok(value),
            }),
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (left.number(), right.number()) {
        (Some(a), Some(b)) => a == b,
        _ => left == right,
    }
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    use BinaryOp as Op;
    use Value::{Bytes, Duration, Float, Int, Ratio};
    let (a, b) = (left, right);
    Some(match (op, a, b) {
        (Op::Add, Value::String(a), Value::String(b)) => Value::String(format!("{a}{b}")),
        (Op::Add, Int(a), Int(b)) => Int(a.checked_add(*b)?),
        (Op::Subtract, Int(a), Int(b)) => Int(a.checked_sub(*b)?),
        (Op::Multiply, Int(a), Int(b)) => Int(a.checked_mul(*b)?),
        (Op::Add, Duration(a), Duration(b)) => Duration(a.checked_add(*b)?),
        (Op::Subtract, Duration(a), Duration(b)) => Duration(a.checked_sub(*b)?),
        (Op::Multiply, Duration(a), Int(b)) | (Op::Multiply, Int(b), Duration(a)) => Duration(a.checked_mul(*b)?),
        (Op::Add, Bytes(a), Bytes(b)) => Bytes(a.checked_add(*b)?),
        (Op::Subtract, Bytes(a), Bytes(b)) => Bytes(a.checked_sub(*b)?),
        (Op::Multiply, Bytes(a), Int(b)) | (Op::Multiply, Int(b), Bytes(a)) => {
            Bytes(a.checked_mul(u64::try_from(*b).ok()?)?)
        }
        (Op::Divide, Duration(_), Duration(_)) | (Op::Divide, Bytes(_), Bytes(_)) => Float(a.number()? / b.number()?),
        (Op::Add, Ratio(a), Ratio(b)) => Ratio(a + b),
        (Op::Subtract, Ratio(a), Ratio(b)) => Ratio(a - b),
        (_, Int(_) | Float(_) | Ratio(_), Int(_) | Float(_) | Ratio(_)) => {
            let (a, b) = (a.number()?, b.number()?);
            Float(match op {
                Op::Add => a + b,
                Op::Subtract => a - b,
                Op::Multiply => a * b,
                Op::Divide => a / b,
                _ => return None,
            })
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calc(op: BinaryOp, left: Value, right: Value) -> Result<Value, String> {
        let expr = Expr::Binary { op, left: Box::new(Expr::Value(left)), right: Box::new(Expr::Value(right)) };
        evaluate(&expr, &Nothing)
    }

    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(calc(BinaryOp::Add, Value::Int(2), Value::Int(3)), Ok(Value::Int(5)));
        assert_eq!(calc(BinaryOp::Multiply, Value::Duration(5), Value::Int(3)), Ok(Value::Duration(15)));
        assert!(calc(BinaryOp::Add, Value::Int(i64::MAX), Value::Int(1)).is_err());
        assert!(calc(BinaryOp::Subtract, Value::Bytes(1), Value::Bytes(2)).is_err());
        assert!(calc(BinaryOp::Divide, Value::Int(1), Value::Int(0)).is_err());
        assert!(calc(BinaryOp::Add, Value::Int(1), Value::Duration(1)).is_err());
    }

    #[test]
    fn and_and_or_stop_early() {
        let unknown = Expr::Param("p".into());
        let no = Expr::Value(Value::Bool(false));
        let and = Expr::Binary { op: BinaryOp::And, left: Box::new(no), right: Box::new(unknown.clone()) };
        assert_eq!(evaluate(&and, &Nothing), Ok(Value::Bool(false)));
        assert_eq!(evaluate(&unknown, &Nothing), Err("`p` has no value here".into()));
    }

    #[test]
    fn a_condition_is_foreseen_where_one_side_settles_it() {
        struct Push;
        impl Names for Push {
            fn context(&self, context: Context) -> Option<Value> {
                matches!(context, Context::Event).then(|| Value::String("push".into()))
            }
        }
        let event = |name: &str| Expr::Binary {
            op: BinaryOp::Equal,
            left: Box::new(Expr::Context(Context::Event)),
            right: Box::new(Expr::Value(Value::String(name.into()))),
        };
        let both = |op, left, right| Expr::Binary { op, left: Box::new(left), right: Box::new(right) };
        let unknown = || Expr::Param("p".into());
        let foreseen = |expr: &Expr| foreseen(expr, &Push);
        assert_eq!(foreseen(&event("push")), Some(true));
        assert_eq!(foreseen(&unknown()), None);
        assert_eq!(foreseen(&both(BinaryOp::And, unknown(), event("manual"))), Some(false));
        assert_eq!(foreseen(&both(BinaryOp::And, unknown(), event("push"))), None);
        assert_eq!(foreseen(&both(BinaryOp::Or, unknown(), event("push"))), Some(true));
        assert_eq!(foreseen(&both(BinaryOp::Or, event("manual"), event("call"))), Some(false));
        assert_eq!(foreseen(&Expr::Not(Box::new(event("manual")))), Some(true));
    }
}
