//! Where something comes from: the stage that made it, what that stage read, and so on down to the sources, as runs and
//! results recorded it. What no record says is told as unknown, never guessed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use serde::Serialize;

use super::gates;
use crate::cache::{Key, Part, Store};
use crate::exec::{self, RunRecord};
use crate::host::Digest;
use crate::plan::Plan;
use crate::registry::Version;
use crate::types::Origin;

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
    /// The stage that made it, as far as that is known.
    #[serde(skip)]
    maker: Option<String>,
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

/// What somebody wants to know the lineage of.
#[derive(Debug, Clone, Default)]
pub struct Subject<'s> {
    /// As it was asked for.
    pub name: &'s str,
    /// Its digest.
    pub digest: String,
    /// The stage that made it, where that is known.
    pub stage: Option<&'s str>,
    /// The run to begin with, where one is known.
    pub run: Option<String>,
    /// The version that it is.
    pub version: Option<Version>,
}

/// Finds out where something comes from. The plan says which stage an input is from, where the same content was made twice.
#[must_use]
pub fn lineage(state: &Path, store: &Store, plan: &Plan, subject: Subject<'_>) -> Lineage {
    let Subject { name, digest, stage, run, version } = subject;
    let records = Records { all: Records::read(state), plan };
    let mut queue = VecDeque::from([(digest.clone(), run.clone(), stage.map(str::to_owned))]);
    let (mut stages, mut seen, mut found_in) = (Vec::new(), BTreeSet::new(), None);
    while let Some((digest, run, maker)) = queue.pop_front() {
        let is_it = |node: &str| maker.as_ref().is_none_or(|maker| maker == node);
        let Some((record, stage, _)) = records.maker(&digest, run.as_deref(), is_it) else { continue };
        found_in.get_or_insert_with(|| record.run.clone());
        if let Some(made) = made(store, &records, record, stage)
            && seen.insert(made.key.clone())
        {
            // A source ends the way; what nobody knows may still have been made under another name.
            let further = made.inputs.iter().filter(|read| read.maker.is_some());
            queue.extend(further.map(|read| (read.digest.clone(), Some(record.run.clone()), read.maker.clone())));
            stages.push(made);
        }
    }
    let run = run.or(found_in);
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
    Lineage { format: FORMAT, subject: name.to_owned(), digest, version, run, gates, stages }
}

/// What runs recorded.
struct Records<'p> {
    /// All of them, the latest first.
    all: Vec<RunRecord>,
    plan: &'p Plan,
}

impl Records<'_> {
    fn read(state: &Path) -> Vec<RunRecord> {
        let ids = exec::runs(state).unwrap_or_default();
        ids.iter().filter_map(|id| RunRecord::read(state, id).ok()).collect()
    }

    /// Finds the stage that made a digest, of those that may be it: in this run, else in the latest one before it, else in
    /// any.
    fn maker(
        &self,
        digest: &str,
        run: Option<&str>,
        may_be: impl Fn(&str) -> bool,
    ) -> Option<(&RunRecord, &str, &str)> {
        let (now, later): (Vec<_>, Vec<_>) =
            self.all.iter().partition(|record| run.is_none_or(|run| record.run.as_str() <= run));
        now.into_iter().chain(later).find_map(|record| {
            record.nodes.iter().filter(|node| may_be(&node.node)).find_map(|node| {
                let (output, _) = node.outputs.iter().find(|(_, made)| *made == digest)?;
                Some((record, node.node.as_str(), output.as_str()))
            })
        })
    }

    /// Says where something comes from that a stage of this run read, and which stage made it.
    fn origin(&self, digest: &str, record: &RunRecord, stage: &str, role: &str) -> (Option<String>, Option<String>) {
        // Legs that are read together have the name of all, and a path.
        let name = role.split(": ").next().unwrap_or(role);
        let inputs = self.plan.stage(stage).map(|stage| stage.work.inputs.as_slice()).unwrap_or_default();
        for input in inputs.iter().filter(|input| input.name == name) {
            match &input.origin {
                Origin::Output { stage, output } => {
                    let made = self.maker(digest, Some(&record.run), |node| node == stage);
                    if made.is_some_and(|(_, _, made)| made == output) {
                        return (Some(input.origin.to_string()), Some(stage.clone()));
                    }
                }
                Origin::Source(source) if record.sources.get(source).is_some_and(|is| is.to_string() == digest) => {
                    return (Some(format!("source {source}")), None);
                }
                Origin::Source(_) | Origin::Pointer { .. } => {}
            }
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
        if let Some(known) = sources(record).or_else(|| pointers(record)).or_else(|| self.all.iter().find_map(sources))
        {
            return (Some(known), None);
        }
        match self.maker(digest, Some(&record.run), |node| node != stage) {
            Some((_, stage, output)) => (Some(format!("{stage}.{output}")), Some(stage.to_owned())),
            None => (None, None),
        }
    }
}

fn made(store: &Store, records: &Records<'_>, record: &RunRecord, stage: &str) -> Option<Made> {
    let node = record.node(stage)?;
    let result = store.result(&Key(node.key.as_deref()?.parse().ok()?))?;
    let parts = |kind: &'static str| result.manifest.iter().filter(move |part| part.kind == kind);
    let digests = |kind| parts(kind).filter_map(|part| Some((part.name.clone(), field(part, "digest")?))).collect();
    let values = parts("param").chain(parts("variable"));
    let runtime = parts("runtime").flat_map(|part| part.fields.iter().cloned());
    let inputs = parts("input").filter_map(|part| {
        let digest = field(part, "digest").filter(|digest| digest != "absent")?;
        let (from, maker) = records.origin(&digest, record, stage, &part.name);
        Some(Read { name: part.name.clone(), from, maker, digest })
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
