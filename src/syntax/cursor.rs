//! What may be written at a place of a text that is being typed: the part of the syntax that an editor asks for. It looks
//! at tokens, since what is being typed follows no grammar.

mod taken;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::forms;
use super::split;
use super::tokens::{Kind, Token, tokens};
use crate::source::FileId;

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place<'t> {
    /// A declaration begins.
    Declaration,
    /// The word behind `on`.
    Trigger,
    /// A clause of a body of this kind.
    Clause(&'static str),
    /// The name behind `train.`.
    Member(&'t str),
    /// The name behind `models@`.
    Pointer(&'t str),
    /// A type.
    Type,
    /// What stands between the angles of a type of this name.
    Argument(&'t str),
    /// A value or name of a clause; of the declaration's head where the clause is empty.
    Value {
        /// The declaration's word.
        keyword: &'t str,
        /// The clause's word, or the one before in the head.
        clause: &'t str,
    },
    /// A variable of a script.
    Variable,
    /// One of these words: a field of a record, a situation, what is done in it.
    Words(&'static [&'static str]),
    /// A field of a target's settings.
    Setting {
        /// The target.
        target: &'t str,
        /// The field whose record it is in; empty for the settings themselves.
        record: &'t str,
    },
    /// What stands in the parentheses of a requirement: `require regression(|`.
    Measured {
        /// What is called.
        kind: &'t str,
        /// It is the first argument: what is looked at.
        first: bool,
    },
    /// What stands between the brackets behind a name.
    Leg {
        /// The declaration that has the legs.
        base: &'t str,
        /// Which of its loops, from 0.
        nth: usize,
    },
    /// A name behind `use "FILE" {`; the file as it is written.
    Listed(&'t str),
    /// The path of a file, up to the place.
    Path {
        /// What was typed of it.
        typed: &'t str,
        /// It is that of a module.
        module: bool,
    },
    /// Text, a comment, a key: nothing to propose.
    Free,
}

/// A place with the declaration that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<'t> {
    /// What may stand there.
    pub place: Place<'t>,
    /// The bytes of the word that is being typed, up to the place.
    pub word: Range<usize>,
    /// The name of the declaration around it.
    pub item: Option<&'t str>,
    /// What stands in the same body or list already and may not stand there again: clauses, names.
    pub taken: Vec<&'t str>,
}

/// Tells what stands at a byte offset, which is on a character boundary.
#[must_use]
pub fn cursor(text: &str, offset: usize) -> Cursor<'_> {
    let typed = text[..offset].rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    let start = typed.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let word = start..offset;
    let free = |place, item| Cursor { place, word: start..offset, item, taken: Vec::new() };
    let chunks = split::split(FileId(0), text, &mut Vec::new());
    let behind = chunks.partition_point(|chunk| (chunk.start as usize) < start);
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let column0 = text[line..start].trim_start_matches('\u{feff}').is_empty();
    if text[line..start].contains('#') && comment(&text[line..start]) {
        return free(Place::Free, None);
    }
    // Digits are the beginning of a number, which nobody can know.
    if text[start..offset].starts_with(|c: char| c.is_ascii_digit()) {
        return free(Place::Free, None);
    }
    let opening = || {
        let others = chunks.iter().map(|chunk| chunk.start as usize).filter(|at| *at != start);
        others.map(|at| split::word_at(text, at)).filter(|word| matches!(*word, "pipeline" | "edition")).collect()
    };
    let Some(chunk) = behind.checked_sub(1).map(|index| chunks[index]) else {
        return Cursor { taken: opening(), ..free(Place::Declaration, None) };
    };
    let written = &text[chunk.start as usize..(chunk.end as usize).max(offset)];
    let base = chunk.start as usize;
    let all = tokens(written);
    let keyword = split::word_at(written, 0);
    let item = all.get(1).filter(|token| token.kind == Kind::Word).map(|token| token.text(written));
    // What a string without its end holds goes on up to the place.
    let open = |token: &Token| {
        let string = token.text(written);
        token.kind == Kind::Str && (string.len() < 2 || !string.ends_with(&string[..1]))
    };
    let at = start - base;
    let inside = all.iter().find(|&token| token.start < at && (at < token.end || at == token.end && open(token)));
    match inside.map(|token| token.kind) {
        Some(Kind::Raw) => {
            let dollar = text[..start].ends_with('$') || text[..start].ends_with("${");
            return free(if dollar { Place::Variable } else { Place::Free }, item);
        }
        Some(Kind::Comment) => return free(Place::Free, item),
        Some(Kind::Str) if !text[..start].ends_with('{') => {
            let opens = inside.map_or(start, |token| base + token.start + 1);
            let before: Vec<Token> =
                all.iter().copied().filter(|token| token.end <= opens.saturating_sub(1 + base)).collect();
            let reading = Before { text: written, tokens: &before, keyword };
            let module = keyword == "use" && reading.open().is_empty();
            let path = module || matches!(reading.place(), Place::Value { clause: "code", .. });
            let typed = text.get(opens..offset).unwrap_or_default();
            return free(if path { Place::Path { typed, module } } else { Place::Free }, item);
        }
        Some(Kind::Str) => return free(Place::Value { keyword, clause: "run" }, item),
        _ => {}
    }
    let before: Vec<Token> = all.iter().copied().filter(|token| token.end <= start - base).collect();
    let reading = Before { text: written, tokens: &before, keyword };
    let place = if column0 && reading.open().is_empty() { Place::Declaration } else { reading.place() };
    let whole = Before { text: written, tokens: &all, keyword };
    let taken = match place {
        Place::Declaration => opening(),
        _ => whole.taken(&reading, start - base..offset - base, &place),
    };
    Cursor { place, word, item, taken }
}

/// Tells whether a line up to a place is in a comment, as far as the line tells.
fn comment(line: &str) -> bool {
    tokens(line).last().is_some_and(|token| token.kind == Kind::Comment)
}

/// The tokens of a declaration up to the place.
struct Before<'t, 'k> {
    text: &'t str,
    tokens: &'k [Token],
    keyword: &'t str,
}

impl<'t> Before<'t, '_> {
    fn word(&self, index: usize) -> &'t str {
        self.tokens[index].text(self.text)
    }

    /// Returns the indices of the brackets that are open.
    fn open(&self) -> Vec<usize> {
        let mut open = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Open => open.push(index),
                Kind::Close => drop(open.pop()),
                _ => {}
            }
        }
        open
    }

    fn place(&self) -> Place<'t> {
        let code: Vec<usize> = (0..self.tokens.len()).filter(|&index| self.tokens[index].is_code()).collect();
        let Some(&last) = code.last() else { return Place::Declaration };
        let previous = self.word(last);
        match previous {
            "." => return self.base(&code).map_or(Place::Free, Place::Member),
            "@" => return self.base(&code).map_or(Place::Free, Place::Pointer),
            "<" if code.len() > 1 && matches!(self.word(code[code.len() - 2]), "Model" | "Dataset" | "Metrics") => {
                return Place::Argument(self.word(code[code.len() - 2]));
            }
            _ => {}
        }
        let keyword = self.keyword;
        let open = self.open();
        if let Some(leg) = self.leg(&open) {
            return leg;
        }
        let Some(&first) = open.first() else {
            if keyword == "target" && code.len() == 1 {
                return Place::Value { keyword, clause: "target" };
            }
            if keyword == "on" && code.len() == 1 {
                return Place::Trigger;
            }
            if previous == ":" {
                return Place::Type;
            }
            let heads = ["on", "after", "when", "of", "to", "by", "with", "in", "=", "from"];
            let clause = code.iter().rev().skip(usize::from(code.len() > 1 && last == 0)).map(|&at| self.word(at));
            let clause =
                clause.take_while(|word| *word != self.keyword || keyword == "on").find(|word| heads.contains(word));
            return match clause {
                Some(clause) => Place::Value { keyword, clause },
                None => Place::Free,
            };
        };
        let body = match keyword {
            "stage" | "action" | "gate" | "rollout" | "monitor" | "experiment" | "profile" => self.word(first) == "{",
            _ => false,
        };
        if let Some(measured) = self.measured(&open) {
            return measured;
        }
        let innermost = open[open.len() - 1];
        let in_record = self.word(innermost) == "{";
        let fresh = in_record && (matches!(previous, "{" | ",") || self.begins(innermost));
        if !body {
            return match (previous, keyword) {
                (":" | "<", "schema" | "metrics") => Place::Type,
                (_, "schema" | "metrics") if in_record && self.is_described(innermost) => {
                    Place::Words(forms::traits(keyword))
                }
                (_, "use") if fresh => Place::Listed(code.get(1).map_or("", |&at| self.word(at).trim_matches('"'))),
                (_, "on") if fresh => match code.get(1).map(|&at| self.word(at)) {
                    Some("manual" | "call") => Place::Value { keyword, clause: "manual" },
                    trigger => Place::Words(forms::fields(trigger.unwrap_or_default())),
                },
                (":", "on") if code.len() > 1 && self.word(code[code.len() - 2]) == "profile" => {
                    Place::Value { keyword, clause: "profile" }
                }
                (":" | "[" | ",", "on") if self.field(&code, &open) == Some("comment") => {
                    Place::Value { keyword, clause: "comment" }
                }
                (_, "approval" | "register" | "runtime" | "notify") if fresh => Place::Words(forms::fields(keyword)),
                (_, "target") if fresh => self.setting(&code, &open),
                (":" | "[" | "," | "(", _) => Place::Value { keyword, clause: "" },
                _ => Place::Free,
            };
        }
        let kind = forms::kind(keyword);
        let (clause, at) = self.clause(first, 1, kind);
        if clause == "watch" && open.len() == 2 && self.word(open[1]) == "{" {
            let (inner, _) = self.clause(open[1], 2, "watch");
            return match previous {
                _ if self.begins(open[1]) => Place::Clause("watch"),
                "on" => Place::Words(forms::situations("watch")),
                ":" if inner == "on" => Place::Words(&forms::WATCHED),
                _ => Place::Value { keyword, clause: inner },
            };
        }
        if open.len() == 1 && (clause.is_empty() || self.begins(at)) {
            return Place::Clause(kind);
        }
        if clause == "watch" && last > at {
            return match previous {
                "every" => Place::Value { keyword, clause: "every" },
                _ => Place::Free,
            };
        }
        let in_record = in_record && open.len() > 1;
        if clause == "on" && at != first {
            match previous {
                "on" => return Place::Words(forms::situations(kind)),
                ":" if self.word(code[code.len() - 2]) == "unscorable" => return Place::Words(&forms::UNSCORABLE),
                ":" if kind != "monitor" => return Place::Words(&forms::OUTCOMES),
                "ask" => return Place::Value { keyword, clause: "ask" },
                _ => {}
            }
        }
        match previous {
            _ if in_record && fresh && clause == "needs" => Place::Words(forms::fields(clause)),
            ":" | "<" if clause == "out" && !in_record => Place::Type,
            _ if in_record && fresh => Place::Free,
            _ => Place::Value { keyword, clause },
        }
    }

    /// Returns the field of a record whose value is being typed, or an element of its list.
    fn field(&self, code: &[usize], open: &[usize]) -> Option<&'t str> {
        let end = open.last().filter(|&&at| self.word(at) == "[").copied().unwrap_or(self.tokens.len());
        let mut before = code.iter().rev().skip_while(|&&at| at >= end);
        let colon = before.next().is_some_and(|&at| self.word(at) == ":");
        before.next().filter(|_| colon).map(|&at| self.word(at))
    }

    /// Returns the place of a field of a target's settings, or of a record in them.
    fn setting(&self, code: &[usize], open: &[usize]) -> Place<'t> {
        let target = code.get(1).map_or("", |&at| self.word(at));
        match open {
            [_] => Place::Setting { target, record: "" },
            [_, record] => {
                let before = code.iter().rev().skip_while(|at| *at >= record).nth(1);
                before.map_or(Place::Free, |&at| Place::Setting { target, record: self.word(at) })
            }
            _ => Place::Free,
        }
    }

    /// Returns the place in the parentheses of what a clause requires, where it is in some.
    fn measured(&self, open: &[usize]) -> Option<Place<'t>> {
        let &call = open.last().filter(|&&at| self.word(at) == "(")?;
        let body = open.iter().rposition(|&at| self.word(at) == "{")?;
        let kind = if body == 0 { forms::kind(self.keyword) } else { "watch" };
        let (clause, _) = self.clause(open[body], body + 1, kind);
        let called = self.tokens[..call].last().filter(|token| token.kind == Kind::Word)?;
        let last = self.tokens.iter().rfind(|token| token.is_code())?.text(self.text);
        (matches!(clause, "require" | "warn") && matches!(last, "(" | ",")).then(|| {
            let kind = called.text(self.text);
            Place::Measured { kind, first: last == "(" }
        })
    }

    /// Tells whether the line has a column or metric with its type, so that the words behind it follow.
    fn is_described(&self, body: usize) -> bool {
        let rest = &self.tokens[body + 1..];
        let line = rest.iter().rposition(|token| token.kind == Kind::Newline).map_or(rest, |at| &rest[at + 1..]);
        let has_type =
            line.iter().rposition(|token| token.text(self.text) == ":").is_some_and(|at| at + 1 < line.len());
        let last = line.last().map_or("", |token| token.text(self.text));
        has_type && !matches!(last, "in" | ".." | "from" | "unit" | "n" | "matches" | "|" | "<" | ">" | "," | "-")
    }

    /// Returns the place in the brackets behind a name, where it is in some: `train[|` and `train["nord", |`.
    fn leg(&self, open: &[usize]) -> Option<Place<'t>> {
        let &at = open.last().filter(|&&at| self.word(at) == "[")?;
        let named =
            self.tokens[..at].last().filter(|token| token.kind == Kind::Word && token.end == self.tokens[at].start)?;
        let nth = self.tokens[at + 1..].iter().filter(|token| token.text(self.text) == ",").count();
        let last = self.tokens.iter().rev().find(|token| token.is_code())?.text(self.text);
        matches!(last, "[" | ",").then(|| Place::Leg { base: named.text(self.text), nth })
    }

    /// Tells whether nothing of a clause stands on the line of the place: a new one begins, unless the line before goes on.
    fn begins(&self, after: usize) -> bool {
        let rest = &self.tokens[after + 1..];
        let last = rest.iter().rposition(|token| token.is_code());
        let fresh = match last {
            Some(last) => rest[last + 1..].iter().any(|token| token.kind == Kind::Newline),
            None => self.word(after) == "{",
        };
        let goes_on = last.is_some_and(|last| matches!(rest[last].text(self.text), "," | "=" | ":" | "|" | "("));
        fresh && !goes_on
    }

    /// Returns the word of the last clause of a body, and its index.
    fn clause(&self, open: usize, depth: usize, kind: &str) -> (&'t str, usize) {
        self.clauses(open, depth, kind).pop().map_or(("", open), |at| (self.word(at), at))
    }

    /// Returns where the clauses of a body begin.
    fn clauses(&self, open: usize, depth: usize, kind: &str) -> Vec<usize> {
        let mut level = 0usize;
        let mut found = Vec::new();
        let (mut fresh, mut goes_on) = (true, false);
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Open => level += 1,
                Kind::Close => {
                    level = level.saturating_sub(1);
                    if index > open && level < depth {
                        break;
                    }
                }
                Kind::Word
                    if index > open && level == depth && fresh && forms::clauses(kind).contains(&self.word(index)) =>
                {
                    found.push(index);
                }
                _ => {}
            }
            fresh = matches!(token.kind, Kind::Newline | Kind::Open | Kind::Close | Kind::Raw | Kind::Str)
                || token.kind == Kind::Number
                || fresh && token.kind == Kind::Comment;
            if token.is_code() {
                goes_on = self.word(index) == ",";
            }
            fresh &= !goes_on;
        }
        found
    }

    /// Returns the name before a dot or `@`, past what is indexed.
    fn base(&self, code: &[usize]) -> Option<&'t str> {
        let mut depth = 0usize;
        for &index in code.iter().rev().skip(1) {
            match self.tokens[index].kind {
                Kind::Close => depth += 1,
                Kind::Open => depth = depth.checked_sub(1)?,
                Kind::Word if depth == 0 => return Some(self.word(index)),
                _ if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }
}

