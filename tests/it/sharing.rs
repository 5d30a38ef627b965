//! Results between workspaces: a folder stands for the remote here, a real S3 server in `tests/judges/s3.sh`. The hazards of
//! shared caches are tested by their numbers.

use std::path::{Path, PathBuf};

use crate::sandbox::{Ended, Sandbox};

/// A stage reads a file that it does not declare, by an absolute path: the same key, and whatever the test wants to come out.
const PIPELINE: &str = r#"pipeline example
edition 2026

runtime py { python: "VERSION" }
registry models = directory("registry")

stage train {
  out  model: Model = "model.bin"
  run  <<< cat "SECRETLY" > "$model"; echo ran >> "SECRETLY.log" >>>
}

stage look {
  out  seen: Dir = "seen"
  run  <<< mkdir -p "$seen/deep"; cp "SECRETLY" "$seen/deep/x"; echo tool > "$seen/tool"; chmod +x "$seen/tool" >>>
}

register release = train.model to models ungated "a test"
"#;

struct Team {
    remote: tempfile::TempDir,
}

impl Team {
    fn new() -> Self {
        Self { remote: tempfile::tempdir().expect("a folder") }
    }

    /// A workspace of the team. What its stages come to is `word`.
    fn member(&self, word: &str) -> Sandbox {
        let sandbox = Sandbox::new();
        let version = sandbox.shell("python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'").stdout;
        let secretly = self.remote.path().join("undeclared");
        let text = PIPELINE.replace("VERSION", version.trim()).replace("SECRETLY", &secretly.display().to_string());
        sandbox.file("main.mlp", &text);
        std::fs::create_dir_all(self.shared()).expect("made");
        self.means(word);
        sandbox
    }

    fn means(&self, word: &str) {
        std::fs::write(self.remote.path().join("undeclared"), word).expect("written");
    }

    fn shared(&self) -> PathBuf {
        self.remote.path().join("shared")
    }

    fn run(&self, member: &Sandbox, write: &str, arguments: &str) -> Ended {
        let remote = self.shared().display().to_string();
        member.shell(&format!("MLPC_REMOTE={remote} MLPC_REMOTE_WRITE={write} USER=somebody mlpc {arguments}"))
    }

    /// All files of the remote whose path holds this.
    fn files(&self, part: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() { walk(&entry.path(), found) } else { found.push(entry.path()) }
            }
        }
        let mut found = Vec::new();
        walk(&self.shared(), &mut found);
        found.retain(|path| path.display().to_string().contains(part));
        found
    }
}

fn fine(ended: &Ended) -> String {
    assert_eq!(ended.code, 0, "{ended:#?}");
    format!("{}{}", ended.stdout, ended.stderr)
}

#[test]
fn a_stage_that_one_workspace_ran_is_a_hit_in_another() {
    let team = Team::new();
    let first = team.member("honest");
    fine(&team.run(&first, "trusted", "run"));
    team.means("elsewhere");
    let second = team.member("elsewhere");
    second.file("mlpc.lock", &first.read("mlpc.lock"));
    let plan = fine(&team.run(&second, "", "plan"));
    assert!(!plan.contains("never ran here"), "the plan knows: {plan}");
    let said = fine(&team.run(&second, "", "run"));
    assert!(said.contains("0 stages run"), "{said}");
    assert_eq!(second.read("model.bin"), "honest");
    assert_eq!(second.read("seen/deep/x"), "honest");
    assert_eq!(second.shell("test -x seen/tool && ! test -x seen/deep/x && echo kept").stdout, "kept\n");
    fine(&second.mlpc(&["cache", "verify"]));
}

#[test]
fn nothing_is_written_that_was_not_asked_for_and_nothing_shared_without_a_runtime() {
    let team = Team::new();
    let member = team.member("honest");
    fine(&team.run(&member, "", "run"));
    assert_eq!(team.files(""), Vec::<PathBuf>::new());
    let bad = team.run(&member, "everywhere", "run --force");
    assert!(fine(&bad).contains("it is `trusted` or `other`"));
    let text = member.read("main.mlp");
    let without: String =
        text.lines().filter(|line| !line.starts_with("runtime")).map(|line| format!("{line}\n")).collect();
    member.file("main.mlp", &without);
    fine(&team.run(&member, "trusted", "run"));
    assert_eq!(team.files(""), Vec::<PathBuf>::new());
}

