//! Cuts a text that was cut before and then edited: begins shortly before the edit, and ends where a declaration begins that
//! stood there before.

use super::{Chunk, Splitter};
use crate::source::FileId;

/// What the text was cut into, and the edit since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edited<'c> {
    /// The declarations of the earlier text, in which nothing was wrong.
    pub(crate) chunks: &'c [Chunk],
    /// So many bytes at the beginning are as they were.
    pub(crate) before: usize,
    /// The byte of the new text from which on all is as it was.
    pub(crate) behind: usize,
    /// How much longer the text is.
    pub(crate) by: i64,
}

/// Where the rest of a text is as it was.
pub(super) struct Behind<'c> {
    edited: Edited<'c>,
    /// The declaration of the earlier text at which the two met.
    pub(super) met: Option<usize>,
}

impl Behind<'_> {
    /// Notes that a declaration begins here, and returns whether the earlier text had it too. From there on the
    /// splitter, which keeps nothing of what went before, would do what it did.
    pub(super) fn meets(&mut self, start: u32, docs: Option<(u32, u32)>) -> bool {
        let Edited { chunks, behind, by, .. } = self.edited;
        let first = docs.map_or(start, |(first, _)| first);
        if (first as usize) <= behind {
            return false;
        }
        let was = chunks.partition_point(|chunk| moved(*chunk, by).start < start);
        let same =
            chunks.get(was).map(|chunk| moved(*chunk, by)).is_some_and(|was| was.start == start && was.docs == docs);
        self.met = same.then_some(was);
        same
    }
}

/// Returns the declarations of the new text; none where they have to be looked for from the beginning, as where there is
/// something to say: what is not closed is looked for in the whole file.
pub(crate) fn again(file: FileId, text: &str, edited: Edited<'_>) -> Option<Vec<Chunk>> {
    let Edited { chunks, before, by, .. } = edited;
    // The last one that begins before the edit may be part of the one before it now, whose first line is as it was.
    let from = chunks.partition_point(|chunk| (chunk.start as usize) < before).checked_sub(2)?;
    let mut diagnostics = Vec::new();
    let mut splitter = Splitter::new(file, text, &mut diagnostics);
    splitter.at = chunks[from].start as usize;
    splitter.docs = chunks[from].docs;
    splitter.behind = Some(Behind { edited, met: None });
    splitter.run();
    let met = splitter.behind.and_then(|behind| behind.met);
    let made = splitter.chunks;
    let whole = |chunk: &Chunk| !chunk.broken && !text[chunk.start as usize..chunk.end as usize].contains('\0');
    if !diagnostics.is_empty() || !made.iter().all(whole) {
        return None;
    }
    let rest = met.map_or(&[][..], |met| &chunks[met..]);
    let mut all = Vec::with_capacity(from + made.len() + rest.len());
    all.extend_from_slice(&chunks[..from]);
    all.extend(made);
    all.extend(rest.iter().map(|chunk| moved(*chunk, by)));
    Some(all)
}

fn moved(chunk: Chunk, by: i64) -> Chunk {
    let to = |at: u32| (i64::from(at) + by) as u32;
    let docs = chunk.docs.map(|(start, end)| (to(start), to(end)));
    Chunk { start: to(chunk.start), end: to(chunk.end), docs, ..chunk }
}
