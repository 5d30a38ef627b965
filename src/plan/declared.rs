//! What a plan holds beside its nodes.

use serde::{Deserialize, Serialize};

use crate::types::{Artifact, Type, Value};

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

/// What a runtime is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeKind {
    /// An interpreter and the packages of a requirements or lock file.
    Python {
        /// The version asked for.
        version: String,
        /// Path of the requirements file.
        #[serde(skip_serializing_if = "Option::is_none")]
        requirements: Option<String>,
    },
    /// A container image.
    Image {
        /// Its reference.
        image: String,
    },
    /// An image that is built.
    Dockerfile {
        /// Path of the Dockerfile.
        path: String,
    },
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

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A file or folder of the workspace, by relative path.
    Path(String),
    /// Something that a store or server holds; the executor and targets say so where they can't reach it.
    Remote {
        /// `dvc`, `s3`, `http`, `prometheus`.
        scheme: String,
        /// The address.
        address: String,
    },
}

/// A registry of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location: RegistryLocation,
}

/// Where a registry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistryLocation {
    /// A folder; reaches this machine.
    Directory {
        /// Path, relative to the workspace or absolute.
        path: String,
    },
    /// A branch of the repository's remote; reaches whoever clones.
    Git {
        /// The branch.
        branch: String,
        /// The remote's name.
        remote: String,
    },
    /// A prefix of an S3 bucket.
    S3 {
        /// `s3://bucket/prefix`
        url: String,
    },
    /// An MLflow server.
    Mlflow {
        /// Its address.
        url: String,
    },
}

impl RegistryLocation {
    /// Tells whether others than this machine reach it: a laptop then needs `--release` to write to it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self, Self::Directory { .. })
    }
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
}

/// A kind of event with its filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A push.
    Push {
        /// Only these branches; all if empty.
        branches: Vec<String>,
        /// Only when one of these changed; anything if empty.
        paths: Vec<String>,
    },
    /// A pull request.
    PullRequest {
        /// Only into these branches; all if empty.
        branches: Vec<String>,
        /// Only when one of these changed; anything if empty.
        paths: Vec<String>,
    },
    /// A time.
    Schedule {
        /// Five fields.
        cron: String,
        /// IANA name.
        timezone: String,
    },
    /// A person.
    Manual {
        /// The parameters that are offered.
        params: Vec<String>,
    },
    /// A named event from outside.
    Event {
        /// Its name.
        name: String,
        /// Its payload.
        payload: Vec<(String, Type)>,
    },
    /// Another pipeline came out well.
    Upstream {
        /// Its name.
        pipeline: String,
    },
}

/// `target NAME { … }`: settings as the target reads them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetSettings {
    /// The target.
    pub name: String,
    /// Its settings: a record.
    pub settings: Value,
}
