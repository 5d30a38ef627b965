//! `--until`, `--from`, `--only`, `--keep-going` and `--fail-fast`, on a pipeline that ends with a release.

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline toy
edition 2026

metrics Quality { score: ratio higher }
source raw: File = "score.txt"
registry models = directory("registry")

stage prepare {
  in  raw
  out clean: File = "clean.txt"
  out count: int = json("count.json", "/rows")
  run <<< cat "$raw" > "$clean"; printf '{"rows": 3}' > count.json >>>
}

stage train {
  in  clean = prepare.clean, rows = prepare.count
  out model: Model<json> = "model.json"
  run <<< printf '{"score": %s, "rows": %s}\n' "$(cat "$clean")" "$rows" > "$model" >>>
}

stage evaluate {
  in   model = train.model, data = prepare.clean
  code "evaluate.sh"
  out  report: Metrics<Quality> of model over data as test = "report.json"
  run  <<< bash evaluate.sh "$model" > "$report" >>>
}

gate quality on evaluate.report {
  baseline models@production
  on no_baseline: ask bootstrap
  require score >= 0.5
  require regression(score) <= 1%
}

approval bootstrap of train.model { by: ["ada"], timeout: 1d }
register release = train.model to models after quality { metrics: evaluate.report }
promote current = release to models@production
"#;

fn toy() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("toy.mlp", PIPELINE).file("score.txt", "0.8").file("evaluate.sh", "cat \"$1\"\n");
    sandbox
}

fn registry(sandbox: &Sandbox) -> bool {
    sandbox.path().join("registry").exists()
}

#[test]
fn a_part_of_the_pipeline_measures_and_decides_but_never_releases() {
    let sandbox = toy();
    let missing = sandbox.mlpc(&["run", "--only", "train"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.stdout.contains("`prepare.clean` is not there: no file or folder `clean.txt`"), "{missing:?}");
    assert_eq!(sandbox.mlpc(&["run", "--until", "evaluate"]).code, 0);

    let dry = sandbox.mlpc(&["plan", "--from", "evaluate"]);
    assert!(dry.stdout.contains("  not released here: this run leaves out `train`"), "{dry:?}");
    let part = sandbox.mlpc(&["run", "--from", "evaluate"]);
    assert!(part.stdout.contains("release           not released here: this run leaves out `train`"), "{part:?}");
    assert!(part.stdout.contains("bootstrap         not released here: this run leaves out `train`"), "{part:?}");
    assert_eq!(part.code, 11, "nobody was asked, so nothing is decided: {part:?}");
    assert!(!registry(&sandbox));

    let alone = sandbox.mlpc(&["run", "--only", "quality"]);
    assert_eq!(alone.code, 11, "{alone:?}");
    assert!(alone.stdout.contains("`mlpc run bootstrap` asks for the decision"), "{alone:?}");

    for named in [["--only", "release"], ["--only", "bootstrap"], ["--from", "current"]] {
        let refused = sandbox.mlpc(&[&["run"], named.as_slice()].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("needs a run of all that it waits for"), "{refused:?}");
    }
    let released = sandbox.mlpc(&["run", "--from", "evaluate", "--release"]);
    assert_eq!(released.code, 2, "{released:?}");
    assert!(!registry(&sandbox));

    // From the first stage on nothing is left out.
    let whole = sandbox.mlpc(&["run", "--from", "prepare"]);
    assert_eq!(whole.code, 14, "{whole:?}");
}

#[test]
fn a_gate_that_is_asked_alone_looks_at_what_stands() {
    let sandbox = toy();
    sandbox.file("toy.mlp", &PIPELINE.replace("ask bootstrap", "pass").replace("\napproval", "\n#"));
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let passes = sandbox.mlpc(&["run", "--only", "quality"]);
    assert!(passes.code == 0 && passes.stdout.contains("evaluate@quality"), "{passes:?}");
    sandbox.file("report.json", "{\"score\": 0.4}");
    let fails = sandbox.mlpc(&["run", "--only", "quality"]);
    assert_eq!(fails.code, 11, "{fails:?}");
    assert!(fails.stdout.contains("it is not what `evaluate` made when it last ran"), "{fails:?}");
    std::fs::remove_file(sandbox.path().join("report.json")).expect("removed");
    let cached = sandbox.mlpc(&["run", "--only", "quality"]);
    assert_eq!(cached.code, 0, "{cached:?}");
    sandbox.shell("rm -rf .mlpc/cache");
    let nothing = sandbox.mlpc(&["run", "--only", "quality"]);
    assert_eq!(nothing.code, 11, "{nothing:?}");
}

#[test]
fn what_lies_between_runs_and_values_stand_too() {
    let sandbox = toy();
    sandbox.mlpc(&["run", "train"]);
    sandbox.file("clean.txt", "0.7").file("count.json", "{\"rows\": 9}");
    let between = sandbox.mlpc(&["run", "evaluate", "--from", "train"]);
    assert_eq!(between.code, 0, "{between:?}");
    assert_eq!(sandbox.read("model.json"), "{\"score\": 0.7, \"rows\": 9}\n");
    assert!(!between.stdout.contains("prepare"), "{between:?}");
    sandbox.file("count.json", "{\"rows\": true}");
    let wrong = sandbox.mlpc(&["run", "--only", "train"]);
    assert!(wrong.code == 1 && wrong.stdout.contains("`prepare.count` (`count.json`) is no `int`"), "{wrong:?}");
    let nothing = sandbox.mlpc(&["run", "prepare", "--from", "train"]);
    assert!(nothing.code == 2 && nothing.stderr.contains("nothing lies between"), "{nothing:?}");
    let both = sandbox.mlpc(&["run", "prepare", "--only", "train"]);
    assert!(both.code == 2 && both.stderr.contains("do not go together"), "{both:?}");
}

#[test]
fn a_failure_stops_what_waits_for_it_and_on_demand_all_the_rest() {
    let sandbox = Sandbox::new();
    let stage = |name: &str, command: &str| {
        format!(
            "\nstage {name} {{\n  out {name}_made: File = \"{name}.txt\"\n  run <<< {command} > \"${name}_made\" >>>\n}}\n"
        )
    };
    let text = format!("pipeline two\nedition 2026\n{}{}", stage("bad", "false"), stage("good", "echo good"));
    sandbox.file("two.mlp", &text);
    let fast = sandbox.mlpc(&["run", "-j", "1", "--fail-fast"]);
    assert_eq!(fast.code, 1, "{fast:?}");
    assert!(fast.stdout.contains("good  not run: `bad` did not come out well"), "{fast:?}");
    assert!(!sandbox.path().join("good.txt").exists());
    let on = sandbox.mlpc(&["run", "-j", "1", "--fail-fast", "-k"]);
    assert_eq!(on.code, 1, "{on:?}");
    assert_eq!(sandbox.read("good.txt"), "good\n");
}
