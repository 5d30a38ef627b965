//! A notification that nothing ever sends.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::Reaction;

pub(in crate::check) struct NotifySilent;

impl Rule for NotifySilent {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        for (index, notify) in model.notifications.iter().enumerate() {
            let reactions = || model.monitors.iter().flat_map(|monitor| &monitor.on_breach);
            let sent = reactions().any(|reaction| matches!(reaction, Reaction::Notify(to) if *to == index));
            if sent || notify.says_on {
                continue;
            }
            let message = format!("nothing ever tells `{}`", notify.name.value);
            found.push(
                Diagnostic::new(codes::UNUSED_NAME, notify.name.span, message)
                    .help("say what it is told: `on: [quality.fail]`, or `on breach: notify …` in a monitor"),
            );
        }
    }
}
