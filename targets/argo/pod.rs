//! The pods: one template a node. Each calls `mlpc exec`, which reads everything that a user wrote from the checkout; the
//! templates hold names, digests and settings only, since Argo evaluates what stands in them.

use std::collections::BTreeMap;

use super::kubernetes::{Capabilities, Container, ContainerSecurity, Resources, SecretKey, Variable, VariableFrom};
use super::model::{
    Archive, Arguments, Artifact, Backoff, Empty, Git, Key, Parameter, RetryStrategy, Tar, Template, ValueFrom,
};
use super::reads::{self, Reads};
use super::scheduling::{TaintEffect, TaintOperator, Toleration};
use super::storage::Mount;
use super::{Context, RUN, WORK, absent, names};
use crate::emit::Noted;
use crate::plan::{Needs, Node, NodeKind, Retry, RuntimeKind, SecretUse, Stage, Work};
use crate::targets::shares;
use crate::types::Origin;

const SECOND: i64 = 1_000_000_000;
/// What a pod gets on top of its stage's own time, to fetch and to store.
const FETCH_SECONDS: i64 = 600;
/// How long a pod of ours may take.
const OWN_SECONDS: i64 = 1800;

/// Makes the template of a node that runs in a pod.
pub(super) fn of_node(context: &Context<'_>, node: &Node, reads: &Reads) -> Template {
    let slug = context.slug(&node.name);
    let work = node.kind.work();
    let mut args = command(context, &["exec", &node.name]);
    args.extend([format!("--in={WORK}/in"), format!("--out={WORK}/out")]);
    let mut template = pod(context, slug.to_owned(), node, work);
    for (other, optional) in &reads.results {
        let other_slug = context.slug(other);
        args.push(format!("--expect={other_slug}={{{{inputs.parameters.{other_slug}}}}}"));
        template.inputs.parameters.push(Parameter { name: other_slug.into(), ..Parameter::default() });
        template.inputs.artifacts.push(input(&format!("{other_slug}-result"), other_slug, "result.json", *optional));
    }
    for ((other, output), optional) in &reads.files {
        let slug = context.slug(other);
        let name = file_artifact(slug, output);
        template.inputs.artifacts.push(input(&name, slug, &format!("files/{output}"), *optional));
    }
    if let Some(container) = &mut template.container {
        container.args = args;
    }
    template.outputs = outputs(context, node, slug);
    template.retry_strategy = retry(&node.kind);
    template
}

/// Makes the template of the task that reads the answer to an approval.
pub(super) fn of_answer(context: &Context<'_>, node: &Node, reads: &Reads) -> Template {
    let mut template = of_node(context, node, reads);
    template.name = names::answer(context.slug(&node.name));
    template.outputs = Arguments::default();
    template.inputs.parameters.push(Parameter { name: "answer".into(), ..Parameter::default() });
    if let Some(container) = &mut template.container {
        container.args.push("--answer={{inputs.parameters.answer}}".into());
    }
    template
}

/// Tells whether the verdict gets a node's result: what gates said, and whether production is the model of a release already.
pub(super) fn is_heard(context: &Context<'_>, node: &Node) -> bool {
    matches!(node.kind, NodeKind::Gate(_)) || absent::tells_there(context.plan, &node.name)
}

/// Makes the template of the last task: it gets how every node ended, and the results that it reads.
pub(super) fn of_verdict(context: &Context<'_>) -> Template {
    let mut template = own_pod(context, "verdict".into());
    let mut args = command(context, &["exec", "--verdict"]);
    args.push(format!("--in={WORK}/in"));
    for node in &context.plan.nodes {
        let slug = context.slug(&node.name);
        args.push(format!("--status={}={{{{inputs.parameters.{slug}}}}}", node.name));
        template.inputs.parameters.push(Parameter { name: slug.into(), ..Parameter::default() });
        if is_heard(context, node) {
            let digest = digest_parameter(slug);
            args.push(format!("--expect={slug}={{{{inputs.parameters.{digest}}}}}"));
            template.inputs.parameters.push(Parameter { name: digest, ..Parameter::default() });
            template.inputs.artifacts.push(input(&format!("{slug}-result"), slug, "result.json", true));
        }
    }
    if let Some(container) = &mut template.container {
        container.args = args;
    }
    template.retry_strategy = Some(infrastructure(2, ""));
    template
}

