//! What a commit has, by path from the top of the work tree, submodules and all; and where a path leads in it, link by link.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::entries;
use crate::host::Error;
use crate::host::git::Git;

/// How many links a path may lead over, as for Linux (path_resolution(7)).
const LINKS: usize = 40;

/// The files of the commit that is checked out.
pub(super) struct Tree {
    /// The top of the work tree, without links.
    pub(super) top: PathBuf,
    /// The repository around the top, and the submodules that are checked out in it.
    pub(super) repositories: Vec<Repository>,
    files: BTreeMap<String, Entry>,
}

/// One repository, and the commit of it that counts.
pub(super) struct Repository {
    /// Where it stands below the top: nothing, or a path with a slash at its end.
    pub(super) at: String,
    pub(super) commit: String,
}

/// What stands at a path.
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// The name of its bytes.
    pub(super) blob: String,
    /// Which of the repositories has it.
    pub(super) repository: usize,
}

/// The modes that git knows of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Executable,
    Link,
}

/// Where a path leads.
pub(super) enum Leads {
    /// To a file of the commit, over these links of it; all from the top.
    To { file: String, links: Vec<String> },
    /// To nothing, here or in the commit.
    Nowhere,
    /// Here is something on the way that the commit has not, or that leads out of the work tree: from the top.
    Aside(PathBuf),
}

impl Tree {
    /// Reads what HEAD has; of a submodule, what the commit says of it.
    pub(super) fn at_head(top: &Path) -> Result<Self, Error> {
        let mut tree = Self { top: top.to_owned(), repositories: Vec::new(), files: BTreeMap::new() };
        let mut waiting = vec![(String::new(), Git::at(top).line(&["rev-parse", "--verify", "HEAD"])?)];
        while let Some((at, commit)) = waiting.pop() {
            let listed = Git::at(&top.join(&at)).run(&["ls-tree", "-r", "-z", "--full-tree", &commit])?;
            let repository = tree.repositories.len();
            for entry in entries(&listed) {
                // mode SP type SP object TAB path
                let Some((about, path)) = entry.split_once('\t') else { continue };
                let mut words = about.split(' ');
                let (Some(mode), Some(_), Some(object)) = (words.next(), words.next(), words.next()) else { continue };
                let path = format!("{at}{path}");
                let kind = match mode {
                    "160000" => {
                        // What is not checked out has no files here.
                        if top.join(&path).join(".git").exists() {
                            waiting.push((format!("{path}/"), object.to_owned()));
                        }
                        continue;
                    }
                    "120000" => Kind::Link,
                    "100755" => Kind::Executable,
                    _ => Kind::File,
                };
                tree.files.insert(path, Entry { kind, blob: object.to_owned(), repository });
            }
            tree.repositories.push(Repository { at, commit });
        }
        Ok(tree)
    }

    /// Returns what stands at a path from the top.
    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.files.get(path)
    }

    /// Follows a full path that begins without links, as the system would, and asks at each link whether the commit has it.
    pub(super) fn follow(&self, path: &Path) -> Leads {
        let Ok(inside) = path.strip_prefix(&self.top) else { return Leads::Aside(path.to_owned()) };
        let mut steps: VecDeque<OsString> = parts(inside).collect();
        let (mut here, mut links) = (PathBuf::new(), Vec::new());
        while let Some(step) = steps.pop_front() {
            if step == ".." {
                if !here.pop() {
                    return Leads::Aside(inside.to_owned());
                }
                continue;
            }
            here.push(step);
            let full = self.top.join(&here);
            match std::fs::symlink_metadata(&full) {
                Ok(found) if found.is_symlink() => {}
                Ok(_) => continue,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    here.extend(&steps);
                    let kept = here.to_str().filter(|file| self.files.contains_key(*file));
                    return kept.map_or(Leads::Nowhere, |file| Leads::To { file: file.to_owned(), links });
                }
                Err(_) => return Leads::Aside(here),
            }
            let kept = here.to_str().filter(|link| self.get(link).is_some_and(|entry| entry.kind == Kind::Link));
            let (Some(link), Ok(target)) = (kept, std::fs::read_link(&full)) else { return Leads::Aside(here) };
            links.push(link.to_owned());
            // A place of this machine is none of another's.
            if target.is_absolute() || links.len() > LINKS {
                return Leads::Aside(here);
            }
            here.pop();
            for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                steps.push_front(part);
            }
        }
        match here.to_str().filter(|file| self.files.contains_key(*file)) {
            Some(file) => Leads::To { file: file.to_owned(), links },
            None => Leads::Aside(inside.to_owned()),
        }
    }
}

/// Splits a path into names and `..`.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    let named = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    named.map(|part| part.as_os_str().to_owned())
}
