//! Outside programs that lock and build runtimes: run to their end, with the caller's environment, since they need its network
//! and its credentials.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::process::{self, Ended, Spec};
use crate::host::signal::Interrupt;
use crate::host::{Error, Result, fs};

/// How many lines of a program that failed are shown.
const TAIL: usize = 15;

/// What bends an interpreter or pip towards something else than what is asked of it.
const DROPPED: [&str; 7] =
    ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV"];

/// The programs of this machine.
pub(super) struct Tools<'a> {
    pub(super) workspace: &'a Path,
    env: BTreeMap<OsString, OsString>,
    interrupt: &'a Interrupt,
    say: &'a dyn Fn(String),
}

impl<'a> Tools<'a> {
    pub(super) fn new(
        workspace: &'a Path,
        caller: &BTreeMap<OsString, OsString>,
        interrupt: &'a Interrupt,
        say: &'a dyn Fn(String),
    ) -> Self {
        let mut env = caller.clone();
        env.retain(|name, _| !DROPPED.iter().any(|dropped| name == dropped));
        let fixed = [("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("PIP_NO_INPUT", "1"), ("PYTHONUTF8", "1")];
        env.extend(fixed.map(|(name, value)| (name.into(), value.into())));
        Self { workspace, env, interrupt, say }
    }

    pub(super) fn say(&self, text: impl Into<String>) {
        (self.say)(text.into());
    }

    pub(super) fn state(&self) -> PathBuf {
        self.workspace.join(".mlpc")
    }

    /// Returns the folders that programs are looked for in.
    pub(super) fn path(&self) -> Vec<PathBuf> {
        let path = self.env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        std::env::split_paths(&path).collect()
    }

    /// Finds a program.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let found = self.path().into_iter().map(|folder| folder.join(name));
        found.into_iter().find(|file| file.metadata().is_ok_and(|meta| meta.is_file() && fs::is_executable(&meta)))
    }

    /// Waits a moment, unless the user wants us to stop.
    pub(super) fn pause(&self) -> Result<()> {
        if self.interrupt.is_raised() {
            return Err(Error::new("interrupted"));
        }
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    }

    /// Runs a program and returns what it wrote; what it says when it fails is the error.
    pub(super) fn run(&self, folder: &Path, argv: &[&OsStr]) -> Result<String> {
        let spec = Spec {
            argv: argv.iter().map(|&part| part.to_owned()).collect(),
            folder: folder.to_owned(),
            env: self.env.clone(),
            timeout: None,
            grace: Duration::from_secs(5),
        };
        let mut text = String::new();
        let outcome = process::run(&spec, self.interrupt, |line| text.push_str(&String::from_utf8_lossy(line)))?;
        if outcome.ended == Ended::Exited(0) {
            return Ok(text);
        }
        if outcome.ended == Ended::Interrupted {
            return Err(Error::new("interrupted"));
        }
        let mut tail: VecDeque<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        tail.drain(..tail.len().saturating_sub(TAIL));
        let name = argv.first().map(|name| Path::new(name).file_name().unwrap_or(name).to_string_lossy());
        let said: String = tail.iter().map(|line| format!("\n  {}", crate::shown::unpainted(line))).collect();
        Err(Error::new(format!("`{}` failed:{said}", name.unwrap_or_default())))
    }
}
