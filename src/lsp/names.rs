//! Every name of a file with what it stands for, as far as the trees of it and its modules tell: what hover, definition,
//! references and renaming look at. Works on what could be read of a broken file.

mod walk;

use std::collections::{HashMap, HashSet};

use super::document::Document;
use crate::source::{FileId, Span};
use crate::syntax::ast::{self, ExprKind, ItemKind, StageBody, StageClause};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Symbol<'a> {
    /// A declaration of the file.
    Top(&'a str),
    /// An input, loop variable or alias of a declaration.
    Local { item: &'a str, name: &'a str },
    /// An output of a stage.
    Output { stage: &'a str, name: &'a str },
    /// A metric of a metrics type.
    Metric { ty: &'a str, name: &'a str },
    /// A column of a schema.
    Column { schema: &'a str, name: &'a str },
    /// A pointer of a registry.
    Pointer { registry: &'a str, name: &'a str },
}

impl<'a> Symbol<'a> {
    /// Returns the declaration that it is or is a part of.
    pub(super) fn owner(self) -> &'a str {
        match self {
            Self::Top(name) => name,
            Self::Local { item: owner, .. }
            | Self::Output { stage: owner, .. }
            | Self::Metric { ty: owner, .. }
            | Self::Column { schema: owner, .. }
            | Self::Pointer { registry: owner, .. } => owner,
        }
    }
}

/// A place where a name stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occurrence<'a> {
    pub(super) symbol: Symbol<'a>,
    pub(super) span: Span,
    /// It is brought into being here.
    pub(super) declares: bool,
}

/// All names of a file, and what is declared in it.
pub(super) struct Names<'a> {
    text: &'a str,
    pub(super) all: Vec<Occurrence<'a>>,
    tops: HashMap<&'a str, &'a ast::Item>,
    /// What the modules declare, whether it is listed or not.
    beyond: HashMap<&'a str, &'a ast::Item>,
    /// Events that the file listens to, each with a field of its payload.
    heard: HashSet<(&'a str, &'a str)>,
    /// What a script sets to something else: what it reads then is its own.
    pub(super) set_again: HashSet<Symbol<'a>>,
}

/// What names mean in one declaration.
#[derive(Default)]
struct Scope<'a> {
    item: &'a str,
    names: HashMap<&'a str, Symbol<'a>>,
    /// Metrics types that a bare name may be a metric of.
    measured: Vec<&'a str>,
    /// Aliases of evidence with their metrics types.
    aliases: HashMap<&'a str, &'a str>,
}

impl<'a> Names<'a> {
    /// Collects the names of a document, whose modules are known as far as it is linked.
    pub(super) fn of(document: &'a Document) -> Self {
        Self::new(document.file(), document.text(), document.modules())
    }

    /// Collects the names of a file of the document's: those of a module stand where that is.
    pub(super) fn in_module(document: &'a Document, id: FileId) -> Option<Self> {
        let module = document.modules().iter().find(|module| module.span.file == id)?;
        Some(Self::new(module, document.source_of(id).text(), document.modules()))
    }

    fn new(file: &'a ast::File, text: &'a str, modules: &'a [ast::File]) -> Self {
        let mut beyond = HashMap::new();
        for item in modules.iter().flat_map(|module| &module.items) {
            if let Some(name) = item.name() {
                beyond.entry(name.as_str()).or_insert(item);
            }
        }
        let mut heard = HashSet::new();
        let mut tops = HashMap::with_capacity(file.items.len());
        for item in &file.items {
            if let ItemKind::On(ast::Trigger::Event { name, payload }) = &item.kind {
                let event = name.plain().unwrap_or_default();
                heard.extend(payload.iter().map(|field| (event, field.name.as_str())));
            }
            if let Some(name) = item.name() {
                tops.entry(name.as_str()).or_insert(item);
            }
            if let ItemKind::Use(it) = &item.kind {
                for name in &it.names {
                    tops.entry(name.as_str()).or_insert(item);
                }
            }
        }
        let mut names = Self { text, all: Vec::new(), tops, beyond, heard, set_again: HashSet::new() };
        file.items.iter().for_each(|item| names.item(item));
        names
    }

