//! Stages of DVC as stages of the language: what each path is, which parameters, what has to be in the folder.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{self, Outputs, Shape};
use super::metrics::Metrics;
use super::names::{self, Taken};
use super::params::Params;
use super::path::{self, is_in};
use super::project::{OutKind, Project, Stage};
use super::template::{Origin, Piece};
use super::write::{self, Out, Source, Written};
use super::{python, script, yaml};
use crate::import::{Files, Kind, Note, Remark};

/// What was built, not formatted.
pub(super) struct Built {
    pub(super) workspace: String,
    pub(super) text: String,
}

/// Programs that work on the project as a whole, with why.
const WHOLE: [(&str, &str); 15] = [
    ("git", "reads the repository"),
    ("dvc", "works on the DVC project"),
    ("make", "runs rules of the whole project"),
    ("just", "runs rules of the whole project"),
    ("poetry", "looks for the project and for its environment under HOME"),
    ("pipenv", "looks for the project and for its environment under HOME"),
    ("pdm", "looks for the project and for its environment under HOME"),
    ("hatch", "looks for the project and for its environment under HOME"),
    ("uv", "looks for the project and keeps its environment beside it"),
    ("conda", "looks for its environments under HOME"),
    ("mamba", "looks for its environments under HOME"),
    ("docker", "gets the folder of the project from outside"),
    ("kedro", "works on the project as a whole"),
    ("snakemake", "works on the project as a whole"),
    ("dbt", "works on the project as a whole"),
];

/// Builds the text of the pipeline.
pub(super) fn build(files: &dyn Files, file: &str, name: &str, project: Project, notes: &mut Vec<Note>) -> Built {
    let base = path::parent(file).to_owned();
    let workspace = workspace(&base, &project);
    let folders = data::folders(files, &base, &project.stages);
    let mut builder = Builder {
        files,
        file,
        workspace,
        folders,
        locked: data::locked(files, &base, &project.stages),
        models: project.models,
        kinds: project.kinds,
        taken: Taken::default(),
        params: Params::default(),
        metrics: Metrics::default(),
        outputs: Outputs::default(),
        frozen: BTreeMap::new(),
        sources: Vec::new(),
        source_names: BTreeMap::new(),
        edges: Vec::new(),
        notes,
    };
    let (frozen, stages): (Vec<Stage>, Vec<Stage>) = project.stages.into_iter().partition(|stage| stage.frozen);
    let names: Vec<String> = stages
        .iter()
        .map(|stage| builder.taken.take([stage.name.as_str(), &format!("{}_stage", stage.name)]))
        .collect();
    let outs: Vec<Vec<Out>> =
        stages.iter().enumerate().map(|(index, stage)| builder.outs(index, stage, &names[index])).collect();
    for stage in &frozen {
        builder.freeze(stage);
    }
    builder.edges = vec![BTreeSet::new(); stages.len()];
    let mut written: Vec<Written> = Vec::new();
    for (index, (stage, outs)) in stages.iter().zip(outs).enumerate() {
        let made = builder.stage(index, stage, &names, outs);
        written.push(made);
    }
    let Builder { workspace, params, metrics, sources, .. } = builder;
    let text = write::pipeline(name, file, &params.declared, &metrics.declared, &sources, &written);
    Built { workspace, text }
}

/// Returns the folder that holds everything: that of the file, or the root where something lies beside it.
fn workspace(base: &str, project: &Project) -> String {
    let inside = |path: &str| is_in(path, base);
    let all = project.stages.iter().all(|stage| {
        inside(&stage.folder)
            && stage.deps.iter().all(|dep| inside(&dep.path))
            && stage.outs.iter().all(|out| inside(&out.path))
            && stage.params.iter().all(|param| inside(&param.file))
    });
    if all { base.to_owned() } else { String::new() }
}

struct Builder<'a> {
    files: &'a dyn Files,
    file: &'a str,
    workspace: String,
    folders: BTreeSet<String>,
    /// What `dvc.lock` names of frozen stages.
    locked: BTreeSet<String>,
    models: Vec<String>,
    kinds: BTreeMap<String, OutKind>,
    taken: Taken,
    params: Params,
    metrics: Metrics,
    outputs: Outputs,
    /// Outputs of frozen stages, with the stage.
    frozen: BTreeMap<String, String>,
    sources: Vec<Source>,
    source_names: BTreeMap<String, String>,
    /// Stages that each stage reads.
    edges: Vec<BTreeSet<usize>>,
    notes: &'a mut Vec<Note>,
}

