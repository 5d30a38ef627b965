//! The bare repository of our own through which a branch of the user's remote is read and changed. It takes the
//! remote and its credentials from the user's configuration, as git resolves it in their repository, and nothing
//! else. Models are fetched when they are read, where the remote can do that.

use std::path::{Path, PathBuf};

use crate::host;
use crate::host::git::{Answer, Git};
use crate::host::lock::Lock;
use crate::host::{Context, Digest};
use crate::registry::error::{ErrorKind, RegistryError};

/// Our name for the remote, and for the last state of the branch that we saw.
const REMOTE: &str = "registry";
const TIP: &str = "refs/mlpc/tip";
/// What was fetched and not looked at yet: a process may be killed before it has.
const CAME: &str = "refs/mlpc/came";

/// What is fetched at once: all but models. These come when they are read.
const SMALL: &str = "blob:limit=64k";

/// Sections of the user's configuration that say how to reach a remote.
const HOW_TO_REACH: &[&str] = &["http.", "credential.", "url.", "ssh.", "protocol.", "safe."];
const HOW_TO_REACH_KEYS: &[&str] = &["core.sshcommand", "core.askpass", "core.gitproxy"];

/// What we never want, whatever a default becomes.
const OURS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.logAllRefUpdates", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("commit.gpgSign", "false"),
    ("push.gpgSign", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("fetch.writeCommitGraph", "false"),
    ("advice.detachedHead", "false"),
    ("remote.registry.promisor", "true"),
    ("remote.registry.partialclonefilter", SMALL),
];

/// The private clone of one branch.
pub(super) struct Clone {
    git: Git,
    git_dir: PathBuf,
    branch: String,
    /// How messages name it.
    place: String,
}

/// How a push came out.
pub(super) enum Pushed {
    Done,
    /// The branch is no longer what the commit was made on.
    SomebodyWasQuicker(String),
}

impl Clone {
    /// Prepares the clone for a branch of `remote`, as the repository around `workspace` knows it.
    pub(super) fn of(workspace: &Path, name: &str, branch: &str, remote: &str) -> Result<Self, RegistryError> {
        let user = Git::at(workspace);
        let place = format!("branch `{branch}` of `{remote}`");
        let in_repository = user.ask(&["rev-parse", "--absolute-git-dir"])?;
        if !in_repository.ok {
            let message = format!("a git registry needs a repository around the workspace: {}", in_repository.reason());
            return Err(RegistryError::new(ErrorKind::Unreachable, message));
        }
        let name_of_ref = format!("refs/heads/{branch}");
        if branch.starts_with('-') || !user.ask(&["check-ref-format", &name_of_ref])?.ok {
            return Err(RegistryError::new(ErrorKind::Unknown, format!("`{branch}` is no name for a branch")));
        }
        let config = config_for(&user, remote)?;
        // Relative addresses of remotes start at the top of the work tree; a bare repository has none.
        let top = user.ask(&["rev-parse", "--show-toplevel"])?;
        let top = if top.ok { PathBuf::from(text(&top.stdout).trim_end_matches('\n')) } else { workspace.to_owned() };
        let addresses: Vec<_> = config.iter().filter(|(key, _)| key.starts_with("remote.registry.")).collect();
        let tag = Digest::of(format!("{addresses:?} {branch}").as_bytes()).hex();
        let git_dir = std::path::absolute(workspace)
            .cannot("find", workspace)?
            .join(format!(".mlpc/registry/{name}-{}.git", &tag[..8]));
        let git = Git::private(&git_dir, &top, &config);
        let clone = Self { git, git_dir, branch: branch.to_owned(), place };
        clone.make(&user)?;
        Ok(clone)
    }

    /// Makes the repository in one step, unless it is there.
    fn make(&self, user: &Git) -> Result<(), RegistryError> {
        let _held = self.lock()?;
        if self.git_dir.is_dir() {
            return Ok(());
        }
        let answer = user.ask(&["rev-parse", "--show-object-format"])?;
        let format = if text(&answer.stdout).trim() == "sha256" { "sha256" } else { "sha1" };
        let staged = self.git_dir.with_extension("new");
        host::fs::remove(&staged)?;
        let git = Git::private(&staged, host::fs::parent(&self.git_dir), &[]);
        git.run(&["init", "--quiet", "--bare", "--template=", &format!("--object-format={format}")])?;
        Ok(host::fs::rename(&staged, &self.git_dir)?)
    }

