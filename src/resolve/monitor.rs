//! Monitors: what a schedule looks at, beside the runs.

use super::cx::{Cx, Decl, Wanted};
use super::expr::{Scope, Typed, expr};
use super::fields::{duration, whole};
use super::gate::Settings;
use super::local::Locals;
use super::work::{self, Kind};
use super::{requirement, trigger};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::Level;
use crate::model::{Action, Evidence, Gate, Monitor, Origin, Reaction, Work};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Expr, Type};

/// Makes the row of a monitor.
pub(super) fn empty(name: Spanned<String>, doc: Option<String>, span: Span) -> Monitor {
    Monitor {
        name,
        doc,
        span,
        when: None,
        every: None,
        work: Work::default(),
        current: None,
        reference: None,
        gate: gate(true),
        on_breach: Vec::new(),
        cooldown: None,
    }
}

/// Resolves a monitor.
pub(super) fn resolve(cx: &mut Cx<'_>, index: usize, item: &ast::Monitor) {
    let name = &item.name;
    header(cx, index, item);
    let mut clauses = Vec::new();
    let mut every: Option<(Option<i64>, Span)> = None;
    let mut cooldown: Option<(Option<i64>, Span)> = None;
    let mut settings = Settings::default();
    for clause in &item.clauses {
        match clause {
            ast::MonitorClause::Stage(clause) => match &clause.kind {
                ast::StageClause::Code(_) | ast::StageClause::Use(_) | ast::StageClause::Runtime(_) => {
                    cx.mention_words(clause.span);
                    let help = "remove it here; what a program has to compute is computed by a stage";
                    cx.error::<()>(codes::MISPLACED_CLAUSE, clause.span, "a monitor runs no command", help);
                }
                _ => clauses.push(clause.clone()),
            },
            ast::MonitorClause::Every { interval, span } => match every {
                Some((_, first)) => trigger::again(cx, *span, first, "`every` is said twice"),
                None => every = Some((duration(cx, interval), *span)),
            },
            ast::MonitorClause::Cooldown { duration: time, span } => match cooldown {
                Some((_, first)) => trigger::again(cx, *span, first, "`cooldown` is said twice"),
                None => cooldown = Some((duration(cx, time), *span)),
            },
            ast::MonitorClause::Setting(setting) => settings.min_n = whole(cx, &setting.value, 1, i64::MAX),
            _ => {}
        }
    }
    let mut locals = Locals::default();
    let mut action = Action::default();
    work::resolve(cx, &clauses, Kind::Action(&mut action), &mut locals);
    let input = |word: &str| action.work.inputs.iter().find(|input| input.name.value == word);
    let current = input("current").map(|input| Spanned::new(input.origin.clone(), input.span));
    let reference = input("reference").map(|input| Spanned::new(input.origin.clone(), input.span));
    inputs(cx, name, &action.work, locals.get("current").is_some());
    let mut gate = gate(current.is_none());
    gate.evidence.extend(current.as_ref().and_then(|current| evidence(cx, "current", current)));
    gate.reference = reference.as_ref().and_then(|reference| evidence(cx, "reference", reference));
    gate.partial |= reference.is_some() != gate.reference.is_some();
    let mut required = false;
    let mut understood = true;
    let mut reactions: Vec<(Reaction, Span)> = Vec::new();
    for clause in &item.clauses {
        match clause {
            ast::MonitorClause::Require(line) => {
                required = true;
                line_of(cx, line, Level::Require, &mut gate, &settings, &mut understood);
            }
            ast::MonitorClause::Warn(line) => {
                line_of(cx, line, Level::Warn, &mut gate, &settings, &mut understood);
            }
            ast::MonitorClause::OnBreach { reaction: written, span } => {
                reactions.extend(reaction(cx, written).map(|found| (found, *span)));
            }
            _ => {}
        }
    }
    let torn = cx.model.opaque.contains(&format!("{}.*", name.text));
    gate.partial |= !understood || torn;
    let reacts = item.clauses.iter().any(|clause| matches!(clause, ast::MonitorClause::OnBreach { .. }));
    if !torn {
        if every.is_none() {
            let message = format!("nothing ever starts the monitor `{}`", name.text);
            cx.error::<()>(codes::MONITOR_NEVER_STARTED, name.span, message, "add `every 1d`");
        }
        if !required {
            let message = format!("the monitor `{}` requires nothing", name.text);
            cx.error::<()>(codes::MISSING_CLAUSE, name.span, message, "add a line such as `require psi(*) < 0.2`");
        }
        if !reacts {
            let message = format!("nothing happens where the monitor `{}` finds a breach", name.text);
            let help = "add `on breach: emit \"EVENT\" { … }` with a `cooldown`, or `on breach: notify NAME`";
            cx.error::<()>(codes::MISSING_CLAUSE, name.span, message, help);
        }
        let emits = reactions.iter().find(|(reaction, _)| matches!(reaction, Reaction::Emit { .. }));
        if let (Some((_, place)), None) = (emits, &cooldown) {
            let message = format!("without a pause a noisy `{}` would start run after run", name.text);
            cx.error::<()>(codes::MISSING_CLAUSE, *place, message, "add `cooldown 7d`");
        }
    }
    let monitor = &mut cx.model.to_mut().monitors[index];
    monitor.every = every.and_then(|(time, _)| time);
    monitor.cooldown = cooldown.and_then(|(time, _)| time);
    monitor.work = action.work;
    monitor.current = current;
    monitor.reference = reference;
    monitor.gate = gate;
    monitor.on_breach = reactions.into_iter().map(|(reaction, _)| reaction).collect();
}

