//! Expressions: the flat list of operands and operators becomes a tree by climbing precedence.

use std::iter::Peekable;

use super::{CHAIN, Lower};
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind, Field, Name, Range, Record, UnaryOp};
use crate::syntax::parser::{Children, Node, Rule};

type Flat<'t> = Peekable<std::vec::IntoIter<Node<'t>>>;

/// `x one_of [...]` binds like a comparison and is no [`BinaryOp`].
enum Infix {
    Op(BinaryOp),
    OneOf,
    Between,
}

impl Infix {
    fn of(node: &Node<'_>) -> Option<Self> {
        if node.as_rule() == Rule::between {
            return Some(Self::Between);
        }
        if !matches!(node.as_rule(), Rule::infix | Rule::logic) {
            return None;
        }
        Some(Self::Op(match node.as_str() {
            "or" => BinaryOp::Or,
            "and" => BinaryOp::And,
            "==" => BinaryOp::Eq,
            "!=" => BinaryOp::Ne,
            "<" => BinaryOp::Lt,
            "<=" => BinaryOp::Le,
            ">" => BinaryOp::Gt,
            ">=" => BinaryOp::Ge,
            "+" => BinaryOp::Add,
            "-" => BinaryOp::Sub,
            "*" => BinaryOp::Mul,
            "/" => BinaryOp::Div,
            _ => return Some(Self::OneOf),
        }))
    }

    fn strength(&self) -> u8 {
        match self {
            Self::Op(BinaryOp::Or) => 1,
            Self::Op(BinaryOp::And) => 2,
            Self::Op(BinaryOp::Add | BinaryOp::Sub) => COMPARISON + 1,
            Self::Op(BinaryOp::Mul | BinaryOp::Div) => COMPARISON + 2,
            Self::Op(_) | Self::OneOf | Self::Between => COMPARISON,
        }
    }
}

/// `not` stands between `and` and the comparisons: `not a == b` is `not (a == b)`.
const NOT: u8 = 3;
const COMPARISON: u8 = 4;

impl Lower<'_, '_> {
    /// Lowers an expression; `depth` is how much stands around it already.
    pub(super) fn expr(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let whole = self.span(&node);
        let mut children = Children::of(node, Rule::expr);
        let first = children.must();
        if children.pairs_are_done() {
            return self.primary(first, depth);
        }
        let flat: Vec<_> = std::iter::once(first).chain(children).collect();
        let depth = depth + flat.len();
        if depth > CHAIN {
            let message = format!("the expression stacks more than {CHAIN} operators");
            self.error(
                codes::NESTING_TOO_DEEP,
                whole,
                message,
                "give a part of it a name of its own: `const NAME = …`",
            );
            return Expr { kind: ExprKind::Bool(false), span: whole };
        }
        let mut flat = flat.into_iter().peekable();
        self.climb(&mut flat, 0, depth)
    }

    fn climb(&mut self, flat: &mut Flat<'_>, least: u8, depth: usize) -> Expr {
        let mut left = self.unary(flat, depth);
        let mut compared = false;
        while let Some(infix) = flat.peek().and_then(Infix::of) {
            let strength = infix.strength();
            if strength < least {
                break;
            }
            let node = flat.next().expect("it was peeked at");
            let op_span = self.span(&node);
            if strength == COMPARISON && std::mem::replace(&mut compared, true) {
                let help = "join two comparisons by `and`, or write `x between 0..1`";
                self.error(codes::SYNTAX, op_span, format!("a second comparison `{}`", first_word(&node)), help);
            }
            if let Infix::Between = infix {
                let range = Children::of(node, Rule::between).must();
                let range = Box::new(self.range(range, depth));
                let span = left.span.to(range.span);
                left = Expr { kind: ExprKind::Between { value: Box::new(left), range }, span };
                continue;
            }
            let right = self.climb(flat, strength + 1, depth);
            let span = left.span.to(right.span);
            let (left_box, right) = (Box::new(left), Box::new(right));
            let kind = match infix {
                Infix::Op(op) => ExprKind::Binary { op, op_span, left: left_box, right },
                Infix::OneOf | Infix::Between => ExprKind::OneOf { value: left_box, list: right },
            };
            left = Expr { kind, span };
        }
        left
    }

