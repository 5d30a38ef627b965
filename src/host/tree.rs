//! Directory trees as values: a sorted list of entries with one encoding, whose digest is the tree's.
//!
//! An entry is a file (with its executable bit), an empty directory or a symbolic link. A link belongs to the
//! tree as a link and may only lead to a place inside it; one that leads out would bring content along that the
//! digest does not cover, and is refused. Names are UTF-8, so that a digest is the same on every machine.

use std::fs;
use std::path::{Component, Path};

use super::digest::Digest;
use super::error::{Context, Error, Result};
use super::fs::{Fingerprint, is_executable};
use super::threads;

/// First bytes of every encoded tree; the number is the version of the format.
const MAGIC: &[u8] = b"mlpc tree 1\n";

/// One thing in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Digest of its content.
        digest: Digest,
        /// Size in bytes.
        size: u64,
        /// The executable bit.
        executable: bool,
    },
    /// A directory with nothing in it.
    Empty,
    /// A symbolic link, and where it leads.
    Link(String),
}

/// A directory tree: relative paths with `/`, in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(pub Vec<(String, Entry)>);

impl Tree {
    /// Reads the directory at `root`; `digest` gives the digest of a file.
    pub fn scan(root: &Path, digest: &(dyn Fn(&Path, &Fingerprint) -> Result<Digest> + Sync)) -> Result<Self> {
        Self::of(Listing::read(root)?, root, digest)
    }

    /// As [`Tree::scan`], of a directory that was listed already.
    pub fn of(
        listing: Listing,
        root: &Path,
        digest: &(dyn Fn(&Path, &Fingerprint) -> Result<Digest> + Sync),
    ) -> Result<Self> {
        hash_all(listing.0, root, digest).map(Self)
    }

    /// Returns the bytes that stand for the tree.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (path, entry) in &self.0 {
            bytes.push(match entry {
                Entry::File { executable: false, .. } => b'f',
                Entry::File { executable: true, .. } => b'x',
                Entry::Empty => b'd',
                Entry::Link(_) => b'l',
            });
            text(&mut bytes, path);
            match entry {
                Entry::File { digest, size, .. } => {
                    bytes.extend(size.to_le_bytes());
                    bytes.extend(digest.bytes());
                }
                Entry::Empty => {}
                Entry::Link(target) => text(&mut bytes, target),
            }
        }
        bytes
    }

    /// Reads a tree back; paths that would leave the tree are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let broken = || Error::new("this is no tree object");
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(broken)?;
        let mut entries = Vec::new();
        while let Some((&kind, after)) = rest.split_first() {
            rest = after;
            let path = take_text(&mut rest).ok_or_else(broken)?;
            if !Path::new(&path).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(Error::new(format!("the tree holds the path `{path}`, which leaves it")));
            }
            let entry = match kind {
                b'f' | b'x' => {
                    let size = take::<8>(&mut rest).map(u64::from_le_bytes).ok_or_else(broken)?;
                    let digest = take::<32>(&mut rest).map(Digest::from_bytes).ok_or_else(broken)?;
                    Entry::File { digest, size, executable: kind == b'x' }
                }
                b'd' => Entry::Empty,
                b'l' => {
                    let target = take_text(&mut rest).ok_or_else(broken)?;
                    check_link(&path, &target)?;
                    Entry::Link(target)
                }
                _ => return Err(broken()),
            };
            entries.push((path, entry));
        }
        if !is_a_tree(&entries) {
            return Err(broken());
        }
        Ok(Self(entries))
    }

    /// Returns the tree's digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Returns the bytes in all its files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.iter().map(|(_, entry)| if let Entry::File { size, .. } = entry { *size } else { 0 }).sum()
    }
}

/// What `stat` says of everything in a directory, in the order of a [`Tree`]; no file is opened for it.
#[derive(Debug)]
pub struct Listing(Vec<(String, Found)>);

