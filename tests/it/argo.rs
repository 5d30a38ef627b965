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
fn an_environment_that_guards_an_action_elsewhere_is_said_to_guard_nothing_here() {
    let (_, source, folder) = &cases()[1];
    let action =
        |clause: &str| format!("{source}\naction tell after current {{ idempotent {clause} run <<< ./tell >>> }}\n");
    let (without, with) =
        (manifests(&action(""), folder), manifests(&action("environment \"production-deploy\""), folder));
    assert_eq!((&with.diagnostics, without.notes.len()), (&without.diagnostics, 0));
    let (note, _) = &with.notes[0];
    assert_eq!(note, "argo has no environments, and runs `tell` (`production-deploy`) without one");
}

#[test]
fn people_who_cannot_be_told_apart_are_said() {
    let (_, source, folder) = &cases()[1];
    let said: Vec<_> = manifests(source, folder).diagnostics.iter().map(|found| found.code.name()).collect();
    assert_eq!(said, ["approver-not-checked", "approver-not-checked"]);
}

#[test]
fn what_is_said_of_an_approval_is_said_once_for_all_its_legs() {
    let source = "pipeline p\nedition 2026\nregistry models = git(\"mlpc-registry\")\nconst clients = [\"a\", \"b\"]\n\
        on push { branches: [\"main\"] }\non pull_request { profile: smoke, comment: [small] }\nprofile smoke {}\n\
        stage train for c in clients { out model: Model<pickle> = \"{c}.pkl\"   run <<< touch \"$model\" >>> }\n\
        gate small on train[\"a\"].model { require size(train[\"a\"].model) <= 1MB }\n\
        register release for c in clients = train[c].model to models ungated \"a test\"\n\
        approval expert for c in clients of release[c] { by: [\"dana\", \"bo\"], timeout: 7d }\n\
        action deploy for c in clients of release[c] after expert[c] { idempotent   run <<< true >>> }\n\
        target argo { image: \"i\" }\n";
    let found = manifests(source, "").diagnostics;
    let said: Vec<_> = found.iter().map(|found| (found.code.name(), found.message.as_str())).collect();
    let who = "argo can't tell who answers `expert`: whoever may resume workflows in the namespace can";
    let elsewhere = [
        ("trigger-elsewhere", "argo does not see `on push`"),
        ("trigger-elsewhere", "argo does not see `on pull_request`, and writes no comment"),
    ];
    assert_eq!(said, [&[("approver-not-checked", who)][..], &elsewhere[..]].concat());
    let help = |index: usize| found[index].help.clone().unwrap_or_default();
    assert!(help(0).contains("only dana, bo resume"), "{}", help(0));
    let submit = "let what sees it run `argo submit argo/p-submit.yaml -p repo=URL -p revision=COMMIT";
    assert_eq!(help(1), format!("{submit} -p event=push`"));
    assert_eq!(help(2), format!("{submit} -p profile=smoke -p event=pull_request`"));
}

/// Reads the templates of a WorkflowTemplate.
fn templates(files: &[targets::OutputFile]) -> Vec<serde_yaml::Value> {
    let template = files.iter().find(|file| file.path.ends_with("-template.yaml")).expect("a template");
    let document: serde_yaml::Value = serde_yaml::from_str(&template.text).expect("is YAML");
    document["spec"]["templates"].as_sequence().expect("a list").clone()
}

#[test]
fn every_pod_clones_the_commit_that_the_first_one_found() {
    fn named<'a>(list: &'a serde_yaml::Value, name: &str) -> Option<&'a serde_yaml::Value> {
        list.as_sequence()?.iter().find(|item| item["name"].as_str() == Some(name))
    }
    for (case, source, folder) in cases() {
        let templates = templates(&manifests(&source, folder).files);
        let mut cloned = Vec::new();
        for template in &templates {
            let name = template["name"].as_str().expect("a name");
            let Some(code) = named(&template["inputs"]["artifacts"], "code") else { continue };
            cloned.push(name);
            let revision = code["git"]["revision"].as_str().expect("a revision");
            let args: Vec<_> = template["container"]["args"]
                .as_sequence()
                .expect("args")
                .iter()
                .filter_map(|arg| arg.as_str())
                .collect();
            if name == "commit" {
                assert_eq!((revision, args[1]), ("{{workflow.parameters.revision}}", "--pin"), "{case}");
                let found = named(&template["outputs"]["parameters"], "commit").expect("an output");
                assert_eq!(found["valueFrom"]["path"].as_str(), Some("/mlpc/out/commit"), "{case}");
                assert!(found["valueFrom"].get("default").is_none(), "{case}: no commit is no empty one");
                continue;
            }
            assert_eq!(revision, "{{inputs.parameters.commit}}", "{case}: {name}");
            assert!(args.contains(&"--commit={{inputs.parameters.commit}}"), "{case}: {name}");
            assert!(named(&template["inputs"]["parameters"], "commit").is_some(), "{case}: {name}");
        }
        let tasks = templates[0]["dag"]["tasks"].as_sequence().expect("tasks");
        for task in tasks {
            let name = task["name"].as_str().expect("a name");
            let passed = named(&task["arguments"]["parameters"], "commit").and_then(|passed| passed["value"].as_str());
            let depends = task["depends"].as_str();
            match name {
                "commit" => assert_eq!((passed, depends), (None, None), "{case}"),
                "verdict" => {
                    assert_eq!(passed, Some("{{=tasks['commit']?.outputs?.parameters?.commit ?? ''}}"), "{case}")
                }
                _ if !cloned.contains(&name) => assert_eq!(passed, None, "{case}: {name} waits and clones nothing"),
                _ => assert_eq!(passed, Some("{{tasks.commit.outputs.parameters.commit}}"), "{case}: {name}"),
            }
            assert!(name == "commit" || depends.is_some(), "{case}: {name} waits for nothing");
        }
        assert!(cloned.contains(&"commit") && cloned.contains(&"verdict"), "{case}");
    }
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

