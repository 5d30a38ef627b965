//! Apache Parquet: plain columns, read a batch at a time, row groups on several threads. Their results are joined in order, so that
//! the outcome does not depend on the threads. A line, in what is said of a cell, is a row, from 1.

mod column;
mod meaning;

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ReadResult};
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};

use self::column::Column;
use self::meaning::{Meaning, meaning};
use super::{Cell, Fold, Places, Problem, check_names};

/// Rows that are held at a time, of each column and thread.
const BATCH: usize = 4096;

/// A file as the library wants to see it.
struct Chunks(Arc<dyn Places>);

/// The bytes from a place on.
struct From {
    places: Arc<dyn Places>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.places.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> ReadResult<Self::T> {
        Ok(BufReader::new(From { places: Arc::clone(&self.0), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ReadResult<Bytes> {
        // A broken file must not ask for more memory than it has bytes.
        if start.checked_add(length as u64).is_none_or(|end| end > self.0.size()) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond the end")));
        }
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() != length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} end early")));
        }
        Ok(bytes.into())
    }
}

/// The columns of a table.
struct Columns {
    names: Vec<String>,
    meanings: Vec<Meaning>,
}

/// Reads a table.
pub(super) fn read<F: Fold>(
    places: Arc<dyn Places>,
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    let file = guarded(|| SerializedFileReader::new(Chunks(places)).map_err(|error| broken(&error)))?;
    let columns = columns(&file)?;
    let groups = file.num_row_groups();
    let mut first_rows = Vec::with_capacity(groups);
    let mut rows: u64 = 0;
    for group in file.metadata().row_groups() {
        first_rows.push(rows);
        let more = u64::try_from(group.num_rows()).ok().and_then(|more| rows.checked_add(more));
        rows = more.ok_or_else(|| Problem::whole("a row group with an impossible number of rows"))?;
    }
    if i64::try_from(rows) != Ok(file.metadata().file_metadata().num_rows()) {
        return Err(Problem::whole("its row groups do not have as many rows as it says"));
    }
    let whole = start(&columns.names)?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 8).min(groups.max(1));
    let joined = Mutex::new(Joined { whole: Ok(whole), waiting: BTreeMap::new(), next: 0 });
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(&first) = first_rows.get(index) else { return };
            let part = guarded(|| group(&file, index, first, &columns, start));
            let Ok(mut joined) = joined.lock() else { return };
            joined.take(index, part);
            if joined.whole.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let joined = joined.into_inner().map_err(|_| Problem::whole("a reader gave up"))?;
    let whole = joined.whole?;
    if joined.next != groups {
        return Err(Problem::whole("a reader gave up"));
    }
    Ok(whole)
}

/// Reads the directory alone.
pub(super) fn look(places: &Arc<dyn Places>) -> Result<(), Problem> {
    let places = Arc::clone(places);
    guarded(|| SerializedFileReader::new(Chunks(places)).map(drop).map_err(|error| broken(&error)))
}

/// What was made of the row groups so far, in their order.
struct Joined<F> {
    whole: Result<F, Problem>,
    waiting: BTreeMap<usize, Result<F, Problem>>,
    next: usize,
}

impl<F: Fold> Joined<F> {
    fn take(&mut self, index: usize, part: Result<F, Problem>) {
        self.waiting.insert(index, part);
        while let Ok(whole) = &mut self.whole
            && let Some(part) = self.waiting.remove(&self.next)
        {
            self.next += 1;
            if let Err(problem) = part.and_then(|part| whole.join(part)) {
                self.whole = Err(problem);
            }
        }
    }
}

/// Returns what the columns are; nested ones are no columns of a table.
fn columns(file: &SerializedFileReader<Chunks>) -> Result<Columns, Problem> {
    let schema = file.metadata().file_metadata().schema_descr();
    let mut columns = Columns { names: Vec::new(), meanings: Vec::new() };
    for column in schema.columns() {
        let name = column.path().parts().first().cloned().unwrap_or_default();
        if column.path().parts().len() != 1 || column.max_rep_level() > 0 || column.max_def_level() > 1 {
            let why =
                format!("`{name}` is a list or a struct, and a table has plain columns: write its parts as columns");
            return Err(Problem::whole(why));
        }
        let meaning = meaning(column).map_err(|what| Problem::whole(format!("`{name}` {what}")))?;
        columns.names.push(name);
        columns.meanings.push(meaning);
    }
    if columns.names.is_empty() {
        return Err(Problem::whole("it has no columns"));
    }
    check_names(&columns.names)?;
    Ok(columns)
}

/// Reads a row group.
fn group<F: Fold>(
    file: &SerializedFileReader<Chunks>,
    index: usize,
    first: u64,
    columns: &Columns,
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    let mut fold = start(&columns.names)?;
    let group = file.get_row_group(index).map_err(|error| broken(&error))?;
    let rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
    let mut open = Vec::with_capacity(columns.names.len());
    for (at, (name, meaning)) in columns.names.iter().zip(&columns.meanings).enumerate() {
        let reader = group.get_column_reader(at).map_err(|error| broken(&error))?;
        open.push(Column::new(name, *meaning, reader));
    }
    let mut done = 0;
    while done < rows {
        let want = usize::try_from(rows - done).unwrap_or(BATCH).min(BATCH);
        for column in &mut open {
            column.fill(want, first + done)?;
        }
        let mut next = vec![0; open.len()];
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(open.len());
        for row in 0..want {
            let line = first + done + row as u64 + 1;
            cells.clear();
            for (column, next) in open.iter().zip(&mut next) {
                cells.push(column.cell(row, next, line)?);
            }
            fold.row(line, &cells)?;
        }
        done += want as u64;
    }
    Ok(fold)
}

/// Runs the library; a file that makes it give up is a broken file.
fn guarded<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    let gave_up = |_| Err(Problem::whole("it is no sound Parquet file: its reader gave up"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(gave_up)
}

fn broken(error: &ParquetError) -> Problem {
    let text = error.to_string();
    let text = text.strip_prefix("Parquet error: ").unwrap_or(&text);
    Problem::whole(format!("it is no sound Parquet file: {text}"))
}

#[cfg(test)]
mod tests;
