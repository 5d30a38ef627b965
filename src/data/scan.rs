//! One pass over a table for everything that a gate wants to know of it.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use super::frozen::{Bins, Frozen, FrozenColumn, Kind};
use super::rule::{Broken, Rule, Violation};
use super::{Cell, Fold, Format, Input, Problem, read};
use crate::types::Schema;

/// More distinct values than this are not counted on.
const MAX_CLASSES: usize = 10_000;

/// What a gate wants to know.
#[derive(Debug, Default)]
pub struct Wanted<'w> {
    /// The schemas that the table is held against; the first one says which columns are of texts.
    pub schemas: Vec<&'w Schema>,
    /// The columns whose distinct values are counted.
    pub classes: BTreeSet<String>,
    /// The baselines that the table is compared with, by their paths.
    pub baselines: Vec<(&'w str, &'w Frozen)>,
}

/// What is known of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Its rows.
    pub rows: u64,
    /// Its columns in their order.
    pub columns: Vec<ColumnSummary>,
    /// How each schema is broken, in the order wanted; empty where it holds.
    pub violations: Vec<(String, Vec<Violation>)>,
    /// The counts against each baseline, by its path and the column.
    pub counts: Vec<(String, String, Result<Counts, String>)>,
}

/// What is known of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// Rows without a value.
    pub nulls: u64,
    /// Distinct values, where they were asked for; none beyond 10,000.
    pub classes: Option<u64>,
}

/// A column counted as a column of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub enum Counts {
    /// Numbers.
    Numbers {
        /// Values in each bin, and behind them those in none.
        bins: Vec<u64>,
        /// Values at or below each point of the baseline.
        below: Vec<u64>,
        /// Rows without a value.
        nulls: u64,
        /// Values in all.
        values: u64,
        /// How far the values above the last point are beyond it, together.
        above: f64,
        /// How far the values below the first point are before it, together.
        before: f64,
    },
    /// Texts.
    Categories {
        /// How often each text of the baseline stands, and behind them all others.
        counts: Vec<u64>,
        /// Rows without a value.
        nulls: u64,
    },
    /// The baseline has no distribution of it.
    Open,
}

impl Summary {
    /// Returns the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSummary> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns a column's counts against a baseline.
    #[must_use]
    pub fn counts(&self, path: &str, column: &str) -> Option<&Result<Counts, String>> {
        self.counts.iter().find(|(known, name, _)| known == path && name == column).map(|(_, _, counts)| counts)
    }
}

/// Reads a table once.
///
/// # Errors
/// It can't be read; the first mistake in it.
pub fn scan<'i>(format: Format, input: impl Into<Input<'i>>, wanted: &Wanted<'_>) -> Result<Summary, Problem> {
    let start = |names: &[String]| Table::new(names, wanted);
    let table: Table<'_> = read(format, input, &start)?;
    Ok(table.finish(wanted))
}

/// The fold.
struct Table<'w> {
    names: Vec<String>,
    columns: Vec<ColumnFold<'w>>,
    rows: u64,
}

struct ColumnFold<'w> {
    text: bool,
    rules: Vec<(usize, Rule<'w>, Broken)>,
    empty: u64,
    missing: u64,
    /// Something in it is no number, so that the words for missing values are texts.
    other: bool,
    classes: Option<Classes>,
    drift: Vec<(&'w str, Drift<'w>)>,
}

struct Classes {
    values: BTreeSet<String>,
    words: BTreeSet<String>,
    too_many: bool,
}

impl Classes {
    /// Counts the values: by what they are where the column is not one of texts, since there `3` and `3.0` are one.
    fn count(&self, typed: bool) -> u64 {
        let count = if typed {
            self.values.iter().map(|value| Cell::Field(value).value()).collect::<BTreeSet<_>>().len()
        } else {
            self.values.len() + self.words.len()
        };
        count as u64
    }
}

struct Drift<'w> {
    column: &'w FrozenColumn,
    counts: Counts,
    /// The first value that does not fit the baseline's column.
    misfit: Option<(u64, String)>,
}

