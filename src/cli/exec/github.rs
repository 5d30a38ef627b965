//! What `mlpc exec` tells GitHub and learns from it: outputs, summaries, annotations, reviews, results of jobs.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::Subject;
use super::{Context, started};
use crate::gate::render::prose;
use crate::gate::{Baseline, Report};
use crate::host::clock;
use crate::host::fs;
use crate::host::github::{GitHub, Level, Need, Spot, annotation};
use crate::plan::{Bound, Node, NodeKind, Skip, Why};
use crate::runner::{self, Answer, Asked, Ended, Received, Review, Settled, Trouble};
use crate::targets::github::{job_ids, short_output, verdict_id};

/// GitHub shows about as many annotations of a step.
const ANNOTATIONS: usize = 10;

/// Sets the outputs of the step, adds to its summary, and annotates what a gate objects to.
pub(super) fn tell(
    context: &Context<'_>,
    github: &GitHub,
    answer: &Answer,
    digest: &str,
    report: Option<&Report>,
) -> Result<(), Trouble> {
    github.output("artifact", &format!("{}-{}", github.job(), github.attempt()))?;
    github.output("digest", digest)?;
    if answer.release.is_some() {
        github.output("there", if answer.there { "true" } else { "false" })?;
    }
    if let Some(gate) = &answer.gate {
        github.output("verdict", &gate.verdict)?;
        github.output("ask", if gate.ask.is_some() { "true" } else { "false" })?;
        github.output("asked", gate.ask.as_deref().unwrap_or_default())?;
    }
    if let Some(report) = report {
        let markdown = fs::read_text(&context.job.output.join("summary.md"))?;
        github.summarize(&format!(
            "**`{}: {}`**\n\n{markdown}\n",
            report.gate,
            answer.gate.as_ref().map_or("", |gate| gate.verdict.as_str())
        ))?;
        annotate(context, github, report);
    } else if answer.exit != 0 {
        let reason = answer.reason.clone().unwrap_or_default();
        github.summarize(&format!("**`{}: failed`** {}\n", answer.node, prose(&reason)))?;
        context.out.data(&annotation(
            Level::Error,
            spot(context, github, &answer.node).as_ref(),
            &answer.node,
            &reason,
        ));
    }
    Ok(())
}

/// Returns where a node stands in the repository.
fn spot(context: &Context<'_>, github: &GitHub, key: &str) -> Option<Spot> {
    let place = context.loaded.plan.places.get(key)?;
    let file = github.in_repository(&context.loaded.project.workspace.join(&place.file));
    Some(Spot { file, line: place.line, column: place.column })
}

fn annotate(context: &Context<'_>, github: &GitHub, report: &Report) {
    let mut found: Vec<_> = report
        .requirements
        .iter()
        .filter(|line| !matches!(line.verdict, crate::gate::Outcome::Pass | crate::gate::Outcome::PassedOver))
        .collect();
    // The worst first: GitHub drops what is too much.
    found.sort_by_key(|line| std::cmp::Reverse(line.verdict));
    let level = |outcome: crate::gate::Outcome| match outcome {
        _ if report.advisory => Level::Notice,
        crate::gate::Outcome::Warn => Level::Warning,
        _ => Level::Error,
    };
    let shown = if found.len() > ANNOTATIONS { ANNOTATIONS - 1 } else { found.len() };
    for line in &found[..shown] {
        let spot = line.place.as_ref().map(|place| Spot {
            file: github.in_repository(&context.loaded.project.workspace.join(&place.file)),
            line: place.line,
            column: place.column,
        });
        let title = format!("{}: {}", report.gate, line.verdict);
        context.out.data(&annotation(
            level(line.verdict),
            spot.as_ref(),
            &title,
            &format!("{}: {}", line.text, line.reason),
        ));
    }
    if shown < found.len() {
        let message = format!("and {} more; the whole report is in the summary", found.len() - shown);
        context.out.data(&annotation(Level::Notice, None, &report.gate, &message));
    }
}

