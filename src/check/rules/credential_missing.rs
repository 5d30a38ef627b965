//! A stage that reads from a store, and has nothing in scope that the store would let it in with.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeKind, Origin, Work};
use crate::source::Spanned;
use crate::types::{CredentialKind, Location};

pub(in crate::check) struct CredentialMissing;

impl Rule for CredentialMissing {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, node) in model.nodes.iter() {
            match &node.kind {
                NodeKind::Stage(stage) => one(model, &node.name, &stage.work, found),
                NodeKind::Action(action) => one(model, &node.name, &action.work, found),
                NodeKind::Rollout(rollout) => one(model, &node.name, &rollout.shift, found),
                NodeKind::Experiment(it) => one(model, &node.name, &it.shift, found),
                _ => {}
            }
        }
        for monitor in &model.monitors {
            one(model, &monitor.name, &monitor.work, found);
        }
    }
}

fn one(model: &Model, name: &Spanned<String>, work: &Work, found: &mut Vec<Diagnostic>) {
    for input in &work.inputs {
        let Origin::Source(id) = &input.origin else { continue };
        let source = &model.sources[*id];
        let Some(Location::Remote { scheme, public: false, .. }) = &source.location else { continue };
        let provider = match scheme.as_str() {
            "s3" => Some("aws"),
            "gs" => Some("gcp"),
            "azure" => Some("azure"),
            // On this machine its cache is read. On a runner its remote is, and where that is stands in its own configuration.
            "dvc" if !model.targets.is_empty() => None,
            _ => continue,
        };
        let opens = |kind: &CredentialKind| provider.is_none_or(|provider| kind.provider() == provider);
        let fits = work.credentials.iter().any(|used| model.credentials[used.value].kind.as_ref().is_none_or(opens));
        if fits {
            continue;
        }
        let declared = model.credentials.iter().find(|credential| credential.kind.as_ref().is_some_and(opens));
        let message =
            format!("`{}` reads `{}` from {scheme}, and has no credential for it", name.value, source.name.value);
        let help = match declared {
            Some(credential) => format!("add `credentials {}`", credential.name.value),
            None => format!(
                "declare `credential {0} = oidc(\"{0}\", …)` and add `credentials {0}`; data that anybody may read is `{scheme}(…, public: true)`",
                provider.unwrap_or("aws")
            ),
        };
        found.push(
            Diagnostic::new(codes::CREDENTIAL_MISSING, input.span, message)
                .label(source.place, "declared here")
                .help(help),
        );
    }
}
