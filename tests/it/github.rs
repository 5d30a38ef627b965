//! Workflows for GitHub, from the source text: goldens that the judges read too, and what must hold of every one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mlpc::compile::compile;
use mlpc::source::Sources;
use mlpc::targets::{self, Compiled, Site};

/// The goldens: folder of the fixture, its source, and where the pipeline stands in its repository.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let fixture = |name: &str| std::fs::read_to_string(fixtures().join(name).join("pipeline.mlp")).expect("a fixture");
    vec![
        ("quickstart", include_str!("../../examples/quickstart/pipeline.mlp").to_owned(), "examples/quickstart"),
        ("everything", fixture("everything"), ""),
        ("managed", fixture("managed"), "ml/managed"),
        ("called", fixture("called"), ""),
        ("cache", fixture("cache"), ""),
    ]
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("targets/github/fixtures")
}

fn workflow(source: &str, folder: &str) -> Compiled {
    let sources = Sources::single("pipeline.mlp", source);
    let compiled = compile(&sources);
    let said = super::compile::listed(&sources, &compiled.diagnostics);
    let plan = compiled.plan.unwrap_or_else(|| panic!("{said}"));
    let spans = BTreeMap::new();
    let site = Site {
        folder,
        file: "pipeline.mlp",
        version: "0.1.0",
        spans: &spans,
        sources: &sources,
        locked: &std::collections::BTreeMap::new(),
    };
    targets::find("github").expect("is a target").compile(&plan, &site)
}

#[test]
fn a_folder_that_github_would_evaluate_is_refused() {
    let source = include_str!("../../examples/quickstart/pipeline.mlp");
    let found = workflow(source, "a${{ github.event.head_commit.message }}").diagnostics;
    assert_eq!(found.iter().map(|one| one.code.name()).collect::<Vec<_>>(), ["target-limit"]);
}

fn codes(source: &str) -> Vec<&'static str> {
    workflow(source, "").diagnostics.iter().map(|found| found.code.name()).collect()
}

/// `INSTA_UPDATE=always cargo test github` writes them anew.
#[test]
fn workflows_are_their_goldens() {
    for (name, source, folder) in cases() {
        let compiled = workflow(&source, folder);
        // One of them says `preinstalled` of a runner of GitHub's own, so that both stand in a golden.
        let told = compiled.diagnostics.iter().filter(|one| one.code.name() != "runner-without-mlpc");
        assert_eq!(told.count(), 0, "{name}: {:?}", compiled.diagnostics);
        let path = fixtures().join(name).join("workflow.yml");
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("can be made");
            std::fs::write(&path, &compiled.files[0].text).expect("can be written");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(golden == compiled.files[0].text, "{} is not what is compiled", path.display());
    }
}

/// `github` is the caller's in a run that was called: its event and its ref must not be taken for those of a push.
#[test]
fn what_is_called_is_no_push_and_releases_only_where_a_push_would() {
    let fixture = std::fs::read_to_string(fixtures().join("called/pipeline.mlp")).expect("a fixture");
    let text = |source: &str| workflow(source, "").files[0].text.clone();
    let whole = text(&fixture);
    let own = "startsWith(github.workflow_ref, format('{0}/.github/workflows/called.yml@', github.repository))";
    let release = whole.split("  # register release").nth(1).expect("a job").split("  # ").next().expect("it");
    let condition = release.lines().find(|line| line.trim().starts_with("if:")).expect("a condition");
    assert!(condition.contains(&format!("github.event_name == 'push' && {own}")), "{condition}");
    assert!(condition.contains(&format!("!{own} && github.ref == 'refs/heads/main'")), "{condition}");
    assert!(
        whole.contains("      HUB_TOKEN:\n        description: For the model hub.\n        required: true"),
        "{whole}"
    );
    assert!(!whole.contains("GITHUB_TOKEN:\n        "), "the platform's own is not handed on: {whole}");
    // A caller has no environment, and can't hand on what only that one holds.
    let own = "description: Of the environment that the action is in, and of no other job.\n        required: false";
    assert!(whole.contains(own), "{whole}");
    // Without a named branch there is none that a call could release on.
    let unnamed =
        text(&fixture.replace("branches: [\"main\"] }\non pull_request", "branches: [\"v*\"] }\non pull_request"));
    let release = unnamed.split("  # register release").nth(1).expect("a job");
    let condition = release.lines().find(|line| line.trim().starts_with("if:")).expect("a condition");
    assert!(!condition.contains('!') || !condition.contains(&format!("!{own}")), "{condition}");
}

