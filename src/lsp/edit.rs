//! What changes texts: formatting, renaming, the edits that diagnostics carry.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use lsp_server::ErrorCode;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, Position, Range, RenameParams, TextEdit, Uri, WorkspaceEdit,
};

use super::Refusal;
use super::document::Document;
use super::names::{Names, Symbol};
use super::outside;
use super::text::{self, Encoding};
use super::world::{Texts, World, path_of};
use crate::diagnostic::{Diagnostic, Fix, edits};
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
    let document = &*document.link();
    let offset = text::offset(document.source(), at.position, encoding) as u32;
    {
        let names = Names::of(document);
        let Some(one) = names.at(offset) else { return refuse("no name stands here".to_owned()) };
        let types = match one.symbol {
            Symbol::Top(name) => {
                let kind = names.meant(name).map(|item| &item.kind);
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
                name != new && (names.output(stage, new).is_some() || taken(Symbol::Local { item: stage, name: new }))
            }
            Symbol::Metric { ty, name } => name != new && names.metric(ty, new),
            Symbol::Column { schema, name } => name != new && taken(Symbol::Column { schema, name: new }),
            Symbol::Pointer { .. } => false,
        };
        if clash {
            return refuse(format!("`{new}` is taken"));
        }
        if let Some(why) = outside::moves_no_pointer(one.symbol, new) {
            return refuse(why);
        }
        if names.set_again.contains(&one.symbol) {
            return refuse("a script sets a variable of this name itself, and what it reads is that".to_owned());
        }
    }
    let Some(places) = everywhere(world, &at.text_document.uri, at.position) else { return Ok(None) };
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    let (mut all_told, mut renamed) = (Vec::new(), Vec::new());
    for (uri, places) in places {
        let found = with_uri(world, &uri, |document| {
            let edit = |(span, _): &(Span, bool)| {
                TextEdit::new(text::range(document.source(), *span, encoding), new.to_owned())
            };
            let edits = places.iter().map(edit).collect::<Vec<_>>();
            let renamed =
                |span: Span| places.iter().any(|(place, _)| *place == span && document.text()[span.range()] != *new);
            let told = outside::told(document, &renamed, new);
            let kept = outside::moves_no_registry(document, &renamed);
            (edits, told, kept, with_name(document.text(), &places, new))
        });
        let (edits, told, kept, text) = found.unwrap_or_default();
        if let Some(why) = kept {
            return refuse(why);
        }
        renamed.push((uri.clone(), text));
        changes.insert(uri, edits);
        all_told.extend(told);
    }
    if let Some(why) = broken(world, &renamed) {
        return refuse(why);
    }
    world.told.extend(all_told);
    Ok(Some(WorkspaceEdit::new(changes)))
}

/// Returns a text with a new name in the places of the old one, which are in order.
fn with_name(text: &str, places: &Places, new: &str) -> String {
    let (mut renamed, mut at) = (String::with_capacity(text.len()), 0);
    for (span, _) in places {
        let range = span.range();
        renamed.push_str(&text[at..range.start]);
        renamed.push_str(new);
        at = range.end;
    }
    renamed + &text[at..]
}

fn errors(document: &mut Document) -> Vec<Diagnostic> {
    document.compiled().diagnostics.iter().filter(|one| one.is_error()).cloned().collect()
}

/// Says what texts would be wrong with a new name in them: where a name is used in a way that is not followed here, the checker knows.
fn broken(world: &mut World, renamed: &[(Uri, String)]) -> Option<String> {
    let texts: Texts = Rc::new(RefCell::new(world.texts.borrow().clone()));
    for (uri, text) in renamed {
        // What was never saved has no path, and no other file can name it.
        if let Some(path) = path_of(uri) {
            texts.borrow_mut().insert(path.display().to_string(), text.clone());
        }
    }
    for (uri, text) in renamed {
        let mut closed = path_of(uri).and_then(|path| world.closed(&path));
        let Some(document) = world.get(uri).or(closed.as_mut()) else {
            return Some(format!("{} can't be read", uri.as_str()));
        };
        if document.has_faults() {
            return Some("a name may stand where the file can't be read: mend its faults first".to_owned());
        }
        let mut before = errors(document);
        for one in errors(&mut Document::new(uri.clone(), None, text.clone(), texts.clone())) {
            let Some(known) = before.iter().position(|before| before.code == one.code) else {
                return Some(format!("it is used where it would not be renamed: {}", one.message));
            };
            before.swap_remove(known);
        }
    }
    None
}

/// Where one name stands in a file, and whether it is declared there.
type Places = Vec<(Span, bool)>;

/// Returns all places of the name at a position, by file: a declaration that other files take by `use` is one name in
/// all of them, and so is what is in it.
pub(super) fn everywhere(world: &mut World, uri: &Uri, position: Position) -> Option<Vec<(Uri, Places)>> {
    let encoding = world.encoding;
    world.get(uri)?;
    for document in world.open.values_mut() {
        document.link();
    }
    let document = world.open.get(uri.as_str())?;
    let offset = text::offset(document.source(), position, encoding) as u32;
    let names = Names::of(document);
    let symbol = names.at(offset)?.symbol;
    let mut all = vec![(document.uri.clone(), places(&names, symbol))];
    let Some(home) = home(document, &names, symbol) else { return Some(all) };
    let mut look = |document: &Document| {
        if document.uri.as_str() == uri.as_str() {
            return;
        }
        let names = Names::of(document);
        if self::home(document, &names, symbol).is_some_and(|path| path == home) {
            let places = places(&names, symbol);
            if !places.is_empty() {
                all.push((document.uri.clone(), places));
            }
        }
    };
    world.open.values().for_each(&mut look);
    world.others().iter_mut().for_each(|document| look(document.link()));
    Some(all)
}

fn places(names: &Names<'_>, symbol: Symbol<'_>) -> Places {
    let own = names.all.iter().filter(|one| one.symbol == symbol);
    let mut places: Places = own.map(|one| (one.span, one.declares)).collect();
    places.sort_unstable();
    places.dedup_by_key(|(span, _)| *span);
    places
}

/// Returns the file that declares what a name of a document is or is a part of.
fn home(document: &Document, names: &Names<'_>, symbol: Symbol<'_>) -> Option<PathBuf> {
    match names.home(symbol.owner())? {
        FileId(0) => path_of(&document.uri),
        module => Some(PathBuf::from(document.source_of(module).name())),
    }
}

/// Looks into a file, open or not.
pub(super) fn with_uri<T>(world: &World, uri: &Uri, look: impl FnOnce(&Document) -> T) -> Option<T> {
    match world.open.get(uri.as_str()) {
        Some(document) => Some(look(document)),
        None => world.closed(&path_of(uri)?).map(|document| look(&document)),
    }
}
