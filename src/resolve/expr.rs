//! Expressions: names looked up, operands typed, constants computed.

use super::cx::{ConstValue, Cx, Decl, Unread, Wanted};
use super::local::Locals;
use super::operator::{between, binary, one_of};
use super::origin;
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::kinds::is_percent;
use crate::model::Origin;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::NumberValue;
use crate::types::{Context, EVENTS, Expr, Misfit, Nothing, Range, Type, Value, evaluate};

/// A checked expression with its type.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) ty: Type,
}

/// What an expression may mention.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// Constants.
    Constant,
    /// Constants, parameters, and what is known of the run before it begins.
    Known,
    /// Constants and what a stage's command sees.
    Stage(&'s Locals),
}

/// Resolves an expression.
pub(super) fn expr(cx: &mut Cx<'_>, written: &ast::Expr, scope: Scope<'_>) -> Option<Typed> {
    use ast::ExprKind as Kind;
    let span = written.span;
    match &written.kind {
        Kind::Bool(value) => Some(Typed { expr: Expr::Value(Value::Bool(*value)), ty: Type::Bool }),
        Kind::Number(number) => literal(cx, number, span),
        Kind::Str(text) => string(cx, text, scope),
        Kind::Name(name) => named(cx, name, scope),
        Kind::List(items) => {
            let typed: Option<Vec<Typed>> = items.iter().map(|item| expr(cx, item, scope)).collect();
            let mut typed = typed?;
            let element = typed.first().map_or(Type::String, |first| match widened(&first.ty) {
                // What the list is for says how far its shares may go.
                Type::Ratio(_) => Type::Ratio(Range::FINITE),
                other => other,
            });
            for (item, found) in items.iter().zip(&mut typed) {
                let given = std::mem::replace(&mut found.expr, Expr::Value(Value::Null));
                found.expr = fitted(cx, item.span, Typed { expr: given, ty: found.ty.clone() }, &element)?;
            }
            let list = Expr::List(typed.into_iter().map(|item| item.expr).collect());
            folded(cx, span, list, Type::List(Box::new(element)))
        }
        Kind::Record(record) => {
            let mut fields = Vec::new();
            let mut types = Vec::new();
            for field in &record.fields {
                let typed = expr(cx, &field.value, scope)?;
                let Expr::Value(value) = typed.expr else {
                    return cx.error(codes::NOT_CONSTANT, field.value.span, "a record holds constants only", "");
                };
                fields.push((field.key.text.clone(), value));
                types.push((field.key.text.clone(), typed.ty));
            }
            Some(Typed { expr: Expr::Value(Value::Record(fields)), ty: Type::Record(types) })
        }
        Kind::Unary { op: ast::UnaryOp::Not, operand } => {
            let inner = expect(cx, operand, scope, &Type::Bool)?;
            folded(cx, span, Expr::Not(Box::new(inner)), Type::Bool)
        }
        Kind::Unary { op: ast::UnaryOp::Neg, operand } => {
            let inner = expr(cx, operand, scope)?;
            if !matches!(inner.ty, Type::Int(_) | Type::Float(_) | Type::Ratio(_) | Type::Duration) {
                let message = format!("`-` needs a number, not a value of type `{}`", inner.ty);
                return cx.error(codes::WRONG_TYPE, operand.span, message, "");
            }
            folded(cx, span, Expr::Negative(Box::new(inner.expr)), widened(&inner.ty))
        }
        Kind::Binary { op, left, right, .. } => binary(cx, span, *op, left, right, scope),
        Kind::Between { value, range } => between(cx, span, value, range, scope),
        Kind::OneOf { value, list } => one_of(cx, span, value, list, scope),
        Kind::Optional(_) => cx.error(codes::WRONG_TYPE, span, "only an input may be absent", ""),
        Kind::Field { base, .. } if names_stage(cx, base) => of_stage(cx, written, scope),
        Kind::Field { base, name } => {
            let message = format!("`{}` has no value here", cx.sources.slice(span));
            if matches!(&base.kind, Kind::Name(base) if base.text == "baseline") {
                let help = format!("compare with it: `regression({0}) <= 1%` or `improvement({0}) >= 0.1%`", name.text);
                return cx.error(codes::WRONG_KIND, span, message, &help);
            }
            let whole = if let Kind::Name(base) = &base.kind { base.text.clone() } else { String::new() };
            let help = format!("name it as an input: `in {} = {whole}.{}`", name.text, name.text);
            cx.error(codes::WRONG_KIND, span, message, if whole.is_empty() { "" } else { &help })
        }
        Kind::Range(_) => cx.error(codes::WRONG_TYPE, span, "a range is no value", "write a list"),
        Kind::Star | Kind::Index { .. } | Kind::Pointer { .. } | Kind::Call { .. } | Kind::By { .. } => {
            let message = format!("`{}` is no value", cx.sources.slice(span));
            cx.error(codes::WRONG_TYPE, span, message, "")
        }
    }
}

