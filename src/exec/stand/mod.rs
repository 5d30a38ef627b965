//! How things stood when a run had ended, so that the next one that is asked the same begins where nothing has to be
//! done: no parsing, no manifests, one `stat` of every file that matters.
//!
//! Two files for each question under `.mlpc/cache/v1/stand/`: the bound plan, whose nodes are read one by one where
//! they are needed, and the state: files with fingerprints and digests, and what each node made. Both are only a memory:
//! whatever is torn, of another version or does not fit is as if it were not there.

mod bytes;
mod keep;
mod look;
mod plan;
mod serve;
mod state;

use std::path::{Path, PathBuf};

use super::context::Options;
use crate::host::Digest;
use crate::host::fs;
use crate::plan::{Given, Selection};

pub(super) use keep::{Facts, facts, gather};
pub use serve::{Part, SHOWN, Shape, Standing, Untouched, stand};

/// What a run is asked, as far as it decides what the run does; with the files that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    workspace: PathBuf,
    digest: Digest,
    /// Files outside the plan that decide what the plan is, with the digests that they had when they were read.
    sources: Vec<(PathBuf, Option<Digest>)>,
}

impl Question {
    /// Makes the question of a pipeline's file. `None` where this program can't be told from another one.
    #[must_use]
    pub fn new(file: &Path, selection: &Selection, options: &Options) -> Option<Self> {
        // What a run leaves out may stand in any way.
        if options.pick.is_part() {
            return None;
        }
        let file = std::fs::canonicalize(file).ok()?;
        let program = fs::fingerprint(&std::env::current_exe().ok()?).ok()?;
        let params: Vec<_> = selection.params.iter().map(|(name, given)| (name, shown(given))).collect();
        let parts = (
            (env!("CARGO_PKG_VERSION"), program.bytes(), &file),
            (&selection.profile, params, &selection.event, &selection.branch),
            (&options.pick.until, options.release),
        );
        let digest = Digest::of(&serde_json::to_vec(&parts).ok()?);
        Some(Self { workspace: file.parent()?.to_owned(), digest, sources: Vec::new() })
    }

    /// Adds what the pipeline was read from. A file that is no longer what was read makes the question useless.
    #[must_use]
    pub fn read_from<'t>(mut self, texts: impl Iterator<Item = (&'t Path, &'t str)>) -> Option<Self> {
        for (path, text) in texts {
            let path = std::fs::canonicalize(path).ok()?;
            let digest = Digest::of_file(&path).ok()?;
            if digest != Digest::of(text.as_bytes()) {
                return None;
            }
            self.sources.push((path, Some(digest)));
        }
        let lock = self.workspace.join("mlpc.lock");
        let digest = Digest::of_file(&lock).ok();
        self.sources.push((lock, digest));
        Some(self)
    }

    /// Returns the folder of the pipeline's file.
    #[must_use]
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    fn path(&self, ending: &str) -> PathBuf {
        let name = format!("{}.{ending}", &self.digest.hex()[..32]);
        self.workspace.join(".mlpc/cache/v1/stand").join(name)
    }
}

fn shown(given: &Given) -> (bool, String) {
    match given {
        Given::Text(text) => (true, text.clone()),
        Given::Value(value) => (false, format!("{value:?}")),
    }
}

#[cfg(test)]
mod tests;
