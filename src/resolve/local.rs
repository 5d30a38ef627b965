//! The names inside a stage or action: what its command sees as variables.

use std::collections::HashMap;

use super::cx::Cx;
use super::expr::Typed;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Expr, Type, Value};

/// What a local name is.
#[derive(Debug, Clone)]
pub(super) enum Local {
    /// A path: an input or output.
    Path,
    /// Paths: an input of several legs.
    Paths,
    /// A value that a stage made.
    Value(Expr, Type),
    /// A loop variable, with its value in the leg at hand.
    Loop(Value, Type),
    /// A secret.
    Secret,
    /// A used parameter.
    Param(Option<Type>),
    /// A text that the executor provides: `version`.
    Given,
}

impl Local {
    /// Returns the expression that reads it.
    pub(super) fn typed(&self, cx: &mut Cx<'_>, name: &ast::Name) -> Option<Typed> {
        match self {
            Self::Path | Self::Given => Some(Typed { expr: Expr::Local(name.text.clone()), ty: Type::String }),
            Self::Paths => Some(Typed { expr: Expr::Local(name.text.clone()), ty: Type::List(Box::new(Type::String)) }),
            Self::Value(expr, ty) => Some(Typed { expr: expr.clone(), ty: ty.clone() }),
            Self::Loop(value, ty) => Some(Typed { expr: Expr::Value(value.clone()), ty: ty.clone() }),
            Self::Param(ty) => Some(Typed { expr: Expr::Param(name.text.clone()), ty: ty.clone()? }),
            Self::Secret => {
                let message =
                    format!("the secret `{}` would stand in the argument list, which others can read", name.text);
                let diagnostic = Diagnostic::new(codes::SECRET_IN_ARGUMENTS, name.span, message)
                    .help(format!("read it in the program from the environment variable `{}`", name.text));
                cx.diagnostics.push(diagnostic);
                Some(Typed { expr: Expr::Local(name.text.clone()), ty: Type::String })
            }
        }
    }
}

/// More names than this are looked up in a map.
const FEW: usize = 24;

/// All names of one stage or action; one namespace, since they become environment variables.
#[derive(Debug, Default)]
pub(super) struct Locals {
    /// In the order in which they were added.
    names: Vec<(Spanned<String>, Local)>,
    /// Where each stands, once there are more than a few.
    index: HashMap<String, usize>,
    /// Part of the stage could not be understood: unknown names are passed over.
    pub(super) partial: bool,
}

impl Locals {
    /// Makes the names of a leg: its loop variables.
    pub(super) fn of_leg(cx: &mut Cx<'_>) -> Self {
        let mut locals = Self::default();
        let variables = cx.variables.clone();
        for (name, value, ty) in variables.iter() {
            locals.add(cx, &name.value, name.span, Local::Loop(value.clone(), ty.clone()));
        }
        locals
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.names.len() > FEW {
            return self.index.get(name).copied();
        }
        self.names.iter().position(|(known, _)| known.value == name)
    }

    /// Adds a name, or says that it is taken.
    pub(super) fn add(&mut self, cx: &mut Cx<'_>, name: &str, span: Span, local: Local) {
        if let Some(at) = self.find(name) {
            let first = self.names[at].0.span;
            if first == span {
                return;
            }
            let message = format!("`{name}` is declared twice in here");
            let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, span, message)
                .here("declared again here")
                .label(first, "first declared here")
                .help(
                    "rename one: inputs, outputs, used parameters and secrets are environment variables of one command",
                );
            cx.diagnostics.push(diagnostic);
            return;
        }
        self.names.push((Spanned::new(name.to_owned(), span), local));
        if self.names.len() > FEW {
            let known = self.index.len();
            let new = self.names.iter().enumerate().skip(known);
            self.index.extend(new.map(|(at, (name, _))| (name.value.clone(), at)));
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Local> {
        self.find(name).map(|at| &self.names[at].1)
    }

    /// Returns all names in the order in which they were added.
    pub(super) fn into_names(self) -> Vec<Spanned<String>> {
        self.names.into_iter().map(|(name, _)| name).collect()
    }

    /// Says more exactly what a name is, once that is known.
    pub(super) fn refine(&mut self, name: &str, span: Span, local: Local) {
        if let Some(at) = self.find(name)
            && self.names[at].0.span == span
        {
            self.names[at].1 = local;
        }
    }

    /// Says that a name is none of these; tells whether that is all there is to say.
    pub(super) fn report_unknown(&self, cx: &mut Cx<'_>, name: &ast::Name) -> bool {
        if self.partial {
            return true;
        }
        let mut names: Vec<&str> = self.names.iter().map(|(name, _)| name.value.as_str()).collect();
        names.sort_unstable();
        let Some(near) = nearest(&name.text, names.iter().copied()) else { return false };
        let place = self.find(near).map_or(name.span, |at| self.names[at].0.span);
        let message = format!("no input, output or parameter `{}` in here", name.text);
        let diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message)
            .label(place, format!("`{near}` is declared here"))
            .help(format!("did you mean `{near}`?"))
            .fix_near(name.span, &name.text, near, names.iter().copied());
        cx.diagnostics.push(diagnostic);
        true
    }
}
