//! `drifted(psi(*) < 0.1) <= 30% against "file"`: the share of columns that a kind of drift finds changed.

use std::collections::BTreeMap;

use super::{Against, Better, Form, Kind, Measured, Signature, Takes};
use crate::gate::case::{Case, Undecided};
use crate::gate::drift::within;
use crate::gate::evaluate::asked;
use crate::gate::judged::{Judged, Standing};
use crate::gate::number::{Unit, number_text};
use crate::gate::report::{Limit, Outcome};
use crate::gate::{Bound, Compare, Level, Measure, Requirement};
use crate::types::{Range, Type, Value};

/// The option that names the kind of drift.
pub(crate) const BY: &str = "by";
/// The option that says how a column is compared, and the one that says with what; neither where the kind tests by itself.
pub(crate) const OP: &str = "op";
pub(crate) const AT: &str = "at";

pub(super) struct DriftedShare;

static SIGNATURE: Signature = Signature {
    name: "drifted",
    form: Form::Call,
    takes: Takes::Drift,
    options: &[],
    direction: false,
    better: Better::Lower,
    baseline: false,
    against: Against::Must,
    example: "require drifted(psi(*) < 0.1) <= 30% against \"configs/train.baseline.json\"",
};

impl Kind for DriftedShare {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn result(&self, _: Option<&Type>, _: &BTreeMap<String, Value>) -> Type {
        Type::Ratio(Range::ANY)
    }

    fn formula(&self, case: &Case<'_>, measure: &Measure) -> String {
        let of = by(measure).map_or_else(String::new, |kind| kind.formula(case, measure));
        format!("columns that drifted or can't be told / columns, by {of}")
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
        Err(Undecided::Error(format!("`{}` is over columns", measure.kind)))
    }
}

/// Tells whether a kind's number is small where nothing has changed; a p-value is large.
pub(crate) fn is_small_where_same(kind: &str) -> bool {
    kind != "chi2"
}

fn by(measure: &Measure) -> Option<&'static dyn Kind> {
    match measure.options.get(BY)? {
        Value::String(name) => super::find(name).filter(|kind| kind.signature().takes == Takes::Columns),
        _ => None,
    }
}

/// Returns what each column is held against; none where the kind tests by itself.
fn inner_limit(measure: &Measure) -> Result<Option<Limit>, Undecided> {
    let Some(at) = measure.options.get(AT) else { return Ok(None) };
    let op = [Compare::Less, Compare::AtMost, Compare::AtLeast, Compare::Greater]
        .into_iter()
        .find(|op| matches!(measure.options.get(OP), Some(Value::String(sign)) if sign == op.sign()));
    let none = || Undecided::Error("it does not say when a column has drifted".to_owned());
    Ok(Some(Limit::Compare { op: op.ok_or_else(none)?, at: at.number().ok_or_else(none)? }))
}

/// Counts the columns. One that can't be decided may have drifted, so that the line holds only where it would even then; one
/// that can't be compared at all is an error of the line.
fn judge(case: &Case<'_>, requirement: &Requirement, limit: Option<Limit>) -> Result<Judged, Undecided> {
    let measure = &requirement.measure;
    let kind = by(measure).ok_or_else(|| Undecided::Error("it names no kind of drift".to_owned()))?;
    let mut column = measure.clone();
    kind.signature().name.clone_into(&mut column.kind);
    column.ty = kind.result(None, &column.options);
    let each = inner_limit(measure)?;
    let line = Requirement { level: Level::Warn, text: requirement.text.clone(), measure: column, bound: Bound::Holds };
    let nothing = || Undecided::Error(format!("`{}` decides no column", kind.signature().name));
    let mut judged = kind.judge(case, &line, each).ok_or_else(nothing)??;
    let of = |outcome: Outcome| judged.parts.iter().filter(move |part| part.verdict == outcome);
    let names = |outcome: Outcome| of(outcome).map(|part| format!("`{}`", part.name)).collect::<Vec<_>>().join(", ");
    let all = judged.parts.len() as f64;
    let (drifted, unclear) = (of(Outcome::Warn).count(), of(Outcome::Inconclusive).count());
    let told = of(Outcome::Pass).count() + drifted + unclear;
    // A line over no column, or over one that came out in another way, tells nothing.
    if told < judged.parts.len() || judged.parts.is_empty() {
        judged.standing = Standing::Wrong;
        judged.value = None;
        return Ok(judged);
    }
    let (least, most) = (drifted as f64 / all, (drifted + unclear) as f64 / all);
    let standing = match (within(limit, most), within(limit, least)) {
        (true, _) => Standing::Holds,
        (false, true) => Standing::Unclear,
        (false, false) => Standing::Fails,
    };
    let unit = Unit::of(&measure.ty);
    let verb = if requirement.level == Level::Require { "required" } else { "hoped for" };
    let wanted = limit.map_or_else(String::new, |limit| format!("{} is {verb}", asked(limit, unit)));
    let mut reason = format!("{drifted} of {} columns drifted", judged.parts.len());
    if drifted > 0 {
        reason += &format!(" ({})", names(Outcome::Warn));
    }
    if unclear > 0 {
        reason += &format!(", and {unclear} can't be decided ({})", names(Outcome::Inconclusive));
    }
    reason += &match standing {
        Standing::Holds => format!(": {} at most, and {wanted}", number_text(unit, most)),
        Standing::Unclear => {
            format!(": between {} and {}, where {wanted}", number_text(unit, least), number_text(unit, most))
        }
        _ => format!(": {} at least, but {wanted}", number_text(unit, least)),
    };
    let value = if standing == Standing::Fails { least } else { most };
    Ok(Judged { value: Some(value), candidate: None, baseline: None, standing, reason, parts: judged.parts })
}
