#![allow(clippy::disallowed_methods, reason = "tests face the host")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::node::run;
use super::*;
use crate::compile::compile;
use crate::exec::{Event, Seen};
use crate::host::signal::Interrupt;
use crate::host::{Clock, Digest};
use crate::judge;
use crate::plan::{Approval, NodeKind, Selection, bind};
use crate::source::Sources;

const PIPELINE: &str = r#"
pipeline example
edition 2026
metrics Evaluation { auc: ratio higher }
source raw: Dataset<csv> = "data/raw.csv"
registry models = directory("registry")
stage train {
  in   raw
  out  model: Model<pickle> = "out/model.pkl"
  run <<< cp "$raw" "$model" >>>
}
stage evaluate {
  in   model = train.model, data = raw
  out  report: Metrics<Evaluation> of model over data as test = "out/report.json"
  out  scores: Predictions { id: "row", label: "y", score: "p" } of model over data as test = "out/scores.csv"
  run <<<
    echo '{"auc": 0.9}' > "$report"
    awk 'BEGIN { print "row,y,p"; for (row = 0; row < 90; row++) print row "," row % 2 "," row % 7 / 10 }' > "$scores"
  >>>
}
gate quality on evaluate.report, evaluate.scores {
  baseline models@production
  on no_baseline: ask bootstrap
  require auc >= 0.5
  require regression(auc) <= 1%
  require upper(regression(auc_roc), 95%) <= 1%
}
approval bootstrap of train.model { by: ["alice"], environment: "bootstrap", timeout: 24h }
register release = train.model to models after quality { metrics: evaluate.report }
approval go_live of release { by: ["alice", "Bob"], environment: "production", timeout: 24h }
promote  current = release to models@production after go_live
profile smoke { set raw = "data/smoke.csv" }
"#;

fn bound(profile: Option<&str>) -> Bound {
    bound_of(PIPELINE, profile)
}

fn bound_of(text: &str, profile: Option<&str>) -> Bound {
    let compiled = compile(&Sources::single("p.mlp", text));
    let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let selection = Selection { profile: profile.map(str::to_owned), ..Selection::default() };
    bind(&plan, &selection).expect("binds")
}

fn setup(workspace: &Path) -> Setup {
    let caller = std::env::vars_os().filter(|(name, _)| name == "PATH").collect();
    let interrupt = Interrupt::default();
    Setup { workspace: workspace.to_owned(), caller, clock: Clock::host(), interrupt }
}

/// A folder with the workspace of each job in it, as a platform gives every job a checkout of its own.
struct Rig {
    folder: tempfile::TempDir,
    bound: Bound,
    /// What every checkout holds as the source `raw`.
    raw: Cell<&'static str>,
}

impl Rig {
    fn new() -> Self {
        Self::of(bound(None))
    }

    fn of(bound: Bound) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), bound, raw: Cell::new("a,b\n1,2\n") }
    }

    /// Runs a node in a fresh checkout with what the named nodes handed on.
    fn job(&self, node: &str, before: &[&str], change: impl FnOnce(&Path)) -> Result<Answer, Trouble> {
        let root = self.folder.path().join(node.replace('@', "-"));
        let (work, input, output) = (root.join("work"), root.join("in"), self.folder.path().join("out").join(node));
        if root.exists() {
            std::fs::remove_dir_all(&root).expect("a job begins with a fresh checkout");
        }
        std::fs::create_dir_all(work.join("data")).expect("made");
        std::fs::create_dir_all(&input).expect("made");
        std::fs::write(work.join("data/raw.csv"), self.raw.get()).expect("written");
        // The registry is the one thing that all jobs share.
        let shared = self.folder.path().join("registry");
        if !shared.exists() {
            std::fs::create_dir_all(&shared).expect("made");
        }
        std::os::unix::fs::symlink(&shared, work.join("registry")).expect("linked");
        for other in before {
            crate::host::fs::copy_tree(&self.folder.path().join("out").join(other), &input.join(other))
                .expect("copied");
        }
        change(&root);
        let setup = setup(&work);
        let (expected, commit, left_out) = (None, None, self.bound.skipped.clone());
        let mut job =
            Job { bound: &self.bound, setup: &setup, run: "7".into(), input, output, expected, commit, left_out };
        let received = receive(&job)?;
        job.left_out = super::left_out(&self.bound, &received);
        run(&job, node, &received, &|_: &Event| {}).map(|(answer, _, _)| answer)
    }

    fn well(&self, node: &str, before: &[&str]) -> Answer {
        let answer = self.job(node, before, |_| {}).expect("no trouble");
        assert_eq!(answer.exit, 0, "{node}: {:?}", answer.reason);
        answer
    }
}

