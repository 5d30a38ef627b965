//! Cuts a file into top-level declarations before anything is parsed, so that a broken one hides no other.
//!
//! Knows brackets, strings, comments and raw text, and how a declaration begins; nothing of what stands inside. It
//! is also where nesting is bounded: what it hands on can be parsed by recursion.
//!
//! A declaration begins on a line of its own. Lines that go on with one are indented, stand inside brackets, or begin
//! with a word such as `after` or `when`.

mod again;
mod blocks;
mod foreign;
mod starts;

use crate::diagnostic::{Diagnostic, codes};
use crate::source::{FileId, Span};
pub(crate) use again::{Edited, again};
use blocks::Closers;
pub(crate) use blocks::opens_block;
pub(crate) use foreign::foreign;
pub(crate) use starts::{DECLARATIONS, TRIGGERS, word_at};

/// How deep brackets and strings may be nested.
pub(crate) const DEPTH: usize = 64;

/// One declaration, still text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// First byte of the keyword.
    pub(crate) start: u32,
    /// One past the last byte that is not trivia.
    pub(crate) end: u32,
    /// The lines from the first `##` before it, as a range of bytes.
    pub(crate) docs: Option<(u32, u32)>,
    /// Something was reported that makes parsing it pointless.
    pub(crate) broken: bool,
}

