//! `mlpc init`: writes a pipeline that runs as it stands. Asks nothing, overwrites nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Exit, Verb};
use crate::host::Out;

const TEMPLATE: &str = include_str!("pipeline.mlp");

/// What a run makes and git should not keep.
const IGNORED: [&str; 3] = ["/.mlpc/", "/out/", "/registry/"];

/// Write a pipeline that runs
///
/// Writes `pipeline.mlp` with a small model of its own, and the lines of `.gitignore` for what a run makes. Asks nothing and
/// overwrites nothing: where a pipeline stands already, it ends with exit code 2.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc init fraud && cd fraud && mlpc run")]
pub(crate) struct Init {
    /// The folder, made where it is missing
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

impl Verb for Init {
    const NAME: &'static str = "init";

    fn run(self, out: &Out) -> Exit {
        match self.write() {
            Ok(written) => {
                for path in written {
                    out.line(&format!("wrote {}", path.display()));
                }
                out.line("run it: mlpc run");
                Exit::Fine
            }
            Err(message) => {
                out.err_line(&format!("mlpc: {message}"));
                Exit::Usage
            }
        }
    }
}

impl Init {
    fn write(&self) -> Result<Vec<PathBuf>, String> {
        let said = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| format!("`{path}`: {error}")
        };
        fs::create_dir_all(&self.folder).map_err(said(&self.folder))?;
        let absolute = fs::canonicalize(&self.folder).map_err(said(&self.folder))?;
        if let Some(standing) = pipeline_in(&self.folder).map_err(said(&self.folder))? {
            return Err(format!("`{}` is a pipeline already; name another folder", standing.display()));
        }
        let file = self.folder.join("pipeline.mlp");
        let name = pipeline_name(absolute.file_name().and_then(|name| name.to_str()).unwrap_or_default());
        let mut new = fs::OpenOptions::new().write(true).create_new(true).open(&file).map_err(said(&file))?;
        new.write_all(TEMPLATE.replace("{{name}}", &name).as_bytes()).map_err(said(&file))?;

        let ignore = self.folder.join(".gitignore");
        let standing = match fs::read_to_string(&ignore) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(said(&ignore))?,
        };
        let added = missing_lines(&standing);
        if added.is_empty() {
            return Ok(vec![file]);
        }
        let mut end = fs::OpenOptions::new().create(true).append(true).open(&ignore).map_err(said(&ignore))?;
        end.write_all(added.as_bytes()).map_err(said(&ignore))?;
        Ok(vec![file, ignore])
    }
}

/// Returns the first `.mlp` file of a folder, by name: a second pipeline beside it would leave no default.
fn pipeline_in(folder: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mlp") {
            found.push(path);
        }
    }
    Ok(found.into_iter().min())
}

/// Makes a name of the language from a folder's name.
fn pipeline_name(folder: &str) -> String {
    let words: String =
        folder.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let name = words.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('_');
    match name {
        "" | "true" | "false" | "and" | "or" | "not" => "example".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns the lines that a `.gitignore` lacks, ready to be put behind what stands there.
fn missing_lines(standing: &str) -> String {
    let has = |line: &str| standing.lines().any(|have| have.trim().trim_matches('/') == line.trim_matches('/'));
    let lines: String = IGNORED.iter().filter(|line| !has(line)).map(|line| format!("{line}\n")).collect();
    if lines.is_empty() || standing.is_empty() || standing.ends_with('\n') { lines } else { format!("\n{lines}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_names_of_the_language() {
        let named = ["fraud", "Fraud-Detector 2", "2026-churn", "größe", "___", "not"].map(pipeline_name);
        assert_eq!(named, ["fraud", "fraud_detector_2", "churn", "gr__e", "example", "example"]);
    }

    #[test]
    fn only_the_missing_lines_are_added() {
        assert_eq!(missing_lines(""), "/.mlpc/\n/out/\n/registry/\n");
        assert_eq!(missing_lines(".mlpc\nout/"), "\n/registry/\n");
        assert_eq!(missing_lines("/.mlpc/\n/out/\n/registry/\n"), "");
    }

    #[test]
    fn a_pipeline_that_stands_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let init = Init { folder: folder.path().join("new") };
        let written = init.write().expect("the first time");
        assert_eq!(written.len(), 2);
        fs::write(&written[0], "mine").expect("an edit");
        assert!(init.write().expect_err("the second time").contains("is a pipeline already"));
        assert_eq!(fs::read_to_string(&written[0]).expect("still there"), "mine");
    }
}
