//! What is remembered of files, so that a run with nothing to do reads none: their digests by size, mtime, ctime and
//! inode. A file that had changed just before it was hashed is not believed (git's racy rule): a second change within
//! the same tick of the clock would leave the same times behind.
//!
//! After a power cut a file may have the times and the size that we remember, and other bytes. To flush the file system costs more than
//! a quick run takes; so what a quick run learns counts until the machine is started again, and what is learnt until
//! a run of some seconds ends, which flushes, counts for good.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::digests::{Known, Table, encode};
use super::store::{Artifact, Kind};
use crate::host::fs::{self, Fingerprint};
use crate::host::lock::Lock;
use crate::host::tree::{Listing, Tree};
use crate::host::{Context, Digest, Error, Result, machine};

/// From here on a run is long enough for a flush of the file system.
const WORTH_FLUSHING: Duration = Duration::from_secs(5);

/// A tick of the kernel's clock, generously; a file system that keeps whole seconds is given two of them.
const TICK: i64 = 20_000_000;
const COARSE: i64 = 2_000_000_000;

/// The digests of files of one workspace.
#[derive(Debug)]
pub struct Memory {
    file: PathBuf,
    root: PathBuf,
    opened: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: Table,
    changed: BTreeMap<String, Known>,
    /// Directories that were looked at by this process.
    trees: HashMap<String, Sight>,
    flushed: bool,
}

/// What `stat` said of something when its digest was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Its digest.
    pub digest: Digest,
    /// The fingerprint of a file, or of everything in a directory.
    pub print: [u8; 32],
    /// The same fingerprint means the same content. Not so where it had changed just before.
    pub believed: bool,
    /// The file system was flushed since: a power cut changes nothing of it.
    pub flushed: bool,
}

impl Known {
    fn is_believed(&self, print: &Fingerprint) -> bool {
        self.print == *print && is_settled(print.mtime.max(print.ctime), self.seen)
    }
}

/// Tells whether what last changed at `latest` could not have changed again unseen after `seen`.
fn is_settled(latest: i64, seen: i64) -> bool {
    let slack = if latest % 1_000_000_000 == 0 { COARSE } else { TICK };
    latest.saturating_add(slack) < seen
}

impl Memory {
    /// Opens the memory in `file` of the workspace at `root`. One that can't be read is empty: it is only a memory.
    #[must_use]
    pub fn open(file: &Path, root: &Path) -> Self {
        let inner = Mutex::new(Inner { known: read(file), ..Inner::default() });
        Self { file: file.to_owned(), root: root.to_owned(), opened: Instant::now(), inner }
    }

    /// Returns what stands at a path, with its digest.
    pub fn look(&self, path: &Path) -> Result<Artifact> {
        let meta = std::fs::metadata(path).cannot("read", path)?;
        if meta.is_dir() {
            let seen = now();
            let listing = Listing::read(path)?;
            let (print, newest) = (*listing.print().bytes(), listing.newest());
            let tree = Tree::of(listing, path, &|file, print| self.digest_of(file, Some(*print)))?;
            let digest = tree.digest();
            let sight = Sight { digest, print, believed: is_settled(newest, seen), flushed: false };
            self.inner().trees.insert(self.name(path), sight);
            return Ok(Artifact { kind: Kind::Tree, digest, executable: false, size: tree.size() });
        }
        if !meta.is_file() {
            return Err(Error::new(format!("`{}` is neither a file nor a directory", path.display())));
        }
        let digest = self.digest_of(path, Some(Fingerprint::of(&meta)))?;
        Ok(Artifact { kind: Kind::File, digest, executable: fs::is_executable(&meta), size: meta.len() })
    }

    /// Returns what is known of a path that was looked at, without looking again.
    #[must_use]
    pub fn sight(&self, path: &Path) -> Option<Sight> {
        let (name, inner) = (self.name(path), self.inner());
        let known = inner.known(&name).map(|known| Sight {
            digest: known.digest,
            print: known.print.bytes(),
            believed: known.is_believed(&known.print),
            flushed: known.flushed,
        });
        inner.trees.get(&name).copied().or(known)
    }

