//! `rows >= 1000`, `rows between 0.5x..2x against "file"`: how many rows there are, or how many times those of a baseline.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::Measure;
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::table_of;
use crate::types::{Range, Type, Value};

pub(super) struct Rows;

static SIGNATURE: Signature = Signature {
    name: "rows",
    form: Form::Word,
    takes: Takes::Table,
    options: &[],
    direction: false,
    better: Better::Neither,
    baseline: false,
    against: Against::May,
    example: "require rows >= 1000",
};

impl Kind for Rows {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, options: &BTreeMap<String, Value>) -> Type {
        if options.contains_key("relative") { Type::Float(Range::ANY) } else { Type::Int(Range::ANY) }
    }

    fn formula(&self, _: &Case<'_>, measure: &Measure) -> String {
        let relative = measure.options.contains_key("relative");
        if relative { "rows / rows of the baseline".to_owned() } else { "rows".to_owned() }
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let table = table_of(measure)?;
        let rows = case.table(table)?.rows as f64;
        match &table.against {
            None if table.by_reference => Err(Undecided::Error("nobody measured the reference".to_owned())),
            None => Ok(Measured { value: rows, candidate: rows, baseline: None }),
            Some(path) => {
                let before = case.frozen(path)?.rows as f64;
                Ok(Measured { value: rows / before, candidate: rows, baseline: Some(before) })
            }
        }
    }
}
