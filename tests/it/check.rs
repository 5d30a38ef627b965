//! `mlpc check` as a command: its forms for programs, and the edits it makes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::sandbox::Sandbox;

const SLIPS: &str = "pipeline example\nedition 2026\nsource raw: File = \"raw.csv\"\nstage a {\n  in data = rww\n  out table: File = \"t.csv\"\n  run <<< cp \"$dta\" \"$table\" >>>\n}\n";
const MENDED: &str = "pipeline example\nedition 2026\nsource raw: File = \"raw.csv\"\nstage a {\n  in data = raw\n  out table: File = \"t.csv\"\n  run <<< cp \"$data\" \"$table\" >>>\n}\n";

#[test]
fn fix_applies_what_is_certain_and_says_what_it_did() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", SLIPS);
    let path = sandbox.path().join("p.mlp");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("permissions");
    let ended = sandbox.mlpc(&["check", "--fix"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read("p.mlp"), MENDED);
    assert_eq!(path.metadata().expect("metadata").permissions().mode() & 0o777, 0o640);
    insta::assert_snapshot!(ended.stderr, @r"
    p.mlp:5:13: unknown-name: `rww` is now `raw`
    p.mlp:7:16: unknown-variable: `dta` is now `data`
    p.mlp: 2 fixes
    ");
    let again = sandbox.mlpc(&["check", "--fix"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""));
}

#[test]
fn fix_keeps_the_mark_and_the_line_ends() {
    let sandbox = Sandbox::new();
    let crlf = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    sandbox.file("p.mlp", &crlf(&SLIPS.replace("edition 2026\n", "")));
    assert_eq!(sandbox.mlpc(&["check", "--fix", "p.mlp"]).code, 0);
    assert_eq!(sandbox.read("p.mlp"), crlf(MENDED));
}

#[test]
fn fix_adds_no_clause_that_stands_there_in_another_form() {
    let sandbox = Sandbox::new();
    let text = "pipeline p\nedition 2026\nmetrics T { took: duration lower unit ms }\nsource raw: Dataset<csv> = \"raw.csv\"\n\
        stage one {\n  in raw\n  out report: Metrics<T> = \"r.json\"\n  rerun when event == \"schedule\"\n  run <<< time \"$raw\" \"$report\" >>>\n}\n";
    sandbox.file("p.mlp", text).file("raw.csv", "x\n1\n");
    let ended = sandbox.mlpc(&["check", "--fix", "p.mlp"]);
    assert_eq!(sandbox.read("p.mlp"), text, "{ended:?}");
    assert!(ended.stderr.contains("in place of its `rerun when`"), "{ended:?}");
}

#[test]
fn fix_leaves_a_file_that_would_not_read() {
    let sandbox = Sandbox::new();
    let text = SLIPS.replace("\n}\n", "\n");
    sandbox.file("p.mlp", &text.replace("out ", "ot "));
    let before = sandbox.read("p.mlp");
    let ended = sandbox.mlpc(&["check", "--fix"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(sandbox.read("p.mlp"), before);
}

#[test]
fn fix_makes_no_choice_between_two_that_are_as_near() {
    let sandbox = Sandbox::new();
    let text = "pipeline example\nedition 2026\nparam rate: int = 1\nparam rats: int = 1\nstage a {\n  use rat, rate, rats\n  out t: File = \"t\"\n  run [\"cp\", rate, rats, t]\n}\n";
    sandbox.file("p.mlp", text);
    let ended = sandbox.mlpc(&["check", "--fix"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(sandbox.read("p.mlp"), text);
}

#[test]
fn github_gets_paths_from_the_top_of_the_repository() {
    let sandbox = Sandbox::new();
    sandbox.file("ml/p.mlp", SLIPS);
    let ended = sandbox.shell("git init -q . && cd ml && mlpc check --format github");
    assert_eq!(ended.code, 2, "{ended:?}");
    let first = ended.stdout.lines().next().expect("a command");
    assert!(
        first.starts_with("::error file=ml/p.mlp,line=5,col=13,title=unknown-name::no source or stage `rww`%0A"),
        "{first}"
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn sarif_names_the_place_the_rule_and_the_edit() {
    let sandbox = Sandbox::new();
    sandbox.file("ml/p ä.mlp", SLIPS);
    let ended = sandbox.shell("git init -q . && cd ml && mlpc check --format sarif");
    let log: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["level"], "error");
    let rule = result["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], "unknown-name");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "ml/p%20%C3%A4.mlp");
    assert_eq!((place["region"]["startLine"].as_u64(), place["region"]["startColumn"].as_u64()), (Some(5), Some(13)));
    assert_eq!((place["region"]["endLine"].as_u64(), place["region"]["endColumn"].as_u64()), (Some(5), Some(16)));
    let edit = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(edit["insertedContent"]["text"], "raw");
    assert_eq!(edit["deletedRegion"], place["region"]);
    assert_eq!(result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 3);
}

#[test]
fn a_clean_file_is_an_empty_document_in_every_form() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", MENDED);
    let json = sandbox.mlpc(&["check", "--format", "json"]);
    assert_eq!((json.code, json.stdout.as_str()), (0, "{\n  \"version\": 1,\n  \"diagnostics\": []\n}\n"));
    let sarif: Value = serde_json::from_str(&sandbox.mlpc(&["check", "--format", "sarif"]).stdout).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"], Value::Array(Vec::new()));
    assert_eq!(sandbox.mlpc(&["check", "--format", "github"]).stdout, "");
}

/// A pipeline that is large enough to be remembered.
fn large(name: &str) -> String {
    let mut text = format!("pipeline {name}\nedition 2026\nsource raw: File = \"raw.csv\"\n");
    for index in 0..700 {
        text += &format!(
            "\n## Copies.\nstage s{index} {{\n  in data = raw\n  code \"src/a.py\"\n  out t: File = \"out/{index}.csv\"\n  run <<< cp \"$data\" \"$t\" >>>\n}}\n"
        );
    }
    text
}

#[test]
fn a_large_pipeline_that_did_not_change_is_not_parsed_again() {
    let sandbox = Sandbox::new();
    let text = large("first");
    sandbox.file("p.mlp", &text).file("src/a.py", "");
    let check = || sandbox.mlpc(&["check"]);
    let first = check();
    assert_eq!((first.code, first.stdout.as_str()), (0, "p.mlp: fine, 700 stages\n"), "{first:?}");
    let folder = sandbox.path().join(".mlpc/check");
    let entry = fs::read_dir(&folder).expect("an entry").next().expect("one").expect("one").path();
    let kept = fs::read_to_string(&entry).expect("the entry");
    // What is kept is what is said, and only for these bytes.
    fs::write(&entry, kept.replace("fine, 700 stages", "remembered")).expect("the entry");
    assert_eq!(check().stdout, "p.mlp: remembered\n");
    assert_eq!(sandbox.mlpc(&["check", "--format", "json"]).stdout, "{\n  \"version\": 1,\n  \"diagnostics\": []\n}\n");
    sandbox.file("p.mlp", &text.replace("pipeline first", "pipeline fir5t"));
    assert_eq!(check().stdout, "p.mlp: fine, 700 stages\n");
    // What the text does not say is looked at all the same.
    fs::remove_file(sandbox.path().join("src/a.py")).expect("the file");
    let ended = check();
    assert!(ended.stderr.contains("nothing-matches"), "{}", &ended.stderr[..200.min(ended.stderr.len())]);
    sandbox.file("src/a.py", "");
    fs::write(&entry, "{").expect("the entry");
    assert_eq!(check().stdout, "p.mlp: fine, 700 stages\n");
    // A mistake is never remembered as none.
    sandbox.file("p.mlp", &text.replace("in data = raw\n", "in data = rww\n"));
    assert_eq!((check().code, check().code), (2, 2));
    assert_eq!(sandbox.read(".mlpc/.gitignore"), "*\n");
}

#[test]
fn a_small_pipeline_and_a_folder_that_takes_nothing_leave_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", MENDED);
    assert_eq!(sandbox.mlpc(&["check"]).code, 0);
    assert!(!sandbox.path().join(".mlpc").exists());
    sandbox
        .file("p.mlp", &large("second"))
        .file("src/a.py", "")
        .file(".mlpc", "a file, where a folder would have to be");
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "p.mlp: fine, 700 stages\n", ""));
}

#[test]
fn a_time_zone_that_nobody_has_is_told_with_the_nearest() {
    let sandbox = Sandbox::new();
    let zone = |zone: &str| {
        let schedule = format!("on schedule {{ cron: \"17 6 * * 1\", timezone: \"{zone}\" }}\n");
        sandbox.file("p.mlp", &MENDED.replace("source raw", &format!("{schedule}source raw")));
        sandbox.mlpc(&["check"])
    };
    assert_eq!(zone("Europe/Berlin").code, 0);
    for (written, meant) in
        [("Europe/Berlinn", "Europe/Berlin"), ("utc", "UTC"), ("america/new_york", "America/New_York")]
    {
        let told = zone(written);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.stderr.contains(&format!("did you mean `\"{meant}\"`?")), "{told:?}");
    }
}

#[test]
fn the_line_that_help_proposes_takes_no_name_that_is_taken() {
    let sandbox = Sandbox::new();
    let text = MENDED.to_owned() + "stage b {\n  out table: File = \"u.csv\"\n  run <<< cp t.csv \"$table\" >>>\n}\n";
    sandbox.file("p.mlp", &text);
    let told = sandbox.mlpc(&["check"]);
    assert!(told.stderr.contains("add `in a_table = a.table`, and use `$a_table`"), "{told:?}");
}

const RELEASED: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
registry models = directory("registry")
source raw: File = "raw.txt"
stage train { in raw  out model: File = "out/model"  run <<< cp "$raw" "$model" >>> }
register release = train.model to models ungated "a test"
"#;

#[test]
fn what_a_declared_target_can_not_do_is_said_with_both_lines() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", RELEASED);
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    sandbox.file("p.mlp", &format!("{RELEASED}target github {{}}\ntarget argo {{ image: \"python:3\" }}\n"));
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("is lost with the runner that `release` runs on"), "{ended:?}");
    assert!(ended.stderr.contains("for this trigger"), "{ended:?}");
    assert!(ended.stderr.contains("in a pod it is lost with the pod"), "{ended:?}");
    assert!(ended.stderr.contains("compiled for argo here"), "{ended:?}");
}

