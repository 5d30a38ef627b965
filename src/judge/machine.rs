//! `.mlpc/machines/<stage>.json`: on which class of machine a stage measured the times that it wrote down. It stands beside the
//! outputs, so that whoever evaluates a gate later or elsewhere knows it too. No part of a key: it was observed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::gate::{Champion, Found, Gate, baseline_file};
use crate::host::{self, fs};
use crate::plan::{Bound, OutputKind, Plan, Stage};
use crate::types::{Artifact, Origin, Type};

/// Version of the file.
const FORMAT: u32 = 1;

/// Under this name a registry keeps the class of machine beside the metrics of a version.
pub(crate) const NOTE: &str = "machine";

/// A class of machine, and the outputs that were measured on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineFile {
    format: u32,
    stage: String,
    machine: String,
    /// Digests of the outputs, by name: other bytes were measured who knows where.
    outputs: BTreeMap<String, String>,
}

/// Returns the names of a stage's outputs that hold times.
pub(crate) fn timed<'p>(plan: &Plan, stage: &'p Stage) -> Vec<&'p str> {
    let timed = stage.outputs.iter().filter(|output| match &output.kind {
        OutputKind::Artifact(Artifact::Metrics { name }) => {
            let declared = plan.metrics.iter().find(|declared| declared.name == *name);
            declared.is_some_and(|declared| declared.metrics.iter().any(|metric| metric.ty == Type::Duration))
        }
        _ => false,
    });
    timed.map(|output| output.name.as_str()).collect()
}

/// Returns where the file of a stage stands in the workspace; `prefix` is that of the bound profile.
#[must_use]
pub(crate) fn path(prefix: &str, stage: &str) -> String {
    baseline_file::below(prefix, &format!("machines/{}.json", crate::cache::file_name(stage)))
}

/// Writes down on which class of machine a stage measured, unless it measures no time. `digest` gives that of an output.
///
/// # Errors
/// It can't be written.
pub(crate) fn note(
    bound: &Bound,
    workspace: &Path,
    (name, stage): (&str, &Stage),
    machine: &str,
    digest: impl Fn(&str) -> Option<String>,
) -> host::Result<()> {
    let timed = timed(&bound.plan, stage);
    if timed.is_empty() {
        return Ok(());
    }
    let outputs = timed.into_iter().filter_map(|name| Some((name.to_owned(), digest(name)?))).collect();
    let file = MachineFile { format: FORMAT, stage: name.to_owned(), machine: machine.to_owned(), outputs };
    let mut text = serde_json::to_string_pretty(&file).expect("a record has string keys");
    text.push('\n');
    let path = fs::join_inside(workspace, &path(&bound.prefix, name))?;
    // A run with nothing to do writes nothing.
    if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    fs::create_dirs(fs::parent(&path))?;
    fs::write_atomic(&path, text.as_bytes())
}

/// Returns the class of machine that an output with this digest was measured on, where that was written down.
pub(crate) fn class(bound: &Bound, workspace: &Path, origin: &Origin, digest: &str) -> Option<String> {
    let Origin::Output { stage, output } = origin else { return None };
    let path = fs::join_inside(workspace, &path(&bound.prefix, stage)).ok()?;
    let file: MachineFile = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let mine = file.format == FORMAT && file.stage == *stage && file.outputs.get(output).is_some_and(|is| is == digest);
    mine.then_some(file.machine)
}

/// Returns the classes of machine that a gate's evidence and its baseline's were measured on, as far as they are known.
pub(crate) fn classes(
    bound: &Bound,
    workspace: &Path,
    gate: &Gate,
    evidence: &[Found],
    champion: Option<&Champion>,
) -> BTreeMap<Origin, String> {
    let candidate = gate.evidence.iter().map(|evidence| &evidence.origin).zip(evidence);
    let scored = match champion {
        Some(Champion::Known { scored: Ok(scored), .. }) => scored.as_slice(),
        _ => &[],
    };
    let measured = gate.baseline.iter().flat_map(|baseline| &baseline.evidence).map(|measured| &measured.origin);
    let known = candidate.chain(measured.zip(scored)).filter_map(|(origin, found)| {
        let class = class(bound, workspace, origin, found.digest()?)?;
        Some((origin.clone(), class))
    });
    known.collect()
}
