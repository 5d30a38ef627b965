//! Serde values into the tree, keeping the order of fields. Comments come along in [`Noted`](super::Noted).

use std::fmt;

use serde::{Serialize, ser};

use super::tree::{Entry, NOTED, Value, Yaml};

/// Why a value has no YAML tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Returns the tree of `value`.
///
/// # Errors
/// When a map key is not text, a number or a truth value, or a whole number needs more than 127 bits.
pub fn to_node<T: Serialize + ?Sized>(value: &T) -> Result<Yaml, Error> {
    value.serialize(Tree)
}

struct Tree;

/// Collects the items of a list, or the one value of a variant.
struct Items {
    variant: Option<&'static str>,
    items: Vec<Yaml>,
}

/// Collects the entries of a map or struct.
struct Entries {
    name: &'static str,
    variant: Option<&'static str>,
    key: Option<String>,
    entries: Vec<Entry>,
}

fn entry(key: &str, node: Yaml) -> Entry {
    Entry { key: key.to_owned(), plain_key: false, node }
}

fn wrap(variant: Option<&'static str>, node: Yaml) -> Yaml {
    match variant {
        Some(variant) => Yaml::new(Value::Map(vec![entry(variant, node)])),
        None => node,
    }
}

impl Entries {
    fn new(name: &'static str, variant: Option<&'static str>, len: usize) -> Self {
        Self { name, variant, key: None, entries: Vec::with_capacity(len) }
    }

    fn finish(self) -> Result<Yaml, Error> {
        if self.name == NOTED {
            return unpack(self.entries);
        }
        Ok(wrap(self.variant, Yaml::new(Value::Map(self.entries))))
    }
}

/// Turns the fields of a `Noted` into the node with its comments. Comments of the inner value are kept after the outer ones.
fn unpack(fields: Vec<Entry>) -> Result<Yaml, Error> {
    let mut outer = Yaml::new(Value::Null);
    for Entry { key, node, .. } in fields {
        match (key.as_str(), node.value) {
            ("before", Value::Seq(lines)) => {
                for line in lines {
                    if let Value::Str(text) = line.value {
                        outer.before.push(text);
                    }
                }
            }
            ("end", Value::Str(text)) => outer.end = Some(text),
            ("gap", Value::Bool(gap)) => outer.gap = gap,
            ("flow", Value::Bool(flow)) => outer.flow = flow,
            ("value", value) => {
                outer.before.extend(node.before);
                outer.end = outer.end.or(node.end);
                outer.gap |= node.gap;
                outer.flow |= node.flow;
                outer.value = value;
            }
            _ => {}
        }
    }
    Ok(outer)
}

macro_rules! whole {
    ($($method:ident: $ty:ty),*) => {
        $(fn $method(self, v: $ty) -> Result<Yaml, Error> {
            Ok(Yaml::new(Value::Int(i128::from(v))))
        })*
    };
}

impl ser::Serializer for Tree {
    type Ok = Yaml;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    whole!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
           serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_u128(self, v: u128) -> Result<Yaml, Error> {
        let v = i128::try_from(v).map_err(|_| Error(format!("{v} needs more than 127 bits")))?;
        Ok(Yaml::new(Value::Int(v)))
    }

    fn serialize_bool(self, v: bool) -> Result<Yaml, Error> {
        Ok(Yaml::new(Value::Bool(v)))
    }

    fn serialize_f32(self, v: f32) -> Result<Yaml, Error> {
        self.serialize_f64(f64::from(v))
    }

    fn serialize_f64(self, v: f64) -> Result<Yaml, Error> {
        Ok(Yaml::new(Value::Float(v)))
    }

    fn serialize_char(self, v: char) -> Result<Yaml, Error> {
        Ok(Yaml::str(v))
    }

    fn serialize_str(self, v: &str) -> Result<Yaml, Error> {
        Ok(Yaml::str(v))
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Yaml, Error> {
        Ok(Yaml::seq(v.iter().map(|byte| Yaml::new(Value::Int(i128::from(*byte))))))
    }

    fn serialize_none(self) -> Result<Yaml, Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Yaml, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Yaml, Error> {
        Ok(Yaml::new(Value::Null))
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Yaml, Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<Yaml, Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<Yaml, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Yaml, Error> {
        Ok(wrap(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, Error> {
        Ok(Items { variant: None, items: Vec::with_capacity(len.unwrap_or(0)) })
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items, Error> {
        Ok(Items { variant: Some(variant), items: Vec::with_capacity(len) })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries, Error> {
        Ok(Entries::new("", None, len.unwrap_or(0)))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Entries, Error> {
        Ok(Entries::new(name, None, len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Entries, Error> {
        Ok(Entries::new("", Some(variant), len))
    }
}

macro_rules! items {
    ($($of:ident $method:ident),*) => {
        $(impl ser::$of for Items {
            type Ok = Yaml;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.items.push(to_node(value)?);
                Ok(())
            }

            fn end(self) -> Result<Yaml, Error> {
                Ok(wrap(self.variant, Yaml::new(Value::Seq(self.items))))
            }
        })*
    };
}

items!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
       SerializeTupleVariant serialize_field);

macro_rules! fields {
    ($($of:ident),*) => {
        $(impl ser::$of for Entries {
            type Ok = Yaml;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.entries.push(entry(key, to_node(value)?));
                Ok(())
            }

            fn end(self) -> Result<Yaml, Error> {
                self.finish()
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Entries {
    type Ok = Yaml;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(match to_node(key)?.value {
            Value::Str(text) => text,
            Value::Int(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            other => return Err(Error(format!("{other:?} can't be a key"))),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error("a map's value came before its key".into()))?;
        self.entries.push(entry(&key, to_node(value)?));
        Ok(())
    }

    fn end(self) -> Result<Yaml, Error> {
        self.finish()
    }
}