impl Listing {
    /// Lists the directory at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let mut names = Vec::new();
        list(root, "", &mut names)?;
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        let look = |part: &[(String, Option<Entry>)]| -> Result<Vec<(String, Found)>> {
            let look = |(path, other): &(String, Option<Entry>)| {
                let found = match other {
                    Some(entry) => Found::Other(entry.clone()),
                    None => file(&root.join(path))?,
                };
                Ok((path.clone(), found))
            };
            part.iter().map(look).collect()
        };
        let parts = threads::share(&names, 256, &look).into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Self(parts.into_iter().flatten().collect()))
    }

    /// Returns a digest of names, links and fingerprints: another one means that something was touched.
    #[must_use]
    pub fn print(&self) -> Digest {
        let mut bytes = Vec::with_capacity(self.0.len() * 64);
        for (path, found) in &self.0 {
            text(&mut bytes, path);
            match found {
                Found::File(print, executable) => {
                    bytes.push(if *executable { b'x' } else { b'f' });
                    bytes.extend(print.bytes());
                }
                Found::Other(Entry::Link(target)) => {
                    bytes.push(b'l');
                    text(&mut bytes, target);
                }
                Found::Other(_) => bytes.push(b'd'),
            }
        }
        Digest::of(&bytes)
    }

    /// Returns when a file in it was last changed, nanoseconds.
    #[must_use]
    pub fn newest(&self) -> i64 {
        let times = self.0.iter().filter_map(|(_, found)| match found {
            Found::File(print, _) => Some(print.mtime.max(print.ctime)),
            Found::Other(_) => None,
        });
        times.max().unwrap_or(0)
    }
}

/// Tells whether the entries are in order and none of them stands below a file or a link.
fn is_a_tree(entries: &[(String, Entry)]) -> bool {
    let find = |path: &str| entries.binary_search_by(|(other, _)| other.as_str().cmp(path)).is_ok();
    entries.is_sorted_by(|(a, _), (b, _)| a < b)
        && entries.iter().all(|(path, _)| path.match_indices('/').all(|(at, _)| !find(&path[..at])))
}

#[derive(Debug)]
enum Found {
    File(Fingerprint, bool),
    Other(Entry),
}

/// Lists everything; files are looked at later.
fn list(root: &Path, prefix: &str, found: &mut Vec<(String, Option<Entry>)>) -> Result<()> {
    let folder = root.join(prefix);
    let mut is_empty = true;
    for entry in fs::read_dir(&folder).cannot("list", &folder)? {
        let entry = entry.cannot("list", &folder)?;
        is_empty = false;
        let name = entry.file_name();
        let name =
            name.to_str().ok_or_else(|| Error::new(format!("the name `{}` is not UTF-8", entry.path().display())))?;
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().cannot("read", &entry.path())?;
        if kind.is_dir() {
            list(root, &path, found)?;
        } else if kind.is_symlink() {
            let full = entry.path();
            let target = fs::read_link(&full).cannot("read", &full)?;
            let target = target.to_str().ok_or_else(|| Error::new(format!("the link `{path}` is not UTF-8")))?;
            check_link(&path, target)?;
            found.push((path, Some(Entry::Link(target.to_owned()))));
        } else {
            found.push((path, None));
        }
    }
    if is_empty && !prefix.is_empty() {
        found.push((prefix.to_owned(), Some(Entry::Empty)));
    }
    Ok(())
}

fn file(full: &Path) -> Result<Found> {
    let meta = fs::symlink_metadata(full).cannot("read", full)?;
    if !meta.is_file() {
        return Err(Error::new(format!("`{}` is neither a file nor a directory", full.display())));
    }
    Ok(Found::File(Fingerprint::of(&meta), is_executable(&meta)))
}

/// Refuses a link that is absolute or climbs out of the tree.
fn check_link(path: &str, target: &str) -> Result<()> {
    let mut depth = Path::new(path).components().count() - 1;
    for part in Path::new(target).components() {
        let inside = match part {
            Component::Normal(_) => {
                depth += 1;
                true
            }
            Component::CurDir => true,
            Component::ParentDir => {
                let inside = depth > 0;
                depth = depth.saturating_sub(1);
                inside
            }
            Component::RootDir | Component::Prefix(_) => false,
        };
        if !inside {
            return Err(Error::new(format!("the link `{path}` leads out of its directory, to `{target}`")));
        }
    }
    Ok(())
}

