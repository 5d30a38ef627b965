//! The dependency graph: which node waits for which, and why. Guards are propagated here: what a blocking gate is
//! on, and what it measured, makes others wait for it without having to say so.
//!
//! Knows the model; nothing of commands or platforms.

mod comment;
mod cycle;
mod deadlock;
mod draw;
mod first;
mod order;
mod unapproved;
mod unheld;

use std::collections::{HashMap, HashSet};

pub use comment::never_shown;
pub use cycle::cycles;
pub use deadlock::deadlocks;
pub use draw::{Drawing, Format, Line, Shape, Vertex};
pub use first::first_elsewhere;
pub use order::order;
pub use unapproved::unapproved;
use unheld::releases;
pub use unheld::unheld;

use crate::model::{Id, Model, NodeId, NodeKind, Origin, Subject};
use crate::source::Span;
use crate::types::Why;

/// One node waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The node that comes first.
    pub to: NodeId,
    /// Why.
    pub why: Why,
    /// Where the reason stands.
    pub span: Span,
}

/// What every node waits for.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    waits: Vec<Vec<Edge>>,
}

impl Graph {
    /// Returns what a node waits for, by declaration, each pair of node and reason once.
    #[must_use]
    pub fn waits(&self, id: NodeId) -> &[Edge] {
        &self.waits[id.index()]
    }

    /// Returns everything that these nodes wait for, by edges that count.
    fn ancestors(&self, ids: impl IntoIterator<Item = NodeId>, counts: impl Fn(&Edge) -> bool) -> HashSet<NodeId> {
        let mut seen = HashSet::new();
        let mut queue: Vec<NodeId> = ids.into_iter().collect();
        while let Some(id) = queue.pop() {
            for edge in self.waits(id).iter().filter(|edge| counts(edge)) {
                if seen.insert(edge.to) {
                    queue.push(edge.to);
                }
            }
        }
        seen
    }
}

/// Which gates hold what back.
struct Guards<'m> {
    on: HashMap<&'m Origin, Vec<NodeId>>,
    measured: HashMap<&'m Origin, Vec<NodeId>>,
}

/// Builds the graph of a model.
#[must_use]
pub fn build(model: &Model) -> Graph {
    let guards = guards(model);
    let mut waits: Vec<Vec<Edge>> = vec![Vec::new(); model.nodes.len()];
    for (id, node) in model.nodes.iter() {
        let edges = &mut waits[id.index()];
        edges.extend(node.after.iter().map(|after| Edge { to: after.value, why: Why::After, span: after.span }));
        own(model, &guards, id, edges);
        asked(model, id, &mut waits);
    }
    for edges in &mut waits {
        edges.sort_by_key(|edge| (edge.to, edge.why));
        edges.dedup_by_key(|edge| (edge.to, edge.why));
    }
    Graph { waits }
}

fn guards(model: &Model) -> Guards<'_> {
    let mut guards = Guards { on: HashMap::new(), measured: HashMap::new() };
    for (id, gate) in model.blocking_gates() {
        for evidence in &gate.evidence {
            guards.on.entry(&evidence.origin).or_default().push(id);
            if let Some(of) = measured(model, &evidence.origin) {
                guards.measured.entry(of).or_default().push(id);
            }
        }
    }
    guards
}

/// Returns the model that an artifact measures.
#[must_use]
pub fn measured<'m>(model: &'m Model, evidence: &Origin) -> Option<&'m Origin> {
    match evidence {
        Origin::Output(id) => model.output(*id)?.of.as_ref(),
        _ => None,
    }
}

