//! Raw text `<<<` … `>>>`: where a block begins and ends. The grammar's `raw_block` and `raw_line` say the same.

use std::collections::BTreeMap;

use super::starts;

/// Returns the tag of a block that `rest` opens (empty for `<<<` alone), or none for the one-line form. `rest` begins
/// with `<<<` and ends where its line ends.
pub(crate) fn opens_block(rest: &str) -> Option<&str> {
    let tag = rest[3..].trim_end_matches('\r').trim_end_matches([' ', '\t']);
    is_tag(tag).then_some(tag)
}

fn is_tag(tag: &str) -> bool {
    tag.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && !tag.starts_with(|first: char| !first.is_ascii_uppercase())
}

/// Where a block ends.
pub(super) struct Block {
    /// One past its last byte.
    pub(super) end: usize,
    /// Its closing line was found.
    pub(super) closed: bool,
    /// Lines in it that begin with `<<<<<<<`.
    pub(super) conflicts: Vec<usize>,
}

/// The closing lines of tagged blocks, collected on first use, so that a file of unclosed ones costs one pass.
#[derive(Default)]
pub(super) struct Closers<'t>(Option<BTreeMap<&'t str, usize>>);

impl<'t> Closers<'t> {
    /// Tells whether a line closes `tag` at or behind this byte.
    fn follows(&mut self, text: &'t str, tag: &str, at: usize) -> bool {
        let last = self.0.get_or_insert_with(|| {
            let mut last = BTreeMap::new();
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                if let Some(tag) = line.trim().strip_suffix(">>>").filter(|tag| is_tag(tag)) {
                    last.insert(tag, start);
                }
                start += line.len();
            }
            last
        });
        last.get(tag).is_some_and(|&line| line >= at)
    }
}

/// Skips a block whose opening line ends at `line_end`.
///
/// An unclosed one ends where a line looks like a declaration: the text of a script would have to imitate one in
/// column 0, and then a tag makes it unambiguous.
pub(super) fn skip<'t>(text: &'t str, line_end: usize, tag: &str, closers: &mut Closers<'t>) -> Block {
    let certain = !tag.is_empty() && closers.follows(text, tag, line_end);
    let mut conflicts = Vec::new();
    let mut start = (line_end + 1).min(text.len());
    let mut content_end = line_end;
    for line in text[start..].split_inclusive('\n') {
        let trimmed = line.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.strip_suffix(">>>") == Some(tag) {
            return Block { end: start + line.trim_end().len(), closed: true, conflicts };
        }
        if !certain && starts::looks_like_item(text, start) {
            break;
        }
        if line.starts_with("<<<<<<<") {
            conflicts.push(start);
        }
        if !trimmed.is_empty() {
            content_end = start + line.trim_end().len();
        }
        start += line.len();
    }
    Block { end: content_end, closed: false, conflicts }
}
