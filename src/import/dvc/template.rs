//! `${…}` of DVC: where values come from, and text with them in it.

use std::sync::Arc;

use serde_yaml::Value;

use super::yaml::{self, scalar};

/// Where a value was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    /// A file of parameters, at these keys.
    File {
        /// From the project's root.
        file: String,
        /// The keys below one another.
        keys: Vec<String>,
    },
    /// `vars` of the file itself, at these keys.
    Vars(Vec<String>),
    /// The item of a `foreach` or `matrix`, at these keys: `item`, `key`, `item.axis`.
    Item(Vec<String>),
}

/// Values that a template sees; what was pushed first is asked first.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    source: Source,
    /// Shared: every leg of a loop sees the same parameters.
    value: Arc<Value>,
}

/// What a layer of values was read from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A file.
    File(String),
    /// `vars`.
    Vars,
    /// An item.
    Item,
}

impl Context {
    /// Adds values that are asked after those that are there.
    pub(super) fn push(&mut self, source: Source, value: Value) {
        self.layers.push(Layer { source, value: Arc::new(value) });
    }

    /// Returns a context that asks `value` first.
    pub(super) fn with(&self, source: Source, value: Value) -> Self {
        let mut layers = vec![Layer { source, value: Arc::new(value) }];
        layers.extend(self.layers.iter().cloned());
        Self { layers }
    }

    /// Finds a value by its keys.
    pub(super) fn find(&self, keys: &[String]) -> Option<(&Value, Origin)> {
        self.layers.iter().find_map(|layer| {
            let value = descend(&layer.value, keys)?;
            let keys = keys.to_vec();
            Some((
                value,
                match &layer.source {
                    Source::File(file) => Origin::File { file: file.clone(), keys },
                    Source::Vars => Origin::Vars(keys),
                    Source::Item => Origin::Item(keys),
                },
            ))
        })
    }

    /// Returns every name at the top, for a nearest one.
    pub(super) fn names(&self) -> Vec<String> {
        let tops = self.layers.iter().filter_map(|layer| yaml::mapping(&layer.value));
        tops.flat_map(|mapping| mapping.keys().map(yaml::key)).collect()
    }
}

/// Goes down a value by keys and indices.
pub(super) fn descend<'v>(value: &'v Value, keys: &[String]) -> Option<&'v Value> {
    keys.iter().try_fold(value, |value, key| match value {
        Value::Mapping(mapping) => mapping
            .get(key.as_str())
            .or_else(|| mapping.iter().find(|(have, _)| yaml::key(have) == *key).map(|(_, v)| v)),
        Value::Sequence(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Splits `a.b[0]` into its keys.
pub(super) fn keys(path: &str) -> Vec<String> {
    let path = path.replace('[', ".").replace([']', '"', '\''], "");
    path.split('.').map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect()
}

/// A part of a text with templates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// A value.
    Value {
        /// What is there now.
        value: Value,
        /// Where it comes from.
        origin: Origin,
    },
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) String);

/// Cuts a text at its templates and looks each up.
pub(super) fn pieces(text: &str, context: &Context) -> Result<Vec<Piece>, Unknown> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(length) = rest[at..].find('}') else { break };
        if rest[..at].ends_with('\\') {
            plain.push_str(&rest[..at - 1]);
            plain.push_str(&rest[at..=at + length]);
        } else {
            plain.push_str(&rest[..at]);
            let path = rest[at + 2..at + length].trim();
            let Some((value, origin)) = context.find(&keys(path)) else { return Err(unknown(path, context)) };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Value { value: value.clone(), origin });
        }
        rest = &rest[at + length + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn unknown(path: &str, context: &Context) -> Unknown {
    let names = context.names();
    let first = keys(path).into_iter().next().unwrap_or_default();
    let near = crate::diagnostic::nearest(&first, names.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Unknown(format!("`${{{path}}}` has no value: neither a file of parameters nor `vars` holds it{near}"))
}

/// A text in which all templates are replaced by what is there now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fixed {
    /// The text.
    pub(super) text: String,
    /// Names of values out of files of parameters that are part of it now.
    pub(super) values: Vec<String>,
}

/// Replaces all templates.
pub(super) fn fix(text: &str, context: &Context) -> Result<Fixed, Unknown> {
    let mut fixed = Fixed::default();
    for piece in pieces(text, context)? {
        match piece {
            Piece::Text(text) => fixed.text.push_str(&text),
            Piece::Value { value, origin } => {
                if let Origin::File { keys, .. } = &origin {
                    fixed.values.push(keys.join("."));
                }
                match scalar(&value) {
                    Some(text) => fixed.text.push_str(&text),
                    None => return Err(Unknown(format!("`{text}` puts a list or a section into a path"))),
                }
            }
        }
    }
    Ok(fixed)
}

/// Replaces all templates in a value; one that is a template as a whole becomes what that names.
pub(super) fn resolve(value: &Value, context: &Context) -> Result<Value, Unknown> {
    Ok(match value {
        Value::String(text) => match pieces(text, context)?.as_slice() {
            [Piece::Value { value, .. }] => value.clone(),
            _ => Value::String(fix(text, context)?.text),
        },
        Value::Sequence(items) => {
            Value::Sequence(items.iter().map(|item| resolve(item, context)).collect::<Result<_, _>>()?)
        }
        Value::Mapping(fields) => {
            let mut made = serde_yaml::Mapping::new();
            for (key, value) in fields {
                made.insert(resolve(key, context)?, resolve(value, context)?);
            }
            Value::Mapping(made)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let mut context = Context::default();
        context.push(Source::File("params.yaml".into()), yaml::read("train: {lr: 0.1, sizes: [3, 5]}").expect("YAML"));
        context.push(Source::Vars, yaml::read("name: net").expect("YAML"));
        context
    }

    #[test]
    fn text_is_cut_at_its_templates() {
        let cut = pieces("a ${train.lr} \\${kept} ${ name }", &context()).expect("known");
        assert_eq!(cut.len(), 4);
        assert_eq!(cut[0], Piece::Text("a ".into()));
        assert_eq!(cut[2], Piece::Text(" ${kept} ".into()));
        let Piece::Value { origin, .. } = &cut[1] else { panic!("a value: {cut:?}") };
        assert_eq!(*origin, Origin::File { file: "params.yaml".into(), keys: vec!["train".into(), "lr".into()] });
    }

    #[test]
    fn values_are_found_by_key_and_index_and_strangers_are_named() {
        assert_eq!(fix("${train.sizes[1]}-${name}", &context()).expect("known").text, "5-net");
        let unknown = fix("${trian.lr}", &context()).expect_err("unknown").0;
        assert!(unknown.contains("`${trian.lr}`") && unknown.contains("did you mean `train`"), "{unknown}");
    }
}
