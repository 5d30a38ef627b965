//! Runtimes: locked once, built once, part of the key. Offline: packages are wheels that the tests make.

use crate::sandbox::{Ended, Sandbox};

const PIPELINE: &str = r#"pipeline example
edition 2026

runtime py { python: "VERSION", requirements: "requirements.txt" }

stage greet {
  out  said: File = "said.txt"
  run  <<< python -c 'import greeting; print(greeting.WORD)' > "$said" >>>
}
"#;

/// Writes a wheel; `word` is what its module holds.
const WHEEL: &str = r#"python3 - "$1" <<'PY'
import sys, zipfile
word = sys.argv[1]
with zipfile.ZipFile("greeting-1.0-py3-none-any.whl", "w") as wheel:
    def add(name, text):
        wheel.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    add("greeting.py", f"WORD = {word!r}\n")
    info = "greeting-1.0.dist-info/"
    add(info + "METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    add(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    add(info + "RECORD", f"greeting.py,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
PY
"#;

fn bench() -> Sandbox {
    let sandbox = Sandbox::new();
    let version = sandbox.shell("python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'").stdout;
    sandbox.file("main.mlp", &PIPELINE.replace("VERSION", version.trim()));
    sandbox.file("requirements.txt", "--no-index\n./greeting-1.0-py3-none-any.whl\n");
    sandbox.file("wheel.sh", WHEEL);
    wheel(&sandbox, "hello");
    sandbox
}

fn wheel(sandbox: &Sandbox, word: &str) {
    let made = sandbox.shell(&format!("bash wheel.sh {word}"));
    assert_eq!(made.code, 0, "{made:#?}");
}

fn fine(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:#?}");
}

#[test]
fn a_run_locks_builds_once_and_the_stage_sees_what_was_locked() {
    let sandbox = bench();
    let first = sandbox.mlpc(&["run", "--verbose"]);
    fine(&first);
    let said = first.stdout + &first.stderr;
    assert!(said.contains("wrote `mlpc.lock`") && said.contains("with 1 package"), "{said}");
    assert_eq!(sandbox.read("said.txt"), "hello\n");
    let lock = sandbox.read("mlpc.lock");
    assert!(lock.contains("./greeting-1.0-py3-none-any.whl") && lock.contains("sha256:"), "{lock}");
    let again = sandbox.mlpc(&["run", "--force"]);
    fine(&again);
    assert!(!(again.stdout + &again.stderr).contains("building"), "built twice");
    assert_eq!(sandbox.read("mlpc.lock"), lock);
    let folders =
        sandbox.shell("ls .mlpc/runtimes | wc -l; find .mlpc/runtimes -path '*lib*' -type f -perm /222 | wc -l");
    assert_eq!(folders.stdout.split_whitespace().collect::<Vec<_>>(), ["1", "0"]);
    assert!(
        sandbox.shell("ls .mlpc/runtimes/*/lib/*/site-packages/__pycache__").stdout.contains("greeting"),
        "compiled"
    );
    assert!(sandbox.mlpc(&["lock"]).stdout.contains("up to date"));
}

#[test]
fn a_hit_needs_no_environment() {
    let sandbox = bench();
    fine(&sandbox.mlpc(&["run"]));
    fine(&sandbox.shell("chmod -R u+w .mlpc/runtimes && rm -r .mlpc/runtimes said.txt"));
    let again = sandbox.mlpc(&["run"]);
    fine(&again);
    assert!((again.stdout + &again.stderr).contains("0 stages run"), "a hit");
    assert_eq!(sandbox.read("said.txt"), "hello\n");
    assert_eq!(sandbox.shell("ls .mlpc/runtimes 2>/dev/null").stdout, "");
}

#[test]
fn hazard_02_a_stale_lock_stops_all_verbs_and_a_new_one_is_another_key() {
    let sandbox = bench();
    fine(&sandbox.mlpc(&["run"]));
    wheel(&sandbox, "goodbye");
    let stale = sandbox.mlpc(&["run"]);
    assert_eq!(stale.code, 2, "{stale:#?}");
    assert!(
        stale.stderr.contains("stale: `requirements.txt` changed") && stale.stderr.contains("mlpc lock"),
        "{stale:#?}"
    );
    for verb in [&["check"][..], &["compile", "--target", "github"], &["lock", "--check"]] {
        let ended = sandbox.mlpc(verb);
        assert_ne!(ended.code, 0, "{verb:?}");
        assert!((ended.stdout + &ended.stderr).contains("not-locked"), "{verb:?}");
    }
    fine(&sandbox.mlpc(&["lock"]));
    let why = sandbox.mlpc(&["why", "greet"]).stdout;
    assert!(why.contains("runtime `locked` changed"), "{why}");
    fine(&sandbox.mlpc(&["run"]));
    assert_eq!(sandbox.read("said.txt"), "goodbye\n");
    fine(&sandbox.mlpc(&["check"]));
}

#[test]
fn a_wheel_that_is_not_the_one_that_was_locked_is_not_installed() {
    let sandbox = bench();
    fine(&sandbox.mlpc(&["lock"]));
    let locked = sandbox.read("mlpc.lock");
    let at = locked.find("\"sha256:").expect("a digest") + 8;
    let other = format!("{}{}{}", &locked[..at], "0".repeat(64), &locked[at + 64..]);
    sandbox.file("mlpc.lock", &other);
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    assert!((ended.stdout + &ended.stderr).contains("the runtime `py` can't be had"));
    assert_eq!(sandbox.shell("ls .mlpc/runtimes/*/ready 2>/dev/null").stdout, "", "half a runtime counts for nothing");
}

#[test]
fn what_was_half_built_is_built_again_and_two_runs_share_it() {
    let sandbox = bench();
    fine(&sandbox.mlpc(&["run"]));
    let torn = sandbox.shell(
        "cd .mlpc/runtimes/*/ && chmod -R u+w . && rm ready && rm -r lib && cd - >/dev/null && rm -r .mlpc/cache; \
         sed -i 's/greeting.WORD/greeting.WORD, 1/' main.mlp; \
         sed 's/stage greet/stage other/; s/said.txt/other.txt/' main.mlp > other.txt; mkdir b; mv other.txt b/other.mlp; \
         mlpc run > one.log 2>&1 & first=$!; mlpc run > two.log 2>&1; second=$?; wait $first; echo \"$? $second\"; \
         cat one.log two.log | grep -c building",
    );
    assert_eq!(torn.stdout, "0 0\n1\n", "{torn:#?}");
    assert_eq!(sandbox.read("said.txt"), "hello 1\n");
}

#[test]
fn what_can_not_be_had_says_both_ways_out() {
    let sandbox = bench();
    sandbox.file("main.mlp", &PIPELINE.replace("VERSION", "2.1"));
    let ended = sandbox.mlpc(&["lock"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("there is no Python 2.1 on this machine") && ended.stderr.contains("install it, or uv")
    );
    let image = PIPELINE.replace("python: \"VERSION\", requirements: \"requirements.txt\"", "image: \"python:3.11\"");
    sandbox.file("main.mlp", &image);
    let ended = sandbox.shell("mkdir bin; ln -s \"$(command -v mlpc)\" bin; PATH=$PWD/bin mlpc lock");
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("no container engine that answers: start docker or podman, or run the stage"),
        "{ended:#?}"
    );
}

#[test]
fn an_index_with_a_password_is_never_locked() {
    let sandbox = bench();
    sandbox.file("requirements.txt", "--no-index\n--index-url https://me:secret@pypi.example/simple\n");
    let ended = sandbox.mlpc(&["lock"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    let said = ended.stdout + &ended.stderr;
    assert!(said.contains("with a password in it") && !said.contains("secret"), "{said}");
}
