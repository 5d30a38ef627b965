//! A line of a gate whose answer is known before anything is measured: by the range of what it measures, every number holds, or none.

use super::cx::{Cx, Decl};
use super::limits::ends;
use crate::diagnostic::codes;
use crate::gate::kinds::metric_range;
use crate::gate::{Bound, Compare, predicted};
use crate::model::{Gate, Measure};
use crate::source::Span;
use crate::types::{self, Artifact, Direction, Range};

/// What is never negative.
const FROM_ZERO: Range = Range { low: Some(types::Bound { at: 0.0, open: false }), high: None };

/// Refuses a line that every number holds, or none, whatever the parameters in its limit are.
pub(super) fn open(cx: &mut Cx<'_>, span: Span, measure: &Measure, bound: &Bound, gate: &Gate) -> Option<()> {
    let range = range(cx, measure, gate);
    let limits: &[&types::Expr] = match bound {
        Bound::Compare { limit, .. } => &[limit],
        Bound::Between { low, high } => &[low, high],
        Bound::Holds => &[],
    };
    let limits: Option<Vec<(f64, f64)>> = limits.iter().map(|limit| ends(cx, limit)).collect();
    let all = limits.and_then(|limits| answer(range, bound, &limits));
    let Some(all) = all else { return Some(()) };
    let text = cx.sources.slice(span).to_owned();
    let name = match &measure.metric {
        Some((_, name)) if measure.compares() => format!("{}({name})", measure.kind),
        Some((_, name)) => name.clone(),
        None => measure.kind.to_owned(),
    };
    let (message, help) = if all {
        (format!("`{text}` can't fail: every number that `{name}` can be holds"), "require more, or remove the line")
    } else {
        (format!("`{text}` can't hold: `{name}` is no such number"), "write a limit that can be reached")
    };
    cx.error(codes::OUT_OF_RANGE, span, message, help)
}

/// Returns between which numbers a measure lies for certain. How it is spread or estimated is no number of its own range.
fn range(cx: &Cx<'_>, measure: &Measure, gate: &Gate) -> Range {
    let relative = measure.options.contains_key("relative");
    match measure.kind {
        "regression" | "improvement" => match compared(cx, measure, gate) {
            Some((range, direction)) if relative => share_of_baseline(range, direction, measure.kind),
            Some((range, _)) => difference(range),
            None => Range::ANY,
        },
        _ if relative || measure.compares() => Range::ANY,
        "metric" | "mean" | "size" | "nulls" => metric_range(&measure.ty),
        "tests" | "rows" | "classes" => FROM_ZERO,
        _ => Range::ANY,
    }
}

/// Returns the range of the metric that is compared, and which way it gets better.
fn compared(cx: &Cx<'_>, measure: &Measure, gate: &Gate) -> Option<(Range, Direction)> {
    let (evidence, name) = measure.metric.as_ref()?;
    match &gate.evidence.get(*evidence)?.ty {
        Artifact::Metrics { name: declared } => {
            let (Decl::Metrics(id), _) = cx.peek(declared)? else { return None };
            let metric = cx.model.metrics[id].ty.metric(name)?;
            Some((metric_range(&metric.ty), metric.direction?))
        }
        Artifact::Predictions(_) => {
            let metric = predicted::find(name)?;
            Some((metric_range(&metric.ty()), metric.direction?))
        }
        _ => None,
    }
}

/// Returns between which numbers two of a range differ.
fn difference(range: Range) -> Range {
    let Range { low: Some(low), high: Some(high) } = range else { return Range::ANY };
    let (at, open) = (high.at - low.at, low.open || high.open);
    Range { low: Some(types::Bound { at: -at, open }), high: Some(types::Bound { at, open }) }
}

/// Returns between which numbers a difference relative to the baseline lies: of what is never negative no more than all of
/// the baseline can be lost, or saved.
fn share_of_baseline(range: Range, direction: Direction, kind: &str) -> Range {
    if range.low.is_none_or(|low| low.at < 0.0) {
        return Range::ANY;
    }
    let whole = |at: f64| Some(types::Bound { at, open: false });
    if (kind == "regression") == (direction == Direction::Higher) {
        Range { low: None, high: whole(1.0) }
    } else {
        Range { low: whole(-1.0), high: None }
    }
}

