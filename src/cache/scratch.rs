//! The folder for what is under way, under `.mlpc/tmp/`: one for each process, under a lock that dies with it.
//!
//! What a killed process left behind is removed by the next one, and the processes that it left running are ended.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::room::Rooms;
use crate::host::lock::Lock;
use crate::host::process::Spec;
use crate::host::signal::Interrupt;
use crate::host::{Context, Result, fs, process};

/// How long a child of a killed process may hold its lock, on a machine that has other things to do.
const LINGERS: Duration = Duration::from_secs(10);

/// The folder of notes about containers. A stage never sees it: what stands there is done.
const CONTAINERS: &str = "containers";

/// A folder of this process alone; removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    next: AtomicU64,
    rooms: Rooms,
    _lock: Lock,
}

impl Scratch {
    /// Makes the folder under `state` (`.mlpc`), and clears what processes that are gone left there.
    pub fn open(state: &Path) -> Result<Self> {
        let root = state.join("tmp");
        // Without this lock a folder that was just made, and not yet locked, would look abandoned.
        let _door = Lock::wait(&root.join(".lock"))?;
        clear(&root)?;
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(&root)
            .map(tempfile::TempDir::keep)
            .cannot("make a folder in", &root)?;
        let lock = Lock::wait(&folder.join(".lock"))?;
        process::sign(lock.file()).cannot("write", &folder)?;
        Ok(Self { rooms: Rooms::new(&folder, state), folder, next: AtomicU64::new(0), _lock: lock })
    }

    /// Returns where pieces of work are done.
    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Returns a path at which nothing stands yet.
    #[must_use]
    pub fn fresh(&self, name: &str) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{number}-{}", file_name(name)))
    }

    /// Shuts the door to new processes, if no other one is at work: it is open again when the lock is dropped.
    pub fn alone(&self, state: &Path) -> Result<Option<Lock>> {
        let root = state.join("tmp");
        let door = Lock::wait(&root.join(".lock"))?;
        for entry in fs::sorted_entries(&root)? {
            let path = entry.path();
            if path.is_dir() && path != self.folder && Lock::try_take(&path.join(".lock"))?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(door))
    }

    /// Writes down that a container was started, so that whoever clears up behind us knows of it: the engine's own processes are no
    /// children of ours. Returns the note, to be removed when the container is gone.
    pub fn note_container(&self, engine: &str, name: &str) -> Result<PathBuf> {
        let note = self.folder.join(CONTAINERS).join(format!("{engine}@{name}"));
        fs::create_dirs(fs::parent(&note))?;
        fs::write_atomic(&note, b"")?;
        Ok(note)
    }

    /// Leaves a folder to the user, who asked for it: moves it to where no later run clears it away.
    pub fn keep(&self, path: &Path, state: &Path, name: &str) -> Result<PathBuf> {
        let target = state.join("kept").join(file_name(name));
        fs::remove(&target)?;
        fs::create_dirs(fs::parent(&target))?;
        fs::rename(path, &target)?;
        Ok(target)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.rooms.close();
        let _ = fs::remove(&self.folder);
        // What a process left that was killed while we were at work.
        let root = fs::parent(&self.folder);
        if let Ok(Some(_door)) = Lock::try_take(&root.join(".lock")) {
            let _ = clear(root);
        }
    }
}

/// Turns a node's name into a file name: `train[nord,1]` stays legible and `/` does no harm.
pub(crate) fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.,@[]".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.starts_with('.') { format!("_{name}") } else { name }
}

fn clear(root: &Path) -> Result<()> {
    for entry in fs::sorted_entries(root)? {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        let Some(_free) = abandoned(&path)? else { continue };
        // The engine first: one that finds its own helpers dead removes nothing.
        end_containers(&path.join(CONTAINERS));
        process::end_strays(&path);
        fs::remove(&path)?;
    }
    Ok(())
}

