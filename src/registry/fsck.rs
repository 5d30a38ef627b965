//! Verifies a registry: reads all there is, asks for the repair of what is derived, and reports the rest.

use std::collections::BTreeSet;

use super::error::{ErrorKind, RegistryError};
use super::record::{Finding, Pointer};
use super::view::{Change, View};
use super::{layout, rollback, rules};
use crate::host::{self, lines};

/// Mends how the records of lines end, so that the rest can be looked at: the half of a line that a history ends in is
/// taken away, and a last line without end gets one.
pub(super) fn untear(view: &dyn View) -> Result<(Vec<Finding>, Vec<Change>), RegistryError> {
    let (mut findings, mut changes) = (Vec::new(), Vec::new());
    for file in [layout::HISTORY, layout::REJECTIONS] {
        let path = file.to_owned();
        let mut bytes = match view.read(file) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // What it is is said where all is looked through.
            Err(error) => {
                damage(path, error)?;
                continue;
            }
        };
        let problem = if file == layout::HISTORY
            && let Some(whole) = rules::untorn(&bytes).map(<[u8]>::len)
        {
            bytes.truncate(whole);
            "ended in half a line, as a copy does that was taken too early"
        } else if lines::is_open(&bytes) && layout::decode_lines::<serde::de::IgnoredAny>(file, &bytes).is_ok() {
            lines::end(&mut bytes);
            "lacked the end of its last line"
        } else {
            continue;
        };
        findings.push(mended(path.clone(), problem));
        changes.push(Change::Write { path, bytes });
    }
    Ok((findings, changes))
}

/// Goes through versions, pointers and derived files. Only failures to read at all are errors; what is damaged is
/// a finding.
pub(super) fn fsck(view: &dyn View) -> Result<(Vec<Finding>, Vec<Change>), RegistryError> {
    let mut findings = Vec::new();
    versions(view, &mut findings)?;
    let mut sound = Vec::new();
    let known = rules::history_file(view);
    for name in pointer_names(view, &mut findings)? {
        // Against a history that can't be read no pointer is held; that is named below.
        let read = if known.is_ok() { rules::pointer(view, &name) } else { rules::pointer_alone(view, &name) };
        match read {
            Ok(pointer) => {
                if pointer.as_ref().is_some_and(|pointer| pointer.metadata_digest.is_none()) {
                    let problem =
                        "was set by an older mlpc: it holds no digest of its version's record (inputs, machine)";
                    findings.push(note(layout::pointer(&name), problem));
                }
                sound.extend(pointer);
            }
            Err(error) => findings.push(damage(layout::pointer(&name), error)?),
        }
    }
    let mut changes = match rules::catch_up(view, &sound.iter().collect::<Vec<_>>()) {
        Ok(changes) => changes,
        Err(error) => {
            findings.push(damage(layout::HISTORY.to_owned(), error)?);
            Vec::new()
        }
    };
    if let Err(error) = rollback::record(view, &sound) {
        // A history that can't be read is named already.
        if rules::history_file(view).is_ok() {
            findings.push(damage(layout::REJECTIONS.to_owned(), error)?);
        }
    }
    for pointer in &sound {
        match rules::serving_files(view, pointer) {
            Ok(more) => changes.extend(more),
            Err(error) => findings.push(damage(layout::metrics_json(&pointer.name), error)?),
        }
    }
    for change in &changes {
        let (Change::Write { path, .. } | Change::Remove { path } | Change::Folder { path, .. }) = change;
        findings.push(mended(path.clone(), "did not match its pointer"));
    }
    for path in left_behind(view, &sound)? {
        findings.push(mended(path.clone(), "was left by a writer that died"));
        changes.push(Change::Remove { path });
    }
    Ok((findings, changes))
}

/// Returns the files that a writer makes beside the one it is about to replace. Whoever asks holds the lock of writers, so
/// those that are there have no writer any more.
fn left_behind(view: &dyn View, sound: &[Pointer]) -> Result<Vec<String>, RegistryError> {
    let mut found = Vec::new();
    for folder in ["", layout::POINTERS].into_iter().chain(sound.iter().map(|pointer| pointer.name.as_str())) {
        let slash = if folder.is_empty() { "" } else { "/" };
        let files = view.list(folder)?;
        found.extend(files.iter().filter(|file| is_temporary(file)).map(|file| format!("{folder}{slash}{file}")));
    }
    Ok(found)
}

fn is_temporary(file: &str) -> bool {
    file.starts_with(host::fs::TEMPORARY)
}

fn versions(view: &dyn View, findings: &mut Vec<Finding>) -> Result<(), RegistryError> {
    let mut digests = BTreeSet::new();
    for id in view.list(layout::VERSIONS)? {
        let path = format!("{}/{id}", layout::VERSIONS);
        if layout::digits(&id).is_none() {
            findings.push(open(path, "is no version"));
            continue;
        }
        let checked = rules::existing_version(view, &id).and_then(|version| {
            rules::verify(view, &version)?;
            Ok(version)
        });
        match checked {
            Ok(version) if !digests.insert(version.digest) => {
                findings.push(open(path, "holds the same model as another version"));
            }
            Ok(version) if version.seal.is_none() => {
                let problem = "was registered by an older mlpc: an edit of its record would not show by itself";
                findings.push(note(layout::in_version(&id, layout::METADATA), problem));
            }
            Ok(_) => {}
            Err(error) => findings.push(damage(path, error)?),
        }
    }
    Ok(())
}

/// Names that have a pointer's file, that the history knows, or that serving code could read.
fn pointer_names(view: &dyn View, findings: &mut Vec<Finding>) -> Result<BTreeSet<String>, RegistryError> {
    let mut names: BTreeSet<_> = rules::pointer_names(view)?.into_iter().collect();
    for file in view.list(layout::POINTERS)? {
        if !is_temporary(&file) && file.strip_suffix(".json").is_none_or(|name| layout::check_name(name).is_err()) {
            findings.push(open(format!("{}/{file}", layout::POINTERS), "is no pointer"));
        }
    }
    names.retain(|name| layout::check_name(name).is_ok());
    // A history that can't be read is found again, and reported, when it is brought up to date.
    names.extend(rules::history_file(view).unwrap_or_default().into_iter().map(|entry| entry.name));
    let rejections = rollback::file(view).ok().flatten().unwrap_or_default();
    names.extend(rejections.into_iter().map(|line| line.pointer));
    for name in view.list("")? {
        if layout::check_name(&name).is_err() || names.contains(&name) {
            continue;
        }
        for served in [layout::version_txt(&name), layout::metrics_json(&name)] {
            if view.read(&served)?.is_some() {
                findings.push(open(served, "tells of a version, and there is no such pointer"));
            }
        }
    }
    Ok(names)
}

fn open(path: String, problem: &str) -> Finding {
    Finding { path, problem: problem.to_owned(), repaired: false, note: false }
}

fn mended(path: String, problem: &str) -> Finding {
    Finding { repaired: true, ..open(path, problem) }
}

fn note(path: String, problem: &str) -> Finding {
    Finding { note: true, ..open(path, problem) }
}

/// Damage is a finding; a registry that can't be read is an error.
fn damage(path: String, error: RegistryError) -> Result<Finding, RegistryError> {
    match error.kind() {
        ErrorKind::Corrupt | ErrorKind::Unknown => Ok(open(path, &error.to_string())),
        _ => Err(error),
    }
}
