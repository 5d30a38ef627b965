//! DVC projects: `dvc.yaml`, files of parameters and `dvc.lock` become a pipeline and a report.
//!
//! ```text
//!  dvc.yaml ──▶ project: stages, templates replaced ──▶ build: what each path is ──▶ text ──▶ formatter
//! ```
//!
//! Commands are kept as they were written, so a project goes on to run its own programs; what DVC left unsaid and an
//! isolated stage needs is found where it can be, and the report names it.

mod build;
pub(crate) mod config;
mod data;
mod fold;
mod legs;
mod metrics;
mod names;
mod params;
mod path;
mod project;
mod python;
mod script;
mod template;
#[cfg(test)]
pub(super) mod tests;
mod text;
mod write;
mod yaml;

use super::{Fault, Files, Imported, Note};
use crate::source::FileId;
use crate::syntax;

/// Makes a pipeline of `file`, a `dvc.yaml` in a project. `name` is what the pipeline is called.
pub fn import(files: &dyn Files, file: &str, name: &str) -> Result<Imported, Fault> {
    let fault = |message: &str| Fault { file: file.to_owned(), line: 1, message: message.to_owned() };
    let text = files.read(file).ok_or_else(|| fault("it can't be read as text"))?;
    let mut notes: Vec<Note> = Vec::new();
    let project = project::read(files, file, &text, &mut notes)?;
    let built = build::build(files, file, &names::word(name), project, &mut notes);
    if built.text.contains(" = dvc(\"") {
        notes.push(config::note(files));
    }
    // A text that our own parser refuses is shown as it is, so that the checker says what is wrong with it.
    let text = syntax::fmt::format(FileId(0), &built.text).unwrap_or(built.text);
    notes.sort_by(|a, b| (&a.file, a.line, a.remark, &a.text).cmp(&(&b.file, b.line, b.remark, &b.text)));
    notes.dedup();
    Ok(Imported { workspace: built.workspace, text, notes })
}
