//! The syntax tree: what was written, with a span for every node, and nothing of what it means.
//!
//! Names are not looked up, types not checked, duplicates kept in order. Spans are left out when a tree is
//! serialised, so that two trees can be compared apart from where their nodes stand.

mod expr;
mod item;
mod live;
mod node;
mod ty;

pub use expr::*;
pub use item::*;
pub use live::*;
pub use node::*;
pub use ty::*;

use serde::{Serialize, Serializer};

use crate::source::Span;

/// One source file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct File {
    /// The declarations in the order in which they stand; broken ones are left out.
    pub items: Vec<Item>,
    /// The whole file.
    #[serde(skip)]
    pub span: Span,
}

/// A word as it was written; whether it is spelt as names are is the checker's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
}

impl Name {
    /// Returns the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The `##` lines before a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Docs {
    /// The lines without `##` and one space, joined by LF.
    pub text: String,
    /// From the first `##` to the end of the last line.
    #[serde(skip)]
    pub span: Span,
}

/// A word that is there or not, such as `always`: its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where the word stands.
    pub span: Span,
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

/// `{ key: value, … }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Record {
    /// The fields as written, duplicates included.
    pub fields: Vec<Field>,
    /// With its braces.
    #[serde(skip)]
    pub span: Span,
}

impl Record {
    /// Returns the first field with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key.text == key)
    }
}

/// One `key: value` of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// The key; of a quoted key (`"id-token": …`) its content.
    pub key: Name,
    /// The value.
    pub value: Expr,
    /// From key to value.
    #[serde(skip)]
    pub span: Span,
}
