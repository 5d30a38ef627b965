//! From pest's matches to the syntax tree, one declaration at a time. What the grammar lets through and the language
//! does not is reported here: numbers without a value, parts said twice, clauses in the wrong kind of body.

mod clause;
mod declaration;
mod expr;
mod node;
mod text;
mod ty;

use super::ast::{Docs, Mark, Name};
use super::parser::Node;
use crate::diagnostic::codes::SYNTAX;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

pub(super) use declaration::item;

/// How many operators and accesses may be stacked in one expression, brackets included.
const CHAIN: usize = 256;

/// What every lowering function needs.
pub(super) struct Lower<'t, 'd> {
    pub(super) file: FileId,
    /// The text that was parsed; spans of matches are offsets into it.
    pub(super) text: &'t str,
    /// Where that text stands in the file.
    pub(super) base: u32,
    pub(super) diagnostics: &'d mut Vec<Diagnostic>,
}

impl Lower<'_, '_> {
    fn span(&self, node: &Node<'_>) -> Span {
        let span = node.as_span();
        self.place(span.start(), span.end())
    }

    fn place(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.base + start as u32, self.base + end as u32)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::new(code, span, message).help(help));
    }

    fn name(&self, node: &Node<'_>) -> Name {
        Name { text: node.as_str().to_owned(), span: self.span(node) }
    }

    fn mark(&self, node: &Node<'_>) -> Mark {
        Mark { span: self.span(node) }
    }

    /// Returns the `##` lines that stand directly over the line on which `at` is the first word.
    fn docs_over(&self, at: usize) -> Option<Docs> {
        let before = &self.text[..at];
        let mut start = before.trim_end_matches([' ', '\t']).len();
        if !before[..start].ends_with('\n') {
            return None;
        }
        let mut lines = Vec::new();
        let mut end = 0;
        while start > 0 {
            let line_start = before[..start - 1].rfind('\n').map_or(0, |at| at + 1);
            let line = before[line_start..start].trim();
            if !line.starts_with("##") {
                break;
            }
            if lines.is_empty() {
                end = line_start + before[line_start..start].trim_end().len();
            }
            lines.push(line);
            start = line_start;
        }
        let indent = before[start..].len() - before[start..].trim_start().len();
        lines.reverse();
        (!lines.is_empty()).then(|| Docs { text: docs_text(lines.into_iter()), span: self.place(start + indent, end) })
    }
}

/// Joins doc lines without `##` and one blank.
pub(super) fn docs_text<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let mut text = String::new();
    for line in lines.map(str::trim).filter(|line| line.starts_with("##")) {
        if !text.is_empty() {
            text.push('\n');
        }
        let line = &line[2..];
        text.push_str(line.strip_prefix(' ').unwrap_or(line));
    }
    text
}

impl Lower<'_, '_> {
    /// Sets what may be said once; a second time is reported.
    fn once<T>(&mut self, slot: &mut Option<T>, value: T, place: Span, what: &str) {
        if slot.is_some() {
            self.error(SYNTAX, place, format!("{what} is said twice"), "keep one of the two");
        } else {
            *slot = Some(value);
        }
    }
}
