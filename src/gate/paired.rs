//! Candidate and baseline over the same rows, paired by their ids: how far one is from the other, and how sure that is.

use std::sync::atomic::{AtomicBool, Ordering};

use super::case::{Case, Undecided};
use super::kinds::regression;
use super::predicted::{MIN_N, Of, Predicted, rows};
use super::sample::Sample;
use super::{Measure, MetricRef};
use crate::data::{Grouped, Predictions, respelt};
use crate::stats::binary::Confusion;
use crate::stats::{Area, Draw, Ranked, Replicates};
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
    let respelt = in_one_spelling(candidate, baseline);
    let (candidate, baseline) = respelt.as_ref().map_or((candidate, baseline), |(mine, theirs)| (mine, theirs));
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
    if let Some(why) = other_groups(&pair.candidate.ids, (candidate, &pair.rows), (baseline, &theirs)) {
        return Err(Undecided::Error(why));
    }
    Ok(pair)
}

/// Returns both with ids in the one spelling of their numbers, where one file writes `1` and the other `1.0`.
fn in_one_spelling(candidate: &Predictions, baseline: &Predictions) -> Option<(Predictions, Predictions)> {
    let (mine, theirs) = (candidate.by_id().into_iter(), baseline.by_id().into_iter());
    if mine.map(|row| &candidate.ids[row]).eq(theirs.map(|row| &baseline.ids[row])) {
        return None;
    }
    let (mine, theirs) = (respelt(&candidate.ids)?, respelt(&baseline.ids)?);
    Some((Predictions { ids: mine, ..candidate.clone() }, Predictions { ids: theirs, ..baseline.clone() }))
}