    /// Git's own lock files outlive a killed process; this lock doesn't, and tells whether they are dead.
    fn lock(&self) -> Result<Lock, RegistryError> {
        let held = Lock::wait(&self.git_dir.with_extension("lock"))?;
        for name in [TIP, CAME] {
            host::fs::remove(&self.git_dir.join(format!("{name}.lock")))?;
        }
        Ok(held)
    }

    /// Fetches what is new and returns the branch's commit; `None` only if the remote surely has no such branch.
    pub(super) fn sync(&self) -> Result<Option<String>, RegistryError> {
        let _held = self.lock()?;
        let name = format!("refs/heads/{}", self.branch);
        let answer = self.git.ask(&["ls-remote", REMOTE, &name])?;
        if !answer.ok {
            return Err(self.failed("cannot read", &answer));
        }
        let listed = text(&answer.stdout);
        let there = listed.lines().filter_map(|line| line.split_once('\t')).find(|(_, found)| *found == name);
        let known = self.tip()?;
        let Some((commit, _)) = there else {
            return known.map_or(Ok(None), |known| Err(self.rewound(&known, None)));
        };
        if known.as_deref() == Some(commit) {
            return Ok(Some(commit.to_owned()));
        }
        let spec = format!("+{name}:{CAME}");
        let fetch =
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", &format!("--filter={SMALL}"), REMOTE, &spec];
        let answer = self.git.ask(&fetch)?;
        if !answer.ok {
            return Err(self.failed("cannot read", &answer));
        }
        let Some(tip) = self.commit_of(CAME)? else { return Ok(None) };
        let follows = match &known {
            Some(known) => self.git.ask(&["merge-base", "--is-ancestor", known, &tip])?.ok,
            None => true,
        };
        if follows && self.grew(known.as_deref(), &tip)? {
            self.git.run(&["update-ref", TIP, &tip])?;
            return Ok(Some(tip));
        }
        // What was known stays known, so that the next look finds the same.
        Err(known.map_or_else(|| self.reverted(&tip), |known| self.rewound(&known, Some(&tip))))
    }

    /// Says that the branch does not go on from where it was: what was released since is gone from it, so nothing in it can be
    /// compared with. Without a tip it is not there any more.
    fn rewound(&self, known: &str, tip: Option<&str>) -> RegistryError {
        let known = &known[..known.len().min(12)];
        let folder = self.git_dir.file_name().unwrap_or_default().to_string_lossy();
        let became = match tip {
            Some(tip) => {
                let tip = &tip[..tip.len().min(12)];
                format!("was rewound, replaced or reverted: it is at {tip}, which does not go on from {known}")
            }
            None => format!("is gone: it was at {known}"),
        };
        let message = format!(
            "{} {became}, where it was seen last; if that was meant, delete `.mlpc/registry/{folder}`",
            self.place
        );
        RegistryError::new(ErrorKind::Corrupt, message)
    }

    /// Says that the branch holds, in an earlier commit, what it has not got now.
    fn reverted(&self, tip: &str) -> RegistryError {
        let message = format!(
            "{} was reverted: what was released in it is not in {}, its last commit; take that back with `git revert`, or, if it was \
             meant, move the branch to the commit that it is to go on from",
            self.place,
            &tip[..tip.len().min(12)]
        );
        RegistryError::new(ErrorKind::Corrupt, message)
    }

    fn tip(&self) -> Result<Option<String>, RegistryError> {
        self.commit_of(TIP)
    }

    fn commit_of(&self, name: &str) -> Result<Option<String>, RegistryError> {
        let answer = self.git.ask(&["rev-parse", "--quiet", "--verify", name])?;
        Ok(answer.ok.then(|| text(&answer.stdout).trim().to_owned()))
    }

