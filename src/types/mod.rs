//! The types and values of the language, as every later phase shares them.
//!
//! Knows nothing of syntax: the checker makes these from what was written.

mod declared;
mod eval;
mod expr;
pub mod filter;
mod fit;
mod leg;
mod live;
mod metrics;
mod origin;
mod predictions;
mod schema;
mod value;
mod work;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use declared::{Location, REGISTRY_OWN, RegistryLocation, RuntimeKind, TriggerKind};
pub use eval::{Names, Nothing, evaluate, foreseen};
pub use expr::{BinaryOp, Context, EVENTS, Expr};
pub use fit::Misfit;
pub use leg::{InputKind, Leg};
pub use live::{
    Assignment, CredentialKind, FailAfter, LiveMeasure, LiveOf, Missing, Receiver, Silence, Strategy, Window,
};
pub(crate) use metrics::as_pointer;
pub use metrics::{Metric, MetricsType};
pub use origin::{Origin, companion};
pub use predictions::{PredictionsType, THRESHOLD};
pub use schema::{Column, Schema};
pub use value::{Value, duration_text, size_text};
pub use work::{Command, Interpreter, Isolation, Needs, Rerun, Retry, Why};

/// What the rows of a data set may be written as.
pub const DATASET_FORMATS: [&str; 3] = ["csv", "parquet", "jsonl"];

/// What a model's file may be; those that have a look of their own are looked at when a stage ends.
pub const MODEL_FORMATS: [&str; 24] = [
    "catboost",
    "coreml",
    "flax",
    "gguf",
    "h5",
    "joblib",
    "json",
    "keras",
    "lightgbm",
    "mlflow",
    "npz",
    "onnx",
    "openvino",
    "pickle",
    "pmml",
    "safetensors",
    "skops",
    "spark",
    "tensorflow",
    "tensorrt",
    "tflite",
    "torch",
    "torchscript",
    "xgboost",
];

/// A type of the language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A whole number, perhaps in a range.
    Int(Range),
    /// An f64, perhaps in a range.
    Float(Range),
    /// `true` or `false`.
    Bool,
    /// Any text.
    String,
    /// One of the listed texts.
    Enum(Vec<String>),
    /// A time span, in nanoseconds.
    Duration,
    /// A size, in bytes.
    Bytes,
    /// A share: 1 is 100 %, between 0 and 1 where no range is said.
    Ratio(Range),
    /// A point in time.
    Timestamp,
    /// A list of one element type.
    List(Box<Type>),
    /// Named fields in the order written.
    Record(Vec<(String, Type)>),
    /// The type or nothing.
    Optional(Box<Type>),
    /// A file or folder that passes between stages.
    Artifact(Artifact),
}

/// The type of a file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Artifact {
    /// Any file.
    File,
    /// Any folder.
    Dir,
    /// A `.tar`, `.tar.gz` or `.zip` file.
    Archive,
    /// A container image reference.
    Image,
    /// A table.
    Dataset {
        /// `csv`, `parquet` or `jsonl`; any if left out.
        format: Option<String>,
        /// Name of the declared schema.
        schema: Option<String>,
    },
    /// A trained model.
    Model {
        /// `onnx`, `torch`, `pickle`, `joblib`, …; any if left out.
        format: Option<String>,
    },
    /// Measured numbers, as JSON, of a declared `metrics` type.
    Metrics {
        /// Name of the declaration.
        name: String,
    },
    /// Per-row predictions, as CSV, with the columns that hold id, label and score.
    Predictions(PredictionsType),
    /// A JUnit XML file.
    Tests,
    /// Anything people read.
    Report,
    /// A picture or the numbers behind one.
    Plot,
}

/// A range of numbers; a bound that is left out is open.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Range {
    /// Lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Bound>,
    /// Upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Bound>,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// Where the range ends.
    pub at: f64,
    /// Whether the end itself is left out (`>0.0`, `..<1.0`).
    pub open: bool,
}

impl Range {
    /// The range that holds every number.
    pub const ANY: Self = Self { low: None, high: None };

    /// A share: 0 to 1, the range of a `ratio` whose declaration says nothing else.
    pub const SHARE: Self =
        Self { low: Some(Bound { at: 0.0, open: false }), high: Some(Bound { at: 1.0, open: false }) };

    /// Every finite number, said: the range of a difference of ratios, for which saying nothing would be [`Self::SHARE`].
    pub const FINITE: Self =
        Self { low: Some(Bound { at: f64::MIN, open: false }), high: Some(Bound { at: f64::MAX, open: false }) };

    /// Returns the range of a `ratio` that was declared with this one.
    #[must_use]
    pub fn of_ratio(self) -> Self {
        if self == Self::ANY { Self::SHARE } else { self }
    }

    /// Tells whether `value` lies in the range; NaN lies in none.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        let above = self.low.is_none_or(|low| if low.open { value > low.at } else { value >= low.at });
        let below = self.high.is_none_or(|high| if high.open { value < high.at } else { value <= high.at });
        !value.is_nan() && above && below
    }
}

