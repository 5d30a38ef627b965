//! A run that goes on after a person decided: with what it read before, and with what it did before on its record.

use crate::sandbox::{Ended, Sandbox};

/// A model whose release waits for a person, and an action behind it; a stage that is asked for nothing stands beside.
const PIPELINE: &str = r#"pipeline toy
edition 2026

metrics Quality { score: ratio higher }
source raw: File = "score.txt"
source note: File = "note.txt"
registry models = directory("registry")

stage train {
  in   raw
  code "src/**"
  out  model: Model<json> = "model.json"
  run  <<< bash src/train.sh "$raw" > "$model" >>>
}

stage evaluate {
  in   model = train.model, data = raw
  out  report: Metrics<Quality> of model over data as test = "report.json"
  run  <<< cat "$model" > "$report" >>>
}

gate quality on evaluate.report { require score >= 0.5 }
register release = train.model to models after quality { metrics: evaluate.report }
approval go of release { by: ["tester"], timeout: 24h }
promote current = release to models@production after go

action deploy of release after current {
  in   note
  code "deploy.sh"
  run  <<< bash deploy.sh "$note" >>>
}
"#;

fn toy() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .file("toy.mlp", PIPELINE)
        .file("score.txt", "0.8")
        .file("note.txt", "note")
        .file("src/train.sh", "printf '{\"score\": %s}\\n' \"$(cat \"$1\")\"\n")
        .file("deploy.sh", "cat \"$1\" > /dev/null\n");
    sandbox
}

/// Runs until a person is waited for, and has that person say yes.
fn approved() -> Sandbox {
    let sandbox = toy();
    let waits = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(waits.code, 14, "{waits:?}");
    let said = sandbox.mlpc(&["approve", "go", "--as", "tester"]);
    assert_eq!(said.code, 0, "{said:?}");
    sandbox
}

fn resume(sandbox: &Sandbox) -> Ended {
    sandbox.mlpc(&["run", "--resume"])
}

/// What comes out different each time, as a query or Terraform's plan does, was made when the person was asked about it.
#[test]
fn what_is_to_run_every_time_is_not_made_again_by_going_on() {
    let sandbox = toy();
    let text = PIPELINE
        .replace("  code \"src/**\"\n", "  code \"src/**\"\n  rerun always\n")
        .replace("action deploy of", "stage plan_infra {\n  out plan: File = \"infra.plan\"\n  rerun always\n  run <<< date +%s%N > \"$plan\" >>>\n}\n\
            approval change of plan_infra.plan { by: [\"tester\"], timeout: 24h }\n\
            action infra after change { in plan = plan_infra.plan\n  pass_env [\"HOME\"]\n  run <<< cat \"$plan\" >> \"$HOME/applied\" >>> }\n\
            action deploy of");
    sandbox
        .file("toy.mlp", &text)
        .file("src/train.sh", "printf '{\"score\": %s, \"at\": %s}\\n' \"$(cat \"$1\")\" \"$(date +%s%N)\"\n");
    let waits = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(waits.code, 14, "{waits:?}");
    let (planned, trained) = (sandbox.read("infra.plan"), sandbox.read("model.json"));
    for approval in ["change", "go"] {
        assert_eq!(sandbox.mlpc(&["approve", approval, "--as", "tester"]).code, 0);
        let ended = sandbox.mlpc(&["run", "--resume", "--release"]);
        assert_eq!(ended.code, if approval == "go" { 0 } else { 14 }, "{approval}: {ended:?}");
    }
    assert_eq!(sandbox.shell("cat \"$HOME/applied\"").stdout, planned, "once, and what was approved");
    assert_eq!((sandbox.read("infra.plan"), sandbox.read("model.json")), (planned.clone(), trained));
    let versions = std::fs::read_dir(sandbox.path().join("registry/versions")).expect("versions");
    assert_eq!(versions.count(), 1);
    // The next run makes all of it anew.
    assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
    assert_ne!(sandbox.read("infra.plan"), planned);
}

