use super::*;

/// The smallest plan: its text comes from JSON, so that the format of plans is tried on the way.
fn plan(json: &str) -> Plan {
    let mut all = serde_json::json!({
        "format": 1, "pipeline": "p", "edition": 2026, "triggers": [], "params": [], "secrets": [], "runtimes": [],
        "metrics": [], "sources": [], "registries": [], "profiles": [], "targets": [], "nodes": [],
    });
    let given: serde_json::Value = serde_json::from_str(json).expect("the test's JSON is sound");
    for (key, value) in given.as_object().expect("an object") {
        all[key] = value.clone();
    }
    serde_json::from_value(all).expect("the test's plan is sound")
}

fn compile(plan: &Plan) -> (String, Vec<String>) {
    let spans = std::collections::BTreeMap::new();
    let sources = crate::source::Sources::default();
    let locked = std::collections::BTreeMap::new();
    let site = Site { folder: "", file: "p.mlp", version: "0.1.0", spans: &spans, sources: &sources, locked: &locked };
    let compiled = GitHub.compile(plan, &site);
    let said = compiled.diagnostics.iter().map(|found| format!("{:?}: {}", found.code, found.message)).collect();
    (compiled.files[0].text.clone(), said)
}

#[test]
fn a_start_by_hand_and_an_event_have_profiles_of_their_own() {
    let (text, _) = compile(&plan(
        r#"{
            "triggers": [
                {"kind": {"push": {"branches": ["main"], "paths": []}}, "profile": "shared"},
                {"kind": {"manual": {"params": []}}, "profile": "smoke"},
                {"kind": {"event": {"name": "retrain", "payload": []}}, "profile": "shared"}
            ],
            "profiles": [
                {"name": "shared", "settings": [], "releases": true, "gates_block": true},
                {"name": "smoke", "settings": [], "releases": false, "gates_block": false}
            ]
        }"#,
    ));
    let profile = text.lines().find(|line| line.contains("MLPC_PROFILE")).unwrap_or_default();
    for wanted in ["'workflow_dispatch' && 'smoke'", "'repository_dispatch' && 'shared'", "'push' && 'shared'"] {
        assert!(profile.contains(wanted), "{profile}");
    }
}