impl Artifact {
    /// Says why what stands somewhere is not of this type, as far as one look tells: whether it is a folder, and whether there is
    /// nothing in it, which only a `File` and a `Dir` may be.
    #[must_use]
    pub fn unlike(&self, folder: bool, empty: bool) -> Option<String> {
        let either = matches!(self, Self::Model { .. } | Self::Dataset { .. } | Self::Plot);
        match self {
            Self::Dir if folder => None,
            Self::Dir => Some("is a file; its type `Dir` wants a folder".to_owned()),
            _ if folder && !either => Some(format!("is a folder; its type `{self}` wants a file")),
            Self::File => None,
            _ if empty && folder => Some("is an empty folder".to_owned()),
            _ if empty => Some("is empty".to_owned()),
            _ => None,
        }
    }

    /// Tells whether an artifact of this type may stand where `wanted` is asked for.
    ///
    /// A `Dataset<csv>` is a `Dataset` is a `File`; everything but `Dir` and `Image` is a `File`.
    #[must_use]
    pub fn is_a(&self, wanted: &Self) -> bool {
        fn fits<T: PartialEq>(have: &Option<T>, want: &Option<T>) -> bool {
            want.is_none() || have == want
        }
        match (self, wanted) {
            (Self::Dataset { format, schema }, Self::Dataset { format: f, schema: s }) => {
                fits(format, f) && fits(schema, s)
            }
            (Self::Model { format }, Self::Model { format: f }) => fits(format, f),
            (Self::Predictions(_), Self::Predictions(wanted)) if *wanted == PredictionsType::default() => true,
            (have, Self::File) => !matches!(have, Self::Dir | Self::Image),
            (have, want) => have == want,
        }
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("File"),
            Self::Dir => f.write_str("Dir"),
            Self::Archive => f.write_str("Archive"),
            Self::Image => f.write_str("Image"),
            Self::Dataset { format: None, .. } => f.write_str("Dataset"),
            Self::Dataset { format: Some(format), schema: None } => write!(f, "Dataset<{format}>"),
            Self::Dataset { format: Some(format), schema: Some(schema) } => write!(f, "Dataset<{format}, {schema}>"),
            Self::Model { format: None } => f.write_str("Model"),
            Self::Model { format: Some(format) } => write!(f, "Model<{format}>"),
            Self::Metrics { name } => write!(f, "Metrics<{name}>"),
            Self::Predictions(_) => f.write_str("Predictions"),
            Self::Tests => f.write_str("Tests"),
            Self::Report => f.write_str("Report"),
            Self::Plot => f.write_str("Plot"),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(low) = self.low {
            write!(f, "{}{}", if low.open { ">" } else { "" }, low.at)?;
        }
        f.write_str("..")?;
        match self.high {
            Some(high) => write!(f, "{}{}", if high.open { "<" } else { "" }, high.at),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranged = |f: &mut fmt::Formatter<'_>, name: &str, range: &Range| {
            if *range == Range::ANY || *range == Range::FINITE {
                f.write_str(name)
            } else {
                write!(f, "{name} in {range}")
            }
        };
        match self {
            Self::Int(range) => ranged(f, "int", range),
            Self::Float(range) => ranged(f, "float", range),
            Self::Ratio(range) => ranged(f, "ratio", range),
            Self::Bool => f.write_str("bool"),
            Self::String => f.write_str("string"),
            Self::Enum(texts) => {
                let quoted: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
                f.write_str(&quoted.join(" | "))
            }
            Self::Duration => f.write_str("duration"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::List(element) => write!(f, "[{element}]"),
            Self::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
                write!(f, "{{ {} }}", fields.join(", "))
            }
            Self::Optional(inner) => write!(f, "{inner}?"),
            Self::Artifact(artifact) => artifact.fmt(f),
        }
    }
}

/// Which way a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Direction {
    /// Returns d of the regression formula: +1 where higher is better, −1 where lower is.
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Self::Higher => 1.0,
            Self::Lower => -1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_their_ends_unless_open() {
        let unit = Range { low: Some(Bound { at: 0.0, open: true }), high: Some(Bound { at: 1.0, open: false }) };
        assert!(!unit.holds(0.0) && unit.holds(1.0) && unit.holds(0.5) && !unit.holds(1.1));
        assert!(!Range::ANY.holds(f64::NAN));
    }

    #[test]
    fn a_csv_dataset_is_a_dataset_is_a_file_and_not_the_reverse() {
        let csv = Artifact::Dataset { format: Some("csv".into()), schema: None };
        let any = Artifact::Dataset { format: None, schema: None };
        assert!(csv.is_a(&any) && any.is_a(&Artifact::File) && csv.is_a(&Artifact::File));
        assert!(!any.is_a(&csv) && !Artifact::Dir.is_a(&Artifact::File) && !Artifact::File.is_a(&any));
    }
}
