//! What began the run, and whether it may be what it is told to be: the text of a workflow or a submission can be edited, and the
//! pipeline at the commit of the run can't.

use super::{Context, JobArgs};
use crate::exec::Setup;
use crate::host::github::GitHub;
use crate::plan::{Bound, Node, Start};
use crate::runner::Trouble;
use crate::targets::{argo, github};

impl JobArgs {
    /// Tells whether a platform says what started the run, be it nothing. On a laptop nobody does.
    pub(super) fn is_told(&self, setup: &Setup) -> bool {
        self.event.is_some() || setup.caller.contains_key(std::ffi::OsStr::new("MLPC_EVENT")) || self.is_in_pod()
    }

    fn is_in_pod(&self) -> bool {
        self.run.as_deref().is_some_and(|run| run.starts_with(argo::RUN))
    }
}

fn start<'a>(bound: &'a Bound, on_github: bool, which: Option<&'a str>) -> Start<'a> {
    let by_hand = if on_github { github::by_hand(&bound.plan) } else { argo::by_hand(&bound.plan) };
    // A form of GitHub's asks for no profile; a submission names one.
    Start { event: &bound.event, which, by_hand, may_choose: !on_github }
}

/// Tells whether the event of this run releases at all.
pub(super) fn releases(bound: &Bound, github: Option<&GitHub>) -> bool {
    let which = github.and_then(GitHub::which);
    bound.plan.event_releases(&start(bound, github.is_some(), which.as_deref()), bound.profile.is_some())
}

/// Makes sure that the profile is the one that the event's trigger names, that the event releases where the node does, and that
/// what the node reads and writes of registries outlasts the machine.
pub(super) fn check(args: &JobArgs, context: &Context<'_>, node: Option<&str>) -> Result<(), Trouble> {
    let (bound, github) = (context.job.bound, context.github.as_ref());
    if github.is_none() && !args.is_told(context.job.setup) {
        return Ok(());
    }
    if github.is_none() && bound.event == "local" {
        let help = "say it, `-p event=manual` or `-p event=push`: its trigger names the profile";
        return Err(Trouble::unsound("nothing says what started this run").help(help));
    }
    let which = github.and_then(GitHub::which);
    let start = start(bound, github.is_some(), which.as_deref());
    if let Some(message) = bound.plan.wrong_profile(&start, bound.profile.as_deref()) {
        let named = bound.plan.profiles_of(&start).first().copied().flatten().unwrap_or_default();
        let help = match github {
            Some(_) => "compile the pipeline again: its workflow hands on the profile of each trigger".to_owned(),
            None => {
                format!("say both: `-p event={} -p profile={named}`, or the event that this run is of", bound.event)
            }
        };
        return Err(Trouble::unsound(message).help(help));
    }
    let Some(node) = node.and_then(|node| bound.plan.node(node)) else { return Ok(()) };
    // On GitHub the ref is asked as well, where the node's waits are.
    let may_not = github.is_none() && bound.releases && !releases(bound, None);
    if may_not && bound.plan.releasing().contains(node.name.as_str()) {
        let message = format!("a run that `{}` started releases nothing, and `{}` would", bound.event, node.name);
        let help = match bound.event.as_str() {
            "pull_request" => "let `on pull_request` name a profile: one without `releases true` leaves this out",
            _ => "declare the trigger, `on …`, with its profile",
        };
        return Err(Trouble::unsound(message).help(help));
    }
    outlasts(args, bound, github, node)
}

fn outlasts(args: &JobArgs, bound: &Bound, github: Option<&GitHub>, node: &Node) -> Result<(), Trouble> {
    // What is compiled for GitHub says where a registry is in every run; elsewhere a run that only shows may do without.
    let shows = github.is_none() && !bound.releases && !bound.gates_block;
    if shows || bound.skipped.contains_key(&node.name) {
        return Ok(());
    }
    let stays = |path: &str| path.starts_with('/') && github.is_some_and(GitHub::self_hosted);
    match bound.lost(node, if args.is_in_pod() { "pod" } else { "runner" }, stays) {
        Some(message) => {
            let help =
                "run it with a profile that keeps the registry where others reach it: `set … = git(\"mlpc-registry\")`";
            Err(Trouble::unsound(message).help(help))
        }
        None => Ok(()),
    }
}
