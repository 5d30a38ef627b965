//! What a plan holds beside its nodes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::{Artifact, Type, Value};
pub use crate::types::{Location, RegistryLocation, RuntimeKind, TriggerKind};

/// A parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Its type; a value from outside is checked against it.
    pub ty: Type,
    /// Its value where nothing else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Where its value is read from when a run begins; the default is for a file without that key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<ParamFrom>,
}

/// A place in a YAML or JSON file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamFrom {
    /// The file.
    pub file: String,
    /// The place in it, a JSON pointer.
    pub pointer: String,
}

/// A secret: only its name is ever known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name; in the environment the same in upper case.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// The software that stages run in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub kind: RuntimeKind,
}

/// Data that comes from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Its type.
    pub ty: Artifact,
    /// Where it is.
    pub location: Location,
    /// The digest that it must have (`frozen "blake3:…"`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
}

/// A registry of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location: RegistryLocation,
}

/// A named set of changes to the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it changes, in the order written.
    pub settings: Vec<Setting>,
    /// It registers, acts and releases.
    pub releases: bool,
    /// Its gates block; implied by `releases`.
    pub gates_block: bool,
}

/// One `set` of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `set epochs = 1`
    Param {
        /// The parameter.
        name: String,
        /// Its value under this profile.
        value: Value,
    },
    /// `set raw = "data/smoke.csv"`
    Source {
        /// The source.
        name: String,
        /// Where it is under this profile.
        location: Location,
    },
    /// `set models = git("…")`
    Registry {
        /// The registry.
        name: String,
        /// Where it is under this profile.
        location: RegistryLocation,
    },
}

/// What starts the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// The kind of event.
    pub kind: TriggerKind,
    /// The profile that it runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What the comment on a pull request shows, in the order written.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub comment: Vec<Shown>,
}

/// Something that a comment shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// A gate, by its report.
    Gate(String),
    /// A plot or report that a stage makes.
    Output {
        /// The stage.
        stage: String,
        /// Its output.
        output: String,
    },
}

impl Shown {
    /// Returns the node that it comes from.
    #[must_use]
    pub fn node(&self) -> &str {
        match self {
            Self::Gate(node) | Self::Output { stage: node, .. } => node,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gate(gate) => f.write_str(gate),
            Self::Output { stage, output } => write!(f, "{stage}.{output}"),
        }
    }
}

/// `target NAME { … }`: settings as the target reads them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetSettings {
    /// The target.
    pub name: String,
    /// Its settings: a record.
    pub settings: Value,
}