fn names_stage(cx: &Cx<'_>, base: &ast::Expr) -> bool {
    let name = match &base.kind {
        ast::ExprKind::Name(name) => name,
        ast::ExprKind::Index { base, .. } => match &base.kind {
            ast::ExprKind::Name(name) => name,
            _ => return false,
        },
        _ => return false,
    };
    matches!(cx.seen(name), Some((Decl::Node(_) | Decl::Family(_), _)))
}

/// Resolves `count.rows`: a value that a stage makes.
fn of_stage(cx: &mut Cx<'_>, written: &ast::Expr, scope: Scope<'_>) -> Option<Typed> {
    let span = written.span;
    let text = cx.sources.slice(span).to_owned();
    let found = origin::origins(cx, written)?;
    let mut values = Vec::new();
    let mut ty = Type::String;
    for origin in &found.origins {
        let Origin::Output(id) = origin else { continue };
        let Some(value) = cx.model.output(*id).and_then(|output| output.value.as_ref()) else {
            let name = text.rsplit('.').next().unwrap_or_default();
            let help = format!("name it as an input: `in {name} = {text}`");
            return cx.error(codes::WRONG_KIND, span, format!("`{text}` is a file, and a value is needed"), &help);
        };
        ty = value.ty.clone();
        if !matches!(scope, Scope::Stage(_)) {
            let message = format!("`{text}` is known only in the run");
            let diagnostic = Diagnostic::new(codes::KNOWN_ONLY_IN_RUN, span, message)
                .label(cx.model.output(*id).map_or(span, |output| output.name.span), "the stage makes it")
                .help("read it as an input or in an argument list; a gate can stop what must not go on");
            return cx.report(diagnostic);
        }
        cx.values_read.push((*id, span));
        values.push(origin::value(cx, *id));
    }
    if found.list {
        return Some(Typed { expr: Expr::List(values), ty: Type::List(Box::new(ty)) });
    }
    Some(Typed { expr: values.pop()?, ty })
}

/// Resolves an expression that has to be of a type.
pub(super) fn expect(cx: &mut Cx<'_>, written: &ast::Expr, scope: Scope<'_>, ty: &Type) -> Option<Expr> {
    let typed = expr(cx, written, scope)?;
    fitted(cx, written.span, typed, ty)
}

/// Resolves a constant of a type.
pub(super) fn constant(cx: &mut Cx<'_>, written: &ast::Expr, ty: &Type) -> Option<Value> {
    match expect(cx, written, Scope::Constant, ty)? {
        Expr::Value(value) => Some(value),
        _ => cx.error(codes::NOT_CONSTANT, written.span, "this must be known before anything runs", ""),
    }
}

