//! Registries: where released models and the pointers to them stand. Knows layouts, compare-and-swap and how
//! to stay whole when killed; knows nothing of stages, gates or who asks.

mod chain;
mod committed;
mod directory;
mod error;
mod fsck;
mod git;
mod journal;
mod kept;
mod layout;
mod reach;
mod record;
mod release;
mod report;
mod rollback;
mod rules;
mod view;

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

use crate::host::{Clock, Digest};
use crate::plan::RegistryLocation;

pub use error::{ErrorKind, RegistryError};
pub use journal::{Act, Begun, State};
pub use record::{
    Artifact, ByHand, Candidate, Entry, Finding, GateNumber, Metadata, Outcome, Overview, Pointer, Promotion,
    Registered, Rejection, Rollback, Stored, Version,
};

pub use reach::{Reach, is_trusted_ref, may_release};
pub use release::{Provenance, Release};
pub use report::{AtReport, HistoryReport, OtherReport, PointerReport, ShowReport, at, history, show, write_findings};

/// Opens the registry that is declared under `name`, for a workspace. One line for each kind; nothing is read yet.
pub fn open(
    name: &str,
    location: &RegistryLocation,
    workspace: &Path,
    clock: Clock,
) -> Result<Box<dyn Registry>, RegistryError> {
    layout::check_name(name)?;
    let unsupported = |kind: &str| {
        let message = format!("this version of mlpc has no registries in {kind}: use `directory` or `git`");
        Err(RegistryError::new(ErrorKind::Unsupported, message))
    };
    match location {
        RegistryLocation::Directory { path } => {
            Ok(Box::new(directory::Directory::open(workspace.join(path), path, clock)))
        }
        RegistryLocation::Git { branch, remote } => {
            Ok(Box::new(git::Git::open(name, branch, remote, workspace, clock)?))
        }
        RegistryLocation::S3 { .. } => unsupported("S3"),
        RegistryLocation::Mlflow { .. } => unsupported("MLflow"),
    }
}

/// A registry of models. `Ok(None)` means "there is none"; what could not be read is an error.
pub trait Registry: Send + Sync {
    /// Says what this registry is, as its declaration does: `directory("registry")`.
    fn describe(&self) -> String;

    /// Finds the version whose model has this digest.
    fn find_by_digest(&self, digest: &Digest) -> Result<Option<Version>, RegistryError>;

    /// Registers a candidate, or finds the version that holds the same bytes.
    fn register(&self, candidate: &Candidate) -> Result<Registered, RegistryError>;

    /// Returns the version with this id.
    fn version(&self, id: &str) -> Result<Option<Version>, RegistryError>;

    /// Returns all versions, the oldest first.
    fn versions(&self) -> Result<Vec<Version>, RegistryError>;

    /// Returns the text of a version's metrics file, verified by its digest.
    fn metrics(&self, id: &str) -> Result<Option<String>, RegistryError>;

    /// Returns where a name points.
    fn pointer(&self, name: &str) -> Result<Option<Pointer>, RegistryError>;

    /// Returns all pointers in the order of their names.
    fn pointers(&self) -> Result<Vec<Pointer>, RegistryError>;

    /// Returns versions, pointers and their metrics as of one moment.
    fn overview(&self) -> Result<Overview, RegistryError>;

    /// Moves a pointer if it stands where the caller believes.
    fn promote(&self, promotion: &Promotion) -> Result<Outcome, RegistryError>;

    /// Moves a pointer back to a version that it named before, and keeps what it named from being released again.
    fn rollback(&self, wish: &Rollback) -> Result<Outcome, RegistryError>;

    /// Returns why bytes may not be given a pointer, where a person rolled back from them.
    fn rejection(&self, pointer: &str, digest: &Digest) -> Result<Option<Rejection>, RegistryError>;

    /// Lets a version that was rolled back be given the pointer again.
    fn allow(&self, pointer: &str, version: &str, who: &ByHand) -> Result<Rejection, RegistryError>;

    /// Returns what the journal says of an action.
    fn acted(&self, act: &Act) -> Result<Option<State>, RegistryError>;

    /// Records that an action begins, if it may: nobody else's record comes in between.
    fn begin(&self, act: &Act) -> Result<Begun, RegistryError>;

    /// Records something about an action, whatever is recorded of it so far.
    fn note(&self, act: &Act, state: State) -> Result<(), RegistryError>;

    /// Records how an action ended that was begun.
    fn end(&self, act: &Act, state: State) -> Result<(), RegistryError>;

    /// Writes the model of a version to `dest`, verified by its digest.
    fn fetch(&self, id: &str, dest: &Path) -> Result<(), RegistryError>;

    /// Writes what was registered with a model to `dest`, verified by its digest.
    fn fetch_with(&self, id: &str, name: &str, dest: &Path) -> Result<(), RegistryError>;

    /// Returns what a pointer was set to, the oldest first.
    fn history(&self, pointer: &str) -> Result<Vec<Entry>, RegistryError>;

    /// Verifies all there is, repairs what is derived, and says what differed.
    fn fsck(&self) -> Result<Vec<Finding>, RegistryError>;
}
