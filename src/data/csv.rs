//! Strict CSV (RFC 4180): a header, as many fields on every line, UTF-8, quotes where they belong. A byte order mark, CRLF,
//! quoted line ends and missing values are fine; everything else that readers forgive is a problem with its line.
//!
//! The file is cut into blocks of whole records, which several threads read at once; their results are joined in order,
//! so that the outcome does not depend on the threads.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use memchr::{memchr, memchr_iter, memrchr};

use super::{Cell, Fold, Problem, check_names};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 20;
/// No record is longer than this: a quote that is never closed must not take all memory.
const LONGEST: usize = 64 << 20;

/// Whole records with where they begin.
struct Block {
    index: usize,
    line: u64,
    bytes: Vec<u8>,
}

/// What became of a block.
struct Done<F> {
    index: usize,
    next_line: u64,
    result: Result<F, Problem>,
    /// It ends with an empty line: fine at the end of the file alone.
    blank: bool,
}

/// Reads a table.
pub(super) fn read<F: Fold>(
    input: &mut dyn Read,
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    let mut cutter = Cutter::new(input);
    let Some(mut first) = cutter.next()? else { return Err(Problem::whole("the file is empty")) };
    if first.bytes.starts_with("\u{feff}".as_bytes()) {
        first.bytes.drain(..3);
    }
    let (names, used) = header(&first.bytes)?;
    check_names(&names)?;
    first.line += lines(&first.bytes[..used]);
    first.bytes.drain(..used);
    let Some(second) = cutter.next()? else {
        let done = block(&first, &names, start);
        return done.result;
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 8);
    let (work, queue) = sync_channel::<Block>(threads);
    let queue = Mutex::new(queue);
    // Moved in, so that every way out of the scope ends the queue, and with it the threads.
    std::thread::scope(|scope| {
        let work = work;
        let (answer, answers) = channel();
        for _ in 0..threads {
            let (queue, answer, names) = (&queue, answer.clone(), &names);
            scope.spawn(move || worker(queue, &answer, names, start));
        }
        drop(answer);
        let mut joined = Joined { whole: None, waiting: BTreeMap::new(), next: 0, blank: None };
        let mut given = 0;
        for found in [Ok(Some(first)), Ok(Some(second))].into_iter().chain(std::iter::from_fn(|| {
            let next = cutter.next();
            (!matches!(next, Ok(None))).then_some(next)
        })) {
            let Some(next) = (match found {
                Ok(next) => next,
                // What stands before the mistake may hold an earlier one.
                Err(problem) => {
                    drop(work);
                    joined.wait(&answers, given)?;
                    return Err(problem);
                }
            }) else {
                break;
            };
            given += 1;
            if work.send(next).is_err() {
                break;
            }
            while let Ok(done) = answers.try_recv() {
                joined.take(done)?;
            }
        }
        drop(work);
        joined.wait(&answers, given)?;
        joined.whole.ok_or_else(|| Problem::whole("the file is empty"))
    })
}

/// What was made of the blocks so far, in their order.
struct Joined<F> {
    whole: Option<F>,
    waiting: BTreeMap<usize, Done<F>>,
    next: usize,
    blank: Option<u64>,
}

impl<F: Fold> Joined<F> {
    fn take(&mut self, done: Done<F>) -> Result<(), Problem> {
        self.waiting.insert(done.index, done);
        while let Some(done) = self.waiting.remove(&self.next) {
            self.next += 1;
            if let Some(line) = self.blank {
                return Err(blank(line));
            }
            let part = done.result?;
            self.blank = done.blank.then(|| done.next_line - 1);
            match &mut self.whole {
                None => self.whole = Some(part),
                Some(whole) => whole.join(part)?,
            }
        }
        Ok(())
    }

    fn wait(&mut self, answers: &Receiver<Done<F>>, given: usize) -> Result<(), Problem> {
        while self.next < given {
            let Ok(done) = answers.recv() else { return Err(Problem::whole("a reader gave up")) };
            self.take(done)?;
        }
        Ok(())
    }
}

