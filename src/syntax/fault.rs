//! What to say where a declaration stops following the grammar: first a look at the offending word, then at what could
//! have stood there. Also which stretch to leave out, so that the rest of the declaration is read all the same.

mod slips;

use std::ops::Range;

use super::forms;
use super::parser::{Rule, Stuck};
use super::split::TRIGGERS;
use super::symbol::expectation;
use super::tokens::{Kind, Token};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::{FileId, Span};

/// A declaration that is being read.
pub(super) struct Reading<'t> {
    pub(super) file: FileId,
    pub(super) base: u32,
    pub(super) keyword: &'t str,
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
}

/// One fault and the bytes that can be left out to go on behind it.
pub(super) struct Fault {
    pub(super) diagnostic: Diagnostic,
    pub(super) skip: Option<Range<usize>>,
}

/// Words that go on with a clause at the beginning of a line.
const INSIDE_CLAUSES: [&str; 14] =
    ["and", "or", "of", "over", "as", "always", "for", "against", "ungated", "recorded", "when", "ask", "every", "by"];

/// A body of clauses, fields or columns that the fault is in.
struct Body {
    /// Index of its `{`.
    open: usize,
    /// Depth of its clauses.
    depth: usize,
    /// Whose clauses they are; `schema` and `metrics` count as kinds.
    kind: &'static str,
}

