//! `mlpc history`: lists the runs of this workspace.

use serde::Serialize;

use super::project::PipelineArgs;
use super::render::Format;
use super::{Exit, Verb};
use crate::exec::{Ending, RunRecord};
use crate::host::Out;
use crate::past;

/// List the runs of a pipeline, the latest first: when, what, how it ended, how much came from the cache
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc history\n  mlpc history -n 3 --format json")]
pub(crate) struct History {
    /// How many runs
    #[arg(short = 'n', long = "last", default_value_t = 20, value_name = "N")]
    last: usize,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How they are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    runs: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    run: &'a str,
    pipeline: &'a str,
    profile: Option<&'a str>,
    asked: &'a [String],
    from: &'a [String],
    only: &'a [String],
    event: &'a str,
    started: &'a str,
    ended: Option<&'a str>,
    exit: Option<u8>,
    outcome: &'static str,
    stages: usize,
    ran: usize,
    hits: usize,
}

impl Verb for History {
    const NAME: &'static str = "history";

    fn run(self, out: &Out) -> Exit {
        let go = || -> Result<(), String> {
            let project = self.pipeline.open()?;
            let state = project.workspace.join(".mlpc");
            let pipeline = project.pipeline().ok_or("the file has no `pipeline` line")?;
            let records = past::records(&state, pipeline, self.last)?;
            let rows: Vec<Row<'_>> = records.iter().map(row).collect();
            if self.format == Format::Json {
                out.json(&serde_json::to_string_pretty(&Document { format: 1, runs: rows }).unwrap_or_default());
                return Ok(());
            }
            if rows.is_empty() {
                out.line(&format!("no run of `{pipeline}` was recorded here yet; `mlpc run` records one"));
            }
            let widths = [
                rows.iter().map(|row| row.run.len()).max().unwrap_or(0),
                rows.iter().map(|row| row.outcome.len()).max().unwrap_or(0),
            ];
            let others = past::others(&state, pipeline);
            for row in &rows {
                // Where a folder has runs of several pipelines, a row is read beside those of another.
                let of = if others.is_empty() { String::new() } else { format!(", `{}`", row.pipeline) };
                let profile = row.profile.map(|profile| format!(", profile {profile}")).unwrap_or_default();
                let named = |what: &str, names: &[String]| match names {
                    [] => String::new(),
                    names => format!(", {what}{}", names.join(" ")),
                };
                let of = of + &profile + &named("", row.asked) + &named("from ", row.from) + &named("only ", row.only);
                out.line(&format!(
                    "{:<a$}  {:<b$}  {} ran, {} {}{of}",
                    row.run,
                    row.outcome,
                    row.ran,
                    row.hits,
                    if row.hits == 1 { "hit" } else { "hits" },
                    a = widths[0],
                    b = widths[1],
                ));
            }
            if !others.is_empty() {
                let told: Vec<_> = others.iter().map(|(name, runs)| format!("{runs} of `{name}`")).collect();
                out.line(&format!("and {}: `-f FILE` lists them", told.join(", ")));
            }
            Ok(())
        };
        match go() {
            Ok(()) => Exit::Fine,
            Err(message) => {
                out.err_line(&format!("error: {message}"));
                Exit::Usage
            }
        }
    }
}

fn row(record: &RunRecord) -> Row<'_> {
    let stages = || record.nodes.iter().filter(|node| node.kind == "stage");
    Row {
        run: &record.run,
        pipeline: &record.pipeline,
        profile: record.profile.as_deref(),
        asked: &record.asked,
        from: &record.from,
        only: &record.only,
        event: &record.event,
        started: &record.started,
        ended: record.ended.as_deref(),
        exit: record.exit,
        outcome: past::outcome(record),
        stages: stages().count(),
        ran: stages().filter(|node| node.milliseconds.is_some() && node.ending != Ending::Hit).count(),
        hits: stages().filter(|node| node.ending == Ending::Hit).count(),
    }
}
