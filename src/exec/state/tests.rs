//! The schedule on plans without any work in them: only who waits for whom, and how each ends.

use std::collections::BTreeMap;

use super::*;
use crate::exec::closure;
use crate::gate::{Baseline, Gate, OnMissing};
use crate::plan::{
    Approval, Command, FORMAT, Interpreter, Isolation, Needs, Node, Plan, Rerun, Selection, Stage, Subject, Wait, Work,
    bind,
};
use crate::types::Origin;

fn stage(needs: Needs) -> NodeKind {
    let command = Command::Script { interpreter: Interpreter::Bash, text: String::new() };
    let work = Work {
        inputs: vec![],
        code: vec![],
        uses: vec![],
        secrets: vec![],
        credentials: vec![],
        runtime: None,
        command,
        needs,
        timeout: None,
        pass_env: vec![],
        variables: vec![],
    };
    NodeKind::Stage(Box::new(Stage {
        work,
        outputs: vec![],
        retry: None,
        rerun: Rerun::Never,
        status: vec![0],
        checkpoint: None,
        isolation: Isolation::Copies,
        baseline: None,
    }))
}

fn gate(asks: Option<&str>) -> NodeKind {
    let baseline = asks.map(|approval| Baseline {
        registry: "models".into(),
        pointer: "production".into(),
        recorded: false,
        on_absent: OnMissing::Ask(approval.into()),
        on_unscorable: OnMissing::Error,
        evidence: vec![],
    });
    NodeKind::Gate(Box::new(Gate { evidence: vec![], admits: vec![], baseline, requirements: vec![] }))
}

fn approval() -> NodeKind {
    let of = Subject::Artifact(Origin::output("train", "model"));
    NodeKind::Approval(Approval { of, by: vec![], environment: None, timeout: 1, on_demand: true })
}

fn node(name: &str, kind: NodeKind, waits: &[(&str, Why)]) -> Node {
    let waits = waits.iter().map(|&(node, why)| Wait { node: node.into(), why }).collect();
    Node { name: name.into(), leg: None, doc: None, when: None, waits, kind }
}

fn bound(nodes: Vec<Node>) -> Bound {
    let plan = Plan {
        format: FORMAT,
        pipeline: "p".into(),
        doc: None,
        edition: 2026,
        triggers: vec![],
        params: vec![],
        secrets: vec![],
        runtimes: vec![],
        metrics: vec![],
        sources: vec![],
        registries: vec![],
        profiles: vec![],
        targets: vec![],
        beside: crate::plan::Beside::default(),
        nodes,
        read: std::collections::BTreeMap::new(),
        places: BTreeMap::new(),
    };
    bind(&plan, &Selection::default()).expect("bound")
}

/// Begins with all nodes, none of which takes any time.
fn begin(bound: &Bound, tokens: Tokens) -> (Schedule<'_>, Vec<usize>) {
    let chosen = Chosen { wanted: closure(bound, &[]).expect("all"), ..Chosen::default() };
    Schedule::new(bound, &chosen, &vec![0; bound.plan.nodes.len()], tokens)
}

/// Runs a schedule to its end, each node ending as `how` says, and returns the endings in words.
fn play(bound: &Bound, how: impl Fn(&str) -> Ending) -> Vec<String> {
    let (mut schedule, _) = begin(bound, Tokens::new(9, 1, u64::MAX, 9.0));
    while let Some(index) = schedule.start() {
        schedule.end(index, how(&bound.plan.nodes[index].name));
    }
    assert!(schedule.is_over(), "{schedule:?}");
    let word = |index: usize| match schedule.ending(index) {
        Some(Ending::Blocked(by)) => format!("blocked by {by}"),
        Some(Ending::Skipped(why)) => format!("skipped: {why}"),
        Some(ending) => format!("{ending:?}"),
        None => "not over".into(),
    };
    (0..bound.plan.nodes.len()).map(word).collect()
}

