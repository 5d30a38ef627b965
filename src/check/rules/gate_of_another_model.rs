//! A release that waits for a gate which measured another model: the gate says nothing about this one. And a gate that lets a person
//! decide about something else than the model which it lets in.

use super::common::{admits, released};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, Node, NodeId, NodeKind, Origin};

pub(in crate::check) struct GateOfAnotherModel;

impl Rule for GateOfAnotherModel {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, node) in model.nodes.iter() {
            asks_about_another(model, node, found);
        }
        for (id, node) in model.nodes.iter() {
            let Some(released) = released(model, id) else { continue };
            for after in &node.after {
                let Some(gate) = model.gate(after.value) else { continue };
                let admitted = admits(model, gate);
                let Some(other) = admitted.first().filter(|_| !admitted.contains(&released)) else { continue };
                let gate_name = &model.nodes[after.value].name;
                let (name, other) = (model.written(released), model.written(other));
                let message = format!("the gate `{}` measured `{other}`, not `{name}`", gate_name.value);
                // A leg of one loop that waits for all legs of another.
                let own = |name: &String| node.leg.iter().flat_map(|leg| &leg.axes).any(|(own, _)| own == name);
                let gate_leg = model.nodes[after.value].leg.as_ref();
                let help = match gate_leg.filter(|leg| leg.axes.iter().all(|(name, _)| own(name))) {
                    Some(leg) => {
                        let names: Vec<&str> = leg.axes.iter().map(|(name, _)| name.as_str()).collect();
                        format!("wait for the gate of the same leg: `after {}[{}]`", leg.of, names.join(", "))
                    }
                    None => match measured(model, node, released) {
                        Some((gate, true)) => {
                            format!("remove `{}`: `{gate}`, which measured `{name}`, is waited for", gate_name.value)
                        }
                        Some((gate, false)) => {
                            format!("wait for `{gate}`, which measured `{name}`, or release `{other}`")
                        }
                        None => format!("wait for a gate that measured `{name}`, or release `{other}`"),
                    },
                };
                found.push(
                    Diagnostic::new(codes::GATE_OF_ANOTHER_MODEL, after.span, message)
                        .here(format!("`{}` releases `{name}`", node.name.value))
                        .label(gate_name.span, "the gate")
                        .help(help),
                );
            }
        }
    }
}

/// Returns a gate that measured what a node releases, one that the node names first, and whether it names it.
fn measured<'m>(model: &'m Model, node: &Node, released: &Origin) -> Option<(&'m str, bool)> {
    let measures = |id: &NodeId| model.gate(*id).is_some_and(|gate| admits(model, gate).contains(&released));
    let named = node.after.iter().map(|after| after.value).find(measures);
    let gate = named.or_else(|| model.nodes.iter().map(|(id, _)| id).find(measures))?;
    Some((&model.nodes[gate].name.value, named.is_some()))
}

/// Says that an approval which a gate asks for is of nothing that the gate admits: whoever gives it has not seen what goes through.
fn asks_about_another(model: &Model, node: &Node, found: &mut Vec<Diagnostic>) {
    let NodeKind::Gate(gate) = &node.kind else { return };
    let admitted = admits(model, gate);
    let Some(first) = admitted.first().map(|origin| model.written(origin)) else { return };
    for ask in gate.baseline.iter().flat_map(|baseline| &baseline.asks) {
        let asked = &model.nodes[ask.value];
        let NodeKind::Approval(approval) = &asked.kind else { continue };
        if model.subject_model(&approval.of).is_none_or(|of| admitted.contains(&of)) {
            continue;
        }
        let name = &asked.name.value;
        let message =
            format!("the gate `{}` asks for `{name}`, which is not of `{first}` that it measured", node.name.value);
        let diagnostic = Diagnostic::new(codes::GATE_OF_ANOTHER_MODEL, ask.span, message)
            .label(asked.name.span, "people decide about something else here")
            .help(format!("write `approval {name} of {first}`, or ask for one that is"));
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
}