    fn unary(&mut self, flat: &mut Flat<'_>, depth: usize) -> Expr {
        let Some(prefix) = flat.next_if(|node| node.as_rule() == Rule::prefix) else {
            return self.operand(flat, depth);
        };
        let start = self.span(&prefix);
        if prefix.as_str() == "not" {
            let operand = self.climb(flat, NOT, depth);
            let span = start.to(operand.span);
            return Expr { kind: ExprKind::Unary { op: UnaryOp::Not, operand: Box::new(operand) }, span };
        }
        let operand = self.unary(flat, depth);
        negate(start, operand)
    }

    fn operand(&mut self, flat: &mut Flat<'_>, depth: usize) -> Expr {
        let first = flat.next().expect("the grammar has an operand behind every operator");
        let mut expr = self.primary(first, depth);
        while let Some(node) = flat.next_if(|node| Infix::of(node).is_none()) {
            let span = expr.span.to(self.span(&node));
            expr = self.postfix(expr, node, span, depth);
        }
        expr
    }

    fn postfix(&mut self, base: Expr, node: Node<'_>, span: Span, depth: usize) -> Expr {
        let rule = node.as_rule();
        if rule == Rule::range_tail {
            return self.range_from(base, node, depth);
        }
        let base = Box::new(base);
        let kind = match rule {
            Rule::optional => ExprKind::Optional(base),
            Rule::member => ExprKind::Field { base, name: self.only_name(node, rule) },
            Rule::pointer => ExprKind::Pointer { base, name: self.only_name(node, rule) },
            Rule::call => ExprKind::Call { callee: base, args: self.args(node, rule, depth) },
            _ => {
                let args = self.args(node, Rule::index, depth);
                let named = args.iter().find_map(|arg| arg.name.clone());
                if let Some(name) = named {
                    self.error(codes::SYNTAX, name.span, "an index has no name", format!("remove `{}:`", name.text));
                }
                ExprKind::Index { base, args: args.into_iter().map(|arg| arg.value).collect() }
            }
        };
        Expr { kind, span }
    }

    fn only_name(&self, node: Node<'_>, rule: Rule) -> Name {
        self.name(&Children::of(node, rule).must())
    }

    fn args(&mut self, node: Node<'_>, rule: Rule, depth: usize) -> Vec<Arg> {
        Children::of(node, rule).all(|arg| self.arg(arg, depth + 1))
    }

    fn arg(&mut self, node: Node<'_>, depth: usize) -> Arg {
        let span = self.span(&node);
        match node.as_rule() {
            Rule::star => Arg { name: None, value: Expr { kind: ExprKind::Star, span } },
            Rule::named => {
                let mut children = Children::of(node, Rule::named);
                let name = self.name(&children.must());
                Arg { name: Some(name), value: self.expr(children.must(), depth) }
            }
            _ => {
                let mut children = Children::of(node, Rule::grouped);
                let mut value = self.expr(children.must(), depth);
                if let Some(group) = children.next() {
                    let group = Box::new(self.expr(group, depth));
                    value = Expr { kind: ExprKind::By { value: Box::new(value), group }, span };
                }
                Arg { name: None, value }
            }
        }
    }

