//! One process at a time: in a group of its own, its output line by line to whoever listens, ended with its whole
//! group on time-out or interrupt. Knows nothing of stages, caches or the graph.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::error::{Context, Result};
use super::signal::Interrupt;

/// How often a waiting thread looks at the interrupt.
const TICK: Duration = Duration::from_millis(25);

/// A line longer than this is handed on in pieces, so that a progress bar without newlines fills no memory.
pub const LONGEST: usize = 64 << 10;

/// What is to be run, and how.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Program and arguments; the program is looked up in the `PATH` of `env`.
    pub argv: Vec<OsString>,
    /// The folder it starts in.
    pub folder: PathBuf,
    /// Its whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// How long its group may take to end after SIGTERM before SIGKILL.
    pub grace: Duration,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal that we did not send.
    Signalled(i32),
    /// We ended it, since it took too long.
    TimedOut,
    /// We ended it, since the user asked us to stop.
    Interrupted,
}

/// A process that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// How long it ran.
    pub took: Duration,
}

/// Runs a process to its end. `line` gets each line of its output, stdout and stderr as they come, with the line
/// end. An error means that it could not be started at all.
pub fn run(spec: &Spec, interrupt: &Interrupt, line: impl FnMut(&[u8])) -> Result<Outcome> {
    let program = spec.argv.first().cloned().unwrap_or_default();
    let (reader, writer) = std::io::pipe().context(|| "cannot make a pipe".to_owned())?;
    let second = writer.try_clone().context(|| "cannot make a pipe".to_owned())?;
    let mut command = Command::new(find_program(&program, spec));
    command
        .args(spec.argv.iter().skip(1))
        .current_dir(&spec.folder)
        .env_clear()
        .envs(&spec.env)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(second)
        .process_group(0);
    let begin = Instant::now();
    let mut child = command.spawn().context(|| format!("cannot start `{}`", program.to_string_lossy()))?;
    // The command keeps the writing ends open; without them gone the output would never end.
    drop(command);
    let ended = supervise(spec, &child, interrupt, begin, Lines::new(reader, line)?);
    let _ = child.wait();
    Ok(Outcome { ended, took: begin.elapsed() })
}

/// `execvp` looks programs up in our own `PATH`; a stage has another one.
fn find_program(program: &OsString, spec: &Spec) -> PathBuf {
    let path = PathBuf::from(program);
    if path.components().count() > 1 {
        return if path.is_relative() { spec.folder.join(path) } else { path };
    }
    let search = spec.env.get(&OsString::from("PATH")).cloned().unwrap_or_default();
    // As a shell does: what was found once is taken again as long as it is there.
    let asked = (search, program.clone());
    if let Some(found) = found().get(&asked).filter(|found| is_program(found)) {
        return found.clone();
    }
    let (search, _) = &asked;
    let is_fixed = std::env::split_paths(search).all(|folder| folder.is_absolute());
    let first = std::env::split_paths(search)
        .map(|folder| if folder.is_relative() { spec.folder.join(folder) } else { folder }.join(program))
        .find(|candidate| is_program(candidate));
    if let (Some(first), true) = (&first, is_fixed) {
        found().insert(asked, first.clone());
    }
    first.unwrap_or(path)
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && super::fs::is_executable(&meta))
}

/// Programs by `PATH` and name.
type Found = HashMap<(OsString, OsString), PathBuf>;

fn found() -> MutexGuard<'static, Found> {
    static FOUND: LazyLock<Mutex<Found>> = LazyLock::new(Mutex::default);
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The output of a process, cut into lines.
struct Lines<F> {
    reader: Option<PipeReader>,
    line: F,
    rest: Vec<u8>,
}

impl<F: FnMut(&[u8])> Lines<F> {
    fn new(reader: PipeReader, line: F) -> Result<Self> {
        rustix::io::ioctl_fionbio(&reader, true).context(|| "cannot set up a pipe".to_owned())?;
        Ok(Self { reader: Some(reader), line, rest: Vec::new() })
    }

