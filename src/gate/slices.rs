//! A metric of predictions by the groups of a column: how far apart the groups are, or whether each of them holds.

use super::case::{Case, Undecided};
use super::drift::within;
use super::evaluate::asked;
use super::judged::{Judged, Part, Standing};
use super::number::{Unit, number_text};
use super::paired::{paired, sign};
use super::predicted::{self, MIN_N, Predicted};
use super::report::Limit;
use super::sample::{self, Side};
use super::{Level, Measure, MetricRef, Requirement};
use crate::data::Predictions;
use crate::types::Value;

/// How the groups' numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apart {
    /// The smallest divided by the largest.
    Ratio,
    /// The largest minus the smallest.
    Gap,
}

/// A group: its name, and its rows where there are any.
type Group = (String, Option<Vec<usize>>);

/// Returns the groups that a measure is about: those that are listed, else all.
fn groups(measure: &Measure, of: &Predictions) -> Result<Vec<Group>, Undecided> {
    let none = || Undecided::Error(format!("`{}` names no column to group by", measure.kind));
    let by = measure.groups.as_ref().ok_or_else(none)?;
    let found = of.grouped(&by.column).ok_or_else(|| Undecided::Error(format!("nobody read `{}`", by.column)))?;
    if of.rows == 0 {
        return Err(Undecided::Inconclusive("there are no rows under the header".to_owned()));
    }
    let all = || found.iter().map(|(name, rows)| ((*name).to_owned(), Some(rows.clone()))).collect();
    if by.listed.is_empty() {
        return Ok(all());
    }
    let grouped = of.groups.iter().find(|grouped| grouped.column == by.column);
    let place = |name: &String| grouped.and_then(|grouped| grouped.find(name));
    let mut listed: Vec<Group> = Vec::new();
    for (index, name) in by.listed.iter().enumerate() {
        let group = place(name);
        if let Some(first) = by.listed[..index].iter().find(|first| group.is_some() && place(first) == group) {
            return Err(Undecided::Error(format!("`{first}` and `{name}` are one number, and one group")));
        }
        listed.push((name.clone(), group.and_then(|group| found.get(group)).map(|(_, rows)| rows.clone())));
    }
    Ok(listed)
}

fn metric_of(measure: &Measure) -> Result<&MetricRef, Undecided> {
    measure.metric.as_ref().ok_or_else(|| Undecided::Error(format!("`{}` names no metric", measure.kind)))
}

fn least(measure: &Measure) -> u64 {
    match measure.options.get("min_n") {
        Some(Value::Int(least)) => *least as u64,
        _ => MIN_N,
    }
}

fn absent(measure: &Measure, name: &str) -> String {
    let column = measure.groups.as_ref().map_or("", |by| by.column.as_str());
    format!("no row has `{name}` in `{column}`, which is listed")
}

fn undecided(undecided: Undecided, name: &str) -> (Standing, Option<String>) {
    match undecided {
        Undecided::Inconclusive(why) => (Standing::Unclear, Some(format!("of `{name}`, {why}"))),
        Undecided::Error(why) | Undecided::Skipped(why) | Undecided::Unscorable(why) => {
            (Standing::Wrong, Some(format!("of `{name}`, {why}")))
        }
        Undecided::NoBaseline => (Standing::Wrong, Some("there is no baseline".to_owned())),
    }
}

/// Compares the groups of a column in one metric or several: the worst of them decides.
///
/// # Errors
/// The predictions are not there.
pub(super) fn apart(
    case: &Case<'_>,
    requirement: &Requirement,
    limit: Option<Limit>,
    metrics: &[&str],
    how: Apart,
) -> Result<Judged, Undecided> {
    let measure = &requirement.measure;
    let all = case.predictions(metric_of(measure)?.evidence)?;
    let groups = groups(measure, all)?;
    let mut parts = Vec::new();
    let mut worst: Option<(Standing, Option<f64>, String)> = None;
    for name in metrics {
        let metric = predicted::find(name)
            .ok_or_else(|| Undecided::Error(format!("no metric `{name}` is computed from predictions")))?;
        let first = parts.len();
        let several = metrics.len() > 1;
        parts.extend(groups.iter().map(|group| part(measure, requirement.level, metric, all, group, several)));
        let found = one_metric(requirement, limit, metric, &mut parts[first..], how);
        if worst.as_ref().is_none_or(|worst| (found.0, found.1.map(Ordered)) > (worst.0, worst.1.map(Ordered))) {
            worst = Some(found);
        }
    }
    let (standing, value, reason) = worst.ok_or_else(|| Undecided::Error("it is about no metric".to_owned()))?;
    Ok(Judged { value, candidate: None, baseline: None, standing, reason, parts })
}

/// A number in the order of all f64.
#[derive(PartialEq)]
struct Ordered(f64);

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.0.total_cmp(&other.0))
    }
}

