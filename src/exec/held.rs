//! What a run has to find as it left it, to go on: the files of code, the files that gates compare with, the lock, and the
//! sources, of nodes that had their turn and of those that come later. Kept as `held.json` in the run's folder. What stages
//! make is no part of it: that is the run's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::context::{Options, Run};
use super::pick::{Chosen, choose};
use super::record::RunRecord;
use super::run::RunError;
use crate::gate;
use crate::host::{Context, Digest, Result, fs};
use crate::plan::{Location, NodeKind, Source, Work};
use crate::runtime::LOCK_FILE;
use crate::types::Origin;

/// The file in the run's folder.
const NAME: &str = "held.json";

/// What is held of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    /// All that the run may read is among it; else only what it had read when it was killed.
    whole: bool,
    /// Files by their paths. Nothing: nodes of the run read different ones.
    files: BTreeMap<String, Option<File>>,
    /// Sources by their names. Nothing: it was not there.
    sources: BTreeMap<String, Option<Digest>>,
}

/// A file as a node reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) digest: Digest,
    /// It may be executed: that is part of keys, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) executable: bool,
}

/// Files as nodes read them, while a run runs.
pub(super) type Files = BTreeMap<String, Option<File>>;

/// Notes that a node reads a file. One that another node read before with other content is none that can be put back.
pub(super) fn note(files: &mut Files, path: &str, file: File) {
    match files.get_mut(path) {
        None => {
            files.insert(path.to_owned(), Some(file));
        }
        Some(known) if *known != Some(file) => *known = None,
        Some(_) => {}
    }
}

impl Held {
    /// Returns what the run read so far, for whoever goes on with it if it is killed.
    pub(super) fn so_far(run: &Run<'_>) -> Self {
        Self { whole: false, files: run.reads.files(&run.code), sources: BTreeMap::new() }
    }

    /// Returns what a run read, or will when somebody goes on with it. `whole`: its plan has all nodes.
    pub(super) fn of(
        run: &Run<'_>,
        chosen: &Chosen,
        resume: Option<&RunRecord>,
        whole: bool,
    ) -> std::result::Result<Self, RunError> {
        match resume {
            None => Ok(Self::of_nodes(run, &chosen.active(), whole)),
            Some(before) => Ok(Self::of_nodes(run, &asked(run, before)?, true)),
        }
    }

    /// Returns what these nodes read, or will: as those found it that had their turn, else as it stands now.
    fn of_nodes(run: &Run<'_>, active: &BTreeSet<usize>, whole: bool) -> Self {
        let mut held = Self { whole, ..Self::so_far(run) };
        let nodes = active.iter().map(|&index| &run.bound.plan.nodes[index]);
        for node in nodes.filter(|node| !run.bound.skipped.contains_key(&node.name)) {
            match &node.kind {
                NodeKind::Stage(stage) => held.add_work(run, &stage.work),
                NodeKind::Action(action) => held.add_work(run, &action.work),
                NodeKind::Gate(gate) => {
                    gate::references(gate).iter().for_each(|path| held.add(run, path));
                    gate.evidence.iter().for_each(|evidence| held.add_source(run, &evidence.origin));
                }
                _ => {}
            }
        }
        if !run.bound.plan.runtimes.is_empty() {
            held.add(run, LOCK_FILE);
        }
        held
    }

    fn add_work(&mut self, run: &Run<'_>, work: &Work) {
        // What can't be looked for is told by the node itself, when its turn comes.
        let code = run.code.files(&work.code).unwrap_or_default();
        code.keys().for_each(|path| self.add(run, path));
        work.inputs.iter().for_each(|input| self.add_source(run, &input.origin));
    }

    fn add(&mut self, run: &Run<'_>, path: &str) {
        if self.files.contains_key(path) || run.code.is_output(path) {
            return;
        }
        if let Some(file) = look(run, path) {
            self.files.insert(path.to_owned(), Some(file));
        }
    }

    fn add_source(&mut self, run: &Run<'_>, origin: &Origin) {
        let Origin::Source(name) = origin else { return };
        let declared = run.bound.plan.sources.iter().find(|source| source.name == *name);
        if let Some(source) = declared.filter(|_| !self.sources.contains_key(name))
            && let Some(is) = content(run, source)
        {
            self.sources.insert(name.clone(), is);
        }
    }

