//! How long a run may take: its schedule, played with the times that nodes took when they last ran here.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::context::Options;
use super::pick::choose;
use super::predict::{Expected, Prediction};
use super::run::RunError;
use super::state::{Ending, Schedule};
use super::tokens::Tokens;
use crate::gate::Verdict;
use crate::plan::{Bound, NodeKind};

/// How long a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// From its start to its end, in milliseconds, if all that may run does run and all comes out well.
    pub milliseconds: u64,
    /// How many stages may run of which no time is known: they count nothing.
    pub untimed: usize,
}

/// Says how long the run may take of which this is predicted.
pub fn forecast(bound: &Bound, options: &Options, predictions: &[Prediction]) -> Result<Forecast, RunError> {
    let chosen = choose(bound, options)?;
    let nodes = &bound.plan.nodes;
    let known: HashMap<&str, u64> =
        predictions.iter().filter_map(|one| Some((one.node.as_str(), one.expected?))).collect();
    let times: Vec<u64> = nodes.iter().map(|node| known.get(node.name.as_str()).copied().unwrap_or(0)).collect();
    let (mut schedule, _) = Schedule::new(bound, &chosen, &times, Tokens::of_machine(options.jobs));
    let (mut running, mut now) = (BinaryHeap::new(), 0);
    loop {
        while let Some(index) = schedule.start() {
            running.push(Reverse((times[index].saturating_add(now), index)));
        }
        let Some(Reverse((at, index))) = running.pop() else { break };
        now = at;
        schedule.end(
            index,
            match nodes[index].kind {
                NodeKind::Gate(_) => Ending::Decided(Verdict::Pass),
                NodeKind::Approval(_) => Ending::Approved,
                _ => Ending::Done,
            },
        );
    }
    let runs = predictions.iter().filter(|one| matches!(one.what, Expected::Runs(_)));
    Ok(Forecast { milliseconds: now, untimed: runs.filter(|one| one.expected.is_none()).count() })
}
