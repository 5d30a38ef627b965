//! Which nodes a run is about: all, those up to some, those behind some, or some alone. A part that leaves out something
//! which a release waits for never releases, promotes, asks or acts: what stands from before was made by nobody knows
//! which run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::context::{Force, Options};
use super::run::RunError;
use crate::diagnostic::nearest;
use crate::plan::{Bound, Node, NodeKind};

/// The nodes that somebody asks for; all if nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pick {
    /// These with all that they wait for.
    pub until: Vec<String>,
    /// Of those only what is one of these or depends on one.
    pub from: Vec<String>,
    /// These alone, and nothing else.
    pub only: Vec<String>,
}

impl Pick {
    /// Picks nodes with all that they wait for.
    #[must_use]
    pub fn until(nodes: Vec<String>) -> Self {
        Self { until: nodes, ..Self::default() }
    }

    /// Tells whether something may be left out that a picked node waits for.
    #[must_use]
    pub fn is_part(&self) -> bool {
        !self.from.is_empty() || !self.only.is_empty()
    }

    /// Tells whether nothing is named.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.until.is_empty() && !self.is_part()
    }

    /// Returns all names.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.until.iter().chain(&self.from).chain(&self.only)
    }
}

/// The nodes that a run is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Their indices.
    pub wanted: BTreeSet<usize>,
    /// Those among them that may not have their turn in this run, with the reason: they release or act, and the run
    /// leaves out something that they wait for.
    pub held: BTreeMap<usize, String>,
    /// Something is left out that a wanted node waits for.
    pub part: bool,
}

impl Chosen {
    /// Returns the nodes that have their turn.
    pub(super) fn active(&self) -> BTreeSet<usize> {
        self.wanted.iter().copied().filter(|index| !self.held.contains_key(index)).collect()
    }
}

/// Chooses what the options ask for.
pub fn choose(bound: &Bound, options: &Options) -> Result<Chosen, RunError> {
    let unknown = |name: String| unknown(bound, &name);
    let pick = &options.pick;
    if let Force::Nodes(names) = &options.force {
        named(bound, names).map_err(unknown)?;
    }
    if options.alone {
        let find = |name: &String| bound.plan.nodes.iter().position(|node| node.name == *name);
        let wanted = pick.until.iter().map(|name| find(name).ok_or_else(|| unknown(name.clone())));
        return Ok(Chosen { wanted: wanted.collect::<Result<_, _>>()?, ..Chosen::default() });
    }
    let mut wanted = if pick.only.is_empty() {
        closure(bound, &pick.until).map_err(unknown)?
    } else {
        named(bound, &pick.only).map_err(unknown)?.into_iter().collect()
    };
    if !pick.from.is_empty() {
        let behind = behind(bound, named(bound, &pick.from).map_err(unknown)?);
        wanted.retain(|index| behind.contains(index));
        if wanted.is_empty() {
            let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let message = format!("nothing lies between {} and {}", list(&pick.from), list(&pick.until));
            return Err(RunError::new(2, message).help("`mlpc graph` shows what depends on what"));
        }
    }
    if !pick.is_part() {
        return Ok(Chosen { wanted, ..Chosen::default() });
    }
    with_baselines(bound, &mut wanted);
    let held = held(bound, &wanted);
    let nodes = &bound.plan.nodes;
    let asked = named(bound, &[pick.only.as_slice(), &pick.from].concat()).map_err(unknown)?;
    if let Some(index) = asked.into_iter().find(|index| held.contains_key(index)) {
        let Node { name, kind, .. } = &nodes[index];
        let message = format!("the {} `{name}` needs a run of all that it waits for: {}", kind.keyword(), held[&index]);
        let help = format!("`mlpc run {name}` is such a run; what stands well in it comes from the cache");
        return Err(RunError::new(2, message).help(help));
    }
    let by_name = by_name(bound);
    let left_out = |wait: &str| by_name.get(wait).is_some_and(|before| !wanted.contains(before));
    let part = wanted.iter().any(|&index| nodes[index].waits.iter().any(|wait| left_out(&wait.node)));
    Ok(Chosen { wanted, held, part })
}

fn by_name(bound: &Bound) -> HashMap<&str, usize> {
    bound.plan.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect()
}

/// Returns the one node of a name. The name of a loop is none: it is told how one of its legs is written.
pub(super) fn one<'b>(bound: &'b Bound, name: &str) -> Result<&'b Node, RunError> {
    if let Some(node) = bound.plan.node(name) {
        return Ok(node);
    }
    match named(bound, &[name.to_owned()]).as_deref() {
        Ok([leg, ..]) => {
            let leg = &bound.plan.nodes[*leg].name;
            let error = RunError::new(2, format!("`{name}` has several legs: name one of them"));
            Err(error.help(format!("the first is `{}`, as a shell takes it", quoted(leg))))
        }
        _ => Err(unknown(bound, name)),
    }
}

