//! What a run would do, and why: the same look-ups as a run makes, without running, publishing or recording anything.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::context::{Options, Product, Run, Setup, Stop};
use super::event::{Event, Listener, Reason};
use super::nodes::{Lookup, look_up, may};
use super::pick::{Pick, choose, one, ordered};
use super::record::{RunRecord, runs_of};
use super::run::RunError;
use super::state::{Ending, passed_over};
use super::{fetch, outputs, prepare, software};
use crate::cache::{Memory, Store};
use crate::host::fs::join_inside;
use crate::plan::{Bound, Node, NodeKind, Skip, Stage, Why};

/// What is to be expected of a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Its name.
    pub node: String,
    /// The keyword that declares it.
    pub kind: &'static str,
    /// What it would do.
    pub what: Expected,
    /// How many milliseconds it took when it last came out well here, where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
}

/// What a node would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// It would be served from the cache.
    Hit,
    /// It would run.
    Runs(Reason),
    /// It would be skipped.
    Skipped(String),
    /// It could not run.
    Fails(String),
    /// It would do something that others see, and a run without `--release` may not.
    NotReleased(String),
    /// A person is asked only if this gate wants one.
    Asks(String),
    /// It decides or acts only when its turn comes.
    Later,
}

/// Predicts what a run would do, in the order of declarations.
pub fn predict(bound: &Bound, setup: &Setup, options: &Options) -> Result<Vec<Prediction>, RunError> {
    predict_aloud(bound, setup, options, &|_: &Event| ())
}

/// As [`predict`]; `listener` hears what there is to note.
pub fn predict_aloud(
    bound: &Bound,
    setup: &Setup,
    options: &Options,
    listener: &dyn Listener,
) -> Result<Vec<Prediction>, RunError> {
    let chosen = choose(bound, options)?;
    let state = setup.workspace.join(".mlpc");
    // To say what would happen takes no right to write here.
    let store = Store::look(&state)?;
    let memory = Memory::open(&store.memory_file(), &setup.workspace);
    let mut run = Run::new(bound, (setup, options), (&store, &memory), listener, "plan".to_owned());
    run.leave_out(&chosen);
    let run = run;
    let mut known = HashMap::new();
    let nodes = &bound.plan.nodes;
    let order = ordered(nodes);
    for index in order.into_iter().filter(|index| chosen.wanted.contains(index)) {
        let node = &nodes[index];
        let what = match chosen.held.get(&index) {
            Some(why) => Expected::NotReleased(why.clone()),
            None => expect(&run, node, &known),
        };
        known.insert(node.name.as_str(), what);
    }
    if store.is_writable() {
        memory.save()?;
    }
    let named = chosen.wanted.into_iter().filter_map(|index| {
        let node = &nodes[index];
        let what = known.remove(node.name.as_str())?;
        let expected = matches!(what, Expected::Runs(_)).then(|| run.times.of(&node.name)).flatten();
        Some(Prediction { node: node.name.clone(), kind: node.kind.keyword(), what, expected })
    });
    Ok(named.collect())
}

/// Gathers what can be had from the cache, for work that is done beside a run.
pub(super) fn gather(run: &Run<'_>) {
    let nodes = &run.bound.plan.nodes;
    let mut known = HashMap::new();
    for index in ordered(nodes) {
        known.insert(nodes[index].name.as_str(), expect(run, &nodes[index], &known));
    }
}

fn expect(run: &Run<'_>, node: &Node, known: &HashMap<&str, Expected>) -> Expected {
    if let Some(skip) = run.bound.skipped.get(&node.name) {
        return Expected::Skipped(match skip {
            Skip::When => "its `when` is false".into(),
            Skip::Profile => "this profile does not release".into(),
            Skip::Elsewhere => "this run does not release".into(),
            Skip::Unasked => "no gate asked for it".into(),
            Skip::There(approval) => format!("nobody was asked: `{approval}` decides about another release"),
            Skip::Needs(other) => format!("it needs `{other}`, which is skipped"),
        });
    }
    if let Some(why) = behind(run, node, known) {
        return Expected::Skipped(why);
    }
    let NodeKind::Stage(stage) = &node.kind else {
        return match may(run, node) {
            Ok(Some(Ending::NotReleased(why))) => Expected::NotReleased(why),
            Err(Stop::Failed(why) | Stop::Unsound(why)) => Expected::Fails(why),
            _ => match &node.kind {
                NodeKind::Approval(approval) if approval.on_demand => on_demand(run, node),
                _ => Expected::Later,
            },
        };
    };
    for wait in node.waits.iter().filter(|wait| wait.why == Why::Data) {
        match known.get(wait.node.as_str()) {
            Some(Expected::Runs(_)) => return Expected::Runs(Reason::Upstream(wait.node.clone())),
            Some(Expected::Fails(_)) => return Expected::Fails(format!("`{}` can't run", wait.node)),
            _ => {}
        }
    }
    if software::is_unlocked(run, &stage.work) {
        return Expected::Runs(Reason::Unlocked);
    }
    if let Some(why) = fetch::unfetched(run, stage) {
        return Expected::Runs(why);
    }
    let prepared = match prepare::stage(run, &node.name, stage) {
        Ok(prepared) => prepared,
        Err(Stop::Failed(why) | Stop::Unsound(why)) => return Expected::Fails(why),
        Err(Stop::Skip(why)) => return Expected::Skipped(why),
        Err(Stop::Interrupted) => return Expected::Fails("interrupted".into()),
    };
    match look_up(run, node, stage, &prepared) {
        Lookup::Miss(why) => Expected::Runs(why),
        Lookup::Hit(record) => match products(run, stage, &record) {
            Some(products) => {
                for (output, product) in products {
                    run.publish_product(&node.name, &output, product);
                }
                Expected::Hit
            }
            None => Expected::Runs(Reason::Lost),
        },
    }
}

