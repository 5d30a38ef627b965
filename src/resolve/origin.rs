//! References: artifacts, pointers, nodes, subjects.

use super::cx::{Cx, Decl, Wanted};
use super::legs;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{NodeId, Origin, OutputId, Pointer, Subject};
use crate::source::Spanned;
use crate::syntax::ast;
use crate::types::{Expr, REGISTRY_OWN};

/// Artifacts that are named together.
pub(super) struct Origins {
    pub(super) origins: Vec<Origin>,
    /// They are a list, also where it has one element.
    pub(super) list: bool,
}

/// Resolves a reference to an artifact: `raw`, `train.model`, `models@production`, `train["nord", 1].model`.
pub(super) fn origin(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Origin> {
    let found = origins(cx, written)?;
    if found.list {
        let message = format!("`{}` is a list, and one artifact is needed", cx.sources.slice(written.span));
        let help = "name one leg, with a value in place of each `*`";
        return cx.error(codes::WRONG_INDEX, written.span, message, help);
    }
    found.origins.into_iter().next()
}

/// Resolves a reference to an artifact, or to those of several legs: `train["nord", *].model`.
pub(super) fn origins(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Origins> {
    let one = |origin: Origin| Some(Origins { origins: vec![origin], list: false });
    match &written.kind {
        ast::ExprKind::Name(name) => match cx.look_up(name, Wanted::Artifact)? {
            Decl::Source(id) => one(Origin::Source(id)),
            Decl::Node(id) if cx.model.nodes[id].keyword == "stage" => needs_output(cx, name, id),
            Decl::Family(_) => {
                let named = legs::named(cx, written, Wanted::Stage)?;
                needs_output(cx, name, *named.ids.first()?)
            }
            decl => cx.wrong_kind(name, decl, Wanted::Artifact),
        },
        ast::ExprKind::Field { base, name } => outputs(cx, base, name),
        ast::ExprKind::Pointer { .. } => one(Origin::Pointer(pointer(cx, written)?)),
        ast::ExprKind::Index { .. } => {
            let named = legs::named(cx, written, Wanted::Stage)?;
            needs_output(cx, named.name, *named.ids.first()?)
        }
        ast::ExprKind::Optional(inner) => cx
            .error(codes::MISPLACED_CLAUSE, written.span, "only an input may be absent", "remove the `?`")
            .or_else(|| origins(cx, inner)),
        ast::ExprKind::Str(path) => {
            let message = "a path is no artifact that mlpc knows";
            let path = path.plain().unwrap_or("…");
            let file = path.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
            let tame = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let fits = file.starts_with(|c: char| c.is_ascii_lowercase()) && file.chars().all(tame);
            let name = if fits { file } else { "raw" };
            let help = format!("declare it: `source {name}: File = \"{path}\"`, and write `{name}` here");
            cx.error(codes::WRONG_KIND, written.span, message, &help)
        }
        _ => {
            let message = format!("`{}` is no artifact", cx.sources.slice(written.span));
            cx.error(codes::WRONG_KIND, written.span, message, "name a source or `stage.output`")
        }
    }
}

fn needs_output<T>(cx: &mut Cx<'_>, name: &ast::Name, id: NodeId) -> Option<T> {
    let outputs = output_names(cx, id)?;
    let help = match outputs.first() {
        Some(first) => format!("name one of its outputs: `{}.{first}`", name.text),
        None => "it has no outputs".to_owned(),
    };
    let message = format!("`{}` is a stage, and an artifact is needed", name.text);
    cx.error(codes::WRONG_KIND, name.span, message, &help)
}

fn output_names(cx: &Cx<'_>, id: NodeId) -> Option<Vec<String>> {
    let stage = cx.model.stage(id)?;
    Some(stage.outputs.iter().map(|output| output.name.value.clone()).collect())
}

fn outputs(cx: &mut Cx<'_>, base: &ast::Expr, name: &ast::Name) -> Option<Origins> {
    let named = legs::named(cx, base, Wanted::Stage)?;
    let (stage, list) = (named.name, named.list);
    let &first = named.ids.first()?;
    if cx.model.nodes[first].keyword != "stage" {
        return cx.wrong_kind(stage, Decl::Node(first), Wanted::Stage);
    }
    let index = output(cx, stage, first, name)?;
    // Legs have the same outputs, but for those of which a leg's path could not be understood.
    let mut origins = Vec::with_capacity(named.ids.len());
    for id in named.ids {
        let same = cx.model.stage(id)?.outputs.get(index as usize).is_some_and(|own| own.name.value == name.text);
        let index = if same { index } else { output(cx, stage, id, name)? };
        origins.push(Origin::Output(OutputId { node: id, index }));
    }
    Some(Origins { origins, list })
}

fn output(cx: &mut Cx<'_>, stage: &ast::Name, id: NodeId, name: &ast::Name) -> Option<u32> {
    // A stage that could not be understood makes anything.
    let Some(outputs) = output_names(cx, id) else {
        cx.undrafted = Some(stage.span.to(name.span));
        return None;
    };
    if let Some(index) = outputs.iter().position(|output| *output == name.text) {
        return Some(index as u32);
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
    if REGISTRY_OWN.contains(&name.as_str()) {
        let message = format!("`{}` can't be a pointer: a registry keeps its own files under this name", name.text);
        return cx.error(codes::RESERVED_NAME, name.span, message, "choose another one, such as `production`");
    }
    match cx.look_up(registry, Wanted::Registry)? {
        Decl::Registry(registry) => Some(Pointer { registry, name: name.text.clone() }),
        decl => cx.wrong_kind(registry, decl, Wanted::Registry),
    }
}

/// Returns the expression that reads a value output.
pub(super) fn value(cx: &Cx<'_>, id: OutputId) -> Expr {
    let output = cx.model.output(id).map(|output| output.name.value.clone()).unwrap_or_default();
    Expr::Output { stage: cx.model.nodes[id.node].name.value.clone(), output }
}

/// Resolves the names of nodes: one, or the legs that are named together; a loop's name alone is all of its legs.
pub(super) fn nodes(cx: &mut Cx<'_>, written: &ast::Expr) -> Vec<Spanned<NodeId>> {
    let span = written.span;
    let spanned = |ids: Vec<NodeId>| ids.into_iter().map(|id| Spanned::new(id, span)).collect();
    match &written.kind {
        ast::ExprKind::Name(name) => match cx.look_up(name, Wanted::Node) {
            Some(Decl::Node(id)) => spanned(vec![id]),
            Some(Decl::Family(family)) => spanned(cx.families[family].legs().collect()),
            Some(decl) => cx.wrong_kind(name, decl, Wanted::Node).unwrap_or_default(),
            None => Vec::new(),
        },
        ast::ExprKind::Index { .. } => {
            legs::named(cx, written, Wanted::Node).map(|named| spanned(named.ids)).unwrap_or_default()
        }
        ast::ExprKind::Field { base, .. } => {
            let message = format!("`{}` is an artifact, and nodes are waited for", cx.sources.slice(span));
            let help = match &base.kind {
                ast::ExprKind::Name(_) | ast::ExprKind::Index { .. } => {
                    format!("write `after {}`", cx.sources.slice(base.span))
                }
                _ => String::new(),
            };
            cx.mention_words(span);
            cx.error(codes::WRONG_KIND, span, message, &help).unwrap_or_default()
        }
        _ => {
            let message = format!("`{}` is no node", cx.sources.slice(span));
            let help = "name a stage, gate, approval, release or action";
            cx.error(codes::WRONG_KIND, span, message, help).unwrap_or_default()
        }
    }
}

/// Resolves a release: the name of a register node, or of one leg of it.
pub(super) fn release(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<NodeId> {
    let named = legs::named(cx, written, Wanted::Release)?;
    let &id = named.ids.first()?;
    if cx.model.nodes[id].keyword != "register" {
        return cx.wrong_kind(named.name, Decl::Node(id), Wanted::Release);
    }
    if named.list {
        let message = format!("`{}` is a list, and one release is needed", cx.sources.slice(written.span));
        return cx.error(codes::WRONG_INDEX, written.span, message, "name one leg, with a value in place of each `*`");
    }
    Some(id)
}

/// Resolves the approval that a gate asks; in a loop, the leg with the same values.
pub(super) fn asked(cx: &mut Cx<'_>, name: &ast::Name) -> Option<NodeId> {
    if let Some((Decl::Family(family), _)) = cx.seen(name)
        && let Some(id) = legs::same_leg(cx, family)
        && cx.model.nodes[id].keyword == "approval"
    {
        cx.mention(&name.text);
        return Some(id);
    }
    node_of(cx, name, "approval", Wanted::Approval)
}

/// Resolves the name of a node of one kind.
pub(super) fn node_of(cx: &mut Cx<'_>, name: &ast::Name, keyword: &str, wanted: Wanted) -> Option<NodeId> {
    match cx.look_up(name, wanted)? {
        Decl::Node(id) if cx.model.nodes[id].keyword == keyword => Some(id),
        Decl::Family(family) if cx.families[family].keyword == keyword => {
            let own = ast::Expr { kind: ast::ExprKind::Name(name.clone()), span: name.span };
            legs::named(cx, &own, wanted)?.ids.first().copied()
        }
        decl => cx.wrong_kind(name, decl, wanted),
    }
}

/// Resolves what is decided about: a release by its name, or an artifact.
pub(super) fn subject(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Subject> {
    let name = match &written.kind {
        ast::ExprKind::Name(name) => Some(name),
        ast::ExprKind::Index { base, .. } => match &base.kind {
            ast::ExprKind::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    };
    let register = match name.and_then(|name| cx.seen(name)) {
        Some((Decl::Node(id), _)) => cx.model.nodes[id].keyword == "register",
        Some((Decl::Family(family), _)) => cx.families[family].keyword == "register",
        _ => false,
    };
    if register {
        return release(cx, written).map(Subject::Release);
    }
    if let ast::ExprKind::Name(name) = &written.kind
        && cx.seen(name).is_none()
    {
        cx.unknown(name, Wanted::Release);
        return None;
    }
    origin(cx, written).map(Subject::Artifact)
}
