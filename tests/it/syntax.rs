//! The tree and the diagnostics of fixture folders.

use std::fmt::Write as _;

use mlpc::source::{FileId, SourceFile};
use mlpc::syntax::{self, Parsed, ast};

/// Writes a serialised tree with two blanks a level: shorter to read than JSON.
fn outline(value: &serde_json::Value, depth: usize, out: &mut String) {
    use serde_json::Value;
    let line = |out: &mut String, text: &str| writeln!(out, "{:1$}{text}", "", depth * 2).expect("a string takes all");
    let fits = |value: &Value| value.to_string().len() + depth * 2 <= 90;
    match value {
        Value::Array(list) => {
            for item in list {
                match item {
                    Value::Object(map) if map.len() == 1 && !fits(item) => outline(item, depth, out),
                    _ if fits(item) => line(out, &format!("- {item}")),
                    _ => {
                        line(out, "-");
                        outline(item, depth + 1, out);
                    }
                }
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                if fits(value) {
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
        writeln!(out, "{place} error[{:?}] {}", diagnostic.code, diagnostic.message).expect("a string takes all");
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

/// Snapshots of a fixture stand in its folder.
fn fixture(case: &str, text: &str) {
    let parsed = syntax::parse(FileId(0), text);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../fixtures/{case}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("tree", tree(&parsed.file));
        if !parsed.diagnostics.is_empty() {
            insta::assert_snapshot!("syntax", diagnostics("main.mlp", text, &parsed));
        }
    });
}

macro_rules! fixtures {
    ($($test:ident $case:literal,)*) => {
        $(
            #[test]
            fn $test() {
                fixture($case, include_str!(concat!("../fixtures/", $case, "/main.mlp")));
            }
        )*
    };
}

fixtures! {
    flagship "flagship",
    whole_language "whole-language",
    broken_clauses "broken-clauses",
    broken_declarations "broken-declarations",
    broken_brackets "broken-brackets",
    broken_values "broken-values",
    merge_conflict "merge-conflict",
}

#[test]
fn what_the_language_shows_parses_without_a_fault() {
    for text in [include_str!("../fixtures/flagship/main.mlp"), include_str!("../fixtures/whole-language/main.mlp")] {
        let parsed = syntax::parse(FileId(0), text);
        assert_eq!(diagnostics("main.mlp", text, &parsed), "");
    }
}
