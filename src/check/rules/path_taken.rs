//! Paths that would overwrite each other: the same, one inside the other, or the same but for capitals, which some
//! file systems do not tell apart.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use super::common::works;
use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, Node, NodeKind, Origin};
use crate::source::{FileId, SourceFile, Span, Spanned};
use crate::types::{Isolation, Location, RegistryLocation};

pub(in crate::check) struct PathTaken;

/// A path with who holds it.
struct Taken<'m> {
    path: &'m str,
    /// The path as a file system sees it that does not tell capitals apart.
    folded: Cow<'m, str>,
    span: Span,
    what: Holder<'m>,
    written: bool,
    registry: bool,
    /// The run reads it as it stands, and waits for nobody.
    read: bool,
}

/// Who holds a path: put into words only where there is something to say.
enum Holder<'m> {
    Output(&'m str, &'m str),
    Source(&'m str),
    Registry(&'m str),
    Code(&'m str),
    ParameterFile(&'m str),
    Compared(&'m str),
    Pipeline,
    Module(&'m str),
}

impl fmt::Display for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(stage, output) => write!(f, "`{stage}.{output}`"),
            Self::Source(name) => write!(f, "the source `{name}`"),
            Self::Registry(name) => write!(f, "the registry `{name}`"),
            Self::Code(name) => write!(f, "the code of `{name}`"),
            Self::ParameterFile(name) => write!(f, "the file of the parameter `{name}`"),
            Self::Compared(name) => write!(f, "what `{name}` compares with"),
            Self::Pipeline => f.write_str("the pipeline"),
            Self::Module(path) => write!(f, "the module `{path}`"),
        }
    }
}

impl Rule for PathTaken {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let mut taken = collect(subject.model);
        for one in taken.iter().filter(|one| one.written) {
            if let Some(whose) = reserved(&one.folded) {
                let message = format!("the path of {} is `{}`, {whose}", one.what, one.path);
                found.push(Diagnostic::new(codes::PATH_TAKEN, one.span, message).help("write to another path"));
            }
        }
        found.extend(subject.model.nodes.iter().filter_map(|(_, node)| checkpoint(subject.model, node)));
        taken.extend(sources(subject));
        taken.extend(read(subject.model));
        // By their parts, so that what lies in a folder follows it: `a`, `a/b`, `a-b`.
        taken.sort_by(|a, b| a.folded.split('/').cmp(b.folded.split('/')).then(a.span.cmp(&b.span)));
        // What the path at hand lies in: with paths in order of their parts, those above it on the stack.
        let mut above: Vec<usize> = Vec::new();
        for at in 0..taken.len() {
            while above.last().is_some_and(|&top| !lies_in(&taken[at].folded, &taken[top].folded)) {
                above.pop();
            }
            let clash = above.iter().rev().copied().find(|&top| {
                let (over, under) = (&taken[top], &taken[at]);
                // What stands in a folder of code is left out of it where stages write it.
                let apart = over.read && over.folded.len() < under.folded.len();
                over.written || (under.written && !apart) || (over.registry && under.registry)
            });
            if let Some(first) = clash {
                found.push(describe(&taken[first], &taken[at]));
            }
            above.push(at);
        }
    }
}

fn collect(model: &Model) -> Vec<Taken<'_>> {
    let mut taken = Vec::new();
    for (_, node) in model.nodes.iter() {
        let NodeKind::Stage(stage) = &node.kind else { continue };
        for (index, output) in stage.outputs.iter().enumerate() {
            // Values are read from a file that may be an output itself, or hold several of them.
            let shared = |other: &crate::model::Output| {
                (output.value.is_some() || other.value.is_some())
                    && other.path.as_ref().map(|path| &path.value) == output.path.as_ref().map(|path| &path.value)
            };
            if stage.outputs[..index].iter().any(shared) {
                continue;
            }
            if let Some(path) = &output.path {
                let what = Holder::Output(&node.name.value, &output.name.value);
                taken.push(Taken {
                    path: &path.value,
                    folded: folded(&path.value),
                    span: path.span,
                    what,
                    written: true,
                    registry: false,
                    read: false,
                });
            }
        }
    }
    for (_, source) in model.sources.iter() {
        if let Some(path) = source.location.as_ref().and_then(Location::path) {
            let what = Holder::Source(&source.name.value);
            taken.push(Taken {
                path,
                folded: folded(path),
                span: source.place,
                what,
                written: false,
                registry: false,
                read: false,
            });
        }
    }
    for (_, registry) in model.registries.iter() {
        if let Some(RegistryLocation::Directory { path }) = &registry.location
            && !path.starts_with('/')
        {
            let what = Holder::Registry(&registry.name.value);
            let span = registry.name.span;
            taken.push(Taken { path, folded: folded(path), span, what, written: false, registry: true, read: false });
        }
    }
    taken
}

