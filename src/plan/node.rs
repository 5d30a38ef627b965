//! Nodes of the plan and what each waits for.

use serde::{Deserialize, Serialize};

use super::live::{Experiment, Rollout};
use super::work::{Stage, Work};
use crate::gate::Gate;
pub use crate::types::Leg;
pub use crate::types::Why;
use crate::types::{Expr, Origin, RegistryLocation};

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, unique: `train`, `train[nord,1]` for a leg of a loop, `evaluate@quality` for the stage that scores
    /// the baseline of the gate `quality`.
    pub name: String,
    /// Which leg of a loop it is; also that of the leg which a baseline stage repeats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leg: Option<Leg>,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// False: skipped, and so is all that needs its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// What must have come out well before it starts, sorted by declaration; each pair of node and reason once.
    pub waits: Vec<Wait>,
    /// What it does.
    pub kind: NodeKind,
}

/// A node that another waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The node that comes first.
    pub node: String,
    /// Why.
    pub why: Why,
}

impl Node {
    /// Tells whether it can't go on where the one that it waits for is skipped: what it reads with `?` alone is no such
    /// one, nor is what scores a gate's baseline.
    #[must_use]
    pub fn needs(&self, wait: &Wait) -> bool {
        match wait.why {
            Why::Baseline => false,
            Why::Data => self.kind.work().is_none_or(|work| {
                let mut read = work.inputs.iter().filter(|input| input.origin.stage() == Some(&wait.node)).peekable();
                read.peek().is_none() || read.any(|input| !input.optional)
            }),
            Why::After | Why::Guard | Why::Admission | Why::Subject | Why::Ask => true,
        }
    }
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Runs a command, cached.
    Stage(Box<Stage>),
    /// Decides by numbers.
    Gate(Box<Gate>),
    /// Waits for a person.
    Approval(Approval),
    /// Puts a model into a registry.
    Register(Register),
    /// Moves a pointer.
    Promote(Promote),
    /// Runs a command with effects, never cached.
    Action(Box<Action>),
    /// Gives a release its traffic, step by step.
    Rollout(Box<Rollout>),
    /// Tries a release on some of the users.
    Experiment(Box<Experiment>),
}

impl NodeKind {
    /// Returns the keyword that declares it.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Stage(_) => "stage",
            Self::Gate(_) => "gate",
            Self::Approval(_) => "approval",
            Self::Register(_) => "register",
            Self::Promote(_) => "promote",
            Self::Action(_) => "action",
            Self::Rollout(_) => "rollout",
            Self::Experiment(_) => "experiment",
        }
    }

    /// Tells whether it registers, promotes, acts or shifts traffic: what others see.
    #[must_use]
    pub fn acts(&self) -> bool {
        match self {
            Self::Register(_) | Self::Promote(_) | Self::Action(_) | Self::Rollout(_) | Self::Experiment(_) => true,
            Self::Stage(_) | Self::Gate(_) | Self::Approval(_) => false,
        }
    }

    /// Returns what it runs, if it runs anything of a user's.
    #[must_use]
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Stage(stage) => Some(&stage.work),
            Self::Action(action) => Some(&action.work),
            Self::Rollout(rollout) => Some(&rollout.work),
            Self::Experiment(it) => Some(&it.work),
            Self::Gate(_) | Self::Approval(_) | Self::Register(_) | Self::Promote(_) => None,
        }
    }
}

/// What is decided about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An artifact.
    Artifact(Origin),
    /// A release: the name of a register node.
    Release(String),
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What it is about.
    pub of: Subject,
    /// Logins that may decide.
    pub by: Vec<String>,
    /// The deployment environment that holds the platform's own protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Nanoseconds after which it is a rejection.
    pub timeout: i64,
    /// Only gates that `ask` it lead to it; it is skipped where none does.
    pub on_demand: bool,
}

/// Puts a model into a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The model.
    pub model: Origin,
    /// What its stage made beside it and the measuring stages read.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub with: Vec<Origin>,
    /// The registry.
    pub registry: String,
    /// The metrics that are kept with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Origin>,
    /// The reason where it is released without a gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ungated: Option<String>,
}

/// Moves a pointer to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    /// The register node.
    pub release: String,
    /// The registry.
    pub registry: String,
    /// The pointer.
    pub pointer: String,
    /// The gates that compared with this pointer: their reports say which version it must still name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub compared_by: Vec<String>,
}

impl Action {
    /// Returns the registry that the action's journal stands in: that of the release that it is of, else the first that
    /// others than one machine reach. `None` where there is none: then only this machine can remember what was done.
    #[must_use]
    pub fn journal<'p>(
        &self,
        plan: &'p super::Plan,
        location: impl Fn(&'p str) -> Option<&'p RegistryLocation>,
    ) -> Option<&'p str> {
        let shared = |name: &&'p str| location(name).is_some_and(RegistryLocation::is_shared);
        let of = match &self.of {
            Some(Subject::Release(release)) => match &plan.node(release)?.kind {
                NodeKind::Register(register) => Some(register.registry.as_str()),
                _ => None,
            },
            _ => None,
        };
        let declared = || plan.registries.iter().map(|registry| registry.name.as_str()).find(shared);
        of.filter(shared).or_else(declared)
    }
}

/// Runs a command with effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// What runs.
    #[serde(flatten)]
    pub work: Work,
    /// What it is of: its subject and, for a release, the values `version previous digest model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Subject>,
    /// Permissions by scope (`contents: write`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub permissions: Vec<(String, String)>,
    /// The deployment environment that it acts in: whose secrets and trust it has where the platform knows such a thing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub environment: Option<String>,
    /// It may happen twice.
    pub idempotent: bool,
}
