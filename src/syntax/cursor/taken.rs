//! What stands already at a place, and may stand there once: what is not proposed again.

use std::ops::Range;

use super::{Before, Place};
use crate::syntax::forms;
use crate::syntax::tokens::Kind;

impl<'t> Before<'t, '_> {
    /// Returns what stands already and may not stand again at a place, of which the text up to it tells what it is.
    pub(super) fn taken(&self, before: &Before<'t, '_>, typed: Range<usize>, place: &Place<'t>) -> Vec<&'t str> {
        let open = before.open();
        let other = |at: usize| self.tokens[at].start < typed.start || self.tokens[at].start >= typed.end;
        match *place {
            Place::Clause(kind) => {
                let Some(&body) = open.last() else { return Vec::new() };
                let clauses = self.clauses(body, open.len(), kind).into_iter();
                clauses.filter(|&at| other(at)).map(|at| self.word(at)).filter(|word| forms::once(word)).collect()
            }
            Place::Words(_) if matches!(self.keyword, "metrics" | "schema") => self.traits(before.tokens.len(), &other),
            Place::Words(_) | Place::Setting { .. } => {
                let keys = open.last().map(|&record| self.keys(record)).unwrap_or_default();
                keys.into_iter().filter(|&at| other(at)).map(|at| self.word(at)).collect()
            }
            Place::Measured { first: false, .. } => {
                let call = open.last().map_or(0, |&call| call);
                let words = self.inside(call).into_iter().filter(|&at| self.tokens[at].kind == Kind::Word);
                words.filter(|&at| other(at)).map(|at| self.word(at)).collect()
            }
            Place::Value { clause: "manual", .. } => {
                let Some(&list) = open.first() else { return Vec::new() };
                let all = self.listed(list).into_iter().chain(self.keys(list));
                all.filter(|&at| other(at)).map(|at| self.word(at)).collect()
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

    /// Returns the tokens between a bracket and its end, those in brackets of their own left out.
    fn inside(&self, bracket: usize) -> Vec<usize> {
        let mut depth = 0usize;
        let mut inside = Vec::new();
        for at in bracket + 1..self.tokens.len() {
            match self.tokens[at].kind {
                Kind::Open => depth += 1,
                Kind::Close if depth == 0 => break,
                Kind::Close => depth -= 1,
                _ if depth == 0 && self.tokens[at].is_code() => inside.push(at),
                _ => {}
            }
        }
        inside
    }

    /// Returns the names of a record's fields.
    fn keys(&self, record: usize) -> Vec<usize> {
        let inside = self.inside(record);
        let pairs = inside.windows(2).filter(|pair| self.word(pair[1]) == ":");
        pairs.map(|pair| pair[0]).filter(|&at| self.tokens[at].kind == Kind::Word).collect()
    }

    /// Returns the words behind the type of the column or metric that a place is in; of two directions one alone may stand.
    fn traits(&self, place: usize, other: &impl Fn(usize) -> bool) -> Vec<&'t str> {
        let ends = |at: &usize| self.tokens[*at].kind == Kind::Newline || self.word(*at) == ":";
        let start = (0..place).rev().find(|at| self.word(*at) == ":").map_or(0, |at| at + 1);
        let end = (place..self.tokens.len()).find(ends).unwrap_or(self.tokens.len());
        let words: Vec<&str> = (start..end).filter(|&at| other(at)).map(|at| self.word(at)).collect();
        let directed = words.iter().any(|word| matches!(*word, "higher" | "lower"));
        words.into_iter().chain(["higher", "lower"].into_iter().filter(|_| directed)).collect()
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
}
