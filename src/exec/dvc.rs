//! Sources that DVC keeps: brought into the store once, from DVC's cache or its remote, and then known by what DVC says of them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::{Run, Stop};
use super::outputs;
use super::prepare::{From, Prepared, frozen};
use crate::cache::{Artifact, Restored, Take};
use crate::dvc::{self, Fault, Fetch, Objects, Pinned, Remote};
use crate::host::fs::{self, join_inside};
use crate::host::{Digest, human};
use crate::plan::{Location, Source, Work};

/// Brings a source into the store, and says so where something else stands in the workspace: what is used is what was pinned.
pub(super) fn read(run: &Run<'_>, source: &Source, work: Option<&Work>) -> Result<Artifact, Stop> {
    let artifact = bring(run, source, work)?;
    let path = source.location.path().unwrap_or_default();
    let full = join_inside(run.workspace(), path)?;
    if let Ok(pinned) = dvc::pinned(run.workspace(), path)
        && is_edited(run, &full, &pinned, &artifact)
    {
        let by = &pinned.said_by;
        run.note_once(format!(
            "`{path}` in the workspace is not what `{by}` pins, which is what is read: {}",
            put_right(path)
        ));
    }
    Ok(artifact)
}

/// Tells whether something else than what was pinned stands in its place.
fn is_edited(run: &Run<'_>, full: &Path, pinned: &Pinned, artifact: &Artifact) -> bool {
    match std::fs::metadata(full) {
        Err(_) => false,
        // Text with other line ends is the same to DVC 2.
        Ok(_) if pinned.legacy && pinned.folder => false,
        Ok(meta) if pinned.legacy => !meta.is_file() || !dvc::is_pinned(full, pinned),
        Ok(meta) if meta.is_file() && meta.len() != artifact.size => true,
        Ok(_) => {
            run.memory.look(full).is_ok_and(|there| (there.kind, there.digest) != (artifact.kind, artifact.digest))
        }
    }
}

/// Brings a source into the store, and returns what it is there. What DVC's cache lacks is fetched into it from DVC's remote, with the
/// credential of the work that reads it.
pub(super) fn bring(run: &Run<'_>, source: &Source, work: Option<&Work>) -> Result<Artifact, Stop> {
    let (name, path) = (source.name.as_str(), source.location.path().unwrap_or_default());
    let failed = |why: String| Stop::Failed(format!("the source `{name}`: {why}"));
    let pinned = dvc::pinned(run.workspace(), path).map_err(failed)?;
    run.reads.note_pin(name, said(&pinned));
    if let Some(artifact) = known(run, &pinned) {
        return Ok(artifact);
    }
    let (objects, standing) = (Objects::of(&pinned.root), run.workspace().join(path));
    if objects.lacks(&pinned, &standing) {
        fetch(run, source, work, (&objects, &pinned, &standing))?;
    }
    let scratch = run.store.scratch().fresh("dvc");
    fs::create_dirs(fs::parent(&scratch))?;
    objects.copy(&pinned, path, &standing, &scratch).map_err(|fault| match fault {
        Fault::Failed(why) => failed(why),
        Fault::Unsound(why) => Stop::Unsound(format!("the source `{name}`: {why}")),
        Fault::Interrupted => Stop::Interrupted,
    })?;
    let artifact = run.store.put(&scratch, Take::Move)?;
    fs::remove(&scratch)?;
    let file = remembered_at(run, &pinned);
    fs::create_dirs(fs::parent(&file))?;
    fs::write_atomic(&file, &serde_json::to_vec(&artifact).unwrap_or_default())?;
    Ok(artifact)
}

/// Returns a digest of what DVC says of a source now: which bytes it pins, and how they are to be read. `None`: it says nothing.
pub(super) fn pin(run: &Run<'_>, source: &Source) -> Option<Digest> {
    dvc::pinned(run.workspace(), source.location.path()?).ok().as_ref().map(said)
}

fn said(pinned: &Pinned) -> Digest {
    Digest::of(remembered_as(pinned).as_bytes())
}

/// Tells whether a source would have to be fetched from DVC's remote, as far as that can be; asks nobody.
pub(super) fn is_unfetched(run: &Run<'_>, source: &Source) -> bool {
    let Some(path) = source.location.path() else { return false };
    let Ok(pinned) = dvc::pinned(run.workspace(), path) else { return false };
    known(run, &pinned).is_none()
        && Objects::of(&pinned.root).lacks(&pinned, &run.workspace().join(path))
        && Remote::of(&pinned).is_ok()
}

