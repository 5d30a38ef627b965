//! Two runs, compared: parameters, data, what stages are made of, how nodes ended, metrics.

use std::collections::BTreeMap;

use serde::Serialize;

use super::numbers::{Number, numbers};
use super::word;
use crate::cache::{Change, Key, Store, changes};
use crate::exec::RunRecord;
use crate::gate::change_text;
use crate::plan::Plan;
use crate::types::Direction;

/// Version of the document.
const FORMAT: u32 = 1;

/// Something with a value in either run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// In the first run, if it was there.
    pub old: Option<String>,
    /// In the second run, if it is there.
    pub new: Option<String>,
}

/// What changed of what a stage is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageDiff {
    /// The stage.
    pub node: String,
    /// The parts, with their old and new values.
    pub changes: Vec<Change>,
}

/// Which way a metric went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// To the better.
    Better,
    /// To the worse.
    Worse,
    /// It stayed.
    Same,
    /// It moved, and nobody said which way is better; or it is in one run only.
    Unknown,
}

/// A metric in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// `evaluate.report.auc`
    pub name: String,
    /// In the first run.
    pub old: Option<Number>,
    /// In the second run.
    pub new: Option<Number>,
    /// By how much it moved, as people read it.
    pub change: Option<String>,
    /// Which way it went.
    pub turn: Turn,
}

/// Two runs, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    format: u32,
    /// The first run.
    pub old: String,
    /// The second run.
    pub new: String,
    /// The pipelines, where they differ: little of one run is to be found in the other then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Pair>,
    /// The profiles, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Pair>,
    /// The pipeline itself is another one.
    pub plan_changed: bool,
    /// Parameters that differ.
    pub params: Vec<Pair>,
    /// Sources and pointers that differ.
    pub inputs: Vec<Pair>,
    /// Stages that are made of something else.
    pub stages: Vec<StageDiff>,
    /// Nodes that ended otherwise.
    pub endings: Vec<Pair>,
    /// All metrics.
    pub metrics: Vec<Measured>,
}

/// Compares two runs.
#[must_use]
pub fn compare(plan: &Plan, store: &Store, old: &RunRecord, new: &RunRecord) -> Diff {
    let text = |record: &RunRecord| -> BTreeMap<String, String> {
        record.params.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
    };
    let read = |record: &RunRecord| -> BTreeMap<String, String> {
        let sources = record.sources.iter().map(|(name, digest)| (name.clone(), digest.to_string()));
        let pointers = record.pointers.iter().map(|(name, seen)| {
            (name.clone(), seen.as_ref().map_or_else(|| "nothing".to_owned(), |seen| seen.version.clone()))
        });
        sources.chain(pointers).collect()
    };
    let endings = |record: &RunRecord| -> BTreeMap<String, String> {
        // A hit gives what a run gave: that is no difference between two runs.
        let word = |ending| match word(ending).as_str() {
            "hit" => "done".to_owned(),
            other => other.to_owned(),
        };
        record.nodes.iter().map(|node| (node.node.clone(), word(&node.ending))).collect()
    };
    Diff {
        format: FORMAT,
        old: old.run.clone(),
        new: new.run.clone(),
        pipeline: (old.pipeline != new.pipeline).then(|| Pair {
            name: "pipeline".to_owned(),
            old: Some(old.pipeline.clone()),
            new: Some(new.pipeline.clone()),
        }),
        profile: (old.profile != new.profile).then(|| Pair {
            name: "profile".to_owned(),
            old: old.profile.clone(),
            new: new.profile.clone(),
        }),
        plan_changed: old.plan != new.plan,
        params: pairs(&text(old), &text(new)),
        inputs: pairs(&read(old), &read(new)),
        stages: stages(store, old, new),
        endings: pairs(&endings(old), &endings(new)),
        metrics: metrics(numbers(plan, store, old), numbers(plan, store, new)),
    }
}

fn pairs(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Pair> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Pair { name: name.clone(), old: old.get(name).cloned(), new: new.get(name).cloned() })
        .collect()
}

fn stages(store: &Store, old: &RunRecord, new: &RunRecord) -> Vec<StageDiff> {
    let result = |record: &RunRecord, node: &str| {
        let key = record.node(node)?.key.as_deref()?.parse().ok()?;
        store.result(&Key(key))
    };
    let mut found = Vec::new();
    for node in &new.nodes {
        let (Some(before), Some(now)) = (result(old, &node.node), result(new, &node.node)) else { continue };
        let changes = changes(&before.manifest, &now.manifest);
        if !changes.is_empty() {
            found.push(StageDiff { node: node.node.clone(), changes });
        }
    }
    found
}

fn metrics(old: Vec<Number>, new: Vec<Number>) -> Vec<Measured> {
    let mut found: Vec<Measured> = new
        .into_iter()
        .map(|new| {
            let old = old.iter().find(|old| old.name == new.name).cloned();
            let by = old.as_ref().map(|old| new.value - old.value);
            let turn = match (by, new.direction) {
                (Some(0.0), _) => Turn::Same,
                (Some(by), Some(direction)) if (by > 0.0) == (direction == Direction::Higher) => Turn::Better,
                (Some(_), Some(_)) => Turn::Worse,
                _ => Turn::Unknown,
            };
            let change = by.map(|by| change_text(new.unit, by));
            Measured { name: new.name.clone(), old, new: Some(new), change, turn }
        })
        .collect();
    for old in old {
        if found.iter().all(|have| have.name != old.name) {
            found.push(Measured {
                name: old.name.clone(),
                old: Some(old),
                new: None,
                change: None,
                turn: Turn::Unknown,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Unit;

    fn number(value: f64, direction: Option<Direction>) -> Number {
        Number { name: "e.r.m".into(), value, text: value.to_string(), direction, unit: Unit::Number }
    }

    #[test]
    fn a_metric_goes_its_own_way() {
        let turn = |direction, old, new| metrics(vec![number(old, direction)], vec![number(new, direction)])[0].clone();
        assert_eq!(turn(Some(Direction::Higher), 0.8, 0.9).turn, Turn::Better);
        assert_eq!(turn(Some(Direction::Lower), 0.8, 0.9).turn, Turn::Worse);
        assert_eq!(turn(None, 0.8, 0.9).turn, Turn::Unknown);
        assert_eq!(turn(None, 0.8, 0.8).turn, Turn::Same);
        assert_eq!(turn(None, 0.8, 0.9).change.as_deref(), Some("+0.1"));
        let gone = metrics(vec![number(1.0, None)], vec![]);
        assert_eq!((gone.len(), gone[0].turn, gone[0].new.is_none()), (1, Turn::Unknown, true));
    }
}
