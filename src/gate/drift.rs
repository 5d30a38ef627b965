//! What all kinds of drift share: the columns, their counts beside the baseline's, and the verdict over all of them.

use super::case::{Case, Undecided};
use super::evaluate::asked;
use super::judged::{Judged, Part, Standing};
use super::number::{Unit, number_text};
use super::report::Limit;
use super::{Columns, Compare, Level, Measure, Requirement, TableRef};
use crate::data::{Counts, Frozen, FrozenColumn, Kind, Summary};
use crate::types::Value;

/// A column on both sides.
pub(super) struct Pair<'a> {
    /// The baseline's.
    pub(super) frozen: &'a FrozenColumn,
    /// What was counted now.
    pub(super) counts: &'a Counts,
}

/// What a kind of drift makes of one column.
pub(super) struct Drifted {
    /// The number.
    pub(super) value: f64,
    /// The chance of it where nothing has changed.
    pub(super) p: Option<f64>,
    /// Why it says nothing, whatever it is.
    pub(super) unclear: Option<String>,
}

/// How a column stands.
pub(super) struct Decided {
    /// Whether it holds.
    pub(super) standing: Standing,
    /// The number that is shown.
    pub(super) value: f64,
    /// Why, where the numbers do not say it.
    pub(super) reason: Option<String>,
}

impl Decided {
    /// By the limit alone, unless chance drowns it.
    pub(super) fn plain(drifted: &Drifted, limit: Option<Limit>) -> Self {
        let standing = match &drifted.unclear {
            Some(_) => Standing::Unclear,
            None if within(limit, drifted.value) => Standing::Holds,
            None => Standing::Fails,
        };
        Self { standing, value: drifted.value, reason: drifted.unclear.clone() }
    }
}

/// Returns the table that a measure looks into; a plan without one was not made by the checker.
pub(super) fn table_of(measure: &Measure) -> Result<&TableRef, Undecided> {
    let none = || Undecided::Error(format!("`{}` names no table", measure.kind));
    measure.table.as_ref().ok_or_else(none)
}

/// Returns the columns that are looked at: of the table, then those that the baseline alone has.
pub(super) fn columns(table: &TableRef, summary: &Summary, frozen: Option<&Frozen>) -> Vec<String> {
    match &table.columns {
        None => Vec::new(),
        Some(Columns::One(column)) => vec![column.clone()],
        Some(Columns::All { except }) => {
            let mut names: Vec<String> = summary.columns.iter().map(|column| column.name.clone()).collect();
            let more = frozen.into_iter().flat_map(|frozen| &frozen.columns);
            names
                .extend(more.filter(|column| summary.column(&column.name).is_none()).map(|column| column.name.clone()));
            names.retain(|name| !except.contains(name));
            names
        }
    }
}

impl Pair<'_> {
    /// Returns the counts of both sides in the same bins: those of the baseline, one for nulls, and one for what the
    /// baseline has never seen.
    pub(super) fn bins(&self) -> Option<(Vec<u64>, Vec<u64>)> {
        let (mut reference, mut current, nulls) = match (&self.frozen.kind, self.counts) {
            (Kind::Numbers { counts, .. }, Counts::Numbers { bins, nulls, .. }) => {
                (counts.clone(), bins.clone(), nulls)
            }
            (Kind::Categories { counts, .. }, Counts::Categories { counts: current, nulls }) => {
                (counts.clone(), current.clone(), nulls)
            }
            _ => return None,
        };
        reference.resize(current.len(), 0);
        reference.push(self.frozen.nulls);
        current.push(*nulls);
        Some((reference, current))
    }
}

/// Returns the share that an option gives.
pub(super) fn share(measure: &Measure, name: &str) -> Option<f64> {
    measure.options.get(name).and_then(Value::number)
}

