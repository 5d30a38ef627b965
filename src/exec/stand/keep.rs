//! Keeps how things stand at the end of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::serve::{Part, meant, variable};
use super::state::{self, Header, Made, NodeRow, Stands, StateFile, There};
use super::{Question, plan};
use crate::cache::{Artifact, Memory};
use crate::exec::context::Run;
use crate::exec::event::NodeReport;
use crate::exec::prepare::{From, Prepared};
use crate::exec::record::RunRecord;
use crate::exec::state::Ending;
use crate::host::{Digest, fs};
use crate::plan::{NodeKind, Rerun, Stage};
use crate::types::Origin;

/// What a stage that came out well depended on and made.
#[derive(Debug)]
pub(in crate::exec) struct Facts {
    key: Digest,
    /// Files of the workspace, with what they were; nothing where nothing was there.
    files: Vec<(String, Option<Artifact>)>,
    patterns: Vec<String>,
    made: Vec<Made>,
}

/// Gathers the facts of a stage. `None` where something else decides, too, so that it has to have its turn every time.
pub(in crate::exec) fn facts(run: &Run<'_>, name: &str, stage: &Stage, prepared: &Prepared) -> Option<Facts> {
    if stage.rerun != Rerun::Never {
        return None;
    }
    let relative = |path: &Path| path.strip_prefix(run.workspace()).unwrap_or(path).to_str().map(str::to_owned);
    let mut files = Vec::new();
    for input in &prepared.inputs {
        match &input.content {
            None => {}
            // What is fetched and may stand is pinned, and the pin is in the plan.
            Some((_, From::Store(_) | From::Fetched { .. })) => {}
            Some((artifact, From::Workspace(path))) => files.push((relative(path)?, Some(*artifact))),
            Some((_, From::Registry { .. } | From::Dvc)) => return None,
        }
    }
    // A pointer that names nothing yet may name something tomorrow.
    if stage.work.inputs.iter().any(|input| matches!(input.origin, Origin::Pointer { .. })) {
        return None;
    }
    for file in &prepared.code {
        let artifact = run.memory.look(&run.workspace().join(&file.path)).ok()?;
        if (artifact.digest, artifact.executable) != (file.digest, file.executable) {
            return None;
        }
        files.push((file.path.clone(), Some(artifact)));
    }
    let mut made = Vec::new();
    for output in &stage.outputs {
        let product = run.product(name, &output.name)?;
        files.push((output.publish.clone(), Some(product.artifact)));
        made.push((output.name.clone(), product.artifact, product.value, product.path));
    }
    Some(Facts { key: prepared.key.0, files, patterns: stage.work.code.clone(), made })
}

/// The table of files while it grows.
struct Files<'m> {
    workspace: &'m Path,
    memory: &'m Memory,
    rows: Vec<(String, There)>,
    known: HashMap<String, u32>,
}

impl Files<'_> {
    fn add(&mut self, path: &str, there: There) -> Option<u32> {
        if let Some(&index) = self.known.get(path) {
            let (_, before) = &mut self.rows[index as usize];
            // Two nodes that saw different things: the file changed while the run went on.
            if before.artifact != there.artifact {
                return None;
            }
            if !before.believed {
                *before = there;
            }
            return Some(index);
        }
        let index = u32::try_from(self.rows.len()).ok()?;
        self.rows.push((path.to_owned(), there));
        self.known.insert(path.to_owned(), index);
        Some(index)
    }

    fn look(&mut self, path: &str, artifact: Option<Artifact>) -> Option<u32> {
        let sight = self.memory.sight(&self.workspace.join(path));
        let there = match (artifact, sight) {
            (Some(is), Some(sight)) if is.digest == sight.digest => {
                There { artifact, print: sight.print, believed: sight.believed }
            }
            _ => There { artifact, print: [0; 32], believed: false },
        };
        self.add(path, there)
    }
}

/// What a node's row will say, owned.
struct Kept {
    stands: Stands,
    key: [u8; 32],
    files: Vec<u32>,
    patterns: Vec<String>,
    made: Vec<u8>,
}

