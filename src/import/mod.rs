//! Projects of other tools, written anew in the language: text in, text and a report out.
//!
//! Knows nothing of the terminal; a project's files come in through [`Files`].

pub mod dvc;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// The files of a project; paths are relative to its root, with `/`.
pub trait Files {
    /// Returns the text of a file; `None` where there is none, or none that is UTF-8.
    fn read(&self, path: &str) -> Option<String>;

    /// Tells what stands at a path.
    fn kind(&self, path: &str) -> Option<Kind>;

    /// Lists the files below a folder, in order, as paths from the project's root; long lists may be cut off.
    fn below(&self, folder: &str) -> Vec<String>;
}

/// What a line of the report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// Something was not carried over.
    Lost,
    /// Something was carried over in a way that is worth a later step.
    Step,
    /// Something was taken for granted, or comes out otherwise than there.
    Look,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The file, from the project's root.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What kind of line it is.
    pub remark: Remark,
    /// What there is to say.
    pub text: String,
}

/// Why nothing could be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, from the project's root.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// What an import gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The folder of the pipeline, from the project's root; empty for the root.
    pub workspace: String,
    /// The pipeline, in the one layout.
    pub text: String,
    /// What there is to say, by file and line.
    pub notes: Vec<Note>,
}
