//! What several rules ask of a model.

use crate::model::{Gate, Model, NodeId, NodeKind, Origin, Work};

/// Returns the models that a gate measured.
pub(super) fn admits<'m>(model: &'m Model, gate: &'m Gate) -> Vec<&'m Origin> {
    let outputs = gate.evidence.iter().filter_map(|evidence| match &evidence.origin {
        Origin::Output(id) => model.output(*id),
        _ => None,
    });
    outputs.filter_map(|output| output.of.as_ref()).collect()
}

/// Tells whether some gate could not be understood wholly: then nothing is said about what is not measured.
pub(super) fn gates_are_partial(model: &Model) -> bool {
    model.nodes.iter().any(|(_, node)| match &node.kind {
        NodeKind::Gate(gate) => {
            gate.partial && gate.evidence.iter().all(|evidence| says_nothing(model, &evidence.origin))
        }
        NodeKind::Opaque => matches!(node.keyword, "gate" | "stage"),
        NodeKind::Stage(stage) => stage.outputs.iter().any(|output| output.says_of && output.of.is_none()),
        _ => false,
    })
}

fn says_nothing(model: &Model, origin: &Origin) -> bool {
    match origin {
        Origin::Output(id) => model.output(*id).is_none_or(|output| output.of.is_none()),
        _ => true,
    }
}

/// Returns the model that a node releases or acts on.
pub(super) fn released(model: &Model, id: NodeId) -> Option<&Origin> {
    match &model.nodes[id].kind {
        NodeKind::Register(register) => Some(&register.model),
        NodeKind::Promote(promote) => model.register(promote.release).map(|register| &register.model),
        NodeKind::Action(action) => model.subject_model(action.of.as_ref()?),
        NodeKind::Experiment(it) => model.register(it.release).map(|register| &register.model),
        NodeKind::Rollout(rollout) => model.register(rollout.release).map(|register| &register.model),
        _ => None,
    }
}

/// Iterates over everything that runs a command; a rollout runs three.
pub(super) fn works(model: &Model) -> impl Iterator<Item = (NodeId, &Work)> {
    model.nodes.iter().flat_map(|(id, node)| {
        let works = match &node.kind {
            NodeKind::Stage(stage) => [Some(&stage.work), None, None],
            NodeKind::Action(action) => [Some(&action.work), None, None],
            NodeKind::Rollout(rollout) => rollout.hooks().map(Some),
            NodeKind::Experiment(it) => [Some(&it.shift), it.observe.as_ref(), Some(&it.rollback)],
            _ => [None; 3],
        };
        works.into_iter().flatten().map(move |work| (id, work))
    })
}
