//! The hooks of pre-commit stop what is wrong anywhere in the repository, whatever file was changed.

use crate::sandbox::{Ended, Sandbox, repository};

const PIPELINE: &str = r#"pipeline p
edition 2026

use "gates/common.mlp" { data_quality, raw }

param epochs: int in 1..9 from "configs/train.yaml" at "/epochs"

stage count {
  in  raw
  use epochs
  out lines: File = "lines.txt"
  run <<< wc -l "$raw" "$epochs" > "$lines" >>>
}
"#;

const GATES: &str = r#"source raw: Dataset<csv> = "data/raw.csv"

gate data_quality on raw { require rows >= 2 }
"#;

/// A repository with two pipelines, a module of one of them, and one that nobody uses.
fn laid_out() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("ml/p.mlp", PIPELINE).file("ml/gates/common.mlp", GATES);
    sandbox.file("ml/configs/train.yaml", "epochs: 3\n").file("ml/data/raw.csv", "a,b\n1,2\n");
    sandbox.file("other/q.mlp", "pipeline q\nedition 2026\n").file("lone.mlp", "const alone = 1\n");
    sandbox.file(".gitignore", "/scratch/\n").file("scratch/broken.mlp", "pipeline broken\nnonsense\n");
    sandbox.file("ml/.mlpc/broken.mlp", "pipeline broken\nnonsense\n");
    assert_eq!(sandbox.shell("git init -q .").code, 0);
    sandbox
}

/// Calls the program as pre-commit calls the hook where these files are to be committed.
fn hook(sandbox: &Sandbox, id: &str, changed: &[&str]) -> Option<Ended> {
    let text = std::fs::read_to_string(repository().join(".pre-commit-hooks.yaml")).expect("the hooks");
    let hooks: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    let hook =
        hooks.as_sequence().expect("a list").iter().find(|hook| hook["id"].as_str() == Some(id)).expect("a hook");
    let always = hook["always_run"].as_bool() == Some(true);
    assert!(always || hook["files"].as_str() == Some(r"\.mlp$"), "no other filter is known here");
    let files: Vec<&str> = changed.iter().copied().filter(|file| always || file.ends_with(".mlp")).collect();
    if files.is_empty() && !always {
        return None;
    }
    let mut words: Vec<&str> = hook["entry"].as_str().expect("a command").split(' ').skip(1).collect();
    if hook["pass_filenames"].as_bool() != Some(false) {
        words.extend(files);
    }
    Some(sandbox.mlpc(&words))
}

#[test]
fn every_pipeline_with_its_modules_and_every_lone_module_is_checked() {
    let ended = laid_out().mlpc(&["check", "--all"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    let said =
        "ml/p.mlp: fine, 1 stage, 1 gate\nother/q.mlp: fine\nlone.mlp: fine, a module: it has no `pipeline` line\n";
    assert_eq!(ended.stdout, said);
}

#[test]
fn folders_are_named_and_nothing_to_check_is_no_pass() {
    let sandbox = laid_out();
    assert_eq!(sandbox.mlpc(&["check", "--all", "other"]).stdout, "other/q.mlp: fine\n");
    let ended = sandbox.mlpc(&["check", "--all", "scratch/none", "ml/configs"]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    let ended = sandbox.mlpc(&["check", "--all", "ml/configs"]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(ended.stderr.contains("no .mlp file in `ml/configs`"), "{ended:#?}");
    assert_eq!(sandbox.mlpc(&["check", "--all", "-f", "ml/p.mlp"]).code, 2);
}

#[test]
fn the_hook_sees_what_a_changed_module_broke() {
    let sandbox = laid_out();
    sandbox.file("ml/gates/common.mlp", &GATES.replace("gate data_quality", "gate quality"));
    let ended = hook(&sandbox, "mlpc-check", &["ml/gates/common.mlp"]).expect("it is called");
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(ended.stderr.contains("`ml/gates/common.mlp` declares no `data_quality`"), "{ended:#?}");
}

#[test]
fn the_hook_sees_a_value_out_of_range_and_a_deleted_module() {
    let sandbox = laid_out();
    sandbox.file("ml/configs/train.yaml", "epochs: 30\n");
    let ended = hook(&sandbox, "mlpc-check", &["ml/configs/train.yaml"]).expect("it is called");
    assert_eq!(ended.code, 2, "{ended:#?}");
    sandbox.file("ml/configs/train.yaml", "epochs: 3\n");
    assert_eq!(hook(&sandbox, "mlpc-check", &[]).expect("it is called").code, 0);
    std::fs::remove_file(sandbox.path().join("ml/gates/common.mlp")).expect("deleted");
    assert_eq!(hook(&sandbox, "mlpc-check", &[]).expect("it is called").code, 2);
}

#[test]
fn fixes_are_applied_below_the_folder() {
    let sandbox = laid_out();
    sandbox.file("ml/p.mlp", &PIPELINE.replace("{ data_quality", "{ data_qualty"));
    assert_eq!(sandbox.mlpc(&["check", "--all", "--fix"]).code, 0);
    assert_eq!(sandbox.read("ml/p.mlp"), PIPELINE);
}