    /// Pushes a commit as the branch's new state, without force.
    pub(super) fn push(&self, commit: &str) -> Result<Pushed, RegistryError> {
        let spec = format!("{commit}:refs/heads/{}", self.branch);
        let answer = self.git.ask(&["push", "--porcelain", "--no-verify", "--no-follow-tags", REMOTE, &spec])?;
        let said = text(&answer.stdout).into_owned();
        if answer.ok {
            // Two who do the same in the same second make the same commit; it is the first one's.
            if said.lines().any(|line| line.starts_with("=\t")) {
                return Ok(Pushed::SomebodyWasQuicker("the same change was made".to_owned()));
            }
            // The next look goes on from here.
            self.git.run(&["update-ref", TIP, commit])?;
            return Ok(Pushed::Done);
        }
        let refusal = said.lines().find_map(|line| line.strip_prefix("!\t")).and_then(|line| line.split_once('\t'));
        match refusal {
            Some((_, why)) if is_race(why) => Ok(Pushed::SomebodyWasQuicker(why.to_owned())),
            Some((_, why)) => {
                let message = format!("{} does not take the change: {why}{}", self.place, remote_words(&answer.stderr));
                Err(RegistryError::new(ErrorKind::Permission, message))
            }
            // The line may have broken after the remote had taken it.
            None if self.sync().is_ok_and(|tip| tip.as_deref() == Some(commit)) => Ok(Pushed::Done),
            None => Err(self.failed("cannot push to", &answer)),
        }
    }

    pub(super) fn failed(&self, what: &str, answer: &Answer) -> RegistryError {
        let said = answer.stderr.to_lowercase();
        let refused = ["permission", "denied", "authentication", "could not read username", " 401", " 403"];
        let kind = match refused.iter().any(|word| said.contains(word)) {
            true => ErrorKind::Permission,
            false => ErrorKind::Unreachable,
        };
        RegistryError::new(kind, format!("{what} {}: {}", self.place, answer.reason()))
    }

    /// Runs git in the clone for something local, or for a blob that is fetched on the way.
    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    /// Says that something in the clone could not be read.
    pub(super) fn unreadable(&self, error: &host::Error) -> RegistryError {
        RegistryError::new(ErrorKind::Unreachable, format!("cannot read {}: {error}", self.place))
    }

    /// A private file beside the clone, for an index.
    pub(super) fn scratch(&self) -> Result<tempfile::TempDir, RegistryError> {
        Ok(tempfile::Builder::new().prefix("index-").tempdir_in(&self.git_dir).cannot("write", &self.git_dir)?)
    }
}

/// A refusal that comes from another push, not from a rule of the remote.
fn is_race(why: &str) -> bool {
    let by_others = ["cannot lock ref", "failed to update ref", "failed to lock", "incorrect old value", "stale info"];
    why.starts_with("[rejected]") || by_others.iter().any(|words| why.contains(words))
}

/// Returns what the remote itself says of its refusal, as an addition to a message.
fn remote_words(stderr: &str) -> String {
    let mut words = stderr.lines().filter_map(|line| line.strip_prefix("remote: ")).map(str::trim);
    words.find(|line| !line.is_empty()).map(|words| format!(": {words}")).unwrap_or_default()
}

/// Takes what says how to reach the remote out of the user's configuration, with all of its conditional includes.
fn config_for(user: &Git, remote: &str) -> Result<Vec<(String, String)>, RegistryError> {
    let listed = user.run(&["config", "--list", "--includes", "-z"])?;
    let prefix = format!("remote.{remote}.");
    let mut config: Vec<_> = OURS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut has_address = false;
    for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let entry = text(entry);
        // A key without a value means `true`.
        let (key, value) = entry.split_once('\n').unwrap_or((&entry, "true"));
        if let Some(field) = key.strip_prefix(&prefix) {
            let address = matches!(field, "url" | "pushurl");
            if address || matches!(field, "proxy" | "proxyauthmethod" | "uploadpack" | "receivepack") {
                config.push((format!("remote.{REMOTE}.{field}"), value.to_owned()));
            }
            has_address |= field == "url";
        } else if key == "protocol.version" {
            // Only the newest, git's default, hands out single blobs.
        } else if HOW_TO_REACH.iter().any(|section| key.starts_with(section)) || HOW_TO_REACH_KEYS.contains(&key) {
            config.push((key.to_owned(), value.to_owned()));
        }
    }
    if !has_address && remote.contains(['/', ':']) {
        config.push((format!("remote.{REMOTE}.url"), remote.to_owned()));
    } else if !has_address {
        let message = format!("the repository has no remote `{remote}`: `git remote add {remote} URL`");
        return Err(RegistryError::new(ErrorKind::Unreachable, message));
    }
    Ok(config)
}

pub(super) fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
