//! What the texts of a pipeline don't tell and its folder does: whether patterns of code mean anything, whether runtimes
//! are locked, whether parameters stand in their files, what stands at the paths of sources and baselines, whether jobs can have what DVC keeps, whether its targets exist and can do what it asks of them.
//!
//! What is asked of the folder is kept apart from what is said: whoever checks at every keystroke looks seldom.

pub(crate) mod dvc;
pub(crate) mod files;
pub(crate) mod lock;
pub(crate) mod params;
mod platform;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::code;
use crate::compile::Compilation;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{Model, NodeKind, Work};
use crate::plan::Runtime;
use crate::source::{Sources, Span};
use crate::targets;

/// What a model asks of its folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Asked {
    /// Its patterns of code.
    pub(crate) patterns: BTreeSet<String>,
    /// Its runtimes, in the order of their declaration.
    pub(crate) runtimes: Vec<Runtime>,
    /// Its parameters that are read from files.
    params: Vec<params::Asked>,
    /// Its sources that DVC keeps, and that jobs elsewhere read.
    pub(crate) dvc: Vec<dvc::Asked>,
    /// The files and folders that it names.
    pub(crate) files: Vec<files::Asked>,
}

/// What a folder answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    empty: BTreeSet<String>,
    locks: Vec<(usize, String)>,
    params: Vec<Option<String>>,
    dvc: Vec<Option<dvc::Why>>,
    files: Vec<Option<String>>,
    site: platform::Site,
}

impl Asked {
    /// Collects what a model asks.
    pub(crate) fn of(model: &Model) -> Self {
        Self {
            patterns: works(model).flat_map(|work| &work.code).map(|pattern| pattern.value.clone()).collect(),
            runtimes: runtimes(model).map(|(runtime, _)| runtime).collect(),
            params: params::asked(model),
            dvc: dvc::asked(model).map(|(asked, _)| asked).collect(),
            files: files::asked(model).into_iter().map(|(asked, ..)| asked).collect(),
        }
    }
}

/// Looks into the folder.
pub(crate) fn look(workspace: &Path, asked: &Asked) -> Seen {
    let empty = code::unmatched(workspace, asked.patterns.iter().map(String::as_str));
    Seen {
        empty: empty.into_iter().map(str::to_owned).collect(),
        locks: lock::look(workspace, &asked.runtimes, false),
        params: params::look(workspace, &asked.params),
        dvc: dvc::look(workspace, &asked.dvc),
        files: files::look(workspace, &asked.files),
        site: platform::look(workspace),
    }
}

/// Says what is wrong, with what was seen where the same was asked.
pub(crate) fn say(compiled: &Compilation, sources: &Sources, seen: &Seen) -> Vec<Diagnostic> {
    let model = &compiled.model;
    let patterns = works(model).flat_map(|work| &work.code);
    let mut found: Vec<Diagnostic> = patterns
        .filter(|pattern| seen.empty.contains(pattern.value.as_str()))
        .map(|pattern| {
            let message = format!("no file of the workspace is `{}`", pattern.value);
            Diagnostic::new(codes::NOTHING_MATCHES, pattern.span, message)
                .help("correct the pattern, or remove it; what .gitignore leaves out is no code")
        })
        .collect();
    found.extend(lock::say(&runtimes(model).map(|(_, span)| span).collect::<Vec<_>>(), &seen.locks));
    found.extend(params::say(model, &seen.params));
    found.extend(dvc::say(dvc::asked(model), &seen.dvc));
    found.extend(files::say(model, &seen.files));
    for target in model.targets.iter().filter(|target| targets::find(&target.name.value).is_none()) {
        let names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name()).collect();
        let help = match nearest(&target.name.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", names.join("`, `")),
        };
        let message = format!("no target `{}`", target.name.value);
        found.push(Diagnostic::new(codes::UNKNOWN_NAME, target.name.span, message).help(help));
    }
    match platform::say(compiled, sources, &seen.site) {
        Some(told) => found.extend(told),
        None => found.extend(targets::check_raw(model, sources)),
    }
    found
}

/// Returns the nearest folder that is the root of a repository, or the workspace itself.
pub(crate) fn repository(workspace: &Path) -> PathBuf {
    let root = workspace.ancestors().find(|folder| folder.join(".git").exists());
    root.unwrap_or(workspace).to_path_buf()
}

/// Returns a workspace's folder in its repository, with `/`; empty for the root itself.
pub(crate) fn folder(workspace: &Path, repository: &Path) -> String {
    workspace.strip_prefix(repository).unwrap_or(Path::new("")).to_string_lossy().replace('\\', "/")
}

/// Iterates over what has code.
fn works(model: &Model) -> impl Iterator<Item = &Work> {
    model.nodes.iter().filter_map(|(_, node)| match &node.kind {
        NodeKind::Stage(stage) => Some(&stage.work),
        NodeKind::Action(action) => Some(&action.work),
        _ => None,
    })
}

/// Iterates over the runtimes with where they are declared.
fn runtimes(model: &Model) -> impl Iterator<Item = (Runtime, Span)> {
    model.runtimes.iter().filter_map(|(_, declared)| {
        let runtime = Runtime { name: declared.name.value.clone(), kind: declared.kind.clone()? };
        Some((runtime, declared.name.span))
    })
}
