//! The bound plan in a file: a table of all nodes, which is read at once, and behind it each node by itself, which is read only where
//! somebody needs it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::bytes::{Numbers, Reader, SEALED, Writer, hash, unseal};
use crate::host::Digest;
use crate::plan::{Bound, Node, NodeKind, Plan};

/// First bytes of the file; the number is the version of its format.
const MAGIC: &[u8; 16] = b"mlpc planfile 2\n";

/// The length of the table stands before it.
const LENGTH: usize = 8;

/// What every line of the table says of a node.
#[derive(Debug)]
pub(super) struct Row<'b> {
    pub(super) name: &'b str,
    pub(super) kind: &'b str,
    /// The nodes that it waits for.
    pub(super) waits: Numbers<'b>,
    /// Where its outputs are published: so many paths.
    published: (usize, Reader<'b>),
    /// Where the node itself stands, behind the table, how long it is, and its digest.
    at: u64,
    length: usize,
    digest: [u8; 32],
}

/// A plan's file, of which the table was read.
#[derive(Debug)]
pub(super) struct PlanFile<'b> {
    pub(super) rows: Vec<Row<'b>>,
    header: &'b [u8],
    file: &'b File,
    behind: u64,
}

/// Opens a plan's file and reads its table, for [`PlanFile::decode`].
pub(super) fn open(path: &Path) -> Option<(File, Vec<u8>)> {
    let file = File::open(path).ok()?;
    let mut length = [0; LENGTH];
    file.read_exact_at(&mut length, 0).ok()?;
    let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
    // A length that is torn asks for no more than there is.
    let there = usize::try_from(file.metadata().ok()?.len()).ok()?;
    let mut table = vec![0; length.min(there.saturating_sub(LENGTH))];
    file.read_exact_at(&mut table, LENGTH as u64).ok()?;
    Some((file, table))
}

/// Writes a bound plan; returns the file and the digest of its table, which has the digests of all nodes.
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
    let (mut table, mut bodies) = (Writer::default(), Vec::new());
    table.bytes(&serde_json::to_vec(&bare).ok()?);
    table.number(nodes.len());
    for node in nodes {
        table.bytes(node.name.as_bytes());
        table.bytes(node.kind.keyword().as_bytes());
        let waits: Numbers<'_> =
            node.waits.iter().filter_map(|wait| by_name.get(wait.node.as_str()).copied()).collect();
        table.numbers(&waits);
        let outputs = match &node.kind {
            NodeKind::Stage(stage) => stage.outputs.as_slice(),
            _ => &[],
        };
        table.number(outputs.len());
        outputs.iter().for_each(|output| table.bytes(output.publish.as_bytes()));
        let body = serde_json::to_vec(node).ok()?;
        table.number(body.len());
        table.0.extend(hash(&body).bytes());
        bodies.extend(body);
    }
    let table = table.seal(MAGIC);
    let digest = Digest::from_bytes(table.get(16..SEALED)?.try_into().ok()?);
    let length = (table.len() as u64).to_le_bytes();
    Some(([length.as_slice(), &table, &bodies].concat(), digest))
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
    pub(super) fn decode((file, bytes): &'b (File, Vec<u8>), digest: Digest) -> Option<Self> {
        let (is, rest) = unseal(bytes, MAGIC)?;
        if is != digest {
            return None;
        }
        let mut reader = Reader(rest);
        let header = reader.bytes()?;
        let count = reader.number()?;
        let mut rows = Vec::with_capacity(count.min(rest.len()));
        let mut at = 0;
        for _ in 0..count {
            let (name, kind, waits) = (reader.text()?, reader.text()?, reader.numbers()?);
            if waits.iter().any(|wait| wait >= count) {
                return None;
            }
            let outputs = reader.number()?;
            let published = (outputs, reader);
            (0..outputs).try_for_each(|_| reader.text().map(drop))?;
            let length = reader.number()?;
            rows.push(Row { name, kind, waits, published, at, length, digest: reader.array()? });
            at += length as u64;
        }
        Some(Self { rows, header, file, behind: (LENGTH + bytes.len()) as u64 })
    }

    /// Returns the bound plan with the chosen nodes only.
    pub(super) fn bound(&self, chosen: impl Iterator<Item = usize>) -> Option<Bound> {
        let mut bound: Bound = serde_json::from_slice(self.header).ok()?;
        let mut body = Vec::new();
        let mut node = |index: usize| {
            let row = self.rows.get(index)?;
            body.resize(row.length, 0);
            self.file.read_exact_at(&mut body, self.behind + row.at).ok()?;
            (*hash(&body).bytes() == row.digest).then_some(())?;
            serde_json::from_slice::<Node>(&body).ok()
        };
        bound.plan.nodes = chosen.map(&mut node).collect::<Option<_>>()?;
        Some(bound)
    }

    /// Returns where outputs of all nodes are published, and the folders of registries.
    pub(super) fn published(&self) -> Vec<PathBuf> {
        let paths = |row: &Row<'b>| {
            let (outputs, mut reader) = row.published;
            (0..outputs).filter_map(move |_| reader.text())
        };
        let mut published: Vec<PathBuf> = self.rows.iter().flat_map(paths).map(PathBuf::from).collect();
        published.extend(self.bound(std::iter::empty()).iter().flat_map(|bound| bound.plan.registry_folders()));
        published
    }
}
