//! What is declared and used by nothing is a slip, or a leftover that misleads.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};

pub(in crate::check) struct UnusedName;

impl Rule for UnusedName {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        if subject.model.torn {
            return;
        }
        for (kind, name) in &subject.model.unused {
            let text = &name.value;
            let help = match *kind {
                "parameter" => format!("add `use {text}` to a stage, ask it in a `when`, or remove it"),
                "secret" => format!("add `secret {text}` to a stage, or remove it"),
                "approval" => {
                    format!("wait for it, `after {text}`, or remove it: an approval holds back only what names it")
                }
                _ => "use it, or remove it".to_owned(),
            };
            let message = format!("nothing uses the {kind} `{text}`");
            found.push(Diagnostic::new(codes::UNUSED_NAME, name.span, message).help(help));
        }
    }
}
