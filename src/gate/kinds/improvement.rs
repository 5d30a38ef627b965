//! `improvement(m)`: the negative of `regression(m)`, how much better than the baseline.

use std::collections::BTreeMap;

use super::regression::{OPTIONS, compare, decline, difference, formula};
use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::types::{Type, Value};

pub(super) struct Improvement;

static SIGNATURE: Signature = Signature {
    name: "improvement",
    form: Form::Call,
    takes: Takes::Metric,
    options: OPTIONS,
    direction: true,
    better: Better::Higher,
    baseline: true,
    against: Against::No,
    example: "warn improvement(auc_roc) >= 0.1%",
};

impl Kind for Improvement {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
        difference(subject, options)
    }

    fn formula(&self, case: &Case<'_>, measure: &Measure) -> String {
        formula(case, measure, "candidate - baseline", "baseline - candidate")
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let compared = compare(case, measure)?;
        Ok(Measured { value: 0.0 - compared.value, ..compared })
    }

    fn decline(&self, case: &Case<'_>, measure: &Measure) -> Option<f64> {
        decline(case, measure)
    }
}
