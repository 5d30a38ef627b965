//! Numbers of live traffic: where they are asked for, and that each query asks for one version.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Metrics, Model, Source};
use crate::source::Span;
use crate::types::{Artifact, Location, as_pointer};

pub(in crate::check) struct LiveMetrics;

impl Rule for LiveMetrics {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, source) in model.sources.iter() {
            let Some(Location::Remote { scheme, .. }) = &source.location else { continue };
            match (&source.ty, scheme.as_str()) {
                (Artifact::Metrics { name }, "prometheus") => {
                    let declared = model.metrics.iter().find(|(_, metrics)| metrics.name.value == *name);
                    if let Some((_, metrics)) = declared {
                        queries(metrics, source, found);
                    }
                }
                (Artifact::Metrics { name }, "http") => {
                    let declared = model.metrics.iter().find(|(_, metrics)| metrics.name.value == *name);
                    if let Some((_, metrics)) = declared {
                        pointers(metrics, source.name.span, "is asked over http, and answers JSON", found);
                    }
                }
                (Artifact::Metrics { .. }, other) => {
                    let message = format!("`{other}` holds data, and `{}` answers with live numbers", source.ty);
                    found.push(
                        Diagnostic::new(codes::WRONG_TYPE, source.place, message)
                            .help("write `prometheus(\"http://…\")` or `http(\"http://…\")`"),
                    );
                }
                (ty, "prometheus") => {
                    let message = format!("a metrics server holds no `{ty}`");
                    found
                        .push(Diagnostic::new(codes::WRONG_TYPE, source.place, message).help(
                            "declare its numbers: `metrics Live { … }`, and `source traffic: Metrics<Live> = …`",
                        ));
                }
                _ => {}
            }
        }
        measured(model, found);
    }
}

/// Metrics that a stage measures stand in a file: a query leads nowhere in it.
fn measured(model: &Model, found: &mut Vec<Diagnostic>) {
    for (_, metrics) in model.metrics.iter() {
        let mut outputs = model
            .nodes
            .iter()
            .flat_map(|(id, _)| model.stage(id).map(|stage| stage.outputs.as_slice()).unwrap_or_default());
        let is = |ty: &Artifact| matches!(ty, Artifact::Metrics { name } if *name == metrics.name.value);
        if metrics.ty.metrics.iter().any(|metric| metric.from.as_ref().is_some_and(|from| !from.starts_with('/')))
            && let Some(output) = outputs.find(|output| is(&output.ty))
        {
            pointers(metrics, output.name.span, "is a file of JSON", found);
        }
    }
}

fn pointers(metrics: &Metrics, user: Span, why: &str, found: &mut Vec<Diagnostic>) {
    for (metric, &place) in metrics.ty.metrics.iter().zip(&metrics.places) {
        let Some(from) = metric.from.as_ref().filter(|from| !from.starts_with('/')) else { continue };
        let message = format!("`{from}` is no JSON pointer");
        let path = from.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '[' | ']'));
        let pointer = if path { as_pointer(from) } else { format!("/{}", metric.name) };
        found.push(
            Diagnostic::new(codes::WRONG_TYPE, place, message)
                .label(user, why)
                .help(format!("write where the number stands: `from \"{pointer}\"`")),
        );
    }
}

fn queries(metrics: &Metrics, source: &Source, found: &mut Vec<Diagnostic>) {
    for (metric, &place) in metrics.ty.metrics.iter().zip(&metrics.places) {
        let Some(query) = &metric.from else {
            let message = format!("`{}` does not say with which query it is asked for", metric.name);
            found.push(
                Diagnostic::new(codes::QUERY_MISSING, place, message)
                    .label(source.name.span, "asked for here")
                    .help(format!("add `from <<<rate({}_total{{version=\"$version\"}}[5m])>>>`", metric.name)),
            );
            continue;
        };
        let names: Vec<&str> = variables(query).collect();
        if let Some(other) = names.iter().find(|name| **name != "version") {
            let message = format!("`${other}` in a query is replaced by nothing: `$version` alone is");
            found.push(
                Diagnostic::new(codes::UNKNOWN_VARIABLE, place, message)
                    .help("write `$version` where the version stands, and no other `$`"),
            );
        } else if names.is_empty() {
            let message =
                format!("the query of `{}` asks for no version: candidate and stable would be one number", metric.name);
            found.push(
                Diagnostic::new(codes::QUERY_OF_NO_VERSION, place, message)
                    .label(source.name.span, "asked for here")
                    .help("select by version: `{version=\"$version\"}`"),
            );
        }
    }
}

/// Iterates over what stands behind each `$`.
fn variables(query: &str) -> impl Iterator<Item = &str> {
    query.split('$').skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        &rest[..end]
    })
}
