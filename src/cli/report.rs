//! `mlpc report`: writes the report of a run.

use std::path::PathBuf;

use super::project::{PipelineArgs, load};
use super::{Exit, Verb};
use crate::cache::Store;
use crate::exec::RunRecord;
use crate::host::{Out, fs};
use crate::past;

/// Write one HTML file about a run: graph, gates, metrics over runs, plots, timings
///
/// The file needs nothing else, no network and no scripts, and the same run gives the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc report\n  mlpc report latest~1 --output before.html")]
pub(crate) struct ReportVerb {
    /// The run: its id, the beginning of one, `latest` or `latest~2`
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    /// Where it goes; `-` is standard output. Else beside the record of the run
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Verb for ReportVerb {
    const NAME: &'static str = "report";

    fn run(self, out: &Out) -> Exit {
        let loaded = match load(out, &self.pipeline) {
            Ok(loaded) => loaded,
            Err(exit) => return exit,
        };
        let state = loaded.project.workspace.join(".mlpc");
        let go = || -> Result<(), String> {
            let run = past::find(&state, &loaded.plan.pipeline, &self.run)?;
            let record = RunRecord::read(&state, &run).map_err(|error| error.to_string())?;
            past::of_pipeline(&loaded.plan.pipeline, &record)?;
            let store = Store::look(&state).map_err(|error| error.to_string())?;
            let html = past::report(&loaded.plan, &store, &record)?;
            let target = match &self.output {
                Some(path) if path.as_os_str() == "-" => {
                    out.write(&html);
                    return Ok(());
                }
                Some(path) => path.clone(),
                None => state.join("runs").join(&run).join("report.html"),
            };
            fs::write_ours(&target, html.as_bytes(), past::is_report).map_err(|error| error.to_string())?;
            let shown = target.strip_prefix(&loaded.project.workspace).unwrap_or(&target);
            out.line(&format!("wrote {}", shown.display()));
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
