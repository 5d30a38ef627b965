//! A parsed file that follows edits: the splitter cuts the new text, and only declarations that changed are parsed
//! again. Those behind the edit keep their trees and get new offsets. The result is what [`super::parse`] gives.

use super::shift::Shift;
use super::split::{self, Chunk, Edited};
use super::{Parsed, ast, broken_name, declaration};
use crate::beside::both;
use crate::diagnostic::{self, Diagnostic};
use crate::source::{FileId, Span};

/// So many bytes are compared in one go: enough that what is equal goes by at the speed of memory.
const BLOCK: usize = 4096;

/// A file with what is known of each of its declarations.
#[derive(Debug)]
pub struct Incremental {
    id: FileId,
    file: ast::File,
    chunks: Vec<Chunk>,
    pieces: Vec<Piece>,
    /// What the splitter found.
    cut: Vec<Diagnostic>,
}

/// What one declaration gave.
#[derive(Debug)]
struct Piece {
    /// It has a tree.
    whole: bool,
    broken: Option<ast::Name>,
    diagnostics: Vec<Diagnostic>,
}

impl Incremental {
    /// Parses a whole file.
    #[must_use]
    pub fn new(id: FileId, text: &str) -> Self {
        let file = ast::File { items: Vec::new(), span: Span::new(id, 0, 0) };
        let mut tree = Self { id, file, chunks: Vec::new(), pieces: Vec::new(), cut: Vec::new() };
        tree.edit("", text);
        tree
    }

    /// Follows an edit from the text that was parsed last to another one.
    pub fn edit(&mut self, was: &str, is: &str) {
        let (before, behind) = common(was.as_bytes(), is.as_bytes());
        self.edit_between(was, is, before, behind);
    }

    /// As [`Incremental::edit`], where so many bytes at the beginning and at the end are known to be the same.
    pub fn edit_between(&mut self, was: &str, is: &str, before: usize, behind: usize) {
        let by = is.len() as i64 - was.len() as i64;
        let edited = Edited { chunks: &self.chunks, before, behind: is.len() - behind, by };
        let again = if self.cut.is_empty() { split::again(self.id, is, edited) } else { None };
        let chunks = again.unwrap_or_else(|| {
            self.cut.clear();
            split::split(self.id, is, &mut self.cut)
        });
        let first = same(&self.chunks, &chunks, before);
        let last = same_behind(&self.chunks[first..], &chunks[first..], was.len() - behind, by);
        let (old_end, new_end) = (self.chunks.len() - last, chunks.len() - last);
        let items_before = self.pieces[..first].iter().filter(|piece| piece.whole).count();
        let items_changed = self.pieces[first..old_end].iter().filter(|piece| piece.whole).count();
        if by != 0 {
            shift(&mut self.file.items[items_before + items_changed..], by);
            for piece in &mut self.pieces[old_end..] {
                piece.broken.shift(by);
                piece.diagnostics.iter_mut().for_each(|one| one.shift(by));
            }
        }
        let mut items = Vec::new();
        let mut pieces = Vec::with_capacity(new_end - first);
        if first == 0 && last == 0 && is.len() > super::ALONE {
            (items, pieces) = whole(self.id, is, &chunks);
        } else {
            for &chunk in &chunks[first..new_end] {
                piece(self.id, is, chunk, &mut items, &mut pieces);
            }
        }
        self.file.items.splice(items_before..items_before + items_changed, items);
        self.pieces.splice(first..old_end, pieces);
        self.file.span = Span::new(self.id, 0, is.len() as u32);
        self.chunks = chunks;
    }

    /// Returns the tree.
    #[must_use]
    pub fn file(&self) -> &ast::File {
        &self.file
    }

    /// Returns what is wrong with the text, sorted.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.cut.clone();
        all.extend(self.pieces.iter().flat_map(|piece| piece.diagnostics.iter().cloned()));
        diagnostic::sort(&mut all);
        all
    }

    /// Returns what [`super::parse`] gives for the text.
    #[must_use]
    pub fn parsed(&self) -> Parsed {
        let broken = self.pieces.iter().filter_map(|piece| piece.broken.clone()).collect();
        Parsed { file: self.file.clone(), broken, diagnostics: self.diagnostics() }
    }
}

fn piece(id: FileId, text: &str, chunk: Chunk, items: &mut Vec<ast::Item>, pieces: &mut Vec<Piece>) {
    let mut diagnostics = Vec::new();
    let item = declaration(id, text, chunk, &mut diagnostics);
    let broken = if item.is_some() { None } else { broken_name(id, text, chunk) };
    pieces.push(Piece { whole: item.is_some(), broken, diagnostics });
    items.extend(item);
}

/// Moves declarations; where there are many, two threads do half of them each.
fn shift(items: &mut [ast::Item], by: i64) {
    if items.len() < 1024 {
        return items.iter_mut().for_each(|item| item.shift(by));
    }
    let (left, right) = items.split_at_mut(items.len() / 2);
    let move_all = |items: &mut [ast::Item]| items.iter_mut().for_each(|item| item.shift(by));
    both(|| move_all(left), || move_all(right));
}

