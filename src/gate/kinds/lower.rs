//! `lower(auc, 95%) >= 0.8`: the bound that the true value is above at this level, one-sided; the point alone proves nothing.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement, sample, slices};
use crate::types::{Type, Value};

pub(super) struct Lower;

static SIGNATURE: Signature = Signature {
    name: "lower",
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
    example: "require lower(auc, 95%) >= 0.8",
};

impl Kind for Lower {
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
        sample::formula(case, measure, "-")
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        requirement.measure.groups.as_ref()?;
        Some(slices::bounds(case, requirement, limit, sample::Side::Lower))
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        sample::bound(case, measure, sample::Side::Lower)
    }
}
