//! Runtimes: the software that stages run in, locked in `mlpc.lock` to exact versions and digests, and provided here.
//!
//! A key holds what is locked; whether it is installed is asked only when a stage really runs. Knows nothing of stages.

mod build;
mod container;
mod lock;
mod pip;
mod python;
mod requirements;
mod tools;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

pub use container::{Engine, Image};
pub use lock::{LockFile, Locked, Package, Packages};

use crate::cache::RuntimeKey;
use crate::host::lock::Lock;
use crate::host::signal::Interrupt;
use crate::host::{Error, Result, fs};
use crate::plan::{Runtime, RuntimeKind};
use tools::Tools;

/// The file beside the pipeline that says exactly what runtimes are.
pub const LOCK_FILE: &str = "mlpc.lock";

/// How a runtime differs from what `mlpc.lock` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is locked, as it is declared.
    Locked,
    /// The lock says nothing of it.
    Missing,
    /// What it is made of changed since: what did, in words.
    Stale(String),
}

/// A runtime that is there to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provided {
    /// A folder of programs, to stand first in `PATH`.
    Programs(PathBuf),
    /// An image in which the command is to be run.
    Image(Image),
}

/// The runtimes of one workspace, as its `mlpc.lock` has them.
#[derive(Debug)]
pub struct Runtimes {
    workspace: PathBuf,
    caller: BTreeMap<OsString, OsString>,
    interrupt: Interrupt,
    file: Mutex<Option<LockFile>>,
    provided: Mutex<BTreeMap<String, Provided>>,
}

impl Runtimes {
    /// Makes the runtimes of a workspace; nothing is read yet.
    #[must_use]
    pub fn new(workspace: &Path, caller: &BTreeMap<OsString, OsString>, interrupt: &Interrupt) -> Self {
        Self {
            workspace: workspace.to_owned(),
            caller: caller.clone(),
            interrupt: interrupt.clone(),
            file: Mutex::default(),
            provided: Mutex::default(),
        }
    }

    /// Tells how a runtime stands to the lock.
    pub fn standing(&self, runtime: &Runtime) -> Result<Standing> {
        standing(&self.workspace, &self.file()?, runtime)
    }

    /// Returns what a key holds of a runtime, which has to be locked.
    pub fn key(&self, runtime: &Runtime) -> Result<RuntimeKey> {
        match self.standing(runtime)? {
            Standing::Locked => {}
            Standing::Missing => {
                return Err(Error::new(format!(
                    "the runtime `{}` is not in `mlpc.lock`: run `mlpc lock`",
                    runtime.name
                )));
            }
            Standing::Stale(why) => {
                return Err(Error::new(format!("{why} since `mlpc.lock` was written: run `mlpc lock`")));
            }
        }
        let file = self.file()?;
        let locked = file.runtimes.get(&runtime.name).ok_or_else(|| Error::new("the lock changed under the run"))?;
        Ok(RuntimeKey::Locked(locked.key()))
    }

    /// Makes sure that a locked runtime is there, building or fetching it if it is not.
    pub fn provide(&self, runtime: &Runtime, say: &dyn Fn(String)) -> Result<Provided> {
        let mut known = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provided) = known.get(&runtime.name) {
            return Ok(provided.clone());
        }
        let file = self.file()?;
        let locked = file.runtimes.get(&runtime.name);
        let locked = locked.ok_or_else(|| Error::new(format!("the runtime `{}` is not locked", runtime.name)))?;
        let tools = self.tools(say);
        let provided = match locked {
            Locked::Python { version, packages, .. } => {
                Provided::Programs(build::environment(&tools, &runtime.name, version, packages.as_ref())?)
            }
            Locked::Image { image, digest } => Provided::Image(container::pull(&tools, &runtime.name, image, digest)?),
            Locked::Dockerfile { path, digest, from } => {
                Provided::Image(container::build(&tools, &runtime.name, path, digest, from)?)
            }
        };
        known.insert(runtime.name.clone(), provided.clone());
        Ok(provided)
    }

    /// Locks these runtimes anew where `renew` says so or the lock lacks them or is stale, and forgets those that `declared` does
    /// not have. Returns whether the file was written.
    pub fn lock(&self, declared: &[&Runtime], wanted: &[&Runtime], renew: bool, say: &dyn Fn(String)) -> Result<bool> {
        // Two at once would each write what the other does not know.
        let _alone = Lock::wait(&self.workspace.join(".mlpc/locks/mlpc.lock"))?;
        let path = self.workspace.join(LOCK_FILE);
        let before = LockFile::read(&path)?;
        let mut file = before.clone().unwrap_or_default();
        file.runtimes.retain(|name, _| declared.iter().any(|runtime| runtime.name == *name));
        let tools = self.tools(say);
        for runtime in wanted {
            if !renew && standing(&self.workspace, &file, runtime)? == Standing::Locked {
                continue;
            }
            let locked = lock_one(&tools, runtime, file.runtimes.get(&runtime.name))?;
            say(format!("`{}` is {locked}", runtime.name));
            file.runtimes.insert(runtime.name.clone(), locked);
        }
        let changed = before.as_ref() != Some(&file);
        if changed {
            fs::write_durable(&path, file.text().as_bytes())?;
        }
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(changed)
    }

    /// All nodes of a run see the same lock.
    fn file(&self) -> Result<LockFile> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = Some(LockFile::read(&self.workspace.join(LOCK_FILE))?.unwrap_or_default());
        }
        Ok(file.clone().unwrap_or_default())
    }

    fn tools<'a>(&'a self, say: &'a dyn Fn(String)) -> Tools<'a> {
        Tools::new(&self.workspace, &self.caller, &self.interrupt, say)
    }
}

