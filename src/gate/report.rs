//! `gate_report.json`: what a gate decided and on what. No clock is in it: the same inputs give the same bytes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::diagnosis::Diagnosis;
use super::judged::Part;
use super::number::Unit;
use super::{Compare, Level, Verdict};
use crate::shown::{make_inline, make_sentence};
use crate::types::Origin;

/// Version of the report's format.
pub const FORMAT: u32 = 1;

/// The published JSON schema of the report.
pub const SCHEMA: &str = include_str!("../../book/src/schemas/gate_report.schema.json");

/// What a gate decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The gate.
    pub gate: String,
    /// Digest of the plan that the gate is in.
    pub plan: String,
    /// The profile of the run.
    pub profile: Option<String>,
    /// The parameters of the run, as text: limits may be of them.
    pub params: BTreeMap<String, String>,
    /// Where the gate is declared.
    pub place: Option<Position>,
    /// What it says.
    pub verdict: Outcome,
    /// Why, in one sentence.
    pub reason: String,
    /// It is shown and does not block: a profile's gate.
    pub advisory: bool,
    /// The approval that it asks for; what is behind the gate goes on only once that is given.
    pub ask: Option<String>,
    /// The models that it admits.
    pub admits: Vec<Admitted>,
    /// What it looked at.
    pub evidence: Vec<Input>,
    /// What it compared with; promotion expects this version.
    pub baseline: Option<Compared>,
    /// The data baselines that requirements compare with.
    pub references: Vec<Reference>,
    /// The requirements in the order written.
    pub requirements: Vec<Line>,
    /// What a frozen set says of why a metric dropped, where there is one beside another.
    #[serde(default)]
    pub diagnosis: Vec<Diagnosis>,
    /// The seed of resampling, where a requirement draws samples.
    pub seed: Option<u64>,
    /// How the approval that it asked for was decided.
    pub approval: Option<Decision>,
    /// The override, where a person let it pass all the same.
    #[serde(rename = "override")]
    pub overridden: Option<Override>,
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The file, relative to the workspace.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A verdict, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It compares with a baseline that is not there, and the gate says what then. Of requirements only.
    PassedOver,
    /// It does not hold, and only warns.
    Warn,
    /// The evidence was skipped. Never a pass.
    NotEvaluated,
    /// Too little evidence to decide.
    Inconclusive,
    /// It does not hold.
    Fail,
    /// It could not be decided.
    Error,
}

/// A model that the gate admits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// The output that it is.
    pub model: Origin,
    /// Its digest.
    pub digest: Option<String>,
}

/// A file that the gate looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The output that it is.
    pub origin: Origin,
    /// Where it stood in the workspace.
    pub path: String,
    /// Its digest; none where it was not there or not readable.
    pub digest: Option<String>,
    /// The model that it measures.
    pub of: Option<Origin>,
    /// The data that it was measured on.
    pub over: Option<Origin>,
    /// The digest of that data; none where it was not there or not readable.
    #[serde(default)]
    pub over_digest: Option<String>,
    /// The split that the data is.
    pub split: Option<String>,
    /// The class of machine that it was measured on, for measurements of time.
    #[serde(default)]
    pub machine: Option<String>,
}

/// A data baseline that a requirement compares with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Where it stands in the workspace.
    pub path: String,
    /// Its digest; none where it was not there or not readable.
    pub digest: Option<String>,
}

/// What the gate compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The registry.
    pub registry: String,
    /// The pointer.
    pub pointer: String,
    /// What was found there.
    pub state: State,
    /// The version that the pointer named.
    pub version: Option<String>,
    /// The digest of that version's model.
    pub digest: Option<String>,
    /// Why it could not be read or scored.
    pub reason: Option<String>,
    /// What the gate says about that: `pass`, `fail`, `error` or `ask <approval>`.
    pub decision: Option<String>,
    /// Where it scores worse now than what was registered with it (`baseline-moved`).
    pub moved: Option<String>,
    /// Its measurements of this run.
    pub evidence: Vec<Input>,
    /// What was registered with it, against which its own decline is told.
    pub recorded: Vec<Registered>,
}

/// Measurements that were registered with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The output that they were of.
    pub origin: Origin,
    /// Their digest; none where they could not be read.
    pub digest: Option<String>,
    /// The class of machine that they were measured on, for measurements of time.
    #[serde(default)]
    pub machine: Option<String>,
}

/// What was found of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was scored in this run.
    Scored,
    /// The pointer does not exist yet.
    Absent,
    /// The registry could not be read.
    Unreachable,
    /// Today's code can't score it.
    Unscorable,
    /// Nobody looked, since the run did not come so far.
    Skipped,
}

