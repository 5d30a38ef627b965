//! `mlpc lineage`: says where something comes from.

use super::project::{Loaded, PipelineArgs, load};
use super::registry::choose;
use super::render::Format;
use super::{Exit, Verb};
use crate::cache::Store;
use crate::diagnostic::nearest;
use crate::host::{Clock, Out};
use crate::past::{self, Lineage, Subject};
use crate::registry::{self, Registry};
use crate::shown;

/// Say where an output, a registered version or a digest comes from, down to the sources
///
/// As runs on this machine recorded it: stages with parameters, code and inputs; of a version the commit, the run and the
/// gates that admitted it. What no record says is told as unknown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc lineage train.model\n  mlpc lineage models@production\n  \
                        mlpc lineage v20260801-1a2b3c4d --format json")]
pub(super) struct LineageVerb {
    /// An output (`train.model`), a pointer (`models@production`), a version's id, or a digest (`blake3:…`)
    #[arg(value_name = "WHAT")]
    what: String,

    #[command(flatten)]
    pipeline: PipelineArgs,

    /// Registries as this profile has them
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl Verb for LineageVerb {
    const NAME: &'static str = "lineage";

    fn run(self, out: &Out) -> Exit {
        let loaded = match load(out, &self.pipeline) {
            Ok(loaded) => loaded,
            Err(exit) => return exit,
        };
        match self.find(&loaded) {
            Ok(lineage) => {
                match self.format {
                    Format::Json => out.json(&serde_json::to_string_pretty(&lineage).unwrap_or_default()),
                    Format::Text => out.text(&text(&lineage)),
                }
                Exit::Fine
            }
            Err((message, code)) => {
                out.err_line(&format!("error: {message}"));
                if code == Exit::Undecided.code() { Exit::Undecided } else { Exit::Usage }
            }
        }
    }
}

impl LineageVerb {
    fn find(&self, loaded: &Loaded) -> Result<Lineage, (String, u8)> {
        let usage = |message: String| (message, Exit::Usage.code());
        let state = loaded.project.workspace.join(".mlpc");
        let store = Store::look(&state).map_err(|error| usage(error.to_string()))?;
        let what = self.what.as_str();
        if what.starts_with("blake3:") {
            let subject = Subject { name: what, digest: what.to_owned(), ..Subject::default() };
            let lineage = past::lineage(&state, &store, &loaded.plan, subject);
            return if lineage.stages.is_empty() {
                Err(usage(format!("no run here made `{what}`; `mlpc history` lists the runs")))
            } else {
                Ok(lineage)
            };
        }
        if let Some((registry, pointer)) = what.split_once('@') {
            let registry = self.open(loaded, registry)?;
            let found = registry.pointer(pointer).map_err(|error| (error.to_string(), error.exit_code()))?;
            let found = found.ok_or_else(|| usage(format!("`{what}` names no version yet")))?;
            return self.version(&store, loaded, &*registry, &found.version);
        }
        if let Some((stage, output)) = what.rsplit_once('.') {
            let outputs = || {
                let stages = loaded
                    .plan
                    .nodes
                    .iter()
                    .filter_map(|node| loaded.plan.stage(&node.name).map(|stage| (node, stage)));
                stages.flat_map(|(node, stage)| {
                    stage.outputs.iter().map(|output| format!("{}.{}", node.name, output.name))
                })
            };
            return match past::latest_output(&state, stage, output) {
                Some((digest, run)) => {
                    let subject = Subject { name: what, digest, stage: Some(stage), run: Some(run), version: None };
                    Ok(past::lineage(&state, &store, &loaded.plan, subject))
                }
                None if outputs().any(|known| known == what) => {
                    Err(usage(format!("no run here made `{what}` yet; `mlpc run {stage}` does")))
                }
                None => {
                    let all: Vec<String> = outputs().collect();
                    let near = nearest(what, all.iter().map(String::as_str));
                    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    Err(usage(format!("the pipeline has no output `{what}`{near}")))
                }
            };
        }
        for declared in &loaded.plan.registries {
            let registry = self.open(loaded, &declared.name)?;
            if registry.version(what).map_err(|error| (error.to_string(), error.exit_code()))?.is_some() {
                return self.version(&store, loaded, &*registry, what);
            }
        }
        Err(usage(format!(
            "`{what}` is no version in a registry of this pipeline; name an output (`train.model`), a pointer \
             (`models@production`), a version or a digest"
        )))
    }

