//! How a stage or action runs and why nodes wait, as the model and the plan both say it.

use serde::{Deserialize, Serialize};

use super::Expr;

/// What is executed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A program with arguments and no shell; a list among them is spliced.
    Arguments(Vec<Expr>),
    /// A script.
    Script {
        /// What reads it.
        interpreter: Interpreter,
        /// The text, as written.
        text: String,
    },
}

/// What reads a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpreter {
    /// `bash --noprofile --norc -euo pipefail`
    Bash,
    /// `sh -eu`
    Sh,
    /// `python` of the runtime.
    Python,
}

/// What a stage asks of a machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Needs {
    /// Processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Bytes of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u32>,
}

/// When a stage is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// How many times at most.
    pub times: u32,
    /// `lost_host`, `oom`, `spawn`, `timeout`; `infrastructure` is the first three.
    pub causes: Vec<String>,
    /// Exit statuses that are named as causes.
    pub statuses: Vec<i32>,
}

/// When a hit does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rerun {
    /// A hit is a hit.
    Never,
    /// `rerun always`
    Always,
    /// `rerun when x`
    When(Expr),
}

/// How far a stage is kept apart from the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A folder of its own with copies of what is declared.
    Copies,
    /// The same, with read-only hard links (`inputs readonly`).
    ReadOnly,
    /// The workspace itself (`isolation off`).
    Off,
}

/// Why one node waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It reads what the other makes.
    Data,
    /// `after`
    After,
    /// A blocking gate is on what it reads.
    Guard,
    /// A blocking gate measured the model that it releases.
    Admission,
    /// It decides about what the other made or did (`of`).
    Subject,
    /// A gate's baseline is scored by the other. It goes on also where that was skipped for want of a baseline, or
    /// failed: `on no_baseline` and `on unscorable` say what then.
    Baseline,
    /// This approval is asked for by the other, a gate; where the gate does not ask, it is skipped. What waits for
    /// the gate goes on only once an approval that was asked for is given.
    Ask,
}
