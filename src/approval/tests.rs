//! Decisions in time, late, by others, about other bytes.

use std::io::Write;

use super::*;

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + seconds).expect("in range")
}

fn question() -> Asked {
    Asked {
        approval: "go_live".into(),
        subject: "release".into(),
        digest: "blake3:aa".into(),
        run: "r1".into(),
        at: time(0),
        timeout: 3_600_000_000_000,
        by: vec!["alice".into(), "bob".into()],
        shown: vec![report("blake3:77")],
        about: None,
        shared: false,
    }
}

fn report(digest: &str) -> Shown {
    Shown { gate: "quality".into(), path: "gate_report.json".into(), digest: digest.into(), said: digest.into() }
}

fn answer(given: bool, by: &str, at: i64) -> Decided {
    let (approval, digest) = ("go_live".into(), "blake3:aa".into());
    Decided { approval, digest, reports: question().reports(), given, by: by.into(), at: time(at), reason: None }
}

fn standing(workspace: &Path, digest: &str, now: i64) -> Standing {
    find(workspace, &Asked { digest: digest.into(), ..question() }, time(now)).expect("readable")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn waits_until_a_person_decides() {
    let folder = folder();
    ask(folder.path(), &question()).expect("asked");
    assert_eq!(standing(folder.path(), "blake3:aa", 10), Standing::Waiting { until: time(3600) });
    assert_eq!(waiting(folder.path(), time(10)).expect("readable"), [question()]);
    decide(folder.path(), &question(), &answer(true, "alice", 20)).expect("may decide");
    assert_eq!(
        standing(folder.path(), "blake3:aa", 5000),
        Standing::Approved { by: "alice".into(), at: time(20) },
        "given in time holds afterwards"
    );
    assert!(waiting(folder.path(), time(30)).expect("readable").is_empty());
}

#[test]
fn a_decision_is_about_one_digest_and_about_what_was_asked_before_it() {
    let folder = folder();
    decide(folder.path(), &Asked { at: time(-100), ..question() }, &answer(true, "alice", -50)).expect("may decide");
    let refused = decide(folder.path(), &question(), &answer(true, "alice", -1)).expect_err("the clock is behind");
    assert!(matches!(refused, Refusal::BeforeAsked(_)));
    assert!(refused.to_string().contains("set the clock right"), "{refused}");
    assert!(matches!(standing(folder.path(), "blake3:aa", 10), Standing::Waiting { .. }), "given before it was asked");
    decide(folder.path(), &question(), &answer(true, "alice", 20)).expect("may decide");
    assert!(matches!(standing(folder.path(), "blake3:bb", 30), Standing::Waiting { .. }), "other bytes");
    assert!(matches!(standing(folder.path(), "blake3:aa", 30), Standing::Approved { .. }));
}

#[test]
fn late_and_never_are_rejections() {
    let folder = folder();
    assert!(matches!(standing(folder.path(), "blake3:aa", 3600), Standing::Waiting { .. }));
    let Standing::Rejected { by: None, reason, .. } = standing(folder.path(), "blake3:aa", 3601) else {
        panic!("the time ran out");
    };
    assert_eq!(reason, "nobody decided within 1h");
    let late = decide(folder.path(), &question(), &answer(true, "alice", 3601)).expect("recorded or not");
    assert!(matches!(late, Standing::Rejected { .. }));
    assert!(matches!(standing(folder.path(), "blake3:aa", 4000), Standing::Rejected { .. }));
    // Even where a late approval stands in the record.
    record::append(folder.path(), &Record::Decided(answer(true, "alice", 3700))).expect("written");
    assert!(matches!(standing(folder.path(), "blake3:aa", 4000), Standing::Rejected { .. }));
}

#[test]
fn a_refusal_is_final() {
    let folder = folder();
    let refusal = Decided { reason: Some("too slow".into()), ..answer(false, "bob", 10) };
    decide(folder.path(), &question(), &refusal).expect("may decide");
    let after = decide(folder.path(), &question(), &answer(true, "alice", 20)).expect("answered");
    assert_eq!(after, Standing::Rejected { by: Some("bob".into()), at: time(10), reason: "too slow".into() });
    let decision = after.decision("go_live").expect("decided");
    assert!(!decision.given && decision.by.as_deref() == Some("bob"));
}

#[test]
fn only_those_who_are_named_may_decide() {
    let folder = folder();
    let refused = decide(folder.path(), &question(), &answer(true, "mallory", 10)).expect_err("not named");
    assert_eq!(refused.to_string(), "`mallory` may not decide about `go_live`; `alice`, `bob` may");
    assert!(matches!(standing(folder.path(), "blake3:aa", 20), Standing::Waiting { .. }));
    let anyone = Asked { by: vec![], ..question() };
    assert!(decide(folder.path(), &anyone, &answer(true, "mallory", 10)).is_ok());
}

#[test]
fn asking_again_in_a_resumed_run_does_not_start_the_clock_anew() {
    let folder = folder();
    ask(folder.path(), &question()).expect("asked");
    let again = ask(folder.path(), &Asked { at: time(3000), ..question() }).expect("asked");
    assert_eq!(again.at, time(0));
    let other = ask(folder.path(), &Asked { at: time(3000), run: "r2".into(), ..question() }).expect("asked");
    assert_eq!(other.at, time(3000));
}

#[test]
fn a_record_cut_off_by_a_crash_is_dropped_and_a_damaged_one_is_not_passed_over() {
    let folder = folder();
    ask(folder.path(), &question()).expect("asked");
    let path = record::path(folder.path());
    let mut file = std::fs::File::options().append(true).open(&path).expect("there");
    file.write_all(br#"{"record":"decided","appr"#).expect("written");
    assert!(matches!(standing(folder.path(), "blake3:aa", 10), Standing::Waiting { .. }));
    decide(folder.path(), &question(), &answer(true, "alice", 20)).expect("may decide");
    assert!(matches!(standing(folder.path(), "blake3:aa", 30), Standing::Approved { .. }));
    let text = std::fs::read_to_string(&path).expect("there").replacen("asked", "axked", 1);
    std::fs::write(&path, text).expect("written");
    assert!(find(folder.path(), &question(), time(1)).is_err());
}

#[test]
fn a_refusal_that_lacks_its_end_of_line_is_one_and_stays_one() {
    let folder = folder();
    ask(folder.path(), &question()).expect("recorded");
    let file = folder.path().join(".mlpc/approvals.jsonl");
    let open_end = || {
        let text = std::fs::read_to_string(&file).expect("read");
        std::fs::write(&file, text.strip_suffix('\n').expect("the last line ends")).expect("written");
    };
    open_end();
    decide(folder.path(), &question(), &answer(false, "bob", 10)).expect("recorded");
    open_end();
    let again = decide(folder.path(), &question(), &answer(true, "alice", 20)).expect("asked");
    assert!(matches!(again, Standing::Rejected { .. }), "{again:?}");
    assert!(matches!(standing(folder.path(), &question().digest, 30), Standing::Rejected { .. }));
    ask(folder.path(), &Asked { run: "another".to_owned(), ..question() }).expect("recorded");
    assert_eq!(std::fs::read_to_string(&file).expect("read").lines().count(), 3);
}

#[test]
fn a_decision_counts_only_with_the_reports_that_were_shown() {
    let folder = folder();
    let warns = Asked { run: "r2".into(), shown: vec![report("blake3:88")], ..question() };
    ask(folder.path(), &question()).expect("asked");
    ask(folder.path(), &warns).expect("asked");
    decide(folder.path(), &question(), &answer(true, "alice", 20)).expect("may decide");
    let of = |asked: &Asked| find(folder.path(), asked, time(30)).expect("readable");
    assert!(matches!(of(&question()), Standing::Approved { .. }));
    assert!(matches!(of(&warns), Standing::Waiting { .. }), "alice never saw this report");
    assert!(matches!(of(&Asked { shown: vec![], ..question() }), Standing::Waiting { .. }), "nor a run without any");
    assert_eq!(waiting(folder.path(), time(30)).expect("readable"), std::slice::from_ref(&warns));
    let told = of_other_reports(folder.path(), &warns).expect("readable").expect("told");
    assert_eq!((told.by.as_str(), told.at), ("alice", time(20)));
    assert_eq!(of_other_reports(folder.path(), &question()).expect("readable"), None);
    // The same run with another report asks anew.
    let again = Asked { at: time(40), shown: vec![report("blake3:99")], ..question() };
    assert_eq!(ask(folder.path(), &again).expect("asked").at, time(40));
    assert!(matches!(of(&again), Standing::Waiting { .. }));
}

#[test]
fn nobody_decides_nothing() {
    let folder = folder();
    let anyone = Asked { by: vec![], ..question() };
    for nobody in ["", " ", "\t", "a\nb"] {
        let refused = decide(folder.path(), &anyone, &answer(true, nobody, 10)).expect_err("nobody");
        assert!(matches!(refused, Refusal::Nobody), "{refused}");
    }
    // Even where a line of the record says so.
    record::append(folder.path(), &Record::Decided(answer(true, " ", 10))).expect("written");
    assert!(matches!(find(folder.path(), &anyone, time(20)).expect("readable"), Standing::Waiting { .. }));
}

#[test]
fn numbers_that_are_measured_again_in_the_same_run_ask_nobody_anew() {
    let folder = folder();
    ask(folder.path(), &question()).expect("asked");
    let again = |digest: &str, at: i64| {
        let shown = vec![Shown { said: "blake3:77".into(), ..report(digest) }];
        ask(folder.path(), &Asked { at: time(at), shown, ..question() }).expect("asked")
    };
    let second = again("blake3:78", 10);
    assert_eq!(second.at, time(0), "the time to decide began with the first question");
    assert_eq!(
        waiting(folder.path(), time(11)).expect("readable"),
        std::slice::from_ref(&second),
        "what is shown is the last"
    );
    let yes = Decided { reports: second.reports(), ..answer(true, "alice", 20) };
    decide(folder.path(), &second, &yes).expect("may decide");
    let third = again("blake3:79", 30);
    assert!(matches!(find(folder.path(), &third, time(31)).expect("readable"), Standing::Approved { .. }));
    assert!(waiting(folder.path(), time(31)).expect("readable").is_empty());
    let warns = ask(folder.path(), &Asked { at: time(40), shown: vec![report("blake3:80")], ..question() });
    let warns = warns.expect("asked");
    assert!(matches!(find(folder.path(), &warns, time(41)).expect("readable"), Standing::Waiting { .. }));
    let no = Decided { reports: warns.reports(), ..answer(false, "bob", 50) };
    decide(folder.path(), &warns, &no).expect("may decide");
    let last = ask(folder.path(), &Asked { at: time(60), shown: vec![report("blake3:81")], ..question() });
    let standing = find(folder.path(), &last.expect("asked"), time(61)).expect("readable");
    assert!(matches!(standing, Standing::Rejected { .. }), "final for this run");
}
