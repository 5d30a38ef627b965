//! Declarations that are no nodes: parameters, runtimes, metrics, sources, registries, targets.

use super::cx::{Cx, Decl};
use super::expr::{Scope, constant, expr};
use super::fields::{Fields, text};
use super::location::location;
use super::paths;
use super::ty;
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{MetricsId, ParamFrom, ParamId, RegistryId, RuntimeId, SourceId, Target};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::syntax::ast::NumberValue;
use crate::syntax::cursor::fields;
use crate::types::{Artifact, Direction, Expr, Metric, RegistryLocation, RuntimeKind, Type, Value, as_pointer};

/// Resolves a parameter's type and default.
pub(super) fn param(cx: &mut Cx<'_>, id: ParamId, item: &ast::Param) {
    cx.model.to_mut().params[id].from = item.from.as_ref().and_then(|from| file(cx, from));
    let ty = ty::value_type(cx, &item.ty);
    let default = match (&ty, &item.default) {
        (Some(ty), Some(written)) => constant(cx, written, ty),
        _ => None,
    };
    cx.model.to_mut().params[id].ty = ty;
    cx.model.to_mut().params[id].default = default;
}

/// Resolves where a parameter is read from.
fn file(cx: &mut Cx<'_>, from: &ast::ParamFrom) -> Option<ParamFrom> {
    let plain = |cx: &mut Cx<'_>, text: &ast::Str| match text.plain() {
        Some(plain) => Some(Spanned::new(plain.to_owned(), text.span)),
        None => cx.error(codes::NOT_CONSTANT, text.span, "this must be known before anything runs", ""),
    };
    let file = plain(cx, &from.file).and_then(|path| paths::inside(cx, &path))?;
    let pointer = plain(cx, &from.pointer)?;
    if ![".yaml", ".yml", ".json"].iter().any(|end| file.value.ends_with(end)) {
        let message = format!("`{}` is no YAML or JSON file, by its name", file.value);
        return cx.error(codes::PARAM_FILE, file.span, message, "parameters are read from `.yaml`, `.yml` and `.json`");
    }
    if !pointer.value.starts_with('/') {
        let help = format!("write `\"{}\"`", as_pointer(&pointer.value));
        return cx.error(codes::WRONG_TYPE, pointer.span, format!("`{}` is no JSON pointer", pointer.value), &help);
    }
    Some(ParamFrom { file, pointer: pointer.value, span: from.span })
}

/// Resolves what a runtime is made of.
pub(super) fn runtime(cx: &mut Cx<'_>, id: RuntimeId, item: &ast::Settings) {
    let fields = Fields::read(cx, &item.record, "a runtime", fields("runtime"));
    let kinds: Vec<&ast::Field> = ["python", "image", "dockerfile"].iter().filter_map(|key| fields.get(key)).collect();
    let kind = match kinds.as_slice() {
        [] => {
            if item.record.fields.is_empty() || fields.get("requirements").is_some() {
                let message = format!("`{}` does not say what it is made of", item.name.text);
                let help = "add `python: \"3.11\"`, `image: \"…\"` or `dockerfile: \"Dockerfile\"`";
                cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, help);
            }
            None
        }
        [one] => match one.key.as_str() {
            "python" => fields.text(cx, "python").map(|version| RuntimeKind::Python {
                version: version.value,
                requirements: fields
                    .text(cx, "requirements")
                    .and_then(|path| paths::inside(cx, &path).map(|path| path.value)),
            }),
            "image" => fields.text(cx, "image").map(|image| RuntimeKind::Image { image: image.value }),
            _ => fields
                .text(cx, "dockerfile")
                .and_then(|path| paths::inside(cx, &path))
                .map(|path| RuntimeKind::Dockerfile { path: path.value }),
        },
        [first, second, ..] => {
            let message =
                format!("a runtime is made of one thing, not of `{}` and `{}`", first.key.text, second.key.text);
            let diagnostic = Diagnostic::new(codes::MISPLACED_CLAUSE, second.key.span, message)
                .label(first.key.span, "first given here")
                .help("keep one, or declare two runtimes");
            cx.report(diagnostic)
        }
    };
    if let (Some(field), Some(RuntimeKind::Image { .. } | RuntimeKind::Dockerfile { .. })) =
        (fields.get("requirements"), &kind)
    {
        let help = "install them in the image";
        cx.error::<()>(codes::MISPLACED_CLAUSE, field.span, "`requirements` belongs to `python`", help);
    }
    cx.model.to_mut().runtimes[id].kind = kind;
}

