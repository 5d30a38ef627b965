//! What the server knows: open files, and where the others of the workspace are.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;

use lsp_types::Uri;

use super::document::Document;
use super::text::Encoding;

/// So many files of a workspace are looked into for symbols.
const FILES: usize = 500;

/// The server's state.
pub(super) struct World {
    pub(super) encoding: Encoding,
    pub(super) roots: Vec<PathBuf>,
    /// Open files by address.
    pub(super) open: BTreeMap<String, Document>,
    /// The texts of open files by path, saved or not: what they are as modules.
    pub(super) texts: Texts,
    /// What the person is to be told beside the next answer.
    pub(super) told: Vec<String>,
}

/// The texts of open files by path, which every file sees.
pub(super) type Texts = Rc<RefCell<BTreeMap<String, String>>>;

impl World {
    pub(super) fn get(&mut self, uri: &Uri) -> Option<&mut Document> {
        self.open.get_mut(uri.as_str())
    }

    /// Keeps the text of a file that is open, none of one that was closed; files that take something from it look again.
    pub(super) fn moved(&mut self, uri: &Uri, text: Option<String>) {
        let Some(name) = path_of(uri).map(|path| path.display().to_string()) else { return };
        match text {
            Some(text) => self.texts.borrow_mut().insert(name.clone(), text),
            None => self.texts.borrow_mut().remove(&name),
        };
        for (_, document) in self.open.iter_mut().filter(|(other, _)| *other != uri.as_str()) {
            document.module_moved(&name);
        }
    }

    /// Reads the files of the workspace that are not open.
    pub(super) fn others(&self) -> Vec<Document> {
        let mut found = Vec::new();
        for root in &self.roots {
            let walk = ignore::WalkBuilder::new(root).build().filter_map(Result::ok);
            for entry in walk.filter(|entry| entry.path().extension().is_some_and(|ext| ext == "mlp")) {
                found.extend(self.closed(entry.path()));
                if found.len() == FILES {
                    return found;
                }
            }
        }
        found
    }

    /// Reads a file that is not open.
    pub(super) fn closed(&self, path: &Path) -> Option<Document> {
        let uri = uri_of(path)?;
        if self.open.contains_key(uri.as_str()) {
            return None;
        }
        let text = std::io::read_to_string(crate::host::fs::open(path).ok()?).ok()?;
        Some(Document::new(uri, None, text, self.texts.clone()))
    }
}

/// Returns the path of a `file:` address.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = &rest[rest.find('/')?..];
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let Some((&byte, rest)) = left.split_first() {
        let hex = rest.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                bytes.push(value);
                left = &rest[2..];
            }
            None => {
                bytes.push(byte);
                left = rest;
            }
        }
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Returns the address of a path.
pub(super) fn uri_of(path: &Path) -> Option<Uri> {
    let mut uri = "file://".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    Uri::from_str(&uri).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_and_back() {
        let path = Path::new("/a b/ü%/p.mlp");
        let uri = uri_of(path).expect("an address");
        assert_eq!(uri.as_str(), "file:///a%20b/%C3%BC%25/p.mlp");
        assert_eq!(path_of(&uri).as_deref(), Some(path));
    }
}
