//! Sources that DVC keeps: brought into the store once, and then known by what DVC says of them.

use std::path::Path;

use super::context::{Run, Stop};
use super::outputs;
use super::prepare::{From, Prepared};
use crate::cache::{Artifact, Restored, Take};
use crate::dvc::{self, Objects};
use crate::host::fs::{self, join_inside};

/// Brings a source into the store, and returns what it is there.
pub(super) fn bring(run: &Run<'_>, name: &str, path: &str) -> Result<Artifact, Stop> {
    let failed = |why: String| Stop::Failed(format!("the source `{name}`: {why}"));
    let pinned = dvc::pinned(run.workspace(), path).map_err(failed)?;
    let part =
        if pinned.below.is_empty() { String::new() } else { format!("-{}", crate::cache::file_name(&pinned.below)) };
    let mode = if pinned.executable { "-x" } else { "" };
    let known = run.store.state().join("dvc").join(format!("{}{mode}{part}.json", pinned.md5));
    let artifact = std::fs::read(&known).ok().and_then(|bytes| serde_json::from_slice::<Artifact>(&bytes).ok());
    if let Some(artifact) = artifact.filter(|artifact| run.store.has(artifact)) {
        return Ok(artifact);
    }
    let scratch = run.store.scratch().fresh("dvc");
    fs::create_dirs(fs::parent(&scratch))?;
    Objects::of(&pinned.root).copy(&pinned, path, &run.workspace().join(path), &scratch).map_err(failed)?;
    let artifact = run.store.put(&scratch, Take::Move)?;
    fs::remove(&scratch)?;
    fs::create_dirs(fs::parent(&known))?;
    fs::write_atomic(&known, &serde_json::to_vec(&artifact).unwrap_or_default())?;
    Ok(artifact)
}

/// Sees to it that a stage without isolation finds its inputs in the workspace, as they are declared.
pub(super) fn stand_ready(run: &Run<'_>, prepared: &Prepared) -> Result<(), Stop> {
    for input in &prepared.inputs {
        let Some((artifact, from)) = &input.content else { continue };
        let path = join_inside(run.workspace(), &input.path)?;
        match from {
            From::Fetched { source, environment } => {
                super::fetch::bring(run, source, artifact, environment)?;
                // The place is ours: what else stands there was fetched for another run.
                if !outputs::is_there(run, &path, artifact) {
                    restore(run, &input.name, artifact, &path)?;
                }
                continue;
            }
            From::Dvc => {}
            _ => continue,
        }
        if outputs::is_there(run, &path, artifact) {
            continue;
        }
        if path.exists() {
            let (name, path) = (&input.name, &input.path);
            return Err(Stop::Failed(format!(
                "the stage runs with `isolation off`, and `{path}` in the workspace is not the input `{name}`: put it right, as with \
                 `dvc checkout {path}` or `dvc add {path}`"
            )));
        }
        restore(run, &input.name, artifact, &path)?;
    }
    Ok(())
}

fn restore(run: &Run<'_>, input: &str, artifact: &Artifact, path: &Path) -> Result<(), Stop> {
    match run.store.restore(artifact, path)? {
        Restored::Done => Ok(()),
        Restored::Missing => {
            Err(Stop::Failed(format!("the cache has lost the input `{input}`; run again to make it anew")))
        }
    }
}
