//! `drifted(psi(*) < 0.1)`: the share of columns for which a requirement of drift does not hold.

use super::cx::Cx;
use super::expr::constant;
use super::table;
use crate::diagnostic::codes;
use crate::gate::kinds::{Against, Signature, Takes, drifted, limit_type};
use crate::gate::{Bound, Columns, Compare};
use crate::model::{Gate, Measure};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Expr, Value};

/// Resolves the share and what each column has to hold.
pub(super) fn measure(
    cx: &mut Cx<'_>,
    signature: &'static Signature,
    word: &ast::Name,
    args: &[ast::Arg],
    gate: &Gate,
    against: Option<&ast::Expr>,
) -> Option<Measure> {
    let help = format!("write `{}`", signature.example);
    let [ast::Arg { name: None, value: written }] = args else {
        args.iter().for_each(|arg| cx.mention_words(arg.value.span));
        return cx.error(codes::BAD_REQUIREMENT, word.span, "`drifted` takes what each column has to hold", &help);
    };
    let (call, limit) = match &written.kind {
        ast::ExprKind::Binary { op, left, right, .. } => match compared(*op) {
            Some(op) => (&**left, Some((op, &**right))),
            None => return vague(cx, written, &help),
        },
        ast::ExprKind::Call { .. } if super::requirement::decides(written) => (written, None),
        _ => return vague(cx, written, &help),
    };
    let drift = match &call.kind {
        ast::ExprKind::Call { callee, args } => match &callee.kind {
            ast::ExprKind::Name(name) => table::kind(&name.text).map(|kind| (kind, name, args)),
            _ => None,
        },
        _ => None,
    };
    let drift = drift
        .filter(|(kind, ..)| (kind.signature().against, kind.signature().takes) == (Against::Must, Takes::Columns));
    let Some((kind, name, inner)) = drift else {
        cx.mention_words(written.span);
        let message = format!("`{}` is no kind of drift", cx.sources.slice(call.span));
        return cx.error(codes::BAD_REQUIREMENT, call.span, message, &help);
    };
    let mut measure = table::measure(cx, kind, name, inner, gate, against, false)?;
    if !matches!(measure.table.as_ref().and_then(|table| table.columns.as_ref()), Some(Columns::All { .. })) {
        let message = "a share is of several columns, and one is named";
        return cx.error(codes::BAD_REQUIREMENT, call.span, message, "write `*`, and leave columns out by `except`");
    }
    if let Some((op, limit)) = limit {
        if drifted::is_small_where_same(measure.kind) != matches!(op, Compare::Less | Compare::AtMost) {
            return vague(cx, written, &help);
        }
        let value = constant(cx, limit, &limit_type(measure.kind, &measure.ty, &measure.options))?;
        measure.options.insert(drifted::OP.to_owned(), Value::String(op.sign().to_owned()));
        measure.options.insert(drifted::AT.to_owned(), value);
    }
    measure.options.insert(drifted::BY.to_owned(), Value::String(measure.kind.to_owned()));
    measure.kind = signature.name;
    measure.ty = crate::gate::kinds::find(signature.name)?.result(None, &measure.options);
    Some(measure)
}

/// Refuses a share that all columns together do not exceed: such a line would never fail.
pub(super) fn can_fail(cx: &mut Cx<'_>, span: Span, measure: &Measure, bound: &Bound) -> Option<()> {
    let Bound::Compare { op, limit: Expr::Value(limit) } = bound else { return Some(()) };
    let never = match (op, limit.number()) {
        (Compare::AtMost, Some(limit)) => limit >= 1.0,
        (Compare::Less, Some(limit)) => limit > 1.0,
        _ => false,
    };
    if measure.kind != "drifted" || !never {
        return Some(());
    }
    let message = "this can't fail: no more than all columns can drift";
    cx.error(codes::OUT_OF_RANGE, span, message, "write a share below `100%`")
}

fn compared(op: ast::BinaryOp) -> Option<Compare> {
    Some(match op {
        ast::BinaryOp::Lt => Compare::Less,
        ast::BinaryOp::Le => Compare::AtMost,
        ast::BinaryOp::Ge => Compare::AtLeast,
        ast::BinaryOp::Gt => Compare::Greater,
        _ => return None,
    })
}

fn vague(cx: &mut Cx<'_>, written: &ast::Expr, help: &str) -> Option<Measure> {
    cx.mention_words(written.span);
    let message = "this does not say what a column has to hold that has not drifted";
    cx.error(codes::BAD_REQUIREMENT, written.span, message, help)
}
