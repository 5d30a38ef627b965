//! Projects of DVC in the shapes that people use become pipelines that the checker and the formatter have nothing to say to.

use std::path::PathBuf;

use crate::sandbox::{Sandbox, repository};

/// Every project under `tests/fixtures/dvc`: files behind lines `-- path --`.
fn projects() -> Vec<(String, String)> {
    let folder = repository().join("tests/fixtures/dvc");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("a fixture"))
        })
        .collect()
}

/// Writes the files of a project and returns the path of its `dvc.yaml`.
fn unpack(sandbox: &Sandbox, text: &str) -> String {
    let mut file: Option<(String, String)> = None;
    let mut found = String::new();
    for line in text.lines().chain(["-- --"]) {
        if let Some(path) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix("--")) {
            if let Some((path, text)) = file.take() {
                sandbox.file(&path, &text);
            }
            let path = path.trim();
            if path.ends_with("dvc.yaml") {
                found = path.to_owned();
            }
            file = (!path.is_empty()).then(|| (path.to_owned(), String::new()));
        } else if let Some((_, text)) = &mut file {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

#[test]
fn projects_in_twenty_shapes_are_clean_without_a_hand_edit() {
    let projects = projects();
    assert!(projects.len() >= 20, "{} projects", projects.len());
    let mut bad = Vec::new();
    for (name, text) in &projects {
        let sandbox = Sandbox::new();
        let file = unpack(&sandbox, text);
        let imported = sandbox.mlpc(&["import", &file, "--output", "pipeline.mlp"]);
        let checked = sandbox.mlpc(&["check", "pipeline.mlp"]);
        let formatted = sandbox.mlpc(&["fmt", "--check", "pipeline.mlp"]);
        let clean = checked.stderr.is_empty() && checked.stdout.starts_with("pipeline.mlp: fine, ");
        if !clean || [&imported, &checked, &formatted].iter().any(|ended| ended.code != 0) {
            bad.push(format!("{name}: {imported:#?} {checked:#?} {formatted:#?}\n{}", sandbox.read("pipeline.mlp")));
        }
    }
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), projects.len(), bad.join("\n\n"));
}

/// `hello` and a line end.
const HELLO: &str = "b1946ac92492d2347c6235b4d2611184";

fn with_data(isolation: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .file(".dvc/config", "[core]\n    remote = none\n")
        .file(&format!(".dvc/cache/files/md5/{}/{}", &HELLO[..2], &HELLO[2..]), "hello\n")
        .file("data/raw.txt.dvc", &format!("outs:\n- md5: {HELLO}\n  size: 6\n  hash: md5\n  path: raw.txt\n"))
        .file(
            "pipeline.mlp",
            &format!(
                "pipeline p\nedition 2026\nsource raw: File = dvc(\"data/raw.txt\")\nstage copy {{\n  in raw\n  out copied: File = \
                 \"out/copied.txt\"\n  {isolation}\n  run <<< cp \"$raw\" \"$copied\" >>>\n}}\n"
            ),
        );
    sandbox
}

#[test]
fn data_of_dvc_is_read_from_its_cache_without_dvc() {
    let sandbox = with_data("");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert_eq!(sandbox.read("out/copied.txt"), "hello\n");
    assert!(!sandbox.path().join("data/raw.txt").exists(), "an isolated stage needs nothing in the workspace");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);

    sandbox.file("data/raw.txt.dvc", &format!("outs:\n- md5: {}\n  hash: md5\n  path: raw.txt\n", "0".repeat(32)));
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("dvc pull data/raw.txt"), "{ended:#?}");
}

#[test]
fn a_stage_without_isolation_finds_the_data_where_dvc_puts_it() {
    let sandbox = with_data("isolation off");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    assert_eq!(sandbox.read("data/raw.txt"), "hello\n");
    sandbox.file("data/raw.txt", "mine\n");
    let ended = sandbox.mlpc(&["run", "--force"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code == 1 && said.contains("dvc add data/raw.txt"), "{ended:#?}");
    assert_eq!(sandbox.read("data/raw.txt"), "mine\n", "what a person wrote stays");
}

#[test]
fn import_overwrites_nothing_unless_told() {
    let sandbox = Sandbox::new();
    sandbox.file("dvc.yaml", "stages:\n  a:\n    cmd: date > a.txt\n    outs: [a.txt]\n").file("pipeline.mlp", "mine");
    let ended = sandbox.mlpc(&["import", "dvc.yaml"]);
    assert!(ended.code == 2 && ended.stderr.contains("--overwrite"), "{ended:#?}");
    assert_eq!(sandbox.read("pipeline.mlp"), "mine");
    assert_eq!(sandbox.mlpc(&["import", "dvc.yaml", "--overwrite"]).code, 0);
    assert!(sandbox.read("pipeline.mlp").contains("stage a {"));
}

#[test]
fn what_is_wrong_with_a_project_is_said_with_its_line() {
    for (text, wanted) in [
        ("stages:\n  a:\n    cmd: x ${nope.y}\n", "dvc.yaml:3: `${nope.y}` has no value"),
        ("stages:\n  a:\n    outs: [x]\n", "dvc.yaml:2: `a` has no `cmd`"),
        ("stages: {a: [}\n", "dvc.yaml:1: "),
        ("plots: [a]\n", "it has no `stages`"),
        (
            "stages:\n  a:\n    cmd: x\n    matrix: {a: &l [1,2,3,4,5,6,7,8,9,0], b: *l, c: *l, d: *l, e: *l, f: *l, g: *l, h: *l}\n",
            "dvc.yaml:4: `a` has more legs than 10000",
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.file("dvc.yaml", text);
        let ended = sandbox.mlpc(&["import", "dvc.yaml"]);
        assert!(ended.code == 2 && ended.stderr.contains(wanted), "{wanted}: {ended:#?}");
        assert!(!sandbox.path().join("pipeline.mlp").exists());
    }
}

#[test]
fn the_report_says_what_jobs_need_to_fetch_what_dvc_keeps() {
    let sandbox = Sandbox::new();
    sandbox
        .file(".dvc/config", "[core]\n    remote = store\n['remote \"store\"']\n    url = s3://team/dvc\n")
        .file("raw.csv.dvc", &format!("outs:\n- md5: {HELLO}\n  hash: md5\n  path: raw.csv\n"))
        .file("dvc.yaml", "stages:\n  copy:\n    cmd: cp raw.csv out.csv\n    deps: [raw.csv]\n    outs: [out.csv]\n");
    let ended = sandbox.mlpc(&["import", "dvc.yaml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("  .dvc/config:4: the remote `store` (`s3://team/dvc`) wants a key of AWS"),
        "{ended:?}"
    );
}
