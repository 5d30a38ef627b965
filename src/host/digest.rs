//! Digests of content: blake3, written `blake3:<64 hex digits>`.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{Context, Error, Result};

/// Files of this size and more are mapped and hashed on all cores.
const MAPPED: u64 = 1 << 20;

/// A copy of so small a file is made in memory, where it is hashed as well.
const SMALL: u64 = 256 << 10;

/// The digest of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Returns the digest of what a file holds.
    pub fn of_file(path: &Path) -> Result<Self> {
        let file = super::fs::open(path).cannot("read", path)?;
        let size = file.metadata().cannot("read", path)?.len();
        Self::of_open(file, path, size)
    }

    /// As [`Digest::of_file`], of a file of which `stat` said this size just before.
    pub fn of_sized(path: &Path, size: u64) -> Result<Self> {
        Self::of_open(super::fs::open(path).cannot("read", path)?, path, size)
    }

    fn of_open(mut file: File, path: &Path, size: u64) -> Result<Self> {
        if size < MAPPED {
            return Ok(Self::of(&read_whole(&mut file, size).cannot("read", path)?));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_mmap_rayon(path).cannot("read", path)?;
        Ok(Self(*hasher.finalize().as_bytes()))
    }

    /// Reads a file that is small enough to be kept in memory, with its digest. `None` where it is larger.
    pub fn read_small(path: &Path) -> Result<Option<(Self, Vec<u8>)>> {
        Self::small(super::fs::open(path).cannot("read", path)?, path)
    }

    /// As [`Digest::read_small`]; `None` also where no file is.
    pub fn read_if_small(path: &Path) -> Result<Option<(Self, Vec<u8>)>> {
        match super::fs::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Self::small(file.cannot("read", path)?, path),
        }
    }

    fn small(mut file: File, path: &Path) -> Result<Option<(Self, Vec<u8>)>> {
        let meta = file.metadata().cannot("read", path)?;
        if !meta.is_file() || meta.len() > SMALL {
            return Ok(None);
        }
        let bytes = read_whole(&mut file, meta.len()).cannot("read", path)?;
        Ok((bytes.len() as u64 <= SMALL).then(|| (Self::of(&bytes), bytes)))
    }

    /// Copies a file to a path where nothing stands; returns the digest of what the copy holds.
    pub fn copy(from: &Path, to: &Path, executable: bool) -> Result<Self> {
        if let Some((digest, bytes)) = Self::read_small(from)? {
            super::fs::write_new(to, &bytes, executable)?;
            return Ok(digest);
        }
        super::fs::copy_file_as(from, to, executable)?;
        Self::of_file(to)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes 32 bytes for a digest.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 64 hex digits, without `blake3:`.
    #[must_use]
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

/// Reads a file of which `stat` said this size: what is as long has been read whole, without asking once more for its end.
fn read_whole(file: &mut File, size: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(size).map_err(io::Error::other)?;
    let mut bytes = vec![0; size + 1];
    let mut filled = 0;
    loop {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if filled > size {
            // It has grown.
            file.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
        if filled == size && size > 0 {
            break;
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let hex = text.strip_prefix("blake3:").unwrap_or(text);
        blake3::Hash::from_hex(hex)
            .map(Self::from)
            .map_err(|_| Error::new(format!("`{text}` is no digest; it has to be `blake3:` and 64 hex digits")))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes_and_nothing_else() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string().parse::<Digest>().expect("a digest"), digest);
        assert_eq!(digest.hex().len(), 64);
        assert!("blake3:abc".parse::<Digest>().is_err());
        assert!("sha256:00".parse::<Digest>().is_err());
    }

    #[test]
    fn a_copy_has_the_digest_of_what_it_holds_small_or_large() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for size in [0, 5, SMALL as usize, SMALL as usize + 1] {
            let bytes = vec![b'x'; size];
            std::fs::write(&from, &bytes).expect("written");
            assert_eq!(Digest::copy(&from, &to, true).expect("copied"), Digest::of(&bytes));
            assert_eq!(std::fs::read(&to).expect("there"), bytes);
            assert_eq!(std::fs::metadata(&to).expect("there").permissions().mode() & 0o777, 0o755);
            std::fs::remove_file(&to).expect("removed");
        }
    }

    #[test]
    fn mapped_and_read_files_have_the_same_digest_as_their_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        for size in [0, 1, 70_000, (MAPPED as usize) + 3] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            let path = folder.path().join("x");
            std::fs::write(&path, &bytes).expect("written");
            assert_eq!(Digest::of_file(&path).expect("read"), Digest::of(&bytes), "{size} bytes");
        }
    }
}
