//! What a run on this machine may do to what others see, and what it says before it begins.

use super::*;
use crate::gate::{Baseline, OnMissing};
use crate::registry::tests::git;

fn other(name: &str, kind: NodeKind, after: &[&str]) -> Node {
    let waits = after.iter().map(|node| Wait { node: (*node).into(), why: Why::After }).collect();
    Node { name: name.into(), leg: None, doc: None, when: None, waits, kind }
}

fn action(name: &str, after: &[&str]) -> Node {
    let action = Action {
        work: Work { pass_env: vec!["PLACE".into()], ..work("echo once >> \"$PLACE/acted\"") },
        of: Some(Subject::Release("release".into())),
        permissions: vec![],
        environment: None,
        idempotent: true,
    };
    other(name, NodeKind::Action(Box::new(action)), after)
}

/// `train` -> `release` -> `current` -> `deploy`
fn releasing(location: RegistryLocation) -> Bench {
    let model = Artifact::Model { format: None };
    let train = node("train", stage("echo weights > \"$model\"", vec![output("model", "model.bin", model)]));
    let register = Register {
        model: Origin::output("train", "model"),
        with: vec![],
        registry: "models".into(),
        metrics: None,
        ungated: Some("a test".into()),
    };
    let promote = Promote {
        release: "release".into(),
        registry: "models".into(),
        pointer: "production".into(),
        compared_by: vec![],
    };
    let nodes = vec![
        train,
        other("release", NodeKind::Register(register), &["train"]),
        other("current", NodeKind::Promote(promote), &["release"]),
        action("deploy", &["current"]),
    ];
    let mut bench = Bench::new(nodes);
    bench.plan.registries = vec![Registry { name: "models".into(), location }];
    let place = bench.folder.path().as_os_str().to_owned();
    bench.setup.caller.insert("PLACE".into(), place);
    bench
}

fn directory() -> RegistryLocation {
    RegistryLocation::Directory { path: "registry".into() }
}

/// A clone with everything committed, whose `main` was pushed.
fn shared() -> Bench {
    let mut bench = releasing(RegistryLocation::Git { branch: "models".into(), remote: "origin".into() });
    let push = TriggerKind::Push { branches: vec!["main".into()], paths: vec![] };
    bench.plan.triggers = vec![Trigger { kind: push, profile: None, comment: vec![] }];
    let folder = bench.folder.path().to_owned();
    bench.write(".gitignore", ".mlpc\nmodel.bin\nacted\nremote.git\n");
    git(&folder, &["init", "-q", "--bare", "-b", "main", "remote.git"]);
    git(&folder, &["init", "-q", "-b", "main"]);
    git(&folder, &["remote", "add", "origin", "remote.git"]);
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "all"]);
    git(&folder, &["push", "-q", "origin", "main"]);
    bench.options.release = true;
    bench
}

#[test]
fn an_action_wants_a_word_even_where_the_registry_is_of_this_machine() {
    let mut bench = releasing(directory());
    let told = "NotReleased(\"it acts outside; `--release` lets it\")";
    assert_eq!(bench.endings(), format!("train:done release:done current:done deploy:{told} -> 0"));
    assert_eq!(bench.read("acted"), "(nothing)");
    bench.options.release = true;
    assert!(bench.endings().ends_with("deploy:done -> 0"), "{}", bench.endings());
    assert_eq!(bench.read("acted"), "once\n");
}

