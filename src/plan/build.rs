//! From the model to the plan: ids become names, defaults are put in, baselines become stages of their own.
//!
//! Only called for a model without errors; what is missing all the same is left out.

use std::collections::{BTreeMap, HashMap};

use super::{
    Action, Approval, Input, Node, NodeKind, Output, OutputKind, Param, Place, Plan, Profile, Promote, Register,
    Registry, Runtime, Secret, SecretUse, Setting, Shown, Source, Stage, Subject, TargetSettings, Trigger, Wait, Why,
    Work,
};
use crate::gate::{self, MetricRef};
use crate::graph::Graph;
use crate::model::{self, Model, NodeId};
use crate::source::{Sources, Span};
use crate::types::{Command, Isolation, Origin, Rerun};

mod baseline;
mod live;

/// Builds the plan of a model.
#[must_use]
pub fn build(sources: &Sources, model: &Model, graph: &Graph) -> Plan {
    let mut plan = declared(model);
    let mut waits_by_name: Vec<Vec<Wait>> = Vec::new();
    for (id, node) in model.nodes.iter() {
        let mut waits = own_waits(model, graph, id);
        if let Some(gate) = model.gate(id) {
            for derived in baseline::stages(model, id, gate) {
                if derived.measures {
                    waits.push(Wait { node: derived.node.name.clone(), why: Why::Baseline });
                }
                waits_by_name.push(derived.node.waits.clone());
                plan.nodes.push(derived.node);
            }
        }
        let Some(kind) = kind(model, id) else { continue };
        waits_by_name.push(waits);
        plan.nodes.push(Node {
            name: node.name.value.clone(),
            leg: node.leg.clone(),
            doc: node.doc.clone(),
            when: node.when.clone(),
            waits: Vec::new(),
            kind,
        });
    }
    let index: HashMap<String, usize> =
        plan.nodes.iter().enumerate().map(|(index, node)| (node.name.clone(), index)).collect();
    for (node, mut waits) in plan.nodes.iter_mut().zip(waits_by_name) {
        waits.sort_by_key(|wait| (index.get(&wait.node).copied(), wait.why));
        waits.dedup();
        node.waits = waits;
    }
    plan.places = places(sources, model);
    plan
}

fn own_waits(model: &Model, graph: &Graph, id: NodeId) -> Vec<Wait> {
    let name = |id: NodeId| model.nodes[id].name.value.clone();
    graph.waits(id).iter().map(|edge| Wait { node: name(edge.to), why: edge.why }).collect()
}

fn declared(model: &Model) -> Plan {
    let own = |name: &crate::source::Spanned<String>| name.value.clone();
    Plan {
        format: super::FORMAT,
        pipeline: model.pipeline.as_ref().map(own).unwrap_or_default(),
        doc: model.doc.clone(),
        edition: model.edition.unwrap_or_default(),
        triggers: model
            .triggers
            .iter()
            .map(|trigger| Trigger {
                kind: trigger.kind.clone(),
                profile: trigger.profile.clone(),
                comment: trigger.comment.iter().map(|shown| self::shown(model, shown.value)).collect(),
            })
            .collect(),
        params: model
            .params
            .iter()
            .filter_map(|(_, param)| {
                let (name, doc, default) = (own(&param.name), param.doc.clone(), param.default.clone());
                let from = param
                    .from
                    .as_ref()
                    .map(|from| super::ParamFrom { file: from.file.value.clone(), pointer: from.pointer.clone() });
                Some(Param { name, doc, ty: param.ty.clone()?, default, from })
            })
            .collect(),
        secrets: model
            .secrets
            .iter()
            .map(|(_, secret)| Secret { name: own(&secret.name), doc: secret.doc.clone() })
            .collect(),
        runtimes: model
            .runtimes
            .iter()
            .filter_map(|(_, runtime)| Some(Runtime { name: own(&runtime.name), kind: runtime.kind.clone()? }))
            .collect(),
        metrics: model.metrics.iter().map(|(_, metrics)| metrics.ty.clone()).collect(),
        sources: model.sources.iter().filter_map(|(_, source)| declared_source(source)).collect(),
        registries: model
            .registries
            .iter()
            .filter_map(|(_, registry)| {
                Some(Registry { name: own(&registry.name), location: registry.location.clone()? })
            })
            .collect(),
        profiles: model.profiles.iter().map(|profile| declared_profile(model, profile)).collect(),
        targets: model
            .targets
            .iter()
            .map(|target| TargetSettings { name: own(&target.name), settings: target.settings.clone() })
            .collect(),
        beside: live::beside(model),
        nodes: Vec::with_capacity(model.nodes.len()),
        places: BTreeMap::new(),
        read: BTreeMap::new(),
    }
}