/// Tells whether all numbers of a range hold a bound, or none does; nothing where it depends on the number, or on where
/// between its ends a limit lies.
fn answer(range: Range, bound: &Bound, limits: &[(f64, f64)]) -> Option<bool> {
    match (bound, limits) {
        (Bound::Compare { op, .. }, &[(least, most)]) => {
            let first = compare(range, *op, least)?;
            // Between two limits that no number equals may lie one that some do.
            let ordered = !matches!(op, Compare::Equal | Compare::Unequal);
            (least == most || (ordered && compare(range, *op, most) == Some(first))).then_some(first)
        }
        (Bound::Between { .. }, &[low, high]) if low.0 == low.1 && high.0 == high.1 => {
            let ends = (compare(range, Compare::AtLeast, low.0), compare(range, Compare::AtMost, high.0));
            match ends {
                (Some(true), Some(true)) => Some(true),
                (Some(false), _) | (_, Some(false)) => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Tells whether all numbers of a range compare so with a limit, or none does.
fn compare(range: Range, op: Compare, limit: f64) -> Option<bool> {
    // Whether all numbers are at least, above, at most, below the limit.
    let at_least = range.low.is_some_and(|low| low.at >= limit);
    let above = range.low.is_some_and(|low| low.at > limit || (low.open && low.at == limit));
    let at_most = range.high.is_some_and(|high| high.at <= limit);
    let below = range.high.is_some_and(|high| high.at < limit || (high.open && high.at == limit));
    let (all, none) = match op {
        Compare::AtLeast => (at_least, below),
        Compare::Greater => (above, at_most),
        Compare::AtMost => (at_most, above),
        Compare::Less => (below, at_least),
        Compare::Equal => (false, above || below),
        Compare::Unequal => (above || below, false),
    };
    (all || none).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_range_decides_is_settled() {
        let said = compare;
        let share = Range::SHARE;
        for (op, limit, is) in [
            (Compare::AtLeast, 0.0, Some(true)),
            (Compare::AtLeast, 0.001, None),
            (Compare::AtLeast, 1.0, None),
            (Compare::Greater, 0.0, None),
            (Compare::Greater, 1.0, Some(false)),
            (Compare::AtMost, 1.0, Some(true)),
            (Compare::AtMost, 0.0, None),
            (Compare::Less, 0.0, Some(false)),
            (Compare::Less, 1.0, None),
            (Compare::Unequal, 1.0, None),
            (Compare::Equal, 0.0, None),
        ] {
            assert_eq!(said(share, op, limit), is, "{op:?} {limit}");
            assert_eq!(said(Range::ANY, op, limit), None, "{op:?} {limit}");
        }
        assert_eq!(said(FROM_ZERO, Compare::Greater, -1.0), Some(true));
        assert_eq!(said(FROM_ZERO, Compare::Equal, -1.0), Some(false));
        let open = Range { low: Some(types::Bound { at: 0.0, open: true }), high: None };
        assert_eq!(said(open, Compare::Greater, 0.0), Some(true));
        assert_eq!(said(open, Compare::AtMost, 0.0), Some(false));
        let zero = || types::Expr::Value(types::Value::Float(0.0));
        let between = |low: f64, high: f64| {
            answer(share, &Bound::Between { low: zero(), high: zero() }, &[(low, low), (high, high)])
        };
        assert_eq!((between(0.0, 1.0), between(0.0, 0.9), between(1.1, 2.0)), (Some(true), None, Some(false)));
        let within = |op, ends| answer(share, &Bound::Compare { op, limit: zero() }, &[ends]);
        assert_eq!(within(Compare::AtLeast, (-1.0, 0.0)), Some(true));
        assert_eq!(within(Compare::AtLeast, (0.0, 1.0)), None, "a parameter of the same range");
        assert_eq!(within(Compare::Equal, (-1.0, 2.0)), None, "some number lies between");
    }

    #[test]
    fn a_difference_has_a_range_where_the_metric_has_one() {
        assert_eq!(difference(FROM_ZERO), Range::ANY);
        let ends = |range: Range| (range.low.map(|low| low.at), range.high.map(|high| high.at));
        assert_eq!(ends(difference(Range::SHARE)), (Some(-1.0), Some(1.0)));
        use Direction::{Higher, Lower};
        assert_eq!(ends(share_of_baseline(Range::SHARE, Higher, "regression")), (None, Some(1.0)));
        assert_eq!(ends(share_of_baseline(FROM_ZERO, Lower, "regression")), (Some(-1.0), None));
        assert_eq!(ends(share_of_baseline(Range::SHARE, Higher, "improvement")), (Some(-1.0), None));
        assert_eq!(ends(share_of_baseline(FROM_ZERO, Lower, "improvement")), (None, Some(1.0)));
        assert_eq!(ends(share_of_baseline(Range::ANY, Higher, "regression")), (None, None));
    }
}
