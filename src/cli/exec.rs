//! `mlpc exec`: one node of a compiled pipeline on a runner. What compiled jobs call; people call `mlpc run`.

mod comment;
mod github;
mod params;
mod started;
mod subject;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::project::{self, Loaded, PipelineArgs};
use super::run::{behind, setup};
use super::selection::bind_shown;
use super::{Exit, Verb};
use crate::exec::{Event, Setup};
use crate::gate::render::{Style, table};
use crate::host::Out;
use crate::host::checkout;
use crate::host::github::{GitHub, quiet};
use crate::plan::{Bound, NodeKind, Plan, Selection};
use crate::runner::{self, Answer, Ended, Job, Settled, Trouble};
use crate::targets::github::is_callable;
use crate::types::EVENTS;

/// Do what one node of a compiled pipeline is for
///
/// Compiled jobs call this on a platform's runner: what the nodes before it made comes in as folders, and what it makes
/// goes out as one. Exit codes: 0 fine, 1 failed, 2 usage or source errors, 10 a gate or a person said no, 11 it could not
/// be decided, or something is not what it was said to be: also where the platform's files are older than the pipeline.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc exec train --plan \"$MLPC_PLAN\" --in in --out out")]
pub(crate) struct ExecArgs {
    /// The node
    #[arg(value_name = "NODE", required_unless_present_any = ["verdict", "pin", "comment"])]
    node: Option<String>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The profile; else `MLPC_PROFILE`
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    job: JobArgs,
    /// Come to the verdict of the whole run, from what became of its jobs
    #[arg(long, conflicts_with = "node")]
    verdict: bool,
    /// Write the commit that is checked out into the output folder, as `commit`: the other jobs check out that one
    #[arg(long, conflicts_with_all = ["node", "verdict"])]
    pin: bool,
    /// Show on the pull request what `comment` of `on pull_request` names, of what the jobs handed on
    #[arg(long, conflicts_with_all = ["node", "verdict", "pin"])]
    comment: bool,
    /// With `--verdict`: how the job of a node ended
    #[arg(long, value_name = "NODE=STATE")]
    status: Vec<String>,
    /// Bring the inputs of a stage whose command the platform runs itself
    #[arg(long, conflicts_with_all = ["verdict", "comment", "end"])]
    begin: bool,
    /// Check the outputs of such a stage
    #[arg(long, conflicts_with_all = ["verdict", "comment"])]
    end: bool,
    /// What a person said to an approval
    #[arg(long, value_name = "YES|NO", ignore_case = true, value_parser = ["YES", "NO"])]
    answer: Option<String>,
}

/// What a platform tells every job.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct JobArgs {
    /// Digest of the plan that the platform's files were compiled from
    #[arg(long, value_name = "HEX")]
    pub(crate) plan: Option<String>,
    /// What started the run; else `MLPC_EVENT`
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Parameters, a JSON object in base64; else `MLPC_PARAMS`, as JSON
    #[arg(long, value_name = "BASE64")]
    params: Option<String>,
    /// The platform's id of the run
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// The commit of the run, as the platform was told; another checkout is refused
    #[arg(long, value_name = "HEX")]
    commit: Option<String>,
    /// Where the folders of the nodes before are
    #[arg(long = "in", value_name = "DIR")]
    input: Option<PathBuf>,
    /// Where this node's own goes
    #[arg(long = "out", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Digest of the `result.json` in a folder of `--in`, as the platform passed it on; empty where there is none
    #[arg(long, value_name = "FOLDER=HEX")]
    expect: Vec<String>,
    /// Note that a person will be asked after this node
    #[arg(long)]
    asks: bool,
}

/// Returns the call that a gate's job makes.
pub(super) fn gate(gate: String, pipeline: PipelineArgs, profile: Option<String>, job: JobArgs) -> ExecArgs {
    let (status, answer) = (Vec::new(), None);
    let (verdict, pin, comment, begin, end) = (false, false, false, false, false);
    ExecArgs { node: Some(gate), pipeline, profile, job, verdict, pin, comment, status, begin, end, answer }
}

impl Verb for ExecArgs {
    const NAME: &'static str = "exec";

    fn run(self, out: &Out) -> Exit {
        self.exec(out).unwrap_or_else(|exit| exit)
    }
}

/// A job with everything that it knows.
struct Context<'a> {
    out: &'a Out,
    github: Option<GitHub>,
    loaded: &'a Loaded,
    job: Job<'a>,
}

