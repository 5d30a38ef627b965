//! Content-addressed objects: files by the digest of their bytes, directories as tree objects. Written under a
//! temporary name and renamed; hashed again whenever they are read, so that a torn or altered one is only a miss.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::scratch::Scratch;
use crate::host::tree::{Entry, Tree};
use crate::host::{self, Context, Digest, Error, Result, fs};

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file.
    File,
    /// A directory tree.
    Tree,
}

/// A file or a directory by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// File or directory.
    pub kind: Kind,
    /// Digest of the file's bytes or of the encoded tree.
    pub digest: Digest,
    /// The executable bit of a file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// Bytes in all.
    pub size: u64,
}

/// How an artifact gets into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// It stays where it is.
    Copy,
    /// It may be moved away: nobody needs it there any more.
    Move,
}

/// Whether an artifact could be put where it was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// It is there.
    Done,
    /// The store has lost it, or what it had was not what it should be.
    Missing,
}

/// The objects of one workspace.
#[derive(Debug)]
pub struct Store {
    state: PathBuf,
    root: PathBuf,
    scratch: Scratch,
    pub(super) spares: super::lock::Spares,
    pub(super) latest: super::latest::Known,
    /// Where the scratch folder is, if it can't be in the state folder.
    beside: Option<tempfile::TempDir>,
}

impl Store {
    /// Opens the store under `state` (`.mlpc`), making what is not there.
    pub fn open(state: &Path) -> Result<Self> {
        fs::create_dirs(state)?;
        let ignore = state.join(".gitignore");
        if !ignore.exists() {
            fs::write_atomic(&ignore, b"*\n")?;
        }
        fs::create_dirs(&state.join("cache/v1/objects"))?;
        let scratch = Scratch::open(state)?;
        Ok(Self::with(state, scratch, None))
    }

    /// Opens the store to look at what is in it: where `state` can't be written to, or made, what is under way goes to a
    /// temporary folder.
    pub fn look(state: &Path) -> Result<Self> {
        match Self::open(state) {
            Err(error) if error.is_not_writable() => {
                let beside = tempfile::tempdir().context(|| "cannot make a temporary folder".to_owned())?;
                Ok(Self::with(state, Scratch::open(beside.path())?, Some(beside)))
            }
            store => store,
        }
    }

    fn with(state: &Path, scratch: Scratch, beside: Option<tempfile::TempDir>) -> Self {
        let (state, root) = (state.to_owned(), state.join("cache/v1"));
        Self { state, root, scratch, spares: Mutex::default(), latest: Mutex::default(), beside }
    }

