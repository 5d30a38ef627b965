//! What is promoted and what is not: the first model, a worse one, one that was overtaken, one that a second gate refused.

use crate::sandbox::Sandbox;

/// A pipeline whose model is a file with its own score in it, so that a test decides how good it is.
const PIPELINE: &str = r#"pipeline toy
edition 2026

metrics Quality { score: ratio higher }
source raw: File = "score.txt"
registry models = directory("registry")

stage train {
  in  raw
  out model: Model<json> = "model.json"
  run <<< printf '{"score": %s}\n' "$(cat "$raw")" > "$model" >>>
}

stage evaluate {
  in   model = train.model, data = raw
  code "evaluate.sh"
  out  report: Metrics<Quality> of model over data as test = "report.json"
  run  <<< bash evaluate.sh "$model" > "$report" >>>
}

gate quality on evaluate.report {
  baseline models@production
  on no_baseline: pass
  require score >= 0.5
  require regression(score) <= 1%
}

register release = train.model to models after quality { metrics: evaluate.report }
promote current = release to models@production
"#;

const POINTER: &str = "registry/pointers/production.json";

fn toy(pipeline: &str, score: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("toy.mlp", pipeline).file("score.txt", score).file("evaluate.sh", "cat \"$1\"\n");
    sandbox
}

/// Returns what the registry keeps of the one version.
fn sandbox_version(sandbox: &Sandbox) -> String {
    let versions = std::fs::read_dir(sandbox.path().join("registry/versions")).expect("versions");
    let only = versions.map(|version| version.expect("a version").path()).next().expect("one");
    std::fs::read_to_string(only.join("metadata.json")).expect("its metadata")
}

fn nothing_registered(sandbox: &Sandbox) -> bool {
    let versions = sandbox.path().join("registry/versions");
    !sandbox.path().join(POINTER).exists() && !std::fs::read_dir(versions).is_ok_and(|all| all.count() > 0)
}

