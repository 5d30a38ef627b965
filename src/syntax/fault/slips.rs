//! Slips that are told from what stands around them: half-written clauses, commas with nothing behind them, ranges and
//! words as other languages have them.

use super::{Body, Fault, Reading};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::syntax::forms;
use crate::syntax::number;
use crate::syntax::parser::{Rule, Stuck};
use crate::syntax::symbol::expectation;
use crate::syntax::tokens::{Kind, Token};

/// Words behind which a clause goes on.
const UNFINISHED: [&str; 21] = [
    "on", "of", "over", "as", "for", "when", "at", "and", "or", "not", "against", "by", "to", "ask", "after", "in",
    "between", "one_of", "from", "emit", "notify",
];

/// Declarations that have a body.
const BODIES: [&str; 14] = [
    "stage",
    "gate",
    "action",
    "rollout",
    "monitor",
    "experiment",
    "profile",
    "schema",
    "metrics",
    "runtime",
    "notify",
    "target",
    "register",
    "approval",
];

impl Reading<'_> {
    /// Explains a slip that has a way out of its own.
    pub(super) fn slip(&self, index: usize, stuck: &Stuck, body: Option<&Body>, depths: &[usize]) -> Option<Fault> {
        if let Some(fault) = self.colon(index, depths).or_else(|| self.condition(index, stuck, body, depths)) {
            return Some(fault);
        }
        let range = self.range_slip(index, body, depths);
        range.or_else(|| {
            let body = body?;
            self.comma(index, stuck, body, depths)
                .or_else(|| self.half_written(index, stuck, body, depths))
                .or_else(|| self.column_word(index, stuck, body, depths))
        })
    }

    /// `stage train:`, as Python has it.
    fn colon(&self, index: usize, depths: &[usize]) -> Option<Fault> {
        if depths[index] > 0 || self.word(index) != ":" || !BODIES.contains(&self.keyword) {
            return None;
        }
        let token = self.tokens[index];
        let span = self.span(token.start, token.end);
        let diagnostic = Diagnostic::new(codes::SYNTAX, span, "`:` begins no body");
        let braced = self.tokens[index + 1..].iter().find(|token| token.is_code());
        if braced.is_some_and(|next| next.text(self.text) == "{") {
            let skip = Some(token.start..token.end);
            return Some(Fault { diagnostic: diagnostic.help("remove it").fix(span, ""), skip });
        }
        let help = format!("a body stands in braces: `{}`", forms::of(self.keyword));
        Some(Fault { diagnostic: diagnostic.help(help), skip: None })
    }

    /// `if` where `when` is meant.
    fn condition(&self, index: usize, stuck: &Stuck, body: Option<&Body>, depths: &[usize]) -> Option<Fault> {
        if self.word(index) != "if" {
            return None;
        }
        let token = self.tokens[index];
        let span = self.span(token.start, token.end);
        let diagnostic = Diagnostic::new(codes::SYNTAX, span, "`if` begins no condition");
        let skip = body.map(|body| self.skip(index, body, depths));
        let before_body = depths[index] == 0 && forms::parts(self.keyword).contains(&"when");
        if before_body || stuck.tried.contains(&Rule::need_rerun) {
            return Some(Fault { diagnostic: diagnostic.help("write `when`").fix(span, "when"), skip });
        }
        if !stuck.tried.contains(&Rule::need_clause) || !forms::parts(self.keyword).contains(&"when") {
            return None;
        }
        let help = format!("write `when` before the `{{`: `{} NAME when CONDITION … {{`", self.keyword);
        Some(Fault { diagnostic: diagnostic.help(help), skip })
    }

    /// A comma behind a clause or a column, or behind the last one of a list.
    fn comma(&self, index: usize, stuck: &Stuck, body: &Body, depths: &[usize]) -> Option<Fault> {
        let columns = matches!(body.kind, "schema" | "metrics");
        let separates = self.word(index) == ","
            && depths[index] == body.depth
            && stuck.tried.contains(if columns { &Rule::need_field } else { &Rule::need_clause });
        let (at, message, help) = if separates && columns {
            let message = format!("`,` separates no {}", if body.kind == "schema" { "columns" } else { "metrics" });
            (index, message, "remove it: a blank or a new line is enough")
        } else if separates {
            (index, "`,` separates no clauses".to_owned(), "remove it: a clause ends where the next one begins")
        } else {
            let next = self.next_clause(index, body, depths)?;
            let before = (body.open + 1..next).rev().find(|&at| self.tokens[at].is_code())?;
            if self.word(before) != "," || depths[before] != body.depth {
                return None;
            }
            (before, "nothing follows this `,`".to_owned(), "remove it")
        };
        let Token { start, end, .. } = self.tokens[at];
        let span = self.span(start, end);
        let diagnostic = Diagnostic::new(codes::SYNTAX, span, message).help(help).fix(span, "");
        Some(Fault { diagnostic, skip: Some(start..end) })
    }

    /// Returns the clause, or the end of the body, that the parser ran into while it read the clause before.
    fn next_clause(&self, index: usize, body: &Body, depths: &[usize]) -> Option<usize> {
        if self.tokens[index].kind == Kind::Close && depths[index] + 1 == body.depth {
            return Some(index);
        }
        let known = forms::clauses(body.kind);
        let begins = |at: &usize| {
            depths[*at] == body.depth
                && self.first_on_line(*at)
                && self.tokens[*at].kind == Kind::Word
                && known.contains(&self.word(*at))
        };
        let next = (body.open + 1..=index).rev().find(begins)?;
        let same_line = self.tokens[next..index].iter().all(|token| token.kind != Kind::Newline);
        let named = self.tokens.get(next + 1).is_some_and(|token| token.kind == Kind::Punct);
        (same_line && !named).then_some(next)
    }

    /// A clause that ends with its line before it is whole: `in data =`, `out model`.
    fn half_written(&self, index: usize, stuck: &Stuck, body: &Body, depths: &[usize]) -> Option<Fault> {
        if matches!(body.kind, "schema" | "metrics") {
            return None;
        }
        let next = self.next_clause(index, body, depths)?;
        let before = (body.open + 1..next).rev().find(|&at| self.tokens[at].is_code())?;
        let clause = self.clause_of(before, body, depths)?;
        let word = self.word(clause);
        let end = self.tokens[before];
        let last = self.word(before);
        let open = match end.kind {
            Kind::Punct => !matches!(last, "*" | "?" | "," | "%") && (last != ">" || word != "out"),
            // Behind these the word may as well be a name.
            Kind::Word if before < clause + 2 || matches!(self.word(before - 1), "," | "=" | ".") => false,
            Kind::Word => UNFINISHED.contains(&last),
            _ => false,
        };
        let stuck_there = index == next && !stuck.tried.contains(&Rule::need_clause);
        if !open && !stuck_there {
            return None;
        }
        let expected = match (last, word) {
            ("." | "@", _) => "a name",
            _ if stuck_there => expectation(&stuck.tried).unwrap_or("more"),
            (":", "out") => "a type",
            ("<", "out") => "a name and `>`",
            _ => "a value",
        };
        let message = format!("expected {expected} at the end of this `{word}`");
        let form = forms::of_clause(word).unwrap_or(word);
        let diagnostic =
            Diagnostic::new(codes::SYNTAX, self.span(end.end, end.end), message).help(format!("write `{form}`"));
        Some(Fault { diagnostic, skip: Some(self.tokens[clause].start..self.tokens[next].start) })
    }

    /// `int in 1 to 5`, `int in 1-5`, `int in 1.5`, `float in [0, 1]`.
    fn range_slip(&self, index: usize, body: Option<&Body>, depths: &[usize]) -> Option<Fault> {
        let near = |at: &usize| self.word(*at) == "in";
        let inside = |at: usize| matches!(self.tokens[at].kind, Kind::Number | Kind::Open | Kind::Punct);
        let word = (index.saturating_sub(5)..index).rev().find(near)?;
        if word < 2 || self.word(word - 2) != ":" || !(word + 1..index).all(inside) {
            return None;
        }
        let first = *self.tokens.get(word + 1)?;
        let written = self.written_range(word);
        if written.is_none() && index > word + 1 {
            return None;
        }
        let skip = body.map(|body| self.skip(index, body, depths));
        let message = "a range is written `1..5`";
        let fault = |diagnostic| Some(Fault { diagnostic, skip });
        let Some((range, end, certain)) = written else {
            let span = self.span(first.start, first.end);
            let help = "write both ends, `1..5`, or one of them, `1..`";
            return fault(Diagnostic::new(codes::SYNTAX, span, message).help(help));
        };
        let span = self.span(first.start, end);
        let diagnostic = Diagnostic::new(codes::SYNTAX, span, message).help(format!("write `{range}`"));
        fault(if certain { diagnostic.fix(span, range) } else { diagnostic })
    }

    /// Returns the range that is meant behind `in`, where what is written ends, and whether it can mean nothing else.
    fn written_range(&self, word: usize) -> Option<(String, usize, bool)> {
        let mut at = word + 1;
        let bracket = self.word_at(at).filter(|text| matches!(*text, "(" | "["));
        at += usize::from(bracket.is_some());
        let (low, low_end) = self.bound(&mut at)?;
        let separator = self.word_at(at).unwrap_or_default();
        if !matches!(separator, "to" | "until" | "and" | "-" | "–" | "," | ":" | "->") {
            let (before, behind) = low.split_once('.')?;
            let whole = self.word(word - 1) == "int" && bracket.is_none();
            return whole.then(|| (format!("{before}..{behind}"), low_end, true));
        }
        at += 1;
        let (high, end) = self.bound(&mut at)?;
        let Some(bracket) = bracket else {
            return Some((format!("{low}..{high}"), end, !matches!(separator, "until")));
        };
        let closing = self.word_at(at).filter(|text| matches!(*text, ")" | "]"))?;
        let end = self.tokens[at].end;
        let more = if bracket == "(" { ">" } else { "" };
        let less = if closing == ")" { "<" } else { "" };
        Some((format!("{more}{low}..{less}{high}"), end, bracket == "[" && closing == "]"))
    }

    fn word_at(&self, index: usize) -> Option<&str> {
        self.tokens.get(index).map(|token| token.text(self.text))
    }

    /// Reads a number, perhaps negative, and returns it and its end.
    fn bound(&self, at: &mut usize) -> Option<(String, usize)> {
        let minus = self.word_at(*at) == Some("-");
        *at += usize::from(minus);
        let token = self.tokens.get(*at).filter(|token| token.kind == Kind::Number)?;
        let text = token.text(self.text);
        number::value(text).ok()?;
        *at += 1;
        Some((format!("{}{text}", if minus { "-" } else { "" }), token.end))
    }

    /// A word behind a metric or a column that says nothing there; the parser took it for the next one's name.
    fn column_word(&self, index: usize, stuck: &Stuck, body: &Body, depths: &[usize]) -> Option<Fault> {
        if !matches!(body.kind, "schema" | "metrics") || !stuck.tried.contains(&Rule::need_colon) {
            return None;
        }
        let at = (body.open + 1..index).rev().find(|&at| self.tokens[at].is_code())?;
        let before = self.before(at)?;
        let (token, word) = (self.tokens[at], self.word(at));
        let alone = self.first_on_line(at) || at == body.open + 1 || before.text(self.text) == ",";
        let named = self.word_at(index + 1) == Some(":");
        let ends = self.first_on_line(index) || self.tokens[index].kind == Kind::Close;
        if token.kind != Kind::Word || depths[at] != body.depth || alone || !(named || ends) {
            return None;
        }
        let span = self.span(token.start, token.end);
        let syntax = |message: String| Diagnostic::new(codes::SYNTAX, span, message);
        let lower = word.to_lowercase();
        let diagnostic = if body.kind == "metrics" {
            let meant = match lower.as_str() {
                "max" | "maximize" | "maximise" | "up" | "higher" | "greater" => Some("higher"),
                "min" | "minimize" | "minimise" | "down" | "lower" | "less" => Some("lower"),
                other => nearest(other, ["higher", "lower"]),
            };
            let diagnostic = syntax(format!("no direction `{word}`: `higher` or `lower`"));
            match meant {
                Some(meant) => diagnostic.help(format!("write `{meant}`")).fix(span, meant),
                None => diagnostic.help("write `METRIC: TYPE higher` or `METRIC: TYPE lower`"),
            }
        } else {
            let diagnostic = syntax(format!("`{word}` says nothing of a column"));
            if matches!(lower.as_str(), "nullable" | "optional" | "null") {
                let help = "write `?` behind the type: `note: string?`";
                diagnostic.help(help).fix(self.span(before.end, token.end), "?")
            } else {
                let known = ["unique", "matches"];
                match nearest(&lower, known) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("write `unique` or `matches \"PATTERN\"`, or nothing"),
                }
            }
        };
        Some(Fault { diagnostic, skip: Some(token.start..token.end) })
    }
}

#[cfg(test)]
mod tests;
