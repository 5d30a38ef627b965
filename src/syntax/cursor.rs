//! What may be written at a place of a text that is being typed: the part of the syntax that an editor asks for. It looks
//! at tokens, since what is being typed follows no grammar.

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
    let Some(chunk) = behind.checked_sub(1).map(|index| chunks[index]) else {
        return free(Place::Declaration, None);
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
    let taken = whole.taken(&reading, start - base..offset - base, &place);
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
        if !body {
            return match (previous, keyword) {
                (":" | "<", "schema" | "metrics") => Place::Type,
                ("{" | ",", "use") => Place::Listed(code.get(1).map_or("", |&at| self.word(at).trim_matches('"'))),
                ("{" | ",", "on") if self.word(open[open.len() - 1]) == "{" => {
                    match code.get(1).map(|&at| self.word(at)) {
                        Some("manual" | "call") => Place::Value { keyword, clause: "manual" },
                        trigger => Place::Words(forms::fields(trigger.unwrap_or_default())),
                    }
                }
                (":", "on") if code.len() > 1 && self.word(code[code.len() - 2]) == "profile" => {
                    Place::Value { keyword, clause: "profile" }
                }
                (":" | "[" | ",", "on") if self.field(&code, &open) == Some("comment") => {
                    Place::Value { keyword, clause: "comment" }
                }
                ("{" | ",", "approval" | "register" | "runtime" | "notify")
                    if self.word(open[open.len() - 1]) == "{" =>
                {
                    Place::Words(forms::fields(keyword))
                }
                (":" | "[" | "," | "(", _) => Place::Value { keyword, clause: "" },
                _ => Place::Free,
            };
        }
        let kind = forms::kind(keyword);
        let (clause, at) = self.clause(first, 1, kind);
        if clause == "watch" && open.len() == 2 && self.word(open[1]) == "{" {
            let (inner, _) = self.clause(open[1], 2, "watch");
            return if self.begins(open[1]) { Place::Clause("watch") } else { Place::Value { keyword, clause: inner } };
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
        let in_record = open.last().is_some_and(|&at| open.len() > 1 && self.word(at) == "{");
        if clause == "on" && at != first {
            match previous {
                "on" => return Place::Words(forms::situations(kind)),
                ":" if kind != "monitor" => return Place::Words(&forms::OUTCOMES),
                "ask" => return Place::Value { keyword, clause: "ask" },
                _ => {}
            }
        }
        match previous {
            "{" | "," if in_record && clause == "needs" => Place::Words(forms::fields(clause)),
            ":" | "<" if clause == "out" && !in_record => Place::Type,
            "{" | "," if in_record => Place::Free,
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

    /// Returns what stands already and may not stand again at a place, of which the text up to it tells what it is.
    fn taken(&self, before: &Before<'t, '_>, typed: Range<usize>, place: &Place<'t>) -> Vec<&'t str> {
        let open = before.open();
        let other = |at: usize| self.tokens[at].start < typed.start || self.tokens[at].start >= typed.end;
        match *place {
            Place::Clause(kind) => {
                let Some(&body) = open.last() else { return Vec::new() };
                let clauses = self.clauses(body, open.len(), kind).into_iter();
                clauses.filter(|&at| other(at)).map(|at| self.word(at)).filter(|word| forms::once(word)).collect()
            }
            Place::Value { clause: "manual", .. } => {
                let Some(&list) = open.first() else { return Vec::new() };
                self.listed(list).into_iter().filter(|&at| other(at)).map(|at| self.word(at)).collect()
            }
            Place::Value { clause: "comment", .. } => {
                let list = open.last().filter(|&&at| self.word(at) == "[");
                let listed = list.map(|&list| self.listed(list)).unwrap_or_default();
                listed.into_iter().filter(|&at| other(at)).map(|at| self.word(at)).collect()
            }
            Place::Value { clause: word @ ("use" | "secret" | "credentials"), .. } if open.len() == 1 => {
                let clauses = self.clauses(open[0], 1, forms::kind(self.keyword)).into_iter();
                let same = clauses.filter(|&at| self.word(at) == word).flat_map(|at| self.listed(at));
                // Behind a comma that was just typed the next clause looks like a name.
                let clause = |at: usize| {
                    let known = forms::clauses(forms::kind(self.keyword)).contains(&self.word(at));
                    known && self.tokens[at - 1].kind == Kind::Newline
                };
                same.filter(|&at| other(at) && !clause(at)).map(|at| self.word(at)).collect()
            }
            Place::Value { clause: "after", .. } if open.is_empty() => {
                let after = (0..before.tokens.len()).rev().find(|&at| before.word(at) == "after");
                let listed = after.map(|at| self.listed(at)).unwrap_or_default();
                listed.into_iter().filter(|&at| other(at)).map(|at| self.word(at)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the names of the list behind a word or bracket, those alone that are no more than a name.
    fn listed(&self, behind: usize) -> Vec<usize> {
        let mut names = Vec::new();
        let mut depth = 0usize;
        let mut wanted = true;
        let code: Vec<usize> = (behind + 1..self.tokens.len()).filter(|&at| self.tokens[at].is_code()).collect();
        for (index, &at) in code.iter().enumerate() {
            match self.tokens[at].kind {
                Kind::Open if self.word(at) != "{" => depth += 1,
                Kind::Close if depth > 0 => depth -= 1,
                Kind::Open | Kind::Close => break,
                Kind::Word if wanted && depth == 0 => {
                    let next = code.get(index + 1).map_or("", |&next| self.word(next));
                    names.extend((!matches!(next, "." | "[" | "(" | "=" | ":")).then_some(at));
                    wanted = false;
                }
                Kind::Punct if self.word(at) == "," && depth == 0 => wanted = true,
                // Two elements without a comma: the list has ended.
                Kind::Word if depth == 0 && self.word(at - 1) != "." => break,
                _ => {}
            }
        }
        names
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

/// Returns the clauses of a kind of body, with how each is written.
pub fn clauses(kind: &str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    forms::clauses(kind).iter().map(|word| (*word, forms::of_clause(word)))
}

/// Returns how a declaration or clause with this word is written.
#[must_use]
pub fn form(word: &str) -> Option<&'static str> {
    forms::of_clause(word).or_else(|| split::DECLARATIONS.contains(&word).then(|| forms::of(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of `|`.
    fn at(text: &str) -> Place<'static> {
        let offset = text.find('|').expect("a mark");
        let text: &'static str = text.replacen('|', "", 1).leak();
        cursor(text, offset).place
    }

    /// What stands already where `|` is.
    fn taken(text: &str) -> Vec<&'static str> {
        let offset = text.find('|').expect("a mark");
        let text: &'static str = text.replacen('|', "", 1).leak();
        cursor(text, offset).taken
    }

    #[test]
    fn what_may_stand_once_is_taken_where_it_stands() {
        for (text, words) in [
            ("stage a {\n  use x\n  timeout 1h\n  |\n  run <<< x >>>\n  use y\n}", &["timeout", "run"][..]),
            ("stage a {\n  timeout 1h\n  time|\n}\nstage b {\n  retry 2 on oom\n}", &["timeout"]),
            ("stage a {\n  use x,\n      timeout\n  |\n}", &[]),
            (
                "rollout r of x by canary {\n  keep previous for 7d\n  watch t every 60s {\n    fail after 3 total\n    |\n  }\n}",
                &["fail"],
            ),
            ("rollout r of x by canary {\n  watch t every 60s {\n    fail after 3 total\n  }\n  |\n}", &["watch"]),
            ("stage a {\n  use z\n  use x, y, |\n  secret s\n}", &["z", "x", "y"]),
            ("stage a {\n  use x, y|, z\n}", &["x", "z"]),
            ("stage a {\n  credentials aws, |\n}", &["aws"]),
            ("on manual { x, | }", &["x"]),
            ("on pull_request { comment: [a, b.c, | ], profile: p }", &["a"]),
            ("stage a after b, c[\"n\"], | {\n}", &["b"]),
            ("stage a {\n  in x = |\n}", &[]),
        ] {
            assert_eq!(taken(text), words, "{text}");
        }
    }

    #[test]
    fn a_place_is_told_from_the_tokens_before_it() {
        let value = |keyword, clause| Place::Value { keyword, clause };
        for (text, place) in [
            ("|", Place::Declaration),
            ("sta|", Place::Declaration),
            ("pipeline p\n\nst|\nstage a {\n}\n", Place::Declaration),
            ("on pu|", Place::Trigger),
            ("stage a {\n  |", Place::Clause("stage")),
            ("stage a {\n  co|\n}\n", Place::Clause("stage")),
            ("stage a {\n  in x = y\n  o|\n  run [x]\n}", Place::Clause("stage")),
            ("stage a {\n  in x = |", value("stage", "in")),
            ("stage a {\n  in x = y,\n     z = q|", value("stage", "in")),
            ("stage a {\n  in x = b.t|\n}", Place::Member("b")),
            ("stage a {\n  in x = b[\"n\", *].|\n}", Place::Member("b")),
            ("stage a {\n  use |\n}", value("stage", "use")),
            ("stage a {\n  out x: D|\n}", Place::Type),
            ("stage a {\n  out x: Metrics<|\n}", Place::Argument("Metrics")),
            ("source x: Dataset<|", Place::Argument("Dataset")),
            ("stage a {\n  run <<<\n    echo \"$x|\"\n  >>>\n}", Place::Variable),
            ("stage a {\n  run <<<\n    ec|\n  >>>\n}", Place::Free),
            ("gate g on b.|", Place::Member("b")),
            ("gate g on |", value("gate", "on")),
            ("gate g on b.r {\n  require a|\n}", value("gate", "require")),
            ("gate g on b.r {\n  baseline models@|\n}", Place::Pointer("models")),
            ("rollout r of x by canary {\n  watch |\n}", value("rollout", "watch")),
            ("rollout r of x by canary {\n  watch t |\n}", Place::Free),
            ("rollout r of x by canary {\n  watch t every |\n}", value("rollout", "every")),
            ("rollout r of x by canary {\n  watch t every 60| {\n  }\n}", Place::Free),
            ("stage a {\n  timeout 4|\n}", Place::Free),
            ("rollout r of x by canary {\n  watch t every 60s {\n    |\n  }\n}", Place::Clause("watch")),
            ("rollout r of x by canary {\n  watch t every 60s {\n    require c|\n  }\n}", value("rollout", "require")),
            ("register r = |", value("register", "=")),
            ("register r = a.m to |", value("register", "to")),
            ("stage a after |", value("stage", "after")),
            ("param x: |", Place::Type),
            ("# a com|", Place::Free),
            ("on manual { |", value("on", "manual")),
            ("on push { |", Place::Words(forms::fields("push"))),
            ("on pull_request { comment: |", value("on", "comment")),
            ("on pull_request { comment: [a, |] }", value("on", "comment")),
            ("on pull_request { branches: [|] }", value("on", "")),
            ("on push { branches: [\"main\"], pr|", Place::Words(forms::fields("push"))),
            ("on push { profile: |", value("on", "profile")),
            ("on event \"e\" { |", Place::Words(&["profile"])),
            ("approval a of b { |", Place::Words(&["by", "environment", "timeout"])),
            ("runtime py { |", Place::Words(forms::fields("runtime"))),
            ("gate g on b.r {\n  on |", Place::Words(&["no_baseline", "unscorable"])),
            ("gate g on b.r {\n  on no_baseline: |", Place::Words(&forms::OUTCOMES)),
            ("gate g on b.r {\n  on no_baseline: ask |", value("gate", "ask")),
            ("stage a {\n  needs { |", Place::Words(&["cpu", "memory", "gpu"])),
            ("stage a {\n  in x = train[|", Place::Leg { base: "train", nth: 0 }),
            ("stage a {\n  in x = train[\"n\", |", Place::Leg { base: "train", nth: 1 }),
            ("stage a {\n  run [\"x\", |", value("stage", "run")),
            ("target |", value("target", "target")),
            ("use \"gates/co|", Place::Path { typed: "gates/co", module: true }),
            ("use \"gates/common.mlp\" { da|", Place::Listed("gates/common.mlp")),
            ("stage a {\n  code \"src/|\"", Place::Path { typed: "src/", module: false }),
            ("stage a {\n  code \"src/a.py\", \"|\"", Place::Path { typed: "", module: false }),
            ("stage a {\n  out x: File = \"o|\"", Place::Free),
        ] {
            assert_eq!(at(text), place, "{text}");
        }
    }
}
