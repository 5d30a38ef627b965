//! Gates through the command line: the champion, people, the report and its proof.

use crate::sandbox::Sandbox;
use crate::tiny::{GATE, tiny};

#[test]
fn a_worse_model_is_refused_and_production_stays() {
    let sandbox = tiny(GATE);
    sandbox.weights("0.9").runs(0);
    let production = sandbox.registry();
    sandbox.weights("0.85").runs(10);
    assert_eq!(sandbox.registry(), production);
    let report = sandbox.report();
    let line = &report["requirements"][1];
    assert_eq!((line["candidate"].as_f64(), line["baseline"].as_f64()), (Some(0.85), Some(0.9)));
    assert_eq!(report["baseline"]["version"].as_str(), production.1.as_deref().map(str::trim));
    sandbox.weights("0.89").runs(0);
    assert_ne!(sandbox.registry(), production, "a little worse is within the margin");
}

#[test]
fn no_champion_yet_is_what_the_gate_says() {
    let sandbox = tiny(&GATE.replace("no_baseline: pass", "no_baseline: fail"));
    sandbox.weights("0.9").runs(10);
    assert_eq!(sandbox.registry(), (0, None));
    assert_eq!(sandbox.report()["baseline"]["decision"], "fail");
    let sandbox = tiny(GATE);
    sandbox.weights("0.9").runs(0);
    assert_eq!(sandbox.report()["baseline"]["decision"], "pass");
    assert_eq!(sandbox.report()["requirements"][1]["verdict"], "passed_over");
}

#[test]
fn a_stage_that_opens_the_candidate_by_its_name_does_not_score_it_twice() {
    let sandbox = tiny(GATE);
    // Whatever it is given, it reads what stands at the candidate's path.
    sandbox.file("evaluate.sh", "cat out/model.json\n");
    sandbox.weights("0.9").runs(0);
    sandbox.weights("0.85").runs(10);
    assert_eq!(sandbox.report()["requirements"][1]["baseline"].as_f64(), Some(0.9), "the champion's own number");
}

#[test]
fn a_gate_that_nobody_named_stops_the_model_that_it_measured() {
    let other = "gate other on evaluate.report { require auc_roc >= 0.99 }\n";
    let sandbox = tiny(&format!("{GATE}{other}"));
    sandbox.weights("0.9").runs(10);
    assert_eq!(sandbox.registry(), (0, None));
}

#[test]
fn a_report_is_proved_until_something_changes() {
    let sandbox = tiny(GATE);
    sandbox.weights("0.9").runs(0);
    sandbox.weights("0.89").runs(0);
    let report = sandbox.read(".mlpc/gates/quality/gate_report.json");
    let verify = || sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]);
    assert_eq!(verify().code, 0, "{:?}", verify());
    let shown = sandbox.mlpc(&["gate", "quality", "--format", "json"]);
    assert_eq!((shown.code, shown.stdout), (0, report.clone()), "the same bytes by the verb alone");
    assert_eq!(sandbox.shell("mkdir sub && cd sub && mlpc verify ../.mlpc/gates/quality/gate_report.json").code, 0);

    sandbox.edit(".mlpc/gates/quality/gate_report.json", "0.89", "0.99");
    let forged = verify();
    assert_eq!(forged.code, 11);
    assert!(forged.stderr.contains("0.99"), "{}", forged.stderr);
    sandbox.file(".mlpc/gates/quality/gate_report.json", &report).edit("out/report.json", "0.89", "0.99");
    assert_eq!(verify().code, 11, "the evidence is another one");
    sandbox.edit("pipeline.mlp", ">= 0.8", ">= 0.81");
    assert_eq!(verify().code, 11, "the pipeline is another one");
    assert_eq!(sandbox.mlpc(&["verify", "rows.csv"]).code, 11);
    assert_eq!(sandbox.mlpc(&["verify", "nothing.json"]).code, 2);
}