/// Makes the template of the first task: it finds the commit that the revision of the run names. Every other pod clones that
/// one, whatever is pushed meanwhile.
pub(super) fn of_commit(context: &Context<'_>) -> Template {
    let mut template = own_pod(context, names::COMMIT.into());
    template.inputs =
        Arguments { parameters: vec![], artifacts: vec![checkout(context, "workflow.parameters.revision")] };
    if let Some(container) = &mut template.container {
        container.args = call(context, &["exec", "--pin"]);
        container.args.push(format!("--out={WORK}/out"));
    }
    // Without a default: a revision that can't be found ends the run.
    let found = ValueFrom { path: Some(format!("{WORK}/out/{}", names::COMMIT)), supplied: None, default: None };
    template.outputs.parameters =
        vec![Parameter { name: names::COMMIT.into(), value_from: Some(found), ..Parameter::default() }];
    template.retry_strategy = Some(infrastructure(2, ""));
    template
}

/// Returns the name under which the verdict gets the digest of a result: no slug has a `_`.
pub(super) fn digest_parameter(slug: &str) -> String {
    format!("{slug}_digest")
}

/// Returns the name under which the graph passes an output on.
pub(super) fn file_artifact(slug: &str, output: &str) -> String {
    format!("{slug}-file-{output}")
}

/// Returns the image that a node's pod runs in, if one is named.
pub(super) fn image(context: &Context<'_>, kind: &NodeKind) -> Option<String> {
    let Some(work) = kind.work() else { return own_image(context) };
    let runtimes = &context.plan.runtimes;
    let found = work.runtime.as_deref().and_then(|name| runtimes.iter().find(|runtime| runtime.name == name));
    match found.map(|found| &found.kind) {
        Some(RuntimeKind::Image { image }) => {
            Some(pinned(image, found.and_then(|found| context.site.locked.get(&found.name))))
        }
        // Said of the runtime itself: it can't be built here.
        Some(RuntimeKind::Dockerfile { path }) => Some(path.clone()),
        Some(RuntimeKind::Python { .. }) | None => context.settings.image.clone(),
    }
}

/// Names an image by the digest that was locked.
fn pinned(image: &str, digest: Option<&String>) -> String {
    match digest {
        Some(digest) if !image.contains('@') => format!("{image}@{digest}"),
        _ => image.to_owned(),
    }
}

/// The arguments of a call at the commit of the run.
fn command(context: &Context<'_>, first: &[&str]) -> Vec<String> {
    let mut args = call(context, first);
    args.push(format!("--commit={{{{inputs.parameters.{}}}}}", names::COMMIT));
    args
}

/// The arguments that every call of `mlpc` gets. What a submission says of the run travels in base64 or is a name.
fn call(context: &Context<'_>, first: &[&str]) -> Vec<String> {
    let mut args: Vec<String> = first.iter().map(|arg| (*arg).to_owned()).collect();
    args.extend(["-f".into(), context.file.to_owned(), format!("--plan={}", context.digest)]);
    args.extend([format!("--run={RUN}{{{{workflow.uid}}}}"), "--params={{workflow.parameters.params}}".into()]);
    args
}

/// What all pods have in common.
pub(super) fn defaults(context: &Context<'_>) -> Container {
    let settings = &context.settings;
    let program = if settings.mlpc_image.is_some() { format!("{WORK}/mlpc") } else { "mlpc".into() };
    Container {
        image: own_image(context),
        working_dir: Some(context.folder()),
        command: Some(Noted::flow(vec![program])),
        env: vec![
            plain("MLPC_PROFILE", "{{workflow.parameters.profile}}"),
            plain("MLPC_EVENT", "{{workflow.parameters.event}}"),
        ],
        resources: Some(small()),
        security_context: Some(locked()),
        volume_mounts: vec![mount()],
        ..Container::default()
    }
}

