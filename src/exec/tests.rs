//! The executor on small plans, with real processes.

mod release;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;

use super::*;
use crate::host::Clock;
use crate::host::fs;
use crate::host::signal::Interrupt;
use crate::plan::*;
use crate::types::{Artifact, Expr, Origin, Range, Type, Value};

/// A workspace with a plan that tests change and run.
struct Bench {
    folder: tempfile::TempDir,
    plan: Plan,
    options: Options,
    setup: Setup,
    events: Mutex<Vec<Event>>,
}

fn script(text: &str) -> Command {
    Command::Script { interpreter: Interpreter::Bash, text: text.into() }
}

fn work(text: &str) -> Work {
    Work {
        inputs: vec![],
        code: vec![],
        uses: vec![],
        secrets: vec![],
        credentials: vec![],
        runtime: None,
        command: script(text),
        needs: Needs::default(),
        timeout: None,
        pass_env: vec![],
        variables: vec![],
    }
}

fn output(name: &str, path: &str, ty: Artifact) -> Output {
    Output {
        name: name.into(),
        doc: None,
        kind: OutputKind::Artifact(ty),
        path: path.into(),
        publish: path.into(),
        always: false,
        of: None,
        over: None,
        split: None,
    }
}

fn input(name: &str, origin: Origin, path: &str) -> Input {
    Input {
        name: name.into(),
        kind: crate::plan::InputKind::Artifact,
        origin,
        path: path.into(),
        ty: Artifact::File,
        optional: false,
        ungated: false,
    }
}

fn stage(text: &str, outputs: Vec<Output>) -> Stage {
    Stage {
        work: work(text),
        outputs,
        retry: None,
        rerun: Rerun::Never,
        status: vec![0],
        checkpoint: None,
        isolation: Isolation::Copies,
        baseline: None,
    }
}

fn node(name: &str, stage: Stage) -> Node {
    let mut waits: Vec<Wait> = Vec::new();
    for input in &stage.work.inputs {
        if let Some(before) = input.origin.stage() {
            waits.push(Wait { node: before.into(), why: Why::Data });
        }
    }
    Node { name: name.into(), leg: None, doc: None, when: None, waits, kind: NodeKind::Stage(Box::new(stage)) }
}

impl Bench {
    fn new(nodes: Vec<Node>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Plan {
            format: FORMAT,
            pipeline: "p".into(),
            doc: None,
            edition: 2026,
            triggers: vec![],
            params: vec![],
            secrets: vec![],
            runtimes: vec![],
            metrics: vec![],
            sources: vec![],
            registries: vec![],
            profiles: vec![],
            targets: vec![],
            beside: crate::plan::Beside::default(),
            nodes,
            read: std::collections::BTreeMap::new(),
            places: BTreeMap::new(),
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let setup = Setup {
            workspace: folder.path().to_owned(),
            caller: BTreeMap::from([("PATH".into(), path), ("LEAK".into(), "x".into())]),
            clock: Clock::fixed(Timestamp::from_second(1_785_000_000).expect("in range")),
            interrupt: Interrupt::new(),
        };
        let options = Options { jobs: 2, ..Options::default() };
        Self { folder, plan, options, setup, events: Mutex::default() }
    }

    /// `source raw = "raw.csv"` -> `a` -> `b`
    fn chain() -> Self {
        let mut first =
            stage("echo from-a | cat - \"$raw\" > \"$out\"", vec![output("out", "out/a.txt", Artifact::File)]);
        first.work.inputs = vec![input("raw", Origin::Source("raw".into()), "raw.csv")];
        let mut second = stage("cat \"$a\" src/tail.txt > \"$out\"", vec![output("out", "out/b.txt", Artifact::File)]);
        second.work.inputs = vec![input("a", Origin::output("a", "out"), "out/a.txt")];
        second.work.code = vec!["src/**".into()];
        let mut bench = Self::new(vec![node("a", first), node("b", second)]);
        bench.plan.sources.push(Source {
            name: "raw".into(),
            doc: None,
            ty: Artifact::File,
            location: Location::Path("raw.csv".into()),
            frozen: None,
        });
        bench.write("raw.csv", "raw\n");
        bench.write("src/tail.txt", "tail\n");
        bench
    }

    fn write(&self, path: &str, text: &str) {
        fs::write_atomic(&self.path(path), text.as_bytes()).expect("written");
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|_| "(nothing)".into())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn stage(&mut self, name: &str) -> &mut Stage {
        let found = self.plan.nodes.iter_mut().find(|node| node.name == name).map(|node| &mut node.kind);
        let Some(NodeKind::Stage(stage)) = found else { panic!("`{name}` is a stage") };
        stage
    }

    fn try_run(&self) -> Result<Summary, RunError> {
        let bound = bind(&self.plan, &Selection::default()).expect("bound");
        let listener = |event: &Event| self.events.lock().expect("whole").push(event.clone());
        run(&bound, &self.setup, &self.options, None, &listener)
    }

    fn run(&self) -> Summary {
        self.try_run().expect("it begins")
    }

    /// How nodes ended, in short.
    fn endings(&self) -> String {
        let summary = self.run();
        let ended: Vec<_> = summary.nodes.iter().map(|node| format!("{}:{}", node.node, short(&node.ending))).collect();
        format!("{} -> {}", ended.join(" "), summary.exit)
    }

    fn notes(&self) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Note { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.events.lock().expect("whole").iter().filter_map(text).collect()
    }

    fn whys(&self, of: &str) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::NodeStarted { node, why, .. } if node == of => Some(why.to_string()),
            _ => None,
        };
        self.events.lock().expect("whole").iter().filter_map(text).collect()
    }
}

