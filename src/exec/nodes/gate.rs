//! A gate: what the run measured is laid before it, and its report is kept. It decides; it changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::data::{Predictions, Summary};
use crate::exec::context::{Product, Run, Stop};
use crate::exec::event::NodeReport;
use crate::exec::fetch;
use crate::exec::held::File;
use crate::exec::outside;
use crate::exec::state::Ending;
use crate::gate::{self, BaselineFile, Champion, Facts, Found, Gate, Report};
use crate::host::Digest;
use crate::host::fs::{self, join_inside};
use crate::judge;
use crate::plan::{Location, Node, NodeKind, Source};
use crate::registry::RegistryError;
use crate::types::Origin;

pub(super) fn run(run: &Run<'_>, node: &Node, gate: &Gate, report: &mut NodeReport) -> Result<Ending, Stop> {
    let evidence: Vec<Found> = gate
        .evidence
        .iter()
        .map(|evidence| counted(run, node, &evidence.origin, gate::is_read(&evidence.ty)))
        .collect();
    let mut references = BTreeMap::new();
    for path in gate::references(gate) {
        let found = at_path(run, &path, true);
        if let Found::Present { digest, .. } = &found {
            let executable = run.memory.look(&join_inside(run.workspace(), &path)?)?.executable;
            run.reads.file(&path, File { digest: digest.parse()?, executable })?;
        }
        references.insert(path, found);
    }
    let champion = champion(run, node, gate)?;
    let facts = Facts {
        predictions: predictions(run, gate, &evidence),
        baseline_predictions: judge::collect::baseline_predictions(gate, champion.as_ref(), |path, digest| {
            stands(run, path, digest)
        }),
        machines: judge::machine::classes(run.bound, run.workspace(), gate, &evidence, champion.as_ref()),
        tables: tables(run, gate, &evidence, &references),
        references,
        evidence,
        artifacts: artifacts(run, node, gate),
        data: data(run, node, gate),
        champion,
    };
    if let Some(why) = run.reads.moved_for(&node.name) {
        return Err(Stop::Unsound(why));
    }
    let decided = gate::evaluate(gate, &run.bound.plan.metrics, &facts, &judge::about(run.bound, &node.name, gate));
    keep(run, &decided)?;
    let ending = ending(&decided);
    if let Ending::Asks(approval) = &ending
        && run.leaves_out(approval)
    {
        report.help = Some(format!("`mlpc run {approval}` asks for the decision"));
    }
    report.gate = Some(Box::new(decided));
    Ok(ending)
}

/// Returns what a report means for what waits.
fn ending(report: &Report) -> Ending {
    if report.is_waiting()
        && let Some(approval) = &report.ask
    {
        return Ending::Asks(approval.clone());
    }
    match report.verdict.verdict() {
        Some(verdict) => Ending::Decided(verdict),
        None => Ending::NotEvaluated(report.reason.clone()),
    }
}

/// Returns where a run keeps the report of a gate, relative to the workspace.
pub(super) fn kept_path(run: &str, gate: &str) -> String {
    format!(".mlpc/runs/{run}/gates/{}/gate_report.json", crate::cache::file_name(gate))
}

/// Keeps a report: with the run, and as the gate's latest.
pub(super) fn keep(run: &Run<'_>, report: &Report) -> Result<(), Stop> {
    let json = report.to_json();
    fs::write_atomic(&run.workspace().join(kept_path(&run.id, &report.gate)), json.as_bytes())?;
    judge::write(run.bound, run.workspace(), report)?;
    run.note_gate(report.clone());
    Ok(())
}

/// Reads the tables that requirements look into: from the store, where it has them, else where they stand.
fn tables(
    run: &Run<'_>,
    gate: &Gate,
    found: &[Found],
    references: &BTreeMap<String, Found>,
) -> BTreeMap<usize, Result<Summary, String>> {
    let read = gate::surveyed(gate).into_iter().filter_map(|index| {
        let digest = found.get(index)?.digest()?;
        let path = stands(run, &gate.evidence.get(index)?.path, digest);
        Some((index, path.and_then(|path| judge::collect::survey(gate, index, references, &path, digest))))
    });
    read.collect()
}

