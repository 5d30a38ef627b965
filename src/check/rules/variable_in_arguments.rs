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
            if list.iter().any(is_for_a_shell) || is_for_its_program(list) {
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

/// Programs with variables of their own, or that hand a line to a shell.
const OWN: [&str; 20] = [
    "awk",
    "envsubst",
    "gawk",
    "gojq",
    "jq",
    "make",
    "gmake",
    "mawk",
    "nawk",
    "osascript",
    "parallel",
    "perl",
    "php",
    "powershell",
    "pwsh",
    "qsub",
    "ruby",
    "sbatch",
    "ssh",
    "yq",
];

/// Programs that run the one that is named behind them.
const AROUND: [&str; 10] = ["chrt", "env", "ionice", "nice", "nohup", "setsid", "srun", "stdbuf", "time", "timeout"];

/// Tells whether the program of a list may mean the `$` itself. Behind `timeout` and its like it is any of the words.
fn is_for_its_program(list: &[Expr]) -> bool {
    let word = |argument: &Expr| match argument {
        Expr::Value(Value::String(text)) => Some(text.rsplit('/').next().unwrap_or(text).to_owned()),
        _ => None,
    };
    let mut words = list.iter().map_while(word);
    let Some(first) = words.next() else { return false };
    let is_own = |word: &str| OWN.contains(&word);
    is_own(&first) || (AROUND.contains(&first.as_str()) && words.any(|word| is_own(&word)))
}

/// Iterates over `$name` and `${name}` with their names. In `'…'`, and behind another `$`, nobody means a variable of the list.
fn variables(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str)> {
    let verbatim = verbatim(text);
    text.match_indices('$').filter_map(move |(at, _)| {
        if text[..at].ends_with('$') || verbatim.iter().any(|range| range.contains(&at)) {
            return None;
        }
        let braced = text[at + 1..].starts_with('{');
        let start = at + 1 + usize::from(braced);
        let end =
            text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map(|length| start + length)?;
        let closed = !braced || text[end..].starts_with('}');
        (closed && start < end).then(|| (at..end + usize::from(braced), &text[start..end]))
    })
}

/// Returns where `'…'` stand.
fn verbatim(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut quote, mut escaped) = (Vec::new(), None, false);
    for (at, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some(('"', _)) if c == '\\' => escaped = true,
            Some((open, start)) if c == open => {
                if open == '\'' {
                    found.push(start..at);
                }
                quote = None;
            }
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some((c, at)),
            None => {}
        }
    }
    found
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