fn worker<F: Fold>(
    queue: &Mutex<Receiver<Block>>,
    answer: &Sender<Done<F>>,
    names: &[String],
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) {
    loop {
        let next = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(next) = next else { return };
        if answer.send(block(&next, names, start)).is_err() {
            return;
        }
    }
}

/// Reads the records of a block.
fn block<F: Fold>(
    block: &Block,
    names: &[String],
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Done<F> {
    let bytes = block.bytes.as_slice();
    let next_line = block.line + lines(bytes);
    let blank = bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n") || bytes == b"\n" || bytes == b"\r\n";
    Done { index: block.index, next_line, result: records(block, names, start), blank }
}

fn records<F: Fold>(
    block: &Block,
    names: &[String],
    start: &(dyn Fn(&[String]) -> Result<F, Problem> + Sync),
) -> Result<F, Problem> {
    let bytes = block.bytes.as_slice();
    let mut fold = start(names)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(fold),
            Ok(true) => {}
            Err(error) => return Err(utf8(&error, block)),
        }
        let position = record.position();
        let mut line = block.line + position.map_or(1, csv::Position::line) - 1;
        let mut at = position.map_or(0, csv::Position::byte) as usize;
        // The reader ends a record at the CR and leaves its LF to the next.
        if at > 0 && bytes.get(at) == Some(&b'\n') && bytes[at - 1] == b'\r' {
            at += 1;
            line += 1;
        }
        if matches!(bytes.get(at), Some(b'\n' | b'\r')) {
            return Err(blank(block.line + lines(&bytes[..at])));
        }
        if record.len() != names.len() {
            let line = block.line + lines(&bytes[..at]);
            let (fields, columns) = (record.len(), names.len());
            return Err(Problem::at(line, format!("{fields} fields under a header of {columns}")));
        }
        let row: Vec<Cell<'_>> = record.iter().map(Cell::Field).collect();
        fold.row(line, &row)?;
    }
}

fn blank(line: u64) -> Problem {
    Problem::at(line, "an empty line; an empty value alone on its line is written `\"\"`")
}

fn utf8(error: &csv::Error, block: &Block) -> Problem {
    let at = error.position().map_or(0, csv::Position::byte) as usize;
    let rest = &block.bytes[at.min(block.bytes.len())..];
    match std::str::from_utf8(rest) {
        Err(bad) => {
            let here = at + bad.valid_up_to();
            let byte = block.bytes.get(here).copied().unwrap_or_default();
            let line = block.line + lines(&block.bytes[..here]);
            Problem::at(line, format!("the byte {byte:#04x} is not UTF-8"))
        }
        Ok(_) => Problem::whole(error.to_string()),
    }
}

/// Reads the header line, and tells how many bytes it takes.
pub(super) fn header(bytes: &[u8]) -> Result<(Vec<String>, usize), Problem> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let read = reader.read_byte_record(&mut record).map_err(|error| Problem::whole(error.to_string()))?;
    if !read || matches!(bytes.first(), Some(b'\n' | b'\r')) {
        return Err(Problem::at(1, "there is no header line"));
    }
    let mut used = reader.position().byte() as usize;
    if bytes.get(used) == Some(&b'\n') && used > 0 && bytes[used - 1] == b'\r' {
        used += 1;
    }
    let names = record.iter().map(|name| {
        let name = std::str::from_utf8(name).map_err(|_| Problem::at(1, "the header is not UTF-8"))?;
        Ok(name.to_owned())
    });
    Ok((names.collect::<Result<_, _>>()?, used))
}

fn lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// Where the cutter is in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the start of a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closes the field or, with another one, stands for itself.
    Closed,
}

/// Cuts the file where a record ends, and looks at every quote on the way.
struct Cutter<'r> {
    input: &'r mut dyn Read,
    /// Bytes of a record that is not whole yet.
    rest: Vec<u8>,
    at: At,
    line: u64,
    /// The line of the quote that is open.
    opened: u64,
    index: usize,
    ended: bool,
    /// Lines that were handed out already.
    handed: u64,
}

