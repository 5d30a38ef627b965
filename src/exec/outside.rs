//! What stages made that a run leaves out: as it stands in the workspace, else as the cache has it from the last time
//! that the stage came out well.

use super::context::{Product, Run, Stop};
use super::outputs;
use super::prepare::From;
use crate::cache::Artifact;
use crate::host::fs::join_inside;
use crate::plan::{Input, Output, OutputKind};
use crate::types::Value;

/// Finds a file or folder that some work reads. `None`: an optional one that is not there.
pub(super) fn input(
    run: &Run<'_>,
    (stage, output): (&str, &str),
    input: &Input,
) -> Result<Option<(Artifact, From)>, Stop> {
    let absent = |why: String| if input.optional { Ok(None) } else { Err(Stop::Failed(why)) };
    let made = match declared(run, stage, output) {
        Ok(made) => made,
        Err(why) => return absent(why),
    };
    let full = join_inside(run.workspace(), &made.publish)?;
    if full.exists() {
        return Ok(Some((run.memory.look(&full)?, From::Workspace(full))));
    }
    match cached(run, stage, made) {
        Some(product) => Ok(Some((product.artifact, From::Store(full)))),
        None => absent(missing(stage, made)),
    }
}

/// Finds a value that some work reads.
pub(super) fn value(run: &Run<'_>, stage: &str, output: &str) -> Result<Value, Stop> {
    let made = declared(run, stage, output).map_err(Stop::Failed)?;
    let OutputKind::Value { ty, pointer } = &made.kind else {
        return Err(Stop::Failed(format!("`{stage}.{output}` is no value")));
    };
    let full = join_inside(run.workspace(), &made.publish)?;
    if full.exists() {
        let read = outputs::read_value(&full, ty, pointer);
        return read.map_err(|why| Stop::Failed(format!("`{stage}.{output}` (`{}`) {why}", made.publish)));
    }
    let cached = cached(run, stage, made).and_then(|product| product.value);
    cached.ok_or_else(|| Stop::Failed(missing(stage, made)))
}

/// Returns what the cache has of an output; `None` too where its stage does not run under these parameters.
pub(super) fn product(run: &Run<'_>, stage: &str, output: &str) -> Option<Product> {
    cached(run, stage, declared(run, stage, output).ok()?)
}

fn declared<'r>(run: &Run<'r>, stage: &str, output: &str) -> Result<&'r Output, String> {
    if run.bound.skipped.contains_key(stage) {
        return Err(format!("`{stage}.{output}` is not there: `{stage}` is skipped"));
    }
    let made = run.stage(stage).and_then(|stage| stage.outputs.iter().find(|made| made.name == output));
    made.ok_or_else(|| format!("the plan has no output `{stage}.{output}`"))
}

fn cached(run: &Run<'_>, stage: &str, made: &Output) -> Option<Product> {
    let latest = run.store.latest(run.profile(), stage)?;
    let produced = latest.output(&made.name).filter(|produced| run.store.has(&produced.artifact))?;
    Some(outputs::product(made, produced))
}

fn missing(stage: &str, made: &Output) -> String {
    let (output, path) = (&made.name, &made.publish);
    format!(
        "`{stage}.{output}` is not there: no file or folder `{path}`, and none in the cache; `mlpc run {stage}` makes it"
    )
}
