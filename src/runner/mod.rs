//! One node of a compiled pipeline on a runner of a platform: what the nodes before it made comes in as folders, it
//! does what `mlpc run` would do, and what it made goes out as a folder. Knows nothing of the platform itself.
//!
//! ```text
//!  in/<any>/result.json, files/ ──▶ workspace ──▶ the node ──▶ workspace ──▶ out/result.json, files/
//! ```

mod answer;
mod approval;
mod comment;
mod exchange;
mod gate;
mod lineage;
mod node;
mod plain;
mod release;
mod verdict;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub use answer::{Answer, Decided, Made, Status};
pub use approval::{Asked, Review, askers, decide, reviews};
pub use comment::{About, Comment, Told, comment};
pub use exchange::{Received, left_out, pin, receive, vouched};
pub use lineage::{Lineage, Sighting};
pub use node::{refuse, run};
pub use plain::{begin, end};
pub use verdict::{Ended, Settled, Verdict, verdict};

use crate::exec::Setup;
use crate::plan::{Bound, Skip};

/// What a job is about.
#[derive(Debug)]
pub struct Job<'a> {
    /// The pipeline as this run sees it.
    pub bound: &'a Bound,
    /// The machine.
    pub setup: &'a Setup,
    /// The platform's id of the run, the same in every attempt.
    pub run: String,
    /// The commit of the checkout; none where nothing tells it.
    pub commit: Option<String>,
    /// Where the folders of the nodes before this one are.
    pub input: PathBuf,
    /// Where this node's own goes.
    pub output: PathBuf,
    /// Digests that the platform passed on, by the name of the folder; what comes in must have them.
    pub expected: Option<BTreeMap<String, String>>,
    /// Nodes that are rightly not run: what the plan skips, and what follows from this run's ref and from gates that did
    /// not ask. Only what these would have made may be absent where something reads it with `?`.
    pub left_out: BTreeMap<String, Skip>,
}

/// Why a job could not do what it is for, with the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The exit code.
    pub exit: u8,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

impl Trouble {
    /// Makes one of integrity: something is not what it was said to be.
    pub fn unsound(message: impl Into<String>) -> Self {
        Self { exit: 11, message: message.into(), help: None }
    }

    /// Adds the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<crate::host::Error> for Trouble {
    fn from(error: crate::host::Error) -> Self {
        Self { exit: 1, message: error.to_string(), help: None }
    }
}

impl From<crate::exec::RunError> for Trouble {
    fn from(error: crate::exec::RunError) -> Self {
        Self { exit: error.exit, message: error.message, help: error.help }
    }
}

#[cfg(test)]
mod tests;
