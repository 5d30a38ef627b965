//! What Argo Workflows and Kubernetes read, as far as we write it: a serde model in the order in which people write the
//! fields. Knows nothing of plans.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::scheduling::{Affinity, Scheduling, Toleration};
use super::storage::{Mount, Volume};
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

/// Name, place and labels of a resource.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generate_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// Labels and annotations of a pod.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labels {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Labels {
    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
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

/// Security of a pod.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSecurity {
    pub(super) run_as_non_root: bool,
    pub(super) run_as_user: u32,
    pub(super) run_as_group: u32,
    pub(super) fs_group: u32,
    pub(super) seccomp_profile: SeccompProfile,
}

/// A seccomp profile.
#[derive(Debug, Serialize)]
pub(super) struct SeccompProfile {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

/// Security of a container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerSecurity {
    pub(super) allow_privilege_escalation: bool,
    pub(super) capabilities: Capabilities,
}

/// Capabilities that are taken away.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Capabilities {
    pub(super) drop: Noted<Vec<&'static str>>,
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

/// One key of a Kubernetes Secret, or of a ConfigMap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretKey {
    pub(super) name: String,
    pub(super) key: String,
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

/// A container.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    /// Only init containers and sidecars have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<Noted<Vec<String>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) args: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) env: Vec<Variable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ports: Vec<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_pull_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resources: Option<Resources>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) security_context: Option<ContainerSecurity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volume_mounts: Vec<Mount>,
}

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Variable {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value_from: Option<VariableFrom>,
}

/// A value that a Secret, a ConfigMap or the pod itself holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct VariableFrom {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret_key_ref: Option<SecretKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) config_map_key_ref: Option<SecretKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) field_ref: Option<FieldRef>,
}

/// A field of the pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FieldRef {
    pub(super) field_path: String,
}

/// A port of a sidecar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Port {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) container_port: u16,
}

/// What a container asks for and may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resources {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) requests: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) limits: BTreeMap<String, String>,
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

/// A service account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceAccount {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
}

/// What an account may do in its namespace.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Role {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    pub(super) rules: Vec<Rule>,
}

/// One permission.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) api_groups: Noted<Vec<&'static str>>,
    pub(super) resources: Noted<Vec<&'static str>>,
    pub(super) verbs: Noted<Vec<&'static str>>,
}

/// Who has a role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleBinding {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    pub(super) role_ref: RoleRef,
    pub(super) subjects: Vec<BoundSubject>,
}

/// The role of a binding.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleRef {
    pub(super) api_group: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: String,
}

/// The account of a binding.
#[derive(Debug, Serialize)]
pub(super) struct BoundSubject {
    pub(super) kind: &'static str,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
}
