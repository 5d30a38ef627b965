//! Watches: what has to hold of the live numbers while traffic flows.

use super::cx::{Cx, Decl, Wanted};
use super::expr::{Scope, Typed, expr, fitted, widened};
use super::fields::{duration, whole};
use super::rollout::Limits;
use super::{limits, trigger};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::gate::{Bound, Compare, Level};
use crate::model::{LiveRequirement, MetricsId, SourceId, Step, Watch};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Artifact, Expr, FailAfter, LiveMeasure, LiveOf, Location, Range, Silence, Type, Value, Window};

/// Valid measurements that a step needs where nothing else is said.
const MEASUREMENTS: u32 = 3;
const MINUTE: i64 = 60_000_000_000;

/// Resolves `watch … every … { … }`.
pub(super) fn resolve(
    cx: &mut Cx<'_>,
    written: &ast::Watch,
    limits: &Limits,
    steps: &[Step],
    sides: &Sides,
) -> Option<Watch> {
    let source = source(cx, &written.source);
    let every = duration(cx, &written.every);
    let metrics = source.and_then(|source| metrics(cx, source));
    let mut requirements = Vec::new();
    let mut fail_after: Option<(Option<FailAfter>, Span)> = None;
    let mut no_data: Option<(Silence, Span)> = None;
    let mut error: Option<(Silence, Span)> = None;
    let mut min_measurements = limits.min_measurements.map(|number| (number, written.span));
    let mut max_hold = limits.max_hold.map(|time| (time, written.span));
    let mut blocks = false;
    for clause in &written.clauses {
        match clause {
            ast::WatchClause::Require(line) => {
                blocks = true;
                requirements.extend(metrics.and_then(|id| requirement(cx, line, Level::Require, id, sides)));
            }
            ast::WatchClause::Warn(line) => {
                requirements.extend(metrics.and_then(|id| requirement(cx, line, Level::Warn, id, sides)));
            }
            ast::WatchClause::FailAfter { count, window, span } => match fail_after {
                Some((_, first)) => trigger::again(cx, *span, first, "`fail after` is said twice"),
                None => fail_after = Some((self::fail_after(cx, count, window), *span)),
            },
            ast::WatchClause::OnNoData(outcome) => silence(cx, outcome, "no_data", &mut no_data),
            ast::WatchClause::OnError(outcome) => silence(cx, outcome, "error", &mut error),
            ast::WatchClause::Setting(setting) if setting.name.text == "max_hold" => match max_hold {
                Some((_, first)) => trigger::again(cx, setting.span, first, "`max_hold` is said twice"),
                None => max_hold = duration(cx, &setting.value).map(|time| (time, setting.span)),
            },
            ast::WatchClause::Setting(setting) => match min_measurements {
                Some((_, first)) => trigger::again(cx, setting.span, first, "`min_measurements` is said twice"),
                None => {
                    let number = whole(cx, &setting.value, 1, 1_000_000);
                    min_measurements = number.map(|number| (number as u32, setting.span));
                }
            },
        }
    }
    let place = Span { end: written.source.span.end, ..written.span };
    if !blocks {
        let help = "add a line such as `require candidate.error_rate <= 1%`";
        cx.error::<()>(codes::MISSING_CLAUSE, place, "the watch requires nothing: it would never end a rollout", help);
    } else if fail_after.is_none() {
        let help = "add `fail after 3 consecutive`";
        cx.error::<()>(codes::MISSING_CLAUSE, place, "the watch does not say when failing looks end the rollout", help);
    }
    let (source, every) = (source?, every?);
    let needed = min_measurements.map_or(MEASUREMENTS, |(number, _)| number);
    too_short(cx, steps, every, needed, written.every.span);
    Some(Watch {
        source,
        source_span: written.source.span,
        every,
        requirements,
        fail_after: fail_after
            .and_then(|(found, _)| found)
            .unwrap_or(FailAfter { count: 1, window: Window::Consecutive }),
        on_no_data: no_data.map_or(Silence::Hold, |(silence, _)| silence),
        on_error: error.map_or(Silence::Hold, |(silence, _)| silence),
        min_measurements: needed,
        max_hold: max_hold.map_or_else(|| every.saturating_mul(3).max(10 * MINUTE), |(time, _)| time),
    })
}

