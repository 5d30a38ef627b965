//! Which branches a run may release from: those that are pushed, by the patterns of `on push`; others, by its names alone.

use super::condition::text;
use crate::diagnostic::{Diagnostic, Severity, codes};
use crate::plan::{Plan, TriggerKind, names_branch};
use crate::targets::Site;

/// Says that runs which nobody pushed release nothing, where a declared trigger starts such.
pub(super) fn releases_nothing(
    plan: &Plan,
    event: &str,
    place: &str,
    site: &Site<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    // A start by hand is always possible, and need not be for releases.
    let is_declared =
        event != "manual" || plan.triggers.iter().any(|trigger| matches!(trigger.kind, TriggerKind::Manual { .. }));
    if !is_declared || !plan.nodes.iter().any(|node| node.kind.acts()) {
        return;
    }
    let message = format!(
        "`on {event}` releases nothing: `on push` has patterns of branches alone, which say nothing of a run that was not pushed"
    );
    let mut note = Diagnostic::new(codes::TARGET_LIMIT, site.span(place), message)
        .help("name the branch that such runs release from beside the patterns: `branches: [\"main\", …]`");
    note.severity = Severity::Note;
    diagnostics.push(note);
}

/// Returns the expression that is true on the branches that releases are made from by hand.
pub(super) fn released_branches(plan: &Plan) -> String {
    let default = || "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)".to_owned();
    named_branches(plan).unwrap_or_else(default)
}

/// Returns the expression that is true on the branches which `on push` names; nothing where it means all.
pub(super) fn named_branches(plan: &Plan) -> Option<String> {
    let is = |branch: &&str| format!("github.ref == {}", text(&format!("refs/heads/{branch}")));
    let terms: Vec<String> = plan.named_branches()?.iter().map(is).collect();
    Some(match terms.as_slice() {
        [] => NOWHERE.to_owned(),
        [one] => one.clone(),
        all => format!("({})", all.join(" || ")),
    })
}

/// The expression that is true nowhere.
pub(super) const NOWHERE: &str = "false";

/// Tells whether a run of this event may release on this ref, as the conditions of the jobs say it in GitHub's words.
/// What a profile says is asked elsewhere; here it only counts whether there is one.
pub(super) fn is_released(plan: &Plan, event: &str, git_ref: &str, default_branch: &str, has_profile: bool) -> bool {
    let named = plan.named_branches();
    let Some(branch) = git_ref.strip_prefix("refs/heads/") else {
        // A pull request has a ref of its own, and releases where its profile says so in words.
        return event == "pull_request" && has_profile;
    };
    match (event, named) {
        ("manual", None) => branch == default_branch,
        ("schedule" | "event", None) => true,
        ("manual" | "call" | "schedule" | "event", Some(named)) => named.contains(&branch),
        ("push", _) => plan.pushed().iter().any(|branches| names_branch(branches, branch)),
        _ => false,
    }
}