impl ExecArgs {
    fn exec(self, out: &Out) -> Result<Exit, Exit> {
        let loaded = project::load(out, &self.pipeline)?;
        let shown = |trouble: Trouble| troubled(out, &trouble);
        let setup = setup(loaded.project.workspace.clone()).map_err(|error| shown(error.into()))?;
        let github = GitHub::of(&setup.caller);
        let plan = self.job.plan.as_deref().ok_or_else(|| {
            out.err_line("error: `mlpc exec` needs `--plan`; to run a pipeline here there is `mlpc run`");
            Exit::Usage
        })?;
        if loaded.plan.digest() != plan {
            let stale = Trouble::unsound("this workflow is stale: run mlpc compile");
            return Err(self::stale(out, github.as_ref(), &stale));
        }
        let bound = self.job.bind(out, &loaded.plan, self.profile.clone(), &setup, github.as_ref())?;
        let job = self.job.job(&bound, &setup, github.as_ref()).map_err(shown)?;
        let mut context = Context { out, github, loaded: &loaded, job };
        if let Err(trouble) = started::check(&self.job, &context, self.node.as_deref()) {
            self.refuse(&context, &trouble).map_err(shown)?;
            return Err(shown(trouble));
        }
        let done = match &self.node {
            None if self.pin => runner::pin(&context.job).map(|commit| {
                out.line(&format!("commit {commit}"));
                Exit::Fine
            }),
            None if self.comment => comment::comment(&context),
            None => self.verdict(&context),
            Some(node) => self.node(&mut context, node),
        };
        done.map_err(|trouble| troubled(out, &trouble))
    }

    /// Writes the answer of a node that may not begin, where one is handed on.
    fn refuse(&self, context: &Context<'_>, trouble: &Trouble) -> Result<(), Trouble> {
        let declared = self.node.as_deref().and_then(|node| context.job.bound.plan.node(node));
        match declared {
            Some(node) if !matches!(node.kind, NodeKind::Approval(_)) => {
                runner::refuse(&context.job, &node.name, trouble)
            }
            _ => Ok(()),
        }
    }

    fn node(&self, context: &mut Context<'_>, node: &str) -> Result<Exit, Trouble> {
        if let Some(NodeKind::Approval(_)) = context.job.bound.plan.node(node).map(|node| &node.kind) {
            return self.approval(context, node);
        }
        let received = runner::receive(&context.job);
        // Elsewhere what gates asked comes with their results alone.
        if let (None, Ok(received)) = (&context.github, &received) {
            context.job.left_out = runner::left_out(context.job.bound, received);
        }
        let (context, job) = (&*context, &context.job);
        let permitted = |received| match &context.github {
            Some(github) => github::permitted(context, github, node, &received).map(|()| received),
            None => Ok(received),
        };
        let received = received.and_then(|received| {
            runner::vouched(job, node, &received, context.github.is_some())?;
            permitted(received)
        });
        let received = match received {
            Ok(received) => received,
            Err(trouble) => {
                runner::refuse(job, node, &trouble)?;
                return Err(trouble);
            }
        };
        if self.begin {
            runner::begin(job, node, &received)?;
            context.out.line(&format!("{node}: its inputs are in place"));
            return Ok(Exit::Fine);
        }
        let (answer, digest, report) = if self.end {
            let failed = context.variable("MLPC_OUTCOME").is_some_and(|outcome| outcome != "success");
            let (answer, digest) = runner::end(job, node, &received, failed)?;
            (answer, digest, None)
        } else {
            context.speak(|| runner::run(job, node, &received, &|event: &Event| context.event(event)))?
        };
        if let Some(report) = &report {
            context.out.text(&table(report, Style::Plain));
        }
        // On a platform whose waiting step shows digests alone, this log is where the rest is seen.
        let asked = subject::Subject::all(context, &answer, &received);
        asked.iter().flat_map(subject::Subject::lines).for_each(|line| context.out.line(&line));
        if let Some(github) = &context.github {
            github::tell(context, github, &answer, &digest, report.as_ref())?;
            if self.job.asks {
                github::ask(context, github, &answer, &received)?;
            }
        }
        context.conclude(&answer);
        Ok(exit(answer.exit))
    }

    fn approval(&self, context: &Context<'_>, node: &str) -> Result<Exit, Trouble> {
        if let Some(github) = &context.github {
            let who = github::answered(context, github, node)?;
            context.out.line(&format!("{node}: approved by {who}"));
            return Ok(Exit::Fine);
        }
        let given = self.answer.as_deref().is_some_and(|answer| answer.eq_ignore_ascii_case("yes"));
        context.out.line(&format!("{node}: {}", if given { "approved" } else { "not approved" }));
        Ok(if given { Exit::Fine } else { Exit::Refused })
    }

