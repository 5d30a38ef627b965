//! What meets live traffic and stores: rollouts, experiments, monitors, credentials.

use super::{compared_by, plan_gate, plan_work};
use crate::model::{self, Id, Model};
use crate::plan::{
    Arm, Beside, Credential, Experiment, FirstDeploy, LiveRequirement, Monitor, Moves, Notification, Reaction, Rollout,
    SecretUse, Step, Watch,
};
use crate::types::{CredentialKind, Value};

pub(super) fn rollout(model: &Model, rollout: &model::Rollout) -> Option<Rollout> {
    let name = |id: model::NodeId| model.nodes[id].name.value.clone();
    let steps = rollout.steps.iter().map(|step| Step {
        percent: step.percent,
        duration: step.duration,
        ask: step.ask.as_ref().map(|ask| name(ask.value)),
    });
    Some(Rollout {
        release: name(rollout.release),
        strategy: rollout.strategy,
        service: rollout.service.clone(),
        environment: rollout.environment.clone(),
        work: plan_work(model, &rollout.shift)?,
        observe: rollout.observe.command.clone()?,
        rollback: rollout.rollback.command.clone()?,
        permissions: rollout.permissions.clone(),
        first_deploy: match &rollout.first_deploy {
            Some(ask) => FirstDeploy::Ask(name(ask.value)),
            None => FirstDeploy::Direct,
        },
        steps: steps.collect(),
        watch: watch(model, rollout.watch.as_ref()?),
        keep_previous: rollout.keep,
        max_gap: rollout.max_gap,
        max_duration: rollout.max_duration,
        assignment: rollout.assignment.clone(),
        promote: rollout.pointer.as_ref().map(|pointer| Moves {
            registry: model.registries[pointer.value.registry].name.value.clone(),
            pointer: pointer.value.name.clone(),
            compared_by: compared_by(model, rollout.release, &pointer.value),
        }),
    })
}

pub(super) fn experiment(model: &Model, experiment: &model::Experiment) -> Option<Experiment> {
    let arms = experiment.arms.iter().map(|arm| Arm {
        name: arm.name.value.clone(),
        from: arm.from,
        to: arm.to,
        serves: arm.serves.as_ref().map(|to| model.plan_origin(&model::Origin::Pointer(to.value.clone()))),
    });
    Some(Experiment {
        release: model.nodes[experiment.release].name.value.clone(),
        arms: arms.collect(),
        assignment: experiment.assignment.clone()?,
        horizon: experiment.horizon,
        work: plan_work(model, &experiment.shift)?,
        observe: experiment.observe.as_ref().and_then(|observe| observe.command.clone()),
        rollback: experiment.rollback.command.clone()?,
        permissions: experiment.permissions.clone(),
        watch: watch(model, experiment.watch.as_ref()?),
        requirements: experiment.requirements.iter().map(line).collect(),
    })
}

/// Returns what stands beside the runs.
pub(super) fn beside(model: &Model) -> Beside {
    let credentials = model.credentials.iter().filter_map(|credential| {
        Some(Credential {
            name: credential.name.value.clone(),
            doc: credential.doc.clone(),
            kind: credential.kind.clone()?,
        })
    });
    let notifications = model.notifications.iter().filter_map(|notify| {
        Some(Notification {
            name: notify.name.value.clone(),
            doc: notify.doc.clone(),
            channel: notify.channel.clone(),
            to: notify.to.clone()?,
            on: notify.on.clone(),
        })
    });
    Beside {
        credentials: credentials.collect(),
        notifications: notifications.collect(),
        monitors: model.monitors.iter().filter_map(|it| monitor(model, it)).collect(),
    }
}

