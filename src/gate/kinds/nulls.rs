//! `nulls(col|*) <= 5%`: the share of rows without a value.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::{columns, conclude, table_of, within};
use crate::gate::judged::{Judged, Part, Standing};
use crate::gate::report::Limit;
use crate::gate::{Measure, Requirement};
use crate::types::{Range, Type, Value};

pub(super) struct Nulls;

static SIGNATURE: Signature = Signature {
    name: "nulls",
    form: Form::Call,
    takes: Takes::Columns,
    options: super::chi2::EXCEPT,
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::No,
    example: "require nulls(*) <= 5%",
};

impl Kind for Nulls {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, _: &Case<'_>, _: &Measure) -> String {
        "rows without a value / rows".to_owned()
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
    let table = table_of(&requirement.measure)?;
    let summary = case.table(table)?;
    if summary.rows == 0 {
        return Err(Undecided::Inconclusive("there are no rows under the header".to_owned()));
    }
    let mut standings = Vec::new();
    let parts = columns(table, summary, None).into_iter().map(|name| {
        let found = summary.column(&name);
        let value = found.map(|column| column.nulls as f64 / summary.rows as f64);
        let standing = match value {
            None => Standing::Wrong,
            Some(value) if within(limit, value) => Standing::Holds,
            Some(_) => Standing::Fails,
        };
        standings.push(standing);
        let reason = value.is_none().then(|| format!("there is no column `{name}`"));
        Part { name, value, limit: None, p: None, n: None, verdict: standing.outcome(requirement.level), reason }
    });
    let parts: Vec<Part> = parts.collect();
    if parts.is_empty() {
        return Err(Undecided::Error("there is no column left to look at".to_owned()));
    }
    Ok(conclude(requirement, limit, parts, &standings))
}
