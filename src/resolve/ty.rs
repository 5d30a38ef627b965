//! Types: from what was written to checked types.

use super::cx::{Cx, Decl, Wanted};
use super::expr::{Scope, constant, expr};
use super::fields::Fields;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Artifact, Bound, DATASET_FORMATS, Expr, MODEL_FORMATS, PredictionsType, Range, Type, Value};

const VALUES: [&str; 8] = ["int", "float", "bool", "string", "duration", "bytes", "ratio", "timestamp"];
const ARTIFACTS: [&str; 11] =
    ["File", "Dir", "Archive", "Image", "Dataset", "Model", "Metrics", "Predictions", "Tests", "Report", "Plot"];

/// Resolves any type.
pub(super) fn any(cx: &mut Cx<'_>, written: &ast::Type) -> Option<Type> {
    match &written.kind {
        ast::TypeKind::Named { name, args } => named(cx, name, args),
        ast::TypeKind::With { base, settings } => {
            let ty = any(cx, base)?;
            if !matches!(ty, Type::Artifact(Artifact::Predictions(_))) {
                let message = format!("`{ty}` has no settings");
                return cx.error(codes::WRONG_TYPE, settings.span, message, "");
            }
            Some(Type::Artifact(Artifact::Predictions(predictions(cx, settings)?)))
        }
        ast::TypeKind::Refined { base, range: written_range } => {
            let ty = any(cx, base)?;
            let range = range(cx, written_range)?;
            Some(match ty {
                Type::Int(_) => Type::Int(range),
                Type::Float(_) => Type::Float(range),
                Type::Ratio(_) => Type::Ratio(range),
                Type::Optional(inner) if matches!(*inner, Type::Int(_) | Type::Float(_) | Type::Ratio(_)) => {
                    let message =
                        format!("`{inner}?` has no range: the range is the number's, and stands before the `?`");
                    let right = format!("{inner} in {}?", cx.sources.slice(written_range.span));
                    let diagnostic = Diagnostic::new(codes::WRONG_TYPE, written_range.span, message)
                        .help(format!("write `{right}`"))
                        .fix(written.span, right);
                    return cx.report(diagnostic);
                }
                other => {
                    let message = format!("`{other}` has no range");
                    return cx.error(codes::WRONG_TYPE, written_range.span, message, "`int`, `float` and `ratio` have");
                }
            })
        }
        ast::TypeKind::OneOf(texts) => {
            let texts: Option<Vec<String>> = texts
                .iter()
                .map(|text| match text.plain() {
                    Some(plain) => Some(plain.to_owned()),
                    None => cx.error(codes::NOT_CONSTANT, text.span, "a type's texts are constants", ""),
                })
                .collect();
            Some(Type::Enum(texts?))
        }
        ast::TypeKind::List(element) => Some(Type::List(Box::new(any(cx, element)?))),
        ast::TypeKind::Record(fields) => {
            let fields: Option<Vec<_>> =
                fields.iter().map(|field| Some((field.name.text.clone(), any(cx, &field.ty)?))).collect();
            Some(Type::Record(fields?))
        }
        ast::TypeKind::Optional(inner) => Some(Type::Optional(Box::new(any(cx, inner)?))),
    }
}

/// Resolves the settings of `Predictions`: which column holds what.
fn predictions(cx: &mut Cx<'_>, written: &ast::Record) -> Option<PredictionsType> {
    let known = ["id", "label", "score", "prediction", "threshold"];
    let fields = Fields::read(cx, written, "`Predictions`", &known);
    let mut columns: Vec<Spanned<String>> = Vec::new();
    let mut column = |cx: &mut Cx<'_>, key: &str| -> Option<Option<String>> {
        if fields.get(key).is_none() {
            return Some(None);
        }
        let name = fields.text(cx, key)?;
        if name.value.is_empty() {
            return cx.error(codes::WRONG_TYPE, name.span, "a column has a name", "write it as in the file's header");
        }
        if let Some(first) = columns.iter().find(|first| first.value == name.value) {
            let message = format!("the column `{}` can't be two things", name.value);
            let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, name.span, message)
                .label(first.span, "named here, too")
                .help("name another column");
            return cx.report(diagnostic);
        }
        columns.push(name.clone());
        Some(Some(name.value))
    };
    let (id, label) = (column(cx, "id"), column(cx, "label"));
    let (score, prediction) = (column(cx, "score"), column(cx, "prediction"));
    let threshold = match fields.get("threshold") {
        None => None,
        Some(field) => {
            let span = field.value.span;
            let Some(of) = fields.get("score").filter(|_| fields.get("prediction").is_none()) else {
                let (message, help) = match fields.get("prediction") {
                    Some(_) => ("`prediction` says already what was decided", "remove `threshold`"),
                    None => ("a threshold is of a score, and none is named", "add `score: \"p\"`"),
                };
                return cx.error(codes::MISPLACED_CLAUSE, field.key.span, message, help);
            };
            match constant(cx, &field.value, &Type::Float(Range::ANY))? {
                Value::Float(at) if at.is_finite() => Some(at),
                _ => {
                    let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, span, "a threshold is a finite number")
                        .label(of.value.span, "the score");
                    return cx.report(diagnostic);
                }
            }
        }
    };
    Some(PredictionsType { id: id?, label: label?, score: score?, prediction: prediction?, threshold })
}

