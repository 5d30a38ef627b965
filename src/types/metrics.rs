//! Metrics types: what a `metrics` declaration says of each number.

use serde::{Deserialize, Serialize};

use super::{Direction, Type};

/// A `metrics` declaration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsType {
    /// The declared name.
    pub name: String,
    /// Its `##` comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// The metrics in the order written.
    pub metrics: Vec<Metric>,
}

impl MetricsType {
    /// Returns the metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}

/// One declared number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The declared name.
    pub name: String,
    /// `int`, `float`, `ratio`, `duration` or `bytes`, with its range.
    pub ty: Type,
    /// Which way it gets better; a regression needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Where it stands: a JSON pointer (RFC 6901) in a file, or a query in a live source. `/<name>` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What one unit of the number in the file is in the type's base unit (nanoseconds, bytes, shares):
    /// `unit ms` is 1e6. 1 if left out, but for a duration, which must say its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// JSON pointer to the number of rows it was measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
}

/// Returns the JSON pointer for a path as other tools write it: `$.train.rounds`, `losses[0].value`.
pub(crate) fn as_pointer(path: &str) -> String {
    let plain = path.trim_start_matches('$').replace(['.', '['], "/").replace(']', "");
    format!("/{}", plain.trim_start_matches('/'))
}

impl Metric {
    /// Returns the JSON pointer at which a file holds the number.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.from.clone().unwrap_or_else(|| format!("/{}", self.name))
    }
}
