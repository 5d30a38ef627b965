//! `comment` of `on pull_request`: what may be named, and what a pull request is told, first and again, of gates that are red and of jobs
//! that never ran. GitHub's API is a program of that name which notes what it is asked; its answers have the shape of GitHub's own.

use mlpc::compile::check_file;
use mlpc::source::{FileId, Sources};
use serde_json::{Value, json};

use crate::played::Played;

const DECLARED: &str = r#"pipeline p
edition 2026
metrics Scores { auc: ratio higher }
const sites = ["nord", "syd"]
param full: bool = false
source raw: Dataset<csv> = "raw.csv"
stage train { in raw   out model: Model<pickle> = "m.pkl"   run <<< make "$raw" "$model" >>> }
stage evaluate {
  in  model = train.model
  out report: Metrics<Scores> of model = "r.json"
  out roc:    Plot   = "roc.csv"
  out page:   Report = "page.md"
  run <<< score "$model" "$report" "$roc" "$page" >>>
}
stage look for site in sites { in raw   out plot: Plot = "{site}.csv"   run <<< look "$raw" "$plot" >>> }
gate quality on evaluate.report { require auc >= 80% }
gate each for site in sites on look[site].plot { require size(look[site].plot) <= 1MB }
stage later when full { in model = train.model   use full   out plot: Plot = "l.csv"   run <<< look "$model" "$plot" "$full" >>> }
stage behind { in plot = later.plot   out page: Report = "b.md"   run <<< look "$plot" "$page" >>> }
profile whole { set full = true }
"#;

/// Returns what is said of a pipeline whose pull requests are told this: code, message, help.
fn told(fields: &str) -> Vec<String> {
    let text = format!("{DECLARED}on pull_request {{ {fields} }}\n");
    let sources = Sources::single("p.mlp", text);
    let said = check_file(&sources, FileId(0)).diagnostics;
    let line = |one: &mlpc::diagnostic::Diagnostic| {
        let at = &sources.file(one.span().file).text()[one.span().range()];
        format!("{} [{at}] {} | {}", one.code.name(), one.message, one.help.as_deref().unwrap_or_default())
    };
    said.iter().map(line).collect()
}

#[test]
fn gates_plots_and_reports_are_shown_and_nothing_else() {
    assert_eq!(told("comment: [quality, evaluate.roc, evaluate.page, each[*], each[\"x\"]]").len(), 1);
    for well in [
        "comment: quality",
        "comment: [quality, evaluate.roc, evaluate.page]",
        "comment: [each[*], look[\"nord\"].plot]",
        "profile: whole, comment: [later.plot, behind.page]",
    ] {
        assert_eq!(told(well), [""; 0], "{well}");
    }
    let takes = "name a gate, or an output of type `Plot` or `Report`";
    let cases = [
        ("comment: [qualty]", "unknown-name [qualty] no gate `qualty` | did you mean `quality`?".to_owned()),
        (
            "comment: [evaluate.rok]",
            "unknown-name [rok] the stage `evaluate` has no output `rok` | did you mean `roc`?".to_owned(),
        ),
        (
            "comment: [evaluate]",
            "wrong-kind [evaluate] `evaluate` is a stage, and a comment shows what it makes | write `evaluate.roc`"
                .to_owned(),
        ),
        (
            "comment: [train.model]",
            format!("wrong-kind [train.model] `train.model` is of type `Model<pickle>`, which a comment does not show | {takes}"),
        ),
        ("comment: [raw]", "wrong-kind [raw] `raw` is a source, not a gate | ".to_owned()),
        ("comment: [\"quality\"]", format!("wrong-kind [\"quality\"] `\"quality\"` is nothing that a comment shows | {takes}")),
        ("comment: []", format!("missing-clause [[]] the comment shows nothing | {takes}; or leave `comment` out")),
        ("comment: [quality, quality]", "duplicate-clause [quality] `quality` is shown twice | keep one".to_owned()),
        ("coment: [quality]", "unknown-field [coment] `on pull_request` has no field `coment` | did you mean `comment`?".to_owned()),
        (
            "comment: [each]",
            "missing-index [each] `each` is a loop over `site`: this does not say which leg | write `each[\"nord\"]` for one, or `each[*]` for all".to_owned(),
        ),
        (
            "comment: [later.plot]",
            "comment-of-nothing [later.plot] no run of a pull request comes to `later`, whose `when` is false there | leave it out of `comment`, or change when it runs".to_owned(),
        ),
        (
            "comment: behind.page",
            "comment-of-nothing [behind.page] no run of a pull request comes to `behind`: it waits for `later`, whose `when` is false there | leave it out of `comment`, or change when it runs".to_owned(),
        ),
    ];
    for (fields, said) in cases {
        assert_eq!(told(fields), [said], "{fields}");
    }
}