#[test]
fn a_pipeline_runs_job_by_job_and_the_second_model_is_compared_with_the_first() {
    let rig = Rig::new();
    rig.well("train", &[]);
    rig.well("evaluate", &["train"]);
    assert_eq!(rig.well("evaluate@quality", &[]).status, Status::NoBaseline);
    let gate = rig.well("quality", &["train", "evaluate", "evaluate@quality"]).gate.expect("decided");
    assert_eq!((gate.ask.as_deref(), gate.lets_go_on), (Some("bootstrap"), true));
    let release = rig.well("release", &["train", "evaluate", "quality"]).release.expect("released");
    rig.well("current", &["release", "quality"]);
    // The job that registers was given no source, and knows it all the same.
    let metadata = rig.folder.path().join("registry/versions").join(&release.version).join("metadata.json");
    let version: serde_json::Value = serde_json::from_slice(&std::fs::read(metadata).expect("read")).expect("JSON");
    let raw = Digest::of(b"a,b\n1,2\n").to_string();
    assert_eq!(version["metadata"]["inputs"], serde_json::json!({ "raw": raw }));
    let report = std::fs::read(rig.folder.path().join("out/quality/gate_report.json")).expect("read");
    let told: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(told["evidence"][0]["over_digest"], raw, "the gate's job was not given the data, and knows it");
    assert_eq!(version["metadata"]["gates"], serde_json::json!({ "quality": Digest::of(&report).to_string() }));

    let again = Rig::new();
    std::fs::rename(rig.folder.path().join("registry"), again.folder.path().join("registry")).expect("moved");
    again.well("train", &[]);
    again.well("evaluate", &["train"]);
    let baseline = again.well("evaluate@quality", &["train"]);
    assert_eq!(baseline.status, Status::Done, "{:?}", baseline.reason);
    let gate = again.well("quality", &["train", "evaluate", "evaluate@quality"]);
    assert_eq!(gate.gate.map(|gate| gate.verdict), Some("pass".into()));
    let seen = gate.pointers["models@production"].as_ref().map(|seen| seen.version.clone());
    assert_eq!(seen, Some(release.version));
}

#[test]
fn numbers_on_data_that_moved_between_jobs_are_compared_with_nothing() {
    let rig = Rig::new();
    rig.well("train", &[]);
    rig.well("evaluate", &["train"]);
    rig.well("evaluate@quality", &[]);
    rig.well("quality", &["train", "evaluate", "evaluate@quality"]);
    rig.well("release", &["train", "evaluate", "quality"]);
    rig.well("current", &["release", "quality"]);
    let moved = |root: &Path| std::fs::write(root.join("work/data/raw.csv"), "a,b\n3,4\n").expect("written");
    assert_eq!(rig.job("evaluate@quality", &["train"], moved).expect("an answer").exit, 0);
    let gate = rig.job("quality", &["train", "evaluate", "evaluate@quality"], |_| {}).expect("an answer");
    assert_eq!(gate.exit, 11);
    assert!(gate.reason.is_some_and(|why| why.contains("`raw` was not the same for all jobs")));
}

#[test]
fn a_source_that_moved_between_jobs_is_said() {
    let mut lineage = Lineage::default();
    lineage.source("raw", "blake3:1", "clean");
    lineage.source("raw", "blake3:1", "look");
    lineage.source("raw", "blake3:2", "train");
    lineage.source("raw", "blake3:2", "evaluate");
    assert_eq!(lineage.inputs()["raw"], "blake3:1");
    assert_eq!(lineage.moved["raw"], ["clean", "train"]);
}

#[test]
fn nothing_is_released_of_a_source_that_moved_between_jobs() {
    let text = PIPELINE.to_owned()
        + "action tell of release after go_live { in raw   idempotent   run <<< cat \"$raw\" >>> }\n";
    let rig = Rig::of(bound_of(&text, None));
    let moved = |root: &Path| std::fs::write(root.join("work/data/raw.csv"), "a,b\n3,4\n").expect("written");
    let refused = |answer: Answer, nodes: &str| {
        assert_eq!(answer.exit, 11);
        let why = format!("the source `raw` changed while this run read it: {nodes}");
        assert_eq!(answer.reason, Some(why));
        assert_eq!(answer.release, None);
    };
    assert_eq!(rig.job("train", &[], moved).expect("an answer").exit, 0);
    rig.well("evaluate@quality", &[]);
    rig.well("evaluate", &["train"]);
    rig.well("quality", &["train", "evaluate", "evaluate@quality"]);
    let nodes = "`evaluate` found other bytes than `train`";
    refused(rig.job("release", &["train", "evaluate", "quality"], |_| {}).expect("an answer"), nodes);
    assert!(std::fs::read_dir(rig.folder.path().join("registry")).expect("a folder").next().is_none());
    rig.well("train", &[]);
    rig.well("evaluate", &["train"]);
    rig.well("quality", &["train", "evaluate", "evaluate@quality"]);
    rig.well("release", &["train", "evaluate", "quality"]);
    // What an action reads itself counts too, before it does anything.
    refused(
        rig.job("tell", &["train", "release", "quality"], moved).expect("an answer"),
        "`tell` found other bytes than `train`",
    );
    rig.well("tell", &["train", "release", "quality"]);
}

