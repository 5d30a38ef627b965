//! What a form offers to fill in is what `mlpc exec` reads: a start by hand or a call that changes nothing is the run of the defaults.

use serde_yaml::Value;

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline forms
edition 2026
on manual { whole, large, real, huge, exact, share, yes, no, odd, empty, kind, wait, size, names, window, steps, waits, maybe, absent, filed }
on call   { whole, large, real, huge, exact, share, yes, no, odd, empty, kind, wait, size, names, window, steps, waits, maybe, absent, filed }
param whole:  int    = -3
param large:  int    = 9007199254740993
param real:   float  = 1e-5
param huge:   float  = 1e300
param exact:  float  = 0.30000000000000004
param share:  ratio  = 2.9%
param yes:    bool   = true
param no:     bool   = false
param odd:    string = '  "odd" # a: \n $HOME {x} * é | null '
param empty:  string = ""
param kind:   "yes" | "1" | "a b" = "1"
param wait:   duration = 90m
param size:   bytes = 2GiB
param names:  [string] = ["a", "b c", "", "it's \"c\"\nd", "\{x}"]
param window: { low: float, high: ratio } = { low: 0.1, high: 90% }
param steps:  [{ at: duration, size: bytes, tags: [string] }] = [{ at: 4h, size: 1KiB, tags: ["x", "y: z"] }, { at: 1s, size: 1B, tags: [] }]
param waits:  [duration] = [1s, 90m]
param maybe:  [int]? = [1, 2]
param absent: int?
param filed:  string from "conf.json" at "/name"

stage show {
  use whole, large, real, huge, exact, share, yes, no, odd, empty, kind, wait, size, names, window, steps, waits, maybe, absent, filed
  out shown: File = "out/shown.txt"
  run <<<
    printf '[%s]\n' "$whole" "$large" "$real" "$huge" "$exact" "$share" "$yes" "$no" "$odd" "$empty" "$kind" "$wait" "$size" \
      "$names" "$window" "$steps" "$waits" "$maybe" "$absent" "$filed" > "$shown"
  >>>
}

target github { install: "preinstalled" }
target argo { image: "python:3.11-slim" }
"#;

/// Returns what the fields of a form hold as long as nobody touches them, as the JSON that GitHub makes of them. By hand all but
/// boxes to tick are texts, and what has no default is an empty one.
fn untouched(inputs: &Value, by_hand: bool) -> serde_json::Value {
    let field = |(name, input): (&Value, &Value)| {
        let json = match input.get("default") {
            Some(Value::Bool(value)) => (*value).into(),
            Some(Value::Number(number)) if by_hand => number.to_string().into(),
            Some(Value::Number(number)) => serde_json::from_str(&number.to_string()).expect("a number"),
            Some(Value::String(text)) => text.as_str().into(),
            None if by_hand => "".into(),
            None => serde_json::Value::Null,
            Some(other) => panic!("{other:?}"),
        };
        (name.as_str().expect("a name").to_owned(), json)
    };
    inputs.as_mapping().expect("inputs").iter().map(field).collect()
}

