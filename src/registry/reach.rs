//! Whether a laptop may write to a registry that others read: only when told to, from a clean tree, at a commit of
//! a branch whose pushes run the pipeline. Compiled jobs don't ask; their platform decided already.

use std::path::Path;

use globset::GlobBuilder;

use super::error::{ErrorKind, RegistryError};
use crate::host::git::Git;
use crate::plan::{Bound, Plan, RegistryLocation, TriggerKind};

/// The answer of [`may_release`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Go on.
    Yes,
    /// "Not released here": nothing is written, and that is no failure.
    NotHere,
    /// It was asked for and is not possible; the reason.
    Refused(String),
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
    let pushes: Vec<&[String]> = plan
        .triggers
        .iter()
        .filter_map(|trigger| match &trigger.kind {
            TriggerKind::Push { branches, .. } => Some(branches.as_slice()),
            _ => None,
        })
        .collect();
    if pushes.is_empty() {
        return Ok(Reach::Refused(
            "a shared registry is written from branches that `on push` names, and the pipeline has none".to_owned(),
        ));
    }
    let git = Git::at(workspace);
    let unreadable = |error: crate::host::Error| RegistryError::new(ErrorKind::Unreachable, error.to_string());
    let changes = git.run(&["status", "--porcelain", "-z"]).map_err(unreadable)?;
    if let Some(first) = changes.split(|byte| *byte == 0).find(|line| line.len() > 3) {
        let file = String::from_utf8_lossy(&first[3..]).into_owned();
        return Ok(Reach::Refused(format!("`--release` needs a clean tree, and `{file}` is not committed")));
    }
    let refs = ["for-each-ref", "--contains", "HEAD", "--format=%(refname)", "refs/heads/", "refs/remotes/"];
    let containing = git.run(&refs).map_err(unreadable)?;
    let containing = String::from_utf8_lossy(&containing);
    let mut names = containing.lines().filter_map(|name| {
        let name = name.strip_prefix("refs/")?;
        // A remote's branches stand below the remote's name.
        name.strip_prefix("heads/").or_else(|| name.strip_prefix("remotes/")?.split_once('/').map(|(_, name)| name))
    });
    if names.any(|name| pushes.iter().any(|branches| branches.is_empty() || matches(branches, name))) {
        return Ok(Reach::Yes);
    }
    let wanted: Vec<_> =
        pushes.iter().flat_map(|branches| branches.iter().map(|branch| format!("`{branch}`"))).collect();
    Ok(Reach::Refused(format!("`--release` needs a commit of a branch that `on push` names: {}", wanted.join(", "))))
}

/// Tells whether a run on a platform is for a ref that the pipeline names: a push to one of its branches, or its schedule.
#[must_use]
pub fn is_trusted_ref(bound: &Bound) -> bool {
    bound.plan.triggers.iter().any(|trigger| match &trigger.kind {
        TriggerKind::Push { branches, .. } => {
            bound.event == "push" && (branches.is_empty() || matches(branches, &bound.branch))
        }
        TriggerKind::Schedule { .. } => bound.event == "schedule",
        _ => false,
    })
}

/// As hosts read lists of branches: `*` stays within a name, `!` takes away again.
fn matches(patterns: &[String], name: &str) -> bool {
    patterns.iter().fold(false, |found, pattern| {
        let (wanted, pattern) = pattern.strip_prefix('!').map_or((true, pattern.as_str()), |rest| (false, rest));
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        if glob.is_ok_and(|glob| glob.compile_matcher().is_match(name)) { wanted } else { found }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_match_as_hosts_read_them() {
        let list = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
        assert!(matches(&list(&["main"]), "main"));
        assert!(!matches(&list(&["main"]), "maintenance"));
        assert!(matches(&list(&["release/*"]), "release/1"));
        assert!(!matches(&list(&["release/*"]), "release/1/2"));
        assert!(matches(&list(&["release/**"]), "release/1/2"));
        assert!(!matches(&list(&["release/**", "!release/old"]), "release/old"));
    }
}
