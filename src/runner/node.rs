//! Does what one node is for, with what came in, and says so in its answer, however it ends.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Decided, FORMAT, Made, Status};
use super::exchange::{self, Received, hand_on, write};
use super::lineage::{self, Lineage};
use super::{Job, Trouble};
use crate::exec::{self, Ending, Listener, Options, Pick, RunRecord, Seen};
use crate::gate::{BaselineFile, Gate, Report};
use crate::host::Digest;
use crate::host::fs::{self, join_inside};
use crate::judge;
use crate::plan::{BaselineRun, Behind, InputKind, NodeKind, Promote, Register, Subject, Why, approvals_before};
use crate::registry::{Outcome, Provenance, RegistryError, Release};
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
        NodeKind::Gate(gate) => self::gate(job, node, gate, received, &mut answer).map(|judged| report = Some(judged)),
        NodeKind::Register(register) => {
            answer.lineage.gates.extend(gates);
            self::register(job, node, register, received, &mut answer)
        }
        NodeKind::Promote(promote) => self::promote(job, node, promote, received, &mut answer),
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

fn gate(job: &Job<'_>, node: &str, gate: &Gate, received: &Received, answer: &mut Answer) -> Result<Report, Trouble> {
    write_baseline(job, node, gate, received, answer)?;
    // Evidence that did not come in was not made in this run, whatever the checkout holds at its path.
    let mut absent = BTreeMap::new();
    for origin in gate.looks_at() {
        if let Origin::Output { stage, output } = origin
            && received.answers.get(stage).is_none_or(|answer| !answer.outputs.contains_key(output))
        {
            absent.insert(stage.clone(), "handed nothing on in this run".to_owned());
        }
    }
    exec::bring_sources(job.bound, job.setup, &gate.looks_at().collect::<Vec<_>>())?;
    let read = lineage::measured_on(gate, received)?;
    let report = judge::judge(job.bound, &job.setup.workspace, node, &absent, judge::HeldTo::OneRun(&read))
        .map_err(Trouble::unsound)?;
    let path = judge::report_path(&job.bound.prefix, node);
    judge::write(job.bound, &job.setup.workspace, &report)?;
    let text = report.to_json();
    fs::create_dirs(&job.output)?;
    fs::write_atomic(&job.output.join("gate_report.json"), text.as_bytes())?;
    fs::write_atomic(&job.output.join("summary.md"), crate::gate::render::markdown(&report).as_bytes())?;
    // What it judged has to be what others make something of.
    for input in &report.evidence {
        if let (Origin::Source(name), Some(digest)) = (&input.origin, &input.digest) {
            answer.lineage.source(name, digest, node);
        }
    }
    answer.lineage.gates.insert(node.to_owned(), Digest::of(text.as_bytes()).to_string());
    answer.texts.insert(path, text);
    answer.status = Status::Decided;
    answer.reason = Some(report.reason.clone());
    // A question is no answer: what waits for the gate waits for the approval too, which the platform sees to.
    answer.exit = if report.is_waiting() { 0 } else { report.exit_code() };
    answer.gate = Some(Decided::of(&report));
    Ok(report)
}