    /// Hands on what is there, without waiting; forgets the reader at the end of the output.
    fn drain(&mut self) {
        let mut buffer = [0; 16 << 10];
        while let Some(reader) = &mut self.reader {
            match reader.read(&mut buffer) {
                Ok(0) => self.reader = None,
                Ok(count) => self.push(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.reader = None,
            }
        }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(at) = bytes.iter().position(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..=at]);
            self.flush();
            bytes = &bytes[at + 1..];
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= LONGEST {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.rest.is_empty() {
            (self.line)(&self.rest);
            self.rest.clear();
        }
    }
}

/// Waits until the process has ended, handing on its output, and ends its group when it is time. The process stays
/// a zombie until then, so that its group's number can't be given to anybody else.
fn supervise(
    spec: &Spec,
    child: &Child,
    interrupt: &Interrupt,
    begin: Instant,
    mut lines: Lines<impl FnMut(&[u8])>,
) -> Ended {
    let group = Pid::from_child(child);
    let exit = exit_handle(group);
    let mut forced: Option<(Ended, Instant)> = None;
    let status = loop {
        wait_for_news(lines.reader.as_ref(), exit.as_ref());
        lines.drain();
        if let Some(status) = status(group) {
            break status;
        }
        match forced {
            None => {
                let late = spec.timeout.is_some_and(|limit| begin.elapsed() >= limit);
                let reason =
                    if interrupt.is_raised() { Some(Ended::Interrupted) } else { late.then_some(Ended::TimedOut) };
                if let Some(reason) = reason {
                    let _ = kill_process_group(group, Signal::TERM);
                    forced = Some((reason, Instant::now()));
                }
            }
            Some((_, since)) if interrupt.is_urgent() || since.elapsed() >= spec.grace => {
                let _ = kill_process_group(group, Signal::KILL);
            }
            Some(_) => {}
        }
    };
    // Whatever of the group outlives its leader must not write into outputs that are about to be stored.
    let _ = kill_process_group(group, Signal::KILL);
    lines.drain();
    lines.flush();
    forced.map_or(status, |(reason, _)| reason)
}

/// Returns a descriptor that becomes readable when the process ends, where the kernel has such a thing.
fn exit_handle(pid: Pid) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        None
    }
}

/// Waits for output, for the exit, or for the next look at interrupt and time-out.
fn wait_for_news(reader: Option<&PipeReader>, exit: Option<&OwnedFd>) {
    let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(2);
    fds.extend(reader.map(|reader| PollFd::new(reader, PollFlags::IN)));
    fds.extend(exit.map(|exit| PollFd::new(exit, PollFlags::IN)));
    // Without a handle on the exit and after the end of the output the exit is near: look again soon.
    let wait = if exit.is_none() && reader.is_none() { Duration::from_millis(1) } else { TICK };
    let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
    let _ = poll(&mut fds, Some(&wait));
}

/// Reads how the process ended without burying it; nothing while it runs.
fn status(pid: Pid) -> Option<Ended> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match waitid(WaitId::Pid(pid), options) {
        Ok(status) => {
            let status = status?;
            status.exit_status().map(Ended::Exited).or_else(|| status.terminating_signal().map(Ended::Signalled))
        }
        Err(rustix::io::Errno::INTR) => None,
        // Somebody else buried it; how it ended is not known, and that is no success.
        Err(_) => Some(Ended::Signalled(9)),
    }
}

/// Runs a process with our own terminal until it ends, for a person who wants to look around.
pub fn interactive(spec: &Spec) -> Result<()> {
    let program = spec.argv.first().cloned().unwrap_or_default();
    Command::new(find_program(&program, spec))
        .args(spec.argv.iter().skip(1))
        .current_dir(&spec.folder)
        .env_clear()
        .envs(&spec.env)
        .status()
        .map(|_| ())
        .context(|| format!("cannot start `{}`", program.to_string_lossy()))
}

/// Writes down in a file which process this is.
pub fn sign(file: &File) -> io::Result<()> {
    sign_for(file, std::process::id())
}

