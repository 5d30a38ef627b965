//! Records that only grow, a line each: every line holds the digest of the one before it that is about the same pointer, so
//! that one that was taken out, moved or changed shows. Knows lines, not files.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::error::RegistryError;
use super::layout;
use super::record::{Pointer, Rejection};
use crate::host::Digest;

/// A line of such a record.
pub(super) trait Link: DeserializeOwned {
    /// The pointer that it is about.
    fn about(&self) -> &str;

    /// The digest of the line before it; `None` where an older program wrote it.
    fn follows(&self) -> Option<Digest>;

    /// Tells whether what it says can come after what the line before it says.
    fn fits(&self, before: Option<&Self>) -> bool;
}

impl Link for Pointer {
    fn about(&self) -> &str {
        &self.name
    }

    fn follows(&self) -> Option<Digest> {
        self.follows
    }

    fn fits(&self, before: Option<&Self>) -> bool {
        self.previous.as_deref() == before.map(|before| before.version.as_str())
    }
}

impl Link for Rejection {
    fn about(&self) -> &str {
        &self.pointer
    }

    fn follows(&self) -> Option<Digest> {
        self.follows
    }

    fn fits(&self, _: Option<&Self>) -> bool {
        true
    }
}

/// The lines of a record, none of them missing.
pub(super) struct Chain<T> {
    /// The lines in the order of the file.
    pub(super) lines: Vec<T>,
    /// By pointer: where its last line is, and the digest of that line.
    last: BTreeMap<String, (usize, Digest)>,
}

impl<T: Link> Chain<T> {
    /// Reads a record; every line has to be whole, and to follow the one before it.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Self, RegistryError> {
        let mut chain = Self { lines: Vec::new(), last: BTreeMap::new() };
        for (index, bytes) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let place = format!("{file}:{}", index + 1);
            let line: T = layout::decode(&place, bytes)?;
            if !chain.admits(&line) {
                return Err(RegistryError::corrupt(format!(
                    "`{place}` does not follow the line before it about `{}`: one was taken out, moved or changed; put \
                     `{file}` back, from a backup or from an older commit of the branch",
                    line.about()
                )));
            }
            chain.last.insert(line.about().to_owned(), (chain.lines.len(), Digest::of(bytes)));
            chain.lines.push(line);
        }
        Ok(chain)
    }

    /// Tells whether a line can come next. Lines of older programs hold no digest, and none comes after one that does.
    pub(super) fn admits(&self, line: &T) -> bool {
        let before = self.of(line.about());
        let is_old = before.is_none_or(|before| before.follows().is_none());
        let follows = line.follows().map_or(is_old, |digest| digest == self.next(line.about()));
        follows && line.fits(before)
    }

    /// Returns what the next line about this pointer has to hold: the digest of the last one, or of nothing.
    pub(super) fn next(&self, pointer: &str) -> Digest {
        self.last.get(pointer).map_or_else(|| Digest::of(b""), |(_, digest)| *digest)
    }

    /// Returns the last line about this pointer.
    pub(super) fn of(&self, pointer: &str) -> Option<&T> {
        self.last.get(pointer).map(|(index, _)| &self.lines[*index])
    }
}
