//! A stage that reads what may change under it, and would be served from the cache all the same.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Origin, Source};
use crate::types::{Artifact, Location, Rerun};

pub(in crate::check) struct UnpinnedSource;

impl Rule for UnpinnedSource {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (id, node) in model.nodes.iter() {
            let Some(stage) = model.stage(id) else { continue };
            if stage.rerun == Some(Rerun::Always) {
                continue;
            }
            for input in &stage.work.inputs {
                let Origin::Source(source) = &input.origin else { continue };
                let source = &model.sources[*source];
                if !unpinned(source) {
                    continue;
                }
                let message = format!(
                    "`{}` reads `{}`, which is not pinned: a result from the cache may be of other data",
                    node.name.value, source.name.value
                );
                let pin = match &source.location {
                    Some(Location::Remote { scheme, .. }) if scheme == "http" => "digest: \"blake3:…\"",
                    _ => "version: \"…\"",
                };
                found.push(
                    Diagnostic::new(codes::UNPINNED_SOURCE, input.span, message)
                        .label(source.place, "declared here")
                        .help(format!("pin it there with `{pin}`, or add `rerun always` to the stage")),
                );
            }
        }
    }
}

fn unpinned(source: &Source) -> bool {
    let live = matches!(source.ty, Artifact::Metrics { .. });
    source.frozen.is_none() && (live || source.location.as_ref().is_some_and(|location| !location.is_pinned()))
}
