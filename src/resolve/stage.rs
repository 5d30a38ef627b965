//! Stages: first what each puts out, so that others can name it, then the rest.

use std::collections::{HashMap, HashSet};

use super::cx::{Cx, Unread};
use super::fields::text;
use super::local::Locals;
use super::work::{self, Kind};
use super::{header, legs, paths, ty};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{NodeId, NodeKind, Origin, Output, Stage, ValueOutput};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Artifact, Type, as_pointer};

/// Longest chain of stages that are made from each other.
const LONGEST: usize = 64;

/// A stage whose clauses are known and whose outputs are in the model.
pub(super) struct Draft<'a> {
    id: NodeId,
    header: &'a ast::Header,
    clauses: Clauses<'a>,
}

enum Clauses<'a> {
    Written(&'a [ast::Clause]),
    Made(Vec<ast::Clause>),
}

impl Clauses<'_> {
    fn list(&self) -> &[ast::Clause] {
        match self {
            Clauses::Written(list) => list,
            Clauses::Made(list) => list,
        }
    }
}

/// What a stage puts out.
pub(super) struct Drafted {
    stage: Box<Stage>,
    /// Those that could not be understood.
    opaque: Vec<String>,
}

/// Resolves the outputs of a stage, and writes nothing to the model. Returns none for a stage that is understood no further.
pub(super) fn draft<'a>(
    cx: &mut Cx<'_>,
    id: NodeId,
    item: &'a ast::Stage,
    stages: &HashMap<&'a str, &'a ast::Stage>,
) -> Option<(Draft<'a>, Drafted)> {
    let mut shared = Vec::new();
    let (header, clauses) = match &item.body {
        ast::StageBody::Clauses(clauses) => (&item.header, Clauses::Written(clauses)),
        ast::StageBody::With { .. } => {
            let (base, made) = with(cx, item, stages, &mut shared)?;
            let own = &item.header;
            let bare = own.when.is_none() && own.after.is_empty() && own.ungated.is_none();
            (if bare { &base.header } else { own }, Clauses::Made(made))
        }
    };
    let mut drafted = Drafted { stage: Box::default(), opaque: Vec::new() };
    for clause in clauses.list() {
        if let ast::StageClause::Out(written) = &clause.kind {
            if let Some(first) = drafted.stage.outputs.iter().find(|output| output.name.value == written.name.text) {
                let first = first.name.span;
                super::declared::duplicate(cx, &written.name, first);
                continue;
            }
            match output(cx, written) {
                Some(mut output) => {
                    // That it has no path of its own is said already.
                    if shared.contains(&output.name.value) {
                        output.path = None;
                    }
                    drafted.stage.outputs.push(output);
                }
                None => drafted.opaque.push(format!("{}.{}", item.name.text, written.name.text)),
            }
        }
    }
    drafted.stage.outputs.shrink_to_fit();
    Some((Draft { id, header, clauses }, drafted))
}

/// Puts into the model what a stage puts out.
pub(super) fn put_draft(cx: &mut Cx<'_>, draft: &Draft<'_>, drafted: Drafted) {
    let model = cx.model.to_mut();
    model.opaque.extend(drafted.opaque);
    model.nodes[draft.id].kind = NodeKind::Stage(drafted.stage);
}

/// Returns the loop of a stage: its own, or that of the stage that it is made from.
pub(super) fn loops<'a>(item: &'a ast::Stage, stages: &HashMap<&'a str, &'a ast::Stage>) -> &'a [ast::Loop] {
    let mut current = item;
    for _ in 0..LONGEST {
        let ast::StageBody::With { base, .. } = &current.body else { break };
        if !current.header.loops.is_empty() {
            break;
        }
        let Some(next) = stages.get(base.as_str()) else { break };
        current = next;
    }
    &current.header.loops
}

