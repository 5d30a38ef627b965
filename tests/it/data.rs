//! Gates on data, through the command line: what is frozen, what drifts, what can't be read, and the guard.

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

const PIPELINE: &str = r#"pipeline data
edition 2026

schema Row {
  amount: float in 0.0..1e6
  kind:   "card" | "cash"
  label:  int in 0..1
}

source raw: Dataset<csv, Row> = "raw.csv"

stage prepare {
  in  raw
  out train: Dataset<csv, Row> = "out/train.csv"
  run <<< cp "$raw" "$train" >>>
}

gate data_quality on prepare.train {
  require schema(Row)
  require nulls(*) <= 5%
  require rows between 0.5x..2x against "train.baseline.json"
  require classes(label) >= 2
  require psi(*) < 0.1 against "train.baseline.json"
}

stage train {
  in  data = prepare.train
  out model: Model<json> = "out/model.json"
  run <<< echo '{}' > "$model" >>>
}
"#;

/// A table of `rows` rows, whose amounts are `scale` times those of the baseline.
fn table(rows: u32, scale: f64) -> String {
    let mut text = "amount,kind,label\n".to_owned();
    for row in 0..rows {
        // All residues in turn: no chance in it.
        let amount = f64::from(row * 37 % 1000) * scale;
        let _ = writeln!(text, "{amount},{},{}", if row % 3 == 0 { "card" } else { "cash" }, row % 2);
    }
    text
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("pipeline.mlp", PIPELINE).file("raw.csv", &table(3000, 1.0));
    let frozen = sandbox.mlpc(&["baseline", "raw", "--out", "train.baseline.json"]);
    assert_eq!(frozen.code, 0, "{frozen:?}");
    sandbox
}

fn report(sandbox: &Sandbox) -> serde_json::Value {
    serde_json::from_str(&sandbox.read(".mlpc/gates/data_quality/gate_report.json")).expect("JSON")
}

#[test]
fn data_like_the_baseline_passes_and_other_data_stops_what_reads_it() {
    let sandbox = sandbox();
    let again = sandbox.mlpc(&["baseline", "raw", "--out", "again.json"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(sandbox.read("again.json"), sandbox.read("train.baseline.json"), "the same bytes again");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let kept = report(&sandbox);
    assert_eq!(kept["verdict"], "pass");
    assert!(kept["references"][0]["digest"].as_str().expect("a digest").starts_with("blake3:"));
    let verify = || sandbox.mlpc(&["verify", ".mlpc/gates/data_quality/gate_report.json"]);
    assert_eq!(verify().code, 0, "{:?}", verify());

    std::fs::remove_file(sandbox.path().join("out/model.json")).expect("there");
    sandbox.file("raw.csv", &table(3000, 3.0));
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 10, "{run:?}");
    assert!(!sandbox.path().join("out/model.json").exists(), "nothing is trained on it");
    let drifted = report(&sandbox);
    let psi = &drifted["requirements"][4];
    assert_eq!((psi["verdict"].as_str(), psi["parts"][0]["name"].as_str()), (Some("fail"), Some("amount")));
    assert_eq!(psi["parts"][1]["verdict"], "pass");
    assert_eq!(verify().code, 0, "{:?}", verify());

    sandbox.file("train.baseline.json", &sandbox.read("again.json").replacen("3000", "3001", 1));
    assert_eq!(verify().code, 11, "the baseline is another one");
}

#[test]
fn what_is_wrong_with_the_data_is_told_with_its_line() {
    let sandbox = sandbox();
    let good = table(3000, 1.0);
    for (text, code, words) in [
        (good.replacen("\n37,", "\n-37,", 1), 10, "`amount` is outside `float in 0..1000000` (line 3: `-37`) in 1 row"),
        (good.replacen("\n37,", "\n37,x,", 1), 11, "line 3: 4 fields under a header of 3"),
        (good.replacen("kind", "art", 1), 11, "there is no column `kind`, which `Row` has"),
        (good.replacen("\n37,cash", "\n37,\"cash", 1), 11, "line 3: the quote that opens here is never closed"),
        (table(1000, 1.0), 10, "`rows` is 0.333"),
        (table(1600, 1.0).replace(",1\n", ",0\n"), 10, "`classes(label)` is 1, but at least 2 is required"),
        ("amount,kind,label\n".to_owned(), 10, "there are no rows under the header"),
    ] {
        sandbox.file("raw.csv", &text);
        let run = sandbox.mlpc(&["run"]);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(words), "{words}:\n{said}");
        assert_eq!(run.code, code, "{words}:\n{said}");
    }
}

#[test]
fn too_few_rows_to_tell_are_inconclusive_and_a_missing_baseline_is_an_error() {
    let sandbox = sandbox();
    sandbox.edit("pipeline.mlp", "rows between 0.5x..2x", "rows between 0x..2x");
    // (B − 1)(1/n + 1/m) is 0.09 where half of the limit is 0.05.
    sandbox.file("raw.csv", &table(100, 1.0));
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 11, "{run:?}");
    assert_eq!(report(&sandbox)["requirements"][4]["verdict"], "inconclusive");
    std::fs::remove_file(sandbox.path().join("train.baseline.json")).expect("there");
    assert_eq!(sandbox.mlpc(&["run"]).code, 11);
    let line = &report(&sandbox)["requirements"][4];
    assert_eq!(line["verdict"], "error");
    assert!(line["reason"].as_str().expect("a reason").contains("mlpc baseline"), "{line}");
}

