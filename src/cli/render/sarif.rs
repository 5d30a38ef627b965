//! Diagnostics as SARIF 2.1.0, which code scanning of several platforms reads.

use serde_json::{Value, json};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Returns the log with all diagnostics. `place` turns the name of a file into its path in the repository.
pub(super) fn log(sources: &Sources, diagnostics: &[Diagnostic], place: impl Fn(&str) -> String) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|one| one.code).collect();
    codes.sort_unstable_by_key(|code| code.name());
    codes.dedup();
    let writer = Writer { sources, place: &place };
    let results: Vec<Value> = diagnostics.iter().map(|one| writer.result(one, &codes)).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mlpc",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).expect("texts and numbers are JSON")
}

fn rule(code: Code) -> Value {
    let page = code.page();
    let sentence = page.lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or_default();
    json!({
        "id": code.name(),
        "shortDescription": { "text": sentence },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

struct Writer<'a> {
    sources: &'a Sources,
    place: &'a dyn Fn(&str) -> String,
}

impl Writer<'_> {
    fn result(&self, diagnostic: &Diagnostic, codes: &[Code]) -> Value {
        let mut text = diagnostic.message.clone();
        if let Some(help) = &diagnostic.help {
            text += "\nhelp: ";
            text += help;
        }
        let others: Vec<Value> = diagnostic
            .labels
            .iter()
            .skip(1)
            .map(|label| {
                let mut location = self.location(label.span);
                if !label.text.is_empty() {
                    location["message"] = json!({ "text": label.text });
                }
                location
            })
            .collect();
        let mut result = json!({
            "ruleId": diagnostic.code.name(),
            "ruleIndex": codes.iter().position(|code| *code == diagnostic.code),
            "level": level(diagnostic.severity),
            "message": { "text": text },
            "locations": [self.location(diagnostic.span())],
        });
        if !others.is_empty() {
            result["relatedLocations"] = Value::Array(others);
        }
        if let Some(fix) = &diagnostic.fix {
            let description = diagnostic.help.as_deref().unwrap_or(&diagnostic.message);
            result["fixes"] = json!([{
                "description": { "text": description },
                "artifactChanges": [{
                    "artifactLocation": self.artifact(fix.span),
                    "replacements": [{
                        "deletedRegion": self.region(fix.span),
                        "insertedContent": { "text": fix.replacement },
                    }],
                }],
            }]);
        }
        result
    }

    fn location(&self, span: Span) -> Value {
        json!({ "physicalLocation": { "artifactLocation": self.artifact(span), "region": self.region(span) } })
    }

    fn artifact(&self, span: Span) -> Value {
        json!({ "uri": uri(&(self.place)(self.sources.file(span.file).name())) })
    }

    fn region(&self, span: Span) -> Value {
        let file = self.sources.file(span.file);
        let (start, end) = (file.line_column(span.start), file.line_column(span.end));
        json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
            "byteOffset": span.start,
            "byteLength": span.end - span.start,
        })
    }
}

/// Writes a path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri_reference() {
        assert_eq!(uri("./a b/ü#.mlp"), "a%20b/%C3%BC%23.mlp");
        assert_eq!(uri("/tmp/p.mlp"), "file:///tmp/p.mlp");
    }
}
