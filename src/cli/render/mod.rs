//! Diagnostics as people and programs read them. At most [`SHOWN`] are drawn and the rest counted, since nobody
//! reads more; programs get all.

mod json;
mod terminal;

use crate::diagnostic::{Diagnostic, Severity};
use crate::host::Out;
use crate::source::Sources;

/// How many diagnostics are drawn.
pub(crate) const SHOWN: usize = 50;

/// A form in which diagnostics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// Drawn with the source around each place.
    #[default]
    Text,
    /// One JSON document with all of them.
    Json,
}

/// Writes diagnostics, already sorted: text to stderr, JSON to stdout.
pub(crate) fn diagnostics(out: &Out, sources: &Sources, diagnostics: &[Diagnostic], format: Format) {
    match format {
        Format::Json => out.line(&json::document(sources, diagnostics)),
        Format::Text => {
            for diagnostic in diagnostics.iter().take(SHOWN) {
                out.err(&terminal::draw(sources, diagnostic, out.err_colour()));
            }
            if let Some(summary) = summary(diagnostics) {
                out.err_line(&summary);
            }
        }
    }
}

/// Counts by severity: `3 errors, 1 warning`, and how many were not shown.
fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let count = |severity, one: &str| {
        let number = diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        (number > 0).then(|| format!("{number} {one}{}", if number == 1 { "" } else { "s" }))
    };
    let parts: Vec<_> =
        [count(Severity::Error, "error"), count(Severity::Warning, "warning"), count(Severity::Note, "note")]
            .into_iter()
            .flatten()
            .collect();
    let hidden = diagnostics.len().saturating_sub(SHOWN);
    match (parts.is_empty(), hidden) {
        (true, _) => None,
        (false, 0) => Some(parts.join(", ")),
        (false, hidden) => Some(format!("{}; the last {hidden} not shown", parts.join(", "))),
    }
}