#[test]
fn a_run_goes_on_only_with_what_it_read_and_will_read() {
    let sandbox = approved();
    let nothing_happened = |ended: &Ended, why: &str| {
        assert_eq!(ended.code, 11, "{ended:?}");
        assert!(ended.stderr.contains(why) && ended.stderr.contains("put it back"), "{why}: {ended:?}");
        assert!(!sandbox.path().join("registry/pointers/production.json").exists(), "{ended:?}");
    };
    for (path, why) in [
        ("src/train.sh", "`src/train.sh` is no longer what it was"),
        // The action had no turn yet, and neither its script nor its input may be another than when it was asked for.
        ("deploy.sh", "`deploy.sh` is no longer what it was"),
        ("note.txt", "the source `note` is no longer what it was"),
        ("score.txt", "the source `raw` is no longer what it was"),
    ] {
        let was = sandbox.read(path);
        sandbox.file(path, &format!("{was}\n"));
        nothing_happened(&resume(&sandbox), why);
        sandbox.file(path, &was);
    }
    sandbox.file("src/more.sh", "");
    nothing_happened(&resume(&sandbox), "`src/more.sh` is new");
    sandbox.shell("rm src/more.sh && mv deploy.sh elsewhere");
    nothing_happened(&resume(&sandbox), "`deploy.sh` is gone");
    sandbox.shell("mv elsewhere deploy.sh && chmod +x src/train.sh");
    nothing_happened(&resume(&sandbox), "`src/train.sh` is no longer what it was");
    // What the run makes itself may be gone or another: it is put back.
    sandbox.shell("chmod -x src/train.sh && touch -d 2020-01-01 src/train.sh && rm model.json");
    let done = resume(&sandbox);
    assert_eq!(done.code, 0, "{done:?}");
    let over = sandbox.mlpc(&["history", "--format", "json"]);
    let over: serde_json::Value = serde_json::from_str(&over.stdout).expect("JSON");
    let run = over["runs"][0]["run"].as_str().expect("a run").to_owned();
    sandbox.file("src/train.sh", "exit 1\n");
    let again = sandbox.mlpc(&["run", "--resume", &run]);
    assert!(again.code == 0 && again.stderr.contains("nothing of it is left to do"), "{again:?}");
}

#[test]
fn a_run_whose_reading_nobody_knows_is_not_gone_on_with() {
    for (line, why) in [
        ("rm .mlpc/runs/*/held.json", "the record of what it read is gone"),
        ("echo x > .mlpc/runs/*/held.json", "the record of what it read can't be read"),
    ] {
        let sandbox = approved();
        assert_eq!(sandbox.shell(line).code, 0);
        sandbox.file("deploy.sh", "exit 0 # edited\n");
        let ended = resume(&sandbox);
        assert!(ended.code == 11 && ended.stderr.contains(why), "{ended:?}");
        assert!(ended.stderr.contains("`mlpc run` starts anew"), "{ended:?}");
        assert!(!sandbox.path().join("registry/pointers/production.json").exists(), "{ended:?}");
    }
}

#[test]
fn a_run_that_goes_on_keeps_what_it_did() {
    let sandbox = approved();
    let done = resume(&sandbox);
    assert_eq!(done.code, 0, "{done:?}");
    let listed = sandbox.mlpc(&["history"]);
    assert!(listed.stdout.contains("2 ran, 0 hits"), "{listed:?}");
    let run = listed.stdout.split_whitespace().next().expect("a run").to_owned();
    let why = sandbox.mlpc(&["why", "train"]);
    assert!(why.stdout.contains(&format!("it last ran in {run}, and the reason was: never ran here")), "{why:?}");
    let report = sandbox.mlpc(&["report", "-o", "report.html"]);
    assert_eq!(report.code, 0, "{report:?}");
    let page = sandbox.read("report.html");
    assert!(page.contains("never ran here") && page.matches("class=\"bar").count() >= 2, "{page}");
    // Nor is anything lost where the rest is only asked for in part.
    let lineage = sandbox.mlpc(&["lineage", "train.model"]);
    assert!(lineage.stdout.contains(&run), "{lineage:?}");
}

#[test]
fn a_part_of_the_rest_leaves_the_run_what_it_was_about() {
    let sandbox = approved();
    let part = sandbox.mlpc(&["run", "evaluate", "--resume"]);
    assert_eq!(part.code, 0, "{part:?}");
    let history = sandbox.mlpc(&["history"]);
    assert!(history.stdout.contains("waits for a person") && history.stdout.contains("2 ran, 0 hits"), "{history:?}");
    assert_eq!(resume(&sandbox).code, 0);
}

#[test]
fn what_a_run_does_not_wait_for_is_told_with_what_it_waits_for() {
    let sandbox = toy();
    let early = PIPELINE.replace("to models after quality {", "to models after early {")
        + "approval early of train.model after quality { by: [\"tester\"], timeout: 24h }\n";
    let waits = |score: &str| {
        sandbox.file("score.txt", score);
        let ended = sandbox.mlpc(&["run"]);
        assert_eq!(ended.code, 14, "{ended:?}");
        ended.stdout.split_whitespace().nth(1).expect("run ID of toy").to_owned()
    };
    let first = waits("0.8");
    sandbox.file("toy.mlp", &early);
    let (second, third) = (waits("0.8"), waits("0.9"));
    let approve = |arguments: &[&str]| {
        let ended = sandbox.mlpc(&[&["approve"], arguments, &["--as", "tester"]].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        ended.stderr
    };
    assert_eq!(
        approve(&["go", "--run", &second]),
        format!(
            "error: the run {second} does not wait for `go`: it waits for `early`; what waits is `go` (run {first})\n"
        )
    );
    assert_eq!(approve(&["go", "--run", "x"]), "error: there is no run `x`; `mlpc history` lists the runs\n");
    assert_eq!(
        approve(&["nothing"]),
        format!(
            "error: nothing waits for `nothing`; what waits is `early` (runs {second}, {third}), `go` (run {first})\n"
        )
    );
}

#[test]
fn the_log_of_what_failed_is_shown_without_its_colours() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline p\nedition 2026\nstage s {\n  out o: File = \"o\"\n  run <<<\n    \
         printf '\\033]0;title\\007\\033[31mError:\\033[0m no \\007plan\\n'\n    exit 1\n  >>>\n}\n",
    );
    let ended = sandbox.mlpc(&["run"]);
    assert!(ended.code == 1 && ended.stderr.contains("    | Error: no \\u{7}plan\n"), "{ended:?}");
    let run = ended.stdout.split_whitespace().nth(1).expect("run ID of p");
    assert!(sandbox.read(&format!(".mlpc/runs/{run}/logs/s.log")).contains("\u{1b}[31m"), "the log has them");
}

