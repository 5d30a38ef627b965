//! What Argo and Kubernetes can't take: said at compile time, with the place, and not by a controller at night.

use super::{Context, pod};
use crate::diagnostic::{Code, Diagnostic, codes};
use crate::plan::{Node, NodeKind, Plan, Profile, RegistryLocation, RuntimeKind, Setting, TriggerKind};
use crate::targets::raw;
use crate::types::CredentialKind;

/// Templates of a workflow, and tasks of a graph.
const TEMPLATES: usize = 200;
/// Characters of a name.
const NAME: usize = 128;
/// Characters of a workflow's name, which becomes a label and begins every pod's name.
const WORKFLOW: usize = 50;
/// Bytes of a template: a run keeps it twice beside its status, and all of that in one object of at most 1 MB.
const BYTES: usize = 300_000;

/// Finds what can't be expressed.
pub(super) fn check(context: &Context<'_>, profiles: &[Option<&str>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    images(context, &mut found);
    for node in &context.plan.nodes {
        one(context, node, &mut found);
    }
    for profile in profiles {
        registries(context, *profile, &mut found);
    }
    triggers(context, &mut found);
    crate::targets::beside(context.plan, context.site, "argo", &mut found);
    crate::targets::checkpoints(context.plan, context.site, ("argo", "a pod is lost and another one made"), &mut found);
    credentials(context, &mut found);
    texts(context, &mut found);
    let pipeline = &context.plan.pipeline;
    if pipeline.len() > WORKFLOW {
        let message = format!(
            "the name of a workflow on argo has at most {WORKFLOW} characters, `{pipeline}` has {}",
            pipeline.len()
        );
        found.push(context.say(codes::TARGET_LIMIT, &context.top(), message, "give the pipeline a shorter name"));
    }
    found
}

/// Tells whether a plan has more nodes than a workflow may have templates: then none is made.
pub(super) fn is_too_large(plan: &Plan) -> bool {
    plan.nodes.len() > TEMPLATES
}

/// Finds what has grown too large.
pub(super) fn check_size(context: &Context<'_>, templates: usize, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut too_many = |count: usize, what: &str, limit: usize| {
        if count > limit {
            let message = format!("argo takes at most {limit} {what} in a workflow, this pipeline needs {count}");
            let help = "split the pipeline, or let one stage do the work of several legs";
            found.push(context.say(codes::TARGET_LIMIT, &context.top(), message, help));
        }
    };
    too_many(templates, "templates", TEMPLATES);
    too_many(text.len(), "bytes", BYTES);
    found
}

/// Everything runs in a container. Where none is named at all, that is said once.
fn images(context: &Context<'_>, found: &mut Vec<Diagnostic>) {
    for runtime in &context.plan.runtimes {
        if let RuntimeKind::Dockerfile { path } = &runtime.kind {
            let message = format!("argo can't build an image from `{path}`");
            let help = "build and push it in your CI, and name it: `runtime … { image: \"…\" }`";
            found.push(context.say(codes::TARGET_LIMIT, &format!("runtime {}", runtime.name), message, help));
        }
    }
    if context.plan.nodes.iter().any(|node| pod::image(context, &node.kind).is_none())
        || pod::own_image(context).is_none()
    {
        let message = "argo runs everything in a container, and `target argo` names no image".to_owned();
        let help = "write `target argo { image: \"python:3.11-slim\" }`, with an image that holds `mlpc`";
        found.push(context.say(codes::TARGET_SETTING, "target argo", message, help));
    }
}

fn one(context: &Context<'_>, node: &Node, found: &mut Vec<Diagnostic>) {
    let name = &node.name;
    let mut say = |code: Code, message: String, help: &str| found.push(context.say(code, name, message, help));
    if node.when.is_some() {
        let message = format!(
            "argo can't evaluate the `when` of `{name}`: parameters reach its pods encoded, as argo would evaluate their text"
        );
        say(codes::TARGET_LIMIT, message, "compile this pipeline for github, or move the condition into the script");
    }
    if context.slug(name).len() > NAME {
        say(
            codes::TARGET_LIMIT,
            format!("a name on argo has at most {NAME} characters: `{name}`"),
            "shorten the name or its loop's values",
        );
    }
    match &node.kind {
        NodeKind::Approval(_) => {
            let declared = raw::declared(node);
            let legs = || context.plan.nodes.iter().filter(|other| raw::declared(other) == declared);
            let mut people = Vec::new();
            for leg in legs() {
                let NodeKind::Approval(approval) = &leg.kind else { continue };
                approval.by.iter().for_each(|person| {
                    if !people.contains(&person.as_str()) {
                        people.push(person);
                    }
                });
            }
            // Said of the declaration, at the first of its legs.
            if people.is_empty() || legs().next().is_none_or(|first| first.name != *name) {
                return;
            }
            let by = people.join(", ");
            let message =
                format!("argo can't tell who answers `{declared}`: whoever may resume workflows in the namespace can");
            say(
                codes::APPROVER_NOT_CHECKED,
                message,
                &format!("let only {by} resume workflows there (RBAC: `update` on `workflows`)"),
            );
        }
        NodeKind::Action(action) if !action.idempotent => {
            let message = format!("argo can start a pod twice, and `{name}` does not say that it may happen twice");
            say(codes::TARGET_LIMIT, message, "add `idempotent` to it, once it is");
        }
        NodeKind::Rollout(_) | NodeKind::Experiment(_) => {
            let found_at = context.say(
                codes::NOTHING_RUNS_IT,
                name,
                format!("`mlpc` can't run the {} `{name}` yet, on argo or anywhere else", node.kind.keyword()),
                "release with `promote`, and shift traffic in an `action … of` the release",
            );
            found.push(match context.site.spans.get("target argo") {
                Some(&target) => found_at.label(target, "for this target"),
                None => found_at,
            });
        }
        _ => {}
    }
}

