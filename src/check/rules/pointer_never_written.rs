//! A pointer that is read, and that nothing in the pipeline ever moves.

use std::collections::BTreeSet;

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{NodeKind, Origin, Pointer};
use crate::source::Span;

pub(in crate::check) struct PointerNeverWritten;

impl Rule for PointerNeverWritten {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let promotions = model.nodes.iter().filter(|(_, node)| matches!(node.keyword, "promote" | "rollout"));
        if promotions.clone().any(|(_, node)| matches!(node.kind, NodeKind::Opaque)) {
            return;
        }
        let written: BTreeSet<&Pointer> = promotions
            .filter_map(|(_, node)| match &node.kind {
                NodeKind::Promote(promote) => Some(&promote.pointer),
                NodeKind::Rollout(rollout) => rollout.pointer.as_ref().map(|pointer| &pointer.value),
                _ => None,
            })
            .collect();
        let mut read: Vec<(Span, &Pointer)> = Vec::new();
        for (_, work) in works(model) {
            for input in &work.inputs {
                if let Origin::Pointer(pointer) = &input.origin {
                    read.push((input.span, pointer));
                }
            }
        }
        for monitor in &model.monitors {
            for input in &monitor.work.inputs {
                if let Origin::Pointer(pointer) = &input.origin {
                    read.push((input.span, pointer));
                }
            }
        }
        for (_, node) in model.nodes.iter() {
            if let NodeKind::Experiment(experiment) = &node.kind {
                let arms = experiment.arms.iter().filter_map(|arm| arm.serves.as_ref());
                read.extend(arms.map(|serves| (serves.span, &serves.value)));
            }
        }
        for (id, _) in model.nodes.iter() {
            if let Some(baseline) = model.gate(id).and_then(|gate| gate.baseline.as_ref()) {
                read.push((baseline.span, &baseline.pointer));
            }
        }
        for (span, pointer) in read.into_iter().filter(|(_, pointer)| !written.contains(pointer)) {
            let registry = &model.registries[pointer.registry].name.value;
            let message = format!("nothing ever moves `{registry}@{}`", pointer.name);
            let names: Vec<&str> = written
                .iter()
                .filter(|other| other.registry == pointer.registry)
                .map(|other| other.name.as_str())
                .collect();
            let help = match (nearest(&pointer.name, names.iter().copied()), names.as_slice()) {
                (Some(near), _) => format!("did you mean `{registry}@{near}`?"),
                (None, []) => format!("add a promotion: `promote current = release to {registry}@{}`", pointer.name),
                (None, moved) => {
                    let moved: Vec<String> = moved.iter().map(|name| format!("`{registry}@{name}`")).collect();
                    let name = &pointer.name;
                    format!("what is moved is {}; or add another promotion, to `{registry}@{name}`", moved.join(", "))
                }
            };
            found.push(Diagnostic::new(codes::POINTER_NEVER_WRITTEN, span, message).here("read here").help(help));
        }
    }
}
