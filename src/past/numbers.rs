//! The metrics of a run: what its outputs of type `Metrics` hold, as their declaration reads them, and what its gates computed of
//! predictions.

use serde::Serialize;

use crate::cache::Store;
use crate::exec::RunRecord;
use crate::gate::{self, Unit, number_text};
use crate::plan::{NodeKind, OutputKind, Plan};
use crate::types::{Artifact, Direction};

/// A number that a run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    /// `evaluate.report.auc`
    pub name: String,
    /// Its value, in the base unit of its type.
    pub value: f64,
    /// As people read it.
    pub text: String,
    /// Which way it gets better, if that is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// What it is counted in.
    #[serde(skip)]
    pub unit: Unit,
}

/// Reads the numbers of a run out of the store; what is no longer there is left out.
#[must_use]
pub fn numbers(plan: &Plan, store: &Store, record: &RunRecord) -> Vec<Number> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        let NodeKind::Stage(stage) = &node.kind else { continue };
        let Some(ended) = record.node(&node.name) else { continue };
        for output in &stage.outputs {
            let OutputKind::Artifact(Artifact::Metrics { name }) = &output.kind else { continue };
            let Some(declared) = plan.metrics.iter().find(|metrics| metrics.name == *name) else { continue };
            let json = ended
                .outputs
                .get(&output.name)
                .and_then(|digest| digest.parse().ok())
                .and_then(|digest| store.read(&digest).ok().flatten())
                .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            let Some(json) = json else { continue };
            for metric in &declared.metrics {
                let Some(value) = json.pointer(&metric.pointer()).and_then(serde_json::Value::as_f64) else { continue };
                let value = value * metric.scale.unwrap_or(1.0);
                let unit = Unit::of(&metric.ty);
                found.push(Number {
                    name: format!("{}.{}.{}", node.name, output.name, metric.name),
                    value,
                    text: number_text(unit, value),
                    direction: metric.direction,
                    unit,
                });
            }
        }
    }
    found.extend(of_predictions(plan, store, record));
    found
}

/// Reads what gates computed of predictions, out of the reports that the run keeps.
fn of_predictions(plan: &Plan, store: &Store, record: &RunRecord) -> Vec<Number> {
    let gates = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Gate(gate) if !gate::predictions_wanted(gate).is_empty() => Some((node.name.as_str(), gate)),
        _ => None,
    });
    let gates: Vec<_> = gates.collect();
    let mut found: Vec<Number> = Vec::new();
    if gates.is_empty() {
        return found;
    }
    let reports = super::gates(store.state(), &record.run);
    for (name, gate) in gates {
        let Some(report) = reports.iter().find(|report| report.gate == name) else { continue };
        for number in gate::computed(gate, report) {
            let name = format!("{}.{}", gate.evidence[number.evidence].origin, number.name);
            if found.iter().any(|known| known.name == name) {
                continue;
            }
            let text = number_text(number.unit, number.value);
            let (value, direction, unit) = (number.value, number.direction, number.unit);
            found.push(Number { name, value, text, direction, unit });
        }
    }
    found
}
