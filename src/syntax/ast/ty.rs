//! Types as written.

use serde::Serialize;

use super::{Docs, Mark, Name, Range, Record, Str};
use crate::source::Span;

/// A type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Type {
    /// Which one.
    pub kind: TypeKind,
    /// The whole of it.
    #[serde(skip)]
    pub span: Span,
}

/// The kinds of type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum TypeKind {
    /// `int`, `File`, `Dataset<csv, Transactions>`.
    Named {
        /// The word before `<`.
        name: Name,
        /// What stands between `<` and `>`, words all; empty without them.
        args: Vec<Type>,
    },
    /// `Predictions { id: "row_id" }`: an artifact type with its settings.
    With {
        /// The artifact type.
        base: Box<Type>,
        /// The settings.
        settings: Record,
    },
    /// `int in 1..500`.
    Refined {
        /// The type that is narrowed.
        base: Box<Type>,
        /// The range of its values.
        range: Box<Range>,
    },
    /// `"adam" | "sgd"`; at least one.
    OneOf(Vec<Str>),
    /// `[string]`.
    List(Box<Type>),
    /// `{ reason: string }`.
    Record(Vec<TypeField>),
    /// `string?`.
    Optional(Box<Type>),
}

/// `name: type`, in a record type or the payload of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeField {
    /// The field's name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// From name to type.
    #[serde(skip)]
    pub span: Span,
}

/// One column of a schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// The `##` lines before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<Docs>,
    /// The column's name; may be quoted where it is not a word.
    pub name: Name,
    /// The type of its values; `T?` allows nulls.
    pub ty: Type,
    /// `unique`: no value stands twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<Mark>,
    /// `matches "^[a-z]+$"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<Str>,
    /// From name to the last word.
    #[serde(skip)]
    pub span: Span,
}

/// One metric of a `metrics` declaration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The `##` lines before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<Docs>,
    /// The metric's name.
    pub name: Name,
    /// The type of its value.
    pub ty: Type,
    /// `higher` or `lower`, whichever is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// `from "/latency/p99_ms"`: a JSON pointer, or a query where the source is a metrics server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Str>,
    /// `unit ms`: what the number in the file counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Name>,
    /// `n from "/n_test"`: where the number of samples stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_from: Option<Str>,
    /// From name to the last word.
    #[serde(skip)]
    pub span: Span,
}

/// Which of two values of a metric is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Direction {
    /// True for `higher`, false for `lower`.
    pub higher: bool,
    /// Where the word stands.
    #[serde(skip)]
    pub span: Span,
}
