//! `use` of modules, through the command line: what comes along, what is seen, and what is wrong with either.

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline shared
edition 2026

use "gates/common.mlp" { data_quality, raw }

stage count {
  in  raw
  out lines: File = "out/lines.txt"
  run <<< wc -l < "$raw" > "$lines" >>>
}
"#;

const GATES: &str = r#"use "limits.mlp" { least }

source raw: Dataset<csv> = "data/raw.csv"

gate data_quality on raw {
  require rows >= least
}

stage not_asked_for {
  out x: File = "out/x.txt"
  run <<< false > "$x" >>>
}
"#;

const LIMITS: &str = "edition 2026\nconst unasked = 7\nconst base    = 1\nconst least   = base + 1\n";

fn laid_out() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", PIPELINE).file("gates/common.mlp", GATES).file("gates/limits.mlp", LIMITS);
    sandbox.file("data/raw.csv", "a,b\n1,2\n3,4\n");
    sandbox
}

/// Returns what `check` says, one line for each diagnostic: code, file and line of every place.
fn said(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    let ended = sandbox.mlpc(&[&["check", "--format", "json"], arguments].concat());
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let all = json["diagnostics"].as_array().expect("diagnostics");
    let line = |one: &serde_json::Value| {
        let places = one["labels"].as_array().expect("labels").iter();
        let places: Vec<_> = places
            .map(|label| format!("{}:{}", label["file"].as_str().unwrap_or_default(), label["start"]["line"]))
            .collect();
        format!("{} {}", one["code"].as_str().unwrap_or_default(), places.join(" "))
    };
    all.iter().map(line).collect()
}

/// Checks a pipeline that is this text and the usual modules.
fn said_of(pipeline: &str) -> Vec<String> {
    let sandbox = laid_out();
    sandbox.file("p.mlp", &format!("pipeline shared\nedition 2026\n{pipeline}"));
    said(&sandbox, &[])
}

