//! Where something comes from: the stage that made it, what that stage read, and so on down to the sources, as runs and
//! results recorded it. What no record says is told as unknown, never guessed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use serde::Serialize;

use super::gates;
use crate::cache::{Key, Part, Store};
use crate::exec::{self, RunRecord};
use crate::host::Digest;
use crate::registry::Version;

/// Version of the document.
const FORMAT: u32 = 1;

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lineage {
    format: u32,
    /// What was asked about: `train.model`, `models@production`, a digest.
    pub subject: String,
    /// Its digest.
    pub digest: String,
    /// The version that it is, where it was asked for as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The run that made it, or in which it was found made already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The gates of that run; of a version those that admitted it.
    pub gates: Vec<Decided>,
    /// The stages that led to it, the last one first.
    pub stages: Vec<Made>,
}

/// What a gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The gate.
    pub gate: String,
    /// Its verdict, with the reason; of a report that is not here any more nothing is known but its digest.
    pub verdict: Option<String>,
    /// The digest of its report.
    pub report: String,
}

/// A stage that made something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The stage.
    pub stage: String,
    /// The run in which its command ran; later ones took the result from the cache.
    pub run: String,
    /// When it began.
    pub started: String,
    /// How long it took.
    pub milliseconds: u64,
    /// The class of machine.
    pub machine: String,
    /// The key of the result.
    pub key: String,
    /// Parameters, and values that other stages made.
    pub values: BTreeMap<String, String>,
    /// Its code: digests by path.
    pub code: BTreeMap<String, String>,
    /// What it ran in.
    pub runtime: BTreeMap<String, String>,
    /// What it read.
    pub inputs: Vec<Read>,
    /// What it made: digests by name.
    pub outputs: BTreeMap<String, String>,
}

/// Something that a stage read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Read {
    /// Its name in the stage.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Where it comes from: `prepare.train`, `source raw`, `models@production, version v…`; `None`: no record here says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Returns the digest of a stage's output in the latest run that has one.
#[must_use]
pub fn latest_output(state: &Path, stage: &str, output: &str) -> Option<(String, String)> {
    let ids = exec::runs(state).ok()?;
    ids.into_iter().find_map(|id| {
        let digest = RunRecord::read(state, &id).ok()?.node(stage)?.outputs.get(output)?.clone();
        Some((digest, id))
    })
}

/// Finds out where a digest comes from. `run` is the run to begin with, where one is known.
pub fn lineage(
    state: &Path,
    store: &Store,
    subject: &str,
    digest: &str,
    run: Option<&str>,
    version: Option<Version>,
) -> Lineage {
    let records = Records::new(state);
    let mut queue = VecDeque::from([(digest.to_owned(), run.map(str::to_owned))]);
    let (mut stages, mut seen, mut found_in) = (Vec::new(), BTreeSet::new(), None);
    while let Some((digest, run)) = queue.pop_front() {
        let Some((record, stage, _)) = records.maker(&digest, run.as_deref()) else { continue };
        found_in.get_or_insert_with(|| record.run.clone());
        if let Some(made) = made(store, &records, record, stage)
            && seen.insert(made.key.clone())
        {
            queue.extend(made.inputs.iter().map(|read| (read.digest.clone(), Some(record.run.clone()))));
            stages.push(made);
        }
    }
    let run = run.map(str::to_owned).or(found_in);
    let reports = run.as_deref().map(|run| gates(state, run)).unwrap_or_default();
    let decided = reports.into_iter().map(|report| Decided {
        verdict: report.verdict.verdict().map(|verdict| format!("{verdict}: {}", report.reason)),
        report: Digest::of(report.to_json().as_bytes()).to_string(),
        gate: report.gate,
    });
    let mut gates: Vec<Decided> = decided.collect();
    if let Some(version) = &version {
        // Only what the version names let it in; a report that was written anew since then is another one.
        let known = gates;
        let admitted = version.metadata.gates.iter().map(|(gate, report)| Decided {
            verdict: known.iter().find(|known| known.report == *report).and_then(|known| known.verdict.clone()),
            gate: gate.clone(),
            report: report.clone(),
        });
        gates = admitted.collect();
    }
    Lineage { format: FORMAT, subject: subject.to_owned(), digest: digest.to_owned(), version, run, gates, stages }
}

/// The records of all runs, the latest first.
struct Records(Vec<RunRecord>);

impl Records {
    fn new(state: &Path) -> Self {
        let ids = exec::runs(state).unwrap_or_default();
        Self(ids.iter().filter_map(|id| RunRecord::read(state, id).ok()).collect())
    }

    /// Finds the stage that made a digest: in this run, else in the latest one before it, else in any.
    fn maker(&self, digest: &str, run: Option<&str>) -> Option<(&RunRecord, &str, &str)> {
        let (now, later): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|record| run.is_none_or(|run| record.run.as_str() <= run));
        now.into_iter().chain(later).find_map(|record| {
            record.nodes.iter().find_map(|node| {
                let (output, _) = node.outputs.iter().find(|(_, made)| *made == digest)?;
                Some((record, node.node.as_str(), output.as_str()))
            })
        })
    }

    /// Says where something comes from that a stage of this run read.
    fn origin(&self, digest: &str, record: &RunRecord) -> Option<String> {
        if let Some((_, stage, output)) = self.maker(digest, Some(&record.run)) {
            return Some(format!("{stage}.{output}"));
        }
        let sources = |record: &RunRecord| {
            let source = record.sources.iter().find(|(_, is)| is.to_string() == digest);
            source.map(|(name, _)| format!("source {name}"))
        };
        let pointers = |record: &RunRecord| {
            record.pointers.iter().find_map(|(name, seen)| {
                let seen = seen.as_ref().filter(|seen| seen.digest.to_string() == digest)?;
                Some(format!("{name}, version {}", seen.version))
            })
        };
        sources(record).or_else(|| pointers(record)).or_else(|| self.0.iter().find_map(sources))
    }
}

fn made(store: &Store, records: &Records, record: &RunRecord, stage: &str) -> Option<Made> {
    let node = record.node(stage)?;
    let result = store.result(&Key(node.key.as_deref()?.parse().ok()?))?;
    let parts = |kind: &'static str| result.manifest.iter().filter(move |part| part.kind == kind);
    let digests = |kind| parts(kind).filter_map(|part| Some((part.name.clone(), field(part, "digest")?))).collect();
    let values = parts("param").chain(parts("variable"));
    let runtime = parts("runtime").flat_map(|part| part.fields.iter().cloned());
    let inputs = parts("input").filter_map(|part| {
        let digest = field(part, "digest").filter(|digest| digest != "absent")?;
        Some(Read { name: part.name.clone(), from: records.origin(&digest, record), digest })
    });
    Some(Made {
        stage: stage.to_owned(),
        run: result.provenance.run.clone(),
        started: result.provenance.started.clone(),
        milliseconds: result.provenance.milliseconds,
        machine: result.provenance.machine.clone(),
        key: result.key.to_string(),
        values: values.filter_map(|part| Some((part.name.clone(), field(part, "value")?))).collect(),
        code: digests("code"),
        runtime: runtime.collect(),
        inputs: inputs.collect(),
        outputs: node.outputs.clone(),
    })
}

fn field(part: &Part, name: &str) -> Option<String> {
    part.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
}
