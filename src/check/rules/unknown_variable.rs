//! Variables in scripts: a near miss of a declared name is a slip; another one that nothing sets is worth a word.

use std::collections::HashSet;

use super::common::{likely_release, works};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{self, Model, NodeId, NodeKind, OF_RELEASE, Origin, Work};
use crate::source::Span;
use crate::syntax::shell;
use crate::types::{Command, Interpreter};

pub(in crate::check) struct UnknownVariable;

impl Rule for UnknownVariable {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let params: HashSet<&str> = subject.model.params.iter().map(|(_, param)| param.name.value.as_str()).collect();
        for (id, work) in works(subject.model) {
            if let (Some(Command::Script { interpreter: Interpreter::Bash | Interpreter::Sh, .. }), Some(span)) =
                (&work.command, work.script_span)
            {
                check(subject, &params, id, work, span, found);
            }
        }
    }
}

fn check(
    subject: &Subject<'_>,
    params: &HashSet<&str>,
    id: NodeId,
    work: &Work,
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    let text = subject.sources.slice(span);
    let known: HashSet<&str> =
        work.locals.iter().map(|local| local.value.as_str()).chain(work.pass_env.iter().map(String::as_str)).collect();
    let mut assigned: Option<HashSet<&str>> = None;
    let mut told: HashSet<&str> = HashSet::new();
    for shell::Read { at, name, has_default } in shell::reads(text) {
        // A language's own names are lower case; what has a default needs nobody who sets it.
        let is_ours =
            name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains(|c: char| c.is_ascii_uppercase());
        if !is_ours
            || has_default
            || known.contains(name)
            || assigned.get_or_insert_with(|| shell::sets(text)).contains(name)
            || !told.insert(name)
        {
            continue;
        }
        let start = span.start + at as u32;
        let place = Span::new(span.file, start, start + name.len() as u32);
        found.push(describe(subject, params, id, work, place, name));
    }
}

fn describe(
    subject: &Subject<'_>,
    params: &HashSet<&str>,
    id: NodeId,
    work: &Work,
    place: Span,
    name: &str,
) -> Diagnostic {
    let node = &subject.model.nodes[id].name.value;
    if params.contains(name) {
        let message = format!("`{node}` does not use the parameter `{name}`, so its script does not see it");
        return Diagnostic::new(codes::UNKNOWN_VARIABLE, place, message).help(format!("add `use {name}`")).add_clause(
            subject.sources,
            work.command_span,
            &format!("use {name}"),
        );
    }
    // Two names of a letter or two are near each other whatever they are.
    let long = work.locals.iter().map(|local| local.value.as_str()).filter(|local| local.len().min(name.len()) > 2);
    let near = nearest(name, long);
    if let Some(near) = near
        && let Some(local) = work.locals.iter().find(|local| local.value == near)
    {
        let message = format!("no variable `{name}` in `{node}`");
        return Diagnostic::new(codes::UNKNOWN_VARIABLE, place, message)
            .label(local.span, format!("`{near}` is declared here"))
            .help(format!("did you mean `${near}`?"))
            .fix_near(place, name, near, work.locals.iter().map(|local| local.value.as_str()));
    }
    let message = format!("nothing sets `{name}`");
    // `in data = prepare.train` gives the input its own name, not the output's.
    let renamed = work.inputs.iter().find(|input| match input.origin {
        Origin::Output(id) => subject.model.output(id).is_some_and(|output| output.name.value == name),
        Origin::Source(_) | Origin::Pointer(_) => false,
    });
    if let Some(input) = renamed {
        return Diagnostic::new(codes::UNSET_VARIABLE, place, message)
            .label(input.span, format!("its name here is `{}`", input.name.value))
            .help(format!("write `${}`", input.name.value));
    }
    if let Some(help) = of_release(subject.model, id, place, name) {
        return Diagnostic::new(codes::UNSET_VARIABLE, place, message).help(help);
    }
    let help = match subject.model.forgotten_input(&work.inputs, place, name) {
        Some(input) => {
            format!("{input}; or declare it as an output or parameter, or let it through: `pass_env [\"{name}\"]`")
        }
        None => format!("declare it as an input, output or parameter, or let it through: `pass_env [\"{name}\"]`"),
    };
    Diagnostic::new(codes::UNSET_VARIABLE, place, message).help(help)
}

/// Returns what to write where an action asks for what only one `of` a release is told. To read the model instead would act on it without
/// its release.
fn of_release(model: &Model, id: NodeId, place: Span, name: &str) -> Option<String> {
    let node = &model.nodes[id];
    let NodeKind::Action(action) = &node.kind else { return None };
    if matches!(action.of, Some(model::Subject::Release(_))) || !OF_RELEASE.contains(&name) {
        return None;
    }
    let (release, node) = (likely_release(model, place)?, &node.name.value);
    Some(format!("an action of a release has it: `action {node} of {release}`"))
}
