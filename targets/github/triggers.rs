//! What starts a workflow, and as what: each trigger of the pipeline is a case with a condition over GitHub's
//! context, the profile it runs with, and the values that are known before the run.

use std::collections::BTreeMap;

use super::model::{CallSecret, Called, Cron, Dispatch, Entries, Filter, Input, Manual, On, Preset};
use super::released::{NOWHERE, named_branches, released_branches, releases_nothing};
use crate::diagnostic::{Diagnostic, codes};
use crate::plan::{Node, NodeKind, Param, Plan, Profile, RegistryLocation, Setting, Trigger, TriggerKind, written};
use crate::targets::Site;
use crate::types::{Type, Value, filter};

/// One way in which the workflow can start.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The event, as `mlpc` calls it.
    pub(super) event: &'static str,
    /// The expression that is true for it and for no other case.
    pub(super) is: String,
    /// The expression that is true where this case may release: nothing more than `is`, but for a start by hand.
    pub(super) from: Option<String>,
    /// The profile.
    pub(super) profile: Option<String>,
    /// It registers, promotes and acts.
    pub(super) releases: bool,
    /// Its gates block.
    pub(super) blocks: bool,
    /// Parameters whose value is known now.
    pub(super) params: BTreeMap<String, Value>,
    /// Parameters that who starts the run gives.
    pub(super) inputs: Vec<Asked>,
    /// Where the registries are.
    pub(super) registries: BTreeMap<String, RegistryLocation>,
    /// The key of its place in the plan.
    pub(super) place: String,
}

/// A parameter that whoever starts a run gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// The parameter.
    pub(super) name: String,
    /// GitHub's expression for what was given.
    pub(super) expression: String,
    /// It may be left out, without GitHub putting the default in its place.
    pub(super) may_lack: bool,
}

impl Case {
    /// Returns what is given for a parameter, if anything is.
    pub(super) fn asked(&self, name: &str) -> Option<&Asked> {
        self.inputs.iter().find(|asked| asked.name == name)
    }
}

/// Returns the cases of a plan; a start by hand is always one.
pub(super) fn cases(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, trigger) in plan.triggers.iter().enumerate() {
        let place = place(index);
        match &trigger.kind {
            TriggerKind::Schedule { cron, .. } if cron.split_whitespace().next() == Some("0") => {
                let message = format!("the schedule `{cron}` starts at minute 0");
                diagnostics.push(
                    Diagnostic::new(codes::CRON_ON_THE_HOUR, site.span(&place), message)
                        .help("write another minute, such as `17`"),
                );
            }
            TriggerKind::Upstream { pipeline } => {
                let message =
                    format!("GitHub can't start this pipeline after `{pipeline}` without giving it that run's rights");
                diagnostics.push(
                    Diagnostic::new(codes::TARGET_LIMIT, site.span(&place), message)
                        .help("let the other pipeline send an event, and write `on event \"…\"` here"),
                );
                continue;
            }
            _ => {}
        }
        let event = trigger.kind.event();
        let profile = match event {
            "manual" => by_hand(plan),
            _ => trigger.profile.as_deref(),
        };
        let is = match is(plan, trigger) {
            is if event != "call" && is_callable(plan) => format!("{is} && {}", own_run(plan)),
            is => is,
        };
        if cases.iter().all(|case| case.is != is) {
            cases.push(case(plan, profile, event, is, place, inputs(plan, trigger)));
        }
    }
    if cases.iter().all(|case| case.event != "manual") {
        let mut is = "github.event_name == 'workflow_dispatch'".to_owned();
        if is_callable(plan) {
            is = format!("{is} && {}", own_run(plan));
        }
        let place = if plan.triggers.is_empty() { String::new() } else { place(0) };
        cases.push(case(plan, by_hand(plan), "manual", is, place, vec![]));
    }
    // A person can start any branch, and only what is pushed to a branch of `on push` may be released.
    let released = released_branches(plan);
    for case in cases.iter_mut().filter(|case| case.event == "manual") {
        case.from = Some(released.clone());
    }
    // Called from whatever ref the caller is of: only those that `on push` names are released.
    let named = named_branches(plan);
    for case in cases.iter_mut().filter(|case| case.event == "call") {
        case.from = Some(named.clone().unwrap_or_else(|| NOWHERE.to_owned()));
    }
    for case in &mut cases {
        match (case.event, &named) {
            // The clock and events from outside start the default branch, whichever that is.
            ("schedule" | "event", Some(named)) => case.from = Some(named.clone()),
            // What nobody has let in yet is not released because nobody said that it is not.
            ("pull_request", _) => case.releases &= case.profile.is_some(),
            _ => {}
        }
        let from_nowhere = case.from.as_deref() == Some(NOWHERE);
        if from_nowhere && case.releases && case.event != "call" {
            releases_nothing(plan, case.event, &case.place, site, diagnostics);
        }
        case.releases &= !from_nowhere;
    }
    defaults(plan, site, diagnostics);
    overlaps(plan, site, diagnostics);
    outside(plan, site, diagnostics);
    cases
}

