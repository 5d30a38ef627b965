//! Reads the facts of a gate from the workspace. What is not there is a fact too.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{HeldTo, machine, recorded};
use crate::data::{Format, Input, Predictions, Summary};
use crate::gate::{self, BaselineFile, Champion, Facts, Found, Gate, State, is_read};
use crate::host::tree::Tree;
use crate::host::{self, Digest, fs};
use crate::plan::Bound;
use crate::types::{Artifact, Origin};

/// Evidence beyond this size is nothing that people measured.
const MAX_READ: u64 = 64 << 20;

/// Collects the facts of a gate.
pub(super) fn facts(
    bound: &Bound,
    workspace: &Path,
    name: &str,
    gate: &Gate,
    skipped: &BTreeMap<String, String>,
    held_to: HeldTo<'_>,
) -> Facts {
    let made = |origin: &Origin, path: &str, ty: Option<&Artifact>| match left_out(bound, origin, skipped) {
        Some(why) => Found::Skipped(why),
        None => look(workspace, path, ty),
    };
    let evidence = gate.evidence.iter().map(|evidence| {
        let found = made(&evidence.origin, &evidence.path, Some(&evidence.ty));
        held(bound, workspace, &evidence.origin, found, held_to)
    });
    let found: Vec<Found> = evidence.collect();
    let named = gate.requirements.iter().filter_map(|requirement| requirement.measure.artifact.as_ref());
    let artifacts = named.chain(&gate.admits).filter_map(|origin| {
        let path = published(bound, origin)?;
        Some((origin.clone(), made(origin, &path, None)))
    });
    let over: BTreeSet<_> = gate.evidence.iter().filter_map(|evidence| evidence.over.as_ref()).collect();
    let data = over.into_iter().filter_map(|origin| {
        let found = match held_to {
            // What a checkout holds at its path is not what the jobs before have read.
            HeldTo::OneRun(read) => read.get(origin).map_or(Found::Missing, |digest| Found::Present {
                bytes: Vec::new(),
                size: 0,
                digest: digest.clone(),
            }),
            HeldTo::Records(_) | HeldTo::RecordsAnd(..) => made(origin, &published(bound, origin)?, None),
        };
        Some((origin.clone(), found))
    });
    let references = gate::references(gate).into_iter().map(|path| {
        let found = look(workspace, &path, Some(&Artifact::Tests));
        (path, found)
    });
    let references: BTreeMap<String, Found> = references.collect();
    let tables = gate::surveyed(gate).into_iter().filter_map(|index| {
        let evidence = gate.evidence.get(index)?;
        // What was skipped or is missing is told by the evidence itself.
        let digest = found.get(index)?.digest()?;
        Some((index, survey(gate, index, &references, &workspace.join(&evidence.path), digest)))
    });
    let predictions = gate::predictions_wanted(gate).into_keys().filter_map(|index| {
        let evidence = gate.evidence.get(index)?;
        let digest = found.get(index)?.digest()?;
        Some((index, predictions(gate, index, &workspace.join(&evidence.path), digest)))
    });
    let champion = gate.baseline.as_ref().and_then(|_| champion(bound, workspace, name, gate, skipped, held_to));
    Facts {
        predictions: predictions.collect(),
        baseline_predictions: baseline_predictions(gate, champion.as_ref(), |path, _| Ok(workspace.join(path))),
        machines: machine::classes(bound, workspace, gate, &found, champion.as_ref()),
        tables: tables.collect(),
        references: references.clone(),
        evidence: found.clone(),
        artifacts: artifacts.collect(),
        data: data.collect(),
        champion,
    }
}

/// Returns why what a stage would have made is not looked at: it did not run, or does not under this selection.
fn left_out(bound: &Bound, origin: &Origin, skipped: &BTreeMap<String, String>) -> Option<String> {
    let stage = origin.stage()?;
    if let Some(why) = skipped.get(stage) {
        return Some(format!("`{stage}` {why}"));
    }
    let off = bound.skipped.get(stage)?;
    Some(off.told(stage))
}

/// Lets evidence count only where it was made of what stands beside it.
fn held(bound: &Bound, workspace: &Path, origin: &Origin, found: Found, held_to: HeldTo<'_>) -> Found {
    let Some(digest) = found.digest() else { return found };
    let store = match held_to {
        HeldTo::OneRun(_) => return found,
        HeldTo::Records(store) => store,
        HeldTo::RecordsAnd(store, report) => {
            let profile = bound.profile.as_deref().unwrap_or_default();
            let known = origin.stage().is_none_or(|stage| store.latest(profile, stage).is_some());
            let pinned = report.evidence.iter().any(|input| input.origin == *origin && input.digest.is_some());
            if !known && pinned {
                return found;
            }
            store
        }
    };
    let now = |origin: &Origin| {
        let found = look(workspace, &published(bound, origin)?, None);
        found.digest().map(str::to_owned)
    };
    match recorded::contradiction(bound, store, origin, digest, &now) {
        Some(why) => Found::Stale(why),
        None => found,
    }
}