/// train -> quality (asks bootstrap) -> release -> promote
fn asking() -> Bound {
    bound(vec![
        node("train", stage(Needs::default()), &[]),
        node("quality", gate(Some("bootstrap")), &[("train", Why::Data)]),
        node("release", stage(Needs::default()), &[("train", Why::Data), ("quality", Why::After)]),
        node("bootstrap", approval(), &[("train", Why::Subject), ("quality", Why::Ask)]),
    ])
}

#[test]
fn a_gate_that_does_not_ask_lets_go_on_and_the_approval_is_skipped() {
    let ended = play(&asking(), |name| match name {
        "quality" => Ending::Decided(Verdict::Warn),
        _ => Ending::Done,
    });
    assert_eq!(ended, ["Done", "Decided(Warn)", "Done", "skipped: `quality` did not ask"]);
}

#[test]
fn what_waits_for_a_gate_that_asks_waits_for_the_approval() {
    let how = |answer: Ending| {
        play(&asking(), move |name| match name {
            "quality" => Ending::Asks("bootstrap".into()),
            "bootstrap" => answer.clone(),
            _ => Ending::Done,
        })
    };
    assert_eq!(how(Ending::Approved), ["Done", "Asks(\"bootstrap\")", "Done", "Approved"]);
    assert_eq!(how(Ending::WaitsForPerson)[2], "blocked by bootstrap");
    assert_eq!(how(Ending::Rejected("no".into()))[2], "blocked by bootstrap");
}

#[test]
fn a_gate_that_says_no_blocks_what_is_behind_it_and_asks_nobody() {
    for verdict in [Verdict::Fail, Verdict::Inconclusive, Verdict::Error] {
        let ended = play(&asking(), |name| match name {
            "quality" => Ending::Decided(verdict),
            _ => Ending::Done,
        });
        assert_eq!(ended[2..], ["blocked by quality", "blocked by quality"]);
    }
}

#[test]
fn a_gate_that_only_advises_asks_nobody_and_says_so() {
    let mut advisory = asking();
    advisory.gates_block = false;
    let ended = play(&advisory, |name| match name {
        "quality" => Ending::Decided(Verdict::Fail),
        _ => Ending::Done,
    });
    assert_eq!(ended[2..], ["Done", "skipped: `quality` only advises here, and asks nobody"]);
}

#[test]
fn a_failure_blocks_all_that_needs_it_and_nothing_else() {
    let bound = bound(vec![
        node("a", stage(Needs::default()), &[]),
        node("b", stage(Needs::default()), &[("a", Why::Data)]),
        node("c", stage(Needs::default()), &[("b", Why::Data)]),
        node("d", stage(Needs::default()), &[]),
    ]);
    let ended = play(&bound, |name| if name == "a" { Ending::Failed("x".into()) } else { Ending::Done });
    assert_eq!(ended, ["Failed(\"x\")", "blocked by a", "blocked by b", "Done"]);
}

#[test]
fn a_baseline_that_could_not_be_scored_leaves_the_decision_to_the_gate() {
    let bound = bound(vec![
        node("scored", stage(Needs::default()), &[]),
        node("quality", gate(None), &[("scored", Why::Baseline)]),
    ]);
    for ending in [Ending::Failed("x".into()), Ending::Skipped("no baseline".into())] {
        let ended = play(&bound, |name| if name == "scored" { ending.clone() } else { Ending::Decided(Verdict::Pass) });
        assert_eq!(ended[1], "Decided(Pass)");
    }
}

#[test]
fn what_was_not_released_here_is_no_failure_of_what_follows() {
    let bound = bound(vec![
        node("release", stage(Needs::default()), &[]),
        node("promote", stage(Needs::default()), &[("release", Why::Subject)]),
    ]);
    let ended = play(&bound, |_| Ending::NotReleased("shared".into()));
    assert_eq!(ended[1], "skipped: it needs `release`, which was not released here");
}

