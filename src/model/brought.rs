//! What an artifact brings along: what it was made of. A package, an image, a converted model, the tag that a push gave are the model to
//! whoever acts on them.

use std::collections::HashSet;

use super::{Model, NodeId, Origin, Output, OutputId};
use crate::types::{Artifact, Type};

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

    /// Returns what the stage that made an artifact made beside it, and may have put into it: a script that trains may pack its model or
    /// push an image of it by itself. A model, a table and a number hold nothing but themselves.
    #[must_use]
    pub fn beside(&self, origin: &Origin) -> Vec<Origin> {
        let Some((id, output)) = self.carrying(origin).and_then(|id| Some((id, self.output(id)?))) else {
            return Vec::new();
        };
        if matches!(output.ty, Artifact::Model { .. } | Artifact::Dataset { .. } | Artifact::Predictions(_))
            || !names(output)
        {
            return Vec::new();
        }
        let all = self.stage(id.node).map(|stage| stage.outputs.iter()).into_iter().flatten();
        let others = (0..).zip(all).filter(|(index, other)| *index != id.index && carries(other));
        others.map(|(index, _)| Origin::Output(OutputId { node: id.node, index })).collect()
    }

    /// Tells whether an artifact can be a model or bring one: a number can't, a text may be the tag of an image.
    #[must_use]
    pub fn names_a_thing(&self, origin: &Origin) -> bool {
        let Origin::Output(id) = origin else { return true };
        self.output(*id).is_none_or(names)
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
    let about = matches!(output.ty, Artifact::Metrics { .. } | Artifact::Tests | Artifact::Report | Artifact::Plot);
    output.value.is_some() || !about
}

/// Tells whether a value of this type can be the name of something that was made.
fn names(output: &Output) -> bool {
    let is_number = |ty: &Type| {
        matches!(ty, Type::Bool | Type::Float(_) | Type::Ratio(_) | Type::Duration | Type::Bytes | Type::Timestamp)
    };
    !output.value.as_ref().is_some_and(|value| is_number(&value.ty))
}
