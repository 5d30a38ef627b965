//! A pipeline that needs, on its first run, what only a run makes.

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{NodeKind, Origin};

pub(in crate::check) struct CannotBootstrap;

impl Rule for CannotBootstrap {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        for (id, work) in works(model) {
            for input in work.inputs.iter().filter(|input| !input.optional) {
                let Origin::Pointer(pointer) = &input.origin else { continue };
                let promoted = model.nodes[id].after.iter().any(|after| match &model.nodes[after.value].kind {
                    NodeKind::Promote(it) => it.pointer == *pointer,
                    NodeKind::Rollout(it) => it.pointer.as_ref().is_some_and(|moved| moved.value == *pointer),
                    _ => false,
                });
                if promoted {
                    continue;
                }
                let name = model.written(&input.origin);
                let message = format!("`{name}` does not exist before the first release, so the first run can't go on");
                let help = format!(
                    "write `in {} = {name}?` and let the command go without it, or wait for its promotion with `after`",
                    input.name.value
                );
                found.push(Diagnostic::new(codes::CANNOT_BOOTSTRAP, input.span, message).help(help));
            }
        }
    }
}
