//! `git("branch", remote: "origin")`: a branch of the repository's remote, so that whoever clones reaches it. All
//! work happens in a bare repository of our own under `.mlpc`: the user's work tree, index, HEAD, branches, hooks
//! and filters are never touched. A change is one commit, pushed without force; when somebody was quicker, it is
//! decided again on what they left.

mod clone;
mod commit;
mod grown;
mod view;

use std::path::Path;
use std::time::Duration;

use self::clone::{Clone, Pushed};
use self::view::GitView;
use super::error::{ErrorKind, RegistryError};
use super::record::Stored;
use super::view::{Decide, Store, View};
use crate::host::Clock;

/// Hosts of repositories warn from here on and refuse soon after.
const LIMIT: u64 = 50_000_000;
/// How often a change is decided anew before giving up.
const ATTEMPTS: u32 = 10;

/// A registry on a branch.
pub(super) struct Git {
    clone: Clone,
    /// The registry's name: its folder in the branch, so that several may share one.
    name: String,
    branch: String,
    remote: String,
    clock: Clock,
}

impl Git {
    /// Opens the registry `name` on a branch of the remote of the repository around `workspace`. The branch need
    /// not exist. Nothing is read yet, except the repository's configuration.
    pub(super) fn open(
        name: &str,
        branch: &str,
        remote: &str,
        workspace: &Path,
        clock: Clock,
    ) -> Result<Self, RegistryError> {
        let clone = Clone::of(workspace, name, branch, remote)?;
        Ok(Self { clone, name: name.to_owned(), branch: branch.to_owned(), remote: remote.to_owned(), clock })
    }

    fn look(&self) -> Result<GitView<'_>, RegistryError> {
        Ok(GitView { clone: &self.clone, tip: self.clone.sync()?, folder: &self.name })
    }
}

impl Store for Git {
    fn describe(&self) -> String {
        match self.remote.as_str() {
            "origin" => format!("git(\"{}\")", self.branch),
            remote => format!("git(\"{}\", remote: \"{remote}\")", self.branch),
        }
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn admit(&self, artifacts: &[&Stored]) -> Result<(), RegistryError> {
        let bytes: u64 = artifacts.iter().map(|stored| stored.bytes).sum();
        if bytes <= LIMIT {
            return Ok(());
        }
        let file = artifacts.first().map_or("the model", |stored| stored.file.as_str());
        let message = format!(
            "`{file}` has {} MB, and a git registry takes up to {} MB: keep it in an object store, \
             `registry {} = s3(\"s3://…\")`",
            bytes.div_ceil(1_000_000),
            LIMIT / 1_000_000,
            self.name
        );
        Err(RegistryError::new(ErrorKind::Unsupported, message))
    }

    fn view(&self) -> Result<Box<dyn View + '_>, RegistryError> {
        Ok(Box::new(self.look()?))
    }

    fn transact(&self, subject: &str, decide: &mut Decide<'_>) -> Result<(), RegistryError> {
        let mut reason = String::new();
        for attempt in 0..ATTEMPTS {
            // Those who collide start again at different moments.
            let jitter = std::process::id() % 17;
            std::thread::sleep(Duration::from_millis(u64::from(attempt * (20 + jitter))));
            let view = self.look()?;
            let changes = decide(&view)?;
            if changes.is_empty() {
                return Ok(());
            }
            let message = format!("{}: {subject}\n", self.name);
            let commit = commit::commit(&view, &changes, &message, self.clock.now())?;
            match self.clone.push(&commit)? {
                Pushed::Done => return Ok(()),
                Pushed::SomebodyWasQuicker(why) => reason = why,
            }
        }
        let message =
            format!("branch `{}` of `{}` was changed by others {ATTEMPTS} times: {reason}", self.branch, self.remote);
        Err(RegistryError::new(ErrorKind::Unreachable, message))
    }
}
