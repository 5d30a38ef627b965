//! What is kept of a run, under `.mlpc/runs/<id>/`: `run.json` says what it was asked to be and how it came out,
//! `events.jsonl` what happened, `logs/` what commands wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::context::{Release, Seen};
use super::pick::Pick;
use super::state::Ending;
use crate::host::{Clock, Context, Digest, Error, Result, clock, fs};
use crate::types::Value;

/// Version of the record.
const FORMAT: u32 = 1;

/// The file of the nodes.
const NODES: &str = "nodes.jsonl";

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub(super) format: u32,
    /// Its id: sortable by time.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// Digest of the plan.
    pub plan: String,
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The nodes that were asked for, with all that they wait for; all if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// Of those only what is one of these or depends on one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// These alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// It writes to registries that others share, and acts: going on with it does, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub release: bool,
    /// What started it.
    pub event: String,
    /// Values of parameters.
    pub params: BTreeMap<String, Value>,
    /// Digests of sources that it read.
    pub sources: BTreeMap<String, Digest>,
    /// Where pointers stood when it looked at them.
    pub pointers: BTreeMap<String, Option<Seen>>,
    /// Releases that it registered, by node.
    pub releases: BTreeMap<String, Release>,
    /// When it began.
    pub started: String,
    /// When it ended; nothing while it runs, or if it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// How nodes ended, in the order of declarations. Kept in `nodes.jsonl` beside the rest, a line each, which a run
    /// with nothing to do shares with the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeRecord>,
}

/// A node as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub node: String,
    /// The run in which it had its turn; in later ones it stood as it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The keyword that declares it.
    pub kind: String,
    /// How it ended.
    pub ending: Ending,
    /// Why it ran, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The key of its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// Digests of its outputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
}

impl RunRecord {
    /// Makes the record of a run that begins.
    #[must_use]
    pub fn new(run: &str, bound: &crate::plan::Bound, pick: &Pick, clock: &Clock) -> Self {
        Self {
            format: FORMAT,
            run: run.to_owned(),
            pipeline: bound.plan.pipeline.clone(),
            plan: bound.digest.clone(),
            profile: bound.profile.clone(),
            asked: pick.until.clone(),
            from: pick.from.clone(),
            only: pick.only.clone(),
            release: false,
            event: bound.event.clone(),
            params: bound.params.clone(),
            sources: BTreeMap::new(),
            pointers: BTreeMap::new(),
            releases: BTreeMap::new(),
            started: clock::iso(clock.now()),
            ended: None,
            exit: None,
            nodes: Vec::new(),
        }
    }

    /// Makes it the record of a run that goes on: it is about what it was about.
    pub(super) fn goes_on(&mut self, before: &Self) {
        self.asked.clone_from(&before.asked);
        self.from.clone_from(&before.from);
        self.only.clone_from(&before.only);
        self.release |= before.release;
    }

    /// Tells whether nothing of it is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over_with(&self.nodes)
    }

    /// As [`RunRecord::is_over`], with nodes that stand in a file of their own while the run ends.
    pub(super) fn is_over_with(&self, nodes: &[NodeRecord]) -> bool {
        self.exit == Some(0) && !nodes.iter().any(|node| matches!(node.ending, Ending::NotReleased(_)))
    }

    /// Returns what it was asked for.
    #[must_use]
    pub fn pick(&self) -> Pick {
        Pick { until: self.asked.clone(), from: self.from.clone(), only: self.only.clone() }
    }

    /// Writes it to the run's folder, but for the nodes.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).context(|| "cannot write the record of the run".to_owned())?;
        fs::write_atomic(&folder.join("run.json"), &json)
    }

    /// Reads the record of a run.
    pub fn read(state: &Path, run: &str) -> Result<Self> {
        if !is_run(run) {
            return Err(Error::new(format!("`{run}` is no name of a run; `mlpc history` lists them")));
        }
        let bytes = fs::read(&state.join("runs").join(run).join("run.json"))?;
        let broken = |error| Error::new(format!("the record of the run `{run}` can't be read: {error}"));
        let mut record: Self = serde_json::from_slice(&bytes).map_err(broken)?;
        if record.format != FORMAT {
            return Err(Error::new(format!("the run `{run}` was recorded by another version of mlpc")));
        }
        // A run that was killed has none.
        let lines = std::fs::read(state.join("runs").join(run).join(NODES)).unwrap_or_default();
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let node: NodeRecord = serde_json::from_slice(line).map_err(broken)?;
            record.nodes.push(node.seen_from(&record.run));
        }
        Ok(record)
    }

    /// Returns the node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.node == name)
    }
}

