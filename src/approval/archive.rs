//! An entry of a ZIP archive whose parts lie in the one plain way (APPNOTE.TXT of PKWARE, 4.3): entries, the directory right behind
//! them, the end right behind that, no comment, no 64-bit records.
//!
//! A library for these files reads as much as it can, and so does Terraform's; of an archive that was made for it, with two directories
//! or two entries of one name, they read different things. What a person approves must be what is applied, so that whatever can
//! be read in two ways is nothing here.

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// What the last 22 bytes are: its mark, disks, counts, the directory's length and place, the length of the comment.
const END: usize = 22;
/// The mark that the end begins with.
pub(super) const MARK: &[u8] = b"PK\x05\x06";
/// Bytes of the record in the directory that stand before the name.
const RECORD: usize = 46;
/// Bytes that stand before the name where the entry itself does.
const LOCAL: usize = 30;
/// The most that a field of 16 bits holds, which says that a 64-bit record has the number.
const FULL: usize = 0xffff;

/// Returns the bytes of the entry; none where there is not exactly one, it has more than `most` bytes, or the archive
/// could be read in another way.
pub(super) fn entry(archive: &[u8], name: &[u8], most: u64) -> Option<Vec<u8>> {
    let (directory, count) = directory(archive)?;
    let mut at = directory.start;
    let mut found = None;
    for _ in 0..count {
        let record = Record::read(archive, at, directory.end)?;
        at = record.end;
        if record.name == name && found.replace(record).is_some() {
            return None;
        }
    }
    if at != directory.end {
        return None;
    }
    let record = found?;
    let bytes = record.bytes(archive.get(..directory.start)?, most)?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    (bytes.len() == record.unpacked && crc.sum() == record.crc).then_some(bytes)
}

/// Returns where the directory stands and how many records it has.
fn directory(archive: &[u8]) -> Option<(std::ops::Range<usize>, usize)> {
    let end = archive.len().checked_sub(END)?;
    let [disk, of, here, count] = [4, 6, 8, 10].map(|at| short(archive, end + at));
    let (length, start) = (long(archive, end + 12)?, long(archive, end + 16)?);
    let plain = archive.get(end..end + MARK.len())? == MARK
        && (disk, of, here) == (Some(0), Some(0), count)
        && count != Some(FULL)
        // Terraform's reader takes this too for a sign that a 64-bit record has the number.
        && length != FULL
        && start.checked_add(length) == Some(end)
        && short(archive, end + 20)? == 0;
    if plain { Some((start..end, count?)) } else { None }
}

/// What the directory says of an entry.
struct Record<'a> {
    name: &'a [u8],
    method: usize,
    crc: u32,
    packed: usize,
    unpacked: usize,
    /// Where the entry itself stands.
    place: usize,
    /// Where the record ends.
    end: usize,
}

impl<'a> Record<'a> {
    fn read(archive: &'a [u8], at: usize, last: usize) -> Option<Self> {
        if archive.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let [name, extra, comment] = [28, 30, 32].map(|field| short(archive, at + field));
        let (name, extra) = (name?, extra?);
        let end = at + RECORD + name + extra;
        // Encrypted, or with a comment.
        if end > last || short(archive, at + 8)? & 1 != 0 || comment? != 0 {
            return None;
        }
        let [packed, unpacked, place] = [20, 24, 42].map(|field| long(archive, at + field));
        let wide = [packed, unpacked, place].contains(&Some(u32::MAX as usize));
        if wide || !extras_without_wide(archive.get(end - extra..end)?) {
            return None;
        }
        let crc = u32::try_from(long(archive, at + 16)?).ok()?;
        let name = archive.get(at + RECORD..at + RECORD + name)?;
        let method = short(archive, at + 10)?;
        Some(Self { name, method, crc, packed: packed?, unpacked: unpacked?, place: place?, end })
    }

    /// Returns the unpacked bytes; `entries` is what stands before the directory.
    fn bytes(&self, entries: &[u8], most: u64) -> Option<Vec<u8>> {
        let local = entries.get(self.place..)?;
        let name = short(local, 26)?;
        let same = local.get(..4)? == b"PK\x03\x04"
            && short(local, 8)? == self.method
            && local.get(LOCAL..LOCAL.checked_add(name)?)? == self.name;
        if !same {
            return None;
        }
        let start = LOCAL + name + short(local, 28)?;
        let packed = local.get(start..start.checked_add(self.packed)?)?;
        if self.unpacked as u64 > most {
            return None;
        }
        match self.method {
            0 => Some(packed.to_vec()),
            8 => {
                let mut unpacked = Vec::new();
                DeflateDecoder::new(packed).take(most + 1).read_to_end(&mut unpacked).ok()?;
                Some(unpacked)
            }
            _ => None,
        }
    }
}

