//! Finds the line of a key or an item in a text of YAML: the reader is stopped there, and says where it is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value as Yaml;

/// One step into a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::targets) enum Seg {
    /// The entry with this key.
    Key(String),
    /// The item at this index.
    Item(usize),
}

/// The way to a place in a tree.
pub(in crate::targets) type Path = Vec<Seg>;

/// Makes a path of keys.
pub(in crate::targets) fn path(keys: &[&str]) -> Path {
    keys.iter().map(|key| Seg::Key((*key).to_owned())).collect()
}

/// Returns what stands at a path.
pub(super) fn get<'y>(value: &'y Yaml, at: &[Seg]) -> Option<&'y Yaml> {
    at.iter().try_fold(value, |value, seg| match seg {
        Seg::Key(key) => value.get(key.as_str()),
        Seg::Item(index) => value.get(*index),
    })
}

/// Returns line and column, from 1, of the last key of a path, or of its item.
pub(super) fn place(text: &str, at: &[Seg]) -> Option<(usize, usize)> {
    let error = Find(at).deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    error.location().map(|place| (place.line(), place.column()))
}

/// Walks down a path and ends in an error where it ends.
struct Find<'p>(&'p [Seg]);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the place")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let (wanted, rest) = match self.0 {
            [Seg::Key(key), rest @ ..] => (key.as_str(), rest),
            _ => return Err(Error::custom("here")),
        };
        while let Some(found) = map.next_key_seed(Key { wanted, stop: rest.is_empty() })? {
            match found {
                true => map.next_value_seed(Find(rest))?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        let [Seg::Item(wanted), rest @ ..] = self.0 else { return Err(Error::custom("here")) };
        for _ in 0..*wanted {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Find(rest))?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(E::custom("here"))
    }
}

/// Compares a key, and ends in an error where it is the last one of the path.
struct Key<'p> {
    wanted: &'p str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        struct Text<'p>(Key<'p>);
        impl<'de> Visitor<'de> for Text<'_> {
            type Value = bool;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
                match key == self.0.wanted {
                    true if self.0.stop => Err(E::custom("here")),
                    same => Ok(same),
                }
            }
        }
        deserializer.deserialize_str(Text(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_key_and_of_an_item_is_found() {
        let text = "env:\n  A: b\nbefore:\n  - uses: x\n    with: { y: 1 }\n  - run: |\n      z\nafter: [p, q]\n";
        let step = |index, key: &str| vec![Seg::Key("before".into()), Seg::Item(index), Seg::Key(key.into())];
        assert_eq!(place(text, &path(&["env", "A"])), Some((2, 3)));
        assert_eq!(place(text, &step(0, "with")), Some((5, 5)));
        assert_eq!(place(text, &step(1, "run")), Some((6, 5)));
        assert_eq!(place(text, &[Seg::Key("after".into()), Seg::Item(1)]), Some((8, 12)));
        assert_eq!(place(text, &path(&["nothing"])), None);
    }
}
