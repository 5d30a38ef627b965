//! The state in a file: which files matter, what they were, and what each node made of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bytes::{Numbers, Reader, SEALED, Writer, counts, hash, unseal, until};
use crate::cache::{Artifact, Kind};
use crate::exec::record::RunRecord;
use crate::host::Digest;
use crate::plan::Runtime;
use crate::types::Value;

/// First bytes of the file; the number is the version of its format.
const MAGIC: &[u8; 16] = b"mlpc stand    2\n";

/// What there is to know before anything else is read.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::exec) struct Header {
    /// Digest of the file with the plan.
    pub(super) plan: Digest,
    /// The last run that has all nodes in its record; its own record is the model of the next one's.
    pub(in crate::exec) run: RunRecord,
    /// Variables of the caller that keys hold, with digests of their values.
    pub(super) variables: BTreeMap<String, Option<Digest>>,
    /// Runtimes that stages run in: what they are made of has to be what is locked.
    pub(super) runtimes: Vec<Runtime>,
    /// Patterns of code, with digests of the lists of files that they meant.
    pub(super) patterns: Vec<(String, Digest)>,
    /// How many of the files, the first ones, decide what the plan is.
    pub(super) sources: usize,
    /// How many stages had nothing to do or have come out well, and how many nodes are skipped.
    pub(in crate::exec) served: usize,
    pub(in crate::exec) skipped: usize,
    /// A node has to have its turn in every run.
    pub(super) restless: bool,
    /// How many nodes are wanted, and the length of the longest name.
    pub(in crate::exec) wanted: usize,
    pub(super) width: usize,
    pub(super) nodes: usize,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct There {
    /// Nothing, if nothing is there.
    pub(super) artifact: Option<Artifact>,
    pub(super) print: [u8; 32],
    /// The same fingerprint means the same content.
    pub(super) believed: bool,
}

/// A file that matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileRow<'b> {
    /// Relative to the workspace where it is inside.
    pub(super) path: &'b str,
    pub(super) there: There,
    /// Where the row's state stands in the file's content, to be put right in place.
    at: usize,
}

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It came out well and what it made is known.
    Well,
    /// It is skipped, as the bound plan says.
    Skipped,
    /// It has to have its turn.
    Restless,
    /// Nobody asked for it.
    Unwanted,
}

/// What is known of a node.
#[derive(Debug, Clone)]
pub(super) struct NodeRow<'b> {
    pub(super) stands: Stands,
    pub(super) key: [u8; 32],
    /// Indices of files, the outputs among them.
    pub(super) files: Numbers<'b>,
    pub(super) patterns: Numbers<'b>,
    /// [`Made`] as JSON.
    pub(super) made: Cow<'b, [u8]>,
}

/// An output: name, content, value, where it is published.
pub(in crate::exec) type Made = (String, Artifact, Option<Value>, String);

const STATE: usize = 1 + 1 + 32 + 32 + 8;

fn state(there: &There) -> [u8; STATE] {
    let mut bytes = [0; STATE];
    let (tag, digest, size) = match there.artifact {
        None => (0, [0; 32], 0),
        Some(artifact) => {
            let tag = match (artifact.kind, artifact.executable) {
                (Kind::File, false) => 1,
                (Kind::File, true) => 2,
                (Kind::Tree, _) => 3,
            };
            (tag, *artifact.digest.bytes(), artifact.size)
        }
    };
    bytes[0] = tag;
    bytes[1] = u8::from(there.believed);
    bytes[2..34].copy_from_slice(&there.print);
    bytes[34..66].copy_from_slice(&digest);
    bytes[66..].copy_from_slice(&size.to_le_bytes());
    bytes
}

fn read_state(reader: &mut Reader<'_>) -> Option<There> {
    let (tag, believed) = (reader.byte()?, reader.byte()? == 1);
    let (print, digest, size) = (reader.array()?, Digest::from_bytes(reader.array()?), reader.long()?);
    let artifact = |kind, executable| Some(Artifact { kind, digest, executable, size });
    let artifact = match tag {
        0 => None,
        1 => artifact(Kind::File, false),
        2 => artifact(Kind::File, true),
        3 => artifact(Kind::Tree, false),
        _ => return None,
    };
    Some(There { artifact, print, believed })
}

