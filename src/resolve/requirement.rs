//! One line of a gate: what is measured, and what it is held against.

use std::collections::BTreeMap;

use super::cx::{Cx, Decl};
use super::expr::widened;
use super::gate::Settings;
use super::{bound, drifted, limits, origin, settled, slices, table};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::gate::kinds::{Form, Takes};
use crate::gate::{Bound, Compare, Level, predicted};
use crate::model::{Evidence, Gate, Measure, Requirement};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Artifact, Expr, Range, Type, Value};

const TESTS: [&str; 4] = ["total", "passed", "failed", "skipped"];

/// Resolves a line.
pub(super) fn resolve(
    cx: &mut Cx<'_>,
    written: &ast::Requirement,
    level: Level,
    gate: &Gate,
    settings: &Settings,
) -> Option<Requirement> {
    let against = written.against.as_ref();
    let (mut measure, bound) = match &written.expr.kind {
        ast::ExprKind::Binary { op, left, right, .. } => {
            let op = compare(cx, *op, written.expr.span)?;
            if is_number(left) && is_number(right) {
                let message =
                    format!("`{}` measures nothing: both sides are numbers", cx.sources.slice(written.expr.span));
                let help = "name what is measured on one side: `require METRIC >= LIMIT`";
                return cx.error(codes::BAD_REQUIREMENT, written.expr.span, message, help);
            }
            // `0.85 <= auc` says the same as `auc >= 0.85`.
            let (op, left, right) = if is_number(left) { (mirrored(op), right, left) } else { (op, left, right) };
            let measure = measured(cx, left, gate, against, limits::times(right).is_some())?;
            let limit = limits::limit(cx, right, &measure, gate)?;
            (measure, Bound::Compare { op, limit })
        }
        ast::ExprKind::Between { value, range } => {
            let multiple = range.low.as_ref().is_some_and(|low| limits::times(low).is_some());
            let measure = measured(cx, value, gate, against, multiple)?;
            if range.low_open || range.high_open {
                let help = "write two lines: `require x > 1`, `require x < 2`";
                return cx.error(codes::BAD_REQUIREMENT, range.span, "`between` holds both its ends", help);
            }
            let (Some(low), Some(high)) = (&range.low, &range.high) else {
                let help = "write `require x >= 1`";
                return cx.error(codes::BAD_REQUIREMENT, range.span, "`between` needs two ends", help);
            };
            let ends = (limits::limit(cx, low, &measure, gate), limits::limit(cx, high, &measure, gate));
            let (low, high) = (ends.0?, ends.1?);
            if let (Expr::Value(first), Expr::Value(last)) = (&low, &high)
                && let (Some(first), Some(last)) = (first.number(), last.number())
                && first > last
            {
                let help = "write the smaller end first";
                return cx.error(codes::OUT_OF_RANGE, range.span, "nothing lies between these ends", help);
            }
            (measure, Bound::Between { low, high })
        }
        ast::ExprKind::Call { .. } if decides(&written.expr) => {
            (measured(cx, &written.expr, gate, against, false)?, Bound::Holds)
        }
        _ => {
            let message = format!("`{}` compares nothing", cx.sources.slice(written.expr.span));
            let help = "write `require METRIC >= LIMIT`, with one of `>= <= > < == !=`";
            cx.mention_words(written.span);
            return cx.error(codes::BAD_REQUIREMENT, written.expr.span, message, help);
        }
    };
    slices::sided(cx, written.expr.span, &measure, &bound)?;
    drifted::can_fail(cx, written.expr.span, &measure, &bound)?;
    settled::open(cx, written.expr.span, &measure, &bound, gate)?;
    if let Some(min_n) = settings.min_n
        && measure.metric.is_some()
        && measure.kind != "tests"
    {
        // What the line itself says comes first.
        measure.options.entry("min_n".to_owned()).or_insert(Value::Int(min_n));
    }
    if let Some(base) = settings.min_base
        && measure.options.contains_key("relative")
    {
        measure.options.insert("min_base".to_owned(), Value::Float(base));
    }
    Some(Requirement { level, text: text(cx, written.span), measure, bound, span: written.span })
}

