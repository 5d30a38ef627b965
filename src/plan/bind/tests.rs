use super::*;
use crate::compile::compile;
use crate::plan::Stage;
use crate::source::Sources;

const PIPELINE: &str = r#"
pipeline p
edition 2026
param epochs: int in 1..500 = 20
param limit:  ratio = 85%
param name:   string
param fast:   bool = false
metrics Evaluation { accuracy: ratio higher }
source raw: File = "data/raw.csv" frozen "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
registry models = directory("registry")
stage prepare when event != "pull_request" {
  in raw
  out rows: File = "out/rows.csv"
  run <<< cp "$raw" "$rows" >>>
}
stage train {
  in  rows = prepare.rows?
  use epochs, name
  out model: Model = "out/model.bin"
  rerun when epochs > 100 and not fast
  run ["train", "--name={name}", epochs, [1, 2], rows, model]
}
stage evaluate when branch != "skip" {
  in  model = train.model
  out report: Metrics<Evaluation> of model = "out/report.json"
  run <<< evaluate "$model" "$report" >>>
}
gate quality on evaluate.report {
  baseline models@production
  on no_baseline: ask first
  require accuracy >= limit
  require regression(accuracy) <= 1%
}
approval first of train.model { by: ["a"], timeout: 1h }
register release = train.model to models
promote current = release to models@production
profile smoke { set epochs = 1   set raw = "data/smoke.csv" }
profile strict { gates blocking }
profile shared { set models = git("registry")   releases true }
"#;

fn plan() -> Plan {
    let sources = Sources::single("p.mlp", PIPELINE);
    let compiled = compile(&sources);
    compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

fn selection(profile: Option<&str>, params: &[(&str, &str)]) -> Selection {
    let params = params.iter().map(|(name, text)| ((*name).to_owned(), Given::from(*text))).collect();
    Selection { profile: profile.map(str::to_owned), params, ..Selection::default() }
}

fn bound(profile: Option<&str>, params: &[(&str, &str)]) -> Bound {
    bind(&plan(), &selection(profile, params)).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn stage<'b>(bound: &'b Bound, name: &str) -> &'b Stage {
    bound.plan.stage(name).unwrap_or_else(|| panic!("no stage {name}"))
}

#[test]
fn without_a_profile_all_is_as_written() {
    let bound = bound(None, &[("name", "x")]);
    assert!(bound.releases && bound.gates_block && bound.prefix.is_empty() && bound.skipped.is_empty());
    assert_eq!(bound.event, "local");
    assert_eq!(stage(&bound, "train").outputs[0].publish, "out/model.bin");
    assert_eq!(stage(&bound, "train").rerun, Rerun::Never);
    assert_eq!(bound.digest, plan().digest());
    let gate = bound.plan.node("quality").map(|node| &node.kind);
    let Some(NodeKind::Gate(gate)) = gate else { panic!("no gate") };
    let gate::Bound::Compare { limit, .. } = &gate.requirements[0].bound else { panic!("no comparison") };
    assert_eq!(*limit, Expr::Value(Value::Ratio(0.85)));
}

#[test]
fn arguments_are_evaluated_and_lists_spliced() {
    let bound = bound(None, &[("name", "a b"), ("epochs", "150")]);
    let train = stage(&bound, "train");
    assert_eq!(train.rerun, Rerun::Always);
    let crate::types::Command::Arguments(list) = &train.work.command else { panic!("no arguments") };
    let locals = [("rows", "/r"), ("model", "/m")].map(|(name, path)| (name.to_owned(), path.to_owned()));
    let arguments = bound.arguments(list, &locals.into());
    assert_eq!(arguments, Ok(["train", "--name=a b", "150", "1", "2", "/r", "/m"].map(str::to_owned).to_vec()));
    assert!(bound.arguments(list, &BTreeMap::new()).is_err());
}

#[test]
fn a_profile_lives_apart_and_releases_nothing() {
    let bound = bound(Some("smoke"), &[("name", "x")]);
    assert_eq!(bound.prefix, ".mlpc/profiles/smoke/");
    assert_eq!(bound.params["epochs"], Value::Int(1));
    let prepare = stage(&bound, "prepare");
    assert_eq!(prepare.work.inputs[0].path, "data/smoke.csv");
    assert_eq!(prepare.outputs[0].publish, ".mlpc/profiles/smoke/out/rows.csv");
    assert_eq!(prepare.outputs[0].path, "out/rows.csv");
    assert_eq!(bound.plan.sources[0].frozen, None);
    assert_eq!(
        stage(&bound, "evaluate@quality").outputs[0].publish,
        ".mlpc/profiles/smoke/baseline/quality/out/report.json"
    );
    assert!(!bound.releases && !bound.gates_block);
    assert_eq!(bound.skipped["release"], Skip::Profile);
    assert_eq!(bound.skipped["current"], Skip::Profile);
    assert_eq!(bound.skipped.len(), 2, "{:?}", bound.skipped);
}