/// Reads the predictions that requirements compute metrics of.
fn predictions(run: &Run<'_>, gate: &Gate, found: &[Found]) -> BTreeMap<usize, Result<Predictions, String>> {
    let read = gate::predictions_wanted(gate).into_keys().filter_map(|index| {
        let digest = found.get(index)?.digest()?;
        let path = stands(run, &gate.evidence.get(index)?.path, digest);
        Some((index, path.and_then(|path| judge::collect::predictions(gate, index, &path, digest))))
    });
    read.collect()
}

/// Returns where the file of a digest stands: in the store, where it has it, else at its path.
fn stands(run: &Run<'_>, path: &str, digest: &str) -> Result<PathBuf, String> {
    let stored = digest.parse().ok().map(|digest| run.store.object(&digest)).filter(|path| path.is_file());
    match stored {
        Some(path) => Ok(path),
        None => join_inside(run.workspace(), path).map_err(|error| error.to_string()),
    }
}

fn artifacts(run: &Run<'_>, node: &Node, gate: &Gate) -> BTreeMap<Origin, Found> {
    let named = gate.requirements.iter().filter_map(|requirement| requirement.measure.artifact.as_ref());
    named.chain(&gate.admits).map(|origin| (origin.clone(), found(run, node, origin, false))).collect()
}

fn data(run: &Run<'_>, node: &Node, gate: &Gate) -> BTreeMap<Origin, Found> {
    let over: BTreeSet<_> = gate.evidence.iter().filter_map(|evidence| evidence.over.as_ref()).collect();
    over.into_iter().map(|origin| (origin.clone(), found(run, node, origin, false))).collect()
}

/// Returns evidence. What a run leaves out counts only where it was made of what stands there now.
fn counted(run: &Run<'_>, node: &Node, origin: &Origin, read: bool) -> Found {
    let found = found(run, node, origin, read);
    let left_out = origin.stage().is_some_and(|stage| !run.options.alone && run.leaves_out(stage));
    let Some(digest) = found.digest().filter(|_| left_out) else { return found };
    let now = |origin: &Origin| self::found(run, node, origin, false).digest().map(str::to_owned);
    match judge::recorded::contradiction(run.bound, run.store, origin, digest, &now) {
        Some(why) => Found::Stale(why),
        None => found,
    }
}

/// Returns what an origin stands for to the gate `node`; its bytes where they are wanted.
fn found(run: &Run<'_>, node: &Node, origin: &Origin, read: bool) -> Found {
    match origin {
        Origin::Output { stage, output } => match run.product(stage, output) {
            Some(product) => present(run, &product, read),
            None if run.options.alone => elsewhere(run, stage, output, read),
            None if run.leaves_out(stage) => left_out(run, (stage, output), origin, read),
            None => Found::Skipped(format!("`{origin}` was not made in this run{}", because(run, stage))),
        },
        Origin::Source(name) => {
            let source = run.bound.plan.sources.iter().find(|source| source.name == *name);
            let found = match source.map(|source| &source.location) {
                Some(Location::Path(path)) => at_path(run, path, read),
                Some(_) => fetched(run, node, origin, source, read),
                None => Found::Unreadable(format!("`{origin}` is not in the plan")),
            };
            // What could not be read is no content, and lets nothing pass.
            let is = match &found {
                Found::Missing => Some(None),
                found => found.digest().and_then(|digest| digest.parse().ok()).map(Some),
            };
            match is.map(|is| run.reads.source(name, is, &node.name)) {
                Some(Err(Stop::Unsound(why))) => Found::Unreadable(why),
                _ => found,
            }
        }
        Origin::Pointer { .. } => Found::Unreadable(format!("`{origin}` is no evidence")),
    }
}

/// Brings a source that a gate judges into the workspace; what can't be had is no evidence.
fn fetched(run: &Run<'_>, node: &Node, origin: &Origin, source: Option<&Source>, read: bool) -> Found {
    let Some(source) = source else { return Found::Unreadable(format!("`{origin}` is not in the plan")) };
    match fetch::place(run, source, &node.name) {
        Ok(_) => at_path(run, &source.location.place(&source.name), read),
        Err(Stop::Failed(why) | Stop::Unsound(why) | Stop::Skip(why)) => Found::Unreadable(why),
        Err(Stop::Interrupted) => Found::Unreadable("interrupted".to_owned()),
    }
}

