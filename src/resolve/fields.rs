//! Records with known fields: unknown and repeated ones are named, values are read as constants.

use super::cx::Cx;
use super::expr::constant;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Range, Type, Value};

/// A record whose fields are known by name.
pub(super) struct Fields<'r> {
    record: Option<&'r ast::Record>,
}

impl<'r> Fields<'r> {
    /// Checks the names of the fields of `what`.
    pub(super) fn read(cx: &mut Cx<'_>, record: &'r ast::Record, what: &str, known: &[&str]) -> Self {
        for (index, field) in record.fields.iter().enumerate() {
            let key = field.key.as_str();
            if !known.contains(&key) {
                let list: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
                let help = match nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "leave it out".to_owned(),
                    None => format!("known are {}", list.join(", ")),
                };
                let message = format!("{what} has no field `{key}`");
                let mut diagnostic = Diagnostic::new(codes::UNKNOWN_FIELD, field.key.span, message).help(help);
                if let Some(near) = nearest(key, known.iter().copied()) {
                    diagnostic = diagnostic.fix_near(field.key.span, key, near, known.iter().copied());
                }
                cx.diagnostics.push(diagnostic);
            } else if let Some(first) = record.fields[..index].iter().find(|first| first.key.text == key) {
                let message = format!("`{key}` is given twice");
                let diagnostic = Diagnostic::new(codes::DUPLICATE_CLAUSE, field.key.span, message)
                    .here("given again here")
                    .label(first.key.span, "first given here")
                    .help("keep one");
                cx.diagnostics.push(diagnostic);
            }
        }
        Self { record: Some(record) }
    }

    /// Makes the fields of a record that was left out.
    pub(super) fn none() -> Self {
        Self { record: None }
    }

    /// Checks a record that may be left out.
    pub(super) fn optional(cx: &mut Cx<'_>, record: Option<&'r ast::Record>, what: &str, known: &[&str]) -> Self {
        match record {
            Some(record) => Self::read(cx, record, what, known),
            None => Self::none(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'r ast::Field> {
        self.record?.get(key)
    }

    /// Returns the value of a field, or says that it is missing.
    pub(super) fn need(&self, cx: &mut Cx<'_>, key: &str, at: Span, line: &str) -> Option<&'r ast::Field> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("`{key}` is missing");
            cx.diagnostics.push(Diagnostic::new(codes::MISSING_CLAUSE, at, message).help(format!("add `{line}`")));
        }
        found
    }

    /// Returns a constant text.
    pub(super) fn text(&self, cx: &mut Cx<'_>, key: &str) -> Option<Spanned<String>> {
        text(cx, &self.get(key)?.value)
    }

    /// Returns a list of constant texts; one text alone is a list of one.
    pub(super) fn texts(&self, cx: &mut Cx<'_>, key: &str) -> Vec<Spanned<String>> {
        self.get(key).map(|field| texts(cx, &field.value)).unwrap_or_default()
    }
}

/// Reads a constant text.
pub(super) fn text(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Spanned<String>> {
    match constant(cx, written, &Type::String)? {
        Value::String(text) => Some(Spanned::new(text, written.span)),
        _ => None,
    }
}

/// Reads a list of constant texts; one text alone is a list of one.
pub(super) fn texts(cx: &mut Cx<'_>, written: &ast::Expr) -> Vec<Spanned<String>> {
    match &written.kind {
        ast::ExprKind::List(items) => items.iter().filter_map(|item| text(cx, item)).collect(),
        ast::ExprKind::Name(_) => match super::expr::expr(cx, written, super::expr::Scope::Constant) {
            Some(typed) => match typed.expr {
                crate::types::Expr::Value(Value::String(text)) => vec![Spanned::new(text, written.span)],
                crate::types::Expr::Value(Value::List(items)) => {
                    items.iter().map(|item| Spanned::new(item.to_string(), written.span)).collect()
                }
                _ => cx.error(codes::WRONG_TYPE, written.span, "a list of texts is needed", "").unwrap_or_default(),
            },
            None => Vec::new(),
        },
        _ => text(cx, written).into_iter().collect(),
    }
}

/// Reads a constant truth value.
pub(super) fn truth(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<bool> {
    match constant(cx, written, &Type::Bool)? {
        Value::Bool(value) => Some(value),
        _ => None,
    }
}

/// Reads a constant duration above zero, in nanoseconds.
pub(super) fn duration(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<i64> {
    match constant(cx, written, &Type::Duration)? {
        Value::Duration(value) if value > 0 => Some(value),
        _ => cx.error(codes::OUT_OF_RANGE, written.span, "a time span above zero is needed", "write `24h`"),
    }
}

/// Reads a constant whole number in a range.
pub(super) fn whole(cx: &mut Cx<'_>, written: &ast::Expr, low: i64, high: i64) -> Option<i64> {
    match constant(cx, written, &Type::Int(Range::ANY))? {
        Value::Int(value) if (low..=high).contains(&value) => Some(value),
        _ => {
            let message = format!("`{}` is not in `{low}..{high}`", cx.sources.slice(written.span));
            cx.error(codes::OUT_OF_RANGE, written.span, message, "")
        }
    }
}
