//! Whether jobs elsewhere can have what DVC keeps: they find what is committed, and no cache of DVC.

use std::path::Path;

use crate::diagnostic::{Diagnostic, codes};
use crate::dvc::{self, Remote};
use crate::model::Model;
use crate::source::Span;
use crate::types::Location;

/// A source that DVC keeps, of a pipeline that is compiled for a platform.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) path: String,
}

impl Asked {
    /// Returns what is asked of a source, if DVC keeps it.
    pub(crate) fn of(name: &str, location: &Location) -> Option<Self> {
        let Location::Remote { scheme, .. } = location else { return None };
        let path = location.path().filter(|_| scheme == "dvc")?.to_owned();
        Some(Self { name: name.to_owned(), path })
    }
}

/// Returns what a model asks, with the places of its sources.
pub(super) fn asked(model: &Model) -> impl Iterator<Item = (Asked, Span)> {
    let sources = model.sources.iter().filter(|_| !model.targets.is_empty());
    sources.filter_map(|(_, source)| Some((Asked::of(&source.name.value, source.location.as_ref()?)?, source.place)))
}

/// Why a job elsewhere can't fetch a source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why {
    /// Nothing says which bytes it is.
    NotPinned(String),
    /// No remote that they reach has it.
    OutOfReach(String),
}

/// Returns for each why a job elsewhere can't fetch it, where that is so. Asks no remote.
pub(crate) fn look(workspace: &Path, asked: &[Asked]) -> Vec<Option<Why>> {
    let why = |one: &Asked| {
        let pinned = dvc::pinned(workspace, &one.path).map_err(Why::NotPinned)?;
        let remote = Remote::committed(&pinned).map_err(Why::OutOfReach)?;
        if remote.is_of_this_machine(&pinned.root) {
            let (name, place) = (&remote.name, &remote.shown);
            return Err(Why::OutOfReach(format!("the remote `{name}` is a folder of this machine (`{place}`)")));
        }
        Ok(())
    };
    asked.iter().map(|one| why(one).err()).collect()
}

/// Says it.
pub(crate) fn say(asked: impl Iterator<Item = (Asked, Span)>, seen: &[Option<Why>]) -> Vec<Diagnostic> {
    let found = asked.zip(seen).filter_map(|((one, place), why)| {
        let path = &one.path;
        let (why, help) = match why.as_ref()? {
            Why::NotPinned(why) => (why, "correct what DVC keeps of it (`.dvc`, `dvc.lock`), and commit that".to_owned()),
            Why::OutOfReach(why) => (why, format!(
                "name a remote that they reach in `.dvc/config`, and commit it; else have `dvc pull {path}` run before the jobs, and `allow` this"
            )),
        };
        let message = format!("jobs elsewhere can't fetch the source `{}`: {why}", one.name);
        Some(Diagnostic::new(codes::DVC_OUT_OF_REACH, place, message).help(help))
    });
    found.collect()
}