/// Returns the image of gates, releases and the verdict.
pub(super) fn own_image(context: &Context<'_>) -> Option<String> {
    context.settings.mlpc_image.clone().or_else(|| context.settings.image.clone())
}

fn mount() -> Mount {
    Mount { name: "mlpc".into(), mount_path: WORK.into(), sub_path: None, read_only: None }
}

/// A pod for a node.
fn pod(context: &Context<'_>, name: String, node: &Node, work: Option<&Work>) -> Template {
    let mut template = own_pod(context, name);
    let settings = &context.settings;
    if let Some(container) = &mut template.container {
        container.image = image(context, &node.kind).filter(|image| own_image(context).as_ref() != Some(image));
        if let Some(work) = work {
            container.resources = Some(resources(context, &work.needs));
            container.env.extend(secrets(context, work));
            container.env.extend(cache(context, node));
        } else {
            let lent = context.plan.lent(node);
            container.env.extend(lent.into_iter().map(|used| of_pipeline(context, used)));
        }
        if let (true, Some(secret)) = (talks_to_git(context, &node.kind), &settings.git_secret) {
            container.env.extend(git_credentials(secret));
        }
    }
    if let Some(work) = work {
        let longest = match &node.kind {
            // What is tried again for its exit status or its time is tried again in the same pod.
            NodeKind::Stage(stage) => stage.longest(),
            _ => work.timeout,
        };
        let nanoseconds = longest.unwrap_or(settings.timeout);
        let seconds = nanoseconds / SECOND + i64::from(nanoseconds % SECOND > 0);
        template.active_deadline_seconds = Some(seconds + FETCH_SECONDS);
        if work.needs.gpu.is_some_and(|gpu| gpu > 0) {
            template.node_selector = settings.gpu.nodes.iter().cloned().collect();
            let stand = |key: &String| Toleration {
                key: Some(key.clone()),
                operator: Some(TaintOperator::Exists),
                value: None,
                effect: Some(TaintEffect::NoSchedule),
                toleration_seconds: None,
            };
            template.tolerations = settings.gpu.taints.iter().map(stand).collect();
        }
    }
    template
}

/// A pod that holds the checkout and the program, and is small unless its container says otherwise.
fn own_pod(context: &Context<'_>, name: String) -> Template {
    let install = context.settings.mlpc_image.as_ref().map(|image| Container {
        name: Some("mlpc".into()),
        image: Some(image.clone()),
        command: Some(Noted::flow(vec!["cp".into(), "/usr/local/bin/mlpc".into(), format!("{WORK}/mlpc")])),
        resources: Some(small()),
        security_context: Some(locked()),
        volume_mounts: vec![mount()],
        ..Container::default()
    });
    Template {
        name,
        inputs: Arguments {
            parameters: vec![Parameter { name: names::COMMIT.into(), ..Parameter::default() }],
            artifacts: vec![checkout(context, &format!("inputs.parameters.{}", names::COMMIT))],
        },
        init_containers: install.into_iter().collect(),
        container: Some(Container::default()),
        active_deadline_seconds: Some(OWN_SECONDS),
        ..Template::default()
    }
}

fn checkout(context: &Context<'_>, revision: &str) -> Artifact {
    let secret = |key: &str| {
        let name = context.settings.git_secret.clone()?;
        Some(SecretKey { name, key: key.into() })
    };
    Artifact {
        name: "code".into(),
        path: Some(format!("{WORK}/code")),
        git: Some(Git {
            repo: "{{workflow.parameters.repo}}".into(),
            revision: format!("{{{{{revision}}}}}"),
            username_secret: secret("username"),
            password_secret: secret("password"),
        }),
        ..Artifact::default()
    }
}

fn input(name: &str, folder: &str, file: &str, optional: bool) -> Artifact {
    Artifact { name: name.into(), path: Some(format!("{WORK}/in/{folder}/{file}")), optional, ..Artifact::default() }
}