/// Returns the line as written, with single spaces and without its first word.
fn text(cx: &Cx<'_>, span: Span) -> String {
    let words: Vec<&str> = cx.sources.slice(span).split_whitespace().skip(1).collect();
    words.join(" ")
}

/// Tells whether a call says by itself whether it holds: `schema(T)`, and drift that is tested with `alpha`.
pub(super) fn decides(written: &ast::Expr) -> bool {
    let ast::ExprKind::Call { callee, args } = &written.kind else { return false };
    let ast::ExprKind::Name(name) = &callee.kind else { return false };
    let tested = args.iter().any(|arg| arg.name.as_ref().is_some_and(|name| name.text == "alpha"));
    match table::kind(&name.text).map(|kind| kind.signature()) {
        Some(signature) => signature.takes == Takes::Schema || (signature.name == "psi" && tested),
        None => false,
    }
}

fn is_number(written: &ast::Expr) -> bool {
    match &written.kind {
        ast::ExprKind::Number(_) => true,
        ast::ExprKind::Unary { operand, .. } => is_number(operand),
        _ => false,
    }
}

fn compare(cx: &mut Cx<'_>, op: ast::BinaryOp, span: Span) -> Option<Compare> {
    Some(match op {
        ast::BinaryOp::Lt => Compare::Less,
        ast::BinaryOp::Le => Compare::AtMost,
        ast::BinaryOp::Eq => Compare::Equal,
        ast::BinaryOp::Ne => Compare::Unequal,
        ast::BinaryOp::Ge => Compare::AtLeast,
        ast::BinaryOp::Gt => Compare::Greater,
        ast::BinaryOp::And => {
            let help = "write a line for each";
            return cx.error(codes::BAD_REQUIREMENT, span, "a line requires one thing", help);
        }
        _ => {
            let help = "write `require METRIC >= LIMIT`";
            return cx.error(codes::BAD_REQUIREMENT, span, "a line compares a measured number with a limit", help);
        }
    })
}

fn mirrored(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::AtMost => Compare::AtLeast,
        Compare::AtLeast => Compare::AtMost,
        Compare::Greater => Compare::Less,
        same => same,
    }
}

