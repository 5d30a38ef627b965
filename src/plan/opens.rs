//! Who opens the stores of sources that gates look at. A gate names no credential and runs nothing of a user's: what it looks at is
//! fetched with the credentials of the work that reads the same source.

use super::{Location, Node, NodeKind, Plan, Profile, SecretUse, Setting, Source, Work};
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

    /// Tells whether a node's job needs one of its credentials under a profile. One that opens sources which the node reads is
    /// not needed where the profile puts files of the workspace in the place of all of them.
    #[must_use]
    pub fn needs_key(&self, node: &Node, credential: &str, profile: Option<&Profile>) -> bool {
        let Some(credential) = self.beside.credentials.iter().find(|one| one.name == credential) else { return true };
        let origins: Vec<&Origin> = match &node.kind {
            NodeKind::Gate(gate) => gate.looks_at().collect(),
            kind => kind.work().into_iter().flat_map(|work| &work.inputs).map(|input| &input.origin).collect(),
        };
        let read = |source: &&Source| {
            origins.iter().any(|origin| matches!(origin, Origin::Source(name) if *name == source.name))
        };
        let opened = |source: &Source, profile| opens(credential.kind.provider(), located(source, profile));
        let anywhere = || std::iter::once(None).chain(self.profiles.iter().map(Some));
        let is_stored = |source: &&Source| anywhere().any(|profile| opened(source, profile));
        let stored: Vec<&Source> = self.sources.iter().filter(read).filter(is_stored).collect();
        stored.is_empty() || stored.iter().any(|source| opened(source, profile))
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

/// Returns where a source is under a profile.
fn located<'p>(source: &'p Source, profile: Option<&'p Profile>) -> &'p Location {
    let set = profile.into_iter().flat_map(|profile| &profile.settings).find_map(|setting| match setting {
        Setting::Source { name, location } if *name == source.name => Some(location),
        _ => None,
    });
    set.unwrap_or(&source.location)
}

/// Tells whether a credential of this provider is what opens a place. Where data of DVC lies stands in its own configuration.
fn opens(provider: &str, location: &Location) -> bool {
    match location {
        Location::Path(_) => false,
        Location::Remote { scheme, public, .. } => match scheme.as_str() {
            "s3" => provider == "aws" && !public,
            "gs" => provider == "gcp" && !public,
            "azure" => provider == "azure" && !public,
            "dvc" => true,
            _ => false,
        },
    }
}
