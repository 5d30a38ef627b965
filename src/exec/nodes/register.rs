//! A register node: puts the model that was measured into its registry, unless the same bytes are there already.

use std::collections::BTreeMap;

use super::may::may;
use crate::exec::context::{Run, Stop};
use crate::exec::event::NodeReport;
use crate::exec::state::Ending;
use crate::host::Digest;
use crate::judge;
use crate::plan::{Node, Register};
use crate::registry::{Provenance, RegistryError, Release};
use crate::types::Origin;

pub(super) fn run(run: &Run<'_>, node: &Node, register: &Register, report: &mut NodeReport) -> Result<Ending, Stop> {
    if let Some(ending) = may(run, node)? {
        return Ok(ending);
    }
    let sources = run.reads.sources();
    // Where nodes run one by one, the files were checked against the digests that their jobs handed on.
    let digest = |origin: &Origin| match origin {
        Origin::Output { stage, output } => run.product(stage, output).map(|product| product.artifact.digest),
        Origin::Source(name) => sources.get(name).copied(),
        Origin::Pointer { .. } => None,
    };
    let model = digest(&register.model);
    let beside = register.with.iter().chain(&register.metrics);
    let reports = run.gates();
    let shared = run.registry_location(&register.registry)?.is_shared();
    let provenance = Provenance {
        model,
        made: beside.filter_map(|origin| Some((origin.to_string(), digest(origin)?))).collect(),
        inputs: sources.iter().map(|(name, digest)| (name.clone(), digest.to_string())).collect(),
        gates: reports
            .iter()
            .map(|(name, report)| (name.clone(), Digest::of(report.to_json().as_bytes()).to_string()))
            .collect(),
        approvals: run.approvals(),
        numbers: judge::numbers::of(run.bound, &node.name, register, model, |gate| reports.get(gate).cloned()),
        // What others share is held against that commit, and against nothing else that came meanwhile.
        commit: shared.then(|| run.began_at().map(str::to_owned)).flatten(),
        notes: machine(run, register),
    };
    let registered = release(run).register(&node.name, provenance).map_err(stop)?;
    let version = registered.version;
    // What was rolled back is stopped here already: nobody is asked about it, and nothing acts on it.
    if let Some(why) = release(run).rejected(&node.name, &version.digest).map_err(stop)? {
        return Ok(Ending::RolledBack(why));
    }
    report.detail = Some(if registered.new {
        format!("version `{}` in `{}`", version.id, register.registry)
    } else {
        format!("`{}` is version `{}` already", register.model, version.id)
    });
    run.note_release(
        &node.name,
        crate::exec::context::Release { version: version.id, digest: version.digest, new: registered.new },
    );
    Ok(if registered.new { Ending::Done } else { Ending::Hit })
}

/// Returns the class of machine of the metrics that are registered, where times are among them.
fn machine(run: &Run<'_>, register: &Register) -> BTreeMap<String, String> {
    let known = register.metrics.as_ref().and_then(|origin| {
        let Origin::Output { stage, output } = origin else { return None };
        let digest = run.product(stage, output)?.artifact.digest.to_string();
        judge::machine::class(run.bound, run.workspace(), origin, &digest)
    });
    known.into_iter().map(|class| (judge::machine::NOTE.to_owned(), class)).collect()
}

pub(super) fn release<'r>(run: &'r Run<'_>) -> Release<'r> {
    Release { bound: run.bound, workspace: run.workspace(), run: &run.id, clock: run.setup.clock.clone() }
}

pub(super) fn stop(error: RegistryError) -> Stop {
    match error.exit_code() {
        11 => Stop::Unsound(error.to_string()),
        _ => Stop::Failed(error.to_string()),
    }
}