fn measured(
    cx: &mut Cx<'_>,
    written: &ast::Expr,
    gate: &Gate,
    against: Option<&ast::Expr>,
    times: bool,
) -> Option<Measure> {
    let (word, args): (_, &[ast::Arg]) = match &written.kind {
        ast::ExprKind::Call { callee, args } => match &callee.kind {
            ast::ExprKind::Name(name) => (Some(name), args),
            _ => (None, &[]),
        },
        // A metric may have the name.
        ast::ExprKind::Name(name) if gate.evidence.iter().any(|one| matches!(one.ty, Artifact::Dataset { .. })) => {
            (Some(name), &[])
        }
        _ => (None, &[]),
    };
    if let Some(word) = word
        && let Some(kind) = table::kind(&word.text)
        && (kind.signature().form == Form::Word) == !matches!(written.kind, ast::ExprKind::Call { .. })
    {
        return table::measure(cx, kind, word, args, gate, against, times);
    }
    if let (Some(word), ast::ExprKind::Call { .. }) = (word, &written.kind)
        && let Some(signature) = crate::gate::kinds::find(&word.text).map(|kind| kind.signature())
        && signature.takes == Takes::Drift
    {
        return drifted::measure(cx, signature, word, args, gate, against);
    }
    if let Some(against) = against {
        let help = "a model is compared with `regression(m)` and `baseline models@production`";
        return cx.error(codes::BAD_REQUIREMENT, against.span, "only what is about a table is `against` a file", help);
    }
    match &written.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Field { .. } => metric(cx, written, gate),
        ast::ExprKind::Call { callee, args } => {
            let ast::ExprKind::Name(function) = &callee.kind else {
                return cx.error(codes::BAD_REQUIREMENT, callee.span, "nothing that can be measured", "");
            };
            let takes = crate::gate::kinds::find(&function.text).map(|kind| kind.signature().takes);
            match (function.as_str(), takes) {
                ("regression", _) => comparison(cx, "regression", function, args, gate),
                ("improvement", _) => comparison(cx, "improvement", function, args, gate),
                (_, Some(Takes::Sample)) => bound::over_sample(cx, function, args, gate),
                ("size", _) => size(cx, function, args),
                (_, Some(Takes::Grouped | Takes::Group(_) | Takes::Pair(_))) => {
                    slices::measure(cx, function, args, gate)
                }
                ("gain", _) => {
                    cx.mention_words(written.span);
                    let help =
                        "write `improvement(m)` for the number itself, or `lower(gain(m), 95%) > 0` for its bound";
                    cx.error(codes::BAD_REQUIREMENT, function.span, "`gain` stands in a bound alone", help)
                }
                (other, _) => {
                    let known = crate::gate::kinds::all().filter(|kind| kind.signature().form == Form::Call);
                    let help = match nearest(other, known.map(|kind| kind.signature().name)) {
                        _ if matches!(other, "avg" | "average") => "did you mean `mean(…)`?".to_owned(),
                        Some(near) if !matches!(other, "min" | "max") => format!("did you mean `{near}(…)`?"),
                        _ => bound::MEASURES.to_owned(),
                    };
                    cx.mention_words(written.span);
                    cx.error(codes::UNKNOWN_NAME, function.span, format!("nothing measures `{other}`"), &help)
                }
            }
        }
        _ => {
            let message = format!("`{}` is nothing that can be measured", cx.sources.slice(written.span));
            let help = "name a metric of what the gate is on";
            cx.error(codes::BAD_REQUIREMENT, written.span, message, help)
        }
    }
}

fn comparison(
    cx: &mut Cx<'_>,
    kind: &'static str,
    function: &ast::Name,
    args: &[ast::Arg],
    gate: &Gate,
) -> Option<Measure> {
    let relative = match args {
        [_] => false,
        [_, ast::Arg { name: None, value }] if matches!(&value.kind, ast::ExprKind::Name(name) if name.text == "relative") => {
            true
        }
        _ => {
            let help = format!("write `{kind}(metric)`, or `{kind}(metric, relative)`");
            return cx.error(codes::BAD_REQUIREMENT, function.span, format!("`{kind}` takes a metric"), &help);
        }
    };
    let written = &args.first()?.value;
    let mut measure = metric(cx, written, gate)?;
    if measure.kind == "tests" {
        let message = "a count of tests is not compared with a baseline";
        return cx.error(codes::BAD_REQUIREMENT, written.span, message, "compare it with a number: `failed == 0`");
    }
    direction(cx, written, &measure, gate)?;
    measure.kind = kind;
    measure.ty = if relative { Type::Ratio(Range::ANY) } else { widened(&measure.ty) };
    if relative {
        measure.options.insert("relative".to_owned(), Value::Bool(true));
    }
    Some(measure)
}

/// Says where a metric has no direction and is compared all the same.
pub(super) fn direction(cx: &mut Cx<'_>, written: &ast::Expr, measure: &Measure, gate: &Gate) -> Option<()> {
    let (evidence, name) = measure.metric.as_ref()?;
    if matches!(gate.evidence[*evidence].ty, Artifact::Predictions(_)) {
        if predicted::find(name).is_some_and(|metric| metric.direction.is_some()) {
            return Some(());
        }
        let message = format!("neither more nor less of `{name}` is better, so nothing says what is a regression");
        return cx.error(codes::DIRECTION_MISSING, written.span, message, "compare it by group: `gap(… by column)`");
    }
    let Artifact::Metrics { name: declared } = &gate.evidence[*evidence].ty else { return Some(()) };
    let Some((Decl::Metrics(id), _)) = cx.peek(declared) else { return Some(()) };
    let metrics = &cx.model.metrics[id];
    let index = metrics.ty.metrics.iter().position(|metric| metric.name == *name)?;
    if metrics.ty.metrics[index].direction.is_some() {
        return Some(());
    }
    let place = metrics.places[index];
    let ty = metrics.ty.metrics[index].ty.clone();
    let message = format!("`{name}` does not say whether more or less of it is better");
    let diagnostic = Diagnostic::new(codes::DIRECTION_MISSING, written.span, message)
        .label(place, "declared here")
        .help(format!("write `{name}: {ty} higher`, or `lower`"));
    cx.report(diagnostic)
}

