//! What a table is read from: bytes from first to last, or bytes at any place of a file that stays open.

use std::io::{self, Read};
use std::sync::Arc;

/// A file of which any place can be read, by several threads at once.
pub trait Places: Send + Sync {
    /// Returns how many bytes there are.
    fn size(&self) -> u64;

    /// Reads bytes from a place on; 0 at the end.
    ///
    /// # Errors
    /// They can't be read.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl Places for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

/// What a table is read from.
pub enum Input<'i> {
    /// Bytes from first to last, for formats that are texts.
    Stream(&'i mut dyn Read),
    /// Bytes at any place, for formats whose directory stands at the end.
    Places(Arc<dyn Places>),
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stream(_) => "Stream",
            Self::Places(_) => "Places",
        })
    }
}

impl<'i, R: Read> From<&'i mut R> for Input<'i> {
    fn from(stream: &'i mut R) -> Self {
        Self::Stream(stream)
    }
}
