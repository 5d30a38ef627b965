//! `mean(auc) >= 0.8`: the mean over the runs of a fan-out, three or more.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::gate::sample;
use crate::types::{Type, Value};

pub(super) struct Mean;

static SIGNATURE: Signature = Signature {
    name: "mean",
    form: Form::Call,
    takes: Takes::Sample,
    options: &[Opt { name: "min_n", ty: OptType::Rows }],
    direction: false,
    better: Better::OfMetric,
    baseline: false,
    against: Against::No,
    example: "require mean(auc) >= 0.8",
};

impl Kind for Mean {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        subject.cloned().unwrap_or(Type::Float(crate::types::Range::ANY))
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "sum of all runs / runs".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let spread = sample::runs(case, measure)?;
        Ok(Measured { value: spread.mean, candidate: spread.mean, baseline: None })
    }
}
