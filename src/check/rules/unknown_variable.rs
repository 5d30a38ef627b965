//! Variables in scripts: a near miss of a declared name is a slip; another one that nothing sets is worth a word.

use std::collections::HashSet;

use super::common::{likely_release, works};
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{self, Model, NodeId, NodeKind, OF_RELEASE, Origin, Work};
use crate::source::Span;
use crate::types::{Command, Interpreter};

pub(in crate::check) struct UnknownVariable;

impl Rule for UnknownVariable {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let params: HashSet<&str> = subject.model.params.iter().map(|(_, param)| param.name.value.as_str()).collect();
        for (id, work) in works(subject.model) {
            if let (Some(Command::Script { interpreter: Interpreter::Bash | Interpreter::Sh, .. }), Some(span)) =
                (&work.command, work.script_span)
            {
                check(subject, &params, id, work, span, found);
            }
        }
    }
}

fn check(
    subject: &Subject<'_>,
    params: &HashSet<&str>,
    id: NodeId,
    work: &Work,
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    let text = subject.sources.slice(span);
    let known: HashSet<&str> =
        work.locals.iter().map(|local| local.value.as_str()).chain(work.pass_env.iter().map(String::as_str)).collect();
    let mut assigned: Option<HashSet<&str>> = None;
    let mut told: HashSet<&str> = HashSet::new();
    for (at, name) in variables(text) {
        if known.contains(name)
            || assigned.get_or_insert_with(|| assignments(text)).contains(name)
            || !told.insert(name)
        {
            continue;
        }
        let start = span.start + at as u32;
        let place = Span::new(span.file, start, start + name.len() as u32);
        found.push(describe(subject, params, id, work, place, name));
    }
}

fn describe(
    subject: &Subject<'_>,
    params: &HashSet<&str>,
    id: NodeId,
    work: &Work,
    place: Span,
    name: &str,
) -> Diagnostic {
    let node = &subject.model.nodes[id].name.value;
    if params.contains(name) {
        let message = format!("`{node}` does not use the parameter `{name}`, so its script does not see it");
        return Diagnostic::new(codes::UNKNOWN_VARIABLE, place, message).help(format!("add `use {name}`")).add_clause(
            subject.sources,
            work.command_span,
            &format!("use {name}"),
        );
    }
    // Two names of a letter or two are near each other whatever they are.
    let long = work.locals.iter().map(|local| local.value.as_str()).filter(|local| local.len().min(name.len()) > 2);
    let near = nearest(name, long);
    if let Some(near) = near
        && let Some(local) = work.locals.iter().find(|local| local.value == near)
    {
        let message = format!("no variable `{name}` in `{node}`");
        return Diagnostic::new(codes::UNKNOWN_VARIABLE, place, message)
            .label(local.span, format!("`{near}` is declared here"))
            .help(format!("did you mean `${near}`?"))
            .fix_near(place, name, near, work.locals.iter().map(|local| local.value.as_str()));
    }
    let message = format!("nothing sets `{name}`");
    // `in data = prepare.train` gives the input its own name, not the output's.
    let renamed = work.inputs.iter().find(|input| match input.origin {
        Origin::Output(id) => subject.model.output(id).is_some_and(|output| output.name.value == name),
        Origin::Source(_) | Origin::Pointer(_) => false,
    });
    if let Some(input) = renamed {
        return Diagnostic::new(codes::UNSET_VARIABLE, place, message)
            .label(input.span, format!("its name here is `{}`", input.name.value))
            .help(format!("write `${}`", input.name.value));
    }
    if let Some(help) = of_release(subject.model, id, place, name) {
        return Diagnostic::new(codes::UNSET_VARIABLE, place, message).help(help);
    }
    let help = match subject.model.forgotten_input(&work.inputs, place, name) {
        Some(input) => {
            format!("{input}; or declare it as an output or parameter, or let it through: `pass_env [\"{name}\"]`")
        }
        None => format!("declare it as an input, output or parameter, or let it through: `pass_env [\"{name}\"]`"),
    };
    Diagnostic::new(codes::UNSET_VARIABLE, place, message).help(help)
}

/// Returns what to write where an action asks for what only one `of` a release is told. To read the model instead would act on it without
/// its release.
fn of_release(model: &Model, id: NodeId, place: Span, name: &str) -> Option<String> {
    let node = &model.nodes[id];
    let NodeKind::Action(action) = &node.kind else { return None };
    if matches!(action.of, Some(model::Subject::Release(_))) || !OF_RELEASE.contains(&name) {
        return None;
    }
    let (release, node) = (likely_release(model, place)?, &node.name.value);
    Some(format!("an action of a release has it: `action {node} of {release}`"))
}

