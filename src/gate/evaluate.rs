//! From a gate and its facts to a report. Pure and total: what can't be decided is a verdict, never a panic.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Undecided};
use super::diagnosis::diagnose;
use super::facts::{Champion, Facts, Found};
use super::kinds::{self, Kind, Measured};
use super::number::{Unit, number_text};
use super::report::{
    Admitted, Compared, FORMAT, Input, Limit, Line, Outcome, Position, Reference, Registered, Report, State,
};
use super::{Bound, Compare, Evidence, Gate, Level, OnMissing, Requirement};
use crate::shown::make_sentence;
use crate::types::{Artifact, Expr, MetricsType, Origin, Type};

/// What a report says of its gate beside what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The gate's name.
    pub gate: String,
    /// Digest of the plan.
    pub plan: String,
    /// The profile of the run.
    pub profile: Option<String>,
    /// The parameters of the run, as text.
    pub params: BTreeMap<String, String>,
    /// The gate is shown and does not block.
    pub advisory: bool,
    /// Where the gate is declared.
    pub place: Option<Position>,
    /// Where its requirements are written, in their order.
    pub requirements: Vec<Option<Position>>,
    /// The data whose digest is frozen.
    pub frozen: BTreeSet<Origin>,
}

/// Evaluates a gate. Its limits are values already: see `plan::bind`.
#[must_use]
pub fn evaluate(gate: &Gate, metrics: &[MetricsType], facts: &Facts, about: &About) -> Report {
    let case = Case::new(gate, metrics, facts);
    let lines = gate.requirements.iter().enumerate().map(|(index, requirement)| {
        let place = about.requirements.get(index).cloned().flatten();
        line(&case, gate, requirement, place)
    });
    let mut lines: Vec<Line> = lines.collect();
    // What stands in a sentence may come from data, where a cell can hold what ends a line or clears a screen.
    lines.iter_mut().for_each(Line::make_inline);
    let mut compared = gate.baseline.as_ref().map(|_| compared(gate, facts));
    if let Some(compared) = &mut compared {
        compared.moved = moved(&case, gate, compared);
        [&mut compared.reason, &mut compared.moved].into_iter().flatten().for_each(make_sentence);
    }
    let (verdict, reason, ask) = conclude(gate, facts, &lines, compared.as_ref());
    // Nothing is held back by an advisory gate, so there is nothing that a person could be asked to let through.
    let ask = ask.filter(|_| !about.advisory);
    Report {
        format: FORMAT,
        gate: about.gate.clone(),
        plan: about.plan.clone(),
        profile: about.profile.clone(),
        params: about.params.clone(),
        place: about.place.clone(),
        verdict,
        reason,
        advisory: about.advisory,
        ask,
        admits: gate
            .admits
            .iter()
            .map(|model| Admitted { model: model.clone(), digest: digest(facts.artifacts.get(model)) })
            .collect(),
        evidence: gate
            .evidence
            .iter()
            .enumerate()
            .map(|(index, evidence)| input(facts, evidence, facts.evidence.get(index), &evidence.origin))
            .collect(),
        baseline: compared,
        references: facts
            .references
            .iter()
            .map(|(path, found)| Reference { path: path.clone(), digest: digest(Some(found)) })
            .collect(),
        diagnosis: diagnose(gate, &lines, &about.frozen),
        requirements: lines,
        seed: case.drawn(),
        approval: None,
        overridden: None,
    }
}

fn digest(found: Option<&Found>) -> Option<String> {
    found.and_then(Found::digest).map(str::to_owned)
}

/// Enters evidence; `measured` is where it comes from, which for the baseline's is another stage.
fn input(facts: &Facts, evidence: &Evidence, found: Option<&Found>, measured: &Origin) -> Input {
    Input {
        origin: evidence.origin.clone(),
        path: evidence.path.clone(),
        digest: digest(found),
        of: evidence.of.clone(),
        over: evidence.over.clone(),
        over_digest: evidence.over.as_ref().and_then(|data| digest(facts.data.get(data))),
        split: evidence.split.clone(),
        machine: facts.machines.get(measured).cloned(),
    }
}

