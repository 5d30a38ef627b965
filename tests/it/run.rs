//! `mlpc run` as a user meets it: hits, reasons, failures, signals, and runs that were killed in the middle.

use crate::sandbox::Sandbox;

/// Three stages in a row; each waits at its door while a file `hold-N` stands beside the workspace.
const CHAIN: &str = r#"pipeline chain
edition 2026

param word: string = "tail"
source raw: File = "raw.txt"

stage one {
  in  raw
  out text: File = "out/one.txt"
  run <<<
    DOOR 1
    sed s/^/1:/ "$raw" > "$text"
  >>>
}

stage two {
  in   text = one.text
  code "two.sh"
  out  folder: Dir = "out/two"
  run <<<
    DOOR 2
    mkdir -p "$folder/sub"
    bash two.sh "$text" > "$folder/sub/text"
  >>>
}

stage three {
  in  folder = two.folder
  use word
  out text: File = "out/three.txt"
  run <<<
    DOOR 3
    cat "$folder/sub/text" - <<< "$word" > "$text"
  >>>
}
"#;

fn chain() -> Sandbox {
    let sandbox = Sandbox::new();
    let beside = sandbox.path().join("..");
    let beside = beside.canonicalize().expect("the folder above").display().to_string();
    let mut text = CHAIN.to_owned();
    for number in 1..=3 {
        let door = format!(
            "if [ -e {beside}/hold-{number} ]; then echo $$ > {beside}/pid; mv {beside}/pid {beside}/reached; sleep 1000; fi"
        );
        text = text.replace(&format!("DOOR {number}"), &door);
    }
    sandbox.file("chain.mlp", &text).file("raw.txt", "a\nb\n").file("two.sh", "sed s/^/2:/ \"$1\"\n");
    sandbox
}

const THREE: &str = "2:1:a\n2:1:b\ntail\n";

#[test]
fn the_second_run_does_nothing_and_says_so() {
    let sandbox = chain();
    let first = sandbox.mlpc(&["run"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stdout.contains("3 stages run"), "{first:?}");
    assert_eq!(sandbox.read("out/three.txt"), THREE);
    let second = sandbox.mlpc(&["run"]);
    assert!(second.stdout.contains("0 stages run, 3 from the cache"), "{second:?}");
    assert_eq!(second.stderr, "");
    let touched = sandbox.shell("touch raw.txt two.sh out/one.txt && mlpc run");
    assert!(touched.stdout.contains("0 stages run, 3 from the cache"), "{touched:?}");
}

#[test]
fn hazard_06_an_edit_of_the_same_size_with_the_old_time_is_seen() {
    let sandbox = chain();
    sandbox.shell("mlpc run && mlpc run");
    let edited =
        sandbox.shell("touch -r raw.txt stamp && printf 'a\\nc\\n' > raw.txt && touch -r stamp raw.txt && mlpc run");
    assert!(edited.stdout.contains("3 stages run"), "{edited:?}");
    assert_eq!(sandbox.read("out/three.txt"), "2:1:a\n2:1:c\ntail\n");
}

#[test]
fn why_and_plan_say_before_what_the_run_then_does() {
    let sandbox = chain();
    sandbox.mlpc(&["run"]);
    sandbox.file("two.sh", "sed s/^/second:/ \"$1\"\n");
    let why = sandbox.mlpc(&["why", "two"]);
    assert!(why.stdout.starts_with("`two` would run:\n  code `two.sh` changed: "), "{why:?}");
    let why = sandbox.mlpc(&["why", "three"]);
    assert!(why.stdout.starts_with("`three` runs if `two` comes out different\n  `two` runs: code"), "{why:?}");
    let plan = sandbox.mlpc(&["plan"]);
    assert!(plan.stdout.ends_with("1 to run, 1 perhaps, 1 from the cache\n"), "{plan:?}");
    let dry = sandbox.mlpc(&["run", "--dry-run"]);
    assert_eq!(dry.stdout, plan.stdout);
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("2 stages run, 1 from the cache"), "{run:?}");
    let why = sandbox.mlpc(&["why", "two"]);
    assert!(why.stdout.contains("it last ran in ") && why.stdout.contains("code `two.sh` changed"), "{why:?}");
    let set = sandbox.mlpc(&["why", "three", "--set", "word=end"]);
    assert!(set.stdout.contains("parameter `word` changed: tail -> end"), "{set:?}");
}