    /// Writes it to the run's folder.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_vec(self).context(|| "cannot write what the run read".to_owned())?;
        fs::write_atomic(&folder.join(NAME), &json)
    }

    /// Reads it from a run's folder; nothing where there is none, as no run leaves it.
    fn read(folder: &Path) -> std::result::Result<Option<Self>, String> {
        match std::fs::read(folder.join(NAME)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(crate::host::error::reason(&error)),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| error.to_string()),
        }
    }

    /// Returns what is no longer as it was, in words.
    fn changes(&self, now: &Self, run: &Run<'_>) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, was) in &self.files {
            match (was, now.files.get(path)) {
                (None, _) => changes.push(format!("`{path}` changed while the run ran")),
                (Some(was), Some(Some(is))) if was == is => {}
                (Some(was), None) if !self.whole && look(run, path) == Some(*was) => {}
                (Some(_), None) if look(run, path).is_none() => changes.push(format!("`{path}` is gone")),
                (Some(_), None) => changes.push(format!("`{path}` no longer belongs to the code")),
                _ => changes.push(format!("`{path}` is no longer what it was")),
            }
        }
        let new = |path: &&String| self.whole && !self.files.contains_key(*path);
        changes.extend(now.files.keys().filter(new).map(|path| format!("`{path}` is new")));
        for (name, was) in &self.sources {
            if now.sources.get(name) != Some(was) {
                changes.push(format!("the source `{name}` is no longer what it was"));
            }
        }
        changes
    }
}

/// Returns what stands at a path of the workspace.
fn look(run: &Run<'_>, path: &str) -> Option<File> {
    let artifact = run.memory.look(&run.workspace().join(path)).ok()?;
    Some(File { digest: artifact.digest, executable: artifact.executable })
}

/// Returns what a source is, or the digest of what DVC pins; nothing for what is fetched, which the plan pins.
#[allow(clippy::option_option, reason = "a source that is not there is not one that nobody can look at")]
fn content(run: &Run<'_>, source: &Source) -> Option<Option<Digest>> {
    match &source.location {
        Location::Path(path) => {
            let path = run.workspace().join(path);
            Some(path.exists().then(|| run.memory.look(&path).ok().map(|artifact| artifact.digest)).flatten())
        }
        Location::Remote { scheme, .. } if scheme == "dvc" => Some(super::dvc::pin(run, source)),
        Location::Remote { .. } => None,
    }
}

/// Returns the nodes that a run is about.
fn asked(run: &Run<'_>, before: &RunRecord) -> std::result::Result<BTreeSet<usize>, RunError> {
    let options = Options { pick: before.pick(), ..Options::default() };
    Ok(choose(run.bound, &options)?.active())
}

/// Makes sure that a run finds what it left, before anything runs.
pub(super) fn check(run: &Run<'_>, before: &RunRecord) -> std::result::Result<(), RunError> {
    let id = &before.run;
    let refused = |why: String, help: &str| {
        let message = format!("the run `{id}` can't go on: {why}");
        Err(RunError::new(11, message).help(help))
    };
    let was = match Held::read(&run.folder) {
        Ok(Some(was)) => was,
        Ok(None) => return refused("the record of what it read is gone".to_owned(), "`mlpc run` starts anew"),
        Err(why) => {
            return refused(format!("the record of what it read can't be read: {why}"), "`mlpc run` starts anew");
        }
    };
    let now = Held::of_nodes(run, &asked(run, before)?, true);
    let changes = was.changes(&now, run);
    let mut told = changes.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    match changes.len() {
        0 => {
            run.reads.hold(was.files);
            return Ok(());
        }
        1..=3 => {}
        more => told.push_str(&format!("; and {} more", more - 3)),
    }
    refused(told, "put it back as it was, or start a new run: `mlpc run`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nodes_read_as_two_can_not_be_put_back() {
        let file = |text: &[u8]| File { digest: Digest::of(text), executable: false };
        let mut files = Files::new();
        note(&mut files, "a.py", file(b"1"));
        note(&mut files, "a.py", file(b"1"));
        assert_eq!(files["a.py"], Some(file(b"1")));
        note(&mut files, "a.py", File { executable: true, ..file(b"1") });
        assert_eq!(files["a.py"], None);
        note(&mut files, "a.py", file(b"1"));
        assert_eq!(files["a.py"], None, "once is enough");
    }
}
