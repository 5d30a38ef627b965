//! The file of remembered digests: sorted by name, sealed with a digest of itself, looked up where it lies. Nothing is made of its
//! entries but of those that somebody asks for.

use crate::host::Digest;
use crate::host::fs::Fingerprint;

/// First bytes of the file; the number is the version of its format.
const MAGIC: &[u8; 15] = b"mlpc digests 2\n";

/// What `stat` said of a file when its digest was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) print: Fingerprint,
    pub(super) digest: Digest,
    /// When hashing began, nanoseconds.
    pub(super) seen: i64,
    /// The file system was flushed since: a power cut changes nothing of it.
    pub(super) flushed: bool,
}

/// A file of digests that was read.
#[derive(Debug, Default)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Where entries begin, in the order of their names.
    at: Vec<u32>,
    /// What was not flushed when it was written counts in this boot of the machine alone.
    boot: Option<String>,
}

impl Table {
    /// Reads the bytes of a file. `None`: they are torn, or of another version.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let (body, check) = bytes.split_last_chunk::<32>()?;
        if blake3::hash(body).as_bytes() != check {
            return None;
        }
        let mut rest = body.strip_prefix(MAGIC.as_slice())?;
        let boot = text(&mut rest)?;
        let boot = (!boot.is_empty()).then(|| boot.to_owned());
        let mut at = Vec::with_capacity(rest.len() / 100);
        while !rest.is_empty() {
            at.push(u32::try_from(body.len() - rest.len()).ok()?);
            entry(&mut rest)?;
        }
        Some(Self { at, boot, bytes })
    }

    /// Tells whether what was not flushed still counts.
    pub(super) fn is_of(&self, boot: Option<&str>) -> bool {
        self.boot.is_some() && self.boot.as_deref() == boot
    }

    fn entry(&self, index: usize) -> Option<(&str, Known)> {
        entry(&mut self.bytes.get(*self.at.get(index)? as usize..)?)
    }

    /// Returns what is known of a name.
    pub(super) fn get(&self, name: &str) -> Option<Known> {
        let before = |&at: &u32| self.bytes.get(at as usize..).and_then(|mut rest| text(&mut rest)) < Some(name);
        let index = self.at.partition_point(before);
        self.entry(index).filter(|(is, _)| *is == name).map(|(_, known)| known)
    }

    /// Returns all entries, in the order of their names.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Known)> {
        (0..self.at.len()).filter_map(|index| self.entry(index))
    }
}

/// Writes entries, which come in the order of their names.
pub(super) fn encode<'n>(boot: Option<&str>, all: impl Iterator<Item = (&'n str, Known)>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let put = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    put(&mut bytes, boot.unwrap_or_default());
    for (name, known) in all {
        put(&mut bytes, name);
        bytes.extend(known.print.bytes());
        bytes.extend(known.seen.to_le_bytes());
        bytes.push(known.flushed.into());
        bytes.extend(known.digest.bytes());
    }
    let check = blake3::hash(&bytes);
    bytes.extend(check.as_bytes());
    bytes
}

fn entry<'b>(rest: &mut &'b [u8]) -> Option<(&'b str, Known)> {
    let name = text(rest)?;
    let print = Fingerprint::from_bytes(take(rest)?);
    let seen = i64::from_le_bytes(take(rest)?);
    let [flushed] = take(rest)?;
    let digest = Digest::from_bytes(take(rest)?);
    Some((name, Known { print, digest, seen, flushed: flushed == 1 }))
}

fn text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let (text, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    std::str::from_utf8(text).ok()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(size: u64, flushed: bool) -> Known {
        let print = Fingerprint { size, mtime: -1, ctime: 2, inode: u64::MAX };
        Known { print, digest: Digest::of(&size.to_le_bytes()), seen: i64::MIN, flushed }
    }

    #[test]
    fn what_was_written_is_found_by_its_name() {
        let names: Vec<String> = (0..300).map(|number| format!("out/{number:03}é")).collect();
        let all = || names.iter().enumerate().map(|(at, name)| (name.as_str(), known(at as u64, at % 2 == 0)));
        let table = Table::decode(encode(Some("boot"), all())).expect("whole");
        for (name, is) in all() {
            assert_eq!(table.get(name), Some(is));
        }
        for none in ["", "out/", "out/000", "out/299éé", "z"] {
            assert_eq!(table.get(none), None, "{none}");
        }
        assert_eq!(table.all().count(), 300);
        assert!(table.is_of(Some("boot")) && !table.is_of(Some("other")) && !table.is_of(None));
    }

    #[test]
    fn a_torn_file_is_none() {
        let whole = encode(None, [("a", known(1, true))].into_iter());
        for cut in [0, 5, whole.len() - 1] {
            assert!(Table::decode(whole[..cut].to_vec()).is_none());
        }
        let mut altered = whole.clone();
        altered[20] ^= 1;
        assert!(Table::decode(altered).is_none());
        assert!(!Table::decode(whole).expect("whole").is_of(None));
    }
}