fn short(ending: &Ending) -> String {
    match ending {
        Ending::Done => "done".into(),
        Ending::Hit => "hit".into(),
        Ending::Failed(why) => format!("failed({why})"),
        Ending::Blocked(by) => format!("blocked({by})"),
        Ending::Skipped(why) => format!("skipped({why})"),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_second_run_does_nothing() {
    let bench = Bench::chain();
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.read("out/b.txt"), "from-a\nraw\ntail\n");
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
}

#[test]
fn an_edit_reruns_what_depends_on_it_and_says_why() {
    let bench = Bench::chain();
    bench.run();
    bench.write("src/tail.txt", "end\n");
    assert_eq!(bench.endings(), "a:hit b:done -> 0");
    let why = &bench.whys("b")[1];
    assert!(why.starts_with("code `src/tail.txt` changed: "), "{why}");
    bench.write("src/tail.txt", "tail\n");
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
    assert_eq!(bench.read("out/b.txt"), "from-a\nraw\ntail\n");
}

#[test]
fn a_change_that_comes_out_the_same_stops_there() {
    let mut bench = Bench::chain();
    bench.run();
    bench.stage("a").work.command = script("cat <(echo from-a) \"$raw\" > \"$out\"");
    assert_eq!(bench.endings(), "a:done b:hit -> 0");
}

#[test]
fn hazard_11_outputs_that_are_missing_or_edited_are_put_right() {
    let bench = Bench::chain();
    bench.run();
    std::fs::remove_file(bench.path("out/a.txt")).expect("removed");
    bench.write("out/b.txt", "mine\n");
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
    assert_eq!(bench.read("out/a.txt"), "from-a\nraw\n");
    assert_eq!(bench.read("out/b.txt"), "from-a\nraw\ntail\n");
    assert_eq!(bench.read(".mlpc/saved/20260725T172000/out/b.txt"), "mine\n");
    assert_eq!(
        bench.notes(),
        ["`out/b.txt` was edited by hand; what it held is kept in `.mlpc/saved/20260725T172000/out/b.txt`"]
    );
}

#[test]
fn an_old_output_of_ours_is_no_edit() {
    let bench = Bench::chain();
    bench.run();
    bench.write("raw.csv", "other\n");
    bench.run();
    assert!(bench.notes().is_empty());
    assert_eq!(bench.read("out/a.txt"), "from-a\nother\n");
}

#[test]
fn hazard_7_and_8_what_failed_or_wrote_nothing_is_not_cached() {
    let mut bench = Bench::chain();
    bench.stage("a").work.command = script("echo half > \"$out\"; exit 3");
    for _ in 0..2 {
        assert_eq!(bench.endings(), "a:failed(exited with status 3) b:blocked(a) -> 1");
    }
    assert_eq!(bench.read("out/a.txt"), "(nothing)");
    bench.stage("a").work.command = script("true");
    for _ in 0..2 {
        let told = "a:failed(the output `out` (`out/a.txt`) was not written) b:blocked(a) -> 1";
        assert_eq!(bench.endings(), told);
    }
}

#[test]
fn a_failing_part_of_a_pipe_fails_the_script() {
    let mut bench = Bench::chain();
    bench.stage("a").work.command = script("false | cat > \"$out\"; echo x > \"$out\"");
    assert_eq!(bench.endings(), "a:failed(exited with status 1) b:blocked(a) -> 1");
}

#[test]
fn hazard_1_and_3_a_stage_sees_what_it_declares_and_nothing_else() {
    let mut bench = Bench::chain();
    bench.write("secret.txt", "x");
    bench.stage("a").work.command =
        script("{ ls -A; echo \"${LEAK-unset} $HOME $TZ $LANG $PYTHONHASHSEED $raw $out\"; } > \"$out\"");
    bench.run();
    let text = bench.read("out/a.txt");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["out", "raw.csv"]);
    let words: Vec<_> = lines[2].split(' ').collect();
    assert_eq!(words[0], "unset");
    assert!(words[1].contains(".mlpc/tmp/"), "{}", words[1]);
    assert_eq!(words[2..], ["UTC", "C.UTF-8", "0", "raw.csv", "out/a.txt"]);
}

