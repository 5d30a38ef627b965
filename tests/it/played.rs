//! Plays a compiled workflow: its jobs in their order, each with its own condition, its own steps and a clone of its own; artifacts
//! are folders, reviews are a file. What is tested is what the YAML and `mlpc exec` come to together.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox};

/// A repository with a pipeline, its workflow, and what became of the jobs of one run.
pub(crate) struct Played {
    pub(crate) sandbox: Sandbox,
    pub(crate) event: &'static str,
    branch: &'static str,
    /// Who started the run.
    pub(crate) actor: &'static str,
    run: u32,
    /// Environments without reviewers, and what secrets each holds.
    open: &'static [(&'static str, &'static [(&'static str, &'static str)])],
    /// By job: its result and its outputs.
    pub(crate) needs: BTreeMap<String, Value>,
    /// By job: what its steps said.
    pub(crate) said: BTreeMap<String, String>,
    /// The jobs for which a person was asked.
    asked: Vec<String>,
}

impl Played {
    /// Makes a repository of these files; `p.mlp` is the pipeline, compiled for GitHub.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::new();
        for (path, text) in files {
            sandbox.file(&format!("code/{path}"), text);
        }
        let made = sandbox.shell(
            "set -e; git init -q --bare -b main remote.git; git init -q -b main code; cd code
             git remote add origin ../remote.git; mlpc compile --target github >/dev/null
             git add -A; git commit -qm one; git push -q origin main; mkdir ../bin; cd ..
             printf '#!/bin/sh\\ncat \"$HOME\"/../work/reviews.json\\n' > bin/gh; chmod +x bin/gh",
        );
        assert_eq!(made.code, 0, "{made:?}");
        let (needs, said) = (BTreeMap::new(), BTreeMap::new());
        Self {
            sandbox,
            event: "push",
            branch: "main",
            actor: "alice",
            run: 1,
            open: &[],
            needs,
            said,
            asked: Vec::new(),
        }
    }

    /// Commits and pushes other files, for the next run.
    pub(crate) fn change(&mut self, path: &str, text: &str) {
        self.sandbox.file(&format!("code/{path}"), text);
        let made = self.sandbox.shell(
            "cd code && mlpc compile --target github >/dev/null && git commit -qam next && git push -q origin main",
        );
        assert_eq!(made.code, 0, "{made:?}");
    }

    pub(crate) fn workflow(&self) -> serde_yaml::Value {
        let folder = std::fs::read_dir(self.sandbox.path().join("code/.github/workflows")).expect("workflows");
        let path = folder.map(|file| file.expect("a file").path()).next().expect("one");
        serde_yaml::from_str(&std::fs::read_to_string(path).expect("its text")).expect("YAML")
    }

    /// Plays all jobs of a new run; `review` is what alice says where the environment asks.
    pub(crate) fn play(&mut self, review: Option<&str>) {
        self.needs.clear();
        self.said.clear();
        self.asked.clear();
        self.run += 1;
        self.sandbox.file("reviews.json", "[]");
        let workflow = self.workflow();
        let jobs = workflow["jobs"].as_mapping().expect("jobs").clone();
        while self.needs.len() < jobs.len() {
            let ready = jobs.iter().find(|(id, job)| {
                let id = id.as_str().expect("an id");
                !self.needs.contains_key(id) && needed(job).iter().all(|need| self.needs.contains_key(need))
            });
            let (id, job) = ready.expect("no job waits for itself");
            self.job(id.as_str().expect("an id"), job, review);
        }
    }

    pub(crate) fn result(&self, job: &str) -> &str {
        self.needs[job]["result"].as_str().unwrap_or_else(|| panic!("no job {job}"))
    }

    /// Tells what `success()` does, which stands before every condition without such a function: a job that was skipped
    /// anywhere on the way here holds this one back, though all that it needs itself came out well.
    fn all_well(&self, job: &serde_yaml::Value, jobs: &serde_yaml::Value) -> bool {
        needed(job).iter().all(|need| self.result(need) == "success" && self.all_well(&jobs[need.as_str()], jobs))
    }

    pub(crate) fn job(&mut self, id: &str, job: &serde_yaml::Value, review: Option<&str>) {
        let all_well = self.all_well(job, &self.workflow()["jobs"]);
        let go = match job["if"].as_str() {
            None => all_well,
            Some(text) => {
                self.holds(text, &json!({})) && (all_well || text.contains("cancelled()") || text.contains("always()"))
            }
        };
        if !go {
            self.needs.insert(id.to_owned(), json!({ "result": "skipped", "outputs": {} }));
            return;
        }
        let is_open = |name: &&str| self.open.iter().any(|(open, _)| open == name);
        if let Some(environment) = job["environment"].as_str().filter(|name| !is_open(name)) {
            self.asked.push(self.fill(job["name"].as_str().expect("a name"), "", &json!({})));
            if let Some(state) = review {
                let before: Vec<Value> = serde_json::from_str(&self.sandbox.read("reviews.json")).expect("reviews");
                let new = json!({ "environments": [{ "name": environment }], "state": state, "user": { "login": "alice" }, "comment": id });
                self.sandbox.file("reviews.json", &Value::from([before, vec![new]].concat()).to_string());
            }
        }
        let mut steps = json!({});
        let (mut well, mut said) = (true, String::new());
        for step in job["steps"].as_sequence().expect("steps") {
            let condition = step["if"].as_str();
            if !condition.map_or(well, |text| self.holds(text, &steps) && (well || text.contains("cancelled()"))) {
                continue;
            }
            let ended = self.step(id, job, step, &steps);
            said.push_str(&format!("{}{}", ended.stdout, ended.stderr));
            well &= ended.code == 0 || step["continue-on-error"].as_bool() == Some(true);
            if let Some(name) = step["id"].as_str() {
                let outcome = if ended.code == 0 { "success" } else { "failure" };
                steps[name] = json!({ "outcome": outcome, "outputs": outputs(&self.sandbox.read("output")) });
            }
        }
        let mut made = json!({});
        for (name, value) in job["outputs"].as_mapping().into_iter().flatten() {
            made[name.as_str().expect("a name")] = self.fill(value.as_str().expect("a text"), "", &steps).into();
        }
        let result = if well { "success" } else { "failure" };
        self.needs.insert(id.to_owned(), json!({ "result": result, "outputs": made }));
        self.said.insert(id.to_owned(), said);
    }

    fn step(&self, id: &str, job: &serde_yaml::Value, step: &serde_yaml::Value, steps: &Value) -> Ended {
        let with = |name: &str| quoted(&self.fill(step["with"][name].as_str().expect("a text"), "", steps));
        let temp = "temp=$PWD/jobs/$job/temp";
        let line = match step["uses"].as_str().unwrap_or_default().split('@').next().unwrap_or_default() {
            "" => {
                let mut line = "cd jobs/$job/code; ".to_owned();
                let git_ref = format!("refs/heads/{}", self.branch);
                let needs = needed(job).into_iter().map(|need| (need.clone(), self.needs[&need].clone()));
                let needs: serde_json::Map<String, Value> = needs.collect();
                let fixed = [
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_JOB", id),
                    ("GITHUB_EVENT_NAME", self.event),
                    ("GITHUB_REPOSITORY", "a/b"),
                    ("GITHUB_RUN_ID", &self.run.to_string()),
                    ("GITHUB_RUN_ATTEMPT", "1"),
                    ("GITHUB_REF", &git_ref),
                    ("GITHUB_REF_NAME", self.branch),
                    ("GITHUB_ACTOR", self.actor),
                    ("GITHUB_SERVER_URL", "https://github.com"),
                ];
                fixed.iter().for_each(|(name, value)| line.push_str(&format!("export {name}={}; ", quoted(value))));
                for env in [&self.workflow()["env"], &job["env"], &step["env"]] {
                    for (name, value) in env.as_mapping().into_iter().flatten() {
                        let value = match value.as_str().expect("a text") {
                            "${{ toJSON(needs) }}" => Value::from(needs.clone()).to_string(),
                            text => self.fill(text, job["environment"].as_str().unwrap_or_default(), steps),
                        };
                        line.push_str(&format!("export {}={}; ", name.as_str().expect("a name"), quoted(&value)));
                    }
                }
                let text = step["run"].as_str().expect("a command");
                line + "export RUNNER_TEMP=$temp GITHUB_OUTPUT=$temp/../../../output GITHUB_STEP_SUMMARY=$temp/summary \
                     GITHUB_EVENT_PATH=$temp/../../../event.json "
                    + &format!("PATH=$temp/../../../bin:$PATH; bash -eo pipefail -c {}", quoted(text))
            }
            "actions/checkout" => "rm -rf jobs/$job; mkdir -p $temp; git clone -q remote.git jobs/$job/code".to_owned(),
            "actions/upload-artifact" => {
                format!("mkdir -p art; rm -rf art/{name}; cp -r {} art/{name}", with("path"), name = with("name"))
            }
            "actions/download-artifact" => {
                format!("mkdir -p {path}; cp -r art/{}/. {path}", with("name"), path = with("path"))
            }
            other => panic!("no one plays {other}"),
        };
        self.sandbox.shell(&format!("job={id}; {temp}; : > output; {line}"))
    }

    /// Puts values in the place of expressions.
    fn fill(&self, text: &str, environment: &str, steps: &Value) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, behind) = after.split_once("}}").expect("an end");
            filled.push_str(before);
            filled.push_str(&Expression { played: self, environment, steps, rest: expression.trim() }.any());
            rest = behind;
        }
        filled + rest
    }

    fn secret(&self, environment: &str, name: &str) -> &'static str {
        let held = self.open.iter().find(|(open, _)| *open == environment).map_or(&[][..], |(_, held)| held);
        held.iter().find(|(held, _)| *held == name).map_or("", |(_, value)| value)
    }

    fn holds(&self, condition: &str, steps: &Value) -> bool {
        let text = condition.trim_start_matches("${{").trim_end_matches("}}").trim();
        let mut expression = Expression { played: self, environment: "", steps, rest: text };
        let value = expression.any();
        assert_eq!(expression.rest, "", "{condition}");
        truth(&value)
    }
}

