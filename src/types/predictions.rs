//! The type of predictions: which column holds what.

use serde::{Deserialize, Serialize};

/// From this score on a row counts as decided 1, where a type says nothing else.
pub const THRESHOLD: f64 = 0.5;

/// `Predictions { id: "row_id", label: "y", score: "p" }`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PredictionsType {
    /// The column that says which row of the data it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The column with what is true: 0 or 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// The column with a probability or a raw score of class 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<String>,
    /// The column with the class that was decided: 0 or 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prediction: Option<String>,
    /// From this score on a row is decided 1; finite. None means [`THRESHOLD`], of scores that are probabilities.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<f64>,
}

// A threshold is a finite number, never NaN.
impl Eq for PredictionsType {}

impl PredictionsType {
    /// Iterates over the columns that it names, with what each is.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named =
            [("id", &self.id), ("label", &self.label), ("score", &self.score), ("prediction", &self.prediction)];
        named.into_iter().filter_map(|(what, name)| Some((what, name.as_deref()?)))
    }
}
