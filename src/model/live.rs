//! What meets live traffic: rollouts and what they watch.

use super::{NodeId, Pointer, SourceId, Work};
use crate::gate;
use crate::source::{Span, Spanned};
use crate::types::{Assignment, FailAfter, LiveMeasure, Silence, Strategy};

/// Gives a release its traffic, step by step.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// The register node.
    pub release: NodeId,
    /// Where the release is named.
    pub release_span: Span,
    /// How.
    pub strategy: Strategy,
    /// The service.
    pub service: String,
    /// The deployment environment.
    pub environment: String,
    /// Gives the candidate its share of the traffic.
    pub shift: Work,
    /// Permissions by scope.
    pub permissions: Vec<(String, String)>,
    /// Reads back who gets which share of the traffic.
    pub observe: Work,
    /// Gives the traffic back to the stable version.
    pub rollback: Work,
    /// The approval that the first deployment asks; none goes at once.
    pub first_deploy: Option<Spanned<NodeId>>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What is watched.
    pub watch: Option<Watch>,
    /// Nanoseconds for which the previous version stays deployed.
    pub keep: i64,
    /// Nanoseconds without an observation after which a rollout that goes on again is rolled back.
    pub max_gap: i64,
    /// Nanoseconds after which it is rolled back.
    pub max_duration: i64,
    /// Who gets the candidate, for a test.
    pub assignment: Option<Assignment>,
    /// The pointer that is moved last, with where it is named.
    pub pointer: Option<Spanned<Pointer>>,
}

impl Rollout {
    /// Returns the hooks: the same work with three commands.
    #[must_use]
    pub fn hooks(&self) -> [&Work; 3] {
        [&self.shift, &self.observe, &self.rollback]
    }

    /// Iterates over the approvals that are asked on the way.
    pub fn asks(&self) -> impl Iterator<Item = &Spanned<NodeId>> {
        self.first_deploy.iter().chain(self.steps.iter().filter_map(|step| step.ask.as_ref()))
    }
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Percent of the traffic.
    pub percent: u32,
    /// Nanoseconds for which it is watched.
    pub duration: Option<i64>,
    /// The approval that is waited for, with the watch on.
    pub ask: Option<Spanned<NodeId>>,
    /// The clause.
    pub span: Span,
}

/// What is watched while traffic flows.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The source of live metrics.
    pub source: SourceId,
    /// Where the source is named.
    pub source_span: Span,
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
#[derive(Debug, Clone)]
pub struct LiveRequirement {
    /// Whether it blocks.
    pub level: gate::Level,
    /// As written, with single spaces.
    pub text: String,
    /// What is measured.
    pub measure: LiveMeasure,
    /// What it is held against.
    pub bound: gate::Bound,
    /// The clause.
    pub span: Span,
}
