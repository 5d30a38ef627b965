//! `mlpc lineage`: from a version or an output down to the sources.

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline toy
edition 2026

param factor: int = 2
metrics Quality { score: ratio higher }
source scores: File = "score.txt"
registry models = directory("registry")

stage prepare {
  in  raw = scores
  use factor
  out clean: File = "out/clean.txt"
  out rows: int = json("out/rows.json", "/rows")
  run <<< cp "$raw" "$clean"; echo "{\"rows\": $factor}" > out/rows.json >>>
}

stage train {
  in   clean = prepare.clean, rows = prepare.rows
  code "train.sh"
  out  model: Model<json> = "out/model.json"
  run  <<< bash train.sh "$clean" "$rows" > "$model" >>>
}

stage evaluate {
  in  model = train.model, data = prepare.clean
  out report: Metrics<Quality> of model over data as test = "out/report.json"
  run <<< cp "$model" "$report" >>>
}

gate quality on evaluate.report { require score >= 0.5 }
register release = train.model to models after quality { metrics: evaluate.report }
promote current = release to models@production
"#;

fn toy() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("toy.mlp", PIPELINE).file("score.txt", "0.8");
    sandbox.file("train.sh", "printf '{\"score\": %s, \"rows\": %s}' \"$(cat \"$1\")\" \"$2\"\n");
    sandbox
}

#[test]
fn an_output_is_followed_to_its_sources() {
    let sandbox = toy();
    let none = sandbox.mlpc(&["lineage", "train.model"]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.stderr.contains("`mlpc run train` does"), "{none:?}");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    // A run that takes all from the cache knows as much.
    sandbox.file("unrelated", "");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let ended = sandbox.mlpc(&["lineage", "train.model"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().map(str::trim_start).collect();
    let at = |begin: &str| {
        let found = lines.iter().position(|line| line.starts_with(begin));
        found.unwrap_or_else(|| panic!("no line `{begin}` in\n{}", ended.stdout))
    };
    assert!(at("train  ran in ") < at("use  rows = 2"));
    assert!(at("code train.sh  blake3:") < at("in   clean = prepare.clean  blake3:"));
    assert!(at("in   clean = prepare.clean") < at("prepare  ran in "));
    assert!(at("prepare  ran in ") < at("use  factor = 2"));
    assert!(at("gate quality  pass: ") < at("in   raw = source scores  blake3:"));
    assert!(!ended.stdout.contains("evaluate  ran in"), "{ended:?}");

    let digest = lines[0].split_whitespace().nth(1).expect("a digest");
    let by_digest = sandbox.mlpc(&["lineage", digest]);
    assert!(by_digest.stdout.contains("train  ran in"), "{by_digest:?}");
    let wrong = sandbox.mlpc(&["lineage", "train.modle"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("did you mean `train.model`?"), "{wrong:?}");
    let nothing = sandbox.mlpc(&["lineage", "blake3:00"]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
}

#[test]
fn a_version_knows_its_run_its_gates_and_its_stages() {
    let sandbox = toy();
    let unset = sandbox.mlpc(&["lineage", "models@production"]);
    assert!(unset.code == 2 && unset.stderr.contains("names no version yet"), "{unset:?}");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let json = sandbox.mlpc(&["lineage", "models@production", "--format", "json"]);
    let lineage: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let stages = |lineage: &serde_json::Value| -> Vec<String> {
        let stages = lineage["stages"].as_array().expect("a list").iter();
        stages.map(|stage| stage["stage"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(stages(&lineage), ["train", "prepare"]);
    assert!(lineage["gates"][0]["verdict"].as_str().is_some_and(|text| text.starts_with("pass: ")), "{json:?}");
    assert_eq!(lineage["version"]["metadata"]["params"]["factor"], 2);
    assert_eq!(lineage["stages"][1]["inputs"][0]["from"], "source scores");
    let id = lineage["version"]["id"].as_str().expect("an id");

    // Production moves on; the version is found by its id.
    sandbox.file("score.txt", "0.9");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let older = sandbox.mlpc(&["lineage", id, "--format", "json"]);
    let older: serde_json::Value = serde_json::from_str(&older.stdout).expect("JSON");
    assert_eq!((&older["digest"], stages(&older)), (&lineage["digest"], stages(&lineage)));

    sandbox.shell("rm -rf .mlpc");
    let bare = sandbox.mlpc(&["lineage", id]);
    assert_eq!(bare.code, 0, "{bare:?}");
    assert!(bare.stdout.contains("gate quality  its report is not here  blake3:"), "{bare:?}");
    assert!(bare.stdout.contains("no run on this machine made it"), "{bare:?}");
    let wrong = sandbox.mlpc(&["lineage", "v20200101-00000000"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("is no version"), "{wrong:?}");
}
