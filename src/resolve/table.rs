//! What a requirement says of a table: its schema, its columns, the baseline that it is held against.
//!
//! What may be written is said by the signatures of the kinds; nothing here knows a kind by its name.

use std::collections::BTreeMap;

use super::cx::{Cx, Decl, Wanted};
use super::expr::constant;
use super::{fields, paths};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::gate::kinds::{Against, Kind, OptType, Takes};
use crate::gate::{Columns, TableRef};
use crate::model::{Gate, Measure};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Artifact, Range, Schema, Type, Value};

/// Returns the kind of this name, where it is one that looks into a table.
pub(super) fn kind(name: &str) -> Option<&'static dyn Kind> {
    let takes = |kind: &&'static dyn Kind| {
        matches!(kind.signature().takes, Takes::Schema | Takes::Table | Takes::Column | Takes::Columns)
    };
    crate::gate::kinds::find(name).filter(takes)
}

/// Resolves `nulls(*)`, `psi(amount, alpha: 1%)`, `schema(Transactions)`, `rows`.
///
/// `times` says that its limits are multiples (`0.5x`).
pub(super) fn measure(
    cx: &mut Cx<'_>,
    kind: &'static dyn Kind,
    word: &ast::Name,
    args: &[ast::Arg],
    gate: &Gate,
    against: Option<&ast::Expr>,
    times: bool,
) -> Option<Measure> {
    let signature = kind.signature();
    let compares = signature.against == Against::Must || (signature.against == Against::May && times);
    let by_reference = gate.reference.is_some()
        && match against {
            Some(written) => matches!(&written.kind, ast::ExprKind::Name(name) if name.text == "reference"),
            None => compares,
        };
    let against_path = match (against, signature.against) {
        _ if by_reference && compares => None,
        (None, Against::Must) => {
            let message = format!("`{}` compares with a data baseline, and none is named", word.text);
            let help = match gate.monitors {
                true => "give the monitor a `reference = SOURCE`, or write `against \"FILE\"`".to_owned(),
                false => format!("write `{}`; `mlpc baseline DATASET --out FILE` makes the file", signature.example),
            };
            cx.mention_words(word.span);
            return cx.error(codes::BAD_REQUIREMENT, word.span, message, &help);
        }
        (Some(written), Against::No) => {
            let message = format!("`{}` compares with no baseline", word.text);
            return cx.error(codes::BAD_REQUIREMENT, written.span, message, "remove `against …`");
        }
        (Some(_), _) if by_reference => None,
        (Some(written), _) => {
            let path = fields::text(cx, written)?;
            Some(paths::inside(cx, &path)?.value)
        }
        (None, _) => None,
    };
    if signature.against == Against::May && times != (against.is_some() || by_reference) {
        let (message, help) = if times {
            ("a multiple is of a baseline, and none is named", "add `against \"configs/train.baseline.json\"`")
        } else {
            ("a baseline is compared in multiples", "write `rows between 0.5x..2x against \"…\"`")
        };
        return cx.error(codes::BAD_REQUIREMENT, word.span, message, help);
    }
    let (evidence, typed) = table(cx, word, gate)?;
    let mut reference =
        TableRef { evidence, columns: None, schema: None, typed: typed.clone(), against: against_path, by_reference };
    let mut args = args.iter();
    match signature.takes {
        Takes::Schema => reference.schema = Some(schema(cx, word, args.next(), signature.example)?),
        Takes::Column | Takes::Columns => {
            let all = signature.takes == Takes::Columns;
            reference.columns = Some(columns(cx, word, args.next(), all, typed.as_ref(), signature.example)?);
        }
        _ => {}
    }
    let mut options: BTreeMap<String, Value> = BTreeMap::new();
    for arg in args {
        option(cx, kind, arg, &mut options, &mut reference, typed.as_ref())?;
    }
    if times {
        options.insert("relative".to_owned(), Value::Bool(true));
    }
    if by_reference {
        holds_columns(cx, word, gate, &reference)?;
    }
    let relative = signature.option("relative").is_some() && !options.contains_key("relative");
    if relative && matches!(reference.columns, Some(Columns::All { .. })) {
        let message = format!("the columns of `{}(*)` have no unit in common", word.text);
        let help = format!("write `{}(*, relative)`, in standard deviations, or name a column", word.text);
        return cx.error(codes::BAD_REQUIREMENT, word.span, message, &help);
    }
    let ty = kind.result(None, &options);
    Some(Measure {
        kind: signature.name,
        metric: None,
        artifact: None,
        table: Some(reference),
        groups: None,
        options,
        ty,
    })
}

