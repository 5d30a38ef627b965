//! Back to what a pointer named before: one compare-and-swap, with who and why. What was rolled back is not released
//! again until a person allows it, in a record that only grows.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::chain::Chain;
use super::error::{ErrorKind, RegistryError};
use super::record::{ByHand, FORMAT, Outcome, Pointer, Rejection, Rollback, Version};
use super::view::{Change, View};
use super::{layout, rules};
use crate::host::{Digest, clock, lines};

type Result<T> = std::result::Result<T, RegistryError>;

/// What stands for the run of a pointer that a person moved.
const RUN: &str = "registry rollback";

/// Returns the rejection that keeps bytes from a pointer, if the last word about them is one.
pub(super) fn rejection(view: &dyn View, pointer: &str, digest: &Digest) -> Result<Option<Rejection>> {
    let current = rules::pointer(view, pointer)?;
    Ok(last_word(record(view, current.as_slice())?, pointer, digest))
}

fn last_word(record: Vec<Rejection>, pointer: &str, digest: &Digest) -> Option<Rejection> {
    let last = record.into_iter().rfind(|line| line.pointer == pointer && line.digest == *digest);
    last.filter(|line| !line.allowed)
}

/// Returns all rejections that keep bytes from a pointer, in the order of pointers and digests.
pub(super) fn in_force(view: &dyn View, pointers: &[Pointer]) -> Result<Vec<Rejection>> {
    let lines = record(view, pointers)?;
    let last: BTreeMap<_, _> =
        lines.into_iter().map(|line| ((line.pointer.clone(), line.digest.hex()), line)).collect();
    Ok(last.into_values().filter(|line| !line.allowed).collect())
}

/// Reads the record. Every rollback that the history, or one of the pointers, tells of asks for its line: where that is
/// gone or was edited, nobody can know what may be released.
pub(super) fn record(view: &dyn View, pointers: &[Pointer]) -> Result<Vec<Rejection>> {
    // The record is written before the pointer and the history are, so that it is read after them.
    let mut steps = rules::history_file(view)?;
    for pointer in pointers {
        // A last step that a crash kept out of the history.
        if !steps.contains(pointer) {
            steps.push(pointer.clone());
        }
    }
    let lines = file(view)?;
    let is_gone = lines.is_none();
    let lines = lines.unwrap_or_default();
    let mut left: Vec<&Rejection> = lines.iter().filter(|line| !line.allowed).collect();
    for step in &steps {
        let Some(who) = &step.by_hand else { continue };
        if is_gone {
            return Err(RegistryError::corrupt(format!("`{}` is gone", layout::REJECTIONS)));
        }
        match left.iter().position(|line| is_of(line, step, who, &steps)) {
            Some(found) => drop(left.remove(found)),
            None => {
                let (file, name, since) = (layout::REJECTIONS, &step.name, &step.since);
                let from = step.previous.as_deref().unwrap_or("no version");
                return Err(RegistryError::corrupt(format!(
                    "`{file}` has no line for the rollback of `{name}` from `{from}` by {} at {since}: it was taken out \
                     or changed; put the file back, from a backup or from an older commit of the branch",
                    who.by
                )));
            }
        }
    }
    Ok(lines)
}

/// Tells whether a line is the one that was written with a step back.
fn is_of(line: &Rejection, step: &Pointer, who: &ByHand, steps: &[Pointer]) -> bool {
    let from = |step: &&Pointer| step.name == line.pointer && step.version == line.version;
    line.pointer == step.name
        // Who wrote the digests of the history wrote those of the record too.
        && (line.follows.is_some() || step.follows.is_none())
        && step.previous.as_deref() == Some(line.version.as_str())
        && (&line.by, &line.reason, &line.since) == (&who.by, &who.reason, &step.since)
        && steps.iter().find(from).is_some_and(|from| from.digest == line.digest)
}

/// Reads the record as its file has it; `None` where there is none.
pub(super) fn file(view: &dyn View) -> Result<Option<Vec<Rejection>>> {
    let bytes = view.read(layout::REJECTIONS)?;
    bytes.map(|bytes| Chain::read(layout::REJECTIONS, &bytes).map(|lines| lines.lines)).transpose()
}

