//! `mlpc gate`: evaluates one gate over the files as they stand in the workspace.

use super::project::{self, PipelineArgs};
use super::selection::SelectionArgs;
use super::{Exit, Verb};
use crate::approval::Asked;
use crate::cache::Store;
use crate::gate::Report;
use crate::gate::render::{Style, table};
use crate::host::{Clock, Digest, Out};
use crate::plan::{Bound, NodeKind, Subject};
use crate::{approval, judge};

/// Evaluate a gate
///
/// Looks at what stands in the workspace: nothing is run, and the baseline is the one that was scored last. Evidence counts
/// only where its stage's last result made it, of exactly the model and the data that stand there now. Writes
/// `.mlpc/gates/<gate>/gate_report.json` and shows it. Ends with 0 where what is behind the gate may go on, 10 where it may
/// not, and 11 where that can't be decided, which it can't either while an approval that the gate asks for is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc gate quality --format json")]
pub(crate) struct GateArgs {
    /// The gate
    #[arg(value_name = "GATE")]
    gate: String,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    /// How it is shown
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ReportFormat,
    /// With `--plan`: what a compiled job calls, as `mlpc exec GATE` would do it
    #[command(flatten)]
    job: super::exec::JobArgs,
}

/// A form in which a report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// A table.
    #[default]
    Text,
    /// `gate_report.json` as it is.
    Json,
    /// For a job summary or a comment.
    Markdown,
}

impl Verb for GateArgs {
    const NAME: &'static str = "gate";

    fn run(self, out: &Out) -> Exit {
        if self.job.plan.is_some() {
            return super::exec::gate(self.gate, self.pipeline, self.selection.profile, self.job).run(out);
        }
        self.evaluate(out).unwrap_or_else(|exit| exit)
    }
}

impl GateArgs {
    fn evaluate(&self, out: &Out) -> Result<Exit, Exit> {
        let loaded = project::load(out, &self.pipeline)?;
        let workspace = &loaded.project.workspace;
        let bound = self.selection.bind_here(out, &loaded.plan, workspace)?;
        let failed = |exit: Exit| {
            move |message: String| {
                out.err_line(&format!("error: {message}"));
                exit
            }
        };
        let store = Store::open(&workspace.join(".mlpc")).map_err(|error| failed(Exit::Failed)(error.to_string()))?;
        let held_to = judge::HeldTo::Records(&store);
        let mut report =
            judge::judge(&bound, workspace, &self.gate, &Default::default(), held_to).map_err(failed(Exit::Usage))?;
        answer(&bound, workspace, &mut report).map_err(failed(Exit::Undecided))?;
        judge::write(&bound, workspace, &report).map_err(|error| failed(Exit::Failed)(error.to_string()))?;
        show(out, &report, self.format);
        Ok(exit(&report))
    }
}

/// Shows a report on stdout.
pub(crate) fn show(out: &Out, report: &Report, format: ReportFormat) {
    let style = if out.colour() { Style::Colour } else { Style::Plain };
    match format {
        ReportFormat::Text => out.text(&table(report, style)),
        ReportFormat::Json => out.json(&report.to_json()),
        ReportFormat::Markdown => out.write(&crate::gate::render::markdown(report)),
    }
}

/// Returns the exit code of a verdict.
pub(crate) fn exit(report: &Report) -> Exit {
    match report.exit_code() {
        0 => Exit::Fine,
        10 => Exit::Refused,
        _ => Exit::Undecided,
    }
}

/// Enters what a person of this machine has said to what the gate asks.
fn answer(bound: &Bound, workspace: &std::path::Path, report: &mut Report) -> Result<(), String> {
    let Some(name) = report.ask.clone() else { return Ok(()) };
    let Some(NodeKind::Approval(asked_for)) = bound.plan.node(&name).map(|node| &node.kind) else { return Ok(()) };
    let Subject::Artifact(model) = &asked_for.of else { return Ok(()) };
    let Some(digest) =
        report.admits.iter().find(|admitted| admitted.model == *model).and_then(|admitted| admitted.digest.clone())
    else {
        return Ok(());
    };
    let asked = approval::asked(workspace).map_err(|error| error.to_string())?;
    // What was said of another report of this gate is no answer to what this one asks.
    let this = Digest::of(report.to_json().as_bytes()).to_string();
    let mine = |asked: &Asked| asked.shown.iter().any(|shown| shown.gate == report.gate && shown.digest == this);
    let last = asked.into_iter().rev().find(|asked| asked.approval == name && asked.digest == digest && mine(asked));
    let Some(last) = last else { return Ok(()) };
    let standing = approval::find(workspace, &last, Clock::host().now()).map_err(|error| error.to_string())?;
    if let Some(decision) = standing.decision(&name) {
        report.decide(decision);
    }
    Ok(())
}