    fn primary(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::word => match node.as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                word @ ("True" | "False") => {
                    let plain = word.to_lowercase();
                    let message = format!("`{word}` is no value");
                    self.report(
                        Diagnostic::new(codes::SYNTAX, span, message).help(format!("write `{plain}`")).fix(span, plain),
                    );
                    ExprKind::Bool(word == "True")
                }
                word => {
                    if matches!(word, "and" | "or" | "not") {
                        let help = format!("write a value here; `{word}` is reserved");
                        self.error(codes::SYNTAX, span, format!("`{word}` where a value is expected"), help);
                    }
                    ExprKind::Name(self.name(&node))
                }
            },
            Rule::number => ExprKind::Number(self.number(&node)),
            Rule::list => ExprKind::List(Children::of(node, Rule::list).all(|item| self.expr(item, depth + 1))),
            Rule::record => ExprKind::Record(self.record(node, depth)),
            Rule::paren => {
                let inner = Children::of(node, Rule::paren).must();
                return Expr { span, ..self.expr(inner, depth + 1) };
            }
            _ => ExprKind::Str(self.quoted(node, depth)),
        };
        Expr { kind, span }
    }

    /// Lowers `{ key: value, … }`.
    pub(super) fn record(&mut self, node: Node<'_>, depth: usize) -> Record {
        let span = self.span(&node);
        let children = Children::of(node, Rule::record);
        let mut fields: Vec<Field> = Vec::with_capacity(children.most());
        for child in children {
            let place = self.span(&child);
            self.separated(fields.last().map(|field| field.span), place);
            let mut children = Children::of(child, Rule::field);
            let key = self.key(children.must());
            fields.push(Field { key, value: self.expr(children.must(), depth + 1), span: place });
        }
        Record { fields, span }
    }

    /// Reports two neighbours in braces that neither a comma nor a new line separates.
    pub(super) fn separated(&mut self, before: Option<Span>, here: Span) {
        let Some(before) = before else { return };
        let gap = &self.text[(before.end - self.base) as usize..(here.start - self.base) as usize];
        if !gap.contains(['\n', ',']) {
            let help = "write a comma before it, or put it on a line of its own";
            self.error(codes::SYNTAX, here, "a comma is missing before this", help);
        }
    }

    /// Lowers a key, which may be quoted.
    pub(super) fn key(&mut self, node: Node<'_>) -> Name {
        if node.as_rule() == Rule::word {
            return self.name(&node);
        }
        let key = self.quoted(node, 0);
        let text = key.plain().map(str::to_owned).unwrap_or_else(|| {
            self.error(codes::SYNTAX, key.span, "a key is fixed text", "remove the `{…}`, or write `\\{`");
            String::new()
        });
        Name { text, span: key.span }
    }

    /// Lowers a whole range, as it stands behind `in` of a type and behind `between`.
    pub(super) fn range(&mut self, node: Node<'_>, depth: usize) -> Range {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::range);
        let low_open = children.opt(Rule::more).is_some();
        let low = children.opt(Rule::bound).map(|bound| self.bound(bound, depth));
        let (high, high_open) = self.upper(children.opt(Rule::upper), depth);
        if low.is_none() && high.is_none() {
            self.error(codes::SYNTAX, span, "the range has no bound", "write at least one: `0..`, `..5`, `1..5`");
        }
        Range { low, low_open, high, high_open, span }
    }

    fn range_from(&mut self, low: Expr, tail: Node<'_>, depth: usize) -> Expr {
        let written = self.span(&tail);
        let upper = Children::of(tail, Rule::range_tail).opt(Rule::upper);
        let (high, high_open) = self.upper(upper, depth);
        let in_parentheses = self.text[(low.span.start - self.base) as usize..].starts_with('(');
        if !in_parentheses && !matches!(low.kind, ExprKind::Number(_)) {
            let text = &self.text[(low.span.start - self.base) as usize..(low.span.end - self.base) as usize];
            let help = format!("write `({text})..`");
            self.error(codes::SYNTAX, low.span, "a bound that is no number stands in parentheses", help);
        }
        let span = low.span.to(written);
        let range = Range { low: Some(low), low_open: false, high, high_open, span };
        Expr { kind: ExprKind::Range(Box::new(range)), span }
    }

    fn upper(&mut self, node: Option<Node<'_>>, depth: usize) -> (Option<Expr>, bool) {
        let Some(node) = node else { return (None, false) };
        let mut children = Children::of(node, Rule::upper);
        let open = children.opt(Rule::less).is_some();
        (Some(self.bound(children.must(), depth)), open)
    }

    fn bound(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let mut children = Children::of(node, Rule::bound);
        let minus = children.opt(Rule::minus).map(|minus| self.span(&minus));
        let value = self.primary(children.must(), depth + 1);
        match minus {
            Some(minus) => negate(minus, value),
            None => value,
        }
    }
}

/// `-` before a range belongs to its lower bound, as in `-1..5`.
fn negate(minus: Span, operand: Expr) -> Expr {
    let span = minus.to(operand.span);
    match operand.kind {
        ExprKind::Range(mut range) => {
            range.low = range.low.map(|low| negate(minus, low));
            range.span = span;
            Expr { kind: ExprKind::Range(range), span }
        }
        kind => {
            let operand = Box::new(Expr { kind, span: operand.span });
            Expr { kind: ExprKind::Unary { op: UnaryOp::Neg, operand }, span }
        }
    }
}

fn first_word<'t>(node: &Node<'t>) -> &'t str {
    node.as_str().split_whitespace().next().unwrap_or_default()
}