/// As much of GitHub's expressions as jobs hold; every value is a text, and `false` and the empty one are "no".
struct Expression<'e> {
    played: &'e Played,
    environment: &'e str,
    steps: &'e Value,
    rest: &'e str,
}

fn truth(value: &str) -> bool {
    !value.is_empty() && value != "false"
}

impl Expression<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest).trim_start();
        rest.is_some()
    }

    fn any(&mut self) -> String {
        let mut value = self.all();
        while self.takes("||") {
            let right = self.all();
            value = if truth(&value) { value } else { right };
        }
        value
    }

    fn all(&mut self) -> String {
        let mut value = self.compared();
        while self.takes("&&") {
            let right = self.compared();
            value = if truth(&value) { right } else { value };
        }
        value
    }

    fn compared(&mut self) -> String {
        let left = self.one();
        if self.takes("==") {
            return (left == self.one()).to_string();
        }
        if self.takes("!=") {
            return (left != self.one()).to_string();
        }
        left
    }

    fn one(&mut self) -> String {
        if self.takes("!") {
            return (!truth(&self.one())).to_string();
        }
        if self.takes("(") {
            let value = self.any();
            assert!(self.takes(")"), "{}", self.rest);
            return value;
        }
        if self.takes("'") {
            let (text, rest) = self.rest.split_once('\'').expect("an end");
            self.rest = rest.trim_start();
            return text.to_owned();
        }
        let name = |c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c));
        let (path, rest) = self.rest.split_at(self.rest.find(name).unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        if self.takes("()") {
            return (path == "always").to_string();
        }
        let github = json!({
            "event_name": self.played.event,
            "ref": format!("refs/heads/{}", self.played.branch),
            "token": "t",
            "server_url": "https://github.com",
        });
        let (root, path) = path.split_once('.').unwrap_or_else(|| panic!("no one knows {path}"));
        if root == "runner" {
            return "$temp".to_owned();
        }
        let pointer = format!("/{}", path.replace('.', "/"));
        let of = |value: &Value| value.pointer(&pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        match root {
            "github" => of(&github),
            "needs" => of(&json!(self.played.needs)),
            // Of the repository there are none.
            "secrets" => self.played.secret(self.environment, path).to_owned(),
            "steps" => of(self.steps),
            _ => panic!("no one knows {root}"),
        }
    }
}

