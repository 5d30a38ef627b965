//! The limit of a line of a gate: what it may be, and what is known of one in which parameters stand, between which numbers it
//! lies and what it is by their defaults.

use super::cx::{Cx, Decl};
use super::expr::{Scope, Typed, expr, fitted, percent_help};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::kinds::{forgets_percent, limit_type};
use crate::model::{Gate, Measure, Param};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Artifact, BinaryOp, Expr, Misfit, Names, Range, Type, Value, evaluate};

/// Returns the number of a multiple: `0.5x`.
pub(super) fn times(written: &ast::Expr) -> Option<f64> {
    match &written.kind {
        ast::ExprKind::Number(ast::Number { value: ast::NumberValue::Times(times), .. }) => Some(*times),
        _ => None,
    }
}

/// Resolves the limit of a line as a value in the unit of what is measured.
pub(super) fn limit(cx: &mut Cx<'_>, written: &ast::Expr, measure: &Measure, gate: &Gate) -> Option<Expr> {
    if let Some(times) = times(written)
        && measure.table.is_some()
    {
        if measure.options.contains_key("relative") && measure.kind == "rows" {
            return Some(Expr::Value(Value::Float(times)));
        }
        let message = format!("`{}` is no multiple of anything", measure.kind);
        return cx.error(codes::WRONG_UNIT, written.span, message, "write the number alone");
    }
    let Typed { expr, ty } = expr(cx, written, Scope::Known)?;
    a_share(cx, written.span, &expr, &measure.ty)?;
    let wanted = limit_type(measure.kind, &measure.ty, &measure.options);
    if let Expr::Value(value @ (Value::Int(_) | Value::Float(_))) = &expr
        && let Some(meant) = in_own_unit(cx, value, &wanted, measure, gate)
    {
        let text = cx.sources.slice(written.span).to_owned();
        let message = format!("`{text}` is of type `{ty}` where `{wanted}` is needed");
        return cx.error(codes::WRONG_UNIT, written.span, message, &format!("glue a unit to it: `{meant}`"));
    }
    // What no value of the metric can be is no limit; a count may be compared with a fraction of nothing.
    let limit = fitted(cx, written.span, Typed { expr, ty }, &wanted)?;
    by_default(cx, written.span, &limit, &wanted)?;
    Some(limit)
}

/// Returns what a bare number means in the unit that the metric's file has.
fn in_own_unit(cx: &Cx<'_>, value: &Value, wanted: &Type, measure: &Measure, gate: &Gate) -> Option<Value> {
    let (index, name) = measure.metric.as_ref()?;
    let Artifact::Metrics { name: declared } = &gate.evidence.get(*index)?.ty else { return None };
    let Some((Decl::Metrics(id), _)) = cx.peek(declared) else { return None };
    let base = value.number()? * cx.model.metrics[id].ty.metric(name)?.scale?;
    if !(0.0..9e18).contains(&base) || base.fract() != 0.0 {
        return None;
    }
    match wanted {
        Type::Duration => Some(Value::Duration(base as i64)),
        Type::Bytes => Some(Value::Bytes(base as u64)),
        _ => None,
    }
}

/// Refuses a plain number beyond 1 where a share is measured: `85` for `85%`.
pub(super) fn a_share(cx: &mut Cx<'_>, span: Span, limit: &Expr, ty: &Type) -> Option<()> {
    let Expr::Value(value) = limit else { return Some(()) };
    if !forgets_percent(ty, value) {
        return Some(());
    }
    let text = cx.sources.slice(span).to_owned();
    let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, span, format!("`{text}` is not in the range of a ratio"));
    cx.report(percent_help(diagnostic, span, &text, value))
}

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
fn by_default(cx: &mut Cx<'_>, span: Span, limit: &Expr, wanted: &Type) -> Option<()> {
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
