//! `improvement(m)`: the negative of `regression(m)`, how much better than the baseline.

use std::collections::BTreeMap;

use super::regression::{OPTIONS, difference};
use super::{Form, Kind, Signature, Takes};
use crate::types::{Type, Value};

pub(super) struct Improvement;

static SIGNATURE: Signature = Signature {
    name: "improvement",
    form: Form::Call,
    takes: Takes::Metric,
    options: OPTIONS,
    direction: true,
    baseline: true,
    example: "warn improvement(auc_roc) >= 0.1%",
};

impl Kind for Improvement {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
        difference(subject, options)
    }
}
