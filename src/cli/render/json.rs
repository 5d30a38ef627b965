//! Diagnostics as one JSON document.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{LineColumn, Sources, Span};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    diagnostics: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    severity: Severity,
    message: &'a str,
    labels: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Edit<'a>>,
}

/// Offsets in bytes, lines and columns from 1.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    start: LineColumn,
    end: LineColumn,
    offset: u32,
    length: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct Edit<'a> {
    file: &'a str,
    offset: u32,
    length: u32,
    replacement: &'a str,
}

/// Returns the document with all diagnostics, the primary place first in `labels`.
pub(super) fn document(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let place = |span: Span, text| {
        let file = sources.file(span.file);
        let (start, end) = (file.line_column(span.start), file.line_column(span.end));
        Place { file: file.name(), start, end, offset: span.start, length: span.end - span.start, text }
    };
    let entries = diagnostics.iter().map(|diagnostic| Entry {
        code: diagnostic.code.name(),
        severity: diagnostic.severity,
        message: &diagnostic.message,
        labels: diagnostic.labels.iter().map(|label| place(label.span, label.text.as_str())).collect(),
        help: diagnostic.help.as_deref(),
        fix: diagnostic.fix.as_ref().map(|fix| Edit {
            file: sources.file(fix.span.file).name(),
            offset: fix.span.start,
            length: fix.span.end - fix.span.start,
            replacement: &fix.replacement,
        }),
    });
    let document = Document { version: 1, diagnostics: entries.collect() };
    serde_json::to_string_pretty(&document).expect("texts and numbers are JSON")
}