/// Tells whether another workflow may call this one.
fn is_callable(plan: &Plan) -> bool {
    plan.triggers.iter().any(|trigger| matches!(trigger.kind, TriggerKind::Call { .. }))
}

/// Returns [`own_run`] where there may be another one.
pub(super) fn own_if_callable(plan: &Plan) -> Option<String> {
    is_callable(plan).then(|| own_run(plan))
}

/// Returns the expression that is true in a run of the workflow's own. In one that was called `github` is the caller's: its
/// event, its ref and its workflow.
fn own_run(plan: &Plan) -> String {
    let file = super::condition::text(&format!("{{0}}/.github/workflows/{}.yml@", plan.pipeline));
    format!("startsWith(github.workflow_ref, format({file}, github.repository))")
}

/// Returns the profile of a start by hand: its own, else that of the first other trigger.
pub(super) fn by_hand(plan: &Plan) -> Option<&str> {
    let is_manual = |trigger: &&Trigger| matches!(trigger.kind, TriggerKind::Manual { .. });
    let own = plan.triggers.iter().find(is_manual).and_then(|trigger| trigger.profile.as_deref());
    let first = plan.triggers.iter().find(|trigger| !is_manual(trigger));
    own.or_else(|| first.and_then(|trigger| trigger.profile.as_deref()))
}

fn case(
    plan: &Plan,
    profile: Option<&str>,
    event: &'static str,
    is: String,
    place: String,
    inputs: Vec<Asked>,
) -> Case {
    let found = profile.and_then(|name| plan.profiles.iter().find(|profile| profile.name == name));
    Case {
        event,
        is,
        from: None,
        profile: profile.map(str::to_owned),
        releases: found.is_none_or(|profile| profile.releases),
        blocks: found.is_none_or(|profile| profile.releases || profile.gates_block),
        params: params(plan, found, &inputs),
        registries: registries(plan, found),
        inputs,
        place,
    }
}

/// Returns the key under which the plan keeps the place of a trigger.
fn place(index: usize) -> String {
    format!("on {index}")
}

fn inputs(plan: &Plan, trigger: &Trigger) -> Vec<Asked> {
    match &trigger.kind {
        TriggerKind::Manual { params } | TriggerKind::Call { params } => {
            let of_form =
                |name: &String| Asked { name: name.clone(), expression: format!("inputs.{name}"), may_lack: false };
            params.iter().map(of_form).collect()
        }
        TriggerKind::Event { payload, .. } => {
            let sets = payload.iter().filter(|(name, _)| plan.params.iter().any(|param| param.name == *name));
            let of_payload = |(name, ty): &(String, Type)| Asked {
                name: name.clone(),
                expression: format!("github.event.client_payload.{name}"),
                may_lack: matches!(ty, Type::Optional(_)),
            };
            sets.map(of_payload).collect()
        }
        _ => vec![],
    }
}

fn params(plan: &Plan, profile: Option<&Profile>, inputs: &[Asked]) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for param in plan.params.iter().filter(|param| inputs.iter().all(|asked| asked.name != param.name)) {
        if let Some(value) = value(param, profile) {
            values.insert(param.name.clone(), value);
        }
    }
    values
}

