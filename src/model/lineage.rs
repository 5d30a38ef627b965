//! Which stages have to run again to score a baseline: those on the paths from the candidate to the compared
//! metrics.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Gate, Model, NodeId, Origin, OutputId};

/// What scoring a gate's baseline takes.
#[derive(Debug, Clone, Default)]
pub struct Rescored {
    /// The candidate that the baseline stands in for; none where the compared evidence doesn't say what it is of.
    pub candidate: Option<OutputId>,
    /// The evidences that are compared, as indices into the gate's.
    pub evidence: Vec<usize>,
    /// The stages that run again, in declaration order.
    pub stages: Vec<NodeId>,
    /// What else the candidate's stage made and these stages read: it is swapped with the model.
    pub companions: Vec<OutputId>,
}

/// Returns what scoring the gate's baseline takes; nothing where it compares recorded numbers or none.
#[must_use]
pub fn rescored(model: &Model, gate: &Gate) -> Rescored {
    let recorded = gate.baseline.as_ref().is_none_or(|baseline| baseline.recorded);
    let evidence: BTreeSet<usize> =
        gate.comparisons().filter_map(|line| line.measure.metric.as_ref()).map(|&(index, _)| index).collect();
    let mut found = Rescored { evidence: evidence.into_iter().collect(), ..Rescored::default() };
    if recorded {
        found.evidence.clear();
        return found;
    }
    let mut stages = BTreeSet::new();
    let mut companions = BTreeSet::new();
    for &index in &found.evidence {
        let Origin::Output(measured) = gate.evidence[index].origin else { continue };
        let Some(output) = model.output(measured) else { continue };
        let Some(Origin::Output(candidate)) = output.of else { continue };
        if *found.candidate.get_or_insert(candidate) != candidate || candidate.node == measured.node {
            continue;
        }
        let over = match output.over {
            Some(Origin::Output(over)) => Some(over),
            _ => None,
        };
        between(model, candidate, measured.node, over, &mut stages, &mut companions);
    }
    found.stages = stages.into_iter().collect();
    found.companions = companions.into_iter().collect();
    found
}

/// Adds the stages on the paths from what the candidate's stage made to `last`. The data that is measured over is
/// the same for both models and opens no path.
fn between(
    model: &Model,
    candidate: OutputId,
    last: NodeId,
    over: Option<OutputId>,
    stages: &mut BTreeSet<NodeId>,
    companions: &mut BTreeSet<OutputId>,
) {
    let mut before = HashSet::from([last]);
    let mut queue = vec![last];
    let mut readers: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    let mut first = Vec::new();
    while let Some(id) = queue.pop() {
        for made in made_inputs(model, id) {
            if made.node == candidate.node {
                if Some(made) != over {
                    first.push(id);
                }
            } else {
                readers.entry(made.node).or_default().push(id);
                if before.insert(made.node) {
                    queue.push(made.node);
                }
            }
        }
    }
    let mut on_path = HashSet::new();
    while let Some(id) = first.pop() {
        if on_path.insert(id) {
            first.extend(readers.get(&id).into_iter().flatten());
        }
    }
    for &id in &on_path {
        companions.extend(
            made_inputs(model, id)
                .filter(|made| made.node == candidate.node && *made != candidate && Some(*made) != over),
        );
    }
    stages.extend(on_path);
}

fn made_inputs(model: &Model, id: NodeId) -> impl Iterator<Item = OutputId> + '_ {
    let inputs = model.stage(id).map(|stage| stage.work.inputs.as_slice()).unwrap_or_default();
    inputs.iter().filter_map(|input| match input.origin {
        Origin::Output(made) => Some(made),
        _ => None,
    })
}
