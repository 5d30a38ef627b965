//! Which nodes a run is known not to reach: a `when` that says no, a profile that does not release, and all
//! that waits for one of these.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Bound;
use crate::plan::{Input, Node, NodeKind, Why};

/// Why a node does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Its `when` is false.
    When,
    /// It registers, promotes or acts, or is asked for that alone, and the profile does not release.
    Profile,
    /// It waits for this node, which does not run.
    Needs(String),
}

/// Returns the skipped nodes. `off` tells, by index, whose `when` is false.
pub(super) fn skipped(bound: &Bound, off: &[bool]) -> BTreeMap<String, Skip> {
    let plan = &bound.plan;
    // Where gates only advise, nothing but a question to a person depends on one.
    let advisory: HashSet<&str> = plan
        .nodes
        .iter()
        .filter(|node| !bound.gates_block && matches!(node.kind, NodeKind::Gate(_)))
        .map(|node| node.name.as_str())
        .collect();
    let mut waiting: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in plan.nodes.iter().enumerate() {
        for wait in &node.waits {
            let advice = wait.why != Why::Ask && advisory.contains(wait.node.as_str());
            if !advice && needs(node, &wait.node, wait.why) {
                waiting.entry(&wait.node).or_default().push(index);
            }
        }
    }
    let releasing = if bound.releases { HashSet::new() } else { plan.releasing() };
    let mut skipped = BTreeMap::new();
    let mut queue = VecDeque::new();
    for (index, node) in plan.nodes.iter().enumerate() {
        let reason = if off[index] {
            Skip::When
        } else if releasing.contains(node.name.as_str()) {
            Skip::Profile
        } else {
            continue;
        };
        skipped.insert(node.name.clone(), reason);
        queue.push_back(node.name.as_str());
    }
    while let Some(name) = queue.pop_front() {
        for &index in waiting.get(name).into_iter().flatten() {
            let node = &plan.nodes[index];
            if !skipped.contains_key(&node.name) {
                skipped.insert(node.name.clone(), Skip::Needs(name.to_owned()));
                queue.push_back(&node.name);
            }
        }
    }
    skipped
}

/// Tells whether a node that waits for another can't go on where that one is skipped.
fn needs(node: &Node, other: &str, why: Why) -> bool {
    match why {
        Why::Data => match inputs(node) {
            Some(inputs) => inputs.iter().any(|input| input.origin.stage() == Some(other) && !input.optional),
            None => true,
        },
        Why::After | Why::Guard | Why::Admission | Why::Subject | Why::Ask => true,
        Why::Baseline => false,
    }
}

fn inputs(node: &Node) -> Option<&[Input]> {
    match &node.kind {
        NodeKind::Stage(stage) => Some(&stage.work.inputs),
        NodeKind::Action(action) => Some(&action.work.inputs),
        NodeKind::Rollout(rollout) => Some(&rollout.work.inputs),
        NodeKind::Experiment(it) => Some(&it.work.inputs),
        _ => None,
    }
}
