//! Dangers of a folder: crashes between two writes, and hands that change what stands there.

use super::super::directory::Directory;
use super::super::rules;
use super::super::view::{Change, Store};
use super::*;

fn root(place: &Place) -> PathBuf {
    place.folder.path().join("registry")
}

fn store(place: &Place) -> Directory {
    Directory::open(root(place), "registry", clock())
}

fn kind<T: std::fmt::Debug>(result: Result<T, RegistryError>) -> ErrorKind {
    result.expect_err("refused").kind()
}

#[test]
fn serving_code_finds_the_files_it_expects() {
    let place = Place::directory();
    let a = place.register("a");
    promoted(&*place.open("first"), &a, None);
    let read = |path: &str| fs::read_to_string(root(&place).join(path)).expect(path);
    assert_eq!(read("production/version.txt"), format!("{}\n", a.id));
    assert_eq!(read("production/metrics.json"), "{\"model\": \"a\", \"auc\": 0.9}");
    let version = format!("versions/{}", a.id);
    assert_eq!(read(&format!("{version}/model")), "a");
    assert_eq!(read(&format!("{version}/metrics.json")), read("production/metrics.json"));
    assert_eq!(read(&format!("{version}/requirements.txt")), "numpy==2.0\n");
    assert!(read(&format!("{version}/metadata.json")).contains("\"file\": \"model.pkl\""));
    assert!(!root(&place).join(".staging").exists());
}

#[test]
fn a_version_without_metrics_leaves_none_of_its_predecessor() {
    let place = Place::directory();
    let a = place.register("a");
    let registry = place.open("first");
    promoted(&*registry, &a, None);
    let plain = registry.register(&Candidate { metrics: None, ..place.candidate("b") }).expect("registered").version;
    promoted(&*registry, &plain, Some(&a));
    assert!(!root(&place).join("production/metrics.json").exists());
    assert_eq!(registry.metrics(&plain.id).expect("read"), None);
}

#[test]
fn killed_at_any_step_of_a_promotion_the_pointer_is_old_or_new_and_the_rest_is_repaired() {
    for steps in 0..=4 {
        for repair in ["fsck", "the next promotion"] {
            let place = Place::directory();
            let [a, b, c] = ["a", "b", "c"].map(|text| place.register(text));
            let registry = place.open("first");
            promoted(&*registry, &a, None);
            let store = store(&place);
            let cut = &mut |view: &dyn view::View| {
                let (_, mut changes) = rules::promote(view, &wish(&b, Some(&a)), clock().now())?;
                assert_eq!(changes.len(), 4, "pointer, history, version.txt, metrics.json");
                changes.truncate(steps);
                Ok(changes)
            };
            store.transact("", cut).expect("applied");

            let current = registry.pointer("production").expect("read").expect("set");
            assert_eq!(current.version, if steps == 0 { &a } else { &b }.id.clone());
            let history = registry.history("production").expect("read");
            assert_eq!(history.last(), Some(&current), "readers see the last step though the file may lack it");
            let expected = if steps == 0 { &a } else { &b };
            if repair == "fsck" {
                let findings = registry.fsck().expect("read");
                assert!(findings.iter().all(|finding| finding.repaired));
                assert_eq!(findings.len(), if steps == 0 { 0 } else { 4 - steps });
            } else {
                promoted(&*registry, &c, Some(expected));
            }
            assert_eq!(registry.fsck().expect("read"), [], "{repair} after {steps} steps");
            let current = registry.pointer("production").expect("read").expect("set");
            let text = fs::read_to_string(root(&place).join("production/version.txt")).expect("read");
            assert_eq!(text.trim(), current.version);
            let file = fs::read_to_string(root(&place).join("history.jsonl")).expect("read");
            assert_eq!(file.lines().count(), registry.history("production").expect("read").len());
        }
    }
}

#[test]
fn what_a_killed_registration_left_is_no_version_and_is_cleared_away() {
    let place = Place::directory();
    fs::create_dir_all(root(&place).join(".staging")).expect("made");
    fs::write(root(&place).join(".staging/model"), "half").expect("written");
    assert_eq!(place.open("first").versions().expect("read"), []);
    place.register("a");
    assert!(!root(&place).join(".staging").exists());
    assert_eq!(place.open("first").versions().expect("read").len(), 1);
}

