//! `mlpc check`: proves what can be proved before anything runs.

use std::path::{Path, PathBuf};

use super::project::{PipelineArgs, read};
use super::render::{self, CheckFormat};
use super::{Exit, Verb, repair, seen, tree};
use crate::around;
use crate::check;
use crate::code;
use crate::compile::{Compilation, check_file};
use crate::data::Format;
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::host::Out;
use crate::host::modules::read_modules;
use crate::model::{self, Model};
use crate::plan::Runtime;
use crate::source::{FileId, Sources, Span};
use crate::types::Artifact;

/// Check pipelines without running anything
///
/// Reads `.mlp` files: no data, no network. Ends with exit code 2 where there is an error; warnings and notes are shown and change
/// nothing, unless `--deny warnings` says so. `mlpc explain CODE` tells more about each. A module's file is checked alone, without
/// the pipelines that use it: `--all` checks these.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc check\n  mlpc check --fix\n  mlpc check a.mlp b.mlp --format json\n  \
                        mlpc check --all")]
pub(crate) struct Check {
    /// The files; else the pipeline
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Every pipeline below this folder, or below those named, with its modules; modules that none of them uses are checked alone.
    /// What .gitignore leaves out is left out
    #[arg(long, conflicts_with = "file")]
    all: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How diagnostics are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: CheckFormat,
    /// Apply the edits that are certain, say which, and check again
    #[arg(long)]
    fix: bool,
    /// End with 2 where a warning is left, too
    #[arg(long, value_enum, value_name = "LEVEL")]
    deny: Option<Denied>,
}

/// What is taken for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Denied {
    /// Warnings; notes are still notes
    Warnings,
}

impl Verb for Check {
    const NAME: &'static str = "check";

    fn run(self, out: &Out) -> Exit {
        let read = self.sources().and_then(|(sources, roots)| match self.fix {
            true => {
                let repaired = repair::repair(out, sources, |sources| look(sources, roots).1);
                Ok((repaired.map_err(|error| error.to_string())?, roots))
            }
            false => Ok((sources, roots)),
        });
        let (sources, roots) = match read {
            Ok(read) => read,
            Err(message) => {
                out.err_line(&format!("mlpc: {message}"));
                return Exit::Usage;
            }
        };
        let place = seen::Place::of(&sources);
        if let Some(seen) = place.as_ref().and_then(seen::Place::read).filter(|seen| is_clean_still(&sources, seen)) {
            render::found(out, &sources, &[], self.format);
            if self.format == CheckFormat::Text {
                seen.summaries.iter().for_each(|line| out.line(line));
            }
            return Exit::Fine;
        }
        let (compiled, found) = look(&sources, roots);
        render::found(out, &sources, &found, self.format);
        if found.iter().any(Diagnostic::is_error) {
            return Exit::Usage;
        }
        let warnings = found.iter().filter(|one| one.severity == Severity::Warning).count();
        if self.deny == Some(Denied::Warnings) && warnings > 0 {
            let what = if warnings == 1 { "a warning is".to_owned() } else { format!("{warnings} warnings are") };
            out.err_line(&format!("mlpc: {what} left, and `--deny warnings` lets none pass"));
            return Exit::Usage;
        }
        let summaries: Vec<String> = sources
            .iter()
            .zip(&compiled)
            .map(|((_, file), one)| format!("{}: {}", file.name(), summary(&one.model)))
            .collect();
        if self.format == CheckFormat::Text {
            summaries.iter().for_each(|line| out.line(line));
        }
        let unread: Vec<String> = compiled.iter().flat_map(|one| unread(&one.model)).collect();
        if self.format == CheckFormat::Text {
            unread.iter().for_each(|note| out.err_line(note));
        }
        // Files that parameters are read from are not in the key, and neither is what DVC says.
        let whole = compiled
            .iter()
            .all(|one| !one.allows.look_around() && one.model.params.iter().all(|(_, param)| param.from.is_none()));
        let asked: Vec<around::Asked> = compiled.iter().map(|one| around::Asked::of(&one.model)).collect();
        let whole = whole && asked.iter().all(|one| one.dvc.is_empty());
        if let Some(place) = place.filter(|_| whole && found.is_empty() && unread.is_empty()) {
            place.write(summaries, asked);
        }
        // The process ends here; freeing a large model piece by piece would take a tenth of the time.
        std::mem::forget(compiled);
        Exit::Fine
    }
}

impl Check {
    /// Reads what is asked for, and returns how many of the sources that is; the others are their modules.
    fn sources(&self) -> Result<(Sources, usize), String> {
        if self.all {
            return tree::read_all(&self.files);
        }
        if self.files.is_empty() {
            return Ok((self.pipeline.open()?.sources, 1));
        }
        if self.pipeline.file.is_some() {
            return Err("name the files either behind `-f` or without it".to_owned());
        }
        let mut sources = Sources::default();
        for file in &self.files {
            sources.add(read(file)?);
        }
        read_modules(&mut sources);
        Ok((sources, self.files.len()))
    }
}

