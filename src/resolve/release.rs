//! Registering, promoting, approving, acting.

use super::cx::{Cx, Decl, Wanted};
use super::fields::{Fields, duration};
use super::local::{Local, Locals};
use super::work::{self, Kind};
use super::{header, origin, stage};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Action, Approval, NodeId, NodeKind, OF_RELEASE, Promote, Register, Subject};
use crate::source::Spanned;
use crate::syntax::ast;
use crate::syntax::cursor::fields;

/// Resolves `register … = … to …`.
pub(super) fn register(cx: &mut Cx<'_>, id: NodeId, item: &ast::Register) {
    header::resolve(cx, id, &item.header, true);
    let model = origin::origin(cx, &item.model);
    let with: Vec<Spanned<_>> =
        item.with.iter().filter_map(|written| Some(Spanned::new(origin::origin(cx, written)?, written.span))).collect();
    let registry = match &item.to.kind {
        ast::ExprKind::Name(name) => match cx.look_up(name, Wanted::Registry) {
            Some(Decl::Registry(registry)) => Some(registry),
            Some(decl) => cx.wrong_kind(name, decl, Wanted::Registry),
            None => None,
        },
        ast::ExprKind::Pointer { base, .. } => {
            cx.mention_words(base.span);
            let help = "register to the registry, and promote the release: `promote current = … to models@production`";
            cx.error(codes::WRONG_KIND, item.to.span, "a model is registered in a registry, not under a pointer", help)
        }
        _ => cx.error(codes::WRONG_KIND, item.to.span, "a registry's name is needed", ""),
    };
    let fields = Fields::optional(cx, item.record.as_ref(), "`register`", fields("register"));
    let metrics =
        fields.get("metrics").and_then(|field| Some(Spanned::new(origin::origin(cx, &field.value)?, field.value.span)));
    let (Some(model), Some(registry)) = (model, registry) else { return };
    if let Some(ty) = cx.model.artifact(&model).filter(|ty| !stage::releasable(ty)) {
        let message = format!("`{ty}` is no model");
        let help = "register an output of type `Model<…>`, `Archive`, `Dir`, `Image` or `File`";
        cx.error::<()>(codes::WRONG_TYPE, item.model.span, message, help);
        return;
    }
    if !matches!(model, crate::model::Origin::Output(_)) {
        let help = "register what a stage of this pipeline made";
        cx.error::<()>(codes::WRONG_KIND, item.model.span, "this is not made in this pipeline", help);
        return;
    }
    let register = Register { model, model_span: item.model.span, with, registry, metrics };
    cx.model.to_mut().nodes[id].kind = NodeKind::Register(Box::new(register));
}

/// Resolves `promote … = … to …`.
pub(super) fn promote(cx: &mut Cx<'_>, id: NodeId, item: &ast::Promote) {
    header::resolve(cx, id, &item.header, false);
    let help = "promote one leg: `promote current = release[\"nord\"] to models@production`";
    header::no_loops(cx, &item.header, "a promotion, since a pointer names one version,", help);
    let release = match &item.release.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Index { .. } => origin::release(cx, &item.release),
        _ => {
            cx.mention_words(item.release.span);
            let help = "register the model first: `register release = train.model to models`";
            cx.error(codes::WRONG_KIND, item.release.span, "a release is promoted", help)
        }
    };
    let pointer = origin::pointer(cx, &item.to);
    let (Some(release), Some(pointer)) = (release, pointer) else { return };
    let promote = Promote { release, pointer, pointer_span: item.to.span };
    cx.model.to_mut().nodes[id].kind = NodeKind::Promote(Box::new(promote));
}

