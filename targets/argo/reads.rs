//! What a node's pod is given of the nodes before it: their results, and the files that it reads.

use std::collections::{BTreeMap, BTreeSet};

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
        self.result(stage, false);
        *self.files.entry((stage.clone(), output.clone())).or_insert(true) &= optional;
    }

    fn subject(&mut self, origin: &Origin) {
        if let Some(stage) = origin.stage() {
            self.result(stage, false);
        }
    }
}

/// Finds what each node reads. `skippable` are the nodes that may end without having made anything.
pub(super) fn reads(plan: &Plan, skippable: &BTreeSet<&str>) -> BTreeMap<String, Reads> {
    let one = |node: &Node| {
        let mut reads = Reads::default();
        let may_lack = |origin: &Origin| origin.stage().is_some_and(|stage| skippable.contains(stage));
        let work = |reads: &mut Reads, work: &Work| {
            for input in &work.inputs {
                // A value travels with the result of its stage.
                if let InputKind::Value(_) = &input.kind {
                    if let Some(stage) = input.origin.stage() {
                        reads.result(stage, false);
                    }
                    continue;
                }
                reads.file(&input.origin, input.optional || may_lack(&input.origin));
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
            NodeKind::Gate(gate) => of_gate(gate, &mut reads, &may_lack),
            NodeKind::Approval(approval) => match &approval.of {
                Subject::Artifact(origin) => reads.subject(origin),
                Subject::Release(release) => reads.result(release, false),
            },
            NodeKind::Register(register) => {
                let origins = [&register.model].into_iter().chain(&register.with).chain(&register.metrics);
                origins.for_each(|origin| reads.file(origin, may_lack(origin)));
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
                reads.result(&wait.node, wait.why == Why::Baseline);
            }
        }
        // What came before an approval says what it read of sources, which has to be the same to what acts.
        if node.kind.acts() {
            plan.heard(node).into_iter().for_each(|before| reads.result(&before.name, false));
        }
        (node.name.clone(), reads)
    };
    plan.nodes.iter().map(one).collect()
}

fn of_gate(gate: &Gate, reads: &mut Reads, may_lack: &impl Fn(&Origin) -> bool) {
    for evidence in &gate.evidence {
        reads.file(&evidence.origin, may_lack(&evidence.origin));
        evidence.of.iter().chain(&evidence.over).for_each(|origin| reads.subject(origin));
    }
    gate.admits.iter().for_each(|model| reads.subject(model));
    for requirement in &gate.requirements {
        if let Some(artifact) = &requirement.measure.artifact {
            reads.file(artifact, may_lack(artifact));
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

/// Returns the approvals that a gate may ask for.
pub(super) fn asked_by<'p>(plan: &'p Plan, gate: &str) -> impl Iterator<Item = &'p Node> {
    let asks = move |node: &&Node| node.waits.iter().any(|wait| wait.why == Why::Ask && wait.node == gate);
    plan.nodes.iter().filter(asks)
}

/// Finds the nodes that may end well without having made anything: a `when` of theirs or of what they wait for is
/// false, or there is no baseline to score.
pub(super) fn skippable(plan: &Plan) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for node in &plan.nodes {
            let scores = matches!(&node.kind, NodeKind::Stage(stage) if stage.baseline.is_some());
            let behind = |found: &BTreeSet<&str>| {
                node.waits.iter().any(|wait| wait.why != Why::Baseline && found.contains(wait.node.as_str()))
            };
            if node.when.is_some() || scores || behind(&found) {
                found.insert(node.name.as_str());
            }
        }
        if found.len() == before {
            return found;
        }
    }
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
