//! `mlpc approve`: a person's decision about what a run on this machine waits for.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::gate::{ReportFormat, show};
use super::project::PipelineArgs;
use super::{Exit, Verb};
use crate::approval::{self, Asked, Decided, Refusal, Standing};
use crate::exec;
use crate::gate::Report;
use crate::host::clock::iso;
use crate::host::{Clock, Digest, Out, fs, machine};

/// Decide about what a run waits for
///
/// Shows the subject with its digest, of a Terraform plan what it would change, and the gate reports about it, and records
/// the decision for exactly these bytes and these reports. It counts on this machine alone. A decision that comes too late is a
/// rejection. Afterwards: `mlpc run --resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc approve go_live --reason \"checked the slices\" && mlpc run --resume")]
pub(crate) struct Approve {
    /// The approval; what waits is listed if none
    #[arg(value_name = "APPROVAL")]
    approval: Option<String>,
    /// The run, where several wait
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Refuse; that is final for this run
    #[arg(long)]
    reject: bool,
    /// Why; kept with the decision
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who decides; else the user of this machine
    #[arg(long = "as", value_name = "LOGIN")]
    login: Option<String>,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Verb for Approve {
    const NAME: &'static str = "approve";

    fn run(self, out: &Out) -> Exit {
        match self.decide(out) {
            Ok(exit) => exit,
            Err((exit, message)) => {
                out.err_line(&self.pipeline.again(&format!("error: {message}")));
                exit
            }
        }
    }
}

type Failure = (Exit, String);

impl Approve {
    fn decide(&self, out: &Out) -> Result<Exit, Failure> {
        let project = self.pipeline.open().map_err(|message| (Exit::Usage, message))?;
        let (workspace, now) = (project.workspace.as_path(), Clock::host().now());
        let Some(name) = &self.approval else { return list(out, workspace, now) };
        let asked = self.question(workspace, name, now)?;
        if asked.shared {
            let message = format!(
                "`{name}` leads into a registry that others share; a decision on this machine counts for registries of \
                 this machine only"
            );
            return Err((Exit::Usage, message));
        }
        let by = self.login.clone().or_else(user).filter(|login| !approval::is_nobody(login));
        let by = by.ok_or((Exit::Usage, approval::NOBODY.to_owned()))?;
        describe(out, workspace, &asked)?;
        let decided = Decided {
            approval: name.clone(),
            digest: asked.digest.clone(),
            reports: asked.reports(),
            given: !self.reject,
            by,
            at: now,
            reason: self.reason.clone(),
        };
        let standing = approval::decide(workspace, &asked, &decided).map_err(|refusal| match refusal {
            Refusal::Nobody => (Exit::Usage, approval::NOBODY.to_owned()),
            Refusal::NotAmong(why) => (Exit::Usage, why),
            Refusal::BeforeAsked(why) => (Exit::Undecided, why),
            Refusal::Record(error) => damaged(error),
        })?;
        Ok(self.said(out, &asked, &standing))
    }

    fn said(&self, out: &Out, asked: &Asked, standing: &Standing) -> Exit {
        match standing {
            Standing::Approved { by, .. } => {
                let resume = format!("`mlpc run --resume {}`", asked.run);
                out.line(&format!("approved by {by}; go on with: {}", self.pipeline.again(&resume).trim_matches('`')));
                Exit::Fine
            }
            Standing::Rejected { by, reason, .. } => {
                out.line(&format!("rejected by {}: {reason}", by.as_deref().unwrap_or("the clock")));
                if self.reject { Exit::Fine } else { Exit::Refused }
            }
            Standing::Waiting { .. } => Exit::Undecided,
        }
    }