#[test]
fn a_baseline_of_data_that_breaks_its_schema_is_not_frozen() {
    let sandbox = sandbox();
    sandbox.file("out/train.csv", "amount,kind,label\n1,gold,0\n");
    let refused = sandbox.mlpc(&["baseline", "prepare.train", "--out", "bad.json"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("`kind` is outside"), "{}", refused.stderr);
    assert!(!sandbox.path().join("bad.json").exists());
    assert_eq!(sandbox.mlpc(&["baseline", "nothing", "--out", "bad.json"]).code, 2);
}

/// The gate on the same rows in two formats.
const BOTH: &str = r#"pipeline both
edition 2026

schema Row {
  id:    int
  age:   int?
  amount: float?
  city:  string?
  price: float in -1e6..1e6
  at:    timestamp?
}

source rows: Dataset<csv, Row> = "table.csv"
source same: Dataset<parquet, Row> = "table.parquet"

gate as_csv on rows {
  require schema(Row)
  require nulls(*) <= 20%
  require rows between 0.5x..2x against "rows.json"
  require classes(city) >= 3
  warn    ks(amount) <= 0.05 against "rows.json"
  warn    wasserstein(price) <= 0.1 against "rows.json"
}

gate as_parquet on same {
  require schema(Row)
  require nulls(*) <= 20%
  require rows between 0.5x..2x against "rows.json"
  require classes(city) >= 3
  warn    ks(amount) <= 0.05 against "rows.json"
  warn    wasserstein(price) <= 0.1 against "rows.json"
}
"#;

#[test]
fn parquet_gives_the_verdict_of_the_same_rows_as_csv_or_says_that_it_is_not_read() {
    let sandbox = Sandbox::new();
    let fixtures = crate::sandbox::repository().join("tests/fixtures/parquet");
    for name in ["table.csv", "table.parquet"] {
        std::fs::copy(fixtures.join(name), sandbox.path().join(name)).expect("copied");
    }
    sandbox.file("pipeline.mlp", BOTH);
    assert_eq!(sandbox.mlpc(&["baseline", "rows", "--out", "rows.json"]).code, 0);
    let checked = sandbox.mlpc(&["check"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert_eq!(checked.stderr.contains("`as_parquet`"), !cfg!(feature = "parquet"), "{}", checked.stderr);
    let csv = sandbox.mlpc(&["gate", "as_csv"]);
    assert_eq!(csv.code, 0, "{}", csv.stdout);
    let parquet = sandbox.mlpc(&["gate", "as_parquet"]);
    if !cfg!(feature = "parquet") {
        assert_eq!(parquet.code, 11, "{}", parquet.stdout);
        assert!(parquet.stdout.contains("built without the feature"), "{}", parquet.stdout);
        let frozen = sandbox.mlpc(&["baseline", "same", "--out", "same.json"]);
        assert!(frozen.code == 1 && frozen.stderr.contains("--features parquet"), "{frozen:?}");
        return;
    }
    assert_eq!(parquet.code, 0, "{}", parquet.stdout);
    let lines = |gate: &str| {
        let report = sandbox.read(&format!(".mlpc/gates/{gate}/gate_report.json"));
        let mut report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        for line in report["requirements"].as_array_mut().expect("a list") {
            line["place"].take();
        }
        report["requirements"].take()
    };
    assert_eq!(lines("as_parquet"), lines("as_csv"));
    assert_eq!(sandbox.mlpc(&["baseline", "same", "--out", "same.json"]).code, 0);
    // The digest of the table, and the seal over all of it, are of other bytes.
    let columns = |path: &str| {
        let frozen: serde_json::Value = serde_json::from_str(&sandbox.read(path)).expect("JSON");
        frozen["columns"].clone()
    };
    assert!(columns("same.json") == columns("rows.json"), "the same rows freeze otherwise");
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/as_parquet/gate_report.json"]).code, 0);
}

/// Three columns: `amount` and `kind` are other ones, `label` is not.
fn changed() -> String {
    table(3000, 3.0).replace("card", "cash")
}

#[test]
fn a_share_of_the_columns_may_drift() {
    let sandbox = sandbox();
    let share = |line: &str| {
        let all = "  require psi(*) < 0.1 against \"train.baseline.json\"\n";
        sandbox.file(
            "pipeline.mlp",
            &PIPELINE.replace(all, &format!("  require {line} against \"train.baseline.json\"\n")),
        );
        let run = sandbox.mlpc(&["run"]);
        let line = report(&sandbox)["requirements"][4].clone();
        (run.code, line)
    };
    sandbox.file("raw.csv", &changed());
    let (code, line) = share("drifted(psi(*) < 0.1) <= 70%");
    assert_eq!((code, line["verdict"].as_str()), (0, Some("pass")), "{line}");
    assert_eq!(
        line["reason"],
        "2 of 3 columns drifted (`amount`, `kind`): 0.6666666666666666 at most, and at most 0.7 is required"
    );
    assert_eq!(line["parts"][0]["verdict"], "warn");
    let verified = sandbox.mlpc(&["verify", ".mlpc/gates/data_quality/gate_report.json"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    let (code, line) = share("drifted(psi(*) < 0.1) <= 30%");
    assert_eq!((code, line["verdict"].as_str()), (10, Some("fail")), "{line}");
    let (code, line) = share("drifted(psi(*, alpha: 1%)) <= 70%");
    assert_eq!((code, line["value"].as_f64()), (0, Some(2.0 / 3.0)), "{line}");
    let (code, line) = share("drifted(psi(*, except: [\"amount\", \"kind\"]) < 0.1) <= 0%");
    assert_eq!((code, line["value"].as_f64()), (0, Some(0.0)), "{line}");
    let (code, line) = share("drifted(chi2(*) >= 1%) <= 70%");
    assert_eq!((code, line["value"].as_f64()), (0, Some(2.0 / 3.0)), "{line}");
    let (_, line) = share("drifted(ks(*) < 0.1) <= 50%");
    assert_eq!(line["reason"], "1 of 2 columns drifted (`amount`): 0.5 at most, and at most 0.5 is required");
}

/// What can't be told is never a column that has not drifted.
#[test]
fn columns_that_can_not_be_told_never_count_as_unchanged() {
    let sandbox = sandbox();
    let all = "  require psi(*) < 0.1 against \"train.baseline.json\"\n";
    let rows = "  require rows between 0.5x..2x against \"train.baseline.json\"\n";
    let run = |text: &str, line: &str| {
        let line = format!("  require {line} against \"train.baseline.json\"\n");
        sandbox.file(
            "pipeline.mlp",
            &PIPELINE.replace(all, &line).replace(rows, "").replace("  require schema(Row)\n", ""),
        );
        sandbox.file("raw.csv", text);
        let code = sandbox.mlpc(&["run"]).code;
        let report = report(&sandbox);
        let lines = report["requirements"].as_array().expect("lines");
        (code, lines[lines.len() - 1].clone())
    };
    // Forty rows in a dozen bins: chance alone moves every column so far.
    let (code, line) = run(&table(40, 1.0), "drifted(psi(*) < 0.1) <= 30%");
    assert_eq!((code, line["verdict"].as_str()), (11, Some("inconclusive")), "{line}");
    assert!(line["reason"].as_str().expect("a reason").contains("can't be decided"), "{line}");
    let (code, line) = run(&table(40, 1.0), "drifted(psi(*) < 0.1) <= 40%");
    assert_eq!((code, line["value"].as_f64()), (0, Some(1.0 / 3.0)), "even where that one has drifted: {line}");
    let other = table(3000, 1.0)
        .replace("amount,kind,label", "amount,kind,label,more")
        .replace("\n", ",1\n")
        .replace("more,1", "more");
    let typed = PIPELINE.replace("  label:  int in 0..1\n", "  label:  int in 0..1\n  more:   int\n");
    let line = "  require drifted(psi(*) < 0.1) <= 99% against \"train.baseline.json\"\n";
    sandbox.file("pipeline.mlp", &typed.replace(all, line)).file("raw.csv", &other);
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(format!("{ended:?}").contains("`train.baseline.json` has no column `more`"), "{ended:?}");
}

#[test]
fn a_share_of_drift_is_written_in_one_way() {
    let sandbox = sandbox();
    let all = "  require psi(*) < 0.1 against \"train.baseline.json\"\n";
    for (line, words) in [
        ("drifted(psi(amount) < 0.1) <= 30% against \"b.json\"", "a share is of several columns, and one is named"),
        (
            "drifted(psi(*) > 0.1) <= 30% against \"b.json\"",
            "this does not say what a column has to hold that has not drifted",
        ),
        ("drifted(chi2(*) < 1%) <= 30% against \"b.json\"", "this does not say what a column has to hold"),
        ("drifted(nulls(*) < 5%) <= 30% against \"b.json\"", "`nulls(*)` is no kind of drift"),
        ("drifted(psi(*) < 0.1) >= 30% against \"b.json\"", "a large share of drift is nothing to require"),
        ("drifted(psi(*) < 0.1) <= 30 against \"b.json\"", "`30%`"),
        ("drifted(psi(*) < 0.1) <= 30%", "compares with a data baseline, and none is named"),
        ("drifted() <= 30% against \"b.json\"", "takes what each column has to hold"),
    ] {
        sandbox.file("pipeline.mlp", &PIPELINE.replace(all, &format!("  require {line}\n")));
        let ended = sandbox.mlpc(&["check"]);
        assert_eq!(ended.code, 2, "{line}");
        assert!(ended.stderr.contains(words), "{line}: {}", ended.stderr);
    }
}
