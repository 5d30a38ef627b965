//! Columns: what stands under each other in lines that belong together. Knows which tokens of a line begin a column;
//! what the lines are and what they begin is read before.
//!
//! - `in`, `code`, `use`, `out` of a body have their values in one column; so have `require` and `warn`, and the hooks of a
//!   rollout.
//! - Neighbouring `out` lines have their types in one column, neighbouring arms their shares and pointers, and neighbouring
//!   requirements of one shape (a name, or the same function) their operators.
//! - Fields of schemas and metrics that no blank line parts: types, directions, and what follows them.
//! - Declarations of one kind on a line each that no blank line parts: types and values, or the brace.
//! - Comments behind neighbouring lines.

use super::super::tokens::{Kind, Token};
use super::gaps::Gaps;
use super::{Begins, Indent, Line};

/// Words of clauses whose values stand in one column.
const TOGETHER: [&[&str]; 3] =
    [&["in", "code", "use", "out"], &["require", "warn"], &["shift", "observe", "rollback", "promote"]];

/// Columns of a line, from the left; comments are the last.
const LEVELS: usize = 4;
const COMMENTS: usize = LEVELS - 1;

/// A token that begins a column.
#[derive(Clone, Copy)]
struct Cell {
    group: usize,
    line: usize,
    token: usize,
}

/// Lines in a row that look alike, and the groups of their columns.
struct Alike<'t> {
    /// The body that they stand in; none for declarations.
    body: Option<usize>,
    shape: (&'t str, &'t str),
    group: usize,
}

/// Finds the columns and sets them.
pub(super) struct Columns<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// Where declarations begin, ascending.
    starts: &'t [usize],
    gaps: &'t Gaps,
    levels: [Vec<Cell>; LEVELS],
    groups: usize,
    /// Groups of `TOGETHER`, by body and row of the table.
    together: Vec<(usize, usize, usize)>,
    alike: Vec<Alike<'t>>,
}

impl<'t> Columns<'t> {
    pub(super) fn new(text: &'t str, tokens: &'t [Token], starts: &'t [usize], gaps: &'t Gaps) -> Self {
        let levels = [const { Vec::new() }; LEVELS];
        Self { text, tokens, starts, gaps, levels, groups: 0, together: Vec::new(), alike: Vec::new() }
    }

    /// Returns the blanks before each token.
    pub(super) fn set(mut self, lines: &[Line]) -> Vec<usize> {
        let mut blanks = vec![0; self.tokens.len()];
        for (at, line) in lines.iter().enumerate() {
            let pairs = self.tokens[line.first..line.end].windows(2);
            for (pair, blank) in pairs.zip(&mut blanks[line.first + 1..line.end]) {
                *blank = self.gaps.between(self.text, pair[0], pair[1]);
            }
            if let Indent::By(by) = line.indent {
                blanks[line.first] = by;
            }
            self.find(at, line);
        }
        self.comments(lines);
        for level in 0..LEVELS {
            let mut cells = std::mem::take(&mut self.levels[level]);
            cells.sort_by_key(|cell| cell.group);
            for group in cells.chunk_by(|left, right| left.group == right.group) {
                self.align(group, lines, &mut blanks);
            }
            if level == 0 {
                for line in lines {
                    if let Indent::Under { line: above, token } = line.indent {
                        blanks[line.first] = self.column(&lines[above], token, &blanks);
                    }
                }
            }
        }
        blanks
    }

    /// Moves the cells of a group to the column of the rightmost.
    fn align(&self, group: &[Cell], lines: &[Line], blanks: &mut [usize]) {
        let columns: Vec<_> = group.iter().map(|cell| self.column(&lines[cell.line], cell.token, blanks)).collect();
        let most = columns.iter().copied().max().unwrap_or(0);
        for (cell, column) in group.iter().zip(columns) {
            blanks[cell.token] += most - column;
        }
    }