    /// Finds the one question that is meant.
    fn question(&self, workspace: &Path, name: &str, now: Timestamp) -> Result<Asked, Failure> {
        let meant = |asked: &Asked| asked.approval == *name && self.run.as_ref().is_none_or(|run| asked.run == *run);
        let waiting: Vec<_> = approval::waiting(workspace, now).map_err(damaged)?.into_iter().filter(meant).collect();
        match waiting.as_slice() {
            [one] => return Ok(one.clone()),
            // Several runs that wait for the same bytes, with the same reports, are answered together.
            [one, rest @ ..] if rest.iter().all(|other| approval::is_same(other, one)) => {
                return Ok(waiting[rest.len()].clone());
            }
            [_, ..] => {
                let runs: Vec<_> = waiting.iter().map(|asked| format!("`--run {}`", asked.run)).collect();
                return Err((Exit::Usage, format!("several runs wait for `{name}`; say which: {}", runs.join(", "))));
            }
            [] => {}
        }
        let last = approval::asked(workspace).map_err(damaged)?.into_iter().rev().find(meant);
        let Some(last) = last else {
            let all = approval::waiting(workspace, now).map_err(damaged)?;
            if let Some(run) = &self.run
                && !all.iter().any(|asked| asked.run == *run)
                && !(exec::is_run(run) && workspace.join(".mlpc/runs").join(run).is_dir())
            {
                return Err((Exit::Usage, format!("there is no run `{run}`; `mlpc history` lists the runs")));
            }
            return Err((Exit::Usage, nothing_waits(name, self.run.as_deref(), &all)));
        };
        let standing = approval::find(workspace, &last, now).map_err(damaged)?;
        let why = match standing {
            Standing::Approved { by, at } => format!("`{by}` approved it at {}", iso(at)),
            Standing::Rejected { by: Some(by), at, .. } => format!("`{by}` rejected it at {}", iso(at)),
            Standing::Rejected { by: None, at, .. } => {
                return Err((
                    Exit::Refused,
                    format!("too late: the time for `{name}` ran out at {}; run again", iso(at)),
                ));
            }
            Standing::Waiting { .. } => "it waits".to_owned(),
        };
        Err((Exit::Usage, format!("`{name}` is decided already: {why}")))
    }
}

/// Says that nothing waits for an approval, or that this run does not, and what waits instead.
fn nothing_waits(name: &str, run: Option<&str>, all: &[Asked]) -> String {
    let mut runs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for asked in all {
        runs.entry(&asked.approval).or_default().push(&asked.run);
    }
    let listed = |what: &str, runs: &[&str]| {
        let word = if runs.len() == 1 { "run" } else { "runs" };
        format!("`{what}` ({word} {})", runs.join(", "))
    };
    let Some(run) = run else {
        let waits: Vec<_> = runs.iter().map(|(what, runs)| listed(what, runs)).collect();
        let rest = if waits.is_empty() { String::new() } else { format!("; what waits is {}", waits.join(", ")) };
        return format!("nothing waits for `{name}`{rest}");
    };
    let own: Vec<_> =
        runs.iter().filter(|(_, runs)| runs.contains(&run)).map(|(what, _)| format!("`{what}`")).collect();
    let own =
        if own.is_empty() { "it waits for nobody".to_owned() } else { format!("it waits for {}", own.join(", ")) };
    let others = runs.get(name).map(|runs| format!("; what waits is {}", listed(name, runs))).unwrap_or_default();
    format!("the run {run} does not wait for `{name}`: {own}{others}")
}

fn damaged(error: crate::host::Error) -> Failure {
    (Exit::Undecided, error.to_string())
}

fn list(out: &Out, workspace: &Path, now: Timestamp) -> Result<Exit, Failure> {
    let waiting = approval::waiting(workspace, now).map_err(damaged)?;
    if waiting.is_empty() {
        out.line("nothing waits for a person");
    }
    for asked in waiting {
        let by = if asked.by.is_empty() { "anyone".to_owned() } else { asked.by.join(", ") };
        out.line(&format!(
            "{}  of {} {}  run {}  by {by}",
            asked.approval,
            asked.subject,
            short(&asked.digest),
            asked.run
        ));
        if let Some(about) = &asked.about {
            out.line(&format!("  {}", about.line()));
            about.resources().iter().for_each(|line| out.line(&format!("    {line}")));
        }
    }
    Ok(Exit::Fine)
}

fn describe(out: &Out, workspace: &Path, asked: &Asked) -> Result<(), Failure> {
    out.line(&format!("{} of {}", asked.approval, asked.subject));
    out.line(&format!("  digest  {}", asked.digest));
    if let Some(about) = &asked.about {
        out.line(&format!("  file    {}", about.line()));
        about.resources().iter().for_each(|line| out.line(&format!("          {line}")));
    }
    out.line(&format!("  run     {}, asked at {}", asked.run, iso(asked.at)));
    for shown in &asked.shown {
        let (path, run) = (&shown.path, &asked.run);
        let text = fs::read_text(&workspace.join(path)).map_err(damaged)?;
        if Digest::of(text.as_bytes()).to_string() != shown.digest {
            let message = format!(
                "`{path}` is not the report that run {run} asked with: it was changed; `mlpc run --resume {run}` judges \
                 again and writes it anew"
            );
            return Err((Exit::Undecided, message));
        }
        let report = Report::from_json(&text).map_err(|why| (Exit::Undecided, format!("`{path}` is {why}")))?;
        show(out, &report, ReportFormat::Text);
    }
    Ok(())
}

fn short(digest: &str) -> &str {
    let start = digest.find(':').map_or(0, |colon| colon + 1);
    digest.get(start..start + 8).unwrap_or(digest)
}

/// Returns the login of whoever runs this: as the session says it, else as the machine does.
pub(super) fn user() -> Option<String> {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|login| !approval::is_nobody(login)))
        .or_else(|| machine::user().filter(|login| !approval::is_nobody(login)))
}