#[test]
fn what_was_done_for_the_release_in_production_is_not_done_again() {
    let mut bench = releasing(directory());
    // A run without the word promotes, and leaves the action to whoever gives it.
    bench.run();
    bench.options.release = true;
    assert!(bench.endings().ends_with("deploy:done -> 0"));
    assert_eq!(bench.endings(), "train:hit release:hit current:hit deploy:hit -> 0");
    assert_eq!(bench.endings(), "train:hit release:hit current:hit deploy:hit -> 0");
    assert_eq!(bench.read("acted"), "once\n");
    bench.options.force = Force::Nodes(vec!["deploy".into()]);
    assert!(bench.endings().ends_with("deploy:done -> 0"), "who wants it again says so");
    bench.options.force = Force::Nothing;
    // Another way to do it is not what was done.
    let NodeKind::Action(deploy) = &mut bench.plan.nodes[3].kind else { panic!("an action") };
    let before = std::mem::replace(&mut deploy.work.command, script("echo other >> \"$PLACE/acted\""));
    assert_eq!(bench.endings(), "train:hit release:hit current:hit deploy:done -> 0");
    let NodeKind::Action(deploy) = &mut bench.plan.nodes[3].kind else { panic!("an action") };
    deploy.work.command = before;
    std::fs::remove_file(bench.path("acted")).expect("removed");
    // Another model, and back again: each is another release in production.
    bench.stage("train").work.command = script("echo others > \"$model\"");
    assert_eq!(bench.endings(), "train:done release:done current:done deploy:done -> 0");
    bench.stage("train").work.command = script("echo weights > \"$model\"");
    assert_eq!(bench.endings(), "train:hit release:hit current:done deploy:done -> 0");
    assert_eq!(bench.read("acted"), "once\nonce\n");
}

#[test]
fn what_an_action_did_anew_is_carried_on_by_those_behind_it() {
    let mut bench = releasing(directory());
    bench.plan.nodes.push(action("tell", &["deploy"]));
    bench.options.release = true;
    bench.run();
    assert!(bench.endings().ends_with("deploy:hit tell:hit -> 0"));
    let NodeKind::Action(deploy) = &mut bench.plan.nodes[3].kind else { panic!("an action") };
    deploy.work.command = script("true");
    assert!(bench.endings().ends_with("deploy:done tell:done -> 0"));
    assert!(bench.endings().ends_with("deploy:hit tell:hit -> 0"));
}

#[test]
fn what_failed_for_the_release_in_production_is_done_by_the_next_run() {
    let mut bench = releasing(directory());
    bench.options.release = true;
    let NodeKind::Action(deploy) = &mut bench.plan.nodes[3].kind else { panic!("an action") };
    let works = deploy.work.command.clone();
    deploy.work.command = script("exit 1");
    assert!(bench.endings().ends_with("deploy:failed(exited with status 1) -> 1"));
    let NodeKind::Action(deploy) = &mut bench.plan.nodes[3].kind else { panic!("an action") };
    deploy.work.command = works;
    assert_eq!(bench.endings(), "train:hit release:hit current:hit deploy:done -> 0");
    assert_eq!(bench.endings(), "train:hit release:hit current:hit deploy:hit -> 0");
}

#[test]
fn what_acts_only_with_a_word_is_predicted_so() {
    let bench = releasing(directory());
    let bound = bind(&bench.plan, &Selection::default()).expect("bound");
    let predicted = predict(&bound, &bench.setup, &bench.options).expect("predicted");
    assert_eq!(predicted[3].what, Expected::NotReleased("it acts outside; `--release` lets it".into()));
}

#[test]
fn what_a_release_lacks_is_said_before_anything_runs() {
    let bench = shared();
    let folder = bench.folder.path().to_owned();
    let refused = || {
        let error = bench.try_run().expect_err("refused");
        assert_eq!(bench.read("model.bin"), "(nothing)");
        (error.exit, error.message)
    };
    bench.write("new.txt", "new");
    assert_eq!(refused(), (2, "`--release` needs a clean tree, and `new.txt` is not committed".into()));
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "new"]);
    let unpushed = "`--release` needs a commit that others have, and `main` of `origin` is without this one";
    assert_eq!(refused(), (2, unpushed.into()));
    git(&folder, &["push", "-q", "origin", "main"]);
    let endings = bench.endings();
    assert_eq!(endings, "train:done release:done current:done deploy:done -> 0");
}

#[test]
fn an_approval_that_is_given_on_the_platform_is_said_before_anything_runs() {
    let mut bench = shared();
    let approval = Approval {
        of: Subject::Release("release".into()),
        by: vec![],
        environment: None,
        timeout: 1,
        on_demand: false,
    };
    bench.plan.nodes.push(other("go_live", NodeKind::Approval(approval.clone()), &["release"]));
    let error = bench.try_run().expect_err("refused");
    let told = "`go_live` has to be given on the platform, since others share `models`";
    assert_eq!((error.exit, error.message.as_str()), (2, told));
    assert_eq!(bench.read("model.bin"), "(nothing)");
    // Nodes that don't lead there can be named.
    bench.options.pick = crate::exec::Pick::until(vec!["release".into()]);
    assert_eq!(bench.endings(), "train:done release:done -> 0");
}

