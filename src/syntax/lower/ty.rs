//! Types, the columns of schemas, metrics.

use super::Lower;
use crate::syntax::ast::{Column, Direction, Metric, Type, TypeField, TypeKind};
use crate::syntax::parser::{Children, Node, Rule};

impl Lower<'_, '_> {
    /// Lowers a type.
    pub(super) fn ty(&mut self, node: Node<'_>) -> Type {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::ty);
        let mut ty = self.core_type(children.must());
        if let Some(mark) = children.opt(Rule::optional) {
            let span = ty.span.to(self.span(&mark));
            ty = Type { kind: TypeKind::Optional(Box::new(ty)), span };
        }
        let Some(refinement) = children.opt(Rule::type_in) else { return ty };
        let mut parts = Children::of(refinement, Rule::type_in);
        let range = Box::new(self.range(parts.must(), 0));
        let refined = Type { span: ty.span.to(range.span), kind: TypeKind::Refined { base: Box::new(ty), range } };
        match parts.opt(Rule::optional) {
            Some(_) => Type { kind: TypeKind::Optional(Box::new(refined)), span },
            None => refined,
        }
    }

    fn word_type(&self, node: &Node<'_>) -> Type {
        let kind = TypeKind::Named { name: self.name(node), args: Vec::new() };
        Type { kind, span: self.span(node) }
    }

    fn core_type(&mut self, node: Node<'_>) -> Type {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::type_named => {
                let mut children = Children::of(node, Rule::type_named);
                let name = self.name(&children.must());
                TypeKind::Named { name, args: children.all(|arg| self.word_type(&arg)) }
            }
            Rule::type_enum => TypeKind::OneOf(Children::of(node, Rule::type_enum).all(|text| self.quoted(text, 0))),
            Rule::type_list => {
                let inner = Children::of(node, Rule::type_list).must();
                TypeKind::List(Box::new(self.ty(inner)))
            }
            Rule::type_record => TypeKind::Record(self.type_fields(node)),
            _ => {
                let inner = Children::of(node, Rule::type_paren).must();
                return Type { span, ..self.ty(inner) };
            }
        };
        Type { kind, span }
    }

    /// Lowers `{ name: type, … }`.
    pub(super) fn type_fields(&mut self, node: Node<'_>) -> Vec<TypeField> {
        let mut fields: Vec<TypeField> = Vec::new();
        for child in Children::of(node, Rule::type_record) {
            let span = self.span(&child);
            self.separated(fields.last().map(|field| field.span), span);
            let mut children = Children::of(child, Rule::type_field);
            let name = self.key(children.must());
            fields.push(TypeField { name, ty: self.ty(children.must()), span });
        }
        fields
    }

    /// Lowers a column of a schema.
    pub(super) fn column(&mut self, node: Node<'_>) -> Column {
        let span = self.span(&node);
        let docs = self.docs_over(node.as_span().start());
        let mut children = Children::of(node, Rule::column);
        let name = self.key(children.must());
        let ty = self.ty(children.must());
        let mut column = Column { docs, name, ty, unique: None, matches: None, span };
        for part in children {
            let place = self.span(&part);
            if part.as_rule() == Rule::unique {
                let mark = self.mark(&part);
                self.once(&mut column.unique, mark, place, "`unique`");
            } else {
                let text = Children::of(part, Rule::matches).must();
                let text = self.quoted(text, 0);
                self.once(&mut column.matches, text, place, "`matches`");
            }
        }
        column
    }

    /// Lowers a metric.
    pub(super) fn metric(&mut self, node: Node<'_>) -> Metric {
        let span = self.span(&node);
        let docs = self.docs_over(node.as_span().start());
        let mut children = Children::of(node, Rule::metric);
        let name = self.key(children.must());
        let ty = self.ty(children.must());
        let mut metric = Metric { docs, name, ty, direction: None, from: None, unit: None, n_from: None, span };
        for part in children {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::direction => {
                    let direction = Direction { higher: part.as_str() == "higher", span: place };
                    self.once(&mut metric.direction, direction, place, "a direction");
                }
                Rule::metric_from => {
                    let text = Children::of(part, Rule::metric_from).must();
                    let text = self.quoted(text, 0);
                    self.once(&mut metric.from, text, place, "`from`");
                }
                Rule::metric_n => {
                    let text = Children::of(part, Rule::metric_n).must();
                    let text = self.quoted(text, 0);
                    self.once(&mut metric.n_from, text, place, "`n from`");
                }
                _ => {
                    let unit = Children::of(part, Rule::metric_unit).must();
                    let unit = self.name(&unit);
                    self.once(&mut metric.unit, unit, place, "`unit`");
                }
            }
        }
        metric
    }
}