/// A model, its gate against production, what is drawn of it, and a stage that only a good model gets to.
const PIPELINE: &str = r#"pipeline p
edition 2026
on push         { branches: ["main"] }
on pull_request { branches: ["main"], comment: [quality, late.page, look.roc, look.cells, look.notes] }
registry models = git("mlpc-registry")
metrics Scores { auc: ratio higher }

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
stage evaluate {
  in  model = train.model
  out report: Metrics<Scores> of model = "out/report.json"
  run <<< cp "$model" "$report" >>>
}
gate quality on evaluate.report {
  baseline models@production
  on no_baseline: pass
  require auc >= 0.8
  require regression(auc) <= 0.05
}
stage look {
  in  model = train.model
  out roc:   Plot   = "out/roc.csv"
  out cells: Plot   = "out/cells.csv"
  out notes: Report = "out/notes.md"
  run <<<
    printf 'fpr,tpr\n0,0\n0.1,0.8\n1,1\n' > "$roc"
    printf 'actual,predicted,count\n0,0,9\n0,1,1\n1,1,5\n' > "$cells"
    printf '# Notes of @alice\n```\n' > "$notes"
  >>>
}
stage late after quality { in model = train.model   out page: Report = "out/late.md"   run <<< cp "$model" "$page" >>> }
register release = train.model to models after quality
promote current = release to models@production
target github { install: "preinstalled" }
"#;

/// Notes each call, lists what stands in `comments.json`, and keeps what is posted; refuses where `refuses` is.
const GH: &str = r#"#!/bin/sh
work="$HOME/../work"
test "$GH_TOKEN" = t || { echo "gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable." >&2; exit 4; }
echo "$*" >> "$work/calls"
case "$*" in
  *--paginate*) cat "$work/comments.json" ;;
  *) cat > "$work/body.json"
     if test -e "$work/refuses"; then echo "gh: Resource not accessible by integration (HTTP 403)" >&2; exit 1; fi
     echo '{"id": 12}' ;;
esac
"#;

fn event(repository: Value, sha: &str) -> String {
    let event = json!({
        "action": "synchronize",
        "number": 7,
        "pull_request": { "number": 7, "head": { "ref": "topic", "sha": sha, "repo": repository }, "base": { "ref": "main" } },
        "repository": { "full_name": "a/b", "default_branch": "main" },
    });
    event.to_string()
}

/// A repository whose production is a model of 0.9, at a pull request.
fn requested(weights: &str) -> Played {
    let mut played = Played::new(&[("p.mlp", PIPELINE), ("weights", "{\"auc\": 0.9}\n")]);
    played.sandbox.file("bin/gh", GH).file("comments.json", "[]").file("calls", "");
    played.play(None);
    assert_eq!((played.result("current"), played.result("comment")), ("success", "skipped"), "{:?}", played.said);
    played.event = "pull_request";
    played.change("weights", weights);
    played.sandbox.file("event.json", &event(json!({ "full_name": "a/b" }), "0123456789abcdef"));
    played
}

fn calls(played: &Played) -> Vec<String> {
    let calls = played.sandbox.read("calls").lines().map(str::to_owned).collect();
    played.sandbox.file("calls", "");
    calls
}

/// Returns the text of the comment that was posted last.
fn body(played: &Played) -> String {
    let body: Value = serde_json::from_str(&played.sandbox.read("body.json")).expect("what is posted is JSON");
    body["body"].as_str().expect("it has a text").to_owned()
}

fn again(played: &mut Played) {
    let job = played.workflow()["jobs"]["comment"].clone();
    played.job("comment", &job, None);
}

const LIST: &str = "api --paginate repos/a/b/issues/7/comments?per_page=100";
const NEW: &str = "api --method POST repos/a/b/issues/7/comments --input -";

#[test]
fn a_red_gate_is_shown_beside_what_production_has_and_what_never_ran_is_said() {
    let mut played = requested("{\"auc\": 0.7}\n");
    played.play(None);
    let results = ["quality", "late", "verdict", "comment"].map(|job| played.result(job).to_owned());
    assert_eq!(results, ["failure", "skipped", "failure", "success"], "{:?}", played.said);
    assert_eq!(calls(&played), [LIST, NEW]);
    let text = body(&played);
    let candidate = text.lines().find(|line| line.starts_with("Candidate: ")).expect("its digest").to_owned();
    let version = text.split("`models@production`, `").nth(1).and_then(|rest| rest.split('`').next()).expect("it");
    insta::assert_snapshot!(text.replace(&candidate, "Candidate: …").replace(version, "…"));
    // The log and the command lines hold none of it; the summary does.
    assert!(!played.said["comment"].contains("0.7"), "{}", played.said["comment"]);
    assert_eq!(played.sandbox.read("jobs/comment/temp/summary"), text);
    // Without a platform it is written out: the same, but for what the platform alone knows.
    let line = "cd jobs/comment/code; plan=$(sed -n 's/^# plan: //p' .github/workflows/p.yml)
                mlpc exec --comment --plan $plan --event pull_request --in ../temp/mlpc/in --run github-3";
    let ended = played.sandbox.shell(line);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("#### `look.cells`\n\n| actual"), "{ended:?}");
    let played_again = body(&played);
    again(&mut played);
    assert_eq!(body(&played), played_again, "the same run gives the same bytes");
}

