//! What happens in a run, as values: faces draw them, `--json` prints them, the run's journal keeps them.

use serde::Serialize;

use super::state::Ending;
use crate::cache::Change;
use crate::gate::Report;

/// Version of the events' format; `SCHEMA` says what is in them.
pub(super) const FORMAT: u32 = 1;

/// The JSON schema of an event as `--json` prints it.
pub const SCHEMA: &str = include_str!("../../book/src/schemas/run_events.schema.json");

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    RunStarted {
        /// Version of the format.
        format: u32,
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
        /// How many milliseconds it took when it last came out well here.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<u64>,
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
    /// A source of it is not fetched yet, so that nothing is known of its content: whether its result is known shows when it is.
    Unfetched(String),
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
            Self::Unfetched(source) => write!(f, "the source `{source}` is not fetched yet"),
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
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_object")]
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

/// Writes names and what they stand for as an object, in the order that they have.
fn as_object<S: serde::Serializer>(pairs: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(pairs.iter().map(|(name, value)| (name, value)))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::gate::Verdict;

    /// Returns all endings, each once; a new one does not compile until it stands here.
    fn endings() -> Vec<Ending> {
        let all = vec![
            Ending::Done,
            Ending::Hit,
            Ending::Decided(Verdict::Pass),
            Ending::NotEvaluated(String::new()),
            Ending::Asks(String::new()),
            Ending::Approved,
            Ending::Rejected(String::new()),
            Ending::Expired(String::new()),
            Ending::RolledBack(String::new()),
            Ending::WaitsForPerson,
            Ending::Failed(String::new()),
            Ending::Unsound(String::new()),
            Ending::Skipped(String::new()),
            Ending::NotReleased(String::new()),
            Ending::Blocked(String::new()),
            Ending::Interrupted,
        ];
        for ending in &all {
            match ending {
                Ending::Done | Ending::Hit | Ending::Decided(_) | Ending::NotEvaluated(_) | Ending::Asks(_) => {}
                Ending::Approved | Ending::Rejected(_) | Ending::WaitsForPerson | Ending::Failed(_) => {}
                Ending::Unsound(_) | Ending::Skipped(_) | Ending::NotReleased(_) | Ending::Blocked(_) => {}
                Ending::Interrupted | Ending::Expired(_) | Ending::RolledBack(_) => {}
            }
        }
        all
    }

    #[test]
    fn the_schema_knows_every_ending_and_no_other() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let written = |ending: &Ending| match serde_json::to_value(ending).expect("an ending is JSON") {
            serde_json::Value::String(word) => word,
            serde_json::Value::Object(fields) => fields.keys().next().expect("one key").clone(),
            other => panic!("{other}"),
        };
        let ours: BTreeSet<String> = endings().iter().map(written).collect();
        let choices = schema["$defs"]["ending"]["oneOf"].as_array().expect("choices");
        let words = choices[0]["enum"].as_array().expect("words").iter();
        let keys = choices[1..].iter().flat_map(|choice| choice["properties"].as_object().expect("one").keys());
        let theirs: BTreeSet<String> =
            words.map(|word| word.as_str().expect("text").to_owned()).chain(keys.cloned()).collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn outputs_are_an_object_in_the_order_of_the_declaration() {
        let mut report = NodeReport::new("prepare", "stage", Ending::Done);
        report.outputs = vec![("train".into(), "blake3:1".into()), ("test".into(), "blake3:2".into())];
        let text = serde_json::to_string(&report).expect("a report is JSON");
        assert!(text.contains(r#""outputs":{"train":"blake3:1","test":"blake3:2"}"#), "{text}");
    }
}
