//! The bound plan in a file: what all nodes share at once, each node only where somebody needs it.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::bytes::{Reader, Writer, unseal};
use crate::host::Digest;
use crate::plan::{Bound, Node, NodeKind, Plan};

/// First bytes of the file; the number is the version of its format.
const MAGIC: &[u8; 16] = b"mlpc planfile 1\n";

/// What every line of the table says of a node.
#[derive(Debug)]
pub(super) struct Row<'b> {
    pub(super) name: &'b str,
    pub(super) kind: &'b str,
    /// The nodes that it waits for.
    pub(super) waits: Vec<u32>,
    /// Where its outputs are published.
    pub(super) published: Vec<&'b str>,
    body: &'b [u8],
}

/// A plan that was read from its file.
#[derive(Debug)]
pub(super) struct PlanFile<'b> {
    pub(super) rows: Vec<Row<'b>>,
    header: &'b [u8],
}

/// Writes a bound plan; returns the file and its digest.
pub(super) fn encode(bound: &Bound) -> Option<(Vec<u8>, Digest)> {
    let nodes = &bound.plan.nodes;
    let stages: BTreeSet<&str> =
        nodes.iter().filter(|node| matches!(node.kind, NodeKind::Stage(_))).map(|node| node.name.as_str()).collect();
    let places = &bound.plan.places;
    // Only reports of what decides and releases say where it was declared.
    let places = places.iter().filter(|(key, _)| !stages.contains(key.as_str()));
    let places = places.map(|(key, place)| (key.clone(), place.clone())).collect();
    let bare = Bound { plan: Plan { nodes: Vec::new(), places, ..shallow(&bound.plan) }, ..shallow_bound(bound) };
    let by_name: HashMap<&str, u32> = nodes.iter().zip(0..).map(|(node, index)| (node.name.as_str(), index)).collect();
    let mut file = Writer::default();
    file.bytes(&serde_json::to_vec(&bare).ok()?);
    file.number(nodes.len());
    for node in nodes {
        file.bytes(node.name.as_bytes());
        file.bytes(node.kind.keyword().as_bytes());
        let waits: Vec<u32> = node.waits.iter().filter_map(|wait| by_name.get(wait.node.as_str()).copied()).collect();
        file.numbers(&waits);
        let outputs = match &node.kind {
            NodeKind::Stage(stage) => stage.outputs.as_slice(),
            _ => &[],
        };
        file.number(outputs.len());
        outputs.iter().for_each(|output| file.bytes(output.publish.as_bytes()));
        file.bytes(&serde_json::to_vec(node).ok()?);
    }
    let sealed = file.seal(MAGIC);
    let digest = Digest::from_bytes(sealed.get(16..48)?.try_into().ok()?);
    Some((sealed, digest))
}

/// A copy without nodes, which may be many.
fn shallow(plan: &Plan) -> Plan {
    Plan {
        format: plan.format,
        pipeline: plan.pipeline.clone(),
        doc: plan.doc.clone(),
        edition: plan.edition,
        triggers: plan.triggers.clone(),
        params: plan.params.clone(),
        secrets: plan.secrets.clone(),
        runtimes: plan.runtimes.clone(),
        metrics: plan.metrics.clone(),
        sources: plan.sources.clone(),
        registries: plan.registries.clone(),
        profiles: plan.profiles.clone(),
        targets: plan.targets.clone(),
        beside: plan.beside.clone(),
        nodes: Vec::new(),
        places: std::collections::BTreeMap::new(),
        read: std::collections::BTreeMap::new(),
    }
}

fn shallow_bound(bound: &Bound) -> Bound {
    Bound {
        plan: shallow(&bound.plan),
        digest: bound.digest.clone(),
        profile: bound.profile.clone(),
        prefix: bound.prefix.clone(),
        event: bound.event.clone(),
        branch: bound.branch.clone(),
        params: bound.params.clone(),
        releases: bound.releases,
        gates_block: bound.gates_block,
        skipped: bound.skipped.clone(),
    }
}

impl<'b> PlanFile<'b> {
    /// Reads the table of a file that has this digest.
    pub(super) fn decode(bytes: &'b [u8], digest: Digest) -> Option<Self> {
        let (is, rest) = unseal(bytes, MAGIC)?;
        if is != digest {
            return None;
        }
        let mut reader = Reader(rest);
        let header = reader.bytes()?;
        let count = reader.number()?;
        let mut rows = Vec::with_capacity(count.min(rest.len()));
        for _ in 0..count {
            let (name, kind, waits) = (reader.text()?, reader.text()?, reader.numbers()?);
            if waits.iter().any(|&wait| wait as usize >= count) {
                return None;
            }
            let outputs = reader.number()?;
            let published = (0..outputs).map(|_| reader.text()).collect::<Option<_>>()?;
            rows.push(Row { name, kind, waits, published, body: reader.bytes()? });
        }
        Some(Self { rows, header })
    }

    /// Returns the bound plan with the chosen nodes only.
    pub(super) fn bound(&self, chosen: impl Iterator<Item = usize>) -> Option<Bound> {
        let mut bound: Bound = serde_json::from_slice(self.header).ok()?;
        let node = |index: usize| serde_json::from_slice::<Node>(self.rows.get(index)?.body).ok();
        bound.plan.nodes = chosen.map(node).collect::<Option<_>>()?;
        Some(bound)
    }

    /// Returns where outputs of all nodes are published.
    pub(super) fn published(&self) -> Vec<PathBuf> {
        self.rows.iter().flat_map(|row| &row.published).map(PathBuf::from).collect()
    }
}