/// Returns a parameter's value under a profile where nobody gives another.
pub(super) fn value(param: &Param, profile: Option<&Profile>) -> Option<Value> {
    let set = profile.into_iter().flat_map(|profile| &profile.settings).find_map(|setting| match setting {
        Setting::Param { name, value } if *name == param.name => Some(value.clone()),
        _ => None,
    });
    // What stands in the file is known when the run begins, not now.
    if set.is_none() && param.from.is_some() {
        return None;
    }
    set.or_else(|| param.default.clone()).or_else(|| matches!(param.ty, Type::Optional(_)).then_some(Value::Null))
}

fn registries(plan: &Plan, profile: Option<&Profile>) -> BTreeMap<String, RegistryLocation> {
    let mut found: BTreeMap<_, _> =
        plan.registries.iter().map(|registry| (registry.name.clone(), registry.location.clone())).collect();
    for setting in profile.into_iter().flat_map(|profile| &profile.settings) {
        if let Setting::Registry { name, location } = setting {
            found.insert(name.clone(), location.clone());
        }
    }
    found
}

/// Returns the expression that is true for a trigger's events. Filters of branches stand in `on:`; they are repeated
/// where another trigger of the same kind would be taken for this one.
fn is(plan: &Plan, trigger: &Trigger) -> String {
    let asked = inputs(plan, trigger);
    let alone = plan
        .triggers
        .iter()
        .filter(|other| kind(other) == kind(trigger))
        .all(|other| other.profile == trigger.profile && inputs(plan, other) == asked);
    let any = |left: &str, names: &[String]| {
        let terms: Vec<_> = names.iter().map(|name| format!("{left} == {}", super::condition::text(name))).collect();
        if terms.len() > 1 { format!("({})", terms.join(" || ")) } else { terms.join("") }
    };
    match &trigger.kind {
        TriggerKind::Push { branches, .. } if alone || branches.is_empty() => "github.event_name == 'push'".into(),
        TriggerKind::Push { branches, .. } => {
            format!("github.event_name == 'push' && {}", any("github.ref_name", branches))
        }
        TriggerKind::PullRequest { branches, .. } if alone || branches.is_empty() => {
            "github.event_name == 'pull_request'".into()
        }
        TriggerKind::PullRequest { branches, .. } => {
            format!("github.event_name == 'pull_request' && {}", any("github.base_ref", branches))
        }
        TriggerKind::Schedule { .. } if alone => "github.event_name == 'schedule'".into(),
        TriggerKind::Schedule { cron, .. } => {
            format!("github.event_name == 'schedule' && {}", any("github.event.schedule", std::slice::from_ref(cron)))
        }
        TriggerKind::Manual { .. } | TriggerKind::Upstream { .. } => "github.event_name == 'workflow_dispatch'".into(),
        TriggerKind::Call { .. } => format!("!{}", own_run(plan)),
        TriggerKind::Event { .. } if alone => "github.event_name == 'repository_dispatch'".into(),
        TriggerKind::Event { name, .. } => format!(
            "github.event_name == 'repository_dispatch' && {}",
            any("github.event.action", std::slice::from_ref(name))
        ),
    }
}

fn kind(trigger: &Trigger) -> std::mem::Discriminant<TriggerKind> {
    std::mem::discriminant(&trigger.kind)
}

/// Complains of a default that GitHub would not hand on as it is. It evaluates the default of a call, alone of all that it offers
/// to fill in; and the fields of its form have one line.
fn defaults(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (index, trigger) in plan.triggers.iter().enumerate() {
        let (params, profile, by_call) = match &trigger.kind {
            TriggerKind::Call { params } => (params, trigger.profile.as_deref(), true),
            TriggerKind::Manual { params } => (params, by_hand(plan), false),
            _ => continue,
        };
        let profile = profile.and_then(|name| plan.profiles.iter().find(|profile| profile.name == name));
        for param in plan.params.iter().filter(|param| params.contains(&param.name)) {
            let default = value(param, profile).map(|value| written(&value)).unwrap_or_default();
            let (message, way_out) = if by_call && default.contains("${{") {
                let message = "GitHub would evaluate the `${{` in the value that `@` has in a call";
                (message, "write it without, or leave the parameter out of `on call`")
            } else if !by_call && default.contains(['\n', '\r']) {
                let message = "the value of `@` has line breaks, which GitHub's form would drop";
                (message, "write it in one line, or leave the parameter out of `on manual`")
            } else {
                continue;
            };
            diagnostics.push(
                Diagnostic::new(codes::TARGET_LIMIT, site.span(&place(index)), message.replace('@', &param.name))
                    .help(way_out),
            );
        }
    }
}

