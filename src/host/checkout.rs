//! Which commit a folder is checked out at, read off git's own files: an image that runs a stage need not hold git, and
//! git itself refuses a checkout that another user made. Git is asked where these say nothing. Knows nothing of what the commit is compared with.

use std::path::{Path, PathBuf};

use super::git::Git;

/// How many names a symbolic reference may lead over.
const STEPS: usize = 5;

/// Returns the full hash of the commit that the repository around `folder` stands at; none where there is no repository,
/// no commit yet, or nothing here that can be read.
#[must_use]
pub fn commit(folder: &Path) -> Option<String> {
    let folder = std::path::absolute(folder).ok()?;
    let at = folder.ancestors().map(|above| above.join(".git")).find(|git| git.exists())?;
    let own = if at.is_dir() { at } else { elsewhere(&at)? };
    // A second work tree has a HEAD of its own, and shares the references of the first.
    let shared = text(&own.join("commondir")).map_or_else(|| own.clone(), |path| own.join(path));
    let mut said = text(&own.join("HEAD"))?;
    for _ in 0..STEPS {
        let Some(name) = said.strip_prefix("ref:").map(str::trim) else { break };
        if name.split('/').any(|part| part.is_empty() || part == "..") {
            return None;
        }
        said = text(&own.join(name)).or_else(|| text(&shared.join(name))).or_else(|| packed(&shared, name))?;
    }
    is_commit(&said).then_some(said)
}

/// Tells whether there is a repository around `folder`, whatever can be read of it.
#[must_use]
pub fn is_in(folder: &Path) -> bool {
    std::path::absolute(folder).is_ok_and(|folder| folder.ancestors().any(|above| above.join(".git").exists()))
}

/// Asks git itself, which also knows other ways to keep references; none where it is not here, or does not tell.
#[must_use]
pub fn told(folder: &Path) -> Option<String> {
    let said = Git::at(folder).line(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok()?;
    is_commit(&said).then_some(said)
}

/// Tells whether a text is the full hash of a commit, as git writes it.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Follows the file that stands for the folder in a second work tree or a submodule.
fn elsewhere(file: &Path) -> Option<PathBuf> {
    let said = text(file)?;
    Some(file.parent()?.join(said.strip_prefix("gitdir:")?.trim()))
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let packed = super::fs::read_text(&git.join("packed-refs")).ok()?;
    let found = packed.lines().find_map(|line| line.split_once(' ').filter(|(_, other)| *other == name));
    found.map(|(commit, _)| commit.to_owned())
}

fn text(path: &Path) -> Option<String> {
    super::fs::read_text(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests face the host")]

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        let all: Vec<&str> = identity.iter().chain(arguments).copied().collect();
        Git::at(folder).line(&all).expect("git works")
    }

    #[test]
    fn the_commit_is_the_one_that_git_tells() {
        let place = tempfile::tempdir().expect("a folder");
        let (first, second) = (place.path().join("first"), place.path().join("second"));
        std::fs::create_dir_all(first.join("models/fraud")).expect("made");
        assert_eq!(commit(&first.join("models/fraud")), None, "no repository");
        git(&first, &["init"]);
        assert_eq!(commit(&first), None, "no commit yet");
        git(&first, &["commit", "--allow-empty", "-m", "one"]);
        let told = |folder: &Path| Some(git(folder, &["rev-parse", "HEAD"]));
        assert_eq!(commit(&first.join("models/fraud")), told(&first));
        git(&first, &["pack-refs", "--all"]);
        assert_eq!(commit(&first), told(&first), "in packed references");
        git(&first, &["worktree", "add", "-b", "other", "../second"]);
        git(&second, &["commit", "--allow-empty", "-m", "two"]);
        assert_eq!(commit(&second), told(&second), "a second work tree");
        assert_ne!(commit(&second), commit(&first));
        git(&second, &["checkout", "--detach", "main"]);
        assert_eq!(commit(&second), told(&first), "at no branch");
    }

    #[test]
    fn git_tells_what_its_files_do_not() {
        let place = tempfile::tempdir().expect("a folder");
        assert!(!is_in(place.path()) && told(place.path()).is_none(), "no repository");
        if !Git::at(place.path()).ask(&["init", "--ref-format=reftable"]).is_ok_and(|answer| answer.ok) {
            // Git has known this way to keep references since 2.45.
            return;
        }
        assert!(is_in(place.path()) && told(place.path()).is_none(), "no commit yet");
        git(place.path(), &["commit", "--allow-empty", "-m", "one"]);
        assert_eq!(commit(place.path()), None, "its files say nothing");
        assert_eq!(told(place.path()), Some(git(place.path(), &["rev-parse", "HEAD"])));
    }

    #[test]
    fn what_is_no_commit_is_none() {
        let place = tempfile::tempdir().expect("a folder");
        let head = |text: &str| {
            std::fs::create_dir_all(place.path().join(".git")).expect("made");
            std::fs::write(place.path().join(".git/HEAD"), text).expect("written");
            commit(place.path())
        };
        for text in ["", "ref: HEAD\n", "ref: ../../HEAD\n", "ref: /etc/hostname\n", "9f2c\n", "{{workflow.name}}\n"] {
            assert_eq!(head(text), None, "{text}");
        }
        let whole = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(head(&format!("{whole}\n")).as_deref(), Some(whole));
    }
}