/// Compiles the first files; returns what was understood and all there is to say.
fn look(sources: &Sources, roots: usize) -> (Vec<Compilation>, Vec<Diagnostic>) {
    let files: Vec<FileId> = sources.iter().map(|(id, _)| id).take(roots).collect();
    let mut compiled: Vec<Compilation> = files.into_iter().map(|id| check_file(sources, id)).collect();
    let mut found: Vec<Diagnostic> = compiled.iter().flat_map(|one| one.diagnostics.iter().cloned()).collect();
    for ((_, file), one) in sources.iter().zip(&mut compiled) {
        let workspace = Path::new(file.name()).parent().unwrap_or(Path::new(""));
        // A module's paths are those of whoever takes it: they mean nothing in its own folder.
        let seen = match one.model.pipeline {
            Some(_) => around::look(workspace, &around::Asked::of(&one.model)),
            None => around::Seen::default(),
        };
        let mut more = around::say(one, sources, &seen);
        one.allows.cover(&mut more);
        if !one.has_errors() {
            more.extend(one.allows.unused_around());
        }
        found.append(&mut more);
    }
    for (index, diagnostic) in together(sources, &compiled) {
        let mut said = vec![diagnostic];
        compiled[index].allows.cover(&mut said);
        found.append(&mut said);
    }
    diagnostic::sort(&mut found);
    (compiled, found)
}

/// Returns what is wrong between the pipelines of one call, with the index of the one that it is said of.
fn together(sources: &Sources, compiled: &[Compilation]) -> Vec<(usize, Diagnostic)> {
    if compiled.len() < 2 {
        return Vec::new();
    }
    let whole = |name: &str| Path::new(name).canonicalize().unwrap_or_else(|_| PathBuf::from(name));
    let files: Vec<PathBuf> = sources.iter().map(|(_, file)| whole(file.name())).take(compiled.len()).collect();
    // A hook's list may name a file twice: it is one pipeline.
    let own: Vec<usize> = (0..files.len()).filter(|&index| !files[..index].contains(&files[index])).collect();
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let places = own.iter().map(|&index| {
        let folder = files[index].parent().unwrap_or(Path::new(""));
        (shown(folder), shown(&around::repository(folder)))
    });
    let places: Vec<(String, String)> = places.collect();
    let pipelines: Vec<check::Pipeline<'_>> = own
        .iter()
        .zip(&places)
        .map(|(&index, (folder, repository))| check::Pipeline { model: &compiled[index].model, folder, repository })
        .collect();
    check::together(&pipelines).into_iter().map(|(index, diagnostic)| (own[index], diagnostic)).collect()
}

/// Tells whether what the texts don't say is as it has to be: patterns match, runtimes are locked.
fn is_clean_still(sources: &Sources, seen: &seen::Seen) -> bool {
    let files = sources.iter().zip(seen.patterns.iter().zip(&seen.runtimes).zip(&seen.files));
    files.into_iter().all(|((_, file), ((patterns, runtimes), files))| {
        let workspace = Path::new(file.name()).parent().unwrap_or(Path::new(""));
        let runtimes: Vec<(Runtime, Span)> = runtimes.iter().map(|one| (one.clone(), Span::default())).collect();
        code::unmatched(workspace, patterns.iter().map(String::as_str)).is_empty()
            && around::lock::faults(workspace, &runtimes, false).is_empty()
            && around::files::look(workspace, files).iter().all(Option::is_none)
    })
}

/// Counts what will run: stages that score a baseline again are stages of their own.
fn summary(model: &Model) -> String {
    let gates = model.nodes.iter().filter_map(|(id, _)| model.gate(id));
    let again: usize = gates.map(|gate| model::rescored(model, gate).stages.len()).sum();
    let count = |keyword: &str| {
        let nodes = model.nodes.iter().filter(|(_, node)| node.keyword == keyword).count();
        let number = if keyword == "stage" { nodes + again } else { nodes };
        (number > 0).then(|| format!("{number} {keyword}{}", if number == 1 { "" } else { "s" }))
    };
    let counts: Vec<String> = ["stage", "gate", "approval"].into_iter().filter_map(count).collect();
    if model.pipeline.is_none() {
        "fine, a module: it has no `pipeline` line".to_owned()
    } else if counts.is_empty() {
        "fine".to_owned()
    } else {
        format!("fine, {}", counts.join(", "))
    }
}

/// Says which gates look into tables that this build can't read: where another one evaluates them, all is well.
fn unread(model: &Model) -> Vec<String> {
    let gates = model.nodes.iter().filter_map(|(id, node)| Some((node, model.gate(id)?)));
    let notes = gates.filter_map(|(node, gate)| {
        let why = gate.evidence.iter().find_map(|evidence| match &evidence.ty {
            Artifact::Dataset { format: Some(format), .. } => Format::find(format)?.unread(),
            _ => None,
        })?;
        Some(format!("note: `{}` would be `error` here: {why}", node.name.value))
    });
    notes.collect()
}
