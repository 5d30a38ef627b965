//! What a script of bash or sh reads and sets, as far as its text tells without being run.

use std::collections::HashSet;

fn name_at(text: &str) -> &str {
    let end = text.bytes().position(|c| !(c.is_ascii_alphanumeric() || c == b'_')).unwrap_or(text.len());
    &text[..end]
}

/// A variable that a script reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read<'t> {
    /// Where its name stands.
    pub(crate) at: usize,
    pub(crate) name: &'t str,
    /// It says what it is where nothing sets it: `${name:-…}`.
    pub(crate) has_default: bool,
}

/// Returns the variables that a script reads by `$name` or `${name…}`; single quotes, comments and quoted here-documents apart.
pub(crate) fn reads(text: &str) -> Vec<Read<'_>> {
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

/// Returns the variable that a `$` reads.
fn variable(text: &str, at: usize) -> Option<Read<'_>> {
    let bytes = text.as_bytes();
    let braced = bytes.get(at + 1) == Some(&b'{');
    // Its length, or what the variable that it names holds.
    let marked = braced && matches!(bytes.get(at + 2), Some(b'#' | b'!'));
    let at = at + 1 + usize::from(braced) + usize::from(marked);
    let name = text.get(at..).map(name_at).unwrap_or_default();
    let next = bytes.get(at + name.len());
    let has_default = braced && matches!(next, Some(b':' | b'-' | b'=' | b'+' | b'?'));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_name.then_some(Read { at, name, has_default })
}

/// Iterates over the variables in the body of a here-document, where quotes are characters like others.
fn expanded(text: &str, body: std::ops::Range<usize>) -> Vec<Read<'_>> {
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
pub(crate) fn sets(text: &str) -> HashSet<&str> {
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
        let names: Vec<(&str, bool)> = reads(script).into_iter().map(|read| (read.name, read.has_default)).collect();
        assert_eq!(names, [("model", false), ("brace", false), ("given", true), ("HOME", false), ("late", false)]);
    }

    #[test]
    fn here_documents_are_expanded_unless_their_word_is_quoted() {
        let read = |script: &str| reads(script).into_iter().map(|read| read.name.to_owned()).collect::<Vec<_>>();
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
        assert_eq!(read("echo ${#length} ${!named} $1 $? ${@}"), ["length", "named"]);
    }

    #[test]
    fn arithmetic_sets() {
        let script = "(( i = 1 )); for (( j = 0; j < 3; j++ )); do (( k++ )); done; x=$(( n = 2 )); let \"m = 1\"\n\
                      ((a = 1, b += 2)); (( --c )); (( d <<= 1 )); exec {fd}>log; wait -n -p pid";
        let names = sets(script);
        for name in ["i", "j", "k", "n", "m", "a", "b", "c", "d", "fd", "pid"] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
        for script in ["(( p == 1 ))", "(( p <= 1 ))", "(( p >= q ))", "(( p != 1 ))"] {
            assert!(sets(script).is_empty(), "{script}: {:?}", sets(script));
        }
    }

    #[test]
    fn what_a_script_sets_is_known() {
        let script = "x=1; for y in a b; do read -r z; local w=2; arr[0]=1; done; foo --opt=3";
        let names = sets(script);
        for name in ["x", "y", "z", "w", "arr"] {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("foo"));
    }
}
