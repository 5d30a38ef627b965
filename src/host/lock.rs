//! Locks of the kernel on files: they die with the process that holds them, whatever killed it.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::{Context, Result};
use super::fs::{create_dirs, parent};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    ephemeral: bool,
}

impl Lock {
    /// Takes the lock on `path`, waiting for whoever holds it.
    pub fn wait(path: &Path) -> Result<Self> {
        loop {
            let file = open(path)?;
            flock(&file, FlockOperation::LockExclusive).cannot("lock", path)?;
            if is_still_at(&file, path) {
                return Ok(Self { file, path: path.to_owned(), ephemeral: false });
            }
        }
    }

    /// Takes the lock on `path` if nobody holds it.
    pub fn try_take(path: &Path) -> Result<Option<Self>> {
        loop {
            let file = open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                result => result.cannot("lock", path)?,
            }
            if is_still_at(&file, path) {
                return Ok(Some(Self { file, path: path.to_owned(), ephemeral: false }));
            }
        }
    }

    /// Has the lock's file removed when the lock is given back, so that locks leave nothing behind.
    #[must_use]
    pub fn ephemeral(mut self) -> Self {
        self.ephemeral = true;
        self
    }

    /// Returns the locked file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.ephemeral {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> Result<File> {
    create_dirs(parent(path))?;
    File::options().read(true).write(true).create(true).truncate(false).open(path).cannot("lock", path)
}

/// Another process may have removed the file between our opening and locking it; that lock is worth nothing.
fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_free_again_after_the_drop() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("locks/a");
        let held = Lock::try_take(&path).expect("works").expect("free").ephemeral();
        assert!(Lock::try_take(&path).expect("works").is_none());
        drop(held);
        assert!(!path.exists());
        assert!(Lock::try_take(&path).expect("works").is_some());
        drop(Lock::wait(&path).expect("free"));
    }
}
