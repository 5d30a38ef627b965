//! From text to the syntax tree: a splitter, one grammar, one parser, one formatter.
//!
//! Knows how the language is written and nothing of what it means. Nothing of pest leaves this module.

pub mod ast;
pub mod cursor;
pub mod fmt;
pub mod number;
pub(crate) mod shell;

mod fault;
mod forms;
mod incremental;
mod lower;
mod parser;
mod shift;
mod split;
mod symbol;
mod tokens;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::beside::both;
use crate::diagnostic::{self, Diagnostic, codes, nearest};
use crate::source::{FileId, Span};
use fault::Reading;
pub use incremental::Incremental;
use lower::Lower;
use parser::Rule;
pub(crate) use shift::mentions;
use split::Chunk;

/// How many faults of one declaration are looked for.
const FAULTS: usize = 24;

/// What parsing gives: a tree of everything that could be read, and what is wrong with the rest.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The tree.
    pub file: ast::File,
    /// Names of declarations that could not be read: nobody should call them unknown.
    pub broken: Vec<ast::Name>,
    /// What is wrong, sorted.
    pub diagnostics: Vec<Diagnostic>,
}

/// Texts of more bytes than this are parsed by two threads.
const ALONE: usize = 512 * 1024;

/// So many declarations a thread takes at a time.
const SHARE: usize = 128;

/// Parses a whole file.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    let mut diagnostics = Vec::new();
    let chunks = split::split(file, text, &mut diagnostics);
    let read = if text.len() > ALONE { shared(file, text, &chunks) } else { declarations(file, text, &chunks) };
    diagnostics.extend(read.diagnostics);
    diagnostic::sort(&mut diagnostics);
    let span = Span::new(file, 0, text.len() as u32);
    Parsed { file: ast::File { items: read.items, span }, broken: read.broken, diagnostics }
}

/// Reads declarations by two threads, which take shares until none is left: on a machine so busy that the second one
/// never runs, the first does all.
fn shared(file: FileId, text: &str, chunks: &[Chunk]) -> Read {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut shares = Vec::new();
        loop {
            let share = next.fetch_add(1, Ordering::Relaxed);
            let Some(taken) = chunks.chunks(SHARE).nth(share) else { return shares };
            shares.push((share, declarations(file, text, taken)));
        }
    };
    let (mut shares, more) = both(work, work);
    shares.extend(more);
    shares.sort_unstable_by_key(|&(share, _)| share);
    let mut all = Read { items: Vec::with_capacity(chunks.len()), ..Read::default() };
    for (_, read) in shares {
        all.items.extend(read.items);
        all.broken.extend(read.broken);
        all.diagnostics.extend(read.diagnostics);
    }
    all
}

/// What was read of some neighbouring declarations.
#[derive(Default)]
struct Read {
    items: Vec<ast::Item>,
    broken: Vec<ast::Name>,
    diagnostics: Vec<Diagnostic>,
}

fn declarations(file: FileId, text: &str, chunks: &[Chunk]) -> Read {
    let mut read = Read { items: Vec::with_capacity(chunks.len()), ..Read::default() };
    for &chunk in chunks {
        match declaration(file, text, chunk, &mut read.diagnostics) {
            Some(item) => read.items.push(item),
            None => read.broken.extend(broken_name(file, text, chunk)),
        }
    }
    read
}

/// Returns the files that a text takes names from, as they are written; nothing else of it is parsed.
#[must_use]
pub fn modules(text: &str) -> Vec<String> {
    if !text.starts_with("use") && !text.contains("\nuse") && !text.starts_with('\u{feff}') {
        return Vec::new();
    }
    let chunks = split::split(FileId(0), text, &mut Vec::new());
    let uses: Vec<Chunk> = chunks
        .into_iter()
        .filter(|chunk| split::word_at(&text[chunk.start as usize..chunk.end as usize], 0) == "use")
        .collect();
    let items = declarations(FileId(0), text, &uses).items.into_iter();
    items
        .filter_map(|item| match item.kind {
            ast::ItemKind::Use(it) => it.file.plain().map(str::to_owned),
            _ => None,
        })
        .collect()
}

/// Cuts a file into its declarations and returns how many there are; what benches measure beside [`parse`].
#[must_use]
pub fn count_declarations(text: &str) -> usize {
    split::split(FileId(0), text, &mut Vec::new()).len()
}

fn declaration(file: FileId, text: &str, chunk: Chunk, diagnostics: &mut Vec<Diagnostic>) -> Option<ast::Item> {
    let written = &text[chunk.start as usize..chunk.end as usize];
    let keyword = split::word_at(written, 0);
    let Some(rule) = entry(keyword) else {
        if !chunk.broken {
            diagnostics.push(unknown_declaration(file, chunk, written, keyword));
        }
        return None;
    };
    if chunk.broken {
        return None;
    }
    let docs = chunk.docs.map(|(start, end)| {
        let lines = text[start as usize..end as usize].lines();
        ast::Docs { text: lower::docs_text(lines), span: Span::new(file, start, end) }
    });
    let span = Span::new(file, chunk.start, chunk.end);
    let stuck = match parser::parse(rule, written) {
        Ok(node) => {
            let mut lower = Lower { file, text: written, base: chunk.start, diagnostics };
            return Some(ast::Item { docs, kind: lower::item(&mut lower, node), incomplete: false, span });
        }
        Err(stuck) => stuck,
    };
    let kind = salvage(file, written, chunk, rule, stuck, diagnostics)?;
    Some(ast::Item { docs, kind, incomplete: true, span })
}