fn output(cx: &mut Cx<'_>, written: &ast::Output) -> Option<Output> {
    cx.spelling(&written.name, false);
    let written_ty = ty::any(cx, &written.ty);
    let value = match &written_ty {
        Some(Type::Artifact(_)) | None => None,
        Some(ty) => Some(value_output(cx, written, ty.clone())?),
    };
    let place = match &value {
        Some((place, _)) => *place,
        None => &written.value,
    };
    let lacking = legs::unmentioned(cx, place);
    let path = match &place.kind {
        _ if !lacking.is_empty() => {
            let names: Vec<String> = lacking.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("the path of `{}` does not hold {}", written.name.text, names.join(", "));
            let braces: Vec<String> = lacking.iter().map(|name| format!("{{{name}}}")).collect();
            let help = format!("put `{}` into it: each leg writes to a path of its own", braces.join("/"));
            cx.error(codes::PATH_OF_ALL_LEGS, written.value.span, message, &help)
        }
        ast::ExprKind::Call { .. } => {
            cx.mention_words(written.value.span);
            cx.error(codes::WRONG_TYPE, written.value.span, "an output needs the path at which it is written", "")
        }
        _ => text(cx, place).and_then(|path| paths::inside(cx, &path)),
    };
    let ty = match written_ty {
        Some(Type::Artifact(ty)) => ty,
        Some(_) => Artifact::File,
        None => return None,
    };
    Some(Output {
        name: Cx::own(&written.name),
        doc: written.docs.as_ref().map(|docs| docs.text.clone()),
        ty,
        value: value.map(|(_, value)| value),
        path,
        always: written.always.is_some(),
        of: None,
        says_of: written.of.is_some(),
        over: None,
        split: written.split.as_ref().map(|split| split.text.clone()),
    })
}

/// Resolves `json("stats.json", "/rows")`: where the file is, and what is read from it.
fn value_output<'w>(cx: &mut Cx<'_>, written: &'w ast::Output, ty: Type) -> Option<(&'w ast::Expr, ValueOutput)> {
    if let Some(of) = written.of.as_ref().or(written.over.as_ref()) {
        let help = "make it a metric: `out report: Metrics<Evaluation> of model = \"report.json\"`";
        cx.error::<()>(codes::MISPLACED_CLAUSE, of.span, "a value does not say what it measures", help);
    }
    let span = written.value.span;
    let help = format!("write `out {}: {ty} = json(\"stats.json\", \"/{0}\")`", written.name.text);
    let ast::ExprKind::Call { callee, args } = &written.value.kind else {
        cx.mention_words(span);
        let message = format!("a value of type `{ty}` is read from a file that the stage writes");
        return cx.error(codes::WRONG_TYPE, span, message, &help);
    };
    let [ast::Arg { name: None, value: path }, ast::Arg { name: None, value: pointer }] = args.as_slice() else {
        cx.mention_words(span);
        return cx.error(codes::WRONG_TYPE, span, "a value is read from a file, at a place in it", &help);
    };
    if !matches!(&callee.kind, ast::ExprKind::Name(name) if name.text == "json") {
        cx.mention_words(span);
        return cx.error(codes::UNKNOWN_NAME, callee.span, "values are read by `json` alone", &help);
    }
    let pointer = text(cx, pointer)?;
    if !pointer.value.is_empty() && !pointer.value.starts_with('/') {
        let help = format!("write `\"{}\"`", as_pointer(&pointer.value));
        return cx.error(codes::WRONG_TYPE, pointer.span, format!("`{}` is no JSON pointer", pointer.value), &help);
    }
    Some((path, ValueOutput { ty, pointer: pointer.value }))
}

