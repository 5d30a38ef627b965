//! `size(train.model) <= 500MB`: the bytes of a file, or of all files of a folder.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::types::{Type, Value};

pub(super) struct Size;

static SIGNATURE: Signature = Signature {
    name: "size",
    form: Form::Call,
    takes: Takes::Artifact,
    options: &[],
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require size(train.model) <= 500MB",
};

impl Kind for Size {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Bytes
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "bytes of all files".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let none = || Undecided::Error("`size` names no artifact".to_owned());
        let bytes = case.size(measure.artifact.as_ref().ok_or_else(none)?)?;
        Ok(Measured { value: bytes as f64, candidate: bytes as f64, baseline: None })
    }
}
