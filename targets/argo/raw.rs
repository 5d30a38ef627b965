//! Raw blocks in Argo's own words: what a pod takes beside what the pipeline says, and what it never takes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::kubernetes::{Container, Labels, Port, Resources, Variable};
use super::model::{Template, WorkflowSpec};
use super::pod;
use super::scheduling::{Affinity, Scheduling, Toleration};
use super::storage::{Mount, Volume};
use super::{Context, WORK};
use crate::diagnostic::{Diagnostic, codes};
use crate::plan::Node;
use crate::targets::Site;
use crate::targets::raw::{self, Block, Declared, Fault, Owned, Path, Reader, Seg};
use crate::types::Value;

/// What a block adds to the template of a declaration.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TemplatePiece {
    #[serde(default)]
    node_selector: BTreeMap<String, String>,
    #[serde(default)]
    tolerations: Vec<Toleration>,
    affinity: Option<Affinity>,
    #[serde(default)]
    metadata: Labels,
    #[serde(default)]
    volumes: Vec<Volume>,
    #[serde(default)]
    sidecars: Vec<Sidecar>,
    priority_class_name: Option<String>,
    scheduler_name: Option<String>,
    #[serde(default)]
    container: ContainerPiece,
}

/// What a block adds to the container that runs the declaration.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContainerPiece {
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    volume_mounts: Vec<Mount>,
    image_pull_policy: Option<String>,
}

/// A container beside it, which ends with it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sidecar {
    name: String,
    image: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    ports: Vec<Port>,
    #[serde(default)]
    volume_mounts: Vec<Mount>,
    resources: Option<Resources>,
}

/// What the pipeline says of a template, and where.
const TEMPLATE: &[Owned] = &[
    (&["name"], "leave it out: the declaration names its template"),
    (&["inputs"], "say what it reads with `in`"),
    (&["outputs"], "say what it makes with `out`"),
    (&["dag"], "declare stages: the graph follows from what they read"),
    (&["steps"], "declare stages: the graph follows from what they read"),
    (&["script"], "write `run` in the declaration"),
    (&["suspend"], "declare an `approval`"),
    (&["initContainers"], "do it in the stage's own command, or declare a stage before it"),
    (&["activeDeadlineSeconds"], "write `timeout 4h` in the declaration"),
    (&["timeout"], "write `timeout 4h` in the declaration"),
    (&["retryStrategy"], "write `retry 2 on infrastructure` in the declaration"),
    (&["serviceAccountName"], "write `service_account: \"…\"` in `target argo`"),
    (&["securityContext"], "leave it out: pods are not root, and drop all capabilities"),
    (&["synchronization"], "leave it out: what must not run at once is kept apart already"),
    (&["memoize"], "leave it out: results are asked for in mlpc's own cache"),
    (&["hooks"], "declare an `action` behind it"),
    (&["podSpecPatch"], "say it in the fields themselves: a patch has no types"),
    (&["executor"], "write `service_account: \"…\"` in `target argo`"),
    (&["container", "image"], "declare `runtime NAME { image: \"…\" }`, and name it in the stage"),
    (&["container", "command"], "write `run` in the declaration"),
    (&["container", "args"], "write `run` in the declaration"),
    (&["container", "workingDir"], "leave it out: a command begins in the pipeline's folder"),
    (&["container", "resources"], "write `needs { cpu: 2, memory: 8GiB }` in the declaration"),
    (&["container", "securityContext"], "leave it out: containers drop all capabilities"),
];

/// What the pipeline says of the workflow, and where.
const WORKFLOW: &[Owned] = &[
    (&["entrypoint"], "leave it out: the graph is made from the pipeline"),
    (&["templates"], "write `raw: { train: <<< … >>> }` for the template of the stage `train`"),
    (&["templateDefaults"], "write what all pods take in this block, and the rest in `raw`"),
    (&["arguments"], "declare `param`, and offer it by `on manual`"),
    (&["serviceAccountName"], "write `service_account: \"…\"` in `target argo`"),
    (&["parallelism"], "write `parallelism: 10` in `target argo`"),
    (&["ttlStrategy"], "write `keep: 7d` in `target argo`"),
    (&["podGC"], "leave it out: pods that came out well are deleted"),
    (&["artifactRepositoryRef"], "write `artifacts: \"…\"` in `target argo`"),
    (&["onExit"], "leave it out: the last task is the verdict"),
    (&["securityContext"], "leave it out: pods are not root, and drop all capabilities"),
    (&["synchronization"], "leave it out: what must not run at once is kept apart already"),
    (&["activeDeadlineSeconds"], "write `timeout 4h` in the declarations"),
    (&["podSpecPatch"], "say it in the fields themselves: a patch has no types"),
    (&["hooks"], "declare an `action`"),
    (&["hostNetwork"], "leave it out: a pod has its own network"),
];

/// What Argo puts in the place of these is a name of its own, and no text of a user's.
const SAFE: [&str; 4] = ["workflow.name", "workflow.namespace", "workflow.uid", "pod.name"];

