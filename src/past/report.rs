//! The report of a run: one HTML file that needs nothing else. The same run gives the same bytes.

use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::numbers::{Number, numbers};
use super::plots::{Plot, plot};
use super::svg::{Chart, PLOT, chart, layered, short};
use super::{gates, outcome, records, time_text, word};
use crate::cache::{Key, Store};
use crate::exec::{Ending, NodeRecord, RunRecord};
use crate::gate::{Limit, Outcome, Report, number_text};
use crate::plan::{NodeKind, OutputKind, Plan};
use crate::types::{Artifact, Direction};

const TEMPLATE: &str = include_str!("report.html");

/// How many runs a metric is drawn over.
const RUNS: usize = 60;

#[derive(Debug, Serialize)]
struct Bar {
    name: String,
    /// Percent of the whole time.
    left: f64,
    width: f64,
    text: String,
    class: &'static str,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    kind: String,
    ending: String,
    class: &'static str,
    time: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Gate {
    name: String,
    verdict: String,
    class: &'static str,
    reason: String,
    advisory: bool,
    diagnosis: Vec<String>,
    lines: Vec<Requirement>,
}

#[derive(Debug, Serialize)]
struct Requirement {
    text: String,
    level: &'static str,
    value: String,
    limit: String,
    baseline: String,
    verdict: String,
    class: &'static str,
    reason: String,
}

/// Tells whether a text is a report: it is a page that may load nothing.
#[must_use]
pub fn is_report(text: &str) -> bool {
    text.starts_with("<!doctype html>") && text.contains("content=\"default-src 'none'; style-src 'unsafe-inline'")
}

/// Writes the report of a run.
pub fn report(plan: &Plan, store: &Store, record: &RunRecord) -> Result<String, String> {
    let mut reports = gates(store.state(), &record.run);
    // As they are declared, whichever was decided first; one that the pipeline has no more stands last.
    let declared = |report: &Report| plan.nodes.iter().position(|node| node.name == report.gate).unwrap_or(usize::MAX);
    reports.sort_by_key(declared);
    let rows: Vec<Row> = record.nodes.iter().map(row).collect();
    let layout = layered(&plan.drawing());
    let classes: Vec<&str> =
        layout.boxes.iter().map(|place| record.node(&place.name).map_or("out", |node| class(&node.ending))).collect();
    let endings: Vec<String> = layout
        .boxes
        .iter()
        .map(|place| {
            record.node(&place.name).map_or_else(|| "not part of this run".to_owned(), |node| word(&node.ending))
        })
        .collect();
    let bars = bars(store, record);
    let now = numbers(plan, store, record);
    let trends = trends(plan, store, record, &now)?;
    let metrics: Vec<_> = now
        .iter()
        .map(|number| {
            let better = match number.direction {
                Some(Direction::Higher) => "higher is better",
                Some(Direction::Lower) => "lower is better",
                None => "",
            };
            serde_json::json!({ "name": number.name, "text": number.text, "better": better })
        })
        .collect();
    let params: Vec<(String, String)> =
        record.params.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let sources: Vec<(String, String)> =
        record.sources.iter().map(|(name, digest)| (name.clone(), digest.to_string())).collect();
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("report.html", TEMPLATE).map_err(|error| error.to_string())?;
    let template = environment.get_template("report.html").map_err(|error| error.to_string())?;
    let values = serde_json::json!({
        "run": record.run,
        "pipeline": record.pipeline,
        "doc": plan.doc,
        "profile": record.profile,
        "event": record.event,
        "started": record.started,
        "ended": record.ended,
        "outcome": outcome(record),
        "good": record.exit == Some(0),
        "other_plan": record.plan != plan.digest(),
        "graph": layout,
        "classes": classes,
        "endings": endings,
        "rows": rows,
        "bars": bars,
        "gates": reports.iter().map(gate).collect::<Vec<_>>(),
        "metrics": metrics,
        "trends": trends,
        "plots": plots(plan, store, record),
        "params": params,
        "sources": sources,
        "plot": PLOT,
        "version": env!("CARGO_PKG_VERSION"),
    });
    template.render(minijinja::value::Serde(values)).map_err(|error| error.to_string())
}

/// Returns how something that ended is coloured.
fn class(ending: &Ending) -> &'static str {
    match ending {
        Ending::Hit => "hit",
        ending if ending.is_good() => "good",
        Ending::Failed(_) | Ending::Unsound(_) | Ending::Decided(_) => "bad",
        Ending::Rejected(_) | Ending::Expired(_) | Ending::RolledBack(_) => "bad",
        Ending::Asks(_) | Ending::WaitsForPerson | Ending::NotEvaluated(_) => "wait",
        _ => "out",
    }
}

fn row(node: &NodeRecord) -> Row {
    let more = match &node.ending {
        Ending::Failed(why)
        | Ending::Unsound(why)
        | Ending::Skipped(why)
        | Ending::NotReleased(why)
        | Ending::NotEvaluated(why)
        | Ending::Rejected(why)
        | Ending::Expired(why)
        | Ending::RolledBack(why) => why.clone(),
        Ending::Blocked(node) => format!("waits for {node}"),
        _ => node.why.clone().unwrap_or_default(),
    };
    Row {
        name: node.node.clone(),
        kind: node.kind.clone(),
        ending: word(&node.ending),
        class: class(&node.ending),
        time: node.milliseconds.map(time_text).unwrap_or_default(),
        why: more,
    }
}