/// Notes when a person is asked, and the reviews that there are before.
pub(super) fn ask(context: &Context<'_>, github: &GitHub, answer: &Answer, received: &Received) -> Result<(), Trouble> {
    let asks = answer.gate.as_ref().map_or(answer.exit == 0, |gate| gate.ask.is_some());
    if !asks {
        return Ok(());
    }
    let told = runner::reviews(&github.reviews()?).map_err(Trouble::unsound)?;
    let jobs = job_ids(&context.job.bound.plan);
    let asked = Subject::all(context, answer, received);
    for subject in &asked {
        // It stands in the name of the job that waits, where whoever decides sees it.
        let job = jobs.get(subject.approval).map(String::as_str).unwrap_or_default();
        github.output(&short_output(job), &subject.short())?;
    }
    github.output("asked_at", &clock::iso(context.job.setup.clock.now()))?;
    github.output("attempt", github.attempt())?;
    github.output("reviews", &serde_json::to_string(&told).unwrap_or_default())?;
    let artifact = (github.run_id(), format!("{}-{}", github.job(), github.attempt()));
    let mut told: Vec<String> = Vec::new();
    for text in asked.iter().map(|subject| subject.markdown(&answer.node, (artifact.0, &artifact.1))) {
        // Several approvals may be of one release.
        if !told.contains(&text) {
            github.summarize(&text)?;
            told.push(text);
        }
    }
    Ok(())
}

/// Reads what a person said to an approval; returns who it was.
pub(super) fn answered(context: &Context<'_>, github: &GitHub, node: &str) -> Result<String, Trouble> {
    let plan = &context.job.bound.plan;
    let Some(NodeKind::Approval(approval)) = plan.node(node).map(|node| &node.kind) else {
        return Err(Trouble::unsound(format!("`{node}` is no approval")));
    };
    released_here(context.job.bound, github, node)?;
    let (jobs, needs) = (job_ids(plan), github.needs()?.unwrap_or_default());
    let mine = runner::askers(plan, node).into_iter().filter_map(|asker| needs.get(jobs.get(asker)?));
    let asked = mine.filter(|need| need.outputs.get("asked_at").is_some_and(|at| !at.is_empty()));
    // Of several gates that asked the last one counts: it knows of every review before.
    let asker = asked.max_by_key(|need| need.outputs.get("asked_at").and_then(|at| at.parse::<jiff::Timestamp>().ok()));
    let asker = asker.ok_or_else(|| Trouble::unsound(format!("no job before says when `{node}` was asked for")))?;
    let short = short_output(jobs.get(node).map(String::as_str).unwrap_or_default());
    let text = |name: &str| asker.outputs.get(name).cloned().unwrap_or_default();
    let unreadable =
        |what: &str| Trouble::unsound(format!("`{what}` of the job that asked for `{node}` can't be read"));
    let before: Vec<Review> = serde_json::from_str(&text("reviews")).map_err(|_| unreadable("reviews"))?;
    let at = text("asked_at").parse().map_err(|_| unreadable("asked_at"))?;
    let asked = Asked { at, attempt: text("attempt"), reviews: before };
    let now = runner::reviews(&github.reviews()?).map_err(Trouble::unsound)?;
    let who = runner::decide(node, approval, &asked, github.attempt(), context.job.setup.clock.now(), &now)?;
    github.summarize(&format!("**`{node}`**: {} approved `{}`\n", prose(&who), prose(&text(&short))))?;
    Ok(who)
}

/// Makes sure that this run may do what only one that releases does.
fn released_here(bound: &Bound, github: &GitHub, node: &str) -> Result<(), Trouble> {
    if may_release(bound, github) || !bound.plan.releasing().contains(node) {
        return Ok(());
    }
    let (git_ref, started) = (github.git_ref(), started(&bound.event));
    let is = bound.plan.node(node).map(|node| &node.kind);
    let would = if is.is_some_and(NodeKind::acts) { "would" } else { "is asked for what would" };
    let message = format!("a run that {started} on `{git_ref}` releases nothing, and `{node}` {would}");
    Err(Trouble::unsound(message).help("start it on a branch that `on push` names"))
}

