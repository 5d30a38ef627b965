//! Nodes: stages, gates, releases, rollouts and the rest. Their parts may stand in any order; which of them a kind of
//! node takes is decided here.

use super::Lower;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::{
    Action, Approval, BinaryOp, Clause, Evidence, Experiment, Expr, ExprKind, Gate, Header, ItemKind, Loop, Monitor,
    Name, Promote, Record, Register, Rollout, Stage, StageBody, Ungated,
};
use crate::syntax::forms;
use crate::syntax::parser::{Children, Node, Rule};

/// All parts of a node, before it is known which of them its kind takes.
#[derive(Default)]
struct Parts {
    header: Header,
    of: Option<Expr>,
    on: Option<Vec<Evidence>>,
    to: Option<Expr>,
    by: Option<Name>,
    value: Option<Expr>,
    with: Option<Vec<Expr>>,
}

/// Which parts a kind of node takes beside `for`, `when` and `after`.
fn takes(kind: &str) -> &'static [&'static str] {
    match kind {
        "stage" => &["=", "with"],
        "gate" => &["on"],
        "register" => &["=", "with", "to", "ungated"],
        "promote" => &["=", "to", "ungated"],
        "rollout" => &["of", "by", "ungated"],
        "action" => &["of", "ungated"],
        "approval" | "experiment" => &["of"],
        _ => &[],
    }
}

impl Lower<'_, '_> {
    /// Lowers a node.
    pub(super) fn node(&mut self, node: Node<'_>) -> ItemKind {
        let whole = self.span(&node);
        let rule = node.as_rule();
        let mut children = Children::of(node, rule);
        let kind = match rule {
            Rule::stage => "stage",
            Rule::action => "action",
            Rule::gate => "gate",
            Rule::rollout => "rollout",
            Rule::monitor => "monitor",
            Rule::experiment => "experiment",
            _ => match children.must().as_str() {
                "register" => "register",
                "approval" => "approval",
                _ => "promote",
            },
        };
        let name = self.name(&children.must());
        let mut parts = Parts::default();
        let mut seen: Vec<(&str, Span)> = Vec::new();
        let mut body = None;
        for child in children {
            let Some(word) = part_word(child.as_rule()) else {
                body = Some(child);
                continue;
            };
            let span = self.span(&child);
            if word == "=" && self.compares(kind, &seen, span) {
                self.comparison(&mut parts, child, span);
                continue;
            }
            self.check_part(kind, word, span, &mut seen);
            self.part(&mut parts, child);
        }
        match kind {
            "stage" => self.stage(name, parts, body, whole),
            "action" => {
                let clauses = self.stage_clauses(kind, body, whole);
                ItemKind::Action(Action { name, of: parts.of, header: parts.header, clauses })
            }
            "gate" => {
                let on = self.need_list(parts.on, kind, "on EVIDENCE", name.span);
                let clauses = self.clauses(kind, body, whole, Self::gate_clause);
                ItemKind::Gate(Gate { name, header: parts.header, on, clauses })
            }
            "register" => {
                let model = self.need(parts.value, kind, "= MODEL", name.span);
                let to = self.need(parts.to, kind, "to REGISTRY", name.span);
                let record = body.map(|record| self.record(record, 0));
                let with = parts.with.unwrap_or_default();
                ItemKind::Register(Register { name, model, with, to, header: parts.header, record })
            }
            "approval" => {
                let of = self.need(parts.of, kind, "of SUBJECT", name.span);
                let record = body.map(|record| self.record(record, 0));
                ItemKind::Approval(Approval { name, of, header: parts.header, record })
            }
            "promote" => {
                let release = self.need(parts.value, kind, "= RELEASE", name.span);
                let to = self.need(parts.to, kind, "to REGISTRY@POINTER", name.span);
                if let Some(record) = body {
                    let span = self.span(&record);
                    self.error(codes::SYNTAX, span, "a promotion has no body", format!("write `{}`", forms::of(kind)));
                }
                ItemKind::Promote(Promote { name, release, to, header: parts.header })
            }
            "rollout" => {
                let of = self.need(parts.of, kind, "of RELEASE", name.span);
                let by = parts.by.unwrap_or_else(|| {
                    self.missing(kind, "by canary", name.span);
                    Name { text: String::new(), span: name.span.after() }
                });
                let clauses = self.clauses(kind, body, whole, Self::rollout_clause);
                ItemKind::Rollout(Rollout { name, of, by, header: parts.header, clauses })
            }
            "monitor" => {
                let clauses = self.clauses(kind, body, whole, Self::monitor_clause);
                ItemKind::Monitor(Monitor { name, header: parts.header, clauses })
            }
            _ => {
                let of = self.need(parts.of, kind, "of RELEASE", name.span);
                let clauses = self.clauses(kind, body, whole, Self::experiment_clause);
                ItemKind::Experiment(Experiment { name, of, header: parts.header, clauses })
            }
        }
    }

