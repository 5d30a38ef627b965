//! The formatter: one indentation, one blank line at most, one way to set commas, braces and columns. What comes out
//! depends on the tokens and on the lines that they stand on, never on the blanks between them. It moves tokens and never
//! drops one; comments stay on their lines and raw text is not touched.

mod columns;
mod gaps;

use super::ast::File;
use super::split;
use super::tokens::{Kind, Token, tokens};
use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use columns::Columns;
use gaps::Gaps;

/// Blanks of one level.
const STEP: usize = 2;

/// Words that go on with a clause at the beginning of a line.
const GOES_ON: [&str; 13] =
    ["and", "or", "of", "over", "as", "always", "for", "against", "ungated", "recorded", "when", "after", "with"];

/// Clauses whose lists go on under their first value.
const LISTS: [&str; 6] = ["in", "code", "use", "secret", "credentials", "status"];

/// Kinds of declaration whose body holds clauses.
const CLAUSES: [&str; 7] = ["stage", "action", "gate", "rollout", "monitor", "experiment", "profile"];

/// Formats a file. One that has faults is left alone, and they are returned.
pub fn format(file: FileId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = super::parse(file, text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let starts: Vec<_> =
        split::split(file, text, &mut Vec::new()).into_iter().map(|chunk| chunk.start as usize).collect();
    let text_without_bom = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - text_without_bom.len();
    let gaps = Gaps::new(text, &parsed.file);
    let mut cut = Vec::with_capacity(text.len() / 4);
    for token in tokens(text_without_bom) {
        let token = Token { start: token.start + shift, end: token.end + shift, ..token };
        // `Model<onnx>= "m"`: the angle closes the type.
        let parts = if gaps.is_angle(token) { token.start + 1..token.end } else { token.end..token.end };
        cut.push(Token { end: parts.start, ..token });
        cut.extend((!parts.is_empty()).then_some(Token { start: parts.start, ..token }));
    }
    let tokens = cut;
    let mut layout = Layout {
        text,
        starts: &starts,
        tokens: &tokens,
        gaps: &gaps,
        lines: Vec::new(),
        open: Vec::new(),
        before: None,
        keyword: "",
        clause_word: "",
        derived: false,
    };
    layout.read();
    let lines = layout.lines;
    let blanks = Columns::new(text, &tokens, &starts, &gaps).set(&lines);
    Ok(write(text, &tokens, &lines, &blanks))
}

/// Tells whether two trees are the same apart from where their nodes stand.
#[must_use]
pub fn same_tree(left: &File, right: &File) -> bool {
    serde_json::to_value(left).ok() == serde_json::to_value(right).ok()
}

/// A line that holds something.
struct Line {
    /// Its tokens, as places in the list of all.
    first: usize,
    end: usize,
    /// A blank line stands before it.
    apart: bool,
    indent: Indent,
    /// What it begins.
    begins: Begins,
}

/// How far in a line begins.
#[derive(Clone, Copy)]
enum Indent {
    /// By so many blanks.
    By(usize),
    /// Under a token of another line.
    Under { line: usize, token: usize },
}

/// What a line begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// Nothing: it goes on with something, or holds a comment alone.
    Nothing,
    Declaration,
    /// A clause of the body that the token opens.
    Clause {
        body: usize,
    },
    /// A field of a schema or of metrics, whose body the token opens.
    Field {
        body: usize,
        metrics: bool,
    },
}

/// An open bracket.
struct Opened<'t> {
    bracket: &'t str,
    /// Which token it is.
    token: usize,
    /// Indentation of the line that it stands on.
    indent: usize,
    /// Its lines begin clauses.
    clauses: bool,
    /// The line of the clause begun last, and whether that is a list.
    clause: Option<(usize, bool)>,
}

/// Reads which lines there are, and how far in each begins.
struct Layout<'t> {
    text: &'t str,
    /// Where declarations begin, ascending.
    starts: &'t [usize],
    tokens: &'t [Token],
    gaps: &'t Gaps,
    lines: Vec<Line>,
    open: Vec<Opened<'t>>,
    /// The last token of code.
    before: Option<Token>,
    keyword: &'t str,
    /// The first word of the clause that was begun last.
    clause_word: &'t str,
    /// The declaration binds by `=`, so that its braces hold a record.
    derived: bool,
}

impl<'t> Layout<'t> {
    fn read(&mut self) {
        let mut apart = false;
        let mut at = 0;
        while at < self.tokens.len() {
            let rest = &self.tokens[at..];
            let length = rest.iter().position(|token| token.kind == Kind::Newline).unwrap_or(rest.len());
            if length == 0 {
                apart = !self.lines.is_empty();
            } else {
                let (indent, begins) = self.begin(at);
                let apart = std::mem::take(&mut apart);
                self.lines.push(Line { first: at, end: at + length, apart, indent, begins });
                let by = if let Indent::By(by) = indent { by } else { 0 };
                for token in at..at + length {
                    self.pass(token, by);
                }
            }
            at += length + 1;
        }
    }

