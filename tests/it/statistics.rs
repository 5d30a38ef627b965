//! Statistics over the runs of a fan-out, and over the rows behind a share: through the command line.

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline statistics
edition 2026

metrics Evaluation {
  auc:    ratio higher
  recall: ratio higher n from "/n"
}

source scores: File = "scores.txt"

stage evaluate for seed in 1..5 {
  in  scores
  out report: Metrics<Evaluation> = "out/{seed}.json"
  run <<<
    value=$(sed -n "${seed}p" "$scores")
    echo "{\"auc\": $value, \"recall\": 0.9, \"n\": 100}" > "$report"
  >>>
}

gate quality on evaluate[*].report {
  REQUIREMENTS
}
"#;

fn sandbox(requirements: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("pipeline.mlp", &PIPELINE.replace("REQUIREMENTS", requirements));
    sandbox.file("scores.txt", "0.912\n0.905\n0.921\n0.899\n0.915\n");
    sandbox
}

fn lines(sandbox: &Sandbox) -> Vec<(f64, String)> {
    let text = sandbox.read(".mlpc/gates/quality/gate_report.json");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let lines = report["requirements"].as_array().expect("lines").iter().map(|line| {
        let verdict = line["verdict"].as_str().expect("a verdict").to_owned();
        (line["value"].as_f64().unwrap_or(f64::NAN), verdict)
    });
    lines.collect()
}

#[test]
fn the_bound_and_not_the_point_has_to_hold() {
    let sandbox = sandbox(
        "require mean(auc) >= 0.91\n  require lower(auc, 95%) >= 0.9\n  warn lower(auc, 95%) >= 0.905\n  \
         require stddev(auc) <= 0.01\n  require upper(auc, 95%) <= 0.95\n  warn ci(auc, 95%) <= 1%",
    );
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 0, "{run:?}");
    let found = lines(&sandbox);
    // scipy: tests/fixtures/stats/reference.json
    let wanted = [0.9104, 0.90224, 0.90224, 0.00856, 0.91856, 0.010628];
    for ((value, _), wanted) in found.iter().zip(wanted) {
        assert!((value - wanted).abs() < 1e-4, "{value} is not {wanted}");
    }
    let verdicts: Vec<_> = found.iter().map(|(_, verdict)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["pass", "pass", "warn", "pass", "pass", "warn"]);
    let verify = sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]);
    assert_eq!(verify.code, 0, "{verify:?}");
}

#[test]
fn a_run_that_is_missing_is_never_left_out_of_the_mean() {
    let sandbox = sandbox("require mean(auc) >= 0.1");
    sandbox.file("scores.txt", "0.912\n0.905\nNaN\n0.899\n0.915\n");
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 11, "{run:?}");
    assert_eq!(lines(&sandbox)[0].1, "error");
}

#[test]
fn what_has_no_sample_behind_it_is_no_bound() {
    for (from, to, words) in [
        ("evaluate[*]", "evaluate[1]", "`mean(auc)` needs a sample, and one number is none"),
        ("1..5", "1..2", "2 runs say nothing about their spread"),
        ("mean(auc)", "lower(auc)", "`lower` takes a metric and a level"),
        ("mean(auc)", "lower(auc, 5%)", "a level lies between 50% and 100%"),
        ("mean(auc)", "auc", "`auc` is measured by 5 legs"),
    ] {
        let sandbox = sandbox("require mean(auc) >= 0.1");
        sandbox.edit("pipeline.mlp", from, to);
        let check = sandbox.mlpc(&["check"]);
        assert_eq!(check.code, 2, "{words}");
        let said = check.stdout + &check.stderr;
        assert!(said.contains(words), "{words}:\n{said}");
    }
}

#[test]
fn a_share_with_its_rows_has_wilsons_bound() {
    let sandbox = sandbox("require lower(recall, 95%) >= 0.83\n  warn lower(recall, 95%) >= 0.85");
    sandbox.edit("pipeline.mlp", "evaluate[*]", "evaluate[1]");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let found = lines(&sandbox);
    // statsmodels: 90 of 100, one-sided at 95 %
    assert!((found[0].0 - 0.8390).abs() < 1e-3, "{found:?}");
    assert_eq!((found[0].1.as_str(), found[1].1.as_str()), ("pass", "warn"));
}
