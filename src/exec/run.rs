//! A run from its first node to its last: hands nodes to workers as the schedule allows, tells what happens, and keeps
//! the record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::context::{Options, Run, Setup};
use super::event::{Event, Listener, NodeReport};
use super::held::{self, Held};
use super::journal::Journal;
use super::nodes;
use super::pick::{Chosen, choose};
use super::record::{NodeRecord, RunRecord, lines, new_run, read_nodes, share_nodes, write_nodes};
use super::stand::{self, Part, SHOWN, Untouched};
use super::state::{Ending, Schedule, exit_code};
use super::tokens::{Tokens, slots};
use crate::beside::both;
use crate::cache::{Memory, Store};
use crate::host::{checkout, clock};
use crate::plan::{Bound, Node, NodeKind};

/// How often the coordinator looks at the interrupt while nodes run.
const TICK: Duration = Duration::from_millis(25);

/// How a run came out.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its id.
    pub run: String,
    /// The exit code.
    pub exit: u8,
    /// How long it took.
    pub took: Duration,
    /// The nodes that were wanted, in the order of declarations; those that had nothing to do only if they are few.
    pub nodes: Vec<NodeReport>,
    /// How many stages stood well, and how many nodes are skipped, that are not among the nodes.
    pub unlisted: (usize, usize),
}

/// Why a run could not even begin, or not be brought to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// The exit code.
    pub exit: u8,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