#[test]
fn the_next_push_brings_the_same_comment_up_to_date_and_nobody_elses() {
    let mut played = requested("{\"auc\": 0.95}\n");
    played.play(None);
    assert_eq!(calls(&played), [LIST, NEW]);
    let text = body(&played);
    assert!(text.starts_with("<!-- mlpc: p -->\n### `p`: ✅ `quality` pass\n\nCommit `0123456789`, "), "{text}");
    assert!(text.contains("| 0.95 | 0.9 | +0.05, better |"), "{text}");
    assert!(text.contains("#### `late.page`\n\n<details>"), "{text}");
    let user = |login: &str| json!({ "login": login, "id": 1, "type": "User" });
    let first = json!([
        { "id": 10, "body": text, "user": user("mallory") },
        { "id": 11, "body": format!("> {text}"), "user": user("github-actions[bot]") },
    ]);
    let second = json!([{ "id": 12, "body": text, "user": user("github-actions[bot]") }]);
    played.sandbox.file("comments.json", &format!("{first}{second}"));
    played.change("weights", "{\"auc\": 0.91}\n");
    played.play(None);
    assert_eq!(calls(&played), [LIST, "api --method PATCH repos/a/b/issues/comments/12 --input -"]);
    assert!(body(&played).contains("| 0.91 | 0.9 | +0.01, better |"), "{}", body(&played));
    // Without its own there, a new one.
    played.sandbox.file("comments.json", &first.to_string());
    again(&mut played);
    assert_eq!(calls(&played), [LIST, NEW]);
}

#[test]
fn a_token_that_may_only_read_leaves_it_at_the_summary_and_any_other_refusal_is_red() {
    let mut played = requested("{\"auc\": 0.95}\n");
    played.sandbox.file("refuses", "");
    played.play(None);
    assert_eq!((played.result("comment"), played.result("verdict")), ("failure", "success"), "{:?}", played.said);
    let said = &played.said["comment"];
    assert!(said.contains("could not be written: gh: Resource not accessible by integration (HTTP 403)"), "{said}");
    assert!(said.contains("help: let the job have `pull-requests: write`"), "{said}");
    assert!(played.sandbox.read("jobs/comment/temp/summary").contains("`quality` pass"));
    calls(&played);
    for (repository, actor, why) in [
        (json!({ "full_name": "mallory/b" }), "mallory", "from a fork"),
        (Value::Null, "alice", "from a fork"),
        (json!({ "full_name": "a/b" }), "dependabot[bot]", "from Dependabot"),
    ] {
        played.sandbox.file("event.json", &event(repository, "0123456789abcdef"));
        played.actor = actor;
        again(&mut played);
        assert_eq!(played.result("comment"), "success", "{:?}", played.said["comment"]);
        let said = &played.said["comment"];
        assert!(said.contains("::notice title=comment::") && said.contains(why), "{said}");
        assert_eq!(calls(&played), [""; 0]);
        assert!(played.sandbox.read("jobs/comment/temp/summary").contains("`quality` pass"));
    }
}

#[test]
fn what_did_not_arrive_is_said_and_what_is_not_what_was_handed_on_is_shown_to_nobody() {
    let mut played = requested("{\"auc\": 0.95}\n");
    played.play(None);
    calls(&played);
    let artifact = played.needs["look"]["outputs"]["artifact"].as_str().expect("a name").to_owned();
    let kept = format!("art/{artifact}");
    let moved = played.sandbox.shell(&format!("mv {kept} away"));
    assert_eq!(moved.code, 0, "{moved:?}");
    again(&mut played);
    assert_eq!(played.result("comment"), "success", "{:?}", played.said["comment"]);
    assert!(body(&played).contains("#### `look.roc`\n\nNot there: what its job handed on did not arrive.\n"));
    let moved = played.sandbox.shell(&format!("mv away {kept}; echo 0,1 >> {kept}/files/roc"));
    assert_eq!(moved.code, 0, "{moved:?}");
    calls(&played);
    again(&mut played);
    assert_eq!((played.result("comment"), calls(&played).len()), ("failure", 0), "{:?}", played.said["comment"]);
    assert!(played.said["comment"].contains("arrived with another digest"), "{}", played.said["comment"]);
}
