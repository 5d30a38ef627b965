//! Diagnostics as commands of GitHub's log, which show them beside the line in a pull request.

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Sources;

/// GitHub takes so many of a kind from one step and drops the rest without a word.
const OF_A_KIND: usize = 10;

/// Returns a command for each diagnostic, the worst first, at most ten of a kind, and a line that counts the rest.
/// `place` turns the name of a file into its path in the repository.
pub(super) fn commands(sources: &Sources, diagnostics: &[Diagnostic], place: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (severity, command, word) in [
        (Severity::Error, "error", "error"),
        (Severity::Warning, "warning", "warning"),
        (Severity::Note, "notice", "note"),
    ] {
        let of_it = || diagnostics.iter().filter(|one| one.severity == severity);
        for diagnostic in of_it().take(OF_A_KIND) {
            let file = sources.file(diagnostic.span().file);
            let at = file.line_column(diagnostic.span().start);
            let name = property(&place(file.name()));
            let title = property(diagnostic.code.name());
            let message = data(&message(sources, diagnostic));
            text += &format!("::{command} file={name},line={},col={},title={title}::{message}\n", at.line, at.column);
        }
        let hidden = of_it().count().saturating_sub(OF_A_KIND);
        if hidden > 0 {
            let plural = if hidden == 1 { "" } else { "s" };
            text += &format!("{hidden} more {word}{plural}: GitHub shows {OF_A_KIND} of a step\n");
        }
    }
    text
}

/// Returns the message, what stands at other places, and the way out, a line each.
fn message(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let mut message = diagnostic.message.clone();
    for label in diagnostic.labels.iter().skip(1).filter(|label| !label.text.is_empty()) {
        let file = sources.file(label.span.file);
        message += &format!("\n{}:{}: {}", file.name(), file.line_column(label.span.start).line, label.text);
    }
    if let Some(help) = &diagnostic.help {
        message += "\nhelp: ";
        message += help;
    }
    message
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::codes;
    use crate::source::{FileId, Span};

    #[test]
    fn what_a_command_ends_with_is_escaped_and_the_worst_come_first() {
        let sources = Sources::single("a,b:c%.mlp", "x\nyz\n");
        let span = |start| Span::new(FileId(0), start, start + 1);
        let found = [
            Diagnostic::new(codes::PIPE_IN_SH, span(0), "mild"),
            Diagnostic::new(codes::UNKNOWN_NAME, span(3), "100 %\r\nof it").label(span(0), "that, there").help("a: b"),
        ];
        insta::assert_snapshot!(commands(&sources, &found, str::to_owned), @r"
        ::error file=a%2Cb%3Ac%25.mlp,line=2,col=2,title=unknown-name::100 %25%0D%0Aof it%0Aa,b:c%25.mlp:1: that, there%0Ahelp: a: b
        ::warning file=a%2Cb%3Ac%25.mlp,line=1,col=1,title=pipe-in-sh::mild
        ");
    }

    #[test]
    fn ten_of_a_kind_are_shown_and_the_rest_counted() {
        let sources = Sources::single("p.mlp", "x");
        let one = |code| Diagnostic::new(code, Span::new(FileId(0), 0, 1), "a message");
        let found: Vec<_> = std::iter::repeat_n(one(codes::PIPE_IN_SH), 11)
            .chain(std::iter::repeat_n(one(codes::UNKNOWN_NAME), 13))
            .collect();
        let text = commands(&sources, &found, str::to_owned);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.iter().filter(|line| line.starts_with("::error ")).count(), 10);
        assert_eq!(lines[10], "3 more errors: GitHub shows 10 of a step");
        assert_eq!(lines[21], "1 more warning: GitHub shows 10 of a step");
        assert_eq!(lines.len(), 22);
    }
}
