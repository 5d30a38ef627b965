//! A limit on the wrong side: the line holds for what is worse by the metric's own direction, or by what is measured.

use std::collections::HashSet;

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::kinds::{self, Better};
use crate::gate::{Bound, Columns, Compare, Level, predicted};
use crate::model::{Gate, LiveRequirement, Model, NodeKind, Origin, Requirement, SourceId};
use crate::source::Span;
use crate::types::{Artifact, Direction, Expr, LiveOf, Value};

/// A least size below this only says that there is something in the file.
const NOT_EMPTY: f64 = 1_000_000.0;

pub(in crate::check) struct WrongSide;

impl Rule for WrongSide {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let lines = lines(model);
        // Beside a line that holds for what is better, one on the other side is a bound against the improbable: beside one that
        // must hold, where it must hold itself.
        let right = lines.iter().filter(|line| line.right);
        let bounded: HashSet<_> = right.map(|line| (&line.about, line.blocks)).collect();
        let is_bounded = |line: &Line<'_>| {
            bounded.contains(&(&line.about, true)) || !line.blocks && bounded.contains(&(&line.about, false))
        };
        let wrong = lines.iter().filter(|line| !line.right && !is_bounded(line));
        found.extend(wrong.map(|line| {
            let less = if line.better == Direction::Lower { "less" } else { "more" };
            let message = format!("`{}` holds for what is worse: {less} of `{}` is better", line.text, line.name);
            let help = format!(
                "write `{}`; where both ends matter, add that line beside this one, or write `between`",
                turned(line.text)
            );
            let said = Diagnostic::new(codes::WRONG_SIDE, line.span, message).help(help);
            match line.declared {
                Some(place) => said.label(place, "its direction is declared here"),
                None => said,
            }
        }));
    }
}

/// What a line is about: only one about the same can be the other end.
#[derive(Debug, PartialEq, Eq, Hash)]
enum About<'m> {
    /// The metric of an evidence itself, or how it is spread or compared: by a word.
    Metric(&'m Origin, &'m str, &'static str),
    /// A number of live traffic.
    Live(SourceId, &'m str, bool),
    /// An artifact.
    Artifact(&'m Origin),
    /// Columns of a table.
    Table(&'m Origin, &'static str, Option<&'m Columns>),
}

/// A line with a side.
struct Line<'m> {
    about: About<'m>,
    /// What is measured, in a word.
    name: &'m str,
    better: Direction,
    /// Where that is declared.
    declared: Option<Span>,
    /// It holds for what is better, or at both ends.
    right: bool,
    /// It must hold.
    blocks: bool,
    text: &'m str,
    span: Span,
}

/// Returns the lines of all gates, monitors, watches and experiments for which one side is better.
fn lines(model: &Model) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    for (_, node) in model.nodes.iter() {
        let (watch, more) = match &node.kind {
            NodeKind::Gate(gate) => {
                found.extend(gate.requirements.iter().filter_map(|line| measured(model, gate, line)));
                continue;
            }
            NodeKind::Rollout(rollout) => (&rollout.watch, &[][..]),
            NodeKind::Experiment(it) => (&it.watch, &it.requirements[..]),
            _ => continue,
        };
        let Some(watch) = watch else { continue };
        let lines = watch.requirements.iter().chain(more);
        found.extend(lines.filter_map(|line| live(model, watch.source, line)));
    }
    let monitors = model.monitors.iter().map(|monitor| &monitor.gate);
    found.extend(monitors.flat_map(|gate| gate.requirements.iter().filter_map(|line| measured(model, gate, line))));
    found
}

/// Reads a line of a gate.
fn measured<'m>(model: &'m Model, gate: &'m Gate, line: &'m Requirement) -> Option<Line<'m>> {
    let measure = &line.measure;
    let signature = kinds::find(measure.kind)?.signature();
    let metric = measure.metric.as_ref().map(|(index, name)| (&gate.evidence[*index], name.as_str()));
    let compared = match measure.options.get("of") {
        Some(Value::String(word)) => Some(if word == "gain" { Direction::Higher } else { Direction::Lower }),
        _ => None,
    };
    let mut declared = None;
    let better = match (signature.better, compared) {
        (_, Some(direction)) => direction,
        (Better::Lower, None) => Direction::Lower,
        (Better::Higher, None) => Direction::Higher,
        (Better::OfMetric, None) => {
            let (evidence, name) = metric?;
            let (direction, place) = direction(model, &evidence.ty, name)?;
            declared = place;
            direction
        }
        (Better::Neither, None) => counted(measure.kind, metric?.1)?,
    };
    let about = match (metric, &measure.artifact, &measure.table) {
        (Some((evidence, name)), _, _) => {
            let way = match (signature.better, compared) {
                (_, Some(_)) => "compared",
                (Better::OfMetric | Better::Neither, None) => "itself",
                _ if measure.compares() => "compared",
                _ => signature.name,
            };
            About::Metric(&evidence.origin, name, way)
        }
        (None, Some(artifact), _) => About::Artifact(artifact),
        (None, None, Some(table)) => {
            let evidence = gate.evidence.get(table.evidence)?;
            About::Table(&evidence.origin, signature.name, table.columns.as_ref())
        }
        (None, None, None) => return None,
    };
    let name = match (declared, signature.better) {
        (_, Better::OfMetric | Better::Neither) if compared.is_none() => {
            metric.map_or(signature.name, |(_, name)| name)
        }
        _ => match measure.options.get("of") {
            Some(Value::String(word)) => word.as_str(),
            _ => signature.name,
        },
    };
    let right = is_right(&line.bound, better)? || (measure.kind == "size" && is_small(&line.bound));
    let blocks = line.level == Level::Require;
    Some(Line { about, name, better, declared, right, blocks, text: &line.text, span: line.span })
}

