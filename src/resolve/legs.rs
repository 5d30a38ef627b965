//! Loops: a declaration with `for` is a family of legs. Each leg is a node of its own, so that what comes after
//! knows nodes alone; a name with an index finds its legs.

use std::collections::{HashMap, HashSet};

use super::cx::{Cx, Decl, Wanted};
use super::expr::{Scope, Typed, constant, expr};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{Id, NodeId};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Expr, Leg, Range, Type, Value};

/// Most legs that one declaration has.
const MOST: usize = 10_000;

/// Most legs that a file has.
const MOST_IN_ALL: usize = 100_000;

/// Most edges that lists of legs make in a file.
const MOST_READ: usize = 1_000_000;

/// Longest text that names a leg.
const LONGEST: usize = 60;

/// A declaration with a loop.
#[derive(Clone)]
pub(super) struct Family {
    /// The declared name.
    pub(super) name: Spanned<String>,
    pub(super) keyword: &'static str,
    pub(super) axes: Vec<Axis>,
    /// The first leg; the others follow it, the last variable changing fastest.
    first: usize,
    /// Its loop could not be understood: it has no legs, and nothing is said about those.
    pub(super) broken: bool,
    /// What was said about a leg before, by code and place.
    told: HashSet<(&'static str, Span)>,
}

/// One loop variable with its values.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) name: Spanned<String>,
    ty: Type,
    values: Vec<Value>,
}

/// The loop variables of the leg that is being resolved.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    list: Vec<(Spanned<String>, Value, Type)>,
}

impl Variables {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Spanned<String>, Value, Type)> {
        self.list.iter()
    }

    fn get(&self, name: &str) -> Option<&(Spanned<String>, Value, Type)> {
        self.list.iter().find(|(own, ..)| own.value == name)
    }

    /// Returns a loop variable as the constant that it is in this leg.
    pub(super) fn typed(&self, name: &str) -> Option<Typed> {
        self.get(name).map(|(_, value, ty)| Typed { expr: Expr::Value(value.clone()), ty: ty.clone() })
    }
}

impl Family {
    fn count(&self) -> usize {
        if self.broken { 0 } else { self.axes.iter().map(|axis| axis.values.len()).product() }
    }

    /// Returns the ids of all legs.
    pub(super) fn legs(&self) -> impl Iterator<Item = NodeId> + use<> {
        (self.first..self.first + self.count()).map(NodeId::at)
    }

    fn leg(&self, mut index: usize) -> Leg {
        let mut axes = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let value = axis.values[index % axis.values.len()].clone();
            index /= axis.values.len();
            axes.push((axis.name.value.clone(), value));
        }
        axes.reverse();
        Leg { of: self.name.value.clone(), axes }
    }

    fn over(&self) -> String {
        let names: Vec<String> = self.axes.iter().map(|axis| format!("`{}`", axis.name.value)).collect();
        names.join(", ")
    }

    fn place(&self) -> Span {
        match (self.axes.first(), self.axes.last()) {
            (Some(first), Some(last)) => first.name.span.to(last.name.span),
            _ => self.name.span,
        }
    }
}

/// Reads the loop of a declaration; the caller makes its legs with [`names`].
pub(super) fn family(cx: &mut Cx<'_>, name: &ast::Name, keyword: &'static str, loops: &[ast::Loop]) -> usize {
    let mut axes: Vec<Axis> = Vec::new();
    let mut broken = false;
    for written in loops {
        cx.spelling(&written.name, false);
        if let Some(first) = axes.iter().find(|axis| axis.name.value == written.name.text) {
            let first = first.name.span;
            super::declared::duplicate(cx, &written.name, first);
            broken = true;
        }
        match values(cx, written) {
            Some((values, ty)) => axes.push(Axis { name: Cx::own(&written.name), ty, values }),
            None => broken = true,
        }
    }
    let count = axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.values.len()));
    let (most, of) = if count.is_none_or(|count| count > MOST) {
        (MOST, format!("`{}`", name.text))
    } else {
        (MOST_IN_ALL, "this file".to_owned())
    };
    if !broken && count.is_none_or(|count| count > MOST || cx.legs + count > MOST_IN_ALL) {
        let had = if most == MOST { 0 } else { cx.legs };
        let count = count.map_or_else(|| "countless".to_owned(), |count| (had + count).to_string());
        let message = format!("{of} has {count} legs, and {most} are the most");
        let place = loops[0].span.to(loops[loops.len() - 1].span);
        let help = "let one stage do several of them, or shorten the list";
        cx.error::<()>(codes::TOO_MANY_LEGS, place, message, help);
        broken = true;
    }
    let family = Family { name: Cx::own(name), keyword, axes, first: 0, broken, told: HashSet::new() };
    cx.legs += family.count();
    cx.families.push(family);
    cx.families.len() - 1
}