/// Cuts `text` into declarations in order.
pub(crate) fn split(file: FileId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Chunk> {
    let mut splitter = Splitter::new(file, text, diagnostics);
    splitter.at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    splitter.run();
    let mut chunks = splitter.chunks;
    if text.contains('\0') {
        refuse_nul(file, text, &mut chunks, diagnostics);
    }
    chunks
}

/// Reports the first NUL of each declaration. It stands nowhere, neither in a string nor in a script: no argument, no
/// variable and no file name can hold one.
fn refuse_nul(file: FileId, text: &str, chunks: &mut [Chunk], diagnostics: &mut Vec<Diagnostic>) {
    for chunk in chunks.iter_mut().filter(|chunk| !chunk.broken) {
        if let Some(at) = text[chunk.start as usize..chunk.end as usize].find('\0') {
            let at = chunk.start + at as u32;
            let help = "remove it: the file may be binary, or saved in another encoding than UTF-8";
            let span = Span::new(file, at, at + 1);
            diagnostics.push(Diagnostic::new(codes::BAD_CHARACTER, span, "a NUL byte in the text").help(help));
            chunk.broken = true;
        }
    }
}

struct Splitter<'t, 'd> {
    file: FileId,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    chunks: Vec<Chunk>,
    current: Option<Chunk>,
    /// One past the last byte that was not trivia.
    code_end: usize,
    /// Doc comments that wait for their declaration.
    docs: Option<(u32, u32)>,
    /// Open brackets and strings with their places.
    stack: Vec<(u8, u32)>,
    /// Index in `stack` of the outermost open string; none may reach the end of its line.
    string_floor: Option<usize>,
    /// The diagnostic of the merge conflict that is open.
    conflict: Option<usize>,
    closers: Closers<'t>,
    diagnostics: &'d mut Vec<Diagnostic>,
    /// Where an edited text is as it was.
    behind: Option<again::Behind<'t>>,
}

impl<'t, 'd> Splitter<'t, 'd> {
    fn new(file: FileId, text: &'t str, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        Self {
            file,
            text,
            bytes: text.as_bytes(),
            at: 0,
            chunks: Vec::new(),
            current: None,
            code_end: 0,
            docs: None,
            stack: Vec::new(),
            string_floor: None,
            conflict: None,
            closers: Closers::default(),
            diagnostics,
            behind: None,
        }
    }

    fn run(&mut self) {
        let mut line = self.at;
        let mut fresh = true;
        while let Some(&byte) = self.bytes.get(self.at).filter(|_| !self.has_met()) {
            if self.in_string() {
                self.string_text();
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    line = self.at;
                    fresh = true;
                    self.end_of_line();
                }
                b'#' => self.comment(fresh),
                b'/' | b'-' if self.foreign(fresh) => {}
                _ => {
                    if fresh {
                        fresh = false;
                        if self.begin_line(self.at == line) {
                            continue;
                        }
                    }
                    self.token(byte);
                    self.code_end = self.at.min(self.bytes.len());
                }
            }
        }
        if !self.has_met() {
            self.end_of_line();
            self.close_all();
            self.finish();
        }
    }

    /// Tells whether all that follows is known.
    fn has_met(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.met.is_some())
    }

    fn in_string(&self) -> bool {
        matches!(self.stack.last(), Some((b'"', _)))
    }

    /// Handles the first token of a line; true where nothing is left to do with it.
    fn begin_line(&mut self, column0: bool) -> bool {
        if column0 && self.merge_marker() {
            return true;
        }
        if self.stack.is_empty() {
            if self.begins_item(column0) {
                self.finish();
                self.start();
            }
        } else if column0 && self.string_floor.is_none() && starts::looks_like_item(self.text, self.at) {
            self.close_all();
            self.finish();
            self.start();
        }
        self.has_met()
    }

    fn begins_item(&self, column0: bool) -> bool {
        if self.current.is_none() {
            return true;
        }
        let word = starts::word_at(self.text, self.at);
        if word.is_empty() {
            return false;
        }
        if starts::looks_like_item(self.text, self.at) {
            return true;
        }
        let dangling = self.code_end > 0 && matches!(self.bytes[self.code_end - 1], b'=' | b',' | b':' | b'|');
        column0 && !dangling && !starts::CONTINUES.contains(&word)
    }

    fn start(&mut self) {
        let (at, docs) = (self.at as u32, self.docs.take());
        if !self.behind.as_mut().is_some_and(|behind| behind.meets(at, docs)) {
            self.current = Some(Chunk { start: at, end: at, docs, broken: false });
        }
    }

    fn finish(&mut self) {
        if let Some(mut chunk) = self.current.take() {
            chunk.end = (self.code_end as u32).max(chunk.start);
            self.chunks.push(chunk);
        }
    }

    fn comment(&mut self, fresh: bool) {
        let end = self.line_end();
        if self.stack.is_empty() && fresh && self.bytes[self.at..].starts_with(b"##") {
            let start = self.docs.map_or(self.at as u32, |(start, _)| start);
            self.docs = Some((start, end as u32));
        }
        self.at = end;
    }

    fn token(&mut self, byte: u8) {
        // Doc comments before a line that goes on with a declaration belong to nothing.
        self.docs = None;
        match byte {
            b'(' | b'[' | b'{' => self.open(byte),
            b')' | b']' | b'}' => self.close(byte),
            b'"' => {
                if self.string_floor.is_none() {
                    self.string_floor = Some(self.stack.len());
                }
                self.open(b'"');
            }
            b'\'' => self.raw_quoted(),
            b'<' if self.bytes[self.at..].starts_with(b"<<<<<<<") => {
                self.report_conflict();
                self.at = self.line_end();
            }
            b'<' if self.bytes[self.at..].starts_with(b"<<<") => self.raw_text(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.at += 1;
                while self.bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                    self.at += 1;
                }
            }
            _ => self.at += 1,
        }
    }

    fn open(&mut self, byte: u8) {
        self.stack.push((byte, self.at as u32));
        if self.stack.len() == DEPTH + 1 {
            let message = format!("brackets are nested more than {DEPTH} deep");
            let help = "give the inner part a name of its own: `const NAME = …`";
            let span = self.span(self.at, self.at + 1);
            self.report(Diagnostic::new(codes::NESTING_TOO_DEEP, span, message).help(help));
        }
        self.at += 1;
    }

    fn close(&mut self, byte: u8) {
        let opener = match byte {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let here = self.at;
        self.at += 1;
        if self.stack.last().is_some_and(|&(open, _)| open == opener) {
            self.stack.pop();
            return;
        }
        let floor = self.string_floor.map_or(0, |floor| floor + 1);
        let depth = self.stack.len().saturating_sub(DEPTH * 2).max(floor);
        let found = self.stack[depth.min(self.stack.len())..].iter().rposition(|&(open, _)| open == opener);
        let place = self.span(here, here + 1);
        let (Some(found), Some(&(open, start))) = (found, self.stack.last()) else {
            let message = format!("`{}` closes nothing", char::from(byte));
            let help = "remove it, or write the bracket that it closes";
            self.report(Diagnostic::new(codes::UNCLOSED, place, message).help(help));
            return;
        };
        let opened = self.span(start as usize, start as usize + 1);
        let wanted = char::from(closer(open));
        let message = format!("`{}` is not closed", char::from(open));
        let diagnostic = Diagnostic::new(codes::UNCLOSED, opened, message)
            .here("opened here")
            .label(place, format!("`{wanted}` is missing before this"))
            .help(format!("write `{wanted}` before the `{}`", char::from(byte)));
        self.report(diagnostic);
        self.stack.truncate(depth + found);
    }

    /// Walks through the text of a `"…"` up to its next bracket, quote or end of line.
    fn string_text(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' if self.bytes.get(self.at + 1).is_some_and(|next| !matches!(next, b'\n' | b'\r')) => self.at += 2,
                b'"' => {
                    self.stack.pop();
                    if self.string_floor == Some(self.stack.len()) {
                        self.string_floor = None;
                    }
                    self.at += 1;
                    self.code_end = self.at;
                    return;
                }
                b'{' => return self.open(b'{'),
                b'\n' => return self.end_of_line(),
                _ => self.at += 1,
            }
        }
    }

    /// Reports a string that is open when its line ends.
    fn end_of_line(&mut self) {
        let Some(floor) = self.string_floor.take() else { return };
        let (_, start) = self.stack[floor];
        let end = self.text[..self.at.min(self.text.len())].trim_end().len().max(start as usize + 1);
        let span = self.span(start as usize, end);
        let diagnostic = Diagnostic::new(codes::UNCLOSED, span, "the string is not closed on its line")
            .help("close it with `\"`; text of several lines is written `<<<` … `>>>`");
        self.report(diagnostic);
        self.stack.truncate(floor);
        self.code_end = self.code_end.max(end);
    }

    fn raw_quoted(&mut self) {
        let end = self.line_end();
        match self.text[self.at + 1..end].find('\'') {
            Some(close) => self.at += close + 2,
            None => {
                let span = self.span(self.at, self.text[..end].trim_end().len());
                let diagnostic = Diagnostic::new(codes::UNCLOSED, span, "the string is not closed on its line")
                    .help("close it with `'`; text of several lines is written `<<<` … `>>>`");
                self.report(diagnostic);
                self.at = end;
            }
        }
    }

    /// Skips `<<< … >>>` of either form.
    fn raw_text(&mut self) {
        let opening = self.span(self.at, self.at + 3);
        let line_end = self.line_end();
        let Some(tag) = opens_block(&self.text[self.at..line_end]) else {
            if let Some(close) = self.text[self.at + 3..line_end].find(">>>") {
                self.at += close + 6;
                return;
            }
            let diagnostic = Diagnostic::new(codes::UNCLOSED, opening, "`<<<` is not closed on its line")
                .help("close it with `>>>`, or let nothing follow `<<<` on its line and end with a line of `>>>`");
            self.report(diagnostic);
            self.at = self.text[..line_end].trim_end().len();
            return;
        };
        let tag = tag.to_owned();
        let block = blocks::skip(self.text, line_end, &tag, &mut self.closers);
        for marker in &block.conflicts {
            let resume = std::mem::replace(&mut self.at, *marker);
            self.report_conflict();
            self.at = resume;
        }
        if !block.closed {
            let diagnostic = Diagnostic::new(codes::UNCLOSED, opening, "the raw text is not closed")
                .here("opened here")
                .help(format!("end it with a line that holds only `{tag}>>>`"));
            self.report(diagnostic);
        }
        self.at = block.end;
        if self.string_floor.is_some() {
            self.end_of_line();
        }
    }

    /// Consumes a line of a merge conflict's markers.
    fn merge_marker(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let opens = rest.starts_with(b"<<<<<<<");
        let inner = rest.starts_with(b"=======") || rest.starts_with(b"|||||||");
        let closes = rest.starts_with(b">>>>>>>");
        if opens {
            self.report_conflict();
        } else if let (true, Some(index)) = (inner || closes, self.conflict) {
            let span = self.span(self.at, self.at + 7);
            if closes {
                self.diagnostics[index].labels.push(crate::diagnostic::Label { span, text: "up to here".into() });
                self.conflict = None;
            }
        } else {
            return false;
        }
        if self.stack.is_empty() {
            self.finish();
        } else if let Some(chunk) = &mut self.current {
            chunk.broken = true;
        }
        self.at = self.line_end();
        true
    }

    fn report_conflict(&mut self) {
        let span = self.span(self.at, self.at + 7);
        let diagnostic = Diagnostic::new(codes::MERGE_CONFLICT, span, "a merge conflict is not resolved")
            .here("from here")
            .help("keep one side, or both, and remove the lines of `<<<<<<<`, `=======` and `>>>>>>>`");
        if let Some(chunk) = &mut self.current {
            chunk.broken = !self.stack.is_empty() || chunk.broken;
        }
        self.conflict = Some(self.diagnostics.len());
        self.diagnostics.push(diagnostic);
    }

    /// Reports what is still open where a declaration has to end.
    fn close_all(&mut self) {
        if let Some(&(open, start)) = self.stack.last() {
            let span = self.span(start as usize, start as usize + 1);
            let name = current_name(self.text, self.current);
            let mut diagnostic =
                Diagnostic::new(codes::UNCLOSED, span, format!("`{}` is not closed", char::from(open)))
                    .help(format!("write `{}` where it ends", char::from(closer(open))));
            diagnostic = match name {
                Some(name) => diagnostic.here(format!("opened here, in `{name}`")),
                None => diagnostic.here("opened here"),
            };
            self.report(diagnostic);
        }
        self.stack.clear();
        self.string_floor = None;
    }

    /// Reports a fault of the current declaration, unless one that makes it unreadable was reported before.
    fn report(&mut self, diagnostic: Diagnostic) {
        match &mut self.current {
            Some(chunk) if chunk.broken => {}
            Some(chunk) => {
                chunk.broken = true;
                self.diagnostics.push(diagnostic);
            }
            None => self.diagnostics.push(diagnostic),
        }
    }

    fn line_end(&self) -> usize {
        self.text[self.at..].find('\n').map_or(self.text.len(), |length| self.at + length)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }
}

fn closer(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        other => other,
    }
}

/// Returns `stage train` of the declaration that begins there.
fn current_name(text: &str, chunk: Option<Chunk>) -> Option<String> {
    let start = chunk?.start as usize;
    let keyword = starts::word_at(text, start);
    let rest = start + keyword.len();
    let name = starts::word_at(text, rest + text[rest..].len() - text[rest..].trim_start().len());
    (!keyword.is_empty() && !name.is_empty()).then(|| format!("{keyword} {name}"))
}

#[cfg(test)]
mod tests;
