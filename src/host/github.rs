//! A runner of GitHub Actions as its files and variables: outputs, the summary, annotations, and commands stopped
//! while a user's program speaks. Knows nothing of nodes and gates.

mod comments;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

pub use comments::{Posted, PullRequest};
use serde::Deserialize;

use super::error::{Context, Error, Result};
use super::{Digest, fs};

/// GitHub takes a summary of at most 1 MiB a step; beyond this ours is cut.
const SUMMARY: usize = 900 << 10;

/// A runner of GitHub Actions.
#[derive(Debug, Clone)]
pub struct GitHub {
    variables: BTreeMap<String, String>,
}

/// One job that this one needs, as `toJSON(needs)` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Need {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub result: String,
    /// Its outputs.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub outputs: BTreeMap<String, String>,
}

/// A job without outputs may be told with `null` in their place, and an output that was not set too.
fn null_is_empty<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<BTreeMap<String, String>, D::Error> {
    let told: Option<BTreeMap<String, Option<String>>> = Deserialize::deserialize(from)?;
    let set = |(name, value): (String, Option<String>)| Some((name, value?));
    Ok(told.unwrap_or_default().into_iter().filter_map(set).collect())
}

/// How grave an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Grey.
    Notice,
}

/// Where an annotation stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spot {
    /// The file, relative to the repository.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl GitHub {
    /// Recognises the runner by its variables.
    #[must_use]
    pub fn of(caller: &BTreeMap<OsString, OsString>) -> Option<Self> {
        let text =
            |(name, value): (&OsString, &OsString)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()));
        let variables: BTreeMap<_, _> = caller.iter().filter_map(text).collect();
        (variables.get("GITHUB_ACTIONS").map(String::as_str) == Some("true")).then_some(Self { variables })
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// Returns the event as mlpc calls it.
    #[must_use]
    pub fn event(&self) -> &str {
        match self.variable("GITHUB_EVENT_NAME") {
            "workflow_dispatch" => "manual",
            "repository_dispatch" => "event",
            "workflow_run" => "upstream",
            other => other,
        }
    }

    /// Tells whether the run is one of this file in `.github/workflows`; in one that was called, the caller's file is named.
    #[must_use]
    pub fn is_run_of(&self, file: &str) -> bool {
        let own = format!("{}/.github/workflows/{file}@", self.variable("GITHUB_REPOSITORY"));
        self.variable("GITHUB_WORKFLOW_REF").starts_with(&own)
    }

    /// Returns the ref in full: `refs/heads/main`.
    #[must_use]
    pub fn git_ref(&self) -> &str {
        self.variable("GITHUB_REF")
    }

    /// Returns the branch that the run is of: of a pull request the one that is to be merged.
    #[must_use]
    pub fn branch(&self) -> &str {
        match self.variable("GITHUB_HEAD_REF") {
            "" => self.variable("GITHUB_REF_NAME"),
            head => head,
        }
    }

    /// Returns what tells triggers of one event apart: the branch that was pushed or would be merged into, the schedule, the name
    /// of a `repository_dispatch`.
    #[must_use]
    pub fn which(&self) -> Option<String> {
        let told = match self.event() {
            "push" => self.git_ref().strip_prefix("refs/heads/").unwrap_or_default().to_owned(),
            "pull_request" => self.variable("GITHUB_BASE_REF").to_owned(),
            "schedule" => self.payload("/schedule"),
            "event" => self.payload("/action"),
            _ => String::new(),
        };
        (!told.is_empty()).then_some(told)
    }

    /// Tells whether the runner is the user's own, whose disk stays.
    #[must_use]
    pub fn self_hosted(&self) -> bool {
        self.variable("RUNNER_ENVIRONMENT") == "self-hosted"
    }

    /// Returns the id of the run, the same in every attempt.
    #[must_use]
    pub fn run(&self) -> String {
        format!("github-{}", self.variable("GITHUB_RUN_ID"))
    }

    /// Returns the number that GitHub gives the run, the same in every attempt.
    #[must_use]
    pub fn run_id(&self) -> &str {
        self.variable("GITHUB_RUN_ID")
    }

    /// Returns the number of the attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> &str {
        match self.variable("GITHUB_RUN_ATTEMPT") {
            "" => "1",
            attempt => attempt,
        }
    }

    /// Returns the job's id in the workflow.
    #[must_use]
    pub fn job(&self) -> &str {
        self.variable("GITHUB_JOB")
    }

    /// Returns the commit.
    #[must_use]
    pub fn commit(&self) -> &str {
        self.variable("GITHUB_SHA")
    }

    /// Returns the address of the run, for links.
    #[must_use]
    pub fn address(&self) -> String {
        let [server, repository, run] =
            ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| self.variable(name));
        format!("{server}/{repository}/actions/runs/{run}")
    }

    /// Asks the API for the reviews of this run, through the program that every runner of GitHub has.
    pub fn reviews(&self) -> Result<String> {
        let [repository, run] = ["GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| self.variable(name));
        let path = format!("repos/{repository}/actions/runs/{run}/approvals");
        comments::gh(&[&path], None).map_err(|error| Error::new(format!("GitHub does not tell who approved: {error}")))
    }

    /// Returns the repository's default branch, as the event tells it.
    #[must_use]
    pub fn default_branch(&self) -> String {
        self.payload("/repository/default_branch")
    }

    /// Returns a text of the event; an empty one where it has none there.
    fn payload(&self, pointer: &str) -> String {
        let event = fs::read(&PathBuf::from(self.variable("GITHUB_EVENT_PATH"))).unwrap_or_default();
        let event: serde_json::Value = serde_json::from_slice(&event).unwrap_or_default();
        event.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default().to_owned()
    }

    /// Returns a path as the repository knows it, for annotations.
    #[must_use]
    pub fn in_repository(&self, path: &std::path::Path) -> String {
        let root = self.variable("GITHUB_WORKSPACE");
        let inside = std::fs::canonicalize(root).ok().and_then(|root| path.strip_prefix(root).ok().map(PathBuf::from));
        inside.unwrap_or_else(|| path.to_owned()).to_string_lossy().into_owned()
    }

    /// Returns the folder that the job has for itself.
    pub fn temporary(&self) -> Result<PathBuf> {
        match self.variable("RUNNER_TEMP") {
            "" => Err(Error::new("the variable `RUNNER_TEMP` is not set")),
            path => Ok(PathBuf::from(path)),
        }
    }

    /// Returns what the jobs before this one said, by their ids; `None` where the step was not given it.
    pub fn needs(&self) -> Result<Option<BTreeMap<String, Need>>> {
        match self.variable("MLPC_NEEDS") {
            "" => Ok(None),
            text => serde_json::from_str(text)
                .map(Some)
                .context(|| "`MLPC_NEEDS` is not what `toJSON(needs)` gives".to_owned()),
        }
    }

    /// Sets an output of the step.
    pub fn output(&self, name: &str, value: &str) -> Result<()> {
        let text = if value.contains(['\n', '\r']) {
            // Nobody can guess a delimiter that is made from the value itself, this process and the moment.
            let seed = format!("{}\0{:?}\0{value}", std::process::id(), std::time::Instant::now());
            let delimiter = format!("mlpc-{}", Digest::of(seed.as_bytes()).hex());
            format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
        } else {
            format!("{name}={value}\n")
        };
        self.append("GITHUB_OUTPUT", &text)
    }

    /// Adds Markdown to the summary of the step.
    pub fn summarize(&self, markdown: &str) -> Result<()> {
        let mut text = markdown.to_owned();
        if text.len() > SUMMARY {
            let mut end = SUMMARY;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str(&format!(
                "\n\n*Cut here: the whole report is among the artifacts of [this run]({}).*\n",
                self.address()
            ));
        }
        self.append("GITHUB_STEP_SUMMARY", &text)
    }

    fn append(&self, variable: &str, text: &str) -> Result<()> {
        let path = match self.variable(variable) {
            "" => return Err(Error::new(format!("the variable `{variable}` is not set"))),
            path => PathBuf::from(path),
        };
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path).cannot("open", &path)?;
        file.write_all(text.as_bytes()).cannot("write", &path)
    }

    /// Returns the name and the payload of a `repository_dispatch`.
    pub fn dispatched(&self) -> Result<(String, serde_json::Value)> {
        let path = PathBuf::from(self.variable("GITHUB_EVENT_PATH"));
        let event: serde_json::Value =
            serde_json::from_slice(&fs::read(&path)?).context(|| "the event is not JSON".to_owned())?;
        let name = event.get("action").and_then(|name| name.as_str()).unwrap_or_default().to_owned();
        Ok((name, event.get("client_payload").cloned().unwrap_or_default()))
    }
}