#[test]
fn a_given_value_goes_before_the_profiles_and_is_checked() {
    assert_eq!(bound(Some("smoke"), &[("name", "x"), ("epochs", "7")]).params["epochs"], Value::Int(7));
    let refused = |profile, params: &[(&str, &str)]| {
        let errors = bind(&plan(), &selection(profile, params)).expect_err("it does not fit");
        errors.into_iter().map(|error| error.message).collect::<Vec<_>>()
    };
    assert_eq!(refused(None, &[]), ["the parameter `name` has no value"]);
    assert_eq!(
        refused(None, &[("name", "x"), ("epochs", "501"), ("epoch", "1"), ("fast", "1")]),
        [
            "no parameter `epoch`",
            "parameter `epochs`: `501` is not in the range of `int in 1..500`",
            "parameter `fast`: `1` is no value of `bool`"
        ]
    );
    assert_eq!(refused(Some("smok"), &[("name", "x")]), ["no profile `smok`"]);
}

#[test]
fn profiles_say_whether_gates_block_and_models_are_released() {
    let strict = bound(Some("strict"), &[("name", "x")]);
    assert!(strict.gates_block && !strict.releases);
    let shared = bound(Some("shared"), &[("name", "x")]);
    assert!(shared.gates_block && shared.releases && shared.skipped.is_empty());
    assert!(shared.plan.registries[0].location.is_shared());
}

#[test]
fn what_is_off_takes_with_it_all_that_needs_it() {
    let at = |event: Option<&str>, branch: Option<&str>| {
        let (event, branch) = (event.map(str::to_owned), branch.map(str::to_owned));
        let selection = Selection { event, branch, ..selection(None, &[("name", "x")]) };
        bind(&plan(), &selection).unwrap_or_else(|errors| panic!("{errors:?}")).skipped
    };
    // An optional input does without.
    let skipped = at(Some("pull_request"), None);
    assert_eq!(skipped.into_iter().collect::<Vec<_>>(), [("prepare".to_owned(), Skip::When)]);
    // A gate over skipped evidence is not evaluated, and that is never a pass.
    let skipped = at(None, Some("skip"));
    let names: Vec<_> = skipped.keys().map(String::as_str).collect();
    assert_eq!(names, ["current", "evaluate", "evaluate@quality", "first", "quality", "release"]);
    assert_eq!(skipped["quality"], Skip::Needs("evaluate".into()));
}

#[test]
fn a_limit_from_a_parameter_is_held_to_what_a_written_one_is() {
    let source = PIPELINE
        .replace(
            "param limit:  ratio = 85%",
            "param limit: ratio = 85%\nparam margin: float = 0.01\nparam wide: ratio in -1..2 = 1%",
        )
        .replace(
            "require regression(accuracy) <= 1%",
            "require regression(accuracy) <= margin\n  require accuracy >= wide",
        );
    let compiled = compile(&Sources::single("p.mlp", &source));
    let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let said = |name: &str, text: &str| match bind(&plan, &selection(None, &[("name", "n"), (name, text)])) {
        Ok(_) => String::new(),
        Err(errors) => errors.into_iter().map(|error| error.message).collect(),
    };
    assert_eq!(
        said("limit", "85"),
        "parameter `limit`: `85` is not in the range of `ratio`, where 1 is 100 %; write `85%`"
    );
    assert_eq!(said("limit", "-1"), "parameter `limit`: `-1` is not in the range of `ratio in 0..1`");
    assert_eq!(said("limit", "150%"), "parameter `limit`: `150%` is not in the range of `ratio in 0..1`");
    assert_eq!(
        said("margin", "2"),
        "the limit of `regression(accuracy) <= margin` of `quality`: `2` is not in the range of a ratio, where 1 is 100 %; \
         write `2%`"
    );
    assert_eq!(said("margin", "-0.02"), "", "a difference may be negative");
    assert_eq!(
        said("wide", "-1%"),
        "the limit of `accuracy >= wide` of `quality`: `-0.01` is not in the range of `ratio in 0..1`"
    );
    assert_eq!(said("wide", "0.5"), "");
}
