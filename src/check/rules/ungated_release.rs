//! A model that no blocking gate measured, and that is released or acted on all the same.

use std::collections::HashSet;

use super::common::{admits, gates_are_partial};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, Node, NodeKind, Origin};

pub(in crate::check) struct UngatedRelease;

impl Rule for UngatedRelease {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let measured: HashSet<&Origin> = model.blocking_gates().flat_map(|(_, gate)| admits(model, gate)).collect();
        let mut partial = None;
        for (_, node) in model.nodes.iter().filter(|(_, node)| node.ungated.is_none()) {
            let released = match &node.kind {
                NodeKind::Register(register) => &register.model,
                // A release has its gates; an artifact of its own needs them here.
                NodeKind::Action(action) => match &action.of {
                    Some(crate::model::Subject::Artifact(origin)) => origin,
                    _ => continue,
                },
                _ => continue,
            };
            if measured.contains(released) || *partial.get_or_insert_with(|| gates_are_partial(model)) {
                continue;
            }
            let name = model.written(released);
            let message = format!("no blocking gate measured `{name}`, which `{}` releases", node.name.value);
            found.push(Diagnostic::new(codes::UNGATED_RELEASE, node.name.span, message).help(help(model, node, &name)));
        }
    }
}

fn help(model: &Model, node: &Node, name: &str) -> String {
    let silent = node.after.iter().find_map(|after| {
        let gate = model.gate(after.value)?;
        let evidence = gate.evidence.iter().find_map(|evidence| match &evidence.origin {
            Origin::Output(id) => model.output(*id).filter(|output| output.of.is_none()),
            _ => None,
        })?;
        Some((&model.nodes[after.value].name.value, evidence))
    });
    match silent {
        Some((gate, output)) => format!(
            "`{gate}` does not say what it measured: write `out {}: {} of model`, where `model` is the stage's input",
            output.name.value, output.ty
        ),
        None => format!("add a gate on what measures `{name}`, or say why there is none: `ungated \"reason\"`"),
    }
}
