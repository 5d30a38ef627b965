//! A person's answer on GitHub: the platform runs the job behind a deployment environment after the click, but also
//! where the environment has no protection at all. So the job before notes when it asked and which reviews there were,
//! and the approval counts only where a new one, by somebody who may, has appeared in time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::plan::{Approval, NodeKind, Plan, Subject, Why};
use crate::types::duration_text;

/// The clocks of two runners may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A review of this run, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Review {
    /// The environment.
    pub environment: String,
    /// `approved` or `rejected`.
    pub state: String,
    /// Who.
    pub user: String,
    /// What was said with it; two reviews by one person are told apart by it.
    pub comment: String,
}

/// What the job before noted when it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// The attempt that it belongs to.
    pub attempt: String,
    /// The reviews that there were already.
    pub reviews: Vec<Review>,
}

/// Returns the nodes after which a person is asked for an approval: that of its subject, or the gates that may ask for it.
/// What another job noted when it asked for something else is nothing to this one.
#[must_use]
pub fn askers<'p>(plan: &'p Plan, name: &str) -> Vec<&'p str> {
    let Some(node) = plan.node(name) else { return Vec::new() };
    let NodeKind::Approval(approval) = &node.kind else { return Vec::new() };
    if approval.on_demand {
        let asks = node.waits.iter().filter(|wait| wait.why == Why::Ask);
        return asks.map(|wait| wait.node.as_str()).collect();
    }
    match &approval.of {
        Subject::Release(release) => vec![release],
        Subject::Artifact(origin) => origin.stage().into_iter().collect(),
    }
}

/// Reads what the API tells of the reviews of a run.
///
/// # Errors
/// It is not the answer that the API gives.
pub fn reviews(json: &str) -> Result<Vec<Review>, String> {
    #[derive(Deserialize)]
    struct Told {
        environments: Vec<Named>,
        state: String,
        #[serde(default)]
        user: Option<Login>,
        #[serde(default)]
        comment: Option<String>,
    }
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    #[derive(Deserialize)]
    struct Login {
        login: String,
    }
    let told: Vec<Told> = serde_json::from_str(json).map_err(|error| format!("the reviews of this run: {error}"))?;
    let mut found = Vec::new();
    for review in told {
        let user = review.user.map(|user| user.login).unwrap_or_default();
        let comment = review.comment.unwrap_or_default();
        for environment in review.environments {
            let (state, user, comment) = (review.state.clone(), user.clone(), comment.clone());
            found.push(Review { environment: environment.name, state, user, comment });
        }
    }
    Ok(found)
}

/// Decides whether an approval was given; returns who gave it.
pub fn decide(
    name: &str,
    approval: &Approval,
    asked: &Asked,
    attempt: &str,
    now: Timestamp,
    reviews: &[Review],
) -> Result<String, Trouble> {
    let again = "re-run all jobs, not only the failed ones";
    if asked.attempt != attempt {
        let message = format!("`{name}` was asked for in attempt {}, and this is attempt {attempt}", asked.attempt);
        return Err(Trouble::unsound(message).help(again));
    }
    let waited = now.duration_since(asked.at);
    if waited < -SKEW {
        let message = format!("`{name}` was asked for at {}, which is still to come: the clocks disagree", asked.at);
        return Err(Trouble::unsound(message).help(again));
    }
    if waited > SignedDuration::from_nanos(approval.timeout) {
        let message =
            format!("`{name}` was answered after more than {}: that is a rejection", duration_text(approval.timeout));
        return Err(Trouble::unsound(message).help(again));
    }
    let environment = approval.environment.as_deref().unwrap_or_default();
    let mut old = asked.reviews.clone();
    let mut fresh = Vec::new();
    for review in reviews.iter().filter(|review| review.environment == environment) {
        // A review is new where it stands there once more than before.
        match old.iter().position(|known| known == review) {
            Some(known) => {
                old.remove(known);
            }
            None => fresh.push(review),
        }
    }
    let may = |user: &str| approval.by.is_empty() || approval.by.iter().any(|login| login.eq_ignore_ascii_case(user));
    if let Some(given) = fresh.iter().find(|review| review.state == "approved" && may(&review.user)) {
        return Ok(given.user.clone());
    }
    let listed = if approval.by.is_empty() { "people or teams".to_owned() } else { approval.by.join(", ") };
    Err(match fresh.first() {
        Some(review) if may(&review.user) => {
            Trouble::unsound(format!("`{name}` was not approved: {} by {}", review.state, review.user))
        }
        Some(review) => {
            let message =
                format!("`{name}`: {} by {}, who may not decide; listed are {listed}", review.state, review.user);
            Trouble::unsound(message)
        }
        None => Trouble::unsound(format!("nobody approved `{name}`: GitHub ran the job without asking")).help(format!(
            "give the environment `{environment}` required reviewers ({listed}); a private repository needs the \
             Enterprise plan for that"
        )),
    })
}