/// The rest of a pipeline is as good as it was; only its files would be of another one.
#[test]
fn what_nothing_runs_yet_is_a_warning_here_and_an_error_for_a_compiler() {
    let sandbox = Sandbox::new();
    let text = "pipeline p\nedition 2026\nsource a: Dataset<csv> = \"a.csv\"\nsource b: Dataset<csv> = \"b.csv\"\nmonitor drift { every 1d  in reference = a, current = b  require psi(*) < 0.2  on breach: emit \"drifted\"  cooldown 7d }\non event \"drifted\" { }\ntarget github {}\n";
    sandbox.file("p.mlp", text);
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("`mlpc` can't serve the monitor `drift` yet"), "{ended:?}");
    assert!(ended.stderr.contains("for this target"), "{ended:?}");
    assert_eq!(sandbox.mlpc(&["check", "--deny", "warnings"]).code, 2);
    sandbox.file("p.mlp", &format!("{text}allow nothing-runs-it \"by hand until then\"\n"));
    let ended = sandbox.mlpc(&["check", "--deny", "warnings"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let ended = sandbox.mlpc(&["compile", "-o", "out"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stdout.contains("1 error") || ended.stderr.contains("1 error"), "{ended:?}");
    assert!(!sandbox.path().join("out").exists());
}

/// Stages in a chain, each with a `when`: what is skipped with what is found in one look, however they are declared.
#[test]
fn a_workflow_that_github_would_not_start_is_refused() {
    let sandbox = Sandbox::new();
    let mut text = String::from(
        "pipeline p\nedition 2026\nparam on: bool = true\non manual { on }\nsource raw: File = \"raw.txt\"\n",
    );
    for at in (0..1_000).rev() {
        let before = if at == 0 { "raw".to_owned() } else { format!("s{}.o", at - 1) };
        let when = if at == 0 { " when on" } else { "" };
        text += &format!(
            "stage s{at}{when} {{ in i = {before}  out o: File = \"out/{at}\"  run <<< cp \"$i\" \"$o\" >>> }}\n"
        );
    }
    sandbox.file("p.mlp", &format!("{text}target github {{}}\n"));
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("GitHub starts no workflow of more than 500000 bytes"), "{}", ended.stderr);
    assert!(ended.stderr.contains("for this target"), "{}", ended.stderr);
}

#[test]
fn a_large_pipeline_with_a_target_is_remembered_as_well() {
    let sandbox = Sandbox::new();
    let text = MENDED.to_owned() + "target github {}\n" + &"# a line that makes the text worth it\n".repeat(2_000);
    sandbox.file("p.mlp", &text);
    assert_eq!(sandbox.mlpc(&["check"]).stdout, "p.mlp: fine, 1 stage\n");
    assert!(sandbox.path().join(".mlpc/check").exists());
    // A folder whose name GitHub would evaluate decides, too: it is no part of the text.
    sandbox.file("${{ x }}/p.mlp", &text).file(".git/HEAD", "");
    let ended = sandbox.mlpc(&["check", "${{ x }}/p.mlp"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("GitHub would evaluate"), "{ended:?}");
}

#[test]
fn no_output_stands_on_what_the_pipeline_is_made_of() {
    let sandbox = Sandbox::new();
    sandbox.file("m/x.mlp", "schema Row { a: int }\n");
    for (path, words) in [
        ("p.mlp", "the pipeline and `a.o` have the same path"),
        ("P.mlp", "differ in capitals alone"),
        ("m/x.mlp", "have the same path"),
        ("mlpc.lock", "which says what runtimes are"),
        (".git/config", "which is Git's own"),
        ("src/.gitignore", "which says what is code"),
    ] {
        sandbox.file(
            "p.mlp",
            &format!("pipeline p\nedition 2026\nuse \"m/x.mlp\" {{ Row }}\nsource raw: Dataset<csv, Row> = \"raw.csv\"\nstage a {{ in raw  out o: File = \"{path}\"  run <<< cp \"$raw\" \"$o\" >>> }}\n"),
        );
        let ended = sandbox.mlpc(&["check", "p.mlp"]);
        assert_eq!(ended.code, 2, "{path}: {ended:?}");
        assert!(ended.stderr.contains("path-taken") && ended.stderr.contains(words), "{path}: {}", ended.stderr);
    }
}

#[test]
fn a_checkpoint_has_a_folder_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.file("data/raw.csv", "x\n1\n").file("src/deep/a.py", "1");
    let check = |clauses: &str| {
        let text = format!(
            "pipeline p\nedition 2026\nsource raw: Dataset<csv> = \"data/raw.csv\"\n\
             stage one {{ in raw   out o: File = \"made/o\"   run <<< cp \"$raw\" \"$o\" >>> }}\n\
             stage two {{ in raw, o = one.o   code \"src/**\"   {clauses}   out p: File = \"out/p\"   run <<< cat \"$raw\" \"$o\" src/deep/a.py > \"$p\" >>> }}\n"
        );
        sandbox.file("p.mlp", &text);
        let ended = sandbox.mlpc(&["check", "p.mlp"]);
        ended.stderr.contains("path-taken").then_some(ended.stderr)
    };
    for (folder, what) in [
        ("data", "the source `raw` is `data/raw.csv`"),
        ("made", "`one.o` is `made/o`"),
        ("out", "`two.p` is `out/p`"),
        ("./out/p", "`two.p` is `out/p`"),
        ("src", "the code of `two` is `src/**`"),
    ] {
        let said = check(&format!("checkpoint \"{folder}\"")).unwrap_or_else(|| panic!("{folder}"));
        let one_line = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(one_line.contains("the checkpoint of `two` is") && one_line.contains(what), "{folder}: {said}");
    }
    for fine in ["checkpoints", "src/checkpoints", "out/checkpoints", "data2"] {
        assert_eq!(check(&format!("checkpoint \"{fine}\"")), None, "{fine}");
    }
    // There the folder is the stage's own affair.
    assert_eq!(check("checkpoint \"out\"   isolation off"), None);
}

#[test]
fn what_a_stage_writes_is_not_read_by_its_path() {
    let sandbox = Sandbox::new();
    let text = |path: &str, code: &str| {
        format!(
            r#"pipeline p
edition 2026
source data: Dataset<csv> = "data.csv"
param lr: float from "cfg/p.yaml" at "/lr"
stage gen {{ code "gen.py"   out script: File = "{path}"   run <<< python gen.py "$script" >>> }}
stage train {{ in data   code "{code}"   out o: File = "out/o"   run <<< sh src/gen.sh {{lr}} > "$o" >>> }}
gate g on data {{ require psi(*) <= 0.1 against "base.json" }}
"#
        )
    };
    sandbox.file("cfg/p.yaml", "lr: 0.1\n").file("gen.py", "1").file("src/gen.sh", "1").file("data.csv", "x\n1\n");
    sandbox.file("src/deep/a.sh", "1").file("base.json", "{}");
    let check = |path: &str, code: &str| {
        sandbox.file("p.mlp", &text(path, code));
        let ended = sandbox.mlpc(&["check", "p.mlp"]);
        ended.stderr.contains("path-taken").then_some(ended.stderr)
    };
    for (path, code, words) in [
        ("src/gen.sh", "./src/gen.sh", "`gen.script` and the code of `train` have the same path"),
        ("src/deep", "src/deep/a.sh", "the path of the code of `train` lies inside that of `gen.script`"),
        ("cfg/p.yaml", "src/gen.sh", "the file of the parameter `lr` and `gen.script` have the same path"),
        ("base.json", "src/gen.sh", "`gen.script` and what `g` compares with have the same path"),
    ] {
        let said = check(path, code).unwrap_or_else(|| panic!("{path} {code}"));
        assert!(said.contains(words) && said.contains("read `gen.script` as an input"), "{said}");
    }
    // What stages write into a folder of code is no code.
    assert_eq!(check("src/made.sh", "src"), None);
    assert_eq!(check("src/made.sh", "src/*.sh"), None);
}

#[test]
fn a_registry_stands_where_nobody_throws_it_away_and_alone() {
    let sandbox = Sandbox::new();
    let text = |place: &str, pointer: &str| {
        format!(
            "pipeline p\nedition 2026\nregistry models = directory(\"{place}\")\nstage a {{ out o: File = \"out/o\"  run <<< echo > \"$o\" >>> }}\nregister r = a.o to models ungated \"a test\"\npromote c = r to models@{pointer}\n"
        )
    };
    for (place, pointer, words) in [
        (".mlpc/reg", "production", "lies in `.mlpc`"),
        ("./.MLPC/reg", "production", "lies in `.mlpc`"),
        (".git", "production", "lies in `.git`"),
        ("data/..", "production", "is the workspace itself"),
        ("out", "production", "lies inside that of"),
        ("data/../out/", "production", "lies inside that of"),
        ("registry", "versions", "can't be a pointer"),
        ("registry", "actions", "can't be a pointer"),
    ] {
        sandbox.file("p.mlp", &text(place, pointer));
        let ended = sandbox.mlpc(&["check"]);
        assert_eq!(ended.code, 2, "{place} {pointer}: {ended:?}");
        assert!(ended.stderr.contains(words), "{place} {pointer}: {}", ended.stderr);
    }
    for place in ["registry", "./registry/", "../shared"] {
        sandbox.file("p.mlp", &text(place, "production"));
        assert_eq!(sandbox.mlpc(&["check"]).code, 0, "{place}");
    }
    let two = text("registry", "production")
        + "registry others = directory(\"./registry\")\nregister s = a.o to others ungated \"a test\"\n";
    sandbox.file("p.mlp", &two);
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("the registry `models` and the registry `others` have the same path"), "{ended:?}");
}

