//! What a name means where no edit reaches: what keeps it from being renamed, and who else has to follow.

use super::document::Document;
use super::names::Symbol;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, ItemKind};

/// Says why a pointer keeps its name: it is one of a registry, which no edit of a file moves.
pub(super) fn moves_no_pointer(symbol: Symbol<'_>, new: &str) -> Option<String> {
    let Symbol::Pointer { registry, name } = symbol else { return None };
    (name != new).then(|| {
        format!(
            "`{name}` is kept in the registry `{registry}`, where nothing is called `{new}`: gates would find no baseline. \
             To begin a pointer anew, write its name by hand: `on no_baseline` decides then, and the next promotion sets it"
        )
    })
}

/// Says why a registry keeps its name, where a file calls it by one of these places: in a branch it is a folder of that name.
pub(super) fn moves_no_registry(document: &Document, renamed: &impl Fn(Span) -> bool) -> Option<String> {
    let values = document.file().items.iter().flat_map(|item| match &item.kind {
        ItemKind::Registry(it) => vec![(&it.name, &it.value)],
        ItemKind::Profile(it) => it.clauses.iter().filter_map(set).collect(),
        _ => Vec::new(),
    });
    let (name, _) = values
        .filter(|(name, _)| renamed(name.span))
        .find(|(_, value)| matches!(called(value), Some("git" | "s3" | "mlflow")))?;
    let name = name.as_str();
    Some(format!(
        "the registry `{name}` is kept under this name, and under another one there is nothing: gates would find no \
         baseline. To begin an empty registry, write its name by hand: `on no_baseline` decides then"
    ))
}

fn set(clause: &ast::ProfileClause) -> Option<(&ast::Name, &ast::Expr)> {
    match clause {
        ast::ProfileClause::Set { name, value, .. } => Some((name, value)),
        _ => None,
    }
}

fn called(value: &ast::Expr) -> Option<&str> {
    match &value.kind {
        ExprKind::Call { callee, .. } => match &callee.kind {
            ExprKind::Name(name) => Some(name.as_str()),
            _ => None,
        },
        _ => None,
    }
}

/// Says what the new name of these places asks of others, who are not told by any file.
pub(super) fn told(document: &Document, renamed: &impl Fn(Span) -> bool, new: &str) -> Vec<String> {
    let mut told: Vec<String> = payloads(document, renamed, new).into_iter().collect();
    for item in &document.file().items {
        match &item.kind {
            ItemKind::On(ast::Trigger::Call { params, .. }) => {
                told.extend(params.iter().find(|name| renamed(name.span)).map(|was| {
                    format!(
                        "`{was}` is now `{new}` in `on call` too: tell whose workflows call this one",
                        was = was.as_str()
                    )
                }));
            }
            ItemKind::Secret(it) if renamed(it.name.span) => told.push(secret(it.name.as_str(), new)),
            ItemKind::Metrics(it) => {
                let bare = it.metrics.iter().find(|metric| metric.from.is_none() && renamed(metric.name.span));
                told.extend(bare.map(|metric| {
                    let was = metric.name.as_str();
                    format!(
                        "`{was}` is now read at `/{new}` of the file: let what writes it follow, or keep the place with \
                         `from \"/{was}\"`"
                    )
                }));
            }
            ItemKind::Schema(it) => {
                told.extend(it.columns.iter().find(|column| renamed(column.name.span)).map(|column| {
                    format!(
                        "`{was}` is now `{new}` in the data too: let what writes it follow",
                        was = column.name.as_str()
                    )
                }));
            }
            _ => {}
        }
    }
    told
}

/// Says where the value of a secret is looked for: runs and GitHub know it in capitals, Argo as it is written.
fn secret(was: &str, new: &str) -> String {
    let (old, capitals) = (was.to_uppercase(), new.to_uppercase());
    format!(
        "`{was}` is now looked for as `{new}`: rename the variable and GitHub's secret `{old}` to `{capitals}`, and the key \
         `{was}` of Argo's Secret to `{new}`"
    )
}

/// Says what renaming a parameter asks of others: whoever sends an event calls it by its name.
fn payloads(document: &Document, renamed: &impl Fn(Span) -> bool, new: &str) -> Option<String> {
    let mut was = "";
    let mut events = Vec::new();
    for item in &document.file().items {
        let ItemKind::On(ast::Trigger::Event { name, payload }) = &item.kind else { continue };
        if let Some(field) = payload.iter().find(|field| renamed(field.name.span)) {
            was = field.name.as_str();
            events.push(format!("`{}`", name.plain().unwrap_or_default()));
        }
    }
    let events = events.join(" and ");
    (!was.is_empty()).then(|| format!("`{was}` is now `{new}` in the payload of {events} too: tell who sends it"))
}
