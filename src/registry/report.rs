//! What `mlpc registry show` and `mlpc registry history` tell, as values, as text and as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::record::{Entry, Finding, Pointer};
use super::{Registry, RegistryError};

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
}

/// A pointer and the version it names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointerReport {
    /// The pointer.
    #[serde(flatten)]
    pub pointer: Pointer,
    /// The metrics of that version.
    pub metrics: Option<serde_json::Value>,
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
}

/// Looks at a registry.
pub fn show(name: &str, registry: &dyn Registry) -> Result<ShowReport, RegistryError> {
    let overview = registry.overview()?;
    let mut pointers = Vec::new();
    for (pointer, text) in overview.pointers {
        // The file is the team's own; what is no JSON is shown as the text it is.
        let metrics = text.map(|text| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)));
        pointers.push(PointerReport { pointer, metrics });
    }
    let versions = overview.versions.len();
    Ok(ShowReport { registry: name.to_owned(), location: registry.describe(), pointers, versions })
}

/// Looks at a pointer's past.
pub fn history(name: &str, registry: &dyn Registry, pointer: &str) -> Result<HistoryReport, RegistryError> {
    let entries = registry.history(pointer)?;
    Ok(HistoryReport { registry: name.to_owned(), pointer: pointer.to_owned(), entries })
}

impl ShowReport {
    /// Writes the report for a person.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} = {}, {} version{}", self.registry, self.location, self.versions, plural(self.versions))?;
        if self.pointers.is_empty() {
            writeln!(out, "  nothing was promoted yet")?;
        }
        for PointerReport { pointer, metrics } in &self.pointers {
            writeln!(out, "\n{}@{}", self.registry, pointer.name)?;
            writeln!(out, "  version   {}", pointer.version)?;
            writeln!(out, "  digest    {}", pointer.digest)?;
            writeln!(out, "  since     {} by run {}", pointer.since, pointer.run)?;
            writeln!(out, "  previous  {}", pointer.previous.as_deref().unwrap_or("none"))?;
            if let Some(metrics) = metrics {
                let mut rows = Vec::new();
                flatten("", metrics, &mut rows);
                for (i, (name, value)) in rows.iter().enumerate() {
                    writeln!(out, "  {:<9} {name} {value}", if i == 0 { "metrics" } else { "" })?;
                }
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
            writeln!(out, "{}@{} was never set", self.registry, self.pointer)?;
        }
        for entry in self.entries.iter().rev() {
            let previous = entry.previous.as_deref().map_or("first".to_owned(), |previous| format!("after {previous}"));
            writeln!(out, "{}  {}  {previous}  run {}", entry.since, entry.version, entry.run)?;
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
        let state = if finding.repaired { "repaired" } else { "damaged" };
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
