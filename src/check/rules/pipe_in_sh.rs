//! A pipe in `run sh`: plain sh looks at its last program alone, so that a failure before it passes.

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::types::{Command, Interpreter};

pub(in crate::check) struct PipeInSh;

impl Rule for PipeInSh {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        for (_, work) in works(subject.model) {
            if let Some(Command::Script { interpreter: Interpreter::Sh, text }) = &work.command
                && pipes(text)
            {
                let message = "a program that fails before a pipe goes unnoticed in `sh`";
                found.push(
                    Diagnostic::new(codes::PIPE_IN_SH, work.command_span, message)
                        .help("write `run <<<`: bash runs with `pipefail`"),
                );
            }
        }
    }
}

fn pipes(script: &str) -> bool {
    let mut quote = None;
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '\\') => {
                chars.next();
            }
            (None, '#') => while chars.next_if(|&c| c != '\n').is_some() {},
            (None, '|') if chars.next_if_eq(&'|').is_none() => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::pipes;

    #[test]
    fn a_pipe_is_one_bar_outside_of_quotes() {
        assert!(pipes("a | b") && pipes("a|b"));
        assert!(!pipes("a || b") && !pipes("echo '|' \"|\" \\| # |\n"));
    }
}
