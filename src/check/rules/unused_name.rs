//! What is declared and used by nothing is a slip, or a leftover that misleads.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeKind};
use crate::types::RegistryLocation;

pub(in crate::check) struct UnusedName;

impl Rule for UnusedName {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        if subject.model.torn {
            return;
        }
        for (kind, name) in &subject.model.unused {
            let text = &name.value;
            if *kind == "registry" && journal(subject.model) == Some(text) {
                continue;
            }
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

/// Returns the registry that actions are journaled in which are of no release: nothing names it, and without it they do not compile.
fn journal(model: &Model) -> Option<&String> {
    model.nodes.iter().find(|(_, node)| matches!(node.kind, NodeKind::Action(_)))?;
    let shared = |location: &Option<RegistryLocation>| location.as_ref().is_some_and(RegistryLocation::is_shared);
    model.registries.iter().find(|(_, registry)| shared(&registry.location)).map(|(_, registry)| &registry.name.value)
}
