//! The journal of actions: what was begun and how it ended, kept where every runner of a pipeline sees it. An effect
//! can't be taken back, so that what may have happened is never simply done again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::RegistryError;
use super::layout;
use super::record::FORMAT;
use super::view::{Change, View};
use crate::host::{Digest, clock};

type Result<T> = std::result::Result<T, RegistryError>;

/// One doing of an action: the same in every attempt of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The run; a platform's own id, without the attempt.
    pub run: String,
    /// The action's node.
    pub action: String,
    /// What it is of: the release's version, else the digest of its inputs and its command.
    pub subject: String,
    /// It may happen twice.
    pub idempotent: bool,
}

/// What may be done, once it was asked to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Go on: that it was begun is recorded.
    Go,
    /// It was done before.
    Done,
    /// It was begun before, and nobody recorded its end.
    MayHaveHappened,
}

/// What the journal says of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was begun.
    Started,
    /// It ended, and did not do what it is for.
    Failed,
    /// It did what it is for.
    Done,
}

/// The record of an act.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: u32,
    run: String,
    action: String,
    subject: String,
    state: State,
    since: String,
}

impl Act {
    /// Returns the path of its record: readable names, and a digest that tells apart what they hide.
    fn path(&self) -> String {
        let whole = [&self.run, &self.action, &self.subject].map(|part| format!("{}:{part}", part.len())).concat();
        let plain = |text: &str| {
            text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect::<String>()
        };
        let digest = &Digest::of(whole.as_bytes()).hex()[..16];
        format!("{}/{}/{}-{digest}.json", layout::ACTIONS, plain(&self.run), plain(&self.action))
    }

    fn read(&self, view: &dyn View) -> Result<Option<State>> {
        let path = self.path();
        let Some(bytes) = view.read(&path)? else { return Ok(None) };
        let record: Record = layout::decode(&path, &bytes)?;
        if (&record.run, &record.action, &record.subject) != (&self.run, &self.action, &self.subject) {
            return Err(RegistryError::corrupt(format!("`{path}` is about another action, `{}`", record.action)));
        }
        Ok(Some(record.state))
    }

    fn write(&self, state: State, now: Timestamp) -> Change {
        let record = Record {
            format: FORMAT,
            run: self.run.clone(),
            action: self.action.clone(),
            subject: self.subject.clone(),
            state,
            since: clock::iso(now),
        };
        Change::Write { path: self.path(), bytes: layout::encode(&record) }
    }
}

/// Returns what is recorded of an act.
pub(super) fn acted(view: &dyn View, act: &Act) -> Result<Option<State>> {
    act.read(view)
}

/// Records that an act begins, if it may.
pub(super) fn begin(view: &dyn View, act: &Act, now: Timestamp) -> Result<(Begun, Vec<Change>)> {
    Ok(match act.read(view)? {
        Some(State::Done) => (Begun::Done, Vec::new()),
        Some(State::Started) if !act.idempotent => (Begun::MayHaveHappened, Vec::new()),
        Some(State::Started | State::Failed) | None => (Begun::Go, vec![act.write(State::Started, now)]),
    })
}

/// Records something about an act, whatever is recorded so far.
pub(super) fn note(act: &Act, state: State, now: Timestamp) -> Vec<Change> {
    vec![act.write(state, now)]
}

/// Records how an act ended.
pub(super) fn end(view: &dyn View, act: &Act, state: State, now: Timestamp) -> Result<Vec<Change>> {
    match act.read(view)? {
        Some(_) => Ok(vec![act.write(state, now)]),
        None => Err(RegistryError::corrupt(format!("`{}` ended, and nothing says that it was begun", act.action))),
    }
}
