//! Under which key each node last came out well, so that the next miss can be explained. A file for each profile, a line a node,
//! which grows until most of its lines are out of date. Only a memory: a line that can't be read is as if it were not there.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::manifest::Key;
use super::result::ResultRecord;
use super::scratch::file_name;
use super::store::Store;
use crate::host::{Context, Result, fs};

/// What was read, by profile.
pub(super) type Known = Mutex<HashMap<String, Notes>>;

/// The notes of one profile. Of what was read, no line is taken apart before somebody asks for its node.
#[derive(Debug, Default)]
pub(super) struct Notes {
    text: String,
    /// Where the last line of a node begins, by the hash of the node as the line has it.
    lines: HashMap<u64, usize>,
    own: HashMap<String, Key>,
    /// Open once something was added.
    file: Option<File>,
}

impl Notes {
    /// Reads the notes, and writes them anew where most are out of date.
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut lines = HashMap::new();
        let (mut at, mut count) = (0, 0);
        for line in text.split_inclusive('\n') {
            if let Some((_, node)) = line.strip_suffix('\n').and_then(|line| line.split_once(' ')) {
                lines.insert(hash(node), at);
            }
            at += line.len();
            count += 1;
        }
        if count > 2 * lines.len() + STALE {
            // It may as well stay as it is.
            let _ = write(path, &all(&text));
        }
        Self { text, lines, ..Self::default() }
    }

    fn get(&self, node: &str) -> Option<Key> {
        if let Some(key) = self.own.get(node) {
            return Some(*key);
        }
        let at = *self.lines.get(&hash(&quoted(node)))?;
        // Two nodes may have one hash.
        parse(self.text.get(at..)?.lines().next()?).filter(|(is, _)| is == node).map(|(_, key)| key)
    }
}

fn hash(node: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(node.as_bytes());
    hasher.finish()
}

fn quoted(node: &str) -> String {
    serde_json::Value::from(node).to_string()
}

fn parse(line: &str) -> Option<(String, Key)> {
    let (key, node) = line.split_once(' ')?;
    Some((serde_json::from_str(node).ok()?, Key(key.parse().ok()?)))
}

/// Returns the last key of each node.
fn all(text: &str) -> HashMap<String, Key> {
    text.lines().filter_map(parse).collect()
}

/// So many lines that are out of date are no reason to write the file anew.
const STALE: usize = 1000;

impl Store {
    /// Notes under which key a node last came out well.
    pub fn note_latest(&self, profile: &str, node: &str, key: &Key) -> Result<()> {
        let mut known = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.latest_path(profile);
        let notes = known.entry(profile.to_owned()).or_insert_with(|| Notes::read(&path));
        // A run with nothing to do writes nothing.
        if notes.get(node) == Some(*key) {
            return Ok(());
        }
        notes.own.insert(node.to_owned(), *key);
        let file = match &mut notes.file {
            Some(file) => file,
            none => none.insert(open(&path).cannot("write", &path)?),
        };
        // One write, so that lines of two runs stand one after the other.
        file.write_all(line(node, key).as_bytes()).cannot("write", &path)
    }

    /// Returns the result with which a node last came out well.
    #[must_use]
    pub fn latest(&self, profile: &str, node: &str) -> Option<ResultRecord> {
        let key = {
            let mut known = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(profile.to_owned()).or_insert_with(|| Notes::read(&self.latest_path(profile))).get(node)?
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
            let mut nodes = all(&std::fs::read_to_string(&path).unwrap_or_default());
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

fn line(node: &str, key: &Key) -> String {
    format!("{key} {}\n", quoted(node))
}

fn open(path: &Path) -> std::io::Result<File> {
    let open = || File::options().append(true).create(true).open(path);
    open().or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => std::fs::create_dir_all(fs::parent(path)).and_then(|()| open()),
        _ => Err(error),
    })
}

fn write(path: &Path, nodes: &HashMap<String, Key>) -> Result<()> {
    let mut lines: Vec<String> = nodes.iter().map(|(node, key)| line(node, key)).collect();
    lines.sort();
    fs::write_atomic(path, lines.concat().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(path: &Path, lines: &str) -> std::io::Result<()> {
        open(path)?.write_all(lines.as_bytes())
    }
    use crate::host::Digest;

    #[test]
    fn the_last_note_of_a_node_counts_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("latest/default.log");
        let (one, two) = (Key(Digest::of(b"1")), Key(Digest::of(b"2")));
        for (node, key) in [("a", &one), ("b[x\ny]", &one), ("a", &two)] {
            add(&path, &line(node, key)).expect("written");
        }
        add(&path, &line("c", &two)[..50]).expect("written");
        let notes = Notes::read(&path);
        assert_eq!(["a", "b[x\ny]", "c"].map(|node| notes.get(node)), [Some(two), Some(one), None]);
    }

    #[test]
    fn notes_that_are_out_of_date_are_dropped_before_they_are_most() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("default.log");
        let key = Key(Digest::of(b"1"));
        add(&path, &line("a", &key).repeat(STALE + 3)).expect("written");
        assert_eq!(Notes::read(&path).get("a"), Some(key));
        assert_eq!(std::fs::read_to_string(&path).expect("there").lines().count(), 1);
    }
}
