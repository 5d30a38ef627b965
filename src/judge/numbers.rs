//! What the gates before a registration computed of the model's own predictions: kept with its version, for people. No gate compares
//! with it: a baseline is scored anew, and one that is taken as recorded is what the stage wrote.

use crate::gate::{self, Report};
use crate::host::Digest;
use crate::plan::{Bound, NodeKind, Register};
use crate::registry::GateNumber;

/// Returns the numbers of the model that is registered, by the reports of the gates that its register node `node` waits for. A report
/// that admits other bytes, is of another plan or only advises has none of it.
pub(crate) fn of(
    bound: &Bound,
    node: &str,
    register: &Register,
    model: Option<Digest>,
    report: impl Fn(&str) -> Option<Report>,
) -> Vec<GateNumber> {
    let Some(model) = model.map(|digest| digest.to_string()) else { return Vec::new() };
    let waits = bound.plan.node(node).map(|node| node.waits.as_slice()).unwrap_or_default();
    let mut found: Vec<GateNumber> = Vec::new();
    for wait in waits {
        let Some(NodeKind::Gate(gate)) = bound.plan.node(&wait.node).map(|node| &node.kind) else { continue };
        let admitted = |report: &Report| {
            let mut admits = report.admits.iter();
            admits.any(|one| one.model == register.model && one.digest.as_ref() == Some(&model))
        };
        let counts = |report: &Report| report.plan == bound.digest && !report.advisory && admitted(report);
        let Some(report) = report(&wait.node).filter(counts) else { continue };
        for number in gate::computed(gate, &report) {
            let evidence = &gate.evidence[number.evidence];
            let seen = report.evidence.iter().find(|seen| seen.origin == evidence.origin);
            let Some((seen, digest)) = seen.and_then(|seen| Some((seen, seen.digest.clone()?))) else { continue };
            if evidence.of.as_ref() != Some(&register.model) {
                continue;
            }
            let number = GateNumber {
                metric: number.name,
                value: number.value,
                gate: wait.node.clone(),
                predictions: seen.origin.to_string(),
                digest,
                over: seen.over.as_ref().map(ToString::to_string),
                over_digest: seen.over_digest.clone(),
                split: seen.split.clone(),
            };
            let same = |known: &GateNumber| known.metric == number.metric && known.predictions == number.predictions;
            if !found.iter().any(same) {
                found.push(number);
            }
        }
    }
    found
}
