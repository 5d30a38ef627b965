//! Argo Workflows: a WorkflowTemplate with one template a node, and thin submissions of it.
//!
//! Nothing that a user wrote as text stands in the files but names and settings: pods read scripts, parameters and gates
//! from the checkout, by `mlpc exec`, and stop where the plan there is another than the one compiled. The rules that the
//! files follow, and why, are in README.md beside this file.

mod absent;
mod dag;
mod kubernetes;
mod limits;
mod model;
mod names;
mod pod;
mod raw;
mod reads;
mod scheduling;
mod settings;
mod storage;
mod submit;

use std::collections::BTreeMap;

use serde::Serialize;

use super::raw::Declared;
use super::{Compiled, OutputFile, Site, Target};
use crate::diagnostic::{Code, Diagnostic, codes};
use crate::emit;
use crate::plan::{Node, NodeKind, Plan, TriggerKind};
use crate::types::Value;
use absent::Absent;
use reads::Reads;
use settings::Settings;

/// The folder in every pod that holds the checkout, what comes in and what goes out.
const WORK: &str = "/mlpc";
/// What the id of a run in pods begins with.
pub const RUN: &str = "argo-";

/// Argo Workflows 3.7, 4.0 and 4.1.
pub(super) struct Argo;

impl Target for Argo {
    fn name(&self) -> &'static str {
        "argo"
    }

    fn about(&self) -> &'static str {
        "Argo Workflows: a WorkflowTemplate, its submission and its schedules, in argo/"
    }

    fn settings(&self, record: &str) -> Vec<&'static str> {
        settings::known(record)
    }

    fn compile(&self, plan: &Plan, site: &Site<'_>) -> Compiled {
        let written = plan.targets.iter().find(|target| target.name == "argo").map(|target| &target.settings);
        let (settings, faults) = settings::read(written);
        let context = Context::new(plan, site, settings);
        let mut diagnostics: Vec<_> = faults
            .into_iter()
            .map(|(message, help)| context.say(codes::TARGET_SETTING, "target argo", message, &help))
            .collect();
        diagnostics.extend(limits::check(&context, &context.profiles()));
        if limits::is_too_large(plan) {
            diagnostics.extend(limits::check_size(&context, plan.nodes.len(), ""));
            return Compiled { diagnostics, ..Compiled::default() };
        }
        let declared = Declared::of_plan(plan);
        let additions =
            written.map(|settings| raw::read(settings, &declared, site, &mut diagnostics)).unwrap_or_default();
        diagnostics.extend(additions.twice(&context, &declared));
        let templates = dag::templates(&context, &additions);
        let mut files = Vec::new();
        let mut template = submit::template(&context);
        template.spec.templates = templates;
        let hints: &[&str] =
            if additions.workflow(&mut template.spec) { &["with `workflow` of `target argo`"] } else { &[] };
        let text = context.document(hints, &template);
        diagnostics.extend(limits::check_size(&context, template.spec.templates.len(), &text));
        files.push(OutputFile { path: context.path("template"), text });
        let hint = "submit it with `argo submit`; `-p NAME=VALUE` sets a parameter";
        files.push(OutputFile {
            path: context.path("submit"),
            text: context.document(&[hint], &submit::submission(&context)),
        });
        let crons = submit::crons(&context);
        if !crons.is_empty() {
            let trees: Vec<_> = crons.iter().map(tree).collect();
            files.push(OutputFile { path: context.path("cron"), text: emit::stream(&context.header(&[]), &trees) });
        }
        if context.settings.service_account.is_none() {
            let trees = submit::account(&context);
            let hint = "what a pod of this pipeline may do: report how it ended";
            files.push(OutputFile {
                path: context.path("account"),
                text: emit::stream(&context.header(&[hint]), &trees),
            });
        }
        Compiled { files, diagnostics, notes: limits::environments(plan).into_iter().collect() }
    }

    fn raw(&self, settings: &Value, declared: &Declared, site: &Site<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        raw::read(settings, declared, site, &mut found);
        found
    }
}

