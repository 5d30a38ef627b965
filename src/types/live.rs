//! What meets live traffic, as the model and the plan both say it: strategies, measurements, counting.

use serde::{Deserialize, Serialize};

use super::{Range, Type};

/// How a release gets its traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Rising shares, each watched.
    Canary,
    /// Beside the stable version without traffic, then in its place, with the stable one at full size until the end.
    BlueGreen,
    /// A copy of the traffic; what it answers reaches nobody.
    Shadow,
    /// A share of the users, always the same ones.
    Ab,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Canary, Self::BlueGreen, Self::Shadow, Self::Ab];

    /// Returns the word that is written for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::BlueGreen => "blue_green",
            Self::Shadow => "shadow",
            Self::Ab => "ab",
        }
    }
}

/// How failing measurements end a rollout: so many, counted so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailAfter {
    /// How many.
    pub count: u32,
    /// Counted how.
    pub window: Window,
}

/// How failing measurements are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// In a row.
    Consecutive,
    /// Among the last so many.
    Of(u32),
    /// In all.
    Total,
}

/// What a measurement without a number means. It is never a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// The step waits, up to `max_hold`; then the rollout is rolled back.
    Hold,
    /// It counts as a failing measurement.
    Fail,
}

/// A credential of a store: what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// The platform vouches for the job, and the provider hands out a short-lived key.
    Oidc {
        /// `aws`, `gcp`, `azure`.
        provider: String,
        /// What the provider asks for, in the order of its list: `role`, `region`, …
        settings: Vec<(String, String)>,
    },
    /// Keys that stand in secrets.
    Static {
        /// `aws`, `gcp`, `azure`, `dvc`.
        provider: String,
        /// The secret that holds each part.
        secrets: Vec<(String, String)>,
        /// What is no secret: `region`, …
        settings: Vec<(String, String)>,
    },
}

impl CredentialKind {
    /// Returns whose stores it opens.
    #[must_use]
    pub fn provider(&self) -> &str {
        match self {
            Self::Oidc { provider, .. } | Self::Static { provider, .. } => provider,
        }
    }
}

/// Where a notification goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// An address that anybody may read.
    Text(String),
    /// An address that is a secret: this one.
    Secret(String),
    /// An address that is a parameter: this one.
    Param(String),
}

/// What one line of a watch looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveMeasure {
    /// The metric of the live source.
    pub metric: String,
    /// Of which version.
    pub of: LiveOf,
    /// In an experiment, the arm that stands for the candidate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arm: Option<String>,
    /// The type of the number that comes out.
    pub ty: Type,
}

impl LiveMeasure {
    /// Returns the type that a limit on the number must be of: a difference may be negative.
    #[must_use]
    pub fn limit_type(&self) -> Type {
        match (self.of, &self.ty) {
            (LiveOf::Ratio | LiveOf::Difference, Type::Ratio(_)) => Type::Ratio(Range::FINITE),
            (_, ty) => ty.clone(),
        }
    }
}

/// Whose number a line of a watch looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveOf {
    /// `candidate.m`
    Candidate,
    /// `stable.m`
    Stable,
    /// `candidate.m / stable.m`
    Ratio,
    /// `candidate.m - stable.m`
    Difference,
}

/// Who is in which arm of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Mixed into every id, so that two tests split their users in ways that have nothing to do with each other.
    pub salt: String,
    /// The field of a request that says who asks.
    pub unit: String,
    /// Who asks without one.
    pub missing: Missing,
}

/// What becomes of a request without a unit id. There is no random fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It goes to the control arm, and counts.
    Control,
    /// It gets the stable version, and counts nowhere.
    LeftOut,
}
