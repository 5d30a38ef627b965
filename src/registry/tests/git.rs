//! Dangers of a branch: others who push, hooks, the user's own repository, remotes that are not there.

use super::super::git::Git;
use super::super::rules;
use super::super::view::Store;
use super::*;

fn store(place: &Place, machine: &str) -> Git {
    Git::open("models", "mlpc-registry", "origin", &place.machine(machine), clock()).expect("opened")
}

fn remote(place: &Place) -> PathBuf {
    place.folder.path().join("remote.git")
}

#[test]
fn each_change_is_one_plain_commit_by_mlpc() {
    let place = Place::git();
    let a = place.register("a");
    promoted(&*place.open("first"), &a, None);
    let log = git(&remote(&place), &["log", "--format=%an <%ae> %cn %s", "mlpc-registry"]);
    assert_eq!(
        log,
        format!(
            "mlpc <mlpc@localhost> mlpc models: promote {} to production\n\
             mlpc <mlpc@localhost> mlpc models: register model.pkl",
            a.id
        )
    );
    let files = git(&remote(&place), &["ls-tree", "-r", "--name-only", "mlpc-registry"]);
    let version = format!("models/versions/{}", a.id);
    assert_eq!(
        files.lines().collect::<Vec<_>>(),
        [
            "models/history.jsonl",
            "models/pointers/production.json",
            "models/production/metrics.json",
            "models/production/version.txt",
            &format!("{version}/metadata.json"),
            &format!("{version}/metrics.json"),
            &format!("{version}/model"),
            &format!("{version}/requirements.txt"),
        ]
    );
    assert_eq!(git(&remote(&place), &["show", &format!("mlpc-registry:{version}/model")]), "a");
    git(&remote(&place), &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn an_unrelated_commit_in_between_is_only_decided_again() {
    let place = Place::git();
    let a = place.register("a");
    let (store, mut rounds, mut outcome) = (store(&place, "first"), 0, None);
    store
        .transact("promote", &mut |view| {
            rounds += 1;
            if rounds <= 2 {
                let other = place.open("second").register(&place.candidate(&format!("other-{rounds}")));
                assert!(other.expect("registered").new);
            }
            let (answer, changes) = rules::promote(view, &wish(&a, None), clock().now())?;
            outcome = Some(answer);
            Ok(changes)
        })
        .expect("promoted");
    assert_eq!(rounds, 3);
    assert!(matches!(outcome, Some(Outcome::Promoted(_))));
    assert_eq!(place.open("second").versions().expect("read").len(), 3, "nothing of the others was lost");
    assert_eq!(place.open("second").pointer("production").expect("read").expect("set").version, a.id);
}

#[test]
fn a_pointer_that_moved_in_between_is_not_moved_again() {
    let place = Place::git();
    let [a, b, c] = ["a", "b", "c"].map(|text| place.register(text));
    promoted(&*place.open("first"), &a, None);
    let (store, mut rounds, mut outcome) = (store(&place, "first"), 0, None);
    store
        .transact("promote", &mut |view| {
            rounds += 1;
            if rounds == 1 {
                promoted(&*place.open("second"), &b, Some(&a));
            }
            let (answer, changes) = rules::promote(view, &wish(&c, Some(&a)), clock().now())?;
            outcome = Some(answer);
            Ok(changes)
        })
        .expect("asked");
    assert_eq!(rounds, 2);
    let Some(Outcome::Moved { found: Some(found) }) = outcome else { panic!("not moved: {outcome:?}") };
    assert_eq!(found.version, b.id);
    assert_eq!(place.open("first").pointer("production").expect("read"), Some(found));
}

#[test]
fn the_first_push_of_two_makes_the_branch_and_the_other_joins_it() {
    let place = Place::git();
    let (store, mut rounds) = (store(&place, "first"), 0);
    let candidate = place.candidate("a");
    let measured = rules::measured(&candidate).expect("measured");
    store
        .transact("register", &mut |view| {
            rounds += 1;
            if rounds == 1 {
                place.open("second").register(&place.candidate("b")).expect("registered");
            }
            rules::register(view, &measured, clock().now()).map(|(_, changes)| changes)
        })
        .expect("registered");
    assert_eq!(rounds, 2);
    assert_eq!(place.open("first").versions().expect("read").len(), 2);
    assert_eq!(git(&remote(&place), &["rev-list", "--count", "mlpc-registry"]), "2");
}

#[test]
fn it_gives_up_when_others_are_always_quicker() {
    let place = Place::git();
    let a = place.register("a");
    let (store, mut rounds) = (store(&place, "first"), 0);
    let second = place.open("second");
    let error = store
        .transact("promote", &mut |view| {
            rounds += 1;
            second.register(&place.candidate(&format!("other-{rounds}"))).expect("registered");
            rules::promote(view, &wish(&a, None), clock().now()).map(|(_, changes)| changes)
        })
        .expect_err("gives up");
    assert_eq!((rounds, error.kind()), (10, ErrorKind::Unreachable));
    assert!(error.to_string().contains("was changed by others 10 times"), "{error}");
}

#[test]
fn the_users_repository_is_left_alone_and_no_hook_or_filter_runs() {
    let place = Place::git();
    let user = place.machine("user");
    for hook in ["pre-commit", "pre-push", "post-commit", "reference-transaction", "commit-msg", "pre-auto-gc"] {
        let path = user.join(".git/hooks").join(hook);
        fs::write(&path, format!("#!/bin/sh\necho {hook} >> '{}/ran'\nexit 1\n", user.display())).expect("written");
        crate::host::fs::set_mode(&path, 0o755).expect("set");
    }
    for (key, value) in [
        ("commit.gpgsign", "true"),
        ("push.gpgsign", "true"),
        ("user.name", "Somebody Else"),
        ("filter.shout.clean", "tr a-z A-Z"),
        ("core.autocrlf", "true"),
        ("core.hooksPath", ".git/hooks"),
        ("push.default", "matching"),
        ("push.followTags", "true"),
        ("fetch.prune", "true"),
        ("protocol.version", "0"),
    ] {
        git(&user, &["config", key, value]);
    }
    fs::write(user.join(".gitattributes"), "* filter=shout\n").expect("written");
    fs::write(user.join("staged.txt"), "staged\n").expect("written");
    git(&user, &["-c", "core.hooksPath=/dev/null", "add", "staged.txt"]);
    fs::write(user.join("dirty.txt"), "dirty\n").expect("written");
    fs::write(user.join(".git/info/exclude"), ".mlpc\n").expect("written");
    let state = || {
        let refs = git(&user, &["for-each-ref"]);
        let head = fs::read(user.join(".git/HEAD")).expect("read");
        let index = fs::read(user.join(".git/index")).expect("read");
        (refs, head, index, git(&user, &["count-objects"]), user.join(".git/FETCH_HEAD").exists())
    };
    let before = state();

    let registry = place.open("user");
    let version = registry.register(&place.candidate("abc")).expect("registered").version;
    promoted(&*registry, &version, None);
    registry.fetch(&version.id, &user.join(".mlpc/model")).expect("fetched");

    assert_eq!(state(), before);
    assert_eq!(fs::read_to_string(user.join("staged.txt")).expect("read"), "staged\n");
    assert!(!user.join("ran").exists(), "a hook ran");
    assert_eq!(git(&remote(&place), &["log", "-1", "--format=%an %G?", "mlpc-registry"]), "mlpc N");
    assert_eq!(fs::read_to_string(user.join(".mlpc/model")).expect("read"), "abc");
}

#[test]
fn a_shallow_detached_checkout_from_below_a_hook_works() {
    let place = Place::git();
    let a = place.register("a");
    let url = format!("file://{}", remote(&place).display());
    git(place.folder.path(), &["clone", "-q", "--depth=1", &url, "runner"]);
    let runner = place.folder.path().join("runner");
    git(&runner, &["checkout", "-q", "--detach"]);
    let workspace = runner.join("examples/one");
    fs::create_dir_all(&workspace).expect("made");
    let registry = open("models", &place.location, &workspace, clock()).expect("opened");
    promoted(&*registry, &a, None);
    assert_eq!(place.open("first").pointer("production").expect("read").expect("set").version, a.id);
    assert_eq!(git(&runner, &["rev-parse", "--is-shallow-repository"]), "true");
    assert!(workspace.join(".mlpc/registry").is_dir());
}

#[test]
fn credentials_and_address_come_from_the_users_configuration() {
    let place = Place::git();
    let user = place.machine("user");
    // As on a runner: the address is rewritten by a file that is included on a condition.
    let included = place.folder.path().join("credentials.config");
    let text = format!("[url \"file://{}/\"]\n\tinsteadOf = https://git.invalid/\n", place.folder.path().display());
    fs::write(&included, text).expect("written");
    let condition = format!("includeIf.gitdir:{}.path", user.join(".git").display());
    git(&user, &["config", &condition, &included.display().to_string()]);
    git(&user, &["remote", "set-url", "origin", "https://git.invalid/remote.git"]);
    let a = place.register("a");
    assert_eq!(place.open("user").versions().expect("read"), [a]);
}

#[test]
fn a_relative_address_starts_at_the_top_of_the_work_tree() {
    let place = Place::git();
    let user = place.machine("user");
    git(&user, &["remote", "set-url", "origin", "../remote.git"]);
    fs::create_dir_all(user.join("deep/er")).expect("made");
    let registry = open("models", &place.location, &user.join("deep/er"), clock()).expect("opened");
    let a = place.register("a");
    assert_eq!(registry.versions().expect("read"), [a]);
}

#[test]
fn a_remote_that_can_not_be_read_is_never_an_empty_registry() {
    let place = Place::git();
    let a = place.register("a");
    let user = place.machine("user");
    let registry = place.open("user");
    promoted(&*registry, &a, None);
    fs::rename(remote(&place), place.folder.path().join("away")).expect("moved");
    for result in [registry.pointer("production").map(drop), registry.versions().map(drop)] {
        let error = result.expect_err("not readable");
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().starts_with("cannot read branch `mlpc-registry` of `origin`: "), "{error}");
        assert!(error.to_string().contains("does not appear to be a git repository"), "{error}");
    }
    git(&user, &["remote", "remove", "origin"]);
    let error = open("models", &place.location, &user, clock()).err().expect("no remote");
    assert_eq!(error.to_string(), "the repository has no remote `origin`: `git remote add origin URL`");
}

#[test]
fn outside_of_a_repository_and_with_impossible_branches_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |branch: &str| RegistryLocation::Git { branch: branch.to_owned(), remote: "origin".to_owned() };
    let error = open("models", &at("b"), folder.path(), clock()).err().expect("no repository");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().starts_with("a git registry needs a repository around the workspace: "), "{error}");
    let place = Place::git();
    for branch in ["-x", "a..b", "", "a b", "x.lock", "--upload-pack=touch"] {
        let error = open("models", &at(branch), &place.machine("first"), clock()).err().expect("refused");
        assert_eq!(error.to_string(), format!("`{branch}` is no name for a branch"));
    }
}