/// Makes the clauses of `stage x = y with { … }`, with the stage at the end of the chain. `shared` gets the outputs
/// that have no path of their own.
fn with<'a>(
    cx: &mut Cx<'_>,
    item: &'a ast::Stage,
    stages: &HashMap<&'a str, &'a ast::Stage>,
    shared: &mut Vec<String>,
) -> Option<(&'a ast::Stage, Vec<ast::Clause>)> {
    let mut chain = vec![item];
    let mut seen = HashSet::from([item.name.as_str()]);
    let mut current = item;
    let (root, clauses) = loop {
        let base = match &current.body {
            ast::StageBody::Clauses(clauses) => break (current, clauses),
            ast::StageBody::With { base, .. } => base,
        };
        let Some(next) = stages.get(base.as_str()).copied() else {
            let decl = cx.look_up(base, super::cx::Wanted::Stage)?;
            return cx.wrong_kind(base, decl, super::cx::Wanted::Stage);
        };
        cx.mention(&base.text);
        if !seen.insert(next.name.as_str()) {
            let message = format!("the stage `{}` is made of itself", item.name.text);
            return cx.error(codes::CYCLE, base.span, message, "write one of them out with its clauses");
        }
        if matches!(next.body, ast::StageBody::With { .. }) {
            chain.push(next);
        }
        if chain.len() > LONGEST {
            let message = format!(
                "`{}` is made from a stage that is made from a stage, more than {LONGEST} times",
                item.name.text
            );
            return cx.error(codes::NESTING_TOO_DEEP, base.span, message, "write one of them out with its clauses");
        }
        current = next;
    };
    let mut made = clauses.clone();
    while let Some(stage) = chain.pop() {
        if let ast::StageBody::With { base, changes } = &stage.body {
            let missing = change(cx, stage, base, changes, &mut made);
            if stage.name.span == item.name.span {
                *shared = missing;
            }
        }
    }
    Some((root, made))
}

fn change(
    cx: &mut Cx<'_>,
    stage: &ast::Stage,
    base: &ast::Name,
    changes: &ast::Record,
    clauses: &mut [ast::Clause],
) -> Vec<String> {
    let mut left: Vec<&ast::Field> = Vec::new();
    for field in &changes.fields {
        if let Some(first) = left.iter().find(|first| first.key.text == field.key.text) {
            let first = first.key.span;
            super::declared::duplicate(cx, &field.key, first);
        } else {
            left.push(field);
        }
    }
    let mut known: Vec<String> = Vec::new();
    let mut missing: Vec<(String, Span)> = Vec::new();
    let mut used: HashSet<&str> = HashSet::new();
    for clause in clauses {
        match &mut clause.kind {
            ast::StageClause::In(inputs) => {
                for input in inputs {
                    known.push(input.name.text.clone());
                    if let Some(field) = left.iter().find(|field| field.key.text == input.name.text) {
                        used.insert(field.key.as_str());
                        input.value = Some(field.value.clone());
                    }
                }
            }
            ast::StageClause::Out(output) => {
                known.push(output.name.text.clone());
                match left.iter().find(|field| field.key.text == output.name.text) {
                    Some(field) => {
                        used.insert(field.key.as_str());
                        output.value = field.value.clone();
                    }
                    None => missing.push((output.name.text.clone(), output.name.span)),
                }
            }
            _ => {}
        }
    }
    for field in left.iter().filter(|field| !used.contains(field.key.as_str())) {
        let message = format!("the stage `{}` has no input or output `{}`", base.text, field.key.text);
        let mut diagnostic = Diagnostic::new(codes::UNKNOWN_FIELD, field.key.span, message);
        if let Some(near) = nearest(&field.key.text, known.iter().map(String::as_str)) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else {
            let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            diagnostic = diagnostic.help(format!("it has {}", names.join(", ")));
        }
        cx.diagnostics.push(diagnostic);
    }
    for (name, place) in &missing {
        let message = format!("`{}` would write its output `{name}` where `{}` does", stage.name.text, base.text);
        let diagnostic = Diagnostic::new(codes::OUTPUT_NOT_RENAMED, stage.name.span, message)
            .label(*place, "this output")
            .help(format!("give it another path: `{name}: \"…\"`"));
        cx.diagnostics.push(diagnostic);
    }
    missing.into_iter().map(|(name, _)| name).collect()
}

/// What a node is, beside what was known of it when it got its row.
pub(super) struct Finished {
    id: NodeId,
    head: header::Head,
    stage: Box<Stage>,
    /// Of each output, where it says so: the model that it measures, and the data.
    measured: Vec<(usize, Option<Origin>, Option<Origin>)>,
}

/// Resolves the rest of a stage. Reads of the model what is there of all stages, and writes nothing to it.
pub(super) fn finish(cx: &mut Cx<'_>, draft: &Draft<'_>) -> Finished {
    let head = header::read(cx, draft.header, false);
    let mut locals = Locals::of_leg(cx);
    let mut stage = Box::<Stage>::default();
    work::resolve(cx, draft.clauses.list(), Kind::Stage(&mut stage), &mut locals);
    stage.work.variables = cx.variables.iter().map(|(name, value, _)| (name.value.clone(), value.clone())).collect();
    stage.work.locals = locals.into_names();
    stage.work.fit();
    let measured = measured(cx, draft, &stage);
    Finished { id: draft.id, head, stage, measured }
}

