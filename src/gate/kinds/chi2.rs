//! `chi2(col|*) >= 1% against "file"`: the p-value of the chi-square test that both tables fill the baseline's bins alike;
//! adjusted by Holm where there are several columns.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::{Decided, Drifted, Pair, judge, within};
use crate::gate::judged::{Judged, Standing};
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::stats;
use crate::types::{Range, Type, Value};

pub(super) struct ChiSquare;

/// Options of drift that has no level of significance.
pub(super) static EXCEPT: &[Opt] = &[Opt { name: "except", ty: OptType::Names }];

static SIGNATURE: Signature = Signature {
    name: "chi2",
    form: Form::Call,
    takes: Takes::Columns,
    options: EXCEPT,
    direction: false,
    better: Better::Higher,
    baseline: false,
    against: Against::Must,
    example: "require chi2(category) >= 1% against \"configs/train.baseline.json\"",
};

impl Kind for ChiSquare {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "p of sum (observed - expected)^2 / expected, Holm".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let drift = |pair: &Pair<'_>| {
            let (reference, current) = pair.bins()?;
            let test = stats::chi_square(&reference, &current);
            // Cochran's rule: no expected count below 1, and at most a fifth of them below 5.
            let thin = test.least < 1.0 || test.below_five > 0.2;
            let unclear = thin.then(|| {
                let name = &pair.frozen.name;
                format!("`chi2({name})` has bins with too few rows to expect: {} in the emptiest", test.least)
            });
            Some(Drifted { value: test.p, p: Some(test.p), unclear })
        };
        let decide = |drifted: &Drifted, p: f64| {
            let standing = match &drifted.unclear {
                Some(_) => Standing::Unclear,
                None if within(limit, p) => Standing::Holds,
                None => Standing::Fails,
            };
            Decided { standing, value: p, reason: drifted.unclear.clone() }
        };
        Some(judge(case, requirement, limit, super::psi::has_bins, &drift, &decide))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
