//! A strict reader of JSON files of metrics: RFC 8259, no name twice, numbers kept as they are written.
//!
//! Python writes `NaN` and `Infinity`, which are not JSON. They are read as what they are, so that a verdict can name
//! the metric; nothing here takes them for numbers.

use std::fmt;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// `NaN`, `Infinity` or `-Infinity`.
    NotFinite(&'static str),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Json>),
    /// Named values in the order written; no name stands twice.
    Object(Vec<(String, Json)>),
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.message, self.line, self.column)
    }
}

/// Deeper nesting than this is refused: nobody measures so, and a reader must not exhaust its stack.
const MAX_DEPTH: usize = 64;

/// Reads one JSON value that fills the whole file.
///
/// # Errors
/// The first place that is not JSON.
pub fn parse(bytes: &[u8]) -> Result<Json, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| at(bytes, error.valid_up_to(), "not UTF-8"))?;
    let mut reader = Reader { text, at: 0 };
    reader.space();
    if reader.rest().is_empty() {
        return Err(reader.wrong("the file is empty"));
    }
    let value = reader.value(0)?;
    reader.space();
    if reader.rest().is_empty() { Ok(value) } else { Err(reader.wrong("more text after the value")) }
}

impl Json {
    /// Returns the value at a JSON pointer (RFC 6901).
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match value {
                Self::Object(fields) => fields.iter().find(|(name, _)| *name == token).map(|(_, value)| value),
                Self::List(values) => {
                    let plain = token == "0" || !token.starts_with(['0', '+']);
                    token.parse().ok().filter(|_| plain).and_then(|index: usize| values.get(index))
                }
                _ => None,
            }
        })
    }

    /// Returns what kind of value it is, in words, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::NotFinite(name) => name,
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong(&self, message: impl Into<String>) -> JsonError {
        at(self.text.as_bytes(), self.at, message)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("more than {MAX_DEPTH} levels of nesting")));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') if !self.rest().starts_with("-I") => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json, JsonError> {
        let words = [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::NotFinite("NaN")),
            ("Infinity", Json::NotFinite("Infinity")),
            ("-Infinity", Json::NotFinite("-Infinity")),
        ];
        for (word, value) in words {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.rest().chars().next() {
            Some(char) => Err(self.wrong(format!("`{}` is no JSON value", char.escape_debug()))),
            None => Err(self.wrong("the file ends in the middle of a value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut fields: Vec<(String, Json)> = Vec::new();
        self.space();
        if self.take("}") {
            return Ok(Json::Object(fields));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a name in double quotes is missing"));
            }
            let name = self.string()?;
            if fields.iter().any(|(other, _)| *other == name) {
                self.at = start;
                return Err(self.wrong(format!("`{name}` stands twice")));
            }
            self.space();
            if !self.take(":") {
                return Err(self.wrong("a `:` is missing"));
            }
            self.space();
            let value = self.value(depth + 1)?;
            fields.push((name, value));
            self.space();
            if self.take("}") {
                return Ok(Json::Object(fields));
            }
            if !self.take(",") {
                return Err(self.wrong("a `,` or `}` is missing"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut values = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Json::List(values));
        }
        loop {
            self.space();
            values.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::List(values));
            }
            if !self.take(",") {
                return Err(self.wrong("a `,` or `]` is missing"));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.take("-");
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut right = whole > 0 && !(zero && whole > 1);
        if self.take(".") {
            right &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            let _ = self.take("+") || self.take("-");
            right &= self.digits() > 0;
        }
        if right {
            return Ok(Json::Number(self.text[start..self.at].to_owned()));
        }
        let text = &self.text[start..self.at];
        Err(at(self.text.as_bytes(), start, format!("`{text}` is not written as a JSON number")))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(char) = self.rest().chars().next() else {
                self.at = start;
                return Err(self.wrong("the string does not end"));
            };
            match char {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => text.push(self.escape()?),
                '\0'..='\x1f' => return Err(self.wrong("a control character in a string")),
                _ => {
                    self.at += char.len_utf8();
                    text.push(char);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 2;
        let char = match self.text.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode().ok_or_else(|| at(self.text.as_bytes(), start, "a wrong `\\u` escape")),
            _ => return Err(at(self.text.as_bytes(), start, "an unknown escape in a string")),
        };
        Ok(char)
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.take("\\u") {
            return None;
        }
        let second = self.hex4().filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(number)
    }
}

fn at(bytes: &[u8], offset: usize, message: impl Into<String>) -> JsonError {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    JsonError { message: message.into(), line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn numbers_stay_as_written_and_pointers_find_them() {
        let json = parse(br#" {"a": {"b/c": [1, 0.30, -2e-3]}, "": 5} "#).expect("JSON");
        assert_eq!(json.at("/a/b~1c/1"), Some(&Json::Number("0.30".into())));
        assert_eq!(json.at("/a/b~1c/2"), Some(&Json::Number("-2e-3".into())));
        assert_eq!(json.at("/"), Some(&Json::Number("5".into())));
        for absent in ["/a/b~1c/3", "/a/b~1c/01", "/a/b~1c/+1", "/a/b~1c/-", "a", "/a/x"] {
            assert_eq!(json.at(absent), None, "{absent}");
        }
    }

    #[test]
    fn what_python_writes_for_nan_is_read_and_is_no_number() {
        let json = parse(br#"{"a": NaN, "b": -Infinity, "c": Infinity}"#).expect("read");
        assert_eq!(json.at("/a"), Some(&Json::NotFinite("NaN")));
        assert_eq!(json.at("/b"), Some(&Json::NotFinite("-Infinity")));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_with_its_place() {
        assert_eq!(error("{\"a\": 1,\n \"\\u0061\": 2}"), "`a` stands twice at line 2 column 2");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nan",
            "1 2",
            "\"a",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\u12\"",
            "\"\u{1}\"",
            "\u{feff}{}",
            "{\"a\" 1}",
            "[1 2]",
            "0x10",
            "\"\\",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(error("[1, 2").contains("line 1 column 6"));
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
        assert!(error(&"[".repeat(100_000)).contains("nesting"));
        assert!(parse(format!("{}1{}", "[".repeat(60), "]".repeat(60)).as_bytes()).is_ok());
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(parse(br#""\u00e9\ud83d\ude00\n\"""#), Ok(Json::String("\u{e9}\u{1f600}\n\"".into())));
    }
}
