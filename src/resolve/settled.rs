//! A line of a gate whose answer is known before anything is measured: by the range of what it measures, every number holds, or none.

use super::cx::Cx;
use crate::diagnostic::codes;
use crate::gate::kinds::metric_range;
use crate::gate::{Bound, Compare};
use crate::model::Measure;
use crate::source::Span;
use crate::types::{self, Expr, Range};

/// What is never negative.
const FROM_ZERO: Range = Range { low: Some(types::Bound { at: 0.0, open: false }), high: None };

/// Refuses a line that every number holds, or none. What a parameter decides is not known here.
pub(super) fn open(cx: &mut Cx<'_>, span: Span, measure: &Measure, bound: &Bound) -> Option<()> {
    let range = range(measure);
    let all = answer(range, bound);
    let Some(all) = all else { return Some(()) };
    let text = cx.sources.slice(span).to_owned();
    let name = measure.metric.as_ref().map_or(measure.kind, |(_, name)| name.as_str());
    let (message, help) = if all {
        (format!("`{text}` can't fail: every number that `{name}` can be holds"), "require more, or remove the line")
    } else {
        (format!("`{text}` can't hold: `{name}` is no such number"), "write a limit that can be reached")
    };
    cx.error(codes::OUT_OF_RANGE, span, message, help)
}

/// Returns between which numbers a measure lies for certain. How it is spread, compared or estimated is no number of its own range.
fn range(measure: &Measure) -> Range {
    match measure.kind {
        _ if measure.options.contains_key("relative") || measure.compares() => Range::ANY,
        "metric" | "mean" | "size" | "nulls" => metric_range(&measure.ty),
        "tests" | "rows" | "classes" => FROM_ZERO,
        _ => Range::ANY,
    }
}

/// Tells whether all numbers of a range hold a bound, or none does; nothing where it depends on the number.
fn answer(range: Range, bound: &Bound) -> Option<bool> {
    let number = |limit: &Expr| match limit {
        Expr::Value(value) => value.number(),
        _ => None,
    };
    // Whether all numbers are at least, above, at most, below a limit.
    let at_least = |limit: f64| range.low.is_some_and(|low| low.at >= limit);
    let above = |limit: f64| range.low.is_some_and(|low| low.at > limit || (low.open && low.at == limit));
    let at_most = |limit: f64| range.high.is_some_and(|high| high.at <= limit);
    let below = |limit: f64| range.high.is_some_and(|high| high.at < limit || (high.open && high.at == limit));
    let (all, none) = match bound {
        Bound::Compare { op, limit } => {
            let limit = number(limit)?;
            match op {
                Compare::AtLeast => (at_least(limit), below(limit)),
                Compare::Greater => (above(limit), at_most(limit)),
                Compare::AtMost => (at_most(limit), above(limit)),
                Compare::Less => (below(limit), at_least(limit)),
                Compare::Equal => (false, above(limit) || below(limit)),
                Compare::Unequal => (above(limit) || below(limit), false),
            }
        }
        Bound::Between { low, high } => {
            let (low, high) = (number(low)?, number(high)?);
            (at_least(low) && at_most(high), below(low) || above(high))
        }
        Bound::Holds => (false, false),
    };
    (all || none).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Value;

    #[test]
    fn only_what_the_range_decides_is_settled() {
        let said = |range: Range, op: Compare, limit: f64| {
            answer(range, &Bound::Compare { op, limit: Expr::Value(Value::Float(limit)) })
        };
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
        let between =
            |low, high| Bound::Between { low: Expr::Value(Value::Float(low)), high: Expr::Value(Value::Float(high)) };
        assert_eq!(answer(share, &between(0.0, 1.0)), Some(true));
        assert_eq!(answer(share, &between(0.0, 0.9)), None);
    }
}