fn because(run: &Run<'_>, stage: &str) -> String {
    match run.ending(stage) {
        Some(Ending::Failed(why) | Ending::Unsound(why)) => format!(": `{stage}` {why}"),
        Some(Ending::Skipped(why)) => format!(": {why}"),
        Some(Ending::Blocked(by)) => format!(": `{by}` did not come out well"),
        _ => String::new(),
    }
}

fn present(run: &Run<'_>, product: &Product, read: bool) -> Found {
    let artifact = product.artifact;
    let bytes = if read {
        match run.store.read(&artifact.digest) {
            Ok(Some(bytes)) => bytes,
            // What the store has lost may still stand in the workspace.
            Ok(None) => return at_path(run, &product.path, true),
            Err(error) => return Found::Unreadable(error.to_string()),
        }
    } else {
        Vec::new()
    };
    Found::Present { bytes, size: artifact.size, digest: artifact.digest.to_string() }
}

fn elsewhere(run: &Run<'_>, stage: &str, output: &str, read: bool) -> Found {
    let made = run.stage(stage).and_then(|stage| stage.outputs.iter().find(|made| made.name == output));
    match made {
        Some(made) => at_path(run, &made.publish, read),
        None => Found::Missing,
    }
}

/// Returns what stands of a stage that this run leaves out.
fn left_out(run: &Run<'_>, (stage, output): (&str, &str), origin: &Origin, read: bool) -> Found {
    if run.bound.skipped.contains_key(stage) {
        return Found::Skipped(format!("`{origin}` was not made: `{stage}` is skipped"));
    }
    match (elsewhere(run, stage, output, read), outside::product(run, stage, output)) {
        (Found::Missing, Some(product)) => present(run, &product, read),
        (found, _) => found,
    }
}

fn at_path(run: &Run<'_>, path: &str, read: bool) -> Found {
    let look = || -> Result<Found, crate::host::Error> {
        let path = join_inside(run.workspace(), path)?;
        if !path.exists() {
            return Ok(Found::Missing);
        }
        let artifact = run.memory.look(&path)?;
        let bytes = if read { fs::read(&path)? } else { Vec::new() };
        if read && Digest::of(&bytes) != artifact.digest {
            return Ok(Found::Unreadable("it changed while it was read".to_owned()));
        }
        Ok(Found::Present { bytes, size: artifact.size, digest: artifact.digest.to_string() })
    };
    look().unwrap_or_else(|error| Found::Unreadable(error.to_string()))
}

/// Finds out about the baseline, and writes down what was found for whoever evaluates the gate again.
fn champion(run: &Run<'_>, node: &Node, gate: &Gate) -> Result<Option<Champion>, Stop> {
    let Some(baseline) = &gate.baseline else { return Ok(None) };
    let (registry, pointer) = (baseline.registry.as_str(), baseline.pointer.as_str());
    // What can't be fetched, or is not what was registered, is no champion that today's code can't score: `on
    // unscorable` must not wave it through.
    let looked = match unsound(run, &node.name) {
        Some(why) => {
            // The stage that wanted it may have said so already.
            let told = format!("`{registry}@{pointer}` can't be read: ");
            Err(Stop::Unsound(if why.starts_with(&told) { why } else { told + &why }))
        }
        None => run.pointer(registry, pointer),
    };
    let (file, champion) = match looked {
        Err(Stop::Unsound(why) | Stop::Failed(why)) => {
            (BaselineFile::unreachable(&node.name, registry, pointer, &why), Champion::Unreachable(why))
        }
        Err(stop) => return Err(stop),
        Ok(None) => (BaselineFile::absent(&node.name, registry, pointer), Champion::Absent),
        Ok(Some(seen)) => {
            let digest = seen.digest.to_string();
            if let Some(why) = measured_on_other_data(run, gate, registry, &seen.version)? {
                let file = BaselineFile::unreachable(&node.name, registry, pointer, &why);
                judge::write_baseline(run.bound, run.workspace(), &file)?;
                return Ok(Some(Champion::Unreachable(why)));
            }
            let scored = scored(run, node, gate);
            let mut file = match &scored {
                Ok(_) => BaselineFile::scored(&node.name, registry, pointer, &seen.version, &digest),
                Err(why) => BaselineFile::unscorable(&node.name, registry, pointer, &seen.version, &digest, why),
            };
            // Numbers that were lost or edited are no baseline whose decline can't be told: nothing may pass on that ground.
            let recorded = match recorded(run, node, registry, &seen.version, &mut file)? {
                Ok(recorded) => recorded,
                Err(error) => {
                    let mend = format!("`mlpc registry fsck {registry}` says what can be mended");
                    let why = format!("what was registered with `{}` can't be read: {error}; {mend}", seen.version);
                    let file = BaselineFile::unreachable(&node.name, registry, pointer, &why);
                    judge::write_baseline(run.bound, run.workspace(), &file)?;
                    return Ok(Some(Champion::Unreachable(why)));
                }
            };
            let machines = file.machines.clone();
            (file, Champion::Known { version: seen.version, digest, scored, recorded, machines })
        }
    };
    judge::write_baseline(run.bound, run.workspace(), &file)?;
    Ok(Some(champion))
}