/// Makes a gate that requires nothing yet.
fn gate(partial: bool) -> Gate {
    Gate {
        evidence: Vec::new(),
        baseline: None,
        reference: None,
        monitors: true,
        requirements: Vec::new(),
        blocks: true,
        partial,
    }
}

fn evidence(cx: &Cx<'_>, word: &str, input: &Spanned<Origin>) -> Option<Evidence> {
    let ty = cx.model.artifact(&input.value)?;
    Some(Evidence { alias: Some(word.to_owned()), origin: input.value.clone(), list: None, ty, span: input.span })
}

/// A monitor is no part of a run: of what may stand before its body only `when` means something.
fn header(cx: &mut Cx<'_>, index: usize, item: &ast::Monitor) {
    if let Some(when) = &item.header.when {
        cx.model.to_mut().monitors[index].when = super::expr::expect(cx, when, Scope::Known, &Type::Bool);
    }
    for after in &item.header.after {
        cx.mention_words(after.span);
        let message = "a monitor is started by its schedule, not by a run";
        cx.error::<()>(codes::MISPLACED_CLAUSE, after.span, message, "remove `after` here");
    }
    if let Some(first) = item.header.loops.first() {
        cx.mention_words(first.values.span);
        let message = "a monitor has no legs";
        cx.error::<()>(codes::MISPLACED_CLAUSE, first.span, message, "declare a monitor for each");
    }
}

fn inputs(cx: &mut Cx<'_>, name: &ast::Name, work: &Work, says_current: bool) {
    if !says_current {
        let message = format!("the monitor `{}` does not say what it looks at", name.text);
        cx.error::<()>(
            codes::MISSING_CLAUSE,
            name.span,
            message,
            "add `in current = SOURCE`, and `reference = SOURCE`",
        );
    }
    for input in &work.inputs {
        if let Origin::Output(made) = &input.origin {
            let stage = cx.model.nodes[made.node].name.clone();
            let message = format!("a monitor looks between runs, when `{}` has made nothing", stage.value);
            let diagnostic = Diagnostic::new(codes::WRONG_KIND, input.span, message)
                .label(stage.span, "declared here")
                .help("name a source, or what a registry's pointer names");
            cx.diagnostics.push(diagnostic);
        }
        if !["current", "reference"].contains(&input.name.value.as_str()) {
            let message = format!("a monitor looks at `current` and `reference`, not at `{}`", input.name.value);
            let help = format!("write `in current = {}`", input.name.value);
            cx.error::<()>(codes::MISPLACED_CLAUSE, input.span, message, &help);
        }
    }
}

