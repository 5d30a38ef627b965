//! What `check` found clean before: large pipelines that have not changed are not parsed again.
//!
//! An entry stands in `.mlpc/check`, one for the same files, and counts for the same bytes and the same program alone. It
//! holds what has to be looked at outside of the texts, which is looked at every time. Only what is wholly clean is
//! kept, and a folder that can't be written is as good as any.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::around::{Asked, files};
use crate::host::fs;
use crate::plan::Runtime;
use crate::source::Sources;

/// Smaller texts are checked in a few milliseconds and leave nothing behind.
const WORTH: usize = 64 * 1024;

/// What is known of files that were found clean.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    key: String,
    /// What is said of each file.
    pub(super) summaries: Vec<String>,
    /// For each file, the patterns of its code.
    pub(super) patterns: Vec<Vec<String>>,
    /// For each file, its runtimes, which `mlpc.lock` has to know.
    pub(super) runtimes: Vec<Vec<Runtime>>,
    /// For each file, the files and folders that it names.
    pub(super) files: Vec<Vec<files::Asked>>,
}

/// Where the entry of some files stands, and the key that it must have.
pub(super) struct Place {
    path: PathBuf,
    state: PathBuf,
    key: String,
}

impl Place {
    /// Returns the place for these files; none where keeping anything is not worth it, or where more than these bytes
    /// decides about the result.
    pub(super) fn of(sources: &Sources) -> Option<Self> {
        let size: usize = sources.iter().map(|(_, file)| file.text().len()).sum();
        if size < WORTH || sources.iter().any(|(_, file)| reads_others(file.text())) {
            return None;
        }
        let program = std::env::current_exe().and_then(|program| program.metadata()).ok()?;
        let changed = program.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let mut names = blake3::Hasher::new();
        let mut key = blake3::Hasher::new();
        for part in [env!("CARGO_PKG_VERSION"), &program.len().to_string(), &changed.as_nanos().to_string()] {
            add(&mut key, part.as_bytes());
        }
        let mut state = None;
        for (_, file) in sources.iter() {
            let absolute = Path::new(file.name()).canonicalize().ok()?;
            // Platforms refuse a name that they would evaluate, and where the repository begins is no part of the text.
            if ["{{", "$(", "$$"].iter().any(|mark| absolute.to_string_lossy().contains(mark)) {
                return None;
            }
            state.get_or_insert_with(|| absolute.parent().unwrap_or(Path::new("/")).join(".mlpc"));
            add(&mut names, file.name().as_bytes());
            add(&mut names, absolute.as_os_str().as_encoded_bytes());
            add(&mut key, file.text().as_bytes());
        }
        let state = state?;
        let path = state.join(format!("check/{}.json", &names.finalize().to_hex()[..16]));
        Some(Self { path, state, key: key.finalize().to_hex().to_string() })
    }

    /// Returns what is known, if it is of these bytes.
    pub(super) fn read(&self) -> Option<Seen> {
        let text = fs::read_text(&self.path).ok()?;
        let seen: Seen = serde_json::from_str(&text).ok()?;
        (seen.key == self.key).then_some(seen)
    }

    /// Keeps what is known; where that does not work, nothing is lost.
    pub(super) fn write(&self, summaries: Vec<String>, asked: Vec<Asked>) {
        let key = self.key.clone();
        let mut seen = Seen { key, summaries, patterns: Vec::new(), runtimes: Vec::new(), files: Vec::new() };
        for one in asked {
            seen.patterns.push(one.patterns.into_iter().collect());
            seen.runtimes.push(one.runtimes);
            seen.files.push(one.files);
        }
        let ignore = self.state.join(".gitignore");
        let write = || -> crate::host::Result<()> {
            fs::create_dirs(fs::parent(&self.path))?;
            if !ignore.exists() {
                fs::write_atomic(&ignore, b"*\n")?;
            }
            let text = serde_json::to_string(&seen).expect("texts are JSON");
            fs::write_atomic(&self.path, text.as_bytes())
        };
        // A folder that can't be written is checked anew each time.
        let _ = write();
    }
}

/// Adds a part with its length, so that two parts can't be read as two others.
fn add(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    match part.len() {
        0..200_000 => hasher.update(part),
        _ => hasher.update_rayon(part),
    };
}

/// Tells whether a text may name other files that the checker reads: modules, and files of parameters.
fn reads_others(text: &str) -> bool {
    let begins = |word: &str| text.starts_with(word) || text.contains(&format!("\n{word}"));
    if begins("use ") || begins("use\t") {
        return true;
    }
    let declarations =
        text.match_indices("param ").filter(|(at, _)| *at == 0 || text[..*at].ends_with(['\n', '\u{feff}']));
    let mut own = declarations.map(|(at, _)| {
        let rest = &text[at..];
        // A declaration ends before the next line that begins in column 0.
        let ends = rest.match_indices('\n').find(|(at, _)| !rest[at + 1..].starts_with([' ', '\t', '\r', '\n', '#']));
        &rest[..ends.map_or(rest.len(), |(at, _)| at)]
    });
    own.any(|declaration| declaration.contains("from"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_other_files_is_told_from_what_does_not() {
        assert!(reads_others("use \"a.mlp\" { b }\n"));
        assert!(reads_others("pipeline p\nparam x: int\n  from \"a.yaml\" at \"/x\"\n"));
        assert!(reads_others("\u{feff}param x: int from \"a.yaml\" at \"/x\"\n"));
        assert!(!reads_others("param x: int = 1\nmetrics M { a: ratio from \"/a\" }\nstage s {\n  use x\n}\n"));
    }
}
