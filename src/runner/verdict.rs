//! The last job: from what became of every job to one verdict, by the rule of `mlpc run`. Red is what failed, and also
//! what should have happened and did not.

use std::collections::{BTreeMap, HashSet};

use crate::exec::exit_code;
use crate::plan::{Bound, Node, NodeKind, Why};

/// How a platform says that a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Well.
    Success,
    /// Not well.
    Failed,
    /// Somebody or something stopped it.
    Cancelled,
    /// It never began.
    Skipped,
}

/// What is known of one node's job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub settled: Settled,
    /// What a gate said, in a word.
    pub verdict: Option<String>,
    /// The approval that a gate asked for; an empty text where nothing tells which.
    pub asked: Option<String>,
    /// The release of a register node is where it would be promoted to already.
    pub there: bool,
}

/// What the whole run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The exit code.
    pub exit: u8,
    /// What became of each node, in the plan's order: its name, a word or two, and whether that is as it should be.
    pub rows: Vec<(String, String, bool)>,
}

impl Settled {
    /// Reads a platform's word: GitHub's results and Argo's phases.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "success" | "succeeded" => Self::Success,
            "failure" | "failed" | "error" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "skipped" | "omitted" | "" => Self::Skipped,
            _ => return None,
        })
    }
}

/// Comes to the verdict. `released` is false where this run may not release, although its profile would.
#[must_use]
pub fn verdict(bound: &Bound, ended: &BTreeMap<String, Ended>, released: bool) -> Verdict {
    let mut codes = Vec::new();
    let mut rows = Vec::new();
    let left_out = left_out(bound, ended, released);
    let approved = |name: &str| ended.get(name).is_some_and(|ended| ended.settled == Settled::Success);
    for node in &bound.plan.nodes {
        let mine = ended.get(&node.name);
        let settled = mine.map_or(Settled::Skipped, |ended| ended.settled);
        let (text, code) = match settled {
            Settled::Success => well(bound, node, mine, &approved),
            Settled::Failed => badly(node, mine),
            Settled::Cancelled => ("cancelled".to_owned(), 1),
            Settled::Skipped => match left_out.get(node.name.as_str()) {
                Some(why) => (format!("skipped: {why}"), 0),
                None => ("not run, although it should have been".to_owned(), 11),
            },
        };
        rows.push((node.name.clone(), text, code == 0));
        codes.push((settled, code));
    }
    // What did not run because something before it failed is no fault of its own; where nothing did, it is.
    let failed = codes.iter().any(|(settled, code)| *settled != Settled::Skipped && *code != 0);
    let counted = codes.into_iter().filter(|(settled, _)| !failed || *settled != Settled::Skipped);
    Verdict { exit: exit_code(counted.map(|(_, code)| code)), rows }
}

fn well(bound: &Bound, node: &Node, ended: Option<&Ended>, approved: &impl Fn(&str) -> bool) -> (String, u8) {
    if !matches!(node.kind, NodeKind::Gate(_)) {
        return ("done".into(), 0);
    }
    let word = ended.and_then(|ended| ended.verdict.clone()).unwrap_or_default();
    if !bound.gates_block {
        return (format!("{word} (advisory)"), 0);
    }
    if let Some(asked) = ended.and_then(|ended| ended.asked.as_deref()) {
        return if approved(asked) {
            (format!("{word} (approved)"), 0)
        } else {
            (format!("{word}, and not approved"), 10)
        };
    }
    match word.as_str() {
        "pass" | "warn" => (word, 0),
        "fail" => (word, 10),
        "" => ("no verdict".into(), 11),
        _ => (word, 11),
    }
}

fn badly(node: &Node, ended: Option<&Ended>) -> (String, u8) {
    match (&node.kind, ended.and_then(|ended| ended.verdict.as_deref())) {
        (NodeKind::Gate(_), Some(word @ "fail")) => (word.to_owned(), 10),
        (NodeKind::Gate(_), Some(word)) if !word.is_empty() => (word.to_owned(), 11),
        (NodeKind::Gate(_), _) => ("could not be decided".into(), 11),
        (NodeKind::Approval(_), _) => ("not approved".into(), 10),
        _ => ("failed".into(), 1),
    }
}

/// Returns the nodes that were rightly left out, and why: wherever they are declared, so that it takes several rounds.
fn left_out<'b>(bound: &'b Bound, ended: &BTreeMap<String, Ended>, released: bool) -> BTreeMap<&'b str, String> {
    let held = (!released).then(|| bound.plan.releasing());
    let began = |node: &Node| ended.get(&node.name).is_some_and(|ended| ended.settled != Settled::Skipped);
    let mut found = BTreeMap::new();
    loop {
        let before = found.len();
        for node in bound.plan.nodes.iter().filter(|node| !began(node)) {
            if !found.contains_key(node.name.as_str())
                && let Some(why) = left_out_by(bound, node, ended, &found, held.as_ref())
            {
                found.insert(node.name.as_str(), why);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Tells why a node was rightly left out, if it was.
fn left_out_by(
    bound: &Bound,
    node: &Node,
    ended: &BTreeMap<String, Ended>,
    left_out: &BTreeMap<&str, String>,
    held: Option<&HashSet<&str>>,
) -> Option<String> {
    if bound.skipped.contains_key(&node.name) {
        return Some("not part of this run".into());
    }
    if held.is_some_and(|held| held.contains(node.name.as_str())) {
        return Some("nothing is released from here".into());
    }
    let asked = |gate: &str| {
        let ended = ended.get(gate).filter(|ended| ended.settled == Settled::Success);
        ended.and_then(|ended| ended.asked.as_deref()).is_some_and(|asked| asked.is_empty() || asked == node.name)
    };
    if let NodeKind::Approval(approval) = &node.kind
        && approval.on_demand
        && !node.waits.iter().any(|wait| wait.why == Why::Ask && asked(&wait.node))
    {
        return Some("nobody asked for it".into());
    }
    let there = |release: &str| ended.get(release).is_some_and(|it| it.there && it.settled == Settled::Success);
    if bound.plan.passed_over(node).is_some_and(there) {
        return Some("nothing to do: production is that model already".into());
    }
    let for_others = bound.plan.decided_for_others(node);
    if let Some(approval) = for_others.iter().find(|approval| left_out.contains_key(approval.name.as_str())) {
        return Some(format!("nobody was asked: `{}` decides about another release", approval.name));
    }
    let before = node.waits.iter().find(|wait| {
        // An approval that asked nobody is an answer for what it lets through.
        if bound.plan.lets_through(&wait.node, node).is_some_and(there) {
            return false;
        }
        let gate = matches!(bound.plan.node(&wait.node).map(|node| &node.kind), Some(NodeKind::Gate(_)));
        // A gate that only advises holds nothing up.
        let holds_up = node.needs(wait) && (bound.gates_block || !gate);
        holds_up && left_out.contains_key(wait.node.as_str())
    })?;
    Some(format!("`{}` was", before.node))
}
