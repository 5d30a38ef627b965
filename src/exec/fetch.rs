//! Sources that servers and stores hold. What is pinned by a digest is fetched when somebody reads it, and once; what is pinned by a
//! version, once; what is not pinned is asked for in every run, and all nodes of one run see the same. Nothing that came is believed
//! before it was hashed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::context::{Options, Run, Setup, Stop};
use super::event::Reason;
use super::prepare::From;
use super::run::RunError;
use crate::cache::remote::{Downloaded, Progress, Tag, Wanted, download, sha256};
use crate::cache::{Artifact, Kind, Memory, Store, Take};
use crate::host::lock::Lock;
use crate::host::{Digest, fs, human};
use crate::plan::{Bound, Location, Rerun, Source, Stage, Work};
use crate::types::Origin;

/// What this run has fetched already, by source.
#[derive(Debug, Default)]
pub(super) struct Fetched(Mutex<BTreeMap<String, Arc<Mutex<Option<Artifact>>>>>);

/// What is remembered of something that was fetched.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    artifact: Artifact,
    #[serde(default)]
    tag: Tag,
}

/// Where a source is, as far as it can be fetched from there.
struct Place<'s> {
    source: &'s Source,
    url: &'s str,
    version: Option<&'s str>,
    public: bool,
    /// Digests that the bytes must have: `blake3:…` or `sha256:…`.
    pins: Vec<&'s str>,
}

impl<'s> Place<'s> {
    fn of(source: &'s Source) -> Result<Self, Stop> {
        let Location::Remote { scheme, version, digest, public, .. } = &source.location else {
            return Err(Stop::Failed(format!("the source `{}` is in the workspace", source.name)));
        };
        if !["http", "s3"].contains(&scheme.as_str()) {
            return Err(Stop::Failed(format!(
                "the source `{}` is in {scheme}, which mlpc can't fetch from: `http(…)` and `s3(…)` can be fetched",
                source.name
            )));
        }
        let url = source.location.address().unwrap_or_default();
        let pins = digest.iter().chain(&source.frozen).map(String::as_str).collect();
        Ok(Self { source, url, version: version.as_deref(), public: *public, pins })
    }

    /// Returns the digest, where it is known beforehand.
    fn digest(&self) -> Option<Digest> {
        self.pins.iter().find(|pin| pin.starts_with("blake3:")).and_then(|pin| pin.parse().ok())
    }

    /// It names the same bytes for ever.
    fn is_pinned(&self) -> bool {
        self.version.is_some() || !self.pins.is_empty()
    }

    /// Returns where what is remembered of it stands, and what came of it so far.
    fn kept(&self, run: &Run<'_>) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        for part in [self.url, self.version.unwrap_or_default()].into_iter().chain(self.pins.iter().copied()) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        folder(run.store.state()).join(&hasher.finalize().to_hex()[..32])
    }
}

/// Returns the folder that holds what is remembered of what was fetched.
pub(super) fn folder(state: &Path) -> PathBuf {
    state.join("fetched")
}

/// Returns the digest that a file of that folder remembers.
pub(super) fn digest_in(path: &Path) -> Option<Digest> {
    serde_json::from_slice::<Kept>(&std::fs::read(path).ok()?).ok().map(|kept| kept.artifact.digest)
}

/// Tells whether a source comes from a server or a store that is asked here.
pub(super) fn is_fetched(source: &Source) -> bool {
    matches!(&source.location, Location::Remote { scheme, .. } if scheme != "dvc")
}

/// Tells whether DVC keeps a source.
pub(super) fn is_dvc(source: &Source) -> bool {
    matches!(&source.location, Location::Remote { scheme, .. } if scheme == "dvc")
}

/// Returns what a source is: at once where a digest pins it, else as it is now.
pub(super) fn look(run: &Run<'_>, source: &Source, work: Option<&Work>) -> Result<(Artifact, From), Stop> {
    let place = Place::of(source)?;
    let from = From::Fetched { source: source.name.clone(), environment: environment(run, work) };
    if let Some(digest) = place.digest() {
        let size = std::fs::metadata(run.store.object(&digest)).map_or(0, |meta| meta.len());
        return Ok((Artifact { kind: Kind::File, digest, executable: false, size }, from));
    }
    let From::Fetched { environment, .. } = &from else { return Err(Stop::Failed("nothing to fetch".into())) };
    let artifact = get(run, &place, environment)?;
    super::prepare::of_its_type(source, source.location.address().unwrap_or_default(), &artifact)?;
    Ok((artifact, from))
}

