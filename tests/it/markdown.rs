//! Reads the fenced blocks out of Markdown pages, and completes and checks the `mlp` ones.

use crate::sandbox::{Ended, Sandbox};

/// One fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands behind the opening fence, such as `mlp fails check`.
    pub(crate) info: String,
    pub(crate) text: String,
    /// Line of the opening fence, from 1.
    pub(crate) line: usize,
}

/// Returns the fenced blocks of a page in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<(String, Block)> = None;
    for (at, line) in page.lines().enumerate() {
        let fence: String = line.chars().take_while(|&c| c == '`').collect();
        match &mut open {
            Some((opened, _)) if fence.len() >= opened.len() && line.trim_end() == fence => {
                found.extend(open.take().map(|(_, block)| block));
            }
            Some((_, block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if fence.len() >= 3 => {
                let info = line[fence.len()..].trim().to_owned();
                open = Some((fence, Block { info, text: String::new(), line: at + 1 }));
            }
            None => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    found
}

/// Makes a whole pipeline of a snippet: one without a `pipeline` line gets it and the edition put before it.
pub(crate) fn completed(snippet: &str) -> String {
    if snippet.lines().any(|line| line.starts_with("pipeline ")) {
        snippet.to_owned()
    } else {
        format!("pipeline example\nedition 2026\n\n{snippet}")
    }
}

/// Lays a snippet into a workspace as `main.mlp`, with a file for each of its `code` patterns and data baselines, which are no part of the lesson.
pub(crate) fn workspace(snippet: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let text = completed(snippet);
    for line in text.lines().map(str::trim).filter(|line| line.starts_with("code ")) {
        for pattern in line.split('"').skip(1).step_by(2) {
            sandbox.file(&pattern.replace("**", "any.py").replace('*', "any"), "");
        }
    }
    for path in text.split("against \"").skip(1).filter_map(|rest| rest.split('"').next()) {
        sandbox.file(path, "{}");
    }
    for (file, json) in read_files(&text) {
        sandbox.file(&file, &json.to_string());
    }
    if text.contains("use \"gates/") {
        sandbox.file("gates/common.mlp", include_str!("../fixtures/modules/gates/common.mlp"));
    }
    sandbox.file("main.mlp", &text);
    sandbox
}

/// Returns the files that parameters are read from, with a 1 at every place: `param x: int from "f.yaml" at "/a/b"`.
fn read_files(text: &str) -> std::collections::BTreeMap<String, serde_json::Value> {
    let mut files = std::collections::BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("param ")) {
        let Some((file, place)) = line.split_once(" from \"").and_then(|(_, rest)| rest.split_once("\" at \"")) else {
            continue;
        };
        let mut at = files.entry(file.to_owned()).or_insert_with(|| serde_json::json!({}));
        for key in place.split('"').next().unwrap_or_default().split('/').skip(1) {
            at = &mut at[key];
        }
        *at = serde_json::json!(1);
    }
    files
}

/// Returns the codes that `mlpc check` gives for a snippet, in order, and how it ended.
pub(crate) fn check(snippet: &str) -> (Vec<String>, Ended) {
    let ended = workspace(snippet).mlpc(&["check", "--format", "json", "main.mlp"]);
    let mut codes = Vec::new();
    match serde_json::from_str(&ended.stdout) {
        Ok(value) => gather(&value, &mut codes),
        Err(problem) => panic!("`mlpc check --format json` printed no JSON: {problem}\n{ended:#?}"),
    }
    (codes, ended)
}

fn gather(value: &serde_json::Value, codes: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            codes.extend(fields.get("code").and_then(|code| code.as_str()).map(str::to_owned));
            fields.values().for_each(|field| gather(field, codes));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| gather(item, codes)),
        _ => {}
    }
}

#[test]
fn blocks_end_at_a_fence_as_long_as_their_own() {
    let page = "a\n````md\n```mlp\nx\n```\n````\n```sh\ny\n```\n";
    let found: Vec<_> = blocks(page).into_iter().map(|block| (block.info, block.text, block.line)).collect();
    assert_eq!(found, [("md".into(), "```mlp\nx\n```\n".into(), 2), ("sh".into(), "y\n".into(), 7)]);
}
