//! `classes(label) >= 2`: how many different values a column has; a missing value is none.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::table_of;
use crate::gate::{Columns, Measure};
use crate::types::{Range, Type, Value};

pub(super) struct Classes;

static SIGNATURE: Signature = Signature {
    name: "classes",
    form: Form::Call,
    takes: Takes::Column,
    options: &[],
    direction: false,
    better: Better::Neither,
    baseline: false,
    against: Against::No,
    example: "require classes(label) >= 2",
};

impl Kind for Classes {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Int(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "different values".to_owned()
    }

    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        let table = table_of(measure)?;
        let summary = case.table(table)?;
        let Some(Columns::One(name)) = &table.columns else {
            return Err(Undecided::Error("`classes` names no column".to_owned()));
        };
        let Some(column) = summary.column(name) else {
            return Err(Undecided::Error(format!("there is no column `{name}`")));
        };
        let Some(classes) = column.classes else {
            return Err(Undecided::Error(format!("`{name}` has more than 10000 different values: it is no label")));
        };
        Ok(Measured { value: classes as f64, candidate: classes as f64, baseline: None })
    }
}