#[test]
fn a_remote_that_says_no_is_asked_once() {
    let place = Place::git();
    let hook = remote(&place).join("hooks/update");
    fs::create_dir_all(remote(&place).join("hooks")).expect("made");
    fs::write(&hook, "#!/bin/sh\necho asked >> asked\necho no pushes here >&2\nexit 1\n").expect("written");
    crate::host::fs::set_mode(&hook, 0o755).expect("set");
    let error = place.open("first").register(&place.candidate("a")).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(
        error.to_string().contains("does not take the change: [remote rejected] (hook declined): no pushes here"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(remote(&place).join("asked")).expect("read"), "asked\n");
}

#[test]
fn what_a_killed_git_left_behind_stops_nobody() {
    let place = Place::git();
    place.register("a");
    let clones: Vec<_> = fs::read_dir(place.machine("first").join(".mlpc/registry"))
        .expect("listed")
        .map(|entry| entry.expect("read").path())
        .filter(|path| path.is_dir())
        .collect();
    let [clone] = clones.as_slice() else { panic!("one clone: {clones:?}") };
    fs::create_dir_all(clone.join("refs/mlpc")).expect("made");
    fs::write(clone.join("refs/mlpc/tip.lock"), "").expect("written");
    fs::create_dir_all(clone.with_extension("new")).expect("made");
    place.open("second").register(&place.candidate("b")).expect("registered");
    assert_eq!(place.open("first").versions().expect("read").len(), 2);
    fs::remove_dir_all(clone).expect("removed");
    assert_eq!(place.open("first").versions().expect("read").len(), 2, "the clone is only a cache");
}

#[test]
fn old_models_stay_on_the_remote_until_they_are_read() {
    let place = Place::git();
    let big = place.candidate("a");
    fs::write(&big.model.path, "weights ".repeat(20_000)).expect("written");
    let a = place.open("first").register(&big).expect("registered").version;
    place.open("second").overview().expect("read");
    let clone = fs::read_dir(place.machine("second").join(".mlpc/registry"))
        .expect("listed")
        .map(|entry| entry.expect("read").path())
        .find(|path| path.is_dir())
        .expect("a clone");
    let model = git(&remote(&place), &["rev-parse", &format!("mlpc-registry:models/versions/{}/model", a.id)]);
    let missing = || {
        let objects = ["rev-list", "--objects", "--all", "--missing=print"];
        git(&clone, &objects).lines().any(|line| line == format!("?{model}"))
    };
    assert!(missing());
    place.open("second").fetch(&a.id, &place.folder.path().join("fetched")).expect("fetched");
    assert!(!missing());
    // A commit on top of what is not here is whole on the remote.
    promoted(&*place.open("third"), &a, None);
    git(&remote(&place), &["fsck", "--strict", "--no-dangling"]);
    assert_eq!(git(&remote(&place), &["rev-parse", &format!("mlpc-registry:models/versions/{}/model", a.id)]), model);
}

#[test]
fn a_remote_without_filters_serves_as_well() {
    let place = Place::git();
    git(&remote(&place), &["config", "uploadpack.allowFilter", "false"]);
    let a = place.register("a");
    promoted(&*place.open("second"), &a, None);
    let dest = place.folder.path().join("fetched");
    place.open("third").fetch(&a.id, &dest).expect("fetched");
    assert_eq!(fs::read_to_string(dest).expect("read"), "a");
}

#[test]
fn big_models_and_empty_folders_are_refused_with_the_way_out() {
    let place = Place::git();
    let big = place.folder.path().join("big.pt");
    fs::File::create(&big).expect("made").set_len(50_000_001).expect("sized");
    let mut candidate = place.candidate("a");
    candidate.model = Artifact { path: big, file: "big.pt".to_owned() };
    let error = place.open("first").register(&candidate).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "`big.pt` has 51 MB, and a git registry takes up to 50 MB: keep it in an object store, \
         `registry models = s3(\"s3://…\")`"
    );
    let folder = place.folder.path().join("folder");
    fs::create_dir_all(folder.join("empty")).expect("made");
    candidate.model = Artifact { path: folder, file: "folder".to_owned() };
    let error = place.open("first").register(&candidate).expect_err("refused");
    assert!(error.to_string().contains("git keeps no empty folders"), "{error}");
    assert_eq!(git(&remote(&place), &["branch", "--list", "mlpc-registry"]), "");
}

