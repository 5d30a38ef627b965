//! `mlpc infer` where strace is missing, and with one that plays what was recorded. The real one is a judge's:
//! `tests/judges/infer.sh`.

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline toy
edition 2026

source raw: File = "raw.txt"

stage prepare {
  in  raw
  out clean: File = "out/clean.txt"
  run <<< cp "$raw" "$clean" >>>
}

stage train {
  in   raw
  code "train.sh", "old.sh"
  out  model: File = "out/model.txt"
  run  <<< bash train.sh > "$model" >>>
}
"#;

/// Runs the command, then writes what strace would have written of it.
const STRACE: &str = r#"#!/bin/bash
while [ "$1" != -- ]; do [ "$1" != -o ] || to=$2; shift; done; shift
"$@"; status=$?
{
  echo 'execve("/usr/bin/bash", ["bash"], 0x1 /* 9 vars */) = 0'
  for file in train.sh lib.sh out/clean.txt; do
    echo "openat(AT_FDCWD<$PWD>, \"$file\", O_RDONLY) = 3<$PWD/$file>"
  done
} > "$to.1"
exit $status
"#;

fn toy() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("toy.mlp", PIPELINE).file("raw.txt", "a\n").file("old.sh", "").file("lib.sh", "word=b\n");
    sandbox.file("train.sh", "set -e; source ./lib.sh; cat out/clean.txt; echo $word\n");
    sandbox.file("../bin/strace", STRACE).shell("chmod +x ../bin/strace");
    sandbox
}

#[test]
fn without_strace_it_says_what_to_install() {
    let sandbox = toy();
    let ended = sandbox.shell("mlpc=$(command -v mlpc); PATH=/nowhere $mlpc infer train");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("`apt-get install strace`"), "{ended:?}");
}

#[test]
fn a_stage_runs_in_a_copy_of_everything_and_its_lines_are_told() {
    let sandbox = toy();
    assert_eq!(sandbox.mlpc(&["run", "prepare"]).code, 0);
    assert_eq!(sandbox.mlpc(&["run", "train"]).code, 1, "what it needs is not declared");
    let ended = sandbox.shell("PATH=$PWD/../bin:$PATH mlpc infer train");
    let told = "  code \"train.sh\"\n+ in   clean = prepare.clean\n+ code \"lib.sh\"\n- in   raw\n- code \"old.sh\"\n\
                `train`: 2 to add, 2 not read in this run\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (0, told), "{ended:?}");
    assert!(!sandbox.path().join("out/model.txt").exists(), "nothing of it enters the workspace");
    sandbox.file("train.sh", "exit 3\n");
    let failed = sandbox.shell("PATH=$PWD/../bin:$PATH mlpc infer train --json");
    assert_eq!(failed.code, 1, "{failed:?}");
    let json: serde_json::Value = serde_json::from_str(&failed.stdout).expect("JSON");
    assert_eq!((&json["failed"], &json["lines"][0]["change"]), (&"exited with status 3".into(), &"keep".into()));
    let gate = sandbox.shell("PATH=$PWD/../bin:$PATH mlpc infer trian");
    assert_eq!(gate.code, 2, "{gate:?}");
}

#[test]
fn a_run_names_the_lines_that_infer_would() {
    let sandbox = toy();
    sandbox.file("models/base.pkl", "w\n");
    assert_eq!(sandbox.mlpc(&["run", "prepare"]).code, 0);
    let told = |command: &str| {
        sandbox.file("train.sh", &format!("set -e; {command}\n"));
        let ended = sandbox.mlpc(&["run", "train"]);
        assert_eq!(ended.code, 1, "{ended:?}");
        ended.stdout + &ended.stderr
    };
    let source = "declare `source base: File = \"models/base.pkl\"`, and add `in base` to `train`";
    let said = told("cat models/base.pkl");
    assert!(said.contains(source), "{said}");
    // Of a plan that was kept, the stages that have nothing to do are left out: with `--keep` the whole pipeline is read.
    told("cat out/clean.txt");
    let said = sandbox.mlpc(&["run", "train", "--keep"]);
    assert!(said.stderr.contains("add `in clean = prepare.clean` to `train`"), "{said:?}");
    let said = told("source ./lib.sh");
    assert!(said.contains("add `code \"lib.sh\"` to `train`"), "{said}");
}

#[test]
fn every_shell_gets_its_completions() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = sandbox.mlpc(&["completions", shell]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("mlpc") && ended.stdout.contains("keep-going"), "{shell}");
    }
    let bash = sandbox.shell("source <(mlpc completions bash); complete -p mlpc");
    assert!(bash.stdout.contains("_mlpc"), "{bash:?}");
}
