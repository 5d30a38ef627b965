//! Runs that were: found by what people call them, read from `.mlpc/runs` and the store, compared and told. Runs nothing.

mod diff;
mod lineage;
mod marked;
mod numbers;
mod plots;
mod report;
mod svg;

use std::collections::BTreeMap;
use std::path::Path;

pub use diff::{Diff, Measured, Pair, StageDiff, Turn, compare};
pub use lineage::{Decided, Lineage, Made, Read, Subject, latest_output, lineage};
pub use marked::marked;
pub use numbers::{Number, numbers};
pub use report::{is_report, report};

use crate::diagnostic::nearest;
use crate::exec::{self, Ending, NodeRecord, RunRecord};
use crate::gate::Report;

/// Finds a run by its id, the beginning of one, `latest` or `latest~2` of a pipeline; `Err` is what to tell the user.
pub fn find(state: &Path, pipeline: &str, name: &str) -> Result<String, String> {
    let ids = exec::runs(state).map_err(|error| error.to_string())?;
    if ids.is_empty() {
        return Err("no run was recorded here yet; `mlpc run` records one".to_owned());
    }
    let back = match name.strip_prefix("latest") {
        Some("") => Some(0),
        Some(rest) => rest.strip_prefix('~').and_then(|back| back.parse::<usize>().ok()),
        None => None,
    };
    if let Some(back) = back {
        let mut own = exec::runs_of(state, pipeline).map_err(|error| error.to_string())?;
        return own.nth(back).map(|(run, _)| run).ok_or_else(|| {
            let count = exec::runs_of(state, pipeline).map_or(0, Iterator::count);
            format!(
                "`{name}` is no run: {count} of `{pipeline}` {} recorded here",
                if count == 1 { "is" } else { "are" }
            )
        });
    }
    if ids.iter().any(|id| id == name) {
        return Ok(name.to_owned());
    }
    let beginning: Vec<&String> = ids.iter().filter(|id| !name.is_empty() && id.starts_with(name)).collect();
    match beginning.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let near = nearest(name, ids.iter().map(String::as_str)).unwrap_or(ids[0].as_str());
            Err(format!("no run `{name}`; did you mean `{near}`? `mlpc history` lists them"))
        }
        several => Err(format!("`{name}` begins {} runs; the latest is `{}`", several.len(), several[0])),
    }
}

/// Makes sure that a run is one of this pipeline: what is known of another's nodes stands in another file.
pub fn of_pipeline(pipeline: &str, record: &RunRecord) -> Result<(), String> {
    if record.pipeline == pipeline {
        return Ok(());
    }
    let (run, other) = (&record.run, &record.pipeline);
    Err(format!("the run {run} is one of `{other}`, not of `{pipeline}`; name the file of `{other}` with `-f FILE`"))
}

/// Reads the records of a pipeline's runs, the latest first; what can't be read is left out.
pub fn records(state: &Path, pipeline: &str, at_most: usize) -> Result<Vec<RunRecord>, String> {
    let ids = exec::runs_of(state, pipeline).map_err(|error| error.to_string())?;
    Ok(ids.filter_map(|(id, _)| RunRecord::read(state, &id).ok()).take(at_most).collect())
}

/// Counts the runs of the other pipelines of a workspace, by name.
#[must_use]
pub fn others(state: &Path, pipeline: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for run in exec::runs(state).unwrap_or_default() {
        if let Ok(record) = RunRecord::read(state, &run)
            && record.pipeline != pipeline
        {
            *found.entry(record.pipeline).or_insert(0) += 1;
        }
    }
    found
}

/// Reads the reports of a run's gates, in the order in which they were decided. What a person said to a gate that asked stands
/// in the report that the run keeps.
#[must_use]
pub fn gates(state: &Path, run: &str) -> Vec<Report> {
    let journal = std::fs::read_to_string(state.join("runs").join(run).join("events.jsonl")).unwrap_or_default();
    let mut found: Vec<Report> = Vec::new();
    for line in journal.lines() {
        let Ok(mut event) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let Some(gate) = event.get_mut("gate").map(serde_json::Value::take) else { continue };
        if let Ok(report) = serde_json::from_value::<Report>(gate) {
            // A run that was resumed decides anew.
            found.retain(|have| have.gate != report.gate);
            let folder = state.join("runs").join(run).join("gates").join(crate::cache::file_name(&report.gate));
            let kept = std::fs::read_to_string(folder.join("gate_report.json")).unwrap_or_default();
            found.push(Report::from_json(&kept).unwrap_or(report));
        }
    }
    found
}