#[test]
fn a_failure_names_the_file_that_was_not_declared() {
    let mut bench = Bench::chain();
    bench.write("lib/util.sh", "echo");
    bench.stage("a").work.command = script("source lib/util.sh");
    let summary = bench.run();
    let help = summary.nodes[0].help.clone().unwrap_or_default();
    let line = "the workspace has that file, but the stage did not declare it: add `code \"lib/util.sh\"` to `a`";
    assert_eq!(help, line);
    assert!(summary.nodes[0].tail.iter().any(|line| line.contains("lib/util.sh")));
}

#[test]
fn hazard_13_a_script_that_writes_to_its_input_harms_nobody() {
    let mut bench = Bench::chain();
    bench.stage("b").work.command = script("echo harm >> \"$a\"; cat \"$a\" > \"$out\"");
    bench.run();
    assert_eq!(bench.read("out/a.txt"), "from-a\nraw\n");
    assert_eq!(bench.read("out/b.txt"), "from-a\nraw\nharm\n");
    std::fs::remove_dir_all(bench.path("out")).expect("removed");
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
    assert_eq!(bench.read("out/a.txt"), "from-a\nraw\n");
}

#[test]
fn hazard_10_a_folder_that_is_put_right_holds_nothing_else() {
    let made = stage(
        "mkdir -p \"$out\"/sub; echo x > \"$out\"/sub/x; ln -s sub/x \"$out\"/link",
        vec![output("out", "made", Artifact::Dir)],
    );
    let bench = Bench::new(vec![node("a", made)]);
    assert_eq!(bench.endings(), "a:done -> 0");
    bench.write("made/leftover", "x");
    assert_eq!(bench.endings(), "a:hit -> 0");
    assert_eq!(bench.read("made/leftover"), "(nothing)");
    assert_eq!(bench.read("made/link"), "x\n");
    assert_eq!(bench.read(".mlpc/saved/20260725T172000/made/leftover"), "x");
}

#[test]
fn hazard_15_a_bad_object_is_made_anew() {
    let bench = Bench::chain();
    bench.run();
    let digest = crate::host::Digest::of(b"from-a\nraw\n").hex();
    let object = bench.path(&format!(".mlpc/cache/v1/objects/{}/{digest}", &digest[..2]));
    fs::set_mode(&object, 0o644).expect("set");
    std::fs::write(&object, "from-a\nrot\n").expect("written");
    std::fs::remove_file(bench.path("out/a.txt")).expect("removed");
    assert_eq!(bench.endings(), "a:done b:hit -> 0");
    assert_eq!(bench.whys("a")[1], "its outputs are no longer in the cache");
    assert_eq!(bench.read("out/a.txt"), "from-a\nraw\n");
}

#[test]
fn hazard_17_the_executable_bit_survives() {
    let made = stage(
        "printf '#!/bin/sh\\necho ran\\n' > \"$out\"; chmod 4755 \"$out\"",
        vec![output("out", "tool", Artifact::File)],
    );
    let mut used = stage("\"./$tool\" > \"$out\"", vec![output("out", "said", Artifact::File)]);
    used.work.inputs = vec![input("tool", Origin::output("a", "out"), "tool")];
    let bench = Bench::new(vec![node("a", made), node("b", used)]);
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.read("said"), "ran\n");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(bench.path("tool")).expect("there").permissions().mode() & 0o7777, 0o755);
}

