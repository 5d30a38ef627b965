//! What only a run that releases comes to: what registers, promotes or acts, and the approvals that nothing else waits for.
//! Elsewhere nobody could do anything with the answer, so that nobody is asked.
//!
//! An approval of a release that is in production already asks nobody either. That is an answer for what only brings that
//! release where it is: its promotions find nothing to do, and an action of it may bring to its end what was begun when
//! somebody was asked. All else that stands behind such an approval, however far, is skipped.

use std::collections::{HashMap, HashSet};

use super::{Approval, Node, NodeKind, Plan, Promote, Subject, Why};
use crate::gate::Baseline;

impl Subject {
    /// Returns the release that it is.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        match self {
            Self::Release(release) => Some(release),
            Self::Artifact(_) => None,
        }
    }
}

impl Node {
    /// Returns the release that it is of: the one that it makes, approves, promotes or acts for.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Register(_) => Some(&self.name),
            NodeKind::Promote(promote) => Some(&promote.release),
            NodeKind::Rollout(rollout) => Some(&rollout.release),
            NodeKind::Experiment(it) => Some(&it.release),
            NodeKind::Action(action) => action.of.as_ref().and_then(Subject::release),
            NodeKind::Approval(approval) => approval.of.release(),
            NodeKind::Stage(_) | NodeKind::Gate(_) => None,
        }
    }
}

/// An approval of a release that a node stands behind.
#[derive(Debug, Clone, Copy)]
pub struct Behind<'p> {
    /// The approval.
    pub approval: &'p Node,
    /// Who waits for it: the node itself, or one that it stands behind.
    pub first: &'p Node,
}

/// Returns the approvals of releases that a node stands behind, by whatever way: a promotion or an action which one of them
/// lets through hides it from nobody. What is asked about in every run, as all but releases are, is an answer of its own,
/// and nothing is looked for behind it. `find` finds nodes by name.
#[must_use]
pub fn approvals_before<'p>(node: &'p Node, find: &impl Fn(&str) -> Option<&'p Node>) -> Vec<Behind<'p>> {
    let (mut seen, mut open, mut found) = (HashSet::new(), vec![node], Vec::new());
    while let Some(first) = open.pop() {
        for wait in &first.waits {
            let Some(before) = find(&wait.node) else { continue };
            match &before.kind {
                NodeKind::Approval(Approval { of: Subject::Release(_), .. }) => {
                    found.push(Behind { approval: before, first });
                }
                NodeKind::Approval(approval) if !approval.on_demand => {}
                _ if seen.insert(before.name.as_str()) => open.push(before),
                _ => {}
            }
        }
    }
    found
}

/// Returns the promotions that a node stands behind, by whatever way. `find` finds nodes by name.
#[must_use]
pub fn promotions_before<'p>(node: &'p Node, find: &impl Fn(&str) -> Option<&'p Node>) -> Vec<(&'p Node, &'p Promote)> {
    let (mut seen, mut open, mut found) = (HashSet::new(), vec![node], Vec::new());
    while let Some(node) = open.pop() {
        for before in node.waits.iter().filter_map(|wait| find(&wait.node)) {
            if !seen.insert(before.name.as_str()) {
                continue;
            }
            open.push(before);
            if let NodeKind::Promote(promote) = &before.kind {
                found.push((before, promote));
            }
        }
    }
    found
}

impl Plan {
    /// Returns the nodes that a node waits for, and in place of an approval, which hands nothing on, those that it waits for.
    #[must_use]
    pub fn heard<'p>(&'p self, node: &'p Node) -> Vec<&'p Node> {
        let (mut seen, mut open, mut found) = (HashSet::new(), vec![node], Vec::new());
        while let Some(node) = open.pop() {
            for wait in node.waits.iter().filter(|wait| node.needs(wait) && wait.why != Why::Ask) {
                let Some(before) = self.node(&wait.node).filter(|_| seen.insert(wait.node.as_str())) else { continue };
                match before.kind {
                    NodeKind::Approval(_) => open.push(before),
                    _ => found.push(before),
                }
            }
        }
        found
    }