/// Writes down in a file which process some other one is.
pub(crate) fn sign_for(mut file: &File, process: u32) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(format!("{process} {}", begun(process).unwrap_or_default()).as_bytes())
}

/// Tells whether the process lives that signed. Its number alone would not say: numbers are given again.
#[must_use]
pub fn lives(signed: &str) -> bool {
    let Some((process, then)) = signed.split_once(' ') else { return false };
    process.parse().is_ok_and(|process| begun(process).is_some_and(|now| now == then))
}

/// Returns when a process began, in ticks since the machine did; nothing of one that has ended. Where the kernel does not say,
/// whoever is asked about lives.
fn begun(process: u32) -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name, in brackets, may hold anything.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?;
        (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_owned))?
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = process;
        Some(String::new())
    }
}

/// Tells whether a process works in a folder or below it, has its root there, or something open, through which it could go on to write
/// there. Where nobody can say, somebody does.
#[must_use]
pub fn is_anyone_in(folder: &Path) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    let (own, user) = (std::process::id(), rustix::process::geteuid().as_raw());
    let ours = ticks(own);
    let mut seen = false;
    for entry in processes.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        seen = true;
        if process == own {
            continue;
        }
        let path = entry.path();
        // That of another user's process can't be read; none of ours is.
        let leads = |name: &str| std::fs::read_link(path.join(name)).is_ok_and(|to| to.starts_with(folder));
        if leads("cwd") || leads("root") {
            return true;
        }
        // What began before us came out of no stage of ours: to look at all that a machine has open would take too long.
        let is_younger = || ticks(process).is_none_or(|then| ours.is_none_or(|ours| then >= ours));
        if entry.metadata().is_ok_and(|meta| meta.uid() == user) && is_younger() && has_open(&path, folder) {
            return true;
        }
    }
    !seen
}

/// Tells whether a process has something in a folder open.
fn has_open(process: &Path, folder: &Path) -> bool {
    match std::fs::read_dir(process.join("fd")) {
        Ok(open) => open.flatten().any(|one| std::fs::read_link(one.path()).is_ok_and(|to| to.starts_with(folder))),
        // It has ended.
        Err(error) => error.kind() != io::ErrorKind::NotFound && error.raw_os_error() != Some(ENDED),
    }
}

/// What the kernel says of a process that ended while it was looked at: `ESRCH`.
const ENDED: i32 = rustix::io::Errno::SRCH.raw_os_error();

/// Returns when a process began, in ticks since the machine did.
fn ticks(process: u32) -> Option<u64> {
    begun(process)?.parse().ok()
}

