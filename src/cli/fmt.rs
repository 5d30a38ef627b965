//! `mlpc fmt`: writes files in the one layout, or says which are not in it.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::project::{self, PipelineArgs};
use super::repair::rewrite;
use super::{Exit, Verb, render};
use crate::host::Out;
use crate::source::{FileId, SourceFile, Sources};
use crate::syntax;

/// Write `.mlp` files in the one layout: comments and scripts stay as they are
///
/// A file with syntax errors is left alone, and the errors are shown. Without files: the pipeline that is found here.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc fmt\n  mlpc fmt --check --diff gates/*.mlp\n  mlpc fmt - < pipeline.mlp")]
pub(super) struct Fmt {
    /// The files; `-` reads standard input and writes standard output
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; exit 1 where a file is not in the layout, and name it
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change, and exit 1 where something would
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Verb for Fmt {
    const NAME: &'static str = "fmt";

    fn run(self, out: &Out) -> Exit {
        let mut files = self.files;
        if files.is_empty() {
            match self.pipeline.find() {
                Ok(file) => files.push(file),
                Err(message) => {
                    out.err_line(&format!("error: {message}"));
                    return Exit::Usage;
                }
            }
        }
        files.iter().map(|file| one(out, file, self.check, self.diff)).max().unwrap_or(Exit::Fine)
    }
}

/// Formats one file; the worst of all files is the exit code.
fn one(out: &Out, path: &Path, check: bool, diff: bool) -> Exit {
    let stdin = path == Path::new("-");
    let source = match if stdin { standard_input() } else { project::read(path) } {
        Ok(source) => source,
        Err(message) => {
            out.err_line(&format!("error: {message}"));
            return Exit::Usage;
        }
    };
    let formatted = match syntax::fmt::format(FileId(0), source.text()) {
        Ok(formatted) => formatted,
        Err(diagnostics) => {
            let mut sources = Sources::default();
            sources.add(source);
            render::diagnostics(out, &sources, &diagnostics, render::Format::Text);
            return Exit::Usage;
        }
    };
    let same = formatted == source.text();
    if diff && !same {
        out.write(&changes(source.name(), source.text(), &formatted));
    }
    match (check || diff, stdin) {
        (true, _) if same => Exit::Fine,
        (true, _) if !check => Exit::Failed,
        (true, _) => {
            out.err_line(&format!("{}: not formatted; run `mlpc fmt`", source.name()));
            Exit::Failed
        }
        (false, true) => {
            out.write(&formatted);
            Exit::Fine
        }
        (false, false) if same => Exit::Fine,
        (false, false) => match rewrite(path, &formatted) {
            Ok(()) => {
                out.line(&format!("{}: formatted", source.name()));
                Exit::Fine
            }
            Err(error) => {
                out.err_line(&format!("error: {error}"));
                Exit::Failed
            }
        },
    }
}

/// Returns what formatting changes, as `patch` and `git apply` read it: lines end with a line feed alone, and names are written as Git
/// writes them.
fn changes(name: &str, was: &str, is: &str) -> String {
    let (was, is): (Vec<&str>, Vec<&str>) = (was.split_inclusive('\n').collect(), is.split_inclusive('\n').collect());
    let name = quoted(name);
    similar::TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&was, &is)
        .unified_diff()
        .header(&name, &name)
        .to_string()
}

/// Returns a name as the header of a patch has it: one with control characters, `"` or `\` in quotes, one with blanks with a tab behind
/// it, without which they would end it.
fn quoted(name: &str) -> String {
    let tab = if name.contains(' ') { "\t" } else { "" };
    if !name.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        return format!("{name}{tab}");
    }
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| text.push_str(&format!("\\{byte:03o}")));
            }
            c => text.push(c),
        }
    }
    format!("\"{text}\"{tab}")
}

fn standard_input() -> Result<SourceFile, String> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| format!("standard input can't be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "standard input is not UTF-8".to_owned())?;
    Ok(SourceFile::new("<stdin>", text))
}