/// Resolves the metrics of a metrics type.
pub(super) fn metrics(cx: &mut Cx<'_>, id: MetricsId, item: &ast::Metrics) {
    for (index, written) in item.metrics.iter().enumerate() {
        cx.spelling(&written.name, false);
        if let Some(first) = item.metrics[..index].iter().find(|first| first.name.text == written.name.text) {
            duplicate(cx, &written.name, first.name.span);
            continue;
        }
        let Some(metric) = metric(cx, written) else { continue };
        let metrics = &mut cx.model.to_mut().metrics[id];
        metrics.ty.metrics.push(metric);
        metrics.places.push(written.name.span);
    }
}

/// Says that a name is declared twice inside a declaration.
pub(super) fn duplicate(cx: &mut Cx<'_>, name: &ast::Name, first: Span) {
    let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, name.span, format!("`{}` is declared twice", name.text))
        .here("declared again here")
        .label(first, "first declared here")
        .help("keep one, or rename it");
    cx.diagnostics.push(diagnostic);
}

fn metric(cx: &mut Cx<'_>, written: &ast::Metric) -> Option<Metric> {
    let ty = ty::value_type(cx, &written.ty)?;
    if !matches!(ty, Type::Int(_) | Type::Float(_) | Type::Ratio(_) | Type::Duration | Type::Bytes) {
        let message = format!("a metric is a number, not of type `{ty}`");
        let help = "write `ratio`, `float`, `int`, `duration` or `bytes`";
        return cx.error(codes::WRONG_TYPE, written.ty.span, message, help);
    }
    let scale = match &written.unit {
        Some(unit) => unit_scale(cx, unit, &ty)?,
        None if ty == Type::Duration => {
            let message = format!("the file's number for `{}` has no unit", written.name.text);
            let help = format!("say it: `{}: duration unit ms`", written.name.text);
            // The metric stays: that a gate names it is no second mistake.
            cx.error::<()>(codes::UNIT_MISSING, written.span, message, &help);
            None
        }
        None => None,
    };
    let plain = |text: &Option<ast::Str>| text.as_ref().and_then(|text| text.plain().map(str::to_owned));
    for pointer in [&written.n_from].into_iter().flatten() {
        json_pointer(cx, pointer);
    }
    Some(Metric {
        name: written.name.text.clone(),
        ty,
        direction: written.direction.as_ref().map(
            |direction| {
                if direction.higher { Direction::Higher } else { Direction::Lower }
            },
        ),
        from: plain(&written.from),
        scale,
        n: plain(&written.n_from),
    })
}

fn json_pointer(cx: &mut Cx<'_>, text: &ast::Str) {
    if let Some(plain) = text.plain()
        && !plain.starts_with('/')
    {
        let help = format!("write `\"{}\"`", as_pointer(plain));
        cx.error::<()>(codes::WRONG_TYPE, text.span, format!("`{plain}` is no JSON pointer"), &help);
    }
}

/// Returns what one unit is in the type's base unit.
#[allow(clippy::option_option)]
fn unit_scale(cx: &mut Cx<'_>, unit: &ast::Name, ty: &Type) -> Option<Option<f64>> {
    let value = crate::syntax::number::value(&format!("1{}", unit.text)).ok();
    match (ty, value) {
        (Type::Duration, Some(NumberValue::Duration(nanoseconds))) => Some(Some(nanoseconds as f64)),
        (Type::Bytes, Some(NumberValue::Size(bytes))) => Some(Some(bytes as f64)),
        _ => {
            let message = format!("`{}` is no unit of `{ty}`", unit.text);
            let help = match ty {
                Type::Duration => "write `unit ms`, `unit s`, …",
                Type::Bytes => "write `unit MB`, `unit GiB`, …",
                _ => "leave the unit out: the number is taken as it is",
            };
            cx.error(codes::WRONG_UNIT, unit.span, message, help)
        }
    }
}