#[test]
fn a_comment_changes_no_byte() {
    for (_, source, folder) in cases() {
        let noted = format!("# a comment\n{source}\n# another\n");
        assert_eq!(workflow(&source, folder), workflow(&noted, folder));
    }
}

/// A strict reader refuses a key that stands twice in one map, as GitHub does.
#[test]
fn whatever_the_book_shows_becomes_a_workflow_that_can_be_read() {
    let mut read = 0;
    for (path, page) in crate::docs::lessons() {
        for block in crate::markdown::blocks(&page).into_iter().filter(|block| block.info == "mlp") {
            let sources = Sources::single("pipeline.mlp", crate::markdown::completed(&block.text));
            let Some(plan) = compile(&sources).plan else { continue };
            let (spans, locked) = (BTreeMap::new(), BTreeMap::new());
            let site = Site {
                folder: "",
                file: "pipeline.mlp",
                version: "0.1.0",
                spans: &spans,
                sources: &sources,
                locked: &locked,
            };
            for file in targets::find("github").expect("is a target").compile(&plan, &site).files {
                let parsed: Result<serde_yaml::Value, _> = serde_yaml::from_str(&file.text);
                parsed.unwrap_or_else(|error| panic!("{}:{}: {error}\n{}", path.display(), block.line, file.text));
                read += 1;
            }
        }
    }
    assert!(read >= 20, "{read} blocks compile");
}

/// Reads a golden's jobs.
fn jobs(text: &str) -> Vec<(String, serde_yaml::Value)> {
    let read: serde_yaml::Value = serde_yaml::from_str(text).expect("is YAML");
    let jobs = read["jobs"].as_mapping().expect("has jobs");
    jobs.iter().map(|(id, job)| (id.as_str().expect("an id").to_owned(), job.clone())).collect()
}

fn steps(job: &serde_yaml::Value) -> Vec<serde_yaml::Value> {
    job["steps"].as_sequence().cloned().unwrap_or_default()
}

#[test]
fn no_script_holds_an_expression_and_every_action_is_pinned() {
    for (name, source, folder) in cases() {
        let text = &workflow(&source, folder).files[0].text;
        for (id, job) in jobs(text) {
            for step in steps(&job) {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{name}, {id}: {run}");
                if let Some((_, commit)) = step["uses"].as_str().and_then(|uses| uses.split_once('@')) {
                    assert!(
                        commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                        "{name}, {id}: {commit}"
                    );
                }
            }
        }
        let uses = text.lines().filter(|line| line.contains(" uses: "));
        assert!(uses.into_iter().all(|line| line.contains(" # v")), "{name}");
        // Text of the pipeline that looks like an expression is never handed to GitHub.
        assert!(!text.contains("secrets.X") && !text.contains("${{ github.token }}\")"), "{name}");
    }
}

#[test]
fn only_releases_may_write_and_every_job_says_what_it_may() {
    for (name, source, folder) in cases() {
        let text = &workflow(&source, folder).files[0].text;
        for (id, job) in jobs(text) {
            let permissions = job["permissions"].as_mapping().unwrap_or_else(|| panic!("{name}, {id} says nothing"));
            for (scope, access) in permissions {
                // The platform's word for a job, which a provider takes for a key.
                let asks = [("cache", "train"), ("called", "publish")].contains(&(name, id.as_str()));
                let word = scope.as_str() == Some("id-token") && asks;
                let talks = (id.as_str(), scope.as_str()) == ("comment", Some("pull-requests"));
                let writes = access.as_str() != Some("read") && !word && !talks;
                assert!(!writes || ["release", "current", "publish"].contains(&id.as_str()), "{name}, {id}: {scope:?}");
            }
        }
    }
}

