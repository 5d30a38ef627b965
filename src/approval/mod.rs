//! People's decisions on this machine: who was asked about which digest, and what they said.
//!
//! The record is append-only, one JSON object a line, under a lock. A decision is bound to what was shown: the digest of its
//! subject and those of the gate reports that admitted it; and to the time it was asked at: too late is a rejection, and so
//! is no answer.

mod about;
mod archive;
mod record;
pub mod terraform;

use std::fmt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

pub use about::{About, about};
pub use record::{Asked, Decided, Record, Shown};

use crate::gate::Decision;
use crate::host::clock::iso;
use crate::host::{Error, Result};
use crate::types::duration_text;

/// How an approval stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has decided yet, and there is time left.
    Waiting {
        /// When it becomes a rejection.
        until: Timestamp,
    },
    /// It was given in time.
    Approved {
        /// Who gave it.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// It was refused, or the time ran out.
    Rejected {
        /// Who refused; nobody where the time ran out.
        by: Option<String>,
        /// When it was refused, or when the time ran out.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

/// Records that a person is asked. Asking the same again in the same run changes nothing: the first time counts. What was
/// decided in this run holds where gates were evaluated again and said the same, requirement by requirement; a refusal
/// holds in any case.
///
/// # Errors
/// The record can't be read or written.
pub fn ask(workspace: &Path, asked: &Asked) -> Result<Asked> {
    let _lock = record::lock(workspace)?;
    let records = record::read(workspace)?;
    let of_run = |record: &&Record| matches!(record, Record::Asked(old) if is_again(old, asked));
    let before: Vec<&Asked> = records
        .iter()
        .filter(of_run)
        .filter_map(|record| match record {
            Record::Asked(old) => Some(old),
            Record::Decided(_) => None,
        })
        .collect();
    if let Some(last) = before.last().filter(|last| is_same(last, asked)) {
        return Ok((*last).clone());
    }
    let says_the_same = |old: &&&Asked| old.said() == asked.said();
    let holds = |old: &&&Asked| match judge(&records, old, asked.at) {
        Standing::Waiting { .. } => false,
        Standing::Approved { .. } => says_the_same(old),
        Standing::Rejected { .. } => true,
    };
    if let Some(decided) = before.iter().find(holds) {
        return Ok((*decided).clone());
    }
    // The time to decide does not begin anew with each part of a run.
    let since = before.iter().find(says_the_same).map_or(asked.at, |old| old.at);
    let asked = Asked { at: since, ..asked.clone() };
    record::append(workspace, &Record::Asked(asked.clone()))?;
    Ok(asked)
}

/// Tells whether the same run asks about the same bytes.
fn is_again(a: &Asked, b: &Asked) -> bool {
    a.run == b.run && a.approval == b.approval && a.digest == b.digest
}

/// Tells whether two questions are one: about the same bytes, and with the same reports.
#[must_use]
pub fn is_same(a: &Asked, b: &Asked) -> bool {
    a.approval == b.approval && a.digest == b.digest && a.reports() == b.reports()
}

/// Why a decision was not recorded.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody's decision.
    Nobody,
    /// The person is not among those who may decide.
    NotAmong(String),
    /// By this machine's clock it comes before the question: it could never count.
    BeforeAsked(String),
    /// The record can't be read or written.
    Record(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Record(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str(NOBODY),
            Self::NotAmong(why) | Self::BeforeAsked(why) => f.write_str(why),
            Self::Record(error) => error.fmt(f),
        }
    }
}

/// What is said where it is not known who decides.
pub const NOBODY: &str = "who decides is not known; say it with `--as LOGIN`";

/// Tells whether a login names nobody, or can't be shown on one line.
#[must_use]
pub fn is_nobody(login: &str) -> bool {
    login.trim().is_empty() || login.chars().any(char::is_control)
}

/// Records a decision about what was asked.
///
/// # Errors
/// It is nobody's, the person is not among those who may decide, the clock stands before the question, or the record can't be read or
/// written.
pub fn decide(workspace: &Path, asked: &Asked, decided: &Decided) -> Result<Standing, Refusal> {
    if is_nobody(&decided.by) {
        return Err(Refusal::Nobody);
    }
    if !asked.by.is_empty() && !asked.by.contains(&decided.by) {
        let names: Vec<_> = asked.by.iter().map(|name| format!("`{name}`")).collect();
        let (name, who) = (&asked.approval, &decided.by);
        return Err(Refusal::NotAmong(format!("`{who}` may not decide about `{name}`; {} may", names.join(", "))));
    }
    if decided.at < asked.at {
        return Err(Refusal::BeforeAsked(format!(
            "by the clock of this machine it is {}, and `{}` was asked at {}: a decision from before the question never \
             counts; set the clock right and decide again, or run again to be asked anew",
            iso(decided.at),
            asked.approval,
            iso(asked.at)
        )));
    }
    let _lock = record::lock(workspace)?;
    let standing = judge(&record::read(workspace)?, asked, decided.at);
    if !matches!(standing, Standing::Waiting { .. }) {
        return Ok(standing);
    }
    record::append(workspace, &Record::Decided(decided.clone()))?;
    Ok(judge(&record::read(workspace)?, asked, decided.at))
}

/// Returns how what was asked stands.
///
/// # Errors
/// The record can't be read.
pub fn find(workspace: &Path, asked: &Asked, now: Timestamp) -> Result<Standing> {
    Ok(judge(&record::read(workspace)?, asked, now))
}

/// Returns the last decision about the same bytes that does not count, since other gate reports were shown with it.
///
/// # Errors
/// The record can't be read.
pub fn of_other_reports(workspace: &Path, asked: &Asked) -> Result<Option<Decided>> {
    let decisions = record::read(workspace)?.into_iter().rev().filter_map(|record| match record {
        Record::Decided(decided) => Some(decided),
        Record::Asked(_) => None,
    });
    let mut about = decisions.filter(|decided| decided.approval == asked.approval && decided.digest == asked.digest);
    Ok(about.find(|decided| decided.at >= asked.at && decided.reports != asked.reports()))
}

/// Returns everything that waits for a decision at `now`, in the order in which it was asked.
///
/// # Errors
/// The record can't be read.
pub fn waiting(workspace: &Path, now: Timestamp) -> Result<Vec<Asked>> {
    let records = record::read(workspace)?;
    let asked: Vec<&Asked> = records
        .iter()
        .filter_map(|record| match record {
            Record::Asked(asked) => Some(asked),
            Record::Decided(_) => None,
        })
        .collect();
    // Of a run that was gone on with, only its last question is still one.
    let is_last = |index: usize, one: &Asked| !asked[index + 1..].iter().any(|later| is_again(later, one));
    let waits = |one: &Asked| matches!(judge(&records, one, now), Standing::Waiting { .. });
    let still = asked.iter().enumerate().filter(|(index, one)| is_last(*index, one) && waits(one));
    Ok(still.map(|(_, one)| (*one).clone()).collect())
}

/// Returns everything that was asked, decided or not, in that order.
///
/// # Errors
/// The record can't be read.
pub fn asked(workspace: &Path) -> Result<Vec<Asked>> {
    let asked = record::read(workspace)?.into_iter().filter_map(|record| match record {
        Record::Asked(asked) => Some(asked),
        Record::Decided(_) => None,
    });
    Ok(asked.collect())
}

fn judge(records: &[Record], asked: &Asked, now: Timestamp) -> Standing {
    let (until, reports) = (deadline(asked), asked.reports());
    let of_this = records.iter().filter_map(|record| match record {
        Record::Decided(decided)
            if decided.approval == asked.approval
                && decided.digest == asked.digest
                && decided.reports == reports
                && decided.at >= asked.at
                && !is_nobody(&decided.by) =>
        {
            Some(decided)
        }
        _ => None,
    });
    let decisions: Vec<&Decided> = of_this.collect();
    // A refusal is final, whatever else was said.
    if let Some(refused) = decisions.iter().find(|decided| !decided.given) {
        let reason = refused.reason.clone().unwrap_or_else(|| "no reason given".to_owned());
        return Standing::Rejected { by: Some(refused.by.clone()), at: refused.at, reason };
    }
    if let Some(given) = decisions.iter().find(|decided| decided.at <= until) {
        return Standing::Approved { by: given.by.clone(), at: given.at };
    }
    let timeout = duration_text(asked.timeout);
    if let Some(late) = decisions.first() {
        let reason = format!("it came at {}, later than {timeout} after it was asked", iso(late.at));
        return Standing::Rejected { by: Some(late.by.clone()), at: late.at, reason };
    }
    if now > until {
        return Standing::Rejected { by: None, at: until, reason: format!("nobody decided within {timeout}") };
    }
    Standing::Waiting { until }
}

fn deadline(asked: &Asked) -> Timestamp {
    asked.at.checked_add(SignedDuration::from_nanos(asked.timeout.max(0))).unwrap_or(Timestamp::MAX)
}

impl Standing {
    /// Returns what a gate report says of it; `None` while it waits.
    #[must_use]
    pub fn decision(&self, approval: &str) -> Option<Decision> {
        let approval = approval.to_owned();
        match self {
            Self::Waiting { .. } => None,
            Self::Approved { by, at } => {
                Some(Decision { approval, given: true, by: Some(by.clone()), at: Some(iso(*at)), reason: None })
            }
            Self::Rejected { by, at, reason } => Some(Decision {
                approval,
                given: false,
                by: by.clone(),
                at: Some(iso(*at)),
                reason: Some(reason.clone()),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