fn shown(model: &Model, shown: model::Shown) -> Shown {
    match shown {
        model::Shown::Gate(gate) => Shown::Gate(model.nodes[gate].name.value.clone()),
        model::Shown::Output(output) => Shown::Output {
            stage: model.nodes[output.node].name.value.clone(),
            output: model.output(output).map(|output| output.name.value.clone()).unwrap_or_default(),
        },
    }
}

fn declared_source(source: &model::Source) -> Option<Source> {
    Some(Source {
        name: source.name.value.clone(),
        doc: source.doc.clone(),
        ty: source.ty.clone(),
        location: source.location.clone()?,
        frozen: source.frozen.clone(),
    })
}

fn declared_profile(model: &Model, profile: &model::Profile) -> Profile {
    let settings = profile.settings.iter().map(|setting| match setting {
        model::Setting::Param(id, value) => {
            Setting::Param { name: model.params[*id].name.value.clone(), value: value.clone() }
        }
        model::Setting::Source(id, location) => {
            Setting::Source { name: model.sources[*id].name.value.clone(), location: location.clone() }
        }
        model::Setting::Registry(id, location) => {
            Setting::Registry { name: model.registries[*id].name.value.clone(), location: location.clone() }
        }
    });
    Profile {
        name: profile.name.value.clone(),
        settings: settings.collect(),
        releases: profile.releases,
        gates_block: profile.gates_block,
    }
}

fn kind(model: &Model, id: NodeId) -> Option<NodeKind> {
    Some(match &model.nodes[id].kind {
        model::NodeKind::Stage(stage) => NodeKind::Stage(Box::new(plan_stage(model, stage)?)),
        model::NodeKind::Gate(gate) => NodeKind::Gate(Box::new(plan_gate(model, id, gate))),
        model::NodeKind::Approval(approval) => NodeKind::Approval(Approval {
            of: subject(model, &approval.of),
            by: approval.by.clone(),
            environment: approval.environment.clone(),
            timeout: approval.timeout,
            on_demand: model.is_asked_for(id),
        }),
        model::NodeKind::Register(register) => NodeKind::Register(Register {
            model: model.plan_origin(&register.model),
            with: register.with.iter().map(|with| model.plan_origin(&with.value)).collect(),
            registry: model.registries[register.registry].name.value.clone(),
            metrics: register.metrics.as_ref().map(|metrics| model.plan_origin(&metrics.value)),
            ungated: model.nodes[id].ungated.as_ref().map(|ungated| ungated.value.clone()),
        }),
        model::NodeKind::Promote(promote) => NodeKind::Promote(Promote {
            release: model.nodes[promote.release].name.value.clone(),
            registry: model.registries[promote.pointer.registry].name.value.clone(),
            pointer: promote.pointer.name.clone(),
            compared_by: compared_by(model, promote.release, &promote.pointer),
        }),
        model::NodeKind::Action(action) => NodeKind::Action(Box::new(Action {
            work: plan_work(model, &action.work)?,
            of: action.of.as_ref().map(|of| subject(model, of)),
            permissions: action.permissions.clone(),
            environment: action.environment.as_ref().map(|name| name.value.clone()),
            idempotent: action.idempotent,
        })),
        model::NodeKind::Rollout(rollout) => NodeKind::Rollout(Box::new(live::rollout(model, rollout)?)),
        model::NodeKind::Experiment(it) => NodeKind::Experiment(Box::new(live::experiment(model, it)?)),
        model::NodeKind::Opaque => return None,
    })
}

fn subject(model: &Model, of: &model::Subject) -> Subject {
    match of {
        model::Subject::Artifact(origin) => Subject::Artifact(model.plan_origin(origin)),
        model::Subject::Release(id) => Subject::Release(model.nodes[*id].name.value.clone()),
    }
}