#[test]
fn a_module_that_is_a_link_out_of_the_workspace_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.file("out/x.mlp", "schema Row { a: int }\n").file(
        "in/p.mlp",
        "pipeline p\nedition 2026\nuse \"x.mlp\" { Row }\nsource raw: Dataset<csv, Row> = \"raw.csv\"\nstage a { in raw  out o: File = \"o\"  run <<< cp \"$raw\" \"$o\" >>> }\n",
    );
    std::os::unix::fs::symlink("../out/x.mlp", sandbox.path().join("in/x.mlp")).expect("a link");
    let ended = sandbox.mlpc(&["check", "in/p.mlp"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("it is a link that leads out of the workspace"), "{ended:?}");
}

/// Without it the action would not compile for a runner: nothing else has to name it.
#[test]
fn a_registry_that_keeps_a_journal_is_used() {
    let sandbox = Sandbox::new();
    let text = |registries: &str| {
        format!(
            "pipeline p\nedition 2026\non push {{ branches: [\"main\"] }}\n{registries}stage a {{ out o: File = \"o\"  run <<< echo > \"$o\" >>> }}\naction tell {{ in o = a.o  run <<< cat \"$o\" >>> }}\ntarget github {{}}\n"
        )
    };
    sandbox.file("p.mlp", &text("registry log = git(\"mlpc-log\")\n"));
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    sandbox.file("p.mlp", &text("registry log = git(\"mlpc-log\")\nregistry more = git(\"more\")\n"));
    let ended = sandbox.mlpc(&["check"]);
    assert!(ended.stderr.contains("nothing uses the registry `more`"), "{ended:?}");
    sandbox.file("p.mlp", &text("registry log = directory(\"registry\")\n"));
    assert!(sandbox.mlpc(&["check"]).stderr.contains("nothing uses the registry `log`"));
}

