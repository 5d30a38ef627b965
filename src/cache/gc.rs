//! What the cache holds, whether it is sound, and what of it may go.
//!
//! Nothing goes while another process of mlpc is at work in the workspace: the door to new ones is held shut, and those that live
//! are known by their locks. What goes first is what no run used for longest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use super::manifest::Key;
use super::result::ResultRecord;
use super::store::{Artifact, Kind, Store};
use crate::host::tree::{Entry, Tree};
use crate::host::{Context, Digest, Error, Result, fs};

/// What is to be kept.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Results that the last runs used, whatever else is said.
    pub used: BTreeSet<Key>,
    /// When runs last used a result.
    pub last: BTreeMap<Key, SystemTime>,
    /// Objects that no result holds and that stay: sources that were fetched.
    pub sources: BTreeSet<Digest>,
    /// Results that were made or used since then stay.
    pub since: SystemTime,
    /// As many bytes of objects as may stay; what was not used for longest goes first.
    pub most: Option<u64>,
    /// Say what would go, and let it stay.
    pub dry_run: bool,
}

/// What went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Results.
    pub results: usize,
    /// Objects.
    pub objects: usize,
    /// Bytes of objects.
    pub bytes: u64,
    /// Bytes of objects that stay.
    pub kept_bytes: u64,
}

/// What the cache holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stat {
    /// Objects.
    pub objects: usize,
    /// Bytes of objects.
    pub bytes: u64,
    /// Results of this machine, and of what it trusts.
    pub results: usize,
    /// Results from where anybody may write.
    pub borrowed: usize,
    /// Objects that no result refers to.
    pub loose: usize,
    /// Their bytes.
    pub loose_bytes: u64,
}

/// What is wrong with the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many objects were read.
    pub objects: usize,
    /// Objects that are not what their names say; they are removed.
    pub bad: Vec<String>,
    /// Results that can't be read, or whose manifest does not come to their key; they are removed.
    pub torn: Vec<String>,
    /// Results that refer to objects which are gone; they are forgotten.
    pub missing: Vec<Missing>,
}

/// A result that refers to an object which is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Its key.
    pub key: String,
    /// The node that it was made for.
    pub node: String,
    /// The output.
    pub output: String,
}

impl Verified {
    /// Tells whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.bad.is_empty() && self.torn.is_empty() && self.missing.is_empty()
    }
}

struct Kept {
    path: PathBuf,
    record: ResultRecord,
    modified: SystemTime,
    borrowed: bool,
}

impl Store {
    /// Removes what the policy does not keep. While another process works here that is an error.
    pub fn gc(&self, policy: &Policy) -> Result<Swept> {
        let _shut = self.scratch().alone(self.state())?.ok_or_else(|| {
            Error::new("another run is at work here: nothing is removed while it needs what it reads; try again when it is done")
        })?;
        let (mut results, torn) = self.all_results()?;
        let used_at =
            |kept: &Kept| policy.last.get(&kept.record.key).copied().unwrap_or(kept.modified).max(kept.modified);
        results.sort_by_key(|kept| std::cmp::Reverse(used_at(kept)));
        let mut objects = self.all_objects()?;
        let mut reached: BTreeSet<Digest> = policy.sources.clone();
        let (mut size, mut gone) = (reached.iter().filter_map(|digest| objects.get(digest)).sum::<u64>(), Vec::new());
        // Those of the last runs first: the limit is for what is left.
        results.sort_by_key(|kept| !policy.used.contains(&kept.record.key));
        for kept in results {
            let own = self.objects_of(&kept.record);
            let more: u64 =
                own.iter().filter(|digest| !reached.contains(digest)).filter_map(|digest| objects.get(digest)).sum();
            let fits = policy.most.is_none_or(|most| size + more <= most);
            if policy.used.contains(&kept.record.key) || (used_at(&kept) >= policy.since && fits) {
                reached.extend(own);
                size += more;
            } else {
                gone.push(kept.path);
            }
        }
        gone.extend(torn);
        objects.retain(|digest, _| !reached.contains(digest));
        let swept =
            Swept { results: gone.len(), objects: objects.len(), bytes: objects.values().sum(), kept_bytes: size };
        if policy.dry_run {
            return Ok(swept);
        }
        // Results first: a result without its objects would only be a miss, but a sound cache is a kinder one.
        gone.iter().try_for_each(|path| fs::remove(path))?;
        self.remove_latest()?;
        objects.keys().try_for_each(|digest| fs::remove(&self.object(digest)))?;
        Ok(swept)
    }