/// Says what stands where a stage's checkpoint would be a link to what survives: an input or an output of the stage, or its code. In
/// the workspace itself there is no link.
fn checkpoint(model: &Model, node: &Node) -> Option<Diagnostic> {
    let NodeKind::Stage(stage) = &node.kind else { return None };
    let link = stage.checkpoint.as_ref().filter(|_| stage.isolation != Some(Isolation::Off))?;
    let name = &node.name.value;
    // Below a folder that it reads a link disturbs nobody; one in an output would lead out of it.
    let mut beside: Vec<(Holder<'_>, &str, Span)> = Vec::new();
    for input in &stage.work.inputs {
        match &input.origin {
            Origin::Source(id) => {
                let source = &model.sources[*id];
                let path = source.location.as_ref().and_then(Location::path);
                beside.extend(path.map(|path| (Holder::Source(&source.name.value), path, input.span)));
            }
            Origin::Output(id) => {
                // A value is no file of the stage that reads it.
                let Some(output) = model.output(*id).filter(|output| output.value.is_none()) else { continue };
                let what = Holder::Output(&model.nodes[id.node].name.value, &output.name.value);
                beside.extend(output.path.as_ref().map(|path| (what, path.value.as_str(), input.span)));
            }
            Origin::Pointer(_) => {}
        }
    }
    let folder = folded(&link.value);
    let outputs = stage.outputs.iter().filter_map(|output| Some((output, output.path.as_ref()?)));
    let holds_or_lies_in = |path: &str| lies_in(path, &folder) || lies_in(&folder, path);
    let mut outputs = outputs.filter(|(_, path)| holds_or_lies_in(&folded(&path.value)));
    let clash = beside.into_iter().find(|(_, path, _)| lies_in(&folded(path), &folder));
    let clash = clash.or_else(|| {
        let (output, path) = outputs.next()?;
        Some((Holder::Output(name, &output.name.value), path.value.as_str(), path.span))
    });
    let code = || {
        let below = |code: &&Spanned<String>| lies_in(&folded(before_pattern(&code.value)), &folder);
        stage.work.code.iter().find(below).map(|code| (Holder::Code(name), code.value.as_str(), code.span))
    };
    let (what, path, span) = clash.or_else(code)?;
    let message = format!("the checkpoint of `{name}` is `{}`, and {what} is `{path}`", link.value);
    let diagnostic = Diagnostic::new(codes::PATH_TAKEN, link.span, message)
        .label(span, format!("{what} is here"))
        .help("give the checkpoint a folder of its own: `checkpoint \"checkpoints\"`");
    Some(diagnostic)
}

/// Returns the folders and the name that a pattern of code begins with.
fn before_pattern(pattern: &str) -> &str {
    match pattern.find(['*', '?', '[', '{']) {
        Some(at) => pattern[..at].rsplit_once('/').map_or("", |(folders, _)| folders),
        None => pattern,
    }
}

/// Returns what is read by its name, without an edge to who may write it: code, files of parameters, data that gates compare
/// with. Each path once.
fn read(model: &Model) -> Vec<Taken<'_>> {
    let mut found: Vec<(&str, Span, Holder<'_>)> = Vec::new();
    for (id, work) in works(model) {
        let name = &model.nodes[id].name.value;
        found.extend(work.code.iter().map(|code| (code.value.as_str(), code.span, Holder::Code(name))));
    }
    for (_, param) in model.params.iter() {
        let what = || Holder::ParameterFile(&param.name.value);
        found.extend(param.from.iter().map(|from| (from.file.value.as_str(), from.file.span, what())));
    }
    for (_, node) in model.nodes.iter() {
        let NodeKind::Gate(gate) = &node.kind else { continue };
        let what = || Holder::Compared(&node.name.value);
        found.extend(gate.references().map(|(path, span)| (path, span, what())));
    }
    let mut seen = HashSet::new();
    found.retain(|(path, ..)| !path.contains(['*', '?', '[', '{']) && seen.insert(*path));
    let taken = |(path, span, what)| Taken {
        path,
        folded: folded(path),
        span,
        what,
        written: false,
        registry: false,
        read: true,
    };
    found.into_iter().map(taken).collect()
}

/// Returns the files of the pipeline itself, as far as they stand in its folder.
fn sources<'m>(subject: &Subject<'m>) -> Vec<Taken<'m>> {
    let Some(pipeline) = &subject.model.pipeline else { return Vec::new() };
    let file = subject.sources.file(pipeline.span.file).name();
    let folder = file.rfind('/').map_or("", |at| &file[..=at]);
    let own = |(id, file): (FileId, &'m SourceFile)| {
        let path = file.name().strip_prefix(folder)?;
        let what = if id == pipeline.span.file { Holder::Pipeline } else { Holder::Module(path) };
        // The place to change is the output's, wherever the module stands.
        Some(Taken {
            path,
            folded: folded(path),
            span: pipeline.span,
            what,
            written: false,
            registry: false,
            read: false,
        })
    };
    subject.sources.iter().filter_map(own).collect()
}