#[test]
fn a_gate_that_judged_other_bytes_than_were_trained_on_lets_nothing_through() {
    let text = PIPELINE.replace("models after quality", "models after quality, clean")
        + "gate clean on raw { require nulls(a) <= 0% }\n\
           approval checked of train.model after clean { by: [\"alice\"], environment: \"check\", timeout: 24h }\n\
           action tell after checked { in model = train.model   idempotent   run <<< cat \"$model\" >>> }\n";
    let rig = Rig::of(bound_of(&text, None));
    let moved = |root: &Path| std::fs::write(root.join("work/data/raw.csv"), "a,b\n3,4\n").expect("written");
    rig.well("clean", &[]);
    for node in ["train", "evaluate", "evaluate@quality"] {
        rig.well(node, if node == "evaluate" { &["clean", "train"] } else { &["clean"] });
    }
    rig.well("quality", &["clean", "train", "evaluate", "evaluate@quality"]);
    let before = ["train", "evaluate", "quality", "clean"];
    assert_eq!(rig.job("clean", &[], moved).expect("an answer").exit, 0);
    let release = rig.job("release", &before, |_| {}).expect("an answer");
    let moved = |why: &str| why.starts_with("the source `raw` changed while this run read it: `");
    assert!(release.exit == 11 && release.reason.as_deref().is_some_and(moved), "{:?}", release.reason);
    // So too where an approval stands between the gate and what acts.
    let tell = rig.job("tell", &["train", "clean", "quality"], |_| {}).expect("an answer");
    assert!(tell.exit == 11 && tell.reason.as_deref().is_some_and(moved), "{:?}", tell.reason);
    let tell = rig.job("tell", &["train", "quality"], |_| {}).expect("an answer");
    let why = "`clean`, which `tell` comes after, handed nothing on";
    assert!(tell.exit == 11 && tell.reason.as_deref() == Some(why), "{:?}", tell.reason);
    rig.well("clean", &[]);
    rig.well("release", &before);
    rig.well("tell", &["train", "clean", "quality"]);
}

#[test]
fn what_was_made_from_another_commit_is_not_taken() {
    let rig = Rig::new();
    let at = |answer: &str, mine: Option<&str>| {
        let (folder, setup) = (rig.folder.path().join("in"), setup(rig.folder.path()));
        std::fs::create_dir_all(folder.join("train")).expect("made");
        let answer = Answer { commit: (!answer.is_empty()).then(|| answer.to_owned()), ..rig.well("train", &[]) };
        std::fs::write(folder.join("train/result.json"), answer.to_json()).expect("written");
        crate::host::fs::copy_tree(&rig.folder.path().join("out/train/files"), &folder.join("train/files"))
            .expect("copied");
        let commit = mine.map(str::to_owned);
        let job = Job {
            bound: &rig.bound,
            setup: &setup,
            run: "7".into(),
            input: folder,
            output: "out".into(),
            expected: None,
            commit,
            left_out: rig.bound.skipped.clone(),
        };
        let taken = receive(&job).map(drop).map_err(|trouble| (trouble.exit, trouble.message));
        std::fs::remove_dir_all(&job.input).expect("removed");
        taken
    };
    assert_eq!(at("aa", Some("aa")), Ok(()));
    assert_eq!(at("", None), Ok(()));
    let said = |why: &str| Err((11, why.to_owned()));
    assert_eq!(
        at("aa", Some("bb")),
        said("`train` was made from the commit aa, and this checkout is at the commit bb")
    );
    let unknown = "`train` was made from no commit that is known, and this checkout is at the commit bb";
    assert_eq!(at("", Some("bb")), said(unknown));
    assert_eq!(
        at("aa", None),
        said("`train` was made from the commit aa, and this checkout is at no commit that is known")
    );
}

