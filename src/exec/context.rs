//! What all nodes of one run share: the workspace, the cache, what was made so far, and who is told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::event::{Event, Listener, NodeReport};
use super::fetch::Fetched;
use super::mask::Mask;
use super::pick::{Chosen, Pick};
use super::reads::Reads;
use super::record::{NodeRecord, RunRecord};
use super::sharing::Sharing;
use super::stand::{Facts, Part, Question};
use super::state::Ending;
use super::times::Times;
use crate::cache::{Artifact, Memory, Store};
use crate::code::CodeFinder;
use crate::gate::Report;
use crate::host::signal::Interrupt;
use crate::host::{Clock, Digest, Error};
use crate::judge;
use crate::plan::{Bound, Node, NodeKind, Promote, RegistryLocation, Stage, promotions_before};
use crate::registry::{self, ErrorKind, Registry};
use crate::runtime::Runtimes;
use crate::types::{Origin, Value};

/// What a run gets from the machine that it is on.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The folder of the pipeline file.
    pub workspace: PathBuf,
    /// The caller's environment.
    pub caller: BTreeMap<OsString, OsString>,
    /// The clock.
    pub clock: Clock,
    /// Set when the user wants us to stop.
    pub interrupt: Interrupt,
}

/// How a run is done.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How many commands at a time; as many as there are processors if zero.
    pub jobs: usize,
    /// Nodes that are wanted.
    pub pick: Pick,
    /// Nothing more is started once a node did not come out well.
    pub fail_fast: bool,
    /// Stages that run although their result is known.
    pub force: Force,
    /// Folders of stages are left where they are.
    pub keep: bool,
    /// Shared registries may be written to.
    pub release: bool,
    /// What is asked, where how things stand at the end is worth to be kept.
    pub question: Option<Question>,
    /// Nodes that have nothing to do are told, too, however many they are.
    pub all: bool,
    /// Inputs are taken from the workspace, not from stages: one node of a pipeline whose other nodes ran elsewhere.
    pub alone: bool,
    /// Where nodes run one by one: the approval of its own release that the node stands behind, if nobody was asked.
    pub unasked: Option<String>,
}

/// Which stages run although their result is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Force {
    /// None.
    #[default]
    Nothing,
    /// Those named.
    Nodes(Vec<String>),
    /// All.
    All,
}

impl Force {
    pub(super) fn covers(&self, node: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Nodes(names) => names.iter().any(|name| name == node || node.split('[').next() == Some(name)),
            Self::All => true,
        }
    }
}

/// What a stage made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Product {
    pub(super) artifact: Artifact,
    /// What a value output was read as.
    pub(super) value: Option<Value>,
    /// Where it was published, relative to the workspace.
    pub(super) path: String,
}

/// Where a pointer stood when the run first looked: all of the run sees the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The version it named.
    pub version: String,
    /// The digest of that version's model.
    pub digest: Digest,
}

/// A release that this run registered, or found registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version.
    pub version: String,
    /// The digest of its model.
    pub digest: Digest,
    /// Whether this run made it.
    pub new: bool,
}