/// Containers of a pod that are not a block's to name.
const CONTAINERS: [&str; 4] = ["main", "wait", "init", "mlpc"];

/// The raw blocks of the settings, read.
#[derive(Default)]
pub(super) struct Additions<'a> {
    workflow: Option<(Block<'a>, Scheduling)>,
    templates: Vec<(&'a str, Block<'a>, TemplatePiece)>,
}

/// Reads the raw blocks.
pub(super) fn read<'a>(
    settings: &'a Value,
    declared: &Declared,
    site: &Site<'_>,
    found: &mut Vec<Diagnostic>,
) -> Additions<'a> {
    let mut reader = Reader { target: "argo", declared, site, found: Vec::new() };
    let blocks = reader.blocks(settings);
    let workflow = blocks.workflow.and_then(|block| {
        let piece = reader.piece(&block, WORKFLOW, look)?;
        Some((block, piece))
    });
    let mut templates = Vec::new();
    for (name, block) in blocks.pieces {
        if let Some(piece) = reader.piece::<TemplatePiece>(&block, TEMPLATE, look) {
            templates.push((name, block, piece));
        }
    }
    found.append(&mut reader.found);
    Additions { workflow, templates }
}

/// Finds what the types can't tell: what Argo would evaluate, what is not pinned, names that are ours.
fn look(value: &Yaml) -> Vec<Fault> {
    let mut faults = Vec::new();
    raw::texts(value, &mut |at, text, is_key| {
        let mut fault = |code, message: String, help: &str, needle| {
            faults.push(Fault { at: at.to_vec(), needle, code, message, help: help.to_owned() });
        };
        if let Some(inside) = evaluated(text) {
            let message = format!("Argo would evaluate `{{{{{inside}}}}}`");
            let help = format!("write it without; of Argo's own values there are `{}`", SAFE.join("`, `"));
            fault(codes::RAW_EXPRESSION, message, &help, "{{");
        }
        if is_key {
            return;
        }
        let keys: Vec<&str> =
            at.iter().filter_map(|seg| if let Seg::Key(key) = seg { Some(&**key) } else { None }).collect();
        match keys[..] {
            ["sidecars", "image"] if !raw::is_pinned(text) => {
                let unpinned = raw::unpinned_image(at, text);
                fault(unpinned.code, unpinned.message, &unpinned.help, "");
            }
            ["sidecars", "name"] if CONTAINERS.contains(&text) => {
                fault(codes::RAW_OWNED, format!("every pod has a container `{text}`"), "choose another name", "");
            }
            [.., "volumes", "name"] if text == "mlpc" => {
                fault(codes::RAW_OWNED, "every pod has a volume `mlpc`".to_owned(), "choose another name", "");
            }
            [.., "volumeMounts", "mountPath"] if covers(text) => {
                let message = format!("`{text}` would cover `{WORK}`, where a pod keeps the checkout and its files");
                fault(codes::RAW_OWNED, message, "mount it elsewhere", "");
            }
            [.., "env", "name"] if text.starts_with("MLPC_") || text.starts_with("GIT_CONFIG") => {
                let message = format!("the variable `{text}` is how a pod tells `mlpc` what to do");
                fault(codes::RAW_OWNED, message, "choose another name", "");
            }
            _ => {}
        }
    });
    let volumes: Vec<&Yaml> = value.get("volumes").and_then(Yaml::as_sequence).into_iter().flatten().collect();
    for (index, volume) in volumes.iter().enumerate() {
        if volumes[..index].iter().any(|other| other.get("name") == volume.get("name")) {
            faults.push(Fault {
                at: vec![Seg::Key("volumes".into()), Seg::Item(index), Seg::Key("name".into())],
                needle: "",
                code: codes::RAW_BLOCK,
                message: "a volume of this name stands above".to_owned(),
                help: "choose another name".to_owned(),
            });
        }
        let kinds = volume.as_mapping().map_or(0, |entries| entries.len().saturating_sub(1));
        if kinds != 1 {
            faults.push(Fault {
                at: vec![Seg::Key("volumes".into()), Seg::Item(index), Seg::Key("name".into())],
                needle: "",
                code: codes::RAW_BLOCK,
                message: format!("a volume is one thing, and this one is {kinds}"),
                help: "write one of `emptyDir`, `configMap`, `secret` and `persistentVolumeClaim`".to_owned(),
            });
        }
    }
    faults
}

/// Returns what Argo would evaluate in a text, unless it is known to be safe.
fn evaluated(text: &str) -> Option<&str> {
    let tags = text.split("{{").skip(1);
    tags.map(|rest| rest.split("}}").next().unwrap_or(rest)).find(|tag| !SAFE.contains(&tag.trim()))
}

/// Tells whether a mount would hide the work folder of pods, or stand in it.
fn covers(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    !path.starts_with('/') || path == WORK || path.starts_with(&format!("{WORK}/")) || path.contains("..")
}

