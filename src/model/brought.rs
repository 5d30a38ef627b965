//! What an artifact brings along: what it was made of. A package, an image, a converted model, the tag that a push gave are the model to
//! whoever acts on them.

use std::collections::HashSet;

use super::{Model, NodeId, Origin, Output, OutputId};
use crate::types::Artifact;

impl Model {
    /// Returns an artifact, and all that it was made of. Numbers and pages about a model are not made of it: they may be shown when a
    /// gate says no.
    #[must_use]
    pub fn brought<'m>(&'m self, origin: &'m Origin) -> Vec<&'m Origin> {
        let mut found = vec![origin];
        let mut stages: HashSet<NodeId> = HashSet::new();
        let mut at = 0;
        while let Some(&next) = found.get(at) {
            at += 1;
            if self.carrying(next).is_some_and(|id| stages.insert(id.node)) {
                found.extend(self.made_of(next));
            }
        }
        found
    }

    /// Iterates over what an artifact was made of, one step back: what the stage read that made it.
    pub fn made_of(&self, origin: &Origin) -> impl Iterator<Item = &Origin> + use<'_> {
        let stage = self.carrying(origin).and_then(|id| self.stage(id.node));
        stage.into_iter().flat_map(|stage| &stage.work.inputs).map(|input| &input.origin)
    }

    /// Returns the output that an artifact is, where what it was made of may be in it.
    fn carrying(&self, origin: &Origin) -> Option<OutputId> {
        match origin {
            Origin::Output(id) => self.output(*id).filter(|output| carries(output)).map(|_| *id),
            Origin::Source(_) | Origin::Pointer(_) => None,
        }
    }
}

/// Tells whether what an output was made of may be in it. A value may name a thing that was made: an image by its tag.
fn carries(output: &Output) -> bool {
    let about = matches!(
        output.ty,
        Artifact::Metrics { .. } | Artifact::Tests | Artifact::Report | Artifact::Plot | Artifact::Predictions(_)
    );
    output.value.is_some() || !about
}
