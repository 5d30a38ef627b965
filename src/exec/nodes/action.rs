//! An action: a command with effects. Never cached; journaled, so that one that may have happened is not simply done
//! again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::register::{reach, release as releases, stop};
use super::stage;
use crate::exec::context::{Run, Stop};
use crate::exec::event::{Event, NodeReport, Reason};
use crate::exec::folder::Folder;
use crate::exec::prepare::{self, Extra};
use crate::exec::state::Ending;
use crate::host::process::Ended;
use crate::host::{Context, fs};
use crate::plan::{Action, Isolation, Node, NodeKind, Subject};
use crate::registry::{Act, Begun, Registry, State};
use crate::types::Origin;

pub(super) fn run(run: &Run<'_>, node: &Node, action: &Action, report: &mut NodeReport) -> Result<Ending, Stop> {
    if let Some(ending) = may_act(run, action)? {
        return Ok(ending);
    }
    let extra = release(run, action)?;
    let of = extra.locals.get("version").cloned();
    let prepared = prepare::work(run, &action.work, &[], Isolation::Copies, &[0], extra)?;
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
            folder.leave(run)?;
            report.detail = Some("done already in this run".into());
            return Ok(Ending::Hit);
        }
        Begun::MayHaveHappened => {
            folder.leave(run)?;
            return Err(Stop::Unsound("it was begun before and may have happened; nobody recorded its end".into()));
        }
    }
    report.why = Some(Reason::Action);
    run.tell(Event::NodeStarted { node: node.name.clone(), why: Reason::Action });
    let outcome = stage::command(run, node, &action.work, &prepared, &folder);
    let (ended, tail) = match outcome {
        Ok((outcome, tail)) => (outcome.ended, tail),
        Err(stop) => {
            // It could not even be started, so nothing happened.
            journal.end(&act, State::Failed)?;
            return Err(stop);
        }
    };
    folder.leave(run)?;
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

/// An action on what this machine has for itself may run; every other one needs `--release`.
fn may_act(run: &Run<'_>, action: &Action) -> Result<Option<Ending>, Stop> {
    if let Some(register) = register(run, action) {
        return reach(run, &register.registry);
    }
    if let Some(registry) = journal(run, action) {
        return reach(run, registry);
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

/// Returns the registry that holds the journal of an action.
fn journal<'r>(run: &Run<'r>, action: &Action) -> Option<&'r str> {
    let plan = &run.bound.plan;
    action.journal(plan, |name| plan.registry(name).map(|registry| &registry.location))
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
        if let Some(registry) = journal(run, action) {
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
