//! The nodes of a plan, from the workspace's files to the registry; and what a laptop may write where.

use serde_json::{Value, json};

use super::super::{Provenance, Reach, Release, may_release};
use super::*;
use crate::plan::{Bound, NodeKind, Plan, Runtime, RuntimeKind, Selection, bind};

fn output(name: &str, path: &str, ty: &str) -> Value {
    json!({"name": name, "kind": {"artifact": ty}, "path": path, "publish": path, "always": false})
}

/// A plan as the compiler would make it: a stage, a registration and a promotion.
fn plan(location: Value, branches: &[&str]) -> Plan {
    let node = |name: &str, kind: Value| json!({"name": name, "waits": [], "kind": kind});
    serde_json::from_value(json!({
        "format": 1, "pipeline": "fraud", "edition": 2026,
        "triggers": [{"kind": {"push": {"branches": branches, "paths": []}}}],
        "params": [{"name": "epochs", "ty": {"int": {}}, "default": {"int": 20}}],
        "secrets": [], "metrics": [], "sources": [], "profiles": [], "targets": [],
        "runtimes": [{"name": "py", "kind": {"python": {"version": "3.11", "requirements": "requirements.txt"}}}],
        "registries": [{"name": "models", "location": location}],
        "nodes": [
            node("train", json!({"stage": {
                "inputs": [], "code": [], "uses": [], "secrets": [], "runtime": "py", "needs": {},
                "command": {"arguments": []}, "rerun": "never", "status": [0], "isolation": "copies",
                "outputs": [
                    output("model", "models/model.pkl", "file"),
                    output("encoder", "models/encoder", "dir"),
                    output("report", "reports/evaluation.json", "file"),
                ],
            }})),
            node("release", json!({"register": {
                "model": "train.model", "with": ["train.encoder"], "registry": "models", "metrics": "train.report",
            }})),
            node("current", json!({"promote": {"release": "release", "registry": "models", "pointer": "production"}})),
        ],
    }))
    .expect("a plan")
}

fn bound(plan: &Plan) -> Bound {
    bind(plan, &Selection::default()).expect("bound")
}

fn directory() -> Value {
    json!({"directory": {"path": "registry"}})
}

fn workspace(folder: &Path) {
    for (path, text) in [
        ("models/model.pkl", "weights"),
        ("models/encoder/vocabulary.txt", "a b c"),
        ("reports/evaluation.json", "{\"auc\": 0.91}"),
        ("requirements.txt", "numpy==2.0\n"),
    ] {
        crate::host::fs::create_dirs(crate::host::fs::parent(&folder.join(path))).expect("made");
        fs::write(folder.join(path), text).expect("written");
    }
}

#[test]
fn a_register_node_takes_the_published_files_and_says_where_they_come_from() {
    let folder = tempfile::tempdir().expect("a folder");
    workspace(folder.path());
    let plan = plan(directory(), &["main"]);
    let bound = bound(&plan);
    let release = Release { bound: &bound, workspace: folder.path(), run: "run-1", clock: clock() };
    let provenance = Provenance {
        model: Some(Digest::of(b"weights")),
        gates: BTreeMap::from([("quality".to_owned(), "blake3:00".to_owned())]),
        ..Provenance::default()
    };
    let registered = release.register("release", provenance.clone()).expect("registered");
    assert!(registered.new);
    let version = registered.version;
    assert_eq!((version.model.file.as_str(), version.digest), ("model.pkl", Digest::of(b"weights")));
    assert_eq!((version.with["encoder"].file.as_str(), version.with["encoder"].directory), ("encoder", true));
    assert_eq!(version.metrics_digest, Some(Digest::of(b"{\"auc\": 0.91}")));
    assert_eq!(version.metadata.plan, plan.digest());
    assert_eq!(version.metadata.params["epochs"], 20);
    assert_eq!(version.metadata.gates["quality"], "blake3:00");
    assert_eq!(version.metadata.code_commit, None);
    let file = folder.path().join(format!("registry/versions/{}/requirements.txt", version.id));
    assert_eq!(fs::read_to_string(file).expect("read"), "numpy==2.0\n");

    assert!(!release.register("release", provenance.clone()).expect("found").new);
    let promoted = release.promote("current", &version.id, None).expect("asked");
    assert!(matches!(promoted, Outcome::Promoted(pointer) if pointer.run == "run-1"));
    let again = release.promote("current", &version.id, None).expect("asked");
    assert!(matches!(again, Outcome::AlreadyThere(_)));

    // Somebody wrote over the model after the gate had measured it.
    fs::write(folder.path().join("models/model.pkl"), "other weights").expect("written");
    let error = release.register("release", provenance).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(release.open("models").expect("opened").versions().expect("read").len(), 1);
}

