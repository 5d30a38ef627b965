//! What an editor shows beside a name: how it is declared, what it is worth, what its author wrote of it.

use std::path::Path;

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};

use super::document::Document;
use super::names::{Names, Symbol};
use super::text::{self, Encoding};
use super::{fields, meanings};
use crate::around::params;
use crate::compile::Compilation;
use crate::gate::kinds::{self, Form};
use crate::source::Span;
use crate::syntax::cursor::{self, Place};
use crate::syntax::{ast, ast::ItemKind};

/// Returns what there is to say of the place.
pub(super) fn at(document: &mut Document, offset: usize, encoding: Encoding) -> Option<Hover> {
    document.compiled();
    let document = &*document.link();
    let names = Names::of(document);
    let (span, text) = match names.at(offset as u32) {
        Some(one) => (one.span, about(document, &names, one.symbol)?),
        None => keyword(document, offset)?,
    };
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text }),
        range: Some(text::range(document.source(), span, encoding)),
    })
}

/// Says how what stands there is written, where it is a word of the language: what it is, its place tells.
fn keyword(document: &Document, offset: usize) -> Option<(Span, String)> {
    let text = document.text();
    let item = document.file().items.iter().find(|item| item.span.range().contains(&offset))?;
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let start =
        text[..offset].rfind(|c| !is_word(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let end = text[offset..].find(|c| !is_word(c)).map_or(text.len(), |length| offset + length);
    let word = text.get(start..end)?;
    let own = item.span.range();
    // What stands before the declaration tells nothing of a place in it, and is long.
    let (form, meaning) = match cursor::cursor(text.get(own.clone())?, start.checked_sub(own.start)?).place {
        Place::Declaration => (cursor::declarations().find(|(known, _)| *known == word)?.1, meanings::of(word)),
        Place::Clause(kind) => (cursor::clauses(kind).find(|(known, _)| *known == word)?.1?, meanings::of(word)),
        Place::Trigger => with_meaning(fields::trigger(word)?),
        Place::Words(words) if words.contains(&word) => with_meaning(fields::of(word)?),
        Place::Value { clause: "manual", .. } if word == "profile" => with_meaning(fields::of(word)?),
        Place::Value { clause: "require" | "warn", .. } => {
            let signature = kinds::find(word)?.signature();
            (Some(signature.example).filter(|_| signature.form != Form::Bare)?, None)
        }
        _ => return None,
    };
    let span = Span { start: start as u32, end: end as u32, ..item.span };
    let meaning = meaning.map(|meaning| format!("\n\n{meaning}.")).unwrap_or_default();
    Some((span, format!("```mlp\n{}\n```{meaning}", form.replace("` or `", "\n"))))
}

fn with_meaning((form, meaning): (&'static str, &'static str)) -> (&'static str, Option<&'static str>) {
    (form, Some(meaning))
}

fn about(document: &Document, names: &Names<'_>, symbol: Symbol<'_>) -> Option<String> {
    let text = document.text();
    let slice = |span: Span| &document.source_of(span.file).text()[span.range()];
    let (code, docs, worth) = match symbol {
        Symbol::Top(name) => {
            let item = names.meant(name)?;
            (head(slice(item.span)), item.docs.as_ref(), document.worth(name))
        }
        Symbol::Output { stage, name } => {
            let output = names.output(stage, name)?;
            let code = format!("out {name}: {} = {}", slice(output.ty.span), slice(output.value.span));
            let of = output.of.as_ref().map(|of| format!("of `{}`", slice(of.span)));
            let over = output.over.as_ref().map(|over| format!("over `{}`", slice(over.span)));
            let split = output.split.as_ref().map(|split| format!("as `{}`", split.as_str()));
            let measured: Vec<String> = of.into_iter().chain(over).chain(split).collect();
            let worth = if measured.is_empty() {
                format!("of stage `{stage}`")
            } else {
                format!("{}, in stage `{stage}`", measured.join(" "))
            };
            (code, output.docs.as_ref(), Some(worth))
        }
        Symbol::Local { item, name } => {
            let place = names.all.iter().find(|one| one.declares && one.symbol == symbol)?.span;
            let line = slice(around(text, place)).trim();
            let worth = input(names, item, name).map(|(stage, output)| {
                let path = slice(output.value.span);
                format!(
                    "`{stage}.{}`: `{}` at `{}`",
                    output.name.as_str(),
                    slice(output.ty.span),
                    path.trim_matches('"')
                )
            });
            (line.to_owned(), None, worth)
        }
        Symbol::Metric { ty, name } => {
            let ItemKind::Metrics(it) = &names.meant(ty)?.kind else { return None };
            let metric = it.metrics.iter().find(|metric| metric.name.as_str() == name)?;
            (slice(metric.span).to_owned(), metric.docs.as_ref(), Some(format!("metric of `{ty}`")))
        }
        Symbol::Column { schema, name } => {
            let ItemKind::Schema(it) = &names.meant(schema)?.kind else { return None };
            let column = it.columns.iter().find(|column| column.name.as_str() == name)?;
            (slice(column.span).to_owned(), column.docs.as_ref(), Some(format!("column of `{schema}`")))
        }
        Symbol::Pointer { registry, name } => {
            let item = names.meant(registry)?;
            (head(slice(item.span)), item.docs.as_ref(), Some(format!("pointer `{name}` of the registry `{registry}`")))
        }
    };
    let mut said = format!("```mlp\n{code}\n```");
    let module = names.home(symbol.owner()).filter(|id| *id != crate::source::FileId(0));
    let module = module.map(|id| {
        let path = Path::new(document.source_of(id).name());
        let folder = Path::new(document.source().name()).parent();
        let path = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
        format!("from `{}`", path.display())
    });
    for more in worth.into_iter().chain(module).chain(docs.map(|docs| docs.text.clone())) {
        said += "\n\n";
        said += &more;
    }
    Some(said)
}

/// Returns the output that an input is.
fn input<'a>(names: &Names<'a>, item: &'a str, input: &str) -> Option<(&'a str, &'a ast::Output)> {
    let clauses = names.stage(item).iter();
    let value = clauses.filter_map(|clause| match &clause.kind {
        ast::StageClause::In(inputs) => inputs.iter().find(|one| one.name.as_str() == input)?.value.as_ref(),
        _ => None,
    });
    match &value.into_iter().next()?.kind {
        ast::ExprKind::Field { base, name } => match &base.kind {
            ast::ExprKind::Name(stage) => Some((stage.as_str(), names.output(stage.as_str(), name.as_str())?)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the first lines of a declaration, up to its body; a short one whole.
fn head(text: &str) -> String {
    if text.len() <= 120 && text.lines().count() <= 6 {
        return text.to_owned();
    }
    let line = text.lines().next().unwrap_or_default().trim_end();
    match line.strip_suffix('{') {
        Some(head) => format!("{head}{{ … }}"),
        None => line.to_owned(),
    }
}

/// Returns the line that a place is on.
fn around(text: &str, place: Span) -> Span {
    let start = text[..place.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let end = text[place.end as usize..].find('\n').map_or(text.len(), |length| place.end as usize + length);
    Span { start: start as u32, end: end as u32, ..place }
}

/// Returns what a parameter or constant is worth; in the folder of a pipeline, with what its files say now.
pub(super) fn worth(compiled: &Compilation, folder: Option<&Path>, name: &str) -> Option<String> {
    let model = &compiled.model;
    if let Some((_, param)) = model.params.iter().find(|(_, param)| param.name.value == name) {
        let ty = param.ty.as_ref()?;
        if let Some(from) = &param.from {
            let (file, at) = (&from.file.value, &from.pointer);
            return Some(match folder.and_then(|folder| params::value(folder, model, name)) {
                Some(value) => format!("`{ty}`, `{value}` unless given: `{file}` at `{at}`"),
                None => format!("`{ty}`, what `{file}` says at `{at}` unless given"),
            });
        }
        return Some(match &param.default {
            Some(default) => format!("`{ty}`, `{default}` unless given"),
            None => format!("`{ty}`, to be given"),
        });
    }
    let (_, ty, value) = model.constants.iter().find(|(known, ..)| known == name)?;
    Some(format!("`{ty}`: `{value}`"))
}
