//! Tests of the registries: what holds for all kinds here, each kind's own dangers in a file of its own.

mod directory;
mod edited;
mod git;
mod journal;
mod processes;
mod release;
mod rollback;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;

/// The moment at which all tests happen.
pub(super) fn clock() -> Clock {
    Clock::fixed("2026-08-01T12:00:00Z".parse::<Timestamp>().expect("a time"))
}

/// A place with a registry that can be opened many times, each time as another machine would.
pub(super) struct Place {
    pub(super) folder: TempDir,
    location: RegistryLocation,
}

impl Place {
    pub(super) fn directory() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, location: RegistryLocation::Directory { path: "registry".to_owned() } }
    }

    /// A bare repository on disk that takes filters, as hosts do.
    pub(super) fn git() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        git(folder.path(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        git(&folder.path().join("remote.git"), &["config", "uploadpack.allowFilter", "true"]);
        let place = Self {
            folder,
            location: RegistryLocation::Git { branch: "mlpc-registry".to_owned(), remote: "origin".to_owned() },
        };
        let first = place.machine("first");
        fs::write(first.join("README.md"), "hello\n").expect("written");
        git(&first, &["add", "-A"]);
        git(&first, &["commit", "-q", "-m", "first"]);
        git(&first, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
        place
    }

    /// The workspace of a machine; all machines share a directory registry's folder, and have clones otherwise.
    pub(super) fn machine(&self, name: &str) -> PathBuf {
        if matches!(self.location, RegistryLocation::Directory { .. }) {
            return self.folder.path().to_owned();
        }
        let path = self.folder.path().join(name);
        if !path.exists() {
            let remote = format!("file://{}", self.folder.path().join("remote.git").display());
            git(self.folder.path(), &["clone", "-q", &remote, name]);
        }
        path
    }

    pub(super) fn open(&self, machine: &str) -> Box<dyn Registry> {
        open("models", &self.location, &self.machine(machine), clock()).expect("opened")
    }

    /// A candidate whose model holds `text`.
    pub(super) fn candidate(&self, text: &str) -> Candidate {
        let path = self.folder.path().join("candidates").join(text);
        fs::create_dir_all(&path).expect("made");
        fs::write(path.join("model.pkl"), text).expect("written");
        fs::write(path.join("metrics.json"), format!("{{\"model\": \"{text}\", \"auc\": 0.9}}")).expect("written");
        Candidate {
            model: Artifact { path: path.join("model.pkl"), file: "model.pkl".to_owned() },
            digest: None,
            metrics: Some(path.join("metrics.json")),
            with: BTreeMap::new(),
            made: BTreeMap::new(),
            requirements: Some("numpy==2.0\n".to_owned()),
            metadata: Metadata { run: format!("run-{text}"), pipeline: "example".to_owned(), ..Metadata::default() },
        }
    }

    pub(super) fn register(&self, text: &str) -> Version {
        self.open("first").register(&self.candidate(text)).expect("registered").version
    }
}

/// Runs git as a person with a name and no configuration would.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_WORK_TREE")
        .output()
        .expect("git runs");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

pub(super) fn wish(version: &Version, expected: Option<&Version>) -> Promotion {
    Promotion {
        pointer: "production".to_owned(),
        version: version.id.clone(),
        expected: expected.map(|version| version.id.clone()),
        run: format!("run-of-{}", version.id),
    }
}

pub(super) fn promoted(registry: &dyn Registry, version: &Version, expected: Option<&Version>) -> Pointer {
    match registry.promote(&wish(version, expected)).expect("could be asked") {
        Outcome::Promoted(pointer) => pointer,
        other => panic!("not promoted: {other:?}"),
    }
}

/// Runs a test for each kind of registry.
fn for_each_kind(test: impl Fn(&Place)) {
    for place in [Place::directory(), Place::git()] {
        test(&place);
    }
}

#[test]
fn the_same_bytes_are_never_a_second_version() {
    for_each_kind(|place| {
        let registry = place.open("first");
        assert_eq!(registry.versions().expect("read"), []);
        let first = registry.register(&place.candidate("a")).expect("registered");
        assert!(first.new);
        let digest = Digest::of(b"a");
        assert_eq!(first.version.id, format!("v20260801-{}", &digest.hex()[..8]));
        assert_eq!(first.version.digest, digest);
        assert_eq!(first.version.created, "2026-08-01T12:00:00Z");

        let mut again = place.candidate("a");
        again.metadata.run = "another run".to_owned();
        let again = place.open("second").register(&again).expect("found");
        assert!(!again.new);
        assert_eq!(again.version, first.version);
        assert_eq!(registry.versions().expect("read"), std::slice::from_ref(&first.version));
        assert_eq!(registry.find_by_digest(&digest).expect("read"), Some(first.version.clone()));
        assert_eq!(registry.find_by_digest(&Digest::of(b"b")).expect("read"), None);
        assert_eq!(registry.version(&first.version.id).expect("read"), Some(first.version));
        assert_eq!(registry.version("../../etc").expect("no such version"), None);
    });
}

#[test]
fn a_pointer_moves_only_from_where_the_caller_believes_it() {
    for_each_kind(|place| {
        let registry = place.open("first");
        let [a, b, c] = ["a", "b", "c"].map(|text| place.register(text));
        assert_eq!(registry.pointer("production").expect("read"), None);

        let not_yet = registry.promote(&wish(&b, Some(&a))).expect("asked");
        assert_eq!(not_yet, Outcome::Moved { found: None });

        let at_a = promoted(&*registry, &a, None);
        assert_eq!((at_a.previous.as_deref(), at_a.digest), (None, a.digest));
        let taken = registry.promote(&wish(&b, None)).expect("asked");
        assert_eq!(taken, Outcome::Moved { found: Some(at_a.clone()) });

        let at_b = promoted(&*registry, &b, Some(&a));
        assert_eq!(at_b.previous.as_deref(), Some(a.id.as_str()));
        let late = registry.promote(&wish(&c, Some(&a))).expect("asked");
        assert_eq!(late, Outcome::Moved { found: Some(at_b.clone()) });
        // Whoever wants what is there already has it, whatever it expected.
        let there = registry.promote(&wish(&b, Some(&a))).expect("asked");
        assert_eq!(there, Outcome::AlreadyThere(at_b.clone()));

        let other = place.open("second");
        assert_eq!(other.pointer("production").expect("read"), Some(at_b.clone()));
        assert_eq!(other.pointers().expect("read"), std::slice::from_ref(&at_b));
        assert_eq!(other.history("production").expect("read"), [at_a, at_b]);
        assert_eq!(other.history("candidate").expect("read"), []);
        assert_eq!(other.fsck().expect("read"), []);
    });
}

#[test]
fn what_is_fetched_is_what_was_registered() {
    for_each_kind(|place| {
        let root = place.folder.path();
        let folder = root.join("folder model");
        fs::create_dir_all(folder.join("deep")).expect("made");
        fs::write(folder.join("weights"), [0_u8, 13, 10, 255]).expect("written");
        fs::write(folder.join("deep/tool's \"name\"\t$(x)"), "#!/bin/sh\n").expect("written");
        fs::write(folder.join(".gitattributes"), "* text eol=crlf\n").expect("written");
        crate::host::fs::set_mode(&folder.join("weights"), 0o755).expect("set");
        std::os::unix::fs::symlink("../weights", folder.join("deep/link")).expect("linked");
        let encoder = root.join("encoder.bin");
        fs::write(&encoder, "line\r\nline\n").expect("written");
        let mut candidate = place.candidate("unused");
        candidate.model = Artifact { path: folder.clone(), file: "folder model".to_owned() };
        candidate.with.insert("encoder".to_owned(), Artifact { path: encoder, file: "encoder.bin".to_owned() });

        let version = place.open("first").register(&candidate).expect("registered").version;
        assert!(version.model.directory);
        assert_eq!(version.with["encoder"].file, "encoder.bin");

        let registry = place.open("second");
        let dest = root.join("out/model");
        fs::create_dir_all(dest.join("what stood there before")).expect("made");
        registry.fetch(&version.id, &dest).expect("fetched");
        assert_eq!(view::measure(&dest, "folder model").expect("read").digest, version.digest);
        assert_eq!(fs::read_link(dest.join("deep/link")).expect("a link"), Path::new("../weights"));
        assert!(!dest.join("what stood there before").exists());
        registry.fetch_with(&version.id, "encoder", &root.join("out/encoder")).expect("fetched");
        assert_eq!(fs::read(root.join("out/encoder")).expect("read"), b"line\r\nline\n");
        assert_eq!(fs::read_dir(root.join("out")).expect("listed").count(), 2, "nothing else was left there");

        let unknown = registry.fetch_with(&version.id, "vocabulary", &root.join("out/x")).expect_err("not there");
        assert_eq!(unknown.kind(), ErrorKind::Unknown);
        promoted(&*registry, &version, None);
        assert_eq!(registry.fsck().expect("read"), []);
    });
}

#[test]
fn other_bytes_than_the_measured_ones_are_refused() {
    for_each_kind(|place| {
        let mut candidate = place.candidate("a");
        candidate.digest = Some(Digest::of(b"b"));
        let error = place.open("first").register(&candidate).expect_err("refused");
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::Corrupt, 11));
        assert_eq!(place.open("first").versions().expect("read"), []);
    });
}