/// Resolves `approval … of … { … }`.
pub(super) fn approval(cx: &mut Cx<'_>, id: NodeId, item: &ast::Approval) {
    header::resolve(cx, id, &item.header, false);
    let of = origin::subject(cx, &item.of);
    let fields = Fields::optional(cx, item.record.as_ref(), "an approval", fields("approval"));
    let at = item.name.span;
    let by = fields.need(cx, "by", at, "by: [\"login\"]").is_some();
    let timeout = fields.need(cx, "timeout", at, "timeout: 24h").and_then(|field| match &field.value.kind {
        // People answer within hours, whatever a number without a unit is elsewhere.
        ast::ExprKind::Number(_) if cx.sources.slice(field.value.span).bytes().all(|c| c.is_ascii_digit()) => {
            let digits = cx.sources.slice(field.value.span).to_owned();
            let message = format!("`{digits}` has no unit");
            cx.error(codes::WRONG_UNIT, field.value.span, message, &format!("glue a unit to it: `{digits}h`"))
        }
        _ => duration(cx, &field.value),
    });
    let environment = fields.get("environment").and_then(|field| work::environment(cx, &field.value));
    let anyone = fields
        .get("by")
        .is_some_and(|field| matches!(&field.value.kind, ast::ExprKind::Name(name) if name.text == "environment"));
    let logins = if anyone || !by { Vec::new() } else { fields.texts(cx, "by") };
    for (index, login) in logins.iter().enumerate() {
        approver(cx, login, &logins[..index]);
    }
    let by: Vec<String> = logins.into_iter().map(|login| login.value).collect();
    if let Some(field) = fields.get("by") {
        if anyone && environment.is_none() {
            let help = "add `environment: \"production\"`";
            cx.error::<()>(codes::MISSING_CLAUSE, field.span, "`by: environment` needs the environment", help);
        }
        if matches!(&field.value.kind, ast::ExprKind::List(items) if items.is_empty()) {
            let help = "name logins: `by: [\"alice\"]`";
            cx.error::<()>(codes::MISSING_CLAUSE, field.span, "nobody may approve", help);
        }
    }
    let Some(of) = of else { return };
    let environment = environment.map(|name| name.value);
    let approval = Approval { of, by, environment, timeout: timeout.unwrap_or_default() };
    cx.model.to_mut().nodes[id].kind = NodeKind::Approval(Box::new(approval));
}

/// Complains of a login that nobody can have, or that stands there already.
fn approver(cx: &mut Cx<'_>, login: &Spanned<String>, before: &[Spanned<String>]) {
    let text = login.value.as_str();
    if let Some(first) = before.iter().find(|first| first.value.eq_ignore_ascii_case(text)) {
        let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, login.span, format!("`{text}` is named twice"))
            .here("named again here")
            .label(first.span, "first named here")
            .help("keep one: logins are one whatever their case");
        cx.diagnostics.push(diagnostic);
    } else if let Some(bare) = text.strip_prefix('@') {
        let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, login.span, format!("`{text}` is no login"));
        cx.diagnostics.push(diagnostic.help(format!("write `\"{bare}\"`")));
    } else if text.trim().is_empty() {
        cx.error::<()>(codes::OUT_OF_RANGE, login.span, "this is no login", "name logins: `by: [\"alice\"]`");
    }
}

/// Resolves an action.
pub(super) fn action(cx: &mut Cx<'_>, id: NodeId, item: &ast::Action) {
    header::resolve(cx, id, &item.header, true);
    let mut locals = Locals::of_leg(cx);
    let mut understood = true;
    let of = item.of.as_ref().and_then(|of| {
        let subject = origin::subject(cx, of);
        understood = subject.is_some();
        subject
    });
    if let (Some(written), Some(Subject::Release(_))) = (&item.of, &of) {
        for name in OF_RELEASE {
            locals.add(cx, name, written.span, Local::Given);
        }
    }
    let mut action = Action { of, ..Action::default() };
    work::resolve(cx, &item.clauses, Kind::Action(&mut action), &mut locals);
    action.work.variables = cx.variables.iter().map(|(name, value, _)| (name.value.clone(), value.clone())).collect();
    action.work.locals = locals.into_names();
    if !item.clauses.iter().any(|clause| matches!(clause.kind, ast::StageClause::Run(_))) {
        let message = format!("the action `{}` does nothing", item.name.text);
        let diagnostic = Diagnostic::new(codes::MISSING_CLAUSE, item.name.span, message).help("add `run <<< … >>>`");
        cx.diagnostics.push(diagnostic);
    }
    if understood {
        cx.model.to_mut().nodes[id].kind = NodeKind::Action(Box::new(action));
    }
}
