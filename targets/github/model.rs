//! A workflow file as GitHub reads it: as much of the format as jobs use, in the order in which people write it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize as Read, Serialize as Derive};

pub(super) use crate::emit::Noted;

/// A map in the order given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entries<V>(pub(super) Vec<(String, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Entries<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    pub(super) fn push(&mut self, key: impl Into<String>, value: V) {
        self.0.push((key.into(), value));
    }
}

impl<K: Into<String>, V, const N: usize> From<[(K, V); N]> for Entries<V> {
    fn from(entries: [(K, V); N]) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl<V: Serialize> Serialize for Entries<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Read<V> {
            type Value = Entries<V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Entries::default();
                while let Some((key, value)) = map.next_entry::<String, V>()? {
                    entries.push(key, value);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Read(std::marker::PhantomData))
    }
}

/// A whole workflow.
#[derive(Debug, Derive)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Workflow {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_name: Option<Noted<String>>,
    pub(super) on: On,
    /// Nothing: each job says what it may.
    pub(super) permissions: Noted<Entries<String>>,
    pub(super) concurrency: Concurrency,
    pub(super) env: Entries<Noted<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) defaults: Option<Defaults>,
    pub(super) jobs: Noted<Entries<Noted<Job>>>,
}

/// What starts it.
#[derive(Debug, Default, Derive)]
pub(super) struct On {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) push: Option<Filter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull_request: Option<Filter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) schedule: Vec<Cron>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repository_dispatch: Option<Dispatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workflow_call: Option<Called>,
    pub(super) workflow_dispatch: Manual,
}

/// Branches and paths of a push or a pull request.
#[derive(Debug, Default, Derive)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) branches: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<String>,
}

/// A time.
#[derive(Debug, Derive)]
pub(super) struct Cron {
    pub(super) cron: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
}

/// Named events from outside.
#[derive(Debug, Derive)]
pub(super) struct Dispatch {
    pub(super) types: Vec<String>,
}

/// A person.
#[derive(Debug, Default, Derive)]
pub(super) struct Manual {
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub(super) inputs: Entries<Input>,
}

/// Another workflow.
#[derive(Debug, Default, Derive)]
pub(super) struct Called {
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub(super) inputs: Entries<Input>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub(super) secrets: Entries<CallSecret>,
}

/// A secret that a caller has to hand on.
#[derive(Debug, Derive)]
pub(super) struct CallSecret {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) required: bool,
}

/// A typed input of a run that a person or another workflow starts.
#[derive(Debug, Derive)]
pub(super) struct Input {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) required: bool,
    #[serde(rename = "type")]
    pub(super) ty: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) options: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<Preset>,
}

/// A default, as the input's type wants it.
#[derive(Debug, Derive)]
#[serde(untagged)]
pub(super) enum Preset {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// Which runs keep each other out.
#[derive(Debug, Derive)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Concurrency {
    pub(super) group: String,
    pub(super) cancel_in_progress: Flag,
}

/// A truth value, or an expression for one.
#[derive(Debug, Derive)]
#[serde(untagged)]
pub(super) enum Flag {
    Fixed(bool),
    Expression(String),
}

/// Settings of every `run:`.
#[derive(Debug, Derive)]
pub(super) struct Defaults {
    pub(super) run: RunDefaults,
}

/// Settings of every `run:`.
#[derive(Debug, Derive)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RunDefaults {
    pub(super) working_directory: String,
}

/// A job.
#[derive(Debug, Derive)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Job {
    pub(super) name: String,
    #[serde(skip_serializing_if = "nothing_needed")]
    pub(super) needs: Noted<Vec<String>>,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    pub(super) runs_on: Noted<Labels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
    pub(super) permissions: Entries<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) concurrency: Option<Concurrency>,
    pub(super) timeout_minutes: u64,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub(super) env: Entries<String>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub(super) services: Entries<Service>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub(super) outputs: Entries<String>,
    pub(super) steps: Vec<Noted<Step>>,
}

fn nothing_needed(needs: &Noted<Vec<String>>) -> bool {
    needs.value.is_empty()
}

/// What a runner must be.
#[derive(Debug, Clone, PartialEq, Derive)]
#[serde(untagged)]
pub(super) enum Labels {
    One(String),
    All(Vec<String>),
}

/// A container that runs beside a job.
#[derive(Debug, Clone, PartialEq, Derive, Read)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) credentials: Option<Login>,
    #[serde(default, skip_serializing_if = "Entries::is_empty", deserialize_with = "variables")]
    pub(super) env: Entries<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "ports")]
    pub(super) ports: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) volumes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<String>,
}

/// Who may fetch an image.
#[derive(Debug, Clone, PartialEq, Derive, Read)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: String,
}

/// A step.
#[derive(Debug, Clone, Default, Derive, Read)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Step {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) uses: Option<Noted<String>>,
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    pub(super) with: Entries<With>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shell: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) working_directory: Option<String>,
    #[serde(default, skip_serializing_if = "Entries::is_empty", deserialize_with = "variables")]
    pub(super) env: Entries<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) continue_on_error: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout_minutes: Option<u64>,
}

/// An argument of an action.
#[derive(Debug, Clone, PartialEq, Derive)]
#[serde(untagged)]
pub(super) enum With {
    Bool(bool),
    Int(i64),
    Text(String),
}

impl From<&str> for With {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for With {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for With {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'de> Deserialize<'de> for With {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = With;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a whole number or a truth value")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<With, E> {
                Ok(With::Bool(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<With, E> {
                Ok(With::Int(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<With, E> {
                i64::try_from(value)
                    .map(With::Int)
                    .map_err(|_| E::custom("the number is too large; write it in quotes"))
            }

            // `3.10` would become 3.1 on the way.
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<With, E> {
                Err(E::custom("a number with a fraction loses its zeros; write it in quotes"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<With, E> {
                Ok(With::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// Reads variables: GitHub makes a text of every value.
pub(super) fn variables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Entries<String>, D::Error> {
    let read = Entries::<With>::deserialize(deserializer)?;
    Ok(Entries(read.0.into_iter().map(|(name, value)| (name, value.text())).collect()))
}

fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<With>::deserialize(deserializer)?.into_iter().map(With::text).collect())
}

impl With {
    fn text(self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Text(text) => text,
        }
    }
}
