//! What GitHub lets a job do: the runner that it gets, the time that it has, and the environment that it may name.

use super::jobs::Jobs;
use super::model::Labels;
use crate::diagnostic::{Diagnostic, Severity, codes};
use crate::plan::{Node, NodeKind};

/// Minutes that a job may take on a runner of GitHub.
const HOSTED: u64 = 6 * 60;
/// Minutes for what surrounds a command: checkout, transfers, uploads.
const MARGIN: u64 = 15;
/// Minutes that a job without a command may take.
pub(super) const SHORT: u64 = 30;
/// Characters of an environment's name ("may not exceed 255 characters", says GitHub's page "Managing environments for deployment").
const ENVIRONMENT: usize = 255;
/// Nanoseconds.
pub(super) const MINUTE: i64 = 60_000_000_000;

impl Jobs<'_> {
    pub(super) fn runner(&self, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Labels {
        let gpus = node.kind.work().and_then(|work| work.needs.gpu).unwrap_or(0);
        match &self.settings.gpu {
            _ if gpus == 0 => self.settings.default.clone(),
            Some(labels) => labels.clone(),
            None => {
                let message = format!("`{}` needs a GPU, and no runner is named that has one", node.name);
                diagnostics.push(
                    Diagnostic::new(codes::TARGET_LIMIT, self.site.span(&node.name), message)
                        .help("write `target github { runners: { gpu: [\"self-hosted\", \"gpu\"] } }`"),
                );
                self.settings.default.clone()
            }
        }
    }

    pub(super) fn minutes(&self, node: &Node, labels: &Labels, diagnostics: &mut Vec<Diagnostic>) -> u64 {
        let Some(work) = node.kind.work() else { return SHORT };
        let limit = if labels.self_hosted() { 5 * 24 * 60 } else { HOSTED };
        let Some(timeout) = work.timeout else { return limit };
        let minutes = |time: i64| u64::try_from(time.saturating_add(MINUTE - 1) / MINUTE).unwrap_or(0);
        let (retry, longest) = match &node.kind {
            NodeKind::Stage(stage) => (stage.retry.as_ref(), stage.longest().unwrap_or(timeout)),
            _ => (None, timeout),
        };
        let mut say = |severity, message: String, help: &str| {
            let mut found = Diagnostic::new(
                codes::TARGET_LIMIT,
                self.site.span(&node.name),
                message + " that a job has on this runner",
            );
            found.severity = severity;
            diagnostics.push(found.help(help));
        };
        let hours = limit / 60;
        if minutes(timeout) > limit {
            let message = format!("`{}` may take longer than the {hours} h", node.name);
            say(Severity::Error, message, "write a shorter `timeout`, or run it on a runner of your own");
        } else if let Some(retry) = retry.filter(|_| minutes(longest) > limit) {
            // Tries that end for another reason than the time are short as a rule.
            let takes_all = retry.causes.iter().any(|cause| cause == "timeout");
            let message =
                format!("the {} tries of `{}` may take longer than the {hours} h", retry.times + 1, node.name);
            say(
                if takes_all { Severity::Error } else { Severity::Note },
                message,
                "write a shorter `timeout` or fewer tries, or run it on a runner of your own",
            );
        }
        (minutes(longest) + MARGIN).min(limit)
    }

    pub(super) fn asks_nobody(&self, node: &Node, diagnostics: &mut Vec<Diagnostic>) {
        let message =
            format!("the approval `{}` names no environment, and GitHub waits for nobody without one", node.name);
        diagnostics.push(
            Diagnostic::new(codes::APPROVAL_WITHOUT_ENVIRONMENT, self.site.span(&node.name), message)
                .help("add `environment: \"…\"`, and give that environment required reviewers on GitHub"),
        );
    }

    pub(super) fn check_environment(&self, node: &Node, environment: &str, diagnostics: &mut Vec<Diagnostic>) {
        let mut say = |message: String, help: &str| {
            let diagnostic = Diagnostic::new(codes::TARGET_LIMIT, self.site.span(&node.name), message);
            diagnostics.push(diagnostic.help(help));
        };
        if environment.contains("${{") {
            let message = format!("GitHub would evaluate the `${{{{` in the environment of `{}`", node.name);
            say(message, "name the environment without it");
        }
        let length = environment.chars().count();
        if length > ENVIRONMENT {
            let message = format!(
                "the name of an environment on GitHub has at most {ENVIRONMENT} characters, that of `{}` has {length}",
                node.name
            );
            say(message, "shorten the name");
        }
    }
}
