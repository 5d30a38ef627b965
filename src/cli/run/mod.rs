//! `mlpc run`: runs the pipeline here.

mod bars;
mod face;

pub(super) use face::{WORTH_EXPECTING, behind, duration};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::pick::PickArgs;
use super::project::{Loaded, PipelineArgs, load};
use super::selection::{SelectionArgs, bind_shown, branch};
use super::{Exit, Verb};
use crate::exec::{self, Force, Options, Pick, Question, RunError, RunRecord, Setup, Shape, Standing};
use crate::host::signal::Interrupt;
use crate::host::{Clock, Out};
use crate::plan::{Bound, Given, Selection};

/// Run the pipeline here: parallel, isolated, cached
///
/// Stages whose command, parameters, inputs and code did not change are served from the cache. Exit codes: 0 fine,
/// 1 a stage failed, 2 usage or source errors, 10 a gate said no, 11 a gate could not be decided, 14 waiting for a
/// person, 130 interrupted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlpc run\n  mlpc run train --set epochs=5\n  mlpc run --profile smoke -j 4\n  \
                        mlpc run --from features --until train\n  mlpc run --only evaluate\n  mlpc run --resume")]
pub(super) struct Run {
    /// Nodes to run, with all that they wait for; all if none. What ends in .mlp is the pipeline's file
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,

    #[command(flatten)]
    pipeline: PipelineArgs,

    #[command(flatten)]
    pick: PickArgs,

    #[command(flatten)]
    select: SelectionArgs,

    /// How many commands at a time; as many as there are processors if not said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Run the named nodes, or all, although their results are known
    #[arg(long)]
    force: bool,

    /// Go on with what does not wait for a failure: the default
    #[arg(short, long, overrides_with = "fail_fast")]
    keep_going: bool,

    /// Start nothing more once something failed; what runs is brought to its end
    #[arg(long, overrides_with = "keep_going")]
    fail_fast: bool,

    /// Leave the folders of stages under .mlpc/kept
    #[arg(long)]
    keep: bool,

    /// Act, and write to registries that others share, which needs a clean tree at a commit of a branch named in `on push`
    #[arg(long, conflicts_with_all = ["from", "only"])]
    release: bool,

    /// Go on with a run; the latest that waits for a person if none is named
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,

    /// Open a shell in the folder of the named stage, with its variables, instead of running its command
    #[arg(long, conflicts_with_all = ["resume", "json", "force", "from", "only"])]
    shell: bool,

    /// Say what would run and why, and run nothing
    #[arg(long, conflicts_with_all = ["resume", "shell"])]
    dry_run: bool,

    /// Show the output of commands as it comes, and every node
    #[arg(short, long)]
    verbose: bool,

    /// Write what happens as JSON, one event a line
    #[arg(long)]
    json: bool,
}

impl Verb for Run {
    const NAME: &'static str = "run";