#[test]
fn nodes_of_another_kind_and_files_that_are_gone_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(directory(), &["main"]);
    let bound = bound(&plan);
    let release = Release { bound: &bound, workspace: folder.path(), run: "run-1", clock: clock() };
    for node in ["train", "current", "nothing"] {
        let error = release.register(node, Provenance::default()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    }
    assert!(release.promote("release", "v20260801-00000000", None).is_err());
    let gone = release.register("release", Provenance::default()).expect_err("no files");
    assert!(gone.to_string().contains("no such file"), "{gone}");
    assert!(!folder.path().join("registry").exists());
}

#[test]
fn the_commit_of_the_code_is_kept_and_changes_to_it_are_said() {
    let place = Place::git();
    let user = place.machine("user");
    workspace(&user);
    fs::write(user.join(".gitignore"), "registry\n").expect("written");
    git(&user, &["add", "-A"]);
    git(&user, &["commit", "-q", "-m", "all"]);
    let bound = bound(&plan(directory(), &["main"]));
    let release = Release { bound: &bound, workspace: &user, run: "run-1", clock: clock() };
    let clean = release.register("release", Provenance::default()).expect("registered").version.metadata;
    assert_eq!(clean.code_commit, Some(git(&user, &["rev-parse", "HEAD"])));
    assert_eq!(clean.notes, BTreeMap::new());
    fs::write(user.join("models/model.pkl"), "new weights").expect("written");
    let dirty = release.register("release", Provenance::default()).expect("registered").version.metadata;
    assert_eq!(dirty.notes["code"], "with changes that were not committed");
}

