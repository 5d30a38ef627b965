//! `mlpc infer`: one run of a stage in a copy of the whole workspace, traced, to find the lines that it needs. Nothing of
//! it enters the cache or the workspace.

mod lines;
mod trace;

use std::collections::{BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

pub use lines::{Change, Line};
use lines::{Known, lines};
pub(super) use lines::{Lacks, lacking};
use trace::{CALLS, Trace};

use super::context::{Force, Options, Run, Setup, Stop};
use super::event::{Event, Listener};
use super::folder::{Folder, Script};
use super::pick::{self, Pick};
use super::run::{RunError, run};
use super::{predict, prepare};
use crate::cache::{Memory, Store};
use crate::code::NEVER;
use crate::host::fs::{self, join_inside};
use crate::host::process::{self, Ended};
use crate::plan::{Bound, Isolation, Location, Node, NodeKind, RuntimeKind, Stage, Why};

/// How many lines of the command's output are kept.
const TAIL: usize = 20;

/// What a stage turned out to need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inferred {
    /// The stage.
    pub stage: String,
    /// How its command came out, if not well: then what it would have read after that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The last lines that it wrote, where it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Runs a stage once, traced.
pub fn infer(
    bound: &Bound,
    setup: &Setup,
    options: &Options,
    name: &str,
    listener: &dyn Listener,
) -> Result<Inferred, RunError> {
    let node = pick::one(bound, name)?;
    let NodeKind::Stage(stage) = &node.kind else {
        return Err(RunError::new(2, format!("`{name}` is a {}, not a stage", node.kind.keyword())));
    };
    let runtime = bound.plan.runtimes.iter().find(|runtime| Some(&runtime.name) == stage.work.runtime.as_ref());
    if runtime.is_some_and(|runtime| !matches!(runtime.kind, RuntimeKind::Python { .. })) {
        let message = format!("`{name}` runs in a container, into which `mlpc infer` can't see");
        return Err(RunError::new(2, message).help("leave its `runtime` out for this one run"));
    }
    let strace = strace(setup)?;
    let before: BTreeSet<_> =
        node.waits.iter().filter(|wait| wait.why == Why::Data).map(|wait| wait.node.clone()).collect();
    let pick = Pick::until(before.into_iter().collect());
    let options = Options { pick, force: Force::Nothing, ..options.clone() };
    if !options.pick.is_all() {
        let summary = run(bound, setup, &options, None, listener)?;
        if summary.exit != 0 {
            return Err(RunError::new(summary.exit, format!("what `{name}` reads could not be made")));
        }
    }
    let store = Store::open(&setup.workspace.join(".mlpc"))?;
    let memory = Memory::open(&store.memory_file(), &setup.workspace);
    let context = Run::new(bound, (setup, &options), (&store, &memory), listener, "infer".to_owned());
    predict::gather(&context);
    traced(&context, node, stage, &strace).map_err(|stop| match stop {
        Stop::Failed(why) | Stop::Skip(why) => RunError::new(1, why),
        Stop::Unsound(why) => RunError::new(11, why),
        Stop::Interrupted => RunError::new(130, "interrupted"),
    })
}

fn strace(setup: &Setup) -> Result<PathBuf, RunError> {
    let path = setup.caller.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("strace"))
        .find(|program| std::fs::metadata(program).is_ok_and(|meta| meta.is_file() && fs::is_executable(&meta)));
    found.ok_or_else(|| {
        let error = RunError::new(2, "`mlpc infer` follows the command with `strace`, which is not installed");
        error.help("install it, on Linux: `apt-get install strace`, `dnf install strace`, `apk add strace`")
    })
}

