//! Finds the pipeline that a verb is about and reads its source.

use std::borrow::Cow;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Component, Path, PathBuf};

use super::{Exit, render};
use crate::allow::Allows;
use crate::compile::compile;
use crate::host::Out;
use crate::host::modules::read_modules;
use crate::plan::Plan;
use crate::source::{SourceFile, Sources};

/// `-f FILE`, which every verb about one pipeline takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PipelineArgs {
    /// The pipeline; else the one `*.mlp` file with a `pipeline` line here or in the nearest parent
    #[arg(short = 'f', long = "file", global = true, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// A pipeline file that was found.
#[derive(Debug)]
pub(crate) struct Project {
    /// The file as messages name it: relative to the current folder where that is short.
    pub(crate) file: PathBuf,
    /// The folder of the file: all paths in it are relative to this one. Absolute.
    pub(crate) workspace: PathBuf,
    /// The sources: the pipeline is the first file, its modules are behind it.
    pub(crate) sources: Sources,
}

/// Verbs about one pipeline that messages tell to call.
const OF_ONE: [&str; 5] = ["approve", "baseline", "compile", "registry", "run"];

impl PipelineArgs {
    /// Returns a text whose commands name the file of the pipeline, where the caller did: others may stand beside it.
    pub(crate) fn again<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(file) = &self.file else { return Cow::Borrowed(text) };
        let shown = file.display().to_string();
        let tame = shown.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
        let file = if tame { shown } else { format!("'{}'", shown.replace('\'', "'\\''")) };
        let mut named = Cow::Borrowed(text);
        for verb in OF_ONE {
            let call = format!("`mlpc {verb}");
            if named.contains(&call) {
                named = Cow::Owned(named.replace(&call, &format!("{call} -f {file}")));
            }
        }
        named
    }

    /// Finds the pipeline; `Err` is the message to show, with exit 2.
    pub(crate) fn find(&self) -> Result<PathBuf, String> {
        match &self.file {
            Some(file) => Ok(file.clone()),
            None => find(&std::env::current_dir().map_err(|error| format!("the current folder is gone: {error}"))?),
        }
    }

    /// Finds and reads the pipeline; `Err` is the message to show, with exit 2.
    pub(crate) fn open(&self) -> Result<Project, String> {
        let file = self.find()?;
        let source = read(&file)?;
        let mut sources = Sources::default();
        sources.add(source);
        read_modules(&mut sources);
        let absolute = fs::canonicalize(&file).map_err(|error| format!("`{}`: {error}", file.display()))?;
        let workspace = absolute.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Project { file, workspace, sources })
    }
}

impl Project {
    /// Returns the pipeline's name as its line says it, also where the rest of the file is broken.
    pub(crate) fn pipeline(&self) -> Option<&str> {
        let (_, file) = self.sources.iter().next()?;
        let line = file.text().trim_start_matches('\u{feff}').lines().find_map(|line| line.strip_prefix("pipeline"));
        line.filter(|rest| rest.starts_with(char::is_whitespace))?.split_whitespace().next()
    }
}

/// A pipeline that was found and has no errors.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Where it stands.
    pub(crate) project: Project,
    /// What it does.
    pub(crate) plan: Plan,
    /// The files that parameters were read from, with their texts.
    pub(crate) read: Vec<(PathBuf, String)>,
    /// What the pipeline allows.
    pub(crate) allows: Allows,
}

/// Finds the pipeline, reads it and makes its plan. What is wrong is shown on stderr; warnings alone are left to
/// `mlpc check`.
pub(crate) fn load(out: &Out, args: &PipelineArgs) -> Result<Loaded, Exit> {
    let project = args.open().map_err(|message| {
        out.err_line(&format!("error: {message}"));
        Exit::Usage
    })?;
    let compilation = compile(&project.sources);
    match compilation.plan {
        Some(mut plan) => {
            let read = crate::around::params::fill(&mut plan, &project.workspace);
            let folder = project.file.parent().unwrap_or(Path::new(""));
            // Messages name files as the user does, a plan as the workspace does: the same from every folder.
            for place in plan.places.values_mut() {
                place.file = from(folder, &place.file);
            }
            Ok(Loaded { project, plan, read, allows: compilation.allows })
        }
        None => {
            render::diagnostics(out, &project.sources, &compilation.diagnostics, render::Format::Text);
            Err(Exit::Usage)
        }
    }
}