#[test]
fn every_job_is_behind_the_verdict_and_checks_the_plan() {
    for (name, source, folder) in cases() {
        let text = &workflow(&source, folder).files[0].text;
        let mut all = jobs(text);
        // What a pull request is told decides nothing.
        let comment = all.pop_if(|(id, _)| id == "comment");
        assert_eq!(comment.is_some(), source.contains("comment: ["), "{name}");
        if let Some((_, comment)) = comment {
            assert!(steps(&comment).iter().any(|step| step["run"].as_str().is_some_and(|run| run.contains("--plan"))));
        }
        let (last, verdict) = all.last().expect("has jobs");
        let needed: Vec<_> =
            verdict["needs"].as_sequence().into_iter().flatten().filter_map(|id| id.as_str()).collect();
        let others: Vec<_> = all.iter().map(|(id, _)| id.as_str()).filter(|id| id != last).collect();
        assert_eq!((last.as_str(), needed), ("verdict", others), "{name}");
        assert_eq!(verdict["if"].as_str(), Some("${{ always() }}"));
        for (id, job) in &all {
            let calls: Vec<_> = steps(job).iter().filter_map(|step| step["run"].as_str().map(str::to_owned)).collect();
            let ours = id == "mlpc" || id.ends_with("-verdict");
            let checks = calls.iter().any(|run| run.contains("--plan \"$MLPC_PLAN\""));
            assert!(ours || checks, "{name}, {id}");
            let bare = job["if"].as_str().is_some_and(|condition| condition.contains("always()"));
            assert!(!bare || id == last, "{name}, {id} runs whatever happened");
        }
    }
}

/// Returns what the golden with a cache becomes where its target says this instead.
fn cached(triggers: &str, cache: &str) -> Compiled {
    let text = std::fs::read_to_string(fixtures().join("cache/pipeline.mlp")).expect("a fixture");
    let head = text.find("on push").zip(text.find("credential")).expect("triggers stand before credentials");
    let tail = text.find("target github").expect("a target");
    // A credential that the target does not name would be unused.
    let named =
        |line: &&str| !line.starts_with("credential") || cache.contains(line.split(' ').nth(1).unwrap_or_default());
    let rest: String = text[head.1..tail].lines().filter(named).map(|line| format!("{line}\n")).collect();
    let source = format!("{}{triggers}\n{rest}target github {{ cache: {cache} }}\n", &text[..head.0]);
    workflow(&source, "")
}

const MAIN: &str = "on push { branches: [\"main\"] }\non pull_request { profile: smoke }";

#[test]
fn only_runs_of_refs_that_are_named_get_the_key_that_writes() {
    let (_, source, folder) = cases().pop().expect("the last one is the cache's");
    let trusted = "github.event_name == 'push' || github.event_name == 'schedule'";
    let all = jobs(&workflow(&source, folder).files[0].text);
    let with_keys: Vec<_> =
        all.iter().filter(|(_, job)| steps(job).iter().any(|step| step["id"] == "cache-write")).collect();
    // `evaluate` says `rerun always`: nothing of it is ever taken out of a cache.
    assert_eq!(with_keys.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["train"]);
    let steps = steps(&with_keys[0].1);
    let step = |id: &str| steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id}"));
    assert_eq!(step("cache-write")["if"], format!("${{{{ {trusted} }}}}").as_str());
    let read = step("cache-read")["if"].as_str().unwrap_or_default().to_owned();
    assert!(read.starts_with(&format!("${{{{ !({trusted}) && (")), "{read}");
    assert!(read.contains("head.repo.full_name == github.repository"), "a fork has no key: {read}");
    for key in ["cache-read", "cache-write"] {
        assert_eq!(step(key)["with"]["output-env-credentials"], false, "what a stage runs must not see the key");
    }
    let env = &step("mlpc")["env"];
    assert_eq!(env["MLPC_REMOTE"], "s3://team-cache/fraud?region=eu-west-1");
    assert_eq!(env["MLPC_REMOTE_WRITE"], format!("${{{{ ({trusted}) && 'trusted' || '' }}}}").as_str());
}

