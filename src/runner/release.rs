//! Registering and promoting in a job, and what has to be so before either.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Made, Status};
use super::exchange::Received;
use super::{Job, Trouble};
use crate::exec::{self, Seen};
use crate::gate::Report;
use crate::host::Digest;
use crate::judge;
use crate::plan::{NodeKind, Promote, Register};
use crate::registry::{Outcome, Provenance, RegistryError, Release};
use crate::types::Origin;

/// Returns what opens registries for this job.
pub(super) fn release<'j>(job: &'j Job<'_>) -> Release<'j> {
    Release { bound: job.bound, workspace: &job.setup.workspace, run: &job.run, clock: job.setup.clock.clone() }
}

/// Says of an error of a registry how the job ends.
pub(super) fn trouble(error: RegistryError) -> Trouble {
    Trouble { exit: error.exit_code(), message: error.to_string(), help: None }
}

/// Registers what was handed on, with where it comes from.
pub(super) fn register(
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

/// Moves the pointer, from where the gates saw it.
pub(super) fn promote(
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
