//! Text of others, as it may be shown. A cell, a column's name, a message of a test can hold what a terminal obeys, what
//! ends a line, or what turns the order of letters round; here each such character becomes its escape, as `\u{1b}`.

use std::borrow::Cow;

/// Returns a text for a sentence: one line, without anything that a terminal obeys. Doing it twice changes nothing more.
#[must_use]
pub fn inline(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// So many characters of a name are shown.
const NAME: usize = 120;
/// So many of what stands between names, which is ours.
const BETWEEN: usize = 1000;

/// Returns a name of others for a sentence: one line, and no more of it than a person reads.
#[must_use]
pub fn name(text: &str) -> Cow<'_, str> {
    let text = inline(text);
    match cut(&text, NAME) {
        Some(begin) => Cow::Owned(format!("{begin}…")),
        None => text,
    }
}

/// Makes a sentence about data fit for one line, as [`inline`] does, and shortens the names in it: what stands between
/// backticks. Doing it twice changes nothing more.
pub fn make_sentence(text: &mut String) {
    make_inline(text);
    if text.len() > NAME {
        let piece = |(index, piece)| match cut(piece, if index % 2 == 1 { NAME } else { BETWEEN }) {
            Some(begin) => format!("{begin}…"),
            None => piece.to_owned(),
        };
        *text = text.split('`').enumerate().map(piece).collect::<Vec<_>>().join("`");
    }
}

/// Returns the begin of a text that has more characters than this, and than one for the mark of it.
fn cut(text: &str, most: usize) -> Option<&str> {
    text.char_indices().nth(most + 1)?;
    text.char_indices().nth(most).map(|(end, _)| &text[..end])
}

/// Returns a text of several lines: their ends and tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |char| matches!(char, '\n' | '\t'))
}

/// As [`lines`], and colours stay.
#[must_use]
pub fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return lines(text);
    }
    let mut parts = text.split('\u{1b}');
    let mut shown = lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let code = part.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(code, _)| code);
        let is_colour = code.is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'));
        shown.push_str(if is_colour { "\u{1b}" } else { "\\u{1b}" });
        shown.push_str(&lines(part));
    }
    Cow::Owned(shown)
}