#[test]
fn triggers_become_events_and_profiles_expressions() {
    let (text, said) = compile(&plan(
        r#"{
            "triggers": [
                {"kind": {"push": {"branches": ["main"], "paths": ["src/**", "!src/x"]}}, "profile": "shared"},
                {"kind": {"pull_request": {"branches": [], "paths": []}}, "profile": "smoke"},
                {"kind": {"schedule": {"cron": "0 6 * * 1", "timezone": "Europe/Berlin"}}, "profile": "shared"},
                {"kind": {"manual": {"params": ["fast"]}}}
            ],
            "params": [{"name": "fast", "doc": "Fewer rounds", "ty": "bool", "default": {"bool": false}}],
            "profiles": [
                {"name": "shared", "settings": [], "releases": true, "gates_block": true},
                {"name": "smoke", "settings": [], "releases": false, "gates_block": false}
            ]
        }"#,
    ));
    let head =
        text.split("\njobs:").next().unwrap_or_default().split_once("\nname: p\n").map(|(_, rest)| rest.to_owned());
    let head = head
        .unwrap_or_default()
        .replace(&text.lines().find(|line| line.contains("MLPC_PLAN")).unwrap_or_default()[13..], "'…'");
    insta::assert_snapshot!(head, @r#"
    on:
      push:
        branches:
          - main
        paths:
          - src/**
          - '!src/x'
      pull_request: {}
      schedule:
        - cron: '0 6 * * 1'
          timezone: Europe/Berlin
      workflow_dispatch:
        inputs:
          fast:
            description: Fewer rounds
            required: false
            type: boolean
            default: false
    permissions: {}
    concurrency:
      group: p-${{ github.ref }}
      cancel-in-progress: ${{ github.event_name == 'pull_request' }}
    env:
      MLPC_PLAN: '…'
      MLPC_PROFILE: ${{ github.event_name == 'push' && 'shared' || github.event_name == 'pull_request' && 'smoke' || github.event_name == 'schedule' && 'shared' || github.event_name == 'workflow_dispatch' && 'shared' || '' }}
      MLPC_PARAMS: ${{ toJSON(inputs) }}
    "#);
    assert_eq!(said, ["cron-on-the-hour: the schedule `0 6 * * 1` starts at minute 0"]);
}

#[test]
fn two_triggers_that_github_cannot_tell_apart_are_refused() {
    let (_, said) = compile(&plan(
        r#"{
            "triggers": [
                {"kind": {"push": {"branches": ["main"], "paths": ["a"]}}},
                {"kind": {"push": {"branches": ["release/*"], "paths": ["b"]}}, "profile": "smoke"},
                {"kind": {"upstream": {"pipeline": "telemetry"}}}
            ],
            "profiles": [{"name": "smoke", "settings": [], "releases": false, "gates_block": false}]
        }"#,
    ));
    assert_eq!(
        said,
        [
            "target-limit: GitHub can't start this pipeline after `telemetry` without giving it that run's rights",
            "target-limit: GitHub knows one list of `paths` for all triggers of a kind",
            "target-limit: the profile of a push can't be told from a pattern of branches",
        ]
    );
}

#[test]
fn settings_are_read_or_refused() {
    let settings = |json: &str| {
        compile(&plan(&format!(r#"{{"targets": [{{"name": "github", "settings": {{"record": {json}}}}}]}}"#)))
    };
    let (text, said) = settings(
        r#"[["install", {"string": "preinstalled"}], ["runners", {"record": [["default", {"list": [{"string": "self-hosted"}, {"string": "linux"}]}]]}]]"#,
    );
    assert!(
        said.is_empty() && text.contains("runs-on: [self-hosted, linux]") && !text.contains("cargo install"),
        "{text}"
    );
    let (text, said) = settings(
        r#"[["install", {"record": [["git", {"string": "https://git.example/mlpc"}], ["rev", {"string": "0123abc"}]]}]]"#,
    );
    assert!(said.is_empty() && text.contains("--git https://git.example/mlpc --rev 0123abc mlpc"), "{said:?}");
    for (label, theirs) in [
        ("ubuntu-latest", true),
        ("ubuntu-24.04-arm", true),
        ("macos-15-xlarge", true),
        ("windows-2025", true),
        ("ubuntu", false),
        ("ubuntu-latest-16-cores", false),
        ("team-ubuntu-latest", false),
        ("self-hosted", false),
    ] {
        let runners = format!(r#"["runners", {{"record": [["default", {{"string": "{label}"}}]]}}]"#);
        let (_, said) = settings(&format!(r#"[["install", {{"string": "preinstalled"}}], {runners}]"#));
        assert_eq!(said.iter().any(|said| said.starts_with("runner-without-mlpc: ")), theirs, "{label}: {said:?}");
        assert_eq!(settings(&format!("[{runners}]")).1, [""; 0], "{label}: the jobs build it");
    }
    let (_, said) = settings(r#"[["install", {"string": "preinstalled"}]]"#);
    assert_eq!(
        said,
        ["runner-without-mlpc: `install: \"preinstalled\"`, and GitHub's own runners (`ubuntu-latest`) hold no `mlpc`"]
    );
    for (json, wanted) in [
        (r#"[["runer", "null"]]"#, "no setting `runer`"),
        (r#"[["install", {"record": [["git", {"string": "x; rm -rf /"}]]}]]"#, "characters"),
        (r#"[["install", {"record": [["git", {"string": "--config"}]]}]]"#, "characters"),
        (r#"[["runners", {"record": [["default", {"string": "${{ x }}"}]]}]]"#, "neither a label"),
        (r#"[["steps", {"string": "none"}]]"#, "neither `plain` nor `managed`"),
    ] {
        let (_, said) = settings(json);
        assert!(
            said.len() == 1 && said[0].starts_with("target-setting: ") && said[0].contains(wanted),
            "{json}: {said:?}"
        );
    }
}

#[test]
fn words_of_a_shell_are_quoted() {
    assert_eq!(["a.py", "", "it's", "a b"].map(plain::quote), ["a.py", "''", r"'it'\''s'", "'a b'"]);
}
