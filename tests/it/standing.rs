//! What `mlpc check` says of the files and folders that a pipeline names, and what a run does with them.

use crate::sandbox::{Ended, Sandbox};

fn with(declarations: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\n{declarations}"));
    sandbox
}

fn check(sandbox: &Sandbox) -> Ended {
    sandbox.mlpc(&["check"])
}

const DRIFT: &str = "source raw: Dataset<csv> = \"raw.csv\"\ngate drift on raw {\n  require psi(*) < 0.1 against \"raw.json\"\n  require rows between 0.5x..2x against \"raw.json\"\n}\n";

#[test]
fn a_data_baseline_that_is_not_there_is_told_at_its_line_with_the_verb_that_writes_it() {
    let sandbox = with(DRIFT);
    sandbox.file("raw.csv", "a\n1\n2\n");
    let ended = check(&sandbox);
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = &ended.stderr;
    assert!(said.contains("nothing-matches") && said.contains("p.mlp:5:3"), "{said}");
    assert!(said.contains("the data baseline `raw.json` is not there"), "{said}");
    assert!(said.contains("`mlpc baseline DATASET --out raw.json`") && said.contains("1 warning"), "{said}");
    assert_eq!(sandbox.mlpc(&["check", "--deny", "warnings"]).code, 2);
    assert_eq!(sandbox.mlpc(&["baseline", "raw", "--out", "raw.json"]).code, 0);
    assert_eq!(check(&sandbox).stderr, "");
    // What a stage makes has an error of its own, and is not looked for.
    let made = with(&format!(
        "{DRIFT}stage freeze {{\n  out frozen: Report = \"raw.json\"\n  run <<< freeze \"$frozen\" >>>\n}}\n"
    ));
    let said = check(&made).stderr;
    assert!(said.contains("path-taken") && !said.contains("nothing-matches"), "{said}");
}

#[test]
fn a_source_that_is_not_of_its_type_is_told_and_stops_the_run() {
    let of = |ty: &str| {
        with(&format!(
            "source raw: {ty} = \"data/raw\"\nstage s {{\n  in  raw\n  out o: File = \"o\"\n  run <<< echo x > \"$o\" >>>\n}}\n"
        ))
    };
    let (file, folder, empty) = (["data/raw", "x\n"], ["data/raw/x", "x\n"], ["data/raw", ""]);
    let cases = [
        ("File", folder, Some("is a folder; its type `File` wants a file")),
        ("Dir", file, Some("is a file; its type `Dir` wants a folder")),
        ("Dataset<csv>", empty, Some("is empty")),
        ("Model<pickle>", empty, Some("is empty")),
        ("File", empty, None),
        ("File", file, None),
        ("Dir", folder, None),
        ("Dataset<csv>", folder, None),
    ];
    for (ty, there, why) in cases {
        let sandbox = of(ty);
        sandbox.file(there[0], there[1]);
        let (checked, ran) = (check(&sandbox), sandbox.mlpc(&["run"]));
        assert_eq!(checked.code, 0, "{ty}: {checked:?}");
        let Some(why) = why else {
            assert_eq!((checked.stderr.as_str(), ran.code), ("", 0), "{ty}: {ran:?}");
            continue;
        };
        let told = format!("the source `raw` {why}: `data/raw`");
        assert!(checked.stderr.contains("not-of-its-type") && checked.stderr.contains("p.mlp:3:"), "{ty}: {checked:?}");
        assert!(checked.stderr.contains(&told) && ran.code == 1 && ran.stdout.contains(&told), "{ty}: {ran:?}");
    }
    // Data may come later, and a run says that it is not there.
    assert_eq!(check(&of("Dataset<csv>")).stderr, "");
    for (ty, lets) in [("Dataset<csv>", false), ("Model<onnx>", false), ("Dir", true)] {
        let sandbox = of(ty);
        sandbox.shell("mkdir -p data/raw");
        let (checked, ran) = (check(&sandbox), sandbox.mlpc(&["run"]));
        assert_eq!(
            (checked.stderr.contains("is an empty folder"), ran.code),
            (!lets, i32::from(!lets)),
            "{ty}: {ran:?}"
        );
    }
}

#[test]
fn what_a_profile_sets_is_looked_at_too_and_what_was_clean_is_looked_at_again() {
    let mut text = DRIFT.replace("gate", "profile smoke { set raw = \"smoke.csv\" }\ngate");
    // So much text is not read again while it stays the same.
    text += &"# a line that says nothing\n".repeat(3000);
    let sandbox = with(&text);
    sandbox.file("raw.csv", "a\n1\n2\n").file("smoke.csv", "a\n1\n");
    assert_eq!(sandbox.mlpc(&["baseline", "raw", "--out", "raw.json"]).code, 0);
    assert_eq!(check(&sandbox).stderr, "");
    assert_eq!(check(&sandbox).stderr, "");
    sandbox.file("smoke.csv", "");
    let ended = check(&sandbox);
    assert!(ended.stderr.contains("the source `raw` is empty: `smoke.csv`"), "{ended:?}");
    sandbox.file("smoke.csv", "a\n1\n").shell("rm raw.json");
    assert!(check(&sandbox).stderr.contains("the data baseline `raw.json` is not there"));
}

#[test]
fn two_sources_of_one_file_are_one_thing_to_a_run() {
    let sandbox = with(
        "source a: File = \"x.txt\"\nsource b: File = \"x.txt\"\nstage one {\n  in a\n  out o: File = \"1\"\n  run <<< cp \"$a\" \"$o\" >>>\n}\n\
         stage edit after one {\n  out o: File = \"2\"\n  isolation off\n  rerun always\n  run <<< bash edit.sh; echo > \"$o\" >>>\n}\n\
         stage two after edit {\n  in b\n  out o: File = \"3\"\n  run <<< cp \"$b\" \"$o\" >>>\n}\n",
    );
    sandbox.file("x.txt", "1\n").file("edit.sh", "true\n");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    sandbox.file("edit.sh", "rm x.txt; echo 2 > x.txt\n");
    let ended = sandbox.mlpc(&["run", "--force"]);
    assert!(ended.code == 11 && ended.stdout.contains("changed while the run ran"), "{ended:?}");
}