#[test]
fn what_leads_to_a_release_takes_nothing_that_anybody_may_write() {
    let team = Team::new();
    let stranger = team.member("planted");
    fine(&team.run(&stranger, "", "run"));
    assert!(fine(&team.run(&stranger, "", "cache push")).contains("2 results, 2 of them new in `other`"));
    let member = team.member("honest");
    let said = fine(&team.run(&member, "", "run"));
    assert!(said.contains("1 stage run"), "{said}");
    assert_eq!(member.read("model.bin"), "honest", "it leads to `register`");
    assert_eq!(member.read("seen/deep/x"), "planted", "it leads nowhere");
    assert!(said.contains("where anybody may write; `somebody` wrote it"), "{said}");
    // Nor when it was fetched before by somebody who may have it.
    let third = team.member("honest");
    assert!(fine(&team.run(&third, "", "cache pull")).contains("2 results fetched"));
    let said = fine(&team.run(&third, "", "run"));
    assert!(said.contains("1 stage run"), "{said}");
    assert_eq!(third.read("model.bin"), "honest");
}

#[test]
fn what_was_altered_is_refused_and_made_anew() {
    let team = Team::new();
    let first = team.member("honest");
    fine(&team.run(&first, "trusted", "run"));
    let object = team.files("objects").into_iter().find(|path| std::fs::read(path).expect("read") == b"honest");
    let object = object.expect("the model");
    std::fs::write(&object, "hacked").expect("written");
    let second = team.member("honest");
    let said = fine(&team.run(&second, "trusted", "run train"));
    assert!(said.contains("was refused: its output `model` is not what it should be"), "{said}");
    assert_eq!(second.read("model.bin"), "honest");
    assert_eq!(std::fs::read(&object).expect("there"), b"honest", "who may write puts it right");
    let entry = team.files("results").remove(0);
    let text = std::fs::read_to_string(&entry).expect("read").replacen("\"bash", "\"dash", 1);
    std::fs::write(&entry, text).expect("written");
    let third = team.member("honest");
    let said = fine(&team.run(&third, "", "run"));
    assert!(said.contains("its manifest does not come to its key"), "{said}");
}

#[test]
fn hazard_16_an_entry_whose_objects_are_gone_is_a_miss() {
    let team = Team::new();
    let first = team.member("honest");
    fine(&team.run(&first, "trusted", "run"));
    for object in team.files("objects") {
        std::fs::remove_file(object).expect("removed");
    }
    let second = team.member("honest");
    let said = fine(&team.run(&second, "trusted", "run"));
    assert!(said.contains("2 stages run") && said.contains("is no longer there"), "{said}");
    let third = team.member("honest");
    assert!(fine(&team.run(&third, "", "run")).contains("0 stages run"), "the second put back what was gone");
}

#[test]
fn hazard_22_a_writer_that_fails_says_so() {
    let team = Team::new();
    let member = team.member("honest");
    std::fs::create_dir_all(team.shared().join("v1/other")).expect("made");
    std::fs::write(team.shared().join("v1/other/objects"), "a file where a folder should be").expect("written");
    let said = fine(&team.run(&member, "other", "run"));
    assert!(said.contains("2 stages run") && said.contains("its result could not be saved to the remote: "), "{said}");
    let pushed = team.run(&member, "", "cache push");
    assert_eq!(pushed.code, 1, "{pushed:#?}");
    assert!(pushed.stderr.contains("could not be saved"));
    let away = member.shell("MLPC_REMOTE=/nowhere/at/all mlpc run --force");
    assert!(fine(&away).contains("the run goes on without its remote"), "{away:#?}");
}

#[test]
fn hazard_23_of_two_jobs_under_one_key_the_first_stands_and_the_other_is_told() {
    let team = Team::new();
    let (first, second) = (team.member("one"), team.member("one"));
    fine(&team.run(&first, "trusted", "run look"));
    team.means("two");
    let forced = fine(&team.run(&second, "trusted", "run look --force"));
    assert!(
        forced.contains("not deterministic: `seen` differ from what `somebody` saved in the remote, which stands"),
        "{forced}"
    );
    let third = team.member("three");
    fine(&team.run(&third, "", "run look"));
    assert_eq!(third.read("seen/deep/x"), "one");
    // At once: both end well, and what stands is whole.
    let team = Team::new();
    let members: Vec<_> = (0..4).map(|_| team.member("same")).collect();
    std::thread::scope(|scope| {
        for member in &members {
            scope.spawn(|| fine(&team.run(member, "trusted", "run")));
        }
    });
    assert!(fine(&team.run(&team.member("same"), "", "run")).contains("0 stages run"));
}

