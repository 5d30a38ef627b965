//! The append-only file of what was asked and decided: `.mlpc/approvals.jsonl`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::About;
use crate::host::error::Context;
use crate::host::lock::Lock;
use crate::host::{Error, Result, fs, lines};

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A person was asked.
    Asked(Asked),
    /// A person decided.
    Decided(Decided),
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The approval.
    pub approval: String,
    /// What it is about, as it is written: `release`, `train.model`.
    pub subject: String,
    /// The digest of the subject: the decision is about these bytes.
    pub digest: String,
    /// The run that waits.
    pub run: String,
    /// When it was asked.
    pub at: Timestamp,
    /// Nanoseconds after which it is a rejection.
    pub timeout: i64,
    /// Logins that may decide; anyone if empty.
    pub by: Vec<String>,
    /// The gate reports that admitted it: the decision is about these, too.
    #[serde(default)]
    pub shown: Vec<Shown>,
    /// The file that it is about; none where that is a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// It leads into a registry that others share, for which a decision on this machine does not count.
    pub shared: bool,
}

/// A gate report that is shown with a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The gate.
    pub gate: String,
    /// Where the run keeps it, relative to the workspace.
    pub path: String,
    /// The digest of its bytes.
    pub digest: String,
    /// The digest of its verdicts without the numbers: a stage that runs every time measures other ones in each part of a
    /// run that says the same.
    pub said: String,
}

impl Asked {
    /// Returns the digests of the verdicts that are shown, by gate.
    #[must_use]
    pub fn said(&self) -> BTreeMap<&str, &str> {
        self.shown.iter().map(|shown| (shown.gate.as_str(), shown.said.as_str())).collect()
    }

    /// Returns the digests of the reports that are shown, by gate.
    #[must_use]
    pub fn reports(&self) -> BTreeMap<String, String> {
        self.shown.iter().map(|shown| (shown.gate.clone(), shown.digest.clone())).collect()
    }
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The approval.
    pub approval: String,
    /// The digest of the subject.
    pub digest: String,
    /// The digests of the gate reports that were shown, by gate.
    #[serde(default)]
    pub reports: BTreeMap<String, String>,
    /// Whether it was given.
    pub given: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Returns where the file is in a workspace.
pub(super) fn path(workspace: &Path) -> PathBuf {
    workspace.join(".mlpc/approvals.jsonl")
}

/// Takes the lock that writers hold.
pub(super) fn lock(workspace: &Path) -> Result<Lock> {
    Lock::wait(&workspace.join(".mlpc/locks/approvals"))
}

/// Reads all records. A last line that was cut off by a crash was never recorded; one that lacks nothing but its end was.
/// Any other line that can't be read is an error, since nobody may take a decision away.
pub(super) fn read(workspace: &Path) -> Result<Vec<Record>> {
    let path = path(workspace);
    let text = match fs::read_text(&path) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        text => text?,
    };
    let lines = text[..whole(text.as_bytes())].lines().enumerate();
    let parsed = lines.map(|(index, line)| {
        serde_json::from_str(line).map_err(|error| {
            let place = format!(".mlpc/approvals.jsonl:{}", index + 1);
            Error::new(format!(
                "`{place}` is no record: {error}; mend the line, or move the file away and run again, to be asked anew"
            ))
        })
    });
    parsed.collect()
}

/// Returns how many bytes are lines, without the half of one that a crash left.
fn whole(text: &[u8]) -> usize {
    let (lines, rest) = lines::split(text);
    match serde_json::from_slice::<Record>(rest) {
        Ok(_) => text.len(),
        Err(_) => lines.len(),
    }
}

/// Adds a record, on disk when it returns. The caller holds the lock.
pub(super) fn append(workspace: &Path, record: &Record) -> Result<()> {
    let path = path(workspace);
    fs::create_dirs(fs::parent(&path))?;
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(&path).cannot("write", &path)?;
    let mut text = fs::read(&path)?;
    // What a crash cut off is no record; the next one must not be glued to it.
    text.truncate(whole(&text));
    let before = text.len();
    lines::add(&mut text, record);
    file.set_len(before as u64).cannot("write", &path)?;
    file.seek(SeekFrom::End(0)).cannot("write", &path)?;
    file.write_all(&text[before..]).cannot("write", &path)?;
    file.sync_all().cannot("write", &path)
}