/// A step that is over before it was measured often enough can never pass.
fn too_short(cx: &mut Cx<'_>, steps: &[Step], every: i64, needed: u32, place: Span) {
    let least = every.saturating_mul(i64::from(needed));
    for step in steps {
        if let Some(duration) = step.duration
            && duration < least
        {
            let message = format!(
                "a step of {} holds fewer than {needed} looks, one every {}: it could never pass",
                crate::types::duration_text(duration),
                crate::types::duration_text(every)
            );
            let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, step.span, message)
                .label(place, "so often")
                .help(format!("watch it for at least {}", crate::types::duration_text(least)));
            cx.diagnostics.push(diagnostic);
        }
    }
}

fn silence(cx: &mut Cx<'_>, outcome: &ast::Outcome, word: &str, found: &mut Option<(Silence, Span)>) {
    if let Some((_, first)) = found {
        let first = *first;
        return trigger::again(cx, outcome.span, first, &format!("`on {word}` is said twice"));
    }
    let silence = if matches!(outcome.kind, ast::OutcomeKind::Fail) { Silence::Fail } else { Silence::Hold };
    *found = Some((silence, outcome.span));
}

fn fail_after(cx: &mut Cx<'_>, count: &ast::Expr, window: &ast::FailWindow) -> Option<FailAfter> {
    let number = whole(cx, count, 1, 10_000)? as u32;
    let window = match window {
        ast::FailWindow::Consecutive => Window::Consecutive,
        ast::FailWindow::Total => Window::Total,
        ast::FailWindow::Of(last) => {
            let among = whole(cx, last, 1, 10_000)? as u32;
            if among < number {
                let message = format!("{number} among the last {among} can never be");
                return cx.error(codes::OUT_OF_RANGE, count.span.to(last.span), message, "write `3 of 10`");
            }
            Window::Of(among)
        }
    };
    Some(FailAfter { count: number, window })
}

