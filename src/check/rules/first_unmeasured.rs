//! A gate that only compares, and lets the first model through since there is nothing to compare with: nothing measured it.

use std::collections::HashSet;

use super::common::admits;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::{Level, OnMissing};
use crate::model::{Gate, Model, Origin};

pub(in crate::check) struct FirstUnmeasured;

impl Rule for FirstUnmeasured {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let (only, others): (Vec<_>, Vec<_>) = model.blocking_gates().partition(|(_, gate)| only_compares(gate));
        // What another gate looks at, first or not, is measured; what could not be understood may be.
        let measured: HashSet<&Origin> = others.iter().flat_map(|(_, gate)| admits(model, gate)).collect();
        if only.is_empty() || others.iter().any(|(_, gate)| gate.partial) {
            return;
        }
        for (id, gate) in only {
            let Some(baseline) = &gate.baseline else { continue };
            let of = admits(model, gate);
            if !of.is_empty() && of.iter().all(|of| is_measured(model, &measured, of)) {
                continue;
            }
            let (name, pointer) = (&model.nodes[id].name, &baseline.pointer);
            let pointer = model.written(&Origin::Pointer(pointer.clone()));
            let message = format!(
                "`{}` only compares with `{pointer}`, and passes where that is not there: nothing measures the first model",
                name.value
            );
            found.push(
                Diagnostic::new(codes::FIRST_UNMEASURED, baseline.span, message)
                    .label(name.span, "every line of this gate is passed over then")
                    .help(
                        "add a limit of its own, such as `require accuracy >= 80%`; or let a person decide about the first: \
                         `on no_baseline: ask APPROVAL`",
                    ),
            );
        }
    }
}

/// Tells whether all that a gate requires is held against a baseline, and passes without one.
fn only_compares(gate: &Gate) -> bool {
    let passes = gate.baseline.as_ref().is_some_and(|baseline| baseline.on_absent == Some(OnMissing::Pass));
    let mut required = gate.requirements.iter().filter(|line| line.level == Level::Require);
    passes && !gate.partial && required.all(|line| line.measure.compares())
}

/// Tells whether another gate measured a model, or one that it was made of: whoever ships it waits for that gate, too.
fn is_measured(model: &Model, measured: &HashSet<&Origin>, of: &Origin) -> bool {
    model.brought(of).into_iter().any(|of| measured.contains(of))
}
