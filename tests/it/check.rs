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