#[test]
fn a_time_goes_from_job_to_job_with_the_machine_that_it_was_measured_on() {
    let timed = PIPELINE
        .replace("auc: ratio higher", "auc: ratio higher   p99: duration lower unit ms")
        .replace("\"auc\": 0.9", "\"auc\": 0.9, \"p99\": 10")
        .replace("regression(auc) <= 1%", "regression(p99) <= 1ms")
        .replace("  out  report", "  rerun always\n  out  report");
    let rig = Rig::of(bound_of(&timed, None));
    rig.well("train", &[]);
    let evaluate = rig.well("evaluate", &["train"]);
    let texts: String = evaluate.texts.values().cloned().collect();
    assert!(texts.contains(&format!("\"machine\": \"{}\"", crate::host::machine::class())), "{texts}");
    rig.well("evaluate@quality", &[]);
    rig.well("quality", &["train", "evaluate", "evaluate@quality"]);
    rig.well("release", &["train", "evaluate", "quality"]);
    rig.well("current", &["release", "quality"]);
    let again = |class: &str| {
        let again = Rig::of(bound_of(&timed, None));
        let (from, to) = (rig.folder.path().join("registry"), again.folder.path().join("registry"));
        crate::host::fs::copy_tree(&from, &to).expect("copied");
        again.well("train", &[]);
        again.well("evaluate", &["train"]);
        again.well("evaluate@quality", &["train"]);
        let handed_on = again.folder.path().join("out/evaluate@quality/result.json");
        let text = std::fs::read_to_string(&handed_on).expect("read").replace(crate::host::machine::class(), class);
        std::fs::write(&handed_on, text).expect("written");
        let gate = again.job("quality", &["train", "evaluate", "evaluate@quality"], |_| {}).expect("no trouble");
        gate.gate.map(|gate| gate.verdict)
    };
    assert_eq!(again(crate::host::machine::class()).as_deref(), Some("pass"));
    assert_eq!(again("Z80, 1 cores").as_deref(), Some("inconclusive"));
}

#[test]
fn what_arrives_changed_is_refused() {
    let rig = Rig::new();
    rig.well("train", &[]);
    let changed = rig.job("evaluate", &["train"], |root| {
        std::fs::write(root.join("in/train/files/model"), "another model\n").expect("written");
    });
    let trouble = changed.expect_err("refused");
    assert_eq!(trouble.exit, 11);
    assert!(trouble.message.contains("another digest"), "{trouble}");
}

#[test]
fn a_checkout_is_never_taken_for_what_a_job_made() {
    let rig = Rig::new();
    rig.well("train", &[]);
    let stale = |root: &Path| {
        std::fs::create_dir_all(root.join("work/out")).expect("made");
        std::fs::write(root.join("work/out/model.pkl"), "an old model\n").expect("written");
        std::fs::write(root.join("work/out/report.json"), "{\"auc\": 1.0}").expect("written");
    };
    let answer = rig.job("evaluate", &[], stale).expect("an answer");
    assert_eq!((answer.exit, answer.outputs.len()), (11, 0));
    assert_eq!(answer.reason.as_deref(), Some("`train.model`, which `evaluate` reads, was not handed on"));
    // A gate whose evidence did not come in decides nothing.
    let rig = Rig::new();
    rig.well("train", &[]);
    rig.well("evaluate@quality", &[]);
    let answer = rig.job("quality", &["train", "evaluate@quality"], stale).expect("an answer");
    assert_eq!((answer.exit, answer.gate.map(|gate| gate.verdict)), (11, Some("not_evaluated".into())));
}

/// A gate's verdict for each thing that the baseline's job may have said, or not said.
#[test]
fn a_baseline_that_nobody_looked_at_is_not_one_that_is_absent() {
    let seen = Seen { version: "v1".into(), digest: Digest::of(b"m") };
    let absent = BTreeMap::from([("models@production".to_owned(), None)]);
    let present = BTreeMap::from([("models@production".to_owned(), Some(seen))]);
    let cases = [
        (Status::NoBaseline, absent.clone(), "pass asks"),
        (Status::NoBaseline, BTreeMap::new(), "error"),
        (Status::NoBaseline, present.clone(), "error"),
        (Status::Unscorable, BTreeMap::new(), "error"),
        (Status::Unscorable, absent, "error"),
        (Status::Unscorable, present, "error"),
        (Status::Unreachable, BTreeMap::new(), "error"),
        (Status::Failed, BTreeMap::new(), "error"),
    ];
    for (status, pointers, wanted) in cases {
        let rig = Rig::new();
        rig.well("train", &[]);
        rig.well("evaluate", &["train"]);
        let mut answer = rig.well("evaluate@quality", &[]);
        answer.status = status;
        answer.pointers = pointers.clone();
        answer.reason = Some("a reason".into());
        std::fs::write(rig.folder.path().join("out/evaluate@quality/result.json"), answer.to_json()).expect("written");
        let answer = rig.job("quality", &["train", "evaluate", "evaluate@quality"], |_| {}).expect("an answer");
        let gate = answer.gate;
        let said = gate.map(|gate| format!("{}{}", gate.verdict, if gate.ask.is_some() { " asks" } else { "" }));
        let said = said.unwrap_or_else(|| format!("error: {:?}", answer.reason));
        assert!(said.starts_with(wanted), "{status:?} {pointers:?}: {said}");
        assert_eq!(answer.exit == 0, wanted == "pass asks", "{status:?}: {said}");
    }
    let rig = Rig::new();
    rig.well("train", &[]);
    rig.well("evaluate", &["train"]);
    let answer = rig.job("quality", &["train", "evaluate"], |_| {}).expect("an answer");
    assert_eq!((answer.exit, answer.gate.map(|gate| gate.verdict)), (11, Some("error".into())));
}