fn name_at(text: &str) -> &str {
    let end = text.bytes().position(|c| !(c.is_ascii_alphanumeric() || c == b'_')).unwrap_or(text.len());
    &text[..end]
}

/// Iterates over the lower-case variables that a script reads, single quotes, comments and quoted here-documents apart, with where their
/// names stand. What has a default of its own is passed over.
fn variables(text: &str) -> Vec<(usize, &str)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut documents: Vec<Document<'_>> = Vec::new();
    let (mut at, mut double) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => double = !double,
            b'\'' if !double => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'\'' {
                    at += 1;
                }
            }
            b'#' if !double && (at == 0 || bytes[at - 1].is_ascii_whitespace()) => {
                while at + 1 < bytes.len() && bytes[at + 1] != b'\n' {
                    at += 1;
                }
            }
            b'<' if !double && text[at..].starts_with("<<") => {
                let operator = text[at..].len() - text[at..].trim_start_matches('<').len();
                documents.extend(Document::announced(&text[at + 2..]).filter(|_| operator == 2));
                at += operator - 1;
            }
            b'\n' => {
                for document in documents.drain(..) {
                    let Some((body, end)) = document.body(text, at + 1) else { continue };
                    if !document.quoted {
                        found.extend(expanded(text, body));
                    }
                    // The line end before the next one's body, or the next command.
                    at = end;
                }
            }
            b'$' => found.extend(variable(text, at)),
            _ => {}
        }
        at += 1;
    }
    found
}

/// Returns the variable that a `$` reads, with where its name stands.
fn variable(text: &str, at: usize) -> Option<(usize, &str)> {
    let bytes = text.as_bytes();
    let braced = bytes.get(at + 1) == Some(&b'{');
    let start = at + 1 + usize::from(braced);
    let name = text.get(start..).map(name_at).unwrap_or_default();
    let next = bytes.get(start + name.len());
    let defaulted = braced && matches!(next, Some(b':' | b'-' | b'=' | b'+' | b'?'));
    let lower =
        name.bytes().next().is_some_and(|c| c.is_ascii_lowercase()) && !name.bytes().any(|c| c.is_ascii_uppercase());
    (lower && !defaulted).then_some((start, name))
}

/// Iterates over the variables in the body of a here-document, where quotes are characters like others.
fn expanded(text: &str, body: std::ops::Range<usize>) -> Vec<(usize, &str)> {
    let (mut found, mut at) = (Vec::new(), body.start);
    while at < body.end {
        match text.as_bytes()[at] {
            b'\\' => at += 1,
            b'$' => found.extend(variable(text, at)),
            _ => {}
        }
        at += 1;
    }
    found
}

/// A here-document whose body begins on the next line.
struct Document<'t> {
    /// The line that ends it.
    end: &'t str,
    /// Its word is quoted, so that nothing in it is expanded.
    quoted: bool,
}

impl<'t> Document<'t> {
    /// Reads what stands behind `<<`; nothing where no word does.
    fn announced(text: &'t str) -> Option<Self> {
        let text = text.strip_prefix('-').unwrap_or(text).trim_start_matches([' ', '\t']);
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '\\'));
        let text = if quote.is_some() { &text[1..] } else { text };
        let is_end = |c: char| match quote {
            Some('\\') | None => c.is_whitespace() || ";&|()<>".contains(c),
            Some(quote) => c == quote || c == '\n',
        };
        let end = &text[..text.find(is_end).unwrap_or(text.len())];
        (!end.is_empty()).then_some(Self { end, quoted: quote.is_some() })
    }

    /// Returns where its body stands, which begins at `start`, and the end of the line that ends it; nothing where that never comes: then
    /// it was no here-document.
    fn body(&self, text: &str, start: usize) -> Option<(std::ops::Range<usize>, usize)> {
        let mut at = start;
        while at < text.len() {
            let length = text[at..].find('\n').unwrap_or(text.len() - at);
            let line = text[at..at + length].trim_end_matches('\r');
            // The script stands indented in the file, which is taken away before it runs.
            if line.trim_start() == self.end {
                return Some((start..at, at + length));
            }
            at += length + 1;
        }
        None
    }
}