impl RunError {
    pub(super) fn new(exit: u8, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<crate::host::Error> for RunError {
    fn from(error: crate::host::Error) -> Self {
        Self::new(1, error.to_string())
    }
}

/// Runs what is wanted of a plan.
pub fn run(
    bound: &Bound,
    setup: &Setup,
    options: &Options,
    resume: Option<&RunRecord>,
    listener: &dyn Listener,
) -> Result<Summary, RunError> {
    let chosen = choose(bound, options)?;
    if let Some(before) = resume {
        same_work(bound, before)?;
    }
    conduct(Work { bound, chosen, resume, part: None }, setup, options, listener)
}

/// Gives the nodes their turn that have to have it, from how things stand.
pub fn go_on(part: &Part, setup: &Setup, options: &Options, listener: &dyn Listener) -> Result<Summary, RunError> {
    let here = part.chosen.iter().enumerate();
    let wanted = here.filter(|&(_, &index)| part.wanted[index]).map(|(here, _)| here).collect();
    let chosen = Chosen { wanted, ..Chosen::default() };
    conduct(Work { bound: &part.bound, chosen, resume: None, part: Some(part) }, setup, options, listener)
}

/// Records a run with nothing to do.
pub fn nothing_to_do(
    untouched: &Untouched,
    setup: &Setup,
    all: bool,
    listener: &dyn Listener,
) -> Result<Summary, RunError> {
    let header = &untouched.header;
    let state = setup.workspace.join(".mlpc");
    let id = new_run(&state, &setup.clock)?;
    let folder = state.join("runs").join(&id);
    let journal = Journal::open(&folder)?;
    let listener = |event: &Event| {
        journal.event(event);
        listener.event(event);
    };
    let time = clock::iso(setup.clock.now());
    let record =
        RunRecord { run: id.clone(), started: time.clone(), ended: Some(time), exit: Some(0), ..header.run.clone() };
    record.write(&folder)?;
    share_nodes(&state, &header.run.run, &folder);
    listener(&Event::RunStarted {
        format: super::event::FORMAT,
        run: id.clone(),
        pipeline: record.pipeline.clone(),
        profile: record.profile.clone(),
        nodes: header.wanted,
    });
    let nodes = if all || header.wanted <= SHOWN { untouched.reports() } else { Vec::new() };
    for report in &nodes {
        listener(&Event::NodeEnded(report.clone()));
    }
    let took = untouched.begun.elapsed();
    listener(&Event::RunEnded { run: id.clone(), exit: 0, milliseconds: milliseconds(took) });
    journal.finish()?;
    let listed = !nodes.is_empty();
    let unlisted = if listed { (0, 0) } else { (header.served, header.skipped) };
    Ok(Summary { run: id, exit: 0, took, nodes, unlisted })
}

/// What a run is about.
struct Work<'w> {
    bound: &'w Bound,
    chosen: Chosen,
    resume: Option<&'w RunRecord>,
    part: Option<&'w Part>,
}

fn conduct(work: Work<'_>, setup: &Setup, options: &Options, listener: &dyn Listener) -> Result<Summary, RunError> {
    let begin = Instant::now();
    let Work { bound, chosen, resume, part } = work;
    // Nodes that run one by one elsewhere are told what they go on with; nothing of it stands on this machine.
    let earlier = resume.filter(|_| !options.alone);
    let active = chosen.active();
    nodes::rollouts_refused(bound, &active, options.release && !options.alone)?;
    let state = setup.workspace.join(".mlpc");
    let store = Store::open(&state)?;
    let own;
    let memory = match part.and_then(|part| part.memory.as_ref()) {
        Some(memory) => memory,
        None => {
            own = Memory::open(&store.memory_file(), &setup.workspace);
            &own
        }
    };
    let id = match resume {
        Some(before) => before.run.clone(),
        None => new_run(&state, &setup.clock)?,
    };
    let journal = Journal::open(&state.join("runs").join(&id))?;
    let listener = |event: &Event| {
        journal.event(event);
        listener.event(event);
    };
    let mut run = Run::new(bound, (setup, options), (&store, memory), &listener, id.clone());
    if let Some(part) = part {
        run.stand_on(part);
    }
    run.leave_out(&chosen);
    run.begin_at(if options.release && !options.alone { checkout::told(&setup.workspace) } else { None });
    let run = run;
    if let Some(before) = resume {
        run.go_on(before);
    }
    if let Some(before) = earlier {
        held::check(&run, before)?;
    }
    nodes::refused(&run, &active)?;
    super::software::lock(&run, &active)?;
    missing_secrets(&run, &active)?;
    let mut record = RunRecord::new(&id, bound, &options.pick, &setup.clock);
    record.release = options.release && !options.alone;
    if let Some(before) = resume {
        record.started.clone_from(&before.started);
    }
    if let Some(before) = earlier {
        record.goes_on(before);
    }
    // A run without it is not gone on with: nobody could tell what it had read.
    if resume.is_none() {
        Held::so_far(&run).write(&run.folder)?;
    }
    record.write(&run.folder)?;
    look_at_pointers(&run, &active);
    // What decides and releases is known to whoever comes after us, even if we are killed.
    let note = |kind: &str| {
        let seen = RunRecord { pointers: run.pointers(), releases: run.releases(), ..record.clone() };
        // The same is written at the end, where a failure is told.
        let _ = seen.write(&run.folder);
        // What a run goes on with is held already.
        if resume.is_none() && kind != "gate" {
            let _ = Held::so_far(&run).write(&run.folder);
        }
    };
    run.tell(Event::RunStarted {
        format: super::event::FORMAT,
        run: id.clone(),
        pipeline: bound.plan.pipeline.clone(),
        profile: bound.profile.clone(),
        nodes: part.map_or(chosen.wanted.len(), |part| part.header.wanted),
    });
    let others = part.map(|part| part.others.as_slice()).unwrap_or_default();
    others.iter().for_each(|report| run.tell(Event::NodeEnded(report.clone())));
    let mut reports = drive(&run, &chosen, &note);
    // A gate that asked was decided later, by a person.
    let decided = run.gates();
    for report in &mut reports {
        if let (Some(gate), Some(now)) = (&mut report.gate, decided.get(&report.node)) {
            **gate = now.clone();
        }
    }
    // Also where only what advises, or what nobody waits for, has found it.
    let moved = run.reads.moved().map(|_| 11);
    let exit = exit_code(reports.iter().map(|report| own_exit(&run, &report.node, &report.ending)).chain(moved));
    let own: Vec<NodeRecord> = reports.iter().map(|report| kept(&run.id, report)).collect();
    let own = match earlier {
        Some(before) => going_on(run.bound, before, own),
        None => own,
    };
    let sources = part.map(|part| &part.header.run.sources).or(earlier.map(|before| &before.sources));
    record.sources = sources.cloned().unwrap_or_default();
    record.sources.extend(run.reads.sources());
    record.pointers = run.pointers();
    record.releases = run.releases();
    record.ended = Some(clock::iso(setup.clock.now()));
    record.exit = Some(exit_code(own.iter().map(|node| own_exit(&run, &node.node, &node.ending)).chain(moved)));
    // What ended well is not gone on with.
    if !record.is_over_with(&own) && !options.alone {
        Held::of(&run, &chosen, earlier, part.is_none_or(|part| part.whole))?.write(&run.folder)?;
    }
    let saved = memory.save();
    run.times.note(&reports, part.is_none_or(|part| part.whole));
    // The record and how things stand are megabytes each where there are many nodes.
    let question = options.question.as_ref().filter(|_| !options.alone);
    let gather = || stand::gather(&run, question?, part, &record, &reports);
    let (written, standing) = both(|| write_record(&run, &record, part, &own), gather);
    written?;
    // It names the record, which is there by now.
    if let (Some(standing), Some(question)) = (standing, question) {
        let _ = standing.write(question);
    }
    let took = begin.elapsed();
    run.tell(Event::RunEnded { run: id.clone(), exit, milliseconds: milliseconds(took) });
    saved?;
    journal.finish()?;
    let mut unlisted = (0, 0);
    if let Some(part) = part.filter(|part| !part.whole) {
        if part.others.is_empty() {
            let turned = part.chosen.len();
            unlisted = (part.header.wanted.saturating_sub(turned + part.header.skipped), part.header.skipped);
        }
        reports.extend(part.others.iter().cloned());
    }
    Ok(Summary { run: id, exit, took, nodes: reports, unlisted })
}

/// Writes the record with all nodes: those that did not have their turn as the last run has them.
fn write_record(
    run: &Run<'_>,
    record: &RunRecord,
    part: Option<&Part>,
    own: &[NodeRecord],
) -> Result<(), crate::host::Error> {
    let own = lines(own);
    match part.filter(|part| !part.whole) {
        None => write_nodes(&run.folder, own.iter().map(Vec::as_slice))?,
        Some(part) => {
            let before = read_nodes(run.store.state(), &part.header.run.run);
            let before: Vec<&[u8]> =
                before.strip_suffix(b"\n").unwrap_or_default().split(|&byte| byte == b'\n').collect();
            let mut own = part.chosen.iter().zip(&own).peekable();
            let wanted = (0..part.wanted.len()).filter(|&index| part.wanted[index]);
            let all = wanted.enumerate().filter_map(|(line, index)| {
                let new = own.next_if(|&(&at, _)| at == index).map(|(_, line)| line);
                new.map(Vec::as_slice).or_else(|| before.get(line).copied())
            });
            write_nodes(&run.folder, all)?;
        }
    }
    record.write(&run.folder)
}

/// Returns the exit code that a node's ending asks for.
fn own_exit(run: &Run<'_>, node: &str, ending: &Ending) -> u8 {
    match ending {
        _ if !counts(run, node, ending) => 0,
        // Nobody is asked in this run, so that nothing was decided.
        Ending::Asks(approval) if run.leaves_out(approval) => 11,
        ending => ending.exit_code(),
    }
}

/// Tells whether a node's ending counts for the exit code: gates of a profile only advise, and what a baseline that
/// can't be scored means is for its gate to say.
fn counts(run: &Run<'_>, node: &str, ending: &Ending) -> bool {
    match run.node(node).map(|node| &node.kind) {
        Some(NodeKind::Gate(_)) => run.bound.gates_block,
        Some(NodeKind::Stage(stage)) => stage.baseline.is_none() || ending.exit_code() != 1,
        _ => true,
    }
}

/// Runs all that is chosen, with a note after each node that decides or acts; returns the reports in the order of
/// declarations.
fn drive(run: &Run<'_>, chosen: &Chosen, note: &(dyn Fn(&str) + Sync)) -> Vec<NodeReport> {
    let nodes = &run.bound.plan.nodes;
    let (jobs, tokens) = (slots(run.options.jobs), Tokens::of_machine(run.options.jobs));
    let (schedule, ended) = Schedule::new(run.bound, chosen, &run.times.all(run.bound), tokens);
    let mut course = Course { run, chosen, note, schedule, reports: BTreeMap::new(), stopped: false };
    course.settle(ended);
    let course = Mutex::new(course);
    let course = || course.lock().unwrap_or_else(PoisonError::into_inner);
    // One more than there are slots, so that a gate never waits behind a training.
    let workers = jobs.min(nodes.len()) + 1;
    std::thread::scope(|scope| {
        let (tasks, queue) = mpsc::channel::<Option<usize>>();
        let (over, is_over) = mpsc::channel::<()>();
        let queue = std::sync::Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let (tasks, over, queue) = (tasks.clone(), over.clone(), std::sync::Arc::clone(&queue));
            scope.spawn(move || {
                let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok().flatten();
                let mut next = None;
                while let Some(index) = next.take().or_else(take) {
                    let report = work(run, &nodes[index]);
                    let mut course = course();
                    course.end(index, report);
                    // The first is for this thread, which need not be woken for it.
                    let mut begun = course.begin().into_iter();
                    next = begun.next();
                    begun.for_each(|index| hand(&tasks, Some(index)));
                    if course.schedule.is_over() {
                        let _ = over.send(());
                    }
                }
            });
        }
        loop {
            let mut now = course();
            now.begin().into_iter().for_each(|index| hand(&tasks, Some(index)));
            if now.schedule.is_over() {
                break;
            }
            drop(now);
            if is_over.recv_timeout(TICK).is_err() {
                run.store.scratch().tidy();
            }
        }
        (0..workers).for_each(|_| hand(&tasks, None));
    });
    std::mem::take(&mut course().reports).into_values().collect()
}