    /// Returns the column in which a token of a line begins.
    fn column(&self, line: &Line, token: usize, blanks: &[usize]) -> usize {
        let before = line.first..token;
        before.map(|at| blanks[at] + self.written(at).chars().count()).sum::<usize>() + blanks[token]
    }

    fn written(&self, token: usize) -> &'t str {
        self.tokens[token].text(self.text)
    }

    fn group(&mut self) -> usize {
        self.groups += 1;
        self.groups
    }

    fn put(&mut self, level: usize, group: usize, line: usize, token: Option<usize>) {
        if let Some(token) = token {
            self.levels[level].push(Cell { group, line, token });
        }
    }

    /// Returns the group of a line's columns: a line that looks like its neighbours joins theirs.
    fn join(&mut self, body: Option<usize>, shape: (&'t str, &'t str)) -> usize {
        if let Some(alike) = self.alike.iter().find(|alike| alike.body == body && alike.shape == shape) {
            return alike.group;
        }
        let group = self.group();
        self.alike.push(Alike { body, shape, group });
        group
    }

    fn find(&mut self, at: usize, line: &Line) {
        if line.apart {
            self.alike.clear();
        }
        let end = self.end(line);
        match line.begins {
            Begins::Nothing => {}
            Begins::Declaration => self.declaration(at, line, end),
            Begins::Clause { body } => self.clause(at, line.first, end, body),
            Begins::Field { body, metrics } => self.field(at, line.first, end, body, metrics),
        }
    }

    /// Returns where the first part of a line ends: before a comment, and before the next part.
    fn end(&self, line: &Line) -> usize {
        let comment = (line.first..line.end).find(|&at| !self.tokens[at].is_code()).unwrap_or(line.end);
        let declaration = matches!(line.begins, Begins::Declaration);
        let parts = self.flat(line.first, comment).skip(1).find(|&at| self.gaps.begins_part(self.tokens[at]));
        parts.filter(|_| !declaration).unwrap_or(comment)
    }

    /// Returns the tokens in `first..end` that stand outside of brackets which open there, and those that open them.
    fn flat(&self, first: usize, end: usize) -> impl Iterator<Item = usize> {
        let mut depth = 0usize;
        (first..end).filter(move |&at| {
            let outside = depth == 0;
            match self.tokens[at].kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            outside
        })
    }

    /// Returns the first token in `first..end` outside of brackets that is one of these.
    fn outside(&self, first: usize, end: usize, wanted: &[&str]) -> Option<usize> {
        self.flat(first, end).find(|&at| wanted.contains(&self.written(at)))
    }

    /// Returns the token behind the first `:`.
    fn typed(&self, first: usize, end: usize) -> Option<usize> {
        self.outside(first, end, &[":"]).map(|colon| colon + 1).filter(|&at| at < end)
    }

    fn declaration(&mut self, at: usize, line: &Line, end: usize) {
        let first = line.first;
        self.together.clear();
        if !self.stands_alone(line) {
            self.alike.clear();
            return;
        }
        let keyword = self.written(first);
        let second = if first + 1 < end { self.written(first + 1) } else { "" };
        let event = if (keyword, second) == ("on", "event") { second } else { "" };
        let cells = match keyword {
            "on" | "runtime" | "notify" | "target" | "profile" | "schema" | "metrics" => {
                [self.outside(first, end, &["{"]), None]
            }
            "const" | "credential" | "registry" => [self.outside(first, end, &["="]), None],
            "param" | "source" => {
                let ty = self.typed(first, end);
                [ty, ty.and_then(|ty| self.outside(ty, end, &["=", "from"]))]
            }
            _ => return,
        };
        let group = self.join(None, (keyword, event));
        for (level, cell) in cells.into_iter().enumerate() {
            self.put(level, group, at, cell);
        }
    }

    /// Tells whether a declaration ends on the line that it begins on.
    fn stands_alone(&self, line: &Line) -> bool {
        let open = |kind: Kind| (line.first..line.end).filter(|&at| self.tokens[at].kind == kind).count();
        let whole = open(Kind::Open) == open(Kind::Close)
            && !(line.first..line.end).any(|at| self.tokens[at].kind == Kind::Raw && self.written(at).contains('\n'));
        let next = self.tokens[line.end..].iter().find(|token| token.is_code());
        whole && next.is_none_or(|next| self.starts.binary_search(&next.start).is_ok())
    }

    fn clause(&mut self, at: usize, first: usize, end: usize, body: usize) {
        let word = self.written(first);
        let second = Some(first + 1).filter(|&second| second < end);
        if let Some(row) = TOGETHER.iter().position(|words| words.contains(&word)) {
            let known = self.together.iter().rev().find(|known| (known.0, known.1) == (body, row));
            let group = known.map(|known| known.2).unwrap_or_else(|| {
                self.groups += 1;
                self.together.push((body, row, self.groups));
                self.groups
            });
            self.put(0, group, at, second);
        }
        let (shape, cells) = match word {
            "out" => ((word, ""), [self.typed(first, end), None]),
            "require" | "warn" => {
                let (function, operator) = self.comparison(first + 1, end);
                (("require", function), [operator, None])
            }
            "arm" => ((word, ""), [Some(first + 2).filter(|&share| share < end), self.outside(first, end, &["="])]),
            _ => ((word, ""), [None, None]),
        };
        self.alike.retain(|alike| alike.body != Some(body) || alike.shape == shape && cells[0].is_some());
        if cells[0].is_some() {
            let group = self.join(Some(body), shape);
            for (level, cell) in cells.into_iter().enumerate() {
                self.put(level + 1, group, at, cell);
            }
        }
    }

    /// Returns the function whose value a requirement compares, and the operator; no function where it is a plain name.
    fn comparison(&self, first: usize, end: usize) -> (&'t str, Option<usize>) {
        let Some(operator) = self.flat(first, end).find(|&at| self.gaps.is_operator(self.tokens[at])) else {
            return ("", None);
        };
        if !matches!(self.written(operator), "==" | "!=" | "<=" | ">=" | "<" | ">") {
            return ("", None);
        }
        let left = &self.tokens[first..operator];
        let name =
            |tokens: &[Token]| tokens.iter().all(|token| token.kind == Kind::Word || token.text(self.text) == ".");
        match left.iter().position(|token| token.kind == Kind::Open) {
            None if name(left) => ("", Some(operator)),
            Some(1) if self.closes(first + 1) == operator - 1 => (self.written(first), Some(operator)),
            _ => ("", None),
        }
    }

    /// Returns the token that closes the bracket which another one opens.
    fn closes(&self, open: usize) -> usize {
        let mut depth = 0usize;
        (open..self.tokens.len())
            .find(|&at| {
                match self.tokens[at].kind {
                    Kind::Open => depth += 1,
                    Kind::Close => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0
            })
            .unwrap_or(open)
    }

    fn field(&mut self, at: usize, first: usize, end: usize, body: usize, metrics: bool) {
        let ty = self.typed(first, end);
        let direction = ty.filter(|_| metrics).and_then(|ty| self.outside(ty, end, &["higher", "lower"]));
        let rest = direction.map(|direction| direction + 1).filter(|&rest| rest < end);
        let group = self.join(Some(body), ("", ""));
        for (level, cell) in [ty, direction, rest].into_iter().enumerate() {
            self.put(level, group, at, cell);
        }
    }

    /// Puts the comments behind lines that follow each other into groups.
    fn comments(&mut self, lines: &[Line]) {
        let mut group = None;
        for (at, line) in lines.iter().enumerate() {
            let comment =
                Some(line.end - 1).filter(|&last| last > line.first && self.tokens[last].kind == Kind::Comment);
            let block =
                (line.first..line.end).any(|at| self.tokens[at].kind == Kind::Raw && self.written(at).contains('\n'));
            if line.apart || comment.is_none() || block {
                group = None;
            }
            if block {
                continue;
            }
            if let Some(comment) = comment {
                let group = *group.get_or_insert_with(|| self.group());
                self.put(COMMENTS, group, at, Some(comment));
            }
        }
    }
}