fn line(case: &Case<'_>, gate: &Gate, requirement: &Requirement, place: Option<Position>) -> Line {
    let measure = &requirement.measure;
    let unit = Unit::of(&measure.ty);
    let mut line = Line {
        level: requirement.level,
        text: requirement.text.clone(),
        place,
        kind: measure.kind.clone(),
        formula: String::new(),
        candidate: None,
        baseline: None,
        metric_unit: measure.metric.as_ref().map_or(unit, |metric| Unit::of(&case.ty(metric))),
        value: None,
        limit: None,
        unit,
        verdict: Outcome::Error,
        reason: String::new(),
        parts: Vec::new(),
    };
    let (kind, limit) = match (kinds::find(&measure.kind), limit(&requirement.bound)) {
        (Some(kind), Ok(limit)) => (kind, limit),
        (None, _) => {
            line.reason = format!("this mlpc has no requirement of kind `{}`", measure.kind);
            return line;
        }
        (_, Err(why)) => {
            line.reason = why;
            return line;
        }
    };
    line.formula = kind.formula(case, measure);
    line.limit = limit;
    if let Some(judged) = kind.judge(case, requirement, line.limit) {
        match judged {
            Ok(judged) => judged.enter(&mut line),
            Err(undecided) => (line.verdict, line.reason) = undecided_line(undecided, gate),
        }
        return line;
    }
    match kind.evaluate(case, measure) {
        Ok(measured) => decide(&mut line, kind, requirement, measured),
        Err(undecided) => (line.verdict, line.reason) = undecided_line(undecided, gate),
    }
    line
}

/// Returns what the number is held against; NaN and infinities are no limits.
fn limit(bound: &Bound) -> Result<Option<Limit>, String> {
    let number = |expr: &Expr| match expr {
        Expr::Value(value) => match value.number() {
            Some(number) if number.is_finite() => Ok(number),
            _ => Err(format!("its limit `{value}` is not a number")),
        },
        _ => Err("its limit is not known".to_owned()),
    };
    Ok(match bound {
        Bound::Compare { op, limit } => Some(Limit::Compare { op: *op, at: number(limit)? }),
        Bound::Between { low, high } => Some(Limit::Between { low: number(low)?, high: number(high)? }),
        Bound::Holds => None,
    })
}

fn decide(line: &mut Line, kind: &dyn Kind, requirement: &Requirement, measured: Measured) {
    (line.candidate, line.baseline) = (Some(measured.candidate), measured.baseline);
    let name = label(kind, requirement);
    let value = measured.value;
    if !value.is_finite() {
        // JSON has no such number, and no comparison with it means anything.
        line.candidate = line.candidate.filter(|number| number.is_finite());
        line.baseline = line.baseline.filter(|number| number.is_finite());
        line.reason = format!("`{name}` is {value}, which is not a number to decide by");
        return;
    }
    line.value = Some(value);
    let Some(limit) = line.limit else {
        line.reason = format!("`{name}` is a number, and the requirement says nothing to hold it against");
        return;
    };
    let holds = match limit {
        Limit::Compare { op, at } => op.holds(value, at),
        Limit::Between { low, high } => low <= value && value <= high,
    };
    line.verdict = match (holds, line.level) {
        (true, _) => Outcome::Pass,
        (false, Level::Warn) => Outcome::Warn,
        (false, Level::Require) => Outcome::Fail,
    };
    let compared = match (measured.baseline, kind.signature().baseline) {
        (Some(baseline), compares) if compares || measured_of(requirement) => {
            let text = |value| number_text(line.metric_unit, value);
            format!(" (candidate {}, baseline {})", text(measured.candidate), text(baseline))
        }
        _ => String::new(),
    };
    let joint = if holds { "and" } else { "but" };
    let asked = asked(limit, line.unit);
    let verb = if line.level == Level::Require { "required" } else { "hoped for" };
    line.reason = format!("`{name}` is {}{compared}, {joint} {asked} is {verb}", number_text(line.unit, value));
}

/// Tells whether a requirement is of a difference to the baseline: `upper(regression(m), 95%)`.
fn measured_of(requirement: &Requirement) -> bool {
    requirement.measure.options.contains_key("of")
}

pub(super) fn asked(limit: Limit, unit: Unit) -> String {
    match limit {
        Limit::Compare { op, at } => {
            let words = match op {
                Compare::Less => "less than",
                Compare::AtMost => "at most",
                Compare::Equal => "exactly",
                Compare::Unequal => "anything but",
                Compare::AtLeast => "at least",
                Compare::Greater => "more than",
            };
            format!("{words} {}", number_text(unit, at))
        }
        Limit::Between { low, high } => format!("between {} and {}", number_text(unit, low), number_text(unit, high)),
    }
}

