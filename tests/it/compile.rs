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

/// Pipelines with what comes out of them beside them: diagnostics, and for what is right the graph and the plan.
const CASES: [&str; 6] = ["baseline_paths", "flagship", "guards", "many_mistakes", "torn", "values"];

#[test]
fn fixtures_give_what_stands_beside_them() {
    for case in CASES {
        let case = crate::sandbox::repository().join("tests/fixtures").join(case);
        let text = std::fs::read_to_string(case.join("main.mlp")).expect("its pipeline");
        let sources = Sources::single("main.mlp", text);
        let compiled = compile(&sources);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            insta::assert_snapshot!("diagnostics", listed(&sources, &compiled.diagnostics));
            if let Some(mut plan) = compiled.plan {
                insta::assert_snapshot!("graph", plan.drawing().draw(mlpc::graph::Format::Text));
                plan.places.clear();
                insta::assert_json_snapshot!("plan", plan);
            }
        });
    }
}

#[test]
fn an_unknown_target_is_named() {
    let sandbox = crate::sandbox::Sandbox::new();
    sandbox.file("main.mlp", "pipeline a\nedition 2026\ntarget gihub { }\n");
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("no target `gihub`") && ended.stderr.contains("did you mean `github`?"), "{ended:?}");
}

#[test]
fn what_somebody_wrote_is_not_compiled_over() {
    let sandbox = crate::sandbox::Sandbox::new();
    let stage = "stage a {\n  out text: File = \"a.txt\"\n  run <<< echo a > \"$text\" >>>\n}\n";
    sandbox.file("p.mlp", &format!("pipeline mine\nedition 2026\n{stage}"));
    sandbox.file(".github/workflows/mine.yml", "name: by hand\n");
    let told = sandbox.mlpc(&["compile", "--target", "github"]);
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.stderr.contains("holds something that mlpc did not write"), "{told:?}");
    assert_eq!(sandbox.read(".github/workflows/mine.yml"), "name: by hand\n");
    std::fs::remove_file(sandbox.path().join(".github/workflows/mine.yml")).expect("removed");
    assert_eq!(sandbox.mlpc(&["compile", "--target", "github"]).code, 0);
    // What was compiled before is replaced.
    sandbox.file("p.mlp", &format!("## Other.\npipeline mine\nedition 2026\n{stage}"));
    assert_eq!(sandbox.mlpc(&["compile", "--target", "github"]).code, 0);
}

#[test]
fn what_was_compiled_from_another_pipeline_is_not_compiled_over() {
    let sandbox = crate::sandbox::Sandbox::new();
    let pipeline = |name: &str| {
        format!(
            "pipeline {name}\nedition 2026\nstage a {{\n  out text: File = \"a.txt\"\n  run <<< echo a > \"$text\" >>>\n}}\ntarget argo {{ namespace: \"ml\", artifacts: \"s3\", image: \"debian:12\" }}\n"
        )
    };
    assert_eq!(sandbox.shell("git init -q .").code, 0);
    sandbox.file("p.mlp", &pipeline("mine"));
    sandbox.file("two/p.mlp", &pipeline("mine"));
    for (target, file) in [("github", ".github/workflows/mine.yml"), ("argo", "argo/mine-template.yaml")] {
        assert_eq!(sandbox.mlpc(&["compile", "--target", target, "p.mlp"]).code, 0);
        let before = sandbox.read(file);
        let told = sandbox.mlpc(&["compile", "--target", target, "two/p.mlp"]);
        assert_eq!((told.code, sandbox.read(file)), (2, before), "{told:?}");
        assert!(told.stderr.contains("was compiled from `p.mlp`, a pipeline of the same name"), "{told:?}");
    }
    // A name of its own, or the place of one that is gone.
    sandbox.file("two/p.mlp", &pipeline("other"));
    assert_eq!(sandbox.mlpc(&["compile", "--target", "github", "two/p.mlp"]).code, 0);
    sandbox.file("two/p.mlp", &pipeline("mine"));
    std::fs::remove_file(sandbox.path().join("p.mlp")).expect("removed");
    assert_eq!(sandbox.mlpc(&["compile", "--target", "github", "two/p.mlp"]).code, 0);
    assert!(sandbox.read(".github/workflows/mine.yml").contains("Generated from two/p.mlp by"));
}

#[test]
fn a_file_whose_name_begins_like_an_option_is_no_option() {
    let sandbox = crate::sandbox::Sandbox::new();
    sandbox.file(
        "-p.mlp",
        "pipeline mine\nedition 2026\nstage a {\n  out t: File = \"a\"\n  run <<< echo > \"$t\" >>>\n}\n",
    );
    assert_eq!(sandbox.mlpc(&["compile", "--target", "github", "-f", "./-p.mlp"]).code, 0);
    let written = sandbox.read(".github/workflows/mine.yml");
    assert!(written.contains("--file ./-p.mlp") && !written.contains("--file -p"), "{written}");
}
