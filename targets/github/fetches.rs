//! Whose bytes a node's job fetches.

use std::collections::BTreeSet;

use super::edges::Edges;
use crate::plan::{Command, Node, NodeKind, Subject, Why};
use crate::types::{Expr, Origin};

impl<'a> Edges<'a> {
    /// Returns the nodes whose artifact a node's job fetches, in the plan's order.
    pub(super) fn fetches(&self, node: &Node) -> Vec<&'a str> {
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut of = |origin: &Origin| {
            if let Some(name) = origin.stage().and_then(|stage| self.node(stage)).map(|node| node.name.as_str()) {
                wanted.insert(name);
            }
        };
        match &node.kind {
            NodeKind::Stage(_) | NodeKind::Action(_) | NodeKind::Rollout(_) | NodeKind::Experiment(_) => {
                let work = node.kind.work().expect("stages and actions have work");
                work.inputs.iter().for_each(|input| of(&input.origin));
                if let Command::Arguments(arguments) = &work.command {
                    arguments.iter().for_each(|argument| outputs(argument, &mut of));
                }
                if let NodeKind::Action(action) = &node.kind
                    && let Some(subject) = &action.of
                {
                    match subject {
                        Subject::Artifact(origin) => of(origin),
                        Subject::Release(release) => {
                            of(&Origin::output(release, ""));
                            self.plan.registered(release).into_iter().for_each(&mut of);
                        }
                    }
                }
                // What a gate in front of a stage said is part of what the stage's results come from.
                if matches!(node.kind, NodeKind::Stage(_)) {
                    self.gates_before(node).for_each(|gate| of(&Origin::output(gate, "")));
                }
            }
            NodeKind::Gate(gate) => {
                for evidence in &gate.evidence {
                    [Some(&evidence.origin), evidence.of.as_ref(), evidence.over.as_ref()]
                        .into_iter()
                        .flatten()
                        .for_each(&mut of);
                }
                gate.admits.iter().for_each(&mut of);
                gate.requirements
                    .iter()
                    .filter_map(|requirement| requirement.measure.artifact.as_ref())
                    .for_each(&mut of);
                gate.baseline.iter().flat_map(|baseline| &baseline.evidence).for_each(|evidence| of(&evidence.origin));
                node.waits
                    .iter()
                    .filter(|wait| wait.why == Why::Baseline)
                    .for_each(|wait| of(&Origin::output(&wait.node, "")));
            }
            // What is approved is known by its digest, which travels in outputs.
            NodeKind::Approval(_) => {}
            NodeKind::Register(register) => {
                [&register.model].into_iter().chain(&register.with).chain(&register.metrics).for_each(&mut of);
                self.gates_before(node).for_each(|gate| of(&Origin::output(gate, "")));
            }
            NodeKind::Promote(promote) => {
                of(&Origin::output(&promote.release, ""));
                promote.compared_by.iter().for_each(|gate| of(&Origin::output(gate, "")));
            }
        }
        if node.kind.acts() {
            // All that came before says what it read of sources, and a release whether it was there already.
            self.plan.heard(node).into_iter().for_each(|before| of(&Origin::output(&before.name, "")));
            let held = self.plan.held_with(node, &|name| self.node(name));
            held.into_iter().for_each(|release| of(&Origin::output(release, "")));
        }
        if matches!(node.kind, NodeKind::Stage(_) | NodeKind::Gate(_)) {
            let passed_over = node.waits.iter().filter_map(|wait| self.plan.lets_through(&wait.node, node));
            passed_over.for_each(|release| of(&Origin::output(release, "")));
        }
        let mut fetched: Vec<&str> = wanted.into_iter().filter(|name| self.runs(name)).collect();
        fetched.sort_by_key(|name| self.places.get(name));
        fetched
    }

    fn gates_before(&self, node: &'a Node) -> impl Iterator<Item = &'a str> {
        let gate = |name: &&str| matches!(self.node(name).map(|node| &node.kind), Some(NodeKind::Gate(_)));
        node.waits.iter().map(|wait| wait.node.as_str()).filter(gate)
    }
}

/// Visits the stages whose values an expression uses.
fn outputs(expr: &Expr, of: &mut impl FnMut(&Origin)) {
    match expr {
        Expr::Output { stage, output } => of(&Origin::output(stage, output)),
        Expr::Text(parts) | Expr::List(parts) => parts.iter().for_each(|part| outputs(part, of)),
        Expr::Not(inner) | Expr::Negative(inner) => outputs(inner, of),
        Expr::Binary { left, right, .. } => {
            outputs(left, of);
            outputs(right, of);
        }
        Expr::Value(_) | Expr::Param(_) | Expr::Local(_) | Expr::Context(_) => {}
    }
}
