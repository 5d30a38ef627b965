//! `ratio(recall by region) >= 0.8`: the smallest of the groups' numbers divided by the largest.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::slices::{self, Apart};
use crate::gate::{Measure, Requirement};
use crate::types::{Range, Type, Value};

pub(super) struct Ratio;

static SIGNATURE: Signature = Signature {
    name: "ratio",
    form: Form::Call,
    takes: Takes::Grouped,
    options: super::GROUPS,
    direction: false,
    better: Better::Higher,
    baseline: false,
    against: Against::No,
    example: "require ratio(recall by region) >= 80%",
};

impl Kind for Ratio {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "smallest of the groups / largest".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let names: Vec<&str> = requirement.measure.metric.iter().map(|metric| metric.name.as_str()).collect();
        Some(slices::apart(case, requirement, limit, &names, Apart::Ratio))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
