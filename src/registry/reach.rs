//! Whether a laptop may write to a registry that others read: only when told to, from a clean tree, at a commit of
//! a branch whose pushes run the pipeline, as the remote has it: a version names its commit, and a commit that nobody
//! else has says nothing. Compiled jobs don't ask; their platform decided already.

use std::path::Path;

use globset::GlobBuilder;

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
    if let Some((file, help)) = uncommitted(&git, plan, workspace).map_err(unreadable)? {
        return refused(format!("`--release` needs a clean tree, and `{file}` is not committed"), help);
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

/// Returns the first file that is not as HEAD has it, whatever the settings of this clone hide, and the way out.
fn uncommitted(git: &Git, plan: &Plan, workspace: &Path) -> Result<Option<(String, String)>, crate::host::Error> {
    let lines = |bytes: Vec<u8>| -> Vec<String> {
        bytes.split(|byte| *byte == 0).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    };
    let status = ["status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none"];
    if let Some(changed) =
        lines(git.run(&status)?).iter().find_map(|line| line.get(3..).filter(|file| !file.is_empty()))
    {
        return Ok(Some((changed.to_owned(), "commit it, or name it in `.gitignore`".to_owned())));
    }
    // Files that git was told not to look at, with their tags: git-ls-files(1). What a sparse checkout left out is not there.
    let top = String::from_utf8_lossy(&git.run(&["rev-parse", "--show-toplevel"])?).trim().to_owned();
    for line in lines(Git::at(Path::new(&top)).run(&["ls-files", "-v", "-z"])?) {
        let Some((tag, file)) = line.split_once(' ') else { continue };
        let is_sparse = tag.eq_ignore_ascii_case("S");
        let hidden = tag.starts_with(|tag: char| tag.is_ascii_lowercase()) || is_sparse;
        if hidden && (!is_sparse || Path::new(&top).join(file).exists()) {
            let undo = if is_sparse { "--no-skip-worktree" } else { "--no-assume-unchanged" };
            return Ok(Some((file.to_owned(), format!("`git update-index {undo} {file}`, and look at `git diff`"))));
        }
    }
    // The ignore files of this machine are not those of the repository: what they hide may be code.
    let others = git.run(&["ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"])?;
    let code: Vec<&String> =
        plan.nodes.iter().filter_map(|node| node.kind.work()).flat_map(|work| &work.code).collect();
    let mut unknown = lines(others).into_iter().filter(|file| !file.is_empty());
    let found = unknown.find(|file| code.iter().any(|pattern| is_code(pattern, file, workspace)));
    Ok(found.map(|file| {
        (file, "an ignore file of this machine hides it from git: commit it, or name it in `.gitignore`".to_owned())
    }))
}

/// Tells whether a `code` pattern means a file, or its folder.
fn is_code(pattern: &str, file: &str, workspace: &Path) -> bool {
    let plain = pattern.trim_start_matches("./").trim_end_matches('/');
    if !plain.contains(['*', '?', '[', '{']) {
        let below = file.strip_prefix(plain).is_some_and(|rest| rest.starts_with('/'));
        return file == plain || below && workspace.join(plain).is_dir();
    }
    let glob = GlobBuilder::new(plain).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(file))
}

/// Returns the branches below `refs` that hold the commit which is checked out.
fn containing(git: &Git, refs: &str) -> Result<Vec<String>, crate::host::Error> {
    let listed = git.run(&["for-each-ref", "--contains", "HEAD", "--format=%(refname)", refs])?;
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
