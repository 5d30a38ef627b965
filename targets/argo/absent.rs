//! What may rightly be left out of a run, and how the graph sees that it was: what waits for the like with `?`, or for a
//! gate that only advises, goes on without it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, names};
use crate::plan::{Node, NodeKind, Plan, Wait, Why};

/// What is known of the plan's nodes.
pub(super) struct Absent<'p> {
    plan: &'p Plan,
    /// Why a node may be left out, by node; no entry where it may not.
    causes: BTreeMap<&'p str, BTreeSet<Cause<'p>>>,
}

/// Why a node is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause<'p> {
    /// It releases, or stands behind what does, and the profile does not.
    Profile,
    /// It stands behind this approval, which nobody was asked for: no gate did, or production is its release already.
    Unasked(&'p str),
}

impl<'p> Absent<'p> {
    /// Nothing is looked at of a plan that is too large for Argo.
    pub(super) fn nothing(plan: &'p Plan) -> Self {
        Self { plan, causes: BTreeMap::new() }
    }

    /// Finds what may be left out.
    pub(super) fn of(plan: &'p Plan) -> Self {
        let releasing = plan.releasing();
        let quiet = plan.profiles.iter().any(|profile| !profile.releases);
        let mut causes: BTreeMap<&str, BTreeSet<Cause<'_>>> = BTreeMap::new();
        for node in &plan.nodes {
            if quiet && releasing.contains(node.name.as_str()) {
                causes.entry(&node.name).or_default().insert(Cause::Profile);
            }
            if on_demand(node) {
                causes.entry(&node.name).or_default().insert(Cause::Unasked(&node.name));
            }
            for approval in plan.decided_for_others(node) {
                causes.entry(&node.name).or_default().insert(Cause::Unasked(&approval.name));
            }
        }
        loop {
            let mut grown = false;
            for node in &plan.nodes {
                let before = node.waits.iter().filter(|wait| node.needs(wait));
                let more: BTreeSet<_> =
                    before.filter_map(|wait| causes.get(wait.node.as_str())).flatten().copied().collect();
                if !more.is_empty() {
                    let mine = causes.entry(&node.name).or_default();
                    let known = mine.len();
                    mine.extend(more);
                    grown |= mine.len() > known;
                }
            }
            if !grown {
                return Self { plan, causes };
            }
        }
    }

    /// Tells whether a run that comes out well may leave the node out.
    pub(super) fn may_be(&self, node: &str) -> bool {
        self.causes.contains_key(node)
    }

    /// Tells whether a node goes on where the one that it waits for was rightly left out.
    pub(super) fn is_no_obstacle(&self, node: &Node, wait: &Wait) -> bool {
        self.may_be(&wait.node) && wait.why != Why::Ask && (self.is_optional(node, wait) || self.is_advice(wait))
    }

    /// Tells whether a node only reads the other with `?`.
    fn is_optional(&self, node: &Node, wait: &Wait) -> bool {
        let same = node.waits.iter().filter(|other| other.node == wait.node);
        same.into_iter().all(|other| other.why == Why::Data && !node.needs(other))
    }

    /// Tells whether a wait is for a gate that some profile lets only advise, and that asks nobody.
    fn is_advice(&self, wait: &Wait) -> bool {
        let gate = matches!(self.plan.node(&wait.node).map(|node| &node.kind), Some(NodeKind::Gate(_)));
        gate && self.advised().next().is_some() && asked_by(self.plan, &wait.node).next().is_none()
    }

