//! What the nodes of one run read, and whether each thing was one thing to all of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use super::context::{Stop, locked};
use super::held::{self, File, Files};
use crate::code::CodeFinder;
use crate::host::Digest;
use crate::plan::Plan;
use crate::types::Location;

/// What nodes of a run read so far.
pub(super) struct Reads<'a> {
    /// Of sources that are in one place, the first: two names of one place are one thing.
    first: HashMap<&'a str, &'a str>,
    /// What each place is to this run, by the first source that is in it, with the node that read it first. Nothing: it
    /// was not there.
    places: Mutex<HashMap<String, (Option<Digest>, String)>>,
    /// The sources that were read, with what they are to this run.
    sources: Mutex<BTreeMap<String, Option<Digest>>>,
    /// What sources were in the run that this one goes on with.
    expected: Mutex<BTreeMap<String, Digest>>,
    /// Nodes that found a source to be something else, with what to say of it.
    moved: Mutex<BTreeMap<String, String>>,
    /// What DVC said of the sources that it keeps, as nodes found it; nothing where they found different things.
    pins: Mutex<BTreeMap<String, Option<Digest>>>,
    /// The files of code.
    files: Mutex<Files>,
    /// What those were in the run that this one goes on with.
    held: Mutex<Files>,
    /// Nodes whose result rests on what changed while it was read, with what did.
    unsettled: Mutex<BTreeMap<String, String>>,
}

impl<'a> Reads<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut places: HashMap<Cow<'_, str>, &str> = HashMap::new();
        let first = plan.sources.iter().map(|source| {
            let place = match &source.location {
                Location::Path(path) => Cow::Borrowed(path.as_str()),
                remote @ Location::Remote { .. } => Cow::Owned(format!("{remote:?}")),
            };
            (source.name.as_str(), *places.entry(place).or_insert(&source.name))
        });
        Self {
            first: first.collect(),
            places: Mutex::default(),
            sources: Mutex::default(),
            expected: Mutex::default(),
            moved: Mutex::default(),
            pins: Mutex::default(),
            files: Mutex::default(),
            held: Mutex::default(),
            unsettled: Mutex::default(),
        }
    }

    /// Takes over what sources were in an earlier part of the same run.
    pub(super) fn expect(&self, sources: &BTreeMap<String, Digest>) {
        locked(&self.expected).clone_from(sources);
    }

    /// Notes what a node finds of a source; nothing, if it is not there. What the first one read is what it is to the
    /// whole run: a gate that judged other bytes than were trained on has judged nothing.
    pub(super) fn source(&self, name: &str, is: Option<Digest>, reader: &str) -> Result<(), Stop> {
        let before = locked(&self.expected).get(name).copied();
        let place = self.first.get(name).copied().unwrap_or(name);
        let first = locked(&self.places).entry(place.to_owned()).or_insert_with(|| (is, reader.to_owned())).clone();
        locked(&self.sources).insert(name.to_owned(), first.0);
        let why = if before.is_some_and(|before| Some(before) != is) {
            format!("the source `{name}` is no longer what it was when the run began")
        } else if first.0 != is {
            format!(
                "the source `{name}` changed while the run ran: `{reader}` finds other bytes than `{}` read",
                first.1
            )
        } else {
            return Ok(());
        };
        locked(&self.moved).entry(reader.to_owned()).or_insert_with(|| why.clone());
        Err(Stop::Unsound(why))
    }

    /// Returns what a node found of a source that is something else to this run.
    pub(super) fn moved_for(&self, node: &str) -> Option<String> {
        locked(&self.moved).get(node).cloned()
    }

    /// Returns what any node found of such a source: nothing of this run is released then.
    pub(super) fn moved(&self) -> Option<String> {
        locked(&self.moved).values().next().cloned()
    }

    /// Returns what sources are to this run.
    pub(super) fn sources(&self) -> BTreeMap<String, Digest> {
        let sources = locked(&self.sources);
        sources.iter().filter_map(|(name, is)| Some((name.clone(), (*is)?))).collect()
    }

    /// Notes what DVC says of a source that a node reads.
    pub(super) fn note_pin(&self, source: &str, pin: Digest) {
        let mut pins = locked(&self.pins);
        let known = pins.entry(source.to_owned()).or_insert(Some(pin));
        *known = known.filter(|known| *known == pin);
    }

    /// Returns what DVC said of a source each time that it was read in this run; nothing where that is not one thing.
    pub(super) fn pin(&self, source: &str) -> Option<Digest> {
        locked(&self.pins).get(source).copied().flatten()
    }

    /// Notes that a node reads a file of code. A run that goes on reads what it read before.
    pub(super) fn file(&self, path: &str, file: File) -> Result<(), Stop> {
        if locked(&self.held).get(path).is_some_and(|held| *held != Some(file)) {
            return Err(Stop::Unsound(format!("`{path}` is no longer what it was when the run began")));
        }
        held::note(&mut locked(&self.files), path, file);
        Ok(())
    }

    /// Returns the files of code that nodes read so far, but for those that the run made itself.
    pub(super) fn files(&self, code: &CodeFinder) -> Files {
        let files = locked(&self.files);
        files.iter().filter(|(path, _)| !code.is_output(path)).map(|(path, file)| (path.clone(), *file)).collect()
    }

    /// Has nodes read files only as they are here.
    pub(super) fn hold(&self, files: Files) {
        *locked(&self.held) = files;
    }

    /// Notes that nobody knows what the result of a node was made of.
    pub(super) fn unsettle(&self, node: &str, why: String) {
        locked(&self.unsettled).insert(node.to_owned(), why);
    }

    /// Returns why nobody knows what the result of a node was made of, where that is so.
    pub(super) fn unsettled(&self, node: &str) -> Option<String> {
        locked(&self.unsettled).get(node).cloned()
    }
}
