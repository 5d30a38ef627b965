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

    /// Returns the branches that `on push` names one by one: from these, and no others, a run that nobody pushed may release. A
    /// pattern starts runs and names none, and what `!` takes away again is not named. Nothing, where all branches are meant because
    /// there is no `on push`, or it says nothing of branches: then it is the default branch.
    #[must_use]
    pub fn named_branches(&self) -> Option<Vec<&str>> {
        let lists = self.pushed();
        let mut named: Vec<&str> = Vec::new();
        for list in &lists {
            let plain = list.iter().filter(|branch| !filter::is_pattern(branch) && names_branch(list, branch));
            for branch in plain {
                if !named.contains(&branch.as_str()) {
                    named.push(branch);
                }
            }
        }
        let means_all = lists.is_empty() || lists.iter().any(|list| list.is_empty());
        (!named.is_empty() || !means_all).then_some(named)
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
    fn who_was_not_pushed_releases_from_branches_that_are_named_one_by_one() {
        let named = |branches: &[&str]| {
            let plan = serde_json::json!({
                "format": 1, "pipeline": "p", "edition": 2026, "params": [], "secrets": [], "runtimes": [], "metrics": [],
                "sources": [], "registries": [], "profiles": [], "targets": [], "nodes": [],
                "triggers": [{ "kind": { "push": { "branches": branches, "paths": [] } } }],
            });
            let plan: Plan = serde_json::from_value(plan).expect("a plan");
            plan.named_branches().map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(named(&[]), None, "all are meant");
        assert_eq!(named(&["main", "release/*", "main"]), Some(vec!["main".to_owned()]));
        assert_eq!(named(&["release/**"]), Some(vec![]));
        assert_eq!(named(&["main", "!m*"]), Some(vec![]), "taken away again");
        assert_eq!(named(&["!main"]), Some(vec![]));
    }

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