    fn run(mut self, out: &Out) -> Exit {
        if let Err(message) = take_file(&mut self.nodes, &mut self.pipeline) {
            out.err_line(&format!("error: {message}"));
            return Exit::Usage;
        }
        let pick = match self.pick.pick(&self.nodes) {
            Ok(pick) => pick,
            Err(message) => {
                out.err_line(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let go = || {
            let options = self.options(pick);
            let question = self.question(&options);
            if let Some(question) = &question
                && !self.force
                && let Some(exit) = self.without_reading(out, question, &options)?
            {
                return Ok(exit);
            }
            self.go(out, &load(out, &self.pipeline)?, question, options)
        };
        go().unwrap_or_else(|exit| exit)
    }
}

impl Run {
    /// Returns what is asked, where an answer is worth to be kept.
    fn question(&self, options: &Options) -> Option<Question> {
        if self.resume.is_some() || self.shell || self.dry_run || self.keep {
            return None;
        }
        let file = self.pipeline.find().ok()?;
        let workspace = std::fs::canonicalize(&file).ok()?.parent()?.to_owned();
        let selection = Selection { branch: branch(&workspace), ..self.select.selection().ok()? };
        Question::new(&file, &selection, options)
    }

    /// Does what has to be done without reading the pipeline. `None`: it has to be read.
    fn without_reading(&self, out: &Out, question: &Question, options: &Options) -> Result<Option<Exit>, Exit> {
        let setup = setup(question.workspace().to_owned()).map_err(|error| failed(out, &error))?;
        let all = self.verbose || self.json;
        let Some(standing) = exec::stand(question, &setup, all) else { return Ok(None) };
        let face = |shape| face::face(out, shape, &self.pipeline, self.verbose, self.json);
        let (face, summary) = match &standing {
            Standing::Untouched(untouched) => {
                let face = face(untouched.shape());
                let summary = exec::nothing_to_do(untouched, &setup, all, face.as_ref());
                (face, summary)
            }
            Standing::Part(part) => {
                let face = face(part.shape());
                let options = Options { question: Some(question.clone()), ..options.clone() };
                let summary = exec::go_on(part, &setup, &options, face.as_ref());
                (face, summary)
            }
        };
        let summary = summary.map_err(|error| failed(out, &error))?;
        face.summary(&summary);
        // The process ends: nobody needs the memory back, piece by piece.
        std::mem::forget(standing);
        Ok(Some(exit(summary.exit)))
    }

    fn options(&self, pick: Pick) -> Options {
        let force = match (self.force, pick.is_all()) {
            (false, _) => Force::Nothing,
            (true, true) => Force::All,
            (true, false) => Force::Nodes(pick.names().cloned().collect()),
        };
        Options {
            jobs: self.jobs.map_or(0, usize::from),
            pick,
            force,
            fail_fast: self.fail_fast,
            keep: self.keep,
            release: self.release,
            ..Options::default()
        }
    }

    fn go(&self, out: &Out, loaded: &Loaded, question: Option<Question>, options: Options) -> Result<Exit, Exit> {
        let workspace = loaded.project.workspace.clone();
        let before = self.before(&workspace, &loaded.plan.pipeline).map_err(|error| failed(out, &error))?;
        let bound = match &before {
            None => self.select.bind_here(out, &loaded.plan, &workspace)?,
            Some(before) => again(out, loaded, before, &self.select)?,
        };
        if let Some(before) = before.as_ref().filter(|before| before.is_over()) {
            out.err_line(&format!("the run `{}` ended well: nothing of it is left to do", before.run));
            return Ok(Exit::Fine);
        }
        let setup = setup(workspace).map_err(|error| failed(out, &error))?;
        let texts = loaded.project.sources.iter().map(|(_, file)| (Path::new(file.name()), file.text()));
        let texts = texts.chain(loaded.read.iter().map(|(path, text)| (path.as_path(), text.as_str())));
        let question = question.and_then(|question| question.read_from(texts));
        let mut options = Options { question, ..options };
        if let Some(before) = &before {
            options.release |= before.release;
            if options.pick.is_all() {
                options.pick = before.pick();
            }
        }
        if self.dry_run {
            return Ok(super::plan::show(out, &bound, &setup, &options, self.json));
        }
        let face = face::face(out, Shape::of(&bound), &self.pipeline, self.verbose, self.json);
        let ended = if self.shell {
            let [node] = options.pick.until.as_slice() else {
                let message = "`--shell` needs the name of one stage".to_owned();
                return Err(failed(out, &RunError { exit: 2, message, help: None }));
            };
            exec::shell(&bound, &setup, &options, node, face.as_ref())
        } else {
            exec::run(&bound, &setup, &options, before.as_ref(), face.as_ref()).map(|summary| {
                face.summary(&summary);
                summary.exit
            })
        };
        drop(face);
        ended.map(exit).map_err(|error| failed(out, &error))
    }

    /// Finds the run to go on with.
    fn before(&self, workspace: &Path, pipeline: &str) -> Result<Option<RunRecord>, RunError> {
        let Some(wanted) = &self.resume else { return Ok(None) };
        let state = workspace.join(".mlpc");
        if !wanted.is_empty() {
            if !exec::is_run(wanted) || !state.join("runs").join(wanted).is_dir() {
                let message = format!("there is no run `{wanted}`");
                return Err(RunError { exit: 2, message, help: Some("`mlpc history` lists the runs".into()) });
            }
            return Ok(Some(RunRecord::read(&state, wanted)?));
        }
        let latest = exec::runs_of(&state, pipeline)?.find(|(_, exit)| *exit == Some(14));
        let (latest, _) = latest.ok_or_else(|| RunError {
            exit: 2,
            message: format!("no run of `{pipeline}` waits for a person"),
            help: Some("`mlpc run` starts one; `--resume RUN` goes on with another".into()),
        })?;
        Ok(Some(RunRecord::read(&state, &latest)?))
    }
}

/// Binds the plan as the earlier run did.
fn again(out: &Out, loaded: &Loaded, before: &RunRecord, select: &SelectionArgs) -> Result<Bound, Exit> {
    if select.is_given() {
        let message = "`--resume` goes on with the profile and the parameters of that run".to_owned();
        return Err(failed(out, &RunError { exit: 2, message, help: Some("leave the others out".into()) }));
    }
    // A parameter or profile that is gone since then is told as a plan that differs, not as a mistyped name.
    let known = |name: &String| loaded.plan.params.iter().any(|param| param.name == *name);
    let params: BTreeMap<_, _> = before
        .params
        .iter()
        .filter(|(name, _)| known(name))
        .map(|(name, value)| (name.clone(), Given::Value(value.clone())))
        .collect();
    if loaded.plan.digest() != before.plan {
        let message = format!("the run `{}` can't go on: the pipeline is no longer what it was", before.run);
        return Err(failed(out, &RunError { exit: 11, message, help: Some("start a new run: `mlpc run`".into()) }));
    }
    let selection = Selection {
        profile: before.profile.clone(),
        params,
        event: Some(before.event.clone()),
        branch: branch(&loaded.project.workspace),
    };
    bind_shown(out, &loaded.plan, &selection)
}

/// What ends in `.mlp` among the names is the pipeline's file.
pub(super) fn take_file(nodes: &mut Vec<String>, pipeline: &mut PipelineArgs) -> Result<(), String> {
    let (files, names): (Vec<_>, Vec<_>) = nodes.drain(..).partition(|name| name.ends_with(".mlp"));
    *nodes = names;
    match (files.as_slice(), &pipeline.file) {
        ([], _) => Ok(()),
        ([file], None) => {
            pipeline.file = Some(PathBuf::from(file));
            Ok(())
        }
        _ => Err("several pipeline files; name one".to_owned()),
    }
}

/// Returns what a run gets from this machine.
pub(super) fn setup(workspace: PathBuf) -> Result<Setup, RunError> {
    if workspace.to_str().is_none() {
        let message = format!("the path of the folder is not UTF-8: `{}`", workspace.display());
        let help = "scripts and records hold paths as text; move the pipeline to a folder whose path is".to_owned();
        return Err(RunError { exit: 2, message, help: Some(help) });
    }
    Ok(Setup {
        workspace,
        caller: std::env::vars_os().collect(),
        clock: Clock::host(),
        interrupt: Interrupt::listen()?,
    })
}

/// Shows why something could not be done; returns the exit code.
pub(super) fn failed(out: &Out, error: &RunError) -> Exit {
    out.err_line(&format!("error: {}", error.message));
    if let Some(help) = &error.help {
        out.err_line(&format!("  help: {help}"));
    }
    exit(error.exit)
}

pub(super) fn exit(code: u8) -> Exit {
    match code {
        0 => Exit::Fine,
        2 => Exit::Usage,
        10 => Exit::Refused,
        11 => Exit::Undecided,
        14 => Exit::Waiting,
        130 => Exit::Interrupted,
        _ => Exit::Failed,
    }
}
