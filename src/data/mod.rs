//! Tables: strict readers, and what a gate wants to know of the rows. Pure: bytes come in from a reader, a summary goes
//! out; whoever opens the file stands elsewhere. Knows neither gates nor verdicts.

mod cell;
mod csv;
mod frozen;
mod jsonl;
mod predictions;
mod rule;
mod scan;

use std::fmt;
use std::io::Read;

pub use cell::Cell;
pub use frozen::{Bins, Builder, FORMAT as BASELINE_FORMAT, Frozen, FrozenColumn, Kind, MAX_CATEGORIES};
pub use predictions::{Grouped, Predictions, PredictionsWanted, predictions};
pub use rule::Violation;
pub use scan::{ColumnSummary, Counts, Summary, Wanted, scan};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header line.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Returns the format of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Why a table can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1, where it is one line's fault.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    pub(crate) fn at(line: u64, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }

    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What is made of rows, one after the other; parts of a table are joined in their order.
pub trait Fold: Send + Sized {
    /// Takes a row: as many cells as there are columns.
    ///
    /// # Errors
    /// The row makes the table unreadable.
    fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Result<(), Problem>;

    /// Takes what was made of the rows that follow.
    ///
    /// # Errors
    /// Together they are too much.
    fn join(&mut self, later: Self) -> Result<(), Problem>;
}

/// Reads a table: `start` makes an empty fold for its columns, perhaps several times, for parts that are read at once.
///
/// # Errors
/// The first thing that is wrong with the table.
pub fn read<F: Fold>(
    format: Format,
    input: &mut dyn Read,
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    match format {
        Format::Csv => csv::read(input, start),
        Format::Jsonl => jsonl::read(input, start),
        Format::Parquet => {
            Err(Problem::whole("this mlpc does not read Parquet: write `Dataset<csv>` or `Dataset<jsonl>`"))
        }
    }
}

/// Returns the names of a CSV file's columns, from its first bytes.
///
/// # Errors
/// There is no header, or a name in it is empty or stands twice.
pub fn header(bytes: &[u8]) -> Result<Vec<String>, Problem> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let (names, _) = csv::header(bytes)?;
    check_names(&names)?;
    Ok(names)
}

/// Says that a name stands twice among columns, or that one has none.
fn check_names(names: &[String]) -> Result<(), Problem> {
    let mut seen = std::collections::BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Problem::at(1, format!("column {} has no name", index + 1)));
        }
        if !seen.insert(name) {
            return Err(Problem::at(1, format!("two columns are named `{name}`")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
