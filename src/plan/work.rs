//! Stages: what runs, on what, and what comes out.

use serde::{Deserialize, Serialize};

use crate::types::{Artifact, Origin, Type, Value};
pub use crate::types::{Command, InputKind, Interpreter, Isolation, Needs, Rerun, Retry};

/// Variables that every command of a stage or action gets, on every machine and platform: two of them that differ in their
/// environment would not be measured alike.
pub const FIXED: [(&str, &str); 4] =
    [("LANG", "C.UTF-8"), ("TZ", "UTC"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")];

/// What stages and actions share: something that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// What it reads, in the order written; legs that are named together are an input each, of one name, one after
    /// the other.
    pub inputs: Vec<Input>,
    /// Patterns of the code that it needs, relative to the workspace.
    pub code: Vec<String>,
    /// Parameters that it uses.
    pub uses: Vec<String>,
    /// Secrets that it gets.
    pub secrets: Vec<SecretUse>,
    /// Credentials of stores that it gets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credentials: Vec<String>,
    /// The runtime; that of the host if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// What is executed.
    pub command: Command,
    /// What it needs of a machine.
    pub needs: Needs,
    /// Nanoseconds after which it is ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Names of the caller's variables that are let through; part of the key with their values.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pass_env: Vec<String>,
    /// Loop variables with their values, which are part of the key.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub variables: Vec<(String, Value)>,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The name, also of the environment variable that holds its path. A value that the argument list alone reads is
    /// named as it is written there, `prepare.rows`, and has no variable.
    pub name: String,
    /// What the variable holds.
    #[serde(skip_serializing_if = "InputKind::is_artifact", default)]
    pub kind: InputKind,
    /// Where it comes from.
    pub origin: Origin,
    /// Where it stands in the stage's folder. For a source it is the path of its location, which a profile may change.
    pub path: String,
    /// Its type.
    pub ty: Artifact,
    /// It may be absent: then the variable is empty.
    pub optional: bool,
    /// It does not wait for the gates on it.
    pub ungated: bool,
}

impl Input {
    /// Returns the variable that it is, if it is one.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        (!self.name.contains('.')).then_some(self.name.as_str())
    }
}

/// A secret and the environment variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// The declared secret.
    pub secret: String,
    /// The variable.
    pub variable: String,
}

/// A stage: pure, cached, isolated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What runs.
    #[serde(flatten)]
    pub work: Work,
    /// What comes out, in the order written.
    pub outputs: Vec<Output>,
    /// Causes on which it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// When a hit in the cache does not count.
    pub rerun: Rerun,
    /// Exit statuses that count as success.
    pub status: Vec<i32>,
    /// A folder that survives retries, never in the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// How far it is kept apart from the workspace.
    pub isolation: Isolation,
    /// Set where this stage scores a gate's baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRun>,
}

impl Stage {
    /// Returns the nanoseconds that all its tries take together at most, where each is limited: its `timeout` is that of one try.
    #[must_use]
    pub fn longest(&self) -> Option<i64> {
        let tries = self.retry.as_ref().map_or(1, |retry| i64::from(retry.times) + 1);
        self.work.timeout.map(|timeout| timeout.saturating_mul(tries))
    }
}

/// An output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The name, also of the environment variable that holds its path.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// File or value.
    pub kind: OutputKind,
    /// Where the command writes it, in the stage's folder. For a value, the file that it is read from.
    pub path: String,
    /// Where it is published in the workspace; the same but for stages that score a baseline.
    pub publish: String,
    /// It is kept also when the stage fails.
    pub always: bool,
    /// The model that it measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Origin>,
    /// The data that it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<Origin>,
    /// The split that the data is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

/// Whether an output is a file or a value read from one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// A file or folder.
    Artifact(Artifact),
    /// `json(path, pointer)`: a value of this type.
    Value {
        /// Its type.
        ty: Type,
        /// JSON pointer into the file.
        pointer: String,
    },
}

/// A stage that was derived to score a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRun {
    /// The gate that compares.
    pub gate: String,
    /// The stage that it repeats.
    pub stage: String,
    /// The registry of the baseline.
    pub registry: String,
    /// The pointer that names the baseline.
    pub pointer: String,
}
