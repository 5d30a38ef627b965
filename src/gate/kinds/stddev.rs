//! `stddev(auc) <= 0.02`: the standard deviation over the runs of a fan-out (n − 1), three or more.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::gate::sample;
use crate::types::{Type, Value};

pub(super) struct StdDev;

static SIGNATURE: Signature = Signature {
    name: "stddev",
    form: Form::Call,
    takes: Takes::Sample,
    options: &[Opt { name: "min_n", ty: OptType::Rows }],
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require stddev(auc) <= 0.02",
};

impl Kind for StdDev {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        super::regression::difference(subject, &BTreeMap::new())
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "sqrt(sum (run - mean)^2 / (runs - 1))".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let spread = sample::runs(case, measure)?;
        Ok(Measured { value: spread.stddev, candidate: spread.mean, baseline: None })
    }
}