/// Returns a leg's name as an argument in a shell, where brackets and quotes mean something.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', "'\\''"))
}

fn unknown(bound: &Bound, name: &str) -> RunError {
    let error = RunError::new(2, format!("no node `{name}` in `{}`", bound.plan.pipeline));
    match nearest(name, bound.plan.nodes.iter().map(|node| node.name.as_str())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// Returns the nodes of these names; the name of a loop is all its legs.
fn named(bound: &Bound, names: &[String]) -> Result<Vec<usize>, String> {
    let nodes = &bound.plan.nodes;
    let by_name = by_name(bound);
    let mut all = Vec::new();
    for name in names {
        if let Some(&index) = by_name.get(name.as_str()) {
            all.push(index);
            continue;
        }
        let legs = nodes.iter().enumerate().filter(|(_, node)| node.name.split('[').next() == Some(name.as_str()));
        let before = all.len();
        all.extend(legs.map(|(index, _)| index));
        if all.len() == before {
            return Err(name.clone());
        }
    }
    Ok(all)
}

/// Returns the nodes of these names and all that they wait for; all nodes if no name is given.
pub fn closure(bound: &Bound, names: &[String]) -> Result<BTreeSet<usize>, String> {
    let nodes = &bound.plan.nodes;
    if names.is_empty() {
        return Ok((0..nodes.len()).collect());
    }
    let by_name = by_name(bound);
    let mut queue = named(bound, names)?;
    let mut wanted = BTreeSet::new();
    while let Some(index) = queue.pop() {
        if !wanted.insert(index) {
            continue;
        }
        queue.extend(nodes[index].waits.iter().filter_map(|wait| by_name.get(wait.node.as_str()).copied()));
        if let NodeKind::Gate(gate) = &nodes[index].kind
            && let Some(baseline) = &gate.baseline
        {
            queue.extend(baseline.asks().filter_map(|(_, approval)| by_name.get(approval)));
        }
    }
    Ok(wanted)
}

/// Returns these nodes and all that depends on them.
fn behind(bound: &Bound, first: Vec<usize>) -> BTreeSet<usize> {
    let nodes = &bound.plan.nodes;
    let by_name = by_name(bound);
    let mut waiters = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for before in node.waits.iter().filter_map(|wait| by_name.get(wait.node.as_str())) {
            waiters[*before].push(index);
        }
    }
    let (mut queue, mut all) = (first, BTreeSet::new());
    while let Some(index) = queue.pop() {
        if all.insert(index) {
            queue.extend(&waiters[index]);
        }
    }
    all
}

/// A gate's baseline is measured when the gate decides: what stands from before was measured on another champion.
fn with_baselines(bound: &Bound, wanted: &mut BTreeSet<usize>) {
    let nodes = &bound.plan.nodes;
    let measures = |node: &Node| match &node.kind {
        NodeKind::Stage(stage) => stage.baseline.as_ref().map(|baseline| baseline.gate.clone()),
        _ => None,
    };
    let gates: BTreeSet<&str> = wanted.iter().map(|&index| nodes[index].name.as_str()).collect();
    let scoring: Vec<usize> = (0..nodes.len())
        .filter(|&index| measures(&nodes[index]).is_some_and(|gate| gates.contains(gate.as_str())))
        .collect();
    wanted.extend(scoring);
}

/// Finds what releases or acts and waits, directly or not, for something that is left out.
fn held(bound: &Bound, wanted: &BTreeSet<usize>) -> BTreeMap<usize, String> {
    let nodes = &bound.plan.nodes;
    let by_name = by_name(bound);
    let mut left_out: HashMap<usize, &str> = HashMap::new();
    let mut held = BTreeMap::new();
    for index in ordered(nodes).into_iter().filter(|index| wanted.contains(index)) {
        let node = &nodes[index];
        let first = node.waits.iter().find_map(|wait| {
            let before = by_name.get(wait.node.as_str())?;
            if wanted.contains(before) { left_out.get(before).copied() } else { Some(nodes[*before].name.as_str()) }
        });
        let Some(first) = first else { continue };
        left_out.insert(index, first);
        match node.kind {
            NodeKind::Stage(_) | NodeKind::Gate(_) => {}
            NodeKind::Approval(_) | NodeKind::Register(_) | NodeKind::Promote(_) => {
                held.insert(index, format!("this run leaves out `{first}`"));
            }
            NodeKind::Action(_) | NodeKind::Rollout(_) | NodeKind::Experiment(_) => {
                held.insert(index, format!("this run leaves out `{first}`"));
            }
        }
    }
    held
}

/// Returns the nodes so that each stands behind what it waits for.
pub(super) fn ordered(nodes: &[Node]) -> Vec<usize> {
    let by_name: HashMap<_, _> = nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let waits = nodes.iter().map(|node| node.waits.iter().filter_map(|wait| by_name.get(wait.node.as_str()).copied()));
    crate::graph::order(&waits.map(Iterator::collect).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
