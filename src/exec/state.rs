//! The states of nodes and how they follow from each other: a written state machine that knows nothing of processes,
//! files or time. One function makes every transition.
//!
//! ```text
//!  Waiting ──all waits settled well──▶ Ready ──a slot and what it needs are free──▶ Running ──▶ Ended
//!     └──────a wait settled otherwise, or the run is stopped───────┴───────────────────────────────▲
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::pick::{Chosen, ordered};
use super::tokens::Tokens;
use crate::gate::Verdict;
use crate::plan::{Bound, Node, NodeKind, Skip, Why};

/// How a node ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It did what it is for.
    Done,
    /// It had nothing to do: its result was there.
    Hit,
    /// A gate that was evaluated.
    Decided(Verdict),
    /// A gate that was not evaluated, since what it looks at was not measured.
    NotEvaluated(String),
    /// A gate that leaves the decision to this approval.
    Asks(String),
    /// A person said yes.
    Approved,
    /// A person said no: who, and why.
    Rejected(String),
    /// Nobody said anything in time.
    Expired(String),
    /// What it would release was rolled back before, and nobody allowed it since.
    RolledBack(String),
    /// A person has not decided yet.
    WaitsForPerson,
    /// Its command or its outputs were wrong.
    Failed(String),
    /// Something is not what it was said to be: nobody can decide on such a ground.
    Unsound(String),
    /// It is not part of this run.
    Skipped(String),
    /// It would act on what others share, and this run may not.
    NotReleased(String),
    /// This node did not come out well: it waits for that one, or the run ends at the first failure.
    Blocked(String),
    /// The user stopped the run.
    Interrupted,
}

impl Ending {
    /// Tells whether what waits for it may go on.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self {
            Self::Done | Self::Hit | Self::Approved => true,
            Self::Decided(verdict) => verdict.lets_go_on(),
            _ => false,
        }
    }

    /// Returns what is said of it, where something is.
    pub(super) fn sentence_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::NotEvaluated(text) | Self::Asks(text) | Self::Rejected(text) | Self::Failed(text) => Some(text),
            Self::Unsound(text) | Self::Skipped(text) | Self::NotReleased(text) | Self::Blocked(text) => Some(text),
            Self::Expired(text) | Self::RolledBack(text) => Some(text),
            Self::Done | Self::Hit | Self::Decided(_) | Self::Approved | Self::WaitsForPerson | Self::Interrupted => {
                None
            }
        }
    }

    /// Returns the exit code that it asks for by itself.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Decided(verdict) => verdict.exit_code(),
            Self::Rejected(_) | Self::Expired(_) | Self::RolledBack(_) => 10,
            Self::WaitsForPerson => 14,
            Self::Failed(_) => 1,
            Self::Unsound(_) | Self::NotEvaluated(_) => 11,
            Self::Interrupted => 130,
            Self::Done | Self::Hit | Self::Asks(_) | Self::Approved => 0,
            Self::Skipped(_) | Self::NotReleased(_) | Self::Blocked(_) => 0,
        }
    }
}

/// Returns the exit code of a run: that of the gravest ending.
#[must_use]
pub fn exit_code(endings: impl IntoIterator<Item = u8>) -> u8 {
    const GRAVEST_FIRST: [u8; 5] = [130, 11, 10, 1, 14];
    let codes: BTreeSet<u8> = endings.into_iter().collect();
    GRAVEST_FIRST.into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}

/// Where a node stands.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Something that it waits for is not settled. From here only.
    Waiting,
    /// All that it waits for is settled well. Only from `Waiting`.
    Ready,
    /// A worker has it; its tokens are taken. Only from `Ready`.
    Running,
    /// It is over. From `Running`, or from `Waiting` and `Ready` where it will never run.
    Ended(Ending),
}

/// What a settled node means for one that waits for it.
enum Answer {
    Go,
    Skip(String),
    Block,
    /// The decision lies with this approval.
    Ask(usize),
}

/// All nodes of a run, their states, and what is free.
#[derive(Debug)]
pub struct Schedule<'b> {
    bound: &'b Bound,
    states: Vec<State>,
    /// How many waits are not settled, by node.
    open: Vec<usize>,
    /// Who waits for a node, and why.
    waiters: Vec<Vec<(usize, Why)>>,
    /// The order in which they start: the longest way to the end first, then by declaration.
    ready: BTreeSet<(Reverse<u64>, usize)>,
    /// How long it takes from a node's start to the end of the last one that waits for it, in milliseconds.
    ways: Vec<u64>,
    running: usize,
    unsettled: usize,
    tokens: Tokens,
    by_name: HashMap<&'b str, usize>,
}

