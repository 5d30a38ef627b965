//! `mlpc exec` as a platform calls it: the wiring; what it does is tested in `src/runner`.

use crate::sandbox::{Ended, Sandbox};

/// Runs `line` in a copy of the quickstart, with `$plan` set to the digest of its plan.
fn on_a_runner(sandbox: &Sandbox, line: &str) -> Ended {
    let digest = r#"plan=$(mlpc compile --target github -o "$HOME" >/dev/null 2>&1 && sed -n 's/^# plan: //p' "$HOME"/.github/workflows/*.yml)"#;
    // The base pipeline keeps its models in a folder, which a runner loses: the profile does not.
    sandbox.shell(&format!("{digest}; {line}"))
}

#[test]
fn another_plan_than_the_one_compiled_is_stale() {
    let sandbox = Sandbox::copy_of("examples/quickstart");
    let ended = on_a_runner(
        &sandbox,
        "sed -i 's/>= 0.95/>= 0.96/' pipeline.mlp; mlpc exec prepare --plan $plan --in in --out out",
    );
    assert_eq!(ended.code, 11);
    assert_eq!(ended.stderr, "error: this workflow is stale: run mlpc compile\n");
    // A comment makes no other plan.
    let ended = on_a_runner(
        &sandbox,
        "sed -i '1i # hello' pipeline.mlp; mlpc exec prepare --plan $plan --in in --out made/prepare",
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let without = sandbox.mlpc(&["exec", "prepare"]);
    assert_eq!(without.code, 2, "{}", without.stderr);
    let ended = on_a_runner(&sandbox, "mlpc exec prepare --plan $plan --event nope --in in --out out");
    assert_eq!((ended.code, ended.stderr.contains("no event `nope`")), (2, true), "{}", ended.stderr);
}

#[test]
fn jobs_hand_on_and_check_what_they_get() {
    let sandbox = Sandbox::copy_of("examples/quickstart");
    let ended = on_a_runner(
        &sandbox,
        "set -e
         mlpc exec prepare --plan $plan --run 1 --in none --out job/prepare
         rm -rf out .mlpc
         mlpc exec train --plan $plan --run 1 --in job --out handed/train --expect prepare=$(cat job/prepare/digest)
         test -s handed/train/files/model
         mlpc exec train --plan $plan --run 1 --in job --out handed/train --expect prepare=0123 && exit 90 || test $? = 11
         mlpc exec train --plan $plan --run 2 --in job --out handed/train && exit 91 || test $? = 11
         mlpc exec train --plan $plan --run 1 --in none --out handed/train && exit 92 || test $? = 11
         test \"$(grep -c '\"exit\": 11' handed/train/result.json)\" = 1
         mlpc gate quality --plan $plan --run 1 --in none --out handed/quality && exit 93 || test $? = 11
         test \"$(cat handed/quality/ask)\" = false
         grep -q not_evaluated handed/quality/gate_report.json",
    );
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn a_stage_whose_command_the_platform_runs_is_begun_and_ended() {
    let sandbox = Sandbox::copy_of("examples/quickstart");
    let ended = on_a_runner(
        &sandbox,
        "set -e
         mkdir -p out; echo stale > out/test.csv
         mv data kept; mlpc exec prepare --plan $plan --run 1 --in none --out job/prepare --begin && exit 89 || test $? = 11; mv kept data
         mlpc exec train --plan $plan --run 1 --in none --out job/train --begin && exit 88 || test $? = 11
         mlpc exec prepare --plan $plan --run 1 --in none --out job/prepare --begin
         test ! -e out/test.csv
         mlpc exec prepare --plan $plan --run 1 --in none --out job/prepare --end && exit 90 || test $? = 1
         grep -q 'the output `train` (`out/train.csv`) was not written' job/prepare/result.json
         test ! -e job/prepare/files/train
         echo a,b > out/train.csv; echo a,b > out/test.csv
         mlpc exec prepare --plan $plan --run 1 --in none --out job/prepare --end
         cmp out/test.csv job/prepare/files/test
         MLPC_OUTCOME=failure mlpc exec prepare --plan $plan --run 1 --in none --out job/failed --end && exit 91 || test $? = 1
         test ! -e job/failed/files",
    );
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn the_verdict_is_made_from_what_became_of_the_jobs() {
    let sandbox = Sandbox::copy_of("examples/quickstart");
    let all = "--status prepare=Succeeded --status train=Succeeded --status evaluate=Succeeded --status evaluate@quality=Succeeded";
    let ended = on_a_runner(
        &sandbox,
        &format!(
            "mlpc exec --verdict --plan $plan --in none {all} --status quality=Failed --status release=Omitted --status current=Omitted"
        ),
    );
    assert_eq!(ended.code, 11, "{}", ended.stdout);
    assert!(ended.stdout.contains("quality: could not be decided"), "{}", ended.stdout);
    // What came in of gates counts only with its digest.
    let handed = "mkdir -p job; mlpc gate quality --plan $plan --run 1 --in none --out job/quality";
    let unproved = on_a_runner(&sandbox, &format!("{handed}; mlpc exec --verdict --plan $plan --run 1 --in job {all}"));
    assert_eq!(unproved.code, 11);
    assert!(unproved.stderr.contains("nothing says which digest"), "{}", unproved.stderr);
    let proved = "mlpc exec --verdict --plan $plan --run 1 --in job --expect quality=$(cat job/quality/digest)";
    let proved = on_a_runner(&sandbox, &format!("{proved} {all} --status quality=Failed"));
    assert!(proved.stdout.contains("quality: error"), "{}{}", proved.stdout, proved.stderr);
    let event = on_a_runner(&sandbox, "mlpc exec prepare --plan $plan --event nope");
    assert_eq!(event.code, 2, "{}", event.stderr);
    assert!(event.stderr.contains("push, pull_request"), "{}", event.stderr);
    let wrong = on_a_runner(&sandbox, "mlpc exec --verdict --plan $plan --in none --status prepare=Perhaps");
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
}

#[test]
fn what_waits_for_a_person_looks_itself_whether_one_said_yes() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline example\nedition 2026\n\
        stage train { out model: File = \"m.txt\"   run <<< echo m > \"$model\" >>> }\n\
        approval go of train.model { by: [\"alice\"], environment: \"production\", timeout: 24h }\n\
        stage told after go { out note: File = \"n.txt\"   run <<< echo n > \"$note\" >>> }\n",
    );
    let told = |result: &str| {
        format!(
            "rm -rf job n.txt; GITHUB_ACTIONS=true GITHUB_JOB=told GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s \
             MLPC_NEEDS='{{\"go\": {{\"result\": \"{result}\", \"outputs\": {{}}}}}}' \
             mlpc exec told --plan $plan --in none --out job/told"
        )
    };
    // A condition that somebody edited away lets the job start; the program still does not.
    for result in ["skipped", "failure", "cancelled"] {
        let ended = on_a_runner(&sandbox, &told(result));
        assert_eq!(ended.code, 11, "{result}: {}", ended.stderr);
        assert!(ended.stderr.contains("`told` waits for `go`, and no approval of it has come in"), "{}", ended.stderr);
        assert!(!sandbox.path().join("n.txt").exists());
    }
    let ended = on_a_runner(&sandbox, &told("success"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(sandbox.read("n.txt"), "n\n");
}

#[test]
fn an_action_is_done_once_a_run_whatever_machine_is_asked_to() {
    let sandbox = Sandbox::new();
    sandbox.file("work/p.mlp", "pipeline example\nedition 2026\non push { branches: [\"main\"] }\n\
        registry models = git(\"mlpc-registry\")\n\
        stage train { out model: Model<pickle> = \"m.pkl\"   run <<< printf '\\x80\\x04N.' > \"$model\" >>> }\n\
        register release = train.model to models ungated \"a test\"\n\
        action tell of release { run <<< echo once >> /\"$HOME_OF_TEST\"/told; test \"${FAIL:-}\" = \"\" >>>   pass_env [\"HOME_OF_TEST\", \"FAIL\"] }\n");
    let ended = sandbox.shell(
        "set -e; export HOME_OF_TEST=$HOME
         git init -q --bare -b main remote.git; git init -q -b main work; cd work; git remote add origin ../remote.git
         git add -A; git commit -qm one; git push -q origin main; cd ..
         git clone -q remote.git other 2>/dev/null
         cd work
         plan=$(mlpc compile --target github -o \"$HOME\" >/dev/null && sed -n 's/^# plan: //p' \"$HOME\"/.github/workflows/*.yml)
         grep -A20 '^  tell:' \"$HOME\"/.github/workflows/*.yml | grep -q 'contents: write'
         mlpc exec train --plan $plan --run 1 --in none --out ../job/train
         mlpc exec release --plan $plan --run 1 --in ../job --out ../refused && exit 89 || test $? = 11
         mlpc exec release --plan $plan --run 1 --in ../job --out ../job/release --expect train=$(cat ../job/train/digest)
         said=\"--expect train=$(cat ../job/train/digest) --expect release=$(cat ../job/release/digest)\"
         FAIL=1 mlpc exec tell --plan $plan --run 1 --in ../job --out ../out $said && exit 90 || test $? = 1
         test $(wc -l < $HOME/told) = 1
         mlpc exec tell --plan $plan --run 1 --in ../job --out ../out $said
         test $(wc -l < $HOME/told) = 2
         cd ../other; mlpc exec tell --plan $plan --run 1 --in ../job --out ../out $said
         test $(wc -l < $HOME/told) = 2
         grep -q '\"status\": \"hit\"' ../out/result.json",
    );
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn what_was_called_knows_it_and_releases_nothing_from_another_branch() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline example\nedition 2026\non push { branches: [\"main\"] }\non call { rounds }\n\
        param rounds: int in 1..500 = 20\nregistry models = git(\"mlpc-registry\")\n\
        stage train when event == \"call\" { use rounds  out model: File = \"m.txt\"   run <<< echo \"$rounds\" > \"$model\" >>> }\n\
        register release = train.model to models ungated \"a test\"\n",
    );
    let on = |branch: &str, caller: &str, line: &str| {
        let line = format!(
            "export GITHUB_ACTIONS=true GITHUB_JOB=job GITHUB_EVENT_NAME=push GITHUB_REPOSITORY=a/b GITHUB_RUN_ID=7 \
             GITHUB_RUN_ATTEMPT=1 GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s RUNNER_TEMP=$HOME/t \
             GITHUB_REF=refs/heads/{branch} GITHUB_REF_NAME={branch} \
             GITHUB_WORKFLOW_REF=a/b/.github/workflows/{caller}.yml@refs/heads/{branch}; {line}"
        );
        on_a_runner(&sandbox, &line)
    };
    let train = "mlpc exec train --plan $plan --in none --out job/train";
    let ended = on("topic", "caller", &format!("export MLPC_PARAMS='{{\"rounds\": 3}}'; {train}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read("job/train/files/model"), "3\n");
    let ended = on("topic", "caller", &format!("export MLPC_PARAMS='{{\"rounds\": 900}}'; {train}"));
    assert_eq!(ended.code, 2, "{ended:?}");
    let release = "mlpc exec release --plan $plan --in job --out out --expect train=$(cat job/train/digest)";
    let ended = on("topic", "caller", release);
    assert_eq!(ended.code, 11, "{ended:?}");
    assert!(ended.stderr.contains("a run that was called on `refs/heads/topic` releases nothing"), "{ended:?}");
    // On a branch that is pushed to be released it comes as far as the registry, which there is none of here.
    let ended = on("main", "caller", release);
    assert!(ended.code != 0 && !ended.stderr.contains("releases nothing"), "{ended:?}");
    // A run of its own file is what its event says.
    std::fs::remove_dir_all(sandbox.path().join("job")).expect("the job's folder");
    let ended = on("main", "example", train);
    assert!(!sandbox.path().join("job/train/files/model").exists(), "skipped: {ended:?}");
}

#[test]
fn what_is_released_is_a_branch_of_on_push_whatever_began_the_run() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline example\nedition 2026\non push { branches: [\"main\", \"release/*\"] }\non pull_request {}\non schedule { cron: \"17 4 * * 1\" }\n\
        registry models = git(\"mlpc-registry\")\nstage train { out model: File = \"m.txt\"   run <<< echo 1 > \"$model\" >>> }\n\
        register release = train.model to models ungated \"a test\"\n",
    );
    let on = |event: &str, git_ref: &str, line: &str| {
        let line = format!(
            "export GITHUB_ACTIONS=true GITHUB_JOB=job GITHUB_EVENT_NAME={event} GITHUB_REPOSITORY=a/b GITHUB_RUN_ID=7 \
             GITHUB_RUN_ATTEMPT=1 GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s RUNNER_TEMP=$HOME/t \
             GITHUB_REF={git_ref} GITHUB_REF_NAME={}; {line}",
            git_ref.rsplit('/').next().unwrap_or_default()
        );
        on_a_runner(&sandbox, &line)
    };
    assert_eq!(on("push", "refs/heads/main", "mlpc exec train --plan $plan --in none --out job/train").code, 0);
    let release = "mlpc exec release --plan $plan --in job --out out --expect train=$(cat job/train/digest)";
    for (event, git_ref) in [
        ("schedule", "refs/heads/develop"),
        ("pull_request", "refs/pull/7/merge"),
        ("push", "refs/heads/feat"),
        ("push", "refs/heads/release/1/2"),
        ("push", "refs/tags/main"),
        ("workflow_dispatch", "refs/heads/feat"),
        ("workflow_dispatch", "refs/tags/main"),
        ("something_else", "refs/heads/main"),
    ] {
        let ended = on(event, git_ref, release);
        let said = format!("on `{git_ref}` releases nothing, and `release` would");
        assert!(ended.code == 11 && ended.stderr.contains(&said), "{event} on {git_ref}: {ended:?}");
    }
    for (event, git_ref) in [
        ("push", "refs/heads/main"),
        ("push", "refs/heads/release/1"),
        ("schedule", "refs/heads/main"),
        ("workflow_dispatch", "refs/heads/main"),
    ] {
        // As far as the registry, which there is none of here.
        let ended = on(event, git_ref, release);
        assert!(ended.code != 0 && !ended.stderr.contains("releases nothing"), "{event}: {ended:?}");
    }
}

/// What nobody pushed is released from branches that are named one by one: a pattern names none, and `!` takes away again.
#[test]
fn a_pattern_of_branches_releases_what_is_pushed_alone() {
    let of = |branches: &str| {
        format!(
            "pipeline example\nedition 2026\non push {{ branches: [{branches}] }}\non schedule {{ cron: \"17 4 * * 1\" }}\n\
             registry models = git(\"mlpc-registry\")\nstage train {{ out model: File = \"m.txt\"   run <<< echo 1 > \"$model\" >>> }}\n\
             register release = train.model to models ungated \"a test\"\ntarget github {{ install: \"preinstalled\" }}\n"
        )
    };
    for (branches, pushed) in [
        ("\"release/**\"", false),
        ("\"**\", \"!main\"", false),
        ("\"**\"", true),
        ("\"main\", \"release/*\", \"!m*\"", false),
    ] {
        let sandbox = Sandbox::new();
        sandbox.file("p.mlp", &of(branches));
        let on = |event: &str, line: &str| {
            let line = format!(
                "export GITHUB_ACTIONS=true GITHUB_JOB=job GITHUB_EVENT_NAME={event} GITHUB_REPOSITORY=a/b GITHUB_RUN_ID=7 \
                 GITHUB_RUN_ATTEMPT=1 GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s RUNNER_TEMP=$HOME/t \
                 GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main GITHUB_EVENT_PATH=$PWD/event.json; {line}"
            );
            on_a_runner(&sandbox, &line)
        };
        sandbox.file("event.json", "{\"repository\": {\"default_branch\": \"main\"}}");
        assert_eq!(on("push", "mlpc exec train --plan $plan --in none --out job/train").code, 0);
        let release = "mlpc exec release --plan $plan --in job --out out --expect train=$(cat job/train/digest)";
        for (event, releases) in [("push", pushed), ("schedule", false), ("workflow_dispatch", false)] {
            let ended = on(event, release);
            let refused = ended.stderr.contains("on `refs/heads/main` releases nothing");
            assert!(ended.code != 0 && refused != releases, "{branches}, {event}: {ended:?}");
        }
        // The jobs are not even begun, and whoever compiles is told.
        let compiled = sandbox.mlpc(&["compile", "--target", "github"]);
        let text = format!("{}{}", compiled.stdout, compiled.stderr);
        assert!(text.contains("`on schedule` releases nothing: `on push` has patterns of branches alone"), "{text}");
    }
}

/// A cell can hold what clears a screen, forges a line, or is a command to GitHub: `::name::` at the begin of a line, and `##[name]`
/// anywhere.
#[test]
fn what_stands_in_a_cell_is_no_command_to_whoever_reads_the_verdict() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "p.mlp",
        "pipeline example\nedition 2026\nschema S { c: \"x\" | \"y\" }\nsource d: Dataset<csv, S> = \"d.csv\"\n\
        gate g on d { require schema(S) }\ntarget github { }\n",
    );
    sandbox.file("d.csv", "c\n\"x\n::set-env::b\n  g  pass: ##[c]\u{1b}[2J\u{7}\u{202e}\"\n");
    let on_github = "GITHUB_ACTIONS=true GITHUB_JOB=g GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s";
    for call in [
        format!("{on_github} mlpc exec g --plan $plan --in none --out job/g"),
        format!("{on_github} mlpc run"),
        "mlpc run".to_owned(),
        "mlpc gate g".to_owned(),
        "mlpc gate g --format markdown".to_owned(),
    ] {
        let ended = on_a_runner(&sandbox, &call);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(r"x\n::set-env"), "{call}: {said}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{call}: {said}");
        let forged = |line: &str| line.trim().starts_with("::set-env") || line.trim().starts_with("g  pass");
        assert!(!said.lines().any(forged), "{call}: {said}");
        if call.contains("GITHUB") {
            // The data of a command is none.
            let of_ours = |line: &&str| !line.starts_with("::error");
            assert!(!said.lines().filter(of_ours).any(|line| line.contains("##[")), "{call}: {said}");
        }
    }
}

#[test]
fn no_commit_is_believed_of_a_repository_that_does_not_tell_its_own() {
    let sandbox = Sandbox::copy_of("examples/quickstart");
    let ended = on_a_runner(
        &sandbox,
        "set -e
         commit=0123456789abcdef0123456789abcdef01234567
         git init -q -b main; echo 'ref: refs/heads/.invalid' > .git/HEAD
         mlpc exec prepare --plan $plan --run 1 --commit $commit --in none --out out 2>said && exit 90 || test $? = 11
         grep -q 'there is a repository here, and nothing tells which commit of it is checked out' said
         rm -r .git
         mlpc exec prepare --plan $plan --run 1 --commit $commit --in none --out out",
    );
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn jobs_of_one_run_are_of_one_commit() {
    let sandbox = Sandbox::new();
    sandbox.file("work/p.mlp", "pipeline example\nedition 2026\non push { branches: [\"main\"] }\n\
        registry models = git(\"mlpc-registry\")\n\
        stage train { code \"t.sh\"   out model: Model<pickle> = \"m.pkl\"   run <<< printf '\\x80\\x04N.' > \"$model\" >>> }\n\
        register release = train.model to models ungated \"a test\"\n");
    sandbox.file("work/t.sh", "one\n");
    let ended = sandbox.shell(
        "set -e
         git init -q --bare -b main remote.git; git init -q -b main work; cd work; git remote add origin ../remote.git
         git add -A; git commit -qm one; git push -q origin main
         plan=$(mlpc compile --target github -o \"$HOME\" >/dev/null && sed -n 's/^# plan: //p' \"$HOME\"/.github/workflows/*.yml)
         one=$(git rev-parse HEAD)
         mlpc exec --pin --plan $plan --run 1 --out ../pinned
         test \"$(cat ../pinned/commit)\" = $one
         mlpc exec train --plan $plan --run 1 --commit $one --in none --out ../job/train
         grep -q \"\\\"commit\\\": \\\"$one\\\"\" ../job/train/result.json
         echo two > t.sh; git commit -qam two; git push -q origin main; cd ..
         git clone -q remote.git late; git clone -q remote.git right; cd late
         said=--expect=train=$(cat ../job/train/digest)
         mlpc exec train --plan $plan --run 1 --commit $one --in none --out ../refused 2>../said && exit 88 || test $? = 11
         grep -q \"this run is of the commit $one, and $(git rev-parse HEAD) is checked out here\" ../said
         mlpc exec release --plan $plan --run 1 --in ../job --out ../refused $said 2>../said && exit 89 || test $? = 11
         grep -q \"\\`train\\` was made from the commit $one, and this checkout is at the commit $(git rev-parse HEAD)\" ../said
         grep -q '\"exit\": 11' ../refused/result.json
         git -C .. --git-dir remote.git rev-parse -q --verify mlpc-registry && exit 90
         cd ../right; git checkout -q $one
         mlpc exec release --plan $plan --run 1 --commit $one --in ../job --out ../job/release $said
         cd ..; mkdir bare; cp right/p.mlp right/t.sh bare; cd bare
         mlpc exec --pin --plan $plan --out ../none && exit 91 || test $? = 11
         test ! -e ../none/commit
         mlpc exec release --plan $plan --run 1 --in ../job --out ../refused $said && exit 92 || test $? = 11",
    );
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}
