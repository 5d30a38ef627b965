//! `mlpc exec --comment`: shows on a pull request what its trigger names.

use std::collections::BTreeMap;

use super::Context;
use super::github::settled;
use crate::cli::Exit;
use crate::host::github::{GitHub, Level, Posted, annotation};
use crate::plan::{Plan, Shown};
use crate::runner::{self, About, Told, Trouble};
use crate::targets::github::job_ids;

/// Makes the comment, and puts it where people see it; without a platform it is written out.
pub(super) fn comment(context: &Context<'_>) -> Result<Exit, Trouble> {
    let shown = shown(&context.job.bound.plan);
    if shown.is_empty() {
        let message = "`on pull_request` says no `comment`".to_owned();
        let help = Some("write `comment: [quality]` with the gates and plots that are shown".to_owned());
        return Err(Trouble { exit: 2, message, help });
    }
    let received = runner::receive(&context.job)?;
    runner::vouched(&context.job, "--comment", &received, context.github.is_some())?;
    let Some(github) = &context.github else {
        let about = About::default();
        let comment = runner::comment(&context.job, shown, &received, &BTreeMap::new(), &about)?;
        context.out.text(&comment.whole());
        return Ok(Exit::Fine);
    };
    let request = github.pull_request().map_err(|error| Trouble::unsound(error.to_string()))?;
    let told = told(context, github)?;
    let about = About { address: github.address(), run: github.run_id().to_owned(), head: request.head.clone() };
    let comment = runner::comment(&context.job, shown, &received, &told, &about)?;
    github.summarize(&comment.whole())?;
    if let Some(why) = request.read_only {
        let message = format!(
            "no comment is written on this pull request: {why}, and its token may only read; the summary of this run has all of it"
        );
        context.out.data(&annotation(Level::Notice, None, "comment", &message));
        return Ok(Exit::Fine);
    }
    let posted = github.comment(request.number, &comment.marker, &comment.fitted()).map_err(|error| {
        let help = "let the job have `pull-requests: write`: in a run that was called the caller has to give it; or leave `comment` out";
        Trouble::unsound(format!("the comment could not be written: {error}")).help(help)
    })?;
    context.out.line(match posted {
        Posted::New => "commented on the pull request",
        Posted::Again => "brought the comment on the pull request up to date",
    });
    Ok(Exit::Fine)
}

fn shown(plan: &Plan) -> &[Shown] {
    plan.triggers.iter().map(|trigger| trigger.comment.as_slice()).find(|shown| !shown.is_empty()).unwrap_or_default()
}

/// Reads what became of the jobs.
fn told<'p>(context: &'p Context<'_>, github: &GitHub) -> Result<BTreeMap<&'p str, Told>, Trouble> {
    let needs = github.needs()?.ok_or_else(|| Trouble::unsound("`MLPC_NEEDS` is not set"))?;
    let mut told = BTreeMap::new();
    for (node, id) in job_ids(&context.job.bound.plan) {
        let Some(need) = needs.get(&id) else { continue };
        let settled = settled(need, &id)?;
        let artifact = need.outputs.get("artifact").filter(|name| !name.is_empty()).cloned();
        told.insert(node, Told { settled: Some(settled), artifact });
    }
    Ok(told)
}
