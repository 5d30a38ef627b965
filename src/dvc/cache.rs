//! Objects of DVC's cache, in the layout of DVC 3 (`files/md5/22/a1…`) and in the one before it (`22/a1…`).

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};
use serde::Deserialize;

use super::config::Config;
use super::fault::Fault;
use super::pinned::Pinned;
use crate::host::fs::{self, join_inside};

/// The objects of one project's cache.
#[derive(Debug, Clone)]
pub struct Objects {
    cache: PathBuf,
    /// All of a group write into it.
    pub(super) shared: bool,
}

/// A line of a folder's object.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) md5: String,
    relpath: String,
    #[serde(default)]
    isexec: bool,
}

/// What the cache lacks of something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lacks {
    /// Nothing.
    Nothing,
    /// The object of a file, or that which lists a folder.
    Whole,
    /// Files of a folder, by their md5.
    Files(Vec<String>),
}

impl Objects {
    /// Finds the cache of a project.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        let config = Config::of(root);
        Self { cache: config.cache(), shared: config.get("cache", "shared") == Some("group") }
    }

    /// Tells whether something has to be fetched before it can be copied; `standing` is where it would stand in the workspace.
    #[must_use]
    pub fn lacks(&self, pinned: &Pinned, standing: &Path) -> bool {
        match self.missing(pinned) {
            Ok(Lacks::Nothing) | Err(_) => false,
            Ok(Lacks::Whole) if !pinned.folder => {
                !standing.is_file() || !is(standing, &pinned.md5, pinned.legacy).unwrap_or(false)
            }
            Ok(_) => true,
        }
    }

    /// Says that something is nowhere, and what to do; `why` it can't be fetched.
    #[must_use]
    pub fn nowhere(&self, pinned: &Pinned, path: &str, why: &str) -> String {
        let (folder, by, md5) = (self.cache.display(), &pinned.said_by, &pinned.md5);
        format!(
            "`{path}` is in no cache of DVC here (`{by}` asks for {md5}; looked in `{folder}`), and {why}: run `dvc pull {path}`"
        )
    }

    /// Copies what was pinned to a path where nothing stands, each file hashed on the way. `standing` is where it would stand
    /// in the workspace: it is taken from there where the cache lacks it and the bytes are the ones.
    pub fn copy(&self, pinned: &Pinned, path: &str, standing: &Path, to: &Path) -> Result<(), Fault> {
        let missing = || Fault::Failed(self.nowhere(pinned, path, "it is not in the workspace either"));
        if !pinned.folder {
            let object = self.object(&pinned.md5, "", pinned.legacy);
            let (from, of_cache) = match &object {
                Some(object) => (object.as_path(), true),
                None if standing.is_file() => (standing, false),
                None => return Err(missing()),
            };
            fs::copy_file_as(from, to, pinned.executable)?;
            if !is(to, &pinned.md5, pinned.legacy)? {
                return Err(if of_cache { damaged(from, &pinned.md5) } else { missing() });
            }
            return Ok(());
        }
        let object = self.object(&pinned.md5, ".dir", pinned.legacy).ok_or_else(missing)?;
        let wanted = wanted(pinned, &object)?;
        if pinned.below.is_empty() || wanted.iter().any(|(_, below)| !below.is_empty()) {
            fs::create_dirs(to)?;
        }
        for (line, below) in wanted {
            let target = if below.is_empty() { to.to_owned() } else { join_inside(to, &below)? };
            let from = self.object(&line.md5, "", pinned.legacy).ok_or_else(missing)?;
            fs::create_dirs(fs::parent(&target))?;
            fs::copy_file_as(&from, &target, line.isexec)?;
            if !is(&target, &line.md5, pinned.legacy)? {
                return Err(damaged(&from, &line.md5));
            }
        }
        Ok(())
    }

    /// Returns what the cache lacks of something.
    pub(super) fn missing(&self, pinned: &Pinned) -> Result<Lacks, Fault> {
        let suffix = if pinned.folder { ".dir" } else { "" };
        let Some(object) = self.object(&pinned.md5, suffix, pinned.legacy) else { return Ok(Lacks::Whole) };
        let files = if pinned.folder { self.absent(pinned, &object)? } else { vec![] };
        Ok(if files.is_empty() { Lacks::Nothing } else { Lacks::Files(files) })
    }

    /// Returns the md5 of all files that a folder's object lists, and the cache lacks; each once.
    pub(super) fn absent(&self, pinned: &Pinned, object: &Path) -> Result<Vec<String>, Fault> {
        let wanted = wanted(pinned, object)?.into_iter().map(|(line, _)| line.md5);
        let missing: BTreeSet<String> = wanted.filter(|md5| self.object(md5, "", pinned.legacy).is_none()).collect();
        Ok(missing.into_iter().collect())
    }

    /// Returns where an object stands. In the layout of DVC 2 it may be text of other line ends than those that were hashed, which is
    /// not what an md5 of DVC 3 means.
    fn object(&self, md5: &str, suffix: &str, legacy: bool) -> Option<PathBuf> {
        let [new, old] = names(md5, suffix, false).map(|name| self.cache.join(name));
        if new.is_file() {
            return Some(new);
        }
        let is_it = |legacy| is(&old, md5, legacy).unwrap_or(false);
        let is_other_text = || !legacy && is_it(true) && !is_it(false);
        (old.is_file() && !is_other_text()).then_some(old)
    }

    /// Returns where an object belongs.
    pub(super) fn place(&self, md5: &str, suffix: &str, legacy: bool) -> PathBuf {
        let [name, _] = names(md5, suffix, legacy);
        self.cache.join(name)
    }
}

