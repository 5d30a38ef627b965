//! Metrics that are computed from predictions: against scikit-learn, fairlearn, scipy, statsmodels and MLstatkit, whose values
//! `tests/fixtures/stats/predictions.py` wrote, and everything that must not pass.

use std::collections::BTreeMap;

use super::super::*;
use crate::types::{Artifact, Expr, Origin, PredictionsType, Value};

const REFERENCE: &str = include_str!("../../../tests/fixtures/stats/predictions.json");

fn reference() -> serde_json::Value {
    serde_json::from_str(REFERENCE).expect("JSON")
}

/// Writes the rows of the reference; column 2 is the candidate's score, 3 the baseline's.
fn csv(score: usize) -> String {
    let mut text = "row,y,p,region\n".to_owned();
    for row in reference()["rows"].as_array().expect("rows") {
        text += &format!(
            "{},{},{},{}\n",
            row[0].as_str().expect("an id"),
            row[1],
            row[score],
            row[4].as_str().expect("a region")
        );
    }
    text
}

struct Bench {
    gate: Gate,
    candidate: String,
    baseline: String,
}

fn bench() -> Bench {
    let ty = PredictionsType {
        id: Some("row".into()),
        label: Some("y".into()),
        score: Some("p".into()),
        ..PredictionsType::default()
    };
    let evidence = Evidence {
        alias: None,
        origin: Origin::output("evaluate", "scores"),
        path: "out/scores.csv".into(),
        ty: Artifact::Predictions(ty),
        of: Some(Origin::output("train", "model")),
        over: None,
        split: None,
        list: None,
    };
    let baseline = Baseline {
        registry: "models".into(),
        pointer: "production".into(),
        recorded: false,
        on_absent: OnMissing::Pass,
        on_unscorable: OnMissing::Error,
        evidence: vec![BaselineEvidence {
            evidence: 0,
            origin: Origin::output("evaluate@quality", "scores"),
            path: ".mlpc/baseline/quality/out/scores.csv".into(),
        }],
    };
    let gate = Gate { evidence: vec![evidence], admits: vec![], baseline: Some(baseline), requirements: vec![] };
    Bench { gate, candidate: csv(2), baseline: csv(3) }
}

