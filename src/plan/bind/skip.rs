//! Which nodes a run is known not to reach: a `when` that says no, a profile that does not release, and all
//! that waits for one of these.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Bound;
use crate::plan::{NodeKind, Why};

/// Why a node does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Its `when` is false.
    When,
    /// It registers, promotes or acts, or is asked for that alone, and the profile does not release.
    Profile,
    /// It registers, promotes or acts, and this run may not from where it is.
    Elsewhere,
    /// It is an approval that gates ask for, and none did.
    Unasked,
    /// It stands behind this approval, which asked nobody, since production is the other release that it is of already.
    There(String),
    /// It waits for this node, which does not run.
    Needs(String),
}

impl Skip {
    /// Says why a node of this name does not run.
    #[must_use]
    pub fn told(&self, node: &str) -> String {
        match self {
            Self::When => format!("the `when` of `{node}` is false"),
            Self::Profile => format!("`{node}` releases, and this profile does not"),
            Self::Elsewhere => format!("`{node}` releases, and this run does not"),
            Self::Unasked => format!("no gate asked for `{node}`"),
            Self::There(approval) => {
                format!("nobody was asked: `{approval}` decides about another release than `{node}`")
            }
            Self::Needs(other) => format!("`{node}` needs `{other}`, which is skipped"),
        }
    }
}

impl Bound {
    /// Returns the nodes that do not run where these do not either: they, what is skipped anyway, and all that waits
    /// for one of them.
    #[must_use]
    pub fn left_out(&self, roots: impl IntoIterator<Item = (String, Skip)>) -> BTreeMap<String, Skip> {
        let mut all = self.skipped.clone();
        for (node, skip) in roots {
            all.entry(node).or_insert(skip);
        }
        spread(self, all)
    }
}

/// Returns the skipped nodes. `off` tells, by index, whose `when` is false.
pub(super) fn skipped(bound: &Bound, off: &[bool]) -> BTreeMap<String, Skip> {
    let plan = &bound.plan;
    let releasing = if bound.releases { HashSet::new() } else { plan.releasing() };
    let mut skipped = BTreeMap::new();
    for (index, node) in plan.nodes.iter().enumerate() {
        let reason = if off[index] {
            Skip::When
        } else if releasing.contains(node.name.as_str()) {
            Skip::Profile
        } else {
            continue;
        };
        skipped.insert(node.name.clone(), reason);
    }
    spread(bound, skipped)
}

/// Adds all that waits for a node that is skipped.
fn spread(bound: &Bound, mut skipped: BTreeMap<String, Skip>) -> BTreeMap<String, Skip> {
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
            if !advice && node.needs(wait) {
                waiting.entry(&wait.node).or_default().push(index);
            }
        }
    }
    let roots = plan.nodes.iter().map(|node| node.name.as_str()).filter(|name| skipped.contains_key(*name));
    let mut queue: VecDeque<&str> = roots.collect();
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