/// What a stage reads, as it is being found.
#[derive(Default)]
struct Reads {
    /// Local name, what is read, and its path.
    inputs: Vec<(String, String, String)>,
    code: Vec<String>,
}

impl Builder<'_> {
    fn note(&mut self, line: u32, remark: Remark, text: String) {
        self.notes.push(Note { file: self.file.to_owned(), line, remark, text });
    }

    fn here<'p>(&self, path: &'p str) -> &'p str {
        path::from(path, &self.workspace)
    }

    /// Declares the outputs of a stage.
    fn outs(&mut self, index: usize, stage: &Stage, name: &str) -> Vec<Out> {
        let mut taken = Taken::default();
        let mut made = Vec::new();
        for out in &stage.outs {
            let candidates = names::of_path(self.here(&out.path));
            let local = taken.take(candidates.iter().map(String::as_str));
            if let Some((other, _)) = self.outputs.holding(&out.path) {
                let text = format!(
                    "`{}`: `{}` is or lies in the output `{other}`: it is no output of its own",
                    stage.name, out.path
                );
                self.note(out.line, Remark::Lost, text);
                continue;
            }
            self.outputs.0.insert(out.path.clone(), (index, local.clone()));
            let kind = match out.kind {
                OutKind::Plain => self.kinds.get(&out.path).copied().unwrap_or(OutKind::Plain),
                kind => kind,
            };
            let shape = data::shape(self.files, &self.folders, &out.path);
            let ty = match kind {
                OutKind::Plot if shape != Shape::File => "Dir".to_owned(),
                OutKind::Plot => "Plot".to_owned(),
                OutKind::Metrics if path::extension(&out.path) == "json" => {
                    match self.metrics.of(self.files, &out.path, name, &mut self.taken) {
                        Some(declared) => {
                            let text = format!(
                                "`{name}.{local}`: say `higher` or `lower` for each number of `{declared}`, and `of` which model it is, \
                                 before a gate asks for it"
                            );
                            self.note(out.line, Remark::Step, text);
                            format!("Metrics<{declared}>")
                        }
                        None => {
                            let text = format!(
                                "`{name}.{local}`: `{}` is not there to read, so its numbers have no names here; declare \
                                 `metrics …` and write `Metrics<…>` before a gate asks for them",
                                out.path
                            );
                            self.note(out.line, Remark::Step, text);
                            "Report".to_owned()
                        }
                    }
                }
                OutKind::Metrics => {
                    let text = format!("`{name}.{local}`: metrics are JSON here; `{}` is a report", out.path);
                    self.note(out.line, Remark::Step, text);
                    "Report".to_owned()
                }
                OutKind::Plain => {
                    let model = self.models.contains(&out.path) || data::looks_like_model(&out.path);
                    if shape == Shape::GuessedFolder && !model {
                        let text = format!(
                            "`{name}.{local}`: `{}` is taken for a folder; if it is a file, its type is `File`",
                            out.path
                        );
                        self.note(out.line, Remark::Look, text);
                    }
                    data::type_of(&out.path, shape, model)
                }
            };
            made.push(Out { name: local, ty, path: self.here(&out.path).to_owned(), doc: out.desc.clone() });
        }
        made
    }

    /// Takes the outputs of a frozen stage as data.
    fn freeze(&mut self, stage: &Stage) {
        for out in &stage.outs {
            self.frozen.insert(out.path.clone(), stage.name.clone());
        }
        let text = format!(
            "`{}` is frozen: what it made is taken as data, and it is no stage here. To run it again, thaw it in DVC and import anew",
            stage.name
        );
        self.note(stage.line, Remark::Look, text);
    }

    fn stage(&mut self, index: usize, stage: &Stage, names: &[String], outs: Vec<Out>) -> Written {
        let name = &names[index];
        let workspace = self.workspace.clone();
        let (params, taken) = (&mut self.params, &mut self.taken);
        let mut script = script::write(&stage.commands, |origin, value| params.name(origin, value, &workspace, taken));
        for (value, why) in std::mem::take(&mut script.fixed) {
            let text = format!("`{name}`: `{value}` stands in the command as it is now: {why}");
            self.note(stage.command_line, Remark::Look, text);
        }
        let mut local = Taken::default();
        for word in outs.iter().map(|out| &out.name).chain(&script.uses) {
            local.take([word.as_str()]);
        }
        let mut reads = Reads::default();
        for dep in &stage.deps {
            self.dep(index, stage, &dep.path, names, &mut local, &mut reads, dep.line);
        }
        self.undeclared(index, stage, &script.text, names, &mut local, &mut reads);
        self.imports(stage, &script.text, &mut reads);
        let off = self.isolation(stage, &script.text);
        let mut written = Written {
            name: name.clone(),
            doc: stage.desc.clone(),
            outs,
            uses: script.uses.clone(),
            rerun: stage.always
                || stage.unpinned
                || (stage.deps.is_empty() && stage.outs.is_empty() && stage.params.is_empty()),
            off: off.is_some(),
            pass: script::variables(&script.text),
            ..Written::default()
        };
        written.pass.retain(|name| !written.uses.contains(name));
        let asked: Vec<_> =
            written.pass.iter().filter(|name| name.as_str() != "HOME").map(|name| format!("`{name}`")).collect();
        if !asked.is_empty() {
            let text = format!(
                "`{name}`: set {} where mlpc runs: a script ends at a variable that is not set",
                asked.join(", ")
            );
            self.note(stage.command_line, Remark::Look, text);
        }
        if let Some(why) = off {
            written.pass.push("HOME".to_owned());
            let text = format!(
                "`{name}` runs with `isolation off`, since {why}; take it away once the stage declares what it reads (`mlpc run {name} \
                 --keep` shows its folder)"
            );
            self.note(stage.command_line, Remark::Step, text);
        }
        let mut text = String::new();
        self.parameters(stage, &mut written, &script, &mut reads, &mut text);
        let folder = self.here(&stage.folder).to_owned();
        if stage.folder != workspace && !folder.is_empty() {
            let filled = reads.code.iter().any(|code| is_in(code, &stage.folder))
                || reads.inputs.iter().any(|(_, _, path)| is_in(path, &stage.folder) && *path != stage.folder)
                || written.outs.iter().any(|out| is_in(path::parent(&out.path), &folder));
            let shown = if folder.contains(|c: char| !(c.is_alphanumeric() || "_-./".contains(c))) {
                format!("'{folder}'")
            } else {
                folder
            };
            text.push_str(&if filled { format!("cd {shown}\n") } else { format!("mkdir -p {shown} && cd {shown}\n") });
        }
        text.push_str(&script.text);
        written.script = text;
        written.code = reads.code.iter().map(|path| self.here(path).to_owned()).collect();
        written.inputs = reads.inputs.into_iter().map(|(local, origin, _)| (local, origin)).collect();
        written
    }

    /// Declares what a stage reads at a path.
    #[allow(clippy::too_many_arguments, reason = "one place of each is what a dependency is judged by")]
    fn dep(
        &mut self,
        index: usize,
        stage: &Stage,
        dep: &str,
        names: &[String],
        local: &mut Taken,
        reads: &mut Reads,
        line: u32,
    ) {
        if stage.outs.iter().any(|out| out.path == dep) {
            let text = format!("`{}` reads its own output `{dep}`: here it is made from nothing each time", stage.name);
            self.note(line, Remark::Lost, text);
            return;
        }
        if let Some((path, (other, output))) =
            self.outputs.holding(dep).map(|(path, made)| (path.to_owned(), made.clone()))
        {
            if other != index {
                self.edge(index, other, &output, &path, names, local, reads);
            }
            return;
        }
        let below: Vec<_> =
            self.outputs.below(dep).into_iter().map(|(path, made)| (path.to_owned(), made.clone())).collect();
        if below.is_empty() {
            if data::is_code(self.files, dep) {
                add(&mut reads.code, dep);
            } else {
                self.source(dep, local, reads, line);
            }
            return;
        }
        for (path, (other, output)) in &below {
            if *other != index {
                self.edge(index, *other, output, path, names, local, reads);
            }
        }
        // What else lies in that folder is no output.
        let rest: Vec<String> =
            self.files.below(dep).into_iter().filter(|file| self.outputs.holding(file).is_none()).collect();
        for file in &rest {
            match file.strip_suffix(".dvc") {
                Some(tracked) if path::name(file) != ".dvc" => self.source(tracked, local, reads, line),
                _ if path::name(file) == ".gitignore" || data::is_tracked(self.files, file) => {}
                _ if data::is_code(self.files, file) => add(&mut reads.code, file),
                _ => self.source(file, local, reads, line),
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "an edge has two ends, and a name at each")]
    fn edge(
        &mut self,
        index: usize,
        other: usize,
        output: &str,
        path: &str,
        names: &[String],
        local: &mut Taken,
        reads: &mut Reads,
    ) {
        self.edges[index].insert(other);
        let origin = format!("{}.{output}", names[other]);
        if reads.inputs.iter().all(|(_, have, _)| *have != origin) {
            let name = local.take([output, &format!("{}_{output}", names[other]), &format!("{output}_in")]);
            reads.inputs.push((name, origin, path.to_owned()));
        }
    }

    fn source(&mut self, path: &str, local: &mut Taken, reads: &mut Reads, line: u32) {
        let name = match self.source_names.get(path) {
            Some(name) => name.clone(),
            None => {
                let candidates = names::of_path(self.here(path));
                let name = self.taken.take(candidates.iter().map(String::as_str));
                let shape = data::shape(self.files, &self.folders, path);
                let frozen = self.frozen.get(path).cloned();
                if shape == Shape::GuessedFolder {
                    let text = format!(
                        "the source `{name}`: `{path}` is taken for a folder; if it is a file, its type is `File`"
                    );
                    self.note(line, Remark::Look, text);
                }
                self.sources.push(Source {
                    name: name.clone(),
                    ty: data::type_of(path, shape, false),
                    path: self.here(path).to_owned(),
                    dvc: data::is_tracked(self.files, path) || self.locked.contains(path),
                    doc: frozen.map(|stage| format!("What the frozen stage `{stage}` made.")),
                });
                self.source_names.insert(path.to_owned(), name.clone());
                name
            }
        };
        if reads.inputs.iter().all(|(_, have, _)| *have != name) {
            let local = local.take([name.as_str(), &format!("{name}_in")]);
            reads.inputs.push((local, name, path.to_owned()));
        }
    }

    /// Finds what the command names and `deps` does not: outputs of others, data and programs.
    fn undeclared(
        &mut self,
        index: usize,
        stage: &Stage,
        script: &str,
        names: &[String],
        local: &mut Taken,
        reads: &mut Reads,
    ) {
        for word in script::words(script) {
            let path::Place::Inside(path) = path::place(&stage.folder, &word) else { continue };
            let known = stage.deps.iter().any(|dep| is_in(&path, &dep.path))
                || stage.outs.iter().any(|out| is_in(&path, &out.path) || is_in(&out.path, &path));
            if known || !word.contains(['/', '.']) {
                continue;
            }
            let said = match self.outputs.0.get(&path).cloned() {
                Some((other, output)) if other != index && !self.reaches(other, index) => {
                    self.edge(index, other, &output, &path, names, local, reads);
                    "it is an input now"
                }
                Some(_) => continue,
                None if self.files.kind(&path) != Some(Kind::File) && !data::is_tracked(self.files, &path) => continue,
                None if data::is_tracked(self.files, &path) || !data::is_code(self.files, &path) => {
                    self.source(&path, local, reads, stage.command_line);
                    "it is an input now"
                }
                None => {
                    add(&mut reads.code, &path);
                    "it is part of `code` now"
                }
            };
            let text = format!("`{}`: `{path}` stands in the command and not in `deps`: {said}", stage.name);
            self.note(stage.command_line, Remark::Look, text);
        }
    }

    /// Tells whether a stage reads another one, directly or not, as far as is known.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let (mut left, mut seen) = (vec![from], BTreeSet::new());
        while let Some(at) = left.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                left.extend(self.edges[at].iter().copied());
            }
        }
        false
    }

    /// Finds what Python programs import of the project.
    fn imports(&mut self, stage: &Stage, script: &str, reads: &mut Reads) {
        let mut roots = vec![stage.folder.clone(), self.workspace.clone()];
        for word in script.split_whitespace() {
            if let Some(list) = word.strip_prefix("PYTHONPATH=") {
                roots.extend(list.trim_matches(['"', '\'']).split(':').map(|root| path::join(&stage.folder, root)));
            }
        }
        let mut programs: Vec<String> =
            reads.code.iter().filter(|path| path::extension(path) == "py").cloned().collect();
        let words: Vec<&str> = script.split_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "-m") {
            let module: Vec<String> = pair[1].split('.').map(str::to_owned).collect();
            for root in &roots {
                for file in python::module_files(self.files, root, &module) {
                    if !programs.contains(&file) {
                        programs.push(file);
                    }
                }
            }
        }
        let mut missing: BTreeSet<String> = BTreeSet::new();
        for program in &programs {
            missing.extend(python::reached(self.files, program, &roots));
            missing.insert(program.clone());
        }
        missing.retain(|file| !reads.code.iter().any(|code| is_in(file, code)));
        if missing.is_empty() {
            return;
        }
        let shown: Vec<_> = missing.iter().take(4).map(|file| format!("`{}`", self.here(file))).collect();
        let more = missing.len().saturating_sub(4);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let text = format!(
            "`{}`: {}{more} are imported and not in `deps`: they are part of `code` now",
            stage.name,
            shown.join(", ")
        );
        self.note(stage.line, Remark::Look, text);
        for folder in missing.iter().map(|file| path::parent(file).to_owned()).collect::<BTreeSet<_>>() {
            let of_folder: Vec<_> = missing.iter().filter(|file| path::parent(file) == folder).collect();
            if of_folder.len() > 4 && !folder.is_empty() {
                add(&mut reads.code, &format!("{folder}/*.py"));
            } else {
                for file in of_folder {
                    add(&mut reads.code, file);
                }
            }
        }
    }

    /// Returns why a stage has to see the whole workspace, if it has to.
    fn isolation(&self, stage: &Stage, script: &str) -> Option<String> {
        let _ = stage;
        let programs = script::programs(script);
        let (program, why) = WHOLE.iter().find(|(name, _)| programs.iter().any(|program| program == name))?;
        Some(format!("`{program}` {why}"))
    }

    /// Declares the parameters that a stage names. A program that reads them from their file finds one there with what
    /// the stage declares and nothing else; where that can't be written, it gets the whole file.
    fn parameters(
        &mut self,
        stage: &Stage,
        written: &mut Written,
        script: &script::Script,
        reads: &mut Reads,
        text: &mut String,
    ) {
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
            let whole = |this: &mut Self, reads: &mut Reads, why: &str| {
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
                    for (_, name, _) in &leaves {
                        add(&mut written.uses, name);
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
    #[allow(clippy::type_complexity)]
    fn leaves(
        &mut self,
        root: &serde_yaml::Value,
        file: &str,
        wanted: &[Vec<String>],
    ) -> Result<Vec<(Vec<String>, String, bool)>, String> {
        let mut found: Vec<(Vec<String>, serde_yaml::Value)> = Vec::new();
        for keys in wanted {
            let value =
                super::template::descend(root, keys).ok_or_else(|| format!("it has no `{}`", keys.join(".")))?;
            flatten(value, keys.clone(), &mut found);
        }
        let mut leaves: Vec<(Vec<String>, serde_yaml::Value)> = Vec::new();
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
            if super::params::type_of(&value).is_none() {
                return Err(format!("`{shown}` is a list, nothing, or text of several lines, which no variable holds"));
            }
            if leaves.iter().all(|(have, _)| *have != keys) {
                leaves.push((keys, value));
            }
        }
        // Declared only now: what one value rules out needs no parameters.
        let named = leaves.into_iter().filter_map(|(keys, value)| {
            let origin = Origin::File { file: file.to_owned(), keys: keys.clone() };
            let name = self.params.name(&origin, &value, &self.workspace, &mut self.taken)?;
            Some((keys, name, value.is_string()))
        });
        Ok(named.collect())
    }
}

fn flatten(value: &serde_yaml::Value, keys: Vec<String>, found: &mut Vec<(Vec<String>, serde_yaml::Value)>) {
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

fn add(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|have| have == item) {
        list.push(item.to_owned());
    }
}

/// What a stage asks of a file of parameters: the key, or all of it, and the line that asks.
type Asked = (Option<Vec<String>>, u32);
