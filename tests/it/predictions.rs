//! Metrics that mlpc computes from predictions: what is refused before the run, and what a run decides, through the command
//! line.

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline scored
edition 2026

source rows:   File = "rows.csv"
source choice: File = "choice.txt"
registry models = directory("registry")

stage train {
  in  choice
  out model: Model = "out/model"
  run <<< cp "$choice" "$model" >>>
}

stage evaluate {
  in  model = train.model, rows
  out scores: Predictions { id: "row", label: "y", score: "p" } of model over rows as test = "out/scores.csv"
  run <<<
    awk -F, -v column="$(cat "$model")" 'NR == 1 { print "row,y,p,region"; next } { print $1 "," $2 "," $column "," $5 }' "$rows" > "$scores"
  >>>
}

gate quality on evaluate.scores {
  baseline models@production
  on no_baseline: pass
  REQUIREMENTS
}

register release = train.model to models after quality
promote  current = release to models@production
"#;

/// Column 3 of the rows is a good model's score, column 4 a poor one's.
fn sandbox(requirements: &str) -> Sandbox {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/stats/predictions.json")).expect("JSON");
    let mut rows = "row,y,good,poor,region\n".to_owned();
    for row in reference["rows"].as_array().expect("rows") {
        let text = |index: usize| row[index].as_str().expect("a text");
        rows += &format!("{},{},{},{},{}\n", text(0), row[1], row[2], row[3], text(4));
    }
    let sandbox = Sandbox::new();
    sandbox.file("pipeline.mlp", &PIPELINE.replace("REQUIREMENTS", requirements));
    sandbox.file("rows.csv", &rows).file("choice.txt", "4\n");
    sandbox
}

fn report(sandbox: &Sandbox) -> serde_json::Value {
    serde_json::from_str(&sandbox.read(".mlpc/gates/quality/gate_report.json")).expect("JSON")
}

/// Undoes the line breaks of a terminal.
fn flat(said: &str) -> String {
    said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn a_better_model_passes_its_tests_and_a_worse_one_does_not() {
    let sandbox = sandbox(
        "require gap(recall by region) <= 20%\n  require upper(regression(auc_roc), 95%) <= 1%\n  \
         require lower(gain(f1), 95%) > 0\n  require mcnemar(accuracy) < 5%",
    );
    let first = sandbox.mlpc(&["run"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(report(&sandbox)["requirements"][1]["verdict"], "passed_over");
    sandbox.file("choice.txt", "3\n");
    let better = sandbox.mlpc(&["run"]);
    assert_eq!(better.code, 0, "{better:?}");
    assert!(
        better.stdout.contains("nord 0.8358208955223880 (n 134)") || better.stdout.contains("nord 0.8358"),
        "{}",
        better.stdout
    );
    let kept = sandbox.read(".mlpc/gates/quality/gate_report.json");
    assert!(report(&sandbox)["seed"].is_u64(), "{kept}");
    let again = sandbox.mlpc(&["gate", "quality", "--format", "json"]);
    assert_eq!((again.code, again.stdout), (0, kept.clone()), "the same bytes by the verb alone");
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code, 0);

    sandbox.file("choice.txt", "4\n");
    let worse = sandbox.mlpc(&["run"]);
    assert_eq!(worse.code, 10, "{worse:?}");
    let verdicts: Vec<_> = report(&sandbox)["requirements"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["pass", "fail", "fail", "fail"], "{}", worse.stdout);
    let markdown = sandbox.mlpc(&["gate", "quality", "--format", "markdown"]).stdout;
    assert!(markdown.contains("- `require gap(recall by region) <= 20%`: nord"), "{markdown}");
}

#[test]
fn a_report_is_as_its_schema_says() {
    let sandbox = sandbox("require equalised_odds(region, groups: [\"nord\", \"syd\"]) <= 20%");
    sandbox.edit("pipeline.mlp", "  baseline models@production\n  on no_baseline: pass\n", "");
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 0, "{run:?}");
    let schema: serde_json::Value = serde_json::from_str(mlpc::gate::SCHEMA).expect("a schema");
    let known = schema["$defs"]["part"]["properties"].as_object().expect("properties");
    let report = report(&sandbox);
    let parts = report["requirements"][0]["parts"].as_array().expect("parts");
    assert_eq!(parts.len(), 4);
    for part in parts {
        assert!(part.as_object().expect("a part").keys().all(|key| known.contains_key(key)), "{part}");
        assert!(part["n"].as_u64().is_some_and(|n| n > 30), "{part}");
    }
    assert_eq!(report["seed"], serde_json::Value::Null);
}

#[test]
fn a_column_that_the_type_names_is_looked_for_when_the_stage_ends() {
    let sandbox = sandbox("require regression(auc_roc) <= 1%");
    sandbox.edit("pipeline.mlp", "score: \"p\"", "score: \"probability\"");
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 1, "{run:?}");
    let said = run.stdout + &run.stderr;
    assert!(
        said.contains("has no column `probability`, where its type wants the score; it has `row`, `y`, `p`"),
        "{said}"
    );
}

