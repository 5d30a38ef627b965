//! `size(train.model) <= 500MB`: the bytes of a file, or of all files of a folder.

use std::collections::BTreeMap;

use super::{Form, Kind, Signature, Takes};
use crate::types::{Type, Value};

pub(super) struct Size;

static SIGNATURE: Signature = Signature {
    name: "size",
    form: Form::Call,
    takes: Takes::Artifact,
    options: &[],
    direction: false,
    baseline: false,
    example: "require size(train.model) <= 500MB",
};

impl Kind for Size {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Bytes
    }
}