/// Makes sure that what a node waits for and people decide was decided in its favour. The workflow's own condition says
/// so too; but that is text that can be edited, and this lock is not.
pub(super) fn permitted(
    context: &Context<'_>,
    github: &GitHub,
    node: &str,
    received: &Received,
) -> Result<(), Trouble> {
    let bound = context.job.bound;
    let Some(declared) = bound.plan.node(node) else { return Ok(()) };
    released_here(bound, github, node)?;
    let waits = declared.waits.iter().filter(|wait| !matches!(wait.why, Why::Ask | Why::Baseline));
    let (jobs, needs) = (job_ids(&bound.plan), github.needs()?.unwrap_or_default());
    let well = |job: &str| needs.get(job).is_some_and(|need| Settled::read(&need.result) == Some(Settled::Success));
    // Nobody is asked about what production is already, which lets through what is of that release and nothing else.
    let nothing_to_do = |approval: &str, job: &str| {
        let release = bound.plan.lets_through(approval, declared);
        let passed = needs.get(job).is_some_and(|need| Settled::read(&need.result) == Some(Settled::Skipped));
        let there = release.and_then(|release| received.answers.get(release)).is_some_and(|answer| answer.there);
        passed && there
    };
    for release in bound.plan.held_with(declared, &|name| bound.plan.node(name)) {
        if received.answers.get(release).is_none_or(|answer| answer.there) {
            let message = format!("`{node}` stands behind an approval of `{release}`, and nobody was asked for it");
            return Err(Trouble::unsound(message).help("compile the pipeline again, and re-run all jobs"));
        }
    }
    for wait in waits {
        let Some(job) = jobs.get(wait.node.as_str()) else { continue };
        if context.job.left_out.contains_key(&wait.node) {
            let said = needs.get(job).map_or("", |need| need.result.as_str());
            if Settled::read(said) == Some(Settled::Skipped) {
                continue;
            }
            let message = format!("`{}` is not part of this run, and GitHub says `{said}` of it", wait.node);
            return Err(Trouble::unsound(message).help("compile the pipeline again, and re-run all jobs"));
        }
        let given = match bound.plan.node(&wait.node).map(|node| &node.kind) {
            Some(NodeKind::Approval(_)) => well(job) || nothing_to_do(&wait.node, job),
            Some(NodeKind::Gate(_)) => {
                let gate = received.answers.get(&wait.node).and_then(|answer| answer.gate.as_ref());
                let asked = gate.is_some_and(|gate| gate.ask.is_some());
                let verdict = verdict_id(job);
                !bound.gates_block || if needs.contains_key(&verdict) { well(&verdict) } else { !asked }
            }
            _ if well(job) => true,
            _ => {
                let said = needs.get(job).map_or("nothing", |need| need.result.as_str());
                let message = format!("`{node}` waits for `{}`, of which GitHub says `{said}`", wait.node);
                return Err(Trouble::unsound(message).help("see why it did not run, or what failed before it"));
            }
        };
        if !given {
            let message = format!("`{node}` waits for `{}`, and no approval of it has come in", wait.node);
            return Err(Trouble::unsound(message).help("compile the pipeline again, and re-run all jobs"));
        }
    }
    Ok(())
}

