use std::collections::BTreeMap;

use super::*;
use crate::gate::{
    Baseline, BaselineEvidence, Bound, Compare, Evidence, Gate, Level, Measure, MetricRef, OnMissing, Requirement,
};
use crate::plan::{
    Approval, BaselineRun, Command, FORMAT, Input, Interpreter, Isolation, Needs, Node, Output, OutputKind, Profile,
    Promote, Register, Registry, RegistryLocation, Rerun, Retry, SecretUse, Setting, Stage, Subject, TargetSettings,
    Trigger, Wait, Why, Work,
};
use crate::types::{Artifact, Expr, Origin, Range, Type, Value};

const HOUR: i64 = 3_600_000_000_000;

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn settings(fields: Vec<(&str, Value)>) -> Vec<TargetSettings> {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    vec![TargetSettings { name: "argo".into(), settings: Value::Record(fields) }]
}

fn plan(name: &str, nodes: Vec<Node>) -> Plan {
    Plan {
        format: FORMAT,
        pipeline: name.into(),
        doc: None,
        edition: 2026,
        triggers: vec![],
        params: vec![],
        secrets: vec![],
        runtimes: vec![],
        metrics: vec![],
        sources: vec![],
        registries: vec![Registry {
            name: "models".into(),
            location: RegistryLocation::Git { branch: "mlpc-registry".into(), remote: "origin".into() },
        }],
        profiles: vec![],
        targets: settings(vec![("image", text("python:3.11-slim"))]),
        beside: crate::plan::Beside::default(),
        nodes,
        read: std::collections::BTreeMap::new(),
        places: BTreeMap::new(),
    }
}

fn waits(list: &[(&str, Why)]) -> Vec<Wait> {
    list.iter().map(|(node, why)| Wait { node: (*node).to_owned(), why: *why }).collect()
}

fn node(name: &str, list: &[(&str, Why)], kind: NodeKind) -> Node {
    Node { name: name.into(), leg: None, doc: None, when: None, waits: waits(list), kind }
}

fn stage(inputs: &[(&str, &str)], outputs: &[(&str, Artifact)]) -> Stage {
    let input = |(name, origin): &(&str, &str)| Input {
        name: (*name).into(),
        kind: crate::plan::InputKind::Artifact,
        origin: origin.parse().expect("never fails"),
        path: format!("in/{name}"),
        ty: Artifact::File,
        optional: false,
        ungated: false,
    };
    let output = |(name, ty): &(&str, Artifact)| Output {
        name: (*name).into(),
        doc: None,
        kind: OutputKind::Artifact(ty.clone()),
        path: format!("out/{name}"),
        publish: format!("out/{name}"),
        always: false,
        of: None,
        over: None,
        split: None,
    };
    let script = "echo {{workflow.name}} $(date) $$\n".to_owned();
    Stage {
        work: Work {
            inputs: inputs.iter().map(input).collect(),
            code: vec!["src/*.py".into()],
            uses: vec![],
            secrets: vec![],
            credentials: vec![],
            runtime: None,
            command: Command::Script { interpreter: Interpreter::Bash, text: script },
            needs: Needs::default(),
            timeout: None,
            pass_env: vec![],
            variables: vec![],
        },
        outputs: outputs.iter().map(output).collect(),
        retry: None,
        rerun: Rerun::Never,
        status: vec![0],
        checkpoint: None,
        isolation: Isolation::Copies,
        baseline: None,
    }
}

fn on_stage(name: &str, list: &[(&str, Why)], stage: Stage) -> Node {
    node(name, list, NodeKind::Stage(Box::new(stage)))
}