#[test]
fn ends_that_nothing_lies_between_are_told() {
    let sandbox = Sandbox::new();
    let text = |ends: &str| {
        format!(
            "pipeline p\nedition 2026\nsource raw: Dataset<csv> = \"raw.csv\"\nstage a {{ in raw  out o: Dataset<csv> = \"o.csv\"  run <<< cp \"$raw\" \"$o\" >>> }}\ngate g on a.o {{ require rows between {ends} }}\n"
        )
    };
    sandbox.file("p.mlp", &text("1..10"));
    assert_eq!(sandbox.mlpc(&["check"]).code, 0);
    sandbox.file("p.mlp", &text("10..1"));
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("nothing lies between these ends"), "{ended:?}");
}

/// A model, its release, its approval and its promotion; what ships it follows.
const APPROVED: &str = "pipeline p\nedition 2026\nmetrics Scores { auc: ratio higher }\nregistry models = directory(\"registry\")\n\
    stage train {\n  out model: Model<pickle> = \"m.pkl\"\n  run <<< make \"$model\" >>>\n}\n\
    stage evaluate {\n  in model = train.model\n  out report: Metrics<Scores> of model = \"r.json\"\n  run <<< score \"$model\" \"$report\" >>>\n}\n\
    gate quality on evaluate.report { require auc >= 80% }\nregister release = train.model to models\n\
    promote current = release to models@production after go_live\n";

