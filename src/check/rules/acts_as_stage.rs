//! A stage that holds a secret or credentials and makes nothing: it acts on the outside, and the cache would skip that.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::NodeKind;

pub(in crate::check) struct ActsAsStage;

impl Rule for ActsAsStage {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        for (_, node) in subject.model.nodes.iter() {
            let NodeKind::Stage(stage) = &node.kind else { continue };
            let may_act = !stage.work.secrets.is_empty() || !stage.work.credentials.is_empty();
            let understood = stage.work.command.is_some();
            if !stage.outputs.is_empty() || !may_act || !understood || subject.model.torn {
                continue;
            }
            let message =
                format!("`{}` makes nothing, and what it does would be skipped the next time", node.name.value);
            found.push(
                Diagnostic::new(codes::ACTS_AS_STAGE, node.name.span, message)
                    .label(stage.work.command_span, "a result that is known is not made again")
                    .help("make it an `action`, which is never cached; or say what it makes with `out`"),
            );
        }
    }
}
