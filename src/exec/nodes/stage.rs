//! A stage: looked up in the cache by its key, else run in a folder of its own, checked, stored and published.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cache::{Key, Produced, Provenance, Recorded, ResultRecord, Take, WorkLock, changes};
use crate::exec::context::{Run, Stop};
use crate::exec::event::{Event, NodeReport, Reason};
use crate::exec::folder::{Folder, Script};
use crate::exec::prepare::{self, Prepared};
use crate::exec::state::Ending;
use crate::exec::watch::Watch;
use crate::exec::{hint, infer, outputs, sharing, software, stand};
use crate::host::fs;
use crate::host::process::{self, Ended, Outcome};
use crate::host::{Context, clock, machine};
use crate::plan::{Node, Rerun, Retry, Stage, Work};

/// How many lines of a failed stage's log are shown.
const TAIL: usize = 20;

/// A stage that took so many milliseconds is worth a flush of the file system by itself.
const WORTH_SYNCING: u64 = 2000;

/// What the cache says of a stage.
#[derive(Debug)]
pub(in crate::exec) enum Lookup {
    /// Its result is known.
    Hit(Box<ResultRecord>),
    /// It has to run.
    Miss(Reason),
}

pub(super) fn run(run: &Run<'_>, node: &Node, stage: &Stage, report: &mut NodeReport) -> Result<Ending, Stop> {
    if run.stands(&node.name, stage, report)? {
        return Ok(Ending::Hit);
    }
    let prepared = prepare::stage(run, &node.name, stage)?;
    let ending = serve_or_make(run, node, stage, &prepared, report)?;
    // What was made of an input that moved is no result, and must not stand as one either.
    if run.options.question.is_some()
        && run.reads.unsettled(&node.name).is_none()
        && let Some(facts) = stand::facts(run, &node.name, stage, &prepared)
    {
        run.note_facts(&node.name, facts);
    }
    Ok(ending)
}

fn serve_or_make(
    run: &Run<'_>,
    node: &Node,
    stage: &Stage,
    prepared: &Prepared,
    report: &mut NodeReport,
) -> Result<Ending, Stop> {
    report.key = Some(prepared.key.to_string());
    let why = match served(run, node, stage, prepared, report)? {
        None => return Ok(Ending::Hit),
        Some(why) => why,
    };
    let _lock = lock(run, &prepared.key)?;
    // Another run, or another node with the same work, may have been at it while we waited.
    let again = !matches!(why, Reason::Always | Reason::Forced);
    if again && sharing::is_known(run, prepared) && served(run, node, stage, prepared, report)?.is_none() {
        return Ok(Ending::Hit);
    }
    report.why = Some(why.clone());
    run.tell(Event::NodeStarted { node: node.name.clone(), why, expected: run.times.of(&node.name) });
    for secret in &stage.work.secrets {
        if !run.secrets.contains_key(&secret.secret) {
            let variable = secret.secret.to_uppercase();
            return Err(Stop::Failed(format!("the secret `{}` has no value: set `{variable}`", secret.secret)));
        }
    }
    let (begin, started) = (Instant::now(), run.setup.clock.now());
    if prepared.manifest.isolation == "off" {
        crate::exec::dvc::stand_ready(run, prepared)?;
    }
    let watch = Watch::begin(run, &stage.work, prepared);
    let made = attempts(run, node, stage, prepared, report);
    report.milliseconds = Some(milliseconds(begin.elapsed()));
    let (outputs, status) = made?;
    let moved = watch.moved(run);
    if let Some(path) = &moved {
        // What one job made is handed on to others, and nothing goes with it that says so.
        if run.options.alone {
            return Err(Stop::Unsound(format!("read `{path}`, which changed meanwhile: it has no isolation")));
        }
        run.note(
            &node.name,
            format!("`{path}` changed while the stage ran: its result is not kept in the cache, and no gate counts it"),
        );
        run.reads.unsettle(&node.name, format!("`{path}` changed while `{}` ran, which has no isolation", node.name));
    }
    let log = log_path(run, &node.name);
    let log = if log.exists() { Some(run.store.put(&log, Take::Copy)?.digest) } else { None };
    let provenance = Provenance {
        node: node.name.clone(),
        run: run.id.clone(),
        writer: format!("mlpc {}", env!("CARGO_PKG_VERSION")),
        machine: machine::class().to_owned(),
        started: clock::iso(started),
        milliseconds: report.milliseconds.unwrap_or(0),
        status,
        log,
    };
    let record = ResultRecord::new(prepared.key, prepared.manifest.parts(), outputs, provenance);
    if !outputs::publish(run, &node.name, stage, &record)? {
        return Err(Stop::Failed("the outputs were lost before they could be published".into()));
    }
    // What was made of such a result, however well kept apart, is one of it.
    if run.reads.unsettled(&node.name).is_none() {
        keep(run, &node.name, stage, &record)?;
    }
    told(report, &record);
    Ok(Ending::Done)
}

