//! One text for several legs: markers of a private range of Unicode stand in for the values, and become names or variables of the
//! shell in the end.

use crate::import::dvc::write::Axis;

/// How many legs are tried as the one that the text is made of.
const REFERENCES: usize = 8;

/// Returns the character that stands for the value of an axis.
pub(in super::super) fn marker(axis: usize) -> char {
    u32::try_from(axis).ok().and_then(|axis| char::from_u32(0xe000 + axis)).unwrap_or('\u{e0ff}')
}

/// Puts something in for the markers.
pub(in super::super) fn shown(text: &str, axes: &[Axis], of: impl Fn(&str) -> String) -> String {
    let mut made = text.to_owned();
    for (at, axis) in axes.iter().enumerate() {
        made = made.replace(marker(at), &of(&axis.variable));
    }
    made
}

/// Finds a text with markers that comes to each of the texts when its values are put in.
pub(super) fn generalised(texts: &[String], values: &[Vec<&str>]) -> Option<String> {
    let comes_to = |made: &str| {
        texts.iter().zip(values).all(|(text, values)| {
            let mut put = made.to_owned();
            for (at, value) in values.iter().enumerate() {
                put = put.replace(marker(at), value);
            }
            put == *text
        })
    };
    for whole_words in [true, false] {
        for (text, values) in texts.iter().zip(values).take(REFERENCES) {
            let made = marked(text, values, whole_words);
            if comes_to(&made) {
                return Some(made);
            }
        }
    }
    None
}

/// Puts markers in for values; the longest first, and only for whole words where that is asked.
fn marked(text: &str, values: &[&str], whole_words: bool) -> String {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(values[at].len()));
    let (mut made, mut rest, mut before) = (String::new(), text, None::<char>);
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    'text: while let Some(next) = rest.chars().next() {
        for &at in &order {
            if let Some(behind) = rest.strip_prefix(values[at])
                && (!whole_words || (!is_word(before) && !is_word(behind.chars().next())))
            {
                made.push(marker(at));
                before = values[at].chars().last();
                rest = behind;
                continue 'text;
            }
        }
        made.push(next);
        before = Some(next);
        rest = &rest[next.len_utf8()..];
    }
    made
}

/// Writes markers as variables of the shell, as the quotes around them need it. `None` where a variable is not what its text would be:
/// inside of documents, of `{1..3}`, of names, and before `>`.
pub(super) fn in_shell(script: &str, axes: &[Axis]) -> Option<String> {
    let (mut made, mut quotes, mut document) = (String::new(), None::<char>, None::<String>);
    for line in script.split_inclusive('\n') {
        if let Some(end) = &document {
            if line.contains(is_marker) {
                return None;
            }
            if line.trim_end() == end {
                document = None;
            }
            made.push_str(line);
            continue;
        }
        if let Some((_, end)) = line.split_once("<<").filter(|(_, end)| !end.starts_with('<')) {
            document = Some(end.trim().trim_start_matches('-').trim_matches(['"', '\'']).to_owned());
        }
        let mut escaped = false;
        for (at, c) in line.char_indices() {
            let axis = axes.iter().enumerate().find(|(at, _)| marker(*at) == c).map(|(_, axis)| &axis.variable);
            if let Some(name) = axis {
                let (before, behind) = (&line[..at], &line[at + c.len_utf8()..]);
                if escaped || (quotes != Some('\'') && !is_word_part(before, behind, quotes.is_some())) {
                    return None;
                }
                match quotes {
                    Some('\'') => made.push_str(&format!("'\"${name}\"'")),
                    Some(_) => made.push_str(&format!("${{{name}}}")),
                    None => made.push_str(&format!("\"${name}\"")),
                }
            } else {
                made.push(c);
            }
            if (c == '\'' || c == '"') && !escaped && quotes.is_none_or(|open| open == c) {
                // `$'…'` has rules of its own.
                if quotes.is_none() && line[..at].ends_with('$') {
                    return None;
                }
                quotes = if quotes.is_none() { Some(c) } else { None };
            }
            escaped = c == '\\' && quotes != Some('\'') && !escaped;
        }
    }
    Some(made)
}

/// Tells whether a marker is a part of a plain word: nothing there means more to the shell than its own text.
fn is_word_part(before: &str, behind: &str, quoted: bool) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || is_marker(c);
    // `{a,b}`, `{1..3}`, `${name}`; a group has a space behind its brace.
    let brace = before.rfind('{').filter(|&at| !before[at..].contains('}') && !before[at + 1..].starts_with(' '));
    let name = before.trim_end_matches(is_name);
    let word = before.rsplit(|c: char| c.is_whitespace() || ";|&(".contains(c)).next().unwrap_or_default();
    let assigned = word.chars().all(is_name) && behind.trim_start_matches(is_name).starts_with('=');
    brace.is_none() && !name.ends_with('$') && (quoted || !(assigned || behind.starts_with(['>', '<'])))
}

/// Tells whether a character stands for a value.
pub(super) fn is_marker(c: char) -> bool {
    ('\u{e000}'..'\u{e100}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(names: &[&str]) -> Vec<Axis> {
        names.iter().map(|name| Axis { variable: (*name).to_owned(), values: vec![] }).collect()
    }

    #[test]
    fn a_text_is_found_that_comes_to_each_leg() {
        let of = |texts: &[&str], values: &[Vec<&str>]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            generalised(&texts, values).map(|text| shown(&text, &axes(&["a", "b"]), |name| format!("<{name}>")))
        };
        let legs = [vec!["us"], vec!["eu"]];
        assert_eq!(of(&["data/us/bonus.csv", "data/eu/bonus.csv"], &legs).as_deref(), Some("data/<a>/bonus.csv"));
        assert_eq!(of(&["xusy", "xeuy"], &legs).as_deref(), Some("x<a>y"));
        assert_eq!(of(&["same", "same"], &legs).as_deref(), Some("same"));
        assert_eq!(of(&["us 15", "eu 20"], &legs), None);
        let pairs = [vec!["1", "x"], vec!["1", "y"], vec!["2", "x"], vec!["2", "y"]];
        assert_eq!(of(&["1/x", "1/y", "2/x", "2/y"], &pairs).as_deref(), Some("<a>/<b>"));
        // `train` is the value of one leg and a word of both.
        let words = [vec!["train"], vec!["test"]];
        assert_eq!(of(&["train.py train", "train.py test"], &words).as_deref(), Some("train.py <a>"));
    }

    #[test]
    fn a_variable_is_quoted_as_its_place_needs_it() {
        let item = marker(0);
        let of = |text: &str| in_shell(&text.replace('@', &item.to_string()), &axes(&["item"]));
        assert_eq!(
            of("fit @ -o \"m/@.pkl\" '@x'\n").as_deref(),
            Some("fit \"$item\" -o \"m/${item}.pkl\" ''\"$item\"'x'\n")
        );
        assert_eq!(of("cat <<END\n@\nEND\n"), None);
        assert_eq!(of("cat <<END\nx '\nEND\nfit @\n").as_deref(), Some("cat <<END\nx '\nEND\nfit \"$item\"\n"));
        assert_eq!(of("{ fit @; }\n").as_deref(), Some("{ fit \"$item\"; }\n"));
        assert_eq!(of("fit --to=@\n").as_deref(), Some("fit --to=\"$item\"\n"));
        // Where a variable would be something else than its text.
        for odd in ["fit \\@", "echo {1..@}", "echo ${A_@}", "echo \"$A_@\"", "A_@=1 fit", "fit @>log", "echo $'@'"] {
            assert_eq!(of(&format!("{odd}\n")), None, "{odd}");
        }
    }
}