/// Returns the legs of a family, whose nodes will stand from `first` on.
pub(super) fn legs(cx: &mut Cx<'_>, family: usize, first: usize) -> Vec<Leg> {
    let family = &mut cx.families[family];
    family.first = first;
    (0..family.count()).map(|index| family.leg(index)).collect()
}

/// Does something for a leg: its loop variables are known meanwhile, and what was said about another leg of the
/// family is not said again.
pub(super) fn within<'a, T>(cx: &mut Cx<'a>, leg: Option<(usize, usize)>, then: impl FnOnce(&mut Cx<'a>) -> T) -> T {
    let Some((family, index)) = leg else { return then(cx) };
    let of = &cx.families[family];
    let values = of.leg(index).axes;
    let list = of.axes.iter().zip(values).map(|(axis, (_, value))| (axis.name.clone(), value, axis.ty.clone()));
    let before = std::mem::replace(&mut cx.variables, Variables { list: list.collect() });
    let mark = cx.diagnostics.len();
    let result = then(cx);
    cx.variables = before;
    let new = cx.diagnostics.split_off(mark);
    let keys: Vec<(&'static str, Span)> = new.iter().map(|one| (one.code.name(), one.span())).collect();
    let told = &mut cx.families[family].told;
    let fresh: Vec<bool> = keys.iter().map(|key| !told.contains(key)).collect();
    told.extend(keys);
    cx.diagnostics.extend(new.into_iter().zip(fresh).filter(|(_, fresh)| *fresh).map(|(one, _)| one));
    result
}

/// Returns the values of a loop variable.
fn values(cx: &mut Cx<'_>, written: &ast::Loop) -> Option<(Vec<Value>, Type)> {
    let span = written.values.span;
    let (values, ty) = match &written.values.kind {
        ast::ExprKind::Range(range) => (whole_range(cx, range)?, Type::Int(Range::ANY)),
        _ => {
            let typed = expr(cx, &written.values, Scope::Constant)?;
            match (typed.expr, typed.ty) {
                (Expr::Value(Value::List(values)), Type::List(ty)) => (values, *ty),
                (_, ty) => {
                    let message = format!("a loop goes over a list or a range, not over a value of type `{ty}`");
                    return cx.error(codes::WRONG_TYPE, span, message, "write `[\"a\", \"b\"]`, or `1..5`");
                }
            }
        }
    };
    if values.is_empty() {
        let message = format!("`{}` has no value: there would be nothing to do", written.name.text);
        return cx.error(codes::EMPTY_LOOP, span, message, "name at least one value");
    }
    let place = |index: usize| match &written.values.kind {
        ast::ExprKind::List(items) => items.get(index).map_or(span, |item| item.span),
        _ => span,
    };
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let text = value.to_string();
        if let Some(why) = unfit(value, &text) {
            let message = format!("`{text}` can't name a leg: {why}");
            let help = "a leg's value stands in paths and in names of jobs: use letters, digits and `_ - . +`";
            return cx.error(codes::BAD_LEG, place(index), message, help);
        }
        if let Some(first) = seen.insert(text.clone(), index) {
            let diagnostic = Diagnostic::new(codes::DUPLICATE_LEG, place(index), format!("`{text}` is in here twice"))
                .help("keep one: both would be the same leg");
            let diagnostic = match place(first) {
                first if first == place(index) => diagnostic,
                first => diagnostic.label(first, "first here"),
            };
            return cx.report(diagnostic);
        }
    }
    Some((values, ty))
}

/// Returns why a value can't name a leg.
fn unfit(value: &Value, text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.+".contains(c);
    match value {
        Value::List(_) | Value::Record(_) | Value::Null => Some("it is no text or number".to_owned()),
        Value::String(_) if text.is_empty() => Some("it is empty".to_owned()),
        Value::String(_) if text.len() > LONGEST => Some(format!("it is longer than {LONGEST} characters")),
        Value::String(_) => match text.chars().find(|c| !plain(*c)) {
            Some(c) => Some(format!(
                "it has {} in it",
                if c.is_control() { "a control character".into() } else { format!("`{c}`") }
            )),
            None => (!text.starts_with(|c: char| c.is_ascii_alphanumeric()))
                .then(|| "it does not begin with a letter or digit".to_owned()),
        },
        _ => None,
    }
}

