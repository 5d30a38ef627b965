//! Declarations that are no nodes.

use super::{NodeId, OutputId, ParamId, RegistryId, SourceId};
use crate::source::{Span, Spanned};
use crate::types::{self, Artifact, Location, MetricsType, RegistryLocation, RuntimeKind, TriggerKind, Type, Value};

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// Its type; none where it could not be understood.
    pub ty: Option<Type>,
    /// Its default.
    pub default: Option<Value>,
    /// Where its value is read from.
    pub from: Option<ParamFrom>,
}

/// A place in a YAML or JSON file.
#[derive(Debug, Clone)]
pub struct ParamFrom {
    /// The file.
    pub file: Spanned<String>,
    /// The place in it, a JSON pointer.
    pub pointer: String,
    /// The whole clause.
    pub span: Span,
}

/// A secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
}

/// A runtime.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is made of; none where it could not be understood.
    pub kind: Option<RuntimeKind>,
}

/// A metrics type.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Its name.
    pub name: Spanned<String>,
    /// What it says of each number.
    pub ty: MetricsType,
    /// Where each metric is declared, in the order of the type's.
    pub places: Vec<Span>,
}

/// A schema.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Its name.
    pub name: Spanned<String>,
    /// What it says of each column.
    pub ty: types::Schema,
}

/// Data from outside.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// Its type.
    pub ty: Artifact,
    /// Where it is; none where it could not be understood.
    pub location: Option<Location>,
    /// The digest that it must have.
    pub frozen: Option<String>,
    /// Where the location is written.
    pub place: Span,
}

/// A registry.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it is; none where it could not be understood.
    pub location: Option<RegistryLocation>,
}

/// A profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: Spanned<String>,
    /// What it changes.
    pub settings: Vec<Setting>,
    /// It registers, acts and releases.
    pub releases: bool,
    /// Its gates block.
    pub gates_block: bool,
}

/// One `set` of a profile.
#[derive(Debug, Clone)]
pub enum Setting {
    /// A parameter's value.
    Param(ParamId, Value),
    /// A source's place.
    Source(SourceId, Location),
    /// A registry's place.
    Registry(RegistryId, RegistryLocation),
}

/// What starts the pipeline.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The kind of event with its filters.
    pub kind: TriggerKind,
    /// The profile that it runs with.
    pub profile: Option<String>,
    /// What the comment on a pull request shows.
    pub comment: Vec<Spanned<Shown>>,
    /// The declaration.
    pub span: Span,
}

/// Something that a comment shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A gate, by its report.
    Gate(NodeId),
    /// A plot or report that a stage makes.
    Output(OutputId),
}

impl Shown {
    /// Returns the node that it comes from.
    #[must_use]
    pub fn node(self) -> NodeId {
        match self {
            Self::Gate(node) => node,
            Self::Output(output) => output.node,
        }
    }
}

/// An event by name.
pub type Event = Spanned<String>;

/// Settings of a target.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target.
    pub name: Spanned<String>,
    /// Its settings, a record.
    pub settings: Value,
    /// Where the lines of its raw texts begin, by path: `raw.train`. Behind the indentation, at the first line that is
    /// not blank.
    pub blocks: Vec<Spanned<String>>,
}