/// Writes down what the jobs before found of the baseline, where the gate looks for it.
fn write_baseline(
    job: &Job<'_>,
    node: &str,
    gate: &Gate,
    received: &Received,
    answer: &mut Answer,
) -> Result<(), Trouble> {
    let Some(baseline) = &gate.baseline else { return Ok(()) };
    let (registry, pointer) = (baseline.registry.as_str(), baseline.pointer.as_str());
    let declared = job.bound.plan.node(node).map(|node| node.waits.as_slice()).unwrap_or_default();
    let stages: BTreeSet<&str> =
        declared.iter().filter(|wait| wait.why == Why::Baseline).map(|wait| wait.node.as_str()).collect();
    let mut file = match sighted(job, registry, pointer, &stages, received)? {
        Sight::Absent => BaselineFile::absent(node, registry, pointer),
        Sight::Unreachable(why) => BaselineFile::unreachable(node, registry, pointer, &why),
        Sight::Unscorable(seen, why) => {
            BaselineFile::unscorable(node, registry, pointer, &seen.version, &seen.digest.to_string(), &why)
        }
        Sight::Scored(seen) => BaselineFile::scored(node, registry, pointer, &seen.version, &seen.digest.to_string()),
    };
    if let (Some(version), true) = (file.version.clone(), baseline.recorded) {
        let kept = release(job).open(registry).and_then(|open| open.version(&version)).map_err(trouble)?;
        let inputs = kept.map(|kept| kept.metadata.inputs).unwrap_or_default();
        if let Some(why) = judge::measured_on_other_data(&job.bound.plan, gate, &version, &inputs) {
            file = BaselineFile::unreachable(node, registry, pointer, &why);
        }
    }
    if let Some(version) = file.version.clone() {
        let registered = job.bound.plan.nodes.iter().find_map(|node| match &node.kind {
            NodeKind::Register(register) if register.registry == registry => register.metrics.clone(),
            _ => None,
        });
        if let Some(origin) = registered
            && let Some(text) = release(job).open(registry).and_then(|open| open.metrics(&version)).map_err(trouble)?
        {
            let path = BaselineFile::recorded_path(&job.bound.prefix, node);
            fs::write_atomic(&join_inside(&job.setup.workspace, &path)?, text.as_bytes())?;
            let kept = release(job).open(registry).and_then(|open| open.version(&version)).map_err(trouble)?;
            if let Some(class) = kept.and_then(|kept| kept.metadata.notes.get(judge::machine::NOTE).cloned()) {
                file.machines.insert(origin.clone(), class);
            }
            file.recorded.insert(origin, path);
        }
    }
    let seen = file.version.clone().zip(file.digest.as_deref().and_then(|digest| digest.parse().ok()));
    answer
        .pointers
        .insert(format!("{registry}@{pointer}"), seen.map(|(version, digest): (_, Digest)| Seen { version, digest }));
    Ok(judge::write_baseline(job.bound, &job.setup.workspace, &file)?)
}

enum Sight {
    Absent,
    Unreachable(String),
    Unscorable(Seen, String),
    Scored(Seen),
}

/// Puts together what the jobs that scored the baseline saw; without any, looks at the registry itself.
fn sighted(
    job: &Job<'_>,
    registry: &str,
    pointer: &str,
    stages: &BTreeSet<&str>,
    received: &Received,
) -> Result<Sight, Trouble> {
    if stages.is_empty() {
        return Ok(match release(job).open(registry).and_then(|open| open.pointer(pointer)) {
            Err(error) => Sight::Unreachable(error.to_string()),
            Ok(None) => Sight::Absent,
            Ok(Some(found)) => Sight::Scored(Seen { version: found.version, digest: found.digest }),
        });
    }
    let mut versions = BTreeSet::new();
    let mut unscorable = None;
    for stage in stages {
        let Some(answer) = received.answers.get(*stage) else {
            return Ok(Sight::Unreachable(format!("`{stage}` handed nothing on")));
        };
        let reason = answer.reason.clone().unwrap_or_default();
        match answer.status {
            Status::Unreachable => return Ok(Sight::Unreachable(reason)),
            Status::Unscorable => unscorable = Some(reason),
            _ => {}
        }
        // Not having looked is not having found nothing.
        let Some(seen) = answer.pointers.get(&format!("{registry}@{pointer}")).cloned() else {
            return Ok(Sight::Unreachable(format!("`{stage}` did not look at `{registry}@{pointer}`")));
        };
        if (answer.status == Status::NoBaseline) != seen.is_none() {
            return Ok(Sight::Unreachable(format!("`{stage}` contradicts itself about `{registry}@{pointer}`")));
        }
        versions.insert(seen.map(|seen| (seen.version, seen.digest.to_string())));
    }
    let Some(first) = versions.pop_first().filter(|_| versions.is_empty()) else {
        return Ok(Sight::Unreachable(format!("`{registry}@{pointer}` was moved while this run scored it")));
    };
    Ok(match (first, unscorable) {
        (None, _) => Sight::Absent,
        (Some((version, digest)), why) => {
            let seen = Seen { version, digest: digest.parse()? };
            match why {
                Some(why) => Sight::Unscorable(seen, why),
                None => Sight::Scored(seen),
            }
        }
    })
}

fn release<'j>(job: &'j Job<'_>) -> Release<'j> {
    Release { bound: job.bound, workspace: &job.setup.workspace, run: &job.run, clock: job.setup.clock.clone() }
}

fn trouble(error: RegistryError) -> Trouble {
    Trouble { exit: error.exit_code(), message: error.to_string(), help: None }
}