/// Resolves a source.
pub(super) fn source(cx: &mut Cx<'_>, id: SourceId, item: &ast::Source) {
    let artifact = ty::artifact(cx, &item.ty);
    if let Some(ty @ (Artifact::Metrics { .. } | Artifact::Tests)) = &artifact
        && matches!(item.value.kind, ast::ExprKind::Str(_))
    {
        let message = format!("`{ty}` is measured in the run, it is no source");
        cx.error::<()>(codes::WRONG_TYPE, item.ty.span, message, "make it the output of a stage");
    }
    let location = location(cx, &item.value);
    let frozen = item.frozen.as_ref().and_then(|text| {
        let digest = text.plain().and_then(|plain| plain.strip_prefix("blake3:"));
        match digest {
            Some(hex) if hex.len() == 64 && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) => {
                Some(format!("blake3:{hex}"))
            }
            _ => cx.error(
                codes::WRONG_TYPE,
                text.span,
                "no digest of data",
                "write `\"blake3:…\"` with 64 lower-case hexadecimal digits",
            ),
        }
    });
    let source = &mut cx.model.to_mut().sources[id];
    source.ty = artifact.unwrap_or(Artifact::File);
    source.location = location;
    source.frozen = frozen;
}

/// Resolves a registry.
pub(super) fn registry(cx: &mut Cx<'_>, id: RegistryId, item: &ast::Binding) {
    cx.model.to_mut().registries[id].location = registry_location(cx, &item.value);
}

