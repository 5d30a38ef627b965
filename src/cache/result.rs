//! Results: which outputs a piece of work had, by its key, with the manifest that explains the key and with what was
//! observed when they were made.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::manifest::{Key, Part};
use super::store::{Artifact, Store};
use crate::host::{Context, Digest, Result, fs};

/// Version of the record; one of another version is a miss.
const FORMAT: u32 = 1;

/// What came out of a piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRecord {
    format: u32,
    /// The key.
    pub key: Key,
    /// What the key was made of.
    pub manifest: Vec<Part>,
    /// The outputs.
    pub outputs: Vec<Produced>,
    /// What was observed.
    pub provenance: Provenance,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Produced {
    /// The name in the stage.
    pub role: String,
    /// Its content.
    pub artifact: Artifact,
    /// What a value output was read as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
}

/// What was observed when a result was made; never part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The node that it was made for.
    pub node: String,
    /// The run that made it.
    pub run: String,
    /// The program that wrote it, with its version.
    pub writer: String,
    /// The class of machine.
    pub machine: String,
    /// When it began, in UTC.
    pub started: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// The exit status.
    pub status: i32,
    /// The log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Digest>,
}

/// How a result was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is the first under its key.
    New,
    /// The same was there.
    Same,
    /// Outputs of these names were different before: the work is not deterministic.
    Different(Vec<String>),
}

impl ResultRecord {
    /// Makes a record.
    #[must_use]
    pub fn new(key: Key, manifest: Vec<Part>, outputs: Vec<Produced>, provenance: Provenance) -> Self {
        Self { format: FORMAT, key, manifest, outputs, provenance }
    }

    /// Tells whether the manifest comes to the key.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.format == FORMAT && Key::of(&self.manifest) == self.key
    }

    /// Tells whether the result may be used on other machines: what made it is locked.
    #[must_use]
    pub fn is_shareable(&self) -> bool {
        self.manifest.iter().any(|part| part.kind == "runtime" && part.name == "locked")
    }

    /// Returns the output of this name.
    #[must_use]
    pub fn output(&self, role: &str) -> Option<&Produced> {
        self.outputs.iter().find(|output| output.role == role)
    }
}

impl Store {
    /// Returns the result under a key. One that can't be read is a miss.
    #[must_use]
    pub fn result(&self, key: &Key) -> Option<ResultRecord> {
        let bytes = std::fs::read(self.result_path(key)).ok()?;
        let record: ResultRecord = serde_json::from_slice(&bytes).ok()?;
        (record.format == FORMAT && record.key == *key).then_some(record)
    }

    /// Records a result; one that was there is replaced. An object that a power cut takes away after that is a miss.
    pub fn record(&self, record: &ResultRecord) -> Result<Recorded> {
        let before = self.result(&record.key);
        let json = serde_json::to_vec_pretty(record).context(|| "cannot write a result".to_owned())?;
        self.write(&self.result_path(&record.key), &json)?;
        let Some(before) = before else { return Ok(Recorded::New) };
        let differs = |new: &&Produced| before.output(&new.role).is_none_or(|old| old.artifact != new.artifact);
        let different: Vec<_> = record.outputs.iter().filter(differs).map(|output| output.role.clone()).collect();
        Ok(if different.is_empty() { Recorded::Same } else { Recorded::Different(different) })
    }

    /// Forgets a result, such as one whose objects are lost.
    pub fn forget(&self, key: &Key) -> Result<()> {
        fs::remove(&self.result_path(key))
    }

    fn result_path(&self, key: &Key) -> PathBuf {
        let hex = key.to_string();
        self.results().join(&hex[..2]).join(format!("{hex}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::sample;
    use super::*;
    use crate::cache::Kind;

    fn record(content: &[u8]) -> ResultRecord {
        let artifact =
            Artifact { kind: Kind::File, digest: Digest::of(content), executable: false, size: content.len() as u64 };
        let provenance = Provenance {
            node: "train".into(),
            run: "r".into(),
            writer: "mlpc 0".into(),
            machine: "m".into(),
            started: "2026-08-01T00:00:00Z".into(),
            milliseconds: 5,
            status: 0,
            log: None,
        };
        let outputs = vec![Produced { role: "model".into(), artifact, value: None }];
        ResultRecord::new(sample().key(), sample().parts(), outputs, provenance)
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join(".mlpc")).expect("opened");
        (folder, store)
    }

    #[test]
    fn two_different_results_under_one_key_are_told() {
        let (_folder, store) = store();
        assert_eq!(store.record(&record(b"a")).expect("works"), Recorded::New);
        assert_eq!(store.record(&record(b"a")).expect("works"), Recorded::Same);
        assert_eq!(store.record(&record(b"b")).expect("works"), Recorded::Different(vec!["model".into()]));
        assert_eq!(store.result(&sample().key()), Some(record(b"b")));
    }

    #[test]
    fn the_latest_result_of_a_node_explains_the_next_miss() {
        let (_folder, store) = store();
        assert_eq!(store.latest("", "train"), None);
        store.record(&record(b"a")).expect("recorded");
        store.note_latest("", "train", &sample().key()).expect("noted");
        assert_eq!(store.latest("", "train"), Some(record(b"a")));
        assert_eq!(store.latest("smoke", "train"), None);
    }

    #[test]
    fn a_result_that_can_not_be_read_is_a_miss() {
        let (folder, store) = store();
        store.record(&record(b"a")).expect("recorded");
        let hex = sample().key().to_string();
        let path = folder.path().join(format!(".mlpc/cache/v1/results/{}/{hex}.json", &hex[..2]));
        std::fs::write(path, "{").expect("written");
        assert_eq!(store.result(&sample().key()), None);
    }
}