fn part(
    measure: &Measure,
    level: Level,
    metric: &Predicted,
    all: &Predictions,
    (name, rows): &Group,
    several: bool,
) -> Part {
    let shown = if several { format!("{} of {name}", metric.name) } else { name.clone() };
    let empty = Part {
        name: shown,
        value: None,
        limit: None,
        p: None,
        n: None,
        verdict: Standing::Holds.outcome(level),
        reason: None,
    };
    let Some(rows) = rows else {
        let reason = Some(absent(measure, name));
        return Part { n: Some(0), verdict: Standing::Wrong.outcome(level), reason, ..empty };
    };
    let group = all.select(rows);
    let n = Some(metric.rows(&group));
    let value = metric.enough(&group, least(measure), "").and_then(|()| metric.value(&group));
    match value {
        Ok(value) => Part { value: Some(value), n, ..empty },
        Err(why) => {
            let (standing, reason) = undecided(why, name);
            Part { n, verdict: standing.outcome(level), reason, value: metric.value(&group).ok(), ..empty }
        }
    }
}

/// Decides over the groups in one metric.
fn one_metric(
    requirement: &Requirement,
    limit: Option<Limit>,
    metric: &Predicted,
    parts: &mut [Part],
    how: Apart,
) -> (Standing, Option<f64>, String) {
    let measure = &requirement.measure;
    let standing_of = |part: &Part| match (&part.reason, part.verdict) {
        (None, _) => Standing::Holds,
        (_, verdict) if verdict == Standing::Wrong.outcome(Level::Require) => Standing::Wrong,
        _ => Standing::Unclear,
    };
    let worst = parts.iter().map(standing_of).max().unwrap_or(Standing::Wrong);
    if worst != Standing::Holds {
        let reasons: Vec<&String> =
            parts.iter().filter(|part| standing_of(part) == worst).filter_map(|part| part.reason.as_ref()).collect();
        let reason = match reasons.as_slice() {
            [] => "there is no group".to_owned(),
            [one] => (*one).clone(),
            [one, rest @ ..] => format!("{one}; {} more with it", rest.len()),
        };
        return (worst, None, reason);
    }
    let column = measure.groups.as_ref().map_or("", |by| by.column.as_str());
    if parts.len() < 2 {
        let why = format!("`{column}` has one group alone, and there is nothing to hold it against");
        return (Standing::Unclear, None, why);
    }
    let value_of = |part: &Part| part.value.unwrap_or(f64::NAN);
    let (mut low, mut high) = (0, 0);
    for index in 1..parts.len() {
        low = if value_of(&parts[index]) < value_of(&parts[low]) { index } else { low };
        high = if value_of(&parts[index]) > value_of(&parts[high]) { index } else { high };
    }
    let (least, most) = (value_of(&parts[low]), value_of(&parts[high]));
    let label = match measure.kind.as_str() {
        kind @ ("ratio" | "gap") => format!("{kind}({} by {column})", metric.name),
        kind => format!("{kind}({column})"),
    };
    if how == Apart::Ratio && most == 0.0 {
        let why = format!("`{label}` divides by the largest, and `{}` is 0 in every group: use `gap`", metric.name);
        return (Standing::Wrong, None, why);
    }
    let value = if how == Apart::Ratio { least / most } else { most - least };
    let holds = within(limit, value);
    let standing = if holds { Standing::Holds } else { Standing::Fails };
    if !holds {
        for index in [low, high] {
            parts[index].verdict = standing.outcome(requirement.level);
        }
    }
    let unit = Unit::of(&metric.ty());
    let end = |part: &Part| {
        let rows = part.n.unwrap_or_default();
        format!("{} of `{}` (n {rows})", number_text(unit, value_of(part)), part.name)
    };
    let verb = if requirement.level == Level::Require { "required" } else { "hoped for" };
    let (joint, asked) = match limit {
        Some(limit) => (if holds { ", and " } else { ", but " }, asked(limit, Unit::of(&measure.ty))),
        None => (", and ", "nothing".to_owned()),
    };
    let value_text = number_text(Unit::of(&measure.ty), value);
    let (low, high) = (end(&parts[low]), end(&parts[high]));
    let reason = format!("`{label}` is {value_text}, from {low} to {high}{joint}{asked} is {verb}");
    (standing, Some(value), reason)
}

/// What one group gave to a test.
pub(super) struct Tested {
    /// What is shown.
    pub(super) value: f64,
    /// Whether the number by itself is within the limit.
    pub(super) within: bool,
    /// The chance of it where the group does not hold.
    pub(super) p: f64,
    /// The rows that it is over.
    pub(super) n: u64,
}

