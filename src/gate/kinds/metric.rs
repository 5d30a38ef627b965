//! `auc_roc >= 85%`: a measured number as it is.

use std::collections::BTreeMap;

use super::{Form, Kind, Signature, Takes};
use crate::types::{Range, Type, Value};

pub(super) struct Metric;

static SIGNATURE: Signature = Signature {
    name: "metric",
    form: Form::Bare,
    takes: Takes::Metric,
    options: &[],
    direction: false,
    baseline: false,
    example: "require auc_roc >= 85%",
};

impl Kind for Metric {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, subject: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        subject.cloned().unwrap_or(Type::Float(Range::ANY))
    }
}