/// What may be left out, in every way that the graph knows.
const LEFT_OUT: &str = r#"pipeline p
edition 2026
on manual { }
metrics E { auc: ratio higher }
source raw: File = "raw.txt"
registry models = git("models")
stage train { in raw   out model: File = "out/model"   run <<< cp "$raw" "$model" >>> }
stage evaluate { in model = train.model   out report: Metrics<E> of model = "out/e.json"   run <<< cp "$model" "$report" >>> }
approval first of train.model { by: ["alice"], timeout: 24h }
approval broken of train.model { by: ["alice"], timeout: 24h }
gate q on evaluate.report {
  baseline models@production
  on no_baseline: ask first
  on unscorable: ask broken
  require regression(auc) <= 1%
}
register release = train.model to models after q { metrics: evaluate.report }
approval go of release { by: ["alice"], timeout: 24h }
promote current = release to models@production after go
stage card after first { out o: File = "out/card"   run <<< echo card > "$o" >>> }
stage told { in card = card.o?   out o: File = "out/told"   run <<< echo "${card:-none}" > "$o" >>> }
stage page after go { out o: File = "out/page"   run <<< echo page > "$o" >>> }
stage site { in page = page.o?   out o: File = "out/site"   run <<< echo "${page:-none}" > "$o" >>> }
stage strict { in page = page.o?, card = card.o   out o: File = "out/strict"   run <<< echo "$card" > "$o" >>> }
action announce after page { idempotent   run <<< true >>> }
action deploy of release after page { idempotent   run <<< true >>> }
profile smoke {}
profile shared { releases true }
target argo { image: "i", profile: "shared" }
"#;

#[test]
fn what_is_read_with_a_question_mark_goes_on_where_it_was_rightly_left_out() {
    let files = manifests(LEFT_OUT, "").files;
    let templates = templates(&files);
    let tasks: BTreeMap<String, &serde_yaml::Value> = templates[0]["dag"]["tasks"]
        .as_sequence()
        .expect("tasks")
        .iter()
        .map(|task| (task["name"].as_str().expect("a name").to_owned(), task))
        .collect();
    let depends = |name: &str| tasks[name]["depends"].as_str().unwrap_or_default();
    let when =
        |name: &str| tasks[name]["when"].as_str().map(|when| when.replace("{{workflow.parameters.profile}}", "P"));
    // Each approval is asked by its own clause of the gate.
    assert_eq!(when("first").as_deref(), Some("'{{tasks.q.outputs.parameters.asked}}' == 'no_baseline'"));
    assert_eq!(when("broken").as_deref(), Some("'{{tasks.q.outputs.parameters.asked}}' == 'unscorable'"));
    // Behind one that only a gate asks for: absent where it was skipped, and not where it was omitted.
    assert_eq!(depends("card"), "first-answer.Succeeded");
    assert_eq!(depends("told"), "(card.Succeeded || card.Skipped || card.Omitted)");
    assert_eq!(
        when("told").as_deref(),
        Some("('{{tasks.card.status}}' == 'Succeeded' || '{{tasks.first.status}}' == 'Skipped')")
    );
    // Behind one that asks nobody about what production is already: it is made all the same, but no word for others.
    assert_eq!(depends("page"), "(go.Skipped || go-answer.Succeeded)");
    assert_eq!(when("page"), None);
    assert_eq!(depends("site"), "(page.Succeeded || page.Skipped || page.Omitted)");
    assert_eq!(when("site").as_deref(), Some("('{{tasks.page.status}}' == 'Succeeded' || 'P' == 'smoke')"));
    assert_eq!(depends("announce"), "page.Succeeded && go-answer.Succeeded");
    assert!(!depends("deploy").contains("go-answer"), "{}", depends("deploy"));
    assert_eq!(
        when("go").as_deref(),
        Some("'{{tasks.release.outputs.parameters.there}}' != 'true'"),
        "a stage waits for it, so that it is no affair of releases alone"
    );
    // A bytes-for-bytes reader beside an optional one is held up as ever.
    assert!(depends("strict").contains("card.Succeeded"), "{}", depends("strict"));
    assert!(!depends("strict").contains("card.Skipped"), "{}", depends("strict"));
    let optional = |task: &str, artifact: &str| {
        let passed = tasks[task]["arguments"]["artifacts"].as_sequence().expect("a list");
        let found = passed.iter().find(|passed| passed["name"].as_str() == Some(artifact)).expect(artifact);
        found["optional"].as_bool().unwrap_or_default()
    };
    assert!(optional("told", "card-result") && optional("told", "card-file-o") && optional("told", "q-result"));
    assert!(!optional("strict", "card-result") && !optional("strict", "card-file-o"));
    assert!(optional("strict", "page-result") && optional("strict", "page-file-o"));
}
