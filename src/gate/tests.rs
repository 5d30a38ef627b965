//! Every rule of a verdict, one test each.

mod predictions;

use std::collections::BTreeMap;

use super::*;
use crate::types::{Artifact, Direction, Expr, Metric, MetricsType, Origin, PredictionsType, Range, Type, Value};

/// A gate `quality on evaluate.report`, with or without a baseline, and its facts.
struct Setup {
    gate: Gate,
    metrics: Vec<MetricsType>,
    facts: Facts,
}

fn metric(name: &str, ty: Type, direction: Direction) -> Metric {
    Metric { name: name.into(), ty, direction: Some(direction), from: None, scale: None, n: None }
}

fn present(text: &str) -> Found {
    Found::Present { bytes: text.into(), size: text.len() as u64, digest: format!("blake3:{}", text.len()) }
}

fn setup(candidate: &str) -> Setup {
    let evidence = Evidence {
        alias: None,
        origin: Origin::output("evaluate", "report"),
        path: "out/e.json".into(),
        ty: Artifact::Metrics { name: "Evaluation".into() },
        of: Some(Origin::output("train", "model")),
        over: Some(Origin::output("prepare", "test")),
        split: Some("test".into()),
        list: None,
    };
    let ratio = || Type::Ratio(Range::ANY);
    let float = || Type::Float(Range::ANY);
    let p99 = Metric { scale: Some(1e6), ..metric("p99", Type::Duration, Direction::Lower) };
    let plain = Metric { direction: None, ..metric("plain", float(), Direction::Higher) };
    let metrics = vec![
        metric("auc", ratio(), Direction::Higher),
        metric("rmse", float(), Direction::Lower),
        metric("gain", float(), Direction::Higher),
        p99,
        plain,
    ];
    let model = Found::Present { bytes: vec![], size: 1_000_000, digest: "blake3:model".into() };
    Setup {
        gate: Gate {
            evidence: vec![evidence],
            admits: vec![Origin::output("train", "model")],
            baseline: None,
            requirements: vec![],
        },
        metrics: vec![MetricsType { name: "Evaluation".into(), doc: None, metrics }],
        facts: Facts {
            predictions: BTreeMap::new(),
            baseline_predictions: BTreeMap::new(),
            tables: BTreeMap::new(),
            references: BTreeMap::new(),
            evidence: vec![present(candidate)],
            artifacts: BTreeMap::from([(Origin::output("train", "model"), model)]),
            data: BTreeMap::new(),
            champion: None,
            machines: BTreeMap::new(),
        },
    }
}

impl Setup {
    fn line(mut self, level: Level, kind: &str, name: &str, options: &[(&str, Value)], op: Compare, at: Value) -> Self {
        let subject = self.metrics[0].metric(name).map(|metric| metric.ty.clone()).or(kinds::tests_metric(name));
        let options: BTreeMap<_, _> = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let ty = kinds::find(kind).expect(kind).result(subject.as_ref(), &options);
        let of_metric = kind != "size";
        self.gate.requirements.push(Requirement {
            level,
            text: format!("{kind} {name} {} {at}", op.sign()),
            measure: Measure {
                table: None,
                groups: None,
                kind: kind.into(),
                metric: of_metric.then(|| MetricRef { evidence: 0, name: name.into() }),
                artifact: (!of_metric).then(|| Origin::output("train", "model")),
                options,
                ty,
            },
            bound: Bound::Compare { op, limit: Expr::Value(at) },
        });
        self
    }

    fn at_least(self, name: &str, at: f64) -> Self {
        self.line(Level::Require, "metric", name, &[], Compare::AtLeast, Value::Float(at))
    }

    fn hoped(self, name: &str, at: f64) -> Self {
        self.line(Level::Warn, "metric", name, &[], Compare::AtLeast, Value::Float(at))
    }

    fn regression(self, name: &str, at: f64) -> Self {
        self.line(Level::Require, "regression", name, &[], Compare::AtMost, Value::Float(at))
    }

    fn relative(self, name: &str, at: f64) -> Self {
        let relative = [("relative", Value::Bool(true))];
        self.line(Level::Require, "regression", name, &relative, Compare::AtMost, Value::Ratio(at))
    }

    fn champion(mut self, champion: Champion) -> Self {
        self.gate.baseline = Some(Baseline {
            registry: "models".into(),
            pointer: "production".into(),
            recorded: false,
            on_absent: OnMissing::Fail,
            on_unscorable: OnMissing::Error,
            evidence: vec![BaselineEvidence {
                evidence: 0,
                origin: Origin::output("evaluate@quality", "report"),
                path: ".mlpc/baseline/quality/e.json".into(),
            }],
        });
        self.facts.champion = Some(champion);
        self
    }

    fn production(self, text: &str) -> Self {
        self.champion(scored(text, None))
    }

    fn on_absent(mut self, on_missing: OnMissing) -> Self {
        self.gate.baseline.as_mut().expect("a baseline").on_absent = on_missing;
        self
    }

    fn report(&self) -> Report {
        let about = About { gate: "quality".into(), plan: "p".into(), ..About::default() };
        evaluate(&self.gate, &self.metrics, &self.facts, &about)
    }

    fn verdict(&self) -> Outcome {
        self.report().verdict
    }
}

fn scored(text: &str, recorded: Option<&str>) -> Champion {
    Champion::Known {
        version: "v1".into(),
        digest: "blake3:v1".into(),
        scored: Ok(vec![present(text)]),
        recorded: recorded.map(|text| (Origin::output("evaluate", "report"), present(text))).into_iter().collect(),
        machines: BTreeMap::new(),
    }
}

