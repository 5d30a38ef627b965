//! What the rules see of a registry: files under a root at one moment, and the changes they ask for. A kind of
//! registry is a [`Store`]: it shows a view and makes changes as one transaction. It knows nothing of the layout.

use std::path::{Path, PathBuf};

use super::error::RegistryError;
use super::record::Stored;
use crate::host::tree::Tree;
use crate::host::{Clock, Context, Digest};

/// The files of a registry at one moment. Paths are relative to its root, with `/`.
pub(super) trait View {
    /// Returns what a file holds; `None` only if there is surely no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RegistryError>;

    /// Returns the names in a folder, in order; none where there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<String>, RegistryError>;

    /// Writes the file or folder at `path` to `dest`, where nothing stands yet. Returns whether it was there.
    fn export(&self, path: &str, dest: &Path) -> Result<bool, RegistryError>;

    /// Returns the digest of the file or folder at `path`.
    fn digest(&self, path: &str) -> Result<Option<Digest>, RegistryError>;
}

/// Where the bytes of a new file come from.
#[derive(Debug)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    /// A copy of this file or folder, which has this digest.
    Copy(PathBuf, Digest),
}

/// A change to the files of a registry.
#[derive(Debug)]
pub(super) enum Change {
    /// Adds a folder in one step: all of its files, or none.
    Folder { path: String, files: Vec<(String, Content)> },
    /// Makes or replaces a file.
    Write { path: String, bytes: Vec<u8> },
    /// Removes a file.
    Remove { path: String },
}

/// Looks at the files and says what to change.
pub(super) type Decide<'a> = dyn FnMut(&dyn View) -> Result<Vec<Change>, RegistryError> + 'a;

/// A place where a registry can stand.
pub(super) trait Store: Send + Sync {
    /// Says what this is, as a declaration does.
    fn describe(&self) -> String;

    /// The clock for dates of versions and pointers.
    fn clock(&self) -> &Clock;

    /// Refuses what can't be kept here.
    fn admit(&self, artifacts: &[&Stored]) -> Result<(), RegistryError>;

    /// Returns the files as they are now.
    fn view(&self) -> Result<Box<dyn View + '_>, RegistryError>;

    /// Has `decide` look at the files and makes the changes it asks for, so that nobody else's change lies in
    /// between. `decide` is called again when somebody was quicker; its last answer is what was done. The order of
    /// the changes is the order in which a crash may cut them off.
    fn transact(&self, subject: &str, decide: &mut Decide<'_>) -> Result<(), RegistryError>;
}

/// Measures a file or folder of this machine, as it would be stored under the name `file`.
pub(super) fn measure(path: &Path, file: &str) -> Result<Stored, RegistryError> {
    let meta = std::fs::metadata(path).cannot("read", path)?;
    let (digest, bytes) = if meta.is_dir() {
        let tree = scan(path)?;
        (tree.digest(), tree.size())
    } else {
        (Digest::of_file(path)?, meta.len())
    };
    Ok(Stored { file: file.to_owned(), digest, directory: meta.is_dir(), bytes })
}

/// Reads a folder of this machine.
pub(super) fn scan(path: &Path) -> Result<Tree, RegistryError> {
    Ok(Tree::scan(path, &|file, _| Digest::of_file(file))?)
}
