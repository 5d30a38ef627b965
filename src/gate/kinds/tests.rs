//! `failed == 0`: a count of a JUnit file.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes, metric_of};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::types::{Range, Type, Value};

pub(super) struct Tests;

static SIGNATURE: Signature = Signature {
    name: "tests",
    form: Form::Bare,
    takes: Takes::Count,
    options: &[],
    direction: false,
    better: Better::Neither,
    baseline: false,
    against: Against::No,
    example: "require failed == 0",
};

impl Kind for Tests {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Int(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "candidate".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let value = case.number(metric_of(measure)?)?;
        Ok(Measured { value, candidate: value, baseline: None })
    }
}
