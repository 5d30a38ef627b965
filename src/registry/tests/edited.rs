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

/// Four versions that were in production one after another, and a fifth that could be; the registry's root.
fn a_long_past() -> (Place, PathBuf, [Version; 5]) {
    let place = Place::directory();
    let versions = ["a", "b", "c", "d", "e"].map(|text| place.register(text));
    let registry = place.open("first");
    promoted(&*registry, &versions[0], None);
    for pair in versions[..4].windows(2) {
        promoted(&*registry, &pair[1], Some(&pair[0]));
    }
    let root = place.folder.path().join("registry");
    (place, root, versions)
}

/// Asserts that neither a run nor `fsck` believes what stands there, and that nothing is written after it.
fn is_damage(place: &Place, versions: &[Version; 5], file: &str, what: &str) {
    let registry = place.open("first");
    let before = fs::read(place.folder.path().join("registry/history.jsonl")).ok();
    for expected in [None, Some(&versions[0]), Some(&versions[3])] {
        let error = registry.promote(&wish(&versions[4], expected)).expect_err(what);
        assert_eq!(error.exit_code(), 11, "{what}");
    }
    assert_eq!(registry.pointer("production").expect_err(what).exit_code(), 11, "{what}");
    assert_eq!(registry.history("production").expect_err(what).exit_code(), 11, "{what}");
    let found = registry.fsck().expect("read");
    assert!(found.iter().any(|finding| finding.path == file && !finding.repaired), "{what}: {found:?}");
    assert_eq!(fs::read(place.folder.path().join("registry/history.jsonl")).ok(), before, "{what}");
}