/// Ends whatever still works in a folder, or has its private temporary folder below it: what a killed run left going.
/// Found by looking at every process, so that none can slip through between its start and a note of it.
pub fn end_strays(folder: &Path) {
    #[cfg(target_os = "linux")]
    for _ in 0..3 {
        let ended = std::fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
            .filter(|&pid| end_stray(pid, folder))
            .count();
        // What is ended may have started something in the meantime.
        if ended == 0 {
            break;
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = folder;
}

/// Ends one process if it belongs to the folder; the handle makes sure that it is the one that was looked at.
#[cfg(target_os = "linux")]
fn end_stray(pid: Pid, folder: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else { return false };
    let proc = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    let works_there = std::fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    let has_its_own_there = || {
        let environment = std::fs::read(proc.join("environ")).unwrap_or_default();
        let mut variables = environment.split(|&byte| byte == 0);
        variables.any(|variable| {
            let path = variable.strip_prefix(b"TMPDIR=").map(|path| Path::new(std::ffi::OsStr::from_bytes(path)));
            path.is_some_and(|path| path.starts_with(folder))
        })
    };
    if !works_there && !has_its_own_there() {
        return false;
    }
    let sent = rustix::process::pidfd_send_signal(&handle, Signal::KILL).is_ok();
    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
    let _ = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&second));
    sent
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn spec(script: &str) -> Spec {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Spec {
            argv: ["sh", "-c", script].map(OsString::from).to_vec(),
            folder: std::env::temp_dir(),
            env: BTreeMap::from([(OsString::from("PATH"), path), (OsString::from("ONLY"), OsString::from("this"))]),
            timeout: None,
            grace: Duration::from_millis(200),
        }
    }

    fn run_it(spec: &Spec, interrupt: &Interrupt) -> (Ended, String) {
        let mut text = Vec::new();
        let outcome = run(spec, interrupt, |line| text.extend_from_slice(line)).expect("started");
        (outcome.ended, String::from_utf8(text).expect("text"))
    }

    #[test]
    fn reports_status_and_both_outputs_in_order() {
        let (ended, text) = run_it(&spec("echo a; echo b >&2; printf c; exit 3"), &Interrupt::new());
        assert_eq!((ended, text.as_str()), (Ended::Exited(3), "a\nb\nc"));
    }

    #[test]
    fn sees_the_declared_environment_only() {
        let (_, text) = run_it(&spec("env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^PATH="), &Interrupt::new());
        assert_eq!(text, "ONLY=this\n");
    }

    #[test]
    fn a_signal_that_is_not_ours_is_named() {
        assert_eq!(run_it(&spec("kill -9 $$"), &Interrupt::new()).0, Ended::Signalled(9));
    }

    #[test]
    fn time_ends_the_whole_group_even_one_that_will_not_listen() {
        let deaf = "trap '' TERM; while :; do sleep 1; done";
        let mut spec = spec(&format!("({deaf}) & echo $!; {deaf}"));
        spec.timeout = Some(Duration::from_millis(100));
        let (ended, text) = run_it(&spec, &Interrupt::new());
        assert_eq!(ended, Ended::TimedOut);
        let background = text.trim().parse().expect("the id of the one in the background");
        // A killed process takes its moment to die; who waits for one that was not killed waits for ever.
        while lives(background) {
            std::thread::yield_now();
        }
    }

    fn lives(id: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    #[test]
    fn an_interrupt_ends_it() {
        let interrupt = Interrupt::new();
        interrupt.raise();
        assert_eq!(run_it(&spec("sleep 100"), &interrupt).0, Ended::Interrupted);
    }

    #[test]
    fn a_child_left_in_the_background_does_not_outlive_its_leader() {
        let (ended, text) = run_it(&spec("sleep 1000 & echo done"), &Interrupt::new());
        assert_eq!((ended, text.as_str()), (Ended::Exited(0), "done\n"));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let mut spec = spec("");
        spec.argv = vec!["no-such-program".into()];
        let error = run(&spec, &Interrupt::new(), |_| ()).expect_err("not there");
        assert_eq!(error.to_string(), "cannot start `no-such-program`: no such file or directory");
    }

    #[test]
    fn a_line_without_end_arrives_in_pieces() {
        let mut pieces = Vec::new();
        let endless = spec("head -c 200000 /dev/zero | tr '\\0' x");
        run(&endless, &Interrupt::new(), |piece| pieces.push(piece.len())).expect("started");
        assert_eq!(pieces.iter().sum::<usize>(), 200_000);
        assert!(pieces.len() >= 3);
    }

    #[test]
    fn strays_are_ended_by_the_folder_that_they_work_in_and_nobody_else_is() {
        let (ours, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let sleep = |folder: &Path, temporary: &Path| {
            let mut command = Command::new("sleep");
            command.arg("1000").current_dir(folder).env("TMPDIR", temporary).spawn().expect("started")
        };
        let mut works = sleep(ours.path(), other.path());
        let mut owns = sleep(other.path(), &ours.path().join("tmp"));
        let mut stranger = sleep(other.path(), other.path());
        end_strays(ours.path());
        assert_eq!(works.wait().expect("ended").signal(), Some(9));
        assert_eq!(owns.wait().expect("ended").signal(), Some(9));
        assert!(stranger.try_wait().expect("known").is_none());
        stranger.kill().and_then(|()| stranger.wait()).expect("ended");
    }
}
