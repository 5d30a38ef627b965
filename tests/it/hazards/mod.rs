//! What the cache has to survive, a test each, named after its number in the list of hazards. The book's page names those
//! that stand elsewhere.

mod book;
mod files;

use crate::sandbox::Sandbox;

const PAIR: &str = r#"pipeline pair
edition 2026

source raw: File = "raw.txt"

stage make {
  in  raw
  out text: File = "out/made.txt"
  run <<<
    cat "$raw" > "$text"
  >>>
}

stage use_it {
  in   text = make.text
  code "tool.sh"
  out  text_2: File = "out/used.txt"
  run <<<
    sh tool.sh "$text" > "$text_2"
  >>>
}
"#;

fn pair() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("pair.mlp", PAIR).file("raw.txt", "a\n").file("tool.sh", "sed s/a/b/ \"$1\"\n");
    sandbox
}

#[test]
fn hazard_05_an_input_that_changes_while_a_stage_without_isolation_runs_is_not_stored() {
    let sandbox = pair();
    let open = PAIR
        .replace("  in  raw\n", "  in  raw\n  isolation off\n")
        .replace("cat \"$raw\" > \"$text\"", "cat \"$raw\" > \"$text\"\n    echo changed > \"$raw\"");
    sandbox.file("pair.mlp", &open);
    let first = sandbox.mlpc(&["run", "make"]);
    assert!(first.stdout.contains("`raw.txt` changed while the stage ran"), "{first:?}");
    sandbox.file("raw.txt", "a\n");
    let again = sandbox.mlpc(&["run", "make"]);
    assert!(again.stdout.contains("1 stage run"), "what it made of a moving input was no result: {again:?}");
}

#[test]
fn hazard_05_a_folder_and_what_another_stage_made_are_inputs_too() {
    let pipeline = |touch: &str| {
        format!(
            "pipeline p\nedition 2026\nsource folder: Dir = \"folder\"\nstage first {{\n  in folder\n  out a: File = \"out/a\"\n  \
             run <<< cat \"$folder/f\" > \"$a\" >>>\n}}\nstage second {{\n  in folder, a = first.a\n  isolation off\n  \
             out b: File = \"out/b\"\n  run <<< cat \"$a\" > \"$b\"; {touch} >>>\n}}\n"
        )
    };
    for (touch, told) in [("echo x > \"$folder/g\"", "folder"), ("echo x > \"$a\"", "out/a")] {
        let sandbox = Sandbox::new();
        sandbox.file("p.mlp", &pipeline(touch)).file("folder/f", "1\n");
        let first = sandbox.mlpc(&["run"]);
        assert!(first.stdout.contains(&format!("`{told}` changed while the stage ran")), "{first:?}");
        std::fs::remove_file(sandbox.path().join("folder/g")).ok();
        let again = sandbox.mlpc(&["run", "second"]);
        assert!(again.stdout.contains("second  done in"), "what it made was no result: {again:?}");
    }
}

/// A file that was not there when the key was made is in no key, though the command may have read it.
#[test]
fn hazard_05_a_file_that_becomes_code_while_a_stage_without_isolation_runs_spoils_its_result() {
    let sandbox = Sandbox::new();
    let pipeline = "pipeline p\nedition 2026\nstage make {\n  code \"src/**\"\n  isolation off\n  out o: File = \"out/o\"\n  \
                    run <<< cat src/*.txt > \"$o\"; if [ -e add ]; then echo 2 > src/b.txt; fi >>>\n}\n";
    sandbox.file("p.mlp", pipeline).file("src/a.txt", "1\n").file("add", "");
    let first = sandbox.mlpc(&["run"]);
    assert!(first.stdout.contains("`src/b.txt` changed while the stage ran"), "{first:?}");
    std::fs::remove_file(sandbox.path().join("src/b.txt")).expect("the stage made it");
    std::fs::remove_file(sandbox.path().join("add")).expect("it was there");
    let again = sandbox.mlpc(&["run"]);
    assert!(again.stdout.contains("1 stage run"), "what it made was no result: {again:?}");
    let settled = sandbox.mlpc(&["run", "--force"]);
    assert!(!settled.stdout.contains("changed while"), "{settled:?}");
}

