//! The outcome of a requirement that decides by itself, perhaps over several columns or groups.

use serde::{Deserialize, Serialize};

use super::Level;
use super::report::{Line, Outcome};

/// How a requirement came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The number that decided, in the unit of the result.
    pub value: Option<f64>,
    /// The candidate's number, where it is another one.
    pub candidate: Option<f64>,
    /// The number that it is compared with.
    pub baseline: Option<f64>,
    /// Whether it holds.
    pub standing: Standing,
    /// Why, in one sentence.
    pub reason: String,
    /// How each column or group came out.
    pub parts: Vec<Part>,
}

/// Whether something holds, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does.
    Holds,
    /// There is too little to tell.
    Unclear,
    /// It does not.
    Fails,
    /// It can't be told.
    Wrong,
}

/// How one column or group came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The column or group.
    pub name: String,
    /// Its number.
    pub value: Option<f64>,
    /// What its number is held against, where that is its own.
    pub limit: Option<f64>,
    /// The chance of such a number where nothing has changed; adjusted for the number of parts.
    pub p: Option<f64>,
    /// The rows that its number is over, where it is a group of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// How it came out.
    pub verdict: Outcome,
    /// Why, where the numbers do not say it.
    pub reason: Option<String>,
}

impl Standing {
    /// Returns what it means at a level.
    #[must_use]
    pub fn outcome(self, level: Level) -> Outcome {
        match (self, level) {
            (Self::Holds, _) => Outcome::Pass,
            (Self::Unclear, _) => Outcome::Inconclusive,
            (Self::Fails, Level::Require) => Outcome::Fail,
            (Self::Fails, Level::Warn) => Outcome::Warn,
            (Self::Wrong, _) => Outcome::Error,
        }
    }
}

impl Judged {
    /// Writes itself into a line of the report; what is not finite is no number of a report.
    pub(super) fn enter(self, line: &mut Line) {
        let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
        line.verdict = self.standing.outcome(line.level);
        line.reason = self.reason;
        line.value = finite(self.value);
        line.candidate = finite(self.candidate);
        line.baseline = finite(self.baseline);
        line.parts = self.parts;
        for part in &mut line.parts {
            (part.value, part.limit, part.p) = (finite(part.value), finite(part.limit), finite(part.p));
        }
    }
}