/// Returns what is not part of this run: what its plan skips, what would release where this run may not, approvals that
/// no gate asked for, and all that waits for one of these.
pub(super) fn left_out(bound: &Bound, github: &GitHub) -> Result<BTreeMap<String, Skip>, Trouble> {
    let plan = &bound.plan;
    let (jobs, needs) = (job_ids(plan), github.needs()?.unwrap_or_default());
    let is_silent = |gate: &str, approval: &str| {
        let need = jobs.get(gate).and_then(|job| needs.get(job));
        need.filter(|need| Settled::read(&need.result) == Some(Settled::Success)).is_some_and(|need| {
            let said = |name: &str| need.outputs.get(name).map_or("", String::as_str);
            said("ask") == "false" || said("ask") == "true" && !["", approval].contains(&said("asked"))
        })
    };
    let released = may_release(bound, github);
    let releasing = plan.releasing();
    let there = |release: &str| {
        let need = jobs.get(release).and_then(|job| needs.get(job));
        need.filter(|need| Settled::read(&need.result) == Some(Settled::Success))
            .and_then(|need| need.outputs.get("there"))
            .is_some_and(|there| there == "true")
    };
    let root = |node: &Node| match &node.kind {
        _ if !released && releasing.contains(node.name.as_str()) => Some(Skip::Elsewhere),
        NodeKind::Approval(_) => {
            let mut gates = node.waits.iter().filter(|wait| wait.why == Why::Ask).peekable();
            let unasked = gates.peek().is_some() && gates.all(|wait| is_silent(&wait.node, &node.name));
            unasked.then_some(Skip::Unasked)
        }
        _ => plan.held_back(node, there).map(|approval| Skip::There(approval.name.clone())),
    };
    Ok(bound.left_out(plan.nodes.iter().filter_map(|node| Some((node.name.clone(), root(node)?)))))
}

/// Returns in words how a run began.
fn started(event: &str) -> String {
    match event {
        "call" => "was called".to_owned(),
        "manual" => "was started by hand".to_owned(),
        "schedule" => "the clock started".to_owned(),
        other => format!("`{other}` started"),
    }
}

/// Tells whether this run may release: only what a push to its branch would.
fn may_release(bound: &Bound, github: &GitHub) -> bool {
    let (plan, has_profile) = (&bound.plan, bound.profile.is_some());
    let (git_ref, default) = (github.git_ref(), github.default_branch());
    let of_event = started::releases(bound, Some(github));
    bound.releases
        && of_event
        && crate::targets::github::may_release(plan, &bound.event, git_ref, &default, has_profile)
}

/// Returns the approval that a gate may ask for, where it is one: its job then does not say which.
fn only_question(bound: &Bound, gate: &str) -> Option<String> {
    let NodeKind::Gate(gate) = &bound.plan.node(gate)?.kind else { return None };
    let asks: BTreeSet<&str> = gate.baseline.iter().flat_map(Baseline::asks).map(|(_, approval)| approval).collect();
    asks.first().filter(|_| asks.len() == 1).map(|approval| (*approval).to_owned())
}

/// Reads how a job ended.
pub(super) fn settled(need: &Need, job: &str) -> Result<Settled, Trouble> {
    Settled::read(&need.result)
        .ok_or_else(|| Trouble::unsound(format!("GitHub says `{}` of the job `{job}`", need.result)))
}

/// Reads what became of all jobs, and whether this run may release.
pub(super) fn ended(bound: &Bound, github: &GitHub) -> Result<(BTreeMap<String, Ended>, bool), Trouble> {
    let needs = github.needs()?.ok_or_else(|| Trouble::unsound("`MLPC_NEEDS` is not set"))?;
    let mut ended = BTreeMap::new();
    for (node, id) in job_ids(&bound.plan) {
        let Some(need) = needs.get(&id) else { continue };
        let settled = settled(need, &id)?;
        let verdict = need.outputs.get("verdict").filter(|word| !word.is_empty()).cloned();
        let asked = need.outputs.get("ask").is_some_and(|ask| ask == "true").then(|| {
            let told = need.outputs.get("asked").filter(|asked| !asked.is_empty()).cloned();
            told.or_else(|| only_question(bound, node)).unwrap_or_default()
        });
        // What waits for a gate that asked waits for the job behind the answer.
        let behind = needs.get(&verdict_id(&id)).and_then(|need| Settled::read(&need.result));
        let settled = match behind {
            Some(Settled::Failed | Settled::Cancelled) => Settled::Failed,
            _ => settled,
        };
        let there = need.outputs.get("there").is_some_and(|there| there == "true");
        ended.insert(node.to_owned(), Ended { settled, verdict, asked, there });
    }
    Ok((ended, may_release(bound, github)))
}
