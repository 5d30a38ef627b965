//! YAML with anchors and merge keys resolved, and the lines on which things stand.
//!
//! The reader of YAML tells no places, so [`At`] finds them by indentation. Where it can't (flow style), the line of what is
//! around it stands for it.

use serde_yaml::{Mapping, Value};

/// Reads a document; `Err` holds the line and what is wrong.
pub(super) fn read(text: &str) -> Result<Value, (u32, String)> {
    let mut value: Value = serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |place| u32::try_from(place.line()).unwrap_or(1));
        (line, error.to_string())
    })?;
    value.apply_merge().map_err(|error| (1, error.to_string()))?;
    Ok(value)
}

/// Returns a key as text, whatever it is in YAML.
pub(super) fn key(value: &Value) -> String {
    scalar(value).unwrap_or_default()
}

/// Returns a scalar as DVC writes it into text; nothing for lists and mappings.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("None".to_owned()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(float)) if float.fract() == 0.0 && float.abs() < 1e16 => format!("{float:.1}"),
            (None, Some(float)) => float.to_string(),
            _ => number.to_string(),
        }),
        Value::String(text) => Some(text.clone()),
        Value::Tagged(tagged) => scalar(&tagged.value),
        Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// Returns the mapping that a value is.
pub(super) fn mapping(value: &Value) -> Option<&Mapping> {
    match value {
        Value::Mapping(mapping) => Some(mapping),
        Value::Tagged(tagged) => mapping(&tagged.value),
        _ => None,
    }
}

/// A place in a document: some of its lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'t> {
    text: &'t str,
    /// Byte offset at which the region begins, perhaps behind `key:` or `-`.
    start: usize,
    end: usize,
    /// The line to show.
    line: u32,
}

impl<'t> At<'t> {
    /// Returns the place of a whole document.
    pub(super) fn document(text: &'t str) -> Self {
        Self { text, start: 0, end: text.len(), line: 1 }
    }

    /// Returns the line to show.
    pub(super) fn line(self) -> u32 {
        self.line
    }

    /// Goes to the value of a key.
    pub(super) fn key(self, key: &str) -> Self {
        self.find(|rest| {
            let after = match rest.as_bytes().first() {
                Some(quote @ (b'"' | b'\'')) => {
                    let quote = *quote as char;
                    rest[1..].strip_prefix(key).and_then(|rest| rest.strip_prefix(quote)).map(|rest| rest.trim_start())
                }
                _ => rest.strip_prefix(key).map(|rest| rest.trim_start_matches(' ')),
            };
            after.is_some_and(|after| after.starts_with(':'))
        })
        .unwrap_or(self)
    }

    /// Goes to an item of a list.
    pub(super) fn item(self, index: usize) -> Self {
        let mut left = index;
        self.find(|rest| {
            let item = rest == "-" || rest.starts_with("- ");
            let here = item && left == 0;
            left = left.saturating_sub(usize::from(item));
            here
        })
        .unwrap_or(self)
    }

    /// Goes to the first entry at this level that fits; its region ends before the next entry.
    fn find(self, mut fits: impl FnMut(&str) -> bool) -> Option<Self> {
        let mut level = None;
        let mut found: Option<Self> = None;
        for entry in self.lines() {
            let level = *level.get_or_insert(entry.indent);
            if let Some(found) = &mut found {
                let nested = entry.indent > level || (entry.indent == level && entry.dash && !found.is_item());
                if !nested {
                    found.end = entry.start;
                    break;
                }
                continue;
            }
            if entry.indent == level && fits(entry.rest) {
                let skip = if entry.dash { 1 } else { entry.rest.len().min(after_colon(entry.rest)) };
                found = Some(Self { text: self.text, start: entry.start + skip, end: self.end, line: entry.line });
            } else if entry.indent < level {
                break;
            }
        }
        found
    }

    fn is_item(&self) -> bool {
        self.start > 0 && self.text.as_bytes().get(self.start - 1) == Some(&b'-')
    }

    /// Iterates over what stands on the lines of the region; the first may begin in the middle of its line.
    fn lines(self) -> impl Iterator<Item = Entry<'t>> {
        let before = &self.text[..self.start];
        let first_line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
        let mut at = self.start;
        let mut number = first_line;
        self.text[self.start..self.end].split_inclusive('\n').filter_map(move |line| {
            let here = at;
            let line_number = number;
            at += line.len();
            number += 1;
            let body = line.trim_end();
            let rest = body.trim_start_matches(' ');
            if rest.is_empty() || rest.starts_with('#') || rest == "---" {
                return None;
            }
            let start = here + (body.len() - rest.len());
            let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
            Some(Entry {
                start,
                indent: self.text[line_start..start].chars().count(),
                dash: rest == "-" || rest.starts_with("- "),
                rest,
                line: u32::try_from(line_number).unwrap_or(u32::MAX),
            })
        })
    }
}

fn after_colon(rest: &str) -> usize {
    rest.find(':').map_or(rest.len(), |at| at + 1)
}

/// What stands on a line.
struct Entry<'t> {
    start: usize,
    indent: usize,
    dash: bool,
    rest: &'t str,
    line: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_indentation() {
        let text = "# top\nstages:\n  a:\n    cmd: |\n      outs: not this\n    deps:\n    - x\n    - y:\n        cache: false\n  'b c':\n    \
                    outs:\n      - path: z\n        desc: w\nplots: [p, q]\n";
        let at = At::document(text);
        let a = at.key("stages").key("a");
        assert_eq!(a.line(), 3);
        assert_eq!(a.key("deps").line(), 6);
        assert_eq!(a.key("deps").item(1).line(), 8);
        assert_eq!(a.key("deps").item(1).key("y").key("cache").line(), 9);
        assert_eq!(a.key("outs").line(), 3, "a word inside a block scalar is no key");
        let b = at.key("stages").key("b c");
        assert_eq!(b.line(), 10);
        assert_eq!(b.key("outs").item(0).key("desc").line(), 13);
        assert_eq!(at.key("plots").item(1).line(), 14, "flow style has the line of its key");
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved() {
        let value = read("base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  y: 3\n").expect("good YAML");
        assert_eq!(value["mine"]["x"], Value::from(1));
        assert_eq!(value["mine"]["y"], Value::from(3));
    }

    #[test]
    fn scalars_are_written_as_dvc_writes_them() {
        let texts: Vec<_> = ["1", "1.0", "1e-5", "true", "x", "~"]
            .into_iter()
            .map(|text| scalar(&read(text).expect("YAML")).expect("a scalar"))
            .collect();
        assert_eq!(texts, ["1", "1.0", "0.00001", "true", "x", "None"]);
    }
}