/// Measures each column and decides over all of them.
///
/// `only` says which columns `*` means: the others have no such number; named by itself such a column is an error.
/// `decide` says how a column stands, by its number, its adjusted p-value and the limit.
pub(super) fn judge(
    case: &Case<'_>,
    requirement: &Requirement,
    limit: Option<Limit>,
    only: fn(&Kind) -> bool,
    drift: &dyn Fn(&Pair<'_>) -> Option<Drifted>,
    decide: &dyn Fn(&Drifted, f64) -> Decided,
) -> Result<Judged, Undecided> {
    let measure = &requirement.measure;
    let table = table_of(measure)?;
    let summary = case.table(table)?;
    let path = table.against.as_deref().ok_or_else(|| Undecided::Error("it compares with nothing".to_owned()))?;
    let frozen = case.frozen(path)?;
    if summary.rows == 0 {
        return Err(Undecided::Inconclusive("there are no rows under the header".to_owned()));
    }
    let all = matches!(table.columns, Some(Columns::All { .. }));
    let mut parts: Vec<Part> = Vec::new();
    let mut measured: Vec<(usize, Drifted)> = Vec::new();
    for name in columns(table, summary, Some(frozen)) {
        let found = pair(summary, frozen, path, &name);
        let wrong = match found {
            Ok(pair) if !only(&pair.frozen.kind) => {
                if all {
                    continue;
                }
                format!("`{name}` is not of a kind that `{}` can compare", measure.kind)
            }
            Ok(pair) => match drift(&pair) {
                Some(drifted) => {
                    measured.push((parts.len(), drifted));
                    String::new()
                }
                None => format!("`{name}` is of one kind in the data and of another in `{path}`"),
            },
            Err(why) => why,
        };
        parts.push(Part {
            name,
            value: None,
            limit: None,
            p: None,
            n: None,
            verdict: Standing::Wrong.outcome(requirement.level),
            reason: Some(wrong).filter(|why| !why.is_empty()),
        });
    }
    if parts.is_empty() {
        let why = format!("`{path}` has no column that `{}` can compare", measure.kind);
        return Err(Undecided::Error(why));
    }
    let p_values: Vec<f64> = measured.iter().map(|(_, drifted)| drifted.p.unwrap_or(1.0)).collect();
    let adjusted = crate::stats::holm(&p_values);
    let mut standings = vec![Standing::Wrong; parts.len()];
    for ((index, drifted), adjusted) in measured.iter().zip(adjusted) {
        let decided = decide(drifted, adjusted);
        let part = &mut parts[*index];
        part.value = Some(decided.value);
        part.p = drifted.p.map(|_| adjusted);
        part.reason = decided.reason;
        part.verdict = decided.standing.outcome(requirement.level);
        standings[*index] = decided.standing;
    }
    Ok(conclude(requirement, limit, parts, &standings))
}

fn pair<'a>(summary: &'a Summary, frozen: &'a Frozen, path: &str, name: &str) -> Result<Pair<'a>, String> {
    if summary.column(name).is_none() {
        return Err(format!("the data has no column `{name}`, and `{path}` has"));
    }
    let Some(column) = frozen.column(name) else {
        return Err(format!("`{path}` has no column `{name}`"));
    };
    match summary.counts(path, name) {
        Some(Ok(counts)) => Ok(Pair { frozen: column, counts }),
        Some(Err(why)) => Err(why.clone()),
        None => Err(format!("nobody counted `{name}`")),
    }
}

/// Sums up columns or groups: the worst decides, and of equally bad ones the farthest from its limit.
pub(super) fn conclude(
    requirement: &Requirement,
    limit: Option<Limit>,
    parts: Vec<Part>,
    standings: &[Standing],
) -> Judged {
    let lower_is_worse = matches!(limit, Some(Limit::Compare { op: Compare::AtLeast | Compare::Greater, .. }));
    let badness = |index: usize| {
        let value = parts[index].value.unwrap_or(f64::INFINITY);
        if lower_is_worse { -value } else { value }
    };
    let mut worst = 0;
    for index in 1..parts.len() {
        let (one, other) = (standings[index], standings[worst]);
        if one > other || (one == other && badness(index) > badness(worst)) {
            worst = index;
        }
    }
    let (standing, part) = (standings[worst], &parts[worst]);
    let unit = Unit::of(&requirement.measure.ty);
    let label = format!("{}({})", requirement.measure.kind, part.name);
    let same = standings.iter().filter(|other| **other == standing).count();
    let others = match same {
        0 | 1 => String::new(),
        2 => "; 1 other column with it".to_owned(),
        _ => format!("; {} other columns with it", same - 1),
    };
    let text = |value: Option<f64>| value.map_or_else(|| "no number".to_owned(), |value| number_text(unit, value));
    let verb = if requirement.level == Level::Require { "required" } else { "hoped for" };
    let reason = match (standing, &part.reason, limit) {
        (Standing::Holds, _, Some(limit)) => {
            format!("`{label}` is {}, and {} is {verb}", text(part.value), asked(limit, unit))
        }
        (Standing::Holds, _, None) => format!("`{label}` is {}, which chance explains", text(part.value)),
        (Standing::Fails, None, Some(limit)) => {
            format!("`{label}` is {}, but {} is {verb}{others}", text(part.value), asked(limit, unit))
        }
        (_, Some(reason), _) => format!("{reason}{others}"),
        (_, None, _) => format!("`{label}` is {}{others}", text(part.value)),
    };
    let value = part.value;
    // One column alone is the line itself.
    let parts =
        if matches!(requirement.measure.table.as_ref().and_then(|table| table.columns.as_ref()), Some(Columns::One(_)))
            && parts.len() == 1
            && parts[0].p.is_none()
        {
            Vec::new()
        } else {
            parts
        };
    Judged { value, candidate: None, baseline: None, standing, reason, parts }
}

/// Tells whether a number is within its limit.
pub(super) fn within(limit: Option<Limit>, value: f64) -> bool {
    match limit {
        Some(Limit::Compare { op, at }) => op.holds(value, at),
        Some(Limit::Between { low, high }) => low <= value && value <= high,
        None => true,
    }
}

/// Returns the number that a limit is about, where it is an upper one.
pub(super) fn ceiling(limit: Option<Limit>) -> Option<f64> {
    match limit {
        Some(Limit::Compare { op: Compare::Less | Compare::AtMost | Compare::Equal, at }) => Some(at),
        Some(Limit::Between { high, .. }) => Some(high),
        _ => None,
    }
}
