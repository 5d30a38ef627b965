//! Expressions, strings and ranges as written.

use serde::Serialize;

use super::{Name, Record};
use crate::source::Span;
pub use crate::syntax::number::NumberValue;

/// An expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Expr {
    /// Which one.
    pub kind: ExprKind,
    /// The whole of it, with the parentheses around it.
    #[serde(skip)]
    pub span: Span,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ExprKind {
    /// `true`, `false`.
    Bool(bool),
    /// `12`, `0.5`, `2%`, `16GiB`.
    Number(Number),
    /// `"…{x}…"`, `'…'`, `<<< … >>>`.
    Str(Str),
    /// `epochs`.
    Name(Name),
    /// `train.model`.
    Field {
        /// What stands before the dot.
        base: Box<Expr>,
        /// What stands behind it.
        name: Name,
    },
    /// `train["nord", *]`.
    Index {
        /// What is indexed.
        base: Box<Expr>,
        /// The places, one for each loop variable; [`ExprKind::Star`] is all of them.
        args: Vec<Expr>,
    },
    /// `models@production`.
    Pointer {
        /// The registry.
        base: Box<Expr>,
        /// The pointer's name.
        name: Name,
    },
    /// `x?`: may be absent.
    Optional(Box<Expr>),
    /// `psi(*, alpha: 1%)`.
    Call {
        /// What is called; a [`ExprKind::Name`], as a rule.
        callee: Box<Expr>,
        /// The arguments in order.
        args: Vec<Arg>,
    },
    /// `[1, 2]`.
    List(Vec<Expr>),
    /// `{ a: 1 }`.
    Record(Record),
    /// `*` as an argument or index: all.
    Star,
    /// `not x`, `-x`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// What it is applied to.
        operand: Box<Expr>,
    },
    /// `a + b`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        #[serde(skip)]
        op_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `1..5`, as the list of a loop for instance.
    Range(Box<Range>),
    /// `rows between 0.5x..2x`.
    Between {
        /// What is tested.
        value: Box<Expr>,
        /// The range that it is to be in.
        range: Box<Range>,
    },
    /// `event one_of ["push", "manual"]`.
    OneOf {
        /// What is tested.
        value: Box<Expr>,
        /// The list that it is to be in.
        list: Box<Expr>,
    },
    /// `recall by region`, as an argument.
    By {
        /// The metric.
        value: Box<Expr>,
        /// The column whose values make the groups.
        group: Box<Expr>,
    },
}

/// A number with its unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    /// As written, underscores and unit included.
    pub text: String,
    /// What it is worth.
    pub value: NumberValue,
}

/// One argument of a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arg {
    /// The name of `name: value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// Prefix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum UnaryOp {
    /// `not`.
    Not,
    /// `-`.
    Neg,
}

/// Infix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum BinaryOp {
    /// `or`.
    Or,
    /// `and`.
    And,
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`.
    Div,
}

impl BinaryOp {
    /// Returns the operator as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
        }
    }
}

/// How a string was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum StrForm {
    /// `"…"`, with escapes and `{expr}`.
    Quoted,
    /// `'…'`.
    Raw,
    /// `<<<` at the end of a line up to a line of `>>>`; indentation stripped, CRLF made LF, every line ends in LF.
    Block,
    /// `<<< … >>>` on one line, trimmed.
    Line,
}

/// A string.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Str {
    /// How it was written.
    pub form: StrForm,
    /// The parts in order; neighbouring text is one part, and an empty string has none.
    pub parts: Vec<StrPart>,
    /// With its quotes or brackets.
    #[serde(skip)]
    pub span: Span,
}

impl Str {
    /// Returns the text of a string that has no `{expr}` in it.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [StrPart::Text { text, .. }] => Some(text),
            _ => None,
        }
    }
}

/// A piece of a string.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum StrPart {
    /// Text with its escapes resolved.
    Text {
        /// The text.
        text: String,
        /// As it stands in the source, escapes and indentation included.
        #[serde(skip)]
        span: Span,
    },
    /// `{expr}`; the span of the expression is inside the braces.
    Expr(Expr),
}

/// A range; both ends are in it unless marked open.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Range {
    /// The lower bound; none in `..5`.
    pub low: Option<Expr>,
    /// `>` before the lower bound: it is not in the range.
    pub low_open: bool,
    /// The upper bound; none in `0..`.
    pub high: Option<Expr>,
    /// `<` before the upper bound: it is not in the range.
    pub high_open: bool,
    /// The whole range.
    #[serde(skip)]
    pub span: Span,
}