/// Puts a source where it stands in the workspace, for the node that judges it there.
pub(super) fn place(run: &Run<'_>, source: &Source, reader: &str) -> Result<Artifact, Stop> {
    let artifact = bring(run, source, run.bound.plan.opener(&source.name))?;
    let (name, path) = (source.name.as_str(), source.location.path().unwrap_or_default());
    frozen(source.frozen.as_deref(), name, path, artifact.digest)?;
    run.reads.source(name, Some(artifact.digest), reader)?;
    let full = join_inside(run.workspace(), path)?;
    if !outputs::is_there(run, &full, &artifact) {
        if full.exists() {
            let by = dvc::pinned(run.workspace(), path).map_or_else(|_| format!("{path}.dvc"), |pinned| pinned.said_by);
            return Err(Stop::Failed(format!(
                "something else stands in the workspace than what `{by}` pins: {}",
                put_right(path)
            )));
        }
        restore(run, name, &artifact, &full)?;
    }
    Ok(artifact)
}

/// Returns where it is remembered what something is in the store.
fn remembered_at(run: &Run<'_>, pinned: &Pinned) -> PathBuf {
    run.store.state().join("dvc").join(remembered_as(pinned))
}

/// Names what was pinned, by all that decides which bytes it may be: the same md5 can be that of a file and of a folder's list, or of
/// bytes and of text with other line ends.
fn remembered_as(pinned: &Pinned) -> String {
    let folder = if pinned.folder { ".dir" } else { "" };
    let of = if pinned.legacy { "-text" } else { "-bytes" };
    let mode = if pinned.executable { "-x" } else { "" };
    let part =
        if pinned.below.is_empty() { String::new() } else { format!("-{}", crate::cache::file_name(&pinned.below)) };
    format!("{}{folder}{of}{mode}{part}.json", pinned.md5)
}

fn known(run: &Run<'_>, pinned: &Pinned) -> Option<Artifact> {
    let bytes = std::fs::read(remembered_at(run, pinned)).ok()?;
    serde_json::from_slice::<Artifact>(&bytes).ok().filter(|artifact| run.store.has(artifact))
}

/// Fetches what DVC's cache lacks; one at a time in a workspace, several objects at once.
fn fetch(
    run: &Run<'_>,
    source: &Source,
    work: Option<&Work>,
    (objects, pinned, standing): (&Objects, &Pinned, &Path),
) -> Result<(), Stop> {
    let (name, path) = (source.name.as_str(), source.location.path().unwrap_or_default());
    let failed = |why: &str| Stop::Failed(format!("the source `{name}`: {}", objects.nowhere(pinned, path, why)));
    let remote = Remote::of(pinned).map_err(|why| failed(&why))?;
    let _lock = super::fetch::lock(run, "dvc")?;
    // Whoever held the lock may have brought it.
    if !objects.lacks(pinned, standing) {
        return Ok(());
    }
    let size = pinned.size.map(|size| format!(", {}", human(size))).unwrap_or_default();
    run.note("", format!("fetching the source `{name}` from DVC's remote `{}` ({}){size}", remote.name, remote.shown));
    let public = matches!(source.location, Location::Remote { public: true, .. });
    let environment = super::fetch::environment(run, work).complete_over(run, remote.environment(&run.setup.caller));
    let told = AtomicBool::new(false);
    let watch = |waits: Option<&str>| {
        if let Some(host) = waits
            && !told.swap(true, Ordering::Relaxed)
        {
            run.note("", format!("{host} does not answer, or broke off: the source `{name}` is asked for again"));
        }
        !run.setup.interrupt.is_raised()
    };
    let parts = super::fetch::folder(run.store.state()).join("dvc");
    let fetch = Fetch { remote: &remote, environment: &environment, public, parts: &parts, watch: &watch };
    let brought = fetch.bring(objects, pinned).map_err(|fault| match fault {
        Fault::Failed(why) => failed(&format!("the remote `{}` does not give it: {why}", remote.name)),
        Fault::Unsound(why) => Stop::Unsound(format!(
            "the source `{name}` is not what `{}` says: {why}, from DVC's remote `{}`",
            pinned.said_by, remote.name
        )),
        Fault::Interrupted => Stop::Interrupted,
    })?;
    let objects = match brought.objects {
        1 => "1 object".to_owned(),
        many => format!("{many} objects"),
    };
    run.note("", format!("fetched the source `{name}`: {objects} of DVC, {}", human(brought.bytes)));
    Ok(())
}

fn put_right(path: &str) -> String {
    format!("`dvc add {path}` pins it, `dvc checkout {path}` puts back what is pinned")
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
                "the stage runs with `isolation off`, and `{path}` in the workspace is not the input `{name}`: {}",
                put_right(path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pinned_is_remembered_by_all_that_decides_its_bytes() {
        let pinned = |folder, legacy, executable, below: &str| Pinned {
            md5: "0".repeat(32),
            folder,
            legacy,
            executable,
            below: below.into(),
            said_by: "x.dvc".into(),
            root: "/".into(),
            remote: None,
            size: None,
            imported: false,
        };
        let all = [
            pinned(false, false, false, ""),
            pinned(true, false, false, ""),
            pinned(false, true, false, ""),
            pinned(true, true, false, ""),
            pinned(false, false, true, ""),
            pinned(true, false, false, "a"),
        ];
        let names: std::collections::BTreeSet<String> = all.iter().map(remembered_as).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
    }
}
