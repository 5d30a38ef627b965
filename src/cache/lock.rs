//! Locks on pieces of work. A lock is a file that the kernel locks for us; to take another one, the same file gets another name, so
//! that a run of thousands of stages makes and removes no more files than it has workers.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::manifest::Key;
use super::store::Store;
use crate::host::Result;
use crate::host::fs::{create_dirs, parent};
use crate::host::lock::Lock;

/// Locked files that stand for no work at the moment.
pub(super) type Spares = Mutex<Vec<(Lock, PathBuf)>>;

/// The lock on a piece of work, held until it is dropped.
#[derive(Debug)]
pub struct WorkLock<'s> {
    spares: &'s Spares,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// A file of ours under the work's name, which it also has.
    Named { path: PathBuf, spare: Option<(Lock, PathBuf)> },
    /// The file that somebody had left there.
    Found { _lock: Lock },
}

impl Store {
    /// Takes the lock on a piece of work if nobody else is doing it.
    pub fn try_lock(&self, key: &Key) -> Result<Option<WorkLock<'_>>> {
        let path = self.state().join("locks").join(key.to_string());
        let spare = match spares(&self.spares).pop() {
            Some(spare) => spare,
            None => {
                let own = self.scratch().fresh("lock");
                (Lock::wait(&own)?, own)
            }
        };
        if link(&spare.1, &path).is_ok() {
            return Ok(Some(WorkLock { spares: &self.spares, held: Held::Named { path, spare: Some(spare) } }));
        }
        spares(&self.spares).push(spare);
        // Somebody is at it, or was killed while they were, or the file system gives a file one name only.
        let found = Lock::try_take(&path)?.map(Lock::ephemeral);
        Ok(found.map(|lock| WorkLock { spares: &self.spares, held: Held::Found { _lock: lock } }))
    }
}

impl Drop for WorkLock<'_> {
    fn drop(&mut self) {
        if let Held::Named { path, spare } = &mut self.held {
            let gone = std::fs::remove_file(path).is_ok();
            // A file that kept the work's name would keep the work locked.
            if let (Some(spare), true) = (spare.take(), gone) {
                spares(self.spares).push(spare);
            }
        }
    }
}

fn link(own: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(own, path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create_dirs(parent(path)).is_ok() => {
            std::fs::hard_link(own, path)
        }
        linked => linked,
    }
}

fn spares(spares: &Spares) -> MutexGuard<'_, Vec<(Lock, PathBuf)>> {
    spares.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::sample;
    use super::*;
    use crate::host::Digest;

    #[test]
    fn one_at_a_time_and_free_again_after_the_drop() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (
            Store::open(&folder.path().join(".mlpc")).expect("opened"),
            Store::open(&folder.path().join(".mlpc")).expect("opened"),
        );
        let (key, other) = (sample().key(), Key(Digest::of(b"other")));
        for _ in 0..3 {
            let held = one.try_lock(&key).expect("works").expect("free");
            assert!(two.try_lock(&key).expect("works").is_none());
            assert!(one.try_lock(&key).expect("works").is_none());
            let beside = one.try_lock(&other).expect("works").expect("free");
            drop(held);
            assert!(two.try_lock(&other).expect("works").is_none());
            drop(two.try_lock(&key).expect("works").expect("free"));
            drop(beside);
        }
        assert_eq!(spares(&one.spares).len(), 2);
        let left = std::fs::read_dir(folder.path().join(".mlpc/locks")).expect("there").count();
        assert_eq!(left, 0);
    }

    #[test]
    fn a_lock_that_a_dead_process_left_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join(".mlpc")).expect("opened");
        let path = store.state().join("locks").join(sample().key().to_string());
        drop(Lock::wait(&path).expect("held"));
        assert!(path.exists());
        let taken = store.try_lock(&sample().key()).expect("works").expect("free");
        assert!(store.try_lock(&sample().key()).expect("works").is_none());
        drop(taken);
        assert!(!path.exists());
    }
}