#[test]
fn arguments_go_without_a_shell_and_parameters_are_part_of_the_work() {
    let mut made = stage("", vec![output("out", "said", Artifact::File)]);
    made.work.uses = vec!["word".into()];
    made.work.command = Command::Arguments(vec![
        Expr::Value(Value::String("sh".into())),
        Expr::Value(Value::String("-c".into())),
        Expr::Value(Value::String("echo \"$1|$word\" > \"$2\"".into())),
        Expr::Value(Value::String("sh".into())),
        Expr::Param("word".into()),
        Expr::Local("out".into()),
    ]);
    let mut bench = Bench::new(vec![node("a", made)]);
    let word = |text: &str| Param {
        from: None,
        name: "word".into(),
        doc: None,
        ty: Type::String,
        default: Some(Value::String(text.into())),
    };
    bench.plan.params = vec![word("a b; $(exit 1)")];
    assert_eq!(bench.endings(), "a:done -> 0");
    assert_eq!(bench.read("said"), "a b; $(exit 1)|a b; $(exit 1)\n");
    bench.plan.params = vec![word("c")];
    assert_eq!(bench.endings(), "a:done -> 0");
    assert!(bench.whys("a")[1].contains("parameter `word` changed: a b; $(exit 1) -> c"), "{:?}", bench.whys("a"));
}

#[test]
fn secrets_are_needed_before_anything_runs_and_never_shown() {
    let mut bench = Bench::chain();
    bench.plan.secrets = vec![Secret { name: "token".into(), doc: None }];
    bench.stage("b").work.secrets = vec![SecretUse { secret: "token".into(), variable: "token".into() }];
    bench.stage("b").work.command = script("echo \"got $token\"; echo \"$token\" | wc -c > \"$out\"");
    let error = bench.try_run().expect_err("no secret");
    assert_eq!((error.exit, error.message.as_str()), (1, "`b` needs the secret `token`, which has no value"));
    assert_eq!(error.help.as_deref(), Some("set the variable `TOKEN`"));
    assert_eq!(bench.read("out/a.txt"), "(nothing)");
    bench.setup.caller.insert("TOKEN".into(), "hunter22".into());
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.read("out/b.txt").trim(), "9");
    assert_eq!(bench.read(".mlpc/runs/20260725T172000-1/logs/b.log"), "got ***\n");
    bench.setup.caller.insert("TOKEN".into(), "another1".into());
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
    bench.setup.caller.remove(std::ffi::OsStr::new("TOKEN"));
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
}

#[test]
fn a_sentence_about_an_output_shows_no_secret_that_stands_in_it() {
    let value = Output {
        kind: OutputKind::Value { ty: Type::String, pointer: "/a".into() },
        ..output("v", "v.json", Artifact::File)
    };
    let mut first = stage("printf '{\"a\":[\"%s\"]}' \"$token\" > v.json; false", vec![value]);
    first.status = vec![1];
    first.retry = Some(Retry { times: 1, causes: vec![], statuses: vec![1] });
    first.work.secrets = vec![SecretUse { secret: "token".into(), variable: "token".into() }];
    let mut bench = Bench::new(vec![node("a", first)]);
    bench.plan.secrets = vec![Secret { name: "token".into(), doc: None }];
    bench.setup.caller.insert("TOKEN".into(), "s3cr3tvalue".into());
    let endings = bench.endings();
    assert!(endings.contains("`[\"***\"]` is no value of `string`"), "{endings}");
    for file in ["events.jsonl", "nodes.jsonl", "run.json"] {
        let text = bench.read(&format!(".mlpc/runs/20260725T172000/{file}"));
        assert!(!text.contains("s3cr3tvalue"), "{file}: {text}");
    }
    let events = format!("{:?}", bench.events.lock().expect("whole"));
    assert!(events.contains("tried again") && !events.contains("s3cr3tvalue"), "{events}");
}

#[test]
fn two_results_of_the_same_work_are_told() {
    let mut bench = Bench::new(vec![node("a", stage("date +%N > \"$out\"", vec![output("out", "x", Artifact::File)]))]);
    bench.run();
    bench.options.force = Force::All;
    assert_eq!(bench.endings(), "a:done -> 0");
    assert_eq!(bench.notes(), ["not deterministic: `out` came out different from the same work"]);
}

