//! `cargo bench --bench bootstrap`: what a gate's bounds cost over 100,000 rows of both models' predictions, each the best of three.
//! `-- ROWS` takes another number of rows.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use mlpc::gate::{
    self, About, Baseline, BaselineEvidence, Bound, Champion, Compare, Evidence, Facts, Found, Gate, Level, Measure,
    MetricRef, OnMissing, Requirement, kinds,
};
use mlpc::types::{Artifact, Expr, Origin, PredictionsType, Type, Value};

/// Two models, of which one sees a little more.
fn predictions(rows: u32, blur: f64) -> String {
    let mut text = String::from("row,y,p\n");
    for row in 0..rows {
        let noise = f64::from(row.wrapping_mul(2_654_435_761) % 1_000) / 1_000.0;
        let label = row % 3 == 0;
        let score = (if label { 0.6 } else { 0.4 }) * (1.0 - blur) + noise * blur;
        writeln!(text, "{row},{},{score}", u8::from(label)).expect("a text takes all");
    }
    text
}

fn gate(requirements: Vec<Requirement>) -> Gate {
    let ty = PredictionsType {
        id: Some("row".into()),
        label: Some("y".into()),
        score: Some("p".into()),
        ..PredictionsType::default()
    };
    let evidence = Evidence {
        alias: None,
        origin: Origin::output("evaluate", "scores"),
        path: "scores.csv".into(),
        ty: Artifact::Predictions(ty),
        of: None,
        over: None,
        split: None,
        list: None,
    };
    let scored = BaselineEvidence { evidence: 0, origin: Origin::output("again", "scores"), path: "again.csv".into() };
    let baseline = Baseline {
        registry: "models".into(),
        pointer: "production".into(),
        recorded: false,
        on_absent: OnMissing::Fail,
        on_unscorable: OnMissing::Error,
        evidence: vec![scored],
    };
    Gate { evidence: vec![evidence], admits: vec![], baseline: Some(baseline), requirements }
}

fn upper(metric: &str, relative: bool) -> Requirement {
    let mut options = BTreeMap::from([
        ("level".to_owned(), Value::Ratio(0.95)),
        ("of".to_owned(), Value::String("regression".to_owned())),
    ]);
    if relative {
        options.insert("relative".to_owned(), Value::Bool(true));
    }
    let ty = kinds::find("upper").map_or(Type::Bool, |kind| kind.result(None, &options));
    let metric = Some(MetricRef { evidence: 0, name: metric.into() });
    let measure = Measure { kind: "upper".into(), metric, artifact: None, table: None, groups: None, options, ty };
    let bound = Bound::Compare { op: Compare::AtMost, limit: Expr::Value(Value::Float(1.0)) };
    Requirement { level: Level::Require, text: String::new(), measure, bound }
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let rows: u32 = asked.unwrap_or(100_000);
    let (mine, theirs) = (predictions(rows, 0.5), predictions(rows, 0.8));
    println!("{rows} rows, {} threads\n", std::thread::available_parallelism().map_or(1, usize::from));
    println!("| bound | ms, best |\n|---|---:|");
    for (metric, relative) in
        [("recall", false), ("brier", false), ("auc_roc", false), ("recall", true), ("brier", true), ("auc_roc", true)]
    {
        let gate = gate(vec![upper(metric, relative)]);
        let read = |text: &str| BTreeMap::from([(0, gate::read_predictions(&gate, 0, &mut text.as_bytes()))]);
        let found = |digest: &str| Found::Present { bytes: vec![], size: 1, digest: digest.into() };
        let champion = Champion::Known {
            version: "v1".into(),
            digest: "blake3:old".into(),
            scored: Ok(vec![found("blake3:b")]),
            recorded: BTreeMap::new(),
            machines: BTreeMap::new(),
        };
        let facts = Facts {
            evidence: vec![found("blake3:a")],
            predictions: read(&mine),
            baseline_predictions: read(&theirs),
            champion: Some(champion),
            ..Facts::default()
        };
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            let report = gate::evaluate(&gate, &[], &facts, &About::default());
            assert!(report.requirements[0].value.is_some(), "{}", report.reason);
            best = best.min(start.elapsed());
        }
        let relative = if relative { ", relative" } else { "" };
        println!("| `upper(regression({metric}{relative}), 95%)` | {} |", best.as_millis());
    }
}