impl Reading<'_> {
    /// Explains why the parser is stuck.
    pub(super) fn explain(&self, stuck: &Stuck) -> Fault {
        let Some(index) = self.tokens.iter().position(|token| token.is_code() && token.end > stuck.at) else {
            return Fault { diagnostic: self.at_end(stuck), skip: None };
        };
        let depths = self.depths();
        let outer = self.outer_body(&depths).filter(|body| index > body.open);
        let inner = outer.as_ref().and_then(|body| self.watch_body(body, &depths, index));
        let body = inner.as_ref().or(outer.as_ref());
        let starts_clause = body.is_some_and(|body| depths[index] == body.depth && self.begins(index, body));
        if let Some((empty, after)) = body.and_then(|body| self.empty_clause(index, body, &depths)) {
            let skip = Some(self.tokens[empty].start..self.tokens[after].start);
            return Fault { diagnostic: self.no_value(empty), skip };
        }
        if let Some(fault) = self.slip(index, stuck, body, &depths) {
            return fault;
        }
        let unknown = body.filter(|_| starts_clause && stuck.tried.contains(&Rule::need_clause));
        let diagnostic = unknown
            .and_then(|body| self.unknown_clause(index, body))
            .unwrap_or_else(|| self.unexpected(index, stuck, body, &depths));
        let skip = outer.as_ref().map(|body| self.skip(index, body, &depths));
        Fault { diagnostic, skip }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.base + start as u32, self.base + end as u32)
    }

    fn word(&self, index: usize) -> &str {
        self.tokens[index].text(self.text)
    }

    /// Returns for each token how many brackets are open before it; a bracket counts as outside of itself.
    fn depths(&self) -> Vec<usize> {
        let mut depth = 0usize;
        let count = |token: &Token| match token.kind {
            Kind::Open => {
                depth += 1;
                depth - 1
            }
            Kind::Close => {
                depth = depth.saturating_sub(1);
                depth
            }
            _ => depth,
        };
        self.tokens.iter().map(count).collect()
    }

    fn outer_body(&self, depths: &[usize]) -> Option<Body> {
        let kind = match self.keyword {
            "stage" => "stage",
            "action" => "action",
            "gate" => "gate",
            "rollout" => "rollout",
            "monitor" => "monitor",
            "experiment" => "experiment",
            "profile" => "profile",
            "schema" => "schema",
            "metrics" => "metrics",
            _ => return None,
        };
        let at_top = |index: &usize| depths[*index] == 0;
        if kind == "stage" && (0..self.tokens.len()).filter(at_top).any(|index| self.word(index) == "=") {
            return None;
        }
        let open = (0..self.tokens.len()).rev().filter(at_top).find(|&index| self.word(index) == "{")?;
        Some(Body { open, depth: 1, kind })
    }

    /// Returns the body of the `watch` clause that a token is in.
    fn watch_body(&self, outer: &Body, depths: &[usize], index: usize) -> Option<Body> {
        let open = (outer.open + 1..index).rev().find(|&at| depths[at] == 1 && self.word(at) == "{")?;
        let clause = (outer.open + 1..open).rev().find(|&at| depths[at] == 1 && self.begins(at, outer))?;
        let closed = (open + 1..index).any(|at| depths[at] == 1 && self.tokens[at].kind == Kind::Close);
        (self.word(clause) == "watch" && !closed).then_some(Body { open, depth: 2, kind: "watch" })
    }

    /// Returns the token of code before `index`.
    fn before(&self, index: usize) -> Option<Token> {
        self.tokens[..index].iter().rev().copied().find(|token| token.is_code())
    }

    fn first_on_line(&self, index: usize) -> bool {
        index == 0 || self.tokens[index - 1].kind == Kind::Newline
    }

    /// Tells whether a clause of `body` seems to begin at a token at its depth.
    fn begins(&self, index: usize, body: &Body) -> bool {
        let columns = matches!(body.kind, "schema" | "metrics");
        let token = self.tokens[index];
        if token.kind != Kind::Word && !(columns && token.kind == Kind::Str) {
            return false;
        }
        let Some(before) = self.before(index) else { return false };
        if before.kind == Kind::Punct && matches!(before.text(self.text), "," | "=" | ":" | "." | "@" | "|" | "==") {
            return false;
        }
        let first = self.first_on_line(index) || index == body.open + 1;
        let word = self.word(index);
        if first {
            return columns || !INSIDE_CLAUSES.contains(&word) || body.kind == "monitor" && word == "every";
        }
        matches!(before.kind, Kind::Str | Kind::Raw | Kind::Number | Kind::Close)
            && forms::clauses(body.kind).contains(&word)
    }

    /// Returns a clause without its value and the clause behind it, whose word the parser took for that value.
    fn empty_clause(&self, index: usize, body: &Body, depths: &[usize]) -> Option<(usize, usize)> {
        let clause = self.clause_of(index, body, depths)?;
        let known = |at: usize| forms::clauses(body.kind).contains(&self.word(at)) && self.first_on_line(at);
        let after = if clause == index && known(index) { index } else { clause };
        let before = (0..after).rev().find(|&at| self.tokens[at].is_code())?;
        let empty = known(after) && known(before) && self.begins(before, body) && self.word(before) != "idempotent";
        empty.then_some((before, after))
    }

    fn no_value(&self, clause: usize) -> Diagnostic {
        let token = self.tokens[clause];
        let word = self.word(clause);
        let form = forms::of_clause(word).unwrap_or(word);
        let message = format!("`{word}` says nothing");
        Diagnostic::new(codes::SYNTAX, self.span(token.start, token.end), message).help(format!("write `{form}`"))
    }

    /// Returns the token with which the clause of a token begins.
    fn clause_of(&self, index: usize, body: &Body, depths: &[usize]) -> Option<usize> {
        (body.open + 1..=index).rev().find(|&at| depths[at] == body.depth && self.begins(at, body))
    }

    fn unknown_clause(&self, index: usize, body: &Body) -> Option<Diagnostic> {
        let token = self.tokens[index];
        let word = self.word(index);
        let known = forms::clauses(body.kind);
        if known.contains(&word) {
            return None;
        }
        let meant = forms::elsewhere(word).filter(|near| known.contains(near));
        let named = self.tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Word);
        let near = meant.or_else(|| nearest(word, known.iter().copied()));
        let span = self.span(token.start, token.end);
        let article = if body.kind.starts_with(['a', 'e']) { "an" } else { "a" };
        let message = format!("unknown clause `{word}` in {article} {}", body.kind);
        let diagnostic = Diagnostic::new(codes::UNKNOWN_CLAUSE, span, message);
        Some(match (near, forms::home(word)) {
            (Some(near), _) if meant.is_some() => {
                let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                if named { diagnostic.fix(span, near) } else { diagnostic }
            }
            (Some(near), _) => {
                diagnostic.help(format!("did you mean `{near}`?")).fix_near(span, word, near, known.iter().copied())
            }
            _ if forms::parts(body.kind).contains(&word) => {
                diagnostic.help(format!("write it before the `{{`: `{} NAME {word} … {{`", body.kind))
            }
            (None, Some(home)) => diagnostic.help(format!("`{word}` belongs to `{home}`; remove it here")),
            (None, None) => diagnostic.help(format!("{article} {} takes {}", body.kind, forms::quoted_list(known))),
        })
    }

    fn unexpected(&self, index: usize, stuck: &Stuck, body: Option<&Body>, depths: &[usize]) -> Diagnostic {
        let token = self.tokens[index];
        // The parser may be stuck inside of a string, in the expression of a `{…}`.
        let start = if matches!(token.kind, Kind::Str | Kind::Raw) { token.start.max(stuck.at) } else { token.start };
        let found = if start == token.start { self.word(index) } else { piece(&self.text[start..token.end]) };
        let span = self.span(start, start + found.len());
        if let Some(diagnostic) = self.known_slip(found, start, span, stuck) {
            return diagnostic;
        }
        let shown = shorten(found);
        if token.kind == Kind::Str && start > token.start {
            let message = format!("`{shown}` is no part of a value: `{{` in `\"…\"` begins one");
            let help = "write `\\{` where the brace is meant as such, or put the text into `'…'`, where it is";
            return Diagnostic::new(codes::SYNTAX, span, message).help(help);
        }
        if stuck.tried.contains(&Rule::need_comma) || self.lacks_comma(index, stuck, body, depths) {
            let message = format!("expected a comma or the end of the list, found `{shown}`");
            let diagnostic = Diagnostic::new(codes::SYNTAX, span, message).help("write a comma before it");
            return match self.before(index) {
                Some(before) if start == token.start && token.kind != Kind::Punct => {
                    diagnostic.fix(self.span(before.end, before.end), ",")
                }
                _ => diagnostic,
            };
        }
        if stuck.tried.contains(&Rule::need_trigger) {
            let diagnostic = Diagnostic::new(codes::SYNTAX, span, format!("unknown trigger `{shown}`"));
            return match nearest(found, TRIGGERS) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix_near(span, found, near, TRIGGERS),
                None => diagnostic.help(format!("triggers are {}", forms::quoted_list(&TRIGGERS))),
            };
        }
        let message = match expectation(&stuck.tried) {
            Some(expected) => format!("expected {expected}, found `{shown}`"),
            None => format!("unexpected `{shown}`"),
        };
        let diagnostic = Diagnostic::new(codes::SYNTAX, span, message);
        let parts = forms::parts(self.keyword);
        let near = (depths[index] == 0 && token.kind == Kind::Word).then(|| nearest(found, parts.iter().copied()));
        if let Some(near) = near.flatten() {
            let known = parts.iter().copied();
            return diagnostic.help(format!("did you mean `{near}`?")).fix_near(span, found, near, known);
        }
        diagnostic.help(self.form(index, body, depths))
    }

    /// Tells whether a second item of a list clause stands there without a comma.
    fn lacks_comma(&self, index: usize, stuck: &Stuck, body: Option<&Body>, depths: &[usize]) -> bool {
        let Some(body) = body else { return false };
        let listed = self.clause_of(index, body, depths).is_some_and(|clause| {
            clause + 1 < index
                && matches!(self.word(clause), "in" | "code" | "use" | "secret" | "status" | "credentials")
        });
        let item = matches!(self.tokens[index].kind, Kind::Word | Kind::Str | Kind::Number);
        listed && item && depths[index] == body.depth && stuck.tried.contains(&Rule::need_clause)
    }

    fn at_end(&self, stuck: &Stuck) -> Diagnostic {
        let end = self.text.trim_end().len();
        let expected = expectation(&stuck.tried).unwrap_or("more");
        let keyword = self.keyword;
        let text = &self.text[..end];
        if text.strip_suffix('.').is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit())) {
            return digit_missing(self.span(end - 1, end));
        }
        let message = format!("expected {expected} at the end of this `{keyword}`");
        let form = forms::of(keyword);
        Diagnostic::new(codes::SYNTAX, self.span(end, end), message).help(format!("write `{form}`"))
    }

    /// Returns the line to write for the clause or declaration that a token is in.
    fn form(&self, index: usize, body: Option<&Body>, depths: &[usize]) -> String {
        if let Some(body) = body {
            let clause = (body.open + 1..=index).rev().find(|&at| depths[at] == body.depth && self.begins(at, body));
            let word = clause.map(|at| self.word(at)).unwrap_or_default();
            if let Some(form) = forms::of_clause(word) {
                return format!("write `{form}`");
            }
            match body.kind {
                "schema" => return "write `COLUMN: TYPE`; columns are separated by blanks or lines".to_owned(),
                "metrics" => return "write `METRIC: TYPE higher` or `METRIC: TYPE lower`".to_owned(),
                _ => {}
            }
        }
        format!("write `{}`", forms::of(self.keyword))
    }

    /// Slips that everybody makes, with their own way out.
    fn known_slip(&self, found: &str, start: usize, span: Span, stuck: &Stuck) -> Option<Diagnostic> {
        let glued = |at: usize| self.text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let syntax = |message: &str, help: String| Some(Diagnostic::new(codes::SYNTAX, span, message).help(help));
        let instead = |message: &str, word: &str| {
            let diagnostic = Diagnostic::new(codes::SYNTAX, span, message).help(format!("write `{word}`"));
            Some(diagnostic.fix(span, word))
        };
        let first = found.chars().next()?;
        match found {
            "-" if glued(start) && self.text[start + 1..].starts_with(char::is_alphabetic) => {
                let begin = self.text[..start].rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
                let begin = begin.map_or(0, |at| at + self.text[at..].chars().next().map_or(1, char::len_utf8));
                let rest = &self.text[start..];
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
                let name = &self.text[begin..start + end];
                syntax("a name holds no `-`", format!("write `{}`", name.replace('-', "_")))
            }
            "{" if self.text[..start].ends_with('@') => {
                let before = &self.text[..start - 1];
                let begin = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
                let registry =
                    &before[begin.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
                syntax(
                    "a pointer's name is a plain word: it can't depend on a loop",
                    format!("name each pointer, `{registry}@nord`, and write a gate and a promotion for each"),
                )
            }
            "=" if stuck.tried.contains(&Rule::infix) => {
                let diagnostic = syntax("`=` compares nothing", "write `==` to compare".to_owned());
                diagnostic.map(|diagnostic| diagnostic.fix(span, "=="))
            }
            "&&" => instead("`&&` is no operator", "and"),
            "||" => instead("`||` is no operator", "or"),
            "!" => {
                let blank = if self.text[start + 1..].starts_with([' ', '\t']) { "" } else { " " };
                let diagnostic = syntax("`!` is no operator", "write `not`".to_owned());
                diagnostic.map(|diagnostic| diagnostic.fix(span, format!("not{blank}")))
            }
            "%" => syntax("`%` is no operator", "glue it to a number to write a ratio: `2%`".to_owned()),
            ";" => {
                let help = "remove it: a clause ends where the next one begins".to_owned();
                let diagnostic = syntax("`;` separates nothing", help);
                diagnostic.map(|diagnostic| diagnostic.fix(span, ""))
            }
            "." if self.text[..start].ends_with(|c: char| c.is_ascii_digit())
                || self.text[start + 1..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                Some(digit_missing(span))
            }
            _ if first.is_ascii_digit() && found.matches('.').count() > 1 => {
                let help = format!("write one dot, as in `1.5`; what is no number is a text: `\"{found}\"`");
                Some(Diagnostic::new(codes::BAD_NUMBER, span, format!("`{found}` is no number")).help(help))
            }
            _ if !first.is_alphanumeric() && (!first.is_ascii() || first.is_ascii_control() || first == '`') => {
                let shown = first.escape_debug();
                let diagnostic = Diagnostic::new(codes::BAD_CHARACTER, span, format!("unexpected character `{shown}`"));
                let own = Span { end: span.start + first.len_utf8() as u32, ..span };
                Some(match first {
                    '“' | '”' | '„' | '`' => diagnostic.help("write `\"`"),
                    '‘' | '’' => diagnostic.help("write `'`"),
                    '–' | '—' | '−' => diagnostic.help("write `-`").fix(own, "-"),
                    '≥' => diagnostic.help("write `>=`").fix(own, ">="),
                    '≤' => diagnostic.help("write `<=`").fix(own, "<="),
                    _ => diagnostic.help("remove it, or put it into a string"),
                })
            }
            _ => None,
        }
    }

    /// Returns the stretch from the clause that a token is in to the next one.
    fn skip(&self, index: usize, body: &Body, depths: &[usize]) -> Range<usize> {
        if self.word(index) == "," {
            return self.tokens[index].start..self.tokens[index].end;
        }
        let start = self.tokens[self.clause_of(index, body, depths).unwrap_or(index)].start;
        let closes = |at: usize| depths[at] < body.depth;
        let next = (index..self.tokens.len()).find(|&at| {
            closes(at) || (at > index && depths[at] == body.depth && self.begins(at, body) && self.is_clause(at, body))
        });
        start..next.map_or(self.text.len(), |at| self.tokens[at].start)
    }

    /// Tells whether a word is a clause of some body, or nearly one of this.
    fn is_clause(&self, index: usize, body: &Body) -> bool {
        let word = self.word(index);
        let here = forms::clauses(body.kind);
        matches!(body.kind, "schema" | "metrics")
            || here.contains(&word)
            || (self.first_on_line(index)
                && (forms::home(word).is_some()
                    || forms::elsewhere(word).is_some()
                    || nearest(word, here.iter().copied()).is_some()))
    }
}

fn digit_missing(span: Span) -> Diagnostic {
    Diagnostic::new(codes::BAD_NUMBER, span, "a digit is missing beside the dot")
        .help("write digits on both sides: `0.5`, `1.0`")
}

/// Returns the first word or character.
fn piece(text: &str) -> &str {
    let word = super::split::word_at(text, 0);
    if word.is_empty() { &text[..text.chars().next().map_or(0, char::len_utf8)] } else { word }
}

/// Returns at most one line of about 40 characters.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < text.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
