//! The declarations that are no nodes of the graph: names, values, types, triggers, settings.

use serde::Serialize;

use super::{
    Action, Approval, Column, Docs, Experiment, Expr, Gate, Metric, Monitor, Name, Promote, Record, Register, Rollout,
    Stage, Str, Type, TypeField,
};
use crate::source::Span;

/// A top-level declaration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The `##` lines before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<Docs>,
    /// Which one.
    pub kind: ItemKind,
    /// A clause could not be read and is left out; nobody should complain of what is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// From its first word to its last character, without docs.
    #[serde(skip)]
    pub span: Span,
}

impl Item {
    /// Returns the name that the declaration brings into the file's namespace.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match &self.kind {
            ItemKind::Pipeline(_)
            | ItemKind::Edition(_)
            | ItemKind::On(_)
            | ItemKind::Use(_)
            | ItemKind::Target(_)
            | ItemKind::External(_)
            | ItemKind::Allow(_) => None,
            ItemKind::Const(it) => Some(&it.name),
            ItemKind::Param(it) => Some(&it.name),
            ItemKind::Secret(it) => Some(&it.name),
            ItemKind::Credential(it) | ItemKind::Registry(it) => Some(&it.name),
            ItemKind::Runtime(it) | ItemKind::Notify(it) => Some(&it.name),
            ItemKind::Schema(it) => Some(&it.name),
            ItemKind::Metrics(it) => Some(&it.name),
            ItemKind::Source(it) => Some(&it.name),
            ItemKind::Profile(it) => Some(&it.name),
            ItemKind::Stage(it) => Some(&it.name),
            ItemKind::Gate(it) => Some(&it.name),
            ItemKind::Register(it) => Some(&it.name),
            ItemKind::Approval(it) => Some(&it.name),
            ItemKind::Promote(it) => Some(&it.name),
            ItemKind::Rollout(it) => Some(&it.name),
            ItemKind::Action(it) => Some(&it.name),
            ItemKind::Monitor(it) => Some(&it.name),
            ItemKind::Experiment(it) => Some(&it.name),
        }
    }
}

/// The kinds of declaration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ItemKind {
    /// `pipeline fraud_detector`.
    Pipeline(Pipeline),
    /// `edition 2026`.
    Edition(Edition),
    /// `on push { … }`.
    On(Trigger),
    /// `const clients = ["nord"]`.
    Const(Const),
    /// `param epochs: int = 20`.
    Param(Param),
    /// `secret github_token`.
    Secret(Secret),
    /// `credential aws = oidc(…)`.
    Credential(Binding),
    /// `runtime py { … }`.
    Runtime(Settings),
    /// `schema Transactions { … }`.
    Schema(Schema),
    /// `metrics Evaluation { … }`.
    Metrics(Metrics),
    /// `source raw: Dataset<csv> = "…"`.
    Source(Source),
    /// `registry models = directory("…")`.
    Registry(Binding),
    /// `profile smoke { … }`.
    Profile(Profile),
    /// `use "gates/common.mlp" { data_quality }`.
    Use(Use),
    /// `notify oncall { … }`.
    Notify(Settings),
    /// `target github { … }`; its name is a target's, not one of the file.
    Target(Settings),
    /// `external event "retrain-model"`: somebody else emits it.
    External(External),
    /// `allow nothing-matches "…"`, for the whole file.
    Allow(Allow),
    /// `stage train { … }`.
    Stage(Stage),
    /// `gate quality on … { … }`.
    Gate(Gate),
    /// `register release = … to …`.
    Register(Register),
    /// `approval go_live of … { … }`.
    Approval(Approval),
    /// `promote current = … to …`.
    Promote(Promote),
    /// `rollout live of … by … { … }`.
    Rollout(Rollout),
    /// `action notes { … }`.
    Action(Action),
    /// `monitor drift { … }`.
    Monitor(Monitor),
    /// `experiment checkout of … { … }`.
    Experiment(Experiment),
}

