//! Strings of every form and numbers.

use super::Lower;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::syntax::ast::{Number, Str, StrForm, StrPart};
use crate::syntax::number::{self, NumberError, NumberValue};
use crate::syntax::parser::{Children, Node, Rule};

impl Lower<'_, '_> {
    /// Lowers a string of any form.
    pub(super) fn quoted(&mut self, node: Node<'_>, depth: usize) -> Str {
        match node.as_rule() {
            Rule::string => self.string(node, depth),
            Rule::raw_quoted => self.plain(&node, StrForm::Raw, 1, 1, str::to_owned),
            Rule::raw_line => self.plain(&node, StrForm::Line, 3, 3, |text| text.trim().to_owned()),
            rule => {
                debug_assert_eq!(rule, Rule::raw_block);
                self.block(&node)
            }
        }
    }

    fn plain(&self, node: &Node<'_>, form: StrForm, open: usize, close: usize, read: fn(&str) -> String) -> Str {
        let source = node.as_str();
        let start = node.as_span().start();
        let text = read(&source[open..source.len() - close]);
        let span = self.place(start + open, start + source.len() - close);
        let parts = if text.is_empty() { Vec::new() } else { vec![StrPart::Text { text, span }] };
        Str { form, parts, span: self.span(node) }
    }

    fn block(&self, node: &Node<'_>) -> Str {
        let source = node.as_str();
        let body = source.find('\n').map_or(source.len(), |end| end + 1);
        let end = source.rfind('\n').map_or(source.len(), |end| end + 1).max(body);
        let text = strip_indentation(&source[body..end]);
        let start = node.as_span().start();
        let span = self.place(start + body, start + end);
        let parts = if text.is_empty() { Vec::new() } else { vec![StrPart::Text { text, span }] };
        Str { form: StrForm::Block, parts, span: self.span(node) }
    }

    fn string(&mut self, node: Node<'_>, depth: usize) -> Str {
        let span = self.span(&node);
        let children = Children::of(node, Rule::string);
        let mut parts = Vec::with_capacity(children.most());
        let mut pending: Option<(String, crate::source::Span)> = None;
        for child in children {
            let place = self.span(&child);
            let piece = match child.as_rule() {
                Rule::text => child.as_str(),
                Rule::escape => self.escape(&child),
                _ => {
                    parts.extend(pending.take().map(|(text, span)| StrPart::Text { text, span }));
                    let inner = Children::of(child, Rule::interp).must();
                    parts.push(StrPart::Expr(self.expr(inner, depth + 1)));
                    continue;
                }
            };
            if piece.is_empty() {
                continue;
            }
            match &mut pending {
                Some((text, span)) => {
                    text.push_str(piece);
                    *span = span.to(place);
                }
                None => pending = Some((piece.to_owned(), place)),
            }
        }
        parts.extend(pending.map(|(text, span)| StrPart::Text { text, span }));
        Str { form: StrForm::Quoted, parts, span }
    }

