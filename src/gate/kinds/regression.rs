//! `regression(m)` = d·(baseline − candidate): how much worse than the baseline, by the metric's own direction.
//! `relative` divides by the magnitude of the baseline.

use std::collections::BTreeMap;

use super::{Form, Kind, Opt, OptType, Signature, Takes};
use crate::types::{Range, Type, Value};

pub(super) struct Regression;

/// Options of both comparisons with a baseline.
pub(super) static OPTIONS: &[Opt] =
    &[Opt { name: "relative", ty: OptType::Flag }, Opt { name: "min_base", ty: OptType::Positive }];

static SIGNATURE: Signature = Signature {
    name: "regression",
    form: Form::Call,
    takes: Takes::Metric,
    options: OPTIONS,
    direction: true,
    baseline: true,
    example: "require regression(auc_roc, relative) <= 2%",
};

impl Kind for Regression {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
        difference(subject, options)
    }
}

/// Returns the type of a difference of two values of `subject`: its unit without its range, or a share.
pub(super) fn difference(subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
    match subject {
        _ if options.contains_key("relative") => Type::Ratio(Range::ANY),
        Some(Type::Int(_)) => Type::Int(Range::ANY),
        Some(Type::Ratio(_)) => Type::Ratio(Range::ANY),
        Some(Type::Duration) => Type::Duration,
        Some(Type::Bytes) => Type::Bytes,
        _ => Type::Float(Range::ANY),
    }
}
