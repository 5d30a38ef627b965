//! `mlpc baseline`: freezes what a table looks like, for gates that measure drift against it.

use std::path::{Path, PathBuf};

use super::project::{self, PipelineArgs};
use super::run::{failed, setup};
use super::selection::SelectionArgs;
use super::{Exit, Verb};
use crate::data::{self, Builder, Format, Frozen, Wanted};
use crate::exec;
use crate::host::{Out, fs};
use crate::judge::collect::Table as Read;
use crate::plan::{Bound, Location, NodeKind, OutputKind};
use crate::types::{Artifact, Origin, Schema, Type};

/// Freeze what a table looks like
///
/// Reads the table of a source or an output as it stands in the workspace and writes bins, counts and the distribution of each
/// column. `psi(*) < 0.1 against "FILE"` in a gate compares with it. The same table gives the same bytes: keep the file in Git.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc baseline prepare.train --out configs/train.baseline.json")]
pub(crate) struct Baseline {
    /// The source, or `stage.output`; or a file
    #[arg(value_name = "DATASET")]
    dataset: String,
    /// Where to write it
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Verb for Baseline {
    const NAME: &'static str = "baseline";

    fn run(self, out: &Out) -> Exit {
        self.freeze(out).unwrap_or_else(|exit| exit)
    }
}

/// A table that was asked for.
struct Table {
    path: PathBuf,
    format: Format,
    schema: Option<Schema>,
}

impl Baseline {
    fn freeze(&self, out: &Out) -> Result<Exit, Exit> {
        let fail = |exit: Exit, message: String| {
            out.err_line(&format!("error: {message}"));
            exit
        };
        let table = self.table(out)?;
        let shown = table.path.display();
        let wrong = |why: String| fail(Exit::Failed, format!("`{shown}`: {why}"));
        if let Some(schema) = &table.schema {
            let wanted = Wanted { schemas: vec![schema], ..Wanted::default() };
            let mut read = Read::open(&table.path, table.format).map_err(wrong)?;
            let summary =
                data::scan(table.format, read.input(), &wanted).map_err(|problem| wrong(problem.to_string()))?;
            let broken = summary.violations.iter().flat_map(|(_, found)| found).next();
            if let Some(violation) = broken {
                let why = format!("it is not as `{}` says: {}", schema.name, violation.what);
                return Err(wrong(why));
            }
        }
        let frozen = build(&table).map_err(wrong)?;
        let ours = |text: &str| data::Frozen::is_one(text);
        fs::write_ours(&self.out, frozen.to_json().as_bytes(), ours)
            .map_err(|error| fail(Exit::Failed, error.to_string()))?;
        let (rows, columns) = (frozen.rows, frozen.columns.len());
        out.line(&format!("{}: {rows} rows, {columns} columns of `{shown}`", self.out.display()));
        Ok(Exit::Fine)
    }

    fn table(&self, out: &Out) -> Result<Table, Exit> {
        let file = Path::new(&self.dataset);
        let format = file.extension().and_then(|extension| Format::find(extension.to_str()?));
        if let (true, Some(format)) = (file.is_file(), format) {
            return Ok(Table { path: file.to_path_buf(), format, schema: None });
        }
        let loaded = project::load(out, &self.pipeline)?;
        let bound = self.selection.bind_here(out, &loaded.plan, &loaded.project.workspace)?;
        let usage = |message: String| {
            out.err_line(&format!("error: {message}"));
            Exit::Usage
        };
        let table = find(&bound, &self.dataset, &loaded.project.workspace).map_err(usage)?;
        // What is kept elsewhere is brought to where gates look for it.
        let setup = setup(loaded.project.workspace.clone()).map_err(|error| failed(out, &error))?;
        exec::bring_sources(&bound, &setup, &[&Origin::Source(self.dataset.clone())])
            .map_err(|error| failed(out, &error))?;
        if let (false, Some((stage, _))) = (table.path.exists(), self.dataset.rsplit_once('.')) {
            let exit =
                usage(format!("`{}` was not made yet: nothing stands at `{}`", self.dataset, table.path.display()));
            let of = bound.profile.as_ref().map(|profile| format!(" --profile {profile}")).unwrap_or_default();
            out.err_line(&format!("  help: run `mlpc run {stage}{of}` first"));
            return Err(exit);
        }
        Ok(table)
    }
}

/// Reads a table and gathers it.
fn build(table: &Table) -> Result<Frozen, String> {
    let columns = table.schema.iter().flat_map(|schema| &schema.columns);
    let texts = columns.filter(|column| matches!(column.value().0, Type::String | Type::Enum(_)));
    let texts: Vec<String> = texts.map(|column| column.name.clone()).collect();
    let mut read = Read::open(&table.path, table.format)?;
    let start = |names: &[String]| Ok(Builder::new(names, &texts));
    let builder: Builder = data::read(table.format, read.input(), &start).map_err(|problem| problem.to_string())?;
    builder.finish(read.digest()?).map_err(|problem| problem.to_string())
}

fn find(bound: &Bound, name: &str, workspace: &Path) -> Result<Table, String> {
    let source = bound.plan.sources.iter().find(|source| source.name == name);
    let output = name.rsplit_once('.').and_then(|(stage, output)| {
        let outputs = &bound.plan.stage(stage)?.outputs;
        outputs.iter().find(|found| found.name == output).map(|found| (stage, found))
    });
    let (path, ty, origin) = match (source, output) {
        (Some(source), _) => match &source.location {
            Location::Path(path) => (path.clone(), source.ty.clone(), Origin::Source(name.to_owned())),
            remote => (remote.place(name), source.ty.clone(), Origin::Source(name.to_owned())),
        },
        (None, Some((stage, output))) => match &output.kind {
            OutputKind::Artifact(ty) => {
                (output.publish.clone(), ty.clone(), Origin::output(stage, output.name.as_str()))
            }
            _ => return Err(format!("`{name}` is a value, not a table")),
        },
        (None, None) => return Err(format!("no source, no output and no file `{name}`")),
    };
    let Artifact::Dataset { format: Some(format), .. } = &ty else {
        return Err(format!(
            "`{name}` is of type `{ty}`; a baseline is of a `Dataset<csv>`, `Dataset<jsonl>` or `Dataset<parquet>`"
        ));
    };
    let format = Format::find(format).ok_or_else(|| format!("`{name}` is of type `{ty}`, which is not read here"))?;
    Ok(Table { path: workspace.join(path), format, schema: schema(bound, &origin) })
}

/// Returns the schema of a table's type, as the gates on it know it.
fn schema(bound: &Bound, origin: &Origin) -> Option<Schema> {
    bound.plan.nodes.iter().find_map(|node| {
        let NodeKind::Gate(gate) = &node.kind else { return None };
        gate.requirements.iter().find_map(|line| {
            let table = line.measure.table.as_ref()?;
            (gate.evidence.get(table.evidence)?.origin == *origin).then(|| table.typed.clone())?
        })
    })
}
