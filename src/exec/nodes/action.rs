//! An action: a command with effects. Never cached; journaled, so that one that may have happened is not simply done
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::may::{journal, may, register_of};
use super::promote::nothing_to_do;
use super::register::{release as releases, stop};
use super::stage;
use crate::exec::context::{Run, Stop};
use crate::exec::event::{Event, NodeReport, Reason};
use crate::exec::folder::Folder;
use crate::exec::prepare::{self, Extra, Prepared};
use crate::exec::record::{RunRecord, runs};
use crate::exec::state::Ending;
use crate::host::process::Ended;
use crate::host::{Context, Digest, fs};
use crate::plan::{Action, Isolation, Node, NodeKind, Subject};
use crate::registry::{Act, Begun, Registry, State};
use crate::types::Origin;

pub(super) fn run(run: &Run<'_>, node: &Node, action: &Action, report: &mut NodeReport) -> Result<Ending, Stop> {
    if let Some(ending) = may(run, node)? {
        return Ok(ending);
    }
    let extra = release(run, action)?;
    let of = extra.locals.get("version").cloned();
    let prepared = prepare::work(run, &action.work, &[], Isolation::Copies, &[0], extra)?;
    let work = digest(action, &prepared);
    report.key = Some(work.hex());
    if let Some(Subject::Release(name)) = &action.of
        && let Some(release) = run.release(name)
        && let Some(why) = nothing_to_do(run, name, &release.digest)?
        && !is_still_to_do(run, node, &work, (name, &release.version))
    {
        report.detail = Some(why);
        return Ok(Ending::Hit);
    }
    let act = Act {
        run: run.id.clone(),
        action: node.name.clone(),
        subject: of.unwrap_or_else(|| prepared.key.to_string()),
        idempotent: action.idempotent,
    };
    let folder = Folder::make(run, &node.name, &prepared, &[])?;
    let journal = Journal::of(run, action, &act)?;
    match journal.begin(&act)? {
        Begun::Go => {}
        Begun::Done => {
            fs::remove(&folder.root)?;
            report.detail = Some("done already in this run".into());
            return Ok(Ending::Hit);
        }
        Begun::MayHaveHappened => {
            fs::remove(&folder.root)?;
            return Err(Stop::Unsound("it was begun before and may have happened; nobody recorded its end".into()));
        }
    }
    report.why = Some(Reason::Action);
    let (name, expected) = (node.name.clone(), run.times.of(&node.name));
    run.tell(Event::NodeStarted { node: name, why: Reason::Action, expected });
    let outcome = stage::command(run, node, &action.work, &prepared, &folder);
    let (ended, tail) = match outcome {
        Ok((outcome, tail)) => (outcome.ended, tail),
        Err(stop) => {
            // It could not even be started, so nothing happened.
            journal.end(&act, State::Failed)?;
            return Err(stop);
        }
    };
    fs::remove(&folder.root)?;
    if ended == Ended::Exited(0) {
        journal.end(&act, State::Done)?;
        return Ok(Ending::Done);
    }
    report.tail = tail;
    match ended {
        Ended::Exited(status) => {
            journal.end(&act, State::Failed)?;
            Err(Stop::Failed(format!("exited with status {status}")))
        }
        // It was cut off in the middle: what it did is not known, and the journal keeps saying so.
        Ended::Signalled(signal) => Err(Stop::Failed(format!("was ended by signal {signal}"))),
        Ended::TimedOut => Err(Stop::Failed("took too long".into())),
        Ended::Interrupted => Err(Stop::Interrupted),
    }
}

/// Returns the digest of what an action does, but for which version it does it after.
fn digest(action: &Action, prepared: &Prepared) -> Digest {
    let command = serde_json::to_vec(&action.work.command).unwrap_or_default();
    let parts = prepared.manifest.parts().into_iter().filter(|part| part.kind != "command");
    Digest::of(&serde_json::to_vec(&(command, parts.collect::<Vec<_>>())).unwrap_or_default())
}

