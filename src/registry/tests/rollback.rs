//! Back to an earlier version, and what may then be released.

use super::*;

fn ada() -> ByHand {
    ByHand { by: "ada".to_owned(), reason: "wrong totals".to_owned() }
}

fn back(from: &Version, to: Option<&Version>) -> Rollback {
    let (expected, to) = (from.id.clone(), to.map(|version| version.id.clone()));
    Rollback { pointer: "production".to_owned(), to, expected, who: ada() }
}

/// Three versions that were promoted one after another.
fn three(place: &Place) -> [Version; 3] {
    let [a, b, c] = ["a", "b", "c"].map(|text| place.register(text));
    let registry = place.open("first");
    promoted(&*registry, &a, None);
    promoted(&*registry, &b, Some(&a));
    promoted(&*registry, &c, Some(&b));
    [a, b, c]
}

fn now_at(outcome: Outcome) -> String {
    match outcome {
        Outcome::Promoted(pointer) => pointer.version,
        other => panic!("not moved: {other:?}"),
    }
}

#[test]
fn goes_back_a_step_at_a_time_and_never_to_what_was_rolled_back() {
    for_each_kind(|place| {
        let [a, b, c] = three(place);
        let registry = place.open("second");
        assert_eq!(now_at(registry.rollback(&back(&c, None)).expect("asked")), b.id);
        let pointer = registry.pointer("production").expect("read").expect("set");
        assert_eq!((pointer.previous.as_deref(), pointer.digest), (Some(c.id.as_str()), b.digest));
        assert_eq!(pointer.by_hand, Some(ada()));
        assert_eq!(now_at(registry.rollback(&back(&b, None)).expect("asked")), a.id);
        assert_eq!(registry.rollback(&back(&a, None)).expect_err("nothing is left").kind(), ErrorKind::Unknown);
        assert_eq!(registry.history("production").expect("read").len(), 5);
        assert_eq!(registry.fsck().expect("read"), []);
    });
}

#[test]
fn what_was_rolled_back_is_released_again_only_where_a_person_allows_it() {
    for_each_kind(|place| {
        let [_, b, c] = three(place);
        let registry = place.open("first");
        registry.rollback(&back(&c, None)).expect("asked");
        let Outcome::Rejected(rejection) = registry.promote(&wish(&c, Some(&b))).expect("asked") else {
            panic!("the bytes were rolled back");
        };
        assert_eq!((rejection.by.as_str(), rejection.version.as_str()), ("ada", c.id.as_str()));
        assert!(rejection.told("models").contains("mlpc registry allow models@production"), "{rejection:?}");
        assert!(matches!(registry.rollback(&back(&b, Some(&c))).expect("asked"), Outcome::Rejected(_)));
        assert_eq!(registry.rejection("candidate", &c.digest).expect("read"), None, "it is about one pointer");

        assert_eq!(registry.allow("production", &b.id, &ada()).expect_err("it was not").kind(), ErrorKind::Unknown);
        registry.allow("production", &c.id, &ada()).expect("allowed");
        promoted(&*registry, &c, Some(&b));
    });
}

#[test]
fn goes_only_from_where_the_caller_saw_it_and_only_to_what_it_named() {
    for_each_kind(|place| {
        let [a, b, c] = three(place);
        let registry = place.open("first");
        let Outcome::Moved { found: Some(found) } = registry.rollback(&back(&b, None)).expect("asked") else {
            panic!("it stands elsewhere");
        };
        assert_eq!(found.version, c.id);
        let never = place.register("d");
        let refused = registry.rollback(&back(&c, Some(&never))).expect_err("no gate ever let it in");
        assert!(refused.to_string().contains("never named"), "{refused}");
        assert!(matches!(registry.rollback(&back(&c, Some(&c))).expect("asked"), Outcome::AlreadyThere(_)));
        assert_eq!(now_at(registry.rollback(&back(&c, Some(&a))).expect("asked")), a.id);
    });
}

#[test]
fn a_record_that_is_gone_or_damaged_allows_nothing() {
    let place = Place::directory();
    let [_, b, c] = three(&place);
    let registry = place.open("first");
    registry.rollback(&back(&c, None)).expect("asked");
    let path = place.folder.path().join("registry/rejections.jsonl");
    for damage in [None, Some("{\"format\": 1\n")] {
        match damage {
            None => fs::remove_file(&path).expect("removed"),
            Some(text) => fs::write(&path, text).expect("written"),
        }
        assert_eq!(registry.promote(&wish(&c, Some(&b))).expect_err("refused").exit_code(), 11);
        let found = registry.fsck().expect("read");
        assert!(found.iter().any(|finding| finding.path == "rejections.jsonl" && !finding.repaired), "{found:?}");
    }
}

#[test]
fn says_what_was_in_force_at_a_time() {
    let place = Place::directory();
    let [_, b, c] = three(&place);
    let registry = place.open("first");
    registry.rollback(&back(&c, None)).expect("asked");
    let told = |time: &str| at("models", &*registry, "production", time.parse().expect("a time")).expect("read");
    assert_eq!(told("2026-08-01T11:59:59Z").entry, None);
    let report = told("2026-08-01T12:00:00Z");
    assert_eq!(report.entry.as_ref().map(|entry| entry.version.clone()), Some(b.id));
    let mut text = Vec::new();
    report.write_text(&mut text).expect("written");
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("rolled back by ada: wrong totals") && text.contains("run run-b of example"), "{text}");
}

