//! A plan as a drawing, and the order of its nodes.

use std::collections::{HashMap, HashSet};

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

    /// Draws the plan with one vertex for all legs of a loop: `train ×15`.
    #[must_use]
    pub fn folded(&self) -> Drawing {
        let whole = self.drawing();
        let looped: HashSet<&str> =
            self.nodes.iter().filter(|node| node.leg.is_some()).map(|node| node.name.as_str()).collect();
        let mut at: HashMap<String, usize> = HashMap::new();
        let mut count: Vec<usize> = Vec::new();
        let mut vertices: Vec<Vertex> = Vec::new();
        let mut place = Vec::with_capacity(whole.vertices.len());
        for vertex in whole.vertices {
            let name = if looped.contains(vertex.name.as_str()) { declared(&vertex.name) } else { vertex.name.clone() };
            let index = *at.entry(name.clone()).or_insert(vertices.len());
            if index == vertices.len() {
                vertices.push(Vertex { name, ..vertex });
                count.push(0);
            }
            count[index] += 1;
            place.push(index);
        }
        for (vertex, count) in vertices.iter_mut().zip(count).filter(|(_, count)| *count > 1) {
            vertex.name = format!("{} ×{count}", vertex.name);
        }
        let mut drawn: HashSet<(usize, usize, String, bool)> = HashSet::new();
        let mut lines = Vec::new();
        for line in whole.lines {
            let (from, to) = (place[line.from], place[line.to]);
            if from != to && drawn.insert((from, to, line.text.clone(), line.broken)) {
                lines.push(Line { from, to, ..line });
            }
        }
        lines.sort_by_key(|line| line.to);
        Drawing { name: whole.name, vertices, lines }
    }

    fn indices(&self) -> HashMap<&str, usize> {
        self.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect()
    }
}

/// Returns the name of a leg without its values: `evaluate@quality` of `evaluate[nord]@quality[nord]`.
fn declared(name: &str) -> String {
    let parts = name.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
    parts.collect()
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
