//! Whether files are here with the bytes that a clone of the commit has. Those are the bytes that the commit names, or what
//! git makes of them by the attributes that the commit itself declares, as line ends. Git LFS counts, since its pointer
//! stands in the commit and names the bytes. What else a filter of this clone makes of a file nobody else has.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::tree::{Kind, Repository, Tree};
use crate::host::git::Git;
use crate::host::{Context, Error, fs};

/// A file that a run reads.
pub(super) struct Read {
    /// As it is named, from the workspace.
    pub(super) file: String,
    /// The file of the commit that it is, from the top.
    pub(super) real: String,
    /// The links that lead to it, from the top.
    pub(super) links: Vec<String>,
}

/// How a file differs from what a clone has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Other {
    /// A clone has it.
    Absent,
    /// A clone reads it.
    Hidden,
    /// Only here it is executable, or only there.
    Executable(bool),
    /// This link is none here, or leads elsewhere.
    Link(String),
    /// In its line ends alone.
    LineEnds,
    /// In its bytes.
    Bytes,
}

/// What a clone has does not hang on the machine: neither on its settings nor on its attributes, and lines end as on Linux.
const SETTINGS: [(&str, &str); 5] = [
    ("core.attributesFile", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.eol", "lf"),
    ("core.symlinks", "true"),
    ("core.fileMode", "true"),
];

/// A pointer of Git LFS is never longer (its specification, version 1).
const POINTER: usize = 1024;

/// Returns the first of the files that is other than a clone of the commit has it. A fixed number of processes is asked,
/// however many files there are.
pub(super) fn other<'r>(tree: &Tree, read: &'r [Read]) -> Result<Option<(&'r str, Other)>, Error> {
    let (mut others, mut present) = (BTreeMap::new(), BTreeSet::new());
    for file in read.iter().map(|read| &read.real) {
        let Some(entry) = tree.get(file) else { continue };
        let Ok(here) = std::fs::symlink_metadata(tree.top.join(file)) else {
            others.insert(file, Other::Absent);
            continue;
        };
        let executable = fs::is_executable(&here);
        if entry.kind == Kind::Link {
            others.insert(file, Other::Link(file.clone()));
        } else if executable != (entry.kind == Kind::Executable) {
            others.insert(file, Other::Executable(executable));
        } else {
            present.insert(file);
        }
    }
    let links: BTreeSet<&String> = read.iter().flat_map(|read| &read.links).collect();
    let doubtful = unlike(tree, &present)?;
    for (index, repository) in tree.repositories.iter().enumerate() {
        let of_this = |file: &&&String| tree.get(file).is_some_and(|entry| entry.repository == index);
        let asked: Vec<&String> = doubtful.iter().chain(&links).filter(of_this).copied().collect();
        if asked.is_empty() {
            continue;
        }
        let clone = tempfile::tempdir().context(|| "cannot make a temporary folder".to_owned())?;
        let work = check_out(tree, repository, &asked, clone.path())?;
        for file in asked {
            let there = work.join(file.strip_prefix(&repository.at).unwrap_or(file));
            let other = if links.contains(file) {
                let same = std::fs::read_link(&there).ok() == std::fs::read_link(tree.top.join(file)).ok();
                (!same).then(|| Other::Link(file.clone()))
            } else {
                compared(&tree.top.join(file), &there)?
            };
            others.extend(other.map(|other| (file, other)));
        }
    }
    Ok(read.iter().find_map(|read| {
        let other = read.links.iter().chain([&read.real]).find_map(|file| others.get(file))?;
        Some((read.file.as_str(), other.clone()))
    }))
}

/// Returns those files whose bytes, unfiltered, are not the blob that the commit has.
fn unlike<'f>(tree: &Tree, files: &BTreeSet<&'f String>) -> Result<BTreeSet<&'f String>, Error> {
    if files.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names: String = files.iter().map(|file| quoted(file) + "\n").collect();
    let hashed = Git::at(&tree.top).run_from(&["hash-object", "--no-filters", "--stdin-paths"], names.as_bytes())?;
    let hashed = String::from_utf8_lossy(&hashed).into_owned();
    let mut hashes = hashed.lines();
    // A file without a line was not hashed, and is not known to be the blob.
    let unlike = files.iter().filter(|file| {
        let hash = hashes.next();
        tree.get(file).is_none_or(|entry| hash != Some(entry.blob.as_str()))
    });
    Ok(unlike.copied().collect())
}

/// Quotes a path for git to read it from a line of its own.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("\"");
    for character in path.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\x1f' => quoted.push_str(&format!("\\{:03o}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// Writes files of a repository's commit below `place`, as a clone without any settings has them; returns the folder.
fn check_out(tree: &Tree, repository: &Repository, files: &[&String], place: &Path) -> Result<PathBuf, Error> {
    let top = tree.top.join(&repository.at);
    let told = Git::at(&top).run(&["rev-parse", "--show-object-format", "--git-path", "objects"])?;
    let mut lines = told.splitn(2, |byte| *byte == b'\n');
    let format = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let objects = lines.next().unwrap_or_default();
    let objects = OsString::from_vec(objects.strip_suffix(b"\n").unwrap_or(objects).to_vec());
    let (git_dir, work) = (place.join("git"), place.join("work"));
    fs::create_dirs(&work)?;
    let init = ["init", "--quiet", "--bare", "--template=", &format!("--object-format={format}")];
    Git::private(&git_dir, place, &[]).run(&init)?;
    let settings = SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let git = Git::private(&git_dir, &work, &settings)
        .with("GIT_WORK_TREE", &work)
        .with("GIT_ATTR_NOSYSTEM", "1")
        .with("GIT_OBJECT_DIRECTORY", top.join(objects));
    git.run(&["read-tree", &repository.commit])?;
    let names = files.iter().flat_map(|file| [file.strip_prefix(&repository.at).unwrap_or(file), "\0"]);
    git.run_from(&["checkout-index", "--force", "-z", "--stdin"], names.collect::<String>().as_bytes())?;
    Ok(work)
}

/// Compares a file with what a clone has in its place.
fn compared(here: &Path, there: &Path) -> Result<Option<Other>, Error> {
    let cloned = fs::read(there)?;
    if let Some(pointer) = pointer(&cloned)
        && pointer == sha256(here)?
    {
        return Ok(None);
    }
    let here = fs::read(here)?;
    if here == cloned {
        return Ok(None);
    }
    let is_alike = joined(&here).eq(joined(&cloned));
    Ok(Some(if is_alike { Other::LineEnds } else { Other::Bytes }))
}

/// Returns the bytes with line ends of one kind.
fn joined(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let next = bytes.iter().skip(1).map(Some).chain([None]);
    bytes.iter().zip(next).filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n'))).map(|(byte, _)| *byte)
}

/// Returns the SHA-256 of the bytes that a pointer of Git LFS stands for.
fn pointer(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok().filter(|text| text.len() < POINTER)?;
    let mut lines = text.lines();
    if lines.next() != Some("version https://git-lfs.github.com/spec/v1") {
        return None;
    }
    let digest = lines.find_map(|line| line.strip_prefix("oid sha256:"))?;
    // A pointer with extensions stands for bytes that other programs made of these.
    (!text.contains("\next-")).then(|| digest.to_owned())
}

fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = fs::open(path).cannot("read", path)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let count = file.read(&mut buffer).cannot("read", path)?;
        let Some(some) = buffer.get(..count).filter(|some| !some.is_empty()) else { break };
        hasher.update(some);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