/// Serves the stage from the cache; returns why that can't be.
fn served(
    run: &Run<'_>,
    node: &Node,
    stage: &Stage,
    prepared: &Prepared,
    report: &mut NodeReport,
) -> Result<Option<Reason>, Stop> {
    match look_up(run, node, stage, prepared) {
        Lookup::Miss(why) => Ok(Some(why)),
        Lookup::Hit(record) => {
            if !outputs::publish(run, &node.name, stage, &record)? {
                run.store.forget(&prepared.key)?;
                run.store.give_back(&prepared.key)?;
                return Ok(Some(Reason::Lost));
            }
            if run.reads.unsettled(&node.name).is_none() {
                run.store.note_latest(run.profile(), &node.name, &prepared.key)?;
            }
            told(report, &record);
            Ok(None)
        }
    }
}

/// Asks the cache about a stage.
pub(in crate::exec) fn look_up(run: &Run<'_>, node: &Node, stage: &Stage, prepared: &Prepared) -> Lookup {
    if run.options.force.covers(&node.name) {
        return Lookup::Miss(Reason::Forced);
    }
    if stage.rerun == Rerun::Always {
        let made = made_before(run, node, prepared);
        return made.map_or(Lookup::Miss(Reason::Always), |record| Lookup::Hit(Box::new(record)));
    }
    if let Some(record) = sharing::known(run, &node.name, prepared) {
        return Lookup::Hit(Box::new(record));
    }
    Lookup::Miss(match run.store.latest(run.profile(), &node.name) {
        None => Reason::First,
        Some(latest) => match changes(&latest.manifest, &prepared.manifest.parts()) {
            none if none.is_empty() => Reason::Lost,
            changes => Reason::Changed(changes),
        },
    })
}

/// Returns what this run made of a stage before it waited for a person: what is to run every time runs once in each run, and
/// what somebody was asked about stays what it was.
fn made_before(run: &Run<'_>, node: &Node, prepared: &Prepared) -> Option<ResultRecord> {
    let was = run.done_before(&node.name)?;
    let same = |record: &ResultRecord| outputs_of(record).collect::<BTreeMap<_, _>>() == was.outputs;
    let found = run.store.result(&prepared.key).filter(same);
    if found.is_none() {
        run.note(&node.name, "what this run made of it before is not kept any more, so that it runs again".to_owned());
    }
    found
}

fn told(report: &mut NodeReport, record: &ResultRecord) {
    report.outputs = outputs_of(record).collect();
}

/// Iterates over the names of outputs with their digests.
fn outputs_of(record: &ResultRecord) -> impl Iterator<Item = (String, String)> {
    record.outputs.iter().map(|output| (output.role.clone(), output.artifact.digest.to_string()))
}

