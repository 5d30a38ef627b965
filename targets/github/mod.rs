//! GitHub Actions: one workflow file a pipeline, one job a node, and a last job that is the check to require.
//!
//! Bytes pass between jobs as artifacts and digests as outputs. No value of the pipeline ever stands inside a script:
//! scripts get them as variables. `README.md` beside this file says it for people.

mod cache;
mod comment;
mod condition;
mod credentials;
mod edges;
mod fetches;
mod ids;
mod jobs;
mod limits;
mod model;
mod pins;
mod plain;
mod raw;
mod released;
mod settings;
mod steps;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};

use super::raw::{Declared, Reader};
use super::{Compiled, OutputFile, Site, Target};
use crate::diagnostic::{Diagnostic, codes};
use crate::emit::{self, Noted};
use crate::plan::{Node, NodeKind, Plan, RegistryLocation};
use crate::types::Value;
use edges::Edges;
use jobs::Jobs;
use model::{Concurrency, Defaults, Entries, Flag, RunDefaults, Workflow};
use triggers::Case;

/// Returns the id of every node's job, for who reads what GitHub tells of jobs.
#[must_use]
pub fn job_ids(plan: &Plan) -> BTreeMap<&str, String> {
    ids::ids(plan)
}

/// Returns the id of the job behind a gate that may ask for an approval.
#[must_use]
pub fn verdict_id(gate: &str) -> String {
    ids::verdict_of(gate)
}

/// Returns the output in which the job before an approval's says what is decided about, by the id of the approval's job: several
/// may be asked by one job, about different things that it made.
#[must_use]
pub fn short_output(approval: &str) -> String {
    format!("short-{approval}")
}

/// Tells whether a run that this event started on this ref may release: only what a push there would. `has_profile` is for
/// pull requests, which release nothing without a profile that says so.
#[must_use]
pub fn may_release(plan: &Plan, event: &str, git_ref: &str, default_branch: &str, has_profile: bool) -> bool {
    released::is_released(plan, event, git_ref, default_branch, has_profile)
}

/// Returns the profile of a start by hand: its own, else that of the first other trigger.
#[must_use]
pub fn by_hand(plan: &Plan) -> Option<&str> {
    triggers::by_hand(plan)
}

/// Tells whether another workflow may call this pipeline's.
#[must_use]
pub fn is_callable(plan: &Plan) -> bool {
    triggers::own_if_callable(plan).is_some()
}

/// The target `github`.
pub(super) struct GitHub;

