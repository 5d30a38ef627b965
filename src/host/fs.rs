//! Files: atomic writes, copies that share blocks where the file system can, stat fingerprints, durability.
//!
//! Knows nothing of what the files are for.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::error::{Context, Error, Result};
use crate::data::Places;

/// Names of files that are about to replace another begin so; a writer that dies leaves one.
pub const TEMPORARY: &str = ".mlpc-";

/// What `stat` says of a file's content without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of content, nanoseconds.
    pub mtime: i64,
    /// Time of the last change of content or attributes, nanoseconds; nobody can set it.
    pub ctime: i64,
    /// Inode number.
    pub inode: u64,
}

impl Fingerprint {
    /// Returns the fingerprint of what `stat` said.
    #[must_use]
    pub fn of(meta: &Metadata) -> Self {
        let nanos = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: meta.len(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        }
    }
}

impl Fingerprint {
    /// Returns it as bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let parts =
            [self.size.to_le_bytes(), self.mtime.to_le_bytes(), self.ctime.to_le_bytes(), self.inode.to_le_bytes()];
        for (to, from) in bytes.chunks_exact_mut(8).zip(parts) {
            to.copy_from_slice(&from);
        }
        bytes
    }

    /// Returns the fingerprint that these bytes are of.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let part = |at: usize| -> [u8; 8] { std::array::from_fn(|index| bytes[at * 8 + index]) };
        Self {
            size: u64::from_le_bytes(part(0)),
            mtime: i64::from_le_bytes(part(1)),
            ctime: i64::from_le_bytes(part(2)),
            inode: u64::from_le_bytes(part(3)),
        }
    }
}

/// Returns the fingerprint of a file; links are followed.
pub fn fingerprint(path: &Path) -> Result<Fingerprint> {
    fs::metadata(path).cannot("read", path).map(|meta| Fingerprint::of(&meta))
}

/// Tells whether the file may be executed by its owner.
#[must_use]
pub fn is_executable(meta: &Metadata) -> bool {
    meta.permissions().mode() & 0o100 != 0
}

/// Tells whether somebody gave a file attributes beyond its permissions, such as an access list. What the machine's own policy
/// puts on every file does not count.
#[must_use]
pub fn has_attributes(file: std::os::fd::BorrowedFd<'_>) -> bool {
    let mut names = [0_u8; 256];
    match rustix::fs::flistxattr(file, &mut names) {
        Ok(length) => {
            names[..length].split(|&byte| byte == 0).any(|name| !name.is_empty() && !name.starts_with(b"security."))
        }
        Err(rustix::io::Errno::OPNOTSUPP) => false,
        Err(_) => true,
    }
}

/// Opens a file that somebody may have made, for reading. A pipe would have us wait for ever, a device has no end: neither
/// is a file. A folder opens, and can't be read.
pub fn open(path: &Path) -> io::Result<File> {
    let now = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(now).open(path)?;
    let meta = file.metadata()?;
    match meta.is_file() || meta.is_dir() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file")),
    }
}

/// A file that stays open, of which any place can be read.
#[derive(Debug)]
pub struct Placed {
    file: File,
    size: u64,
}

impl Placed {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = open(path).cannot("read", path)?;
        let size = file.metadata().cannot("read", path)?.len();
        Ok(Self { file, size })
    }
}

impl Places for Placed {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<usize> {
        self.file.read_at(buffer, at)
    }
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_whole(path).cannot("read", path)
}

/// Reads a whole file, which has to be UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let text = open(path).and_then(io::read_to_string);
    text.cannot("read", path)
}

/// Reads a whole file; the error is the system's own.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let size = file.metadata().map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(0));
    let mut bytes = Vec::with_capacity(size.min(1 << 30));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a folder and those above it.
pub fn create_dirs(path: &Path) -> Result<()> {
    fs::create_dir_all(path).cannot("make the folder", path)
}

/// Writes a file so that at every instant either the old content or the whole new one is there.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = temporary_beside(path)?;
    temporary.write_all(bytes).cannot("write", path)?;
    temporary.persist(path).cannot("write", path)?;
    Ok(())
}

/// As [`write_atomic`], and on disk when it returns.
pub fn write_durable(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = temporary_beside(path)?;
    temporary.write_all(bytes).cannot("write", path)?;
    temporary.as_file().sync_all().cannot("write", path)?;
    temporary.persist(path).cannot("write", path)?;
    File::open(parent(path)).and_then(|folder| folder.sync_all()).cannot("write", path)
}

/// Tells whether something stands at a path that a person may have made: a file with text that `ours` does not know.
pub fn is_foreign(path: &Path, ours: impl Fn(&str) -> bool) -> bool {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() > 0 => !read_text(path).is_ok_and(|text| ours(&text)),
        _ => false,
    }
}