/// Says where the reference of a monitor is no table, or lacks a column that is compared with it.
fn holds_columns(cx: &mut Cx<'_>, word: &ast::Name, gate: &Gate, compared: &TableRef) -> Option<()> {
    let reference = gate.reference.as_ref()?;
    let Artifact::Dataset { format: Some(_), schema } = &reference.ty else {
        let message = format!("`{}` is held against the reference, which is no table that can be read", word.text);
        let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, word.span, message)
            .label(reference.span, format!("a `{}`", reference.ty))
            .help("name a source of type `Dataset<csv>` or `Dataset<jsonl>`, or write `against \"FILE\"`");
        return cx.report(diagnostic);
    };
    let Some((Decl::Schema(id), place)) = schema.as_ref().and_then(|name| cx.peek(name)) else { return Some(()) };
    let before = cx.model.schemas[id].ty.clone();
    let names: Vec<&str> = match &compared.columns {
        Some(Columns::One(name)) => vec![name],
        Some(Columns::All { except }) => {
            let all = compared.typed.iter().flat_map(|schema| &schema.columns).map(|column| column.name.as_str());
            all.filter(|name| !except.iter().any(|left_out| left_out == name)).collect()
        }
        None => Vec::new(),
    };
    let Some(missing) = names.into_iter().find(|name| before.column(name).is_none()) else { return Some(()) };
    let message = format!("the reference has no column `{missing}` to hold it against");
    let mut diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, word.span, message)
        .label(reference.span, format!("a table of `{}`", before.name))
        .label(place, "declared here");
    if matches!(compared.columns, Some(Columns::All { .. })) {
        diagnostic = diagnostic.help(format!("leave it out: `{}(*, except: [\"{missing}\"])`", word.text));
    }
    cx.report(diagnostic)
}

/// Returns the one table that the gate is on, with the schema of its type.
fn table(cx: &mut Cx<'_>, word: &ast::Name, gate: &Gate) -> Option<(usize, Option<Schema>)> {
    let found = gate.evidence.iter().enumerate().filter_map(|(index, evidence)| match &evidence.ty {
        Artifact::Dataset { format, schema } => Some((index, format, schema, evidence.span)),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    match found.as_slice() {
        [(index, Some(_), schema, _)] => {
            let schema = schema.as_ref().and_then(|name| match cx.peek(name) {
                Some((Decl::Schema(id), _)) => Some(cx.model.schemas[id].ty.clone()),
                _ => None,
            });
            Some((*index, schema))
        }
        [(_, None, _, span)] => {
            let message = format!("`{}` reads the data, and its type does not say how it is written", word.text);
            let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, word.span, message)
                .label(*span, "a `Dataset` of any format")
                .help("declare it as `Dataset<csv>` or `Dataset<jsonl>`");
            cx.report(diagnostic)
        }
        [] if gate.partial => None,
        [] => {
            let message = format!("`{}` is about a table, and the gate is on none", word.text);
            let help = "be on an output or a source of type `Dataset<csv>`: `gate NAME on prepare.train`";
            cx.error(codes::BAD_REQUIREMENT, word.span, message, help)
        }
        [(.., first), (.., second), ..] => {
            let message = format!("`{}` is about a table, and the gate is on several", word.text);
            let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, word.span, message)
                .label(*first, "here")
                .label(*second, "and here")
                .help("write a gate for each table");
            cx.report(diagnostic)
        }
    }
}

fn schema(cx: &mut Cx<'_>, word: &ast::Name, arg: Option<&ast::Arg>, example: &str) -> Option<Schema> {
    let Some(ast::Arg { name: None, value }) = arg else {
        let help = format!("write `{example}`");
        return cx.error(codes::BAD_REQUIREMENT, word.span, format!("`{}` names no schema", word.text), &help);
    };
    let ast::ExprKind::Name(name) = &value.kind else {
        let help = format!("write `{example}`");
        return cx.error(codes::BAD_REQUIREMENT, value.span, "no schema", &help);
    };
    match cx.look_up(name, Wanted::Schema)? {
        Decl::Schema(id) => Some(cx.model.schemas[id].ty.clone()),
        decl => cx.wrong_kind(name, decl, Wanted::Schema),
    }
}

