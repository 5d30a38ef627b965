//! A source that changes while a run reads it: what a gate judged and what was trained on have to be the same bytes.

use crate::sandbox::{Ended, Sandbox};

/// A model of a table that a gate looks at first. Between the two a stage writes to the table, as somebody beside the run would.
const PIPELINE: &str = r#"pipeline toy
edition 2026

metrics Quality { score: ratio higher }
source raw: Dataset<csv> = "data.csv"
registry models = directory("registry")

gate clean on raw { require nulls(y) <= 0% }
stage early { in raw   out copy: Dataset<csv> = "copy.csv"   run <<< cp "$raw" "$copy" >>> }
stage meanwhile after FIRST {
  rerun    always
  pass_env ["HOME"]
  out      done: File = "done"
  run <<<
    test ! -e /"$HOME"/row || cat /"$HOME"/row >> /"$HOME"/../work/data.csv
    echo > "$done"
  >>>
}
stage train after LATER { in raw   out model: Model<json> = "model.json"   run <<< printf '{"rows": %s}' "$(wc -l < "$raw")" > "$model" >>> }
stage evaluate {
  in   model = train.model
  out  report: Metrics<Quality> of model = "report.json"
  run  <<< echo '{"score": 0.9}' > "$report" >>>
}
gate quality on evaluate.report { require score >= 0.5 }
register release = train.model to models after quality, clean { metrics: evaluate.report }
promote current = release to models@production
"#;

fn toy(first: &str, later: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("toy.mlp", &PIPELINE.replace("FIRST", first).replace("after LATER", later)).file("data.csv", "y\n1\n");
    sandbox
}

fn refused(sandbox: &Sandbox, ended: &Ended, why: &str) {
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stdout.contains(&format!("the source `raw` changed while the run ran: {why}")), "{ended:?}");
    assert!(!sandbox.path().join("registry/pointers").exists(), "{ended:?}");
}

#[test]
fn what_a_gate_judged_is_what_is_trained_on_or_nothing_is_released() {
    let sandbox = toy("clean", "after meanwhile");
    sandbox.file("../home/row", "\n");
    let why = "`train` finds other bytes than `clean` read";
    let moved = sandbox.mlpc(&["run"]);
    refused(&sandbox, &moved, why);
    assert!(moved.stderr.contains("run again while nothing writes to it"), "{moved:?}");
    std::fs::remove_file(sandbox.path().join("../home/row")).expect("removed");
    sandbox.file("data.csv", "y\n1\n");
    let steady = sandbox.mlpc(&["run"]);
    assert_eq!(steady.code, 0, "{steady:?}");
}

#[test]
fn what_one_stage_read_is_what_another_reads_or_nothing_is_released() {
    let sandbox = toy("early, clean", "after meanwhile");
    sandbox.file("../home/row", "2\n");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(
        ended.stdout.contains("the source `raw` changed while the run ran: `train` finds other bytes"),
        "{ended:?}"
    );
    assert!(!sandbox.path().join("registry/pointers").exists(), "{ended:?}");
}
