//! The whole compiler in one call: from source texts to a plan, with all there is to say on the way. Pure.

use crate::check;
use crate::diagnostic::{self, Diagnostic};
use crate::graph::{self, Graph};
use crate::model::Model;
use crate::plan::{self, Plan};
use crate::resolve::resolve;
use crate::source::{FileId, Sources};
use crate::syntax;

/// What compiling gives.
#[derive(Debug, Clone)]
pub struct Compilation {
    /// The plan; none where there are errors.
    pub plan: Option<Plan>,
    /// What could be understood.
    pub model: Model,
    /// What every node of the model waits for.
    pub graph: Graph,
    /// Everything that is wrong, sorted.
    pub diagnostics: Vec<Diagnostic>,
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
    let mut diagnostics = parsed.diagnostics;
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    let (model, found) = resolve(sources, &parsed.file, broken);
    diagnostics.extend(found);
    diagnostics.extend(check::check(sources, &model));
    let graph = graph::build(&model);
    let cycles = graph::cycles(&model, &graph);
    let cyclic = !cycles.is_empty();
    diagnostics.extend(cycles);
    if !cyclic {
        diagnostics.extend(graph::deadlocks(&model, &graph));
    }
    diagnostic::sort(&mut diagnostics);
    let plan =
        if diagnostics.iter().any(Diagnostic::is_error) { None } else { Some(plan::build(sources, &model, &graph)) };
    Compilation { plan, model, graph, diagnostics }
}