fn needed(job: &serde_yaml::Value) -> Vec<String> {
    let all = job["needs"].as_sequence().into_iter().flatten();
    all.map(|need| need.as_str().expect("a name").to_owned()).collect()
}

/// Reads what a step left in `GITHUB_OUTPUT`.
fn outputs(text: &str) -> Value {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Value::from(pairs.map(|(name, value)| (name.to_owned(), value.into())).collect::<serde_json::Map<_, _>>())
}

/// Quotes a word, but for the one variable that stands for the runner's temporary folder.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace("$temp/", "'\"$temp\"'/"))
}

/// A model with a release, a plan that is approved by itself, and a deploy that is given all that the book promises.
const PIPELINE: &str = r#"pipeline p
edition 2026
on push         { branches: ["main"] }
on pull_request { branches: ["main"], profile: smoke }
registry models = git("mlpc-registry")

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
register release = train.model to models ungated "a test"

stage plan_infra { code "infra"   rerun always   out plan: File = "out/plan"   run <<< cat infra > "$plan" >>> }
approval change of plan_infra.plan { by: ["alice"], environment: "infrastructure", timeout: 24h }
action infra after change {
  in   plan = plan_infra.plan
  pass_env ["HOME"]
  run  <<< echo "applied $(cat "$plan")" >> /"$HOME"/told >>>
}

action deploy of release {
  pass_env ["HOME"]
  idempotent
  run <<< echo "$version $previous $digest $model $(cat "$model")" >> /"$HOME"/told >>>
}
promote current = release to models@production after deploy
profile smoke { set models = git("mlpc-registry") }
target github { install: "preinstalled" }
"#;

