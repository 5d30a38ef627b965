//! Where pods run, in Kubernetes' own words: selectors, taints, affinity. Read from raw blocks and written as it was read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kubernetes::Labels;
use super::model::Named;
use super::storage::Volume;

/// What a raw block adds for all pods of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Scheduling {
    /// Written beside those that every pod has.
    #[serde(default, skip_serializing)]
    pub(super) volumes: Vec<Volume>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) node_selector: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tolerations: Vec<Toleration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) affinity: Option<Affinity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) image_pull_secrets: Vec<Named>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub(super) pod_metadata: Labels,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) host_aliases: Vec<HostAlias>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pod_priority_class_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scheduler_name: Option<String>,
}

/// A taint that a pod stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Toleration {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operator: Option<TaintOperator>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<TaintEffect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) toleration_seconds: Option<i64>,
}

/// How a taint is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TaintOperator {
    /// Any value.
    Exists,
    /// This value.
    Equal,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TaintEffect {
    /// Keeps pods away.
    NoSchedule,
    /// Keeps pods away where others will do.
    PreferNoSchedule,
    /// Drives pods out.
    NoExecute,
}

/// A name in a pod's hosts file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostAlias {
    pub(super) ip: String,
    pub(super) hostnames: Vec<String>,
}

/// Which machines, and whose company, a pod looks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Affinity {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) node_affinity: Option<NodeAffinity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pod_affinity: Option<PodAffinity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pod_anti_affinity: Option<PodAffinity>,
}

/// Which machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NodeAffinity {
    #[serde(
        default,
        rename = "requiredDuringSchedulingIgnoredDuringExecution",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) required: Option<NodeTerms>,
    #[serde(
        default,
        rename = "preferredDuringSchedulingIgnoredDuringExecution",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) preferred: Vec<NodePreference>,
}

/// One of these must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NodeTerms {
    pub(super) node_selector_terms: Vec<NodeTerm>,
}

/// All of these must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NodeTerm {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) match_expressions: Vec<Match>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) match_fields: Vec<Match>,
}

/// How much a machine is wished for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodePreference {
    pub(super) weight: u8,
    pub(super) preference: NodeTerm,
}

/// Whose company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PodAffinity {
    #[serde(default, rename = "requiredDuringSchedulingIgnoredDuringExecution", skip_serializing_if = "Vec::is_empty")]
    pub(super) required: Vec<PodTerm>,
    #[serde(
        default,
        rename = "preferredDuringSchedulingIgnoredDuringExecution",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) preferred: Vec<PodPreference>,
}

/// How much company is wished for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PodPreference {
    pub(super) weight: u8,
    pub(super) pod_affinity_term: PodTerm,
}

/// Pods, and how near.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PodTerm {
    pub(super) topology_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label_selector: Option<LabelSelector>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) namespaces: Vec<String>,
}

/// Pods by their labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LabelSelector {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) match_labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) match_expressions: Vec<Match>,
}

/// A comparison of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) key: String,
    pub(super) operator: MatchOperator,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum MatchOperator {
    /// One of the values.
    In,
    /// None of them.
    NotIn,
    /// There, whatever it is.
    Exists,
    /// Not there.
    DoesNotExist,
    /// Above the one value.
    Gt,
    /// Below it.
    Lt,
}
