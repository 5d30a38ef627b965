//! A folder in memory.

use std::collections::BTreeMap;

use super::path::is_in;
use crate::import::{Files, Kind};

/// Files by their paths.
#[derive(Debug, Default)]
pub(crate) struct Folder(BTreeMap<String, String>);

impl Folder {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Option<String> {
        self.0.get(path).cloned()
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        if self.0.contains_key(path) {
            return Some(Kind::File);
        }
        (!self.below(path).is_empty()).then_some(Kind::Folder)
    }

    fn below(&self, folder: &str) -> Vec<String> {
        self.0.keys().filter(|path| is_in(path, folder) && *path != folder).cloned().collect()
    }
}
