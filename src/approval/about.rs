//! What a person is shown of a file that he decides about: which one it is, and of a Terraform plan what it would change.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::terraform::{self, Changes};
use crate::host::{Digest, fs};
use crate::shown;

/// So many resources of a plan are shown.
const RESOURCES: usize = 20;

/// A file, as a person is asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its path in the workspace.
    pub path: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes; none of a folder, or where it stands no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What it would change, where it is a Terraform plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// It looks like a Terraform plan, and what it would change can't be read for certain.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

/// Looks at a file or folder of a workspace, of which the digest is known; bytes that have another one are not looked into.
#[must_use]
pub fn about(workspace: &Path, path: &str, digest: &Digest) -> About {
    let full = workspace.join(path);
    let size = full.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    // A model of gigabytes is not read for nothing.
    let end = size.and_then(|size| part(&full, size.saturating_sub(TAIL)));
    let named = end.is_some_and(|end| terraform::is_named(&end));
    let is_archive = size.is_some() && part(&full, 0).is_some_and(|begin| begin.starts_with(b"PK"));
    let wanted = size.filter(|&size| size <= terraform::MOST && (named || is_archive));
    let bytes = wanted.and_then(|_| fs::read(&full).ok()).filter(|bytes| Digest::of(bytes) == *digest);
    let changes = bytes.as_deref().and_then(terraform::read);
    let unread = changes.is_none() && (named || bytes.is_some_and(|bytes| terraform::is_named(&bytes)));
    About { path: path.to_owned(), digest: digest.to_string(), size, changes, unread }
}

/// So much of the end of an archive is looked at, which names what is in it.
const TAIL: u64 = 64 << 10;

/// Reads a part of a file, of the length that is looked at; nothing where it can't be read.
fn part(path: &Path, from: u64) -> Option<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = fs::open(path).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

impl About {
    /// Says in a line which file it is, and what it would change: `out/infra.tfplan, 2777 bytes: 3 to add, …`.
    #[must_use]
    pub fn line(&self) -> String {
        let size = self.size.map(|size| format!(", {size} bytes")).unwrap_or_default();
        let changes = match &self.changes {
            Some(changes) => format!(": {}", changes.counts()),
            None if self.unread => ": what it would change can't be read for certain, see `terraform show`".to_owned(),
            None => String::new(),
        };
        format!("`{}`{size}{changes}", shown::name(&self.path))
    }

    /// Says line by line what it would change; nothing where that is not known.
    #[must_use]
    pub fn resources(&self) -> Vec<String> {
        let Some(changes) = &self.changes else { return Vec::new() };
        let mut lines: Vec<_> =
            changes.resources.iter().take(RESOURCES).map(|line| shown::name(line).into_owned()).collect();
        let more = changes.resources.len().saturating_sub(RESOURCES);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        match changes.outputs {
            0 => {}
            1 => lines.push("1 output changes".to_owned()),
            outputs => lines.push(format!("{outputs} outputs change")),
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &[u8] = include_bytes!("../../tests/fixtures/terraform/changes.tfplan");

    #[test]
    fn a_plan_is_looked_into_and_other_bytes_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
        write("infra.tfplan", PLAN);
        write("list.txt", b"a list\n");
        let plan = about(folder.path(), "infra.tfplan", &Digest::of(PLAN));
        assert_eq!(plan.line(), "`infra.tfplan`, 2777 bytes: 3 to add, 1 to change, 2 to destroy");
        assert_eq!(plan.resources().len(), 6);
        // With an entry more, it may be read in two ways.
        let doubled = [PLAN, PLAN].concat();
        write("infra.tfplan", &doubled);
        let doubled = about(folder.path(), "infra.tfplan", &Digest::of(&doubled));
        assert_eq!(doubled.changes, None);
        assert!(doubled.line().ends_with("can't be read for certain, see `terraform show`"), "{}", doubled.line());
        // So may one with something before it; and one that is too large is not read.
        let before = [b"x", PLAN].concat();
        write("infra.tfplan", &before);
        assert!(about(folder.path(), "infra.tfplan", &Digest::of(&before)).unread);
        let large = [vec![0; terraform::MOST as usize], PLAN.to_vec()].concat();
        write("infra.tfplan", &large);
        assert!(about(folder.path(), "infra.tfplan", &Digest::of(b"")).unread);
        write("infra.tfplan", PLAN);
        let other = about(folder.path(), "infra.tfplan", &Digest::of(b"what was asked about"));
        assert_eq!(other.changes, None, "these bytes are not the ones that are decided about");
        write("log.txt", b"saved the plan to: out/infra.tfplan\n");
        assert!(!about(folder.path(), "log.txt", &Digest::of(b"")).unread, "it only speaks of one");
        let list = about(folder.path(), "list.txt", &Digest::of(b"a list\n"));
        assert_eq!((list.line().as_str(), list.resources().len()), ("`list.txt`, 7 bytes", 0));
        let gone = about(folder.path(), "gone", &Digest::of(b""));
        assert_eq!((gone.size, gone.line().as_str()), (None, "`gone`"));
    }

    #[test]
    fn of_many_resources_some_are_shown_and_none_can_end_its_line() {
        let resources = (0..30).map(|index| format!("+ a.b[\"{index}\n\u{1b}[31m\"]")).collect();
        let changes = Changes { add: 30, resources, ..Changes::default() };
        let about =
            About { path: "p".into(), digest: "d".into(), size: Some(1), changes: Some(changes), unread: false };
        let lines = about.resources();
        assert_eq!((lines.len(), lines[20].as_str()), (21, "and 10 more"));
        assert!(lines.iter().all(|line| !line.contains(['\n', '\u{1b}'])), "{lines:?}");
    }
}