    fn stage(&mut self, name: Name, parts: Parts, body: Option<Node<'_>>, whole: Span) -> ItemKind {
        let body = match (parts.value, parts.with) {
            (Some(base), with) => {
                if let Some(body) = body {
                    let span = self.span(&body);
                    let help = "write what differs behind `with`, or write the stage out";
                    self.error(codes::SYNTAX, span, "a stage made from another has no clauses of its own", help);
                }
                StageBody::With { changes: self.changes(with, base.span), base: self.base_name(base) }
            }
            (None, Some(with)) => {
                let span = with.first().map_or(name.span, |first| first.span);
                let help = format!("write `stage {} = STAGE with {{ … }}`", name.text);
                self.error(codes::SYNTAX, span, "`with` needs the stage that it changes", help);
                StageBody::Clauses(Vec::new())
            }
            (None, None) => StageBody::Clauses(self.stage_clauses("stage", body, whole)),
        };
        ItemKind::Stage(Stage { name, header: parts.header, body })
    }

    fn base_name(&mut self, base: Expr) -> Name {
        match base.kind {
            ExprKind::Name(name) => name,
            _ => {
                self.error(codes::SYNTAX, base.span, "a stage is made from another stage", "write that stage's name");
                Name { text: String::new(), span: base.span }
            }
        }
    }

    fn changes(&mut self, with: Option<Vec<Expr>>, base: Span) -> Record {
        let span = with.as_ref().and_then(|list| list.first()).map_or(base.after(), |first| first.span);
        match with.map(Vec::into_iter).map(|mut list| (list.next(), list.next())) {
            Some((Some(Expr { kind: ExprKind::Record(record), .. }), None)) => record,
            _ => {
                let help =
                    "write `with { data: OTHER, report: \"OTHER PATH\" }`: another input, and every output renamed";
                self.error(codes::SYNTAX, span, "what differs is missing", help);
                Record { fields: Vec::new(), span }
            }
        }
    }

    fn stage_clauses(&mut self, kind: &str, body: Option<Node<'_>>, whole: Span) -> Vec<Clause> {
        self.clauses(kind, body, whole, |lower, clause| lower.stage_clause(clause, kind))
    }

    /// Lowers the clauses of a body; a missing body is reported.
    fn clauses<T>(
        &mut self,
        kind: &str,
        body: Option<Node<'_>>,
        whole: Span,
        mut lower: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(body) = body else {
            let help = format!("write `{}`", forms::of(kind));
            self.error(codes::SYNTAX, whole.after(), format!("this `{kind}` has no body"), help);
            return Vec::new();
        };
        let rule = body.as_rule();
        Children::of(body, rule).some(|clause| lower(self, clause))
    }

    fn check_part<'w>(&mut self, kind: &str, word: &'w str, span: Span, seen: &mut Vec<(&'w str, Span)>) {
        if !matches!(word, "for" | "when" | "after") && !takes(kind).contains(&word) {
            let message = format!("`{word}` has no place before the body of `{kind}`");
            self.error(codes::SYNTAX, span, message, format!("write `{}`", forms::of(kind)));
        } else if let Some(&(_, first)) = seen.iter().find(|(other, _)| *other == word) {
            let diagnostic = Diagnostic::new(codes::SYNTAX, span, format!("`{word}` is said twice"))
                .label(first, "first said here")
                .help(match word {
                    "when" => "join the conditions by `and`",
                    "for" | "after" | "on" | "with" => "join the lists by a comma",
                    _ => "keep one of the two",
                });
            self.report(diagnostic);
        }
        seen.push((word, span));
    }

