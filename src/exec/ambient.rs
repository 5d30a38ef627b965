//! Keys that a platform, or the person at the terminal, put into the environment for a provider's own programs. A
//! command sees them only where it names a credential of that provider. They are never part of a key.

use std::ffi::OsString;

use super::context::Run;
use crate::plan::Work;
use crate::types::CredentialKind;

/// Returns the variables of the credentials that a command names.
pub(super) fn variables(run: &Run<'_>, work: &Work) -> Vec<(OsString, OsString)> {
    let named = |name: &String| run.bound.plan.beside.credentials.iter().find(|credential| credential.name == *name);
    let kinds = work.credentials.iter().filter_map(named).map(|credential| &credential.kind);
    kinds.filter(|kind| matches!(kind, CredentialKind::Oidc { .. })).flat_map(|kind| of(run, kind.provider())).collect()
}

fn of(run: &Run<'_>, provider: &str) -> Vec<(OsString, OsString)> {
    let names: &[&str] = match provider {
        "aws" => &[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_PROFILE",
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_ROLE_ARN",
        ],
        "gcp" => &[
            "GOOGLE_APPLICATION_CREDENTIALS",
            "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
            "GOOGLE_CLOUD_PROJECT",
            "CLOUDSDK_CORE_PROJECT",
        ],
        "azure" => &[
            "AZURE_CONFIG_DIR",
            "AZURE_CLIENT_ID",
            "AZURE_TENANT_ID",
            "AZURE_SUBSCRIPTION_ID",
            "AZURE_FEDERATED_TOKEN_FILE",
        ],
        _ => &[],
    };
    let value = |name: &&str| Some((OsString::from(name), run.setup.caller.get(&OsString::from(name))?.clone()));
    names.iter().filter_map(value).collect()
}
