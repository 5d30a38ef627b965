//! Credentials of stores, and the notifications that tell people.

use super::cx::{Cx, Decl, Wanted};
use super::expr::{Scope, expr};
use super::fields::{Fields, text};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::syntax::cursor::fields;
use crate::types::{CredentialKind, Expr, Receiver, Type, Value};

/// What each provider asks for, by way of getting in: compulsory and optional settings, and the parts that are secret.
struct Provider {
    name: &'static str,
    oidc: (&'static [&'static str], &'static [&'static str]),
    secret: &'static [&'static str],
    plain: &'static [&'static str],
}

const PROVIDERS: [Provider; 3] = [
    Provider {
        name: "aws",
        oidc: (&["role", "region"], &["audience", "session"]),
        secret: &["access_key_id", "secret_access_key"],
        plain: &["region", "endpoint"],
    },
    Provider {
        name: "gcp",
        oidc: (&["provider", "service_account"], &["project"]),
        secret: &["key"],
        plain: &["project"],
    },
    Provider {
        name: "azure",
        oidc: (&["client", "tenant", "subscription"], &[]),
        secret: &["connection_string"],
        plain: &["account"],
    },
];

const EXAMPLE: &str = "write `oidc(\"aws\", role: \"arn:…\", region: \"eu-west-1\")`, or `static(\"aws\", access_key_id: ID, secret_access_key: KEY)` with the names of secrets";

/// Resolves what a credential is made of.
pub(super) fn credential(cx: &mut Cx<'_>, index: usize, item: &ast::Binding) {
    cx.model.to_mut().credentials[index].kind = kind(cx, &item.value);
}

