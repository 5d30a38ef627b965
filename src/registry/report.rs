//! What `mlpc registry show` and `mlpc registry history` tell, as values, as text and as JSON.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::record::{ByHand, Entry, Finding, GateNumber, Metadata, Pointer, Rejection, Version};
use super::{Registry, RegistryError};
use crate::host::Digest;
use crate::host::clock::iso;

/// A registry at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShowReport {
    /// The registry's name.
    pub registry: String,
    /// Where it stands, as declared.
    pub location: String,
    /// Its pointers in the order of their names.
    pub pointers: Vec<PointerReport>,
    /// How many versions it holds.
    pub versions: usize,
    /// Those of them that no pointer names, the latest first.
    pub others: Vec<OtherReport>,
}

/// A version that no pointer names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OtherReport {
    /// Its id.
    pub version: String,
    /// The digest of its model.
    pub digest: Digest,
    /// When it was registered, RFC 3339 in UTC.
    pub created: String,
    /// The run that registered it.
    pub run: String,
    /// What keeps it from pointers: it was rolled back, and nobody allowed it since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rolled_back: Vec<Rejection>,
}

/// A pointer and the version it names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointerReport {
    /// The pointer.
    #[serde(flatten)]
    pub pointer: Pointer,
    /// The metrics of that version.
    pub metrics: Option<serde_json::Value>,
    /// What gates computed of its predictions when it was registered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<GateNumber>,
}

/// What a pointer was set to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryReport {
    /// The registry's name.
    pub registry: String,
    /// The pointer's name.
    pub pointer: String,
    /// The steps, the oldest first.
    pub entries: Vec<Entry>,
    /// Where there are none: the pointers that were set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pointers: Vec<String>,
}

/// Looks at a registry.
pub fn show(name: &str, registry: &dyn Registry) -> Result<ShowReport, RegistryError> {
    let overview = registry.overview()?;
    let mut pointers = Vec::new();
    for (pointer, text) in overview.pointers {
        // The file is the team's own; what is no JSON is shown as the text it is.
        let metrics = text.map(|text| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)));
        let version = overview.versions.iter().find(|version| version.id == pointer.version);
        let numbers = version.map(|version| version.metadata.numbers.clone()).unwrap_or_default();
        pointers.push(PointerReport { pointer, metrics, numbers });
    }
    let versions = overview.versions.len();
    let is_named = |version: &Version| pointers.iter().any(|named| named.pointer.version == version.id);
    let others = overview.versions.into_iter().rev().filter(|version| !is_named(version));
    let others = others.map(|version| OtherReport {
        version: version.id,
        digest: version.digest,
        created: version.created,
        run: version.metadata.run,
        rolled_back: overview.rejections.iter().filter(|line| line.digest == version.digest).cloned().collect(),
    });
    let others = others.collect();
    Ok(ShowReport { registry: name.to_owned(), location: registry.describe(), pointers, versions, others })
}

/// Looks at a pointer's past.
pub fn history(name: &str, registry: &dyn Registry, pointer: &str) -> Result<HistoryReport, RegistryError> {
    let entries = registry.history(pointer)?;
    let set = if entries.is_empty() { registry.pointers()? } else { Vec::new() };
    let pointers = set.into_iter().map(|pointer| pointer.name).collect();
    Ok(HistoryReport { registry: name.to_owned(), pointer: pointer.to_owned(), entries, pointers })
}

/// What a pointer named at a time, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtReport {
    /// The registry's name.
    pub registry: String,
    /// The pointer's name.
    pub pointer: String,
    /// The time, RFC 3339 in UTC.
    pub at: String,
    /// The step that was in force; none where the pointer was not set yet.
    pub entry: Option<Entry>,
    /// Where its version comes from: run, gates, approvals.
    pub metadata: Option<Metadata>,
}

/// Looks at what a pointer named at a time.
pub fn at(name: &str, registry: &dyn Registry, pointer: &str, time: Timestamp) -> Result<AtReport, RegistryError> {
    let mut entry = None;
    for step in registry.history(pointer)? {
        let since: Timestamp = step.since.parse().map_err(|_| {
            RegistryError::corrupt(format!(
                "the history says that `{pointer}` was set at `{}`, which is no time",
                step.since
            ))
        })?;
        if since <= time {
            entry = Some(step);
        }
    }
    let version = entry.as_ref().map(|entry| registry.version(&entry.version)).transpose()?.flatten();
    let (registry, pointer) = (name.to_owned(), pointer.to_owned());
    Ok(AtReport { registry, pointer, at: iso(time), entry, metadata: version.map(|version| version.metadata) })
}

