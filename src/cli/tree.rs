//! Every pipeline below some folders, for `mlpc check --all`: what one change broke elsewhere is seen in one call.

use std::path::{Path, PathBuf};

use super::project::{declares_pipeline, read};
use crate::code::NEVER;
use crate::host::modules::read_modules;
use crate::source::Sources;

/// Reads all pipelines below the folders, then the modules that none of them uses, then those that are used. Returns how many are
/// no module of another file here; `Err` is the message to show.
pub(super) fn read_all(folders: &[PathBuf]) -> Result<(Sources, usize), String> {
    let here = [PathBuf::from(".")];
    let folders = if folders.is_empty() { &here } else { folders };
    let (pipelines, modules): (Vec<PathBuf>, Vec<PathBuf>) =
        below(folders)?.into_iter().partition(|path| declares_pipeline(path));
    if pipelines.is_empty() && modules.is_empty() {
        let shown: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
        return Err(format!("no .mlp file in {}; what .gitignore leaves out does not count", shown.join(", ")));
    }
    let mut used = add(&pipelines)?;
    read_modules(&mut used);
    let is_used = |path: &&PathBuf| used.named(&path.display().to_string()).is_some();
    let alone: Vec<PathBuf> = modules.iter().filter(|path| !is_used(path)).cloned().collect();
    let roots = [pipelines, alone].concat();
    let mut sources = add(&roots)?;
    read_modules(&mut sources);
    Ok((sources, roots.len()))
}

fn add(paths: &[PathBuf]) -> Result<Sources, String> {
    let mut sources = Sources::default();
    for path in paths {
        sources.add(read(path)?);
    }
    Ok(sources)
}

/// Returns the `.mlp` files below the folders by .gitignore's rules, each once, in the order of their names.
fn below(folders: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for folder in folders {
        let walk = ignore::WalkBuilder::new(folder)
            .hidden(false)
            .filter_entry(|entry| !NEVER.iter().any(|name| entry.file_name() == *name))
            .build();
        for entry in walk {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "mlp") && path.is_file() {
                found.push(path.strip_prefix(".").map(Path::to_path_buf).unwrap_or_else(|_| path.to_owned()));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