    /// Returns the digest of a file.
    pub fn digest(&self, path: &Path) -> Result<Digest> {
        self.digest_of(path, None)
    }

    fn digest_of(&self, path: &Path, print: Option<Fingerprint>) -> Result<Digest> {
        let name = self.name(path);
        let mut print = print.map_or_else(|| fs::fingerprint(path), Ok)?;
        {
            if let Some(known) = self.inner().known(&name)
                && known.is_believed(&print)
            {
                return Ok(known.digest);
            }
        }
        // A file that is written while we read it has another fingerprint afterwards; three times is no accident.
        for _ in 0..3 {
            let seen = now();
            let digest = Digest::of_sized(path, print.size)?;
            let after = fs::fingerprint(path)?;
            if after == print {
                self.inner().changed.insert(name, Known { print, digest, seen, flushed: false });
                return Ok(digest);
            }
            print = after;
        }
        Err(Error::new(format!("`{}` keeps changing while it is read", path.display())))
    }

    /// Writes what was learnt. Two runs at once may lose each other's news, which costs a hash and nothing else.
    pub fn save(&self) -> Result<()> {
        let boot = machine::boot();
        let mut inner = self.inner();
        // Where nobody can tell that the machine was started again, everything is flushed.
        let flush = boot.is_none() || self.opened.elapsed() >= WORTH_FLUSHING;
        if inner.changed.is_empty() && (inner.trees.is_empty() || !flush) {
            return Ok(());
        }
        if flush {
            fs::sync_file_system(&self.root)?;
            inner.trees.values_mut().for_each(|tree| tree.flushed = true);
            inner.flushed = true;
        }
        let changed = std::mem::take(&mut inner.changed);
        let _lock = Lock::wait(&self.file.with_extension("lock"))?;
        let old = read(&self.file);
        let mut all: BTreeMap<&str, Known> = old.all().filter(|(_, known)| known.flushed || old.is_of(boot)).collect();
        all.extend(changed.iter().map(|(name, known)| (name.as_str(), *known)));
        let all = all.into_iter().map(|(name, known)| (name, Known { flushed: known.flushed || flush, ..known }));
        let bytes = encode(boot, all);
        fs::write_atomic(&self.file, &bytes)?;
        inner.known = Table::decode(bytes).unwrap_or_default();
        Ok(())
    }

