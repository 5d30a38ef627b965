//! Cycles, each told once, along its shortest way round.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Edge, Graph};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Id, Model, NodeId, NodeKind};
use crate::types::Why;

/// Returns a diagnostic for each knot of nodes that wait for each other.
#[must_use]
pub fn cycles(model: &Model, graph: &Graph) -> Vec<Diagnostic> {
    let mut petgraph: DiGraph<(), ()> = DiGraph::with_capacity(graph.waits.len(), graph.waits.len());
    for _ in &graph.waits {
        petgraph.add_node(());
    }
    for (index, edges) in graph.waits.iter().enumerate() {
        for edge in edges {
            petgraph.add_edge(NodeIndex::new(index), NodeIndex::new(edge.to.index()), ());
        }
    }
    // Kosaraju's algorithm does not recurse: a chain of any length fits.
    let mut knots: Vec<Vec<NodeId>> = kosaraju_scc(&petgraph)
        .into_iter()
        .map(|knot| knot.into_iter().map(|node| NodeId::at(node.index())).collect())
        .collect();
    for knot in &mut knots {
        knot.sort_unstable();
    }
    knots.sort_unstable();
    knots.iter().filter_map(|knot| describe(model, graph, knot)).collect()
}

/// So many nodes of a round are named; of a longer one its begin and its end.
const NAMED: usize = 8;

fn describe(model: &Model, graph: &Graph, knot: &[NodeId]) -> Option<Diagnostic> {
    let &first = knot.first()?;
    let way = shortest(graph, knot, first)?;
    let name = |id: NodeId| model.nodes[id].name.value.as_str();
    let left_out = if way.len() > NAMED { NAMED / 2..way.len() - NAMED / 2 } else { 0..0 };
    let mut round = Vec::with_capacity(NAMED + 2);
    for (at, (from, _)) in way.iter().enumerate() {
        if at == left_out.start && !left_out.is_empty() {
            round.push(format!("… {} more …", left_out.len()));
        }
        if !left_out.contains(&at) {
            round.push(format!("`{}`", name(*from)));
        }
    }
    round.push(format!("`{}`", name(first)));
    let message = match way.as_slice() {
        [_] => format!("`{}` waits for itself", name(first)),
        _ => format!("these wait for each other: {}", round.join(" → ")),
    };
    let (from, edge) = way.first()?;
    let mut diagnostic =
        Diagnostic::new(codes::CYCLE, edge.span, message).here(reason(name(*from), name(edge.to), edge.why));
    let shown = way.iter().enumerate().skip(1).filter(|(at, _)| !left_out.contains(at));
    for (_, (from, edge)) in shown {
        diagnostic = diagnostic.label(edge.span, reason(name(*from), name(edge.to), edge.why));
    }
    let guarded = way.iter().any(|(_, edge)| edge.why == Why::Guard);
    let admitted = way.iter().find(|(_, edge)| edge.why == Why::Admission);
    Some(diagnostic.help(match admitted {
        _ if guarded => {
            "write `ungated` behind the input that shall not wait for its gate, or split the gate in two".to_owned()
        }
        Some((from, edge)) => match model.nodes[*from].kind {
            NodeKind::Action(_) => format!(
                "if `{}` comes before the decision, say so: `ungated` behind its input, or in its head `ungated \"reason\"`",
                name(*from)
            ),
            _ => format!(
                "`{}` decides whether `{}` happens, and can't wait for it: leave `of` out of the numbers that are measured \
                 afterwards, and let a gate of their own decide what comes behind",
                name(edge.to),
                name(*from)
            ),
        },
        None => "cut one of these edges".to_owned(),
    }))
}

fn reason(from: &str, to: &str, why: Why) -> String {
    match why {
        Why::Data => format!("`{from}` reads what `{to}` makes"),
        Why::After => format!("`{from}` comes after `{to}`"),
        Why::Guard => format!("`{from}` reads what the gate `{to}` is on, and so waits for it"),
        Why::Admission => format!("`{from}` releases the model that the gate `{to}` measured"),
        Why::Subject => format!("`{from}` is about what `{to}` makes"),
        Why::Baseline => format!("`{from}` compares with what `{to}` measures"),
        Why::Ask => format!("`{to}` asks for `{from}`"),
    }
}

/// Returns the shortest way from a node back to itself, inside its knot; none for a single node without an edge.
fn shortest(graph: &Graph, knot: &[NodeId], first: NodeId) -> Option<Vec<(NodeId, Edge)>> {
    let inside: HashSet<NodeId> = knot.iter().copied().collect();
    let mut came: HashMap<NodeId, (NodeId, Edge)> = HashMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(id) = queue.pop_front() {
        for &edge in graph.waits(id).iter().filter(|edge| inside.contains(&edge.to)) {
            if edge.to == first {
                let mut way = vec![(id, edge)];
                let mut at = id;
                while at != first {
                    let &(from, edge) = came.get(&at)?;
                    way.push((from, edge));
                    at = from;
                }
                way.reverse();
                return Some(way);
            }
            if let Entry::Vacant(unseen) = came.entry(edge.to) {
                unseen.insert((id, edge));
                queue.push_back(edge.to);
            }
        }
    }
    None
}
