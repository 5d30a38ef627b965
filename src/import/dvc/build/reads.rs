//! What a stage reads: what it says, and what it left unsaid and an isolated folder needs.

use std::collections::BTreeSet;

use super::super::data::{self, Made, Shape};
use super::super::names::{self, Taken};
use super::super::path::{self, is_in};
use super::super::project::{Dep, Stage};
use super::super::write::Source;
use super::super::{python, script};
use super::{Builder, add};
use crate::import::{Kind, Remark};

/// A stage and what it reads, as it is being found.
pub(super) struct Reads<'s> {
    pub(super) index: usize,
    pub(super) stage: &'s Stage,
    /// What all stages are called here.
    names: &'s [String],
    /// Names inside of the stage.
    local: Taken,
    /// Local name, what is read, and its path.
    pub(super) inputs: Vec<(String, String, String)>,
    pub(super) code: Vec<String>,
}

impl<'s> Reads<'s> {
    /// Begins with the names that outputs and parameters have inside of the stage.
    pub(super) fn new<'w>(
        index: usize,
        stage: &'s Stage,
        names: &'s [String],
        words: impl Iterator<Item = &'w String>,
    ) -> Self {
        let mut local = Taken::default();
        for word in words {
            local.take([word.as_str()]);
        }
        Self { index, stage, names, local, inputs: Vec::new(), code: Vec::new() }
    }
}

impl Builder<'_> {
    /// Finds all that a stage reads.
    pub(super) fn find_reads(&mut self, reads: &mut Reads<'_>, script: &str) {
        for dep in &reads.stage.deps {
            self.dep(reads, dep);
        }
        self.undeclared(reads, script);
        self.imports(reads, script);
    }

    /// Declares what a stage reads at a path.
    fn dep(&mut self, reads: &mut Reads<'_>, dep: &Dep) {
        let (stage, line, dep) = (reads.stage, dep.line, dep.path.as_str());
        if stage.outs.iter().any(|out| out.path == dep) {
            let text = format!("`{}` reads its own output `{dep}`: here it is made from nothing each time", stage.name);
            self.note(line, Remark::Lost, text);
            return;
        }
        if let Some((path, made)) = self.outputs.holding(dep).map(|(path, made)| (path.to_owned(), made.clone())) {
            if made.0 != reads.index {
                self.edge(reads, &made, &path);
            }
            return;
        }
        let below: Vec<_> =
            self.outputs.below(dep).into_iter().map(|(path, made)| (path.to_owned(), made.clone())).collect();
        if below.is_empty() {
            if data::is_code(self.files, dep) {
                add(&mut reads.code, dep);
            } else {
                self.source(reads, dep, line);
            }
            return;
        }
        for (path, made) in &below {
            if made.0 != reads.index {
                self.edge(reads, made, path);
            }
        }
        // What else lies in that folder is no output.
        let rest: Vec<String> =
            self.files.below(dep).into_iter().filter(|file| self.outputs.holding(file).is_none()).collect();
        for file in &rest {
            match file.strip_suffix(".dvc") {
                Some(tracked) if path::name(file) != ".dvc" => self.source(reads, tracked, line),
                _ if path::name(file) == ".gitignore" || data::is_tracked(self.files, file) => {}
                _ if data::is_code(self.files, file) => add(&mut reads.code, file),
                _ => self.source(reads, file, line),
            }
        }
    }

    /// Declares that a stage reads an output of another one.
    fn edge(&mut self, reads: &mut Reads<'_>, made: &Made, path: &str) {
        let (other, output) = (made.0, made.1.as_str());
        self.edges[reads.index].insert(other);
        let origin = format!("{}.{output}", reads.names[other]);
        if reads.inputs.iter().all(|(_, have, _)| *have != origin) {
            let name = reads.local.take([output, &format!("{}_{output}", reads.names[other]), &format!("{output}_in")]);
            reads.inputs.push((name, origin, path.to_owned()));
        }
    }

    /// Declares that a stage reads data that no stage makes.
    fn source(&mut self, reads: &mut Reads<'_>, path: &str, line: u32) {
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
            let local = reads.local.take([name.as_str(), &format!("{name}_in")]);
            reads.inputs.push((local, name, path.to_owned()));
        }
    }

    /// Finds what the command names and `deps` does not: outputs of others, data and programs.
    fn undeclared(&mut self, reads: &mut Reads<'_>, script: &str) {
        let (index, stage) = (reads.index, reads.stage);
        for word in script::words(script) {
            let path::Place::Inside(path) = path::place(&stage.folder, &word) else { continue };
            let known = stage.deps.iter().any(|dep| is_in(&path, &dep.path))
                || stage.outs.iter().any(|out| is_in(&path, &out.path) || is_in(&out.path, &path));
            if known || !word.contains(['/', '.']) {
                continue;
            }
            let said = match self.outputs.0.get(&path).cloned() {
                Some(made) if made.0 != index && !self.reaches(made.0, index) => {
                    self.edge(reads, &made, &path);
                    "it is an input now"
                }
                Some(_) => continue,
                None if self.files.kind(&path) != Some(Kind::File) && !data::is_tracked(self.files, &path) => continue,
                None if data::is_tracked(self.files, &path) || !data::is_code(self.files, &path) => {
                    self.source(reads, &path, stage.command_line);
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
    fn imports(&mut self, reads: &mut Reads<'_>, script: &str) {
        let stage = reads.stage;
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
}