    /// Tells whether something may be written into the state folder.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.beside.is_none()
    }

    /// Returns the folder for what is under way.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Returns the folder that holds all state of the workspace, `.mlpc`.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Returns the file for the memory of digests.
    #[must_use]
    pub fn memory_file(&self) -> PathBuf {
        self.root.join("digests")
    }

    pub(super) fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    /// Makes everything that was put so far durable, in one call.
    pub fn sync(&self) -> Result<()> {
        fs::sync_file_system(&self.root)
    }

    /// Stores what stands at a path. A link to a file counts as the file.
    pub fn put(&self, path: &Path, take: Take) -> Result<Artifact> {
        let meta = std::fs::metadata(path).cannot("read", path)?;
        if meta.is_dir() {
            let tree = Tree::scan(path, &|file, _| self.put_file(file, take))?;
            let digest = self.put_bytes(&tree.encode())?;
            return Ok(Artifact { kind: Kind::Tree, digest, executable: false, size: tree.size() });
        }
        if !meta.is_file() {
            return Err(Error::new(format!("`{}` is neither a file nor a directory", path.display())));
        }
        let digest = self.put_file(path, take)?;
        Ok(Artifact { kind: Kind::File, digest, executable: fs::is_executable(&meta), size: meta.len() })
    }

    /// Stores bytes.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if self.stands(&digest, bytes.len() as u64) {
            return Ok(digest);
        }
        let temporary = self.scratch.fresh("object");
        std::fs::write(&temporary, bytes).cannot("write", &temporary)?;
        self.settle(&temporary, digest, bytes.len() as u64)?;
        Ok(digest)
    }

    fn put_file(&self, path: &Path, take: Take) -> Result<Digest> {
        if take == Take::Copy
            && let Some((_, bytes)) = Digest::read_small(path)?
        {
            return self.put_bytes(&bytes);
        }
        let temporary = self.scratch.fresh("object");
        let meta = std::fs::symlink_metadata(path).cannot("read", path)?;
        // A file with a second name could be written through that name after it was moved.
        let may_move = take == Take::Move && meta.is_file() && meta.nlink() == 1;
        if !may_move || std::fs::rename(path, &temporary).is_err() {
            fs::copy_file(path, &temporary)?;
        }
        // What is hashed is what is kept, so that a change of the original in between does no harm.
        let digest = Digest::of_file(&temporary)?;
        let size = std::fs::metadata(&temporary).cannot("read", &temporary)?.len();
        self.settle(&temporary, digest, size)?;
        Ok(digest)
    }

    /// Writes a file of the store in one step, over what stands there.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let temporary = self.scratch.fresh("new");
        std::fs::write(&temporary, bytes).cannot("write", &temporary)?;
        Self::settle_at(&temporary, path)
    }

    /// Gives a file its place. A folder there is nothing of ours: it goes.
    fn settle_at(temporary: &Path, path: &Path) -> Result<()> {
        match fs::rename_into(temporary, path) {
            Err(_) if path.is_dir() => {
                fs::remove(path)?;
                fs::rename_into(temporary, path)
            }
            done => done,
        }
    }

    fn settle(&self, temporary: &Path, digest: Digest, size: u64) -> Result<()> {
        if self.stands(&digest, size) {
            return fs::remove(temporary);
        }
        let path = self.object(&digest);
        fs::set_mode(temporary, 0o444)?;
        Self::settle_at(temporary, &path)
    }

    /// Tells whether an object of this size is there; a bad one is found when it is read.
    fn stands(&self, digest: &Digest, size: u64) -> bool {
        std::fs::symlink_metadata(self.object(digest)).is_ok_and(|meta| meta.is_file() && meta.len() == size)
    }

    /// Returns an object's bytes if the store has them and they are what they should be.
    pub fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let path = self.object(digest);
        match std::fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == *digest => Ok(Some(bytes)),
            Ok(_) => {
                fs::remove(&path)?;
                Ok(None)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(_) if path.is_dir() => {
                fs::remove(&path)?;
                Ok(None)
            }
            Err(error) => Err(error).cannot("read", &path),
        }
    }

    /// Tells whether the store seems to have an artifact, without reading its content.
    #[must_use]
    pub fn has(&self, artifact: &Artifact) -> bool {
        match artifact.kind {
            Kind::File => self.object(&artifact.digest).is_file(),
            Kind::Tree => {
                self.read(&artifact.digest).ok().flatten().and_then(|bytes| Tree::decode(&bytes).ok()).is_some_and(
                    |tree| {
                        tree.0.iter().all(|(_, entry)| match entry {
                            Entry::File { digest, .. } => self.object(digest).is_file(),
                            Entry::Empty | Entry::Link(_) => true,
                        })
                    },
                )
            }
        }
    }

    /// Writes an artifact to a path where nothing stands. Every byte is hashed on the way; after `Missing` what was
    /// written so far is for the caller to remove.
    pub fn write_to(&self, artifact: &Artifact, path: &Path) -> Result<Restored> {
        if artifact.kind == Kind::File {
            return self.write_file(&artifact.digest, artifact.executable, path);
        }
        let Some(tree) = self.read(&artifact.digest)?.and_then(|bytes| Tree::decode(&bytes).ok()) else {
            return Ok(Restored::Missing);
        };
        fs::create_dirs(path)?;
        let lost = AtomicBool::new(false);
        let write = |part: &[(String, Entry)]| -> Result<()> {
            for (name, entry) in part {
                if lost.load(Ordering::Relaxed) {
                    break;
                }
                let target = path.join(name);
                let written = match entry {
                    Entry::File { digest, executable, .. } => self.write_file(digest, *executable, &target)?,
                    Entry::Empty => fs::create_dirs(&target).map(|()| Restored::Done)?,
                    Entry::Link(to) => {
                        fs::create_dirs(fs::parent(&target))?;
                        std::os::unix::fs::symlink(to, &target).cannot("write", &target)?;
                        Restored::Done
                    }
                };
                lost.fetch_or(written == Restored::Missing, Ordering::Relaxed);
            }
            Ok(())
        };
        host::threads::share(&tree.0, 64, &write).into_iter().collect::<Result<()>>()?;
        Ok(if lost.into_inner() { Restored::Missing } else { Restored::Done })
    }

    /// Writes a file, and the folders above it where they are not there.
    fn write_file(&self, digest: &Digest, executable: bool, path: &Path) -> Result<Restored> {
        let object = self.object(digest);
        if let Some((is, bytes)) = Digest::read_if_small(&object)? {
            if is != *digest {
                fs::remove(&object)?;
                return Ok(Restored::Missing);
            }
            fs::write_new(path, &bytes, executable)?;
            return Ok(Restored::Done);
        }
        if !object.is_file() {
            fs::remove(&object)?;
            return Ok(Restored::Missing);
        }
        fs::create_dirs(fs::parent(path))?;
        if Digest::copy(&object, path, executable)? == *digest {
            return Ok(Restored::Done);
        }
        fs::remove(&object)?;
        Ok(Restored::Missing)
    }

    /// Puts an artifact where `path` is: whole and exactly, or not at all.
    pub fn restore(&self, artifact: &Artifact, path: &Path) -> Result<Restored> {
        let staged = self.scratch.fresh("restore");
        let restored = self.write_to(artifact, &staged)?;
        match restored {
            Restored::Done => fs::swap_in(&staged, path, &self.scratch.fresh("aside"))?,
            Restored::Missing => fs::remove(&staged)?,
        }
        Ok(restored)
    }

    /// Returns where an object stands, if it does.
    #[must_use]
    pub fn object(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("objects").join(&hex[..2]).join(hex)
    }

    /// Reads every object and removes those that are not what they should be; returns how many there are and the
    /// names of the bad ones.
    pub fn verify(&self) -> Result<(usize, Vec<String>)> {
        let (mut count, mut bad) = (0, Vec::new());
        for shard in fs::sorted_entries(&self.root.join("objects"))? {
            for entry in fs::sorted_entries(&shard.path())? {
                let name = entry.file_name().to_string_lossy().into_owned();
                count += 1;
                if !name
                    .parse::<Digest>()
                    .is_ok_and(|digest| Digest::of_file(&entry.path()).is_ok_and(|is| is == digest))
                {
                    fs::remove(&entry.path())?;
                    bad.push(name);
                }
            }
        }
        Ok((count, bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let store = Store::open(&folder.path().join(".mlpc")).expect("opened");
            Self { folder, store }
        }
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }
        fn tree(&self, name: &str) -> PathBuf {
            fs::create_dirs(&self.path(name).join("sub/empty")).expect("made");
            std::fs::write(self.path(name).join("sub/x"), "x").expect("written");
            std::fs::write(self.path(name).join("tool"), "tool").expect("written");
            fs::set_mode(&self.path(name).join("tool"), 0o755).expect("set");
            std::os::unix::fs::symlink("sub/x", self.path(name).join("link")).expect("linked");
            self.path(name)
        }
    }

    #[test]
    fn looking_makes_nothing_where_nothing_can_be_made() {
        let bench = Bench::new();
        let artifact = bench.store.put(&bench.tree("a"), Take::Copy).expect("stored");
        let look = |state: &Path| {
            let beside = tempfile::tempdir().expect("a folder");
            Store::with(state, Scratch::open(beside.path()).expect("opened"), Some(beside))
        };
        assert!(look(bench.store.state()).has(&artifact));
        let nowhere = bench.path("nowhere/.mlpc");
        assert!(!look(&nowhere).has(&artifact) && !look(&nowhere).is_writable());
        assert!(!nowhere.exists());
    }

    #[test]
    fn a_folder_in_place_of_an_object_is_replaced() {
        let bench = Bench::new();
        let artifact = bench.store.put(&bench.tree("a"), Take::Copy).expect("stored");
        let digest = Digest::of(b"x");
        let instead = || {
            fs::remove(&bench.store.object(&digest)).expect("removed");
            fs::create_dirs(&bench.store.object(&digest).join("deep")).expect("made");
        };
        instead();
        assert!(!bench.store.has(&artifact));
        instead();
        assert_eq!(bench.store.restore(&artifact, &bench.path("b")).expect("works"), Restored::Missing);
        instead();
        assert_eq!(bench.store.read(&digest).expect("works"), None);
        instead();
        bench.store.put_bytes(b"x").expect("stored");
        assert_eq!(bench.store.restore(&artifact, &bench.path("b")).expect("works"), Restored::Done);
    }

    fn flip(path: &Path) {
        fs::set_mode(path, 0o644).expect("set");
        let mut bytes = std::fs::read(path).expect("there");
        bytes[0] ^= 1;
        std::fs::write(path, bytes).expect("written");
    }

    #[test]
    fn a_directory_comes_back_exactly_over_leftovers() {
        let bench = Bench::new();
        let artifact = bench.store.put(&bench.tree("a"), Take::Copy).expect("put");
        fs::create_dirs(&bench.path("b/sub")).expect("made");
        std::fs::write(bench.path("b/sub/leftover"), "old").expect("written");
        assert_eq!(bench.store.restore(&artifact, &bench.path("b")).expect("works"), Restored::Done);
        let scan = |name: &str| Tree::scan(&bench.path(name), &|path, _| Digest::of_file(path)).expect("scanned");
        assert_eq!(scan("a"), scan("b"));
        assert!(std::fs::metadata(bench.path("b/sub/x")).expect("there").permissions().mode() & 0o200 != 0);
    }

    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_moved_in_is_gone_where_it_was_and_comes_back_the_same() {
        let bench = Bench::new();
        let copied = bench.store.put(&bench.tree("a"), Take::Copy).expect("put");
        let moved = bench.store.put(&bench.path("a"), Take::Move).expect("put");
        assert_eq!(copied, moved);
        assert!(!bench.path("a/sub/x").exists());
        assert_eq!(bench.store.restore(&moved, &bench.path("a")).expect("works"), Restored::Done);
        assert_eq!(fs::read_text(&bench.path("a/link")).expect("a link"), "x");
    }

    #[test]
    fn a_file_with_a_second_name_is_copied_so_that_nobody_writes_into_the_store() {
        let bench = Bench::new();
        std::fs::write(bench.path("x"), "x").expect("written");
        std::fs::hard_link(bench.path("x"), bench.path("y")).expect("linked");
        let artifact = bench.store.put(&bench.path("x"), Take::Move).expect("put");
        std::fs::write(bench.path("y"), "z").expect("written");
        assert_eq!(bench.store.read(&artifact.digest).expect("works").expect("there"), b"x");
    }

    #[test]
    fn hazard_15_a_bad_object_is_a_miss_and_is_replaced() {
        let bench = Bench::new();
        std::fs::write(bench.path("x"), "content").expect("written");
        let artifact = bench.store.put(&bench.path("x"), Take::Copy).expect("put");
        flip(&bench.store.object(&artifact.digest));
        std::fs::write(bench.path("out"), "what stood there").expect("written");
        assert_eq!(bench.store.restore(&artifact, &bench.path("out")).expect("works"), Restored::Missing);
        assert_eq!(fs::read_text(&bench.path("out")).expect("there"), "what stood there");
        assert!(!bench.store.has(&artifact));
        bench.store.put(&bench.path("x"), Take::Copy).expect("put");
        assert_eq!(bench.store.restore(&artifact, &bench.path("out")).expect("works"), Restored::Done);
    }

    #[test]
    fn a_tree_with_a_lost_file_is_missing_as_a_whole() {
        let bench = Bench::new();
        let artifact = bench.store.put(&bench.tree("a"), Take::Copy).expect("put");
        assert!(bench.store.has(&artifact));
        fs::remove(&bench.store.object(&Digest::of(b"x"))).expect("removed");
        assert!(!bench.store.has(&artifact));
        assert_eq!(bench.store.restore(&artifact, &bench.path("b")).expect("works"), Restored::Missing);
        assert!(!bench.path("b").exists());
    }

    #[test]
    fn verify_names_and_removes_what_is_bad() {
        let bench = Bench::new();
        let good = bench.store.put_bytes(b"good").expect("put");
        let bad = bench.store.put_bytes(b"bad").expect("put");
        flip(&bench.store.object(&bad));
        assert_eq!(bench.store.verify().expect("works"), (2, vec![bad.hex()]));
        assert_eq!(bench.store.verify().expect("works"), (1, vec![]));
        assert!(bench.store.read(&good).expect("works").is_some());
    }

    #[test]
    fn objects_can_not_be_written_to() {
        let bench = Bench::new();
        let digest = bench.store.put_bytes(b"x").expect("put");
        let mode = std::fs::metadata(bench.store.object(&digest)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
    }
}