#[test]
fn a_pointer_that_the_history_contradicts_is_damage() {
    let (place, root, versions) = a_long_past();
    let history = fs::read_to_string(root.join("history.jsonl")).expect("read");
    for earlier in history.lines().take(3) {
        fs::write(root.join("pointers/production.json"), earlier).expect("written");
        is_damage(&place, &versions, "pointers/production.json", earlier);
    }
    let last = history.lines().last().expect("four");
    for (from, to) in [("2026-08-01", "2026-07-01"), (r#""run":"run"#, r#""run":"another"#)] {
        fs::write(root.join("pointers/production.json"), last.replace(from, to)).expect("written");
        is_damage(&place, &versions, "pointers/production.json", to);
    }
    fs::write(root.join("pointers/production.json"), last).expect("written");
    assert_eq!(place.open("first").fsck().expect("read"), []);
}

/// What serving code reads is written last: it knows of no version that the other two never heard of.
#[test]
fn a_pointer_and_a_history_that_were_put_back_together_are_damage() {
    let (place, root, versions) = a_long_past();
    let history = fs::read_to_string(root.join("history.jsonl")).expect("read");
    let lines: Vec<&str> = history.lines().collect();
    fs::write(root.join("history.jsonl"), lines[..3].join("\n") + "\n").expect("written");
    fs::write(root.join("pointers/production.json"), lines[2]).expect("written");
    is_damage(&place, &versions, "pointers/production.json", "half a restore");
    assert_eq!(fs::read_to_string(root.join("production/version.txt")).expect("kept").trim(), versions[3].id);
    // Behind the pointer it may be, as after a crash.
    fs::write(root.join("production/version.txt"), format!("{}\n", versions[0].id)).expect("written");
    assert!(place.open("first").fsck().expect("read").iter().all(|finding| finding.repaired));
    for kept in ["version.txt", "metrics.json"] {
        let (place, root, _) = a_long_past();
        fs::remove_dir_all(root.join("pointers")).expect("removed");
        fs::remove_file(root.join("history.jsonl")).expect("removed");
        let other = if kept == "version.txt" { "metrics.json" } else { "version.txt" };
        let served = root.join("production");
        fs::write(served.join(kept), fs::read(served.join(kept)).unwrap_or_else(|_| b"{}".to_vec())).expect("written");
        fs::remove_file(served.join(other)).ok();
        let error = place.open("first").pointer("production").expect_err(kept);
        assert_eq!(error.exit_code(), 11, "{error}");
        let found = place.open("first").fsck().expect("read");
        assert!(found.iter().any(|finding| finding.path.ends_with(kept) && !finding.repaired), "{found:?}");
    }
}

#[test]
fn a_history_with_a_line_taken_out_moved_or_edited_is_damage() {
    let (place, root, versions) = a_long_past();
    let history = fs::read_to_string(root.join("history.jsonl")).expect("read");
    let lines: Vec<&str> = history.lines().collect();
    let write = |lines: &[&str]| fs::write(root.join("history.jsonl"), lines.join("\n") + "\n").expect("written");
    for line in 0..3 {
        let mut without = lines.clone();
        without.remove(line);
        write(&without);
        is_damage(&place, &versions, "history.jsonl", "taken out");
        let mut moved = lines.clone();
        moved.swap(line, line + 1);
        write(&moved);
        is_damage(&place, &versions, "history.jsonl", "moved");
        let since = lines[line].replace("2026-08-01", "2026-07-01");
        let mut edited = lines.clone();
        edited[line] = &since;
        write(&edited);
        is_damage(&place, &versions, "history.jsonl", "edited");
    }
    write(&lines[..2]);
    is_damage(&place, &versions, "pointers/production.json", "two are missing");
    fs::remove_file(root.join("history.jsonl")).expect("removed");
    is_damage(&place, &versions, "pointers/production.json", "all are missing");
    // Only the last is what a crash leaves out, and is written anew.
    write(&lines[..3]);
    let found = place.open("first").fsck().expect("read");
    assert!(found.len() == 1 && found[0].repaired, "{found:?}");
    assert_eq!(fs::read_to_string(root.join("history.jsonl")).expect("read"), history);
}

#[test]
fn lines_of_older_programs_are_held_together_by_what_they_name() {
    let (place, root, _) = a_long_past();
    let history = fs::read_to_string(root.join("history.jsonl")).expect("read");
    let old = |line: &str| {
        let mut line: Map<String, Value> = serde_json::from_str(line).expect("a line");
        line.remove("follows");
        serde_json::to_string(&line).expect("written")
    };
    let lines: Vec<String> = history.lines().map(old).collect();
    let write = |lines: &[String]| fs::write(root.join("history.jsonl"), lines.join("\n") + "\n").expect("written");
    write(&lines);
    fs::write(root.join("pointers/production.json"), lines.last().expect("four")).expect("written");
    let registry = place.open("first");
    assert_eq!(registry.history("production").expect("read").len(), 4);
    write(&[&lines[..1], &lines[2..]].concat());
    assert_eq!(registry.pointer("production").expect_err("one is missing").exit_code(), 11);
    // Behind one that is tied to the line before it, none is loose.
    write(&[history.lines().map(str::to_owned).take(3).collect(), lines[3..].to_vec()].concat());
    assert_eq!(registry.pointer("production").expect_err("loose").exit_code(), 11);
}

/// Takes the end off the last line of a file.
fn open_end(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("read");
    let open = text.strip_suffix('\n').expect("the last line ends").to_owned();
    fs::write(path, &open).expect("written");
    text
}

#[test]
fn what_is_added_to_a_record_without_its_last_end_of_line_is_a_line_of_its_own() {
    let (place, root, versions) = a_long_past();
    let registry = place.open("first");
    let who = ByHand { by: "ada".to_owned(), reason: "wrong totals".to_owned() };
    let back = |from: &Version| Rollback {
        pointer: "production".to_owned(),
        to: None,
        expected: from.id.clone(),
        who: who.clone(),
    };
    let files = ["history.jsonl", "rejections.jsonl"].map(|file| root.join(file));
    open_end(&files[0]);
    registry.rollback(&back(&versions[3])).expect("asked");
    for file in &files {
        open_end(file);
    }
    registry.rollback(&back(&versions[2])).expect("asked");
    open_end(&files[0]);
    promoted(&*registry, &versions[4], Some(&versions[1]));
    open_end(&files[1]);
    registry.allow("production", &versions[3].id, &who).expect("allowed");
    assert_eq!(registry.fsck().expect("read"), []);
    assert_eq!(registry.history("production").expect("read").len(), 7);
    for (file, lines) in files.iter().zip([7, 3]) {
        assert_eq!(fs::read_to_string(file).expect("read").lines().count(), lines);
    }
    // The step that a crash kept out of the history is a line of its own too.
    let history = fs::read_to_string(&files[0]).expect("read");
    let earlier: Vec<&str> = history.lines().take(6).collect();
    fs::write(&files[0], earlier.join("\n")).expect("written");
    assert!(registry.fsck().expect("read").iter().all(|finding| finding.repaired));
    assert_eq!(fs::read_to_string(&files[0]).expect("read"), history);
}

#[test]
fn a_record_without_its_last_end_of_line_is_mended() {
    let (place, root, versions) = a_long_past();
    let registry = place.open("first");
    let who = ByHand { by: "ada".to_owned(), reason: "wrong totals".to_owned() };
    let wish = Rollback { pointer: "production".to_owned(), to: None, expected: versions[3].id.clone(), who };
    registry.rollback(&wish).expect("asked");
    for file in ["history.jsonl", "rejections.jsonl"] {
        let whole = open_end(&root.join(file));
        let found = registry.fsck().expect("read");
        assert!(found.len() == 1 && found[0].repaired && found[0].path == file, "{found:?}");
        assert_eq!(fs::read_to_string(root.join(file)).expect("read"), whole);
        assert_eq!(registry.fsck().expect("read"), []);
    }
}