#[test]
fn numbers_of_an_older_model_are_no_evidence_of_the_one_that_is_there() {
    let sandbox = tiny(GATE);
    sandbox.weights("0.9").runs(0);
    let kept = sandbox.read(".mlpc/gates/quality/gate_report.json");
    sandbox.weights("0.5");
    assert_eq!(sandbox.mlpc(&["run", "train"]).code, 0);
    let stale = sandbox.mlpc(&["gate", "quality"]);
    assert_eq!(stale.code, 11, "{}", stale.stdout);
    assert!(stale.stdout.contains("another `train.model`"), "{}", stale.stdout);
    assert_eq!(
        sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code,
        0,
        "that it is stale is so again"
    );
    let only = sandbox.mlpc(&["run", "--only", "quality"]);
    assert_eq!(only.code, 11, "{}{}", only.stdout, only.stderr);
    sandbox.file(".mlpc/gates/quality/gate_report.json", &kept);
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code, 11, "of the model that was");
    sandbox.weights("0.9").runs(0);
    assert_eq!(sandbox.mlpc(&["gate", "quality"]).code, 0);
    sandbox.edit("out/report.json", "0.9", "0.99");
    assert_eq!(sandbox.mlpc(&["gate", "quality"]).code, 11, "written by hand");
}

#[test]
fn a_report_of_an_older_run_is_told_from_one_that_was_edited() {
    let sandbox = tiny(GATE);
    let run = sandbox.weights("0.9").runs(0).stdout.split_whitespace().nth(1).expect("run ID of tiny").to_owned();
    sandbox.weights("0.91").runs(0);
    let report = format!(".mlpc/runs/{run}/gates/quality/gate_report.json");
    let other = sandbox.mlpc(&["verify", &report]);
    assert_eq!(other.code, 11, "{}", other.stderr);
    assert!(other.stderr.contains("is about other evidence than stands in the workspace now"), "{}", other.stderr);
    let kept =
        other.stderr.split("kept as `").nth(1).and_then(|rest| rest.split('`').next()).expect("where it is kept");
    assert!(sandbox.read(kept).contains("0.9"), "{}", other.stderr);
    sandbox.weights("0.9");
    assert_eq!(sandbox.mlpc(&["run", "evaluate"]).code, 0);
    assert!(!sandbox.mlpc(&["verify", &report]).stderr.contains("other evidence"), "its own stands there again");
}

/// The first release of the gate is up to a person.
fn asking() -> String {
    let approval = "approval bootstrap of train.model { by: [\"alice\"], timeout: 24h }\n";
    GATE.replace("no_baseline: pass", "no_baseline: ask bootstrap") + approval
}

#[test]
fn what_a_gate_asks_waits_for_a_person_who_may_say_so() {
    let sandbox = tiny(&asking());
    let waiting = sandbox.weights("0.9").runs(14);
    assert!(waiting.stdout.contains("mlpc approve bootstrap"), "{}", waiting.stdout);
    assert_eq!(sandbox.registry(), (0, None));
    let alone = sandbox.mlpc(&["gate", "quality"]);
    assert_eq!(alone.code, 11, "nobody has said yes: {}", alone.stdout);

    assert!(sandbox.mlpc(&["approve"]).stdout.contains("bootstrap"));
    let mallory = sandbox.mlpc(&["approve", "bootstrap", "--as", "mallory"]);
    assert_eq!(mallory.code, 2);
    assert!(mallory.stderr.contains("`alice` may"), "{}", mallory.stderr);
    assert_eq!(sandbox.mlpc(&["run", "--resume"]).code, 14);

    let alice = sandbox.mlpc(&["approve", "bootstrap", "--as", "alice", "--reason", "looked at the slices"]);
    assert_eq!(alice.code, 0, "{}", alice.stderr);
    assert!(alice.stdout.contains("train.model") && alice.stdout.contains("gate quality"), "{}", alice.stdout);
    let resumed = sandbox.mlpc(&["run", "--resume"]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(sandbox.registry().0, 1);
    let report = sandbox.report();
    assert_eq!((report["approval"]["by"].as_str(), report["approval"]["given"].as_bool()), (Some("alice"), Some(true)));
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code, 0);
    assert_eq!(sandbox.mlpc(&["gate", "quality"]).code, 0);
    assert_eq!(sandbox.mlpc(&["approve", "bootstrap", "--as", "alice"]).code, 2, "it is decided already");
}

