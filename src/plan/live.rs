//! What meets live traffic: rollouts and what they watch.

use serde::{Deserialize, Serialize};

use super::Work;
use crate::gate;
use crate::types::{
    Assignment, Command, CredentialKind, Expr, FailAfter, LiveMeasure, Origin, Receiver, Silence, Strategy,
};

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

/// An A/B test. The bucket of a user is the first eight bytes, big-endian, of SHA-256(salt, 0, unit id), modulo ten
/// thousand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// The register node.
    pub release: String,
    /// The arms in order; together they are all buckets.
    pub arms: Vec<Arm>,
    /// Who is in which.
    pub assignment: Assignment,
    /// Nanoseconds after which it is decided.
    pub horizon: i64,
    /// What all hooks share; its command is `shift`.
    #[serde(flatten)]
    pub work: Work,
    /// Reads back who gets what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observe: Option<Command>,
    /// Gives everybody the control arm.
    pub rollback: Command,
    /// Permissions by scope.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub permissions: Vec<(String, String)>,
    /// What is watched while it runs.
    pub watch: Watch,
    /// What has to hold at the horizon.
    pub requirements: Vec<LiveRequirement>,
}

/// One arm: a range of buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// First bucket.
    pub from: u32,
    /// One past the last bucket.
    pub to: u32,
    /// The pointer that it serves; none is the release that is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serves: Option<Origin>,
}

/// What a plan holds beside its runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Beside {
    /// Credentials of stores.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credentials: Vec<Credential>,
    /// Who is told of what.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notifications: Vec<Notification>,
    /// What schedules look at.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub monitors: Vec<Monitor>,
}

/// A credential of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its name.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// What it is made of.
    pub kind: CredentialKind,
}

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its name.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// `slack`, `email`, `webhook`.
    pub channel: String,
    /// Where it goes.
    pub to: Receiver,
    /// What has to happen, and to which node or monitor; `run` is the whole run.
    pub on: Vec<(String, String)>,
}

/// What a schedule looks at, beside the runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    /// Its name.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// False: it does not look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Nanoseconds between two looks.
    pub every: i64,
    /// What it judges.
    pub current: Origin,
    /// What that is held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Origin>,
    /// The requirements, as a gate on `current`.
    pub gate: gate::Gate,
    /// Secrets that it gets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub secrets: Vec<super::SecretUse>,
    /// Credentials of stores that it gets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credentials: Vec<String>,
    /// What happens where it does not hold.
    pub on_breach: Vec<Reaction>,
    /// Nanoseconds in which a second breach does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<i64>,
}

/// What a monitor does on breach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Emits an event.
    Emit {
        /// The event.
        event: String,
        /// Its payload.
        payload: Vec<(String, Expr)>,
    },
    /// Tells somebody: the notification.
    Notify(String),
}