fn register(
    job: &Job<'_>,
    node: &str,
    register: &Register,
    received: &Received,
    answer: &mut Answer,
) -> Result<(), Trouble> {
    let made = |origin: &Origin| match origin {
        Origin::Output { stage, output } => received.answers.get(stage)?.outputs.get(output),
        Origin::Source(_) | Origin::Pointer { .. } => None,
    };
    let needed = [&register.model].into_iter().chain(&register.with).chain(&register.metrics);
    if let Some(missing) = needed.into_iter().find(|origin| made(origin).is_none()) {
        return Err(Trouble::unsound(format!("`{missing}`, which is to be registered, was not handed on")));
    }
    let report = |gate: &str| {
        let text = received.answers.get(gate)?.texts.get(&judge::report_path(&job.bound.prefix, gate))?;
        Report::from_json(text).ok()
    };
    let model = made(&register.model).map(|made| made.digest);
    let measured = register.metrics.as_ref().and_then(|origin| machine(job, origin, made(origin)?));
    let beside = register.with.iter().chain(&register.metrics);
    let provenance = Provenance {
        model,
        made: beside.filter_map(|origin| Some((origin.to_string(), made(origin)?.digest))).collect(),
        inputs: answer.lineage.inputs(),
        gates: answer.lineage.gates.clone(),
        // On a platform its own records say who approved.
        approvals: BTreeMap::new(),
        numbers: judge::numbers::of(job.bound, node, register, model, report),
        commit: job.commit.clone(),
        notes: measured.into_iter().collect(),
    };
    let registered = release(job).register(node, provenance).map_err(trouble)?;
    answer.status = if registered.new { Status::Done } else { Status::Hit };
    let version = registered.version;
    if let Some(why) = release(job).rejected(node, &version.digest).map_err(trouble)? {
        return Err(Trouble { exit: 10, message: why, help: None });
    }
    answer.pointers = before_release(job, node, received, &version.id)?;
    answer.there = is_there(job, node, &answer.pointers, &version.digest);
    answer.reason = Some(format!("version `{}` in `{}`", version.id, register.registry));
    answer.release = Some(exec::Release { version: version.id, digest: version.digest, new: registered.new });
    Ok(())
}

/// Tells whether every pointer that a release would be given named its model before this run. One that this run does not
/// move, or did not look at, says nothing: then it is not there.
fn is_there(job: &Job<'_>, node: &str, pointers: &BTreeMap<String, Option<Seen>>, digest: &Digest) -> bool {
    let moves = job.bound.plan.nodes.iter().filter_map(|other| match &other.kind {
        NodeKind::Promote(promote) if promote.release == node => Some(promote),
        _ => None,
    });
    let named = |promote: &Promote| {
        let seen = pointers.get(&format!("{}@{}", promote.registry, promote.pointer));
        seen.and_then(Option::as_ref).is_some_and(|seen| seen.digest == *digest)
    };
    let all: Vec<bool> = moves.map(named).collect();
    !all.is_empty() && all.into_iter().all(|there| there)
}

/// Returns where the pointers that a release will be given stood before it: as the jobs before saw them, else now. What
/// promotes it expects that, and an action behind the promotion is told it as `previous`.
fn before_release(
    job: &Job<'_>,
    node: &str,
    received: &Received,
    version: &str,
) -> Result<BTreeMap<String, Option<Seen>>, Trouble> {
    let mut all = BTreeMap::new();
    for other in &job.bound.plan.nodes {
        let NodeKind::Promote(promote) = &other.kind else { continue };
        if promote.release != node || job.bound.skipped.contains_key(&other.name) {
            continue;
        }
        let name = format!("{}@{}", promote.registry, promote.pointer);
        if let Some(seen) = received.answers.values().find_map(|answer| answer.pointers.get(&name)) {
            all.insert(name, seen.clone());
            continue;
        }
        let open = release(job).open(&promote.registry).map_err(trouble)?;
        let found = open.pointer(&promote.pointer).map_err(trouble)?;
        let seen = match found {
            // An earlier attempt of this very run has moved it.
            Some(pointer) if pointer.run == job.run && pointer.version == version => {
                let before = pointer.previous.map(|id| open.version(&id)).transpose().map_err(trouble)?.flatten();
                before.map(|before| Seen { version: before.id, digest: before.digest })
            }
            found => found.map(|pointer| Seen { version: pointer.version, digest: pointer.digest }),
        };
        all.insert(name, seen);
    }
    Ok(all)
}