#[test]
fn nothing_is_registered_behind_a_gate_that_did_not_let_go_on() {
    let rig = Rig::new();
    rig.well("train", &[]);
    rig.well("evaluate", &["train"]);
    rig.well("evaluate@quality", &[]);
    let gate = rig.well("quality", &["train", "evaluate", "evaluate@quality"]);
    let path = judge::report_path("", "quality");
    let refused = |changed: &Answer, node: &str, before: &[&str]| {
        std::fs::write(rig.folder.path().join("out/quality/result.json"), changed.to_json()).expect("written");
        match rig.job(node, before, |_| {}) {
            Ok(answer) => {
                assert_eq!((answer.exit, &answer.release), (11, &None));
                answer.reason.unwrap_or_default()
            }
            Err(trouble) => {
                assert_eq!(trouble.exit, 11);
                trouble.message
            }
        }
    };
    // A word that is not the report's, whichever of the two was changed.
    let mut word = gate.clone();
    word.gate.as_mut().expect("decided").lets_go_on = false;
    let says_otherwise = "what `quality` decided is not what its report says";
    assert_eq!(refused(&word, "release", &["train", "evaluate", "quality"]), says_otherwise);
    let mut report = crate::gate::Report::from_json(&gate.texts[&path]).expect("a report");
    report.verdict = crate::gate::Outcome::Fail;
    let mut forged = gate.clone();
    forged.texts.insert(path.clone(), report.to_json());
    assert_eq!(refused(&forged, "release", &["train", "evaluate", "quality"]), says_otherwise);
    forged.texts.remove(&path);
    assert!(refused(&forged, "current", &["quality"]).contains("without its report"));
    // Both say no.
    forged.texts.insert(path, report.to_json());
    forged.gate = Some(Decided::of(&report));
    assert!(refused(&forged, "release", &["train", "evaluate", "quality"]).contains("did not let go on"));
    refused(&forged, "current", &["quality"]);
}

#[test]
fn what_releases_takes_nothing_that_nobody_vouches_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let (bound, setup) = (bound(None), setup(folder.path()));
    let job = |expected| {
        let path = folder.path().to_owned();
        let (input, output, left_out) = (path.clone(), path, bound.skipped.clone());
        Job { bound: &bound, setup: &setup, run: "7".into(), input, output, expected, commit: None, left_out }
    };
    let rig = Rig::new();
    let received = Received { answers: [("train".to_owned(), rig.well("train", &[]))].into() };
    let exit = |node: &str, expected, always| vouched(&job(expected), node, &received, always).map_err(|why| why.exit);
    assert_eq!(exit("release", None, false), Err(11));
    assert_eq!(exit("current", None, false), Err(11));
    assert_eq!(exit("evaluate", None, false), Ok(()));
    assert_eq!(exit("evaluate", None, true), Err(11), "where the platform passes digests on");
    assert_eq!(exit("release", Some(BTreeMap::new()), true), Ok(()));
}

/// Two runs that both compared with nothing can't both promote.
#[test]
fn a_pointer_that_moved_meanwhile_is_not_moved_again() {
    let promoted = |rig: &Rig, raw: &'static str| {
        rig.raw.set(raw);
        rig.well("train", &[]);
        rig.well("evaluate", &["train"]);
        rig.well("evaluate@quality", &[]);
        rig.well("quality", &["train", "evaluate", "evaluate@quality"]);
        rig.well("release", &["train", "evaluate", "quality"]);
    };
    let (first, second) = (Rig::new(), Rig::new());
    promoted(&first, "a,b\n1,2\n");
    // The second run shares the registry, and has compared before the first promotes.
    let registry = first.folder.path().join("registry");
    std::fs::remove_dir_all(second.folder.path().join("registry")).ok();
    std::os::unix::fs::symlink(&registry, second.folder.path().join("registry")).expect("linked");
    promoted(&second, "a,b\n3,4\n");
    first.well("current", &["release", "quality"]);
    let pointer = || std::fs::read_to_string(registry.join("pointers/production.json"));
    let before = pointer().expect("is there");
    let answer = second.job("current", &["release", "quality"], |_| {}).expect("an answer");
    assert_eq!(answer.exit, 11);
    assert!(answer.reason.as_deref().is_some_and(|why| why.contains("somebody moved it")), "{:?}", answer.reason);
    assert_eq!(pointer().expect("is there"), before);
}

fn ended(settled: Settled, verdict: Option<&str>, asked: bool) -> Ended {
    let asked = asked.then(|| "bootstrap".to_owned());
    Ended { settled, verdict: verdict.map(str::to_owned), asked, there: false }
}