/// Returns how a node ended, in a word or two.
#[must_use]
pub fn word(ending: &Ending) -> String {
    match ending {
        Ending::Done => "done".to_owned(),
        Ending::Hit => "hit".to_owned(),
        Ending::Decided(verdict) => verdict.to_string(),
        Ending::NotEvaluated(_) => "not evaluated".to_owned(),
        Ending::Asks(approval) => format!("asks {approval}"),
        Ending::Approved => "approved".to_owned(),
        Ending::Rejected(_) => "rejected".to_owned(),
        Ending::Expired(_) => "decided by nobody in time".to_owned(),
        Ending::RolledBack(_) => "rolled back before".to_owned(),
        Ending::WaitsForPerson => "waits for a person".to_owned(),
        Ending::Failed(_) => "failed".to_owned(),
        Ending::Unsound(_) => "unsound".to_owned(),
        Ending::Skipped(_) => "skipped".to_owned(),
        Ending::NotReleased(_) => "not released here".to_owned(),
        Ending::Blocked(_) => "not run".to_owned(),
        Ending::Interrupted => "interrupted".to_owned(),
    }
}

/// Returns how a run came out, in words.
#[must_use]
pub fn outcome(record: &RunRecord) -> &'static str {
    match record.exit {
        None => "did not end",
        Some(0) => "fine",
        Some(1) => "failed",
        Some(10) => refused(record),
        Some(11) => "could not be decided",
        Some(14) => "waits for a person",
        Some(130) => "interrupted",
        Some(_) => "ended",
    }
}

/// Returns who refused a run. What a gate decided may have been advice; what else refuses does not advise.
fn refused(record: &RunRecord) -> &'static str {
    let word = |node: &NodeRecord| match node.ending {
        Ending::Rejected(_) => Some("a person said no"),
        Ending::Expired(_) => Some("nobody decided in time"),
        Ending::RolledBack(_) => Some("was rolled back before"),
        _ => None,
    };
    record.nodes.iter().find_map(word).unwrap_or("a gate said no")
}

/// Writes milliseconds as people do.
#[must_use]
pub fn time_text(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds}ms"),
        1_000..60_000 => format!("{:.1}s", milliseconds as f64 / 1e3),
        60_000..3_600_000 => format!("{}m{:02}s", milliseconds / 60_000, milliseconds / 1_000 % 60),
        _ => format!("{}h{:02}m", milliseconds / 3_600_000, milliseconds / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_by_id_beginning_and_age() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path();
        let find = |name: &str| super::find(state, "p", name);
        assert!(find("latest").expect_err("none").contains("mlpc run"));
        let ids =
            [("20260801T100000", "p"), ("20260801T110000", "p"), ("20260802T090000", "p"), ("20260803T090000", "q")];
        for (id, pipeline) in ids {
            std::fs::create_dir_all(state.join("runs").join(id)).expect("made");
            let record = format!("{{\"pipeline\": \"{pipeline}\"}}");
            std::fs::write(state.join("runs").join(id).join("run.json"), record).expect("written");
        }
        assert_eq!(find("latest").as_deref(), Ok("20260802T090000"));
        assert_eq!(find("latest~2").as_deref(), Ok("20260801T100000"));
        assert_eq!(find("20260802").as_deref(), Ok("20260802T090000"));
        assert!(find("20260801").expect_err("two").contains("begins 2 runs"));
        assert!(find("20260801T110001").expect_err("none").contains("did you mean `20260801T110000`?"));
        assert!(find("latest~9").expect_err("none").contains("3 of `p` are recorded"));
        // Another pipeline's run is found by its id alone.
        assert_eq!(find("20260803").as_deref(), Ok("20260803T090000"));
    }

    #[test]
    fn times_are_written_as_people_do() {
        assert_eq!([7, 1_540, 61_000, 3_720_000].map(time_text), ["7ms", "1.5s", "1m01s", "1h02m"]);
    }
}
