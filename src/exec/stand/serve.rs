//! Answers a question from how things stood: nothing has to be done, or only these nodes have to have their turn.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Question;
use super::look::look;
use super::plan::{self, PlanFile};
use super::state::{self, Header, Made, NodeRow, Stands, StateFile};
use crate::cache::Memory;
use crate::code::CodeFinder;
use crate::exec::context::Setup;
use crate::exec::event::NodeReport;
use crate::exec::state::{Ending, reason};
use crate::host::{Digest, fs};
use crate::plan::{Bound, NodeKind, Runtime};
use crate::runtime::{self, LOCK_FILE, LockFile};

/// With more nodes than this, those that had nothing to do are only counted, unless somebody asks.
pub const SHOWN: usize = 60;

/// What whoever shows a run has to know of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Length of the longest name, in characters.
    pub width: usize,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them are stages.
    pub stages: usize,
}

impl Shape {
    /// Returns the shape of a plan.
    #[must_use]
    pub fn of(bound: &Bound) -> Self {
        let nodes = &bound.plan.nodes;
        Self {
            width: nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0),
            nodes: nodes.len(),
            stages: nodes.iter().filter(|node| matches!(node.kind, NodeKind::Stage(_))).count(),
        }
    }
}

/// How things stand.
#[derive(Debug)]
pub enum Standing {
    /// Nothing has to be done.
    Untouched(Box<Untouched>),
    /// Some nodes have to have their turn.
    Part(Box<Part>),
}

/// A run with nothing to do.
#[derive(Debug)]
pub struct Untouched {
    pub(in crate::exec) header: Header,
    /// When somebody began to look.
    pub(in crate::exec) begun: Instant,
    question: Question,
}

/// A run in which only some nodes have to have their turn.
#[derive(Debug)]
pub struct Part {
    /// The plan with these nodes, or with all where some of the others have to be seen by what decides.
    pub(in crate::exec) bound: Bound,
    pub(in crate::exec) header: Header,
    /// What the others made, as far as somebody needs it.
    pub(in crate::exec) made: HashMap<String, Vec<Made>>,
    /// The keys of their results.
    pub(in crate::exec) keys: HashMap<String, Digest>,
    /// Where outputs of all nodes are published.
    pub(in crate::exec) published: Vec<PathBuf>,
    /// Which nodes of the whole plan are wanted.
    pub(in crate::exec) wanted: Vec<bool>,
    /// All nodes are in the plan.
    pub(in crate::exec) whole: bool,
    /// Indices of the plan's nodes, in the whole plan.
    pub(in crate::exec) chosen: Vec<usize>,
    /// The state's file, with what was touched put right.
    pub(super) bytes: Vec<u8>,
    /// What is remembered of files, where somebody had to ask.
    pub(in crate::exec) memory: Option<Memory>,
    /// Reports of nodes that are not in the plan, where they are few enough to be shown.
    pub(in crate::exec) others: Vec<NodeReport>,
}

