//! Which files a `code` pattern means: by .gitignore's rules and a short list of what is never code. What runs and what
//! is released ask the same.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSetBuilder};
use ignore::WalkBuilder;

use crate::host::{Error, Result};
use crate::plan::Plan;

/// Names that are never code, wherever they stand.
pub(crate) const NEVER: [&str; 8] =
    [".git", ".mlpc", "__pycache__", ".ipynb_checkpoints", ".venv", "node_modules", ".DS_Store", ".pytest_cache"];

/// Finds files of code, remembering what it found for the length of a run.
#[derive(Debug)]
pub(crate) struct CodeFinder {
    workspace: PathBuf,
    /// What stages write, and what registries hold, is not code, even where a pattern covers it.
    outputs: BTreeSet<PathBuf>,
    found: Mutex<HashMap<String, Arc<Vec<String>>>>,
}

/// Returns those of the patterns that mean no file of the workspace, each once. What can't be read is not reported.
pub(crate) fn unmatched<'p>(workspace: &Path, patterns: impl Iterator<Item = &'p str>) -> BTreeSet<&'p str> {
    let finder = CodeFinder::new(workspace, std::iter::empty());
    let distinct: BTreeSet<&str> = patterns.collect();
    let empty = |pattern: &&str| finder.pattern(pattern).is_ok_and(|files| files.is_empty());
    distinct.into_iter().filter(empty).collect()
}

impl CodeFinder {
    pub(crate) fn new(workspace: &Path, outputs: impl Iterator<Item = PathBuf>) -> Self {
        Self { workspace: workspace.to_owned(), outputs: outputs.collect(), found: Mutex::default() }
    }

    /// Makes one that knows what the plan's stages publish and where its registries are.
    pub(crate) fn of(plan: &Plan, workspace: &Path) -> Self {
        Self::new(workspace, plan.published())
    }

