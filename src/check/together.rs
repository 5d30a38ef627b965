//! Pipelines that are looked at in one call: which of them move the same pointer, and so decide about each other's production.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeKind, Pointer, RegistryId, Setting};
use crate::source::Span;
use crate::types::RegistryLocation;

/// A pipeline among others.
#[derive(Debug, Clone)]
pub struct Pipeline<'m> {
    /// What it means.
    pub model: &'m Model,
    /// The folder that its paths begin in.
    pub folder: &'m str,
    /// The root of the repository that it is in.
    pub repository: &'m str,
}

/// Returns a diagnostic for each pointer that two pipelines move, at the later one, with its index among the pipelines.
#[must_use]
pub fn together(pipelines: &[Pipeline<'_>]) -> Vec<(usize, Diagnostic)> {
    let mut first: HashMap<(String, String), (usize, Span)> = HashMap::new();
    let mut found = Vec::new();
    for (index, pipeline) in pipelines.iter().enumerate() {
        for (pointer, place) in moved(pipeline.model) {
            let places = places(pipeline, pointer.registry).into_iter().map(|place| (place, pointer.name.clone()));
            let mut told = false;
            for key in places {
                let &mut (other, there) = first.entry(key).or_insert((index, place));
                if other == index || told {
                    continue;
                }
                told = true;
                found.push((index, describe(pipeline.model, pipelines[other].model, pointer, place, there)));
            }
        }
    }
    found
}

fn describe(own: &Model, other: &Model, pointer: &Pointer, place: Span, there: Span) -> Diagnostic {
    let name = |model: &Model| model.pipeline.as_ref().map(|name| name.value.clone()).unwrap_or_default();
    let registry = &own.registries[pointer.registry].name.value;
    let pointer = &pointer.name;
    let (own, other) = (name(own), name(other));
    let message = format!(
        "`{other}` moves `{registry}@{pointer}` too: each of them puts its model in the other's place, with its own gates \
         and approvals alone"
    );
    Diagnostic::new(codes::POINTER_OF_TWO_PIPELINES, place, message)
        .label(there, format!("`{other}` moves it here"))
        .help(format!("give each a pointer of its own, as in `{registry}@{own}`, or a registry of its own"))
}

/// Returns the pointers that a pipeline moves, with where that is said.
fn moved(model: &Model) -> Vec<(&Pointer, Span)> {
    let moved = model.nodes.iter().filter_map(|(_, node)| match &node.kind {
        NodeKind::Promote(promote) => Some((&promote.pointer, promote.pointer_span)),
        NodeKind::Rollout(rollout) => rollout.pointer.as_ref().map(|pointer| (&pointer.value, pointer.span)),
        _ => None,
    });
    moved.collect()
}

/// Returns where a registry is, without a profile and under each one that releases, as texts that are equal for the same place.
fn places(pipeline: &Pipeline<'_>, registry: RegistryId) -> Vec<String> {
    let declared = pipeline.model.registries[registry].location.as_ref();
    let set = pipeline.model.profiles.iter().filter(|profile| profile.releases).filter_map(|profile| {
        profile.settings.iter().find_map(|setting| match setting {
            Setting::Registry(id, location) if *id == registry => Some(location),
            _ => None,
        })
    });
    let mut places: Vec<String> = declared.into_iter().chain(set).map(|location| place(pipeline, location)).collect();
    places.sort();
    places.dedup();
    places
}

fn place(pipeline: &Pipeline<'_>, location: &RegistryLocation) -> String {
    match location {
        RegistryLocation::Directory { path } => {
            let mut whole = PathBuf::new();
            for part in Path::new(pipeline.folder).join(path).components() {
                match part {
                    Component::ParentDir => {
                        whole.pop();
                    }
                    part => whole.push(part),
                }
            }
            format!("directory {}", whole.display())
        }
        RegistryLocation::Git { branch, remote } => format!("git {} {remote} {branch}", pipeline.repository),
        RegistryLocation::S3 { url } => format!("s3 {}", url.trim_end_matches('/')),
        RegistryLocation::Mlflow { url } => format!("mlflow {}", url.trim_end_matches('/')),
    }
}