#[test]
fn reports_that_say_always_are_kept_when_the_stage_fails() {
    let mut made = stage(
        "echo seen > \"$log\"; exit 1",
        vec![output("out", "x", Artifact::File), output("log", "log.txt", Artifact::Report)],
    );
    made.outputs[1].always = true;
    let bench = Bench::new(vec![node("a", made)]);
    // What it left is no person's edit, however often that happens.
    for _ in 0..2 {
        assert_eq!(bench.endings(), "a:failed(exited with status 1) -> 1");
        assert_eq!(bench.read("log.txt"), "seen\n");
        assert_eq!(bench.read("x"), "(nothing)");
        assert_eq!(bench.notes(), Vec::<String>::new());
    }
    bench.write("log.txt", "mine\n");
    bench.run();
    assert_eq!(bench.notes().len(), 1);
}

#[test]
fn what_a_failure_without_isolation_left_is_no_edit() {
    let mut made = stage("echo $RANDOM$RANDOM > \"$out\"; exit 1", vec![output("out", "x", Artifact::File)]);
    made.isolation = Isolation::Off;
    let bench = Bench::new(vec![node("a", made)]);
    bench.run();
    bench.run();
    assert_eq!(bench.notes(), Vec::<String>::new());
}

#[test]
fn named_causes_are_tried_again_and_the_checkpoint_survives() {
    let mut made = stage(
        "echo x >> \"ck/n\"; [ $(wc -l < ck/n) -ge 3 ] || exit 75; cp ck/n \"$out\"",
        vec![output("out", "x", Artifact::File)],
    );
    made.checkpoint = Some("ck".into());
    made.retry = Some(Retry { times: 2, causes: vec![], statuses: vec![75] });
    let mut bench = Bench::new(vec![node("a", made)]);
    assert_eq!(bench.endings(), "a:done -> 0");
    assert_eq!(bench.read("x"), "x\nx\nx\n");
    bench.stage("a").work.command = script("exit 76");
    assert_eq!(bench.endings(), "a:failed(exited with status 76) -> 1");
    assert_eq!(bench.notes().len(), 2);
}

#[test]
fn statuses_that_count_as_success_do() {
    let mut made = stage("echo x > \"$out\"; exit 1", vec![output("out", "x", Artifact::File)]);
    made.status = vec![0, 1];
    assert_eq!(Bench::new(vec![node("a", made)]).endings(), "a:done -> 0");
}

#[test]
fn time_ends_a_stage() {
    let mut made = stage("sleep 100", vec![output("out", "x", Artifact::File)]);
    made.work.timeout = Some(50_000_000);
    assert_eq!(Bench::new(vec![node("a", made)]).endings(), "a:failed(took longer than 50ms) -> 1");
}

#[test]
fn an_interrupt_ends_the_run_and_nothing_is_lost() {
    let bench = Bench::chain();
    bench.setup.interrupt.raise();
    assert_eq!(bench.run().exit, 130);
    let bench = Bench { setup: Setup { interrupt: Interrupt::new(), ..bench.setup.clone() }, ..bench };
    assert_eq!(bench.endings(), "a:done b:done -> 0");
}

#[test]
fn a_value_is_read_and_can_be_used_further_on() {
    let mut made = stage("echo '{\"rows\": 7}' > stats.json", vec![output("rows", "stats.json", Artifact::File)]);
    made.outputs[0].kind = OutputKind::Value { ty: Type::Int(Range::ANY), pointer: "/rows".into() };
    let mut used = stage("", vec![output("out", "said", Artifact::File)]);
    used.work.command = Command::Arguments(vec![
        Expr::Value(Value::String("sh".into())),
        Expr::Value(Value::String("-c".into())),
        Expr::Text(vec![
            Expr::Value(Value::String("echo ".into())),
            Expr::Output { stage: "a".into(), output: "rows".into() },
            Expr::Value(Value::String(" > said".into())),
        ]),
    ]);
    let mut second = node("b", used);
    second.waits.push(Wait { node: "a".into(), why: Why::Data });
    let mut bench = Bench::new(vec![node("a", made), second]);
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.read("said"), "7\n");
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
    bench.stage("a").work.command = script("echo '{\"rows\": \"many\"}' > stats.json");
    let told = "a:failed(the output `rows` (`stats.json`) is no `int` at `/rows`: `\"many\"` is no value of `int`) b:blocked(a) -> 1";
    assert_eq!(bench.endings(), told);
}