#[test]
fn a_gate_comes_with_what_it_needs_and_nothing_else() {
    let sandbox = laid_out();
    let checked = sandbox.mlpc(&["check"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "p.mlp: fine, 1 stage, 1 gate\n"), "{checked:?}");
    let ran = sandbox.mlpc(&["run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!sandbox.path().join("out/x.txt").exists());
    assert_eq!(sandbox.read("out/lines.txt").trim(), "3");
}

#[test]
fn an_edited_module_is_seen_by_the_next_run() {
    let sandbox = laid_out();
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    sandbox.file("gates/limits.mlp", &LIMITS.replace("base + 1", "base + 2"));
    let strict = sandbox.mlpc(&["run"]);
    assert_eq!(strict.code, 10, "{strict:?}");
    sandbox.file("gates/limits.mlp", LIMITS);
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
}

#[test]
fn a_pipeline_is_found_with_its_modules_from_every_folder() {
    let sandbox = laid_out();
    let inside = sandbox.shell("cd gates && mlpc check");
    assert_eq!(inside.code, 0, "{inside:?}");
    assert_eq!(sandbox.shell("cd data && mlpc check -f ../p.mlp").code, 0);
    let inside = sandbox.shell("cd data && mlpc graph -f ../p.mlp");
    assert_eq!((inside.code, inside.stdout), (0, sandbox.mlpc(&["graph"]).stdout));
}

#[test]
fn a_module_is_checked_alone() {
    let sandbox = laid_out();
    let alone = sandbox.mlpc(&["check", "gates/common.mlp", "gates/limits.mlp"]);
    let fine = "gates/common.mlp: fine, a module: it has no `pipeline` line\n";
    assert_eq!((alone.code, alone.stdout.starts_with(fine)), (0, true), "{alone:?}");
    sandbox.file("gates/common.mlp", &GATES.replace(">= least", ">= leest"));
    assert_eq!(said(&sandbox, &["gates/common.mlp"])[..1], ["unknown-name gates/common.mlp:6 gates/limits.mlp:4"]);
    assert_eq!(sandbox.mlpc(&["run", "-f", "gates/common.mlp"]).code, 2);
    assert_eq!(sandbox.mlpc(&["fmt", "--check", "gates/limits.mlp"]).code, 0);
}

#[test]
fn what_is_wrong_in_a_module_is_said_in_its_own_text() {
    let sandbox = laid_out();
    sandbox.file("gates/common.mlp", &GATES.replace(">= least", ">= leest"));
    assert_eq!(said(&sandbox, &[]), ["unknown-name gates/common.mlp:6"]);
    let shown = sandbox.mlpc(&["check"]);
    assert_eq!(shown.code, 2);
    let text = shown.stdout + &shown.stderr;
    assert!(text.contains("gates/common.mlp:6"), "{text}");
    sandbox.file("gates/common.mlp", &GATES.replace("require rows", "requir rows"));
    assert_eq!(said(&sandbox, &[]), ["unknown-clause gates/common.mlp:6"]);
}

#[test]
fn a_name_that_is_not_listed_is_not_seen() {
    let stage = "stage s {\n  in  raw\n  out o: File = \"o\"\n  run <<< cp \"$raw\" \"$o\" >>>\n}\n";
    // It came along with the gate, so the place of its declaration is known.
    let found = said_of(&format!("use \"gates/common.mlp\" {{ data_quality }}\n{stage}"));
    assert_eq!(found, ["unknown-name p.mlp:5 gates/common.mlp:3"]);
    let help = laid_out();
    help.file("p.mlp", &format!("pipeline shared\nedition 2026\nuse \"gates/common.mlp\" {{ data_quality }}\n{stage}"));
    let text = help.mlpc(&["check"]);
    assert!((text.stdout.clone() + &text.stderr).contains("list it"), "{text:?}");
    assert!((text.stdout.clone() + &text.stderr).contains("  gates/common.mlp:3:8: declared here\n"), "{text:?}");
    // The module does not see what its user declares, either.
    let sandbox = laid_out();
    sandbox
        .file("gates/common.mlp", &GATES.replace(">= least", ">= outer").replace("use \"limits.mlp\" { least }\n", ""));
    sandbox.file("p.mlp", &PIPELINE.replace("stage count", "const outer = 1\n\nstage count"));
    assert!(
        said(&sandbox, &[]).contains(&"unknown-name gates/common.mlp:5 p.mlp:6".to_owned()),
        "{:?}",
        said(&sandbox, &[])
    );
}

#[test]
fn every_slip_has_its_code_and_its_places() {
    let table: &[(&str, &[&str])] = &[
        ("use \"gates/comon.mlp\" { data_quality }\n", &["unknown-module p.mlp:3"]),
        ("use \"../gates/common.mlp\" { data_quality }\n", &["path-outside p.mlp:3"]),
        ("use \"/gates/common.mlp\" { data_quality }\n", &["path-outside p.mlp:3"]),
        ("use \"gates/common.mlp\" { data_qualty }\n", &["unknown-name p.mlp:3 gates/common.mlp:5"]),
        ("use \"gates/common.mlp\" { least }\n", &["unknown-name p.mlp:3 gates/common.mlp:1"]),
        ("use \"gates/common.mlp\" { data_quality, data_quality }\n", &["duplicate-name p.mlp:3 p.mlp:3"]),
        ("use \"gates/common.mlp\" { data_quality, raw }\n", &["unused-name p.mlp:3"]),
        (
            "use \"gates/common.mlp\" { data_quality }\nsource raw: File = \"x\"\n",
            &["duplicate-name p.mlp:4 gates/common.mlp:3"],
        ),
        (
            "use \"gates/common.mlp\" { data_quality }\nconst data_quality = 1\n",
            &["duplicate-name p.mlp:3 p.mlp:4 gates/common.mlp:5"],
        ),
        ("use \"p.mlp\" { x }\n", &["cycle p.mlp:3"]),
    ];
    for (pipeline, expected) in table {
        assert_eq!(said_of(pipeline), *expected, "{pipeline}");
    }
}

#[test]
fn a_ring_is_shown_with_its_chain_and_a_pipeline_is_no_module() {
    let sandbox = laid_out();
    sandbox.file("gates/limits.mlp", &format!("use \"common.mlp\" {{ raw }}\n{LIMITS}"));
    assert_eq!(said(&sandbox, &[]), ["cycle gates/limits.mlp:1 gates/common.mlp:1"]);
    let text = sandbox.mlpc(&["check"]);
    let chain = "`gates/common.mlp` → `gates/limits.mlp` → `gates/common.mlp`";
    assert!((text.stdout + &text.stderr).contains(chain));
    let sandbox = laid_out();
    sandbox.file("gates/limits.mlp", &format!("pipeline limits\n{LIMITS}on push\n"));
    let found = said(&sandbox, &[]);
    assert_eq!(
        found,
        [
            "misplaced-clause gates/limits.mlp:1 gates/common.mlp:1",
            "misplaced-clause gates/limits.mlp:6 gates/common.mlp:1"
        ]
    );
}

#[test]
fn a_stage_of_a_module_has_the_runtime_of_its_module() {
    let sandbox = Sandbox::new();
    let stage = |name: &str| {
        format!("stage {name} {{\n  out {name}_out: File = \"{name}.txt\"\n  run <<< true > \"${name}_out\" >>>\n}}\n")
    };
    sandbox.file("m.mlp", &format!("runtime inner {{ image: \"python:3.11-slim\" }}\n{}", stage("theirs")));
    sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\nuse \"m.mlp\" {{ theirs }}\n{}", stage("ours")));
    let sources = {
        let mut sources = mlpc::source::Sources::single("p.mlp", sandbox.read("p.mlp"));
        sources.add(mlpc::source::SourceFile::new("m.mlp", sandbox.read("m.mlp")));
        sources
    };
    let plan = mlpc::compile::compile(&sources).plan.expect("a plan");
    let json = serde_json::to_value(&plan).expect("JSON").to_string();
    assert_eq!(json.matches("\"runtime\":\"inner\"").count(), 1, "{json}");
    let theirs = json.find("\"$theirs_out\"").or_else(|| json.find("$theirs_out"));
    assert!(theirs < json.find("\"runtime\":\"inner\""), "{json}");
}