#[test]
fn the_first_model_is_what_no_baseline_says() {
    let passes = toy(PIPELINE, "0.8");
    let ended = passes.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(passes.path().join(POINTER).exists(), "{ended:?}");

    let fails = toy(&PIPELINE.replace("on no_baseline: pass", "on no_baseline: fail"), "0.8");
    let ended = fails.mlpc(&["run"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(nothing_registered(&fails), "{ended:?}");
}

#[test]
fn a_person_lets_the_first_model_through_and_can_refuse_it() {
    let pipeline = PIPELINE.replace("on no_baseline: pass", "on no_baseline: ask bootstrap")
        + "approval bootstrap of train.model { by: [\"tester\"], timeout: 24h }\n";
    let asks = toy(&pipeline, "0.8");
    let ended = asks.mlpc(&["run"]);
    assert_eq!(ended.code, 14, "{ended:?}");
    assert!(nothing_registered(&asks), "{ended:?}");
    // What is behind the approval waits, too: nothing went wrong.
    assert!(
        ended.stdout.contains("waits for `bootstrap`") && !ended.stdout.contains("did not come out well"),
        "{ended:?}"
    );
    // A later run that waits for nobody is none to go on with.
    assert_eq!(asks.mlpc(&["run", "train"]).code, 0);
    let approved = asks.mlpc(&["approve", "bootstrap", "--as", "tester"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    let ended = asks.mlpc(&["run", "--resume"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(asks.path().join(POINTER).exists(), "{ended:?}");
    assert!(!ended.stdout.contains("waits for the approval"), "the gate was decided: {ended:?}");
    let version = sandbox_version(&asks);
    assert!(version.contains("\"bootstrap\": \"tester, "), "{version}");
    let plan = asks.mlpc(&["plan"]).stdout;
    assert!(plan.contains("skipped: `quality` does not ask, since `models@production` names a version"), "{plan}");

    let refused = toy(&pipeline, "0.8");
    assert_eq!(refused.mlpc(&["run"]).code, 14);
    assert_eq!(refused.mlpc(&["approve", "bootstrap", "--reject", "--as", "tester"]).code, 0);
    let ended = refused.mlpc(&["run", "--resume"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(nothing_registered(&refused), "{ended:?}");
    assert!(ended.stdout.contains("rejected by tester"), "{ended:?}");
    let history = refused.mlpc(&["history"]).stdout;
    assert!(history.contains("a person said no"), "{history}");
}

#[test]
fn a_worse_model_leaves_production_as_it_was() {
    let sandbox = toy(PIPELINE, "0.8");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let before = sandbox.read(POINTER);
    sandbox.file("score.txt", "0.78");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert_eq!(sandbox.read(POINTER), before);
    sandbox.file("score.txt", "0.795");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_ne!(sandbox.read(POINTER), before);
}

#[test]
fn a_verdict_against_a_production_that_has_moved_promotes_nothing() {
    // Two workspaces, one registry.
    let pipeline = PIPELINE.replace("directory(\"registry\")", "directory(\"../registry\")");
    let asking = pipeline.replace("promote current = release to models@production", "")
        + "approval go of release { by: [\"tester\"], timeout: 24h }\n\
           promote current = release to models@production after go\n";
    let sandbox = Sandbox::new();
    for (folder, text, score) in [("a", &asking, "0.9"), ("b", &pipeline, "0.8")] {
        sandbox.file(&format!("{folder}/toy.mlp"), text);
        sandbox.file(&format!("{folder}/score.txt"), score);
        sandbox.file(&format!("{folder}/evaluate.sh"), "cat \"$1\"\n");
    }
    let ended = sandbox.shell("cd b && mlpc run");
    assert_eq!(ended.code, 0, "{ended:?}");
    let waiting = sandbox.shell("cd a && mlpc run");
    assert_eq!(waiting.code, 14, "{waiting:?}");
    sandbox.file("b/score.txt", "0.85");
    assert_eq!(sandbox.shell("cd b && mlpc run").code, 0);
    let moved = sandbox.read(POINTER);
    assert_eq!(sandbox.shell("cd a && mlpc approve go --as tester").code, 0);
    let ended = sandbox.shell("cd a && mlpc run --resume");
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stderr.contains("production") || ended.stdout.contains("production"), "{ended:?}");
    assert_eq!(sandbox.read(POINTER), moved);
}

#[test]
fn a_stage_that_opens_the_candidate_by_name_does_not_score_it_twice() {
    let sandbox = toy(PIPELINE, "0.8");
    sandbox.file("evaluate.sh", "cat model.json\n");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let before = sandbox.read(POINTER);
    sandbox.file("score.txt", "0.6");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 10, "the production model was not what the baseline stage scored: {ended:?}");
    assert_eq!(sandbox.read(POINTER), before);
}

#[test]
fn a_gate_that_release_does_not_name_still_guards_the_model() {
    let pipeline = format!("{PIPELINE}\ngate strict on evaluate.report {{ require score >= 0.95 }}\n");
    let sandbox = toy(&pipeline, "0.8");
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(nothing_registered(&sandbox), "{ended:?}");
}

#[test]
fn the_same_bytes_are_never_a_second_version() {
    let sandbox = toy(PIPELINE, "0.8");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let before = sandbox.read(POINTER);
    let ended = sandbox.shell("rm -rf .mlpc && mlpc run");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read(POINTER), before);
    assert_eq!(std::fs::read_dir(sandbox.path().join("registry/versions")).expect("versions").count(), 1);
}

/// Counts how often an action happened.
fn acted(sandbox: &Sandbox) -> usize {
    std::fs::read_to_string(sandbox.path().join("../acted")).unwrap_or_default().lines().count()
}

/// The pipeline with an action of the release that writes beside the workspace, unless something is broken there.
fn acting(more: &str) -> Sandbox {
    let sandbox = toy("", "0.8");
    let beside = sandbox.path().join("..").canonicalize().expect("the folder above").display().to_string();
    let command = format!(r#"test ! -e {beside}/broken; echo "$version" >> {beside}/acted"#);
    let action = format!("action announce of release after current {{ run <<< {command} >>> }}\n");
    sandbox.file("toy.mlp", &format!("{PIPELINE}{action}{more}"));
    sandbox
}

#[test]
fn an_action_of_a_release_that_is_in_production_already_is_not_done_again() {
    let sandbox = acting("");
    let first = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((first.code, acted(&sandbox)), (0, 1), "{first:?}");
    let again = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((again.code, acted(&sandbox)), (0, 1), "{again:?}");
    assert!(again.stdout.contains("nothing to do: the same was done for this release"), "{again:?}");
    sandbox.file("score.txt", "0.9");
    let better = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((better.code, acted(&sandbox)), (0, 2), "{better:?}");
    // The same release, but another thing to do with it.
    let other = sandbox.read("toy.mlp").replace("echo \"$version\"", "echo \"now $version\"");
    sandbox.file("toy.mlp", &other);
    let changed = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((changed.code, acted(&sandbox)), (0, 3), "{changed:?}");
    let again = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((again.code, acted(&sandbox)), (0, 3), "{again:?}");
}

#[test]
fn an_action_that_was_left_undone_is_still_to_do() {
    let sandbox = acting("");
    sandbox.file("../broken", "");
    let failed = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((failed.code, acted(&sandbox)), (1, 0), "{failed:?}");
    assert!(sandbox.path().join(POINTER).exists(), "it was promoted before");
    let still = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(still.code, 1, "{still:?}");
    std::fs::remove_file(sandbox.path().join("../broken")).expect("removed");
    let done = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((done.code, acted(&sandbox)), (0, 1), "{done:?}");
    let again = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((again.code, acted(&sandbox)), (0, 1), "{again:?}");
}

#[test]
fn one_pointer_that_names_the_model_does_not_answer_for_another() {
    let more = "approval go of release after announce { by: [\"tester\"], timeout: 24h }\n\
                promote live = release to models@live after go\n";
    let sandbox = acting(more);
    let live = sandbox.path().join("registry/pointers/live.json");
    let asks = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(asks.code, 14, "{asks:?}");
    let again = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(again.code, 14, "{again:?}");
    assert!(!live.exists(), "{again:?}");
    // The gate of the second run compared with production, that of the first with nothing: two questions.
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 2);
    let run = again.stdout.split("--as tester --run ").nth(1).and_then(|rest| rest.split('`').next()).expect("named");
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester", "--run", run]).code, 0);
    let resumed = sandbox.mlpc(&["run", "--resume", "--release"]);
    assert!(resumed.code == 0 && live.exists(), "{resumed:?}");
    let nothing = sandbox.mlpc(&["run", "--release"]);
    assert!(nothing.stdout.contains("`models@production` and `models@live` is that model already"), "{nothing:?}");
}

/// A plan of something else than the model, and an action that applies it, behind `GUARD`.
const INFRA: &str = r#"
approval go_live of release { by: ["tester"], timeout: 24h }
promote current = release to models@production after go_live
stage plan_infra { code "infra"   rerun always   out plan: File = "plan"   run <<< cat infra > "$plan" >>> }
action infra after GUARD { in plan = plan_infra.plan   pass_env ["HOME"]   run <<< cat "$plan" >> /"$HOME"/applied >>> }
"#;

/// Returns the pipeline with infrastructure beside the model, and what was applied so far.
fn infra(guard: &str, more: &str) -> (Sandbox, impl Fn(&Sandbox) -> String) {
    let pipeline = PIPELINE.replace("promote current = release to models@production\n", "");
    let sandbox = toy(&format!("{pipeline}{}{more}", INFRA.replace("GUARD", guard)), "0.8");
    sandbox.file("infra", "one\n");
    let applied =
        |sandbox: &Sandbox| std::fs::read_to_string(sandbox.path().join("../home/applied")).unwrap_or_default();
    (sandbox, applied)
}

#[test]
fn an_approval_that_asked_nobody_lets_nothing_else_through() {
    for (guard, more) in [
        ("go_live", ""),
        // A stage between has no effects, and changes nothing.
        ("looked", "stage looked after go_live { out note: File = \"note\"   run <<< echo yes > \"$note\" >>> }\n"),
        // A promotion that finds nothing to do, since nobody was asked, is no answer either.
        ("current", ""),
    ] {
        let (sandbox, applied) = infra(guard, more);
        assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
        assert_eq!(sandbox.mlpc(&["approve", "go_live", "--as", "tester"]).code, 0);
        let first = sandbox.mlpc(&["run", "--resume", "--release"]);
        assert_eq!((first.code, applied(&sandbox).as_str()), (0, "one\n"), "{guard}: {first:?}");
        // The model is production by now; the plan is another one.
        sandbox.file("infra", "two\n");
        let again = sandbox.mlpc(&["run", "--release"]);
        assert_eq!((again.code, applied(&sandbox).as_str()), (0, "one\n"), "{guard}: {again:?}");
        let why = "skipped: nobody was asked: `go_live` decides about the model that `models@production` is already";
        assert!(again.stdout.contains(why), "{again:?}");
        let help = "let `infra` come after `approval … of plan_infra.plan`";
        assert!(guard == "looked" || again.stdout.contains(help), "{again:?}");
        // Not by force either.
        let forced = sandbox.mlpc(&["run", "infra", "--release", "--force"]);
        assert_eq!((forced.code, applied(&sandbox).as_str()), (0, "one\n"), "{forced:?}");
        // A new model asks, and lets it through.
        sandbox.file("score.txt", "0.9");
        assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
        assert_eq!(sandbox.mlpc(&["approve", "go_live", "--as", "tester"]).code, 0);
        let better = sandbox.mlpc(&["run", "--resume", "--release"]);
        assert_eq!((better.code, applied(&sandbox).as_str()), (0, "one\ntwo\n"), "{guard}: {better:?}");
    }
}

#[test]
fn an_action_of_the_release_does_what_somebody_was_asked_about_and_nothing_else() {
    let (sandbox, applied) = infra("go_live", "");
    let pipeline = sandbox.read("toy.mlp").replace("action infra after", "action infra of release after");
    sandbox.file("toy.mlp", &pipeline.replace("/\"$HOME\"/applied", "/\"$HOME\"/applied; test ! -e /\"$HOME\"/broken"));
    sandbox.file("../home/broken", "");
    assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 14);
    assert_eq!(sandbox.mlpc(&["approve", "go_live", "--as", "tester"]).code, 0);
    let first = sandbox.mlpc(&["run", "--resume", "--release"]);
    assert_eq!((first.code, applied(&sandbox).as_str()), (1, "one\n"), "{first:?}");
    std::fs::remove_file(sandbox.path().join("../home/broken")).expect("removed");
    // Another plan than the one that was there when somebody was asked is not applied, whatever was left undone.
    sandbox.file("infra", "two\n");
    for more in [None, Some("--force")] {
        let other = sandbox.mlpc(&["run", "infra", "--release"].into_iter().chain(more).collect::<Vec<_>>());
        assert_eq!((other.code, applied(&sandbox).as_str()), (0, "one\n"), "{other:?}");
        let why = "skipped: nobody was asked: `go_live` decides about the model that `models@production` is already, and this \
                   is not what was begun when it was given";
        assert!(other.stdout.contains(why), "{other:?}");
        assert!(other.stdout.contains("let `infra` come after `approval … of plan_infra.plan` instead"), "{other:?}");
    }
    // What was left undone is brought to its end, once.
    sandbox.file("infra", "one\n");
    for _ in 0..2 {
        let again = sandbox.mlpc(&["run", "infra", "--release"]);
        assert_eq!((again.code, applied(&sandbox).as_str()), (0, "one\none\n"), "{again:?}");
    }
    let forced = sandbox.mlpc(&["run", "infra", "--release", "--force"]);
    assert_eq!((forced.code, applied(&sandbox).as_str()), (0, "one\none\n"), "nobody was asked twice: {forced:?}");
}

#[test]
fn a_plan_is_approved_by_itself_and_only_where_it_can_be_applied() {
    let change = "approval change of plan_infra.plan { by: [\"tester\"], timeout: 24h }\nprofile smoke { }\n";
    let (sandbox, applied) = infra("change", change);
    // Without `--release` the plan would be asked about for nothing; the model's pointer is a folder of this machine.
    let here = sandbox.mlpc(&["run"]);
    assert!(here.code == 14 && here.stdout.contains("approve go_live"), "{here:?}");
    let why = "not released here: only what is not released here waits for it: `infra`; `--release` lets it";
    assert!(here.stdout.contains(why) && !here.stdout.contains("approve change"), "{here:?}");
    assert!(sandbox.mlpc(&["plan"]).stdout.contains("only what is not released here waits for it"));
    let smoke = sandbox.mlpc(&["run", "--profile", "smoke"]);
    assert_eq!(smoke.code, 0, "{smoke:?}");
    assert!(
        smoke.stdout.contains("this profile does not release") && !smoke.stdout.contains("may decide"),
        "{smoke:?}"
    );
    let released = sandbox.mlpc(&["run", "--release"]);
    assert!(released.code == 14 && released.stdout.contains("approve change"), "{released:?}");
    for approval in ["go_live", "change"] {
        let run =
            released.stdout.split("--as tester --run ").nth(1).and_then(|rest| rest.split('`').next()).expect("named");
        let said = sandbox.mlpc(&["approve", approval, "--as", "tester", "--run", run]);
        assert_eq!(said.code, 0, "{said:?}");
    }
    let ended = sandbox.mlpc(&["run", "--resume", "--release"]);
    assert_eq!((ended.code, applied(&sandbox).as_str()), (0, "one\n"), "{ended:?}");
    // The model is production, and a new plan is asked about all the same.
    sandbox.file("infra", "two\n");
    let again = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((again.code, applied(&sandbox).as_str()), (14, "one\n"), "{again:?}");
    assert!(
        again.stdout.contains("nothing to do: `models@production`") && again.stdout.contains("approve change"),
        "{again:?}"
    );
}

#[test]
fn metrics_of_production_that_were_lost_or_edited_are_no_baseline() {
    let sandbox = toy(PIPELINE, "0.8");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let before = sandbox.read(POINTER);
    let path = format!("registry/versions/{}/metrics.json", sandbox.read("registry/production/version.txt").trim());
    let metrics = sandbox.read(&path);
    sandbox.file("score.txt", "0.85");
    for edited in [Some("{\"score\": 0.1}\n"), None] {
        std::fs::remove_file(sandbox.path().join(&path)).expect("removed");
        if let Some(text) = edited {
            sandbox.file(&path, text);
        }
        let ended = sandbox.mlpc(&["run"]);
        assert_eq!(ended.code, 11, "{ended:?}");
        assert!(ended.stdout.contains("metrics.json`") && ended.stdout.contains("mlpc registry fsck"), "{ended:?}");
        assert_eq!(sandbox.read(POINTER), before);
    }
    sandbox.file(&path, &metrics);
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
}

#[test]
fn what_was_rolled_back_is_told_with_a_colon() {
    let sandbox = toy(PIPELINE, "0.8");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    sandbox.file("score.txt", "0.9");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let back = ["registry", "rollback", "models@production", "--reason", "slow"];
    assert_eq!(sandbox.mlpc(&[&back[..], &["--as", " "]].concat()).code, 2, "by nobody");
    assert_eq!(sandbox.mlpc(&[&back[..], &["--as", "ada"]].concat()).code, 0);
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(ended.stdout.contains("rejected: `models@production` was rolled back"), "{ended:?}");
    let history = sandbox.mlpc(&["history"]).stdout;
    assert!(history.contains("was rolled back before"), "{history}");
    // Options that every verb takes stand behind the action as well.
    let shown = sandbox.mlpc(&["registry", "show", "models", "-f", "toy.mlp"]);
    assert!(shown.stdout.contains("rolled back from models@production by ada"), "{shown:?}");
    let version = shown.stdout.split("named by no pointer\n  ").nth(1).and_then(|rest| rest.split(' ').next());
    let allow = ["registry", "allow", "models@production", version.expect("one"), "--reason", "fast", "--as", "ada"];
    assert_eq!(sandbox.mlpc(&[&allow[..], &["--file", "toy.mlp"]].concat()).code, 0);
    let shown = sandbox.mlpc(&["registry", "show", "models", "-f", "toy.mlp"]);
    assert!(shown.code == 0 && !shown.stdout.contains("rolled back from"), "{shown:?}");
    assert_eq!(sandbox.mlpc(&["cache", "stat", "-f", "toy.mlp"]).code, 0);
}

/// Somebody finds a model bad while the run that promoted it goes on.
#[test]
fn what_is_rolled_back_meanwhile_is_not_acted_on() {
    let text = PIPELINE.replace(
        "promote current = release to models@production\n",
        "promote current = release to models@production\n\
         stage smoke after current {\n  out o: File = \"smoke.txt\"\n  isolation off\n  rerun always\n  \
         run <<< bash smoke.sh; echo well > \"$o\" >>>\n}\n\
         action deploy of release after smoke {\n  pass_env [\"HOME\"]\n  run <<< echo \"$version\" >> \"$HOME/deployed\" >>>\n}\n",
    );
    let sandbox = toy(&text, "0.8");
    sandbox.file("smoke.sh", "true\n");
    let ended = sandbox.mlpc(&["run", "--release"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let deployed = || sandbox.shell("cat \"$HOME/deployed\"").stdout.lines().count();
    assert_eq!(deployed(), 1);
    let program = env!("CARGO_BIN_EXE_mlpc");
    sandbox.file("score.txt", "0.9").file(
        "smoke.sh",
        &format!("'{program}' registry rollback models@production --reason slow --as ada -f toy.mlp\n"),
    );
    let ended = sandbox.mlpc(&["run", "--release"]);
    assert_eq!((ended.code, deployed()), (10, 1), "{ended:?}");
    assert!(ended.stdout.contains("rejected: `models@production` was rolled back"), "{ended:?}");
}

/// What stands behind a promotion reads what that made of the pointer, as a job of a platform does, which looks anew.
#[test]
fn what_reads_a_pointer_behind_its_promotion_reads_the_new_one() {
    let text = format!(
        "{PIPELINE}stage previous {{\n  in model = models@production?\n  out o: File = \"previous.json\"\n  rerun always\n  \
         run <<< cp \"${{model:-/dev/null}}\" \"$o\"; echo . >> \"$o\" >>>\n}}\n\
         action deploy after current {{\n  in model = models@production?\n  pass_env [\"HOME\"]\n  \
         run <<< cat \"$model\" >> \"$HOME/served\" >>>\n}}\n"
    );
    let sandbox = toy(&text, "0.8");
    let mut before = ".\n".to_owned();
    for score in ["0.8", "0.85", "0.9"] {
        sandbox.file("score.txt", score);
        let ended = sandbox.mlpc(&["run", "--release"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let served = sandbox.shell("tail -n 1 \"$HOME/served\"").stdout;
        assert_eq!(served, sandbox.read("model.json"), "{ended:?}");
        assert_eq!(
            sandbox.read("previous.json"),
            before,
            "elsewhere it is the one that stood there when the run began"
        );
        before = served + ".\n";
    }
}

/// What is registered is what the run made and measured, and not what has come to stand at its path since.
#[test]
fn what_is_registered_beside_a_model_is_what_the_run_made() {
    for (path, bad) in [("encoder.txt", "evil"), ("report.json", "{\"score\": 0.99}")] {
        let text = PIPELINE
            .replace(
                "  out model: Model<json> = \"model.json\"\n",
                "  out model: Model<json> = \"model.json\"\n  out encoder: File = \"encoder.txt\"\n",
            )
            .replace(
                "> \"$model\" >>>\n}\n\nstage evaluate",
                "> \"$model\"; echo good > \"$encoder\" >>>\n}\n\nstage evaluate",
            )
            .replace("release = train.model to", "release = train.model with train.encoder to")
            .replace("after quality", "after quality, slow")
            + "stage slow after quality {\n  out o: File = \"slow.txt\"\n  isolation off\n  rerun always\n  run <<< bash slow.sh; echo > \"$o\" >>>\n}\n";
        let sandbox = toy(&text, "0.8");
        sandbox.file("slow.sh", &format!("rm -f {path}; printf '{bad}' > {path}\n"));
        let ended = sandbox.mlpc(&["run"]);
        assert_eq!(ended.code, 11, "{path}: {ended:?}");
        assert!(ended.stdout.contains(&format!("`{path}` is no longer what was m")), "{path}: {ended:?}");
        assert!(nothing_registered(&sandbox), "{path}");
        sandbox.file("slow.sh", "true\n");
        let ended = sandbox.mlpc(&["run"]);
        assert_eq!(ended.code, 0, "{path}: {ended:?}");
        assert!(sandbox_version(&sandbox).contains("encoder"), "{path}");
    }
}

/// A pipeline whose gate warns of what stands in a file that the model does not depend on.
fn warned(sandbox: &Sandbox, warns: bool) {
    let pipeline = PIPELINE.replace("require score >= 0.5", "require score >= 0.5\n  warn score >= 0.75").replace(
        "promote current = release to models@production",
        "approval go of release { by: [\"tester\"], timeout: 24h }\npromote current = release to models@production after go",
    );
    let evaluate = if warns { "sed s/0.8/0.7/ \"$1\"\n" } else { "cat \"$1\"\n" };
    sandbox.file("toy.mlp", &pipeline).file("score.txt", "0.8").file("evaluate.sh", evaluate);
}

/// Runs until a person is waited for; returns the run's name.
fn waiting(sandbox: &Sandbox) -> String {
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 14, "{ended:?}");
    let rest = ended.stdout.split("`mlpc approve go --as tester --run ").nth(1).expect("the help names the run");
    let run = rest.split('`').next().expect("a name").to_owned();
    assert!(rest.contains(&format!("`mlpc run --resume {run}`")), "{ended:?}");
    run
}

#[test]
fn a_decision_does_not_count_for_a_run_whose_report_was_not_shown() {
    let sandbox = Sandbox::new();
    warned(&sandbox, false);
    let first = waiting(&sandbox);
    warned(&sandbox, true);
    let second = waiting(&sandbox);
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 2, "they are two questions");
    let said = sandbox.mlpc(&["approve", "go", "--as", "tester", "--run", &first]);
    assert!(said.code == 0 && said.stdout.contains("gate q"), "{said:?}");
    let other = sandbox.mlpc(&["run", "--resume", &second]);
    assert_eq!(other.code, 14, "{other:?}");
    assert!(other.stdout.contains("what tester said") && other.stdout.contains("does not count"), "{other:?}");
    assert!(!sandbox.path().join(POINTER).exists());
    let said = sandbox.mlpc(&["approve", "go", "--as", "tester", "--run", &second]);
    assert!(said.code == 0 && said.stdout.contains("warn"), "{said:?}");
    assert_eq!(sandbox.mlpc(&["run", "--resume", &second]).code, 0);
}

#[test]
fn a_report_that_was_edited_is_shown_to_nobody() {
    let sandbox = Sandbox::new();
    warned(&sandbox, false);
    let run = waiting(&sandbox);
    let path = format!(".mlpc/runs/{run}/gates/quality/gate_report.json");
    sandbox.file(&path, &sandbox.read(&path).replace("0.8", "0.99"));
    let ended = sandbox.mlpc(&["approve", "go", "--as", "tester"]);
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stderr.contains("was changed") && !ended.stdout.contains("0.99"), "{ended:?}");
    assert!(!sandbox.read(".mlpc/approvals.jsonl").contains("decided"));
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", " "]).code, 2, "nobody decides nothing");
    // Going on judges again.
    assert_eq!(sandbox.mlpc(&["run", "--resume"]).code, 14);
    assert_eq!(sandbox.mlpc(&["approve", "go", "--as", "tester"]).code, 0);
    assert_eq!(sandbox.mlpc(&["run", "--resume"]).code, 0);
}

/// Who deploys a package deploys the model that is in it.
#[test]
fn what_was_made_of_a_model_waits_for_its_gate_when_an_action_reads_it() {
    let pipeline = |score: &str, action: &str| {
        let sandbox = Sandbox::new();
        sandbox.file(
            "p.mlp",
            &format!(
                "pipeline p\nedition 2026\nmetrics E {{ auc: ratio higher }}\n\
                 stage train {{ out model: File = \"out/m\"\n run <<< echo weights > \"$model\" >>> }}\n\
                 stage evaluate {{ in model = train.model\n out report: Metrics<E> of model = \"out/e.json\"\n \
                 run <<< printf '{{\"auc\": {score}}}' > \"$report\" >>> }}\n\
                 gate q on evaluate.report {{ require auc >= 0.5 }}\n\
                 stage package {{ in model = train.model\n out tar: File = \"out/tar\"\n run <<< cp \"$model\" \"$tar\" >>> }}\n\
                 action deploy {action} {{ in tar = package.tar\n run <<< cat \"$tar\" >>> }}\n"
            ),
        );
        sandbox.mlpc(&["run", "--release"])
    };
    let bad = pipeline("0.1", "");
    assert_eq!(bad.code, 10, "{bad:?}");
    assert!(
        bad.stdout.contains("deploy") && !bad.stdout.contains("weights") && !bad.stdout.contains("deploy    done"),
        "{bad:?}"
    );
    let good = pipeline("0.9", "");
    assert!(good.code == 0 && good.stdout.contains("deploy    done"), "{good:?}");
    let early = pipeline("0.1", "after package ungated \"a staging area\"");
    assert!(early.stdout.contains("deploy    done"), "{early:?}");
}

#[test]
fn what_stands_behind_an_action_is_said_as_it_comes() {
    let sandbox = Sandbox::new();
    let text = "pipeline p\nedition 2026\n\
                action tell { run <<< true >>> }\n\
                stage after_it after tell { out x: File = \"x\"   run <<< echo 1 > \"$x\" >>> }\n\
                stage behind { in x = after_it.x   out y: File = \"y\"   run <<< cp \"$x\" \"$y\" >>> }\n\
                stage beside { out z: File = \"z\"   run <<< echo 1 > \"$z\" >>> }\n";
    sandbox.file("p.mlp", text);
    let (plan, run) = (sandbox.mlpc(&["plan"]), sandbox.mlpc(&["run"]));
    assert_eq!((plan.code, run.code), (0, 0), "{plan:?}\n{run:?}");
    for why in [
        "not released here: it acts outside; `--release` lets it",
        "skipped: it needs `tell`, which was not released here",
        "skipped: it needs `after_it`, which was skipped",
    ] {
        assert!(plan.stdout.contains(why) && run.stdout.contains(why), "{why}:\n{plan:?}\n{run:?}");
    }
    assert!(plan.stdout.contains("1 to run, 0 from the cache"), "{plan:?}");
    // Made once, it is there; a run that does not come to it does not serve it.
    assert_eq!(sandbox.mlpc(&["run", "--release"]).code, 0);
    let (plan, run) = (sandbox.mlpc(&["plan"]), sandbox.mlpc(&["run"]));
    let why = "skipped: it needs `tell`, which was not released here";
    assert!(plan.stdout.contains(why) && run.stdout.contains(why), "{plan:?}\n{run:?}");
}

#[test]
fn of_a_terraform_plan_people_see_what_it_would_change() {
    let sandbox = Sandbox::new();
    let text = "pipeline p\nedition 2026\n\
                stage plan_infra { code \"infra.tfplan\"   out plan: File = \"out/infra.tfplan\"   run <<< cat infra.tfplan > \"$plan\" >>> }\n\
                approval change of plan_infra.plan { by: [\"tester\"], timeout: 24h }\n\
                stage told after change { out x: File = \"x\"   run <<< echo 1 > \"$x\" >>> }\n";
    sandbox.file("p.mlp", text);
    std::fs::write(sandbox.path().join("infra.tfplan"), include_bytes!("../fixtures/terraform/changes.tfplan"))
        .expect("written");
    let counts = "`out/infra.tfplan`, 2777 bytes: 3 to add, 1 to change, 2 to destroy";
    let waits = sandbox.mlpc(&["run"]);
    assert!(waits.code == 14 && waits.stdout.contains(counts), "{waits:?}");
    let listed = sandbox.mlpc(&["approve"]);
    let given = sandbox.mlpc(&["approve", "change", "--as", "tester"]);
    for shown in [&listed, &given] {
        let has = |text: &str| shown.stdout.contains(text);
        assert!(has(counts) && has("-/+ terraform_data.replaced") && has("1 output changes"), "{shown:?}");
        assert!(!has("hush"), "no value is shown: {shown:?}");
    }
    assert_eq!(sandbox.mlpc(&["run", "--resume"]).code, 0);
    // Of another file its name and size.
    std::fs::write(sandbox.path().join("infra.tfplan"), "a list\n").expect("written");
    let other = sandbox.mlpc(&["run"]);
    assert!(other.code == 14 && other.stdout.contains("about `out/infra.tfplan`, 7 bytes"), "{other:?}");
}