#[test]
fn an_unreadable_pointer_is_never_an_absent_one() {
    type Damage = fn(&Path);
    let damage: [(&str, Damage); 8] = [
        ("no JSON", |root| fs::write(root.join("pointers/production.json"), "{").expect("written")),
        ("empty", |root| fs::write(root.join("pointers/production.json"), "").expect("written")),
        ("deleted", |root| fs::remove_file(root.join("pointers/production.json")).expect("removed")),
        ("all deleted", |root| fs::remove_dir_all(root.join("pointers")).expect("removed")),
        ("the history, too", |root| {
            fs::remove_dir_all(root.join("pointers")).expect("removed");
            fs::remove_file(root.join("history.jsonl")).expect("removed");
        }),
        ("all but a rejection", |root| {
            for folder in ["pointers", "production"] {
                fs::remove_dir_all(root.join(folder)).expect("removed");
            }
            fs::remove_file(root.join("history.jsonl")).expect("removed");
            let digest = Digest::of(b"a");
            let line = format!(
                "{{\"format\":1,\"pointer\":\"production\",\"version\":\"v20260801-{}\",\"digest\":\"{digest}\",\
                 \"allowed\":false,\"by\":\"ada\",\"reason\":\"slow\",\"since\":\"2026-08-01T12:00:00Z\"}}\n",
                &digest.hex()[..8]
            );
            fs::write(root.join("rejections.jsonl"), line).expect("written");
        }),
        ("its version deleted", |root| fs::remove_dir_all(root.join("versions")).expect("removed")),
        ("another digest", |root| {
            let path = root.join("pointers/production.json");
            let text = fs::read_to_string(&path).expect("read");
            let (a, b) = (Digest::of(b"a").to_string(), Digest::of(b"b").to_string());
            fs::write(&path, text.replace(&a, &b)).expect("written");
        }),
    ];
    for (what, damage) in damage {
        let place = Place::directory();
        let [a, b] = ["a", "b"].map(|text| place.register(text));
        let registry = place.open("first");
        promoted(&*registry, &a, None);
        damage(&root(&place));
        assert_eq!(kind(registry.pointer("production")), ErrorKind::Corrupt, "{what}");
        assert!(registry.promote(&wish(&b, None)).is_err(), "{what}");
        assert!(registry.promote(&wish(&b, Some(&a))).is_err(), "{what}");
        assert!(registry.fsck().expect("read").iter().any(|finding| !finding.repaired), "{what}");
    }
}

#[test]
fn a_registry_that_is_not_a_folder_is_never_an_empty_one() {
    let place = Place::directory();
    fs::write(root(&place), "a file").expect("written");
    assert_eq!(kind(place.open("first").pointer("production")), ErrorKind::Corrupt);
    fs::remove_file(root(&place)).expect("removed");
    std::os::unix::fs::symlink("/nowhere/mounted", root(&place)).expect("linked");
    assert_eq!(kind(place.open("first").pointer("production")), ErrorKind::Unreachable);
    assert_eq!(kind(place.open("first").register(&place.candidate("a"))), ErrorKind::Unreachable);
}

#[test]
fn a_changed_model_is_neither_fetched_nor_promoted() {
    let place = Place::directory();
    let a = place.register("a");
    let registry = place.open("first");
    let model = root(&place).join(format!("versions/{}/model", a.id));
    fs::write(&model, "tampered").expect("written");
    let dest = place.folder.path().join("fetched");
    fs::write(&dest, "mine").expect("written");
    assert_eq!(kind(registry.fetch(&a.id, &dest)), ErrorKind::Corrupt);
    assert_eq!(fs::read_to_string(&dest).expect("read"), "mine");
    assert_eq!(kind(registry.promote(&wish(&a, None))), ErrorKind::Corrupt);
    assert_eq!(registry.pointer("production").expect("read"), None);
    let findings = registry.fsck().expect("read");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].problem, format!("`versions/{}/model` was changed after it was registered", a.id));
    fs::remove_file(&model).expect("removed");
    assert_eq!(kind(registry.fetch(&a.id, &dest)), ErrorKind::Corrupt);
}

