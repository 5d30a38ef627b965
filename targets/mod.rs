//! Targets: a plan becomes the files of a platform. One folder for each, one line in [`TARGETS`].
//!
//! Pure: no file system, no clock. What a platform can't express is a diagnostic, never dropped.

mod argo;
pub mod github;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, codes};
use crate::plan::{Node, NodeKind, Plan, Rerun};
use crate::source::Span;

/// A platform that pipelines are compiled for.
pub trait Target: Sync {
    /// The name, as in `--target github` and `target github { … }`.
    fn name(&self) -> &'static str;

    /// What it makes, in a line of help.
    fn about(&self) -> &'static str;

    /// Makes the files. Where a diagnostic is an error the files may be incomplete, and nobody writes them.
    fn compile(&self, plan: &Plan, site: &Site<'_>) -> Compiled;
}

/// Every target, in the order of the help.
pub const TARGETS: &[&dyn Target] = &[&argo::Argo, &github::GitHub];

/// Returns the target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Target> {
    TARGETS.iter().copied().find(|target| target.name() == name)
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
    /// What `mlpc.lock` says of runtimes: an exact version, or the digest of an image.
    pub locked: &'a BTreeMap<String, String>,
}

impl Site<'_> {
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
        let diagnostic = Diagnostic::new(codes::TARGET_LIMIT, site.span(&format!("{keyword} {name}")), message)
            .help("compile the pipeline without it");
        diagnostics.push(match site.spans.get(&format!("target {target}")) {
            Some(&place) => diagnostic.label(place, "for this target"),
            None => diagnostic,
        });
    }
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
}

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Its path, relative to the repository's root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}
