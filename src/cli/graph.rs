//! `mlpc graph`: draws what waits for what.

use std::path::PathBuf;

use super::project::PipelineArgs;
use super::render;
use super::{Exit, Verb};
use crate::compile::compile;
use crate::graph;
use crate::host::Out;

/// Draw what waits for what
///
/// Stages that mlpc derives to score a baseline are drawn with a broken border, and waits that no data flows along with a broken
/// line. Monitors stand behind the runs, with what they look at and what they set off.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc graph\n  mlpc graph --format dot | dot -Tsvg > graph.svg")]
pub(crate) struct Graph {
    /// The file; else the pipeline
    #[arg(value_name = "FILE")]
    path: Option<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How the graph is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
    /// Draw every leg of a loop by itself, not all of them as one
    #[arg(long)]
    legs: bool,
}

/// The formats of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Form {
    /// A line for each node and for each that it waits for
    #[default]
    Text,
    /// Mermaid, for Markdown
    Mermaid,
    /// DOT, for Graphviz
    Dot,
}

impl Verb for Graph {
    const NAME: &'static str = "graph";

    fn run(self, out: &Out) -> Exit {
        let file = self.path.or(self.pipeline.file);
        let project = match (PipelineArgs { file }).open() {
            Ok(project) => project,
            Err(message) => {
                out.err_line(&format!("mlpc: {message}"));
                return Exit::Usage;
            }
        };
        let compiled = compile(&project.sources);
        let Some(plan) = compiled.plan else {
            render::diagnostics(out, &project.sources, &compiled.diagnostics, render::Format::Text);
            return Exit::Usage;
        };
        let format = match self.format {
            Form::Text => graph::Format::Text,
            Form::Mermaid => graph::Format::Mermaid,
            Form::Dot => graph::Format::Dot,
        };
        let mut drawing = if self.legs { plan.drawing() } else { plan.folded() };
        plan.draw_beside(&mut drawing);
        out.write(&drawing.draw(format));
        Exit::Fine
    }
}
