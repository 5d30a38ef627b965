//! `mlpc why`: says why a stage runs, or ran.

use clap::Args;

use super::project::{PipelineArgs, load};
use super::run::{failed, setup};
use super::selection::SelectionArgs;
use super::{Exit, Verb, plan};
use crate::exec::{Expected, Explanation, Reason, why};
use crate::host::Out;

/// Say why a stage would run, or why it last ran: the part that changed, with its old and new value
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlpc why train\n  mlpc why train --set epochs=5")]
pub(super) struct WhyVerb {
    /// The stage
    #[arg(value_name = "STAGE")]
    node: String,

    #[command(flatten)]
    pipeline: PipelineArgs,

    #[command(flatten)]
    select: SelectionArgs,

    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

impl Verb for WhyVerb {
    const NAME: &'static str = "why";

    fn run(self, out: &Out) -> Exit {
        let go = || {
            let loaded = load(out, &self.pipeline)?;
            let bound = self.select.bind_here(out, &loaded.plan, &loaded.project.workspace)?;
            let setup = setup(loaded.project.workspace).map_err(|error| failed(out, &error))?;
            let explanation = why(&bound, &setup, &self.node).map_err(|error| failed(out, &error))?;
            show(out, &explanation, self.json);
            Ok(Exit::Fine)
        };
        go().unwrap_or_else(|exit| exit)
    }
}

fn show(out: &Out, explanation: &Explanation, json: bool) {
    if json {
        if let Ok(text) = serde_json::to_string_pretty(explanation) {
            out.json(&text);
        }
        return;
    }
    let node = &explanation.now.node;
    match &explanation.now.what {
        Expected::Hit => out.line(&format!("`{node}` would not run: its result is in the cache")),
        Expected::Runs(Reason::Changed(changes)) => {
            out.line(&format!("`{node}` would run:"));
            for change in changes {
                out.line(&format!("  {change}"));
            }
        }
        Expected::Runs(Reason::Upstream(_)) => {
            out.line(&format!("`{node}` {}", plan::told(&explanation.now)));
            for before in &explanation.before {
                out.line(&format!("  `{}` {}", before.node, plan::told(before)));
            }
        }
        _ => out.line(&format!("`{node}` {}", plan::told(&explanation.now))),
    }
    if let Some((run, why)) = &explanation.last {
        out.line(&format!("it last ran in {run}, and the reason was: {why}"));
    }
}
