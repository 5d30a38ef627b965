//! The environment of a Python runtime, under `.mlpc/runtimes/<digest>/`: built once, compiled, read-only, shared by all runs.
//!
//! Environments hold their own path, so one is built where it will stand. It counts once its `ready` file is there, which is
//! written last, in one step, and names the path and the interpreter: moved away, or with another interpreter below it, it is
//! built again. A kernel lock lets one build and the others wait.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::lock::Packages;
use super::pip::Pip;
use super::python::{self, Interpreter};
use super::tools::Tools;
use crate::host::fs::{self, Fingerprint};
use crate::host::lock::Lock;
use crate::host::{Context, Digest, Result};

/// Version of what is built.
const FORMAT: &str = "1";

/// What `ready` says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ready {
    /// Where it was built.
    folder: PathBuf,
    /// The interpreter below it.
    python: PathBuf,
    /// That interpreter, as `stat` sees it.
    print: Fingerprint,
}

/// Returns the folder of programs of an environment, which is built if it is not there.
pub(super) fn environment(
    tools: &Tools<'_>,
    name: &str,
    version: &str,
    packages: Option<&Packages>,
) -> Result<PathBuf> {
    let lines = packages.map(Packages::lines).unwrap_or_default();
    let digest = name_of(version, &lines);
    let folder = tools.state().join("runtimes").join(&digest);
    if is_ready(&folder) {
        return Ok(folder.join("bin"));
    }
    let lock = tools.state().join("locks").join(format!("runtime-{digest}"));
    let _alone = loop {
        if let Some(lock) = Lock::try_take(&lock)? {
            break lock.ephemeral();
        }
        tools.pause()?;
    };
    if is_ready(&folder) {
        return Ok(folder.join("bin"));
    }
    let interpreter = python::find(tools, version)?;
    tools.say(format!("building the runtime `{name}`: Python {version}"));
    writable(&folder);
    fs::remove(&folder)?;
    build(tools, &interpreter, &folder, packages)?;
    let print = fs::fingerprint(&interpreter.program)?;
    let ready = Ready { folder: folder.clone(), python: interpreter.program, print };
    let text = serde_json::to_string_pretty(&ready).context(|| "cannot write a runtime".to_owned())?;
    read_only(&folder)?;
    // The folder itself stays writable until the last word is in it.
    fs::sync_file_system(&folder)?;
    fs::write_durable(&folder.join("ready"), text.as_bytes())?;
    Ok(folder.join("bin"))
}

fn is_ready(folder: &Path) -> bool {
    let Some(ready) = std::fs::read(folder.join("ready")).ok() else { return false };
    let Ok(ready) = serde_json::from_slice::<Ready>(&ready) else { return false };
    ready.folder == folder && fs::fingerprint(&ready.python).is_ok_and(|print| print == ready.print)
}

fn build(tools: &Tools<'_>, interpreter: &Interpreter, folder: &Path, packages: Option<&Packages>) -> Result<()> {
    fs::create_dirs(fs::parent(folder))?;
    let word = |text: &'static str| OsStr::new(text);
    let python = interpreter.program.as_os_str();
    tools.run(tools.workspace, &[python, word("-m"), word("venv"), word("--without-pip"), folder.as_os_str()])?;
    let own = folder.join("bin/python");
    if let Some(packages) = packages.filter(|packages| !packages.locked.is_empty()) {
        let file = folder.join("locked.txt");
        let options: String = packages.options.iter().map(|option| format!("{option}\n")).collect();
        fs::write_atomic(&file, format!("{options}{}", packages.lines()).as_bytes())?;
        // Paths of wheels are relative to the requirements file.
        let at = fs::join_inside(tools.workspace, &packages.requirements)?;
        let at = fs::parent(&at);
        match tools.find("uv") {
            Some(uv) => {
                // Copies: a link into uv's own cache would be made read-only there.
                let flags = ["--no-deps", "--require-hashes", "--quiet", "--link-mode", "copy", "--python"];
                let mut argv = vec![uv.as_os_str(), word("pip"), word("install")];
                argv.extend(flags.map(OsStr::new));
                argv.extend([own.as_os_str(), word("--requirement"), file.as_os_str()]);
                tools.run(at, &argv)?;
            }
            None => {
                let pip = Pip::of(tools, interpreter)?;
                let flags = ["install", "--no-deps", "--require-hashes", "--no-compile", "--quiet", "--requirement"];
                let mut argv = vec![word("--python"), own.as_os_str()];
                argv.extend(flags.map(OsStr::new));
                argv.push(file.as_os_str());
                pip.run(tools, at, &argv)?;
            }
        }
    }
    // By content, never by time: a stage can't write the folder, and would compile all modules at every start. Some packages ship
    // files that are no Python of this version; the rest is compiled all the same.
    let flags = ["-I", "-m", "compileall", "-q", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"];
    let mut argv = vec![own.as_os_str()];
    argv.extend(flags.map(OsStr::new));
    let library = folder.join("lib");
    argv.push(library.as_os_str());
    let _ = tools.run(tools.workspace, &argv);
    Ok(())
}

/// Takes the right to write from everything in the folder, but not from the folder itself.
fn read_only(folder: &Path) -> Result<()> {
    for entry in fs::sorted_entries(folder)? {
        let path = entry.path();
        let kind = entry.file_type().cannot("read", &path)?;
        if kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            read_only(&path)?;
        }
        let mode = entry.metadata().cannot("read", &path)?.permissions().mode();
        fs::set_mode(&path, mode & 0o555)?;
    }
    Ok(())
}

/// Gives back the right to write, so that what was half built can be removed.
pub(super) fn writable(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::set_mode(&entry.path(), 0o755);
            writable(&entry.path());
        }
    }
}

/// Returns the folder name of an environment.
fn name_of(version: &str, lines: &str) -> String {
    let platform = [std::env::consts::OS, std::env::consts::ARCH];
    Digest::of([FORMAT, version, platform[0], platform[1], lines].join("\0").as_bytes()).hex()
}

/// Removes environments that no lock needs and that were built before; returns how many.
pub(super) fn sweep(state: &Path, needed: &[(String, String)], before: SystemTime, dry_run: bool) -> Result<usize> {
    let needed: Vec<String> = needed.iter().map(|(version, lines)| name_of(version, lines)).collect();
    let (root, mut count) = (state.join("runtimes"), 0);
    if !root.is_dir() {
        return Ok(count);
    }
    for entry in fs::sorted_entries(&root)? {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_old = entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at < before);
        if !needed.contains(&name) && is_old {
            count += 1;
            if !dry_run {
                writable(&path);
                fs::remove(&path)?;
            }
        }
    }
    Ok(count)
}