/// A line: kind, metric, whether by region, options, comparison, limit.
type Line<'a> = (&'a str, &'a str, bool, &'a [(&'a str, Value)], Compare, f64);

impl Bench {
    fn line(mut self, (kind, metric, by, options, op, at): Line<'_>) -> Self {
        let options: BTreeMap<_, _> = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let subject = predicted::find(metric).expect(metric).ty();
        let listed = match options.get("groups") {
            Some(Value::List(names)) => names.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let ty = kinds::find(kind).expect(kind).result(Some(&subject), &options);
        self.gate.requirements.push(Requirement {
            level: Level::Require,
            text: format!("{kind} {metric} {} {at}", op.sign()),
            measure: Measure {
                kind: kind.into(),
                metric: Some(MetricRef { evidence: 0, name: metric.into() }),
                artifact: None,
                table: None,
                groups: by.then(|| Groups { column: "region".into(), listed }),
                options,
                ty,
            },
            bound: Bound::Compare { op, limit: Expr::Value(Value::Float(at)) },
        });
        self
    }

    fn report(&self) -> Report {
        let found = |text: &str| Found::Present {
            bytes: vec![],
            size: text.len() as u64,
            digest: blake3::hash(text.as_bytes()).to_string(),
        };
        let read = |text: &str| BTreeMap::from([(0, read_predictions(&self.gate, 0, &mut text.as_bytes()))]);
        let champion = Champion::Known {
            version: "v1".into(),
            digest: "blake3:old".into(),
            scored: Ok(vec![found(&self.baseline)]),
            recorded: BTreeMap::new(),
            machines: BTreeMap::new(),
        };
        let facts = Facts {
            evidence: vec![found(&self.candidate)],
            predictions: read(&self.candidate),
            baseline_predictions: read(&self.baseline),
            champion: Some(champion),
            ..Facts::default()
        };
        evaluate(&self.gate, &[], &facts, &About::default())
    }
}

fn level() -> (&'static str, Value) {
    ("level", Value::Ratio(0.95))
}

fn of(what: &str) -> (&'static str, Value) {
    ("of", Value::String(what.into()))
}

#[track_caller]
fn close(report: &Report, line: usize, wanted: &serde_json::Value, within: f64) {
    let (found, wanted) = (report.requirements[line].value.expect("a value"), wanted.as_f64().expect("a number"));
    assert!((found - wanted).abs() <= within, "{found} is not {wanted}: {}", report.requirements[line].reason);
}

#[test]
fn a_metric_of_predictions_is_a_metric() {
    let wanted = reference();
    let names: Vec<_> = predicted::all().map(|metric| metric.name).collect();
    let mut bench = bench();
    for name in &names {
        bench = bench.line(("metric", name, false, &[], Compare::AtLeast, 0.0));
    }
    for name in names.iter().filter(|name| **name != "selection_rate") {
        bench = bench.line(("regression", name, false, &[], Compare::AtMost, 1.0));
    }
    let report = bench.report();
    assert_eq!(report.verdict, Outcome::Pass, "{}", report.reason);
    assert_eq!(report.seed, None, "nothing was drawn");
    for (line, name) in names.iter().enumerate() {
        close(&report, line, &wanted["candidate"][name], 1e-12);
    }
    let lower = ["brier", "fpr", "log_loss"];
    for line in &report.requirements[names.len()..] {
        let name = line.text.split(' ').nth(1).expect("a name");
        let number = |which: &str| wanted[which][name].as_f64().expect("a number");
        let sign = if lower.contains(&name) { -1.0 } else { 1.0 };
        let regression = sign * (number("baseline") - number("candidate"));
        assert!((line.value.expect("a value") - regression).abs() < 1e-12, "{}", line.reason);
    }
}

#[test]
fn groups_are_compared_as_fairlearn_does() {
    let wanted = &reference()["by group"];
    let report = bench()
        .line(("ratio", "recall", true, &[], Compare::AtLeast, 0.8))
        .line(("gap", "recall", true, &[], Compare::AtMost, 0.12))
        .line(("gap", "precision", true, &[], Compare::AtMost, 0.2))
        .line(("gap", "auc_roc", true, &[], Compare::AtMost, 0.1))
        .line(("gap", "log_loss", true, &[], Compare::AtMost, 0.1))
        .line(("demographic_parity", "selection_rate", true, &[], Compare::AtMost, 0.2))
        .line(("equal_opportunity", "recall", true, &[], Compare::AtMost, 0.2))
        .line(("equalised_odds", "recall", true, &[], Compare::AtMost, 0.2))
        .report();
    assert_eq!(report.verdict, Outcome::Pass, "{}", report.reason);
    let names = [
        "recall ratio",
        "recall gap",
        "precision gap",
        "auc_roc gap",
        "log_loss gap",
        "demographic_parity",
        "equal_opportunity",
        "equalised_odds",
    ];
    for (line, name) in names.into_iter().enumerate() {
        close(&report, line, &wanted[name], 1e-12);
    }
    let parts = &report.requirements[1].parts;
    for part in parts {
        assert!((part.value.expect("a recall") - wanted["recall"][&part.name].as_f64().expect("one")).abs() < 1e-12);
    }
    assert_eq!(parts.iter().map(|part| part.n.expect("rows")).sum::<u64>(), 242, "the rows labelled 1");
    assert_eq!(
        report.requirements[1].reason,
        "`gap(recall by region)` is 0.11648267986296146, from 0.7567567567567568 of `vest` (n 37) to 0.8732394366197183 of \
         `syd` (n 71), and at most 0.12 is required"
    );
    let names: Vec<_> = report.requirements[7].parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names[2..4], ["recall of vest", "fpr of nord"]);
}

#[test]
fn a_gap_too_wide_fails_and_names_both_ends() {
    let report = bench().line(("gap", "recall", true, &[], Compare::AtMost, 0.1)).report();
    assert_eq!(report.verdict, Outcome::Fail);
    let verdicts: Vec<_> = report.requirements[0].parts.iter().map(|part| part.verdict).collect();
    assert_eq!(verdicts, [Outcome::Pass, Outcome::Fail, Outcome::Fail]);
    assert!(report.reason.ends_with("but at most 0.1 is required"), "{}", report.reason);
}

#[test]
fn a_group_that_is_missing_or_small_is_never_a_pass() {
    let list =
        |names: &[&str]| ("groups", Value::List(names.iter().map(|name| Value::String((*name).to_owned())).collect()));
    let verdict = |options: &[(&str, Value)]| {
        let report = bench().line(("gap", "recall", true, options, Compare::AtMost, 0.9)).report();
        (report.verdict, report.reason)
    };
    assert_eq!(
        verdict(&[list(&["nord", "öst"])]),
        (Outcome::Error, "no row has `öst` in `region`, which is listed".into())
    );
    assert_eq!(verdict(&[list(&["nord", "syd"])]).0, Outcome::Pass);
    assert_eq!(
        verdict(&[("min_n", Value::Int(38))]),
        (Outcome::Inconclusive, "of `vest`, `recall` is over 37 rows labelled 1, fewer than 38".into())
    );
    let mut small = bench().line(("gap", "recall", true, &[], Compare::AtMost, 0.9));
    small.candidate += "z1,1,0.9,öst\n";
    assert_eq!(small.report().reason, "of `öst`, `recall` is over 1 rows labelled 1, fewer than 30");
    // None at all of what it is over, and no `min_n` to hide behind.
    let mut none = bench().line(("gap", "recall", true, &[("min_n", Value::Int(1))], Compare::AtMost, 0.9));
    none.candidate += "z1,0,0.9,öst\n";
    assert_eq!(none.report().verdict, Outcome::Inconclusive);
    let mut alone = bench().line(("gap", "recall", true, &[], Compare::AtMost, 0.9));
    alone.candidate = alone.candidate.replace("syd", "nord").replace("vest", "nord");
    assert_eq!(alone.report().verdict, Outcome::Inconclusive);
    let mut zero = bench().line(("ratio", "fpr", true, &[], Compare::AtMost, 1.0));
    zero.candidate = zero
        .candidate
        .lines()
        .filter(|line| !line.contains(",0,") || line.contains(",0,0.1"))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_ne!(zero.report().verdict, Outcome::Pass, "{}", zero.report().reason);
}

#[test]
fn what_is_wrong_with_the_file_is_an_error() {
    for (from, to, words) in [
        ("r0001,", "r0000,", "`row` is `r0000` in two rows"),
        ("y,p", "label,p", "there is no column `y`"),
        ("r0003,", "r0003,7", "a label is 0 or 1"),
        ("region", "area", "there is no column `region` to group by"),
    ] {
        let mut bench = bench().line(("gap", "recall", true, &[], Compare::AtMost, 0.9));
        assert!(bench.candidate.contains(from));
        bench.candidate = bench.candidate.replacen(from, to, 1);
        let report = bench.report();
        assert_eq!(report.verdict, Outcome::Error, "{words}");
        assert!(report.reason.contains(words), "{}", report.reason);
    }
    let mut empty = bench().line(("metric", "accuracy", false, &[], Compare::AtLeast, 0.0));
    empty.candidate = "row,y,p,region\n".to_owned();
    assert_eq!(empty.report().verdict, Outcome::Inconclusive);
}

#[test]
fn bounds_are_those_of_scipy_statsmodels_and_delong() {
    let wanted = reference();
    let bench = bench()
        .line(("lower", "recall", false, &[level()], Compare::AtLeast, 0.7))
        .line(("lower", "auc_roc", false, &[level()], Compare::AtLeast, 0.7))
        .line(("upper", "auc_roc", false, &[level(), of("regression")], Compare::AtMost, 0.01))
        .line(("delong", "auc_roc", false, &[], Compare::Less, 0.05))
        .line(("upper", "recall", false, &[level(), of("regression")], Compare::AtMost, 0.01))
        .line(("lower", "f1", false, &[level(), of("gain")], Compare::Greater, 0.0))
        .line(("upper", "brier", false, &[level(), of("regression")], Compare::AtMost, 0.0))
        .line(("lower", "f1", false, &[level()], Compare::AtLeast, 0.7))
        .line(("upper", "log_loss", false, &[level()], Compare::AtMost, 0.6));
    let report = bench.report();
    assert_eq!(report.verdict, Outcome::Pass, "{}", report.reason);
    close(&report, 0, &wanted["wilson"]["lower recall 95"], 1e-12);
    close(&report, 1, &wanted["delong"]["lower auc 95"], 1e-12);
    close(&report, 2, &wanted["delong"]["upper regression 95"], 1e-12);
    close(&report, 3, &wanted["delong"]["p one-sided"], 1e-15);
    // Two draws of thousands agree up to their own noise.
    close(&report, 4, &wanted["bootstrap"]["upper regression recall"], 0.005);
    close(&report, 5, &wanted["bootstrap"]["lower gain f1"], 0.003);
    close(&report, 6, &wanted["bootstrap"]["upper regression brier"], 0.0005);
    close(&report, 7, &wanted["bootstrap"]["lower f1"], 0.003);
    close(&report, 8, &wanted["bootstrap"]["upper log_loss"], 0.002);
    assert!(report.seed.is_some_and(|seed| seed < 1 << 53));
    assert_eq!(report, bench.report(), "the same inputs give the same report");
    let reason = &report.requirements[2].reason;
    assert!(reason.starts_with("`upper(regression(auc_roc), 0.95)` is -0.0500198"), "{reason}");
    assert!(
        reason.contains("(candidate 0.898962325130430") && reason.contains("baseline 0.81911099312064"),
        "{reason}"
    );
    // Other bytes, another seed: the order of the rows is one of them, and the numbers stay what they were.
    let mut turned = bench;
    let mut rows: Vec<&str> = turned.candidate.lines().collect();
    rows[1..].reverse();
    turned.candidate = rows.join("\n") + "\n";
    let again = turned.report();
    assert_ne!(again.seed, report.seed);
    for line in [0, 2, 3] {
        assert_eq!(again.requirements[line].value, report.requirements[line].value);
    }
}

fn relative() -> (&'static str, Value) {
    ("relative", Value::Bool(true))
}

#[test]
fn bounds_of_a_share_of_the_baseline_are_those_of_scipy() {
    let wanted = &reference()["bootstrap"];
    let report = bench()
        .line(("upper", "recall", false, &[level(), of("regression"), relative()], Compare::AtMost, 0.02))
        .line(("lower", "f1", false, &[level(), of("gain"), relative()], Compare::Greater, 0.0))
        .line(("upper", "brier", false, &[level(), of("regression"), relative()], Compare::AtMost, 0.02))
        .line(("lower", "auc_roc", false, &[level(), of("gain"), relative()], Compare::Greater, 0.0))
        .line(("upper", "recall", true, &[level(), of("regression"), relative()], Compare::AtMost, 0.2))
        .report();
    assert_eq!(report.verdict, Outcome::Pass, "{}", report.reason);
    // Two draws of thousands agree up to their own noise.
    close(&report, 0, &wanted["upper regression recall, relative"], 0.007);
    close(&report, 1, &wanted["lower gain f1, relative"], 0.004);
    close(&report, 2, &wanted["upper regression brier, relative"], 0.003);
    close(&report, 3, &wanted["lower gain auc_roc, relative"], 0.002);
    assert!(report.seed.is_some());
    let line = &report.requirements[3];
    assert_eq!(line.formula, "paired bootstrap of 10000 of the difference / |baseline|, percentile at 0.95");
    assert!(line.reason.starts_with("`lower(gain(auc_roc, relative), 0.95)` is 0.0"), "{}", line.reason);
    assert_eq!(report.requirements[4].parts.len(), 3);
}

/// What can't be divided by in one draw is not left out of the others: the rest would look surer than it is.
#[test]
fn a_baseline_that_falls_to_nothing_in_a_draw_is_an_error() {
    let line: Line<'_> = ("upper", "fpr", false, &[level(), of("regression"), relative()], Compare::AtMost, 9.0);
    let mut rare = bench().line(line);
    // Three rows labelled 0 that the baseline decides 1: none of them is in every twentieth draw.
    let mut left = 3;
    let rows = rare.baseline.lines().map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        let score = cells[2].parse::<f64>().unwrap_or_default();
        let wrong = cells[1] == "0" && score >= 0.5;
        left -= i32::from(wrong && left > 0);
        match wrong && left == 0 {
            true => format!("{},{},0.1,{}\n", cells[0], cells[1], cells[3]),
            false => format!("{row}\n"),
        }
    });
    rare.baseline = rows.collect();
    let report = rare.report();
    let why = "in a draw of these rows the baseline is too near to zero to divide by: compare absolutely";
    assert_eq!((report.verdict, report.reason.as_str()), (Outcome::Error, why));
    let base = ("min_base", Value::Float(0.99));
    let line: Line<'_> =
        ("upper", "recall", false, &[level(), of("regression"), relative(), base], Compare::AtMost, 9.0);
    let report = bench().line(line).report();
    assert_eq!(report.verdict, Outcome::Error);
    assert!(report.reason.ends_with("too near to zero to divide by: compare absolutely"), "{}", report.reason);
    // The same difference on every draw says nothing about its spread.
    let line: Line<'_> = ("upper", "accuracy", false, &[level(), of("regression"), relative()], Compare::AtMost, 0.0);
    let mut same = bench().line(line);
    same.baseline = same.candidate.clone();
    assert_eq!((same.report().verdict, same.report().requirements[0].value), (Outcome::Pass, Some(0.0)));
}