/// Hands a node to the next worker that is free, or sends one home. There is a worker as long as there is a node.
fn hand(tasks: &mpsc::Sender<Option<usize>>, task: Option<usize>) {
    let _ = tasks.send(task);
}

fn work(run: &Run<'_>, node: &Node) -> NodeReport {
    let work = std::panic::AssertUnwindSafe(|| nodes::run(run, node));
    std::panic::catch_unwind(work).unwrap_or_else(|_| {
        let ending = Ending::Failed("mlpc itself failed here; please report it".into());
        NodeReport::new(&node.name, node.kind.keyword(), ending)
    })
}

/// How far a run has come. Whoever ends a node says at once what begins, under one lock.
struct Course<'r, 'a> {
    run: &'r Run<'a>,
    chosen: &'r Chosen,
    /// Is called after each node that decides or acts.
    note: &'r (dyn Fn(&str) + Sync),
    schedule: Schedule<'r>,
    reports: BTreeMap<usize, NodeReport>,
    stopped: bool,
}

impl Course<'_, '_> {
    /// Takes a node's ending.
    fn end(&mut self, index: usize, report: NodeReport) {
        let ending = report.ending.clone();
        let stops = self.run.options.fail_fast && !matches!(own_exit(self.run, &report.node, &ending), 0 | 14);
        self.run.note_ending(&report.node, &ending);
        if report.kind != "stage" {
            (self.note)(report.kind);
        }
        self.run.tell(Event::NodeEnded(report.clone()));
        self.reports.insert(index, report);
        let mut ended = self.schedule.end(index, ending);
        if stops {
            ended.extend(self.schedule.halt(index));
        }
        self.settle(ended);
    }