/// Holds a bound in every group: those of the metric, or of its difference to the baseline.
///
/// # Errors
/// The predictions are not there, or those of the baseline.
pub(super) fn bounds(
    case: &Case<'_>,
    requirement: &Requirement,
    limit: Option<Limit>,
    side: Side,
) -> Result<Judged, Undecided> {
    let measure = &requirement.measure;
    let none = || Undecided::Error(format!("`{}` is of no metric of predictions", measure.kind));
    let metric = metric_of(measure)?;
    let predicted = case.predicted(metric).ok_or_else(none)?;
    let level = sample::level(measure)?;
    let Some(Limit::Compare { op, at }) = limit else {
        return Err(Undecided::Error(format!("`{}` by group is held against one limit", measure.kind)));
    };
    let pair = if measure.options.contains_key("of") { Some(paired(case, metric)?) } else { None };
    let direction = match pair {
        Some(_) => sign(case.direction(metric)?, measure),
        None => 1.0,
    };
    let all = case.predictions(metric.evidence)?;
    let test = |rows: &[usize]| {
        let group = all.select(rows);
        let sample = match &pair {
            Some(pair) => {
                let pair = pair.some(rows);
                pair.enough(predicted, measure)?;
                pair.difference(case, predicted, measure, direction)?.sample
            }
            None => sample::of_predictions(case, measure, predicted, &group)?,
        };
        let bound = sample.bound(side, level)?;
        let p = sample.p(side, at).ok_or_else(none)?;
        Ok(Tested { value: bound, within: op.holds(bound, at), p, n: predicted.rows(&group) })
    };
    each(requirement, limit, 1.0 - level, all, &test)
}

/// Tests every group, with p-values adjusted by Holm: a group holds where its number is within the limit and its adjusted
/// p-value at most `alpha`, and the requirement where every group does.
///
/// # Errors
/// There is no column to group by.
pub(super) fn each(
    requirement: &Requirement,
    limit: Option<Limit>,
    alpha: f64,
    all: &Predictions,
    test: &dyn Fn(&[usize]) -> Result<Tested, Undecided>,
) -> Result<Judged, Undecided> {
    let (measure, level) = (&requirement.measure, requirement.level);
    let groups = groups(measure, all)?;
    let mut standings = Vec::new();
    let mut tested: Vec<(usize, Tested)> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    for (index, (name, rows)) in groups.into_iter().enumerate() {
        let (standing, reason) = match rows.as_deref().map(test) {
            None => (Standing::Wrong, Some(absent(measure, &name))),
            Some(Err(why)) => undecided(why, &name),
            Some(Ok(found)) => {
                tested.push((index, found));
                (Standing::Holds, None)
            }
        };
        standings.push(standing);
        let n = rows.map(|rows| rows.len() as u64);
        parts.push(Part { name, value: None, limit: None, p: None, n, verdict: standing.outcome(level), reason });
    }
    let p_values: Vec<f64> = tested.iter().map(|(_, tested)| tested.p).collect();
    // A hair of room, so that what holds alone at exactly its level holds here.
    let room = alpha * (1.0 + 1e-9);
    for ((index, found), p) in tested.iter().zip(crate::stats::holm(&p_values)) {
        let part = &mut parts[*index];
        (part.value, part.p, part.n) = (Some(found.value), Some(p), Some(found.n));
        if !(found.within && p <= room) {
            standings[*index] = Standing::Fails;
            part.verdict = Standing::Fails.outcome(level);
        }
    }
    let decides = (0..parts.len())
        .max_by(|&one, &other| {
            let p = |index: usize| parts[index].p.unwrap_or(1.0);
            // Of equally bad ones the first.
            standings[one].cmp(&standings[other]).then(p(one).total_cmp(&p(other))).then(other.cmp(&one))
        })
        .ok_or_else(|| Undecided::Error("there is no group".to_owned()))?;
    let (standing, part) = (standings[decides], &parts[decides]);
    let same = standings.iter().filter(|other| **other == standing).count();
    let others = match same {
        0 | 1 => String::new(),
        2 => "; 1 more group with it".to_owned(),
        _ => format!("; {} more groups with it", same - 1),
    };
    let unit = Unit::of(&measure.ty);
    let verb = if level == Level::Require { "required" } else { "hoped for" };
    let text = |number: Option<f64>| number.map_or_else(|| "no number".to_owned(), |number| number_text(unit, number));
    let reason = match (&part.reason, standing) {
        (Some(reason), _) => format!("{reason}{others}"),
        (None, standing) => {
            let joint = if standing == Standing::Holds { "and" } else { "but" };
            let wanted = limit.map_or_else(|| "nothing".to_owned(), |limit| asked(limit, unit));
            let p = number_text(Unit::Number, part.p.unwrap_or(f64::NAN));
            let others = if standing == Standing::Holds { "" } else { others.as_str() };
            format!(
                "of `{}`, `{}` is {} (adjusted p {p}), {joint} {wanted} with p at most {} is {verb} in every group{others}",
                part.name,
                measure.kind,
                text(part.value),
                // 1 - 0.95 is not quite 0.05.
                number_text(Unit::Number, (alpha * 1e12).round() / 1e12),
            )
        }
    };
    Ok(Judged { value: part.value, candidate: None, baseline: None, standing, reason, parts })
}
