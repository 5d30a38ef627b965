//! What Argo Workflows reads, as far as we write it: a serde model in the order in which people write the fields. Knows
//! nothing of plans.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kubernetes::{Container, Labels, Metadata, PodSecurity, SecretKey};
use super::scheduling::{Affinity, Scheduling, Toleration};
use super::storage::Volume;
use crate::emit::Noted;

/// A resource with a `spec`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<S> {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    pub(super) spec: S,
}

/// The specification of a workflow, also inside a WorkflowTemplate.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkflowSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workflow_template_ref: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<&'static str>,
    #[serde(skip_serializing_if = "Arguments::is_empty")]
    pub(super) arguments: Arguments,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_account_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_repository_ref: Option<ArtifactRepositoryRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) synchronization: Option<Synchronization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parallelism: Option<u32>,
    #[serde(rename = "podGC", skip_serializing_if = "Option::is_none")]
    pub(super) pod_gc: Option<PodGc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl_strategy: Option<TtlStrategy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) security_context: Option<PodSecurity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volumes: Vec<Volume>,
    #[serde(flatten)]
    pub(super) added: Scheduling,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) template_defaults: Option<Noted<TemplateDefaults>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) templates: Vec<Noted<Template>>,
}

/// What every container template says, unless it says otherwise.
#[derive(Debug, Default, Serialize)]
pub(super) struct TemplateDefaults {
    pub(super) container: Container,
}

/// The specification of a CronWorkflow.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CronSpec {
    pub(super) schedules: Vec<String>,
    pub(super) timezone: String,
    pub(super) concurrency_policy: &'static str,
    pub(super) starting_deadline_seconds: u32,
    pub(super) workflow_spec: WorkflowSpec,
}

/// A reference by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) name: String,
}

/// Which entry of which ConfigMap says where artifacts are kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactRepositoryRef {
    pub(super) config_map: &'static str,
    pub(super) key: String,
}

/// Locks that a workflow holds.
#[derive(Debug, Serialize)]
pub(super) struct Synchronization {
    pub(super) mutexes: Vec<Named>,
}

/// When pods are deleted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodGc {
    pub(super) strategy: &'static str,
    pub(super) delete_delay_duration: &'static str,
}

/// When the workflow itself is deleted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TtlStrategy {
    pub(super) seconds_after_completion: i64,
}

/// Values and files that are passed on.
#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct Arguments {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) artifacts: Vec<Artifact>,
}

impl Arguments {
    fn is_empty(&self) -> bool {
        self.parameters.is_empty() && self.artifacts.is_empty()
    }
}

/// A small text.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<String>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub(super) one_of: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value_from: Option<ValueFrom>,
}

/// Where an output parameter comes from.
#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct ValueFrom {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supplied: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<&'static str>,
}

/// `{}`
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

/// A file or folder that is passed on.
#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct Artifact {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) archive: Option<Archive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s3: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) git: Option<Git>,
}

/// How an artifact is packed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Archive {
    /// As it is.
    None(Empty),
    /// As a tar file, so that empty folders and modes stay.
    Tar(Tar),
}

/// How a tar file is compressed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tar {
    pub(super) compression_level: u8,
}

/// The key of an artifact; bucket and credentials are the artifact repository's.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Key {
    pub(super) key: String,
}

/// A clone of a git repository.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Git {
    pub(super) repo: String,
    pub(super) revision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) username_secret: Option<SecretKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password_secret: Option<SecretKey>,
}

/// A template: the graph, a pod, or a wait.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Template {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dag: Option<Dag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suspend: Option<Suspend>,
    #[serde(skip_serializing_if = "Arguments::is_empty")]
    pub(super) inputs: Arguments,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) init_containers: Vec<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container: Option<Container>,
    #[serde(skip_serializing_if = "Arguments::is_empty")]
    pub(super) outputs: Arguments,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active_deadline_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_strategy: Option<RetryStrategy>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) node_selector: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tolerations: Vec<Toleration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) affinity: Option<Affinity>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub(super) metadata: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volumes: Vec<Volume>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sidecars: Vec<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) priority_class_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scheduler_name: Option<String>,
}

/// A graph of tasks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dag {
    pub(super) fail_fast: bool,
    pub(super) tasks: Vec<Noted<Task>>,
}

/// One node of the graph.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) template: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) depends: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) when: Option<String>,
    #[serde(skip_serializing_if = "Arguments::is_empty")]
    pub(super) arguments: Arguments,
}

/// A wait for a person, with an end.
#[derive(Debug, Serialize)]
pub(super) struct Suspend {
    pub(super) duration: String,
}

/// When a pod is tried again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RetryStrategy {
    pub(super) limit: u32,
    pub(super) retry_policy: &'static str,
    pub(super) expression: String,
    pub(super) backoff: Backoff,
}

/// How long it waits before it is tried again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Backoff {
    pub(super) duration: &'static str,
    pub(super) factor: u32,
    pub(super) cap: &'static str,
}