/// Writes the left side of a requirement: `auc_roc`, `regression(auc_roc, relative)`.
fn label(kind: &dyn Kind, requirement: &Requirement) -> String {
    let measure = &requirement.measure;
    let subject = match (&measure.metric, &measure.artifact) {
        (Some(metric), _) => metric.name.clone(),
        (None, Some(artifact)) => artifact.to_string(),
        (None, None) => String::new(),
    };
    match kind.signature().form {
        kinds::Form::Bare => return subject,
        kinds::Form::Word => return measure.kind.clone(),
        kinds::Form::Call => {}
    }
    if let Some(super::Columns::One(column)) = measure.table.as_ref().and_then(|table| table.columns.as_ref()) {
        return format!("{}({column})", measure.kind);
    }
    let relative = if measure.options.contains_key("relative") { ", relative" } else { "" };
    let subject = match measure.options.get("of") {
        Some(of) => format!("{of}({subject}{relative})"),
        None => subject,
    };
    if let Some(level) = measure.options.get("level").and_then(crate::types::Value::number) {
        return format!("{}({subject}, {})", measure.kind, number_text(Unit::Number, level));
    }
    format!("{}({subject}{relative})", measure.kind)
}

fn undecided_line(undecided: Undecided, gate: &Gate) -> (Outcome, String) {
    let pointer = gate.baseline.as_ref().map(|baseline| format!("{}@{}", baseline.registry, baseline.pointer));
    let pointer = pointer.unwrap_or_default();
    match undecided {
        Undecided::Error(why) => (Outcome::Error, why),
        Undecided::Inconclusive(why) => (Outcome::Inconclusive, why),
        Undecided::Skipped(why) => (Outcome::NotEvaluated, why),
        Undecided::NoBaseline => {
            (Outcome::PassedOver, format!("`{pointer}` does not exist yet, so there is nothing to compare with"))
        }
        Undecided::Unscorable(why) => {
            (Outcome::PassedOver, format!("`{pointer}` could not be scored by today's code: {why}"))
        }
    }
}

/// Describes what the gate compares with, and what it says where that is missing.
fn compared(gate: &Gate, facts: &Facts) -> Compared {
    let baseline = gate.baseline.as_ref().expect("called for gates with a baseline");
    let mut compared = Compared {
        registry: baseline.registry.clone(),
        pointer: baseline.pointer.clone(),
        state: State::Skipped,
        version: None,
        digest: None,
        reason: None,
        decision: None,
        moved: None,
        evidence: Vec::new(),
        recorded: Vec::new(),
    };
    match &facts.champion {
        None => compared.reason = Some("`mlpc run` does that".to_owned()),
        Some(Champion::Skipped(why)) => compared.reason = Some(why.clone()),
        Some(Champion::Absent) => {
            compared.state = State::Absent;
            compared.decision = Some(decision(&baseline.on_absent));
        }
        Some(Champion::Unreachable(why)) => {
            compared.state = State::Unreachable;
            compared.reason = Some(why.clone());
        }
        Some(Champion::Known { version, digest: of_model, scored, recorded, machines }) => {
            let recorded = recorded.iter();
            compared.recorded = recorded
                .map(|(origin, found)| Registered {
                    origin: origin.clone(),
                    digest: digest(Some(found)),
                    machine: machines.get(origin).cloned(),
                })
                .collect();
            (compared.version, compared.digest) = (Some(version.clone()), Some(of_model.clone()));
            match scored {
                Err(why) => {
                    compared.state = State::Unscorable;
                    compared.reason = Some(why.clone());
                    compared.decision = Some(decision(&baseline.on_unscorable));
                }
                Ok(scored) => {
                    compared.state = State::Scored;
                    let pairs = baseline.evidence.iter().enumerate();
                    compared.evidence = pairs
                        .filter_map(|(index, measured)| {
                            let evidence = gate.evidence.get(measured.evidence)?;
                            Some(Input {
                                origin: measured.origin.clone(),
                                path: measured.path.clone(),
                                of: None,
                                ..input(facts, evidence, scored.get(index), &measured.origin)
                            })
                        })
                        .collect();
                }
            }
        }
    }
    compared
}

fn decision(on_missing: &OnMissing) -> String {
    match on_missing {
        OnMissing::Fail => "fail".to_owned(),
        OnMissing::Pass => "pass".to_owned(),
        OnMissing::Error => "error".to_owned(),
        OnMissing::Ask(approval) => format!("ask {approval}"),
    }
}

/// Tells where the baseline scores worse now than what was registered with it, by more than the requirement's margin.
fn moved(case: &Case<'_>, gate: &Gate, compared: &Compared) -> Option<String> {
    let version = compared.version.as_ref()?;
    gate.requirements.iter().find_map(|requirement| {
        let kind = kinds::find(&requirement.measure.kind)?;
        let decline = kind.decline(case, &requirement.measure)?;
        let margin = match limit(&requirement.bound).ok()?? {
            Limit::Compare { at, .. } => at.abs(),
            Limit::Between { low, high } => low.abs().max(high.abs()),
        };
        let unit = Unit::of(&requirement.measure.ty);
        let name = requirement.measure.metric.as_ref()?.name.as_str();
        (decline > margin).then(|| {
            format!(
                "`{version}` scores {} worse in `{name}` than when it was registered, beyond the margin of {}: \
                 the data or its preparation changed, and beating it proves little",
                number_text(unit, decline),
                number_text(unit, margin),
            )
        })
    })
}