#[test]
fn what_can_not_be_decided_is_refused_before_the_run() {
    let good = "require upper(regression(auc_roc), 95%) <= 1%";
    for (line, words) in [
        ("require gap(recall) <= 5%", "`gap` goes by group, and no column says which there are"),
        ("require gap(recall by region, groups: [\"nord\"]) <= 5%", "`nord` alone is nothing to hold against"),
        ("require gap(recall by region, groups: [\"a\", \"a\"]) <= 5%", "the group `a` is listed twice"),
        ("require gap(recall by region, grups: [\"a\", \"b\"]) <= 5%", "did you mean `groups`?"),
        ("require ratio(recall by region) >= 80", "`80` is not in the range of a ratio"),
        ("require gap(auc by region) <= 5%", "here it is called `auc_roc`"),
        ("require recall by region >= 5%", ""),
        ("require equalised_odds(recall by region) <= 5%", "`equalised_odds` says by itself what it looks at"),
        ("require gain(recall) >= 0", "`gain` stands in a bound alone"),
        ("require upper(improvement(recall), 95%) <= 1%", "in a bound the word is `gain`"),
        ("require upper(regression(recall, absolute), 95%) <= 1%", "`regression` takes a metric"),
        ("require lower(regression(recall), 95%) <= 1%", "a lower bound proves that a value is at least something"),
        ("require upper(gain(recall), 95%) > 0", "an upper bound proves that a value is at most something"),
        ("require mcnemar(accuracy) >= 5%", "a large p-value proves nothing"),
        ("require mcnemar(auc_roc) < 5%", "`mcnemar` does not compare `auc_roc`"),
        ("require regression(selection_rate) <= 5%", "neither more nor less of `selection_rate` is better"),
        ("require ci(regression(recall), 95%) <= 5%", "`ci` is not of a difference"),
        ("require stddev(recall) <= 5%", "needs a sample, and one number is none"),
        ("require parity(recall) <= 5%", "nothing measures `parity`"),
    ] {
        let sandbox = sandbox(&format!("{good}\n  {line}"));
        let check = sandbox.mlpc(&["check"]);
        let said = check.stdout + &check.stderr;
        assert_eq!(check.code, 2, "{line}:\n{said}");
        assert!(flat(&said).contains(words), "{line}:\n{said}");
    }
    assert_eq!(sandbox(good).mlpc(&["check"]).code, 0);
}

#[test]
fn a_type_says_what_its_metrics_are_computed_of() {
    for (settings, line, words) in [
        ("{ id: \"row\", label: \"y\", score: \"y\" }", "", "the column `y` can't be two things"),
        ("{ id: \"row\", label: \"y\", score: \"p\", threshhold: 0.4 }", "", "did you mean `threshold`?"),
        ("{ id: \"row\", label: \"y\", threshold: 0.4 }", "", "a threshold is of a score, and none is named"),
        (
            "{ id: \"row\", label: \"y\", score: \"p\", prediction: \"c\", threshold: 0.4 }",
            "",
            "`prediction` says already what was decided",
        ),
        ("{ label: \"y\", score: \"p\" }", "", "no column that says which row is which"),
        ("{ id: \"row\", score: \"p\" }", "", "`auc_roc` is computed of the label"),
        ("{ id: \"row\", label: \"y\", prediction: \"c\" }", "", "`auc_roc` is computed of the score"),
        ("{ id: \"row\", label: \"y\", score: \"p\" }", "require brier <= 0.2", ""),
    ] {
        let sandbox = sandbox(&format!("require upper(regression(auc_roc), 95%) <= 1%\n  {line}"));
        sandbox.edit("pipeline.mlp", "{ id: \"row\", label: \"y\", score: \"p\" }", settings);
        let check = sandbox.mlpc(&["check"]);
        let said = check.stdout + &check.stderr;
        assert_eq!(check.code, if words.is_empty() { 0 } else { 2 }, "{settings}:\n{said}");
        assert!(flat(&said).contains(words), "{settings}:\n{said}");
    }
}

