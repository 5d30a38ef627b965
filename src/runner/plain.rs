//! A stage whose command stands in the platform's own file: `begin` brings its inputs to where the command looks for
//! them, `end` checks what it left, as the executor would have.

use super::answer::{Answer, Status};
use super::exchange::{Received, hand_on, write};
use super::lineage::{Lineage, read, sources};
use super::node::{clear, complete, empty};
use super::release::admitted;
use super::{Job, Trouble};
use crate::exec;
use crate::host::fs::{self, join_inside};
use crate::host::{Digest, machine};
use crate::judge;
use crate::plan::{Output, Stage};

fn stage<'j>(job: &'j Job<'_>, node: &str) -> Result<&'j Stage, Trouble> {
    job.bound.plan.stage(node).ok_or_else(|| Trouble {
        exit: 2,
        message: format!("`{node}` is no stage of `{}`", job.bound.plan.pipeline),
        help: None,
    })
}

/// Puts the inputs where the command looks for them, and makes room for its outputs.
pub fn begin(job: &Job<'_>, node: &str, received: &Received) -> Result<(), Trouble> {
    let stage = stage(job, node)?;
    admitted(job, node, received)?;
    complete(job, node, received)?;
    let workspace = &job.setup.workspace;
    for input in stage.work.inputs.iter().filter(|input| input.kind.is_artifact()) {
        let to = join_inside(workspace, &input.path)?;
        if let Some(output) = input.origin.stage().and_then(|from| made(job, from, &input.origin)) {
            let from = join_inside(workspace, &output.publish)?;
            if from != to && from.exists() {
                fs::remove(&to)?;
                fs::create_dirs(fs::parent(&to))?;
                fs::copy_tree(&from, &to)?;
            }
        }
        // The command comes next, and nothing looks after it: what is not there now would be an empty path to it.
        if !input.optional && !to.exists() {
            let message =
                format!("`{}`, which `{node}` reads, was not brought: `{}` is not there", input.origin, input.path);
            return Err(Trouble::unsound(message).help("hand it on with `--in`, or check it out before this step"));
        }
    }
    clear(job, node)?;
    for output in &stage.outputs {
        let path = join_inside(workspace, &output.path)?;
        fs::remove(&path)?;
        fs::create_dirs(fs::parent(&path))?;
    }
    Ok(())
}

fn made<'j>(job: &'j Job<'_>, stage: &str, origin: &crate::types::Origin) -> Option<&'j Output> {
    let crate::types::Origin::Output { output, .. } = origin else { return None };
    super::exchange::output(&job.bound.plan, stage, output)
}

/// Checks what the command left and hands it on. `failed`: it ended badly, and only what is always kept counts.
pub fn end(job: &Job<'_>, node: &str, received: &Received, failed: bool) -> Result<(Answer, String), Trouble> {
    let stage = stage(job, node)?;
    let mut answer = Answer { lineage: Lineage::of(received), ..empty(job, node) };
    let sources = sources(job, &stage.work)?;
    sources.iter().for_each(|(name, digest)| answer.lineage.source(name, &digest.to_string(), node));
    answer.read = read(&stage.work, received, &sources);
    let workspace = &job.setup.workspace;
    let mut wrong = failed.then(|| format!("the command of `{node}` failed"));
    for output in &stage.outputs {
        let from = join_inside(workspace, &output.path)?;
        if wrong.is_none()
            && let Err(what) = exec::check_output(output, &from)
        {
            wrong = Some(format!("the output `{}` (`{}`) {what}", output.name, output.path));
        }
    }
    for output in stage.outputs.iter().filter(|output| wrong.is_none() || output.always) {
        let (from, to) = (join_inside(workspace, &output.path)?, join_inside(workspace, &output.publish)?);
        if from != to && from.exists() {
            fs::remove(&to)?;
            fs::create_dirs(fs::parent(&to))?;
            fs::copy_tree(&from, &to)?;
        }
    }
    if wrong.is_some() {
        for output in stage.outputs.iter().filter(|output| !output.always) {
            fs::remove(&join_inside(workspace, &output.publish)?)?;
        }
    }
    if wrong.is_none() {
        let published = |name: &str| {
            let output = stage.outputs.iter().find(|output| output.name == name)?;
            Digest::of_file(&join_inside(workspace, &output.publish).ok()?).ok().map(|digest| digest.to_string())
        };
        judge::machine::note(job.bound, workspace, (node, stage), machine::class(), published)?;
    }
    hand_on(job, node, &mut answer)?;
    if let Some(wrong) = wrong {
        answer.status = Status::Failed;
        answer.exit = 1;
        answer.reason = Some(wrong);
    }
    let digest = write(job, &answer)?;
    Ok((answer, digest))
}
