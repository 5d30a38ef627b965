//! What meets live traffic: rollouts and what they watch.

use super::{Gate, NodeId, Origin, Pointer, SourceId, Work};
use crate::gate;
use crate::source::{Span, Spanned};
use crate::types::{Assignment, CredentialKind, Expr, FailAfter, LiveMeasure, Receiver, Silence, Strategy};

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

/// A credential of a store.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// What it is made of; none where it could not be understood.
    pub kind: Option<CredentialKind>,
}

/// Who is told of what.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// `slack`, `email`, `webhook`; empty where it could not be understood.
    pub channel: String,
    /// Where it goes.
    pub to: Option<Receiver>,
    /// Nodes or monitors by name, and what has to happen to them.
    pub on: Vec<(String, String)>,
    /// It names something, understood or not.
    pub says_on: bool,
}

/// What a schedule looks at, beside the runs.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// The declaration.
    pub span: Span,
    /// False: it does not look.
    pub when: Option<Expr>,
    /// Nanoseconds between two looks; none where that is not said.
    pub every: Option<i64>,
    /// What it reads, secrets, credentials, machine.
    pub work: Work,
    /// What it judges.
    pub current: Option<Spanned<Origin>>,
    /// What it is held against.
    pub reference: Option<Spanned<Origin>>,
    /// What has to hold, as a gate on `current`.
    pub gate: Gate,
    /// What happens where it does not.
    pub on_breach: Vec<Reaction>,
    /// Nanoseconds in which a second breach does nothing.
    pub cooldown: Option<i64>,
}

/// What a monitor does on breach.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// Emits an event.
    Emit {
        /// The event.
        event: Spanned<String>,
        /// Its payload, with where each field is named.
        payload: Vec<(Spanned<String>, Expr)>,
    },
    /// Tells somebody: an index into the notifications.
    Notify(usize),
}

/// An A/B test: who gets which arm, and what is decided in the end.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The register node.
    pub release: NodeId,
    /// Where the release is named.
    pub release_span: Span,
    /// The arms in order.
    pub arms: Vec<Arm>,
    /// Who is in which.
    pub assignment: Option<Assignment>,
    /// Nanoseconds after which it is decided.
    pub horizon: i64,
    /// Gives the arms their users.
    pub shift: Work,
    /// Reads back who gets what.
    pub observe: Option<Work>,
    /// Gives everybody the control arm.
    pub rollback: Work,
    /// Permissions by scope.
    pub permissions: Vec<(String, String)>,
    /// What is watched while it runs.
    pub watch: Option<Watch>,
    /// What has to hold at the horizon.
    pub requirements: Vec<LiveRequirement>,
}

/// One arm of an experiment: a range of the ten thousand buckets.
#[derive(Debug, Clone)]
pub struct Arm {
    /// Its name.
    pub name: Spanned<String>,
    /// First bucket.
    pub from: u32,
    /// One past the last bucket.
    pub to: u32,
    /// What it serves; none is the release that is tried.
    pub serves: Option<Spanned<Pointer>>,
}