fn told(played: &Played) -> Vec<String> {
    let path = played.sandbox.path().join("../home/told");
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

const FILES: [(&str, &str); 3] = [("p.mlp", PIPELINE), ("weights", "{\"w\": 1}\n"), ("infra", "one\n")];

/// "Re-run failed jobs" of a run that a later one overtook: what was promoted since is what is served.
#[test]
fn an_older_run_does_not_act_on_what_a_later_one_replaced() {
    let text = PIPELINE
        .replace("action deploy of release {", "action deploy of release after current {")
        .replace("models@production after deploy", "models@production")
        .replace("  run <<< echo \"$version", "  run <<< test ! -e /\"$HOME\"/broken; echo \"$version");
    let mut played = Played::new(&[("p.mlp", text.as_str()), FILES[1], FILES[2]]);
    assert_eq!(played.sandbox.shell("touch ../home/broken").code, 0);
    played.play(Some("approved"));
    assert_eq!((played.result("current"), played.result("deploy")), ("success", "failure"), "{:?}", played.said);
    let (needs, run) = (played.needs.clone(), played.run);
    assert_eq!(played.sandbox.shell("rm ../home/broken && cp -r art kept").code, 0);
    played.change("weights", "{\"w\": 2}\n");
    played.play(Some("approved"));
    assert_eq!(played.result("deploy"), "success", "{:?}", played.said);
    let deployed = told(&played).len();
    let deploy = played.workflow()["jobs"]["deploy"].clone();
    (played.needs, played.run) = (needs, run);
    assert_eq!(
        played.sandbox.shell("rm -r art && mv kept art && git -C remote.git update-ref refs/heads/main main~1").code,
        0
    );
    played.job("deploy", &deploy, None);
    assert_eq!(played.result("deploy"), "failure", "{}", played.said["deploy"]);
    assert!(played.said["deploy"].contains("that this run promoted: run again"), "{}", played.said["deploy"]);
    assert_eq!(told(&played).len(), deployed);
}

/// What people see of each is its own digest, where one job makes both.
#[test]
fn two_approvals_of_what_one_stage_makes_are_each_about_their_own() {
    let text = PIPELINE
        .replace(
            "out plan: File = \"out/plan\"   run <<< cat infra > \"$plan\" >>>",
            "out plan: File = \"out/plan\"   out other: File = \"out/other\"   run <<< cp infra \"$plan\"; echo two > \"$other\" >>>",
        )
        .replace(
            "action infra after change {",
            "approval change_other of plan_infra.other { by: [\"alice\"], environment: \"other\", timeout: 24h }\n\
             approval never of plan_infra.plan when branch == \"x\" { by: [\"alice\"], environment: \"x\", timeout: 24h }\n\
             action others after change_other, never { in other = plan_infra.other   run <<< cat \"$other\" >>> }\n\
             action infra after change {",
        );
    let mut played = Played::new(&[("p.mlp", text.as_str()), FILES[1], FILES[2]]);
    played.play(Some("approved"));
    let outputs = &played.needs["plan_infra"]["outputs"];
    let short = |name: &str| outputs[name].as_str().expect("a text").to_owned();
    let (one, other) = (short("short-change"), short("short-change_other"));
    assert!(one.len() == 8 && other.len() == 8 && one != other, "{outputs}");
    assert_eq!(played.asked, [format!("change: approve {one}"), format!("change_other: approve {other}")]);
    for seen in [format!("`out/plan`, 4 bytes, blake3:{one}"), format!("`out/other`, 4 bytes, blake3:{other}")] {
        assert!(played.said["plan_infra"].contains(&seen), "{seen}: {}", played.said["plan_infra"]);
    }
    assert_eq!(short("short-never"), "", "nobody is asked about it");
}

#[test]
fn what_a_stage_makes_is_approved_and_acted_on() {
    let mut played = Played::new(&FILES);
    played.play(Some("approved"));
    let change = &played.needs["plan_infra"]["outputs"];
    for name in ["asked_at", "short-change", "attempt", "reviews"] {
        assert_ne!(change[name], "", "{name}: {:?}", played.said);
    }
    assert_eq!(played.asked, [format!("change: approve {}", change["short-change"].as_str().expect("a text"))]);
    assert_eq!((played.result("change"), played.result("infra")), ("success", "success"), "{:?}", played.said);
    assert!(told(&played).contains(&"applied one".to_owned()), "{:?}", played.said);
    assert_eq!(played.result("verdict"), "success", "{:?}", played.said);
    // GitHub runs the job also where nobody was asked, or somebody said no.
    for review in [None, Some("rejected")] {
        played.play(review);
        assert_eq!((played.result("change"), played.result("infra")), ("failure", "skipped"), "{:?}", played.said);
        assert_eq!(played.result("verdict"), "failure");
    }
    assert_eq!(told(&played).iter().filter(|line| line.starts_with("applied")).count(), 1);
}

#[test]
fn whoever_approves_a_terraform_plan_sees_what_it_would_change() {
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/terraform/changes.tfplan");
    let text = std::process::Command::new("base64").arg(plan).output().expect("it runs").stdout;
    let text = String::from_utf8(text).expect("letters");
    let unpacks = PIPELINE.replace("cat infra > \"$plan\"", "base64 -d infra > \"$plan\"");
    let mut played = Played::new(&[("p.mlp", &unpacks), FILES[1], ("infra", &text)]);
    played.play(Some("approved"));
    let counts = "3 to add, 1 to change, 2 to destroy";
    assert!(played.asked[0].ends_with(&format!(", {counts}")), "{:?}", played.asked);
    let said = &played.said["plan_infra"];
    let line = format!("a person is asked about `plan_infra.plan`: `out/plan`, 2777 bytes: {counts}, blake3:");
    assert!(said.contains(&line) && said.contains("  -/+ terraform_data.replaced\n"), "{said}");
    assert_eq!((played.result("change"), played.result("infra")), ("success", "success"), "{:?}", played.said);
}

#[test]
fn nobody_is_asked_where_nothing_is_released() {
    let mut played = Played::new(&FILES);
    played.event = "pull_request";
    played.play(None);
    let skipped = ["release", "change", "infra", "deploy", "current"];
    assert!(skipped.iter().all(|job| played.result(job) == "skipped"), "{:?}", played.needs);
    assert_eq!(
        (played.asked.len(), played.result("plan_infra"), played.result("verdict")),
        (0, "success", "success"),
        "{:?}",
        played.said
    );
    // A start by hand on another branch does not release, and `mlpc exec` says so itself.
    played.event = "workflow_dispatch";
    played.branch = "topic";
    played.play(None);
    assert_eq!(
        (played.asked.len(), played.result("change"), played.result("verdict")),
        (0, "skipped", "success"),
        "{:?}",
        played.said
    );
    let job = played.workflow()["jobs"]["change"].clone();
    let mut edited = job.clone();
    edited["if"] = "${{ always() }}".into();
    played.job("change", &edited, Some("approved"));
    assert!(
        played.said["change"].contains("releases nothing, and `change` is asked for what would"),
        "{:?}",
        played.said
    );
    assert_eq!(played.result("change"), "failure");
}

#[test]
fn an_action_of_a_release_gets_the_model_that_was_registered() {
    let mut played = Played::new(&FILES);
    played.play(Some("approved"));
    assert_eq!(played.result("deploy"), "success", "{:?}", played.said);
    let line = |played: &Played, run: usize| {
        let all = told(played).into_iter().filter(|line| !line.starts_with("applied"));
        all.map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>()).nth(run).expect("a line")
    };
    let first = line(&played, 0);
    assert_eq!(first[1], "", "there was none before");
    assert!(first[2].starts_with("blake3:"), "{first:?}");
    assert_eq!(first[3..], ["out/model.json", "{\"w\":", "1}"]);
    played.change("weights", "{\"w\": 2}\n");
    played.play(Some("approved"));
    let second = line(&played, 1);
    assert_eq!((&second[1], &second[5]), (&first[0], &"2}".to_owned()), "{second:?}");
    // Other bytes than those that were registered are none.
    let deploy = played.workflow()["jobs"]["deploy"].clone();
    let artifact = played.needs["train"]["outputs"]["artifact"].as_str().expect("its name").to_owned();
    played.sandbox.file(&format!("art/{artifact}/files/model"), "{\"w\": 3}\n");
    played.job("deploy", &deploy, None);
    assert_eq!(played.result("deploy"), "failure", "{:?}", played.said["deploy"]);
    assert!(played.said["deploy"].contains("arrived with another digest"), "{}", played.said["deploy"]);
    assert_eq!(told(&played).len(), 4);
}

