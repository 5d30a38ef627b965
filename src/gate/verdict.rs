//! The five verdicts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a gate says, from best to worst. A blocking gate lets go on what is behind it at `Pass` and `Warn` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every requirement holds.
    Pass,
    /// A `warn` requirement does not hold, all blocking ones do.
    Warn,
    /// Too little evidence to decide.
    Inconclusive,
    /// A blocking requirement does not hold.
    Fail,
    /// It could not be decided: evidence missing, not a number, unreadable, of the wrong type or unit.
    Error,
}

impl Verdict {
    /// Tells whether what is behind a blocking gate may go on.
    #[must_use]
    pub fn lets_go_on(self) -> bool {
        matches!(self, Self::Pass | Self::Warn)
    }

    /// Returns the exit code of `mlpc`: 0 to go on, 10 for a no, 11 where it could not be decided.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass | Self::Warn => 0,
            Self::Fail => 10,
            Self::Inconclusive | Self::Error => 11,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        })
    }
}