/// Reads all declarations by two threads, each of them half.
fn whole(id: FileId, text: &str, chunks: &[Chunk]) -> (Vec<ast::Item>, Vec<Piece>) {
    let read = |chunks: &[Chunk]| {
        let (mut items, mut pieces) = (Vec::with_capacity(chunks.len()), Vec::with_capacity(chunks.len()));
        chunks.iter().for_each(|&chunk| piece(id, text, chunk, &mut items, &mut pieces));
        (items, pieces)
    };
    let (left, right) = chunks.split_at(chunks.len() / 2);
    let ((mut items, mut pieces), (more_items, more_pieces)) = both(|| read(left), || read(right));
    items.extend(more_items);
    pieces.extend(more_pieces);
    (items, pieces)
}

/// Returns how many bytes two texts have in common at their beginning, and how many of the rest at their end.
fn common(was: &[u8], is: &[u8]) -> (usize, usize) {
    let before = alike(was.chunks(BLOCK).zip(is.chunks(BLOCK)), was.iter().zip(is));
    let (was, is) = (&was[before..], &is[before..]);
    let behind = alike(was.rchunks(BLOCK).zip(is.rchunks(BLOCK)), was.iter().rev().zip(is.iter().rev()));
    (before, behind)
}

/// Counts equal bytes: by blocks first.
fn alike<'b>(
    blocks: impl Iterator<Item = (&'b [u8], &'b [u8])>,
    bytes: impl Iterator<Item = (&'b u8, &'b u8)>,
) -> usize {
    let equal = blocks.take_while(|(left, right)| left.len() == BLOCK && left == right).count() * BLOCK;
    equal + bytes.skip(equal).take_while(|(left, right)| left == right).count()
}

/// Counts the declarations that stand before byte `end` and are as they were. The byte behind one is looked at too: it
/// may have become part of it.
fn same(was: &[Chunk], is: &[Chunk], end: usize) -> usize {
    was.iter().zip(is).take_while(|(was, is)| was == is && (was.end as usize) < end).count()
}

/// Counts the declarations behind byte `start` that are as they were, `by` bytes further on.
fn same_behind(was: &[Chunk], is: &[Chunk], start: usize, by: i64) -> usize {
    let moved = |at: u32| (i64::from(at) + by) as u32;
    let begins = |chunk: &Chunk| chunk.docs.map_or(chunk.start, |(start, _)| start) as usize;
    was.iter()
        .rev()
        .zip(is.iter().rev())
        .take_while(|(was, is)| {
            begins(was) > start
                && moved(was.start) == is.start
                && moved(was.end) == is.end
                && was.docs.map(|(start, end)| (moved(start), moved(end))) == is.docs
                && was.broken == is.broken
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = include_str!("../../tests/fixtures/whole-language/main.mlp");
    const FLAGSHIP: &str = include_str!("../../tests/fixtures/flagship/main.mlp");

    fn follows(tree: &mut Incremental, was: &str, is: &str) {
        tree.edit(was, is);
        is_as_parsed(tree, is);
    }

    fn is_as_parsed(tree: &Incremental, is: &str) {
        let (mine, fresh) = (tree.parsed(), crate::syntax::parse(FileId(0), is));
        assert_eq!(format!("{mine:?}"), format!("{fresh:?}"), "after the edit the text is:\n{is}");
    }

    #[test]
    fn a_declaration_may_grow_vanish_and_break() {
        let mut tree = Incremental::new(FileId(0), FLAGSHIP);
        let steps = [
            FLAGSHIP.to_owned(),
            format!("# a line before\n{FLAGSHIP}"),
            FLAGSHIP.replace("timeout 4h", "timeout 14h"),
            FLAGSHIP.replace("stage prepare {", "stage prepare "),
            FLAGSHIP.replace(">>>", ">>"),
            FLAGSHIP.replacen("  >>>\n}", "", 1),
            FLAGSHIP.replacen("\nstage", "\n## docs\nstage", 2),
            String::new(),
            "\u{feff}stage".to_owned(),
            FLAGSHIP.to_owned(),
        ];
        let mut was = FLAGSHIP.to_owned();
        for is in steps {
            follows(&mut tree, &was, &is);
            was = is;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn any_edits_give_what_a_whole_parse_gives(
            edits in prop::collection::vec((0usize..20_000, 0usize..200, "[ -~\\n{}\"#<>é]{0,12}"), 1..6),
            whole in any::<bool>(),
            told in any::<bool>(),
        ) {
            let mut was = if whole { WHOLE } else { FLAGSHIP }.to_owned();
            let mut tree = Incremental::new(FileId(0), &was);
            for (at, length, put) in edits {
                let boundary = |at: usize| (0..=at.min(was.len())).rev().find(|&at| was.is_char_boundary(at)).unwrap_or(0);
                let (start, end) = (boundary(at % (was.len() + 1)), boundary(at % (was.len() + 1) + length));
                let mut is = was.clone();
                is.replace_range(start..end, &put);
                if told {
                    tree.edit_between(&was, &is, start, was.len() - end);
                    is_as_parsed(&tree, &is);
                } else {
                    follows(&mut tree, &was, &is);
                }
                was = is;
            }
        }
    }
}
