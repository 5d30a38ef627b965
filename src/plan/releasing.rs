//! What only a run that releases comes to: what registers, promotes or acts, and the approvals that nothing else waits for.
//! Elsewhere nobody could do anything with the answer, so that nobody is asked.

use std::collections::{HashMap, HashSet};

use super::{Node, NodeKind, Plan};
use crate::gate::OnMissing;

impl Plan {
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
