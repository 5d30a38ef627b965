//! Makes a commit out of changes: blobs, an index of its own, a tree, a commit. Nothing leaves the clone here.

use std::path::Path;

use jiff::Timestamp;

use super::view::GitView;
use crate::host::tree::Entry;
use crate::registry::error::{ErrorKind, RegistryError};
use crate::registry::view::{Change, Content, scan};

const WHO: &str = "mlpc";
const ADDRESS: &str = "mlpc@localhost";
/// What git takes for "no such file" in a list for its index.
const NO_MODE: &str = "0";

/// Commits changes on top of the view's commit and returns the new one.
pub(super) fn commit(
    view: &GitView<'_>,
    changes: &[Change],
    message: &str,
    now: Timestamp,
) -> Result<String, RegistryError> {
    let scratch = view.clone.scratch()?;
    let git = view.clone.git().clone().with("GIT_INDEX_FILE", scratch.path().join("index"));
    match &view.tip {
        Some(tip) => git.run(&["read-tree", tip])?,
        None => git.run(&["read-tree", "--empty"])?,
    };
    let mut list = List { view, bytes: Vec::new() };
    for change in changes {
        match change {
            Change::Folder { path, files } => {
                for (name, content) in files {
                    list.content(&format!("{path}/{name}"), content)?;
                }
            }
            Change::Write { path, bytes } => list.bytes(path, bytes)?,
            Change::Remove { path } => {
                // The hash of a removed file is of no matter, its length is.
                let width = view.tip.as_ref().map_or(40, String::len);
                list.add(NO_MODE, &"0".repeat(width), path);
            }
        }
    }
    git.line_from(&["update-index", "-z", "--index-info"], &list.bytes)?;
    let tree = git.line(&["write-tree", "--missing-ok"])?;
    let date = format!("@{} +0000", now.as_second());
    let mut git = git;
    for role in ["AUTHOR", "COMMITTER"] {
        git = git.with(&format!("GIT_{role}_NAME"), WHO).with(&format!("GIT_{role}_EMAIL"), ADDRESS);
        git = git.with(&format!("GIT_{role}_DATE"), &date);
    }
    let mut arguments = vec!["commit-tree", "--no-gpg-sign", &tree];
    arguments.extend(view.tip.iter().flat_map(|tip| ["-p", tip.as_str()]));
    Ok(git.line_from(&arguments, message.as_bytes())?)
}

/// The list that goes into the index.
struct List<'a> {
    view: &'a GitView<'a>,
    bytes: Vec<u8>,
}

impl List<'_> {
    fn add(&mut self, mode: &str, hash: &str, path: &str) {
        self.bytes.extend(format!("{mode} {hash}\t{}\0", self.view.path(path)).as_bytes());
    }

    fn bytes(&mut self, path: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let hash = self.view.clone.git().line_from(&["hash-object", "-w", "--no-filters", "--stdin"], bytes)?;
        self.add("100644", &hash, path);
        Ok(())
    }

    fn file(&mut self, mode: &str, path: &str, from: &Path) -> Result<(), RegistryError> {
        let hash = self.view.clone.git().line_from_file(&["hash-object", "-w", "--no-filters", "--stdin"], from)?;
        self.add(mode, &hash, path);
        Ok(())
    }

    fn content(&mut self, path: &str, content: &Content) -> Result<(), RegistryError> {
        match content {
            Content::Bytes(bytes) => self.bytes(path, bytes),
            Content::Copy(from, _) if from.is_dir() => self.folder(path, from),
            Content::Copy(from, _) => self.file("100644", path, from),
        }
    }

    fn folder(&mut self, path: &str, from: &Path) -> Result<(), RegistryError> {
        let tree = scan(from)?;
        let refuse = |what: String| Err(RegistryError::new(ErrorKind::Unsupported, what));
        if tree.0.is_empty() {
            return refuse(format!("`{}` is empty, and git keeps no empty folders", from.display()));
        }
        for (inside, entry) in &tree.0 {
            let to = format!("{path}/{inside}");
            match entry {
                Entry::File { executable, .. } => {
                    self.file(if *executable { "100755" } else { "100644" }, &to, &from.join(inside))?;
                }
                Entry::Link(target) => {
                    let stdin = ["hash-object", "-w", "--no-filters", "--stdin"];
                    let hash = self.view.clone.git().line_from(&stdin, target.as_bytes())?;
                    self.add("120000", &hash, &to);
                }
                Entry::Empty => {
                    return refuse(format!(
                        "the folder `{inside}` in the model is empty, and git keeps no empty folders"
                    ));
                }
            }
        }
        Ok(())
    }
}
