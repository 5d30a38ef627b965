//! How a run looks: plain lines, or JSON, one event a line. Written once a line, so that lines of stages that run at
//! once do not mix.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::bars::Bars;
use crate::cli::project::PipelineArgs;
use crate::exec::{self, Ending, Event, Listener, NodeReport, Shape, Summary};
use crate::gate::render::{Style, table};
use crate::host::Out;
use crate::shown;

/// What took fewer milliseconds is over before anybody has read how long it may take.
pub(in crate::cli) const WORTH_EXPECTING: u64 = 5000;

/// Shows a run.
pub(super) trait Face: Listener {
    /// Shows how it came out.
    fn summary(&self, summary: &Summary);
}

/// Chooses the face that fits where the output goes.
pub(super) fn face(out: &Out, shape: Shape, pipeline: &PipelineArgs, verbose: bool, json: bool) -> Box<dyn Face> {
    if json {
        return Box::new(Json(out.clone()));
    }
    let bars = (out.is_terminal() && out.err_is_terminal() && !verbose).then(Bars::new);
    Box::new(Plain {
        out: out.clone(),
        pipeline: pipeline.clone(),
        width: shape.width.min(32),
        all: verbose || shape.nodes <= exec::SHOWN,
        verbose,
        stages: shape.stages,
        bars,
        waiting: Mutex::default(),
    })
}

struct Json(Out);

impl Listener for Json {
    fn event(&self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            self.0.json(&line);
        }
    }
}

impl Face for Json {
    fn summary(&self, _: &Summary) {}
}

struct Plain {
    out: Out,
    pipeline: PipelineArgs,
    width: usize,
    all: bool,
    verbose: bool,
    stages: usize,
    bars: Option<Bars>,
    /// Nodes that a person has to decide about, and what waits for them.
    waiting: Mutex<BTreeSet<String>>,
}

#[derive(Clone, Copy)]
enum Paint {
    None,
    Good,
    Bad,
    Warn,
    Dim,
}

impl Plain {
    fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.above(|| self.out.line(text)),
            None => self.out.line(text),
        }
    }

    fn node(&self, node: &str, paint: Paint, text: &str) {
        let width = self.width;
        self.line(&format!("  {node:<width$}  {}", self.painted(paint, &behind(&self.pipeline.again(text)))));
    }

    fn painted(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            _ if !self.out.colour() => return text.to_owned(),
            Paint::None => return text.to_owned(),
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Warn => "33",
            Paint::Dim => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    fn ended(&self, report: &NodeReport) {
        if let Some(bars) = &self.bars {
            bars.end(&report.node, report.kind == "stage");
        }
        let waits = self.waits(report);
        let took = report.milliseconds.map(|took| format!(" in {}", duration(took))).unwrap_or_default();
        let detail = report.detail.as_deref();
        let quiet = matches!(report.ending, Ending::Hit | Ending::Skipped(_)) && !self.all;
        if quiet || self.verbose_only(report) {
            return;
        }
        let (paint, text) = match &report.ending {
            Ending::Done => (Paint::Good, detail.map_or(format!("done{took}"), str::to_owned)),
            Ending::Hit => (Paint::Dim, detail.unwrap_or("from the cache").to_owned()),
            Ending::Decided(verdict) => {
                let reason = report.gate.as_ref().map(|gate| gate.reason.clone()).unwrap_or_default();
                let paint = if verdict.lets_go_on() { Paint::Good } else { Paint::Bad };
                (paint, format!("{verdict}: {reason}"))
            }
            Ending::NotEvaluated(why) => (Paint::Bad, format!("not evaluated: {why}")),
            Ending::Asks(approval) => (Paint::Warn, format!("asks `{approval}`")),
            Ending::Approved => (Paint::Good, format!("approved {}", detail.unwrap_or_default())),
            Ending::Rejected(why) => (Paint::Bad, format!("rejected {why}")),
            Ending::Expired(why) | Ending::RolledBack(why) => (Paint::Bad, format!("rejected: {why}")),
            Ending::WaitsForPerson => (Paint::Warn, format!("waits: {}", detail.unwrap_or_default())),
            Ending::Failed(why) => (Paint::Bad, format!("failed: {why}")),
            Ending::Unsound(why) => (Paint::Bad, format!("stopped: {why}")),
            Ending::Skipped(why) => (Paint::Dim, format!("skipped: {why}")),
            Ending::NotReleased(why) => (Paint::Dim, format!("not released here: {why}")),
            Ending::Blocked(by) if waits => (Paint::Dim, format!("waits for `{by}`")),
            Ending::Blocked(by) => (Paint::Dim, format!("not run: `{by}` did not come out well")),
            Ending::Interrupted => (Paint::Dim, "interrupted".to_owned()),
        };
        self.node(&report.node, paint, text.trim_end());
        if matches!(report.ending, Ending::Failed(_) | Ending::Unsound(_)) {
            self.failure(report);
        } else if let Some(help) = &report.help {
            self.node("", Paint::None, &format!("help: {help}"));
        }
    }

    /// Tells whether a node has to wait for a person, directly or behind another one.
    fn waits(&self, report: &NodeReport) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = match &report.ending {
            Ending::WaitsForPerson => true,
            Ending::Blocked(by) => waiting.contains(by),
            _ => false,
        };
        if waits {
            waiting.insert(report.node.clone());
        }
        waits
    }

    /// Of thousands of nodes that were not run nobody reads a list.
    fn verbose_only(&self, report: &NodeReport) -> bool {
        matches!(report.ending, Ending::Blocked(_) | Ending::Interrupted) && !self.all
    }

    fn failure(&self, report: &NodeReport) {
        let mut text = String::new();
        if !report.tail.is_empty() && !self.verbose {
            for line in &report.tail {
                // A bar is drawn over and over in one line; what a person would see is its last state.
                let line = shown::unpainted(line);
                let line = line.rsplit('\r').find(|state| !state.is_empty()).unwrap_or_default();
                text.push_str(&format!("    | {line}\n"));
            }
        }
        if let Some(log) = &report.log {
            text.push_str(&format!("    log: {log}\n"));
        }
        if let Some(help) = &report.help {
            text.push_str(&format!("    help: {}\n", self.pipeline.again(help)));
        }
        match &self.bars {
            Some(bars) => bars.above(|| self.out.err(&text)),
            None => self.out.err(&text),
        }
    }
}