#[test]
fn a_cache_that_nobody_writes_names_no_key() {
    let text = &cached(MAIN, "\"s3://open-cache/x?region=eu-west-1\"").files[0].text;
    assert!(text.contains("MLPC_REMOTE: s3://open-cache/x?region=eu-west-1"), "{text}");
    assert!(!text.contains("MLPC_REMOTE_") && !text.contains("id-token"), "{text}");
    let text = &cached(MAIN, "{ url: \"s3://x/y\", write: writer }").files[0].text;
    assert!(
        text.contains("MLPC_REMOTE: ${{ (github.event_name == 'push') && 's3://x/y?region=eu-west-1' || '' }}"),
        "{text}"
    );
}

#[test]
fn a_cache_that_too_many_could_write_is_refused() {
    let message = |triggers: &str, cache: &str| {
        let found = cached(triggers, cache).diagnostics;
        found.first().map(|found| format!("{}: {}", found.code.name(), found.message)).unwrap_or_default()
    };
    let writes = "{ url: \"s3://x/y\", read: reader, write: writer }";
    let says = |triggers: &str, cache: &str, words: &str| {
        let message = message(triggers, cache);
        assert!(message.starts_with("target-setting: ") && message.contains(words), "{cache}: {message}");
    };
    says("on push {}\non pull_request { profile: smoke }", writes, "whoever may push any branch");
    says("on pull_request { profile: smoke }", writes, "no run may write the cache");
    says(MAIN, "{ url: \"s3://x/y\", write: nobody }", "names no credential: `nobody`");
    says(MAIN, "{ read: reader }", "does not say where it is");
    says(MAIN, "{ url: \"s3://x/y\", wrote: writer }", "no field `wrote`");
    says(MAIN, "\"/mnt/cache\"", "no address of a shared cache");
    says(MAIN, "\"s3://x/'y\"", "no address of a shared cache");
    says(MAIN, "\"s3://x/y\", steps: plain", "takes nothing out of a cache");
}

const TAIL: &str = r#"
source raw: Dataset<csv> = "data/raw.csv"
stage train {
  in  raw
  out model: Model<pickle> = "model.pkl"
  run <<< python3 train.py "$raw" "$model" >>>
}
"#;

fn pipeline(declarations: &str) -> String {
    format!("pipeline example\nedition 2026\n{declarations}\n{TAIL}")
}

/// What a gate said before a stage is part of where the stage's results come from, and so of what a version says.
#[test]
fn a_stage_is_given_what_the_gates_before_it_said() {
    let source = r#"pipeline example
edition 2026
source raw: Dataset<csv> = "data/raw.csv"
stage prepare { in raw  out table: Dataset<csv> = "table.csv"  run <<< cp "$raw" "$table" >>> }
gate sound on prepare.table { require rows >= 1 }
stage train { in table = prepare.table  out model: Model<pickle> = "m.pkl"  run <<< cp "$table" "$model" >>> }
"#;
    let text = workflow(source, "").files[0].text.clone();
    let train = text.split("\n  train:\n").nth(1).expect("the job of the stage");
    assert!(train.contains("name: Fetch sound\n"), "{train}");
}

const RELEASE: &str = r#"
registry models = directory("registry")
register release = train.model to models ungated "none yet"
"#;

#[test]
fn a_folder_as_a_registry_is_lost_with_a_hosted_runner() {
    let push = r#"on push { branches: ["main"] }"#;
    assert_eq!(codes(&pipeline(&format!("{push}{RELEASE}"))), ["registry-not-shared"]);
    let shared = r#"on push { branches: ["main"], profile: shared }
        profile shared { set models = git("r")   releases true }"#;
    assert_eq!(codes(&pipeline(&format!("{shared}{RELEASE}"))), [""; 0]);
    // A profile that does not release does not reach it.
    let smoke = r#"on pull_request { branches: ["main"], profile: smoke }
        param rounds: int = 1
        profile smoke { set rounds = 2 }"#;
    let compiled = workflow(&pipeline(&format!("{smoke}{RELEASE}")).replace("in  raw", "in  raw\n use rounds"), "");
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    assert!(compiled.files[0].text.contains("# No trigger runs: release."), "{}", compiled.files[0].text);
}

