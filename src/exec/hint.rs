//! Reads the output of a failed stage for the file that it missed: one that stands in the workspace but was not
//! declared, and so was not in the stage's folder.

use std::collections::BTreeSet;
use std::path::{Component, Path};

/// What a stage missed.
#[derive(Debug, PartialEq)]
pub(super) enum Missed {
    /// A module of its program: the pattern of code that has it.
    Module(String),
    /// A file, by its path.
    File(String),
}

/// Returns what a stage missed, if its output names an undeclared file of the workspace.
pub(super) fn undeclared(log: &str, workspace: &Path, folder: &Path, declared: &BTreeSet<String>) -> Option<Missed> {
    let mut lines = log.lines().rev();
    lines.find_map(|line| {
        let module = module(line, workspace, declared).map(Missed::Module);
        module.or_else(|| file(line, workspace, folder, declared).map(Missed::File))
    })
}

/// `ModuleNotFoundError: No module named 'features.build'`
fn module(line: &str, workspace: &Path, declared: &BTreeSet<String>) -> Option<String> {
    let name = line.split_once("No module named ")?.1.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let first = name.split('.').next()?;
    // Python looks beside the script and in the folder that it runs in.
    let mut folders: BTreeSet<&Path> = declared.iter().filter_map(|file| Path::new(file).parent()).collect();
    folders.insert(Path::new(""));
    for folder in folders {
        let file = folder.join(format!("{first}.py"));
        if workspace.join(&file).is_file() && !is_declared(&file, declared) {
            return Some(file.display().to_string());
        }
        let package = folder.join(first);
        if workspace.join(&package).is_dir() && !declared.iter().any(|file| Path::new(file).starts_with(&package)) {
            return Some(format!("{}/**", package.display()));
        }
    }
    None
}

fn file(line: &str, workspace: &Path, folder: &Path, declared: &BTreeSet<String>) -> Option<String> {
    let separators = |c: char| c.is_whitespace() || "'\"`()[]{}<>,;=".contains(c);
    line.split(separators).find_map(|word| {
        let word = word.trim_end_matches([':', '.', '!', '?']);
        let path = Path::new(word);
        let path = path.strip_prefix(folder).or_else(|_| path.strip_prefix(workspace)).unwrap_or(path);
        let path = path.strip_prefix(".").unwrap_or(path);
        let plain = !path.as_os_str().is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || path.starts_with(".mlpc") || path.starts_with(".git") || is_declared(path, declared) {
            return None;
        }
        // Programs name folders in passing all the time; a file is what was missed.
        if !workspace.join(path).is_file() || folder.join(path).exists() {
            return None;
        }
        Some(path.display().to_string())
    })
}

fn is_declared(path: &Path, declared: &BTreeSet<String>) -> bool {
    path.to_str().is_some_and(|path| declared.contains(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fs;

    fn hint(log: &str) -> Option<Missed> {
        let workspace = tempfile::tempdir().expect("a folder");
        for file in ["src/train.py", "src/util.py", "src/features/build.py", "config.yaml"] {
            fs::write_atomic(&workspace.path().join(file), b"x").expect("written");
        }
        let log = log.replace("WORK", "/stage");
        undeclared(&log, workspace.path(), Path::new("/stage"), &BTreeSet::from(["src/train.py".to_owned()]))
    }

    #[test]
    fn a_file_that_was_not_declared_is_named() {
        let python = "FileNotFoundError: [Errno 2] No such file or directory: 'config.yaml'";
        assert_eq!(hint(python), Some(Missed::File("config.yaml".into())));
        assert_eq!(hint("cat: ./config.yaml: No such file"), Some(Missed::File("config.yaml".into())));
        let absolute = "python: can't open file 'WORK/src/util.py': [Errno 2] No such file or directory";
        assert_eq!(hint(absolute), Some(Missed::File("src/util.py".into())));
    }

    #[test]
    fn a_module_that_was_not_declared_is_found_beside_the_script() {
        assert_eq!(hint("ModuleNotFoundError: No module named 'util'"), Some(Missed::Module("src/util.py".into())));
        assert_eq!(
            hint("ModuleNotFoundError: No module named 'features.build'"),
            Some(Missed::Module("src/features/**".into()))
        );
        assert_eq!(hint("ModuleNotFoundError: No module named 'numpy'"), None);
    }

    #[test]
    fn what_is_declared_or_not_there_is_no_hint() {
        assert_eq!(hint("  File \"WORK/src/train.py\", line 3\nValueError: bad"), None);
        assert_eq!(hint("cannot open missing.csv"), None);
        assert_eq!(hint("../config.yaml /etc/passwd src"), None);
    }
}
