//! What meets live traffic: rollouts and what they watch.

use serde::{Deserialize, Serialize};

use super::Work;
use crate::gate;
use crate::types::{Assignment, Command, FailAfter, LiveMeasure, Silence, Strategy};

/// Gives a release its traffic, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// The register node.
    pub release: String,
    /// How.
    pub strategy: Strategy,
    /// The service.
    pub service: String,
    /// The deployment environment.
    pub environment: String,
    /// What all hooks share; its command is `shift`. Besides its own names each gets `version previous digest model
    /// traffic`.
    #[serde(flatten)]
    pub work: Work,
    /// Reads back who gets which share of the traffic.
    pub observe: Command,
    /// Gives the traffic back to the stable version.
    pub rollback: Command,
    /// Permissions by scope.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub permissions: Vec<(String, String)>,
    /// What a deployment without a stable version does.
    pub first_deploy: FirstDeploy,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What is watched.
    pub watch: Watch,
    /// Nanoseconds for which the previous version stays deployed.
    pub keep_previous: i64,
    /// Nanoseconds without an observation after which a rollout that goes on again is rolled back.
    pub max_gap: i64,
    /// Nanoseconds after which it is rolled back.
    pub max_duration: i64,
    /// Who gets the candidate, for a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
    /// What is moved last; none where the release is only watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promote: Option<Moves>,
}

/// The pointer that a rollout moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    /// The registry.
    pub registry: String,
    /// The pointer.
    pub pointer: String,
    /// The gates that compared with this pointer: their reports say which version it must still name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub compared_by: Vec<String>,
}

/// What the first deployment does, which has nothing to fall back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstDeploy {
    /// It goes at once.
    Direct,
    /// It asks this approval.
    Ask(String),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Percent of the traffic.
    pub percent: u32,
    /// Nanoseconds for which it is watched, from when the router shows that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
    /// The approval that is waited for, with the watch on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
}

/// What is watched while traffic flows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The source of live metrics.
    pub source: String,
    /// Nanoseconds between two looks.
    pub every: i64,
    /// What has to hold.
    pub requirements: Vec<LiveRequirement>,
    /// What ends the rollout.
    pub fail_after: FailAfter,
    /// What no data means.
    pub on_no_data: Silence,
    /// What a failing look means.
    pub on_error: Silence,
    /// How many valid measurements a step needs.
    pub min_measurements: u32,
    /// Nanoseconds for which a step may hold.
    pub max_hold: i64,
}

/// One line of a watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveRequirement {
    /// Whether it blocks.
    pub level: gate::Level,
    /// As written.
    pub text: String,
    /// What is measured.
    pub measure: LiveMeasure,
    /// What it is held against.
    pub bound: gate::Bound,
}