/// Keeps how things stand. What can't be kept is only a memory that is not there.
pub(in crate::exec) fn keep(
    run: &Run<'_>,
    question: &Question,
    part: Option<&Part>,
    record: &RunRecord,
    reports: &[NodeReport],
) -> Option<()> {
    let nodes = &run.bound.plan.nodes;
    let mut files = Files { workspace: run.workspace(), memory: run.memory, rows: Vec::new(), known: HashMap::new() };
    let old = match part {
        Some(part) => Some(StateFile::decode(&part.bytes)?),
        None => None,
    };
    let sources = match &old {
        Some(old) => {
            old.files[..old.header.sources].iter().try_for_each(|row| files.add(row.path, row.there).map(drop))?;
            old.header.sources
        }
        None => {
            for (path, digest) in &question.sources {
                let path = path.strip_prefix(run.workspace()).unwrap_or(path).to_str()?;
                let artifact = match digest {
                    Some(digest) => {
                        Some(run.memory.look(&run.workspace().join(path)).ok()?).filter(|there| there.digest == *digest)
                    }
                    None => None,
                };
                if artifact.is_some() != digest.is_some() {
                    return None;
                }
                let there = There { artifact, print: [0; 32], believed: false };
                match artifact {
                    Some(_) => files.look(path, artifact)?,
                    None => files.add(path, there)?,
                };
            }
            files.rows.len()
        }
    };
    let endings: HashMap<&str, &Ending> = reports.iter().map(|report| (report.node.as_str(), &report.ending)).collect();
    let facts = run.take_facts();
    let fresh = |index: usize, files: &mut Files<'_>| {
        let node = &nodes[index];
        let mut kept =
            Kept { stands: Stands::Restless, key: [0; 32], files: Vec::new(), patterns: Vec::new(), made: Vec::new() };
        let facts = facts.get(&node.name);
        match (endings.get(node.name.as_str()), facts, &node.kind) {
            (None, ..) => kept.stands = Stands::Unwanted,
            (Some(Ending::Skipped(_)), ..) if run.bound.skipped.contains_key(&node.name) => {
                kept.stands = Stands::Skipped
            }
            (Some(Ending::Done | Ending::Hit), Some(facts), NodeKind::Stage(_)) => {
                let indices: Option<Vec<u32>> =
                    facts.files.iter().map(|(path, artifact)| files.look(path, *artifact)).collect();
                if let (Some(files), Ok(made)) = (indices, serde_json::to_vec(&facts.made)) {
                    kept = Kept {
                        stands: Stands::Well,
                        key: *facts.key.bytes(),
                        files,
                        patterns: facts.patterns.clone(),
                        made,
                    };
                }
            }
            _ => {}
        }
        kept
    };
    let mut rows: Vec<Kept> = Vec::new();
    match (&old, part) {
        (Some(old), Some(part)) => {
            let before = old.nodes()?;
            let mut chosen = part.chosen.iter().copied().enumerate().peekable();
            for (index, row) in before.into_iter().enumerate() {
                let turn = chosen.next_if(|&(_, at)| at == index).map(|(here, _)| here);
                let had_its_turn = turn.filter(|&here| !part.made.contains_key(&nodes[here].name) || !part.whole);
                match had_its_turn {
                    Some(here) => rows.push(fresh(here, &mut files)),
                    None => {
                        let indices = row.files.iter().map(|&file| {
                            let row = &old.files[file as usize];
                            files.add(row.path, row.there)
                        });
                        let indices: Option<Vec<u32>> = indices.collect();
                        rows.push(Kept {
                            stands: if indices.is_some() { row.stands } else { Stands::Restless },
                            key: row.key,
                            files: indices.unwrap_or_default(),
                            patterns: row
                                .patterns
                                .iter()
                                .map(|&at| old.header.patterns[at as usize].0.clone())
                                .collect(),
                            made: row.made.to_vec(),
                        });
                    }
                }
            }
        }
        _ => rows.extend((0..nodes.len()).map(|index| fresh(index, &mut files))),
    }
    let (plan, written) = match &old {
        Some(old) => (old.header.plan, None),
        None => {
            let (bytes, digest) = plan::encode(run.bound)?;
            (digest, Some(bytes))
        }
    };
    let mut patterns: Vec<(String, Digest)> = Vec::new();
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut encoded = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut indices = Vec::with_capacity(row.patterns.len());
        for pattern in &row.patterns {
            let index = match known.get(pattern) {
                Some(&index) => index,
                None => {
                    let index = u32::try_from(patterns.len()).ok()?;
                    // As the run saw it: a file that came later is found to be new.
                    patterns.push((pattern.clone(), meant(&run.code, pattern)?));
                    known.insert(pattern.clone(), index);
                    index
                }
            };
            indices.push(index);
        }
        encoded.push(NodeRow {
            stands: row.stands,
            key: row.key,
            files: row.files.clone(),
            patterns: indices,
            made: &row.made,
        });
    }
    let stages = || {
        nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Stage(stage) => Some(stage),
            _ => None,
        })
    };
    let variables: BTreeMap<String, Option<Digest>> = match &old {
        Some(old) => old.header.variables.clone(),
        None => stages()
            .flat_map(|stage| &stage.work.pass_env)
            .map(|name| (name.clone(), variable(run.setup, name)))
            .collect(),
    };
    let used: BTreeSet<String> = match &old {
        Some(old) => old.header.runtimes.iter().map(|runtime| runtime.name.clone()).collect(),
        None => stages().filter_map(|stage| stage.work.runtime.clone()).collect(),
    };
    let count = |stands: Stands| rows.iter().filter(|row| row.stands == stands).count();
    let header = Header {
        plan,
        run: RunRecord { nodes: Vec::new(), ..record.clone() },
        variables,
        runtimes: run.bound.plan.runtimes.iter().filter(|runtime| used.contains(&runtime.name)).cloned().collect(),
        patterns,
        sources,
        served: count(Stands::Well),
        skipped: count(Stands::Skipped),
        restless: count(Stands::Restless) > 0,
        wanted: rows.len() - count(Stands::Unwanted),
        nodes: rows.len(),
        width: match &old {
            Some(old) => old.header.width,
            None => nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0),
        },
    };
    let state = state::encode(&header, files.rows.iter().map(|(path, there)| (path.as_str(), *there)), &encoded)?;
    if let Some(plan) = written {
        fs::write_atomic(&question.path("plan"), &plan).ok()?;
    }
    fs::write_atomic(&question.path("stand"), &state).ok()
}