/// Sees to it that the store has what a source is said to be.
pub(super) fn bring(run: &Run<'_>, name: &str, artifact: &Artifact, environment: &Environment) -> Result<(), Stop> {
    if run.store.has(artifact) {
        return Ok(());
    }
    let source = run.bound.plan.sources.iter().find(|source| source.name == name);
    let source = source.ok_or_else(|| Stop::Failed(format!("the plan has no source `{name}`")))?;
    let got = get(run, &Place::of(source)?, environment)?;
    if got.digest == artifact.digest {
        return Ok(());
    }
    Err(Stop::Unsound(format!("the source `{name}` is no longer what it was when the stage was looked up")))
}

/// Tells why a stage runs before all of its sources are known, if that is so: to find out, they would have to be fetched.
pub(super) fn unfetched(run: &Run<'_>, stage: &Stage) -> Option<Reason> {
    for input in &stage.work.inputs {
        let Origin::Source(name) = &input.origin else { continue };
        let source = run.bound.plan.sources.iter().find(|source| source.name == *name);
        let Some(source) = source else { continue };
        let waits = if is_dvc(source) {
            super::dvc::is_unfetched(run, source)
        } else {
            let place = Some(source).filter(|source| is_fetched(source)).and_then(|source| Place::of(source).ok());
            place.is_some_and(|place| {
                place.digest().is_none() && !(place.is_pinned() && remembered(run, &place).is_some())
            })
        };
        if !waits {
            continue;
        }
        return Some(if stage.rerun == Rerun::Always { Reason::Always } else { Reason::Unfetched(name.clone()) });
    }
    None
}

/// The variables that a client of a store reads, besides those of the caller: names of secrets, and plain texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    secrets: Vec<(String, String)>,
    plain: Vec<(String, String)>,
}

/// Gathers what the credentials of some work say to a client.
pub(super) fn environment(run: &Run<'_>, work: Option<&Work>) -> Environment {
    let Some(work) = work else { return Environment::default() };
    let secrets = work.secrets.iter().map(|used| (used.variable.clone(), used.secret.clone())).collect();
    let mut plain: Vec<(String, String)> =
        work.variables.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let declared = &run.bound.plan.beside.credentials;
    for credential in declared.iter().filter(|credential| work.credentials.contains(&credential.name)) {
        let crate::types::CredentialKind::Oidc { settings, .. } = &credential.kind else { continue };
        let region = settings.iter().filter(|(name, _)| name == "region");
        plain.extend(region.map(|(_, region)| ("AWS_REGION".to_owned(), region.clone())));
    }
    Environment { secrets, plain }
}

impl Environment {
    fn complete(&self, run: &Run<'_>) -> BTreeMap<OsString, OsString> {
        self.complete_over(run, run.setup.caller.clone())
    }

    /// Puts what the credentials say over other variables.
    pub(super) fn complete_over(
        &self,
        run: &Run<'_>,
        mut all: BTreeMap<OsString, OsString>,
    ) -> BTreeMap<OsString, OsString> {
        let known = |name: &str| Some(OsString::from(run.secrets.get(name)?));
        all.extend(self.secrets.iter().filter_map(|(name, secret)| Some((name.into(), known(secret)?))));
        all.extend(self.plain.iter().map(|(name, text)| (name.into(), text.into())));
        all
    }
}

fn remembered(run: &Run<'_>, place: &Place<'_>) -> Option<Kept> {
    let bytes = std::fs::read(place.kept(run).with_extension("json")).ok()?;
    serde_json::from_slice::<Kept>(&bytes).ok().filter(|kept| run.store.has(&kept.artifact))
}

/// Returns a source as this run sees it; the first that asks fetches it, if it has to be fetched.
fn get(run: &Run<'_>, place: &Place<'_>, environment: &Environment) -> Result<Artifact, Stop> {
    let slot = {
        let mut all = run.fetched.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(place.source.name.clone()).or_default())
    };
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(artifact) = slot.filter(|artifact| run.store.has(artifact)) {
        return Ok(artifact);
    }
    let kept = place.kept(run);
    fs::create_dirs(fs::parent(&kept))?;
    // Another run may be at it.
    let _lock = lock(run, &kept.file_name().unwrap_or_default().to_string_lossy())?;
    let before = remembered(run, place);
    let artifact = match before {
        Some(before) if place.is_pinned() => {
            // What was asked for lately is not swept away; a time that can't be set costs a download.
            let _ = std::fs::File::open(kept.with_extension("json"))
                .and_then(|file| file.set_modified(std::time::SystemTime::from(run.setup.clock.now())));
            before.artifact
        }
        before => fetch(run, place, before, &environment.complete(run))?,
    };
    *slot = Some(artifact);
    Ok(artifact)
}

