//! What may be written where the cursor is, by what stands before it.

use std::collections::BTreeMap;

use lsp_types::{CompletionItem, CompletionItemKind, InsertTextFormat};

use super::document::Document;
use super::names::{Names, Symbol};
use super::proposals;
use crate::diagnostic::{Severity, catalogue};
use crate::gate::kinds::{self, Takes};
use crate::model::OF_RELEASE;
use crate::syntax::ast::{self, ItemKind, StageClause};
use crate::syntax::cursor::{self, Place};
use crate::types::{DATASET_FORMATS, MODEL_FORMATS};

const VALUES: [&str; 8] = ["int", "float", "bool", "string", "duration", "bytes", "ratio", "timestamp"];
const ARTIFACTS: [&str; 11] =
    ["File", "Dir", "Archive", "Image", "Dataset", "Model", "Metrics", "Predictions", "Tests", "Report", "Plot"];
/// Returns the proposals for an offset.
pub(super) fn at(document: &Document, offset: usize) -> Vec<CompletionItem> {
    let text = document.text();
    let cursor = cursor::cursor(text, offset);
    let names = Names::of(document);
    let mut list = List::default();
    match cursor.place {
        Place::Declaration => cursor::declarations().for_each(|(word, form)| list.form(word, Some(form))),
        Place::Trigger => cursor::triggers().for_each(|word| list.plain(word, CompletionItemKind::KEYWORD, "")),
        Place::Clause(kind) => cursor::clauses(kind).for_each(|(word, form)| list.form(word, form)),
        Place::Member(base) => member(&names, base, cursor.item, &mut list),
        Place::Pointer(registry) => {
            list.plain("production", CompletionItemKind::VALUE, "pointer");
            for one in &names.all {
                if let Symbol::Pointer { registry: known, name } = one.symbol
                    && known == registry
                    && !(one.span.range().contains(&cursor.word.start))
                {
                    list.plain(name, CompletionItemKind::VALUE, "pointer");
                }
            }
        }
        Place::Type => {
            VALUES.iter().chain(&ARTIFACTS).for_each(|word| list.plain(word, CompletionItemKind::CLASS, "type"));
            let types = |kind: &ItemKind| matches!(kind, ItemKind::Metrics(_) | ItemKind::Schema(_));
            list.tops(&names, types);
        }
        Place::Argument(base) => {
            let formats: &[&str] = match base {
                "Model" => &MODEL_FORMATS,
                "Dataset" => &DATASET_FORMATS,
                _ => &[],
            };
            formats.iter().for_each(|word| list.plain(word, CompletionItemKind::VALUE, "format"));
            list.tops(&names, |kind| base == "Metrics" && matches!(kind, ItemKind::Metrics(_)));
        }
        Place::Variable => locals(&names, cursor.item, &mut list),
        Place::Setting { target, record } => {
            let settings = crate::targets::find(target).map(|target| target.settings(record)).unwrap_or_default();
            settings.into_iter().for_each(|word| list.plain(word, CompletionItemKind::FIELD, "setting"));
        }
        Place::Measured { kind, first } => measured(&names, kind, first, &mut list),
        Place::Words(words) => words.iter().for_each(|word| list.plain(word, CompletionItemKind::KEYWORD, "")),
        Place::Leg { base, nth } => {
            for leg in proposals::legs(document, &names, base, nth) {
                list.plain(&leg, CompletionItemKind::VALUE, "leg");
            }
        }
        Place::Listed(file) => {
            for name in proposals::listed(document, file) {
                list.plain(name, CompletionItemKind::VARIABLE, "of the module");
            }
        }
        Place::Path { typed, module } => {
            for path in proposals::paths(document, typed, module) {
                let kind = if path.ends_with('/') { CompletionItemKind::FOLDER } else { CompletionItemKind::FILE };
                list.plain(&path, kind, "");
            }
        }
        Place::Value { keyword, clause } => value(&names, keyword, clause, cursor.item, &mut list),
        Place::Free => {}
    }
    list.0.into_values().filter(|item| !cursor.taken.contains(&item.label.as_str())).collect()
}

/// Proposals by name.
#[derive(Default)]
struct List(BTreeMap<String, CompletionItem>);

impl List {
    fn plain(&mut self, label: &str, kind: CompletionItemKind, detail: &str) {
        let detail = (!detail.is_empty()).then(|| detail.to_owned());
        let item = CompletionItem { label: label.to_owned(), kind: Some(kind), detail, ..CompletionItem::default() };
        self.0.entry(label.to_owned()).or_insert(item);
    }

    /// Proposes a word that is written in a form.
    fn form(&mut self, word: &str, form: Option<&str>) {
        let item = CompletionItem {
            label: word.to_owned(),
            kind: Some(CompletionItemKind::KEYWORD),
            detail: form.map(|form| form.replace("` or `", " or ")),
            insert_text: Some(format!("{word} ")),
            insert_text_format: Some(InsertTextFormat::PLAIN_TEXT),
            ..CompletionItem::default()
        };
        self.0.entry(word.to_owned()).or_insert(item);
    }