/// Returns the gates that compared the promoted model with the pointer.
fn compared_by(model: &Model, release: NodeId, pointer: &model::Pointer) -> Vec<String> {
    let Some(register) = model.register(release) else { return Vec::new() };
    let compares = |gate: &model::Gate| {
        gate.baseline.as_ref().is_some_and(|baseline| baseline.pointer == *pointer)
            && gate.comparisons().next().is_some()
            && gate.evidence.iter().any(|one| crate::graph::measured(model, &one.origin) == Some(&register.model))
    };
    let gates = model.nodes.iter().filter(|(id, _)| model.gate(*id).is_some_and(compares));
    gates.map(|(_, node)| node.name.value.clone()).collect()
}

fn plan_stage(model: &Model, stage: &model::Stage) -> Option<Stage> {
    let outputs = stage.outputs.iter().map(|output| {
        let path = output.path.as_ref().map(|path| path.value.clone()).unwrap_or_default();
        Output {
            name: output.name.value.clone(),
            doc: output.doc.clone(),
            kind: match &output.value {
                Some(value) => OutputKind::Value { ty: value.ty.clone(), pointer: value.pointer.clone() },
                None => OutputKind::Artifact(output.ty.clone()),
            },
            publish: path.clone(),
            path,
            always: output.always,
            of: output.of.as_ref().map(|of| model.plan_origin(of)),
            over: output.over.as_ref().map(|over| model.plan_origin(over)),
            split: output.split.clone(),
        }
    });
    Some(Stage {
        work: plan_work(model, &stage.work)?,
        outputs: outputs.collect(),
        retry: stage.retry.clone(),
        rerun: stage.rerun.clone().unwrap_or(Rerun::Never),
        status: if stage.status.is_empty() { vec![0] } else { stage.status.clone() },
        checkpoint: stage.checkpoint.as_ref().map(|folder| folder.value.clone()),
        isolation: stage.isolation.unwrap_or(Isolation::Copies),
        baseline: None,
    })
}

fn plan_work(model: &Model, work: &model::Work) -> Option<Work> {
    let only = model.default_runtimes.get(&work.command_span.file).copied();
    let command: Command = work.command.clone()?;
    Some(Work {
        inputs: work.inputs.iter().map(|input| plan_input(model, input)).collect(),
        code: work.code.iter().map(|pattern| pattern.value.clone()).collect(),
        uses: work.uses.iter().map(|name| name.value.clone()).collect(),
        secrets: work
            .secrets
            .iter()
            .map(|secret| SecretUse {
                secret: model.secrets[secret.secret].name.value.clone(),
                variable: secret.variable.clone(),
            })
            .chain(live::credential_secrets(model, work))
            .collect(),
        credentials: live::credentials(model, work),
        runtime: work.runtime.or(only).map(|id| model.runtimes[id].name.value.clone()),
        command,
        needs: work.needs.clone(),
        timeout: work.timeout,
        pass_env: work.pass_env.clone(),
        variables: work.variables.iter().cloned().chain(live::credential_variables(model, work)).collect(),
    })
}

fn plan_input(model: &Model, input: &model::Input) -> Input {
    Input {
        name: input.name.value.clone(),
        kind: input.kind.clone(),
        origin: model.plan_origin(&input.origin),
        path: path(model, &input.origin),
        ty: model.artifact(&input.origin).unwrap_or(crate::types::Artifact::File),
        optional: input.optional,
        ungated: input.ungated,
    }
}

/// Returns where an artifact stands in a stage's folder.
fn path(model: &Model, origin: &model::Origin) -> String {
    match origin {
        model::Origin::Source(id) => {
            let source = &model.sources[*id];
            source.location.as_ref().map(|location| location.place(&source.name.value)).unwrap_or_default()
        }
        model::Origin::Output(id) => {
            model.output(*id).and_then(|output| output.path.as_ref()).map(|path| path.value.clone()).unwrap_or_default()
        }
        // A place of its own: the model's own path may be the stage's output.
        model::Origin::Pointer(pointer) => {
            let released = model.released(pointer).and_then(|output| output.path.as_ref());
            let file = released.and_then(|path| path.value.rsplit('/').next()).unwrap_or("model");
            let registry = &model.registries[pointer.registry].name.value;
            format!(".mlpc/registry/{registry}@{}/{file}", pointer.name)
        }
    }
}

