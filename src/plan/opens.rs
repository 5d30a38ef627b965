//! Who opens the stores of sources that gates look at. A gate names no credential and runs nothing of a user's: what it looks at is
//! fetched with the credentials of the work that reads the same source.

use super::{Node, NodeKind, Plan, SecretUse, Work};
use crate::types::{CredentialKind, Origin};

impl Plan {
    /// Returns the work whose credentials open a source.
    #[must_use]
    pub fn opener(&self, source: &str) -> Option<&Work> {
        self.nodes.iter().filter_map(|node| node.kind.work()).find(|work| {
            !work.credentials.is_empty()
                && work.inputs.iter().any(|input| matches!(&input.origin, Origin::Source(name) if name == source))
        })
    }

    /// Returns the credentials that a node's job needs: those of its work, or those that open what a gate looks at.
    #[must_use]
    pub fn keys<'p>(&'p self, node: &'p Node) -> Vec<&'p str> {
        let mut found = Vec::new();
        for work in node.kind.work().into_iter().chain(self.openers(node)) {
            for name in work.credentials.iter().map(String::as_str) {
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        found
    }

    /// Returns the secrets that a gate's job needs: those that its credentials are made of, and no others of who lends them.
    #[must_use]
    pub fn lent(&self, gate: &Node) -> Vec<&SecretUse> {
        let mut found: Vec<&SecretUse> = Vec::new();
        for work in self.openers(gate) {
            let of = self.beside.credentials.iter().filter(|credential| work.credentials.contains(&credential.name));
            let parts: Vec<&str> = of
                .filter_map(|credential| match &credential.kind {
                    CredentialKind::Static { secrets, .. } => Some(secrets),
                    CredentialKind::Oidc { .. } => None,
                })
                .flatten()
                .map(|(_, secret)| secret.as_str())
                .collect();
            found.extend(work.secrets.iter().filter(|used| parts.contains(&used.secret.as_str())));
        }
        found
    }

    /// Iterates over the work that opens what a gate looks at.
    fn openers(&self, node: &Node) -> impl Iterator<Item = &Work> {
        let origins = match &node.kind {
            NodeKind::Gate(gate) => gate.looks_at().collect(),
            _ => vec![],
        };
        let sources = origins.into_iter().filter_map(|origin| match origin {
            Origin::Source(name) => Some(name.clone()),
            _ => None,
        });
        sources.filter_map(|name| self.opener(&name)).collect::<Vec<_>>().into_iter()
    }
}
