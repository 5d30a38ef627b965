//! `dvc.yaml` as stages: `foreach` and `matrix` written out, templates replaced, paths from the project's root.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::fold::Leg;
use super::legs::{axis, combinations, legs};
use super::path::{self, Place};
use super::template::{Context, Fixed, Piece, Source, Unknown, fix, pieces, resolve};
use super::yaml::{self, At, key, mapping};
use crate::import::{Fault, Files, Note, Remark};

/// What an output is to DVC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutKind {
    /// `outs`.
    Plain,
    /// `metrics`.
    Metrics,
    /// `plots`.
    Plot,
}

/// An output of a stage.
#[derive(Debug, Clone)]
pub(super) struct Out {
    pub(super) path: String,
    pub(super) kind: OutKind,
    pub(super) desc: Option<String>,
    pub(super) line: u32,
}

/// A path that a stage reads.
#[derive(Debug, Clone)]
pub(super) struct Dep {
    pub(super) path: String,
    pub(super) line: u32,
}

/// Parameters that a stage names: a key of a file, or all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Param {
    pub(super) file: String,
    pub(super) keys: Option<Vec<String>>,
    pub(super) line: u32,
}

/// A stage, or one leg of a `foreach` or `matrix`.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// As DVC names it: `train@us`.
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) desc: Option<String>,
    /// Commands, one after the other.
    pub(super) commands: Vec<Vec<Piece>>,
    pub(super) command_line: u32,
    /// The folder of the command, from the project's root.
    pub(super) folder: String,
    pub(super) deps: Vec<Dep>,
    pub(super) outs: Vec<Out>,
    pub(super) params: Vec<Param>,
    pub(super) frozen: bool,
    pub(super) always: bool,
    /// It reads something whose content nobody watches here.
    pub(super) unpinned: bool,
    /// What it is a leg of.
    pub(super) leg: Option<Leg>,
}

/// A whole file.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) stages: Vec<Stage>,
    /// Paths that are said to be models.
    pub(super) models: Vec<String>,
    /// Paths that are said to be metrics or plots at the top of the file.
    pub(super) kinds: BTreeMap<String, OutKind>,
}

/// Reads the file; what has no counterpart is noted.
pub(super) fn read(files: &dyn Files, file: &str, text: &str, notes: &mut Vec<Note>) -> Result<Project, Fault> {
    let fault = |line, message| Fault { file: file.to_owned(), line, message };
    let root = yaml::read(text).map_err(|(line, message)| fault(line, message))?;
    let at = At::document(text);
    let mut reader = Reader {
        files,
        file,
        base: path::parent(file).to_owned(),
        notes,
        context: Context::default(),
        project: Project::default(),
    };
    let Some(top) = mapping(&root) else { return Err(fault(1, "no mapping with `stages`".to_owned())) };
    reader.context = reader.globals(&root, at)?;
    reader.rest(&root, at);
    match root.get("stages").and_then(mapping) {
        Some(stages) if !stages.is_empty() => {
            for (name, body) in stages {
                let name = key(name);
                reader.entry(&name, body, at.key("stages").key(&name))?;
            }
        }
        _ => return Err(fault(1, "it has no `stages`, so there is nothing to run".to_owned())),
    }
    for name in top.keys().map(key) {
        let known = ["stages", "vars", "params", "metrics", "plots", "artifacts", "datasets", "schema"];
        if !known.contains(&name.as_str()) {
            reader.note(at.key(&name), Remark::Lost, format!("`{name}` means nothing here"));
        }
    }
    Ok(reader.project)
}

struct Reader<'a> {
    files: &'a dyn Files,
    file: &'a str,
    base: String,
    notes: &'a mut Vec<Note>,
    context: Context,
    project: Project,
}