fn whole_range(cx: &mut Cx<'_>, range: &ast::Range) -> Option<Vec<Value>> {
    let (Some(low), Some(high)) = (&range.low, &range.high) else {
        return cx.error(
            codes::OUT_OF_RANGE,
            range.span,
            "a loop needs both ends",
            "write `1..5`, which is five values",
        );
    };
    let mut end = |written: &ast::Expr| match constant(cx, written, &Type::Int(Range::ANY))? {
        Value::Int(number) => Some(number),
        _ => None,
    };
    let (low, high) =
        (end(low)?.saturating_add(i64::from(range.low_open)), end(high)?.saturating_sub(i64::from(range.high_open)));
    let count = high.saturating_sub(low).saturating_add(1);
    if count > i64::try_from(MOST_IN_ALL).unwrap_or(i64::MAX) {
        let message = format!("this range has {count} values, and {MOST} legs are the most");
        return cx.error(codes::TOO_MANY_LEGS, range.span, message, "let one stage do several of them");
    }
    if count <= 0 {
        let help = "put the smaller number first";
        return cx.error(codes::EMPTY_LOOP, range.span, "nothing is in this range", help);
    }
    Some((low..=high).map(Value::Int).collect())
}

/// The nodes that a reference names.
pub(super) struct Named<'w> {
    /// The declared name.
    pub(super) name: &'w ast::Name,
    pub(super) ids: Vec<NodeId>,
    /// It names all legs of an axis: a list, also where that has one leg.
    pub(super) list: bool,
}

/// Finds the nodes that `train`, `train["nord", 1]` or `train["nord", *]` name; none with a diagnostic, or without
/// one for what could not be understood.
pub(super) fn named<'w>(cx: &mut Cx<'_>, written: &'w ast::Expr, wanted: Wanted) -> Option<Named<'w>> {
    match &written.kind {
        ast::ExprKind::Name(name) => match cx.look_up(name, wanted)? {
            Decl::Node(id) => Some(Named { name, ids: vec![id], list: false }),
            Decl::Family(family) => missing_index(cx, name, family),
            decl => cx.wrong_kind(name, decl, wanted),
        },
        ast::ExprKind::Index { base, args } => {
            let ast::ExprKind::Name(name) = &base.kind else {
                let message = format!("`{}` has no legs", cx.sources.slice(base.span));
                return cx.error(codes::WRONG_INDEX, written.span, message, "write `stage[value].output`");
            };
            match cx.look_up(name, wanted)? {
                Decl::Family(family) => indexed(cx, written.span, name, args, family),
                Decl::Node(id) => {
                    let diagnostic = Diagnostic::new(
                        codes::WRONG_INDEX,
                        written.span,
                        format!("`{}` is no loop: it has no legs", name.text),
                    )
                    .label(cx.model.place(id), "declared here")
                    .help(format!("write `{}`", name.text))
                    .fix(written.span, name.text.clone());
                    cx.report(diagnostic)
                }
                decl => cx.wrong_kind(name, decl, wanted),
            }
        }
        _ => {
            let message = format!("`{}` is no stage", cx.sources.slice(written.span));
            cx.error(codes::WRONG_KIND, written.span, message, "write `stage.output`")
        }
    }
}

fn missing_index<T>(cx: &mut Cx<'_>, name: &ast::Name, family: usize) -> Option<T> {
    let of = &cx.families[family];
    if of.broken {
        return None;
    }
    let own = of.axes.iter().all(|axis| cx.variables.get(&axis.name.value).is_some());
    let places: Vec<String> =
        of.axes.iter().map(|axis| if own { axis.name.value.clone() } else { literal(&axis.values[0]) }).collect();
    let all = vec!["*"; of.axes.len()].join(", ");
    let message = format!("`{}` is a loop over {}: this does not say which leg", name.text, of.over());
    let diagnostic = Diagnostic::new(codes::MISSING_INDEX, name.span, message)
        .label(of.place(), "the loop")
        .help(format!("write `{0}[{1}]` for one, or `{0}[{all}]` for all", name.text, places.join(", ")));
    cx.report(diagnostic)
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}

