//! A file that is open: its text as it is being typed, the tree that follows it, and what the compiler says of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
    TextDocumentContentChangeEvent, Uri,
};

use super::text::{self, Encoding};
use super::world::{self, Texts};
use crate::around::{self, Asked, Seen};
use crate::compile::{self, Compilation};
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::host::modules::read_modules_beside;
use crate::modules;
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::syntax::{self, Incremental, ast};

/// How long the answers of a folder hold while nothing tells that it moved.
const FRESH: Duration = Duration::from_secs(5);

/// So many diagnostics of a file are sent, errors before warnings: what an editor draws in a moment.
const MOST: usize = 500;

/// An open file.
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) version: Option<i32>,
    sources: Sources,
    tree: Incremental,
    /// The modules that it takes from, through others too; none as long as nobody asked.
    modules: Option<Vec<ast::File>>,
    /// The texts of the modules stand among the sources.
    has_modules: bool,
    compiled: Option<Compilation>,
    /// What was found out of an earlier text, until somebody has the time to free it.
    old: Option<Compilation>,
    /// What the folder answered, to what, and when.
    seen: Option<(Asked, Seen, Instant)>,
    /// All there is to say of the text as it is.
    found: Option<Vec<Diagnostic>>,
    texts: Texts,
}

impl Document {
    pub(super) fn new(uri: Uri, version: Option<i32>, text: String, texts: Texts) -> Self {
        let name = world::path_of(&uri).map_or_else(|| uri.to_string(), |path| path.display().to_string());
        let tree = Incremental::new(FileId(0), &text);
        let sources = Sources::single(name, text);
        Self {
            uri,
            version,
            sources,
            tree,
            modules: None,
            has_modules: false,
            compiled: None,
            old: None,
            seen: None,
            found: None,
            texts,
        }
    }

    pub(super) fn source(&self) -> &SourceFile {
        self.sources.file(FileId(0))
    }

    pub(super) fn text(&self) -> &str {
        self.source().text()
    }

    pub(super) fn file(&self) -> &ast::File {
        self.tree.file()
    }

    /// Tells whether some of the text can't be read.
    pub(super) fn has_faults(&self) -> bool {
        self.tree.diagnostics().iter().any(Diagnostic::is_error)
    }

    /// Returns the text of its own or of a module, by what a place in it says.
    pub(super) fn source_of(&self, id: FileId) -> &SourceFile {
        self.sources.file(id)
    }

    /// Returns the trees of the modules as far as they were [linked](Self::link).
    pub(super) fn modules(&self) -> &[ast::File] {
        self.modules.as_deref().unwrap_or_default()
    }

    /// Reads the modules that it takes from.
    pub(super) fn link(&mut self) -> &mut Self {
        if self.modules.is_none() {
            self.read_modules();
            let others = self.sources.iter().filter(|(id, _)| *id != FileId(0));
            self.modules = Some(others.map(|(id, file)| syntax::parse(id, file.text()).file).collect());
        }
        self
    }

    fn read_modules(&mut self) {
        let Self { sources, has_modules, texts, .. } = self;
        if !std::mem::replace(has_modules, true) {
            let texts = texts.borrow();
            read_modules_beside(sources, &|name| texts.get(name).cloned());
        }
    }

    /// Follows what was typed.
    pub(super) fn change(&mut self, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        let name = self.source().name().to_owned();
        let mut now: Option<SourceFile> = None;
        // What stays of the text around an only change.
        let mut around = None;
        let only = changes.len() == 1;
        for change in changes {
            let file = now.as_ref().unwrap_or_else(|| self.sources.file(FileId(0)));
            let text = match change.range {
                Some(range) => {
                    let start = text::offset(file, range.start, encoding);
                    let end = text::offset(file, range.end, encoding).max(start);
                    let old = file.text();
                    let mut text = String::with_capacity(old.len() + change.text.len());
                    text.push_str(&old[..start]);
                    text.push_str(&change.text);
                    text.push_str(&old[end..]);
                    around = only.then_some((start, old.len() - end));
                    text
                }
                None => change.text,
            };
            now = Some(SourceFile::new(name.clone(), text));
        }
        let Some(now) = now else { return };
        let was = self.sources.file(FileId(0)).text();
        match around {
            Some((before, behind)) => self.tree.edit_between(was, now.text(), before, behind),
            None => self.tree.edit(was, now.text()),
        }
        self.forget(now);
    }

    /// Looks again where another file is a module of this one.
    pub(super) fn module_moved(&mut self, name: &str) {
        if self.sources.named(name).is_some() || self.sources.unread(name).is_some() {
            let own = self.source();
            self.forget(SourceFile::new(own.name(), own.text()));
        }
    }

    /// Looks into the folder again.
    pub(super) fn folder_moved(&mut self) {
        self.seen = None;
        let own = self.source();
        self.forget(SourceFile::new(own.name(), own.text()));
    }

    fn forget(&mut self, own: SourceFile) {
        let mut sources = Sources::default();
        sources.add(own);
        self.sources = sources;
        (self.modules, self.has_modules) = (None, false);
        self.found = None;
        self.old = self.compiled.take().or(self.old.take());
    }

    /// Frees what was found out of earlier texts, which for a large model takes as long as some passes do.
    pub(super) fn sweep(&mut self) {
        if let Some(old) = self.old.take() {
            std::thread::spawn(move || drop(old));
        }
    }

    /// Tells whether there may be more to say than was said.
    pub(super) fn is_stale(&self) -> bool {
        self.found.is_none()
    }