    fn open(&self, loaded: &Loaded, name: &str) -> Result<Box<dyn Registry>, (String, u8)> {
        let (name, location) = choose(loaded, Some(name), self.profile.as_deref())?;
        registry::open(&name, &location, &loaded.project.workspace, Clock::host())
            .map_err(|error| (error.to_string(), error.exit_code()))
    }

    fn version(
        &self,
        store: &Store,
        loaded: &Loaded,
        registry: &dyn Registry,
        id: &str,
    ) -> Result<Lineage, (String, u8)> {
        let found = registry.version(id).map_err(|error| (error.to_string(), error.exit_code()))?;
        // A pointer to a version that is gone is a registry that contradicts itself.
        let version = found.ok_or_else(|| (format!("there is no version `{id}`"), Exit::Undecided.code()))?;
        let (digest, run) = (version.digest.to_string(), Some(version.metadata.run.clone()));
        let subject = Subject { name: &self.what, digest, stage: None, run, version: Some(version) };
        Ok(past::lineage(store.state(), store, &loaded.plan, subject))
    }
}

fn text(lineage: &Lineage) -> String {
    let mut text = format!("{}  {}\n", lineage.subject, lineage.digest);
    let mut line = |depth: usize, words: String| {
        text.push_str(&"  ".repeat(depth));
        text.push_str(&words);
        text.push('\n');
    };
    if let Some(version) = &lineage.version {
        let metadata = &version.metadata;
        line(
            1,
            format!(
                "version {}, registered {} by run {} of {}",
                version.id, version.created, metadata.run, metadata.pipeline
            ),
        );
        if let Some(commit) = &metadata.code_commit {
            let note = metadata.notes.get("code").map(|note| format!(", {note}")).unwrap_or_default();
            line(1, format!("commit {commit}{note}"));
        }
        for (name, value) in &metadata.params {
            line(1, format!("param {name} = {value}"));
        }
        for (name, digest) in &metadata.inputs {
            line(1, format!("source {name}  {digest}"));
        }
    } else if let Some(run) = &lineage.run {
        line(1, format!("as of run {run}"));
    }
    for gate in &lineage.gates {
        let verdict = gate.verdict.as_deref().unwrap_or("its report is not here");
        line(1, format!("gate {}  {verdict}  {}", gate.gate, gate.report));
    }
    if lineage.stages.is_empty() {
        line(0, "no run on this machine made it: nothing more is known here".to_owned());
    }
    for made in &lineage.stages {
        line(
            0,
            format!(
                "{}  ran in {}, {}, for {}",
                made.stage,
                made.run,
                made.started,
                past::time_text(made.milliseconds)
            ),
        );
        // A list's variable holds the paths of what stands under `in`, one a line.
        let of_list = |name: &str, read: &str| read.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "));
        let is_list = |name: &str| made.inputs.iter().any(|read| of_list(name, &read.name));
        for (name, value) in made.values.iter().filter(|(name, _)| !is_list(name)) {
            line(1, format!("use  {name} = {}", shown::inline(value)));
        }
        for (path, digest) in &made.code {
            line(1, format!("code {path}  {digest}"));
        }
        for read in &made.inputs {
            line(1, format!("in   {} = {}  {}", read.name, read.from.as_deref().unwrap_or("(unknown)"), read.digest));
        }
        for (name, digest) in &made.outputs {
            line(1, format!("out  {name}  {digest}"));
        }
    }
    text
}