fn kind(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<CredentialKind> {
    let ast::ExprKind::Call { callee, args } = &written.kind else {
        cx.mention_words(written.span);
        return cx.error(codes::WRONG_TYPE, written.span, "no kind of credential", EXAMPLE);
    };
    let word = match &callee.kind {
        ast::ExprKind::Name(name) => name.text.as_str(),
        _ => "",
    };
    if !["oidc", "static"].contains(&word) {
        cx.mention_words(written.span);
        let near = nearest(word, ["oidc", "static"]).map(|near| format!("did you mean `{near}(…)`?"));
        let help = near.as_deref().unwrap_or(EXAMPLE);
        return cx.error(codes::UNKNOWN_NAME, callee.span, format!("no kind of credential `{word}`"), help);
    }
    let (first, rest) = match args.split_first() {
        Some((ast::Arg { name: None, value }, rest)) => (value, rest),
        _ => return cx.error(codes::MISSING_CLAUSE, written.span, "the credential does not say whose it is", EXAMPLE),
    };
    let name = text(cx, first)?;
    let Some(provider) = PROVIDERS.iter().find(|provider| provider.name == name.value) else {
        cx.mention_words(written.span);
        let near = nearest(&name.value, PROVIDERS.iter().map(|provider| provider.name));
        let help = match near {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => "there are `\"aws\"`, `\"gcp\"` and `\"azure\"`".to_owned(),
        };
        return cx.error(codes::UNKNOWN_NAME, name.span, format!("no provider `{}`", name.value), &help);
    };
    let oidc = word == "oidc";
    let (must, may) = if oidc { provider.oidc } else { (provider.secret, provider.plain) };
    let mut settings = Vec::new();
    let mut secrets = Vec::new();
    let mut seen: Vec<&ast::Name> = Vec::new();
    for arg in rest {
        let Some(key) = &arg.name else {
            return cx.error(codes::WRONG_TYPE, arg.value.span, "each setting has a name", EXAMPLE);
        };
        if let Some(first) = seen.iter().find(|first| first.text == key.text) {
            super::trigger::again(cx, key.span, first.span, &format!("`{}` is given twice", key.text));
            continue;
        }
        seen.push(key);
        if !must.contains(&key.as_str()) && !may.contains(&key.as_str()) {
            cx.mention_words(arg.value.span);
            let known = must.iter().chain(may).copied();
            let message = format!("`{word}(\"{}\")` takes no `{}`", provider.name, key.text);
            let mut diagnostic = Diagnostic::new(codes::UNKNOWN_FIELD, key.span, message);
            diagnostic = match nearest(&key.text, known.clone()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(key.span, near),
                None => {
                    let list: Vec<_> = known.map(|known| format!("`{known}`")).collect();
                    diagnostic.help(format!("known are {}", list.join(", ")))
                }
            };
            cx.diagnostics.push(diagnostic);
            continue;
        }
        if !oidc && provider.secret.contains(&key.as_str()) {
            secrets.extend(secret(cx, &arg.value).map(|name| (key.text.clone(), name)));
        } else if let Some(value) = text(cx, &arg.value) {
            settings.push((key.text.clone(), value.value));
        }
    }
    for key in must.iter().filter(|key| seen.iter().all(|seen| seen.text != **key)) {
        let message = format!("`{word}(\"{}\")` needs `{key}`", provider.name);
        let value = if oidc { "\"…\"" } else { "SECRET" };
        cx.error::<()>(codes::MISSING_CLAUSE, written.span, message, &format!("add `{key}: {value}`"));
    }
    let provider = provider.name.to_owned();
    Some(if oidc {
        CredentialKind::Oidc { provider, settings }
    } else {
        CredentialKind::Static { provider, secrets, settings }
    })
}

/// A key never stands in the source: it is named.
fn secret(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<String> {
    let ast::ExprKind::Name(name) = &written.kind else {
        let help = "declare `secret aws_key`, and name it here";
        return cx.error(codes::WRONG_KIND, written.span, "a key does not stand in the source", help);
    };
    match cx.look_up(name, Wanted::Secret)? {
        Decl::Secret(_) => Some(name.text.clone()),
        decl => cx.wrong_kind(name, decl, Wanted::Secret),
    }
}

const CHANNELS: [&str; 3] = ["slack", "email", "webhook"];

/// Resolves where a notification goes.
pub(super) fn notify(cx: &mut Cx<'_>, index: usize, item: &ast::Settings) {
    let fields = Fields::read(cx, &item.record, "a notification", fields("notify"));
    let given: Vec<&ast::Field> = CHANNELS.iter().filter_map(|key| fields.get(key)).collect();
    let at = item.name.span;
    match given.as_slice() {
        [] => {
            let message = format!("`{}` does not say where it goes", item.name.text);
            cx.error::<()>(
                codes::MISSING_CLAUSE,
                at,
                message,
                "add `slack: SECRET`, `email: \"…\"` or `webhook: SECRET`",
            );
        }
        [one] => {
            cx.model.to_mut().notifications[index].channel.clone_from(&one.key.text);
            cx.model.to_mut().notifications[index].to = receiver(cx, &one.value);
        }
        [first, second, ..] => {
            let message =
                format!("a notification goes to one place, not to `{}` and `{}`", first.key.text, second.key.text);
            let diagnostic = Diagnostic::new(codes::MISPLACED_CLAUSE, second.key.span, message)
                .label(first.key.span, "first given here")
                .help("declare two");
            cx.diagnostics.push(diagnostic);
        }
    }
    let empty = |field: &ast::Field| matches!(&field.value.kind, ast::ExprKind::List(items) if items.is_empty());
    cx.model.to_mut().notifications[index].says_on = fields.get("on").is_some_and(|field| !empty(field));
}

fn receiver(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Receiver> {
    if let ast::ExprKind::Name(name) = &written.kind
        && let Some((Decl::Secret(_), _)) = cx.seen(name)
    {
        cx.mention(&name.text);
        return Some(Receiver::Secret(name.text.clone()));
    }
    let typed = expr(cx, written, Scope::Known)?;
    match super::expr::fitted(cx, written.span, typed, &Type::String)? {
        Expr::Value(Value::String(text)) if text.trim().is_empty() => {
            cx.error(codes::MISSING_CLAUSE, written.span, "the address is empty", "")
        }
        Expr::Value(Value::String(text)) => Some(Receiver::Text(text)),
        Expr::Param(name) => Some(Receiver::Param(name)),
        _ => cx.error(codes::WRONG_TYPE, written.span, "no address", "name a secret or a parameter, or write it out"),
    }
}

/// Resolves what a notification tells of: nodes, monitors and `run`, each with what happens to it.
pub(super) fn told(cx: &mut Cx<'_>, index: usize, item: &ast::Settings) {
    let Some(field) = item.record.get("on") else { return };
    let ast::ExprKind::List(items) = &field.value.kind else {
        cx.mention_words(field.value.span);
        cx.error::<()>(codes::WRONG_TYPE, field.value.span, "a list is needed here", "write `on: [quality.fail]`");
        return;
    };
    for written in items {
        if let Some(found) = happening(cx, written) {
            cx.model.to_mut().notifications[index].on.push(found);
        }
    }
}

fn happening(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<(String, String)> {
    let help = "write what, and what happens to it: `quality.fail`, `live.rolled_back`, `run.failed`";
    let ast::ExprKind::Field { base, name } = &written.kind else {
        cx.mention_words(written.span);
        return cx.error(codes::WRONG_KIND, written.span, "this says not what happens", help);
    };
    let base = match &base.kind {
        ast::ExprKind::Name(base) => base,
        // A leg of a loop: all legs are told of.
        ast::ExprKind::Index { base, .. } => match &base.kind {
            ast::ExprKind::Name(base) => base,
            _ => return cx.error(codes::WRONG_KIND, base.span, "no node", help),
        },
        _ => return cx.error(codes::WRONG_KIND, base.span, "no node", help),
    };
    let (word, known) = if base.text == "run" && cx.seen(base).is_none() {
        ("run", &["failed", "done", "waiting"] as &[&str])
    } else {
        match cx.look_up(base, Wanted::Node)? {
            Decl::Node(id) => (cx.model.nodes[id].keyword, happenings(cx.model.nodes[id].keyword)),
            Decl::Monitor(_) => ("monitor", happenings("monitor")),
            decl => return cx.wrong_kind(base, decl, Wanted::Node),
        }
    };
    if known.contains(&name.as_str()) {
        return Some((base.text.clone(), name.text.clone()));
    }
    unknown_happening(cx, base, name, word, known)
}

fn unknown_happening<T>(cx: &mut Cx<'_>, base: &ast::Name, name: &ast::Name, word: &str, known: &[&str]) -> Option<T> {
    let what = if word == "run" { "the run".to_owned() } else { format!("the {word} `{}`", base.text) };
    let message = format!("`{}` never happens to {what}", name.text);
    let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message);
    diagnostic = match nearest(&name.text, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(name.span, near),
        None => {
            let list: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
            diagnostic.help(format!("there are {}", list.join(", ")))
        }
    };
    cx.report(diagnostic)
}

fn happenings(keyword: &str) -> &'static [&'static str] {
    match keyword {
        "stage" | "action" => &["done", "failed"],
        "gate" => &["pass", "warn", "fail", "inconclusive", "error"],
        "approval" => &["asked", "approved", "rejected"],
        "register" => &["registered"],
        "promote" => &["promoted"],
        "rollout" => &["step", "promoted", "rolled_back", "rollback_failed"],
        "experiment" => &["decided", "stopped"],
        "monitor" => &["breach", "error"],
        _ => &[],
    }
}

/// Resolves the clause `credentials`.
pub(super) fn used(cx: &mut Cx<'_>, names: &[ast::Name]) -> Vec<Spanned<usize>> {
    let mut found: Vec<Spanned<usize>> = Vec::new();
    for name in names {
        match cx.look_up(name, Wanted::Credential) {
            Some(Decl::Credential(index)) => match found.iter().find(|first| first.value == index) {
                Some(first) => twice(cx, name.span, first.span),
                None => found.push(Spanned::new(index, name.span)),
            },
            Some(decl) => cx.wrong_kind(name, decl, Wanted::Credential).unwrap_or_default(),
            None => {}
        }
    }
    found
}

fn twice(cx: &mut Cx<'_>, span: Span, first: Span) {
    super::trigger::again(cx, span, first, "this credential is named twice");
}
