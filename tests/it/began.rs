//! What began a run of a platform: `mlpc exec` asks the pipeline, whatever a workflow's text or a submission says.

use crate::sandbox::{Ended, Sandbox};

const BODY: &str = "metrics Evaluation { auc: ratio higher }\n\
    registry models = directory(\"registry\")\n\
    stage train { out model: Model<pickle> = \"m.pkl\"   run <<< printf '\\x80\\x04N.' > \"$model\" >>> }\n\
    stage evaluate { in model = train.model   out report: Metrics<Evaluation> of model = \"e.json\"   run <<< echo '{\"auc\": 0.7}' > \"$report\" >>> }\n\
    gate quality on evaluate.report { baseline models@production   on no_baseline: pass   require regression(auc) <= 1% }\n\
    register release = train.model to models after quality { metrics: evaluate.report }\n\
    promote current = release to models@production\n\
    action deploy of release after current { idempotent   run <<< echo deployed > deployed >>> }\n\
    profile shared { set models = git(\"mlpc-registry\")   releases true }\n";

const SMOKE: &str = "profile smoke { set models = git(\"mlpc-registry\") }\n";

struct Platform {
    sandbox: Sandbox,
    target: &'static str,
}

impl Platform {
    fn of(target: &'static str, declarations: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.file("p.mlp", &format!("pipeline example\nedition 2026\n{declarations}{BODY}"));
        Self { sandbox, target }
    }

    /// Calls `mlpc exec` as the files that were compiled do.
    fn exec(&self, variables: &str, call: &str) -> Ended {
        let target = self.target;
        let digest = format!(
            "plan=$(mlpc compile --target {target} -o \"$HOME\" >/dev/null 2>&1 && sed -n 's/^# plan:* //p' \
             \"$HOME\"/.github/workflows/*.yml \"$HOME\"/argo/*-template.yaml 2>/dev/null)"
        );
        self.sandbox.shell(&format!(
            "{digest}; export {variables}; rm -rf given; mlpc exec {call} --plan $plan --in none --out given"
        ))
    }

    fn refuses(&self, variables: &str, call: &str, why: &str) {
        let ended = self.exec(variables, call);
        assert!(ended.code == 11 && ended.stderr.contains(why), "{variables}, {call}: {ended:?}");
        // What would be handed on says so, too.
        if call.split(' ').all(|word| !word.starts_with("--verdict") && !word.starts_with("--pin")) {
            assert!(self.sandbox.read("given/result.json").contains("\"exit\": 11"), "{variables}, {call}");
        }
        assert!(!self.sandbox.path().join("deployed").exists() && !self.sandbox.path().join("registry").exists());
    }

    fn lets(&self, variables: &str) {
        let ended = self.exec(variables, "train");
        assert_eq!(ended.code, 0, "{variables}: {ended:?}");
    }
}

const GITHUB: &str = "GITHUB_ACTIONS=true GITHUB_JOB=job GITHUB_REPOSITORY=a/b GITHUB_RUN_ID=7 GITHUB_RUN_ATTEMPT=1 \
    GITHUB_OUTPUT=$HOME/o GITHUB_STEP_SUMMARY=$HOME/s RUNNER_TEMP=$HOME/t";

#[test]
fn the_profile_is_the_one_of_the_trigger_whatever_a_workflow_hands_on() {
    let triggers = "on push { branches: [\"main\"], profile: shared }\non pull_request { profile: smoke }\n\
        target github { install: \"preinstalled\", runners: { default: \"own\" } }\n";
    let platform = Platform::of("github", &format!("{triggers}{SMOKE}"));
    let requested =
        format!("{GITHUB} GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/1/merge GITHUB_BASE_REF=main");
    let edited = format!("{requested} MLPC_PROFILE=shared");
    for call in ["train", "quality", "release", "current", "deploy", "--verdict", "--pin"] {
        platform.refuses(&edited, call, "this run has the profile `shared`, and `on pull_request` names `smoke`");
    }
    platform.refuses(&requested, "quality", "this run has no profile, and `on pull_request` names `smoke`");
    platform.refuses(&format!("{requested} MLPC_PROFILE=smoke"), "release", "releases nothing, and `release` would");
    platform.lets(&format!("{requested} MLPC_PROFILE=smoke"));
    let pushed = format!("{GITHUB} GITHUB_EVENT_NAME=push GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main");
    platform.lets(&format!("{pushed} MLPC_PROFILE=shared"));
    platform.refuses(&format!("{pushed} MLPC_PROFILE="), "release", "and `on push` names `shared`");
    let by_hand = pushed.replace("=push", "=workflow_dispatch");
    platform.lets(&format!("{by_hand} MLPC_PROFILE=shared"));
    platform.refuses(&format!("{by_hand} MLPC_PROFILE=smoke"), "quality", "started by hand has `shared`");
    // The event is GitHub's to tell.
    let claimed = format!("{requested} MLPC_PROFILE=shared MLPC_EVENT=push");
    let ended = platform.exec(&claimed, "release");
    assert!(ended.code == 11 && ended.stderr.contains("GitHub says that `pull_request` started it"), "{ended:?}");
}