#[test]
fn mcnemar_is_exact_and_one_sided() {
    let wanted = &reference()["mcnemar"];
    let report = bench()
        .line(("mcnemar", "accuracy", false, &[], Compare::Less, 0.05))
        .line(("mcnemar", "recall", false, &[], Compare::Less, 0.05))
        .line(("mcnemar", "specificity", false, &[], Compare::Less, 0.05))
        .line(("mcnemar", "accuracy", true, &[], Compare::Less, 0.05))
        .report();
    for (line, name) in ["accuracy", "recall", "specificity"].into_iter().enumerate() {
        close(&report, line, &wanted[name][2], 1e-15);
        assert_eq!(report.requirements[line].verdict, Outcome::Pass);
    }
    let two_sided = wanted["two-sided"].as_f64().expect("a number");
    assert!((2.0 * report.requirements[0].value.expect("one") - two_sided).abs() < 1e-12, "as statsmodels has it");
    assert!(
        report.requirements[0].reason.contains("of 171 rows that one model alone gets right, the candidate gets 110")
    );
    for (part, wanted) in report.requirements[3].parts.iter().zip(wanted["by region, Holm"].as_array().expect("three"))
    {
        assert!((part.p.expect("p") - wanted.as_f64().expect("a number")).abs() < 1e-12);
    }
    // Each region alone is below 5 %, and all of them together are not.
    assert_eq!(report.requirements[3].verdict, Outcome::Fail, "{}", report.requirements[3].reason);
    let mut same = bench().line(("mcnemar", "accuracy", false, &[], Compare::Less, 0.05));
    same.baseline = same.candidate.clone();
    assert_eq!((same.report().verdict, same.report().requirements[0].value), (Outcome::Fail, Some(1.0)));
}