impl<'b> Schedule<'b> {
    /// Makes the schedule of the chosen nodes. `expected` says of each node of the plan how many milliseconds it may
    /// take. Returns what ended at once.
    pub fn new(bound: &'b Bound, chosen: &Chosen, expected: &[u64], tokens: Tokens) -> (Self, Vec<usize>) {
        let nodes = &bound.plan.nodes;
        let wanted = &chosen.wanted;
        let by_name: HashMap<_, _> =
            nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
        let mut schedule = Self {
            bound,
            states: vec![State::Waiting; nodes.len()],
            open: vec![0; nodes.len()],
            waiters: vec![Vec::new(); nodes.len()],
            ready: BTreeSet::new(),
            ways: Vec::new(),
            running: 0,
            unsettled: nodes.len(),
            tokens,
            by_name,
        };
        let mut ended = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            for wait in &node.waits {
                // What is not asked for happens elsewhere, or not at all: nobody waits for it.
                if let Some(&before) = schedule.by_name.get(wait.node.as_str())
                    && wanted.contains(&before)
                {
                    schedule.waiters[before].push((index, wait.why));
                    schedule.open[index] += 1;
                }
            }
        }
        schedule.ways = schedule.ways(expected);
        for (index, node) in nodes.iter().enumerate() {
            if !wanted.contains(&index) {
                schedule.states[index] = State::Ended(Ending::Skipped("not asked for".into()));
                schedule.unsettled -= 1;
            } else if let Some(skip) = bound.skipped.get(&node.name) {
                schedule.settle(index, Ending::Skipped(reason(skip)), &mut ended);
            } else if let Some(why) = chosen.held.get(&index) {
                schedule.settle(index, Ending::NotReleased(why.clone()), &mut ended);
            }
        }
        for &index in wanted {
            if schedule.states[index] == State::Waiting && schedule.open[index] == 0 {
                schedule.to(index, State::Ready);
            }
        }
        (schedule, ended)
    }

    /// Returns how long it takes from the start of each node to the end of the last that waits for it.
    fn ways(&self, expected: &[u64]) -> Vec<u64> {
        let mut ways = vec![0; expected.len()];
        for index in ordered(&self.bound.plan.nodes).into_iter().rev() {
            let behind = self.waiters[index].iter().map(|&(waiter, _)| ways[waiter]).max().unwrap_or(0);
            ways[index] = expected[index].saturating_add(behind);
        }
        ways
    }

    /// Takes the next node that may run: of those for which there is room the one with the longest way to the end.
    pub fn start(&mut self) -> Option<usize> {
        let nodes = &self.bound.plan.nodes;
        let (_, index) = self.ready.iter().copied().find(|&(_, index)| self.tokens.fit(&nodes[index].kind))?;
        self.to(index, State::Running);
        Some(index)
    }

    /// Notes how a running node ended; returns all that ended with it, itself first.
    pub fn end(&mut self, index: usize, ending: Ending) -> Vec<usize> {
        let mut ended = Vec::new();
        self.settle(index, ending, &mut ended);
        ended
    }

    /// Ends all that does not run yet, since the user stops the run; returns what that was.
    pub fn stop(&mut self) -> Vec<usize> {
        self.end_idle(&Ending::Interrupted)
    }

    /// Ends all that does not run yet, since the node `by` did not come out well; returns what that was.
    pub fn halt(&mut self, by: usize) -> Vec<usize> {
        self.end_idle(&Ending::Blocked(self.bound.plan.nodes[by].name.clone()))
    }

    fn end_idle(&mut self, ending: &Ending) -> Vec<usize> {
        let idle = |state: &State| matches!(state, State::Waiting | State::Ready);
        let idle: Vec<_> = (0..self.states.len()).filter(|&index| idle(&self.states[index])).collect();
        for &index in &idle {
            self.to(index, State::Ended(ending.clone()));
        }
        idle
    }

    /// Ends what can never start, since nothing runs that it could wait for: a plan that waits for itself.
    pub fn strand(&mut self) -> Vec<usize> {
        let waiting: Vec<_> = (0..self.states.len()).filter(|&index| self.states[index] == State::Waiting).collect();
        for &index in &waiting {
            self.to(index, State::Ended(Ending::Failed("what it waits for waits for it".into())));
        }
        waiting
    }

    /// Tells whether every node has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.unsettled == 0
    }

    /// Returns how many nodes run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Returns how a node ended, if it did.
    #[must_use]
    pub fn ending(&self, index: usize) -> Option<&Ending> {
        match &self.states[index] {
            State::Ended(ending) => Some(ending),
            _ => None,
        }
    }

    /// The one place where a state changes.
    fn to(&mut self, index: usize, state: State) {
        let kind = &self.bound.plan.nodes[index].kind;
        match (&self.states[index], &state) {
            (State::Waiting, State::Ready) => {
                self.ready.insert((Reverse(self.ways[index]), index));
            }
            (State::Ready, State::Running) => {
                self.ready.remove(&(Reverse(self.ways[index]), index));
                self.tokens.take(kind);
                self.running += 1;
            }
            (State::Running, State::Ended(_)) => {
                self.tokens.give_back(kind);
                self.running -= 1;
                self.unsettled -= 1;
            }
            (State::Waiting | State::Ready, State::Ended(_)) => {
                self.ready.remove(&(Reverse(self.ways[index]), index));
                self.unsettled -= 1;
            }
            (from, to) => unreachable!("no node goes from {from:?} to {to:?}"),
        }
        self.states[index] = state;
    }

    /// Ends a node and carries on what follows from it, in the order of declarations.
    fn settle(&mut self, index: usize, ending: Ending, ended: &mut Vec<usize>) {
        let mut work = BTreeMap::from([(index, ending)]);
        while let Some((index, ending)) = work.pop_first() {
            if matches!(self.states[index], State::Ended(_)) {
                continue;
            }
            self.to(index, State::Ended(ending));
            ended.push(index);
            for at in 0..self.waiters[index].len() {
                let (waiter, why) = self.waiters[index][at];
                if let Some(ending) = self.settle_wait(index, waiter, why) {
                    work.insert(waiter, ending);
                }
            }
        }
    }

    /// Settles one wait of `waiter`; returns how the waiter ends, if it does.
    fn settle_wait(&mut self, before: usize, waiter: usize, why: Why) -> Option<Ending> {
        if self.states[waiter] != State::Waiting {
            return None;
        }
        match self.answer(before, waiter, why) {
            Answer::Go => {
                self.open[waiter] -= 1;
                if self.open[waiter] == 0 {
                    self.to(waiter, State::Ready);
                }
                None
            }
            Answer::Skip(reason) => Some(Ending::Skipped(reason)),
            Answer::Block => Some(Ending::Blocked(self.bound.plan.nodes[before].name.clone())),
            Answer::Ask(approval) => match self.states[approval] {
                State::Ended(_) => self.settle_wait(approval, waiter, Why::After),
                // The wait stays open and moves from the gate to the approval.
                _ => {
                    self.waiters[approval].push((waiter, Why::After));
                    None
                }
            },
        }
    }

    fn answer(&self, before: usize, waiter: usize, why: Why) -> Answer {
        let nodes = &self.bound.plan.nodes;
        let State::Ended(ending) = &self.states[before] else { return Answer::Block };
        let (name, waiter_name) = (&nodes[before].name, &nodes[waiter].name);
        let advisory = !self.bound.gates_block && matches!(nodes[before].kind, NodeKind::Gate(_));
        match (why, ending) {
            // The gate's own clauses say what a baseline that could not be scored means.
            (Why::Baseline, Ending::Interrupted) => Answer::Block,
            (Why::Baseline, _) => Answer::Go,
            (Why::Ask, Ending::Asks(approval)) if approval == waiter_name => Answer::Go,
            (Why::Ask, Ending::Asks(_)) => Answer::Skip(format!("`{name}` did not ask")),
            (Why::Ask, ending) if ending.is_good() => Answer::Skip(format!("`{name}` did not ask")),
            (_, Ending::Interrupted) => Answer::Block,
            (Why::Ask, _) if advisory => Answer::Skip(format!("`{name}` only advises here, and asks nobody")),
            _ if advisory && why != Why::Ask => Answer::Go,
            (_, Ending::Asks(approval)) => match self.by_name.get(approval.as_str()) {
                Some(&approval) if approval != waiter => Answer::Ask(approval),
                _ => Answer::Block,
            },
            (_, ending) if ending.is_good() => Answer::Go,
            _ => match passed_over(self.bound, &nodes[waiter], (&nodes[before], why), ending) {
                Some(reason) => Answer::Skip(reason),
                None if matches!(ending, Ending::Skipped(_)) => Answer::Go,
                None => Answer::Block,
            },
        }
    }
}

