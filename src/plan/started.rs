//! How a run of a platform began, and what it may be then: the profile that the event's trigger names, whether it releases, and
//! registries that outlast its machine. What a platform's file or a submission says is text that can be edited; the plan is not.

use super::{Bound, Node, NodeKind, Plan, RegistryLocation, Trigger, TriggerKind, names_branch};
use crate::types::Origin;

/// How a run began, as far as its platform tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start<'a> {
    /// The event.
    pub event: &'a str,
    /// What tells triggers of one kind apart: the branch that was pushed or would be merged into, the schedule, the name of the
    /// event. None where the platform does not tell it.
    pub which: Option<&'a str>,
    /// The profile of a run that a person starts; none is the pipeline as written.
    pub by_hand: Option<&'a str>,
    /// A person may take any profile that does not release, too.
    pub may_choose: bool,
}

impl TriggerKind {
    /// Returns the event that it is for.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::PullRequest { .. } => "pull_request",
            Self::Schedule { .. } => "schedule",
            Self::Manual { .. } => "manual",
            Self::Call { .. } => "call",
            Self::Event { .. } => "event",
            Self::Upstream { .. } => "upstream",
        }
    }

    fn is_meant(&self, which: Option<&str>) -> bool {
        let Some(which) = which else { return true };
        match self {
            Self::Push { branches, .. } | Self::PullRequest { branches, .. } => names_branch(branches, which),
            Self::Schedule { cron, .. } => cron == which,
            Self::Event { name, .. } => name == which,
            Self::Manual { .. } | Self::Call { .. } | Self::Upstream { .. } => true,
        }
    }
}

impl Node {
    /// Returns the registries that it reads or writes.
    #[must_use]
    pub fn registries(&self) -> Vec<&str> {
        let mut found: Vec<&str> = match &self.kind {
            NodeKind::Register(register) => vec![&register.registry],
            NodeKind::Promote(promote) => vec![&promote.registry],
            NodeKind::Rollout(rollout) => rollout.promote.iter().map(|moves| moves.registry.as_str()).collect(),
            NodeKind::Gate(gate) => gate.baseline.iter().map(|baseline| baseline.registry.as_str()).collect(),
            NodeKind::Stage(stage) => stage.baseline.iter().map(|baseline| baseline.registry.as_str()).collect(),
            _ => vec![],
        };
        for input in self.kind.work().into_iter().flat_map(|work| &work.inputs) {
            if let Origin::Pointer { registry, .. } = &input.origin {
                found.push(registry);
            }
        }
        found
    }
}

impl Plan {
    /// Returns the triggers that a run may have been started by: those of its event that are meant, else all of its event.
    fn started_by(&self, start: &Start<'_>) -> Vec<&Trigger> {
        let of_event = || self.triggers.iter().filter(|trigger| trigger.kind.event() == start.event);
        let meant: Vec<_> = of_event().filter(|trigger| trigger.kind.is_meant(start.which)).collect();
        if meant.is_empty() { of_event().collect() } else { meant }
    }

    /// Returns the profiles that a run which began so may have, the first of them as a platform's files say it; nothing where
    /// the pipeline declares no trigger for the event.
    #[must_use]
    pub fn profiles_of<'a>(&'a self, start: &Start<'a>) -> Vec<Option<&'a str>> {
        let by_hand = (start.event == "manual").then_some(start.by_hand);
        let chosen = |trigger: &&Trigger| start.event != "manual" || start.may_choose && trigger.profile.is_some();
        let declared = self.started_by(start).into_iter().filter(chosen).map(|trigger| trigger.profile.as_deref());
        let mut found = Vec::new();
        for profile in by_hand.into_iter().chain(declared) {
            if !found.contains(&profile) {
                found.push(profile);
            }
        }
        found
    }

    /// Says what is wrong with the profile of a run that began so: it is none that the event's trigger names.
    #[must_use]
    pub fn wrong_profile(&self, start: &Start<'_>, profile: Option<&str>) -> Option<String> {
        let wanted = self.profiles_of(start);
        let quiet = |name: &str| self.profiles.iter().any(|profile| profile.name == name && !profile.releases);
        let chosen = start.event == "manual" && start.may_choose && profile.is_some_and(quiet);
        if wanted.is_empty() || wanted.contains(&profile) || chosen {
            return None;
        }
        let word = |profile: &Option<&str>| profile.map_or("none".to_owned(), |name| format!("`{name}`"));
        let wanted = wanted.iter().map(word).collect::<Vec<_>>().join(" or ");
        let has = profile.map_or("no profile".to_owned(), |name| format!("the profile `{name}`"));
        let names = match start.event {
            "manual" => format!("one that was started by hand has {wanted}"),
            event => format!("`on {event}` names {wanted}"),
        };
        Some(format!("this run has {has}, and {names}"))
    }