#[test]
fn the_last_job_is_red_unless_all_is_as_it_should_be() {
    use Settled::{Cancelled, Failed, Skipped, Success};
    let bound = bound(None);
    let all = || -> BTreeMap<String, Ended> {
        let mut all: BTreeMap<_, _> =
            bound.plan.nodes.iter().map(|node| (node.name.clone(), ended(Success, None, false))).collect();
        all.insert("quality".into(), ended(Success, Some("pass"), false));
        all.insert("bootstrap".into(), ended(Skipped, None, false));
        all
    };
    let exit = |changes: &[(&str, Ended)], released: bool| {
        let mut states = all();
        states.extend(changes.iter().map(|(node, ended)| ((*node).to_owned(), ended.clone())));
        verdict(&bound, &states, released).exit
    };
    let skipped = || ended(Skipped, None, false);
    assert_eq!(exit(&[], true), 0);
    assert_eq!(exit(&[("quality", ended(Success, Some("warn"), false))], true), 0);
    // A gate that is green without a verdict, or with another one, is no gate that let go on.
    assert_eq!(exit(&[("quality", ended(Success, None, false))], true), 11);
    assert_eq!(exit(&[("quality", ended(Success, Some("fail"), false))], true), 10);
    assert_eq!(exit(&[("quality", ended(Success, Some("not_evaluated"), false))], true), 11);
    let behind = [("release", skipped()), ("go_live", skipped()), ("current", skipped())];
    let with = |node: (&'static str, Ended)| [vec![node], behind.to_vec()].concat();
    assert_eq!(exit(&with(("quality", ended(Failed, Some("fail"), false))), true), 10);
    assert_eq!(exit(&with(("quality", ended(Failed, Some("error"), false))), true), 11);
    assert_eq!(exit(&with(("quality", ended(Failed, Some("inconclusive"), false))), true), 11);
    assert_eq!(exit(&[("quality", ended(Success, Some("inconclusive"), false))], true), 11);
    assert_eq!(exit(&with(("quality", ended(Failed, None, false))), true), 11);
    assert_eq!(exit(&with(("evaluate", ended(Failed, None, false))), true), 1);
    assert_eq!(exit(&with(("train", ended(Cancelled, None, false))), true), 1);
    assert_eq!(exit(&with(("quality", skipped())), true), 11);
    assert_eq!(exit(&[("current", skipped())], true), 11);
    // Started by hand elsewhere: nothing is released, and that is as it should be.
    assert_eq!(exit(&behind, false), 0);
    let asks = || ended(Success, Some("pass"), true);
    assert_eq!(exit(&with(("quality", asks())), true), 10);
    assert_eq!(exit(&[("quality", asks()), ("bootstrap", ended(Success, None, false))], true), 0);
    assert_eq!(exit(&[("go_live", ended(Failed, None, false)), ("current", skipped())], true), 10);
    assert!(verdict(&bound, &BTreeMap::new(), true).exit == 11);
    // A profile's gates are shown, and nothing is released.
    let smoke = self::bound(Some("smoke"));
    let mut states = all();
    states.insert("quality".into(), ended(Success, Some("fail"), false));
    states.extend(behind.iter().map(|(node, ended)| ((*node).to_owned(), ended.clone())));
    assert_eq!(verdict(&smoke, &states, true).exit, 0);
}

fn approval() -> Approval {
    let bound = bound(None);
    match bound.plan.node("go_live").map(|node| node.kind.clone()) {
        Some(NodeKind::Approval(approval)) => approval,
        other => panic!("{other:?}"),
    }
}

fn review(user: &str, state: &str) -> Review {
    Review { environment: "production".into(), state: state.into(), user: user.into(), comment: String::new() }
}

#[test]
fn only_a_new_review_by_somebody_listed_in_time_approves() {
    let at: Timestamp = "2026-08-01T12:00:00Z".parse().expect("a time");
    let later = |hours: i64| at + jiff::SignedDuration::from_hours(hours);
    let asked = |reviews: &[Review]| Asked { at, attempt: "1".into(), reviews: reviews.to_vec() };
    let decide = |before: &[Review], attempt: &str, hours: i64, now: &[Review]| {
        super::decide("go_live", &approval(), &asked(before), attempt, later(hours), now)
            .map_err(|trouble| trouble.exit)
    };
    let alice = review("alice", "approved");
    assert_eq!(decide(&[], "1", 1, std::slice::from_ref(&alice)), Ok("alice".into()));
    assert_eq!(decide(&[], "1", 1, &[review("BOB", "approved")]), Ok("BOB".into()));
    assert_eq!(decide(&[], "1", 24, std::slice::from_ref(&alice)), Ok("alice".into()));
    // Nobody was asked; somebody else; a no; another environment; too late; another attempt; an old answer.
    assert_eq!(decide(&[], "1", 1, &[]), Err(11));
    assert_eq!(decide(&[], "1", 1, &[review("mallory", "approved")]), Err(11));
    assert_eq!(decide(&[], "1", 1, &[review("alice", "rejected")]), Err(11));
    assert_eq!(decide(&[], "1", 1, &[Review { environment: "staging".into(), ..alice.clone() }]), Err(11));
    assert_eq!(decide(&[], "1", 25, std::slice::from_ref(&alice)), Err(11));
    // Asked for in an hour that is still to come.
    assert_eq!(decide(&[], "1", -1, std::slice::from_ref(&alice)), Err(11));
    assert_eq!(decide(&[], "2", 1, std::slice::from_ref(&alice)), Err(11));
    assert_eq!(decide(std::slice::from_ref(&alice), "1", 1, std::slice::from_ref(&alice)), Err(11));
    assert_eq!(decide(std::slice::from_ref(&alice), "1", 1, &[alice.clone(), alice.clone()]), Ok("alice".into()));
}

#[test]
fn where_the_environment_says_who_decides_anybodys_approval_in_it_counts_and_nothing_else() {
    let at: Timestamp = "2026-08-01T12:00:00Z".parse().expect("a time");
    let approval = Approval { by: Vec::new(), ..approval() };
    let decide = |reviews: &[Review]| {
        let asked = Asked { at, attempt: "1".into(), reviews: Vec::new() };
        super::decide("go_live", &approval, &asked, "1", at, reviews).map_err(|trouble| (trouble.exit, trouble.message))
    };
    assert_eq!(decide(&[review("mallory", "approved")]), Ok("mallory".into()));
    let (exit, said) = decide(&[review("carol", "rejected")]).expect_err("rejected");
    assert_eq!((exit, said.as_str()), (11, "`go_live` was not approved: rejected by carol"));
    assert_eq!(decide(&[]).map_err(|(exit, _)| exit), Err(11));
}

#[test]
fn an_approval_is_asked_for_after_its_own_subject_and_nothing_else() {
    let bound = bound(None);
    assert_eq!(askers(&bound.plan, "go_live"), ["release"]);
    assert_eq!(askers(&bound.plan, "bootstrap"), ["quality"], "on demand");
    assert_eq!(askers(&bound.plan, "train"), [""; 0]);
}

#[test]
fn reviews_are_read_as_the_api_tells_them() {
    let json = r#"[{"state": "approved", "comment": "ok", "user": {"login": "alice", "id": 1},
        "environments": [{"id": 2, "name": "production"}, {"id": 3, "name": "staging"}]}]"#;
    let read = reviews(json).expect("reads");
    let names: Vec<_> = read.iter().map(|review| (review.environment.as_str(), review.user.as_str())).collect();
    assert_eq!(names, [("production", "alice"), ("staging", "alice")]);
    assert!(reviews("{}").is_err());
}

