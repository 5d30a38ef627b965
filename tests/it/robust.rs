//! Input that no author meant: every one ends with a message and exit 2, or is read as it should be. Never a panic.

use std::fs;

use crate::sandbox::{Ended, Sandbox};

const GOOD: &str = "pipeline good\nedition 2026\n\nstage hello {\n  out text: File = \"hello.txt\"\n  run <<< echo hello > \"$text\" >>>\n}\n";

fn check(bytes: &[u8]) -> Ended {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path().join("x.mlp"), bytes).expect("a file");
    sandbox.mlpc(&["check", "x.mlp"])
}

fn objects(bytes: &[u8]) -> Ended {
    let ended = check(bytes);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(!ended.stderr.trim().is_empty(), "exit 2 without a word");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    ended
}

fn accepts(text: &str) {
    let ended = check(text.as_bytes());
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn what_is_no_text_is_refused() {
    objects(b"");
    objects(b"\n\n");
    objects(b"\xff\xfe");
    let nul = GOOD.replace("hello >", "hel\0lo >");
    objects(nul.as_bytes());
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("d.mlp")).expect("a folder");
    let ended = sandbox.mlpc(&["check", "d.mlp"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("folder"), "{ended:?}");
    let ended = sandbox.mlpc(&["check", "missing.mlp"]);
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[test]
fn marks_line_ends_and_tabs_of_other_editors_are_read() {
    accepts(GOOD);
    accepts(&format!("\u{feff}{GOOD}"));
    accepts(&GOOD.replace('\n', "\r\n"));
    accepts(&GOOD.replace("  ", "\t"));
}

#[test]
fn a_file_cut_anywhere_is_a_message_or_a_smaller_file() {
    let sandbox = Sandbox::new();
    let mut refused = 0;
    for end in (0..GOOD.len()).step_by(3) {
        fs::write(sandbox.path().join("x.mlp"), &GOOD.as_bytes()[..end]).expect("a file");
        let ended = sandbox.mlpc(&["check", "x.mlp"]);
        assert!(ended.code == 0 || ended.code == 2, "cut at {end}: {ended:?}");
        assert!(ended.code == 0 || !ended.stderr.trim().is_empty(), "cut at {end}: {ended:?}");
        refused += i32::from(ended.code == 2);
    }
    assert!(refused > 20, "only {refused} of the cuts were refused");
}

#[test]
fn what_is_not_closed_is_named_where_it_opens() {
    let ended = objects(GOOD.replace(" >>>", "").as_bytes());
    assert!(ended.stderr.contains("unclosed"), "{ended:?}");
    objects(GOOD.replace("\n}\n", "\n").as_bytes());
    objects(GOOD.replace("hello.txt\"", "hello.txt").as_bytes());
}

#[test]
fn an_unknown_word_gets_the_nearest_one() {
    let ended = objects(GOOD.replace("stage hello", "stge hello").as_bytes());
    assert!(ended.stderr.contains("stage"), "{ended:?}");
}

#[test]
fn ten_thousand_errors_are_fifty_shown_and_the_rest_counted() {
    let mut text = GOOD.to_owned();
    for index in 0..10_000 {
        text.push_str(&format!("stage s{index} {{\n  out a: Fiel = \"a{index}\"\n  run <<< true >>>\n}}\n"));
    }
    let ended = objects(text.as_bytes());
    assert_eq!(ended.stderr.matches("Fiel").count() / 2, 50, "shown: {}", ended.stderr.len());
    assert!(ended.stderr.contains("10000 errors"), "{}", &ended.stderr[ended.stderr.len() - 200..]);
}

#[test]
fn deep_nesting_is_a_message_and_no_crash() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{a: ", "}"), ("not ", ""), ("-", "")] {
        let text = format!("{GOOD}const x = {}1{}\n", open.repeat(100_000), close.repeat(100_000));
        let ended = objects(text.as_bytes());
        assert!(ended.stderr.contains("nest") || ended.stderr.contains("deep"), "{open}: {}", ended.stderr);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    let mut text = GOOD.to_owned();
    for index in 0..2_000 {
        text.push_str(&format!("stage s{index} {{\n  out a: File = \"a{index}\"\n  run <<< touch \"$a\" >>>\n}}\n"));
    }
    sandbox.file("good.mlp", &text);
    let ended = sandbox.shell("mlpc graph good.mlp | head -1; echo \"${PIPESTATUS[0]}\"");
    assert_eq!(ended.stdout.lines().count(), 2, "{ended:?}");
    assert!(ended.stdout.ends_with("\n0\n"), "{ended:?}");
    assert_eq!(ended.stderr, "", "{ended:?}");
}

/// A pipe without a writer would be waited for until somebody loses patience, and an endless device until memory is gone.
#[test]
fn pipes_and_devices_where_files_should_be_are_refused() {
    let sandbox = Sandbox::new();
    let made = std::process::Command::new("mkfifo").arg(sandbox.path().join("p.mlp")).status();
    assert!(made.expect("mkfifo runs").success());
    let told = sandbox.mlpc(&["check", "p.mlp"]);
    assert_eq!((told.code, told.stderr.contains("a pipe or a device")), (2, true), "{told:?}");
    std::fs::remove_file(sandbox.path().join("p.mlp")).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", sandbox.path().join("zero.mlp")).expect("a link");
    assert_eq!(sandbox.mlpc(&["check", "zero.mlp"]).code, 2);

    let stage = |ty: &str| {
        let run = "run <<< mkfifo \"$made\" >>>";
        format!("pipeline p\nedition 2026\nstage a {{\n  out made: {ty} = \"made\"\n  {run}\n}}\n")
    };
    for ty in ["File", "Dataset<csv>", "Dir"] {
        sandbox.file("q.mlp", &stage(ty));
        let told = sandbox.mlpc(&["run", "-f", "q.mlp"]);
        assert_eq!(told.code, 1, "{ty}: {told:?}");
    }
}
