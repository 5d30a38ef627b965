//! A gate that asks for an approval which can only come after the gate: nobody would ever be asked.

use std::collections::{HashMap, HashSet};

use super::Graph;
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeId};
use crate::types::Why;

/// Returns a diagnostic for each question that can't be asked. The graph has no cycles.
#[must_use]
pub fn deadlocks(model: &Model, graph: &Graph) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut behind: HashMap<NodeId, HashSet<NodeId>> = HashMap::new();
    for (gate, node) in model.nodes.iter() {
        let Some(baseline) = model.gate(gate).and_then(|gate| gate.baseline.as_ref()) else { continue };
        for ask in &baseline.asks {
            let ancestors =
                behind.entry(ask.value).or_insert_with(|| graph.ancestors([ask.value], |edge| edge.why != Why::Ask));
            if ancestors.contains(&gate) {
                let approval = &model.nodes[ask.value].name;
                let message = format!(
                    "`{}` waits for the gate `{}` itself: nobody could be asked while the gate decides",
                    approval.value, node.name.value
                );
                found.push(
                    Diagnostic::new(codes::APPROVAL_BEHIND_GATE, ask.span, message)
                        .label(approval.span, "declared here")
                        .help("ask for an approval of the candidate: `approval bootstrap of train.model { … }`"),
                );
            }
        }
    }
    found
}