/// Returns why a stage that scores this gate's baseline found something that is not what it was said to be.
fn unsound(run: &Run<'_>, gate: &str) -> Option<String> {
    run.bound.plan.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Stage(stage) if stage.baseline.as_ref().is_some_and(|baseline| baseline.gate == gate) => {
            match run.ending(&node.name) {
                Some(Ending::Unsound(why)) => Some(why),
                _ => None,
            }
        }
        _ => None,
    })
}

/// Returns the baseline's own measurements of this run, or why today's code could not make them.
fn scored(run: &Run<'_>, node: &Node, gate: &Gate) -> Result<Vec<Found>, String> {
    let measured = gate.baseline.iter().flat_map(|baseline| &baseline.evidence);
    measured
        .map(|measured| {
            let read = gate.evidence.get(measured.evidence).is_some_and(|evidence| gate::is_read(&evidence.ty));
            match counted(run, node, &measured.origin, read) {
                Found::Skipped(why) => Err(why),
                found => Ok(found),
            }
        })
        .collect()
}

/// Tells where recorded numbers were measured on other data than is frozen now: they can't be compared.
fn measured_on_other_data(run: &Run<'_>, gate: &Gate, registry: &str, version: &str) -> Result<Option<String>, Stop> {
    if gate.baseline.as_ref().is_none_or(|baseline| !baseline.recorded) {
        return Ok(None);
    }
    let metadata = match run.registry(registry)?.version(version) {
        Ok(found) => found.map(|version| version.metadata),
        Err(error) => return Ok(Some(error.to_string())),
    };
    let inputs = metadata.map(|metadata| metadata.inputs).unwrap_or_default();
    Ok(judge::measured_on_other_data(&run.bound.plan, gate, version, &inputs))
}

/// What was registered, or why the registry does not have it as it was.
type Recorded = Result<BTreeMap<Origin, Found>, RegistryError>;

/// Returns the metrics that were registered with a version, by the output that they were of.
fn recorded(
    run: &Run<'_>,
    node: &Node,
    registry: &str,
    version: &str,
    file: &mut BaselineFile,
) -> Result<Recorded, Stop> {
    let registered = run.bound.plan.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Register(register) if register.registry == registry => register.metrics.clone(),
        _ => None,
    });
    let Some(origin) = registered else { return Ok(Ok(BTreeMap::new())) };
    let text = match run.registry(registry)?.metrics(version) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Ok(BTreeMap::new())),
        Err(error) => return Ok(Err(error)),
    };
    let path = BaselineFile::recorded_path(&run.bound.prefix, &node.name);
    fs::write_atomic(&join_inside(run.workspace(), &path)?, text.as_bytes())?;
    file.recorded.insert(origin.clone(), path);
    // A version whose record can't be read has no machine either: its times then compare with none.
    let kept = run.registry(registry)?.version(version).ok().flatten();
    if let Some(machine) = kept.and_then(|version| version.metadata.notes.get(judge::machine::NOTE).cloned()) {
        file.machines.insert(origin.clone(), machine);
    }
    let digest = Digest::of(text.as_bytes()).to_string();
    let size = text.len() as u64;
    Ok(Ok(BTreeMap::from([(origin, Found::Present { bytes: text.into_bytes(), size, digest })])))
}