/// Returns the profile of runs that are submitted by hand: as set, else that of the trigger by hand, else of the first push.
#[must_use]
pub fn by_hand(plan: &Plan) -> Option<&str> {
    let target = plan.targets.iter().find(|target| target.name == "argo").map(|target| &target.settings);
    let set = match target {
        Some(Value::Record(fields)) => fields.iter().find_map(|(name, value)| match value {
            Value::String(profile) if name == "profile" => Some(profile.as_str()),
            _ => None,
        }),
        _ => None,
    };
    let of = |event: &str| {
        let found = plan.triggers.iter().find(|trigger| trigger.kind.event() == event);
        found.and_then(|trigger| trigger.profile.as_deref())
    };
    set.or_else(|| of("manual")).or_else(|| of("push"))
}

/// What every part of the target looks at.
struct Context<'a> {
    plan: &'a Plan,
    site: &'a Site<'a>,
    settings: Settings,
    digest: String,
    file: &'a str,
    slugs: BTreeMap<&'a str, String>,
    absent: Absent<'a>,
    reads: BTreeMap<String, Reads>,
}

impl<'a> Context<'a> {
    fn new(plan: &'a Plan, site: &'a Site<'a>, settings: Settings) -> Self {
        let small = !limits::is_too_large(plan);
        let absent = if small { Absent::of(plan) } else { Absent::nothing(plan) };
        let reads = if small { reads::reads(plan, &absent) } else { BTreeMap::new() };
        Self {
            plan,
            site,
            settings,
            digest: if small { plan.digest() } else { String::new() },
            file: site.file,
            slugs: names::slugs(plan),
            absent,
            reads,
        }
    }

    /// Returns what a node's pod is given.
    fn reads(&self, node: &Node) -> &Reads {
        static NONE: Reads = Reads { results: BTreeMap::new(), files: BTreeMap::new() };
        self.reads.get(&node.name).unwrap_or(&NONE)
    }

    /// Returns the name of a node's template.
    fn slug(&self, node: &str) -> &str {
        self.slugs.get(node).map_or("", String::as_str)
    }

    /// Returns the task whose end is the node's: for an approval the one that reads the answer.
    fn task(&self, node: &str) -> String {
        match self.plan.node(node).map(|node| &node.kind) {
            Some(NodeKind::Approval(_)) => names::answer(self.slug(node)),
            _ => self.slug(node).to_owned(),
        }
    }

    /// Returns the pipeline's folder in a pod.
    fn folder(&self) -> String {
        match self.site.folder {
            "" => format!("{WORK}/code"),
            folder => format!("{WORK}/code/{folder}"),
        }
    }

    /// Returns the path of a generated file.
    fn path(&self, what: &str) -> String {
        format!("argo/{}-{what}.yaml", names::slug(&self.plan.pipeline))
    }

    /// Returns the Secret that holds the pipeline's secrets.
    fn secrets(&self) -> String {
        self.settings.secrets.clone().unwrap_or_else(|| format!("{}-secrets", names::slug(&self.plan.pipeline)))
    }

    /// Returns the profile of runs that are submitted.
    fn profile(&self) -> Option<&str> {
        by_hand(self.plan)
    }

    /// Returns every profile that some submission runs with.
    fn profiles(&self) -> Vec<Option<&str>> {
        let scheduled =
            self.plan.triggers.iter().filter(|trigger| matches!(trigger.kind, TriggerKind::Schedule { .. }));
        let mut all = vec![self.profile()];
        for profile in scheduled.map(|trigger| trigger.profile.as_deref()) {
            if !all.contains(&profile) {
                all.push(profile);
            }
        }
        all
    }

    /// Returns the key of the pipeline's own place.
    fn top(&self) -> String {
        format!("pipeline {}", self.plan.pipeline)
    }

    fn say(&self, code: Code, place: &str, message: String, help: &str) -> Diagnostic {
        Diagnostic::new(code, self.site.span(place), message).help(help)
    }

    fn header(&self, hints: &[&str]) -> Vec<String> {
        let source = self.site.source();
        let made = format!("made from {source} by `mlpc compile --target argo`; edit that, and compile again");
        let digest = format!("plan {}", self.digest);
        [made, digest].into_iter().chain(hints.iter().map(|hint| (*hint).to_owned())).collect()
    }

    fn document<T: Serialize>(&self, hints: &[&str], value: &T) -> String {
        emit::document(&self.header(hints), &tree(value))
    }
}

fn tree<T: Serialize>(value: &T) -> emit::Yaml {
    emit::to_node(value).expect("the model has text for keys and small numbers")
}

#[cfg(test)]
mod tests;