#[test]
fn several_registries_share_a_branch() {
    let place = Place::git();
    let a = place.register("a");
    let other = open("encoders", &place.location, &place.machine("first"), clock()).expect("opened");
    assert_eq!(other.versions().expect("read"), []);
    other.register(&place.candidate("b")).expect("registered");
    assert_eq!(place.open("first").versions().expect("read"), [a]);
}

#[test]
fn a_damaged_pointer_in_the_branch_is_an_error_of_integrity() {
    let place = Place::git();
    let a = place.register("a");
    promoted(&*place.open("first"), &a, None);
    let user = place.machine("user");
    git(&user, &["fetch", "-q", "origin", "mlpc-registry"]);
    git(&user, &["checkout", "-q", "-B", "broken", "FETCH_HEAD"]);
    fs::write(user.join("models/pointers/production.json"), "{}").expect("written");
    git(&user, &["commit", "-q", "-am", "by hand"]);
    git(&user, &["push", "-q", "origin", "HEAD:mlpc-registry"]);
    let error = place.open("first").pointer("production").expect_err("damaged");
    assert_eq!((error.kind(), error.exit_code()), (ErrorKind::Corrupt, 11));
    let findings = place.open("first").fsck().expect("read");
    assert!(findings.iter().any(|finding| finding.path == "pointers/production.json" && !finding.repaired));
    git(&user, &["rm", "-q", "models/pointers/production.json"]);
    git(&user, &["commit", "-q", "-m", "gone"]);
    git(&user, &["push", "-q", "origin", "HEAD:mlpc-registry"]);
    assert_eq!(place.open("first").pointer("production").expect_err("gone").kind(), ErrorKind::Corrupt);
}

