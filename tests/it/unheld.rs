//! Checks that hold nothing back in a pipeline that releases: which are told, at what, with which way out.

use mlpc::compile::check_file;
use mlpc::diagnostic::Diagnostic;
use mlpc::source::{FileId, Sources};

/// A model with its gate and its release; checks follow.
const RELEASED: &str = r#"pipeline p
edition 2026
metrics Scores { auc: ratio higher }
source raw: Dataset<csv> = "raw.csv"
stage train { in raw   out model: Model<pickle> = "m.pkl"   run <<< make "$raw" "$model" >>> }
stage evaluate { in model = train.model   out report: Metrics<Scores> of model = "r.json"   run <<< score "$model" "$report" >>> }
gate quality on evaluate.report { require auc >= 80% }
"#;

/// A parameter, and who uses it.
const FULL: &str = "param full: bool = false\nstage page { use full   out page: Report = \"page\"   run <<< page \"$full\" \"$page\" >>> }\n";

/// Returns what is said of the pipeline with these declarations: message, text of the second place, help.
fn told(rest: &str) -> Vec<String> {
    let clients = if rest.contains("in clients") { "const clients = [\"nord\", \"syd\"]\n" } else { "" };
    let full = if rest.contains("full") { FULL } else { "" };
    let registry = if rest.contains("models") { "registry models = directory(\"registry\")\n" } else { "" };
    let sources = Sources::single("p.mlp", format!("{RELEASED}{clients}{full}{registry}{rest}\n"));
    let text = |one: &Diagnostic| {
        let place = one.labels.get(1).map(|label| &sources.file(label.span.file).text()[label.span.range()]);
        let (code, place, help) = (one.code.name(), place.unwrap_or_default(), one.help.as_deref().unwrap_or_default());
        format!("{code}: {} [{place}] {help}", one.message)
    };
    check_file(&sources, FileId(0)).diagnostics.iter().map(text).collect()
}

const RELEASE: &str = "register release = train.model to models\npromote current = release to models@production\n";

#[test]
fn a_check_that_nothing_waits_for_is_told_at_the_first_release_that_could() {
    let validate = "stage validate { in raw   run <<< validate \"$raw\" >>> }\n";
    let said = told(&format!("{validate}{RELEASE}"));
    assert_eq!(
        said,
        [
            "check-blocks-nothing: nothing waits for `validate`: where it fails, `release` goes on all the same [release] \
          write `after validate` behind `release`; or say why it holds nothing back: `allow check-blocks-nothing \"reason\"`"
        ]
    );
    // Whatever waits is enough: the release, the training, an approval that the promotion waits for.
    let release = RELEASE.replace("to models\n", "to models after validate\n");
    assert_eq!(told(&format!("{validate}{release}")), [""; 0]);
    let approval = "approval go of release after validate { by: [\"a\"], timeout: 1h }\n";
    let promote = RELEASE.replace("@production", "@production after go");
    assert_eq!(told(&format!("{validate}{approval}{promote}")), [""; 0]);
    // The author knows better.
    let allowed = validate.replace("{ in", "{ allow check-blocks-nothing \"a hint\"   in");
    assert_eq!(told(&format!("{allowed}{RELEASE}")), [""; 0]);
    // Nothing is released.
    assert_eq!(told(validate), [""; 0]);
    // An action is as good a reason as a register.
    assert_eq!(
        told(&format!("{validate}action push {{ in model = train.model   run <<< push \"$model\" >>> }}")).len(),
        1
    );
}

