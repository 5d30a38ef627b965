//! Joins a plan with a profile, parameters and an event: what this one run does. Pure and total.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Input, Location, Node, NodeKind, Plan, Profile, Rerun, Setting, Work, given};
use crate::diagnostic::nearest;
use crate::gate;
use crate::types::{Context, Expr, Names, Origin, Value, evaluate};

mod skip;

pub use skip::Skip;

/// What a run is asked to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// The profile; the pipeline as written if none.
    pub profile: Option<String>,
    /// Parameters that are given; they go before the profile's and before defaults.
    pub params: BTreeMap<String, Given>,
    /// What started the run: `push`, `manual`, …; `local` if none.
    pub event: Option<String>,
    /// The branch that the run is of; empty if none.
    pub branch: Option<String>,
}

/// A parameter's value from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// As typed.
    Text(String),
    /// A value already.
    Value(Value),
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Why a selection does not fit the plan. A usage error: exit 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BindError {
    /// What is wrong, in the voice of diagnostics.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

/// A plan as one run sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// The plan with everything that the run decides put in: locations of sources and registries, with them the
    /// paths of inputs; published paths and evidence paths below the profile's prefix; limits of gates as
    /// values; `rerun` as always or never; no `when` (see `skipped`).
    pub plan: Plan,
    /// Digest of the plan before anything was put in: what compiled jobs carry.
    pub digest: String,
    /// The profile.
    pub profile: Option<String>,
    /// What stands before every published path: empty, or `.mlpc/profiles/<name>/`.
    pub prefix: String,
    /// What started the run.
    pub event: String,
    /// The branch that the run is of.
    pub branch: String,
    /// The value of every parameter.
    pub params: BTreeMap<String, Value>,
    /// It registers, promotes and acts. Without a profile it does, as far as each registry's reach allows.
    pub releases: bool,
    /// Its gates block; otherwise they are shown.
    pub gates_block: bool,
    /// Nodes that are known not to run, with the reason.
    pub skipped: BTreeMap<String, Skip>,
}

impl Bound {
    /// Evaluates an expression of a stage. `locals` holds its inputs, outputs, secrets and used parameters as the
    /// texts of their environment variables.
    pub fn evaluate(&self, expr: &Expr, locals: &BTreeMap<String, String>) -> Result<Value, String> {
        evaluate(expr, &Scope { bound: self, locals })
    }

    /// Evaluates an argument list: one text an argument, lists spliced, absent optionals empty.
    pub fn arguments(&self, list: &[Expr], locals: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
        let mut arguments = Vec::with_capacity(list.len());
        for expr in list {
            match self.evaluate(expr, locals)? {
                Value::List(items) => arguments.extend(items.iter().map(Value::to_string)),
                value => arguments.push(value.to_string()),
            }
        }
        Ok(arguments)
    }
}

struct Scope<'a> {
    bound: &'a Bound,
    locals: &'a BTreeMap<String, String>,
}

impl Names for Scope<'_> {
    fn param(&self, name: &str) -> Option<Value> {
        self.bound.params.get(name).cloned()
    }

    fn local(&self, name: &str) -> Option<Value> {
        self.locals.get(name).map(|text| Value::String(text.clone()))
    }

    fn context(&self, context: Context) -> Option<Value> {
        Some(Value::String(match context {
            Context::Event => self.bound.event.clone(),
            Context::Branch => self.bound.branch.clone(),
            Context::Profile => self.bound.profile.clone().unwrap_or_default(),
        }))
    }
}

