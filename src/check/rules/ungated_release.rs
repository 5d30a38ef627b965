//! A model that no blocking gate measured, and that is released or acted on all the same.

use std::collections::{HashMap, HashSet};

use super::common::{Models, admits, gates_are_partial, judges, likely_release};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Input, Model, Node, NodeKind, Origin, Register};
use crate::types::Artifact;

pub(in crate::check) struct UngatedRelease;

impl Rule for UngatedRelease {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let beside = beside(model);
        let mut gated = Gated::of(model, &beside);
        let mut partial = None;
        for (_, node) in model.nodes.iter().filter(|(_, node)| node.ungated.is_none()) {
            let Some(ships) = ships(model, &mut gated, node) else { continue };
            if *partial.get_or_insert_with(|| gates_are_partial(model)) {
                continue;
            }
            found.push(ships);
        }
    }
}

/// How an artifact stands to the gates of models.
#[derive(Clone, Copy)]
enum Standing<'m> {
    /// No model is in it.
    NoModel,
    /// It is a model that a gate measured, another form of one, or was made with such.
    Gated,
    /// It is this model without a gate, or was made of it.
    Bare(&'m Origin),
}

/// What is known about the models of a pipeline.
struct Gated<'m> {
    model: &'m Model,
    models: Models<'m>,
    /// What blocking gates measured.
    measured: HashSet<&'m Origin>,
    /// What was made beside an artifact, and may be in it.
    beside: &'m HashMap<Origin, Vec<Origin>>,
    found: HashMap<&'m Origin, Standing<'m>>,
}

impl<'m> Gated<'m> {
    fn of(model: &'m Model, beside: &'m HashMap<Origin, Vec<Origin>>) -> Self {
        let measured = model.blocking_gates().flat_map(|(_, gate)| judges(model, gate));
        Self { model, models: Models::of(model), measured: measured.collect(), beside, found: HashMap::new() }
    }

    /// Iterates over what may be in an artifact: what it was made of, and the models that were made beside what is none itself.
    fn parts(&self, origin: &Origin) -> impl Iterator<Item = &'m Origin> {
        let beside = self.beside.get(origin).filter(|_| !self.models.has(origin)).into_iter().flatten();
        self.model.made_of(origin).chain(beside.filter(|other| self.models.has(other)))
    }

    /// Finds how an artifact stands, and before it all that it was made of; each once. Chains are as long as pipelines.
    fn standing(&mut self, origin: &'m Origin) -> Standing<'m> {
        let mut open: HashSet<&'m Origin> = HashSet::new();
        let mut stack = vec![origin];
        while let Some(&next) = stack.last() {
            // What is made of itself is told elsewhere.
            if !self.found.contains_key(next) && open.insert(next) {
                let parts: Vec<_> = self.parts(next).filter(|part| !self.found.contains_key(part)).collect();
                stack.extend(parts);
                continue;
            }
            stack.pop();
            if !self.found.contains_key(next) {
                let standing = self.judge(next);
                self.found.insert(next, standing);
            }
        }
        self.found.get(origin).copied().unwrap_or(Standing::NoModel)
    }

    /// Says how an artifact stands, where it is known of its parts.
    fn judge(&self, origin: &'m Origin) -> Standing<'m> {
        if self.measured.contains(origin) {
            return Standing::Gated;
        }
        // What a pointer names was released.
        if matches!(origin, Origin::Pointer(_)) || !self.model.names_a_thing(origin) {
            return Standing::NoModel;
        }
        let parts = || self.parts(origin).map(|part| (part, self.found.get(part)));
        let has_gated = parts().any(|(_, standing)| matches!(standing, Some(Standing::Gated)));
        let bare = parts().find_map(|(part, standing)| match standing {
            // A model from elsewhere beside one with a gate is what that one needs to run.
            Some(Standing::Bare(bare)) if !(has_gated && matches!(part, Origin::Source(_))) => Some(*bare),
            _ => None,
        });
        if self.models.has(origin) {
            // What was made of a model and of data is a new one; without data it is another form of what it was made of.
            let learns = parts().any(|(part, _)| is_data(self.model, part));
            return if has_gated && bare.is_none() && !learns { Standing::Gated } else { Standing::Bare(origin) };
        }
        match bare {
            Some(bare) => Standing::Bare(bare),
            None if has_gated => Standing::Gated,
            None => Standing::NoModel,
        }
    }
}

/// Returns what was made beside each artifact that others read, where it was made with others; nothing where nobody but stages reads.
fn beside(model: &Model) -> HashMap<Origin, Vec<Origin>> {
    let acts = |kind: &NodeKind| !matches!(kind, NodeKind::Stage(_)) && !kind.inputs().is_empty();
    if !model.nodes.iter().any(|(_, node)| acts(&node.kind)) {
        return HashMap::new();
    }
    let inputs = model.nodes.iter().flat_map(|(_, node)| node.kind.inputs());
    let read = inputs.map(|input| (input.origin.clone(), model.beside(&input.origin)));
    read.filter(|(_, beside)| !beside.is_empty()).collect()
}

/// Returns what there is to say of a node that ships a model without a gate.
fn ships<'m>(model: &'m Model, gated: &mut Gated<'m>, node: &'m Node) -> Option<Diagnostic> {
    let released = match &node.kind {
        NodeKind::Register(register) => Some(&register.model),
        // A release has its gates; an artifact of its own needs them here.
        NodeKind::Action(action) => match &action.of {
            Some(crate::model::Subject::Artifact(origin)) => Some(origin),
            _ => None,
        },
        NodeKind::Rollout(_) | NodeKind::Experiment(_) => None,
        _ => return None,
    };
    if let Some(released) = released.filter(|released| !gated.measured.contains(released)) {
        let name = model.written(released);
        let message = format!("no blocking gate measured `{name}`, which `{}` releases", node.name.value);
        let help = said_of_nothing(model, node).or_else(|| reads_nothing(model, released)).unwrap_or_else(|| {
            format!("add a gate on what measures `{name}`, or say why there is none: `ungated \"reason\"`")
        });
        return Some(Diagnostic::new(codes::UNGATED_RELEASE, node.name.span, message).help(help));
    }
    if let NodeKind::Register(register) = &node.kind
        && let Some(beside) = taken_along(model, gated, node, register)
    {
        return Some(beside);
    }
    node.kind.inputs().iter().filter(|input| !input.ungated).find_map(|input| read(model, gated, node, input))
}