    /// Returns the files that the patterns mean, relative to the workspace, each once, with the pattern.
    pub(crate) fn files(&self, patterns: &[String]) -> Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for pattern in patterns {
            for file in self.pattern(pattern)?.iter() {
                files.entry(file.clone()).or_insert_with(|| pattern.clone());
            }
        }
        Ok(files)
    }

    /// Returns the files that the patterns mean at this moment.
    pub(crate) fn files_now(&self, patterns: &[String]) -> Result<BTreeSet<String>> {
        let found = patterns.iter().map(|pattern| self.search(pattern)).collect::<Result<Vec<_>>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Tells whether stages write what stands at a path of the workspace.
    pub(crate) fn is_output(&self, path: &str) -> bool {
        Path::new(path).ancestors().any(|part| self.outputs.contains(part))
    }

    /// Returns those of the files that the patterns would mean if they were there, whatever `.gitignore` says of them.
    pub(crate) fn would_find<'f>(&self, patterns: &[&str], files: &[&'f str]) -> Result<Vec<&'f str>> {
        let (mut plain, mut globs) = (HashSet::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
            if pattern.contains(['*', '?', '[', '{']) {
                globs.add(glob(pattern)?);
            } else {
                plain.insert(Path::new(if pattern == "." { "" } else { pattern }));
            }
        }
        let globs = globs.build().map_err(|error| Error::new(format!("the patterns of code: {}", error.kind())))?;
        let is_meant = |file: &str| {
            let is_code = || Path::new(file).iter().all(|part| is_ever_code(&part.to_string_lossy()));
            let named = || Path::new(file).ancestors().any(|part| plain.contains(part));
            (globs.is_match(file) || named()) && is_code() && !self.is_output(file)
        };
        Ok(files.iter().copied().filter(|file| is_meant(file)).collect())
    }

    fn pattern(&self, pattern: &str) -> Result<Arc<Vec<String>>> {
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(pattern).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let files = Arc::new(self.search(pattern)?);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(pattern.to_owned(), Arc::clone(&files));
        Ok(files)
    }

    fn search(&self, pattern: &str) -> Result<Vec<String>> {
        let plain = pattern.trim_start_matches("./").trim_end_matches('/');
        let path = self.workspace.join(plain);
        if !plain.contains(['*', '?', '[', '{']) {
            // A file that is named outright is meant, whatever .gitignore says of it.
            if path.is_file() {
                return Ok(vec![plain.to_owned()]);
            }
            return if path.is_dir() { self.walk(&path, None) } else { Ok(Vec::new()) };
        }
        let matcher = matcher(plain)?;
        // Nothing outside the folder that the pattern begins with can match.
        let start: PathBuf = Path::new(plain)
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
            .collect();
        self.walk(&self.workspace.join(start), Some(&matcher))
    }

    fn walk(&self, start: &Path, matcher: Option<&GlobMatcher>) -> Result<Vec<String>> {
        if !start.is_dir() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        let walk = WalkBuilder::new(start)
            .hidden(false)
            .ignore(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .filter_entry(|entry| is_ever_code(&entry.file_name().to_string_lossy()))
            .build();
        for entry in walk {
            let entry = entry.map_err(|error| Error::new(format!("cannot look for code: {error}")))?;
            let Ok(relative) = entry.path().strip_prefix(&self.workspace) else { continue };
            let is_output = || relative.ancestors().any(|part| self.outputs.contains(part));
            if matcher.is_none_or(|matcher| matcher.is_match(relative)) && entry.path().is_file() && !is_output() {
                let Some(text) = relative.to_str() else {
                    return Err(Error::new(format!("the name `{}` is not UTF-8", relative.display())));
                };
                files.push(text.to_owned());
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Tells whether something of this name may be code.
fn is_ever_code(name: &str) -> bool {
    !NEVER.contains(&name) && !name.ends_with(".pyc")
}

fn matcher(pattern: &str) -> Result<GlobMatcher> {
    Ok(glob(pattern)?.compile_matcher())
}

fn glob(pattern: &str) -> Result<Glob> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map_err(|error| Error::new(format!("`{pattern}` is no pattern: {}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fs;

    fn workspace(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            fs::write_atomic(&folder.path().join(file), b"x").expect("written");
        }
        folder
    }

    fn found(folder: &tempfile::TempDir, pattern: &str) -> Vec<String> {
        let finder = CodeFinder::new(folder.path(), ["out/made.py"].map(PathBuf::from).into_iter());
        finder.files(&[pattern.to_owned()]).expect("found").into_keys().collect()
    }

    #[test]
    fn stars_stay_in_their_folder_and_double_stars_do_not() {
        let folder = workspace(&["src/a.py", "src/deep/b.py", "src/c.txt", "d.py"]);
        assert_eq!(found(&folder, "src/*.py"), ["src/a.py"]);
        assert_eq!(found(&folder, "src/**"), ["src/a.py", "src/c.txt", "src/deep/b.py"]);
        assert_eq!(found(&folder, "**/*.py"), ["d.py", "src/a.py", "src/deep/b.py"]);
        assert_eq!(found(&folder, "src"), ["src/a.py", "src/c.txt", "src/deep/b.py"]);
        assert_eq!(found(&folder, "src/a.py"), ["src/a.py"]);
        assert!(found(&folder, "nothing/**").is_empty());
    }

    #[test]
    fn what_is_ignored_or_made_is_no_code_unless_it_is_named() {
        let folder =
            workspace(&["src/a.py", "src/gen.py", "src/__pycache__/a.pyc", ".mlpc/x.py", "out/made.py", "out/k.py"]);
        fs::write_atomic(&folder.path().join(".gitignore"), b"gen.py\n").expect("written");
        assert_eq!(found(&folder, "**/*.py"), ["out/k.py", "src/a.py"]);
        assert_eq!(found(&folder, "src/gen.py"), ["src/gen.py"]);
    }
}