/// Tells whether an action is still to do although the pointer names its release: something before it acted in this run,
/// it does other work than it did, or the last run here that made the release did not bring it to its end.
fn is_still_to_do(run: &Run<'_>, node: &Node, work: &Digest, (release, version): (&str, &str)) -> bool {
    if acted_before(run, node) {
        return true;
    }
    let state = run.store.state();
    let made = |record: &RunRecord| record.releases.get(release).is_some_and(|made| made.version == version);
    let earlier = runs(state).unwrap_or_default().into_iter().filter(|id| *id != run.id);
    let Some(last) = earlier.filter_map(|id| RunRecord::read(state, &id).ok()).find(made) else { return false };
    let work = work.hex();
    !last.node(&node.name).is_some_and(|then| {
        matches!(then.ending, Ending::Done | Ending::Hit) && then.key.as_ref().is_none_or(|key| *key == work)
    })
}

/// Tells whether something that a node waits for, directly or not, acted in this run.
fn acted_before(run: &Run<'_>, node: &Node) -> bool {
    let (mut queue, mut seen) = (vec![node], BTreeSet::new());
    while let Some(node) = queue.pop() {
        for before in node.waits.iter().filter_map(|wait| run.bound.plan.node(&wait.node)) {
            if matches!(before.kind, NodeKind::Action(_)) && run.ending(&before.name) == Some(Ending::Done) {
                return true;
            }
            if seen.insert(before.name.as_str()) {
                queue.push(before);
            }
        }
    }
    false
}

/// What an action of a release gets besides its own inputs: `version previous digest model`.
fn release(run: &Run<'_>, action: &Action) -> Result<Extra, Stop> {
    let mut extra = Extra::default();
    let (Some(Subject::Release(name)), Some(register)) = (&action.of, register_of(&run.bound.plan, action)) else {
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

/// Where it is written what actions did.
enum Journal {
    /// In a registry that others than this machine reach: whoever runs the pipeline sees it.
    Shared(Box<dyn Registry>),
    /// On this machine, where nobody else acts for this pipeline.
    Here(PathBuf),
}

impl Journal {
    fn of(run: &Run<'_>, action: &Action, act: &Act) -> Result<Self, Stop> {
        if let Some(registry) = journal(&run.bound.plan, action) {
            return Ok(Self::Shared(releases(run).open(registry).map_err(stop)?));
        }
        let name = crate::cache::file_name(&act.action);
        let file = format!("{name}-{}.json", crate::cache::file_name(&act.subject));
        Ok(Self::Here(run.store.state().join("actions").join(&run.id).join(file)))
    }

    fn begin(&self, act: &Act) -> Result<Begun, Stop> {
        let path = match self {
            Self::Shared(registry) => return registry.begin(act).map_err(stop),
            Self::Here(path) => path,
        };
        match read(path)? {
            Some(State::Done) => return Ok(Begun::Done),
            Some(State::Started) if !act.idempotent => return Ok(Begun::MayHaveHappened),
            Some(State::Started | State::Failed) | None => {}
        }
        write(path, State::Started).map(|()| Begun::Go)
    }

    fn end(&self, act: &Act, state: State) -> Result<(), Stop> {
        match self {
            Self::Shared(registry) => registry.end(act, state).map_err(stop),
            Self::Here(path) => write(path, state),
        }
    }
}

fn read(path: &std::path::Path) -> Result<Option<State>, Stop> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        bytes => {
            let bytes = bytes.cannot("read", path)?;
            let entry = serde_json::from_slice(&bytes);
            entry.map(Some).map_err(|error| Stop::Unsound(format!("the journal of the action can't be read: {error}")))
        }
    }
}

fn write(path: &std::path::Path, state: State) -> Result<(), Stop> {
    let json = serde_json::to_vec(&state).context(|| "cannot write the journal".to_owned())?;
    Ok(fs::write_durable(path, &json)?)
}
