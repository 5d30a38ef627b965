//! Runs as the cache's keeper sees them: which results they used and when, and which records of them may go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::SystemTime;

use super::fetch;
use super::record::{RunRecord, runs};
use crate::cache::Key;
use crate::host::{Context, Digest, Result, fs};

/// The exit code of a run that waits for a person, and needs what it has when it goes on.
const WAITING: u8 = 14;

/// What runs used.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Keys that the last runs used, and those that wait for a person.
    pub kept: BTreeSet<Key>,
    /// When a key was last used.
    pub last: BTreeMap<Key, SystemTime>,
    /// Runs that may go: older than the last ones, not waiting, and not used since.
    pub old: Vec<String>,
}

/// Looks at the records of runs; the results of the `last` ones are to stay.
pub fn usage(state: &Path, last: usize, since: SystemTime) -> Result<Usage> {
    let mut usage = Usage::default();
    for (index, run) in runs(state)?.into_iter().enumerate() {
        let file = state.join("runs").join(&run).join("run.json");
        let at = file.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let record = RunRecord::read(state, &run).ok();
        let waits = record.as_ref().is_some_and(|record| record.exit == Some(WAITING));
        let nodes = record.iter().flat_map(|record| &record.nodes);
        for key in nodes.filter_map(|node| Some(Key(node.key.as_ref()?.parse().ok()?))) {
            let known = usage.last.entry(key).or_insert(at);
            *known = at.max(*known);
            if index < last || waits {
                usage.kept.insert(key);
            }
        }
        if index >= last && !waits && at < since {
            usage.old.push(run);
        }
    }
    Ok(usage)
}

/// Removes the records, logs and reports of runs.
pub fn prune(state: &Path, old: &[String]) -> Result<()> {
    old.iter().try_for_each(|run| fs::remove(&state.join("runs").join(run)))
}

/// Removes checkpoints that nothing has written to since.
pub fn prune_checkpoints(state: &Path, since: SystemTime, dry_run: bool) -> Result<usize> {
    let folder = state.join("checkpoints");
    let mut count = 0;
    if !folder.is_dir() {
        return Ok(count);
    }
    for entry in fs::sorted_entries(&folder)? {
        let path = entry.path();
        if entry.metadata().and_then(|meta| meta.modified()).cannot("read", &path)? < since {
            count += 1;
            if !dry_run {
                fs::remove(&path)?;
            }
        }
    }
    Ok(count)
}

/// Forgets sources that no run asked for since, and returns what was fetched of the others.
pub fn prune_fetched(state: &Path, since: SystemTime, dry_run: bool) -> Result<BTreeSet<Digest>> {
    let mut kept = BTreeSet::new();
    let folder = fetch::folder(state);
    if !folder.is_dir() {
        return Ok(kept);
    }
    for entry in fs::sorted_entries(&folder)? {
        let path = entry.path();
        if entry.metadata().and_then(|meta| meta.modified()).cannot("read", &path)? >= since {
            kept.extend(fetch::digest_in(&path));
        } else if !dry_run {
            fs::remove(&path)?;
        }
    }
    Ok(kept)
}