/// Waits until nobody else in the workspace fetches the same.
pub(super) fn lock(run: &Run<'_>, name: &str) -> Result<Lock, Stop> {
    let path = run.store.state().join("locks").join(format!("source-{name}"));
    loop {
        if let Some(lock) = Lock::try_take(&path)? {
            return Ok(lock.ephemeral());
        }
        if run.setup.interrupt.is_raised() {
            return Err(Stop::Interrupted);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn fetch(
    run: &Run<'_>,
    place: &Place<'_>,
    before: Option<Kept>,
    caller: &BTreeMap<OsString, OsString>,
) -> Result<Artifact, Stop> {
    let name = place.source.name.as_str();
    let kept = place.kept(run);
    let part = kept.with_extension("part");
    let said = Mutex::new(BTreeSet::new());
    let watch = |progress: Progress<'_>| {
        let what = match (progress.waits, progress.total) {
            (true, _) => {
                format!("{} does not answer, or broke off: the source `{name}` is asked for again", progress.host)
            }
            (false, Some(total)) => format!("fetching the source `{name}` from {}: {}", progress.host, human(total)),
            (false, None) => format!("fetching the source `{name}` from {}", progress.host),
        };
        if said.lock().unwrap_or_else(PoisonError::into_inner).insert(progress.waits) {
            run.note("", what);
        }
        !run.setup.interrupt.is_raised()
    };
    let wanted = Wanted {
        url: place.url,
        version: place.version,
        public: place.public,
        sure: !place.pins.is_empty(),
        known: before.as_ref().map(|before| &before.tag),
    };
    let tag = match download(&wanted, &part, caller, &watch) {
        Err(_) if run.setup.interrupt.is_raised() => return Err(Stop::Interrupted),
        Err(error) => return Err(Stop::Failed(format!("the source `{name}` can't be fetched: {error}"))),
        Ok(Downloaded::Unchanged) => match before {
            Some(before) => return Ok(before.artifact),
            None => return Err(Stop::Failed(format!("the source `{name}` can't be fetched: nothing came"))),
        },
        Ok(Downloaded::Whole(tag)) => tag,
    };
    for pin in &place.pins {
        let is = match pin.split_once(':') {
            Some(("sha256", _)) => format!("sha256:{}", sha256(&part)?),
            _ => Digest::of_file(&part)?.to_string(),
        };
        if is != *pin {
            fs::remove(&part)?;
            return Err(Stop::Unsound(format!(
                "the source `{name}` is pinned to `{pin}`, and what was fetched is `{is}`"
            )));
        }
    }
    fs::set_mode(&part, 0o644)?;
    let artifact = run.store.put(&part, Take::Move)?;
    fs::remove(&part)?;
    let json = serde_json::to_vec(&Kept { artifact, tag }).unwrap_or_default();
    fs::write_atomic(&kept.with_extension("json"), &json)?;
    Ok(artifact)
}

/// Puts the sources that a node reads and that servers hold where they are looked for in the workspace.
pub fn bring_sources(bound: &Bound, setup: &Setup, origins: &[&Origin]) -> Result<(), RunError> {
    let sources = origins.iter().filter_map(|origin| match origin {
        Origin::Source(name) => bound.plan.sources.iter().find(|source| source.name == *name),
        _ => None,
    });
    let mut sources = sources.filter(|source| is_fetched(source) || is_dvc(source)).peekable();
    if sources.peek().is_none() {
        return Ok(());
    }
    let store = Store::open(&setup.workspace.join(".mlpc"))?;
    let memory = Memory::open(&store.memory_file(), &setup.workspace);
    let (silent, options) = (|_: &super::Event| (), Options::default());
    let run = Run::new(bound, (setup, &options), (&store, &memory), &silent, "fetch".to_owned());
    for source in sources {
        place(&run, source, "").map_err(|stop| match stop {
            Stop::Failed(why) | Stop::Skip(why) => RunError::new(1, why),
            Stop::Unsound(why) => RunError::new(11, why),
            Stop::Interrupted => RunError::new(130, "interrupted"),
        })?;
    }
    Ok(())
}

/// Puts a source where it is looked for in the workspace, for the node that judges it there.
pub(super) fn place(run: &Run<'_>, source: &Source, reader: &str) -> Result<Artifact, Stop> {
    if is_dvc(source) {
        return super::dvc::place(run, source, reader);
    }
    let (mut artifact, from) = look(run, source, run.bound.plan.opener(&source.name))?;
    if let From::Fetched { environment, .. } = &from {
        bring(run, &source.name, &artifact, environment)?;
    }
    artifact.size = std::fs::metadata(run.store.object(&artifact.digest)).map_or(artifact.size, |meta| meta.len());
    run.reads.source(&source.name, Some(artifact.digest), reader)?;
    let path = fs::join_inside(run.workspace(), &source.location.place(&source.name))?;
    run.store.restore(&artifact, &path)?;
    Ok(artifact)
}
