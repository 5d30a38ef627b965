//! Operators: which values they work between, and the type of what comes out.

use super::cx::Cx;
use super::expr::{Scope, Typed, expect, expr, fitted, folded, widened};
use super::known;
use crate::diagnostic::codes;
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{BinaryOp, Expr, Range, Type, Value};

fn operator(op: ast::BinaryOp) -> BinaryOp {
    match op {
        ast::BinaryOp::Or => BinaryOp::Or,
        ast::BinaryOp::And => BinaryOp::And,
        ast::BinaryOp::Eq => BinaryOp::Equal,
        ast::BinaryOp::Ne => BinaryOp::Unequal,
        ast::BinaryOp::Lt => BinaryOp::Less,
        ast::BinaryOp::Le => BinaryOp::AtMost,
        ast::BinaryOp::Gt => BinaryOp::Greater,
        ast::BinaryOp::Ge => BinaryOp::AtLeast,
        ast::BinaryOp::Add => BinaryOp::Add,
        ast::BinaryOp::Sub => BinaryOp::Subtract,
        ast::BinaryOp::Mul => BinaryOp::Multiply,
        ast::BinaryOp::Div => BinaryOp::Divide,
    }
}

/// Resolves an operator between two values.
pub(super) fn binary(
    cx: &mut Cx<'_>,
    span: Span,
    op: ast::BinaryOp,
    left: &ast::Expr,
    right: &ast::Expr,
    scope: Scope<'_>,
) -> Option<Typed> {
    let op = operator(op);
    if matches!(op, BinaryOp::And | BinaryOp::Or) {
        let sides = (expect(cx, left, scope, &Type::Bool), expect(cx, right, scope, &Type::Bool));
        let (left, right) = (sides.0?, sides.1?);
        return folded(cx, span, join(op, left, right), Type::Bool);
    }
    let sides = (expr(cx, left, scope), expr(cx, right, scope));
    let (a, b) = (sides.0?, sides.1?);
    if matches!(op, BinaryOp::Equal | BinaryOp::Unequal) {
        known::compared(cx, [(&a, left.span), (&b, right.span)])?;
    }
    // A text that the other side can never be is a comparison that never holds.
    let (a, b) = match (&a.ty, &b.ty) {
        (Type::Enum(_), Type::String) => {
            let ty = a.ty.clone();
            let expr = fitted_text(cx, right.span, b, &ty)?;
            (a, Typed { expr, ty })
        }
        (Type::String, Type::Enum(_)) => {
            let ty = b.ty.clone();
            let expr = fitted_text(cx, left.span, a, &ty)?;
            (Typed { expr, ty }, b)
        }
        _ => (a, b),
    };
    let Some(ty) = result(op, &a.ty, &b.ty) else {
        let message = format!("`{}` does not work between `{}` and `{}`", op.sign(), a.ty, b.ty);
        return cx.error(codes::WRONG_TYPE, span, message, "");
    };
    folded(cx, span, join(op, a.expr, b.expr), ty)
}

fn fitted_text(cx: &mut Cx<'_>, span: Span, typed: Typed, ty: &Type) -> Option<Expr> {
    if matches!(typed.expr, Expr::Value(_)) { fitted(cx, span, typed, ty) } else { Some(typed.expr) }
}

fn join(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

/// Returns the type of what comes out; none where the operator does not work between these.
fn result(op: BinaryOp, left: &Type, right: &Type) -> Option<Type> {
    use BinaryOp as Op;
    let number = |ty: &Type| matches!(ty, Type::Int(_) | Type::Float(_) | Type::Ratio(_));
    let text = |ty: &Type| matches!(ty, Type::String | Type::Enum(_));
    let (a, b) = (widened(left), widened(right));
    let comparable = (number(&a) && number(&b)) || (text(&a) && text(&b)) || a == b;
    match op {
        Op::And | Op::Or => (a == Type::Bool && b == Type::Bool).then_some(Type::Bool),
        Op::Equal | Op::Unequal => comparable.then_some(Type::Bool),
        Op::Less | Op::AtMost | Op::Greater | Op::AtLeast => {
            let ordered = comparable && (number(&a) || matches!(a, Type::Duration | Type::Bytes));
            ordered.then_some(Type::Bool)
        }
        Op::Add | Op::Subtract if a == b && matches!(a, Type::Duration | Type::Bytes | Type::Ratio(_)) => Some(a),
        Op::Add if a == Type::String && b == Type::String => Some(a),
        Op::Multiply if matches!((&a, &b), (Type::Duration | Type::Bytes, Type::Int(_))) => Some(a),
        Op::Multiply if matches!((&a, &b), (Type::Int(_), Type::Duration | Type::Bytes)) => Some(b),
        Op::Divide if a == b && matches!(a, Type::Duration | Type::Bytes) => Some(Type::Float(Range::ANY)),
        Op::Add | Op::Subtract | Op::Multiply if matches!((&a, &b), (Type::Int(_), Type::Int(_))) => Some(a),
        _ => (number(&a) && number(&b)).then_some(Type::Float(Range::ANY)),
    }
}

/// Resolves `x between 1..5` as the comparisons that it stands for.
pub(super) fn between(
    cx: &mut Cx<'_>,
    span: Span,
    value: &ast::Expr,
    range: &ast::Range,
    scope: Scope<'_>,
) -> Option<Typed> {
    let mut whole: Option<Expr> = None;
    let low = (range.low.as_ref(), if range.low_open { ast::BinaryOp::Gt } else { ast::BinaryOp::Ge });
    let high = (range.high.as_ref(), if range.high_open { ast::BinaryOp::Lt } else { ast::BinaryOp::Le });
    for (bound, op) in [low, high] {
        if let Some(bound) = bound {
            let test = binary(cx, span, op, value, bound, scope)?.expr;
            whole = Some(match whole {
                Some(before) => join(BinaryOp::And, before, test),
                None => test,
            });
        }
    }
    let whole = whole.unwrap_or(Expr::Value(Value::Bool(true)));
    folded(cx, span, whole, Type::Bool)
}

/// Resolves `x one_of [1, 2]` as the comparisons that it stands for.
pub(super) fn one_of(
    cx: &mut Cx<'_>,
    span: Span,
    value: &ast::Expr,
    list: &ast::Expr,
    scope: Scope<'_>,
) -> Option<Typed> {
    let ast::ExprKind::List(items) = &list.kind else {
        return cx.error(codes::WRONG_TYPE, list.span, "`one_of` needs a list", "write `[\"a\", \"b\"]`");
    };
    let mut whole: Option<Expr> = None;
    for item in items {
        let test = binary(cx, item.span, ast::BinaryOp::Eq, value, item, scope)?.expr;
        whole = Some(match whole {
            Some(before) => join(BinaryOp::Or, before, test),
            None => test,
        });
    }
    let whole = whole.unwrap_or(Expr::Value(Value::Bool(false)));
    folded(cx, span, whole, Type::Bool)
}
