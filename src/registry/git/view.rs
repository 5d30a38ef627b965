//! The registry's files in one commit.

use std::path::Path;

use super::clone::Clone;
use crate::host;
use crate::host::{Context, Digest};
use crate::registry::error::RegistryError;
use crate::registry::view::{View, measure};

/// A commit, seen from the registry's folder.
pub(super) struct GitView<'a> {
    pub(super) clone: &'a Clone,
    /// `None`: there is no branch yet, so there are no files.
    pub(super) tip: Option<String>,
    pub(super) folder: &'a str,
}

/// One line of `git ls-tree`.
struct Item {
    mode: String,
    hash: String,
    path: String,
}

impl GitView<'_> {
    /// Returns the path in the branch.
    pub(super) fn path(&self, path: &str) -> String {
        if path.is_empty() { self.folder.to_owned() } else { format!("{}/{path}", self.folder) }
    }

    fn items(&self, options: &[&str], path: &str) -> Result<Vec<Item>, RegistryError> {
        let Some(tip) = &self.tip else { return Ok(Vec::new()) };
        let arguments = [&["ls-tree", "-z", "--full-tree"], options, &[tip, "--", path]].concat();
        let listed = self.clone.git().run(&arguments).map_err(|error| self.clone.unreadable(&error))?;
        let lines = listed.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        let items = lines.map(|line| {
            let line = std::str::from_utf8(line).ok()?;
            let (head, path) = line.split_once('\t')?;
            let mut head = head.split(' ');
            let (mode, _, hash) = (head.next()?, head.next()?, head.next()?);
            Some(Item { mode: mode.to_owned(), hash: hash.to_owned(), path: path.to_owned() })
        });
        let unclear = || RegistryError::corrupt(format!("a name under `{path}` is not UTF-8"));
        items.collect::<Option<Vec<_>>>().ok_or_else(unclear)
    }

    fn write_blob(&self, item: &Item, dest: &Path) -> Result<(), RegistryError> {
        host::fs::create_dirs(host::fs::parent(dest))?;
        let blob = ["cat-file", "blob", &item.hash];
        let failed = |error: host::Error| self.clone.unreadable(&error);
        match item.mode.as_str() {
            "100644" | "100664" | "100755" => {
                self.clone.git().run_to_file(&blob, dest).map_err(failed)?;
                host::fs::set_mode(dest, if item.mode == "100755" { 0o755 } else { 0o644 })?;
            }
            "120000" => {
                use std::os::unix::ffi::OsStrExt;
                let target = self.clone.git().run(&blob).map_err(failed)?;
                std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(&target), dest).cannot("write", dest)?;
            }
            mode => return Err(RegistryError::corrupt(format!("`{}` has the mode {mode}", item.path))),
        }
        Ok(())
    }
}

impl View for GitView<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.path(path);
        let Some(item) = self.items(&[], &path)?.into_iter().next() else { return Ok(None) };
        if item.mode == "040000" {
            return Err(RegistryError::corrupt(format!("`{path}` is a folder")));
        }
        let bytes = self.clone.git().run(&["cat-file", "blob", &item.hash]);
        bytes.map(Some).map_err(|error| self.clone.unreadable(&error))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, RegistryError> {
        let folder = format!("{}/", self.path(folder));
        let items = self.items(&[], &folder)?;
        Ok(items.iter().filter_map(|item| item.path.strip_prefix(&folder)).map(str::to_owned).collect())
    }

    fn export(&self, path: &str, dest: &Path) -> Result<bool, RegistryError> {
        let path = self.path(path);
        let items = self.items(&["-r"], &path)?;
        for item in &items {
            match item.path.strip_prefix(&path).map(|rest| rest.trim_start_matches('/')) {
                Some("") => self.write_blob(item, dest)?,
                Some(inside) => self.write_blob(item, &host::fs::join_inside(dest, inside)?)?,
                None => {}
            }
        }
        Ok(!items.is_empty())
    }

    fn digest(&self, path: &str) -> Result<Option<Digest>, RegistryError> {
        let scratch = self.clone.scratch()?;
        let dest = scratch.path().join("it");
        Ok(if self.export(path, &dest)? { Some(measure(&dest, "")?.digest) } else { None })
    }
}