/// Takes the lock of a folder whose process is gone. A child that it had just forked when it was killed, and that is not yet
/// another program, holds the lock a moment longer.
fn abandoned(folder: &Path) -> Result<Option<Lock>> {
    let path = folder.join(".lock");
    let begun = Instant::now();
    loop {
        let lock = Lock::try_take(&path)?;
        let lives = || std::fs::read_to_string(&path).is_ok_and(|owner| process::lives(&owner));
        if lock.is_some() || lives() || begun.elapsed() >= LINGERS {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the containers that a killed process left running; what the engine no longer knows is none.
fn end_containers(notes: &Path) {
    for entry in std::fs::read_dir(notes).into_iter().flatten().flatten() {
        let note = entry.file_name().to_string_lossy().into_owned();
        if let Some((engine, name)) = container(&note) {
            let spec = Spec {
                argv: [engine, "rm", "--force", name].map(Into::into).to_vec(),
                folder: std::env::temp_dir(),
                env: std::env::vars_os().collect(),
                timeout: Some(Duration::from_secs(60)),
                grace: Duration::from_secs(1),
            };
            let _ = process::run(&spec, &Interrupt::new(), |_| ());
        }
    }
}

/// Reads a note: only names that we give, and programs that we call.
fn container(note: &str) -> Option<(&str, &str)> {
    let (engine, name) = note.split_once('@')?;
    let ours = name.strip_prefix("mlpc-")?.chars().all(|c| c.is_ascii_digit() || c == '-');
    (ours && ["docker", "podman"].contains(&engine)).then_some((engine, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_is_cleared_and_what_lives_is_not() {
        let state = tempfile::tempdir().expect("a folder");
        let alive = Scratch::open(state.path()).expect("opened");
        std::fs::write(alive.fresh("x"), "x").expect("written");
        let dead = state.path().join("tmp/run-dead");
        fs::create_dirs(&dead.join("deep")).expect("made");
        let second = Scratch::open(state.path()).expect("opened");
        assert!(!dead.exists());
        assert!(alive.folder.join("0-x").exists());
        let folder = second.folder.clone();
        drop(second);
        assert!(!folder.exists());
    }

    #[test]
    fn what_the_child_of_a_dead_process_still_holds_is_waited_for_and_cleared() {
        let state = tempfile::tempdir().expect("a folder");
        let dead = state.path().join("tmp/run-dead");
        let held = Lock::wait(&dead.join(".lock")).expect("held");
        let mut owner = std::process::Command::new("sleep").arg("1000").spawn().expect("started");
        process::sign_for(held.file(), owner.id()).expect("signed");
        drop(Scratch::open(state.path()).expect("opened"));
        assert!(dead.exists(), "its process lives");
        owner.kill().and_then(|()| owner.wait()).expect("ended");
        let holder = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        let scratch = Scratch::open(state.path()).expect("opened");
        assert!(!dead.exists(), "its process is gone, and what it had forked has let go");
        drop(scratch);
        holder.join().expect("it let go");
    }

    #[test]
    fn what_a_process_left_that_was_killed_while_we_were_at_work_is_cleared_at_the_end() {
        let state = tempfile::tempdir().expect("a folder");
        let scratch = Scratch::open(state.path()).expect("opened");
        let dead = state.path().join("tmp/run-dead");
        fs::create_dirs(&dead).expect("made");
        drop(scratch);
        assert!(!dead.exists());
    }

    #[test]
    fn a_process_that_a_killed_run_left_is_ended() {
        use std::os::unix::process::ExitStatusExt;
        let state = tempfile::tempdir().expect("a folder");
        let dead = state.path().join("tmp/run-dead");
        fs::create_dirs(&dead).expect("made");
        let mut orphan = std::process::Command::new("sleep").arg("1000").current_dir(&dead).spawn().expect("started");
        drop(Scratch::open(state.path()).expect("opened"));
        assert_eq!(orphan.wait().expect("ended").signal(), Some(9));
    }

    #[test]
    fn a_note_of_a_container_names_nothing_but_a_container_of_ours() {
        assert_eq!(container("podman@mlpc-12-0"), Some(("podman", "mlpc-12-0")));
        for odd in ["rm@mlpc-12-0", "podman@other", "podman@mlpc-12-0 x", "podman@mlpc-../x", "podman", "@"] {
            assert_eq!(container(odd), None, "{odd}");
        }
    }

    #[test]
    fn names_of_nodes_become_names_of_files() {
        assert_eq!(file_name("train[nord,1]"), "train[nord,1]");
        assert_eq!(file_name("../a b"), "_.._a_b");
    }
}
