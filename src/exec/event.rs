//! What happens in a run, as values: faces draw them, `--json` prints them, the run's journal keeps them.

use serde::Serialize;

use super::state::Ending;
use crate::cache::Change;
use crate::gate::Report;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    RunStarted {
        /// Its id.
        run: String,
        /// The pipeline.
        pipeline: String,
        /// The profile.
        #[serde(skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
        /// How many nodes are wanted.
        nodes: usize,
    },
    /// A stage or action began.
    NodeStarted {
        /// Its name.
        node: String,
        /// Why it runs.
        why: Reason,
    },
    /// A line of a command's output, secrets masked, without its end.
    Line {
        /// The node.
        node: String,
        /// The line.
        text: String,
    },
    /// Something worth knowing.
    Note {
        /// The node; empty where it is about the run.
        node: String,
        /// What there is to say.
        text: String,
    },
    /// A node ended.
    NodeEnded(NodeReport),
    /// The run ended.
    RunEnded {
        /// Its id.
        run: String,
        /// The exit code.
        exit: u8,
        /// How long it took.
        milliseconds: u64,
    },
}

/// Why a stage runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It never came out well here.
    First,
    /// Something of what it is made of changed since.
    Changed(Vec<Change>),
    /// Its result is known, but the outputs are no longer in the cache.
    Lost,
    /// It says `rerun`.
    Always,
    /// The user asked for it.
    Forced,
    /// It acts: that is never cached.
    Action,
    /// Its runtime is not locked yet: whether its result is known shows when it is.
    Unlocked,
    /// What it reads is made anew before; whether it runs shows then.
    Upstream(String),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("never ran here"),
            Self::Changed(changes) => {
                for (index, change) in changes.iter().take(3).enumerate() {
                    write!(f, "{}{change}", if index == 0 { "" } else { "; " })?;
                }
                match changes.len().saturating_sub(3) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
            Self::Lost => f.write_str("its outputs are no longer in the cache"),
            Self::Always => f.write_str("it says `rerun`"),
            Self::Forced => f.write_str("forced"),
            Self::Action => f.write_str("an action"),
            Self::Unlocked => f.write_str("its runtime is not in `mlpc.lock` yet"),
            Self::Upstream(node) => write!(f, "if `{node}` comes out different"),
        }
    }
}

/// How a node ended, with all there is to tell of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeReport {
    /// Its name.
    pub node: String,
    /// The keyword that declares it.
    pub kind: &'static str,
    /// How it ended.
    pub ending: Ending,
    /// How long it took; nothing for what did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// Why it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Reason>,
    /// The key of its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Digests of its outputs, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<(String, String)>,
    /// The last lines of its log, where it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
    /// Its log, relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The way out, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What else there is to say, such as the version that was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The report of a gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Box<Report>>,
}

impl NodeReport {
    /// Makes the report of a node of which there is nothing to tell but how it ended.
    #[must_use]
    pub fn new(node: &str, kind: &'static str, ending: Ending) -> Self {
        Self {
            node: node.to_owned(),
            kind,
            ending,
            milliseconds: None,
            why: None,
            key: None,
            outputs: Vec::new(),
            tail: Vec::new(),
            log: None,
            help: None,
            detail: None,
            gate: None,
        }
    }
}

/// Is told what happens, from several threads.
pub trait Listener: Send + Sync {
    /// Takes an event.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Listener for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}