/// Returns the line that annotates a place; what it says can't become another command.
#[must_use]
pub fn annotation(level: Level, spot: Option<&Spot>, title: &str, message: &str) -> String {
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let mut properties = Vec::new();
    if let Some(spot) = spot {
        properties.push(format!("file={}", property(&spot.file)));
        properties.push(format!("line={},col={}", spot.line, spot.column));
    }
    properties.push(format!("title={}", property(title)));
    format!("::{word} {}::{}", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns text in which no line is a command, neither `::name::` at its begin nor `##[name]` anywhere.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| {
        let blank = line.len() - line.trim_start().len();
        let escape = if line[blank..].starts_with("::") { "\\" } else { "" };
        format!("{}{escape}{}", &line[..blank], line[blank..].replace("##[", "#\\#["))
    };
    Cow::Owned(text.split_inclusive('\n').map(line).collect())
}

/// Returns the two lines between which GitHub takes nothing for a command. `secret` must not be known to who speaks.
#[must_use]
pub fn quiet(secret: &str) -> (String, String) {
    let token = format!("mlpc-{}", &Digest::of(secret.as_bytes()).hex()[..32]);
    (format!("::stop-commands::{token}"), format!("::{token}::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(folder: &std::path::Path, more: &[(&str, &str)]) -> GitHub {
        let file = |name: &str| OsString::from(folder.join(name));
        let mut caller: BTreeMap<OsString, OsString> = [
            ("GITHUB_ACTIONS".into(), "true".into()),
            ("GITHUB_OUTPUT".into(), file("output")),
            ("GITHUB_STEP_SUMMARY".into(), file("summary")),
        ]
        .into();
        caller.extend(more.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
        GitHub::of(&caller).expect("is one")
    }

    #[test]
    fn an_annotation_can_hold_anything_and_stays_one_command() {
        let spot = Spot { file: "a,b:c.mlp".into(), line: 3, column: 7 };
        assert_eq!(
            annotation(Level::Error, Some(&spot), "quality: fail", "50%\r\n::set-output name=x::y"),
            "::error file=a%2Cb%3Ac.mlp,line=3,col=7,title=quality%3A fail::50%25%0D%0A::set-output name=x::y"
        );
    }

    #[test]
    fn outputs_of_several_lines_cannot_smuggle_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let runner = runner(folder.path(), &[]);
        runner.output("a", "plain").expect("written");
        runner.output("b", "x\nEOF\nverdict=pass").expect("written");
        let text = fs::read_text(&folder.path().join("output")).expect("is there");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "a=plain");
        let delimiter = lines[1].strip_prefix("b<<").expect("has a delimiter");
        assert_eq!(lines[2..], ["x", "EOF", "verdict=pass", delimiter]);
    }

    #[test]
    fn a_long_summary_is_cut_and_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        runner(folder.path(), &[]).summarize(&"é".repeat(1 << 20)).expect("written");
        let text = fs::read_text(&folder.path().join("summary")).expect("is there");
        assert!(text.len() < 1 << 20 && text.contains("Cut here"));
    }

    #[test]
    fn jobs_without_outputs_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let json = r#"{"a": {"result": "success", "outputs": null}, "b": {"result": "skipped"},
            "c": {"result": "failure", "outputs": {"digest": "0", "ask": null}}}"#;
        let needs = runner(folder.path(), &[("MLPC_NEEDS", json)]).needs().expect("reads").expect("is there");
        let told: Vec<_> = needs.iter().map(|(id, need)| (id.as_str(), need.outputs.len())).collect();
        assert_eq!(told, [("a", 0), ("b", 0), ("c", 1)]);
        assert!(runner(folder.path(), &[("MLPC_NEEDS", "[1]")]).needs().is_err());
        assert_eq!(runner(folder.path(), &[]).needs().expect("reads"), None);
    }

    #[test]
    fn a_run_of_another_file_is_none_of_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = |reference: &str| {
            let variables = [("GITHUB_REPOSITORY", "a/b"), ("GITHUB_WORKFLOW_REF", reference)];
            runner(folder.path(), &variables).is_run_of("p.yml")
        };
        assert!(own("a/b/.github/workflows/p.yml@refs/heads/main"));
        for other in ["a/b/.github/workflows/q.yml@refs/heads/main", "c/b/.github/workflows/p.yml@refs/heads/main", ""]
        {
            assert!(!own(other), "{other}");
        }
    }

    #[test]
    fn events_are_called_by_our_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let event = |name: &str| runner(folder.path(), &[("GITHUB_EVENT_NAME", name)]).event().to_owned();
        assert_eq!(["push", "workflow_dispatch", "repository_dispatch"].map(event), ["push", "manual", "event"]);
        assert!(GitHub::of(&BTreeMap::new()).is_none());
    }
}
