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
    let is_named = |name: &str| pushes.iter().any(|branches| names_branch(branches, name));
    let here = containing(&git).map_err(unreadable)?;
    let here = here.iter().find(|name| is_named(name));
    let remotes = git.run(&["remote"]).map_err(unreadable)?;
    let remotes = String::from_utf8_lossy(&remotes).into_owned();
    match vouches(location, &remotes.lines().collect::<Vec<_>>()) {
        // Without any remote there is nobody who could have the commit.
        Ok(None) if here.is_some() => return Ok(Reach::Yes),
        Ok(None) => {}
        Ok(Some(remote)) => {
            if is_on(&git, remote, is_named).map_err(unreadable)? {
                return Ok(Reach::Yes);
            }
            if let Some(branch) = here {
                let why = format!(
                    "`--release` needs a commit that others have, and `{branch}` of `{remote}` is without this one"
                );
                return refused(why, format!("`git push {remote} {branch}`"));
            }
        }
        Err(several) => {
            let why =
                format!("`--release` needs a commit that others have, and none of the remotes {several} is `origin`");
            return refused(why, "`git remote rename NAME origin` with the one that all share".to_owned());
        }
    }
    let wanted: Vec<_> =
        pushes.iter().flat_map(|branches| branches.iter().map(|branch| format!("`{branch}`"))).collect();
    let why = format!("`--release` needs a commit of a branch that `on push` names: {}", wanted.join(", "));
    refused(why, "check one of them out, or merge this one into it".to_owned())
}

/// Returns the remote that says whether others have a commit: the registry's own, or the one that git itself names so when
/// it clones. A fork of one's own beside it says nothing. `Err` are several that could be meant.
fn vouches<'r>(location: &RegistryLocation, remotes: &[&'r str]) -> Result<Option<&'r str>, String> {
    let own = match location {
        RegistryLocation::Git { remote, .. } => remotes.iter().find(|name| *name == remote),
        _ => None,
    };
    match (own.or_else(|| remotes.iter().find(|name| **name == "origin")), remotes) {
        (Some(remote), _) | (None, [remote]) => Ok(Some(remote)),
        (None, []) => Ok(None),
        (None, _) => Err(remotes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// Returns the branches of this clone that hold the commit which is checked out. A reference to another one is no branch.
fn containing(git: &Git) -> Result<Vec<String>, crate::host::Error> {
    let listed = git.run(&[
        // A file of this clone tells the parents of commits, unless they are read from the commits.
        "-c",
        "core.commitGraph=false",
        "for-each-ref",
        "--contains",
        "HEAD",
        "--format=%(if)%(symref)%(then)%(else)%(refname)%(end)",
        BRANCHES,
    ])?;
    let listed = String::from_utf8_lossy(&listed);
    Ok(listed.lines().filter_map(|name| name.strip_prefix(BRANCHES)).map(str::to_owned).collect())
}

const BRANCHES: &str = "refs/heads/";

/// Tells whether a branch of the remote, as it stands there now, holds the commit that is checked out. What this clone saw
/// of it the last time may have been taken back.
fn is_on(git: &Git, remote: &str, is_named: impl Fn(&str) -> bool) -> Result<bool, crate::host::Error> {
    let listed = git.run(&["ls-remote", "--heads", remote])?;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let branches = listed.lines().filter_map(|line| line.split_once('\t'));
    let branches: Vec<_> = branches.filter(|(_, name)| name.strip_prefix(BRANCHES).is_some_and(&is_named)).collect();
    let tips: String = branches.iter().flat_map(|(tip, _)| [tip, "\n"]).collect();
    let git = git.clone().with("GIT_NO_LAZY_FETCH", "1");
    let known = git.run_from(&["cat-file", "--batch-check=%(objecttype)"], tips.as_bytes())?;
    let known = String::from_utf8_lossy(&known).into_owned();
    let (known, news): (Vec<_>, Vec<_>) = branches.iter().zip(known.lines()).partition(|(_, kind)| *kind == "commit");
    let holds = |tips: &[(&(&str, &str), &str)]| {
        let tips: String = tips.iter().map(|((tip, _), _)| format!("^{tip}\n")).collect();
        // What is left of HEAD without all that the branches have.
        let left = ["-c", "core.commitGraph=false", "rev-list", "--max-count=1", "--stdin"];
        git.run_from(&left, format!("HEAD\n{tips}").as_bytes()).map(|left| left.is_empty())
    };
    let held = holds(&known)?;
    if held || news.is_empty() {
        return Ok(held);
    }
    // Others have pushed since; what they pushed is fetched, and no reference of this clone moves.
    let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap="];
    let names = news.iter().map(|((_, name), _)| *name);
    git.run(&fetch.into_iter().chain([remote]).chain(names).collect::<Vec<_>>())?;
    holds(&news)
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