/// Resolves a line, as in a gate that is on `current`.
fn line_of(
    cx: &mut Cx<'_>,
    written: &ast::Requirement,
    level: Level,
    gate: &mut Gate,
    settings: &Settings,
    understood: &mut bool,
) {
    if gate.partial {
        return cx.mention_words(written.span);
    }
    let line = requirement::resolve(cx, written, level, gate, settings);
    *understood &= line.is_some();
    gate.requirements.extend(line);
}

fn reaction(cx: &mut Cx<'_>, written: &ast::Reaction) -> Option<Reaction> {
    match written {
        ast::Reaction::Notify(name) => match cx.look_up(name, Wanted::Notify)? {
            Decl::Notify(index) => Some(Reaction::Notify(index)),
            decl => cx.wrong_kind(name, decl, Wanted::Notify),
        },
        ast::Reaction::Emit { event, payload } => {
            let mut fields: Vec<(Spanned<String>, Expr)> = Vec::new();
            for (at, field) in payload.iter().flat_map(|record| &record.fields).enumerate() {
                let earlier = payload.iter().flat_map(|record| &record.fields).take(at);
                if let Some(first) = earlier.into_iter().find(|first| first.key.text == field.key.text) {
                    super::declared::duplicate(cx, &field.key, first.key.span);
                    continue;
                }
                if let Some(value) = field_value(cx, event, field) {
                    fields.push((Cx::own(&field.key), value));
                }
            }
            let plain = event.plain()?;
            complete(cx, plain, event.span, payload.as_ref());
            Some(Reaction::Emit { event: Spanned::new(plain.to_owned(), event.span), payload: fields })
        }
    }
}

/// Returns what a listener of this file expects of an event.
fn expected(cx: &Cx<'_>, event: &str) -> Option<(Vec<(String, Type)>, Span)> {
    cx.model.triggers.iter().find_map(|trigger| match &trigger.kind {
        crate::types::TriggerKind::Event { name, payload } if name == event => Some((payload.clone(), trigger.span)),
        _ => None,
    })
}

fn field_value(cx: &mut Cx<'_>, event: &ast::Str, field: &ast::Field) -> Option<Expr> {
    let Typed { expr, ty } = expr(cx, &field.value, Scope::Known)?;
    let Some((payload, listener)) = event.plain().and_then(|event| expected(cx, event)) else { return Some(expr) };
    let Some((_, wanted)) = payload.iter().find(|(name, _)| *name == field.key.text) else {
        let message = format!("who listens expects no `{}`", field.key.text);
        let near = crate::diagnostic::nearest(&field.key.text, payload.iter().map(|(name, _)| name.as_str()));
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_FIELD, field.key.span, message).label(listener, "listens here");
        diagnostic = match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("declare it there, or remove it here"),
        };
        return cx.report(diagnostic);
    };
    super::expr::fitted(cx, field.value.span, Typed { expr, ty }, &wanted.clone())
}

/// Says which fields who listens waits for in vain.
fn complete(cx: &mut Cx<'_>, event: &str, place: Span, payload: Option<&ast::Record>) {
    let Some((expected, listener)) = expected(cx, event) else { return };
    for (name, ty) in expected {
        let given = payload.is_some_and(|record| record.get(&name).is_some());
        if !given && !matches!(ty, Type::Optional(_)) {
            let message = format!("`{event}` goes out without `{name}`, which who listens expects");
            let diagnostic = Diagnostic::new(codes::MISSING_CLAUSE, place, message)
                .label(listener, "listens here")
                .help(format!("add `{name}: …`, of type `{ty}`"));
            cx.diagnostics.push(diagnostic);
        }
    }
}