impl<'r> Cutter<'r> {
    fn new(input: &'r mut dyn Read) -> Self {
        Self { input, rest: Vec::new(), at: At::Start, line: 1, opened: 1, index: 0, ended: false, handed: 1 }
    }

    /// Returns the next whole records.
    fn next(&mut self) -> Result<Option<Block>, Problem> {
        while !self.ended {
            let before = self.rest.len();
            self.fill()?;
            let cut = self.walk(before)?;
            if self.ended {
                break;
            }
            if let Some(cut) = cut {
                let rest = self.rest.split_off(cut);
                return Ok(Some(self.hand(rest)));
            }
            if self.rest.len() > LONGEST {
                return Err(Problem::at(self.opened, "a record of more than 64 MiB: is a quote never closed?"));
            }
        }
        if self.at == At::Quoted {
            return Err(Problem::at(self.opened, "the quote that opens here is never closed"));
        }
        Ok(if self.rest.is_empty() { None } else { Some(self.hand(Vec::new())) })
    }

    fn hand(&mut self, rest: Vec<u8>) -> Block {
        let bytes = std::mem::replace(&mut self.rest, rest);
        let line = self.handed;
        self.handed += lines(&bytes);
        self.index += 1;
        Block { index: self.index - 1, line, bytes }
    }

    /// Reads a block: always as many bytes, however the input gives them.
    fn fill(&mut self) -> Result<(), Problem> {
        let before = self.rest.len();
        self.rest.reserve(BLOCK + 64);
        let read = self.input.take(BLOCK as u64).read_to_end(&mut self.rest);
        read.map_err(|error| Problem::whole(format!("it can't be read: {error}")))?;
        self.ended = self.rest.len() - before < BLOCK;
        Ok(())
    }

    /// Walks over what was read and returns where the last record ends: from quote to quote, since the rest of the bytes mean nothing.
    fn walk(&mut self, from: usize) -> Result<Option<usize>, Problem> {
        let new = &self.rest[from..];
        let (first, mut opened, mut cut) = (self.line, None, None);
        let line_of = |index: usize| first + lines(&new[..index]);
        let mut at = 0;
        while at < new.len() {
            match self.at {
                At::Start | At::Plain => {
                    let quote = memchr(b'"', &new[at..]).map(|found| at + found);
                    let bare = &new[at..quote.unwrap_or(new.len())];
                    if let Some(end) = memrchr(b'\n', bare) {
                        cut = Some(from + at + end + 1);
                    }
                    // A byte order mark may stand before the first quote.
                    let marked = self.at == At::Start && from + at == 0 && bare == "\u{feff}".as_bytes();
                    self.at = if marked { At::Start } else { plain(self.at, bare) };
                    let Some(quote) = quote else { break };
                    if self.at == At::Plain {
                        return Err(Problem::at(line_of(quote), "a quote in a field that does not begin with one"));
                    }
                    opened = Some(quote);
                    self.at = At::Quoted;
                    at = quote + 1;
                }
                At::Quoted => {
                    let Some(quote) = memchr(b'"', &new[at..]) else { break };
                    self.at = At::Closed;
                    at += quote + 1;
                }
                At::Closed => {
                    self.at = match new[at] {
                        b'"' => At::Quoted,
                        b',' => At::Start,
                        b'\r' => At::Closed,
                        b'\n' => {
                            cut = Some(from + at + 1);
                            At::Start
                        }
                        _ => {
                            let why = "text behind a closing quote; a quote inside is written `\"\"`";
                            return Err(Problem::at(line_of(at), why));
                        }
                    };
                    at += 1;
                }
            }
        }
        if let Some(opened) = opened {
            self.opened = line_of(opened);
        }
        self.line = line_of(new.len());
        Ok(cut)
    }
}

fn plain(at: At, bytes: &[u8]) -> At {
    match bytes.last() {
        None => at,
        Some(b',' | b'\n') => At::Start,
        Some(_) => At::Plain,
    }
}
