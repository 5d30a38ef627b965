//! Rooms for pieces of work: a folder with an empty `home` and an empty `tmp`, in which the work gets a folder of its own.
//!
//! Inodes are dear: to remove a folder can take a file system longer than a small stage runs, and one that has just freed some
//! thousands may look at each of them whenever it makes a new one. So folders are used again: a room that was left as it was
//! entered by the next piece of work, and the folders that quick work leaves as soon as no process is in them any more. Some wait
//! in `.mlpc/spare` for the next run. Files are never used again: somebody may still have one open.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::scratch::Scratch;
use crate::host::fs::{self, Fingerprint};
use crate::host::{Context, Result, process, threads};

/// Work that took longer may have left much: it is swept out at once.
const QUICK: Duration = Duration::from_secs(1);

/// How long, and how many, leftovers of quick work may lie.
const LATE: Duration = Duration::from_secs(5);
const MANY: usize = 32;

/// How many folders are kept for later, in this run and for the next.
const SPARE: usize = 400;

/// An empty folder that is larger once held many names, and is slow for ever.
const SMALL: u64 = 4096;

/// Where work is done, and what is left of it.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Where work that is done is moved to.
    left: PathBuf,
    /// Where folders wait for the next run, and what their names begin with: that of the scratch folder, which no other has.
    kept: PathBuf,
    name: String,
    /// Permission bits, user and group of every folder that we make.
    usual: Option<(u32, u32, u32)>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    free: Vec<Room>,
    leftovers: Vec<PathBuf>,
    since: Option<Instant>,
    /// Empty folders; nothing until somebody looked at what the last run kept.
    spare: Option<Vec<PathBuf>>,
}

/// A folder for one piece of work: `home` and `tmp` are there and empty, `work` is there and empty.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
    entered: Instant,
    /// What `home` and `tmp` are when nobody has done anything to them.
    was: [Seen; 2],
}

/// What `stat` says of a folder. Whatever is made, removed or set in it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    print: Fingerprint,
    bits: (u32, u32, u32),
}

impl Seen {
    fn of(path: &Path) -> Result<Self> {
        let meta = std::fs::symlink_metadata(path).cannot("read", path)?;
        Ok(Self { print: Fingerprint::of(&meta), bits: bits(&meta) })
    }
}

fn bits(meta: &std::fs::Metadata) -> (u32, u32, u32) {
    (meta.permissions().mode(), meta.uid(), meta.gid())
}

fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

impl Room {
    /// Returns the folder that holds `work`, `home` and `tmp`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Scratch {
    /// Returns a room for the work of this name.
    pub fn enter(&self, name: &str) -> Result<Room> {
        let path = self.fresh(name);
        let free = self.rooms().inner().free.pop();
        let room = match free {
            Some(room) if std::fs::rename(&room.path, &path).is_ok() => Room { path, entered: Instant::now(), ..room },
            _ => self.furnish(path)?,
        };
        self.folder(&room.path.join("work"))?;
        Ok(room)
    }

    fn furnish(&self, path: PathBuf) -> Result<Room> {
        let (home, tmp) = (path.join("home"), path.join("tmp"));
        [&path, &home, &tmp].into_iter().try_for_each(|folder| self.folder(folder))?;
        let was = [Seen::of(&home)?, Seen::of(&tmp)?];
        Ok(Room { path, entered: Instant::now(), was })
    }

    /// Makes a folder in one that is there; one that stands there is as good.
    pub fn folder(&self, path: &Path) -> Result<()> {
        let rooms = self.rooms();
        while let Some(spare) = rooms.spare() {
            if !rooms.is_usable(&spare) {
                continue;
            }
            if std::fs::rename(&spare, path).is_ok() {
                return Ok(());
            }
            // Another run may have taken it; else it is the place that does not do.
            if spare.exists() {
                rooms.inner().spare.get_or_insert_default().push(spare);
                break;
            }
        }
        match std::fs::create_dir(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made.cannot("make the folder", path),
        }
    }

    /// Takes a room back, with all that the work left in it.
    pub fn leave(&self, mut room: Room) -> Result<()> {
        let rooms = self.rooms();
        if room.entered.elapsed() >= QUICK {
            return fs::remove(&room.path);
        }
        // Under this name nobody finds it who was told the old one.
        let path = self.fresh("room");
        fs::rename(&room.path, &path)?;
        room.path = path;
        if !rooms.is_as_it_was(&room) {
            return fs::remove(&room.path);
        }
        let number = self.fresh("left");
        let left = rooms.left.join(number.file_name().unwrap_or_default());
        fs::rename_into(&room.path.join("work"), &left)?;
        let late = {
            let mut inner = rooms.inner();
            inner.free.push(room);
            inner.leftovers.push(left);
            let since = *inner.since.get_or_insert_with(Instant::now);
            inner.leftovers.len() >= MANY || since.elapsed() >= LATE
        };
        if late {
            rooms.sweep();
        }
        Ok(())
    }