#[test]
fn a_first_version_that_a_person_has_to_let_in_comes_from_the_platform() {
    let mut bench = shared();
    let of = Subject::Artifact(Origin::output("train", "model"));
    let approval = Approval { of, by: vec![], environment: None, timeout: 1, on_demand: true };
    bench.plan.nodes.push(other("first", NodeKind::Approval(approval), &["quality"]));
    let mut judged = gated("0.9");
    let mut gate = judged.plan.nodes.remove(1);
    let NodeKind::Gate(inner) = &mut gate.kind else { panic!("a gate") };
    inner.baseline = Some(Baseline {
        registry: "models".into(),
        pointer: "production".into(),
        recorded: false,
        on_absent: OnMissing::Ask("first".into()),
        on_unscorable: OnMissing::Error,
        evidence: vec![],
    });
    bench.plan.nodes.insert(0, gate);
    bench.plan.nodes.insert(0, judged.plan.nodes.remove(0));
    bench.plan.metrics = judged.plan.metrics.clone();
    let error = bench.try_run().expect_err("refused");
    let told = "`models@production` names no version yet, and `first` has to be given on the platform, since others share `models`";
    assert_eq!((error.exit, error.message.as_str()), (2, told));
    assert_eq!(bench.read("model.bin"), "(nothing)");
}

#[test]
fn a_secret_of_what_is_not_done_here_is_not_asked_for() {
    let mut bench = releasing(directory());
    bench.plan.secrets = vec![Secret { name: "token".into(), doc: None }];
    let token = SecretUse { secret: "token".into(), variable: "token".into() };
    let NodeKind::Action(deploy) = &mut bench.plan.nodes[3].kind else { panic!("an action") };
    deploy.work.secrets = vec![token.clone()];
    let mut behind = node("behind", stage("echo x > \"$out\"", vec![output("out", "x", Artifact::File)]));
    behind.waits.push(Wait { node: "deploy".into(), why: Why::After });
    if let NodeKind::Stage(stage) = &mut behind.kind {
        stage.work.secrets = vec![token];
    }
    bench.plan.nodes.push(behind);
    assert_eq!(bench.run().exit, 0);
    bench.options.release = true;
    let error = bench.try_run().expect_err("no secret");
    assert_eq!((error.exit, error.message.as_str()), (1, "`deploy` needs the secret `token`, which has no value"));
}

/// `away` -> `train` -> `back` -> `release`: what two of them do to the checkout. `feature` is a branch with another model.
fn switching(away: &str, back: &str) -> Bench {
    let mut bench = shared();
    let folder = bench.folder.path().to_owned();
    bench.write("src/train.sh", "echo weights\n");
    bench.write("raw.csv", "main\n");
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "code"]);
    git(&folder, &["push", "-q", "origin", "main"]);
    git(&folder, &["checkout", "-q", "-b", "feature"]);
    bench.write("src/train.sh", "echo weights of feature\n");
    bench.write("src/more.sh", "");
    bench.write("raw.csv", "feature\n");
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "feature"]);
    git(&folder, &["checkout", "-q", "main"]);
    let command = |text: &str| {
        let identity = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b";
        format!("echo > \"$PWD/done\"; {identity}; cd {}; {text}", folder.display())
    };
    let beside = |name: &str, text: &str| {
        let stage = stage(&command(text), vec![output("done", "done", Artifact::File)]);
        let mut node = node(name, Stage { rerun: Rerun::Always, ..stage });
        let NodeKind::Stage(stage) = &mut node.kind else { panic!("a stage") };
        stage.outputs[0].publish = format!(".mlpc/{name}");
        node
    };
    let source = Location::Path("raw.csv".into());
    bench.plan.sources.push(Source {
        name: "raw".into(),
        doc: None,
        ty: Artifact::File,
        location: source,
        frozen: None,
    });
    let mut back = beside("back", back);
    back.waits.push(Wait { node: "train".into(), why: Why::After });
    bench.plan.nodes[0].waits.push(Wait { node: "away".into(), why: Why::After });
    bench.plan.nodes[1].waits.push(Wait { node: "back".into(), why: Why::After });
    bench.plan.nodes.insert(0, beside("away", away));
    bench.plan.nodes.insert(2, back);
    bench
}

