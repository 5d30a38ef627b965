//! A release that is promoted in another registry than the one that holds it.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::NodeKind;

pub(in crate::check) struct PromotedElsewhere;

impl Rule for PromotedElsewhere {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, node) in model.nodes.iter() {
            let (release, pointer, place) = match &node.kind {
                NodeKind::Promote(promote) => (promote.release, &promote.pointer, promote.pointer_span),
                NodeKind::Rollout(rollout) => match &rollout.pointer {
                    Some(pointer) => (rollout.release, &pointer.value, pointer.span),
                    None => continue,
                },
                _ => continue,
            };
            let Some(register) = model.register(release) else { continue };
            if register.registry == pointer.registry {
                continue;
            }
            let release = &model.nodes[release].name;
            let (have, want) =
                (&model.registries[register.registry].name.value, &model.registries[pointer.registry].name.value);
            let message = format!("`{}` is registered in `{have}`, so `{want}` can't point to it", release.value);
            found.push(
                Diagnostic::new(codes::PROMOTED_ELSEWHERE, place, message)
                    .label(release.span, "registered here")
                    .help(format!("write `{have}@{}`", pointer.name)),
            );
        }
    }
}