/// The model behind an approval of the release, with an action that is of something else.
const GUARDED: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
registry models = git("mlpc-registry")

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
register release = train.model to models ungated "a test"
approval go_live of release { by: ["alice"], environment: "production", timeout: 24h }
action deploy of release after go_live { pass_env ["HOME"]   run <<< echo "deployed $version" >> /"$HOME"/told; test ! -e /"$HOME"/broken >>> }
action other after go_live { pass_env ["HOME"]   run <<< echo other >> /"$HOME"/told >>> }
promote current = release to models@production after go_live
action late after current { pass_env ["HOME"]   run <<< echo late >> /"$HOME"/told >>> }
target github { install: "preinstalled" }
"#;

#[test]
fn nobody_is_asked_about_what_production_is_already() {
    let mut played = Played::new(&[("p.mlp", GUARDED), ("weights", "{\"w\": 1}\n")]);
    // The deploy of the first run comes to nothing, after the promotion.
    played.sandbox.file("../home/broken", "");
    played.play(Some("approved"));
    assert_eq!(
        (played.asked.len(), played.result("current"), played.result("deploy")),
        (1, "success", "failure"),
        "{:?}",
        played.said
    );
    std::fs::remove_file(played.sandbox.path().join("../home/broken")).expect("removed");
    // Nothing is new, and what was left undone is still to do; what is of something else was asked about by nobody.
    for run in 0..2 {
        played.play(None);
        let came =
            ["go_live", "deploy", "current", "other", "late", "verdict"].map(|job| played.result(job).to_owned());
        assert_eq!(
            came,
            ["skipped", "success", "success", "skipped", "skipped", "success"],
            "{run}: {:?}",
            played.said
        );
        assert_eq!(played.asked.len(), 0);
        let said = told(&played);
        assert_eq!(said.iter().filter(|line| line.starts_with("deployed")).count(), 2, "{said:?}");
        assert_eq!(said.iter().filter(|line| ["other", "late"].contains(&line.as_str())).count(), 2, "{said:?}");
    }
    assert!(played.said["verdict"].contains("nothing to do: production is that model already"), "{:?}", played.said);
    // `mlpc exec` takes no condition's word for it: what is of something else is asked about, whatever the workflow says.
    let edited = |played: &Played, job: &str| {
        let mut job = played.workflow()["jobs"][job].clone();
        job["if"] = "${{ always() }}".into();
        job
    };
    let unasked = "`other` waits for `go_live`, and no approval of it has come in";
    let other = edited(&played, "other");
    played.job("other", &other, None);
    assert!(played.said["other"].contains(unasked), "{}", played.said["other"]);
    let late = edited(&played, "late");
    played.job("late", &late, None);
    let unasked = "`late` stands behind an approval of `release`, and nobody was asked for it";
    assert!(played.said["late"].contains(unasked), "{}", played.said["late"]);
    // Nor is another deploy done than the one that somebody was asked about.
    played.change("p.mlp", &GUARDED.replace("echo \"deployed", "echo \"otherwise"));
    played.play(None);
    let came = ["go_live", "deploy", "verdict"].map(|job| played.result(job).to_owned());
    assert_eq!(came, ["skipped", "success", "success"], "{:?}", played.said);
    assert!(played.said["deploy"].contains("nobody was asked"), "{}", played.said["deploy"]);
    assert_eq!(told(&played).len(), 4, "{:?}", told(&played));
    // A new model is asked about, and held without an answer.
    played.change("weights", "{\"w\": 2}\n");
    played.play(None);
    let came = ["go_live", "deploy", "current", "verdict"].map(|job| played.result(job).to_owned());
    assert_eq!(
        (played.asked.len(), came),
        (1, ["failure", "skipped", "skipped", "failure"].map(str::to_owned)),
        "{:?}",
        played.said
    );
    // Said to have been passed over, it is none: the release's own answer says that it is not there.
    played.needs.insert("go_live".into(), json!({ "result": "skipped", "outputs": {} }));
    played.needs.get_mut("release").expect("it")["outputs"]["there"] = "true".into();
    for job in ["deploy", "current"] {
        let edited = edited(&played, job);
        played.job(job, &edited, None);
        assert!(
            played.said[job].contains("waits for `go_live`, and no approval of it has come in"),
            "{:?}",
            played.said[job]
        );
    }
    assert_eq!(told(&played).len(), 4, "{:?}", told(&played));
}

