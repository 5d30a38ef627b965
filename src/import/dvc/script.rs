//! Commands of DVC as a script: templates become variables, quoted as the place where they stand needs it.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::template::{Origin, Piece};
use super::yaml::scalar;

/// A script and what it needs.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Script {
    pub(super) text: String,
    /// Parameters that it reads.
    pub(super) uses: Vec<String>,
    /// Values that it holds as they are now, with why.
    pub(super) fixed: Vec<(String, &'static str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// Writes commands as a script; `name` gives the parameter that holds a value.
pub(super) fn write(commands: &[Vec<Piece>], mut name: impl FnMut(&Origin, &Value) -> Option<String>) -> Script {
    let mut script = Script::default();
    for pieces in commands {
        let mut quotes = Quotes::None;
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    quotes = after(text, quotes);
                    script.text.push_str(text);
                }
                Piece::Value { value, origin } => put(&mut script, value, origin, quotes, &mut name),
            }
        }
        let length = script.text.trim_end().len();
        script.text.truncate(length);
        script.text.push('\n');
    }
    script
}

fn put(
    script: &mut Script,
    value: &Value,
    origin: &Origin,
    quotes: Quotes,
    name: &mut impl FnMut(&Origin, &Value) -> Option<String>,
) {
    if let Value::Mapping(fields) = value {
        // DVC writes a section as options of a command.
        for (index, (key, value)) in fields.iter().enumerate() {
            let key = super::yaml::key(key);
            if matches!(value, Value::Bool(false)) {
                script.fixed.push((key, "a switch that is off"));
                continue;
            }
            script.text.push_str(if index == 0 { "--" } else { " --" });
            script.text.push_str(&key);
            if matches!(value, Value::Bool(true)) {
                script.fixed.push((key, "a switch that is on"));
                continue;
            }
            script.text.push(' ');
            match value {
                Value::Sequence(items) => {
                    let items: Vec<_> = items.iter().filter_map(scalar).map(|item| shell_quote(&item)).collect();
                    script.text.push_str(&items.join(" "));
                    script.fixed.push((key, "a list"));
                }
                value => put(script, value, &below(origin, &key), quotes, name),
            }
        }
        return;
    }
    let now = scalar(value).unwrap_or_default();
    let splits = now.contains(|c: char| !(c.is_alphanumeric() || "_-./:=,+@%".contains(c)));
    let shown = match origin {
        Origin::File { keys, .. } | Origin::Vars(keys) | Origin::Item(keys) => keys.join("."),
    };
    let plain_words = now.chars().all(|c| c == ' ' || c.is_alphanumeric() || "_-./:=,+@%".contains(c));
    if quotes == Quotes::None && splits && !plain_words {
        script.text.push_str(&now);
        if !matches!(origin, Origin::Item(_)) {
            script.fixed.push((shown, "a text that the shell takes apart"));
        }
        return;
    }
    let Some(name) = name(origin, value) else {
        script.text.push_str(&now);
        if !matches!(origin, Origin::Item(_)) {
            script.fixed.push((shown, "no value that a variable can hold"));
        }
        return;
    };
    let written = match quotes {
        Quotes::Double => format!("${{{name}}}"),
        Quotes::Single => format!("'\"${name}\"'"),
        // DVC puts the text into the command, where the shell makes words of it.
        Quotes::None if splits => format!("${{{name}}}"),
        Quotes::None => format!("\"${name}\""),
    };
    script.text.push_str(&written);
    if !script.uses.contains(&name) {
        script.uses.push(name);
    }
}

fn below(origin: &Origin, key: &str) -> Origin {
    let deeper = |keys: &[String]| keys.iter().cloned().chain([key.to_owned()]).collect();
    match origin {
        Origin::File { file, keys } => Origin::File { file: file.clone(), keys: deeper(keys) },
        Origin::Vars(keys) => Origin::Vars(deeper(keys)),
        Origin::Item(keys) => Origin::Item(deeper(keys)),
    }
}

fn shell_quote(text: &str) -> String {
    if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-./:=,+@%".contains(c)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn after(text: &str, mut quotes: Quotes) -> Quotes {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        quotes = match (quotes, c) {
            (Quotes::None | Quotes::Double, '\\') => {
                chars.next();
                quotes
            }
            (Quotes::None, '\'') => Quotes::Single,
            (Quotes::None, '"') => Quotes::Double,
            (Quotes::Single, '\'') | (Quotes::Double, '"') => Quotes::None,
            _ => quotes,
        };
    }
    quotes
}

