//! `delong(auc_roc) < 5%`: the chance of so much larger an area under the ROC curve, or a larger one still, where both models
//! rank equally well: the paired test of DeLong, DeLong and Clarke-Pearson (1988), one-sided.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes, metric_of};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::gate::paired::paired;
use crate::stats::special::normal_cdf;
use crate::types::{Range, Type, Value};

pub(super) struct DeLong;

static SIGNATURE: Signature = Signature {
    name: "delong",
    form: Form::Call,
    takes: Takes::Pair(&["auc_roc"]),
    options: super::MIN_N,
    direction: true,
    better: Better::Lower,
    baseline: true,
    against: Against::No,
    example: "require delong(auc_roc) < 5%",
};

impl Kind for DeLong {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "1 - Phi((candidate - baseline) / DeLong's error of the difference)".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let metric = metric_of(measure)?;
        let none = || Undecided::Error(format!("`{}` compares no metric of predictions", measure.kind));
        let predicted = case.predicted(metric).ok_or_else(none)?;
        let pair = paired(case, metric)?;
        pair.enough(predicted, measure)?;
        let (candidate, baseline) = (predicted.value(&pair.candidate)?, predicted.value(&pair.baseline)?);
        let error = pair.error(predicted)?;
        // Where the error is zero, so is the difference.
        let z = if error == 0.0 { 0.0 } else { (candidate - baseline) / error };
        Ok(Measured { value: normal_cdf(-z), candidate, baseline: Some(baseline) })
    }
}
