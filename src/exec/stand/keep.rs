//! Keeps how things stand at the end of a run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::bytes::Numbers;
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

/// The table of files while it grows. Those of the state before keep their places until the end, when what no node names any more
/// is left out.
struct Files<'o> {
    workspace: &'o Path,
    memory: &'o Memory,
    rows: Vec<Row<'o>>,
    places: HashMap<Cow<'o, str>, u32>,
    /// All that was looked at was flushed to the disk since it was written.
    flushed: bool,
}

struct Row<'o> {
    path: Cow<'o, str>,
    there: There,
    /// Somebody names it. Others are as they were before, and nothing is known of them.
    named: bool,
}

impl<'o> Files<'o> {
    fn new(run: &'o Run<'_>) -> Self {
        Self { workspace: run.workspace(), memory: run.memory, rows: Vec::new(), places: HashMap::new(), flushed: true }
    }

    /// Takes over the files of the state before. Only those that may be asked for get a place in the index.
    fn take_over(&mut self, old: &StateFile<'o>, asked: &HashSet<&str>) {
        for (row, at) in old.files.iter().zip(0..) {
            if asked.contains(row.path) {
                self.places.insert(Cow::Borrowed(row.path), at);
            }
            let named = (at as usize) < old.header.sources;
            self.rows.push(Row { path: Cow::Borrowed(row.path), there: row.there, named });
        }
    }

    fn name(&mut self, files: &Numbers<'_>) {
        files.iter().for_each(|file| self.rows[file].named = true);
    }

    fn add(&mut self, path: &str, there: There) -> Option<u32> {
        if let Some(&place) = self.places.get(path) {
            let row = &mut self.rows[place as usize];
            // Two nodes that saw different things: the file changed while the run went on.
            if row.named && row.there.artifact != there.artifact {
                return None;
            }
            if !row.named || !row.there.believed {
                row.there = there;
            }
            row.named = true;
            return Some(place);
        }
        let place = u32::try_from(self.rows.len()).ok()?;
        self.rows.push(Row { path: Cow::Owned(path.to_owned()), there, named: true });
        self.places.insert(Cow::Owned(path.to_owned()), place);
        Some(place)
    }

    fn look(&mut self, path: &str, artifact: Option<Artifact>) -> Option<u32> {
        let sight = self.memory.sight(&self.workspace.join(path));
        let there = match (artifact, sight) {
            (Some(is), Some(sight)) if is.digest == sight.digest => {
                self.flushed &= sight.flushed || !sight.believed;
                There { artifact, print: sight.print, believed: sight.believed }
            }
            _ => There { artifact, print: [0; 32], believed: false },
        };
        self.add(path, there)
    }

    /// Adds what decides what the plan is; returns how many files that are.
    fn add_sources(&mut self, run: &Run<'_>, question: &Question) -> Option<usize> {
        for (path, digest) in &question.sources {
            let path = path.strip_prefix(run.workspace()).unwrap_or(path).to_str()?;
            match digest {
                Some(digest) => {
                    let there = self.memory.look(&self.workspace.join(path)).ok()?;
                    self.look(path, Some(there).filter(|there| there.digest == *digest))?;
                    (there.digest == *digest).then_some(())?;
                }
                None => {
                    self.add(path, There { artifact: None, print: [0; 32], believed: false })?;
                }
            }
        }
        Some(self.rows.len())
    }

    /// Leaves out what nobody names.
    fn tidy(&mut self, nodes: &mut [NodeRow<'_>]) {
        if self.rows.iter().all(|row| row.named) {
            return;
        }
        let mut next = 0;
        let mut moved = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            moved.push(next);
            next += u32::from(row.named);
        }
        nodes.iter_mut().for_each(|node| node.files.replace(&moved));
        self.rows.retain(|row| row.named);
    }
}

/// The table of patterns while it grows. A plan that is the same has the same patterns, in the same places.
struct Patterns<'r> {
    run: &'r Run<'r>,
    rows: Vec<(String, Digest)>,
    places: HashMap<String, u32>,
    /// Those that a node names which had no turn: what they meant to it is what counts.
    kept: HashSet<usize>,
}

impl<'r> Patterns<'r> {
    fn new(run: &'r Run<'r>, old: Option<&StateFile<'_>>) -> Self {
        let rows = old.map(|old| old.header.patterns.clone()).unwrap_or_default();
        let places = rows.iter().zip(0..).map(|((pattern, _), at)| (pattern.clone(), at)).collect();
        Self { run, rows, places, kept: HashSet::new() }
    }

    fn add(&mut self, pattern: &str) -> Option<u32> {
        // As the run saw it: a file that came later is found to be new.
        let means = meant(&self.run.code, pattern)?;
        if let Some(&place) = self.places.get(pattern) {
            if !self.kept.contains(&(place as usize)) {
                self.rows[place as usize].1 = means;
            }
            return Some(place);
        }
        let place = u32::try_from(self.rows.len()).ok()?;
        self.rows.push((pattern.to_owned(), means));
        self.places.insert(pattern.to_owned(), place);
        Some(place)
    }
}

