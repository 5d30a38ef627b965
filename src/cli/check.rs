//! `mlpc check`: proves what can be proved before anything runs.

use std::path::{Path, PathBuf};

use super::project::{PipelineArgs, read};
use super::render::{self, CheckFormat};
use super::repair;
use super::{Exit, Verb, values};
use crate::compile::{Compilation, compile_file};
use crate::diagnostic::{self, Diagnostic, codes, nearest};
use crate::exec;
use crate::host::Out;
use crate::model::{Model, NodeKind, Work};
use crate::plan::Runtime;
use crate::source::{FileId, Sources};
use crate::targets;

/// Check pipelines without running anything
///
/// Reads `.mlp` files: no data, no network. Ends with exit code 2 where there is an error; warnings and notes are shown and change
/// nothing. `mlpc explain CODE` tells more about each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc check\n  mlpc check --fix\n  mlpc check a.mlp b.mlp --format json")]
pub(crate) struct Check {
    /// The files; else the pipeline
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How diagnostics are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: CheckFormat,
    /// Apply the edits that are certain, say which, and check again
    #[arg(long)]
    fix: bool,
}

impl Verb for Check {
    const NAME: &'static str = "check";

    fn run(self, out: &Out) -> Exit {
        let read = self.sources().and_then(|sources| match self.fix {
            true => repair::repair(out, sources, |sources| look(sources).1).map_err(|error| error.to_string()),
            false => Ok(sources),
        });
        let sources = match read {
            Ok(sources) => sources,
            Err(message) => {
                out.err_line(&format!("mlpc: {message}"));
                return Exit::Usage;
            }
        };
        let (compiled, found) = look(&sources);
        render::found(out, &sources, &found, self.format);
        if found.iter().any(Diagnostic::is_error) {
            return Exit::Usage;
        }
        if self.format == CheckFormat::Text {
            for ((_, file), one) in sources.iter().zip(&compiled) {
                out.line(&format!("{}: {}", file.name(), summary(one)));
            }
        }
        Exit::Fine
    }
}

impl Check {
    fn sources(&self) -> Result<Sources, String> {
        if self.files.is_empty() {
            return Ok(self.pipeline.open()?.sources);
        }
        if self.pipeline.file.is_some() {
            return Err("name the files either behind `-f` or without it".to_owned());
        }
        let mut sources = Sources::default();
        for file in &self.files {
            sources.add(read(file)?);
        }
        Ok(sources)
    }
}

/// Compiles every file; returns what was understood and all there is to say.
fn look(sources: &Sources) -> (Vec<Compilation>, Vec<Diagnostic>) {
    let files: Vec<FileId> = sources.iter().map(|(id, _)| id).collect();
    let compiled: Vec<Compilation> = files.into_iter().map(|id| compile_file(sources, id)).collect();
    let mut found: Vec<Diagnostic> = compiled.iter().flat_map(|one| one.diagnostics.iter().cloned()).collect();
    for ((_, file), one) in sources.iter().zip(&compiled) {
        let workspace = Path::new(file.name()).parent().unwrap_or(Path::new(""));
        found.extend(around(&one.model, workspace));
        found.extend(values::check(&one.model, workspace));
    }
    diagnostic::sort(&mut found);
    (compiled, found)
}

fn summary(compiled: &Compilation) -> String {
    let Some(plan) = &compiled.plan else { return "nothing to run".to_owned() };
    let count = |keyword: &str| {
        let number = plan.nodes.iter().filter(|node| node.kind.keyword() == keyword).count();
        (number > 0).then(|| format!("{number} {keyword}{}", if number == 1 { "" } else { "s" }))
    };
    let counts: Vec<String> = ["stage", "gate", "approval"].into_iter().filter_map(count).collect();
    if counts.is_empty() { "fine".to_owned() } else { format!("fine, {}", counts.join(", ")) }
}

/// Says what only the surroundings of a pipeline tell: patterns of code that mean nothing, targets that don't exist.
fn around(model: &Model, workspace: &Path) -> Vec<Diagnostic> {
    let works: Vec<&Work> = model
        .nodes
        .iter()
        .filter_map(|(_, node)| match &node.kind {
            NodeKind::Stage(stage) => Some(&stage.work),
            NodeKind::Action(action) => Some(&action.work),
            _ => None,
        })
        .collect();
    let patterns = || works.iter().flat_map(|work| &work.code);
    let empty = exec::unmatched(workspace, patterns().map(|pattern| pattern.value.as_str()));
    let mut found: Vec<Diagnostic> = patterns()
        .filter(|pattern| empty.contains(pattern.value.as_str()))
        .map(|pattern| {
            let message = format!("no file of the workspace is `{}`", pattern.value);
            Diagnostic::new(codes::NOTHING_MATCHES, pattern.span, message)
                .help("correct the pattern, or remove it; what .gitignore leaves out is no code")
        })
        .collect();
    let runtimes = model.runtimes.iter().filter_map(|(_, declared)| {
        let runtime = Runtime { name: declared.name.value.clone(), kind: declared.kind.clone()? };
        Some((runtime, declared.name.span))
    });
    found.extend(super::lock::faults(workspace, &runtimes.collect::<Vec<_>>(), false));
    for target in model.targets.iter().filter(|target| targets::find(&target.name.value).is_none()) {
        let names: Vec<&str> = targets::TARGETS.iter().map(|target| target.name()).collect();
        let help = match nearest(&target.name.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", names.join("`, `")),
        };
        let message = format!("no target `{}`", target.name.value);
        found.push(Diagnostic::new(codes::UNKNOWN_NAME, target.name.span, message).help(help));
    }
    found
}