impl Reader<'_> {
    fn note(&mut self, at: At<'_>, remark: Remark, text: String) {
        self.notes.push(Note { file: self.file.to_owned(), line: at.line(), remark, text });
    }

    fn fault(&self, at: At<'_>, unknown: Unknown) -> Fault {
        Fault { file: self.file.to_owned(), line: at.line(), message: unknown.0 }
    }

    /// Reads `params.yaml`, which is always there to DVC, and `vars`.
    fn globals(&mut self, root: &Value, at: At<'_>) -> Result<Context, Fault> {
        let mut context = Context::default();
        let base = self.base.clone();
        let default = path::join(&base, "params.yaml");
        if let Some(value) = self.params_file(&default)? {
            context.push(Source::File(default), value);
        }
        self.vars(root, at, &base, &mut context)?;
        Ok(context)
    }

    fn vars(&mut self, body: &Value, at: At<'_>, folder: &str, context: &mut Context) -> Result<(), Fault> {
        let Some(vars) = body.get("vars").and_then(Value::as_sequence) else { return Ok(()) };
        for (index, item) in vars.iter().enumerate() {
            let at = at.key("vars").item(index);
            match item {
                Value::String(named) => {
                    let named = fix(named, context).map_err(|unknown| self.fault(at, unknown))?.text;
                    let (path, keys) = named.split_once(':').map_or((named.as_str(), None), |(p, k)| (p, Some(k)));
                    let Place::Inside(path) = path::place(folder, path) else { continue };
                    let Some(value) = self.params_file(&path)? else {
                        let message = format!("`vars` names `{path}`, which is not there");
                        return Err(self.fault(at, Unknown(message)));
                    };
                    context.push(Source::File(path), chosen(value, keys));
                }
                Value::Mapping(_) => {
                    let value = resolve(item, context).map_err(|unknown| self.fault(at, unknown))?;
                    context.push(Source::Vars, value);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn params_file(&self, path: &str) -> Result<Option<Value>, Fault> {
        if !matches!(path::extension(path), "yaml" | "yml" | "json") {
            return Ok(None);
        }
        let Some(text) = self.files.read(path) else { return Ok(None) };
        let fault = |(line, message)| Fault { file: path.to_owned(), line, message };
        yaml::read(&text).map(Some).map_err(fault)
    }

    /// Reads what stands beside the stages.
    fn rest(&mut self, root: &Value, at: At<'_>) {
        for (word, kind) in [("metrics", OutKind::Metrics), ("plots", OutKind::Plot)] {
            let Some(value) = root.get(word) else { continue };
            for (index, (name, settings)) in named(value).into_iter().enumerate() {
                let here = if value.is_sequence() { at.key(word).item(index) } else { at.key(word).key(&name) };
                let base = self.base.clone();
                if let Place::Inside(path) = path::place(&base, &name) {
                    self.project.kinds.insert(path, kind);
                }
                if settings.is_some_and(|settings| mapping(settings).is_some_and(|fields| !fields.is_empty())) {
                    let text = format!(
                        "how `{name}` is drawn is not carried over; `mlpc report` draws outputs of type `Plot`"
                    );
                    self.note(here, Remark::Lost, text);
                }
            }
        }
        if let Some(params) = root.get("params")
            && !named(params).is_empty()
        {
            let text = "`params` beside the stages only lists them; stages have their own".to_owned();
            self.note(at.key("params"), Remark::Lost, text);
        }
        for (name, body) in root.get("artifacts").and_then(mapping).into_iter().flatten() {
            let name = key(name);
            let here = at.key("artifacts").key(&name);
            let base = self.base.clone();
            let path = body.get("path").and_then(Value::as_str).unwrap_or_default();
            if let (Place::Inside(path), Some("model")) =
                (path::place(&base, path), body.get("type").and_then(Value::as_str))
            {
                self.project.models.push(path);
            }
            let text = format!(
                "the artifact `{name}` (`{path}`) is not registered: add `registry models = directory(\"registry\")`, a gate, and \
                 `register {} = … to models after …`",
                super::names::word(&name)
            );
            self.note(here, Remark::Lost, text);
        }
        if root.get("datasets").is_some() {
            let text = "`datasets` are not carried over: declare a `source` for each".to_owned();
            self.note(at.key("datasets"), Remark::Lost, text);
        }
    }

    /// Reads an entry of `stages`: a stage, a `foreach` or a `matrix`.
    fn entry(&mut self, name: &str, body: &Value, at: At<'_>) -> Result<(), Fault> {
        let context = self.context.clone();
        if let Some(each) = body.get("foreach") {
            let each = resolve(each, &context).map_err(|unknown| self.fault(at.key("foreach"), unknown))?;
            let Some(inner) = body.get("do") else {
                return Err(self.fault(at, Unknown(format!("`{name}` has a `foreach` without a `do`"))));
            };
            for (leg, item) in legs(&each).map_err(|most| self.too_many(name, at.key("foreach"), most))? {
                let axes = match &each {
                    Value::Mapping(_) => axis("key", item.get("key")),
                    _ => axis("item", item.get("item")),
                };
                self.stage(&format!("{name}@{leg}"), inner, at.key("do"), at, &context.with(Source::Item, item))?;
                self.leg(name, axes.map(|axis| vec![axis]));
            }
            return Ok(());
        }
        if let Some(axes) = body.get("matrix") {
            let axes = resolve(axes, &context).map_err(|unknown| self.fault(at.key("matrix"), unknown))?;
            for (leg, item) in combinations(&axes).map_err(|most| self.too_many(name, at.key("matrix"), most))? {
                let fields = item.get("item").and_then(mapping).into_iter().flatten();
                let axes = fields.map(|(name, value)| axis(&key(name), Some(value))).collect();
                self.stage(&format!("{name}@{leg}"), body, at, at, &context.with(Source::Item, item))?;
                self.leg(name, axes);
            }
            return Ok(());
        }
        self.stage(name, body, at, at, &context)
    }

    fn too_many(&self, name: &str, at: At<'_>, most: usize) -> Fault {
        self.fault(
            at,
            Unknown(format!("`{name}` has more legs than {most}, which are the most that a pipeline may have")),
        )
    }

    /// Notes what the last stage is a leg of.
    fn leg(&mut self, entry: &str, axes: Option<Vec<(String, String)>>) {
        if let Some(stage) = self.project.stages.last_mut() {
            stage.leg = Some(Leg { entry: entry.to_owned(), axes: axes.unwrap_or_default() });
        }
    }

    fn stage(&mut self, name: &str, body: &Value, at: At<'_>, top: At<'_>, context: &Context) -> Result<(), Fault> {
        let base = self.base.clone();
        let mut context = context.clone();
        let fixed =
            |this: &Self, at: At<'_>, text: &str, context: &Context| fix(text, context).map_err(|u| this.fault(at, u));
        let folder = match body.get("wdir").and_then(Value::as_str) {
            None => base.clone(),
            Some(written) => {
                let written = fixed(self, at.key("wdir"), written, &context)?.text;
                match path::place(&base, &written) {
                    Place::Inside(folder) => folder,
                    _ if path::is_root(&base, &written) => String::new(),
                    _ => {
                        let text = format!(
                            "`{name}` runs in `{written}`, outside of the project; it runs in its own folder here"
                        );
                        self.note(at.key("wdir"), Remark::Lost, text);
                        base.clone()
                    }
                }
            }
        };
        self.vars(body, at, &folder, &mut context)?;
        let commands = match body.get("cmd") {
            Some(Value::String(command)) => vec![(command.clone(), at.key("cmd"))],
            Some(Value::Sequence(list)) => list
                .iter()
                .enumerate()
                .filter_map(|(index, command)| Some((yaml::scalar(command)?, at.key("cmd").item(index))))
                .collect(),
            _ => return Err(self.fault(top, Unknown(format!("`{name}` has no `cmd`")))),
        };
        let commands = commands
            .iter()
            .map(|(text, at)| pieces(text, &context).map_err(|unknown| self.fault(*at, unknown)))
            .collect::<Result<Vec<_>, _>>()?;
        let desc = body.get("desc").and_then(Value::as_str);
        let mut stage = Stage {
            name: name.to_owned(),
            line: top.line(),
            desc: desc.map(|text| fixed(self, at.key("desc"), text, &context)).transpose()?.map(|fixed| fixed.text),
            commands,
            command_line: at.key("cmd").line(),
            folder: folder.clone(),
            deps: Vec::new(),
            outs: Vec::new(),
            params: Vec::new(),
            frozen: body.get("frozen").and_then(Value::as_bool).unwrap_or(false),
            always: body.get("always_changed").and_then(Value::as_bool).unwrap_or(false),
            unpinned: false,
            leg: None,
        };
        self.deps(&mut stage, body, at, &context)?;
        for (word, kind) in [("outs", OutKind::Plain), ("metrics", OutKind::Metrics), ("plots", OutKind::Plot)] {
            self.outs(&mut stage, body, at, &context, word, kind)?;
        }
        self.params(&mut stage, body, at, &context)?;
        for field in mapping(body).into_iter().flat_map(|fields| fields.keys()).map(key) {
            let text = match field.as_str() {
                "cmd" | "deps" | "outs" | "metrics" | "plots" | "params" | "wdir" | "vars" | "desc" | "frozen"
                | "always_changed" | "matrix" | "foreach" | "do" => continue,
                "live" => "`live` was dropped by DVC: declare what is written as outputs".to_owned(),
                "meta" => "`meta` is not carried over: keep it as a comment".to_owned(),
                other => format!("`{other}` means nothing here"),
            };
            self.note(at.key(&field), Remark::Lost, format!("`{name}`: {text}"));
        }
        self.project.stages.push(stage);
        Ok(())
    }

    /// Says that a path was made of values that may change.
    fn told(&mut self, stage: &str, at: At<'_>, fixed: &Fixed) {
        if !fixed.values.is_empty() {
            let names: Vec<_> = fixed.values.iter().map(|name| format!("`{name}`")).collect();
            let text = format!(
                "`{stage}`: `{}` is made of {}, and stays as it is now when that changes",
                fixed.text,
                names.join(", ")
            );
            self.note(at, Remark::Look, text);
        }
    }

    fn deps(&mut self, stage: &mut Stage, body: &Value, at: At<'_>, context: &Context) -> Result<(), Fault> {
        let Some(list) = body.get("deps") else { return Ok(()) };
        for (index, (written, _)) in named(list).into_iter().enumerate() {
            let at = at.key("deps").item(index);
            let fixed = fix(&written, context).map_err(|unknown| self.fault(at, unknown))?;
            self.told(&stage.name, at, &fixed);
            match path::place(&stage.folder, &fixed.text) {
                Place::Inside(path) if !path.is_empty() => stage.deps.push(Dep { path, line: at.line() }),
                _ => {
                    stage.unpinned = true;
                    let text = format!(
                        "`{}` reads `{}`, which lies outside of the project: nobody watches it, so the stage runs every time",
                        stage.name, fixed.text
                    );
                    self.note(at, Remark::Lost, text);
                }
            }
        }
        Ok(())
    }

    fn outs(
        &mut self,
        stage: &mut Stage,
        body: &Value,
        at: At<'_>,
        context: &Context,
        word: &str,
        kind: OutKind,
    ) -> Result<(), Fault> {
        let Some(list) = body.get(word) else { return Ok(()) };
        let name = stage.name.clone();
        for (index, (written, settings)) in named(list).into_iter().enumerate() {
            let at = if list.is_sequence() { at.key(word).item(index) } else { at.key(word).key(&written) };
            let fixed = fix(&written, context).map_err(|unknown| self.fault(at, unknown))?;
            self.told(&name, at, &fixed);
            let Place::Inside(path) = path::place(&stage.folder, &fixed.text) else {
                let text = format!("`{name}` writes `{}`, outside of the project: it is no output here", fixed.text);
                self.note(at, Remark::Lost, text);
                continue;
            };
            if stage.outs.iter().any(|out| out.path == path) {
                continue;
            }
            let mut desc = None;
            for (setting, value) in settings.and_then(mapping).into_iter().flatten() {
                let setting = key(setting);
                let text = match (setting.as_str(), value) {
                    ("desc", Value::String(text)) => {
                        desc = Some(text.clone());
                        continue;
                    }
                    ("persist", Value::Bool(true)) => {
                        "`persist` is not carried over: an output is made from nothing each time; what should survive a failed try is \
                         a `checkpoint`"
                    }
                    ("push", Value::Bool(false)) | ("remote", _) => {
                        "which remote an output goes to is not said per output here"
                    }
                    ("cache", Value::Bool(false)) if kind == OutKind::Plain => {
                        "`cache: false`: it enters mlpc's cache all the same; keep it in git if it was"
                    }
                    ("labels" | "type" | "meta", _) => "labels are not carried over",
                    ("x" | "y" | "x_label" | "y_label" | "title" | "template" | "header", _) => {
                        "how a plot is drawn is not carried over; `mlpc report` draws outputs of type `Plot`"
                    }
                    _ => continue,
                };
                let note = format!("`{name}`: `{path}`: {text}");
                if !self.notes.iter().any(|have| have.text == note) {
                    self.note(at, if setting == "cache" { Remark::Look } else { Remark::Lost }, note);
                }
            }
            stage.outs.push(Out { path, kind, desc, line: at.line() });
        }
        Ok(())
    }

    fn params(&mut self, stage: &mut Stage, body: &Value, at: At<'_>, context: &Context) -> Result<(), Fault> {
        let Some(Value::Sequence(list)) = body.get("params") else { return Ok(()) };
        let at = at.key("params");
        let default = path::join(&stage.folder, "params.yaml");
        for (index, item) in list.iter().enumerate() {
            let at = at.item(index);
            match item {
                Value::Mapping(fields) => {
                    for (file, named) in fields {
                        let file = fix(&key(file), context).map_err(|unknown| self.fault(at, unknown))?.text;
                        let Place::Inside(file) = path::place(&stage.folder, &file) else { continue };
                        let names = named.as_sequence().map(Vec::as_slice).unwrap_or_default();
                        if names.is_empty() {
                            stage.params.push(Param { file: file.clone(), keys: None, line: at.line() });
                        }
                        for name in names {
                            let name = fix(&key(name), context).map_err(|unknown| self.fault(at, unknown))?.text;
                            let keys = Some(super::template::keys(&name));
                            stage.params.push(Param { file: file.clone(), keys, line: at.line() });
                        }
                    }
                }
                other => {
                    let name = fix(&key(other), context).map_err(|unknown| self.fault(at, unknown))?.text;
                    let keys = Some(super::template::keys(&name));
                    stage.params.push(Param { file: default.clone(), keys, line: at.line() });
                }
            }
        }
        Ok(())
    }
}

/// Takes the keys that `file.yaml:a,b` asks for.
fn chosen(value: Value, keys: Option<&str>) -> Value {
    let Some(keys) = keys else { return value };
    let mut made = serde_yaml::Mapping::new();
    for name in keys.split(',').map(str::trim) {
        if let Some(found) = value.get(name) {
            made.insert(Value::from(name), found.clone());
        }
    }
    Value::Mapping(made)
}

/// Returns the entries of a list of names, of which each may have settings, or of a mapping of them.
fn named(value: &Value) -> Vec<(String, Option<&Value>)> {
    match value {
        Value::Sequence(items) => items
            .iter()
            .flat_map(|item| match item {
                Value::Mapping(fields) => match fields.get("path") {
                    Some(path) if fields.len() > 1 || path.is_string() => vec![(key(path), Some(item))],
                    _ => fields.iter().map(|(name, settings)| (key(name), Some(settings))).collect(),
                },
                name => vec![(key(name), None)],
            })
            .collect(),
        Value::Mapping(fields) => fields.iter().map(|(name, settings)| (key(name), Some(settings))).collect(),
        Value::String(name) => vec![(name.clone(), None)],
        _ => Vec::new(),
    }
}