/// Says whose a path is that no stage may write: Git's files, what says which files are code, the lock.
fn reserved(folded: &str) -> Option<&'static str> {
    if folded.split('/').any(|part| part == ".git") {
        return Some("which is Git's own");
    }
    match folded {
        "mlpc.lock" => Some("which says what runtimes are"),
        _ if folded.rsplit('/').next() == Some(".gitignore") => Some("which says what is code"),
        _ => None,
    }
}

/// Returns the parts of a path that lead anywhere, in small letters.
fn folded(path: &str) -> Cow<'_, str> {
    let plain = path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if plain && path.split('/').all(leads) {
        return Cow::Borrowed(path);
    }
    let parts: Vec<String> = path.split('/').filter(|part| leads(part)).map(str::to_lowercase).collect();
    Cow::Owned(parts.join("/"))
}

fn leads(part: &str) -> bool {
    !matches!(part, "" | ".")
}

/// Tells whether a path is a folder's or below it; all are below the empty one.
fn lies_in(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn describe(first: &Taken<'_>, second: &Taken<'_>) -> Diagnostic {
    // The place to change is the one written last.
    let (early, late) = if first.span <= second.span { (first, second) } else { (second, first) };
    let message = if first.folded.len() < second.folded.len() {
        format!("the path of {} lies inside that of {}", second.what, first.what)
    } else if first.path == second.path {
        format!("{} and {} have the same path", early.what, late.what)
    } else {
        format!("the paths of {} and {} differ in capitals alone", early.what, late.what)
    };
    let help = match [first, second].iter().find(|one| one.written) {
        Some(written) if first.read || second.read => {
            format!(
                "what stood there before would be read: read {} as an input, or write it to another path",
                written.what
            )
        }
        _ => "write to another path".to_owned(),
    };
    Diagnostic::new(codes::PATH_TAKEN, late.span, message)
        .label(early.span, format!("{} is here", early.what))
        .help(help)
}
