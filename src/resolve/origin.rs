//! References: artifacts, pointers, nodes, subjects.

use super::cx::{Cx, Decl, Wanted};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{NodeId, Origin, OutputId, Pointer, Subject};
use crate::source::Spanned;
use crate::syntax::ast;

/// Resolves a reference to an artifact: `raw`, `train.model`, `models@production`.
pub(super) fn origin(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Origin> {
    match &written.kind {
        ast::ExprKind::Name(name) => match cx.look_up(name, Wanted::Artifact)? {
            Decl::Source(id) => Some(Origin::Source(id)),
            Decl::Node(id) if cx.model.nodes[id].keyword == "stage" => {
                let outputs = output_names(cx, id)?;
                let help = match outputs.first() {
                    Some(first) => format!("name one of its outputs: `{}.{first}`", name.text),
                    None => "it has no outputs".to_owned(),
                };
                let message = format!("`{}` is a stage, and an artifact is needed", name.text);
                cx.error(codes::WRONG_KIND, name.span, message, &help)
            }
            decl => cx.wrong_kind(name, decl, Wanted::Artifact),
        },
        ast::ExprKind::Field { base, name } => output(cx, base, name).map(Origin::Output),
        ast::ExprKind::Pointer { .. } => pointer(cx, written).map(Origin::Pointer),
        ast::ExprKind::Index { .. } => {
            cx.mention_words(written.span);
            None
        }
        ast::ExprKind::Optional(inner) => cx
            .error(codes::MISPLACED_CLAUSE, written.span, "only an input may be absent", "remove the `?`")
            .or_else(|| origin(cx, inner)),
        ast::ExprKind::Str(_) => {
            let message = "a path is no artifact that mlpc knows";
            let help = "declare it: `source raw: File = \"…\"`, and name the source";
            cx.error(codes::WRONG_KIND, written.span, message, help)
        }
        _ => {
            let message = format!("`{}` is no artifact", cx.sources.slice(written.span));
            cx.error(codes::WRONG_KIND, written.span, message, "name a source or `stage.output`")
        }
    }
}

fn output_names(cx: &Cx<'_>, id: NodeId) -> Option<Vec<String>> {
    let stage = cx.model.stage(id)?;
    Some(stage.outputs.iter().map(|output| output.name.value.clone()).collect())
}

fn output(cx: &mut Cx<'_>, base: &ast::Expr, name: &ast::Name) -> Option<OutputId> {
    let stage = match &base.kind {
        ast::ExprKind::Name(stage) => stage,
        // A leg of a loop; loops have their own diagnostic.
        ast::ExprKind::Index { .. } => {
            cx.mention_words(base.span);
            return None;
        }
        _ => {
            let message = format!("`{}` is no stage", cx.sources.slice(base.span));
            return cx.error(codes::WRONG_KIND, base.span, message, "write `stage.output`");
        }
    };
    let id = match cx.look_up(stage, Wanted::Stage)? {
        Decl::Node(id) if cx.model.nodes[id].keyword == "stage" => id,
        decl => return cx.wrong_kind(stage, decl, Wanted::Stage),
    };
    // A stage that could not be understood makes anything.
    let outputs = output_names(cx, id)?;
    if let Some(index) = outputs.iter().position(|output| *output == name.text) {
        return Some(OutputId { node: id, index: index as u32 });
    }
    let opaque = |what: &str| cx.model.opaque.contains(&format!("{}.{what}", stage.text));
    if opaque(&name.text) || opaque("*") {
        return None;
    }
    let message = format!("the stage `{}` has no output `{}`", stage.text, name.text);
    let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message)
        .label(cx.model.place(id), format!("`{}` is declared here", stage.text));
    let names: Vec<_> = outputs.iter().map(|output| format!("`{output}`")).collect();
    if let Some(near) = nearest(&name.text, outputs.iter().map(String::as_str)) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        diagnostic = diagnostic.fix_near(name.span, &name.text, near, outputs.iter().map(String::as_str));
    } else if names.is_empty() {
        diagnostic = diagnostic.help(format!("add `out {}: File = \"…\"` to it", name.text));
    } else {
        diagnostic = diagnostic.help(format!("its outputs are {}", names.join(", ")));
    }
    cx.report(diagnostic)
}

/// Resolves `models@production`.
pub(super) fn pointer(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Pointer> {
    let help = "write `registry@pointer`, as in `models@production`";
    let ast::ExprKind::Pointer { base, name } = &written.kind else {
        let message = format!("`{}` is no pointer of a registry", cx.sources.slice(written.span));
        return cx.error(codes::WRONG_KIND, written.span, message, help);
    };
    let ast::ExprKind::Name(registry) = &base.kind else {
        return cx.error(codes::WRONG_KIND, base.span, "no registry", help);
    };
    cx.spelling(name, false);
    match cx.look_up(registry, Wanted::Registry)? {
        Decl::Registry(registry) => Some(Pointer { registry, name: name.text.clone() }),
        decl => cx.wrong_kind(registry, decl, Wanted::Registry),
    }
}

/// Resolves the name of a node.
pub(super) fn node(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Spanned<NodeId>> {
    match &written.kind {
        ast::ExprKind::Name(name) => match cx.look_up(name, Wanted::Node)? {
            Decl::Node(id) => Some(Spanned::new(id, written.span)),
            decl => cx.wrong_kind(name, decl, Wanted::Node),
        },
        ast::ExprKind::Index { .. } => {
            cx.mention_words(written.span);
            None
        }
        ast::ExprKind::Field { base, .. } => {
            let message = format!("`{}` is an artifact, and nodes are waited for", cx.sources.slice(written.span));
            let help = match &base.kind {
                ast::ExprKind::Name(stage) => format!("write `after {}`", stage.text),
                _ => String::new(),
            };
            cx.mention_words(written.span);
            cx.error(codes::WRONG_KIND, written.span, message, &help)
        }
        _ => {
            let message = format!("`{}` is no node", cx.sources.slice(written.span));
            cx.error(codes::WRONG_KIND, written.span, message, "name a stage, gate, approval, release or action")
        }
    }
}

/// Resolves the name of a node of one kind.
pub(super) fn node_of(cx: &mut Cx<'_>, name: &ast::Name, keyword: &str, wanted: Wanted) -> Option<NodeId> {
    match cx.look_up(name, wanted)? {
        Decl::Node(id) if cx.model.nodes[id].keyword == keyword => Some(id),
        decl => cx.wrong_kind(name, decl, wanted),
    }
}

/// Resolves what is decided about: a release by its name, or an artifact.
pub(super) fn subject(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Subject> {
    if let ast::ExprKind::Name(name) = &written.kind
        && let Some((Decl::Node(id), _)) = cx.peek(&name.text)
        && cx.model.nodes[id].keyword == "register"
    {
        cx.mention(&name.text);
        return Some(Subject::Release(id));
    }
    if let ast::ExprKind::Name(name) = &written.kind
        && cx.peek(&name.text).is_none()
    {
        cx.unknown(name, Wanted::Release);
        return None;
    }
    origin(cx, written).map(Subject::Artifact)
}
