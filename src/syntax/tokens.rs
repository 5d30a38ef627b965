//! A plain cut of a text into tokens, comments and line ends included: what the formatter moves and what syntax errors
//! point at. It never fails; a text that the splitter finds fault with is cut somehow.

use super::split::{foreign, opens_block};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Word,
    /// Digits with what is glued to them.
    Number,
    /// `"…"` or `'…'`.
    Str,
    /// Raw text of either form.
    Raw,
    /// `#` up to the end of the line, or what another language has for it.
    Comment,
    /// `\n` or `\r\n`.
    Newline,
    /// `(`, `[`, `{`.
    Open,
    /// `)`, `]`, `}`.
    Close,
    /// Anything else, one operator or character.
    Punct,
}

/// A token: bytes `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    /// Returns the token's text.
    pub(super) fn text(self, text: &str) -> &str {
        &text[self.start..self.end]
    }

    /// Tells whether it is neither a comment nor a line end.
    pub(super) fn is_code(self) -> bool {
        !matches!(self.kind, Kind::Comment | Kind::Newline)
    }
}

/// Operators of two characters.
const PAIRS: [&str; 9] = ["==", "!=", "<=", ">=", "..", "&&", "||", "->", "=>"];

/// Cuts `text` into tokens; blanks between them are left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut code = 0;
    while at < bytes.len() {
        let start = at;
        let fresh = tokens.last().is_none_or(|last: &Token| last.kind == Kind::Newline);
        if matches!(bytes[at], b'/' | b'-')
            && let Some(end) = foreign(text, at, code, fresh)
        {
            tokens.push(Token { kind: Kind::Comment, start, end });
            at = end;
            continue;
        }
        let kind = match bytes[at] {
            b' ' | b'\t' => {
                at += 1;
                continue;
            }
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {
                at += 2;
                Kind::Newline
            }
            b'\r' => {
                at += 1;
                continue;
            }
            b'\n' => {
                at += 1;
                Kind::Newline
            }
            b'#' => {
                at = line_end(text, at);
                Kind::Comment
            }
            b'(' | b'[' | b'{' => {
                at += 1;
                Kind::Open
            }
            b')' | b']' | b'}' => {
                at += 1;
                Kind::Close
            }
            b'"' => {
                at = string_end(text, at);
                Kind::Str
            }
            b'\'' => {
                let end = line_end(text, at);
                at = text[at + 1..end].find('\'').map_or(end, |close| at + close + 2);
                Kind::Str
            }
            b'<' if bytes[at..].starts_with(b"<<<") => {
                at = raw_end(text, at);
                Kind::Raw
            }
            b'0'..=b'9' => {
                let (digits, _) = super::number::split(&text[at..]);
                let digits = digits.find("..").map_or(digits, |range| &digits[..range]).trim_end_matches('.');
                at += digits.len();
                at += if bytes.get(at) == Some(&b'%') { 1 } else { super::split::word_at(text, at).len() };
                Kind::Number
            }
            _ => {
                let word = super::split::word_at(text, at);
                if word.is_empty() {
                    let pair = PAIRS.iter().any(|pair| text[at..].starts_with(pair));
                    at += if pair { 2 } else { text[at..].chars().next().map_or(1, char::len_utf8) };
                    Kind::Punct
                } else {
                    at += word.len();
                    Kind::Word
                }
            }
        };
        let token = Token { kind, start, end: at };
        if token.is_code() {
            code = at;
        }
        tokens.push(token);
    }
    tokens
}

fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    if text[..end].ends_with('\r') && end > at { end - 1 } else { end }
}

/// Returns where the `"…"` that begins at `at` ends; strings may stand in its `{…}`.
fn string_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let end = line_end(text, at);
    let mut open = vec![b'"'];
    let mut at = at + 1;
    while at < end {
        let inside = open.last() == Some(&b'"');
        match bytes[at] {
            b'\\' if inside && at + 1 < end => at += 1,
            b'"' if inside => {
                open.pop();
            }
            b'"' => open.push(b'"'),
            b'{' => open.push(b'{'),
            b'}' if !inside => {
                open.pop();
            }
            b'\'' if !inside => at = text[at + 1..end].find('\'').map_or(end, |close| at + close + 1),
            b'<' if !inside && text[at..end].starts_with("<<<") => {
                at = text[at + 3..end].find(">>>").map_or(end, |close| at + close + 5);
            }
            _ => {}
        }
        at += 1;
        if open.is_empty() {
            return at.min(end);
        }
        at = at.min(end);
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    end
}

/// Returns where the raw text that begins at `at` ends.
fn raw_end(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    let Some(tag) = opens_block(&text[at..end]) else {
        return text[at + 3..end].find(">>>").map_or(end, |close| at + close + 6);
    };
    let mut start = end;
    for line in text[end..].split_inclusive('\n') {
        let trimmed = line.trim_matches([' ', '\t', '\r', '\n']);
        if start > end && trimmed.strip_suffix(">>>") == Some(tag) {
            return start + line.trim_end().len();
        }
        start += line.len();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(Kind, &str)> {
        tokens(text).into_iter().map(|token| (token.kind, token.text(text))).collect()
    }

    #[test]
    fn tokens_keep_strings_raw_text_and_numbers_whole() {
        use Kind::*;
        assert_eq!(
            cut("a.b 0.5x..2x # c\r\n\"x{f(\"}\")}y\" '#'"),
            [
                (Word, "a"),
                (Punct, "."),
                (Word, "b"),
                (Number, "0.5x"),
                (Punct, ".."),
                (Number, "2x"),
                (Comment, "# c"),
                (Newline, "\r\n"),
                (Str, "\"x{f(\"}\")}y\""),
                (Str, "'#'"),
            ]
        );
        assert_eq!(cut("<<<EOF\n >>>\n  EOF>>>\nx"), [(Raw, "<<<EOF\n >>>\n  EOF>>>"), (Newline, "\n"), (Word, "x")]);
        assert_eq!(cut("\"{'"), [(Str, "\"{'")]);
        assert_eq!(cut("\"{<<<"), [(Str, "\"{<<<")]);
        assert_eq!(cut("<<< a >>>b"), [(Raw, "<<< a >>>"), (Word, "b")]);
        assert_eq!(cut("1..5 1e-4%"), [(Number, "1"), (Punct, ".."), (Number, "5"), (Number, "1e-4%")]);
    }
}