    /// Counts what the cache holds.
    pub fn stat(&self) -> Result<Stat> {
        let (results, _) = self.all_results()?;
        let objects = self.all_objects()?;
        let reached: BTreeSet<Digest> = results.iter().flat_map(|kept| self.objects_of(&kept.record)).collect();
        let loose: Vec<u64> =
            objects.iter().filter(|(digest, _)| !reached.contains(digest)).map(|(_, size)| *size).collect();
        Ok(Stat {
            objects: objects.len(),
            bytes: objects.values().sum(),
            results: results.iter().filter(|kept| !kept.borrowed).count(),
            borrowed: results.iter().filter(|kept| kept.borrowed).count(),
            loose: loose.len(),
            loose_bytes: loose.iter().sum(),
        })
    }

    /// Reads everything again. What is wrong is told and taken away, so that the next run makes it anew.
    pub fn verify_all(&self) -> Result<Verified> {
        let (objects, bad) = self.verify()?;
        let (results, torn) = self.all_results()?;
        let mut found = Verified { objects, bad, ..Verified::default() };
        for path in torn {
            found.torn.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
            fs::remove(&path)?;
        }
        for kept in results {
            let lost = kept.record.outputs.iter().find(|output| !self.has(&output.artifact));
            if let Some(output) = lost {
                let (key, node) = (kept.record.key.to_string(), kept.record.provenance.node.clone());
                found.missing.push(Missing { key, node, output: output.role.clone() });
                fs::remove(&kept.path)?;
            }
        }
        Ok(found)
    }

    /// Returns the results of this machine that other machines may use.
    pub fn shareable(&self) -> Result<Vec<ResultRecord>> {
        let (results, _) = self.all_results()?;
        let mine = results.into_iter().filter(|kept| !kept.borrowed && kept.record.is_shareable());
        Ok(mine.map(|kept| kept.record).collect())
    }

    /// Returns all results, in the order of their keys, and the files that hold none.
    fn all_results(&self) -> Result<(Vec<Kept>, Vec<PathBuf>)> {
        let (mut found, mut torn) = (Vec::new(), Vec::new());
        for (folder, borrowed) in [(self.results(), false), (self.results().join("borrowed"), true)] {
            for shard in entries(&folder)? {
                let name = shard.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.len() != 2 || !shard.is_dir() {
                    continue;
                }
                for path in entries(&shard)? {
                    if path.extension().is_none_or(|extension| extension != "json") {
                        continue;
                    }
                    let modified = path.metadata().and_then(|meta| meta.modified()).cannot("read", &path)?;
                    let record = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                    match record.filter(|record: &ResultRecord| {
                        record.is_sound() && path.file_stem().is_some_and(|stem| *stem == *record.key.to_string())
                    }) {
                        Some(record) => found.push(Kept { path, record, modified, borrowed }),
                        None => torn.push(path),
                    }
                }
            }
        }
        Ok((found, torn))
    }

