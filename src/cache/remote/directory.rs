//! A folder as a remote: a mounted share, or a place beside several workspaces. Files are written aside and linked into place, so
//! that a reader never sees half of one and of two writers one is first.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Remote;
use crate::host::{Context, Error, Result, fs};

/// A folder.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn open(root: &Path) -> Result<Self> {
        // A share that is not mounted is not to be filled beneath its mount point.
        if !root.is_dir() {
            return Err(Error::new(format!(
                "the remote `{}` is not there: make the folder, or mount it",
                root.display()
            )));
        }
        Ok(Self { root: root.to_owned() })
    }
}

impl Remote for Directory {
    fn get(&self, name: &str, to: &Path, limit: u64) -> Result<bool> {
        let path = fs::join_inside(&self.root, name)?;
        let file = match std::fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            file => file.cannot("read", &path)?,
        };
        let mut out = std::fs::File::create(to).cannot("write", to)?;
        std::io::copy(&mut file.take(limit), &mut out).cannot("read", &path)?;
        Ok(true)
    }

    fn put(&self, name: &str, from: &Path, replace: bool) -> Result<bool> {
        let path = fs::join_inside(&self.root, name)?;
        let folder = fs::parent(&path);
        fs::create_dirs(folder)?;
        let temporary = tempfile::Builder::new().prefix(".mlpc-").tempfile_in(folder).cannot("write", &path)?;
        let mut source = std::fs::File::open(from).cannot("read", from)?;
        std::io::copy(&mut source, &mut temporary.as_file()).cannot("write", &path)?;
        temporary.as_file().sync_all().cannot("write", &path)?;
        fs::set_mode(temporary.path(), 0o644)?;
        if replace {
            temporary.persist(&path).cannot("write", &path)?;
            return Ok(true);
        }
        match temporary.persist_noclobber(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error).cannot("write", &path),
        }
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        let path = fs::join_inside(&self.root, name)?;
        match std::fs::metadata(&path) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).cannot("read", &path),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let folder = fs::join_inside(&self.root, prefix.trim_end_matches('/'))?;
        if folder.is_dir() {
            walk(&folder, prefix.trim_end_matches('/'), &mut names)?;
        }
        names.sort();
        Ok(names)
    }
}

fn walk(folder: &Path, name: &str, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::sorted_entries(folder)? {
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with('.') {
            continue;
        }
        let name = format!("{name}/{own}");
        if entry.path().is_dir() {
            walk(&entry.path(), &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