/// Returns the names of an object: in the layout that it has, then in the other one.
pub(super) fn names(md5: &str, suffix: &str, legacy: bool) -> [String; 2] {
    let (first, rest) = md5.split_at(2);
    let (old, new) = (format!("{first}/{rest}{suffix}"), format!("files/md5/{first}/{rest}{suffix}"));
    if legacy { [old, new] } else { [new, old] }
}

/// Reads a folder's object, once it is hashed: which of its files are wanted, and where they stand below the path.
fn wanted(pinned: &Pinned, object: &Path) -> Result<Vec<(Line, String)>, Fault> {
    let bytes = std::fs::read(object).map_err(|error| format!("`{}`: {error}", object.display()))?;
    if hex(&Md5::digest(&bytes)) != pinned.md5 {
        return Err(damaged(object, &pinned.md5));
    }
    let lines: Vec<Line> = serde_json::from_slice(&bytes)
        .map_err(|error| format!("`{}` is no list of files: {error}", object.display()))?;
    let inside = |relpath: &str| match relpath.strip_prefix(&pinned.below) {
        Some("") if !pinned.below.is_empty() => Some(String::new()),
        Some(rest) if pinned.below.is_empty() || rest.starts_with('/') => Some(rest.trim_start_matches('/').to_owned()),
        _ => None,
    };
    let wanted: Vec<(Line, String)> =
        lines.into_iter().filter_map(|line| inside(&line.relpath).map(|below| (line, below))).collect();
    if wanted.is_empty() && !pinned.below.is_empty() {
        return Err(Fault::Failed(format!("`{}` holds no `{}`", pinned.said_by, pinned.below)));
    }
    for (Line { md5, .. }, _) in &wanted {
        if md5.len() != 32 || !md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Fault::Failed(format!("`{}` names `{md5}`, which is no md5", object.display())));
        }
    }
    Ok(wanted)
}

fn damaged(object: &Path, md5: &str) -> Fault {
    Fault::Unsound(format!(
        "`{}` in DVC's cache is damaged: its content is not {md5}; remove it and run `dvc pull`",
        object.display()
    ))
}

/// Tells whether a file is what an md5 says; `legacy`: of text with Unix line ends.
pub(super) fn is(file: &Path, md5: &str, legacy: bool) -> Result<bool, String> {
    let said = |error: std::io::Error| format!("`{}`: {error}", file.display());
    let mut reader = std::fs::File::open(file).map_err(said)?;
    let (mut plain, mut unix) = (Md5::new(), Md5::new());
    let mut buffer = vec![0; 1 << 18];
    let mut after_return = false;
    loop {
        let length = reader.read(&mut buffer).map_err(said)?;
        let bytes = &buffer[..length];
        if bytes.is_empty() {
            break;
        }
        plain.update(bytes);
        if legacy {
            after_return = unix_ends(bytes, after_return, &mut unix);
        }
    }
    if after_return {
        unix.update(b"\r");
    }
    Ok(hex(&plain.finalize()) == md5 || (legacy && hex(&unix.finalize()) == md5))
}

/// Tells whether a file is what was pinned, as far as it can be read.
#[must_use]
pub fn is_pinned(file: &Path, pinned: &Pinned) -> bool {
    is(file, &pinned.md5, pinned.legacy).unwrap_or(false)
}

