//! The pull request of a run and the one comment on it that is ours, through the program that every runner of GitHub has.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{Context, Error, GitHub, Result, fs};

/// Whose comments a job's own token writes.
const AUTHOR: &str = "github-actions[bot]";

/// Whose pull requests have a token that may not write, wherever they come from.
const DEPENDABOT: &str = "dependabot[bot]";

/// A pull request, as the event tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The commit that is to be merged.
    pub head: String,
    /// Why the token of this run may write nothing, where it may not.
    pub read_only: Option<&'static str>,
}

/// How a comment came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// There was none before.
    New,
    /// It took the place of the one before.
    Again,
}

/// A comment as GitHub lists it; what else it says of one is not looked at.
#[derive(Debug, Deserialize)]
struct Listed {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

impl GitHub {
    /// Returns the pull request that started the run.
    ///
    /// # Errors
    /// The event can't be read, or is of no pull request.
    pub fn pull_request(&self) -> Result<PullRequest> {
        let path = PathBuf::from(self.variable("GITHUB_EVENT_PATH"));
        let event: serde_json::Value =
            serde_json::from_slice(&fs::read(&path)?).context(|| "the event is not JSON".to_owned())?;
        let number = event.pointer("/pull_request/number").and_then(serde_json::Value::as_u64);
        let number = number.ok_or_else(|| Error::new("the event is of no pull request"))?;
        let text = |pointer: &str| event.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
        // The repository of a branch that is gone is told as nothing.
        let is_own = text("/pull_request/head/repo/full_name") == self.variable("GITHUB_REPOSITORY");
        let read_only = match self.variable("GITHUB_ACTOR") {
            _ if !is_own => Some("it comes from a fork"),
            DEPENDABOT => Some("it comes from Dependabot"),
            _ => None,
        };
        Ok(PullRequest { number, head: text("/pull_request/head/sha"), read_only })
    }

    /// Writes a comment on a pull request: in the place of the one that this wrote before, which has `marker` as its first line.
    ///
    /// # Errors
    /// What `gh` says against it.
    pub fn comment(&self, number: u64, marker: &str, text: &str) -> Result<Posted> {
        let repository = format!("repos/{}", self.variable("GITHUB_REPOSITORY"));
        let all = format!("{repository}/issues/{number}/comments");
        let listed = gh(&["--paginate", &format!("{all}?per_page=100")], None)?;
        let own = own(&listed, marker).context(|| "`gh` did not list the comments as GitHub does".to_owned())?;
        let body = serde_json::json!({ "body": text }).to_string();
        match own {
            Some(id) => {
                let path = format!("{repository}/issues/comments/{id}");
                gh(&["--method", "PATCH", &path, "--input", "-"], Some(&body)).map(|_| Posted::Again)
            }
            None => gh(&["--method", "POST", &all, "--input", "-"], Some(&body)).map(|_| Posted::New),
        }
    }
}

/// Finds the comment that is ours among pages of them, which may be one list or a list each. Anybody can write the marker, and nobody
/// else's words are written over.
fn own(pages: &str, marker: &str) -> std::result::Result<Option<u64>, serde_json::Error> {
    for page in serde_json::Deserializer::from_str(pages).into_iter::<Vec<Listed>>() {
        let is_own = |comment: &&Listed| {
            let first = comment.body.as_deref().and_then(|body| body.lines().next());
            first == Some(marker) && comment.user.as_ref().is_some_and(|user| user.login == AUTHOR)
        };
        if let Some(found) = page?.iter().find(is_own) {
            return Ok(Some(found.id));
        }
    }
    Ok(None)
}

/// Calls `gh api`; what it is to send goes in by its input, since a command line is for all to read. Returns what GitHub answers.
pub(super) fn gh(arguments: &[&str], input: Option<&str>) -> Result<String> {
    let mut command = Command::new("gh");
    command.arg("api").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let cannot = || "`gh`, which asks GitHub, can't be run".to_owned();
    let mut child = command.spawn().context(cannot)?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // One that ends without having read all of it says itself why.
        let _ = pipe.write_all(input.as_bytes());
    }
    let said = child.wait_with_output().context(cannot)?;
    if !said.status.success() {
        let why = String::from_utf8_lossy(&said.stderr);
        let why = why.trim();
        return Err(Error::new(if why.is_empty() {
            format!("`gh` ended with {}", said.status)
        } else {
            why.to_owned()
        }));
    }
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: u64, login: &str, body: &str) -> serde_json::Value {
        serde_json::json!({ "id": id, "node_id": "IC_x", "body": body, "user": { "login": login, "id": 1, "type": "Bot" } })
    }

    #[test]
    fn only_a_comment_of_the_tokens_author_with_the_marker_as_its_first_line_is_ours() {
        let marker = "<!-- mlpc: p -->";
        let ours = format!("{marker}\n### `p`");
        let pages = [
            serde_json::json!([
                listed(1, "mallory", &ours),
                listed(2, AUTHOR, &format!("> {marker}\n")),
                listed(3, AUTHOR, &format!("hello\n{marker}")),
                listed(4, AUTHOR, "<!-- mlpc: pp -->"),
                { "id": 5, "body": null, "user": null },
            ]),
            serde_json::json!([listed(6, AUTHOR, &ours.replace('\n', "\r\n")), listed(7, AUTHOR, &ours)]),
        ];
        // One list a page, as older versions of `gh` write them, and one list of all.
        let apart = format!("{}{}", pages[0], pages[1]);
        assert_eq!(own(&apart, marker).expect("reads"), Some(6));
        let joined: Vec<_> = pages.iter().flat_map(|page| page.as_array().expect("a list").clone()).collect();
        assert_eq!(own(&serde_json::Value::from(joined).to_string(), marker).expect("reads"), Some(6));
        assert_eq!(own(&pages[0].to_string(), marker).expect("reads"), None);
        assert_eq!(own("", marker).expect("reads"), None);
        assert!(own("{\"message\": \"Not Found\"}", marker).is_err() && own("[{\"id\": ", marker).is_err());
    }
}
