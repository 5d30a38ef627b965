//! Where things come from and what starts a pipeline, as the model and the plan both say it.

use serde::{Deserialize, Serialize};

use super::Type;

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
