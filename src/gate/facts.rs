//! What is known when a gate is evaluated: bytes, digests, sizes, or the reason why they aren't there.
//!
//! Whoever runs the gate collects these; the evaluation reads nothing by itself.

use std::collections::BTreeMap;

use crate::data::{Predictions, Summary};
use crate::types::Origin;

/// Everything that an evaluation looks at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The evidence, in the order of [`Gate::evidence`](super::Gate::evidence).
    pub evidence: Vec<Found>,
    /// The artifacts that requirements name, such as the model of `size(train.model)`.
    pub artifacts: BTreeMap<Origin, Found>,
    /// The data that evidence was measured on: only its digests are looked at.
    pub data: BTreeMap<Origin, Found>,
    /// The tables that requirements look into, by their index in the evidence.
    pub tables: BTreeMap<usize, Result<Summary, String>>,
    /// The predictions that requirements compute metrics of, by their index in the evidence.
    pub predictions: BTreeMap<usize, Result<Predictions, String>>,
    /// The baseline's predictions beside each of them, where it was scored.
    pub baseline_predictions: BTreeMap<usize, Result<Predictions, String>>,
    /// The data baselines that requirements compare with, by their paths in the workspace.
    pub references: BTreeMap<String, Found>,
    /// The baseline; `None` for a gate that has none.
    pub champion: Option<Champion>,
    /// The classes of machine that evidence, and the baseline's, was measured on, where they are known.
    pub machines: BTreeMap<Origin, String>,
}

/// A file or folder that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Present {
        /// What it holds; empty for what is not read as a whole (anything but `Metrics` and `Tests`).
        bytes: Vec<u8>,
        /// Its size in bytes, all files of a folder together.
        size: u64,
        /// Its digest.
        digest: String,
    },
    /// Nothing stands at its path.
    Missing,
    /// It is there and can't be read; the reason in words.
    Unreadable(String),
    /// It was not made in this run; the reason in words.
    Skipped(String),
    /// It is there and is no evidence of what it would be evidence of; the reason in words.
    Stale(String),
}

/// What is known of the model that the gate compares with.
#[derive(Debug, Clone, PartialEq)]
pub enum Champion {
    /// The registry was read, and the pointer does not exist yet.
    Absent,
    /// The registry could not be read; the reason in words.
    Unreachable(String),
    /// It was not looked for, since the run did not come so far; the reason in words.
    Skipped(String),
    /// The pointer names a version.
    Known {
        /// The version.
        version: String,
        /// The digest of its model.
        digest: String,
        /// Its measurements of this run, in the order of [`Baseline::evidence`](super::Baseline::evidence), or why
        /// today's code could not score it.
        scored: Result<Vec<Found>, String>,
        /// The measurements registered with it, by the output that they were of, where the registry has them.
        recorded: BTreeMap<Origin, Found>,
        /// The classes of machine that those were measured on, where they were registered too.
        machines: BTreeMap<Origin, String>,
    },
}

impl Found {
    /// Returns the digest of what is there.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::Present { digest, .. } => Some(digest),
            _ => None,
        }
    }
}
