//! A gate's report as people read it beside a change: each number, the one of production, and which way it went. Pure.

use std::fmt::Write as _;

use super::computed::measured;
use super::predicted::of_predictions;
use super::render::{code, explain, mark, prose, requirement, title};
use super::report::{Line, Report};
use super::{Gate, Measure, Requirement, change_text, number_text};
use crate::types::{Artifact, Direction, MetricsType};

/// Writes the Markdown of a report for a comment on a pull request. `gate` and `metrics` tell which way a number gets better.
#[must_use]
pub fn remark(gate: &Gate, metrics: &[MetricsType], report: &Report) -> String {
    let mut text = format!("#### {}\n\n{}.\n", title(report), prose(&report.reason));
    if let (Some(ask), true) = (&report.ask, report.is_waiting()) {
        let _ = writeln!(text, "\nWaits for the approval `{ask}`.");
    }
    if !report.requirements.is_empty() {
        text.push_str("\n| | metric | candidate | baseline | difference | required |\n|---|---|---|---|---|---|\n");
    }
    for (index, line) in report.requirements.iter().enumerate() {
        let written = gate.requirements.get(index).filter(|written| written.text == line.text);
        let name = written.and_then(|written| metric(&written.measure)).unwrap_or_else(|| measured(&line.text));
        let baseline = line.baseline.or_else(|| baseline(gate, report, written?, line));
        let candidate = match line.candidate {
            Some(candidate) => number_text(line.metric_unit, candidate),
            None => line.value.map(|value| number_text(line.unit, value)).unwrap_or_default(),
        };
        let _ = writeln!(
            text,
            "| {} {} | {} | {candidate} | {} | {} | {}{} |",
            mark(line.verdict),
            line.verdict,
            code(name),
            baseline.map(|baseline| number_text(line.metric_unit, baseline)).unwrap_or_default(),
            difference(line, baseline, written.and_then(|written| direction(gate, metrics, written))),
            code(&requirement(line)),
            found(line),
        );
    }
    explain(report, &mut text);
    text
}

/// Returns the name of the metric that a requirement is about.
fn metric(measure: &Measure) -> Option<&str> {
    measure.metric.as_ref().map(|metric| metric.name.as_str())
}

/// Returns what production has of a metric that a requirement holds against a limit alone, where another one compares it.
fn baseline(gate: &Gate, report: &Report, written: &Requirement, line: &Line) -> Option<f64> {
    let metric = written.measure.metric.as_ref().filter(|_| written.measure.kind == "metric")?;
    let others = gate.requirements.iter().zip(&report.requirements).filter(|(other, at)| other.text == at.text);
    let mut same = others.filter(|(other, at)| {
        let plain = other.measure.groups.is_none() && at.metric_unit == line.metric_unit;
        plain && other.measure.metric.as_ref() == Some(metric) && at.candidate == line.candidate
    });
    same.find_map(|(_, at)| at.baseline)
}

/// Returns which way the metric of a requirement gets better, if that is declared.
fn direction(gate: &Gate, metrics: &[MetricsType], requirement: &Requirement) -> Option<Direction> {
    if let Some((_, metric, _)) = of_predictions(gate, &requirement.measure) {
        return metric.direction;
    }
    let metric = requirement.measure.metric.as_ref()?;
    let Artifact::Metrics { name } = &gate.evidence.get(metric.evidence)?.ty else { return None };
    let declared = metrics.iter().find(|declared| declared.name == *name)?;
    declared.metrics.iter().find(|declared| declared.name == metric.name)?.direction
}

/// Writes by how much the candidate is away from the baseline, and whether that is good.
fn difference(line: &Line, baseline: Option<f64>, direction: Option<Direction>) -> String {
    let (Some(candidate), Some(baseline)) = (line.candidate, baseline) else { return String::new() };
    let by = candidate - baseline;
    let turn = match direction {
        _ if by == 0.0 => ", the same",
        Some(direction) if (by > 0.0) == (direction == Direction::Higher) => ", better",
        Some(_) => ", **worse**",
        None => "",
    };
    format!("{}{turn}", change_text(line.metric_unit, by))
}

/// Writes what the formula gave, where that is another number than the candidate's own.
fn found(line: &Line) -> String {
    match (line.value, line.candidate) {
        (Some(value), Some(candidate)) if value != candidate || line.unit != line.metric_unit => {
            format!(": {}", number_text(line.unit, value))
        }
        _ => String::new(),
    }
}