/// Reports what is wrong with a declaration, leaving out one bad clause after the other, and returns what remains.
fn salvage(
    file: FileId,
    written: &str,
    chunk: Chunk,
    rule: Rule,
    mut stuck: parser::Stuck,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<ast::ItemKind> {
    let keyword = split::word_at(written, 0);
    let mut text = written.to_owned();
    if blank_comments(&mut text) {
        match parser::parse(rule, &text) {
            Ok(node) => {
                let mut lower = Lower { file, text: &text, base: chunk.start, diagnostics };
                return Some(lower::item(&mut lower, node));
            }
            Err(next) => stuck = next,
        }
    }
    for _ in 0..FAULTS {
        let tokens = tokens::tokens(&text);
        let reading = Reading { file, base: chunk.start, keyword, text: &text, tokens: &tokens };
        let fault = reading.explain(&stuck);
        diagnostics.push(fault.diagnostic);
        let range = fault.skip.filter(|range| !text[range.clone()].trim().is_empty())?;
        blank(&mut text, range);
        match parser::parse(rule, &text) {
            Ok(node) => {
                let mut lower = Lower { file, text: &text, base: chunk.start, diagnostics };
                return Some(lower::item(&mut lower, node));
            }
            Err(next) => stuck = next,
        }
    }
    None
}

fn blank(text: &mut String, range: Range<usize>) {
    let blanked: String = text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(range, &blanked);
}

/// Leaves out comments of other languages, which the splitter reported, and returns whether there were any.
fn blank_comments(text: &mut String) -> bool {
    if !["//", "/*", "--"].iter().any(|mark| text.contains(mark)) {
        return false;
    }
    let comments = tokens::tokens(text).into_iter().filter(|token| token.kind == tokens::Kind::Comment);
    let foreign: Vec<_> = comments.filter(|token| !text[token.start..].starts_with('#')).collect();
    for token in &foreign {
        blank(text, token.start..token.end);
    }
    !foreign.is_empty()
}

/// Returns the rule that a declaration with this keyword follows.
fn entry(keyword: &str) -> Option<Rule> {
    Some(match keyword {
        "stage" => Rule::stage,
        "gate" => Rule::gate,
        "param" => Rule::param,
        "source" => Rule::source,
        "on" => Rule::on,
        "register" | "approval" | "promote" => Rule::decision,
        "rollout" => Rule::rollout,
        "action" => Rule::action,
        "monitor" => Rule::monitor,
        "metrics" => Rule::metrics,
        "schema" => Rule::schema,
        "runtime" | "notify" | "target" => Rule::settings,
        "registry" | "credential" => Rule::binding,
        "const" => Rule::constant,
        "secret" => Rule::secret,
        "profile" => Rule::profile,
        "pipeline" => Rule::pipeline,
        "edition" => Rule::edition,
        "use" => Rule::use_item,
        "external" => Rule::external,
        "experiment" => Rule::experiment,
        "allow" => Rule::allow_item,
        _ => return None,
    })
}

fn unknown_declaration(file: FileId, chunk: Chunk, written: &str, keyword: &str) -> Diagnostic {
    if keyword.is_empty() {
        let length = written.chars().next().map_or(0, char::len_utf8);
        let span = Span::new(file, chunk.start, chunk.start + length as u32);
        let found = written.chars().next().map(|c| c.escape_debug().to_string()).unwrap_or_default();
        return Diagnostic::new(codes::SYNTAX, span, format!("expected a declaration, found `{found}`"))
            .help("a declaration begins with its word: `stage train { … }`");
    }
    let span = Span::new(file, chunk.start, chunk.start + keyword.len() as u32);
    let diagnostic = Diagnostic::new(codes::UNKNOWN_DECLARATION, span, format!("unknown declaration `{keyword}`"));
    match (nearest(keyword, split::DECLARATIONS), forms::home(keyword)) {
        (Some(near), _) => {
            diagnostic.help(format!("did you mean `{near}`?")).fix_near(span, keyword, near, split::DECLARATIONS)
        }
        (None, Some(home)) => {
            diagnostic.help(format!("`{keyword}` is a clause: write it inside `{home} NAME {{ … }}`"))
        }
        (None, None) => diagnostic
            .help("a declaration begins with `param`, `source`, `stage`, `gate`, `register` or another such word"),
    }
}

fn broken_name(file: FileId, text: &str, chunk: Chunk) -> Option<ast::Name> {
    let written = &text[chunk.start as usize..chunk.end as usize];
    let rest = &written[split::word_at(written, 0).len()..];
    let start = chunk.end as usize - rest.trim_start().len();
    let word = split::word_at(text, start);
    let span = Span::new(file, start as u32, (start + word.len()) as u32);
    (!word.is_empty()).then(|| ast::Name { text: word.to_owned(), span })
}
