//! What is known of a limit in which parameters stand: between which numbers it lies, and what it is by their defaults.

use super::cx::{Cx, Decl};
use crate::diagnostic::codes;
use crate::model::Param;
use crate::source::Span;
use crate::types::{BinaryOp, Expr, Misfit, Names, Range, Type, Value, evaluate};

/// Returns the ends between which a limit lies, whatever the parameters in it are: a literal is both of its ends.
pub(super) fn ends(cx: &Cx<'_>, limit: &Expr) -> Option<(f64, f64)> {
    match limit {
        Expr::Value(value) => value.number().map(|number| (number, number)),
        Expr::Param(name) => Some(declared(param(cx, name)?.ty.as_ref()?)),
        Expr::Negative(inner) => ends(cx, inner).map(|(low, high)| (-high, -low)),
        Expr::Binary { op, left, right } => between(*op, ends(cx, left)?, ends(cx, right)?),
        _ => None,
    }
}

/// Says that a limit is none of its type where the parameters in it have their defaults: a run would be refused.
pub(super) fn by_default(cx: &mut Cx<'_>, span: Span, limit: &Expr, wanted: &Type) -> Option<()> {
    if matches!(limit, Expr::Value(_)) {
        return Some(());
    }
    let Ok(value) = evaluate(limit, &Defaults(cx)) else { return Some(()) };
    if wanted.fit(&value) != Err(Misfit::Range) {
        return Some(());
    }
    // The last digits of a float are noise.
    let value = match value {
        Value::Ratio(share) => Value::Ratio((share * 1e12).round() / 1e12),
        Value::Float(number) => Value::Float((number * 1e12).round() / 1e12),
        other => other,
    };
    let text = cx.sources.slice(span).to_owned();
    let message =
        format!("`{text}` is {value} by the defaults of its parameters, which is not in the range of `{wanted}`");
    cx.error(codes::OUT_OF_RANGE, span, message, "write a limit that lies in it, or give the parameter another default")
}

/// The parameters by their defaults; what a file gives is not known here.
struct Defaults<'c, 'a>(&'c Cx<'a>);

impl Names for Defaults<'_, '_> {
    fn param(&self, name: &str) -> Option<Value> {
        let param = param(self.0, name)?;
        param.default.clone().filter(|_| param.from.is_none())
    }
}

fn param<'c>(cx: &'c Cx<'_>, name: &str) -> Option<&'c Param> {
    match cx.peek(name)? {
        (Decl::Param(id), _) => Some(&cx.model.params[id]),
        _ => None,
    }
}

/// Returns the ends of a parameter's type; every value that it is given is held against them.
fn declared(ty: &Type) -> (f64, f64) {
    let range = match ty {
        Type::Ratio(range) => range.of_ratio(),
        Type::Int(range) | Type::Float(range) => *range,
        _ => Range::ANY,
    };
    let at = |bound: Option<crate::types::Bound>, none: f64| bound.map_or(none, |bound| bound.at);
    (at(range.low, f64::NEG_INFINITY), at(range.high, f64::INFINITY))
}

fn between(op: BinaryOp, left: (f64, f64), right: (f64, f64)) -> Option<(f64, f64)> {
    // No parameter is infinite: nothing of it is nothing.
    let times = |one: f64, other: f64| if one == 0.0 || other == 0.0 { 0.0 } else { one * other };
    let found = match op {
        BinaryOp::Add => (left.0 + right.0, left.1 + right.1),
        BinaryOp::Subtract => (left.0 - right.1, left.1 - right.0),
        BinaryOp::Multiply => {
            let corners =
                [times(left.0, right.0), times(left.0, right.1), times(left.1, right.0), times(left.1, right.1)];
            (
                corners.iter().copied().fold(f64::INFINITY, f64::min),
                corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        }
        BinaryOp::Divide if right.0 == right.1 && right.0 != 0.0 => {
            let ends = (left.0 / right.0, left.1 / right.0);
            if ends.0 <= ends.1 { ends } else { (ends.1, ends.0) }
        }
        _ => return None,
    };
    (!found.0.is_nan() && !found.1.is_nan()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_lies_between_its_ends() {
        let (share, any) = (declared(&Type::Ratio(Range::ANY)), declared(&Type::Float(Range::ANY)));
        assert_eq!(between(BinaryOp::Multiply, share, (0.0, 0.0)), Some((0.0, 0.0)));
        assert_eq!(between(BinaryOp::Multiply, any, (0.0, 0.0)), Some((0.0, 0.0)));
        assert_eq!(between(BinaryOp::Multiply, share, (-2.0, -2.0)), Some((-2.0, 0.0)));
        assert_eq!(between(BinaryOp::Subtract, share, (1.0, 1.0)), Some((-1.0, 0.0)));
        assert_eq!(between(BinaryOp::Add, share, any), Some(any));
        assert_eq!(between(BinaryOp::Divide, share, (-2.0, -2.0)), Some((-0.5, -0.0)));
        assert_eq!(between(BinaryOp::Divide, share, share), None);
    }
}
