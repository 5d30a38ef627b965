//! What meets live traffic: rollouts, monitors, experiments.

use mlpc::compile::compile;
use mlpc::source::Sources;

use crate::compile::listed;
use crate::sandbox::Sandbox;

/// Pipelines with what comes out of them beside them.
const CASES: [&str; 4] = ["rollouts", "rollout_mistakes", "beside", "beside_mistakes"];

#[test]
fn fixtures_give_what_stands_beside_them() {
    for case in CASES {
        let case = crate::sandbox::repository().join("tests/fixtures").join(case);
        let text = std::fs::read_to_string(case.join("main.mlp")).expect("its pipeline");
        let sources = Sources::single("main.mlp", text);
        let compiled = compile(&sources);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            insta::assert_snapshot!("diagnostics", listed(&sources, &compiled.diagnostics));
            if let Some(mut plan) = compiled.plan {
                let mut drawing = plan.drawing();
                plan.draw_beside(&mut drawing);
                insta::assert_snapshot!("graph", drawing.draw(mlpc::graph::Format::Text));
                plan.places.clear();
                let json = serde_json::to_string(&plan).expect("a plan is JSON");
                let back: mlpc::plan::Plan = serde_json::from_str(&json).expect("and read back");
                assert_eq!(back, plan);
                insta::assert_json_snapshot!("plan", plan);
            }
        });
    }
}

/// A release that is rolled out, and an action that waits for it.
const LIVE: &str = r#"pipeline live
edition 2026

metrics Evaluation { accuracy: ratio higher }
metrics Live { error_rate: ratio lower from "/errors" }
registry models = directory("registry")
source traffic: Metrics<Live> = http("http://localhost:1")

stage train {
  out model: Model<pickle> = "model.pkl"
  run <<< printf 'model' > "$model" >>>
}

stage evaluate {
  in  model = train.model
  out report: Metrics<Evaluation> of model = "report.json"
  run <<< printf '{"accuracy": 0.95}' > "$report" >>>
}

gate quality on evaluate.report { require accuracy >= 90% }
register release = train.model to models

rollout live of release by canary {
  service "scoring" at "production"
  first_deploy direct
  step 10% for 30m
  step 100%
  watch traffic every 60s { require candidate.error_rate <= 1%   fail after 3 consecutive }
  keep previous for 7d
  shift    <<< touch shifted >>>
  observe  <<< touch observed >>>
  rollback <<< touch rolled_back >>>
  promote  models@production
}

action notes of release after live { run <<< touch acted >>> }

target github { runners: { default: "ubuntu-latest" } }
"#;