/// Removes environments that `mlpc.lock` does not need and that were built before; returns how many.
pub fn sweep(workspace: &Path, before: SystemTime, dry_run: bool) -> Result<usize> {
    let file = LockFile::read(&workspace.join(LOCK_FILE))?.unwrap_or_default();
    let needed: Vec<(String, String)> = file
        .runtimes
        .values()
        .filter_map(|locked| match locked {
            Locked::Python { version, packages, .. } => {
                Some((version.clone(), packages.as_ref().map(Packages::lines).unwrap_or_default()))
            }
            Locked::Image { .. } | Locked::Dockerfile { .. } => None,
        })
        .collect();
    build::sweep(&workspace.join(".mlpc"), &needed, before, dry_run)
}

/// Tells how a runtime stands to a lock.
pub fn standing(workspace: &Path, file: &LockFile, runtime: &Runtime) -> Result<Standing> {
    let Some(locked) = file.runtimes.get(&runtime.name) else { return Ok(Standing::Missing) };
    let stale = |what: String| Ok(Standing::Stale(what));
    let name = &runtime.name;
    match (&runtime.kind, locked) {
        (RuntimeKind::Python { version, requirements }, Locked::Python { asked, packages, .. }) => {
            if version != asked {
                return stale(format!("the runtime `{name}` asks for Python {version} and no longer for {asked}"));
            }
            match (requirements, packages) {
                (None, None) => Ok(Standing::Locked),
                (Some(path), Some(packages)) if *path == packages.requirements => {
                    if requirements::digest(workspace, path)? == packages.digest {
                        Ok(Standing::Locked)
                    } else {
                        stale(format!("`{path}` changed"))
                    }
                }
                _ => stale(format!("the runtime `{name}` names other requirements")),
            }
        }
        (RuntimeKind::Image { image }, Locked::Image { image: locked, .. }) => {
            if image == locked {
                Ok(Standing::Locked)
            } else {
                stale(format!("the runtime `{name}` names another image than `{locked}`"))
            }
        }
        (RuntimeKind::Dockerfile { path }, Locked::Dockerfile { path: locked, digest, .. }) => {
            if path == locked && container::context(workspace, path)?.digest() == *digest {
                Ok(Standing::Locked)
            } else {
                stale(format!("`{path}`, or what it copies, changed"))
            }
        }
        _ => stale(format!("the runtime `{name}` is of another kind")),
    }
}

fn lock_one(tools: &Tools<'_>, runtime: &Runtime, before: Option<&Locked>) -> Result<Locked> {
    match &runtime.kind {
        RuntimeKind::Python { version, requirements } => {
            python::lock(tools, &runtime.name, version, requirements.as_deref(), before)
        }
        RuntimeKind::Image { image } => {
            let digest = container::resolve(tools, &runtime.name, image)?;
            Ok(Locked::Image { image: image.clone(), digest })
        }
        RuntimeKind::Dockerfile { path } => container::lock(tools, &runtime.name, path),
    }
}

#[cfg(test)]
mod tests;
