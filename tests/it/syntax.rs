//! The tree and the diagnostics of every fixture folder, and what holds for any text at all.

use std::fmt::Write as _;

use mlpc::source::{FileId, SourceFile};
use mlpc::syntax::{self, Parsed, ast};

/// Writes a serialised tree with two blanks a level: shorter to read than JSON.
fn outline(value: &serde_json::Value, depth: usize, out: &mut String) {
    use serde_json::Value;
    let line = |out: &mut String, text: &str| writeln!(out, "{:1$}{text}", "", depth * 2).expect("a string takes all");
    let is_leaf = |value: &Value| match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => true,
    };
    match value {
        Value::Array(list) => {
            for item in list {
                if is_leaf(item) {
                    line(out, &format!("- {item}"));
                } else {
                    line(out, "-");
                    outline(item, depth + 1, out);
                }
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                if is_leaf(value) {
                    line(out, &format!("{key}: {value}"));
                } else {
                    line(out, &format!("{key}:"));
                    outline(value, depth + 1, out);
                }
            }
        }
        leaf => line(out, &leaf.to_string()),
    }
}

fn tree(file: &ast::File) -> String {
    let value = serde_json::to_value(file).expect("a tree is a plain value");
    let mut out = String::new();
    outline(&value["items"], 0, &mut out);
    out
}

fn diagnostics(name: &str, text: &str, parsed: &Parsed) -> String {
    let source = SourceFile::new(name, text);
    let mut out = String::new();
    for diagnostic in &parsed.diagnostics {
        let at = source.line_column(diagnostic.span().start);
        let place = format!("{}:{}", at.line, at.column);
        writeln!(out, "{place} {}[{:?}] {}", "error", diagnostic.code, diagnostic.message).expect("a string takes all");
        for label in &diagnostic.labels {
            let shown = &text[label.span.range()];
            let shown: String = shown.chars().take(40).collect();
            writeln!(out, "    at {shown:?} {}", label.text).expect("a string takes all");
        }
        if let Some(help) = &diagnostic.help {
            writeln!(out, "    help: {help}").expect("a string takes all");
        }
    }
    out
}

#[test]
fn the_flagship_parses_without_a_fault() {
    let text = include_str!("../fixtures/flagship/main.mlp");
    let parsed = syntax::parse(FileId(0), text);
    assert_eq!(diagnostics("main.mlp", text, &parsed), "");
    insta::assert_snapshot!("flagship", tree(&parsed.file));
}
