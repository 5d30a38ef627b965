//! `.mlpc/baseline/<gate>/baseline.json`: what was found of a gate's baseline, written by whoever looked for it (the
//! executor, a runner) and read by whoever evaluates the gate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::State;
use crate::types::Origin;

/// What was found of a baseline. It stands beside the baseline's own measurements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineFile {
    /// Version of this format: 1.
    pub format: u32,
    /// The gate that compares.
    pub gate: String,
    /// The registry.
    pub registry: String,
    /// The pointer.
    pub pointer: String,
    /// What was found there.
    pub state: State,
    /// The version that the pointer named; for `scored` and `unscorable`.
    pub version: Option<String>,
    /// The digest of that version's model; for `scored` and `unscorable`.
    pub digest: Option<String>,
    /// Why it could not be read or scored; for `unreachable`, `unscorable` and `skipped`.
    pub reason: Option<String>,
    /// The metrics registered with that version: the output that they were of, and where they were put in the
    /// workspace for the comparison.
    #[serde(default)]
    pub recorded: BTreeMap<Origin, String>,
    /// The classes of machine that those were measured on, where times are among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub machines: BTreeMap<Origin, String>,
}

/// The format of [`BaselineFile`].
pub const BASELINE_FORMAT: u32 = 1;

impl BaselineFile {
    /// Returns its path in the workspace; `prefix` is that of the bound profile.
    #[must_use]
    pub fn path(prefix: &str, gate: &str) -> String {
        below(prefix, &format!("baseline/{gate}/baseline.json"))
    }

    /// Returns where the recorded metrics of its version are put in the workspace.
    #[must_use]
    pub fn recorded_path(prefix: &str, gate: &str) -> String {
        below(prefix, &format!("baseline/{gate}/recorded.json"))
    }

    /// Makes the record of a pointer that does not exist yet.
    #[must_use]
    pub fn absent(gate: &str, registry: &str, pointer: &str) -> Self {
        Self::new(gate, registry, pointer, State::Absent)
    }

    /// Makes the record of a registry that could not be read.
    #[must_use]
    pub fn unreachable(gate: &str, registry: &str, pointer: &str, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..Self::new(gate, registry, pointer, State::Unreachable) }
    }

    /// Makes the record of a version that was scored in this run.
    #[must_use]
    pub fn scored(gate: &str, registry: &str, pointer: &str, version: &str, digest: &str) -> Self {
        Self {
            version: Some(version.to_owned()),
            digest: Some(digest.to_owned()),
            ..Self::new(gate, registry, pointer, State::Scored)
        }
    }

    /// Makes the record of a version that today's code could not score.
    #[must_use]
    pub fn unscorable(gate: &str, registry: &str, pointer: &str, version: &str, digest: &str, reason: &str) -> Self {
        Self {
            state: State::Unscorable,
            reason: Some(reason.to_owned()),
            ..Self::scored(gate, registry, pointer, version, digest)
        }
    }

    fn new(gate: &str, registry: &str, pointer: &str, state: State) -> Self {
        Self {
            format: BASELINE_FORMAT,
            gate: gate.to_owned(),
            registry: registry.to_owned(),
            pointer: pointer.to_owned(),
            state,
            version: None,
            digest: None,
            reason: None,
            recorded: BTreeMap::new(),
            machines: BTreeMap::new(),
        }
    }

    /// Returns its text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a record has string keys");
        text.push('\n');
        text
    }

    /// Reads its text; one of another gate or baseline than asked for is refused.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_json(text: &str, gate: &str, registry: &str, pointer: &str) -> Result<Self, String> {
        let file: Self = serde_json::from_str(text).map_err(|error| format!("`baseline.json`: {error}"))?;
        if file.format != BASELINE_FORMAT {
            return Err(format!("`baseline.json` is of format {}; this mlpc reads {BASELINE_FORMAT}", file.format));
        }
        if (file.gate.as_str(), file.registry.as_str(), file.pointer.as_str()) != (gate, registry, pointer) {
            return Err(format!(
                "`baseline.json` is of `{}` and `{}@{}`, not of `{gate}` and `{registry}@{pointer}`",
                file.gate, file.registry, file.pointer
            ));
        }
        match file.state {
            State::Scored | State::Unscorable if file.version.is_none() || file.digest.is_none() => {
                Err("`baseline.json` names no version and digest".to_owned())
            }
            _ => Ok(file),
        }
    }
}

/// Returns a path of mlpc's own files: below `.mlpc/`, or below the profile's folder in it.
#[must_use]
pub(crate) fn below(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { format!(".mlpc/{path}") } else { format!("{prefix}{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes_and_refuses_what_is_of_another_gate() {
        let mut file = BaselineFile::scored("quality", "models", "production", "v1", "blake3:00");
        file.recorded.insert(Origin::output("evaluate", "report"), ".mlpc/baseline/quality/recorded.json".into());
        let text = file.to_json();
        assert_eq!(BaselineFile::from_json(&text, "quality", "models", "production"), Ok(file.clone()));
        assert!(BaselineFile::from_json(&text, "speed", "models", "production").is_err());
        assert!(BaselineFile::from_json(&text, "quality", "models", "staging").is_err());
        file.version = None;
        assert!(BaselineFile::from_json(&file.to_json(), "quality", "models", "production").is_err());
        assert!(BaselineFile::from_json("{}", "quality", "models", "production").is_err());
    }

    #[test]
    fn stands_below_the_profile() {
        assert_eq!(BaselineFile::path("", "q"), ".mlpc/baseline/q/baseline.json");
        assert_eq!(BaselineFile::path(".mlpc/profiles/smoke/", "q"), ".mlpc/profiles/smoke/baseline/q/baseline.json");
    }
}
