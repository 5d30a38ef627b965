//! What stands behind an approval that asked nobody, since its model is in production already, by the rule of
//! `plan::releasing`.

use crate::exec::context::Run;
use crate::exec::state::Ending;
use crate::plan::{Behind, Node, NodeKind, approvals_before};
use crate::types::Origin;

/// Says why a node that acts may not, and the way out: an approval that it stands behind asked nobody in this run, and it is
/// not of the release that the approval is of.
pub(super) fn unasked(run: &Run<'_>, node: &Node) -> Option<(String, String)> {
    if !node.kind.acts() {
        return None;
    }
    let other = |approval: &&Node| approval.release() != node.release();
    passed_over(run, node).find(other).map(|approval| told(run, node, &approval.name, None))
}

/// Returns the approval of its own release that a node stands behind, if that asked nobody.
pub(super) fn own(run: &Run<'_>, node: &Node) -> Option<String> {
    if run.options.alone {
        return run.options.unasked.clone();
    }
    passed_over(run, node).find(|approval| approval.release() == node.release()).map(|approval| approval.name.clone())
}

/// Tells whether a node stands behind an approval of its own release.
pub(super) fn has_own(run: &Run<'_>, node: &Node) -> bool {
    behind(run, node).iter().any(|behind| behind.approval.release() == node.release())
}

fn behind<'r>(run: &Run<'r>, node: &Node) -> Vec<Behind<'r>> {
    run.node(&node.name).map(|node| approvals_before(node, &|name| run.node(name))).unwrap_or_default()
}

fn passed_over<'r>(run: &Run<'r>, node: &Node) -> impl Iterator<Item = &'r Node> {
    let behind = behind(run, node).into_iter().map(|behind| behind.approval);
    behind.filter(|approval| run.ending(&approval.name) == Some(Ending::Hit))
}

/// Says that a node may not act, since the approval `approval` asked nobody, and the way out. `by` is the run that promoted
/// the release that the node itself is of.
pub(super) fn told(run: &Run<'_>, node: &Node, approval: &str, by: Option<&str>) -> (String, String) {
    let release = run.node(approval).and_then(Node::release);
    let pointers = run.bound.plan.nodes.iter().filter_map(|other| match &other.kind {
        NodeKind::Promote(promote) if Some(promote.release.as_str()) == release => {
            Some(format!("`{}@{}`", promote.registry, promote.pointer))
        }
        _ => None,
    });
    let pointers = pointers.collect::<Vec<_>>().join(" and ");
    let inputs = node.kind.work().into_iter().flat_map(|work| &work.inputs);
    let reads = inputs.map(|input| &input.origin).find(|origin| matches!(origin, Origin::Output { .. }));
    let mut why = format!("nobody was asked: `{approval}` decides about the model that {pointers} is already");
    if node.release().is_some() && node.release() == release {
        why.push_str(", and this is not what was begun when it was given");
        let way = match reads {
            Some(origin) => {
                format!("let `{}` come after `approval … of {origin}` instead, which is asked about that", node.name)
            }
            None => "the next model is asked about, and lets it through".to_owned(),
        };
        let resume = by.filter(|_| !run.options.alone);
        let resume =
            resume.map(|by| format!("; `mlpc run --resume {by} --release` does what that run was asked about"));
        return (why, way + &resume.unwrap_or_default());
    }
    let of = match (reads, node.release()) {
        (_, Some(release)) => format!("`approval … of {release}`"),
        (Some(origin), None) => format!("`approval … of {origin}`"),
        (None, None) => "an approval of what a stage before it makes".to_owned(),
    };
    (why, format!("let `{}` come after {of}, which is asked about that", node.name))
}
