//! What stands behind an approval that asked nobody, since its model is in production already: that is an answer for what
//! is of the same release, which has nothing to do then, and for nothing else.

use crate::exec::context::Run;
use crate::exec::state::Ending;
use crate::plan::{Node, NodeKind};
use crate::types::Origin;

/// Says why a node that acts may not, and the way out: an approval that it stands behind, directly or with nothing but
/// stages and gates between, asked nobody in this run, and it is not of the release that the approval is of.
pub(super) fn unasked(run: &Run<'_>, node: &Node) -> Option<(String, String)> {
    if !node.kind.acts() {
        return None;
    }
    let own = node.release();
    let unasked = |approval: &&Node| run.ending(&approval.name) == Some(Ending::Hit) && approval.release() != own;
    let before = node.approvals_before(|name| run.node(name));
    let found = before.into_iter().filter(unasked).find_map(|approval| Some((approval, approval.release()?)));
    found.map(|(approval, release)| told(run, node, &approval.name, release))
}

fn told(run: &Run<'_>, node: &Node, approval: &str, release: &str) -> (String, String) {
    let pointers = run.bound.plan.nodes.iter().filter_map(|other| match &other.kind {
        NodeKind::Promote(promote) if promote.release == release => {
            Some(format!("`{}@{}`", promote.registry, promote.pointer))
        }
        _ => None,
    });
    let pointers = pointers.collect::<Vec<_>>().join(" and ");
    let inputs = node.kind.work().into_iter().flat_map(|work| &work.inputs);
    let reads = inputs.map(|input| &input.origin).find(|origin| matches!(origin, Origin::Output { .. }));
    let of = match (reads, node.release()) {
        (_, Some(release)) => format!("`approval … of {release}`"),
        (Some(origin), None) => format!("`approval … of {origin}`"),
        (None, None) => "an approval of what a stage before it makes".to_owned(),
    };
    (
        format!("nobody was asked: `{approval}` decides about the model that {pointers} is already"),
        format!("let `{}` come after {of}, which is asked about that", node.name),
    )
}