/// Hashes bytes with `\r\n` as `\n`; tells whether a `\r` at the end is still to be judged.
fn unix_ends(bytes: &[u8], after_return: bool, hasher: &mut Md5) -> bool {
    let mut pending = after_return;
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if pending && byte != b'\n' {
            hasher.update(b"\r");
        }
        pending = byte == b'\r';
        if pending {
            hasher.update(&bytes[from..at]);
            from = at + 1;
        }
    }
    hasher.update(&bytes[from..]);
    pending
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &Path, text: &str, suffix: &str) -> String {
        let md5 = hex(&Md5::digest(text.as_bytes()));
        let path = cache.join(&md5[..2]).join(format!("{}{suffix}", &md5[2..]));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
        md5
    }

    fn pin(root: &Path, md5: &str, folder: bool) -> Pinned {
        Pinned {
            md5: md5.to_owned(),
            folder,
            legacy: false,
            executable: false,
            below: String::new(),
            said_by: "x.dvc".into(),
            root: root.to_owned(),
            remote: None,
            size: None,
            imported: false,
        }
    }

    #[test]
    fn both_layouts_are_read_and_bytes_are_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let (new, old) = (root.join(".dvc/cache/files/md5"), root.join(".dvc/cache"));
        let first = put(&new, "one", "");
        let second = put(&old, "two", "");
        let objects = Objects::of(root);
        for (md5, text) in [(&first, "one"), (&second, "two")] {
            let to = root.join(text);
            objects.copy(&pin(root, md5, false), text, Path::new("/nowhere"), &to).expect("there");
            assert_eq!(std::fs::read_to_string(to).expect("copied"), text);
        }
        std::fs::write(new.join(&first[..2]).join(&first[2..]), "bad").expect("written");
        let damaged = objects
            .copy(&pin(root, &first, false), "one", Path::new("/nowhere"), &root.join("x"))
            .expect_err("damaged");
        assert!(matches!(&damaged, Fault::Unsound(why) if why.contains("is damaged")), "{damaged:?}");
        let absent = "0".repeat(32);
        let missing = objects
            .copy(&pin(root, &absent, false), "data/x", Path::new("/nowhere"), &root.join("y"))
            .expect_err("missing");
        assert!(matches!(&missing, Fault::Failed(why) if why.contains("run `dvc pull data/x`")), "{missing:?}");
    }

    #[test]
    fn text_with_other_line_ends_is_only_what_dvc_2_pinned() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let md5 = put(&root.join(".dvc/cache"), "a\n", "");
        std::fs::write(root.join(".dvc/cache").join(&md5[..2]).join(&md5[2..]), "a\r\n").expect("written");
        let (objects, new) = (Objects::of(root), pin(root, &md5, false));
        let old = Pinned { legacy: true, ..new.clone() };
        assert_eq!(objects.missing(&old).expect("told"), Lacks::Nothing);
        objects.copy(&old, "x", Path::new("/nowhere"), &root.join("x")).expect("there");
        assert_eq!(objects.missing(&new).expect("told"), Lacks::Whole);
        assert!(objects.lacks(&new, Path::new("/nowhere")));
    }

    #[test]
    fn folders_are_put_together_and_stay_inside() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let cache = root.join(".dvc/cache/files/md5");
        let one = put(&cache, "one", "");
        let list = put(
            &cache,
            &format!(r#"[{{"md5": "{one}", "relpath": "a/b.txt"}}, {{"md5": "{one}", "relpath": "c"}}]"#),
            ".dir",
        );
        let objects = Objects::of(root);
        objects.copy(&pin(root, &list, true), "d", Path::new("/nowhere"), &root.join("d")).expect("there");
        assert_eq!(std::fs::read_to_string(root.join("d/a/b.txt")).expect("copied"), "one");
        let part = Pinned { below: "a/b.txt".into(), ..pin(root, &list, true) };
        objects.copy(&part, "d/a/b.txt", Path::new("/nowhere"), &root.join("part")).expect("there");
        assert_eq!(std::fs::read_to_string(root.join("part")).expect("copied"), "one");
        let evil = put(&cache, &format!(r#"[{{"md5": "{one}", "relpath": "../evil"}}]"#), ".dir");
        assert!(objects.copy(&pin(root, &evil, true), "e", Path::new("/nowhere"), &root.join("e")).is_err());
        assert!(!root.join("evil").exists());
    }

    #[test]
    fn digests_of_before_dvc_3_are_of_text_with_unix_ends() {
        for parts in [&b"a\r\nb\r"[..], b"a\nb\r", b"\r\r\n\n\r\n"] {
            let unix = String::from_utf8_lossy(parts).replace("\r\n", "\n");
            for cut in 0..parts.len() {
                let mut hasher = Md5::new();
                let pending = unix_ends(&parts[..cut], false, &mut hasher);
                if unix_ends(&parts[cut..], pending, &mut hasher) {
                    hasher.update(b"\r");
                }
                assert_eq!(hex(&hasher.finalize()), hex(&Md5::digest(unix.as_bytes())), "{parts:?} cut at {cut}");
            }
        }
    }
}
