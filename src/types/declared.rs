//! Where things come from and what starts a pipeline, as the model and the plan both say it.

use serde::{Deserialize, Serialize};

use super::{Expr, Type, Value};

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A file or folder of the workspace, by relative path.
    Path(String),
    /// Something that a store or server holds; the executor and targets say so where they can't reach it.
    Remote {
        /// `dvc`, `s3`, `gs`, `azure`, `http`, `prometheus`.
        scheme: String,
        /// The address: a text once a run's parameters are known.
        address: Expr,
        /// The version that is meant, where one is named.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<String>,
        /// The digest that the bytes must have, where one is named.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        digest: Option<String>,
        /// Anybody may read it: no credential is needed.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        public: bool,
    },
}

impl Location {
    /// Tells whether it names the same bytes for ever, or a text under version control that does.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        match self {
            Self::Path(_) => true,
            Self::Remote { scheme, version, digest, .. } => scheme == "dvc" || version.is_some() || digest.is_some(),
        }
    }

    /// Returns the path of the workspace that it stands for: of a file, or of what DVC keeps there.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Remote { scheme, .. } if scheme == "dvc" => self.address(),
            Self::Remote { .. } => None,
        }
    }

    /// Returns where a source stands in a stage's folder: at its own path, else at a place of its own, under the name that the file has
    /// where it comes from.
    #[must_use]
    pub fn place(&self, source: &str) -> String {
        if let Some(path) = self.path() {
            return path.to_owned();
        }
        let address = self.address().unwrap_or_default();
        let address = address.split_once("://").map_or("", |(_, rest)| rest);
        let file = address.split(['?', '#']).next().and_then(|path| path.split_once('/')).map_or("", |(_, path)| path);
        let file = file.rsplit('/').next().unwrap_or_default();
        let tame = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let fits = !file.is_empty() && file.len() <= 100 && !file.starts_with('.') && file.chars().all(tame);
        format!(".mlpc/sources/{source}/{}", if fits { file } else { source })
    }

    /// Returns the address of something remote, where it is known.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Remote { address: Expr::Value(Value::String(text)), .. } => Some(text),
            _ => None,
        }
    }
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

/// Names that no pointer has: a registry keeps its own files under them.
pub const REGISTRY_OWN: [&str; 3] = ["versions", "pointers", "actions"];

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
    /// Another workflow of the platform.
    Call {
        /// The parameters that it may set.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(scheme: &str, address: &str) -> Location {
        let address = Expr::Value(Value::String(address.to_owned()));
        Location::Remote { scheme: scheme.to_owned(), address, version: None, digest: None, public: false }
    }

    #[test]
    fn what_is_fetched_stands_at_a_place_of_its_own_under_its_own_name() {
        let place = |scheme: &str, address: &str| remote(scheme, address).place("raw");
        assert_eq!(place("http", "https://example.com/data/raw-1.csv?sig=a/b#x"), ".mlpc/sources/raw/raw-1.csv");
        assert_eq!(place("s3", "s3://bucket/a/b.parquet"), ".mlpc/sources/raw/b.parquet");
        for odd in ["https://example.com", "https://example.com/", "https://x/..", "https://x/a b", "s3://b/.hidden"] {
            assert_eq!(place("http", odd), ".mlpc/sources/raw/raw", "{odd}");
        }
        assert_eq!(place("dvc", "data/raw.csv"), "data/raw.csv");
        assert_eq!(Location::Path("data/raw.csv".into()).place("raw"), "data/raw.csv");
    }
}