/// Numbers of data that changed while they were measured are numbers of nothing.
#[test]
fn hazard_05_no_gate_counts_what_was_measured_on_a_moving_input() {
    let sandbox = Sandbox::new();
    sandbox.file("test.txt", "1\n").file(
        "p.mlp",
        "pipeline p\nedition 2026\nmetrics E { auc: ratio higher }\nsource test: File = \"test.txt\"\nregistry models = directory(\"registry\")\n\
         stage train {\n  in test\n  out model: File = \"out/model\"\n  run <<< cp \"$test\" \"$model\" >>>\n}\n\
         stage evaluate {\n  in model = train.model, test\n  isolation off\n  out report: Metrics<E> of model over test as test = \"out/e.json\"\n  \
         run <<<\n    printf '{\"auc\":0.9}' > \"$report\"\n    if [ -e spoil ]; then echo 2 > \"$test\"; fi\n  >>>\n}\n\
         gate q on evaluate.report { require auc >= 0.5 }\nregister release = train.model to models after q { metrics: evaluate.report }\n",
    );
    sandbox.file("spoil", "");
    let spoilt = sandbox.mlpc(&["run"]);
    assert_eq!(spoilt.code, 11, "{spoilt:?}");
    assert!(spoilt.stdout.contains("`test.txt` changed while `evaluate` ran"), "{spoilt:?}");
    assert!(!sandbox.path().join("registry/models/versions").exists(), "nothing was registered");
    std::fs::remove_file(sandbox.path().join("spoil")).expect("it was there");
    let settled = sandbox.mlpc(&["run"]);
    assert_eq!(settled.code, 0, "{settled:?}");
}

#[test]
fn hazard_12_what_comes_from_another_stage_is_in_the_key_by_its_content() {
    let sandbox = pair();
    sandbox.mlpc(&["run"]);
    sandbox.file("raw.txt", "aa\n");
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("2 stages run"), "{run:?}");
    assert_eq!(sandbox.read("out/used.txt"), "ba\n");
    // Another command that makes the same: the reader has nothing to do.
    sandbox.file("pair.mlp", &PAIR.replace("cat \"$raw\" > \"$text\"", "tee \"$text\" < \"$raw\""));
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("1 stage run, 1 from the cache"), "{run:?}");
}

#[test]
fn hazard_19_a_miss_names_the_part_with_both_values() {
    let sandbox = pair();
    sandbox.mlpc(&["run"]);
    sandbox.file("tool.sh", "sed s/a/c/ \"$1\"\n");
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("runs: code `tool.sh` changed: "), "{run:?}");
}