/// Makes a typed expression one of a wider or narrower type, or says why it is none.
pub(super) fn fitted(cx: &mut Cx<'_>, span: Span, typed: Typed, ty: &Type) -> Option<Expr> {
    let Expr::Value(value) = &typed.expr else {
        if assignable(&typed.ty, ty) {
            return Some(typed.expr);
        }
        let message = format!("a value of type `{}` stands where `{ty}` is needed", typed.ty);
        return cx.error(codes::WRONG_TYPE, span, message, "");
    };
    match ty.fit(value) {
        Ok(value) => Some(Expr::Value(value)),
        Err(Misfit::Range) => {
            let text = cx.sources.slice(span);
            let diagnostic = match (ty, value) {
                (Type::Enum(texts), Value::String(text)) => {
                    let near = crate::diagnostic::nearest(text, texts.iter().map(String::as_str));
                    let diagnostic =
                        Diagnostic::new(codes::OUT_OF_RANGE, span, format!("`\"{text}\"` is none of `{ty}`"));
                    match near {
                        Some(near) => {
                            diagnostic.help(format!("did you mean `\"{near}\"`?")).fix(span, format!("\"{near}\""))
                        }
                        None => diagnostic,
                    }
                }
                _ => {
                    let text = text.to_owned();
                    let message = format!("`{text}` is not in the range of `{ty}`");
                    share_help(Diagnostic::new(codes::OUT_OF_RANGE, span, message), span, &text, value, ty)
                }
            };
            cx.report(diagnostic)
        }
        Err(Misfit::Kind) => wrong_value(cx, span, value, &typed.ty, ty),
    }
}

/// Adds how a share is written, where a plain number beyond 1 stands in its place; with a fix, where that is certain.
pub(super) fn percent_help(diagnostic: Diagnostic, span: Span, text: &str, value: &Value) -> Diagnostic {
    match value.number() {
        Some(number) if number.abs() > 100.0 => diagnostic.help("write a share: `90%`, or `0.9`"),
        _ if is_percent(value) => diagnostic.help(format!("1 is 100 %: write `{text}%`")).fix(span, format!("{text}%")),
        _ => diagnostic.help(format!("1 is 100 %: write `{text}%`, or a number up to 1")),
    }
}

/// Adds how a share is written, or how a wider range is declared.
fn share_help(diagnostic: Diagnostic, span: Span, text: &str, value: &Value, ty: &Type) -> Diagnostic {
    let wanted = if let Type::Optional(inner) = ty { inner } else { ty };
    let percent = value.number().map(|number| Value::Ratio(number / 100.0));
    match (value, wanted) {
        (Value::Int(_) | Value::Float(_), Type::Ratio(_))
            if value.number().is_some_and(|number| number > 1.0)
                && percent.as_ref().is_some_and(|percent| wanted.fit(percent).is_ok())
                && text.ends_with(|end: char| end.is_ascii_digit())
                && text.starts_with(|start: char| start.is_ascii_digit()) =>
        {
            percent_help(diagnostic, span, text, value)
        }
        (_, Type::Ratio(Range::ANY)) => {
            diagnostic.help("a ratio is between 0 and 1 unless its type says more: `ratio in -1..1`")
        }
        _ => diagnostic,
    }
}

fn wrong_value<T>(cx: &mut Cx<'_>, span: Span, value: &Value, have: &Type, ty: &Type) -> Option<T> {
    let text = cx.sources.slice(span).to_owned();
    let plain = matches!(value, Value::Int(_) | Value::Float(_));
    let wanted = if let Type::Optional(inner) = ty { inner } else { ty };
    let bare = text.ends_with(|c: char| c.is_ascii_digit());
    let unit = |unit: &str| if bare { format!("glue a unit to it: `{text}{unit}`") } else { String::new() };
    let (code, help) = match (wanted, plain) {
        (Type::Duration, true) => (codes::WRONG_UNIT, unit("s")),
        (Type::Bytes, true) => (codes::WRONG_UNIT, unit("MB")),
        (Type::Int(_) | Type::Float(_) | Type::Ratio(_), _) if value.number().is_some() && !plain => {
            (codes::WRONG_UNIT, String::new())
        }
        (Type::Duration | Type::Bytes, _) if value.number().is_some() => (codes::WRONG_UNIT, String::new()),
        _ => (codes::WRONG_TYPE, String::new()),
    };
    let message = if text.len() < 60 && !text.contains('\n') {
        format!("`{text}` is of type `{have}` where `{ty}` is needed")
    } else {
        format!("a value of type `{have}` stands where `{ty}` is needed")
    };
    cx.error(code, span, message, &help)
}