#[test]
fn unknown_versions_and_impossible_names_are_errors() {
    for_each_kind(|place| {
        let registry = place.open("first");
        let a = place.register("a");
        let unknown = Promotion { version: "v20200101-00000000".to_owned(), ..wish(&a, None) };
        assert_eq!(registry.promote(&unknown).expect_err("unknown").kind(), ErrorKind::Unknown);
        for name in ["versions", "pointers", "..", "a/b", ""] {
            let wrong = Promotion { pointer: name.to_owned(), ..wish(&a, None) };
            assert_eq!(registry.promote(&wrong).expect_err("refused").kind(), ErrorKind::Unknown, "{name}");
            assert_eq!(registry.pointer(name).expect_err("refused").kind(), ErrorKind::Unknown, "{name}");
        }
        assert_eq!(registry.pointers().expect("read"), []);
    });
}

#[test]
fn of_many_who_passed_against_the_same_version_exactly_one_promotes() {
    for_each_kind(|place| {
        let champion = place.register("champion");
        promoted(&*place.open("first"), &champion, None);
        let machines = ["m1", "m2", "m3", "m4"];
        let challengers = machines.map(|machine| (machine, place.register(machine)));
        // Opening clones; done beforehand so that the race is about the pointer.
        let racers: Vec<_> = challengers.iter().map(|(machine, version)| (place.open(machine), version)).collect();
        let start = std::sync::Barrier::new(racers.len());
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let run = |(registry, version): &(Box<dyn Registry>, &Version)| {
                start.wait();
                registry.promote(&wish(version, Some(&champion))).expect("asked")
            };
            let running: Vec<_> = racers.iter().map(|racer| scope.spawn(move || run(racer))).collect();
            running.into_iter().map(|racer| racer.join().expect("no panic")).collect()
        });
        let winners: Vec<_> = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Promoted(_))).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        let Outcome::Promoted(winner) = winners[0] else { unreachable!("filtered") };
        for outcome in &outcomes {
            assert!(
                matches!(outcome, Outcome::Promoted(_)) || *outcome == Outcome::Moved { found: Some(winner.clone()) }
            );
        }
        assert_eq!(place.open("first").history("production").expect("read").len(), 2);
    });
}

