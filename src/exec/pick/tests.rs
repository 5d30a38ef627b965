//! What a selection brings and what it holds back, on a pipeline from data to production.

use super::*;
use crate::plan::{Plan, Selection, bind};
use crate::source::{SourceFile, Sources};

const TEXT: &str = r#"pipeline p
edition 2026

metrics Eval { auc: ratio higher }
registry models = directory("registry")
source raw: Dataset<csv> = "raw.csv"

stage prepare {
  in  raw
  out train: Dataset<csv> = "train.csv"
  out test:  Dataset<csv> = "test.csv"
  run <<< split "$raw" "$train" "$test" >>>
}

stage train {
  in  data = prepare.train
  out model: Model<json> = "model.json"
  run <<< fit "$data" > "$model" >>>
}

stage evaluate {
  in  model = train.model, test = prepare.test
  out scores: Metrics<Eval> of model over test as test = "scores.json"
  run <<< score "$model" "$test" > "$scores" >>>
}

gate quality on evaluate.scores {
  baseline models@production
  on no_baseline: pass
  require regression(auc) <= 1%
}

stage card after quality {
  in  scores = evaluate.scores
  out card: Report = "card.md"
  run <<< card "$scores" > "$card" >>>
}

register release = train.model to models after quality { metrics: evaluate.scores }
promote current = release to models@production
"#;

fn bound() -> Bound {
    let mut sources = Sources::default();
    sources.add(SourceFile::new("p.mlp", TEXT));
    let compiled = crate::compile::compile(&sources);
    let plan: Plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    bind(&plan, &Selection::default()).expect("bound")
}

/// Says what is chosen: `a b -c` where `c` is held back.
fn chosen(until: &[&str], from: &[&str], only: &[&str]) -> String {
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let pick = Pick { until: list(until), from: list(from), only: list(only) };
    let bound = bound();
    match choose(&bound, &Options { pick, ..Options::default() }) {
        Err(error) => error.message,
        Ok(chosen) => {
            let name = |&index: &usize| {
                let mark = if chosen.held.contains_key(&index) { "-" } else { "" };
                format!("{mark}{}", bound.plan.nodes[index].name)
            };
            chosen.wanted.iter().map(name).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn selections_bring_what_they_say() {
    assert_eq!(chosen(&["train"], &[], &[]), "prepare train");
    assert_eq!(chosen(&[], &["prepare"], &[]), chosen(&[], &[], &[]));
    assert_eq!(chosen(&["evaluate"], &["train"], &[]), "train evaluate");
    assert_eq!(chosen(&["train"], &["evaluate"], &[]), "nothing lies between `evaluate` and `train`");
    assert_eq!(chosen(&[], &[], &["evaluate"]), "evaluate");
    assert_eq!(chosen(&[], &[], &["train", "card"]), "train card");
    assert_eq!(chosen(&[], &[], &["trian"]), "no node `trian` in `p`");
}

#[test]
fn a_gate_is_asked_with_its_baseline_measured_anew() {
    assert_eq!(chosen(&[], &[], &["quality"]), "evaluate@quality quality");
}

#[test]
fn what_leaves_something_out_that_a_release_waits_for_releases_nothing() {
    let all = chosen(&[], &["train"], &[]);
    assert_eq!(all, "train evaluate evaluate@quality quality card -release -current");
    let bound = bound();
    let pick = Pick { from: vec!["evaluate".into()], ..Pick::default() };
    let held = choose(&bound, &Options { pick, ..Options::default() }).expect("chosen").held;
    assert_eq!(held.values().next().map(String::as_str), Some("this run leaves out `train`"));
    let refused = "the register `release` needs a run of all that it waits for: this run leaves out `train`";
    assert_eq!(chosen(&[], &[], &["release"]), refused);
    assert_eq!(chosen(&[], &["release"], &[]), refused);
}