/// A clone of a DVC project whose run waits; what DVC pins for the stage that comes later is held as well.
#[test]
fn what_dvc_pins_is_held_too() {
    let md5 = "bc9280dfc1d4e67233f138f5bbbf0951";
    let sandbox = toy();
    let pins = |md5: &str| format!("outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: note.txt\n");
    sandbox.file(
        "toy.mlp",
        &PIPELINE.replace("note: File = \"note.txt\"", "note: File = dvc(\"note.txt\", public: true)"),
    );
    sandbox.file(".dvc/config", "[core]\n    remote = none\n").file("note.txt.dvc", &pins(md5));
    sandbox.file(&format!(".dvc/cache/files/md5/{}/{}", &md5[..2], &md5[2..]), "id\n1\n");
    sandbox.shell("rm note.txt");
    let waits = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(waits.code, 14, "{waits:?}");
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 0);
    sandbox.file("note.txt.dvc", &pins(&"0".repeat(32)));
    let other = resume(&sandbox);
    assert!(other.code == 11 && other.stderr.contains("the source `note` is no longer what it was"), "{other:?}");
    sandbox.file("note.txt.dvc", &pins(md5));
    let done = resume(&sandbox);
    assert_eq!(done.code, 0, "{done:?}");
}

/// Under `isolation off` the stage works in the workspace: what it writes there as its output is not held.
#[test]
fn outputs_are_the_runs_own_without_isolation_too() {
    let sandbox = toy();
    let text = PIPELINE
        .replace("  in   raw\n", "  in   raw\n  isolation off\n")
        .replace("code \"src/**\"", "code \"**/*.sh\"");
    sandbox.file("toy.mlp", &text.replace("\"model.json\"", "\"src/model.sh\""));
    let waits = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(waits.code, 14, "{waits:?}");
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 0);
    sandbox.shell("rm src/model.sh");
    let done = resume(&sandbox);
    assert_eq!(done.code, 0, "{done:?}");
}

/// A pattern of code may cover the folder of a registry: what is registered while a run waits does not become code.
#[test]
fn a_registry_in_the_workspace_is_no_code() {
    let sandbox = toy();
    sandbox.file("toy.mlp", &PIPELINE.replace("code \"src/**\"", "code \"**/*.sh\", \"**/*.json\""));
    assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
    let again = sandbox.mlpc(&["run", "--release"]);
    assert!(again.code == 14 && again.stdout.contains("0 stages run"), "{again:?}");
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 0);
    assert_eq!(resume(&sandbox).code, 0);
}

/// A container's shell has neither `USER` nor `LOGNAME`: who decides is the user that the process acts as.
#[test]
fn a_decision_is_of_the_user_of_the_machine_where_no_variable_says_who() {
    let sandbox = toy();
    let me = sandbox.shell("id -un").stdout.trim().to_owned();
    sandbox.file("toy.mlp", &PIPELINE.replace("\"tester\"", &format!("\"{me}\"")));
    assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
    let said = sandbox.mlpc(&["approve", "go"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(sandbox.read(".mlpc/approvals.jsonl").contains(&format!("\"{me}\"")));
    let back = sandbox.mlpc(&["approve", "go", "--as", ""]);
    assert_eq!(back.code, 2, "{back:?}");
}

/// Parameters are read when a run begins, and it goes on with them.
#[test]
fn a_run_goes_on_with_the_value_that_it_read_from_a_file() {
    let sandbox = toy();
    let text = PIPELINE
        .replace("metrics Quality", "param note_size: int from \"note.yaml\" at \"/size\"\n\nmetrics Quality")
        .replace("  in   note\n", "  in   note\n  use  note_size\n  pass_env [\"HOME\"]\n")
        .replace("bash deploy.sh \"$note\"", "echo \"$note_size\" > \"$HOME/size\"");
    sandbox.file("toy.mlp", &text).file("note.yaml", "size: 1\n");
    assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 0);
    sandbox.file("note.yaml", "size: 2\n");
    let ended = resume(&sandbox);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.shell("cat \"$HOME/size\"").stdout, "1\n");
}