fn published(bound: &Bound, origin: &Origin) -> Option<String> {
    match origin {
        Origin::Output { stage, output } => {
            let outputs = &bound.plan.stage(stage)?.outputs;
            outputs.iter().find(|found| found.name == *output).map(|found| found.publish.clone())
        }
        Origin::Source(name) => {
            let source = bound.plan.sources.iter().find(|source| source.name == *name)?;
            Some(source.location.place(name))
        }
        Origin::Pointer { .. } => None,
    }
}

/// Looks at a file or folder; files of types that a gate reads are read, the others only hashed.
fn look(workspace: &Path, path: &str, ty: Option<&Artifact>) -> Found {
    let full = workspace.join(path);
    let meta = match std::fs::metadata(&full) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Found::Missing,
        Err(error) => return Found::Unreadable(host::error::reason(&error)),
    };
    let found = if meta.is_dir() {
        if ty.is_some_and(is_read) {
            return Found::Unreadable("it is a folder".to_owned());
        }
        Tree::scan(&full, &|file, _| Digest::of_file(file)).map(|tree| (Vec::new(), tree.size(), tree.digest()))
    } else if ty.is_some_and(is_read) {
        if meta.len() > MAX_READ {
            return Found::Unreadable(format!("it has {} bytes, more than any report", meta.len()));
        }
        // Read once: what is hashed is what is judged.
        host::fs::read(&full).map(|bytes| {
            let (size, digest) = (bytes.len() as u64, Digest::of(&bytes));
            (bytes, size, digest)
        })
    } else {
        Digest::of_file(&full).map(|digest| (Vec::new(), meta.len(), digest))
    };
    match found {
        Ok((bytes, size, digest)) => Found::Present { bytes, size, digest: digest.to_string() },
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

/// Reads a table for all that a gate wants to know of it. What was read must be what has the digest.
pub(crate) fn survey(
    gate: &Gate,
    evidence: usize,
    references: &BTreeMap<String, Found>,
    path: &Path,
    digest: &str,
) -> Result<Summary, String> {
    if path.is_dir() {
        return Err("it is a folder, and a table is one file".to_owned());
    }
    let format = gate::format(gate, evidence).ok_or("its type does not say how it is written")?;
    let mut table = Table::open(path, format)?;
    let summary = gate::survey(gate, evidence, references, table.input())?;
    if table.digest()? != digest {
        return Err("it changed while it was read".to_owned());
    }
    Ok(summary)
}

/// A table that is read in the way of its format, and hashed.
pub(crate) enum Table {
    /// Hashed while it is read.
    Stream(Box<Hashed>),
    /// Hashed afterwards, if it is still the file that was read.
    Placed { path: PathBuf, file: Arc<fs::Placed>, print: fs::Fingerprint },
}

impl Table {
    pub(crate) fn open(path: &Path, format: Format) -> Result<Self, String> {
        if !format.is_placed() {
            return Hashed::open(path).map(|hashed| Self::Stream(Box::new(hashed)));
        }
        let print = fs::fingerprint(path).map_err(|error| error.to_string())?;
        let file = fs::Placed::open(path).map_err(|error| error.to_string())?;
        Ok(Self::Placed { path: path.to_owned(), file: Arc::new(file), print })
    }

    pub(crate) fn input(&mut self) -> Input<'_> {
        match self {
            Self::Stream(hashed) => Input::Stream(hashed.as_mut()),
            Self::Placed { file, .. } => Input::Places(Arc::<fs::Placed>::clone(file)),
        }
    }

    /// Returns the digest of what was read.
    pub(crate) fn digest(&self) -> Result<String, String> {
        match self {
            Self::Stream(hashed) => Ok(hashed.digest()),
            Self::Placed { path, print, .. } => {
                let digest = Digest::of_file(path).map_err(|error| error.to_string())?;
                let now = fs::fingerprint(path).map_err(|error| error.to_string())?;
                if now == *print { Ok(digest.to_string()) } else { Err("it changed while it was read".to_owned()) }
            }
        }
    }
}

