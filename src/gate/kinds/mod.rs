//! The kinds of requirement: one file each, and one line in the list under the trait.
//!
//! A kind says what may be written (its signature, used by the checker) and computes the number (used by the
//! evaluation). It knows neither files nor registries.

mod chi2;
mod ci;
mod classes;
mod delong;
mod demographic_parity;
pub(crate) mod drifted;
mod equal_opportunity;
mod equalised_odds;
mod gap;
mod improvement;
mod js;
mod ks;
mod lower;
mod mcnemar;
mod mean;
mod metric;
mod nulls;
mod psi;
mod ratio;
pub(super) mod regression;
mod rows;
mod schema;
mod signature;
mod size;
mod stddev;
mod tests;
mod upper;
mod wasserstein;

use std::collections::BTreeMap;

use super::case::{Case, Undecided};
use super::judged::Judged;
use super::report::Limit;
use super::{Measure, MetricRef, Requirement};
use crate::types::{Type, Value};

pub use signature::{
    Against, Better, Form, Opt, OptType, Signature, Takes, forgets_percent, is_percent, limit_type, metric_range,
    tests_metric,
};

/// One kind of requirement.
pub trait Kind: Sync {
    /// What may be written: name, arguments, options, and what it needs of the gate and of the metric.
    fn signature(&self) -> &'static Signature;

    /// Returns the type of the number that comes out, which is the type that its limit must have.
    ///
    /// `subject` is the metric's type; kinds that take an artifact pass it over. `options` are as in
    /// [`Measure::options`](super::Measure::options): flags are `Bool(true)`.
    fn result(&self, subject: Option<&Type>, options: &BTreeMap<String, Value>) -> Type;

    /// Returns what is computed, for the report: `candidate`, `baseline - candidate`.
    fn formula(&self, case: &Case<'_>, measure: &Measure) -> String;

    /// Decides by itself, for kinds that look at several columns or groups or know when chance alone decides; `None` for
    /// those whose number alone is held against the limit.
    fn judge(
        &self,
        _case: &Case<'_>,
        _requirement: &Requirement,
        _limit: Option<Limit>,
    ) -> Option<Result<Judged, Undecided>> {
        None
    }

    /// Computes the number.
    ///
    /// # Errors
    /// The reason why there is none.
    fn evaluate(&self, case: &Case<'_>, measure: &Measure) -> Result<Measured, Undecided>;

    /// Returns by how much the baseline is worse now than what was registered with it, in the unit of the result;
    /// `None` for kinds that compare with none, and where nothing was registered.
    fn decline(&self, _case: &Case<'_>, _measure: &Measure) -> Option<f64> {
        None
    }
}

/// What a requirement measured, in base units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// What is held against the limit.
    pub value: f64,
    /// The candidate's number.
    pub candidate: f64,
    /// The baseline's number, where there is one.
    pub baseline: Option<f64>,
}

// One line for each file in this folder.
static ALL: &[&dyn Kind] = &[
    &chi2::ChiSquare,
    &ci::Interval,
    &classes::Classes,
    &delong::DeLong,
    &demographic_parity::DemographicParity,
    &drifted::DriftedShare,
    &equal_opportunity::EqualOpportunity,
    &equalised_odds::EqualisedOdds,
    &gap::Gap,
    &improvement::Improvement,
    &js::JensenShannon,
    &ks::KolmogorovSmirnov,
    &lower::Lower,
    &mcnemar::McNemar,
    &mean::Mean,
    &metric::Metric,
    &nulls::Nulls,
    &psi::Psi,
    &ratio::Ratio,
    &regression::Regression,
    &rows::Rows,
    &schema::Schema,
    &size::Size,
    &stddev::StdDev,
    &tests::Tests,
    &upper::Upper,
    &wasserstein::Wasserstein,
];

/// Iterates over all kinds in alphabetical order.
pub fn all() -> impl Iterator<Item = &'static dyn Kind> {
    ALL.iter().copied()
}

/// Returns the kind of this name: what stands before the parenthesis, or for a bare name `metric` or `tests`, by what it is of.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Kind> {
    all().find(|kind| kind.signature().name == name)
}

/// Fewer rows than this are too few to decide by.
static MIN_N: &[Opt] = &[Opt { name: "min_n", ty: OptType::Rows }];

/// Options of what goes by group.
static GROUPS: &[Opt] = &[Opt { name: "groups", ty: OptType::Groups }, Opt { name: "min_n", ty: OptType::Rows }];

/// Returns the metric that a kind reads; a plan without one was not made by the checker.
fn metric_of(measure: &Measure) -> Result<&MetricRef, Undecided> {
    let none = || Undecided::Error(format!("`{}` names no metric", measure.kind));
    measure.metric.as_ref().ok_or_else(none)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gate/kinds");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("the folder of this file")
            .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
            .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
            .filter(|name| name != "mod" && name != "signature")
            .collect();
        files.sort();
        let listed: Vec<_> = all().map(|kind| kind.signature().name.to_owned()).collect();
        assert_eq!(listed, files, "one file, one line, in alphabetical order");
    }

    #[test]
    fn the_result_of_a_comparison_has_the_unit_of_its_metric_or_is_a_share() {
        let regression = find("regression").expect("listed");
        let relative = BTreeMap::from([("relative".to_owned(), Value::Bool(true))]);
        assert_eq!(regression.result(Some(&Type::Duration), &BTreeMap::new()), Type::Duration);
        assert!(matches!(regression.result(Some(&Type::Duration), &relative), Type::Ratio(_)));
    }
}