/// Returns a line of a program's output without the sequences that colour it, move the cursor, set a title or call for
/// something else of a terminal (ECMA-48: CSI, the strings of OSC, DCS, SOS, PM and APC, and short escapes). One that does not end
/// stays, as do other controls: they are for [`lines`] to escape.
#[must_use]
pub fn unpainted(text: &str) -> Cow<'_, str> {
    let begins = |char: char| matches!(char, '\u{1b}' | '\u{80}'..='\u{9f}');
    if !text.contains(begins) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(begins) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        // What is left begins with a character at least.
        let length = sequence(from).unwrap_or_else(|| {
            let first = from.chars().next().map_or(0, char::len_utf8);
            shown.push_str(&from[..first]);
            first
        });
        rest = &from[length..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Returns the length of the sequence that a text begins with, if it is whole.
fn sequence(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let (kind, begun) = match chars.next()? {
        '\u{1b}' => (chars.next()?, 2),
        // One character for an escape and a letter, two bytes long.
        short => (char::from_u32(u32::from(short) - 0x40)?, short.len_utf8()),
    };
    let rest = text.get(begun..)?;
    match kind {
        '[' => {
            let end = rest.find(|char: char| !matches!(char, ' '..='?'))?;
            matches!(rest[end..].chars().next(), Some('@'..='~')).then_some(begun + end + 1)
        }
        ']' | 'P' | 'X' | '^' | '_' => {
            let end = rest.find(['\u{7}', '\u{1b}', '\u{9c}'])?;
            let by = &rest[end..];
            let length = ["\u{7}", "\u{9c}", "\u{1b}\\"].into_iter().find(|end| by.starts_with(end))?.len();
            Some(begun + end + length)
        }
        ' '..='/' => {
            let end = rest.find(|char: char| !matches!(char, ' '..='/'))?;
            matches!(rest[end..].chars().next(), Some('0'..='~')).then_some(begun + end + 1)
        }
        '0'..='~' => Some(begun),
        _ => None,
    }
}

/// As [`inline`], in place.
pub fn make_inline(text: &mut String) {
    if let Cow::Owned(changed) = inline(text) {
        *text = changed;
    }
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let goes = |char: char| is_command(char) && !stays(char);
    if !text.contains(goes) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            // Of what is no control character, some print by the rules of `escape_debug`.
            _ if goes(char) && char.is_control() => shown.extend(char.escape_debug()),
            _ if goes(char) => shown.extend(char.escape_unicode()),
            _ => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// Tells whether a character is for the terminal and not for the reader: controls, ends of lines and paragraphs, and marks
/// that turn the direction of text.
fn is_command(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_letters_stay() {
        let foul = "é\n::x\r\t\0\u{7}\u{1b}[2J\u{9b}31m\u{202e}abc\u{2028}\u{2069}";
        let shown = r"é\n::x\r\t\0\u{7}\u{1b}[2J\u{9b}31m\u{202e}abc\u{2028}\u{2069}";
        assert_eq!(inline(foul), shown);
        assert_eq!(inline(shown), shown);
        assert_eq!(lines("a\n\tb\r"), "a\n\tb\\r");
        assert_eq!(
            coloured("\u{1b}[1;31mred\u{1b}[0m\u{1b}[2J\u{1b}]0;t\u{7}"),
            "\u{1b}[1;31mred\u{1b}[0m\\u{1b}[2J\\u{1b}]0;t\\u{7}"
        );
        assert!(matches!(inline("`ä` is \\ \"good\" 数"), Cow::Borrowed(_)));
    }

    #[test]
    fn long_names_are_shortened_in_sentences_and_nothing_else_is() {
        let long = "n".repeat(5000);
        let mut said = format!("two columns are named `{long}`, beside `b`");
        make_sentence(&mut said);
        assert_eq!(said, format!("two columns are named `{}…`, beside `b`", &long[..NAME]));
        let again = said.clone();
        make_sentence(&mut said);
        assert_eq!(said, again);
        let ours = format!("{} `{}` \\u{{1b}}", "word ".repeat(100), &long[..=NAME]);
        let mut same = ours.clone();
        make_sentence(&mut same);
        assert_eq!(same, ours);
        // Nor does a backtick in a name lead past it.
        let mut foul = format!("no column `a`{long}`");
        make_sentence(&mut foul);
        assert!(foul.len() < BETWEEN + NAME, "{foul}");
        assert_eq!(name(&"é".repeat(200)), "é".repeat(NAME) + "…");
    }

    #[test]
    fn a_log_is_shown_without_its_colours_and_obeys_nobody() {
        let plain = [
            ("\u{1b}[31m\u{1b}[1mError:\u{1b}[0m\u{1b}[0m é", "Error: é"),
            ("a\u{1b}[2K\u{1b}[1;5H\u{1b}[?25lb\u{1b}[38:2::1:2:3mc\u{1b}[!p", "abc"),
            ("\u{1b}]0;title\u{7}x\u{1b}]8;;http://h\u{1b}\\link\u{1b}]8;;\u{1b}\\", "xlink"),
            ("\u{1b}(Bx\u{1b}7y\u{1b}cz\u{1b}P1$r\u{1b}\\.", "xyz."),
            ("\u{9b}31mred\u{9d}0;title\u{9c}", "red"),
        ];
        for (text, shown) in plain {
            assert_eq!(unpainted(text), shown);
        }
        // What is cut off is told as what it is, and so is any other control.
        for text in
            ["\u{1b}", "x\u{1b}[31", "\u{1b}]0;title", "\u{1b}[3\u{7}", "\u{1b}\u{1b}", "\u{1b}é", "\u{7}\u{8}\r"]
        {
            assert_eq!(unpainted(text), text);
            assert!(!lines(&unpainted(text)).contains(char::is_control), "{text:?}");
        }
        assert_eq!(unpainted("\u{1b}[\u{1b}[31mx"), "\u{1b}[x");
        assert!(matches!(unpainted("plain é"), Cow::Borrowed(_)));
    }
}
