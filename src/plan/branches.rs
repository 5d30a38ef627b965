//! The branches that `on push` names: what releases is held to.

use super::{Plan, TriggerKind};
use crate::types::filter;

impl Plan {
    /// Returns the lists of branches of every `on push`; an empty list is all branches.
    #[must_use]
    pub fn pushed(&self) -> Vec<&[String]> {
        let lists = self.triggers.iter().filter_map(|trigger| match &trigger.kind {
            TriggerKind::Push { branches, .. } => Some(branches.as_slice()),
            _ => None,
        });
        lists.collect()
    }
}

/// Tells whether a list of `on push` names a branch, as hosts read it: an empty one names all, and `!` takes away again. One that
/// can't be read names none: what it would take away is not known.
#[must_use]
pub fn names_branch(patterns: &[String], name: &str) -> bool {
    let named = patterns.iter().try_fold(patterns.is_empty(), |found, pattern| {
        let (wanted, pattern) = pattern.strip_prefix('!').map_or((true, pattern.as_str()), |rest| (false, rest));
        Some(if filter::matches(pattern, name)? { wanted } else { found })
    });
    named.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_match_as_hosts_read_them() {
        let named = |patterns: &[&str], name: &str| {
            names_branch(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>(), name)
        };
        assert!(named(&[], "anything"));
        assert!(named(&["main"], "main"));
        assert!(!named(&["main"], "maintenance"));
        assert!(named(&["release/*"], "release/1"));
        assert!(!named(&["release/*"], "release/1/2"));
        assert!(named(&["release/**"], "release/1/2"));
        assert!(!named(&["release/**", "!release/old"], "release/old"));
        assert!(!named(&["!main"], "topic"));
        assert!(named(&["**", "!mai?n"], "topic") && !named(&["**", "!mai?n"], "man"));
        assert!(!named(&["**", "![main"], "topic"), "nobody knows what is taken away");
    }
}
