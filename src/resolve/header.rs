//! What stands between a node's name and its body.

use super::cx::Cx;
use super::expr::{Scope, expect};
use super::origin;
use crate::diagnostic::codes;
use crate::model::NodeId;
use crate::source::Spanned;
use crate::syntax::ast;
use crate::types::{Expr, Type};

/// What a node's header says.
#[derive(Default)]
pub(super) struct Head {
    when: Option<Expr>,
    after: Vec<Spanned<NodeId>>,
    ungated: Option<Spanned<String>>,
}

/// Resolves `when`, `after` and, where it may stand, `ungated`, and puts them into the model.
pub(super) fn resolve(cx: &mut Cx<'_>, id: NodeId, header: &ast::Header, may_be_ungated: bool) {
    let head = read(cx, header, may_be_ungated);
    put(cx, id, head);
}

/// Puts into the model what the header of a node says.
pub(super) fn put(cx: &mut Cx<'_>, id: NodeId, head: Head) {
    let node = &mut cx.model.to_mut().nodes[id];
    node.when = head.when;
    node.after = head.after;
    node.ungated = head.ungated;
}

/// As [`resolve`], and writes nothing.
pub(super) fn read(cx: &mut Cx<'_>, header: &ast::Header, may_be_ungated: bool) -> Head {
    let mut head = Head::default();
    if let Some(when) = &header.when {
        head.when = expect(cx, when, Scope::Known, &Type::Bool);
    }
    for written in &header.after {
        for node in origin::nodes(cx, written) {
            match head.after.iter().find(|first| first.value == node.value) {
                Some(first) => {
                    let first = first.span;
                    super::trigger::again(cx, node.span, first, "it waits for this twice");
                }
                None => head.after.push(node),
            }
        }
    }
    if let Some(ungated) = &header.ungated {
        if !may_be_ungated {
            let message = "only what releases or acts can go `ungated`";
            let help = "an input that shall not wait for its gates says so itself: `in data = prepare.train ungated`";
            cx.error::<()>(codes::MISPLACED_CLAUSE, ungated.span, message, help);
        }
        let reason = ungated.reason.plain().unwrap_or_default().trim();
        if reason.is_empty() {
            let help = "write `ungated \"why nothing has to be measured\"`";
            cx.error::<()>(codes::MISSING_CLAUSE, ungated.span, "`ungated` needs a reason", help);
        }
        head.ungated = Some(Spanned::new(reason.to_owned(), ungated.span));
    }
    head
}

/// Says that a declaration has no legs.
pub(super) fn no_loops(cx: &mut Cx<'_>, header: &ast::Header, what: &str, help: &str) {
    if let (Some(first), Some(last)) = (header.loops.first(), header.loops.last()) {
        let span = first.span.to(last.span);
        cx.mention_words(span);
        cx.error::<()>(codes::MISPLACED_CLAUSE, span, format!("{what} is no loop"), help);
    }
}
