//! Checked expressions: what stays of an expression once names and types are settled.
//!
//! They are part of the plan, since parameters, profile and event are known only when a run begins.

use serde::{Deserialize, Serialize};

use super::Value;

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A constant.
    Value(Value),
    /// A parameter.
    Param(String),
    /// An input, output, secret or loop variable of the stage that it stands in: the same text as its environment variable.
    Local(String),
    /// Something about the run itself.
    Context(Context),
    /// A value output of another stage.
    Output {
        /// The stage's node name.
        stage: String,
        /// The output's name.
        output: String,
    },
    /// A string with `{expr}` in it: the parts, joined.
    Text(Vec<Expr>),
    /// A list.
    List(Vec<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `-x`
    Negative(Box<Expr>),
    /// `left op right`
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left side.
        left: Box<Expr>,
        /// Right side.
        right: Box<Expr>,
    },
}

/// What a `when` may ask of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// `event`: `push`, `pull_request`, `schedule`, `manual`, `event`, `upstream`, or `local`.
    Event,
    /// `branch`: the branch that the run is of.
    Branch,
    /// `profile`: the profile's name, empty without one.
    Profile,
}

/// What `event` may be: what starts a run.
pub const EVENTS: [&str; 8] = ["push", "pull_request", "schedule", "manual", "call", "event", "upstream", "local"];

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinaryOp {
    /// `and`
    And,
    /// `or`
    Or,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}
