//! A gate in a job: the evidence that came in, the baseline as the jobs before saw it, and the report that goes out.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Decided, Status};
use super::exchange::Received;
use super::lineage;
use super::release::{release, trouble};
use super::{Job, Trouble};
use crate::exec::{self, Seen};
use crate::gate::{BaselineFile, Gate, Report};
use crate::host::Digest;
use crate::host::fs::{self, join_inside};
use crate::judge;
use crate::plan::{NodeKind, Why};
use crate::types::Origin;

/// Judges with what came in, and writes the report where others look for it.
pub(super) fn gate(
    job: &Job<'_>,
    node: &str,
    gate: &Gate,
    received: &Received,
    answer: &mut Answer,
) -> Result<Report, Trouble> {
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

/// What is known of a baseline.
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