    /// Returns what the compiler says of the text.
    pub(super) fn compiled(&mut self) -> &Compilation {
        self.read_modules();
        let Self { sources, tree, compiled, .. } = self;
        compiled.get_or_insert_with(|| compile::understand(sources, tree.file(), tree.diagnostics()))
    }

    /// Returns the diagnostics as the protocol has them.
    pub(super) fn diagnostics(&mut self, encoding: Encoding) -> Vec<lsp_types::Diagnostic> {
        let mut found = self.found();
        let all = found.len();
        if all > MOST {
            found.sort_by_key(|one| one.severity);
            found.truncate(MOST);
            diagnostic::sort(&mut found);
        }
        let own = self.source().name();
        let uses: Vec<(Option<String>, Span)> = self
            .file()
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ast::ItemKind::Use(it) => Some((modules::place(own, it.file.plain()?), it.file.span)),
                _ => None,
            })
            .collect();
        let here = |one: &Diagnostic| {
            if one.span().file == FileId(0) {
                return one.clone();
            }
            // What is wrong in a module is shown where this file asks for it.
            let module = self.sources.file(one.span().file).name();
            let used = uses.iter().find(|(place, _)| place.as_deref() == Some(module)).or(uses.first());
            let label = one.labels.iter().map(|label| label.span).find(|span| span.file == FileId(0));
            let Some(place) = label.or(used.map(|(_, span)| *span)) else { return one.clone() };
            let message = format!("in `{module}`: {}", one.message);
            Diagnostic { severity: one.severity, ..Diagnostic::new(one.code, place, message) }
        };
        let mut told: Vec<lsp_types::Diagnostic> = found.iter().map(|one| self.told(&here(one), encoding)).collect();
        if all > MOST {
            let rest = format!("{} more are not shown; `mlpc check --format json` has them all", all - MOST);
            told.push(lsp_types::Diagnostic {
                severity: Some(DiagnosticSeverity::INFORMATION),
                source: Some("mlpc".to_owned()),
                message: rest,
                ..lsp_types::Diagnostic::default()
            });
        }
        told
    }

    /// Returns one diagnostic as the protocol has it.
    pub(super) fn told(&self, one: &Diagnostic, encoding: Encoding) -> lsp_types::Diagnostic {
        let file = self.source();
        let others: Vec<DiagnosticRelatedInformation> = one
            .labels
            .iter()
            .skip(1)
            .filter(|label| label.span.file == FileId(0))
            .map(|label| DiagnosticRelatedInformation {
                location: Location::new(self.uri.clone(), text::range(file, label.span, encoding)),
                message: if label.text.is_empty() { one.message.clone() } else { label.text.clone() },
            })
            .collect();
        let message = match &one.help {
            Some(help) => format!("{}\nhelp: {help}", one.message),
            None => one.message.clone(),
        };
        lsp_types::Diagnostic {
            range: text::range(file, one.span(), encoding),
            severity: Some(match one.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
                Severity::Note => DiagnosticSeverity::INFORMATION,
            }),
            code: Some(NumberOrString::String(one.code.name().to_owned())),
            code_description: None::<CodeDescription>,
            source: Some("mlpc".to_owned()),
            message,
            related_information: (!others.is_empty()).then_some(others),
            tags: (one.code.name() == "unused-name").then(|| vec![lsp_types::DiagnosticTag::UNNECESSARY]),
            data: None,
        }
    }

    /// Returns what a parameter or constant is worth, as far as the compiler has seen the text; what stands in a file is read.
    pub(super) fn worth(&self, name: &str) -> Option<String> {
        let compiled = self.compiled.as_ref()?;
        let path = self.of_pipeline(compiled);
        super::hover::worth(compiled, path.as_deref().and_then(Path::parent), name)
    }

    /// Returns the path of the file, where its folder is a pipeline's.
    fn of_pipeline(&self, compiled: &Compilation) -> Option<PathBuf> {
        world::path_of(&self.uri).filter(|_| compiled.model.pipeline.is_some())
    }

    /// Returns what there is to say, as the compiler says it: of the text, and of what lies around it.
    pub(super) fn found(&mut self) -> Vec<Diagnostic> {
        if let Some(found) = &self.found {
            return found.clone();
        }
        self.compiled();
        let around = self.around();
        let mut found = self.compiled().diagnostics.clone();
        found.extend(around);
        diagnostic::sort(&mut found);
        self.found.insert(found).clone()
    }

    /// Returns what the folder of a pipeline tells and its text does not.
    fn around(&mut self) -> Vec<Diagnostic> {
        let Some(compiled) = &self.compiled else { return Vec::new() };
        let path = self.of_pipeline(compiled);
        let seen = match path.as_deref().and_then(Path::parent) {
            Some(workspace) => {
                let asked = Asked::of(&compiled.model);
                let fresh = |(before, _, at): &(Asked, Seen, Instant)| *before == asked && at.elapsed() < FRESH;
                if !self.seen.as_ref().is_some_and(fresh) {
                    let seen = around::look(workspace, &asked);
                    self.seen = Some((asked, seen, Instant::now()));
                }
                self.seen.as_ref().map(|(_, seen, _)| seen)
            }
            None => None,
        };
        let none = Seen::default();
        let mut found = around::say(compiled, &self.sources, seen.unwrap_or(&none));
        let mut allows = compiled.allows.clone();
        allows.cover(&mut found);
        if seen.is_some() && !compiled.has_errors() {
            found.extend(allows.unused_around());
        }
        found
    }
}
