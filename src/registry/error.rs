//! What can go wrong with a registry, by kind, each with one plain sentence. "There is no such pointer" is not
//! in here: that is an answer, and it must never be mistaken for "could not read".

use std::fmt;
use std::io;

use crate::host;

/// What went wrong, as far as a caller has to tell cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The registry can't be reached: no such remote, no network, a disk that fails.
    Unreachable,
    /// What stands there is not what was written: digests differ, a file doesn't parse, a pointer is gone.
    Corrupt,
    /// The registry said no.
    Permission,
    /// A pointer stands elsewhere than the caller expected.
    Moved,
    /// The registry can't hold this, or this kind of registry doesn't exist yet.
    Unsupported,
    /// A name that no registry takes, or a version that this one doesn't have.
    Unknown,
}

/// A registry's failure: its kind and one sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    kind: ErrorKind,
    message: String,
}

impl RegistryError {
    /// Makes an error of this kind. The message is lower case, without a final period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the exit code of a run that ends with this error: 11 for a moved pointer and for errors of
    /// integrity, else 1. (A gate that can't read its baseline ends with 11 whatever the kind.)
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Corrupt | ErrorKind::Moved => 11,
            _ => 1,
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RegistryError {}

impl From<host::Error> for RegistryError {
    fn from(error: host::Error) -> Self {
        let kind = match error.kind() {
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => ErrorKind::Permission,
            _ => ErrorKind::Unreachable,
        };
        Self::new(kind, error.to_string())
    }
}
