//! Evaluates a gate over the files of a workspace and keeps its report. Knows where evidence, baseline and report
//! stand; the verdict is made by `gate`, from values.

pub(crate) mod collect;
pub(crate) mod machine;
pub(crate) mod numbers;
pub(crate) mod recorded;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cache::Store;
use crate::gate::{self, About, BaselineFile, Gate, Position, Report};
use crate::host;
use crate::plan::{Bound, NodeKind, Plan};
use crate::types::Origin;

/// What tells that evidence is of the model and the data that stand beside it.
#[derive(Debug, Clone, Copy)]
pub enum HeldTo<'s> {
    /// All of it was made in one run, which saw to that; with the digests of the data that its measuring jobs read.
    OneRun(&'s BTreeMap<Origin, String>),
    /// The results on record: evidence that none of them made of exactly what stands there is no evidence.
    Records(&'s Store),
    /// The same, where there is a result on record at all; else the report that is evaluated again pins every digest.
    RecordsAnd(&'s Store, &'s Report),
}

/// Evaluates a gate over the files as they stand in the workspace.
///
/// `skipped` names the stages that did not run in this run, with the reason: what they would have made is not looked
/// at, even where something from an earlier run stands at its path.
///
/// # Errors
/// There is no such gate. Whatever is wrong with the files is in the report.
pub fn judge(
    bound: &Bound,
    workspace: &Path,
    name: &str,
    skipped: &BTreeMap<String, String>,
    held_to: HeldTo<'_>,
) -> Result<Report, String> {
    let gate = find(bound, name)?;
    let facts = collect::facts(bound, workspace, name, gate, skipped, held_to);
    Ok(gate::evaluate(gate, &bound.plan.metrics, &facts, &about(bound, name, gate)))
}

/// Returns the gate of this name.
///
/// # Errors
/// There is none.
pub fn find<'b>(bound: &'b Bound, name: &str) -> Result<&'b Gate, String> {
    match bound.plan.node(name).map(|node| &node.kind) {
        Some(NodeKind::Gate(gate)) => Ok(gate),
        Some(kind) => Err(format!("`{name}` is a {}, not a gate", kind.keyword())),
        None => {
            let gates = bound.plan.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Gate(_)));
            let names: Vec<_> = gates.map(|node| format!("`{}`", node.name)).collect();
            match names.as_slice() {
                [] => Err(format!("no gate `{name}`; this pipeline has none")),
                names => Err(format!("no gate `{name}`; there are {}", names.join(", "))),
            }
        }
    }
}

/// Tells where numbers that were recorded with a version were measured on other data than is frozen now: they can't be
/// compared. `inputs` are the digests of the sources that the version was made and measured with.
#[must_use]
pub fn measured_on_other_data(
    plan: &Plan,
    gate: &Gate,
    version: &str,
    inputs: &BTreeMap<String, String>,
) -> Option<String> {
    if gate.baseline.as_ref().is_none_or(|baseline| !baseline.recorded) {
        return None;
    }
    gate.evidence.iter().find_map(|evidence| {
        let Some(Origin::Source(name)) = &evidence.over else { return None };
        let source = plan.sources.iter().find(|source| source.name == *name);
        let frozen = source.and_then(|source| source.frozen.as_ref())?;
        let then = inputs.get(name);
        (then != Some(frozen)).then(|| {
            let then = then.map_or("unknown data".to_owned(), |digest| format!("`{digest}`"));
            format!("`{version}` was measured on {then} as `{name}`, which is frozen as `{frozen}`")
        })
    })
}

/// Returns what a report says of its gate beside what was measured.
#[must_use]
pub fn about(bound: &Bound, name: &str, gate: &Gate) -> About {
    let position = |key: &str| {
        let place = bound.plan.places.get(key)?;
        Some(Position { file: place.file.clone(), line: place.line, column: place.column })
    };
    About {
        gate: name.to_owned(),
        plan: bound.digest.clone(),
        profile: bound.profile.clone(),
        params: bound.params.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        advisory: !bound.gates_block,
        place: position(name),
        frozen: bound
            .plan
            .sources
            .iter()
            .filter(|source| source.frozen.is_some())
            .map(|source| Origin::Source(source.name.clone()))
            .collect(),
        requirements: (0..gate.requirements.len()).map(|index| position(&format!("{name}#{index}"))).collect(),
    }
}

/// Returns where a gate's report stands in the workspace; `prefix` is that of the bound profile.
#[must_use]
pub fn report_path(prefix: &str, gate: &str) -> String {
    gate::baseline_file::below(prefix, &format!("gates/{}/gate_report.json", crate::cache::file_name(gate)))
}

/// Writes a report to its place in the workspace, with `report.md` beside it, and returns that place.
///
/// # Errors
/// It can't be written.
pub fn write(bound: &Bound, workspace: &Path, report: &Report) -> host::Result<PathBuf> {
    let path = workspace.join(report_path(&bound.prefix, &report.gate));
    host::fs::write_atomic(&path, report.to_json().as_bytes())?;
    host::fs::write_atomic(&path.with_file_name("report.md"), gate::render::markdown(report).as_bytes())?;
    Ok(path)
}

/// Writes what was found of a gate's baseline to its place in the workspace.
///
/// # Errors
/// It can't be written.
pub fn write_baseline(bound: &Bound, workspace: &Path, file: &BaselineFile) -> host::Result<()> {
    let path = workspace.join(BaselineFile::path(&bound.prefix, &file.gate));
    host::fs::write_atomic(&path, file.to_json().as_bytes())
}

/// Evaluates again what a report is about, over the files as they stand now.
///
/// Decisions of people are not recomputed: they are entered as the report has them.
///
/// # Errors
/// The report is of another plan, or of a gate that the plan does not have.
pub fn again(bound: &Bound, workspace: &Path, report: &Report) -> Result<Report, String> {
    if report.plan != bound.digest {
        return Err(format!(
            "the report is of another plan ({}) than the pipeline is now ({})",
            short(&report.plan),
            short(&bound.digest)
        ));
    }
    let store = Store::look(&workspace.join(".mlpc")).map_err(|error| error.to_string())?;
    let held_to = HeldTo::RecordsAnd(&store, report);
    let mut again = judge(bound, workspace, &report.gate, &BTreeMap::new(), held_to)?;
    if let Some(decision) = &report.approval {
        again.decide(decision.clone());
    }
    again.overridden.clone_from(&report.overridden);
    Ok(again)
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests;