/// Returns the variables that a script reads and does not set, apart from those that every stage has.
pub(super) fn variables(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut set: BTreeSet<String> = [
        "HOME",
        "PATH",
        "TMPDIR",
        "PWD",
        "OLDPWD",
        "LANG",
        "TZ",
        "RANDOM",
        "SECONDS",
        "IFS",
        "UID",
        "HOSTNAME",
        "BASH_SOURCE",
    ]
    .map(str::to_owned)
    .into();
    let bytes = script.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut quotes = Quotes::None;
    let mut at = 0;
    let mut word_start = true;
    let mut setting = false;
    while at < bytes.len() {
        let byte = bytes[at];
        if quotes != Quotes::Single && byte == b'$' {
            let braced = bytes.get(at + 1) == Some(&b'{');
            let start = at + 1 + usize::from(braced);
            let length = bytes[start.min(bytes.len())..].iter().take_while(|byte| is_name(byte)).count();
            let name = &script[start.min(bytes.len())..(start + length).min(bytes.len())];
            let defaulted = braced && matches!(bytes.get(start + length), Some(b':' | b'-' | b'=' | b'+' | b'?'));
            let digit = name.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
            if !digit && !defaulted && !set.contains(name) && !found.iter().any(|have| have == name) {
                found.push(name.to_owned());
            }
            at = start + length;
            word_start = false;
            continue;
        }
        if quotes == Quotes::None && word_start && (byte.is_ascii_alphabetic() || byte == b'_') {
            let length = bytes[at..].iter().take_while(|byte| is_name(byte)).count();
            let name = &script[at..at + length];
            let next = bytes.get(at + length);
            if setting || (next == Some(&b'=') && bytes.get(at + length + 1) != Some(&b'=')) {
                set.insert(name.to_owned());
            }
            setting =
                matches!(name, "for" | "read" | "local" | "export" | "declare" | "mapfile" | "readarray" | "select");
            at += length;
            word_start = false;
            continue;
        }
        quotes = match (quotes, byte) {
            (Quotes::None | Quotes::Double, b'\\') => {
                at += 1;
                quotes
            }
            (Quotes::None, b'\'') => Quotes::Single,
            (Quotes::None, b'"') => Quotes::Double,
            (Quotes::Single, b'\'') | (Quotes::Double, b'"') => Quotes::None,
            _ => quotes,
        };
        word_start = byte.is_ascii_whitespace() || matches!(byte, b';' | b'&' | b'|' | b'(' | b'`');
        at += 1;
    }
    found
}

/// Returns the words of a script, quotes and operators taken off.
pub(super) fn words(script: &str) -> Vec<String> {
    let separators = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ';' | '(' | ')' | '<' | '>' | ',' | '&' | '|' | '`')
    };
    script
        .split(separators)
        .map(|word| word.trim_start_matches("./").to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns the programs that a script calls.
pub(super) fn programs(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    for command in script.replace("\\\n", " ").split(['\n', ';', '&', '|', '(', '`']) {
        let word = command.split_whitespace().find(|word| {
            let name = word.split('=').next().unwrap_or_default();
            let assignment = word.contains('=') && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            !assignment
                && !matches!(*word, "then" | "do" | "else" | "time" | "exec" | "env" | "nice" | "{" | "!" | "sudo")
        });
        if let Some(word) = word.map(|word| super::path::name(word.trim_matches(['"', '\'']))) {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::dvc::template::{Context, Source, pieces};
    use crate::import::dvc::yaml;

    fn script(text: &str) -> Script {
        let params = "lr: 0.1\nname: my net\nodd: 'a;b'\nopts: {depth: 3, fast: true, slow: false, sizes: [1, 2]}";
        let mut context = Context::default();
        context.push(Source::File("params.yaml".into()), yaml::read(params).expect("YAML"));
        let pieces = pieces(text, &context).expect("known");
        write(&[pieces], |origin, value| match origin {
            Origin::File { keys, .. } => super::super::params::type_of(value).map(|_| keys.join("_")),
            _ => None,
        })
    }

    #[test]
    fn templates_become_variables_as_their_quotes_need_it() {
        assert_eq!(
            script("run --lr ${lr} \"at ${lr}\" 'of ${lr}'").text,
            "run --lr \"$lr\" \"at ${lr}\" 'of '\"$lr\"''\n"
        );
        assert_eq!(script("run ${name}").text, "run ${name}\n", "the shell makes words of it, as with DVC");
        let odd = script("run ${odd}");
        assert_eq!(odd.text, "run a;b\n");
        assert_eq!(odd.fixed.len(), 1);
    }

    #[test]
    fn a_section_becomes_options() {
        let made = script("run ${opts}");
        assert_eq!(made.text, "run --depth \"$opts_depth\" --fast --sizes 1 2\n");
        assert_eq!(made.uses, ["opts_depth"]);
    }

    #[test]
    fn variables_that_a_script_sets_are_not_asked_of_the_environment() {
        let script = "X=1 y=2; echo $X ${y} $DATA_DIR '$quoted' ${GIVEN:-1} $1\nfor f in a; do echo $f $HOME; done";
        assert_eq!(variables(script), ["DATA_DIR"]);
    }

    #[test]
    fn programs_stand_first() {
        assert_eq!(programs("PYTHONPATH=src python a.py && git rev-parse | tee x"), ["python", "git", "tee"]);
    }
}