    /// Tells whether the file system was flushed when what was learnt was saved.
    #[must_use]
    pub fn has_flushed(&self) -> bool {
        self.inner().flushed
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn known(&self, name: &str) -> Option<Known> {
        let kept = || self.known.get(name).filter(|known| known.flushed || self.known.is_of(machine::boot()));
        self.changed.get(name).copied().or_else(kept)
    }
}

fn read(file: &Path) -> Table {
    std::fs::read(file).ok().and_then(Table::decode).unwrap_or_default()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder") }
        }
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }
        fn open(&self) -> Memory {
            Memory::open(&self.path("digests"), self.folder.path())
        }
    }

    const AGO: i64 = 1_000_000_000_000_000_001;

    fn known(mtime: i64, ctime: i64, seen: i64) -> (Known, Fingerprint) {
        let print = Fingerprint { size: 1, mtime, ctime, inode: 7 };
        (Known { print, digest: Digest::of(b"x"), seen, flushed: true }, print)
    }

    #[test]
    fn a_file_that_changed_just_before_it_was_hashed_is_not_believed() {
        let (old, print) = known(AGO, AGO, AGO + TICK + 1);
        assert!(old.is_believed(&print));
        let (racy, print) = known(AGO, AGO, AGO + TICK);
        assert!(!racy.is_believed(&print));
        let (set_back, print) = known(AGO - COARSE, AGO, AGO + TICK);
        assert!(!set_back.is_believed(&print), "an old mtime proves nothing");
        let whole = AGO - 1;
        let (coarse, print) = known(whole, whole, whole + COARSE);
        assert!(!coarse.is_believed(&print), "a file system of whole seconds needs more distance");
        let (future, print) = known(AGO, AGO, AGO - 5);
        assert!(!future.is_believed(&print), "a clock that was set back proves nothing");
    }

    #[test]
    fn any_other_fingerprint_is_read_again() {
        let (old, print) = known(AGO, AGO, i64::MAX);
        for other in [
            Fingerprint { size: 2, ..print },
            Fingerprint { mtime: AGO - 1, ..print },
            Fingerprint { ctime: AGO + 1, ..print },
            Fingerprint { inode: 8, ..print },
        ] {
            assert!(!old.is_believed(&other));
        }
    }

    #[test]
    fn what_is_believed_is_not_read() {
        let bench = Bench::new();
        std::fs::write(bench.path("a"), "a").expect("written");
        let memory = bench.open();
        let print = fs::fingerprint(&bench.path("a")).expect("there");
        let planted = Known { print, digest: Digest::of(b"planted"), seen: i64::MAX, flushed: false };
        memory.inner().changed.insert("a".into(), planted);
        memory.save().expect("saved");
        assert_eq!(bench.open().digest(&bench.path("a")).expect("known"), Digest::of(b"planted"));
        std::fs::write(bench.path("a"), "bb").expect("written");
        assert_eq!(bench.open().digest(&bench.path("a")).expect("read"), Digest::of(b"bb"));
    }

    #[test]
    fn two_memories_keep_each_others_news() {
        let bench = Bench::new();
        let (one, two) = (bench.open(), bench.open());
        for (memory, name) in [(&one, "a"), (&two, "b")] {
            std::fs::write(bench.path(name), name).expect("written");
            memory.digest(&bench.path(name)).expect("read");
        }
        one.save().expect("saved");
        two.save().expect("saved");
        let both = bench.open();
        let inner = both.inner();
        assert_eq!(inner.known.all().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_a_quick_run_learnt_counts_until_the_machine_is_started_again() {
        let bench = Bench::new();
        for (name, boot, flushed) in
            [("now", machine::boot(), false), ("before", Some("another"), false), ("flushed", Some("another"), true)]
        {
            std::fs::write(bench.path(name), name).expect("written");
            let print = fs::fingerprint(&bench.path(name)).expect("there");
            let planted = Known { print, digest: Digest::of(b"planted"), seen: i64::MAX, flushed };
            std::fs::write(bench.path("digests"), encode(boot, [(name, planted)].into_iter())).expect("written");
            let digest = bench.open().digest(&bench.path(name)).expect("known");
            let counts = flushed || (name == "now" && boot.is_some());
            assert_eq!(digest == Digest::of(b"planted"), counts, "{name}");
        }
        // Saved in this boot, what was flushed stays flushed and what is from before is gone.
        let memory = bench.open();
        std::fs::write(bench.path("new"), "new").expect("written");
        memory.digest(&bench.path("new")).expect("read");
        memory.save().expect("saved");
        let all = read(&bench.path("digests"));
        let kept: Vec<(&str, bool)> = all.all().map(|(name, known)| (name, known.flushed)).collect();
        assert_eq!(kept, [("flushed", true), ("new", machine::boot().is_none())]);
    }

    #[test]
    fn a_torn_memory_is_empty() {
        let bench = Bench::new();
        std::fs::write(bench.path("digests"), b"mlpc digests 2\ntorn").expect("written");
        assert_eq!(bench.open().inner().known.all().count(), 0);
    }

    #[test]
    fn a_directory_is_its_tree() {
        let bench = Bench::new();
        fs::create_dirs(&bench.path("d/e")).expect("made");
        std::fs::write(bench.path("d/e/x"), "xyz").expect("written");
        let seen = bench.open().look(&bench.path("d")).expect("looked");
        assert_eq!((seen.kind, seen.size), (Kind::Tree, 3));
        let tree = Tree::scan(&bench.path("d"), &|path, _| Digest::of_file(path)).expect("scanned");
        assert_eq!(seen.digest, tree.digest());
    }
}
