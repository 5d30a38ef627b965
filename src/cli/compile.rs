//! `mlpc compile`: translates a pipeline into the files of a platform, or checks that they are what it would write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::project::{self, Loaded, PipelineArgs};
use super::{Exit, Verb, render};
use crate::around;
use crate::diagnostic::Diagnostic;
use crate::host::{Out, fs};
use crate::plan::Plan;
use crate::targets::{self, OutputFile, Site, Target};

/// Translates a pipeline into the files of a platform
///
/// The files are written into the repository that the pipeline is in. `--check` writes nothing and compares: with the
/// files as they are committed, byte for byte.
///
/// Example: mlpc compile --target github
#[derive(Debug, clap::Args)]
pub(super) struct Compile {
    /// The pipeline; else that of `--file`
    #[arg(value_name = "FILE.mlp")]
    pipeline: Option<PathBuf>,
    #[command(flatten)]
    file: PipelineArgs,
    /// The platform: github, argo, or `plan` for the plan itself; else every platform that the file has a `target` for
    #[arg(short, long, value_name = "NAME")]
    target: Vec<String>,
    /// The folder to write into; else the root of the repository, or without one the pipeline's own
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Compare, and end with 1 where a file is not what it should be. Without `--target` the files of every `target` have to be there:
    /// name the one whose files are committed
    #[arg(long)]
    check: bool,
    /// With `--target plan`: say also where things were declared
    #[arg(long)]
    spans: bool,
}

impl Verb for Compile {
    const NAME: &'static str = "compile";

    fn run(self, out: &Out) -> Exit {
        match self.compile(out) {
            Ok(exit) | Err(exit) => exit,
        }
    }
}

impl Compile {
    fn compile(self, out: &Out) -> Result<Exit, Exit> {
        let pipeline = PipelineArgs { file: self.pipeline.clone().or(self.file.file.clone()) };
        let Loaded { project, plan, mut allows, .. } = project::load(out, &pipeline)?;
        let names = self.names(&plan, &pipeline, out)?;
        let root = around::repository(&project.workspace);
        let folder = around::folder(&project.workspace, &root);
        let Some(file) = project.file.file_name().unwrap_or_default().to_str() else {
            let shown = project.file.display().to_string();
            out.err_line(&format!("error: the name of `{shown}` is no UTF-8, and no job could write it; rename it"));
            return Err(Exit::Usage);
        };
        // What begins with a dash would be an option of the command that reads it.
        let file = if file.starts_with('-') { format!("./{file}") } else { file.to_owned() };
        let spans = targets::spans(&plan, &project.sources);
        let locked = around::lock::pins(&project.workspace);
        let site = Site {
            folder: &folder,
            file: &file,
            version: env!("CARGO_PKG_VERSION"),
            spans: &spans,
            sources: &project.sources,
            locked: &locked,
        };
        let own = Own { source: site.source(), root: root.clone() };
        let output = self.output.clone().unwrap_or(root);
        let runtimes: Vec<_> =
            plan.runtimes.iter().map(|one| (one.clone(), site.span(&format!("runtime {}", one.name)))).collect();
        let unlocked = around::lock::faults(&project.workspace, &runtimes, true);
        if !unlocked.is_empty() && names.iter().any(|name| targets::find(name).is_some()) {
            render::diagnostics(out, &project.sources, &unlocked, render::Format::Text);
            return Err(Exit::Usage);
        }
        if names.iter().any(|name| targets::find(name).is_some()) {
            let mut unreached = unreached(&plan, &project, &site);
            allows.cover(&mut unreached);
            render::diagnostics(out, &project.sources, &unreached, render::Format::Text);
        }
        let mut exit = Exit::Fine;
        let mut done = Vec::new();
        let mut notes = Vec::new();
        for name in names {
            let Some(target) = targets::find(&name) else {
                out.json(&as_json(&plan, self.spans));
                continue;
            };
            let mut compiled = target.compile(&plan, &site).whole();
            allows.cover(&mut compiled.diagnostics);
            crate::diagnostic::sort(&mut compiled.diagnostics);
            render::diagnostics(out, &project.sources, &compiled.diagnostics, render::Format::Text);
            if compiled.diagnostics.iter().any(Diagnostic::is_error) {
                exit = exit.max(Exit::Usage);
                continue;
            }
            notes.extend(compiled.notes);
            done.push((target, compiled.files));
        }
        if self.check {
            let compared = done.iter().map(|(target, files)| compare(*target, files, &output, &pipeline, out));
            return Ok(compared.fold(exit, Exit::max));
        }
        // Where one platform refuses the pipeline, the files of another would be of another pipeline than those that stand.
        if exit != Exit::Fine {
            return Ok(exit);
        }
        for (note, help) in notes {
            out.err_line(&format!("note: {note}"));
            out.err_line(&format!("  help: {help}"));
        }
        let files: Vec<OutputFile> = done.into_iter().flat_map(|(_, files)| files).collect();
        Ok(write(&files, &output, &own, out))
    }