#[test]
fn a_refusal_ends_the_run_and_ships_nothing() {
    let sandbox = tiny(&asking());
    sandbox.weights("0.9").runs(14);
    assert_eq!(sandbox.mlpc(&["approve", "bootstrap", "--as", "alice", "--reject"]).code, 0);
    let resumed = sandbox.mlpc(&["run", "--resume"]);
    assert_eq!(resumed.code, 10, "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(sandbox.registry(), (0, None));
    assert_eq!(sandbox.mlpc(&["approve", "bootstrap", "--as", "alice"]).code, 2, "a refusal is final");
}

#[test]
fn a_record_of_somebody_who_may_not_decide_releases_nothing() {
    let sandbox = tiny(&asking());
    sandbox.weights("0.9").runs(14);
    assert_eq!(sandbox.mlpc(&["approve", "bootstrap", "--as", "alice"]).code, 0);
    let record = sandbox.read(".mlpc/approvals.jsonl");
    let (asked, decided) = record.trim_end().rsplit_once('\n').expect("asked, then decided");
    sandbox.file(".mlpc/approvals.jsonl", &format!("{asked}\n{}\n", decided.replace("alice", "mallory")));
    let resumed = sandbox.mlpc(&["run", "--resume"]);
    assert_eq!(resumed.code, 11, "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(sandbox.registry(), (0, None));
}

#[test]
fn a_report_pins_the_data_that_was_measured_on() {
    let sandbox = tiny(GATE);
    sandbox.weights("0.9").runs(0);
    let report = sandbox.report();
    let rows = report["evidence"][0]["over_digest"].as_str().expect("a digest").to_owned();
    assert!(rows.starts_with("blake3:"), "{rows}");
    // Where no result is on record, as after a download, the report alone says what the data was.
    std::fs::copy(sandbox.path().join(".mlpc/gates/quality/gate_report.json"), sandbox.path().join("kept.json"))
        .expect("copied");
    let baseline = sandbox.read(".mlpc/baseline/quality/baseline.json");
    std::fs::remove_dir_all(sandbox.path().join(".mlpc")).expect("removed");
    sandbox.file(".mlpc/baseline/quality/baseline.json", &baseline);
    let verify = || sandbox.mlpc(&["verify", "kept.json"]);
    let same = verify();
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    sandbox.file("rows.csv", "a,b\n1,3\n");
    let other = verify();
    assert_eq!(other.code, 11, "{}", other.stdout);
    assert!(other.stderr.contains("over_digest"), "{}", other.stderr);
}

#[test]
fn a_decision_from_before_the_question_is_refused_at_once() {
    let sandbox = tiny(&asking());
    sandbox.weights("0.9").runs(14);
    let record = sandbox.read(".mlpc/approvals.jsonl");
    let (before, rest) = record.split_once("\"at\":\"2").expect("when it was asked");
    sandbox.file(".mlpc/approvals.jsonl", &format!("{before}\"at\":\"9{rest}"));
    let behind = sandbox.mlpc(&["approve", "bootstrap", "--as", "alice"]);
    assert_eq!(behind.code, 11, "{}", behind.stdout);
    assert!(behind.stderr.contains("set the clock right"), "{}", behind.stderr);
    assert!(!sandbox.read(".mlpc/approvals.jsonl").contains("decided"), "nothing is recorded that never counts");
}

#[test]
fn a_line_that_is_no_record_is_an_error_of_integrity_with_its_place() {
    let sandbox = tiny(&asking());
    sandbox.weights("0.9").runs(14);
    let record = sandbox.read(".mlpc/approvals.jsonl");
    sandbox.file(".mlpc/approvals.jsonl", &format!("{record}what is this\n"));
    for verb in
        [&["run", "--resume"][..], &["approve"], &["approve", "bootstrap", "--as", "alice"], &["gate", "quality"]]
    {
        let ended = sandbox.mlpc(verb);
        assert_eq!(ended.code, 11, "{verb:?}: {}{}", ended.stdout, ended.stderr);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("`.mlpc/approvals.jsonl:2` is no record"), "{verb:?}: {said}");
    }
}

#[test]
fn an_approval_is_of_the_bytes_that_were_shown() {
    let sandbox = tiny(&asking());
    sandbox.weights("0.9").runs(14);
    assert_eq!(sandbox.mlpc(&["approve", "bootstrap", "--as", "alice"]).code, 0);
    // Another model than the one that alice saw.
    sandbox.weights("0.91").runs(14);
    assert_eq!(sandbox.registry(), (0, None));
}

#[test]
fn a_verdict_against_a_production_that_moved_since_promotes_nothing() {
    let live = GATE.replace("to models@production\n", "to models@production after go_live\n")
        + "approval go_live of release { by: [\"alice\"], timeout: 24h }\n";
    let sandbox = tiny(&live);
    let run_id = |stdout: &str| stdout.split_whitespace().nth(1).expect("run ID of tiny").to_owned();
    let approve = |run: &str| sandbox.mlpc(&["approve", "go_live", "--as", "alice", "--run", run]).code;
    let resume = |run: &str| sandbox.mlpc(&["run", "--resume", run]);
    let first = run_id(&sandbox.weights("0.9").runs(14).stdout);
    assert_eq!((approve(&first), resume(&first).code), (0, 0));

    // Two candidates pass against the same champion; the second is released while the first waits.
    let slow = run_id(&sandbox.weights("0.91").runs(14).stdout);
    let quick = run_id(&sandbox.weights("0.92").runs(14).stdout);
    assert_eq!(sandbox.mlpc(&["approve", "go_live", "--as", "alice"]).code, 2, "which of the two is not said");
    assert_eq!((approve(&quick), resume(&quick).code), (0, 0));
    let production = sandbox.registry();

    let shown = sandbox.mlpc(&["approve", "go_live", "--as", "alice", "--run", &slow]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("0.91") && !shown.stdout.contains("0.92"), "its own report: {}", shown.stdout);
    sandbox.weights("0.91");
    let late = resume(&slow);
    assert_eq!(late.code, 11, "{}{}", late.stdout, late.stderr);
    assert_eq!(sandbox.registry(), production);
}

#[test]
fn recorded_numbers_compare_only_with_those_of_the_same_frozen_data() {
    let sandbox = tiny(&GATE.replace("models@production\n  on", "models@production recorded\n  on"));
    let freeze = |from: &str, rows: &str| {
        let digest = mlpc::host::Digest::of(rows.as_bytes());
        sandbox.file("rows.csv", rows);
        sandbox.edit("pipeline.mlp", from, &format!("\"rows.csv\" frozen \"{digest}\""));
        format!("\"rows.csv\" frozen \"{digest}\"")
    };
    let first = freeze("\"rows.csv\"", "a,b\n1,2\n");
    sandbox.weights("0.9").runs(0);
    let worse = sandbox.weights("0.85").runs(10);
    assert!(!worse.stdout.contains("evaluate@quality"), "nothing is scored again: {}", worse.stdout);
    assert_eq!(sandbox.report()["requirements"][1]["baseline"].as_f64(), Some(0.9));
    let production = sandbox.registry();
    freeze(&first, "a,b\n3,4\n");
    let other = sandbox.weights("0.91").runs(11);
    assert!(other.stdout.contains("which is frozen as"), "{}", other.stdout);
    assert_eq!(sandbox.registry(), production);
}

/// The tiny pipeline with a time among its metrics, which may be 5 ms worse than production's.
fn timed(baseline: &str) -> Sandbox {
    let gate = GATE.replace("regression(auc_roc) <= 2%", "regression(p99) <= 5ms");
    let sandbox = tiny(&gate.replace("models@production\n  on", baseline));
    sandbox.edit("pipeline.mlp", "auc_roc: ratio higher }", "auc_roc: ratio higher   p99: duration lower unit ms }");
    sandbox.edit("pipeline.mlp", "  code \"evaluate.sh\"", "  code \"evaluate.sh\"\n  rerun always");
    sandbox
}

#[test]
fn a_time_measured_on_another_class_of_machine_decides_nothing() {
    let sandbox = timed("models@production\n  on");
    sandbox.weights("0.9, \"p99\": 10").runs(0);
    sandbox.weights("0.9, \"p99\": 20").runs(10);
    sandbox.weights("0.9, \"p99\": 12").runs(0);
    let report = sandbox.report();
    let here = mlpc::host::machine::class();
    assert_eq!(report["evidence"][0]["machine"], here);
    assert_eq!(report["baseline"]["evidence"][0]["machine"], here);
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code, 0);
    // As if the baseline had been scored by a job elsewhere.
    sandbox.edit(".mlpc/machines/evaluate@quality.json", here, "Z80, 1 cores");
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code, 11);
    let undecided = sandbox.mlpc(&["gate", "quality"]);
    assert_eq!(undecided.code, 11, "{}", undecided.stdout);
    assert!(undecided.stdout.contains("inconclusive") && undecided.stdout.contains("Z80"), "{}", undecided.stdout);
    // A machine is of the bytes that were measured on it.
    sandbox.edit(".mlpc/machines/evaluate@quality.json", "Z80, 1 cores", here);
    assert_eq!(sandbox.mlpc(&["gate", "quality"]).code, 0);
    sandbox.edit(".mlpc/baseline/quality/out/report.json", "10", "10.5");
    assert_eq!(sandbox.mlpc(&["gate", "quality"]).code, 11);
}