#[test]
fn a_laptop_writes_to_a_shared_registry_only_from_a_clean_commit_of_a_named_branch() {
    let place = Place::git();
    let user = place.machine("user");
    let shared = plan(json!({"git": {"branch": "mlpc-registry", "remote": "origin"}}), &["main", "release/*"]);
    let ask = |plan: &Plan, release: bool| {
        may_release(plan, &plan.registries[0].location, &user, release).expect("a repository")
    };
    assert_eq!(ask(&plan(directory(), &[]), false), Reach::Yes);
    assert_eq!(ask(&shared, false), Reach::NotHere);
    git(&user, &["checkout", "-q", "main"]);
    assert_eq!(ask(&shared, true), Reach::Yes);
    git(&user, &["checkout", "-q", "--detach"]);
    assert_eq!(ask(&shared, true), Reach::Yes, "the commit counts, not the name that is checked out");

    fs::write(user.join("new.txt"), "new").expect("written");
    let why = |plan: &Plan| match ask(plan, true) {
        Reach::Refused { why, help } => format!("{why}; {help}"),
        other => format!("{other:?}"),
    };
    let dirty = "`--release` needs a clean tree, and `new.txt` is not committed; commit it, or name it in `.gitignore`";
    assert_eq!(why(&shared), dirty);
    git(&user, &["checkout", "-q", "-b", "feature/main"]);
    git(&user, &["add", "-A"]);
    git(&user, &["commit", "-q", "-m", "new"]);
    let elsewhere = "`--release` needs a commit of a branch that `on push` names: `main`, `release/*`; check one of \
                     them out, or merge this one into it";
    assert_eq!(why(&shared), elsewhere);
    git(&user, &["branch", "release/1"]);
    let unpushed = "`--release` needs a commit that others have, and `release/1` of `origin` is without this one; \
                    `git push origin release/1`";
    assert_eq!(why(&shared), unpushed);
    git(&user, &["push", "-q", "origin", "release/1"]);
    assert_eq!(ask(&shared, true), Reach::Yes);

    // What the settings of a clone hide is looked at all the same.
    let hidden =
        |what: &str| assert!(why(&shared).contains(&format!("and `{what}` is not committed")), "{}", why(&shared));
    git(&user, &["config", "status.showUntrackedFiles", "no"]);
    fs::write(user.join("more.txt"), "more").expect("written");
    hidden("more.txt");
    fs::remove_file(user.join("more.txt")).expect("removed");
    for (hide, show) in [("--assume-unchanged", "--no-assume-unchanged"), ("--skip-worktree", "--no-skip-worktree")] {
        git(&user, &["update-index", hide, "new.txt"]);
        fs::write(user.join("new.txt"), "edited").expect("written");
        hidden("new.txt");
        fs::write(user.join("new.txt"), "new").expect("written");
        git(&user, &["update-index", show, "new.txt"]);
    }
    fs::write(user.join(".git/info/exclude"), "*.json\n").expect("written");
    crate::host::fs::create_dirs(&user.join("src")).expect("made");
    fs::write(user.join("src/a.json"), "{}").expect("written");
    assert_eq!(ask(&shared, true), Reach::Yes, "it is no code");
    let mut coded = shared.clone();
    let NodeKind::Stage(train) = &mut coded.nodes[0].kind else { panic!("a stage") };
    train.work.code.push("src/**".to_owned());
    let hidden_code = |what: &str| {
        assert!(why(&coded).contains(&format!("and `{what}` is not committed")), "{}", why(&coded));
    };
    hidden_code("src/a.json");
    fs::write(user.join(".git/info/exclude"), "*.json\n.DS_Store\n").expect("written");
    fs::rename(user.join("src/a.json"), user.join("src/.DS_Store")).expect("moved");
    assert_eq!(ask(&coded, true), Reach::Yes, "such a file is never code");
    // What leads out of the repository is not in it, though the link is.
    let outside = place.machine("outside");
    fs::write(outside.join("lib.py"), "1").expect("written");
    std::os::unix::fs::symlink(outside.join("lib.py"), user.join("src/lib.py")).expect("linked");
    std::os::unix::fs::symlink("../new.txt", user.join("src/same.txt")).expect("linked");
    git(&user, &["add", "-A"]);
    git(&user, &["commit", "-q", "-m", "links"]);
    git(&user, &["push", "-q", "origin", "HEAD:release/1"]);
    hidden_code("src/lib.py");
    fs::remove_file(user.join("src/lib.py")).expect("removed");
    git(&user, &["commit", "-q", "-a", "-m", "without"]);
    git(&user, &["push", "-q", "origin", "HEAD:release/1"]);
    assert_eq!(ask(&coded, true), Reach::Yes, "a link to what is committed");
    // A file that is named outright is read, whatever `.gitignore` says of it.
    fs::write(user.join(".gitignore"), "gen.py\nneeds.txt\n").expect("written");
    git(&user, &["add", "-A"]);
    git(&user, &["commit", "-q", "-m", "ignored"]);
    git(&user, &["push", "-q", "origin", "HEAD:release/1"]);
    fs::write(user.join("gen.py"), "1").expect("written");
    fs::write(user.join("needs.txt"), "numpy").expect("written");
    assert_eq!(ask(&coded, true), Reach::Yes, "nobody reads them");
    let mut named = coded.clone();
    let NodeKind::Stage(train) = &mut named.nodes[0].kind else { panic!("a stage") };
    train.work.code.push("gen.py".to_owned());
    assert!(why(&named).contains("and `gen.py` is not committed; the run reads it"), "{}", why(&named));
    let mut packaged = coded.clone();
    let python = RuntimeKind::Python { version: "3.12".to_owned(), requirements: Some("needs.txt".to_owned()) };
    packaged.runtimes.push(Runtime { name: "py".to_owned(), kind: python });
    assert!(why(&packaged).contains("and `needs.txt` is not committed; the run reads it"), "{}", why(&packaged));

    // Of two files of one size and one time git asks how they came to be.
    git(&user, &["config", "core.checkStat", "minimal"]);
    git(&user, &["config", "core.trustctime", "false"]);
    git(&user, &["config", "core.fsmonitor", "true"]);
    let file = user.join("new.txt");
    let before = std::fs::metadata(&file).and_then(|data| data.modified()).expect("a time");
    fs::write(&file, "old").expect("written");
    std::fs::File::options().append(true).open(&file).and_then(|open| open.set_modified(before)).expect("set");
    hidden("new.txt");
    fs::write(&file, "new").expect("written");
    // A submodule has files and settings of its own.
    git(&outside, &["init", "-q", "-b", "main"]);
    git(&outside, &["add", "-A"]);
    git(&outside, &["commit", "-q", "-m", "lib"]);
    let source = outside.display().to_string();
    git(&user, &["-c", "protocol.file.allow=always", "submodule", "add", "-q", &source, "src/sub"]);
    git(&user, &["commit", "-q", "-a", "-m", "with a submodule"]);
    git(&user, &["push", "-q", "origin", "HEAD:release/1"]);
    assert_eq!(ask(&coded, true), Reach::Yes, "what a submodule's commit has");
    let sub = user.join("src/sub");
    git(&sub, &["update-index", "--assume-unchanged", "lib.py"]);
    hidden_code("src/sub/lib.py");
    git(&sub, &["update-index", "--no-assume-unchanged", "lib.py"]);
    fs::write(user.join(".git/modules/src/sub/info/exclude"), "*.csv\n").expect("written");
    fs::write(sub.join("more.csv"), "1").expect("written");
    hidden_code("src/sub/more.csv");
    fs::remove_file(sub.join("more.csv")).expect("removed");
    assert_eq!(ask(&coded, true), Reach::Yes);

    // The remote's HEAD leads to a branch, and is none.
    git(&user, &["remote", "set-head", "origin", "release/1"]);
    assert_eq!(ask(&shared, true), Reach::Yes);
    let but_main =
        plan(json!({"git": {"branch": "mlpc-registry", "remote": "origin"}}), &["**", "!main", "!release/*"]);
    assert!(why(&but_main).contains("needs a commit that others have, and `feature/main`"), "{}", why(&but_main));

    let mut no_push = shared;
    no_push.triggers.clear();
    assert!(matches!(ask(&no_push, true), Reach::Refused { .. }));
}