/// Has DVC keep what `train` reads, pinned as other bytes on the other branch.
fn pinning(mut bench: Bench) -> Bench {
    let folder = bench.folder.path().to_owned();
    let pin = |md5: &str| format!("outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: raw.txt\n");
    let (main, feature) = ("d7f986677d9f563bd1794b09d82206a3", "78b9861f74e15d7d0f077ba22421b8e4");
    for (md5, text) in [(main, "good\n"), (feature, "evil\n")] {
        bench.write(&format!(".dvc/cache/files/md5/{}/{}", &md5[..2], &md5[2..]), text);
    }
    bench.write(".git/info/exclude", "/.dvc/cache\n");
    for (branch, md5) in [("feature", feature), ("main", main)] {
        git(&folder, &["checkout", "-q", branch]);
        bench.write(".dvc/config", "[core]\n    remote = none\n");
        bench.write("raw.txt.dvc", &pin(md5));
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", "pinned"]);
    }
    git(&folder, &["push", "-q", "origin", "main"]);
    let address = Expr::Value(Value::String("raw.txt".into()));
    bench.plan.sources[0].location =
        Location::Remote { scheme: "dvc".into(), address, version: None, digest: None, public: true };
    let raw = input("raw", Origin::Source("raw".into()), "raw.txt");
    bench.stage("train").work = Work { inputs: vec![raw], ..work("cat \"$raw\" > \"$model\"") };
    bench
}

#[test]
fn what_was_read_from_another_checkout_is_not_released_under_the_commit_of_this_one() {
    let (away, back) = ("git checkout -q feature", "git checkout -q main");
    let none = |bench: &Bench, why: &str| {
        let told = bench.endings();
        assert!(told.contains(&format!("release:Unsound(\"{why}")) && told.ends_with("-> 11"), "{told}");
        let branches = git(&bench.path("remote.git"), &["branch", "--list", "models"]);
        assert_eq!(branches, "", "{told}");
    };
    // What code reads, which code there is, and a source that git has.
    let mut bench = switching(away, back);
    bench.stage("train").work = Work { code: vec!["src/train.sh".into()], ..work("bash src/train.sh > \"$model\"") };
    none(&bench, "this run read another `src/train.sh` than the commit `");
    let mut bench = switching(away, back);
    bench.stage("train").work = Work { code: vec!["src/m*.sh".into()], ..work("echo weights > \"$model\"") };
    none(&bench, "this run read another `src/more.sh` than the commit `");
    let mut bench = switching(away, back);
    let raw = input("raw", Origin::Source("raw".into()), "raw.csv");
    bench.stage("train").work = Work { inputs: vec![raw], ..work("cat \"$raw\" > \"$model\"") };
    none(&bench, "this run read another `raw.csv`, the source `raw`, than the commit `");
    // What DVC keeps: the commit has what pins it.
    none(&pinning(switching(away, back)), "this run read the source `raw` as DVC pins it otherwise than in `");
    let same = pinning(switching("true", "true")).endings();
    assert!(same.contains("release:done current:done"), "{same}");
    // Another commit of the same branch, which was pushed.
    let commit = "git commit -q --allow-empty -m more; git push -q origin main";
    none(&switching("true", commit), "the run began at `");
    // What is the same there, and what is no affair of git's, may come and go.
    let mut bench = switching(away, back);
    let told = bench.endings();
    assert!(told.contains("release:done current:done"), "{told}");
    git(&bench.path("."), &["checkout", "-q", "feature"]);
    git(&bench.path("."), &["checkout", "-q", "main"]);
    bench.stage("train").work.code = vec!["src/**".into()];
    bench.stage("away").work.command = script("echo > done");
    assert!(bench.endings().ends_with("-> 0"), "{}", bench.endings());
}