#[test]
fn what_ships_a_release_waits_for_the_approval_of_it() {
    let told = |rest: &str| {
        let sandbox = Sandbox::new();
        sandbox.file("p.mlp", &format!("{APPROVED}{rest}\n"));
        let ended = sandbox.mlpc(&["check", "--format", "github"]);
        (ended.code, ended.stdout + &ended.stderr)
    };
    let approval = "approval go_live of release { by: [\"a\"], timeout: 1h }\n";
    let run = "run <<< echo \"$version\" >>>";
    let refused = [
        format!("{approval}action deploy of release {{ {run} }}"),
        format!("{approval}action deploy of train.model {{ run <<< deploy >>> }}"),
        format!("{approval}action deploy {{ in model = train.model\n run <<< deploy \"$model\" >>> }}"),
        format!("{approval}promote staged = release to models@staging"),
        // A package of the model is the model, and so is the tag that its image got.
        format!(
            "{approval}stage package {{ in model = train.model\n out tar: File = \"m.tar\"\n run <<< pack \"$model\" \"$tar\" >>> }}\n\
             action deploy {{ in tar = package.tar\n run <<< deploy \"$tar\" >>> }}"
        ),
        format!(
            "{approval}stage push {{ in model = train.model\n out tag: string = json(\"tag.json\", \"/tag\")\n \
             run <<< push \"$model\" > tag.json >>> }}\naction deploy {{ in tag = push.tag\n run <<< deploy \"$tag\" >>> }}"
        ),
        // Before one of two decisions, and behind none.
        format!(
            "{approval}action early of release {{ {run} }}\napproval later of release after early {{ by: [\"a\"], timeout: 1h }}\n\
             action tell after later {{ run <<< tell >>> }}"
        ),
    ];
    for rest in refused {
        let (code, said) = told(&rest);
        assert_eq!((code, said.contains("unapproved-release")), (2, true), "{rest}\n{said}");
    }
    let fine = [
        format!("{approval}action deploy of release after current {{ {run} }}"),
        format!("{approval}action deploy of release after go_live {{ {run} }}"),
        format!("{approval}action tell of release ungated \"it says who is asked\" {{ {run} }}"),
        // A page about the model is none.
        format!(
            "{approval}stage card {{ in model = train.model\n out page: Report = \"card.md\"\n run <<< card \"$model\" \"$page\" >>> }}\n\
             action show {{ in page = card.page\n run <<< show \"$page\" >>> }}"
        ),
        format!(
            "action dev of release {{ {run} }}\nstage smoke after dev {{ out t: Tests = \"t.xml\"\n run <<< smoke \"$t\" >>> }}\n\
             gate answers on smoke.t {{ require failed == 0 }}\n{}",
            approval.replace(" {", " after answers {")
        ),
    ];
    for rest in fine {
        let (code, said) = told(&rest);
        assert_eq!((code, said.as_str()), (0, ""), "{rest}");
    }
}

