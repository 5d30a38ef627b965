//! Stages and what they share with actions.

use super::{OutputId, Pointer, RuntimeId, SecretId, SourceId};
use crate::source::{Span, Spanned};
use crate::types::{Artifact, Command, InputKind, Isolation, Needs, Rerun, Retry, Type, Value};

/// Where an artifact comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A source.
    Source(SourceId),
    /// An output of a stage.
    Output(OutputId),
    /// What a registry's pointer names.
    Pointer(Pointer),
}

/// What stages and actions share.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// What it reads; legs that are named together are an input each, one after the other.
    pub inputs: Vec<Input>,
    /// Patterns of its code.
    pub code: Vec<Spanned<String>>,
    /// Parameters that it uses.
    pub uses: Vec<Spanned<String>>,
    /// Secrets that it gets.
    pub secrets: Vec<SecretUse>,
    /// Credentials of stores: indices into the model's.
    pub credentials: Vec<Spanned<usize>>,
    /// Its runtime.
    pub runtime: Option<RuntimeId>,
    /// What it runs; none where that could not be understood.
    pub command: Option<Command>,
    /// Where the command is written.
    pub command_span: Span,
    /// The text of its script, as it stands in the source.
    pub script_span: Option<Span>,
    /// What it asks of a machine.
    pub needs: Needs,
    /// Nanoseconds after which it is ended.
    pub timeout: Option<i64>,
    /// Variables of the caller that are let through.
    pub pass_env: Vec<String>,
    /// Loop variables with their values.
    pub variables: Vec<(String, Value)>,
    /// Every name that its command can see, understood or not.
    pub locals: Vec<Spanned<String>>,
}

impl Work {
    /// Gives back the room that lists kept to grow: a list of one has room for four, and stages come in thousands.
    pub(crate) fn fit(&mut self) {
        self.inputs.shrink_to_fit();
        self.code.shrink_to_fit();
        self.uses.shrink_to_fit();
        self.variables.shrink_to_fit();
        self.locals.shrink_to_fit();
    }
}

/// An input.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// What its variable holds.
    pub kind: InputKind,
    /// It may be absent.
    pub optional: bool,
    /// It does not wait for the gates on it.
    pub ungated: bool,
    /// The whole input.
    pub span: Span,
}

/// A secret and the variable that holds it.
#[derive(Debug, Clone)]
pub struct SecretUse {
    /// The secret.
    pub secret: SecretId,
    /// The variable.
    pub variable: String,
}

/// A stage.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    /// What runs.
    pub work: Work,
    /// What comes out.
    pub outputs: Vec<Output>,
    /// When it is tried again.
    pub retry: Option<Retry>,
    /// When a hit does not count.
    pub rerun: Option<Rerun>,
    /// Exit statuses that count as success.
    pub status: Vec<i32>,
    /// A folder that survives retries.
    pub checkpoint: Option<Spanned<String>>,
    /// How far it is kept apart.
    pub isolation: Option<Isolation>,
}

/// An output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: Spanned<String>,
    /// Its `##` comment.
    pub doc: Option<String>,
    /// Its type; `File` for the file that a value is read from.
    pub ty: Artifact,
    /// Set where it is a value.
    pub value: Option<ValueOutput>,
    /// Where it is written, relative to the workspace.
    pub path: Option<Spanned<String>>,
    /// It is kept also when the stage fails.
    pub always: bool,
    /// The model that it measures.
    pub of: Option<Origin>,
    /// It says what it measures, understood or not.
    pub says_of: bool,
    /// The data that it was measured on.
    pub over: Option<Origin>,
    /// The split that the data is.
    pub split: Option<String>,
}

/// What makes an output a value.
#[derive(Debug, Clone)]
pub struct ValueOutput {
    /// Its type.
    pub ty: Type,
    /// Where it stands in the file, a JSON pointer.
    pub pointer: String,
}