impl Additions<'_> {
    /// Adds what the block of a node's declaration says to its template; returns a line that says so.
    pub(super) fn template(&self, node: &Node, template: &mut Template) -> Option<String> {
        let name = raw::declared(node);
        let (_, _, piece) = self.templates.iter().find(|(other, _, _)| *other == name)?;
        template.node_selector.extend(piece.node_selector.clone());
        template.tolerations.extend(piece.tolerations.iter().cloned());
        template.affinity.clone_from(&piece.affinity);
        template.metadata = piece.metadata.clone();
        template.volumes.extend(piece.volumes.iter().cloned());
        template.sidecars = piece.sidecars.iter().map(sidecar).collect();
        template.priority_class_name.clone_from(&piece.priority_class_name);
        template.scheduler_name.clone_from(&piece.scheduler_name);
        if let Some(container) = &mut template.container {
            container.env.extend(piece.container.env.iter().cloned());
            container.volume_mounts.extend(piece.container.volume_mounts.iter().cloned());
            container.image_pull_policy.clone_from(&piece.container.image_pull_policy);
        }
        Some(format!("with `raw: {name}` of the target"))
    }

    /// Adds what the block of the whole workflow says; tells whether there is one.
    pub(super) fn workflow(&self, spec: &mut WorkflowSpec) -> bool {
        let Some((_, piece)) = &self.workflow else { return false };
        spec.volumes.extend(piece.volumes.iter().cloned());
        spec.added = piece.clone();
        true
    }

    /// Finds what a template has already, and would be said twice.
    pub(super) fn twice(&self, context: &Context<'_>, declared: &Declared) -> Vec<Diagnostic> {
        let mut reader = Reader { target: "argo", declared, site: context.site, found: Vec::new() };
        for (name, block, piece) in &self.templates {
            let Some(node) = context.plan.nodes.iter().find(|node| raw::declared(node) == *name) else { continue };
            let mut said = |at: Path, what: &str, name: &str| {
                let message = format!("the pod has the {what} `{name}` already");
                let help = "choose another name, or leave it out".to_owned();
                reader.fault(block, Fault { at, needle: "", code: codes::RAW_OWNED, message, help });
            };
            let template = pod::of_node(context, node, context.reads(node));
            for key in piece.node_selector.keys().filter(|key| template.node_selector.contains_key(*key)) {
                said(raw::path(&["nodeSelector", key]), "selector", key);
            }
            let set: Vec<String> = template.container.iter().flat_map(|it| &it.env).map(|it| it.name.clone()).collect();
            for (index, variable) in piece.container.env.iter().enumerate() {
                let before = piece.container.env[..index].iter().any(|other| other.name == variable.name);
                if before || set.contains(&variable.name) {
                    let mut at = raw::path(&["container", "env"]);
                    at.extend([Seg::Item(index), Seg::Key("name".into())]);
                    said(at, "variable", &variable.name);
                }
            }
            let shared = self.workflow.iter().flat_map(|(_, piece)| &piece.volumes);
            for (index, volume) in piece.volumes.iter().enumerate() {
                if shared.clone().any(|other| other.name == volume.name) {
                    let at = vec![Seg::Key("volumes".into()), Seg::Item(index), Seg::Key("name".into())];
                    said(at, "volume", &volume.name);
                }
            }
            let known = |name: &str| {
                name == "mlpc" || piece.volumes.iter().chain(shared.clone()).any(|volume| volume.name == name)
            };
            let mut unknown = |mut at: Path, mounts: &[Mount]| {
                at.push(Seg::Key("volumeMounts".into()));
                for (index, mount) in mounts.iter().enumerate().filter(|(_, it)| !known(&it.name)) {
                    let at = [&at[..], &[Seg::Item(index), Seg::Key("name".into())]].concat();
                    let message = format!("no volume `{}` is mounted here", mount.name);
                    let help = "add it to `volumes` of this block, or of `workflow`".to_owned();
                    reader.fault(block, Fault { at, needle: "", code: codes::RAW_BLOCK, message, help });
                }
            };
            unknown(raw::path(&["container"]), &piece.container.volume_mounts);
            for (index, sidecar) in piece.sidecars.iter().enumerate() {
                unknown(vec![Seg::Key("sidecars".into()), Seg::Item(index)], &sidecar.volume_mounts);
            }
        }
        reader.found
    }
}

/// Makes a sidecar: as locked up as the pod's own containers.
fn sidecar(written: &Sidecar) -> Container {
    Container {
        name: Some(written.name.clone()),
        image: Some(written.image.clone()),
        command: (!written.command.is_empty()).then(|| crate::emit::Noted::new(written.command.clone())),
        args: written.args.clone(),
        env: written.env.clone(),
        ports: written.ports.clone(),
        resources: Some(written.resources.clone().unwrap_or_else(pod::small)),
        security_context: Some(pod::locked()),
        volume_mounts: written.volume_mounts.clone(),
        ..Container::default()
    }
}