    fn verdict(&self, context: &Context<'_>) -> Result<Exit, Trouble> {
        let bound = context.job.bound;
        let (ended, released) = match &context.github {
            Some(github) => github::ended(bound, github)?,
            None => {
                let told = self.job.is_told(context.job.setup);
                (self.told(context)?, bound.releases && (!told || started::releases(bound, None)))
            }
        };
        let verdict = runner::verdict(bound, &ended, released);
        let mut markdown = format!("### {}\n\n| node | |\n|---|---|\n", bound.plan.pipeline);
        for (node, text, well) in &verdict.rows {
            context.out.line(&format!("{} {node}: {text}", if *well { "  " } else { "✗ " }));
            markdown.push_str(&format!("| {}`{node}: {text}` | {} |\n", "", if *well { "✓" } else { "✗" }));
        }
        if let Some(github) = &context.github {
            github.summarize(&markdown)?;
        }
        Ok(exit(verdict.exit))
    }

    /// Reads `--status`, and what came in of gates and releases.
    fn told(&self, context: &Context<'_>) -> Result<BTreeMap<String, Ended>, Trouble> {
        let received = runner::receive(&context.job)?;
        runner::vouched(&context.job, "--verdict", &received, true)?;
        let mut ended = BTreeMap::new();
        for status in &self.status {
            let read = status.rsplit_once('=').and_then(|(node, state)| Some((node, Settled::read(state)?)));
            let Some((node, settled)) = read else {
                return Err(Trouble {
                    exit: 2,
                    message: format!("`--status {status}` says no state of a node"),
                    help: None,
                });
            };
            let answer = received.answers.get(node);
            let gate = answer.and_then(|answer| answer.gate.as_ref());
            let (verdict, asked) = (gate.map(|gate| gate.verdict.clone()), gate.and_then(|gate| gate.ask.clone()));
            let there = answer.is_some_and(|answer| answer.there);
            ended.insert(node.to_owned(), Ended { settled, verdict, asked, there });
        }
        Ok(ended)
    }
}

impl JobArgs {
    /// Binds the plan as the platform asks for it.
    fn bind(
        &self,
        out: &Out,
        plan: &Plan,
        profile: Option<String>,
        setup: &Setup,
        github: Option<&GitHub>,
    ) -> Result<Bound, Exit> {
        let variable = |name: &str| variable(setup, name);
        let mut params =
            params::read(plan, self.params.as_deref(), variable("MLPC_PARAMS").as_deref()).map_err(|message| {
                out.err_line(&format!("error: {message}"));
                Exit::Usage
            })?;
        let said = self.event.clone().or_else(|| variable("MLPC_EVENT")).filter(|event| !event.is_empty());
        if let Some(event) = said.as_deref().filter(|event| !EVENTS.contains(event)) {
            out.err_line(&format!("error: no event `{event}`; there are {}", EVENTS.join(", ")));
            return Err(Exit::Usage);
        }
        // What is called has its caller's event, whose payload is none of the pipeline's.
        let called = |github: &GitHub| is_callable(plan) && !github.is_run_of(&format!("{}.yml", plan.pipeline));
        let event = |github: &GitHub| if called(github) { "call".to_owned() } else { github.event().to_owned() };
        let told = github.map(event);
        if let (Some(said), Some(told)) = (&said, &told)
            && said != told
        {
            let message = format!("this run is said to be one of `{said}`, and GitHub says that `{told}` started it");
            return Err(troubled(out, &Trouble::unsound(message).help("compile the pipeline again")));
        }
        if let Some(github) = github.filter(|_| told.as_deref() == Some("event")) {
            let dispatched = github.dispatched().map_err(|error| error.to_string());
            let set = dispatched.and_then(|(event, payload)| params::of_payload(plan, &event, &payload));
            params.extend(set.map_err(|message| {
                out.err_line(&format!("error: {message}"));
                Exit::Usage
            })?);
        }
        let selection = Selection {
            profile: profile.or_else(|| variable("MLPC_PROFILE")).filter(|name| !name.is_empty()),
            params,
            event: said.or(told),
            branch: github.map(|github| github.branch().to_owned()),
        };
        bind_shown(out, plan, &selection)
    }

