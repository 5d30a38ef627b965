//! A model that is registered with numbers which were measured on another one.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{NodeKind, Origin};
use crate::types::Artifact;

pub(in crate::check) struct MetricsOfAnotherModel;

impl Rule for MetricsOfAnotherModel {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, node) in model.nodes.iter() {
            let NodeKind::Register(register) = &node.kind else { continue };
            let Some(metrics) = &register.metrics else { continue };
            let Origin::Output(id) = metrics.value else { continue };
            let Some(output) = model.output(id) else { continue };
            let (written, wanted) = (model.written(&metrics.value), model.written(&register.model));
            let place = output.name.span;
            if !matches!(output.ty, Artifact::Metrics { .. }) {
                let message = format!("`{written}` is of type `{}`, and metrics are needed", output.ty);
                // What a gate computes of predictions is in the version anyway.
                let help = match output.ty {
                    Artifact::Predictions(_) => {
                        "leave it out: the version keeps what its gates compute of predictions by itself"
                    }
                    _ => "name an output of type `Metrics<…>`",
                };
                found.push(
                    Diagnostic::new(codes::WRONG_TYPE, metrics.span, message).label(place, "declared here").help(help),
                );
                continue;
            }
            if output.says_of && output.of.is_none() || output.of.as_ref() == Some(&register.model) {
                continue;
            }
            let message = match &output.of {
                Some(other) => format!("`{written}` measured `{}`, not `{wanted}`", model.written(other)),
                None => format!("`{written}` does not say that it measured `{wanted}`"),
            };
            found.push(
                Diagnostic::new(codes::METRICS_OF_ANOTHER_MODEL, metrics.span, message)
                    .label(place, "declared here")
                    .help(format!("register numbers that are `of` the input that is `{wanted}`")),
            );
        }
    }
}