fn indexed<'w>(
    cx: &mut Cx<'_>,
    span: Span,
    name: &'w ast::Name,
    args: &[ast::Expr],
    family: usize,
) -> Option<Named<'w>> {
    let of = &cx.families[family];
    if of.broken {
        return None;
    }
    if args.len() != of.axes.len() {
        let message = format!("`{}` is a loop over {}, and this names {}", name.text, of.over(), places(args.len()));
        let help = format!("name {}, each a value or `*`", places(of.axes.len()));
        let diagnostic = Diagnostic::new(codes::WRONG_INDEX, span, message).label(of.place(), "the loop").help(help);
        return cx.report(diagnostic);
    }
    let (axes, first) = (of.axes.clone(), of.first);
    let mut found: Vec<usize> = vec![0];
    let mut list = false;
    for (axis, arg) in axes.iter().zip(args) {
        let picked = if matches!(arg.kind, ast::ExprKind::Star) {
            list = true;
            (0..axis.values.len()).collect()
        } else {
            vec![pick(cx, name, axis, arg)?]
        };
        found = found.iter().flat_map(|at| picked.iter().map(move |one| at * axis.values.len() + one)).collect();
    }
    if list {
        cx.listed += found.len();
        if cx.listed > MOST_READ {
            let message = format!("lists of legs make more than {MOST_READ} edges in this file");
            return cx.error(codes::TOO_MANY_LEGS, span, message, "gather them in a stage of their own first");
        }
    }
    Some(Named { name, ids: found.into_iter().map(|at| NodeId::at(first + at)).collect(), list })
}

fn places(count: usize) -> String {
    if count == 1 { "one place".to_owned() } else { format!("{count} places") }
}

fn pick(cx: &mut Cx<'_>, name: &ast::Name, axis: &Axis, arg: &ast::Expr) -> Option<usize> {
    let Expr::Value(value) = expr(cx, arg, Scope::Constant)?.expr else {
        return cx.error(codes::NOT_CONSTANT, arg.span, "a leg is known before anything runs", "");
    };
    let same = |own: &Value| match (own.number(), value.number()) {
        (Some(a), Some(b)) => a == b,
        _ => *own == value,
    };
    if let Some(index) = axis.values.iter().position(same) {
        return Some(index);
    }
    let text = value.to_string();
    let message = format!("`{}` has no leg where `{}` is `{text}`", name.text, axis.name.value);
    let mut diagnostic =
        Diagnostic::new(codes::UNKNOWN_LEG, arg.span, message).label(axis.name.span, "the values are given here");
    let known: Vec<String> = axis.values.iter().map(ToString::to_string).collect();
    let literal_place = matches!(arg.kind, ast::ExprKind::Str(_));
    match nearest(&text, known.iter().map(String::as_str)) {
        Some(near) if matches!(value, Value::String(_)) => {
            diagnostic = diagnostic.help(format!("did you mean `\"{near}\"`?"));
            if literal_place {
                diagnostic = diagnostic.fix(arg.span, format!("\"{near}\""));
            }
        }
        _ if known.len() <= 6 => {
            let known: Vec<String> = axis.values.iter().map(|value| format!("`{}`", literal(value))).collect();
            diagnostic = diagnostic.help(format!("there are {}", known.join(", ")));
        }
        _ => {
            let (low, high) = (literal(&axis.values[0]), literal(&axis.values[axis.values.len() - 1]));
            diagnostic = diagnostic.help(format!("there are {} values, from `{low}` to `{high}`", known.len()));
        }
    }
    cx.report(diagnostic)
}

/// Returns the leg of a family that has the loop variables of the leg at hand: what `ask bootstrap` means in a loop.
pub(super) fn same_leg(cx: &Cx<'_>, family: usize) -> Option<NodeId> {
    let of = &cx.families[family];
    let mut at = 0;
    for axis in &of.axes {
        let (_, value, _) = cx.variables.get(&axis.name.value)?;
        at = at * axis.values.len() + axis.values.iter().position(|own| own == value)?;
    }
    (!of.broken).then(|| NodeId::at(of.first + at))
}

/// Returns the loop variables that an expression does not mention.
pub(super) fn unmentioned(cx: &Cx<'_>, written: &ast::Expr) -> Vec<String> {
    let mut names = HashSet::new();
    mentions(written, &mut names);
    let variables = cx.variables.iter().map(|(name, ..)| name.value.clone());
    variables.filter(|name| !names.contains(name.as_str())).collect()
}

fn mentions<'e>(written: &'e ast::Expr, names: &mut HashSet<&'e str>) {
    match &written.kind {
        ast::ExprKind::Name(name) => {
            names.insert(name.as_str());
        }
        ast::ExprKind::Str(text) => {
            for part in &text.parts {
                if let ast::StrPart::Expr(inner) = part {
                    mentions(inner, names);
                }
            }
        }
        ast::ExprKind::Binary { left, right, .. } => {
            mentions(left, names);
            mentions(right, names);
        }
        ast::ExprKind::Unary { operand, .. } => mentions(operand, names),
        ast::ExprKind::Call { args, .. } => args.iter().for_each(|arg| mentions(&arg.value, names)),
        _ => {}
    }
}
