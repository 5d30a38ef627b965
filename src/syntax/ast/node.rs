//! The declarations that become nodes of the graph, and their clauses.

use serde::Serialize;

use super::{Allow, Docs, Expr, ExprKind, Mark, Name, Record, Str, Type};
use crate::source::Span;

/// What may stand between a node's name and its body, in any order; each at most once.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Header {
    /// `for client in clients, seed in 1..3`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loops: Vec<Loop>,
    /// `when train_enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// `after quality, behaves`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Expr>,
    /// `ungated "reason"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ungated: Option<Ungated>,
}

/// `ungated "reason"`: the missing gate is meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ungated {
    /// Why.
    pub reason: Str,
    /// With the word.
    #[serde(skip)]
    pub span: Span,
}

/// One `name in list` of a `for`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loop {
    /// The loop variable.
    pub name: Name,
    /// A list or a range.
    pub values: Expr,
    /// From name to list.
    #[serde(skip)]
    pub span: Span,
}

/// `stage NAME … { clauses }` or `stage NAME = BASE with { … }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// Loops, condition, order.
    pub header: Header,
    /// Its clauses, or the stage it is made from.
    pub body: StageBody,
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum StageBody {
    /// `{ clauses }`.
    Clauses(Vec<Clause>),
    /// `= evaluate with { data: golden }`.
    With {
        /// The stage that it is made from.
        base: Name,
        /// Inputs and outputs that are different.
        changes: Record,
    },
}

/// A clause of a stage or an action with its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Clause {
    /// Which one.
    pub kind: StageClause,
    /// The whole clause.
    #[serde(skip)]
    pub span: Span,
}

/// The clauses of stages and actions; `permissions`, `environment` and `idempotent` are an action's alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum StageClause {
    /// `in data = prepare.train, raw`.
    In(Vec<Input>),
    /// `code "src/train.py", "src/features/**"`.
    Code(Vec<Expr>),
    /// `use lr, epochs`.
    Use(Vec<Name>),
    /// `secret hf_token, github_token as "GH_TOKEN"`.
    Secret(Vec<SecretUse>),
    /// `credentials aws`.
    Credentials(Vec<Name>),
    /// `runtime py`.
    Runtime(Name),
    /// `out model: Model<pickle> = "…"`.
    Out(Box<Output>),
    /// `needs { gpu: 1 }`.
    Needs(Record),
    /// `timeout 4h`.
    Timeout(Expr),
    /// `retry 2 on infrastructure, exit(75)`.
    Retry {
        /// How often.
        times: Expr,
        /// On what: names, or `exit(N)`.
        on: Vec<Expr>,
    },
    /// `rerun always`.
    RerunAlways,
    /// `rerun when force_train`.
    RerunWhen(Expr),
    /// `checkpoint "checkpoints"`.
    Checkpoint(Expr),
    /// `status 0, 1`.
    Status(Vec<Expr>),
    /// `run …`.
    Run(Run),
    /// `inputs readonly`.
    Inputs(Name),
    /// `isolation off`.
    Isolation(Name),
    /// `pass_env ["HF_HOME"]`.
    PassEnv(Expr),
    /// `permissions { contents: "write" }`.
    Permissions(Record),
    /// `environment "production-deploy"`.
    Environment(Expr),
    /// `idempotent`.
    Idempotent,
    /// `allow pipe-in-sh "…"`.
    Allow(Allow),
}

/// One input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// Its name in the stage.
    pub name: Name,
    /// What it is; none for `in raw`, which is `in raw = raw`. [`ExprKind::Optional`] for `…?`.
    pub value: Option<Expr>,
    /// `ungated`: does not wait for the gates on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ungated: Option<Mark>,
    /// The whole input.
    #[serde(skip)]
    pub span: Span,
}

impl Input {
    /// Tells whether the input may be absent, and returns what it is without the `?`.
    #[must_use]
    pub fn optional(&self) -> (bool, Option<&Expr>) {
        match self.value.as_ref() {
            Some(Expr { kind: ExprKind::Optional(inner), .. }) => (true, Some(inner)),
            value => (false, value),
        }
    }
}

