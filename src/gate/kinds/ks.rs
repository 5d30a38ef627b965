//! `ks(col|*) <= 0.05 against "file"`: D of Kolmogorov and Smirnov, the largest distance of the distribution functions.
//! The limit is a floor on D, so that huge samples do not flag dust; beyond it the difference must be significant, too.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::data::{Counts, Kind as Values};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::{Decided, Drifted, Pair, judge, share, within};
use crate::gate::judged::{Judged, Standing};
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::stats;
use crate::types::{Range, Type, Value};

pub(super) struct KolmogorovSmirnov;

/// The level of significance where `alpha` says nothing else.
const ALPHA: f64 = 0.05;

static SIGNATURE: Signature = Signature {
    name: "ks",
    form: Form::Call,
    takes: Takes::Columns,
    options: super::psi::OPTIONS,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::Must,
    example: "require ks(amount) <= 0.05 against \"configs/train.baseline.json\"",
};

impl Kind for KolmogorovSmirnov {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Float(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, measure: &Measure) -> String {
        let alpha = share(measure, "alpha").unwrap_or(ALPHA);
        format!("max |F(x) - G(x)|; beyond the limit tested at {alpha}, Holm")
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let alpha = share(&requirement.measure, "alpha").unwrap_or(ALPHA);
        let drift = |pair: &Pair<'_>| {
            let (Values::Numbers { below, .. }, Counts::Numbers { below: current, values, .. }) =
                (&pair.frozen.kind, pair.counts)
            else {
                return None;
            };
            let n = below.last().copied().unwrap_or(0);
            if n == 0 || *values == 0 {
                let unclear = Some(format!("`{}` has no values", pair.frozen.name));
                return Some(Drifted { value: 0.0, p: Some(1.0), unclear });
            }
            let (d, p) = stats::kolmogorov_smirnov(below, n, current, *values);
            Some(Drifted { value: d, p: Some(p), unclear: None })
        };
        let decide = |drifted: &Drifted, p: f64| {
            if drifted.unclear.is_some() || within(limit, drifted.value) {
                return Decided::plain(drifted, limit);
            }
            if p < alpha {
                return Decided { standing: Standing::Fails, value: drifted.value, reason: None };
            }
            let reason = format!("D is {}, and with so few rows chance gives that with p = {p}", drifted.value);
            Decided { standing: Standing::Unclear, value: drifted.value, reason: Some(reason) }
        };
        Some(judge(case, requirement, limit, |kind| matches!(kind, Values::Numbers { .. }), &drift, &decide))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
