//! The model: what a file means. Names are ids, types are checked types, constants are values; every part still
//! knows where it was written. What could not be understood is left out, and has a diagnostic.

mod brought;
mod declared;
mod forgotten;
mod ids;
mod lineage;
mod live;
mod node;
mod work;

pub use declared::{
    Event, Metrics, Param, ParamFrom, Profile, Registry, Runtime, Schema, Secret, Setting, Shown, Source, Target,
    Trigger,
};
pub use ids::{Id, MetricsId, NodeId, OutputId, ParamId, RegistryId, RuntimeId, SecretId, SourceId, Table};
pub use lineage::{Rescored, rescored};
pub use live::{Arm, Credential, Experiment, LiveRequirement, Monitor, Notify, Reaction, Rollout, Step, Watch};
pub use node::{
    Action, Approval, Baseline, Evidence, Gate, Measure, Node, NodeKind, OF_RELEASE, Pointer, Promote, Register,
    Requirement, Subject,
};
pub use work::{Input, Origin, Output, SecretUse, Stage, ValueOutput, Work};

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{FileId, Span, Spanned};
use crate::types::Artifact;

/// A whole pipeline. Tables are in declaration order.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The pipeline's name; none where the file doesn't say it.
    pub pipeline: Option<Spanned<String>>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// Edition of the language.
    pub edition: Option<u32>,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// Events that somebody else emits.
    pub external: Vec<Spanned<String>>,
    /// Parameters.
    pub params: Table<ParamId, Param>,
    /// Secrets.
    pub secrets: Table<SecretId, Secret>,
    /// Runtimes.
    pub runtimes: Table<RuntimeId, Runtime>,
    /// For each file, the runtime of its stages that name none.
    pub default_runtimes: BTreeMap<FileId, RuntimeId>,
    /// Metrics types.
    pub metrics: Table<MetricsId, Metrics>,
    /// Schemas.
    pub schemas: Vec<Schema>,
    /// Sources.
    pub sources: Table<SourceId, Source>,
    /// Registries.
    pub registries: Table<RegistryId, Registry>,
    /// Profiles.
    pub profiles: Vec<Profile>,
    /// Settings of targets.
    pub targets: Vec<Target>,
    /// Credentials of stores.
    pub credentials: Vec<Credential>,
    /// Who is told of what.
    pub notifications: Vec<Notify>,
    /// What schedules look at, beside the runs.
    pub monitors: Vec<Monitor>,
    /// Everything that happens.
    pub nodes: Table<NodeId, Node>,
    /// Constants with what they are worth.
    pub constants: Vec<(String, crate::types::Type, crate::types::Value)>,
    /// Declarations, other than nodes, that nothing mentions: what they are and where.
    pub unused: Vec<(&'static str, Spanned<String>)>,
    /// The files that it takes declarations from, beside its own.
    pub modules: Vec<FileId>,
    /// Parts of the text could not be read: nothing is said about what is missing.
    pub torn: bool,
    /// What was read, but not understood: `stage.output`, or `name.*` for all of a declaration.
    pub opaque: BTreeSet<String>,
}

impl Model {
    /// Returns the stage with this id, if the node is one.
    #[must_use]
    pub fn stage(&self, id: NodeId) -> Option<&Stage> {
        match &self.nodes[id].kind {
            NodeKind::Stage(stage) => Some(stage),
            _ => None,
        }
    }

    /// Returns the gate with this id, if the node is one.
    #[must_use]
    pub fn gate(&self, id: NodeId) -> Option<&Gate> {
        match &self.nodes[id].kind {
            NodeKind::Gate(gate) => Some(gate),
            _ => None,
        }
    }

    /// Returns the register node with this id, if the node is one.
    #[must_use]
    pub fn register(&self, id: NodeId) -> Option<&Register> {
        match &self.nodes[id].kind {
            NodeKind::Register(register) => Some(register),
            _ => None,
        }
    }

    /// Returns the rollout with this id, if the node is one.
    #[must_use]
    pub fn rollout(&self, id: NodeId) -> Option<&Rollout> {
        match &self.nodes[id].kind {
            NodeKind::Rollout(rollout) => Some(rollout),
            _ => None,
        }
    }

    /// Returns an output.
    #[must_use]
    pub fn output(&self, id: OutputId) -> Option<&Output> {
        self.stage(id.node)?.outputs.get(id.index as usize)
    }

    /// Returns the type of an artifact.
    #[must_use]
    pub fn artifact(&self, origin: &Origin) -> Option<Artifact> {
        match origin {
            Origin::Source(id) => Some(self.sources[*id].ty.clone()),
            Origin::Output(id) => self.output(*id).map(|output| output.ty.clone()),
            Origin::Pointer(pointer) => Some(self.released(pointer).map_or(Artifact::File, |output| output.ty.clone())),
        }
    }

    /// Returns the output that this file registers and promotes to a pointer.
    #[must_use]
    pub fn released(&self, pointer: &Pointer) -> Option<&Output> {
        let registers = self.nodes.iter().filter_map(|(_, node)| match &node.kind {
            NodeKind::Register(register) if register.registry == pointer.registry => Some(register),
            _ => None,
        });
        let mut models = registers.filter_map(|register| match register.model {
            Origin::Output(id) => self.output(id),
            _ => None,
        });
        models.next()
    }

    /// Returns an artifact as users write it.
    #[must_use]
    pub fn written(&self, origin: &Origin) -> String {
        self.plan_origin(origin).to_string()
    }

    /// Returns an artifact by names, as the plan holds it.
    #[must_use]
    pub fn plan_origin(&self, origin: &Origin) -> crate::types::Origin {
        match origin {
            Origin::Source(id) => crate::types::Origin::Source(self.sources[*id].name.value.clone()),
            Origin::Output(id) => crate::types::Origin::Output {
                stage: self.nodes[id.node].name.value.clone(),
                output: self.output(*id).map(|output| output.name.value.clone()).unwrap_or_default(),
            },
            Origin::Pointer(pointer) => crate::types::Origin::Pointer {
                registry: self.registries[pointer.registry].name.value.clone(),
                pointer: pointer.name.clone(),
            },
        }
    }

    /// Returns the model that a subject is about, following a release to what it registers.
    #[must_use]
    pub fn subject_model<'m>(&'m self, subject: &'m Subject) -> Option<&'m Origin> {
        match subject {
            Subject::Artifact(origin) => Some(origin),
            Subject::Release(id) => self.register(*id).map(|register| &register.model),
        }
    }

    /// Tells whether a gate or a rollout asks for an approval: where none does, nobody is asked, also where an `after` names it.
    #[must_use]
    pub fn is_asked_for(&self, approval: NodeId) -> bool {
        let baselines = self.nodes.iter().filter_map(|(gate, _)| self.gate(gate)?.baseline.as_ref());
        let asked = baselines.flat_map(|baseline| &baseline.asks).any(|ask| ask.value == approval);
        let rollouts = self.nodes.iter().filter_map(|(rollout, _)| self.rollout(rollout));
        asked || rollouts.flat_map(Rollout::asks).any(|ask| ask.value == approval)
    }

    /// Iterates over the blocking gates: those with a line that can say no.
    pub fn blocking_gates(&self) -> impl Iterator<Item = (NodeId, &Gate)> {
        self.nodes.iter().filter_map(|(id, node)| match &node.kind {
            NodeKind::Gate(gate) if gate.blocks => Some((id, &**gate)),
            _ => None,
        })
    }

    /// Returns where a node's name was declared.
    #[must_use]
    pub fn place(&self, id: NodeId) -> Span {
        self.nodes[id].name.span
    }
}
