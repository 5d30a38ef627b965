//! The value tree that is written as YAML. Every node may carry comments; maps keep the order they were built in.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

/// A YAML value without its comments.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A 64-bit float, never written in a way that reads as a whole number.
    Float(f64),
    /// Text, quoted where needed.
    Str(String),
    /// A list.
    Seq(Vec<Yaml>),
    /// A map, in the order given.
    Map(Vec<Entry>),
}

/// A node: a value and how it is presented.
#[derive(Debug, Clone, PartialEq)]
pub struct Yaml {
    /// The value.
    pub value: Value,
    /// Comment lines over the entry that holds this node.
    pub before: Vec<String>,
    /// Comment at the end of the entry's first line.
    pub end: Option<String>,
    /// Whether an empty line stands over the entry.
    pub gap: bool,
    /// Whether a list or map is written on one line, `[a, b]`. Comments inside it are lost.
    pub flow: bool,
}

/// One key of a map with its node.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, quoted by the same rule as values.
    pub key: String,
    /// Written without quotes even where a reader of YAML 1.1 takes it for something else.
    pub plain_key: bool,
    /// What the key stands for.
    pub node: Yaml,
}

/// One step of a path into a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The entry with this key.
    Key(&'a str),
    /// The item at this index.
    Item(usize),
}

impl Yaml {
    /// Makes a node without comments.
    #[must_use]
    pub fn new(value: Value) -> Self {
        Self { value, before: Vec::new(), end: None, gap: false, flow: false }
    }

    /// Makes a text node.
    #[must_use]
    pub fn str(text: impl Into<String>) -> Self {
        Self::new(Value::Str(text.into()))
    }

    /// Makes a list node.
    #[must_use]
    pub fn seq(items: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Value::Seq(items.into_iter().collect()))
    }

    /// Makes a map node.
    #[must_use]
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entry = |(key, node): (K, Self)| Entry { key: key.into(), plain_key: false, node };
        Self::new(Value::Map(entries.into_iter().map(entry).collect()))
    }

    /// Returns the node at `path`, if it is there.
    pub fn at(&mut self, path: &[Step<'_>]) -> Option<&mut Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let next = match (&mut self.value, *first) {
            (Value::Map(entries), Step::Key(key)) => &mut entries.iter_mut().find(|entry| entry.key == key)?.node,
            (Value::Seq(items), Step::Item(index)) => items.get_mut(index)?,
            _ => return None,
        };
        next.at(rest)
    }

    /// Writes `key` of this map without quotes: for GitHub's `on`, which its reader and every person write plain.
    pub fn plain_key(&mut self, key: &str) {
        if let Value::Map(entries) = &mut self.value {
            entries.iter_mut().filter(|entry| entry.key == key).for_each(|entry| entry.plain_key = true);
        }
    }
}

/// A value in a serde model that brings its comments along.
///
/// The emitter's serializer unpacks it; any other serializer sees a struct.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted<T> {
    /// The value itself.
    pub value: T,
    /// Comment lines over the entry.
    pub before: Vec<String>,
    /// Comment at the end of the entry's line.
    pub end: Option<String>,
    /// Whether an empty line stands over the entry.
    pub gap: bool,
    /// Whether a list or map is written on one line.
    pub flow: bool,
}

/// The struct name by which the serializer knows a [`Noted`].
pub(super) const NOTED: &str = "\0mlpc::emit::Noted";

impl<T> Noted<T> {
    /// Makes a value without comments.
    pub fn new(value: T) -> Self {
        Self { value, before: Vec::new(), end: None, gap: false, flow: false }
    }

    /// Makes a list or map that is written on one line.
    pub fn flow(value: T) -> Self {
        Self { flow: true, ..Self::new(value) }
    }

    /// Adds a comment line over the entry.
    #[must_use]
    pub fn before(mut self, line: impl Into<String>) -> Self {
        self.before.push(line.into());
        self
    }

    /// Sets the comment at the end of the line.
    #[must_use]
    pub fn end(mut self, text: impl Into<String>) -> Self {
        self.end = Some(text.into());
        self
    }

    /// Puts an empty line over the entry.
    #[must_use]
    pub fn gap(mut self) -> Self {
        self.gap = true;
        self
    }
}

impl<T: Serialize> Serialize for Noted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut noted = serializer.serialize_struct(NOTED, 5)?;
        noted.serialize_field("before", &self.before)?;
        noted.serialize_field("end", &self.end)?;
        noted.serialize_field("gap", &self.gap)?;
        noted.serialize_field("flow", &self.flow)?;
        noted.serialize_field("value", &self.value)?;
        noted.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Noted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}
