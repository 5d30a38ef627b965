//! A check that no release waits for, in a pipeline that releases: where it fails the run is red, and the model is out all the same.

use std::collections::HashSet;

use super::unapproved::needed;
use super::{Graph, measured};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Id, Model, Node, NodeId, NodeKind, Trigger};
use crate::types::{Artifact, Context, EVENTS, Names, TriggerKind, Value, foreseen};

/// Returns a diagnostic for each check that holds no release back, however far behind it, although something that releases could wait for it. The model has no
/// errors, and the graph no cycles.
#[must_use]
pub fn unheld(model: &Model, graph: &Graph) -> Vec<Diagnostic> {
    let releasing: Vec<NodeId> = model.nodes.iter().filter(|(_, node)| releases(node)).map(|(id, _)| id).collect();
    if releasing.is_empty() {
        return Vec::new();
    }
    let holds = needed(model, graph, releasing.iter().copied());
    let checks = model.nodes.iter().filter(|(id, node)| !holds.contains(id) && is_check(model, node));
    let mut checks: Vec<NodeId> = checks.map(|(id, _)| id).collect();
    if checks.is_empty() {
        return Vec::new();
    }
    // Of checks in a row the last is told: what waits for it waits for all.
    let before_another = needed(model, graph, checks.iter().copied());
    checks.retain(|check| !before_another.contains(check));
    let (runs, behind) = (runs(model), behind(model, graph, &releasing));
    let legs = model.nodes.iter().filter(|(id, _)| holds.contains(id)).filter_map(|(_, node)| node.leg.as_ref());
    let in_part: HashSet<&str> = legs.map(|leg| leg.of.as_str()).collect();
    let mut found = Vec::new();
    for id in checks {
        // What comes before the check can't wait for it.
        let before = if behind.contains(&id) { graph.ancestors([id], |_| true) } else { HashSet::new() };
        let check = &model.nodes[id];
        let is_gate = matches!(check.kind, NodeKind::Gate(_));
        let could_wait = |release: NodeId| {
            let node = &model.nodes[release];
            let meet = || runs.iter().any(|run| run.has(check) && run.has(node));
            let needs_none = is_gate && is_ungated(model, node);
            !before.contains(&release) && !needs_none && meet()
        };
        if let Some(&release) = releasing.iter().find(|&&release| could_wait(release)) {
            let name = match &check.leg {
                Some(leg) if !in_part.contains(leg.of.as_str()) => &leg.of,
                _ => &check.name.value,
            };
            let waits = |(other, _): (NodeId, &Node)| graph.waits(other).iter().any(|edge| edge.to == id);
            let who = if model.nodes.iter().any(waits) { "no release waits" } else { "nothing waits" };
            found.push(say(who, name, check, &model.nodes[release]));
        }
    }
    found
}

/// Says it; `who` are those that do not wait.
fn say(who: &str, name: &str, check: &Node, release: &Node) -> Diagnostic {
    let goes_on = release.leg.as_ref().map_or(&release.name.value, |leg| &leg.of);
    let fails = if matches!(check.kind, NodeKind::Gate(_)) { "says no" } else { "fails" };
    let message = format!("{who} for `{name}`: where it {fails}, `{goes_on}` goes on all the same");
    let skipped = match check.when {
        Some(_) => format!(", which is then skipped where `{name}` is"),
        None => String::new(),
    };
    let help = format!(
        "write `after {}` behind `{goes_on}`{skipped}; or say why it holds nothing back: `allow {} \"reason\"`",
        legs(check, release),
        codes::CHECK_BLOCKS_NOTHING.name()
    );
    Diagnostic::new(codes::CHECK_BLOCKS_NOTHING, check.name.span, message)
        .label(release.name.span, "does not wait for it")
        .help(help)
}

/// Returns a check as a release names it: of its own leg, else all legs.
fn legs(check: &Node, release: &Node) -> String {
    let Some(leg) = &check.leg else { return check.name.value.clone() };
    let has = |name: &String| release.leg.iter().flat_map(|leg| &leg.axes).any(|(own, _)| own == name);
    let axes: Vec<&str> = leg.axes.iter().map(|(name, _)| if has(name) { name.as_str() } else { "*" }).collect();
    format!("{}[{}]", leg.of, axes.join(", "))
}

/// Tells whether a node brings something out.
pub(super) fn releases(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Register(_)
            | NodeKind::Promote(_)
            | NodeKind::Rollout(_)
            | NodeKind::Experiment(_)
            | NodeKind::Action(_)
    )
}

/// Tells whether a release says in words that it goes without a gate.
fn is_ungated(model: &Model, node: &Node) -> bool {
    let of = match &node.kind {
        NodeKind::Promote(promote) => Some(promote.release),
        NodeKind::Rollout(rollout) => Some(rollout.release),
        NodeKind::Experiment(it) => Some(it.release),
        _ => None,
    };
    node.ungated.is_some() || of.is_some_and(|release| model.nodes[release].ungated.is_some())
}

/// Tells whether a node is there to say no: a gate with a `require` that measured no model, or a stage that makes nothing but the
/// results of tests. A gate that measured one guards every release of it; a page or a plot is made to be looked at.
fn is_check(model: &Model, node: &Node) -> bool {
    match &node.kind {
        NodeKind::Gate(gate) => {
            gate.blocks && gate.evidence.iter().all(|evidence| measured(model, &evidence.origin).is_none())
        }
        NodeKind::Stage(stage) => stage.outputs.iter().all(|output| matches!(output.ty, Artifact::Tests)),
        _ => false,
    }
}

/// Returns all that comes after one of these nodes.
fn behind(model: &Model, graph: &Graph, nodes: &[NodeId]) -> HashSet<NodeId> {
    let mut waiting: Vec<Vec<NodeId>> = vec![Vec::new(); model.nodes.len()];
    for (id, _) in model.nodes.iter() {
        graph.waits(id).iter().for_each(|edge| waiting[edge.to.index()].push(id));
    }
    let (mut seen, mut open) = (HashSet::new(), nodes.to_vec());
    while let Some(id) = open.pop() {
        open.extend(waiting[id.index()].iter().filter(|waits| seen.insert(**waits)));
    }
    seen
}

/// A run that may release, as far as conditions can ask.
struct Run<'m> {
    event: &'static str,
    profile: &'m str,
}

impl Run<'_> {
    /// Tells whether a node may be part of the run.
    fn has(&self, node: &Node) -> bool {
        node.when.as_ref().is_none_or(|when| foreseen(when, self) != Some(false))
    }
}

impl Names for Run<'_> {
    fn context(&self, context: Context) -> Option<Value> {
        match context {
            Context::Event => Some(Value::String(self.event.to_owned())),
            Context::Profile => Some(Value::String(self.profile.to_owned())),
            Context::Branch => None,
        }
    }
}

/// Returns the runs that may release. A pull request does so only where a profile says it in words.
fn runs(model: &Model) -> Vec<Run<'_>> {
    let asks = |name: &str| {
        let of_pull_requests = |trigger: &&Trigger| matches!(trigger.kind, TriggerKind::PullRequest { .. });
        model.triggers.iter().filter(of_pull_requests).any(|trigger| trigger.profile.as_deref() == Some(name))
    };
    let profiles = model.profiles.iter().filter(|profile| profile.releases);
    let profiles: Vec<&str> = std::iter::once("").chain(profiles.map(|profile| profile.name.value.as_str())).collect();
    let events = EVENTS.iter().flat_map(|&event| profiles.iter().map(move |&profile| Run { event, profile }));
    events.filter(|run| run.event != "pull_request" || asks(run.profile)).collect()
}