/// A model whose hard test is made only where somebody starts the run.
const OPTIONAL: &str = r#"pipeline p
edition 2026
on push   { branches: ["main"] }
on manual { }
metrics E { auc: ratio higher }
registry models = git("mlpc-registry")

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
stage hard_test when event == "manual" { code "weights"   out test: File = "out/hard"   run <<< echo hard > "$test" >>> }
stage evaluate {
  in   model = train.model, hard = hard_test.test?
  out  report: Metrics<E> of model = "out/e.json"
  run  <<< printf '{"auc":0.9}' > "$report" >>>
}
gate quality on evaluate.report { require auc >= 0.8 }
register release = train.model to models after quality
promote current = release to models@production
target github { install: "preinstalled" }
"#;

#[test]
fn a_job_that_was_left_out_far_above_holds_nothing_back() {
    let mut played = Played::new(&[("p.mlp", OPTIONAL), ("weights", "{\"w\": 1}\n")]);
    played.play(None);
    let came = |played: &Played| {
        ["hard_test", "evaluate", "quality", "release", "current", "verdict"].map(|job| played.result(job).to_owned())
    };
    let well = ["skipped", "success", "success", "success", "success", "success"];
    assert_eq!(came(&played), well, "{:?}", played.said);
}

/// An action in an environment of its own, with a secret that only this environment holds, behind an approval in another.
const IN_ENVIRONMENT: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
registry models = git("mlpc-registry")
secret deploy_key

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
register release = train.model to models ungated "a test"
approval go_live of release { by: ["alice"], environment: "production", timeout: 24h }
promote current = release to models@production after go_live
action deploy of release after go_live {
  environment "production-deploy"
  secret   deploy_key
  pass_env ["HOME"]
  run <<< echo "$deploy_key" | tr a-z A-Z >> /"$HOME"/told >>>
}
target github { install: "preinstalled" }
"#;