impl Listener for Plain {
    fn event(&self, event: &Event) {
        match event {
            Event::RunStarted { run, pipeline, profile, .. } => {
                let profile = profile.as_ref().map(|name| format!(", profile {name}")).unwrap_or_default();
                self.line(&format!("run {run} of {pipeline}{profile}"));
                if let Some(bars) = &self.bars {
                    bars.begin(self.stages);
                }
            }
            Event::NodeStarted { node, why, expected } => {
                let expected = expected.filter(|&took| took >= WORTH_EXPECTING).map(duration);
                let about = expected.as_ref().map(|took| format!(" (about {took})")).unwrap_or_default();
                self.node(node, Paint::None, &format!("runs{about}: {why}"));
                if let Some(bars) = &self.bars {
                    bars.start(node, expected.as_deref());
                }
            }
            Event::Line { node, text } => {
                if let Some(bars) = &self.bars {
                    bars.line(node, text);
                } else if self.verbose {
                    let width = self.width;
                    match self.out.is_terminal() {
                        true => self.out.line(&format!("  {node:<width$}  | {}", shown::unpainted(text))),
                        false => self.out.data(&format!("  {node:<width$}  | {text}")),
                    }
                }
            }
            Event::Note { node, text } => self.node(node, Paint::Warn, &format!("note: {text}")),
            Event::NodeEnded(report) => self.ended(report),
            Event::RunEnded { .. } => {
                if let Some(bars) = &self.bars {
                    bars.clear();
                }
            }
        }
    }
}

impl Face for Plain {
    fn summary(&self, summary: &Summary) {
        let style = if self.out.colour() { Style::Colour } else { Style::Plain };
        for gate in summary.nodes.iter().filter_map(|node| node.gate.as_ref()) {
            self.out.line("");
            self.out.text(&table(gate, style));
        }
        self.out.line("");
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.out.line(&counted(summary, &waiting));
        if summary.exit == 14 {
            let text = format!("waiting for a person; `mlpc run --resume {}` goes on", summary.run);
            self.out.line(&self.pipeline.again(&text));
        }
    }
}

/// Returns a text in which every line but the first is behind a bar: what it quotes is taken for no line of ours.
pub(in crate::cli) fn behind(text: &str) -> Cow<'_, str> {
    if text.contains('\n') { text.replace('\n', "\n    | ").into() } else { text.into() }
}

/// `2 stages run, 3 from the cache; 1.2 s`
fn counted(summary: &Summary, waiting: &BTreeSet<String>) -> String {
    let stages = || summary.nodes.iter().filter(|node| node.kind == "stage");
    let ran = stages().filter(|node| node.milliseconds.is_some()).count();
    let mut parts = vec![format!("{ran} stage{} run", if ran == 1 { "" } else { "s" })];
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    let (served, skipped) = summary.unlisted;
    count(served + stages().filter(|node| node.ending == Ending::Hit).count(), "from the cache");
    let all = || summary.nodes.iter();
    count(all().filter(|node| matches!(node.ending, Ending::Failed(_) | Ending::Unsound(_))).count(), "failed");
    let blocked = |waits: bool| {
        let blocked = all().filter(|node| matches!(node.ending, Ending::Blocked(_)));
        blocked.filter(|node| waiting.contains(&node.node) == waits).count()
    };
    count(blocked(true), "waiting");
    count(blocked(false), "not run");
    count(skipped + all().filter(|node| matches!(node.ending, Ending::Skipped(_))).count(), "skipped");
    count(all().filter(|node| matches!(node.ending, Ending::NotReleased(_))).count(), "not released here");
    let took = u64::try_from(summary.took.as_millis()).unwrap_or(u64::MAX);
    format!("{}; {}", parts.join(", "), duration(took))
}

/// Writes a time as people read it: `80 ms`, `1.2 s`, `3 m 20 s`.
pub(in crate::cli) fn duration(milliseconds: u64) -> String {
    let took = Duration::from_millis(milliseconds);
    match took.as_secs() {
        0 => format!("{milliseconds} ms"),
        seconds @ 1..60 => format!("{seconds}.{} s", took.subsec_millis() / 100),
        seconds @ 60..3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_read_them() {
        assert_eq!(duration(80), "80 ms");
        assert_eq!(duration(1_250), "1.2 s");
        assert_eq!(duration(200_000), "3 m 20 s");
        assert_eq!(duration(7_260_000), "2 h 1 m");
    }
}
