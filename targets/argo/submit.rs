//! What surrounds the templates: the WorkflowTemplate, what submits it, and the account that its pods run as.

use std::collections::BTreeMap;

use super::kubernetes::{
    BoundSubject, Metadata, PodSecurity, Role, RoleBinding, RoleRef, Rule, SeccompProfile, ServiceAccount,
};
use super::model::{
    Arguments, ArtifactRepositoryRef, CronSpec, Named, Parameter, PodGc, Resource, Synchronization, TemplateDefaults,
    TtlStrategy, WorkflowSpec,
};
use super::storage::{EmptyDir, Volume};
use super::{Context, names, pod, tree};
use crate::emit::{Noted, Yaml};
use crate::plan::{NodeKind, TriggerKind};

const API: &str = "argoproj.io/v1alpha1";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Makes the WorkflowTemplate, still without its templates.
pub(super) fn template(context: &Context<'_>) -> Resource<WorkflowSpec> {
    let settings = &context.settings;
    let user = settings.user;
    let artifacts = |key: &String| ArtifactRepositoryRef { config_map: "artifact-repositories", key: key.clone() };
    let spec = WorkflowSpec {
        entrypoint: Some("main"),
        arguments: Arguments { parameters: parameters(context), artifacts: vec![] },
        service_account_name: Some(account_name(context)),
        artifact_repository_ref: settings.artifacts.as_ref().map(artifacts),
        synchronization: locks(context),
        parallelism: Some(settings.parallelism),
        pod_gc: Some(PodGc { strategy: "OnPodSuccess", delete_delay_duration: "600s" }),
        ttl_strategy: Some(TtlStrategy { seconds_after_completion: settings.keep }),
        security_context: Some(PodSecurity {
            run_as_non_root: true,
            run_as_user: user,
            run_as_group: user,
            fs_group: user,
            seccomp_profile: SeccompProfile { kind: "RuntimeDefault" },
        }),
        volumes: vec![Volume { name: "mlpc".into(), empty_dir: Some(EmptyDir::default()), ..Volume::default() }],
        template_defaults: Some(
            Noted::new(TemplateDefaults { container: pod::defaults(context) })
                .before("what every pod has, unless it says otherwise"),
        ),
        ..WorkflowSpec::default()
    };
    Resource { api_version: API, kind: "WorkflowTemplate", metadata: named(context, name(context)), spec }
}

/// Makes the thin Workflow that people and CI submit.
pub(super) fn submission(context: &Context<'_>) -> Resource<WorkflowSpec> {
    let metadata = Metadata { generate_name: Some(format!("{}-", name(context))), ..named(context, String::new()) };
    let metadata = Metadata { name: None, ..metadata };
    Resource { api_version: API, kind: "Workflow", metadata, spec: reference(context, None, "manual") }
}

/// Makes one CronWorkflow for each `on schedule`.
pub(super) fn crons(context: &Context<'_>) -> Vec<Resource<CronSpec>> {
    let mut crons = Vec::new();
    // The clock can't be asked where the code is; `limits` has said so.
    if context.settings.repo.is_none() {
        return crons;
    }
    for trigger in &context.plan.triggers {
        let TriggerKind::Schedule { cron, timezone } = &trigger.kind else { continue };
        let name = match crons.len() {
            0 => name(context),
            before => format!("{}-{}", name(context), before + 1),
        };
        let spec = CronSpec {
            schedules: vec![cron.clone()],
            timezone: timezone.clone(),
            concurrency_policy: "Forbid",
            starting_deadline_seconds: 300,
            workflow_spec: reference(context, Some(trigger.profile.as_deref().unwrap_or_default()), "schedule"),
        };
        crons.push(Resource { api_version: API, kind: "CronWorkflow", metadata: named(context, name), spec });
    }
    crons
}