#[test]
fn an_action_has_the_secrets_of_its_environment_and_nobody_is_asked_again() {
    let mut played = Played::new(&[("p.mlp", IN_ENVIRONMENT), ("weights", "{\"w\": 1}\n")]);
    // GitHub made the environment just now: it holds nothing, and an empty secret is none.
    played.open = &[("production-deploy", &[])];
    played.play(Some("approved"));
    let came = ["go_live", "current", "deploy", "verdict"].map(|job| played.result(job).to_owned());
    assert_eq!(came, ["success", "success", "failure", "failure"], "{:?}", played.said);
    assert!(played.said["deploy"].contains("`deploy` needs the secret `deploy_key`, which has no value"));
    assert_eq!(told(&played).len(), 0);
    played.open = &[("production-deploy", &[("DEPLOY_KEY", "sesame")])];
    played.change("weights", "{\"w\": 2}\n");
    played.play(Some("approved"));
    assert_eq!(played.asked.len(), 1, "{:?}", played.asked);
    let came = ["deploy", "verdict"].map(|job| played.result(job).to_owned());
    assert_eq!(came, ["success", "success"], "{:?}", played.said);
    assert_eq!(told(&played), ["SESAME"]);
    assert!(!played.said["deploy"].contains("sesame"), "{}", played.said["deploy"]);
}

/// A gate that computes its numbers itself.
const SCORED: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
registry models = git("mlpc-registry")
source rows: Dataset<csv> = "rows.csv"

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
stage evaluate {
  in   model = train.model, rows
  out  scores: Predictions { id: "id", label: "y", score: "p" } of model over rows as test = "out/scores.csv"
  run <<< cp "$rows" "$scores" >>>
}
gate quality on evaluate.scores { require accuracy >= 0.5 }
register release = train.model to models after quality
promote current = release to models@production
target github { install: "preinstalled" }
"#;

#[test]
fn a_version_from_a_platform_keeps_what_its_gates_computed_too() {
    let rows = "id,y,p\n1,1,0.9\n2,0,0.1\n3,1,0.8\n4,0,0.7\n";
    let mut played = Played::new(&[("p.mlp", SCORED), ("weights", "{\"w\": 1}\n"), ("rows.csv", rows)]);
    played.play(None);
    assert_eq!(played.result("verdict"), "success", "{:?}", played.said);
    let shown = played.sandbox.shell("cd code && mlpc registry show models");
    let line = "measured  accuracy 0.75 (gate quality, of evaluate.scores)";
    assert!(shown.stdout.contains(line), "{shown:?}");
}

/// Stages behind an approval of a release, and one that reads with `?` what an action of something else leads to.
const BEHIND: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
registry models = git("mlpc-registry")

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
register release = train.model to models ungated "a test"
approval go_live of release { by: ["alice"], environment: "production", timeout: 24h }
promote current = release to models@production after go_live
stage brochure after go_live { out page: File = "out/page"   run <<< echo page > "$page" >>> }
action other after go_live { idempotent   run <<< true >>> }
stage copy after other { out page: File = "out/copy"   run <<< echo copy > "$page" >>> }
stage index {
  in   page = brochure.page, copy = copy.page?
  out  all: File = "out/index"
  run  <<< cat "$page" "${copy:-/dev/null}" > "$all" >>>
}
target github { install: "preinstalled" }
"#;

#[test]
fn what_an_approval_that_asked_nobody_keeps_from_running_is_absent_and_stages_go_on() {
    let mut played = Played::new(&[("p.mlp", BEHIND), ("weights", "{\"w\": 1}\n")]);
    let jobs = ["go_live", "current", "brochure", "other", "copy", "index", "verdict"];
    let came = |played: &Played| jobs.map(|job| played.result(job).to_owned());
    played.play(Some("approved"));
    assert_eq!(came(&played), ["success"; 7], "{:?}", played.said);
    played.play(None);
    let expected = ["skipped", "success", "success", "skipped", "skipped", "success", "success"];
    assert_eq!(came(&played), expected, "{:?}", played.said);
    assert!(played.asked.is_empty());
    // Every job that a condition names is needed by the job that has it: GitHub knows of no other.
    for (id, job) in played.workflow()["jobs"].as_mapping().expect("jobs") {
        let condition = job["if"].as_str().unwrap_or_default();
        for named in condition.split("needs.").skip(1).filter_map(|rest| rest.split('.').next()) {
            assert!(needed(job).iter().any(|need| need == named), "{id:?} does not need {named}: {condition}");
        }
    }
    // A new model is asked about, and what stands behind the answer is no longer absent.
    played.change("weights", "{\"w\": 2}\n");
    played.play(None);
    let expected = ["failure", "skipped", "skipped", "skipped", "skipped", "skipped", "failure"];
    assert_eq!(came(&played), expected, "{:?}", played.said);
    let mut index = played.workflow()["jobs"]["index"].clone();
    index["if"] = "${{ always() }}".into();
    played.job("index", &index, None);
    assert_eq!(played.result("index"), "failure", "{:?}", played.said);
}

