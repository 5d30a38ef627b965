//! `wasserstein(col) <= 5 against "file"`: how far the values moved on average, ∫|F − G|, in the column's own unit; with
//! `relative` in standard deviations of the baseline, which `*` needs.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::data::{Counts, Kind as Values};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::{Decided, Drifted, Pair, judge};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::stats::{self, Jump};
use crate::types::{Range, Type, Value};

pub(super) struct Wasserstein;

static SIGNATURE: Signature = Signature {
    name: "wasserstein",
    form: Form::Call,
    takes: Takes::Columns,
    options: &[Opt { name: "relative", ty: OptType::Flag }, Opt { name: "except", ty: OptType::Names }],
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::Must,
    example: "require wasserstein(amount) <= 5 against \"configs/train.baseline.json\"",
};

impl Kind for Wasserstein {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Float(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, measure: &Measure) -> String {
        let by = if measure.options.contains_key("relative") { " / stddev of the baseline" } else { "" };
        format!("integral |F(x) - G(x)| dx{by}")
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let relative = requirement.measure.options.contains_key("relative");
        let drift = |pair: &Pair<'_>| {
            let Values::Numbers { points, below, stddev, .. } = &pair.frozen.kind else { return None };
            let Counts::Numbers { below: current, values, above, before, .. } = pair.counts else { return None };
            let n = below.last().copied().unwrap_or(0);
            let empty = || Some(format!("`{}` has no values", pair.frozen.name));
            if n == 0 || *values == 0 {
                return Some(Drifted { value: 0.0, p: None, unclear: empty() });
            }
            let share = |count: &u64, of: u64| *count as f64 / of as f64;
            let jumps = points.iter().zip(below.iter().zip(current));
            let jumps: Vec<Jump> = jumps
                .map(|(at, (one, other))| Jump { at: *at, reference: share(one, n), current: share(other, *values) })
                .collect();
            let moved = stats::wasserstein(&jumps) + (above + before) / *values as f64;
            if !relative {
                return Some(Drifted { value: moved, p: None, unclear: None });
            }
            let flat = (*stddev == 0.0 && moved > 0.0)
                .then(|| format!("`{}` does not vary in the baseline: compare absolutely", pair.frozen.name));
            let value = if *stddev == 0.0 { 0.0 } else { moved / stddev };
            Some(Drifted { value, p: None, unclear: flat })
        };
        let decide = |drifted: &Drifted, _: f64| Decided::plain(drifted, limit);
        Some(judge(case, requirement, limit, |kind| matches!(kind, Values::Numbers { .. }), &drift, &decide))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