/// Moves a pointer back, if it stands where the caller saw it.
pub(super) fn rollback(view: &dyn View, wish: &Rollback, now: Timestamp) -> Result<(Outcome, Vec<Change>)> {
    let found = rules::pointer(view, &wish.pointer)?;
    let Some(current) = found.filter(|found| found.version == wish.expected) else {
        return Ok((Outcome::Moved { found: rules::pointer(view, &wish.pointer)? }, Vec::new()));
    };
    let target = match &wish.to {
        Some(id) if *id == current.version => {
            return Ok((Outcome::AlreadyThere(current.clone()), rules::derived(view, &current)?));
        }
        Some(id) => named(view, &wish.pointer, id)?,
        None => before(view, &current)?,
    };
    if let Some(rejection) = rejection(view, &wish.pointer, &target.digest)? {
        return Ok((Outcome::Rejected(rejection), Vec::new()));
    }
    rules::verify(view, &target)?;
    let pointer = Pointer {
        format: FORMAT,
        name: wish.pointer.clone(),
        version: target.id.clone(),
        digest: target.digest,
        metrics_digest: target.metrics_digest,
        metadata_digest: Some(target.content()),
        previous: Some(current.version.clone()),
        follows: None,
        run: RUN.to_owned(),
        since: clock::iso(now),
        by_hand: Some(wish.who.clone()),
    };
    let about = (wish.pointer.as_str(), current.version.as_str(), current.digest);
    // First the rejection: killed in between, a version that still serves is not released a second time either.
    let mut changes = vec![line(view, about, false, &wish.who, now)?.1];
    let (pointer, moved) = rules::moved(view, Some(&current), pointer)?;
    changes.extend(moved);
    Ok((Outcome::Promoted(pointer), changes))
}

/// Lets bytes that were rolled back be released again.
pub(super) fn allow(
    view: &dyn View,
    pointer: &str,
    version: &str,
    who: &ByHand,
    now: Timestamp,
) -> Result<(Rejection, Vec<Change>)> {
    layout::check_name(pointer)?;
    let digest = rules::existing_version(view, version)?.digest;
    if rejection(view, pointer, &digest)?.is_none() {
        let message = format!("nobody rolled `{pointer}` back from `{version}`, so that there is nothing to allow");
        return Err(RegistryError::new(ErrorKind::Unknown, message));
    }
    let (allowed, change) = line(view, (pointer, version, digest), true, who, now)?;
    Ok((allowed, vec![change]))
}

/// Adds a line to the record.
fn line(
    view: &dyn View,
    (pointer, version, digest): (&str, &str, Digest),
    allowed: bool,
    who: &ByHand,
    now: Timestamp,
) -> Result<(Rejection, Change)> {
    let ByHand { by, reason } = who.clone();
    let (pointer, version, since) = (pointer.to_owned(), version.to_owned(), clock::iso(now));
    let mut said = Rejection { format: FORMAT, pointer, version, digest, allowed, by, reason, since, follows: None };
    // Whoever adds to a record that can't be read would hide what stands in it.
    record(view, rules::pointer(view, &said.pointer)?.as_slice())?;
    let mut bytes = view.read(layout::REJECTIONS)?.unwrap_or_default();
    said.follows = Some(Chain::<Rejection>::read(layout::REJECTIONS, &bytes)?.next(&said.pointer));
    lines::add(&mut bytes, &said);
    Ok((said, Change::Write { path: layout::REJECTIONS.to_owned(), bytes }))
}

/// Returns a version that the pointer named before: going back releases nothing that no gate let in.
fn named(view: &dyn View, pointer: &str, id: &str) -> Result<Version> {
    let history = rules::history(view, pointer)?;
    if !history.iter().any(|entry| entry.version == id) {
        let mut known: Vec<_> = history.iter().map(|entry| format!("`{}`", entry.version)).collect();
        known.dedup();
        let message =
            format!("`{pointer}` never named `{id}`, so that it can't go back to it; it named {}", known.join(", "));
        return Err(RegistryError::new(ErrorKind::Unknown, message));
    }
    rules::existing_version(view, id)
}

/// Returns the latest version before the current one that was not rolled back itself.
fn before(view: &dyn View, current: &Pointer) -> Result<Version> {
    let record = record(view, std::slice::from_ref(current))?;
    for entry in rules::history(view, &current.name)?.iter().rev() {
        let is_rejected = last_word(record.clone(), &current.name, &entry.digest).is_some();
        if entry.version != current.version && !is_rejected {
            return rules::existing_version(view, &entry.version);
        }
    }
    let message = format!("`{}` named no version before `{}` to go back to", current.name, current.version);
    Err(RegistryError::new(ErrorKind::Unknown, message))
}