/// Finds out how things stand. `None`: nobody knows, and the pipeline has to be read. `all` asks for reports of nodes that
/// have nothing to do also where they are many.
#[must_use]
pub fn stand(question: &Question, setup: &Setup, all: bool) -> Option<Standing> {
    let begun = Instant::now();
    let path = question.path("stand");
    let bytes = std::fs::read(&path).ok()?;
    let state = StateFile::decode(&bytes).filter(StateFile::counts)?;
    if state.header.variables.iter().any(|(name, value)| variable(setup, name) != *value) {
        return None;
    }
    let workspace = &question.workspace;
    if !are_locked(workspace, &state.header.runtimes) {
        return None;
    }
    let memory = || Memory::open(&workspace.join(".mlpc/cache/v1/digests"), workspace);
    let looked = look(workspace, &state.files, &memory);
    // A memory that can't be kept costs a hash next time and nothing else.
    let save = || looked.memory.as_ref().is_some_and(|memory| memory.save().is_ok() && memory.has_flushed());
    if looked.changed.iter().any(|&index| index < state.header.sources) {
        save();
        return None;
    }
    let changed_patterns = patterns(question, &state.header)?;
    let touched = |flushed| (!looked.touched.is_empty()).then(|| state::with(&bytes, &looked.touched, flushed));
    if looked.changed.is_empty() && changed_patterns.is_empty() && !state.header.restless {
        if let Some(fresh) = touched(save()) {
            let _ = fs::write_atomic(&path, &fresh);
        }
        let question = question.clone();
        return Some(Standing::Untouched(Box::new(Untouched { header: state.header, begun, question })));
    }
    let fresh = touched(false);
    let plan = plan::open(&question.path("plan"))?;
    let plan = PlanFile::decode(&plan, state.header.plan)?;
    let nodes = state.nodes().filter(|nodes| nodes.len() == plan.rows.len())?;
    let dirty = dirty(&plan, &nodes, &looked.changed.into_iter().collect(), &changed_patterns);
    // What decides and releases looks at stages all over the plan; then all of it is read, and what stands well is only
    // not done again.
    let whole = nodes.iter().zip(&plan.rows).any(|(node, row)| node.stands != Stands::Unwanted && row.kind != "stage");
    let chosen: Vec<usize> = (0..nodes.len()).filter(|&index| whole || dirty[index]).collect();
    let bound = plan.bound(chosen.iter().copied())?;
    let needed: BTreeSet<usize> = chosen
        .iter()
        .flat_map(|&index| plan.rows[index].waits.iter().chain([index]))
        .filter(|&index| !dirty[index] && nodes[index].stands == Stands::Well)
        .collect();
    let mut made = HashMap::with_capacity(needed.len());
    let mut keys = HashMap::with_capacity(needed.len());
    for index in needed {
        let what: Vec<Made> = serde_json::from_slice(&nodes[index].made).ok()?;
        made.insert(plan.rows[index].name.to_owned(), what);
        keys.insert(plan.rows[index].name.to_owned(), Digest::from_bytes(nodes[index].key));
    }
    let others =
        if (all || state.header.wanted <= SHOWN) && !whole { reports(&plan, &nodes, &dirty) } else { Vec::new() };
    let wanted = nodes.iter().map(|node| node.stands != Stands::Unwanted).collect();
    // Only who looks for code has to know what is none.
    let published = if state.header.patterns.is_empty() { Vec::new() } else { plan.published() };
    let StateFile { header, .. } = state;
    drop((nodes, plan));
    let memory = looked.memory;
    let bytes = fresh.unwrap_or(bytes);
    Some(Standing::Part(Box::new(Part {
        bound,
        made,
        keys,
        wanted,
        whole,
        published,
        chosen,
        others,
        header,
        memory,
        bytes,
    })))
}

fn are_locked(workspace: &Path, runtimes: &[Runtime]) -> bool {
    if runtimes.is_empty() {
        return true;
    }
    let lock = LockFile::read(&workspace.join(LOCK_FILE)).ok().flatten().unwrap_or_default();
    runtimes.iter().all(|one| runtime::standing(workspace, &lock, one).ok() == Some(runtime::Standing::Locked))
}

/// Returns the digest of a variable of the caller.
pub(super) fn variable(setup: &Setup, name: &str) -> Option<Digest> {
    use std::os::unix::ffi::OsStrExt;
    setup.caller.get(OsStr::new(name)).map(|value| Digest::of(value.as_bytes()))
}

/// Returns the digest of the list of files that a pattern means.
pub(super) fn meant(code: &CodeFinder, pattern: &str) -> Option<Digest> {
    let files = code.files(&[pattern.to_owned()]).ok()?;
    let mut bytes = Vec::new();
    for file in files.keys() {
        bytes.extend(file.as_bytes());
        bytes.push(0);
    }
    Some(Digest::of(&bytes))
}

/// Returns the indices of patterns that mean other files than before.
fn patterns(question: &Question, header: &Header) -> Option<HashSet<usize>> {
    if header.patterns.is_empty() {
        return Some(HashSet::new());
    }
    // What stages write is not code, so that a walk has to know the whole plan; a file that is named outright needs none.
    let walks = header.patterns.iter().any(|(pattern, _)| !question.workspace.join(pattern).is_file());
    let published = if walks {
        PlanFile::decode(&plan::open(&question.path("plan"))?, header.plan)?.published()
    } else {
        Vec::new()
    };
    let code = CodeFinder::new(&question.workspace, published.into_iter());
    let changed = |(index, (pattern, before)): (usize, &(String, Digest))| {
        (meant(&code, pattern) != Some(*before)).then_some(index)
    };
    Some(header.patterns.iter().enumerate().filter_map(changed).collect())
}