/// Argo knows no deployment environments: what guards one elsewhere guards nothing here. It is no fault, so that a pipeline can be
/// for both; returns what whoever writes the files should know.
pub(super) fn environments(plan: &Plan) -> Option<(String, String)> {
    let named = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Action(action) => Some((raw::declared(node), action.environment.as_deref()?)),
        _ => None,
    });
    let mut all: Vec<String> = named.map(|(name, environment)| format!("`{name}` (`{environment}`)")).collect();
    all.dedup();
    let message = format!("argo has no environments, and runs {} without one", all.join(", "));
    let help = "what they may reach is up to the Secret and the service account of the namespace";
    (!all.is_empty()).then(|| (message, help.to_owned()))
}

/// A pod's word for itself is its service account, which no pipeline declares; S3 and MLflow are not spoken yet.
fn credentials(context: &Context<'_>, found: &mut Vec<Diagnostic>) {
    for credential in &context.plan.beside.credentials {
        if let CredentialKind::Oidc { .. } = &credential.kind {
            let name = &credential.name;
            let message = format!("argo's pods can't ask a provider for the credential `{name}` yet");
            let help = "declare it with keys from secrets: `static(\"aws\", …)`";
            let diagnostic = context.say(codes::TARGET_LIMIT, &format!("credential {name}"), message, help);
            found.push(match context.site.spans.get("target argo") {
                Some(&place) => diagnostic.label(place, "for this target"),
                None => diagnostic,
            });
        }
    }
    for registry in &context.plan.registries {
        if let RegistryLocation::S3 { .. } | RegistryLocation::Mlflow { .. } = registry.location {
            let message = format!("pods on argo can't reach the registry `{}` yet", registry.name);
            let help = "use `git(\"mlpc-registry\")`";
            found.push(context.say(codes::NOTHING_RUNS_IT, &format!("registry {}", registry.name), message, help));
        }
    }
}

/// A registry in a folder of the pod is gone with the pod.
fn registries(context: &Context<'_>, profile: Option<&str>, found: &mut Vec<Diagnostic>) {
    let plan = context.plan;
    let profile = match profile {
        None => None,
        Some(name) => match plan.profiles.iter().find(|profile| profile.name == name) {
            Some(profile) => Some(profile),
            None => {
                let message = format!("`target argo` names the profile `{name}`, which is not declared");
                found.push(context.say(codes::TARGET_SETTING, "target argo", message, "name a declared profile"));
                return;
            }
        },
    };
    if profile.is_some_and(|profile| !profile.releases && !profile.gates_block) {
        return;
    }
    for node in &plan.nodes {
        let NodeKind::Action(action) = &node.kind else { continue };
        let of = |name: &str| plan.registry(name).map(|registry| &registry.location);
        if action.journal(plan, |name| location(profile, name).or_else(|| of(name))).is_none() {
            let message = format!("what the action `{}` did is written down nowhere that outlasts its pod", node.name);
            let help = "declare a registry that others reach, `registry models = git(\"mlpc-registry\")`: it keeps the journal of actions";
            let diagnostic = context.say(codes::REGISTRY_NOT_SHARED, &node.name, message, help);
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
    }
    for registry in plan.registries.iter().filter(|registry| is_used(context, &registry.name)) {
        let RegistryLocation::Directory { path } = location(profile, &registry.name).unwrap_or(&registry.location)
        else {
            continue;
        };
        let under =
            profile.map_or("without a profile".to_owned(), |profile| format!("under the profile `{}`", profile.name));
        let message = format!(
            "the registry `{}` is the folder `{path}` {under}: in a pod it is lost with the pod",
            registry.name
        );
        let mut diagnostic = context.say(
            codes::REGISTRY_NOT_SHARED,
            &format!("registry {}", registry.name),
            message,
            "keep it in a branch, `git(\"mlpc-registry\")`, or name a profile that does: `profile: \"shared\"` in `target argo`",
        );
        if let Some(&target) = context.site.spans.get("target argo") {
            diagnostic = diagnostic.label(target, "compiled for argo here");
        }
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
}

fn location<'p>(profile: Option<&'p Profile>, registry: &str) -> Option<&'p RegistryLocation> {
    profile?.settings.iter().find_map(|setting| match setting {
        Setting::Registry { name, location } if name == registry => Some(location),
        _ => None,
    })
}