#[test]
fn two_schedules_are_told_apart_by_the_time() {
    let triggers = "on schedule { cron: \"17 4 * * 1\", profile: shared }\non schedule { cron: \"23 5 * * *\", profile: smoke }\n\
        target github { install: \"preinstalled\", runners: { default: \"own\" } }\n";
    let platform = Platform::of("github", &format!("{triggers}{SMOKE}"));
    platform.sandbox.file("weekly.json", "{\"schedule\": \"17 4 * * 1\"}");
    platform.sandbox.file("daily.json", "{\"schedule\": \"23 5 * * *\"}");
    let begun = |by: &str, profile: &str| {
        let main = "GITHUB_EVENT_NAME=schedule GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main";
        format!("{GITHUB} {main} GITHUB_EVENT_PATH=$PWD/{by}.json MLPC_PROFILE={profile}")
    };
    platform.lets(&begun("daily", "smoke"));
    let why = "this run has the profile `shared`, and `on schedule` names `smoke`";
    platform.refuses(&begun("daily", "shared"), "release", why);
    let why = "this run has the profile `smoke`, and `on schedule` names `shared`";
    platform.refuses(&begun("weekly", "smoke"), "quality", why);
}

#[test]
fn a_submission_has_the_profile_of_its_event_and_a_person_no_other_that_releases() {
    let triggers = "on push { branches: [\"main\"], profile: shared }\non pull_request { profile: smoke }\n\
        profile other { set models = git(\"other\")   releases true }\ntarget argo { image: \"i\" }\n";
    let platform = Platform::of("argo", &format!("{triggers}{SMOKE}"));
    let run = |event: &str, profile: &str| format!("MLPC_EVENT={event} MLPC_PROFILE={profile}");
    for (event, profile) in [("push", "shared"), ("pull_request", "smoke"), ("manual", "shared"), ("manual", "smoke")] {
        platform.lets(&run(event, profile));
    }
    for call in ["train", "quality", "release", "current", "deploy", "--verdict", "--pin"] {
        let names = "this run has the profile `shared`, and `on pull_request` names `smoke`";
        platform.refuses(&run("pull_request", "shared"), call, names);
        platform.refuses(
            &run("manual", ""),
            call,
            "this run has no profile, and one that was started by hand has `shared`",
        );
        platform.refuses(&run("", "shared"), &format!("{call} --run argo-1"), "nothing says what started this run");
    }
    platform.refuses(&run("manual", "other"), "release", "and one that was started by hand has `shared`");
    platform.refuses(&run("push", "smoke"), "quality", "`on push` names `shared`");
    platform.refuses(&run("local", "shared"), "release", "nothing says what started this run");
    // No trigger of the pipeline is for it.
    platform.lets(&run("schedule", "shared"));
    platform.refuses(
        &run("schedule", "shared"),
        "release",
        "a run that `schedule` started releases nothing, and `release` would",
    );
}

#[test]
fn a_pull_request_without_a_profile_releases_nothing() {
    let triggers =
        "on push { branches: [\"main\"], profile: shared }\non pull_request { }\ntarget argo { image: \"i\" }\n";
    let declared = format!("{triggers}{SMOKE}").replace("target argo {", "target argo { profile: \"shared\",");
    let platform = Platform::of("argo", &declared);
    let requested = "MLPC_EVENT=pull_request MLPC_PROFILE=";
    platform.lets(requested);
    for call in ["release", "current", "deploy"] {
        platform.refuses(
            requested,
            call,
            &format!("a run that `pull_request` started releases nothing, and `{call}` would"),
        );
    }
}

/// An empty folder of the pod would be taken for a registry in which nothing was ever promoted.
#[test]
fn a_registry_that_is_lost_with_the_pod_is_none_without_a_baseline() {
    let triggers = "on push { branches: [\"main\"], profile: here }\non manual { profile: shared }\n\
        profile here { releases true }\nprofile strict { gates blocking }\nprofile smoke { }\ntarget argo { image: \"i\" }\n";
    let platform = Platform::of("argo", triggers);
    let pushed = "MLPC_EVENT=push MLPC_PROFILE=here";
    platform.lets(pushed);
    for call in ["quality", "release", "current"] {
        let why = format!(
            "`{call}` needs the registry `models`, the folder `registry` under the profile `here`, which is lost with the pod"
        );
        platform.refuses(pushed, &format!("{call} --run argo-1"), &why);
    }
    platform.refuses(pushed, "evaluate@quality", "which is lost with the runner");
    platform.refuses(pushed, "deploy", "what `deploy` does is written down nowhere that outlasts the runner");
    let strict = "MLPC_EVENT=manual MLPC_PROFILE=strict";
    platform.refuses(strict, "quality", "the folder `registry` under the profile `strict`, which is lost");
    // Where gates only advise nothing rests on what they say, and it compiles so.
    let shown = platform.exec("MLPC_EVENT=manual MLPC_PROFILE=smoke", "evaluate@quality");
    assert!(!shown.stderr.contains("is lost"), "{shown:?}");
}
