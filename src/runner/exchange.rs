//! What goes from job to job: files into the workspace, hashed again on the way, and out of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::answer::{Answer, Decided, FORMAT, Made};
use super::{Job, Trouble};
use crate::cache::{Kind, Memory};
use crate::exec;
use crate::gate::Report;
use crate::host::Digest;
use crate::host::fs::{self, join_inside};
use crate::judge;
use crate::plan::{Bound, Node, NodeKind, Output, OutputKind, Plan, Skip, Why};

/// What came in, by node.
#[derive(Debug, Default)]
pub struct Received {
    /// The answers of the nodes before.
    pub answers: BTreeMap<String, Answer>,
}

/// Reads the folders of the nodes before this one, checks every byte, and puts all of it into the workspace.
pub fn receive(job: &Job<'_>) -> Result<Received, Trouble> {
    let mut received = Received::default();
    if !job.input.is_dir() {
        return Ok(received);
    }
    for entry in fs::sorted_entries(&job.input)? {
        let folder = entry.path();
        let path = folder.join("result.json");
        if !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(expected) = &job.expected
            && expected.get(&name) != Some(&Digest::of(&bytes).hex())
        {
            return Err(Trouble::unsound(format!("what `{name}` handed on is not what it said: its digest differs")));
        }
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|error| Trouble::unsound(format!("`{}` is not what a job writes: {error}", path.display())))?;
        check(job, &answer)?;
        place(job, &answer, &folder)?;
        if received.answers.insert(answer.node.clone(), answer).is_some() {
            return Err(Trouble::unsound(format!("`{name}` says the same node again")));
        }
    }
    Ok(received)
}

/// Refuses what nobody vouches for: a node that releases or acts takes nothing from a folder whose digest the platform
/// did not pass on, and on a platform that passes digests on (`always`) no node does.
pub fn vouched(job: &Job<'_>, node: &str, received: &Received, always: bool) -> Result<(), Trouble> {
    let acts = job.bound.plan.node(node).is_some_and(|node| node.kind.acts());
    if job.expected.is_some() || received.answers.is_empty() || !(acts || always) {
        return Ok(());
    }
    let message = format!("nothing says which digest what was handed on to `{node}` has");
    Err(Trouble::unsound(message).help("pass it on with `--expect FOLDER=HEX`, as the compiled jobs do"))
}

fn check(job: &Job<'_>, answer: &Answer) -> Result<(), Trouble> {
    if answer.format != FORMAT {
        return Err(Trouble::unsound(format!("`{}` was handed on by another version of mlpc", answer.node)));
    }
    if answer.plan != job.bound.digest || answer.run != job.run {
        return Err(Trouble::unsound(format!("`{}` was handed on by another run or another plan", answer.node)));
    }
    if answer.commit != job.commit {
        let at = |commit: &Option<String>| match commit {
            Some(commit) => format!("the commit {commit}"),
            None => "no commit that is known".to_owned(),
        };
        let message = format!(
            "`{}` was made from {}, and this checkout is at {}",
            answer.node,
            at(&answer.commit),
            at(&job.commit)
        );
        return Err(Trouble::unsound(message).help("run the whole pipeline again, every job at the same commit"));
    }
    if job.bound.plan.node(&answer.node).is_none() {
        return Err(Trouble::unsound(format!("the plan has no node `{}`", answer.node)));
    }
    match &answer.gate {
        Some(decided) => hold(job, answer, decided),
        None => Ok(()),
    }
}

/// Holds what a gate's job says in a word against the report that it handed on.
fn hold(job: &Job<'_>, answer: &Answer, decided: &Decided) -> Result<(), Trouble> {
    let unsound = |why: &str| Trouble::unsound(format!("what `{}` decided {why}", answer.node));
    let text = answer.texts.get(&judge::report_path(&job.bound.prefix, &answer.node));
    let text = text.ok_or_else(|| unsound("came without its report"))?;
    let report = Report::from_json(text).map_err(|why| unsound(&format!("came with a report that is {why}")))?;
    if report.gate != answer.node || report.plan != job.bound.digest {
        return Err(unsound("came with the report of another gate or plan"));
    }
    if *decided != Decided::of(&report) {
        return Err(unsound("is not what its report says"));
    }
    Ok(())
}

fn place(job: &Job<'_>, answer: &Answer, folder: &Path) -> Result<(), Trouble> {
    let workspace = &job.setup.workspace;
    let memory = Memory::open(&workspace.join(".mlpc/memory"), workspace);
    for (name, made) in &answer.outputs {
        let output = output(&job.bound.plan, &answer.node, name)
            .ok_or_else(|| Trouble::unsound(format!("`{}` has no output `{name}`", answer.node)))?;
        let target = join_inside(workspace, &output.publish)?;
        // What a checkout holds at this path is not what the job made, and must not be taken for it.
        fs::remove(&target)?;
        let from = folder.join("files").join(name);
        if !from.exists() {
            continue;
        }
        fs::create_dirs(fs::parent(&target))?;
        fs::copy_tree(&from, &target)?;
        if !made.folder {
            fs::set_mode(&target, if made.executable { 0o755 } else { 0o644 })?;
        }
        let there = memory.look(&target)?;
        if there.digest != made.digest {
            fs::remove(&target)?;
            return Err(Trouble::unsound(format!(
                "`{}.{name}` arrived with another digest than it left with",
                answer.node
            )));
        }
    }
    for (path, text) in &answer.texts {
        if !path.starts_with(".mlpc/") {
            return Err(Trouble::unsound(format!("`{}` hands on `{path}`, which is not mlpc's own", answer.node)));
        }
        let target = join_inside(workspace, path)?;
        fs::create_dirs(fs::parent(&target))?;
        fs::write_atomic(&target, text.as_bytes())?;
    }
    Ok(())
}

