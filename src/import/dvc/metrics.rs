//! Metrics files that stand in the workspace, as declarations.

use serde_json::Value;

use super::names::{Taken, word};
use super::path;
use super::text::quote;
use crate::import::Files;

/// Declared types of metrics.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// Name and lines of each.
    pub(super) declared: Vec<(String, Vec<String>)>,
}

impl Metrics {
    /// Returns the name of the type that the numbers of a file have; nothing where it holds none or is not there.
    pub(super) fn of(&mut self, files: &dyn Files, path: &str, stage: &str, taken: &mut Taken) -> Option<String> {
        let json: Value = serde_json::from_str(&files.read(path)?).ok()?;
        let mut found = Vec::new();
        numbers(&json, &mut Vec::new(), &mut found);
        if found.is_empty() || found.len() > 40 {
            return None;
        }
        let mut names = Taken::default();
        let lines: Vec<String> = found
            .iter()
            .map(|keys| {
                let last = keys.last().map(String::as_str).unwrap_or_default();
                let long = keys.join("_");
                let name = names.take([last, &long]);
                if *keys == [name.clone()] {
                    format!("{name}: float")
                } else {
                    let pointer: String =
                        keys.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
                    format!("{name}: float from {}", quote(&pointer))
                }
            })
            .collect();
        if let Some((name, _)) = self.declared.iter().find(|(_, have)| *have == lines) {
            return Some(name.clone());
        }
        let name =
            camel(&taken.take([format!("{stage}_numbers").as_str(), &format!("{stage}_{}_numbers", path::stem(path))]));
        let name = name.strip_suffix("Numbers").map(|name| format!("{name}Metrics")).unwrap_or(name);
        self.declared.push((name.clone(), lines));
        Some(name)
    }
}

fn numbers(json: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match json {
        Value::Number(_) if !at.is_empty() => found.push(at.clone()),
        Value::Object(fields) => {
            for (key, value) in fields {
                at.push(key.clone());
                numbers(value, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

fn camel(name: &str) -> String {
    word(name)
        .split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        })
        .collect()
}
