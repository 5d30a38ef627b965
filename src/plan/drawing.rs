//! A plan as a drawing, and the order of its nodes.

use std::collections::HashMap;

use super::{Node, NodeKind, Plan, Why};
use crate::graph::{Drawing, Line, Shape, Vertex, order};

impl Plan {
    /// Returns the nodes so that each comes after all that it waits for, and else as declared.
    #[must_use]
    pub fn ordered(&self) -> Vec<&Node> {
        let index = self.indices();
        let waits: Vec<Vec<usize>> = self
            .nodes
            .iter()
            .map(|node| node.waits.iter().filter_map(|wait| index.get(wait.node.as_str()).copied()).collect())
            .collect();
        order(&waits).into_iter().map(|at| &self.nodes[at]).collect()
    }

    /// Draws the plan in the order in which it may run.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let ordered = self.ordered();
        let index: HashMap<&str, usize> =
            ordered.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
        let vertices = ordered.iter().map(|node| Vertex {
            name: node.name.clone(),
            kind: node.kind.keyword().to_owned(),
            shape: shape(node),
        });
        let mut lines: Vec<Line> = Vec::new();
        for (to, node) in ordered.iter().enumerate() {
            let mut last: Option<(usize, Line)> = None;
            for wait in &node.waits {
                let Some(&from) = index.get(wait.node.as_str()) else { continue };
                // One line for all reasons that two nodes have; data goes before the others.
                match &mut last {
                    Some((at, line)) if *at == from => {
                        line.broken &= broken(wait.why);
                        if line.text != word(wait.why) && !word(wait.why).is_empty() {
                            let comma = if line.text.is_empty() { "" } else { ", " };
                            line.text.push_str(comma);
                            line.text.push_str(word(wait.why));
                        }
                    }
                    _ => {
                        lines.extend(last.take().map(|(_, line)| line));
                        let text = word(wait.why).to_owned();
                        last = Some((from, Line { from, to, text, broken: broken(wait.why) }));
                    }
                }
            }
            lines.extend(last.map(|(_, line)| line));
        }
        Drawing { name: self.pipeline.clone(), vertices: vertices.collect(), lines }
    }

    fn indices(&self) -> HashMap<&str, usize> {
        self.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect()
    }
}

fn shape(node: &Node) -> Shape {
    match &node.kind {
        NodeKind::Stage(stage) if stage.baseline.is_some() => Shape::Derived,
        NodeKind::Stage(_) | NodeKind::Action(_) | NodeKind::Rollout(_) | NodeKind::Experiment(_) => Shape::Box,
        NodeKind::Gate(_) => Shape::Diamond,
        NodeKind::Approval(_) => Shape::Round,
        NodeKind::Register(_) | NodeKind::Promote(_) => Shape::Store,
    }
}

fn broken(why: Why) -> bool {
    matches!(why, Why::After | Why::Guard | Why::Admission | Why::Ask)
}

fn word(why: Why) -> &'static str {
    match why {
        Why::Data | Why::Subject => "",
        Why::After => "after",
        Why::Guard => "guard",
        Why::Admission => "admits",
        Why::Baseline => "baseline",
        Why::Ask => "asks",
    }
}
