//! A rollout or an experiment. Nothing runs one yet, and none is ever taken for done.

use std::collections::BTreeSet;

use super::may::may;
use crate::exec::context::{Run, Stop};
use crate::exec::run::RunError;
use crate::exec::state::Ending;
use crate::plan::{Bound, Node, NodeKind};

pub(super) fn run(run: &Run<'_>, node: &Node) -> Result<Ending, Stop> {
    may(run, node)?.ok_or_else(|| Stop::Failed(refusal(node)))
}

fn refusal(node: &Node) -> String {
    format!("mlpc can't run the {} `{}` yet", node.kind.keyword(), node.name)
}

/// A run that is to release, and would come to a rollout, is refused before anything runs.
pub(in crate::exec) fn none_of(bound: &Bound, wanted: &BTreeSet<usize>, release: bool) -> Result<(), RunError> {
    let mut nodes = wanted.iter().map(|&index| &bound.plan.nodes[index]);
    let rollout = nodes.find(|node| {
        matches!(node.kind, NodeKind::Rollout(_) | NodeKind::Experiment(_))
            && release
            && !bound.skipped.contains_key(&node.name)
    });
    let Some(node) = rollout else { return Ok(()) };
    let place = match bound.plan.places.get(&node.name) {
        Some(place) => format!(" ({}:{}:{})", place.file, place.line, place.column),
        None => String::new(),
    };
    let error = RunError::new(2, format!("{}{place}, and `--release` asks for it", refusal(node)));
    Err(error.help("leave `--release` out, or name the nodes that shall run"))
}