/// Returns what a check says of a pipeline with these declarations.
fn said(declarations: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\n{declarations}\n"));
    let ended = sandbox.mlpc(&["check"]);
    ended.stdout + &ended.stderr
}

#[test]
fn formats_of_models_are_known_ones() {
    let model = |ty: &str| said(&format!("stage train {{\n  out m: {ty} = \"m\"\n  run <<< make \"$m\" >>>\n}}"));
    let near = model("Model<jsn>");
    assert!(near.contains("no model format `jsn`") && near.contains("did you mean `Model<json>`?"), "{near}");
    let far = model("Model<homemade>");
    assert!(far.contains("write `Model`, which is of any format"), "{far}");
    for fine in ["Model<safetensors>", "Model<xgboost>", "Model"] {
        assert!(!model(fine).contains("format"), "{fine}");
    }
}

#[test]
fn a_pointer_in_braces_is_told_what_to_write() {
    let text = "registry models = directory(\"r\")\nmetrics Scores { auc: ratio higher }\n\
                stage s { out r: Metrics<Scores> = \"r.json\"  run <<< make \"$r\" >>> }\n\
                gate q on s.r {\n  baseline models@{client}\n  require auc >= 80%\n}";
    let said = said(text);
    assert!(said.contains("a pointer's name is a plain word: it can't depend on a loop"), "{said}");
    assert!(said.contains("name each pointer, `models@nord`, and write a gate and a promotion for each"), "{said}");
}

#[test]
fn a_forgotten_input_is_proposed() {
    let head = "source raw: Dataset<csv> = \"raw.csv\"\nstage prepare {\n  in raw\n  out train: Dataset<csv> = \"a.csv\"\n  out test: Dataset<csv> = \"b.csv\"\n\
                \x20 run <<< split \"$raw\" \"$train\" \"$test\" >>>\n}\n";
    let command = |run: &str| {
        said(&format!("{head}stage use {{\n  in train = prepare.train\n  out o: File = \"o\"\n  run {run}\n}}"))
    };
    for text in [
        command("<<< python3 use.py \"$train\" \"$data\" \"$o\" >>>"),
        command("[\"python3\", \"use.py\", train, data, o]"),
    ] {
        assert!(text.contains("add it to what is read: `in data = …`, of `prepare.test`"), "{text}");
    }
    let text = command("<<< python3 use.py \"$train\" \"$tests\" \"$o\" >>>");
    assert!(text.contains("`in tests = prepare.test`"), "{text}");
    let text = command("<<< python3 use.py \"$train\" \"$raw\" \"$o\" >>>");
    assert!(text.contains("`in raw`"), "{text}");
    let over = format!(
        "{head}metrics Scores {{ auc: ratio higher }}\nstage train {{\n  in data = prepare.train\n  out model: Model<json> = \"m\"\n  run [\"t\", data, model]\n}}\n\
         stage evaluate {{\n  in model = train.model\n  out r: Metrics<Scores> of model over data as test = \"r\"\n  run [\"e\", model, r]\n}}"
    );
    assert!(said(&over).contains("`in data = …`, of `prepare.test`"), "{}", said(&over));
}

#[test]
fn small_slips_are_told_their_way_out() {
    let gate = said(
        "metrics Speed { p99: duration lower unit ms }\nstage s { out r: Metrics<Speed> = \"r.json\"  run <<< make \"$r\" >>> }\n\
         gate q on s.r { require p99 <= 50 }",
    );
    assert!(gate.contains("glue a unit to it: `50ms`"), "{gate}");
    let range = said("param hour: int? in 0..23 = 3");
    assert!(range.contains("write `int in 0..23?`"), "{range}");
    let pin = said("source raw: File = s3(\"s3://b/k\", version: \"latest\", public: true)");
    assert!(pin.contains("`latest` is no version: what it names changes"), "{pin}");
}

/// What nobody reads is not written: a message of a cycle is of a length that does not grow with it, and of a line of megabytes the place
/// is shown.
#[test]
fn long_cycles_and_long_lines_are_shown_in_short() {
    let sandbox = Sandbox::new();
    let mut text = "pipeline p\nedition 2026\n".to_owned();
    for at in 0..3000 {
        let before = (at + 2999) % 3000;
        text +=
            &format!("stage s{at} {{ in x = s{before}.o  out o: File = \"o{at}\"  run <<< cp \"$x\" \"$o\" >>> }}\n");
    }
    sandbox.file("p.mlp", &text);
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2);
    let message = "`s0` → `s2999` → `s2998` → `s2997` → … 2992 more … → `s4` → `s3` → `s2` → `s1` → `s0`";
    let said = ended.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(said.contains(message), "{said}");
    assert!(ended.stderr.len() < 20_000, "{}", ended.stderr.len());
    let long = "ü".repeat(1_000_000);
    let text =
        format!("pipeline p\nedition 2026\nconst a = \"{long}\" + nobody + \"{long}\"\nconst b: int = \"{long}\"\n");
    sandbox.file("p.mlp", &text);
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("+ nobody +"), "{}", ended.stderr.len());
    assert!(ended.stderr.len() < 50_000, "{}", ended.stderr.len());
}

#[test]
fn lines_that_end_as_on_an_old_mac_are_told_of() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", "pipeline p\redition 2026\rsource a: File = \"a\"\r");
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("end with CR alone"), "{}", ended.stderr);
    assert!(ended.stderr.contains("tr '\\r' '\\n'") && !ended.stderr.contains("unexpected"), "{}", ended.stderr);
}

