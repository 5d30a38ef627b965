//! Stages of DVC as stages of the language: what each path is, which parameters, what has to be in the folder.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{self, Outputs};
use super::fold;
use super::metrics::Metrics;
use super::names::Taken;
use super::params::Params;
use super::path::{self, is_in};
use super::project::{OutKind, Project, Stage};
use super::script;
use super::write::{self, Out, Source, Written};
use crate::import::{Files, Note, Remark};

mod outputs;
mod parameters;
mod reads;

use reads::Reads;

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
    builder.params.outputs = outs.iter().flatten().map(|out| out.name.clone()).collect();
    for stage in &frozen {
        builder.freeze(stage);
    }
    builder.edges = vec![BTreeSet::new(); stages.len()];
    let mut legs: Vec<fold::Built> = Vec::new();
    for (index, (stage, outs)) in stages.iter().zip(outs).enumerate() {
        let written = builder.stage(index, stage, &names, outs);
        legs.push(fold::Built { written, leg: stage.leg.clone(), dvc: stage.name.clone(), line: stage.line });
    }
    let Builder { workspace, params, metrics, sources, mut taken, notes, .. } = builder;
    let written = fold::fold(legs, &mut taken, file, notes);
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

impl Builder<'_> {
    fn note(&mut self, line: u32, remark: Remark, text: String) {
        self.notes.push(Note { file: self.file.to_owned(), line, remark, text });
    }

    fn here<'p>(&self, path: &'p str) -> &'p str {
        path::from(path, &self.workspace)
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
        let words = outs.iter().map(|out| &out.name).chain(&script.uses);
        let mut reads = Reads::new(index, stage, names, words);
        self.find_reads(&mut reads, &script.text);
        let off = isolation(&script.text);
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
        let mut text = self.parameters(&mut reads, &mut written, &script);
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
}

/// Returns why a stage has to see the whole workspace, if it has to.
fn isolation(script: &str) -> Option<String> {
    let programs = script::programs(script);
    let (program, why) = WHOLE.iter().find(|(name, _)| programs.iter().any(|program| program == name))?;
    Some(format!("`{program}` {why}"))
}

fn add(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|have| have == item) {
        list.push(item.to_owned());
    }
}