/// Complains where two triggers of one kind can't be told apart, or can't stand together in `on:`.
fn overlaps(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (index, trigger) in plan.triggers.iter().enumerate() {
        let Some(first) = plan.triggers[..index].iter().position(|other| kind(other) == kind(trigger)) else {
            continue;
        };
        let other = &plan.triggers[first];
        let (here, there) = (site.span(&place(index)), site.span(&place(first)));
        let mut limit = |message: &str, help: &str| {
            diagnostics
                .push(Diagnostic::new(codes::TARGET_LIMIT, here, message).label(there, "the other one").help(help));
        };
        if let (Some((branches, paths)), Some((others, theirs))) = (filters(trigger), filters(other)) {
            if paths != theirs {
                limit(
                    "GitHub knows one list of `paths` for all triggers of a kind",
                    "give both triggers the same `paths`, or put one of them into a pipeline of its own",
                );
            }
            let vague =
                |branches: &[String]| branches.is_empty() || branches.iter().any(|branch| filter::is_pattern(branch));
            if trigger.profile != other.profile && (vague(branches) || vague(others)) {
                limit(
                    "the profile of a push can't be told from a pattern of branches",
                    "name the branches of both triggers",
                );
            }
        } else if matches!(trigger.kind, TriggerKind::Manual { .. }) {
            limit("a workflow is started by hand in one way only", "offer all parameters in one `on manual`");
        }
    }
}

/// Complains about paths that lead out of the repository.
fn outside(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (index, trigger) in plan.triggers.iter().enumerate() {
        let paths = filters(trigger).map_or(&[][..], |(_, paths)| paths);
        for path in paths.iter().filter(|path| from_root(site.folder, path).is_none()) {
            let message = format!("`{path}` leads out of the repository: nothing there starts a run");
            diagnostics.push(
                Diagnostic::new(codes::PATH_OUTSIDE, site.span(&place(index)), message)
                    .help("write paths relative to the pipeline's folder, inside the repository"),
            );
        }
    }
}

/// Returns a pattern of paths as the root of the repository sees it; nothing where it leads out.
fn from_root(folder: &str, pattern: &str) -> Option<String> {
    let (not, mut path) = pattern.strip_prefix('!').map_or(("", pattern), |path| ("!", path));
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    while let Some(above) = path.strip_prefix("../") {
        parts.pop()?;
        path = above;
    }
    parts.push(path);
    Some(format!("{not}{}", parts.join("/")))
}

/// Returns branches and paths of a push or a pull request.
fn filters(trigger: &Trigger) -> Option<(&[String], &[String])> {
    match &trigger.kind {
        TriggerKind::Push { branches, paths } | TriggerKind::PullRequest { branches, paths } => Some((branches, paths)),
        _ => None,
    }
}

/// Returns what stands under `on:`.
pub(super) fn on(plan: &Plan, site: &Site<'_>) -> On {
    let mut on = On::default();
    let mut events = Vec::new();
    for trigger in &plan.triggers {
        match &trigger.kind {
            TriggerKind::Push { branches, paths } => {
                // Without branches a push of a tag would start it too.
                let all = ["**".to_owned()];
                merge(on.push.get_or_insert_default(), if branches.is_empty() { &all } else { branches }, paths, site);
            }
            TriggerKind::PullRequest { branches, paths } => {
                merge(on.pull_request.get_or_insert_default(), branches, paths, site);
            }
            TriggerKind::Schedule { cron, timezone } => {
                let timezone = (timezone != "UTC").then(|| timezone.clone());
                on.schedule.push(Cron { cron: cron.clone(), timezone });
            }
            TriggerKind::Manual { params } => on.workflow_dispatch = manual(plan, params, by_hand(plan)),
            TriggerKind::Call { params } => on.workflow_call = Some(call(plan, params, trigger.profile.as_deref())),
            TriggerKind::Event { name, .. } => events.push(name.clone()),
            TriggerKind::Upstream { .. } => {}
        }
    }
    on.repository_dispatch = (!events.is_empty()).then_some(Dispatch { types: events });
    on
}

