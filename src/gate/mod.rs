//! Gates: what is required of measured numbers, and the verdict.
//!
//! Pure: evidence comes in as values ([`Facts`]), a [`Report`] goes out as a value. Knows neither files nor registries.

pub(crate) mod baseline_file;
mod case;
mod computed;
mod diagnosis;
mod drift;
mod evaluate;
mod facts;
mod judged;
pub mod json;
pub mod junit;
pub mod kinds;
mod number;
mod paired;
pub mod predicted;
pub mod remark;
pub mod render;
mod report;
mod requirement;
pub(crate) mod sample;
mod slices;
mod survey;
mod verdict;

pub use baseline_file::{BASELINE_FORMAT, BaselineFile};
pub use case::{Case, Undecided};
pub use computed::{Computed, computed};
pub use diagnosis::{Cause, Diagnosis};
pub use evaluate::{About, evaluate, is_measurable, is_read};
pub use facts::{Champion, Facts, Found};
pub use judged::{Judged, Part, Standing};
pub use number::{Unit, change_text, number_text};
pub use predicted::{predicted as predictions_wanted, read_predictions};
pub use report::{
    Admitted, Compared, Decision, FORMAT, Input, Limit, Line, Outcome, Override, Position, Registered, Report, SCHEMA,
    State,
};
pub use requirement::{
    Baseline, BaselineEvidence, Bound, Columns, Compare, Evidence, Gate, Groups, Level, Measure, MetricRef, OnMissing,
    Requirement, TableRef,
};
pub use survey::{format, references, survey, surveyed};
pub use verdict::Verdict;

#[cfg(test)]
mod tests;
