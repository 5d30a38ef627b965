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

/// Returns for each why a job elsewhere can't fetch it, where that is so. Asks no remote.
pub(crate) fn look(workspace: &Path, asked: &[Asked]) -> Vec<Option<String>> {
    let why = |one: &Asked| {
        let pinned = dvc::pinned(workspace, &one.path)?;
        let remote = Remote::committed(&pinned)?;
        if remote.is_of_this_machine(&pinned.root) {
            let (name, place) = (&remote.name, &remote.shown);
            return Err(format!("the remote `{name}` is a folder of this machine (`{place}`)"));
        }
        Ok(())
    };
    asked.iter().map(|one| why(one).err()).collect()
}

/// Says it.
pub(crate) fn say(asked: impl Iterator<Item = (Asked, Span)>, seen: &[Option<String>]) -> Vec<Diagnostic> {
    let found = asked.zip(seen).filter_map(|((one, place), why)| {
        let message = format!("jobs elsewhere can't fetch the source `{}`: {}", one.name, why.as_ref()?);
        let help = format!(
            "name a remote that they reach in `.dvc/config`, and commit it; else have `dvc pull {}` run before the jobs, and `allow` this",
            one.path
        );
        Some(Diagnostic::new(codes::DVC_OUT_OF_REACH, place, message).help(help))
    });
    found.collect()
}
