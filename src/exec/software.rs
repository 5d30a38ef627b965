//! The runtimes of a run: locked before anything runs, part of every key, and provided where a command is really run.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::context::{Run, Stop};
use super::folder::Folder;
use super::run::RunError;
use crate::cache::RuntimeKey;
use crate::host::process::{self, Spec};
use crate::host::signal::Interrupt;
use crate::plan::{Bound, NodeKind, Runtime, Work};
use crate::runtime::{Provided, Standing};

/// Says how the lock stands, before anything runs: a missing one is written, a stale one ends the run.
pub(super) fn lock(run: &Run<'_>, wanted: &BTreeSet<usize>) -> Result<(), RunError> {
    let needed = needed(run.bound, wanted);
    let mut missing = Vec::new();
    for runtime in &needed {
        match run.runtimes.standing(runtime).map_err(|error| RunError::new(2, error.to_string()))? {
            Standing::Locked => {}
            Standing::Missing => missing.push(*runtime),
            Standing::Stale(why) => {
                let message = format!("`mlpc.lock` is stale: {why}");
                return Err(RunError::new(2, message).help("lock again: `mlpc lock`"));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    if run.options.alone {
        let message = format!("the runtime `{}` is not in `mlpc.lock`", missing[0].name);
        return Err(RunError::new(2, message).help("run `mlpc lock` and commit what it writes"));
    }
    let declared: Vec<&Runtime> = run.bound.plan.runtimes.iter().collect();
    let say = |text: String| run.note("", text);
    if run.runtimes.lock(&declared, &missing, false, &say)? {
        run.note("", "wrote `mlpc.lock`: commit it, so that everybody runs the same".to_owned());
    }
    Ok(())
}

/// Tells whether a lock has to be written before there can be a key.
pub(super) fn is_unlocked(run: &Run<'_>, work: &Work) -> bool {
    declared(run, work)
        .ok()
        .flatten()
        .is_some_and(|runtime| run.runtimes.standing(runtime).ok() == Some(Standing::Missing))
}

/// Returns what a key holds of the runtime of some work.
pub(super) fn key(run: &Run<'_>, work: &Work) -> Result<RuntimeKey, Stop> {
    match declared(run, work)? {
        None => Ok(RuntimeKey::Host),
        Some(runtime) => Ok(run.runtimes.key(runtime)?),
    }
}

/// Makes sure that the runtime of some work is there.
pub(super) fn provide(run: &Run<'_>, work: &Work) -> Result<Option<Provided>, Stop> {
    let Some(runtime) = declared(run, work)? else { return Ok(None) };
    match run.runtimes.provide(runtime, &|text| run.note("", text)) {
        Ok(provided) => Ok(Some(provided)),
        Err(_) if run.setup.interrupt.is_raised() => Err(Stop::Interrupted),
        Err(error) => Err(Stop::Failed(format!("the runtime `{}` can't be had: {error}", runtime.name))),
    }
}

/// A container that is removed when its command is over, however it went.
pub(super) struct Container {
    removal: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    /// What tells the next process of it, should this one be killed.
    note: PathBuf,
}

impl Drop for Container {
    fn drop(&mut self) {
        let folder = std::env::temp_dir();
        let timeout = Some(Duration::from_secs(60));
        let spec =
            Spec { argv: self.removal.clone(), folder, env: self.env.clone(), timeout, grace: Duration::from_secs(1) };
        // Where the command ended by itself the engine has removed it already.
        let _ = process::run(&spec, &Interrupt::new(), |_| ());
        let _ = std::fs::remove_file(&self.note);
    }
}

/// Puts the command of some work into the image of its runtime, if that is one.
pub(super) fn enter(
    run: &Run<'_>,
    work: &Work,
    folder: &Folder,
    spec: Spec,
) -> Result<(Spec, Option<Container>), Stop> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Some(Provided::Image(image)) = provide(run, work)? else { return Ok((spec, None)) };
    // The folder of certificates is one of links into the rest of the machine; the file comes in where it stands.
    let own = ["PATH", "SSL_CERT_DIR", "HOME", "TMPDIR"].map(OsStr::new);
    let mut variables: Vec<OsString> =
        spec.env.keys().filter(|name| !own.contains(&name.as_os_str())).cloned().collect();
    let certificates = spec.env.get(OsStr::new("SSL_CERT_FILE")).map(Path::new).filter(|path| path.is_file());
    if certificates.is_none() {
        variables.retain(|name| name != "SSL_CERT_FILE");
    }
    for name in &own[2..] {
        if let Some(value) = spec.env.get(*name) {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            variables.push(variable);
        }
    }
    let name = format!("mlpc-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let variables: Vec<&OsStr> = variables.iter().map(OsString::as_os_str).collect();
    let checkpoints = run.store.state().join("checkpoints");
    let mut folders = vec![folder.root()];
    folders.extend(folder.shared.then_some(run.workspace()));
    folders.extend(checkpoints.is_dir().then_some(checkpoints.as_path()));
    let files: Vec<&Path> = certificates.into_iter().collect();
    let argv = image.call(&spec.argv, &spec.folder, (&folders, &files), &variables, &name);
    // The engine's own program needs its user's settings; the command sees none of them.
    let mut env = run.setup.caller.clone();
    env.extend(
        spec.env
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_os_str()))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let note = run.store.scratch().note_container(image.engine(), &name)?;
    let removal = Container { removal: image.removal(&name), env: run.setup.caller.clone(), note };
    Ok((Spec { argv, env, ..spec }, Some(removal)))
}

fn declared<'r>(run: &Run<'r>, work: &Work) -> Result<Option<&'r Runtime>, Stop> {
    let Some(name) = &work.runtime else { return Ok(None) };
    let found = run.bound.plan.runtimes.iter().find(|runtime| runtime.name == *name);
    found.map(Some).ok_or_else(|| Stop::Failed(format!("the plan has no runtime `{name}`")))
}

/// Returns the runtimes of what is wanted and not skipped.
fn needed<'b>(bound: &'b Bound, wanted: &BTreeSet<usize>) -> Vec<&'b Runtime> {
    let nodes = wanted.iter().map(|&index| &bound.plan.nodes[index]);
    let names: BTreeSet<&str> = nodes
        .filter(|node| !bound.skipped.contains_key(&node.name))
        .filter_map(|node| match &node.kind {
            NodeKind::Stage(stage) => stage.work.runtime.as_deref(),
            NodeKind::Action(action) => action.work.runtime.as_deref(),
            _ => None,
        })
        .collect();
    bound.plan.runtimes.iter().filter(|runtime| names.contains(runtime.name.as_str())).collect()
}
