//! A plan as a drawing, and the order of its nodes.

use std::collections::{HashMap, HashSet};

use super::{Node, NodeKind, Plan, Reaction, Why};
use crate::graph::{Drawing, Line, Shape, Vertex, order};
use crate::types::Origin;

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

    /// Adds what stands beside the runs to a drawing: monitors with what they look at and what they set off.
    pub fn draw_beside(&self, drawing: &mut Drawing) {
        for monitor in &self.beside.monitors {
            let looked = [("current", Some(&monitor.current)), ("reference", monitor.reference.as_ref())];
            let looked: Vec<(usize, &str)> = looked
                .into_iter()
                .filter_map(|(word, origin)| Some((word, origin?)))
                .flat_map(|(word, origin)| self.makers(drawing, origin).into_iter().map(move |at| (at, word)))
                .collect();
            let own = vertex(drawing, &monitor.name, "monitor", Shape::Watch);
            let line = |from, to, text: &str| Line { from, to, text: text.to_owned(), broken: true };
            drawing.lines.extend(looked.into_iter().map(|(from, word)| line(from, own, word)));
            for reaction in &monitor.on_breach {
                let to = match reaction {
                    Reaction::Emit { event, .. } => vertex(drawing, &format!("{event:?}"), "event", Shape::Round),
                    Reaction::Notify(name) => vertex(drawing, name, "notify", Shape::Round),
                };
                drawing.lines.push(line(own, to, "on breach"));
            }
        }
    }

    /// Returns where in a drawing an artifact comes from: its source, or what moves the pointer that names it.
    fn makers(&self, drawing: &mut Drawing, origin: &Origin) -> Vec<usize> {
        let Origin::Pointer { registry, pointer } = origin else {
            let word = if matches!(origin, Origin::Source(_)) { "source" } else { "output" };
            return vec![vertex(drawing, &origin.to_string(), word, Shape::Store)];
        };
        let moves = |node: &&Node| match &node.kind {
            NodeKind::Promote(it) => it.registry == *registry && it.pointer == *pointer,
            NodeKind::Rollout(it) => {
                it.promote.as_ref().is_some_and(|it| it.registry == *registry && it.pointer == *pointer)
            }
            _ => false,
        };
        let makers: Vec<usize> = (self.nodes.iter().filter(moves))
            .filter_map(|node| {
                let folded = declared(&node.name);
                let named =
                    |vertex: &Vertex| vertex.name == node.name || vertex.name.split(' ').next() == Some(&folded);
                drawing.vertices.iter().position(named)
            })
            .collect();
        match makers.is_empty() {
            true => vec![vertex(drawing, &origin.to_string(), "pointer", Shape::Store)],
            false => makers,
        }
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

/// Returns the vertex of this name and word, which is added where it is not there.
fn vertex(drawing: &mut Drawing, name: &str, kind: &str, shape: Shape) -> usize {
    let found = drawing.vertices.iter().position(|vertex| vertex.name == name && vertex.kind == kind);
    found.unwrap_or_else(|| {
        drawing.vertices.push(Vertex { name: name.to_owned(), kind: kind.to_owned(), shape });
        drawing.vertices.len() - 1
    })
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
