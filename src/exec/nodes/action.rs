//! An action: a command with effects. Never cached; journaled, so that one that may have happened is not simply done
//! again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::register::reach;
use super::stage;
use crate::exec::context::{Run, Stop};
use crate::exec::event::{Event, NodeReport, Reason};
use crate::exec::folder::Folder;
use crate::exec::prepare::{self, Extra};
use crate::exec::state::Ending;
use crate::host::process::Ended;
use crate::host::{Context, fs};
use crate::plan::{Action, Isolation, Node, NodeKind, Subject};
use crate::types::Origin;

/// What the journal says of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Started,
    Failed,
    Done,
}

pub(super) fn run(run: &Run<'_>, node: &Node, action: &Action, report: &mut NodeReport) -> Result<Ending, Stop> {
    if let Some(ending) = may_act(run, action)? {
        return Ok(ending);
    }
    let extra = release(run, action)?;
    let prepared = prepare::work(run, &action.work, &[], Isolation::Copies, &[0], extra)?;
    let journal = journal(run, node, &prepared.key.to_string());
    match read(&journal)? {
        Some(Entry::Done) => {
            report.detail = Some("done already in this run".into());
            return Ok(Ending::Hit);
        }
        Some(Entry::Started) if !action.idempotent => {
            return Err(Stop::Unsound("it was begun before and may have happened; nobody recorded its end".into()));
        }
        Some(Entry::Started | Entry::Failed) | None => {}
    }
    report.why = Some(Reason::Action);
    run.tell(Event::NodeStarted { node: node.name.clone(), why: Reason::Action });
    let folder = Folder::make(run, &node.name, &prepared, &[])?;
    write(&journal, Entry::Started)?;
    let outcome = stage::command(run, node, &action.work, &prepared, &folder);
    let (ended, tail) = match outcome {
        Ok((outcome, tail)) => (outcome.ended, tail),
        Err(stop) => {
            // It could not even be started, so nothing happened.
            write(&journal, Entry::Failed)?;
            return Err(stop);
        }
    };
    fs::remove(&folder.root)?;
    if ended == Ended::Exited(0) {
        write(&journal, Entry::Done)?;
        return Ok(Ending::Done);
    }
    report.tail = tail;
    match ended {
        Ended::Exited(status) => {
            write(&journal, Entry::Failed)?;
            Err(Stop::Failed(format!("exited with status {status}")))
        }
        // It was cut off in the middle: what it did is not known, and the journal keeps saying so.
        Ended::Signalled(signal) => Err(Stop::Failed(format!("was ended by signal {signal}"))),
        Ended::TimedOut => Err(Stop::Failed("took too long".into())),
        Ended::Interrupted => Err(Stop::Interrupted),
    }
}

/// An action on what this machine has for itself may run; every other one needs `--release`.
fn may_act(run: &Run<'_>, action: &Action) -> Result<Option<Ending>, Stop> {
    if let Some(register) = register(run, action) {
        return reach(run, &register.registry);
    }
    if run.options.release || run.options.alone {
        return Ok(None);
    }
    Ok(Some(Ending::NotReleased("it acts on others; `--release` lets it".into())))
}

fn register<'r>(run: &Run<'r>, action: &Action) -> Option<&'r crate::plan::Register> {
    let Some(Subject::Release(release)) = &action.of else { return None };
    match &run.bound.plan.node(release)?.kind {
        NodeKind::Register(register) => Some(register),
        _ => None,
    }
}

/// What an action of a release gets besides its own inputs: `version previous digest model`.
fn release(run: &Run<'_>, action: &Action) -> Result<Extra, Stop> {
    let mut extra = Extra::default();
    let (Some(Subject::Release(name)), Some(register)) = (&action.of, register(run, action)) else {
        return Ok(extra);
    };
    let release = run.release(name).ok_or_else(|| Stop::Failed(format!("`{name}` was not registered in this run")))?;
    let mut previous = String::new();
    for node in &run.bound.plan.nodes {
        if let NodeKind::Promote(promote) = &node.kind
            && promote.release == *name
            && let Some(seen) = run.pointer(&promote.registry, &promote.pointer)?
        {
            previous = seen.version;
        }
    }
    if let Origin::Output { stage, output } = &register.model
        && let Some(product) = run.product(stage, output)
    {
        extra.inputs.push(("model".into(), product));
    }
    extra.locals = BTreeMap::from([
        ("version".into(), release.version),
        ("previous".into(), previous),
        ("digest".into(), release.digest.to_string()),
    ]);
    Ok(extra)
}

fn journal(run: &Run<'_>, node: &Node, subject: &str) -> PathBuf {
    let name = crate::cache::file_name(&node.name);
    run.store.state().join("actions").join(&run.id).join(format!("{name}-{subject}.json"))
}

fn read(path: &std::path::Path) -> Result<Option<Entry>, Stop> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        bytes => {
            let bytes = bytes.cannot("read", path)?;
            let entry = serde_json::from_slice(&bytes);
            entry.map(Some).map_err(|error| Stop::Unsound(format!("the journal of the action can't be read: {error}")))
        }
    }
}

fn write(path: &std::path::Path, entry: Entry) -> Result<(), Stop> {
    let json = serde_json::to_vec(&entry).context(|| "cannot write the journal".to_owned())?;
    Ok(fs::write_durable(path, &json)?)
}
