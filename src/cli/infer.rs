//! `mlpc infer`: finds out what a stage reads.

use clap::Args;

use super::project::{PipelineArgs, load};
use super::run::{exit, failed, setup};
use super::selection::SelectionArgs;
use super::{Exit, Verb};
use crate::exec::{Change, Ending, Event, Inferred, Options, infer};
use crate::host::Out;
use crate::shown;

/// Run a stage once, traced, and print the `in` and `code` lines that it needs
///
/// The stage runs in a copy of the whole workspace; nothing of it enters the cache or the workspace. What it reads from is
/// made first. Lines with `+` are to be added, those with `-` were not needed in this run. Needs Linux and strace.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlpc infer train\n  mlpc infer train --set epochs=1")]
pub(super) struct Infer {
    /// The stage
    #[arg(value_name = "STAGE")]
    stage: String,

    #[command(flatten)]
    pipeline: PipelineArgs,

    #[command(flatten)]
    select: SelectionArgs,

    /// Show the output of the command as it comes
    #[arg(short, long)]
    verbose: bool,

    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

impl Verb for Infer {
    const NAME: &'static str = "infer";

    fn run(self, out: &Out) -> Exit {
        let go = || {
            let loaded = load(out, &self.pipeline)?;
            let bound = self.select.bind_here(out, &loaded.plan, &loaded.project.workspace)?;
            let setup = setup(loaded.project.workspace).map_err(|error| failed(out, &error))?;
            let listener = |event: &Event| match event {
                Event::Line { text, .. } if self.verbose && !self.json => {
                    out.line(&format!("  | {}", shown::unpainted(text)))
                }
                Event::NodeEnded(report) => {
                    if let Ending::Failed(why) | Ending::Unsound(why) = &report.ending {
                        out.err_line(&format!("`{}` {why}", report.node));
                    }
                }
                _ => {}
            };
            let inferred = infer(&bound, &setup, &Options::default(), &self.stage, &listener);
            let inferred = inferred.map_err(|error| failed(out, &error))?;
            show(out, &inferred, self.json);
            Ok(exit(u8::from(inferred.failed.is_some())))
        };
        go().unwrap_or_else(|exit| exit)
    }
}

fn show(out: &Out, inferred: &Inferred, json: bool) {
    if json {
        if let Ok(text) = serde_json::to_string_pretty(inferred) {
            out.json(&text);
        }
        return;
    }
    for line in &inferred.lines {
        let mark = match line.change {
            Change::Keep => ' ',
            Change::Add => '+',
            Change::Remove => '-',
        };
        out.line(&format!("{mark} {}", line.text));
    }
    let count = |change| inferred.lines.iter().filter(|line| line.change == change).count();
    let stage = &inferred.stage;
    match (count(Change::Add), count(Change::Remove)) {
        (0, 0) => out.line(&format!("`{stage}` declares what it reads")),
        (more, less) => out.line(&format!("`{stage}`: {more} to add, {less} not read in this run")),
    }
    if let Some(why) = &inferred.failed {
        let tail: String = inferred.tail.iter().map(|line| format!("    | {}\n", shown::unpainted(line))).collect();
        out.err(&tail);
        out.err_line(&format!("error: `{stage}` {why}; what it reads after that is not known"));
    }
}
