//! Diagnostics as people and programs read them. At most [`SHOWN`] are drawn and the rest counted, since nobody
//! reads more; programs get all.

mod github;
mod json;
mod sarif;
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

/// A form in which `check` writes what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum CheckFormat {
    /// Drawn with the source around each place.
    #[default]
    Text,
    /// One JSON document with all of them.
    Json,
    /// Commands of GitHub's log, which show them in a pull request.
    Github,
    /// A SARIF 2.1.0 log, which code scanning reads.
    Sarif,
}

/// Writes diagnostics, already sorted, in one of the forms of `check`.
pub(crate) fn found(out: &Out, sources: &Sources, found: &[Diagnostic], format: CheckFormat) {
    match format {
        CheckFormat::Text => diagnostics(out, sources, found, Format::Text),
        CheckFormat::Json => diagnostics(out, sources, found, Format::Json),
        CheckFormat::Github => out.write(&github::commands(sources, found, in_repository)),
        CheckFormat::Sarif => out.json(&sarif::log(sources, found, in_repository)),
    }
}

/// Returns the path of a file from the top of its repository, as platforms want it; as it is where there is none.
fn in_repository(name: &str) -> String {
    let Ok(absolute) = std::path::Path::new(name).canonicalize() else { return name.to_owned() };
    let top = absolute.ancestors().skip(1).find(|folder| folder.join(".git").exists());
    let inside = top.and_then(|top| absolute.strip_prefix(top).ok());
    inside.map_or_else(|| name.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Writes diagnostics, already sorted: text to stderr, JSON to stdout.
pub(crate) fn diagnostics(out: &Out, sources: &Sources, diagnostics: &[Diagnostic], format: Format) {
    match format {
        Format::Json => out.json(&json::document(sources, diagnostics)),
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