impl Target for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "GitHub Actions: .github/workflows/<pipeline>.yml"
    }

    fn settings(&self, record: &str) -> Vec<&'static str> {
        settings::known(record)
    }

    fn compile(&self, plan: &Plan, site: &Site<'_>) -> Compiled {
        let mut diagnostics = Vec::new();
        let settings = settings::read(plan, site, &mut diagnostics);
        let cases = triggers::cases(plan, site, &mut diagnostics);
        let edges = Edges::new(plan, &cases, site, &mut diagnostics);
        reach(plan, &cases, &edges, &settings, site, &mut diagnostics);
        credentials::beside(plan, site, &mut diagnostics);
        journals(plan, &cases, &edges, site, &mut diagnostics);
        super::checkpoints(plan, site, ("github", "a runner is lost or a job run again"), &mut diagnostics);
        secrets(plan, site, &mut diagnostics);
        place(plan, site, &mut diagnostics);
        if too_large(plan, &edges, site, &mut diagnostics) {
            return Compiled { diagnostics, ..Compiled::default() };
        }
        let declared = Declared::of_plan(plan);
        let written = plan.targets.iter().find(|target| target.name == "github").map(|target| &target.settings);
        let additions =
            written.map(|settings| raw::read(settings, &declared, site, &mut diagnostics)).unwrap_or_default();
        let jobs = Jobs { plan, site, settings: &settings, cases: &cases, edges: &edges, additions: &additions };
        let jobs = jobs.all(&mut diagnostics);
        let mut workflow = Workflow {
            name: plan.pipeline.clone(),
            run_name: None,
            on: triggers::on(plan, site),
            permissions: Noted::flow(Entries::default()),
            concurrency: concurrency(plan),
            env: environment(plan, &cases),
            defaults: (!site.folder.is_empty())
                .then(|| Defaults { run: RunDefaults { working_directory: site.folder.to_owned() } }),
            jobs: Noted::new(jobs).gap(),
        };
        let mut reader = Reader { target: "github", declared: &declared, site, found: Vec::new() };
        additions.hidden(&workflow, |name| jobs_of(plan, &edges, name), &mut reader);
        diagnostics.append(&mut reader.found);
        additions.workflow(&mut workflow);
        let mut tree = emit::to_node(&workflow).expect("the model has text keys only");
        tree.plain_key("on");
        let path = format!(".github/workflows/{}.yml", plan.pipeline);
        let text = emit::document(&header(plan, site, &edges), &tree);
        if text.len() > BYTES {
            diagnostics.push(oversized(plan, site, &format!("has {} bytes", text.len())));
        }
        let notes = settings.install.by_name().into_iter().chain(environments(plan, &edges)).collect();
        Compiled { files: vec![OutputFile { path, text }], diagnostics, notes }
    }

    fn raw(&self, settings: &Value, declared: &Declared, site: &Site<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        raw::read(settings, declared, site, &mut found);
        found
    }
}

/// Returns what whoever writes the files should know of the environments of actions: nothing in a repository's files makes them.
fn environments(plan: &Plan, edges: &Edges<'_>) -> Option<(String, String)> {
    let named = plan.nodes.iter().filter(|node| edges.runs(&node.name)).filter_map(|node| match &node.kind {
        NodeKind::Action(action) => action.environment.as_deref(),
        _ => None,
    });
    let all: BTreeSet<String> = named.map(|name| format!("`{name}`")).collect();
    let list = all.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("GitHub makes an environment that is missing, open to every branch: {list}");
    let help =
        "look that they exist (Settings, Environments), and that only the branches that release may deploy to them";
    (!all.is_empty()).then(|| (message, help.to_owned()))
}

/// Bytes of a workflow's file: "a workflow file larger than 500 KB will not start runs", says GitHub's page "Actions limits"
/// (docs.github.com/en/actions/reference/limits). It does not say which KB are meant; these are the smaller.
const BYTES: usize = 500_000;
/// Bytes that no job of a node is below: its outputs, the checkout and the steps around the command take more.
const JOB: usize = 800;

/// Complains of more jobs than any file could hold. Nobody has to write them out to know.
fn too_large(plan: &Plan, edges: &Edges<'_>, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let jobs = plan.nodes.iter().filter(|node| edges.runs(&node.name)).count();
    let large = jobs > BYTES / JOB;
    if large {
        diagnostics.push(oversized(plan, site, &format!("has {jobs} jobs")));
    }
    large
}

fn oversized(plan: &Plan, site: &Site<'_>, what: &str) -> Diagnostic {
    let message = format!("GitHub starts no workflow of more than {BYTES} bytes, and the one of this pipeline {what}");
    let diagnostic = Diagnostic::new(codes::TARGET_LIMIT, site.span(&format!("pipeline {}", plan.pipeline)), message)
        .help("split the pipeline, or let one stage do the work of several legs");
    match site.spans.get("target github") {
        Some(&place) => diagnostic.label(place, "for this target"),
        None => diagnostic,
    }
}

/// Returns the ids of the jobs that come from a declaration.
fn jobs_of(plan: &Plan, edges: &Edges<'_>, declared: &str) -> Vec<String> {
    let own = |node: &&crate::plan::Node| edges.runs(&node.name) && super::raw::declared(node) == declared;
    plan.nodes.iter().filter(own).map(|node| edges.job(&node.name).to_owned()).collect()
}