fn merge(filter: &mut Filter, branches: &[String], paths: &[String], site: &Site<'_>) {
    for branch in branches.iter().filter(|branch| !filter.branches.contains(branch)).cloned().collect::<Vec<_>>() {
        filter.branches.push(branch);
    }
    for path in paths.iter().filter_map(|path| from_root(site.folder, path)) {
        if !filter.paths.contains(&path) {
            filter.paths.push(path);
        }
    }
}

fn manual(plan: &Plan, names: &[String], profile: Option<&str>) -> Manual {
    Manual { inputs: typed(plan, names, profile) }
}

/// Returns what a caller gives: typed inputs, and the secrets that jobs ask for.
fn call(plan: &Plan, names: &[String], profile: Option<&str>) -> Called {
    let mut inputs = typed(plan, names, profile);
    for (_, input) in &mut inputs.0 {
        // A caller has no list to choose from; what it gives is checked where it is used.
        if input.ty == "choice" {
            (input.ty, input.options) = ("string", vec![]);
        }
    }
    let mut secrets = Entries::default();
    let names = plan.secrets.iter().map(|secret| (secret, secret.name.to_uppercase()));
    for (secret, name) in names.filter(|(_, name)| name != "GITHUB_TOKEN") {
        let required = !is_of_environments(plan, &secret.name);
        secrets.push(name, CallSecret { description: secret.doc.clone(), required });
    }
    Called { inputs, secrets }
}

/// Tells whether only jobs with an environment need a secret: it is that one's, and a caller, who has none, can't hand it on.
fn is_of_environments(plan: &Plan, secret: &str) -> bool {
    let uses = |node: &&Node| {
        let own = node.kind.work().map(|work| work.secrets.as_slice()).unwrap_or_default();
        own.iter().chain(plan.lent(node)).any(|used| used.secret == secret)
    };
    let mut users = plan.nodes.iter().filter(uses).peekable();
    users.peek().is_some()
        && users.all(|node| matches!(&node.kind, NodeKind::Action(action) if action.environment.is_some()))
}

fn typed(plan: &Plan, names: &[String], profile: Option<&str>) -> Entries<Input> {
    let profile = profile.and_then(|name| plan.profiles.iter().find(|profile| profile.name == name));
    let mut inputs = Entries::default();
    for param in names.iter().filter_map(|name| plan.params.iter().find(|param| param.name == *name)) {
        let default = value(param, profile).filter(|value| *value != Value::Null);
        let inner = match &param.ty {
            Type::Optional(inner) => inner,
            ty => ty,
        };
        let (ty, options) = match inner {
            Type::Bool => ("boolean", vec![]),
            Type::Int(_) | Type::Float(_) => ("number", vec![]),
            Type::Enum(texts) => ("choice", texts.clone()),
            _ => ("string", vec![]),
        };
        // What GitHub would round stays a text, which it leaves alone.
        let ty = if default.as_ref().is_some_and(is_rounded) { "string" } else { ty };
        let preset = default.map(|value| match value {
            Value::Bool(value) => Preset::Bool(value),
            Value::Int(value) if ty == "number" => Preset::Int(value),
            Value::Float(value) if ty == "number" => Preset::Float(value),
            other => Preset::Text(written(&other)),
        });
        let required = preset.is_none() && param.from.is_none() && !matches!(param.ty, Type::Optional(_));
        let form = if matches!(inner, Type::List(_) | Type::Record(_)) { ", as JSON" } else { "" };
        let description = Some(param.doc.clone().unwrap_or_else(|| format!("{}: {}{form}", param.name, param.ty)));
        inputs.push(&param.name, Input { description, required, ty, options, default: preset });
    }
    inputs
}

/// Tells whether a number is another one once GitHub has written it: it does so with 15 digits.
fn is_rounded(value: &Value) -> bool {
    match *value {
        Value::Int(number) => number.unsigned_abs() >= 1_000_000_000_000_000,
        Value::Float(number) => format!("{number:.14e}").parse() != Ok(number),
        _ => false,
    }
}