#[test]
fn many_who_register_the_same_bytes_make_one_version() {
    for_each_kind(|place| {
        let candidate = place.candidate("same");
        let machines = ["m1", "m2", "m3"].map(|machine| place.open(machine));
        let versions: Vec<_> = std::thread::scope(|scope| {
            let run = |registry: &dyn Registry| registry.register(&candidate).expect("registered");
            let running: Vec<_> = machines.iter().map(|registry| scope.spawn(move || run(&**registry))).collect();
            running.into_iter().map(|running| running.join().expect("no panic")).collect()
        });
        assert_eq!(versions.iter().filter(|registered| registered.new).count(), 1);
        assert_eq!(place.open("first").versions().expect("read").len(), 1);
    });
}

#[test]
fn show_and_history_tell_what_stands_there() {
    let place = Place::directory();
    let [a, b] = ["a", "b"].map(|text| place.register(text));
    let registry = place.open("first");
    let text = |registry: &dyn Registry| {
        let mut out = Vec::new();
        show("models", registry).expect("read").write_text(&mut out).expect("written");
        history("models", registry, "production").expect("read").write_text(&mut out).expect("written");
        String::from_utf8(out).expect("text")
    };
    insta::assert_snapshot!(text(&*registry), @r#"
    models = directory("registry"), 2 versions
      nothing was promoted yet

    named by no pointer
      v20260801-17762fdd  registered 2026-08-01T12:00:00Z by run run-a
      v20260801-10e5cf3d  registered 2026-08-01T12:00:00Z by run run-b
    models@production was never set
    "#);
    promoted(&*registry, &a, None);
    promoted(&*registry, &b, Some(&a));
    insta::assert_snapshot!(text(&*registry), @r#"
    models = directory("registry"), 2 versions

    models@production
      version   v20260801-10e5cf3d
      digest    blake3:10e5cf3d3c8a4f9f3468c8cc58eea84892a22fdadbc1acb22410190044c1d553
      since     2026-08-01T12:00:00Z by run run-of-v20260801-10e5cf3d
      previous  v20260801-17762fdd
      metrics   auc 0.9
                model "b"

    named by no pointer
      v20260801-17762fdd  registered 2026-08-01T12:00:00Z by run run-a
    2026-08-01T12:00:00Z  v20260801-10e5cf3d  after v20260801-17762fdd  run run-of-v20260801-10e5cf3d
    2026-08-01T12:00:00Z  v20260801-17762fdd  first  run run-of-v20260801-17762fdd
    "#);
    let json = serde_json::to_value(show("models", &*registry).expect("read")).expect("a value");
    assert_eq!(json["pointers"][0]["version"], b.id);
    assert_eq!(json["pointers"][0]["metrics"]["auc"], 0.9);
    assert_eq!(json["others"][0]["version"], a.id);
    assert_eq!(json["others"].as_array().map(Vec::len), Some(1));
    let staging = history("models", &*registry, "staging").expect("read");
    let mut out = Vec::new();
    staging.write_text(&mut out).expect("written");
    let text = String::from_utf8(out).expect("text");
    assert_eq!(text, "models@staging was never set; set are models@production\n");
}

#[test]
fn what_a_killed_writer_left_is_cleared_and_is_no_pointer() {
    let place = Place::directory();
    let version = place.register("a");
    place.open("first").promote(&wish(&version, None)).expect("promoted");
    let root = place.folder.path().join("registry");
    for path in [".mlpc-a", "pointers/.mlpc-b", "production/.mlpc-c"] {
        fs::write(root.join(path), "half").expect("written");
    }
    let found = place.open("first").fsck().expect("read");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|finding| finding.repaired), "{found:?}");
    assert_eq!(place.open("first").fsck().expect("read"), []);
}