fn size(cx: &mut Cx<'_>, function: &ast::Name, args: &[ast::Arg]) -> Option<Measure> {
    let [ast::Arg { name: None, value }] = args else {
        let help = "write `size(train.model)`";
        return cx.error(codes::BAD_REQUIREMENT, function.span, "`size` takes an artifact", help);
    };
    let artifact = origin::origin(cx, value)?;
    Some(Measure {
        kind: "size",
        metric: None,
        artifact: Some(artifact),
        table: None,
        groups: None,
        options: BTreeMap::new(),
        ty: Type::Bytes,
    })
}

/// Resolves a metric that is one number.
fn metric(cx: &mut Cx<'_>, written: &ast::Expr, gate: &Gate) -> Option<Measure> {
    let measure = any_metric(cx, written, gate, Among::All)?;
    let (index, name) = measure.metric.as_ref()?;
    if gate.evidence[*index].list.is_none() {
        return Some(measure);
    }
    let legs = gate.evidence.iter().filter(|one| one.list == Some(*index)).count();
    let message = format!("`{name}` is measured by {legs} legs, and this does not say which number counts");
    let diagnostic = Diagnostic::new(codes::AMBIGUOUS_METRIC, written.span, message)
        .label(gate.evidence[*index].span, "the legs")
        .help(format!(
            "write `mean({name})` or `lower({name}, 95%)`; put the gate on one leg; or make it a loop too, and each leg has to hold"
        ));
    cx.report(diagnostic)
}

/// Which evidences a metric may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// Any.
    All,
    /// Predictions, which it is computed from.
    Predictions,
}