/// Joins a plan with a selection.
pub fn bind(plan: &Plan, selection: &Selection) -> Result<Bound, Vec<BindError>> {
    let mut errors = Vec::new();
    let profile = selected_profile(plan, selection, &mut errors);
    let params = params(plan, profile, selection, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut bound = Bound {
        plan: plan.clone(),
        digest: plan.digest(),
        profile: selection.profile.clone(),
        prefix: profile.map(|profile| format!(".mlpc/profiles/{}/", profile.name)).unwrap_or_default(),
        event: selection.event.clone().unwrap_or_else(|| "local".to_owned()),
        branch: selection.branch.clone().unwrap_or_default(),
        params,
        releases: profile.is_none_or(|profile| profile.releases),
        gates_block: profile.is_none_or(|profile| profile.releases || profile.gates_block),
        skipped: BTreeMap::new(),
    };
    let settings = profile.map(|profile| profile.settings.clone()).unwrap_or_default();
    locate(&mut bound.plan, &settings);
    addresses(&mut bound, &mut errors);
    let mut nodes = std::mem::take(&mut bound.plan.nodes);
    let settled = nodes.iter_mut().map(|node| {
        let when = node.when.take();
        settle(&bound, node, when, &mut errors)
    });
    let off: Vec<bool> = settled.collect();
    bound.plan.nodes = nodes;
    bound.skipped = skip::skipped(&bound, &off);
    if errors.is_empty() { Ok(bound) } else { Err(errors) }
}

fn selected_profile<'p>(plan: &'p Plan, selection: &Selection, errors: &mut Vec<BindError>) -> Option<&'p Profile> {
    let name = selection.profile.as_deref()?;
    let found = plan.profiles.iter().find(|profile| profile.name == name);
    if found.is_none() {
        let names = plan.profiles.iter().map(|profile| profile.name.as_str());
        errors.push(BindError { message: format!("no profile `{name}`"), help: instead(name, names) });
    }
    found
}

fn instead<'n>(name: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    if let Some(near) = nearest(name, names.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { None } else { Some(format!("there are {}", names.join(", "))) }
}

fn params(
    plan: &Plan,
    profile: Option<&Profile>,
    selection: &Selection,
    errors: &mut Vec<BindError>,
) -> BTreeMap<String, Value> {
    let names = plan.params.iter().map(|param| param.name.as_str());
    for name in selection.params.keys().filter(|name| plan.params.iter().all(|param| param.name != **name)) {
        errors.push(BindError { message: format!("no parameter `{name}`"), help: instead(name, names.clone()) });
    }
    let set = |wanted: &str| {
        profile?.settings.iter().find_map(|setting| match setting {
            Setting::Param { name, value } if name == wanted => Some(value),
            _ => None,
        })
    };
    let mut values = BTreeMap::new();
    for param in &plan.params {
        let value = match selection.params.get(&param.name) {
            Some(Given::Text(text)) => given::read(&param.ty, text),
            Some(Given::Value(value)) => given::check(&param.ty, value),
            None if param.from.is_some() && set(&param.name).is_none() => match plan.read.get(&param.name) {
                Some(read) => read.clone(),
                None => Err("its file was not read".to_owned()),
            },
            None => match set(&param.name).or(param.default.as_ref()) {
                Some(value) => given::check(&param.ty, value),
                None if matches!(param.ty, crate::types::Type::Optional(_)) => Ok(Value::Null),
                None => {
                    errors.push(BindError {
                        message: format!("the parameter `{}` has no value", param.name),
                        help: Some(format!("give one: `--set {}=…`, of type `{}`", param.name, param.ty)),
                    });
                    continue;
                }
            },
        };
        match value {
            Ok(value) => {
                values.insert(param.name.clone(), value);
            }
            Err(why) => {
                errors.push(BindError { message: format!("parameter `{}`: {why}", param.name), help: None });
            }
        }
    }
    values
}

/// Puts the profile's locations in, and with them the paths at which stages see their sources.
fn locate(plan: &mut Plan, settings: &[Setting]) {
    for setting in settings {
        match setting {
            Setting::Param { .. } => {}
            Setting::Source { name, location } => {
                for source in plan.sources.iter_mut().filter(|source| source.name == *name) {
                    source.location = location.clone();
                    // A frozen digest is of the data as declared, not of what a profile puts in its place.
                    source.frozen = None;
                }
            }
            Setting::Registry { name, location } => {
                for registry in plan.registries.iter_mut().filter(|registry| registry.name == *name) {
                    registry.location = location.clone();
                }
            }
        }
    }
    let paths: HashMap<&str, String> =
        plan.sources.iter().map(|source| (source.name.as_str(), source.location.place(&source.name))).collect();
    for node in &mut plan.nodes {
        for input in inputs(&mut node.kind) {
            if let Origin::Source(name) = &input.origin
                && let Some(path) = paths.get(name.as_str())
            {
                path.clone_into(&mut input.path);
            }
        }
        if let NodeKind::Gate(gate) = &mut node.kind {
            for evidence in &mut gate.evidence {
                if let Origin::Source(name) = &evidence.origin
                    && let Some(path) = paths.get(name.as_str())
                {
                    path.clone_into(&mut evidence.path);
                }
            }
        }
    }
}

