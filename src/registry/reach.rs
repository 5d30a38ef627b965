//! Whether a laptop may write to a registry that others read: only when told to, from a clean tree, at a commit of
//! a branch whose pushes run the pipeline, as the remote has it: a version names its commit, and a commit that nobody
//! else has says nothing. Compiled jobs don't ask; their platform decided already.

use std::path::Path;

use super::committed::uncommitted;
use super::error::{ErrorKind, RegistryError};
use crate::host::git::Git;
use crate::plan::{Bound, Plan, RegistryLocation, TriggerKind, names_branch};

/// The answer of [`may_release`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Go on.
    Yes,
    /// "Not released here": nothing is written, and that is no failure.
    NotHere,
    /// It was asked for and is not possible.
    Refused {
        /// Why.
        why: String,
        /// The way out.
        help: String,
    },
}

/// Tells whether a run on this machine may write to a registry. `release` is `--release`.
pub fn may_release(
    plan: &Plan,
    location: &RegistryLocation,
    workspace: &Path,
    release: bool,
) -> Result<Reach, RegistryError> {
    if !location.is_shared() {
        return Ok(Reach::Yes);
    }
    if !release {
        return Ok(Reach::NotHere);
    }
    let pushes = plan.pushed();
    let refused = |why: String, help: String| Ok(Reach::Refused { why, help });
    if pushes.is_empty() {
        let why = "a shared registry is written from branches that `on push` names, and the pipeline has none";
        return refused(why.to_owned(), "write `on push { branches: [\"main\"] }`".to_owned());
    }
    let git = Git::at(workspace);
    let unreadable = |error: crate::host::Error| RegistryError::new(ErrorKind::Unreachable, error.to_string());
    if let Some(found) = uncommitted(&git, plan, workspace).map_err(unreadable)? {
        return refused(format!("`--release` needs {}", found.why), found.help);
    }
    let named = |name: &&str| pushes.iter().any(|branches| names_branch(branches, name));
    let here = containing(&git, "refs/heads/").map_err(unreadable)?;
    let remotes = git.run(&["remote"]).map_err(unreadable)?;
    let remotes = String::from_utf8_lossy(&remotes).into_owned();
    let of = match location {
        RegistryLocation::Git { remote, .. } => remotes.lines().find(|name| name == remote),
        _ => None,
    };
    // Without any remote there is nobody who could have the commit.
    let (shared, place) = match of.or_else(|| remotes.lines().next()) {
        None => (here.clone(), None),
        Some(remote) => (containing(&git, &format!("refs/remotes/{remote}/")).map_err(unreadable)?, Some(remote)),
    };
    if shared.iter().any(|name| named(&name.as_str())) {
        return Ok(Reach::Yes);
    }
    if let (Some(remote), Some(branch)) = (place, here.iter().find(|name| named(&name.as_str()))) {
        let why =
            format!("`--release` needs a commit that others have, and `{branch}` of `{remote}` is without this one");
        return refused(why, format!("`git push {remote} {branch}`; if it was pushed, `git fetch {remote}`"));
    }
    let wanted: Vec<_> =
        pushes.iter().flat_map(|branches| branches.iter().map(|branch| format!("`{branch}`"))).collect();
    let why = format!("`--release` needs a commit of a branch that `on push` names: {}", wanted.join(", "));
    refused(why, "check one of them out, or merge this one into it".to_owned())
}

/// Returns the branches below `refs` that hold the commit which is checked out. A reference to another one, as a remote's
/// `HEAD`, is no branch.
fn containing(git: &Git, refs: &str) -> Result<Vec<String>, crate::host::Error> {
    let listed = git.run(&[
        // A file of this clone tells the parents of commits, unless they are read from the commits.
        "-c",
        "core.commitGraph=false",
        "for-each-ref",
        "--contains",
        "HEAD",
        "--format=%(if)%(symref)%(then)%(else)%(refname)%(end)",
        refs,
    ])?;
    let listed = String::from_utf8_lossy(&listed);
    Ok(listed.lines().filter_map(|name| name.strip_prefix(refs)).map(str::to_owned).collect())
}

/// Tells whether a run on a platform is for a ref that the pipeline names: a push to one of its branches, or its schedule.
#[must_use]
pub fn is_trusted_ref(bound: &Bound) -> bool {
    bound.plan.triggers.iter().any(|trigger| match &trigger.kind {
        TriggerKind::Push { branches, .. } => bound.event == "push" && names_branch(branches, &bound.branch),
        TriggerKind::Schedule { .. } => bound.event == "schedule",
        _ => false,
    })
}