/// Tells whether any value of one type may stand where the other is needed, ranges apart.
pub(super) fn assignable(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Int(_), Type::Int(_) | Type::Float(_) | Type::Ratio(_))
        | (Type::Float(_) | Type::Ratio(_), Type::Float(_) | Type::Ratio(_))
        | (Type::String | Type::Enum(_) | Type::Artifact(_), Type::String) => true,
        (Type::Enum(have), Type::Enum(want)) => have.iter().all(|text| want.contains(text)),
        (Type::List(have), Type::List(want)) => assignable(have, want),
        (Type::Optional(have), Type::Optional(want)) => assignable(have, want),
        (have, Type::Optional(want)) => assignable(have, want),
        (have, want) => have == want,
    }
}

/// Returns the type without its range.
pub(super) fn widened(ty: &Type) -> Type {
    match ty {
        Type::Int(_) => Type::Int(Range::ANY),
        Type::Float(_) => Type::Float(Range::ANY),
        Type::Ratio(_) => Type::Ratio(Range::ANY),
        Type::Enum(_) => Type::String,
        other => other.clone(),
    }
}

/// Returns the value of a written number.
pub(super) fn literal(cx: &mut Cx<'_>, number: &ast::Number, span: Span) -> Option<Typed> {
    let (value, ty) = match number.value {
        NumberValue::Int(number) => (Value::Int(number), Type::Int(Range::ANY)),
        NumberValue::Float(number) => (Value::Float(number), Type::Float(Range::ANY)),
        NumberValue::Ratio(number) => (Value::Ratio(number), Type::Ratio(Range::ANY)),
        NumberValue::Duration(number) => (Value::Duration(number), Type::Duration),
        NumberValue::Size(number) => (Value::Bytes(number), Type::Bytes),
        NumberValue::Times(_) => {
            let message = format!("`{}` is a multiple, and nothing here is compared with another run", number.text);
            return cx.error(codes::WRONG_UNIT, span, message, "write a plain number or a percentage");
        }
    };
    Some(Typed { expr: Expr::Value(value), ty })
}

fn string(cx: &mut Cx<'_>, text: &ast::Str, scope: Scope<'_>) -> Option<Typed> {
    if let Some(plain) = text.plain() {
        return Some(Typed { expr: Expr::Value(Value::String(plain.to_owned())), ty: Type::String });
    }
    let mut parts = Vec::new();
    for part in &text.parts {
        parts.push(match part {
            ast::StrPart::Text { text, .. } => Expr::Value(Value::String(text.clone())),
            ast::StrPart::Expr(inner) => {
                let typed = expr(cx, inner, scope)?;
                if matches!(typed.ty, Type::List(_) | Type::Record(_)) {
                    let message = format!("a value of type `{}` can't stand in a string", typed.ty);
                    return cx.error(codes::WRONG_TYPE, inner.span, message, "");
                }
                typed.expr
            }
        });
    }
    folded(cx, text.span, Expr::Text(parts), Type::String)
}