#[test]
fn what_a_module_allows_holds_for_what_comes_along_from_it() {
    let stage = |name: &str, clause: &str| {
        format!(
            "stage {name} {{\n{clause}  out n: File = \"{name}.txt\"\n  run sh <<< cat words.txt | wc -l > \"$n\" >>>\n}}\n"
        )
    };
    let of = |module: &str, listed: &str, more: &str| {
        let sandbox = Sandbox::new();
        sandbox.file("words.txt", "a\n").file("m.mlp", module);
        sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\nuse \"m.mlp\" {{ {listed} }}\n{more}"));
        sandbox
    };
    let allow = "allow pipe-in-sh \"an empty list counts as none\"\n";
    let both = stage("counts", "") + &stage("again", "");
    let none: [&str; 0] = [];
    assert_eq!(said(&of(&both, "counts", ""), &[]), ["pipe-in-sh m.mlp:3"]);
    assert_eq!(said(&of(&(allow.to_owned() + &both), "counts", ""), &[]), none);
    // It holds in its own file alone, and each file may say it.
    let own = stage("own", "");
    assert_eq!(said(&of(&(allow.to_owned() + &both), "counts", &own), &[]), ["pipe-in-sh p.mlp:6"]);
    assert_eq!(said(&of(&(allow.to_owned() + &both), "counts", &(allow.to_owned() + &own)), &[]), none);
    // What it is for may not have come along; the module itself tells whether it covers anything.
    let quiet = "stage quiet {\n  out q: File = \"q.txt\"\n  run <<< true > \"$q\" >>>\n}\n";
    let some = allow.to_owned() + quiet + &both;
    assert_eq!(said(&of(&some, "quiet", ""), &[]), none);
    assert_eq!(said(&of(&some, "quiet", ""), &["m.mlp"]), none);
    let idle = allow.to_owned() + quiet;
    assert_eq!(said(&of(&idle, "quiet", ""), &[]), none);
    assert_eq!(said(&of(&idle, "quiet", ""), &["m.mlp"]), ["unused-allow m.mlp:1"]);
    // A clause of a declaration comes along with it.
    let clause = stage("counts", "  allow pipe-in-sh \"none is none\"\n");
    assert_eq!(said(&of(&clause, "counts", ""), &[]), none);
    let clause = quiet.replace("  out", "  allow pipe-in-sh \"none is none\"\n  out");
    assert_eq!(said(&of(&clause, "quiet", ""), &[]), ["unused-allow m.mlp:2"]);
}