#[test]
fn a_form_that_nobody_touches_is_the_run_of_the_defaults() {
    let sandbox = Sandbox::new();
    sandbox.file("pipeline.mlp", PIPELINE).file("conf.json", "{\"name\": \"of the file\"}");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let wanted = sandbox.read("out/shown.txt");
    assert!(wanted.contains("\n[9007199254740993]\n") && wanted.contains("\n[low=0.1\nhigh=0.9]\n"), "{wanted}");
    let ended = sandbox.mlpc(&["compile", "--target", "github", "--target", "argo"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let text = sandbox.read(".github/workflows/forms.yml");
    let digest = text.lines().find_map(|line| line.strip_prefix("# plan: ")).expect("the plan's digest");
    let workflow: Value = serde_yaml::from_str(&text).expect("YAML");
    for (event, by_hand) in [("workflow_dispatch", true), ("workflow_call", false)] {
        let json = untouched(&workflow["on"][event]["inputs"], by_hand).to_string();
        sandbox.file("params.json", &json);
        for given in ["MLPC_PARAMS=\"$(cat params.json)\"", "MLPC_ARGO=\"$(base64 -w0 params.json)\""] {
            let ended = sandbox.shell(&format!(
                "rm -rf .mlpc out/shown.txt handed; export {given}; \
                 mlpc exec show --plan {digest} ${{MLPC_ARGO:+--params \"$MLPC_ARGO\"}} --run 1 --in none --out handed"
            ));
            assert_eq!(ended.code, 0, "{event}: {}", ended.stderr);
            assert_eq!(sandbox.read("handed/files/shown"), wanted, "{event}: {json}");
        }
    }
}

/// Returns a pipeline of one stage with these clauses, for the GitHub runners that its `target` names.
fn one_stage(clauses: &str, target: &str) -> String {
    format!(
        "pipeline p\nedition 2026\nsource raw: Dataset<csv> = \"raw.csv\"\non push {{ branches: [\"main\"] }}\n\
         stage train {{ in raw  out model: Model<pickle> = \"m\"  {clauses}\n  run <<< cp \"$raw\" \"$model\" >>> }}\n{target}\n"
    )
}

#[test]
fn the_job_of_a_stage_has_time_for_all_of_its_tries() {
    let minutes = |clauses: &str, runner: &str, wanted: &str| {
        let sandbox = Sandbox::new();
        let target = format!("target github {{ runners: {{ default: {runner} }}, install: \"preinstalled\" }}");
        sandbox.file("raw.csv", "a\n1\n").file("pipeline.mlp", &one_stage(clauses, &target));
        let ended = sandbox.mlpc(&["compile", "--target", "github"]);
        assert!(ended.stderr.contains(wanted), "{clauses}: {}", ended.stderr);
        if ended.code != 0 {
            return ended.code.into();
        }
        let workflow: Value = serde_yaml::from_str(&sandbox.read(".github/workflows/p.yml")).expect("YAML");
        workflow["jobs"]["train"]["timeout-minutes"].as_i64().expect("a number")
    };
    let (hosted, own) = ("\"ubuntu-latest\"", "[\"self-hosted\"]");
    assert_eq!(minutes("timeout 1h", hosted, ""), 75);
    assert_eq!(minutes("timeout 1h retry 2 on timeout", hosted, ""), 195);
    assert_eq!(minutes("timeout 4h retry 2 on infrastructure", own, ""), 735);
    let beyond = "the 3 tries of `train` may take longer than the 6 h that a job has on this runner";
    assert_eq!(minutes("timeout 4h retry 2 on timeout", hosted, &format!("× {beyond}")), 2);
    // What is tried again for another reason seldom takes all of its time: no error, but not unsaid either.
    assert_eq!(minutes("timeout 4h retry 2 on oom", hosted, &format!("☞ {beyond}")), 360);
    assert_eq!(minutes("timeout 40h retry 2 on timeout", own, ""), 120 * 60);
    assert_eq!(minutes("timeout 41h retry 2 on timeout", own, "× the 3 tries"), 2);
}

#[test]
fn what_a_form_or_a_wait_on_github_would_change_is_refused() {
    let sandbox = Sandbox::new();
    let more = |more: &str| one_stage("", &format!("{more}\ntarget github {{ install: \"preinstalled\" }}"));
    let asked = "approval go of train.model { by: [\"bo\"], environment: \"e\", timeout: 60d }\n\
                 stage next after go { out x: File = \"x\"  run <<< touch \"$x\" >>> }";
    let lines = "param note: string = \"a\\nb\"\non manual { note }\nstage next { use note  out x: File = \"x\"  \
                 run <<< echo \"$note\" > \"$x\" >>> }";
    for (text, wanted) in [
        (asked, "× GitHub waits 30 days for an approval, and `go` says more"),
        (lines, "× the value of `note` has line breaks, which GitHub's form would drop"),
    ] {
        sandbox.file("raw.csv", "a\n1\n").file("pipeline.mlp", &more(text));
        let ended = sandbox.mlpc(&["check"]);
        assert!(ended.stderr.contains(wanted), "{} {}", ended.stdout, ended.stderr);
    }
}

#[test]
fn a_checkpoint_that_a_platform_loses_is_said_and_tries_in_a_job_keep_it() {
    let sandbox = Sandbox::new();
    let clauses = "timeout 1h retry 2 on exit(75) checkpoint \"ck\"";
    let targets = "target github { install: \"preinstalled\" }\ntarget argo { image: \"i\" }";
    let source = one_stage(clauses, targets)
        .replace("cp \"$raw\" \"$model\"", "echo x >> ck/n; [ $(wc -l < ck/n) -ge 3 ] || exit 75; cp ck/n \"$model\"");
    sandbox.file("raw.csv", "a\n1\n").file("pipeline.mlp", &source);
    let checked = sandbox.mlpc(&["check"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    for lost in ["a runner is lost or a job run again", "a pod is lost and another one made"] {
        assert!(said.contains(&format!("☞ `train` begins anew where {lost}")), "{said}");
    }
    let ended = sandbox.mlpc(&["compile", "--target", "github", "--target", "argo"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let templates = sandbox.read("argo/p-template.yaml");
    assert!(templates.contains(&format!("activeDeadlineSeconds: {}", 3 * 3600 + 600)), "{templates}");
    let text = sandbox.read(".github/workflows/p.yml");
    let digest = text.lines().find_map(|line| line.strip_prefix("# plan: ")).expect("the plan's digest");
    let ended = sandbox.mlpc(&["exec", "train", "--plan", digest, "--run", "1", "--in", "none", "--out", "handed"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(sandbox.read("handed/files/model"), "x\nx\nx\n");
    sandbox.file(
        "pipeline.mlp",
        &source.replace("checkpoint \"ck\"", "checkpoint \"ck\"\n  allow checkpoint-lost \"seconds\"\n"),
    );
    let checked = sandbox.mlpc(&["check"]);
    assert!(!checked.stderr.contains("begins anew") && !checked.stderr.contains("unused-allow"), "{}", checked.stderr);
}
