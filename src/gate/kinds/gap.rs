//! `gap(recall by region) <= 5%`: the largest of the groups' numbers minus the smallest.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::judged::Judged;
use crate::gate::report::Limit;
use crate::gate::slices::{self, Apart};
use crate::gate::{Measure, Requirement};
use crate::types::{Type, Value};

pub(super) struct Gap;

static SIGNATURE: Signature = Signature {
    name: "gap",
    form: Form::Call,
    takes: Takes::Grouped,
    options: super::GROUPS,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require gap(recall by region) <= 5%",
};

impl Kind for Gap {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        super::regression::difference(subject, &BTreeMap::new())
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "largest of the groups - smallest".to_owned()
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let names: Vec<&str> = requirement.measure.metric.iter().map(|metric| metric.name.as_str()).collect();
        Some(slices::apart(case, requirement, limit, &names, Apart::Gap))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}
