//! What stages make: outputs with their types, and what frozen stages left as data.

use super::super::data::{self, Shape};
use super::super::names::{self, Taken};
use super::super::path;
use super::super::project::{OutKind, Stage};
use super::super::write::Out;
use super::Builder;
use crate::import::Remark;

impl Builder<'_> {
    /// Declares the outputs of a stage.
    pub(super) fn outs(&mut self, index: usize, stage: &Stage, name: &str) -> Vec<Out> {
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
    pub(super) fn freeze(&mut self, stage: &Stage) {
        for out in &stage.outs {
            self.frozen.insert(out.path.clone(), stage.name.clone());
        }
        let text = format!(
            "`{}` is frozen: what it made is taken as data, and it is no stage here. To run it again, thaw it in DVC and import anew",
            stage.name
        );
        self.note(stage.line, Remark::Look, text);
    }
}