fn conclude(
    gate: &Gate,
    facts: &Facts,
    lines: &[Line],
    compared: Option<&Compared>,
) -> (Outcome, String, Option<String>) {
    let mut candidates: Vec<(Outcome, String)> = Vec::new();
    if lines.is_empty() {
        candidates.push((Outcome::Error, "the gate requires nothing, so nothing is decided".to_owned()));
    }
    // A line that was passed over is decided by the gate's own clause, below.
    let decided = lines.iter().filter(|line| line.verdict != Outcome::PassedOver);
    candidates.extend(decided.map(|line| (line.verdict, line.reason.clone())));
    let ask = compared.and_then(|compared| of_baseline(gate, facts, compared, &mut candidates));
    let worst = candidates.iter().map(|(outcome, _)| *outcome).max().unwrap_or(Outcome::Pass);
    let holding = lines.iter().filter(|line| line.verdict == Outcome::Pass).count();
    let passed_over = lines.iter().filter(|line| line.verdict == Outcome::PassedOver).count();
    let first = candidates.into_iter().find(|(outcome, _)| *outcome == worst).map(|(_, reason)| reason);
    let reason = match (worst, first) {
        (Outcome::Pass, _) | (_, None) if passed_over == 0 => format!("{} held", count(holding)),
        (Outcome::Pass, _) | (_, None) => {
            let why = compared.map(baseline_sentence).unwrap_or_default();
            format!("{} held; {} passed over: {why}", count(holding), were(passed_over))
        }
        (_, Some(first)) => first,
    };
    (worst, reason, ask.filter(|_| worst.lets_go_on()))
}

fn count(number: usize) -> String {
    match number {
        0 => "no requirement".to_owned(),
        1 => "1 requirement".to_owned(),
        _ => format!("{number} requirements"),
    }
}

fn were(number: usize) -> String {
    if number == 1 { "1 was".to_owned() } else { format!("{number} were") }
}

fn baseline_sentence(compared: &Compared) -> String {
    let pointer = format!("`{}@{}`", compared.registry, compared.pointer);
    let why = compared.reason.as_deref().unwrap_or("for no known reason");
    match compared.state {
        State::Absent => format!("{pointer} does not exist yet"),
        State::Unscorable => format!("{pointer} could not be scored by today's code: {why}"),
        // The reason names what could not be read.
        State::Unreachable if why.contains(&pointer) => why.to_owned(),
        State::Unreachable => format!("{pointer} could not be read: {why}"),
        State::Skipped => format!("{pointer} was not looked for: {why}"),
        State::Scored => format!("{pointer} was scored"),
    }
}

/// Adds what the baseline itself means for the verdict, and returns the approval that is asked for.
fn of_baseline(
    gate: &Gate,
    facts: &Facts,
    compared: &Compared,
    candidates: &mut Vec<(Outcome, String)>,
) -> Option<String> {
    let baseline = gate.baseline.as_ref()?;
    let sentence = baseline_sentence(compared);
    let (clause, on_missing) = match compared.state {
        State::Scored => {
            candidates.extend(compared.moved.clone().map(|moved| (Outcome::Warn, moved)));
            return None;
        }
        State::Unreachable => {
            candidates.push((Outcome::Error, sentence));
            return None;
        }
        State::Skipped => {
            let outcome = if facts.champion.is_none() { Outcome::Error } else { Outcome::NotEvaluated };
            candidates.push((outcome, sentence));
            return None;
        }
        State::Absent => ("no_baseline", &baseline.on_absent),
        State::Unscorable => ("unscorable", &baseline.on_unscorable),
    };
    match on_missing {
        OnMissing::Pass => None,
        OnMissing::Fail => {
            candidates.push((Outcome::Fail, format!("{sentence}, and the gate says `on {clause}: fail`")));
            None
        }
        OnMissing::Error => {
            candidates.push((Outcome::Error, sentence));
            None
        }
        OnMissing::Ask(approval) => Some(approval.clone()),
    }
}

/// Tells whether evidence of this type is read as a whole; of other types size and digest are enough.
#[must_use]
pub fn is_read(ty: &Artifact) -> bool {
    matches!(ty, Artifact::Metrics { .. } | Artifact::Tests)
}

/// Tells whether a type is one that gates can hold against a limit.
#[must_use]
pub fn is_measurable(ty: &Type) -> bool {
    matches!(ty, Type::Int(_) | Type::Float(_) | Type::Ratio(_) | Type::Duration | Type::Bytes)
}
