//! `check --fix`: applies the edits that diagnostics are certain of, looks again, and writes what reads.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::diagnostic::{Diagnostic, edits};
use crate::host::{Error, Out, Result, fs};
use crate::source::{FileId, SourceFile, Sources};
use crate::syntax;

/// How often a text is looked at again: one edit may show what another hid.
const ROUNDS: usize = 16;

/// Mends the files of `sources` as far as is certain, and returns them as they stand afterwards. `find` is the check.
/// A file whose text would not read is left as it is.
pub(super) fn repair(out: &Out, sources: Sources, find: impl Fn(&Sources) -> Vec<Diagnostic>) -> Result<Sources> {
    let mut texts: Vec<(String, String)> =
        sources.iter().map(|(_, file)| (file.name().to_owned(), file.text().to_owned())).collect();
    let before = texts.clone();
    let mut done: Vec<Vec<String>> = vec![Vec::new(); texts.len()];
    // What an edit of an earlier round was for: where it is said again, that edit did not help.
    let mut tried: HashSet<(&'static str, String, String)> = HashSet::new();
    let mut now = sources;
    for _ in 0..ROUNDS {
        let found = find(&now);
        let mut applied = Vec::new();
        for (index, (_, text)) in texts.iter_mut().enumerate() {
            let id = FileId(index as u32);
            let mut taken = edits::of_file(&found, id);
            taken.retain(|one| !tried.contains(&about(one)));
            // What is missing may be there, misspelt: it is added only where nothing is left to put right.
            let replaces = |one: &&Diagnostic| one.fix.as_ref().is_some_and(|fix| fix.span.start < fix.span.end);
            if taken.iter().any(replaces) {
                taken.retain(replaces);
            }
            if taken.is_empty() {
                continue;
            }
            done[index].extend(taken.iter().map(|one| said(&now, one)));
            *text = edits::apply(text, taken.iter().filter_map(|one| one.fix.as_ref()));
            applied.extend(taken.iter().map(|one| about(one)));
        }
        if applied.is_empty() {
            break;
        }
        tried.extend(applied);
        now = again(&texts);
    }
    for (index, (name, text)) in texts.iter_mut().enumerate() {
        if done[index].is_empty() {
            continue;
        }
        if syntax::parse(FileId(0), text).diagnostics.iter().any(Diagnostic::is_error) {
            out.err_line(&format!("{name}: left as it is, since it would still not read"));
            text.clone_from(&before[index].1);
            continue;
        }
        rewrite(Path::new(name.as_str()), text)?;
        for line in &done[index] {
            out.err_line(line);
        }
        let count = done[index].len();
        out.err_line(&format!("{name}: {count} fix{}", if count == 1 { "" } else { "es" }));
    }
    Ok(again(&texts))
}

/// Returns what an edit is for, wherever its place has moved to: its code, its message, what is written.
fn about(diagnostic: &Diagnostic) -> (&'static str, String, String) {
    let written = diagnostic.fix.as_ref().map(|fix| fix.replacement.clone()).unwrap_or_default();
    (diagnostic.code.name(), diagnostic.message.clone(), written)
}

fn again(texts: &[(String, String)]) -> Sources {
    let mut sources = Sources::default();
    for (name, text) in texts {
        sources.add(SourceFile::new(name.clone(), text.clone()));
    }
    crate::host::modules::read_modules(&mut sources);
    sources
}

/// Says what an edit does: `p.mlp:3:4: fixed unknown-name: `trian` is now `train``.
fn said(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let Some(fix) = &diagnostic.fix else { return String::new() };
    let file = sources.file(fix.span.file);
    let at = file.line_column(fix.span.start);
    let (was, is) = (sources.slice(fix.span), fix.replacement.trim());
    let what = match (was.is_empty(), is.is_empty()) {
        (true, _) => format!("added `{is}`"),
        (_, true) => format!("removed `{was}`"),
        _ => format!("`{was}` is now `{is}`"),
    };
    format!("{}:{}:{}: {}: {what}", file.name(), at.line, at.column, diagnostic.code.name())
}

/// Replaces the file behind any link, and keeps its permissions.
pub(super) fn rewrite(path: &Path, text: &str) -> Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mode = real.metadata().ok().map(|meta| meta.permissions().mode());
    // A file that nobody may write to is not ours to put another in the place of.
    if mode.is_some_and(|mode| mode & 0o222 == 0) {
        let name = path.display();
        return Err(Error::new(format!("`{name}` is read-only; `chmod u+w {name}` lets it be written")));
    }
    fs::write_atomic(&real, text.as_bytes())?;
    mode.map_or(Ok(()), |mode| fs::set_mode(&real, mode & 0o777))
}