/// No gate compares here, so that nobody but the registration looks at the pointer before it moves.
#[test]
fn what_a_release_comes_after_is_where_the_pointer_stood_before_it() {
    let alone = PIPELINE
        .lines()
        .filter(|line| {
            !["baseline models", "on no_baseline", "regression", "approval bootstrap"]
                .iter()
                .any(|word| line.contains(word))
        })
        .collect::<Vec<_>>()
        .join("\n");
    let rig = Rig::of(bound_of(&alone, None));
    let released = |raw: &'static str| {
        rig.raw.set(raw);
        rig.well("train", &[]);
        rig.well("evaluate", &["train"]);
        rig.well("quality", &["train", "evaluate"]);
        rig.well("release", &["train", "evaluate", "quality"])
    };
    let seen = |answer: &Answer| answer.pointers["models@production"].as_ref().map(|seen| seen.version.clone());
    let first = released("a,b\n1,2\n");
    assert_eq!(seen(&first), None);
    rig.well("current", &["release", "quality"]);
    let second = released("a,b\n3,4\n");
    let before = first.release.map(|release| release.version);
    assert_eq!(seen(&second), before);
    rig.well("current", &["release", "quality"]);
    // All jobs of this run again: what it moved itself is not what stood there before.
    let attempt = rig.well("release", &["train", "evaluate", "quality"]);
    assert_eq!((seen(&attempt), attempt.status), (before, Status::Hit));
}