/// Resolves the type of a value.
pub(super) fn value_type(cx: &mut Cx<'_>, written: &ast::Type) -> Option<Type> {
    match any(cx, written)? {
        Type::Artifact(artifact) => {
            let message = format!("`{artifact}` is the type of a file, and a value is needed");
            cx.error(codes::WRONG_TYPE, written.span, message, "write `int`, `float`, `bool`, `string`, …")
        }
        ty => Some(ty),
    }
}

/// Resolves the type of a file or folder.
pub(super) fn artifact(cx: &mut Cx<'_>, written: &ast::Type) -> Option<Artifact> {
    match any(cx, written)? {
        Type::Artifact(artifact) => Some(artifact),
        ty => {
            let message = format!("`{ty}` is the type of a value, and a file or folder is needed");
            cx.error(codes::WRONG_TYPE, written.span, message, "write `File`, `Dataset<csv>`, `Model<pickle>`, …")
        }
    }
}

fn named(cx: &mut Cx<'_>, name: &ast::Name, args: &[ast::Type]) -> Option<Type> {
    let simple = match name.as_str() {
        "int" => Some(Type::Int(Range::ANY)),
        "float" => Some(Type::Float(Range::ANY)),
        "bool" => Some(Type::Bool),
        "string" => Some(Type::String),
        "duration" => Some(Type::Duration),
        "bytes" => Some(Type::Bytes),
        "ratio" => Some(Type::Ratio(Range::ANY)),
        "timestamp" => Some(Type::Timestamp),
        "File" => Some(Type::Artifact(Artifact::File)),
        "Dir" => Some(Type::Artifact(Artifact::Dir)),
        "Archive" => Some(Type::Artifact(Artifact::Archive)),
        "Image" => Some(Type::Artifact(Artifact::Image)),
        "Predictions" => Some(Type::Artifact(Artifact::Predictions(PredictionsType::default()))),
        "Tests" => Some(Type::Artifact(Artifact::Tests)),
        "Report" => Some(Type::Artifact(Artifact::Report)),
        "Plot" => Some(Type::Artifact(Artifact::Plot)),
        _ => None,
    };
    if let Some(ty) = simple {
        if let Some(first) = args.first() {
            return cx.error(codes::WRONG_TYPE, first.span, format!("`{}` takes no `<…>`", name.text), "");
        }
        return Some(ty);
    }
    match name.as_str() {
        "Dataset" => dataset(cx, name, args),
        "Model" => {
            let format = match args {
                [] => None,
                [format] => {
                    let format = word(cx, format)?;
                    Some(model_format(cx, format)?)
                }
                [_, more, ..] => return cx.error(codes::WRONG_TYPE, more.span, "`Model` takes one format", ""),
            };
            Some(Type::Artifact(Artifact::Model { format }))
        }
        "Metrics" => {
            let [declared] = args else {
                let help = "write `Metrics<Name>` with the name of a `metrics` declaration";
                return cx.error(codes::WRONG_TYPE, name.span, "`Metrics` needs its declaration's name", help);
            };
            let declared = word(cx, declared)?;
            match cx.look_up(declared, Wanted::Metrics)? {
                Decl::Metrics(_) => Some(Type::Artifact(Artifact::Metrics { name: declared.text.clone() })),
                decl => cx.wrong_kind(declared, decl, Wanted::Metrics),
            }
        }
        unknown => {
            let near = nearest(unknown, VALUES.into_iter().chain(ARTIFACTS))
                .or_else(|| VALUES.into_iter().chain(ARTIFACTS).find(|known| known.eq_ignore_ascii_case(unknown)));
            let declared = match cx.find(unknown) {
                Some(Decl::Metrics(_)) => Some(format!("write `Metrics<{unknown}>`")),
                Some(Decl::Schema(_)) => Some(format!("write `Dataset<csv, {unknown}>`")),
                _ => None,
            };
            let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, format!("no type `{unknown}`"));
            if let Some(help) = declared {
                diagnostic = diagnostic.help(help);
            } else if let Some(near) = near {
                let all = VALUES.into_iter().chain(ARTIFACTS);
                diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix_near(name.span, unknown, near, all);
            }
            cx.report(diagnostic)
        }
    }
}

