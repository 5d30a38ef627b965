//! The step that asks a provider for a short-lived key, on the platform's word for the job.

use super::model::{Step, With};
use super::pins;
use crate::diagnostic::{Diagnostic, codes};
use crate::plan::Plan;
use crate::targets::Site;
use crate::types::CredentialKind;

/// Returns the step of a credential; none for one whose keys are secrets.
pub(super) fn step(plan: &Plan, name: &str) -> Option<Step> {
    let credential = plan.beside.credentials.iter().find(|credential| credential.name == name)?;
    let CredentialKind::Oidc { provider, settings } = &credential.kind else { return None };
    let (action, names): (_, &[(&str, &str)]) = match provider.as_str() {
        "aws" => (
            "aws-actions/configure-aws-credentials",
            &[
                ("role", "role-to-assume"),
                ("region", "aws-region"),
                ("audience", "audience"),
                ("session", "role-session-name"),
            ],
        ),
        "gcp" => (
            "google-github-actions/auth",
            &[
                ("provider", "workload_identity_provider"),
                ("service_account", "service_account"),
                ("project", "project_id"),
            ],
        ),
        _ => ("Azure/login", &[("client", "client-id"), ("tenant", "tenant-id"), ("subscription", "subscription-id")]),
    };
    let given = |key: &str| settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let mut step =
        Step { name: format!("Get the credential {name}"), uses: Some(pins::uses(action, "")), ..Step::default() };
    for (ours, theirs) in names {
        if let Some(value) = given(ours) {
            step.with.push(*theirs, With::from(value));
        }
    }
    Some(step)
}

/// Says what of the declarations beside the runs no job does, and what GitHub would read as its own.
pub(super) fn beside(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for credential in &plan.beside.credentials {
        let (CredentialKind::Oidc { settings, .. } | CredentialKind::Static { settings, .. }) = &credential.kind;
        if settings.iter().any(|(_, value)| value.contains("${{")) {
            let place = site.span(&format!("credential {}", credential.name));
            let message = format!("GitHub would evaluate the `${{{{` in the credential `{}`", credential.name);
            diagnostics.push(Diagnostic::new(codes::TARGET_LIMIT, place, message).help("write it without"));
        }
    }
    crate::targets::beside(plan, site, "github", diagnostics);
}
