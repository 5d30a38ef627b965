//! What is kept of a run, under `.mlpc/runs/<id>/`: `run.json` says what it was asked to be and how it came out,
//! `events.jsonl` what happened, `logs/` what commands wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::context::{Release, Seen};
use super::state::Ending;
use crate::host::{Clock, Context, Digest, Error, Result, clock, fs};
use crate::types::Value;

/// Version of the record.
const FORMAT: u32 = 1;

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    format: u32,
    /// Its id: sortable by time.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// Digest of the plan.
    pub plan: String,
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The nodes that were asked for; all if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
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
    /// How nodes ended, in the order of declarations.
    pub nodes: Vec<NodeRecord>,
}

/// A node as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub node: String,
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
    pub fn new(run: &str, bound: &crate::plan::Bound, asked: &[String], clock: &Clock) -> Self {
        Self {
            format: FORMAT,
            run: run.to_owned(),
            pipeline: bound.plan.pipeline.clone(),
            plan: bound.digest.clone(),
            profile: bound.profile.clone(),
            asked: asked.to_vec(),
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

    /// Writes it to the run's folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).context(|| "cannot write the record of the run".to_owned())?;
        fs::write_atomic(&folder.join("run.json"), &json)
    }

    /// Reads the record of a run.
    pub fn read(state: &Path, run: &str) -> Result<Self> {
        let bytes = fs::read(&state.join("runs").join(run).join("run.json"))?;
        let record: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(format!("the record of the run `{run}` can't be read: {error}")))?;
        if record.format != FORMAT {
            return Err(Error::new(format!("the run `{run}` was recorded by another version of mlpc")));
        }
        Ok(record)
    }

    /// Returns the node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.node == name)
    }
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
