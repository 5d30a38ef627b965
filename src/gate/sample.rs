//! The sample behind a bound: the runs of a fan-out, the rows that a share was measured on, or predictions row by row.

use super::case::{Case, Undecided};
use super::kinds::{Measured, regression};
use super::paired::{paired, sign};
use super::predicted::{MIN_N, Of, Predicted, confusion, rows};
use super::{Measure, MetricRef};
use crate::data::Predictions;
use crate::stats::binary::Confusion;
use crate::stats::special::{normal_cdf, normal_quantile};
use crate::stats::{Area, Draw, REPLICATES, Replicates, Spread, wilson};
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
    /// A number with its standard error, normal by DeLong.
    Normal { mean: f64, error: f64 },
    /// A number with what it would have been on other draws of the rows.
    Drawn { point: f64, replicates: Replicates },
}

impl Sample {
    /// Returns the number itself.
    pub(super) fn point(&self) -> f64 {
        match self {
            Self::Runs(spread) => spread.mean,
            Self::Share { share: point, .. } | Self::Normal { mean: point, .. } | Self::Drawn { point, .. } => *point,
        }
    }

    /// Returns the one-sided bound at this level.
    pub(super) fn bound(&self, side: Side, level: f64) -> Result<f64, Undecided> {
        let (low, high) = match self {
            Self::Runs(spread) => (spread.mean - spread.reach(level), spread.mean + spread.reach(level)),
            Self::Share { share, n } => wilson(*share, *n, level),
            Self::Normal { mean, error } => {
                let reach = normal_quantile(level) * error;
                (mean - reach, mean + reach)
            }
            Self::Drawn { replicates, .. } => {
                let bound = if side == Side::Lower { replicates.lower(level) } else { replicates.upper(level) };
                let why = "too many draws of these rows have no such number: there are too few of the rows it is over";
                return bound.ok_or_else(|| Undecided::Inconclusive(why.to_owned()));
            }
        };
        Ok(if side == Side::Lower { low } else { high })
    }

    /// Returns the chance of such a sample where the true value lies at the limit, on the wrong side of it for a bound on
    /// this side: at most 1 − level where the bound holds. None for runs.
    pub(super) fn p(&self, side: Side, limit: f64) -> Option<f64> {
        let sign = if side == Side::Lower { 1.0 } else { -1.0 };
        let normal = |distance: f64, error: f64| match error {
            0.0 if sign * distance >= 0.0 => 0.0,
            0.0 => 1.0,
            error => normal_cdf(-sign * distance / error),
        };
        Some(match self {
            Self::Runs(_) => return None,
            // The score test, which Wilson's bound is the inverse of.
            Self::Share { share, n } => {
                normal(share - limit, libm::sqrt(limit.clamp(0.0, 1.0) * (1.0 - limit.clamp(0.0, 1.0)) / n))
            }
            Self::Normal { mean, error } => normal(mean - limit, *error),
            Self::Drawn { replicates, .. } if side == Side::Lower => replicates.below(limit),
            Self::Drawn { replicates, .. } => replicates.above(limit),
        })
    }
}

