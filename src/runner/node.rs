//! Does what one node is for, with what came in, and says so in its answer, however it ends.

use std::collections::BTreeMap;

use super::answer::{Answer, FORMAT, Status};
use super::exchange::{self, Received, hand_on, write};
use super::gate::gate;
use super::lineage::{self, Lineage};
use super::release::{admitted, promote, register};
use super::{Job, Trouble};
use crate::exec::{self, Ending, Listener, Options, Pick, RunRecord};
use crate::gate::Report;
use crate::host::fs::{self, join_inside};
use crate::plan::{BaselineRun, Behind, InputKind, NodeKind, Subject, approvals_before};
use crate::types::Origin;

/// Runs a node; returns its answer, the digest of that, and the report of a gate. The output folder is complete
/// also where the answer is no good one.
pub fn run(
    job: &Job<'_>,
    node: &str,
    received: &Received,
    listener: &dyn Listener,
) -> Result<(Answer, String, Option<Report>), Trouble> {
    let declared = job.bound.plan.node(node).ok_or_else(|| Trouble {
        exit: 2,
        message: format!("no node `{node}` in `{}`", job.bound.plan.pipeline),
        help: None,
    })?;
    if let Some(skip) = job.left_out.get(node) {
        let why = skip.told(node);
        let message = format!("`{node}` is not part of this run ({why}), and the platform started it all the same");
        return Err(Trouble::unsound(message).help("compile the pipeline again"));
    }
    let mut answer = Answer { lineage: Lineage::of(received), ..empty(job, node) };
    let mut report = None;
    let steady = lineage::steady(job, declared, received, &mut answer.lineage);
    let admitted = steady.and_then(|()| admitted(job, node, received));
    let done = admitted.and_then(|gates| match &declared.kind {
        NodeKind::Stage(stage) => complete(job, node, received)
            .and_then(|()| clear(job, node))
            .and_then(|()| self::stage(job, node, stage.baseline.as_ref(), received, listener, &mut answer)),
        NodeKind::Action(_) => {
            complete(job, node, received).and_then(|()| self::stage(job, node, None, received, listener, &mut answer))
        }
        NodeKind::Gate(asked) => gate(job, node, asked, received, &mut answer).map(|judged| report = Some(judged)),
        NodeKind::Register(asked) => {
            answer.lineage.gates.extend(gates);
            register(job, node, asked, received, &mut answer)
        }
        NodeKind::Promote(asked) => promote(job, node, asked, received, &mut answer),
        NodeKind::Rollout(_) | NodeKind::Experiment(_) => Err(Trouble::unsound("mlpc can't shift traffic yet")),
        NodeKind::Approval(_) => Err(Trouble::unsound("an approval is read from the platform, not run")),
    });
    if let Err(trouble) = done {
        answer.status = Status::Failed;
        answer.exit = trouble.exit;
        answer.reason = Some(trouble.message);
    }
    let digest = write(job, &answer)?;
    Ok((answer, digest, report))
}

/// Writes the answer of a node that could not even begin.
pub fn refuse(job: &Job<'_>, node: &str, trouble: &Trouble) -> Result<(), Trouble> {
    let reason = Some(trouble.message.clone());
    write(job, &Answer { status: Status::Failed, exit: trouble.exit, reason, ..empty(job, node) }).map(drop)
}

/// Returns an answer with nothing in it yet.
pub(super) fn empty(job: &Job<'_>, node: &str) -> Answer {
    Answer {
        format: FORMAT,
        node: node.to_owned(),
        plan: job.bound.digest.clone(),
        run: job.run.clone(),
        commit: job.commit.clone(),
        status: Status::Done,
        exit: 0,
        reason: None,
        outputs: BTreeMap::new(),
        texts: BTreeMap::new(),
        pointers: BTreeMap::new(),
        read: BTreeMap::new(),
        lineage: Lineage::default(),
        release: None,
        there: false,
        gate: None,
    }
}

/// Makes sure that what a stage or action reads has come in: what a checkout holds there is not taken for it. What it reads
/// with `?` may be absent only where the stage that makes it is not part of this run: a job that something held back looks
/// the same from here.
pub(super) fn complete(job: &Job<'_>, node: &str, received: &Received) -> Result<(), Trouble> {
    let not_handed_on =
        |origin: &Origin| Trouble::unsound(format!("`{origin}`, which `{node}` reads, was not handed on"));
    let work = match job.bound.plan.node(node).map(|node| &node.kind) {
        Some(NodeKind::Stage(stage)) => &stage.work,
        Some(NodeKind::Action(action)) => {
            if let Some(Subject::Release(release)) = &action.of
                && let Some(origin @ Origin::Output { stage, output }) = job.bound.plan.registered(release)
                && received.answers.get(stage).is_none_or(|answer| !answer.outputs.contains_key(output))
            {
                return Err(not_handed_on(origin));
            }
            &action.work
        }
        _ => return Ok(()),
    };
    for input in &work.inputs {
        if let Origin::Output { stage, output } = &input.origin {
            let answer = received.answers.get(stage);
            let made = answer.is_some_and(|answer| match &input.kind {
                InputKind::Value(_) => answer.texts.contains_key(&exec::value_path(stage, output)),
                _ => answer.outputs.contains_key(output),
            });
            if !made && input.optional && job.left_out.contains_key(stage) {
                if let Some(absent) = exchange::output(&job.bound.plan, stage, output) {
                    fs::remove(&join_inside(&job.setup.workspace, &absent.publish)?)?;
                }
            } else if !made {
                return Err(not_handed_on(&input.origin));
            }
        }
    }
    Ok(())
}