/// Puts a stage into the model.
pub(super) fn put(cx: &mut Cx<'_>, finished: Finished) {
    let Finished { id, head, mut stage, measured } = finished;
    header::put(cx, id, head);
    let node = &mut cx.model.to_mut().nodes[id];
    if let NodeKind::Stage(drafted) = &mut node.kind {
        stage.outputs = std::mem::take(&mut drafted.outputs);
        for (index, of, over) in measured {
            stage.outputs[index].of = of;
            stage.outputs[index].over = over;
        }
        *drafted = stage;
    }
}

/// Resolves `of … over …` of the outputs, which may name inputs.
fn measured(cx: &mut Cx<'_>, draft: &Draft<'_>, stage: &Stage) -> Vec<(usize, Option<Origin>, Option<Origin>)> {
    let mut found = Vec::new();
    for clause in draft.clauses.list() {
        let ast::StageClause::Out(written) = &clause.kind else { continue };
        let drafted = cx.model.stage(draft.id).map_or(&[][..], |stage| &stage.outputs);
        let Some(index) = drafted.iter().position(|output| output.name.span == written.name.span) else {
            continue;
        };
        let of = written.of.as_ref().and_then(|of| input_origin(cx, stage, of));
        let over = written.over.as_ref().and_then(|over| input_origin(cx, stage, over));
        if let (Some(of), Some(over), Some(written)) = (&of, &over, &written.over)
            && of == over
        {
            let message = "what is measured and what it is measured over are one thing".to_owned();
            cx.error::<()>(
                codes::WRONG_KIND,
                written.span,
                message,
                "name the data behind `over`: `of model over data as test`",
            );
        }
        found.push((index, of, over));
        if written.of.is_none()
            && let Some(extra) = written.over.as_ref().map(|over| over.span)
        {
            let help = "write `of model over data as test`";
            cx.error::<()>(codes::MISSING_CLAUSE, extra, "it does not say what was measured", help);
        }
    }
    found
}

/// Returns the origin of what an output is `of` or `over`: one of the stage's inputs, or what one of them is.
fn input_origin(cx: &mut Cx<'_>, stage: &Stage, written: &ast::Expr) -> Option<Origin> {
    let span = written.span;
    if let ast::ExprKind::Name(name) = &written.kind {
        if let Some(input) = stage.work.inputs.iter().find(|input| input.name.value == name.text) {
            if input.kind.is_artifact() {
                return Some(input.origin.clone());
            }
            let message = format!("`{}` is no single file", name.text);
            let help = "measure one model over one data set, and gather the reports: `on evaluate[*].report`";
            return cx.error(codes::WRONG_KIND, span, message, help);
        }
        // An input that could not be understood has its diagnostic already.
        if stage.work.locals.iter().any(|local| local.value == name.text) {
            return None;
        }
        if cx.seen(name).is_none() {
            let message = format!("no input, source or stage `{}`", name.text);
            cx.unread = Some(Unread { message, place: span, inputs: stage.work.inputs.clone() });
        }
    }
    let origin = super::origin::origin(cx, written);
    cx.unread = None;
    let origin = origin?;
    if stage.work.inputs.iter().all(|input| input.origin != origin) {
        let text = cx.sources.slice(span).to_owned();
        let message = format!("`{text}` is measured here, and this stage does not read it");
        return cx.error(codes::UNKNOWN_NAME, span, message, &format!("add an input: `in model = {text}`"));
    }
    Some(origin)
}

/// Tells whether an artifact can be a release.
pub(super) fn releasable(ty: &Artifact) -> bool {
    !matches!(
        ty,
        Artifact::Metrics { .. }
            | Artifact::Tests
            | Artifact::Report
            | Artifact::Plot
            | Artifact::Predictions(_)
            | Artifact::Dataset { .. }
    )
}