#[test]
fn passes_where_every_blocking_requirement_holds_and_equality_counts() {
    let report = setup(r#"{"auc": 0.85}"#).at_least("auc", 0.85).report();
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Pass, 0));
    assert_eq!(report.reason, "1 requirement held");
    assert_eq!(report.requirements[0].reason, "`auc` is 0.85, and at least 0.85 is required");
    let strict =
        setup(r#"{"auc": 0.85}"#).line(Level::Require, "metric", "auc", &[], Compare::Greater, Value::Float(0.85));
    assert_eq!(strict.verdict(), Outcome::Fail);
}

#[test]
fn fails_where_a_blocking_requirement_does_not_hold_and_compares_unrounded() {
    let report = setup(r#"{"auc": 0.8499999999999999}"#).at_least("auc", 0.85).report();
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Fail, 10));
    assert_eq!(report.reason, "`auc` is 0.8499999999999999, but at least 0.85 is required");
}

#[test]
fn warns_where_only_a_hope_does_not_hold() {
    let hopeful = || setup(r#"{"auc": 0.9}"#).hoped("auc", 0.99);
    assert_eq!(hopeful().at_least("auc", 0.85).verdict(), Outcome::Warn);
    assert_eq!(hopeful().at_least("auc", 0.85).report().exit_code(), 0);
    assert_eq!(hopeful().at_least("auc", 0.95).verdict(), Outcome::Fail);
}

#[test]
fn what_is_not_a_number_is_an_error_also_where_it_only_warns() {
    for text in [
        r#"{"auc": "0.9"}"#,
        r#"{"auc": NaN}"#,
        r#"{"auc": Infinity}"#,
        r#"{"auc": true}"#,
        r#"{"auc": null}"#,
        r#"{"auc": {}}"#,
        r#"{"auc": 97.0}"#,
        r#"{"AUC": 0.9}"#,
        r#"{"auc": 0.9, "auc": 0.9}"#,
        r#"{"auc": 0.9"#,
        "",
        "0.9",
    ] {
        for setup in [setup(text).at_least("auc", 0.0), setup(text).hoped("auc", 0.0)] {
            let report = setup.report();
            assert_eq!((report.verdict, report.exit_code()), (Outcome::Error, 11), "{text}");
            assert!(report.reason.contains("out/e.json"), "{text}: {}", report.reason);
        }
    }
}

#[test]
fn an_error_is_worse_than_a_failure_and_a_failure_than_doubt() {
    let both = setup(r#"{"auc": 0.5}"#).at_least("auc", 0.9).at_least("gain", 0.0);
    assert_eq!(both.verdict(), Outcome::Error);
    assert!(Outcome::Error > Outcome::Fail && Outcome::Fail > Outcome::Inconclusive);
    assert!(Outcome::Inconclusive > Outcome::NotEvaluated && Outcome::NotEvaluated > Outcome::Warn);
}

#[test]
fn a_file_that_is_not_there_or_not_readable_is_an_error() {
    let mut setup = setup("{}").at_least("auc", 0.5);
    setup.facts.evidence[0] = Found::Missing;
    assert_eq!(setup.report().reason, "`out/e.json` is missing");
    assert_eq!(setup.verdict(), Outcome::Error);
    setup.facts.evidence[0] = Found::Unreadable("permission denied".into());
    assert_eq!(setup.report().reason, "`out/e.json` can't be read: permission denied");
    setup.facts.evidence.clear();
    assert_eq!(setup.verdict(), Outcome::Error);
}

#[test]
fn skipped_evidence_is_not_evaluated_and_never_a_pass() {
    let mut setup = setup("{}").at_least("auc", 0.0);
    setup.facts.evidence[0] = Found::Skipped("`evaluate` did not run".into());
    let report = setup.report();
    assert_eq!(report.verdict, Outcome::NotEvaluated);
    assert!(!report.lets_go_on() && report.exit_code() == 11);
}

#[test]
fn an_advisory_gate_shows_its_verdict_and_lets_go_on() {
    let setup = setup(r#"{"auc": 0.1}"#).at_least("auc", 0.9);
    let about = About { advisory: true, ..About::default() };
    let report = evaluate(&setup.gate, &setup.metrics, &setup.facts, &about);
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Fail, 0));
}

#[test]
fn an_advisory_gate_asks_nobody() {
    let ask = OnMissing::Ask("bootstrap".into());
    let setup = setup(r#"{"auc": 0.9}"#).champion(Champion::Absent).on_absent(ask).regression("auc", 0.1);
    assert_eq!(setup.report().ask.as_deref(), Some("bootstrap"));
    let about = About { advisory: true, ..About::default() };
    let report = evaluate(&setup.gate, &setup.metrics, &setup.facts, &about);
    assert_eq!((report.ask.as_deref(), report.exit_code(), report.is_waiting()), (None, 0, false));
}

#[test]
fn a_gate_without_requirements_decides_nothing() {
    assert_eq!(setup("{}").verdict(), Outcome::Error);
}

#[test]
fn regression_follows_the_metrics_own_direction() {
    let higher = |candidate: &str| setup(candidate).production(r#"{"auc": 0.75}"#).regression("auc", 0.25);
    assert_eq!(higher(r#"{"auc": 0.5}"#).verdict(), Outcome::Pass);
    assert_eq!(higher(r#"{"auc": 0.499}"#).verdict(), Outcome::Fail);
    assert_eq!(higher(r#"{"auc": 1}"#).verdict(), Outcome::Pass);
    let lower = |candidate: &str| setup(candidate).production(r#"{"rmse": 2}"#).regression("rmse", 0.5);
    assert_eq!(lower(r#"{"rmse": 2.5}"#).verdict(), Outcome::Pass);
    assert_eq!(lower(r#"{"rmse": 2.51}"#).verdict(), Outcome::Fail);
    assert_eq!(lower(r#"{"rmse": 0}"#).verdict(), Outcome::Pass);
    assert_eq!(lower(r#"{"rmse": 2.5}"#).report().requirements[0].formula, "candidate - baseline");
}

#[test]
fn relative_divides_by_the_magnitude_of_the_baseline_and_keeps_its_sign() {
    // From −4 down to −5 is a quarter worse where higher is better, and a quarter better where lower is.
    let report = setup(r#"{"gain": -5}"#).production(r#"{"gain": -4}"#).relative("gain", 0.25).report();
    assert_eq!((report.verdict, report.requirements[0].value), (Outcome::Pass, Some(0.25)));
    assert_eq!(report.requirements[0].formula, "(baseline - candidate) / |baseline|");
    let report = setup(r#"{"rmse": -5}"#).production(r#"{"rmse": -4}"#).relative("rmse", 0.0).report();
    assert_eq!((report.verdict, report.requirements[0].value), (Outcome::Pass, Some(-0.25)));
}

#[test]
fn improvement_is_the_negative_of_regression() {
    let improvement = |candidate: &str, at: f64| {
        setup(candidate).production(r#"{"rmse": 2}"#).line(
            Level::Require,
            "improvement",
            "rmse",
            &[],
            Compare::AtLeast,
            Value::Float(at),
        )
    };
    assert_eq!(improvement(r#"{"rmse": 1.5}"#, 0.5).verdict(), Outcome::Pass);
    assert_eq!(improvement(r#"{"rmse": 1.51}"#, 0.5).verdict(), Outcome::Fail);
    let same = improvement(r#"{"rmse": 2}"#, 0.0).report();
    assert_eq!(same.requirements[0].value.map(f64::to_bits), Some(0.0_f64.to_bits()), "no minus before a zero");
    assert_eq!(same.requirements[0].formula, "baseline - candidate");
}

#[test]
fn a_relative_comparison_with_almost_nothing_is_an_error() {
    for base in ["0", "-0.0", "9e-10", "-1e-12"] {
        let report =
            setup(r#"{"gain": 1}"#).production(&format!(r#"{{"gain": {base}}}"#)).relative("gain", 0.02).report();
        assert_eq!(report.verdict, Outcome::Error, "{base}");
        assert!(report.reason.ends_with("compare absolutely"), "{}", report.reason);
    }
    assert_eq!(setup(r#"{"gain": 1}"#).production(r#"{"gain": 1e-9}"#).relative("gain", 0.02).verdict(), Outcome::Pass);
    let options = [("relative", Value::Bool(true)), ("min_base", Value::Float(0.5))];
    let own = setup(r#"{"gain": 1}"#).production(r#"{"gain": 0.4}"#).line(
        Level::Require,
        "regression",
        "gain",
        &options,
        Compare::AtMost,
        Value::Ratio(0.02),
    );
    assert_eq!(own.verdict(), Outcome::Error);
}

#[test]
fn a_difference_beyond_every_number_is_an_error() {
    let report = setup(r#"{"gain": 1e308}"#).production(r#"{"gain": -1e308}"#).regression("gain", 0.0).report();
    assert_eq!(report.verdict, Outcome::Error, "{}", report.reason);
    assert!(Report::from_json(&report.to_json()).is_ok());
    let tiny = setup(r#"{"gain": 1e308}"#).production(r#"{"gain": 1e-9}"#).relative("gain", 0.0);
    assert_eq!(tiny.verdict(), Outcome::Error);
}

#[test]
fn a_metric_without_direction_can_not_get_worse() {
    let report = setup(r#"{"plain": 1}"#).production(r#"{"plain": 2}"#).regression("plain", 9.0).report();
    assert_eq!(report.verdict, Outcome::Error, "{}", report.reason);
}

#[test]
fn a_baseline_that_is_not_a_number_is_an_error_of_the_baseline() {
    let report = setup(r#"{"auc": 0.9}"#).production(r#"{"auc": NaN}"#).regression("auc", 0.1).report();
    assert_eq!(report.verdict, Outcome::Error);
    assert_eq!(
        report.reason,
        "of the baseline: `auc` is NaN, not a number, in `.mlpc/baseline/quality/e.json` at `/auc`"
    );
}

#[test]
fn an_unreachable_baseline_is_an_error_even_where_nothing_compares() {
    let unreachable = || Champion::Unreachable("cannot read `registry`: permission denied".into());
    let report = setup(r#"{"auc": 0.9}"#).champion(unreachable()).regression("auc", 0.1).report();
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Error, 11));
    let report = setup(r#"{"auc": 0.9}"#).champion(unreachable()).at_least("auc", 0.1).report();
    assert_eq!(report.verdict, Outcome::Error);
    assert!(report.reason.contains("permission denied"), "{}", report.reason);
}

#[test]
fn a_baseline_that_nobody_looked_for_is_an_error() {
    let mut setup = setup(r#"{"auc": 0.9}"#).champion(Champion::Absent).at_least("auc", 0.1);
    setup.facts.champion = None;
    assert_eq!(setup.verdict(), Outcome::Error);
}

#[test]
fn the_first_run_is_what_the_gate_says() {
    let first = || setup(r#"{"auc": 0.9}"#).champion(Champion::Absent).regression("auc", 0.1).at_least("auc", 0.5);
    let report = first().report();
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Fail, 10));
    assert_eq!(report.reason, "`models@production` does not exist yet, and the gate says `on no_baseline: fail`");
    let report = first().on_absent(OnMissing::Pass).report();
    assert_eq!(report.verdict, Outcome::Pass);
    assert_eq!(report.reason, "1 requirement held; 1 was passed over: `models@production` does not exist yet");
    assert_eq!(report.baseline.and_then(|baseline| baseline.decision).as_deref(), Some("pass"));
    assert_eq!(report.requirements[0].verdict, Outcome::PassedOver);
}

#[test]
fn on_no_baseline_saves_nobody_from_another_requirement() {
    let bad = setup(r#"{"auc": 0.4}"#).champion(Champion::Absent).regression("auc", 0.1).at_least("auc", 0.5);
    assert_eq!(bad.on_absent(OnMissing::Pass).verdict(), Outcome::Fail);
    let nan = setup(r#"{"auc": NaN}"#).champion(Champion::Absent).regression("auc", 0.1);
    assert_eq!(nan.on_absent(OnMissing::Pass).verdict(), Outcome::Error);
}

#[test]
fn asking_waits_and_the_answer_decides() {
    let asking = |text: &str| {
        setup(text)
            .champion(Champion::Absent)
            .regression("auc", 0.1)
            .at_least("auc", 0.5)
            .on_absent(OnMissing::Ask("bootstrap".into()))
            .report()
    };
    let mut report = asking(r#"{"auc": 0.9}"#);
    assert_eq!((report.verdict, report.ask.as_deref()), (Outcome::Pass, Some("bootstrap")));
    assert!(!report.lets_go_on() && report.is_waiting() && report.exit_code() == 11);
    let decision = |given| Decision {
        approval: "bootstrap".into(),
        given,
        by: Some("alice".into()),
        at: Some("2026-08-01T12:00:00Z".into()),
        reason: None,
    };
    let mut refused = report.clone();
    refused.decide(decision(false));
    assert_eq!((refused.verdict, refused.exit_code()), (Outcome::Fail, 10));
    report.decide(Decision { approval: "other".into(), ..decision(true) });
    assert!(report.is_waiting(), "another approval than the one that was asked for changes nothing");
    report.decide(decision(true));
    assert!(report.lets_go_on() && report.exit_code() == 0);
    assert_eq!(asking(r#"{"auc": 0.1}"#).ask, None, "a failed gate asks nobody");
}

#[test]
fn an_unscorable_baseline_is_an_error_or_asks() {
    let unscorable = Champion::Known {
        version: "v1".into(),
        digest: "d".into(),
        scored: Err("`evaluate@quality` ended with exit status 1".into()),
        recorded: BTreeMap::new(),
        machines: BTreeMap::new(),
    };
    let mut setup = setup(r#"{"auc": 0.9}"#).champion(unscorable).regression("auc", 0.1);
    assert_eq!(setup.verdict(), Outcome::Error);
    setup.gate.baseline.as_mut().expect("a baseline").on_unscorable = OnMissing::Ask("bootstrap".into());
    let report = setup.report();
    assert_eq!(report.ask.as_deref(), Some("bootstrap"));
    let baseline = report.baseline.expect("compared");
    assert_eq!((baseline.state, baseline.version.as_deref()), (State::Unscorable, Some("v1")));
}

#[test]
fn a_champion_that_fell_from_its_own_record_makes_it_at_best_a_warning() {
    let moved = |recorded: &str| {
        setup(r#"{"auc": 0.8}"#).champion(scored(r#"{"auc": 0.75}"#, Some(recorded))).regression("auc", 0.02).report()
    };
    let report = moved(r#"{"auc": 0.95}"#);
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Warn, 0));
    assert!(report.reason.contains("`v1` scores"), "{}", report.reason);
    assert_eq!(moved(r#"{"auc": 0.76}"#).verdict, Outcome::Pass);
    assert_eq!(moved(r#"{"auc": 0.5}"#).verdict, Outcome::Pass, "better than recorded is no decline");
    assert_eq!(moved(r#"{"other": 1}"#).verdict, Outcome::Pass, "nothing recorded, nothing to say");
    let failing =
        setup(r#"{"auc": 0.1}"#).champion(scored(r#"{"auc": 0.75}"#, Some(r#"{"auc": 0.95}"#))).regression("auc", 0.02);
    assert_eq!(failing.verdict(), Outcome::Fail);
}

#[test]
fn a_recorded_baseline_is_what_was_registered_with_it() {
    let recorded = |recorded: Option<&str>| {
        let mut setup = setup(r#"{"auc": 0.8}"#)
            .champion(Champion::Known {
                version: "v1".into(),
                digest: "d".into(),
                scored: Ok(vec![]),
                recorded: recorded
                    .map(|text| (Origin::output("evaluate", "report"), present(text)))
                    .into_iter()
                    .collect(),
                machines: BTreeMap::new(),
            })
            .regression("auc", 0.02);
        let baseline = setup.gate.baseline.as_mut().expect("a baseline");
        (baseline.recorded, baseline.evidence) = (true, vec![]);
        setup.report()
    };
    assert_eq!(recorded(Some(r#"{"auc": 0.81}"#)).verdict, Outcome::Pass);
    assert_eq!(recorded(Some(r#"{"auc": 0.9}"#)).verdict, Outcome::Fail);
    let report = recorded(None);
    assert_eq!(report.reason, "of the baseline: no `evaluate.report` was registered with `v1`");
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Error, 11));
}

/// A candidate of 12 ms against a baseline of 10 ms, measured on these classes of machine; 5 ms more are allowed.
fn timed(candidate: Option<&str>, baseline: Option<&str>) -> Setup {
    let margin = Value::Duration(5_000_000);
    let mut setup = setup(r#"{"p99": 12}"#).production(r#"{"p99": 10}"#).line(
        Level::Require,
        "regression",
        "p99",
        &[],
        Compare::AtMost,
        margin,
    );
    let known = [("evaluate", candidate), ("evaluate@quality", baseline)];
    setup.facts.machines = known
        .into_iter()
        .filter_map(|(stage, class)| Some((Origin::output(stage, "report"), class?.to_owned())))
        .collect();
    setup
}

#[test]
fn times_compare_on_one_class_of_machine_only() {
    let report = timed(Some("A, 2 cores"), Some("A, 2 cores")).report();
    assert_eq!(report.verdict, Outcome::Pass, "{}", report.reason);
    assert_eq!(report.evidence[0].machine.as_deref(), Some("A, 2 cores"));
    assert_eq!(report.baseline.expect("compared").evidence[0].machine.as_deref(), Some("A, 2 cores"));
    let report = timed(Some("A, 2 cores"), Some("A, 4 cores")).report();
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Inconclusive, 11));
    assert_eq!(
        report.reason,
        "`p99` of the candidate was measured on `A, 2 cores`, that of the baseline on `A, 4 cores`: times compare on one \
         class of machine only"
    );
    for (candidate, baseline) in [(None, Some("A")), (Some("A"), None), (None, None)] {
        let report = timed(candidate, baseline).report();
        assert_eq!(report.verdict, Outcome::Inconclusive, "{candidate:?} {baseline:?}");
        assert!(report.reason.contains("a machine of unknown class"), "{}", report.reason);
    }
    // What is no time does not care, and a time alone is held against a limit wherever it was measured.
    let other = setup(r#"{"auc": 0.9, "p99": 12}"#).production(r#"{"auc": 0.9}"#).regression("auc", 0.1);
    let other = other.line(Level::Require, "metric", "p99", &[], Compare::AtMost, Value::Duration(50_000_000));
    assert_eq!(other.verdict(), Outcome::Pass);
    // A number that is none stays an error.
    let mut broken = timed(Some("A"), Some("B"));
    broken.facts.champion = Some(scored(r#"{"p99": NaN}"#, None));
    assert_eq!(broken.verdict(), Outcome::Error);
}

#[test]
fn registered_times_compare_where_their_machine_was_registered_too() {
    let registered = |machine: Option<&str>, on: &str| {
        let mut setup = timed(Some("A"), None);
        let origin = Origin::output("evaluate", "report");
        let machines = machine.map(|class| (origin, class.to_owned())).into_iter().collect();
        if let Champion::Known { version, digest, recorded, .. } = scored("{}", Some(on)) {
            setup = setup.champion(Champion::Known { version, digest, recorded, machines, scored: Ok(vec![]) });
        }
        let baseline = setup.gate.baseline.as_mut().expect("a baseline");
        (baseline.recorded, baseline.evidence) = (true, vec![]);
        setup.verdict()
    };
    assert_eq!(registered(Some("A"), r#"{"p99": 10}"#), Outcome::Pass);
    assert_eq!(registered(Some("A"), r#"{"p99": 2}"#), Outcome::Fail);
    assert_eq!(registered(Some("B"), r#"{"p99": 10}"#), Outcome::Inconclusive);
    assert_eq!(registered(None, r#"{"p99": 10}"#), Outcome::Inconclusive);
}

#[test]
fn a_champion_is_slower_than_its_record_only_on_the_machine_of_its_record() {
    let moved = |machine: Option<&str>| {
        let mut setup = timed(Some("A"), Some("A"));
        let mut champion = scored(r#"{"p99": 10}"#, Some(r#"{"p99": 1}"#));
        if let Champion::Known { machines, .. } = &mut champion {
            machines.extend(machine.map(|class| (Origin::output("evaluate", "report"), class.to_owned())));
        }
        setup.facts.champion = Some(champion);
        setup.verdict()
    };
    assert_eq!(moved(Some("A")), Outcome::Warn);
    assert_eq!((moved(Some("B")), moved(None)), (Outcome::Pass, Outcome::Pass));
}

#[test]
fn durations_compare_in_nanoseconds_and_are_told_in_their_unit() {
    let within = |text: &str| {
        setup(text).line(Level::Require, "metric", "p99", &[], Compare::AtMost, Value::Duration(50_000_000)).report()
    };
    assert_eq!(within(r#"{"p99": 50}"#).verdict, Outcome::Pass);
    let report = within(r#"{"p99": 50.1}"#);
    assert_eq!(report.reason, "`p99` is 50.1ms, but at most 50ms is required");
    assert_eq!(report.requirements[0].value, Some(50_100_000.0));
}

#[test]
fn size_is_that_of_the_artifact() {
    let small =
        |bytes: u64| setup("{}").line(Level::Require, "size", "", &[], Compare::AtMost, Value::Bytes(bytes)).report();
    assert_eq!(small(1_000_000).verdict, Outcome::Pass);
    assert_eq!(small(999_999).reason, "`size(train.model)` is 1MB, but at most 999999B is required");
    let mut gone = setup("{}").line(Level::Require, "size", "", &[], Compare::AtMost, Value::Bytes(1));
    gone.facts.artifacts.clear();
    assert_eq!(gone.verdict(), Outcome::Error);
}

#[test]
fn tests_are_counted_and_none_at_all_is_inconclusive() {
    let tests = |text: &str| {
        let mut setup = setup(text).line(Level::Require, "tests", "failed", &[], Compare::Equal, Value::Int(0));
        setup.gate.evidence[0].ty = Artifact::Tests;
        setup.report()
    };
    assert_eq!(tests(r#"<testsuite tests="1"><testcase/></testsuite>"#).verdict, Outcome::Pass);
    let report = tests(r#"<testsuite tests="1"><testcase><failure/></testcase></testsuite>"#);
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Fail, 10));
    let report = tests("<testsuites/>");
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Inconclusive, 11));
    assert_eq!(tests("<testsuite>").verdict, Outcome::Error);
}

#[test]
fn too_few_rows_are_inconclusive_and_an_unknown_number_of_them_is_an_error() {
    let judged = |candidate: &str, baseline: &str, n: Option<&str>| {
        let options = [("min_n", Value::Int(100))];
        let mut setup = setup(candidate).production(baseline).line(
            Level::Require,
            "regression",
            "auc",
            &options,
            Compare::AtMost,
            Value::Float(0.1),
        );
        setup.metrics[0].metrics[0].n = n.map(str::to_owned);
        setup.report()
    };
    let (many, few) = (r#"{"auc": 0.9, "n": 100}"#, r#"{"auc": 0.9, "n": 99}"#);
    assert_eq!(judged(many, many, Some("/n")).verdict, Outcome::Pass);
    let report = judged(few, many, Some("/n"));
    assert_eq!((report.verdict, report.exit_code()), (Outcome::Inconclusive, 11));
    assert_eq!(report.reason, "`auc` was measured on 99 rows in `out/e.json`, fewer than 100");
    assert_eq!(judged(many, few, Some("/n")).verdict, Outcome::Inconclusive);
    assert_eq!(judged(many, r#"{"auc": 0.9}"#, Some("/n")).verdict, Outcome::Error);
    assert_eq!(judged(many, many, None).verdict, Outcome::Error);
}

#[test]
fn between_includes_both_ends() {
    let between = |low: f64, high: f64| {
        let mut setup = setup(r#"{"gain": 1.5}"#).at_least("gain", 0.0);
        setup.gate.requirements[0].bound =
            Bound::Between { low: Expr::Value(Value::Float(low)), high: Expr::Value(Value::Float(high)) };
        setup.verdict()
    };
    assert_eq!(between(1.5, 2.0), Outcome::Pass);
    assert_eq!(between(1.0, 1.5), Outcome::Pass);
    assert_eq!(between(1.6, 2.0), Outcome::Fail);
}

#[test]
fn what_the_checker_should_have_refused_is_an_error_and_no_panic() {
    let mut setup = setup(r#"{"auc": 0.9}"#).at_least("auc", 0.1);
    let line = &mut setup.gate.requirements[0];
    line.bound = Bound::Holds;
    assert_eq!(setup.verdict(), Outcome::Error);
    let line = &mut setup.gate.requirements[0];
    line.bound = Bound::Compare { op: Compare::AtLeast, limit: Expr::Param("p".into()) };
    assert_eq!(setup.verdict(), Outcome::Error);
    let line = &mut setup.gate.requirements[0];
    line.bound = Bound::Compare { op: Compare::AtLeast, limit: Expr::Value(Value::Float(f64::NAN)) };
    assert_eq!(setup.verdict(), Outcome::Error);
    setup.gate.requirements[0].measure.kind = "psi".into();
    assert_eq!(setup.verdict(), Outcome::Error);
    setup.gate.requirements[0].measure.kind = "metric".into();
    setup.gate.requirements[0].measure.metric = None;
    assert_eq!(setup.verdict(), Outcome::Error);
}

#[test]
fn the_report_reads_back_and_its_bytes_are_the_same_every_time() {
    let setup = setup(r#"{"auc": 0.30000000000000004}"#).production(r#"{"auc": 0.1}"#).regression("auc", 0.02);
    let setup = setup.at_least("auc", 1e-9);
    let (report, again) = (setup.report(), setup.report());
    assert_eq!(report.to_json(), again.to_json());
    assert_eq!(Report::from_json(&report.to_json()), Ok(report.clone()));
    assert!(report.to_json().contains("0.30000000000000004"));
    assert_eq!(report.baseline.expect("compared").version.as_deref(), Some("v1"));
    assert_eq!(report.evidence[0].digest.as_deref(), Some("blake3:28"));
}

/// Checks a value against the parts of JSON Schema that our schema uses.
fn conforms(schema: &serde_json::Value, root: &serde_json::Value, value: &serde_json::Value, at: &str) {
    use serde_json::Value as Json;
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        conforms(target, root, value, at);
    }
    if let Some(one_of) = schema.get("oneOf").and_then(Json::as_array) {
        let fits = |schema: &&Json| std::panic::catch_unwind(|| conforms(schema, root, value, at)).is_ok();
        assert_eq!(one_of.iter().filter(fits).count(), 1, "{at}");
    }
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        assert!(values.contains(value), "{at}: {value}");
    }
    if let Some(ty) = schema.get("type") {
        let name = match value {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        };
        let fits = |ty: &Json| ty == name || (ty == "integer" && value.as_u64().is_some());
        let types = ty.as_array().cloned().unwrap_or_else(|| vec![ty.clone()]);
        assert!(types.iter().any(fits), "{at}: {value} is no {ty}");
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema.get("properties").and_then(Json::as_object)) {
        for required in schema["required"].as_array().expect("all of them are") {
            assert!(object.contains_key(required.as_str().expect("a name")), "{at}: no {required}");
        }
        assert_eq!(schema["required"].as_array().map(Vec::len), Some(properties.len()), "{at}: every field is written");
        for (name, field) in object {
            let schema = properties.get(name).unwrap_or_else(|| panic!("{at}: `{name}` is not in the schema"));
            conforms(schema, root, field, &format!("{at}/{name}"));
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            conforms(schema, root, item, &format!("{at}/{index}"));
        }
    }
}

#[test]
fn reports_of_every_shape_conform_to_the_published_schema() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("JSON");
    let mut full = setup(r#"{"auc": 0.9}"#)
        .champion(Champion::Absent)
        .regression("auc", 0.1)
        .at_least("auc", 0.5)
        .on_absent(OnMissing::Ask("bootstrap".into()))
        .report();
    full.place = Some(Position { file: "p.mlp".into(), line: 1, column: 1 });
    full.overridden = Some(Override { by: "a".into(), at: "t".into(), reason: "r".into() });
    full.decide(Decision { approval: "bootstrap".into(), given: true, by: Some("a".into()), at: None, reason: None });
    full.params.insert("p".into(), "1".into());
    let reports = [
        full,
        setup("{}").at_least("auc", 0.5).report(),
        setup(r#"{"auc": 0.9}"#)
            .champion(scored(r#"{"auc": 0.9}"#, Some(r#"{"auc": 0.9}"#)))
            .regression("auc", 0.1)
            .report(),
        setup(r#"{"auc": 0.9}"#).champion(Champion::Unreachable("no".into())).regression("auc", 0.1).report(),
        diagnosed(&golden([r#"{"auc": 0.8}"#, r#"{"auc": 0.9}"#], [r#"{"auc": 0.8}"#, r#"{"auc": 0.9}"#])),
    ];
    for report in reports {
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
        conforms(&schema, &schema, &json, "");
    }
}

/// A gate with the candidate's and the baseline's AUC on a standard and on a frozen set; 0.02 may be lost on each.
fn golden(standard: [&str; 2], frozen: [&str; 2]) -> Setup {
    let mut setup = setup(standard[0]).production(standard[1]);
    let evidence = Evidence {
        origin: Origin::output("evaluate_golden", "report"),
        path: "out/golden.json".into(),
        over: Some(Origin::Source("golden".into())),
        split: Some("golden".into()),
        ..setup.gate.evidence[0].clone()
    };
    setup.gate.evidence.push(evidence);
    setup.facts.evidence.push(present(frozen[0]));
    let baseline = setup.gate.baseline.as_mut().expect("a baseline");
    baseline.evidence.push(BaselineEvidence {
        evidence: 1,
        origin: Origin::output("evaluate_golden@quality", "report"),
        path: ".mlpc/baseline/quality/golden.json".into(),
    });
    setup.facts.champion = Some(Champion::Known {
        version: "v1".into(),
        digest: "blake3:v1".into(),
        scored: Ok(vec![present(standard[1]), present(frozen[1])]),
        recorded: BTreeMap::new(),
        machines: BTreeMap::new(),
    });
    let mut setup = setup.regression("auc", 0.02).regression("auc", 0.02);
    setup.gate.requirements[1].measure.metric = Some(MetricRef { evidence: 1, name: "auc".into() });
    setup
}

fn diagnosed(setup: &Setup) -> Report {
    let about = About {
        gate: "quality".into(),
        frozen: std::iter::once(Origin::Source("golden".into())).collect(),
        ..About::default()
    };
    evaluate(&setup.gate, &setup.metrics, &setup.facts, &about)
}

#[test]
fn a_frozen_set_tells_drift_from_a_changed_training() {
    let (well, badly) = ([r#"{"auc": 0.9}"#, r#"{"auc": 0.9}"#], [r#"{"auc": 0.8}"#, r#"{"auc": 0.9}"#]);
    let causes = |standard, frozen| {
        let report = diagnosed(&golden(standard, frozen));
        report.diagnosis.into_iter().map(|diagnosis| diagnosis.cause).collect::<Vec<_>>()
    };
    assert_eq!(causes(well, well), []);
    assert_eq!(causes(badly, well), [Cause::Data]);
    assert_eq!(causes(badly, badly), [Cause::Training]);
    assert_eq!(causes(well, badly), [Cause::Unclear]);
    // What was not measured says nothing.
    assert_eq!(causes(badly, [r#"{"auc": NaN}"#, r#"{"auc": 0.9}"#]), []);
    let report = diagnosed(&golden(badly, well));
    let sentence = "`auc` dropped on `prepare.test` and not on the frozen `golden`: the data drifted";
    assert_eq!(report.diagnosis[0].sentence, sentence);
    assert!(
        render::table(&report, render::Style::Plain).contains(&format!("diagnosis: {}", sentence.replace('`', "")))
    );
    assert!(render::markdown(&report).contains(&format!("**Diagnosis**: {sentence}.")));
    assert_eq!(Report::from_json(&report.to_json()), Ok(report));
}

#[test]
fn a_diagnosis_is_of_one_metric_of_one_model_on_two_sets() {
    let (well, badly) = ([r#"{"auc": 0.9}"#, r#"{"auc": 0.9}"#], [r#"{"auc": 0.8}"#, r#"{"auc": 0.9}"#]);
    let silent = |change: fn(&mut Setup)| {
        let mut setup = golden(badly, well);
        change(&mut setup);
        diagnosed(&setup).diagnosis.is_empty()
    };
    assert!(!silent(|_| {}));
    assert!(!silent(|setup| setup.gate.requirements[0].level = Level::Warn), "a warning tells it as well");
    assert!(silent(|setup| setup.gate.evidence[1].of = Some(Origin::output("other", "model"))));
    assert!(silent(|setup| setup.gate.evidence[1].over = None));
    assert!(silent(|setup| setup.gate.evidence[1].over = Some(Origin::Source("raw".into()))), "not frozen");
    assert!(silent(|setup| setup.gate.requirements.truncate(1)), "nothing is asked of the frozen set");
    assert!(
        silent(|setup| setup.gate.requirements[1].measure.kind = "improvement".into()),
        "too little gained is no drop"
    );
    // One of several lines is enough for a drop, and all must be decided.
    let mut both = golden(badly, well).regression("auc", 0.2);
    assert_eq!(diagnosed(&both).diagnosis[0].cause, Cause::Data);
    both.gate.requirements[2].measure.kind = "nothing".into();
    assert_eq!(diagnosed(&both).diagnosis.len(), 1, "a line of another kind is no line about a drop");
}

#[test]
fn predictions_on_two_sets_are_a_pair_too() {
    let badly = golden([r#"{"auc": 0.8}"#, r#"{"auc": 0.9}"#], [r#"{"auc": 0.9}"#, r#"{"auc": 0.9}"#]);
    let lines = diagnosed(&badly).requirements;
    let frozen = std::iter::once(Origin::Source("golden".into())).collect();
    let mut gate = badly.gate;
    let causes = |gate: &Gate| {
        diagnosis::diagnose(gate, &lines, &frozen).into_iter().map(|found| found.cause).collect::<Vec<_>>()
    };
    gate.evidence[0].ty = Artifact::Predictions(PredictionsType::default());
    assert_eq!(causes(&gate), [], "numbers of a file and of rows are no pair");
    gate.evidence[1].ty = Artifact::Predictions(PredictionsType::default());
    assert_eq!(causes(&gate), [Cause::Data]);
}

fn all_sorts() -> Report {
    setup(r#"{"auc": 0.8, "rmse": 2.5, "p99": 45.2}"#)
        .champion(scored(r#"{"auc": 0.9, "rmse": 2.5, "p99": 40}"#, None))
        .at_least("auc", 0.75)
        .relative("auc", 0.02)
        .hoped("rmse", 3.0)
        .line(Level::Require, "metric", "p99", &[], Compare::AtMost, Value::Duration(50_000_000))
        .at_least("gain", 1.0)
        .report()
}

#[test]
fn a_terminal_shows_every_line_and_the_reason_where_it_did_not_hold() {
    insta::assert_snapshot!(render::table(&all_sorts(), render::Style::Plain));
    let colourful = render::table(&all_sorts(), render::Style::Colour);
    assert!(colourful.contains("\u{1b}[31m") && !render::table(&all_sorts(), render::Style::Plain).contains('\u{1b}'));
}

#[test]
fn markdown_shows_the_same() {
    insta::assert_snapshot!(render::markdown(&all_sorts()));
    let first = setup(r#"{"auc": 0.9}"#)
        .champion(Champion::Absent)
        .regression("auc", 0.1)
        .on_absent(OnMissing::Ask("bootstrap".into()))
        .report();
    insta::assert_snapshot!(render::markdown(&first));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = json::parse(&bytes);
        let _ = junit::count(&bytes);
    }

    #[test]
    fn what_serde_writes_is_read_and_what_we_take_serde_takes(
        text in r#"[\[\]{}",:0-9.eE+\-a-z \\]{0,24}"#,
        number in proptest::num::f64::NORMAL,
    ) {
        let ours = json::parse(text.as_bytes());
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // Stricter we may be (a name twice), more lenient only about what Python writes.
        if ours.is_ok() {
            proptest::prop_assert!(theirs.is_ok() || text.contains('e') || text.contains("an"), "{text:?}");
        }
        let written = serde_json::to_string(&number).expect("finite");
        proptest::prop_assert_eq!(json::parse(written.as_bytes()), Ok(json::Json::Number(written)));
    }
}

#[test]
fn a_remark_says_of_every_number_what_production_has_and_which_way_it_went() {
    let report = |setup: &Setup| super::remark::remark(&setup.gate, &setup.metrics, &setup.report());
    let gate = setup(r#"{"auc": 0.8, "rmse": 0.3, "p99": 12.5, "plain": 3}"#)
        .production(r#"{"auc": 0.9, "rmse": 0.4, "p99": 12.5, "plain": 2}"#)
        .at_least("auc", 0.85)
        .regression("rmse", 0.0)
        .regression("p99", 0.0)
        .line(Level::Require, "size", "", &[], Compare::AtMost, Value::Bytes(500_000));
    insta::assert_snapshot!(report(&gate));
    // Without production there is nothing to be away from; what is not decided says why.
    let first = setup(r#"{"auc": 0.9}"#).champion(Champion::Absent).on_absent(OnMissing::Pass).regression("auc", 0.0);
    let text = report(&first);
    assert!(text.contains("| ➖ passed over | `auc` |  |  |  | `require regression auc <= 0` |"), "{text}");
    let broken = report(&setup(r#"{"auc": NaN}"#).at_least("auc", 0.8));
    assert!(
        broken.starts_with("#### ❌ `quality`: error\n") && broken.contains("`auc` is NaN, not a number"),
        "{broken}"
    );
}
