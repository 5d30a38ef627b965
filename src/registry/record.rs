//! The records that a registry keeps (versions, pointers, history) and the requests it takes. Plain values:
//! nothing here knows where they stand.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::Digest;

/// The format of the records below; a registry written by a newer mlpc is refused, never guessed at.
pub(crate) const FORMAT: u32 = 1;

/// A registered version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Version of this record's format.
    pub format: u32,
    /// `v<UTC date>-<8 hex of the digest>`, longer where two models share these 8.
    pub id: String,
    /// The digest of the model's bytes; of a folder the digest of its tree.
    pub digest: Digest,
    /// When it was registered, RFC 3339 in UTC.
    pub created: String,
    /// The model as it stands in the registry.
    pub model: Stored,
    /// The digest of the metrics file, where one was registered.
    pub metrics_digest: Option<Digest>,
    /// What was registered with the model: an encoder, a vocabulary.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, Stored>,
    /// The digest of the list of packages, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements_digest: Option<Digest>,
    /// Where the model comes from.
    pub metadata: Metadata,
    /// The digest of all of this record but this field, so that an edit shows. Versions of older programs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Digest>,
}

/// An artifact as it stands in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The name of the file or folder that it was.
    pub file: String,
    /// Its digest.
    pub digest: Digest,
    /// Whether it is a folder.
    pub directory: bool,
    /// Its size in bytes, all files together.
    pub bytes: u64,
}

/// Where a version comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The run that registered it.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The digest of the plan.
    pub plan: String,
    /// The parameters of the run.
    pub params: BTreeMap<String, serde_json::Value>,
    /// The digests of what went in, by name.
    pub inputs: BTreeMap<String, String>,
    /// The commit of the code, where the workspace is a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_commit: Option<String>,
    /// The digests of the gate reports that admitted it, by gate.
    pub gates: BTreeMap<String, String>,
    /// Who let it in: login and time, by approval. Those that were given on the machine that registered it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: BTreeMap<String, String>,
    /// What gates computed of its predictions. No gate compares with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<GateNumber>,
    /// Anything else worth keeping: features, seconds of training.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

/// A number that a gate computed of a model's predictions when the model was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateNumber {
    /// The metric, or a bound of it as the gate has it: `auc_roc`, `lower(auc_roc, 95%)`.
    pub metric: String,
    /// The number; a share is between 0 and 1.
    pub value: f64,
    /// The gate, whose report's digest stands in [`Metadata::gates`].
    pub gate: String,
    /// The predictions: `evaluate.scores`.
    pub predictions: String,
    /// Their digest.
    pub digest: String,
    /// The data that they are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_digest: Option<String>,
    /// The split that the data is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

/// Where a name points. The truth of a registry: all else about "production" is derived from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Version of this record's format.
    pub format: u32,
    /// The name, such as `production`.
    pub name: String,
    /// The version it points to.
    pub version: String,
    /// The digest of that version's model.
    pub digest: Digest,
    /// The digest of that version's metrics file.
    pub metrics_digest: Option<Digest>,
    /// The digest of that version's record (inputs, machine, gates). Pointers of older programs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_digest: Option<Digest>,
    /// The version it pointed to before.
    pub previous: Option<String>,
    /// The digest of the history's line about this pointer before this one, of nothing for the first. Those of older
    /// programs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Digest>,
    /// The run that moved it.
    pub run: String,
    /// When it was moved, RFC 3339 in UTC.
    pub since: String,
    /// Who rolled it back, and why; nothing where a run promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
}

/// A person who did something to a registry by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A line of the record of what may not be released again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Version of this record's format.
    pub format: u32,
    /// The pointer that it is about.
    pub pointer: String,
    /// The version.
    pub version: String,
    /// The digest of its model.
    pub digest: Digest,
    /// It may be released again all the same: the line takes an earlier one back.
    pub allowed: bool,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, RFC 3339 in UTC.
    pub since: String,
    /// The digest of the line about this pointer before this one, of nothing for the first. Those of older programs have
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Digest>,
}

/// A wish to move a pointer back to a version that it named before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The pointer's name.
    pub pointer: String,
    /// The version it shall point to again; `None`: the latest before that was not rolled back itself.
    pub to: Option<String>,
    /// The version that the caller saw there.
    pub expected: String,
    /// Who asks, and why.
    pub who: ByHand,
}

/// One line of a pointer's history: what the pointer was set to.
pub type Entry = Pointer;

/// A file or folder to be registered.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Where its bytes are now.
    pub path: PathBuf,
    /// The name it is known by, kept in the metadata.
    pub file: String,
}

/// What is to be registered.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The model.
    pub model: Artifact,
    /// The digest that was measured and approved; other bytes at `model` are refused. `None`: whatever stands there.
    pub digest: Option<Digest>,
    /// Its metrics file.
    pub metrics: Option<PathBuf>,
    /// What belongs to the model, by name.
    pub with: BTreeMap<String, Artifact>,
    /// What metrics and what belongs to the model have to be, by path, where that is known; other bytes are refused.
    pub made: BTreeMap<PathBuf, Digest>,
    /// The packages that the model needs, as text of a requirements file.
    pub requirements: Option<String>,
    /// Where it comes from.
    pub metadata: Metadata,
}

/// The answer to a registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The version that holds these bytes.
    pub version: Version,
    /// Whether this call made it; otherwise the same bytes were registered before.
    pub new: bool,
}

/// A compare-and-swap of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The pointer's name.
    pub pointer: String,
    /// The version it shall point to.
    pub version: String,
    /// The version that the gate compared with; `None`: there must be no such pointer yet.
    pub expected: Option<String>,
    /// The run that asks.
    pub run: String,
}

/// How a promotion came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The pointer was moved.
    Promoted(Pointer),
    /// The pointer held the candidate already.
    AlreadyThere(Pointer),
    /// A person rolled back from these bytes, and nobody has allowed them again; nothing was changed.
    Rejected(Rejection),
    /// The pointer stands elsewhere than expected; nothing was changed.
    Moved {
        /// What stands there.
        found: Option<Pointer>,
    },
}

/// All that a registry says of itself at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// All versions, the oldest first.
    pub versions: Vec<Version>,
    /// All pointers in the order of their names, each with the text of its version's metrics file.
    pub pointers: Vec<(Pointer, Option<String>)>,
    /// What was rolled back and is not allowed again.
    pub rejections: Vec<Rejection>,
}

/// Something that `fsck` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, relative to the registry's root.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
    /// Whether it was repaired. What is not derived can't be: it needs a person.
    pub repaired: bool,
    /// Nothing is wrong with it: it says what nobody can tell.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub note: bool,
}

impl Version {
    /// Returns the digest of all of this record but its seal.
    #[must_use]
    pub fn content(&self) -> Digest {
        let bytes = || serde_json::to_vec(&Self { seal: None, ..self.clone() }).expect("records have text keys");
        self.seal.unwrap_or_else(|| Digest::of(&bytes()))
    }
}

impl Rejection {
    /// Says that the bytes may not be released, and the way out; `registry` is the registry's name.
    #[must_use]
    pub fn told(&self, registry: &str) -> String {
        let Self { pointer, version, by, reason, since, .. } = self;
        format!(
            "`{registry}@{pointer}` was rolled back from `{version}` by {by} at {since} ({reason}): to release these bytes \
             again, `mlpc registry allow {registry}@{pointer} {version} --reason \"…\"`"
        )
    }
}
