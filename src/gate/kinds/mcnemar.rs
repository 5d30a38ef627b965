//! `mcnemar(accuracy) < 5%`: the chance that so many or more of the rows which one model alone gets right are the candidate's,
//! where both models are equally good: McNemar's test (1947), one-sided and exact, of a binomial with one half.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes, metric_of};
use crate::gate::case::{Case, Undecided};
use crate::gate::evaluate::asked;
use crate::gate::judged::{Judged, Standing};
use crate::gate::number::{Unit, number_text};
use crate::gate::paired::{Paired, paired};
use crate::gate::predicted::Predicted;
use crate::gate::report::Limit;
use crate::gate::slices::{self, Tested};
use crate::gate::{Level, Measure, Requirement, drift};
use crate::stats::special::binomial_half_upper;
use crate::types::{Range, Type, Value};

pub(super) struct McNemar;

static SIGNATURE: Signature = Signature {
    name: "mcnemar",
    form: Form::Call,
    takes: Takes::Pair(&["accuracy", "recall", "specificity"]),
    options: super::GROUPS,
    direction: true,
    better: Better::Lower,
    baseline: true,
    against: Against::No,
    example: "require mcnemar(accuracy) < 5%",
};

impl Kind for McNemar {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, measure: &Measure) -> String {
        let holm = if measure.groups.is_some() { ", Holm" } else { "" };
        format!(
            "P(X >= c), X binomial of b + c rows at 1/2; c rows the candidate alone gets right, b the baseline{holm}"
        )
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        Some(judge(case, requirement, limit))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}

fn judge(case: &Case<'_>, requirement: &Requirement, limit: Option<Limit>) -> Result<Judged, Undecided> {
    let measure = &requirement.measure;
    let metric = metric_of(measure)?;
    let none = || Undecided::Error(format!("`{}` compares no metric of predictions", measure.kind));
    let predicted = case.predicted(metric).ok_or_else(none)?;
    let pair = paired(case, metric)?;
    if measure.groups.is_some() {
        let Some(Limit::Compare { at, .. }) = limit else { return Err(none()) };
        let all = case.predictions(metric.evidence)?;
        let test = |rows: &[usize]| {
            let pair = pair.some(rows);
            pair.enough(predicted, measure)?;
            let (_, _, p) = discordant(&pair, predicted);
            Ok(Tested { value: p, within: drift::within(limit, p), p, n: predicted.rows(&pair.candidate) })
        };
        return slices::each(requirement, limit, at, all, &test);
    }
    case.enough(measure)?;
    let numbers = (predicted.value(&pair.candidate)?, predicted.value(&pair.baseline)?);
    let (better, worse, p) = discordant(&pair, predicted);
    let holds = drift::within(limit, p);
    let standing = if holds { Standing::Holds } else { Standing::Fails };
    let asked = limit.map_or_else(|| "nothing".to_owned(), |limit| asked(limit, Unit::Share));
    let verb = if requirement.level == Level::Require { "required" } else { "hoped for" };
    let reason = format!(
        "`mcnemar({})` is {}: of {} rows that one model alone gets right, the candidate gets {better}, {} {asked} is {verb}",
        predicted.name,
        number_text(Unit::Share, p),
        better + worse,
        if holds { "and" } else { "but" },
    );
    Ok(Judged {
        value: Some(p),
        candidate: Some(numbers.0),
        baseline: Some(numbers.1),
        standing,
        reason,
        parts: Vec::new(),
    })
}

/// Returns how many rows the candidate alone gets right, how many the baseline alone, and the p-value.
fn discordant(pair: &Paired, metric: &Predicted) -> (u64, u64, f64) {
    let (mut better, mut worse) = (0, 0);
    let decisions = pair.candidate.decisions.iter().zip(&pair.baseline.decisions);
    for (label, (mine, theirs)) in pair.candidate.labels.iter().zip(decisions) {
        let looked_at = match metric.name {
            "recall" => *label,
            "specificity" => !*label,
            _ => true,
        };
        if looked_at && mine != theirs {
            *(if mine == label { &mut better } else { &mut worse }) += 1;
        }
    }
    (better, worse, binomial_half_upper(better, better + worse))
}