    /// Returns the name at an offset; one that ends there counts.
    pub(super) fn at(&self, offset: u32) -> Option<Occurrence<'a>> {
        let holds = |one: &&Occurrence<'_>| one.span.start <= offset && offset <= one.span.end;
        self.all.iter().filter(holds).min_by_key(|one| (one.span.end - one.span.start, one.span.end == offset)).copied()
    }

    /// Returns the declaration that brings a name into the file.
    pub(super) fn declaration(&self, name: &str) -> Option<&'a ast::Item> {
        self.tops.get(name).copied()
    }

    /// Returns the declaration of a name, be it in a module. A name that nothing is found for is the `use` that lists it.
    pub(super) fn meant(&self, name: &str) -> Option<&'a ast::Item> {
        let here = self.tops.get(name).copied();
        let listed = here.is_none_or(|item| matches!(item.kind, ItemKind::Use(_)));
        if listed { self.beyond.get(name).copied().or(here) } else { here }
    }

    /// Returns the file that a name is declared in.
    pub(super) fn home(&self, name: &str) -> Option<FileId> {
        self.meant(name).map(|item| item.span.file)
    }

    /// Iterates over the names that the file may mention, with their declarations.
    pub(super) fn declared(&self) -> impl Iterator<Item = (&'a str, &'a ast::Item)> {
        self.tops.iter().map(|(name, item)| (*name, self.meant(name).unwrap_or(item)))
    }

    fn is_param(&self, name: &str) -> bool {
        matches!(self.meant(name).map(|item| &item.kind), Some(ItemKind::Param(_)))
    }

    /// Follows `stage b = a with { … }` to the stage whose clauses they share.
    pub(super) fn root(&self, stage: &'a str) -> &'a str {
        let mut stage = stage;
        for _ in 0..16 {
            match self.meant(stage).map(|item| &item.kind) {
                Some(ItemKind::Stage(ast::Stage { body: StageBody::With { base, .. }, .. })) => stage = base.as_str(),
                _ => break,
            }
        }
        stage
    }

    /// Returns the clauses of a stage.
    pub(super) fn stage(&self, name: &'a str) -> &'a [ast::Clause] {
        match self.meant(self.root(name)).map(|item| &item.kind) {
            Some(ItemKind::Stage(ast::Stage { body: StageBody::Clauses(clauses), .. })) => clauses,
            _ => &[],
        }
    }

    /// Iterates over the outputs of a stage.
    pub(super) fn outputs(&self, stage: &'a str) -> impl Iterator<Item = &'a ast::Output> {
        self.stage(stage).iter().filter_map(|clause| match &clause.kind {
            StageClause::Out(output) => Some(&**output),
            _ => None,
        })
    }

    /// Returns an output of a stage.
    pub(super) fn output(&self, stage: &'a str, name: &str) -> Option<&'a ast::Output> {
        self.outputs(stage).find(|output| output.name.as_str() == name)
    }

    /// Returns the metrics type of an output or source that an expression names.
    fn measured(&self, expr: &'a ast::Expr) -> Option<&'a str> {
        let ty = match &expr.kind {
            ExprKind::Field { base, name } => &self.output(base_name(base)?, name.as_str())?.ty,
            ExprKind::Name(name) => match self.meant(name.as_str()).map(|item| &item.kind) {
                Some(ItemKind::Source(source)) => &source.ty,
                _ => return None,
            },
            _ => return None,
        };
        match &ty.kind {
            ast::TypeKind::Named { name, args } if name.as_str() == "Metrics" => match &args.first()?.kind {
                ast::TypeKind::Named { name, .. } => Some(name.as_str()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Tells whether a metrics type has a metric.
    pub(super) fn metric(&self, ty: &'a str, name: &str) -> bool {
        match self.meant(ty).map(|item| &item.kind) {
            Some(ItemKind::Metrics(it)) => it.metrics.iter().any(|metric| metric.name.as_str() == name),
            _ => false,
        }
    }
}

/// Returns the name that an expression begins with: `train` of `train["nord"]`.
fn base_name(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.as_str()),
        ExprKind::Index { base, .. } | ExprKind::Optional(base) => base_name(base),
        _ => None,
    }
}