/// Returns the class of machine of metrics, as a note of what is registered with them.
fn machine(job: &Job<'_>, origin: &Origin, made: &Made) -> Option<(String, String)> {
    let class = judge::machine::class(job.bound, &job.setup.workspace, origin, &made.digest.to_string())?;
    Some((judge::machine::NOTE.to_owned(), class))
}

/// Makes sure that every gate that the node waits for said yes, and returns the digests of their reports. A platform's graph
/// says so too; but that is text that can be edited. Where gates only advise, they hold nothing up, not even by their absence;
/// an approval that one asks for is the platform's affair.
pub(super) fn admitted(job: &Job<'_>, node: &str, received: &Received) -> Result<BTreeMap<String, String>, Trouble> {
    let mut gates = BTreeMap::new();
    let waits = job.bound.plan.node(node).map(|node| node.waits.as_slice()).unwrap_or_default();
    for wait in waits {
        let Some(NodeKind::Gate(_)) = job.bound.plan.node(&wait.node).map(|node| &node.kind) else { continue };
        let Some(answer) = received.answers.get(&wait.node) else {
            if !job.bound.gates_block {
                continue;
            }
            return Err(Trouble::unsound(format!("the report of `{}` was not handed on", wait.node)));
        };
        if answer.gate.as_ref().is_none_or(|gate| !gate.lets_go_on) {
            return Err(Trouble::unsound(format!(
                "`{}` did not let go on, and `{node}` was started all the same",
                wait.node
            )));
        }
        let path = judge::report_path(&job.bound.prefix, &wait.node);
        if let Some(report) = answer.texts.get(&path) {
            gates.insert(wait.node.clone(), Digest::of(report.as_bytes()).to_string());
        }
    }
    Ok(gates)
}

fn promote(
    job: &Job<'_>,
    node: &str,
    promote: &Promote,
    received: &Received,
    answer: &mut Answer,
) -> Result<(), Trouble> {
    let release = received.answers.get(&promote.release).and_then(|answer| answer.release.clone());
    let release = release.ok_or_else(|| Trouble::unsound(format!("`{}` was not handed on", promote.release)))?;
    let name = format!("{}@{}", promote.registry, promote.pointer);
    let mut compared = BTreeSet::new();
    for gate in &promote.compared_by {
        let seen = received.answers.get(gate).and_then(|answer| answer.pointers.get(&name));
        let seen = seen.ok_or_else(|| {
            Trouble::unsound(format!("`{gate}` does not say which version of `{name}` it compared with"))
        })?;
        compared.insert(seen.as_ref().map(|seen| seen.version.clone()));
    }
    let expected = match compared.len() {
        // Nothing compared: what any job of this run saw first, else what stands there now.
        0 => match received.answers.values().find_map(|answer| answer.pointers.get(&name)) {
            Some(seen) => seen.as_ref().map(|seen| seen.version.clone()),
            None => {
                let open = self::release(job).open(&promote.registry).map_err(trouble)?;
                open.pointer(&promote.pointer).map_err(trouble)?.map(|pointer| pointer.version)
            }
        },
        1 => compared.pop_first().flatten(),
        _ => {
            return Err(Trouble::unsound(format!("gates compared with several versions of `{name}`")).help("run again"));
        }
    };
    let text = |version: Option<&str>| version.map_or("no version".to_owned(), |id| format!("`{id}`"));
    match self::release(job).promote(node, &release.version, expected.as_deref()).map_err(trouble)? {
        Outcome::Promoted(pointer) => {
            answer.reason = Some(format!("`{name}` is `{}`", pointer.version));
        }
        Outcome::AlreadyThere(pointer) => {
            answer.status = Status::Hit;
            answer.reason = Some(format!("`{name}` is `{}` already", pointer.version));
        }
        Outcome::Rejected(rejection) => {
            return Err(Trouble { exit: 10, message: rejection.told(&promote.registry), help: None });
        }
        Outcome::Moved { found } => {
            let found = text(found.as_ref().map(|pointer| pointer.version.as_str()));
            let message = format!(
                "`{name}` names {found}, and this run compared with {}: somebody moved it",
                text(expected.as_deref())
            );
            return Err(Trouble::unsound(message)
                .help("re-run all jobs, not only the failed ones: the gate has to compare with that version"));
        }
    }
    Ok(())
}