/// Returns the comment at the top of the file.
fn header(plan: &Plan, site: &Site<'_>, edges: &Edges<'_>) -> Vec<String> {
    let source = site.source();
    let mut lines: Vec<_> = plan.doc.iter().flat_map(|doc| doc.lines()).map(str::to_owned).collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!(
        "Generated from {source} by `mlpc compile --target github`. Change that file and compile again;"
    ));
    lines.push("what is changed here is lost.".into());
    lines.push(format!("plan: {}", plan.digest()));
    let never: Vec<_> = edges.never().collect();
    if !never.is_empty() {
        lines.push(format!("No trigger runs: {}.", never.join(", ")));
    }
    lines
}

/// Checks keep only the newest run of a ref; whatever may release is never cancelled half-way.
fn concurrency(plan: &Plan) -> Concurrency {
    if let Some(own) = triggers::own_if_callable(plan) {
        // What is called waits for no run but the caller's own, and is not cancelled: that is for the caller to say.
        return Concurrency {
            group: format!("{}-${{{{ {own} && github.ref || github.run_id }}}}", plan.pipeline),
            cancel_in_progress: Flag::Expression(format!("${{{{ github.event_name == 'pull_request' && {own} }}}}")),
        };
    }
    Concurrency {
        group: format!("{}-${{{{ github.ref }}}}", plan.pipeline),
        cancel_in_progress: Flag::Expression("${{ github.event_name == 'pull_request' }}".into()),
    }
}

/// Returns the variables of every step: the plan, the profile, and what a person gave.
fn environment(plan: &Plan, cases: &[Case]) -> Entries<Noted<String>> {
    let mut env = Entries::default();
    env.push("MLPC_PLAN", plan.digest());
    let profile = |case: &Case| case.profile.clone().unwrap_or_default();
    let first = cases.first().map(profile).unwrap_or_default();
    if cases.iter().any(|case| profile(case) != first) {
        let term = |case: &Case| Some(format!("{} && {}", case.is, condition::text(case.profile.as_ref()?)));
        let terms: Vec<_> = cases.iter().filter_map(term).collect();
        env.push("MLPC_PROFILE", format!("${{{{ {} || '' }}}}", terms.join(" || ")));
    } else if !first.is_empty() {
        env.push("MLPC_PROFILE", first);
    }
    // What an event brings `mlpc exec` reads itself.
    if cases.iter().any(|case| case.event != "event" && !case.inputs.is_empty()) {
        env.push("MLPC_PARAMS", "${{ toJSON(inputs) }}".into());
    }
    Entries(env.0.into_iter().map(|(name, text): (_, String)| (name, Noted::new(text))).collect())
}