/// Resolves where a registry is.
pub(super) fn registry_location(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<RegistryLocation> {
    let help = "write `directory(\"registry\")` or `git(\"branch\")`";
    let ast::ExprKind::Call { callee, args } = &written.kind else {
        cx.mention_words(written.span);
        return cx.error(codes::WRONG_TYPE, written.span, "no kind of registry", help);
    };
    let ast::ExprKind::Name(kind) = &callee.kind else {
        return cx.error(codes::WRONG_TYPE, callee.span, "no kind of registry", help);
    };
    match kind.as_str() {
        "directory" | "git" | "s3" | "mlflow" => {}
        other => {
            let near = crate::diagnostic::nearest(other, ["directory", "git", "s3", "mlflow"]);
            let near = near.map(|near| format!("did you mean `{near}(…)`?"));
            let help = near.as_deref().unwrap_or(help);
            return cx.error(codes::UNKNOWN_NAME, kind.span, format!("no kind of registry `{other}`"), help);
        }
    }
    let mut place = None;
    let mut remote = None;
    for arg in args {
        match arg.name.as_ref() {
            None if place.is_none() => place = Some(text(cx, &arg.value)?),
            Some(name) if name.text == "remote" && kind.text == "git" => remote = Some(text(cx, &arg.value)?.value),
            Some(name) => {
                let message = format!("`{}` takes no `{}`", kind.text, name.text);
                return cx.error(codes::UNKNOWN_FIELD, name.span, message, help);
            }
            None => return cx.error(codes::WRONG_TYPE, arg.value.span, "one place is enough", help),
        }
    }
    let Some(place) = place.filter(|place| !place.value.is_empty()) else {
        return cx.error(codes::MISSING_CLAUSE, written.span, "the registry does not say where it is", help);
    };
    Some(match kind.as_str() {
        "directory" => RegistryLocation::Directory { path: paths::registry(cx, &place)? },
        "s3" if place.value.starts_with("s3://") => RegistryLocation::S3 { url: place.value },
        "mlflow" if ["http://", "https://"].iter().any(|scheme| place.value.starts_with(scheme)) => {
            RegistryLocation::Mlflow { url: place.value }
        }
        "s3" | "mlflow" => {
            let help = "write `s3(\"s3://bucket/prefix\")` or `mlflow(\"https://…\")`";
            let message = format!("`{}` is no address of {}", place.value, kind.text);
            return cx.error(codes::WRONG_TYPE, place.span, message, help);
        }
        _ => RegistryLocation::Git { branch: place.value, remote: remote.unwrap_or_else(|| "origin".to_owned()) },
    })
}

/// Resolves the settings of a target. What they mean is the target's business.
pub(super) fn target(cx: &mut Cx<'_>, item: &ast::Settings) {
    if let Some(first) = cx.model.targets.iter().find(|target| target.name.value == item.name.text) {
        let first = first.name.span;
        return duplicate(cx, &item.name, first);
    }
    let mut blocks = Vec::new();
    if let Some(settings) = setting_record(cx, &item.record, "", &mut blocks) {
        cx.model.to_mut().targets.push(Target { name: Cx::own(&item.name), settings, blocks });
    }
}

fn setting_record(cx: &mut Cx<'_>, record: &ast::Record, at: &str, blocks: &mut Vec<Spanned<String>>) -> Option<Value> {
    let mut fields: Vec<(String, Value)> = Vec::new();
    for (index, field) in record.fields.iter().enumerate() {
        if let Some(first) = record.fields[..index].iter().find(|first| first.key.text == field.key.text) {
            duplicate(cx, &field.key, first.key.span);
            continue;
        }
        let path = format!("{at}{}", field.key.text);
        fields.push((field.key.text.clone(), setting(cx, &field.value, &path, blocks)?));
    }
    Some(Value::Record(fields))
}

fn setting(cx: &mut Cx<'_>, written: &ast::Expr, path: &str, blocks: &mut Vec<Spanned<String>>) -> Option<Value> {
    match &written.kind {
        ast::ExprKind::Record(record) => setting_record(cx, record, &format!("{path}."), blocks),
        ast::ExprKind::List(items) => {
            items.iter().map(|item| setting(cx, item, path, blocks)).collect::<Option<_>>().map(Value::List)
        }
        // A bare word that names no constant is the word itself: `steps: plain`.
        ast::ExprKind::Name(name) if !matches!(cx.seen(name), Some((Decl::Const(_), _))) => {
            // A target may name credentials.
            if matches!(cx.seen(name), Some((Decl::Credential(_), _))) {
                cx.mention(&name.text);
            }
            Some(Value::String(name.text.clone()))
        }
        ast::ExprKind::Str(text) if matches!(text.form, ast::StrForm::Block | ast::StrForm::Line) => {
            if let [ast::StrPart::Text { text: read, span }] = &text.parts[..] {
                blocks.push(Spanned::new(path.to_owned(), behind_indentation(cx, read, *span)));
                secrets(cx, read);
            }
            Some(Value::String(text.plain().unwrap_or_default().to_owned()))
        }
        _ => match expr(cx, written, Scope::Constant)?.expr {
            Expr::Value(value) => Some(value),
            _ => None,
        },
    }
}

/// Returns the place of a raw text's first line that is not blank, behind the indentation that was taken away.
fn behind_indentation(cx: &Cx<'_>, text: &str, span: Span) -> Span {
    let mut start = span.start as usize;
    for (line, written) in text.lines().zip(cx.sources.slice(span).split_inclusive('\n')) {
        if !line.trim().is_empty() {
            start += written.find(line.trim_end()).unwrap_or(0);
            break;
        }
        start += written.len();
    }
    Span { start: start.min(span.end as usize) as u32, ..span }
}

/// Counts the secrets that a raw text of a target names as used.
fn secrets(cx: &mut Cx<'_>, text: &str) {
    for rest in text.split("secrets.").skip(1) {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        cx.mention(&rest[..end].to_ascii_lowercase());
    }
}
