//! An action in the environment that an approval waits in: people are asked again at its job, and as a platform tells of an
//! answer which environment it is for, and not which job, that answer would count as one to the approval.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Node, NodeKind};

pub(in crate::check) struct EnvironmentShared;

impl Rule for EnvironmentShared {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let nodes = || subject.model.nodes.iter().map(|(_, node)| node);
        for node in nodes() {
            let NodeKind::Action(action) = &node.kind else { continue };
            let Some(environment) = &action.environment else { continue };
            // GitHub knows no case in such names.
            let own = environment.value.to_lowercase();
            let waits = |node: &&Node| {
                let NodeKind::Approval(approval) = &node.kind else { return false };
                approval.environment.as_ref().is_some_and(|other| other.to_lowercase() == own)
            };
            let Some(approval) = nodes().find(waits) else { continue };
            let message = format!(
                "the action `{}` is in the environment `{}`, where the approval `{}` asks people",
                declared(node),
                environment.value,
                declared(approval)
            );
            let diagnostic = Diagnostic::new(codes::ENVIRONMENT_SHARED, environment.span, message)
                .label(approval.name.span, "asked here")
                .help(format!(
                    "give it one of its own without reviewers: `environment \"{}-deploy\"`",
                    environment.value
                ));
            // All legs of a loop say the same.
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
    }
}

fn declared(node: &Node) -> &str {
    node.leg.as_ref().map_or(&node.name.value, |leg| &leg.of)
}
