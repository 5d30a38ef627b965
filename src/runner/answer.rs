//! `result.json`: what became of a node, for the jobs after it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lineage::Lineage;
use crate::exec::{Release, Seen};
use crate::gate::Report;
use crate::host::Digest;
use crate::types::Origin;

/// Version of the format.
pub(super) const FORMAT: u32 = 3;

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Version of the format.
    pub format: u32,
    /// The node.
    pub node: String,
    /// Digest of the plan.
    pub plan: String,
    /// The run.
    pub run: String,
    /// The commit of the checkout that it was made from, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How it came out.
    pub status: Status,
    /// The exit code of the job.
    pub exit: u8,
    /// Why, where it did not come out well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it made, by the outputs' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Made>,
    /// Small files of mlpc's own, by their paths in the workspace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
    /// Where pointers stood when it looked; `null`: not set yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pointers: BTreeMap<String, Option<Seen>>,
    /// Digests of the files that its command read, by where they come from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub read: BTreeMap<Origin, String>,
    /// What it and all nodes before it come from.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub lineage: Lineage,
    /// What it registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Every pointer that its release would be given names that model already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub there: bool,
    /// What a gate decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Decided>,
}

/// How a node came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did what it is for.
    Done,
    /// There was nothing to do: a stage's result or a release was there.
    Hit,
    /// A gate was evaluated; what it said stands in `gate`.
    Decided,
    /// There is no baseline to score yet.
    NoBaseline,
    /// Today's code can't score the baseline.
    Unscorable,
    /// The registry of the baseline could not be read.
    Unreachable,
    /// It failed.
    Failed,
}

/// A file or folder that a node made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Its digest.
    pub digest: Digest,
    /// It is a folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folder: bool,
    /// Its executable bit, which artifact stores lose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// What a gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The verdict in a word.
    pub verdict: String,
    /// The approval that it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// What waits for it may go on, once what it asks for is given.
    pub lets_go_on: bool,
    /// It is shown and does not block.
    pub advisory: bool,
}

impl Decided {
    /// Returns what a report comes to for the jobs behind its gate.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let verdict = serde_json::to_value(report.verdict).ok();
        Self {
            verdict: verdict.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(),
            ask: report.ask.clone(),
            // A question is no answer: what waits for the gate waits for the approval too, which the platform sees to.
            lets_go_on: report.advisory || report.verdict.lets_go_on(),
            advisory: report.advisory,
        }
    }
}

fn is_empty(lineage: &Lineage) -> bool {
    *lineage == Lineage::default()
}

impl Answer {
    /// Returns the bytes of `result.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("an answer has string keys");
        text.push('\n');
        text
    }
}
