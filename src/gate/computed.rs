//! The numbers of a model that a gate computed of predictions: no stage wrote them down, and only the gate's report has them.

use super::{Gate, Measure, Report, Unit, predicted};
use crate::types::Direction;

/// A number that a gate computed of predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// Index into [`Gate::evidence`] of the predictions.
    pub evidence: usize,
    /// The metric's name, or a bound of it as it is written: `auc_roc`, `lower(auc_roc, 95%)`.
    pub name: String,
    /// The number, in `unit`.
    pub value: f64,
    /// What it is counted in.
    pub unit: Unit,
    /// Which way it gets better.
    pub direction: Option<Direction>,
}

/// Returns the numbers that a report holds of the predictions of single models: metrics themselves, and their one-sided bounds. Each
/// once, in the order of requirements; what was not decided, what goes by group and what is a difference of two models is none.
///
/// The report may be of an earlier plan: then a requirement counts where the gate still measures the same.
#[must_use]
pub fn computed(gate: &Gate, report: &Report) -> Vec<Computed> {
    let mut found: Vec<Computed> = Vec::new();
    for requirement in &gate.requirements {
        let measure = &requirement.measure;
        let Some((evidence, metric, _)) = predicted::of_predictions(gate, measure) else { continue };
        if measure.groups.is_some() || gate.evidence[evidence].list.is_some() {
            continue;
        }
        let measured = measured(&requirement.text);
        let same = |line: &&super::Line| line.kind == measure.kind && self::measured(&line.text) == measured;
        let Some(line) = report.requirements.iter().find(same) else { continue };
        let mut add = |name: &str, value: Option<f64>, unit: Unit| {
            let known = found.iter().any(|known| known.evidence == evidence && known.name == name);
            if let Some(value) = value.filter(|value| value.is_finite() && !known) {
                let name = name.to_owned();
                found.push(Computed { evidence, name, value, unit, direction: metric.direction });
            }
        };
        add(metric.name, line.candidate, line.metric_unit);
        if is_bound(measure) {
            add(measured, line.value, line.unit);
        }
    }
    found
}

/// Tells whether a measure is a bound of the metric itself, and not of a difference.
fn is_bound(measure: &Measure) -> bool {
    ["lower", "upper"].contains(&measure.kind.as_str()) && !measure.options.contains_key("of")
}

/// Returns what a requirement measures, as it is written: what stands before the comparison.
pub(super) fn measured(text: &str) -> &str {
    let before = text.split(['<', '>', '=', '!']).next().unwrap_or(text);
    before.split(" between ").next().unwrap_or(before).trim()
}