    /// Keeps account of brackets.
    fn pass(&mut self, at: usize, indent: usize) {
        let token = self.tokens[at];
        let written = token.text(self.text);
        match token.kind {
            Kind::Open => {
                let clauses = written == "{" && self.opens_clauses();
                // The body of a declaration whose head goes over several lines belongs to its first line.
                let indent = if written == "{" && self.open.is_empty() { 0 } else { indent };
                self.open.push(Opened { bracket: written, token: at, indent, clauses, clause: None });
            }
            Kind::Close => {
                self.open.pop();
            }
            // A gate names its evidence by `=` too.
            Kind::Punct if written == "=" && self.open.is_empty() && self.keyword == "stage" => self.derived = true,
            _ => {}
        }
        if token.is_code() {
            self.before = Some(token);
        }
    }

    /// Tells whether a brace that comes next holds clauses.
    fn opens_clauses(&self) -> bool {
        match self.open.as_slice() {
            [] => CLAUSES.contains(&self.keyword) && !self.derived,
            [outer] if outer.clauses => matches!(self.keyword, "rollout" | "experiment") && self.clause_word == "watch",
            _ => false,
        }
    }

    /// Returns how far in the line that begins with a token stands, and what it begins.
    fn begin(&mut self, at: usize) -> (Indent, Begins) {
        let first = self.tokens[at];
        let word = first.text(self.text);
        let depth = self.open.len();
        let Some(top) = self.open.last() else {
            if first.kind == Kind::Comment {
                return (Indent::By(0), Begins::Nothing);
            }
            if self.starts.binary_search(&first.start).is_ok() {
                self.keyword = word;
                self.derived = false;
                return (Indent::By(0), Begins::Declaration);
            }
            return (Indent::By(if word == "{" { 0 } else { STEP }), Begins::Nothing);
        };
        if first.kind == Kind::Close {
            return (Indent::By(top.indent), Begins::Nothing);
        }
        let base = top.indent + STEP;
        if first.kind == Kind::Comment || top.bracket != "{" {
            return (Indent::By(base), Begins::Nothing);
        }
        if self.goes_on(first, top.clauses) {
            let listed = self.before.is_some_and(|before| before.text(self.text) == ",");
            return match top.clause {
                Some((line, true)) if listed => {
                    (Indent::Under { line, token: self.lines[line].first + 1 }, Begins::Nothing)
                }
                _ => (Indent::By(base + STEP), Begins::Nothing),
            };
        }
        let (body, clauses) = (top.token, top.clauses);
        let begins = match self.keyword {
            _ if !self.gaps.begins_part(first) => Begins::Nothing,
            _ if clauses => Begins::Clause { body },
            "schema" | "metrics" if depth == 1 => Begins::Field { body, metrics: self.keyword == "metrics" },
            _ => Begins::Nothing,
        };
        self.clause_word = word;
        let next = self.tokens.get(at + 1).is_some_and(|next| next.is_code());
        let list = clauses && next && LISTS.contains(&word);
        if let Some(top) = self.open.last_mut() {
            top.clause = Some((self.lines.len(), list));
        }
        (Indent::By(base), begins)
    }

    /// Tells whether a line in braces goes on with the clause or field before it.
    fn goes_on(&self, first: Token, clauses: bool) -> bool {
        let word = first.text(self.text);
        let begins = match first.kind {
            Kind::Punct => return true,
            Kind::Word => GOES_ON.contains(&word) && !self.is_key(first),
            Kind::Raw => return true,
            _ => false,
        };
        let Some(before) = self.before else { return false };
        let open = match before.text(self.text) {
            "," => clauses,
            // Not `..`: its upper bound stands on the same line, or there is none.
            "=" | ":" | "|" | "+" | "-" | "*" | "/" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "." => true,
            "and" | "or" | "not" => before.kind == Kind::Word,
            _ => false,
        };
        begins || open
    }

    fn is_key(&self, word: Token) -> bool {
        self.text[word.end..].trim_start_matches([' ', '\t']).starts_with(':')
    }
}

/// Writes the lines; `blanks` stand before each token.
fn write(text: &str, tokens: &[Token], lines: &[Line], blanks: &[usize]) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16 + 16);
    for line in lines {
        if line.apart {
            out.push('\n');
        }
        for (token, &before) in tokens[line.first..line.end].iter().zip(&blanks[line.first..line.end]) {
            push_blanks(&mut out, before);
            let written = token.text(text);
            match token.kind {
                Kind::Raw if written.contains('\n') => block(&mut out, written, blanks[line.first]),
                Kind::Comment => out.push_str(written.trim_end()),
                _ => out.push_str(written),
            }
        }
        out.push('\n');
    }
    out
}

/// Writes a block as it is; the marks around its text are not part of it.
fn block(out: &mut String, written: &str, indent: usize) {
    // As many CRs as stand before a line's end: one that stayed would be the next round's.
    let mut lines = written.split('\n').map(|line| line.trim_end_matches('\r')).peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        if first {
            out.push_str(line.trim_end());
        } else if lines.peek().is_none() {
            out.push('\n');
            push_blanks(out, indent);
            out.push_str(line.trim());
        } else {
            out.push('\n');
            out.push_str(line);
        }
        first = false;
    }
}

fn push_blanks(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests;