#[test]
fn who_waits_counts_where_a_release_comes_of_it() {
    let validate = "stage validate { in raw   run <<< validate \"$raw\" >>> }\n";
    let said = |rest: &str| {
        let said = told(rest);
        assert_eq!(said.len(), 1, "{said:?}");
        said.into_iter().next().unwrap_or_default()
    };
    // A summary that nobody reads, results that nobody is held back by.
    let summary =
        "stage summary after validate { in raw   out page: Report = \"s\"   run <<< page \"$raw\" \"$page\" >>> }\n";
    let no_release = "no release waits for `validate`: where it fails, `release` goes on all the same";
    assert!(said(&format!("{validate}{summary}{RELEASE}")).contains(no_release));
    let unit =
        "stage unit { in raw   out results: Tests always = \"t.xml\"   run <<< test \"$raw\" \"$results\" >>> }\n";
    let warns = "gate sound on unit.results { warn failed == 0 }\n";
    assert!(said(&format!("{unit}{warns}{RELEASE}")).contains("no release waits for `unit`"));
    // Of checks in a row the last is told.
    let second = "stage second after validate { in raw   run <<< second \"$raw\" >>> }\n";
    assert!(said(&format!("{validate}{second}{RELEASE}")).contains("nothing waits for `second`"));
    // However far behind.
    let release = RELEASE.replace("to models\n", "to models after summary\n");
    assert_eq!(told(&format!("{validate}{summary}{release}")), [""; 0]);
    let far = "stage last after summary { in raw   out page: Report = \"l\"   run <<< page \"$raw\" \"$page\" >>> }\n";
    let promote = RELEASE.replace("@production", "@production after last");
    assert_eq!(told(&format!("{validate}{summary}{far}{promote}")), [""; 0]);
}

