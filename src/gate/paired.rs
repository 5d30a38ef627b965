//! Candidate and baseline over the same rows, paired by their ids: how far one is from the other, and how sure that is.

use super::case::{Case, Undecided};
use super::predicted::{MIN_N, Of, Predicted, rows};
use super::sample::Sample;
use super::{Measure, MetricRef};
use crate::data::Predictions;
use crate::stats::binary::Confusion;
use crate::stats::{Area, Draw, Replicates};
use crate::types::{Direction, Value};

/// Predictions of both models, row by row.
#[derive(Debug, Clone)]
pub(super) struct Paired {
    /// The candidate's.
    pub(super) candidate: Predictions,
    /// The baseline's, in the same order.
    pub(super) baseline: Predictions,
    /// Which of the candidate's rows these are.
    rows: Vec<usize>,
}

/// Pairs the rows of both models.
///
/// # Errors
/// One of them is not there, or they are not about the same rows.
pub(super) fn paired(case: &Case<'_>, metric: &MetricRef) -> Result<Paired, Undecided> {
    // The candidate first: a wrong candidate is wrong without a baseline too.
    let candidate = case.predictions(metric.evidence)?;
    let baseline = case.baseline_predictions(metric.evidence)?;
    if candidate.ids.len() != candidate.rows || baseline.ids.len() != baseline.rows {
        return Err(Undecided::Error("rows pair by an id, and the predictions have none".to_owned()));
    }
    let (mine, theirs) = (candidate.by_id(), baseline.by_id());
    let pair = Paired { candidate: candidate.select(&mine), baseline: baseline.select(&theirs), rows: mine };
    if let Some(why) = other_rows(&pair.candidate.ids, &pair.baseline.ids) {
        return Err(Undecided::Error(why));
    }
    let labels = pair.candidate.labels.iter().zip(&pair.baseline.labels);
    if let Some(row) = labels.into_iter().position(|(one, other)| one != other) {
        let id = &pair.candidate.ids[row];
        let why = format!("the row `{id}` has another label in the baseline's predictions: it is not the same data");
        return Err(Undecided::Error(why));
    }
    Ok(pair)
}

/// Says which ids, both in order, only one side has.
fn other_rows(mine: &[String], theirs: &[String]) -> Option<String> {
    if mine == theirs {
        return None;
    }
    let missing = |of: &[String], in_: &[String]| -> Vec<String> {
        of.iter().filter(|id| in_.binary_search(id).is_err()).cloned().collect()
    };
    let (only_mine, only_theirs) = (missing(mine, theirs), missing(theirs, mine));
    let side = |ids: &[String], whose: &str| {
        ids.first().map(|first| format!("{} of {whose} alone, such as `{first}`", ids.len()))
    };
    let sides = [side(&only_mine, "the candidate"), side(&only_theirs, "the baseline")];
    let sides: Vec<String> = sides.into_iter().flatten().collect();
    Some(format!("candidate and baseline are not about the same rows: {}", sides.join(", ")))
}

impl Paired {
    /// Returns the pairs of some of the candidate's rows.
    pub(super) fn some(&self, rows: &[usize]) -> Self {
        let wanted: std::collections::HashSet<usize> = rows.iter().copied().collect();
        let places: Vec<usize> = (0..self.rows.len()).filter(|place| wanted.contains(&self.rows[*place])).collect();
        Self {
            candidate: self.candidate.select(&places),
            baseline: self.baseline.select(&places),
            rows: places.iter().map(|place| self.rows[*place]).collect(),
        }
    }

    /// Says that one of them is over too few rows.
    pub(super) fn enough(&self, metric: &Predicted, measure: &Measure) -> Result<(), Undecided> {
        let least = match measure.options.get("min_n") {
            Some(Value::Int(least)) => *least as u64,
            _ => MIN_N,
        };
        metric.enough(&self.candidate, least, "")?;
        metric.enough(&self.baseline, least, " of the baseline")
    }