    /// Tells whether `= …` behind a condition is part of it.
    fn compares(&self, kind: &str, seen: &[(&str, Span)], value: Span) -> bool {
        if seen.last().is_none_or(|(word, _)| *word != "when") {
            return false;
        }
        if kind != "stage" {
            return !takes(kind).contains(&"=") || seen.iter().any(|(word, _)| *word == "=");
        }
        let text = |at: u32| self.text[(at - self.base) as usize..].trim_start();
        text(value.end).starts_with('{') || !text(value.start + 1).starts_with(char::is_alphabetic)
    }

    /// Reports `when rounds = 3` and reads it as `when rounds == 3`.
    fn comparison(&mut self, parts: &mut Parts, node: Node<'_>, span: Span) {
        let sign = Span { end: span.start + 1, ..span };
        self.report(
            Diagnostic::new(codes::SYNTAX, sign, "`=` gives a value, `==` compares").help("write `==`").fix(sign, "=="),
        );
        let right = Box::new(self.value(node));
        if let Some(left) = parts.header.when.take() {
            let whole = left.span.to(right.span);
            let kind = ExprKind::Binary { op: BinaryOp::Eq, op_span: sign, left: Box::new(left), right };
            parts.header.when = Some(Expr { kind, span: whole });
        }
    }

    fn part(&mut self, parts: &mut Parts, node: Node<'_>) {
        let rule = node.as_rule();
        let span = self.span(&node);
        if rule == Rule::value {
            parts.value = Some(self.value(node));
            return;
        }
        let mut children = Children::of(node, rule);
        match rule {
            Rule::after_part => parts.header.after = children.all(|node| self.expr(node, 0)),
            Rule::when_part => parts.header.when = Some(self.expr(children.must(), 0)),
            Rule::for_part => parts.header.loops = children.all(|node| self.loop_(node)),
            Rule::of_part => parts.of = Some(self.expr(children.must(), 0)),
            Rule::on_part => parts.on = Some(children.all(|node| self.evidence(node))),
            Rule::to_part => parts.to = Some(self.expr(children.must(), 0)),
            Rule::by_part => parts.by = Some(self.name(&children.must())),
            Rule::with_part => parts.with = Some(children.all(|node| self.expr(node, 0))),
            _ => {
                let reason = self.quoted(children.must(), 0);
                parts.header.ungated = Some(Ungated { reason, span });
            }
        }
    }

    fn loop_(&mut self, node: Node<'_>) -> Loop {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::loop_part);
        let name = self.name(&children.must());
        Loop { name, values: self.expr(children.must(), 0), span }
    }

    fn evidence(&mut self, node: Node<'_>) -> Evidence {
        let mut children = Children::of(node, Rule::evidence);
        let alias = children.opt(Rule::alias).map(|alias| self.name(&Children::of(alias, Rule::alias).must()));
        Evidence { alias, value: self.expr(children.must(), 0) }
    }

    fn need(&mut self, part: Option<Expr>, kind: &str, what: &str, place: Span) -> Expr {
        part.unwrap_or_else(|| {
            self.missing(kind, what, place);
            Expr { kind: ExprKind::Bool(false), span: place.after() }
        })
    }

    fn need_list<T>(&mut self, part: Option<Vec<T>>, kind: &str, what: &str, place: Span) -> Vec<T> {
        if part.is_none() {
            self.missing(kind, what, place);
        }
        part.unwrap_or_default()
    }

    fn missing(&mut self, kind: &str, what: &str, place: Span) {
        let message = format!("this `{kind}` lacks `{what}`");
        self.error(codes::SYNTAX, place, message, format!("write `{}`", forms::of(kind)));
    }
}

fn part_word(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::after_part => "after",
        Rule::when_part => "when",
        Rule::for_part => "for",
        Rule::of_part => "of",
        Rule::on_part => "on",
        Rule::to_part => "to",
        Rule::by_part => "by",
        Rule::value => "=",
        Rule::with_part => "with",
        Rule::ungated_part => "ungated",
        _ => return None,
    })
}
