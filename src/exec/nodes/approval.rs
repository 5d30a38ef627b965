//! An approval: a person's decision about a digest. Asked once in a run; the answer is looked for whenever it goes on.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::may::may;
use super::promote::nothing_to_do;
use crate::approval::{self, Asked, Shown, Standing};
use crate::exec::context::{Run, Stop};
use crate::exec::event::NodeReport;
use crate::exec::state::Ending;
use crate::gate::Report;
use crate::host::clock::iso;
use crate::host::{Digest, Error};
use crate::plan::{Approval, Node, NodeKind, Subject};
use crate::types::Origin;

pub(super) fn run(run: &Run<'_>, node: &Node, approval: &Approval, report: &mut NodeReport) -> Result<Ending, Stop> {
    let (subject, digest) = subject(run, &approval.of)?;
    if let Subject::Release(release) = &approval.of
        && let Some(why) = nothing_to_do(run, release, &digest)?
    {
        report.detail = Some(why);
        return Ok(Ending::Hit);
    }
    if let Some(ending) = may(run, node)? {
        return Ok(ending);
    }
    let shared = shared_registry(run, &approval.of);
    if let Some(registry) = &shared {
        if run.options.release {
            let why =
                format!("others share `{registry}`: its approvals are given on the platform, not on this machine");
            return Err(Stop::Failed(why));
        }
        return Ok(Ending::NotReleased(format!(
            "others share `{registry}`, whose approvals are given on the platform"
        )));
    }
    let now = run.setup.clock.now();
    let asked = Asked {
        approval: node.name.clone(),
        subject,
        digest: digest.to_string(),
        run: run.id.clone(),
        at: now,
        timeout: approval.timeout,
        by: approval.by.clone(),
        shown: shown(run, node),
        about: about(run, &approval.of),
        shared: shared.is_some(),
    };
    let asked = approval::ask(run.workspace(), &asked).map_err(unreadable)?;
    // How long there is to decide is the plan's to say, not the record's.
    let asked = Asked { timeout: approval.timeout, ..asked };
    let standing = approval::find(run.workspace(), &asked, run.setup.clock.now()).map_err(unreadable)?;
    // The record is a file of this machine: what it says of whoever decided is held against the plan each time.
    if let Standing::Approved { by, .. } = &standing
        && !approval.by.is_empty()
        && !approval.by.contains(by)
    {
        return Err(Stop::Unsound(format!(
            "the record of approvals says that {by} approved, who may not: {}",
            approval.by.join(" or ")
        )));
    }
    if let Some(decision) = standing.decision(&node.name) {
        for mut decided in run.gates().into_values().filter(|gate| gate.ask.as_ref() == Some(&node.name)) {
            decided.decide(decision.clone());
            super::gate::keep(run, &decided)?;
        }
    }
    Ok(match standing {
        Standing::Waiting { until } => {
            let who = if approval.by.is_empty() { "a person".to_owned() } else { approval.by.join(" or ") };
            let elsewhere = approval::of_other_reports(run.workspace(), &asked).map_err(unreadable)?;
            let elsewhere = elsewhere.map(|decided| {
                let (by, at) = (decided.by, iso(decided.at));
                format!("; what {by} said at {at} does not count here: other gate reports were shown with it")
            });
            let about = asked.about.as_ref().map(|about| format!(" about {}", about.line())).unwrap_or_default();
            let elsewhere = elsewhere.unwrap_or_default();
            report.detail = Some(format!("{who} may decide until {}{about}{elsewhere}", iso(until)));
            let login = approval.by.first().map(|login| format!(" --as {login}")).unwrap_or_default();
            // The brackets of a leg are a pattern to a shell.
            let name = if node.name.contains('[') { format!("'{}'", node.name) } else { node.name.clone() };
            let id = &run.id;
            report.help = Some(format!("`mlpc approve {name}{login} --run {id}`, then `mlpc run --resume {id}`"));
            Ending::WaitsForPerson
        }
        Standing::Approved { by, at } => {
            run.note_approval(&node.name, &by, &iso(at));
            report.detail = Some(format!("by {by}, {}", iso(at)));
            Ending::Approved
        }
        Standing::Rejected { by: Some(by), reason, .. } => Ending::Rejected(format!("by {by}: {reason}")),
        Standing::Rejected { by: None, reason, .. } => Ending::Expired(reason),
    })
}

/// Returns the reports of the gates that the approval comes after, as this run keeps them: by the time that somebody
/// decides, another one may have judged another model. Others may have been evaluated so far or not, as it happens.
fn shown(run: &Run<'_>, node: &Node) -> Vec<Shown> {
    let mut before: BTreeSet<&str> = BTreeSet::new();
    let mut left = vec![node];
    while let Some(node) = left.pop() {
        for wait in &node.waits {
            if before.insert(&wait.node) {
                left.extend(run.node(&wait.node));
            }
        }
    }
    let reports = run.gates().into_iter().filter(|(gate, _)| before.contains(gate.as_str()));
    let shown = reports.map(|(gate, report)| Shown {
        path: super::gate::kept_path(&run.id, &gate),
        digest: Digest::of(report.to_json().as_bytes()).to_string(),
        said: said(&report).to_string(),
        gate,
    });
    shown.collect()
}

/// Returns what is to be seen of the file that is decided about.
fn about(run: &Run<'_>, subject: &Subject) -> Option<approval::About> {
    let Subject::Artifact(Origin::Output { stage, output }) = subject else { return None };
    let product = run.product(stage, output)?;
    Some(approval::about(run.workspace(), &product.path, &product.artifact.digest))
}

/// Returns the digest of what a report says: all verdicts, of which models and against which baseline.
fn said(report: &Report) -> Digest {
    let lines: Vec<_> = report.requirements.iter().map(|line| (&line.text, line.verdict)).collect();
    let baseline = report.baseline.as_ref().map(|baseline| (baseline.state, &baseline.version));
    let said = (report.verdict, &report.ask, &report.admits, baseline, lines);
    Digest::of(&serde_json::to_vec(&said).expect("words alone"))
}

/// A record that is not what was written is an error of integrity; a disk that fails is a failure like any other.
fn unreadable(error: Error) -> Stop {
    match error.kind() {
        None | Some(ErrorKind::InvalidData) => Stop::Unsound(error.to_string()),
        Some(_) => error.into(),
    }
}

fn subject(run: &Run<'_>, subject: &Subject) -> Result<(String, Digest), Stop> {
    match subject {
        Subject::Artifact(origin @ Origin::Output { stage, output }) => {
            let product = run.product(stage, output);
            let product = product.ok_or_else(|| Stop::Failed(format!("`{origin}` was not made in this run")))?;
            Ok((origin.to_string(), product.artifact.digest))
        }
        Subject::Artifact(origin) => Err(Stop::Failed(format!("`{origin}` is nothing that this run made"))),
        Subject::Release(name) => {
            let release = run.release(name);
            let release = release.ok_or_else(|| Stop::Failed(format!("`{name}` was not registered in this run")))?;
            Ok((name.clone(), release.digest))
        }
    }
}

/// Returns the shared registry that the subject goes to.
pub(super) fn shared_registry(run: &Run<'_>, subject: &Subject) -> Option<String> {
    run.bound.plan.nodes.iter().find_map(|node| {
        let NodeKind::Register(register) = &node.kind else { return None };
        let leads = match subject {
            Subject::Release(name) => node.name == *name,
            Subject::Artifact(origin) => register.model == *origin,
        };
        let location = run.registry_location(&register.registry).ok()?;
        (leads && location.is_shared()).then(|| register.registry.clone())
    })
}