#[test]
fn a_bound_in_every_group_is_adjusted_by_holm() {
    let wanted = reference();
    let report = bench()
        .line(("lower", "recall", true, &[level()], Compare::AtLeast, 0.6))
        .line(("lower", "recall", true, &[level()], Compare::AtLeast, 0.7))
        .line(("upper", "auc_roc", true, &[level(), of("regression")], Compare::AtMost, 0.05))
        .line(("upper", "accuracy", true, &[level(), of("regression")], Compare::AtMost, 0.05))
        .report();
    let ps = wanted["recall by region >= 0.6, Holm"].as_array().expect("three");
    for (part, wanted) in report.requirements[0].parts.iter().zip(ps) {
        assert!((part.p.expect("p") - wanted.as_f64().expect("a number")).abs() < 1e-12, "{part:?}");
    }
    let verdicts: Vec<_> = report.requirements.iter().map(|line| line.verdict).collect();
    let reasons: Vec<_> = report.requirements.iter().map(|line| line.reason.as_str()).collect();
    assert_eq!(verdicts, [Outcome::Pass, Outcome::Fail, Outcome::Pass, Outcome::Pass], "{reasons:#?}");
    assert!(reasons[1].starts_with("of `vest`, `lower` is 0.6"), "{}", reasons[1]);
}

