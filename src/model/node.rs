//! Nodes: what happens.

use std::collections::BTreeMap;

use super::{Experiment, Input, NodeId, Origin, RegistryId, Rollout, Stage, Work};
use crate::gate;
use crate::source::{Span, Spanned};
use crate::types::{Artifact, Expr, Leg, Type, Value};

/// What the command of an action `of` a release sees beside its inputs: the version's id, that of the one before, the model's digest, and
/// the path of its file.
pub const OF_RELEASE: [&str; 4] = ["version", "previous", "digest", "model"];

/// One thing that happens.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name; that of a leg has the values in it: `train[nord,1]`.
    pub name: Spanned<String>,
    /// Which leg of a loop it is.
    pub leg: Option<Leg>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// The word that declares it.
    pub keyword: &'static str,
    /// The declaration.
    pub span: Span,
    /// False: skipped.
    pub when: Option<Expr>,
    /// What must have come out well before.
    pub after: Vec<Spanned<NodeId>>,
    /// Why it goes without a gate.
    pub ungated: Option<Spanned<String>>,
    /// What it does.
    pub kind: NodeKind,
}

/// What a node does.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// Runs a command, cached.
    Stage(Box<Stage>),
    /// Decides by numbers.
    Gate(Box<Gate>),
    /// Waits for a person.
    Approval(Box<Approval>),
    /// Puts a model into a registry.
    Register(Box<Register>),
    /// Moves a pointer.
    Promote(Box<Promote>),
    /// Runs a command with effects.
    Action(Box<Action>),
    /// Gives a release its traffic, step by step.
    Rollout(Box<Rollout>),
    /// Tries a release on some of the users.
    Experiment(Box<Experiment>),
    /// Could not be understood; there is a diagnostic.
    Opaque,
}

impl NodeKind {
    /// Returns what the command of a node reads; that of a rollout or an experiment is the one that shifts the traffic.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        match self {
            Self::Stage(stage) => &stage.work.inputs,
            Self::Action(action) => &action.work.inputs,
            Self::Rollout(rollout) => &rollout.shift.inputs,
            Self::Experiment(it) => &it.shift.inputs,
            Self::Gate(_) | Self::Approval(_) | Self::Register(_) | Self::Promote(_) | Self::Opaque => &[],
        }
    }
}

/// A pointer of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    /// The registry.
    pub registry: RegistryId,
    /// The pointer's name.
    pub name: String,
}

/// A gate.
#[derive(Debug, Clone)]
pub struct Gate {
    /// What it is on.
    pub evidence: Vec<Evidence>,
    /// What it compares with.
    pub baseline: Option<Baseline>,
    /// What the requirements of a monitor are held against, where they name no file; none in a gate.
    pub reference: Option<Evidence>,
    /// It is a monitor's.
    pub monitors: bool,
    /// Its requirements.
    pub requirements: Vec<Requirement>,
    /// It can say no: it has a `require`, understood or not.
    pub blocks: bool,
    /// Part of it could not be understood.
    pub partial: bool,
}

impl Gate {
    /// Iterates over the requirements that compare with the baseline.
    pub fn comparisons(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().filter(|requirement| requirement.measure.compares())
    }

    /// Iterates over the files of data baselines that its requirements name, with where.
    pub fn references(&self) -> impl Iterator<Item = (&str, Span)> {
        self.requirements.iter().filter_map(|line| Some((line.measure.table.as_ref()?.against.as_deref()?, line.span)))
    }
}

/// One thing that a gate is on.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Its name in requirements.
    pub alias: Option<String>,
    /// What is looked at.
    pub origin: Origin,
    /// Its type.
    pub ty: Artifact,
    /// Where it is named.
    pub span: Span,
    /// Index of the first of the legs that are named together (`evaluate[*].report`): they follow each other.
    pub list: Option<usize>,
}

/// What a gate compares with.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// The pointer that names it.
    pub pointer: Pointer,
    /// Its recorded numbers are taken.
    pub recorded: bool,
    /// What its absence means; none where it is not said.
    pub on_absent: Option<gate::OnMissing>,
    /// What it means that it can't be scored.
    pub on_unscorable: gate::OnMissing,
    /// Approvals that are asked, with where.
    pub asks: Vec<Spanned<NodeId>>,
    /// The clause.
    pub span: Span,
}

/// One line of a gate.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// Whether it blocks.
    pub level: gate::Level,
    /// As written, with single spaces.
    pub text: String,
    /// What is measured.
    pub measure: Measure,
    /// What it is held against.
    pub bound: gate::Bound,
    /// The clause.
    pub span: Span,
}

/// What a requirement measures.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The kind, as evaluators know it.
    pub kind: &'static str,
    /// Index of the evidence, and the metric's name.
    pub metric: Option<(usize, String)>,
    /// The artifact that is looked at.
    pub artifact: Option<Origin>,
    /// What is looked at in a table.
    pub table: Option<gate::TableRef>,
    /// The groups that it looks at.
    pub groups: Option<gate::Groups>,
    /// Further arguments.
    pub options: BTreeMap<String, Value>,
    /// The type of the number that comes out.
    pub ty: Type,
}

impl Measure {
    /// Tells whether it needs a baseline.
    #[must_use]
    pub fn compares(&self) -> bool {
        matches!(self.kind, "regression" | "improvement" | "mcnemar" | "delong") || self.options.contains_key("of")
    }
}

/// What is decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An artifact.
    Artifact(Origin),
    /// A release.
    Release(NodeId),
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct Approval {
    /// What it is about.
    pub of: Subject,
    /// Who decides.
    pub by: Vec<String>,
    /// The deployment environment.
    pub environment: Option<String>,
    /// Nanoseconds after which it is a rejection.
    pub timeout: i64,
}

/// Puts a model into a registry.
#[derive(Debug, Clone)]
pub struct Register {
    /// The model.
    pub model: Origin,
    /// Where the model is named.
    pub model_span: Span,
    /// What is registered with it.
    pub with: Vec<Spanned<Origin>>,
    /// The registry.
    pub registry: RegistryId,
    /// The metrics that are kept with it.
    pub metrics: Option<Spanned<Origin>>,
}

/// Moves a pointer.
#[derive(Debug, Clone)]
pub struct Promote {
    /// The register node.
    pub release: NodeId,
    /// The pointer.
    pub pointer: Pointer,
    /// Where the pointer is named.
    pub pointer_span: Span,
}

/// Runs a command with effects.
#[derive(Debug, Clone, Default)]
pub struct Action {
    /// What runs.
    pub work: Work,
    /// What it is of.
    pub of: Option<Subject>,
    /// Permissions by scope.
    pub permissions: Vec<(String, String)>,
    /// The deployment environment that it acts in.
    pub environment: Option<Spanned<String>>,
    /// It may happen twice.
    pub idempotent: bool,
}