    /// Returns the releases whose approval, where it asks nobody, leaves nothing to do to a node which acts on something
    /// else, although what it waits for goes on: it stands behind a promotion or an action of that release.
    #[must_use]
    pub fn held_with<'p>(&'p self, node: &'p Node, find: &impl Fn(&str) -> Option<&'p Node>) -> Vec<&'p str> {
        let mut found = Vec::new();
        for behind in if node.kind.acts() { approvals_before(node, find) } else { Vec::new() } {
            if let Some(release) = self.passed_over(behind.approval)
                && behind.first.kind.acts()
                && behind.first.release() == Some(release)
                && node.release() != Some(release)
                && !found.contains(&release)
            {
                found.push(release);
            }
        }
        found
    }

    /// Returns the release of an approval that need not ask where production is that model already: one that waits for
    /// nothing but the release itself, so that nothing else that a run comes to can be the reason why it was passed over. Where
    /// its `when` is false, all that needs it is skipped with it.
    #[must_use]
    pub fn passed_over(&self, approval: &Node) -> Option<&str> {
        let NodeKind::Approval(Approval { of: Subject::Release(release), on_demand: false, .. }) = &approval.kind
        else {
            return None;
        };
        let moves = |node: &Node| matches!(&node.kind, NodeKind::Promote(promote) if promote.release == *release);
        let alone = approval.waits.iter().all(|wait| wait.node == *release);
        (alone && self.nodes.iter().any(moves)).then(|| self.node(release)).flatten().map(|node| node.name.as_str())
    }

    /// Returns the release whose being in production already is an answer of this approval for a node that waits for it:
    /// whatever does not act, and what is of that release.
    #[must_use]
    pub fn lets_through<'p>(&'p self, approval: &str, waiter: &Node) -> Option<&'p str> {
        let release = self.node(approval).and_then(|approval| self.passed_over(approval))?;
        (!waiter.kind.acts() || waiter.release() == Some(release)).then_some(release)
    }

    /// Returns the approval of another release before a node that acts, if that release is in production already, so that
    /// nobody was asked. `there` says whether a release is.
    #[must_use]
    pub fn held_back<'p>(&'p self, node: &'p Node, there: impl Fn(&str) -> bool) -> Option<&'p Node> {
        let others = self.decided_for_others(node);
        others.into_iter().find(|approval| self.passed_over(approval).is_some_and(&there))
    }

    /// Returns the approvals before a node that acts which decide about another release than its own, and ask nobody where
    /// production is that one already: then the node may not act.
    #[must_use]
    pub fn decided_for_others<'p>(&'p self, node: &'p Node) -> Vec<&'p Node> {
        if !node.kind.acts() {
            return Vec::new();
        }
        let own = node.release();
        let behind = approvals_before(node, &|name| self.node(name)).into_iter();
        let mut found: Vec<&Node> = behind.map(|behind| behind.approval).collect();
        found.retain(|approval| self.passed_over(approval).is_some_and(|release| own != Some(release)));
        found
    }

    /// Returns the names of the nodes that only a run which releases comes to. An approval that nothing waits for is none
    /// of them, and one that a gate may ask for is the gate's affair.
    #[must_use]
    pub fn releasing(&self) -> HashSet<&str> {
        let approval = |node: &Node| matches!(node.kind, NodeKind::Approval(_));
        let mut found: HashSet<&str> =
            self.nodes.iter().filter(|node| node.kind.acts()).map(|node| node.name.as_str()).collect();
        let approvals: HashMap<&str, &Node> =
            self.nodes.iter().filter(|node| approval(node)).map(|node| (node.name.as_str(), node)).collect();
        if approvals.is_empty() {
            return found;
        }
        let (mut waited, mut others) = (HashSet::new(), Vec::new());
        for node in &self.nodes {
            for wait in node.waits.iter().filter_map(|wait| approvals.get(wait.node.as_str())) {
                waited.insert(wait.name.as_str());
                if !node.kind.acts() && !approval(node) {
                    others.push(wait.name.as_str());
                }
            }
            if let NodeKind::Gate(gate) = &node.kind {
                others.extend(gate.baseline.iter().flat_map(Baseline::asks).map(|(_, approval)| approval));
            }
        }
        others.extend(approvals.keys().filter(|name| !waited.contains(*name)));
        // What such an approval waits for is wanted too, wherever that one is.
        let mut wanted: HashSet<&str> = HashSet::new();
        while let Some(name) = others.pop() {
            if let Some(node) = approvals.get(name)
                && wanted.insert(name)
            {
                others.extend(node.waits.iter().map(|wait| wait.node.as_str()));
            }
        }
        found.extend(approvals.into_keys().filter(|name| !wanted.contains(name)));
        found
    }
}