#[test]
fn ids_and_groups_that_are_numbers_pair_however_they_are_written() {
    let line = |by| -> Line<'_> { ("upper", "accuracy", by, &[], Compare::AtMost, 0.5) };
    for by in [false, true] {
        let (kind, metric, by, _, op, at) = line(by);
        let options = [level(), of("regression")];
        let mut numbers = bench().line((kind, metric, by, &options, op, at));
        let as_written = numbers.report();
        let regions: std::collections::BTreeSet<String> =
            numbers.candidate.lines().skip(1).filter_map(|line| line.rsplit(',').next().map(str::to_owned)).collect();
        for (index, region) in regions.iter().enumerate() {
            numbers.candidate = numbers.candidate.replace(&format!(",{region}\n"), &format!(",{index}\n"));
            numbers.baseline = numbers.baseline.replace(&format!(",{region}\n"), &format!(",{index}.0\n"));
        }
        numbers.candidate = numbers.candidate.replace("\nr", "\n1");
        numbers.baseline = numbers.baseline.replace("\nr", "\n+1");
        let report = numbers.report();
        assert_eq!(
            (report.verdict, report.requirements[0].value),
            (as_written.verdict, as_written.requirements[0].value)
        );
    }
}

#[test]
fn other_rows_or_labels_on_the_other_side_are_an_error() {
    let line: Line<'_> = ("upper", "auc_roc", false, &[level(), of("regression")], Compare::AtMost, 0.5);
    let mut fewer = bench().line(line);
    fewer.baseline = fewer.baseline.replacen("r0005,", "x0005,", 1);
    let report = fewer.report();
    assert_eq!(report.verdict, Outcome::Error);
    assert_eq!(
        report.reason,
        "candidate and baseline are not about the same rows: 1 of the candidate alone, such as `r0005`, 1 of the baseline \
         alone, such as `x0005`"
    );
    let mut relabelled = bench().line(line);
    let (from, to) =
        if relabelled.baseline.contains("r0005,0") { ("r0005,0", "r0005,1") } else { ("r0005,1", "r0005,0") };
    relabelled.baseline = relabelled.baseline.replacen(from, to, 1);
    assert!(relabelled.report().reason.contains("`r0005` has another label"), "{}", relabelled.report().reason);
    // Neither is a row of another group: what the candidate calls one group may be the two that the baseline had.
    let mut merged = bench().line(("upper", "accuracy", true, &[level(), of("regression")], Compare::AtMost, 0.5));
    merged.candidate = merged.candidate.replace(",vest\n", ",nord\n");
    assert_eq!(merged.report().verdict, Outcome::Error);
    assert!(merged.report().reason.contains("has `nord` in `region`, and `vest` in the"), "{}", merged.report().reason);
    // A plain difference looks at the ids, too, where there are any.
    let mut plain = bench().line(("regression", "auc_roc", false, &[], Compare::AtMost, 0.5));
    plain.baseline = plain.baseline.replacen("r0005,", "x0005,", 1);
    assert_eq!(plain.report().verdict, Outcome::Error);
}