    /// Returns the profiles whose gates only advise.
    fn advised(&self) -> impl Iterator<Item = &'p str> {
        let only_advise = |profile: &&crate::plan::Profile| !profile.releases && !profile.gates_block;
        self.plan.profiles.iter().filter(only_advise).map(|profile| profile.name.as_str())
    }

    /// Returns the gates whose question decides whether what a node reads with `?` was to be made, and the releases whose
    /// being in production does.
    pub(super) fn asking(&self, node: &Node) -> BTreeSet<&'p str> {
        let optional = node.waits.iter().filter(|wait| self.is_no_obstacle(node, wait) && self.is_optional(node, wait));
        let causes = optional.filter_map(|wait| self.causes.get(wait.node.as_str())).flatten();
        let approvals = causes.filter_map(|cause| match cause {
            Cause::Unasked(approval) => self.plan.node(approval),
            Cause::Profile => None,
        });
        let decides = |approval: &'p Node| {
            let gates = approval.waits.iter().filter(|wait| wait.why == Why::Ask).map(|wait| wait.node.as_str());
            gates.chain(self.plan.passed_over(approval))
        };
        approvals.flat_map(decides).collect()
    }

    /// Says, of a wait that may be no obstacle, when it is none: Argo compares how the tasks before ended.
    pub(super) fn condition(&self, context: &Context<'_>, node: &Node, wait: &Wait) -> String {
        let task = context.task(&wait.node);
        let mut cases = vec![format!("'{{{{tasks.{task}.status}}}}' == 'Succeeded'")];
        let mut profiles: BTreeSet<&str> = BTreeSet::new();
        if self.is_optional(node, wait) {
            for cause in self.causes.get(wait.node.as_str()).into_iter().flatten() {
                match cause {
                    Cause::Profile => profiles.extend(quiet(self.plan)),
                    // It is skipped where its gates were decided and none asked; where one failed it is omitted.
                    Cause::Unasked(approval) => {
                        cases.push(format!("'{{{{tasks.{}.status}}}}' == 'Skipped'", context.slug(approval)));
                    }
                }
            }
        } else {
            profiles.extend(self.advised());
        }
        cases.extend(profiles.into_iter().map(|name| format!("'{PROFILE}' == '{name}'")));
        format!("({})", cases.join(" || "))
    }
}

/// The name of the run's profile, as Argo puts it in.
pub(super) const PROFILE: &str = "{{workflow.parameters.profile}}";

/// Returns the profiles that do not release.
pub(super) fn quiet(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.profiles.iter().filter(|profile| !profile.releases).map(|profile| profile.name.as_str())
}

fn on_demand(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Approval(_)) && node.waits.iter().any(|wait| wait.why == Why::Ask)
}

/// Returns the approvals that a gate may ask for.
pub(super) fn asked_by<'p>(plan: &'p Plan, gate: &str) -> impl Iterator<Item = &'p Node> {
    let asks = move |node: &&Node| node.waits.iter().any(|wait| wait.why == Why::Ask && wait.node == gate);
    plan.nodes.iter().filter(asks)
}

/// Says when an approval that gates ask for is asked: where one of them did.
pub(super) fn question(context: &Context<'_>, approval: &Node) -> Option<String> {
    let asks = approval.waits.iter().filter(|wait| wait.why == Why::Ask);
    let one = |wait: &Wait| {
        let (slug, asked) = (context.slug(&wait.node), asked_by(context.plan, &wait.node).count());
        match clause(context.plan, &wait.node, &approval.name).filter(|_| asked > 1) {
            Some(clause) => format!("'{{{{tasks.{slug}.outputs.parameters.asked}}}}' == '{clause}'"),
            None => format!("'{{{{tasks.{slug}.outputs.parameters.ask}}}}' == 'true'"),
        }
    };
    let cases: Vec<_> = asks.map(one).collect();
    (!cases.is_empty()).then(|| cases.join(" || "))
}

/// Returns which clause of a gate asks for an approval, in the word that `mlpc exec` writes down.
fn clause(plan: &Plan, gate: &str, approval: &str) -> Option<&'static str> {
    let NodeKind::Gate(gate) = &plan.node(gate)?.kind else { return None };
    let mut asks = gate.baseline.as_ref()?.asks();
    asks.find(|(_, name)| *name == approval).map(|(clause, _)| clause)
}

/// Returns the release whose end says whether an approval need not be asked, if any does.
pub(super) fn passed_over<'p>(plan: &'p Plan, name: &str) -> Option<&'p str> {
    plan.passed_over(plan.node(name)?)
}

/// Tells whether some approval need not be asked where production is what this node registers already.
pub(super) fn tells_there(plan: &Plan, release: &str) -> bool {
    plan.nodes.iter().any(|approval| plan.passed_over(approval) == Some(release))
}

/// Says of an approval that a node waits for what its tasks must have come to.
pub(super) fn given(context: &Context<'_>, node: &Node, approval: &str) -> String {
    let slug = context.slug(approval);
    let answered = format!("{}.Succeeded", names::answer(slug));
    // Skipped it is where its release came out well and is in production already: an answer for what that lets through.
    match context.plan.lets_through(approval, node) {
        Some(_) => format!("({slug}.Skipped || {answered})"),
        None => answered,
    }
}
