//! Gates over files: what stands where, what is missing, and the same bytes again.

use std::fs;

use super::*;
use crate::gate::{
    Baseline, BaselineEvidence, Bound as Limit, Compare, Evidence, Level, Measure, MetricRef, OnMissing, Outcome,
    Requirement, State,
};
use crate::plan::{
    Command, FORMAT, Isolation, Needs, Node, Output, OutputKind, Place, Plan, Rerun, Selection, Stage, Work, bind,
};
use crate::types::{Artifact, Direction, Expr, Metric, MetricsType, Origin, Range, Type, Value};

fn stage(name: &str, output: &str, ty: Artifact, path: &str) -> Node {
    let output = Output {
        name: output.into(),
        doc: None,
        kind: OutputKind::Artifact(ty),
        path: path.into(),
        publish: path.into(),
        always: false,
        of: None,
        over: None,
        split: None,
    };
    let work = Work {
        inputs: vec![],
        code: vec![],
        uses: vec![],
        secrets: vec![],
        credentials: vec![],
        runtime: None,
        command: Command::Arguments(vec![]),
        needs: Needs::default(),
        timeout: None,
        pass_env: vec![],
        variables: vec![],
    };
    let stage = Stage {
        work,
        outputs: vec![output],
        retry: None,
        rerun: Rerun::Never,
        status: vec![0],
        checkpoint: None,
        isolation: Isolation::Copies,
        baseline: None,
    };
    Node { name: name.into(), leg: None, doc: None, when: None, waits: vec![], kind: NodeKind::Stage(Box::new(stage)) }
}

fn requirement(kind: &str, op: Compare, limit: Value) -> Requirement {
    let size = kind == "size";
    Requirement {
        level: Level::Require,
        text: kind.to_owned(),
        measure: Measure {
            kind: kind.into(),
            metric: (!size).then(|| MetricRef { evidence: 0, name: "auc".into() }),
            artifact: size.then(|| Origin::output("train", "model")),
            table: None,
            groups: None,
            options: BTreeMap::new(),
            ty: if size { Type::Bytes } else { Type::Ratio(Range::ANY) },
        },
        bound: Limit::Compare { op, limit: Expr::Value(limit) },
    }
}

fn plan(with_baseline: bool) -> Plan {
    let report = Artifact::Metrics { name: "Evaluation".into() };
    let evidence = Evidence {
        alias: None,
        origin: Origin::output("evaluate", "report"),
        path: "out/e.json".into(),
        ty: report.clone(),
        of: Some(Origin::output("train", "model")),
        over: None,
        split: None,
        list: None,
    };
    let mut requirements = vec![
        requirement("metric", Compare::AtLeast, Value::Ratio(0.8)),
        requirement("size", Compare::AtMost, Value::Bytes(100)),
    ];
    if with_baseline {
        requirements.push(requirement("regression", Compare::AtMost, Value::Ratio(0.02)));
    }
    let gate = Gate {
        evidence: vec![evidence],
        admits: vec![Origin::output("train", "model")],
        baseline: with_baseline.then(|| Baseline {
            registry: "models".into(),
            pointer: "production".into(),
            recorded: false,
            on_absent: OnMissing::Pass,
            on_unscorable: OnMissing::Error,
            evidence: vec![BaselineEvidence {
                evidence: 0,
                origin: Origin::output("evaluate@quality", "report"),
                path: ".mlpc/baseline/quality/out/e.json".into(),
            }],
        }),
        requirements,
    };
    let metric = Metric {
        name: "auc".into(),
        ty: Type::Ratio(Range::ANY),
        direction: Some(Direction::Higher),
        from: None,
        scale: None,
        n: None,
    };
    let gate = Node {
        name: "quality".into(),
        leg: None,
        doc: None,
        when: None,
        waits: vec![],
        kind: NodeKind::Gate(Box::new(gate)),
    };
    Plan {
        format: FORMAT,
        pipeline: "p".into(),
        doc: None,
        edition: 2026,
        triggers: vec![],
        params: vec![],
        secrets: vec![],
        runtimes: vec![],
        metrics: vec![MetricsType { name: "Evaluation".into(), doc: None, metrics: vec![metric] }],
        sources: vec![],
        registries: vec![],
        profiles: vec![],
        targets: vec![],
        beside: crate::plan::Beside::default(),
        nodes: vec![
            stage("train", "model", Artifact::Model { format: None }, "out/model"),
            stage("evaluate", "report", report, "out/e.json"),
            gate,
        ],
        read: std::collections::BTreeMap::new(),
        places: BTreeMap::from([("quality#0".to_owned(), Place { file: "p.mlp".into(), line: 7, column: 3 })]),
    }
}

