//! Exit codes: documented, stable, used by every target.

use std::process::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// The pipeline or a stage failed.
    Failed = 1,
    /// The command line or the source is wrong.
    Usage = 2,
    /// A blocking gate said no.
    Refused = 10,
    /// A gate could not be decided, or something is not what it was said to be.
    Undecided = 11,
    /// A rollout was rolled back.
    RolledBack = 12,
    /// A rollback failed.
    RollbackFailed = 13,
    /// Waiting for a person.
    Waiting = 14,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// Returns the number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
