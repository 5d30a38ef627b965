//! What stands at the paths that a pipeline names: data baselines of gates, and sources. Looks whether they are there, folders or empty,
//! and reads none of them.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeKind, Setting};
use crate::source::Span;
use crate::types::{Artifact, Location};

/// A path with what has to stand there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    path: String,
    /// The type of a source, which may come later; none for a data baseline, which is kept with the pipeline.
    source: Option<Artifact>,
}

/// Returns what a model asks, with where and, of a source, its name.
pub(super) fn asked(model: &Model) -> Vec<(Asked, Span, Option<&str>)> {
    let mut asked = Vec::new();
    let mut add = |path: &str, source: Option<&Artifact>, span: Span, name| {
        asked.push((Asked { path: path.to_owned(), source: source.cloned() }, span, name));
    };
    for (_, source) in model.sources.iter() {
        if let Some(Location::Path(path)) = &source.location {
            add(path, Some(&source.ty), source.place, Some(source.name.value.as_str()));
        }
    }
    for profile in &model.profiles {
        for setting in &profile.settings {
            if let Setting::Source(id, Location::Path(path)) = setting {
                let source = &model.sources[*id];
                add(path, Some(&source.ty), profile.name.span, Some(source.name.value.as_str()));
            }
        }
    }
    let made: HashSet<&str> = model
        .nodes
        .iter()
        .filter_map(|(id, _)| model.stage(id))
        .flat_map(|stage| stage.outputs.iter().filter_map(|output| Some(output.path.as_ref()?.value.as_str())))
        .collect();
    let gates = model.nodes.iter().filter_map(|(_, node)| match &node.kind {
        NodeKind::Gate(gate) => Some(&**gate),
        _ => None,
    });
    for gate in gates.chain(model.monitors.iter().map(|monitor| &monitor.gate)) {
        // Several lines of a gate compare with one file.
        let mut told = HashSet::new();
        let paths = gate.references().filter(|(path, _)| !made.contains(path));
        paths.filter(|(path, _)| told.insert(*path)).for_each(|(path, span)| add(path, None, span, None));
    }
    asked
}

/// Returns for each what is wrong with what stands there.
pub(crate) fn look(workspace: &Path, asked: &[Asked]) -> Vec<Option<String>> {
    let why = |one: &Asked| {
        let there = std::fs::metadata(workspace.join(&one.path)).ok();
        match (&one.source, there) {
            (None, None) => Some("is not there".to_owned()),
            (None, Some(there)) => there.is_dir().then(|| "is a folder".to_owned()),
            (Some(_), None) => None,
            (Some(ty), Some(there)) if there.is_dir() => {
                let none = std::fs::read_dir(workspace.join(&one.path)).is_ok_and(|mut inside| inside.next().is_none());
                ty.unlike(true, none)
            }
            (Some(ty), Some(there)) => ty.unlike(false, there.len() == 0),
        }
    };
    asked.iter().map(why).collect()
}

/// Says it.
pub(super) fn say(model: &Model, seen: &[Option<String>]) -> Vec<Diagnostic> {
    let wrong = asked(model).into_iter().zip(seen).filter_map(|(asked, why)| Some((asked, why.as_ref()?)));
    let told = wrong.map(|((asked, span, source), why)| {
        let path = &asked.path;
        match source {
            Some(name) => {
                let message = format!("the source `{name}` {why}: `{path}`");
                Diagnostic::new(codes::NOT_OF_ITS_TYPE, span, message)
                    .help("correct the path or the type of the source, or what stands there: the run stops at it")
            }
            None => {
                let message = format!("the data baseline `{path}` {why}");
                Diagnostic::new(codes::NOTHING_MATCHES, span, message).help(format!(
                    "write it with `mlpc baseline DATASET --out {path}`, and keep it in Git; or correct the path"
                ))
            }
        }
    });
    told.collect()
}