/// Reads a line about live traffic.
fn live<'m>(model: &'m Model, source: SourceId, line: &'m LiveRequirement) -> Option<Line<'m>> {
    if line.measure.of == LiveOf::Stable {
        return None;
    }
    let name = line.measure.metric.as_str();
    let (better, declared) = direction(model, &model.sources[source].ty, name)?;
    let about = About::Live(source, name, line.measure.of == LiveOf::Candidate);
    let right = is_right(&line.bound, better)?;
    let blocks = line.level == Level::Require;
    Some(Line { about, name, better, declared, right, blocks, text: &line.text, span: line.span })
}

/// Returns which way a metric gets better, and where that is declared.
fn direction(model: &Model, ty: &Artifact, name: &str) -> Option<(Direction, Option<Span>)> {
    match ty {
        Artifact::Predictions(_) => Some((predicted::find(name)?.direction?, None)),
        Artifact::Metrics { name: declared } => {
            let (_, metrics) = model.metrics.iter().find(|(_, metrics)| metrics.name.value == *declared)?;
            let index = metrics.ty.metrics.iter().position(|metric| metric.name == name)?;
            Some((metrics.ty.metrics[index].direction?, metrics.places.get(index).copied()))
        }
        _ => None,
    }
}

/// Returns which way the counts of tests get better.
fn counted(kind: &str, name: &str) -> Option<Direction> {
    match name {
        _ if kind != "tests" => None,
        "failed" => Some(Direction::Lower),
        "passed" => Some(Direction::Higher),
        _ => None,
    }
}

/// Tells whether a bound holds for what is better; none where it has no side.
fn is_right(bound: &Bound, better: Direction) -> Option<bool> {
    match bound {
        Bound::Compare { op: Compare::AtLeast | Compare::Greater, .. } => Some(better == Direction::Higher),
        Bound::Compare { op: Compare::AtMost | Compare::Less, .. } => Some(better == Direction::Lower),
        Bound::Compare { op: Compare::Equal, .. } | Bound::Between { .. } => Some(true),
        _ => None,
    }
}

fn is_small(bound: &Bound) -> bool {
    let limit = match bound {
        Bound::Compare { limit: Expr::Value(limit), .. } => limit.number(),
        _ => None,
    };
    limit.is_some_and(|limit| limit < NOT_EMPTY)
}

/// Returns a line with its comparison turned round.
fn turned(text: &str) -> String {
    for (sign, other) in [("<=", ">="), (">=", "<="), ("<", ">"), (">", "<")] {
        if text.contains(sign) {
            return text.replacen(sign, other, 1);
        }
    }
    text.to_owned()
}
