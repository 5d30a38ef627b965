//! One job a node: what it may do, where it runs, what it needs, and its steps.

use super::condition::{Own, any_of};
use super::credentials;
use super::edges::Edges;
use super::ids::verdict_of;
use super::limits::{MINUTE, SHORT};
use super::model::{Concurrency, Entries, Flag, Job, Step, With};
use super::pins;
use super::plain::{self, quote};
use super::raw::Additions;
use super::settings::{Install, Settings, Steps};
use super::short_output;
use super::steps::upload;
use super::triggers::Case;
use crate::diagnostic::{Diagnostic, codes};
use crate::emit::Noted;
use crate::plan::{Node, NodeKind, Plan, Stage};
use crate::targets::Site;

/// Days after which GitHub ends a job that waits for a person.
const WAIT_DAYS: i64 = 30;

/// What every job is made from.
pub(super) struct Jobs<'a> {
    pub(super) plan: &'a Plan,
    pub(super) site: &'a Site<'a>,
    pub(super) settings: &'a Settings,
    pub(super) cases: &'a [Case],
    pub(super) edges: &'a Edges<'a>,
    pub(super) additions: &'a Additions<'a>,
}

impl Jobs<'_> {
    /// Returns all jobs: the program, the nodes in the plan's order, the verdict, the comment.
    pub(super) fn all(&self, diagnostics: &mut Vec<Diagnostic>) -> Entries<Noted<Job>> {
        let mut jobs = Entries::default();
        if let Install::Cargo(arguments) = &self.settings.install {
            jobs.push(
                "mlpc",
                Noted::new(self.program(arguments)).before("the program itself, built once for all jobs").gap(),
            );
        }
        for node in self.plan.nodes.iter().filter(|node| self.edges.runs(&node.name)) {
            let declared = match &node.kind {
                NodeKind::Stage(stage) if stage.baseline.is_some() => "baseline of gate",
                kind => kind.keyword(),
            };
            let mut comment = format!("{declared} {}", baseline(node).map_or(&node.name, |stage| &stage.gate));
            if let Some(stage) = baseline(node) {
                comment.push_str(&format!(": {} with {}@{}", stage.stage, stage.registry, stage.pointer));
            }
            let id = self.edges.job(&node.name);
            let (job, added) = self.node(node, diagnostics);
            let mut job = Noted::new(job).before(comment).gap();
            job.before.extend(added);
            jobs.push(id, job);
            if !self.edges.asks(&node.name).is_empty() {
                let job = self.gate_verdict(&node.name);
                jobs.push(
                    verdict_of(id),
                    Noted::new(job).before(format!("gate {}, once it is answered", node.name)).gap(),
                );
            }
        }
        let all = jobs.0.iter().map(|(id, _)| id.clone()).collect();
        jobs.push(
            "verdict",
            Noted::new(self.verdict(all))
                .before("the check to require: red unless every blocking gate let go on")
                .gap(),
        );
        if let Some(job) = self.comment() {
            jobs.push("comment", Noted::new(job).before("what the pull request is told of it all").gap());
        }
        jobs
    }

    /// Returns the job of a node, and what its comment says of a raw block.
    fn node(&self, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> (Job, Option<String>) {
        let name = self.edges.job(&node.name).to_owned();
        let mut job = self.bare(title(node), self.with_program(self.edges.needs(node)));
        job.condition = self.edges.condition(node);
        job.runs_on = Noted::flow(self.runner(node, diagnostics));
        job.timeout_minutes = self.minutes(node, &job.runs_on.value, diagnostics);
        let asked = self.edges.asked_by(&node.name);
        if !asked.is_empty() || matches!(node.kind, NodeKind::Approval(_)) {
            job.permissions.0.insert(0, ("actions".into(), "read".into()));
        }
        match &node.kind {
            NodeKind::Approval(approval) => {
                if let Some(asker) = self.edges.asker(&node.name) {
                    // The digest of what is decided about, where the person who decides sees it.
                    let (asker, short) = (self.edges.job(asker), short_output(&name));
                    job.name = format!("{name}: approve ${{{{ needs.{asker}.outputs.{short} }}}}");
                }
                job.environment = approval.environment.clone();
                if job.environment.is_none() {
                    self.asks_nobody(node, diagnostics);
                }
                if approval.timeout > WAIT_DAYS * 24 * 60 * MINUTE {
                    let message =
                        format!("GitHub waits {WAIT_DAYS} days for an approval, and `{}` says more", node.name);
                    diagnostics.push(
                        Diagnostic::new(codes::TARGET_LIMIT, self.site.span(&node.name), message)
                            .help(format!("write `timeout: {WAIT_DAYS}d` or less")),
                    );
                }
            }
            NodeKind::Register(_) => job.permissions = contents("write"),
            NodeKind::Promote(promote) => {
                job.permissions = contents("write");
                // Pointers are moved one after the other; the compare-and-swap decides, this only saves work.
                let group = format!("{}-{}-{}", self.plan.pipeline, promote.registry, promote.pointer);
                job.concurrency = Some(Concurrency { group, cancel_in_progress: Flag::Fixed(false) });
            }
            NodeKind::Action(action) => {
                job.environment = action.environment.clone();
                for (scope, access) in &action.permissions {
                    job.permissions.0.retain(|(other, _)| other != scope);
                    job.permissions.push(scope, access.clone());
                }
                if self.keeps_journal(node) {
                    // The journal of what it did stands in a branch of the repository.
                    job.permissions.0.retain(|(scope, _)| scope != "contents");
                    job.permissions.0.insert(0, ("contents".into(), "write".into()));
                }
                if !asked.is_empty() && job.permissions.0.iter().all(|(scope, _)| scope != "actions") {
                    job.permissions.push("actions", "read".into());
                }
            }
            NodeKind::Rollout(_) | NodeKind::Experiment(_) => {
                let (word, name) = (node.kind.keyword(), &node.name);
                let message = format!("`mlpc` can't run the {word} `{name}` yet, on GitHub or anywhere else");
                let diagnostic = Diagnostic::new(codes::NOTHING_RUNS_IT, self.site.span(&node.name), message)
                    .help("release with `promote`, and shift traffic in an `action … of` the release");
                diagnostics.push(match self.site.spans.get("target github") {
                    Some(&target) => diagnostic.label(target, "for this target"),
                    None => diagnostic,
                });
            }
            NodeKind::Stage(_) | NodeKind::Gate(_) => {}
        }
        if let Some(environment) = &job.environment {
            self.check_environment(node, environment, diagnostics);
        }
        if !asked.is_empty() && job.permissions.0.iter().all(|(scope, _)| scope != "actions") {
            job.permissions.0.insert(0, ("actions".into(), "read".into()));
        }
        job.outputs = self.outputs(node, !asked.is_empty());
        job.steps = self.preamble(node.kind.work().and_then(|work| work.runtime.as_deref()));
        for credential in self.plan.keys(node) {
            if let Some(mut step) = credentials::step(self.plan, credential) {
                match self.opened_in(node, credential) {
                    Own::Never => continue,
                    Own::If(condition) => step.condition = Some(format!("${{{{ {condition} }}}}")),
                    Own::Always => {}
                }
                job.permissions.0.retain(|(scope, _)| scope != "id-token");
                job.permissions.push("id-token", "write".into());
                job.steps.push(Noted::new(step));
            }
        }
        let setup = job.steps.len();
        let cache = self.cache(node);
        for step in cache.map(|cache| self.cache_keys(cache)).unwrap_or_default() {
            job.permissions.0.retain(|(scope, _)| scope != "id-token");
            job.permissions.push("id-token", "write".into());
            job.steps.push(Noted::new(step));
        }
        for other in self.edges.fetches(node) {
            job.steps.push(Noted::new(self.fetch(node, other)));
        }
        let command = match &node.kind {
            NodeKind::Stage(stage) if self.settings.steps == Steps::Plain => plain::plain(self.plan, stage, self.cases),
            _ => None,
        };
        if let (Some(command), NodeKind::Stage(stage)) = (command, &node.kind) {
            let mut bring = self.exec(node, "--begin");
            bring.name = "Bring the inputs".into();
            let keeps = keeps_always(stage);
            let run = Step {
                name: format!("Run {}", node.name),
                id: keeps.then(|| "run".into()),
                shell: Some(command.shell),
                env: command.env,
                run: Some(command.run),
                ..Step::default()
            };
            let mut check = self.exec(node, if asked.is_empty() { "--end" } else { "--end --asks" });
            check.name = "Check the outputs".into();
            check.id = Some("mlpc".into());
            if keeps {
                // What a failed command left of its reports is kept; the job stays red.
                check.condition = Some("${{ !cancelled() }}".into());
                check.env.push("MLPC_OUTCOME", "${{ steps.run.outcome }}".into());
            }
            job.steps.extend([bring, run, check].map(Noted::new));
        } else {
            let mut step = self.exec(node, if asked.is_empty() { "" } else { "--asks" });
            step.name = verb(node);
            step.id = Some("mlpc".into());
            let own = node.kind.work().map(|work| work.secrets.as_slice()).unwrap_or_default();
            for secret in own.iter().chain(self.plan.lent(node)) {
                let name = secret.secret.to_uppercase();
                // The job's own token may stand there already: it is the same one, by another name.
                if !step.env.has(&name) {
                    step.env.push(&name, format!("${{{{ secrets.{name} }}}}"));
                }
            }
            for (name, value) in cache.map(|cache| self.cache_variables(cache).0).unwrap_or_default() {
                step.env.push(&name, value);
            }
            job.steps.push(Noted::new(step));
        }
        if !matches!(node.kind, NodeKind::Approval(_)) {
            job.steps.push(Noted::new(upload(&node.name)));
        }
        let added = self.additions.job(crate::targets::raw::declared(node), setup, &mut job);
        (job, added)
    }

    /// Returns when a node's job needs a credential: a profile may put other data in the place of what it opens.
    fn opened_in(&self, node: &Node, credential: &str) -> Own {
        let profile = |case: &Case| {
            let name = case.profile.as_ref()?;
            self.plan.profiles.iter().find(|profile| profile.name == *name)
        };
        let needs = |case: &&Case| self.plan.needs_key(node, credential, profile(case));
        let cases: Vec<&str> = self.cases.iter().filter(needs).map(|case| case.is.as_str()).collect();
        match cases.len() {
            0 => Own::Never,
            some if some == self.cases.len() => Own::Always,
            _ => Own::If(any_of(cases)),
        }
    }

    /// Returns the job that builds the program.
    fn program(&self, arguments: &[String]) -> Job {
        let mut job = self.bare("mlpc".into(), vec![]);
        job.permissions = Entries::default();
        job.timeout_minutes = 60;
        job.outputs = [
            ("artifact", "${{ steps.build.outputs.artifact }}".to_owned()),
            ("digest", "${{ steps.build.outputs.digest }}".to_owned()),
        ]
        .into();
        let words: Vec<_> = arguments.iter().map(|word| quote(word)).collect();
        job.steps = vec![
            Noted::new(Step {
                name: format!("Build mlpc {}", self.site.version),
                id: Some("build".into()),
                working_directory: self.nowhere(),
                run: Some(format!(
                    "cargo install --locked --root \"$RUNNER_TEMP/mlpc\" {}\n\
                     digest=$(sha256sum \"$RUNNER_TEMP/mlpc/bin/mlpc\" | cut -d ' ' -f 1)\n\
                     echo \"digest=$digest\" >> \"$GITHUB_OUTPUT\"\n\
                     echo \"artifact=mlpc-program-$GITHUB_RUN_ATTEMPT\" >> \"$GITHUB_OUTPUT\"\n",
                    words.join(" ")
                )),
                ..Step::default()
            }),
            Noted::new(Step {
                name: "Keep mlpc".into(),
                uses: Some(pins::uses("actions/upload-artifact", "")),
                with: [
                    ("name", With::from("${{ steps.build.outputs.artifact }}")),
                    ("path", "${{ runner.temp }}/mlpc/bin/mlpc".into()),
                    ("if-no-files-found", "error".into()),
                ]
                .into(),
                ..Step::default()
            }),
        ];
        job
    }

    /// Returns the job behind a gate that may ask: what waits for the gate waits for this one.
    fn gate_verdict(&self, gate: &str) -> Job {
        let (needs, condition) = self.edges.verdict(gate);
        let mut job = self.bare(format!("{gate}: verdict"), needs);
        job.condition = Some(condition);
        job.permissions = Entries::default();
        job.timeout_minutes = 5;
        let env = [("VERDICT", format!("${{{{ needs.{}.outputs.verdict }}}}", self.edges.job(gate)))].into();
        let run = Some(format!("echo {}\": $VERDICT\"", quote(gate)));
        let working_directory = self.nowhere();
        job.steps = vec![Noted::new(Step { name: "Go on".into(), working_directory, env, run, ..Step::default() })];
        job
    }

    /// Returns the job behind all others but the comment.
    fn verdict(&self, needs: Vec<String>) -> Job {
        // A required check is known by this name alone, in all workflows of a repository.
        let mut job = self.bare(format!("{} verdict", self.plan.pipeline), needs);
        job.condition = Some("${{ always() }}".into());
        job.steps = self.preamble(None);
        if matches!(self.settings.install, Install::Cargo(_)) {
            // Without the program there is no verdict, and the job is red by that.
            job.steps[1].value.name = "Fetch mlpc".into();
        }
        job.steps.push(Noted::new(Step {
            name: "Verdict".into(),
            env: [("MLPC_NEEDS", "${{ toJSON(needs) }}".to_owned())].into(),
            run: Some(format!("mlpc exec --verdict --file {} --plan \"$MLPC_PLAN\"", quote(self.site.file))),
            ..Step::default()
        }));
        job
    }

    pub(super) fn bare(&self, name: String, needs: Vec<String>) -> Job {
        Job {
            name,
            needs: Noted::flow(needs),
            condition: None,
            runs_on: Noted::flow(self.settings.default.clone()),
            environment: None,
            permissions: contents("read"),
            concurrency: None,
            timeout_minutes: SHORT,
            env: Entries::default(),
            services: Entries::default(),
            outputs: Entries::default(),
            steps: vec![],
        }
    }

    /// Returns the folder of a step in a job without a checkout, where the pipeline's own is not there.
    fn nowhere(&self) -> Option<String> {
        (!self.site.folder.is_empty()).then(|| "${{ runner.temp }}".into())
    }

    pub(super) fn with_program(&self, mut needs: Vec<String>) -> Vec<String> {
        if matches!(self.settings.install, Install::Cargo(_)) {
            needs.insert(0, "mlpc".into());
        }
        needs
    }

    fn outputs(&self, node: &Node, asks: bool) -> Entries<String> {
        let mut names = match &node.kind {
            NodeKind::Approval(_) => return Entries::default(),
            NodeKind::Gate(_) => vec!["artifact", "digest", "verdict"],
            _ => vec!["artifact", "digest"],
        };
        match self.edges.asks(&node.name).len() {
            0 => {}
            1 => names.push("ask"),
            _ => names.extend(["ask", "asked"]),
        }
        if self.edges.passes_over(&node.name) {
            names.push("there");
        }
        let short = self.edges.asked_by(&node.name).iter().map(|approval| short_output(self.edges.job(approval)));
        let short: Vec<String> = short.collect();
        if asks {
            names.extend(short.iter().map(String::as_str));
            names.extend(["asked_at", "attempt", "reviews"]);
        }
        let output = |name: &str| (name.to_owned(), format!("${{{{ steps.mlpc.outputs.{name} }}}}"));
        Entries(names.into_iter().map(output).collect())
    }
}