/// Tells of each node whether it has to have its turn: one that something changed for, and all behind it.
fn dirty(plan: &PlanFile<'_>, nodes: &[NodeRow<'_>], files: &HashSet<usize>, patterns: &HashSet<usize>) -> Vec<bool> {
    let waiters = Waiters::of(plan);
    let touched = |node: &NodeRow<'_>| match node.stands {
        Stands::Restless => true,
        Stands::Skipped | Stands::Unwanted => false,
        Stands::Well => {
            node.files.iter().any(|file| files.contains(&file))
                || node.patterns.iter().any(|pattern| patterns.contains(&pattern))
        }
    };
    let mut queue: Vec<usize> = (0..nodes.len()).filter(|&index| touched(&nodes[index])).collect();
    let mut dirty = vec![false; nodes.len()];
    while let Some(index) = queue.pop() {
        if matches!(nodes[index].stands, Stands::Skipped | Stands::Unwanted) || dirty[index] {
            continue;
        }
        dirty[index] = true;
        queue.extend(waiters.of_node(index));
    }
    dirty
}

/// Who waits for whom: the waiters of all nodes in one row, and where each node's begin.
struct Waiters {
    begin: Vec<usize>,
    all: Vec<usize>,
}

impl Waiters {
    fn of(plan: &PlanFile<'_>) -> Self {
        let mut begin = vec![0; plan.rows.len() + 1];
        plan.rows.iter().flat_map(|row| row.waits.iter()).for_each(|wait| begin[wait + 1] += 1);
        for index in 0..plan.rows.len() {
            begin[index + 1] += begin[index];
        }
        let mut next = begin.clone();
        let mut all = vec![0; begin[plan.rows.len()]];
        for (index, row) in plan.rows.iter().enumerate() {
            for wait in row.waits.iter() {
                all[next[wait]] = index;
                next[wait] += 1;
            }
        }
        Self { begin, all }
    }

    fn of_node(&self, index: usize) -> &[usize] {
        &self.all[self.begin[index]..self.begin[index + 1]]
    }
}

/// Returns reports of wanted nodes that have nothing to do.
fn reports(plan: &PlanFile<'_>, nodes: &[NodeRow<'_>], dirty: &[bool]) -> Vec<NodeReport> {
    let skipped = plan.bound(std::iter::empty()).map(|bound| bound.skipped).unwrap_or_default();
    let report = |index: usize| {
        let row = &plan.rows[index];
        if nodes[index].stands == Stands::Skipped {
            let ending = Ending::Skipped(reason(skipped.get(row.name)?));
            return Some(NodeReport::new(row.name, keyword(row.kind)?, ending));
        }
        if nodes[index].stands != Stands::Well || dirty[index] {
            return None;
        }
        let mut report = NodeReport::new(row.name, keyword(row.kind)?, Ending::Hit);
        report.key = Some(Digest::from_bytes(nodes[index].key).hex());
        let made: Vec<Made> = serde_json::from_slice(&nodes[index].made).ok()?;
        report.outputs = made.into_iter().map(|(name, artifact, ..)| (name, artifact.digest.to_string())).collect();
        Some(report)
    };
    (0..nodes.len()).filter_map(report).collect()
}

fn keyword(kind: &str) -> Option<&'static str> {
    ["stage", "gate", "approval", "register", "promote", "action"].into_iter().find(|&known| known == kind)
}

impl Part {
    /// Returns the shape of the whole plan, and the stages that have to have their turn.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { width: self.header.width, nodes: self.wanted.len(), stages: Shape::of(&self.bound).stages }
    }
}

impl Untouched {
    /// Returns the shape of the plan.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { width: self.header.width, nodes: self.header.nodes, stages: self.header.served }
    }

    /// Returns what the run would show of itself.
    pub(in crate::exec) fn reports(&self) -> Vec<NodeReport> {
        let read = || {
            let bytes = std::fs::read(self.question.path("stand")).ok()?;
            let plan = plan::open(&self.question.path("plan"))?;
            let state = StateFile::decode(&bytes)?;
            let plan = PlanFile::decode(&plan, state.header.plan)?;
            let nodes = state.nodes().filter(|nodes| nodes.len() == plan.rows.len())?;
            Some(reports(&plan, &nodes, &vec![false; nodes.len()]))
        };
        read().unwrap_or_default()
    }
}
