//! A stage that measures time and may be served from the cache: the number would be another machine's.

use std::collections::HashMap;

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Metrics, NodeKind};
use crate::types::{Artifact, Rerun, Type};

pub(in crate::check) struct DurationCached;

impl Rule for DurationCached {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let metrics: HashMap<&str, &Metrics> =
            subject.model.metrics.iter().map(|(_, metrics)| (metrics.ty.name.as_str(), metrics)).collect();
        for (_, node) in subject.model.nodes.iter() {
            let NodeKind::Stage(stage) = &node.kind else { continue };
            if stage.rerun == Some(Rerun::Always) {
                continue;
            }
            for output in &stage.outputs {
                let Artifact::Metrics { name } = &output.ty else { continue };
                let Some(declared) = metrics.get(name.as_str()) else { continue };
                let Some(at) = declared.ty.metrics.iter().position(|metric| metric.ty == Type::Duration) else {
                    continue;
                };
                let message = format!(
                    "`{}` measures time, and its result would be kept from one machine for another",
                    node.name.value
                );
                let diagnostic = Diagnostic::new(codes::DURATION_CACHED, output.name.span, message)
                    .label(declared.places[at], "a duration");
                let name = &node.name.value;
                // A second `rerun` would be one too many, and what the first asks is its author's.
                found.push(if stage.rerun.is_some() {
                    diagnostic.help(format!("write `rerun always` in `{name}`, in place of its `rerun when`"))
                } else {
                    diagnostic.help(format!("add `rerun always` to `{name}`")).add_clause(
                        subject.sources,
                        stage.work.command_span,
                        "rerun always",
                    )
                });
                break;
            }
        }
    }
}
