//! The outline of a file, and the search for names over all files of the workspace.

use lsp_types::{DocumentSymbol, Location, SymbolInformation, SymbolKind};

use super::document::Document;
use super::text::{self, Encoding};
use super::world::World;
use crate::source::{SourceFile, Span};
use crate::syntax::ast::{self, ItemKind, StageClause};

/// So many names a search gives.
const FOUND: usize = 256;

/// Returns the outline: declarations, with the outputs, metrics and columns in them.
pub(super) fn of(document: &Document, encoding: Encoding) -> Vec<DocumentSymbol> {
    let file = document.source();
    document.file().items.iter().filter_map(|item| outline(file, item, encoding)).collect()
}

fn outline(file: &SourceFile, item: &ast::Item, encoding: Encoding) -> Option<DocumentSymbol> {
    let (name, place) = match (&item.kind, item.name()) {
        (_, Some(name)) => (name.text.clone(), name.span),
        (ItemKind::Pipeline(it), _) => (it.name.text.clone(), it.name.span),
        (ItemKind::Target(it), _) => (it.name.text.clone(), it.name.span),
        (ItemKind::On(_), _) => {
            let text = &file.text()[item.span.range()];
            let end = text.find(['{', '\n']).unwrap_or(text.len());
            (text[..end].trim_end().to_owned(), Span { end: item.span.start + 2, ..item.span })
        }
        _ => return None,
    };
    let (kind, word) = kind(&item.kind);
    let children: Vec<DocumentSymbol> = children(&item.kind)
        .into_iter()
        .map(|(name, span, detail)| {
            symbol(file, (name.text.clone(), detail), SymbolKind::FIELD, (span, name.span), Vec::new(), encoding)
        })
        .collect();
    Some(symbol(file, (name, word.to_owned()), kind, (item.span, place), children, encoding))
}

#[allow(deprecated, reason = "the protocol's type has a field that is no longer used")]
fn symbol(
    file: &SourceFile,
    (name, detail): (String, String),
    kind: SymbolKind,
    (whole, place): (Span, Span),
    children: Vec<DocumentSymbol>,
    encoding: Encoding,
) -> DocumentSymbol {
    DocumentSymbol {
        name: if name.is_empty() { "?".to_owned() } else { name },
        detail: Some(detail),
        kind,
        tags: None,
        deprecated: None,
        range: text::range(file, whole.to(place), encoding),
        selection_range: text::range(file, place, encoding),
        children: (!children.is_empty()).then_some(children),
    }
}

fn children(kind: &ItemKind) -> Vec<(&ast::Name, Span, String)> {
    match kind {
        ItemKind::Stage(ast::Stage { body: ast::StageBody::Clauses(clauses), .. }) => clauses
            .iter()
            .filter_map(|clause| match &clause.kind {
                StageClause::Out(output) => Some((&output.name, clause.span, "out".to_owned())),
                _ => None,
            })
            .collect(),
        ItemKind::Metrics(it) => it.metrics.iter().map(|one| (&one.name, one.span, "metric".to_owned())).collect(),
        ItemKind::Schema(it) => it.columns.iter().map(|one| (&one.name, one.span, "column".to_owned())).collect(),
        _ => Vec::new(),
    }
}

/// Returns the protocol's kind of a declaration and its word.
pub(super) fn kind(kind: &ItemKind) -> (SymbolKind, &'static str) {
    match kind {
        ItemKind::Pipeline(_) => (SymbolKind::MODULE, "pipeline"),
        ItemKind::Edition(_) => (SymbolKind::CONSTANT, "edition"),
        ItemKind::On(_) => (SymbolKind::EVENT, "on"),
        ItemKind::Const(_) => (SymbolKind::CONSTANT, "const"),
        ItemKind::Param(_) => (SymbolKind::VARIABLE, "param"),
        ItemKind::Secret(_) => (SymbolKind::KEY, "secret"),
        ItemKind::Credential(_) => (SymbolKind::KEY, "credential"),
        ItemKind::Runtime(_) => (SymbolKind::PACKAGE, "runtime"),
        ItemKind::Schema(_) => (SymbolKind::STRUCT, "schema"),
        ItemKind::Metrics(_) => (SymbolKind::STRUCT, "metrics"),
        ItemKind::Source(_) => (SymbolKind::FILE, "source"),
        ItemKind::Registry(_) => (SymbolKind::NAMESPACE, "registry"),
        ItemKind::Profile(_) => (SymbolKind::ENUM, "profile"),
        ItemKind::Use(_) => (SymbolKind::MODULE, "use"),
        ItemKind::Notify(_) => (SymbolKind::EVENT, "notify"),
        ItemKind::Target(_) => (SymbolKind::PACKAGE, "target"),
        ItemKind::External(_) => (SymbolKind::EVENT, "external"),
        ItemKind::Allow(_) => (SymbolKind::CONSTANT, "allow"),
        ItemKind::Stage(_) => (SymbolKind::FUNCTION, "stage"),
        ItemKind::Gate(_) => (SymbolKind::BOOLEAN, "gate"),
        ItemKind::Register(_) => (SymbolKind::METHOD, "register"),
        ItemKind::Approval(_) => (SymbolKind::INTERFACE, "approval"),
        ItemKind::Promote(_) => (SymbolKind::METHOD, "promote"),
        ItemKind::Rollout(_) => (SymbolKind::METHOD, "rollout"),
        ItemKind::Action(_) => (SymbolKind::METHOD, "action"),
        ItemKind::Monitor(_) => (SymbolKind::METHOD, "monitor"),
        ItemKind::Experiment(_) => (SymbolKind::METHOD, "experiment"),
    }
}

/// Returns the declarations whose names hold the letters of `query` in order, over all files of the workspace.
pub(super) fn search(world: &World, query: &str) -> Vec<SymbolInformation> {
    let others = world.others();
    let mut found = Vec::new();
    for document in world.open.values().chain(&others) {
        let fits = |name: &str| {
            let mut letters = name.chars();
            query.chars().all(|wanted| letters.any(|letter| letter.eq_ignore_ascii_case(&wanted)))
        };
        let named = document.file().items.iter().filter_map(|item| item.name().map(|name| (item, name)));
        for (item, name) in named.filter(|(_, name)| fits(name.as_str())) {
            let range = text::range(document.source(), name.span, world.encoding);
            found.push(information(name.text.clone(), kind(&item.kind).0, Location::new(document.uri.clone(), range)));
            if found.len() == FOUND {
                return found;
            }
        }
    }
    found
}

#[allow(deprecated, reason = "the protocol's type has a field that is no longer used")]
fn information(name: String, kind: SymbolKind, location: Location) -> SymbolInformation {
    SymbolInformation { name, kind, tags: None, deprecated: None, location, container_name: None }
}