fn plan_gate(model: &Model, id: NodeId, gate: &model::Gate) -> gate::Gate {
    let mut admits: Vec<Origin> = Vec::new();
    let evidence: Vec<gate::Evidence> = gate
        .evidence
        .iter()
        .map(|evidence| {
            let output = match &evidence.origin {
                model::Origin::Output(id) => model.output(*id),
                _ => None,
            };
            let of = output.and_then(|output| output.of.as_ref()).map(|of| model.plan_origin(of));
            if let Some(of) = of.as_ref().filter(|of| !admits.contains(of)) {
                admits.push(of.clone());
            }
            gate::Evidence {
                alias: evidence.alias.clone(),
                origin: model.plan_origin(&evidence.origin),
                path: path(model, &evidence.origin),
                ty: evidence.ty.clone(),
                of,
                over: output.and_then(|output| output.over.as_ref()).map(|over| model.plan_origin(over)),
                split: output.and_then(|output| output.split.clone()),
                list: evidence.list,
            }
        })
        .collect();
    let requirements = gate.requirements.iter().map(|line| gate::Requirement {
        level: line.level,
        text: line.text.clone(),
        measure: gate::Measure {
            kind: line.measure.kind.to_owned(),
            metric: line
                .measure
                .metric
                .as_ref()
                .map(|(evidence, name)| MetricRef { evidence: *evidence, name: name.clone() }),
            artifact: line.measure.artifact.as_ref().map(|artifact| model.plan_origin(artifact)),
            table: line.measure.table.clone(),
            groups: line.measure.groups.clone(),
            options: line.measure.options.clone(),
            ty: line.measure.ty.clone(),
        },
        bound: line.bound.clone(),
    });
    gate::Gate {
        admits,
        baseline: gate.baseline.as_ref().map(|written| baseline::of_gate(model, id, gate, written)),
        requirements: requirements.collect(),
        evidence,
    }
}

/// Returns where everything was declared.
fn places(sources: &Sources, model: &Model) -> BTreeMap<String, Place> {
    let place = |span: Span| {
        let file = sources.file(span.file);
        let at = file.line_column(span.start);
        Place { file: file.name().to_owned(), line: at.line, column: at.column }
    };
    let mut places = BTreeMap::new();
    for (id, node) in model.nodes.iter() {
        let name = &node.name.value;
        places.insert(name.clone(), place(node.span));
        if let Some(gate) = model.gate(id) {
            for (index, line) in gate.requirements.iter().enumerate() {
                places.insert(format!("{name}#{index}"), place(line.span));
            }
            for stage in model::rescored(model, gate).stages {
                let repeated = &model.nodes[stage];
                places.insert(baseline::name(&repeated.name.value, name), place(repeated.span));
            }
        }
    }
    let mut add = |kind: &str, name: &crate::source::Spanned<String>| {
        places.insert(format!("{kind} {}", name.value), place(name.span));
    };
    model.params.iter().for_each(|(_, it)| add("param", &it.name));
    model.secrets.iter().for_each(|(_, it)| add("secret", &it.name));
    model.runtimes.iter().for_each(|(_, it)| add("runtime", &it.name));
    model.metrics.iter().for_each(|(_, it)| add("metrics", &it.name));
    model.sources.iter().for_each(|(_, it)| add("source", &it.name));
    model.registries.iter().for_each(|(_, it)| add("registry", &it.name));
    model.profiles.iter().for_each(|it| add("profile", &it.name));
    model.credentials.iter().for_each(|it| add("credential", &it.name));
    model.notifications.iter().for_each(|it| add("notify", &it.name));
    model.monitors.iter().for_each(|it| add("monitor", &it.name));
    model.targets.iter().for_each(|it| add("target", &it.name));
    model.pipeline.iter().for_each(|name| add("pipeline", name));
    for target in &model.targets {
        target.blocks.iter().for_each(|block| {
            places.insert(format!("target {} {}", target.name.value, block.value), place(block.span));
        });
    }
    for (index, trigger) in model.triggers.iter().enumerate() {
        places.insert(format!("on {index}"), place(trigger.span));
    }
    // A module of constants or schemas has nothing else here, and the plan is what it says.
    for &module in &model.modules {
        places.insert(format!("module {}", sources.file(module).name()), place(Span::new(module, 0, 0)));
    }
    places
}
