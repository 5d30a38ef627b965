//! A model that no blocking gate measured, and that is released or acted on all the same.

use std::collections::HashSet;

use super::common::{Models, admits, gates_are_partial, likely_release};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Input, Model, Node, NodeKind, Origin};
use crate::types::{Artifact, Type};

pub(in crate::check) struct UngatedRelease;

impl Rule for UngatedRelease {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let gated = Gated::of(model);
        let mut partial = None;
        for (_, node) in model.nodes.iter().filter(|(_, node)| node.ungated.is_none()) {
            let Some(ships) = ships(model, &gated, node) else { continue };
            if *partial.get_or_insert_with(|| gates_are_partial(model)) {
                continue;
            }
            found.push(ships);
        }
    }
}

/// What is known about the models of a pipeline.
struct Gated<'m> {
    models: Models<'m>,
    /// What blocking gates measured.
    measured: HashSet<&'m Origin>,
}

impl<'m> Gated<'m> {
    fn of(model: &'m Model) -> Self {
        let measured = model.blocking_gates().flat_map(|(_, gate)| admits(model, gate));
        Self { models: Models::of(model), measured: measured.collect() }
    }

    /// Tells whether an artifact, or a model that it is another form of, has a gate. What was made of a model and of data is a new one.
    fn covers(&self, model: &'m Model, origin: &'m Origin, seen: &mut HashSet<&'m Origin>) -> bool {
        if self.measured.contains(origin) {
            return true;
        }
        let learns = || self.models.has(origin) && model.made_of(origin).any(|part| is_data(model, part));
        seen.insert(origin) && !learns() && model.made_of(origin).any(|part| self.covers(model, part, seen))
    }

    /// Returns the model without a gate that an artifact is, or that is in it.
    fn bare(&self, model: &'m Model, origin: &'m Origin, seen: &mut HashSet<&'m Origin>) -> Option<&'m Origin> {
        // What a pointer names was released.
        if matches!(origin, Origin::Pointer(_)) || !names(model, origin) || !seen.insert(origin) {
            return None;
        }
        if self.models.has(origin) {
            return (!self.covers(model, origin, &mut HashSet::new())).then_some(origin);
        }
        // A model from elsewhere beside one with a gate is what that one needs to run.
        let beside = model.made_of(origin).any(|part| self.covers(model, part, &mut HashSet::new()));
        let mut parts = model.made_of(origin).filter(|part| !beside || !matches!(part, Origin::Source(_)));
        parts.find_map(|part| self.bare(model, part, seen))
    }
}

/// Returns what there is to say of a node that ships a model without a gate.
fn ships<'m>(model: &'m Model, gated: &Gated<'m>, node: &'m Node) -> Option<Diagnostic> {
    let (released, inputs): (_, &'m [Input]) = match &node.kind {
        NodeKind::Register(register) => (Some(&register.model), &[]),
        // A release has its gates; an artifact of its own needs them here.
        NodeKind::Action(action) => match &action.of {
            Some(crate::model::Subject::Artifact(origin)) => (Some(origin), &action.work.inputs),
            _ => (None, &action.work.inputs),
        },
        NodeKind::Rollout(rollout) => (None, &rollout.shift.inputs),
        NodeKind::Experiment(it) => (None, &it.shift.inputs),
        _ => return None,
    };
    if let Some(released) = released.filter(|released| !gated.measured.contains(released)) {
        let name = model.written(released);
        let message = format!("no blocking gate measured `{name}`, which `{}` releases", node.name.value);
        let help = said_of_nothing(model, node).unwrap_or_else(|| {
            format!("add a gate on what measures `{name}`, or say why there is none: `ungated \"reason\"`")
        });
        return Some(Diagnostic::new(codes::UNGATED_RELEASE, node.name.span, message).help(help));
    }
    inputs.iter().filter(|input| !input.ungated).find_map(|input| read(model, gated, node, input))
}

/// Returns what there is to say of an input that is a model, or was made of one.
fn read<'m>(model: &'m Model, gated: &Gated<'m>, node: &Node, input: &'m Input) -> Option<Diagnostic> {
    let bare = gated.bare(model, &input.origin, &mut HashSet::new())?;
    let (name, of) = (&node.name.value, model.written(bare));
    let message = if *bare == input.origin {
        format!("no blocking gate measured `{of}`, which `{name}` acts on")
    } else {
        format!("no blocking gate measured `{of}`, and `{name}` acts on what was made of it")
    };
    let mut ways = Vec::new();
    if let (NodeKind::Action(action), Some(release)) = (&node.kind, likely_release(model, input.span))
        && action.of.is_none()
    {
        ways.push(format!("act on what was released, which is `$model` then: `action {name} of {release}`"));
    }
    ways.push(said_of_nothing(model, node).unwrap_or_else(|| format!("add a gate on what measures `{of}`")));
    ways.push("say in its head why there is none: `ungated \"reason\"`".to_owned());
    Some(
        Diagnostic::new(codes::UNGATED_RELEASE, input.span, message)
            .label(node.name.span, "what has effects ships what it reads")
            .help(ways.join("; or ")),
    )
}

fn is_data(model: &Model, origin: &Origin) -> bool {
    matches!(model.artifact(origin), Some(Artifact::Dataset { .. }))
}

/// Tells whether an artifact can be a model or bring one: a number can't, a text may be the tag of an image.
fn names(model: &Model, origin: &Origin) -> bool {
    let Origin::Output(id) = origin else { return true };
    let value = model.output(*id).and_then(|output| output.value.as_ref());
    !value.is_some_and(|value| {
        matches!(
            value.ty,
            Type::Bool | Type::Float(_) | Type::Ratio(_) | Type::Duration | Type::Bytes | Type::Timestamp
        )
    })
}

/// Returns what to write where a gate that the node waits for does not say what it measured.
fn said_of_nothing(model: &Model, node: &Node) -> Option<String> {
    let (gate, output) = node.after.iter().find_map(|after| {
        let gate = model.gate(after.value)?;
        let output = gate.evidence.iter().find_map(|evidence| match &evidence.origin {
            Origin::Output(id) => model.output(*id).filter(|output| output.of.is_none() && measures(&output.ty)),
            _ => None,
        })?;
        Some((&model.nodes[after.value].name.value, output))
    })?;
    Some(format!(
        "`{gate}` does not say what it measured: write `out {}: {} of model`, where `model` is the stage's input",
        output.name.value, output.ty
    ))
}

/// Tells whether an artifact of this type can be `of` a model.
fn measures(ty: &Artifact) -> bool {
    matches!(ty, Artifact::Metrics { .. } | Artifact::Tests | Artifact::Predictions(_))
}
