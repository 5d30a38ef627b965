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
        let checked = sandbox.mlpc(&["check", "pipeline.mlp", "--format", "json"]);
        let found: serde_json::Value = serde_json::from_str(&checked.stdout).expect("a JSON document");
        // Until `param … from` is resolved.
        let found: Vec<_> = found["diagnostics"]
            .as_array()
            .expect("its list")
            .iter()
            .filter(|one| one["code"] != "not-yet")
            .cloned()
            .collect();
        let formatted = sandbox.mlpc(&["fmt", "--check", "pipeline.mlp"]);
        if !found.is_empty() || formatted.code != 0 {
            bad.push(format!("{name}: {imported:#?} {formatted:#?}\n{}", sandbox.read("pipeline.mlp")));
        }
    }
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), projects.len(), bad.join("\n\n"));
}