    fn job<'a>(&self, bound: &'a Bound, setup: &'a Setup, github: Option<&GitHub>) -> Result<Job<'a>, Trouble> {
        let temporary = |name: &str| match github {
            Some(github) => Ok(github.temporary()?.join("mlpc").join(name)),
            None => Ok::<_, Trouble>(PathBuf::from(".mlpc/job").join(name)),
        };
        let needs = github.map(GitHub::needs).transpose()?.flatten().map(|needs| {
            let digest =
                |(id, need): (String, crate::host::github::Need)| Some((id, need.outputs.get("digest")?.clone()));
            needs.into_iter().filter_map(digest).collect()
        });
        // A runner without git may hold files without a repository around them; it has the commit that it was started for.
        let told = self.commit.as_deref().or(github.map(GitHub::commit)).filter(|commit| !commit.is_empty());
        let checkout = match checkout::commit(&setup.workspace).or_else(|| checkout::told(&setup.workspace)) {
            None if told.is_some() && checkout::is_in(&setup.workspace) => {
                let message = "there is a repository here, and nothing tells which commit of it is checked out";
                let help = "have `git` here, which can read it, or leave `.git` out of the files";
                return Err(Trouble::unsound(message).help(help));
            }
            checkout => checkout,
        };
        if let (Some(commit), Some(found)) = (self.commit.as_deref().filter(|commit| !commit.is_empty()), &checkout)
            && commit != found
        {
            let message = format!("this run is of the commit {commit}, and {found} is checked out here");
            return Err(Trouble::unsound(message).help("check out the commit of the run"));
        }
        let left_out = match github {
            Some(github) => github::left_out(bound, github)?,
            None => bound.skipped.clone(),
        };
        let expected = if self.expect.is_empty() { needs } else { Some(expected(&self.expect)?) };
        Ok(Job {
            bound,
            setup,
            run: self.run.clone().or_else(|| github.map(GitHub::run)).unwrap_or_else(|| "local".into()),
            commit: checkout.or_else(|| told.map(str::to_owned)),
            input: self.input.clone().map_or_else(|| temporary("in"), Ok)?,
            output: self.output.clone().map_or_else(|| temporary("out"), Ok)?,
            expected,
            left_out,
        })
    }
}

/// Reads `--expect`.
fn expected(given: &[String]) -> Result<BTreeMap<String, String>, Trouble> {
    let pair = |text: &String| text.split_once('=').map(|(folder, digest)| (folder.to_owned(), digest.to_owned()));
    let usage = |text: &String| Trouble { exit: 2, message: format!("`--expect {text}` says no digest"), help: None };
    given.iter().map(|text| pair(text).ok_or_else(|| usage(text))).collect()
}

impl Context<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        variable(self.job.setup, name)
    }

    /// Lets programs of the user speak without being taken for commands of the platform.
    fn speak<T>(&self, what: impl FnOnce() -> T) -> T {
        if self.github.is_none() {
            return what();
        }
        let secret = format!("{}\0{}\0{:?}", self.job.run, std::process::id(), std::time::SystemTime::now());
        let (stop, resume) = quiet(&secret);
        self.out.data(&stop);
        let done = what();
        self.out.data(&resume);
        done
    }

    fn event(&self, event: &Event) {
        match event {
            Event::Line { text, .. } => self.out.data(text),
            Event::Note { text, .. } => self.out.err_line(&format!("note: {text}")),
            _ => {}
        }
    }

    /// Says how the node came out, in a line.
    fn conclude(&self, answer: &Answer) {
        let word = match &answer.gate {
            Some(gate) => gate.verdict.clone(),
            None => serde_json::to_value(answer.status)
                .ok()
                .and_then(|word| Some(word.as_str()?.replace('_', " ")))
                .unwrap_or_default(),
        };
        let reason = answer.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let line = format!("{}: {word}{}", answer.node, behind(&reason));
        if answer.exit == 0 { self.out.line(&line) } else { self.out.err_line(&line) }
    }
}

fn variable(setup: &Setup, name: &str) -> Option<String> {
    let value = setup.caller.get(std::ffi::OsStr::new(name))?.to_str()?.to_owned();
    (!value.is_empty()).then_some(value)
}

/// Shows why a job could not do what it is for; returns the exit code.
fn troubled(out: &Out, trouble: &Trouble) -> Exit {
    out.err_line(&format!("error: {}", trouble.message));
    if let Some(help) = &trouble.help {
        out.err_line(&format!("  help: {help}"));
    }
    exit(trouble.exit)
}

/// Says that the platform's files are older than the pipeline, where people look.
fn stale(out: &Out, github: Option<&GitHub>, trouble: &Trouble) -> Exit {
    if let Some(github) = github {
        use crate::host::github::{Level, annotation};
        out.data(&annotation(Level::Error, None, "stale", &trouble.message));
        if github.summarize(&format!("**{}**\n", trouble.message)).is_err() {
            out.err_line("note: the summary could not be written");
        }
    }
    troubled(out, trouble)
}

/// Returns the exit code as clap's side knows it.
fn exit(code: u8) -> Exit {
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
