//! `paths` of a trigger that leave out what the pipeline reads: a push that changes only that starts nothing. Said only
//! where it is certain.

use std::borrow::Cow;

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
        let folder = folder(subject);
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
            let missed: Vec<_> = inputs.into_iter().filter(|input| !may_cover(folder, paths, &input.path)).collect();
            let Some(first) = missed.first() else { continue };
            let names: Vec<_> = missed.iter().take(SHOWN).map(|input| format!("`{}`", input.path)).collect();
            let more = if missed.len() > SHOWN { format!(" and {} more", missed.len() - SHOWN) } else { String::new() };
            let message = format!(
                "no path of `on {word}` covers {}{more}: a change of that alone starts nothing",
                names.join(", ")
            );
            let mut diagnostic = Diagnostic::new(codes::PATHS_MISS_AN_INPUT, trigger.span, message).help(format!(
                "write `paths: [{}]`: they are relative to the folder of this file",
                wanted(folder, paths, &missed).join(", ")
            ));
            if let Some(span) = first.span {
                diagnostic = diagnostic.label(span, "read here");
            }
            found.push(diagnostic);
        }
    }
}

/// Returns the folder of the pipeline as far as it was named, with a `/` at its end; empty where it was not.
fn folder<'s>(subject: &Subject<'s>) -> &'s str {
    let main = subject.model.pipeline.as_ref().map_or("", |name| subject.sources.file(name.span.file).name());
    main.rfind('/').map_or("", |at| &main[..=at])
}

/// Returns the paths to write, in quotes. Where the pipeline's folder stands before a pattern, as the root of the repository sees it, it is
/// left out.
fn wanted(folder: &str, paths: &[String], missed: &[Input]) -> Vec<String> {
    let starts = || std::iter::once(0).chain(folder.match_indices('/').map(|(at, _)| at + 1));
    let own = |pattern: &String| {
        let tails = starts().map(|at| &folder[at..]).filter(|tail| !tail.is_empty());
        let mut rests = tails.filter_map(|tail| pattern.strip_prefix(tail)).map(str::to_owned);
        rests.find(|rest| missed.iter().any(|input| may_cover(folder, std::slice::from_ref(rest), &input.path)))
    };
    let mut all: Vec<String> = paths.iter().map(|pattern| own(pattern).unwrap_or_else(|| pattern.clone())).collect();
    let more: Vec<String> =
        missed.iter().map(|input| input.path.clone()).filter(|path| !may_cover(folder, &all, path)).collect();
    all.extend(more);
    all.iter().map(|path| format!("\"{path}\"")).collect()
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
fn may_cover(folder: &str, patterns: &[String], path: &str) -> bool {
    let is_one = literal(path).len() == path.len();
    patterns.iter().fold(false, |covered, pattern| match pattern.strip_prefix('!') {
        Some(taken) if covered && is_one => match seen(folder, taken, path) {
            Seen::From(taken, path) => filter::matches(taken, &path) != Some(true),
            _ => true,
        },
        Some(_) => covered,
        None if covered => true,
        None => match seen(folder, pattern, path) {
            Seen::From(pattern, path) => may_match(pattern, &path, is_one),
            Seen::Perhaps => true,
            Seen::Never => false,
        },
    })
}

/// How a pattern may see a path.
enum Seen<'a> {
    /// Both from one folder.
    From(&'a str, Cow<'a, str>),
    /// It climbs above a folder whose name is not known, and may come back.
    Perhaps,
    /// It can't.
    Never,
}

/// Sees a path from where a pattern begins.
fn seen<'a>(folder: &'a str, pattern: &'a str, path: &'a str) -> Seen<'a> {
    let (mut up, mut rest) = (0, pattern);
    while let Some(above) = rest.strip_prefix("../") {
        (up, rest) = (up + 1, above);
    }
    if up == 0 {
        return Seen::From(rest, Cow::Borrowed(path));
    }
    let known: Vec<&str> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if let Some(above) = known.len().checked_sub(up)
        && !known[above..].contains(&"..")
    {
        return Seen::From(rest, Cow::Owned(format!("{}/{path}", known[above..].join("/"))));
    }
    let mut parts = rest.splitn(up + 1, '/');
    if parts.by_ref().take(up).any(|part| part.contains("**")) {
        return Seen::Perhaps;
    }
    // Whatever the folder's name is, it would stand in the place of what comes first.
    match parts.next() {
        Some(below) if may_match(below, path, literal(path).len() == path.len()) => Seen::Perhaps,
        _ => Seen::Never,
    }
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
            may_cover("", &patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>(), path)
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

    #[test]
    fn what_climbs_above_the_folder_is_seen_from_there() {
        let covers = |folder: &str, pattern: &str| may_cover(folder, &[pattern.to_owned()], "src/a.py");
        for pattern in ["../ml/**", "../**", "../*/src/a.py", "../../x/ml/src/**"] {
            assert!(covers("x/ml/", pattern) && covers("", pattern), "{pattern}");
        }
        assert!(!covers("x/ml/", "../lib/**") && !covers("x/ml/", "../../ml/src/**"));
        assert!(
            covers("", "../lib/**") && !covers("", "../lib/old/**") && !covers("", "../x.txt"),
            "as far as is known"
        );
        let both = ["src/**".to_owned(), "!../ml/src/a.py".to_owned()];
        assert!(!may_cover("ml/", &both, "src/a.py") && may_cover("", &both, "src/a.py"));
    }

    #[test]
    fn the_folder_before_a_pattern_is_left_out() {
        let missed = |path: &str| Input { path: path.to_owned(), span: None };
        let paths = ["ml/src/**".to_owned(), "ml/old/**".to_owned()];
        let inputs = [missed("src/a.py"), missed("p.mlp")];
        assert_eq!(wanted("x/ml/", &paths, &inputs), ["\"src/**\"", "\"ml/old/**\"", "\"p.mlp\""]);
        assert_eq!(wanted("", &paths[1..], &inputs), ["\"ml/old/**\"", "\"src/a.py\"", "\"p.mlp\""]);
    }
}
