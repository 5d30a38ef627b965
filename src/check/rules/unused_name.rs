//! What is declared and used by nothing is a slip, or a leftover that misleads.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeKind, Profile, RegistryId, Setting, Subject as Of};
use crate::types::RegistryLocation;

pub(in crate::check) struct UnusedName;

impl Rule for UnusedName {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        if subject.model.torn {
            return;
        }
        let journals = journals(subject.model);
        for (kind, name) in &subject.model.unused {
            if *kind == "registry" && journals.contains(&name.value.as_str()) {
                continue;
            }
            let text = &name.value;
            let help = match *kind {
                "parameter" => format!("add `use {text}` to a stage, ask it in a `when`, or remove it"),
                "secret" => format!("add `secret {text}` to a stage, or remove it"),
                "approval" => {
                    format!("wait for it, `after {text}`, or remove it: an approval holds back only what names it")
                }
                _ => "use it, or remove it".to_owned(),
            };
            let message = format!("nothing uses the {kind} `{text}`");
            found.push(Diagnostic::new(codes::UNUSED_NAME, name.span, message).help(help));
        }
    }
}

/// Returns the registries that keep journals of actions, under any profile: that of the release, else the first that others reach.
fn journals(model: &Model) -> Vec<&str> {
    let mut found = Vec::new();
    for profile in std::iter::once(None).chain(model.profiles.iter().map(Some)) {
        let shared = |id: RegistryId| location(model, profile, id).is_some_and(RegistryLocation::is_shared);
        for (_, node) in model.nodes.iter() {
            let NodeKind::Action(action) = &node.kind else { continue };
            let own = match &action.of {
                Some(Of::Release(release)) => model.register(*release).map(|register| register.registry),
                _ => None,
            };
            let first = || model.registries.iter().map(|(id, _)| id).find(|id| shared(*id));
            found
                .extend(own.filter(|id| shared(*id)).or_else(first).map(|id| model.registries[id].name.value.as_str()));
        }
    }
    found
}

fn location<'m>(model: &'m Model, profile: Option<&'m Profile>, id: RegistryId) -> Option<&'m RegistryLocation> {
    let set = profile.into_iter().flat_map(|profile| &profile.settings).find_map(|setting| match setting {
        Setting::Registry(set, location) if *set == id => Some(location),
        _ => None,
    });
    set.or(model.registries[id].location.as_ref())
}
