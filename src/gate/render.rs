//! A report as people read it: on a terminal and as Markdown. Pure: the same report gives the same text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::judged::Part;
use super::number::number_text;
use super::report::{Line, Outcome, Report, State};
use super::{Level, Unit};
use crate::shown::inline;

/// How a terminal shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With colours.
    Colour,
}

/// Writes the table of a terminal: one line a requirement, and the reason under each that did not hold.
#[must_use]
pub fn table(report: &Report, style: Style) -> String {
    let advisory = if report.advisory { " (advisory)" } else { "" };
    let mut text = String::new();
    let title = painted(style, report.verdict, &verdict_text(report));
    let _ = writeln!(text, "gate {}: {title}{advisory}", report.gate);
    let rows: Vec<(String, String)> =
        report.requirements.iter().map(|line| (requirement(line), measured(line))).collect();
    let wide = |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| text.chars().count()).max().unwrap_or(0);
    let (first, second) = (wide(&mut rows.iter().map(|row| &row.0)), wide(&mut rows.iter().map(|row| &row.1)));
    let mut said = BTreeSet::new();
    for (line, (requirement, measured)) in report.requirements.iter().zip(&rows) {
        let verdict = painted(style, line.verdict, &format!("{:<13}", line.verdict));
        let row = format!("{requirement:<first$}  {measured:<second$}  {}", compared(line));
        let _ = writeln!(text, "  {verdict}  {}", row.trim_end());
        // Of evidence that is not there every line says the same.
        if !is_plain(line) && said.insert(&line.reason) {
            let _ = writeln!(text, "                 {}", inline(&line.reason));
        }
        if let Some(groups) = groups(line) {
            let _ = writeln!(text, "                 {}", inline(&groups));
        }
    }
    if let Some(sentence) = baseline(report) {
        let _ = writeln!(text, "  {}", inline(&sentence.replace('`', "")));
    }
    for diagnosis in &report.diagnosis {
        let _ = writeln!(text, "  diagnosis: {}", inline(&diagnosis.sentence.replace('`', "")));
    }
    if report.requirements.iter().all(|line| line.reason != report.reason) {
        let _ = writeln!(text, "  {}", inline(&report.reason));
    }
    if let (Some(ask), true) = (&report.ask, report.is_waiting()) {
        let _ = writeln!(text, "  waits for the approval {ask}");
    }
    text
}

/// Writes the Markdown of a job summary or a comment.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "### {}\n", title(report));
    let _ = writeln!(text, "{}.\n", prose(&report.reason));
    if let (Some(ask), true) = (&report.ask, report.is_waiting()) {
        let _ = writeln!(text, "Waits for the approval `{ask}`.\n");
    }
    let _ = writeln!(text, "| | requirement | value | candidate | baseline |");
    let _ = writeln!(text, "|---|---|---|---|---|");
    for line in &report.requirements {
        let number = |unit: Unit, value: Option<f64>| value.map(|value| number_text(unit, value)).unwrap_or_default();
        let candidate = if line.baseline.is_some() { line.candidate } else { None };
        let _ = writeln!(
            text,
            "| {} {} | {} | {} | {} | {} |",
            mark(line.verdict),
            line.verdict,
            code(&requirement(line)),
            number(line.unit, line.value),
            number(line.metric_unit, candidate),
            number(line.metric_unit, line.baseline),
        );
    }
    explain(report, &mut text);
    text
}

/// Writes the heading of a report, with the verdict in it.
#[must_use]
pub fn title(report: &Report) -> String {
    let advisory = if report.advisory { ", advisory" } else { "" };
    format!("{} `{}`: {}{advisory}", sign(report), report.gate, verdict_text(report))
}

/// Returns the sign of a verdict.
pub(crate) fn sign(report: &Report) -> &'static str {
    if report.is_waiting() { "⏳" } else { mark(report.verdict) }
}

/// Writes what stands under the table: the groups of rows, why something did not hold, what was compared with.
pub(super) fn explain(report: &Report, text: &mut String) {
    let reasons = report.requirements.iter().filter(|line| !is_plain(line));
    let mut said = BTreeSet::from([&report.reason]);
    let reasons: Vec<_> = reasons.filter(|line| said.insert(&line.reason)).collect();
    let grouped: Vec<_> =
        report.requirements.iter().filter_map(|line| Some((requirement(line), groups(line)?))).collect();
    if !reasons.is_empty() || !grouped.is_empty() {
        text.push('\n');
    }
    for (requirement, groups) in grouped {
        let _ = writeln!(text, "- {}: {}", code(&requirement), prose(&groups));
    }
    for line in reasons {
        let _ = writeln!(text, "- {}: {}", line.verdict, prose(&line.reason));
    }
    if let Some(sentence) = baseline(report) {
        let _ = writeln!(text, "\n{}.", prose(&sentence));
    }
    for diagnosis in &report.diagnosis {
        let _ = writeln!(text, "\n**Diagnosis**: {}.", prose(&diagnosis.sentence));
    }
    for admitted in &report.admits {
        let digest = admitted.digest.as_deref().unwrap_or("no digest");
        let _ = writeln!(text, "\nCandidate: {} `{digest}`", code(&admitted.model.to_string()));
    }
}