/// Returns a path as it is from a folder; both are relative to one place, or absolute.
fn from(folder: &Path, file: &str) -> String {
    let is_named = |part: &Component<'_>| *part != Component::CurDir;
    let mut folder = folder.components().filter(is_named).peekable();
    let mut file = Path::new(file).components().filter(is_named).peekable();
    while folder.peek().is_some() && folder.peek() == file.peek() {
        folder.next();
        file.next();
    }
    let path: PathBuf = folder.map(|_| Component::ParentDir).chain(file).collect();
    path.display().to_string()
}

/// Reads a source file; `Err` is the message to show.
pub(crate) fn read(path: &Path) -> Result<SourceFile, String> {
    let name = path.display();
    if path.is_dir() {
        return Err(format!("`{name}` is a folder, not an .mlp file"));
    }
    let bytes = crate::host::fs::read_whole(path)
        .map_err(|error| format!("`{name}` can't be read: {}", crate::host::error::reason(&error)))?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(format!("`{name}` has {} bytes; a source file has at most {}", bytes.len(), u32::MAX));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(name.to_string(), text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
            Err(format!("`{name}` is not UTF-8: line {line} holds the byte {:#04x}", error.as_bytes()[at]))
        }
    }
}

/// Finds the one pipeline of `folder` or of the nearest parent that has any, within a repository.
fn find(folder: &Path) -> Result<PathBuf, String> {
    for ancestor in folder.ancestors() {
        let found = pipelines(ancestor);
        match found.as_slice() {
            [] => {}
            // A name that users recognise: relative where the file is here.
            [one] if ancestor == folder => return Ok(one.file_name().map(PathBuf::from).unwrap_or_default()),
            [one] => return Ok(one.clone()),
            several => {
                let names: Vec<_> = several.iter().map(|path| format!("  {}", path.display())).collect();
                return Err(format!("several pipelines here; name one with `-f`:\n{}", names.join("\n")));
            }
        }
        // What lies around a repository is another project.
        if ancestor.join(".git").exists() {
            break;
        }
    }
    Err("no .mlp file with a `pipeline` line here or in a parent folder; `mlpc init` writes one".to_owned())
}

fn pipelines(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "mlp") && path.is_file())
        .filter(|path| declares_pipeline(path))
        .collect();
    found.sort();
    found
}

/// Reads no further than to the line, which stands near the top. What can't be read may well be a pipeline: whoever reads it
/// says why it can't be.
pub(super) fn declares_pipeline(path: &Path) -> bool {
    let file = match crate::host::fs::open(path) {
        Ok(file) => file,
        Err(error) => return error.kind() == std::io::ErrorKind::PermissionDenied,
    };
    let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let declares = |line: &[u8]| {
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        line.strip_prefix(b"pipeline").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
    };
    lines.any(|line| declares(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            fs::create_dir_all(folder.path().join(name).parent().expect("a parent")).expect("folders");
            fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    #[test]
    fn the_nearest_folder_with_a_pipeline_wins_and_modules_do_not_count() {
        let folder = folder(&[("a.mlp", "pipeline a\n"), ("sub/m.mlp", "const x = 1\n"), ("sub/deep/x.txt", "")]);
        assert_eq!(find(&folder.path().join("sub/deep")), Ok(folder.path().join("a.mlp")));
        assert_eq!(find(folder.path()), Ok(PathBuf::from("a.mlp")));
        fs::create_dir(folder.path().join("sub/.git")).expect("a folder");
        assert!(find(&folder.path().join("sub/deep")).is_err(), "around the repository");
    }

    #[test]
    fn several_are_listed() {
        let folder = folder(&[("a.mlp", "pipeline a\n"), ("b.mlp", "\u{feff}pipeline b\n")]);
        let message = find(folder.path()).expect_err("two");
        assert!(message.contains("a.mlp") && message.contains("b.mlp"), "{message}");
    }

    #[test]
    fn what_is_not_utf8_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.mlp");
        fs::write(&path, b"pipeline x\n\xff").expect("a file");
        assert!(read(&path).expect_err("not UTF-8").ends_with("line 2 holds the byte 0xff"));
    }
}
