//! An action: a command with effects. Never cached; journaled, so that one that may have happened is not simply done
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::may::{journal, may, register_of};
use super::register::{release as releases, stop};
use super::{stage, unasked};
use crate::exec::context::{Run, Stop};
use crate::exec::event::{Event, NodeReport, Reason};
use crate::exec::folder::Folder;
use crate::exec::prepare::{self, Extra, Prepared};
use crate::exec::state::Ending;
use crate::host::process::Ended;
use crate::host::{Context, Digest, fs};
use crate::plan::{Action, Isolation, Node, NodeKind, Promote, Subject, promotions_before};
use crate::registry::{Act, Begun, Pointer, Registry, State};
use crate::types::Origin;

pub(super) fn run(run: &Run<'_>, node: &Node, action: &Action, report: &mut NodeReport) -> Result<Ending, Stop> {
    if let Some(ending) = may(run, node)? {
        return Ok(ending);
    }
    let extra = release(run, action)?;
    let of = extra.locals.get("version").cloned();
    let prepared = prepare::work(run, (&node.name, &action.work), &[], Isolation::Copies, &[0], extra)?;
    let journal = Journal::of(run, action)?;
    let promotions = promotions(run, action)?;
    let promoted = of.as_deref().and_then(|version| promoted_by(run, &promotions, version));
    let unasked = unasked::own(run, node);
    let same = of.as_ref().map(|version| Act {
        run: promoted.clone().unwrap_or_else(|| run.id.clone()),
        action: node.name.clone(),
        subject: format!("{version} {}", what_it_does(action, &prepared)),
        idempotent: action.idempotent,
    });
    let before = match (&promoted, &same) {
        (Some(_), Some(same)) => journal.acted(same)?,
        _ => None,
    };
    let again = stands_on_action(run, node) || run.options.force.covers(&node.name);
    if let (Some(by), Some(State::Done)) = (&promoted, before)
        && (unasked.is_some() || !again)
    {
        report.detail = Some(format!("nothing to do: the same was done for this release, which the run {by} promoted"));
        return Ok(Ending::Hit);
    }
    if let Some(approval) = unasked {
        match before {
            // When somebody was asked, it was begun as it is now.
            Some(State::Started) if !action.idempotent => return Err(may_have_happened()),
            Some(_) => {}
            None => {
                let (why, help) = unasked::told(run, node, &approval, promoted.as_deref());
                report.help = Some(help);
                return Err(Stop::Skip(why));
            }
        }
    }
    if let Some(why) = rolled_back(run, action)? {
        return Ok(Ending::RolledBack(why));
    }
    if let Some(version) = &of {
        overtaken(run, node, &promotions, version)?;
    }
    // That it was begun tells a later run what somebody was asked about.
    let noted = same.as_ref().filter(|_| unasked::has_own(run, node));
    let note = |state| noted.map_or(Ok(()), |same| journal.note(same, state));
    let act = Act {
        run: run.id.clone(),
        action: node.name.clone(),
        subject: of.unwrap_or_else(|| prepared.key.to_string()),
        idempotent: action.idempotent,
    };
    let folder = Folder::make(run, &node.name, &prepared, &[])?;
    match journal.begin(&act)? {
        Begun::Go => {}
        Begun::Done => {
            folder.leave(run)?;
            report.detail = Some("done already in this run".into());
            return Ok(Ending::Hit);
        }
        Begun::MayHaveHappened => {
            folder.leave(run)?;
            return Err(may_have_happened());
        }
    }
    note(State::Started)?;
    report.why = Some(Reason::Action);
    let (name, expected) = (node.name.clone(), run.times.of(&node.name));
    run.tell(Event::NodeStarted { node: name, why: Reason::Action, expected });
    let outcome = stage::command(run, node, &action.work, &prepared, &folder);
    let (ended, tail) = match outcome {
        Ok((outcome, tail)) => (outcome.ended, tail),
        Err(stop) => {
            // It could not even be started, so nothing happened.
            journal.end(&act, State::Failed)?;
            note(State::Failed)?;
            return Err(stop);
        }
    };
    folder.leave(run)?;
    if ended == Ended::Exited(0) {
        journal.end(&act, State::Done)?;
        if let Some(same) = &same {
            journal.note(same, State::Done)?;
        }
        return Ok(Ending::Done);
    }
    report.tail = tail;
    match ended {
        Ended::Exited(status) => {
            journal.end(&act, State::Failed)?;
            note(State::Failed)?;
            Err(Stop::Failed(format!("exited with status {status}")))
        }
        // It was cut off in the middle: what it did is not known, and the journal keeps saying so.
        Ended::Signalled(signal) => Err(Stop::Failed(format!("was ended by signal {signal}"))),
        Ended::TimedOut => Err(Stop::Failed("took too long".into())),
        Ended::Interrupted => Err(Stop::Interrupted),
    }
}

fn may_have_happened() -> Stop {
    Stop::Unsound("it was begun before and may have happened; nobody recorded its end".into())
}

/// Says why a release may not be acted on: while this run waited somebody may have rolled back from it. It is asked as late as can be.
fn rolled_back(run: &Run<'_>, action: &Action) -> Result<Option<String>, Stop> {
    let Some(Subject::Release(name)) = &action.of else { return Ok(None) };
    let Some(release) = run.release(name) else { return Ok(None) };
    releases(run).rejected(name, &release.digest).map_err(stop)
}

/// A promotion of the release that an action is of.
struct Promotion<'r> {
    node: &'r str,
    promote: &'r Promote,
    /// What the pointer names: as it stands now, not as the run first saw it, which may have moved it.
    now: Option<Pointer>,
}

