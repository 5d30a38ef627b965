//! Schemas: what a `schema` declaration says of each column of a table.

use serde::{Deserialize, Serialize};

use super::Type;

/// A `schema` declaration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The declared name.
    pub name: String,
    /// Its columns in the order written.
    pub columns: Vec<Column>,
}

/// What a schema says of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// The type of its values; `T?` allows nulls.
    pub ty: Type,
    /// No value stands twice.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unique: bool,
    /// The regular expression that every value matches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matches: Option<String>,
}

impl Schema {
    /// Returns the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Column {
    /// Returns the type of its values, and whether there may be none.
    #[must_use]
    pub fn value(&self) -> (&Type, bool) {
        match &self.ty {
            Type::Optional(inner) => (inner, true),
            ty => (ty, false),
        }
    }
}
