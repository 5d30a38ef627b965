//! What an artifact brings along: what it was made of. A package, an image, a converted model, the tag that a push gave are the model to
//! whoever acts on them.

use std::collections::HashSet;

use crate::model::{Model, NodeId, Origin, Output};
use crate::types::Artifact;

/// Returns an artifact, and all that it was made of. Numbers and pages about a model are not made of it: they may be shown when a gate
/// says no.
pub(super) fn brought<'m>(model: &'m Model, origin: &'m Origin) -> Vec<&'m Origin> {
    let mut found = vec![origin];
    let mut stages: HashSet<NodeId> = HashSet::new();
    let mut at = 0;
    while let Some(&next) = found.get(at) {
        at += 1;
        let Origin::Output(id) = next else { continue };
        if model.output(*id).is_some_and(carries) && stages.insert(id.node) {
            let inputs = model.stage(id.node).map_or(&[][..], |stage| &stage.work.inputs);
            found.extend(inputs.iter().map(|input| &input.origin));
        }
    }
    found
}

/// Tells whether what an output was made of may be in it. A value may name a thing that was made: an image by its tag.
fn carries(output: &Output) -> bool {
    let about = matches!(
        output.ty,
        Artifact::Metrics { .. } | Artifact::Tests | Artifact::Report | Artifact::Plot | Artifact::Predictions(_)
    );
    output.value.is_some() || !about
}