/// Complains about registries that a job can't reach, or whose content is lost with it.
fn reach(
    plan: &Plan,
    cases: &[Case],
    edges: &Edges<'_>,
    settings: &settings::Settings,
    site: &Site<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let stays = |path: &str| path.starts_with('/') && settings.default.self_hosted();
    for registry in &plan.registries {
        let uses = |node: &&Node| node.registries().contains(&registry.name.as_str());
        if !plan.nodes.iter().any(|node| edges.runs(&node.name) && uses(&node)) {
            continue;
        }
        for case in cases {
            if matches!(case.registries.get(&registry.name), Some(RegistryLocation::Git { .. }) | None) {
                continue;
            }
            // A run that does not release may read it all the same, or come to nothing that does.
            let own = Edges::new(plan, std::slice::from_ref(case), site, &mut Vec::new());
            let Some(user) = plan.nodes.iter().filter(uses).find(|node| own.runs(&node.name)) else { continue };
            let fault = match case.registries.get(&registry.name) {
                Some(RegistryLocation::Directory { path }) if !stays(path) => Diagnostic::new(
                    codes::REGISTRY_NOT_SHARED,
                    site.span(&format!("registry {}", registry.name)),
                    format!(
                        "the registry `{}` is a folder, and is lost with the runner that `{}` runs on",
                        registry.name, user.name
                    ),
                )
                .help({
                    let set = format!("`set {} = git(\"mlpc-registry\")`", registry.name);
                    let and = if case.releases { " and `releases true`" } else { "" };
                    match case.place.as_str() {
                        "" => format!(
                            "write a trigger with a profile, `on push {{ branches: [\"main\"], profile: shared }}`, and \
                             `profile shared` with {set}{and}"
                        ),
                        _ => format!("give the trigger a profile with {set}{and}"),
                    }
                }),
                Some(RegistryLocation::Mlflow { .. } | RegistryLocation::S3 { .. }) => Diagnostic::new(
                    codes::NOTHING_RUNS_IT,
                    site.span(&format!("registry {}", registry.name)),
                    format!("jobs on GitHub can't reach the registry `{}` yet", registry.name),
                )
                .help("use `git(\"mlpc-registry\")`"),
                _ => continue,
            };
            diagnostics.push(for_trigger(fault, case, site).label(site.span(&user.name), "used here"));
            break;
        }
    }
}

/// Complains about actions whose journal would be lost with the runner: a job that is run again would act again.
fn journals(plan: &Plan, cases: &[Case], edges: &Edges<'_>, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for node in plan.nodes.iter().filter(|node| edges.runs(&node.name)) {
        let NodeKind::Action(action) = &node.kind else { continue };
        let lost = |case: &&Case| action.journal(plan, |name| case.registries.get(name)).is_none();
        let Some(case) = cases.iter().filter(|case| case.releases).find(lost) else { continue };
        let message = format!("what the action `{}` did is written down nowhere that outlasts the runner", node.name);
        let fault = Diagnostic::new(codes::REGISTRY_NOT_SHARED, site.span(&node.name), message);
        diagnostics.push(
            for_trigger(fault, case, site)
                .help("declare a registry that others reach, `registry models = git(\"mlpc-registry\")`: it keeps the journal of actions"),
        );
    }
}

/// Points at the trigger that something is said of; a start by hand is always possible, and may be declared nowhere.
fn for_trigger(fault: Diagnostic, case: &Case, site: &Site<'_>) -> Diagnostic {
    if case.place.is_empty() { fault } else { fault.label(site.span(&case.place), "for this trigger") }
}

/// Complains about a name or a folder of the pipeline's file that GitHub would evaluate where steps name it.
fn place(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let named = [("file", site.file), ("folder", site.folder)];
    for (what, path) in named.into_iter().filter(|(_, path)| path.contains("${{")) {
        let message = format!("GitHub would evaluate the `${{{{` in the name of the pipeline's {what}: `{path}`");
        diagnostics.push(
            Diagnostic::new(codes::TARGET_LIMIT, site.span(&format!("pipeline {}", plan.pipeline)), message)
                .help("give it a name without it"),
        );
    }
}

/// Complains about secrets whose variable is taken: by GitHub, which keeps none of such a name, or by what we write.
fn secrets(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for secret in plan.secrets.iter().map(|secret| secret.name.as_str()) {
        let name = secret.to_uppercase();
        let whose = match name.as_str() {
            "GITHUB_TOKEN" => continue,
            _ if name.starts_with("GITHUB_") => "GitHub keeps no secret whose name begins with `GITHUB_`",
            _ if name.starts_with("MLPC_") || name.starts_with("GIT_CONFIG_") => "jobs use such variables themselves",
            _ => continue,
        };
        diagnostics.push(
            Diagnostic::new(
                codes::TARGET_LIMIT,
                site.span(&format!("secret {secret}")),
                format!("the secret `{secret}` can't be `{name}` on GitHub: {whose}"),
            )
            .help("give it another name"),
        );
    }
}

#[cfg(test)]
mod tests;
