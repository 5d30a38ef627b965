//! What a gate wants to know of its tables, and the one pass over each that finds it out.
//!
//! The host opens files; which, and what is read out of them, is said here.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Found;
use super::{Columns, Gate, TableRef};
use crate::data::{self, Format, Frozen, Input, Summary, Wanted};
use crate::types::Artifact;

fn tables(gate: &Gate) -> impl Iterator<Item = (&str, &TableRef)> {
    gate.requirements.iter().filter_map(|line| Some((line.measure.kind.as_str(), line.measure.table.as_ref()?)))
}

/// Returns the paths of the data baselines that a gate compares with, each once.
#[must_use]
pub fn references(gate: &Gate) -> BTreeSet<String> {
    tables(gate).filter_map(|(_, table)| table.against.clone()).collect()
}

/// Returns which of a gate's evidences are tables that requirements look into.
#[must_use]
pub fn surveyed(gate: &Gate) -> BTreeSet<usize> {
    tables(gate).map(|(_, table)| table.evidence).collect()
}

/// Reads the data baselines.
pub(super) fn frozen(references: &BTreeMap<String, Found>) -> BTreeMap<String, Result<Frozen, String>> {
    let read = |path: &String, found: &Found| match found {
        Found::Present { bytes, .. } => Frozen::from_json(bytes).map_err(|why| format!("`{path}`: {why}")),
        Found::Missing => {
            Err(format!("the data baseline `{path}` is missing: `mlpc baseline DATASET --out {path}` writes it"))
        }
        Found::Unreadable(why) | Found::Stale(why) => Err(format!("the data baseline `{path}` can't be read: {why}")),
        Found::Skipped(why) => Err(format!("the data baseline `{path}` was not made: {why}")),
    };
    references.iter().map(|(path, found)| (path.clone(), read(path, found))).collect()
}

/// Returns how an evidence is written, where its type says so.
#[must_use]
pub fn format(gate: &Gate, evidence: usize) -> Option<Format> {
    match gate.evidence.get(evidence).map(|evidence| &evidence.ty) {
        Some(Artifact::Dataset { format: Some(format), .. }) => Format::find(format),
        Some(Artifact::Predictions(_)) => Some(Format::Csv),
        _ => None,
    }
}

/// Reads one table for all requirements about it.
///
/// # Errors
/// The first mistake in it.
pub fn survey(
    gate: &Gate,
    evidence: usize,
    found: &BTreeMap<String, Found>,
    input: Input<'_>,
) -> Result<Summary, String> {
    let format = format(gate, evidence).ok_or("its type does not say how it is written")?;
    let known = frozen(found);
    let mut wanted = Wanted::default();
    for (kind, table) in tables(gate).filter(|(_, table)| table.evidence == evidence) {
        for schema in table.typed.iter().chain(&table.schema) {
            if !wanted.schemas.contains(&schema) {
                wanted.schemas.push(schema);
            }
        }
        if let ("classes", Some(Columns::One(column))) = (kind, &table.columns) {
            wanted.classes.insert(column.clone());
        }
        if let Some((path, Ok(frozen))) = table.against.as_ref().and_then(|path| known.get_key_value(path))
            && wanted.baselines.iter().all(|(known, _)| known != path)
        {
            wanted.baselines.push((path, frozen));
        }
    }
    data::scan(format, input, &wanted).map_err(|problem| problem.to_string())
}