#[test]
fn results_of_tests_and_gates_without_a_model_are_checks_and_pages_are_not() {
    let unit = "stage unit { out results: Tests = \"t.xml\"   run <<< pytest \"$results\" >>> }\n";
    assert_eq!(told(&format!("{unit}{RELEASE}")).len(), 1);
    let gate = "gate sound on unit.results { require failed == 0 }\n";
    let said = told(&format!("{unit}{gate}{RELEASE}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("nothing waits for `sound`: where it says no, `release` goes on"), "{said:?}");
    let release = RELEASE.replace("to models\n", "to models after sound\n");
    assert_eq!(told(&format!("{unit}{gate}{release}")), [""; 0]);
    // It guards the model that it measured, and who reads what it is on.
    let of = unit
        .replace("out results: Tests", "in model = train.model   out results: Tests of model")
        .replace("pytest", "pytest \"$model\"");
    assert_eq!(told(&format!("{of}{gate}{RELEASE}")), [""; 0]);
    assert_eq!(told(&format!("gate rows on raw {{ require rows >= 5 }}\n{RELEASE}")), [""; 0]);
    let said = told(&format!("{unit}gate sound on unit.results {{ warn failed == 0 }}\n{RELEASE}"));
    assert!(said.len() == 1 && said[0].contains("no release waits for `unit`"), "{said:?}");
    let page = "stage page { in raw   out page: Report = \"p.html\"   run <<< draw \"$raw\" \"$page\" >>> }\n";
    assert_eq!(told(&format!("{page}{RELEASE}")), [""; 0]);
    // Who says that the release goes without gates is not told of one.
    let ungated = RELEASE.replace("to models\n", "to models ungated \"a trial\"\n");
    assert_eq!(told(&format!("{unit}{gate}{ungated}")), [""; 0]);
}

#[test]
fn what_comes_behind_the_last_release_holds_nothing_back_and_what_comes_between_does() {
    let smoke = "stage smoke after current { run <<< smoke >>> }\n";
    assert_eq!(told(&format!("{RELEASE}{smoke}")), [""; 0]);
    let staging = "action staging of release { run <<< deploy \"$version\" >>> }\nstage smoke after staging { run <<< smoke >>> }\n";
    let said = told(&format!("{RELEASE}{staging}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`current` goes on all the same [current] write `after smoke` behind `current`"),
        "{said:?}"
    );
    let promote = RELEASE.replace("@production", "@production after smoke");
    assert_eq!(told(&format!("{promote}{staging}")), [""; 0]);
}

#[test]
fn conditions_are_looked_through_as_far_as_they_are_known() {
    let check = |when: &str| format!("stage lint when {when} {{ run <<< lint >>> }}\n");
    let said = told(&format!("{}{RELEASE}", check("full")));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("behind `release`, which is then skipped where `lint` is; or"), "{said:?}");
    let on = "on push { branches: [\"main\"] }\non pull_request { branches: [\"main\"], profile: smoke }\nprofile smoke { set full = true }\n";
    assert_eq!(told(&format!("{on}{}{RELEASE}", check("event == \"pull_request\""))), [""; 0], "no such run releases");
    assert_eq!(told(&format!("{on}{}{RELEASE}", check("full and profile == \"smoke\""))), [""; 0]);
    assert_eq!(told(&format!("{on}{}{RELEASE}", check("event == \"push\""))).len(), 1);
    let scheduled = RELEASE
        .replace("to models\n", "to models when event == \"schedule\"\n")
        .replace("@production", "@production when event == \"schedule\"");
    assert_eq!(told(&format!("{on}{}{scheduled}", check("event == \"push\""))), [""; 0], "they never meet");
    let releasing = on.replace("{ set full = true }", "{ set full = true   releases true }");
    assert_eq!(told(&format!("{releasing}{}{RELEASE}", check("event == \"pull_request\""))).len(), 1);
}

#[test]
fn a_loop_is_told_once_with_the_legs_to_wait_for() {
    let check = "stage valid for client in clients { in raw   run <<< check \"$raw\" \"$client\" >>> }\n";
    let said = told(&format!("{check}{RELEASE}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("nothing waits for `valid`:") && said[0].contains("`after valid[*]`"), "{said:?}");
    let own = "stage fit for client in clients { in raw   out model: Model<pickle> = \"m/{client}\"   run <<< fit \"$raw\" \"$client\" \"$model\" >>> }\n\
        register releases for client in clients = fit[client].model to models ungated \"a trial\"\n";
    let said = told(&format!("{check}{own}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("write `after valid[client]` behind `releases`"), "{said:?}");
    let part = RELEASE.replace("to models\n", "to models after valid[\"nord\"]\n");
    let said = told(&format!("{check}{part}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("nothing waits for `valid[syd]`:"), "{said:?}");
}

#[test]
fn a_first_version_that_no_run_ever_makes_is_told() {
    let compared = |rest: &str, outcome: &str| {
        let gate = format!(
            "stage again {{ in model = train.model   out report: Metrics<Scores> of model = \"a.json\"   run <<< score \"$model\" \"$report\" >>> }}\n\
             gate better on again.report {{\n  baseline models@production\n  on no_baseline: {outcome}\n  require regression(auc) <= 1%\n}}\n"
        );
        told(&format!("{gate}{rest}"))
    };
    assert_eq!(
        compared(RELEASE, "fail"),
        [
            "first-version-elsewhere: `models@production` never gets a first version here: `better` fails while there is none \
          [models@production] write `on no_baseline: ask APPROVAL`, so that a person decides about the first, or `pass`; where another \
          pipeline makes it, say so: `allow first-version-elsewhere \"reason\"`"
        ]
    );
    assert_eq!(compared(RELEASE, "pass"), [""; 0]);
    let asked = format!("approval first of train.model {{ by: [\"a\"], timeout: 1h }}\n{RELEASE}");
    assert_eq!(compared(&asked, "ask first"), [""; 0]);
    // Another model is promoted there too, past this gate.
    let other = "stage fit { in raw   out model: Model<pickle> = \"f.pkl\"   run <<< fit \"$raw\" \"$model\" >>> }\n\
        register fitted = fit.model to models ungated \"a trial\"\npromote first = fitted to models@production\n";
    assert_eq!(compared(&format!("{RELEASE}{other}"), "fail"), [""; 0]);
    // What is compared is another pointer than the one that waits.
    let staged = format!("{RELEASE}{}", other.replace("@production", "@staging"));
    assert_eq!(compared(&staged, "fail").len(), 1);
}
