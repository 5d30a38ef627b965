//! What a command could mean by a name that nothing gives it: an input that was forgotten.

use super::{Input, Model, NodeKind, Origin, OutputId};
use crate::diagnostic::nearest;
use crate::source::Span;

/// At most so many are named.
const SHOWN: usize = 4;

impl Model {
    /// Returns in words what to write for a name that stands at a place without anything that gives it, beside the inputs
    /// that there are: what is called so, or nearly so, else what the stages before make and is not read yet, the last one
    /// first. Nothing where there is none.
    #[must_use]
    pub fn forgotten_input(&self, inputs: &[Input], place: Span, name: &str) -> Option<String> {
        let read: Vec<&Origin> = inputs.iter().map(|input| &input.origin).collect();
        let is_before = |span: Span| span.file != place.file || span.end <= place.start;
        let mut there: Vec<(&str, String)> = Vec::new();
        // A leg is named by an index, which is not ours to guess.
        for (id, node) in self.nodes.iter().filter(|(_, node)| node.leg.is_none() && is_before(node.span)) {
            let NodeKind::Stage(stage) = &node.kind else { continue };
            for (index, output) in (0..).zip(&stage.outputs) {
                if !read.contains(&&Origin::Output(OutputId { node: id, index })) {
                    let written = format!("{}.{}", node.name.value, output.name.value);
                    there.push((output.name.value.as_str(), written));
                }
            }
        }
        there.reverse();
        for (id, source) in self.sources.iter() {
            if !read.contains(&&Origin::Source(id)) {
                there.push((source.name.value.as_str(), source.name.value.clone()));
            }
        }
        let called = |name: &str| there.iter().find(|(other, _)| *other == name);
        let meant = called(name).or_else(|| called(nearest(name, there.iter().map(|(other, _)| *other))?));
        if let Some((_, written)) = meant {
            let line = if written == name { name.to_owned() } else { format!("{name} = {written}") };
            return Some(format!("add it to what is read: `in {line}`"));
        }
        let (last, rest) = there.get(..there.len().min(SHOWN))?.split_last()?;
        let quoted: Vec<String> = rest.iter().map(|(_, written)| format!("`{written}`")).collect();
        let or = if rest.is_empty() { String::new() } else { format!("{} or ", quoted.join(", ")) };
        Some(format!("add it to what is read: `in {name} = …`, of {or}`{}`", last.1))
    }
}
