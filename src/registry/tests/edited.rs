//! Records that were edited by hand, and records of programs that kept no digest of them.

use serde_json::{Map, Value};

use super::*;

/// Rewrites a file of one record.
fn edit(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut record = serde_json::from_slice(&fs::read(path).expect("read")).expect("a record");
    change(&mut record);
    fs::write(path, serde_json::to_vec_pretty(&record).expect("written")).expect("written");
}

/// A registry whose one version is in production; its root and the version's record.
fn released() -> (Place, PathBuf, PathBuf) {
    let place = Place::directory();
    let version = place.register("a");
    promoted(&*place.open("first"), &version, None);
    let root = place.folder.path().join("registry");
    let record = root.join("versions").join(&version.id).join("metadata.json");
    (place, root, record)
}

fn forge(record: &mut Map<String, Value>) {
    record["metadata"]["inputs"] = serde_json::json!({ "raw": "blake3:00" });
}

#[test]
fn an_edited_record_is_an_error_wherever_it_is_read() {
    let (place, _, record) = released();
    edit(&record, forge);
    let registry = place.open("first");
    let id = record.parent().and_then(Path::file_name).expect("named").to_string_lossy().into_owned();
    for error in [registry.version(&id).expect_err("refused"), registry.pointer("production").expect_err("refused")] {
        assert_eq!(error.exit_code(), 11);
        assert!(error.to_string().contains("metadata.json` was changed after it was registered"), "{error}");
    }
    let found = registry.fsck().expect("read");
    assert!(found.iter().any(|finding| finding.path.ends_with(&id) && !finding.repaired && !finding.note), "{found:?}");
}

#[test]
fn an_edit_that_takes_the_seal_away_differs_from_the_pointer() {
    let (place, _, record) = released();
    edit(&record, |record| {
        forge(record);
        record.remove("seal");
    });
    let error = place.open("first").pointer("production").expect_err("refused");
    assert!(error.to_string().contains("was changed after `pointers/production.json` was set to it"), "{error}");
    assert_eq!(error.exit_code(), 11);
}

#[test]
fn an_edited_list_of_packages_is_not_promoted() {
    let place = Place::directory();
    let version = place.register("a");
    let path = place.folder.path().join("registry/versions").join(&version.id).join("requirements.txt");
    fs::write(&path, "numpy==0.1\n").expect("written");
    let error = place.open("first").promote(&wish(&version, None)).expect_err("refused");
    assert!(error.to_string().contains("requirements.txt` was changed"), "{error}");
}

#[test]
fn what_older_programs_wrote_is_read_and_said_to_be_uncovered() {
    let (place, root, record) = released();
    edit(&record, |record| {
        record.remove("seal");
        record.remove("requirements_digest");
    });
    let pointer = root.join("pointers/production.json");
    edit(&pointer, |pointer| drop(pointer.remove("metadata_digest")));
    let line = serde_json::from_slice::<Value>(&fs::read(&pointer).expect("read")).expect("a record").to_string();
    fs::write(root.join("history.jsonl"), line + "\n").expect("written");
    let registry = place.open("first");
    assert!(registry.pointer("production").expect("read").is_some());
    let found = registry.fsck().expect("read");
    assert_eq!(found.iter().filter(|finding| finding.note).count(), 2, "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_history_that_ends_in_half_a_line_is_mended_and_one_damaged_elsewhere_is_named() {
    let (place, root, _) = released();
    let registry = place.open("first");
    let history = fs::read_to_string(root.join("history.jsonl")).expect("read");
    fs::write(root.join("history.jsonl"), &history[..history.len() / 2]).expect("written");
    assert_eq!(registry.history("production").expect_err("refused").exit_code(), 11);
    let found = registry.fsck().expect("read");
    assert!(found.iter().all(|finding| finding.repaired), "{found:?}");
    assert_eq!(fs::read_to_string(root.join("history.jsonl")).expect("read"), history);
    fs::write(root.join("history.jsonl"), format!("half\n{history}")).expect("written");
    let found = registry.fsck().expect("read");
    assert!(found.iter().any(|finding| finding.path == "history.jsonl" && !finding.repaired), "{found:?}");
}

#[test]
fn folders_and_files_in_each_others_place_are_damage() {
    let (place, root, _) = released();
    let pointer = root.join("pointers/production.json");
    fs::remove_file(&pointer).expect("removed");
    fs::create_dir(&pointer).expect("made");
    let found = place.open("first").fsck().expect("read");
    assert!(found.iter().any(|finding| finding.problem.contains("is a folder") && !finding.repaired), "{found:?}");
    fs::remove_dir_all(&root).expect("removed");
    fs::write(&root, "a file").expect("written");
    assert_eq!(place.open("first").fsck().expect_err("refused").exit_code(), 11);
}
