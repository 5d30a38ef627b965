//! From source texts to plans and diagnostics, on the library.

use mlpc::compile::compile;
use mlpc::source::Sources;

/// Renders diagnostics one a line: place, code, message, further places, help.
pub(crate) fn listed(sources: &Sources, diagnostics: &[mlpc::diagnostic::Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let place = |span: mlpc::source::Span| {
            let at = sources.file(span.file).line_column(span.start);
            format!("{}:{}", at.line, at.column)
        };
        let severity = format!("{:?}", diagnostic.severity).to_lowercase();
        out.push_str(&format!(
            "{} {severity} {}: {}\n",
            place(diagnostic.span()),
            diagnostic.code.name(),
            diagnostic.message
        ));
        for label in &diagnostic.labels {
            if !label.text.is_empty() {
                out.push_str(&format!("    {} {}\n", place(label.span), label.text));
            }
        }
        if let Some(help) = &diagnostic.help {
            out.push_str(&format!("    help: {help}\n"));
        }
    }
    out
}

#[test]
fn the_quickstart_compiles_without_a_word() {
    let text = include_str!("../../examples/quickstart/pipeline.mlp");
    let sources = Sources::single("pipeline.mlp", text);
    let compiled = compile(&sources);
    assert_eq!(listed(&sources, &compiled.diagnostics), "");
    insta::assert_json_snapshot!(compiled.plan);
}