/// Returns what there is to say of a model that a release takes along: one that no gate measured, and that nothing read which
/// measured the model of the release.
fn taken_along<'m>(model: &'m Model, gated: &mut Gated<'m>, node: &Node, register: &'m Register) -> Option<Diagnostic> {
    let bare = register.with.iter().find(|with| {
        let is_model = matches!(model.artifact(&with.value), Some(Artifact::Model { .. }));
        is_model && matches!(gated.standing(&with.value), Standing::Bare(_))
    })?;
    let measured =
        model.blocking_gates().flat_map(|(_, gate)| &gate.evidence).filter_map(|evidence| match &evidence.origin {
            Origin::Output(id) if model.output(*id)?.of.as_ref() == Some(&register.model) => model.stage(id.node),
            _ => None,
        });
    let mut read = measured.flat_map(|stage| &stage.work.inputs).flat_map(|input| model.brought(&input.origin));
    if read.any(|origin| *origin == bare.value) {
        return None;
    }
    let (of, name) = (model.written(&bare.value), model.written(&register.model));
    let message = format!("no blocking gate measured `{of}`, which `{}` takes along", node.name.value);
    let help = format!(
        "read it where `{name}` is measured, as it is used with that; or add a gate on what measures `{of}`; or say in the line why there is none: `ungated \"reason\"`"
    );
    Some(Diagnostic::new(codes::UNGATED_RELEASE, bare.span, message).help(help))
}

/// Says which gate is on what measures a model, and requires nothing of its numbers.
fn reads_nothing(model: &Model, of: &Origin) -> Option<String> {
    let (id, _) = model.blocking_gates().find(|(_, gate)| admits(model, gate).contains(&of))?;
    let name = &model.nodes[id].name.value;
    Some(format!(
        "`{name}` is on what measures it and requires none of its numbers: add such a line to it, `require METRIC >= LIMIT`"
    ))
}

/// Returns what there is to say of an input that is a model, or was made of one.
fn read<'m>(model: &'m Model, gated: &mut Gated<'m>, node: &Node, input: &'m Input) -> Option<Diagnostic> {
    let Standing::Bare(bare) = gated.standing(&input.origin) else { return None };
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
    let no_gate = said_of_nothing(model, node).or_else(|| reads_nothing(model, bare));
    ways.push(no_gate.unwrap_or_else(|| format!("add a gate on what measures `{of}`")));
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