/// A commit that takes a promotion back goes on from it, and forgets it all the same.
#[test]
fn a_branch_whose_last_promotion_was_reverted_is_an_error() {
    let place = Place::git();
    let first = place.register("a");
    place.open("first").promote(&wish(&first, None)).expect("promoted");
    let second = place.register("b");
    let next = Promotion { expected: Some(first.id.clone()), ..wish(&second, None) };
    place.open("first").promote(&next).expect("promoted");
    let remote = remote(&place);
    let tip = git(&remote, &["rev-parse", "mlpc-registry"]).trim().to_owned();
    let before = git(&remote, &["rev-parse", "mlpc-registry^^{tree}"]).trim().to_owned();
    let revert = git(
        &remote,
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", &before, "-p", &tip, "-m", "Revert"],
    );
    git(&remote, &["update-ref", "refs/heads/mlpc-registry", revert.trim()]);
    for _ in 0..2 {
        let error = place.open("first").pointer("production").expect_err("reverted");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
    // What came is looked at before it counts: whoever is killed in between has believed nothing.
    let clones = fs::read_dir(place.machine("first").join(".mlpc/registry")).expect("clones");
    let clone = clones.flatten().map(|entry| entry.path()).find(|path| path.join("HEAD").exists()).expect("a clone");
    let known = |name: &str| git(&clone, &["rev-parse", name]).trim().to_owned();
    assert_eq!((known("refs/mlpc/tip").as_str(), known("refs/mlpc/came").as_str()), (tip.as_str(), revert.trim()));
    // A clone that never saw it finds it in the branch.
    let error = place.open("third").pointer("production").expect_err("reverted");
    assert!(error.to_string().contains("was reverted: what was released in it is not in"), "{error}");
    // What was taken back twice is there again.
    let again = git(
        &remote,
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit-tree",
            &format!("{tip}^{{tree}}"),
            "-p",
            revert.trim(),
            "-m",
            "Again",
        ],
    );
    git(&remote, &["update-ref", "refs/heads/mlpc-registry", again.trim()]);
    for machine in ["first", "fourth"] {
        assert_eq!(place.open(machine).pointer("production").expect("read").expect("there").version, second.id);
    }
    git(&remote, &["update-ref", "refs/heads/mlpc-registry", revert.trim()]);
    assert!(place.open("fourth").pointer("production").is_err());
    fs::remove_dir_all(place.machine("first").join(".mlpc/registry")).expect("removed");
    // What somebody else releases goes on from what we know.
    git(&remote, &["update-ref", "refs/heads/mlpc-registry", &tip]);
    let third = place.register("c");
    let next = Promotion { expected: Some(second.id.clone()), ..wish(&third, None) };
    place.open("second").promote(&next).expect("promoted");
    assert_eq!(place.open("first").pointer("production").expect("read").expect("there").version, third.id);
}

