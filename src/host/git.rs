//! Runs git: arguments as a list, never through a shell; without the variables by which a calling git (a hook)
//! would redirect it; without asking anybody anything. Knows nothing of what a repository is used for.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Context, Error, Result};

/// Variables that would make git work on something else than what it is called for.
const REDIRECTS: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_TEMPLATE_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_CONFIG",
    "GIT_NO_LAZY_FETCH",
];

/// How git is to be called: where, and with which variables.
#[derive(Debug, Clone)]
pub struct Git {
    folder: PathBuf,
    env: Vec<(OsString, OsString)>,
}

/// What git said.
#[derive(Debug)]
pub struct Answer {
    /// Whether it exited with 0.
    pub ok: bool,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
}

impl Git {
    /// Calls git in a folder, as a person there would: their configuration, their repository.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), env: Vec::new() }
    }

    /// Calls git for a bare repository of our own, from `folder`, with this configuration and no other: neither
    /// the machine's nor the person's. It travels by environment, since it may hold credentials.
    #[must_use]
    pub fn private(git_dir: &Path, folder: &Path, config: &[(String, String)]) -> Self {
        let mut git = Self::at(folder)
            .with("GIT_DIR", git_dir)
            .with("GIT_CONFIG_NOSYSTEM", "1")
            .with("GIT_CONFIG_GLOBAL", "/dev/null")
            .with("GIT_CONFIG_PARAMETERS", "")
            .with("GIT_CONFIG_COUNT", config.len().to_string());
        for (i, (key, value)) in config.iter().enumerate() {
            git = git.with(&format!("GIT_CONFIG_KEY_{i}"), key).with(&format!("GIT_CONFIG_VALUE_{i}"), value);
        }
        git
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs git and returns what it said, whether it worked or not.
    pub fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Answer> {
        self.output(arguments, Stdio::null(), Stdio::piped())
    }

    /// Runs git and returns its output; not working is an error with git's own words.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Vec<u8>> {
        self.ask(arguments).and_then(checked)
    }

    /// As [`Git::run`], with the first line of the output as text.
    pub fn line<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String> {
        self.run(arguments).map(first_line)
    }

    /// As [`Git::run`], with these bytes as standard input.
    pub fn run_from<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<Vec<u8>> {
        self.ask_from(arguments, input).and_then(checked)
    }

    /// As [`Git::ask`], with these bytes as standard input.
    pub fn ask_from<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<Answer> {
        let spool = || -> std::io::Result<File> {
            let mut file = tempfile::tempfile()?;
            file.write_all(input)?;
            file.rewind()?;
            Ok(file)
        };
        let file = spool().context(|| "cannot write a temporary file".to_owned())?;
        self.output(arguments, file.into(), Stdio::piped())
    }

    /// As [`Git::line`], with these bytes as standard input.
    pub fn line_from<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<String> {
        self.run_from(arguments, input).map(first_line)
    }

    /// As [`Git::line`], with a file as standard input.
    pub fn line_from_file<A: AsRef<OsStr>>(&self, arguments: &[A], input: &Path) -> Result<String> {
        let file = File::open(input).cannot("read", input)?;
        self.output(arguments, file.into(), Stdio::piped()).and_then(checked).map(first_line)
    }

    /// Runs git and writes its output to a new file.
    pub fn run_to_file<A: AsRef<OsStr>>(&self, arguments: &[A], output: &Path) -> Result<()> {
        let file = File::create_new(output).cannot("write", output)?;
        self.output(arguments, Stdio::null(), file.into()).and_then(checked).map(drop)
    }

    fn output<A: AsRef<OsStr>>(&self, arguments: &[A], input: Stdio, output: Stdio) -> Result<Answer> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.folder).stdin(input).stdout(output).stderr(Stdio::piped());
        for name in REDIRECTS {
            command.env_remove(name);
        }
        // Paths are names and not patterns; messages are the ones that callers look for.
        command.env("GIT_LITERAL_PATHSPECS", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        // A commit is what its name says, and has the parents that stand in it: what one clone puts in its place
        // (git-replace(1), `info/grafts`) others don't have. Git warns of a file of grafts that it can open.
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null/none");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let done = command.spawn().and_then(std::process::Child::wait_with_output);
        let done = done.context(|| format!("cannot run `git` in `{}`", self.folder.display()))?;
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        Ok(Answer { ok: done.status.success(), stdout: done.stdout, stderr })
    }
}

impl Answer {
    /// Returns the line of git's complaint that says why, without credentials that an address in it may carry.
    #[must_use]
    pub fn reason(&self) -> String {
        let lines: Vec<_> = self.stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // "could not read from remote repository" is always said; the reason is in the line before it.
        let telling = |line: &&&str| !line.starts_with("fatal: Could not read from remote");
        let marked =
            lines.iter().filter(telling).find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
        let chosen = marked
            .or_else(|| {
                let end = lines.iter().position(|line| !telling(&line)).unwrap_or(lines.len());
                lines[..end].last()
            })
            .or(lines.last())
            .copied()
            .unwrap_or("git failed without a word");
        let chosen = chosen.strip_prefix("fatal: ").or(chosen.strip_prefix("error: ")).unwrap_or(chosen);
        without_credentials(chosen)
    }
}

fn checked(answer: Answer) -> Result<Vec<u8>> {
    if answer.ok { Ok(answer.stdout) } else { Err(Error::new(answer.reason())) }
}

fn first_line(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned()
}

/// Cuts `user:token@` out of addresses.
fn without_credentials(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        clean.push_str(head);
        let end = tail.find(|c: char| c == '/' || c == '\'' || c.is_whitespace()).unwrap_or(tail.len());
        rest = tail[..end].rfind('@').map_or(tail, |at| &tail[at + 1..]);
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(stderr: &str) -> String {
        Answer { ok: false, stdout: Vec::new(), stderr: stderr.to_owned() }.reason()
    }

    #[test]
    fn the_reason_is_the_line_that_says_why() {
        let gone = "fatal: '/nope' does not appear to be a git repository\nfatal: Could not read from remote \
                    repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n";
        assert_eq!(reason(gone), "'/nope' does not appear to be a git repository");
        let refused = "ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote \
                       repository.\n\nPlease make sure\nand the repository exists.\n";
        assert_eq!(reason(refused), "ssh: connect to host x port 22: Connection refused");
        assert_eq!(reason(""), "git failed without a word");
    }

    #[test]
    fn credentials_never_reach_a_message() {
        assert_eq!(
            reason("fatal: unable to access 'https://me:s3cret@host/x.git/': 403, see https://host/a@b"),
            "unable to access 'https://host/x.git/': 403, see https://host/a@b"
        );
    }
}