fn gate(on_absent: OnMissing) -> Gate {
    let measure = |kind: &str, metric: bool, artifact: Option<Origin>| Measure {
        table: None,
        groups: None,
        kind: kind.into(),
        metric: metric.then(|| MetricRef { evidence: 0, name: "auc".into() }),
        artifact,
        options: BTreeMap::new(),
        ty: Type::Ratio(Range::ANY),
    };
    let require = |measure| Requirement {
        level: Level::Require,
        text: "auc >= 0.9".into(),
        measure,
        bound: Bound::Compare { op: Compare::AtLeast, limit: Expr::Value(Value::Ratio(0.9)) },
    };
    Gate {
        evidence: vec![Evidence {
            alias: None,
            origin: Origin::output("evaluate", "report"),
            path: "out/report".into(),
            ty: Artifact::Metrics { name: "Evaluation".into() },
            of: Some(Origin::output("train", "model")),
            over: Some(Origin::output("prepare", "test")),
            split: Some("test".into()),
            list: None,
        }],
        admits: vec![Origin::output("train", "model")],
        baseline: Some(Baseline {
            registry: "models".into(),
            pointer: "production".into(),
            recorded: false,
            on_absent,
            on_unscorable: OnMissing::Error,
            evidence: vec![BaselineEvidence {
                evidence: 0,
                origin: Origin::output("evaluate@quality", "report"),
                path: ".mlpc/baseline/quality/out/report".into(),
            }],
        }),
        requirements: vec![
            require(measure("metric", true, None)),
            require(measure("size", false, Some(Origin::output("train", "model")))),
        ],
    }
}

/// Prepare, train, evaluate (and the production model beside it), gate, register, promote.
fn quickstart() -> Plan {
    let data = Artifact::Dataset { format: Some("csv".into()), schema: None };
    let model = Artifact::Model { format: Some("json".into()) };
    let report = Artifact::Metrics { name: "Evaluation".into() };
    let evaluate = stage(
        &[("model", "train.model"), ("data", "prepare.test")],
        &[("report", report.clone()), ("scores", Artifact::Report)],
    );
    let again = Stage {
        baseline: Some(BaselineRun {
            gate: "quality".into(),
            stage: "evaluate".into(),
            registry: "models".into(),
            pointer: "production".into(),
        }),
        ..stage(
            &[("model", "models@production"), ("data", "prepare.test")],
            &[("report", report), ("scores", Artifact::Report)],
        )
    };
    let register = Register {
        model: Origin::output("train", "model"),
        with: vec![],
        registry: "models".into(),
        metrics: Some(Origin::output("evaluate", "report")),
        ungated: None,
    };
    let promote = Promote {
        release: "release".into(),
        registry: "models".into(),
        pointer: "production".into(),
        compared_by: vec!["quality".into()],
    };
    let mut prepare =
        on_stage("prepare", &[], stage(&[("raw", "measurements")], &[("train", data.clone()), ("test", data)]));
    prepare.doc = Some("Splits the rows, {{workflow.name}}.\nMore.".into());
    let nodes = vec![
        prepare,
        on_stage("train", &[("prepare", Why::Data)], stage(&[("data", "prepare.train")], &[("model", model)])),
        on_stage("evaluate", &[("prepare", Why::Data), ("train", Why::Data)], evaluate),
        on_stage("evaluate@quality", &[("prepare", Why::Data)], again),
        node(
            "quality",
            &[("evaluate", Why::Data), ("train", Why::Data), ("evaluate@quality", Why::Baseline)],
            NodeKind::Gate(Box::new(gate(OnMissing::Pass))),
        ),
        node(
            "release",
            &[("train", Why::Data), ("evaluate", Why::Data), ("quality", Why::After), ("quality", Why::Admission)],
            NodeKind::Register(register),
        ),
        node("current", &[("release", Why::Data), ("quality", Why::Admission)], NodeKind::Promote(promote)),
    ];
    let mut plan = plan("quickstart", nodes);
    plan.registries[0].location = RegistryLocation::Directory { path: "registry".into() };
    plan.profiles = vec![Profile {
        name: "shared".into(),
        settings: vec![Setting::Registry {
            name: "models".into(),
            location: RegistryLocation::Git { branch: "mlpc-registry".into(), remote: "origin".into() },
        }],
        releases: true,
        gates_block: true,
    }];
    let branches = vec!["main".into()];
    plan.triggers = vec![Trigger {
        kind: TriggerKind::Push { branches, paths: vec![] },
        profile: Some("shared".into()),
        comment: vec![],
    }];
    plan.targets = settings(vec![("namespace", text("argo")), ("image", text("python:3.11-slim"))]);
    plan.targets.push(TargetSettings { name: "github".into(), settings: Value::Record(vec![]) });
    plan
}

