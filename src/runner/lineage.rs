//! What a node's results come from, handed from job to job: a registration knows all that led to it, although it is
//! given only what it reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exchange::Received;
use super::{Job, Trouble};
use crate::cache::Memory;
use crate::exec;
use crate::gate::Gate;
use crate::host::Digest;
use crate::host::fs::join_inside;
use crate::plan::{NodeKind, Work};
use crate::types::Origin;

/// What stands behind a node: its own and that of all nodes before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Digests of the sources that were read, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, String>,
    /// Digests of the reports of gates, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<String, String>,
    /// Sources that were not the same wherever they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

impl Lineage {
    /// Puts together what came in.
    #[must_use]
    pub fn of(received: &Received) -> Self {
        let mut all = Self::default();
        for answer in received.answers.values() {
            let before = &answer.lineage;
            before.sources.iter().for_each(|(name, digest)| all.source(name, digest));
            before.moved.iter().for_each(|name| all.is_moved(name));
            all.gates.extend(before.gates.clone());
        }
        all
    }

    /// Notes that a source was read.
    pub(super) fn source(&mut self, name: &str, digest: &str) {
        let known = self.sources.entry(name.to_owned()).or_insert_with(|| digest.to_owned());
        if known != digest {
            self.is_moved(name);
        }
    }

    fn is_moved(&mut self, name: &str) {
        if !self.moved.iter().any(|moved| moved == name) {
            self.moved.push(name.to_owned());
        }
    }

    /// Refuses what comes of a source that changed while the run read it: no job can tell of which bytes it is.
    fn steady(&self) -> Result<(), Trouble> {
        let Some(name) = self.moved.first() else { return Ok(()) };
        let message = format!("`{name}` changed while this run read it: other jobs saw other bytes");
        Err(Trouble::unsound(message).help("pin it, or run the whole pipeline again"))
    }
}

/// Makes sure that all that led to a node that releases or acts was the same for all jobs that read it, and is what the node
/// will read itself.
///
/// # Errors
/// A source was not.
pub(super) fn steady(job: &Job<'_>, kind: &NodeKind, lineage: &mut Lineage) -> Result<(), Trouble> {
    if !kind.acts() {
        return Ok(());
    }
    if let Some(work) = kind.work() {
        let known = |origin: &&Origin| matches!(origin, Origin::Source(name) if lineage.sources.contains_key(name));
        let again: Vec<_> = work.inputs.iter().map(|input| &input.origin).filter(known).collect();
        exec::bring_sources(job.bound, job.setup, &again)?;
        sources(job, work)?.iter().for_each(|(name, digest)| lineage.source(name, &digest.to_string()));
    }
    lineage.steady()
}

/// Returns the digests of what work reads, by where it comes from; `sources` are those of its sources.
pub(super) fn read(work: &Work, received: &Received, sources: &BTreeMap<String, Digest>) -> BTreeMap<Origin, String> {
    let digest = |origin: &Origin| match origin {
        Origin::Output { stage, output } => Some(received.answers.get(stage)?.outputs.get(output)?.digest),
        Origin::Source(name) => sources.get(name).copied(),
        Origin::Pointer { .. } => None,
    };
    let read = work.inputs.iter().filter_map(|input| Some((input.origin.clone(), digest(&input.origin)?.to_string())));
    read.collect()
}

/// Returns the data that a gate's evidence was measured on, as the jobs that measured it and its baseline's say.
///
/// # Errors
/// Two of them read other bytes: numbers on other data can't be compared.
pub(super) fn measured_on(gate: &Gate, received: &Received) -> Result<BTreeMap<Origin, String>, Trouble> {
    let mut all = BTreeMap::new();
    let own = gate.evidence.iter().map(|evidence| (&evidence.origin, evidence.over.as_ref()));
    let baseline = gate
        .baseline
        .iter()
        .flat_map(|baseline| &baseline.evidence)
        .filter_map(|measured| Some((&measured.origin, gate.evidence.get(measured.evidence)?.over.as_ref())));
    for (origin, over) in own.chain(baseline) {
        let Some(data) = over else { continue };
        let answer = origin.stage().and_then(|stage| received.answers.get(stage));
        let Some(digest) = answer.and_then(|answer| answer.read.get(data)) else { continue };
        if all.entry(data.clone()).or_insert_with(|| digest.clone()) != digest {
            let message =
                format!("`{data}` was not the same for all jobs that measured on it: `{origin}` is of other bytes");
            return Err(Trouble::unsound(message).help("pin the data, or run the whole pipeline again"));
        }
    }
    Ok(all)
}

/// Returns the digests of the files that work reads as sources.
pub(super) fn sources(job: &Job<'_>, work: &Work) -> Result<BTreeMap<String, Digest>, Trouble> {
    let workspace = &job.setup.workspace;
    let memory = Memory::open(&workspace.join(".mlpc/memory"), workspace);
    let mut found = BTreeMap::new();
    for input in &work.inputs {
        let Origin::Source(name) = &input.origin else { continue };
        let declared = job.bound.plan.sources.iter().find(|source| source.name == *name);
        let Some(source) = declared else { continue };
        let path = join_inside(workspace, &source.location.place(name))?;
        if path.exists() {
            found.insert(name.clone(), memory.look(&path)?.digest);
        }
    }
    Ok(found)
}