/// A secret that a stage uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SecretUse {
    /// The declared secret.
    pub name: Name,
    /// The variable's name, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<Str>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Output {
    /// The `##` lines before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<Docs>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// `of model`: what was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Expr>,
    /// `over data`: on which data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<Expr>,
    /// `as test`: which split that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Name>,
    /// `always`: kept also when the stage fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always: Option<Mark>,
    /// Its path, or a call such as `json("stats.json", "/rows")` for a value.
    pub value: Expr,
}

/// What a stage, action or hook runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Run {
    /// `run ["python", "train.py"]`: a list of arguments; any expression.
    Args(Expr),
    /// `run <<< … >>>`, `run sh <<<`, `run python <<<`.
    Script {
        /// `sh`, `python`; none is bash.
        interpreter: Option<Name>,
        /// The text; never has `{expr}` in it.
        script: Str,
    },
}

/// `gate NAME on evidence { clauses }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Its name.
    pub name: Name,
    /// Loops, condition, order.
    pub header: Header,
    /// What it judges; at least one.
    pub on: Vec<Evidence>,
    /// Its clauses in order.
    pub clauses: Vec<GateClause>,
}

/// One thing that a gate judges: `evaluate.report` or `offline = evaluate.report`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Its name in requirements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<Name>,
    /// The output or source.
    pub value: Expr,
}

/// A clause of a gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum GateClause {
    /// `baseline models@production [recorded]`.
    Baseline {
        /// The pointer that is compared with.
        pointer: Expr,
        /// `recorded`: its numbers are taken as they were written.
        #[serde(skip_serializing_if = "Option::is_none")]
        recorded: Option<Mark>,
        /// The whole clause.
        #[serde(skip)]
        span: Span,
    },
    /// `on no_baseline: …`.
    OnNoBaseline(Outcome),
    /// `on unscorable: …`.
    OnUnscorable(Outcome),
    /// `require …`.
    Require(Requirement),
    /// `warn …`.
    Warn(Requirement),
    /// `min_n 100`, `min_base 1e-6`.
    Setting(Setting),
    /// `allow baseline-unused "…"`.
    Allow(Allow),
}

/// What is done in a situation: the part of `on SITUATION: OUTCOME` behind the colon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Which one.
    pub kind: OutcomeKind,
    /// The whole clause, from `on`.
    #[serde(skip)]
    pub span: Span,
}

/// The outcomes that can be written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum OutcomeKind {
    /// `pass`.
    Pass,
    /// `fail`.
    Fail,
    /// `error`.
    Error,
    /// `hold`.
    Hold,
    /// `ask bootstrap`.
    Ask(Name),
}

/// A requirement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Requirement {
    /// What has to hold: a comparison, a `between`, or a call such as `schema(Transactions)`.
    pub expr: Expr,
    /// `against "configs/train.baseline.json"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Expr>,
    /// The whole clause, from `require` or `warn`.
    #[serde(skip)]
    pub span: Span,
}

/// `NAME VALUE`, such as `max_hold 10m`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The word.
    pub name: Name,
    /// The value.
    pub value: Expr,
    /// The whole clause.
    #[serde(skip)]
    pub span: Span,
}

/// `register NAME = MODEL [with ARTIFACTS] to REGISTRY [header] [{ record }]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Register {
    /// The release's name.
    pub name: Name,
    /// The model.
    pub model: Expr,
    /// What is registered with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Expr>,
    /// The registry.
    pub to: Expr,
    /// Loops, condition, order.
    pub header: Header,
    /// `{ metrics: evaluate.report }`.
    pub record: Option<Record>,
}

/// `approval NAME of SUBJECT { record }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approval {
    /// Its name.
    pub name: Name,
    /// What is decided about.
    pub of: Expr,
    /// Loops, condition, order.
    pub header: Header,
    /// `{ by: ["alice"], timeout: 24h }`.
    pub record: Option<Record>,
}

/// `promote NAME = RELEASE to POINTER`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Promote {
    /// Its name.
    pub name: Name,
    /// The release.
    pub release: Expr,
    /// `models@production`.
    pub to: Expr,
    /// Loops, condition, order.
    pub header: Header,
}

/// `action NAME [of SUBJECT] { clauses }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Action {
    /// Its name.
    pub name: Name,
    /// What it is about.
    pub of: Option<Expr>,
    /// Loops, condition, order.
    pub header: Header,
    /// Its clauses in order.
    pub clauses: Vec<Clause>,
}