    fn all_objects(&self) -> Result<BTreeMap<Digest, u64>> {
        let mut objects = BTreeMap::new();
        let Some(folder) = self.object(&Digest::of(b"")).ancestors().nth(2).map(Path::to_owned) else {
            return Ok(objects);
        };
        for shard in entries(&folder)? {
            for path in entries(&shard)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if let (Ok(digest), Ok(meta)) = (name.parse(), path.metadata()) {
                    objects.insert(digest, meta.len());
                }
            }
        }
        Ok(objects)
    }

    fn objects_of(&self, record: &ResultRecord) -> BTreeSet<Digest> {
        let mut objects: BTreeSet<Digest> = record.provenance.log.into_iter().collect();
        for Artifact { kind, digest, .. } in record.outputs.iter().map(|output| &output.artifact) {
            objects.insert(*digest);
            if *kind == Kind::Tree
                && let Some(Ok(tree)) = self.read(digest).ok().flatten().map(|bytes| Tree::decode(&bytes))
            {
                objects.extend(tree.0.iter().filter_map(|(_, entry)| match entry {
                    Entry::File { digest, .. } => Some(*digest),
                    Entry::Empty | Entry::Link(_) => None,
                }));
            }
        }
        objects
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    Ok(fs::sorted_entries(folder)?.iter().map(std::fs::DirEntry::path).collect())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::sample;
    use super::*;
    use crate::cache::{Produced, Provenance, Take};
    use std::time::Duration;

    struct Bench {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let store = Store::open(&folder.path().join(".mlpc")).expect("opened");
            Self { folder, store }
        }

        /// Records a result with one output of this content; its key comes from its epochs.
        fn result(&self, epochs: &str, content: &str) -> Key {
            let path = self.folder.path().join("out");
            std::fs::write(&path, content).expect("written");
            let artifact = self.store.put(&path, Take::Copy).expect("put");
            let mut manifest = sample();
            manifest.params.insert("epochs".into(), epochs.into());
            let provenance = Provenance {
                node: "train".into(),
                run: "r".into(),
                writer: "mlpc 0".into(),
                machine: "m".into(),
                started: "2026-08-01T00:00:00Z".into(),
                milliseconds: 5,
                status: 0,
                log: None,
            };
            let outputs = vec![Produced { role: "model".into(), artifact, value: None }];
            let record = ResultRecord::new(manifest.key(), manifest.parts(), outputs, provenance);
            self.store.record(&record).expect("recorded");
            record.key
        }
    }

    fn policy() -> Policy {
        let since = SystemTime::UNIX_EPOCH;
        Policy {
            used: BTreeSet::new(),
            last: BTreeMap::new(),
            sources: BTreeSet::new(),
            since,
            most: None,
            dry_run: false,
        }
    }

    fn hour(hours: u64) -> SystemTime {
        SystemTime::now() + Duration::from_secs(hours * 3600)
    }

    #[test]
    fn what_no_result_refers_to_goes_and_nothing_else() {
        let bench = Bench::new();
        let key = bench.result("1", "kept");
        let loose = bench.store.put_bytes(b"loose").expect("put");
        let dry = bench.store.gc(&Policy { dry_run: true, ..policy() }).expect("works");
        assert_eq!((dry.results, dry.objects, dry.bytes), (0, 1, 5));
        assert!(bench.store.object(&loose).exists(), "a dry run removes nothing");
        assert_eq!(bench.store.gc(&policy()).expect("works"), dry);
        assert!(!bench.store.object(&loose).exists());
        assert!(bench.store.verify_all().expect("works").is_clean());
        assert!(bench.store.has(&bench.store.result(&key).expect("there").outputs[0].artifact));
    }

    #[test]
    fn old_results_go_unless_a_run_used_them() {
        let bench = Bench::new();
        let keys = [bench.result("1", "one"), bench.result("2", "two"), bench.result("3", "three")];
        let last = BTreeMap::from([(keys[1], hour(3))]);
        let used = BTreeSet::from([keys[2]]);
        let swept = bench.store.gc(&Policy { used, last, since: hour(2), ..policy() }).expect("works");
        assert_eq!((swept.results, swept.objects, swept.kept_bytes), (1, 1, 8));
        let left: Vec<bool> = keys.iter().map(|key| bench.store.result(key).is_some()).collect();
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn a_limit_takes_what_was_not_used_for_longest() {
        let bench = Bench::new();
        let keys = [bench.result("1", "aaaa"), bench.result("2", "bbbb"), bench.result("3", "cccc")];
        let last = BTreeMap::from([(keys[0], hour(1)), (keys[1], hour(3)), (keys[2], hour(2))]);
        let swept = bench.store.gc(&Policy { last, most: Some(8), ..policy() }).expect("works");
        assert_eq!((swept.results, swept.bytes, swept.kept_bytes), (1, 4, 8));
        assert!(bench.store.result(&keys[0]).is_none());
    }

    #[test]
    fn nothing_goes_while_another_process_works_here() {
        let bench = Bench::new();
        let other = Store::open(bench.store.state()).expect("opened");
        bench.store.put_bytes(b"loose").expect("put");
        assert!(bench.store.gc(&policy()).expect_err("busy").to_string().starts_with("another run is at work here"));
        drop(other);
        assert_eq!(bench.store.gc(&policy()).expect("works").objects, 1);
    }

    #[test]
    fn hazard_16_a_result_whose_objects_are_gone_is_told_and_forgotten() {
        let bench = Bench::new();
        let key = bench.result("1", "one");
        fs::remove(&bench.store.object(&Digest::of(b"one"))).expect("removed");
        let found = bench.store.verify_all().expect("works");
        let missing = Missing { key: key.to_string(), node: "train".into(), output: "model".into() };
        assert_eq!(found.missing, [missing]);
        assert!(bench.store.result(&key).is_none());
        assert!(bench.store.verify_all().expect("works").is_clean());
    }
}
