//! `"$data"` in an argument list: no shell reads it, so that the program gets the dollar.

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;
use crate::types::{Command, Expr, Value};

pub(in crate::check) struct VariableInArguments;

impl Rule for VariableInArguments {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        for (_, work) in works(subject.model) {
            let Some(Command::Arguments(list)) = &work.command else { continue };
            if list.iter().any(is_for_a_shell) {
                continue;
            }
            let text = subject.sources.slice(work.command_span);
            for (range, name) in variables(text) {
                if work.locals.iter().any(|local| local.value == name) {
                    found.push(describe(work.command_span, text, range, name));
                }
            }
        }
    }
}

/// Tells whether an argument says that the next one is a script: `-c`, `-euc`.
fn is_for_a_shell(argument: &Expr) -> bool {
    let Expr::Value(Value::String(text)) = argument else { return false };
    text.strip_prefix('-')
        .is_some_and(|flags| flags.ends_with('c') && flags.bytes().all(|flag| flag.is_ascii_lowercase()))
}

/// Iterates over `$name` and `${name}` with their names.
fn variables(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str)> {
    text.match_indices('$').filter_map(|(at, _)| {
        let braced = text[at + 1..].starts_with('{');
        let start = at + 1 + usize::from(braced);
        let end =
            text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map(|length| start + length)?;
        let closed = !braced || text[end..].starts_with('}');
        (closed && start < end).then(|| (at..end + usize::from(braced), &text[start..end]))
    })
}

fn describe(whole: Span, text: &str, range: std::ops::Range<usize>, name: &str) -> Diagnostic {
    let place =
        |from: usize, to: usize| Span { start: whole.start + from as u32, end: whole.start + to as u32, ..whole };
    let written = &text[range.clone()];
    let message = format!("`{written}` stays as it is in an argument list: no shell reads it");
    let alone = text[..range.start].ends_with('"') && text[range.end..].starts_with('"');
    let diagnostic = Diagnostic::new(codes::VARIABLE_IN_ARGUMENTS, place(range.start, range.end), message);
    if alone {
        let help = format!("write `{name}`, without quotes: names in the list are the values");
        diagnostic.help(help).fix(place(range.start - 1, range.end + 1), name)
    } else {
        diagnostic.help(format!("write `{{{name}}}` in `\"…\"`"))
    }
}