/// Writes a file where a person said to, over what `ours` knows as written by us and over nothing else. Where a link stands, what
/// it leads to is written; a device or a pipe is written into, and never replaced.
///
/// # Errors
/// Something else stands there, or it can't be written.
pub fn write_ours(path: &Path, bytes: &[u8], ours: impl Fn(&str) -> bool) -> Result<()> {
    if is_foreign(path, ours) {
        let message = format!("`{}` holds something that mlpc did not write", path.display());
        return Err(Error::new(format!("{message}: move it away, or name another file")));
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(meta) if !meta.is_file() && !meta.is_dir() => {
            let written = File::options().write(true).open(&target).and_then(|mut file| file.write_all(bytes));
            written.cannot("write", path)
        }
        _ => write_atomic(&target, bytes),
    }
}

fn temporary_beside(path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = parent(path);
    create_dirs(folder)?;
    tempfile::Builder::new()
        .prefix(TEMPORARY)
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .cannot("write", path)
}

/// Returns the folder that a path stands in; `.` for a bare name.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Copies one file to a path where nothing stands: by sharing blocks where the file system can. The copy is
/// writable and keeps the executable bit; setuid and the like are dropped.
pub fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let executable = fs::metadata(from).map(|meta| is_executable(&meta)).cannot("read", from)?;
    copy_file_as(from, to, executable)
}

/// Writes a file that is not there yet, with the permissions of a copy, and makes the folders above it that are not there.
pub fn write_new(path: &Path, bytes: &[u8], executable: bool) -> Result<()> {
    let mode = new_mode(executable);
    let open = || File::options().write(true).create_new(true).mode(mode).open(path);
    let mut file = with_parent(path, &open).cannot("write", path)?;
    file.write_all(bytes).cannot("write", path)?;
    // A umask that takes something from the owner has taken it from this file, too.
    if umask() & 0o700 != 0 {
        file.set_permissions(Permissions::from_mode(mode)).cannot("set the permissions of", path)?;
    }
    Ok(())
}

/// As [`copy_file`], with the executable bit given.
pub fn copy_file_as(from: &Path, to: &Path, executable: bool) -> Result<()> {
    reflink_copy::reflink_or_copy(from, to)
        .context(|| format!("cannot copy `{}` to `{}`", from.display(), to.display()))?;
    set_mode(to, new_mode(executable))
}

/// Returns the permissions of a file that we make: those of any build tool, less what the user's umask keeps from others.
fn new_mode(executable: bool) -> u32 {
    (if executable { 0o755 } else { 0o644 }) & !(umask() & 0o077)
}

/// Returns the umask, which the kernel tells without changing it; where it doesn't, that of nearly everybody.
fn umask() -> u32 {
    static MASK: OnceLock<u32> = OnceLock::new();
    *MASK.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
    })
}

/// Sets the permission bits of a file.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).cannot("set the permissions of", path)
}

/// Copies a file or a directory tree to a path where nothing stands; links in it are copied as links.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let meta = fs::metadata(from).cannot("read", from)?;
    if !meta.is_dir() {
        return copy_file(from, to);
    }
    create_dirs(to)?;
    for entry in sorted_entries(from)? {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().cannot("read", &source)?;
        if kind.is_symlink() {
            let link = fs::read_link(&source).cannot("read", &source)?;
            std::os::unix::fs::symlink(link, &target).cannot("write", &target)?;
        } else {
            copy_tree(&source, &target)?;
        }
    }
    Ok(())
}

/// Lists a folder in the order of names.
pub fn sorted_entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let mut entries =
        fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>()).cannot("list", folder)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// Removes a file, a link or a whole tree; nothing there is fine.
pub fn remove(path: &Path) -> Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta.cannot("remove", path)?,
    };
    if !meta.is_dir() {
        return fs::remove_file(path).cannot("remove", path);
    }
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    // A stage may leave folders behind that even their owner may not write to.
    make_writable(path);
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.cannot("remove", path),
    }
}

fn make_writable(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}

/// Renames; both paths are on one file system.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).context(|| format!("cannot move `{}` to `{}`", from.display(), to.display()))
}

/// Renames, and makes the folders above the target that are not there.
pub fn rename_into(from: &Path, to: &Path) -> Result<()> {
    with_parent(to, &|| fs::rename(from, to))
        .context(|| format!("cannot move `{}` to `{}`", from.display(), to.display()))
}

/// Most of the folders are there: they are made only where the work fails for want of them.
fn with_parent<T>(path: &Path, work: &dyn Fn() -> io::Result<T>) -> io::Result<T> {
    match work() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent(path))?;
            work()
        }
        done => done,
    }
}

/// Puts `staged` where `path` is, whatever stands there. A file is replaced in one step; a directory is moved
/// aside first, into `aside`, which has to be on the same file system, and removed afterwards.
pub fn swap_in(staged: &Path, path: &Path, aside: &Path) -> Result<()> {
    // A file in the place of a file or of nothing, which is most of what comes here; a folder in the place of nothing.
    let Err(error) = with_parent(path, &|| fs::rename(staged, path)) else { return Ok(()) };
    if error.kind() == io::ErrorKind::CrossesDevices {
        // The outputs' folder is on another file system than ours: stage once more, beside the target.
        let beside = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent(path)).cannot("write", path)?;
        copy_tree(staged, &beside.path().join("new"))?;
        swap_in(&beside.path().join("new"), path, &beside.path().join("old"))?;
        return remove(staged);
    }
    if fs::symlink_metadata(staged).is_err() || fs::symlink_metadata(path).is_err() {
        return Err(error).context(|| format!("cannot move `{}` to `{}`", staged.display(), path.display()));
    }
    rename(path, aside)?;
    rename(staged, path)?;
    remove(aside)
}

