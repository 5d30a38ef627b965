//! How many blanks stand between two tokens of a line, before columns are set. The same signs mean different things
//! (`<` in a type, in a range, between two values), so the tree is asked what each is.

use super::super::ast::File;
use super::super::shift::{Held, Shift};
use super::super::split::word_at;
use super::super::tokens::{Kind, Token};

/// Blanks before a comment that stands behind something.
const BEFORE_COMMENT: usize = 2;

/// Blanks between two clauses or fields of one line.
const BETWEEN_PARTS: usize = 3;

/// An operator between two operands begins here.
const OPERATOR: u8 = 1;
/// An angle of a type.
const ANGLE: u8 = 2;
/// A clause or field begins here.
const PART: u8 = 4;
/// A range begins here.
const RANGE: u8 = 8;
/// A range ends before this.
const RANGE_END: u8 = 16;
/// What stands before this is called or indexed.
const APPLIED: u8 = 32;
/// Inside a name that is several tokens.
const INSIDE: u8 = 64;

/// What the tree says of each byte of a text.
pub(super) struct Gaps {
    marks: Vec<u8>,
}

impl Gaps {
    pub(super) fn new(text: &str, file: &File) -> Self {
        let mut marks = vec![0; text.len() + 1];
        file.items.spans(Held::ROOT, &mut |held, span| {
            let (start, end) = (span.start as usize, span.end as usize);
            match (held.node, held.field) {
                ("Binary", "op_span") => marks[start] |= OPERATOR,
                ("Type", "span") => {
                    let open = start + word_at(text, start).len();
                    if open > start && text[open..end].starts_with('<') {
                        marks[open] |= ANGLE;
                    }
                    if text[start..end].ends_with('>') {
                        marks[end - 1] |= ANGLE;
                    }
                }
                ("Range", "span") => {
                    marks[start] |= RANGE;
                    marks[end] |= RANGE_END;
                }
                ("Expr", "span") if matches!(held.by, ("Call", "callee") | ("Index", "base")) => marks[end] |= APPLIED,
                ("Name", "span") if text[start..end].contains('-') && !text[start..end].starts_with(['"', '\'']) => {
                    marks[start + 1..end].iter_mut().for_each(|mark| *mark |= INSIDE);
                }
                (
                    "Clause" | "Field" | "TypeField" | "Column" | "Metric" | "Requirement" | "Setting" | "Outcome"
                    | "Watch" | "Allow" | "Set" | "Releases" | "Gates" | "Baseline" | "Service" | "FirstDeploy"
                    | "Step" | "Keep" | "Hook" | "Promote" | "FailAfter" | "Every" | "OnBreach" | "Cooldown" | "Arm",
                    "span",
                ) => marks[start] |= PART,
                _ => {}
            }
        });
        Self { marks }
    }

    /// Tells whether a clause or field begins with a token.
    pub(super) fn begins_part(&self, token: Token) -> bool {
        self.is(token.start, PART)
    }

    /// Tells whether a token begins with an angle of a type.
    pub(super) fn is_angle(&self, token: Token) -> bool {
        self.is(token.start, ANGLE)
    }

    /// Tells whether a token is an operator between two operands.
    pub(super) fn is_operator(&self, token: Token) -> bool {
        self.is(token.start, OPERATOR)
    }

    fn is(&self, at: usize, mark: u8) -> bool {
        self.marks[at] & mark != 0
    }

    /// Returns how many blanks stand between two neighbours of a line.
    pub(super) fn between(&self, text: &str, left: Token, right: Token) -> usize {
        if right.kind == Kind::Comment {
            return BEFORE_COMMENT;
        }
        let (before, after) = (left.text(text), right.text(text));
        let glued = self.is(right.start, INSIDE) || self.ends_glued(left, before) || self.begins_glued(right, after);
        if glued || (before, after) == ("{", "}") {
            return 0;
        }
        if self.begins_part(right) && !matches!(before, "{" | ",") { BETWEEN_PARTS } else { 1 }
    }

    /// Tells whether nothing may stand behind a token.
    fn ends_glued(&self, token: Token, written: &str) -> bool {
        match (token.kind, written) {
            (Kind::Open, "(" | "[") | (Kind::Punct, "." | "@") => true,
            (Kind::Punct, "..") => !self.is(token.end, RANGE_END),
            (Kind::Punct, "<") => !self.is_operator(token),
            (Kind::Punct, ">") => !self.is(token.start, OPERATOR | ANGLE),
            (Kind::Punct, "-") => !self.is_operator(token),
            _ => false,
        }
    }

    /// Tells whether nothing may stand before a token.
    fn begins_glued(&self, token: Token, written: &str) -> bool {
        match (token.kind, written) {
            (Kind::Close, ")" | "]") | (Kind::Punct, "," | ":" | "." | "@" | "?") => true,
            (Kind::Open, "(" | "[") => self.is(token.start, APPLIED),
            (Kind::Punct, "<" | ">") => self.is(token.start, ANGLE),
            (Kind::Punct, "..") => !self.is(token.start, RANGE),
            _ => false,
        }
    }
}