/// Waits for whoever does the same work, here or in another run.
fn lock<'r>(run: &'r Run<'_>, key: &Key) -> Result<WorkLock<'r>, Stop> {
    loop {
        if let Some(lock) = run.store.try_lock(key)? {
            return Ok(lock);
        }
        if run.setup.interrupt.is_raised() {
            return Err(Stop::Interrupted);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Records a result. What took long is made durable before; the rest is at the end of the run, all at once: until
/// then a power cut can cost some quick stages, and never more, since whatever is read is hashed again.
fn keep(run: &Run<'_>, node: &str, stage: &Stage, record: &ResultRecord) -> Result<(), Stop> {
    if record.provenance.milliseconds >= WORTH_SYNCING {
        run.store.sync()?;
    }
    // What is to run every time is expected to come out different.
    if let Recorded::Different(outputs) = run.store.record(record)?
        && stage.rerun != Rerun::Always
    {
        let names: Vec<_> = outputs.iter().map(|name| format!("`{name}`")).collect();
        run.note(node, format!("not deterministic: {} came out different from the same work", names.join(", ")));
    }
    sharing::save(run, node, record);
    Ok(run.store.note_latest(run.profile(), node, &record.key)?)
}

/// Runs the command until it comes out well or its retries are used up.
fn attempts(
    run: &Run<'_>,
    node: &Node,
    stage: &Stage,
    prepared: &Prepared,
    report: &mut NodeReport,
) -> Result<(Vec<Produced>, i32), Stop> {
    let mut left = stage.retry.as_ref().map_or(0, |retry| retry.times);
    loop {
        let failure = match attempt(run, node, stage, prepared)? {
            Attempt::Made(outputs, status) => return Ok((outputs, status)),
            Attempt::Failed(failure) => failure,
        };
        let may_retry = stage.retry.as_ref().is_some_and(|retry| is_cause(retry, failure.ended));
        if left == 0 || !may_retry || run.setup.interrupt.is_raised() {
            let log = log_path(run, &node.name);
            let shown = log.strip_prefix(run.workspace()).unwrap_or(&log);
            report.log = log.exists().then(|| shown.display().to_string());
            report.tail = failure.tail;
            report.help = failure.help;
            return Err(failure.stop);
        }
        left -= 1;
        run.note(&node.name, format!("{}; tried again", describe(&failure.stop)));
    }
}

enum Attempt {
    Made(Vec<Produced>, i32),
    Failed(Failure),
}

struct Failure {
    stop: Stop,
    ended: Option<Ended>,
    tail: Vec<String>,
    help: Option<String>,
}

fn describe(stop: &Stop) -> &str {
    match stop {
        Stop::Failed(why) | Stop::Unsound(why) | Stop::Skip(why) => why,
        Stop::Interrupted => "interrupted",
    }
}

/// `None`: the process could not be started at all.
fn is_cause(retry: &Retry, ended: Option<Ended>) -> bool {
    let named = |cause: &str| retry.causes.iter().any(|named| named == cause || named == "infrastructure");
    match ended {
        None => named("spawn"),
        // The kernel ends with SIGKILL what has used up the memory.
        Some(Ended::Signalled(9)) => named("oom"),
        Some(Ended::TimedOut) => retry.causes.iter().any(|cause| cause == "timeout"),
        Some(Ended::Exited(status)) => retry.statuses.contains(&status) || (status == 137 && named("oom")),
        Some(Ended::Signalled(_) | Ended::Interrupted) => false,
    }
}

fn attempt(run: &Run<'_>, node: &Node, stage: &Stage, prepared: &Prepared) -> Result<Attempt, Stop> {
    let paths: Vec<&str> = stage.outputs.iter().map(|output| output.path.as_str()).collect();
    if prepared.manifest.isolation == "off" {
        outputs::clear_shared(run, &node.name, stage)?;
    }
    let folder = Folder::make(run, &node.name, prepared, &paths)?;
    link_checkpoint(run, stage, prepared, &folder)?;
    let outcome = command(run, node, &stage.work, prepared, &folder);
    let attempt = judge(run, node, stage, prepared, &folder, outcome)?;
    if matches!(attempt, Attempt::Failed(_)) {
        outputs::keep_always(run, &node.name, stage, &folder);
    } else if stage.checkpoint.is_some() {
        fs::remove(&checkpoint_path(run, prepared))?;
    }
    leave(run, node, folder)?;
    Ok(attempt)
}

fn judge(
    run: &Run<'_>,
    node: &Node,
    stage: &Stage,
    prepared: &Prepared,
    folder: &Folder,
    outcome: Result<(Outcome, Vec<String>), Stop>,
) -> Result<Attempt, Stop> {
    let failed = |stop, ended, tail: Vec<String>, help| Ok(Attempt::Failed(Failure { stop, ended, tail, help }));
    let (outcome, tail) = match outcome {
        Ok(outcome) => outcome,
        Err(stop) => return failed(stop, None, Vec::new(), None),
    };
    let help = |tail: &[String]| {
        let declared: BTreeSet<String> = prepared
            .code
            .iter()
            .map(|file| file.path.clone())
            .chain(prepared.inputs.iter().map(|input| input.path.clone()))
            .chain(stage.outputs.iter().map(|output| output.path.clone()))
            .collect();
        let add = match hint::undeclared(&tail.join("\n"), run.workspace(), &folder.work, &declared)? {
            hint::Missed::Module(pattern) => infer::Lacks::Code(pattern).told(&node.name),
            hint::Missed::File(path) => {
                let as_code = run.code.files(&["**".to_owned()]).is_ok_and(|files| files.contains_key(&path));
                match infer::lacking(run.bound, node, stage, &path, as_code) {
                    // Of a plan that was kept, the stages that have nothing to do may be left out.
                    infer::Lacks::Source(..) if run.code.is_output(&path) => {
                        format!("another stage makes it: add `in NAME = STAGE.OUTPUT` to `{}`", node.name)
                    }
                    lacks => lacks.told(&node.name),
                }
            }
        };
        Some(format!("the workspace has that file, but the stage did not declare it: {add}"))
    };
    match outcome.ended {
        Ended::Interrupted => Err(Stop::Interrupted),
        Ended::TimedOut => {
            let limit = crate::types::duration_text(stage.work.timeout.unwrap_or(0));
            failed(Stop::Failed(format!("took longer than {limit}")), Some(outcome.ended), tail, None)
        }
        Ended::Signalled(signal) => {
            failed(Stop::Failed(format!("was ended by signal {signal}")), Some(outcome.ended), tail, None)
        }
        Ended::Exited(status) if !succeeds(stage, status) => {
            let help = help(&tail);
            failed(Stop::Failed(format!("exited with status {status}")), Some(outcome.ended), tail, help)
        }
        Ended::Exited(status) => match outputs::collect(run, stage, folder) {
            Ok(outputs) => Ok(Attempt::Made(outputs, status)),
            Err(stop) => {
                let help = help(&tail);
                failed(stop, Some(outcome.ended), tail, help)
            }
        },
    }
}

fn succeeds(stage: &Stage, status: i32) -> bool {
    if stage.status.is_empty() { status == 0 } else { stage.status.contains(&status) }
}

/// Runs the command once; returns how it ended and the last lines that it wrote.
pub(super) fn command(
    run: &Run<'_>,
    node: &Node,
    work: &Work,
    prepared: &Prepared,
    folder: &Folder,
) -> Result<(Outcome, Vec<String>), Stop> {
    let script = if run.options.keep { Script::InFile } else { Script::AsText };
    let (spec, _container) = software::enter(run, work, folder, folder.spec(run, work, prepared, script)?)?;
    let path = log_path(run, &node.name);
    // What an attempt before this one left there. A command that says nothing has no log.
    fs::remove(&path)?;
    let mut log = None;
    let mut lost = None;
    let mut tail = VecDeque::with_capacity(TAIL);
    let mut say = |text: String| {
        let written = match &mut log {
            Some(log) => File::write_all(log, text.as_bytes()),
            None => begin_log(&path).and_then(|file| log.insert(file).write_all(text.as_bytes())),
        };
        if let Err(error) = written {
            lost = Some(error);
        }
        let text = text.trim_end_matches(['\n', '\r']);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(text.to_owned());
        run.tell(Event::Line { node: node.name.clone(), text: text.to_owned() });
    };
    let mut masked = run.mask.stream();
    let outcome = process::run(&spec, &run.setup.interrupt, |piece| {
        let text = masked.take(piece);
        if !text.is_empty() {
            say(text);
        }
    })?;
    let left = masked.rest();
    if !left.is_empty() {
        say(left);
    }
    if let Some(error) = lost {
        run.note(&node.name, format!("the log is not whole: {}", crate::host::error::reason(&error)));
    }
    Ok((outcome, tail.into()))
}

fn leave(run: &Run<'_>, node: &Node, folder: Folder) -> Result<(), Stop> {
    if !run.options.keep {
        return folder.leave(run);
    }
    let kept = run.store.scratch().keep(folder.root(), run.store.state(), &node.name)?;
    let shown = kept.strip_prefix(run.workspace()).unwrap_or(&kept).display().to_string();
    run.note(&node.name, format!("its folder is kept: `{shown}`"));
    Ok(())
}

fn begin_log(path: &Path) -> std::io::Result<File> {
    std::fs::create_dir_all(fs::parent(path)).and_then(|()| File::create(path))
}

/// A link, so that the checkpoint survives even if we are killed.
fn link_checkpoint(run: &Run<'_>, stage: &Stage, prepared: &Prepared, folder: &Folder) -> Result<(), Stop> {
    let Some(path) = &stage.checkpoint else { return Ok(()) };
    let kept = checkpoint_path(run, prepared);
    fs::create_dirs(&kept)?;
    if folder.shared {
        return Ok(());
    }
    let link = fs::join_inside(&folder.work, path)?;
    fs::create_dirs(fs::parent(&link))?;
    Ok(std::os::unix::fs::symlink(&kept, &link).cannot("write", &link)?)
}

fn checkpoint_path(run: &Run<'_>, prepared: &Prepared) -> std::path::PathBuf {
    run.store.state().join("checkpoints").join(prepared.key.to_string())
}

fn log_path(run: &Run<'_>, node: &str) -> std::path::PathBuf {
    Path::new(&run.folder).join("logs").join(log_name(node))
}

fn log_name(node: &str) -> String {
    format!("{}.log", crate::cache::file_name(node))
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