/// Tells whether the extra fields of a record can be read, and none has numbers of 64 bits.
fn extras_without_wide(mut extras: &[u8]) -> bool {
    while !extras.is_empty() {
        let (Some(kind), Some(length)) = (short(extras, 0), short(extras, 2)) else { return false };
        let Some(rest) = extras.get(4 + length..) else { return false };
        if kind == 1 {
            return false;
        }
        extras = rest;
    }
    true
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes an archive of stored entries, as every writer does.
    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut all, mut directory) = (Vec::new(), Vec::new());
        for (name, bytes) in entries {
            let mut crc = Crc::new();
            crc.update(bytes);
            let (place, size) = (all.len() as u32, bytes.len() as u32);
            let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            fields.extend([crc.sum(), size, size].iter().flat_map(|number| number.to_le_bytes()));
            fields.extend([name.len() as u16, 0].iter().flat_map(|number| number.to_le_bytes()));
            all.extend_from_slice(b"PK\x03\x04");
            all.extend_from_slice(&fields);
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(bytes);
            directory.extend_from_slice(b"PK\x01\x02\x14\x00");
            directory.extend_from_slice(&fields);
            directory.extend_from_slice(&[0; 10]);
            directory.extend_from_slice(&place.to_le_bytes());
            directory.extend_from_slice(name.as_bytes());
        }
        let (start, length, count) = (all.len() as u32, directory.len() as u32, entries.len() as u16);
        all.extend(directory);
        all.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        all.extend([count, count].iter().flat_map(|number| number.to_le_bytes()));
        all.extend([length, start].iter().flat_map(|number| number.to_le_bytes()));
        all.extend_from_slice(&[0, 0]);
        all
    }

    fn read(archive: &[u8]) -> Option<Vec<u8>> {
        entry(archive, b"plan", 100)
    }

    const TWO: &[(&str, &[u8])] = &[("state", b"{}"), ("plan", b"harmless")];

    #[test]
    fn the_one_entry_of_a_name_is_read() {
        assert_eq!(read(&archive(TWO)).as_deref(), Some(&b"harmless"[..]));
        assert_eq!(read(&archive(&[("state", b"{}")])), None);
        assert_eq!(read(&archive(&[("plan", b"a"), ("plan", b"b")])), None, "readers take the first, or the last");
        assert_eq!(read(&archive(&[("plan", &[b'x'; 101])])), None);
    }

    #[test]
    fn what_two_readers_read_differently_is_nothing() {
        let sound = archive(TWO);
        let end = sound.len() - END;
        let bent = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = sound.clone();
            change(&mut bytes);
            read(&bytes)
        };
        // Numbers that send a reader to 64-bit records: of entries, of bytes.
        assert_eq!(bent(&|bytes| bytes[end + 8..end + 12].fill(0xff)), None);
        assert_eq!(bent(&|bytes| bytes[end + 12..end + 14].fill(0xff)), None);
        // Bytes before the archive, between its directory and its end, behind it; a comment.
        assert_eq!(bent(&|bytes| bytes.insert(0, b'x')), None);
        assert_eq!(bent(&|bytes| bytes.splice(end..end, *b"PK\x06\x07aaaaaaaaaaaaaaaa").for_each(drop)), None);
        assert_eq!(bent(&|bytes| bytes.push(0)), None);
        assert_eq!(bent(&|bytes| (bytes[end + 20], _) = (1, bytes.push(b'x'))), None);
        // A record more than is counted, and one less.
        assert_eq!(bent(&|bytes| bytes[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0])), None);
        assert_eq!(bent(&|bytes| bytes[end + 8..end + 12].copy_from_slice(&[3, 0, 3, 0])), None);
        // Another name, method or content where the entry itself stands.
        let local = LOCAL + "state{}".len();
        assert_eq!(&sound[local..local + 4], b"PK\x03\x04");
        assert_eq!(bent(&|bytes| bytes[local + LOCAL] = b'q'), None);
        assert_eq!(bent(&|bytes| bytes[local + 8] = 8), None);
        assert_eq!(bent(&|bytes| bytes[local + LOCAL + 4] = b'H'), None);
    }

    #[test]
    fn a_directory_of_which_the_length_is_the_sign_of_a_wide_one_is_not_read() {
        let long = "n".repeat(FULL - 2 * RECORD - "plan".len());
        assert_eq!(read(&archive(&[(&long, b""), ("plan", b"harmless")])), None);
        assert!(read(&archive(&[(&long[1..], b""), ("plan", b"harmless")])).is_some());
    }
}
