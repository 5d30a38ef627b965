//! Manifests for Argo, from the source text: goldens that the judges read too, and what must hold of every one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mlpc::compile::compile;
use mlpc::diagnostic::Severity;
use mlpc::source::Sources;
use mlpc::targets::{self, Compiled, Site};

/// The goldens: folder of the fixture, its source, and where the pipeline stands in its repository.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let fixture = |name: &str| std::fs::read_to_string(fixtures().join(name).join("pipeline.mlp")).expect("a fixture");
    vec![
        ("quickstart", include_str!("../../examples/quickstart/pipeline.mlp").to_owned(), "examples/quickstart"),
        ("everything", fixture("everything"), ""),
        ("cache", fixture("cache"), ""),
    ]
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("targets/argo/fixtures")
}

fn manifests(source: &str, folder: &str) -> Compiled {
    let sources = Sources::single("pipeline.mlp", source);
    let compiled = compile(&sources);
    let said = super::compile::listed(&sources, &compiled.diagnostics);
    let plan = compiled.plan.unwrap_or_else(|| panic!("{said}"));
    let spans = BTreeMap::new();
    let site = Site {
        folder,
        file: "pipeline.mlp",
        version: "0.1.0",
        spans: &spans,
        sources: &sources,
        locked: &std::collections::BTreeMap::new(),
    };
    targets::find("argo").expect("is a target").compile(&plan, &site)
}

/// `INSTA_UPDATE=always cargo test argo` writes them anew.
#[test]
fn manifests_are_their_goldens() {
    for (name, source, folder) in cases() {
        let compiled = manifests(&source, folder);
        let errors = compiled.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{name}: {:?}", compiled.diagnostics);
        let case = fixtures().join(name);
        let mut expected = vec![];
        for file in &compiled.files {
            let path = case.join(file.path.strip_prefix("argo/").expect("stands in argo/"));
            if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
                std::fs::write(&path, &file.text).expect("can be written");
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(golden == file.text, "{} is not what is compiled", path.display());
            expected.push(path);
        }
        let there = std::fs::read_dir(&case).expect("a folder").map(|entry| entry.expect("can be read").path());
        let mut there: Vec<_> = there.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
        there.sort();
        expected.sort();
        assert_eq!(there, expected, "goldens of {name} that nothing makes");
    }
}

#[test]
fn people_who_cannot_be_told_apart_are_said() {
    let (_, source, folder) = &cases()[1];
    let said: Vec<_> = manifests(source, folder).diagnostics.iter().map(|found| found.code.name()).collect();
    assert_eq!(said, ["approver-not-checked", "approver-not-checked"]);
}

#[test]
fn the_key_that_writes_the_cache_comes_with_the_clock_alone() {
    let (_, source, folder) = cases().into_iter().find(|(name, ..)| *name == "cache").expect("a fixture");
    let files = manifests(&source, folder).files;
    let with: Vec<_> = files.iter().filter(|file| file.text.contains("cache-writer")).map(|file| &file.path).collect();
    assert_eq!(with, ["argo/cached-cron.yaml"]);
    let template = &files.iter().find(|file| file.path.ends_with("-template.yaml")).expect("a template").text;
    assert!(
        template.contains("value: cache-reader") && template.contains("name: '{{workflow.parameters.cache}}'"),
        "{template}"
    );
    // `evaluate` says `rerun always`, and gates and releases have no results.
    assert_eq!(template.matches("MLPC_REMOTE_WRITE").count(), 1);
}

#[test]
fn a_comment_changes_no_byte() {
    for (_, source, folder) in cases() {
        let noted = format!("# a comment\n{source}\n# another\n");
        assert_eq!(manifests(&source, folder).files, manifests(&noted, folder).files);
    }
}

/// Collects every text in a document that Argo or Kubernetes evaluates something in.
fn marked(value: &serde_yaml::Value, found: &mut Vec<String>) {
    match value {
        serde_yaml::Value::String(text) if ["{{", "$(", "$$"].iter().any(|mark| text.contains(mark)) => {
            found.push(text.clone())
        }
        serde_yaml::Value::Sequence(items) => items.iter().for_each(|item| marked(item, found)),
        serde_yaml::Value::Mapping(entries) => entries.iter().for_each(|(_, value)| marked(value, found)),
        _ => {}
    }
}

#[test]
fn what_is_evaluated_is_what_the_compiler_wrote() {
    const OURS: &[&str] = &[
        "{{tasks.",
        "{{=tasks['",
        "{{inputs.parameters.",
        "{{workflow.parameters.",
        "{{workflow.uid}}",
        "{{pod.name}}",
    ];
    for (name, source, folder) in cases() {
        for file in manifests(&source, folder).files {
            for document in serde_yaml::Deserializer::from_str(&file.text) {
                let document: serde_yaml::Value = serde::Deserialize::deserialize(document).expect("is YAML");
                let mut texts = vec![];
                marked(&document, &mut texts);
                for text in texts {
                    assert!(!text.contains("$(") && !text.contains("$$"), "{name}: {text}");
                    let ours = |rest: &str| OURS.iter().any(|start| format!("{{{{{rest}").starts_with(start));
                    assert!(text.split("{{").skip(1).all(ours), "{name}: {text}");
                }
            }
        }
    }
}

#[test]
fn nothing_of_what_is_compiled_depends_on_the_profile_of_a_laptop() {
    let (_, source, folder) = &cases()[0];
    let push = "on push { branches: [\"main\"], profile: shared }";
    assert!(source.contains(push), "the quickstart's trigger");
    let alone = source.replace(push, "");
    let compiled = manifests(&alone, folder);
    let codes: Vec<_> = compiled.diagnostics.iter().map(|found| found.code.name()).collect();
    assert_eq!(codes, ["registry-not-shared"]);
}
