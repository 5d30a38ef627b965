//! The parameters of a stage: variables, a file with what it declares, or the whole file as code.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::super::params::type_of;
use super::super::path::{self, is_in};
use super::super::script::Script;
use super::super::template::{Origin, Piece, descend};
use super::super::write::{self, Leaf, Written};
use super::super::yaml;
use super::reads::Reads;
use super::{Builder, add};
use crate::import::{Kind, Remark};

impl Builder<'_> {
    /// Declares the parameters that a stage names. A program that reads them from their file finds one there with what
    /// the stage declares and nothing else; where that can't be written, it gets the whole file.
    pub(super) fn parameters(&mut self, reads: &mut Reads<'_>, written: &mut Written, script: &Script) -> String {
        let stage = reads.stage;
        let mut text = String::new();
        let in_command: BTreeSet<(String, Vec<String>)> = stage
            .commands
            .iter()
            .flatten()
            .filter_map(|piece| match piece {
                Piece::Value { origin: Origin::File { file, keys }, .. } => Some((file.clone(), keys.clone())),
                _ => None,
            })
            .collect();
        let mut by_file: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
        for param in &stage.params {
            by_file.entry(param.file.clone()).or_default().push((param.keys.clone(), param.line));
        }
        let default = path::join(&stage.folder, "params.yaml");
        if !by_file.contains_key(&default)
            && self.files.kind(&default) == Some(Kind::File)
            && self.mentions(&reads.code, &script.text, &default)
        {
            let note = format!(
                "`{}` reads `{}` and names none of its parameters: the whole file is part of `code`",
                stage.name,
                self.here(&default)
            );
            add(&mut reads.code, &default);
            self.note(stage.line, Remark::Look, note);
        }
        for (file, wanted) in by_file {
            let line = wanted.first().map_or(stage.line, |(_, line)| *line);
            if reads.code.iter().any(|code| is_in(&file, code)) {
                continue;
            }
            let all_in_command = wanted
                .iter()
                .all(|(keys, _)| keys.as_ref().is_some_and(|keys| in_command.contains(&(file.clone(), keys.clone()))));
            if all_in_command && !self.mentions(&reads.code, &script.text, &file) {
                continue;
            }
            let whole = |this: &mut Self, reads: &mut Reads<'_>, why: &str| {
                add(&mut reads.code, &file);
                let here = this.here(&file).to_owned();
                let note = format!(
                    "`{}`: the whole of `{here}` is part of `code`, so any change in it runs the stage: {why}",
                    stage.name
                );
                this.note(line, Remark::Step, note);
            };
            let parsed = matches!(path::extension(&file), "yaml" | "yml" | "json")
                .then(|| self.files.read(&file).and_then(|text| yaml::read(&text).ok()))
                .flatten();
            let Some(parsed) = parsed else {
                let why =
                    if self.files.kind(&file).is_some() { "it is neither YAML nor JSON" } else { "it is not there" };
                whole(self, reads, why);
                continue;
            };
            if written.off {
                whole(self, reads, "the stage reads it in the workspace");
                continue;
            }
            let Some(keys) = wanted.iter().map(|(keys, _)| keys.clone()).collect::<Option<Vec<_>>>() else {
                whole(self, reads, "all of it is named");
                continue;
            };
            match self.leaves(&parsed, &file, &keys) {
                Err(why) => whole(self, reads, &why),
                Ok(leaves) => {
                    for leaf in &leaves {
                        add(&mut written.uses, &leaf.variable);
                    }
                    let here = self.here(&file).to_owned();
                    text.push_str(&write::params_file(&here, &leaves));
                    let note = format!(
                        "`{}` finds the parameters that it names in `{here}`, and no others: one that its program reads besides belongs \
                         into `use` and into that file. To take the file away, give the program arguments",
                        stage.name
                    );
                    self.note(line, Remark::Step, note);
                }
            }
        }
        text
    }

    /// Tells whether a program of a stage speaks of a file of parameters.
    fn mentions(&self, code: &[String], script: &str, file: &str) -> bool {
        let name = path::name(file);
        let mut programs = code
            .iter()
            .flat_map(|code| match self.files.kind(code) {
                Some(Kind::Folder) => self.files.below(code),
                _ => vec![code.clone()],
            })
            .filter(|path| path != file);
        script.contains(name)
            || programs
                .any(|path| self.files.read(&path).is_some_and(|text| text.contains(name) || text.contains("dvc.api")))
    }

    /// Returns the values that keys stand for, section by section; `Err` says why one has no variable.
    fn leaves(&mut self, root: &Value, file: &str, wanted: &[Vec<String>]) -> Result<Vec<Leaf>, String> {
        let mut found: Vec<(Vec<String>, Value)> = Vec::new();
        for keys in wanted {
            let value = descend(root, keys).ok_or_else(|| format!("it has no `{}`", keys.join(".")))?;
            flatten(value, keys.clone(), &mut found);
        }
        let mut leaves: Vec<(Vec<String>, Value)> = Vec::new();
        for (keys, value) in found {
            let shown = keys.join(".");
            let plain = |key: &String| {
                key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) && key.parse::<f64>().is_err()
            };
            if !keys.iter().all(plain) {
                return Err(format!("`{shown}` is no plain name"));
            }
            let text = value.as_str().unwrap_or_default();
            if text.contains(['\'', '"', '\\']) {
                return Err(format!("`{shown}` has quotes in it"));
            }
            if type_of(&value).is_none() {
                return Err(format!("`{shown}` is a list, nothing, or text of several lines, which no variable holds"));
            }
            if leaves.iter().all(|(have, _)| *have != keys) {
                leaves.push((keys, value));
            }
        }
        // Declared only now: what one value rules out needs no parameters.
        let named = leaves.into_iter().filter_map(|(keys, value)| {
            let origin = Origin::File { file: file.to_owned(), keys: keys.clone() };
            let variable = self.params.name(&origin, &value, &self.workspace, &mut self.taken)?;
            Some(Leaf { keys, variable, text: value.is_string() })
        });
        Ok(named.collect())
    }
}

fn flatten(value: &Value, keys: Vec<String>, found: &mut Vec<(Vec<String>, Value)>) {
    match yaml::mapping(value) {
        Some(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let deeper = keys.iter().cloned().chain([yaml::key(key)]).collect();
                flatten(value, deeper, found);
            }
        }
        _ => found.push((keys, value.clone())),
    }
}

/// What a stage asks of a file of parameters: the key, or all of it, and the line that asks.
type Asked = (Option<Vec<String>>, u32);
