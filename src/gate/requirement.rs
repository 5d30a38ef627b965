//! A gate as the plan holds it: evidence, baseline, requirements. All of it is checked; nothing here is as written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::{Artifact, Expr, Origin, Schema, Type, Value};

/// A gate with everything that its evaluation needs, but for the evidence itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// What the gate is `on`, in the order written.
    pub evidence: Vec<Evidence>,
    /// The models that the evidence is `of`: this gate admits them.
    pub admits: Vec<Origin>,
    /// What regressions are measured against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The requirements in the order written.
    pub requirements: Vec<Requirement>,
}

impl Gate {
    /// Iterates over all that it looks at, but its baseline.
    pub fn looks_at(&self) -> impl Iterator<Item = &Origin> {
        let evidence = self.evidence.iter().map(|evidence| &evidence.origin);
        let artifacts = self.requirements.iter().filter_map(|requirement| requirement.measure.artifact.as_ref());
        evidence.chain(artifacts).chain(&self.admits)
    }
}

/// One thing that a gate is `on`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The name given in the gate's header (`on offline = evaluate.report`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The output that is looked at.
    pub origin: Origin,
    /// Where it stands in the workspace.
    pub path: String,
    /// Its type.
    pub ty: Artifact,
    /// The model that it measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Origin>,
    /// The data that it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<Origin>,
    /// The split that the data is (`test`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Index of the first of the legs that are named together (`evaluate[*].report`): each is an evidence, and they
    /// follow each other.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub list: Option<usize>,
}

/// `baseline models@production` and what to do where it can't be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The registry that holds it.
    pub registry: String,
    /// The pointer that names it.
    pub pointer: String,
    /// Compare with the numbers registered with it, not with numbers measured in this run.
    pub recorded: bool,
    /// What the pointer's absence means (`on no_baseline`).
    pub on_absent: OnMissing,
    /// What a baseline that today's code can't score means (`on unscorable`).
    pub on_unscorable: OnMissing,
    /// Where the baseline's own measurements stand; one entry for each evidence that is compared.
    pub evidence: Vec<BaselineEvidence>,
}

impl Baseline {
    /// Iterates over the approvals that may be asked for in its place, each with the clause that does, as the language
    /// names it.
    pub fn asks(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let clauses = [("no_baseline", &self.on_absent), ("unscorable", &self.on_unscorable)];
        clauses.into_iter().filter_map(|(clause, missing)| match missing {
            OnMissing::Ask(approval) => Some((clause, approval.as_str())),
            OnMissing::Fail | OnMissing::Pass | OnMissing::Error => None,
        })
    }
}

/// The measurement of the baseline that stands beside one evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineEvidence {
    /// Index into [`Gate::evidence`].
    pub evidence: usize,
    /// The output of the derived stage that measures it.
    pub origin: Origin,
    /// Where it stands in the workspace.
    pub path: String,
}

/// What is done where a baseline is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// The verdict is `fail`.
    Fail,
    /// Requirements that need it are passed over, and the report says so.
    Pass,
    /// The verdict is `error`.
    Error,
    /// The named approval decides.
    Ask(String),
}

/// One line of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Whether it blocks.
    pub level: Level,
    /// As written, with single spaces: what reports show.
    pub text: String,
    /// What is measured.
    pub measure: Measure,
    /// What it is held against.
    pub bound: Bound,
}

/// Whether a requirement blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It does.
    Require,
    /// It only warns.
    Warn,
}

/// What a requirement measures. `kind` names the entry of the list of kinds that evaluates it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// `metric`, `regression`, `improvement`, `size`, `tests`, …
    pub kind: String,
    /// The metric, for kinds that read one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricRef>,
    /// The artifact, for kinds that look at one (`size(train.model)`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Origin>,
    /// What is looked at in a table, for kinds that look at one (`nulls(*)`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub table: Option<TableRef>,
    /// The groups of rows that it looks at, for kinds that go by group (`gap(recall by region)`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<Groups>,
    /// Further arguments by name, such as `relative: true`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub options: BTreeMap<String, Value>,
    /// The type of the number that comes out: reports are written in its unit.
    pub ty: Type,
}

/// A table among the gate's evidences, and what of it is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableRef {
    /// Index into [`Gate::evidence`].
    pub evidence: usize,
    /// The columns; none for what is about the whole table.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub columns: Option<Columns>,
    /// The schema that it is held against.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schema: Option<Schema>,
    /// The schema of its type, where it has one: it tells texts from numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub typed: Option<Schema>,
    /// The file with the data baseline (`against "…"`), relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub against: Option<String>,
    /// It is held against the reference of its monitor.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub by_reference: bool,
}

/// The groups that rows fall into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// The column whose values are the groups.
    pub column: String,
    /// The groups that are looked at, each of which must be there; all where none is listed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub listed: Vec<String>,
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// One.
    One(String),
    /// `*`: all but these.
    All {
        /// `except: [...]`
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        except: Vec<String>,
    },
}

/// A metric of one of the gate's evidences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricRef {
    /// Index into [`Gate::evidence`].
    pub evidence: usize,
    /// The metric's name in its `metrics` type; for `Tests` one of `total passed failed skipped`.
    pub name: String,
}

/// What a measured number is held against. Numbers are in the base unit of the measure's type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// `measure op limit`.
    Compare {
        /// The comparison.
        op: Compare,
        /// The right side, perhaps of parameters: resolved before the gate is evaluated.
        limit: Expr,
    },
    /// `measure between low..high`, both included.
    Between {
        /// Lower end.
        low: Expr,
        /// Upper end.
        high: Expr,
    },
    /// The measure decides by itself (`schema(T)`).
    Holds,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

impl Compare {
    /// Returns the operator as it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::AtLeast => ">=",
            Self::Greater => ">",
        }
    }

    /// Compares parsed f64, never rounded; with NaN on either side nothing holds, `!=` included.
    #[must_use]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::Unequal => !left.is_nan() && !right.is_nan() && left != right,
            Self::AtLeast => left >= right,
            Self::Greater => left > right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_holds_with_a_nan() {
        use Compare::*;
        for op in [Less, AtMost, Equal, Unequal, AtLeast, Greater] {
            assert!(!op.holds(f64::NAN, 1.0) && !op.holds(1.0, f64::NAN), "{}", op.sign());
        }
    }
}
