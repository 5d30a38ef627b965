//! Rooms for pieces of work: a folder with an empty `home` and an empty `tmp`, and with `work`, in which nothing stands but the folders
//! that the work asked for.
//!
//! Inodes are dear: to remove a folder can take a file system longer than a small stage runs, and one that has just freed some
//! thousands may look at each of them whenever it makes a new one. So the rooms that quick work leaves are swept out, as soon as no process
//! is in them any more, and used again with the folders that they have; some wait in `.mlpc/spare` for the next run. Files are never
//! used again: somebody may still have one open.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

use super::scratch::Scratch;
use crate::host::fs;
use crate::host::{Context, Result, process, threads};

/// Work that took longer may have left much: it is swept out at once.
const QUICK: Duration = Duration::from_secs(1);

/// How long, and how many, leftovers of quick work may lie.
const LATE: Duration = Duration::from_secs(5);
const MANY: usize = 32;

/// How many rooms wait for the next run.
const SPARE: usize = 64;

/// A room with more folders than this is not worth being kept.
const FURNISHED: usize = 64;

/// An empty folder that is larger once held many names, and is slow for ever.
const SMALL: u64 = 4096;

/// Folders in a room's `work`, relative to it, each with those above it.
pub type Folders = BTreeSet<PathBuf>;

/// Where work is done, and what is left of it.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Where rooms are moved to when their work is done.
    left: PathBuf,
    /// Where rooms wait for the next run, and what their names begin with: that of the scratch folder, which no other has.
    kept: PathBuf,
    name: String,
    /// Permission bits, user and group of every folder that we make.
    usual: Option<Bits>,
    inner: Mutex<Inner>,
}

type Bits = (u32, u32, u32);

#[derive(Debug, Default)]
struct Inner {
    free: Vec<Free>,
    leftovers: Vec<PathBuf>,
    since: Option<Instant>,
    /// What the last run kept; nothing until somebody looked.
    kept: Option<Vec<PathBuf>>,
}

/// A room that nobody is in.
#[derive(Debug)]
struct Free {
    path: PathBuf,
    folders: Folders,
}

/// A folder for one piece of work: `home` and `tmp` are there and empty, in `work` are the folders that were asked for.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
    entered: Instant,
}

impl Room {
    /// Returns the folder that holds `work`, `home` and `tmp`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Adds the folders above a relative path.
pub fn folders_above(path: &Path, folders: &mut Folders) {
    let path: PathBuf = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        if !folders.insert(folder.to_owned()) {
            break;
        }
    }
}

impl Scratch {
    /// Returns a room for the work of this name, with these folders in `work`.
    pub fn enter(&self, name: &str, folders: &Folders) -> Result<Room> {
        let path = self.fresh(name);
        let room = Room { path, entered: Instant::now() };
        while let Some(free) = self.rooms().free(folders) {
            // Another run may have taken it.
            if std::fs::rename(&free.path, &room.path).is_err() {
                continue;
            }
            if refit(&room.path.join("work"), &free.folders, folders).is_ok() {
                return Ok(room);
            }
            fs::remove(&room.path)?;
        }
        let make = |folder: &Path| std::fs::create_dir(folder).cannot("make the folder", folder);
        make(&room.path)?;
        ["home", "tmp", "work"].iter().try_for_each(|name| make(&room.path.join(name)))?;
        folders.iter().try_for_each(|folder| make(&room.path.join("work").join(folder)))?;
        Ok(room)
    }