/// What the quickstart has not: people, a schedule, a GPU, secrets, retries, a folder, a leg of a loop, every setting.
fn everything() -> Plan {
    let mut plan = quickstart();
    plan.pipeline = "fraud_detector".into();
    if let NodeKind::Gate(gate) = &mut plan.nodes[4].kind {
        gate.baseline.as_mut().expect("has one").on_absent = OnMissing::Ask("bootstrap".into());
    }
    if let NodeKind::Stage(stage) = &mut plan.nodes[1].kind {
        stage.work.needs = Needs { cpu: Some(0.5), memory: Some(16 << 30), gpu: Some(1) };
        stage.work.timeout = Some(4 * HOUR);
        stage.work.secrets = vec![SecretUse { secret: "hf_token".into(), variable: "TOKEN".into() }];
        stage.retry = Some(Retry { times: 2, causes: vec!["infrastructure".into()], statuses: vec![] });
    }
    let approval = |of, on_demand| {
        NodeKind::Approval(Approval {
            of,
            by: vec!["alice".into(), "bob".into()],
            environment: None,
            timeout: 24 * HOUR,
            on_demand,
        })
    };
    let leg = stage(&[("data", "prepare.train")], &[("folder", Artifact::Dir)]);
    plan.nodes.insert(
        5,
        node(
            "bootstrap",
            &[("train", Why::Subject), ("quality", Why::Ask)],
            approval(Subject::Artifact(Origin::output("train", "model")), true),
        ),
    );
    plan.nodes
        .insert(7, node("go_live", &[("release", Why::Subject)], approval(Subject::Release("release".into()), false)));
    plan.nodes[8].waits.push(Wait { node: "go_live".into(), why: Why::After });
    plan.nodes.push(on_stage("plots[nord,1]", &[("prepare", Why::Data)], leg));
    let schedule = |cron: &str, profile: Option<&str>| Trigger {
        kind: TriggerKind::Schedule { cron: cron.into(), timezone: "Europe/Berlin".into() },
        profile: profile.map(str::to_owned),
        comment: Vec::new(),
    };
    plan.triggers.extend([schedule("17 6 * * 1", Some("shared")), schedule("0 0 1 * *", Some("shared"))]);
    let list = |items: &[&str]| Value::List(items.iter().map(|item| text(item)).collect());
    let record = |fields: Vec<(&str, Value)>| {
        Value::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    plan.targets = settings(vec![
        ("namespace", text("ml")),
        ("image", text("registry.example/team/python:3.11")),
        ("mlpc_image", text("registry.example/team/mlpc:0.1.0")),
        (
            "code",
            record(vec![
                ("repo", text("https://git.example/team/models.git")),
                ("revision", text("main")),
                ("secret", text("git-credentials")),
            ]),
        ),
        ("artifacts", text("s3")),
        ("service_account", text("trainer")),
        ("profile", text("shared")),
        ("secrets", text("vault")),
        ("parallelism", Value::Int(4)),
        ("keep", Value::Duration(48 * HOUR)),
        ("gpu", record(vec![("nodes", list(&["pool=gpu"])), ("taints", list(&["nvidia.com/gpu", "spot"]))])),
    ]);
    plan
}

/// Does something with a site of which nothing more is known than where the pipeline's file is.
fn at_site<T>(what: impl FnOnce(&Site<'_>) -> T) -> T {
    let (sources, spans, locked) = (crate::source::Sources::default(), BTreeMap::new(), BTreeMap::new());
    let (folder, file, version) = ("", "pipeline.mlp", "0.1.0");
    what(&Site { folder, file, version, spans: &spans, sources: &sources, locked: &locked })
}

fn compile(plan: &Plan) -> Compiled {
    at_site(|site| Argo.compile(plan, site))
}

/// The tasks of a plan's graph, by name.
struct Graph(BTreeMap<String, model::Task>);

impl Graph {
    fn of(plan: &Plan) -> Self {
        at_site(|site| {
            let context = Context::new(plan, site, Settings::default());
            let templates = dag::templates(&context, &raw::Additions::default());
            let graph = templates.into_iter().find_map(|template| template.value.dag).expect("a graph");
            Self(graph.tasks.into_iter().map(|task| (task.value.name.clone(), task.value)).collect())
        })
    }

    fn depends(&self, task: &str) -> &str {
        self.0[task].depends.as_deref().unwrap_or_default()
    }

    /// Says when a task runs, with `P` for the name of the profile.
    fn when(&self, task: &str) -> Option<String> {
        self.0[task].when.as_deref().map(|when| when.replace(absent::PROFILE, "P"))
    }
}

fn messages(plan: &Plan) -> Vec<String> {
    compile(plan).diagnostics.iter().map(|found| format!("{:?}: {}", found.code, found.message)).collect()
}

#[test]
fn every_edge_names_its_result() {
    for plan in [quickstart(), everything()] {
        let compiled = compile(&plan);
        let text = compiled.files[0].text.clone();
        let edges: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("depends: ")).collect();
        assert!(!edges.is_empty());
        for term in
            edges.iter().flat_map(|edge| edge.split([' ', '(', ')'])).filter(|term| !matches!(*term, "" | "&&" | "||"))
        {
            assert!(term.contains('.'), "{term}");
        }
    }
}

/// A smoke run starts no pod that it could only refuse in, and asks nobody about what it does not release.
#[test]
fn a_profile_that_does_not_release_skips_what_releases() {
    let mut plan = everything();
    let profile =
        |name: &str, releases| Profile { name: name.into(), settings: vec![], releases, gates_block: releases };
    plan.profiles = vec![profile("shared", true), profile("smoke", false), profile("night", false)];
    let graph = Graph::of(&plan);
    let when = |name: &str| graph.when(name);
    for name in ["release", "current"] {
        assert_eq!(when(name).as_deref(), Some("'P' != 'smoke' && 'P' != 'night'"), "{name}");
    }
    let there = "'P' != 'smoke' && 'P' != 'night' && '{{tasks.release.outputs.parameters.there}}' != 'true'";
    assert_eq!(when("go-live").as_deref(), Some(there));
    assert_eq!(when("go-live-answer"), None, "it follows the question");
    assert_eq!(when("train"), None);
    assert!(when("bootstrap").is_some_and(|when| !when.contains("smoke")), "a gate may ask for it");
}

#[test]
fn a_lost_baseline_is_no_unscorable_one_and_a_gate_waits_for_an_answer() {
    let plan = everything();
    let graph = Graph::of(&plan);
    let depends = |name: &str| graph.depends(name);
    let when = |name: &str| graph.when(name);
    assert_eq!(
        depends("quality"),
        "evaluate.Succeeded && train.Succeeded && (evaluate-quality.Succeeded || evaluate-quality.Failed)"
    );
    assert_eq!(depends("bootstrap"), "train.Succeeded && quality.Succeeded");
    assert_eq!(when("bootstrap").as_deref(), Some("'{{tasks.quality.outputs.parameters.ask}}' == 'true'"));
    assert_eq!(
        depends("release"),
        "train.Succeeded && evaluate.Succeeded && quality.Succeeded && (bootstrap.Skipped || bootstrap-answer.Succeeded)"
    );
    assert!(depends("current").ends_with("&& (go-live.Skipped || go-live-answer.Succeeded)"), "{}", depends("current"));
    assert_eq!(when("go-live").as_deref(), Some("'{{tasks.release.outputs.parameters.there}}' != 'true'"));
    let ends = |task: &str| {
        format!("({task}.Succeeded || {task}.Failed || {task}.Errored || {task}.Skipped || {task}.Omitted)")
    };
    assert_eq!(
        depends("verdict"),
        format!("{} && {} && {}", ends("bootstrap-answer"), ends("current"), ends("plots-nord-1"))
    );
}

#[test]
fn no_answer_of_a_gate_is_tried_again() {
    for plan in [quickstart(), everything()] {
        for file in compile(&plan).files.iter().filter(|file| file.path.ends_with("-template.yaml")) {
            for line in file.text.lines().filter(|line| line.contains("expression:")) {
                assert!(line.contains("&& asInt(lastRetry.exitCode) not in [0, 10, 11]"), "{line}");
            }
        }
    }
}

#[test]
fn a_folder_as_a_registry_is_lost_with_the_pod() {
    let mut plan = quickstart();
    plan.triggers.clear();
    assert_eq!(
        messages(&plan),
        [
            "registry-not-shared: the registry `models` is the folder `registry` without a profile: in a pod it is lost with the pod"
        ]
    );
    plan.targets = settings(vec![("image", text("i")), ("profile", text("shared"))]);
    assert_eq!(messages(&plan), Vec::<String>::new());
    plan.targets = settings(vec![("image", text("i")), ("profile", text("sharde"))]);
    assert_eq!(messages(&plan), ["target-setting: `target argo` names the profile `sharde`, which is not declared"]);
}

#[test]
fn what_argo_cannot_do_is_said() {
    let mut plan = quickstart();
    plan.targets = settings(vec![("image", text("python:$(TAG)"))]);
    plan.nodes[0].when = Some(Expr::Param("x".into()));
    plan.nodes.push(on_stage("plots[{{x}}]", &[], stage(&[], &[])));
    let said = messages(&plan);
    assert!(said[0].starts_with("target-limit: argo can't evaluate the `when` of `prepare`"), "{said:?}");
    assert_eq!(said[1], "trigger-elsewhere: argo does not see `on push`");
    assert_eq!(said[2], "target-limit: `plots[{{x}}]` would be changed on argo, which evaluates `{{`");
    assert_eq!(said[3], "target-limit: `python:$(TAG)` would be changed on argo, which evaluates `$(`");
    assert_eq!(said.len(), 4, "{said:?}");
}

#[test]
fn no_image_at_all_is_said_once() {
    let mut plan = quickstart();
    plan.targets = settings(vec![("profile", text("shared"))]);
    plan.targets.push(TargetSettings { name: "github".into(), settings: Value::Record(vec![]) });
    assert_eq!(
        messages(&plan),
        ["target-setting: argo runs everything in a container, and `target argo` names no image"]
    );
    plan.targets[0] = settings(vec![("profile", text("shared")), ("mlpc_image", text("i"))]).remove(0);
    assert_eq!(messages(&plan).len(), 1, "stages have none");
}

#[test]
fn two_hundred_nodes_are_too_many() {
    let mut plan = quickstart();
    plan.nodes = (0..198).map(|number| on_stage(&format!("s[{number}]"), &[], stage(&[], &[]))).collect();
    let said = messages(&plan);
    assert_eq!(said[0], "target-limit: argo takes at most 200 templates in a workflow, this pipeline needs 201");
}

#[test]
fn names_that_fall_together_are_told_apart() {
    let names = ["a_b", "a[b]", "verdict", "go", "go_answer", "commit"];
    let mut nodes: Vec<_> = names.iter().map(|name| on_stage(name, &[], stage(&[], &[]))).collect();
    nodes[3].kind = NodeKind::Approval(Approval {
        of: Subject::Release("a_b".into()),
        by: vec![],
        environment: None,
        timeout: HOUR,
        on_demand: false,
    });
    let plan = plan("p", nodes);
    let slugs = names::slugs(&plan);
    let mut all: Vec<_> = slugs
        .values()
        .cloned()
        .chain([names::answer(&slugs["go"]), "verdict".into(), "main".into(), "commit".into()])
        .collect();
    all.sort();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count, "{all:?}");
}
