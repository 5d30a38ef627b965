//! `directory(path)`: a folder that this machine reaches. A lock of the kernel orders writers; readers need none,
//! since every file and every version appears in one rename.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::RegistryError;
use super::record::Stored;
use super::view::{Change, Content, Decide, Store, View, measure};
use crate::host::lock::Lock;
use crate::host::{self, Clock, Context, Digest};

/// Writers hold the lock on this file.
const LOCK: &str = ".lock";
/// New versions are put together here; what a dead process left is removed by the next writer.
const STAGING: &str = ".staging";

/// A registry in a folder.
pub(super) struct Directory {
    root: PathBuf,
    declared: String,
    clock: Clock,
}

impl Directory {
    /// Opens the registry at `root`, which need not exist; `declared` is the path as the declaration has it.
    pub(super) fn open(root: PathBuf, declared: &str, clock: Clock) -> Self {
        Self { root, declared: declared.to_owned(), clock }
    }
}

impl Store for Directory {
    fn describe(&self) -> String {
        format!("directory(\"{}\")", self.declared)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn admit(&self, _: &[&Stored]) -> Result<(), RegistryError> {
        Ok(())
    }

    fn view(&self) -> Result<Box<dyn View + '_>, RegistryError> {
        // A link to a disk that is not mounted, or a file: not "an empty registry".
        let exists = fs::symlink_metadata(&self.root).is_ok();
        if exists && !fs::metadata(&self.root).cannot("read", &self.root)?.is_dir() {
            let message = format!("`{}` is not a folder, so no registry can be read there", self.declared);
            return Err(RegistryError::corrupt(message));
        }
        Ok(Box::new(Files(&self.root)))
    }

    fn transact(&self, _: &str, decide: &mut Decide<'_>) -> Result<(), RegistryError> {
        let view = self.view()?;
        host::fs::create_dirs(&self.root)?;
        let _held = Lock::wait(&self.root.join(LOCK))?;
        host::fs::remove(&self.root.join(STAGING))?;
        for change in decide(&*view)? {
            self.apply(&change)?;
        }
        Ok(())
    }
}

impl Directory {
    fn apply(&self, change: &Change) -> Result<(), RegistryError> {
        match change {
            Change::Folder { path, files } => self.add_folder(path, files),
            Change::Write { path, bytes } => Ok(host::fs::write_durable(&self.root.join(path), bytes)?),
            Change::Remove { path } => Ok(host::fs::remove(&self.root.join(path))?),
        }
    }

    /// Puts the folder together, has it on disk, and only then gives it its name.
    fn add_folder(&self, path: &str, files: &[(String, Content)]) -> Result<(), RegistryError> {
        let staged = self.root.join(STAGING);
        for (name, content) in files {
            let file = staged.join(name);
            host::fs::create_dirs(host::fs::parent(&file))?;
            match content {
                Content::Bytes(bytes) => fs::write(&file, bytes).cannot("write", &file)?,
                Content::Copy(from, digest) => {
                    host::fs::copy_tree(from, &file)?;
                    if measure(&file, name)?.digest != *digest {
                        let message = format!("`{}` changed while it was registered", from.display());
                        return Err(RegistryError::corrupt(message));
                    }
                }
            }
        }
        host::fs::sync_file_system(&staged)?;
        let to = self.root.join(path);
        let above = host::fs::parent(&to);
        host::fs::create_dirs(above)?;
        host::fs::rename(&staged, &to)?;
        Ok(fs::File::open(above).and_then(|folder| folder.sync_all()).cannot("write", above)?)
    }
}

/// The files as they stand in the folder.
struct Files<'a>(&'a Path);

impl View for Files<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let file = self.0.join(path);
        match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                Err(RegistryError::corrupt(format!("`{path}` is a folder, and should be a file")))
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(RegistryError::corrupt(format!("a part of `{path}` is a file, and should be a folder")))
            }
            result => Ok(Some(result.cannot("read", &file)?)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, RegistryError> {
        let name = folder;
        let folder = self.0.join(folder);
        if fs::metadata(&folder).is_ok_and(|meta| !meta.is_dir()) {
            return Err(RegistryError::corrupt(format!("`{name}` is a file, and should be a folder")));
        }
        let entries = match host::fs::sorted_entries(&folder) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            entries => entries?,
        };
        // A name that is not UTF-8 is none of ours.
        Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    fn export(&self, path: &str, dest: &Path) -> Result<bool, RegistryError> {
        let from = self.0.join(path);
        if fs::metadata(&from).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(false);
        }
        host::fs::copy_tree(&from, dest)?;
        Ok(true)
    }

    fn digest(&self, path: &str) -> Result<Option<Digest>, RegistryError> {
        let path = self.0.join(path);
        if fs::metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        Ok(Some(measure(&path, "")?.digest))
    }
}