#[test]
fn where_nothing_starts_the_pipeline_the_help_is_a_trigger() {
    let found = workflow(&pipeline(RELEASE), "").diagnostics;
    assert_eq!(found.iter().map(|one| one.code.name()).collect::<Vec<_>>(), ["registry-not-shared"]);
    let labels: Vec<_> = found[0].labels.iter().map(|label| label.text.as_str()).collect();
    assert_eq!(labels, ["", "used here"], "there is no trigger to point at");
    let help = "write a trigger with a profile, `on push { branches: [\"main\"], profile: shared }`, and `profile shared` with \
        `set models = git(\"mlpc-registry\")` and `releases true`";
    assert_eq!(found[0].help.as_deref(), Some(help));
    let action = "action tell { run <<< true >>> }";
    let found = workflow(&pipeline(action), "").diagnostics;
    assert_eq!(found.iter().map(|one| one.labels.len()).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_folder_as_a_registry_is_lost_where_a_trigger_comes_to_what_uses_it() {
    let triggers = r#"on push { branches: ["main"], profile: shared }
        on pull_request { branches: ["main"], profile: smoke }
        param rounds: int = 1
        profile smoke { set rounds = 2 }
        profile shared { set models = git("r")   releases true }"#;
    let promote = "promote current = release to models@production";
    let of = |rest: &str| {
        pipeline(&format!("{triggers}{RELEASE}{promote}{rest}")).replace("in  raw", "in  raw\n use rounds")
    };
    assert_eq!(codes(&of("")), [""; 0]);
    // What does not release may read it.
    let reads = "\nstage compare { in old = models@production?   out page: Report = \"page\"   run <<< compare \"$old\" \"$page\" >>> }";
    assert_eq!(codes(&of(reads)), ["registry-not-shared"]);
    assert_eq!(codes(&of(&reads.replace("compare {", "compare when event == \"push\" {"))), [""; 0]);
    let gate = "\nmetrics Scores { auc: ratio higher }\n\
        stage score { in model = train.model   out report: Metrics<Scores> of model = \"r.json\"   run <<< score \"$model\" \"$report\" >>> }\n\
        gate better on score.report { baseline models@production\n on no_baseline: fail\n require regression(auc) <= 1% }";
    assert_eq!(codes(&of(gate)), ["registry-not-shared"]);
    // Nor does it help where a run that releases keeps its folder.
    assert_eq!(codes(&of("").replace("set models = git(\"r\")   ", "")), ["registry-not-shared"]);
}

#[test]
fn paths_are_of_the_pipelines_folder_and_may_climb_as_far_as_the_repository_goes() {
    let on = |paths: &str| pipeline(&format!("on push {{ branches: [\"main\"], paths: [{paths}] }}"));
    let text = |folder: &str, paths: &str| workflow(&on(paths), folder).files[0].text.clone();
    let paths = r#""./src/**", "../lib/**", "!../lib/docs/**""#;
    let list = "paths:\n      - team/ml/src/**\n      - team/lib/**\n      - '!team/lib/docs/**'\n";
    assert!(text("team/ml", paths).contains(list), "{}", text("team/ml", paths));
    let outside = |folder: &str| {
        let said = workflow(&on(r#""**", "../lib/**""#), folder).diagnostics;
        said.iter().map(|one| one.code.name()).collect::<Vec<_>>()
    };
    assert_eq!(outside(""), ["path-outside"]);
    assert_eq!(outside("ml"), [""; 0]);
}

/// What a release depends on stands in the `if` of its job.
fn condition(source: &str, job: &str) -> String {
    let all = jobs(&workflow(source, "").files[0].text);
    let found = all.iter().find(|(id, _)| id == job).unwrap_or_else(|| panic!("no job {job}"));
    found.1["if"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_release_asks_for_the_branch_however_the_run_began() {
    let release = RELEASE.replace("directory(\"registry\")", "git(\"r\")");
    let triggers = "on push { branches: [\"main\"] }\non pull_request { branches: [\"main\"] }\n\
                    on schedule { cron: \"17 4 * * 1\" }\nexternal event \"retrain\"\non event \"retrain\" { }";
    let all = condition(&pipeline(&format!("{triggers}{release}")), "release");
    let named = "github.ref == 'refs/heads/main'";
    for event in ["schedule", "repository_dispatch", "workflow_dispatch"] {
        assert!(all.contains(&format!("github.event_name == '{event}' && {named}")), "{all}");
    }
    assert!(all.contains("github.event_name == 'push'") && !all.contains("pull_request"), "{all}");
    // Where `on push` names no branch the default branch is all there is.
    let open = condition(&pipeline(&format!("on schedule {{ cron: \"17 4 * * 1\" }}{release}")), "release");
    assert!(open.contains("github.event_name == 'schedule' ||"), "{open}");
    assert!(open.contains("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"), "{open}");
    // A pull request releases where its profile says so.
    let preview = format!(
        "on pull_request {{ profile: preview }}\nprofile preview {{ set models = git(\"preview\")   releases true }}{release}"
    );
    assert!(condition(&pipeline(&preview), "release").contains("pull_request"));
}

#[test]
fn fields_of_an_event_set_the_parameters_of_their_names() {
    let source = |payload: &str| {
        pipeline(&format!(
            "on push {{ branches: [\"main\"] }}\nexternal event \"retrain\"\non event \"retrain\" {{ {payload} }}\n\
             param rounds: int in 1..9 = 2\nparam big: bool = false\nstage more when big {{ out x: File = \"x\"  run <<< echo > \"$x\" >>> }}"
        ))
        .replace("in  raw", "in  raw\n  use rounds")
    };
    let text = workflow(&source("rounds: int, big: bool, reason: string"), "").files[0].text.clone();
    let set = "github.event_name == 'repository_dispatch' && format('{0}', github.event.client_payload.rounds)";
    assert!(text.contains(set), "{text}");
    assert!(text.contains("github.event_name == 'repository_dispatch' && github.event.client_payload.big"), "{text}");
    assert!(!text.contains("MLPC_PARAMS"), "nobody fills in a form: {text}");
    // What may be left out has its default from `mlpc exec` alone.
    let text = workflow(&source("rounds: int?, reason: string"), "").files[0].text.clone();
    assert!(!text.contains("client_payload") && text.contains("name: Run train"), "{text}");
    assert_eq!(codes(&source("big: bool?")), ["target-limit"]);
    let compiled = compile(&Sources::single("p.mlp", source("rounds: string")));
    let found: Vec<_> = compiled.diagnostics.iter().map(|one| (one.code.name(), one.message.as_str())).collect();
    assert_eq!(
        found[0],
        ("wrong-type", "`rounds: string` sets the parameter `rounds`, which is of type `int in 1..9`")
    );
}

#[test]
fn a_default_that_github_would_evaluate_is_refused() {
    let call = |default: &str, trigger: &str| {
        pipeline(&format!("on push {{ branches: [\"main\"] }}\n{trigger}\nparam word: string = '{default}'"))
            .replace("in  raw", "in  raw\n  use word")
    };
    assert_eq!(codes(&call("${{ github.event.head_commit.message }}", "on call { word }")), ["target-limit"]);
    assert_eq!(codes(&call("${{ github.actor }}", "on manual { word }")), [""; 0]);
    assert_eq!(codes(&call("plain", "on call { word }")), [""; 0]);
}

#[test]
fn a_profile_with_data_of_its_own_asks_for_no_credential() {
    let source = |smoke: &str| {
        format!(
            "pipeline example\nedition 2026\non push {{ branches: [\"main\"] }}\non pull_request {{ profile: smoke }}\n\
             credential aws = oidc(\"aws\", role: \"arn:aws:iam::123456789012:role/ml\", region: \"eu-west-1\")\n\
             source raw: Dataset<csv> = s3(\"s3://bucket/raw.csv\", version: \"3sL4kqtJlcpXroDTDmJ\")\n\
             gate sound on raw {{ require rows >= 1 }}\nparam n: int = 1\nprofile smoke {{ {smoke} }}\n\
             stage train {{\n in raw\n use n\n credentials aws\n out model: Model<pickle> = \"m.pkl\"\n run <<< cp \"$raw\" \"$model\" >>>\n}}\n\
             stage export {{\n in model = train.model\n credentials aws\n out log: Report = \"l\"\n run <<< aws s3 cp \"$model\" s3://b > \"$log\" >>>\n}}\n"
        )
    };
    let asks = |source: &str, job: &str| {
        let all = jobs(&workflow(source, "").files[0].text);
        let job = &all.iter().find(|(id, _)| id == job).expect("its job").1;
        let step = steps(job).into_iter().find(|step| step["name"] == "Get the credential aws").expect("its step");
        step["if"].as_str().unwrap_or("always").to_owned()
    };
    let own = source("set raw = \"data/smoke.csv\"");
    for job in ["train", "sound"] {
        let condition = asks(&own, job);
        assert!(condition.contains("'push'") && !condition.contains("pull_request"), "{job}: {condition}");
    }
    // What the command does with a key is its own affair.
    assert_eq!(asks(&own, "export"), "always");
    for job in ["train", "sound", "export"] {
        assert_eq!(asks(&source("set n = 2"), job), "always");
    }
}

#[test]
fn an_action_is_in_the_environment_that_it_names_and_no_other_job_is() {
    let source = |clause: &str| {
        let acts = format!(
            "on push {{ branches: [\"main\"] }}\nconst sites = [\"nord\", \"syd\"]\nregistry models = git(\"r\")\n\
             register release = train.model to models ungated \"a test\"\n\
             action deploy of release for site in sites {{\n environment {clause}\n run <<< ./deploy \"$site\" \"$model\" >>>\n}}"
        );
        pipeline(&acts)
    };
    let compiled = workflow(&source("\"{site}-deploy\""), "");
    assert_eq!(compiled.diagnostics, []);
    let named: Vec<_> = jobs(&compiled.files[0].text)
        .into_iter()
        .filter_map(|(id, job)| Some((id, job["environment"].as_str()?.to_owned())))
        .collect();
    let named: Vec<_> = named.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    assert_eq!(named, [("deploy-nord", "nord-deploy"), ("deploy-syd", "syd-deploy")]);
    let (note, help) = compiled.notes.last().expect("what mlpc can't see is said");
    assert!(note.contains("open to every branch: `nord-deploy`, `syd-deploy`"), "{note}");
    assert!(help.contains("that they exist"), "{help}");
    assert_eq!(codes(&source("'${{ github.ref }}'")), ["target-limit"; 2], "one for each leg");
    assert_eq!(codes(&source(&format!("\"{}\"", "x".repeat(256)))), ["target-limit"; 2]);
    let said = |source: &str| {
        let compiled = compile(&Sources::single("p.mlp", source));
        compiled.diagnostics.iter().map(|one| (one.code.name(), one.message.clone())).collect::<Vec<_>>()
    };
    for empty in ["\"\"", "\" \"", "\"a\\nb\""] {
        assert_eq!(said(&source(empty)), [("bad-name", "this names no environment".to_owned())]);
    }
    let on = |branches: &str| said(&format!("pipeline p\nedition 2026\non push {{ branches: [{branches}] }}\n"));
    let none = "these branches name none: `!` takes away from what stands before it";
    assert_eq!(on("\"!main\""), [("bad-name", none.to_owned())]);
    assert_eq!(on("\"main\", \"[x\""), [("bad-name", "`[x` is no pattern of branches".to_owned())]);
    // Where a person is asked nobody acts, however it is written; said once for all legs.
    let approval = "\napproval go_live of release { by: [\"alice\"], environment: \"Production\", timeout: 24h }\n\
                    promote current = release to models@production after go_live";
    let shared = said(&(source("\"production\"") + approval));
    let message = "the action `deploy` is in the environment `production`, where the approval `go_live` asks people";
    let found: Vec<_> = shared.iter().filter(|(code, _)| *code == "environment-shared").collect();
    assert_eq!(found, [&("environment-shared", message.to_owned())], "{shared:?}");
    // One click would let two approvals through.
    let second =
        approval.replace("go_live", "second").replace("current", "other").replace("production after", "other after");
    let message = "the approval `second` asks people in the environment `Production`, as `go_live` does: one answer would count for \
                   both";
    let both = said(&(source("\"staging\"") + approval + &second));
    assert!(both.contains(&("environment-shared", message.to_owned())), "{both:?}");
}

#[test]
fn plain_steps_have_the_environment_of_every_stage() {
    let text = workflow(&pipeline("on push { branches: [\"main\"] }"), "").files[0].text.clone();
    let all = jobs(&text);
    let (_, train) = all.iter().find(|(id, _)| id == "train").expect("the stage's job");
    let run = steps(train).into_iter().find(|step| step["name"] == "Run train").expect("its step");
    for (name, value) in mlpc::plan::FIXED {
        assert_eq!(run["env"][name], value, "{text}");
    }
}

#[test]
fn what_github_cannot_do_is_said() {
    let needs = |clause: &str| pipeline("").replace("in  raw", &format!("in  raw\n  {clause}"));
    assert_eq!(codes(&needs("timeout 8h")), ["target-limit"]);
    assert_eq!(codes(&needs("needs { gpu: 1 }")), ["target-limit"]);
    assert_eq!(codes(&needs("timeout 5h")), [""; 0]);
    let approval = |environment: &str| {
        let go = format!("approval go of train.model {{ by: [\"alice\"]{environment}, timeout: 24h }}");
        pipeline(&format!("{go}\nstage told after go {{ run <<< true >>> }}"))
    };
    assert_eq!(codes(&approval("")), ["approval-without-environment"]);
    assert_eq!(codes(&approval(", environment: \"production\"")), [""; 0]);
    assert_eq!(codes(&pipeline("on schedule { cron: \"0 6 * * 1\" }")), ["cron-on-the-hour"]);
    assert_eq!(codes(&pipeline("target github { runer: \"x\" }")), ["target-setting"]);
    let secret = |name: &str| {
        let used = format!("in  raw\n  secret {name}");
        pipeline(&format!("secret {name}")).replace("in  raw", &used)
    };
    assert_eq!(codes(&secret("hf_token")), [""; 0]);
    assert_eq!(codes(&secret("github_password")), ["target-limit"]);
    assert_eq!(codes(&secret("mlpc_plan")), ["target-limit"]);
}

#[test]
fn a_gate_on_a_private_source_gets_what_opens_it_and_nothing_else() {
    let pipeline = |credential: &str| {
        format!(
            "pipeline reader\nedition 2026\non push {{ branches: [\"main\"] }}\nsecret hub\n{credential}\n\
             source raw: Dataset<csv> = dvc(\"raw.csv\")\nsource open: Dataset<csv> = dvc(\"open.csv\", public: true)\n\
             stage read {{\n  in raw\n  credentials aws\n  secret hub\n  out n: Report = \"n.txt\"\n  run <<< wc -l < \"$raw\" > \"$n\"; : \"$hub\" >>>\n}}\n\
             stage peek {{\n  in open\n  credentials aws\n  out m: Report = \"m.txt\"\n  run <<< wc -l < \"$open\" > \"$m\" >>>\n}}\n\
             gate enough on raw {{ require rows >= 1 }}\ngate whole on read.n {{ require size(read.n) >= 1B }}\ntarget github {{ steps: \"managed\" }}\n"
        )
    };
    let jobs = |credential: &str| -> serde_yaml::Value {
        let compiled = workflow(&pipeline(credential), "");
        assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
        let workflow: serde_yaml::Value = serde_yaml::from_str(&compiled.files[0].text).expect("YAML");
        workflow["jobs"].clone()
    };
    let text = |jobs: &serde_yaml::Value, job: &str| serde_yaml::to_string(&jobs[job]).expect("YAML");
    let fixed = jobs(
        "secret key_id\nsecret key\ncredential aws = static(\"aws\", access_key_id: key_id, secret_access_key: key)",
    );
    let (gate, other) = (text(&fixed, "enough"), text(&fixed, "whole"));
    assert!(
        gate.contains("secrets.KEY_ID") && gate.contains("secrets.KEY ") && !gate.contains("secrets.HUB"),
        "{gate}"
    );
    assert!(!other.contains("secrets."), "{other}");
    let vouched = jobs("credential aws = oidc(\"aws\", role: \"arn:aws:iam::1:role/ml\", region: \"eu-west-1\")");
    let (gate, other) = (text(&vouched, "enough"), text(&vouched, "whole"));
    assert!(gate.contains("id-token: write") && gate.contains("arn:aws:iam::1:role/ml"), "{gate}");
    assert!(!other.contains("id-token"), "{other}");
}