/// Places what ran on the time of the run. When it began is known to the second, from its result.
fn bars(store: &Store, record: &RunRecord) -> Vec<Bar> {
    let Ok(began) = record.started.parse::<jiff::Timestamp>() else { return Vec::new() };
    let placed: Vec<(&NodeRecord, f64, u64)> = record
        .nodes
        .iter()
        .filter_map(|node| {
            let took = node.milliseconds?;
            let result = node.key.as_deref()?.parse().ok().and_then(|key| store.result(&Key(key)))?;
            if result.provenance.run != record.run {
                return None;
            }
            let at = result.provenance.started.parse::<jiff::Timestamp>().ok()?;
            Some((node, (at.as_millisecond() - began.as_millisecond()).max(0) as f64, took))
        })
        .collect();
    let whole = placed.iter().map(|(_, at, took)| at + *took as f64).fold(1.0, f64::max);
    placed
        .into_iter()
        .map(|(node, at, took)| Bar {
            name: node.node.clone(),
            left: (at / whole * 1e4).round() / 1e2,
            width: ((took as f64 / whole * 1e4).round() / 1e2).max(0.3),
            text: time_text(took),
            class: class(&node.ending),
        })
        .collect()
}

fn verdict_class(verdict: Outcome) -> &'static str {
    match verdict {
        Outcome::Pass | Outcome::PassedOver => "good",
        Outcome::Warn | Outcome::Inconclusive | Outcome::NotEvaluated => "wait",
        Outcome::Fail | Outcome::Error => "bad",
    }
}

fn verdict_text(verdict: Outcome) -> String {
    serde_json::to_value(verdict).ok().and_then(|value| Some(value.as_str()?.replace('_', " "))).unwrap_or_default()
}

fn gate(report: &Report) -> Gate {
    let lines = report
        .requirements
        .iter()
        .map(|line| Requirement {
            text: line.text.clone(),
            level: if line.level == crate::gate::Level::Require { "require" } else { "warn" },
            value: line.value.map(|value| number_text(line.unit, value)).unwrap_or_default(),
            limit: match line.limit {
                Some(Limit::Compare { op, at }) => format!("{} {}", op.sign(), number_text(line.unit, at)),
                Some(Limit::Between { low, high }) => {
                    format!("{}..{}", number_text(line.unit, low), number_text(line.unit, high))
                }
                None => String::new(),
            },
            baseline: line.baseline.map(|value| number_text(line.metric_unit, value)).unwrap_or_default(),
            verdict: verdict_text(line.verdict),
            class: verdict_class(line.verdict),
            reason: line.reason.clone(),
        })
        .collect();
    Gate {
        name: report.gate.clone(),
        verdict: verdict_text(report.verdict),
        class: verdict_class(report.verdict),
        reason: report.reason.clone(),
        advisory: report.advisory,
        diagnosis: report.diagnosis.iter().map(|diagnosis| diagnosis.sentence.clone()).collect(),
        lines,
    }
}

/// Draws each metric over the runs up to this one, so that a later run changes nothing in this report.
fn trends(plan: &Plan, store: &Store, record: &RunRecord, now: &[Number]) -> Result<Vec<Chart>, String> {
    let mut before: Vec<(String, Vec<Number>)> = records(store.state(), &record.pipeline, usize::MAX)?
        .into_iter()
        .filter(|other| other.run <= record.run && other.profile == record.profile)
        .take(RUNS)
        .map(|other| (other.run.clone(), numbers(plan, store, &other)))
        .collect();
    before.reverse();
    let drawn = now.iter().filter_map(|number| {
        let values: Vec<(&String, &Number)> = before
            .iter()
            .filter_map(|(run, numbers)| Some((run, numbers.iter().find(|other| other.name == number.name)?)))
            .collect();
        let points: Vec<(f64, f64)> =
            values.iter().enumerate().map(|(index, (_, number))| (index as f64, number.value)).collect();
        let mut drawn = chart(&number.name, "runs", &[(number.name.clone(), points)], false, true)?;
        drawn.x_low = values.first().map(|(run, _)| (*run).clone()).unwrap_or_default();
        drawn.x_high = values.last().map(|(run, _)| (*run).clone()).unwrap_or_default();
        let text = |value: f64| {
            if matches!(number.unit, crate::gate::Unit::Ns | crate::gate::Unit::Bytes) {
                number_text(number.unit, value)
            } else {
                short(value)
            }
        };
        let range = values.iter().map(|(_, number)| number.value);
        drawn.y_low = text(range.clone().fold(f64::INFINITY, f64::min));
        drawn.y_high = text(range.fold(f64::NEG_INFINITY, f64::max));
        for (dot, (run, number)) in drawn.series.iter_mut().flat_map(|series| &mut series.dots).zip(&values) {
            dot.text = format!("{run}: {}", number.text);
        }
        Some(drawn)
    });
    Ok(drawn.collect())
}

fn plots(plan: &Plan, store: &Store, record: &RunRecord) -> Vec<Plot> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        let NodeKind::Stage(stage) = &node.kind else { continue };
        let Some(ended) = record.node(&node.name) else { continue };
        for output in stage.outputs.iter().filter(|output| output.kind == OutputKind::Artifact(Artifact::Plot)) {
            let bytes = ended.outputs.get(&output.name).and_then(|digest| digest.parse().ok());
            let bytes = bytes.and_then(|digest| store.read(&digest).ok().flatten());
            let name = format!("{}.{}", node.name, output.name);
            found.push(match bytes.as_deref().and_then(|bytes| plot(&name, bytes)) {
                Some(plot) => plot,
                None => Plot { name, ..Plot::default() },
            });
        }
    }
    found
}
