//! Moves trees and diagnostics to another place of their file: what stands behind an edit keeps its tree and gets new
//! offsets. The patterns name every field, so that a new one does not compile before it is moved. The same walk tells
//! which names a declaration mentions, and where its parts stand.

use super::ast::*;
use super::number::NumberValue;
use crate::diagnostic::{Diagnostic, Fix, Label};
use crate::source::Span;

/// What has places in a file.
pub(super) trait Shift {
    /// Adds `by` bytes to every offset.
    fn shift(&mut self, by: i64);

    /// Hands over every name that may stand for a declaration.
    fn names<'a>(&'a self, _: &mut dyn FnMut(&'a Name)) {}

    /// Hands over every span with the field that holds it. The caller says which field holds this.
    fn spans(&self, _: Held, _: &mut dyn FnMut(Held, Span)) {}
}

/// Which field of which node holds something; nodes are named as their types and variants are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) node: &'static str,
    pub(super) field: &'static str,
    /// The node and field that hold the node.
    pub(super) by: (&'static str, &'static str),
}

impl Held {
    /// The file's own list of declarations.
    pub(super) const ROOT: Self = Self { node: "File", field: "items", by: ("", "") };

    fn inner(self, node: &'static str, field: &'static str) -> Self {
        Self { node, field, by: (self.node, self.field) }
    }
}

/// Returns the names that a declaration mentions. What only names a part of it, or of what another one made, is left
/// out; a word that is both counts.
pub(crate) fn mentions<'a>(item: &'a Item, add: &mut dyn FnMut(&'a Name)) {
    item.kind.names(add);
}

/// Tells whether a field holds a name of its own node's, which mentions nothing.
fn is_own(node: &str, field: &str) -> bool {
    match field {
        "name" => !matches!(node, "Input" | "SecretUse" | "Named" | "Set"),
        "alias" => true,
        "key" => node == "Field",
        "environment" | "event" | "docs" => true,
        _ => false,
    }
}

impl Shift for Span {
    fn shift(&mut self, by: i64) {
        self.start = (i64::from(self.start) + by) as u32;
        self.end = (i64::from(self.end) + by) as u32;
    }

    fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
        add(held, *self);
    }
}

impl<T: Shift> Shift for Option<T> {
    fn shift(&mut self, by: i64) {
        if let Some(inner) = self {
            inner.shift(by);
        }
    }

    fn names<'a>(&'a self, add: &mut dyn FnMut(&'a Name)) {
        self.iter().for_each(|inner| inner.names(add));
    }

    fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
        self.iter().for_each(|inner| inner.spans(held, add));
    }
}

impl<T: Shift> Shift for Vec<T> {
    fn shift(&mut self, by: i64) {
        self.iter_mut().for_each(|inner| inner.shift(by));
    }

    fn names<'a>(&'a self, add: &mut dyn FnMut(&'a Name)) {
        self.iter().for_each(|inner| inner.names(add));
    }

    fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
        self.iter().for_each(|inner| inner.spans(held, add));
    }
}

impl<T: Shift> Shift for Box<T> {
    fn shift(&mut self, by: i64) {
        (**self).shift(by);
    }

    fn names<'a>(&'a self, add: &mut dyn FnMut(&'a Name)) {
        (**self).names(add);
    }

    fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
        (**self).spans(held, add);
    }
}

macro_rules! places {
    ($($name:ident { $($field:ident),* })*) => {
        $(impl Shift for $name {
            fn shift(&mut self, by: i64) {
                let Self { $($field),* } = self;
                $($field.shift(by);)*
            }

            fn names<'a>(&'a self, add: &mut dyn FnMut(&'a Name)) {
                let Self { $($field),* } = self;
                $(if !is_own(stringify!($name), stringify!($field)) {
                    $field.names(add);
                })*
            }

            fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
                let Self { $($field),* } = self;
                $($field.spans(held.inner(stringify!($name), stringify!($field)), add);)*
            }
        })*
    };
}

macro_rules! nowhere {
    ($($name:ty),*) => {
        $(impl Shift for $name {
            fn shift(&mut self, _: i64) {}
        })*
    };
}

macro_rules! kinds {
    ($($name:ident { $($variant:ident $(($inner:ident))? $({ $($field:ident),* })?,)* })*) => {
        $(impl Shift for $name {
            fn shift(&mut self, by: i64) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $($inner.shift(by);)?
                        $($($field.shift(by);)*)?
                        let _ = by;
                    })*
                }
            }

            fn names<'a>(&'a self, add: &mut dyn FnMut(&'a Name)) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $($inner.names(add);)?
                        $($(if !is_own(stringify!($variant), stringify!($field)) {
                            $field.names(add);
                        })*)?
                        let _ = &add;
                    })*
                }
            }

            fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $($inner.spans(held, add);)?
                        $($($field.spans(held.inner(stringify!($variant), stringify!($field)), add);)*)?
                        let _ = (held, &add);
                    })*
                }
            }
        })*
    };
}

nowhere!(String, bool, NumberValue, UnaryOp, BinaryOp, StrForm);

impl Shift for Name {
    fn shift(&mut self, by: i64) {
        let Self { text: _, span } = self;
        span.shift(by);
    }

