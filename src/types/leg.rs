//! Legs of loops: which declaration a node comes from, and with which values of the loop variables.

use serde::{Deserialize, Serialize};

use super::{Type, Value};

/// Which leg of a loop a node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// The declared name.
    pub of: String,
    /// The loop variables with their values, in the order written.
    pub axes: Vec<(String, Value)>,
}

impl Leg {
    /// Returns the name of the leg's node: `train[nord,1]`.
    #[must_use]
    pub fn name(&self) -> String {
        let values: Vec<String> = self.axes.iter().map(|(_, value)| value.to_string()).collect();
        format!("{}[{}]", self.of, values.join(","))
    }
}

/// What an input's variable holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// The path of a file or folder.
    #[default]
    Artifact,
    /// The path of a file that holds the paths of all inputs of this name, one a line, in the order of the inputs.
    Listed,
    /// The text of a value of this type, which a stage read when it ended.
    Value(Type),
}

impl InputKind {
    /// Tells whether the input is a file or folder by itself.
    #[must_use]
    pub fn is_artifact(&self) -> bool {
        matches!(self, Self::Artifact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_named_by_its_values() {
        let axes = vec![("client".into(), Value::String("nord".into())), ("lr".into(), Value::Float(0.1))];
        assert_eq!(Leg { of: "train".into(), axes }.name(), "train[nord,0.1]");
    }
}