/// Kills runs at random moments; the next one ends with what an undisturbed one makes. How many is in `MLPC_KILLS`. What a
/// child of the dead run still holds below `.mlpc/tmp` is for a later run to clear, and is not looked at here.
#[test]
fn hazard_07_after_a_kill_at_any_moment_the_next_run_ends_as_an_undisturbed_one() {
    let count: u64 = std::env::var("MLPC_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut text = "pipeline many\nedition 2026\n\nsource raw: File = \"raw.txt\"\n".to_owned();
    for number in 0..50 {
        let input = if number < 5 { "text = raw".to_owned() } else { format!("text = s{}.made", number - 5) };
        text.push_str(&format!(
            "\nstage s{number} {{\n  in {input}\n  out made: File = \"out/{number}.txt\"\n  run sh <<<\n    cat \"$text\" > \"$made\"\n    echo {number} >> \"$made\"\n  >>>\n}}\n"
        ));
    }
    let calm = Sandbox::new();
    calm.file("many.mlp", &text).file("raw.txt", "a\n");
    let whole = calm.shell("mlpc run -j 4 > ../log && cat out/*");
    assert_eq!(whole.code, 0, "{whole:?}");
    let killed = Sandbox::new();
    killed.file("many.mlp", &text);
    for round in 0..count {
        // Results are forgotten, so that every round has all to do; mlpc alone is killed, or its whole group.
        let milliseconds = (round * 7919) % 400;
        let group = if round % 2 == 0 { "" } else { "-" };
        let line = format!(
            "echo a > raw.txt; rm -rf .mlpc/cache/v1/results out; set -m; mlpc run -j 4 > ../log 2>&1 & pid=$!; sleep 0.{milliseconds:03}; kill -9 {group}$pid; wait; mlpc run -j 4 > ../log 2>&1 || cat ../log; cat out/*"
        );
        let after = killed.shell(&line);
        assert_eq!(after.stdout, whole.stdout, "round {round}, killed after {milliseconds} ms");
    }
}

#[test]
fn hazard_01_a_stage_sees_the_variables_that_it_declares_and_they_are_in_the_key() {
    let sandbox = pair();
    let told = PAIR.replace("cat \"$raw\" > \"$text\"", "echo ${OPEN-unset} ${LEAK-unset} > \"$text\"");
    sandbox.file("pair.mlp", &told.replace("  in  raw\n", "  in  raw\n  pass_env [\"OPEN\"]\n"));
    let run = sandbox.shell("OPEN=one LEAK=one mlpc run make");
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(sandbox.read("out/made.txt"), "one unset\n");
    let run = sandbox.shell("OPEN=one LEAK=two mlpc run make");
    assert!(run.stdout.contains("0 stages run"), "what it can not see reruns nothing: {run:?}");
    let run = sandbox.shell("OPEN=two LEAK=two mlpc run make");
    assert!(run.stdout.contains("1 stage run"), "{run:?}");
    assert_eq!(sandbox.read("out/made.txt"), "two unset\n");
}

#[test]
fn hazard_03_code_that_was_not_declared_fails_and_once_declared_is_in_the_key() {
    let sandbox = pair();
    sandbox.file("tool.sh", "set -e\nsource ./lib.sh\nsed \"$RULE\" \"$1\"\n").file("lib.sh", "RULE=s/a/b/\n");
    let bash = PAIR.replace("sh tool.sh", "bash tool.sh");
    sandbox.file("pair.mlp", &bash);
    let failed = sandbox.mlpc(&["run"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stderr.contains("add `code \"lib.sh\"` to `use_it`"), "{failed:?}");
    sandbox.file("pair.mlp", &bash.replace("code \"tool.sh\"", "code \"tool.sh\", \"lib.sh\""));
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(sandbox.read("out/used.txt"), "b\n");
    sandbox.file("lib.sh", "RULE=s/a/c/\n");
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("1 stage run, 1 from the cache"), "{run:?}");
    assert_eq!(sandbox.read("out/used.txt"), "c\n");
}

#[test]
fn hazard_08_exit_0_without_the_output_is_a_failure_every_time() {
    let sandbox = pair();
    sandbox.file("tool.sh", "exit 0\n");
    sandbox.file("pair.mlp", &PAIR.replace("sh tool.sh \"$text\" > \"$text_2\"", "sh tool.sh \"$text\""));
    for _ in 0..2 {
        let run = sandbox.mlpc(&["run"]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(format!("{run:?}").contains("(`out/used.txt`) was not written"), "{run:?}");
    }
    assert!(!sandbox.path().join("out/used.txt").exists());
}

/// Runs that may write no file beyond a limit in KiB; the source has 30.8.
#[test]
fn hazard_07_after_writes_that_fail_the_next_run_ends_as_an_undisturbed_one() {
    let raw = "a line of the source\n".repeat(1500);
    let calm = pair();
    calm.file("raw.txt", &raw);
    assert_eq!(calm.mlpc(&["run"]).code, 0);
    let mut cut = 0;
    for limit in [1, 4, 16, 30, 31] {
        let sandbox = pair();
        sandbox.file("raw.txt", &raw);
        let limited = sandbox.shell(&format!("ulimit -f {limit}; mlpc run > /dev/null 2>&1"));
        cut += usize::from(limited.code != 0);
        let next = sandbox.mlpc(&["run"]);
        assert_eq!(next.code, 0, "{limit}: {next:?}");
        for path in ["out/made.txt", "out/used.txt"] {
            assert_eq!(sandbox.read(path), calm.read(path), "{path} after a limit of {limit} KiB");
        }
        let verified = sandbox.mlpc(&["cache", "verify"]);
        assert_eq!(verified.code, 0, "{limit}: {verified:?}");
        assert!(sandbox.mlpc(&["run"]).stdout.contains("0 stages run"), "{limit}");
    }
    assert_eq!(cut, 4, "limits that were felt: all but the last, which is above all files");
}

/// A run's argument list; what it prints is what it was given.
fn listed(arguments: &str) -> String {
    let list = format!("  run [\"sh\", \"-c\", \"printf '%s,' \\\"$@\\\" > out.txt\", \"x\", {arguments}]\n");
    format!("pipeline listed\nedition 2026\n\nstage say {{\n  out said: File = \"out.txt\"\n{list}}}\n")
}

#[test]
fn hazard_18_keys_tell_fields_apart_and_do_not_hang_on_the_order_of_declarations() {
    let sandbox = Sandbox::new();
    for (arguments, said) in [("\"ab\", \"c\"", "ab,c,"), ("\"a\", \"bc\"", "a,bc,"), ("\"abc\", \"\"", "abc,,")] {
        sandbox.file("listed.mlp", &listed(arguments));
        let run = sandbox.mlpc(&["run"]);
        assert!(run.stdout.contains("1 stage run"), "{run:?}");
        assert_eq!(sandbox.read("out.txt"), said);
    }
    let sandbox = pair();
    sandbox.mlpc(&["run"]);
    let (head, tail) = PAIR.split_once("stage make").expect("two stages");
    let (make, use_it) = tail.split_once("stage use_it").expect("two stages");
    let turned = format!("{head}stage use_it{use_it}\nstage make{}\n", make.trim_end());
    let turned = turned
        .replace("  in   text = make.text\n  code \"tool.sh\"\n", "  code \"tool.sh\"\n  in   text = make.text\n");
    assert_ne!(turned, PAIR);
    sandbox.file("pair.mlp", &turned);
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("0 stages run, 2 from the cache"), "{run:?}");
}

/// What a run keeps and how many objects it makes, for so many stages in a row. How long it takes is `benches/run`.
fn kept(stages: usize) -> (u64, u64) {
    let mut text = "pipeline many\nedition 2026\n\nsource raw: File = \"raw.txt\"\n".to_owned();
    for number in 0..stages {
        let input = if number == 0 { "raw".to_owned() } else { format!("s{}.made", number - 1) };
        text.push_str(&format!(
            "\nstage s{number} {{\n  in text = {input}\n  out made: File = \"out/{number}.txt\"\n  run sh <<<\n    tail -n 1 \"$text\" > \"$made\"; echo {number} >> \"$made\"\n  >>>\n}}\n"
        ));
    }
    let sandbox = Sandbox::new();
    sandbox.file("many.mlp", &text).file("raw.txt", "a\n");
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 0, "{run:?}");
    let sizes = sandbox.shell("find .mlpc -type f -printf '%s\\n'").stdout;
    let sizes: Vec<u64> = sizes.lines().map(|line| line.parse().expect("a size")).collect();
    (sizes.len() as u64, sizes.iter().sum())
}

#[test]
fn hazard_20_what_a_run_keeps_grows_with_the_stages_and_not_with_their_square() {
    let ((files, bytes), (more_files, more_bytes)) = (kept(10), kept(40));
    assert!(more_files <= files * 4 && more_bytes <= bytes * 5, "{files} {bytes} -> {more_files} {more_bytes}");
}
