//! What is read with `?` is absent only where it was not to be made: a job that something held back looks the same on a
//! platform, and is no reason to go on without it.

use crate::sandbox::{Ended, Sandbox};

/// What a platform says of the jobs before: a node, how it ended, and outputs as JSON without braces.
type Need<'a> = (&'a str, &'a str, &'a str);

/// Compiles `p.mlp` and returns its workflow.
fn compiled(sandbox: &Sandbox, text: &str) -> String {
    sandbox.file("p.mlp", text);
    let ended = sandbox.mlpc(&["compile", "--target", "github", "--file", "p.mlp"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    sandbox.read(&format!(".github/workflows/{}.yml", name(text)))
}

fn name(text: &str) -> &str {
    text.split_whitespace().nth(1).expect("a name")
}

/// Returns the condition of a job.
fn condition(workflow: &str, job: &str) -> String {
    let read: serde_yaml::Value = serde_yaml::from_str(workflow).expect("YAML");
    read["jobs"][job]["if"].as_str().unwrap_or_default().to_owned()
}

/// Does what a job of a started-by-hand run does; what came out well before stands in `done`.
fn job(sandbox: &Sandbox, node: &str, needs: &[Need<'_>], params: &str) -> Ended {
    let mut said = Vec::new();
    let mut copies = String::new();
    for (other, result, outputs) in needs {
        let made = sandbox.path().join("done").join(other).join("digest");
        let digest = if *result == "success" { std::fs::read_to_string(made).ok() } else { None };
        let digest = digest.map(|digest| {
            copies.push_str(&format!("cp -r done/{other} in/{other}; "));
            format!("\"digest\": \"{digest}\"")
        });
        let outputs: Vec<_> = digest.into_iter().chain((!outputs.is_empty()).then(|| (*outputs).to_owned())).collect();
        said.push(format!("\"{other}\": {{\"result\": \"{result}\", \"outputs\": {{{}}}}}", outputs.join(", ")));
    }
    sandbox.shell(&format!(
        "rm -rf in; mkdir -p in done; {copies}
         export GITHUB_ACTIONS=true GITHUB_JOB={node} GITHUB_REPOSITORY=a/b GITHUB_RUN_ID=7 GITHUB_RUN_ATTEMPT=1 \
         GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s RUNNER_TEMP=$HOME/t GITHUB_EVENT_NAME=workflow_dispatch \
         GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main MLPC_PARAMS='{params}' MLPC_NEEDS='{{{}}}'
         plan=$(sed -n 's/^# plan: //p' .github/workflows/*.yml)
         mlpc exec {node} --file p.mlp --plan $plan --in in --out done/{node}",
        said.join(", ")
    ))
}

const GUARDED: &str = r#"pipeline example
edition 2026
on push { branches: ["main"] }
on manual { full }
metrics E { auc: ratio higher }
metrics S { leak: ratio lower }
source raw: File = "raw.txt"
param full: bool = true
stage train { in raw   out model: File = "out/model"   run <<< cp "$raw" "$model" >>> }
stage scan { in raw   out report: Metrics<S> = "out/s.json"   run <<< printf '{"leak":0.9}' > "$report" >>> }
gate safe on scan.report { require leak <= 0.1 }
stage attack_set when full after safe { in raw   out o: File = "out/attack"   run <<< echo hard > "$o" >>> }
stage evaluate {
  in model = train.model, hard = attack_set.o?
  out report: Metrics<E> of model = "out/e.json"
  run <<< if [ -n "$hard" ]; then printf '{"auc":0.1}' > "$report"; else printf '{"auc":0.9}' > "$report"; fi >>>
}
gate q on evaluate.report { require auc >= 0.5 }
target github { install: "preinstalled" }
"#;

#[test]
fn a_job_that_a_gate_held_back_is_not_taken_for_one_that_was_not_to_run() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    let workflow = compiled(&sandbox, GUARDED);
    let text = condition(&workflow, "evaluate");
    let left_out = "needs.attack_set.result == 'skipped' && (!(";
    assert!(text.contains(left_out) && text.contains("inputs.full"), "{text}");
    let ended = job(&sandbox, "train", &[], "{}");
    assert_eq!(ended.code, 0, "{ended:?}");
    let train = ("train", "success", "");
    for said in ["skipped", "failure", "cancelled"] {
        let ended = job(&sandbox, "evaluate", &[train, ("attack_set", said, "")], r#"{"full": true}"#);
        assert_eq!(ended.code, 11, "{ended:?}");
        let why = format!("`evaluate` waits for `attack_set`, of which GitHub says `{said}`");
        assert!(ended.stderr.contains(&why), "{ended:?}");
        assert!(!sandbox.path().join("out/e.json").exists());
    }
    // Not to run: it is absent, also where the checkout has something there.
    sandbox.file("out/attack", "committed\n");
    let ended = job(&sandbox, "evaluate", &[train, ("attack_set", "skipped", "")], r#"{"full": false}"#);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read("out/e.json"), r#"{"auc":0.9}"#);
    let ended = job(&sandbox, "evaluate", &[train, ("attack_set", "failure", "")], r#"{"full": false}"#);
    assert_eq!(ended.code, 11, "{ended:?}");
    // No platform that says anything: what did not come in is not there.
    let ended = sandbox.shell(
        "plan=$(sed -n 's/^# plan: //p' .github/workflows/*.yml); rm -rf in/attack_set
         mlpc exec evaluate --file p.mlp --plan $plan --run a/b/7 --in none --out done/evaluate",
    );
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stderr.contains("was not handed on") || ended.stdout.contains("was not handed on"), "{ended:?}");
}

#[test]
fn a_rejected_approval_is_no_reason_to_act_without_what_waits_for_it() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    let text = r#"pipeline example
edition 2026
on push { branches: ["main"] }
on manual { strict }
param strict: bool = true
source raw: File = "raw.txt"
stage train { in raw   out model: File = "out/model"   run <<< cp "$raw" "$model" >>> }
approval go of train.model when strict { by: ["alice"], environment: "production", timeout: 24h }
stage notes after go { out o: File = "out/notes"   run <<< echo x > "$o" >>> }
stage told { in notes = notes.o?   out o: File = "out/told"   run <<< echo "told ${notes:-without notes}" > "$o" >>> }
target github { install: "preinstalled" }
"#;
    let workflow = compiled(&sandbox, text);
    let said = condition(&workflow, "told");
    assert!(said.contains("needs.notes.result == 'skipped' && (!(") && said.contains("inputs.strict"), "{said}");
    let ended = job(&sandbox, "told", &[("notes", "skipped", "")], r#"{"strict": true}"#);
    assert_eq!(ended.code, 11, "{ended:?}");
    let ended = job(&sandbox, "told", &[("notes", "skipped", "")], r#"{"strict": false}"#);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read("out/told"), "told without notes\n");
}

#[test]
fn a_leg_behind_one_that_failed_is_not_left_out_of_the_numbers() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    let text = r#"pipeline example
edition 2026
on push { branches: ["main"] }
on manual { full }
param full: bool = true
source raw: File = "raw.txt"
stage prep for c in ["nord", "syd"] { in raw   out o: File = "out/{c}/prep"   run <<< cp "$raw" "$o" >>> }
stage measure for c in ["nord", "syd"] when full { in p = prep[c].o   out o: File = "out/{c}/m"   run <<< cp "$p" "$o" >>> }
stage all { in rs = measure[*].o?   out o: File = "out/all"   run <<< wc -w <<< "$rs" > "$o" >>> }
target github { install: "preinstalled" }
"#;
    let workflow = compiled(&sandbox, text);
    let said = condition(&workflow, "all");
    assert!(said.contains("needs.measure-syd.result == 'skipped' && (!("), "{said}");
    for node in ["'prep[nord]'", "'prep[syd]'"] {
        let ended = job(&sandbox, node, &[], "{}");
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let legs = [("measure-nord", "skipped", ""), ("measure-syd", "skipped", "")];
    assert_eq!(job(&sandbox, "all", &legs, r#"{"full": true}"#).code, 11);
    assert_eq!(job(&sandbox, "all", &legs, r#"{"full": false}"#).code, 0);
}

#[test]
fn where_github_compares_otherwise_nothing_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    let text = r#"pipeline example
edition 2026
on manual { tier, r }
param tier: string = "silver"
param r: ratio = 5%
source raw: File = "raw.txt"
stage a when tier != "gold" { in raw   out o: File = "out/a"   run <<< cp "$raw" "$o" >>> }
stage g when r > 10% { in raw   out o: File = "out/g"   run <<< cp "$raw" "$o" >>> }
stage z { in a = a.o?, g = g.o?   out o: File = "out/z"   run <<< echo "a $a g $g" > "$o" >>> }
target github { install: "preinstalled" }
"#;
    compiled(&sandbox, text);
    let neither = [("a", "skipped", ""), ("g", "skipped", "")];
    // GitHub takes `20%` for no number, and `Gold` for `gold`: it runs neither, and both were to run.
    let ended = job(&sandbox, "z", &neither, r#"{"tier": "gold", "r": "20%"}"#);
    assert_eq!(ended.code, 11, "{ended:?}");
    let ended = job(&sandbox, "z", &neither, r#"{"tier": "Gold", "r": "5%"}"#);
    assert_eq!(ended.code, 11, "{ended:?}");
    let ended = job(&sandbox, "z", &neither, r#"{"tier": "gold", "r": "5%"}"#);
    assert_eq!(ended.code, 0, "{ended:?}");
    // A job that GitHub runs all the same does nothing, and is red.
    let ended = job(&sandbox, "g", &[], r#"{"tier": "gold", "r": "5%"}"#);
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stderr.contains("the `when` of `g` is false"), "{ended:?}");
    let ended = sandbox.shell(
        "export GITHUB_ACTIONS=true GITHUB_EVENT_NAME=workflow_dispatch GITHUB_REF=refs/heads/main GITHUB_REPOSITORY=a/b \
         GITHUB_RUN_ID=7 GITHUB_STEP_SUMMARY=$HOME/s RUNNER_TEMP=$HOME/t MLPC_PARAMS='{\"tier\": \"gold\", \"r\": \"20%\"}' \
         MLPC_NEEDS='{\"a\": {\"result\": \"skipped\", \"outputs\": {}}, \"g\": {\"result\": \"skipped\", \"outputs\": {}}, \
         \"z\": {\"result\": \"success\", \"outputs\": {}}}'
         mlpc exec --verdict --file p.mlp --plan $(sed -n 's/^# plan: //p' .github/workflows/*.yml)",
    );
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stdout.contains("g: not run, although it should have been"), "{ended:?}");
}

#[test]
fn what_a_gate_did_not_ask_for_is_absent_on_a_platform_too() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    let text = r#"pipeline example
edition 2026
on push { branches: ["main"] }
metrics E { auc: ratio higher }
source raw: File = "raw.txt"
registry models = git("models")
stage train { in raw   out model: File = "out/model"   run <<< cp "$raw" "$model" >>> }
stage evaluate { in model = train.model   out report: Metrics<E> of model = "out/e.json"   run <<< printf '{"auc":0.9}' > "$report" >>> }
approval first of train.model { by: ["alice"], environment: "production", timeout: 24h }
gate q on evaluate.report { baseline models@production   on no_baseline: ask first   require regression(auc) <= 1% }
register release = train.model to models after q { metrics: evaluate.report }
promote current = release to models@production
stage card after first { out o: File = "out/card"   run <<< echo card > "$o" >>> }
stage told { in card = card.o?   out o: File = "out/told"   run <<< echo "told ${card:-without}" > "$o" >>> }
target github { install: "preinstalled" }
"#;
    let workflow = compiled(&sandbox, text);
    let said = condition(&workflow, "told");
    assert!(said.contains("needs.card.result == 'skipped' && ("), "{said}");
    assert!(said.contains("needs.q.result == 'success' && !(needs.q.outputs.ask == 'true')"), "{said}");
    let card = ("card", "skipped", "");
    for q in [
        vec![card],
        vec![card, ("q", "success", r#""ask": "true", "asked": "first""#)],
        vec![card, ("q", "failure", r#""ask": "false""#)],
    ] {
        let ended = job(&sandbox, "told", &q, "{}");
        assert_eq!(ended.code, 11, "{ended:?}");
    }
    let ended = job(&sandbox, "told", &[card, ("q", "success", r#""ask": "false", "asked": """#)], "{}");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read("out/told"), "told without\n");
}

#[test]
fn what_is_read_with_a_question_mark_does_not_wait_for_an_approval() {
    let sandbox = Sandbox::new();
    let text = |notes: &str| {
        format!(
            r#"pipeline example
edition 2026
param strict: bool = true
source raw: File = "raw.txt"
registry models = directory("registry")
stage train {{ in raw   out model: File = "out/model"   run <<< cp "$raw" "$model" >>> }}
register release = train.model to models ungated "a test"
approval go of release when strict {{ by: ["alice"], timeout: 24h }}
stage notes after go {{ out o: File = "out/notes"   run <<< echo x > "$o" >>> }}
action deploy of release {{ in notes = notes.o{notes}   run <<< echo "deployed ${{notes:-without notes}}" >>> }}
"#
        )
    };
    sandbox.file("p.mlp", &text("?"));
    sandbox.file("raw.txt", "raw\n");
    let ended = sandbox.mlpc(&["check", "p.mlp"]);
    assert!(format!("{ended:?}").contains("unapproved-release"), "{ended:?}");
    sandbox.file("p.mlp", &text(""));
    let ended = sandbox.mlpc(&["check", "p.mlp"]);
    assert!(!format!("{ended:?}").contains("unapproved-release"), "{ended:?}");
}

/// A stage without isolation whose input is other bytes while it runs than before and after.
const MOVED: &str = r#"pipeline example
edition 2026
on push { branches: ["main"] }
on manual { }
metrics E { auc: ratio higher }
source raw: File = "raw.txt"
source test: File = "test.txt"
stage train { in raw   out model: File = "out/model"   run <<< cp "$raw" "$model" >>> }
stage evaluate {
  in model = train.model, test
  isolation off
  out report: Metrics<E> of model over test as test = "out/e.json"
  run <<<
    echo 0.9 > test.txt
    printf '{"auc":%s}' "$(cat test.txt)" > "$report"
    echo 0.1 > test.txt
  >>>
}
stage norm { in r = evaluate.report, model = train.model   out report: Metrics<E> of model = "out/n.json"   run <<< cp "$r" "$report" >>> }
gate q on norm.report { require auc >= 0.5 }
target github { install: "preinstalled" STEPS }
"#;

#[test]
fn a_job_hands_nothing_on_that_was_made_of_what_moved() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    sandbox.file("test.txt", "0.1\n");
    let workflow = compiled(&sandbox, &MOVED.replace(" STEPS", ""));
    assert!(workflow.contains("mlpc exec train --file p.mlp --plan \"$MLPC_PLAN\" --begin"), "{workflow}");
    assert!(!workflow.contains("mlpc exec evaluate --file p.mlp --plan \"$MLPC_PLAN\" --begin"), "{workflow}");
    assert_eq!(job(&sandbox, "train", &[], "{}").code, 0);
    let ended = job(&sandbox, "evaluate", &[("train", "success", "")], "{}");
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(format!("{ended:?}").contains("`evaluate` read `test.txt`, which changed meanwhile"), "{ended:?}");
    assert!(!sandbox.path().join("done/evaluate/files").exists());
}

#[test]
fn a_stage_behind_what_moved_is_no_way_to_wash_it() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.txt", "raw\n");
    sandbox.file("test.txt", "0.1\n");
    sandbox.file("p.mlp", &MOVED.replace(" STEPS", ""));
    let ended = sandbox.mlpc(&["run", "--file", "p.mlp"]);
    assert_eq!(ended.code, 11, "{ended:?}");
    for line in [&["gate", "q", "--file", "p.mlp"][..], &["run", "--only", "q", "--file", "p.mlp"]] {
        let ended = sandbox.mlpc(line);
        assert_eq!(ended.code, 11, "{ended:?}");
    }
}
