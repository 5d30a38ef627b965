//! Tables: strict readers, and what a gate wants to know of the rows. Pure: bytes come in from a reader, a summary goes
//! out; whoever opens the file stands elsewhere. Knows neither gates nor verdicts.

mod cell;
mod csv;
mod frozen;
mod jsonl;
mod numeral;
#[cfg(feature = "parquet")]
mod parquet;
mod places;
mod predictions;
mod rule;
mod scan;

use std::fmt;

pub use cell::Cell;
pub use frozen::{Bins, Builder, FORMAT as BASELINE_FORMAT, Frozen, FrozenColumn, Kind, MAX_CATEGORIES};
pub(crate) use numeral::respelt;
pub use places::{Input, Places};
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

    /// Tells whether it is read at any place, and not from first to last.
    #[must_use]
    pub fn is_placed(self) -> bool {
        self == Self::Parquet
    }

    /// Says why this build of mlpc does not read it, if it does not.
    #[must_use]
    pub fn unread(self) -> Option<&'static str> {
        (self == Self::Parquet && !cfg!(feature = "parquet")).then_some(
            "this build of mlpc reads no Parquet: it was built without the feature `parquet`; `cargo install --features parquet`, or \
             write `Dataset<csv>` or `Dataset<jsonl>`",
        )
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
pub fn read<'i, F: Fold>(
    format: Format,
    input: impl Into<Input<'i>>,
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    if let Some(why) = format.unread() {
        return Err(Problem::whole(why));
    }
    match (format, input.into()) {
        (Format::Csv, Input::Stream(input)) => csv::read(input, start),
        (Format::Jsonl, Input::Stream(input)) => jsonl::read(input, start),
        #[cfg(feature = "parquet")]
        (Format::Parquet, Input::Places(places)) => parquet::read(places, start),
        (_, input) => Err(Problem::whole(format!("a table of this format is not read as {input:?}"))),
    }
}

/// Says what is wrong with a file of a format before any of its rows is read: for Parquet the ends, and the directory where
/// this build reads it.
///
/// # Errors
/// It is no file of the format.
pub fn look(format: Format, places: &std::sync::Arc<dyn Places>) -> Result<(), Problem> {
    if format != Format::Parquet {
        return Ok(());
    }
    let (mut first, mut last) = ([0; 4], [0; 4]);
    let end = places.size().saturating_sub(4);
    let whole = |read: std::io::Result<usize>| matches!(read, Ok(4));
    let both = whole(places.read_at(&mut first, 0)) && whole(places.read_at(&mut last, end));
    if !both || first != *b"PAR1" || last != *b"PAR1" || end < 8 {
        return Err(Problem::whole("a Parquet file begins and ends with `PAR1`"));
    }
    #[cfg(feature = "parquet")]
    parquet::look(places)?;
    Ok(())
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