    /// Sweeps out what has lain for long enough.
    pub fn tidy(&self) {
        let late = self.rooms().inner().since.is_some_and(|since| since.elapsed() >= LATE);
        if late {
            self.rooms().sweep();
        }
    }
}

impl Rooms {
    /// The rooms of a scratch folder under `state` (`.mlpc`).
    pub(super) fn new(scratch: &Path, state: &Path) -> Self {
        let left = std::fs::canonicalize(scratch).unwrap_or_else(|_| scratch.to_owned()).join("left");
        let usual = std::fs::metadata(fs::parent(scratch)).ok().map(|meta| bits(&meta));
        let name = scratch.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { left, kept: state.join("spare"), name, usual, inner: Mutex::default() }
    }

    /// Tells whether nothing but the work's folder was touched.
    fn is_as_it_was(&self, room: &Room) -> bool {
        let same = |name: &str, was: &Seen| {
            let path = room.path.join(name);
            // What happens within a tick of the clock leaves the times as they are.
            Seen::of(&path).is_ok_and(|is| is == *was) && is_empty(&path)
        };
        let [home, tmp] = &room.was;
        same("home", home)
            && same("tmp", tmp)
            // The times of the room itself are those of the work's folder, which came and goes.
            && std::fs::symlink_metadata(&room.path).is_ok_and(|meta| Some(bits(&meta)) == self.usual)
            && std::fs::read_dir(&room.path).is_ok_and(|entries| entries.count() == 3)
    }

    /// Tells whether a folder is as good as one that was just made.
    fn is_usable(&self, path: &Path) -> bool {
        let as_usual =
            |meta: std::fs::Metadata| meta.is_dir() && Some(bits(&meta)) == self.usual && meta.len() <= SMALL;
        std::fs::symlink_metadata(path).is_ok_and(as_usual) && !fs::has_attributes(path) && is_empty(path)
    }

    fn spare(&self) -> Option<PathBuf> {
        let mut inner = self.inner();
        let kept = || fs::sorted_entries(&self.kept).unwrap_or_default().iter().map(std::fs::DirEntry::path).collect();
        inner.spare.get_or_insert_with(kept).pop()
    }

    /// Sweeps out what quick work has left. Folders that a process is in may yet be written to, and are of no more use.
    fn sweep(&self) {
        let leftovers = {
            let mut inner = self.inner();
            inner.since = None;
            std::mem::take(&mut inner.leftovers)
        };
        if process::is_anyone_in(&self.left) {
            remove(&leftovers);
            return;
        }
        let (mut folders, mut rest) = (Vec::new(), Vec::new());
        for path in leftovers {
            // What can't be emptied goes with the whole scratch folder, or stays for the next process to clear.
            if empty(&path, &mut folders).is_err() {
                rest.push(path);
            }
        }
        remove(&rest);
        let mut inner = self.inner();
        let spare = inner.spare.get_or_insert_default();
        let more = folders.split_off(folders.len().min(SPARE.saturating_sub(spare.len())));
        spare.extend(folders);
        drop(inner);
        remove(&more);
    }