#[test]
fn nodes_start_in_the_order_of_declarations_as_far_as_there_is_room() {
    let gpu = || stage(Needs { gpu: Some(1), ..Needs::default() });
    let bound = bound(vec![
        node("a", gpu(), &[]),
        node("b", gpu(), &[]),
        node("c", stage(Needs::default()), &[]),
        node("d", stage(Needs::default()), &[]),
        node("e", gate(None), &[]),
    ]);
    let (mut schedule, _) = begin(&bound, Tokens::new(2, 1, u64::MAX, 2.0));
    let started: Vec<_> = std::iter::from_fn(|| schedule.start()).collect();
    assert_eq!(started, [0, 2, 4], "one GPU, two slots, and a gate that needs neither");
    schedule.end(2, Ending::Done);
    assert_eq!(schedule.start(), Some(3));
    schedule.end(0, Ending::Done);
    assert_eq!(schedule.start(), Some(1));
}

#[test]
fn the_longest_way_to_the_end_goes_first() {
    let bound = bound(vec![
        node("short", stage(Needs::default()), &[]),
        node("quick", stage(Needs::default()), &[]),
        node("slow", stage(Needs::default()), &[]),
        node("then", stage(Needs::default()), &[("quick", Why::Data)]),
        node("decides", gate(None), &[("then", Why::Data)]),
        node("last", stage(Needs::default()), &[("decides", Why::After)]),
    ]);
    let chosen = Chosen { wanted: closure(&bound, &[]).expect("all"), ..Chosen::default() };
    let order = |expected: &[u64]| {
        let (mut schedule, _) = Schedule::new(&bound, &chosen, expected, Tokens::new(1, 0, 0, 1.0));
        let mut order = Vec::new();
        while let Some(index) = schedule.start() {
            order.push(bound.plan.nodes[index].name.as_str());
            schedule.end(index, Ending::Done);
        }
        order.join(" ")
    };
    assert_eq!(order(&[1, 1, 1, 1, 0, 1]), "quick then short slow decides last");
    assert_eq!(order(&[1, 1, 9, 1, 0, 1]), "slow quick then short decides last");
    assert_eq!(order(&[1, 1, 9, 1, 0, 9]), "quick then slow decides last short");
    assert_eq!(order(&[0, 0, 0, 0, 0, 0]), "short quick slow then decides last");
}

#[test]
fn a_run_that_fails_fast_starts_nothing_more() {
    let bound = asking();
    let (mut schedule, _) = begin(&bound, Tokens::new(2, 1, 1, 1.0));
    assert_eq!(schedule.start(), Some(0));
    assert_eq!(schedule.halt(0), [1, 2, 3]);
    assert_eq!(schedule.ending(2), Some(&Ending::Blocked("train".into())));
    schedule.end(0, Ending::Failed("x".into()));
    assert!(schedule.is_over());
}

#[test]
fn one_that_asks_for_more_than_there_is_gets_all_of_it() {
    let greedy = Needs { gpu: Some(8), memory: Some(u64::MAX), cpu: Some(64.0) };
    let bound = bound(vec![node("a", stage(greedy.clone()), &[]), node("b", stage(greedy), &[])]);
    let (mut schedule, _) = begin(&bound, Tokens::new(2, 1, 1 << 30, 2.0));
    assert_eq!(schedule.start(), Some(0));
    assert_eq!(schedule.start(), None);
}

#[test]
fn stopping_ends_what_does_not_run() {
    let bound = asking();
    let (mut schedule, _) = begin(&bound, Tokens::new(2, 1, 1, 1.0));
    assert_eq!(schedule.start(), Some(0));
    assert_eq!(schedule.stop(), [1, 2, 3]);
    assert_eq!(schedule.running(), 1);
    schedule.end(0, Ending::Interrupted);
    assert!(schedule.is_over());
}

#[test]
fn the_gravest_ending_gives_the_exit_code() {
    assert_eq!(exit_code([0, 1, 14]), 1);
    assert_eq!(exit_code([1, 10, 14]), 10);
    assert_eq!(exit_code([10, 11]), 11);
    assert_eq!(exit_code([11, 130]), 130);
    assert_eq!(exit_code([0, 14]), 14);
    assert_eq!(exit_code([]), 0);
}

#[test]
fn what_is_asked_for_brings_what_it_waits_for_and_who_may_be_asked() {
    let bound = asking();
    let wanted = closure(&bound, &["release".into()]).expect("known");
    assert_eq!(wanted.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(closure(&bound, &["nobody".into()]), Err("nobody".into()));
}
