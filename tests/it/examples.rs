//! The examples: checked, formatted, compiled as they say, their data as their scripts make it, and their READMEs played.
//!
//! `BLESS=1 cargo test examples` writes what the commands of the READMEs print, and what a target refuses.

use std::path::PathBuf;

use crate::sandbox::{Ended, Sandbox, repository};
use crate::tour::play;

/// Names of the folders, in order.
fn examples() -> Vec<String> {
    let folder = std::fs::read_dir(repository().join("examples")).expect("examples/");
    let mut names: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("pipeline.mlp").exists())
        .map(|path| path.file_name().expect("a name").to_str().expect("a plain name").to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 5, "examples are lost: {names:?} are left");
    names
}

fn folder(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

/// Every pipeline file of an example; the main one is `pipeline.mlp`, others are variants of it, modules stand in folders.
fn pipelines(name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(name)).expect("the example");
    let files = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
    let mut files: Vec<_> = files.filter(|file| file.ends_with(".mlp")).collect();
    files.sort();
    files
}

/// Lays an example out as its team would have it: a repository with a remote, and the stand-ins on the PATH.
fn set_up(name: &str) -> impl Fn(&str) -> Ended {
    let sandbox = Sandbox::new();
    let ready = sandbox.shell(&format!("{} --set-up {name} .", repository().join("examples/try").display()));
    assert_eq!(ready.code, 0, "{ready:?}");
    let inside = format!("cd {name}; export PATH=\"$PWD/bin:$PATH\"");
    move |command: &str| sandbox.shell(&format!("{inside}\n{command}"))
}

#[test]
fn every_example_is_checked_formatted_and_compiled() {
    let mut wrong = String::new();
    for name in examples() {
        let shell = set_up(&name);
        for file in pipelines(&name) {
            for verb in ["check", "fmt --check"] {
                let ended = shell(&format!("mlpc {verb} {file} 2>&1"));
                if ended.code != 0 {
                    wrong += &format!("examples/{name}: mlpc {verb} {file}\n{}\n", ended.stdout);
                }
            }
            // Which interpreter is locked depends on the machine, so no example keeps its lock.
            if folder(&name).join("requirements.txt").exists() {
                let locked = shell(&format!("mlpc lock -f {file} 2>&1"));
                assert_eq!(locked.code, 0, "examples/{name}: {locked:?}");
            }
            wrong += &compiled(&name, &file, &shell);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Compiles a file for each target that it declares. What a target refuses stands in `refused/<file>-<target>.txt`, word for word.
fn compiled(name: &str, file: &str, shell: &impl Fn(&str) -> Ended) -> String {
    let text = std::fs::read_to_string(folder(name).join(file)).expect("a pipeline");
    let mut wrong = String::new();
    for target in text.lines().filter_map(|line| line.strip_prefix("target ")).filter_map(|rest| rest.split(' ').next())
    {
        let ended = shell(&format!("mlpc compile {file} --target {target} -o compiled 2>&1"));
        let kept = folder(name).join(format!("refused/{}-{target}.txt", file.trim_end_matches(".mlp")));
        if std::env::var_os("BLESS").is_some() && kept.exists() {
            std::fs::write(&kept, &ended.stdout).expect("what was refused is written");
        }
        let (code, told) = match std::fs::read_to_string(&kept) {
            Ok(told) => (2, told),
            Err(_) => (0, ended.stdout.clone()),
        };
        if ended.code != code || ended.stdout != told {
            wrong +=
                &format!("examples/{name}: mlpc compile {file} --target {target}: {}\n{}\n", ended.code, ended.stdout);
        }
    }
    wrong
}

#[test]
fn the_data_are_what_their_scripts_make() {
    for name in examples().iter().filter(|name| folder(name).join("data/make.py").exists()) {
        let shell = set_up(name);
        let ended = shell("python3 -B data/make.py data && git status --porcelain");
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "examples/{name}: {ended:?}");
        // What DVC keeps is in no commit, but its md5 is.
        let kept = shell(
            "for file in $(git ls-files '*.dvc'); do grep -q \"md5: $(md5sum < ${file%.dvc} | cut -d ' ' -f 1)\" $file || echo $file; done",
        );
        assert_eq!(kept.stdout, "", "examples/{name}: made otherwise than DVC keeps it");
    }
}

#[test]
fn fraud_sagemaker_happens_as_told() {
    assert!(play("examples/fraud-sagemaker/README.md", set_up("fraud-sagemaker")) >= 5);
}

#[test]
fn fan_out_happens_as_told() {
    assert!(play("examples/fan-out/README.md", set_up("fan-out")) >= 4);
}

#[test]
fn managed_clouds_happens_as_told() {
    assert!(play("examples/managed-clouds/README.md", set_up("managed-clouds")) >= 5);
}

#[test]
fn fraud_canary_happens_as_told() {
    assert!(play("examples/fraud-canary/README.md", set_up("fraud-canary")) >= 5);
}

#[test]
fn clients_argo_happens_as_told() {
    assert!(play("examples/clients-argo/README.md", set_up("clients-argo")) >= 5);
}

/// Every example but the tour's has a test of its own above, so that they run side by side.
#[test]
fn every_readme_is_played() {
    let own = include_str!("examples.rs");
    for name in examples().iter().filter(|name| *name != "quickstart") {
        let test = format!("play(\"examples/{name}/README.md\"");
        assert!(own.contains(&test), "examples/{name}/README.md is played by no test");
    }
}