/// Hashes the files on all cores; below some dozens a thread costs more than it brings.
fn hash_all(
    found: Vec<(String, Found)>,
    root: &Path,
    digest: &(dyn Fn(&Path, &Fingerprint) -> Result<Digest> + Sync),
) -> Result<Vec<(String, Entry)>> {
    let one = |(path, found): &(String, Found)| -> Result<(String, Entry)> {
        let entry = match found {
            Found::File(print, executable) => {
                Entry::File { digest: digest(&root.join(path), print)?, size: print.size, executable: *executable }
            }
            Found::Other(entry) => entry.clone(),
        };
        Ok((path.clone(), entry))
    };
    let parts =
        threads::share(&found, 64, &|part: &[(String, Found)]| part.iter().map(one).collect::<Result<Vec<_>>>());
    Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(u64::from_le_bytes(take::<8>(rest)?)).ok()?;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    String::from_utf8(head.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::fs::{create_dirs, set_mode};
    use super::*;

    fn scan(root: &Path) -> Result<Tree> {
        Tree::scan(root, &|path, _| Digest::of_file(path))
    }

    fn sample() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        create_dirs(&root.join("a/empty")).expect("made");
        fs::write(root.join("a/data"), "data").expect("written");
        fs::write(root.join("a-b"), "tool").expect("written");
        set_mode(&root.join("a-b"), 0o755).expect("set");
        std::os::unix::fs::symlink("../a-b", root.join("a/link")).expect("linked");
        folder
    }

    #[test]
    fn reads_back_what_it_encodes() {
        let tree = scan(sample().path()).expect("scanned");
        let paths: Vec<_> = tree.0.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a-b", "a/data", "a/empty", "a/link"]);
        assert_eq!(Tree::decode(&tree.encode()).expect("decoded"), tree);
        assert_eq!(tree.size(), 8);
    }

    #[test]
    fn every_difference_shows_in_the_digest() {
        let change: [fn(&Path); 5] = [
            |root| set_mode(&root.join("a-b"), 0o644).expect("set"),
            |root| fs::write(root.join("a/data"), "dato").expect("written"),
            |root| fs::rename(root.join("a/data"), root.join("a/data2")).expect("renamed"),
            |root| fs::remove_dir(root.join("a/empty")).expect("removed"),
            |root| fs::write(root.join("new"), "").expect("written"),
        ];
        let base = scan(sample().path()).expect("scanned").digest();
        assert_eq!(scan(sample().path()).expect("scanned").digest(), base);
        for (i, change) in change.iter().enumerate() {
            let folder = sample();
            change(folder.path());
            assert_ne!(scan(folder.path()).expect("scanned").digest(), base, "change {i}");
        }
    }

    #[test]
    fn links_that_lead_out_are_refused_when_read_and_when_decoded() {
        for target in ["/etc/passwd", "../../x", "b/../../../x"] {
            let folder = sample();
            std::os::unix::fs::symlink(target, folder.path().join("a/out")).expect("linked");
            let error = scan(folder.path()).expect_err("refused").to_string();
            assert_eq!(error, format!("the link `a/out` leads out of its directory, to `{target}`"));
            let tree = Tree(vec![("a/out".to_owned(), Entry::Link(target.to_owned()))]);
            assert!(Tree::decode(&tree.encode()).is_err());
        }
        let through = vec![("a".to_owned(), Entry::Link("b".to_owned())), ("a/x".to_owned(), Entry::Empty)];
        for tree in [Tree(vec![("../x".to_owned(), Entry::Empty)]), Tree(through)] {
            assert!(Tree::decode(&tree.encode()).is_err());
        }
    }

    #[test]
    fn a_torn_object_is_no_tree() {
        let whole = scan(sample().path()).expect("scanned").encode();
        let cut = Tree::decode(&whole[..whole.len() - 1]);
        assert!(cut.is_err());
        assert!(Tree::decode(b"").is_err());
    }

    #[test]
    fn many_files_come_out_the_same_as_few() {
        let folder = tempfile::tempdir().expect("a folder");
        for i in 0..200 {
            fs::write(folder.path().join(format!("{i}")), format!("{i}")).expect("written");
        }
        let tree = scan(folder.path()).expect("scanned");
        assert_eq!(tree.0.len(), 200);
        for (path, entry) in &tree.0 {
            let Entry::File { digest, .. } = entry else { panic!("`{path}` is a file") };
            assert_eq!(*digest, Digest::of(path.as_bytes()));
        }
    }
}
