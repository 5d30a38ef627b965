//! `mlpc verify`: evaluates again what a report is about, and compares the bytes.

use std::path::{Path, PathBuf};

use super::project::{self, PipelineArgs};
use super::selection::bind_shown;
use super::{Exit, Verb};
use crate::cache::Store;
use crate::gate::Report;
use crate::host::{Out, fs};
use crate::judge;
use crate::plan::{Given, Plan, Selection};
use crate::types::Type;

/// Recompute a gate's report and compare it, byte for byte
///
/// Reads the profile and the parameters from the report and the evidence from the workspace. Ends with 0 where the same
/// bytes come out, whatever the verdict in them, and with 11 where others do, or where the pipeline is another one by now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc verify .mlpc/gates/quality/gate_report.json")]
pub(crate) struct Verify {
    /// The report
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Verb for Verify {
    const NAME: &'static str = "verify";

    fn run(self, out: &Out) -> Exit {
        self.verify(out).unwrap_or_else(|exit| exit)
    }
}

impl Verify {
    fn verify(&self, out: &Out) -> Result<Exit, Exit> {
        let failed = |exit: Exit| {
            move |message: String| {
                out.err_line(&format!("error: {message}"));
                exit
            }
        };
        let text = fs::read_text(&self.report).map_err(|error| failed(Exit::Usage)(error.to_string()))?;
        let report = Report::from_json(&text)
            .map_err(|why| failed(Exit::Undecided)(format!("`{}` is {why}", self.report.display())))?;
        let loaded = project::load(out, &self.pipeline)?;
        if loaded.plan.digest() != report.plan {
            let message = format!("the pipeline is another one than when `{}` was evaluated", report.gate);
            return Err(failed(Exit::Undecided)(message));
        }
        let bound = bind_shown(out, &loaded.plan, &selection(&loaded.plan, &report))?;
        let again = judge::again(&bound, &loaded.project.workspace, &report).map_err(failed(Exit::Undecided))?;
        Ok(compare(out, (&self.report, &text), (&report, &again), &loaded.project.workspace))
    }
}

/// Returns the selection that a report was made under. Lists are left to their defaults: no limit is of one.
fn selection(plan: &Plan, report: &Report) -> Selection {
    let scalar = |name: &str| {
        let param = plan.params.iter().find(|param| param.name == name);
        param.is_some_and(|param| !matches!(param.ty, Type::List(_) | Type::Record(_) | Type::Optional(_)))
    };
    let params = report.params.iter().filter(|(name, _)| scalar(name));
    Selection {
        profile: report.profile.clone(),
        params: params.map(|(name, text)| (name.clone(), Given::Text(text.clone()))).collect(),
        ..Selection::default()
    }
}

/// Says which evidence is another than the report's, and where that one is kept.
fn others(report: &Report, again: &Report, workspace: &Path) -> Vec<String> {
    let store = Store::look(&workspace.join(".mlpc")).ok();
    let mut lines = Vec::new();
    for was in &report.evidence {
        let (Some(digest), Some(is)) = (&was.digest, again.evidence.iter().find(|is| is.origin == was.origin)) else {
            continue;
        };
        if is.digest.as_ref() == Some(digest) {
            continue;
        }
        let object = digest.parse().ok().and_then(|digest| Some(store.as_ref()?.object(&digest)));
        let kept = match object.filter(|path| path.is_file()) {
            Some(path) => format!("kept as `{}`", path.strip_prefix(workspace).unwrap_or(&path).display()),
            None => "which the cache does not keep".to_owned(),
        };
        let now = is.digest.as_ref().map_or("nothing that can be read".to_owned(), |now| format!("`{now}`"));
        lines.push(format!("`{}` was `{digest}`, {kept}; at `{}` is {now}", was.origin, is.path));
    }
    lines
}

fn compare(out: &Out, (path, text): (&Path, &str), (report, again): (&Report, &Report), workspace: &Path) -> Exit {
    let recomputed = again.to_json();
    if recomputed == text {
        out.line(&format!("{}: the same bytes again, {}", again.gate, again.verdict));
        return Exit::Fine;
    }
    let others = others(report, again, workspace);
    if others.is_empty() {
        out.err_line(&format!("error: `{}` is not what comes out now", path.display()));
    } else {
        out.err_line(&format!("error: `{}` is about other evidence than stands in the workspace now", path.display()));
        others.iter().for_each(|line| out.err_line(&format!("  {line}")));
        out.err_line(
            "  help: `mlpc run` with the code and data of that run puts its files back from the cache; then verify",
        );
    }
    let (mut then, mut now) = (text.lines(), recomputed.lines());
    for number in 1.. {
        match (then.next(), now.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => {
                out.err_line(&format!("  line {number}"));
                out.err_line(&format!("    in the file: {}", one.unwrap_or("(nothing)").trim()));
                out.err_line(&format!("    now:         {}", other.unwrap_or("(nothing)").trim()));
                break;
            }
        }
    }
    Exit::Undecided
}
