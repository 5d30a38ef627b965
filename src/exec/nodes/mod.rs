//! What each kind of node does when its turn comes: one file a kind, one line in the `match` of [`run`].

mod action;
mod approval;
mod commit;
mod gate;
mod may;
mod promote;
mod register;
mod rollout;
mod stage;
mod unasked;

use super::context::{Run, Stop};
use super::event::NodeReport;
use super::state::Ending;
use crate::plan::{Node, NodeKind};

pub(super) use may::{idle, may, refused};
pub(super) use rollout::none_of as rollouts_refused;
pub(super) use stage::{Lookup, look_up};

fn ended(stop: Stop) -> Ending {
    match stop {
        Stop::Failed(why) => Ending::Failed(why),
        Stop::Unsound(why) => Ending::Unsound(why),
        Stop::Skip(why) => Ending::Skipped(why),
        Stop::Interrupted => Ending::Interrupted,
    }
}

/// The way out where a source was two things to one run.
const AGAIN: &str = "run again while nothing writes to it: all of a run has to read the same";

/// Does what a node is for.
pub(super) fn run(run: &Run<'_>, node: &Node) -> NodeReport {
    let mut report = NodeReport::new(&node.name, node.kind.keyword(), Ending::Done);
    if let Some(why) = node.waits.iter().find_map(|wait| run.reads.unsettled(&wait.node)) {
        run.reads.unsettle(&node.name, why.clone());
        // A stage makes something of what it was given; a decision about it would be one about something else.
        if !matches!(node.kind, NodeKind::Stage(_)) {
            report.ending = Ending::Unsound(why);
            report.help = Some("run again while nothing else changes; with isolation this can't happen".to_owned());
            return report;
        }
    }
    if (node.kind.acts() || matches!(node.kind, NodeKind::Approval(_)))
        && let Some(why) = run.reads.moved()
    {
        report.ending = Ending::Unsound(why);
        report.help = Some(AGAIN.to_owned());
        return report;
    }
    if let Some((why, help)) = unasked::unasked(run, node) {
        report.ending = Ending::Skipped(why);
        report.help = Some(help);
        return report;
    }
    match commit::differs(run, node) {
        Ok(None) => {}
        Ok(Some((why, help))) => {
            report.ending = Ending::Unsound(why);
            report.help = Some(help);
            return report;
        }
        Err(stop) => {
            report.ending = ended(stop);
            return report;
        }
    }
    let ending = match &node.kind {
        NodeKind::Stage(stage) => stage::run(run, node, stage, &mut report),
        NodeKind::Gate(gate) => gate::run(run, node, gate, &mut report),
        NodeKind::Register(register) => register::run(run, node, register, &mut report),
        NodeKind::Promote(promote) => promote::run(run, node, promote, &mut report),
        NodeKind::Approval(approval) => approval::run(run, node, approval, &mut report),
        NodeKind::Action(action) => action::run(run, node, action, &mut report),
        NodeKind::Rollout(_) | NodeKind::Experiment(_) => rollout::run(run, node),
    };
    report.ending = ending.unwrap_or_else(ended);
    if run.reads.moved_for(&node.name).is_some() {
        report.help = Some(AGAIN.to_owned());
    }
    // What is said of an output may quote it, and a command may have written a secret there.
    let said = [report.help.as_mut(), report.detail.as_mut(), report.ending.sentence_mut()];
    said.into_iter().flatten().for_each(|text| run.mask.cover(text));
    report
}