#[test]
fn a_share_of_columns_that_all_of_them_reach_is_no_limit() {
    let sandbox = Sandbox::new();
    let check = |share: &str| {
        let text = format!(
            "pipeline p\nedition 2026\nsource d: Dataset<csv> = \"d.csv\"\n\
             gate g on d {{ require drifted(psi(*) < 0.1) {share} against \"b.json\" }}\n"
        );
        sandbox.file("p.mlp", &text);
        sandbox.mlpc(&["check"])
    };
    for share in ["<= 100%", "<= 1.0"] {
        let ended = check(share);
        assert_eq!(ended.code, 2, "{share}");
        assert!(ended.stderr.contains("can't fail"), "{share}: {}", ended.stderr);
    }
    for share in ["<= 99%", "< 100%"] {
        assert!(!check(share).stderr.contains("can't fail"), "{share}");
    }
}

/// Stages beyond some hundreds are looked at by two threads.
#[test]
fn a_slip_is_found_wherever_it_stands_among_many_stages() {
    let sandbox = Sandbox::new();
    let mut text = "pipeline example\nedition 2026\nparam early: int = 1\nparam late: int = 1\nparam never: int = 1\nsource raw: File = \"raw.csv\"\n".to_owned();
    for index in 0..1_500 {
        let from = if index == 0 { "raw".to_owned() } else { format!("s{}.o", index - 1) };
        let slip = if matches!(index, 3 | 749 | 750 | 1_499) { "rum" } else { from.as_str() };
        let uses = match index {
            7 => "  use early\n",
            1_400 => "  use late\n",
            _ => "",
        };
        text += &format!(
            "stage s{index} {{\n  in data = {slip}\n{uses}  out o: File = \"o{index}\"\n  run <<< cp \"$data\" \"$o\" >>>\n}}\n"
        );
    }
    sandbox.file("p.mlp", &text);
    sandbox.file("raw.csv", "a\n");
    let ended = sandbox.mlpc(&["check", "--format", "json"]);
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let said = said["diagnostics"].as_array().expect("a list");
    let slips: Vec<u64> = said
        .iter()
        .filter(|one| one["code"] == "unknown-name")
        .map(|one| one["labels"][0]["start"]["line"].as_u64().expect("a line"))
        .collect();
    let lines: Vec<u64> =
        (1..).zip(text.lines()).filter(|(_, line)| line.ends_with("= rum")).map(|(at, _)| at).collect();
    assert_eq!(slips, lines);
    let unused: Vec<_> = said.iter().filter(|one| one["code"] == "unused-name").map(|one| &one["message"]).collect();
    assert_eq!(unused.len(), 1, "{unused:?}");
    assert!(unused[0].as_str().is_some_and(|text| text.contains("`never`")), "{unused:?}");
}