fn dataset(cx: &mut Cx<'_>, name: &ast::Name, args: &[ast::Type]) -> Option<Type> {
    let (format, schema) = match args {
        [] => (None, None),
        [format] => (Some(format), None),
        [format, schema] => (Some(format), Some(schema)),
        _ => return cx.error(codes::WRONG_TYPE, name.span, "`Dataset` takes a format and a schema", ""),
    };
    let format = match format {
        None => None,
        Some(written) => {
            let word = word(cx, written)?;
            let formats = DATASET_FORMATS;
            if !formats.contains(&word.as_str()) {
                let near = nearest(&word.text, formats).unwrap_or("csv");
                let message = format!("no dataset format `{}`: there are `csv`, `parquet` and `jsonl`", word.text);
                let help = format!("write `Dataset<{near}>`");
                return cx.error(codes::UNKNOWN_NAME, word.span, message, &help);
            }
            Some(word.text.clone())
        }
    };
    let schema = match schema {
        None => None,
        Some(written) => {
            let word = word(cx, written)?;
            match cx.look_up(word, Wanted::Schema)? {
                Decl::Schema(_) => Some(word.text.clone()),
                decl => return cx.wrong_kind(word, decl, Wanted::Schema),
            }
        }
    };
    Some(Type::Artifact(Artifact::Dataset { format, schema }))
}

fn model_format(cx: &mut Cx<'_>, word: &ast::Name) -> Option<String> {
    if MODEL_FORMATS.contains(&word.as_str()) {
        return Some(word.text.clone());
    }
    let message = format!("no model format `{}`", word.text);
    let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, word.span, message);
    diagnostic = match nearest(&word.text, MODEL_FORMATS) {
        Some(near) => diagnostic.help(format!("did you mean `Model<{near}>`? `Model` is of any format")).fix_near(
            word.span,
            &word.text,
            near,
            MODEL_FORMATS,
        ),
        None => diagnostic
            .help(format!("write `Model`, which is of any format; known ones are {}", MODEL_FORMATS.join(", "))),
    };
    cx.report(diagnostic)
}

fn word<'t>(cx: &mut Cx<'_>, written: &'t ast::Type) -> Option<&'t ast::Name> {
    match &written.kind {
        ast::TypeKind::Named { name, args } if args.is_empty() => Some(name),
        _ => cx.error(codes::WRONG_TYPE, written.span, "a name is needed here", ""),
    }
}

/// Resolves a range of numbers.
pub(super) fn range(cx: &mut Cx<'_>, written: &ast::Range) -> Option<Range> {
    let low = bound(cx, written.low.as_ref(), written.low_open)?;
    let high = bound(cx, written.high.as_ref(), written.high_open)?;
    if let (Some(low), Some(high)) = (low, high)
        && (low.at > high.at || (low.at == high.at && (low.open || high.open)))
    {
        return cx.error(codes::OUT_OF_RANGE, written.span, "nothing is in this range", "put the smaller number first");
    }
    Some(Range { low, high })
}

/// The outer option: understood; the inner one: there is a bound.
#[allow(clippy::option_option)]
fn bound(cx: &mut Cx<'_>, written: Option<&ast::Expr>, open: bool) -> Option<Option<Bound>> {
    let Some(written) = written else { return Some(None) };
    let typed = expr(cx, written, Scope::Constant)?;
    let number = match &typed.expr {
        Expr::Value(value) => value.number().map(|number| (number, written.span)),
        _ => None,
    };
    match number {
        Some((at, _)) => Some(Some(Bound { at, open })),
        None => not_a_number(cx, written.span),
    }
}

fn not_a_number<T>(cx: &mut Cx<'_>, span: Span) -> Option<T> {
    cx.error(codes::WRONG_TYPE, span, "a range goes from number to number", "")
}
