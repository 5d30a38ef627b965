//! What a gate compares with: there is a baseline where it is needed, its absence is provided for, and it can be
//! scored or its recorded numbers still mean the same.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Baseline, Gate, Model, NodeId, NodeKind, Origin, Output, OutputId, Pointer, rescored};
use crate::source::Span;
use crate::types::Artifact;

pub(in crate::check) struct BaselineComparable;

impl Rule for BaselineComparable {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (id, _) in model.nodes.iter() {
            let Some(gate) = model.gate(id) else { continue };
            match &gate.baseline {
                None => missing(gate, found),
                Some(baseline) => said(model, id, gate, baseline, found),
            }
        }
    }
}

fn missing(gate: &Gate, found: &mut Vec<Diagnostic>) {
    if gate.partial {
        return;
    }
    for line in gate.comparisons() {
        let message = format!("`{}` compares with nothing: the gate has no baseline", line.measure.kind);
        found.push(
            Diagnostic::new(codes::BASELINE_MISSING, line.span, message)
                .help("add `baseline models@production`, and what happens before there is one: `on no_baseline: ask APPROVAL`, or `pass`"),
        );
    }
}

fn said(model: &Model, id: NodeId, gate: &Gate, baseline: &Baseline, found: &mut Vec<Diagnostic>) {
    if baseline.on_absent.is_none() {
        let message = "the gate does not say what happens while there is no baseline yet";
        found.push(
            Diagnostic::new(codes::NO_BASELINE_UNSAID, baseline.span, message)
                .here("nothing is there on the first run")
                .help("add `on no_baseline: ask APPROVAL` or `on no_baseline: pass`; `fail` where the first version comes from elsewhere"),
        );
    }
    if gate.comparisons().next().is_none() {
        if !gate.partial {
            let name = &model.nodes[id].name.value;
            let message = format!("the gate `{name}` has a baseline and compares nothing with it");
            found.push(
                Diagnostic::new(codes::BASELINE_UNUSED, baseline.span, message)
                    .help("add a line such as `require regression(METRIC) <= 1%`, or remove the baseline"),
            );
        }
        return;
    }
    let compared: Vec<(Span, &Output)> = rescored_evidence(gate)
        .filter_map(|index| {
            let evidence = &gate.evidence[index];
            let Origin::Output(made) = evidence.origin else { return None };
            Some((evidence.span, model.output(made)?))
        })
        .collect();
    if another_leg(model, &model.nodes[id].name.value, &compared, baseline, found) {
        return;
    }
    if baseline.recorded {
        for (span, output) in compared {
            frozen(model, span, output, baseline, found);
        }
        return;
    }
    for (span, output) in &compared {
        scorable(model, *span, output, found);
    }
    two_models(model, gate, &compared, baseline, found);
}

/// Says that only another leg of what was measured is ever promoted to the baseline's pointer.
fn another_leg(
    model: &Model,
    gate: &str,
    compared: &[(Span, &Output)],
    baseline: &Baseline,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let promoted: Vec<(OutputId, Span)> = promotions(model, &baseline.pointer).collect();
    for (_, output) in compared {
        let Some(Origin::Output(measured)) = output.of else { continue };
        let Some(leg) = &model.nodes[measured.node].leg else { continue };
        if promoted.iter().any(|(made, _)| *made == measured) {
            continue;
        }
        let sibling = promoted.iter().find(|(made, _)| {
            made.index == measured.index && model.nodes[made.node].leg.as_ref().is_some_and(|other| other.of == leg.of)
        });
        let Some(&(sibling, place)) = sibling else { continue };
        let [ours, theirs] = [measured, sibling].map(|made| model.written(&Origin::Output(made)));
        let message = format!("`{gate}` measures `{ours}`, and its baseline is `{theirs}`");
        found.push(
            Diagnostic::new(codes::BASELINE_OF_TWO_MODELS, baseline.span, message)
                .label(place, "only this one is promoted there")
                .help("promote each leg to a pointer of its own, and write a gate for each: a pointer's name can't depend on a loop"),
        );
        return true;
    }
    false
}