#[test]
fn few_rows_prove_nothing() {
    let few = |line: Line<'_>, rows: usize| {
        let mut bench = bench().line(line);
        let first = |text: &str| text.lines().take(rows + 1).fold(String::new(), |text, line| text + line + "\n");
        (bench.candidate, bench.baseline) = (first(&bench.candidate), first(&bench.baseline));
        bench.report()
    };
    for kind in ["auc_roc", "accuracy", "f1", "brier"] {
        let report = few(("upper", kind, false, &[level(), of("regression")], Compare::AtMost, 0.9), 20);
        assert_eq!(report.verdict, Outcome::Inconclusive, "{}", report.reason);
        assert!(report.reason.ends_with("fewer than 30"), "{}", report.reason);
    }
    // The same number on every draw is no certainty.
    let mut perfect = bench().line(("lower", "auc_roc", false, &[level()], Compare::AtLeast, 0.5));
    perfect.candidate = "row,y,p,region\n".to_owned();
    for row in 0..80 {
        perfect.candidate += &format!("{row},{},0.{},n\n", row % 2, if row % 2 == 1 { 9 } else { 1 });
    }
    assert_eq!(perfect.report().verdict, Outcome::Inconclusive, "{}", perfect.report().reason);
    // Two models that decide alike differ by nothing, which is within any margin.
    let mut same = bench().line(("upper", "accuracy", false, &[level(), of("regression")], Compare::AtMost, 0.0));
    same.baseline = same.candidate.clone();
    assert_eq!((same.report().verdict, same.report().requirements[0].value), (Outcome::Pass, Some(0.0)));
}

