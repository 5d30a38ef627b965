//! What may be written where a name is not enough: legs of a loop, files, the names that a module has.

use std::path::Path;

use super::document::Document;
use super::names::Names;
use super::world::path_of;
use crate::modules;
use crate::syntax::ast::{self, ExprKind, ItemKind};

/// So many entries of a folder are proposed.
const ENTRIES: usize = 500;

/// Returns the legs of a declaration's loop as they are written: `"nord"`, `3`; and `*`.
pub(super) fn legs(document: &Document, names: &Names<'_>, base: &str, nth: usize) -> Vec<String> {
    let header = match names.meant(base).map(|item| &item.kind) {
        Some(ItemKind::Stage(it)) => &it.header,
        Some(ItemKind::Gate(it)) => &it.header,
        Some(ItemKind::Register(it)) => &it.header,
        Some(ItemKind::Approval(it)) => &it.header,
        Some(ItemKind::Action(it)) => &it.header,
        Some(ItemKind::Promote(it)) => &it.header,
        _ => return Vec::new(),
    };
    let Some(one) = header.loops.get(nth) else { return Vec::new() };
    let mut values = &one.values;
    if let ExprKind::Name(name) = &values.kind
        && let Some(ItemKind::Const(it)) = names.meant(name.as_str()).map(|item| &item.kind)
    {
        values = &it.value;
    }
    let list = match &values.kind {
        ExprKind::List(list) => list.as_slice(),
        _ => &[],
    };
    let written = |value: &ast::Expr| match value.kind {
        ExprKind::Str(_) | ExprKind::Number(_) | ExprKind::Bool(_) => {
            Some(document.source_of(value.span.file).text()[value.span.range()].to_owned())
        }
        _ => None,
    };
    std::iter::once("*".to_owned()).chain(list.iter().filter_map(written)).collect()
}

/// Returns the names that a file could take from a module and does not take yet.
pub(super) fn listed<'d>(document: &'d Document, file: &str) -> Vec<&'d str> {
    let Some(place) = modules::place(document.source().name(), file) else { return Vec::new() };
    let is_it = |module: &&ast::File| document.source_of(module.span.file).name() == place;
    let Some(module) = document.modules().iter().find(is_it) else { return Vec::new() };
    let taken: Vec<&str> = document
        .file()
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Use(it) if it.file.plain() == Some(file) => Some(it.names.iter().map(ast::Name::as_str)),
            _ => None,
        })
        .flatten()
        .collect();
    let names = module.items.iter().filter_map(|item| item.name()).map(ast::Name::as_str);
    names.filter(|name| !taken.contains(name)).collect()
}

/// Returns what stands in the folder that was typed: files, and folders with a `/`. Paths of modules are relative to the file; those
/// of declarations to the pipeline's folder, which a module does not know.
pub(super) fn paths(document: &Document, typed: &str, module: bool) -> Vec<String> {
    let is_pipeline = document.file().items.iter().any(|item| matches!(item.kind, ItemKind::Pipeline(_)));
    let home = path_of(&document.uri);
    let Some(folder) = home.as_deref().and_then(Path::parent).filter(|_| module || is_pipeline) else {
        return Vec::new();
    };
    let below = typed.rfind('/').map_or("", |at| &typed[..at]);
    if below.starts_with('/') || below.split('/').any(|part| part == "..") {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(folder.join(below)) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
            if entry.file_type().ok()?.is_dir() {
                return Some(name + "/");
            }
            let is_self = home.as_deref() == Some(entry.path().as_path());
            (!is_self && (!module || name.ends_with(".mlp"))).then_some(name)
        })
        .take(ENTRIES)
        .collect();
    found.sort();
    found
}
