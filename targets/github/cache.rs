//! `cache: { url: "s3://…", read: NAME, write: NAME }`: the remote that jobs share results through. Trust is the credential's: the
//! one that writes is asked for in runs of refs that `on push` and `on schedule` name, and nowhere else. Its keys go to `mlpc` alone,
//! never into the environment of a job.

use super::credentials;
use super::jobs::Jobs;
use super::model::{Entries, Step, With};
use crate::diagnostic::{Diagnostic, codes};
use crate::plan::{Node, Plan, TriggerKind};
use crate::targets::{Site, is_cache, shares};
use crate::types::{CredentialKind, Value};

/// A remote, and the credentials that open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cache {
    /// Its address, with the region.
    pub(super) url: String,
    /// The credential of runs that only read; without one they read what anybody may read, or nothing where another one writes.
    pub(super) read: Option<String>,
    /// The credential of runs that may write.
    pub(super) write: Option<String>,
}

const EXAMPLE: &str = "write `cache: \"s3://team-cache/fraud?region=eu-west-1\"`, or `cache: { url: \"s3://…\", read: reader, write: writer }` with the names of credentials";

/// Reads the setting; `Err` is the message and the way out.
pub(super) fn read(plan: &Plan, value: &Value) -> Result<Cache, (String, String)> {
    let wrong = |message: &str| (message.to_owned(), EXAMPLE.to_owned());
    let fields = match value {
        Value::String(url) => return Ok(Cache { url: address(url)?, read: None, write: None }),
        Value::Record(fields) => fields,
        _ => return Err(wrong("`cache` is neither an address nor a record")),
    };
    let mut cache = Cache { url: String::new(), read: None, write: None };
    for (key, value) in fields {
        let Value::String(text) = value else {
            return Err(wrong(&format!("`{key}` of `cache` is no text and no name")));
        };
        match key.as_str() {
            "url" => cache.url = address(text)?,
            "read" => cache.read = Some(text.clone()),
            "write" => cache.write = Some(text.clone()),
            _ => return Err(wrong(&format!("`cache` has no field `{key}`; there are `url`, `read`, `write`"))),
        }
    }
    if cache.url.is_empty() {
        return Err(wrong("`cache` does not say where it is"));
    }
    for (name, writes) in cache.read.iter().map(|name| (name, false)).chain(cache.write.iter().map(|name| (name, true)))
    {
        let found = plan.beside.credentials.iter().find(|credential| credential.name == *name);
        match found.map(|credential| &credential.kind) {
            None => return Err(wrong(&format!("`cache` names no credential: `{name}`"))),
            Some(kind) if kind.provider() != "aws" => {
                return Err(wrong(&format!("the credential `{name}` opens nothing at `{}`", cache.url)));
            }
            // What every branch of the repository can read is no reason to trust.
            Some(CredentialKind::Static { .. }) if writes => {
                return Err((
                    format!(
                        "`{name}` is a key that every branch of the repository can use, and would write what releases believe"
                    ),
                    format!(
                        "declare `credential {name} = oidc(\"aws\", role: \"…\", region: \"…\")`, and let the role trust the branches of `on push` alone"
                    ),
                ));
            }
            Some(CredentialKind::Oidc { settings, .. } | CredentialKind::Static { settings, .. }) => {
                let region = settings.iter().find(|(key, _)| key == "region");
                if let Some((_, region)) = region.filter(|_| !cache.url.contains("region=")) {
                    cache.url.push_str(if cache.url.contains('?') { "&region=" } else { "?region=" });
                    cache.url.push_str(region);
                }
            }
        }
    }
    Ok(cache)
}

fn address(text: &str) -> Result<String, (String, String)> {
    if !is_cache(text) {
        return Err((format!("`{text}` is no address of a shared cache"), EXAMPLE.to_owned()));
    }
    Ok(text.to_owned())
}

/// Complains where nobody may write, or too many.
pub(super) fn writers(plan: &Plan, cache: &Cache, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if cache.write.is_none() {
        return;
    }
    let mut any = false;
    for (index, trigger) in plan.triggers.iter().enumerate() {
        match &trigger.kind {
            TriggerKind::Push { branches, .. } if branches.is_empty() => {
                let message = "whoever may push any branch would write what releases believe";
                let place = site.span(&format!("on {index}"));
                diagnostics.push(
                    Diagnostic::new(codes::TARGET_SETTING, place, message.to_owned())
                        .label(site.span("target github"), "its cache is written by jobs of these refs")
                        .help("name the branches: `on push { branches: [\"main\"] }`"),
                );
                any = true;
            }
            TriggerKind::Push { .. } | TriggerKind::Schedule { .. } => any = true,
            _ => {}
        }
    }
    if !any {
        let message = "no run may write the cache: neither `on push` nor `on schedule` names a ref";
        diagnostics.push(
            Diagnostic::new(codes::TARGET_SETTING, site.span("target github"), message.to_owned())
                .help("take `write` out, or add `on push { branches: [\"main\"] }`"),
        );
    }
}