    fn names<'a>(&'a self, add: &mut dyn FnMut(&'a Name)) {
        add(self);
    }

    fn spans(&self, held: Held, add: &mut dyn FnMut(Held, Span)) {
        add(held.inner("Name", "span"), self.span);
    }
}

places! {
    Docs { text, span }
    Mark { span }
    Record { fields, span }
    Field { key, value, span }
    Expr { kind, span }
    Number { text, value }
    Arg { name, value }
    Str { form, parts, span }
    Range { low, low_open, high, high_open, span }
    Item { docs, kind, incomplete, span }
    Pipeline { name }
    Edition { year }
    Const { name, ty, value }
    Param { name, ty, from, default }
    ParamFrom { file, pointer, span }
    Secret { name }
    Binding { name, value }
    Settings { name, record }
    Schema { name, columns }
    Metrics { name, metrics }
    Source { name, ty, value, frozen }
    Profile { name, clauses }
    Use { file, names }
    External { event }
    Allow { code, reason, span }
    Header { loops, when, after, ungated }
    Ungated { reason, span }
    Loop { name, values, span }
    Stage { name, header, body }
    Clause { kind, span }
    Input { name, value, ungated, span }
    SecretUse { name, alias }
    Output { docs, name, ty, of, over, split, always, value }
    Gate { name, header, on, clauses }
    Evidence { alias, value }
    Outcome { kind, span }
    Requirement { expr, against, span }
    Setting { name, value, span }
    Register { name, model, with, to, header, record }
    Approval { name, of, header, record }
    Promote { name, release, to, header }
    Action { name, of, header, clauses }
    Type { kind, span }
    TypeField { name, ty, span }
    Column { docs, name, ty, unique, matches, span }
    Metric { docs, name, ty, direction, from, unit, n_from, span }
    Direction { higher, span }
    Rollout { name, of, by, header, clauses }
    Watch { source, every, clauses, span }
    Monitor { name, header, clauses }
    Experiment { name, of, header, clauses }
}

kinds! {
    ExprKind {
        Bool(it), Number(it), Str(it), Name(it), Field { base, name }, Index { base, args }, Pointer { base, name },
        Optional(it), Call { callee, args }, List(it), Record(it), Star, Unary { op, operand },
        Binary { op, op_span, left, right }, Range(it), Between { value, range }, OneOf { value, list },
        By { value, group },
    }
    StrPart { Text { text, span }, Expr(it), }
    ItemKind {
        Pipeline(it), Edition(it), On(it), Const(it), Param(it), Secret(it), Credential(it), Runtime(it), Schema(it),
        Metrics(it), Source(it), Registry(it), Profile(it), Use(it), Notify(it), Target(it), External(it), Stage(it),
        Gate(it), Register(it), Approval(it), Promote(it), Rollout(it), Action(it), Monitor(it), Experiment(it),
        Allow(it),
    }
    Trigger {
        Push(it), PullRequest(it), Schedule(it), Manual { params, profiles }, Call { params, profiles },
        Event { name, payload }, Upstream(it),
    }
    ProfileClause { Set { name, value, span }, Releases { value, span }, Gates { mode, span }, }
    StageBody { Clauses(it), With { base, changes }, }
    StageClause {
        In(it), Code(it), Use(it), Secret(it), Credentials(it), Runtime(it), Out(it), Needs(it), Timeout(it),
        Retry { times, on }, RerunAlways, RerunWhen(it), Checkpoint(it), Status(it), Run(it), Inputs(it),
        Isolation(it), PassEnv(it), Permissions(it), Environment(it), Idempotent,
        Allow(it),
    }
    Run { Args(it), Script { interpreter, script }, }
    GateClause {
        Baseline { pointer, recorded, span }, OnNoBaseline(it), OnUnscorable(it), Require(it), Warn(it), Setting(it),
        Allow(it),
    }
    OutcomeKind { Pass, Fail, Error, Hold, Ask(it), }
    TypeKind {
        Named { name, args }, With { base, settings }, Refined { base, range }, OneOf(it), List(it), Record(it),
        Optional(it),
    }
    RolloutClause {
        Stage(it), Service { name, environment, span }, FirstDeploy { ask, span },
        Step { share, duration, ask, span }, Watch(it), Keep { duration, span }, Hook { name, run, span },
        Promote { to, span }, Setting(it),
    }
    WatchClause {
        Require(it), Warn(it), FailAfter { count, window, span }, OnNoData(it), OnError(it), Setting(it),
    }
    FailWindow { Consecutive, Of(it), Total, }
    MonitorClause {
        Stage(it), Every { interval, span }, Require(it), Warn(it), OnBreach { reaction, span },
        Cooldown { duration, span }, Setting(it),
    }
    Reaction { Emit { event, payload }, Notify(it), }
    ExperimentClause {
        Stage(it), Arm { name, share, serves, span }, Require(it), Warn(it), Watch(it), Hook { name, run, span },
        Setting(it),
    }
}

impl Shift for Diagnostic {
    fn shift(&mut self, by: i64) {
        self.labels.iter_mut().for_each(|Label { span, text: _ }| span.shift(by));
        if let Some(Fix { span, replacement: _ }) = &mut self.fix {
            span.shift(by);
        }
    }
}