impl<'w> Table<'w> {
    fn new(names: &[String], wanted: &Wanted<'w>) -> Result<Self, Problem> {
        let columns = names.iter().map(|name| {
            let mut rules = Vec::new();
            let mut text = None;
            for (index, schema) in wanted.schemas.iter().enumerate() {
                let Some(column) = schema.column(name) else { continue };
                let rule = Rule::new(column)?;
                text.get_or_insert(rule.is_text());
                rules.push((index, rule, Broken::default()));
            }
            let classes = wanted.classes.contains(name).then(|| Classes {
                values: BTreeSet::new(),
                words: BTreeSet::new(),
                too_many: false,
            });
            let drift = wanted.baselines.iter().filter_map(|(path, frozen)| {
                let column = frozen.column(name)?;
                Some((*path, Drift { column, counts: Counts::of(&column.kind), misfit: None }))
            });
            Ok(ColumnFold {
                text: text == Some(true),
                rules,
                empty: 0,
                missing: 0,
                other: text == Some(true),
                classes,
                drift: drift.collect(),
            })
        });
        Ok(Self { names: names.to_vec(), columns: columns.collect::<Result<_, Problem>>()?, rows: 0 })
    }

    fn finish(self, wanted: &Wanted<'_>) -> Summary {
        let mut summary = Summary { rows: self.rows, ..Summary::default() };
        let mut violations: Vec<Vec<Violation>> = wanted.schemas.iter().map(|_| Vec::new()).collect();
        for (schema, found) in wanted.schemas.iter().zip(&mut violations) {
            for column in schema.columns.iter().filter(|column| !self.names.contains(&column.name)) {
                let what = format!("there is no column `{}`", column.name);
                found.push(Violation { column: column.name.clone(), what, cells: self.rows });
            }
        }
        for (name, column) in self.names.into_iter().zip(self.columns) {
            for (index, rule, broken) in &column.rules {
                violations[*index].extend(rule.violations(broken));
            }
            let declared = column.rules.first().map(|(_, rule, _)| !rule.is_text());
            let typed = declared.unwrap_or(!column.other);
            let nulls = if typed { column.empty + column.missing } else { column.empty };
            let classes = column.classes.filter(|classes| !classes.too_many).map(|classes| classes.count(typed));
            for (path, drift) in column.drift {
                let counts = match drift.misfit {
                    Some((line, text)) => {
                        Err(format!("line {line}: `{name}` is `{text}`, and the baseline has numbers there"))
                    }
                    None => Ok(drift.counts.summed()),
                };
                summary.counts.push((path.to_owned(), name.clone(), counts));
            }
            summary.columns.push(ColumnSummary { name, nulls, classes });
        }
        summary.violations =
            wanted.schemas.iter().zip(violations).map(|(schema, found)| (schema.name.clone(), found)).collect();
        summary
    }
}

impl Fold for Table<'_> {
    fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Result<(), Problem> {
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.take(line, cell);
        }
        Ok(())
    }

    fn join(&mut self, later: Self) -> Result<(), Problem> {
        self.rows += later.rows;
        for (column, later) in self.columns.iter_mut().zip(later.columns) {
            column.join(later);
        }
        Ok(())
    }
}