fn inputs(kind: &mut NodeKind) -> &mut [Input] {
    let work: &mut Work = match kind {
        NodeKind::Stage(stage) => &mut stage.work,
        NodeKind::Action(action) => &mut action.work,
        NodeKind::Rollout(rollout) => &mut rollout.work,
        NodeKind::Experiment(it) => &mut it.work,
        _ => return &mut [],
    };
    &mut work.inputs
}

/// Puts into one node what the run decides, and tells whether its `when` says no.
fn settle(bound: &Bound, node: &mut Node, when: Option<Expr>, errors: &mut Vec<BindError>) -> bool {
    let none = BTreeMap::new();
    let name = node.name.clone();
    let mut evaluated = |what: &str, expr: &Expr| match bound.evaluate(expr, &none) {
        Ok(value) => Some(value),
        Err(why) => {
            errors.push(BindError { message: format!("{what} of `{name}`: {why}"), help: None });
            None
        }
    };
    match &mut node.kind {
        NodeKind::Stage(stage) => {
            if let Rerun::When(expr) = &stage.rerun {
                let always = evaluated("`rerun when`", expr) == Some(Value::Bool(true));
                stage.rerun = if always { Rerun::Always } else { Rerun::Never };
            }
            for output in &mut stage.outputs {
                output.publish = below(&bound.prefix, &output.publish);
            }
        }
        NodeKind::Gate(gate) => {
            let made = |origin: &Origin| matches!(origin, Origin::Output { .. });
            for evidence in gate.evidence.iter_mut().filter(|evidence| made(&evidence.origin)) {
                evidence.path = below(&bound.prefix, &evidence.path);
            }
            for evidence in gate.baseline.iter_mut().flat_map(|baseline| &mut baseline.evidence) {
                evidence.path = below(&bound.prefix, &evidence.path);
            }
            for requirement in &mut gate.requirements {
                limits(&requirement.text, &mut requirement.bound, &mut evaluated);
            }
        }
        NodeKind::Experiment(it) => {
            for requirement in it.watch.requirements.iter_mut().chain(&mut it.requirements) {
                limits(&requirement.text, &mut requirement.bound, &mut evaluated);
            }
        }
        NodeKind::Rollout(rollout) => {
            for requirement in &mut rollout.watch.requirements {
                limits(&requirement.text, &mut requirement.bound, &mut evaluated);
            }
        }
        _ => {}
    }
    when.is_some_and(|when| evaluated("`when`", &when) != Some(Value::Bool(true)))
}

/// Puts the values of its limits into a requirement.
fn limits(text: &str, bound: &mut gate::Bound, evaluated: &mut impl FnMut(&str, &Expr) -> Option<Value>) {
    let what = format!("the limit of `{text}`");
    let mut limit = |expr: &mut Expr| {
        if let Some(value) = evaluated(&what, expr) {
            *expr = Expr::Value(value);
        }
    };
    match bound {
        gate::Bound::Compare { limit: expr, .. } => limit(expr),
        gate::Bound::Between { low, high } => {
            limit(low);
            limit(high);
        }
        gate::Bound::Holds => {}
    }
}

/// Puts the addresses of remote sources in, which may be parameters.
fn addresses(bound: &mut Bound, errors: &mut Vec<BindError>) {
    let mut sources = std::mem::take(&mut bound.plan.sources);
    for source in &mut sources {
        let Location::Remote { address, .. } = &mut source.location else { continue };
        match bound.evaluate(address, &BTreeMap::new()) {
            Ok(value) => *address = Expr::Value(Value::String(value.to_string())),
            Err(why) => {
                errors.push(BindError { message: format!("the address of `{}`: {why}", source.name), help: None });
            }
        }
    }
    bound.plan.sources = sources;
}

/// Moves a published path below a profile's prefix, a baseline's beside the others.
fn below(prefix: &str, path: &str) -> String {
    if prefix.is_empty() {
        return path.to_owned();
    }
    format!("{prefix}{}", path.strip_prefix(".mlpc/").unwrap_or(path))
}

#[cfg(test)]
mod tests;