/// `pipeline NAME`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pipeline {
    /// The pipeline's name.
    pub name: Name,
}

/// `edition 2026`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edition {
    /// The year.
    pub year: Expr,
}

/// `on …`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Trigger {
    /// `on push { branches: […], paths: […] }`.
    Push(Option<Record>),
    /// `on pull_request { branches: […], profile: smoke }`.
    PullRequest(Option<Record>),
    /// `on schedule { cron: "…", timezone: "UTC" }`.
    Schedule(Option<Record>),
    /// `on manual { force_train, profile: shared }`.
    Manual {
        /// The parameters that are offered.
        params: Vec<Name>,
        /// The profile; more than one is a mistake.
        profiles: Vec<Name>,
    },
    /// `on call { epochs, profile: shared }`.
    Call {
        /// The parameters that a caller may set.
        params: Vec<Name>,
        /// The profile; more than one is a mistake.
        profiles: Vec<Name>,
    },
    /// `on event "retrain-model" { reason: string, profile: shared }`; the profile is among the fields.
    Event {
        /// The event's name.
        name: Str,
        /// The fields of its payload.
        payload: Vec<TypeField>,
    },
    /// `on upstream { pipeline: "telemetry" }`.
    Upstream(Option<Record>),
}

/// `const NAME [: TYPE] = VALUE`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Const {
    /// Its name.
    pub name: Name,
    /// Its type, where written.
    pub ty: Option<Type>,
    /// Its value.
    pub value: Expr,
}

/// `param NAME: TYPE [from FILE at POINTER] [= DEFAULT]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Where its value is read from.
    pub from: Option<ParamFrom>,
    /// Its default.
    pub default: Option<Expr>,
}

/// `from "configs/model.yaml" at "/train/lr"`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParamFrom {
    /// The file.
    pub file: Str,
    /// The place in it, a JSON pointer.
    pub pointer: Str,
    /// From `from` to the pointer.
    #[serde(skip)]
    pub span: Span,
}

/// `secret NAME`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Secret {
    /// Its name.
    pub name: Name,
}

/// `WORD NAME = VALUE`: credentials and registries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Binding {
    /// The name that is bound.
    pub name: Name,
    /// The value; a call such as `git("branch")`, as a rule.
    pub value: Expr,
}

/// `WORD NAME { key: value }`: runtimes, notifications, targets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Its name.
    pub name: Name,
    /// Its settings.
    pub record: Record,
}

/// `schema NAME { columns }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schema {
    /// Its name.
    pub name: Name,
    /// Its columns in order.
    pub columns: Vec<Column>,
}

/// `metrics NAME { metrics }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Its name.
    pub name: Name,
    /// Its metrics in order.
    pub metrics: Vec<Metric>,
}

/// `source NAME: TYPE = PLACE [frozen DIGEST]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Where it is: a path, or a call such as `s3("…")`.
    pub value: Expr,
    /// The digest after `frozen`.
    pub frozen: Option<Str>,
}

/// `profile NAME { clauses }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Its name.
    pub name: Name,
    /// Its clauses in order.
    pub clauses: Vec<ProfileClause>,
}

/// A clause of a profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ProfileClause {
    /// `set epochs = 1`.
    Set {
        /// The parameter, constant, source or registry that is set.
        name: Name,
        /// Its value in this profile.
        value: Expr,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `releases true`.
    Releases {
        /// The Bool.
        value: Expr,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `gates blocking` or `gates advisory`.
    Gates {
        /// The word.
        mode: Name,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
}

/// `use "FILE" { names }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Use {
    /// The file, relative to this one.
    pub file: Str,
    /// The names that are taken from it.
    pub names: Vec<Name>,
}

/// `external event "NAME"`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct External {
    /// The event that comes from outside.
    pub event: Str,
}

/// `allow CODE "REASON"`: a warning that is meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Allow {
    /// The code of the warning.
    pub code: Name,
    /// Why it is meant.
    pub reason: Str,
    /// With the word.
    #[serde(skip)]
    pub span: Span,
}