/// Reads predictions for all metrics that a gate computes of them. What was read must be what has the digest.
pub(crate) fn predictions(gate: &Gate, evidence: usize, path: &Path, digest: &str) -> Result<Predictions, String> {
    if path.is_dir() {
        return Err("it is a folder, and predictions are one file".to_owned());
    }
    let mut input = Hashed::open(path)?;
    let predictions = gate::read_predictions(gate, evidence, &mut input)?;
    if input.digest() != digest {
        return Err("it changed while it was read".to_owned());
    }
    Ok(predictions)
}

/// Reads the predictions of a baseline that was scored; `place` says where the file of a path and digest stands.
pub(crate) fn baseline_predictions(
    gate: &Gate,
    champion: Option<&Champion>,
    place: impl Fn(&str, &str) -> Result<PathBuf, String>,
) -> BTreeMap<usize, Result<Predictions, String>> {
    let (Some(baseline), Some(Champion::Known { scored: Ok(scored), .. })) = (&gate.baseline, champion) else {
        return BTreeMap::new();
    };
    let wanted = gate::predictions_wanted(gate);
    let measured = baseline.evidence.iter().zip(scored);
    let read =
        measured.filter(|(measured, _)| wanted.contains_key(&measured.evidence)).filter_map(|(measured, found)| {
            let digest = found.digest()?;
            let read =
                place(&measured.path, digest).and_then(|path| predictions(gate, measured.evidence, &path, digest));
            Some((measured.evidence, read))
        });
    read.collect()
}

/// A file that is hashed while it is read.
pub(crate) struct Hashed {
    file: std::fs::File,
    hasher: blake3::Hasher,
}

impl Hashed {
    fn open(path: &Path) -> Result<Self, String> {
        let file =
            host::fs::open(path).map_err(|error| format!("it can't be read: {}", host::error::reason(&error)))?;
        Ok(Self { file, hasher: blake3::Hasher::new() })
    }

    fn digest(&self) -> String {
        Digest::from(self.hasher.finalize()).to_string()
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// Reads what was found of the baseline; `None` where nobody wrote it down.
fn champion(
    bound: &Bound,
    workspace: &Path,
    name: &str,
    gate: &Gate,
    skipped: &BTreeMap<String, String>,
    held_to: HeldTo<'_>,
) -> Option<Champion> {
    let baseline = gate.baseline.as_ref()?;
    let path = BaselineFile::path(&bound.prefix, name);
    let text = match host::fs::read_text(&workspace.join(&path)) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return None,
        Err(error) => return Some(Champion::Unreachable(error.to_string())),
    };
    let file = match BaselineFile::from_json(&text, name, &baseline.registry, &baseline.pointer) {
        Ok(file) => file,
        Err(why) => return Some(Champion::Unreachable(why)),
    };
    let recorded = registered(workspace, gate, &file.recorded);
    if let Some((origin, _)) = recorded.iter().find(|(_, found)| found.digest().is_none()) {
        // What the run that scored it put there; without it nobody can tell whether the baseline fell.
        let path = file.recorded.get(origin).map_or("", String::as_str);
        return Some(Champion::Unreachable(format!("`{path}`, what was registered with it, can't be read; run again")));
    }
    let reason = file.reason.unwrap_or_else(|| "for no known reason".to_owned());
    let known = |scored| Champion::Known {
        version: file.version.clone().unwrap_or_default(),
        digest: file.digest.clone().unwrap_or_default(),
        scored,
        recorded: recorded.clone(),
        machines: file.machines.clone(),
    };
    Some(match file.state {
        State::Absent => Champion::Absent,
        State::Unreachable => Champion::Unreachable(reason),
        State::Skipped => Champion::Skipped(reason),
        State::Unscorable => known(Err(reason)),
        State::Scored => {
            let measured = baseline.evidence.iter().map(|measured| {
                let ty = gate.evidence.get(measured.evidence).map(|evidence| &evidence.ty);
                match left_out(bound, &measured.origin, skipped) {
                    Some(why) => Found::Skipped(why),
                    None => held(bound, workspace, &measured.origin, look(workspace, &measured.path, ty), held_to),
                }
            });
            known(Ok(measured.collect()))
        }
    })
}

fn registered(workspace: &Path, gate: &Gate, paths: &BTreeMap<Origin, String>) -> BTreeMap<Origin, Found> {
    let of_gate = |origin: &Origin| gate.evidence.iter().find(|evidence| evidence.origin == *origin);
    let entries = paths.iter().filter_map(|(origin, path)| {
        let evidence = of_gate(origin)?;
        Some((origin.clone(), look(workspace, path, Some(&evidence.ty))))
    });
    entries.collect()
}