fn columns(
    cx: &mut Cx<'_>,
    word: &ast::Name,
    arg: Option<&ast::Arg>,
    all: bool,
    typed: Option<&Schema>,
    example: &str,
) -> Option<Columns> {
    let Some(ast::Arg { name: None, value }) = arg else {
        let help = format!("write `{example}`");
        return cx.error(codes::BAD_REQUIREMENT, word.span, format!("`{}` names no column", word.text), &help);
    };
    match &value.kind {
        ast::ExprKind::Star if all => Some(Columns::All { except: Vec::new() }),
        ast::ExprKind::Name(name) => known(cx, &name.text, name.span, typed).map(Columns::One),
        ast::ExprKind::Str(text) => {
            let Some(plain) = text.plain() else {
                return cx.error(codes::NOT_CONSTANT, value.span, "a column's name is a constant", "");
            };
            known(cx, plain, value.span, typed).map(Columns::One)
        }
        _ => {
            let help = format!("write `{example}`");
            cx.mention_words(value.span);
            cx.error(codes::BAD_REQUIREMENT, value.span, "a column is needed here", &help)
        }
    }
}

/// Says that a column is not in the schema of the table's type.
fn known(cx: &mut Cx<'_>, name: &str, span: Span, typed: Option<&Schema>) -> Option<String> {
    let Some(schema) = typed.filter(|schema| schema.column(name).is_none()) else { return Some(name.to_owned()) };
    let message = format!("`{}` has no column `{name}`", schema.name);
    let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, span, message);
    if let Some((_, place)) = cx.peek(&schema.name) {
        diagnostic = diagnostic.label(place, "declared here");
    }
    if let Some(near) = nearest(name, schema.columns.iter().map(|column| column.name.as_str())) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(span, near);
    }
    cx.report(diagnostic)
}

fn option(
    cx: &mut Cx<'_>,
    kind: &'static dyn Kind,
    arg: &ast::Arg,
    options: &mut BTreeMap<String, Value>,
    reference: &mut TableRef,
    typed: Option<&Schema>,
) -> Option<()> {
    let signature = kind.signature();
    let (name, flag) = match (&arg.name, &arg.value.kind) {
        (Some(name), _) => (name, false),
        (None, ast::ExprKind::Name(name)) => (name, true),
        _ => {
            let message = format!("`{}` takes one thing to measure", signature.name);
            return cx.error(
                codes::BAD_REQUIREMENT,
                arg.value.span,
                message,
                &format!("write `{}`", signature.example),
            );
        }
    };
    let Some(found) = signature.option(&name.text) else {
        let known: Vec<_> = signature.options.iter().map(|option| option.name).collect();
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_FIELD, name.span, format!("`{}` takes no `{}`", signature.name, name.text));
        if let Some(near) = nearest(&name.text, known.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(name.span, near);
        } else if !known.is_empty() {
            diagnostic = diagnostic.help(format!("it takes `{}`", known.join("`, `")));
        }
        return cx.report(diagnostic);
    };
    if options.contains_key(found.name) {
        return cx.error(codes::DUPLICATE_CLAUSE, name.span, format!("`{}` is said twice", found.name), "keep one");
    }
    if flag != (found.ty == OptType::Flag) {
        let help = if flag { format!("write `{}: …`", found.name) } else { format!("write `{}` alone", found.name) };
        return cx.error(codes::BAD_REQUIREMENT, name.span, format!("`{}` is not written so", found.name), &help);
    }
    let value = match found.ty {
        OptType::Flag => Value::Bool(true),
        OptType::Share => match constant(cx, &arg.value, &Type::Ratio(Range::FINITE))? {
            Value::Ratio(share) if share > 0.0 && share < 1.0 => Value::Ratio(share),
            _ => {
                let help = format!("write `{}: 1%`", found.name);
                return cx.error(codes::OUT_OF_RANGE, arg.value.span, "a share between 0 and 1 is needed", &help);
            }
        },
        OptType::Positive => match constant(cx, &arg.value, &Type::Float(Range::ANY))? {
            Value::Float(number) if number > 0.0 => Value::Float(number),
            _ => return cx.error(codes::OUT_OF_RANGE, arg.value.span, "a number above zero is needed", ""),
        },
        // Of metrics by group, which are about no table.
        OptType::Groups => return None,
        OptType::Rows => Value::Int(fields::whole(cx, &arg.value, 1, i64::MAX)?),
        OptType::Names => {
            let names = constant(cx, &arg.value, &Type::List(Box::new(Type::String)))?;
            let Value::List(items) = names else { return None };
            let Some(Columns::All { except }) = &mut reference.columns else {
                let help = "it leaves columns out of `*`";
                return cx.error(codes::BAD_REQUIREMENT, name.span, "`except` needs `*`", help);
            };
            for item in items {
                let Value::String(text) = item else { continue };
                except.push(known(cx, &text, arg.value.span, typed)?);
            }
            // The columns themselves are kept; this says that it was written.
            return Some(());
        }
    };
    options.insert(found.name.to_owned(), value);
    Some(())
}
