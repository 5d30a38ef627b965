//! Which of two things happened where a model got worse: the data drifted, or the code or the training changed. A set whose digest is
//! frozen tells them apart: no drift reaches it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::report::{Line, Outcome};
use super::{Evidence, Gate};
use crate::types::{Artifact, Origin};

/// The kind of requirement that says whether a metric dropped.
const DROP: &str = "regression";

/// What a frozen set and another one say together of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// The metric.
    pub metric: String,
    /// What happened.
    pub cause: Cause,
    /// The data that is not frozen.
    pub standard: Origin,
    /// The frozen data.
    pub golden: Origin,
    /// The same in one sentence.
    pub sentence: String,
}

/// What happened where a metric dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Only the standard set dropped: the data drifted.
    Data,
    /// Both dropped: the code or the training changed.
    Training,
    /// Only the frozen set dropped: neither; the model lost what the other set does not ask for.
    Unclear,
}

/// Returns what each frozen set among a gate's evidence says together with each other one. `frozen` names the data that is;
/// `lines` are those of the gate's requirements, in their order.
///
/// Two evidences are a pair where they are of one type of metrics or of predictions, of one model, over data that is frozen and over data that is not. A
/// metric dropped on one of them where one of its `regression` lines there, at any level, does not hold, and stood where all of them
/// hold. Where one could not be decided, or there is none, nothing is said; neither where it dropped on none.
pub(super) fn diagnose(gate: &Gate, lines: &[Line], frozen: &BTreeSet<Origin>) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let is_frozen = |evidence: &Evidence| evidence.over.as_ref().map(|over| frozen.contains(over));
    let sets = |wanted: bool| {
        gate.evidence.iter().enumerate().filter(move |(_, evidence)| is_frozen(evidence) == Some(wanted))
    };
    for (golden, frozen) in sets(true) {
        for (standard, other) in sets(false).filter(|(_, other)| is_pair(frozen, other)) {
            for metric in metrics(gate, golden) {
                let drops = (dropped(gate, lines, standard, metric), dropped(gate, lines, golden, metric));
                let cause = match drops {
                    (Some(true), Some(false)) => Cause::Data,
                    (Some(true), Some(true)) => Cause::Training,
                    (Some(false), Some(true)) => Cause::Unclear,
                    _ => continue,
                };
                let (Some(standard), Some(golden)) = (other.over.clone(), frozen.over.clone()) else { continue };
                let sentence = match cause {
                    Cause::Data => {
                        format!("`{metric}` dropped on `{standard}` and not on the frozen `{golden}`: the data drifted")
                    }
                    Cause::Training => format!(
                        "`{metric}` dropped on `{standard}` and on the frozen `{golden}`: the code or the training changed"
                    ),
                    Cause::Unclear => format!(
                        "`{metric}` dropped on the frozen `{golden}` and not on `{standard}`: the model lost what the \
                         frozen set asks for, and the other one does not ask for it"
                    ),
                };
                found.push(Diagnosis { metric: metric.to_owned(), cause, standard, golden, sentence });
            }
        }
    }
    found
}

fn is_pair(one: &Evidence, other: &Evidence) -> bool {
    matches!(one.ty, Artifact::Metrics { .. } | Artifact::Predictions(_))
        && one.ty == other.ty
        && one.of.is_some()
        && one.of == other.of
}

/// Returns the metrics whose drop is asked of an evidence, each once, in the order written.
fn metrics(gate: &Gate, evidence: usize) -> Vec<&str> {
    let mut names = Vec::new();
    for requirement in gate.requirements.iter().filter(|requirement| requirement.measure.kind == DROP) {
        let Some(metric) = &requirement.measure.metric else { continue };
        if metric.evidence == evidence && !names.contains(&metric.name.as_str()) {
            names.push(metric.name.as_str());
        }
    }
    names
}

/// Tells whether a metric dropped on an evidence; nothing where that was not asked or could not be decided.
fn dropped(gate: &Gate, lines: &[Line], evidence: usize, metric: &str) -> Option<bool> {
    let asked = gate.requirements.iter().zip(lines).filter(|(requirement, _)| {
        let of = requirement.measure.metric.as_ref();
        requirement.measure.kind == DROP && of.is_some_and(|of| of.evidence == evidence && of.name == metric)
    });
    let mut dropped = None;
    for (_, line) in asked {
        let here = match line.verdict {
            Outcome::Pass => false,
            Outcome::Fail | Outcome::Warn => true,
            Outcome::PassedOver | Outcome::NotEvaluated | Outcome::Inconclusive | Outcome::Error => return None,
        };
        dropped = Some(dropped.unwrap_or(false) | here);
    }
    dropped
}