#[test]
fn hazard_21_comments_and_white_space_rerun_nothing_but_the_scripts_own_text_does() {
    let sandbox = chain();
    sandbox.mlpc(&["run"]);
    let commented = sandbox.read("chain.mlp").replace("stage two {", "# a comment\n\nstage   two {  # another");
    sandbox.file("chain.mlp", &commented);
    assert!(sandbox.mlpc(&["run"]).stdout.contains("0 stages run, 3 from the cache"));
    sandbox.file("chain.mlp", &commented.replace("mkdir -p", "mkdir  -p"));
    assert!(sandbox.mlpc(&["run"]).stdout.contains("1 stage run, 2 from the cache"));
}

#[test]
fn a_failure_shows_the_log_the_hint_and_what_was_not_run() {
    let sandbox = chain();
    sandbox.file("two.sh", "echo about to fail >&2; source ./lib.sh\n").file("lib.sh", "true\n");
    let failed = sandbox.mlpc(&["run"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stderr.contains("| about to fail"), "{failed:?}");
    assert!(failed.stderr.contains("add `code \"lib.sh\"` to `two`"), "{failed:?}");
    assert!(failed.stdout.contains("three  not run: `two` did not come out well"), "{failed:?}");
    let log = failed.stderr.lines().find_map(|line| line.trim().strip_prefix("log: ")).expect("the log is named");
    assert!(sandbox.read(log).starts_with("about to fail\n"));
}

#[test]
fn what_does_not_wait_for_a_failure_goes_on_and_the_run_still_fails() {
    let sandbox = Sandbox::new();
    let stage = |name: &str, command: &str| {
        format!(
            "\nstage {name} {{\n  out {name}_made: File = \"{name}.txt\"\n  run <<< {command} > \"${name}_made\" >>>\n}}\n"
        )
    };
    let text = format!("pipeline two\nedition 2026\n{}{}", stage("bad", "false"), stage("good", "echo good"));
    sandbox.file("two.mlp", &text);
    let run = sandbox.mlpc(&["run", "-j", "1"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(sandbox.read("good.txt"), "good\n");
}

#[test]
fn only_what_is_named_runs_and_a_mistyped_name_is_told() {
    let sandbox = chain();
    let one = sandbox.mlpc(&["run", "one", "chain.mlp"]);
    assert!(one.stdout.contains("1 stage run"), "{one:?}");
    let wrong = sandbox.mlpc(&["run", "thre"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("no node `thre`") && wrong.stderr.contains("did you mean `three`?"), "{wrong:?}");
    let wrong = sandbox.mlpc(&["run", "--set", "wrd=x"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[test]
fn events_are_json_one_a_line() {
    let sandbox = chain();
    let run = sandbox.mlpc(&["run", "--json"]);
    let events: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.first().map(|event| event["event"].clone()), Some("run_started".into()));
    assert_eq!(events.last().map(|event| event["exit"].clone()), Some(0.into()));
    assert_eq!(events.iter().filter(|event| event["event"] == "node_ended").count(), 3);
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let sandbox = chain();
    let piped = sandbox.shell("mlpc run | head -1; echo ${PIPESTATUS[0]}");
    assert!(piped.stdout.ends_with("\n0\n"), "{piped:?}");
    assert_eq!(piped.stderr, "");
    assert_eq!(sandbox.read("out/three.txt"), THREE);
}

/// Starts a run, waits until a stage has reached its door, sends the signal, and waits for the end.
fn stopped_at(sandbox: &Sandbox, number: u32, signal: &str) -> crate::sandbox::Ended {
    sandbox.shell(&format!(
        "touch ../hold-{number}; mlpc run > ../stopped 2>&1 & pid=$!; until [ -e ../reached ]; do :; done; \
         kill -{signal} $pid; wait $pid; code=$?; rm ../hold-{number}; cat ../reached; rm ../reached; echo $code"
    ))
}

#[test]
fn killed_at_any_stage_the_next_run_redoes_only_what_was_not_finished() {
    for number in 1..=3 {
        let sandbox = chain();
        let killed = stopped_at(&sandbox, number, "KILL");
        assert!(killed.stdout.ends_with("\n137\n"), "{killed:?}");
        let orphan = killed.stdout.lines().next().expect("the stage said its id");
        let next = sandbox.mlpc(&["run"]);
        assert_eq!(next.code, 0, "{next:?}");
        let told = format!("{} stage", 4 - number);
        assert!(next.stdout.lines().any(|line| line.starts_with(&told)), "killed in {number}: {next:?}");
        assert_eq!(sandbox.read("out/three.txt"), THREE);
        let lives = sandbox.shell(&format!("grep -s '^State:.[^Z]' /proc/{orphan}/status"));
        assert_eq!(lives.stdout, "", "the stage of the killed run goes on");
        assert_eq!(sandbox.shell("ls -A .mlpc/tmp").stdout, ".lock\n");
    }
}

#[test]
fn an_interrupt_ends_the_stages_and_the_run() {
    let sandbox = chain();
    let stopped = stopped_at(&sandbox, 2, "INT");
    assert!(stopped.stdout.ends_with("\n130\n"), "{stopped:?}");
    let stage = stopped.stdout.lines().next().expect("the stage said its id");
    let lives = sandbox.shell(&format!("grep -s '^State:.[^Z]' /proc/{stage}/status"));
    assert_eq!(lives.stdout, "");
    let next = sandbox.mlpc(&["run"]);
    assert!(next.stdout.contains("2 stages run, 1 from the cache"), "{next:?}");
}

#[test]
fn a_write_that_fails_leaves_nothing_half_done() {
    for limit in [1, 2, 4, 8] {
        let sandbox = chain();
        sandbox.file("raw.txt", &"line\n".repeat(1000));
        sandbox.shell(&format!("ulimit -f {limit}; mlpc run > /dev/null 2>&1"));
        let next = sandbox.mlpc(&["run"]);
        assert_eq!(next.code, 0, "{limit}: {next:?}");
        assert_eq!(sandbox.read("out/three.txt"), "2:1:line\n".repeat(1000) + "tail\n");
    }
}

#[test]
fn hazard_14_two_runs_at_once_end_with_the_same_outputs() {
    let sandbox = chain();
    let both = sandbox.shell("mlpc run > ../a 2>&1 & mlpc run > ../b 2>&1; one=$?; wait $!; echo $one $?");
    assert_eq!(both.stdout, "0 0\n", "{}{}", sandbox.read("../a"), sandbox.read("../b"));
    assert_eq!(sandbox.read("out/three.txt"), THREE);
    assert!(sandbox.mlpc(&["run"]).stdout.contains("0 stages run, 3 from the cache"));
}

#[test]
fn a_profile_has_outputs_of_its_own() {
    let sandbox = chain();
    let text = sandbox.read("chain.mlp") + "profile smoke { set word = \"smoke\" }\n";
    sandbox.file("chain.mlp", &text);
    sandbox.mlpc(&["run"]);
    let smoke = sandbox.mlpc(&["run", "--profile", "smoke"]);
    assert!(smoke.stdout.contains("1 stage run, 2 from the cache"), "{smoke:?}");
    assert_eq!(sandbox.read("out/three.txt"), THREE);
    assert_eq!(sandbox.read(".mlpc/profiles/smoke/out/three.txt"), "2:1:a\n2:1:b\nsmoke\n");
}

#[test]
fn a_shell_stands_in_the_stages_folder_with_its_variables() {
    let sandbox = chain();
    sandbox.file("../shell", "#!/bin/sh\necho in $(ls) with $folder $word $text\nexit 7\n");
    let shell = sandbox.shell("chmod +x ../shell; SHELL=$PWD/../shell mlpc run three --shell");
    assert_eq!(shell.code, 0, "{shell:?}");
    assert!(shell.stdout.contains("in out with out/two tail out/three.txt\n"), "{shell:?}");
    assert!(!sandbox.path().join("out/three.txt").exists());
}

#[test]
fn what_the_cache_has_lost_comes_back_from_where_it_was_published() {
    let sandbox = chain();
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    // All objects are gone; the outputs stand in the workspace as they were made.
    sandbox.shell("chmod -R u+w .mlpc/cache; find .mlpc/cache/v1/objects -type f -delete");
    let ended = sandbox.mlpc(&["run", "--set", "word=head"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(sandbox.read("out/three.txt"), THREE.replace("tail", "head"));
    // Edited since then, they are no longer what the stages made: these are run again, and the edit is kept.
    sandbox
        .shell("chmod -R u+w .mlpc/cache; find .mlpc/cache/v1/objects -type f -delete; echo mine > out/two/sub/text");
    let ended = sandbox.mlpc(&["run", "--set", "word=tail"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(sandbox.read("out/three.txt"), THREE);
    assert_eq!(sandbox.shell("cat .mlpc/saved/*/out/two/sub/text").stdout, "mine\n");
}

#[test]
fn outputs_keep_from_others_what_the_umask_keeps() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline p\nedition 2026\n\
         stage make { out text: File = \"text\"   out tool: File = \"tool\"\n\
         run <<<\n    echo a > \"$text\"; echo b > \"$tool\"; chmod +x \"$tool\"\n>>>\n}\n",
    );
    for (mask, text, tool) in [("077", 0o600, 0o700), ("022", 0o644, 0o755)] {
        let ended = sandbox.shell(&format!("rm -rf .mlpc text tool; umask {mask}; mlpc run"));
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        let mode =
            |name: &str| std::fs::metadata(sandbox.path().join(name)).expect("made").permissions().mode() & 0o777;
        assert_eq!((mode("text"), mode("tool")), (text, tool), "{mask}");
    }
}

#[test]
fn only_what_a_run_made_is_said_to_be_edited() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline p\nedition 2026\nstage make { out text: File = \"text\"   run <<< echo a > \"$text\" >>> }\n",
    );
    sandbox.file("text", "mine\n");
    let first = sandbox.mlpc(&["run"]);
    assert!(first.stdout.contains("`text` stood there, and mlpc did not write it"), "{}", first.stdout);
    sandbox.file("text", "edited\n");
    let second = sandbox.mlpc(&["run"]);
    assert!(second.stdout.contains("`text` was edited by hand"), "{}", second.stdout);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "odd/p.mlp",
        "pipeline p\nedition 2026\nsecret token\nstage make { secret token   out text: File = \"text\"\nrun <<< echo \"$token\" > \"$text\" >>>\n}\n",
    );
    let resumed = sandbox.shell("cd odd && mlpc run --resume ../../x");
    assert_eq!(resumed.code, 2, "{}", resumed.stderr);
    assert!(resumed.stderr.contains("there is no run `"), "{}", resumed.stderr);
    let unknown = sandbox.shell("cd odd && mlpc run --resume 20260101T000000-1");
    assert!(unknown.code == 2 && unknown.stderr.contains("there is no run `20260101T000000-1`"), "{unknown:?}");
    let empty = sandbox.shell("cd odd && TOKEN= mlpc run");
    assert_eq!(empty.code, 1, "{}", empty.stdout);
    assert!(empty.stderr.contains("needs the secret `token`, which has no value"), "{}", empty.stderr);
    let path = sandbox.shell("cp -r odd $'o\\xffdd' && cd $'o\\xffdd' && TOKEN=x mlpc run");
    assert_eq!(path.code, 2, "{}", path.stdout);
    assert!(path.stderr.contains("is not UTF-8"), "{}", path.stderr);
}

#[test]
fn a_bare_number_is_told_to_be_no_object_or_list() {
    let sandbox = Sandbox::new();
    for (text, code) in [("1", 1), ("true", 1), ("\\\"x\\\"", 1), ("[1]", 0), ("{}", 0)] {
        let stage =
            format!("stage a {{\n out m: Model<json> = \"m.json\"\n run <<< echo \"{text}\" > \"$m\" >>>\n}}\n");
        sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\n{stage}"));
        let ended = sandbox.mlpc(&["run"]);
        assert_eq!(ended.code, code, "{text}: {ended:?}");
        assert_eq!(ended.stdout.contains("is no JSON object or list, as its type"), code == 1, "{text}: {ended:?}");
    }
}