/// What a pod leaves: its result with the digest of it, its files, and for a gate what it asks and what people read.
fn outputs(context: &Context<'_>, node: &Node, slug: &str) -> Arguments {
    let kept = |name: &str, file: &str, folder: bool, optional: bool| Artifact {
        name: name.to_owned(),
        path: Some(format!("{WORK}/out/{file}")),
        optional,
        archive: Some(if folder { Archive::Tar(Tar { compression_level: 0 }) } else { Archive::None(Empty {}) }),
        s3: Some(Key {
            key: format!("mlpc/{}/{{{{workflow.uid}}}}/{slug}/{file}", names::slug(&context.plan.pipeline)),
        }),
        ..Artifact::default()
    };
    let read = |name: &str, default: Option<&'static str>| Parameter {
        name: name.to_owned(),
        value_from: Some(ValueFrom { path: Some(format!("{WORK}/out/{name}")), supplied: None, default }),
        ..Parameter::default()
    };
    let mut parameters = vec![read("digest", Some(""))];
    let mut artifacts = vec![kept("result", "result.json", false, false)];
    if matches!(node.kind, NodeKind::Gate(_)) {
        parameters.push(read("ask", Some("false")));
        if absent::asked_by(context.plan, &node.name).count() > 1 {
            parameters.push(read("asked", Some("")));
        }
        artifacts.push(kept("report", "gate_report.json", false, true));
        artifacts.push(kept("summary", "summary.md", false, true));
    }
    if absent::tells_there(context.plan, &node.name) {
        // Not known to be there, it is asked about.
        parameters.push(read("there", Some("false")));
    }
    // A baseline may be none, and then its stage makes nothing.
    let optional = matches!(&node.kind, NodeKind::Stage(stage) if stage.baseline.is_some());
    for (output, folder) in reads::files(&node.kind) {
        artifacts.push(kept(&format!("file-{output}"), &format!("files/{output}"), folder, optional));
    }
    Arguments { parameters, artifacts }
}

/// A failed gate and a failed program are answers: only what the cluster did to the pod is tried again.
fn retry(kind: &NodeKind) -> Option<RetryStrategy> {
    match kind {
        NodeKind::Stage(stage) => of_stage(stage),
        NodeKind::Action(action) => action.idempotent.then(|| infrastructure(2, "")),
        NodeKind::Rollout(_) | NodeKind::Experiment(_) => None,
        NodeKind::Gate(_) | NodeKind::Approval(_) | NodeKind::Register(_) | NodeKind::Promote(_) => {
            Some(infrastructure(2, ""))
        }
    }
}

fn of_stage(stage: &Stage) -> Option<RetryStrategy> {
    let Retry { times, causes, .. } = stage.retry.as_ref()?;
    let has = |cause: &str| causes.iter().any(|given| given == cause || given == "infrastructure");
    // 137 is a container that was killed: for its memory, or with its machine. Other causes `mlpc exec` sees itself.
    let killed = if has("oom") || has("lost_host") { " || asInt(lastRetry.exitCode) == 137" } else { "" };
    Some(infrastructure(*times, killed))
}

fn infrastructure(limit: u32, or: &str) -> RetryStrategy {
    RetryStrategy {
        limit,
        retry_policy: "Always",
        expression: format!("(lastRetry.status == 'Error'{or}) && asInt(lastRetry.exitCode) not in [0, 10, 11]"),
        backoff: Backoff { duration: "10s", factor: 2, cap: "5m" },
    }
}

fn resources(context: &Context<'_>, needs: &Needs) -> Resources {
    let cpu = needs.cpu.unwrap_or(context.settings.cpu);
    let memory = needs.memory.unwrap_or(context.settings.memory);
    let cpu = if cpu.fract() == 0.0 { cpu.to_string() } else { format!("{}m", (cpu * 1000.0).ceil()) };
    let mut wanted = BTreeMap::from([("cpu".to_owned(), cpu), ("memory".to_owned(), quantity(memory))]);
    if let Some(gpu) = needs.gpu.filter(|gpu| *gpu > 0) {
        wanted.insert(context.settings.gpu.resource.clone(), gpu.to_string());
    }
    Resources { requests: wanted.clone(), limits: wanted }
}