#[test]
fn a_frozen_source_that_differs_is_unsound() {
    let mut bench = Bench::chain();
    bench.plan.sources[0].frozen = Some(crate::host::Digest::of(b"as it was").to_string());
    let summary = bench.run();
    assert_eq!(summary.exit, 11);
    assert!(matches!(summary.nodes[0].ending, Ending::Unsound(_)));
}

#[test]
fn only_what_is_asked_for_runs() {
    let mut bench = Bench::chain();
    bench.options.pick.until = vec!["a".into()];
    assert_eq!(bench.endings(), "a:done -> 0");
    bench.options.pick.until = vec!["bb".into()];
    let error = bench.try_run().expect_err("unknown");
    assert_eq!((error.exit, error.help.as_deref()), (2, Some("did you mean `b`?")));
}

#[test]
fn one_alone_takes_its_inputs_as_they_stand() {
    let mut bench = Bench::chain();
    bench.options.pick = Pick { only: vec!["b".into()], ..Pick::default() };
    let missing = "`a.out` is not there: no file or folder `out/a.txt`, and none in the cache; `mlpc run a` makes it";
    assert_eq!(bench.endings(), format!("b:failed({missing}) -> 1"));
    bench.write("out/a.txt", "by hand\n");
    assert_eq!(bench.endings(), "b:done -> 0");
    assert_eq!(bench.read("out/b.txt"), "by hand\ntail\n");
    assert_eq!(bench.endings(), "b:hit -> 0");
    // The whole run takes nothing of it.
    bench.options.pick = Pick::default();
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.read("out/b.txt"), "from-a\nraw\ntail\n");
    std::fs::remove_file(bench.path("out/a.txt")).expect("removed");
    bench.options.pick = Pick { only: vec!["b".into()], ..Pick::default() };
    bench.write("src/tail.txt", "end\n");
    assert_eq!(bench.endings(), "b:done -> 0", "from the cache");
    assert_eq!(bench.read("out/b.txt"), "from-a\nraw\nend\n");
    assert_eq!(bench.read("out/a.txt"), "(nothing)");
}