#[test]
fn changed_metrics_are_an_error() {
    let place = Place::directory();
    let a = place.register("a");
    let registry = place.open("first");
    promoted(&*registry, &a, None);
    // The derived copy is only a copy.
    fs::write(root(&place).join("production/metrics.json"), "{\"auc\": 0.1}").expect("written");
    assert!(registry.metrics(&a.id).expect("read").expect("some").contains("0.9"));
    assert_eq!(registry.fsck().expect("read").len(), 1);
    fs::write(root(&place).join(format!("versions/{}/metrics.json", a.id)), "{\"auc\": 0.1}").expect("written");
    assert_eq!(kind(registry.metrics(&a.id)), ErrorKind::Corrupt);
}

#[test]
fn models_that_share_eight_digits_are_two_versions() {
    let place = Place::directory();
    let a = place.register("a");
    let versions = root(&place).join("versions");
    // Another model whose digest begins alike: made up, since nobody can find one.
    let other = format!("{}{}", &a.digest.hex()[..8], "0".repeat(56));
    let metadata = fs::read_to_string(versions.join(&a.id).join("metadata.json")).expect("read");
    let seal = format!("\"{}\"", a.seal.expect("sealed"));
    let metadata = metadata.replace(&a.digest.hex(), &other).replace(&seal, "null");
    fs::write(versions.join(&a.id).join("metadata.json"), metadata).expect("written");
    let second = place.open("first").register(&place.candidate("a")).expect("registered");
    assert!(second.new);
    assert_eq!(second.version.id, format!("v20260801-{}", &a.digest.hex()[..12]));
    assert_eq!(place.open("first").versions().expect("read").len(), 2);
    assert_eq!(place.open("first").find_by_digest(&a.digest).expect("read"), Some(second.version));
}

#[test]
fn a_damaged_version_stops_its_registration_instead_of_hiding_it() {
    let place = Place::directory();
    let a = place.register("a");
    fs::remove_file(root(&place).join(format!("versions/{}/metadata.json", a.id))).expect("removed");
    assert_eq!(kind(place.open("first").register(&place.candidate("a"))), ErrorKind::Corrupt);
}

#[test]
fn reading_makes_nothing() {
    let place = Place::directory();
    let registry = place.open("first");
    assert_eq!(registry.pointer("production").expect("read"), None);
    assert_eq!(registry.versions().expect("read"), []);
    assert!(!root(&place).exists());
}

#[test]
fn a_folder_changes_in_one_step() {
    let place = Place::directory();
    let store = store(&place);
    let missing = view::Content::Copy(place.folder.path().join("missing"), Digest::of(b""));
    let path = "versions/v20260801-00000000".to_owned();
    let files = vec![("first".to_owned(), view::Content::Bytes(b"1".to_vec())), ("second".to_owned(), missing)];
    let mut change = Some(Change::Folder { path, files });
    let result = store.transact("", &mut |_| Ok(change.take().into_iter().collect()));
    assert!(result.is_err());
    assert!(!root(&place).join("versions").exists());
}

/// Shows a registry that somebody changes right after its first file was read.
struct Meanwhile<'a> {
    store: &'a Directory,
    then: std::cell::RefCell<Option<Box<dyn FnOnce() + 'a>>>,
}

impl view::View for Meanwhile<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let answer = self.store.view()?.read(path);
        if let Some(then) = self.then.borrow_mut().take() {
            then();
        }
        answer
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, RegistryError> {
        self.store.view()?.list(folder)
    }

    fn export(&self, path: &str, dest: &Path) -> Result<bool, RegistryError> {
        self.store.view()?.export(path, dest)
    }

    fn digest(&self, path: &str) -> Result<Option<Digest>, RegistryError> {
        self.store.view()?.digest(path)
    }
}

#[test]
fn a_reader_beside_a_writer_sees_one_of_the_two_states() {
    let place = Place::directory();
    let [a, b] = ["a", "b"].map(|text| place.register(text));
    let store = store(&place);
    let meanwhile = |to: &Version, from: Option<&Version>| {
        let (place, to, from) = (&place, to.clone(), from.cloned());
        let then: Box<dyn FnOnce()> = Box::new(move || drop(promoted(&*place.open("second"), &to, from.as_ref())));
        Meanwhile { store: &store, then: std::cell::RefCell::new(Some(then)) }
    };
    let first = rules::pointer(&meanwhile(&a, None), "production").expect("not taken for damage");
    assert_eq!(first.expect("set by now").version, a.id);
    let history = rules::history(&meanwhile(&b, Some(&a)), "production").expect("read");
    assert_eq!(history.iter().map(|entry| &entry.version).collect::<Vec<_>>(), [&a.id, &b.id]);
}
