//! What a node's pod is given of the nodes before it: their results, and the files that it reads.

use std::collections::BTreeMap;

use super::absent::Absent;
use crate::gate::Gate;
use crate::plan::{Command, InputKind, Node, NodeKind, Output, OutputKind, Plan, Subject, Why, Work};
use crate::types::{Artifact, Expr, Origin};

/// The results and files that one node needs, in order of names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reads {
    /// Nodes whose result it reads; true where there may be none.
    pub(super) results: BTreeMap<String, bool>,
    /// Outputs that it reads, by node and name; true where there may be none.
    pub(super) files: BTreeMap<(String, String), bool>,
}

impl Reads {
    fn result(&mut self, node: &str, optional: bool) {
        *self.results.entry(node.to_owned()).or_insert(true) &= optional;
    }

    fn file(&mut self, origin: &Origin, optional: bool) {
        let Origin::Output { stage, output } = origin else { return };
        self.result(stage, optional);
        *self.files.entry((stage.clone(), output.clone())).or_insert(true) &= optional;
    }

    fn subject(&mut self, origin: &Origin) {
        if let Some(stage) = origin.stage() {
            self.result(stage, false);
        }
    }
}

/// Finds what each node reads.
pub(super) fn reads(plan: &Plan, absent: &Absent<'_>) -> BTreeMap<String, Reads> {
    let one = |node: &Node| {
        let mut reads = Reads::default();
        let work = |reads: &mut Reads, work: &Work| {
            for input in &work.inputs {
                let may_lack = input.optional && input.origin.stage().is_some_and(|stage| absent.may_be(stage));
                // A value travels with the result of its stage.
                if let InputKind::Value(_) = &input.kind {
                    if let Some(stage) = input.origin.stage() {
                        reads.result(stage, may_lack);
                    }
                    continue;
                }
                reads.file(&input.origin, may_lack);
            }
            if let Command::Arguments(arguments) = &work.command {
                arguments.iter().for_each(|argument| values(argument, reads));
            }
        };
        match &node.kind {
            NodeKind::Stage(stage) => work(&mut reads, &stage.work),
            NodeKind::Action(action) => {
                work(&mut reads, &action.work);
                match &action.of {
                    Some(Subject::Artifact(origin)) => reads.subject(origin),
                    Some(Subject::Release(release)) => {
                        reads.result(release, false);
                        // It gets the model under that name.
                        plan.registered(release).into_iter().for_each(|model| reads.file(model, false));
                    }
                    None => {}
                }
            }
            NodeKind::Gate(gate) => of_gate(gate, &mut reads),
            NodeKind::Approval(approval) => match &approval.of {
                Subject::Artifact(origin) => reads.subject(origin),
                Subject::Release(release) => reads.result(release, false),
            },
            NodeKind::Register(register) => {
                let origins = [&register.model].into_iter().chain(&register.with).chain(&register.metrics);
                origins.for_each(|origin| reads.file(origin, false));
            }
            NodeKind::Experiment(it) => {
                work(&mut reads, &it.work);
                reads.result(&it.release, false);
            }
            NodeKind::Rollout(rollout) => {
                work(&mut reads, &rollout.work);
                reads.result(&rollout.release, false);
                rollout.promote.iter().flat_map(|moves| &moves.compared_by).for_each(|gate| reads.result(gate, false));
            }
            NodeKind::Promote(promote) => {
                reads.result(&promote.release, false);
                promote.compared_by.iter().for_each(|gate| reads.result(gate, false));
            }
        }
        if let Some(when) = &node.when {
            values(when, &mut reads);
        }
        for wait in &node.waits {
            // An approval hands nothing on: the graph sees to it that it was given.
            if !is_approval(plan, &wait.node) {
                reads.result(&wait.node, wait.why == Why::Baseline || absent.is_no_obstacle(node, wait));
            }
        }
        // What came before an approval says what it read of sources, which has to be the same to what acts.
        let direct = |before: &&Node| node.waits.iter().any(|wait| wait.node == before.name);
        if node.kind.acts() {
            let heard = plan.heard(node).into_iter().filter(|before| !direct(before));
            heard.for_each(|before| reads.result(&before.name, false));
        }
        // Whether a gate asked says whether what is read with `?` was to be made.
        for gate in absent.asking(node) {
            reads.result(gate, true);
        }
        (node.name.clone(), reads)
    };
    plan.nodes.iter().map(one).collect()
}

fn of_gate(gate: &Gate, reads: &mut Reads) {
    for evidence in &gate.evidence {
        reads.file(&evidence.origin, false);
        evidence.of.iter().chain(&evidence.over).for_each(|origin| reads.subject(origin));
    }
    gate.admits.iter().for_each(|model| reads.subject(model));
    for requirement in &gate.requirements {
        if let Some(artifact) = &requirement.measure.artifact {
            reads.file(artifact, false);
        }
    }
    // A baseline stage may have ended without a result: what then is for the gate to say.
    for evidence in gate.baseline.iter().flat_map(|baseline| &baseline.evidence) {
        if let Origin::Output { stage, output } = &evidence.origin {
            reads.result(stage, true);
            reads.files.insert((stage.clone(), output.clone()), true);
        }
    }
}

/// Finds the stages whose values an expression uses.
fn values(expr: &Expr, reads: &mut Reads) {
    match expr {
        Expr::Output { stage, .. } => reads.result(stage, false),
        Expr::Text(parts) | Expr::List(parts) => parts.iter().for_each(|part| values(part, reads)),
        Expr::Not(inner) | Expr::Negative(inner) => values(inner, reads),
        Expr::Binary { left, right, .. } => {
            values(left, reads);
            values(right, reads);
        }
        Expr::Value(_) | Expr::Param(_) | Expr::Local(_) | Expr::Context(_) => {}
    }
}

fn is_approval(plan: &Plan, node: &str) -> bool {
    plan.node(node).is_some_and(|node| matches!(node.kind, NodeKind::Approval(_)))
}

/// Returns the files that a node makes: name, and whether it is a folder.
pub(super) fn files(kind: &NodeKind) -> Vec<(&str, bool)> {
    let NodeKind::Stage(stage) = kind else { return vec![] };
    let file = |output: &Output| match &output.kind {
        OutputKind::Artifact(artifact) => Some(*artifact == Artifact::Dir),
        OutputKind::Value { .. } => None,
    };
    stage.outputs.iter().filter_map(|output| Some((output.name.as_str(), file(output)?))).collect()
}
