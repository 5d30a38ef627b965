//! `ci(auc, 95%) <= 2%`: half the width of the two-sided interval: how well the value is known.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::gate::sample::{self, Side};
use crate::types::{Type, Value};

pub(super) struct Interval;

static SIGNATURE: Signature = Signature {
    name: "ci",
    form: Form::Call,
    takes: Takes::Sample,
    options: &[Opt { name: "level", ty: OptType::Share }, Opt { name: "min_n", ty: OptType::Rows }],
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require ci(auc, 95%) <= 2%",
};

impl Kind for Interval {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        super::regression::difference(subject, &BTreeMap::new())
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "half the width of the two-sided interval: Student of runs, Wilson of a share, DeLong of auc_roc, else bootstrap".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let level = 0.5 + sample::level(measure)? / 2.0;
        let sample = sample::sample(case, measure)?;
        let half = match &sample {
            sample::Sample::Runs(spread) => spread.reach(level),
            other => (other.bound(Side::Upper, level)? - other.bound(Side::Lower, level)?) / 2.0,
        };
        Ok(Measured { value: half, candidate: sample.point(), baseline: None })
    }
}
