//! Targets: a plan becomes the files of a platform. One folder for each, one line in [`TARGETS`].
//!
//! Pure: no file system, no clock. What a platform can't express is a diagnostic, never dropped.

pub mod argo;
pub mod github;
pub mod raw;

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Severity, codes};
use crate::model::Model;
use crate::plan::{Node, NodeKind, Place, Plan, Rerun};
use crate::source::{Sources, Span};
use crate::types::Value;
use raw::Declared;

/// A platform that pipelines are compiled for.
pub trait Target: Sync {
    /// The name, as in `--target github` and `target github { … }`.
    fn name(&self) -> &'static str;

    /// What it makes, in a line of help.
    fn about(&self) -> &'static str;

    /// Returns the fields of `target NAME { … }`, or of the record that stands in one of them; none where it takes no record.
    fn settings(&self, record: &str) -> Vec<&'static str>;

    /// Makes the files. Where a diagnostic is an error the files may be incomplete, and nobody writes them.
    fn compile(&self, plan: &Plan, site: &Site<'_>) -> Compiled;

    /// Says what is wrong with the raw blocks of the target's settings, before there is a plan. `compile` says it, too.
    fn raw(&self, settings: &Value, declared: &Declared, site: &Site<'_>) -> Vec<Diagnostic>;
}

/// Every target, in the order of the help.
pub const TARGETS: &[&dyn Target] = &[&argo::Argo, &github::GitHub];

/// Returns the target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
}

/// Says what is wrong with the raw blocks of a model's targets; targets that don't exist are passed over.
#[must_use]
pub fn check_raw(model: &Model, sources: &Sources) -> Vec<Diagnostic> {
    if model.targets.iter().all(|target| target.blocks.is_empty()) {
        return Vec::new();
    }
    let declared = Declared::of_model(model);
    let mut spans = BTreeMap::new();
    for target in &model.targets {
        let name = format!("target {}", target.name.value);
        spans.extend(target.blocks.iter().map(|block| (format!("{name} {}", block.value), block.span)));
        spans.insert(name, target.name.span);
    }
    let locked = BTreeMap::new();
    let site = Site { folder: "", file: "", version: "", spans: &spans, sources, locked: &locked };
    let known = model.targets.iter().filter_map(|target| Some((find(&target.name.value)?, &target.settings)));
    known.flat_map(|(target, settings)| target.raw(settings, &declared, &site)).collect()
}

/// Where the pipeline stands, as far as generated files have to know.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The pipeline's folder, relative to the repository's root, with `/`; empty for the root itself.
    pub folder: &'a str,
    /// The pipeline's file, relative to its folder.
    pub file: &'a str,
    /// The version of this program, which jobs install.
    pub version: &'a str,
    /// Where things were declared, by the keys of [`Plan::places`].
    pub spans: &'a BTreeMap<String, Span>,
    /// The texts that those places are in.
    pub sources: &'a Sources,
    /// What `mlpc.lock` says of runtimes: an exact version, or the digest of an image.
    pub locked: &'a BTreeMap<String, String>,
}

impl Site<'_> {
    /// Returns the pipeline's file, relative to the repository's root.
    #[must_use]
    pub fn source(&self) -> String {
        let slash = if self.folder.is_empty() { "" } else { "/" };
        format!("{}{slash}{}", self.folder, self.file)
    }

    /// Returns where something was declared; the top of the pipeline where that is not known.
    #[must_use]
    pub fn span(&self, key: &str) -> Span {
        self.spans.get(key).copied().unwrap_or_default()
    }
}

/// Says what no target does yet: monitors and notifications stand beside the runs, and nothing watches there.
pub(crate) fn beside(plan: &Plan, site: &Site<'_>, target: &str, diagnostics: &mut Vec<Diagnostic>) {
    let monitors = plan.beside.monitors.iter().map(|monitor| ("monitor", "monitor", &monitor.name));
    let told = plan.beside.notifications.iter().map(|notify| ("notify", "notification", &notify.name));
    for (keyword, word, name) in monitors.chain(told) {
        let message = format!("`mlpc` can't serve the {word} `{name}` yet, on {target} or anywhere else");
        let diagnostic = Diagnostic::new(codes::NOTHING_RUNS_IT, site.span(&format!("{keyword} {name}")), message)
            .help("compile the pipeline without it");
        diagnostics.push(match site.spans.get(&format!("target {target}")) {
            Some(&place) => diagnostic.label(place, "for this target"),
            None => diagnostic,
        });
    }
}

