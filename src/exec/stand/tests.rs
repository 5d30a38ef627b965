//! What the next run makes of how things stood, as the command line asks it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::exec::{Ending, Event, Pick, RunRecord, Setup, Summary, go_on, nothing_to_do, run};
use crate::host::Clock;
use crate::host::signal::Interrupt;
use crate::plan::bind;
use crate::source::{SourceFile, Sources};

const PIPELINE: &str = r#"pipeline p
edition 2026

source raw: File = "raw.txt"

stage first {
  in raw
  code "src/**"
  out text: File = "out/first.txt"
  run <<<
    cat "$raw" src/* > "$text"
  >>>
}

stage second {
  in text = first.text
  pass_env ["MODE"]
  out folder: Dir = "out/second"
  run <<<
    mkdir -p "$folder"
    cat "$text" > "$folder/text"
    echo "${MODE:-}" >> "$folder/text"
  >>>
}

stage other {
  in raw
  out text: File = "out/other.txt"
  run <<<
    wc -l < "$raw" > "$text"
  >>>
}
"#;

struct Bench {
    folder: tempfile::TempDir,
    setup: Setup,
    nodes: Vec<String>,
}

/// How a run came to its result.
#[derive(Debug, PartialEq)]
enum How {
    Untouched,
    Part(Vec<String>),
    Read(Vec<String>),
}

fn part(nodes: &[&str]) -> How {
    How::Part(nodes.iter().map(|&name| name.to_owned()).collect())
}

fn read(nodes: &[&str]) -> How {
    How::Read(nodes.iter().map(|&name| name.to_owned()).collect())
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let setup = Setup {
            workspace: folder.path().canonicalize().expect("there"),
            caller: BTreeMap::from([("PATH".into(), std::env::var_os("PATH").unwrap_or_default())]),
            clock: Clock::host(),
            interrupt: Interrupt::new(),
        };
        let bench = Self { folder, setup, nodes: Vec::new() };
        bench.write("p.mlp", PIPELINE);
        bench.write("raw.txt", "a\nb\n");
        bench.write("src/a", "code\n");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dirs(fs::parent(&self.path(name))).expect("made");
        std::fs::write(self.path(name), text).expect("written");
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn options(&self) -> Options {
        Options { jobs: 2, pick: Pick::until(self.nodes.clone()), ..Options::default() }
    }

    fn question(&self) -> Question {
        Question::new(&self.path("p.mlp"), &Selection::default(), &self.options()).expect("a question")
    }

    /// Runs as `mlpc run` does; returns what had its turn and did not stand well.
    fn run(&self) -> (How, Summary) {
        let silent = |_: &Event| ();
        let question = self.question();
        let turned = |summary: &Summary| {
            let ran = summary.nodes.iter().filter(|node| !matches!(node.ending, Ending::Hit | Ending::Skipped(_)));
            ran.map(|node| node.node.clone()).collect()
        };
        match stand(&question, &self.setup, false) {
            Some(Standing::Untouched(untouched)) => {
                let summary = nothing_to_do(&untouched, &self.setup, false, &silent).expect("recorded");
                (How::Untouched, summary)
            }
            Some(Standing::Part(part)) => {
                let options = Options { question: Some(question), ..self.options() };
                let summary = go_on(&part, &self.setup, &options, &silent).expect("works");
                (How::Part(turned(&summary)), summary)
            }
            None => {
                let text = self.text("p.mlp");
                let mut sources = Sources::default();
                sources.add(SourceFile::new("p.mlp".to_owned(), text.clone()));
                let plan = crate::compile::compile(&sources).plan.expect("no errors");
                let bound = bind(&plan, &Selection::default()).expect("fits");
                let file = self.path("p.mlp");
                let question = question.read_from([(file.as_path(), text.as_str())].into_iter());
                let options = Options { question, ..self.options() };
                let summary = run(&bound, &self.setup, &options, None, &silent).expect("works");
                (How::Read(turned(&summary)), summary)
            }
        }
    }

    fn how(&self) -> How {
        self.run().0
    }
}

const ALL: [&str; 3] = ["first", "second", "other"];

#[test]
fn a_run_with_nothing_to_do_reads_no_pipeline_and_has_a_whole_record() {
    let bench = Bench::new();
    assert_eq!(bench.how(), read(&ALL));
    let (how, summary) = bench.run();
    assert_eq!(how, How::Untouched);
    assert!(summary.nodes.iter().all(|node| node.ending == Ending::Hit && node.key.is_some()));
    let record = RunRecord::read(&bench.path(".mlpc"), &summary.run).expect("recorded");
    let nodes: Vec<_> = record.nodes.iter().map(|node| (node.node.as_str(), &node.ending)).collect();
    assert_eq!(nodes, ALL.map(|name| (name, &Ending::Hit)));
    assert_eq!((record.exit, record.sources.len()), (Some(0), 1));
    assert_eq!(bench.how(), How::Untouched);
}

#[test]
fn what_changed_and_what_is_behind_it_has_its_turn_and_nothing_else() {
    let bench = Bench::new();
    bench.how();
    bench.write("src/a", "more\n");
    assert_eq!(bench.how(), part(&["first", "second"]));
    assert_eq!(bench.text("out/second/text"), "a\nb\nmore\n\n");
    let (how, summary) = bench.run();
    assert_eq!(how, How::Untouched);
    let record = RunRecord::read(&bench.path(".mlpc"), &summary.run).expect("recorded");
    assert_eq!(record.nodes.iter().map(|node| node.node.as_str()).collect::<Vec<_>>(), ALL);
    bench.write("src/b", "a new file\n");
    assert_eq!(bench.how(), part(&["first", "second"]));
    std::fs::remove_file(bench.path("src/b")).expect("removed");
    // The result of before is still in the cache.
    assert_eq!(bench.how(), part(&[]));
    assert_eq!(bench.text("out/second/text"), "a\nb\nmore\n\n");
}

#[test]
fn touching_files_runs_nothing_and_an_edit_that_hides_its_time_is_seen() {
    let bench = Bench::new();
    bench.how();
    bench.how();
    let old = std::fs::metadata(bench.path("raw.txt")).and_then(|meta| meta.modified()).expect("known");
    let set = |name: &str, time| {
        let file = std::fs::File::options().write(true).open(bench.path(name)).expect("opened");
        file.set_modified(time).expect("set");
    };
    for name in ["p.mlp", "raw.txt", "src/a", "out/first.txt", "out/second/text"] {
        set(name, std::time::UNIX_EPOCH);
    }
    assert_eq!(bench.how(), How::Untouched);
    assert_eq!(bench.how(), How::Untouched);
    // As many bytes as before, and the time of before.
    bench.write("raw.txt", "a\nc\n");
    set("raw.txt", old);
    assert_eq!(bench.how(), part(&ALL));
}

#[test]
fn outputs_are_put_right_where_they_are_missing_edited_or_have_company() {
    let bench = Bench::new();
    bench.how();
    bench.how();
    std::fs::remove_file(bench.path("out/first.txt")).expect("removed");
    assert_eq!(bench.how(), part(&[]));
    assert_eq!(bench.text("out/first.txt"), "a\nb\ncode\n");
    bench.write("out/other.txt", "9\n");
    assert_eq!(bench.how(), part(&[]));
    assert_eq!(bench.text("out/other.txt"), "2\n");
    bench.write("out/second/leftover", "x");
    assert_eq!(bench.how(), part(&[]));
    assert!(!bench.path("out/second/leftover").exists());
    fs::set_mode(&bench.path("out/first.txt"), 0o755).expect("set");
    assert_eq!(bench.how(), part(&[]));
    assert_eq!(bench.how(), How::Untouched);
}

#[test]
fn another_pipeline_or_environment_is_another_question() {
    let mut bench = Bench::new();
    bench.how();
    bench.write("p.mlp", &PIPELINE.replace("wc -l", "wc -c"));
    assert_eq!(bench.how(), read(&["other"]));
    assert_eq!(bench.how(), How::Untouched);
    bench.write("p.mlp", &format!("{PIPELINE}\n# a comment at the end\n").replace("wc -l", "wc -c"));
    assert_eq!(bench.how(), read(&[]));
    bench.setup.caller.insert("MODE".into(), "fast".into());
    assert_eq!(bench.how(), read(&["second"]));
    assert_eq!(bench.how(), How::Untouched);
    bench.nodes = vec!["other".into()];
    let (how, summary) = bench.run();
    assert_eq!(how, read(&[]));
    assert!(matches!(summary.nodes.as_slice(), [one] if one.node == "other"));
    assert_eq!(bench.how(), How::Untouched);
}

#[test]
fn what_failed_has_its_turn_again_and_what_came_out_well_does_not() {
    let bench = Bench::new();
    bench.write("p.mlp", &PIPELINE.replace("wc -l < \"$raw\"", "test ! -e /nowhere && false"));
    assert_eq!(bench.how(), read(&ALL));
    assert_eq!(bench.how(), part(&["other"]));
}

#[test]
fn a_memory_that_is_torn_or_of_another_version_is_none() {
    let bench = Bench::new();
    bench.how();
    let question = bench.question();
    for ending in ["stand", "plan"] {
        let whole = std::fs::read(question.path(ending)).expect("there");
        for cut in [0, 10, 40, whole.len() / 2, whole.len() - 1] {
            std::fs::write(question.path(ending), &whole[..cut]).expect("written");
            // The plan is needed only where something has to be done, and of it only the nodes that it has to be done by: here all.
            bench.write("raw.txt", &format!("{ending} {cut}\n"));
            assert_eq!(bench.how(), read(&["first", "second", "other"]), "{ending} cut at {cut}");
        }
        let mut other = std::fs::read(question.path(ending)).expect("there");
        other[14] ^= 1;
        std::fs::write(question.path(ending), other).expect("written");
        bench.write("raw.txt", ending);
        assert_eq!(bench.how(), read(&["first", "second", "other"]));
    }
}

#[test]
fn stages_before_a_gate_stand_well_and_the_gate_decides_every_time() {
    let bench = Bench::new();
    let gate = "metrics M { lines: int higher }\nstage measure {\n  in raw\n  out m: Metrics<M> = \"out/m.json\"\n  run <<<\n    \
                echo \"{\\\"lines\\\": $(wc -l < \"$raw\")}\" > \"$m\"\n  >>>\n}\ngate enough on measure.m {\n  require lines >= 2\n}\n";
    bench.write("p.mlp", &format!("{PIPELINE}\n{gate}"));
    let decided = |summary: &Summary| {
        summary.nodes.iter().any(|node| matches!(&node.ending, Ending::Decided(verdict) if verdict.lets_go_on()))
    };
    assert!(decided(&bench.run().1));
    let (how, summary) = bench.run();
    assert_eq!(how, part(&["enough"]));
    assert!(decided(&summary));
    bench.write("raw.txt", "one line\n");
    let (how, summary) = bench.run();
    assert_eq!(how, part(&["first", "second", "other", "measure", "enough"]));
    assert_eq!(summary.exit, 10);
}

#[test]
fn code_that_comes_while_another_stage_has_its_turn_is_new_to_the_next_run() {
    let bench = Bench::new();
    let late = bench.path("src/late");
    let third = format!(
        "stage third {{\n  in more = more\n  out text: File = \"out/third.txt\"\n  run <<<\n    cat \"$more\" > \"$text\"\n    \
         if grep -q go \"$more\"; then echo late > '{}'; fi\n  >>>\n}}\n",
        late.display()
    );
    bench.write("p.mlp", &format!("{PIPELINE}\nsource more: File = \"more.txt\"\n{third}"));
    bench.write("more.txt", "a\n");
    bench.how();
    bench.write("more.txt", "go\n");
    assert_eq!(bench.how(), part(&["third"]));
    assert!(late.exists());
    assert_eq!(bench.how(), part(&["first", "second"]));
    assert!(bench.text("out/first.txt").contains("late"));
}