/// Adds what the node's own clauses make it wait for.
fn own(model: &Model, guards: &Guards<'_>, id: NodeId, edges: &mut Vec<Edge>) {
    let node = &model.nodes[id];
    match &node.kind {
        NodeKind::Stage(stage) => {
            for input in &stage.work.inputs {
                reads(guards, &input.origin, !input.ungated, input.span, edges);
            }
        }
        NodeKind::Gate(gate) => {
            for evidence in &gate.evidence {
                reads(guards, &evidence.origin, false, evidence.span, edges);
            }
            for requirement in &gate.requirements {
                if let Some(artifact) = &requirement.measure.artifact {
                    reads(guards, artifact, false, requirement.span, edges);
                }
            }
        }
        NodeKind::Register(register) => {
            reads(guards, &register.model, true, register.model_span, edges);
            for with in register.with.iter().chain(&register.metrics) {
                reads(guards, &with.value, true, with.span, edges);
            }
            // Who says that a release goes without a gate of its own has not said that those of what it was made of don't count.
            admissions(model, guards, &register.model, register.model_span, edges);
            for with in &register.with {
                admissions(model, guards, &with.value, with.span, edges);
            }
        }
        NodeKind::Promote(promote) => {
            edges.push(Edge { to: promote.release, why: Why::Data, span: node.span });
            if let Some(register) = model.register(promote.release) {
                admissions(model, guards, &register.model, node.span, edges);
            }
        }
        NodeKind::Rollout(rollout) => {
            released(model, guards, id, (rollout.release, rollout.release_span), &rollout.shift, edges);
        }
        NodeKind::Experiment(it) => {
            released(model, guards, id, (it.release, it.release_span), &it.shift, edges);
        }
        NodeKind::Approval(approval) => subject(&approval.of, node.span, edges),
        NodeKind::Action(action) => {
            for input in &action.work.inputs {
                reads(guards, &input.origin, !input.ungated, input.span, edges);
                // What has effects and reads a model, or what was made of one, acts on it, also where it does not say `of`.
                if !input.ungated && node.ungated.is_none() {
                    admissions(model, guards, &input.origin, input.span, edges);
                }
            }
            if let Some(of) = &action.of {
                subject(of, node.name.span, edges);
                if let Some(origin) = model.subject_model(of) {
                    admissions(model, guards, origin, node.name.span, edges);
                }
            }
        }
        NodeKind::Opaque => {}
    }
}

/// Adds what giving a release its traffic waits for.
fn released(
    model: &Model,
    guards: &Guards<'_>,
    id: NodeId,
    (release, span): (NodeId, Span),
    work: &crate::model::Work,
    edges: &mut Vec<Edge>,
) {
    let gated = model.nodes[id].ungated.is_none();
    edges.push(Edge { to: release, why: Why::Subject, span });
    if let Some(register) = model.register(release).filter(|_| gated) {
        admissions(model, guards, &register.model, span, edges);
    }
    for input in &work.inputs {
        reads(guards, &input.origin, !input.ungated, input.span, edges);
        if !input.ungated && gated {
            admissions(model, guards, &input.origin, input.span, edges);
        }
    }
}

fn reads(guards: &Guards<'_>, origin: &Origin, guarded: bool, span: Span, edges: &mut Vec<Edge>) {
    if let Origin::Output(made) = origin {
        edges.push(Edge { to: made.node, why: Why::Data, span });
    }
    if guarded {
        let gates = guards.on.get(origin).into_iter().flatten();
        edges.extend(gates.map(|&to| Edge { to, why: Why::Guard, span }));
    }
}

/// Adds the gates that measured a model, or one that it was made of or with.
fn admissions(model: &Model, guards: &Guards<'_>, origin: &Origin, span: Span, edges: &mut Vec<Edge>) {
    if guards.measured.is_empty() {
        return;
    }
    let mut wait = |of: &Origin| {
        let gates = guards.measured.get(of);
        edges.extend(gates.into_iter().flatten().map(|&to| Edge { to, why: Why::Admission, span }));
        gates.is_some()
    };
    for of in model.brought(origin) {
        // What was measured is a model of its own, and not what others were packed into.
        if !wait(of) {
            for other in model.beside(of) {
                wait(&other);
            }
        }
    }
}

/// Tells whether all that a node reads of another is read with `?`, so that it does without.
fn may_lack(model: &Model, id: NodeId, other: NodeId) -> bool {
    let of_other = |origin: &Origin| matches!(origin, Origin::Output(made) if made.node == other);
    let mut read = model.nodes[id].kind.inputs().iter().filter(|input| of_other(&input.origin)).peekable();
    read.peek().is_some() && read.all(|input| input.optional)
}

fn subject(of: &Subject, span: Span, edges: &mut Vec<Edge>) {
    let to = match of {
        Subject::Artifact(Origin::Output(made)) => made.node,
        Subject::Artifact(_) => return,
        Subject::Release(release) => *release,
    };
    edges.push(Edge { to, why: Why::Subject, span });
}

/// Makes the approvals that a gate or rollout asks for wait for it.
fn asked(model: &Model, id: NodeId, waits: &mut [Vec<Edge>]) {
    if let Some(baseline) = model.gate(id).and_then(|gate| gate.baseline.as_ref()) {
        for ask in &baseline.asks {
            waits[ask.value.index()].push(Edge { to: id, why: Why::Ask, span: ask.span });
        }
    }
    for ask in model.rollout(id).into_iter().flat_map(crate::model::Rollout::asks) {
        waits[ask.value.index()].push(Edge { to: id, why: Why::Ask, span: ask.span });
    }
}
