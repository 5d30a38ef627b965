//! What the comment on a pull request names and no run of a pull request comes to: it would never be shown.

use std::collections::HashMap;

use super::{Graph, may_lack, releases};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeId, Profile, Setting};
use crate::types::{Context, Names, TriggerKind, Type, Value, Why, foreseen};

/// Returns a diagnostic for each gate or output of a comment that is no part of a pull request's run, whatever happens in it.
#[must_use]
pub fn never_shown(model: &Model, graph: &Graph) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for trigger in model.triggers.iter().filter(|trigger| matches!(trigger.kind, TriggerKind::PullRequest { .. })) {
        let profile = trigger.profile.as_deref();
        let profile = profile.and_then(|name| model.profiles.iter().find(|profile| profile.name.value == name));
        let run = Run { model, graph, profile };
        let mut known = HashMap::new();
        for shown in &trigger.comment {
            let node = shown.value.node();
            let Some(root) = run.left_out(node, &mut known) else { continue };
            let (name, before) = (&model.nodes[node].name.value, &model.nodes[root]);
            let why = if before.when.as_ref().is_some_and(|when| foreseen(when, &run) == Some(false)) {
                "whose `when` is false there"
            } else {
                "which only a run that releases comes to"
            };
            let message = match root == node {
                true => format!("no run of a pull request comes to `{name}`, {why}"),
                false => {
                    format!("no run of a pull request comes to `{name}`: it waits for `{}`, {why}", before.name.value)
                }
            };
            let diagnostic = Diagnostic::new(codes::COMMENT_OF_NOTHING, shown.span, message)
                .label(before.name.span, "declared here")
                .help("leave it out of `comment`, or change when it runs");
            found.push(diagnostic);
        }
    }
    found
}

/// A run of a pull request, as far as it is known before.
struct Run<'m> {
    model: &'m Model,
    graph: &'m Graph,
    profile: Option<&'m Profile>,
}

impl Run<'_> {
    /// Returns why a node is no part of the run: itself, or the node that it waits for in the end.
    fn left_out(&self, id: NodeId, known: &mut HashMap<NodeId, Option<NodeId>>) -> Option<NodeId> {
        // Each node is looked at once, and what it waits for before it: depth costs no stack.
        let mut open = vec![id];
        while let Some(&next) = open.last() {
            if known.contains_key(&next) {
                open.pop();
                continue;
            }
            let node = &self.model.nodes[next];
            let is_out = node.when.as_ref().is_some_and(|when| foreseen(when, self) == Some(false))
                || releases(node) && !self.profile.is_some_and(|profile| profile.releases);
            if is_out {
                known.insert(next, Some(next));
                continue;
            }
            let before: Vec<NodeId> = self.needed(next).collect();
            match before.iter().find(|before| !known.contains_key(before)) {
                Some(&before) => open.push(before),
                None => {
                    let root = before.iter().find_map(|before| known[before]);
                    known.insert(next, root);
                }
            }
        }
        known[&id]
    }

    /// Iterates over the nodes that one can't do without. A gate that only advises holds nothing up, and what is read with `?` may
    /// be absent.
    fn needed(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let blocks = self.profile.is_none_or(|profile| profile.gates_block);
        let edges = self.graph.waits(id).iter();
        let counts = move |to: NodeId, why: Why| match why {
            Why::Baseline => false,
            Why::Data => !may_lack(self.model, id, to),
            Why::Ask => true,
            Why::After | Why::Guard | Why::Admission | Why::Subject => blocks || self.model.gate(to).is_none(),
        };
        edges.filter(move |edge| counts(edge.to, edge.why)).map(|edge| edge.to)
    }
}

impl Names for Run<'_> {
    fn param(&self, name: &str) -> Option<Value> {
        let (id, param) = self.model.params.iter().find(|(_, param)| param.name.value == name)?;
        let set = self.profile.into_iter().flat_map(|profile| &profile.settings).find_map(|setting| match setting {
            Setting::Param(set, value) if *set == id => Some(value.clone()),
            _ => None,
        });
        // What stands in a file is known when the run begins.
        if set.is_some() || param.from.is_some() {
            return set;
        }
        param.default.clone().or_else(|| matches!(param.ty, Some(Type::Optional(_))).then_some(Value::Null))
    }

    fn context(&self, context: Context) -> Option<Value> {
        match context {
            Context::Event => Some(Value::String("pull_request".to_owned())),
            Context::Profile => {
                Some(Value::String(self.profile.map(|profile| profile.name.value.clone()).unwrap_or_default()))
            }
            Context::Branch => None,
        }
    }
}
