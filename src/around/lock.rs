//! How `mlpc.lock` stands to the runtimes of a pipeline.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, codes};
use crate::plan::Runtime;
use crate::runtime::{LOCK_FILE, LockFile, Locked, Standing, standing};
use crate::source::Span;

/// Says where `mlpc.lock` is not what these runtimes are; one that is not there at all only where it `must` be.
pub(crate) fn faults(workspace: &Path, runtimes: &[(Runtime, Span)], must: bool) -> Vec<Diagnostic> {
    let found = look(workspace, &runtimes.iter().map(|(runtime, _)| runtime.clone()).collect::<Vec<_>>(), must);
    say(&runtimes.iter().map(|(_, span)| *span).collect::<Vec<_>>(), &found)
}

/// Says what was found at the places of the runtimes.
pub(super) fn say(places: &[Span], found: &[(usize, String)]) -> Vec<Diagnostic> {
    let placed = found.iter().filter_map(|(index, message)| Some((*places.get(*index)?, message)));
    let told = placed.map(|(span, message)| {
        Diagnostic::new(codes::NOT_LOCKED, span, message.clone()).help("run `mlpc lock`, and commit `mlpc.lock`")
    });
    told.collect()
}

/// Finds by index the runtimes that are not what `mlpc.lock` says.
pub(super) fn look(workspace: &Path, runtimes: &[Runtime], must: bool) -> Vec<(usize, String)> {
    if runtimes.is_empty() {
        return Vec::new();
    }
    let file = match LockFile::read(&workspace.join(LOCK_FILE)) {
        Ok(Some(file)) => file,
        Ok(None) if !must => return Vec::new(),
        Ok(None) => LockFile::default(),
        Err(error) => return vec![(0, error.to_string())],
    };
    let found = runtimes.iter().enumerate().filter_map(|(index, runtime)| {
        let message = match standing(workspace, &file, runtime) {
            Ok(Standing::Locked) => return None,
            Ok(Standing::Missing) => format!("the runtime `{}` is not in `mlpc.lock`", runtime.name),
            Ok(Standing::Stale(why)) => format!("`mlpc.lock` is stale: {why}"),
            Err(error) => format!("the runtime `{}` can't be compared with `mlpc.lock`: {error}", runtime.name),
        };
        Some((index, message))
    });
    found.collect()
}

/// Returns what compiled files say of locked runtimes: an exact version, or the digest of an image.
pub(crate) fn pins(workspace: &Path) -> BTreeMap<String, String> {
    let file = LockFile::read(&workspace.join(LOCK_FILE)).ok().flatten().unwrap_or_default();
    let pin = |locked: &Locked| match locked {
        Locked::Python { version, .. } => Some(version.clone()),
        Locked::Image { digest, .. } => Some(digest.clone()),
        Locked::Dockerfile { .. } => None,
    };
    file.runtimes.iter().filter_map(|(name, locked)| Some((name.clone(), pin(locked)?))).collect()
}