#[test]
fn a_registered_time_is_of_the_machine_that_is_registered_with_it() {
    let sandbox = timed("models@production recorded\n  on");
    let digest = mlpc::host::Digest::of(sandbox.read("rows.csv").as_bytes());
    sandbox.edit("pipeline.mlp", "\"rows.csv\"", &format!("\"rows.csv\" frozen \"{digest}\""));
    sandbox.weights("0.9, \"p99\": 10").runs(0);
    sandbox.weights("0.9, \"p99\": 12").runs(0);
    assert_eq!(sandbox.report()["baseline"]["recorded"][0]["machine"], mlpc::host::machine::class());
    sandbox.weights("0.9, \"p99\": 20").runs(10);
}

#[test]
fn a_frozen_set_beside_the_usual_one_says_why_a_metric_dropped() {
    let digest = mlpc::host::Digest::of(b"frozen\n1\n");
    let gate = GATE
        .replace("on evaluate.report", "on usual = evaluate.report, golden = evaluate_golden.report")
        .replace("auc_roc >= 0.8", "usual.auc_roc >= 0.5")
        .replace(
            "regression(auc_roc) <= 2%",
            "regression(usual.auc_roc) <= 2%\n  require regression(golden.auc_roc) <= 2%",
        );
    let golden = format!("source golden: Dataset<csv> = \"golden.csv\" frozen \"{digest}\"\n")
        + "stage evaluate_golden = evaluate with { rows: golden, report: \"out/golden.json\" }\n";
    let sandbox = tiny(&format!("{golden}{gate}"));
    sandbox.file("golden.csv", "frozen\n1\n");
    sandbox.weights("0.9").runs(0);
    let worse = sandbox.weights("0.8").runs(10);
    assert_eq!(sandbox.report()["diagnosis"][0]["cause"], "training");
    assert!(worse.stdout.contains("the code or the training changed"), "{}", worse.stdout);
    // The same model as before on the frozen rows; worse than production's on the usual ones.
    sandbox
        .file("evaluate.sh", "if grep -q frozen \"$rows\"; then sed 's/0.[0-9]*/0.9/' \"$1\"; else cat \"$1\"; fi\n");
    sandbox.runs(10);
    let report = sandbox.report();
    assert_eq!(report["diagnosis"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["diagnosis"][0]["cause"], "data");
    assert_eq!(sandbox.mlpc(&["verify", ".mlpc/gates/quality/gate_report.json"]).code, 0);
    let written = sandbox.mlpc(&["report", "-o", "report.html"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(sandbox.read("report.html").contains("the data drifted"));
}

#[test]
fn a_release_that_was_rolled_back_stays_out_until_a_person_allows_it() {
    let sandbox = tiny(GATE);
    sandbox.weights("0.9").runs(0);
    sandbox.weights("0.95").runs(0);
    let bad = sandbox.registry().1.expect("production").trim().to_owned();
    let by_hand = |verb: &str, rest: &[&str]| {
        let given =
            [&["registry", verb, "models@production"][..], rest, &["--as", "ada", "--reason", "wrong totals"]].concat();
        sandbox.mlpc(&given)
    };
    let back = by_hand("rollback", &[]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    assert!(back.stdout.starts_with(&format!("models@production: {bad} -> v")), "{}", back.stdout);
    assert_ne!(sandbox.registry().1.expect("production").trim(), bad);

    let again = sandbox.runs(10);
    let said = format!("{}{}", again.stdout, again.stderr);
    assert!(said.contains(&format!("mlpc registry allow models@production {bad}")), "{said}");
    assert_ne!(sandbox.registry().1.expect("production").trim(), bad);

    let without = sandbox.mlpc(&["registry", "allow", "models@production", &bad]);
    assert_eq!(without.code, 2, "a reason is compulsory");
    assert_eq!(by_hand("allow", &[&bad]).code, 0);
    sandbox.runs(0);
    assert_eq!(sandbox.registry().1.expect("production").trim(), bad);
    let past = sandbox.mlpc(&["registry", "history", "models@production"]).stdout;
    assert!(past.contains("rolled back by ada: wrong totals"), "{past}");
    let then = sandbox.mlpc(&["registry", "history", "models@production", "--at", "2001-01-01"]);
    assert_eq!((then.code, then.stdout.contains("was not set yet")), (0, true), "{}", then.stdout);
}