/// Resolves a metric, also one of several runs: `auc`, `offline.auc`, `evaluate.report.auc`.
pub(super) fn any_metric(cx: &mut Cx<'_>, written: &ast::Expr, gate: &Gate, among: Among) -> Option<Measure> {
    let (name, only) = match &written.kind {
        ast::ExprKind::Name(name) => (name, None),
        ast::ExprKind::Field { base, name } => match evidence(cx, base, gate) {
            Some(index) => (name, Some(index)),
            None if gate.partial => return None,
            None => {
                let known: Vec<_> = gate.evidence.iter().filter_map(|one| one.alias.as_deref()).collect();
                let help = match known.as_slice() {
                    [] => "name it in the header: `on offline = evaluate.report`".to_owned(),
                    names => format!("the gate's evidences are {}", quoted(names)),
                };
                let message = format!("the gate is not on `{}`", cx.sources.slice(base.span));
                return cx.error(codes::UNKNOWN_NAME, base.span, message, &help);
            }
        },
        ast::ExprKind::By { .. } => {
            cx.mention_words(written.span);
            let message = format!("`{}` is a number for each group", cx.sources.slice(written.span));
            let help = "say what is required of them: `ratio(m by column) >= 80%`, `gap(m by column) <= 5%`";
            return cx.error(codes::BAD_REQUIREMENT, written.span, message, help);
        }
        _ => {
            let help = "name a metric";
            return cx.error(codes::BAD_REQUIREMENT, written.span, "a metric is needed here", help);
        }
    };
    let mut found: Vec<(usize, &'static str, Type)> = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for (index, evidence) in gate.evidence.iter().enumerate() {
        // Legs that are named together are one evidence, known by the first of them.
        if only.is_some_and(|only| only != index) || evidence.list.is_some_and(|first| first != index) {
            continue;
        }
        match &evidence.ty {
            Artifact::Metrics { name: declared } if among == Among::All => {
                let Some((Decl::Metrics(id), _)) = cx.peek(declared) else { continue };
                let metrics = &cx.model.metrics[id].ty;
                known.extend(metrics.metrics.iter().map(|metric| metric.name.clone()));
                if let Some(metric) = metrics.metric(&name.text) {
                    found.push((index, "metric", metric.ty.clone()));
                }
            }
            Artifact::Predictions(_) => {
                known.extend(predicted::all().map(|metric| metric.name.to_owned()));
                if let Some(metric) = predicted::find(&name.text) {
                    found.push((index, "metric", metric.ty()));
                }
            }
            Artifact::Tests if among == Among::All => {
                known.extend(TESTS.map(str::to_owned));
                if TESTS.contains(&name.as_str()) {
                    found.push((index, "tests", Type::Int(Range::ANY)));
                }
            }
            _ => {}
        }
    }
    match found.as_slice() {
        [(index, kind, ty)] => {
            slices::computable(cx, name, &gate.evidence[*index])?;
            Some(Measure {
                kind,
                metric: Some((*index, name.text.clone())),
                artifact: None,
                table: None,
                groups: None,
                options: BTreeMap::new(),
                ty: ty.clone(),
            })
        }
        [] if gate.partial => None,
        [] => {
            let message = format!("nothing that the gate is on measures `{}`", name.text);
            let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message);
            for evidence in &gate.evidence {
                diagnostic = diagnostic.label(evidence.span, format!("`{}`", evidence.ty));
            }
            let called = predicted::all().find(|metric| metric.also.contains(&name.as_str()));
            let called = called.filter(|metric| known.iter().any(|known| known == metric.name));
            if let Some(metric) = called {
                let help = format!("here it is called `{}`", metric.name);
                diagnostic = diagnostic.help(help).fix(name.span, metric.name);
            } else if let Some(near) = nearest(&name.text, known.iter().map(String::as_str)) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                diagnostic = diagnostic.fix_near(name.span, &name.text, near, known.iter().map(String::as_str));
            } else if known.is_empty() {
                diagnostic = diagnostic.help(match among {
                    Among::All => "be on an output of type `Metrics<…>`, `Predictions { … }` or `Tests`",
                    Among::Predictions => "be on an output of type `Predictions { … }`: it is computed row by row",
                });
            } else {
                let names: Vec<_> = known.iter().map(String::as_str).collect();
                diagnostic = diagnostic.help(format!("measured are {}", quoted(&names)));
            }
            cx.report(diagnostic)
        }
        [(first, ..), (second, ..), ..] => {
            let message = format!("`{}` is measured twice", name.text);
            let diagnostic = Diagnostic::new(codes::AMBIGUOUS_METRIC, name.span, message)
                .label(gate.evidence[*first].span, "here")
                .label(gate.evidence[*second].span, "and here")
                .help(apart(&[&gate.evidence[*first], &gate.evidence[*second]], &name.text));
            cx.report(diagnostic)
        }
    }
}

/// Returns how evidences are told apart whose metric or column `name` is meant.
pub(super) fn apart(several: &[&Evidence], name: &str) -> String {
    let named: Option<Vec<String>> =
        several.iter().map(|one| Some(format!("`{}.{name}`", one.alias.as_deref()?))).collect();
    match named {
        Some(named) => format!("write {}", named.join(" or ")),
        None => format!("name the evidences, `on a = …, b = …`, and write `a.{name}`"),
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the evidence that is named by its alias, or as in the header.
fn evidence(cx: &Cx<'_>, base: &ast::Expr, gate: &Gate) -> Option<usize> {
    let text = cx.sources.slice(base.span);
    gate.evidence.iter().position(|evidence| match &evidence.alias {
        Some(alias) => alias == text,
        None => cx.sources.slice(evidence.span) == text,
    })
}
