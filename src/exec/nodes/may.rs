//! What a run on this machine may do to what others see: write to registries that they share, and act. Where nodes run
//! one by one, a platform has decided already.

use std::collections::BTreeSet;

use super::approval::shared_registry;
use super::register::stop;
use crate::exec::context::{Run, Stop};
use crate::exec::pick::ordered;
use crate::exec::run::RunError;
use crate::exec::state::{Ending, reads_optionally};
use crate::gate::{Gate, OnMissing};
use crate::plan::{Action, Node, NodeKind, Plan, Subject, Wait, Why};
use crate::registry::{Reach, may_release};

/// Tells how a node ends that this run may not do, or that it would do for nothing.
pub(in crate::exec) fn may(run: &Run<'_>, node: &Node) -> Result<Option<Ending>, Stop> {
    if run.options.alone {
        return Ok(None);
    }
    if let NodeKind::Approval(_) = node.kind {
        return Ok(in_vain(run, node).map(Ending::NotReleased));
    }
    acts(run, node)
}

/// Says why nobody is asked for an approval: only releases wait for it, and this run comes to none of them.
fn in_vain(run: &Run<'_>, approval: &Node) -> Option<String> {
    let plan = &run.bound.plan;
    if !plan.releasing().contains(approval.name.as_str()) {
        return None;
    }
    let (mut seen, mut open, mut held) = (BTreeSet::new(), vec![approval], Vec::new());
    // No word lets what nothing runs yet.
    let mut unserved = run.options.release;
    while let Some(approval) = open.pop() {
        let waits = |node: &&Node| node.waits.iter().any(|wait| wait.node == approval.name);
        for node in plan.nodes.iter().filter(waits).filter(|node| seen.insert(node.name.as_str())) {
            match node.kind {
                NodeKind::Approval(_) => open.push(node),
                _ if is_out_of_reach(run, node) => {
                    unserved |= matches!(node.kind, NodeKind::Rollout(_) | NodeKind::Experiment(_));
                    held.push(format!("`{}`", node.name));
                }
                _ => return None,
            }
        }
    }
    let what = held.join(", ");
    let way = if unserved { "" } else { "; `--release` lets it" };
    Some(format!("only what is not released here waits for it: {what}{way}"))
}

/// Tells whether a run does not come to a node, since it may not do it or something before it. What people say of it is
/// left out of account.
fn is_out_of_reach(run: &Run<'_>, node: &Node) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![node]);
    while let Some(node) = open.pop() {
        if matches!(acts(run, node), Ok(Some(Ending::NotReleased(_)))) {
            return true;
        }
        let holds_up = |wait: &&Wait| match wait.why {
            Why::Baseline => false,
            Why::Data => !reads_optionally(&node.kind, &wait.node),
            _ => true,
        };
        let before = node.waits.iter().filter(holds_up).filter(|wait| seen.insert(wait.node.as_str()));
        let before = before.filter_map(|wait| run.node(&wait.node));
        open.extend(before.filter(|node| !matches!(node.kind, NodeKind::Approval(_))));
    }
    false
}

/// Tells how a node ends that writes to registries or acts, where this run may not.
fn acts(run: &Run<'_>, node: &Node) -> Result<Option<Ending>, Stop> {
    let outside = match node.kind {
        // What an action does can't be taken back, so that it wants a word whatever its registry's reach is.
        NodeKind::Action(_) => Some("it acts outside; `--release` lets it"),
        NodeKind::Rollout(_) | NodeKind::Experiment(_) => {
            Some("it shifts live traffic, which no run on this machine does")
        }
        _ => None,
    };
    if let Some(why) = outside.filter(|_| !run.options.release) {
        return Ok(Some(Ending::NotReleased(why.into())));
    }
    for registry in registries(&run.bound.plan, node) {
        let location = run.registry_location(registry)?;
        match may_release(&run.bound.plan, location, run.workspace(), run.options.release).map_err(stop)? {
            Reach::Yes => {}
            Reach::NotHere => {
                let why = format!("others share `{registry}`; `--release` writes to it");
                return Ok(Some(Ending::NotReleased(why)));
            }
            Reach::Refused { why, help } => return Err(Stop::Failed(format!("{why}: {help}"))),
        }
    }
    Ok(None)
}

