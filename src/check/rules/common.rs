//! What several rules ask of a model.

use std::collections::HashSet;

use crate::gate::Level;
use crate::model::{Gate, Measure, Model, NodeId, NodeKind, Origin, Work};
use crate::source::Span;
use crate::types::Artifact;

/// Returns the models that a gate measured.
pub(super) fn admits<'m>(model: &'m Model, gate: &'m Gate) -> Vec<&'m Origin> {
    let outputs = gate.evidence.iter().filter_map(|evidence| match &evidence.origin {
        Origin::Output(id) => model.output(*id),
        _ => None,
    });
    outputs.filter_map(|output| output.of.as_ref()).collect()
}

/// Returns the models whose measurements a gate requires something of. One that looks at none of their numbers has measured nothing.
pub(super) fn judges<'m>(model: &'m Model, gate: &'m Gate) -> Vec<&'m Origin> {
    let of = |origin: &Origin| match origin {
        Origin::Output(id) => model.output(*id)?.of.as_ref(),
        _ => None,
    };
    // Legs that are named together are looked at together.
    let group = |at: usize| gate.evidence.get(at).and_then(|evidence| evidence.list).unwrap_or(at);
    let required = gate.requirements.iter().filter(|line| line.level == Level::Require).map(|line| &line.measure);
    let looked_at = |measure: &Measure| {
        let metric = measure.metric.as_ref().map(|(at, _)| *at);
        metric.into_iter().chain(measure.table.as_ref().map(|table| table.evidence))
    };
    let read: HashSet<usize> = required.flat_map(looked_at).map(group).collect();
    let evidence = gate.evidence.iter().enumerate().filter(|(at, _)| gate.partial || read.contains(&group(*at)));
    evidence.filter_map(|(_, evidence)| of(&evidence.origin)).collect()
}

/// What a pipeline takes for models.
pub(super) struct Models<'m> {
    model: &'m Model,
    /// What is no `Model` by its type, and is one by what is done with it: measured or registered.
    by_use: HashSet<&'m Origin>,
}

impl<'m> Models<'m> {
    pub(super) fn of(model: &'m Model) -> Self {
        let mut by_use = HashSet::new();
        for (_, node) in model.nodes.iter() {
            match &node.kind {
                NodeKind::Stage(stage) => by_use.extend(stage.outputs.iter().filter_map(|output| output.of.as_ref())),
                NodeKind::Register(register) => {
                    by_use.insert(&register.model);
                }
                _ => {}
            }
        }
        Self { model, by_use }
    }

    /// Tells whether an artifact is one.
    pub(super) fn has(&self, origin: &Origin) -> bool {
        matches!(self.model.artifact(origin), Some(Artifact::Model { .. })) || self.by_use.contains(origin)
    }
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

/// Returns the release that what stands at a place is likely about: the last one before it, else the first.
pub(super) fn likely_release(model: &Model, place: Span) -> Option<&str> {
    let releases =
        || model.nodes.iter().filter(|(_, node)| matches!(node.kind, NodeKind::Register(_)) && node.leg.is_none());
    let is_before = |span: Span| span.file != place.file || span.end <= place.start;
    let found = releases().rfind(|(_, node)| is_before(node.span)).or_else(|| releases().next());
    found.map(|(_, node)| node.name.value.as_str())
}
