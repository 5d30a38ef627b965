//! A release that waits for a gate which measured another model: the gate says nothing about this one.

use super::common::{admits, released};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};

pub(in crate::check) struct GateOfAnotherModel;

impl Rule for GateOfAnotherModel {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (id, node) in model.nodes.iter() {
            let Some(released) = released(model, id) else { continue };
            for after in &node.after {
                let Some(gate) = model.gate(after.value) else { continue };
                let admitted = admits(model, gate);
                let Some(other) = admitted.first().filter(|_| !admitted.contains(&released)) else { continue };
                let gate_name = &model.nodes[after.value].name;
                let (name, other) = (model.written(released), model.written(other));
                let message = format!("the gate `{}` measured `{other}`, not `{name}`", gate_name.value);
                found.push(
                    Diagnostic::new(codes::GATE_OF_ANOTHER_MODEL, after.span, message)
                        .here(format!("`{}` releases `{name}`", node.name.value))
                        .label(gate_name.span, "the gate")
                        .help(format!("wait for a gate that measured `{name}`, or release `{other}`")),
                );
            }
        }
    }
}