/// Somebody's old clone is merged by taking its own side: the branch goes on from the promotion, and has forgotten it.
#[test]
fn a_branch_that_lost_a_promotion_in_a_merge_is_an_error() {
    let place = Place::git();
    let first = place.register("a");
    place.open("first").promote(&wish(&first, None)).expect("promoted");
    let remote = remote(&place);
    let stale = git(&remote, &["rev-parse", "mlpc-registry"]).trim().to_owned();
    let second = place.register("b");
    let next = Promotion { expected: Some(first.id.clone()), ..wish(&second, None) };
    place.open("first").promote(&next).expect("promoted");
    let tip = git(&remote, &["rev-parse", "mlpc-registry"]).trim().to_owned();
    let merge = |tree: &str| {
        let tree = format!("{tree}^{{tree}}");
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let commit = ["commit-tree", &tree, "-p", &stale, "-p", &tip, "-m", "Merge"];
        let merged = git(&remote, &[&who[..], &commit[..]].concat()).trim().to_owned();
        git(&remote, &["update-ref", "refs/heads/mlpc-registry", &merged]);
    };
    merge(&stale);
    for machine in ["first", "third"] {
        let error = place.open(machine).pointer("production").expect_err("lost");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{machine}: {error}");
    }
    // A merge that has what both had has lost nothing.
    merge(&tip);
    for machine in ["first", "fourth"] {
        assert_eq!(place.open(machine).pointer("production").expect("read").expect("there").version, second.id);
    }
}

#[test]
fn a_branch_that_was_rewound_is_an_error_until_somebody_says_that_it_was_meant() {
    let place = Place::git();
    let first = place.register("a");
    place.open("first").promote(&wish(&first, None)).expect("promoted");
    let before = git(&remote(&place), &["rev-parse", "mlpc-registry"]).trim().to_owned();
    let second = place.register("b");
    let next = Promotion { expected: Some(first.id.clone()), ..wish(&second, None) };
    place.open("first").promote(&next).expect("promoted");
    git(&remote(&place), &["update-ref", "refs/heads/mlpc-registry", &before]);
    for _ in 0..2 {
        let error = place.open("first").pointer("production").expect_err("rewound");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("was rewound, replaced or reverted"), "{error}");
    }
    git(&remote(&place), &["update-ref", "-d", "refs/heads/mlpc-registry"]);
    let error = place.open("first").pointer("production").expect_err("gone");
    assert!(error.to_string().contains("is gone: it was at"), "{error}");
    git(&remote(&place), &["update-ref", "refs/heads/mlpc-registry", &before]);
    fs::remove_dir_all(place.machine("first").join(".mlpc/registry")).expect("removed");
    let pointer = place.open("first").pointer("production").expect("read").expect("there");
    assert_eq!(pointer.version, first.id);
}