/// A requirement and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Whether it blocks.
    pub level: Level,
    /// As written.
    pub text: String,
    /// Where it is written.
    pub place: Option<Position>,
    /// The kind that evaluated it.
    pub kind: String,
    /// What was computed.
    pub formula: String,
    /// The candidate's number, in `metric_unit`.
    pub candidate: Option<f64>,
    /// The baseline's number, in `metric_unit`.
    pub baseline: Option<f64>,
    /// What `candidate` and `baseline` are counted in.
    pub metric_unit: Unit,
    /// What the formula gave, in `unit`.
    pub value: Option<f64>,
    /// What it is held against, in `unit`.
    pub limit: Option<Limit>,
    /// What `value` and `limit` are counted in.
    pub unit: Unit,
    /// How it came out.
    pub verdict: Outcome,
    /// Why, in one sentence.
    pub reason: String,
    /// How each column or group came out, where the requirement is about several.
    pub parts: Vec<Part>,
}

/// What a number is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    /// `value op at`
    Compare {
        /// The comparison.
        op: Compare,
        /// The right side.
        at: f64,
    },
    /// Between two numbers, both included.
    Between {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

/// How an approval was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The approval.
    pub approval: String,
    /// Whether it was given.
    pub given: bool,
    /// Who decided; nobody where the time ran out.
    pub by: Option<String>,
    /// When, RFC 3339 in UTC, as recorded with the decision.
    pub at: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// A person's record that lets a failed gate pass for one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Who.
    pub by: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Why.
    pub reason: String,
}

impl Report {
    /// Returns the bytes of `gate_report.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report has string keys and finite numbers only");
        text.push('\n');
        text
    }

    /// Reads `gate_report.json`.
    ///
    /// # Errors
    /// Why it is none of this version.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let report: Self = serde_json::from_str(text).map_err(|error| format!("not a gate report: {error}"))?;
        match report.format {
            FORMAT => Ok(report),
            other => Err(format!("a gate report of format {other}; this mlpc reads format {FORMAT}")),
        }
    }

    /// Tells whether what is behind the gate may go on.
    #[must_use]
    pub fn lets_go_on(&self) -> bool {
        self.advisory || self.verdict.lets_go_on() && !self.is_waiting()
    }

    /// Tells whether an approval that it asks for is not decided yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.ask.is_some() && self.approval.is_none()
    }

    /// Returns the exit code of the verdict: 0 to go on, 10 for a no, 11 where it could not be decided. A gate that
    /// waits for a person is not decided; whoever can ask that person tells the two apart by [`Report::is_waiting`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            _ if self.lets_go_on() => 0,
            Outcome::Fail => 10,
            _ => 11,
        }
    }

    /// Enters how the approval that it asks for was decided; a rejection makes the verdict `fail`.
    pub fn decide(&mut self, decision: Decision) {
        if self.ask.as_deref() != Some(decision.approval.as_str()) {
            return;
        }
        let who = decision.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        if decision.given {
            self.reason = format!("{}; `{}` was approved{who}", self.reason, decision.approval);
        } else {
            let why = decision.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            self.verdict = Outcome::Fail;
            self.reason = format!("`{}` was rejected{who}{why}", decision.approval);
        }
        make_inline(&mut self.reason);
        self.approval = Some(decision);
    }
}

impl Line {
    /// Makes its sentences, and the names of its parts, such that they may be shown in one line.
    pub(super) fn make_inline(&mut self) {
        make_sentence(&mut self.reason);
        for part in &mut self.parts {
            make_inline(&mut part.name);
            part.reason.iter_mut().for_each(make_sentence);
        }
    }
}

impl Outcome {
    /// Tells whether what is behind a blocking gate may go on.
    #[must_use]
    pub fn lets_go_on(self) -> bool {
        matches!(self, Self::Pass | Self::Warn)
    }

    /// Returns the verdict, where it is one.
    #[must_use]
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Pass => Some(Verdict::Pass),
            Self::Warn => Some(Verdict::Warn),
            Self::Inconclusive => Some(Verdict::Inconclusive),
            Self::Fail => Some(Verdict::Fail),
            Self::Error => Some(Verdict::Error),
            Self::PassedOver | Self::NotEvaluated => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict() {
            Some(verdict) => verdict.fmt(f),
            None if *self == Self::PassedOver => f.pad("passed over"),
            None => f.pad("not evaluated"),
        }
    }
}