#[test]
fn without_a_baseline_a_test_is_passed_over_and_never_a_pass_by_itself() {
    let bench = bench().line(("upper", "auc_roc", false, &[level(), of("regression")], Compare::AtMost, 0.5));
    let read = read_predictions(&bench.gate, 0, &mut bench.candidate.as_bytes());
    let facts = |champion: Option<Champion>| Facts {
        evidence: vec![Found::Present { bytes: vec![], size: 1, digest: "blake3:x".into() }],
        predictions: BTreeMap::from([(0, read.clone())]),
        champion,
        ..Facts::default()
    };
    let verdict = |champion| {
        let report = evaluate(&bench.gate, &[], &facts(champion), &About::default());
        (report.verdict, report.requirements[0].verdict)
    };
    assert_eq!(verdict(Some(Champion::Absent)), (Outcome::Pass, Outcome::PassedOver));
    assert_eq!(verdict(Some(Champion::Unreachable("down".into()))).0, Outcome::Error);
    assert_eq!(verdict(None).0, Outcome::Error);
    // Scored, and nobody read what was scored.
    let known = Champion::Known {
        version: "v1".into(),
        digest: "d".into(),
        scored: Ok(vec![Found::Present { bytes: vec![], size: 1, digest: "blake3:y".into() }]),
        recorded: BTreeMap::new(),
        machines: BTreeMap::new(),
    };
    assert_eq!(verdict(Some(known)).0, Outcome::Error);
}