/// Flushes the file system that holds `path`: one call makes a whole batch of files durable.
pub fn sync_file_system(path: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        let folder = File::open(path).cannot("open", path)?;
        rustix::fs::syncfs(&folder).cannot("flush", path)
    }
    #[cfg(not(target_os = "linux"))]
    {
        rustix::fs::sync();
        let _ = path;
        Ok(())
    }
}

/// Joins a declared path to a folder; absolute paths and `..` are refused, whatever an earlier pass promised.
pub fn join_inside(folder: &Path, relative: &str) -> Result<PathBuf> {
    let path = Path::new(relative);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if relative.is_empty() || !inside {
        return Err(Error::new(format!("`{relative}` does not stay inside the workspace")));
    }
    Ok(folder.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o7777
    }

    #[test]
    fn what_a_person_made_is_not_written_over_and_no_device_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        let ours = |text: &str| text.starts_with("ours");
        fs::write(&file, "theirs").expect("written");
        assert!(write_ours(&file, b"ours 1", ours).is_err());
        assert_eq!(fs::read_to_string(&file).expect("read"), "theirs");
        fs::write(&file, "ours 0").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write_ours(&link, b"ours 1", ours).expect("written");
        assert_eq!(fs::read_to_string(&file).expect("read"), "ours 1");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        write_ours(Path::new("/dev/null"), b"ours 2", ours).expect("written");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
    }

    #[test]
    fn a_copy_is_writable_keeps_the_executable_bit_and_drops_setuid() {
        let folder = folder();
        let (plain, tool) = (folder.path().join("plain"), folder.path().join("tool"));
        fs::write(&plain, "a").expect("written");
        fs::write(&tool, "b").expect("written");
        set_mode(&plain, 0o444).expect("set");
        set_mode(&tool, 0o4555).expect("set");
        copy_file(&plain, &folder.path().join("c")).expect("copied");
        copy_file(&tool, &folder.path().join("d")).expect("copied");
        assert_eq!(mode(&folder.path().join("c")), 0o644);
        assert_eq!(mode(&folder.path().join("d")), 0o755);
    }

    #[test]
    fn swapping_in_a_directory_leaves_nothing_of_the_old_one() {
        let folder = folder();
        let (old, new) = (folder.path().join("out"), folder.path().join("staged"));
        for (at, name) in [(&old, "leftover"), (&new, "fresh")] {
            fs::create_dir(at).expect("made");
            fs::write(at.join(name), "x").expect("written");
        }
        swap_in(&new, &old, &folder.path().join("aside")).expect("swapped");
        let names: Vec<_> = sorted_entries(&old).expect("listed").iter().map(fs::DirEntry::file_name).collect();
        assert_eq!(names, ["fresh"]);
        assert_eq!(sorted_entries(folder.path()).expect("listed").len(), 1);
    }

    #[test]
    fn a_file_takes_the_place_of_a_directory_and_back() {
        let folder = folder();
        let (path, staged) = (folder.path().join("out"), folder.path().join("staged"));
        fs::create_dir(&path).expect("made");
        fs::write(&staged, "file").expect("written");
        swap_in(&staged, &path, &folder.path().join("aside")).expect("swapped");
        assert_eq!(read_text(&path).expect("a file"), "file");
        fs::create_dir(&staged).expect("made");
        swap_in(&staged, &path, &folder.path().join("aside")).expect("swapped");
        assert!(path.is_dir());
    }

    #[test]
    fn removes_what_forbids_writing() {
        let folder = folder();
        let deep = folder.path().join("a/b");
        create_dirs(&deep).expect("made");
        fs::write(deep.join("x"), "x").expect("written");
        set_mode(&deep, 0o500).expect("set");
        remove(&folder.path().join("a")).expect("removed");
        assert!(!folder.path().join("a").exists());
        remove(&folder.path().join("a")).expect("nothing there is fine");
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        let base = Path::new("/w");
        assert_eq!(join_inside(base, "a/b").expect("inside"), Path::new("/w/a/b"));
        for wrong in ["", "../x", "/etc/passwd", "a/../../x"] {
            assert!(join_inside(base, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_edit_with_the_old_size_and_mtime_has_another_fingerprint() {
        let folder = folder();
        let path = folder.path().join("x");
        fs::write(&path, "aaaa").expect("written");
        let before = fingerprint(&path).expect("there");
        let modified = fs::metadata(&path).expect("there").modified().expect("known");
        // The kernel's clock ticks every few milliseconds; wait for the next tick, which ctime needs.
        loop {
            fs::write(&path, "bbbb").expect("written");
            File::options().write(true).open(&path).and_then(|file| file.set_modified(modified)).expect("set");
            let after = fingerprint(&path).expect("there");
            assert_eq!((after.size, after.mtime), (before.size, before.mtime));
            if after != before {
                break;
            }
        }
    }
}