/// Returns the names that a script sets by itself.
fn assignments(text: &str) -> HashSet<&str> {
    let mut names = HashSet::new();
    for line in text.split(['\n', ';', '&', '|', '(']) {
        let mut setting = false;
        let mut before = "";
        for word in line.split_whitespace() {
            let descriptor = word.starts_with('{');
            let word = word.trim_start_matches(['{', '"']);
            let name = name_at(word);
            let behind = &word[name.len()..];
            let opened = descriptor && (behind.starts_with("}>") || behind.starts_with("}<"));
            let given = ["=", "+=", "["].iter().any(|sign| behind.starts_with(sign));
            if !name.is_empty() && (setting || given || opened) {
                names.insert(name);
            }
            setting |= matches!(
                word,
                "for"
                    | "read"
                    | "local"
                    | "declare"
                    | "export"
                    | "readonly"
                    | "typeset"
                    | "mapfile"
                    | "readarray"
                    | "getopts"
                    | "select"
                    | "-v"
            );
            setting |= word == "-p" && before == "wait";
            if word == "in" {
                setting = false;
            }
            if !word.starts_with('-') {
                before = word;
            }
        }
        if let Some((_, told)) = line.split_once("let ") {
            names.extend(computed(told));
        }
    }
    let mut rest = text;
    while let Some(at) = rest.find("((") {
        rest = &rest[at + 2..];
        names.extend(computed(&rest[..rest.find("))").unwrap_or(rest.len())]));
    }
    names
}

/// Iterates over the names that an arithmetic expression of the shell sets: `i = 1`, `n += 2`, `j++`, `--k`.
fn computed(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let name = name_at(&text[at..]);
        if name.is_empty() {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let (before, behind) = (text[..at].trim_end(), text[at + name.len()..].trim_start());
        let sign = behind.trim_start_matches(['+', '-', '*', '/', '%', '&', '|', '^', '<', '>']);
        let assigned = sign.starts_with('=') && !sign.starts_with("==") && {
            // `a <= b` compares, `a <<= b` sets.
            !matches!(&behind[..behind.len() - sign.len()], "<" | ">")
        };
        let stepped =
            [before.ends_with("++"), before.ends_with("--"), behind.starts_with("++"), behind.starts_with("--")];
        if !name.starts_with(|c: char| c.is_ascii_digit()) && (assigned || stepped.contains(&true)) {
            names.push(name);
        }
        at += name.len();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_defaults_are_told_apart() {
        let script = "echo \"$model\" '$single' \\$escaped ${brace} ${given:-1} $HOME # $comment\n\"it's $late\"";
        let names: Vec<&str> = variables(script).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["model", "brace", "late"]);
    }

    #[test]
    fn here_documents_are_expanded_unless_their_word_is_quoted() {
        let read = |script: &str| variables(script).into_iter().map(|(_, name)| name.to_owned()).collect::<Vec<_>>();
        for word in ["'EOF'", "\"EOF\"", "\\EOF", " 'EOF'", "-'EOF'"] {
            assert_eq!(
                read(&format!("  cat <<{word} > \"$o\"\n  it's $inner\n  EOF\n  echo $after")),
                ["o", "after"],
                "{word}"
            );
        }
        assert_eq!(read("cat <<EOF\nit's $inner \\$escaped\nEOF\necho '$single' $after"), ["inner", "after"]);
        assert_eq!(read("cat <<A <<'B'\n$one\nA\n$two\nB\necho $after"), ["one", "after"]);
        assert_eq!(read("cat <<< \"$word\"\necho $(( 1 << 2 ))\necho $after"), ["word", "after"]);
        assert_eq!(read("cat <<"), Vec::<String>::new());
    }

    #[test]
    fn arithmetic_sets() {
        let script = "(( i = 1 )); for (( j = 0; j < 3; j++ )); do (( k++ )); done; x=$(( n = 2 )); let \"m = 1\"\n\
                      ((a = 1, b += 2)); (( --c )); (( d <<= 1 )); exec {fd}>log; wait -n -p pid";
        let names = assignments(script);
        for name in ["i", "j", "k", "n", "m", "a", "b", "c", "d", "fd", "pid"] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
        for script in ["(( p == 1 ))", "(( p <= 1 ))", "(( p >= q ))", "(( p != 1 ))"] {
            assert!(assignments(script).is_empty(), "{script}: {:?}", assignments(script));
        }
    }

    #[test]
    fn what_a_script_sets_is_known() {
        let script = "x=1; for y in a b; do read -r z; local w=2; arr[0]=1; done; foo --opt=3";
        let names = assignments(script);
        for name in ["x", "y", "z", "w", "arr"] {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("foo"));
    }
}
