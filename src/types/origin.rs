//! Names of the things that pass between nodes, in the form in which users write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where an artifact comes from. Serialised as it is written: `raw`, `train.model`, `models@production`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A declared source.
    Source(String),
    /// An output of a stage.
    Output {
        /// The stage's node name.
        stage: String,
        /// The output's name.
        output: String,
    },
    /// What a registry's pointer names.
    Pointer {
        /// The registry's name.
        registry: String,
        /// The pointer's name; `production/encoder` is what was registered as `encoder` with the model that it names.
        pointer: String,
    },
}

impl Origin {
    /// Makes the origin `stage.output`.
    pub fn output(stage: impl Into<String>, output: impl Into<String>) -> Self {
        Self::Output { stage: stage.into(), output: output.into() }
    }

    /// Returns the stage that makes it, if a stage does.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        match self {
            Self::Output { stage, .. } => Some(stage),
            Self::Source(_) | Self::Pointer { .. } => None,
        }
    }
}

/// Splits a pointer into its name and, for what was registered with the model, the name of that.
#[must_use]
pub fn companion(pointer: &str) -> (&str, Option<&str>) {
    match pointer.split_once('/') {
        Some((pointer, with)) => (pointer, Some(with)),
        None => (pointer, None),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(name) => f.write_str(name),
            Self::Output { stage, output } => write!(f, "{stage}.{output}"),
            Self::Pointer { registry, pointer } => write!(f, "{registry}@{pointer}"),
        }
    }
}

impl FromStr for Origin {
    type Err = std::convert::Infallible;

    // A derived stage's name holds an `@` of its own (`evaluate@quality.report`), so the last dot decides first.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((stage, output)) = text.rsplit_once('.') {
            return Ok(Self::output(stage, output));
        }
        Ok(match text.split_once('@') {
            Some((registry, pointer)) => Self::Pointer { registry: registry.to_owned(), pointer: pointer.to_owned() },
            None => Self::Source(text.to_owned()),
        })
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_read_back_as_written() {
        for text in [
            "raw",
            "train.model",
            "models@production",
            "models@production/encoder",
            "evaluate@quality.report",
            "train[nord,1].model",
        ] {
            let origin: Origin = text.parse().unwrap_or_else(|never| match never {});
            assert_eq!(origin.to_string(), text);
        }
        assert_eq!("evaluate@quality.report".parse(), Ok(Origin::output("evaluate@quality", "report")));
    }
}