/// Writes a size as Kubernetes reads it.
fn quantity(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    match UNITS.iter().find(|(size, _)| bytes.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

pub(super) fn small() -> Resources {
    let of = |cpu: &str, memory: &str| {
        BTreeMap::from([("cpu".to_owned(), cpu.to_owned()), ("memory".to_owned(), memory.to_owned())])
    };
    Resources { requests: of("100m", "128Mi"), limits: of("1", "1Gi") }
}

pub(super) fn locked() -> ContainerSecurity {
    ContainerSecurity {
        allow_privilege_escalation: false,
        capabilities: Capabilities { drop: Noted::flow(vec!["ALL"]) },
    }
}

fn plain(name: &str, value: &str) -> Variable {
    Variable { name: name.into(), value: Some(value.into()), value_from: None }
}

fn secret(variable: String, name: &str, key: &str) -> Variable {
    let secret_key_ref = SecretKey { name: name.into(), key: key.into() };
    let value_from = Some(VariableFrom { secret_key_ref: Some(secret_key_ref), ..VariableFrom::default() });
    Variable { name: variable, value: None, value_from }
}

fn secrets(context: &Context<'_>, work: &Work) -> Vec<Variable> {
    work.secrets.iter().map(|used| of_pipeline(context, used)).collect()
}

/// Returns the variable that holds a secret of the pipeline.
fn of_pipeline(context: &Context<'_>, used: &SecretUse) -> Variable {
    secret(used.secret.to_uppercase(), &context.secrets(), &used.secret)
}

/// Where results are shared, and the keys for it: those that write come with the runs that the clock starts.
fn cache(context: &Context<'_>, node: &Node) -> Vec<Variable> {
    let settings = &context.settings;
    let Some(url) = settings.cache.as_ref().filter(|_| shares(node)) else { return vec![] };
    let mut env = vec![plain("MLPC_REMOTE", url)];
    if settings.cache_write.is_some() {
        env.push(plain("MLPC_REMOTE_WRITE", "trusted"));
    }
    let name = match &settings.cache_write {
        Some(_) => Some("{{workflow.parameters.cache}}"),
        None => settings.cache_read.as_deref(),
    };
    for key in name.map(|_| ["access_key_id", "secret_access_key"]).into_iter().flatten() {
        let variable = format!("MLPC_REMOTE_{}", key.to_uppercase());
        env.push(secret(variable, name.unwrap_or_default(), key));
    }
    env
}

/// Git asks this helper for a name and a password; both stay in variables.
fn git_credentials(name: &str) -> Vec<Variable> {
    vec![
        plain("GIT_CONFIG_COUNT", "1"),
        plain("GIT_CONFIG_KEY_0", "credential.helper"),
        plain("GIT_CONFIG_VALUE_0", "!f() { echo \"username=$GIT_USERNAME\"; echo \"password=$GIT_PASSWORD\"; }; f"),
        secret("GIT_USERNAME".into(), name, "username"),
        secret("GIT_PASSWORD".into(), name, "password"),
    ]
}

/// Tells whether a node reads or writes a registry: on a runner that is a branch of the remote.
fn talks_to_git(context: &Context<'_>, kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Register(_) | NodeKind::Promote(_) | NodeKind::Rollout(_) | NodeKind::Experiment(_) => true,
        NodeKind::Gate(gate) => gate.baseline.is_some(),
        NodeKind::Stage(stage) => stage.baseline.is_some() || reads_pointer(&stage.work),
        NodeKind::Action(action) => reads_pointer(&action.work) || !context.plan.registries.is_empty(),
        NodeKind::Approval(_) => false,
    }
}

fn reads_pointer(work: &Work) -> bool {
    work.inputs.iter().any(|input| matches!(input.origin, Origin::Pointer { .. }))
}
