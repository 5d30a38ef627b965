//! Positions of the protocol and offsets of a text: lines from 0, columns in UTF-16 units or in bytes.

use lsp_types::{Position, Range};

use crate::source::{SourceFile, Span};

/// What a column counts; agreed on at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

/// Returns the byte offset of a position; what is behind the end of its line or of the text is that end.
pub(super) fn offset(file: &SourceFile, position: Position, encoding: Encoding) -> usize {
    let starts = file.line_starts();
    let text = file.text();
    let Some(&start) = starts.get(position.line as usize) else { return text.len() };
    let end = starts.get(position.line as usize + 1).map_or(text.len(), |&next| next as usize);
    let line = text[start as usize..end].trim_end_matches('\n').trim_end_matches('\r');
    let mut column = 0;
    for (at, c) in line.char_indices() {
        let width = match encoding {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
        };
        if column + width > position.character as usize {
            return start as usize + at;
        }
        column += width;
    }
    start as usize + line.len()
}

/// Returns the position of a byte offset.
pub(super) fn position(file: &SourceFile, offset: u32, encoding: Encoding) -> Position {
    let line = file.line_index(offset.min(file.text().len() as u32));
    let start = file.line_starts()[line] as usize;
    let before = file.text().get(start..offset as usize).unwrap_or_default();
    let column = match encoding {
        Encoding::Utf8 => before.len(),
        Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
    };
    Position::new(line as u32, column as u32)
}

/// Returns the range of a span.
pub(super) fn range(file: &SourceFile, span: Span, encoding: Encoding) -> Range {
    Range::new(position(file, span.start, encoding), position(file, span.end, encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_agreed_and_clamped_to_the_line() {
        let file = SourceFile::new("p", "aé😀b\r\nx");
        let at = |line, column, encoding| offset(&file, Position::new(line, column), encoding);
        assert_eq!(at(0, 2, Encoding::Utf16), 3);
        assert_eq!(at(0, 4, Encoding::Utf16), 7);
        assert_eq!(at(0, 3, Encoding::Utf16), 3, "inside of a pair is before it");
        assert_eq!(at(0, 7, Encoding::Utf8), 7);
        assert_eq!(at(0, 99, Encoding::Utf16), 8);
        assert_eq!(at(9, 0, Encoding::Utf16), 11);
        assert_eq!(position(&file, 7, Encoding::Utf16), Position::new(0, 4));
        assert_eq!(position(&file, 7, Encoding::Utf8), Position::new(0, 7));
        assert_eq!(position(&file, 10, Encoding::Utf16), Position::new(1, 0));
    }
}
