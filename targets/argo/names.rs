//! Names as Kubernetes and Argo take them.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{NodeKind, Plan};

/// Names that are ours: the graph, the first task, the last.
const TAKEN: &[&str] = &["main", COMMIT, "verdict"];

/// The task that finds the commit of the run, its output, and the parameter by which every pod gets it.
pub(super) const COMMIT: &str = "commit";

/// Returns a name of lower-case letters, digits and single hyphens.
pub(super) fn slug(name: &str) -> String {
    let words: Vec<_> = name
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.join("-")
}

/// Returns the task and template name of each node. Names that would fall together are told apart by the digest of what
/// was written, so that a new node never renames an old one unless it takes its very name.
pub(super) fn slugs(plan: &Plan) -> BTreeMap<&str, String> {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for node in &plan.nodes {
        *times.entry(slug(&node.name)).or_default() += 1;
        if matches!(node.kind, NodeKind::Approval(_)) {
            *times.entry(answer(&slug(&node.name))).or_default() += 1;
        }
    }
    let alone = |slug: &str| times.get(slug).is_none_or(|times| *times < 2);
    let taken: BTreeSet<_> = TAKEN.iter().copied().collect();
    let name = |node: &str| {
        let short = slug(node);
        if alone(&short) && alone(&answer(&short)) && !taken.contains(short.as_str()) && !short.is_empty() {
            return short;
        }
        let digest = blake3::hash(node.as_bytes()).to_hex();
        format!("{}-{}", if short.is_empty() { "node" } else { &short }, &digest[..6])
    };
    plan.nodes.iter().map(|node| (node.name.as_str(), name(&node.name))).collect()
}

/// Returns the name of the task that reads the answer to an approval.
pub(super) fn answer(approval: &str) -> String {
    format!("{approval}-answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_hold_letters_digits_and_single_hyphens() {
        assert_eq!(slug("evaluate@quality"), "evaluate-quality");
        assert_eq!(slug("train[nord,1]"), "train-nord-1");
        assert_eq!(slug("train[Größe,{{x}}]"), "train-gr-e-x");
    }
}
