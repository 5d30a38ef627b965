//! What changes texts: formatting, renaming, the edits that diagnostics carry.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lsp_server::ErrorCode;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, Position, Range, RenameParams, TextEdit, Uri, WorkspaceEdit,
};

use super::Refusal;
use super::document::Document;
use super::names::{Names, Symbol};
use super::text::{self, Encoding};
use super::world::{World, path_of, uri_of};
use crate::diagnostic::{Fix, edits};
use crate::source::{FileId, Span};
use crate::syntax::{self, ast::ItemKind};

/// Returns the edit that formats: one, of what is different between the first and the last line that change. None where
/// the text has faults.
pub(super) fn format(document: &Document, encoding: Encoding) -> Option<Vec<TextEdit>> {
    let was = document.text();
    let is = syntax::fmt::format(FileId(0), was).ok()?;
    let same = was.split_inclusive('\n').zip(is.split_inclusive('\n')).take_while(|(was, is)| was == is);
    let start: usize = same.map(|(line, _)| line.len()).sum();
    let (rest, new) = (&was[start..], &is[start..]);
    if rest.is_empty() && new.is_empty() {
        return Some(Vec::new());
    }
    let behind: usize = rest
        .split_inclusive('\n')
        .rev()
        .zip(new.split_inclusive('\n').rev())
        .take_while(|(was, is)| was == is)
        .map(|(line, _)| line.len())
        .sum();
    let behind = behind.min(rest.len()).min(new.len());
    let span = Span::new(FileId(0), start as u32, (was.len() - behind) as u32);
    let range = text::range(document.source(), span, encoding);
    Some(vec![TextEdit::new(range, new[..new.len() - behind].to_owned())])
}

/// Returns the certain edits for what is wrong in a range, and one that makes all of them.
pub(super) fn actions(document: &mut Document, range: Range, encoding: Encoding) -> Vec<CodeActionOrCommand> {
    let found = document.found();
    let file = document.source();
    let (start, end) = (text::offset(file, range.start, encoding), text::offset(file, range.end, encoding));
    let touches = |span: Span| span.start as usize <= end && start <= span.end as usize;
    let mut actions = Vec::new();
    for one in &found {
        let Some(fix) = one.fix.as_ref().filter(|fix| touches(one.span()) || touches(fix.span)) else { continue };
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: title(document.text(), fix),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![document.told(one, encoding)]),
            edit: Some(workspace(document, [fix], encoding)),
            is_preferred: Some(true),
            ..CodeAction::default()
        }));
    }
    let all = edits::of_file(&found, FileId(0));
    if !all.is_empty() {
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: format!("fix all that is certain ({})", all.len()),
            kind: Some(CodeActionKind::SOURCE_FIX_ALL),
            edit: Some(workspace(document, all.iter().filter_map(|one| one.fix.as_ref()), encoding)),
            ..CodeAction::default()
        }));
    }
    actions
}

fn title(text: &str, fix: &Fix) -> String {
    let is = fix.replacement.trim();
    match (&text[fix.span.range()], is) {
        ("", _) => format!("add `{is}`"),
        (was, "") => format!("remove `{was}`"),
        (was, _) => format!("write `{is}` instead of `{was}`"),
    }
}

#[allow(clippy::mutable_key_type, reason = "the protocol's type; addresses are never changed")]
fn workspace<'f>(document: &Document, fixes: impl IntoIterator<Item = &'f Fix>, encoding: Encoding) -> WorkspaceEdit {
    let file = document.source();
    let edits =
        fixes.into_iter().map(|fix| TextEdit::new(text::range(file, fix.span, encoding), fix.replacement.clone()));
    WorkspaceEdit::new(HashMap::from([(document.uri.clone(), edits.collect())]))
}

