//! Raw blocks of targets: what they add, and at which line each fault of one is said.

use mlpc::compile::compile;
use mlpc::source::Sources;
use mlpc::targets;

use crate::sandbox::Sandbox;

/// A pipeline with settings of a target behind it.
fn pipeline(settings: &str) -> String {
    format!(
        r#"pipeline p
edition 2026

on push {{ branches: ["main"] }}
secret hub_token
metrics Scores {{ auc: ratio higher }}
source raw: Dataset<csv> = "raw.csv"
stage train for x in ["a", "b"] {{
  in  raw
  out model: Model<pickle> = "{{x}}.pkl"
  run <<< python3 train.py "$raw" "$model" >>>
}}
stage score {{
  in  model = train["a"].model, data = raw
  secret hub_token
  out report: Metrics<Scores> of model over data as test = "report.json"
  run <<< python3 score.py "$model" "$data" "$report" "$hub_token" >>>
}}
gate good on score.report {{ require auc >= 0.5 }}

{settings}
"#
    )
}

fn block(target: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("      {line}\n")).collect();
    pipeline(&format!("target {target} {{\n  raw: {{\n    train: <<<\n{lines}    >>>\n  }}\n}}"))
}

/// Returns code, place and message of what is wrong with the blocks of a pipeline.
fn said(source: &str) -> Vec<String> {
    let sources = Sources::single("p.mlp", source);
    let compiled = compile(&sources);
    assert!(compiled.plan.is_some(), "{}", super::compile::listed(&sources, &compiled.diagnostics));
    let found = targets::check_raw(&compiled.model, &sources);
    found.iter().map(|one| format!("{} at `{}`: {}", one.code.name(), sources.slice(one.span()), one.message)).collect()
}

#[track_caller]
fn says(target: &str, text: &str, wanted: &[&str]) {
    assert_eq!(said(&block(target, text)), wanted, "{text}");
}

#[test]
fn what_does_not_fit_the_model_is_said_at_its_line() {
    says("github", "env: [a", &["raw-block at `env: [a`: this is no YAML: did not find expected ',' or ']'"]);
    says("github", "- a", &["raw-block at `- a`: the block is no map of YAML"]);
    says(
        "github",
        "env:\n  A: b\nenviron:\n  A: b",
        &[
            "raw-block at `environ:`: GitHub does not take this: unknown field `environ`, expected one of `env`, `services`, `before`, `after`",
        ],
    );
    says(
        "github",
        "env:\n  A: b\n  PYTHON: 3.10",
        &[
            "raw-block at `3.10`: GitHub does not take this: env.PYTHON: a number with a fraction loses its zeros; write it in quotes",
        ],
    );
    says(
        "github",
        "\n\nbefore:\n  - name: x\n    rnu: y",
        &[
            "raw-block at `rnu: y`: GitHub does not take this: before[0]: unknown field `rnu`, expected one of `name`, `id`, `if`, `uses`, `with`, `shell`, `working-directory`, `env`, `run`, `continue-on-error`, `timeout-minutes`",
        ],
    );
    says(
        "github",
        "before:\n  - name: idle\n  - { run: x, uses: ./own }",
        &[
            "raw-block at `name: idle`: a step has `uses` or `run`, and this one neither",
            "raw-block at `run: x, uses: ./own }`: a step has `uses` or `run`, and this one both",
        ],
    );
    says(
        "argo",
        "nodeSelector: [gpu]",
        &["raw-block at `[gpu]`: Argo does not take this: nodeSelector: invalid type: sequence, expected a map"],
    );
    says(
        "argo",
        "tolerations:\n  - key: a\n    effect: NoRun",
        &[
            "raw-block at `NoRun`: Argo does not take this: tolerations[0].effect: unknown variant `NoRun`, expected one of `NoSchedule`, `PreferNoSchedule`, `NoExecute`",
        ],
    );
    says(
        "argo",
        "volumes:\n  - name: a\n  - name: b\n    emptyDir: {}\n    secret: { secretName: s }",
        &[
            "raw-block at `name: a`: a volume is one thing, and this one is 0",
            "raw-block at `name: b`: a volume is one thing, and this one is 2",
        ],
    );
}

#[test]
fn what_the_pipeline_says_is_not_for_a_block() {
    says(
        "github",
        "env:\n  A: b\nneeds: [x]\nif: always()",
        &[
            "raw-owned at `needs: [x]`: `needs` is not for a raw block to say",
            "raw-owned at `if: always()`: `if` is not for a raw block to say",
        ],
    );
    says(
        "github",
        "env:\n  MLPC_PLAN: x\n  PATH: y\nbefore:\n  - { id: mlpc, run: x }",
        &[
            "raw-owned at `MLPC_PLAN: x`: the variable `MLPC_PLAN` is how the jobs tell `mlpc` what to do",
            "raw-owned at `PATH: y`: the variable `PATH` is read by every program of the job, `mlpc` among them",
            "raw-owned at `id: mlpc, run: x }`: a step of the job's own has the id `mlpc`",
        ],
    );
    says(
        "argo",
        "container:\n  image: x\n  volumeMounts: []\nretryStrategy: {}",
        &[
            "raw-owned at `retryStrategy: {}`: `retryStrategy` is not for a raw block to say",
            "raw-owned at `image: x`: `container.image` is not for a raw block to say",
        ],
    );
    says(
        "argo",
        "container:\n  volumeMounts:\n    - { name: a, mountPath: /mlpc/out }",
        &[
            "raw-owned at `mountPath: /mlpc/out }`: `/mlpc/out` would cover `/mlpc`, where a pod keeps the checkout and its files",
        ],
    );
    let workflow = |text: &str| said(&pipeline(&format!("target github {{\n  workflow: <<<\n    {text}\n  >>>\n}}")));
    assert_eq!(
        workflow("on: { pull_request_target: {} }"),
        [
            "raw-owned at `pull_request_target: {} }`: `on.pull_request_target` is not for a raw block to say",
            "raw-owned at `on: { pull_request_target: {} }`: `on` is not for a raw block to say",
        ]
    );
    assert_eq!(workflow("jobs: {}"), ["raw-owned at `jobs: {}`: `jobs` is not for a raw block to say"]);
}