/// What is predicted of a selection is what the run then does, whatever stands where.
#[test]
fn a_prediction_agrees_with_the_run() {
    let pick = |until: &[&str], from: &[&str], only: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Pick { until: names(until), from: names(from), only: names(only) }
    };
    let picks = [
        pick(&[], &[], &["b"]),
        pick(&["a"], &[], &[]),
        pick(&[], &["b"], &[]),
        pick(&[], &["a"], &[]),
        pick(&["b"], &["a"], &[]),
        pick(&[], &[], &["a", "b"]),
        pick(&[], &[], &[]),
    ];
    let changes: [fn(&Bench); 5] = [
        |_| (),
        |bench| bench.write("src/tail.txt", "end\n"),
        |bench| bench.write("raw.csv", "new\n"),
        |bench| bench.write("out/a.txt", "by hand\n"),
        |bench| drop(std::fs::remove_file(bench.path("out/a.txt"))),
    ];
    for before in [0, 1, 6] {
        for change in changes {
            for pick in &picks {
                let mut bench = Bench::chain();
                bench.options.pick = picks[before].clone();
                bench.run();
                change(&bench);
                bench.options.pick = pick.clone();
                let bound = bind(&bench.plan, &Selection::default()).expect("bound");
                let predicted = predict(&bound, &bench.setup, &bench.options).expect("predicted");
                let ran = bench.run();
                let said: Vec<_> = predicted.iter().map(|one| one.node.as_str()).collect();
                assert_eq!(said, ran.nodes.iter().map(|one| one.node.as_str()).collect::<Vec<_>>());
                for (said, did) in predicted.iter().zip(&ran.nodes) {
                    match (&said.what, &did.ending) {
                        (Expected::Hit, Ending::Hit) => {}
                        (Expected::Runs(Reason::Upstream(_)), Ending::Done | Ending::Hit) => {}
                        (Expected::Runs(why), Ending::Done) => assert_eq!(Some(why), did.why.as_ref()),
                        (Expected::Fails(why), Ending::Failed(failed)) => assert_eq!(why, failed),
                        other => panic!("{pick:?}: {other:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn the_time_that_a_stage_took_is_expected_of_it() {
    let mut bench = Bench::chain();
    bench.run();
    bench.write("src/tail.txt", "end\n");
    bench.run();
    let expected = |of: &str| {
        let events = bench.events.lock().expect("whole");
        let of = events.iter().filter_map(|event| match event {
            Event::NodeStarted { node, expected, .. } if node == of => Some(expected.is_some()),
            _ => None,
        });
        of.collect::<Vec<_>>()
    };
    assert_eq!((expected("a"), expected("b")), (vec![false], vec![false, true]));
    bench.setup.clock = Clock::fixed(Timestamp::from_second(1_785_000_100).expect("in range"));
    bench.write(".mlpc/cache/v1/times/default", "no number\n7 b\n");
    bench.write("src/tail.txt", "tail\n");
    bench.options.force = Force::All;
    bench.run();
    let lines = bench.read(".mlpc/cache/v1/times/default");
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[test]
fn a_forecast_plays_the_schedule() {
    let mut bench = Bench::chain();
    bench.plan.nodes.push(node("c", stage("", vec![])));
    let bound = bind(&bench.plan, &Selection::default()).expect("bound");
    let say = |node: &str, expected| Prediction {
        node: node.into(),
        kind: "stage",
        what: Expected::Runs(Reason::First),
        expected,
    };
    let predictions = [say("a", Some(10_000)), say("b", Some(20_000)), say("c", Some(25_000))];
    let took = |jobs, predictions: &[Prediction]| {
        let options = Options { jobs, ..Options::default() };
        let Forecast { milliseconds, untimed } = forecast(&bound, &options, predictions).expect("known");
        (milliseconds, untimed)
    };
    assert_eq!(took(1, &predictions), (55_000, 0));
    assert_eq!(took(2, &predictions), (30_000, 0));
    assert_eq!(took(2, &[say("a", Some(10_000)), say("b", None)]), (10_000, 1));
}

#[test]
fn what_runs_every_time_is_not_told_to_be_undeterministic() {
    let mut bench = Bench::chain();
    bench.stage("a").work.command = script("date +%N > \"$out\"");
    bench.stage("a").rerun = Rerun::Always;
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.notes(), Vec::<String>::new());
}

#[test]
fn without_isolation_the_workspace_is_the_folder() {
    let mut bench = Bench::chain();
    bench.write("undeclared.txt", "seen\n");
    bench.stage("a").isolation = Isolation::Off;
    bench.stage("a").work.command = script("cat undeclared.txt > \"$out\"");
    assert_eq!(bench.endings(), "a:done b:done -> 0");
    assert_eq!(bench.read("out/a.txt"), "seen\n");
    assert_eq!(bench.endings(), "a:hit b:hit -> 0");
}

#[test]
fn a_folder_is_kept_on_demand_and_nothing_else_is_left_behind() {
    let mut bench = Bench::chain();
    bench.options.keep = true;
    bench.run();
    assert_eq!(bench.read(".mlpc/kept/b/work/out/b.txt"), "from-a\nraw\ntail\n");
    let left: Vec<_> = fs::sorted_entries(&bench.path(".mlpc/tmp")).expect("listed");
    assert_eq!(left.len(), 1, "only the lock: {left:?}");
}

#[test]
fn the_record_says_how_it_came_out() {
    let bench = Bench::chain();
    let summary = bench.run();
    let state = bench.path(".mlpc");
    assert_eq!(runs(&state).expect("listed"), std::slice::from_ref(&summary.run));
    let record = RunRecord::read(&state, &summary.run).expect("read");
    assert_eq!(record.exit, Some(0));
    assert_eq!(record.node("b").map(|node| node.ending.clone()), Some(Ending::Done));
    assert_eq!(record.sources["raw"], crate::host::Digest::of(b"raw\n"));
    let journal = bench.read(&format!(".mlpc/runs/{}/events.jsonl", summary.run));
    assert_eq!(journal.lines().count(), 6, "{journal}");
}

#[test]
fn hazard_14_two_runs_at_once_share_the_work() {
    let mut bench = Bench::chain();
    bench.stage("a").work.command = script("sleep 0.2; date +%N > \"$out\"");
    let endings = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2).map(|_| scope.spawn(|| bench.run())).collect();
        both.into_iter().map(|run| run.join().expect("ran")).collect::<Vec<_>>()
    });
    let done = endings.iter().flat_map(|summary| &summary.nodes).filter(|node| node.ending == Ending::Done).count();
    let hits = endings.iter().flat_map(|summary| &summary.nodes).filter(|node| node.ending == Ending::Hit).count();
    assert_eq!((done, hits), (2, 2));
}

#[test]
fn a_node_alone_takes_what_stands_in_the_workspace() {
    let mut bench = Bench::chain();
    bench.write("out/a.txt", "made elsewhere\n");
    bench.options.pick.until = vec!["b".into()];
    bench.options.alone = true;
    assert_eq!(bench.endings(), "b:done -> 0");
    assert_eq!(bench.read("out/b.txt"), "made elsewhere\ntail\n");
    std::fs::remove_file(bench.path("out/a.txt")).expect("removed");
    assert_eq!(bench.endings(), "b:failed(`a.out` is not there: no file or folder `out/a.txt`) -> 1");
}

/// `train` -> `evaluate`, a gate on it, and a second stage behind the gate.
fn gated(score: &str) -> Bench {
    use crate::gate::{Bound as Limit, Compare, Evidence, Gate, Level, Measure, MetricRef, Requirement};
    use crate::types::{Metric, MetricsType};
    let metrics = Artifact::Metrics { name: "M".into() };
    let measured = stage(
        &format!("echo '{{\"score\": {score}}}' > \"$report\""),
        vec![output("report", "report.json", metrics.clone())],
    );
    let requirement = Requirement {
        level: Level::Require,
        text: "score >= 0.5".into(),
        measure: Measure {
            kind: "metric".into(),
            metric: Some(MetricRef { evidence: 0, name: "score".into() }),
            artifact: None,
            table: None,
            groups: None,
            options: BTreeMap::new(),
            ty: Type::Ratio(Range::ANY),
        },
        bound: Limit::Compare { op: Compare::AtLeast, limit: Expr::Value(Value::Ratio(0.5)) },
    };
    let evidence = Evidence {
        alias: None,
        origin: Origin::output("evaluate", "report"),
        path: "report.json".into(),
        ty: metrics,
        of: None,
        over: None,
        split: None,
        list: None,
    };
    let gate = Gate { evidence: vec![evidence], admits: vec![], baseline: None, requirements: vec![requirement] };
    let waits = vec![Wait { node: "evaluate".into(), why: Why::Data }];
    let kind = NodeKind::Gate(Box::new(gate));
    let gate = Node { name: "quality".into(), leg: None, doc: None, when: None, waits, kind };
    let mut behind = node("behind", stage("echo x > \"$out\"", vec![output("out", "x", Artifact::File)]));
    behind.waits.push(Wait { node: "quality".into(), why: Why::After });
    let mut bench = Bench::new(vec![node("evaluate", measured), gate, behind]);
    let metric =
        Metric { name: "score".into(), ty: Type::Ratio(Range::ANY), direction: None, from: None, scale: None, n: None };
    bench.plan.metrics = vec![MetricsType { name: "M".into(), doc: None, metrics: vec![metric] }];
    bench
}

#[test]
fn a_gate_guards_what_is_behind_it() {
    assert_eq!(gated("0.5").endings(), "evaluate:done quality:Decided(Pass) behind:done -> 0");
    assert_eq!(gated("0.4").endings(), "evaluate:done quality:Decided(Fail) behind:blocked(quality) -> 10");
    assert_eq!(gated("NaN").endings(), "evaluate:done quality:Decided(Error) behind:blocked(quality) -> 11");
    assert_eq!(gated("\"high\"").endings(), "evaluate:done quality:Decided(Error) behind:blocked(quality) -> 11");
}

#[test]
fn a_gate_is_decided_anew_in_every_run_and_its_report_is_kept() {
    let bench = gated("0.9");
    bench.run();
    assert_eq!(bench.endings(), "evaluate:hit quality:Decided(Pass) behind:hit -> 0");
    assert!(bench.read(".mlpc/gates/quality/gate_report.json").contains("\"verdict\": \"pass\""));
    assert!(bench.read(".mlpc/runs/20260725T172000/gates/quality/gate_report.json").contains("\"verdict\": \"pass\""));
}
