//! Edits as values: put together without overlaps, applied to a text. What they mend is said by the diagnostics that
//! carry them.

use super::{Diagnostic, Fix};
use crate::source::{FileId, Sources, Span};

/// Returns the edits of one file in the order in which they stand, each once; of two that touch the same place the
/// first is taken and the other left for the next look at the text.
#[must_use]
pub fn of_file(diagnostics: &[Diagnostic], file: FileId) -> Vec<&Diagnostic> {
    let mut fixed: Vec<(&Fix, &Diagnostic)> = diagnostics
        .iter()
        .filter_map(|one| Some((one.fix.as_ref()?, one)))
        .filter(|(fix, _)| fix.span.file == file)
        .collect();
    fixed.sort_by_key(|(fix, _)| (fix.span.start, fix.span.end));
    let mut taken: Vec<&Diagnostic> = Vec::new();
    let mut free: Option<Span> = None;
    for (fix, diagnostic) in fixed {
        let touches = free.is_some_and(|last| fix.span.start < last.end || fix.span.start == last.start);
        if !touches {
            free = Some(fix.span);
            taken.push(diagnostic);
        }
    }
    taken
}

/// Applies edits that are in order and do not overlap. New lines end as those of the text do.
#[must_use]
pub fn apply<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Fix>) -> String {
    let crlf = text.find('\n').is_some_and(|at| text[..at].ends_with('\r'));
    let mut edited = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for fix in fixes {
        edited.push_str(&text[at..fix.span.start as usize]);
        if crlf {
            edited.push_str(&fix.replacement.replace('\n', "\r\n"));
        } else {
            edited.push_str(&fix.replacement);
        }
        at = fix.span.end as usize;
    }
    edited.push_str(&text[at..]);
    edited
}

impl Diagnostic {
    /// Sets the edit that adds a clause before `run`, the clause that runs something, where that one begins a line.
    #[must_use]
    pub fn add_clause(self, sources: &Sources, run: Span, clause: &str) -> Self {
        let text = sources.file(run.file).text();
        let line = text[..run.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let rest = text[line..].trim_start_matches([' ', '\t']);
        let start = text.len() - rest.len();
        if start != run.start as usize || run == Span::default() {
            return self;
        }
        let indent = &text[line..start];
        let span = Span::new(run.file, start as u32, start as u32);
        let replacement = format!("{clause}\n{indent}");
        self.fix(span, replacement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::codes;

    fn edit(start: u32, end: u32, replacement: &str) -> Diagnostic {
        let span = Span::new(FileId(0), start, end);
        Diagnostic::new(codes::UNKNOWN_NAME, span, "a message").fix(span, replacement)
    }

    fn applied(text: &str, found: &[Diagnostic]) -> String {
        let taken = of_file(found, FileId(0));
        apply(text, taken.iter().filter_map(|one| one.fix.as_ref()))
    }

    #[test]
    fn edits_are_applied_in_order_and_one_of_two_that_touch() {
        let found = [edit(4, 6, "X"), edit(0, 1, "Z"), edit(5, 7, "lost"), edit(6, 6, "!"), edit(6, 6, "again")];
        assert_eq!(applied("abcdefgh", &found), "ZbcdX!gh");
    }

    #[test]
    fn an_edit_of_another_file_is_not_applied() {
        let span = Span::new(FileId(1), 0, 1);
        let found = [Diagnostic::new(codes::UNKNOWN_NAME, span, "a message").fix(span, "x")];
        assert_eq!(applied("abc", &found), "abc");
    }

    #[test]
    fn new_lines_end_as_those_of_the_text_do_and_a_mark_stays() {
        assert_eq!(applied("\u{feff}a\r\nb", &[edit(4, 4, "\nx")]), "\u{feff}a\r\nx\r\nb");
        assert_eq!(applied("a\nb", &[edit(1, 1, "\nx")]), "a\nx\nb");
    }

    #[test]
    fn a_clause_is_added_before_the_run_of_its_stage() {
        let text = "stage a {\n\tout x: File = \"x\"\n\trun <<< a >>>\n}\n";
        let sources = Sources::single("p.mlp", text);
        let at = text.find("run").expect("the clause") as u32;
        let found = Diagnostic::new(codes::DURATION_CACHED, Span::default(), "a message");
        let found = found.add_clause(&sources, Span::new(FileId(0), at, at + 3), "rerun always");
        assert_eq!(applied(text, &[found]), "stage a {\n\tout x: File = \"x\"\n\trerun always\n\trun <<< a >>>\n}\n");
        let joined = Sources::single("p.mlp", "stage a { run <<< a >>> }");
        let found = Diagnostic::new(codes::DURATION_CACHED, Span::default(), "a message");
        assert_eq!(found.add_clause(&joined, Span::new(FileId(0), 10, 21), "rerun always").fix, None);
    }
}