/// Resolves the source of live metrics.
pub(super) fn source(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<SourceId> {
    let help = "declare one: `source traffic: Metrics<Live> = prometheus(\"http://metrics:9090\")`";
    let ast::ExprKind::Name(name) = &written.kind else {
        cx.mention_words(written.span);
        return cx.error(codes::WRONG_KIND, written.span, "a source of live metrics is watched", help);
    };
    let id = match cx.look_up(name, Wanted::Source)? {
        Decl::Source(id) => id,
        decl => return cx.wrong_kind(name, decl, Wanted::Source),
    };
    let source = &cx.model.sources[id];
    let (place, ty) = (source.name.span, source.ty.clone());
    if !matches!(ty, Artifact::Metrics { .. }) {
        let message = format!("`{}` is a `{ty}`, and live metrics are watched", name.text);
        let diagnostic =
            Diagnostic::new(codes::WRONG_TYPE, name.span, message).label(place, "declared here").help(help);
        return cx.report(diagnostic);
    }
    if matches!(source.location, Some(Location::Path(_))) {
        return None;
    }
    Some(id)
}

pub(super) fn metrics(cx: &Cx<'_>, source: SourceId) -> Option<MetricsId> {
    let Artifact::Metrics { name } = &cx.model.sources[source].ty else { return None };
    match cx.peek(name) {
        Some((Decl::Metrics(id), _)) => Some(id),
        _ => None,
    }
}

pub(super) fn requirement(
    cx: &mut Cx<'_>,
    written: &ast::Requirement,
    level: Level,
    id: MetricsId,
    sides: &Sides,
) -> Option<LiveRequirement> {
    let span = written.expr.span;
    if let Some(against) = &written.against {
        let help = "compare with the stable version: `candidate.m / stable.m <= 1.1`";
        return cx.error(codes::MISPLACED_CLAUSE, against.span, "live numbers are held against no file", help);
    }
    let (measure, bound) = match &written.expr.kind {
        ast::ExprKind::Binary { op, left, right, .. } => {
            let op = match op {
                ast::BinaryOp::Lt => Compare::Less,
                ast::BinaryOp::Le => Compare::AtMost,
                ast::BinaryOp::Eq => Compare::Equal,
                ast::BinaryOp::Ne => Compare::Unequal,
                ast::BinaryOp::Ge => Compare::AtLeast,
                ast::BinaryOp::Gt => Compare::Greater,
                _ => return shape(cx, span, sides),
            };
            match (sides.of(left), sides.of(right)) {
                // `candidate.m <= stable.m`: the difference has a sign.
                (Some(_), Some(_)) => {
                    let measure = pair(cx, left, right, LiveOf::Difference, id, sides)?;
                    let zero = match &measure.ty {
                        Type::Duration => Value::Duration(0),
                        Type::Bytes => Value::Bytes(0),
                        Type::Ratio(_) => Value::Ratio(0.0),
                        Type::Int(_) => Value::Int(0),
                        _ => Value::Float(0.0),
                    };
                    (measure, Bound::Compare { op, limit: Expr::Value(zero) })
                }
                _ => {
                    let measure = measure(cx, left, id, sides)?;
                    let limit = limit(cx, right, &measure)?;
                    (measure, Bound::Compare { op, limit })
                }
            }
        }
        ast::ExprKind::Between { value, range } => {
            let measure = measure(cx, value, id, sides)?;
            let (Some(low), Some(high), false) = (&range.low, &range.high, range.low_open || range.high_open) else {
                let help = "write two lines: `require candidate.m > 1`, `require candidate.m < 2`";
                return cx.error(codes::BAD_REQUIREMENT, range.span, "`between` holds both its ends", help);
            };
            let ends = (limit(cx, low, &measure), limit(cx, high, &measure));
            (measure, Bound::Between { low: ends.0?, high: ends.1? })
        }
        _ => return shape(cx, span, sides),
    };
    let words: Vec<&str> = cx.sources.slice(written.span).split_whitespace().skip(1).collect();
    Some(LiveRequirement { level, text: words.join(" "), measure, bound, span: written.span })
}

/// The two that are compared: `candidate` and `stable`, or the arms of an experiment.
pub(super) struct Sides {
    /// Arms that stand for the candidate; none in a rollout.
    arms: Vec<String>,
    /// The name of the other side.
    control: String,
}

impl Sides {
    /// The sides of a rollout.
    pub(super) fn rollout() -> Self {
        Self { arms: Vec::new(), control: "stable".to_owned() }
    }

    /// The sides of an experiment.
    pub(super) fn arms(arms: Vec<String>, control: String) -> Self {
        Self { arms, control }
    }

    fn candidate(&self) -> &str {
        self.arms.first().map_or("candidate", String::as_str)
    }

    /// Returns the side, the arm and the metric of `candidate.m` or `stable.m`.
    fn of<'e>(&self, written: &'e ast::Expr) -> Option<(LiveOf, Option<String>, &'e ast::Name)> {
        let ast::ExprKind::Field { base, name } = &written.kind else { return None };
        let ast::ExprKind::Name(base) = &base.kind else { return None };
        if base.text == self.control {
            return Some((LiveOf::Stable, None, name));
        }
        if self.arms.is_empty() && base.text == "candidate" {
            return Some((LiveOf::Candidate, None, name));
        }
        self.arms.contains(&base.text).then(|| (LiveOf::Candidate, Some(base.text.clone()), name))
    }
}

fn shape<T>(cx: &mut Cx<'_>, span: Span, sides: &Sides) -> Option<T> {
    cx.mention_words(span);
    let message = format!("`{}` compares no live number with a limit", cx.sources.slice(span));
    let help = format!("write `require {}.METRIC <= LIMIT`", sides.candidate());
    cx.error(codes::BAD_REQUIREMENT, span, message, &help)
}