    /// Returns the difference of a metric, times `sign`, baseline − candidate, as a sample; with both numbers.
    ///
    /// # Errors
    /// It is over no rows, or its spread can't be told.
    pub(super) fn difference(&self, case: &Case<'_>, metric: &Predicted, sign: f64) -> Result<Difference, Undecided> {
        let (candidate, baseline) = (metric.value(&self.candidate)?, metric.value(&self.baseline)?);
        // Adding zero makes −0 a plain 0.
        let point = sign * (baseline - candidate) + 0.0;
        let sample = match metric.of {
            Of::Ranks => Sample::Normal { mean: point, error: self.error(metric)? },
            Of::Share(value) | Of::Counts(value) => {
                let cells = self.cells();
                let statistic = |draw: &mut Draw| {
                    let mut counts = [0_u64; 8];
                    (0..cells.len()).for_each(|_| counts[usize::from(cells[draw.row()])] += 1);
                    let (mut mine, mut theirs) = (Confusion::default(), Confusion::default());
                    for (cell, count) in counts.into_iter().enumerate() {
                        mine.add(cell & 1 != 0, cell & 2 != 0, count);
                        theirs.add(cell & 1 != 0, cell & 4 != 0, count);
                    }
                    Some(sign * (value(&theirs).value()? - value(&mine).value()?) + 0.0)
                };
                Sample::Drawn { point, replicates: Replicates::draw(case.seed(), cells.len(), &statistic) }
            }
            Of::Rows(row) => {
                let (mine, theirs) = (rows(&self.candidate, row), rows(&self.baseline, row));
                let each: Vec<f64> = mine.iter().zip(&theirs).map(|(mine, theirs)| sign * (theirs - mine)).collect();
                let statistic = |draw: &mut Draw| {
                    let sum: f64 = (0..each.len()).map(|_| each[draw.row()]).sum();
                    Some(sum / each.len() as f64 + 0.0)
                };
                Sample::Drawn { point, replicates: Replicates::draw(case.seed(), each.len(), &statistic) }
            }
        };
        Ok(Difference { sample, candidate, baseline })
    }

    /// Returns the standard error of a difference of areas.
    pub(super) fn error(&self, metric: &Predicted) -> Result<f64, Undecided> {
        let area = |of: &Predictions| Area::of(&of.labels, &of.scores);
        let both = area(&self.candidate).zip(area(&self.baseline));
        let Some((variance, same)) =
            both.and_then(|(mine, theirs)| Some((mine.variance_of_difference(&theirs)?, mine.auc == theirs.auc)))
        else {
            let why = format!("`{}` needs two {} or more to tell its spread", metric.name, metric.over);
            return Err(Undecided::Inconclusive(why));
        };
        if variance == 0.0 && !same {
            let why =
                format!("`{}` differs by the same on every row, which says nothing about its spread", metric.name);
            return Err(Undecided::Inconclusive(why));
        }
        Ok(libm::sqrt(variance))
    }

    /// Returns label, the candidate's decision and the baseline's as one number of three bits a row.
    fn cells(&self) -> Vec<u8> {
        let bit = |of: &[bool], row: usize| u8::from(of.get(row).copied().unwrap_or(false));
        let cell = |row| {
            bit(&self.candidate.labels, row)
                | (bit(&self.candidate.decisions, row) << 1)
                | (bit(&self.baseline.decisions, row) << 2)
        };
        (0..self.candidate.rows).map(cell).collect()
    }
}

/// A difference between two models.
pub(super) struct Difference {
    /// The difference and its spread.
    pub(super) sample: Sample,
    /// The candidate's number.
    pub(super) candidate: f64,
    /// The baseline's.
    pub(super) baseline: f64,
}

/// Returns what a regression is multiplied by to be what a bound is of: `regression(m)` or `gain(m)`.
pub(super) fn sign(direction: Direction, measure: &Measure) -> f64 {
    let gain = measure.options.get("of") == Some(&Value::String("gain".to_owned()));
    direction.sign() * if gain { -1.0 } else { 1.0 }
}
