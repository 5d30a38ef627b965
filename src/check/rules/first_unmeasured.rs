//! A gate that only compares, and lets the first model through since there is nothing to compare with: nothing measured it.

use std::collections::HashSet;

use super::common::{admits, judges, released};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::{Bound, Compare, Level, OnMissing};
use crate::model::{self, Gate, Model, NodeId, NodeKind, Origin, Requirement};

pub(in crate::check) struct FirstUnmeasured;

impl Rule for FirstUnmeasured {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let (only, others): (Vec<_>, Vec<_>) = model.blocking_gates().partition(|(_, gate)| only_compares(gate));
        // What another gate looks at, first or not, is measured; what could not be understood may be.
        let measured: HashSet<&Origin> = others.iter().flat_map(|(_, gate)| judges(model, gate)).collect();
        if only.is_empty() || others.iter().any(|(_, gate)| gate.partial) {
            return;
        }
        for (id, gate) in only {
            let Some(baseline) = &gate.baseline else { continue };
            let of = admits(model, gate);
            let is_seen = |of: &&Origin| is_measured(model, &measured, of) || is_decided(model, of);
            if !of.is_empty() && of.iter().all(is_seen) {
                continue;
            }
            let (name, pointer) = (&model.nodes[id].name, &baseline.pointer);
            let pointer = model.written(&Origin::Pointer(pointer.clone()));
            let message = format!(
                "`{}` only compares with `{pointer}`, and passes where that is not there: nothing measures the first model",
                name.value
            );
            found.push(
                Diagnostic::new(codes::FIRST_UNMEASURED, baseline.span, message)
                    .label(name.span, "every line of this gate is passed over then")
                    .help(
                        "add a limit of its own, such as `require accuracy >= 80%`; or let a person decide about the first: \
                         `on no_baseline: ask APPROVAL`",
                    ),
            );
        }
    }
}

/// Tells whether all that a gate requires of a model's numbers is held against a baseline, and passes without one. How large a file is says
/// nothing of how good the model is, and neither does that a number is another one than so.
fn only_compares(gate: &Gate) -> bool {
    let passes = gate.baseline.as_ref().is_some_and(|baseline| baseline.on_absent == Some(OnMissing::Pass));
    let mut required = gate.requirements.iter().filter(|line| line.level == Level::Require);
    let says_nothing = |line: &Requirement| {
        line.measure.compares()
            || line.measure.artifact.is_some()
            || matches!(line.bound, Bound::Compare { op: Compare::Unequal, .. })
    };
    passes && !gate.partial && required.all(says_nothing)
}

/// Tells whether a person decides in any case before a model is shipped: each promotion, rollout and action of it waits for an approval of
/// it that nothing passes over; without any of them, each register.
fn is_decided(model: &Model, of: &Origin) -> bool {
    let has = |origin: &Origin| model.brought(origin).into_iter().any(|part| part == of);
    let ships = |id: NodeId| {
        let kind = &model.nodes[id].kind;
        let reads = || kind.inputs().iter().any(|input| has(&input.origin));
        released(model, id).is_some_and(has) || !matches!(kind, NodeKind::Stage(_)) && reads()
    };
    let shipping: Vec<NodeId> = model.nodes.iter().map(|(id, _)| id).filter(|&id| ships(id)).collect();
    let registers = |id: &&NodeId| matches!(model.nodes[**id].kind, NodeKind::Register(_));
    let mut beyond = shipping.iter().filter(|id| !registers(id)).peekable();
    let waits = |&id: &NodeId| waits_for_person(model, id, &has);
    if beyond.peek().is_some() { beyond.all(waits) } else { !shipping.is_empty() && shipping.iter().all(waits) }
}

/// Tells whether a node waits for an approval of such a model, itself or behind its release.
fn waits_for_person(model: &Model, id: NodeId, has: &impl Fn(&Origin) -> bool) -> bool {
    let (mut seen, mut open) = (HashSet::new(), vec![id]);
    while let Some(id) = open.pop() {
        let node = &model.nodes[id];
        let release = match &node.kind {
            NodeKind::Approval(approval)
                if node.when.is_none() && model.subject_model(&approval.of).is_some_and(has) =>
            {
                if !model.is_asked_for(id) {
                    return true;
                }
                None
            }
            NodeKind::Promote(promote) => Some(promote.release),
            NodeKind::Rollout(rollout) => Some(rollout.release),
            NodeKind::Experiment(it) => Some(it.release),
            NodeKind::Action(action) => match action.of {
                Some(model::Subject::Release(release)) => Some(release),
                _ => None,
            },
            _ => None,
        };
        let after = node.after.iter().map(|after| after.value);
        open.extend(after.chain(release).filter(|&next| seen.insert(next)));
    }
    false
}

/// Tells whether another gate measured a model, or one that it was made of: whoever ships it waits for that gate, too.
fn is_measured(model: &Model, measured: &HashSet<&Origin>, of: &Origin) -> bool {
    model.brought(of).into_iter().any(|of| measured.contains(of))
}