/// Removes what a checkout holds where the node will write.
pub(super) fn clear(job: &Job<'_>, node: &str) -> Result<(), Trouble> {
    for output in job.bound.plan.stage(node).map(|stage| stage.outputs.as_slice()).unwrap_or_default() {
        fs::remove(&join_inside(&job.setup.workspace, &output.publish)?)?;
    }
    Ok(())
}

fn stage(
    job: &Job<'_>,
    node: &str,
    baseline: Option<&BaselineRun>,
    received: &Received,
    listener: &dyn Listener,
    answer: &mut Answer,
) -> Result<(), Trouble> {
    let mut before = RunRecord::new(&job.run, job.bound, &Pick::until(vec![node.to_owned()]), &job.setup.clock);
    for known in received.answers.values() {
        before.pointers.extend(known.pointers.clone());
        if let Some(release) = &known.release {
            before.releases.insert(known.node.clone(), release.clone());
        }
    }
    let pick = Pick::until(vec![node.to_owned()]);
    let unasked = unasked(job, node, received);
    let options = Options { pick, alone: true, release: true, unasked, ..Options::default() };
    let summary = exec::run(job.bound, job.setup, &options, Some(&before), listener)?;
    let state = job.setup.workspace.join(".mlpc");
    let record = RunRecord::read(&state, &summary.run)?;
    record.sources.iter().for_each(|(name, digest)| answer.lineage.source(name, &digest.to_string(), node));
    if let Some(stage) = job.bound.plan.stage(node) {
        answer.read = lineage::read(&stage.work, received, &record.sources);
    }
    answer.pointers = record.pointers;
    let ended = summary.nodes.into_iter().find(|report| report.node == node);
    let ending = ended.map_or(Ending::Failed("did not run".into()), |report| report.ending);
    let unsound = |why: String| Trouble::unsound(format!("`{node}` {why}"));
    let action = job.bound.plan.node(node).is_some_and(|node| matches!(node.kind, NodeKind::Action(_)));
    let unsound_ending = matches!(ending, Ending::Unsound(_));
    match ending {
        Ending::Done => answer.status = Status::Done,
        Ending::Hit => answer.status = Status::Hit,
        // Nobody was asked about what it would do.
        Ending::Skipped(why) if action => {
            answer.status = Status::Hit;
            answer.reason = Some(why);
            return Ok(());
        }
        // A baseline that is not there, or that can't be scored, is for the gate to judge; the job is none the worse.
        // Only a registry that was read can say either.
        Ending::Skipped(why) | Ending::Failed(why) | Ending::Unsound(why) if baseline.is_some() => {
            let name =
                baseline.map(|baseline| format!("{}@{}", baseline.registry, baseline.pointer)).unwrap_or_default();
            let seen = answer.pointers.get(&name);
            answer.status = match (seen, unsound_ending) {
                (Some(None), false) => Status::NoBaseline,
                (Some(Some(_)), false) => Status::Unscorable,
                _ => Status::Unreachable,
            };
            answer.reason = Some(why);
            return Ok(());
        }
        Ending::Failed(why) => {
            hand_on(job, node, answer)?;
            return Err(Trouble { exit: 1, message: format!("`{node}` {why}"), help: None });
        }
        Ending::Unsound(why) => return Err(unsound(why)),
        Ending::RolledBack(why) => return Err(Trouble { exit: 10, message: why, help: None }),
        Ending::Interrupted => return Err(Trouble { exit: 130, message: "interrupted".into(), help: None }),
        other => return Err(unsound(format!("ended as nothing that a job ends as: {other:?}"))),
    }
    hand_on(job, node, answer)
}

/// Returns the approval of its release that an action stands behind, where nobody was asked for it, since the release is where
/// it would be promoted to already.
fn unasked(job: &Job<'_>, node: &str, received: &Received) -> Option<String> {
    let plan = &job.bound.plan;
    let node = plan.node(node)?;
    let there = |release: &str| received.answers.get(release).is_some_and(|answer| answer.there);
    let behind = approvals_before(node, &|name| plan.node(name)).into_iter();
    let own = |behind: &Behind<'_>| {
        plan.passed_over(behind.approval).is_some_and(|of| node.release() == Some(of) && there(of))
    };
    behind.filter(own).map(|behind| behind.approval.name.clone()).next()
}
