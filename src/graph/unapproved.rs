//! A release that people decide about, and that ships to somewhere without waiting for any of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Graph, may_lack};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, Node, NodeId, NodeKind, Origin};
use crate::types::Why;

/// Returns a diagnostic for each promotion, action and rollout of something that has an approval, and waits for none, and
/// that does not come before all of them. An approval that a gate or a rollout asks for is that one's own affair. The graph
/// has no cycles.
#[must_use]
pub fn unapproved(model: &Model, graph: &Graph) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let approvals = approvals(model, graph);
    if model.torn || approvals.is_empty() {
        return found;
    }
    // What comes before each of a model's approvals.
    let mut before: BTreeMap<&Origin, Vec<HashSet<NodeId>>> = BTreeMap::new();
    for (id, node) in model.nodes.iter().filter(|(_, node)| node.ungated.is_none()) {
        let is_action = matches!(node.kind, NodeKind::Action(_));
        let with = |of: &Origin| {
            let beside = if is_action { model.beside(of) } else { Vec::new() };
            approvals.get_key_value(of).or_else(|| beside.iter().find_map(|other| approvals.get_key_value(other)))
        };
        let Some((&model_of, approvals)) = shipped(model, node).into_iter().find_map(with) else {
            continue;
        };
        let before = before
            .entry(model_of)
            .or_insert_with(|| approvals.iter().map(|&approval| graph.ancestors([approval], |_| true)).collect());
        let after = needed(model, graph, [id]);
        if before.iter().all(|before| before.contains(&id)) || approvals.iter().any(|approval| after.contains(approval))
        {
            continue;
        }
        let Some(first) = approvals.first().map(|&approval| &model.nodes[approval].name) else { continue };
        let (name, approval) = (&node.name.value, &first.value);
        let mut help = format!(
            "write `after {approval}` behind it; if it comes before the decision, let the approval say so: `after {name}`"
        );
        // Without `of` the gates would go with it.
        if matches!(&node.kind, NodeKind::Action(action) if action.of.is_some()) {
            help.push_str("; or say why it needs none: `ungated \"reason\"`");
        }
        let message = format!("`{name}` does not wait for an approval of what it ships");
        found.push(
            Diagnostic::new(codes::UNAPPROVED_RELEASE, node.name.span, message)
                .label(first.span, "decides about the same model")
                .help(help),
        );
    }
    found
}

/// Returns what nodes can't run without, directly or not. What is read with `?` alone may be left out: a node goes on
/// without it, and so without whatever that one waits for.
pub(super) fn needed(model: &Model, graph: &Graph, ids: impl IntoIterator<Item = NodeId>) -> HashSet<NodeId> {
    let mut open: Vec<NodeId> = ids.into_iter().collect();
    let mut seen = HashSet::new();
    while let Some(id) = open.pop() {
        for edge in graph.waits(id).iter().filter(|edge| edge.why != Why::Data || !may_lack(model, id, edge.to)) {
            if seen.insert(edge.to) {
                open.push(edge.to);
            }
        }
    }
    seen
}

/// Returns the approvals of each model that nothing asks for.
fn approvals<'m>(model: &'m Model, graph: &Graph) -> BTreeMap<&'m Origin, BTreeSet<NodeId>> {
    let mut found: BTreeMap<&Origin, BTreeSet<NodeId>> = BTreeMap::new();
    for (id, node) in model.nodes.iter() {
        let NodeKind::Approval(approval) = &node.kind else { continue };
        if graph.waits(id).iter().any(|edge| edge.why == Why::Ask) {
            continue;
        }
        if let Some(of) = model.subject_model(&approval.of) {
            found.entry(of).or_default().insert(id);
        }
    }
    found
}

/// Returns the models that a node brings to those who use them. An experiment is a trial, and may come before a decision.
fn shipped<'m>(model: &'m Model, node: &'m Node) -> Vec<&'m Origin> {
    let of_release = |release| model.register(release).map(|register| &register.model);
    let ships: Vec<&Origin> = match &node.kind {
        NodeKind::Promote(promote) => of_release(promote.release).into_iter().collect(),
        NodeKind::Rollout(rollout) => of_release(rollout.release).into_iter().collect(),
        NodeKind::Action(action) => {
            let of = action.of.as_ref().and_then(|of| model.subject_model(of));
            let read = action.work.inputs.iter().filter(|input| !input.ungated).map(|input| &input.origin);
            of.into_iter().chain(read).collect()
        }
        _ => Vec::new(),
    };
    ships.into_iter().flat_map(|origin| model.brought(origin)).collect()
}
