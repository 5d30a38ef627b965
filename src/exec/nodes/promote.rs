//! A promote node: moves a pointer to a release, if it still names what the gates compared with.

use super::may::may;
use super::register::{release, stop};
use crate::exec::context::{Run, Stop};
use crate::exec::event::NodeReport;
use crate::exec::state::Ending;
use crate::host::Digest;
use crate::plan::{Node, NodeKind, Promote};
use crate::registry::Outcome;

pub(super) fn run(run: &Run<'_>, node: &Node, promote: &Promote, report: &mut NodeReport) -> Result<Ending, Stop> {
    if let Some(ending) = may(run, node)? {
        return Ok(ending);
    }
    let name = format!("{}@{}", promote.registry, promote.pointer);
    let registered = run
        .release(&promote.release)
        .ok_or_else(|| Stop::Failed(format!("`{}` was not registered in this run", promote.release)))?;
    // The first look of this run at the pointer: what gates compared with, or where it stood when the run began.
    let expected = run.pointer(&promote.registry, &promote.pointer)?.map(|seen| seen.version);
    for gate in &promote.compared_by {
        let compared = run.gates().get(gate).and_then(|report| report.baseline.as_ref()?.version.clone());
        if compared != expected && run.gates().contains_key(gate) {
            let text = |version: Option<String>| version.map_or("no version".to_owned(), |id| format!("`{id}`"));
            let (then, now) = (text(compared), text(expected));
            return Err(Stop::Unsound(format!("`{gate}` compared with {then} of `{name}`, which now names {now}")));
        }
    }
    let outcome = release(run).promote(&node.name, &registered.version, expected.as_deref()).map_err(stop)?;
    match outcome {
        Outcome::Promoted(pointer) => {
            report.detail = Some(format!("`{name}` is `{}`", pointer.version));
            Ok(Ending::Done)
        }
        Outcome::AlreadyThere(pointer) => {
            report.detail = Some(format!("`{name}` is `{}` already", pointer.version));
            Ok(Ending::Hit)
        }
        Outcome::Rejected(rejection) => Ok(Ending::RolledBack(rejection.told(&promote.registry))),
        Outcome::Moved { found } => {
            let text = |version: Option<&str>| version.map_or("no version".to_owned(), |id| format!("`{id}`"));
            let found = text(found.as_ref().map(|pointer| pointer.version.as_str()));
            let expected = text(expected.as_deref());
            Err(Stop::Unsound(format!(
                "`{name}` names {found}, and this run compared with {expected}: somebody moved it; run again"
            )))
        }
    }
}

/// Says where a release is already, if every pointer that it would be given named that model when the run first looked:
/// then there is nothing left to approve, and nothing to act on. One that is given no pointer is never there already.
pub(super) fn nothing_to_do(run: &Run<'_>, release: &str, digest: &Digest) -> Result<Option<String>, Stop> {
    // Where nodes run one by one, other jobs of the same run may have moved the pointers.
    if run.options.alone {
        return Ok(None);
    }
    let mut there = Vec::new();
    for node in &run.bound.plan.nodes {
        let NodeKind::Promote(promote) = &node.kind else { continue };
        if promote.release != release {
            continue;
        }
        let name = format!("{}@{}", promote.registry, promote.pointer);
        let seen = run.pointer(&promote.registry, &promote.pointer)?;
        if seen.is_none_or(|seen| seen.digest != *digest) {
            return Ok(None);
        }
        there.push(format!("`{name}`"));
    }
    Ok((!there.is_empty()).then(|| format!("nothing to do: {} is that model already", there.join(" and "))))
}
