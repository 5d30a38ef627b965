//! `mlpc import`: writes a pipeline from a project of another tool.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::render::{self, Format};
use super::{Exit, Verb};
use crate::compile::compile;
use crate::diagnostic::Diagnostic;
use crate::host::Out;
use crate::import::{self, Files, Imported, Kind, Note, Remark};
use crate::source::Sources;

/// Write a pipeline from a DVC project
///
/// Reads `dvc.yaml`, its files of parameters and `dvc.lock`, writes `pipeline.mlp`, checks it, and reports, line by line, what was not
/// carried over, what is a step to take later, and what to look at. Runs nothing, needs no DVC, and overwrites nothing unless told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mlpc import dvc.yaml\n  mlpc import pipelines/dvc.yaml --output fraud.mlp\n  mlpc import dvc.yaml --output -"
)]
pub(crate) struct ImportVerb {
    /// The `dvc.yaml`
    #[arg(value_name = "FILE", default_value = "dvc.yaml")]
    file: PathBuf,
    /// Where the pipeline goes; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite what stands there
    #[arg(long)]
    overwrite: bool,
    /// How the report is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

impl Verb for ImportVerb {
    const NAME: &'static str = "import";

    fn run(self, out: &Out) -> Exit {
        self.import(out).unwrap_or_else(|message| {
            out.err_line(&format!("error: {message}"));
            Exit::Usage
        })
    }
}

impl ImportVerb {
    fn import(&self, out: &Out) -> Result<Exit, String> {
        let shown = self.file.display();
        if self.file.extension().is_some_and(|extension| extension == "dvc") {
            return Err(format!("`{shown}` is data, not a pipeline: name it in one, `source raw: File = dvc(\"…\")`"));
        }
        let file = fs::canonicalize(&self.file).map_err(|error| format!("`{shown}` can't be read: {error}"))?;
        if file.is_dir() {
            return Err(format!("`{shown}` is a folder; name its `dvc.yaml`"));
        }
        let folder = file.parent().unwrap_or(Path::new("/"));
        let root = folder.ancestors().find(|folder| folder.join(".dvc").is_dir()).unwrap_or(folder);
        let inside = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let imported = import::dvc::import(&Disk { root: root.to_owned() }, &inside, &name)
            .map_err(|fault| format!("{}:{}: {}", fault.file, fault.line, fault.message))?;
        let target = match &self.output {
            Some(path) => path.clone(),
            None => shorten(&root.join(&imported.workspace).join("pipeline.mlp")),
        };
        let stdout = target == Path::new("-");
        let workspace = root.join(&imported.workspace);
        let beside = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !stdout && fs::canonicalize(beside).map_err(|error| format!("`{}`: {error}", beside.display()))? != workspace
        {
            return Err(format!(
                "the project's paths are from `{}`: put the pipeline there",
                shorten(&workspace).display()
            ));
        }
        if !stdout && target.exists() && !self.overwrite {
            let target = target.display();
            return Err(format!(
                "`{target}` is there already; name another place with `--output`, or say `--overwrite`"
            ));
        }
        let sources = Sources::single(target.display().to_string(), imported.text.clone());
        let found = compile(&sources).diagnostics;
        if stdout {
            out.write(&imported.text);
        } else {
            crate::host::fs::write_atomic(&target, imported.text.as_bytes()).map_err(|error| error.to_string())?;
        }
        match self.format {
            Format::Json => self.json(out, &imported, &target, &found),
            Format::Text => report(out, &imported, &target, stdout),
        }
        if !found.is_empty() && self.format == Format::Text {
            render::diagnostics(out, &sources, &found, Format::Text);
        }
        Ok(if found.iter().any(Diagnostic::is_error) { Exit::Usage } else { Exit::Fine })
    }

    fn json(&self, out: &Out, imported: &Imported, target: &Path, found: &[Diagnostic]) {
        #[derive(Serialize)]
        struct Report<'a> {
            format: u32,
            pipeline: String,
            clean: bool,
            notes: &'a [Note],
        }
        let report = Report {
            format: 1,
            pipeline: target.display().to_string(),
            clean: found.is_empty(),
            notes: &imported.notes,
        };
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        if target == Path::new("-") { out.err_line(&text) } else { out.json(&text) }
    }
}

fn report(out: &Out, imported: &Imported, target: &Path, stdout: bool) {
    let say = |line: &str| if stdout { out.err_line(line) } else { out.line(line) };
    say(&format!("wrote {}", target.display()));
    let parts =
        [(Remark::Lost, "not carried over:"), (Remark::Step, "steps to take later:"), (Remark::Look, "to look at:")];
    for (remark, title) in parts {
        let notes: Vec<&Note> = imported.notes.iter().filter(|note| note.remark == remark).collect();
        if notes.is_empty() {
            continue;
        }
        say(&format!("\n{title}"));
        for note in notes {
            say(&format!("  {}:{}: {}", note.file, note.line, note.text));
        }
    }
}

/// Returns a path as it is from the current folder, where it lies below it.
fn shorten(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    match here.as_deref().map(|here| path.strip_prefix(here)) {
        Ok(Ok(short)) => short.to_owned(),
        _ => path.to_owned(),
    }
}

/// A project on disk.
struct Disk {
    root: PathBuf,
}

/// How many files of a folder are listed.
const LISTED: usize = 10_000;

impl Files for Disk {
    fn read(&self, path: &str) -> Option<String> {
        let path = self.root.join(path);
        // What is larger is no program and no file of parameters.
        if path.metadata().ok()?.len() > 4 << 20 {
            return None;
        }
        fs::read_to_string(path).ok()
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        let kind = self.root.join(path).metadata().ok()?;
        Some(if kind.is_dir() { Kind::Folder } else { Kind::File })
    }

    fn below(&self, folder: &str) -> Vec<String> {
        let walk = ignore::WalkBuilder::new(self.root.join(folder))
            .standard_filters(false)
            .filter_entry(|entry| {
                !matches!(entry.file_name().to_str(), Some(".git" | ".dvc" | ".mlpc" | "__pycache__"))
            })
            .build();
        let mut files: Vec<String> = walk
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .take(LISTED)
            .filter_map(|entry| Some(entry.path().strip_prefix(&self.root).ok()?.to_str()?.to_owned()))
            .collect();
        files.sort();
        files
    }
}
