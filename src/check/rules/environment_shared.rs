//! An approval whose environment is not its own: people are asked there at another job too, and as a platform tells of an answer
//! which environment it is for, and not which job, one answer would count for both.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Node, NodeKind};
use crate::source::Span;

pub(in crate::check) struct EnvironmentShared;

impl Rule for EnvironmentShared {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let mut asking: Vec<Asking<'_>> = Vec::new();
        for (_, node) in subject.model.nodes.iter() {
            let NodeKind::Approval(approval) = &node.kind else { continue };
            let Some(environment) = &approval.environment else { continue };
            let own = Asking { name: declared(node), environment, span: node.name.span };
            // Legs of one loop are asked about in one list, with their names.
            match asking.iter().find(|other| other.is_in(environment) && other.name != own.name) {
                Some(first) => say(found, between_approvals(first, &own)),
                None => asking.push(own),
            }
        }
        for (_, node) in subject.model.nodes.iter() {
            let NodeKind::Action(action) = &node.kind else { continue };
            let Some(environment) = &action.environment else { continue };
            if let Some(approval) = asking.iter().find(|approval| approval.is_in(&environment.value)) {
                say(found, with_action(declared(node), &environment.value, environment.span, approval));
            }
        }
    }
}

/// An approval that asks in an environment.
struct Asking<'m> {
    name: &'m str,
    environment: &'m str,
    span: Span,
}

impl Asking<'_> {
    /// GitHub knows no case in the names of environments.
    fn is_in(&self, environment: &str) -> bool {
        self.environment.to_lowercase() == environment.to_lowercase()
    }
}

fn between_approvals(first: &Asking<'_>, second: &Asking<'_>) -> Diagnostic {
    let message = format!(
        "the approval `{}` asks people in the environment `{}`, as `{}` does: one answer would count for both",
        second.name, second.environment, first.name
    );
    let own = second.name.replace('_', "-");
    Diagnostic::new(codes::ENVIRONMENT_SHARED, second.span, message)
        .label(first.span, "asked here too")
        .help(format!("give each its own: `environment: \"{}-{own}\"`", second.environment))
}

fn with_action(action: &str, environment: &str, span: Span, approval: &Asking<'_>) -> Diagnostic {
    let message = format!(
        "the action `{action}` is in the environment `{environment}`, where the approval `{}` asks people",
        approval.name
    );
    Diagnostic::new(codes::ENVIRONMENT_SHARED, span, message)
        .label(approval.span, "asked here")
        .help(format!("give it one of its own without reviewers: `environment \"{environment}-deploy\"`"))
}

/// All legs of a loop say the same, which is said once.
fn say(found: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    if !found.contains(&diagnostic) {
        found.push(diagnostic);
    }
}

fn declared(node: &Node) -> &str {
    node.leg.as_ref().map_or(&node.name.value, |leg| &leg.of)
}