    /// Sweeps out everything, and keeps some folders for the next run.
    pub(super) fn close(&self) {
        self.sweep();
        let (free, spare) = {
            let mut inner = self.inner();
            (std::mem::take(&mut inner.free), inner.spare.take().unwrap_or_default())
        };
        let mut folders = Vec::new();
        for room in free {
            folders.extend([room.path.join("home"), room.path.join("tmp"), room.path]);
        }
        // Those that nobody took are where they were.
        let (kept, own): (Vec<_>, Vec<_>) = spare.into_iter().partition(|path| path.starts_with(&self.kept));
        folders.extend(own);
        let mut rest = Vec::new();
        for (number, folder) in folders.into_iter().enumerate() {
            let to = self.kept.join(format!("{}-{number}", self.name));
            if kept.len() + number >= SPARE || fs::rename_into(&folder, &to).is_err() {
                rest.push(folder);
            }
        }
        remove(&rest);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes all files in a folder and moves the folders in it beside it, so that all of them are empty.
fn empty(path: &Path, folders: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let inside = entry.path();
        if !entry.file_type()?.is_dir() {
            std::fs::remove_file(&inside)?;
            continue;
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!("-{}", folders.len()));
        let beside = PathBuf::from(beside);
        std::fs::rename(&inside, &beside)?;
        empty(&beside, folders)?;
    }
    folders.push(path.to_owned());
    Ok(())
}

fn remove(paths: &[PathBuf]) {
    let remove = |part: &[PathBuf]| part.iter().for_each(|path| drop(fs::remove(path)));
    threads::share(paths, 8, &remove);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench() -> (tempfile::TempDir, Scratch) {
        let state = tempfile::tempdir().expect("a folder");
        let scratch = Scratch::open(state.path()).expect("opened");
        (state, scratch)
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::sorted_entries(path).expect("listed");
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    fn inode(path: &Path) -> u64 {
        std::fs::symlink_metadata(path).expect("there").ino()
    }

    #[test]
    fn a_room_that_was_not_touched_is_used_again_under_another_name_and_with_nothing_in_it() {
        let (_state, scratch) = bench();
        let first = scratch.enter("a").expect("made");
        let path = first.path().to_owned();
        let home = inode(&path.join("home"));
        std::fs::write(path.join("work/x"), "x").expect("written");
        scratch.leave(first).expect("left");
        assert!(!path.exists());
        let second = scratch.enter("b").expect("made");
        assert_ne!(second.path(), path);
        assert_eq!(inode(&second.path().join("home")), home);
        assert_eq!(names(second.path()), ["home", "tmp", "work"]);
        assert!(names(&second.path().join("work")).is_empty());
    }

    #[test]
    fn a_room_that_was_touched_is_never_used_again() {
        type Touch = fn(&Path);
        let touches: [Touch; 6] = [
            |room| std::fs::write(room.join("home/.profile"), "x").expect("written"),
            |room| std::fs::create_dir(room.join("tmp/x")).expect("made"),
            |room| std::fs::write(room.join("beside"), "x").expect("written"),
            |room| fs::set_mode(&room.join("tmp"), 0o777).expect("set"),
            |room| fs::set_mode(room, 0o777).expect("set"),
            |room| std::fs::remove_dir(room.join("home")).expect("removed"),
        ];
        for (number, touch) in touches.iter().enumerate() {
            let (_state, scratch) = bench();
            let room = scratch.enter("a").expect("made");
            let path = room.path().to_owned();
            touch(&path);
            scratch.leave(room).expect("left");
            assert!(!path.exists(), "{number}");
            assert!(scratch.rooms().inner().free.is_empty(), "{number}");
        }
    }

    #[test]
    fn folders_that_work_left_are_used_again_but_no_file_is() {
        let (state, scratch) = bench();
        let room = scratch.enter("a").expect("made");
        let work = room.path().join("work");
        std::fs::create_dir_all(work.join("deep/er")).expect("made");
        for name in ["x", "deep/y", "deep/er/z"] {
            std::fs::write(work.join(name), "x").expect("written");
        }
        std::os::unix::fs::symlink("deep", work.join("link")).expect("linked");
        let left = [inode(&work), inode(&work.join("deep")), inode(&work.join("deep/er"))];
        scratch.leave(room).expect("left");
        scratch.rooms().sweep();
        assert_eq!(scratch.rooms().inner().spare.as_ref().map(Vec::len), Some(3));
        let made: Vec<u64> = (0..3)
            .map(|number| {
                let path = state.path().join(format!("made{number}"));
                scratch.folder(&path).expect("made");
                assert!(is_empty(&path));
                inode(&path)
            })
            .collect();
        assert!(left.iter().all(|inode| made.contains(inode)));
    }

    #[test]
    fn folders_that_a_process_is_in_are_not_used_again() {
        let (_state, scratch) = bench();
        let room = scratch.enter("a").expect("made");
        let mut command = std::process::Command::new("sleep");
        let mut stray = command.arg("1000").current_dir(room.path().join("work")).spawn().expect("started");
        scratch.leave(room).expect("left");
        scratch.rooms().sweep();
        assert_eq!(scratch.rooms().inner().spare.as_ref().map_or(0, Vec::len), 0);
        stray.kill().and_then(|()| stray.wait()).expect("ended");
    }

    #[test]
    fn a_folder_that_is_not_as_usual_is_not_used_again() {
        let (state, scratch) = bench();
        let kept = state.path().join("spare");
        for name in ["mode", "full", "good"] {
            fs::create_dirs(&kept.join(name)).expect("made");
        }
        fs::set_mode(&kept.join("mode"), 0o700).expect("set");
        std::fs::write(kept.join("full/x"), "x").expect("written");
        std::fs::write(kept.join("none"), "x").expect("written");
        let good = inode(&kept.join("good"));
        let made: Vec<u64> = (0..4)
            .map(|number| {
                let path = state.path().join(format!("made{number}"));
                scratch.folder(&path).expect("made");
                inode(&path)
            })
            .collect();
        assert_eq!(made.iter().filter(|&&inode| inode == good).count(), 1);
        assert!(kept.join("full/x").exists() && kept.join("mode").exists());
    }

    #[test]
    fn leftovers_are_gone_when_the_process_is_and_some_folders_wait_for_the_next() {
        let (state, scratch) = bench();
        for _ in 0..5 {
            let room = scratch.enter("a").expect("made");
            std::fs::write(room.path().join("work/x"), "x").expect("written");
            scratch.leave(room).expect("left");
        }
        assert_eq!(scratch.rooms().inner().leftovers.len(), 5);
        drop(scratch);
        assert_eq!(names(&state.path().join("tmp")), [".lock"]);
        let kept = names(&state.path().join("spare"));
        assert_eq!(kept.len(), 8);
        let next = Scratch::open(state.path()).expect("opened");
        drop(next.enter("a").expect("made"));
        assert_eq!(names(&state.path().join("spare")).len(), 4);
    }
}
