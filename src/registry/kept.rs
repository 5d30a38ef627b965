//! Makes a registry of every [`Store`]: the rules, the layout and the transactions put together, once for all kinds.

use std::path::Path;

use super::error::{ErrorKind, RegistryError};
use super::journal::{self, Act, Begun, State};
use super::record::{
    ByHand, Candidate, Entry, Finding, Outcome, Overview, Pointer, Promotion, Registered, Rejection, Rollback, Stored,
    Version,
};
use super::view::{Store, View, measure};
use super::{Registry, fsck, layout, rollback, rules};
use crate::host::{Context, Digest, fs};

impl<S: Store> Registry for S {
    fn describe(&self) -> String {
        Store::describe(self)
    }

    fn find_by_digest(&self, digest: &Digest) -> Result<Option<Version>, RegistryError> {
        rules::find_by_digest(&*self.view()?, digest)
    }

    fn register(&self, candidate: &Candidate) -> Result<Registered, RegistryError> {
        let measured = rules::measured(candidate)?;
        self.admit(&std::iter::once(&measured.model).chain(measured.with.values()).collect::<Vec<_>>())?;
        let mut registered = None;
        let subject = format!("register {}", measured.model.file);
        self.transact(&subject, &mut |view| {
            let (answer, changes) = rules::register(view, &measured, self.clock().now())?;
            registered = Some(answer);
            Ok(changes)
        })?;
        Ok(registered.expect("a transaction asks at least once"))
    }

    fn version(&self, id: &str) -> Result<Option<Version>, RegistryError> {
        rules::version(&*self.view()?, id)
    }

    fn versions(&self) -> Result<Vec<Version>, RegistryError> {
        rules::versions(&*self.view()?)
    }

    fn metrics(&self, id: &str) -> Result<Option<String>, RegistryError> {
        let view = self.view()?;
        rules::metrics(&*view, &rules::existing_version(&*view, id)?)
    }

    fn pointer(&self, name: &str) -> Result<Option<Pointer>, RegistryError> {
        rules::pointer(&*self.view()?, name)
    }

    fn pointers(&self) -> Result<Vec<Pointer>, RegistryError> {
        rules::pointers(&*self.view()?)
    }

    fn overview(&self) -> Result<Overview, RegistryError> {
        let view = self.view()?;
        let versions = rules::versions(&*view)?;
        let with_metrics = |pointer: Pointer| {
            let metrics = rules::metrics(&*view, &rules::existing_version(&*view, &pointer.version)?)?;
            Ok((pointer, metrics))
        };
        let pointers = rules::pointers(&*view)?;
        let rejections = rollback::in_force(&*view, &pointers)?;
        let pointers = pointers.into_iter().map(with_metrics).collect::<Result<_, RegistryError>>()?;
        Ok(Overview { versions, pointers, rejections })
    }

    fn promote(&self, promotion: &Promotion) -> Result<Outcome, RegistryError> {
        let mut outcome = None;
        let subject = format!("promote {} to {}", promotion.version, promotion.pointer);
        self.transact(&subject, &mut |view| {
            let (answer, changes) = rules::promote(view, promotion, self.clock().now())?;
            outcome = Some(answer);
            Ok(changes)
        })?;
        Ok(outcome.expect("a transaction asks at least once"))
    }

    fn rollback(&self, wish: &Rollback) -> Result<Outcome, RegistryError> {
        let mut outcome = None;
        self.transact(&format!("roll {} back from {}", wish.pointer, wish.expected), &mut |view| {
            let (answer, changes) = rollback::rollback(view, wish, self.clock().now())?;
            outcome = Some(answer);
            Ok(changes)
        })?;
        Ok(outcome.expect("a transaction asks at least once"))
    }

    fn rejection(&self, pointer: &str, digest: &Digest) -> Result<Option<Rejection>, RegistryError> {
        rollback::rejection(&*self.view()?, pointer, digest)
    }

    fn allow(&self, pointer: &str, version: &str, who: &ByHand) -> Result<Rejection, RegistryError> {
        let mut allowed = None;
        self.transact(&format!("allow {version} for {pointer} again"), &mut |view| {
            let (answer, changes) = rollback::allow(view, pointer, version, who, self.clock().now())?;
            allowed = Some(answer);
            Ok(changes)
        })?;
        Ok(allowed.expect("a transaction asks at least once"))
    }

    fn acted(&self, act: &Act) -> Result<Option<State>, RegistryError> {
        journal::acted(&*self.view()?, act)
    }

    fn begin(&self, act: &Act) -> Result<Begun, RegistryError> {
        let mut begun = None;
        self.transact(&format!("begin {}", act.action), &mut |view| {
            let (answer, changes) = journal::begin(view, act, self.clock().now())?;
            begun = Some(answer);
            Ok(changes)
        })?;
        Ok(begun.expect("a transaction asks at least once"))
    }

    fn note(&self, act: &Act, state: State) -> Result<(), RegistryError> {
        let now = || self.clock().now();
        self.transact(&format!("note {}", act.action), &mut |_| Ok(journal::note(act, state, now())))
    }

    fn end(&self, act: &Act, state: State) -> Result<(), RegistryError> {
        self.transact(&format!("end {}", act.action), &mut |view| journal::end(view, act, state, self.clock().now()))
    }

    fn fetch(&self, id: &str, dest: &Path) -> Result<(), RegistryError> {
        let view = self.view()?;
        let version = rules::existing_version(&*view, id)?;
        export(&*view, &layout::in_version(id, layout::MODEL), &version.model, dest)
    }

    fn fetch_with(&self, id: &str, name: &str, dest: &Path) -> Result<(), RegistryError> {
        let view = self.view()?;
        let version = rules::existing_version(&*view, id)?;
        let Some(stored) = version.with.get(name) else {
            let message = format!("nothing named `{name}` was registered with `{id}`");
            return Err(RegistryError::new(ErrorKind::Unknown, message));
        };
        export(&*view, &layout::with(id, name), stored, dest)
    }

    fn history(&self, pointer: &str) -> Result<Vec<Entry>, RegistryError> {
        rules::history(&*self.view()?, pointer)
    }

    fn fsck(&self) -> Result<Vec<Finding>, RegistryError> {
        let (mut torn, mut findings) = (Vec::new(), Vec::new());
        self.transact("repair the records", &mut |view| {
            let (found, changes) = fsck::untear(view)?;
            torn = found;
            Ok(changes)
        })?;
        self.transact("repair derived files", &mut |view| {
            let (found, changes) = fsck::fsck(view)?;
            findings = found;
            Ok(changes)
        })?;
        torn.append(&mut findings);
        Ok(torn)
    }
}

/// Writes what is stored at `path` to `dest`; bytes that are not the registered ones never appear there.
fn export(view: &dyn View, path: &str, stored: &Stored, dest: &Path) -> Result<(), RegistryError> {
    fs::create_dirs(fs::parent(dest))?;
    let private = tempfile::Builder::new().prefix(fs::TEMPORARY).tempdir_in(fs::parent(dest)).cannot("write", dest)?;
    let staged = private.path().join("new");
    if !view.export(path, &staged)? {
        return Err(RegistryError::corrupt(format!("`{path}` is gone")));
    }
    if measure(&staged, &stored.file)?.digest != stored.digest {
        return Err(RegistryError::corrupt(format!("`{path}` was changed after it was registered")));
    }
    Ok(fs::swap_in(&staged, dest, &private.path().join("old"))?)
}
