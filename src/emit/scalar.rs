//! Scalars: when text may stand plain, and how it is quoted when it may not. The rule is stricter than either
//! version of YAML asks for: what only looks like a number, a date or a truth value is quoted too.

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A value in block style.
    Block,
    /// Inside `[…]` or `{…}`.
    Flow,
    /// A key.
    Key,
}

/// Words that some reader takes for null, a truth value or a number, in lower case.
const WORDS: &[&str] = &[
    "~",
    "null",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "t",
    "f",
    "inf",
    "nan",
    "infinity",
    "none",
    "nil",
    "undefined",
];

/// Returns `text` as a scalar on one line.
pub(super) fn inline(text: &str, place: Place) -> String {
    if plain(text, place) {
        text.to_owned()
    } else if !text.chars().all(printable) {
        double(text)
    } else if text.contains('\'') && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Returns the lines of `text` and the header of its block scalar, if it may be written as one.
pub(super) fn block(text: &str) -> Option<(&'static str, Vec<&str>)> {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let lines: Vec<_> = body.split('\n').collect();
    let blank = |line: &str| line.chars().all(char::is_whitespace);
    let odd = |line: &&str| !line.is_empty() && blank(line) || !line.chars().all(|c| c == '\t' || printable(c));
    let first = *lines.first()?;
    let last = *lines.last()?;
    let fits = text.contains('\n')
        && !blank(first)
        && !first.starts_with(char::is_whitespace)
        && !last.is_empty()
        && !lines.iter().any(odd);
    fits.then_some((header, lines))
}

/// Returns a float so that readers of both versions see a float and the same one.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    // Rust prints the shortest text that reads back, but `1e16`; YAML 1.1 asks for the dot and the exponent's sign.
    let text = format!("{value:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{dot}e{sign}{exponent}")
}

/// Tells whether `text` may stand without quotes.
fn plain(text: &str, place: Place) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let starts_well = first.is_alphabetic() || matches!(first, '_' | '$' | '/' | '(') || dotted(text);
    let breaks_out = |c: char| ",[]{}:#?|&*!%\"'`".contains(c);
    starts_well
        && text.chars().all(printable)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !WORDS.contains(&text.to_lowercase().as_str())
        && !exponent(text)
        && (place == Place::Block || !text.contains(breaks_out))
}

/// Tells whether `text` is an exponent alone, such as `e3`: the npm package `yaml` reads that as a float.
fn exponent(text: &str) -> bool {
    let text = text.trim_start_matches('.');
    text.strip_prefix(['e', 'E'])
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '_')))
}

/// Tells whether `text` begins like a relative path: `./x`, `../x`, `.github`.
fn dotted(text: &str) -> bool {
    let rest = text.trim_start_matches('.');
    let dots = text.len() - rest.len();
    let name = rest.to_lowercase();
    match dots {
        1 => rest.starts_with(|c: char| c == '/' || c.is_alphabetic()) && !matches!(name.as_str(), "inf" | "nan"),
        2 => rest.starts_with('/'),
        _ => false,
    }
}

/// Tells whether a character may stand as itself: no controls, no line breaks of any version of YAML, nothing that
/// is invisible or turns the direction of writing round.
fn printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{feff}' => false,
        '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}' => false,
        '\u{fff0}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}' => false,
        _ => c > '\u{a0}',
    }
}

/// Returns `text` in double quotes, with everything escaped that is not printable.
fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if printable(c) => out.push(c),
            c if u32::from(c) <= 0xff => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Returns the lines of a comment, each without anything that could end it or hide in it.
pub(super) fn comment_lines(text: &str) -> Vec<String> {
    text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        .map(|line| line.chars().map(|c| if printable(c) { c } else { ' ' }).collect::<String>().trim_end().to_owned())
        .collect()
}
