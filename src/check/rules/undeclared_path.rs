//! A command that names the path of another stage's output or of a source without reading it as an input: the file
//! would not be there, or be an old one.

use std::collections::HashMap;

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, Origin, OutputId, Work};
use crate::types::{Command, Expr, Location, Value};

pub(in crate::check) struct UndeclaredPath;

impl Rule for UndeclaredPath {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        let paths = paths(model);
        for (id, work) in works(model) {
            let mut told: Vec<&Origin> = Vec::new();
            for word in words(work) {
                let Some(origin) = paths.get(word.trim_start_matches("./")) else { continue };
                let own = matches!(origin, Origin::Output(made) if made.node == id);
                if own || told.contains(&origin) || work.inputs.iter().any(|input| input.origin == *origin) {
                    continue;
                }
                // The same file under a pattern of `code`.
                if work.code.iter().any(|pattern| pattern.value == word) {
                    continue;
                }
                told.push(origin);
                let name = model.written(origin);
                let short = name.rsplit('.').next().unwrap_or(&name);
                // A stage has one namespace: its own output may have the name already.
                let taken = work.locals.iter().any(|local| local.value == short);
                let variable = if taken { name.replace('.', "_") } else { short.to_owned() };
                let message = format!("`{word}` is `{name}`, which this command does not declare as an input");
                let place = match origin {
                    Origin::Output(made) => model.output(*made).map(|output| output.name.span),
                    Origin::Source(source) => Some(model.sources[*source].name.span),
                    Origin::Pointer(_) => None,
                };
                let mut diagnostic = Diagnostic::new(codes::UNDECLARED_PATH, work.command_span, message)
                    .help(format!("add `in {variable} = {name}`, and use `${variable}`"));
                if let Some(place) = place {
                    diagnostic = diagnostic.label(place, "declared here");
                }
                found.push(diagnostic);
            }
        }
    }
}

fn paths(model: &Model) -> HashMap<&str, Origin> {
    let mut paths = HashMap::new();
    for (id, source) in model.sources.iter() {
        if let Some(path) = source.location.as_ref().and_then(Location::path) {
            paths.insert(path, Origin::Source(id));
        }
    }
    for (node, _) in model.nodes.iter() {
        let outputs = model.stage(node).map(|stage| stage.outputs.as_slice()).unwrap_or_default();
        for (index, output) in outputs.iter().enumerate() {
            if let Some(path) = &output.path {
                paths.insert(path.value.as_str(), Origin::Output(OutputId { node, index: index as u32 }));
            }
        }
    }
    // A bare word such as `data` is a word first.
    paths.retain(|path, _| path.contains(['/', '.']));
    paths
}

fn words(work: &Work) -> Vec<&str> {
    match &work.command {
        Some(Command::Script { text, .. }) => {
            let separators =
                |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ';' | '(' | ')' | '<' | '>' | ',');
            text.lines()
                .filter(|line| !line.trim_start().starts_with('#'))
                .flat_map(|line| line.split(separators))
                .filter(|word| !word.is_empty())
                .collect()
        }
        Some(Command::Arguments(arguments)) => arguments
            .iter()
            .filter_map(|argument| match argument {
                Expr::Value(Value::String(text)) => Some(text.rsplit('=').next().unwrap_or(text)),
                _ => None,
            })
            .collect(),
        None => Vec::new(),
    }
}