/// Returns the promotions of the release that an action is of.
fn promotions<'r>(run: &'r Run<'_>, action: &Action) -> Result<Vec<Promotion<'r>>, Stop> {
    let Some(Subject::Release(release)) = &action.of else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for node in &run.bound.plan.nodes {
        let NodeKind::Promote(promote) = &node.kind else { continue };
        if promote.release == *release {
            let pointer = releases(run).open(&promote.registry).and_then(|registry| registry.pointer(&promote.pointer));
            found.push(Promotion { node: &node.name, promote, now: pointer.map_err(stop)? });
        }
    }
    Ok(found)
}

/// Refuses to act on a release behind its promotion where the pointer names another one by now: a later run, or a person, moved it while
/// this one waited or before it was taken up again.
fn overtaken(run: &Run<'_>, node: &Node, promotions: &[Promotion<'_>], version: &str) -> Result<(), Stop> {
    let before = promotions_before(node, &|name| run.node(name));
    for Promotion { node, promote, now } in promotions {
        let is_before = before.iter().any(|(before, _)| before.name == *node);
        if !is_before || run.bound.skipped.contains_key(*node) {
            continue;
        }
        if now.as_ref().is_none_or(|pointer| pointer.version != version) {
            let (registry, name) = (&promote.registry, &promote.pointer);
            let is = now.as_ref().map_or("nothing".to_owned(), |pointer| format!("`{}`", pointer.version));
            return Err(Stop::Unsound(format!(
                "`{registry}@{name}` names {is}, and no longer `{version}` that this run promoted: run again"
            )));
        }
    }
    Ok(())
}

/// Returns the digest of what an action does, but for the values that say for which version and after which it does it.
fn what_it_does(action: &Action, prepared: &Prepared) -> Digest {
    let command = serde_json::to_vec(&action.work.command).unwrap_or_default();
    let parts = prepared.manifest.parts().into_iter().filter(|part| part.kind != "command");
    Digest::of(&serde_json::to_vec(&(command, parts.collect::<Vec<_>>())).unwrap_or_default())
}

/// Returns the earlier run that promoted a release which all its pointers still name: what that run did not bring to its end,
/// this one has to do.
fn promoted_by(run: &Run<'_>, promotions: &[Promotion<'_>], version: &str) -> Option<String> {
    let pointers: Vec<&Pointer> = promotions.iter().map(|promotion| promotion.now.as_ref()).collect::<Option<_>>()?;
    if pointers.iter().any(|pointer| pointer.version != version) {
        return None;
    }
    let latest = pointers.into_iter().max_by_key(|pointer| (&pointer.since, &pointer.run))?;
    Some(latest.run.clone()).filter(|by| *by != run.id)
}

/// Tells whether an action before this one did something in this run, which this one may have to carry on. Where nodes run one by
/// one, nobody knows what the others did.
fn stands_on_action(run: &Run<'_>, node: &Node) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![node]);
    while let Some(node) = open.pop() {
        for wait in &node.waits {
            let Some(before) = run.node(&wait.node).filter(|_| seen.insert(wait.node.as_str())) else {
                continue;
            };
            if matches!(before.kind, NodeKind::Action(_))
                && (run.options.alone || run.ending(&before.name) == Some(Ending::Done))
            {
                return true;
            }
            open.push(before);
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
    if let Origin::Output { stage, output } = &register.model {
        let model = prepare::made(run, "model", (stage, output))?;
        // The bytes that were registered, whoever brought them here, or none at all.
        if let Some(is) = model.content.as_ref().map(|(artifact, _)| artifact.digest)
            && is != release.digest
        {
            let why = format!("`{}` is `{is}`, but `{name}` registered `{}`", register.model, release.digest);
            return Err(Stop::Unsound(why));
        }
        extra.inputs.push(model);
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
    /// On this machine, where nobody else acts for this pipeline: the folder of all runs.
    Here(PathBuf),
}

impl Journal {
    fn of(run: &Run<'_>, action: &Action) -> Result<Self, Stop> {
        if let Some(registry) = journal(&run.bound.plan, action) {
            return Ok(Self::Shared(releases(run).open(registry).map_err(stop)?));
        }
        Ok(Self::Here(run.store.state().join("actions")))
    }

    fn acted(&self, act: &Act) -> Result<Option<State>, Stop> {
        match self {
            Self::Shared(registry) => registry.acted(act).map_err(stop),
            Self::Here(folder) => read(&place(folder, act)),
        }
    }

    fn note(&self, act: &Act, state: State) -> Result<(), Stop> {
        match self {
            Self::Shared(registry) => registry.note(act, state).map_err(stop),
            Self::Here(folder) => write(&place(folder, act), state),
        }
    }

    fn begin(&self, act: &Act) -> Result<Begun, Stop> {
        let path = match self {
            Self::Shared(registry) => return registry.begin(act).map_err(stop),
            Self::Here(folder) => &place(folder, act),
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
            Self::Here(folder) => write(&place(folder, act), state),
        }
    }
}

fn place(folder: &Path, act: &Act) -> PathBuf {
    let name = crate::cache::file_name(&act.action);
    folder.join(&act.run).join(format!("{name}-{}.json", crate::cache::file_name(&act.subject)))
}

fn read(path: &Path) -> Result<Option<State>, Stop> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        bytes => {
            let bytes = bytes.cannot("read", path)?;
            let entry = serde_json::from_slice(&bytes);
            entry.map(Some).map_err(|error| Stop::Unsound(format!("the journal of the action can't be read: {error}")))
        }
    }
}

fn write(path: &Path, state: State) -> Result<(), Stop> {
    let json = serde_json::to_vec(&state).context(|| "cannot write the journal".to_owned())?;
    Ok(fs::write_durable(path, &json)?)
}