#[test]
fn nobody_runs_a_rollout_and_nothing_behind_it_runs_either() {
    let sandbox = Sandbox::new();
    sandbox.file("main.mlp", LIVE);
    let ended = sandbox.mlpc(&["run", "--json"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    let ending = |node: &str| {
        let lines = ended.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let mut ends = lines.filter(|line| line["event"] == "node_ended" && line["node"] == node);
        ends.next().unwrap_or_else(|| panic!("no end of {node}: {ended:#?}"))
    };
    assert!(ending("release").to_string().contains("done"), "{:#}", ending("release"));
    assert!(ending("live").to_string().contains("not_released"), "{:#}", ending("live"));
    assert!(ending("notes").to_string().contains("skipped"), "{:#}", ending("notes"));
    for never in ["shifted", "observed", "rolled_back", "acted"] {
        assert!(!sandbox.path().join(never).exists(), "{never}");
    }
}

#[test]
fn a_release_that_would_come_to_a_rollout_is_refused_before_anything_runs() {
    let sandbox = Sandbox::new();
    sandbox.file("main.mlp", LIVE);
    let ended = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(ended.stderr.contains("can't run the rollout `live` yet (main.mlp:23:1)"), "{ended:#?}");
    assert!(!sandbox.path().join("model.pkl").exists());
    // Named nodes that don't lead to it run.
    let ended = sandbox.mlpc(&["run", "--release", "release"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
}

#[test]
fn targets_say_that_they_cannot_with_both_lines() {
    for (target, extra) in [("github", ""), ("argo", "target argo { image: \"python:3.11-slim\" }\n")] {
        let sandbox = Sandbox::new();
        sandbox.file("main.mlp", &format!("{LIVE}{extra}"));
        let ended = sandbox.mlpc(&["compile", "--target", target, "-o", "compiled"]);
        assert_eq!(ended.code, 2, "{ended:#?}");
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains("target-limit") || said.contains("can't run the rollout"), "{said}");
        assert!(said.contains("rollout live of release") && said.contains("for this target"), "{said}");
        assert!(!sandbox.path().join("compiled").exists());
    }
}

/// A stage that reads the ambient keys of a provider, and one that gets keys from secrets.
const KEYS: &str = r#"pipeline keys
edition 2026

secret key_id
secret key
credential aws  = oidc("aws", role: "arn:aws:iam::1:role/ml", region: "eu-west-1")
credential lake = static("aws", access_key_id: key_id, secret_access_key: key, region: "eu-north-1")

stage ambient {
  credentials aws
  rerun always
  out seen: Report = "ambient.txt"
  run <<< echo "profile ${AWS_PROFILE:-none} key ${AWS_ACCESS_KEY_ID:-none}" > "$seen" >>>
}

stage given {
  credentials lake
  out seen: Report = "given.txt"
  run <<< echo "id ${#AWS_ACCESS_KEY_ID} key ${#AWS_SECRET_ACCESS_KEY} in $AWS_REGION, profile ${AWS_PROFILE:-none}" > "$seen" >>>
}

stage bare {
  out seen: Report = "bare.txt"
  run <<< echo "profile ${AWS_PROFILE:-none}" > "$seen" >>>
}

on push { }
target github { runners: { default: "ubuntu-latest" } }
"#;

#[test]
fn a_command_sees_the_keys_of_the_credentials_that_it_names_and_no_others() {
    let sandbox = Sandbox::new();
    sandbox.file("main.mlp", KEYS);
    let ended = sandbox.shell("AWS_PROFILE=mine KEY_ID=abcdefgh KEY=0123456789 mlpc run");
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert_eq!(sandbox.read("ambient.txt"), "profile mine key none\n");
    assert_eq!(sandbox.read("given.txt"), "id 8 key 10 in eu-north-1, profile none\n");
    assert_eq!(sandbox.read("bare.txt"), "profile none\n");
}

#[test]
fn a_job_on_github_asks_for_the_credential_that_its_stage_names() {
    let sandbox = Sandbox::new();
    sandbox.file("main.mlp", KEYS);
    let ended = sandbox.mlpc(&["compile", "--target", "github"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    let workflow = sandbox.read(".github/workflows/keys.yml");
    let job = |name: &str| {
        let from = workflow.find(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no job {name}: {workflow}"));
        let rest = &workflow[from + 1..];
        rest[..rest.find("\n\n").unwrap_or(rest.len())].to_owned()
    };
    let ambient = job("ambient");
    assert!(ambient.contains("id-token: write"), "{ambient}");
    assert!(ambient.contains("aws-actions/configure-aws-credentials@"), "{ambient}");
    assert!(ambient.contains("role-to-assume: arn:aws:iam::1:role/ml"), "{ambient}");
    for other in ["given", "bare"] {
        assert!(!job(other).contains("id-token") && !job(other).contains("aws-actions"), "{}", job(other));
    }
    assert!(job("given").contains("KEY_ID"), "{}", job("given"));
}

/// A monitor with these lines in its body.
fn monitor(body: &str) -> String {
    format!(
        r#"pipeline p
edition 2026

on event "retrain" {{ }}
schema Seen    {{ amount: float   kind: string }}
schema Request {{ amount: float   kind: string   at: string }}
metrics Live {{ errors: ratio lower }}
metrics Other {{ errors: ratio lower }}
registry models = directory("registry")
source seen:    Dataset<csv, Seen>    = "seen.csv"
source any:     Dataset               = "any"
source batches: Dataset<csv, Request> = "batches.csv"
source traffic: Metrics<Live>  = http("http://localhost:1")
source before:  Metrics<Live>  = http("http://localhost:2")
source other:   Metrics<Other> = http("http://localhost:3")
stage train {{
  in  seen
  out model: Model<pickle> = "model.pkl"
  run <<< cp "$seen" "$model" >>>
}}
register release = train.model to models ungated "a test"
promote current = release to models@production
monitor m {{
  every 1d
{body}
  on breach: emit "retrain"
  cooldown 1d
}}
"#
    )
}

#[test]
fn a_monitor_compares_with_its_reference_and_needs_the_one_that_it_names() {
    let said = |body: &str| {
        let sources = Sources::single("p.mlp", monitor(body));
        let found = compile(&sources).diagnostics;
        let found = found.iter().filter(|one| one.code.name() != "unused-name");
        found.map(|one| format!("{} {}", one.code.name(), one.message)).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(said("  in reference = seen, current = batches\n  require psi(amount) < 0.2"), none);
    assert_eq!(
        said("  in reference = seen, current = batches\n  require rows between 0.5x..2x against reference"),
        none
    );
    assert_eq!(said("  in current = batches\n  require psi(*) < 0.2 against \"seen.baseline.json\""), none);
    assert_eq!(said("  in reference = before, current = traffic\n  require regression(errors) <= 1%"), none);
    assert_eq!(said("  in current = models@production\n  require size(models@production) <= 500MB"), none);
    let cases = [
        (
            "  in current = batches\n  require psi(*) < 0.2",
            "bad-requirement `psi` compares with a data baseline, and none is named",
        ),
        (
            "  in reference = seen, current = batches\n  require psi(*) < 0.2",
            "bad-requirement the reference has no column `at` to hold it against",
        ),
        (
            "  in reference = seen, current = batches\n  require psi(at) < 0.2",
            "bad-requirement the reference has no column `at` to hold it against",
        ),
        (
            "  in reference = any, current = batches\n  require psi(amount) < 0.2",
            "bad-requirement `psi` is held against the reference, which is no table that can be read",
        ),
        (
            "  in reference = models@production, current = batches\n  require psi(amount) < 0.2",
            "bad-requirement `psi` is held against the reference, which is no table that can be read",
        ),
        (
            "  in reference = seen, current = batches\n  require nulls(*) <= 5%",
            "baseline-unused the monitor `m` has a reference and compares nothing with it",
        ),
        (
            "  in current = traffic\n  require regression(errors) <= 1%",
            "baseline-missing `regression` compares with nothing: the monitor has no reference",
        ),
        (
            "  in reference = other, current = traffic\n  require regression(errors) <= 1%",
            "baseline-missing `regression` compares a `Metrics<Live>` with a `Metrics<Other>`",
        ),
        (
            "  in current = traffic\n  require errors <= 1%\n  require size(train.model) <= 1MB",
            "wrong-kind a monitor looks between runs, when `train` has made nothing",
        ),
    ];
    for (body, wanted) in cases {
        assert_eq!(said(body), [wanted], "{body}");
    }
}

#[test]
fn a_monitor_is_drawn_with_what_it_looks_at_and_what_it_sets_off() {
    let sandbox = Sandbox::new();
    sandbox.file("seen.csv", "amount,kind\n1,a\n");
    let text = monitor("  in current = models@production\n  require size(models@production) <= 500MB");
    let unused =
        |line: &&str| !["any:", "batches:", "traffic:", "before:", "other:"].iter().any(|name| line.contains(name));
    let used: Vec<&str> = text
        .lines()
        .filter(unused)
        .filter(|line| !line.starts_with("metrics") && !line.starts_with("schema Request"))
        .collect();
    sandbox.file("p.mlp", &used.join("\n"));
    let drawn = |format: &str| sandbox.mlpc(&["graph", "--format", format]).stdout;
    assert!(drawn("text").ends_with(
        "promote   current\n            ← release\nmonitor   m\n            ← current  (current)\nevent     \"retrain\"\n            ← m  (on breach)\n"
    ), "{}", drawn("text"));
    let mermaid = drawn("mermaid");
    assert!(mermaid.contains("n3{{\"m\"}}") && mermaid.contains("n4([\"&quot;retrain&quot;\"])"), "{mermaid}");
    assert!(mermaid.contains("n2 -.->|\"current\"| n3") && mermaid.contains("n3 -.->|\"on breach\"| n4"), "{mermaid}");
    let dot = drawn("dot");
    assert!(dot.contains("\"m\" [shape=hexagon];") && dot.contains("\"m\" -> \"\\\"retrain\\\"\""), "{dot}");
    let planned = sandbox.mlpc(&["plan"]).stdout;
    assert!(planned.contains("beside the runs: monitor m, every 1d; nothing serves it yet"), "{planned}");
}
