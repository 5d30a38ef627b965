//! From text to the syntax tree: a splitter, one grammar, one parser, one formatter.
//!
//! Knows how the language is written and nothing of what it means. Nothing of pest leaves this module.

pub mod ast;
pub mod fmt;
pub mod number;

mod fault;
mod forms;
mod lower;
mod parser;
mod split;
mod symbol;
mod tokens;

use crate::diagnostic::{self, Diagnostic, codes, nearest};
use crate::source::{FileId, Span};
use fault::Reading;
use lower::Lower;
use parser::Rule;
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

/// Parses a whole file.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    let mut diagnostics = Vec::new();
    let mut items = Vec::new();
    let mut broken = Vec::new();
    diagnostics.extend(nul(file, text));
    let chunks = split::split(file, text, &mut diagnostics);
    items.reserve(chunks.len());
    for chunk in chunks {
        match declaration(file, text, chunk, &mut diagnostics) {
            Some(item) => items.push(item),
            None => broken.extend(broken_name(file, text, chunk)),
        }
    }
    diagnostic::sort(&mut diagnostics);
    Parsed { file: ast::File { items, span: Span::new(file, 0, text.len() as u32) }, broken, diagnostics }
}

/// Finds the first NUL byte. It stands nowhere, neither in a string nor in a script: no argument, no variable and no
/// file name can hold one.
fn nul(file: FileId, text: &str) -> Option<Diagnostic> {
    let at = text.bytes().position(|byte| byte == 0)? as u32;
    let help = "remove it: the file may be binary, or saved in another encoding than UTF-8";
    Some(Diagnostic::new(codes::BAD_CHARACTER, Span::new(file, at, at + 1), "a NUL byte in the text").help(help))
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
    for _ in 0..FAULTS {
        let tokens = tokens::tokens(&text);
        let reading = Reading { file, base: chunk.start, keyword, text: &text, tokens: &tokens };
        let fault = reading.explain(&stuck);
        diagnostics.push(fault.diagnostic);
        let range = fault.skip.filter(|range| !text[range.clone()].trim().is_empty())?;
        let blanked: String = text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        text.replace_range(range, &blanked);
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
        (Some(near), _) => diagnostic.help(format!("did you mean `{near}`?")).fix(span, near),
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