    /// Takes a room back, with all that the work left in it.
    pub fn leave(&self, room: Room) -> Result<()> {
        let rooms = self.rooms();
        if room.entered.elapsed() >= QUICK {
            return fs::remove(&room.path);
        }
        // Under this name nobody finds it who was told the old one.
        let number = self.fresh("left");
        let left = rooms.left.join(number.file_name().unwrap_or_default());
        fs::rename_into(&room.path, &left)?;
        let late = {
            let mut inner = rooms.inner();
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

/// Makes the folders in `work` those that are wanted.
fn refit(work: &Path, has: &Folders, wants: &Folders) -> std::io::Result<()> {
    let mut superfluous = has.iter().rev().filter(|folder| !wants.contains(*folder));
    superfluous.try_for_each(|folder| std::fs::remove_dir(work.join(folder)))?;
    wants.difference(has).try_for_each(|folder| std::fs::create_dir(work.join(folder)))
}

impl Rooms {
    /// The rooms of a scratch folder under `state` (`.mlpc`).
    pub(super) fn new(scratch: &Path, state: &Path) -> Self {
        let left = std::fs::canonicalize(scratch).unwrap_or_else(|_| scratch.to_owned()).join("left");
        let bits = |meta: std::fs::Metadata| (meta.permissions().mode(), meta.uid(), meta.gid());
        let usual = std::fs::metadata(fs::parent(scratch)).ok().map(bits);
        let name = scratch.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { left, kept: state.join("spare"), name, usual, inner: Mutex::default() }
    }

    /// Returns a free room, one that has these folders if there is one.
    fn free(&self, folders: &Folders) -> Option<Free> {
        let mut inner = self.inner();
        let fits = inner.free.iter().rposition(|free| free.folders == *folders);
        if let Some(at) = fits.or(inner.free.len().checked_sub(1)) {
            return Some(inner.free.swap_remove(at));
        }
        let all = || fs::sorted_entries(&self.kept).unwrap_or_default().iter().map(std::fs::DirEntry::path).collect();
        let kept = inner.kept.get_or_insert_with(all);
        while let Some(path) = kept.pop() {
            match self.look(&path, Files::AreForeign) {
                Ok(Some(folders)) => return Some(Free { path, folders }),
                // An empty folder is nothing that anybody misses.
                _ => drop(std::fs::remove_dir(&path)),
            }
        }
        None
    }

    /// Sweeps out what quick work has left. Rooms that a process is in may yet be written to, and are of no more use.
    fn sweep(&self) {
        let leftovers = {
            let mut inner = self.inner();
            inner.since = None;
            std::mem::take(&mut inner.leftovers)
        };
        if process::is_anyone_in(&self.left) {
            // Whoever stayed behind works in a room that is gone for it, and for everybody.
            process::end_strays(&self.left);
            remove(&leftovers);
            return;
        }
        let (mut free, mut rest) = (Vec::new(), Vec::new());
        for path in leftovers {
            // What can't be emptied goes, or stays for the next process to clear.
            match self.look(&path, Files::AreSwept) {
                Ok(Some(folders)) => free.push(Free { path, folders }),
                _ => rest.push(path),
            }
        }
        remove(&rest);
        self.inner().free.extend(free);
    }

    /// Sweeps out everything, and keeps some rooms for the next run.
    pub(super) fn close(&self) {
        self.sweep();
        let (free, kept) = {
            let mut inner = self.inner();
            (std::mem::take(&mut inner.free), inner.kept.take().unwrap_or_default())
        };
        let mut rest = Vec::new();
        for (number, free) in free.into_iter().enumerate() {
            let to = self.kept.join(format!("{}-{number}", self.name));
            if kept.len() + number >= SPARE || fs::rename_into(&free.path, &to).is_err() {
                rest.push(free.path);
            }
        }
        remove(&rest);
    }

    /// Looks whether a room is as good as one that was just made, and returns its folders if so.
    fn look(&self, path: &Path, files: Files) -> rustix::io::Result<Option<Folders>> {
        let [look, untouched] = [files, Files::AreForeign].map(|files| Look { usual: self.usual, files });
        let Some(mut room) = look.open(CWD, path)? else { return Ok(None) };
        let (mut seen, mut found) = (0, None);
        while let Some(entry) = room.read() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            match name {
                b"." | b".." => continue,
                b"home" | b"tmp" | b"work" => seen += 1,
                _ => return Ok(None),
            }
            let mut folders = Folders::new();
            let look = if name == b"work" { &look } else { &untouched };
            let usual = look.below(room.fd()?, Path::new(OsStr::from_bytes(name)), Path::new(""), &mut folders)?;
            match (usual, name) {
                (false, _) => return Ok(None),
                (true, b"work") => found = Some(folders),
                (true, _) if folders.is_empty() => {}
                (true, _) => return Ok(None),
            }
        }
        Ok(found.filter(|_| seen == 3))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to do about a file that stands in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// In `work` it is removed.
    AreSwept,
    /// The room is not ours to use.
    AreForeign,
}

struct Look {
    usual: Option<Bits>,
    files: Files,
}

impl Look {
    /// Opens a folder, if it is as we make them.
    fn open(&self, at: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<Option<Dir>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(at, path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&folder)?;
        let usual = Some((stat.st_mode, stat.st_uid, stat.st_gid)) == self.usual;
        let small = u64::try_from(stat.st_size).is_ok_and(|size| size <= SMALL);
        if !usual || !small || fs::has_attributes(folder.as_fd()) {
            return Ok(None);
        }
        Dir::new(folder).map(Some)
    }

    /// Looks at a folder, and sweeps it; adds the folders in it. Tells whether all are as usual.
    fn below(&self, at: BorrowedFd<'_>, name: &Path, inside: &Path, all: &mut Folders) -> rustix::io::Result<bool> {
        let Some(mut folder) = self.open(at, name)? else { return Ok(false) };
        while let Some(entry) = folder.read() {
            let entry = entry?;
            let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
            if name == Path::new(".") || name == Path::new("..") {
                continue;
            }
            match entry.file_type() {
                FileType::Directory if all.len() < FURNISHED => {
                    let inside = inside.join(name);
                    all.insert(inside.clone());
                    if !self.below(folder.fd()?, name, &inside, all)? {
                        return Ok(false);
                    }
                }
                FileType::Directory => return Ok(false),
                _ if self.files == Files::AreForeign => return Ok(false),
                _ => rustix::fs::unlinkat(folder.fd()?, name, AtFlags::empty())?,
            }
        }
        Ok(true)
    }
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

    fn folders(paths: &[&str]) -> Folders {
        let mut folders = Folders::new();
        paths.iter().for_each(|path| folders_above(&Path::new(path).join("file"), &mut folders));
        folders
    }

    /// All that is in a folder, relative to it.
    fn all(path: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::sorted_entries(path).expect("listed") {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                names.extend(all(&entry.path()).iter().map(|inside| format!("{name}/{inside}")));
            }
            names.push(name);
        }
        names.sort();
        names
    }

    fn inode(path: &Path) -> u64 {
        std::fs::symlink_metadata(path).expect("there").ino()
    }

    fn is_free(scratch: &Scratch) -> usize {
        scratch.rooms().sweep();
        scratch.rooms().inner().free.len()
    }

    #[test]
    fn the_folders_above_a_path_are_all_of_them() {
        assert_eq!(folders(&["", "./a/b", "a//c"]), ["a", "a/b", "a/c"].map(PathBuf::from).into());
    }

    #[test]
    fn a_room_is_used_again_under_another_name_with_the_folders_that_are_asked_for_and_no_file() {
        let (_state, scratch) = bench();
        let first = scratch.enter("a", &folders(&["out/x", "src"])).expect("made");
        let path = first.path().to_owned();
        let home = inode(&path.join("home"));
        assert_eq!(all(&path), ["home", "tmp", "work", "work/out", "work/out/x", "work/src"]);
        std::fs::write(path.join("work/x"), "x").expect("written");
        std::fs::write(path.join("work/out/x/y"), "x").expect("written");
        std::os::unix::fs::symlink("out", path.join("work/link")).expect("linked");
        std::fs::create_dir(path.join("work/made")).expect("made");
        scratch.leave(first).expect("left");
        assert!(!path.exists());
        assert_eq!(is_free(&scratch), 1);
        let second = scratch.enter("b", &folders(&["out", "new/er"])).expect("made");
        assert_ne!(second.path(), path);
        assert_eq!(inode(&second.path().join("home")), home);
        assert_eq!(all(second.path()), ["home", "tmp", "work", "work/new", "work/new/er", "work/out"]);
    }

    #[test]
    fn a_room_that_fits_is_taken_before_one_that_has_to_be_changed() {
        let (_state, scratch) = bench();
        let wanted = [folders(&["a"]), folders(&["b"])];
        let rooms = wanted.each_ref().map(|folders| scratch.enter("x", folders).expect("made"));
        let inodes = rooms.each_ref().map(|room| inode(room.path()));
        rooms.into_iter().for_each(|room| scratch.leave(room).expect("left"));
        assert_eq!(is_free(&scratch), 2);
        assert_eq!(inode(scratch.enter("y", &wanted[0]).expect("made").path()), inodes[0]);
        assert_eq!(inode(scratch.enter("z", &wanted[0]).expect("made").path()), inodes[1]);
    }

    #[test]
    fn a_room_that_was_touched_is_never_used_again() {
        type Touch = fn(&Path);
        let touches: [Touch; 8] = [
            |room| std::fs::write(room.join("home/.profile"), "x").expect("written"),
            |room| std::fs::create_dir(room.join("tmp/x")).expect("made"),
            |room| std::fs::write(room.join("beside"), "x").expect("written"),
            |room| fs::set_mode(&room.join("tmp"), 0o777).expect("set"),
            |room| fs::set_mode(room, 0o777).expect("set"),
            |room| fs::set_mode(&room.join("work/out"), 0o700).expect("set"),
            |room| std::fs::remove_dir(room.join("home")).expect("removed"),
            |room| (0..100).for_each(|number| std::fs::create_dir(room.join(format!("work/{number}"))).expect("made")),
        ];
        for (number, touch) in touches.iter().enumerate() {
            let (_state, scratch) = bench();
            let room = scratch.enter("a", &folders(&["out"])).expect("made");
            let path = room.path().to_owned();
            touch(&path);
            scratch.leave(room).expect("left");
            assert!(!path.exists(), "{number}");
            assert_eq!(is_free(&scratch), 0, "{number}");
        }
    }

    #[test]
    fn a_room_that_a_process_is_in_is_not_used_again() {
        let (_state, scratch) = bench();
        let room = scratch.enter("a", &Folders::new()).expect("made");
        let mut command = std::process::Command::new("sleep");
        let mut stray = command.arg("1000").current_dir(room.path().join("work")).spawn().expect("started");
        scratch.leave(room).expect("left");
        assert_eq!(is_free(&scratch), 0);
        let status = stray.wait().expect("ended by us");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }

    #[test]
    fn a_room_that_a_process_has_open_is_not_used_again() {
        let (_state, scratch) = bench();
        let room = scratch.enter("a", &Folders::new()).expect("made");
        let handle = std::fs::File::open(room.path().join("work")).expect("opened");
        let mut command = std::process::Command::new("sleep");
        let mut stray = command.arg("1000").current_dir("/").stdin(handle).spawn().expect("started");
        drop(command);
        scratch.leave(room).expect("left");
        assert_eq!(is_free(&scratch), 0);
        assert_eq!(stray.try_wait().expect("asked"), None, "what has a folder open may be anybody");
        stray.kill().and_then(|()| stray.wait()).expect("ended");
    }

    #[test]
    fn what_waits_for_the_next_run_is_looked_at_before_it_is_used() {
        let (state, scratch) = bench();
        let kept = state.path().join("spare");
        for name in ["mode", "full", "good"] {
            for inside in ["home", "tmp", "work/out"] {
                fs::create_dirs(&kept.join(name).join(inside)).expect("made");
            }
        }
        fs::create_dirs(&kept.join("empty")).expect("made");
        fs::set_mode(&kept.join("mode/work"), 0o700).expect("set");
        std::fs::write(kept.join("full/work/out/x"), "x").expect("written");
        std::fs::write(kept.join("none"), "x").expect("written");
        let good = inode(&kept.join("good"));
        let rooms: Vec<Room> = (0..4).map(|_| scratch.enter("x", &folders(&["out"])).expect("made")).collect();
        assert_eq!(rooms.iter().filter(|room| inode(room.path()) == good).count(), 1);
        assert!(rooms.iter().all(|room| all(room.path()) == ["home", "tmp", "work", "work/out"]));
        assert!(kept.join("full/work/out/x").exists() && kept.join("mode").exists() && !kept.join("empty").exists());
    }

    #[test]
    fn leftovers_are_gone_when_the_process_is_and_some_rooms_wait_for_the_next() {
        let (state, scratch) = bench();
        for _ in 0..5 {
            let room = scratch.enter("a", &Folders::new()).expect("made");
            std::fs::write(room.path().join("work/x"), "x").expect("written");
            scratch.leave(room).expect("left");
        }
        assert_eq!(scratch.rooms().inner().leftovers.len(), 5);
        drop(scratch);
        let names = |path: &Path| fs::sorted_entries(path).expect("listed").len();
        assert_eq!(names(&state.path().join("tmp")), 1);
        assert_eq!(names(&state.path().join("spare")), 5);
        let next = Scratch::open(state.path()).expect("opened");
        drop(next.enter("a", &Folders::new()).expect("made"));
        assert_eq!(names(&state.path().join("spare")), 4);
    }
}