    /// Returns the nodes that begin now.
    fn begin(&mut self) -> Vec<usize> {
        if self.run.setup.interrupt.is_raised() && !self.stopped {
            self.stopped = true;
            let ended = self.schedule.stop();
            self.settle(ended);
        }
        loop {
            let begun: Vec<usize> = std::iter::from_fn(|| self.schedule.start()).collect();
            if self.schedule.is_over() || self.schedule.running() > 0 {
                return begun;
            }
            let ended = self.schedule.strand();
            self.settle(ended);
        }
    }

    /// Tells of nodes that ended without having had their turn.
    fn settle(&mut self, ended: Vec<usize>) {
        let nodes = &self.run.bound.plan.nodes;
        for index in ended {
            if let Some(ending) = self.schedule.ending(index)
                && !self.reports.contains_key(&index)
                && self.chosen.wanted.contains(&index)
            {
                let report = NodeReport::new(&nodes[index].name, nodes[index].kind.keyword(), ending.clone());
                self.run.note_ending(&nodes[index].name, &report.ending);
                self.run.tell(Event::NodeEnded(report.clone()));
                self.reports.insert(index, report);
            }
        }
    }
}

/// Where no gate compares, promotion expects the pointer as it stood when the run began.
fn look_at_pointers(run: &Run<'_>, wanted: &BTreeSet<usize>) {
    for &index in wanted {
        let node = &run.bound.plan.nodes[index];
        if let NodeKind::Promote(promote) = &node.kind
            && !run.bound.skipped.contains_key(&node.name)
        {
            // A registry that can't be read is told by the node itself, when its turn comes.
            let _ = run.pointer(&promote.registry, &promote.pointer);
        }
    }
}

