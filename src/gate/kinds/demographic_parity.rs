//! `demographic_parity(region) <= 5%`: max − min over the groups of P(ŷ = 1), the rate at which each is selected (Dwork et al.
//! 2012, "Fairness through awareness"; as a difference, as in fairlearn's `demographic_parity_difference`).

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::slices::{self, Apart};
use crate::gate::{Measure, Requirement};
use crate::types::{Range, Type, Value};

pub(super) struct DemographicParity;

static SIGNATURE: Signature = Signature {
    name: "demographic_parity",
    form: Form::Call,
    takes: Takes::Group("selection_rate"),
    options: super::GROUPS,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require demographic_parity(region) <= 5%",
};

impl Kind for DemographicParity {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "max - min over groups of P(decided 1)".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        Some(slices::apart(case, requirement, limit, &["selection_rate"], Apart::Gap))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
