//! What a monitor compares with: it names a reference where it needs one, and needs the one that it names.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Monitor, Origin};
use crate::types::Artifact;

pub(in crate::check) struct MonitorCompares;

impl Rule for MonitorCompares {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        for monitor in subject.model.monitors.iter().filter(|monitor| !monitor.gate.partial) {
            metrics(monitor, found);
            between_runs(subject, monitor, found);
            unused(monitor, found);
        }
    }
}

/// A metric is compared with the same metric of a reference.
fn metrics(monitor: &Monitor, found: &mut Vec<Diagnostic>) {
    for line in monitor.gate.comparisons() {
        let current = line.measure.metric.as_ref().map(|(index, _)| &monitor.gate.evidence[*index].ty);
        let (message, label) = match (&monitor.gate.reference, current) {
            (None, _) => (format!("`{}` compares with nothing: the monitor has no reference", line.measure.kind), None),
            (Some(reference), Some(current)) if reference.ty != *current => {
                let message = format!("`{}` compares a `{current}` with a `{}`", line.measure.kind, reference.ty);
                (message, Some(reference.span))
            }
            _ => continue,
        };
        let help = match current {
            Some(current @ Artifact::Metrics { .. }) => {
                format!("write `in reference = SOURCE`, with a source of type `{current}`")
            }
            _ => "write `in reference = SOURCE`".to_owned(),
        };
        let diagnostic = Diagnostic::new(codes::BASELINE_MISSING, line.span, message).help(help);
        found.push(match label {
            Some(place) => diagnostic.label(place, "the reference"),
            None => diagnostic,
        });
    }
}

/// What a stage makes is not there when a monitor looks.
fn between_runs(subject: &Subject<'_>, monitor: &Monitor, found: &mut Vec<Diagnostic>) {
    for line in &monitor.gate.requirements {
        let Some(Origin::Output(made)) = &line.measure.artifact else { continue };
        let stage = &subject.model.nodes[made.node].name;
        let message = format!("a monitor looks between runs, when `{}` has made nothing", stage.value);
        found.push(
            Diagnostic::new(codes::WRONG_KIND, line.span, message)
                .label(stage.span, "declared here")
                .help("name a source, or what a registry's pointer names: `size(models@production)`"),
        );
    }
}

fn unused(monitor: &Monitor, found: &mut Vec<Diagnostic>) {
    let Some(reference) = &monitor.gate.reference else { return };
    let table = |line: &crate::model::Requirement| line.measure.table.as_ref().is_some_and(|table| table.by_reference);
    if monitor.gate.requirements.iter().any(table) || monitor.gate.comparisons().next().is_some() {
        return;
    }
    let message = format!("the monitor `{}` has a reference and compares nothing with it", monitor.name.value);
    found.push(
        Diagnostic::new(codes::BASELINE_UNUSED, reference.span, message)
            .help("add a line such as `require psi(*) < 0.2`, or remove the reference"),
    );
}