/// How a node could not do what it is for.
#[derive(Debug)]
pub(super) enum Stop {
    /// It failed.
    Failed(String),
    /// Something is not what it was said to be.
    Unsound(String),
    /// There is nothing for it to do.
    Skip(String),
    /// The user wants us to stop.
    Interrupted,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Registries by name, opened when they are first asked for.
type Registries = Mutex<BTreeMap<String, Arc<dyn Registry>>>;

/// What all nodes of one run share.
pub(super) struct Run<'a> {
    pub(super) bound: &'a Bound,
    pub(super) setup: &'a Setup,
    pub(super) options: &'a Options,
    pub(super) store: &'a Store,
    pub(super) memory: &'a Memory,
    pub(super) listener: &'a dyn Listener,
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) code: CodeFinder,
    pub(super) mask: Mask,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) runtimes: Runtimes,
    pub(super) sharing: Sharing,
    pub(super) times: Times,
    pub(super) fetched: Fetched,
    pub(super) reads: Reads<'a>,
    products: Mutex<HashMap<(String, String), Product>>,
    pointers: Mutex<BTreeMap<String, Option<Seen>>>,
    releases: Mutex<BTreeMap<String, Release>>,
    gates: Mutex<BTreeMap<String, Report>>,
    approvals: Mutex<BTreeMap<String, String>>,
    endings: Mutex<HashMap<String, Ending>>,
    /// What was said and is not said again.
    said: Mutex<BTreeSet<String>>,
    /// How nodes ended before, in a run that is gone on with.
    before: Mutex<HashMap<String, NodeRecord>>,
    /// The commit that was checked out when a run began that releases.
    commit: Option<String>,
    registries: Registries,
    /// What is known from before, where only some nodes have to have their turn.
    part: Option<&'a Part>,
    /// The nodes that have their turn, where something is left out that they wait for.
    chosen: Option<HashSet<&'a str>>,
    facts: Mutex<HashMap<String, Facts>>,
    /// The plan's nodes by name: thousands of stages look for what they read.
    nodes: HashMap<&'a str, &'a Node>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        bound: &'a Bound,
        (setup, options): (&'a Setup, &'a Options),
        (store, memory): (&'a Store, &'a Memory),
        listener: &'a dyn Listener,
        id: String,
    ) -> Self {
        let secrets = secrets(bound, setup);
        let nodes = bound.plan.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        let folder = store.state().join("runs").join(&id);
        Self {
            bound,
            setup,
            options,
            store,
            memory,
            listener,
            id,
            folder,
            code: CodeFinder::of(&bound.plan, &setup.workspace),
            mask: Mask::new(secrets.values().map(String::as_str)),
            secrets,
            runtimes: Runtimes::new(&setup.workspace, &setup.caller, &setup.interrupt),
            sharing: Sharing::default(),
            times: Times::open(store, bound.profile.as_deref(), &nodes),
            fetched: Fetched::default(),
            reads: Reads::new(&bound.plan),
            products: Mutex::default(),
            pointers: Mutex::default(),
            releases: Mutex::default(),
            gates: Mutex::default(),
            approvals: Mutex::default(),
            endings: Mutex::default(),
            said: Mutex::default(),
            before: Mutex::default(),
            commit: None,
            registries: Mutex::default(),
            part: None,
            chosen: None,
            facts: Mutex::default(),
            nodes,
        }
    }

    /// Returns the node of this name.
    pub(super) fn node(&self, name: &str) -> Option<&'a Node> {
        self.nodes.get(name).copied()
    }

    /// Returns the stage of this name.
    pub(super) fn stage(&self, name: &str) -> Option<&'a Stage> {
        match &self.node(name)?.kind {
            NodeKind::Stage(stage) => Some(stage),
            _ => None,
        }
    }

    /// Takes over what stands from before: what its nodes made, and where all nodes publish.
    pub(super) fn stand_on(&mut self, part: &'a Part) {
        self.part = Some(part);
        self.code = CodeFinder::new(&self.setup.workspace, part.published.iter().cloned());
        for (node, made) in &part.made {
            for (output, artifact, value, path) in made {
                let product = Product { artifact: *artifact, value: value.clone(), path: path.clone() };
                self.publish_product(node, output, product);
            }
        }
    }

    /// Notes the commit that was checked out when the run began.
    pub(super) fn begin_at(&mut self, commit: Option<String>) {
        self.commit = commit;
    }

    /// Returns the commit that was checked out when a run began that releases.
    pub(super) fn began_at(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// Notes which nodes have their turn, where some do not for which others wait.
    pub(super) fn leave_out(&mut self, chosen: &Chosen) {
        let names = || chosen.active().into_iter().map(|index| self.bound.plan.nodes[index].name.as_str());
        self.chosen = chosen.part.then(|| names().collect());
    }

    /// Tells whether this run leaves a node out: what it made is taken as it stands.
    pub(super) fn leaves_out(&self, node: &str) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| !chosen.contains(node))
    }

    /// Tells whether a node stands well from before, so that it has nothing to do; the report says what it made then.
    pub(super) fn stands(&self, node: &str, stage: &Stage, report: &mut NodeReport) -> Result<bool, Stop> {
        // What is released is held against all that its stages read, which only their turn tells.
        let Some(part) = self.part.filter(|part| part.whole && !self.options.release) else { return Ok(false) };
        let Some(made) = part.made.get(node) else { return Ok(false) };
        for input in &stage.work.inputs {
            if let Origin::Source(name) = &input.origin
                && let Some(was) = part.header.run.sources.get(name)
            {
                self.reads.source(name, Some(*was), node)?;
            }
        }
        report.key = part.keys.get(node).map(|key| key.hex());
        report.outputs = made.iter().map(|(name, artifact, ..)| (name.clone(), artifact.digest.to_string())).collect();
        Ok(true)
    }

    pub(super) fn note_facts(&self, node: &str, facts: Facts) {
        locked(&self.facts).insert(node.to_owned(), facts);
    }

    pub(super) fn take_facts(&self) -> HashMap<String, Facts> {
        std::mem::take(&mut *locked(&self.facts))
    }

    pub(super) fn workspace(&self) -> &Path {
        &self.setup.workspace
    }

    pub(super) fn profile(&self) -> &str {
        self.bound.profile.as_deref().unwrap_or_default()
    }

    pub(super) fn tell(&self, event: Event) {
        self.listener.event(&event);
    }

    pub(super) fn note(&self, node: &str, mut text: String) {
        self.mask.cover(&mut text);
        self.tell(Event::Note { node: node.to_owned(), text });
    }

    /// Says what several nodes find, once.
    pub(super) fn note_once(&self, text: String) {
        if locked(&self.said).insert(text.clone()) {
            self.note("", text);
        }
    }

    pub(super) fn publish_product(&self, stage: &str, output: &str, product: Product) {
        locked(&self.products).insert((stage.to_owned(), output.to_owned()), product);
    }

    pub(super) fn product(&self, stage: &str, output: &str) -> Option<Product> {
        locked(&self.products).get(&(stage.to_owned(), output.to_owned())).cloned()
    }

    pub(super) fn note_release(&self, node: &str, release: Release) {
        let mut releases = locked(&self.releases);
        // A run that goes on finds what it registered itself.
        let own = releases.get(node).is_some_and(|before| before.new && before.version == release.version);
        releases.insert(node.to_owned(), Release { new: release.new || own, ..release });
    }

    pub(super) fn releases(&self) -> BTreeMap<String, Release> {
        locked(&self.releases).clone()
    }

    pub(super) fn release(&self, node: &str) -> Option<Release> {
        locked(&self.releases).get(node).cloned()
    }

    pub(super) fn note_gate(&self, report: Report) {
        locked(&self.gates).insert(report.gate.clone(), report);
    }

    /// Returns the reports of all gates that were evaluated so far, here or, where nodes run one by one, elsewhere.
    pub(super) fn gates(&self) -> BTreeMap<String, Report> {
        let mut reports = locked(&self.gates).clone();
        if self.options.alone {
            let gates = self.bound.plan.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Gate(_)));
            for gate in gates {
                let path = self.workspace().join(judge::report_path(&self.bound.prefix, &gate.name));
                let text = std::fs::read_to_string(path).unwrap_or_default();
                if let Ok(report) = Report::from_json(&text)
                    && report.plan == self.bound.digest
                {
                    reports.entry(gate.name.clone()).or_insert(report);
                }
            }
        }
        reports
    }

    pub(super) fn note_approval(&self, approval: &str, by: &str, at: &str) {
        locked(&self.approvals).insert(approval.to_owned(), format!("{by}, {at}"));
    }

    /// Returns who approved what so far.
    pub(super) fn approvals(&self) -> BTreeMap<String, String> {
        locked(&self.approvals).clone()
    }

    pub(super) fn note_ending(&self, node: &str, ending: &Ending) {
        locked(&self.endings).insert(node.to_owned(), ending.clone());
    }

    pub(super) fn ending(&self, node: &str) -> Option<Ending> {
        locked(&self.endings).get(node).cloned()
    }

    /// Takes over what an earlier part of the same run saw and did.
    pub(super) fn go_on(&self, before: &RunRecord) {
        locked(&self.pointers).clone_from(&before.pointers);
        locked(&self.releases).clone_from(&before.releases);
        self.reads.expect(&before.sources);
        let nodes = before.nodes.iter().filter(|node| node.run == self.id);
        *locked(&self.before) = nodes.map(|node| (node.node.clone(), node.clone())).collect();
    }

    /// Returns how a node ended well before this run was gone on with.
    pub(super) fn done_before(&self, node: &str) -> Option<NodeRecord> {
        let before = locked(&self.before);
        before.get(node).filter(|was| matches!(was.ending, Ending::Done | Ending::Hit)).cloned()
    }

    pub(super) fn pointers(&self) -> BTreeMap<String, Option<Seen>> {
        locked(&self.pointers).clone()
    }

    /// Returns where a pointer stood when this run first looked at it.
    pub(super) fn pointer(&self, registry: &str, pointer: &str) -> Result<Option<Seen>, Stop> {
        let name = format!("{registry}@{pointer}");
        let mut pointers = locked(&self.pointers);
        if let Some(seen) = pointers.get(&name) {
            return Ok(seen.clone());
        }
        let seen = self.look(registry, pointer)?;
        pointers.insert(name, seen.clone());
        Ok(seen)
    }

    /// Returns where a pointer stands for a node that reads what it names: behind a promotion as that left it, else as this run first saw
    /// it.
    pub(super) fn pointer_before(&self, node: &str, registry: &str, pointer: &str) -> Result<Option<Seen>, Stop> {
        let moves = |(before, promote): &(&Node, &Promote)| {
            (promote.registry.as_str(), promote.pointer.as_str()) == (registry, pointer)
                && !self.bound.skipped.contains_key(&before.name)
        };
        let node = self.node(node).into_iter();
        if node.flat_map(|node| promotions_before(node, &|name| self.node(name))).any(|one| moves(&one)) {
            return self.look(registry, pointer);
        }
        self.pointer(registry, pointer)
    }

    /// Looks where a pointer stands now.
    fn look(&self, registry: &str, pointer: &str) -> Result<Option<Seen>, Stop> {
        let name = format!("{registry}@{pointer}");
        let found = self.registry(registry)?.pointer(pointer).map_err(|error| {
            // A registry that can't be read is not one without a champion: nothing may pass on that ground.
            let help = match error.kind() {
                ErrorKind::Corrupt => format!("; `mlpc registry fsck {registry}` says what can be mended"),
                _ => String::new(),
            };
            Stop::Unsound(format!("`{name}` can't be read: {error}{help}"))
        })?;
        Ok(found.map(|found| Seen { version: found.version, digest: found.digest }))
    }

    pub(super) fn registry(&self, name: &str) -> Result<Arc<dyn Registry>, Stop> {
        let mut registries = locked(&self.registries);
        if let Some(registry) = registries.get(name) {
            return Ok(Arc::clone(registry));
        }
        let location = self.registry_location(name)?;
        let opened = registry::open(name, location, self.workspace(), self.setup.clock.clone())
            .map_err(|error| Stop::Unsound(error.to_string()))?;
        let opened: Arc<dyn Registry> = Arc::from(opened);
        registries.insert(name.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }

    pub(super) fn registry_location(&self, name: &str) -> Result<&'a RegistryLocation, Stop> {
        let found = self.bound.plan.registry(name).map(|registry| &registry.location);
        found.ok_or_else(|| Stop::Failed(format!("the plan has no registry `{name}`")))
    }
}

/// Returns what a mutex holds, also where somebody died with it: each of ours is whole between any two steps.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The caller holds a secret under its name in upper case.
fn secrets(bound: &Bound, setup: &Setup) -> BTreeMap<String, String> {
    // An empty one is what a platform gives where nobody has set the secret.
    let set =
        |name: &str| setup.caller.get(&OsString::from(name.to_uppercase()))?.to_str().filter(|text| !text.is_empty());
    let value = |name: &str| set(name).map(str::to_owned);
    bound.plan.secrets.iter().filter_map(|secret| Some((secret.name.clone(), value(&secret.name)?))).collect()
}
