//! `mlpc diff`: compares two runs.

use super::project::{PipelineArgs, load};
use super::render::Format;
use super::{Exit, Verb};
use crate::cache::Store;
use crate::exec::RunRecord;
use crate::host::Out;
use crate::past::{self, Diff, Pair, Turn};

/// Compare two runs: parameters, data, code, how nodes ended, and metrics with whether they got better
///
/// Without runs: the latest with the one before it. With one: that one with the latest.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mlpc diff\n  mlpc diff 20260801T1200 latest\n  mlpc diff latest~3 latest --format json"
)]
pub(crate) struct DiffVerb {
    /// The first run: its id, the beginning of one, `latest` or `latest~2`
    #[arg(value_name = "RUN")]
    old: Option<String>,
    /// The second run
    #[arg(value_name = "RUN")]
    new: Option<String>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How it is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

impl Verb for DiffVerb {
    const NAME: &'static str = "diff";

    fn run(self, out: &Out) -> Exit {
        let loaded = match load(out, &self.pipeline) {
            Ok(loaded) => loaded,
            Err(exit) => return exit,
        };
        let state = loaded.project.workspace.join(".mlpc");
        let go = || -> Result<Diff, String> {
            let find = |name: &str| past::find(&state, &loaded.plan.pipeline, name);
            let old = find(self.old.as_deref().unwrap_or("latest~1"))?;
            let new = find(self.new.as_deref().unwrap_or("latest"))?;
            let read = |run: &str| RunRecord::read(&state, run).map_err(|error| error.to_string());
            let store = Store::look(&state).map_err(|error| error.to_string())?;
            let (old, new) = (read(&old)?, read(&new)?);
            // One of them may be another pipeline's, which is said; what the file knows of neither is no comparison.
            if old.pipeline == new.pipeline {
                past::of_pipeline(&loaded.plan.pipeline, &new)?;
            }
            Ok(past::compare(&loaded.plan, &store, &old, &new))
        };
        match go() {
            Ok(diff) => {
                match self.format {
                    Format::Json => out.json(&serde_json::to_string_pretty(&diff).unwrap_or_default()),
                    _ => show(out, &diff),
                }
                Exit::Fine
            }
            Err(message) => {
                out.err_line(&format!("error: {message}"));
                Exit::Usage
            }
        }
    }
}

fn show(out: &Out, diff: &Diff) {
    out.line(&format!("{} → {}", diff.old, diff.new));
    if let Some(pipeline) = &diff.pipeline {
        let side = |name: &Option<String>| name.clone().unwrap_or_default();
        let (old, new) = (side(&pipeline.old), side(&pipeline.new));
        out.line(&format!("`{old}` → `{new}`: runs of two pipelines, which have little to be compared"));
    }
    if let Some(profile) = &diff.profile {
        let side =
            |name: &Option<String>| name.as_ref().map_or("no profile".to_owned(), |name| format!("profile {name}"));
        out.line(&format!("{} → {}: other values and data are to be expected", side(&profile.old), side(&profile.new)));
    }
    if diff.plan_changed {
        out.line("the pipeline itself changed");
    }
    for (title, pairs) in [("parameters", &diff.params), ("data", &diff.inputs), ("nodes", &diff.endings)] {
        if !pairs.is_empty() {
            out.line(&format!("\n{title}"));
        }
        for pair in pairs {
            out.line(&format!("  {}", line(pair)));
        }
    }
    if !diff.stages.is_empty() {
        out.line("\nstages");
    }
    for stage in &diff.stages {
        out.line(&format!("  {}", stage.node));
        for change in &stage.changes {
            out.line(&format!("    {change}"));
        }
    }
    if !diff.metrics.is_empty() {
        out.line("\nmetrics");
    }
    let width = diff.metrics.iter().map(|metric| metric.name.len()).max().unwrap_or(0);
    for metric in &diff.metrics {
        let side =
            |number: &Option<past::Number>| number.as_ref().map_or("nothing", |number| number.text.as_str()).to_owned();
        let (old, new) = (side(&metric.old), side(&metric.new));
        let turn = match metric.turn {
            Turn::Better => "  better",
            Turn::Worse => "  worse",
            Turn::Same | Turn::Unknown => "",
        };
        let told = match (&metric.change, metric.turn) {
            (_, Turn::Same) => format!("{new}  same"),
            (Some(change), _) => format!("{old} → {new} ({change}){turn}"),
            (None, _) => format!("{old} → {new}"),
        };
        out.line(&format!("  {:<width$}  {told}", metric.name));
    }
    let nothing = [&diff.params, &diff.inputs, &diff.endings].iter().all(|pairs| pairs.is_empty())
        && diff.stages.is_empty()
        && diff.metrics.iter().all(|metric| metric.turn == Turn::Same);
    if nothing && !diff.plan_changed && diff.profile.is_none() && diff.pipeline.is_none() {
        out.line("nothing differs");
    }
}

fn line(pair: &Pair) -> String {
    let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: {} → {}", pair.name, side(&pair.old), side(&pair.new))
}