/// An engine that keeps the digest of the one tag in a file, and runs commands here.
const ENGINE: &str = r#"#!/usr/bin/env bash
echo "$*" >> "$(dirname "$0")/calls"
case "$1 $2" in
  "version "*) echo 1.0 ;;
  "pull "*) ;;
  "image inspect") [ "$3" != --format ] || echo "python@$(cat "$(dirname "$0")/tag")" ;;
  "run "*) while [ "${1%@sha256:*}" = "$1" ]; do shift; done; shift; exec "$@" ;;
  "rm "*) ;;
  *) exit 1 ;;
esac
"#;

#[test]
fn hazard_04_a_tag_that_moves_on_changes_nothing_until_it_is_locked_again() {
    let sandbox = Sandbox::new();
    sandbox.file("main.mlp", "pipeline example\nedition 2026\n\nruntime py { image: \"python:3.11\" }\n\nstage look {\n  out  seen: File = \"seen\"\n  run  <<< echo \"$PWD $HOME\" > \"$seen\" >>>\n}\n");
    sandbox.file("bin/docker", ENGINE);
    let old = format!("sha256:{}", "a".repeat(64));
    let new = format!("sha256:{}", "b".repeat(64));
    sandbox.file("bin/tag", &old);
    let mlpc = |arguments: &str| sandbox.shell(&format!("chmod +x bin/docker; PATH=$PWD/bin:$PATH mlpc {arguments}"));
    fine(&mlpc("run"));
    assert!(sandbox.read("mlpc.lock").contains(&old));
    assert!(sandbox.read("bin/calls").contains(&format!("python@{old} bash --noprofile")), "run by digest");
    sandbox.file("bin/tag", &new);
    assert!(fine(&mlpc("run")).contains("0 stages run"), "the tag moved on");
    sandbox.file("bin/calls", "");
    fine(&mlpc("run --force"));
    let calls = sandbox.read("bin/calls");
    assert!(calls.contains(&format!("python@{old} bash")) && !calls.contains(&new), "{calls}");
    fine(&mlpc("lock --upgrade"));
    let why = fine(&mlpc("why look"));
    assert!(why.contains("runtime `locked` changed") && why.contains(&new), "{why}");
    assert!(fine(&mlpc("run")).contains("1 stage run"));
}

#[test]
fn the_cache_is_counted_swept_and_verified() {
    let team = Team::new();
    let member = team.member("honest");
    fine(&member.mlpc(&["run"]));
    let stat = fine(&member.mlpc(&["cache", "stat", "--format", "json"]));
    let stat: serde_json::Value = serde_json::from_str(&stat).expect("JSON");
    assert_eq!((stat["results"].as_u64(), stat["loose"].as_u64()), (Some(2), Some(0)), "{stat}");
    assert!(fine(&member.mlpc(&["cache", "gc"])).contains("0 results and 0 objects"));
    let gone = "cache gc --keep-runs 0 --older-than 0s";
    assert!(fine(&member.shell(&format!("mlpc {gone} --dry-run"))).contains("2 results"));
    assert!(fine(&member.mlpc(&["run"])).contains("0 stages run"), "a dry run removed nothing");
    assert!(fine(&member.shell(&format!("mlpc {gone}"))).contains("went"));
    assert!(fine(&member.shell("rm -r model.bin seen; mlpc run")).contains("2 stages run"));
    assert_eq!(member.shell("ls .mlpc/runs | wc -l").stdout.trim(), "1", "records of runs went too");
    let torn = member
        .shell("f=$(find .mlpc/cache/v1/objects -type f | head -1); chmod u+w $f; echo x >> $f; mlpc cache verify");
    assert_eq!(torn.code, 11, "{torn:#?}");
    assert!(torn.stdout.contains("not what it should be; removed"));
    fine(&member.mlpc(&["cache", "verify"]));
    for (wrong, told) in
        [("gc --older-than 30", "a time such as"), ("gc --max-size 3s", "a size such as"), ("push", "no remote")]
    {
        let ended = member.shell(&format!("mlpc cache {wrong}"));
        assert_eq!(ended.code, 2, "{ended:#?}");
        assert!(ended.stderr.contains(told), "{ended:#?}");
    }
}
