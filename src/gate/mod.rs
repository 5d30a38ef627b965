//! Gates: what is required of measured numbers, and the verdict.
//!
//! Pure: evidence comes in as values, a report goes out as a value. Knows neither files nor registries.

pub mod kinds;
mod requirement;
mod verdict;

pub use requirement::{
    Baseline, BaselineEvidence, Bound, Compare, Evidence, Gate, Level, Measure, MetricRef, OnMissing, Requirement,
};
pub use verdict::Verdict;
