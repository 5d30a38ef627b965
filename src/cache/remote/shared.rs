//! Results in a remote: an entry per key, which names its writer, and the objects that it refers to. An entry whose objects are
//! gone, torn or altered is a miss; of two writers under one key the first stands, and a difference is told.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Remote, Trust, side_by_side};
use crate::cache::manifest::Key;
use crate::cache::result::ResultRecord;
use crate::cache::store::{Artifact, Kind, Store, Take};
use crate::host::tree::{Entry, Tree};
use crate::host::{Context, Digest, Error, Result, fs};

/// Version of what is in a remote.
const FORMAT: u32 = 1;

/// An entry has less than this; more is no entry of ours.
const ENTRY: u64 = 64 << 20;

/// The list of a directory has less than this.
const TREE: u64 = 1 << 30;

/// Who wrote an entry. Provenance: trust comes from where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The person, or the job of a platform.
    pub who: String,
    /// The ref and commit that the job ran for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    format: u32,
    /// Who wrote it.
    pub writer: Writer,
    /// The result.
    pub result: ResultRecord,
}

/// What a remote answers when it is asked for a result.
#[derive(Debug)]
pub enum Answer {
    /// Here it is; its objects are in the local store.
    Found(Box<Envelope>),
    /// It has none.
    Nothing,
    /// It has one that is not what it should be: why.
    Refused(String),
}

/// How a result was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is the first under its key, or took the place of one that was broken.
    New,
    /// The same was there.
    Same,
    /// Somebody saved other outputs under this key before: theirs stand. Names of outputs, and who.
    Different(Vec<String>, String),
}

/// A remote that holds results.
#[derive(Debug)]
pub struct Shared {
    remote: Box<dyn Remote>,
    writer: Writer,
    /// Objects that came as something else than they should be, and entries that refer to such.
    broken: Mutex<BTreeSet<String>>,
}

impl Shared {
    /// Takes a remote for results that `writer` saves.
    #[must_use]
    pub fn new(remote: Box<dyn Remote>, writer: Writer) -> Self {
        Self { remote, writer, broken: Mutex::default() }
    }

    /// Brings a result and all that it refers to into the local store. Nothing is recorded there.
    pub fn fetch(&self, store: &Store, key: &Key, trust: Trust) -> Result<Answer> {
        let name = entry_name(trust, key);
        let Some(envelope) = self.entry(store, &name)? else { return Ok(Answer::Nothing) };
        let refused = |why: String| {
            self.note_broken(&name);
            Ok(Answer::Refused(why))
        };
        let envelope = match envelope {
            Ok(envelope) if envelope.result.key == *key => envelope,
            Ok(_) => return refused("it is of another key".to_owned()),
            Err(why) => return refused(why),
        };
        for output in &envelope.result.outputs {
            if let Err(why) = self.bring(store, &output.artifact, trust)? {
                return refused(format!("its output `{}` {why}", output.role));
            }
        }
        if let Some(log) = envelope.result.provenance.log {
            // A log that is gone costs nothing but itself.
            let _ = self.object(store, &log, trust, ENTRY)?;
        }
        Ok(Answer::Found(Box::new(envelope)))
    }

    /// Saves a result of the local store, objects first.
    pub fn save(&self, store: &Store, record: &ResultRecord, trust: Trust) -> Result<Saved> {
        let mut objects = BTreeSet::new();
        for output in &record.outputs {
            gather(store, &output.artifact, &mut objects)?;
        }
        objects.extend(record.provenance.log);
        let objects: Vec<Digest> = objects.into_iter().collect();
        side_by_side(&objects, |digest| self.send(store, digest, trust))?;
        let name = entry_name(trust, &record.key);
        let envelope = Envelope { format: FORMAT, writer: self.writer.clone(), result: record.clone() };
        let file = store.scratch().fresh("entry");
        let json = serde_json::to_vec_pretty(&envelope).context(|| "cannot write an entry".to_owned())?;
        std::fs::write(&file, json).cannot("write", &file)?;
        let replace = self.is_broken(&name);
        let new = self.remote.put(&name, &file, replace)?;
        fs::remove(&file)?;
        if new {
            return Ok(Saved::New);
        }
        match self.entry(store, &name)? {
            Some(Ok(other)) => {
                let differs = |one: &&crate::cache::Produced| {
                    other.result.output(&one.role).is_none_or(|theirs| theirs.artifact != one.artifact)
                };
                let names: Vec<String> = record.outputs.iter().filter(differs).map(|one| one.role.clone()).collect();
                Ok(if names.is_empty() { Saved::Same } else { Saved::Different(names, other.writer.who) })
            }
            // What stands there is no entry, or was taken away since.
            Some(Err(_)) | None => {
                self.note_broken(&name);
                let file = store.scratch().fresh("entry");
                let json = serde_json::to_vec_pretty(&envelope).context(|| "cannot write an entry".to_owned())?;
                std::fs::write(&file, json).cannot("write", &file)?;
                self.remote.put(&name, &file, true)?;
                Ok(Saved::New)
            }
        }
    }