/// Returns the words that begin a declaration, with how each is written.
pub fn declarations() -> impl Iterator<Item = (&'static str, &'static str)> {
    split::DECLARATIONS.iter().map(|word| (*word, forms::of(word)))
}

/// Returns the kinds of trigger.
pub fn triggers() -> impl Iterator<Item = &'static str> {
    split::TRIGGERS.iter().copied()
}

/// Returns the fields of a record that are known by name: that of a trigger by its kind, that of a declaration or clause by its word.
#[must_use]
pub fn fields(record: &str) -> &'static [&'static str] {
    forms::fields(record)
}

/// Returns the words that stand behind the type of a metric or column, the situations of `on …:`, and what is done in them.
pub fn words() -> impl Iterator<Item = &'static &'static str> {
    let traits = ["metrics", "schema"].map(forms::traits).into_iter().flatten();
    let situations = ["gate", "watch", "monitor"].map(forms::situations).into_iter().flatten();
    traits.chain(situations).chain(&forms::OUTCOMES).chain(&forms::WATCHED).chain(&forms::UNSCORABLE)
}

/// Returns the clauses of a kind of body, with how each is written.
pub fn clauses(kind: &str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    forms::clauses(kind).iter().map(|word| (*word, forms::of_clause(word)))
}

/// Returns how a declaration or clause with this word is written.
#[must_use]
pub fn form(word: &str) -> Option<&'static str> {
    forms::of_clause(word).or_else(|| split::DECLARATIONS.contains(&word).then(|| forms::of(word)))
}
