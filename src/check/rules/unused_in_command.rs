//! A used parameter that the command does not mention, in a stage without code that could read it.

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::types::{Command, Expr};

pub(in crate::check) struct UnusedInCommand;

impl Rule for UnusedInCommand {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        for (id, work) in works(subject.model) {
            let Some(command) = work.command.as_ref().filter(|_| work.code.is_empty()) else { continue };
            for name in &work.uses {
                // One of a rollout's hooks is enough.
                let hooks = matches!(subject.model.nodes[id].keyword, "rollout" | "experiment");
                let elsewhere = || works(subject.model).filter(|(other, _)| *other == id);
                let mut others = elsewhere().filter_map(|(_, work)| work.command.as_ref());
                if mentions(command, &name.value) || hooks && others.any(|other| mentions(other, &name.value)) {
                    continue;
                }
                let stage = &subject.model.nodes[id].name.value;
                let message = format!("the command of `{stage}` does not mention the parameter `{}`", name.value);
                found.push(
                    Diagnostic::new(codes::UNUSED_IN_COMMAND, name.span, message)
                        .help(format!("write `${}` where it belongs, or remove it from `use`", name.value)),
                );
            }
        }
    }
}

fn mentions(command: &Command, name: &str) -> bool {
    match command {
        Command::Script { text, .. } => has_word(text, name),
        Command::Arguments(list) => list.iter().any(|argument| reads(argument, name)),
    }
}

fn has_word(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

fn reads(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Param(param) => param == name,
        Expr::Value(value) => has_word(&value.to_string(), name),
        Expr::Text(parts) | Expr::List(parts) => parts.iter().any(|part| reads(part, name)),
        Expr::Not(inner) | Expr::Negative(inner) => reads(inner, name),
        Expr::Binary { left, right, .. } => reads(left, name) || reads(right, name),
        Expr::Local(_) | Expr::Context(_) | Expr::Output { .. } => false,
    }
}
