//! What a stage without isolation reads: the workspace itself, which may change under it. It is looked at before the
//! command and after.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::context::Run;
use super::prepare::{From, Prepared};
use crate::host::Digest;
use crate::host::fs::{self, Fingerprint};
use crate::host::tree::Listing;
use crate::plan::Work;

/// The inputs and code of a stage as they stood before its command.
#[derive(Debug, Default)]
pub(super) struct Watch {
    stood: Vec<(PathBuf, Option<Stamp>)>,
    /// The patterns of its code, and the files that the key has of them.
    code: Option<(Vec<String>, BTreeSet<String>)>,
    /// What was no longer what the key says.
    moved: Option<PathBuf>,
}

/// What `stat` says of a file, or of all that is in a folder. Nobody can set the time of the last change back.
#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    File(Fingerprint),
    Folder([u8; 32]),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return Some(Self::Folder(*Listing::read(path).ok()?.print().bytes()));
        }
        fs::fingerprint(path).ok().map(Self::File)
    }
}

impl Watch {
    /// Looks at what the stage will read; nothing where it has a folder of its own.
    pub(super) fn begin(run: &Run<'_>, work: &Work, prepared: &Prepared) -> Self {
        let mut watch = Self::default();
        if prepared.manifest.isolation != "off" {
            return watch;
        }
        for input in &prepared.inputs {
            if let Some((artifact, From::Store(_) | From::Workspace(_) | From::Dvc)) = &input.content {
                watch.add(run, &input.path, artifact.digest);
            }
        }
        for file in &prepared.code {
            watch.add(run, &file.path, file.digest);
        }
        watch.code = Some((work.code.clone(), prepared.code.iter().map(|file| file.path.clone()).collect()));
        watch
    }

    fn add(&mut self, run: &Run<'_>, path: &str, expected: Digest) {
        let path = run.workspace().join(path);
        let stamp = Stamp::of(&path);
        if run.memory.look(&path).map(|artifact| artifact.digest).ok() != Some(expected) {
            self.moved.get_or_insert_with(|| path.clone());
        }
        self.stood.push((path, stamp));
    }

    /// Returns what changed since, or was not what the key says: the first, relative to the workspace.
    pub(super) fn moved(&self, run: &Run<'_>) -> Option<String> {
        let changed = || self.stood.iter().find(|(path, stamp)| Stamp::of(path) != *stamp).map(|(path, _)| path);
        let Some(path) = self.moved.as_ref().or_else(changed) else { return self.joined(run) };
        Some(path.strip_prefix(run.workspace()).unwrap_or(path).display().to_string())
    }

    /// Returns a file that is code now, and was not, or is no longer. What can't be looked for counts as one.
    fn joined(&self, run: &Run<'_>) -> Option<String> {
        let (patterns, stood) = self.code.as_ref()?;
        match run.code.files_now(patterns) {
            Ok(now) => now.symmetric_difference(stood).next().cloned(),
            Err(_) => patterns.first().cloned(),
        }
    }
}
