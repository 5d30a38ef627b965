//! The plan: what will happen, for no platform in particular. Serialisable and versioned.
//!
//! It covers declarations as written, over all profiles and triggers: never run-time values, contents of files,
//! expanded patterns. `bind` joins it with a profile, parameters and an event. Targets, the executor, `mlpc gate` and
//! `mlpc exec` work from the same plan.

mod bind;
mod branches;
mod build;
mod declared;
mod drawing;
mod given;
mod live;
mod node;
mod opens;
mod releasing;
mod started;
pub(crate) mod strict;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use bind::{BindError, Bound, Given, Selection, Skip, bind};
pub use branches::names_branch;
pub use build::build;
pub use declared::{
    Location, Param, ParamFrom, Profile, Registry, RegistryLocation, Runtime, RuntimeKind, Secret, Setting, Shown,
    Source, TargetSettings, Trigger, TriggerKind,
};
pub use given::{typed, written};
pub use live::{
    Arm, Beside, Credential, Experiment, FirstDeploy, LiveRequirement, Monitor, Moves, Notification, Reaction, Rollout,
    Step, Watch,
};
pub use node::{Action, Approval, Leg, Node, NodeKind, Promote, Register, Subject, Wait, Why};
pub use releasing::{Behind, approvals_before, promotions_before};
pub use started::Start;
pub use work::{
    BaselineRun, Command, FIXED, Input, InputKind, Interpreter, Isolation, Needs, Output, OutputKind, Rerun, Retry,
    SecretUse, Stage, Work,
};

use crate::types::{MetricsType, Origin, Value};

/// Version of the plan's format; part of its digest.
pub const FORMAT: u32 = 1;

/// What a pipeline does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Edition of the language.
    pub edition: u32,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// Parameters.
    pub params: Vec<Param>,
    /// Secrets.
    pub secrets: Vec<Secret>,
    /// Runtimes.
    pub runtimes: Vec<Runtime>,
    /// Metrics types.
    pub metrics: Vec<MetricsType>,
    /// Sources.
    pub sources: Vec<Source>,
    /// Registries.
    pub registries: Vec<Registry>,
    /// Profiles.
    pub profiles: Vec<Profile>,
    /// Settings of targets.
    pub targets: Vec<TargetSettings>,
    /// Credentials, notifications, monitors: what stands beside the runs.
    #[serde(flatten, default)]
    pub beside: Beside,
    /// The nodes in declaration order; stages that score a baseline stand before their gate.
    pub nodes: Vec<Node>,
    /// Where things were declared, by node name, or `<node>#<index>` for a gate's requirements, or
    /// `<kind> <name>` for other declarations (`param lr`) and for modules. Not part of the digest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub places: BTreeMap<String, Place>,
    /// What parameters were when somebody read their files, or why they could not be read. Never written down: not part
    /// of the digest.
    #[serde(skip)]
    pub read: BTreeMap<String, Result<Value, String>>,
}

/// A place in a source file, for reports and annotations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the workspace.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Plan {
    /// Returns the node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Returns the stage of this name.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        match &self.node(name)?.kind {
            NodeKind::Stage(stage) => Some(stage),
            _ => None,
        }
    }

    /// Returns the model that a register node puts into its registry.
    #[must_use]
    pub fn registered(&self, release: &str) -> Option<&Origin> {
        match &self.node(release)?.kind {
            NodeKind::Register(register) => Some(&register.model),
            _ => None,
        }
    }

    /// Returns the registry of this name.
    #[must_use]
    pub fn registry(&self, name: &str) -> Option<&Registry> {
        self.registries.iter().find(|registry| registry.name == name)
    }

    /// Returns the folders that registries are in, under any profile; relative to the workspace, or absolute.
    pub fn registry_folders(&self) -> impl Iterator<Item = PathBuf> {
        let declared = self.registries.iter().map(|registry| &registry.location);
        let set = self.profiles.iter().flat_map(|profile| &profile.settings).filter_map(|setting| match setting {
            Setting::Registry { location, .. } => Some(location),
            _ => None,
        });
        declared.chain(set).filter_map(|location| match location {
            RegistryLocation::Directory { path } => {
                Some(Path::new(path).components().filter(|part| !matches!(part, Component::CurDir)).collect())
            }
            _ => None,
        })
    }

    /// Returns the patterns of code of all nodes, each once.
    #[must_use]
    pub fn code_patterns(&self) -> BTreeSet<&str> {
        let works = self.nodes.iter().filter_map(|node| node.kind.work());
        works.flat_map(|work| work.code.iter().map(String::as_str)).collect()
    }

    /// Returns where stages publish their outputs, and the folders of registries: what stands there is made by runs.
    pub fn published(&self) -> impl Iterator<Item = PathBuf> {
        let stages = self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Stage(stage) => Some(stage),
            _ => None,
        });
        let outputs = stages.flat_map(|stage| stage.outputs.iter().map(|output| PathBuf::from(&output.publish)));
        outputs.chain(self.registry_folders())
    }

    /// Returns the digest that compiled jobs carry: blake3, in hex, over the plan as JSON without its places.
    #[must_use]
    pub fn digest(&self) -> String {
        let bare = Self { places: BTreeMap::new(), ..self.clone() };
        let json = serde_json::to_vec(&bare).expect("a plan has string keys and finite numbers only");
        blake3::hash(&json).to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            format: FORMAT,
            pipeline: "p".into(),
            doc: None,
            edition: 2026,
            triggers: vec![],
            params: vec![],
            secrets: vec![],
            runtimes: vec![],
            metrics: vec![],
            sources: vec![],
            registries: vec![],
            profiles: vec![],
            targets: vec![],
            beside: Beside::default(),
            nodes: vec![],
            places: BTreeMap::new(),
            read: BTreeMap::new(),
        }
    }

    #[test]
    fn the_digest_forgets_places_and_nothing_else() {
        let mut other = plan();
        other.places.insert("train".into(), Place { file: "p.mlp".into(), line: 3, column: 1 });
        assert_eq!(plan().digest(), other.digest());
        other.edition = 2027;
        assert_ne!(plan().digest(), other.digest());
    }
}
