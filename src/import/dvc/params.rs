//! Parameters: one declaration for each value that a stage names or a command is made of.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::names::{Taken, word};
use super::template::Origin;
use super::text::{number, quote};
use super::{path, yaml};

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) ty: &'static str,
    /// What stands behind the type: `from "…" at "…"` or `= …`.
    pub(super) rest: String,
}

/// Every parameter that was asked for, in the order of asking.
#[derive(Debug, Default)]
pub(super) struct Params {
    pub(super) declared: Vec<Declared>,
    by_origin: BTreeMap<String, String>,
    /// What stages call their outputs: a parameter that a stage uses is beside them.
    pub(super) outputs: BTreeSet<String>,
}

/// Returns the type of a value that a parameter can hold and a script can read.
pub(super) fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("bool"),
        Value::Number(number) if number.is_i64() => Some("int"),
        Value::Number(number) if number.as_f64().is_some_and(f64::is_finite) => Some("float"),
        Value::String(text) if !text.contains(['\n', '\r']) => Some("string"),
        _ => None,
    }
}

impl Params {
    /// Returns the name of the parameter that holds a value; nothing where none can.
    pub(super) fn name(
        &mut self,
        origin: &Origin,
        value: &Value,
        workspace: &str,
        taken: &mut Taken,
    ) -> Option<String> {
        let ty = type_of(value)?;
        let (keys, rest) = match origin {
            Origin::File { file, keys } => {
                if !path::is_in(file, workspace) {
                    return None;
                }
                let pointer: String =
                    keys.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
                (keys, format!("from {} at {}", quote(path::from(file, workspace)), quote(&pointer)))
            }
            Origin::Vars(keys) => (keys, format!("= {}", literal(value)?)),
            Origin::Item(_) => return None,
        };
        let key = format!("{} {rest}", keys.join("."));
        if let Some(name) = self.by_origin.get(&key) {
            return Some(name.clone());
        }
        let long = keys.join("_");
        let mut candidates = vec![long.clone(), format!("{long}_param")];
        candidates.retain(|name| !self.outputs.contains(&word(name)));
        if candidates.is_empty() {
            candidates.push(format!("{long}_value"));
        }
        let name = taken.take(candidates.iter().map(String::as_str));
        self.by_origin.insert(key, name.clone());
        self.declared.push(Declared { name: name.clone(), ty, rest });
        Some(name)
    }
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(quote(text)),
        Value::Number(_) => number(&yaml::scalar(value)?),
        other => yaml::scalar(other),
    }
}