#[test]
fn a_line_of_the_record_that_was_taken_out_or_edited_allows_nothing() {
    type Damage = fn(&str) -> String;
    let damage: [(&str, Damage); 7] = [
        ("emptied", |_| String::new()),
        ("another's line only", |text| text.replace("\"production\"", "\"staging\"")),
        ("allowed", |text| text.replace("\"allowed\":false", "\"allowed\":true")),
        ("another reason", |text| text.replace("wrong totals", "nothing")),
        ("another person", |text| text.replace("\"ada\"", "\"bob\"")),
        ("another time", |text| text.replace("2026-08-01", "2026-07-01")),
        ("other bytes", |text| text.replace(&Digest::of(b"c").to_string(), &Digest::of(b"d").to_string())),
    ];
    for (what, damage) in damage {
        let place = Place::directory();
        let [_, b, c] = three(&place);
        let registry = place.open("first");
        registry.rollback(&back(&c, None)).expect("asked");
        let path = place.folder.path().join("registry/rejections.jsonl");
        fs::write(&path, damage(&fs::read_to_string(&path).expect("read"))).expect("written");
        let error = registry.promote(&wish(&c, Some(&b))).expect_err(what);
        assert_eq!(error.exit_code(), 11, "{what}");
        assert!(error.to_string().contains("put the file back"), "{what}: {error}");
        assert_eq!(registry.rejection("production", &c.digest).expect_err(what).exit_code(), 11);
        assert_eq!(registry.rollback(&back(&b, None)).expect_err(what).exit_code(), 11);
        let found = registry.fsck().expect("read");
        assert!(found.iter().any(|finding| finding.path == "rejections.jsonl" && !finding.repaired), "{found:?}");
    }
}

#[test]
fn a_step_back_that_a_crash_kept_out_of_the_history_asks_for_its_line_too() {
    let place = Place::directory();
    let [_, b, c] = three(&place);
    let registry = place.open("first");
    registry.rollback(&back(&c, None)).expect("asked");
    let root = place.folder.path().join("registry");
    let history = fs::read_to_string(root.join("history.jsonl")).expect("read");
    let whole: Vec<_> = history.lines().collect();
    fs::write(root.join("history.jsonl"), whole[..3].join("\n") + "\n").expect("written");
    assert!(matches!(registry.promote(&wish(&c, Some(&b))).expect("asked"), Outcome::Rejected(_)));
    fs::write(root.join("rejections.jsonl"), "").expect("written");
    assert_eq!(registry.promote(&wish(&c, Some(&b))).expect_err("refused").exit_code(), 11);
    let found = registry.fsck().expect("read");
    assert!(found.iter().any(|finding| finding.path == "rejections.jsonl" && !finding.repaired), "{found:?}");
}

#[test]
fn a_line_in_the_middle_of_the_record_that_was_edited_is_damage() {
    let place = Place::directory();
    let [a, b, c] = three(&place);
    let registry = place.open("first");
    registry.rollback(&back(&c, None)).expect("asked");
    registry.rollback(&back(&b, None)).expect("asked");
    registry.allow("production", &c.id, &ada()).expect("allowed");
    registry.allow("production", &b.id, &ada()).expect("allowed");
    let path = place.folder.path().join("registry/rejections.jsonl");
    let text = fs::read_to_string(&path).expect("read");
    let lines: Vec<&str> = text.lines().collect();
    for edited in [vec![lines[0], lines[1], lines[3]], vec![lines[0], lines[2], lines[1], lines[3]]] {
        fs::write(&path, edited.join("\n") + "\n").expect("written");
        let error = registry.promote(&wish(&c, Some(&a))).expect_err("refused");
        assert!(error.to_string().contains("does not follow the line before it"), "{error}");
        assert_eq!(error.exit_code(), 11);
    }
}

/// Takes what ties its lines together out of a record.
fn untied(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("read");
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).expect("a line");
        line.remove("follows");
        serde_json::to_string(&line).expect("written") + "\n"
    });
    let lines: String = lines.collect();
    fs::write(path, &lines).expect("written");
    lines
}

#[test]
fn a_record_whose_lines_were_untied_allows_nothing_beside_a_history_that_is_tied() {
    let place = Place::directory();
    let [_, b, c] = three(&place);
    let registry = place.open("first");
    registry.rollback(&back(&c, None)).expect("asked");
    let root = place.folder.path().join("registry");
    let path = root.join("rejections.jsonl");
    let lines = untied(&path);
    fs::write(&path, lines.clone() + &lines.replace("\"allowed\":false", "\"allowed\":true")).expect("written");
    assert_eq!(registry.promote(&wish(&c, Some(&b))).expect_err("refused").exit_code(), 11);
    let found = registry.fsck().expect("read");
    assert!(found.iter().any(|finding| finding.path == "rejections.jsonl" && !finding.repaired), "{found:?}");
}

#[test]
fn a_rollback_of_an_older_program_is_gone_on_from() {
    let place = Place::directory();
    let [a, b, c] = three(&place);
    let registry = place.open("first");
    registry.rollback(&back(&c, None)).expect("asked");
    let root = place.folder.path().join("registry");
    untied(&root.join("rejections.jsonl"));
    let history = untied(&root.join("history.jsonl"));
    fs::write(root.join("pointers/production.json"), history.lines().last().expect("four")).expect("written");
    assert!(matches!(registry.promote(&wish(&c, Some(&b))).expect("asked"), Outcome::Rejected(_)));
    registry.rollback(&back(&b, None)).expect("asked");
    registry.allow("production", &c.id, &ada()).expect("allowed");
    promoted(&*registry, &c, Some(&a));
    assert_eq!(registry.fsck().expect("read"), []);
}
