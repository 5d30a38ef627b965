//! Comments as other languages write them: `//`, `/* … */` and `--`. No text of this language holds the first two outside
//! of strings, and no line begins with the last one.

use super::Splitter;
use crate::diagnostic::{Diagnostic, codes};

/// So far behind `/*` its end is looked for.
const FAR: usize = 4096;

/// Returns where a comment of another language that begins at `at` ends. The last byte of code before it stands before `code`.
pub(crate) fn foreign(text: &str, at: usize, code: usize, fresh: bool) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    let dashes = rest.starts_with(b"--") && !rest.starts_with(b"---");
    if !dashes && !rest.starts_with(b"//") && !rest.starts_with(b"/*") {
        return None;
    }
    let before = text[..at].chars().next_back().unwrap_or(' ');
    if before.is_alphanumeric() || matches!(before, '_' | ':' | '.' | '*' | '/') {
        return None;
    }
    // Behind an operator, `-- 1` is a number whose sign is changed twice.
    let code = &text[..code];
    let value =
        code.ends_with(['=', ',', ':', '|', '+', '-', '*', '/', '<', '!', '@', '(', '[']) || code.ends_with(" >");
    if dashes && (!fresh || value) {
        return None;
    }
    let line = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let line = at + text[at..line].trim_end().len();
    if rest.starts_with(b"/*") {
        let close = rest[..rest.len().min(FAR)].windows(2).position(|pair| pair == b"*/");
        return Some(close.map_or(line, |end| at + end + 2));
    }
    Some(line)
}

impl Splitter<'_, '_> {
    /// Reports a comment of another language and walks over it; false where none begins here.
    pub(super) fn foreign(&mut self, fresh: bool) -> bool {
        if self.string_floor.is_some() {
            return false;
        }
        let code = self.code_end.min(self.at);
        let Some(end) = foreign(self.text, self.at, code, fresh) else { return false };
        let written = &self.text[self.at..end];
        let doc = written.starts_with("///") && !written.starts_with("////");
        let span = self.span(self.at, self.at + 2);
        let message = format!("`{}` begins no comment", &written[..2]);
        let mut diagnostic = Diagnostic::new(codes::SYNTAX, span, message).help("comments begin with `#`");
        let alone = self.text[end..].lines().next().unwrap_or_default().trim().is_empty();
        if let Some(block) = written.strip_prefix("/*") {
            if let (true, true, Some(inner)) = (fresh, alone, block.strip_suffix("*/")) {
                diagnostic = diagnostic.fix(self.span(self.at, end), lines(inner));
            }
        } else if fresh {
            let (length, mark) = if doc { (3, "##") } else { (2, "#") };
            diagnostic = diagnostic.fix(self.span(self.at, self.at + length), mark);
        }
        self.diagnostics.push(diagnostic);
        self.at = end;
        true
    }
}

/// Writes each line of a comment behind `#`.
fn lines(inner: &str) -> String {
    let inner = inner.trim().trim_start_matches('*');
    let lines = inner.lines().map(|line| format!("# {}", line.trim().trim_start_matches('*').trim_start()));
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