/// A missing secret is told before anything runs; who is served from the cache needs none, nor what this run won't come to.
fn missing_secrets(run: &Run<'_>, wanted: &BTreeSet<usize>) -> Result<(), RunError> {
    let missing = |node: &Node| {
        let work = match &node.kind {
            NodeKind::Stage(stage) => &stage.work,
            NodeKind::Action(action) => &action.work,
            _ => return None,
        };
        let missing = work.secrets.iter().find(|secret| !run.secrets.contains_key(&secret.secret))?;
        Some((node.name.clone(), missing.secret.clone()))
    };
    let nodes = wanted.iter().map(|&index| &run.bound.plan.nodes[index]);
    let missing: Vec<_> =
        nodes.filter(|node| !run.bound.skipped.contains_key(&node.name)).filter_map(missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let idle = nodes::idle(run, wanted);
    let missing: Vec<_> = missing.into_iter().filter(|(node, _)| !idle.contains(node.as_str())).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let served: BTreeSet<String> = super::predict::predict(run.bound, run.setup, run.options)?
        .into_iter()
        .filter(|prediction| prediction.what == super::predict::Expected::Hit)
        .map(|prediction| prediction.node)
        .collect();
    match missing.into_iter().find(|(node, _)| !served.contains(node)) {
        None => Ok(()),
        Some((node, secret)) => {
            let error = RunError::new(1, format!("`{node}` needs the secret `{secret}`, which has no value"));
            Err(error.help(format!("set the variable `{}`", secret.to_uppercase())))
        }
    }
}

/// A run goes on only as what it was.
fn same_work(bound: &Bound, before: &RunRecord) -> Result<(), RunError> {
    let differs = if before.plan != bound.digest {
        "the pipeline"
    } else if before.profile != bound.profile {
        "the profile"
    } else if before.params != bound.params {
        "a parameter"
    } else {
        return Ok(());
    };
    let message = format!("the run `{}` can't go on: {differs} is no longer what it was", before.run);
    Err(RunError::new(11, message).help("start a new run: `mlpc run`"))
}

/// Returns the nodes of a run that went on: what was done before stays done, however its result was found again.
fn going_on(bound: &Bound, before: &RunRecord, own: Vec<NodeRecord>) -> Vec<NodeRecord> {
    let mut nodes: BTreeMap<String, NodeRecord> =
        before.nodes.iter().map(|node| (node.node.clone(), node.clone())).collect();
    for now in own {
        if !nodes.get(&now.node).is_some_and(|was| was.stays_done(&now)) {
            nodes.insert(now.node.clone(), now);
        }
    }
    bound.plan.nodes.iter().filter_map(|node| nodes.remove(&node.name)).collect()
}

fn kept(run: &str, report: &NodeReport) -> NodeRecord {
    NodeRecord {
        run: run.to_owned(),
        node: report.node.clone(),
        kind: report.kind.to_owned(),
        ending: report.ending.clone(),
        why: report.why.as_ref().map(ToString::to_string),
        key: report.key.clone(),
        milliseconds: report.milliseconds,
        outputs: report.outputs.iter().cloned().collect(),
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