fn is_used(context: &Context<'_>, registry: &str) -> bool {
    let uses = |node: &Node| matches!(node.kind, NodeKind::Experiment(_)) || node.registries().contains(&registry);
    context.plan.nodes.iter().any(uses)
}

/// Argo starts workflows by the clock and by hand. Where no other target listens, the rest is said.
fn triggers(context: &Context<'_>, found: &mut Vec<Diagnostic>) {
    let alone = context.plan.targets.iter().all(|target| target.name == "argo");
    let mut triggers = context.plan.triggers.iter().enumerate();
    let clock = triggers.find(|(_, trigger)| matches!(trigger.kind, TriggerKind::Schedule { .. }));
    if let (Some((index, _)), None) = (clock, &context.settings.repo) {
        let code = if alone { codes::TARGET_SETTING } else { codes::TRIGGER_ELSEWHERE };
        let message = "argo can't start by the clock: nothing says from which repository".to_owned();
        let help = "write `target argo { code: { repo: \"https://git.example/team/models.git\" } }`";
        let diagnostic = context.say(code, &format!("on {index}"), message, help);
        found.push(diagnostic.label(context.site.span("target argo"), "compiled for argo here"));
    }
    if !alone {
        return;
    }
    for (index, trigger) in context.plan.triggers.iter().enumerate() {
        let word = trigger.kind.event();
        // Whoever submits the template, by hand or from a workflow, gives it the parameters.
        if let TriggerKind::Schedule { .. } | TriggerKind::Manual { .. } | TriggerKind::Call { .. } = trigger.kind {
            continue;
        }
        let comments = if trigger.comment.is_empty() { "" } else { ", and writes no comment" };
        let message = format!("argo does not see `on {word}`{comments}");
        let repo = if context.settings.repo.is_none() { " -p repo=URL" } else { "" };
        // What is submitted has the profile of runs by hand, unless it is told another, or none.
        let profile = match (trigger.profile.as_deref(), context.profile()) {
            (None, None) => String::new(),
            (profile, _) => format!(" -p profile={}", profile.unwrap_or_default()),
        };
        let help = format!(
            "let what sees it run `argo submit {}{repo} -p revision=COMMIT{profile} -p event={word}`",
            context.path("submit")
        );
        let unnamed = word == "pull_request" && trigger.profile.is_none();
        let help = if unnamed && context.plan.nodes.iter().any(|node| node.kind.acts()) {
            format!(
                "let it name a profile that does not release: without one such a run ends with 11 where it would; then {help}"
            )
        } else {
            help
        };
        found.push(context.say(codes::TRIGGER_ELSEWHERE, &format!("on {index}"), message, &help));
    }
}

/// Argo evaluates `{{…}}` and Kubernetes `$(…)` in what a template says; neither can be escaped.
fn texts(context: &Context<'_>, found: &mut Vec<Diagnostic>) {
    let settings = &context.settings;
    let target = "target argo";
    let mut texts: Vec<(&str, &str)> =
        context.plan.nodes.iter().map(|node| (node.name.as_str(), node.name.as_str())).collect();
    texts.extend([(target, context.file), (target, context.site.folder)]);
    let all = [
        &settings.namespace,
        &settings.image,
        &settings.mlpc_image,
        &settings.repo,
        &settings.revision,
        &settings.git_secret,
        &settings.artifacts,
        &settings.service_account,
        &settings.profile,
        &settings.secrets,
    ];
    texts.extend(all.into_iter().flatten().map(|text| (target, text.as_str())));
    texts.extend(settings.gpu.nodes.iter().flat_map(|(key, value)| [(target, key.as_str()), (target, value.as_str())]));
    texts.extend(settings.gpu.taints.iter().map(|taint| (target, taint.as_str())));
    for (place, text) in texts {
        if let Some(mark) = ["{{", "}}", "$(", "$$"].into_iter().find(|mark| text.contains(mark)) {
            let message = format!("`{text}` would be changed on argo, which evaluates `{mark}`");
            found.push(context.say(codes::TARGET_LIMIT, place, message, "write it without"));
        }
    }
}