/// Returns the sample of a metric.
pub(super) fn sample(case: &Case<'_>, measure: &Measure) -> Result<Sample, Undecided> {
    let none = || Undecided::Error(format!("`{}` names no metric", measure.kind));
    let metric = measure.metric.as_ref().ok_or_else(none)?;
    let legs = case.legs(metric.evidence);
    if legs.is_empty() {
        if let Some(predicted) = case.predicted(metric) {
            return of_predictions(case, measure, predicted, case.predictions(metric.evidence)?);
        }
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

/// Returns a metric of predictions as a sample of its rows.
pub(super) fn of_predictions(
    case: &Case<'_>,
    measure: &Measure,
    metric: &Predicted,
    of: &Predictions,
) -> Result<Sample, Undecided> {
    let point = metric.value(of)?;
    let least = match measure.options.get("min_n") {
        Some(Value::Int(least)) => *least as u64,
        // Wilson's bound is right for few rows, too.
        _ if matches!(metric.of, Of::Share(_)) && measure.groups.is_none() => 1,
        _ => MIN_N,
    };
    metric.enough(of, least, "")?;
    let flat = || {
        let name = metric.name;
        Undecided::Inconclusive(format!(
            "`{name}` is the same on every draw of these rows, so its spread can't be told"
        ))
    };
    match metric.of {
        Of::Share(share) => Ok(Sample::Share { share: point, n: share(&confusion(of)).of as f64 }),
        Of::Ranks => match Area::of(&of.labels, &of.scores).and_then(|area| area.variance()) {
            Some(variance) if variance > 0.0 => Ok(Sample::Normal { mean: point, error: libm::sqrt(variance) }),
            _ => Err(flat()),
        },
        Of::Counts(value) => {
            let bit = |row: usize| u8::from(of.labels[row]) | (u8::from(of.decisions[row]) << 1);
            let mut cells = [0_u64; 4];
            (0..of.rows).for_each(|row| cells[usize::from(bit(row))] += 1);
            let statistic = |draw: &mut Draw| {
                let mut confusion = Confusion::default();
                let counts = draw.counts(&cells).into_iter().enumerate();
                counts.for_each(|(cell, count)| confusion.add(cell & 1 != 0, cell & 2 != 0, count));
                value(&confusion).value()
            };
            drawn(case, point, of.rows, &statistic).ok_or_else(flat)
        }
        Of::Rows(row) => {
            let each = rows(of, row);
            let statistic =
                |draw: &mut Draw| Some((0..each.len()).map(|_| each[draw.row()]).sum::<f64>() / each.len() as f64);
            drawn(case, point, each.len(), &statistic).ok_or_else(flat)
        }
    }
}

fn drawn(
    case: &Case<'_>,
    point: f64,
    rows: usize,
    statistic: &(dyn Fn(&mut Draw) -> Option<f64> + Sync),
) -> Option<Sample> {
    let replicates = Replicates::draw(case.seed(), rows, statistic);
    (!replicates.is_flat()).then_some(Sample::Drawn { point, replicates })
}

/// Returns the runs of a metric; a share of rows is no run.
pub(super) fn runs(case: &Case<'_>, measure: &Measure) -> Result<Spread, Undecided> {
    match sample(case, measure)? {
        Sample::Runs(spread) => Ok(spread),
        _ => Err(Undecided::Error(format!("`{}` is over runs, and there is one", measure.kind))),
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
    if !measure.options.contains_key("of") {
        let sample = sample(case, measure)?;
        return Ok(Measured { value: sample.bound(side, level)?, candidate: sample.point(), baseline: None });
    }
    let none = || Undecided::Error(format!("`{}` compares no metric of predictions", measure.kind));
    let metric = measure.metric.as_ref().ok_or_else(none)?;
    let predicted = case.predicted(metric).ok_or_else(none)?;
    let pair = paired(case, metric)?;
    pair.enough(predicted, measure)?;
    let difference = pair.difference(case, predicted, measure, sign(case.direction(metric)?, measure))?;
    let value = difference.sample.bound(side, level)?;
    Ok(Measured { value, candidate: difference.candidate, baseline: Some(difference.baseline) })
}

/// Says what is computed.
pub(super) fn formula(case: &Case<'_>, measure: &Measure, sign: &str) -> String {
    let runs = measure.metric.as_ref().map_or(0, |metric| case.legs(metric.evidence).len());
    let level = measure.options.get("level").and_then(Value::number).unwrap_or(f64::NAN);
    let predicted = measure.metric.as_ref().and_then(|metric| case.predicted(metric));
    let paired = if measure.options.contains_key("of") { "paired " } else { "" };
    let relative = if regression::is_relative(measure) { " of the difference / |baseline|" } else { "" };
    let holm = if measure.groups.is_some() { ", Holm" } else { "" };
    match (runs, predicted.map(|metric| &metric.of)) {
        (0, Some(Of::Ranks)) if !regression::is_relative(measure) => {
            let of = if paired.is_empty() { "auc_roc" } else { "difference" };
            format!("{of} {sign} z({level}) of DeLong's error{holm}")
        }
        (0, Some(of)) if !paired.is_empty() || !matches!(of, Of::Share(_)) => {
            format!("{paired}bootstrap of {REPLICATES}{relative}, percentile at {level}{holm}")
        }
        (0, _) => format!("Wilson's bound of a share, at {level}{holm}"),
        _ => format!("mean {sign} t({level}, {}) s / sqrt({runs})", runs.saturating_sub(1)),
    }
}
