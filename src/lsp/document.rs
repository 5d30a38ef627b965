//! A file that is open: its text as it is being typed, the tree that follows it, and what the compiler says of it.

use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
    TextDocumentContentChangeEvent, Uri,
};

use super::text::{self, Encoding};
use crate::compile::{self, Compilation};
use crate::diagnostic::{Diagnostic, Severity};
use crate::host::modules::read_modules;
use crate::source::{FileId, SourceFile, Sources};
use crate::syntax::{Incremental, ast};

/// An open file.
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) version: Option<i32>,
    sources: Sources,
    tree: Incremental,
    compiled: Option<Compilation>,
}

impl Document {
    pub(super) fn new(uri: Uri, version: Option<i32>, text: String) -> Self {
        let name = super::world::path_of(&uri).map_or_else(|| uri.to_string(), |path| path.display().to_string());
        let tree = Incremental::new(FileId(0), &text);
        Self { uri, version, sources: Sources::single(name, text), tree, compiled: None }
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

    /// Follows what was typed.
    pub(super) fn change(&mut self, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        let name = self.source().name().to_owned();
        let mut now: Option<SourceFile> = None;
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
                    text
                }
                None => change.text,
            };
            now = Some(SourceFile::new(name.clone(), text));
        }
        let Some(now) = now else { return };
        self.tree.edit(self.sources.file(FileId(0)).text(), now.text());
        let mut sources = Sources::default();
        sources.add(now);
        self.sources = sources;
        if let Some(old) = self.compiled.take() {
            // Freeing a large model takes as long as some passes do; nobody waits for it.
            std::thread::spawn(move || drop(old));
        }
    }

    /// Tells whether the compiler has seen the text.
    pub(super) fn is_stale(&self) -> bool {
        self.compiled.is_none()
    }

    /// Returns what the compiler says of the text.
    pub(super) fn compiled(&mut self) -> &Compilation {
        let Self { sources, tree, compiled, .. } = self;
        compiled.get_or_insert_with(|| {
            read_modules(sources);
            compile::understand(sources, tree.file(), tree.diagnostics())
        })
    }

    /// Returns the diagnostics as the protocol has them.
    pub(super) fn diagnostics(&mut self, encoding: Encoding) -> Vec<lsp_types::Diagnostic> {
        self.compiled();
        let found = self.compiled.as_ref().map(|compiled| compiled.diagnostics.as_slice()).unwrap_or_default();
        let used = self.file().items.iter().find_map(|item| match &item.kind {
            ast::ItemKind::Use(it) => Some(it.file.span),
            _ => None,
        });
        let here = |one: &Diagnostic| match used {
            // What is wrong in a module is shown where this file asks for it.
            Some(used) if one.span().file != FileId(0) => {
                let module = self.sources.file(one.span().file).name();
                let message = format!("in `{module}`: {}", one.message);
                let own = one.labels.iter().map(|label| label.span).find(|span| span.file == FileId(0));
                Diagnostic { severity: one.severity, ..Diagnostic::new(one.code, own.unwrap_or(used), message) }
            }
            _ => one.clone(),
        };
        found.iter().map(|one| self.told(&here(one), encoding)).collect()
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

    /// Returns what a parameter or constant is worth, as far as the compiler has seen the text.
    pub(super) fn worth(&self, name: &str) -> Option<String> {
        super::hover::worth(self.compiled.as_ref()?, name)
    }

    /// Returns what the compiler found, as it says it.
    pub(super) fn found(&mut self) -> Vec<Diagnostic> {
        self.compiled().diagnostics.clone()
    }
}
