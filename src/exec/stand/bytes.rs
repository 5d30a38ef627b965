//! Numbers and texts in a row of bytes, and back without copying.

use std::borrow::Cow;

use crate::host::{Digest, machine};

/// Writes.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, number: usize) {
        // Nothing here counts beyond 4 G; what did would be read back as another file's end, and refused.
        self.0.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.extend(bytes);
    }

    pub(super) fn numbers(&mut self, numbers: &Numbers<'_>) {
        self.number(numbers.0.len());
        self.0.extend(numbers.0.as_flattened());
    }

    /// Returns the file: a name of the format, the digest of the rest, the rest.
    pub(super) fn seal(self, magic: &[u8; 16]) -> Vec<u8> {
        let digest = hash(&self.0);
        [magic.as_slice(), digest.bytes(), &self.0].concat()
    }
}

/// Where the rest of a sealed file begins.
pub(super) const SEALED: usize = 16 + 32;

/// Returns the digest of a sealed file and its content, if it is whole.
pub(super) fn unseal<'b>(bytes: &'b [u8], magic: &[u8; 16]) -> Option<(Digest, &'b [u8])> {
    let rest = bytes.strip_prefix(magic)?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let digest = Digest::from_bytes(*digest);
    (hash(rest) == digest).then_some((digest, rest))
}

pub(super) fn hash(bytes: &[u8]) -> Digest {
    const WORTH_THREADS: usize = 4 << 20;
    let mut hasher = blake3::Hasher::new();
    match bytes.len() {
        ..WORTH_THREADS => hasher.update(bytes),
        _ => hasher.update_rayon(bytes),
    };
    hasher.finalize().into()
}

/// Says until when what was written counts: for good if the file system was flushed, else until the machine is started again.
pub(super) fn until(flushed: bool) -> [u8; 32] {
    if flushed { [0; 32] } else { *hash(machine::boot().unwrap_or_default().as_bytes()).bytes() }
}

/// Tells whether what was written counts now.
pub(super) fn counts(until: [u8; 32]) -> bool {
    until == [0; 32] || (machine::boot().is_some() && until == self::until(false))
}

/// Reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn number(&mut self) -> Option<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    pub(super) fn long(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let count = self.number()?;
        self.take(count)
    }

    pub(super) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn numbers(&mut self) -> Option<Numbers<'b>> {
        let count = self.number()?;
        let bytes = self.take(count.checked_mul(4)?)?;
        Some(Numbers(Cow::Borrowed(bytes.as_chunks::<4>().0)))
    }
}

/// Numbers, most of them where they were read: of ten thousand nodes few are ever looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers<'b>(Cow<'b, [[u8; 4]]>);

impl Numbers<'_> {
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize)
    }

    /// Replaces each number by what it is moved to.
    pub(super) fn replace(&mut self, moved: &[u32]) {
        for bytes in self.0.to_mut() {
            *bytes = moved[u32::from_le_bytes(*bytes) as usize].to_le_bytes();
        }
    }
}

impl FromIterator<u32> for Numbers<'static> {
    fn from_iter<T: IntoIterator<Item = u32>>(numbers: T) -> Self {
        Self(Cow::Owned(numbers.into_iter().map(u32::to_le_bytes).collect()))
    }
}