/// Says which row stands in another group than in the baseline's predictions: a group that the candidate does not tell apart
/// is none that it is held to.
fn other_groups(ids: &[String], mine: (&Predictions, &[usize]), theirs: (&Predictions, &[usize])) -> Option<String> {
    fn of(names: &[String], grouped: &Grouped, row: usize) -> String {
        grouped.of.get(row).and_then(|group| names.get(*group as usize)).cloned().unwrap_or_default()
    }
    for grouped in &mine.0.groups {
        let column = &grouped.column;
        let Some(other) = theirs.0.groups.iter().find(|other| other.column == *column) else {
            return Some(format!("the baseline's predictions have no `{column}`"));
        };
        for (id, (&row, &other_row)) in ids.iter().zip(mine.1.iter().zip(theirs.1)) {
            if of(grouped.keys(), grouped, row) != of(other.keys(), other, other_row) {
                let (group, was) = (of(&grouped.names, grouped, row), of(&other.names, other, other_row));
                return Some(format!(
                    "the row `{id}` has `{group}` in `{column}`, and `{was}` in the baseline's predictions: it is not the same data"
                ));
            }
        }
    }
    None
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
    /// It is over no rows, or its spread can't be told; it is relative, and the baseline is next to nothing.
    pub(super) fn difference(
        &self,
        case: &Case<'_>,
        metric: &Predicted,
        measure: &Measure,
        sign: f64,
    ) -> Result<Difference, Undecided> {
        let (candidate, baseline) = (metric.value(&self.candidate)?, metric.value(&self.baseline)?);
        let apart = Apart::new(measure, sign);
        let base = if apart.relative { regression::base(measure, baseline)? } else { 1.0 };
        // Adding zero makes −0 a plain 0.
        let point = sign * (baseline - candidate) / base + 0.0;
        if matches!(metric.of, Of::Ranks) && !apart.relative {
            let sample = Sample::Normal { mean: point, error: self.error(metric)? };
            return Ok(Difference { sample, candidate, baseline });
        }
        let replicates = self.replicates(case, metric, &apart);
        apart.check()?;
        if apart.relative && replicates.is_flat() && point != 0.0 {
            return Err(no_spread(metric));
        }
        Ok(Difference { sample: Sample::Drawn { point, replicates }, candidate, baseline })
    }

    /// Draws the pairs again and again: both models always see the same rows.
    fn replicates(&self, case: &Case<'_>, metric: &Predicted, apart: &Apart) -> Replicates {
        let all = self.candidate.rows;
        match metric.of {
            Of::Ranks => {
                let ranked = |of: &Predictions| Ranked::of(&of.labels, &of.scores);
                let both = ranked(&self.candidate).zip(ranked(&self.baseline));
                let statistic = |draw: &mut Draw| {
                    let (mine, theirs) = both.as_ref()?;
                    let mut weights = vec![0; all];
                    draw.weights(&mut weights);
                    apart.of(theirs.area(&weights)?, mine.area(&weights)?)
                };
                Replicates::draw(case.seed(), all, &statistic)
            }
            Of::Share(value) | Of::Counts(value) => {
                let cells = self.cells();
                let statistic = |draw: &mut Draw| {
                    let (mut mine, mut theirs) = (Confusion::default(), Confusion::default());
                    for (cell, count) in draw.counts(&cells).into_iter().enumerate() {
                        mine.add(cell & 1 != 0, cell & 2 != 0, count);
                        theirs.add(cell & 1 != 0, cell & 4 != 0, count);
                    }
                    apart.of(value(&theirs).value()?, value(&mine).value()?)
                };
                Replicates::draw(case.seed(), all, &statistic)
            }
            Of::Rows(row) => {
                let (mine, theirs) = (rows(&self.candidate, row), rows(&self.baseline, row));
                let apart_by: Vec<f64> = mine.iter().zip(&theirs).map(|(mine, theirs)| theirs - mine).collect();
                let n = apart_by.len() as f64;
                if !apart.relative {
                    let sum = |draw: &mut Draw| (0..apart_by.len()).map(|_| apart_by[draw.row()]).sum::<f64>();
                    return Replicates::draw(case.seed(), all, &|draw: &mut Draw| apart.over(sum(draw) / n, 0.0));
                }
                let both: Vec<(f64, f64)> = apart_by.into_iter().zip(theirs).collect();
                let statistic = |draw: &mut Draw| {
                    let (mut difference, mut baseline) = (0.0, 0.0);
                    for _ in 0..both.len() {
                        let (apart, theirs) = both[draw.row()];
                        difference += apart;
                        baseline += theirs;
                    }
                    apart.over(difference / n, baseline / n)
                };
                Replicates::draw(case.seed(), all, &statistic)
            }
        }
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
            return Err(no_spread(metric));
        }
        Ok(libm::sqrt(variance))
    }

    /// Counts the rows by label, the candidate's decision and the baseline's, one bit each.
    fn cells(&self) -> [u64; 8] {
        let bit = |of: &[bool], row: usize| u8::from(of.get(row).copied().unwrap_or(false));
        let cell = |row| -> u8 {
            bit(&self.candidate.labels, row)
                | (bit(&self.candidate.decisions, row) << 1)
                | (bit(&self.baseline.decisions, row) << 2)
        };
        let mut cells = [0; 8];
        (0..self.candidate.rows).for_each(|row| cells[usize::from(cell(row))] += 1);
        cells
    }
}

fn no_spread(metric: &Predicted) -> Undecided {
    let why = format!("`{}` differs by the same on every row, which says nothing about its spread", metric.name);
    Undecided::Inconclusive(why)
}

/// How two numbers become a difference.
struct Apart {
    sign: f64,
    relative: bool,
    /// The least magnitude of a baseline that is divided by.
    least: f64,
    /// A draw had a baseline below it.
    fell: AtomicBool,
}

impl Apart {
    fn new(measure: &Measure, sign: f64) -> Self {
        let (relative, least) = (regression::is_relative(measure), regression::min_base(measure));
        Self { sign, relative, least, fell: AtomicBool::new(false) }
    }

    fn of(&self, baseline: f64, candidate: f64) -> Option<f64> {
        self.over(baseline - candidate, baseline)
    }

    fn over(&self, difference: f64, baseline: f64) -> Option<f64> {
        let difference = self.sign * difference + 0.0;
        if !self.relative {
            return Some(difference);
        }
        if baseline == 0.0 || baseline.abs() < self.least {
            self.fell.store(true, Ordering::Relaxed);
            return None;
        }
        Some(difference / baseline.abs() + 0.0)
    }

    /// A draw that can't be divided by says that the share means nothing there; leaving it out would make the rest look sure.
    fn check(&self) -> Result<(), Undecided> {
        if self.fell.load(Ordering::Relaxed) {
            let why = "in a draw of these rows the baseline is too near to zero to divide by: compare absolutely";
            return Err(Undecided::Error(why.to_owned()));
        }
        Ok(())
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
