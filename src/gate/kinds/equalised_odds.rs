//! `equalised_odds(region) <= 5%`: the larger of two differences over the groups, max − min of P(ŷ = 1 | y = 1) and max − min of
//! P(ŷ = 1 | y = 0) (Hardt, Price and Srebro 2016; as fairlearn's `equalized_odds_difference` has it).

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::slices::{self, Apart};
use crate::gate::{Measure, Requirement};
use crate::types::{Range, Type, Value};

pub(super) struct EqualisedOdds;

static SIGNATURE: Signature = Signature {
    name: "equalised_odds",
    form: Form::Call,
    takes: Takes::Group("recall"),
    options: super::GROUPS,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require equalised_odds(region) <= 5%",
};

impl Kind for EqualisedOdds {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "larger of max - min over groups of P(decided 1 | labelled 1) and of P(decided 1 | labelled 0)".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        Some(slices::apart(case, requirement, limit, &["recall", "fpr"], Apart::Gap))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
