//! `comment` of `on pull_request`: the gates, plots and reports that are shown where people talk about the change. They are known
//! only once all nodes are.

use super::cx::{Cx, Decl, Wanted};
use super::legs;
use super::origin::origins;
use super::trigger::again;
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{NodeId, Origin, OutputId, Shown};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::Artifact;

/// What the field takes, for whoever wrote something else.
const TAKES: &str = "name a gate, or an output of type `Plot` or `Report`";

/// Resolves what the comment of a trigger shows; one name alone is a list of one.
pub(super) fn resolve(cx: &mut Cx<'_>, item: &ast::Trigger, span: Span) {
    let ast::Trigger::PullRequest(Some(record)) = item else { return };
    let Some(field) = record.get("comment") else { return };
    let written = match &field.value.kind {
        ast::ExprKind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(&field.value),
    };
    if written.is_empty() {
        let help = format!("{TAKES}; or leave `comment` out");
        cx.error::<()>(codes::MISSING_CLAUSE, field.value.span, "the comment shows nothing", &help);
    }
    let mut all: Vec<Spanned<Shown>> = Vec::new();
    for one in written {
        for shown in shown(cx, one) {
            match all.iter().find(|first| first.value == shown) {
                Some(first) => {
                    let message = format!("`{}` is shown twice", cx.sources.slice(one.span));
                    again(cx, one.span, first.span, &message);
                    break;
                }
                None => all.push(Spanned::new(shown, one.span)),
            }
        }
    }
    // A trigger that is declared twice has no row.
    let mut triggers = cx.model.to_mut().triggers.iter_mut();
    if let Some(trigger) = triggers.find(|trigger| trigger.span == span) {
        trigger.comment = all;
    }
}

/// Returns what one element stands for: one gate or output, or those of several legs.
fn shown(cx: &mut Cx<'_>, written: &ast::Expr) -> Vec<Shown> {
    match &written.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Index { .. } => gates(cx, written).unwrap_or_default(),
        ast::ExprKind::Field { .. } | ast::ExprKind::Optional(_) => {
            let found = origins(cx, written).map(|found| found.origins).unwrap_or_default();
            let mut shown = Vec::with_capacity(found.len());
            for origin in found {
                match drawn(cx, written, &origin) {
                    Some(output) => shown.push(Shown::Output(output)),
                    // The legs of a stage have outputs of the same types.
                    None => break,
                }
            }
            shown
        }
        _ => {
            let message = format!("`{}` is nothing that a comment shows", cx.sources.slice(written.span));
            cx.error(codes::WRONG_KIND, written.span, message, TAKES).unwrap_or_default()
        }
    }
}

fn gates(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Vec<Shown>> {
    let named = legs::named(cx, written, Wanted::Gate)?;
    let &first = named.ids.first()?;
    match cx.model.nodes[first].keyword {
        "gate" => Some(named.ids.into_iter().map(Shown::Gate).collect()),
        "stage" => {
            let message = format!("`{}` is a stage, and a comment shows what it makes", named.name.text);
            let output = plots(cx, first).into_iter().next();
            let help = match output {
                Some(output) => format!("write `{}.{output}`", cx.sources.slice(written.span)),
                None => TAKES.to_owned(),
            };
            let diagnostic = Diagnostic::new(codes::WRONG_KIND, written.span, message)
                .label(cx.model.place(first), "declared here")
                .help(help);
            cx.report(diagnostic)
        }
        _ => cx.wrong_kind(named.name, Decl::Node(first), Wanted::Gate),
    }
}

/// Returns the names of the outputs of a stage that a comment shows.
fn plots(cx: &Cx<'_>, stage: NodeId) -> Vec<String> {
    let outputs = cx.model.stage(stage).map(|stage| stage.outputs.as_slice()).unwrap_or_default();
    outputs.iter().filter(|output| is_shown(&output.ty)).map(|output| output.name.value.clone()).collect()
}

fn is_shown(ty: &Artifact) -> bool {
    matches!(ty, Artifact::Plot | Artifact::Report)
}

/// Returns the output that an artifact is, if it is made to be looked at.
fn drawn(cx: &mut Cx<'_>, written: &ast::Expr, origin: &Origin) -> Option<OutputId> {
    let Origin::Output(id) = origin else {
        let message = format!("`{}` is nothing that a comment shows", cx.sources.slice(written.span));
        return cx.error(codes::WRONG_KIND, written.span, message, TAKES);
    };
    let output = cx.model.output(*id)?;
    if is_shown(&output.ty) && output.value.is_none() {
        return Some(*id);
    }
    let (place, ty) =
        (output.name.span, output.value.as_ref().map_or_else(|| output.ty.to_string(), |it| it.ty.to_string()));
    let message = format!("`{}` is of type `{ty}`, which a comment does not show", cx.sources.slice(written.span));
    let diagnostic =
        Diagnostic::new(codes::WRONG_KIND, written.span, message).label(place, "declared here").help(TAKES);
    cx.report(diagnostic)
}
