//! The whole compiler in one call: from source texts to a plan, with all there is to say on the way. Pure.

use crate::allow::Allows;
use crate::beside::both;
use crate::check;
use crate::diagnostic::{self, Diagnostic, codes};
use crate::graph::{self, Graph};
use crate::model::Model;
use crate::modules;
use crate::plan::{self, Plan};
use crate::resolve::resolve;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{self, ast};

/// Pipelines of more nodes are looked at by two threads.
const ALONE: usize = 500;

/// What compiling gives.
#[derive(Debug, Clone)]
pub struct Compilation {
    /// The plan; none where there are errors.
    pub plan: Option<Plan>,
    /// What could be understood.
    pub model: Model,
    /// What every node of the model waits for.
    pub graph: Graph,
    /// Everything that is wrong and not allowed, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// What the file allows, for whoever finds more.
    pub allows: Allows,
}

impl Compilation {
    /// Tells whether an error was found.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Compiles the first of the sources, which is the pipeline's file.
#[must_use]
pub fn compile(sources: &Sources) -> Compilation {
    compile_file(sources, FileId(0))
}

/// Compiles one of the sources.
#[must_use]
pub fn compile_file(sources: &Sources, file: FileId) -> Compilation {
    let parsed = syntax::parse(file, sources.file(file).text());
    let mut compiled = look(sources, &parsed.file, parsed.diagnostics, false);
    if !compiled.has_errors() {
        compiled.plan = Some(plan::build(sources, &compiled.model, &compiled.graph));
    }
    compiled
}

/// Finds out all there is to say of one of the sources, and makes no plan.
#[must_use]
pub fn check_file(sources: &Sources, file: FileId) -> Compilation {
    let parsed = syntax::parse(file, sources.file(file).text());
    let alone = modules::is_module(&parsed.file);
    look(sources, &parsed.file, parsed.diagnostics, alone)
}

/// Does all but the plan for a file that was parsed, with what its text gave to say.
#[must_use]
pub fn understand(sources: &Sources, file: &ast::File, diagnostics: Vec<Diagnostic>) -> Compilation {
    look(sources, file, diagnostics, modules::is_module(file))
}

/// Says that the lines of a file end as they did on an old Mac, so that it is one line.
fn ends_lines_as_nobody_does(sources: &Sources, file: FileId) -> Option<Diagnostic> {
    let text = sources.file(file).text();
    let first = text.find('\r').filter(|_| !text.contains('\n'))? as u32;
    let message = "the lines of this file end with CR alone, as on an old Mac: to mlpc it is one line";
    let help = "save it with the line ends of Unix, as with `tr '\\r' '\\n' < OLD > NEW`";
    Some(Diagnostic::new(codes::SYNTAX, Span::new(file, first, first + 1), message).help(help))
}

/// Looks at a file and its modules; `alone` is a module without its pipeline.
fn look(sources: &Sources, file: &ast::File, mut diagnostics: Vec<Diagnostic>, alone: bool) -> Compilation {
    let linked = modules::link(sources, file);
    let file = &*linked.file;
    diagnostics.extend(linked.unreadable);
    let mut faults: Vec<Span> = diagnostics.iter().filter(|one| one.is_error()).map(Diagnostic::span).collect();
    faults.sort_unstable();
    diagnostics.extend(linked.diagnostics);
    let (model, mut found) = resolve(sources, file, &linked.scopes, &faults, alone);
    let (checked, (graph, ordered)) = if model.nodes.len() < ALONE {
        (check::check(sources, &model), in_order(&model))
    } else {
        both(|| check::check(sources, &model), || in_order(&model))
    };
    found.extend(checked);
    // A declaration that was not read wholly has its message; what follows from it is not another one.
    let mut torn: Vec<Span> = file.items.iter().map(|item| item.span).filter(|item| is_hit(&faults, *item)).collect();
    torn.sort_unstable();
    found.retain(|one| !is_inside(&torn, one.span()));
    found.extend(ordered);
    once_for_all_legs(&model, &mut found);
    diagnostics.extend(found);
    if let Some(one) = ends_lines_as_nobody_does(sources, file.span.file)
        && diagnostics.iter().any(Diagnostic::is_error)
    {
        // All else that is wrong is of the one line that the file is.
        diagnostics = vec![one];
    }
    if !diagnostics.iter().any(Diagnostic::is_error) {
        // What was not understood may be what waits.
        let mut loose = graph::unheld(&model, &graph);
        loose.extend(graph::first_elsewhere(&model, &graph));
        loose.extend(graph::never_shown(&model, &graph));
        once_for_all_legs(&model, &mut loose);
        diagnostics.extend(loose);
    }
    let (mut allows, wrong) = Allows::of(sources, file);
    diagnostics.extend(wrong);
    allows.cover(&mut diagnostics);
    // Where something is wrong, not everything was looked at.
    if !diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.extend(allows.unused());
    }
    diagnostic::sort(&mut diagnostics);
    Compilation { plan: None, model, graph, diagnostics, allows }
}

/// Draws the graph, with what is wrong with it.
fn in_order(model: &Model) -> (Graph, Vec<Diagnostic>) {
    let graph = graph::build(model);
    let mut found = graph::cycles(model, &graph);
    if found.is_empty() {
        found.extend(graph::deadlocks(model, &graph));
        found.extend(graph::unapproved(model, &graph));
    }
    (graph, found)
}

/// Keeps of what is said about the legs of a loop the first of each code and place: they are one declaration.
fn once_for_all_legs(model: &Model, found: &mut Vec<Diagnostic>) {
    let mut loops: Vec<Span> =
        model.nodes.iter().filter(|(_, node)| node.leg.is_some()).map(|(_, node)| node.span).collect();
    loops.dedup();
    loops.sort_unstable();
    if loops.is_empty() {
        return;
    }
    let mut told = std::collections::HashSet::new();
    found.retain(|one| !is_inside(&loops, one.span()) || told.insert((one.code.name(), one.span())));
}

/// Tells whether one of the sorted faults begins inside the span.
fn is_hit(faults: &[Span], span: Span) -> bool {
    let first = faults.partition_point(|fault| (fault.file, fault.start) < (span.file, span.start));
    faults.get(first).is_some_and(|fault| fault.file == span.file && fault.start <= span.end)
}

/// Tells whether one of the sorted, disjoint spans holds the place.
fn is_inside(spans: &[Span], place: Span) -> bool {
    let behind = spans.partition_point(|span| (span.file, span.start) <= (place.file, place.start));
    behind > 0 && spans[behind - 1].file == place.file && place.start <= spans[behind - 1].end
}