fn baseline(node: &Node) -> Option<&crate::plan::BaselineRun> {
    match &node.kind {
        NodeKind::Stage(stage) => stage.baseline.as_ref(),
        _ => None,
    }
}

fn keeps_always(stage: &Stage) -> bool {
    stage.outputs.iter().any(|output| output.always)
}

fn contents(access: &str) -> Entries<String> {
    [("contents", access.to_owned())].into()
}

/// Returns the name of a node's job: its own, and the first sentence of its documentation.
fn title(node: &Node) -> String {
    let first = node.doc.as_deref().unwrap_or_default().lines().next().unwrap_or_default().trim().trim_end_matches('.');
    if first.is_empty() || first.contains("${{") || first.chars().count() > 100 {
        node.name.clone()
    } else {
        format!("{}: {first}", node.name)
    }
}

/// Returns what the step of a node does, in words.
fn verb(node: &Node) -> String {
    let name = &node.name;
    match &node.kind {
        NodeKind::Stage(_) | NodeKind::Action(_) | NodeKind::Rollout(_) | NodeKind::Experiment(_) => {
            format!("Run {name}")
        }
        NodeKind::Gate(_) => format!("Decide {name}"),
        NodeKind::Approval(_) => format!("Read the answer to {name}"),
        NodeKind::Register(register) => format!("Register {} in {}", register.model, register.registry),
        NodeKind::Promote(promote) => format!("Move {}@{}", promote.registry, promote.pointer),
    }
}
