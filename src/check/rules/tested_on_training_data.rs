//! Numbers that are said to be of a test, and were measured over what the model was made from.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::Origin;

/// The split that no model may have seen.
const TEST: &str = "test";

pub(in crate::check) struct TestedOnTrainingData;

impl Rule for TestedOnTrainingData {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        let stages = model.nodes.iter().filter_map(|(id, _)| model.stage(id));
        for output in stages.flat_map(|stage| &stage.outputs).filter(|output| output.split.as_deref() == Some(TEST)) {
            let (Some(Origin::Output(of)), Some(over)) = (&output.of, &output.over) else { continue };
            let Some(maker) = model.stage(of.node) else { continue };
            let Some(read) = maker.work.inputs.iter().find(|input| input.origin == *over) else { continue };
            let (data, maker) = (model.written(over), &model.nodes[of.node].name.value);
            let message =
                format!("`{}` is measured over `{data}` as a test, and `{maker}` reads that too", output.name.value);
            found.push(
                Diagnostic::new(codes::TESTED_ON_TRAINING_DATA, output.name.span, message)
                    .label(read.span, "the model is made from it")
                    .help(format!(
                        "measure over data that `{maker}` does not read; if it keeps a part of it back, say so: `allow \
                         tested-on-training-data \"…\"`"
                    )),
            );
        }
    }
}