fn measure(cx: &mut Cx<'_>, written: &ast::Expr, id: MetricsId, sides: &Sides) -> Option<LiveMeasure> {
    match &written.kind {
        ast::ExprKind::Binary { op: ast::BinaryOp::Div, left, right, .. } => {
            pair(cx, left, right, LiveOf::Ratio, id, sides)
        }
        ast::ExprKind::Binary { op: ast::BinaryOp::Sub, left, right, .. } => {
            pair(cx, left, right, LiveOf::Difference, id, sides)
        }
        ast::ExprKind::Name(name) if cx.model.metrics[id].ty.metric(&name.text).is_some() => {
            let message = format!("`{}` is measured of two versions", name.text);
            let better = format!("{}.{}", sides.candidate(), name.text);
            let diagnostic = Diagnostic::new(codes::AMBIGUOUS_METRIC, name.span, message)
                .help(format!("write `{better}`, or `{}.{}`", sides.control, name.text));
            cx.report(diagnostic)
        }
        _ => {
            let Some((of, arm, name)) = sides.of(written) else { return shape(cx, written.span, sides) };
            let ty = metric(cx, name, id)?;
            Some(LiveMeasure { metric: name.text.clone(), of, arm, ty })
        }
    }
}

fn pair(
    cx: &mut Cx<'_>,
    left: &ast::Expr,
    right: &ast::Expr,
    of: LiveOf,
    id: MetricsId,
    sides: &Sides,
) -> Option<LiveMeasure> {
    let span = left.span.to(right.span);
    let (Some((LiveOf::Candidate, arm, a)), Some((LiveOf::Stable, _, b))) = (sides.of(left), sides.of(right)) else {
        let (new, old) = (sides.candidate(), &sides.control);
        let help = format!("write `{new}.m / {old}.m`, `{new}.m - {old}.m` or `{new}.m <= {old}.m`");
        cx.mention_words(span);
        let message = format!("`{new}` is compared with `{old}`");
        return cx.error(codes::BAD_REQUIREMENT, span, message, &help);
    };
    let found = (metric(cx, a, id), metric(cx, b, id));
    let (ty, _) = (found.0?, found.1?);
    if a.text != b.text {
        let message = format!("`{}` and `{}` are different numbers", a.text, b.text);
        return cx.error(codes::BAD_REQUIREMENT, span, message, &format!("write `{}.{}`", sides.control, a.text));
    }
    let ty = if of == LiveOf::Ratio { Type::Float(Range::ANY) } else { widened(&ty) };
    Some(LiveMeasure { metric: a.text.clone(), of, arm, ty })
}

fn metric(cx: &mut Cx<'_>, name: &ast::Name, id: MetricsId) -> Option<Type> {
    let metrics = &cx.model.metrics[id];
    if let Some(metric) = metrics.ty.metric(&name.text) {
        return Some(metric.ty.clone());
    }
    if cx.model.opaque.contains(&format!("{}.*", metrics.name.value)) {
        return None;
    }
    let known: Vec<&str> = metrics.ty.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let message = format!("`{}` has no metric `{}`", metrics.name.value, name.text);
    let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message)
        .label(metrics.name.span, format!("`{}` is declared here", metrics.name.value));
    diagnostic = match nearest(&name.text, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(name.span, near),
        None => {
            let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            diagnostic.help(format!("its metrics are {}", list.join(", ")))
        }
    };
    cx.report(diagnostic)
}

fn limit(cx: &mut Cx<'_>, written: &ast::Expr, measure: &LiveMeasure) -> Option<Expr> {
    let Typed { expr, ty } = expr(cx, written, Scope::Known)?;
    limits::a_share(cx, written.span, &expr, &measure.ty)?;
    fitted(cx, written.span, Typed { expr, ty }, &measure.limit_type())
}
