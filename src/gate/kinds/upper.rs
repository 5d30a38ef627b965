//! `upper(rmse, 95%) <= 3.0`: the bound that the true value is below at this level, one-sided.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement, sample, slices};
use crate::types::{Type, Value};

pub(super) struct Upper;

static SIGNATURE: Signature = Signature {
    name: "upper",
    form: Form::Call,
    takes: Takes::Sample,
    options: &[
        Opt { name: "level", ty: OptType::Share },
        Opt { name: "groups", ty: OptType::Groups },
        Opt { name: "min_n", ty: OptType::Rows },
    ],
    direction: false,
    better: Better::OfMetric,
    baseline: false,
    against: Against::No,
    example: "require upper(rmse, 95%) <= 3.0",
};

impl Kind for Upper {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
        if options.contains_key("of") {
            return super::regression::difference(subject, options);
        }
        subject.cloned().unwrap_or(Type::Float(crate::types::Range::ANY))
    }

    fn formula(&self, case: &Case<'_>, measure: &Measure) -> String {
        sample::formula(case, measure, "+")
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        requirement.measure.groups.as_ref()?;
        Some(slices::bounds(case, requirement, limit, sample::Side::Upper))
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        sample::bound(case, measure, sample::Side::Upper)
    }
}
