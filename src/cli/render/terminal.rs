//! One diagnostic drawn with its source, by miette.
//!
//! miette's own sources scan from the first byte for every label, which takes seconds on large files; ours looks
//! lines up in the file's index.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{SourceFile, Sources};

/// Returns the drawing of one diagnostic with a blank line behind it.
pub(super) fn draw(sources: &Sources, diagnostic: &Diagnostic, colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(110).with_context_lines(1).with_links(false);
    let mut drawn = String::new();
    let report = Report { diagnostic, source: Indexed(sources.file(diagnostic.span().file)) };
    if handler.render_report(&mut drawn, &report).is_err() {
        // A place that can't be drawn still has its sentence.
        drawn = plain(sources, diagnostic);
    }
    // One drawing is of one file; places in others are named under it.
    let primary = diagnostic.span().file;
    for label in diagnostic.labels.iter().filter(|label| label.span.file != primary) {
        let file = sources.file(label.span.file);
        let at = file.line_column(label.span.start);
        drawn += &format!("  {}:{}:{}: {}\n", file.name(), at.line, at.column, label.text);
    }
    drawn.push('\n');
    drawn
}

fn plain(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let file = sources.file(diagnostic.span().file);
    let at = file.line_column(diagnostic.span().start);
    format!("{}:{}:{}: {}: {}\n", file.name(), at.line, at.column, diagnostic.code.name(), diagnostic.message)
}

struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: Indexed<'a>,
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code.name()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let primary = self.diagnostic.span().file;
        Some(Box::new(self.diagnostic.labels.iter().filter(move |label| label.span.file == primary).enumerate().map(
            |(index, label)| {
                let text = (!label.text.is_empty()).then(|| label.text.clone());
                let range = label.span.range();
                match index {
                    0 => LabeledSpan::new_primary_with_span(text, range),
                    _ => LabeledSpan::new_with_span(text, range),
                }
            },
        )))
    }
}

/// A source that finds lines by index.
struct Indexed<'a>(&'a SourceFile);

impl SourceCode for Indexed<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.0.text();
        let end = span.offset() + span.len();
        if end > text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let lines = self.0.line_starts();
        let first = self.0.line_index(span.offset() as u32).saturating_sub(before);
        let last = self.0.line_index(end.saturating_sub(usize::from(!span.is_empty())) as u32) + after;
        let from = lines[first] as usize;
        let to = lines.get(last + 1).map_or(text.len(), |&start| start as usize);
        // Columns of the header line are those of the span, as miette's own sources give them.
        let own = self.0.line_column(span.offset() as u32);
        let column = if before == 0 { own.column as usize - 1 } else { 0 };
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.name().to_owned(),
            &text.as_bytes()[from..to],
            (from, to - from).into(),
            first,
            column,
            // Of the snippet, not of the file: miette joins two places into one snippet where these overlap.
            last.min(lines.len() - 1) + 1 - first,
        )))
    }
}
