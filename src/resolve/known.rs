//! What is known of a run, held against texts: a profile that there is not, and a branch that has no such name, never hold.

use super::cx::{Cx, Decl};
use super::expr::Typed;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::Span;
use crate::types::{Context, Expr, Value};

/// Says that a comparison with what is known of the run decides nothing.
pub(super) fn compared(cx: &mut Cx<'_>, sides: [(&Typed, Span); 2]) -> Option<()> {
    let [a, b] = sides;
    let (context, (typed, place)) = match (&a.0.expr, &b.0.expr) {
        (Expr::Context(context), _) => (*context, b),
        (_, Expr::Context(context)) => (*context, a),
        _ => return Some(()),
    };
    let Expr::Value(Value::String(text)) = &typed.expr else { return Some(()) };
    match context {
        Context::Profile => profile(cx, text, place),
        Context::Branch => branch(cx, text, place),
        Context::Event => Some(()),
    }
}

/// A module does not know the profiles of whoever takes from it.
fn profile(cx: &mut Cx<'_>, text: &str, place: Span) -> Option<()> {
    let is_declared = matches!(cx.peek(text), Some((Decl::Profile(_), _)));
    let in_module = cx.model.pipeline.is_none() || cx.model.modules.contains(&place.file);
    if text.is_empty() || is_declared || cx.model.torn || in_module {
        return Some(());
    }
    let names: Vec<&str> = cx.model.profiles.iter().map(|profile| profile.name.value.as_str()).collect();
    let message = format!("there is no profile `{text}`");
    let diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, place, message);
    let diagnostic = match nearest(text, names.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `\"{near}\"`?")),
        None if names.is_empty() => diagnostic.help(format!("declare it: `profile {text} {{ set … }}`")),
        None => diagnostic.help(format!("there are `{}`; without one it is `\"\"`", names.join("`, `"))),
    };
    cx.report(diagnostic)
}

fn branch(cx: &mut Cx<'_>, text: &str, place: Span) -> Option<()> {
    if !text.starts_with("refs/") {
        return Some(());
    }
    let message = format!("`branch` is the name alone, and never `{text}`");
    let diagnostic = Diagnostic::new(codes::WRONG_TYPE, place, message);
    cx.report(match text.strip_prefix("refs/heads/").filter(|name| !name.is_empty()) {
        Some(name) => diagnostic.help(format!("write `\"{name}\"`")).fix(place, format!("\"{name}\"")),
        None => diagnostic.help("write the name of a branch, as in `branch == \"main\"`"),
    })
}
