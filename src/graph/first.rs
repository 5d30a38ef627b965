//! A gate that says no while there is no version yet, before the only promotion that would make one.

use std::collections::{HashMap, HashSet};

use super::Graph;
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::OnMissing;
use crate::model::{Model, Node, NodeId, NodeKind, Pointer};
use crate::source::Span;

/// Returns a diagnostic for each such gate: in this pipeline alone there would never be a first version. The model has no errors, and
/// the graph no cycles.
#[must_use]
pub fn first_elsewhere(model: &Model, graph: &Graph) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut before: HashMap<NodeId, HashSet<NodeId>> = HashMap::new();
    for (id, gate) in model.blocking_gates() {
        let Some(baseline) = gate.baseline.as_ref().filter(|baseline| baseline.on_absent == Some(OnMissing::Fail))
        else {
            continue;
        };
        let promotions: Vec<(NodeId, Span)> = model
            .nodes
            .iter()
            .filter_map(|(promotion, node)| Some((promotion, moves(node, &baseline.pointer)?)))
            .collect();
        let mut waits = |promotion: NodeId| {
            before.entry(promotion).or_insert_with(|| graph.ancestors([promotion], |_| true)).contains(&id)
        };
        let Some(&(first, place)) = promotions.first() else { continue };
        if !promotions.iter().all(|&(promotion, _)| waits(promotion)) {
            continue;
        }
        let pointer = format!("{}@{}", model.registries[baseline.pointer.registry].name.value, baseline.pointer.name);
        let (gate, promotion) = (&model.nodes[id].name.value, &model.nodes[first].name.value);
        let message = format!("`{pointer}` never gets a first version here: `{gate}` fails while there is none");
        let help = format!(
            "write `on no_baseline: ask APPROVAL`, so that a person decides about the first, or `pass`; where another pipeline makes \
             it, say so: `allow {} \"reason\"`",
            codes::FIRST_VERSION_ELSEWHERE.name()
        );
        found.push(
            Diagnostic::new(codes::FIRST_VERSION_ELSEWHERE, baseline.span, message)
                .label(place, format!("`{promotion}` waits for the gate"))
                .help(help),
        );
    }
    found
}

/// Returns where a node names the pointer, if it moves it.
fn moves(node: &Node, pointer: &Pointer) -> Option<Span> {
    match &node.kind {
        NodeKind::Promote(promote) if promote.pointer == *pointer => Some(promote.pointer_span),
        NodeKind::Rollout(rollout) => {
            rollout.pointer.as_ref().filter(|moved| moved.value == *pointer).map(|moved| moved.span)
        }
        _ => None,
    }
}
