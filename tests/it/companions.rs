//! What belongs to a model is registered with it, and comes back with it when it is scored as the baseline.

use crate::sandbox::Sandbox;

/// The score is that of the model plus that of its encoder; either alone is worth nothing.
const PIPELINE: &str = r#"pipeline toy
edition 2026

metrics Quality { score: float higher }
source raw: File = "score.txt"
registry models = directory("registry")

stage train {
  in  raw
  out model:   File = "out/model.txt"
  out encoder: File = "out/encoder.txt"
  run <<<
    cut -d' ' -f1 "$raw" > "$model"
    cut -d' ' -f2 "$raw" > "$encoder"
  >>>
}

stage evaluate {
  in  model = train.model, encoder = train.encoder, data = raw
  out report: Metrics<Quality> of model over data as test = "out/report.json"
  run <<< printf '{"score": %d}\n' "$(( $(cat "$model") + $(cat "$encoder") ))" > "$report" >>>
}

gate quality on evaluate.report {
  baseline models@production
  on no_baseline: pass
  require regression(score) <= 0
}

register release = train.model with train.encoder to models
promote current = release to models@production
"#;

#[test]
fn a_baseline_is_scored_with_its_own_encoder() {
    let sandbox = Sandbox::new();
    sandbox.file("toy.mlp", PIPELINE).file("score.txt", "10 5\n");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    // 12 + 1 is worse than 10 + 5, though with the candidate's encoder production would have 10 + 1.
    sandbox.file("score.txt", "12 1\n");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    sandbox.file("score.txt", "9 7\n");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_baseline_registered_without_its_encoder_is_not_absent_but_unscorable() {
    let sandbox = Sandbox::new();
    let alone = PIPELINE
        .replace(" with train.encoder", "")
        .replace("encoder = train.encoder, ", "")
        .replace(" + $(cat \"$encoder\")", "");
    sandbox.file("toy.mlp", &alone).file("score.txt", "10 5\n");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    sandbox.file("toy.mlp", PIPELINE).file("score.txt", "11 5\n");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(
        ended.stderr.contains("registered without `encoder`") || ended.stdout.contains("registered without `encoder`"),
        "{ended:?}"
    );
}