impl Jobs<'_> {
    /// Returns the cache, where a node's result can be in it.
    pub(super) fn cache(&self, node: &Node) -> Option<&Cache> {
        self.settings.cache.as_ref().filter(|_| shares(node))
    }

    /// Returns the steps that ask for the keys of a cache.
    pub(super) fn cache_keys(&self, cache: &Cache) -> Vec<Step> {
        let trusted = self.trusted();
        let write = cache.write.as_deref().and_then(|name| {
            let step = credentials::step(self.plan, name)?;
            Some(key(step, "write", Some(trusted.clone())))
        });
        let read = cache.read.as_deref().and_then(|name| {
            let step = credentials::step(self.plan, name)?;
            let mut parts = Vec::new();
            if cache.write.is_some() {
                parts.push(format!("!({trusted})"));
            }
            // A fork's run gets no word of the platform.
            if self.cases.iter().any(|case| case.event == "pull_request") {
                let own = "github.event.pull_request.head.repo.full_name == github.repository";
                let own = format!("github.event_name != 'pull_request' || {own}");
                parts.push(if parts.is_empty() { own } else { format!("({own})") });
            }
            Some(key(step, "read", (!parts.is_empty()).then(|| parts.join(" && "))))
        });
        read.into_iter().chain(write).collect()
    }

    /// Returns what `mlpc` is told of a cache.
    pub(super) fn cache_variables(&self, cache: &Cache) -> Entries<String> {
        let trusted = self.trusted();
        let mut env = Entries::default();
        if cache.read.is_none() && cache.write.is_some() {
            env.push("MLPC_REMOTE", format!("${{{{ ({trusted}) && '{}' || '' }}}}", cache.url));
        } else {
            env.push("MLPC_REMOTE", cache.url.clone());
        }
        if cache.write.is_some() {
            env.push("MLPC_REMOTE_WRITE", format!("${{{{ ({trusted}) && 'trusted' || '' }}}}"));
        }
        let parts = [
            ("ACCESS_KEY_ID", "access_key_id", "aws-access-key-id"),
            ("SECRET_ACCESS_KEY", "secret_access_key", "aws-secret-access-key"),
            ("SESSION_TOKEN", "", "aws-session-token"),
        ];
        for (variable, part, output) in parts {
            let mut terms = Vec::new();
            if cache.write.is_some() {
                terms.push(format!("steps.cache-write.outputs.{output}"));
            }
            let reader = cache.read.as_ref();
            let reader = reader.and_then(|name| self.plan.beside.credentials.iter().find(|known| known.name == *name));
            match reader.map(|reader| &reader.kind) {
                Some(CredentialKind::Oidc { .. }) => terms.push(format!("steps.cache-read.outputs.{output}")),
                Some(CredentialKind::Static { secrets, .. }) => {
                    let named = secrets.iter().find(|(key, _)| key == part);
                    terms.extend(named.map(|(_, secret)| format!("secrets.{}", secret.to_uppercase())));
                }
                None => {}
            }
            if !terms.is_empty() {
                env.push(format!("MLPC_REMOTE_{variable}"), format!("${{{{ {} }}}}", terms.join(" || ")));
            }
        }
        env
    }

    /// Returns the expression that is true for runs of refs that the pipeline names.
    fn trusted(&self) -> String {
        let cases = self.cases.iter().filter(|case| ["push", "schedule"].contains(&case.event));
        let terms: Vec<_> = cases
            .map(|case| if case.is.contains(" && ") { format!("({})", case.is) } else { case.is.clone() })
            .collect();
        if terms.is_empty() { "false".into() } else { terms.join(" || ") }
    }
}

/// Turns the step of a credential into one whose keys only the steps get that name them.
fn key(mut step: Step, what: &str, condition: Option<String>) -> Step {
    step.name = format!("Get the key of the cache, to {what}");
    step.id = Some(format!("cache-{what}"));
    step.condition = condition.map(|condition| format!("${{{{ {condition} }}}}"));
    step.with.push("output-credentials", With::Bool(true));
    step.with.push("output-env-credentials", With::Bool(false));
    step
}