fn traced(run: &Run<'_>, node: &Node, stage: &Stage, strace: &Path) -> Result<Inferred, Stop> {
    if let Some(secret) = stage.work.secrets.iter().find(|secret| !run.secrets.contains_key(&secret.secret)) {
        let variable = secret.secret.to_uppercase();
        return Err(Stop::Failed(format!("the secret `{}` has no value: set `{variable}`", secret.secret)));
    }
    // Also what wants the workspace itself gets a copy: nobody knows yet what it writes.
    let copied = Stage { isolation: Isolation::Copies, ..stage.clone() };
    let prepared = prepare::stage(run, &node.name, &copied)?;
    let outputs: Vec<&str> = stage.outputs.iter().map(|output| output.path.as_str()).collect();
    let folder = Folder::make(run, &node.name, &prepared, &outputs)?;
    add_the_rest(run, node, stage, &folder)?;
    let placed = placed(&folder.work)?;
    let traces = folder.root().join("trace");
    fs::create_dirs(&traces)?;
    let mut spec = folder.spec(run, &stage.work, &prepared, Script::InFile)?;
    let mut argv: Vec<OsString> = vec![strace.into()];
    argv.extend(["-ff", "-qq", "-y", "-e", "signal=none", "-e", CALLS, "-o"].map(OsString::from));
    argv.push(traces.join("of").into());
    argv.push("--".into());
    argv.append(&mut spec.argv);
    spec.argv = argv;
    let mut tail = VecDeque::with_capacity(TAIL);
    let outcome = process::run(&spec, &run.setup.interrupt, |line| {
        let text = run.mask.apply(&String::from_utf8_lossy(line));
        if tail.len() == TAIL {
            tail.pop_front();
        }
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        tail.push_back(text.clone());
        run.tell(Event::Line { node: node.name.clone(), text });
    })?;
    let mut trace = Trace::default();
    for entry in fs::sorted_entries(&traces)? {
        trace.take(&fs::read(&entry.path())?, &folder.work);
    }
    let failed = match outcome.ended {
        Ended::Interrupted => return Err(Stop::Interrupted),
        Ended::Exited(status) if stage.status.contains(&status) || (status == 0 && stage.status.is_empty()) => None,
        Ended::Exited(status) => Some(format!("exited with status {status}")),
        Ended::Signalled(signal) => Some(format!("was ended by signal {signal}")),
        Ended::TimedOut => Some("took too long".to_owned()),
    };
    if trace.programs == 0 {
        let said = tail.pop_back().unwrap_or_default();
        return Err(Stop::Failed(format!("`strace` could not follow the command of `{}`: {said}", node.name)));
    }
    let inside = |paths: &BTreeSet<PathBuf>| -> BTreeSet<String> {
        paths.iter().filter_map(|path| relative(path, &folder.work, run.workspace())).collect()
    };
    // What was not there before is the stage's own.
    let read: BTreeSet<String> = inside(&trace.read).into_iter().filter(|path| placed.contains(path)).collect();
    let missed = inside(&trace.missed);
    let files = |pattern: &String| -> Result<_, Stop> {
        Ok((pattern.clone(), run.code.files(std::slice::from_ref(pattern))?.into_keys().collect()))
    };
    let code: Vec<_> = stage.work.code.iter().map(files).collect::<Result<_, _>>()?;
    let may_be_code = run.code.files(&["**".to_owned()])?.into_keys().collect();
    let known = Known { read: &read, missed: &missed, code: &code, may_be_code: &may_be_code };
    let lines = lines(run.bound, node, stage, &known);
    folder.leave(run)?;
    let tail = if failed.is_some() { tail.into() } else { Vec::new() };
    Ok(Inferred { stage: node.name.clone(), failed, tail, lines })
}

/// Returns a path as the pipeline names it, if it belongs to the stage's folder or to the workspace itself.
fn relative(path: &Path, folder: &Path, workspace: &Path) -> Option<String> {
    let inside = path.strip_prefix(folder).or_else(|_| path.strip_prefix(workspace)).ok()?;
    let mut plain = PathBuf::new();
    for part in inside.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir => plain.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    if plain.components().any(|part| part.as_os_str().to_str().is_none_or(is_never)) {
        return None;
    }
    // A program that lists a folder by opening it has read none of its files yet.
    let is_folder = folder.join(&plain).is_dir();
    plain.to_str().filter(|text| !text.is_empty() && !is_folder).map(str::to_owned)
}

fn is_never(name: &str) -> bool {
    NEVER.contains(&name) || name.ends_with(".pyc")
}

/// Puts into a stage's folder what it did not declare: what other stages made, sources, and all else of the workspace.
fn add_the_rest(run: &Run<'_>, node: &Node, stage: &Stage, folder: &Folder) -> Result<(), Stop> {
    let others = run.bound.plan.nodes.iter().filter(|other| other.name != node.name);
    for other in others {
        let NodeKind::Stage(other) = &other.kind else { continue };
        for output in other.outputs.iter().filter(|_| other.baseline.is_none()) {
            add(&join_inside(run.workspace(), &output.publish)?, &join_inside(&folder.work, &output.path)?)?;
        }
    }
    for source in &run.bound.plan.sources {
        if let Location::Path(path) = &source.location {
            add(&run.workspace().join(path), &folder.work.join(path))?;
        }
    }
    let own: BTreeSet<PathBuf> = stage.outputs.iter().map(|output| PathBuf::from(&output.path)).collect();
    let mut queue = vec![PathBuf::new()];
    while let Some(place) = queue.pop() {
        for entry in fs::sorted_entries(&run.workspace().join(&place))? {
            let path = place.join(entry.file_name());
            if own.contains(&path) || entry.file_name().to_str().is_none_or(is_never) {
                continue;
            }
            if entry.path().is_dir() && !entry.path().is_symlink() {
                queue.push(path);
            } else {
                add(&entry.path(), &folder.work.join(&path))?;
            }
        }
    }
    Ok(())
}

/// Lists the files of a stage's folder before its command runs.
fn placed(work: &Path) -> Result<BTreeSet<String>, Stop> {
    let (mut files, mut queue) = (BTreeSet::new(), vec![work.to_owned()]);
    while let Some(folder) = queue.pop() {
        for entry in fs::sorted_entries(&folder)? {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                queue.push(path);
            } else if let Some(text) = path.strip_prefix(work).ok().and_then(Path::to_str) {
                files.insert(text.to_owned());
            }
        }
    }
    Ok(files)
}

/// Copies what is there to where nothing stands yet.
fn add(from: &Path, to: &Path) -> Result<(), Stop> {
    // A link that leads nowhere, or a pipe, is nothing that a stage could declare.
    let is_content = std::fs::metadata(from).is_ok_and(|meta| meta.is_file() || meta.is_dir());
    if !is_content || std::fs::symlink_metadata(to).is_ok() {
        return Ok(());
    }
    fs::create_dirs(fs::parent(to))?;
    Ok(fs::copy_tree(from, to)?)
}
