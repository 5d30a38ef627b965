//! Whether all that a run has read is what its commit has, when it releases: a version names its commit, and the checkout
//! may have been another one for a while. That the tree is clean at that moment is seen to elsewhere.

use std::path::Path;

use super::may::registries;
use super::register::stop;
use crate::exec::context::{Run, Stop};
use crate::exec::dvc;
use crate::host::checkout;
use crate::host::git::Git;
use crate::plan::{Location, Node};
use crate::registry::RegistryError;

/// Says what this run read that its commit has not, where a node writes to a registry that others share.
pub(super) fn differs(run: &Run<'_>, node: &Node) -> Result<Option<(String, String)>, Stop> {
    if run.options.alone || !run.options.release || !node.kind.acts() {
        return Ok(None);
    }
    let mut shared = false;
    for registry in registries(&run.bound.plan, node) {
        shared |= run.registry_location(registry)?.is_shared();
    }
    if !shared {
        return Ok(None);
    }
    let told = |why: String| Ok(Some((why, AGAIN.to_owned())));
    let (began, now) = (run.began_at(), checkout::told(run.workspace()));
    let Some(commit) = began.filter(|began| now.as_deref() == Some(*began)) else {
        let name = |commit: Option<&str>| commit.map_or("no commit".to_owned(), |commit| format!("`{commit}`"));
        let (began, now) = (name(began), name(now.as_deref()));
        let why = format!("the run began at {began}, and {now} is checked out now: a version names one commit");
        let help = format!("`mlpc run --resume {}` goes on here, if all that it read is the same", run.id);
        return Ok(Some((why, help)));
    };
    for (path, read) in run.reads.files(&run.code) {
        let there = run.memory.look(&run.workspace().join(&path)).ok();
        let same = read.is_some_and(|read| {
            there.is_some_and(|there| (there.digest, there.executable) == (read.digest, read.executable))
        });
        if !same {
            return told(format!("this run read another `{path}` than the commit `{commit}` has"));
        }
    }
    for pattern in run.bound.plan.code_patterns() {
        let pattern = [pattern.to_owned()];
        let (read, now) = (run.code.files(&pattern)?, run.code.files_now(&pattern)?);
        if let Some(path) = now.iter().find(|path| !read.contains_key(*path)) {
            return told(format!("the commit `{commit}` has `{path}` as code, and this run read the code without it"));
        }
        if let Some(path) = read.keys().find(|path| !now.contains(*path)) {
            return told(format!("this run read `{path}` as code, which the commit `{commit}` has not"));
        }
    }
    for (name, digest) in run.reads.sources() {
        let source = run.bound.plan.sources.iter().find(|source| source.name == name);
        let path = match source.map(|source| (source, &source.location)) {
            Some((_, Location::Path(path))) => path,
            Some((source, Location::Remote { scheme, .. })) if scheme == "dvc" => {
                // Where DVC says what it is stands in files of the commit.
                let read = run.reads.pin(&name);
                if read.is_none() || read != dvc::pin(run, source) {
                    return told(format!(
                        "this run read the source `{name}` as DVC pins it otherwise than in `{commit}`"
                    ));
                }
                continue;
            }
            // What the plan itself says where to fetch, and nothing else.
            _ => continue,
        };
        let full = run.workspace().join(path);
        let same = run.memory.look(&full).is_ok_and(|there| there.digest == digest);
        // Data that git does not keep is no affair of a commit's, and may grow.
        if !same && (!full.exists() || is_tracked(run.workspace(), path)?) {
            return told(format!(
                "this run read another `{path}`, the source `{name}`, than the commit `{commit}` has"
            ));
        }
    }
    Ok(None)
}

/// The way out where the checkout was another one for a while.
const AGAIN: &str = "run again, and let the checkout be: `git worktree add` makes a second one to work in";

/// Tells whether git has what stands at a path.
fn is_tracked(workspace: &Path, path: &str) -> Result<bool, Stop> {
    let listed = Git::at(workspace).run(&["--literal-pathspecs", "ls-files", "-z", "--", path]);
    let listed = listed.map_err(|error| stop(RegistryError::from(error)))?;
    Ok(!listed.is_empty())
}