    /// Returns the keys of all entries.
    pub fn keys(&self, trust: Trust) -> Result<Vec<Key>> {
        let names = self.remote.list(&format!("v1/{}/results/", trust.prefix()))?;
        let key = |name: &String| Some(Key(name.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()?));
        Ok(names.iter().filter_map(key).collect())
    }

    /// Tells whose result stands under a key, without fetching what it refers to.
    pub fn look(&self, store: &Store, key: &Key, trust: Trust) -> Result<Option<Envelope>> {
        Ok(self.entry(store, &entry_name(trust, key))?.and_then(Result::ok))
    }

    /// Reads an entry: nothing, an entry, or why it is none.
    fn entry(&self, store: &Store, name: &str) -> Result<Option<Result<Envelope, String>>> {
        let file = store.scratch().fresh("entry");
        if !self.remote.get(name, &file, ENTRY)? {
            return Ok(None);
        }
        let bytes = fs::read(&file)?;
        fs::remove(&file)?;
        Ok(Some(match serde_json::from_slice::<Envelope>(&bytes) {
            Err(error) => Err(format!("it can't be read: {error}")),
            Ok(envelope) if envelope.format != FORMAT || !envelope.result.is_sound() => {
                Err("its manifest does not come to its key".to_owned())
            }
            Ok(envelope) => Ok(envelope),
        }))
    }

    /// Brings an artifact; what is wrong with it is the inner error.
    fn bring(&self, store: &Store, artifact: &Artifact, trust: Trust) -> Result<Result<(), String>> {
        let limit = if artifact.kind == Kind::Tree { TREE } else { artifact.size.saturating_add(1) };
        if let Err(why) = self.object(store, &artifact.digest, trust, limit)? {
            return Ok(Err(why));
        }
        if artifact.kind == Kind::File {
            return Ok(Ok(()));
        }
        let tree = store.read(&artifact.digest)?.map(|bytes| Tree::decode(&bytes));
        let Some(Ok(tree)) = tree else { return Ok(Err("is no directory".to_owned())) };
        let files: Vec<(Digest, u64)> = files(&tree).collect();
        let wrong = Mutex::new(None);
        side_by_side(&files, |(digest, size)| {
            if let Err(why) = self.object(store, digest, trust, size.saturating_add(1))? {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
            }
            Ok(())
        })?;
        Ok(match wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(why) => Err(why),
            None => Ok(()),
        })
    }

    fn object(&self, store: &Store, digest: &Digest, trust: Trust, limit: u64) -> Result<Result<(), String>> {
        if store.object(digest).exists() {
            return Ok(Ok(()));
        }
        let name = object_name(trust, digest);
        let file = store.scratch().fresh("fetched");
        if !self.remote.get(&name, &file, limit)? {
            return Ok(Err("is no longer there".to_owned()));
        }
        if Digest::of_file(&file)? != *digest {
            fs::remove(&file)?;
            self.note_broken(&name);
            return Ok(Err("is not what it should be: its digest is another one".to_owned()));
        }
        store.put(&file, Take::Move)?;
        fs::remove(&file)?;
        Ok(Ok(()))
    }

    fn send(&self, store: &Store, digest: &Digest, trust: Trust) -> Result<()> {
        let (name, path) = (object_name(trust, digest), store.object(digest));
        let meta = std::fs::metadata(&path).cannot("read", &path)?;
        let replace = self.is_broken(&name);
        if !replace && self.remote.size(&name)? == Some(meta.len()) {
            return Ok(());
        }
        // What is torn here is not to be torn everywhere.
        if Digest::of_file(&path)? != *digest {
            return Err(Error::new(format!(
                "the object {} is not what it should be: `mlpc cache verify`",
                digest.hex()
            )));
        }
        self.remote.put(&name, &path, true).map(drop)
    }

    fn note_broken(&self, name: &str) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    fn is_broken(&self, name: &str) -> bool {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

fn entry_name(trust: Trust, key: &Key) -> String {
    let hex = key.to_string();
    format!("v1/{}/results/{}/{hex}.json", trust.prefix(), &hex[..2])
}

fn object_name(trust: Trust, digest: &Digest) -> String {
    let hex = digest.hex();
    format!("v1/{}/objects/{}/{hex}", trust.prefix(), &hex[..2])
}

fn files(tree: &Tree) -> impl Iterator<Item = (Digest, u64)> + '_ {
    tree.0.iter().filter_map(|(_, entry)| match entry {
        Entry::File { digest, size, .. } => Some((*digest, *size)),
        Entry::Empty | Entry::Link(_) => None,
    })
}

/// Adds all objects of an artifact.
fn gather(store: &Store, artifact: &Artifact, objects: &mut BTreeSet<Digest>) -> Result<()> {
    objects.insert(artifact.digest);
    if artifact.kind == Kind::Tree {
        let tree = store.read(&artifact.digest)?.and_then(|bytes| Tree::decode(&bytes).ok());
        let tree = tree.ok_or_else(|| Error::new("the cache has lost a directory: run again to make it anew"))?;
        objects.extend(files(&tree).map(|(digest, _)| digest));
    }
    Ok(())
}
