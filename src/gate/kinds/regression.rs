//! `regression(m)` = d·(baseline − candidate): how much worse than the baseline, by the metric's own direction.
//! `relative` divides by the magnitude of the baseline.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes, metric_of};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::gate::number::{Unit, number_text};
use crate::types::{Direction, Range, Type, Value};

pub(super) struct Regression;

/// The least magnitude of a baseline that something is divided by, unless `min_base` says otherwise.
const MIN_BASE: f64 = 1e-9;

/// Options of both comparisons with a baseline.
pub(super) static OPTIONS: &[Opt] = &[
    Opt { name: "relative", ty: OptType::Flag },
    Opt { name: "min_base", ty: OptType::Positive },
    Opt { name: "min_n", ty: OptType::Rows },
];

static SIGNATURE: Signature = Signature {
    name: "regression",
    form: Form::Call,
    takes: Takes::Metric,
    options: OPTIONS,
    direction: true,
    better: Better::Lower,
    baseline: true,
    against: Against::No,
    example: "require regression(auc_roc, relative) <= 2%",
};

impl Kind for Regression {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
        difference(subject, options)
    }

    fn formula(&self, case: &Case<'_>, measure: &Measure) -> String {
        formula(case, measure, "baseline - candidate", "candidate - baseline")
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        compare(case, measure)
    }

    fn decline(&self, case: &Case<'_>, measure: &Measure) -> Option<f64> {
        decline(case, measure)
    }
}

/// Writes the formula of a difference, by what is better.
pub(super) fn formula(case: &Case<'_>, measure: &Measure, higher: &str, lower: &str) -> String {
    let direction = metric_of(measure).and_then(|metric| case.direction(metric));
    let difference = if direction == Ok(Direction::Lower) { lower } else { higher };
    if is_relative(measure) { format!("({difference}) / |baseline|") } else { difference.to_owned() }
}

/// Computes how much worse the candidate is than the baseline.
pub(super) fn compare(case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
    let metric = metric_of(measure)?;
    let direction = case.direction(metric)?;
    // The candidate first: a wrong candidate is wrong without a baseline too.
    let candidate = case.number(metric)?;
    let baseline = case.baseline_number(metric)?;
    case.same_rows(metric)?;
    case.enough(measure)?;
    let difference = direction.sign() * (baseline - candidate);
    let base = if is_relative(measure) { base(measure, baseline)? } else { 1.0 };
    // Adding zero makes −0 a plain 0.
    let value = difference / base + 0.0;
    if value.is_finite() {
        return Ok(Measured { value, candidate, baseline: Some(baseline) });
    }
    let unit = Unit::of(&case.ty(metric));
    let (candidate, baseline) = (number_text(unit, candidate), number_text(unit, baseline));
    Err(Undecided::Error(format!("the difference of {candidate} and {baseline} is more than a number can hold")))
}

/// Computes how much worse the baseline scores now than what was registered with it.
pub(super) fn decline(case: &Case<'_>, measure: &Measure) -> Option<f64> {
    let metric = measure.metric.as_ref()?;
    let now = case.baseline_number(metric).ok()?;
    let then = case.recorded_number(metric)?;
    let difference = case.direction(metric).ok()?.sign() * (then - now);
    let base = if is_relative(measure) { base(measure, then).ok()? } else { 1.0 };
    Some(difference / base)
}

/// Tells whether a difference is divided by the magnitude of the baseline.
pub(crate) fn is_relative(measure: &Measure) -> bool {
    measure.options.get("relative") == Some(&Value::Bool(true))
}

/// Returns what a relative difference is divided by, unless it is too near to zero to mean anything.
pub(crate) fn base(measure: &Measure, baseline: f64) -> Result<f64, Undecided> {
    if baseline != 0.0 && baseline.abs() >= min_base(measure) {
        return Ok(baseline.abs());
    }
    Err(Undecided::Error(format!("the baseline is {baseline}, too near to zero to divide by: compare absolutely")))
}

/// Returns the least magnitude of a baseline that is divided by.
pub(crate) fn min_base(measure: &Measure) -> f64 {
    measure.options.get("min_base").and_then(Value::number).unwrap_or(MIN_BASE)
}

/// Returns the type of a difference of two values of `subject`: its unit without its range, or a share.
pub(super) fn difference(subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
    match subject {
        _ if options.contains_key("relative") => Type::Ratio(Range::ANY),
        Some(Type::Int(_)) => Type::Int(Range::ANY),
        Some(Type::Ratio(_)) => Type::Ratio(Range::ANY),
        Some(Type::Duration) => Type::Duration,
        Some(Type::Bytes) => Type::Bytes,
        _ => Type::Float(Range::ANY),
    }
}