/// Writes the state. What was not flushed to the disk before counts until the machine is started again.
pub(super) fn encode<'p>(
    header: &Header,
    flushed: bool,
    files: impl ExactSizeIterator<Item = (&'p str, There)>,
    nodes: &[NodeRow<'_>],
) -> Option<Vec<u8>> {
    let mut file = Writer::default();
    file.0.extend(until(flushed));
    file.bytes(&serde_json::to_vec(header).ok()?);
    file.number(files.len());
    for (path, there) in files {
        file.bytes(path.as_bytes());
        file.0.extend(state(&there));
    }
    file.number(nodes.len());
    for node in nodes {
        file.0.push(match node.stands {
            Stands::Well => 0,
            Stands::Skipped => 1,
            Stands::Restless => 2,
            Stands::Unwanted => 3,
        });
        file.0.extend(node.key);
        file.numbers(&node.files);
        file.numbers(&node.patterns);
        file.bytes(&node.made);
    }
    Some(file.seal(MAGIC))
}

/// A state that was read.
#[derive(Debug)]
pub(super) struct StateFile<'b> {
    pub(super) header: Header,
    pub(super) files: Vec<FileRow<'b>>,
    /// Until when it counts.
    until: [u8; 32],
    nodes: Reader<'b>,
}

impl<'b> StateFile<'b> {
    pub(super) fn decode(bytes: &'b [u8]) -> Option<Self> {
        let (_, rest) = unseal(bytes, MAGIC)?;
        let mut reader = Reader(rest);
        let until = reader.array()?;
        let header: Header = serde_json::from_slice(reader.bytes()?).ok()?;
        let count = reader.number()?;
        let mut files = Vec::with_capacity(count.min(rest.len() / STATE));
        for _ in 0..count {
            let path = reader.text()?;
            let at = rest.len() - reader.0.len();
            files.push(FileRow { path, there: read_state(&mut reader)?, at });
        }
        (header.sources <= files.len()).then_some(Self { header, files, until, nodes: reader })
    }

    /// Tells whether it counts: the file system was flushed before it was written, or the machine was not started again since.
    pub(super) fn counts(&self) -> bool {
        counts(self.until)
    }

    /// Tells whether the file system was flushed before it was written.
    pub(super) fn is_flushed(&self) -> bool {
        self.until == until(true)
    }

    pub(super) fn nodes(&self) -> Option<Vec<NodeRow<'b>>> {
        let mut reader = self.nodes;
        let count = reader.number()?;
        let mut nodes = Vec::with_capacity(count.min(reader.0.len()));
        for _ in 0..count {
            let stands = match reader.byte()? {
                0 => Stands::Well,
                1 => Stands::Skipped,
                2 => Stands::Restless,
                3 => Stands::Unwanted,
                _ => return None,
            };
            let (key, files, patterns) = (reader.array()?, reader.numbers()?, reader.numbers()?);
            let known = |indices: &Numbers<'_>, count: usize| indices.iter().all(|index| index < count);
            if !known(&files, self.files.len()) || !known(&patterns, self.header.patterns.len()) {
                return None;
            }
            nodes.push(NodeRow { stands, key, files, patterns, made: Cow::Borrowed(reader.bytes()?) });
        }
        Some(nodes)
    }
}

/// Returns a copy of the file with other states of some files, by their rows.
pub(super) fn with(bytes: &[u8], changes: &[(FileRow<'_>, There)], flushed: bool) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    copy[SEALED..SEALED + 32].copy_from_slice(&until(flushed));
    for (row, there) in changes {
        let at = SEALED + row.at;
        copy[at..at + STATE].copy_from_slice(&state(there));
    }
    let digest = hash(&copy[SEALED..]);
    copy[16..SEALED].copy_from_slice(digest.bytes());
    copy
}
