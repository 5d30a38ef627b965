//! `paths` of a trigger that leave out what the pipeline reads: a push that changes only that starts nothing. Said only
//! where it is certain.

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{NodeKind, Setting};
use crate::source::Span;
use crate::types::{Location, RuntimeKind, TriggerKind, filter};

/// Further ones are counted.
const SHOWN: usize = 6;

pub(in crate::check) struct PathsMissAnInput;

impl Rule for PathsMissAnInput {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn || model.pipeline.is_none() {
            return;
        }
        for trigger in &model.triggers {
            let (word, paths) = match &trigger.kind {
                TriggerKind::Push { paths, .. } => ("push", paths),
                TriggerKind::PullRequest { paths, .. } => ("pull_request", paths),
                _ => continue,
            };
            if paths.is_empty() {
                continue;
            }
            let inputs = inputs(subject, trigger.profile.as_deref());
            let missed: Vec<_> = inputs.into_iter().filter(|input| !may_cover(paths, &input.path)).collect();
            let Some(first) = missed.first() else { continue };
            let names: Vec<_> = missed.iter().take(SHOWN).map(|input| format!("`{}`", input.path)).collect();
            let more = if missed.len() > SHOWN { format!(" and {} more", missed.len() - SHOWN) } else { String::new() };
            let message = format!(
                "no path of `on {word}` covers {}{more}: a change of that alone starts nothing",
                names.join(", ")
            );
            let all: Vec<_> =
                paths.iter().chain(missed.iter().map(|input| &input.path)).map(|path| format!("\"{path}\"")).collect();
            let mut diagnostic = Diagnostic::new(codes::PATHS_MISS_AN_INPUT, trigger.span, message)
                .help(format!("write `paths: [{}]`", all.join(", ")));
            if let Some(span) = first.span {
                diagnostic = diagnostic.label(span, "read here");
            }
            found.push(diagnostic);
        }
    }
}

/// Something of the repository that a run reads.
struct Input {
    path: String,
    span: Option<Span>,
}

/// Lists what a run with a profile reads of the repository, in the order in which it is declared.
fn inputs(subject: &Subject<'_>, profile: Option<&str>) -> Vec<Input> {
    let model = subject.model;
    let mut all: Vec<Input> = Vec::new();
    let mut add = |path: &str, span: Option<Span>| {
        let path = path.strip_prefix("./").unwrap_or(path);
        if all.iter().all(|input| input.path != path) {
            all.push(Input { path: path.to_owned(), span });
        }
    };
    for (_, param) in model.params.iter() {
        if let Some(from) = &param.from {
            add(&from.file.value, Some(from.file.span));
        }
    }
    for (_, runtime) in model.runtimes.iter() {
        if let Some(RuntimeKind::Python { requirements: Some(path), .. } | RuntimeKind::Dockerfile { path }) =
            &runtime.kind
        {
            add(path, Some(runtime.name.span));
        }
    }
    let settings = profile.and_then(|name| model.profiles.iter().find(|profile| profile.name.value == name));
    for (id, source) in model.sources.iter() {
        let elsewhere = settings.into_iter().flat_map(|profile| &profile.settings);
        let set = elsewhere.into_iter().find_map(|setting| match setting {
            Setting::Source(set, location) if *set == id => Some(location),
            _ => None,
        });
        if let Some(Location::Path(path)) = set.or(source.location.as_ref()) {
            add(path, Some(source.place));
        }
    }
    for (_, work) in works(model) {
        work.code.iter().for_each(|pattern| add(&pattern.value, Some(pattern.span)));
    }
    for (_, node) in model.nodes.iter() {
        let NodeKind::Gate(gate) = &node.kind else { continue };
        gate.references().for_each(|(path, span)| add(path, Some(span)));
    }
    // Other files may have been read beside it.
    let own = model.pipeline.as_ref().map(|name| subject.sources.file(name.span.file).name());
    if let Some(main) = own.filter(|name| name.ends_with(".mlp")) {
        let folder = main.rfind('/').map_or("", |at| &main[..=at]);
        add(&main[folder.len()..], None);
        let modules = model.modules.iter().map(|&module| subject.sources.file(module).name());
        modules.filter_map(|name| name.strip_prefix(folder)).for_each(|module| add(module, None));
    }
    all
}

/// Tells whether one of the patterns covers a path, or might.
fn may_cover(patterns: &[String], path: &str) -> bool {
    let is_one = literal(path).len() == path.len();
    patterns.iter().fold(false, |covered, pattern| match pattern.strip_prefix('!') {
        Some(taken) => covered && !(is_one && filter::matches(taken, path) == Some(true)),
        None => covered || may_match(pattern, path, is_one),
    })
}

/// Tells whether a pattern covers a path, or might; `is_one` says that no pattern is in the path.
fn may_match(pattern: &str, path: &str, is_one: bool) -> bool {
    let (fixed, begins) = (literal(pattern), literal(path));
    if is_one && fixed.len() == pattern.len() {
        // A path without a pattern in it may be a folder, whose files are meant.
        return path == pattern || inside(pattern, path);
    }
    if is_one && !inside(fixed, path) {
        return filter::matches(pattern, path).unwrap_or(true);
    }
    fixed.starts_with(begins) || begins.starts_with(fixed)
}

/// Tells whether a path stands below a folder.
fn inside(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| folder.ends_with('/') || rest.starts_with('/'))
}

/// Returns what stands before the first part of a pattern that is not meant word for word.
fn literal(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '+', '[', ']', '{', '}', '\\']).unwrap_or(pattern.len());
    &pattern[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_missed() {
        let covers = |patterns: &[&str], path: &str| {
            may_cover(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>(), path)
        };
        assert!(covers(&["src/**"], "src/train.py"));
        assert!(covers(&["src/**"], "src/features/**"));
        assert!(covers(&["**"], "bin/terraform"));
        assert!(covers(&["**/*.py"], "src/train.py"));
        assert!(covers(&["*.mlp"], "pipeline.mlp"));
        assert!(covers(&["src/a.py"], "src"), "a folder may be meant");
        assert!(covers(&["src/a.py"], "src/**"), "it is one of them");
        assert!(covers(&["src/*.py"], "src"));
        assert!(covers(&["scripts-?/x"], "scripts/x") && !covers(&["scripts-?/x"], "scripts-a/x"), "as hosts read it");
        assert!(covers(&["data/**", "!data/old.csv"], "data/raw.csv"));
        assert!(!covers(&["data/**", "!data/raw.csv"], "data/raw.csv"));
        assert!(covers(&["!data/raw.csv", "data/**"], "data/raw.csv"), "the last one counts");
        assert!(!covers(&["src/**"], "scripts/**"));
        assert!(!covers(&["src/**", "data/**"], "configs/train.yaml"));
        assert!(!covers(&["src/*.py"], "src/deep/train.py"));
        assert!(!covers(&["*.mlp"], "gates/common.mlp"));
        assert!(!covers(&["src/**", "!scripts/**"], "scripts/deploy.py"));
        assert!(!covers(&["src/a.py"], "src/b.py"));
        assert!(!covers(&["src/**"], "src2"));
    }
}
