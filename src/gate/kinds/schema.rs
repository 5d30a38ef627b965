//! `schema(Transactions)`: every column is there, and every cell is what the schema says.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::table_of;
use crate::gate::judged::{Judged, Part, Standing};
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::types::{Range, Type, Value};

pub(super) struct Schema;

static SIGNATURE: Signature = Signature {
    name: "schema",
    form: Form::Call,
    takes: Takes::Schema,
    options: &[],
    direction: false,
    better: Better::Neither,
    baseline: false,
    against: Against::No,
    example: "require schema(Transactions)",
};

impl Kind for Schema {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Int(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "cells that break it".to_owned()
    }

    fn judge(&self, case: &Case<'_>, requirement: &Requirement, _: Option<Limit>) -> Option<Result<Judged, Undecided>> {
        Some(judge(case, requirement))
    }

    fn evaluate(&self, _: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided> {
        Err(Undecided::Error(format!("`{}` has no single number", measure.kind)))
    }
}

fn judge(case: &Case<'_>, requirement: &Requirement) -> Result<Judged, Undecided> {
    let table = table_of(&requirement.measure)?;
    let summary = case.table(table)?;
    let none = || Undecided::Error("`schema` names no schema".to_owned());
    let schema = table.schema.as_ref().ok_or_else(none)?;
    let checked = summary.violations.iter().find(|(name, _)| *name == schema.name);
    let Some((name, found)) = checked else {
        return Err(Undecided::Error(format!("nobody held the table against `{}`", schema.name)));
    };
    if let Some(missing) = schema.columns.iter().find(|column| summary.column(&column.name).is_none()) {
        return Err(Undecided::Error(format!("there is no column `{}`, which `{name}` has", missing.name)));
    }
    if summary.rows == 0 {
        return Err(Undecided::Inconclusive("there are no rows under the header".to_owned()));
    }
    let cells: u64 = found.iter().map(|violation| violation.cells).sum();
    let standing = if cells == 0 { Standing::Holds } else { Standing::Fails };
    let parts = found.iter().map(|violation| Part {
        name: violation.column.clone(),
        value: Some(violation.cells as f64),
        limit: None,
        p: None,
        n: None,
        verdict: standing.outcome(requirement.level),
        reason: Some(violation.what.clone()),
    });
    let reason = match found.as_slice() {
        [] => format!("all {} rows are as `{name}` says", summary.rows),
        [only] => format!("{} in {}", only.what, rows(only.cells)),
        [first, rest @ ..] => {
            let more =
                if rest.len() == 1 { "1 more mistake".to_owned() } else { format!("{} more mistakes", rest.len()) };
            format!("{} in {}; {more}", first.what, rows(first.cells))
        }
    };
    Ok(Judged { value: Some(cells as f64), candidate: None, baseline: None, standing, reason, parts: parts.collect() })
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}
