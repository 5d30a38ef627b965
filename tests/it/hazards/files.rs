//! Outputs and objects on the disk: put right whole, exactly, with their modes, and out of reach of scripts.

use std::os::unix::fs::PermissionsExt;

use super::{PAIR, pair};
use crate::sandbox::Sandbox;

const FOLDER: &str = r#"pipeline folder
edition 2026

stage make {
  out made: Dir = "made"
  run <<<
    mkdir -p "$made/sub"
    echo first > "$made/a"
    head -c 300000 /dev/zero > "$made/sub/large"
    printf '#!/bin/sh\necho ran\n' > "$made/tool"
    chmod 6755 "$made/tool"
    chmod 600 "$made/a"
    ln -s sub/large "$made/link"
  >>>
}
"#;

fn folder() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("folder.mlp", FOLDER);
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 0, "{run:?}");
    sandbox
}

const LIST: &str = "find made | sort; cat made/a; sha256sum < made/sub/large";

#[test]
fn hazard_09_a_folder_that_can_not_be_put_back_whole_is_not_put_back_at_all() {
    for before in ["rm -r made", "rm made/sub/large; echo mine > made/a"] {
        let sandbox = folder();
        let whole = sandbox.shell(LIST).stdout;
        sandbox.shell(before);
        let as_it_was = sandbox.shell("find made 2>/dev/null | sort; cat made/a 2>/dev/null").stdout;
        let limited = sandbox.shell("ulimit -f 64; mlpc run > ../log 2>&1");
        assert_ne!(limited.code, 0, "the limit was not felt: {}", sandbox.read("../log"));
        let after = sandbox.shell("find made 2>/dev/null | sort; cat made/a 2>/dev/null").stdout;
        assert!(after == as_it_was || after.is_empty(), "half of it stands in the workspace: {after}");
        let next = sandbox.mlpc(&["run"]);
        assert_eq!(next.code, 0, "{next:?}");
        assert_eq!(sandbox.shell(LIST).stdout, whole);
        assert_eq!(sandbox.shell("ls -A .mlpc/tmp").stdout, ".lock\n");
    }
}

#[test]
fn hazard_10_a_folder_is_put_right_to_what_the_stage_made_and_nothing_else() {
    let sandbox = folder();
    let whole = sandbox.shell(LIST).stdout;
    sandbox.shell("echo left > made/left; mkdir made/empty; rm made/link; ln -s a made/link; echo more >> made/a");
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("0 stages run, 1 from the cache"), "{run:?}");
    assert_eq!(sandbox.shell(LIST).stdout, whole);
    assert_eq!(sandbox.shell("readlink made/link").stdout, "sub/large\n");
}

#[test]
fn hazard_11_outputs_that_are_missing_or_edited_are_put_right_and_no_hit_is_claimed_before() {
    let sandbox = pair();
    sandbox.mlpc(&["run"]);
    sandbox.mlpc(&["run"]);
    let edit = "touch -r out/used.txt ../stamp; rm out/made.txt; echo x > out/used.txt; touch -r ../stamp out/used.txt";
    sandbox.shell(edit);
    let run = sandbox.mlpc(&["run"]);
    assert!(run.stdout.contains("0 stages run, 2 from the cache"), "{run:?}");
    assert_eq!((sandbox.read("out/made.txt"), sandbox.read("out/used.txt")), ("a\n".into(), "b\n".into()));
}

/// Runs as whoever the tests run as: root passes every mode bit, anybody else may change those of a file that is his.
#[test]
fn hazard_13_a_script_that_appends_to_its_input_leaves_the_store_intact() {
    for inputs in ["", "  inputs readonly\n"] {
        let sandbox = pair();
        let append = "chmod u+w \"$text\"; echo harm >> \"$text\"; cat \"$text\" > \"$text_2\"";
        let harm = PAIR.replace("  code \"tool.sh\"\n", inputs);
        sandbox.file("pair.mlp", &harm.replace("sh tool.sh \"$text\" > \"$text_2\"", append));
        for _ in 0..2 {
            let run = sandbox.mlpc(&["run"]);
            let verified = sandbox.mlpc(&["cache", "verify"]);
            assert_eq!(verified.code, 0, "{inputs:?}: {run:?} {verified:?}");
            assert_eq!(sandbox.read("out/made.txt"), "a\n", "{inputs:?}");
        }
        sandbox.file("pair.mlp", PAIR);
        sandbox.shell("rm -r out");
        let run = sandbox.mlpc(&["run"]);
        assert_eq!((run.code, sandbox.read("out/used.txt")), (0, "b\n".into()), "{inputs:?}: {run:?}");
    }
}

#[test]
fn hazard_15_an_object_that_is_torn_is_a_miss_and_is_replaced() {
    for spoil in [": > \"$object\"", "printf b > \"$object\"", "rm \"$object\""] {
        let sandbox = pair();
        sandbox.mlpc(&["run"]);
        let objects = "find .mlpc/cache/v1/objects -type f";
        let count = sandbox.shell(&format!("{objects} | wc -l")).stdout;
        assert!(count.trim().parse::<u32>().expect("a number") >= 2, "{count}");
        sandbox.shell(&format!("{objects} | while read object; do chmod u+w \"$object\"; {spoil}; done; rm -r out"));
        let run = sandbox.mlpc(&["run"]);
        assert!(run.code == 0 && run.stdout.contains("2 stages run"), "{spoil}: {run:?}");
        assert_eq!(sandbox.read("out/used.txt"), "b\n", "{spoil}");
        sandbox.shell("rm -r out");
        let run = sandbox.mlpc(&["run"]);
        assert!(run.stdout.contains("0 stages run, 2 from the cache"), "replaced after {spoil}: {run:?}");
        assert_eq!(sandbox.read("out/used.txt"), "b\n", "{spoil}");
    }
}

#[test]
fn hazard_17_the_executable_bit_survives_and_setuid_does_not() {
    let sandbox = folder();
    for _ in 0..2 {
        let mode = std::fs::metadata(sandbox.path().join("made/tool")).expect("the tool").permissions().mode();
        assert_eq!(mode & 0o7111, 0o111, "{mode:o}");
        assert_eq!(sandbox.shell("made/tool; test -x made/a || echo plain").stdout, "ran\nplain\n");
        sandbox.shell("rm -r made");
        let run = sandbox.mlpc(&["run"]);
        assert!(run.stdout.contains("0 stages run"), "{run:?}");
    }
}
