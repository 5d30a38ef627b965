//! `js(col|*) <= 0.1 against "file"`: the Jensen–Shannon distance of the shares in the baseline's bins, base 2, 0 to 1.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::{Decided, Drifted, Pair, ceiling, judge};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::stats;
use crate::types::{Range, Type, Value};

pub(super) struct JensenShannon;

static SIGNATURE: Signature = Signature {
    name: "js",
    form: Form::Call,
    takes: Takes::Columns,
    options: super::chi2::EXCEPT,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::Must,
    example: "require js(*) <= 0.1 against \"configs/train.baseline.json\"",
};

impl Kind for JensenShannon {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Float(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "sqrt((KL(p, m) + KL(q, m)) / 2), m = (p + q) / 2, base 2".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let drift = |pair: &Pair<'_>| {
            let (reference, current) = pair.bins()?;
            let value = stats::jensen_shannon(&reference, &current);
            let noise = stats::jensen_shannon_noise(&reference, &current);
            let unclear = ceiling(limit).filter(|at| noise > at / 2.0).map(|at| {
                let name = &pair.frozen.name;
                format!(
                    "`js({name})` is {value}, but chance alone gives about {noise} with so few rows, more than half of {at}"
                )
            });
            Some(Drifted { value, p: None, unclear })
        };
        let decide = |drifted: &Drifted, _: f64| Decided::plain(drifted, limit);
        Some(judge(case, requirement, limit, super::psi::has_bins, &drift, &decide))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
