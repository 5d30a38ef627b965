//! `equal_opportunity(region) <= 5%`: max − min over the groups of P(ŷ = 1 | y = 1), the recall of each (Hardt, Price and Srebro
//! 2016, "Equality of opportunity in supervised learning").

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::slices::{self, Apart};
use crate::gate::{Measure, Requirement};
use crate::types::{Range, Type, Value};

pub(super) struct EqualOpportunity;

static SIGNATURE: Signature = Signature {
    name: "equal_opportunity",
    form: Form::Call,
    takes: Takes::Group("recall"),
    options: super::GROUPS,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require equal_opportunity(region) <= 5%",
};

impl Kind for EqualOpportunity {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "max - min over groups of P(decided 1 | labelled 1)".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        Some(slices::apart(case, requirement, limit, &["recall"], Apart::Gap))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