#[test]
fn a_recorded_baseline_has_no_predictions() {
    let sandbox = sandbox("require upper(regression(auc_roc), 95%) <= 1%");
    sandbox.edit("pipeline.mlp", "baseline models@production", "baseline models@production recorded");
    let check = sandbox.mlpc(&["check"]);
    let said = check.stdout + &check.stderr;
    assert_eq!(check.code, 2, "{said}");
    assert!(said.contains("predictions are not kept with a release"), "{said}");
}

#[test]
fn a_version_keeps_what_its_gates_computed_of_predictions() {
    let sandbox = sandbox(
        "require auc_roc >= 0.5\n  warn auc_roc >= 0.99\n  require lower(auc_roc, 95%) >= 0.5\n  \
         require gap(recall by region) <= 90%\n  require regression(accuracy) <= 50%",
    );
    let first = sandbox.mlpc(&["run"]);
    assert_eq!(first.code, 0, "{first:?}");
    let show = |arguments: &[&str]| {
        let ended = sandbox.mlpc(&[&["registry", "show", "models"], arguments].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout
    };
    let told = show(&[]);
    let of = "(gate quality, of evaluate.scores)";
    let line = |name: &str| told.lines().any(|line| line.contains(&format!("{name} 0.")) && line.ends_with(of));
    assert!(line("measured  auc_roc") && line("lower(auc_roc, 95%)"), "{told}");
    assert!(!told.contains("recall") && !told.contains("metrics"), "{told}");
    let json: serde_json::Value = serde_json::from_str(&show(&["--format", "json"])).expect("JSON");
    let report = report(&sandbox);
    let numbers = json["pointers"][0]["numbers"].as_array().expect("numbers");
    let number = &numbers[0];
    assert_eq!(number["value"], report["requirements"][0]["candidate"]);
    for (kept, said) in [("digest", "digest"), ("over_digest", "over_digest"), ("split", "split")] {
        assert_eq!(number[kept], report["evidence"][0][said], "{kept}: {number}");
        assert!(number[kept].is_string(), "{kept}: {number}");
    }
    assert_eq!((&number["gate"], &number["predictions"]), (&"quality".into(), &"evaluate.scores".into()));
    // A regression is of two models: its candidate's own number is the model's, and what it came to is not.
    let names: Vec<_> = numbers.iter().map(|number| number["metric"].as_str().expect("a name")).collect();
    assert!(!names.iter().any(|name| name.contains("regression")), "{names:?}");
    // A better model: the run's own number moved, and the baseline is scored as ever.
    sandbox.file("choice.txt", "3\n");
    let better = sandbox.mlpc(&["run"]);
    assert_eq!(better.code, 0, "{better:?}");
    let diff = sandbox.mlpc(&["diff", "--format", "json"]);
    let diff: serde_json::Value = serde_json::from_str(&diff.stdout).expect("JSON");
    let metric = |name: &str| {
        let all = diff["metrics"].as_array().expect("metrics");
        all.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("no {name}: {diff}")).clone()
    };
    for name in ["evaluate.scores.auc_roc", "evaluate.scores.lower(auc_roc, 95%)"] {
        assert_eq!(metric(name)["turn"], "better", "{diff}");
    }
    let report = self::report(&sandbox);
    assert_eq!(
        (&report["baseline"]["state"], &report["baseline"]["recorded"]),
        (&"scored".into(), &serde_json::json!([]))
    );
    // The record is sealed, and the pointer names its digest: a number that was edited is damage.
    let version = json["pointers"][0]["version"].as_str().expect("a version");
    let path = format!("registry/versions/{version}/metadata.json");
    let text = sandbox.read(&path);
    let value = number["value"].to_string();
    assert!(text.contains(&value), "{text}");
    sandbox.file(&path, &text.replacen(&value, "0.9999", 1));
    let fsck = sandbox.mlpc(&["registry", "fsck", "models"]);
    assert_ne!(fsck.code, 0, "{fsck:?}");
}

#[test]
fn who_registers_predictions_as_metrics_is_told_that_it_happens_by_itself() {
    let sandbox = sandbox("require auc_roc >= 0.5");
    let text = sandbox.read("pipeline.mlp").replace("after quality", "after quality { metrics: evaluate.scores }");
    sandbox.file("pipeline.mlp", &text);
    let checked = sandbox.mlpc(&["check"]);
    assert_eq!(checked.code, 2, "{checked:?}");
    let help = "leave it out: the version keeps what its gates compute of predictions by itself";
    assert!(flat(&checked.stderr).contains(help), "{checked:?}");
}