impl ColumnFold<'_> {
    fn take(&mut self, line: u64, cell: &Cell<'_>) {
        for (_, rule, broken) in &mut self.rules {
            rule.check(line, cell, broken);
        }
        // Read once, however many ask.
        let number = LazyCell::new(|| cell.number());
        for (_, drift) in &mut self.drift {
            drift.take(line, cell, &number);
        }
        if cell.is_null() {
            self.empty += 1;
            return;
        }
        let missing = cell.is_missing();
        if missing {
            self.missing += 1;
        } else if !self.other && self.rules.is_empty() && number.is_none() && cell.truth().is_none() {
            // Times are texts here, too, unless a schema says that they are times.
            self.other = true;
        }
        if let Some(classes) = &mut self.classes {
            let values = if missing && !self.text { &mut classes.words } else { &mut classes.values };
            if !classes.too_many && !values.contains(cell.text().as_ref()) {
                values.insert(cell.text().into_owned());
                classes.too_many = values.len() > MAX_CLASSES;
            }
        }
    }

    fn join(&mut self, later: Self) {
        for ((_, _, mine), (_, _, later)) in self.rules.iter_mut().zip(later.rules) {
            mine.join(later);
        }
        for ((_, mine), (_, later)) in self.drift.iter_mut().zip(later.drift) {
            mine.counts.join(&later.counts);
            mine.misfit = mine.misfit.take().or(later.misfit);
        }
        self.empty += later.empty;
        self.missing += later.missing;
        self.other |= later.other;
        if let (Some(mine), Some(later)) = (&mut self.classes, later.classes) {
            mine.values.extend(later.values);
            mine.words.extend(later.words);
            mine.too_many |= later.too_many || mine.values.len() > MAX_CLASSES;
        }
    }
}

impl Drift<'_> {
    fn take<N: FnOnce() -> Option<f64>>(&mut self, line: u64, cell: &Cell<'_>, number: &LazyCell<Option<f64>, N>) {
        match (&self.column.kind, &mut self.counts) {
            (Kind::Numbers { bins: of, points, .. }, Counts::Numbers { bins, below, nulls, values, above, before }) => {
                if cell.is_missing() {
                    *nulls += 1;
                    return;
                }
                let Some(number) = **number else {
                    let text = cell.text().chars().take(40).collect();
                    self.misfit.get_or_insert((line, text));
                    return;
                };
                *values += 1;
                let last = bins.len() - 1;
                bins[of.of(number).unwrap_or(last)] += 1;
                // It is at or below every point from here on: the counts are summed up at the end.
                let point = points.partition_point(|point| *point < number);
                match points.get(point) {
                    Some(first) if point == 0 => *before += first - number,
                    Some(_) => {}
                    None => *above += number - points.last().copied().unwrap_or(number),
                }
                if let Some(count) = below.get_mut(point) {
                    *count += 1;
                }
            }
            (Kind::Categories { values, .. }, Counts::Categories { counts, nulls }) => {
                if cell.is_null() {
                    *nulls += 1;
                    return;
                }
                let text = cell.text();
                let place = values.binary_search_by(|known| known.as_str().cmp(text.as_ref()));
                let last = counts.len() - 1;
                counts[place.unwrap_or(last)] += 1;
            }
            _ => {}
        }
    }
}

impl Counts {
    fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Numbers { bins, points, .. } => Self::Numbers {
                // Bins that are open take every number.
                bins: vec![0; bins.count() + usize::from(matches!(bins, Bins::Values(_)))],
                below: vec![0; points.len()],
                nulls: 0,
                values: 0,
                above: 0.0,
                before: 0.0,
            },
            Kind::Categories { values, .. } => Self::Categories { counts: vec![0; values.len() + 1], nulls: 0 },
            Kind::Open {} => Self::Open,
        }
    }

    /// Turns the values between two points into the values at or below each.
    fn summed(mut self) -> Self {
        if let Self::Numbers { below, .. } = &mut self {
            let mut sum = 0;
            for count in below {
                sum += *count;
                *count = sum;
            }
        }
        self
    }

    fn join(&mut self, later: &Self) {
        fn add(mine: &mut [u64], later: &[u64]) {
            mine.iter_mut().zip(later).for_each(|(mine, later)| *mine += later);
        }
        match (self, later) {
            (
                Self::Numbers { bins, below, nulls, values, above, before },
                Self::Numbers { bins: b, below: w, nulls: n, values: v, above: a, before: f },
            ) => {
                add(bins, b);
                add(below, w);
                *nulls += n;
                *values += v;
                *above += a;
                *before += f;
            }
            (Self::Categories { counts, nulls }, Self::Categories { counts: c, nulls: n }) => {
                add(counts, c);
                *nulls += n;
            }
            _ => {}
        }
    }
}