/// Iterates over the models that this file promotes to a pointer, with where it does.
fn promotions<'m>(model: &'m Model, pointer: &'m Pointer) -> impl Iterator<Item = (OutputId, Span)> + 'm {
    model.nodes.iter().filter_map(move |(_, node)| {
        let (release, to, place) = match &node.kind {
            NodeKind::Promote(promote) => (promote.release, &promote.pointer, promote.pointer_span),
            NodeKind::Rollout(rollout) => {
                let (to, place) = rollout.pointer.as_ref().map(|to| (&to.value, to.span))?;
                (rollout.release, to, place)
            }
            _ => return None,
        };
        match model.register(release)?.model {
            Origin::Output(made) if to == pointer => Some((made, place)),
            _ => None,
        }
    })
}

/// Iterates over the evidences that are compared.
fn rescored_evidence(gate: &Gate) -> impl Iterator<Item = usize> {
    let mut compared: Vec<usize> =
        gate.comparisons().filter_map(|line| line.measure.metric.as_ref()).map(|(index, _)| *index).collect();
    compared.sort_unstable();
    compared.dedup();
    compared.into_iter()
}

fn frozen(model: &Model, span: Span, output: &Output, baseline: &Baseline, found: &mut Vec<Diagnostic>) {
    if matches!(output.ty, Artifact::Predictions(_)) {
        let message = "predictions are not kept with a release, so none are recorded to compare with";
        found.push(
            Diagnostic::new(codes::BASELINE_NOT_SCORABLE, baseline.span, message)
                .label(span, "compared here")
                .help("remove `recorded`: the baseline is then scored in this run"),
        );
        return;
    }
    let over = match &output.over {
        Some(Origin::Source(id)) if model.sources[*id].frozen.is_some() => return,
        Some(over) => format!("`{}` is not frozen", model.written(over)),
        None => "it does not say over which data".to_owned(),
    };
    let message = format!("recorded numbers compare only on frozen data, and {over}");
    found.push(
        Diagnostic::new(codes::RECORDED_NOT_FROZEN, baseline.span, message)
            .label(span, "measured here")
            .help("measure over a source with `frozen \"blake3:…\"`, or remove `recorded`: the baseline is then scored in this run"),
    );
}

fn scorable(model: &Model, span: Span, output: &Output, found: &mut Vec<Diagnostic>) {
    let why = match &output.of {
        Some(Origin::Output(candidate)) => {
            let own = model.output(*candidate).is_none();
            if !own {
                return;
            }
            "its model is not made in this pipeline"
        }
        Some(_) => "its model is not made in this pipeline",
        None if output.says_of => return,
        None => "it does not say which model was measured",
    };
    let message = format!("the baseline can't be scored in the place of what `{}` measured: {why}", output.name.value);
    found.push(
        Diagnostic::new(codes::BASELINE_NOT_SCORABLE, span, message)
            .label(output.name.span, "declared here")
            .help(format!("write `out {}: {} of model over data as test`", output.name.value, output.ty)),
    );
}

fn two_models(
    model: &Model,
    gate: &Gate,
    compared: &[(Span, &Output)],
    baseline: &Baseline,
    found: &mut Vec<Diagnostic>,
) {
    let Some(candidate) = rescored(model, gate).candidate else { return };
    let other = compared
        .iter()
        .find(|(_, output)| matches!(&output.of, Some(of @ Origin::Output(_)) if *of != Origin::Output(candidate)));
    if let Some((span, output)) = other
        && let Some(of) = &output.of
    {
        let first = model.written(&Origin::Output(candidate));
        let message = format!("one baseline can't stand in for both `{first}` and `{}`", model.written(of));
        found.push(
            Diagnostic::new(codes::BASELINE_OF_TWO_MODELS, *span, message)
                .label(baseline.span, "the baseline")
                .help("make two gates, each with the baseline of its model"),
        );
    }
}
