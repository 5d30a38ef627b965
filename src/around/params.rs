//! Parameters that are read from files of the workspace: `param lr: float from "configs/model.yaml" at "/train/lr"`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, Param, ParamFrom};
use crate::plan::{Plan, strict, typed};
use crate::types::{Type, Value};

/// Puts into a plan what its parameters are in their files, and returns the texts of these. What can't be read is told
/// when the value is needed.
pub(crate) fn fill(plan: &mut Plan, workspace: &Path) -> Vec<(PathBuf, String)> {
    let mut texts: BTreeMap<&str, Result<String, String>> = BTreeMap::new();
    for param in &plan.params {
        if let Some(from) = &param.from {
            let text = texts.entry(&from.file).or_insert_with(|| text(workspace, &from.file));
            let default = param.default.as_ref();
            let value = text.as_ref().map_err(Clone::clone);
            let value = value.and_then(|text| read(text, &from.file, &from.pointer, &param.ty, default));
            plan.read.insert(param.name.clone(), value);
        }
    }
    texts.into_iter().filter_map(|(file, text)| Some((workspace.join(file), text.ok()?))).collect()
}

/// A parameter whose value stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    file: String,
    pointer: String,
    ty: Type,
    default: Option<Value>,
}

/// Iterates over the parameters of a model that are read from files, where they and their types could be understood.
fn asking(model: &Model) -> impl Iterator<Item = (&Param, &ParamFrom, &Type)> {
    model.params.iter().filter_map(|(_, param)| Some((param, param.from.as_ref()?, param.ty.as_ref()?)))
}

/// Returns what the parameters of a model ask of files.
pub(super) fn asked(model: &Model) -> Vec<Asked> {
    let asked = asking(model).map(|(param, from, ty)| Asked {
        file: from.file.value.clone(),
        pointer: from.pointer.clone(),
        ty: ty.clone(),
        default: param.default.clone(),
    });
    asked.collect()
}

/// Returns the value that stands for a parameter in its file now.
pub(crate) fn value(workspace: &Path, model: &Model, name: &str) -> Option<Value> {
    let (param, from, ty) = asking(model).find(|(param, ..)| param.name.value == name)?;
    let text = text(workspace, &from.file.value).ok()?;
    read(&text, &from.file.value, &from.pointer, ty, param.default.as_ref()).ok()
}

/// Returns for each why its value can't be had, where that is so.
pub(super) fn look(workspace: &Path, asked: &[Asked]) -> Vec<Option<String>> {
    let why = |one: &Asked| {
        let text = text(workspace, &one.file);
        text.and_then(|text| read(&text, &one.file, &one.pointer, &one.ty, one.default.as_ref())).err()
    };
    asked.iter().map(why).collect()
}

/// Says what is wrong with the files that parameters are read from.
pub(super) fn say(model: &Model, seen: &[Option<String>]) -> Vec<Diagnostic> {
    let wrong = asking(model).zip(seen).filter_map(|((param, from, ty), why)| Some((param, from, ty, why.as_ref()?)));
    let wrong = wrong.map(|(param, from, ty, why)| {
        let message = format!("`{}` can't be read: {why}", param.name.value);
        Diagnostic::new(codes::PARAM_FILE, from.span, message)
            .label(param.name.span, format!("of type `{ty}`"))
            .help("correct the file, the pointer or the type")
    });
    wrong.collect()
}

fn text(workspace: &Path, file: &str) -> Result<String, String> {
    crate::host::fs::open(&workspace.join(file)).and_then(std::io::read_to_string).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file `{file}`"),
        _ => format!("`{file}`: {}", crate::host::error::reason(&error)),
    })
}

/// Reads the value at a place in a file's text. A key that is not there is the default, if there is one; a file that is
/// not there is an error all the same.
fn read(text: &str, file: &str, pointer: &str, ty: &Type, default: Option<&Value>) -> Result<Value, String> {
    let json: serde_json::Value = if file.ends_with(".json") {
        strict::json(text).map_err(|error| format!("`{file}` is no JSON: {error}"))?
    } else {
        let read = serde_yaml::from_str::<strict::Strict>(text);
        read.map_err(|error| format!("`{file}` is no YAML: {error}"))?.0
    };
    let Some(found) = json.pointer(pointer) else {
        return match default {
            Some(value) => Ok(value.clone()),
            None => Err(format!("`{file}` has nothing at `{pointer}`")),
        };
    };
    typed(ty, found).map_err(|why| match line(text, pointer) {
        Some(line) => format!("`{file}`, line {line}: {why}"),
        None => format!("`{file}` at `{pointer}`: {why}"),
    })
}

/// Returns the line of a key, where keys stand on lines of their own, one below the other: how people write them.
fn line(text: &str, pointer: &str) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    let mut found = None;
    for key in pointer.split('/').skip(1) {
        found = Some(lines.find(|(_, line)| {
            let line = line.trim_start().trim_start_matches(['{', ',']).trim_start();
            let bare = line.trim_start_matches(['"', '\'']);
            bare.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
        })?);
    }
    found.map(|(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Bound, Range};

    fn rate() -> Type {
        let bound = |at| Some(Bound { at, open: false });
        Type::Float(Range { low: bound(0.0), high: bound(1.0) })
    }

    #[test]
    fn one_key_is_read_from_yaml_and_json_and_what_is_wrong_is_placed() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        let with = |file: &str, at: &str, default: Option<&Value>| {
            text(folder.path(), file).and_then(|text| read(&text, file, at, &rate(), default))
        };
        let read = |file: &str, at: &str| with(file, at, None);
        write("m.yaml", "other: 1\ntrain:\n  lr: 0.25\n  bad: 3\n  text: x\n");
        write("m.json", "{\n  \"train\": {\n    \"lr\": 1\n  }\n}\n");
        assert_eq!(read("m.yaml", "/train/lr"), Ok(Value::Float(0.25)));
        assert_eq!(read("m.json", "/train/lr"), Ok(Value::Float(1.0)));
        assert_eq!(
            read("m.yaml", "/train/bad"),
            Err("`m.yaml`, line 4: `3` is not in the range of `float in 0..1`".into())
        );
        assert!(read("m.yaml", "/train/text").expect_err("a text").starts_with("`m.yaml`, line 5"));
        assert_eq!(read("m.yaml", "/train/no"), Err("`m.yaml` has nothing at `/train/no`".into()));
        assert_eq!(read("n.yaml", "/x"), Err("there is no file `n.yaml`".into()));
        write("broken.yaml", "a: [1\n");
        assert!(read("broken.yaml", "/a").expect_err("not YAML").contains("is no YAML"));
        write("twice.json", r#"{"floor": 0.95, "floor": 0.1}"#);
        write("twice.yaml", "r: 0.5\nr: 0.6\n");
        assert!(read("twice.json", "/floor").expect_err("twice").contains("the key `floor` stands twice"));
        assert!(read("twice.yaml", "/r").expect_err("twice").contains('r'), "YAML's own reader may say so first");
        assert_eq!(with("m.yaml", "/train/no", Some(&Value::Float(0.5))), Ok(Value::Float(0.5)));
    }
}
