//! A release that is promoted in another registry than the one that holds it.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::NodeKind;

pub(in crate::check) struct PromotedElsewhere;

impl Rule for PromotedElsewhere {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, node) in model.nodes.iter() {
            let NodeKind::Promote(promote) = &node.kind else { continue };
            let Some(register) = model.register(promote.release) else { continue };
            if register.registry == promote.pointer.registry {
                continue;
            }
            let release = &model.nodes[promote.release].name;
            let (have, want) = (
                &model.registries[register.registry].name.value,
                &model.registries[promote.pointer.registry].name.value,
            );
            let message = format!("`{}` is registered in `{have}`, so `{want}` can't point to it", release.value);
            found.push(
                Diagnostic::new(codes::PROMOTED_ELSEWHERE, promote.pointer_span, message)
                    .label(release.span, "registered here")
                    .help(format!("write `{have}@{}`", promote.pointer.name)),
            );
        }
    }
}
