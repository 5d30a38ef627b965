//! The journal of actions: one who begins, whoever looks.

use super::*;

fn act(subject: &str) -> Act {
    Act { run: "github-7".to_owned(), action: "notes".to_owned(), subject: subject.to_owned(), idempotent: false }
}

#[test]
fn what_was_begun_elsewhere_is_not_begun_again() {
    for_each_kind(|place| {
        let [here, there] = ["here", "there"].map(|machine| place.open(machine));
        assert_eq!(here.begin(&act("v1")).expect("begun"), Begun::Go);
        assert_eq!(there.begin(&act("v1")).expect("read"), Begun::MayHaveHappened);
        // Another release, and another run, are other acts.
        assert_eq!(there.begin(&act("v2")).expect("begun"), Begun::Go);
        assert_eq!(there.begin(&Act { run: "github-8".to_owned(), ..act("v1") }).expect("begun"), Begun::Go);
        here.end(&act("v1"), State::Done).expect("recorded");
        assert_eq!(there.begin(&act("v1")).expect("read"), Begun::Done);
        there.end(&act("v2"), State::Failed).expect("recorded");
        assert_eq!(here.begin(&act("v2")).expect("begun"), Begun::Go, "what failed may be tried again");
    });
}

#[test]
fn what_may_happen_twice_is_begun_again_until_it_is_done() {
    for_each_kind(|place| {
        let (registry, act) = (place.open("here"), Act { idempotent: true, ..act("v1") });
        assert_eq!(registry.begin(&act).expect("begun"), Begun::Go);
        assert_eq!(registry.begin(&act).expect("begun"), Begun::Go);
        registry.end(&act, State::Done).expect("recorded");
        assert_eq!(registry.begin(&act).expect("read"), Begun::Done);
    });
}

#[test]
fn of_many_who_begin_at_once_exactly_one_may() {
    for_each_kind(|place| {
        let machines: Vec<_> = (0..4).map(|i| place.open(&format!("machine{i}"))).collect();
        let begun: Vec<Begun> = std::thread::scope(|scope| {
            let all: Vec<_> =
                machines.iter().map(|registry| scope.spawn(|| registry.begin(&act("v1")).expect("answered"))).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        assert_eq!(begun.iter().filter(|begun| **begun == Begun::Go).count(), 1, "{begun:?}");
    });
}

#[test]
fn a_record_of_something_else_and_an_end_without_a_beginning_are_errors() {
    let place = Place::directory();
    let registry = place.open("here");
    assert_eq!(registry.end(&act("v1"), State::Done).expect_err("refused").exit_code(), 11);
    registry.begin(&act("v1")).expect("begun");
    let folder = place.folder.path().join("registry/actions/github-7");
    let file = fs::read_dir(&folder).expect("there").next().expect("a record").expect("readable").path();
    fs::write(&file, fs::read_to_string(&file).expect("text").replace("notes", "other")).expect("written");
    assert_eq!(registry.begin(&act("v1")).expect_err("refused").exit_code(), 11);
    fs::write(&file, "").expect("written");
    assert_eq!(registry.begin(&act("v1")).expect_err("refused").exit_code(), 11);
}
