//! What a schema asks of the cells of one column, and how often they break it.

use std::collections::BTreeMap;

use regex::Regex;

use super::{Cell, Problem};
use crate::types::{Bound, Column, Range, Type};

/// So many broken cells are kept with their lines.
const SHOWN: usize = 3;

/// A ratio is a share where its declaration says nothing else.
const SHARE: Range = Range { low: Some(Bound { at: 0.0, open: false }), high: Some(Bound { at: 1.0, open: false }) };

/// A column's rule, ready to be asked.
#[derive(Debug)]
pub(super) struct Rule<'s> {
    column: &'s Column,
    matches: Option<Regex>,
    ty: &'s Type,
    optional: bool,
}

/// Cells that break a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The column.
    pub column: String,
    /// What is wrong, with its first values and lines.
    pub what: String,
    /// How many cells are.
    pub cells: u64,
}

/// In which way a cell breaks the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Breach {
    Null,
    Type,
    Range,
    Pattern,
    Twice,
}

/// How often a rule was broken.
#[derive(Debug, Default)]
pub(super) struct Broken {
    ways: BTreeMap<Breach, (u64, Vec<(u64, String)>)>,
    /// The first line of each value, where no value may stand twice.
    seen: std::collections::HashMap<u128, u64>,
}

impl<'s> Rule<'s> {
    pub(super) fn new(column: &'s Column) -> Result<Self, Problem> {
        let compile = |pattern: &String| {
            Regex::new(pattern).map_err(|error| Problem::whole(format!("`matches` of `{}`: {error}", column.name)))
        };
        let (ty, optional) = column.value();
        Ok(Self { column, matches: column.matches.as_ref().map(compile).transpose()?, ty, optional })
    }

    /// Tells whether the column is one of texts.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.ty, Type::String | Type::Enum(_))
    }

    /// Takes a cell.
    pub(super) fn check(&self, line: u64, cell: &Cell<'_>, broken: &mut Broken) {
        let null = if self.is_text() { cell.is_null() } else { cell.is_missing() };
        if null {
            if !self.optional {
                broken.add(Breach::Null, line, String::new);
            }
            return;
        }
        if let Some(breach) = self.breach(cell) {
            broken.add(breach, line, || cell.text().into_owned());
            return;
        }
        if self.matches.as_ref().is_some_and(|pattern| !pattern.is_match(&cell.text())) {
            broken.add(Breach::Pattern, line, || cell.text().into_owned());
        }
        if self.column.unique {
            let value = if self.is_text() { cell.text() } else { cell.value() };
            let hash = blake3::hash(value.as_bytes());
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&hash.as_bytes()[..16]);
            let text = || cell.text().into_owned();
            broken.stand(u128::from_le_bytes(bytes), line, text);
        }
    }

    fn breach(&self, cell: &Cell<'_>) -> Option<Breach> {
        let ranged = |range: &Range, number: f64| (!range.holds(number)).then_some(Breach::Range);
        match self.ty {
            Type::Int(range) => match cell.number() {
                Some(number) if cell.is_whole() => ranged(range, number),
                _ => Some(Breach::Type),
            },
            Type::Float(range) => cell.number().map_or(Some(Breach::Type), |number| ranged(range, number)),
            Type::Ratio(range) => {
                let range = if *range == Range::ANY { &SHARE } else { range };
                cell.number().map_or(Some(Breach::Type), |number| ranged(range, number))
            }
            Type::Bool => cell.truth().is_none().then_some(Breach::Type),
            Type::Timestamp => (!cell.is_time()).then_some(Breach::Type),
            Type::String => (!cell.is_text()).then_some(Breach::Type),
            Type::Enum(texts) => {
                let text = cell.text();
                (!cell.is_text() || !texts.iter().any(|known| *known == text)).then_some(Breach::Range)
            }
            _ => Some(Breach::Type),
        }
    }

    /// Says what was found.
    pub(super) fn violations(&self, broken: &Broken) -> Vec<Violation> {
        let name = &self.column.name;
        let found = broken.ways.iter().map(|(breach, (cells, first))| {
            let values: Vec<String> = first.iter().map(|(line, text)| place(*breach, *line, text)).collect();
            let more = if *cells > first.len() as u64 { ", …" } else { "" };
            let values = format!("{}{more}", values.join(", "));
            let ty = self.ty;
            let what = match breach {
                Breach::Null => format!("`{name}` is null ({values})"),
                Breach::Type => format!("`{name}` is no `{}` ({values})", bare(ty)),
                Breach::Range => format!("`{name}` is outside `{ty}` ({values})"),
                Breach::Pattern => {
                    let pattern = self.column.matches.as_deref().unwrap_or_default();
                    format!("`{name}` does not match `{pattern}` ({values})")
                }
                Breach::Twice => format!("`{name}` is not unique ({values})"),
            };
            Violation { column: name.clone(), what, cells: *cells }
        });
        found.collect()
    }
}

/// Writes a type without its range: what the value is not even of.
fn bare(ty: &Type) -> String {
    match ty {
        Type::Int(_) => "int".to_owned(),
        Type::Float(_) => "float".to_owned(),
        Type::Ratio(_) => "ratio".to_owned(),
        other => other.to_string(),
    }
}

fn place(breach: Breach, line: u64, text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let short = if short.len() < text.len() { format!("{short}…") } else { short };
    if breach == Breach::Null { format!("line {line}") } else { format!("line {line}: `{}`", short.replace('`', "'")) }
}

impl Broken {
    fn add(&mut self, breach: Breach, line: u64, text: impl FnOnce() -> String) {
        let (count, first) = self.ways.entry(breach).or_default();
        *count += 1;
        if first.len() < SHOWN {
            first.push((line, text()));
        }
    }

    fn stand(&mut self, hash: u128, line: u64, text: impl FnOnce() -> String) {
        match self.seen.entry(hash) {
            std::collections::hash_map::Entry::Occupied(_) => self.add(Breach::Twice, line, text),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(line);
            }
        }
    }

    /// Takes what was found in the rows that follow.
    pub(super) fn join(&mut self, later: Self) {
        let mut again: Vec<u64> = Vec::new();
        for (hash, line) in later.seen {
            match self.seen.entry(hash) {
                std::collections::hash_map::Entry::Occupied(_) => again.push(line),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(line);
                }
            }
        }
        for (breach, (count, first)) in later.ways {
            let (mine, known) = self.ways.entry(breach).or_default();
            *mine += count;
            known.extend(first);
        }
        // The values themselves were in the earlier part; their lines say enough.
        again.sort_unstable();
        for line in &again {
            let (count, known) = self.ways.entry(Breach::Twice).or_default();
            *count += 1;
            known.push((*line, String::new()));
            if known.len() > 4 * SHOWN {
                known.sort();
                known.truncate(SHOWN);
            }
        }
        for (_, known) in self.ways.values_mut() {
            known.sort();
            known.truncate(SHOWN);
        }
    }
}
