//! Numbers that are said to be of a test, and were measured over what the model was made from.

use std::collections::HashSet;

use super::common::Models;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Input, Model, NodeId, Origin};

/// The split that no model may have seen.
const TEST: &str = "test";

pub(in crate::check) struct TestedOnTrainingData;

impl Rule for TestedOnTrainingData {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        let models = Models::of(model);
        let stages = model.nodes.iter().filter_map(|(id, _)| model.stage(id));
        for output in stages.flat_map(|stage| &stage.outputs).filter(|output| output.split.as_deref() == Some(TEST)) {
            let (Some(of), Some(over)) = (&output.of, &output.over) else { continue };
            let Some((maker, read)) = reader(model, &models, of, over) else { continue };
            let (data, maker) = (model.written(over), &model.nodes[maker].name.value);
            let message =
                format!("`{}` is measured over `{data}` as a test, and `{maker}` reads that too", output.name.value);
            found.push(
                Diagnostic::new(codes::TESTED_ON_TRAINING_DATA, output.name.span, message)
                    .label(read.span, format!("`{}` is made from it", model.written(of)))
                    .help(format!(
                        "measure over data that `{maker}` does not read; if it keeps a part of it back, say so: `allow \
                         tested-on-training-data \"…\"`"
                    )),
            );
        }
    }
}

/// Returns the stage that reads the data to make a model, or one of the models that it was made of. Data is followed nowhere: what a
/// stage makes of a table may be the part of it that was kept back.
fn reader<'m>(model: &'m Model, models: &Models<'_>, of: &'m Origin, over: &Origin) -> Option<(NodeId, &'m Input)> {
    let (mut seen, mut open) = (HashSet::new(), vec![of]);
    while let Some(next) = open.pop() {
        let Origin::Output(id) = next else { continue };
        let Some(maker) = model.stage(id.node).filter(|_| seen.insert(id.node)) else { continue };
        if let Some(read) = maker.work.inputs.iter().find(|input| is_same(model, &input.origin, over)) {
            return Some((id.node, read));
        }
        open.extend(model.made_of(next).filter(|origin| models.has(origin)));
    }
    None
}

/// Tells whether two origins are one thing: two sources may be of one file.
fn is_same(model: &Model, one: &Origin, other: &Origin) -> bool {
    let place = |origin: &Origin| match origin {
        Origin::Source(id) => model.sources[*id].location.as_ref(),
        _ => None,
    };
    one == other || place(one).is_some_and(|one| Some(one) == place(other))
}
