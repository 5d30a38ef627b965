//! Looks at every file that matters: one `stat` each, on all cores; what does not fit its fingerprint is hashed again.

use std::path::Path;

use super::state::{FileRow, There};
use crate::cache::{Kind, Memory};
use crate::host::fs::{Fingerprint, is_executable};
use crate::host::threads::share;
use crate::host::tree::Listing;

/// Below this many files a thread costs more than it brings.
const WORTH_THREADS: usize = 256;

/// What was found at the paths.
#[derive(Debug, Default)]
pub(super) struct Looked<'b> {
    /// What was learnt on the way, not yet saved; nothing where nothing had to be hashed.
    pub(super) memory: Option<Memory>,
    /// Indices of files with another content than before.
    pub(super) changed: Vec<usize>,
    /// Files that were only touched, or are now old enough to be believed.
    pub(super) touched: Vec<(FileRow<'b>, There)>,
}

/// Looks at all files.
pub(super) fn look<'b>(workspace: &Path, files: &[FileRow<'b>], memory: &dyn Fn() -> Memory) -> Looked<'b> {
    let indices: Vec<usize> = (0..files.len()).collect();
    let unsure = |part: &[usize]| -> Vec<usize> {
        part.iter().copied().filter(|&index| !is_as_it_was(workspace, &files[index])).collect()
    };
    let unsure = share(&indices, WORTH_THREADS, &unsure).concat();
    let mut looked = Looked::default();
    if unsure.is_empty() {
        return looked;
    }
    let memory = memory();
    let again = |index: usize| {
        let file = &files[index];
        let path = workspace.join(file.path);
        let artifact = match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            // What can't be read is for the node to tell.
            _ => Some(memory.look(&path).ok()?),
        };
        if artifact != file.there.artifact {
            return None;
        }
        let sight = artifact.and_then(|_| memory.sight(&path));
        let (print, believed) = sight.map_or(([0; 32], artifact.is_none()), |sight| (sight.print, sight.believed));
        Some(There { artifact, print, believed })
    };
    let found =
        share(&unsure, WORTH_THREADS, &|part| part.iter().map(|&index| (index, again(index))).collect::<Vec<_>>());
    for (index, there) in found.into_iter().flatten() {
        match there {
            None => looked.changed.push(index),
            Some(there) if there == files[index].there => {}
            Some(there) => looked.touched.push((files[index], there)),
        }
    }
    looked.memory = Some(memory);
    looked
}

fn is_as_it_was(workspace: &Path, file: &FileRow<'_>) -> bool {
    let path = workspace.join(file.path);
    let Some(artifact) = file.there.artifact else {
        return std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    };
    if !file.there.believed {
        return false;
    }
    match (artifact.kind, std::fs::metadata(&path)) {
        (Kind::File, Ok(meta)) => {
            meta.is_file()
                && Fingerprint::of(&meta).bytes() == file.there.print
                && is_executable(&meta) == artifact.executable
        }
        (Kind::Tree, Ok(meta)) => {
            meta.is_dir() && Listing::read(&path).is_ok_and(|listing| *listing.print().bytes() == file.there.print)
        }
        (_, Err(_)) => false,
    }
}