fn bound(with_baseline: bool) -> Bound {
    bind(&plan(with_baseline), &Selection::default()).expect("binds")
}

fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

fn judged(bound: &Bound, workspace: &tempfile::TempDir) -> Report {
    judge(bound, workspace.path(), "quality", &BTreeMap::new(), HeldTo::OneRun(&BTreeMap::new())).expect("a gate")
}

#[test]
fn the_digests_of_all_that_was_looked_at_are_in_the_report() {
    let folder = workspace(&[("out/e.json", r#"{"auc": 0.9}"#), ("out/model/w", "w"), ("out/model/b", "bb")]);
    let report = judged(&bound(false), &folder);
    assert_eq!(report.verdict, Outcome::Pass, "{}", report.reason);
    assert_eq!(report.requirements[1].value, Some(3.0), "all files of a folder");
    assert_eq!(report.requirements[0].place.as_ref().map(|place| place.line), Some(7));
    let digest = host::Digest::of(br#"{"auc": 0.9}"#).to_string();
    assert_eq!(report.evidence[0].digest.as_deref(), Some(digest.as_str()));
    assert!(report.admits[0].digest.is_some());
    assert_eq!(report.plan, plan(false).digest());
}

#[test]
fn what_is_missing_or_no_file_is_an_error() {
    let folder = workspace(&[("out/model", "w")]);
    let report = judged(&bound(false), &folder);
    assert_eq!((report.verdict, report.reason.as_str()), (Outcome::Error, "`out/e.json` is missing"));
    fs::create_dir_all(folder.path().join("out/e.json")).expect("made");
    assert_eq!(judged(&bound(false), &folder).reason, "`out/e.json` can't be read: it is a folder");
}

#[test]
fn what_a_skipped_stage_made_in_an_earlier_run_is_not_looked_at() {
    let folder = workspace(&[("out/e.json", r#"{"auc": 0.9}"#), ("out/model", "w")]);
    let skipped = BTreeMap::from([("evaluate".to_owned(), "did not run: `train` failed".to_owned())]);
    let report =
        judge(&bound(false), folder.path(), "quality", &skipped, HeldTo::OneRun(&BTreeMap::new())).expect("a gate");
    assert_eq!(report.verdict, Outcome::NotEvaluated);
    assert_eq!(report.reason, "`out/e.json` was not made: `evaluate` did not run: `train` failed");
}

#[test]
fn the_baseline_is_what_was_written_down_and_nothing_is_an_error() {
    let folder = workspace(&[
        ("out/e.json", r#"{"auc": 0.9}"#),
        ("out/model", "w"),
        (".mlpc/baseline/quality/out/e.json", r#"{"auc": 0.95}"#),
        (".mlpc/baseline/quality/recorded.json", r#"{"auc": 0.99}"#),
    ]);
    let bound = bound(true);
    assert_eq!(judged(&bound, &folder).verdict, Outcome::Error, "numbers alone are no baseline");
    let write = |file: &BaselineFile| write_baseline(&bound, folder.path(), file).expect("written");
    write(&BaselineFile::absent("quality", "models", "production"));
    assert_eq!(judged(&bound, &folder).verdict, Outcome::Pass);
    write(&BaselineFile::unreachable("quality", "models", "production", "no route to host"));
    assert_eq!(judged(&bound, &folder).verdict, Outcome::Error);
    let mut scored = BaselineFile::scored("quality", "models", "production", "v1", "blake3:00");
    write(&scored);
    let report = judged(&bound, &folder);
    assert_eq!(report.verdict, Outcome::Fail, "{}", report.reason);
    let compared = report.baseline.expect("compared");
    assert_eq!((compared.state, compared.version.as_deref()), (State::Scored, Some("v1")));
    scored.recorded.insert(Origin::output("evaluate", "report"), ".mlpc/baseline/quality/recorded.json".into());
    write(&scored);
    assert!(judged(&bound, &folder).baseline.expect("compared").moved.is_some());
    fs::remove_file(folder.path().join(".mlpc/baseline/quality/recorded.json")).expect("removed");
    assert_eq!(judged(&bound, &folder).verdict, Outcome::Error, "nobody can tell whether it fell");
    write(&BaselineFile::unscorable("quality", "models", "production", "v1", "blake3:00", "exit status 1"));
    assert_eq!(judged(&bound, &folder).verdict, Outcome::Error);
    write(&BaselineFile::absent("quality", "models", "staging"));
    assert_eq!(judged(&bound, &folder).verdict, Outcome::Error, "of another pointer");
}

#[test]
fn again_gives_the_same_bytes_until_a_file_or_the_plan_changes() {
    let folder = workspace(&[("out/e.json", r#"{"auc": 0.9}"#), ("out/model", "w")]);
    let bound = bound(false);
    let report = judged(&bound, &folder);
    let path = write(&bound, folder.path(), &report).expect("written");
    assert_eq!(path, folder.path().join(".mlpc/gates/quality/gate_report.json"));
    let read = Report::from_json(&fs::read_to_string(path).expect("there")).expect("a report");
    assert_eq!(again(&bound, folder.path(), &read).expect("the same plan").to_json(), report.to_json());
    fs::write(folder.path().join("out/e.json"), r#"{"auc": 0.91}"#).expect("written");
    assert_ne!(again(&bound, folder.path(), &read).expect("the same plan").to_json(), report.to_json());
    let other = bind(&plan(true), &Selection::default()).expect("binds");
    assert!(again(&other, folder.path(), &read).is_err());
}

#[test]
fn what_is_no_gate_is_told_with_the_gates_there_are() {
    let bound = bound(false);
    assert_eq!(find(&bound, "train").expect_err("a stage"), "`train` is a stage, not a gate");
    assert_eq!(find(&bound, "speed").expect_err("none"), "no gate `speed`; there are `quality`");
}

#[test]
fn numbers_that_were_recorded_on_other_data_are_not_compared() {
    let mut plan = plan(true);
    plan.sources = vec![crate::plan::Source {
        name: "golden".into(),
        doc: None,
        ty: Artifact::File,
        location: crate::types::Location::Path("golden.csv".into()),
        frozen: Some("blake3:1".into()),
    }];
    let node = plan.nodes.iter_mut().find(|node| node.name == "quality").expect("the gate");
    let NodeKind::Gate(gate) = &mut node.kind else { panic!("is a gate") };
    gate.evidence[0].over = Some(Origin::Source("golden".into()));
    let mut gate = gate.clone();
    let asked = |gate: &Gate, digest: Option<&str>| {
        let inputs = digest.map(|digest| ("golden".to_owned(), digest.to_owned())).into_iter().collect();
        super::measured_on_other_data(&plan, gate, "v1", &inputs)
    };
    assert_eq!(asked(&gate, None), None, "it is scored again");
    gate.baseline.as_mut().expect("a baseline").recorded = true;
    assert_eq!(asked(&gate, Some("blake3:1")), None);
    assert!(asked(&gate, Some("blake3:2")).expect("other data").contains("`blake3:2`"));
    assert!(asked(&gate, None).expect("unknown data").contains("unknown data"));
}