    /// Tells whether a run that began so may release at all: its event has a trigger here, and what nobody has let in yet is released
    /// only under a profile. What the profile itself says, and the ref, are asked beside it.
    #[must_use]
    pub fn event_releases(&self, start: &Start<'_>, has_profile: bool) -> bool {
        let is_meant = |trigger: &Trigger| trigger.kind.event() == start.event && trigger.kind.is_meant(start.which);
        match start.event {
            "manual" => true,
            "pull_request" => has_profile && self.triggers.iter().any(is_meant),
            _ => self.triggers.iter().any(is_meant),
        }
    }
}

impl Bound {
    /// Says of a node that what it reads or writes would be lost with the machine of this run, which a platform takes away. `stays`
    /// tells of a folder whether it outlasts the run all the same; `what` is the machine in a word.
    #[must_use]
    pub fn lost(&self, node: &Node, what: &str, stays: impl Fn(&str) -> bool) -> Option<String> {
        let plan = &self.plan;
        let name = &node.name;
        let under =
            || self.profile.as_ref().map_or("without a profile".into(), |name| format!("under the profile `{name}`"));
        for registry in node.registries() {
            if let Some(RegistryLocation::Directory { path }) = plan.registry(registry).map(|found| &found.location)
                && !stays(path)
            {
                let under = under();
                return Some(format!(
                    "`{name}` needs the registry `{registry}`, the folder `{path}` {under}, which is lost with the {what}"
                ));
            }
        }
        let NodeKind::Action(action) = &node.kind else { return None };
        let of = |name| plan.registry(name).map(|registry| &registry.location);
        action
            .journal(plan, of)
            .is_none()
            .then(|| format!("what `{name}` does is written down nowhere that outlasts the {what} {}", under()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(triggers: &serde_json::Value) -> Plan {
        let plan = serde_json::json!({
            "format": 1, "pipeline": "p", "edition": 2026, "params": [], "secrets": [], "runtimes": [], "metrics": [],
            "sources": [], "registries": [], "targets": [], "nodes": [], "triggers": triggers,
            "profiles": [
                { "name": "shared", "settings": [], "releases": true, "gates_block": true },
                { "name": "smoke", "settings": [], "releases": false, "gates_block": false },
            ],
        });
        serde_json::from_value(plan).expect("a plan")
    }

    fn start(event: &str) -> Start<'_> {
        Start { event, by_hand: Some("shared"), ..Start::default() }
    }

    #[test]
    fn the_profile_is_the_one_that_the_trigger_of_the_event_names() {
        let push = |branch: &str, profile: &str| serde_json::json!({ "kind": { "push": { "branches": [branch], "paths": [] } }, "profile": profile });
        let plan = plan(&serde_json::json!([
            push("main", "shared"),
            push("next", "smoke"),
            { "kind": { "pull_request": { "branches": [], "paths": [] } } },
        ]));
        let wrong = |start: &Start<'_>, profile: Option<&str>| plan.wrong_profile(start, profile);
        assert_eq!(wrong(&start("push"), Some("shared")), None);
        assert_eq!(wrong(&start("push"), Some("smoke")), None, "nothing tells which of them");
        let next = Start { which: Some("next"), ..start("push") };
        assert_eq!(wrong(&next, Some("smoke")), None);
        let said = wrong(&next, Some("shared"));
        assert_eq!(said.as_deref(), Some("this run has the profile `shared`, and `on push` names `smoke`"));
        let said = wrong(&start("push"), None);
        assert_eq!(said.as_deref(), Some("this run has no profile, and `on push` names `shared` or `smoke`"));
        let said = wrong(&start("pull_request"), Some("shared"));
        assert_eq!(said.as_deref(), Some("this run has the profile `shared`, and `on pull_request` names none"));
        assert_eq!(wrong(&start("schedule"), Some("smoke")), None, "there is no such trigger");
    }

    #[test]
    fn a_person_has_the_profile_of_such_runs_or_where_one_may_choose_a_quiet_one() {
        let plan = plan(&serde_json::json!([]));
        let said = plan.wrong_profile(&start("manual"), None);
        assert_eq!(said.as_deref(), Some("this run has no profile, and one that was started by hand has `shared`"));
        assert!(plan.wrong_profile(&start("manual"), Some("smoke")).is_some());
        let chosen = Start { may_choose: true, ..start("manual") };
        assert_eq!(plan.wrong_profile(&chosen, Some("smoke")), None);
        assert!(plan.wrong_profile(&Start { by_hand: Some("smoke"), ..chosen }, Some("shared")).is_some());
    }

    #[test]
    fn what_the_pipeline_has_no_trigger_for_releases_nothing() {
        let plan = plan(&serde_json::json!([{ "kind": { "pull_request": { "branches": ["main"], "paths": [] } } }]));
        assert!(plan.event_releases(&start("manual"), false));
        assert!(!plan.event_releases(&start("push"), true));
        assert!(plan.event_releases(&start("pull_request"), true));
        assert!(!plan.event_releases(&start("pull_request"), false), "nobody has said that it does");
        assert!(!plan.event_releases(&Start { which: Some("next"), ..start("pull_request") }, true));
    }
}