/// A hook checks several pipelines in one go: none of them is a module of another.
#[test]
fn a_pipeline_that_is_checked_beside_another_does_not_read_it() {
    let sandbox = Sandbox::new();
    let pipeline = |name: &str| {
        format!(
            "pipeline {name}\nedition 2026\non push {{ branches: [\"main\"], paths: [\"{name}.mlp\", \"src/**\"] }}\n\
             stage train {{\n  code \"src/**\"\n  out model: File = \"out/{name}\"\n  run <<< make \"$model\" >>>\n}}\n"
        )
    };
    sandbox.file("one.mlp", &pipeline("one")).file("two.mlp", &pipeline("two")).file("src/a.py", "");
    let ended = sandbox.mlpc(&["check", "one.mlp", "two.mlp"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!ended.stderr.contains("paths-miss-an-input"), "{ended:?}");
    sandbox.file("more.mlp", "const folder = \"out\"\n");
    sandbox.file(
        "one.mlp",
        &format!("{}use \"more.mlp\" {{ folder }}\n", pipeline("one")).replace("out/one", "{folder}/one"),
    );
    let ended = sandbox.mlpc(&["check", "one.mlp", "two.mlp"]);
    assert!(ended.stderr.contains("covers `more.mlp`"), "a module it does read: {ended:?}");
}

#[test]
fn what_a_model_learns_from_is_no_test_of_it() {
    let pipeline = |split: &str| {
        said(&format!(
            "metrics E {{ auc: ratio higher }}\nsource raw: Dataset<csv> = \"raw.csv\"\n\
             stage train {{ in raw\n out model: File = \"m\"\n run <<< make \"$raw\" \"$model\" >>> }}\n\
             stage evaluate {{ in model = train.model, data = raw\n out report: Metrics<E> of model over data as {split} = \"r.json\"\n\
             run <<< score \"$model\" \"$data\" \"$report\" >>> }}\ngate q on evaluate.report {{ require auc >= 80% }}"
        ))
    };
    let test = pipeline("test");
    assert!(test.contains("`report` is measured over `raw` as a test, and `train` reads that too"), "{test}");
    assert!(!pipeline("train").contains("tested-on-training-data"));
}

/// Which names are compared with what is declared depends on the file, not on how many threads read its stages.
#[test]
fn the_first_unknown_names_get_help_however_many_stages_there_are() {
    let helps = |stages: usize| {
        let sandbox = Sandbox::new();
        let mut text = "pipeline example\nedition 2026\nsource raw: File = \"raw.csv\"\n".to_owned();
        for index in 0..stages {
            let is_slip = index < 40 || (stages - 40..stages).contains(&index);
            let from = if is_slip { "rww" } else { "raw" };
            text += &format!("stage s{index} {{ in x = {from}  out t: File = \"t{index}\"  run [\"cp\", x, t] }}\n");
        }
        sandbox.file("p.mlp", &text);
        let ended = sandbox.mlpc(&["check", "--format", "json"]);
        let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let found = document["diagnostics"].as_array().expect("a list").clone();
        found.iter().filter(|one| one["code"] == "unknown-name").map(|one| one["help"].is_string()).collect::<Vec<_>>()
    };
    let few = helps(100);
    assert_eq!(few, [vec![true; 60], vec![false; 20]].concat());
    assert_eq!(helps(600), few);
}

#[test]
fn a_leg_that_waits_for_the_gates_of_all_legs_is_told_to_wait_for_its_own() {
    let told = said(
        "const clients = [\"a\", \"b\"]\nmetrics E { auc: ratio higher }\nregistry models = directory(\"registry\")\n\
         stage train for client in clients {\n  out model: File = \"m/{client}\"\n  run <<< make \"$model\" >>>\n}\n\
         stage evaluate for client in clients {\n  in model = train[client].model\n  \
         out report: Metrics<E> of model = \"r/{client}.json\"\n  run <<< score \"$model\" \"$report\" >>>\n}\n\
         gate quality for client in clients on evaluate[client].report { require auc >= 80% }\n\
         register release for client in clients = train[client].model to models after quality",
    );
    assert!(told.contains("wait for the gate of the same leg: `after quality[client]`"), "{told}");
}

#[test]
fn what_is_no_number_and_what_measures_nothing_are_told_so() {
    let gate = |line: &str| {
        said(&format!(
            "metrics E {{ auc: ratio higher }}\nstage s {{\n  out r: Metrics<E> = \"r.json\"\n  run <<< score \"$r\" >>>\n}}\n\
             gate g on s.r {{\n  require {line}\n}}"
        ))
    };
    let number = gate("auc >= 1.5.5");
    assert!(number.contains("bad-number") && number.contains("`1.5.5` is no number"), "{number}");
    assert!(number.contains("write one dot, as in `1.5`") && number.contains("1 error"), "{number}");
    let nothing = gate("1 >= 1");
    assert!(nothing.contains("`1 >= 1` measures nothing: both sides are numbers"), "{nothing}");
    assert!(nothing.contains("name what is measured on one side: `require METRIC >= LIMIT`"), "{nothing}");
}

#[test]
fn a_live_source_that_nobody_declares_is_one_message_with_the_line_to_write() {
    let live = "metrics Live { error_rate: ratio lower from <<<rate(errors{version=\"$version\"}[5m])>>> }\n\
        source raw: Dataset<csv> = \"raw.csv\"\nmetrics Scores { auc: ratio higher }\nregistry models = directory(\"registry\")\n\
        stage train {\n  in raw\n  out model: Model<pickle> = \"m.pkl\"\n  run <<< make \"$raw\" \"$model\" >>>\n}\n\
        stage evaluate {\n  in model = train.model\n  out report: Metrics<Scores> of model = \"r.json\"\n  run <<< score \"$model\" \"$report\" >>>\n}\n\
        gate quality on evaluate.report { require auc >= 80% }\nregister release = train.model to models\n\
        rollout live of release by canary {\n  service \"s\" at \"production\"\n  first_deploy direct\n  step 10% for 30m\n  step 100%\n  \
        watch traffic every 60s {\n    require candidate.error_rate <= 1%\n    fail after 3 consecutive\n  }\n  keep previous for 7d\n  \
        shift <<< ./deploy \"$version\" \"$traffic\" >>>\n  observe <<< ./traffic >>>\n  rollback <<< ./deploy \"$previous\" 100 >>>\n  promote models@production\n}";
    let said = said(live);
    assert!(
        said.contains("no source `traffic`") && !said.contains("unused-name") && said.contains("1 error"),
        "{said}"
    );
    assert!(said.contains("declare it: `source traffic: Metrics<Live> = prometheus("), "{said}");
}

#[test]
fn commands_in_help_name_the_file_where_the_caller_did() {
    let sandbox = Sandbox::new();
    let text = "pipeline NAME\nedition 2026\nstage s {\n  out o: File = \"NAME.txt\"\n  run <<< echo x > \"$o\" >>>\n}\ntarget github { }\n";
    sandbox.file("a.mlp", &text.replace("NAME", "a")).file("b.mlp", &text.replace("NAME", "b"));
    let ended = sandbox.mlpc(&["compile", "-f", "a.mlp", "--check"]);
    assert!(ended.stderr.contains("`mlpc compile -f a.mlp --target github` writes it"), "{ended:?}");
    assert_eq!(sandbox.mlpc(&["compile", "-f", "a.mlp", "--target", "github"]).code, 0);
    sandbox.shell("rm b.mlp");
    let alone = sandbox.mlpc(&["compile", "--check", "--target", "argo"]);
    assert!(!alone.stderr.contains(" -f "), "{alone:?}");
}
