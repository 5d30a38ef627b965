//! One diagnostic drawn with its source, by miette.
//!
//! miette's own sources scan from the first byte for every label, which takes seconds on large files; ours looks
//! lines up in the file's index.

use std::fmt;
use std::ops::Range;

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
                let range = self.source.shown(label.span.range());
                match index {
                    0 => LabeledSpan::new_primary_with_span(text, range),
                    _ => LabeledSpan::new_with_span(text, range),
                }
            },
        )))
    }
}

/// A line of more bytes than this is cut around the place that is shown.
const LONG: usize = 400;

/// What is shown of a long line beside a place.
const BESIDE: usize = 60;

/// A source that finds lines by index.
struct Indexed<'a>(&'a SourceFile);

impl Indexed<'_> {
    fn is_long(&self, line: usize) -> bool {
        let (starts, all) = (self.0.line_starts(), self.0.text().len());
        starts.get(line + 1).map_or(all, |&start| start as usize) - starts[line] as usize > LONG
    }

    /// Returns as much of a place as is shown: nobody reads a string of megabytes.
    fn shown(&self, range: Range<usize>) -> Range<usize> {
        if range.len() <= LONG || !self.is_long(self.0.line_index(range.start as u32)) {
            return range;
        }
        range.start..boundary(self.0.text(), range.start + LONG)
    }
}

/// Returns the end of the character that an offset is in.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

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
        let begins = self.0.line_index(span.offset() as u32);
        let ends = self.0.line_index(end.saturating_sub(usize::from(!span.is_empty())) as u32);
        let (mut first, mut last) = (begins.saturating_sub(before), (ends + after).min(lines.len() - 1));
        // The lines around it are no help where they are longer than a screen.
        first = (first..begins).rev().find(|&line| self.is_long(line)).map_or(first, |line| line + 1);
        last = (ends + 1..=last).find(|&line| self.is_long(line)).map_or(last, |line| line - 1);
        let mut from = lines[first] as usize;
        let mut to = lines.get(last + 1).map_or(text.len(), |&start| start as usize);
        if self.is_long(begins) {
            first = begins;
            from = boundary(text, span.offset().saturating_sub(BESIDE).max(lines[begins] as usize));
        }
        if self.is_long(ends) {
            last = ends;
            to = boundary(text, (end + BESIDE).min(lines.get(ends + 1).map_or(text.len(), |&start| start as usize)));
        }
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
            last + 1 - first,
        )))
    }
}
