//! The mistakes of published pipelines: each has a fixture, and what is said of it, at which place, is one row of a table.
//!
//! `cargo test --test it mistakes -- --nocapture` prints the table.

use crate::sandbox::{Ended, Sandbox, repository};

/// What the number is of, and the code that a check gives; none where only a run can tell.
const MISTAKES: [(&str, &str, Option<&str>); 18] = [
    ("01-event-nobody-hears", "an event is emitted and nothing listens to it", Some("event-unheard")),
    ("02-file-from-nowhere", "a stage reads a file that nothing makes", Some("wrong-kind")),
    ("03-read-at-another-path", "an artifact is read at a path, not as an input", Some("undeclared-path")),
    ("04-output-never-written", "a declared output is never written", None),
    ("05-secret-never-used", "a secret is passed in and never used", Some("unused-name")),
    ("06-monitor-never-started", "no schedule ever starts a monitor", Some("monitor-never-started")),
    ("07-baseline-of-another-split", "a baseline was measured on other data", Some("recorded-not-frozen")),
    ("08-pointer-never-written", "a pointer is read and never written", Some("pointer-never-written")),
    ("09-parameter-never-used", "a parameter is offered and never used", Some("unused-name")),
    ("10-report-that-nobody-writes", "a report is kept that no stage writes", Some("unknown-name")),
    ("11-data-without-its-gate", "training does not wait for the gate on its data", None),
    ("12-endpoint-not-given", "a rollout's metrics endpoint is not given", Some("endpoint-missing")),
    ("13-dead-endpoint-promotes", "a dead metrics endpoint promotes", Some("syntax")),
    ("14-missing-metric", "a missing metric skips its gate", None),
    ("15-store-without-credential", "a store is read without a credential", Some("credential-missing")),
    ("16-no-baseline-on-the-first-run", "nothing says what a first run compares with", Some("no-baseline-unsaid")),
    ("17-random-arm", "a user without an id gets a random arm", Some("assignment-not-sticky")),
    ("18-version-for-the-same-bytes", "the same bytes become a second version", None),
];

#[test]
fn every_mistake_is_told_at_its_place() {
    let mut table = String::from("| | the mistake | told by | where |\n|---|---|---|---|\n");
    let mut wrong = String::new();
    for (case, what, code) in MISTAKES {
        let sandbox = Sandbox::new();
        let path = repository().join("tests/fixtures/mistakes").join(case).join("main.mlp");
        sandbox.file("main.mlp", &std::fs::read_to_string(path).expect("its pipeline"));
        let (told, place) = match code {
            Some(code) => {
                let ended = sandbox.mlpc(&["check", "--format", "json", "main.mlp"]);
                let found = told(&ended);
                if found.len() != 1 || found[0].0 != code || ended.code != 2 {
                    wrong += &format!("{case}: {found:?}, not `{code}` alone\n");
                }
                let place = found.first().map(|(_, place)| format!("`{case}/{place}`")).unwrap_or_default();
                (format!("`{code}`"), place)
            }
            None => at_run(case, &sandbox),
        };
        table += &format!("| {} | {what} | {told} | {place} |\n", &case[..2]);
    }
    #[allow(clippy::print_stdout, reason = "the command that shows the table")]
    {
        println!("{table}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    let page = repository().join("book/src/mistakes.md");
    let old = std::fs::read_to_string(&page).expect("the page");
    let mark = "## The table\n\n";
    let (before, kept) = old.split_once(mark).expect("the page has its table");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&page, format!("{before}{mark}{table}")).expect("the page is written");
    } else {
        assert_eq!(kept, table, "BLESS=1 cargo test mistakes");
    }
}

fn told(ended: &Ended) -> Vec<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(&ended.stdout).expect("`--format json` prints JSON");
    let list = value["diagnostics"].as_array().expect("a list").iter();
    let place = |one: &serde_json::Value| {
        let (file, start) = (&one["labels"][0]["file"], &one["labels"][0]["start"]);
        format!("{}:{}:{}", file.as_str().unwrap_or_default(), start["line"], start["column"])
    };
    list.map(|one| (one["code"].as_str().unwrap_or_default().to_owned(), place(one))).collect()
}

/// What only a run tells, and what can't be written any more.
fn at_run(case: &str, sandbox: &Sandbox) -> (String, String) {
    let clean = sandbox.mlpc(&["check", "main.mlp"]);
    assert_eq!(clean.code, 0, "{case}: {clean:#?}");
    match &case[..2] {
        "04" => {
            let ended = sandbox.mlpc(&["run"]);
            assert_eq!(ended.code, 1, "{ended:#?}");
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains("model.pkl"), "{said}");
            // Nothing was kept: it runs, and fails, again.
            assert_eq!(sandbox.mlpc(&["run"]).code, 1);
            ("the run, exit 1".into(), "the stage `train`; nothing is cached".into())
        }
        "11" => {
            let graph = sandbox.mlpc(&["graph", "--format", "text"]).stdout;
            let train = graph.split("train").nth(1).unwrap_or_default();
            assert!(train.contains("valid") && train.contains("guard"), "{graph}");
            ("can't be written".into(), "`train` waits for `valid` without saying so".into())
        }
        "14" => {
            let ended = sandbox.mlpc(&["run"]);
            assert_eq!(ended.code, 11, "{ended:#?}");
            assert!(!sandbox.path().join("registry/models").exists() && ended.stdout.contains("f1"), "{ended:#?}");
            ("the run, exit 11".into(), "the gate `quality`: `error`; nothing is registered".into())
        }
        _ => {
            assert_eq!(sandbox.mlpc(&["run"]).code, 0);
            let ended = sandbox.mlpc(&["run", "--force"]);
            assert_eq!(ended.code, 0, "{ended:#?}");
            assert!(ended.stdout.contains("already"), "{ended:#?}");
            ("can't happen".into(), "`release` finds the version by the model's digest".into())
        }
    }
}