impl NodeRecord {
    /// Tells whether a node that was done in an earlier part of a run is still, by what became of it in a later one: its
    /// result was found again, or the later part ended before it came to it.
    pub(super) fn stays_done(&self, now: &Self) -> bool {
        self.ending == Ending::Done
            && match now.ending {
                Ending::Hit => now.key == self.key,
                Ending::Interrupted | Ending::Blocked(_) => self.kind == "stage" && now.key.is_none(),
                _ => false,
            }
    }

    /// Returns it as another run sees it, in which it had nothing to do.
    fn seen_from(self, run: &str) -> Self {
        if self.run.is_empty() || self.run == run {
            return self;
        }
        let ending = if self.ending == Ending::Done { Ending::Hit } else { self.ending };
        Self { ending, why: None, milliseconds: None, ..self }
    }
}

/// Writes the nodes of a run.
pub(super) fn write_nodes<'l>(folder: &Path, lines: impl Iterator<Item = &'l [u8]>) -> Result<()> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend(line);
        bytes.push(b'\n');
    }
    fs::write_atomic(&folder.join(NODES), &bytes)
}

/// Returns a line for each node.
pub(super) fn lines(nodes: &[NodeRecord]) -> Vec<Vec<u8>> {
    nodes.iter().map(|node| serde_json::to_vec(node).unwrap_or_default()).collect()
}

/// Reads the file of a run's nodes; a line each.
pub(super) fn read_nodes(state: &Path, run: &str) -> Vec<u8> {
    std::fs::read(state.join("runs").join(run).join(NODES)).unwrap_or_default()
}

/// Gives a run the nodes of an earlier one.
pub(super) fn share_nodes(state: &Path, from: &str, to: &Path) {
    let (from, to) = (state.join("runs").join(from).join(NODES), to.join(NODES));
    // Somebody may have removed the earlier run; the rest of the record is as true without.
    let _ = std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(drop));
}

/// Tells whether a text can be the name of a run: one folder among those of all runs, and no way out of there.
#[must_use]
pub fn is_run(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().all(plain) && !name.starts_with('.') && !name.is_empty()
}

/// Lists the runs of a workspace, the latest first.
pub fn runs(state: &Path) -> Result<Vec<String>> {
    let folder = state.join("runs");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let names = fs::sorted_entries(&folder)?.into_iter().rev();
    Ok(names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Lists the runs of one pipeline of a workspace, the latest first, each with its exit code as far as it ended: a folder
/// may hold several pipelines. What can't be read is left out.
pub fn runs_of(state: &Path, pipeline: &str) -> Result<impl Iterator<Item = (String, Option<u8>)>> {
    #[derive(Deserialize)]
    struct Head {
        pipeline: String,
        #[serde(default)]
        exit: Option<u8>,
    }
    let (state, pipeline) = (state.to_owned(), pipeline.to_owned());
    Ok(runs(&state)?.into_iter().filter_map(move |run| {
        let bytes = std::fs::read(state.join("runs").join(&run).join("run.json")).ok()?;
        let head: Head = serde_json::from_slice(&bytes).ok()?;
        (head.pipeline == pipeline).then_some((run, head.exit))
    }))
}

/// Makes an id for a run and its folder: the time, and a number where a second has several.
pub(super) fn new_run(state: &Path, clock: &Clock) -> Result<String> {
    fs::create_dirs(&state.join("runs"))?;
    let stamp = clock::compact(clock.now());
    for number in 0.. {
        let id = if number == 0 { stamp.clone() } else { format!("{stamp}-{number}") };
        let folder = state.join("runs").join(&id);
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(id),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).cannot("make the folder", &folder),
        }
    }
    Err(Error::new("no run can be recorded any more this second"))
}