/// Says which stages lose their checkpoint with the machine; `lost` is what that is on this platform.
pub(crate) fn checkpoints(
    plan: &Plan,
    site: &Site<'_>,
    (target, lost): (&str, &str),
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut said = Vec::new();
    for node in &plan.nodes {
        let declared = raw::declared(node);
        let keeps = matches!(&node.kind, NodeKind::Stage(stage) if stage.checkpoint.is_some());
        if !keeps || said.contains(&declared) {
            continue;
        }
        said.push(declared);
        let message = format!("`{declared}` begins anew where {lost}: its checkpoint is gone with it");
        let diagnostic = Diagnostic::new(codes::CHECKPOINT_LOST, site.span(declared), message)
            .help("let the command keep in a store what would cost too much to make again");
        diagnostics.push(match site.spans.get(&format!("target {target}")) {
            Some(&place) => diagnostic.label(place, "for this target"),
            None => diagnostic,
        });
    }
}

/// Finds in the sources what the plan says in lines and columns.
#[must_use]
pub fn spans(plan: &Plan, sources: &Sources) -> BTreeMap<String, Span> {
    let span = |place: &Place| {
        let (id, file) = sources.iter().find(|(_, file)| Path::new(file.name()).ends_with(&place.file))?;
        let line = *file.line_starts().get(place.line as usize - 1)? as usize;
        let rest = &file.text()[line..];
        let start = line + rest.char_indices().nth(place.column as usize - 1).map_or(rest.len(), |(at, _)| at);
        let word = file.text()[start..].find(|c: char| c.is_whitespace() || c == '{');
        let end = word.map_or(file.text().len(), |length| start + length);
        Some(Span::new(id, u32::try_from(start).ok()?, u32::try_from(end).ok()?))
    };
    plan.places.iter().filter_map(|(key, place)| Some((key.clone(), span(place)?))).collect()
}

/// Says what the targets that a pipeline declares can't do of it; targets that don't exist are passed over.
///
/// What nothing runs yet is a warning here: the rest of the pipeline is as good as it was.
#[must_use]
pub fn check(plan: &Plan, site: &Site<'_>) -> Vec<Diagnostic> {
    let declared = plan.targets.iter().filter_map(|target| find(&target.name));
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in declared.flat_map(|target| target.compile(plan, site).diagnostics) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// Tells whether a node's result can be in a shared cache: of what says no runtime nobody knows what made it.
pub(crate) fn shares(node: &Node) -> bool {
    let NodeKind::Stage(stage) = &node.kind else { return false };
    stage.work.runtime.is_some() && stage.rerun != Rerun::Always
}

/// Tells whether a text is the address of a shared cache, and nothing that a platform or a shell could read otherwise.
pub(crate) fn is_cache(text: &str) -> bool {
    let bucket = text.strip_prefix("s3://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let tame = |c: char| c.is_ascii_alphanumeric() || "._-/:?&=%+~".contains(c);
    !bucket.is_empty() && text.chars().all(tame)
}

/// What a target makes of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The files.
    pub files: Vec<OutputFile>,
    /// What there is to say.
    pub diagnostics: Vec<Diagnostic>,
    /// What whoever writes the files should know of them: a sentence and the way out, each.
    pub notes: Vec<(String, String)>,
}

impl Compiled {
    /// Makes an error of what nothing runs yet: files without it would be of another pipeline.
    #[must_use]
    pub fn whole(mut self) -> Self {
        for one in self.diagnostics.iter_mut().filter(|one| one.code == codes::NOTHING_RUNS_IT) {
            one.severity = Severity::Error;
        }
        self
    }
}

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Its path, relative to the repository's root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}