fn monitor(model: &Model, monitor: &model::Monitor) -> Option<Monitor> {
    let reactions = monitor.on_breach.iter().map(|reaction| match reaction {
        model::Reaction::Emit { event, payload } => Reaction::Emit {
            event: event.value.clone(),
            payload: payload.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect(),
        },
        model::Reaction::Notify(index) => Reaction::Notify(model.notifications[*index].name.value.clone()),
    });
    let secrets = monitor.work.secrets.iter().map(|secret| SecretUse {
        secret: model.secrets[secret.secret].name.value.clone(),
        variable: secret.variable.clone(),
    });
    Some(Monitor {
        name: monitor.name.value.clone(),
        doc: monitor.doc.clone(),
        when: monitor.when.clone(),
        every: monitor.every?,
        current: model.plan_origin(&monitor.current.as_ref()?.value),
        reference: monitor.reference.as_ref().map(|reference| model.plan_origin(&reference.value)),
        // It has no baseline of a registry, which is what a gate's own id would be for.
        gate: plan_gate(model, model::NodeId::at(0), &monitor.gate),
        secrets: secrets.chain(credential_secrets(model, &monitor.work)).collect(),
        credentials: credentials(model, &monitor.work),
        on_breach: reactions.collect(),
        cooldown: monitor.cooldown,
    })
}

/// Returns the credentials that a work gets, by name.
pub(super) fn credentials(model: &Model, work: &model::Work) -> Vec<String> {
    work.credentials.iter().map(|used| model.credentials[used.value].name.value.clone()).collect()
}

/// Returns the secrets that credentials are made of, under the names that the providers' programs read.
pub(super) fn credential_secrets(model: &Model, work: &model::Work) -> Vec<SecretUse> {
    let parts = work.credentials.iter().filter_map(|used| match &model.credentials[used.value].kind {
        Some(CredentialKind::Static { provider, secrets, .. }) => Some((provider, secrets)),
        _ => None,
    });
    parts
        .flat_map(|(provider, secrets)| secrets.iter().map(move |part| (provider, part)))
        .filter_map(|(provider, (part, secret))| {
            Some(SecretUse { secret: secret.clone(), variable: variable(provider, part)?.to_owned() })
        })
        .collect()
}

/// Returns what of credentials is no secret, under the names that the providers' programs read.
pub(super) fn credential_variables(model: &Model, work: &model::Work) -> Vec<(String, Value)> {
    let parts = work.credentials.iter().filter_map(|used| match &model.credentials[used.value].kind {
        Some(CredentialKind::Static { provider, settings, .. }) => Some((provider, settings)),
        _ => None,
    });
    parts
        .flat_map(|(provider, settings)| settings.iter().map(move |part| (provider, part)))
        .filter_map(|(provider, (part, text))| {
            Some((variable(provider, part)?.to_owned(), Value::String(text.clone())))
        })
        .collect()
}

fn variable(provider: &str, part: &str) -> Option<&'static str> {
    Some(match (provider, part) {
        ("aws", "access_key_id") => "AWS_ACCESS_KEY_ID",
        ("aws", "secret_access_key") => "AWS_SECRET_ACCESS_KEY",
        ("aws", "region") => "AWS_REGION",
        ("aws", "endpoint") => "AWS_ENDPOINT_URL",
        ("gcp", "key") => "GOOGLE_CREDENTIALS",
        ("gcp", "project") => "GOOGLE_CLOUD_PROJECT",
        ("azure", "connection_string") => "AZURE_STORAGE_CONNECTION_STRING",
        ("azure", "account") => "AZURE_STORAGE_ACCOUNT",
        _ => return None,
    })
}

fn line(line: &model::LiveRequirement) -> LiveRequirement {
    LiveRequirement {
        level: line.level,
        text: line.text.clone(),
        measure: line.measure.clone(),
        bound: line.bound.clone(),
    }
}

fn watch(model: &Model, watch: &model::Watch) -> Watch {
    Watch {
        source: model.sources[watch.source].name.value.clone(),
        every: watch.every,
        requirements: watch.requirements.iter().map(line).collect(),
        fail_after: watch.fail_after,
        on_no_data: watch.on_no_data,
        on_error: watch.on_error,
        min_measurements: watch.min_measurements,
        max_hold: watch.max_hold,
    }
}
