//! `psi(col|*) < 0.1 against "file"`: the population stability index, Σ (Q − P)·ln(Q/P) over the baseline's bins.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Opt, OptType, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::{Decided, Drifted, Pair, ceiling, judge, share, within};
use crate::gate::judged::{Judged, Standing};
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::stats;
use crate::types::{Range, Type, Value};

pub(super) struct Psi;

static SIGNATURE: Signature = Signature {
    name: "psi",
    form: Form::Call,
    takes: Takes::Columns,
    options: OPTIONS,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::Must,
    example: "require psi(*) < 0.1 against \"configs/train.baseline.json\"",
};

/// Options of drift that is tested.
pub(super) static OPTIONS: &[Opt] =
    &[Opt { name: "alpha", ty: OptType::Share }, Opt { name: "except", ty: OptType::Names }];

impl Kind for Psi {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Float(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, measure: &Measure) -> String {
        let formula = "sum (q - p) ln(q / p), shares of at least 1e-6";
        match share(measure, "alpha") {
            Some(alpha) => format!("{formula}; tested at {alpha}, Holm"),
            None => formula.to_owned(),
        }
    }

    fn judge(
        &self,
        case: &Case<'_>,
        requirement: &Requirement,
        limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        let alpha = share(&requirement.measure, "alpha");
        let drift = |pair: &Pair<'_>| {
            let (reference, current) = pair.bins()?;
            let value = stats::psi(&reference, &current);
            let name = &pair.frozen.name;
            let unclear = match alpha {
                None => {
                    let noise = stats::psi_noise(&reference, &current);
                    ceiling(limit).filter(|at| noise > at / 2.0).map(|at| {
                        format!(
                            "`psi({name})` is {value}, but chance alone gives about {noise} with so few rows, more than half \
                             of {at}: take more rows, or test it with `alpha`"
                        )
                    })
                }
                Some(_) => too_few(name, &reference, &current),
            };
            Some(Drifted { value, p: alpha.map(|_| stats::psi_p(&reference, &current)), unclear })
        };
        let decide = |drifted: &Drifted, p: f64| match alpha {
            Some(alpha) if drifted.unclear.is_none() => {
                let drifts = p < alpha && (limit.is_none() || !within(limit, drifted.value));
                let why = || format!("the index is {}, which chance gives with p = {p} (below {alpha})", drifted.value);
                let standing = if drifts { Standing::Fails } else { Standing::Holds };
                Decided { standing, value: drifted.value, reason: drifts.then(why).filter(|_| limit.is_none()) }
            }
            _ => Decided::plain(drifted, limit),
        };
        Some(judge(case, requirement, limit, has_bins, &drift, &decide))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}

/// Tells whether a column of a baseline has bins.
pub(super) fn has_bins(kind: &crate::data::Kind) -> bool {
    !matches!(kind, crate::data::Kind::Open {})
}

/// Says that there are fewer than five rows a bin: the chi-square distribution needs them.
fn too_few(name: &str, reference: &[u64], current: &[u64]) -> Option<String> {
    let bins = reference.iter().zip(current).filter(|(one, other)| **one + **other > 0).count() as u64;
    let rows: u64 = current.iter().sum::<u64>().min(reference.iter().sum());
    (rows < 5 * bins).then(|| format!("`psi({name})` is of {rows} rows in {bins} bins, fewer than five a bin"))
}
