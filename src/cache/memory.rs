//! What is remembered of files, so that a run with nothing to do reads none: their digests by size, mtime, ctime and
//! inode. A file that had changed just before it was hashed is not believed (git's racy rule): a second change within
//! the same tick of the clock would leave the same times behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::store::{Artifact, Kind};
use crate::host::fs::{self, Fingerprint};
use crate::host::lock::Lock;
use crate::host::tree::{Listing, Tree};
use crate::host::{Context, Digest, Error, Result};

/// First bytes of the file; the number is the version of its format.
const MAGIC: &[u8] = b"mlpc digests 1\n";

/// A tick of the kernel's clock, generously; a file system that keeps whole seconds is given two of them.
const TICK: i64 = 20_000_000;
const COARSE: i64 = 2_000_000_000;

/// The digests of files of one workspace.
#[derive(Debug)]
pub struct Memory {
    file: PathBuf,
    root: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<String, Known>,
    changed: HashMap<String, Known>,
    /// Directories that were looked at by this process.
    trees: HashMap<String, Sight>,
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    print: Fingerprint,
    digest: Digest,
    /// When hashing began, nanoseconds.
    seen: i64,
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
        let known = std::fs::read(file).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Self { file: file.to_owned(), root: root.to_owned(), inner: Mutex::new(Inner { known, ..Inner::default() }) }
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
            self.inner().trees.insert(self.name(path), Sight { digest, print, believed: is_settled(newest, seen) });
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
        let known = inner.changed.get(&name).or_else(|| inner.known.get(&name)).map(|known| Sight {
            digest: known.digest,
            print: known.print.bytes(),
            believed: known.is_believed(&known.print),
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
            let inner = self.inner();
            if let Some(known) = inner.changed.get(&name).or_else(|| inner.known.get(&name))
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
                self.inner().changed.insert(name, Known { print, digest, seen });
                return Ok(digest);
            }
            print = after;
        }
        Err(Error::new(format!("`{}` keeps changing while it is read", path.display())))
    }

    /// Writes what was learnt. Two runs at once may lose each other's news, which costs a hash and nothing else.
    pub fn save(&self) -> Result<()> {
        let changed = std::mem::take(&mut self.inner().changed);
        if changed.is_empty() {
            return Ok(());
        }
        // After a power cut a file may have the times and the size that we remember, and other bytes.
        fs::sync_file_system(&self.root)?;
        let _lock = Lock::wait(&self.file.with_extension("lock"))?;
        let mut all = std::fs::read(&self.file).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        all.extend(changed.iter().map(|(name, known)| (name.clone(), *known)));
        fs::write_atomic(&self.file, &encode(&all))?;
        self.inner().known = all;
        Ok(())
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn encode(all: &HashMap<String, Known>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (name, known) in all {
        bytes.extend((name.len() as u32).to_le_bytes());
        bytes.extend(name.as_bytes());
        for number in
            [known.print.size as i64, known.print.mtime, known.print.ctime, known.print.inode as i64, known.seen]
        {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(known.digest.bytes());
    }
    let check = blake3::hash(&bytes);
    bytes.extend(check.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<HashMap<String, Known>> {
    let (body, check) = bytes.split_last_chunk::<32>()?;
    if blake3::hash(body).as_bytes() != check {
        return None;
    }
    let mut rest = body.strip_prefix(MAGIC)?;
    let mut all = HashMap::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(take(&mut rest)?) as usize;
        let (name, tail) = rest.split_at_checked(length)?;
        rest = tail;
        let mut number = || take(&mut rest).map(i64::from_le_bytes);
        let (size, mtime, ctime, inode, seen) = (number()?, number()?, number()?, number()?, number()?);
        let print = Fingerprint { size: size as u64, mtime, ctime, inode: inode as u64 };
        let digest = Digest::from_bytes(take(&mut rest)?);
        all.insert(String::from_utf8(name.to_vec()).ok()?, Known { print, digest, seen });
    }
    Some(all)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
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
        (Known { print, digest: Digest::of(b"x"), seen }, print)
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
        let planted = Known { print, digest: Digest::of(b"planted"), seen: i64::MAX };
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
        let mut names: Vec<_> = both.inner().known.keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_torn_memory_is_empty() {
        let bench = Bench::new();
        std::fs::write(bench.path("a"), "a").expect("written");
        let memory = bench.open();
        memory.digest(&bench.path("a")).expect("read");
        memory.save().expect("saved");
        let whole = std::fs::read(bench.path("digests")).expect("there");
        for cut in [0, 5, whole.len() - 1] {
            assert!(decode(&whole[..cut]).is_none());
        }
        assert_eq!(decode(&whole).expect("whole").len(), 1);
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
