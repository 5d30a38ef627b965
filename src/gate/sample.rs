//! The sample behind a bound: the runs of a fan-out, or the rows that a share was measured on.

use super::case::{Case, Undecided};
use super::kinds::Measured;
use super::{Measure, MetricRef};
use crate::stats::{Spread, wilson};
use crate::types::Value;

/// Fewer runs than this say nothing about their spread.
pub(crate) const LEAST_RUNS: usize = 3;

/// Where a bound lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Upper,
}

/// A sample of a metric.
pub(super) enum Sample {
    /// One number a run.
    Runs(Spread),
    /// A share of so many rows.
    Share { share: f64, n: f64 },
}

/// Returns the sample of a metric.
pub(super) fn sample(case: &Case<'_>, measure: &Measure) -> Result<Sample, Undecided> {
    let none = || Undecided::Error(format!("`{}` names no metric", measure.kind));
    let metric = measure.metric.as_ref().ok_or_else(none)?;
    let legs = case.legs(metric.evidence);
    if legs.is_empty() {
        let share = case.number(metric)?;
        case.enough(measure)?;
        let n = case.rows(metric)?;
        if n < 1.0 {
            return Err(Undecided::Inconclusive(format!("`{}` was measured on no rows", metric.name)));
        }
        return Ok(Sample::Share { share, n });
    }
    let mut values = Vec::new();
    for evidence in legs {
        let one = MetricRef { evidence, name: metric.name.clone() };
        values.push(case.number(&one)?);
        case.enough(&Measure { metric: Some(one), ..measure.clone() })?;
    }
    if values.len() < LEAST_RUNS {
        let why = format!("`{}` has {} runs, and at least {LEAST_RUNS} are needed", metric.name, values.len());
        return Err(Undecided::Inconclusive(why));
    }
    Ok(Sample::Runs(Spread::of(&values)))
}

/// Returns the runs of a metric; a share of rows is no run.
pub(super) fn runs(case: &Case<'_>, measure: &Measure) -> Result<Spread, Undecided> {
    match sample(case, measure)? {
        Sample::Runs(spread) => Ok(spread),
        Sample::Share { .. } => Err(Undecided::Error(format!("`{}` is over runs, and there is one", measure.kind))),
    }
}

/// Returns the level that was asked for.
pub(super) fn level(measure: &Measure) -> Result<f64, Undecided> {
    let none = || Undecided::Error(format!("`{}` has no level of confidence", measure.kind));
    measure.options.get("level").and_then(Value::number).ok_or_else(none)
}

/// Computes a bound, beside the point that it is of.
pub(super) fn bound(case: &Case<'_>, measure: &Measure, side: Side) -> Result<Measured, Undecided> {
    let level = level(measure)?;
    let (point, low, high) = match sample(case, measure)? {
        Sample::Runs(spread) => (spread.mean, spread.mean - spread.reach(level), spread.mean + spread.reach(level)),
        Sample::Share { share, n } => {
            let (low, high) = wilson(share, n, level);
            (share, low, high)
        }
    };
    let value = if side == Side::Lower { low } else { high };
    Ok(Measured { value, candidate: point, baseline: None })
}

/// Says what is computed.
pub(super) fn formula(case: &Case<'_>, measure: &Measure, sign: &str) -> String {
    let runs = measure.metric.as_ref().map_or(0, |metric| case.legs(metric.evidence).len());
    let level = measure.options.get("level").and_then(Value::number).unwrap_or(f64::NAN);
    match runs {
        0 => format!("Wilson's bound of a share, at {level}"),
        _ => format!("mean {sign} t({level}, {}) s / sqrt({runs})", runs.saturating_sub(1)),
    }
}
