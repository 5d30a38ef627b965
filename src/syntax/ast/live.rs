//! Nodes that meet live traffic and data: rollouts, monitors, experiments.

use serde::Serialize;

use super::{Clause, Expr, Header, Name, Outcome, Record, Requirement, Run, Setting, Str};
use crate::source::Span;

/// `rollout NAME of RELEASE by STRATEGY { clauses }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rollout {
    /// Its name.
    pub name: Name,
    /// The release.
    pub of: Expr,
    /// `canary`, `blue_green`, `shadow`.
    pub by: Name,
    /// Loops, condition, order.
    pub header: Header,
    /// Its clauses in order.
    pub clauses: Vec<RolloutClause>,
}

/// A clause of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum RolloutClause {
    /// `in`, `code`, `use`, `secret`, `credentials`, `runtime`, `needs`, `permissions`, `pass_env`, `isolation`.
    Stage(Clause),
    /// `service "fraud-scoring" at "production"`.
    Service {
        /// The service.
        name: Str,
        /// The deployment environment.
        environment: Str,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `first_deploy direct` or `first_deploy ask APPROVAL`.
    FirstDeploy {
        /// The approval that is asked; none is `direct`.
        ask: Option<Name>,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `step 10% for 30m`.
    Step {
        /// The share of traffic.
        share: Expr,
        /// How long it is watched.
        duration: Option<Expr>,
        /// An approval that is waited for while the watch stays on: `step 50% ask APPROVAL`.
        #[serde(skip_serializing_if = "Option::is_none")]
        ask: Option<Name>,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `watch traffic every 60s { … }`.
    Watch(Watch),
    /// `keep previous for 7d`.
    Keep {
        /// How long.
        duration: Expr,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `shift`, `observe`, `rollback` with what they run.
    Hook {
        /// Which hook.
        name: Name,
        /// What it runs.
        run: Run,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `promote models@production`.
    Promote {
        /// The pointer.
        to: Expr,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `max_hold 10m`, `min_measurements 3`, `max_gap 5m`, `max_duration 2h`, `side_effects none`.
    Setting(Setting),
}

/// `watch SOURCE every DURATION { clauses }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watch {
    /// The source of live metrics.
    pub source: Expr,
    /// How often it is read.
    pub every: Expr,
    /// Its clauses in order.
    pub clauses: Vec<WatchClause>,
    /// The whole clause.
    #[serde(skip)]
    pub span: Span,
}

/// A clause of a watch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum WatchClause {
    /// `require candidate.error_rate <= 1%`.
    Require(Requirement),
    /// `warn …`.
    Warn(Requirement),
    /// `fail after 3 consecutive`, `fail after 3 of 10`, `fail after 5 total`.
    FailAfter {
        /// How many.
        count: Expr,
        /// Counted how.
        window: FailWindow,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `on no_data: hold`.
    OnNoData(Outcome),
    /// `on error: fail`.
    OnError(Outcome),
    /// `min_measurements 3`, `max_hold 10m`.
    Setting(Setting),
}

/// How failing measurements are counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum FailWindow {
    /// In a row.
    Consecutive,
    /// Among the last so many.
    Of(Expr),
    /// In all.
    Total,
}

/// `monitor NAME { clauses }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Monitor {
    /// Its name.
    pub name: Name,
    /// Loops, condition, order.
    pub header: Header,
    /// Its clauses in order.
    pub clauses: Vec<MonitorClause>,
}

/// A clause of a monitor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum MonitorClause {
    /// `in`, `credentials`, `secret`, `runtime`, `needs`, `timeout`.
    Stage(Clause),
    /// `every 1d`.
    Every {
        /// How often.
        interval: Expr,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `require …`.
    Require(Requirement),
    /// `warn …`.
    Warn(Requirement),
    /// `on breach: emit "retrain-model" { reason: "drift" }`.
    OnBreach {
        /// What happens then.
        reaction: Reaction,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `cooldown 7d`.
    Cooldown {
        /// How long.
        duration: Expr,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `min_n 100`.
    Setting(Setting),
}

/// What a monitor does on breach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Reaction {
    /// `emit "retrain-model" { reason: "drift" }`.
    Emit {
        /// The event.
        event: Str,
        /// Its payload.
        payload: Option<Record>,
    },
    /// `notify oncall`.
    Notify(Name),
}

/// `experiment NAME of RELEASE { clauses }`: an A/B test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// Its name.
    pub name: Name,
    /// The release that is tried.
    pub of: Expr,
    /// Loops, condition, order.
    pub header: Header,
    /// Its clauses in order.
    pub clauses: Vec<ExperimentClause>,
}

/// A clause of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ExperimentClause {
    /// `in`, `code`, `use`, `secret`, `credentials`, `runtime`, `needs`, `permissions`.
    Stage(Clause),
    /// `arm control 80% = models@production`.
    Arm {
        /// The arm's name.
        name: Name,
        /// Its share.
        share: Expr,
        /// What it serves; none is the release that is tried.
        serves: Option<Expr>,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `require …`.
    Require(Requirement),
    /// `warn …`.
    Warn(Requirement),
    /// `watch SOURCE every DURATION { … }`.
    Watch(Watch),
    /// `shift`, `observe`, `rollback` with what they run.
    Hook {
        /// Which hook.
        name: Name,
        /// What it runs.
        run: Run,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `unit "user_id"`, `salt "…"`, `missing control`, `horizon 14d`.
    Setting(Setting),
}
