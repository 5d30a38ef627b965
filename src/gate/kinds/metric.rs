//! `auc_roc >= 85%`: a measured number as it is.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes, metric_of};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::types::{Range, Type, Value};

pub(super) struct Metric;

static SIGNATURE: Signature = Signature {
    name: "metric",
    form: Form::Bare,
    takes: Takes::Metric,
    options: super::MIN_N,
    direction: false,
    better: Better::OfMetric,
    baseline: false,
    against: Against::No,
    example: "require auc_roc >= 85%",
};

impl Kind for Metric {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        subject.cloned().unwrap_or(Type::Float(Range::ANY))
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "candidate".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let value = case.number(metric_of(measure)?)?;
        case.enough(measure)?;
        Ok(Measured { value, candidate: value, baseline: None })
    }
}
