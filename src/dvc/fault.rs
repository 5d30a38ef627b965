//! How something of DVC could not be had.

use crate::host::Error;

/// How something could not be had.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there, or the remote did not give it.
    Failed(String),
    /// It is not what it was said to be.
    Unsound(String),
    /// The user wants us to stop.
    Interrupted,
}

impl Fault {
    /// As one that what came is to blame for.
    pub(super) fn of_what_came(self) -> Self {
        match self {
            Self::Failed(why) => Self::Unsound(why),
            other => other,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}
