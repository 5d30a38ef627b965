//! Whether a branch still holds all that was ever released on it. A commit that takes another one back (`git revert`) goes on
//! from it, and what was released in between is gone all the same; a clone that saw none of it has to find out too.

use std::collections::{BTreeMap, BTreeSet};

use super::clone::{Clone, text};
use crate::host::git::Answer;
use crate::registry::error::RegistryError;
use crate::registry::layout;

/// Records to which lines are added, and nothing else is done. They stand at the top of their registry's folder.
const GROWING: [&str; 2] = [layout::HISTORY, layout::REJECTIONS];

/// Asks for every change, oldest first, of a merge against each of its parents, by the names of blobs only: these are fetched when
/// they are read.
const CHANGES: [&str; 8] = ["log", "-m", "--reverse", "--raw", "--no-abbrev", "--no-renames", "--format=", "-z"];

impl Clone {
    /// Tells whether every such record at `tip` begins with all that it ever was: since `known`, where that is known, else
    /// since the branch began.
    pub(super) fn grew(&self, known: Option<&str>, tip: &str) -> Result<bool, RegistryError> {
        let mut earlier: BTreeSet<(String, String)> = BTreeSet::new();
        if let Some(known) = known {
            let listed = self.read(&["ls-tree", "-r", "-z", "--name-only", known])?;
            let files = text(&listed).split('\0').filter(|file| grows(file)).map(str::to_owned).collect::<Vec<_>>();
            earlier.extend(files.into_iter().map(|file| (file.clone(), format!("{known}:{file}"))));
        }
        let range = known.map_or_else(|| tip.to_owned(), |known| format!("{known}..{tip}"));
        let asked: Vec<&str> = CHANGES.into_iter().chain([range.as_str(), "--"]).collect();
        let changes = self.read(&asked)?;
        earlier.extend(returned(&text(&changes)));
        for (file, was) in earlier {
            let is = self.git().ask(&["cat-file", "blob", &format!("{tip}:{file}")])?;
            let was = self.read(&["cat-file", "blob", &was])?;
            // Half a last line may have been taken away since.
            let whole = was.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            if !is.ok || !is.stdout.starts_with(&was[..whole]) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read(&self, arguments: &[&str]) -> Result<Vec<u8>, RegistryError> {
        let answer: Answer = self.git().ask(arguments)?;
        if answer.ok { Ok(answer.stdout) } else { Err(self.failed("cannot read", &answer)) }
    }
}

fn grows(file: &str) -> bool {
    file.split_once('/').is_some_and(|(_, name)| GROWING.contains(&name))
}

/// Returns all that a file has been, where it came back to something that it was before, or went away: what only grows never
/// does. A merge of two lines comes to one blob twice, so what both were is asked for too. Changes stand as git-diff-tree(1), "raw output format", describes.
fn returned(changes: &str) -> Vec<(String, String)> {
    let mut seen: BTreeMap<&str, (BTreeSet<&str>, bool)> = BTreeMap::new();
    let mut fields = changes.split('\0');
    while let (Some(change), Some(file)) = (fields.next(), fields.next()) {
        if !grows(file) {
            continue;
        }
        let mut words = change.split(' ').skip(2);
        let (Some(old), Some(new)) = (words.next(), words.next()) else { continue };
        let (blobs, is_back) = seen.entry(file).or_default();
        let is_blob = |blob: &&str| blob.bytes().any(|byte| byte != b'0');
        blobs.extend(Some(old).filter(is_blob));
        *is_back |= !is_blob(&new) || !blobs.insert(new);
    }
    let back = seen.into_iter().filter(|(_, (_, is_back))| *is_back);
    back.flat_map(|(file, (blobs, _))| blobs.into_iter().map(|blob| (file.to_owned(), blob.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_was_counts_where_it_came_back_to_it_or_went() {
        let change = |old: &str, new: &str| format!(":100644 100644 {old} {new} M\0m/history.jsonl\0");
        let none = "0000";
        assert!(returned(&(change(none, "a1") + &change("a1", "b2") + &change("b2", "c3"))).is_empty());
        assert!(returned("").is_empty());
        let all = ["a1", "b2"].map(|blob| ("m/history.jsonl".to_owned(), blob.to_owned()));
        assert_eq!(returned(&(change(none, "a1") + &change("a1", "b2") + &change("b2", "a1"))), all);
        assert_eq!(returned(&(change("a1", "b2") + &change("b2", "a1"))), all, "what was known is one of them");
        assert_eq!(returned(&(change("a1", "b2") + &change("b2", none))), all);
        // A merge, told once for each of its parents: it took one side, or made something new of both.
        let taken = change("a1", "b2") + &change("b2", "a1");
        assert_eq!(returned(&taken), all, "the other parent had what is not in the merge");
        let made = change("a1", "b2") + &change("a1", "c3") + &change("b2", "d4") + &change("c3", "d4");
        assert_eq!(returned(&made).len(), 4);
    }
}