    /// Returns the targets that are asked for; complains about unknown ones.
    fn names(&self, plan: &Plan, pipeline: &PipelineArgs, out: &Out) -> Result<Vec<String>, Exit> {
        let known = || targets::TARGETS.iter().map(|target| target.name()).chain(["plan"]);
        if let Some(name) = self.target.iter().find(|name| known().all(|known| known != **name)) {
            let known: Vec<_> = known().collect();
            out.err_line(&format!("error: no target `{name}`; there are {}", known.join(", ")));
            return Err(Exit::Usage);
        }
        if !self.target.is_empty() {
            return Ok(self.target.clone());
        }
        let declared: Vec<_> = plan.targets.iter().map(|target| target.name.clone()).collect();
        if declared.is_empty() {
            out.err_line("error: the pipeline declares no `target`");
            out.err_line(&pipeline.again("help: name one: `mlpc compile --target github`"));
            return Err(Exit::Usage);
        }
        Ok(declared)
    }
}

/// Says which sources of DVC's the jobs can't fetch.
fn unreached(plan: &Plan, project: &project::Project, site: &Site<'_>) -> Vec<Diagnostic> {
    let asked = plan.sources.iter().filter_map(|source| around::dvc::Asked::of(&source.name, &source.location));
    let asked: Vec<_> = asked.collect();
    let seen = around::dvc::look(&project.workspace, &asked);
    let placed = asked.into_iter().map(|one| {
        let place = site.span(&format!("source {}", one.name));
        (one, place)
    });
    around::dvc::say(placed, &seen)
}

fn as_json(plan: &Plan, spans: bool) -> String {
    let places = if spans { plan.places.clone() } else { BTreeMap::new() };
    let shown = Plan { places, ..plan.clone() };
    serde_json::to_string_pretty(&shown).expect("a plan has string keys and finite numbers only") + "\n"
}

/// Tells whether a file says that it was compiled.
fn is_compiled(text: &str) -> bool {
    text.lines().take(40).any(|line| line.starts_with('#') && line.contains("`mlpc compile --target "))
}

/// The pipeline that is compiled.
struct Own {
    /// Its file, relative to the repository's root.
    source: String,
    /// That root.
    root: PathBuf,
}

impl Own {
    /// Returns the pipeline that a file was compiled from, where that is another one which is still there.
    fn other<'t>(&self, text: &'t str) -> Option<&'t str> {
        let source = text.lines().take(40).filter(|line| line.starts_with('#')).find_map(|line| {
            let (before, _) = line.split_once(" by `mlpc compile --target ")?;
            before.split_once(" from ").map(|(_, source)| source)
        })?;
        (source != self.source && self.root.join(source).is_file()).then_some(source)
    }
}

fn write(files: &[OutputFile], root: &Path, own: &Own, out: &Out) -> Exit {
    let foreign = files.iter().map(|file| root.join(&file.path)).find(|path| fs::is_foreign(path, is_compiled));
    if let Some(path) = foreign {
        out.err_line(&format!("error: `{}` holds something that mlpc did not write", path.display()));
        out.err_line("help: move it away, or give the pipeline another name; nothing was written");
        return Exit::Usage;
    }
    let there =
        files.iter().map(|file| root.join(&file.path)).filter_map(|path| Some((fs::read_text(&path).ok()?, path)));
    for (text, path) in there {
        if let Some(other) = own.other(&text) {
            out.err_line(&format!(
                "error: `{}` was compiled from `{other}`, a pipeline of the same name",
                path.display()
            ));
            out.err_line("help: give one of the two another name, or remove that file where it is left over; nothing was written");
            return Exit::Usage;
        }
    }
    for file in files {
        let path = root.join(&file.path);
        if fs::read_text(&path).is_ok_and(|there| there == file.text) {
            out.line(&format!("{} is up to date", path.display()));
            continue;
        }
        if let Err(error) =
            fs::create_dirs(fs::parent(&path)).and_then(|()| fs::write_atomic(&path, file.text.as_bytes()))
        {
            out.err_line(&format!("error: {error}"));
            return Exit::Failed;
        }
        out.line(&format!("wrote {}", path.display()));
    }
    Exit::Fine
}

fn compare(target: &dyn Target, files: &[OutputFile], root: &Path, pipeline: &PipelineArgs, out: &Out) -> Exit {
    let mut exit = Exit::Fine;
    for file in files {
        let path = root.join(&file.path);
        let there = if path.exists() { fs::read(&path) } else { Ok(Vec::new()) };
        let problem = match there {
            Err(error) => error.to_string(),
            Ok(there) if there == file.text.as_bytes() => continue,
            Ok(there) if there.is_empty() => format!("{} is not there", path.display()),
            Ok(there) => {
                let there = String::from_utf8_lossy(&there);
                let same =
                    there.split('\n').zip(file.text.split('\n')).take_while(|(there, here)| there == here).count();
                format!("{}:{}: not what the pipeline compiles to", path.display(), same + 1)
            }
        };
        out.err_line(&format!("error: {problem}"));
        exit = Exit::Failed;
    }
    if exit != Exit::Fine {
        out.err_line(&pipeline.again(&format!("help: `mlpc compile --target {}` writes it", target.name())));
    }
    exit
}