/// Says why a node would be skipped, since something before it would be, or is not released here.
fn behind(run: &Run<'_>, node: &Node, known: &HashMap<&str, Expected>) -> Option<String> {
    node.waits.iter().find_map(|wait| {
        let ending = match known.get(wait.node.as_str())? {
            Expected::Skipped(why) => Ending::Skipped(why.clone()),
            Expected::NotReleased(why) => Ending::NotReleased(why.clone()),
            _ => return None,
        };
        passed_over(run.bound, node, (run.node(&wait.node)?, wait.why), &ending)
    })
}

/// Says of an approval that gates ask for when they have no baseline, or can't score it, whether they will.
fn on_demand(run: &Run<'_>, approval: &Node) -> Expected {
    let mut quiet = None;
    for wait in approval.waits.iter().filter(|wait| wait.why == Why::Ask) {
        let Some(NodeKind::Gate(gate)) = run.bound.plan.node(&wait.node).map(|node| &node.kind) else { continue };
        let Some(baseline) = &gate.baseline else { continue };
        let mut asks = baseline.asks();
        match run.pointer(&baseline.registry, &baseline.pointer) {
            Ok(Some(_)) if !asks.any(|(clause, name)| clause == "unscorable" && name == approval.name) => {
                let name = format!("{}@{}", baseline.registry, baseline.pointer);
                quiet = Some(format!("`{}` does not ask, since `{name}` names a version", wait.node));
            }
            _ => return Expected::Asks(wait.node.clone()),
        }
    }
    quiet.map_or(Expected::Later, Expected::Skipped)
}

/// Returns what a hit would bring, if all of it can still be had.
fn products(run: &Run<'_>, stage: &Stage, record: &crate::cache::ResultRecord) -> Option<BTreeMap<String, Product>> {
    let mut products = BTreeMap::new();
    for output in &stage.outputs {
        let produced = record.output(&output.name)?;
        let path = join_inside(run.workspace(), &output.publish).ok()?;
        if !outputs::is_there(run, &path, &produced.artifact) && !run.store.has(&produced.artifact) {
            return None;
        }
        products.insert(output.name.clone(), outputs::product(output, produced));
    }
    Some(products)
}

/// Why a node runs, ran or does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What it would do now.
    pub now: Prediction,
    /// What it would wait to see first, the nearest first, where it runs only if something before it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Prediction>,
    /// The last run in which it ran, and why it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<(String, String)>,
}

/// Explains a node.
pub fn why(bound: &Bound, setup: &Setup, node: &str) -> Result<Explanation, RunError> {
    let node = one(bound, node)?.name.as_str();
    let options = Options { pick: Pick::until(vec![node.to_owned()]), ..Options::default() };
    let predictions = predict(bound, setup, &options)?;
    let find = |name: &str| predictions.iter().find(|prediction| prediction.node == name).cloned();
    let now = find(node).ok_or_else(|| RunError::new(2, format!("`{node}` has no part in a run here")))?;
    let mut before = Vec::new();
    let mut at = now.clone();
    while let Expected::Runs(Reason::Upstream(name)) = &at.what {
        let Some(next) = find(name) else { break };
        before.push(next.clone());
        at = next;
    }
    let state = setup.workspace.join(".mlpc");
    let last = runs_of(&state, &bound.plan.pipeline)?.find_map(|(run, _)| {
        let record = RunRecord::read(&state, &run).ok()?;
        Some((run, record.node(node)?.why.clone()?))
    });
    Ok(Explanation { now, before, last })
}
