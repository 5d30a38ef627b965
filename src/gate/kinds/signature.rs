//! What the checker asks of a kind, as data.

use std::collections::BTreeMap;

use crate::types::{Bound, Range, Type, Value};

/// How a kind is written and what it needs.
#[derive(Debug)]
pub struct Signature {
    /// Its name, also in the plan.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// What it measures: the bare name, or the first argument.
    pub takes: Takes,
    /// What else may stand in the parentheses, each at most once, in any order.
    pub options: &'static [Opt],
    /// The metric must have a direction.
    pub direction: bool,
    /// Which of its numbers are better.
    pub better: Better,
    /// The gate must have a `baseline`, and the metric's evidence is scored for it too.
    pub baseline: bool,
    /// It compares with a data baseline (`against "file"`).
    pub against: Against,
    /// One line as a user would write it, for messages.
    pub example: &'static str,
}

/// How a kind is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The metric's name alone: `auc_roc >= 85%`.
    Bare,
    /// `name(subject, option, option: value)`.
    Call,
    /// The kind's own name alone: `rows >= 1000`.
    Word,
}

/// Which numbers of a kind are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Small ones: a limit says how much of it there may be.
    Lower,
    /// Large ones.
    Higher,
    /// Those that are better of the metric that it looks at.
    OfMetric,
    /// Neither: what is right depends.
    Neither,
}

/// Whether a kind compares with a data baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// It does not.
    No,
    /// It may.
    May,
    /// It does.
    Must,
}

/// What a kind measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A metric of one of the gate's `Metrics` evidences.
    Metric,
    /// `total`, `passed`, `failed` or `skipped` of one of the gate's `Tests` evidences.
    Count,
    /// A metric with a sample behind it: of a fan-out, or declared with `n from`.
    Sample,
    /// An artifact that a stage makes: `train.model`.
    Artifact,
    /// A metric of predictions by a column: `recall by region`.
    Grouped,
    /// A column of predictions; this metric is looked at by its groups.
    Group(&'static str),
    /// One of these metrics of predictions, of candidate and baseline row by row.
    Pair(&'static [&'static str]),
    /// A declared schema, of a table.
    Schema,
    /// A table as a whole.
    Table,
    /// One column of a table.
    Column,
    /// A column of a table, or `*` for all.
    Columns,
    /// What each column of a table has to hold by a kind of drift: `psi(*) < 0.1`.
    Drift,
}

/// An option of a kind.
#[derive(Debug)]
pub struct Opt {
    /// Its name.
    pub name: &'static str,
    /// What is written after it.
    pub ty: OptType,
}

/// What is written after an option's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptType {
    /// Nothing: the name alone. In the plan it is `Bool(true)`.
    Flag,
    /// `: number`, more than zero.
    Positive,
    /// `: 1%`, a share between 0 and 1.
    Share,
    /// `: ["id"]`, names of columns.
    Names,
    /// `: ["nord", "syd"]`, names of groups.
    Groups,
    /// `: 30`, a whole number of rows, at least one.
    Rows,
}

impl Signature {
    /// Returns the option of this name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// Returns the range that a measured value of this type must lie in, and that a limit on it must reach into.
///
/// A `ratio` is a share, 0 to 1, where its declaration says nothing else; durations and sizes are not negative.
#[must_use]
pub fn metric_range(ty: &Type) -> Range {
    const ZERO: Option<Bound> = Some(Bound { at: 0.0, open: false });
    match ty {
        Type::Ratio(range) => range.of_ratio(),
        Type::Int(range) | Type::Float(range) => *range,
        Type::Duration | Type::Bytes => Range { low: ZERO, high: None },
        _ => Range::ANY,
    }
}

/// Returns the type that a limit on a number must be of, with the range beyond which it would be no limit at all.
///
/// A difference may be negative and, relative to a small baseline, of any size; a number itself is held to its own range.
#[must_use]
pub fn limit_type(kind: &str, ty: &Type, options: &BTreeMap<String, Value>) -> Type {
    let difference = matches!(kind, "regression" | "improvement") || options.contains_key("of");
    match (kind, ty) {
        ("tests", _) => Type::Int(Range::ANY),
        (_, Type::Ratio(_)) if difference => Type::Ratio(Range::FINITE),
        (_, ty) => ty.clone(),
    }
}

/// Tells whether a limit on a number of this type is a plain number beyond 1 where 1 is 100 %: `85` for `85%`.
#[must_use]
pub fn forgets_percent(ty: &Type, limit: &Value) -> bool {
    let plain = matches!(limit, Value::Int(_) | Value::Float(_));
    matches!(ty, Type::Ratio(_)) && plain && limit.number().is_some_and(|number| number.abs() > 1.0)
}

/// Tells whether a plain number in place of a share can only be meant in percent: `1.5` may be a slip for `0.15` as well, and a
/// low limit lets anything through.
#[must_use]
pub fn is_percent(value: &Value) -> bool {
    value.number().is_some_and(|number| (50.0..=100.0).contains(&number))
}

/// Returns the type of a number that `Tests` evidence has: `total`, `passed`, `failed` (with errors) or `skipped`.
#[must_use]
pub fn tests_metric(name: &str) -> Option<Type> {
    let low = Some(Bound { at: 0.0, open: false });
    ["total", "passed", "failed", "skipped"].contains(&name).then_some(Type::Int(Range { low, high: None }))
}
