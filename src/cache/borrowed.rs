//! Results that came from the part of a remote that anybody may write to. They stand apart from those of this machine, so that
//! what leads to a release never takes one for its own.

use std::path::PathBuf;

use super::manifest::Key;
use super::result::ResultRecord;
use super::store::Store;
use crate::host::{Context, Result, fs};

impl Store {
    /// Returns the borrowed result under a key.
    #[must_use]
    pub fn borrowed(&self, key: &Key) -> Option<ResultRecord> {
        let bytes = std::fs::read(self.borrowed_path(key)).ok()?;
        let record: ResultRecord = serde_json::from_slice(&bytes).ok()?;
        (record.is_sound() && record.key == *key).then_some(record)
    }

    /// Records a result that was borrowed.
    pub fn borrow(&self, record: &ResultRecord) -> Result<()> {
        let json = serde_json::to_vec_pretty(record).context(|| "cannot write a result".to_owned())?;
        fs::write_atomic(&self.borrowed_path(&record.key), &json)
    }

    /// Gives a borrowed result back, such as one whose objects are lost.
    pub fn give_back(&self, key: &Key) -> Result<()> {
        fs::remove(&self.borrowed_path(key))
    }

    fn borrowed_path(&self, key: &Key) -> PathBuf {
        let hex = key.to_string();
        self.results().join("borrowed").join(&hex[..2]).join(format!("{hex}.json"))
    }
}