pub(crate) fn verdict_text(report: &Report) -> String {
    match (report.is_waiting(), &report.overridden) {
        (_, Some(_)) => format!("{} (overridden)", report.verdict),
        (true, None) => format!("{}, if approved", report.verdict),
        (false, None) => report.verdict.to_string(),
    }
}

/// Writes a requirement with its level, whether or not the text has it.
pub(super) fn requirement(line: &Line) -> String {
    let level = match line.level {
        Level::Require => "require",
        Level::Warn => "warn",
    };
    if line.text.starts_with(&format!("{level} ")) { line.text.clone() } else { format!("{level} {}", line.text) }
}

/// Writes the number of each group of rows, where the requirement is about groups.
fn groups(line: &Line) -> Option<String> {
    let number = |part: &Part| part.value.map_or_else(|| "-".to_owned(), |value| number_text(line.metric_unit, value));
    let groups = line.parts.iter().filter_map(|part| Some(format!("{} {} (n {})", part.name, number(part), part.n?)));
    let groups: Vec<_> = groups.collect();
    (!groups.is_empty()).then(|| groups.join(", "))
}

/// Tells whether a line says nothing that the table, or the sentence about the baseline, does not say.
fn is_plain(line: &Line) -> bool {
    matches!(line.verdict, Outcome::Pass | Outcome::PassedOver)
}

fn measured(line: &Line) -> String {
    line.value.map_or_else(|| "-".to_owned(), |value| number_text(line.unit, value))
}

fn compared(line: &Line) -> String {
    match (line.candidate, line.baseline) {
        (Some(candidate), Some(baseline)) => {
            let text = |value| number_text(line.metric_unit, value);
            format!("candidate {}, baseline {}", text(candidate), text(baseline))
        }
        _ => String::new(),
    }
}

fn baseline(report: &Report) -> Option<String> {
    let baseline = report.baseline.as_ref()?;
    let pointer = format!("`{}@{}`", baseline.registry, baseline.pointer);
    let version = baseline.version.as_deref().unwrap_or_default();
    let decision = baseline.decision.as_deref().unwrap_or_default();
    Some(match baseline.state {
        State::Scored => match &baseline.moved {
            Some(moved) => format!("compared with {pointer}, `{version}`; {moved}"),
            None => format!("compared with {pointer}, `{version}`"),
        },
        State::Absent => format!("{pointer} does not exist yet; `on no_baseline: {decision}`"),
        State::Unscorable => format!("{pointer}, `{version}`, could not be scored; `on unscorable: {decision}`"),
        State::Unreachable => format!("{pointer} could not be read"),
        State::Skipped => format!("{pointer} was not looked for"),
    })
}

pub(crate) fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✅",
        Outcome::Warn => "⚠️",
        Outcome::PassedOver | Outcome::NotEvaluated => "➖",
        Outcome::Inconclusive => "❔",
        Outcome::Fail | Outcome::Error => "❌",
    }
}

fn painted(style: Style, outcome: Outcome, text: &str) -> String {
    let colour = match outcome {
        _ if style == Style::Plain => return text.to_owned(),
        Outcome::Pass => "32",
        Outcome::Warn | Outcome::Inconclusive => "33",
        Outcome::PassedOver | Outcome::NotEvaluated => "2",
        Outcome::Fail | Outcome::Error => "31",
    };
    format!("\u{1b}[{colour}m{text}\u{1b}[0m")
}

/// Writes text of the user as code in a cell of a table.
#[must_use]
pub fn code(text: &str) -> String {
    let text = text.replace('\n', " ").replace('|', "\\|");
    let text = inline(&text);
    // Code ends at as many backticks as it began with.
    match text.split(|char| char != '`').map(str::len).max().unwrap_or(0) {
        0 => format!("`{text}`"),
        most => format!("{0} {text} {0}", "`".repeat(most + 1)),
    }
}

/// Writes a sentence: what stands in backticks is code, and nothing else in it means anything to Markdown.
#[must_use]
pub fn prose(sentence: &str) -> String {
    // Several in a row begin code of another kind: then what is code to us may be none to Markdown.
    let balanced = sentence.matches('`').count().is_multiple_of(2) && !sentence.contains("``");
    let sentence = sentence.replace(['\n', '\r'], " ");
    let sentence = inline(&sentence);
    let mut text = String::new();
    let mut in_code = false;
    for char in sentence.chars() {
        match char {
            '`' if balanced => {
                in_code = !in_code;
                text.push('`');
            }
            '|' => text.push_str("\\|"),
            _ if in_code => text.push(char),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '@' => text.push_str("&#64;"),
            '`' | '*' | '_' | '[' | ']' | '#' | '\\' | '!' | '~' => {
                text.push('\\');
                text.push(char);
            }
            _ => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_code_and_disarms_the_rest() {
        assert_eq!(prose("`a_b` is <b> @you"), "`a_b` is &lt;b&gt; &#64;you");
        assert_eq!(prose("one ` only_here | x\ny"), "one \\` only\\_here \\| x y");
        assert_eq!(code("a | b"), "`a \\| b`");
        // To Markdown three backticks are closed by three, so that what follows them here is no code.
        assert_eq!(prose("`c` is ```<img>`"), "\\`c\\` is \\`\\`\\`&lt;img&gt;\\`");
        assert_eq!(prose("`a\u{1b}[2J` \u{202e}"), r"`a\u{1b}[2J` \\u{202e}");
        assert_eq!(code("a``b"), "``` a``b ```");
    }
}