fn restless() -> NodeRow<'static> {
    NodeRow {
        stands: Stands::Restless,
        key: [0; 32],
        files: Numbers::default(),
        patterns: Numbers::default(),
        made: Cow::Borrowed(b"[]"),
    }
}

/// Gathers how things stand. What can't be kept is only a memory that is not there.
pub(in crate::exec) fn gather(
    run: &Run<'_>,
    question: &Question,
    part: Option<&Part>,
    record: &RunRecord,
    reports: &[NodeReport],
) -> Option<Kept> {
    let nodes = &run.bound.plan.nodes;
    let old = match part {
        Some(part) => Some(StateFile::decode(&part.bytes)?),
        None => None,
    };
    let facts = run.take_facts();
    let endings: HashMap<&str, &Ending> = reports.iter().map(|report| (report.node.as_str(), &report.ending)).collect();
    let mut files = Files::new(run);
    let mut patterns = Patterns::new(run, old.as_ref());
    let fresh = |index: usize, files: &mut Files<'_>, patterns: &mut Patterns<'_>| -> Option<NodeRow<'static>> {
        let node = &nodes[index];
        let row = |stands| NodeRow { stands, ..restless() };
        Some(match (endings.get(node.name.as_str()), facts.get(&node.name), &node.kind) {
            (None, ..) => row(Stands::Unwanted),
            (Some(Ending::Skipped(_)), ..) if run.bound.skipped.contains_key(&node.name) => row(Stands::Skipped),
            (Some(Ending::Done | Ending::Hit), Some(facts), NodeKind::Stage(_)) => {
                let seen: Option<Numbers<'static>> =
                    facts.files.iter().map(|(path, artifact)| files.look(path, *artifact)).collect();
                match seen {
                    None => restless(),
                    Some(files) => NodeRow {
                        stands: Stands::Well,
                        key: *facts.key.bytes(),
                        files,
                        patterns: facts.patterns.iter().map(|one| patterns.add(one)).collect::<Option<_>>()?,
                        made: Cow::Owned(serde_json::to_vec(&facts.made).ok()?),
                    },
                }
            }
            _ => restless(),
        })
    };
    let (sources, mut rows) = match (&old, part) {
        (Some(old), Some(part)) => {
            let asked = facts.values().flat_map(|facts| &facts.files).map(|(path, _)| path.as_str()).collect();
            files.take_over(old, &asked);
            let mut rows = old.nodes()?;
            let turned = |&(here, _): &(usize, &usize)| !part.made.contains_key(&nodes[here].name) || !part.whole;
            let turned: Vec<(usize, usize)> =
                part.chosen.iter().enumerate().filter(turned).map(|(here, &at)| (here, at)).collect();
            turned.iter().for_each(|&(_, at)| rows[at] = restless());
            rows.iter().for_each(|row| files.name(&row.files));
            patterns.kept = rows.iter().flat_map(|row| row.patterns.iter()).collect();
            for (here, at) in turned {
                rows[at] = fresh(here, &mut files, &mut patterns)?;
            }
            (old.header.sources, rows)
        }
        _ => {
            let sources = files.add_sources(run, question)?;
            let rows =
                (0..nodes.len()).map(|index| fresh(index, &mut files, &mut patterns)).collect::<Option<Vec<_>>>()?;
            (sources, rows)
        }
    };
    files.tidy(&mut rows);
    let stages = || {
        nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Stage(stage) => Some(stage),
            _ => None,
        })
    };
    let (plan, written) = match &old {
        Some(old) => (old.header.plan, None),
        None => {
            let (bytes, digest) = plan::encode(run.bound)?;
            (digest, Some(bytes))
        }
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
        patterns: patterns.rows,
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
    let flushed = run.memory.has_flushed() || (files.flushed && old.as_ref().is_none_or(StateFile::is_flushed));
    let named = files.rows.iter().map(|row| (row.path.as_ref(), row.there));
    let state = state::encode(&header, flushed, named, &rows)?;
    Some(Kept { plan: written, state })
}

/// How things stand, as it is written.
pub(in crate::exec) struct Kept {
    /// The plan, where it is not there yet.
    plan: Option<Vec<u8>>,
    state: Vec<u8>,
}

impl Kept {
    /// Writes it for the next run that is asked the same. Without it that one reads the pipeline.
    pub(in crate::exec) fn write(self, question: &Question) -> Option<()> {
        if let Some(plan) = self.plan {
            fs::write_atomic(&question.path("plan"), &plan).ok()?;
        }
        fs::write_atomic(&question.path("stand"), &self.state).ok()
    }
}
