//! Under which key each node last came out well, so that the next miss can be explained. A file for each profile, a line a node,
//! which grows until most of its lines are out of date. Only a memory: a line that can't be read is as if it were not there.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::manifest::Key;
use super::result::ResultRecord;
use super::scratch::file_name;
use super::store::Store;
use crate::host::{Context, Result, fs};

/// What was read, by profile.
pub(super) type Known = Mutex<HashMap<String, HashMap<String, Key>>>;

/// So many lines that are out of date are no reason to write the file anew.
const STALE: usize = 1000;

impl Store {
    /// Notes under which key a node last came out well.
    pub fn note_latest(&self, profile: &str, node: &str, key: &Key) -> Result<()> {
        let mut known = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.latest_path(profile);
        let nodes = known.entry(profile.to_owned()).or_insert_with(|| read(&path));
        // A run with nothing to do writes nothing.
        if nodes.get(node) == Some(key) {
            return Ok(());
        }
        nodes.insert(node.to_owned(), *key);
        append(&path, &line(node, key))
    }

    /// Returns the result with which a node last came out well.
    #[must_use]
    pub fn latest(&self, profile: &str, node: &str) -> Option<ResultRecord> {
        let key = {
            let mut known = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let nodes = known.entry(profile.to_owned()).or_insert_with(|| read(&self.latest_path(profile)));
            *nodes.get(node)?
        };
        self.result(&key)
    }

    /// Removes the notes of nodes whose last result is gone.
    pub(super) fn remove_latest(&self) -> Result<()> {
        let mut known = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
        let folder = self.results().join("latest");
        if !folder.is_dir() {
            return Ok(());
        }
        for entry in fs::sorted_entries(&folder)? {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "log") {
                fs::remove(&path)?;
                continue;
            }
            let mut nodes = read(&path);
            nodes.retain(|_, key| self.result(key).is_some());
            write(&path, &nodes)?;
        }
        Ok(())
    }

    fn latest_path(&self, profile: &str) -> PathBuf {
        let profile = if profile.is_empty() { "default".to_owned() } else { format!("profile-{}", file_name(profile)) };
        self.results().join("latest").join(format!("{profile}.log"))
    }
}

/// Reads the notes, and writes them anew where most are out of date.
fn read(path: &Path) -> HashMap<String, Key> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut nodes = HashMap::new();
    let mut lines = 0;
    for line in text.lines() {
        lines += 1;
        let Some((key, node)) = line.split_once(' ') else { continue };
        if let (Ok(key), Ok(node)) = (key.parse(), serde_json::from_str::<String>(node)) {
            nodes.insert(node, Key(key));
        }
    }
    if lines > 2 * nodes.len() + STALE {
        // It may as well stay as it is.
        let _ = write(path, &nodes);
    }
    nodes
}

fn line(node: &str, key: &Key) -> String {
    format!("{key} {}\n", serde_json::Value::from(node))
}

/// One write, so that lines of two runs stand one after the other.
fn append(path: &Path, line: &str) -> Result<()> {
    let open = || std::fs::File::options().append(true).create(true).open(path);
    let file = open().or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => std::fs::create_dir_all(fs::parent(path)).and_then(|()| open()),
        _ => Err(error),
    });
    file.and_then(|mut file| file.write_all(line.as_bytes())).cannot("write", path)
}

fn write(path: &Path, nodes: &HashMap<String, Key>) -> Result<()> {
    let mut lines: Vec<String> = nodes.iter().map(|(node, key)| line(node, key)).collect();
    lines.sort();
    fs::write_atomic(path, lines.concat().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Digest;

    #[test]
    fn the_last_note_of_a_node_counts_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("latest/default.log");
        let (one, two) = (Key(Digest::of(b"1")), Key(Digest::of(b"2")));
        for (node, key) in [("a", &one), ("b[x\ny]", &one), ("a", &two)] {
            append(&path, &line(node, key)).expect("written");
        }
        append(&path, &line("c", &two)[..50]).expect("written");
        let nodes = read(&path);
        assert_eq!(nodes.len(), 2);
        assert_eq!((nodes["a"], nodes["b[x\ny]"]), (two, one));
    }

    #[test]
    fn notes_that_are_out_of_date_are_dropped_before_they_are_most() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("default.log");
        let key = Key(Digest::of(b"1"));
        append(&path, &line("a", &key).repeat(STALE + 3)).expect("written");
        assert_eq!(read(&path).len(), 1);
        assert_eq!(std::fs::read_to_string(&path).expect("there").lines().count(), 1);
    }
}