/// What `--release` needs and has not got is said before anything runs, not after hours of training.
pub(in crate::exec) fn refused(run: &Run<'_>, wanted: &BTreeSet<usize>) -> Result<(), RunError> {
    if !run.options.release || run.options.alone {
        return Ok(());
    }
    let plan = &run.bound.plan;
    let nodes = wanted.iter().map(|&index| &plan.nodes[index]);
    let nodes: Vec<&Node> = nodes.filter(|node| !run.bound.skipped.contains_key(&node.name)).collect();
    let written: BTreeSet<&str> = nodes.iter().flat_map(|node| registries(plan, node)).collect();
    for registry in written {
        let location = run.registry_location(registry).map_err(told)?;
        let reach = may_release(plan, location, run.workspace(), true).map_err(|error| told(stop(error)))?;
        if let Reach::Refused { why, help } = reach {
            return Err(RunError::new(2, why).help(help));
        }
    }
    for node in nodes {
        match &node.kind {
            // One that is asked for on demand may never be.
            NodeKind::Approval(approval) if !approval.on_demand => {
                if let Some(registry) = shared_registry(run, &approval.of) {
                    return Err(unanswerable(&node.name, &registry, ""));
                }
            }
            NodeKind::Gate(gate) => first_version(run, gate)?,
            _ => {}
        }
    }
    Ok(())
}

/// A gate that asks a person about the first version can't be answered here, where others share the registry.
fn first_version(run: &Run<'_>, gate: &Gate) -> Result<(), RunError> {
    let Some(baseline) = &gate.baseline else { return Ok(()) };
    let OnMissing::Ask(name) = &baseline.on_absent else { return Ok(()) };
    let Some(NodeKind::Approval(approval)) = run.node(name).map(|node| &node.kind) else { return Ok(()) };
    let Some(registry) = shared_registry(run, &approval.of) else { return Ok(()) };
    match run.pointer(&baseline.registry, &baseline.pointer).map_err(told)? {
        Some(_) => Ok(()),
        None => {
            let names = format!("`{}@{}` names no version yet, and ", baseline.registry, baseline.pointer);
            Err(unanswerable(name, &registry, &names))
        }
    }
}

fn unanswerable(approval: &str, registry: &str, because: &str) -> RunError {
    let why = format!("{because}`{approval}` has to be given on the platform, since others share `{registry}`");
    RunError::new(2, why).help("push the commit: the platform runs it and asks; or name nodes that don't lead there")
}

fn told(stop: Stop) -> RunError {
    match stop {
        Stop::Unsound(why) => RunError::new(11, why),
        Stop::Failed(why) | Stop::Skip(why) => RunError::new(1, why),
        Stop::Interrupted => RunError::new(130, "interrupted"),
    }
}

/// Returns the names of the nodes that this run will not come to, since something may not be done here.
pub(in crate::exec) fn idle<'r>(run: &Run<'r>, wanted: &BTreeSet<usize>) -> BTreeSet<&'r str> {
    let nodes = &run.bound.plan.nodes;
    let mut idle: BTreeSet<&str> = BTreeSet::new();
    for index in ordered(nodes).into_iter().filter(|index| wanted.contains(index)) {
        let node = &nodes[index];
        let behind = |wait: &Wait| {
            let goes_on = match wait.why {
                Why::Baseline => true,
                Why::Data => reads_optionally(&node.kind, &wait.node),
                _ => false,
            };
            !goes_on && idle.contains(wait.node.as_str())
        };
        if node.waits.iter().any(behind) || matches!(may(run, node), Ok(Some(_))) {
            idle.insert(&node.name);
        }
    }
    idle
}

/// Returns the registries that a node writes to.
pub(super) fn registries<'p>(plan: &'p Plan, node: &'p Node) -> Vec<&'p str> {
    match &node.kind {
        NodeKind::Register(register) => vec![&register.registry],
        NodeKind::Promote(promote) => vec![&promote.registry],
        NodeKind::Action(action) => {
            let of = register_of(plan, action).map(|register| register.registry.as_str());
            let journal = journal(plan, action).filter(|journal| of != Some(*journal));
            of.into_iter().chain(journal).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the registration that an action is of.
pub(super) fn register_of<'p>(plan: &'p Plan, action: &Action) -> Option<&'p crate::plan::Register> {
    let Some(Subject::Release(release)) = &action.of else { return None };
    match &plan.node(release)?.kind {
        NodeKind::Register(register) => Some(register),
        _ => None,
    }
}

/// Returns the registry that holds the journal of an action.
pub(super) fn journal<'p>(plan: &'p Plan, action: &Action) -> Option<&'p str> {
    action.journal(plan, |name| plan.registry(name).map(|registry| &registry.location))
}