/// Returns what is not part of this run, as far as what came in tells: what its plan skips, approvals that no gate asked for,
/// what stands behind an approval of another release that asked nobody, and all that waits for one of these.
#[must_use]
pub fn left_out(bound: &Bound, received: &Received) -> BTreeMap<String, Skip> {
    let is_silent = |gate: &str, approval: &str| {
        let decided = received.answers.get(gate).and_then(|answer| answer.gate.as_ref());
        decided.is_some_and(|gate| gate.lets_go_on && gate.ask.as_deref() != Some(approval))
    };
    let there = |release: &str| received.answers.get(release).is_some_and(|answer| answer.there);
    let root = |node: &Node| {
        let mut gates = node.waits.iter().filter(|wait| wait.why == Why::Ask).peekable();
        if gates.peek().is_some() && gates.all(|wait| is_silent(&wait.node, &node.name)) {
            return Some(Skip::Unasked);
        }
        bound.plan.held_back(node, there).map(|approval| Skip::There(approval.name.clone()))
    };
    bound.left_out(bound.plan.nodes.iter().filter_map(|node| Some((node.name.clone(), root(node)?))))
}

/// Writes the commit of the checkout into the output folder, for a platform that checks out the jobs after by it.
pub fn pin(job: &Job<'_>) -> Result<String, Trouble> {
    let commit = job.commit.clone().ok_or_else(|| {
        Trouble::unsound("nothing tells which commit is checked out here")
            .help("let the job clone the repository with git")
    })?;
    fs::create_dirs(&job.output)?;
    fs::write_atomic(&job.output.join("commit"), commit.as_bytes())?;
    Ok(commit)
}

/// Returns an output of a stage.
pub(super) fn output<'p>(plan: &'p Plan, node: &str, name: &str) -> Option<&'p Output> {
    plan.stage(node)?.outputs.iter().find(|output| output.name == name)
}

/// Copies what a stage made out of the workspace and notes it in its answer; what is not there is left out.
pub(super) fn hand_on(job: &Job<'_>, node: &str, answer: &mut Answer) -> Result<(), Trouble> {
    let workspace = &job.setup.workspace;
    let memory = Memory::open(&workspace.join(".mlpc/memory"), workspace);
    for output in job.bound.plan.stage(node).map(|stage| stage.outputs.as_slice()).unwrap_or_default() {
        let from = join_inside(workspace, &output.publish)?;
        if !from.exists() {
            continue;
        }
        if let OutputKind::Value { ty, pointer } = &output.kind {
            // What is no value of its type was said when the stage ended.
            if let Ok(value) = exec::read_value(&from, ty, pointer)
                && let Ok(text) = serde_json::to_string(&value)
            {
                answer.texts.insert(exec::value_path(node, &output.name), text);
            }
            continue;
        }
        let to = job.output.join("files").join(&output.name);
        fs::create_dirs(fs::parent(&to))?;
        fs::remove(&to)?;
        fs::copy_tree(&from, &to)?;
        let there = memory.look(&from)?;
        let made = Made { digest: there.digest, folder: there.kind == Kind::Tree, executable: there.executable };
        answer.outputs.insert(output.name.clone(), made);
    }
    let machine = judge::machine::path(&job.bound.prefix, node);
    let measures = |stage| !judge::machine::timed(&job.bound.plan, stage).is_empty();
    if job.bound.plan.stage(node).is_some_and(measures)
        && let Ok(text) = fs::read_text(&join_inside(workspace, &machine)?)
    {
        answer.texts.insert(machine, text);
    }
    Ok(())
}

/// Writes the answer into the output folder and returns its digest.
pub(super) fn write(job: &Job<'_>, answer: &Answer) -> Result<String, Trouble> {
    let text = answer.to_json();
    let digest = Digest::of(text.as_bytes()).hex();
    fs::create_dirs(&job.output)?;
    fs::write_atomic(&job.output.join("result.json"), text.as_bytes())?;
    fs::write_atomic(&job.output.join("digest"), digest.as_bytes())?;
    let said = |name: &str, said: &str| fs::write_atomic(&job.output.join(name), said.as_bytes());
    if let Some(gate) = &answer.gate {
        said("ask", if gate.ask.is_some() { "true" } else { "false" })?;
        said("asked", asked(job, answer))?;
    }
    if answer.release.is_some() {
        said("there", if answer.there { "true" } else { "false" })?;
    }
    Ok(digest)
}

/// Returns which clause of a gate asks a person, as the language names it; nothing where none does.
fn asked(job: &Job<'_>, answer: &Answer) -> &'static str {
    let Some(NodeKind::Gate(gate)) = job.bound.plan.node(&answer.node).map(|node| &node.kind) else { return "" };
    let approval = answer.gate.as_ref().and_then(|decided| decided.ask.as_deref());
    let (Some(baseline), Some(approval)) = (&gate.baseline, approval) else { return "" };
    baseline.asks().find(|(_, name)| *name == approval).map_or("", |(clause, _)| clause)
}