    /// Proposes the declarations of some kinds.
    fn tops(&mut self, names: &Names<'_>, wanted: impl Fn(&ItemKind) -> bool) {
        for (name, item) in names.declared().filter(|(_, item)| wanted(&item.kind)) {
            let kind = match item.kind {
                ItemKind::Stage(_) | ItemKind::Action(_) => CompletionItemKind::FUNCTION,
                ItemKind::Const(_) => CompletionItemKind::CONSTANT,
                ItemKind::Metrics(_) | ItemKind::Schema(_) => CompletionItemKind::STRUCT,
                ItemKind::Source(_) => CompletionItemKind::FILE,
                _ => CompletionItemKind::VARIABLE,
            };
            self.plain(name, kind, super::symbols::kind(&item.kind).1);
        }
    }
}

fn member<'a>(names: &Names<'a>, base: &str, item: Option<&str>, list: &mut List) {
    if let Some((stage, _)) = names.declared().find(|(name, _)| *name == base) {
        for output in names.outputs(stage) {
            list.plain(output.name.as_str(), CompletionItemKind::FIELD, "output");
        }
    }
    let of_gate = item.and_then(|item| names.declaration(item)).map(|item| &item.kind);
    if let Some(ItemKind::Gate(_) | ItemKind::Rollout(_) | ItemKind::Experiment(_)) = of_gate
        && list.0.is_empty()
    {
        metrics(names, list);
    }
}

fn metrics(names: &Names<'_>, list: &mut List) {
    for (name, item) in names.declared() {
        if let ItemKind::Metrics(it) = &item.kind {
            for metric in &it.metrics {
                list.plain(metric.name.as_str(), CompletionItemKind::FIELD, &format!("metric of {name}"));
            }
        }
    }
}

/// Proposes what a requirement may look at, or its options.
fn measured(names: &Names<'_>, kind: &str, first: bool, list: &mut List) {
    let Some(signature) = kinds::find(kind).map(|kind| kind.signature()) else { return };
    if !first {
        let options = signature.options.iter();
        options.for_each(|option| list.plain(option.name, CompletionItemKind::PROPERTY, "option"));
        return;
    }
    match signature.takes {
        Takes::Metric | Takes::Sample | Takes::Grouped => metrics(names, list),
        Takes::Pair(all) => {
            all.iter().for_each(|name| list.plain(name, CompletionItemKind::FIELD, "metric of predictions"));
        }
        Takes::Schema => list.tops(names, |kind| matches!(kind, ItemKind::Schema(_))),
        Takes::Artifact => list.tops(names, |kind| matches!(kind, ItemKind::Stage(_))),
        Takes::Column | Takes::Group(_) => columns(names, list),
        Takes::Columns => {
            columns(names, list);
            list.plain("*", CompletionItemKind::VALUE, "all columns");
        }
        Takes::Drift => {
            let of_columns = kinds::all().map(|kind| kind.signature()).filter(|one| one.takes == Takes::Columns);
            of_columns.for_each(|one| list.plain(one.name, CompletionItemKind::FUNCTION, "measure"));
        }
        Takes::Count | Takes::Table => {}
    }
}

fn columns(names: &Names<'_>, list: &mut List) {
    for (name, item) in names.declared() {
        if let ItemKind::Schema(it) = &item.kind {
            for column in &it.columns {
                list.plain(column.name.as_str(), CompletionItemKind::FIELD, &format!("column of {name}"));
            }
        }
    }
}

/// Proposes what a stage's command sees.
fn locals(names: &Names<'_>, item: Option<&str>, list: &mut List) {
    let Some(item) = item else { return };
    for one in names.all.iter().filter(|one| one.declares) {
        match one.symbol {
            Symbol::Local { item: own, name } if own == item => list.plain(name, CompletionItemKind::VARIABLE, "input"),
            Symbol::Output { stage, name } if stage == item => list.plain(name, CompletionItemKind::VARIABLE, "output"),
            _ => {}
        }
    }
    let clauses = names.declaration(item).map(|item| &item.kind);
    let clauses: &[ast::Clause] = match clauses {
        Some(ItemKind::Stage(ast::Stage { body: ast::StageBody::Clauses(clauses), .. })) => clauses,
        Some(ItemKind::Action(action)) => {
            let of = action.of.as_ref().map(|of| &of.kind);
            let release = |name: &str| matches!(names.meant(name).map(|item| &item.kind), Some(ItemKind::Register(_)));
            if matches!(of, Some(ast::ExprKind::Name(name)) if release(name.as_str())) {
                OF_RELEASE.iter().for_each(|name| list.plain(name, CompletionItemKind::VARIABLE, "of the release"));
            }
            &action.clauses
        }
        _ => &[],
    };
    for clause in clauses {
        match &clause.kind {
            StageClause::Use(used) => {
                used.iter().for_each(|name| list.plain(name.as_str(), CompletionItemKind::VARIABLE, "parameter"));
            }
            StageClause::In(inputs) => {
                inputs.iter().for_each(|input| list.plain(input.name.as_str(), CompletionItemKind::VARIABLE, "input"));
            }
            StageClause::Secret(secrets) => {
                for one in secrets {
                    let name = one.alias.as_ref().and_then(ast::Str::plain).unwrap_or(one.name.as_str());
                    list.plain(name, CompletionItemKind::VARIABLE, "secret");
                }
            }
            _ => {}
        }
    }
}