#[test]
fn what_may_change_tomorrow_and_what_would_be_evaluated_is_refused() {
    says(
        "github",
        "before:\n  - uses: actions/checkout@v4\n  - uses: ./own\n  - uses: docker://redis:7\nservices:\n  r:\n    image: redis:7",
        &[
            "raw-unpinned at `uses: actions/checkout@v4`: the action `actions/checkout@v4` may be another one tomorrow",
            "raw-unpinned at `uses: docker://redis:7`: the action `docker://redis:7` may be another one tomorrow",
            "raw-unpinned at `image: redis:7`: the image `redis:7` may be another one tomorrow",
        ],
    );
    says(
        "github",
        "after:\n  - env: { A: '${{ secrets.HUB_TOKEN }}', B: '${{ secrets.OTHER }}', C: '${{ toJSON(secrets) }}' }\n    run: |\n      one\n      echo ${{ github.head_ref }}\n  - name: of ${{ github.actor }}\n    run: x",
        &[
            "raw-expression at `B: '${{ secrets.OTHER }}', C: '${{ toJSON(secrets) }}' }`: the pipeline declares no secret for `secrets.OTHER`",
            "raw-expression at `C: '${{ toJSON(secrets) }}' }`: all secrets at once are no one's need",
            "raw-expression at `echo ${{ github.head_ref }}`: GitHub would put a value into the text of `run` before anything reads it",
            "raw-expression at `name: of ${{ github.actor }}`: GitHub would put a value into the text of `name` before anything reads it",
        ],
    );
    says(
        "argo",
        "container:\n  env:\n    - { name: A, value: '{{workflow.parameters.x}}' }\n    - { name: B, value: '{{workflow.uid}}' }\n    - { name: C, value: '{{=1+1' }",
        &[
            "raw-expression at `value: '{{workflow.parameters.x}}' }`: Argo would evaluate `{{workflow.parameters.x}}`",
            "raw-expression at `value: '{{=1+1' }`: Argo would evaluate `{{=1+1}}`",
        ],
    );
}

#[test]
fn only_what_runs_something_takes_a_block() {
    let with = |name: &str| said(&pipeline(&format!("target github {{ raw: {{ {name}: <<< env: {{ A: b }} >>> }} }}")));
    assert_eq!(with("train"), Vec::<String>::new());
    assert_eq!(with("trian"), ["target-setting at `env: { A: b }`: no stage or action `trian`"]);
    assert_eq!(
        with("good"),
        ["target-setting at `env: { A: b }`: a gate `good` runs nothing of yours, and takes no raw block"]
    );
}

#[test]
fn every_leg_gets_it_and_the_plan_is_another_one() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.csv", "a\n1\n");
    let compiled = |text: &str| {
        sandbox.file("p.mlp", &block("github", text));
        let ended = sandbox.mlpc(&["compile", "-o", "."]);
        assert_eq!(ended.code, 0, "{ended:#?}");
        std::fs::read_to_string(sandbox.path().join(".github/workflows/p.yml")).expect("was written")
    };
    let text = compiled("env: { THREADS: 4 }");
    assert_eq!(text.matches("# with `raw: train` of the target").count(), 2, "{text}");
    assert_eq!(text.matches("      THREADS: '4'\n").count(), 2, "{text}");
    let plan = |text: &str| text.lines().find(|line| line.starts_with("# plan: ")).map(str::to_owned);
    assert_ne!(plan(&text), plan(&compiled("env: { THREADS: 5 }")));
}

#[test]
fn a_variable_that_a_step_would_hide_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.file("raw.csv", "a\n1\n");
    sandbox.file("p.mlp", &block("github", "env:\n  FINE: 1\n  model: x"));
    let ended = sandbox.mlpc(&["compile", "-o", "."]);
    assert!(ended.code == 2 && ended.stderr.contains("the variable `model` would be hidden"), "{ended:#?}");
    assert!(ended.stderr.contains("p.mlp:26:9"), "{ended:#?}");
    sandbox.file(
        "p.mlp",
        &block("argo", "nodeSelector:\n  a: b\ncontainer:\n  volumeMounts:\n    - { name: shm, mountPath: /dev/shm }"),
    );
    let ended = sandbox.mlpc(&["compile", "-o", "."]);
    assert!(ended.code == 2 && ended.stderr.contains("no volume `shm` is mounted here"), "{ended:#?}");
}