#[test]
fn what_no_gate_asked_for_is_absent_and_what_one_asked_for_is_not() {
    let behind = r#"
stage told { in card = card.o?   out o: File = "out/told"   run <<< echo "told ${card:-without}" > "$o" >>> }
stage card after bootstrap { out o: File = "out/card"   run <<< echo card > "$o" >>> }
"#;
    let rig = Rig::of(bound_of(&format!("{PIPELINE}{behind}"), None));
    let up_to_the_gate = || {
        rig.well("train", &[]);
        rig.well("evaluate", &["train"]);
        rig.well("evaluate@quality", &[]);
        rig.well("quality", &["train", "evaluate", "evaluate@quality"])
    };
    let said = |name: &str| {
        std::fs::read_to_string(rig.folder.path().join("out/quality").join(name)).expect("the gate's job writes it")
    };
    up_to_the_gate();
    assert_eq!((said("ask").as_str(), said("asked").as_str()), ("true", "no_baseline"));
    let held = |before: &[&str]| rig.job("told", before, |_| {}).expect("an answer");
    for before in [&["quality"][..], &[]] {
        let answer = held(before);
        assert_eq!(answer.exit, 11);
        assert_eq!(answer.reason.as_deref(), Some("`card.o`, which `told` reads, was not handed on"));
    }
    rig.well("card", &["quality"]);
    rig.well("told", &["quality", "card"]);
    rig.well("release", &["train", "evaluate", "quality"]);
    rig.well("current", &["release", "quality"]);
    rig.raw.set("a,b\n3,4\n");
    up_to_the_gate();
    assert_eq!((said("ask").as_str(), said("asked").as_str()), ("false", ""));
    rig.well("told", &["quality"]);
    let why = rig.job("card", &["quality"], |_| {}).expect_err("it is not part of this run");
    assert_eq!(why.exit, 11, "{why}");
    // The gate's result is what tells: without it nothing is known to be left out.
    assert_eq!(held(&[]).exit, 11);
}

#[test]
fn behind_an_approval_that_asked_nobody_only_what_acts_for_others_is_left_out() {
    use Settled::{Skipped, Success};
    let behind = r#"
action announce after card { idempotent   run <<< true >>> }
stage card after go_live { out o: File = "out/card"   run <<< echo card > "$o" >>> }
"#;
    let bound = bound_of(&format!("{PIPELINE}{behind}"), None);
    let run = |there: bool, announced: Settled| {
        let mut all: BTreeMap<_, _> =
            bound.plan.nodes.iter().map(|node| (node.name.clone(), ended(Success, None, false))).collect();
        all.insert("quality".into(), ended(Success, Some("pass"), false));
        all.insert("bootstrap".into(), ended(Skipped, None, false));
        all.insert("release".into(), Ended { there, ..ended(Success, None, false) });
        all.insert("go_live".into(), ended(Skipped, None, false));
        all.insert("announce".into(), ended(announced, None, false));
        verdict(&bound, &all, true)
    };
    let told = run(true, Skipped);
    assert_eq!(told.exit, 0, "{:?}", told.rows);
    let row = told.rows.iter().find(|(node, ..)| node == "announce").expect("a row");
    assert_eq!(row.1, "skipped: nobody was asked: `go_live` decides about another release");
    assert_eq!(run(false, Skipped).exit, 11, "nothing says that production is that model");
}

#[test]
fn an_action_asks_what_the_gates_before_it_said() {
    let behind = "action tell after strict { idempotent   run <<< true >>> }\n\
        gate strict on evaluate.report { require auc >= 0.95 }\n";
    let rig = Rig::of(bound_of(&format!("{PIPELINE}{behind}"), None));
    rig.well("train", &[]);
    rig.well("evaluate", &["train"]);
    let strict = rig.job("strict", &["train", "evaluate"], |_| {}).expect("an answer");
    assert_eq!(strict.exit, 10);
    // No platform's graph is taken at its word: neither that it said yes, nor that there is nothing to look at.
    let why = |before: &[&str]| rig.job("tell", before, |_| {}).expect("an answer").reason;
    assert_eq!(why(&["strict"]).as_deref(), Some("`strict` did not let go on, and `tell` was started all the same"));
    assert_eq!(why(&[]).as_deref(), Some("`strict`, which `tell` comes after, handed nothing on"));
}

#[test]
fn what_production_holds_back_is_absent() {
    let behind = r#"
action other after go_live { idempotent   run <<< true >>> }
stage card after other { out o: File = "out/card"   run <<< echo card > "$o" >>> }
stage told { in card = card.o?   out o: File = "out/told"   run <<< echo "told ${card:-without}" > "$o" >>> }
"#;
    let bound = bound_of(&format!("{PIPELINE}{behind}"), None);
    let answers = |there: bool| {
        let mut received = Received::default();
        let text = format!(
            r#"{{"format": 3, "node": "release", "plan": "", "run": "1", "status": "done", "exit": 0, "there": {there}}}"#
        );
        received.answers.insert("release".into(), serde_json::from_str(&text).expect("an answer"));
        left_out(&bound, &received)
    };
    let names = |found: &BTreeMap<String, Skip>| found.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&answers(true)), ["card", "other"]);
    assert_eq!(answers(true)["other"], Skip::There("go_live".into()));
    assert!(answers(false).is_empty());
}
