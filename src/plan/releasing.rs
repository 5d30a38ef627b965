//! What only a run that releases comes to: what registers, promotes or acts, and the approvals that nothing else waits for.
//! Elsewhere nobody could do anything with the answer, so that nobody is asked.

use std::collections::{HashMap, HashSet};

use super::{Approval, Node, NodeKind, Plan, Subject};
use crate::gate::OnMissing;

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

    /// Returns the approvals that it stands behind, directly or with nothing but stages and gates between. `find` finds a
    /// node by its name.
    #[must_use]
    pub fn approvals_before<'p>(&'p self, find: impl Fn(&str) -> Option<&'p Self>) -> Vec<&'p Self> {
        let (mut seen, mut open, mut found) = (HashSet::new(), vec![self], Vec::new());
        while let Some(at) = open.pop() {
            for wait in &at.waits {
                let Some(before) = find(&wait.node).filter(|_| seen.insert(wait.node.as_str())) else { continue };
                match &before.kind {
                    NodeKind::Stage(_) | NodeKind::Gate(_) => open.push(before),
                    NodeKind::Approval(_) => found.push(before),
                    _ => {}
                }
            }
        }
        found
    }
}

impl Plan {
    /// Returns the release of an approval that need not ask where production is that model already: one that waits for
    /// nothing but the release itself, so that nothing else can be the reason why it was passed over.
    #[must_use]
    pub fn passed_over(&self, approval: &Node) -> Option<&str> {
        let NodeKind::Approval(Approval { of: Subject::Release(release), on_demand: false, .. }) = &approval.kind
        else {
            return None;
        };
        let moves = |node: &Node| matches!(&node.kind, NodeKind::Promote(promote) if promote.release == *release);
        let alone = approval.when.is_none() && approval.waits.iter().all(|wait| wait.node == *release);
        (alone && self.nodes.iter().any(moves)).then(|| self.node(release)).flatten().map(|node| node.name.as_str())
    }

    /// Returns the approvals before a node that acts which decide about another release than its own, and ask nobody where
    /// production is that one already: then the node may not act.
    #[must_use]
    pub fn decided_for_others<'p>(&'p self, node: &'p Node) -> Vec<&'p Node> {
        if !node.kind.acts() {
            return Vec::new();
        }
        let own = node.release();
        let mut found = node.approvals_before(|name| self.node(name));
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
                let missing = gate.baseline.iter().flat_map(|baseline| [&baseline.on_absent, &baseline.on_unscorable]);
                others.extend(missing.filter_map(|missing| match missing {
                    OnMissing::Ask(name) => Some(name.as_str()),
                    _ => None,
                }));
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