/// Renames what stands at a place, everywhere.
#[allow(clippy::mutable_key_type, reason = "the protocol's type; addresses are never changed")]
pub(super) fn rename(world: &mut World, params: &RenameParams) -> Result<Option<WorkspaceEdit>, Refusal> {
    let refuse = |message: String| Err((ErrorCode::RequestFailed, message));
    let encoding = world.encoding;
    let at = &params.text_document_position;
    let new = params.new_name.as_str();
    let Some(document) = world.get(&at.text_document.uri) else { return Ok(None) };
    let offset = text::offset(document.source(), at.position, encoding) as u32;
    {
        let names = Names::of(document.file(), document.text());
        let Some(one) = names.at(offset) else { return refuse("no name stands here".to_owned()) };
        let types = match one.symbol {
            Symbol::Top(name) => {
                let kind = names.declaration(name).map(|item| &item.kind);
                matches!(kind, Some(ItemKind::Metrics(_) | ItemKind::Schema(_)))
            }
            _ => false,
        };
        let mut chars = new.chars();
        let first = chars.next().is_some_and(|c| if types { c.is_ascii_uppercase() } else { c.is_ascii_lowercase() });
        let rest = chars.all(|c| c.is_ascii_alphanumeric() && (types || !c.is_ascii_uppercase()) || c == '_' && !types);
        if !first || !rest || matches!(new, "true" | "false" | "and" | "or" | "not") {
            return refuse(format!("`{new}` is not spelt as {} are", if types { "types" } else { "names" }));
        }
        let taken = |symbol: Symbol<'_>| names.all.iter().any(|one| one.declares && one.symbol == symbol);
        let clash = match one.symbol {
            Symbol::Top(old) => old != new && taken(Symbol::Top(new)),
            Symbol::Local { item, name } => {
                name != new
                    && (taken(Symbol::Local { item, name: new }) || taken(Symbol::Output { stage: item, name: new }))
            }
            Symbol::Output { stage, name } => {
                let mine = Symbol::Output { stage, name: new };
                name != new && (taken(mine) || taken(Symbol::Local { item: stage, name: new }))
            }
            Symbol::Metric { ty, name } => name != new && taken(Symbol::Metric { ty, name: new }),
            Symbol::Column { schema, name } => name != new && taken(Symbol::Column { schema, name: new }),
            Symbol::Pointer { .. } => false,
        };
        if clash {
            return refuse(format!("`{new}` is taken"));
        }
    }
    let Some(places) = everywhere(world, &at.text_document.uri, at.position) else { return Ok(None) };
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for (uri, places) in places {
        let edits = with_uri(world, &uri, |document| {
            let edit = |(span, _): &(Span, bool)| {
                TextEdit::new(text::range(document.source(), *span, encoding), new.to_owned())
            };
            places.iter().map(edit).collect::<Vec<_>>()
        });
        changes.insert(uri, edits.unwrap_or_default());
    }
    Ok(Some(WorkspaceEdit::new(changes)))
}

/// Where one name stands in a file, and whether it is declared there.
type Places = Vec<(Span, bool)>;

/// Returns all places of the name at a position, by file: a declaration that other files take by `use` is one name in
/// all of them.
pub(super) fn everywhere(world: &mut World, uri: &Uri, position: Position) -> Option<Vec<(Uri, Places)>> {
    let encoding = world.encoding;
    let document = world.get(uri)?;
    let offset = text::offset(document.source(), position, encoding) as u32;
    let (places, shared, home) = {
        let names = Names::of(document.file(), document.text());
        let one = names.at(offset)?;
        let mut places: Places = names
            .all
            .iter()
            .filter(|other| other.symbol == one.symbol)
            .map(|other| (other.span, other.declares))
            .collect();
        places.sort_unstable();
        places.dedup_by_key(|(span, _)| *span);
        let shared = match one.symbol {
            Symbol::Top(name) => Some(name.to_owned()),
            _ => None,
        };
        let home = imported(document, &names, one.symbol).map(|(path, _)| path).or_else(|| path_of(&document.uri));
        (places, shared, home)
    };
    let mut all = vec![(document.uri.clone(), places)];
    if let (Some(name), Some(home)) = (shared, home) {
        let mut look = |document: &Document| {
            if document.uri.as_str() == uri.as_str() {
                return;
            }
            let names = Names::of(document.file(), document.text());
            let here = path_of(&document.uri);
            let takes = imported(document, &names, Symbol::Top(&name)).is_some_and(|(path, _)| path == home);
            if !takes && here.as_deref() != Some(&*home) {
                return;
            }
            let mut places: Places = names
                .all
                .iter()
                .filter(|one| one.symbol == Symbol::Top(&name))
                .map(|one| (one.span, one.declares))
                .collect();
            places.sort_unstable();
            places.dedup_by_key(|(span, _)| *span);
            if !places.is_empty() {
                all.push((document.uri.clone(), places));
            }
        };
        world.open.values().for_each(&mut look);
        world.others().iter().for_each(&mut look);
    }
    Some(all)
}

/// Returns the file that a top-level name is taken from by `use`, and its name there.
pub(super) fn imported(document: &Document, names: &Names<'_>, symbol: Symbol<'_>) -> Option<(PathBuf, String)> {
    let Symbol::Top(name) = symbol else { return None };
    let ItemKind::Use(it) = &names.declaration(name)?.kind else { return None };
    let folder = path_of(&document.uri)?.parent()?.to_path_buf();
    let path = it.file.plain()?;
    let mut whole = folder;
    for part in Path::new(path).components() {
        match part {
            std::path::Component::ParentDir => drop(whole.pop()),
            std::path::Component::Normal(part) => whole.push(part),
            _ => {}
        }
    }
    Some((whole, name.to_owned()))
}

/// Looks into a file, open or not.
pub(super) fn with_uri<T>(world: &World, uri: &Uri, look: impl FnOnce(&Document) -> T) -> Option<T> {
    match world.open.get(uri.as_str()) {
        Some(document) => Some(look(document)),
        None => world.closed(&path_of(uri)?).map(|document| look(&document)),
    }
}

/// Looks into a file by its path, open or not.
pub(super) fn with_file<T>(world: &World, path: &Path, look: impl FnOnce(&Document) -> T) -> Option<T> {
    with_uri(world, &uri_of(path)?, look)
}