fn value(names: &Names<'_>, keyword: &str, clause: &str, item: Option<&str>, list: &mut List) {
    use ItemKind as Kind;
    let node = |kind: &Kind| {
        matches!(
            kind,
            Kind::Stage(_)
                | Kind::Gate(_)
                | Kind::Approval(_)
                | Kind::Register(_)
                | Kind::Promote(_)
                | Kind::Action(_)
                | Kind::Rollout(_)
        )
    };
    let artifact = |kind: &Kind| matches!(kind, Kind::Source(_) | Kind::Stage(_) | Kind::Registry(_));
    let known = |kind: &Kind| matches!(kind, Kind::Param(_) | Kind::Const(_));
    match (keyword, clause) {
        (_, "in") | ("gate", "on") | ("register", "=" | "with") | ("approval", "of") => {
            list.tops(names, |kind| artifact(kind) || matches!(kind, Kind::Register(_) | Kind::Const(_)));
        }
        ("promote", "=") | ("rollout" | "action" | "experiment", "of") => {
            list.tops(names, |kind| matches!(kind, Kind::Register(_)) || artifact(kind));
        }
        ("stage", "=") => list.tops(names, |kind| matches!(kind, Kind::Stage(_))),
        (_, "to" | "baseline" | "promote") => list.tops(names, |kind| matches!(kind, Kind::Registry(_))),
        (_, "after") => list.tops(names, node),
        (_, "use") => list.tops(names, |kind| matches!(kind, Kind::Param(_))),
        (_, "manual") => {
            list.tops(names, |kind| matches!(kind, Kind::Param(_)));
            list.plain("profile", CompletionItemKind::FIELD, "of the run");
        }
        (_, "profile") => list.tops(names, |kind| matches!(kind, Kind::Profile(_))),
        (_, "comment") => list.tops(names, |kind| matches!(kind, Kind::Gate(_) | Kind::Stage(_))),
        (_, "ask") => list.tops(names, |kind| matches!(kind, Kind::Approval(_))),
        (_, "target") => {
            for target in crate::targets::TARGETS {
                list.plain(target.name(), CompletionItemKind::VALUE, target.about());
            }
        }
        (_, "allow") | ("allow", _) => {
            for code in catalogue::all().filter(|code| code.severity() != Severity::Error) {
                list.plain(code.name(), CompletionItemKind::VALUE, "code");
            }
        }
        (_, "secret") => list.tops(names, |kind| matches!(kind, Kind::Secret(_))),
        (_, "credentials") => list.tops(names, |kind| matches!(kind, Kind::Credential(_))),
        (_, "runtime") => list.tops(names, |kind| matches!(kind, Kind::Runtime(_))),
        (_, "set") => list.tops(names, |kind| known(kind) || matches!(kind, Kind::Source(_) | Kind::Registry(_))),
        (_, "watch") => list.tops(names, |kind| matches!(kind, Kind::Source(_))),
        (_, "when") => {
            list.tops(names, known);
            ["event", "branch", "profile"]
                .into_iter()
                .for_each(|word| list.plain(word, CompletionItemKind::VARIABLE, "of the run"));
        }
        (_, "require" | "warn") => {
            metrics(names, list);
            let all = kinds::all().map(|kind| kind.signature());
            let all = all.filter(|signature| signature.form != kinds::Form::Bare);
            let words = all.map(|signature| signature.name).chain(["total", "failed"]);
            words.for_each(|word| list.plain(word, CompletionItemKind::FUNCTION, "measure"));
            list.tops(names, |kind| known(kind) || matches!(kind, Kind::Schema(_) | Kind::Stage(_)));
        }
        ("gate", _) => list.tops(names, |kind| matches!(kind, Kind::Approval(_))),
        ("rollout", "by") => {
            ["canary", "blue_green", "shadow"]
                .into_iter()
                .for_each(|word| list.plain(word, CompletionItemKind::VALUE, "strategy"));
        }
        (_, "rerun") => {
            ["always", "when"].into_iter().for_each(|word| list.plain(word, CompletionItemKind::KEYWORD, ""))
        }
        (_, "every" | "timeout" | "cooldown" | "retry" | "status" | "keep" | "step" | "horizon") => {
            list.tops(names, known)
        }
        (_, "needs") => {
            ["gpu", "cpu", "memory"]
                .into_iter()
                .for_each(|word| list.plain(word, CompletionItemKind::FIELD, "resource"));
        }
        (_, "run" | "out" | "code" | "checkpoint") => {
            locals(names, item, list);
            list.tops(names, known);
        }
        _ => list.tops(names, |kind| known(kind) || artifact(kind) || matches!(kind, Kind::Profile(_))),
    }
}