    fn escape<'t>(&mut self, node: &Node<'t>) -> &'t str {
        match &node.as_str()[1..] {
            "n" => "\n",
            "t" => "\t",
            plain @ ("\"" | "\\" | "{") => plain,
            other => {
                let span = self.span(node);
                let message = format!("`\\{}` is no escape", other.escape_debug());
                let help =
                    "write `\\\\` for a backslash; the escapes are `\\\"` `\\\\` `\\n` `\\t` `\\{`, and `'…'` has none";
                self.error(codes::UNKNOWN_ESCAPE, span, message, help);
                other
            }
        }
    }

    /// Lowers a number; one without a value is reported and counts as zero.
    pub(super) fn number(&mut self, node: &Node<'_>) -> Number {
        debug_assert_eq!(node.as_rule(), Rule::number);
        let text = node.as_str();
        let value = number::value(text).unwrap_or_else(|error| {
            let diagnostic = self.bad_number(node, error);
            self.report(diagnostic);
            NumberValue::Int(0)
        });
        Number { text: text.to_owned(), value }
    }

    fn bad_number(&self, node: &Node<'_>, error: NumberError) -> Diagnostic {
        let text = node.as_str();
        let (digits, unit) = number::split(text);
        let span = self.span(node);
        match error {
            NumberError::UnknownUnit => {
                let start = node.as_span().start() + digits.len();
                let place = self.place(start, start + unit.len());
                let diagnostic = Diagnostic::new(codes::UNKNOWN_UNIT, place, format!("unknown unit `{unit}`"));
                let same = number::units().find(|known| known.eq_ignore_ascii_case(unit));
                let near = || nearest(unit, number::units().filter(|known| known.len() > 1));
                match habit(unit).or(same).or_else(near) {
                    Some(near) => diagnostic.help(format!("did you mean `{digits}{near}`?")).fix_near(
                        place,
                        unit,
                        near,
                        number::units().filter(|known| known.len() > 1),
                    ),
                    None => {
                        let units: Vec<_> = number::units().collect();
                        diagnostic.help(format!("units are {}", units.join(" ")))
                    }
                }
            }
            NumberError::Malformed => Diagnostic::new(codes::BAD_NUMBER, span, format!("`{text}` is no number"))
                .help("write `12`, `1_000`, `0.5` or `1e-4`, with a unit glued on: `50ms`, `2%`"),
            NumberError::TooLarge => Diagnostic::new(codes::BAD_NUMBER, span, format!("`{text}` is too large"))
                .help("whole numbers and durations have 64 bits; write a larger unit or a smaller number"),
            NumberError::TooSmall => {
                Diagnostic::new(codes::BAD_NUMBER, span, format!("`{text}` is too small, and would be 0"))
                    .help("write `0`, or a larger number")
            }
            NumberError::NotWhole => {
                let what = if unit.ends_with('B') { "bytes" } else { "nanoseconds" };
                Diagnostic::new(codes::BAD_NUMBER, span, format!("`{text}` is not a whole number of {what}"))
                    .help("write it in a smaller unit, without a fraction")
            }
        }
    }
}

/// Returns the unit for what people write elsewhere.
fn habit(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "min" | "mins" | "minute" | "minutes" => "m",
        "sec" | "secs" | "second" | "seconds" => "s",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "week" | "weeks" => "w",
        "b" | "byte" | "bytes" => "B",
        "k" | "K" => "kB",
        "M" => "MB",
        "G" | "g" => "GB",
        "T" | "t" => "TB",
        "Ki" => "KiB",
        "Mi" => "MiB",
        "Gi" => "GiB",
        "Ti" => "TiB",
        _ => return None,
    })
}

/// Removes the blanks that all lines begin with, makes CRLF LF (however many CRs there are) and empties blank lines.
fn strip_indentation(body: &str) -> String {
    let lines = || body.split_terminator('\n').map(|line| line.trim_end_matches('\r'));
    let filled = || lines().filter(|line| !line.trim().is_empty());
    let indent_of = |line: &'_ str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let first = filled().next().unwrap_or_default();
    let indent = filled().fold(indent_of(first), |indent, line| {
        let same = first.bytes().zip(line.bytes()).take(indent).take_while(|(a, b)| a == b).count();
        same.min(indent_of(line))
    });
    let mut text = String::with_capacity(body.len());
    for line in lines() {
        if !line.trim().is_empty() {
            text.push_str(&line[indent..]);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::strip_indentation;

    #[test]
    fn indentation_common_to_all_lines_goes_and_the_rest_stays() {
        assert_eq!(strip_indentation("    if x:\r\n      y\r\n   \r\n    z\r\n"), "if x:\n  y\n\nz\n");
        assert_eq!(strip_indentation("\ta\n\t b\n"), "a\n b\n");
        assert_eq!(strip_indentation("\ta\n  b\n"), "\ta\n  b\n");
        assert_eq!(strip_indentation("a\n  b\n"), "a\n  b\n");
        assert_eq!(strip_indentation(""), "");
        assert_eq!(strip_indentation("  a\r\r\r\n  b\rc\r\n"), "a\nb\rc\n");
        assert_eq!(strip_indentation("  trailing  \n"), "trailing  \n");
    }
}
