//! Schemas: the columns of a data set.

use super::cx::Cx;
use super::{declared, ty};
use crate::diagnostic::codes;
use crate::syntax::ast;
use crate::types::{self, Type};

/// Resolves the columns of a schema.
pub(super) fn schema(cx: &mut Cx<'_>, index: usize, item: &ast::Schema) {
    let mut columns = Vec::new();
    for (at, column) in item.columns.iter().enumerate() {
        if let Some(first) = item.columns[..at].iter().find(|first| first.name.text == column.name.text) {
            declared::duplicate(cx, &column.name, first.name.span);
            continue;
        }
        if let Some(column) = self::column(cx, column) {
            columns.push(column);
        }
    }
    cx.model.to_mut().schemas[index].ty.columns = columns;
}

fn column(cx: &mut Cx<'_>, written: &ast::Column) -> Option<types::Column> {
    let ty = ty::value_type(cx, &written.ty)?;
    let column = types::Column {
        name: written.name.text.clone(),
        ty,
        unique: written.unique.is_some(),
        matches: written.matches.as_ref().and_then(|pattern| pattern.plain().map(str::to_owned)),
    };
    let (value, _) = column.value();

    if !matches!(
        value,
        Type::Int(_) | Type::Float(_) | Type::Ratio(_) | Type::Bool | Type::String | Type::Enum(_) | Type::Timestamp
    ) {
        let message = format!("a column holds no `{value}`");
        let help = "write `int`, `float`, `ratio`, `bool`, `string`, `timestamp` or `\"a\" | \"b\"`";
        return cx.error(codes::WRONG_TYPE, written.ty.span, message, help);
    }
    if let (Some(pattern), Some(text)) = (&written.matches, &column.matches) {
        if !matches!(value, Type::String) {
            let help = "a number is held in its range: `int in 0..9`";
            return cx.error(codes::WRONG_TYPE, pattern.span, "`matches` is for texts", help);
        }
        if let Err(error) = regex::Regex::new(text) {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return cx.error(codes::WRONG_TYPE, pattern.span, format!("no regular expression: {why}"), "");
        }
    }
    Some(column)
}