/// Says why a node is skipped behind one that was skipped or not released here; nothing where it goes on all the same, or
/// the other ended otherwise. What a run does and what is said of it before come from here.
pub(super) fn passed_over(
    bound: &Bound,
    waiter: &Node,
    (before, why): (&Node, Why),
    ending: &Ending,
) -> Option<String> {
    let advisory = !bound.gates_block && matches!(before.kind, NodeKind::Gate(_));
    let name = &before.name;
    match (why, ending) {
        (Why::Baseline, _) => None,
        _ if advisory && why != Why::Ask => None,
        (Why::Data, Ending::Skipped(_)) if reads_optionally(&waiter.kind, name) => None,
        (_, Ending::Skipped(_)) => Some(format!("it needs `{name}`, which was skipped")),
        (_, Ending::NotReleased(_)) => Some(format!("it needs `{name}`, which was not released here")),
        _ => None,
    }
}

/// Tells whether a node reads what this stage makes only where it is there.
pub(super) fn reads_optionally(kind: &NodeKind, stage: &str) -> bool {
    let inputs = match kind {
        NodeKind::Stage(stage) => &stage.work.inputs,
        NodeKind::Action(action) => &action.work.inputs,
        _ => return false,
    };
    inputs.iter().filter(|input| input.origin.stage() == Some(stage)).all(|input| input.optional)
}

/// Says why a node is skipped from the beginning.
pub(super) fn reason(skip: &Skip) -> String {
    match skip {
        Skip::When => "its `when` is false".into(),
        Skip::Profile => "this profile does not release".into(),
        Skip::Elsewhere => "this run does not release".into(),
        Skip::Unasked => "no gate asked for it".into(),
        Skip::There(approval) => format!("nobody was asked: `{approval}` decides about another release"),
        Skip::Needs(node) => format!("it needs `{node}`, which was skipped"),
    }
}

#[cfg(test)]
mod tests;