#[test]
fn an_approval_with_a_condition_of_its_own_lets_through_what_is_behind_its_promotion() {
    let pipeline = GUARDED
        .replace(
            "on push { branches: [\"main\"] }\n",
            "on push { branches: [\"main\"] }\non schedule { cron: \"17 6 * * 1\", timezone: \"UTC\" }\n",
        )
        .replace("go_live of release {", "go_live of release when event == \"push\" {");
    let mut played = Played::new(&[("p.mlp", &pipeline), ("weights", "{\"w\": 1}\n")]);
    let jobs = ["go_live", "current", "deploy", "other", "late", "verdict"];
    let came = |played: &Played| jobs.map(|job| played.result(job).to_owned());
    played.play(Some("approved"));
    assert_eq!(came(&played), ["success"; 6], "{:?}", played.said);
    // Nothing is new: nobody is asked, as on a laptop.
    played.play(None);
    let expected = ["skipped", "success", "success", "skipped", "skipped", "success"];
    assert_eq!(came(&played), expected, "{:?}", played.said);
    // Where its condition is false, so is that of all behind it, whatever production is.
    played.event = "schedule";
    played.play(None);
    let expected = ["skipped", "skipped", "skipped", "skipped", "skipped", "success"];
    assert_eq!(came(&played), expected, "{:?}", played.said);
}

/// A gate that asks one of two approvals, and an action behind another gate.
const TWO_QUESTIONS: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
metrics E { auc: ratio higher }
registry models = git("mlpc-registry")

stage train { code "weights"   out model: Model<json> = "out/model.json"   run <<< cat weights > "$model" >>> }
stage evaluate {
  code "score"
  in   model = train.model
  out  report: Metrics<E> of model = "out/e.json"
  run  <<< cat score > "$report" >>>
}
gate quality on evaluate.report {
  baseline models@production
  on no_baseline: ask first
  on unscorable: ask second
  require auc >= 0.8
  require regression(auc) <= 1%
}
approval first of train.model { by: ["alice"], environment: "first", timeout: 24h }
approval second of train.model { by: ["alice"], environment: "second", timeout: 24h }
stage notes after second { out text: File = "out/notes"   run <<< echo notes > "$text" >>> }
register release = train.model to models
promote current = release to models@production
action tell after quality { pass_env ["HOME"]   run <<< echo told >> /"$HOME"/told >>> }
target github { install: "preinstalled" }
"#;

#[test]
fn of_two_approvals_that_a_gate_may_ask_for_the_other_one_is_not_missed() {
    let files = [("p.mlp", TWO_QUESTIONS), ("weights", "{\"w\": 1}\n"), ("score", "{\"auc\": 0.9}\n")];
    let mut played = Played::new(&files);
    played.play(Some("approved"));
    let came =
        ["first", "second", "notes", "release", "current", "tell", "verdict"].map(|job| played.result(job).to_owned());
    let expected = ["success", "skipped", "skipped", "success", "success", "success", "success"];
    assert_eq!(came, expected, "{:?}", played.said);
    assert!(played.said["verdict"].contains("second: skipped: nobody asked for it"), "{}", played.said["verdict"]);
}

#[test]
fn no_condition_lets_an_action_past_a_gate_that_said_no() {
    let files = [("p.mlp", TWO_QUESTIONS), ("weights", "{\"w\": 1}\n"), ("score", "{\"auc\": 0.5}\n")];
    let mut played = Played::new(&files);
    played.play(None);
    assert_eq!((played.result("quality"), played.result("tell")), ("failure", "skipped"), "{:?}", played.said);
    let mut tell = played.workflow()["jobs"]["tell"].clone();
    tell["if"] = "${{ always() }}".into();
    played.needs.insert("quality-verdict".into(), json!({ "result": "success", "outputs": {} }));
    played.job("tell", &tell, None);
    assert_eq!(played.result("tell"), "failure", "{:?}", played.said);
    assert!(played.said["tell"].contains("`quality` did not let go on"), "{}", played.said["tell"]);
    assert_eq!(told(&played), [""; 0]);
}