fn named(cx: &mut Cx<'_>, name: &ast::Name, scope: Scope<'_>) -> Option<Typed> {
    if let Some(typed) = cx.variables.typed(&name.text) {
        return Some(typed);
    }
    if let Scope::Stage(locals) = scope
        && let Some(local) = locals.get(&name.text)
    {
        return local.typed(cx, name);
    }
    if matches!(scope, Scope::Known) && cx.seen(name).is_none() {
        let context = match name.as_str() {
            "event" => Some((Context::Event, event_type())),
            "branch" => Some((Context::Branch, Type::String)),
            "profile" => Some((Context::Profile, Type::String)),
            _ => None,
        };
        if let Some((context, ty)) = context {
            return Some(Typed { expr: Expr::Context(context), ty });
        }
    }
    if let Scope::Stage(locals) = scope
        && !matches!(cx.seen(name), Some((Decl::Const(_) | Decl::Param(_), _)))
        && locals.report_unknown(cx, name)
    {
        return None;
    }
    if matches!(scope, Scope::Stage(_)) && cx.seen(name).is_none() {
        let message = format!("no input, output, parameter or constant `{}` in here", name.text);
        cx.unread = Some(Unread { message, place: name.span, inputs: Vec::new() });
    }
    let found = cx.look_up(name, Wanted::Value);
    cx.unread = None;
    match found? {
        Decl::Const(index) => {
            let (value, ty) = const_value(cx, index, name.span)?;
            Some(Typed { expr: Expr::Value(value), ty })
        }
        Decl::Param(id) => {
            let param = &cx.model.params[id];
            let (ty, place) = (param.ty.clone()?, param.name.span);
            match scope {
                Scope::Known => Some(Typed { expr: Expr::Param(name.text.clone()), ty }),
                Scope::Constant => {
                    let message = format!("`{}` is a parameter: its value is not known before a run", name.text);
                    let diagnostic = Diagnostic::new(codes::NOT_CONSTANT, name.span, message)
                        .label(place, "declared here")
                        .help("use a literal or a `const`");
                    cx.report(diagnostic)
                }
                Scope::Stage(_) => {
                    let message = format!("this command does not use the parameter `{}`", name.text);
                    let diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message)
                        .label(place, "declared here")
                        .help(format!("add `use {}`", name.text));
                    cx.report(diagnostic)
                }
            }
        }
        decl => cx.wrong_kind(name, decl, Wanted::Value),
    }
}

fn event_type() -> Type {
    Type::Enum(EVENTS.map(str::to_owned).to_vec())
}

/// Longest chain of constants that refer to each other.
const DEEPEST: usize = 100;

/// Returns the value of a constant, read on first use.
pub(super) fn const_value(cx: &mut Cx<'_>, index: usize, asked: Span) -> Option<(Value, Type)> {
    match cx.consts[index].value.clone() {
        ConstValue::Known(value, ty) => return Some((value, ty)),
        ConstValue::Broken => return None,
        ConstValue::Reading => {
            let name = cx.consts[index].item.name.clone();
            let message = format!("the constant `{}` is made of itself", name.text);
            let diagnostic = Diagnostic::new(codes::CYCLE, asked, message).label(name.span, "declared here");
            return cx.report(diagnostic);
        }
        ConstValue::Unread => {}
    }
    if cx.depth >= DEEPEST {
        return cx.error(
            codes::NOT_CONSTANT,
            asked,
            "constants refer to each other too deeply",
            "write the value here",
        );
    }
    cx.depth += 1;
    cx.consts[index].value = ConstValue::Reading;
    let item = cx.consts[index].item;
    let known = match &item.ty {
        Some(ty) => super::ty::value_type(cx, ty)
            .and_then(|ty| constant(cx, &item.value, &ty).map(|value| ConstValue::Known(value, ty))),
        None => expr(cx, &item.value, Scope::Constant).and_then(|typed| match typed.expr {
            Expr::Value(value) => Some(ConstValue::Known(value, typed.ty)),
            _ => None,
        }),
    };
    cx.depth -= 1;
    cx.consts[index].value = known.unwrap_or(ConstValue::Broken);
    match &cx.consts[index].value {
        ConstValue::Known(value, ty) => Some((value.clone(), ty.clone())),
        _ => None,
    }
}

/// Computes what is constant.
pub(super) fn folded(cx: &mut Cx<'_>, span: Span, expr: Expr, ty: Type) -> Option<Typed> {
    let known = |expr: &Expr| matches!(expr, Expr::Value(_));
    let constant = match &expr {
        Expr::Not(inner) | Expr::Negative(inner) => known(inner),
        Expr::Binary { left, right, .. } => known(left) && known(right),
        Expr::Text(parts) | Expr::List(parts) => parts.iter().all(known),
        _ => false,
    };
    if !constant {
        return Some(Typed { expr, ty });
    }
    match evaluate(&expr, &Nothing) {
        Ok(value) => Some(Typed { expr: Expr::Value(value), ty }),
        Err(why) => cx.error(codes::OUT_OF_RANGE, span, why, ""),
    }
}
