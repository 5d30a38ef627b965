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
use crate::plan::{Node, NodeKind, Work};
use crate::types::Origin;

/// What stands behind a node: its own and that of all nodes before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// What the sources that were read are, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Sighting>,
    /// Digests of the reports of gates, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<String, String>,
    /// Sources that were not the same wherever they were read, each with two nodes that found different bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, [String; 2]>,
}

/// A source as a node found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Its digest.
    pub digest: String,
    /// The node.
    pub by: String,
}

impl Lineage {
    /// Puts together what came in.
    #[must_use]
    pub fn of(received: &Received) -> Self {
        let mut all = Self::default();
        for answer in received.answers.values() {
            let before = &answer.lineage;
            before.sources.iter().for_each(|(name, seen)| all.source(name, &seen.digest, &seen.by));
            before.moved.iter().for_each(|(name, nodes)| all.is_moved(name, nodes.clone()));
            all.gates.extend(before.gates.clone());
        }
        all
    }

    /// Notes that a node read a source.
    pub(super) fn source(&mut self, name: &str, digest: &str, by: &str) {
        let seen = || Sighting { digest: digest.to_owned(), by: by.to_owned() };
        let known = self.sources.entry(name.to_owned()).or_insert_with(seen);
        if known.digest != digest {
            let nodes = [known.by.clone(), by.to_owned()];
            self.is_moved(name, nodes);
        }
    }

    fn is_moved(&mut self, name: &str, nodes: [String; 2]) {
        self.moved.entry(name.to_owned()).or_insert(nodes);
    }

    /// Returns the digests of the sources.
    pub(super) fn inputs(&self) -> BTreeMap<String, String> {
        self.sources.iter().map(|(name, seen)| (name.clone(), seen.digest.clone())).collect()
    }

    /// Refuses what comes of a source that changed while the run read it: no job can tell of which bytes it is.
    fn steady(&self) -> Result<(), Trouble> {
        let Some((name, [one, other])) = self.moved.first_key_value() else { return Ok(()) };
        let message =
            format!("the source `{name}` changed while this run read it: `{other}` found other bytes than `{one}`");
        Err(Trouble::unsound(message).help("pin it, or run the whole pipeline again"))
    }
}

/// Makes sure that all that led to a node that releases or acts was the same for all jobs that read it, and is what the node
/// will read itself.
///
/// # Errors
/// A source was not, or something before it handed nothing on that could say so.
pub(super) fn steady(job: &Job<'_>, node: &Node, received: &Received, lineage: &mut Lineage) -> Result<(), Trouble> {
    let kind = &node.kind;
    if !kind.acts() {
        return Ok(());
    }
    let plan = &job.bound.plan;
    for before in plan.heard(node) {
        let advises = !job.bound.gates_block && matches!(before.kind, NodeKind::Gate(_));
        if !received.answers.contains_key(&before.name) && !job.left_out.contains_key(&before.name) && !advises {
            let message = format!("`{}`, which `{}` comes after, handed nothing on", before.name, node.name);
            return Err(Trouble::unsound(message).help("compile the pipeline again, and run all jobs again"));
        }
    }
    if let Some(work) = kind.work() {
        let known = |origin: &&Origin| matches!(origin, Origin::Source(name) if lineage.sources.contains_key(name));
        let again: Vec<_> = work.inputs.iter().map(|input| &input.origin).filter(known).collect();
        exec::bring_sources(job.bound, job.setup, &again)?;
        sources(job, work)?.iter().for_each(|(name, digest)| lineage.source(name, &digest.to_string(), &node.name));
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