impl AtReport {
    /// Writes the report for a person.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = format!("{}@{}", self.registry, self.pointer);
        let Some(entry) = &self.entry else { return writeln!(out, "{name} was not set yet at {}", self.at) };
        writeln!(out, "{name} at {}", self.at)?;
        writeln!(out, "  version   {}", entry.version)?;
        writeln!(out, "  since     {}, {}", entry.since, why(entry))?;
        writeln!(out, "  previous  {}", entry.previous.as_deref().unwrap_or("none"))?;
        let Some(metadata) = &self.metadata else { return Ok(()) };
        writeln!(out, "  made by   run {} of {}", metadata.run, metadata.pipeline)?;
        for (what, all) in [("gate", &metadata.gates), ("approval", &metadata.approvals)] {
            for (name, said) in all {
                writeln!(out, "  {what:<8}  {name}: {said}")?;
            }
        }
        Ok(())
    }

    /// Writes the report for a program.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        json(self, out)
    }
}

/// Says who or what moved the pointer.
fn why(entry: &Entry) -> String {
    match &entry.by_hand {
        Some(ByHand { by, reason }) => format!("rolled back by {by}: {reason}"),
        None => format!("run {}", entry.run),
    }
}

impl ShowReport {
    /// Writes the report for a person.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} = {}, {} version{}", self.registry, self.location, self.versions, plural(self.versions))?;
        if self.pointers.is_empty() {
            writeln!(out, "  nothing was promoted yet")?;
        }
        for PointerReport { pointer, metrics, numbers } in &self.pointers {
            writeln!(out, "\n{}@{}", self.registry, pointer.name)?;
            writeln!(out, "  version   {}", pointer.version)?;
            writeln!(out, "  digest    {}", pointer.digest)?;
            match &pointer.by_hand {
                Some(_) => writeln!(out, "  since     {}, {}", pointer.since, why(pointer))?,
                None => writeln!(out, "  since     {} by run {}", pointer.since, pointer.run)?,
            }
            writeln!(out, "  previous  {}", pointer.previous.as_deref().unwrap_or("none"))?;
            if let Some(metrics) = metrics {
                let mut rows = Vec::new();
                flatten("", metrics, &mut rows);
                for (i, (name, value)) in rows.iter().enumerate() {
                    writeln!(out, "  {:<9} {name} {value}", if i == 0 { "metrics" } else { "" })?;
                }
            }
            for (i, GateNumber { metric, value, gate, predictions, .. }) in numbers.iter().enumerate() {
                let head = if i == 0 { "measured" } else { "" };
                writeln!(out, "  {head:<9} {metric} {value} (gate {gate}, of {predictions})")?;
            }
        }
        if !self.others.is_empty() {
            writeln!(out, "\nnamed by no pointer")?;
        }
        for OtherReport { version, created, run, rolled_back, .. } in &self.others {
            writeln!(out, "  {version}  registered {created} by run {run}")?;
            for Rejection { pointer, by, reason, since, .. } in rolled_back {
                let name = format!("{}@{pointer}", self.registry);
                writeln!(
                    out,
                    "    rolled back from {name} by {by} at {since} ({reason}): not released again before it is allowed"
                )?;
            }
        }
        Ok(())
    }

    /// Writes the report for a program.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        json(self, out)
    }
}

impl HistoryReport {
    /// Writes the report for a person, the newest step first.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.entries.is_empty() {
            let names: Vec<_> = self.pointers.iter().map(|name| format!("{}@{name}", self.registry)).collect();
            let set = if names.is_empty() { String::new() } else { format!("; set are {}", names.join(", ")) };
            writeln!(out, "{}@{} was never set{set}", self.registry, self.pointer)?;
        }
        for entry in self.entries.iter().rev() {
            let previous = entry.previous.as_deref().map_or("first".to_owned(), |previous| format!("after {previous}"));
            writeln!(out, "{}  {}  {previous}  {}", entry.since, entry.version, why(entry))?;
        }
        Ok(())
    }

    /// Writes the report for a program.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        json(self, out)
    }
}

/// Writes what `fsck` found, for a person.
pub fn write_findings(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        writeln!(out, "all is as it was written")?;
    }
    for finding in findings {
        let state = match finding {
            Finding { note: true, .. } => "note",
            Finding { repaired: true, .. } => "repaired",
            _ => "damaged",
        };
        writeln!(out, "{state:<8}  {}: {}", finding.path, finding.problem)?;
    }
    Ok(())
}

fn json(report: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Lists the numbers and words of a metrics file with their path, as far as they fit on a screen: no lists.
fn flatten(prefix: &str, value: &serde_json::Value, rows: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&path, value, rows);
            }
        }
        serde_json::Value::Array(_) | serde_json::Value::Null => {}
        serde_json::Value::String(text) if prefix.is_empty() => {
            rows.push((String::new(), text.lines().next().unwrap_or_default().to_owned()));
        }
        value => rows.push((prefix.to_owned(), value.to_string())),
    }
}