/// Makes the account with the one right that Argo's executor needs, to report how a pod ended.
pub(super) fn account(context: &Context<'_>) -> Vec<Yaml> {
    let name = account_name(context);
    let metadata = || named(context, name.clone());
    let account = ServiceAccount { api_version: "v1", kind: "ServiceAccount", metadata: metadata() };
    let rule = Rule {
        api_groups: Noted::flow(vec!["argoproj.io"]),
        resources: Noted::flow(vec!["workflowtaskresults"]),
        verbs: Noted::flow(vec!["create", "patch"]),
    };
    let role =
        Role { api_version: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: metadata(), rules: vec![rule] };
    let binding = RoleBinding {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: metadata(),
        role_ref: RoleRef { api_group: RBAC, kind: "Role", name: name.clone() },
        subjects: vec![BoundSubject { kind: "ServiceAccount", name, namespace: context.settings.namespace.clone() }],
    };
    vec![tree(&account), tree(&role), tree(&binding)]
}

fn name(context: &Context<'_>) -> String {
    names::slug(&context.plan.pipeline)
}

fn account_name(context: &Context<'_>) -> String {
    context.settings.service_account.clone().unwrap_or_else(|| format!("mlpc-{}", name(context)))
}

fn named(context: &Context<'_>, name: String) -> Metadata {
    Metadata {
        name: Some(name),
        namespace: context.settings.namespace.clone(),
        labels: BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "mlpc".to_owned())]),
        ..Metadata::default()
    }
}

/// The parameters of a run. Values of users travel in base64, since Argo evaluates `{{…}}` in a parameter's value.
fn parameters(context: &Context<'_>) -> Vec<Parameter> {
    let settings = &context.settings;
    let parameter = |name: &str, description: &'static str, value: Option<String>| Parameter {
        name: name.into(),
        description: Some(description),
        value,
        ..Parameter::default()
    };
    let revision = settings.revision.clone().unwrap_or_else(|| "HEAD".into());
    let mut parameters = vec![
        parameter("repo", "the repository that holds the pipeline", settings.repo.clone()),
        parameter("revision", "the branch, tag or commit that is run", Some(revision)),
        parameter(
            "profile",
            "the profile of the pipeline; empty for none",
            Some(context.profile().unwrap_or_default().into()),
        ),
        parameter("event", "what started the run", Some("manual".into())),
        parameter("params", "parameters of the pipeline: a JSON object in base64", Some(String::new())),
    ];
    if settings.cache_write.is_some() {
        let description =
            "the Secret with the key of the shared cache: one that reads, unless the clock started the run";
        parameters.push(parameter("cache", description, settings.cache_read.clone()));
    }
    parameters
}

/// A reference to the WorkflowTemplate with what one submission says otherwise.
fn reference(context: &Context<'_>, profile: Option<&str>, event: &str) -> WorkflowSpec {
    let set =
        |name: &str, value: &str| Parameter { name: name.into(), value: Some(value.into()), ..Parameter::default() };
    let profile = profile.or(context.profile()).unwrap_or_default();
    let mut parameters = vec![set("profile", profile), set("event", event)];
    if let (Some(write), "schedule") = (&context.settings.cache_write, event) {
        parameters.push(set("cache", write));
    }
    WorkflowSpec {
        workflow_template_ref: Some(Named { name: name(context) }),
        arguments: Arguments { parameters, artifacts: vec![] },
        ..WorkflowSpec::default()
    }
}

/// Runs that move the same pointer run one after another. Correct without it, since a promotion expects the version that
/// the gate compared with; but the second of two would then work in vain.
fn locks(context: &Context<'_>) -> Option<Synchronization> {
    let mut mutexes: Vec<Named> = Vec::new();
    for node in &context.plan.nodes {
        let NodeKind::Promote(promote) = &node.kind else { continue };
        let name =
            format!("mlpc-{}-{}-{}", name(context), names::slug(&promote.registry), names::slug(&promote.pointer));
        if !mutexes.iter().any(|mutex| mutex.name == name) {
            mutexes.push(Named { name });
        }
    }
    (!mutexes.is_empty()).then_some(Synchronization { mutexes })
}
